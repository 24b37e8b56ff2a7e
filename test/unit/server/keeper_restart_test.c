/* What a keeper finds when the server starts again, or when what was missing is there again. */
#include <signal.h>
#include <sys/resource.h>

#include "test/unit/server/keeper_kit.h"

#define JOURNAL ((size_t)16 << 20)

static const char *const policies[] = { "denial: nsec", "denial: nsec3",
					"denial: nsec3-opt-out, keys: csk",
					"denial: nsec, zonemd: sha384",
					"denial: nsec3, zonemd: sha512" };

START_TEST(nothing_changes)
{
	struct kept k;
	kept_file(KEPT_ZONE);
	kept_open(&k, "dnssec: p, allow-update: any", policies[_i], JOURNAL);
	kept_load(&k, START);
	ck_assert_uint_eq(kept_update_one(&k, START, "add a 60 A 192.0.2.1\n"), RCODE_NOERROR);
	const uint32_t serial = k.zone->current->serial;
	for (int i = 1; i < 4; i++) {
		kept_restart(&k, k.config);
		kept_load(&k, START + i);
		kept_load(&k, START + i); /* a reload */
		ck_assert_uint_eq(k.zone->current->serial, serial);
		kept_assert_valid(&k, START + i);
	}
	kept_close(&k);
}
END_TEST

/* The keys in the directory that end in @type's flags; removes them if @remove. */
static unsigned keys_of(const char *flags, bool remove)
{
	char command[256];
	(void)snprintf(
		command, sizeof(command),
		"cd %s/db/keys; for k in $(grep -l 'DNSKEY %s ' *.key); do echo $k; %s; done | wc -l",
		kept_directory, flags, remove ? "rm $k ${k%.key}.private" : ":");
	FILE *p = popen(command, "r");
	unsigned count = 99;
	ck_assert_int_eq(fscanf(p, "%u", &count), 1);
	ck_assert_int_eq(pclose(p), 0);
	return count;
}

/* Killed between one key and the other. */
START_TEST(the_key_that_was_not_made)
{
	struct kept k;
	kept_file(KEPT_ZONE);
	kept_open(&k, "dnssec: p", "denial: nsec", JOURNAL);
	kept_load(&k, START);
	ck_assert_uint_eq(keys_of("257", true), 1);
	ck_assert_uint_eq(keys_of("256", false), 1);
	kept_restart(&k, k.config);
	kept_load(&k, START + 1);
	ck_assert_uint_eq(keys_of("257", false), 1);
	ck_assert_uint_eq(keys_of("256", false), 1);
	kept_assert_valid(&k, START + 1);
	kept_close(&k);
}
END_TEST

/* No file may grow to the size of a snapshot, until it may. */
START_TEST(a_full_disk)
{
	struct kept k;
	struct rlimit old;
	struct rlimit none;
	kept_file(KEPT_ZONE);
	kept_open(&k, "dnssec: p", "denial: nsec", JOURNAL);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = (struct rlimit){ 2048, old.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	kept_load(&k, START);
	ck_assert_ptr_null(k.zone->current);
	ck_assert_int_le(k.keeper->due, START + 60);
	kept_run(&k, START + 60, NULL);
	ck_assert_ptr_null(k.zone->current);
	ck_assert_int_le(k.keeper->due, START + 120);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	kept_run(&k, START + 120, NULL);
	ck_assert_ptr_nonnull(k.zone->current);
	ck_assert_int_gt(k.keeper->due, START + HOUR);
	kept_close(&k);
}
END_TEST

/* What is wrong with the file itself is for the operator to mend. */
START_TEST(a_broken_file)
{
	struct kept k;
	kept_file("broken\n");
	kept_open(&k, "dnssec: p", "denial: nsec", JOURNAL);
	kept_load(&k, START);
	ck_assert_int_eq(k.keeper->due, INT64_MAX);
	kept_close(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("keeper_restart");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, kept_setup, kept_teardown);
	tcase_add_loop_test(tc, nothing_changes, 0, ARRAY_LEN(policies));
	tcase_add_test(tc, the_key_that_was_not_made);
	tcase_add_test(tc, a_full_disk);
	tcase_add_test(tc, a_broken_file);
	return unit_run("server/keeper_restart", tc);
}

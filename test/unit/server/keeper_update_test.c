/* What a keeper does with updates that it gets together, and with those that cannot be done. */
#include <signal.h>
#include <sys/resource.h>

#include "test/unit/server/keeper_kit.h"

#define JOURNAL ((size_t)16 << 20)
#define UPDATE	"allow-update: any"

static uint32_t serial_of(const struct kept *k)
{
	return k->zone->current->serial;
}

START_TEST(updates_share_a_serial)
{
	static const char *const messages[] = { "add a 60 A 192.0.2.1\n", "yxdomain nobody\n",
						"yxdomain a\nadd b 60 A 192.0.2.1\n" };
	struct kept k;
	kept_file(KEPT_ZONE);
	kept_open(&k, "dnssec: p, " UPDATE, "denial: nsec", JOURNAL);
	kept_load(&k, START);
	const uint32_t serial = serial_of(&k);
	kept_update(&k, START, messages, ARRAY_LEN(messages));
	ck_assert_uint_eq(kept_rcodes[0], RCODE_NOERROR);
	ck_assert_uint_eq(kept_rcodes[1], RCODE_NXDOMAIN);
	ck_assert_uint_eq(kept_rcodes[2], RCODE_NOERROR);
	ck_assert_uint_eq(serial_of(&k), serial + 1);
	kept_close(&k);
}
END_TEST

/* An update of some 50,000 octets, which differ, at @name. */
static const char *large_update(const char *name)
{
	static char text[200000];
	size_t len = 0;
	for (unsigned i = 0; i < 200; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "add %s 60 TXT %0200u\n",
					name, i);
	}
	return text;
}

/* From now on the journal has no more than @more octets for what is new. */
static void limit_journal(rlim_t more)
{
	char path[128];
	struct stat st;
	struct rlimit limit;
	(void)signal(SIGXFSZ, SIG_IGN);
	kept_path(path, sizeof(path), "db/journal.mdb");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = (rlim_t)st.st_size + more;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The one that does not fit on the disk is refused, and those that came with it are done: also those that would have
 * come out otherwise behind it. */
START_TEST(one_that_cannot_be_done_takes_no_others_with_it)
{
	const char *const messages[] = { "add a 60 A 192.0.2.1\n", large_update("large"),
					 "nxdomain large\nadd b 60 A 192.0.2.1\n",
					 "yxdomain large\nadd c 60 A 192.0.2.1\n" };
	struct kept k;
	kept_file(KEPT_ZONE);
	kept_open(&k, "dnssec: p, " UPDATE, "denial: nsec", JOURNAL);
	kept_load(&k, START);
	const uint32_t serial = serial_of(&k);
	limit_journal(40 << 10);
	kept_update(&k, START, messages, ARRAY_LEN(messages));
	ck_assert_uint_eq(kept_rcodes[0], RCODE_NOERROR);
	ck_assert_uint_eq(kept_rcodes[1], RCODE_SERVFAIL);
	ck_assert_uint_eq(kept_rcodes[2], RCODE_NOERROR);
	ck_assert_uint_eq(kept_rcodes[3], RCODE_NXDOMAIN);
	ck_assert_ptr_nonnull(kept_set(&k, "a", "A"));
	ck_assert_ptr_nonnull(kept_set(&k, "b", "A"));
	ck_assert_ptr_null(kept_set(&k, "large", "TXT"));
	ck_assert_uint_eq(serial_of(&k), serial + 2);
	kept_assert_valid(&k, START);
	/* And so it is after a restart. */
	kept_restart(&k, k.config);
	kept_load(&k, START);
	ck_assert_uint_eq(serial_of(&k), serial + 2);
	ck_assert_ptr_nonnull(kept_set(&k, "b", "A"));
	kept_close(&k);
}
END_TEST

/* Signatures that were good for long enough are renewed when others may hold records for longer. */
START_TEST(a_longer_expire_is_at_once_outlived)
{
	struct kept k;
	kept_file(KEPT_ZONE);
	kept_open(&k, "dnssec: p, " UPDATE, "denial: nsec", JOURNAL);
	kept_load(&k, START);
	ck_assert_uint_eq(
		kept_update_one(&k, START, "add @ 3600 SOA ns host 9 7200 3600 8640000 3600\n"),
		RCODE_NOERROR);
	kept_assert_valid(&k, START + 8640000 + HOUR);
	kept_close(&k);
}
END_TEST

START_TEST(for_a_zone_that_is_not_there)
{
	struct kept k;
	kept_file("broken\n");
	kept_open(&k, UPDATE, "denial: nsec", JOURNAL);
	kept_load(&k, START);
	ck_assert_uint_eq(kept_update_one(&k, START, "add a 60 A 192.0.2.1\n"), RCODE_SERVFAIL);
	kept_close(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("keeper_update");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, kept_setup, kept_teardown);
	tcase_add_test(tc, updates_share_a_serial);
	tcase_add_test(tc, one_that_cannot_be_done_takes_no_others_with_it);
	tcase_add_test(tc, a_longer_expire_is_at_once_outlived);
	tcase_add_test(tc, for_a_zone_that_is_not_there);
	return unit_run("server/keeper_update", tc);
}

/* test/unit/server/vault_test.c - what is kept of zones: in a journal that is full, with limits to history, and where it is not
 * what it should be. */
#include "server/vault.h"

#include <unistd.h>

#include "test/unit/server/keeper_kit.h"

#define START_SERIAL 1
#define SMALL	     JOURNAL_SIZE_MIN

struct kept_zone {
	struct dname apex;
	struct version *v;
	struct journal_zone zone;
};

static struct vault *open_vault(size_t size)
{
	struct errmsg em = { "" };
	struct vault *v = NULL;
	ck_assert_msg(vault_open(kept_directory, size, &v, &em) == E_OK, "%s", em.text);
	return v;
}

/* The zone with another serial, and @octets of texts that nothing else has. */
static struct version *next_version(struct version *v, const struct dname *apex, uint32_t serial,
				    unsigned octets)
{
	struct edit *e = edit_begin(v, apex->wire, EDIT_TTL_LAST);
	struct dname owner;
	char text[400];
	uint8_t rdata[512];
	ck_assert_int_eq(dname_from_text(&owner, "a", 1, apex->wire, NULL), E_OK);
	for (unsigned i = 0; i * 200 < octets; i++) {
		struct writer w = writer_of(rdata, sizeof(rdata));
		(void)snprintf(text, sizeof(text), "%0100u %099u", serial, i);
		if (rdata_from_string(RRTYPE_TXT, text, apex->wire, &w, NULL) != E_OK ||
		    edit_add(e, owner.wire, RRTYPE_TXT, 60, rdata, writer_len(&w)) != E_OK) {
			ck_abort_msg("no text");
		}
	}
	struct writer w = writer_of(rdata, sizeof(rdata));
	(void)snprintf(text, sizeof(text), "ns host %u 1 2 3 4", serial);
	ck_assert_int_eq(rdata_from_string(RRTYPE_SOA, text, apex->wire, &w, NULL), E_OK);
	edit_remove_rrset(e, apex->wire, RRTYPE_SOA);
	ck_assert_int_eq(edit_add(e, apex->wire, RRTYPE_SOA, 60, rdata, writer_len(&w)), E_OK);
	ck_assert_int_eq(edit_error(e, NULL), E_OK);
	return edit_commit(e);
}

static void begin(struct vault *v, struct kept_zone *z, const char *name)
{
	struct errmsg em;
	*z = (struct kept_zone){ .v = NULL };
	kit_name(name, &z->apex);
	z->v = next_version(NULL, &z->apex, START_SERIAL, 0);
	ck_assert_int_eq(vault_begin(v, z->apex.wire, z->v, z->v, &z->zone, &em), E_OK);
}

static void change(struct vault *v, struct kept_zone *z, unsigned octets,
		   const struct vault_change *how)
{
	struct errmsg em = { "" };
	struct vault_change c = how != NULL ? *how : (struct vault_change){ .now = START };
	struct version *next = next_version(z->v, &z->apex, z->v->serial + 1, octets);
	c.apex = z->apex.wire;
	c.base = z->v;
	c.next = next;
	c.from = JOURNAL_UPDATE;
	int err = vault_write(v, &c, &z->zone, &em);
	ck_assert_msg(err == E_OK, "serial %u: %s", next->serial, em.text);
	version_unref(z->v);
	z->v = next;
}

static void assert_restored(struct vault *v, struct kept_zone *z)
{
	struct errmsg em = { "" };
	struct version *is = NULL;
	struct journal_zone zone;
	struct diff diff = { 0 };
	int err = vault_restore(v, z->apex.wire, &is, &zone, &em);
	ck_assert_msg(err == E_OK, "%s", em.text);
	diff_make(z->v, is, &diff);
	ck_assert(diff_is_empty(&diff));
	ck_assert_uint_eq(zone.last_seq, z->zone.last_seq);
	ck_assert_uint_eq(zone.snapshot_seq, z->zone.snapshot_seq);
	ck_assert_uint_eq(zone.source_generation, z->zone.source_generation);
	version_unref(is);
}

static struct journal_zone known(struct vault *v, const struct kept_zone *z)
{
	struct journal_txn *t;
	struct journal_zone zone;
	ck_assert_int_eq(journal_begin(vault_journal(v), STORE_READ, &t, NULL), E_OK);
	ck_assert_int_eq(journal_zone_get(t, z->apex.wire, &zone), E_OK);
	journal_abort(t);
	return zone;
}

/* Many zones, each with changes that are in no snapshot, and none with so many that it would make one by itself. */
START_TEST(a_full_journal_blocks_nobody)
{
	static struct kept_zone zones[8];
	struct vault *v = open_vault(SMALL);
	char name[8];
	for (unsigned i = 0; i < ARRAY_LEN(zones); i++) {
		(void)snprintf(name, sizeof(name), "z%u.", i);
		begin(v, &zones[i], name);
		for (unsigned k = 0; k < 10; k++) {
			change(v, &zones[i], 12000, NULL);
		}
	}
	for (unsigned i = 0; i < ARRAY_LEN(zones); i++) {
		assert_restored(v, &zones[i]);
		change(v, &zones[i], 100, NULL);
		assert_restored(v, &zones[i]);
		version_unref(zones[i].v);
	}
	vault_close(v);
}
END_TEST

START_TEST(a_change_larger_than_the_journal)
{
	struct kept_zone z;
	struct vault *v = open_vault(SMALL);
	begin(v, &z, "z.");
	change(v, &z, 100, NULL);
	change(v, &z, 600000, NULL);
	assert_restored(v, &z);
	change(v, &z, 100, NULL);
	assert_restored(v, &z);
	version_unref(z.v);
	vault_close(v);
}
END_TEST

START_TEST(history_has_limits)
{
	struct kept_zone z;
	struct errmsg em;
	struct vault *v = open_vault((size_t)16 << 20);
	struct vault_change how = { .history_octets = 30000 };
	begin(v, &z, "z.");
	for (unsigned i = 0; i < 20; i++) {
		how.now = START + i;
		change(v, &z, 2000, &how);
	}
	/* All of it is needed by a restart, so it stays. */
	ck_assert_uint_eq(known(v, &z).first_seq, 2);
	ck_assert_int_eq(vault_snapshot(v, z.apex.wire, z.v, &z.zone, &em), E_OK);
	how.now = START + 20;
	change(v, &z, 2000, &how);
	const struct journal_zone is = known(v, &z);
	ck_assert_uint_gt(is.first_seq, 10);
	ck_assert_uint_lt(is.first_seq, 21);
	ck_assert_uint_le(is.octets, 30000);
	ck_assert_uint_eq(is.last_seq, 22);
	/* The changes of the last seconds; the snapshot has all but the last. */
	how = (struct vault_change){ .now = START + 21, .history_from = START + 19 };
	change(v, &z, 100, &how);
	ck_assert_uint_eq(known(v, &z).first_seq, 21);
	how.now = how.history_from = START + 1000;
	change(v, &z, 100, &how);
	ck_assert_uint_eq(known(v, &z).first_seq, z.zone.snapshot_seq + 1);
	assert_restored(v, &z);
	version_unref(z.v);
	vault_close(v);
}
END_TEST

/* A write that was told to have failed, and is there all the same. */
START_TEST(a_change_that_does_not_follow)
{
	struct kept_zone z;
	struct errmsg em;
	struct vault *v = open_vault(SMALL);
	begin(v, &z, "z.");
	change(v, &z, 100, NULL);
	struct version *lost = next_version(NULL, &z.apex, 77, 100);
	struct journal_zone forgotten = z.zone;
	const struct vault_change c = {
		.apex = z.apex.wire, .base = z.v, .next = lost, .from = JOURNAL_UPDATE, .now = START
	};
	ck_assert_int_eq(vault_write(v, &c, &forgotten, &em), E_OK);
	version_unref(lost);
	change(v, &z, 100, NULL);
	assert_restored(v, &z);
	change(v, &z, 100, NULL);
	assert_restored(v, &z);
	version_unref(z.v);
	vault_close(v);
}
END_TEST

static bool is_file(const char *name)
{
	char path[300];
	(void)snprintf(path, sizeof(path), "%s/%s", kept_directory, name);
	return access(path, F_OK) == 0;
}

static void leave_file(const char *name)
{
	char path[300];
	(void)snprintf(path, sizeof(path), "%s/%s", kept_directory, name);
	FILE *f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	(void)fclose(f);
}

/* A small zone has no file; one that has grown has, and what lies in the journal is of no account any more. */
START_TEST(a_small_zone_lies_in_the_journal)
{
	struct kept_zone z;
	struct errmsg em;
	struct vault *v = open_vault((size_t)16 << 20);
	begin(v, &z, "z.");
	ck_assert(!is_file("z.served.1"));
	assert_restored(v, &z);
	change(v, &z, 100, NULL);
	ck_assert_int_eq(vault_snapshot(v, z.apex.wire, z.v, &z.zone, &em), E_OK);
	ck_assert(!is_file("z.served.2"));
	assert_restored(v, &z);
	change(v, &z, 100000, NULL);
	ck_assert_int_eq(vault_snapshot(v, z.apex.wire, z.v, &z.zone, &em), E_OK);
	ck_assert(is_file("z.served.3"));
	assert_restored(v, &z);
	change(v, &z, 100000, NULL);
	ck_assert_int_eq(vault_snapshot(v, z.apex.wire, z.v, &z.zone, &em), E_OK);
	ck_assert(is_file("z.served.4") && !is_file("z.served.3"));
	vault_close(v);
	v = open_vault((size_t)16 << 20);
	assert_restored(v, &z);
	version_unref(z.v);
	vault_close(v);
}
END_TEST

/* What a crash leaves goes at the next start, where the journal knows better; what is nobody's stays. */
START_TEST(left_overs_go)
{
	static const char *const going[] = {
		"z.served.2",
		"z.served.7.abcdefgh",
		"z.source.9",
		"z.source.1.abcdefgh",
	};
	static const char *const staying[] = {
		"z.source.1",	"other.served.1", "z.served.x", "z.served.1.2.3",
		"a.z.served.1", "served.1",	  "z.served.",	"%zz.served.2",
		"z.kept",	"%2.served.2",	  ".served.5",
	};
	struct kept_zone z;
	struct vault *v = open_vault((size_t)16 << 20);
	begin(v, &z, "z.");
	vault_close(v);
	for (size_t i = 0; i < ARRAY_LEN(going); i++) {
		leave_file(going[i]);
	}
	for (size_t i = 1; i < ARRAY_LEN(staying); i++) {
		leave_file(staying[i]);
	}
	v = open_vault((size_t)16 << 20);
	for (size_t i = 0; i < ARRAY_LEN(going); i++) {
		ck_assert_msg(!is_file(going[i]), "%s", going[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(staying); i++) {
		ck_assert_msg(is_file(staying[i]), "%s", staying[i]);
	}
	assert_restored(v, &z);
	version_unref(z.v);
	vault_close(v);
}
END_TEST

/* As if it had never been there, and others as they were. */
START_TEST(what_is_forgotten)
{
	static struct kept_zone zones[3];
	static const char *const names[] = { "small.", "large.", "Stays.\\%x." };
	struct errmsg em = { "" };
	struct version *is = NULL;
	struct journal_zone zone;
	struct vault *v = open_vault((size_t)16 << 20);
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		begin(v, &zones[i], names[i]);
	}
	change(v, &zones[1], 100000, NULL);
	ck_assert_int_eq(vault_snapshot(v, zones[1].apex.wire, zones[1].v, &zones[1].zone, &em),
			 E_OK);
	ck_assert(is_file("large.served.2") && is_file("large.source.1") &&
		  is_file("small.source.1"));
	const uint8_t *const apexes[] = { zones[0].apex.wire, zones[1].apex.wire };
	ck_assert_int_eq(vault_forget(v, apexes, 2, &em), E_OK);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(vault_restore(v, zones[i].apex.wire, &is, &zone, &em), E_NOENT);
	}
	ck_assert(!is_file("large.served.2") && !is_file("large.source.1") &&
		  !is_file("small.source.1"));
	assert_restored(v, &zones[2]);
	version_unref(zones[0].v);
	begin(v, &zones[0], names[0]);
	assert_restored(v, &zones[0]);
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		version_unref(zones[i].v);
	}
	vault_close(v);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("vault");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, kept_setup, kept_teardown);
	tcase_add_test(tc, a_full_journal_blocks_nobody);
	tcase_add_test(tc, a_change_larger_than_the_journal);
	tcase_add_test(tc, history_has_limits);
	tcase_add_test(tc, a_change_that_does_not_follow);
	tcase_add_test(tc, a_small_zone_lies_in_the_journal);
	tcase_add_test(tc, left_overs_go);
	tcase_add_test(tc, what_is_forgotten);
	return unit_run("server/vault", tc);
}

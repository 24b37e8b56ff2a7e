/* A zone that was signed by us, and is to be so no more: nothing is left that would expire. */
#include "test/unit/server/keeper_kit.h"

#define JOURNAL	 ((size_t)16 << 20)
#define SIGNED	 "dnssec: p, allow-update: any"
#define UNSIGNED "allow-update: any"

static const char *const policies[] = { "denial: nsec", "denial: nsec3, zonemd: sha384",
					"denial: nsec3-opt-out, keys: csk" };

/* A signature of somebody else, in the zone file. */
#define FOREIGN                                                                                    \
 "ns RRSIG A 13 2 3600 20361231000000 20260101000000 4711 z. "                                     \
 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n"

static unsigned signatures(const struct kept *k)
{
	struct version_walk walk;
	unsigned count = 0;
	for (const struct node *n = version_first(k->zone->current, &walk); n != NULL;
	     n = version_next(&walk)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned i = 0; i < n->rrsets; i++) {
			count += rs[i].sigs;
		}
	}
	return count;
}

static void assert_unsigned(const struct kept *k)
{
	static const char *const types[] = { "DNSKEY", "CDS",	     "CDNSKEY",
					     "NSEC",   "NSEC3PARAM", "ZONEMD" };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		ck_assert_msg(kept_set(k, "@", types[i]) == NULL, "%s", types[i]);
	}
	const struct version *v = k->zone->current;
	ck_assert_uint_eq(signatures(k), 0);
	ck_assert(!v->secure);
	ck_assert_int_eq(v->denial, DENIAL_NONE);
	ck_assert_uint_eq(v->nsec3.leaves, 0);
	ck_assert_ptr_null(kept_set(k, "a", "NSEC"));
	ck_assert_ptr_nonnull(kept_set(k, "dyn", "A")); /* of an update */
	ck_assert_ptr_nonnull(kept_set(k, "d2", "DS"));
}

/* Signed, with an update, and a chain that a client has chosen. */
static void start(struct kept *k, const char *policy)
{
	kept_file(KEPT_ZONE);
	kept_open(k, SIGNED, policy, JOURNAL);
	kept_load(k, START);
	ck_assert_uint_eq(
		kept_update_one(k, START, "add dyn 60 A 192.0.2.7\nadd @ 0 NSEC3PARAM 1 0 0 AB\n"),
		RCODE_NOERROR);
	ck_assert_uint_gt(signatures(k), 0);
}

/* A rollback would bring signatures that nobody renews. */
static void assert_no_way_back(const struct kept *k)
{
	struct journal_txn *t;
	struct journal_zone zone;
	ck_assert_int_eq(journal_begin(vault_journal(k->vault), STORE_READ, &t, NULL), E_OK);
	ck_assert_int_eq(journal_zone_get(t, kit_zone, &zone), E_OK);
	journal_abort(t);
	ck_assert_uint_gt(zone.first_seq, zone.last_seq);
}

START_TEST(by_a_reload)
{
	struct kept k;
	start(&k, policies[_i]);
	uint32_t serial = k.zone->current->serial;
	kept_reconfigure(&k, kept_config(UNSIGNED, policies[_i]));
	kept_load(&k, START);
	assert_unsigned(&k);
	assert_no_way_back(&k);
	ck_assert_uint_eq(k.zone->current->serial, serial + 1);
	/* Once. */
	kept_load(&k, START + DAY);
	kept_restart(&k, k.config);
	kept_load(&k, START + DAY);
	assert_unsigned(&k);
	ck_assert_uint_eq(k.zone->current->serial, serial + 1);
	ck_assert_uint_eq(kept_update_one(&k, START, "add more 60 A 192.0.2.7\n"), RCODE_NOERROR);
	/* And back: as the policy has it. */
	kept_reconfigure(&k, kept_config(SIGNED, policies[_i]));
	kept_load(&k, START + DAY);
	ck_assert(k.zone->current->secure);
	ck_assert_int_eq(k.zone->current->denial, _i == 0 ? DENIAL_NSEC : DENIAL_NSEC3);
	kept_assert_valid(&k, START + DAY);
	ck_assert_ptr_nonnull(kept_set(&k, "more", "A"));
	kept_close(&k);
}
END_TEST

START_TEST(by_a_restart)
{
	struct kept k;
	start(&k, policies[_i]);
	kept_restart(&k, kept_config(UNSIGNED, policies[_i]));
	kept_load(&k, START);
	assert_unsigned(&k);
	kept_close(&k);
}
END_TEST

/* The file changes at the same time, to one that others sign: no version between is served. */
START_TEST(with_a_changed_file)
{
	struct kept k;
	start(&k, policies[_i]);
	const uint32_t serial = k.zone->current->serial;
	kept_reconfigure(&k, kept_config(UNSIGNED, policies[_i]));
	kept_file(KEPT_ZONE FOREIGN "new A 192.0.2.1\n");
	kept_load(&k, START);
	ck_assert_uint_eq(signatures(&k), 1);
	ck_assert_ptr_nonnull(kept_set(&k, "new", "A"));
	ck_assert_ptr_nonnull(kept_set(&k, "dyn", "A"));
	ck_assert_uint_eq(k.zone->current->serial, serial + 1);
	kept_close(&k);
}
END_TEST

/* What the file has of signatures is served, though it was not as long as we signed. */
START_TEST(what_the_file_has)
{
	struct kept k;
	kept_file(KEPT_ZONE FOREIGN);
	kept_open(&k, SIGNED, policies[_i], JOURNAL);
	kept_load(&k, START);
	kept_assert_valid(&k, START);
	kept_reconfigure(&k, kept_config(UNSIGNED, policies[_i]));
	kept_load(&k, START);
	ck_assert_uint_eq(signatures(&k), 1);
	ck_assert_ptr_null(kept_set(&k, "@", "DNSKEY"));
	kept_close(&k);
}
END_TEST

/* One that cannot be done now is done later. */
START_TEST(with_a_broken_file)
{
	struct kept k;
	start(&k, policies[_i]);
	kept_reconfigure(&k, kept_config(UNSIGNED, policies[_i]));
	kept_file("broken\n");
	kept_load(&k, START);
	ck_assert(zone_is_stale(k.zone));
	ck_assert(k.zone->current->secure);
	kept_file(KEPT_ZONE);
	kept_load(&k, START);
	assert_unsigned(&k);
	kept_close(&k);
}
END_TEST

/* A zone that others sign, and that takes updates, keeps its signatures. */
START_TEST(what_we_did_not_sign)
{
	struct kept k;
	kept_file(KEPT_ZONE FOREIGN);
	kept_open(&k, UNSIGNED, policies[_i], JOURNAL);
	kept_load(&k, START);
	kept_restart(&k, k.config);
	kept_load(&k, START);
	ck_assert_uint_eq(signatures(&k), 1);
	kept_close(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("keeper_unsign");
	const int count = (int)ARRAY_LEN(policies);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, kept_setup, kept_teardown);
	tcase_add_loop_test(tc, by_a_reload, 0, count);
	tcase_add_loop_test(tc, by_a_restart, 0, count);
	tcase_add_loop_test(tc, with_a_changed_file, 0, count);
	tcase_add_loop_test(tc, what_the_file_has, 0, count);
	tcase_add_loop_test(tc, with_a_broken_file, 0, count);
	tcase_add_loop_test(tc, what_we_did_not_sign, 0, count);
	return unit_run("server/keeper_unsign", tc);
}

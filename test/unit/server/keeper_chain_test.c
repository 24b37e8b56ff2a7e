/* The chain of a zone that is signed by us: as the policy has it, or as a client or the operator has chosen it since. */
#include "signer/nsec3_hash.h"
#include "signer/touched.h"
#include "test/unit/server/keeper_kit.h"

#define JOURNAL ((size_t)16 << 20)
#define ZONE	"dnssec: p, allow-update: any"

static void start(struct kept *k, const char *policy)
{
	kept_file(KEPT_ZONE);
	kept_open(k, ZONE, policy, JOURNAL);
	kept_load(k, START);
	ck_assert_ptr_nonnull(k->zone->current);
}

static uint32_t serial_of(const struct kept *k)
{
	return k->zone->current->serial;
}

static void assert_chain(const struct kept *k, enum denial denial, bool opt_out)
{
	const struct version *v = k->zone->current;
	ck_assert_int_eq(v->denial, denial);
	ck_assert_uint_eq(kept_set(k, "@", "NSEC") != NULL, denial == DENIAL_NSEC);
	ck_assert_uint_eq(kept_set(k, "@", "NSEC3PARAM") != NULL, denial == DENIAL_NSEC3);
	if (denial == DENIAL_NSEC3) {
		ck_assert_uint_eq(nsec3_opts_out(k->zone->current), opt_out);
	}
	kept_assert_valid(k, START);
}

START_TEST(a_client_chooses)
{
	struct kept k;
	start(&k, "denial: nsec");
	uint32_t serial = serial_of(&k);
	ck_assert_uint_eq(
		kept_update_one(&k, START, "add @ 0 NSEC3PARAM 1 0 0 -\nadd a 60 A 192.0.2.1\n"),
		RCODE_NOERROR);
	assert_chain(&k, DENIAL_NSEC3, false);
	ck_assert_ptr_nonnull(kept_set(&k, "a", "A"));
	ck_assert_uint_eq(serial_of(&k), serial + 1);
	/* The opt-out alone is another. */
	ck_assert_uint_eq(kept_update_one(&k, START, "add @ 0 NSEC3PARAM 1 1 0 -\n"),
			  RCODE_NOERROR);
	assert_chain(&k, DENIAL_NSEC3, true);
	ck_assert_uint_eq(serial_of(&k), serial + 2);
	ck_assert_uint_eq(kept_update_one(&k, START, "add @ 0 NSEC3PARAM 1 0 0 -\n"),
			  RCODE_NOERROR);
	assert_chain(&k, DENIAL_NSEC3, false);
	/* Another salt. */
	ck_assert_uint_eq(kept_update_one(&k, START, "add @ 0 NSEC3PARAM 1 0 0 ABCD\n"),
			  RCODE_NOERROR);
	assert_chain(&k, DENIAL_NSEC3, false);
	ck_assert_uint_eq(k.zone->current->nsec3_param.salt_len, 2);
	/* No change, no new serial. */
	serial = serial_of(&k);
	ck_assert_uint_eq(kept_update_one(&k, START, "add @ 0 NSEC3PARAM 1 0 0 ABCD\n"),
			  RCODE_NOERROR);
	ck_assert_uint_eq(serial_of(&k), serial);
	/* What else is at the apex may go; the chain stays. */
	ck_assert_uint_eq(kept_update_one(&k, START, "del @\n"), RCODE_NOERROR);
	assert_chain(&k, DENIAL_NSEC3, false);
	ck_assert_uint_eq(kept_update_one(&k, START, "del @ NSEC3PARAM\n"), RCODE_NOERROR);
	assert_chain(&k, DENIAL_NSEC, false);
	kept_close(&k);
}
END_TEST

/* Several in one group: the last counts, and what cannot be is none. */
START_TEST(several_choose)
{
	static const char *const messages[] = { "add @ 0 NSEC3PARAM 1 1 0 -\n",
						"add @ 0 NSEC3PARAM 1 0 0 AB\n",
						"add @ 0 NSEC3PARAM 1 0 1 CD\n" };
	struct kept k;
	start(&k, "denial: nsec");
	const uint32_t serial = serial_of(&k);
	kept_update(&k, START, messages, ARRAY_LEN(messages));
	ck_assert_uint_eq(kept_rcodes[0], RCODE_NOERROR);
	ck_assert_uint_eq(kept_rcodes[1], RCODE_NOERROR);
	ck_assert_uint_eq(kept_rcodes[2], RCODE_REFUSED);
	assert_chain(&k, DENIAL_NSEC3, false);
	ck_assert_uint_eq(k.zone->current->nsec3_param.salt[0], 0xab);
	ck_assert_uint_eq(serial_of(&k), serial + 1);
	kept_close(&k);
}
END_TEST

START_TEST(what_is_refused)
{
	static const char *const refused[] = { "add @ 0 NSEC3PARAM 1 0 1 -\n",
					       "add @ 0 NSEC3PARAM 2 0 0 -\n",
					       "add a 0 NSEC3PARAM 1 0 0 -\n",
					       "add @ 3600 CDS 0 0 0 00\n", "del @ DNSKEY\n" };
	struct kept k;
	start(&k, "denial: nsec");
	const uint32_t serial = serial_of(&k);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		ck_assert_uint_eq(kept_update_one(&k, START, refused[i]), RCODE_REFUSED);
	}
	kept_reconfigure(&k, kept_config(ZONE, "denial: nsec, update-nsec3param: no"));
	ck_assert_uint_eq(kept_update_one(&k, START, "add @ 0 NSEC3PARAM 1 0 0 -\n"),
			  RCODE_REFUSED);
	ck_assert_uint_eq(serial_of(&k), serial);
	kept_close(&k);
}
END_TEST

/* Over restarts, until the configuration has another than it had. */
START_TEST(the_choice_holds_until_the_policy_changes)
{
	struct kept k;
	start(&k, "denial: nsec");
	ck_assert_uint_eq(kept_update_one(&k, START, "add @ 0 NSEC3PARAM 1 1 0 ABCD\n"),
			  RCODE_NOERROR);
	uint32_t serial = serial_of(&k);
	kept_restart(&k, k.config);
	kept_load(&k, START + HOUR);
	assert_chain(&k, DENIAL_NSEC3, true);
	ck_assert_uint_eq(serial_of(&k), serial);
	/* What else a policy has does not matter. */
	kept_reconfigure(&k, kept_config(ZONE, "denial: nsec, zonemd: sha384"));
	kept_run(&k, START + HOUR, NULL);
	assert_chain(&k, DENIAL_NSEC3, true);
	kept_reconfigure(&k, kept_config(ZONE, "denial: nsec3"));
	kept_run(&k, START + HOUR, NULL);
	assert_chain(&k, DENIAL_NSEC3, false);
	ck_assert_uint_eq(k.zone->current->nsec3_param.salt_len, 0);
	kept_reconfigure(&k, kept_config(ZONE, "denial: nsec"));
	kept_run(&k, START + HOUR, NULL);
	assert_chain(&k, DENIAL_NSEC, false);
	kept_close(&k);
}
END_TEST

/* Likewise when it changes while the server is down. */
START_TEST(a_policy_that_changed_meanwhile)
{
	struct kept k;
	start(&k, "denial: nsec");
	ck_assert_uint_eq(kept_update_one(&k, START, "add @ 0 NSEC3PARAM 1 0 0 ABCD\n"),
			  RCODE_NOERROR);
	kept_restart(&k, kept_config(ZONE, "denial: nsec3-opt-out"));
	kept_load(&k, START + HOUR);
	assert_chain(&k, DENIAL_NSEC3, true);
	kept_restart(&k, kept_config(ZONE, "denial: nsec"));
	kept_load(&k, START + HOUR);
	assert_chain(&k, DENIAL_NSEC, false);
	kept_close(&k);
}
END_TEST

START_TEST(policies_follow_each_other)
{
	static const char *const policies[] = { "denial: nsec", "denial: nsec3",
						"denial: nsec3-opt-out", "denial: nsec3",
						"denial: nsec" };
	struct kept k;
	start(&k, "denial: nsec3-opt-out");
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		kept_reconfigure(&k, kept_config(ZONE, policies[i]));
		kept_run(&k, START, NULL);
		assert_chain(&k, strstr(policies[i], "nsec3") != NULL ? DENIAL_NSEC3 : DENIAL_NSEC,
			     strstr(policies[i], "opt-out") != NULL);
	}
	kept_close(&k);
}
END_TEST

START_TEST(the_operator_chooses)
{
	struct kept k;
	struct errmsg em;
	int64_t due = INT64_MAX;
	struct journal_chain chain = { .denial = DENIAL_NSEC3,
				       .nsec3 = { .algorithm = NSEC3_SHA1, .iterations = 1 } };
	start(&k, "denial: nsec");
	ck_assert_int_eq(keeper_choose_chain(k.keeper, &k.env, &chain, START, &due, &em),
			 E_UNSUPPORTED);
	chain.nsec3.iterations = 0;
	ck_assert_int_eq(keeper_choose_chain(k.keeper, &k.env, &chain, START, &due, &em), E_OK);
	assert_chain(&k, DENIAL_NSEC3, false);
	ck_assert_int_lt(due, INT64_MAX);
	const uint32_t serial = serial_of(&k);
	ck_assert_int_eq(keeper_choose_chain(k.keeper, &k.env, &chain, START, &due, &em), E_OK);
	ck_assert_uint_eq(serial_of(&k), serial);
	kept_restart(&k, k.config);
	kept_load(&k, START);
	assert_chain(&k, DENIAL_NSEC3, false);
	chain.denial = DENIAL_NSEC;
	ck_assert_int_eq(keeper_choose_chain(k.keeper, &k.env, &chain, START, &due, &em), E_OK);
	assert_chain(&k, DENIAL_NSEC, false);
	kept_close(&k);
	kept_open(&k, "allow-update: any", "denial: nsec", JOURNAL);
	ck_assert_int_eq(keeper_choose_chain(k.keeper, &k.env, &chain, START, &due, &em), E_INVAL);
	kept_close(&k);
}
END_TEST

/* Keys of others may come and go, ours stay; and none comes that nobody signs with. */
START_TEST(keys_where_the_policy_has_it)
{
	static const char *const key =
		"DNSKEY 256 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+"
		"KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==";
	char message[300];
	struct kept k;
	start(&k, "denial: nsec, update-keys: yes");
	const unsigned keys = kept_set(&k, "@", "DNSKEY")->count;
	(void)snprintf(message, sizeof(message), "add @ 3600 %s\n", key);
	ck_assert_uint_eq(kept_update_one(&k, START, message), RCODE_NOERROR);
	ck_assert_uint_eq(kept_set(&k, "@", "DNSKEY")->count, keys + 1);
	kept_assert_valid(&k, START);
	(void)snprintf(message, sizeof(message), "del @ %s\n", key);
	ck_assert_uint_eq(kept_update_one(&k, START, message), RCODE_NOERROR);
	ck_assert_uint_eq(kept_update_one(&k, START, "del @ DNSKEY\ndel @ CDS\n"), RCODE_NOERROR);
	ck_assert_uint_eq(kept_set(&k, "@", "DNSKEY")->count, keys);
	ck_assert_ptr_nonnull(kept_set(&k, "@", "CDS"));
	kept_assert_valid(&k, START);
	ck_assert_uint_eq(kept_update_one(&k, START,
					  "add @ 3600 DNSKEY 256 3 15 "
					  "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n"),
			  RCODE_SERVFAIL);
	ck_assert_uint_eq(kept_set(&k, "@", "DNSKEY")->count, keys);
	kept_close(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("keeper_chain");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, kept_setup, kept_teardown);
	tcase_add_test(tc, a_client_chooses);
	tcase_add_test(tc, several_choose);
	tcase_add_test(tc, what_is_refused);
	tcase_add_test(tc, the_choice_holds_until_the_policy_changes);
	tcase_add_test(tc, a_policy_that_changed_meanwhile);
	tcase_add_test(tc, policies_follow_each_other);
	tcase_add_test(tc, the_operator_chooses);
	tcase_add_test(tc, keys_where_the_policy_has_it);
	return unit_run("server/keeper_chain", tc);
}

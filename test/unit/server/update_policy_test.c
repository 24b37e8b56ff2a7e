/* Which rule about updates is the first that is about a record, and which rules are refused with what words. */
#include "server/update_policy.h"
#include "test/unit/unit.h"
#include "zones/dns/rrtype.h"

static struct tsig_key keys[3];
static const struct acl_names known = { .keys = keys,
					.key_count = ARRAY_LEN(keys),
					.sig0_zone = (const uint8_t *)"\1z\7example" };
static struct arena arena;

static void name_of(const char *text, struct dname *out)
{
	ck_assert_int_eq(dname_from_text(out, text, strlen(text), dname_root, NULL), E_OK);
}

static void setup(void)
{
	static const char *const texts[] = { "ddns.key", "h.z.example", "other.key" };
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		struct dname name;
		name_of(texts[i], &name);
		ck_assert_int_eq(tsig_key_set(&keys[i], name.wire, "hmac-sha256", "secret", 6),
				 E_OK);
	}
}

static void teardown(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
		tsig_key_clear(&keys[i]);
	}
	arena_clear(&arena);
}

static const struct {
	const char *rules[3];
	const char *signer, *owner, *type;
	bool allowed;
	uint32_t most;
} table[] = {
	{ { NULL }, "ddns.key", "z.example", "A", false, 0 },
	/* The key. */
	{ { "grant ddns.key zonesub" }, "ddns.key", "a.z.example", "A", true, 0 },
	{ { "GRANT DDNS.Key. ZoneSub" }, "ddns.key", "a.z.example", "A", true, 0 },
	{ { "grant ddns.key zonesub" }, "other.key", "a.z.example", "A", false, 0 },
	{ { "grant * zonesub" }, "other.key", "a.z.example", "A", true, 0 },
	{ { "grant *.key zonesub" }, "other.key", "a.z.example", "A", true, 0 },
	{ { "grant *.key zonesub" }, "a.b.key", "a.z.example", "A", true, 0 },
	{ { "grant *.key zonesub" }, "key", "a.z.example", "A", false, 0 },
	{ { "grant *.key zonesub" }, "h.z.example", "a.z.example", "A", false, 0 },
	/* The owner. */
	{ { "grant * name a.z.example" }, "ddns.key", "A.z.example", "A", true, 0 },
	{ { "grant * name a.z.example" }, "ddns.key", "b.a.z.example", "A", false, 0 },
	{ { "grant * subdomain a.z.example" }, "ddns.key", "b.a.z.example", "A", true, 0 },
	{ { "grant * subdomain a.z.example" }, "ddns.key", "a.z.example", "A", true, 0 },
	{ { "grant * subdomain a.z.example" }, "ddns.key", "ba.z.example", "A", false, 0 },
	{ { "grant * wildcard *.a.z.example" }, "ddns.key", "b.a.z.example", "A", true, 0 },
	{ { "grant * wildcard *.a.z.example" }, "ddns.key", "c.b.a.z.example", "A", true, 0 },
	{ { "grant * wildcard *.a.z.example" }, "ddns.key", "a.z.example", "A", false, 0 },
	{ { "grant * zonesub" }, "ddns.key", "z.example", "A", true, 0 },
	{ { "grant * self" }, "h.z.example", "h.z.example", "A", true, 0 },
	{ { "grant * self . A" }, "h.z.example", "h.z.example", "A", true, 0 },
	{ { "grant * self" }, "h.z.example", "a.h.z.example", "A", false, 0 },
	{ { "grant * self" }, "h.z.example", "z.example", "A", false, 0 },
	{ { "grant * selfsub" }, "h.z.example", "a.h.z.example", "A", true, 0 },
	{ { "grant * selfsub" }, "h.z.example", "h.z.example", "A", true, 0 },
	{ { "grant * selfsub" }, "h.z.example", "z.example", "A", false, 0 },
	{ { "grant * selfwild" }, "h.z.example", "a.h.z.example", "A", true, 0 },
	{ { "grant * selfwild" }, "h.z.example", "h.z.example", "A", false, 0 },
	/* The type. */
	{ { "grant * zonesub A AAAA" }, "ddns.key", "a.z.example", "AAAA", true, 0 },
	{ { "grant * zonesub A AAAA" }, "ddns.key", "a.z.example", "TXT", false, 0 },
	{ { "grant * zonesub TYPE65280" }, "ddns.key", "a.z.example", "TYPE65280", true, 0 },
	{ { "grant * zonesub" }, "ddns.key", "z.example", "NS", false, 0 },
	{ { "grant * zonesub" }, "ddns.key", "z.example", "SOA", false, 0 },
	{ { "grant * zonesub" }, "ddns.key", "z.example", "RRSIG", false, 0 },
	{ { "grant * zonesub" }, "ddns.key", "z.example", "NSEC", false, 0 },
	{ { "grant * zonesub" }, "ddns.key", "z.example", "NSEC3", false, 0 },
	{ { "grant * zonesub" }, "ddns.key", "z.example", "DS", true, 0 },
	{ { "grant * zonesub NS" }, "ddns.key", "a.z.example", "NS", true, 0 },
	{ { "grant * zonesub ANY" }, "ddns.key", "z.example", "SOA", true, 0 },
	/* Counts: of the type itself before those of ANY. */
	{ { "grant * zonesub TXT(4)" }, "ddns.key", "a.z.example", "TXT", true, 4 },
	{ { "grant * zonesub A PTR(1) ANY(2)" }, "ddns.key", "a.z.example", "PTR", true, 1 },
	{ { "grant * zonesub ANY(2) PTR(1) A" }, "ddns.key", "a.z.example", "A", true, 0 },
	{ { "grant * zonesub A PTR(1) ANY(2)" }, "ddns.key", "a.z.example", "MX", true, 2 },
	{ { "grant * zonesub A(65535)" }, "ddns.key", "a.z.example", "A", true, 65535 },
	/* The first that is about it. */
	{ { "deny * name a.z.example", "grant * zonesub" },
	  "ddns.key",
	  "a.z.example",
	  "A",
	  false,
	  0 },
	{ { "grant * zonesub", "deny * name a.z.example" },
	  "ddns.key",
	  "a.z.example",
	  "A",
	  true,
	  0 },
	{ { "deny * name a.z.example TXT", "grant * zonesub" },
	  "ddns.key",
	  "a.z.example",
	  "A",
	  true,
	  0 },
	{ { "deny other.key zonesub", "grant * zonesub" },
	  "other.key",
	  "a.z.example",
	  "A",
	  false,
	  0 },
	/* What a rule without types is not about goes on to the next. */
	{ { "deny * zonesub", "grant ddns.key name z.example NS" },
	  "ddns.key",
	  "z.example",
	  "NS",
	  true,
	  0 },
	{ { "grant * name a.z.example TXT(2)", "grant * zonesub" },
	  "ddns.key",
	  "b.z.example",
	  "TXT",
	  true,
	  0 },
	{ { "\t grant  *\tname a.z.example   TXT " }, "ddns.key", "a.z.example", "TXT", true, 0 },
	/* KEY records of the zone, here with a sig0: in front, are no TSIG keys. */
	{ { "grant sig0:h.z.example self" }, "sig0:H.z.example", "h.z.example", "A", true, 0 },
	{ { "grant SIG0:h.z.example self" }, "sig0:h.z.example", "h.z.example", "A", true, 0 },
	{ { "grant sig0:h.z.example self" }, "sig0:g.z.example", "g.z.example", "A", false, 0 },
	{ { "grant sig0:h.z.example self" }, "h.z.example", "h.z.example", "A", false, 0 },
	{ { "grant h.z.example self" }, "sig0:h.z.example", "h.z.example", "A", false, 0 },
	{ { "grant sig0:nobody.z.example zonesub" },
	  "sig0:nobody.z.example",
	  "z.example",
	  "A",
	  true,
	  0 },
	{ { "grant sig0:*.example self" }, "sig0:h.z.example", "h.z.example", "A", true, 0 },
	{ { "grant sig0:* self A" }, "sig0:h.z.example", "h.z.example", "A", true, 0 },
	{ { "grant sig0:* self A" }, "h.z.example", "h.z.example", "A", false, 0 },
	{ { "grant sig0:*.z.example selfsub" }, "sig0:h.z.example", "a.h.z.example", "A", true, 0 },
	{ { "grant sig0:*.z.example selfsub" }, "sig0:z.example", "a.z.example", "A", false, 0 },
	{ { "grant * zonesub" }, "sig0:h.z.example", "h.z.example", "A", false, 0 },
	{ { "deny sig0:h.z.example zonesub", "grant sig0:* zonesub" },
	  "sig0:h.z.example",
	  "h.z.example",
	  "A",
	  false,
	  0 },
};

START_TEST(the_first_rule_counts)
{
	*arena_bytes(&arena, 1) = 0; /* rules must be aligned behind names */
	struct update_policy *p = update_policy_new(&arena);
	struct dname signer, zone, owner;
	struct errmsg em = { "" };
	struct update_wish wish = { .type = 0 };
	uint32_t most = 0;
	for (unsigned i = 0; i < 3 && table[_i].rules[i] != NULL; i++) {
		ck_assert_msg(update_policy_add(p, &arena, &known, table[_i].rules[i], &em) == E_OK,
			      "%s: %s", table[_i].rules[i], em.text);
	}
	wish.is_sig0 = strncmp(table[_i].signer, "sig0:", 5) == 0;
	name_of(table[_i].signer + (wish.is_sig0 ? 5 : 0), &signer);
	name_of("z.example", &zone);
	name_of(table[_i].owner, &owner);
	wish.signer = signer.wire;
	wish.zone = zone.wire;
	wish.owner = owner.wire;
	ck_assert_int_eq(rrtype_from_text(table[_i].type, strlen(table[_i].type), &wish.type),
			 E_OK);
	ck_assert_int_eq(update_policy_allows(p, &wish, &most), table[_i].allowed);
	if (table[_i].allowed) {
		ck_assert_uint_eq(most, table[_i].most);
	}
}
END_TEST

START_TEST(signatures_that_matter)
{
	struct update_policy *p = update_policy_new(&arena);
	struct dname host, other;
	struct errmsg em;
	name_of("h.z.example", &host);
	name_of("g.z.example", &other);
	ck_assert_int_eq(update_policy_add(p, &arena, &known, "grant * zonesub", &em), E_OK);
	ck_assert_int_eq(update_policy_add(p, &arena, &known, "grant h.z.example self", &em), E_OK);
	ck_assert(!update_policy_knows_sig0(p, host.wire));
	ck_assert_int_eq(update_policy_add(p, &arena, &known, "deny sig0:h.z.example self", &em),
			 E_OK);
	ck_assert(update_policy_knows_sig0(p, host.wire));
	ck_assert(!update_policy_knows_sig0(p, other.wire));
	ck_assert_int_eq(update_policy_add(p, &arena, &known, "grant sig0:*.z.example self", &em),
			 E_OK);
	ck_assert(update_policy_knows_sig0(p, other.wire));
}
END_TEST

static const struct {
	const char *rule, *said;
} broken[] = {
	{ "", "found the end of the rule, expected grant or deny" },
	{ "garnt ddns.key zonesub",
	  "found \"garnt\", expected grant or deny; did you mean \"grant\"?" },
	{ "permit ddns.key", "found \"permit\", expected grant or deny" },
	{ "grant", "found the end of the rule, expected the name of a key, or \"*\" for any key" },
	{ "grant sig0: zonesub",
	  "found the end of the rule, expected the name of a KEY record behind \"sig0:\", or \"*\" "
	  "for any in the zone" },
	{ "grant sig0:a..b zonesub",
	  "found an empty label in \"a..b\", expected a label before each dot" },
	{ "grant sig0:h.y.example zonesub",
	  "found \"h.y.example\", which is outside the zone, so it has no KEY records here" },
	{ "grant sig0:*.y.example zonesub",
	  "found \"*.y.example\", which is outside the zone, so it has no KEY records here" },
	{ "grant ddsn.key zonesub", "there is no key \"ddsn.key\"; did you mean \"ddns.key\"?" },
	{ "grant nobody zonesub", "there is no key \"nobody\"; define it below \"keys\"" },
	{ "grant a..b zonesub",
	  "found an empty label in \"a..b\", expected a label before each dot" },
	{ "grant *",
	  "found the end of the rule, expected name, subdomain, wildcard, zonesub, self, selfsub or "
	  "selfwild" },
	{ "grant * subdomian a",
	  "found \"subdomian\", expected name, subdomain, wildcard, zonesub, self, selfsub or "
	  "selfwild; did you mean \"subdomain\"?" },
	{ "grant * name", "found the end of the rule, expected the name that the rule is about" },
	{ "grant * wildcard a.z.example",
	  "found \"a.z.example\", expected a wildcard such as *.example.com" },
	{ "grant * zonesub z.example",
	  "found \"z.example\", expected a type of records such as A, TXT(4) or ANY" },
	{ "grant * name a.z.example A,AAAA",
	  "found \"A,AAAA\", expected a type of records such as A, TXT(4) or ANY" },
	{ "grant * zonesub AXFR",
	  "found \"AXFR\", expected a type of records such as A, TXT(4) or ANY" },
	{ "grant * zonesub TXT(0)",
	  "found \"TXT(0)\", expected a count from 1 to 65535 in parentheses behind the type" },
	{ "grant * zonesub TXT(65536)",
	  "found \"TXT(65536)\", expected a count from 1 to 65535 in parentheses behind the type" },
	{ "grant * zonesub TXT(1",
	  "found \"TXT(1\", expected a count from 1 to 65535 in parentheses behind the type" },
	{ "grant * zonesub TXT(1)x",
	  "found \"TXT(1)x\", expected a count from 1 to 65535 in parentheses behind the type" },
	{ "grant * zonesub TXT()",
	  "found \"TXT()\", expected a count from 1 to 65535 in parentheses behind the type" },
	{ "deny * zonesub TXT(1)", "found \"TXT(1)\"; a rule that denies has no counts" },
};

START_TEST(broken_rules_are_explained)
{
	*arena_bytes(&arena, 1) = 0; /* rules must be aligned behind names */
	struct update_policy *p = update_policy_new(&arena);
	struct errmsg em = { "" };
	ck_assert_int_lt(update_policy_add(p, &arena, &known, broken[_i].rule, &em), 0);
	ck_assert_str_eq(em.text, broken[_i].said);
}
END_TEST

START_TEST(types_are_bounded)
{
	*arena_bytes(&arena, 1) = 0; /* rules must be aligned behind names */
	struct update_policy *p = update_policy_new(&arena);
	struct buf b = { 0 };
	struct errmsg em = { "" };
	buf_str(&b, "grant * zonesub");
	for (unsigned i = 0; i < UPDATE_POLICY_TYPES_MAX; i++) {
		buf_str(&b, " A");
	}
	ck_assert_int_eq(update_policy_add(p, &arena, &known, b.data, &em), E_OK);
	buf_str(&b, " A");
	ck_assert_int_eq(update_policy_add(p, &arena, &known, b.data, &em), E_LIMIT);
	buf_clear(&b);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("update_policy");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, the_first_rule_counts, 0, (int)ARRAY_LEN(table));
	tcase_add_loop_test(tc, broken_rules_are_explained, 0, (int)ARRAY_LEN(broken));
	tcase_add_test(tc, signatures_that_matter);
	tcase_add_test(tc, types_are_bounded);
	return unit_run("server/update_policy", tc);
}

/* Who is allowed by which rules. */
#include "server/acl.h"
#include "test/unit/unit.h"

static struct tsig_key keys[2];
static const struct tsig_key *office_keys[] = { &keys[0] };
static struct address_network office_networks[1];
static const struct acl_remote remotes[] = {
	{ .name = "office",
	  .networks = office_networks,
	  .network_count = 1,
	  .keys = office_keys,
	  .key_count = 1 },
	{ .name = "signer", .keys = office_keys, .key_count = 1 },
	{ .name = "there", .networks = office_networks, .network_count = 1 },
	{ .name = "ns2", .tls_names = { (const uint8_t *)"\1a\7example\0\1b\7example", 22 } },
	{ .name = "ns3",
	  .networks = office_networks,
	  .network_count = 1,
	  .keys = office_keys,
	  .key_count = 1,
	  .tls_names = { (const uint8_t *)"\1c\7example", 11 } },
};
static const struct acl_names known = { keys, 2, remotes, ARRAY_LEN(remotes), dname_root, true };

static void setup(void)
{
	struct dname name;
	ck_assert_int_eq(address_network_from_text(&office_networks[0], "192.0.2.0/24", 12, NULL),
			 E_OK);
	for (unsigned i = 0; i < 2; i++) {
		const char *text = i == 0 ? "k.example" : "other.example";
		ck_assert_int_eq(dname_from_text(&name, text, strlen(text), dname_root, NULL),
				 E_OK);
		ck_assert_int_eq(tsig_key_set(&keys[i], name.wire, "hmac-sha256", "secret", 6),
				 E_OK);
	}
}

static void teardown(void)
{
	tsig_key_clear(&keys[0]);
	tsig_key_clear(&keys[1]);
}

static const struct {
	const char *rules[4];
	const char *ip;
	int key; /* -1: none */
	bool allowed;
} table[] = {
	{ { NULL }, "192.0.2.1", 0, false },
	{ { "any" }, "192.0.2.1", -1, true },
	{ { "key k.example" }, "192.0.2.1", 0, true },
	{ { "key K.Example." }, "192.0.2.1", 0, true },
	{ { "key k.example" }, "192.0.2.1", 1, false },
	{ { "key k.example" }, "192.0.2.1", -1, false },
	{ { "192.0.2.0/24" }, "192.0.2.1", -1, true },
	{ { "192.0.2.0/24" }, "192.0.3.1", -1, false },
	{ { "192.0.2.1" }, "192.0.2.1", 1, true },
	{ { "2001:db8::/32" }, "2001:db8::1", -1, true },
	{ { "2001:db8::/32" }, "192.0.2.1", -1, false },
	/* Deny wins, wherever it stands. */
	{ { "192.0.2.0/24", "deny 192.0.2.1" }, "192.0.2.1", -1, false },
	{ { "deny 192.0.2.1", "192.0.2.0/24" }, "192.0.2.1", -1, false },
	{ { "deny 192.0.2.1", "192.0.2.0/24" }, "192.0.2.2", -1, true },
	{ { "any", "deny key other.example" }, "192.0.2.2", 1, false },
	{ { "any", "deny key other.example" }, "192.0.2.2", 0, true },
	{ { "deny any", "any" }, "192.0.2.2", 0, false },
	{ { "deny 192.0.2.1" }, "192.0.2.2", 0, false },
	/* What a remote has must be right, all of it. */
	{ { "remote office" }, "192.0.2.1", 0, true },
	{ { "remote office" }, "192.0.2.1", 1, false },
	{ { "remote office" }, "192.0.2.1", -1, false },
	{ { "remote office" }, "192.0.3.1", 0, false },
	{ { "remote signer" }, "192.0.3.1", 0, true },
	{ { "remote signer" }, "192.0.3.1", -1, false },
	{ { "remote there" }, "192.0.2.9", -1, true },
	{ { "remote there" }, "192.0.3.9", 0, false },
	{ { "any", "deny remote there" }, "192.0.2.9", 0, false },
	{ { "any", "deny remote there" }, "192.0.3.9", 0, true },
};

START_TEST(rules_allow_and_deny)
{
	struct arena arena = { 0 };
	*arena_bytes(&arena, 1) = 0; /* rules must be aligned behind names */
	struct acl *acl = acl_new(&arena);
	struct address a;
	struct errmsg em;
	for (unsigned i = 0; i < 4 && table[_i].rules[i] != NULL; i++) {
		ck_assert_int_eq(acl_add(acl, &arena, &known, table[_i].rules[i], &em), E_OK);
	}
	ck_assert_int_eq(address_from_text(&a, table[_i].ip, strlen(table[_i].ip), 53, &em), E_OK);
	const struct address_ip ip = address_ip_of(&a.any);
	const struct acl_client client = { .ip = &ip,
					   .key = table[_i].key >= 0 ? &keys[table[_i].key]
								     : NULL };
	ck_assert_int_eq(acl_allows(acl, &client), table[_i].allowed);
	ck_assert(!acl_allows(NULL, &client));
	arena_clear(&arena);
}
END_TEST

/* KEY records are no TSIG keys, whatever their names are. */
static const struct {
	const char *rules[2];
	int key; /* -1: none */
	const char *sig0;
	bool allowed;
} sig0_table[] = {
	{ { "sig0 k.example" }, -1, "\1k\7example", true },
	{ { "sig0 K.Example." }, -1, "\1k\7eXample", true },
	{ { "sig0 k.example" }, -1, "\1a\1k\7example", false },
	{ { "sig0 k.example" }, -1, NULL, false },
	{ { "sig0 k.example" }, 0, NULL, false },
	{ { "key k.example" }, -1, "\1k\7example", false },
	{ { "any", "deny sig0 k.example" }, -1, "\1k\7example", false },
	{ { "any", "deny sig0 k.example" }, 0, NULL, true },
	{ { "any", "deny key k.example" }, -1, "\1k\7example", true },
	{ { "remote signer" }, -1, "\1k\7example", false },
};

START_TEST(key_records)
{
	struct arena arena = { 0 };
	*arena_bytes(&arena, 1) = 0; /* rules must be aligned behind names */
	struct acl *acl = acl_new(&arena);
	const struct address_ip ip = { .len = 4, .octet = { 192, 0, 2, 1 } };
	const struct acl_client client = { .ip = &ip,
					   .key = sig0_table[_i].key >= 0
							  ? &keys[sig0_table[_i].key]
							  : NULL,
					   .sig0 = (const uint8_t *)sig0_table[_i].sig0 };
	struct errmsg em;
	for (unsigned i = 0; i < 2 && sig0_table[_i].rules[i] != NULL; i++) {
		ck_assert_int_eq(acl_add(acl, &arena, &known, sig0_table[_i].rules[i], &em), E_OK);
	}
	ck_assert_int_eq(acl_allows(acl, &client), sig0_table[_i].allowed);
	arena_clear(&arena);
}
END_TEST

/* Names are those of the certificate that was shown: 11 octets each. */
static const struct {
	const char *rules[2];
	const char *ip;
	int key; /* -1: none */
	const char *names;
	size_t count;
	bool allowed;
} tls_table[] = {
	{ { "tls a.example" }, "192.0.2.1", -1, "\1a\7example", 1, true },
	{ { "tls A.example." }, "192.0.2.1", -1, "\1a\7eXample", 1, true },
	{ { "tls b.example" }, "192.0.2.1", -1, "\1a\7example\0\1b\7example", 2, true },
	{ { "tls c.example" }, "192.0.2.1", -1, "\1a\7example\0\1b\7example", 2, false },
	{ { "tls a.example" }, "192.0.2.1", -1, "\1*\7example", 1, false },
	{ { "tls a.example" }, "192.0.2.1", 0, NULL, 0, false },
	{ { "tls k.example" }, "192.0.2.1", 0, "\1a\7example", 1, false },
	{ { "key k.example" }, "192.0.2.1", -1, "\1k\7example", 1, false },
	{ { "sig0 k.example" }, "192.0.2.1", -1, "\1k\7example", 1, false },
	{ { "any", "deny tls b.example" }, "192.0.2.1", 0, "\1a\7example\0\1b\7example", 2, false },
	{ { "any", "deny tls b.example" }, "192.0.2.1", 0, "\1a\7example", 1, true },
	{ { "remote ns2" }, "192.0.3.1", -1, "\1b\7example", 1, true },
	{ { "remote ns2" }, "192.0.3.1", 0, "\1c\7example", 1, false },
	{ { "remote ns2" }, "192.0.3.1", 0, NULL, 0, false },
	/* What a remote has must be right, all of it. */
	{ { "remote ns3" }, "192.0.2.1", 0, "\1c\7example", 1, true },
	{ { "remote ns3" }, "192.0.3.1", 0, "\1c\7example", 1, false },
	{ { "remote ns3" }, "192.0.2.1", -1, "\1c\7example", 1, false },
	{ { "remote ns3" }, "192.0.2.1", 0, "\1b\7example", 1, false },
};

START_TEST(certificates)
{
	struct arena arena = { 0 };
	*arena_bytes(&arena, 1) = 0; /* rules must be aligned behind names */
	struct acl *acl = acl_new(&arena);
	struct address a;
	struct errmsg em;
	for (unsigned i = 0; i < 2 && tls_table[_i].rules[i] != NULL; i++) {
		ck_assert_int_eq(acl_add(acl, &arena, &known, tls_table[_i].rules[i], &em), E_OK);
	}
	ck_assert_int_eq(address_from_text(&a, tls_table[_i].ip, strlen(tls_table[_i].ip), 53, &em),
			 E_OK);
	const struct address_ip ip = address_ip_of(&a.any);
	const struct acl_client client = {
		.ip = &ip,
		.key = tls_table[_i].key >= 0 ? &keys[tls_table[_i].key] : NULL,
		.names = { (const uint8_t *)tls_table[_i].names, 11 * tls_table[_i].count }
	};
	ck_assert_int_eq(acl_allows(acl, &client), tls_table[_i].allowed);
	arena_clear(&arena);
}
END_TEST

START_TEST(certificates_are_asked_for)
{
	struct arena arena = { 0 };
	struct acl *acl = acl_new(&arena);
	struct acl_names names = known;
	struct errmsg em = { "" };
	names.has_tls = false;
	ck_assert_int_eq(acl_add(acl, &arena, &names, "tls a.example", &em), E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(em.text, "set server.tls-client-ca"));
	arena_clear(&arena);
}
END_TEST

START_TEST(key_records_are_for_updates)
{
	struct arena arena = { 0 };
	struct acl *acl = acl_new(&arena);
	struct acl_names names = known;
	struct errmsg em = { "" };
	names.sig0_zone = NULL;
	ck_assert_int_eq(acl_add(acl, &arena, &names, "sig0 k.example", &em), E_UNSUPPORTED);
	ck_assert_str_eq(em.text, "found a rule with \"sig0\", which is for updates made here; use "
				  "\"key NAME\"");
	names.sig0_zone = (const uint8_t *)"\1z";
	ck_assert_int_eq(acl_add(acl, &arena, &names, "sig0 h.z", &em), E_OK);
	ck_assert_int_eq(acl_add(acl, &arena, &names, "sig0 z", &em), E_OK);
	ck_assert_int_eq(acl_add(acl, &arena, &names, "sig0 h.y", &em), E_NOTZONE);
	ck_assert_str_eq(em.text,
			 "found \"h.y\", which is outside the zone, so it has no KEY records here");
	arena_clear(&arena);
}
END_TEST

START_TEST(signatures_that_matter)
{
	struct arena arena = { 0 };
	struct acl *acl = acl_new(&arena);
	struct errmsg em;
	ck_assert_int_eq(acl_add(acl, &arena, &known, "key k.example", &em), E_OK);
	ck_assert_int_eq(acl_add(acl, &arena, &known, "any", &em), E_OK);
	ck_assert(!acl_knows_sig0(acl, (const uint8_t *)"\1k\7example"));
	ck_assert_int_eq(acl_add(acl, &arena, &known, "deny sig0 k.example", &em), E_OK);
	ck_assert(acl_knows_sig0(acl, (const uint8_t *)"\1K\7example"));
	ck_assert(!acl_knows_sig0(acl, (const uint8_t *)"\1l\7example"));
	ck_assert(!acl_knows_sig0(NULL, (const uint8_t *)"\1k\7example"));
	arena_clear(&arena);
}
END_TEST

static const char *const broken[] = { "",
				      "all",
				      "key",
				      "key ",
				      "key a..b",
				      "sig0",
				      "sig0 ",
				      "sig0 a..b",
				      "tls",
				      "tls a..b",
				      "tls *.example",
				      "key nobody.example",
				      "remote",
				      "remote Office",
				      "remote nobody",
				      "192.0.2.256",
				      "192.0.2.0/33",
				      "deny",
				      "deny deny any",
				      "any any",
				      "Any" };

START_TEST(broken_rules_are_refused)
{
	struct arena arena = { 0 };
	*arena_bytes(&arena, 1) = 0; /* rules must be aligned behind names */
	struct acl *acl = acl_new(&arena);
	struct errmsg em = { "" };
	ck_assert_int_lt(acl_add(acl, &arena, &known, broken[_i], &em), 0);
	ck_assert_str_ne(em.text, "");
	arena_clear(&arena);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("acl");
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, rules_allow_and_deny, 0, (int)ARRAY_LEN(table));
	tcase_add_loop_test(tc, key_records, 0, (int)ARRAY_LEN(sig0_table));
	tcase_add_loop_test(tc, certificates, 0, (int)ARRAY_LEN(tls_table));
	tcase_add_test(tc, certificates_are_asked_for);
	tcase_add_test(tc, key_records_are_for_updates);
	tcase_add_test(tc, signatures_that_matter);
	tcase_add_loop_test(tc, broken_rules_are_refused, 0, (int)ARRAY_LEN(broken));
	return unit_run("server/acl", tc);
}

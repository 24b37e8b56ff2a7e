/* test/unit/server/cookie_test.c - RFC 9018 appendix A, and what a cookie must not survive. */
#include "server/cookie.h"
#include "test/unit/unit.h"
#include "zones/base/text.h"
#include "zones/base/wire.h"

static struct crypto_siphash *hasher;

static void set_up(void)
{
	ck_assert_int_eq(crypto_siphash_new(&hasher), E_OK);
}

static void tear_down(void)
{
	crypto_siphash_free(hasher);
}

static struct cookie_secrets secrets_of(const char *text)
{
	struct cookie_secrets s;
	struct errmsg em = { "" };
	ck_assert_msg(cookie_secrets_from_text(&s, text, strlen(text), &em) == E_OK, "%s", em.text);
	return s;
}

static struct address_ip client_of(const char *text)
{
	struct address_ip c = { .len = 4 };
	if (strchr(text, ':') != NULL) {
		c.len = 16;
		ck_assert_int_eq(text_to_ipv6(text, strlen(text), c.octet), E_OK);
	} else {
		ck_assert_int_eq(text_to_ipv4(text, strlen(text), c.octet), E_OK);
	}
	return c;
}

static size_t octets_of(const char *hex, uint8_t *out, size_t room)
{
	int len = text_from_hex(hex, strlen(hex), out, room);
	ck_assert_int_ge(len, 0);
	return (size_t)len;
}

struct vector {
	const char *secrets;
	const char *client;
	const char *query;
	int64_t now;
	enum cookie_state state;
	const char *response;
};

#define SECRET	   "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define OLD_SECRET "dd3bdf9344b678b185a6f5cb60fca715"
#define NEW_SECRET "445536bcd2513298075a5d379663c962"

static const struct vector vectors[] = {
	/* A.1: learning a new server cookie */
	{ SECRET, "198.51.100.100", "2464c4abcf10c957", 1559731985, COOKIE_CLIENT,
	  "2464c4abcf10c957010000005cf79f111f8130c3eee29480" },
	/* A.2: the same client learning a renewed one */
	{ SECRET, "198.51.100.100", "2464c4abcf10c957010000005cf79f111f8130c3eee29480", 1559734385,
	  COOKIE_GOOD, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77" },
	/* A.3: another client, with the reserved octets set. It is 6715 seconds old, so it is not in the hour
	 * that §4.3 allows, though the text of the example calls it valid; the answer has the cookie that
	 * the example has. */
	{ SECRET, "203.0.113.203", "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559734700,
	  COOKIE_BAD, "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e" },
	/* ... and while it was young */
	{ SECRET, "203.0.113.203", "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559727985,
	  COOKIE_GOOD, NULL },
	/* A.4: IPv6 with a secret that was rolled */
	{ NEW_SECRET "\n" OLD_SECRET, "2001:db8:220:1:59de:d0f4:8769:82b8",
	  "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961, COOKIE_GOOD,
	  "22681ab97d52c298010000005cf7c609a6bb79d16625507a" },
	/* ... and before and after that */
	{ OLD_SECRET, "2001:db8:220:1:59de:d0f4:8769:82b8",
	  "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961, COOKIE_GOOD,
	  "22681ab97d52c298010000005cf7c57926556bd0934c72f8" },
	{ NEW_SECRET, "2001:db8:220:1:59de:d0f4:8769:82b8",
	  "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961, COOKIE_BAD,
	  "22681ab97d52c298010000005cf7c609a6bb79d16625507a" },
	/* the cookie of A.1 from elsewhere */
	{ SECRET, "198.51.100.101", "2464c4abcf10c957010000005cf79f111f8130c3eee29480", 1559731986,
	  COOKIE_BAD, NULL },
};

START_TEST(vectors_of_rfc_9018)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		const struct cookie_secrets secrets = secrets_of(v->secrets);
		const struct address_ip client = client_of(v->client);
		const struct cookie_maker m = { hasher, &secrets, v->now };
		uint8_t query[64], want[COOKIE_LEN], got[COOKIE_LEN];
		size_t len = octets_of(v->query, query, sizeof(query));
		ck_assert_msg(cookie_check(&m, &client, query, len, got) == v->state, "row %zu", i);
		if (v->response != NULL) {
			octets_of(v->response, want, sizeof(want));
			ck_assert_msg(memcmp(got, want, sizeof(want)) == 0, "row %zu", i);
		}
	}
}
END_TEST

START_TEST(lengths)
{
	const struct cookie_secrets secrets = secrets_of(SECRET);
	const struct address_ip client = client_of("192.0.2.1");
	const struct cookie_maker m = { hasher, &secrets, 1000000000 };
	static const uint8_t data[64];
	for (size_t len = 0; len <= sizeof(data); len++) {
		uint8_t out[COOKIE_LEN];
		enum cookie_state want = len < 8    ? COOKIE_MALFORMED
					 : len == 8 ? COOKIE_CLIENT
					 : len < 16 ? COOKIE_MALFORMED
					 : len > 40 ? COOKIE_MALFORMED
						    : COOKIE_BAD;
		ck_assert_int_eq(cookie_check(&m, &client, data, len, out), want);
		if (want != COOKIE_MALFORMED) {
			uint8_t again[COOKIE_LEN];
			ck_assert_int_eq(cookie_check(&m, &client, out, COOKIE_LEN, again),
					 COOKIE_GOOD);
			ck_assert_mem_eq(out, again, COOKIE_LEN);
		}
	}
}
END_TEST

/* A cookie over its life, also where 32 bits of seconds come round. */
START_TEST(ages)
{
	static const int64_t made[] = { 1000000000, (int64_t)1 << 31, ((int64_t)1 << 32) - 1,
					((int64_t)1 << 32) + 100 };
	const struct cookie_secrets secrets = secrets_of(SECRET);
	const struct address_ip client = client_of("2001:db8::1");
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		struct cookie_maker m = { hasher, &secrets, made[i] };
		uint8_t cookie[COOKIE_LEN];
		(void)cookie_check(&m, &client, (const uint8_t *)"12345678", 8, cookie);
		for (int64_t s = -1000; s < 5000; s++) {
			uint8_t out[COOKIE_LEN];
			bool good = s >= -300 && s <= 3600;
			m.now = made[i] + s;
			ck_assert_int_eq(cookie_check(&m, &client, cookie, COOKIE_LEN, out),
					 good ? COOKIE_GOOD : COOKIE_BAD);
			bool is_same = memcmp(out, cookie, COOKIE_LEN) == 0;
			ck_assert_int_eq(is_same, (good && s <= 1800) || s == 0);
			m.now = made[i] + s;
			uint8_t again[COOKIE_LEN];
			ck_assert_int_eq(cookie_check(&m, &client, out, COOKIE_LEN, again),
					 COOKIE_GOOD);
		}
	}
}
END_TEST

/* No bit may be another. */
START_TEST(forgeries)
{
	const struct cookie_secrets secrets = secrets_of(SECRET);
	struct address_ip client = client_of("192.0.2.1");
	const struct cookie_maker m = { hasher, &secrets, 1000000000 };
	uint8_t cookie[COOKIE_LEN], out[COOKIE_LEN];
	(void)cookie_check(&m, &client, (const uint8_t *)"12345678", 8, cookie);
	for (size_t bit = 0; bit < (size_t)COOKIE_LEN * 8; bit++) {
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(cookie_check(&m, &client, cookie, COOKIE_LEN, out), COOKIE_BAD);
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < (size_t)client.len * 8; bit++) {
		client.octet[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(cookie_check(&m, &client, cookie, COOKIE_LEN, out), COOKIE_BAD);
		client.octet[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(cookie_check(&m, &client, cookie, COOKIE_LEN, out), COOKIE_GOOD);
}
END_TEST

START_TEST(texts_of_secrets)
{
	static const struct {
		const char *text;
		int err;
		unsigned count;
		const char *says;
	} rows[] = {
		{ SECRET, E_OK, 1, "" },
		{ "# first\n\n  " SECRET "  # makes\r\n" OLD_SECRET "\n", E_OK, 2, "" },
		{ SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n", E_OK, 4, "" },
		{ SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n", E_LIMIT, 0,
		  "line 5" },
		{ "", E_NOENT, 0, "no secret" },
		{ "# none\n", E_NOENT, 0, "no secret" },
		{ SECRET "0\n", E_SYNTAX, 0, "line 1" },
		{ "\ne5e973e5a6b2a43f48e7dc849e37bf\n", E_SYNTAX, 0, "line 2" },
		{ "g5e973e5a6b2a43f48e7dc849e37bfcf", E_SYNTAX, 0, "line 1" },
		{ SECRET " " SECRET, E_SYNTAX, 0, "line 1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cookie_secrets s = { .count = 77 };
		struct errmsg em = { "" };
		ck_assert_int_eq(
			cookie_secrets_from_text(&s, rows[i].text, strlen(rows[i].text), &em),
			rows[i].err);
		ck_assert_uint_eq(s.count, rows[i].err == E_OK ? rows[i].count : 77);
		ck_assert_msg(strstr(em.text, rows[i].says) != NULL, "row %zu: %s", i, em.text);
	}
	struct cookie_secrets s = secrets_of(rows[1].text);
	uint8_t first[COOKIE_SECRET_LEN];
	octets_of(SECRET, first, sizeof(first));
	ck_assert_mem_eq(s.secret[0], first, sizeof(first));
}
END_TEST

START_TEST(files_of_secrets)
{
	char path[] = "/tmp/signet-cookie-XXXXXX";
	struct cookie_secrets s;
	struct errmsg em = { "" };
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	FILE *f = fdopen(fd, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(SECRET "\n", f);
	(void)fclose(f);
	ck_assert_int_eq(cookie_secrets_read(&s, path, &em), E_OK);
	ck_assert_uint_eq(s.count, 1);
	f = fopen(path, "w");
	(void)fputs("nonsense\n", f);
	(void)fclose(f);
	ck_assert_int_eq(cookie_secrets_read(&s, path, &em), E_SYNTAX);
	ck_assert_ptr_nonnull(strstr(em.text, path));
	(void)remove(path);
	ck_assert_int_eq(cookie_secrets_read(&s, path, &em), E_NOENT);
	ck_assert_ptr_nonnull(strstr(em.text, path));
}
END_TEST

START_TEST(random_secrets_differ)
{
	struct cookie_secrets a, b;
	ck_assert_int_eq(cookie_secrets_random(&a), E_OK);
	ck_assert_int_eq(cookie_secrets_random(&b), E_OK);
	ck_assert_uint_eq(a.count, 1);
	ck_assert_mem_ne(a.secret[0], b.secret[0], COOKIE_SECRET_LEN);
	cookie_secrets_clear(&a);
	ck_assert(unit_all_equal(&a, sizeof(a), 0));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("cookie");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, vectors_of_rfc_9018);
	tcase_add_test(tc, lengths);
	tcase_add_test(tc, ages);
	tcase_add_test(tc, forgeries);
	tcase_add_test(tc, texts_of_secrets);
	tcase_add_test(tc, files_of_secrets);
	tcase_add_test(tc, random_secrets_differ);
	return unit_run("server/cookie", tc);
}

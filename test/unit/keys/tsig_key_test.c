/* test/unit/keys/tsig_key_test.c - TSIG keys: algorithms, and the text of a new key. */
#include "keys/tsig_key.h"

#include "test/unit/unit.h"
#include "zones/base/text.h"

/* RFC 8945 §6: names and the sizes of their MACs. */
static const struct {
	const char *name;
	unsigned octets;
	bool is_good;
} expected[] = {
	{ "hmac-sha256", 32, true }, { "hmac-sha384", 48, true }, { "hmac-sha512", 64, true },
	{ "hmac-sha224", 28, true }, { "hmac-sha1", 20, false },  { "hmac-md5", 16, false },
};

START_TEST(algorithms_are_those_of_the_rfc)
{
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct tsig_algorithm *a = tsig_algorithm_find(expected[i].name);
		ck_assert_ptr_nonnull(a);
		ck_assert_str_eq(a->name, expected[i].name);
		ck_assert_uint_eq(a->octets, expected[i].octets);
		ck_assert_int_eq(a->remark == NULL, expected[i].is_good);
	}
	ck_assert_ptr_null(tsig_algorithm_at(ARRAY_LEN(expected)));
	ck_assert_ptr_eq(tsig_algorithm_find("HMAC-SHA256"), tsig_algorithm_find("hmac-sha256"));
	ck_assert_ptr_null(tsig_algorithm_find("hmac-sha25"));
	ck_assert_ptr_null(tsig_algorithm_find("sha256"));
	ck_assert_ptr_null(tsig_algorithm_find(""));
}
END_TEST

/* The secret between quotes, decoded; the rest of the text must be as expected. */
static size_t secret_of(const char *text, const char *name, const char *algorithm, uint8_t *out,
			size_t room)
{
	char before[200];
	int n = snprintf(before, sizeof(before), "key \"%s\" {\n\talgorithm %s;\n\tsecret \"", name,
			 algorithm);
	ck_assert_int_eq(strncmp(text, before, (size_t)n), 0);
	const char *quote = strchr(text + n, '"');
	ck_assert_ptr_nonnull(quote);
	ck_assert_str_eq(quote, "\";\n};\n");
	int octets = text_from_base64(text + n, (size_t)(quote - text) - (size_t)n, out, room);
	ck_assert_int_gt(octets, 0);
	return (size_t)octets;
}

START_TEST(new_keys_are_whole_and_differ)
{
	const struct tsig_algorithm *a;
	for (size_t i = 0; (a = tsig_algorithm_at(i)) != NULL; i++) {
		uint8_t first[64], second[64];
		struct buf one = { 0 }, two = { 0 };
		ck_assert_int_eq(tsig_key_generate("host.example.", a, &one), E_OK);
		ck_assert_int_eq(tsig_key_generate("host.example.", a, &two), E_OK);
		ck_assert_uint_eq(
			secret_of(one.data, "host.example.", a->name, first, sizeof(first)),
			a->octets);
		ck_assert_uint_eq(
			secret_of(two.data, "host.example.", a->name, second, sizeof(second)),
			a->octets);
		ck_assert_mem_ne(first, second, a->octets);
		buf_clear(&one);
		buf_clear(&two);
	}
}
END_TEST

START_TEST(a_seed_makes_the_same_key)
{
	struct buf one = { 0 }, two = { 0 };
	crypto_random_seed(42);
	ck_assert_int_eq(tsig_key_generate("k.", tsig_algorithm_at(0), &one), E_OK);
	crypto_random_seed(42);
	ck_assert_int_eq(tsig_key_generate("k.", tsig_algorithm_at(0), &two), E_OK);
	ck_assert_str_eq(one.data, two.data);
	buf_clear(&one);
	buf_clear(&two);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("tsig_key");
	tcase_add_test(tc, algorithms_are_those_of_the_rfc);
	tcase_add_test(tc, new_keys_are_whole_and_differ);
	tcase_add_test(tc, a_seed_makes_the_same_key);
	return unit_run("keys/tsig_key", tc);
}

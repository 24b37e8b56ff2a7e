/* test/unit/signer/sha1_test.c - SHA-1 against FIPS 180's examples and OpenSSL's. */
#include "signer/sha1.h"

#include "keys/crypto.h"
#include "test/unit/unit.h"

#define LONGEST 600

typedef void sha1_function(uint8_t *data, size_t len, uint8_t out[SHA1_LEN]);
static sha1_function *const functions[] = { sha1_in_place, sha1_in_place_portable };

static const struct {
	const char *message;
	uint8_t hash[SHA1_LEN];
} vectors[] = {
	{ "abc", { 0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
		   0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d } },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  { 0x84, 0x98, 0x3e, 0x44, 0x1c, 0x3b, 0xd2, 0x6e, 0xba, 0xae,
	    0x4a, 0xa1, 0xf9, 0x51, 0x29, 0xe5, 0xe5, 0x46, 0x70, 0xf1 } },
	{ "", { 0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b, 0x0d, 0x32, 0x55,
		0xbf, 0xef, 0x95, 0x60, 0x18, 0x90, 0xaf, 0xd8, 0x07, 0x09 } },
};

START_TEST(examples_of_the_standard)
{
	for (size_t f = 0; f < ARRAY_LEN(functions); f++) {
		for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
			uint8_t data[SHA1_PADDED(64)];
			uint8_t out[SHA1_LEN];
			size_t len = strlen(vectors[i].message);
			memcpy(data, vectors[i].message, len);
			functions[f](data, len, out);
			ck_assert_mem_eq(out, vectors[i].hash, SHA1_LEN);
		}
	}
}
END_TEST

START_TEST(every_length_as_openssl)
{
	struct unit_random r = { 1 };
	struct crypto_hasher *h;
	ck_assert_int_eq(crypto_hasher_new(CRYPTO_SHA1, &h), E_OK);
	for (size_t len = 0; len <= LONGEST; len++) {
		uint8_t message[LONGEST];
		uint8_t want[SHA1_LEN];
		for (size_t i = 0; i < len; i++) {
			message[i] = (uint8_t)unit_random_next(&r);
		}
		ck_assert_int_eq(crypto_hasher_begin(h), E_OK);
		ck_assert_int_eq(crypto_hasher_add(h, message, len), E_OK);
		ck_assert_int_eq(crypto_hasher_end(h, want), E_OK);
		for (size_t f = 0; f < ARRAY_LEN(functions); f++) {
			/* No octet more than promised is touched: a sanitizer sees it. */
			uint8_t *data = malloc(SHA1_PADDED(len));
			uint8_t out[SHA1_LEN];
			memcpy(data, message, len);
			functions[f](data, len, out);
			ck_assert_mem_eq(out, want, SHA1_LEN);
			free(data);
		}
	}
	crypto_hasher_free(h);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("sha1");
	tcase_add_test(tc, examples_of_the_standard);
	tcase_add_test(tc, every_length_as_openssl);
	return unit_run("signer/sha1", tc);
}

/* test/unit/keys/siphash_test.c - crypto_siphash against the vectors of SipHash's authors. */
#include "keys/crypto.h"
#include "test/unit/unit.h"

static const uint8_t key[CRYPTO_SIPHASH_KEY_LEN] = { 0, 1, 2,  3,  4,  5,  6,  7,
						     8, 9, 10, 11, 12, 13, 14, 15 };

/* Of the messages 00 01 02 ... of these lengths; the one of 15 octets is in the paper's appendix A. */
static const struct {
	size_t len;
	uint8_t hash[CRYPTO_SIPHASH_LEN];
} vectors[] = {
	{ 0, { 0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72 } },
	{ 1, { 0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74 } },
	{ 15, { 0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1 } },
};

START_TEST(vectors_of_the_authors)
{
	struct crypto_siphash *h;
	uint8_t message[64], out[CRYPTO_SIPHASH_LEN];
	ck_assert_int_eq(crypto_siphash_new(&h), E_OK);
	for (uint8_t i = 0; i < sizeof(message); i++) {
		message[i] = i;
	}
	for (unsigned round = 0; round < 2; round++) { /* nothing is left from the call before */
		for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
			ck_assert_int_eq(crypto_siphash(h, key, message, vectors[i].len, out),
					 E_OK);
			ck_assert_mem_eq(out, vectors[i].hash, sizeof(out));
		}
	}
	crypto_siphash_free(h);
	crypto_siphash_free(NULL);
}
END_TEST

START_TEST(another_key_another_hash)
{
	struct crypto_siphash *h;
	uint8_t other[CRYPTO_SIPHASH_KEY_LEN];
	uint8_t first[CRYPTO_SIPHASH_LEN], second[CRYPTO_SIPHASH_LEN];
	memcpy(other, key, sizeof(other));
	other[15] ^= 1;
	ck_assert_int_eq(crypto_siphash_new(&h), E_OK);
	ck_assert_int_eq(crypto_siphash(h, key, "x", 1, first), E_OK);
	ck_assert_int_eq(crypto_siphash(h, other, "x", 1, second), E_OK);
	ck_assert_mem_ne(first, second, sizeof(first));
	crypto_siphash_free(h);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("siphash");
	tcase_add_test(tc, vectors_of_the_authors);
	tcase_add_test(tc, another_key_another_hash);
	return unit_run("keys/siphash", tc);
}

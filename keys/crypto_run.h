/* keys/crypto_run.h - what the parts of the door to libcrypto share; private to keys/crypto_*.c.
 *
 *     crypto_digest.c   digests, HMACs, random octets, errors
 *     crypto_key.c      key pairs, from and to octets
 *     crypto_sign.c     signatures, made and verified */
#ifndef KEYS_CRYPTO_RUN_H
#define KEYS_CRYPTO_RUN_H

#include <openssl/evp.h>

#include "keys/crypto.h"

enum family { FAMILY_RSA, FAMILY_EC, FAMILY_ED };

/* How OpenSSL knows an algorithm. */
struct recipe {
	uint8_t algorithm;
	enum family family;
	const char *type;  /* of the key */
	const char *curve; /* FAMILY_EC */
	int nid;
	enum crypto_digest digest; /* not FAMILY_ED */
	size_t octets;		   /* EC: of a coordinate; ED: of the public key */
	size_t private_octets;
	size_t sig_len; /* 0: that of the modulus */
	bool has_check; /* EC: OpenSSL multiplies the generator quickly, and in constant time */
};

struct crypto_key {
	const struct recipe *recipe;
	EVP_PKEY *pkey;
	bool is_private;
	size_t pub_len;
	uint8_t pub[CRYPTO_PUBKEY_MAX];
};

const EVP_MD *crypto_md(enum crypto_digest d);
/* NULL: there is no such algorithm, or it only verifies. */
const struct recipe *crypto_recipe_for_signing(uint8_t algorithm);

#endif

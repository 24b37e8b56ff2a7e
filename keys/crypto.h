/* keys/crypto.h - the only door to libcrypto: key pairs, signatures, digests, random octets.
 *
 * Public keys come and go as DNSKEY public-key octets (RFC 3110, 6605, 8080), signatures as RRSIG
 * signature octets. EVP only; algorithms are fetched once per process.
 *
 * Threads: a crypto_key is immutable once made and may be shared; a crypto_signer or
 *          crypto_verifier or crypto_hasher belongs to one thread.
 * Errors:  E_UNSUPPORTED (algorithm may not do this, see keys/algorithm.h), E_INVAL (octets are
 *          no key of this algorithm), E_BADSIG, E_CRYPTO. */
#ifndef KEYS_CRYPTO_H
#define KEYS_CRYPTO_H

#include <stdbool.h>

#include "zones/base/attr.h"
#include "zones/base/err.h"
#include "zones/base/mem.h"

#define CRYPTO_SIG_MAX	  512  /* RSA 4096 */
#define CRYPTO_PUBKEY_MAX 1028 /* RFC 3110: 3 + exponent + modulus of 4096 bits */
#define CRYPTO_DIGEST_MAX 64

struct crypto_key; /* a key pair, or a public key alone */

/* @bits: RSA modulus; 0 is the default; ignored where the algorithm fixes it. */
MUST_USE int crypto_key_generate(uint8_t algorithm, unsigned bits, struct crypto_key **out);
/* RSA keys have CRYPTO_RSA_LIMITS (RFC 3110, RFC 5702 §2), so that nobody's key makes verifying
 * expensive. */
#define CRYPTO_RSA_LIMITS                                                                          \
 "512 (RSASHA512: 1024) to 4096 bits and an odd exponent of at most 64 bits"
MUST_USE int crypto_key_from_public(uint8_t algorithm, const uint8_t *pub, size_t len,
				    struct crypto_key **out);
void crypto_key_free(struct crypto_key *key);
bool crypto_key_is_private(const struct crypto_key *key);
uint8_t crypto_key_algorithm(const struct crypto_key *key);
unsigned crypto_key_bits(const struct crypto_key *key);
/* The octets of the DNSKEY public key field, borrowed from @key. */
const uint8_t *crypto_key_public(const struct crypto_key *key, size_t *len);

/* Private parts by the field names of key files v1.3: for RSA Modulus PublicExponent
 * PrivateExponent Prime1 Prime2 Exponent1 Exponent2 Coefficient; for others PrivateKey. */
/* The name of part @i of a key of @algorithm, a constant; NULL behind the last. */
const char *crypto_part_field(uint8_t algorithm, size_t i);
enum { CRYPTO_PARTS_MAX = 8 };
struct crypto_part {
	const char *field; /* constant */
	struct secret value;
};
MUST_USE int crypto_key_to_parts(const struct crypto_key *key,
				 struct crypto_part parts[CRYPTO_PARTS_MAX], size_t *count);
/* Makes a pair from all of its parts. E_INVAL: one is missing or of a wrong size; E_MISMATCH: they do not
 * belong together. */
MUST_USE int crypto_key_from_parts(uint8_t algorithm, const struct crypto_part *parts, size_t count,
				   struct crypto_key **out);
void crypto_parts_clear(struct crypto_part *parts, size_t count);
/* PEM (PKCS#8 or traditional), as `openssl genpkey` writes it. @algorithm 0: the one that goes with the key,
 * RSASHA256 for RSA. E_SYNTAX: no private key in PEM form; E_PERM: it is encrypted; E_UNSUPPORTED: a key of
 * another kind; E_INVAL; E_MISMATCH: its public half belongs to another key. */
MUST_USE int crypto_key_from_pem(uint8_t algorithm, const char *pem, size_t len,
				 struct crypto_key **out);
MUST_USE int crypto_key_to_pem(const struct crypto_key *key, struct secret *out);

/* Octets of a signature this key makes, as it stands in RRSIG rdata. */
size_t crypto_sig_len(const struct crypto_key *key);

/* Signing: everything that can be prepared once per key and thread is in the signer. */
struct crypto_signer;
MUST_USE int crypto_signer_new(const struct crypto_key *key, struct crypto_signer **out);
void crypto_signer_free(struct crypto_signer *s);
/* Signs @len octets. @sig has room for CRYPTO_SIG_MAX. */
MUST_USE int crypto_sign(struct crypto_signer *s, const uint8_t *data, size_t len, uint8_t *sig,
			 size_t *sig_len);

/* Has the key of @s made this signature of @len octets? Says what crypto_verify says by the public half, provided that
 * the halves belong together, at a third of the cost. E_OK, E_BADSIG, E_CRYPTO; E_UNSUPPORTED: there is no quicker way
 * for keys of this algorithm. */
MUST_USE int crypto_signer_check(struct crypto_signer *s, const uint8_t *data, size_t len,
				 const uint8_t *sig, size_t sig_len);

struct crypto_verifier;
MUST_USE int crypto_verifier_new(const struct crypto_key *key, struct crypto_verifier **out);
void crypto_verifier_free(struct crypto_verifier *v);
/* E_OK or E_BADSIG, E_CRYPTO. */
MUST_USE int crypto_verify(struct crypto_verifier *v, const uint8_t *data, size_t len,
			   const uint8_t *sig, size_t sig_len);

enum crypto_digest {
	CRYPTO_SHA1,
	CRYPTO_SHA256,
	CRYPTO_SHA384,
	CRYPTO_SHA512,
	CRYPTO_SHA224, /* for TSIG alone, as is MD5 */
	CRYPTO_MD5,
};
size_t crypto_digest_len(enum crypto_digest d);
/* One shot. @out has room for CRYPTO_DIGEST_MAX. */
MUST_USE int crypto_digest(enum crypto_digest d, const uint8_t *data, size_t len, uint8_t *out);

/* Many digests with one prepared context: NSEC3 hashes, ZONEMD. */
struct crypto_hasher;
MUST_USE int crypto_hasher_new(enum crypto_digest d, struct crypto_hasher **out);
void crypto_hasher_free(struct crypto_hasher *h);
MUST_USE int crypto_hasher_begin(struct crypto_hasher *h);
MUST_USE int crypto_hasher_add(struct crypto_hasher *h, const void *data, size_t len);
MUST_USE int crypto_hasher_end(struct crypto_hasher *h, uint8_t *out);

/* HMACs (RFC 2104) with one prepared key. begin, add, end, and again. @out has room for CRYPTO_DIGEST_MAX. */
struct crypto_hmac;
MUST_USE int crypto_hmac_new(enum crypto_digest d, const void *key, size_t len,
			     struct crypto_hmac **out);
void crypto_hmac_free(struct crypto_hmac *h); /* NULL is fine */
MUST_USE int crypto_hmac_begin(struct crypto_hmac *h);
MUST_USE int crypto_hmac_add(struct crypto_hmac *h, const void *data, size_t len);
MUST_USE int crypto_hmac_end(struct crypto_hmac *h, uint8_t *out);

/* SipHash-2-4 of 8 octets: short messages under a key that changes with the call. Nothing is allocated by
 * a hash. Belongs to one thread. */
enum { CRYPTO_SIPHASH_KEY_LEN = 16, CRYPTO_SIPHASH_LEN = 8 };
struct crypto_siphash;
MUST_USE int crypto_siphash_new(struct crypto_siphash **out);
void crypto_siphash_free(struct crypto_siphash *h); /* NULL is fine */
MUST_USE int crypto_siphash(struct crypto_siphash *h, const uint8_t key[CRYPTO_SIPHASH_KEY_LEN],
			    const void *data, size_t len, uint8_t out[CRYPTO_SIPHASH_LEN]);

/* Octets from the generator of OpenSSL; with crypto_random_seed (tests only) a reproducible stream
 * instead: TSIG secrets and salts are predictable then. Key pairs and ECDSA signatures are not: OpenSSL
 * makes them from its own generator. */
MUST_USE int crypto_random(void *out, size_t len);
void crypto_random_seed(uint64_t seed);

/* The newest OpenSSL error as text, for messages; clears the queue. */
const char *crypto_error(char *out, size_t room);

#endif

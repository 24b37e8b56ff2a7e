/* keys/tsig_key.h - TSIG keys (RFC 8945): algorithms, secrets, and files that nsupdate and dig read with -k.
 *
 * Threads: no state; a key is immutable once it is set. */
#ifndef KEYS_TSIG_KEY_H
#define KEYS_TSIG_KEY_H

#include "keys/crypto.h"
#include "zones/base/buf.h"
#include "zones/dns/dname.h"

struct tsig_algorithm {
	const char *name;    /* "hmac-sha256" */
	unsigned octets;     /* of a full MAC, and of a new secret */
	const char *remark;  /* why it should not be used, or NULL */
	const uint8_t *wire; /* its name in a TSIG record */
	enum crypto_digest digest;
};

/* A secret that two share. */
struct tsig_key {
	struct dname name;
	const struct tsig_algorithm *algorithm;
	unsigned mac_len; /* octets of the MACs that are sent, and the least that are taken */
	struct secret secret;
};

/* @algorithm as "hmac-sha256", or with the bits of a MAC that is cut: "hmac-sha256-128". The secret is copied.
 * E_UNSUPPORTED: there is no such algorithm; E_RANGE: a MAC cannot be cut so (RFC 8945 §5.2.2.1: whole octets, 10
 * at least, and half of the hash); E_INVAL: an empty secret. */
MUST_USE int tsig_key_set(struct tsig_key *key, const uint8_t *name, const char *algorithm,
			  const void *secret, size_t len);
void tsig_key_clear(struct tsig_key *key);

/* NULL for one that is not known. */
const struct tsig_algorithm *tsig_algorithm_find(const char *name);
const struct tsig_algorithm *tsig_algorithm_at(size_t i);
/* A new random secret of the algorithm's octets. E_CRYPTO. */
MUST_USE int tsig_key_random(struct tsig_key *key, const uint8_t *name, const char *algorithm);
/* `key "name" { algorithm ...; secret "..."; };` The buffer holds a secret: wipe it. Its signatures are not cut. */
void tsig_key_print(const struct tsig_key *key, struct buf *out);
/* A key that is new, as text; likewise. */
MUST_USE int tsig_key_generate(const char *key_name, const struct tsig_algorithm *a,
			       struct buf *out);

#endif

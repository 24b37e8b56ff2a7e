/* keys/tsig_key.h - TSIG keys (RFC 8945): algorithms, and files that nsupdate and dig read with -k.
 *
 * Threads: no state. */
#ifndef KEYS_TSIG_KEY_H
#define KEYS_TSIG_KEY_H

#include "keys/crypto.h"
#include "zones/base/buf.h"

struct tsig_algorithm {
	const char *name;   /* "hmac-sha256" */
	unsigned octets;    /* of a full MAC, and of a new secret */
	const char *remark; /* why it should not be used, or NULL */
};

/* NULL for one that is not known. */
const struct tsig_algorithm *tsig_algorithm_find(const char *name);
const struct tsig_algorithm *tsig_algorithm_at(size_t i);
/* A new random secret; then the text `key "name" { algorithm ...; secret "..."; };`. The buffer
 * holds a secret: wipe it. */
MUST_USE int tsig_key_generate(const char *key_name, const struct tsig_algorithm *a,
			       struct buf *out);

#endif

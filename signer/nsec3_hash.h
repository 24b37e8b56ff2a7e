/* signer/nsec3_hash.h - the hash of a name, and the owner name made from it (RFC 5155 §5).
 *
 * Threads: no state. */
#ifndef SIGNER_NSEC3_HASH_H
#define SIGNER_NSEC3_HASH_H

#include "zones/version.h"

#define NSEC3_HASH_LEN	20 /* SHA-1, the only algorithm there is (RFC 5155 §11) */
#define NSEC3_SHA1	1
#define NSEC3_OPT_OUT	0x01
#define NSEC3_LABEL_LEN 32 /* base32hex of a hash */

/* Is it a chain as RFC 9276 §3.1 has it: SHA-1, and no iterations? */
static inline bool nsec3_is_plain(const struct nsec3_param *p)
{
	return p->algorithm == NSEC3_SHA1 && p->iterations == 0;
}

/* Hash of @name (any case) by the salt and iterations of @param. */
void nsec3_hash(const struct nsec3_param *param, const uint8_t *name, uint8_t out[NSEC3_HASH_LEN]);

/* The label of a hash, its length in front. */
void nsec3_label(const uint8_t hash[NSEC3_HASH_LEN], uint8_t out[1 + NSEC3_LABEL_LEN]);
/* The owner name of a hash in zone @apex. E_NAME when the apex is too long for it. */
MUST_USE int nsec3_owner(const uint8_t hash[NSEC3_HASH_LEN], const uint8_t *apex,
			 struct dname *out);
/* The hash in the first label of @owner. E_SYNTAX when it is none. */
MUST_USE int nsec3_owner_hash(const uint8_t *owner, uint8_t out[NSEC3_HASH_LEN]);

/* The fixed fields of NSEC3 rdata: what stands before and behind the salt. */
struct nsec3 {
	struct nsec3_param param;
	const uint8_t *next; /* NSEC3_HASH_LEN octets, borrowed */
	const uint8_t *map;  /* type bitmap */
	size_t map_len;
};
/* Splits NSEC3 rdata. E_TRUNC; E_UNSUPPORTED when the next hash is not 20 octets. */
MUST_USE int nsec3_read(const uint8_t *rdata, size_t len, struct nsec3 *out);
/* Splits the first NSEC3 record of @n, which may be NULL. Returns how many there are (0: @out is untouched), or
 * an error of nsec3_read. */
MUST_USE int nsec3_of_node(const struct node *n, struct nsec3 *out);

#endif

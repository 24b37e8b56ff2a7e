/* signer/zonemd.h - the digest over a zone (RFC 8976, SIMPLE scheme).
 *
 * Threads: reads an immutable version. */
#ifndef SIGNER_ZONEMD_H
#define SIGNER_ZONEMD_H

#include "keys/crypto.h"
#include "zones/version.h"

#define ZONEMD_SIMPLE 1
#define ZONEMD_SHA384 1
#define ZONEMD_SHA512 2
#define ZONEMD_FIXED  6 /* octets of rdata before the digest: serial, scheme, hash algorithm */

/* The digest length of @hash_algorithm, or 0 when it is unknown. */
size_t zonemd_digest_len(uint8_t hash_algorithm);
/* Digest of @v by RFC 8976 §3.4. E_UNSUPPORTED. @out has room for CRYPTO_DIGEST_MAX. */
MUST_USE int zonemd_digest(const struct version *v, uint8_t hash_algorithm, uint8_t *out);

#endif

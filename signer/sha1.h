/* signer/sha1.h - SHA-1 (FIPS 180-4) of short octet strings, for hashed owner names (RFC 5155 §5).
 *
 * Not for signatures: those are OpenSSL's, behind keys/crypto.h. Each denial by NSEC3 hashes up to three
 * names while a client waits; OpenSSL's generic interface takes 300 ns and an allocation for each, the
 * processor's own instructions take 50 ns.
 *
 * Threads: no state. */
#ifndef SIGNER_SHA1_H
#define SIGNER_SHA1_H

#include "zones/base/attr.h"

#define SHA1_LEN   20
#define SHA1_BLOCK 64

/* Octets that a message of @len octets has with its padding. */
#define SHA1_PADDED(len) (((len) + 1 + 8 + SHA1_BLOCK - 1) / SHA1_BLOCK * SHA1_BLOCK)

/* The hash of @len octets at @data, where there is room for SHA1_PADDED(@len): what is behind them is
 * overwritten. */
void sha1_in_place(uint8_t *data, size_t len, uint8_t out[SHA1_LEN]);

/* The same without the processor's instructions (tests). */
void sha1_in_place_portable(uint8_t *data, size_t len, uint8_t out[SHA1_LEN]);

#endif

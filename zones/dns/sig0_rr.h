/* zones/dns/sig0_rr.h - the SIG(0) record (RFC 2931 §3), which ends a message that is signed with a private key.
 *
 *     owner: the root | type 24 (SIG) | class ANY | TTL | rdlength
 *     covered type 16: 0 | algorithm 8 | labels 8: 0 | original TTL 32 | expiration 32 | inception 32 | key tag 16 |
 *     signer's name | signature
 *
 * Threads: no state.
 * Memory:  what is read borrows from the message. */
#ifndef ZONES_DNS_SIG0_RR_H
#define ZONES_DNS_SIG0_RR_H

#include "zones/dns/message.h"

#define SIG0_FIXED    18 /* octets of rdata before the signer's name */
#define SIG0_HEAD_MAX (SIG0_FIXED + DNAME_MAX)

struct sig0_rr {
	uint8_t algorithm;
	uint32_t original_ttl; /* signed, and without a meaning */
	uint32_t expiration;   /* both in serial arithmetic, see time_unwrap32 */
	uint32_t inception;
	uint16_t key_tag;
	struct dname signer; /* in the case it came in, which is signed as well */
	uint16_t signature_len;
	const uint8_t *signature;
};

/* Finds the SIG(0) record of a message; @at: octets of the message before it. E_NOENT: there is none. E_INVAL: it is
 * not the last record, or not the only one, or its owner, class or labels are wrong. E_TRUNC, E_NAME, E_LOOP,
 * E_TRAILING: the octets are no message. */
MUST_USE int sig0_rr_find(const uint8_t *message, size_t len, struct sig0_rr *out, size_t *at);

/* The rdata before the signature, names in full: what is signed first (RFC 2931 §3.1). Returns octets. */
size_t sig0_rr_head(const struct sig0_rr *rr, uint8_t out[SIG0_HEAD_MAX]);
/* Nothing is written when it does not fit (w->err). */
void sig0_rr_write(struct writer *w, const struct sig0_rr *rr);

#endif

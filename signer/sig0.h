/* signer/sig0.h - messages signed with a private key whose public key is a KEY record in the zone (RFC 2931).
 *
 * Threads: no state.
 * Memory:  nothing is kept. */
#ifndef SIGNER_SIG0_H
#define SIGNER_SIG0_H

#include "zones/base/buf.h"
#include "zones/dns/sig0_rr.h"
#include "zones/version.h"

/* KEY records whose tag and algorithm are those of a signature and that are tried: others than the sender may have
 * put them there, and each costs a verification. */
#define SIG0_KEYS_MAX 2

/* Appends what is signed of a request (RFC 2931 §3.1): the rdata without the signature, then the @at octets of the
 * message before the record, which the header does not count. */
void sig0_signed_data(const struct sig0_rr *rr, const uint8_t *message, size_t at, struct buf *out);

/* Is the signature of the request one that a KEY record in @v has made, at the signer's name? The key may be used for
 * authentication (RFC 2535 §3.1.2), is for DNSSEC (RFC 3445 §4), and of an algorithm that makes new signatures.
 * E_NOENT: there is no such key, or the name is not the zone's to say. E_NOTYET, E_EXPIRED: @now is not within its
 * times. E_BADSIG, E_CRYPTO. */
MUST_USE int sig0_check(const struct sig0_rr *rr, const uint8_t *message, size_t at,
			const struct version *v, int64_t now);

#endif

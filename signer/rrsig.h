/* signer/rrsig.h - one signature over one RRset: reading, making, checking (RFC 4034 §3, §6).
 *
 * Threads: no state; scratch buffers belong to the caller's thread.
 * Errors:  rrsig_check returns E_BADSIG, E_EXPIRED, E_NOTYET, E_MISMATCH (fields do not fit the set or
 *          the key), E_CRYPTO. */
#ifndef SIGNER_RRSIG_H
#define SIGNER_RRSIG_H

#include "keys/holder.h"
#include "zones/base/buf.h"
#include "zones/node.h"

/* Octets of RRSIG rdata before the signer's name. */
#define RRSIG_FIXED 18
#define RRSIG_MAX   (RRSIG_FIXED + DNAME_MAX + CRYPTO_SIG_MAX)

struct rrsig {
	uint16_t covered;
	uint8_t algorithm;
	uint8_t labels;
	uint32_t original_ttl;
	uint32_t expiration; /* RFC 4034 §3.1.5: serial arithmetic, see time_unwrap32 */
	uint32_t inception;
	uint16_t key_tag;
	const uint8_t *signer; /* borrowed, as the rest */
	const uint8_t *signature;
	size_t signature_len;
};

/* Splits RRSIG rdata that passed rdata_check. E_TRUNC. */
MUST_USE int rrsig_read(const uint8_t *rdata, size_t len, struct rrsig *out);

/* The labels field for @owner: without the root label and a leading "*" (RFC 4034 §3.1.3). */
uint8_t rrsig_labels(const uint8_t *owner);

/* Appends what is signed (RFC 4034 §3.1.8.1): the RRSIG rdata before the signature with the signer in
 * lower case, then the records in canonical form and order with the original TTL, the owner in lower
 * case; for an owner with more labels than @s says, the wildcard it was made from. */
void rrsig_signed_data(const struct rrsig *s, const uint8_t *owner, const struct rrset *rs,
		       struct buf *out);

struct rrsig_times {
	uint32_t inception;
	uint32_t expiration;
};

/* Makes RRSIG rdata over @rs with key @key of @session. @apex is the signer's name. @scratch is
 * overwritten. @out has room for RRSIG_MAX. */
MUST_USE int rrsig_make(struct holder_session *session, const struct holder *holder, size_t key,
			const uint8_t *owner, const struct rrset *rs,
			const struct rrsig_times *times, struct buf *scratch, uint8_t *out,
			size_t *out_len);

/* Do the fields fit the set and time: covered type, labels, original TTL, @now inside the validity
 * (RFC 4035 §5.3.1)? Says nothing of the signature itself. */
MUST_USE int rrsig_check_fields(const struct rrsig *rrsig, const uint8_t *owner,
				const struct rrset *rs, int64_t now);
/* Has key @key of the session's holder made the signature? As holder_check. */
MUST_USE int rrsig_check_held(struct holder_session *session, size_t key, const struct rrsig *rrsig,
			      const uint8_t *owner, const struct rrset *rs, struct buf *scratch);
/* Does the signature verify? */
MUST_USE int rrsig_check(struct crypto_verifier *verifier, const struct rrsig *rrsig,
			 const uint8_t *owner, const struct rrset *rs, struct buf *scratch);

#endif

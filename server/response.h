/* server/response.h - a response message being written: sections, compression, limit.
 *
 *     | header 12 | question | answer | authority | additional | OPT |
 *
 * The question's name stands at offset 12 always, so records of the name that was asked are copied as
 * they lie in their node (zones/node.h): the RRset and its signatures in one piece. For other owners
 * the pointer of each record is replaced in the copy. Only records with names in their rdata that may
 * be compressed (RR_COMPRESS) are written field by field.
 *
 * Sets go in whole or not at all. Sections are written in their order.
 *
 * Threads: one worker.
 * Memory:  borrows the output buffer; names and sets are borrowed until the next response_begin.
 *          Nothing is allocated. */
#ifndef SERVER_RESPONSE_H
#define SERVER_RESPONSE_H

#include "zones/dns/compress.h"
#include "zones/dns/soa.h"
#include "zones/node.h"

struct response {
	struct writer w; /* start: the message; end: its limit, without the OPT record to come */
	size_t question; /* octets of header and question */
	uint16_t count[SECTIONS];
	unsigned turn; /* sets in the answer section begin with this record, modulo their count */
	bool is_compressing; /* @names knows the question */
	struct compress names;
};

/* The owner of records: a name, and where it stands once it was written. */
struct response_owner {
	const uint8_t *name;
	uint16_t pointer; /* MESSAGE_POINTER | offset; 0: not in the message yet */
};
#define RESPONSE_QNAME NODE_RR_OWNER

/* Starts a message (turn 0) of at most @limit octets whose header and question stand in @out already,
 * @question octets (just the header: without question). */
void response_begin(struct response *r, uint8_t *out, size_t question, size_t limit);
/* Takes everything behind the question out again. */
void response_reset(struct response *r);

enum response_sigs { RESPONSE_NO_SIGS, RESPONSE_WITH_SIGS, RESPONSE_ONLY_SIGS };

/* Adds a set. False: it does not fit, and nothing was added. */
bool response_rrset(struct response *r, enum section section, struct response_owner *owner,
		    const struct rrset *rs, enum response_sigs sigs);
/* Adds an SOA with its TTLs replaced (RFC 2308 §3) to the authority section. @names: of its rdata. False: as above. */
bool response_negative(struct response *r, struct response_owner *owner, const struct rrset *soa,
		       const struct soa_names *names, enum response_sigs sigs, uint32_t ttl);
/* Adds a CNAME made from a DNAME to the answer section. False: as above. */
bool response_cname(struct response *r, struct response_owner *owner, uint32_t ttl,
		    const uint8_t *target);

#endif

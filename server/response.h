/* server/response.h - a response message being written: sections, compression, limit.
 *
 *     | header 12 | question | answer | authority | additional | OPT |
 *
 * The question's name stands at offset 12 always, so records of the name that was asked are copied as
 * they lie in their node (zones/node.h). Names are compressed against what is in the message
 * already, case kept: only equal octets are shared (RFC 1035 §4.1.4).
 *
 * Threads: one worker.
 * Memory:  borrows the output buffer. Nothing is allocated. */
#ifndef SERVER_RESPONSE_H
#define SERVER_RESPONSE_H

#include "zones/node.h"

enum section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL };

/* Bits of the second 16 bits of the header. */
enum header_flags {
	HEADER_QR = 0x8000,
	HEADER_AA = 0x0400,
	HEADER_TC = 0x0200,
	HEADER_RD = 0x0100,
	HEADER_CD = 0x0010,
};
#define HEADER_OPCODE(flags) ((flags) >> 11 & 15)

enum rcode {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6,
	RCODE_BADVERS = 16, /* needs EDNS (RFC 6891 §6.1.3) */
};

#define HEADER_LEN 12
#define OPT_LEN	   11

/* Suffixes of names in the message, by hash; a slot holds for one message only. */
#define RESPONSE_SLOTS 256

struct response {
	uint8_t *out;
	size_t len;
	size_t limit;	 /* octets the message may have, without the OPT record to come */
	size_t question; /* octets of header and question */
	uint16_t count[3];
	uint32_t generation; /* of this message */
	struct {
		uint32_t generation;
		uint16_t hash;
		uint16_t offset;
	} slots[RESPONSE_SLOTS];
};

/* The owner of records: a name, and where it stands once it was written. */
struct response_owner {
	const uint8_t *name;
	uint16_t pointer; /* 0xc000 | offset; 0: not in the message yet */
};
#define RESPONSE_QNAME (uint16_t)(0xc000 | HEADER_LEN)

/* Starts a message whose header and question, @question octets, stand in @out; @qname is in it. */
void response_begin(struct response *r, uint8_t *out, size_t question, size_t limit);
/* Takes everything behind the question out again. */
void response_reset(struct response *r);

enum response_sigs { RESPONSE_NO_SIGS, RESPONSE_WITH_SIGS, RESPONSE_ONLY_SIGS };

/* Adds a set. False: it does not fit, and nothing was added. */
bool response_rrset(struct response *r, enum section section, struct response_owner *owner,
		    const struct rrset *rs, enum response_sigs sigs);
/* The same with another TTL in all records (RFC 2308 §3: the SOA of a negative answer). */
bool response_rrset_ttl(struct response *r, enum section section, struct response_owner *owner,
			const struct rrset *rs, enum response_sigs sigs, uint32_t ttl);
/* Adds one record whose rdata is the name @target: a CNAME made from a DNAME. */
bool response_name_rr(struct response *r, enum section section, struct response_owner *owner,
		      uint16_t type, uint32_t ttl, const uint8_t *target);

#endif

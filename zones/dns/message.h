/* zones/dns/message.h - DNS messages on the wire: header, question, records (RFC 1035 §4).
 *
 *     0         12
 *     | header  | question | answer | authority | additional |
 *
 *     header:   id 16 | QR opcode:4 AA TC RD RA Z AD CD rcode:4 | four counts of 16
 *     question: name | type | class
 *     record:   name | type | class | TTL | rdlength | rdata
 *
 * A message is read front to back with a bounded reader that starts at its first octet, so that
 * compression pointers can be followed: header, as many questions as it says, then the records.
 *
 * Threads: no state.
 * Memory:  what is read borrows from the message.
 * Errors:  E_TRUNC, E_NAME, E_LOOP: the octets are no message. */
#ifndef ZONES_DNS_MESSAGE_H
#define ZONES_DNS_MESSAGE_H

#include <stdbool.h>

#include "zones/base/wire.h"
#include "zones/dns/dname.h"

#define MESSAGE_HEADER_LEN  12
#define MESSAGE_MAX	    65535
#define MESSAGE_UDP_MIN	    512	   /* what every client takes, RFC 1035 §2.3.4 */
#define MESSAGE_POINTER	    0xc000 /* a compression pointer: two bits and an offset */
#define MESSAGE_POINTER_MAX 0x3fff /* the largest offset a pointer can name */
#define MESSAGE_RR_FIXED    10	   /* octets of a record between its owner and its rdata */

enum message_flags {
	MESSAGE_QR = 0x8000,
	MESSAGE_AA = 0x0400,
	MESSAGE_TC = 0x0200,
	MESSAGE_RD = 0x0100,
	MESSAGE_RA = 0x0080,
	MESSAGE_AD = 0x0020,
	MESSAGE_CD = 0x0010,
	MESSAGE_OPCODE = 0x7800,
	MESSAGE_RCODE = 0x000f,
};

enum opcode { OPCODE_QUERY = 0, OPCODE_NOTIFY = 4, OPCODE_UPDATE = 5 };

/* Above 15 the upper bits are in the OPT record (RFC 6891 §6.1.3). */
enum rcode {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6,
	RCODE_YXRRSET = 7,
	RCODE_NXRRSET = 8,
	RCODE_NOTAUTH = 9,
	RCODE_NOTZONE = 10,
	RCODE_BADVERS = 16,
	RCODE_BADCOOKIE = 23,
};

enum section { SECTION_QUESTION, SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL };
#define SECTIONS 4

struct message_header {
	uint16_t id;
	uint16_t flags;
	uint16_t count[SECTIONS];
};

static inline unsigned message_opcode(uint16_t flags)
{
	return flags >> 11 & 15U;
}

MUST_USE int message_read_header(struct reader *r, struct message_header *out);
void message_write_header(uint8_t out[MESSAGE_HEADER_LEN], const struct message_header *h);

struct message_question {
	const uint8_t *name; /* borrowed */
	uint16_t type;
	uint16_t class;
};

/* The name must stand whole: before the first question there is nothing to point at. On error there is none. */
MUST_USE int message_read_question(struct reader *r, struct message_question *out);

struct message_rr {
	struct dname owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	uint16_t rdlen;
	const uint8_t *rdata; /* borrowed; names in it may be compressed */
};

MUST_USE int message_read_rr(struct reader *r, struct message_rr *out);

/* Is @rr a record of the kind that signs the message it ends? */
typedef bool message_signs(const struct message_rr *rr);
/* Finds the record that signs the message: the last, and in the additional section; *@at gets the octets before it.
 * E_NOENT: there is none. E_INVAL: one stands elsewhere. E_TRAILING: octets are left behind the records. */
MUST_USE int message_find_signature(const uint8_t *message, size_t len, message_signs *signs,
				    struct message_rr *out, size_t *at);

#endif

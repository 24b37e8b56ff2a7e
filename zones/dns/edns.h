/* zones/dns/edns.h - the OPT pseudo-record (RFC 6891): sizes, version, flags, options.
 *
 *     | root | type 41 | UDP size | rcode:8 version:8 flags:16 | length | (code, length, data)... |
 *
 * Threads: no state.
 * Memory:  options borrow from the message. */
#ifndef ZONES_DNS_EDNS_H
#define ZONES_DNS_EDNS_H

#include <stdbool.h>

#include "zones/dns/message.h"

#define EDNS_VERSION 0	/* the one there is */
#define EDNS_OPT_LEN 11 /* octets of an OPT record without options */

enum edns_flags { EDNS_DO = 0x8000 /* RFC 3225: DNSSEC records are welcome */ };

struct edns {
	bool present;
	uint8_t version;
	uint8_t rcode_high; /* the upper 8 of 12 bits */
	uint16_t udp_size;
	uint16_t flags;
	uint16_t options_len;
	const uint8_t *options; /* well-formed */
};

/* Takes an OPT record apart. E_INVAL: its owner is not the root; E_TRUNC: an option goes past the
 * end. */
MUST_USE int edns_read(const struct message_rr *rr, struct edns *out);

struct edns_option {
	uint16_t code;
	uint16_t len;
	const uint8_t *data; /* borrowed */
};

/* The next option; false: there is none, or (r->err) it is cut short. */
bool edns_next_option(struct reader *r, struct edns_option *out);

/* Writes an OPT record. Nothing is written when it does not fit (w->err). */
void edns_write(struct writer *w, const struct edns *e);

#endif

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

/* Options (the registry "DNS EDNS0 Option Codes"). */
enum edns_code {
	EDNS_NSID = 3,	       /* RFC 5001 */
	EDNS_EXPIRE = 9,       /* RFC 7314 */
	EDNS_COOKIE = 10,      /* RFC 7873 */
	EDNS_KEEPALIVE = 11,   /* RFC 7828 */
	EDNS_PADDING = 12,     /* RFC 7830 */
	EDNS_EDE = 15,	       /* RFC 8914 */
	EDNS_REPORT = 18,      /* RFC 9567: Report-Channel */
	EDNS_ZONEVERSION = 19, /* RFC 9660 */
};
#define EDNS_OPTION_FIXED 4 /* octets of an option before its data */

/* Extended errors (RFC 8914 §4): why a response is as it is. */
enum edns_error {
	EDNS_ERROR_OTHER = 0,
	EDNS_ERROR_SIGNATURE_EXPIRED = 7,
	EDNS_ERROR_NOT_READY = 14,
	EDNS_ERROR_PROHIBITED = 18,
	EDNS_ERROR_NOT_AUTHORITATIVE = 20,
	EDNS_ERROR_NOT_SUPPORTED = 21,
	EDNS_ERROR_INVALID_TYPE = 30, /* RFC 9824 §8 */
};

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

/* server/xfr_in.h - a zone transfer as it comes in, message by message: AXFR (RFC 5936) and IXFR (RFC 1995).
 *
 *     xfr_in_new → xfr_in_query → ... xfr_in_message ... E_OK → xfr_in_result
 *
 *     answer to IXFR           is
 *     SOA not newer than ours  nothing new: XFR_CURRENT (also to AXFR)
 *     SOA SOA ...              differences: XFR_CHANGES
 *     SOA other ... SOA        all of the zone: XFR_WHOLE, as the answer to AXFR is
 *
 * Knows no socket, no clock and no TSIG. All that a primary sends is checked: each record is one of the zone and as its
 * type has it, sequences are as the RFCs have them, and limits hold; what is wrong ends the transfer. Whether changes
 * fit the zone is found out by who applies them.
 *
 * Threads: one transfer, one thread.
 * Memory:  XFR_CHANGES takes as much as the changes, XFR_WHOLE as much as the zone. What the result holds belongs to the
 *          transfer, until it is taken by setting it to NULL. */
#ifndef SERVER_XFR_IN_H
#define SERVER_XFR_IN_H

#include "zones/diff.h"
#include "zones/dns/message.h"

struct xfr_in;

struct xfr_in_wish {
	const uint8_t *apex;
	bool has_serial; /* we have @serial; what is not newer is not wanted */
	uint32_t serial;
	bool is_incremental; /* IXFR from there, else AXFR */
	bool asks_expire; /* by EDNS (RFC 7314); a server that does not know EDNS answers FORMERR */
	uint64_t max_octets; /* of all messages */
	uint64_t max_records;
};

struct xfr_in *xfr_in_new(const struct xfr_in_wish *wish);
void xfr_in_free(struct xfr_in *x); /* NULL is fine */

/* Octets that xfr_in_query needs at most. */
#define XFR_IN_QUERY_MAX 640
/* Writes the query; responses must have the same @id. E_NOSPACE in w->err. */
void xfr_in_query(struct xfr_in *x, uint16_t id, struct writer *w);

/* Takes a message of the response, without its TSIG. E_OK: that was the last; E_AGAIN: there is more to come. All
 * others end it, and @em says why:
 *
 *     E_UNSUPPORTED  the primary does not do this (FORMERR, NOTIMP)
 *     E_PERM         it refuses (REFUSED, NOTAUTH)
 *     E_NOENT        it does not have it (SERVFAIL, NXDOMAIN and others)
 *     E_LIMIT        too large
 *     E_NOTZONE, E_MISMATCH, E_INVAL, E_TRUNC, E_NAME, ...: what it sends is no transfer of the zone */
MUST_USE int xfr_in_message(struct xfr_in *x, const uint8_t *message, size_t len,
			    struct errmsg *em);

enum xfr_in_kind { XFR_CURRENT, XFR_CHANGES, XFR_WHOLE };

struct xfr_in_result {
	enum xfr_in_kind kind;
	uint32_t serial;       /* of the primary */
	struct version *whole; /* XFR_WHOLE; one reference */
	struct diff *changes;  /* XFR_CHANGES; heap; one after the other */
	size_t change_count;
	bool has_expire;
	uint32_t expire; /* seconds that the primary still answers for the zone */
	/* So far. */
	uint64_t messages, octets, records;
};
struct xfr_in_result *xfr_in_result(struct xfr_in *x);
/* Frees what was taken from a result. */
void xfr_in_changes_free(struct diff *changes, size_t count);

#endif

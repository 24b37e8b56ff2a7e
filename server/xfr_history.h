/* server/xfr_history.h - what leads from a client's version of a zone to ours: differences, out of the journal.
 *
 *     journal   ... 5→6  6→7  7→8  8→9 ...
 *                   |-------------|        the client has 5, we have 8
 *
 * Few and small ones are condensed to one difference (RFC 1995 §5): what later ones take back is left out, and so are
 * all SOA records and their signatures in between. More are read in pieces, each when the one before was sent, and each
 * in a read transaction of its own: the pages of a slow transfer would stay in the store until its end.
 *
 * Threads: one.
 * Memory:  holds a piece: XFR_PIECE octets of differences, or a single one that is larger. What all have together is
 *          counted, and stays below XFR_HELD_MAX. */
#ifndef SERVER_XFR_HISTORY_H
#define SERVER_XFR_HISTORY_H

#include "zones/journal.h"

/* Octets that are read at a time. */
#define XFR_PIECE STRESSED((size_t)256 << 10, (size_t)1)
/* Differences of up to so many octets together are condensed, which takes some milliseconds for this much. */
#define XFR_CONDENSED_MAX ((size_t)1 << 20)
/* Octets that all transfers hold. */
#define XFR_HELD_MAX ((size_t)256 << 20)
/* Differences in a transfer. */
#define XFR_ENTRIES_MAX 100000

struct xfr_history;

struct xfr_history_of {
	struct journal *journal; /* outlives it */
	const uint8_t *apex;	 /* likewise */
	uint32_t from, to;	 /* serials */
	uint64_t records;	 /* of the zone: as many make no difference worth while */
	size_t *held;		 /* atomic; octets that all hold */
};

/* E_NOENT: the journal does not have it (any more). E_LIMIT: all of the zone is less, or too much would be held. E_DAMAGED,
 * E_IO. */
MUST_USE int xfr_history_open(const struct xfr_history_of *of, struct xfr_history **out);
void xfr_history_free(struct xfr_history *h); /* NULL is fine */

/* The next difference; borrowed until the next xfr_history_read. NULL: the piece, or all, is at its end. */
const struct diff *xfr_history_next(struct xfr_history *h);
bool xfr_history_is_at_end(const struct xfr_history *h);
/* Reads the next piece. E_NOENT: the journal has let go of it. E_DAMAGED, E_IO. */
MUST_USE int xfr_history_read(struct xfr_history *h);

#endif

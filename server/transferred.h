/* server/transferred.h - what was transferred in, as an edit of what there is.
 *
 * Where the server signs the zone itself, what signing makes is its own affair: records of these types that a primary
 * sends are passed over, and so is the serial; all else of the SOA is the primary's.
 *
 * Threads: no state.
 * Memory:  what was transferred is borrowed. */
#ifndef SERVER_TRANSFERRED_H
#define SERVER_TRANSFERRED_H

#include "zones/diff.h"

struct transferred {
	const struct version *whole; /* an AXFR; or NULL, and */
	const struct diff *changes;  /* an IXFR: at least one */
	size_t change_count;
};

/* The primary's serial. */
uint32_t transferred_serial(const struct transferred *t);

/* The edit that makes of @base (NULL: there is nothing) what was transferred; *out NULL: nothing differs (@signs: but the
 * serial). @signs: by the server itself. *max_ttl gets larger where a record that comes has a larger TTL. Costs what the
 * change does, for an IXFR. E_MISMATCH: the changes do not fit @base: transfer all of the zone. Else as diff_apply. */
MUST_USE int transferred_edit(const struct transferred *t, const struct version *base, bool signs,
			      struct edit **out, uint32_t *max_ttl, struct errmsg *em);

#endif

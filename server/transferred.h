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

struct taking {
	struct edit *edit; /* NULL: nothing differs */
	bool is_anew; /* it is none of the base: so much differs that a difference is not worth its memory */
	uint32_t
		max_ttl; /* before: what the zone had at most; gets larger where a record comes that has more */
};

/* The edit that makes of @base (NULL: there is nothing) what was transferred. @signs: by the server itself; then the serial
 * is no difference. Costs what the change does, for an IXFR. E_MISMATCH: the changes do not fit @base: transfer all of the
 * zone. Else as diff_apply. */
MUST_USE int transferred_edit(const struct transferred *t, const struct version *base, bool signs,
			      struct taking *out, struct errmsg *em);

#endif

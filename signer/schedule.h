/* signer/schedule.h - when signatures have to be renewed.
 *
 * Threads: no state; reads an immutable version. */
#ifndef SIGNER_SCHEDULE_H
#define SIGNER_SCHEDULE_H

#include "zones/version.h"

/* What is to be renewed together: nodes with signatures that expire soon. */
struct schedule {
	const struct node **due; /* heap; of the version; those that expire first come first */
	size_t count;
	int64_t next; /* seconds: when the first signature that is not due expires; INT64_MAX: never */
};

/* Lists the nodes of @v with a signature that expires before @limit, at most @most of them, those that
 * expire first. Walks the whole zone: 0.1 s for a million names. */
void schedule_make(const struct version *v, int64_t now, int64_t limit, size_t most,
		   struct schedule *out);
void schedule_clear(struct schedule *s);

#endif

/* server/errand.h - a command whose work jobs do: orders go out to the keepers of zones, and the command is answered when
 * all have come back.
 *
 * Threads: the control thread.
 * Memory:  errands free themselves. */
#ifndef SERVER_ERRAND_H
#define SERVER_ERRAND_H

#include "server/daemon.h"

/* Has @run done for the zone @z; what is told goes into the report of @r (taken). The words behind the zone are the
 * order's. */
void errand_one(struct daemon *d, struct control_request *r, const struct load_zone *z,
		order_fn *run);
/* The same for all zones that have a keeper (@only_own: but those that come from primaries); what is told is how many there
 * were, and which failed. */
void errand_all(struct daemon *d, struct control_request *r, order_fn *run, bool only_own);

#endif

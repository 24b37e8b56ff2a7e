/* server/guard.h - does a zone file that has changed, or a transfer, take out so much of the zone that somebody should look
 * at it first? A file that was cut off in the middle reads well, and looks like that.
 *
 * Threads: no state. */
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H

#include "server/config.h"
#include "zones/version.h"

/* With a share of the zone as the limit, so many records may go in any case: small zones change as a whole. */
#define GUARD_LEAST 100

/* Looks at what leads from @before, the zone file as it was, or the zone that was transferred, to @after. SOA records and
 * what signing makes (RRSIG, NSEC, NSEC3, NSEC3PARAM) do not count. Costs what differs, where nothing is held. E_HELD: more
 * goes than zones.max-removed of @c lets go, and than *removed says, which somebody has approved; it is in the log, @em says
 * it, with the remedy, and *removed is how many records that are. */
MUST_USE int guard_check(const struct config_zone *c, const struct version *before,
			 const struct version *after, uint64_t *removed, struct errmsg *em);

#endif

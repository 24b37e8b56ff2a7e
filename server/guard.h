/* server/guard.h - does a zone file that has changed take out so much of the zone that somebody should look at it first? One
 * that was cut off in the middle reads well, and looks like that.
 *
 * Threads: no state. */
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H

#include "server/config.h"
#include "zones/version.h"

/* With a share of the zone as the limit, so many records may go in any case: small zones change as a whole. */
#define GUARD_LEAST 100

/* Looks at what leads from @before, the zone file as it was, to @after. SOA records and what signing makes (RRSIG, NSEC,
 * NSEC3, NSEC3PARAM) do not count. E_HELD: more goes than zones.max-removed of @c lets go; it is in the log, and @em
 * says it, with the remedy. */
MUST_USE int guard_check(const struct config_zone *c, const struct version *before,
			 const struct version *after, struct errmsg *em);

#endif

/* server/status.h - what is told of the server and its zones.
 *
 * Threads: one that is a reader of epochs and offline (zones/base/epoch.h): the control thread; status_key: any. */
#ifndef SERVER_STATUS_H
#define SERVER_STATUS_H

#include "server/daemon.h"
#include "server/report.h"

/* Which program this is, how long it runs, how many zones are in which state. */
void status_server(struct report *r, const struct daemon_state *s);
/* What is served of the zone, why it is not newer, what goes on and what comes next. @kept: what its keeper tells; NULL:
 * it has none. */
void status_zone(struct report *r, const struct load_zone *z, const struct daemon_kept *kept);
/* What becomes of a zone that has primaries. */
void status_refresh(struct report *r, const struct refresh_status *s);
/* How many zones the catalog @apex lists, and why it is broken, if it is. */
void status_catalog(struct report *r, const struct catalogs *c, const uint8_t *apex);
/* An item of a list of keys, to be added to. */
void status_key(struct report *r, const struct key *k, bool can_sign, int64_t now);
/* A list of all zones. */
void status_zones(struct report *r, const struct daemon_state *s);
/* Memory, processor time, records. */
void status_counts(struct report *r, const struct daemon_state *s);

#endif

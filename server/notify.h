/* server/notify.h - tells others that a zone has changed (RFC 1996): by UDP, again and again until they answer.
 *
 * Who is told: the remotes of zones.notify, and the servers of the NS set whose addresses are in a zone of this server,
 * but for the one that the SOA names. While one has not answered, a newer serial takes the place of the old, and is
 * told within a second.
 *
 * Threads: that of the loop. */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include "server/config.h"
#include "server/loop.h"
#include "server/tsig.h"
#include "zones/zone.h"

struct notify;

/* Any thread: could there be somebody to tell of a change that leads to @v? */
bool notify_is_wanted(const struct config_zone *c, const struct version *v);

struct notify *notify_new(struct loop *loop);
void notify_free(struct notify *n); /* NULL is fine */
/* All borrowed until the next call. What waits for an answer is told anew. */
void notify_set(struct notify *n, const struct config *config, const struct zoneset *zones,
		const struct tsig_ring *ring);
/* @zone has changed. */
void notify_changed(struct notify *n, const uint8_t *zone);
/* All zones may have changed: as at start. */
void notify_all(struct notify *n);
/* Tells again whom it is time to tell. Returns the milliseconds until the next; -1: none waits. */
int64_t notify_tick(struct notify *n);

#endif

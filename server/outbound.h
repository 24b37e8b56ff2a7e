/* server/outbound.h - the thread that talks to other servers: it keeps secondary zones current (server/refresh.h), tells
 * secondaries of changes (server/notify.h), hears what primaries have to tell, and passes updates on to them
 * (server/forward.h).
 *
 * Threads: a loop of its own; the calls say who may make them.
 * Memory:  configuration and zones are borrowed until the next outbound_set. */
#ifndef SERVER_OUTBOUND_H
#define SERVER_OUTBOUND_H

#include "server/jobs.h"
#include "server/refresh.h"

struct outbound;

/* Starts the thread. @jobs (NULL: none, and so no secondary zones) is borrowed until outbound_stop. E_LIMIT, E_IO. */
MUST_USE int outbound_new(struct jobs *jobs, struct outbound **out, struct errmsg *em);
/* Ends the thread, and answers what waits. Before jobs and workers stop; the struct stays for what they still have to
 * tell. NULL is fine. */
void outbound_stop(struct outbound *o);
void outbound_free(struct outbound *o); /* NULL is fine */

/* Control thread: goes on with @config and @zones; returns when nothing of before is in use any more. E_CRYPTO: there
 * is no use of TSIG keys. */
MUST_USE int outbound_set(struct outbound *o, const struct config *config,
			  const struct zoneset *zones);
/* All zones are told of anew, as after a start. */
void outbound_tell_all(struct outbound *o);

/* Control thread: transfers all of @zone from its primaries, whatever their serial. Never waits. */
void outbound_retransfer(struct outbound *o, const uint8_t *zone);
/* Control thread: transfers what was held back of @zone. Never waits. */
void outbound_approve(struct outbound *o, const uint8_t *zone);
/* Control thread: how it stands with @zone. False: it has no primaries. Waits for the thread. */
bool outbound_look(struct outbound *o, const uint8_t *zone, struct refresh_status *out);

/* Any thread: @zone has changed, and its secondaries are to know. */
void outbound_changed(struct outbound *o, const uint8_t *zone);
/* Any thread: takes a NOTIFY, or an UPDATE of a zone with primaries (server/forward.h). */
void outbound_submit(struct outbound *o, struct request *r);

#endif

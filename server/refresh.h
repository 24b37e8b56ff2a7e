/* server/refresh.h - keeps zones current that come from primaries: when they are asked, which, and what becomes of the
 * answer (RFC 1034 §4.3.5, RFC 1995, RFC 1996).
 *
 *     due, or notified → wait for a turn → IXFR over TCP ─┬─ nothing new ────────────┐
 *                              ↑                          ├─ changes, or all of it ──┤ job: server/secondary.h
 *                              │                          └─ no: AXFR, or the next   │
 *                              └───────────── again after SOA refresh, or retry ─────┘
 *
 * There is no query for the SOA: the answer to an IXFR begins with it, and ends there where nothing is new. Primaries are
 * tried in order, the one that has notified first. When none answers, the time until the next attempt grows.
 *
 * Threads: that of the loop.
 * Memory:  refresh_free only when the jobs have stopped. */
#ifndef SERVER_REFRESH_H
#define SERVER_REFRESH_H

#include "server/jobs.h"
#include "server/loop.h"
#include "server/tls_load.h"

struct refresh;

struct refresh *refresh_new(struct loop *loop, struct jobs *jobs);
void refresh_free(struct refresh *r); /* NULL is fine */
/* From now on the zones of @config that have primaries are kept current. What was under way begins again. @config, @zones,
 * @ring and @tls are borrowed until the next call. */
void refresh_set(struct refresh *r, const struct config *config, const struct zoneset *zones,
		 const struct tsig_ring *ring, const struct tls_remotes *tls);
/* Begins nothing any more, and ends what is under way. */
void refresh_stop(struct refresh *r);
/* What is due. At least once a second. */
void refresh_tick(struct refresh *r);

/* Somebody says that @zone has changed. Returns the rcode of the answer. */
uint16_t refresh_notified(struct refresh *r, const uint8_t *zone, const struct acl_client *client,
			  const uint32_t *serial);

#define REFRESH_REASON_MAX 300

/* How it stands with a zone. */
struct refresh_status {
	int64_t next;	    /* seconds: the next attempt */
	int64_t expires_at; /* seconds; 0: it has nothing that could expire */
	bool is_expired, is_active;
	bool has_serial;
	uint32_t serial; /* of the primary, that there is here */
	uint64_t held;	 /* records that would go by what waits for approval; 0: nothing does */
	char reason[REFRESH_REASON_MAX]; /* why the last attempt failed; "": it did not */
};
/* False: it is no zone with primaries. */
bool refresh_status(const struct refresh *r, const uint8_t *zone, struct refresh_status *out);
/* Asks at once; @whole: for all of the zone, whatever its serial. False: no such zone. */
bool refresh_now(struct refresh *r, const uint8_t *zone, bool whole);
/* Asks at once, and takes what takes out no more than what was held back (server/guard.h) does. */
void refresh_approve(struct refresh *r, const uint8_t *zone);

#endif

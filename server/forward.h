/* server/forward.h - passes UPDATE messages of secondary zones on to their primaries (RFC 2136 §6).
 *
 *     who may ask → a primary, over TCP or TLS ─┬─ its answer → the client
 *                     ↑                         └─ none
 *                     └───── the next, in order ──────┘     ... none of all: SERVFAIL
 *
 * The octets go as they came: a TSIG is the client's and the primary's (RFC 8945 §5.5), and knows the id that it was made
 * for. The header has an id of ours meanwhile, but for messages with a SIG(0), which covers it (RFC 2931 §3.1); each has a
 * connection of its own, so there is nothing to mix it up with. A key that is one of ours is looked at, and must be good.
 *
 * A client that sends a datagram again while the first is under way has not asked twice.
 *
 * Threads: that of the loop. */
#ifndef SERVER_FORWARD_H
#define SERVER_FORWARD_H

#include "server/config.h"
#include "server/loop.h"
#include "server/request.h"
#include "server/tls_load.h"
#include "server/tsig.h"

/* Messages that are under way; more are answered SERVFAIL. */
#define FORWARD_MAX 256
/* A primary that says nothing for so long is given up; and all of them. */
#define FORWARD_PATIENCE_MS 10000
#define FORWARD_TIME_MS	    30000

struct forward;

struct forward *forward_new(struct loop *loop);
void forward_free(struct forward *f); /* NULL is fine */
/* All borrowed until the next call. What is under way goes on. */
void forward_set(struct forward *f, const struct config *config, const struct tsig_ring *ring,
		 const struct tls_remotes *tls);
/* Takes @r, an UPDATE that names a zone. */
void forward_take(struct forward *f, struct request *r);
/* Gives up what has taken too long. About once a second. */
void forward_tick(struct forward *f);
/* Takes nothing any more; what is under way gets no answer. */
void forward_stop(struct forward *f);

#endif

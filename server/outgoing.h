/* server/outgoing.h - a connection to another server: messages with two octets of length in front (RFC 1035 §4.2.2),
 * over TCP, or TLS where the remote has what it takes to know it by (RFC 9103 §9.3.2: strict). Never waits.
 *
 * Threads: that of the event base.
 * Memory:  outgoing_close frees; a callback that returns false has it closed, and must not close it itself. */
#ifndef SERVER_OUTGOING_H
#define SERVER_OUTGOING_H

#include <stdbool.h>

#include "server/tls_load.h"

struct event_base;
struct outgoing;

struct outgoing_handler {
	void *arg;
	/* A message came, borrowed. False: no more is wanted. */
	bool (*message)(void *arg, uint8_t *octets, size_t len);
	/* It ended: refused, broken, closed by the peer, silent for too long, or not the right one; @why is text. It is
	 * closed behind this. */
	void (*ended)(void *arg, const char *why);
};

struct outgoing_wish {
	const struct config_peer *peer;
	const struct tls_remotes *tls; /* of the peer's configuration */
	int64_t patience_ms;
	struct outgoing_handler handler;
};

/* Begins to connect. When nothing comes, or nothing can be sent, for the time of the patience, it ends. What is in the wish
 * but for the handler's arg is not used any more behind this. E_IO: there is no socket for it; E_CRYPTO, and others of
 * tls_remotes_get. @em says why. */
MUST_USE int outgoing_open(struct event_base *base, const struct outgoing_wish *wish,
			   struct outgoing **out, struct errmsg *em);
/* Copies the message, and sends it when it can. */
void outgoing_send(struct outgoing *o, const uint8_t *message, size_t len);
void outgoing_close(struct outgoing *o); /* NULL is fine */

#endif

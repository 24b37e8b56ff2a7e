/* server/outgoing.h - a connection to another server: messages with two octets of length in front (RFC 1035 §4.2.2),
 * over TCP. Never waits.
 *
 * Threads: that of the event base.
 * Memory:  outgoing_close frees; a callback that returns false has it closed, and must not close it itself. */
#ifndef SERVER_OUTGOING_H
#define SERVER_OUTGOING_H

#include <stdbool.h>

#include "server/address.h"

struct event_base;
struct outgoing;

struct outgoing_handler {
	void *arg;
	/* A message came, borrowed. False: no more is wanted. */
	bool (*message)(void *arg, uint8_t *octets, size_t len);
	/* It ended: refused, broken, closed by the peer, or silent for too long; @why is text. It is closed behind this. */
	void (*ended)(void *arg, const char *why);
};

/* Begins to connect to @to. When nothing comes, or nothing can be sent, for @patience_ms, it ends. E_IO: there is no
 * socket for it. */
MUST_USE int outgoing_open(struct event_base *base, const struct address *to, int64_t patience_ms,
			   const struct outgoing_handler *handler, struct outgoing **out);
/* Copies the message, and sends it when it can. */
void outgoing_send(struct outgoing *o, const uint8_t *message, size_t len);
void outgoing_close(struct outgoing *o); /* NULL is fine */

#endif

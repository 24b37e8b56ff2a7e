/* server/transport.h - what stands between the octets of a socket and those of messages.
 *
 *     socket ── the wire's octets ──▶ read  ── clear octets ──▶ messages
 *     socket ◀── the wire's octets ── write ◀── clear octets ── answers
 *
 * A transport knows no socket, no event and no time: it is given what came, and says what has to go. So
 * framing, limits and timeouts are written once (server/stream.h, server/tcp.h), and connections differ in
 * this alone: over TCP octets are clear as they are (no transport, `ops` is NULL), over TLS they are not
 * (server/tls.h). A handshake is octets that come and go like all others, and no message.
 *
 * Threads: one for each state.
 * Memory:  the state belongs to who holds the struct, until ops->free. */
#ifndef SERVER_TRANSPORT_H
#define SERVER_TRANSPORT_H

#include <stdbool.h>

#include "zones/base/buf.h"
#include "zones/dns/dname.h"

struct transport_wire {
	const uint8_t *in; /* came from the client; borrowed; what was used is taken off */
	size_t in_len;
	struct buf *out; /* has to go to the client; all functions may add to it */
};

struct transport_ops {
	/* The next clear octets of what came, at most @room of them. 0: all that came is used, or kept until
	 * the rest comes. Negative: the client ends, or does not speak as it has to; do not read again. */
	int (*read)(void *state, struct transport_wire *wire, uint8_t *to, size_t room);
	/* False: nothing can be sent any more. */
	bool (*write)(void *state, struct transport_wire *wire, const uint8_t *octets, size_t len);
	/* Takes leave. */
	void (*end)(void *state, struct transport_wire *wire);
	void (*free)(void *state);
	/* The names that the client has proved to be its own; borrowed until free. NULL: it cannot. */
	struct dname_list (*names)(void *state);
	/* May zones be transferred over it? NULL: yes. */
	bool (*takes_zones)(void *state);
};

struct transport {
	const struct transport_ops *ops;
	void *state;
};

#endif

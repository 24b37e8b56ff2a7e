/* server/outgoing.c - a connection to another server.
 *
 *     bufferevent ── the wire's octets ─┬───────────── TCP ─────────────┬─▶ messages
 *                                       └─▶ transport ─▶ clear ── TLS ──┘ */
#include "server/outgoing.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <string.h>

#include "server/transport.h"
#include "zones/base/mem.h"
#include "zones/base/wire.h"
#include "zones/dns/message.h"

#define LENGTH_LEN 2
/* Octets that wait to be looked at; the peer is slowed down when there are more. */
#define IN_MAX ((size_t)4 * (LENGTH_LEN + MESSAGE_MAX))
/* Of a record of TLS. */
#define RECORD_MAX 16384

struct outgoing {
	struct bufferevent *bev;
	struct outgoing_handler handler;
	/* TLS; else ops is NULL, and nothing of this is used. */
	struct transport transport;
	struct evbuffer *clear; /* came, and is no whole message yet */
	struct buf unsent;	/* clear: it waits for the server to prove who it is */
};

/* What the transport has to say goes to the peer. */
static void flush(struct outgoing *o, struct buf *octets)
{
	if (octets->len != 0) {
		(void)bufferevent_write(o->bev, octets->data, octets->len);
	}
	buf_clear(octets);
}

/* Takes leave; what the socket does not take at once is not waited for. */
static void end_transport(struct outgoing *o)
{
	struct evbuffer *out = bufferevent_get_output(o->bev);
	struct buf octets = { 0 };
	struct transport_wire wire = { .out = &octets };
	o->transport.ops->end(o->transport.state, &wire);
	flush(o, &octets);
	(void)evbuffer_unfreeze(out, 1);
	(void)evbuffer_write(out, bufferevent_getfd(o->bev));
	o->transport.ops->free(o->transport.state);
}

void outgoing_close(struct outgoing *o)
{
	if (o == NULL) {
		return;
	}
	if (o->transport.ops != NULL) {
		end_transport(o);
	}
	if (o->clear != NULL) {
		evbuffer_free(o->clear);
	}
	buf_clear(&o->unsent);
	if (o->bev != NULL) {
		bufferevent_free(o->bev);
	}
	mem_free(o);
}

static void end(struct outgoing *o, const char *why)
{
	o->handler.ended(o->handler.arg, why);
	outgoing_close(o);
}

/* Hands over the whole messages of @in. False: it is closed. */
static bool deliver(struct outgoing *o, struct evbuffer *in)
{
	uint8_t length[LENGTH_LEN];
	while (evbuffer_copyout(in, length, sizeof(length)) == (ev_ssize_t)sizeof(length)) {
		const size_t len = be16_get(length);
		if (evbuffer_get_length(in) < LENGTH_LEN + len) {
			return true;
		}
		uint8_t *octets = evbuffer_pullup(in, (ev_ssize_t)(LENGTH_LEN + len));
		if (!o->handler.message(o->handler.arg, octets + LENGTH_LEN, len)) {
			outgoing_close(o);
			return false;
		}
		(void)evbuffer_drain(in, LENGTH_LEN + len);
	}
	return true;
}

/* --- TLS ------------------------------------------------------------------------------------- */

static void encrypt(struct outgoing *o, const uint8_t *octets, size_t len)
{
	struct buf wire_octets = { 0 };
	struct transport_wire wire = { .out = &wire_octets };
	/* What cannot be sent ends when the other side does. */
	(void)o->transport.ops->write(o->transport.state, &wire, octets, len);
	flush(o, &wire_octets);
}

/* Negative: it has ended, and tls_failure says why. */
static int decrypt(struct outgoing *o)
{
	struct evbuffer *in = bufferevent_get_input(o->bev);
	const size_t len = evbuffer_get_length(in);
	struct buf said = { 0 };
	struct transport_wire wire = { .in = evbuffer_pullup(in, -1), .in_len = len, .out = &said };
	uint8_t octets[RECORD_MAX];
	int n;
	do {
		n = o->transport.ops->read(o->transport.state, &wire, octets, sizeof(octets));
		if (n > 0) {
			(void)evbuffer_add(o->clear, octets, (size_t)n);
		}
	} while (n > 0);
	(void)evbuffer_drain(in, len);
	flush(o, &said);
	return n;
}

/* A turn of the transport: takes what came, and sends what has waited for the handshake. */
static void turn(struct outgoing *o)
{
	const int err = decrypt(o);
	if (err == 0 && o->unsent.len != 0 && tls_is_open(&o->transport)) {
		encrypt(o, (const uint8_t *)o->unsent.data, o->unsent.len);
		buf_clear(&o->unsent);
	}
	if (deliver(o, o->clear) && err < 0) {
		end(o, tls_failure(&o->transport));
	}
}

/* --- events ---------------------------------------------------------------------------------- */

static void on_read(struct bufferevent *bev, void *arg)
{
	struct outgoing *o = arg;
	if (o->transport.ops != NULL) {
		turn(o);
	} else {
		(void)deliver(o, bufferevent_get_input(bev));
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct outgoing *o = arg;
	const bool shakes_hands = o->transport.ops != NULL && !tls_is_open(&o->transport);
	if ((what & BEV_EVENT_CONNECTED) != 0) {
		int one = 1;
		(void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one,
				 sizeof(one));
		if (o->transport.ops != NULL) {
			turn(o);
		}
	} else if ((what & BEV_EVENT_TIMEOUT) != 0) {
		end(o, "does not answer");
	} else if ((what & BEV_EVENT_EOF) != 0) {
		end(o, shakes_hands ? "closes the connection in the TLS handshake"
				    : "closes the connection");
	} else {
		const int error = EVUTIL_SOCKET_ERROR();
		end(o, error != 0 ? strerror(error) : "cannot be connected to");
	}
}

/* --- life ------------------------------------------------------------------------------------ */

static int connect_to(struct outgoing *o, struct event_base *base, const struct address *to,
		      int64_t patience_ms)
{
	const struct timeval patience = { .tv_sec = patience_ms / 1000,
					  .tv_usec = patience_ms % 1000 * 1000 };
	/* Callbacks wait for their turn, so that nobody is called back from his own call. */
	o->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (o->bev == NULL) {
		return E_IO;
	}
	bufferevent_setcb(o->bev, on_read, NULL, on_event, o);
	(void)bufferevent_set_timeouts(o->bev, &patience, &patience);
	bufferevent_setwatermark(o->bev, EV_READ, 0, IN_MAX);
	(void)bufferevent_set_max_single_read(o->bev, IN_MAX);
	(void)bufferevent_enable(o->bev, EV_READ | EV_WRITE);
	return bufferevent_socket_connect(o->bev, &to->any, (int)to->len) == 0 ? E_OK : E_IO;
}

int outgoing_open(struct event_base *base, const struct outgoing_wish *wish, struct outgoing **out,
		  struct errmsg *em)
{
	struct outgoing *o = mem_zalloc(sizeof(*o));
	struct tls_client *tls = NULL;
	o->handler = wish->handler;
	int err = tls_remotes_get(wish->tls, wish->peer->remote, &tls, em);
	if (err == E_OK) {
		err = connect_to(o, base, &wish->peer->stream, wish->patience_ms);
		if (err != E_OK) {
			(void)err_set(em, err, "cannot be asked: there is no socket for it");
		}
	}
	if (err == E_OK && tls != NULL) {
		o->clear = evbuffer_new();
		err = o->clear != NULL ? tls_connect(tls, &o->transport) : E_CRYPTO;
		if (err != E_OK) {
			(void)err_set(em, err, "cannot be asked: TLS has no resources");
		}
	}
	if (err != E_OK) {
		outgoing_close(o);
		return err;
	}
	*out = o;
	return E_OK;
}

void outgoing_send(struct outgoing *o, const uint8_t *message, size_t len)
{
	uint8_t length[LENGTH_LEN];
	be16_put(length, (uint16_t)len);
	if (o->transport.ops == NULL) {
		(void)bufferevent_write(o->bev, length, sizeof(length));
		(void)bufferevent_write(o->bev, message, len);
		return;
	}
	buf_add(&o->unsent, length, sizeof(length));
	buf_add(&o->unsent, message, len);
	if (tls_is_open(&o->transport)) {
		encrypt(o, (const uint8_t *)o->unsent.data, o->unsent.len);
		buf_clear(&o->unsent);
	}
}

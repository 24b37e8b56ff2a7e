/* server/outgoing.c - a connection to another server. */
#include "server/outgoing.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <string.h>

#include "zones/base/mem.h"
#include "zones/base/wire.h"
#include "zones/dns/message.h"

#define LENGTH_LEN 2
/* Octets that wait to be looked at; the peer is slowed down when there are more. */
#define IN_MAX ((size_t)4 * (LENGTH_LEN + MESSAGE_MAX))

struct outgoing {
	struct bufferevent *bev;
	struct outgoing_handler handler;
};

void outgoing_close(struct outgoing *o)
{
	if (o != NULL) {
		bufferevent_free(o->bev);
		mem_free(o);
	}
}

static void end(struct outgoing *o, const char *why)
{
	o->handler.ended(o->handler.arg, why);
	outgoing_close(o);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct outgoing *o = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	uint8_t length[LENGTH_LEN];
	while (evbuffer_copyout(in, length, sizeof(length)) == (ev_ssize_t)sizeof(length)) {
		const size_t len = be16_get(length);
		if (evbuffer_get_length(in) < LENGTH_LEN + len) {
			return;
		}
		uint8_t *octets = evbuffer_pullup(in, (ev_ssize_t)(LENGTH_LEN + len));
		if (!o->handler.message(o->handler.arg, octets + LENGTH_LEN, len)) {
			outgoing_close(o);
			return;
		}
		(void)evbuffer_drain(in, LENGTH_LEN + len);
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct outgoing *o = arg;
	if ((what & BEV_EVENT_CONNECTED) != 0) {
		int one = 1;
		(void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one,
				 sizeof(one));
	} else if ((what & BEV_EVENT_TIMEOUT) != 0) {
		end(o, "does not answer");
	} else if ((what & BEV_EVENT_EOF) != 0) {
		end(o, "closes the connection");
	} else {
		const int error = EVUTIL_SOCKET_ERROR();
		end(o, error != 0 ? strerror(error) : "cannot be connected to");
	}
}

int outgoing_open(struct event_base *base, const struct address *to, int64_t patience_ms,
		  const struct outgoing_handler *handler, struct outgoing **out)
{
	struct outgoing *o = mem_zalloc(sizeof(*o));
	const struct timeval patience = { .tv_sec = patience_ms / 1000,
					  .tv_usec = patience_ms % 1000 * 1000 };
	o->handler = *handler;
	/* Callbacks wait for their turn, so that nobody is called back from his own call. */
	o->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (o->bev == NULL) {
		mem_free(o);
		return E_IO;
	}
	bufferevent_setcb(o->bev, on_read, NULL, on_event, o);
	(void)bufferevent_set_timeouts(o->bev, &patience, &patience);
	bufferevent_setwatermark(o->bev, EV_READ, 0, IN_MAX);
	(void)bufferevent_set_max_single_read(o->bev, IN_MAX);
	(void)bufferevent_enable(o->bev, EV_READ | EV_WRITE);
	if (bufferevent_socket_connect(o->bev, &to->any, (int)to->len) != 0) {
		bufferevent_free(o->bev);
		mem_free(o);
		return E_IO;
	}
	*out = o;
	return E_OK;
}

void outgoing_send(struct outgoing *o, const uint8_t *message, size_t len)
{
	uint8_t length[LENGTH_LEN];
	be16_put(length, (uint16_t)len);
	(void)bufferevent_write(o->bev, length, sizeof(length));
	(void)bufferevent_write(o->bev, message, len);
}

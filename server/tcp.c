/* server/tcp.c - queries over TCP. */
#include "server/tcp.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "zones/base/mem.h"
#include "zones/dns/message.h"

/* Connections taken in a row before others get their turn. */
#define ACCEPT_MAX 64
/* Out of file descriptors: nothing is accepted for so long (microseconds). */
#define PAUSE_US 100000
/* Queries of one client that are answered before other clients get their turn. */
#define TURN_MAX STRESSED(64, 1)

struct conn {
	struct tcp *tcp;
	struct bufferevent *bev;
	struct address_ip client;
	bool paused; /* too much output: not reading */
	bool ending; /* the client sent its last query */
	TAILQ_ENTRY(conn) link;
};

TAILQ_HEAD(conn_list, conn);

struct listener {
	struct tcp *tcp;
	int fd;
	struct event *event;
	struct listener *next;
};

struct tcp {
	struct event_base *base;
	tcp_answer_fn *answer;
	tcp_limits_fn *limits;
	void *arg;
	struct listener *listeners;
	struct event *resume;	/* after PAUSE_US */
	struct conn_list conns; /* the one idle for longest first */
	uint32_t count;
	bool stopping;
	uint8_t out[2 + MESSAGE_MAX];
};

static void conn_close(struct conn *c)
{
	struct tcp *t = c->tcp;
	TAILQ_REMOVE(&t->conns, c, link);
	t->count--;
	bufferevent_free(c->bev);
	mem_free(c);
	if (t->stopping && t->count == 0) {
		(void)event_base_loopbreak(t->base); /* that was the last thing to do */
	}
}

static size_t output_waiting(const struct conn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

/* Nothing will come from the client any more: the connection ends with its last answer. */
static bool is_done(const struct conn *c)
{
	return (c->ending || c->tcp->stopping) && output_waiting(c) == 0;
}

/* Answers the next whole query in the buffer. False: there is none. */
static bool answer_one(struct conn *c)
{
	struct tcp *t = c->tcp;
	struct evbuffer *in = bufferevent_get_input(c->bev);
	uint8_t prefix[2];
	if (evbuffer_copyout(in, prefix, 2) != 2) {
		return false;
	}
	size_t len = be16_get(prefix);
	if (evbuffer_get_length(in) < 2 + len) {
		return false;
	}
	const uint8_t *message = evbuffer_pullup(in, (ev_ssize_t)(2 + len));
	if (message == NULL) {
		return false;
	}
	const struct tcp_query query = { message + 2, len, &c->client };
	size_t n = t->answer(t->arg, &query, t->out + 2, MESSAGE_MAX);
	(void)evbuffer_drain(in, 2 + len);
	if (n != 0) {
		be16_put(t->out, (uint16_t)n);
		(void)bufferevent_write(c->bev, t->out, 2 + n);
	}
	/* Active now: last in the list of the idle. */
	TAILQ_REMOVE(&t->conns, c, link);
	TAILQ_INSERT_TAIL(&t->conns, c, link);
	return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	const struct tcp_limits limits = c->tcp->limits(c->tcp->arg);
	unsigned turn = 0;
	bool more = true;
	while (turn++ < TURN_MAX && output_waiting(c) < limits.output && more) {
		more = answer_one(c);
	}
	if (output_waiting(c) >= limits.output) {
		c->paused = true; /* until on_write */
		(void)bufferevent_disable(bev, EV_READ);
	} else if (more) {
		bufferevent_trigger(bev, EV_READ,
				    BEV_TRIG_DEFER_CALLBACKS | BEV_TRIG_IGNORE_WATERMARKS);
	} else if (is_done(c)) {
		conn_close(c);
	}
}

/* The output was sent. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	if (c->paused) {
		c->paused = false;
		if (!c->ending) {
			(void)bufferevent_enable(bev, EV_READ);
		}
		on_read(bev, c); /* what is in the buffer already */
	} else if (is_done(c)) {
		conn_close(c);
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	if ((what & BEV_EVENT_EOF) != 0 && (what & BEV_EVENT_READING) != 0) {
		/* Half closed: what it asked before is still answered. */
		c->ending = true;
		(void)bufferevent_disable(bev, EV_READ);
		if (c->paused) {
			return;
		}
		on_read(bev, c);
		return;
	}
	conn_close(c); /* idle for too long, slow for too long, or broken */
}

static void conn_open(struct tcp *t, int fd, const struct sockaddr *peer)
{
	const struct tcp_limits limits = t->limits(t->arg);
	const struct timeval idle = { .tv_sec = (time_t)limits.idle_s };
	int one = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (t->count >= limits.clients && !TAILQ_EMPTY(&t->conns)) {
		conn_close(TAILQ_FIRST(&t->conns));
	}
	struct bufferevent *bev = bufferevent_socket_new(t->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL) {
		(void)close(fd);
		return;
	}
	struct conn *c = mem_zalloc(sizeof(*c));
	c->tcp = t;
	c->bev = bev;
	c->client = address_ip_of(peer);
	TAILQ_INSERT_TAIL(&t->conns, c, link);
	t->count++;
	bufferevent_setcb(bev, on_read, on_write, on_event, c);
	/* Never more in memory than one message and the start of the next. */
	bufferevent_setwatermark(bev, EV_READ, 0, 2 * (2 + MESSAGE_MAX));
	bufferevent_set_timeouts(bev, &idle, &idle);
	(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void listeners_set(struct tcp *t, bool on)
{
	for (struct listener *l = t->listeners; l != NULL; l = l->next) {
		if (on) {
			(void)event_add(l->event, NULL);
		} else {
			(void)event_del(l->event);
		}
	}
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	struct tcp *t = l->tcp;
	(void)what;
	for (unsigned i = 0; i < ACCEPT_MAX; i++) {
		struct address peer = { .len = sizeof(peer.v6) };
		int client = accept4(fd, &peer.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client >= 0) {
			conn_open(t, client, &peer.any);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			/* Would be called again at once, in vain. */
			const struct timeval pause = { .tv_usec = PAUSE_US };
			listeners_set(t, false);
			(void)event_add(t->resume, &pause);
		}
		return;
	}
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct tcp *t = arg;
	(void)fd;
	(void)what;
	if (!t->stopping) {
		listeners_set(t, true);
	}
}

struct tcp *tcp_new(struct event_base *base, tcp_answer_fn *answer, tcp_limits_fn *limits,
		    void *arg)
{
	struct tcp *t = mem_zalloc(sizeof(*t));
	t->base = base;
	t->answer = answer;
	t->limits = limits;
	t->arg = arg;
	t->resume = evtimer_new(base, on_resume, t);
	TAILQ_INIT(&t->conns);
	return t;
}

int tcp_listen(struct tcp *t, int fd)
{
	struct listener *l = mem_zalloc(sizeof(*l));
	l->tcp = t;
	l->fd = fd;
	l->event = event_new(t->base, fd, EV_READ | EV_PERSIST, on_accept, l);
	l->next = t->listeners;
	t->listeners = l;
	return l->event != NULL && event_add(l->event, NULL) == 0 ? E_OK : E_IO;
}

void tcp_stop(struct tcp *t)
{
	t->stopping = true;
	listeners_set(t, false);
	struct conn *c = TAILQ_FIRST(&t->conns);
	while (c != NULL) {
		struct conn *next = TAILQ_NEXT(c, link);
		if (is_done(c)) {
			conn_close(c);
		}
		c = next;
	}
}

bool tcp_is_idle(const struct tcp *t)
{
	return t->count == 0;
}

void tcp_free(struct tcp *t)
{
	if (t == NULL) {
		return;
	}
	while (!TAILQ_EMPTY(&t->conns)) {
		conn_close(TAILQ_FIRST(&t->conns));
	}
	while (t->listeners != NULL) {
		struct listener *l = t->listeners;
		t->listeners = l->next;
		if (l->event != NULL) {
			event_free(l->event);
		}
		mem_free(l);
	}
	if (t->resume != NULL) {
		event_free(t->resume);
	}
	mem_free(t);
}

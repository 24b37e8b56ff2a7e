/* server/tcp.c - connections: taken, answered, limited, closed.
 *
 * A connection is in two lists, each with the one idle for longest first: that of its client, and one of
 * the worker: `idle`, or `blocked` while answers wait for it. A clock that ticks while there are
 * connections looks at the start of the first list and at all of the second. One that moves to another thread
 * stands in the `inbox` there meanwhile, and in no other list. */
#include "server/tcp.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/client.h"
#include "server/clock.h"
#include "server/rrl.h"
#include "server/stream.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"

/* Connections taken in a row before others get their turn. */
#define ACCEPT_MAX 64
/* Of those with a handshake, which takes a worker 0.4 ms: datagrams get their turn in between. */
#define ACCEPT_ENCRYPTED_MAX 4
/* Out of file descriptors: nothing is accepted for so long, and it is said so often. */
#define PAUSE_MS  100
#define LAMENT_MS 60000
/* Connections that live too long are looked for so often. */
#define TICK_MS 250
/* Clients whose handshakes are counted, 16 octets each. */
#define HANDSHAKE_ENTRIES 4096

struct tcp_conn {
	struct tcp *tcp;
	struct stream stream;
	struct event *event;
	struct address_ip ip;
	struct client *client;
	bool is_encrypted;
	int64_t active_ms; /* when it was opened or last answered */
	size_t sent;	   /* octets that the system took */
	bool is_blocked;   /* answers wait, or there are more to come */
	bool is_leaving;   /* for another thread, when nothing is pending */
	short waits_for;   /* what the event is for; 0: it is not added */
	int64_t judged_ms; /* since when, or when it was last found to take them fast enough */
	size_t taken;	   /* octets that the client had taken then */
	bool is_closed;	   /* and only waits for tcp_respond */
	TAILQ_ENTRY(tcp_conn) link;
	TAILQ_ENTRY(tcp_conn) of_client;
};

TAILQ_HEAD(conn_list, tcp_conn);

struct listener {
	struct tcp *tcp;
	struct event *event;
	enum tcp_kind kind;
	struct listener *next;
};

struct tcp {
	struct event_base *base;
	struct tcp_handler handler;
	struct listener *listeners;
	struct event *resume; /* accepting */
	struct event *tick;
	struct conn_list idle, blocked;
	uint32_t count;
	struct client_table *clients;
	struct stream_scratch *scratch;
	struct rrl *handshakes; /* of clients; NULL: no listener is encrypted */
	int64_t lament_ms;	/* when it was last said that there are no file descriptors */
	bool stopping;
	struct tcp *to; /* who gets connections that leave; NULL: nobody */
	int inbox_fd;
	struct event *inbox_event;
	pthread_mutex_t inbox_lock;
	struct conn_list inbox; /* under it; connections that have come */
	bool is_shut;		/* under it; none is taken any more */
};

bool tcp_is_fed(const struct tcp_conn *c)
{
	return c->stream.source.next != NULL;
}

static struct conn_list *list_of(const struct tcp_conn *c)
{
	return c->is_blocked ? &c->tcp->blocked : &c->tcp->idle;
}

/* --- closing --------------------------------------------------------------------------------- */

/* Out of all lists of its thread. */
static void conn_leave(struct tcp_conn *c)
{
	struct tcp *t = c->tcp;
	TAILQ_REMOVE(list_of(c), c, link);
	TAILQ_REMOVE(&c->client->conns, c, of_client);
	client_leave(t->clients, c->client);
	c->client = NULL;
	event_free(c->event);
	c->event = NULL;
	t->count--;
	if (t->count == 0) {
		(void)event_del(t->tick);
		if (t->stopping) {
			(void)event_base_loopbreak(t->base); /* that was the last thing to do */
		}
	}
}

static void conn_close(struct tcp_conn *c)
{
	if (c->stream.unsent.len != 0 || tcp_is_fed(c)) {
		/* What it does not take is not kept for it by the system either. */
		const struct linger none = { .l_onoff = 1, .l_linger = 0 };
		(void)setsockopt(c->stream.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	}
	conn_leave(c);
	stream_close(&c->stream);
	c->is_closed = true;
	if (c->stream.pending == 0) {
		mem_free(c);
	}
}

/* Octets that the client has taken. What only waits in the system for it is none of them: that fills once,
 * whether anybody reads or not. */
static size_t taken_by(const struct tcp_conn *c)
{
	int waiting = 0;
	(void)ioctl(c->stream.fd, SIOCOUTQ, &waiting);
	return (size_t)waiting < c->sent ? c->sent - (size_t)waiting : 0;
}

static void judge_from(struct tcp_conn *c, int64_t now)
{
	c->judged_ms = now;
	c->taken = taken_by(c);
}

/* Does it take its answers too slowly? Judged by each @idle_ms for itself: who took much once may stop. */
static bool is_too_slow(struct tcp_conn *c, int64_t now, int64_t idle_ms)
{
	int64_t passed = now - c->judged_ms;
	size_t before = c->taken;
	if (passed < idle_ms) {
		return false;
	}
	judge_from(c, now);
	return (int64_t)(c->taken - before) * 1000 < passed * TCP_RATE_MIN;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct tcp *t = arg;
	const struct tcp_limits limits = t->handler.begin(t->handler.arg);
	int64_t now = clock_ms();
	struct tcp_conn *c = TAILQ_FIRST(&t->idle);
	(void)fd;
	(void)what;
	while (c != NULL && now - c->active_ms >= limits.idle_ms) {
		struct tcp_conn *next = TAILQ_NEXT(c, link);
		if (c->stream.pending == 0) {
			conn_close(c);
		}
		c = next;
	}
	c = TAILQ_FIRST(&t->blocked);
	while (c != NULL) {
		struct tcp_conn *next = TAILQ_NEXT(c, link);
		if (is_too_slow(c, now, limits.idle_ms)) {
			conn_close(c);
		}
		c = next;
	}
	t->handler.end(t->handler.arg);
}

/* Is @a rather to be closed than @b? Who is being fed would have to begin anew. */
static bool is_cheaper(const struct tcp_conn *a, const struct tcp_conn *b)
{
	return b == NULL ||
	       (a != NULL &&
		(tcp_is_fed(a) != tcp_is_fed(b) ? tcp_is_fed(b) : a->active_ms <= b->active_ms));
}

/* The one idle for longest of those that are not being fed, or of all. */
static struct tcp_conn *cheapest(const struct conn_list *list)
{
	struct tcp_conn *c = TAILQ_FIRST(list);
	while (c != NULL && tcp_is_fed(c)) {
		c = TAILQ_NEXT(c, link);
	}
	return c != NULL ? c : TAILQ_FIRST(list);
}

/* Closes connections until there is room for one more. */
static void make_room(struct tcp *t, const struct tcp_limits *limits)
{
	while (t->count != 0 && t->count >= limits->clients) {
		struct tcp_conn *idle = cheapest(&t->idle);
		struct tcp_conn *blocked = cheapest(&t->blocked);
		conn_close(is_cheaper(idle, blocked) ? idle : blocked);
	}
}

/* --- turns ----------------------------------------------------------------------------------- */

static size_t answer(void *arg, const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
	struct tcp_conn *c = arg;
	const struct tcp_query query = { c, in, len, &c->ip, c->is_encrypted };
	size_t n = c->tcp->handler.answer(c->tcp->handler.arg, &query, out, room);
	c->is_leaving = n == TCP_ELSEWHERE;
	return n == TCP_LATER || n == TCP_ELSEWHERE ? STREAM_LATER : n;
}

static void on_turn(evutil_socket_t fd, short what, void *arg);

/* The event is for what the stream waits for now. */
static void set_waits(struct tcp_conn *c, enum stream_state state)
{
	const bool reads = !c->stream.ended && !c->stream.is_stalled;
	const short waits_for = state == STREAM_READS	 ? EV_READ
				: state == STREAM_WRITES ? EV_WRITE
				: state == STREAM_SENDS	 ? EV_WRITE | (reads ? EV_READ : 0)
							 : 0;
	if (waits_for == c->waits_for) {
		return;
	}
	(void)event_del(c->event);
	(void)event_assign(c->event, c->tcp->base, c->stream.fd, (short)(waits_for | EV_PERSIST),
			   on_turn, c);
	if (waits_for != 0) {
		(void)event_add(c->event, NULL);
	}
	c->waits_for = waits_for;
}

/* Moves between the lists. */
static void set_blocked(struct tcp_conn *c, bool is_blocked)
{
	TAILQ_REMOVE(list_of(c), c, link);
	c->is_blocked = is_blocked;
	TAILQ_INSERT_TAIL(list_of(c), c, link);
}

static void set_active(struct tcp_conn *c, int64_t now)
{
	c->active_ms = now;
	TAILQ_REMOVE(list_of(c), c, link);
	TAILQ_INSERT_TAIL(list_of(c), c, link);
	TAILQ_REMOVE(&c->client->conns, c, of_client);
	TAILQ_INSERT_TAIL(&c->client->conns, c, of_client);
}

/* To who answers what we do not. */
static void conn_give(struct tcp_conn *c)
{
	struct tcp *to = c->tcp->to;
	if (to == NULL || c->tcp->stopping) {
		conn_close(c);
		return;
	}
	conn_leave(c);
	(void)pthread_mutex_lock(&to->inbox_lock);
	const bool is_shut = to->is_shut;
	if (!is_shut) {
		c->tcp = to;
		TAILQ_INSERT_TAIL(&to->inbox, c, link);
	}
	(void)pthread_mutex_unlock(&to->inbox_lock);
	if (is_shut) {
		stream_close(&c->stream);
		mem_free(c);
	} else {
		(void)eventfd_write(to->inbox_fd, 1);
	}
}

/* Closes the connection, gives it away, or has it wait for what its stream waits for. */
static void after_turn(struct tcp_conn *c, const struct stream_turn *turn, enum stream_state state)
{
	bool has_all = turn->received < STREAM_IN;
	bool is_done = state == STREAM_READS && c->tcp->stopping && has_all;
	if (state == STREAM_FINISHED || (is_done && c->stream.pending == 0)) {
		conn_close(c);
		return;
	}
	if (c->is_leaving && state == STREAM_WAITS && c->stream.pending == 0) {
		conn_give(c);
		return;
	}
	int64_t now = clock_ms();
	bool is_blocked = state == STREAM_WRITES || state == STREAM_SENDS;
	c->sent += turn->sent;
	if (is_blocked && !c->is_blocked) {
		judge_from(c, now);
	}
	bool was_blocked = c->is_blocked;
	if (is_blocked != was_blocked) {
		set_blocked(c, is_blocked);
	}
	set_waits(c, state);
	if (turn->answered != 0 || (was_blocked && !is_blocked)) {
		set_active(c, now);
	}
}

static void conn_turn(struct tcp_conn *c, const struct tcp_limits *limits, bool is_deaf)
{
	struct stream_turn turn = { .scratch = c->tcp->scratch,
				    .answer = answer,
				    .arg = c,
				    .limit = limits->output,
				    .is_deaf = is_deaf };
	after_turn(c, &turn, stream_turn(&c->stream, &turn));
}

void tcp_hold(struct tcp_conn *c)
{
	c->stream.pending++;
}

void tcp_respond(struct tcp_conn *c, const uint8_t *octets, size_t len)
{
	struct tcp *t = c->tcp;
	c->stream.pending--;
	if (c->is_closed) {
		if (c->stream.pending == 0) {
			mem_free(c);
		}
		return;
	}
	const struct tcp_limits limits = t->handler.begin(t->handler.arg);
	struct stream_turn turn = { .scratch = t->scratch, .limit = limits.output };
	if (len != 0) {
		after_turn(c, &turn, stream_push(&c->stream, &turn, octets, len));
	} else if (c->is_leaving && c->stream.pending == 0 && !c->is_blocked) {
		conn_give(c);
	} else if (c->stream.ended && c->stream.pending == 0 && !c->is_blocked) {
		conn_close(c);
	}
	t->handler.end(t->handler.arg);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_conn *c = arg;
	const struct tcp_handler handler = c->tcp->handler;
	(void)fd;
	const struct tcp_limits limits = handler.begin(handler.arg);
	conn_turn(c, &limits, c->stream.source.next != NULL && (what & EV_READ) == 0);
	handler.end(handler.arg);
}

struct dname_list tcp_names(const struct tcp_conn *c)
{
	const struct transport *t = &c->stream.transport;
	return t->ops != NULL && t->ops->names != NULL ? t->ops->names(t->state)
						       : (struct dname_list){ 0 };
}

bool tcp_takes_zones(const struct tcp_conn *c)
{
	const struct transport *t = &c->stream.transport;
	return t->ops == NULL || t->ops->takes_zones == NULL || t->ops->takes_zones(t->state);
}

void tcp_feed(struct tcp_conn *c, const struct stream_source *source)
{
	stream_feed(&c->stream, source);
}

/* --- accepting ------------------------------------------------------------------------------- */

/* Has its turns here from now on. E_IO. */
static int conn_watch(struct tcp_conn *c)
{
	c->event = event_new(c->tcp->base, c->stream.fd, EV_READ | EV_PERSIST, on_turn, c);
	if (c->event != NULL && event_add(c->event, NULL) == 0) {
		c->waits_for = EV_READ;
		return E_OK;
	}
	if (c->event != NULL) {
		event_free(c->event);
	}
	return E_IO;
}

static void conn_enter(struct tcp_conn *c, const struct tcp_limits *limits)
{
	struct tcp *t = c->tcp;
	const struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	c->client = client_enter(t->clients, &c->ip);
	c->active_ms = clock_ms();
	TAILQ_INSERT_TAIL(&t->idle, c, link);
	TAILQ_INSERT_TAIL(&c->client->conns, c, of_client);
	if (t->count++ == 0) {
		(void)event_add(t->tick, &tick);
	}
	if (c->client->count > limits->per_client) {
		struct tcp_conn *first = TAILQ_FIRST(&c->client->conns);
		while (first != c && tcp_is_fed(first)) {
			first = TAILQ_NEXT(first, of_client);
		}
		conn_close(first != c ? first : TAILQ_FIRST(&c->client->conns));
	}
}

/* The transport of a client at @ip; false: it is not served. */
static bool get_transport(struct tcp *t, const struct address_ip *ip,
			  const struct tcp_limits *limits, struct transport *out)
{
	const struct rrl_config rate = {
		.rate = limits->handshakes, .window_s = 1, .prefix_v4 = 32, .prefix_v6 = 64
	};
	return rrl_check(t->handshakes, &rate, ip, RRL_ANSWER, clock_ms()) == RRL_SEND &&
	       t->handler.encrypt(t->handler.arg, out);
}

/* A connection on @fd (taken), in no list yet; NULL: it cannot be served. */
static struct tcp_conn *conn_new(const struct listener *l, int fd, const struct address_ip *ip,
				 const struct tcp_limits *limits)
{
	struct tcp *t = l->tcp;
	struct transport transport = { 0 };
	bool is_encrypted = l->kind == TCP_ENCRYPTED;
	if (is_encrypted && !get_transport(t, ip, limits, &transport)) {
		(void)close(fd);
		return NULL;
	}
	struct tcp_conn *c = mem_zalloc(sizeof(*c));
	c->tcp = t;
	c->ip = *ip;
	c->is_encrypted = is_encrypted;
	stream_open(&c->stream, fd, is_encrypted ? &transport : NULL);
	if (conn_watch(c) != E_OK) {
		stream_close(&c->stream);
		mem_free(c);
		return NULL;
	}
	return c;
}

/* Takes @fd. */
static void conn_open(const struct listener *l, int fd, const struct sockaddr *peer,
		      const struct tcp_limits *limits)
{
	const struct address_ip ip = address_ip_of(peer);
	int unsent = (int)limits->output;
	/* What waits in the system for a client that does not read is bounded as well. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	struct tcp_conn *c = conn_new(l, fd, &ip, limits);
	if (c != NULL) {
		conn_enter(c, limits);
	}
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

/* Out of file descriptors or memory: accept would be called again at once, in vain. */
static void pause_accepting(struct tcp *t, int reason)
{
	const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };
	int64_t now = clock_ms();
	listeners_set(t, false);
	(void)event_add(t->resume, &pause);
	if (t->lament_ms == 0 || now - t->lament_ms >= LAMENT_MS) {
		t->lament_ms = now;
		log_warn("tcp-paused",
			 "connections=%u reason=\"%s\" remedy=\"allow more open files, or fewer "
			 "server.tcp-clients\"",
			 t->count,
			 reason == EMFILE || reason == ENFILE ? "no file descriptors"
							      : "no memory");
	}
}

static void accept_some(const struct listener *l, int fd, const struct tcp_limits *limits)
{
	unsigned most = l->kind == TCP_ENCRYPTED ? ACCEPT_ENCRYPTED_MAX : ACCEPT_MAX;
	for (unsigned i = 0; i < most; i++) {
		struct address peer = { .len = sizeof(peer.v6) };
		int client = accept4(fd, &peer.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client >= 0) {
			make_room(l->tcp, limits);
			conn_open(l, client, &peer.any, limits);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			pause_accepting(l->tcp, errno);
			return;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} /* else that one is gone again; the next */
	}
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	const struct listener *l = arg;
	struct tcp *t = l->tcp;
	(void)what;
	const struct tcp_limits limits = t->handler.begin(t->handler.arg);
	accept_some(l, fd, &limits);
	t->handler.end(t->handler.arg);
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

/* --- moving ---------------------------------------------------------------------------------- */

void tcp_give_to(struct tcp *t, struct tcp *to)
{
	t->to = to;
}

static struct tcp_conn *take_from_inbox(struct tcp *t)
{
	(void)pthread_mutex_lock(&t->inbox_lock);
	struct tcp_conn *c = TAILQ_FIRST(&t->inbox);
	if (c != NULL) {
		TAILQ_REMOVE(&t->inbox, c, link);
	}
	(void)pthread_mutex_unlock(&t->inbox_lock);
	return c;
}

/* The query that it was given for is the first to be answered. */
static void take_in(struct tcp *t, struct tcp_conn *c, const struct tcp_limits *limits)
{
	make_room(t, limits);
	if (conn_watch(c) != E_OK) {
		stream_close(&c->stream);
		mem_free(c);
		return;
	}
	c->is_leaving = false;
	c->stream.is_stalled = false;
	conn_enter(c, limits);
	conn_turn(c, limits, true);
}

static void on_inbox(evutil_socket_t fd, short what, void *arg)
{
	struct tcp *t = arg;
	struct tcp_conn *c;
	eventfd_t count;
	(void)what;
	(void)eventfd_read(fd, &count);
	const struct tcp_limits limits = t->handler.begin(t->handler.arg);
	while ((c = take_from_inbox(t)) != NULL) {
		take_in(t, c, &limits);
	}
	t->handler.end(t->handler.arg);
}

/* Nobody gives anything any more; what was given is not answered. */
static void shut_inbox(struct tcp *t)
{
	struct tcp_conn *c;
	(void)pthread_mutex_lock(&t->inbox_lock);
	t->is_shut = true;
	(void)pthread_mutex_unlock(&t->inbox_lock);
	while ((c = take_from_inbox(t)) != NULL) {
		stream_close(&c->stream);
		mem_free(c);
	}
}

/* --- life ------------------------------------------------------------------------------------ */

int tcp_new(struct event_base *base, const struct tcp_handler *handler, struct tcp **out)
{
	struct tcp *t = mem_zalloc(sizeof(*t));
	t->base = base;
	t->handler = *handler;
	TAILQ_INIT(&t->idle);
	TAILQ_INIT(&t->blocked);
	TAILQ_INIT(&t->inbox);
	(void)pthread_mutex_init(&t->inbox_lock, NULL);
	t->inbox_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	t->scratch = stream_scratch_new();
	t->resume = evtimer_new(base, on_resume, t);
	t->tick = event_new(base, -1, EV_PERSIST, on_tick, t);
	t->inbox_event = event_new(base, t->inbox_fd, EV_READ | EV_PERSIST, on_inbox, t);
	int err = client_table_new(&t->clients);
	if (err == E_OK && (t->resume == NULL || t->tick == NULL || t->inbox_fd < 0 ||
			    t->inbox_event == NULL || event_add(t->inbox_event, NULL) != 0)) {
		err = E_IO;
	}
	if (err != E_OK) {
		tcp_free(t);
		return err;
	}
	*out = t;
	return E_OK;
}

int tcp_listen(struct tcp *t, int fd, enum tcp_kind kind)
{
	struct listener *l = mem_zalloc(sizeof(*l));
	l->tcp = t;
	l->kind = kind;
	l->event = event_new(t->base, fd, EV_READ | EV_PERSIST, on_accept, l);
	l->next = t->listeners;
	t->listeners = l;
	if (kind == TCP_ENCRYPTED && t->handshakes == NULL) {
		int err = rrl_new(HANDSHAKE_ENTRIES, &t->handshakes);
		if (err != E_OK) {
			return err;
		}
	}
	return l->event != NULL && event_add(l->event, NULL) == 0 ? E_OK : E_IO;
}

static void activate(const struct conn_list *list)
{
	for (struct tcp_conn *c = TAILQ_FIRST(list); c != NULL; c = TAILQ_NEXT(c, link)) {
		if (c->waits_for != 0) {
			event_active(c->event, c->waits_for, 0);
		}
	}
}

void tcp_stop(struct tcp *t)
{
	t->stopping = true;
	for (struct listener *l = t->listeners; l != NULL; l = l->next) {
		on_accept(event_get_fd(l->event), EV_READ, l);
	}
	listeners_set(t, false);
	on_inbox(t->inbox_fd, EV_READ, t);
	shut_inbox(t);
	/* One more turn for each. */
	activate(&t->idle);
	activate(&t->blocked);
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
	while (!TAILQ_EMPTY(&t->idle)) {
		conn_close(TAILQ_FIRST(&t->idle));
	}
	while (!TAILQ_EMPTY(&t->blocked)) {
		conn_close(TAILQ_FIRST(&t->blocked));
	}
	while (t->listeners != NULL) {
		struct listener *l = t->listeners;
		t->listeners = l->next;
		if (l->event != NULL) {
			event_free(l->event);
		}
		mem_free(l);
	}
	shut_inbox(t);
	if (t->inbox_event != NULL) {
		event_free(t->inbox_event);
	}
	if (t->inbox_fd >= 0) {
		(void)close(t->inbox_fd);
	}
	(void)pthread_mutex_destroy(&t->inbox_lock);
	if (t->resume != NULL) {
		event_free(t->resume);
	}
	if (t->tick != NULL) {
		event_free(t->tick);
	}
	client_table_free(t->clients);
	stream_scratch_free(t->scratch);
	rrl_free(t->handshakes);
	mem_free(t);
}

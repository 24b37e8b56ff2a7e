/* server/worker.c - a thread that answers queries. */
#include "server/worker.h"

#include <event2/event.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/clock.h"
#include "server/tcp.h"
#include "server/udp.h"
#include "zones/base/epoch.h"
#include "zones/base/mem.h"

/* Requests that may wait for an aide; more are not answered. */
#define AIDE_WAITING_MAX 1024
/* What an aide's priority is lower by: it gets a thirtieth of a core that its worker could use up. */
#define AIDE_NICE 15

struct worker {
	pthread_t thread;
	struct worker *aide;  /* owned; NULL: this is one */
	struct worker *front; /* whose aide it is; NULL: it is none */
	struct aide *work;    /* of an aide */
	struct event_base *base;
	struct worker_sockets sockets;
	struct serving *const *serving;
	struct query_ctx *ctx;
	struct rrl *rrl;
	struct udp *udp;
	struct tcp *tcp;
	struct query_env turn;	      /* of connections, for as long as it lasts */
	const struct tls_server *tls; /* of it */
	struct event **events;	      /* one per UDP socket */
	struct event *stop;	      /* readable: told to stop */
	struct event *mail;	      /* readable: there are responses */
	int mail_fd;
	pthread_mutex_t mail_lock;
	struct request *responses; /* under it, as is what follows; for connections */
	struct request *requests;  /* for an aide, the last first */
	unsigned waiting;	   /* how many of them */
	bool is_shut;		   /* it takes none any more */
	uint8_t *out;		   /* of an aide, for datagrams: MESSAGE_MAX octets */
	struct event *grace;
	int stop_fd;
	unsigned grace_s; /* atomic */
};

void worker_sockets_clear(struct worker_sockets *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->udp[i] >= 0) {
			(void)close(s->udp[i]);
		}
		if (s->tcp[i] >= 0) {
			(void)close(s->tcp[i]);
		}
	}
	for (size_t i = 0; i < s->tls_count; i++) {
		if (s->tls[i] >= 0) {
			(void)close(s->tls[i]);
		}
	}
	mem_free(s->udp);
	mem_free(s->tcp);
	mem_free(s->tls);
	*s = (struct worker_sockets){ 0 };
}

/* Seconds since 1970. The loop has read the clock when it woke up: no need to do so again. */
static int64_t woken_at(const struct worker *w)
{
	struct timeval now;
	(void)event_base_gettimeofday_cached(w->base, &now);
	return now.tv_sec;
}

/* --- requests that others answer ------------------------------------------------------------- */

static struct request *request_new(struct worker *w, const struct query_io *io)
{
	struct request *r = mem_zalloc(sizeof(*r));
	r->worker = w;
	r->client = *io->client;
	r->message = mem_dup(io->in, io->in_len);
	r->len = io->in_len;
	return r;
}

/* To who changes zones. */
static void hand_over(struct worker *w, struct request *r)
{
	const struct serving *s = epoch_read(w->serving);
	s->take(s->take_arg, r);
}

/* To the aide. */
static void leave(struct worker *aide, struct request *r)
{
	(void)pthread_mutex_lock(&aide->mail_lock);
	const bool has_room = aide->waiting < AIDE_WAITING_MAX && !aide->is_shut;
	if (has_room) {
		r->next = aide->requests;
		aide->requests = r;
		aide->waiting++;
	}
	(void)pthread_mutex_unlock(&aide->mail_lock);
	if (has_room) {
		(void)eventfd_write(aide->mail_fd, 1);
	} else {
		request_free(r);
	}
}

static void take_datagram(void *arg, const struct query_io *io, const struct udp_origin *origin)
{
	struct worker *w = arg;
	struct request *r = request_new(w, io);
	r->origin = *origin;
	if (io->is_taken) {
		hand_over(w, r);
	} else {
		leave(w->aide, r);
	}
}

void request_free(struct request *r)
{
	mem_free(r->names);
	mem_free(r->message);
	mem_free(r->response);
	mem_free(r);
}

void request_answer(struct request *r)
{
	struct worker *w = r->worker;
	if (r->conn == NULL) { /* any thread can send a datagram: nobody has to be woken for it */
		if (r->response_len != 0) {
			udp_send(&r->origin, r->response, r->response_len);
		}
		request_free(r);
		return;
	}
	(void)pthread_mutex_lock(&w->mail_lock);
	bool was_empty = w->responses == NULL;
	r->next = w->responses;
	w->responses = r;
	(void)pthread_mutex_unlock(&w->mail_lock);
	if (was_empty) {
		(void)eventfd_write(w->mail_fd, 1);
	}
}

static void send_responses(struct worker *w)
{
	(void)pthread_mutex_lock(&w->mail_lock);
	struct request *r = w->responses;
	w->responses = NULL;
	(void)pthread_mutex_unlock(&w->mail_lock);
	while (r != NULL) {
		struct request *next = r->next;
		tcp_respond(r->conn, r->response, r->response_len);
		request_free(r);
		r = next;
	}
}

/* --- datagrams ------------------------------------------------------------------------------- */

/* Borrowed pointers live from epoch_online to epoch_offline, once for each batch. */
static void on_datagrams(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	(void)what;
	epoch_online();
	const struct serving *s = epoch_read(w->serving);
	const bool limits = s->query.rrl.rate != 0;
	const struct query_env env = { .zones = s->zones,
				       .config = &s->query,
				       .rrl = limits ? w->rrl : NULL,
				       .taken = s->taken,
				       .takes_long = true,
				       .now = woken_at(w),
				       .now_ms = limits ? clock_ms() : 0 };
	const struct udp_taker taker = { take_datagram, w };
	udp_serve(w->udp, fd, w->ctx, &env, &taker);
	epoch_offline();
}

/* In units of 100 ms, as RFC 7828 has it. */
static uint16_t keepalive_of(const struct serving *s)
{
	return (uint16_t)(s->tcp_idle_s < UINT16_MAX / 10 ? s->tcp_idle_s * 10 : UINT16_MAX);
}

/* --- connections ----------------------------------------------------------------------------- */

/* Borrowed pointers live from here to end_turn. */
static struct tcp_limits begin_turn(void *arg)
{
	struct worker *w = arg;
	epoch_online();
	const struct serving *s = epoch_read(w->serving);
	w->turn = (struct query_env){ .zones = s->zones,
				      .config = &s->query,
				      .is_tcp = true,
				      .taken = s->taken,
				      .takes_long = w->aide != NULL,
				      .keepalive = keepalive_of(s),
				      .now = woken_at(w) };
	w->tls = s->tls;
	const bool is_aide = w->aide == NULL;
	return (struct tcp_limits){ .clients = is_aide ? s->aide_clients : s->tcp_clients,
				    .per_client = is_aide ? s->aide_clients_per_address
							  : s->tcp_clients_per_address,
				    .output = s->tcp_output,
				    .handshakes = s->tls_handshakes,
				    .idle_ms = (int64_t)s->tcp_idle_s * 1000 };
}

static bool encrypt(void *arg, struct transport *out)
{
	const struct worker *w = arg;
	return w->tls != NULL && tls_accept(w->tls, out) == E_OK;
}

static void take_from(struct worker *w, const struct query_io *io, struct tcp_conn *conn)
{
	struct request *r = request_new(w, io);
	const struct dname_list names = tcp_names(conn);
	r->conn = conn;
	r->names = mem_dup(names.octets, names.len);
	r->names_len = names.len;
	tcp_hold(conn);
	hand_over(w, r);
}

/* A query that its worker has left to this aide, or one that came behind it on the same connection. */
static size_t answer_long(struct worker *w, const struct tcp_query *query, struct query_io *io)
{
	const struct serving *s = epoch_read(w->serving);
	struct xfr_out *transfer = NULL;
	w->turn.names = tcp_names(query->conn);
	w->turn.bars_zones = !tcp_takes_zones(query->conn);
	switch (aide_answer(w->work, &s->aide, &w->turn, io, tcp_is_fed(query->conn), &transfer)) {
	case AIDE_ANSWERED:
		return io->out_len;
	case AIDE_TAKEN:
		take_from(w, io, query->conn);
		return 0;
	case AIDE_LATER:
		return TCP_LATER;
	case AIDE_TRANSFER:
		break;
	}
	const struct stream_source source = xfr_out_source(transfer);
	tcp_feed(query->conn, &source);
	return 0;
}

/* It is written to, by query_answer. NOLINTNEXTLINE(readability-non-const-parameter) */
static size_t answer_turn(void *arg, const struct tcp_query *query, uint8_t *out, size_t room)
{
	struct worker *w = arg;
	struct query_io io = { .in = query->octets,
			       .in_len = query->len,
			       .out = out,
			       .room = room,
			       .client = query->client };
	w->turn.is_encrypted = query->is_encrypted;
	if (w->aide == NULL) {
		return answer_long(w, query, &io);
	}
	query_answer(w->ctx, &w->turn, &io, 1);
	if (io.is_taken) {
		take_from(w, &io, query->conn);
	}
	return io.is_elsewhere ? TCP_ELSEWHERE : io.out_len;
}

static void end_turn(void *arg)
{
	(void)arg;
	epoch_offline();
}

/* --- datagrams that were left to an aide ----------------------------------------------------- */

static void answer_request(struct worker *w, const struct serving *s, struct request *r)
{
	const bool limits = s->query.rrl.rate != 0;
	const struct query_env env = { .zones = s->zones,
				       .config = &s->query,
				       .rrl = limits ? w->rrl : NULL,
				       .now = woken_at(w),
				       .now_ms = limits ? clock_ms() : 0 };
	struct query_io io = { .in = r->message,
			       .in_len = r->len,
			       .out = w->out,
			       .room = MESSAGE_MAX,
			       .client = &r->client };
	struct xfr_out *transfer = NULL;
	if (aide_answer(w->work, &s->aide, &env, &io, false, &transfer) == AIDE_TRANSFER) {
		(void)xfr_out_next(transfer, w->out, MESSAGE_MAX, &io.out_len);
		xfr_out_free(transfer);
	}
	r->response = io.out_len != 0 ? mem_dup(w->out, io.out_len) : NULL;
	r->response_len = io.out_len;
	request_answer(r);
}

/* The first first. */
static struct request *take_requests(struct worker *w)
{
	(void)pthread_mutex_lock(&w->mail_lock);
	struct request *r = w->requests;
	w->requests = NULL;
	w->waiting = 0;
	(void)pthread_mutex_unlock(&w->mail_lock);
	struct request *first = NULL;
	while (r != NULL) {
		struct request *next = r->next;
		r->next = first;
		first = r;
		r = next;
	}
	return first;
}

static void answer_requests(struct worker *w)
{
	struct request *r = take_requests(w);
	while (r != NULL) {
		struct request *next = r->next;
		epoch_online();
		answer_request(w, epoch_read(w->serving), r);
		epoch_offline();
		r = next;
	}
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	eventfd_t count;
	(void)what;
	(void)eventfd_read(fd, &count);
	send_responses(w);
	answer_requests(w);
}

/* --- end ------------------------------------------------------------------------------------- */

static void end_if_idle(struct worker *w)
{
	if (tcp_is_idle(w->tcp)) {
		(void)event_base_loopbreak(w->base);
	}
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	const struct timeval grace = { .tv_sec = (time_t)__atomic_load_n(&w->grace_s,
									 __ATOMIC_ACQUIRE) };
	(void)fd;
	(void)what;
	(void)pthread_mutex_lock(&w->mail_lock);
	w->is_shut = true;
	(void)pthread_mutex_unlock(&w->mail_lock);
	answer_requests(w);
	send_responses(w); /* the last: who makes them has been stopped */
	/* What came in before is answered: it waits in the sockets' queues. */
	for (size_t i = 0; i < w->sockets.count; i++) {
		on_datagrams(w->sockets.udp[i], EV_READ, w);
		(void)event_del(w->events[i]);
	}
	tcp_stop(w->tcp);
	(void)event_add(w->grace, &grace);
	end_if_idle(w);
}

static void on_grace(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	(void)fd;
	(void)what;
	(void)event_base_loopbreak(w->base);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	epoch_register();
	epoch_offline();
	if (w->front != NULL) {
		(void)setpriority(PRIO_PROCESS, 0,
				  getpriority(PRIO_PROCESS, 0) + AIDE_NICE); /* of this thread */
	}
	(void)event_base_dispatch(w->base);
	epoch_unregister();
	if (w->front != NULL) {
		(void)eventfd_write(w->front->stop_fd,
				    1); /* there is nobody any more to leave anything to */
	}
	return NULL;
}

static void worker_free(struct worker *w)
{
	if (w == NULL) {
		return;
	}
	tcp_free(w->tcp);
	for (size_t i = 0; w->events != NULL && i < w->sockets.count; i++) {
		if (w->events[i] != NULL) {
			event_free(w->events[i]);
		}
	}
	if (w->stop != NULL) {
		event_free(w->stop);
	}
	if (w->grace != NULL) {
		event_free(w->grace);
	}
	if (w->mail != NULL) {
		event_free(w->mail);
	}
	if (w->base != NULL) {
		event_base_free(w->base);
	}
	if (w->stop_fd >= 0) {
		(void)close(w->stop_fd);
	}
	if (w->mail_fd >= 0) {
		(void)close(w->mail_fd);
	}
	(void)pthread_mutex_destroy(&w->mail_lock);
	worker_free(w->aide);
	aide_free(w->work);
	mem_free(w->out);
	worker_sockets_clear(&w->sockets);
	query_ctx_free(w->ctx);
	rrl_free(w->rrl);
	udp_free(w->udp);
	mem_free(w->events);
	mem_free(w);
}

static int add_sockets(struct worker *w)
{
	int err = E_OK;
	w->events = mem_array(w->sockets.count, sizeof(struct event *));
	for (size_t i = 0; i < w->sockets.count && err == E_OK; i++) {
		w->events[i] = event_new(w->base, w->sockets.udp[i], EV_READ | EV_PERSIST,
					 on_datagrams, w);
		if (w->events[i] == NULL || event_add(w->events[i], NULL) != 0) {
			return E_IO;
		}
		err = tcp_listen(w->tcp, w->sockets.tcp[i], TCP_CLEAR);
	}
	for (size_t i = 0; i < w->sockets.tls_count && err == E_OK; i++) {
		err = tcp_listen(w->tcp, w->sockets.tls[i], TCP_ENCRYPTED);
	}
	return err;
}

/* Everything but the thread. Sockets are taken. E_CRYPTO, E_IO. */
static int worker_new(struct worker_sockets *sockets, struct serving *const *serving,
		      struct worker **out)
{
	struct worker *w = mem_zalloc(sizeof(*w));
	*out = w;
	w->sockets = *sockets;
	*sockets = (struct worker_sockets){ 0 };
	w->serving = serving;
	w->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->mail_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	(void)pthread_mutex_init(&w->mail_lock, NULL);
	w->base = event_base_new();
	const struct tcp_handler handler = { w, begin_turn, encrypt, answer_turn, end_turn };
	int err = query_ctx_new(&w->ctx);
	if (err == E_OK) {
		err = rrl_new((*serving)->rrl_entries, &w->rrl);
	}
	if (err != E_OK || w->base == NULL || w->stop_fd < 0 || w->mail_fd < 0) {
		return err != E_OK ? err : E_IO;
	}
	w->udp = udp_new();
	err = tcp_new(w->base, &handler, &w->tcp);
	w->stop = event_new(w->base, w->stop_fd, EV_READ, on_stop, w);
	w->mail = event_new(w->base, w->mail_fd, EV_READ | EV_PERSIST, on_mail, w);
	w->grace = evtimer_new(w->base, on_grace, w);
	if (err == E_OK) {
		err = add_sockets(w);
	}
	if (err == E_OK && (w->stop == NULL || w->grace == NULL || w->mail == NULL ||
			    event_add(w->stop, NULL) != 0 || event_add(w->mail, NULL) != 0)) {
		err = E_IO;
	}
	return err;
}

static int aide_start(struct worker *front)
{
	struct worker_sockets none = { 0 };
	int err = worker_new(&none, front->serving, &front->aide);
	if (err != E_OK) {
		return err;
	}
	struct worker *w = front->aide;
	w->front = front;
	w->work = aide_new(w->ctx);
	w->out = mem_alloc(MESSAGE_MAX);
	tcp_give_to(front->tcp, w->tcp);
	return pthread_create(&w->thread, NULL, worker_main, w) == 0 ? E_OK : E_LIMIT;
}

int worker_start(struct worker_sockets *sockets, struct serving *const *serving,
		 struct worker **out, struct errmsg *em)
{
	struct worker *w = NULL;
	int err = worker_new(sockets, serving, &w);
	if (err == E_OK) {
		err = aide_start(w);
	}
	if (err == E_OK && pthread_create(&w->thread, NULL, worker_main, w) != 0) {
		worker_stop(w, 0);
		(void)pthread_join(w->aide->thread, NULL);
		err = E_LIMIT;
	}
	if (err != E_OK) {
		worker_free(w);
		return err_set(em, err,
			       "cannot start a worker thread: %s; is there a limit on threads or "
			       "open files?",
			       err_text(err));
	}
	*out = w;
	return E_OK;
}

void worker_stop(struct worker *w, unsigned grace_s)
{
	__atomic_store_n(&w->grace_s, grace_s, __ATOMIC_RELEASE);
	__atomic_store_n(&w->aide->grace_s, grace_s, __ATOMIC_RELEASE);
	(void)eventfd_write(w->aide->stop_fd, 1); /* which stops its worker when it ends */
}

void worker_join(struct worker *w)
{
	(void)pthread_join(w->thread, NULL);
	(void)pthread_join(w->aide->thread, NULL);
	worker_free(w);
}

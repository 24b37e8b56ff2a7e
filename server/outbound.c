/* server/outbound.c - the thread that talks to other servers. */
#include "server/outbound.h"

#include <event2/event.h>
#include <pthread.h>
#include <string.h>

#include "server/clock.h"
#include "server/forward.h"
#include "server/notify.h"
#include "server/refresh.h"
#include "zones/base/epoch.h"
#include "zones/base/mem.h"
#include "zones/dns/soa.h"

/* Of an answer: header, question, TSIG. */
#define RESPONSE_MAX 1536
/* Requests that wait; when there are more, they get no answer, and come again. */
#define WAITING_MAX 4096

struct outbound {
	struct loop *loop;
	pthread_t thread;
	bool is_running;
	struct event *second;	 /* each second */
	struct event *tell;	 /* when somebody is to be told again */
	struct refresh *refresh; /* NULL: there are no jobs */
	struct notify *notify;
	struct forward *forward;
	struct tsig_ring *ring;
	struct tls_remotes *tls;
	/* Between outbound_set and the thread. */
	pthread_mutex_t lock; /* of what follows */
	unsigned waiting;     /* requests */
	bool is_stopped;      /* none is taken any more */
	pthread_cond_t taken;
	bool is_taken;
	struct tsig_ring *next_ring;
	struct tls_remotes *next_tls;
	const struct config *next_config;
	const struct zoneset *next_zones;
};

/* --- the control thread asks ----------------------------------------------------------------- */

/* Has @fn run by the thread, which ends it with take_word, and waits for that. */
static void ask(struct outbound *o, loop_fn *fn, void *arg)
{
	o->is_taken = false;
	loop_post(o->loop, fn, arg);
	(void)pthread_mutex_lock(&o->lock);
	while (!o->is_taken) {
		(void)pthread_cond_wait(&o->taken, &o->lock);
	}
	(void)pthread_mutex_unlock(&o->lock);
}

static void take_word(struct outbound *o)
{
	(void)pthread_mutex_lock(&o->lock);
	o->is_taken = true;
	(void)pthread_cond_signal(&o->taken);
	(void)pthread_mutex_unlock(&o->lock);
}

/* --- telling --------------------------------------------------------------------------------- */

static void tell(struct outbound *o)
{
	const int64_t ms = notify_tick(o->notify);
	if (ms >= 0) {
		const struct timeval in = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
		(void)event_add(o->tell, &in);
	}
}

static void on_tell(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	tell(arg);
}

/* What is to be done for a zone. */
struct wish {
	struct outbound *o;
	uint8_t zone[];
};

/* Has @fn run, which frees the wish that it gets. */
static void post_wish(struct outbound *o, const uint8_t *zone, loop_fn *fn)
{
	struct wish *w = mem_alloc(sizeof(*w) + dname_len(zone));
	w->o = o;
	(void)dname_copy(w->zone, zone);
	loop_post(o->loop, fn, w);
}

static void on_changed(void *arg)
{
	struct wish *w = arg;
	notify_changed(w->o->notify, w->zone);
	tell(w->o);
	mem_free(w);
}

void outbound_changed(struct outbound *o, const uint8_t *zone)
{
	post_wish(o, zone, on_changed);
}

static void on_tell_all(void *arg)
{
	struct outbound *o = arg;
	notify_all(o->notify);
	tell(o);
}

void outbound_tell_all(struct outbound *o)
{
	loop_post(o->loop, on_tell_all, o);
}

/* --- what signetctl wants -------------------------------------------------------------------- */

static void on_retransfer(void *arg)
{
	struct wish *w = arg;
	if (w->o->refresh != NULL) {
		(void)refresh_now(w->o->refresh, w->zone, true);
	}
	mem_free(w);
}

void outbound_retransfer(struct outbound *o, const uint8_t *zone)
{
	post_wish(o, zone, on_retransfer);
}

static void on_approve(void *arg)
{
	struct wish *w = arg;
	if (w->o->refresh != NULL) {
		refresh_approve(w->o->refresh, w->zone);
	}
	mem_free(w);
}

void outbound_approve(struct outbound *o, const uint8_t *zone)
{
	post_wish(o, zone, on_approve);
}

struct look {
	struct outbound *o;
	const uint8_t *zone;
	struct refresh_status *out;
	bool is_there;
};

static void on_look(void *arg)
{
	struct look *l = arg;
	l->is_there = l->o->refresh != NULL && refresh_status(l->o->refresh, l->zone, l->out);
	take_word(l->o);
}

bool outbound_look(struct outbound *o, const uint8_t *zone, struct refresh_status *out)
{
	struct look l = { .o = o, .zone = zone, .out = out };
	ask(o, on_look, &l);
	return l.is_there;
}

/* --- being told ------------------------------------------------------------------------------ */

struct told {
	struct outbound *o;
	struct request *request;
};

/* What a NOTIFY says (RFC 1996 §3). */
struct notification {
	struct message_header header;
	struct message_question question;
	size_t end;	 /* of the question */
	bool has_serial; /* a hint, as who sent it may not have signed it */
	uint32_t serial;
};

static int read_notification(const uint8_t *message, size_t len, struct notification *out)
{
	struct reader r = reader_of(message, len);
	struct message_rr rr;
	int err = message_read_header(&r, &out->header);
	if (err == E_OK && out->header.count[SECTION_QUESTION] != 1) {
		err = E_INVAL;
	}
	if (err == E_OK) {
		err = message_read_question(&r, &out->question);
	}
	out->end = (size_t)(r.pos - r.start);
	if (err == E_OK && out->header.count[SECTION_ANSWER] != 0 &&
	    message_read_rr(&r, &rr) == E_OK && rr.type == RRTYPE_SOA &&
	    dname_equal(rr.owner.wire, out->question.name) && rr.rdlen >= SOA_NUMBERS_LEN) {
		out->has_serial = true;
		out->serial = soa_numbers_of(rr.rdata, rr.rdlen).serial;
	}
	return err;
}

/* The question comes back with it, where one could be read. */
static void respond(struct request *r, const struct notification *n, uint16_t rcode,
		    struct tsig_exchange *tsig, int64_t now)
{
	uint8_t out[RESPONSE_MAX];
	struct message_header h = { .id = n->header.id };
	size_t len = MESSAGE_HEADER_LEN;
	h.flags = (uint16_t)(MESSAGE_QR | OPCODE_NOTIFY << 11 | rcode |
			     (rcode == RCODE_NOERROR ? MESSAGE_AA : 0));
	if (n->question.name != NULL) {
		h.count[SECTION_QUESTION] = 1;
		memcpy(out + len, r->message + len, n->end - len);
		len = n->end;
	}
	message_write_header(out, &h);
	if (tsig_sign(tsig, out, &len, sizeof(out), (uint64_t)now) == E_OK) {
		r->response = mem_dup(out, len);
		r->response_len = len;
	}
}

static void take_notify(struct outbound *o, struct request *r)
{
	struct notification n = { .end = 0 };
	struct tsig_exchange tsig;
	const int64_t now = clock_now();
	size_t len = r->len;
	if (tsig_verify(o->ring, r->message, r->len, (uint64_t)now, &tsig, &len) == E_OK &&
	    r->len >= MESSAGE_HEADER_LEN) {
		const struct acl_client client = { .ip = &r->client, .key = tsig.key };
		const int err = read_notification(r->message, len, &n);
		uint16_t rcode = tsig.rcode;
		if (rcode == RCODE_NOERROR && err != E_OK) {
			rcode = RCODE_FORMERR;
		}
		if (rcode == RCODE_NOERROR &&
		    (n.question.type != RRTYPE_SOA || n.question.class != RRCLASS_IN)) {
			rcode = RCODE_NOTIMP; /* nothing else is ever told */
		}
		if (rcode == RCODE_NOERROR) {
			rcode = o->refresh == NULL
					? RCODE_NOTAUTH
					: refresh_notified(o->refresh, n.question.name, &client,
							   n.has_serial ? &n.serial : NULL);
		}
		respond(r, &n, rcode, &tsig, now);
	}
	request_answer(r);
}

static void on_told(void *arg)
{
	struct told *t = arg;
	struct outbound *o = t->o;
	struct request *r = t->request;
	struct reader reader = reader_of(r->message, r->len);
	struct message_header h = { 0 };
	mem_free(t);
	(void)pthread_mutex_lock(&o->lock);
	o->waiting--;
	(void)pthread_mutex_unlock(&o->lock);
	(void)!message_read_header(&reader, &h);
	if (message_opcode(h.flags) == OPCODE_UPDATE) {
		forward_take(o->forward, r);
	} else {
		take_notify(o, r);
	}
}

void outbound_submit(struct outbound *o, struct request *r)
{
	(void)pthread_mutex_lock(&o->lock);
	const bool is_taken = !o->is_stopped && o->waiting < WAITING_MAX;
	if (is_taken) {
		struct told *t = mem_alloc(sizeof(*t));
		*t = (struct told){ o, r };
		o->waiting++;
		loop_post(o->loop, on_told, t);
	}
	(void)pthread_mutex_unlock(&o->lock);
	if (!is_taken) {
		request_answer(r); /* silence: who sent it does so again */
	}
}

/* --- configuration --------------------------------------------------------------------------- */

static void on_set(void *arg)
{
	struct outbound *o = arg;
	struct tls_remotes *tls_before = NULL;
	if (o->next_ring != NULL) {
		tsig_ring_free(o->ring);
		o->ring = o->next_ring;
		o->next_ring = NULL;
		tls_before = o->tls;
		o->tls = o->next_tls;
		o->next_tls = NULL;
	}
	if (o->refresh != NULL) {
		refresh_set(o->refresh, o->next_config, o->next_zones, o->ring, o->tls);
	}
	notify_set(o->notify, o->next_config, o->next_zones, o->ring);
	forward_set(o->forward, o->next_config, o->ring, o->tls);
	tls_remotes_free(tls_before);
	tell(o);
	take_word(o);
}

/* What cannot be used is told now, and again as the reason why there is no transfer. */
static struct tls_remotes *load_tls(const struct config *config)
{
	struct findings findings = { 0 };
	struct tls_remotes *tls = tls_remotes_load(config, clock_now(), &findings);
	findings_log(&findings, "tls-finding", NULL);
	findings_clear(&findings);
	return tls;
}

int outbound_set(struct outbound *o, const struct config *config, const struct zoneset *zones)
{
	/* With the same keys, what is under way goes on. */
	if (o->ring == NULL || o->next_config->tsig_keys != config->tsig_keys) {
		int err = tsig_ring_new(config->tsig_keys, config->tsig_key_count, &o->next_ring);
		if (err != E_OK) {
			return err;
		}
		o->next_tls = load_tls(config);
	}
	o->next_config = config;
	o->next_zones = zones;
	ask(o, on_set, o);
	return E_OK;
}

/* --- life ------------------------------------------------------------------------------------ */

static void on_second(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct outbound *o = arg;
	if (o->refresh != NULL && o->ring != NULL) {
		refresh_tick(o->refresh);
	}
	forward_tick(o->forward);
}

static void *thread_main(void *arg)
{
	struct outbound *o = arg;
	epoch_register();
	epoch_offline();
	(void)!loop_run(o->loop);
	epoch_unregister();
	return NULL;
}

int outbound_new(struct jobs *jobs, struct outbound **out, struct errmsg *em)
{
	static const struct timeval second = { .tv_sec = 1 };
	struct outbound *o = mem_zalloc(sizeof(*o));
	(void)pthread_mutex_init(&o->lock, NULL);
	(void)pthread_cond_init(&o->taken, NULL);
	int err = loop_new(&o->loop);
	if (err != E_OK) {
		goto out;
	}
	o->refresh = jobs != NULL ? refresh_new(o->loop, jobs) : NULL;
	o->notify = notify_new(o->loop);
	o->forward = forward_new(o->loop);
	o->second = event_new(loop_base(o->loop), -1, EV_PERSIST, on_second, o);
	o->tell = evtimer_new(loop_base(o->loop), on_tell, o);
	if (o->second == NULL || o->tell == NULL || event_add(o->second, &second) != 0) {
		err = E_IO;
		goto out;
	}
	if (pthread_create(&o->thread, NULL, thread_main, o) != 0) {
		err = E_LIMIT;
		goto out;
	}
	o->is_running = true;
	*out = o;
out:
	if (err != E_OK) {
		outbound_free(o);
		err_set(em, err,
			"cannot start the thread that talks to other servers: %s; is there a limit "
			"on threads or open files?",
			err_text(err));
	}
	return err;
}

void outbound_stop(struct outbound *o)
{
	if (o != NULL && o->is_running) {
		loop_stop(o->loop);
		(void)pthread_join(o->thread, NULL);
		o->is_running = false;
		(void)pthread_mutex_lock(&o->lock);
		o->is_stopped = true;
		(void)pthread_mutex_unlock(&o->lock);
		if (o->refresh != NULL) {
			refresh_stop(o->refresh);
		}
		forward_stop(o->forward);
		loop_deliver(o->loop); /* the last requests get their answers */
	}
}

void outbound_free(struct outbound *o)
{
	if (o == NULL) {
		return;
	}
	outbound_stop(o);
	if (o->loop != NULL) {
		loop_deliver(o->loop); /* what is posted owns memory */
	}
	refresh_free(o->refresh);
	notify_free(o->notify);
	forward_free(o->forward);
	if (o->second != NULL) {
		event_free(o->second);
	}
	if (o->tell != NULL) {
		event_free(o->tell);
	}
	loop_free(o->loop);
	tsig_ring_free(o->ring);
	tsig_ring_free(o->next_ring);
	tls_remotes_free(o->tls);
	tls_remotes_free(o->next_tls);
	(void)pthread_mutex_destroy(&o->lock);
	(void)pthread_cond_destroy(&o->taken);
	mem_free(o);
}

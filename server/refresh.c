/* server/refresh.c - keeps zones current that come from primaries. */
#include "server/refresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/crypto.h"
#include "server/clock.h"
#include "server/outgoing.h"
#include "server/secondary.h"
#include "server/zone_text.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/dns/serial.h"

/* SOA timers are kept within these: one end protects the primary, the other us from a slip of the pen. */
#define INTERVAL_MIN_S 2
#define INTERVAL_MAX_S (28 * 86400)
/* Nothing of the zone is there yet: after so long it is tried again, and then after longer each time. */
#define RETRY_FIRST_S	  2
#define RETRY_FIRST_MAX_S 600
/* A primary that says nothing for so long is given up. */
#define PATIENCE_MS 10000
/* Octets of a record that is as large as most never are; the limit of octets follows that of records. */
#define RECORD_OCTETS	   512
#define REFRESH_REASON_MAX 300

enum state {
	IDLE,
	WAITS,	   /* in the queue */
	TRANSFERS, /* a primary is asked */
	VISITS,	   /* the job of the zone does something for us */
};

/* A primary, and who waits for a turn with it. */
struct primary {
	struct address address;
	size_t active;			 /* transfers */
	struct secondary *first, **last; /* the queue */
	struct primary *next;		 /* of those that have turns and a queue */
	bool is_ready;			 /* it is among these */
};

struct errand;

struct secondary {
	struct refresh *all;
	const struct config_zone *config;
	struct zone *zone; /* its identity */
	enum state state;
	struct primary *turn_with; /* WAITS, TRANSFERS */
	struct secondary *next;	   /* in the queue, or among those that are gone */
	bool is_known;		   /* the job has told what there is */
	bool is_signed_here;
	bool again;		     /* it was notified meanwhile */
	bool wants_whole, no_expire; /* how the primary is asked next */
	bool is_forced;		     /* signetctl wants it, though the serial be older */
	bool again_forced;	     /* so it is for the round behind this */
	bool is_expired;
	uint64_t held;	   /* records that would go by what waits for approval; 0: nothing does */
	uint64_t approved; /* so many may, at the next attempt */
	bool holds;	   /* in this round something was held back */
	bool is_renewed;   /* while refresh_set runs */
	size_t peer;	   /* that is asked */
	size_t left;	   /* primaries to be asked in this round */
	unsigned failures; /* rounds in a row */
	int64_t due;	   /* seconds */
	bool has_zone;
	uint32_t serial, refresh, retry;
	int64_t expires_at; /* seconds */
	char *reason;	    /* why the last attempt failed; heap; NULL: it did not */
	/* TRANSFERS */
	struct outgoing *conn;
	struct xfr_in *in;
	struct tsig_exchange *tsig; /* heap */
	bool is_signed;		    /* the last message was */
	bool is_heard;		    /* the primary has said something */
	int64_t began_ms;
	struct errand *errand; /* VISITS, and what is to go with it; heap */
};

/* What the job of the zone is asked for. */
struct errand {
	struct visit visit;
	char from[64];
};

struct refresh {
	struct loop *loop;
	struct jobs *jobs;
	const struct config *config;
	const struct tsig_ring *ring;
	const struct tls_remotes *tls;
	struct secondary **list; /* by name */
	size_t count;
	struct primary *primaries; /* of all zones, sorted by address */
	size_t primary_count;
	struct primary *ready, **ready_last; /* that have turns and a queue */
	struct secondary **active;	     /* TRANSFERS; [config->server.transfers_in] */
	size_t active_count;
	bool is_stopped;
	struct secondary *gone; /* not in the configuration any more, but a job has their visit */
};

static void start_waiting(struct refresh *r);
static void visit(struct secondary *s, enum visit_what what);
static void check_times(struct secondary *s, int64_t now);

/* --- small things ---------------------------------------------------------------------------- */

static uint32_t random_below(uint32_t limit)
{
	uint32_t n = 0;
	/* Without it all goes on, in step. */
	return limit != 0 && crypto_random(&n, sizeof(n)) == E_OK ? n % limit : 0;
}

/* A tenth less at most, so that zones that were loaded together do not stay together. */
static int64_t after(int64_t now, uint32_t interval)
{
	interval = interval < INTERVAL_MIN_S ? INTERVAL_MIN_S : interval;
	interval = interval > INTERVAL_MAX_S ? INTERVAL_MAX_S : interval;
	return now + interval - random_below(interval / 10 + 1);
}

static bool asks_whole(const struct secondary *s)
{
	return s->wants_whole || s->is_forced || !s->has_zone;
}

static const struct config_peer *peer_of(const struct secondary *s)
{
	return s->config->primaries.list[s->peer];
}

/* NULL: there is none. */
static void set_reason(struct secondary *s, const char *why)
{
	char *made =
		why != NULL ? mem_str(why, strlen(why)) : NULL; /* it may be the one of before */
	mem_free(s->reason);
	s->reason = made;
}

static struct errand *errand_of(struct secondary *s)
{
	if (s->errand == NULL) {
		s->errand = mem_zalloc(sizeof(*s->errand));
	}
	return s->errand;
}

static void errand_free(struct secondary *s)
{
	if (s->errand != NULL) {
		version_unref(s->errand->visit.whole);
		xfr_in_changes_free(s->errand->visit.changes, s->errand->visit.change_count);
		mem_free(s->errand);
		s->errand = NULL;
	}
}

static int compare_name(const void *name, const void *item)
{
	const struct secondary *x = *(struct secondary *const *)item;
	return dname_compare(name, x->zone->apex);
}

static struct secondary *find(const struct refresh *r, const uint8_t *name)
{
	struct secondary **at = r->count != 0 ? bsearch(name, r->list, r->count,
							sizeof(struct secondary *), compare_name)
					      : NULL;
	return at != NULL ? *at : NULL;
}

/* What was wrong with the answer of the primary, and what is done about it. */
static void log_reason(const struct secondary *s, bool is_failure)
{
	struct zone_text name;
	char reason[REFRESH_REASON_MAX + 64];
	char address[ADDRESS_TEXT_MAX];
	address_to_text(&peer_of(s)->stream, address);
	(void)zone_text(s->zone->apex, &name);
	(void)log_quote(s->reason != NULL ? s->reason : "", reason, sizeof(reason));
	if (is_failure) {
		log_warn("transfer-failed", "zone=%s primary=%s serving=%s reason=%s", name.text,
			 address, s->has_zone && !s->is_expired ? "old" : "nothing", reason);
	} else {
		log_info("transfer-fallback", "zone=%s primary=%s next=AXFR reason=%s", name.text,
			 address, reason);
	}
}

/* --- primaries and their queues -------------------------------------------------------------- */

static int compare_addresses(const struct address *a, const struct address *b)
{
	if (a->len != b->len) {
		return a->len < b->len ? -1 : 1;
	}
	if (a->any.sa_family == AF_INET) {
		const int order = memcmp(&a->v4.sin_addr, &b->v4.sin_addr, sizeof(a->v4.sin_addr));
		return order != 0 ? order : (int)a->v4.sin_port - (int)b->v4.sin_port;
	}
	const int order = memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr));
	if (order == 0 && a->v6.sin6_scope_id != b->v6.sin6_scope_id) {
		return a->v6.sin6_scope_id < b->v6.sin6_scope_id ? -1 : 1;
	}
	return order != 0 ? order : (int)a->v6.sin6_port - (int)b->v6.sin6_port;
}

static int compare_primaries(const void *a, const void *b)
{
	const struct primary *x = a;
	const struct primary *y = b;
	return compare_addresses(&x->address, &y->address);
}

static struct primary *primary_of(const struct secondary *s)
{
	const struct refresh *r = s->all;
	const struct primary wanted = { .address = peer_of(s)->stream };
	return bsearch(&wanted, r->primaries, r->primary_count, sizeof(wanted), compare_primaries);
}

static bool has_turn(const struct refresh *r, const struct primary *p)
{
	return p->active < r->config->server.transfers_in_per_primary;
}

/* Puts it among those that have turns and a queue, if it has. */
static void note_ready(struct refresh *r, struct primary *p)
{
	if (!p->is_ready && p->first != NULL && has_turn(r, p)) {
		p->is_ready = true;
		p->next = NULL;
		*r->ready_last = p;
		r->ready_last = &p->next;
	}
}

static void enqueue(struct secondary *s)
{
	struct primary *p = primary_of(s);
	s->state = WAITS;
	s->turn_with = p;
	s->next = NULL;
	*p->last = s;
	p->last = &s->next;
	note_ready(s->all, p);
}

/* Takes out who stands at *@at in the queue of @p. */
static struct secondary *dequeue(struct primary *p, struct secondary **at)
{
	struct secondary *s = *at;
	*at = s->next;
	if (p->last == &s->next) {
		p->last = at;
	}
	s->next = NULL;
	return s;
}

static void start_round(struct secondary *s)
{
	s->is_forced = s->is_forced || s->again_forced;
	s->again = s->again_forced = s->holds = false;
	s->left = s->config->primaries.count;
	enqueue(s);
}

/* Ends a transfer, without a word to anybody. */
static void stop_transfer(struct secondary *s)
{
	struct refresh *r = s->all;
	for (size_t i = 0; i < r->active_count; i++) {
		if (r->active[i] == s) {
			r->active[i] = r->active[--r->active_count];
			s->turn_with->active--;
			note_ready(r, s->turn_with);
			break;
		}
	}
	outgoing_close(s->conn);
	xfr_in_free(s->in);
	mem_free(s->tsig);
	s->conn = NULL;
	s->in = NULL;
	s->tsig = NULL;
	s->state = IDLE;
}

/* --- the end of a round ---------------------------------------------------------------------- */

static void end_round(struct secondary *s, bool is_good)
{
	const int64_t now = clock_now();
	s->state = IDLE;
	s->wants_whole = s->no_expire = s->is_forced = false;
	s->peer = 0;
	if (is_good) {
		s->failures = 0;
		set_reason(s, s->holds ? s->reason : NULL);
		s->due = after(now, s->refresh);
	} else {
		/* Twice as long each time, from the SOA's retry to its refresh. */
		const uint32_t first = s->has_zone ? s->retry : RETRY_FIRST_S;
		const uint32_t most = s->has_zone && s->refresh > first ? s->refresh
				      : s->has_zone			? first
									: RETRY_FIRST_MAX_S;
		uint64_t wait = (uint64_t)first << (s->failures < 16 ? s->failures : 16);
		s->due = after(now, wait < most ? (uint32_t)wait : most);
		s->failures++;
	}
	if (s->again) {
		start_round(s);
	}
}

static void fail(struct secondary *s, const char *why)
{
	if (s->state == TRANSFERS) {
		stop_transfer(s);
	}
	set_reason(s, why);
	log_reason(s, true);
	s->wants_whole = s->no_expire = false;
	s->peer = (s->peer + 1) % s->config->primaries.count;
	if (--s->left != 0) {
		enqueue(s);
	} else {
		end_round(s, false);
	}
}

/* The primary speaks, but this was of no use: is there another way to ask it? */
static void try_otherwise(struct secondary *s, int err, const char *why)
{
	const bool was_whole = asks_whole(s);
	if (s->state == TRANSFERS) {
		stop_transfer(s);
	}
	if (err == E_UNSUPPORTED && !s->no_expire) {
		s->no_expire = true; /* FORMERR may mean EDNS */
	} else if (!was_whole) {
		s->wants_whole = true;
		set_reason(s, why);
		log_reason(s, false);
	} else {
		fail(s, why);
		return;
	}
	enqueue(s);
}

/* --- the answer ------------------------------------------------------------------------------ */

static void finish(struct secondary *s)
{
	struct xfr_in_result *result = xfr_in_result(s->in);
	char why[REFRESH_REASON_MAX];
	const bool is_older = result->kind == XFR_CURRENT && result->serial != s->serial;
	if (is_older) {
		(void)snprintf(why, sizeof(why),
			       "has serial %u, older than %u here; signetctl retransfer takes it",
			       result->serial, s->serial);
		s->wants_whole = true; /* no other way to ask would help */
		try_otherwise(s, E_MISMATCH, why);
		return;
	}
	struct errand *e = errand_of(s);
	e->visit.whole = result->whole;
	e->visit.changes = result->changes;
	e->visit.change_count = result->change_count;
	result->whole = NULL;
	result->changes = NULL;
	(void)snprintf(e->from, sizeof(e->from), "%s", peer_of(s)->remote->name);
	e->visit.from = e->from;
	e->visit.has_expire = result->has_expire;
	e->visit.expire_left = result->expire;
	const enum visit_what what = result->kind == XFR_CURRENT ? VISIT_CONFIRM : VISIT_TAKE;
	stop_transfer(s);
	visit(s, what);
}

/* E_OK: signed, or it need not be; E_AGAIN: not yet. */
static int check_signature(struct secondary *s, const uint8_t *octets, size_t *len, char *why)
{
	if (peer_of(s)->key == NULL) {
		return E_OK;
	}
	const int err = tsig_check(s->tsig, octets, *len, (uint64_t)clock_now(), len);
	if (err != E_OK && err != E_AGAIN) {
		(void)snprintf(why, REFRESH_REASON_MAX, "%s",
			       err == E_PERM ? "refuses our TSIG key; is it the same there, and "
					       "are both clocks right?"
			       : err == E_EXPIRED ? "signs with a time that is not ours; are both "
						    "clocks right?"
						  : "its TSIG is missing or wrong; is the key the "
						    "same there?");
	}
	return err;
}

static bool on_message(void *arg, uint8_t *octets, size_t len)
{
	struct secondary *s = arg;
	struct refresh *r = s->all;
	struct errmsg em = { "" };
	char why[REFRESH_REASON_MAX];
	s->is_heard = true;
	const int is_signed = check_signature(s, octets, &len, why);
	int err = is_signed == E_AGAIN ? E_OK : is_signed;
	if (err == E_OK) {
		err = xfr_in_message(s->in, octets, len, &em);
		(void)snprintf(why, sizeof(why), "%.250s", em.text);
	} else {
		s->wants_whole = true; /* another way to ask would not help */
	}
	if (err == E_OK && is_signed == E_AGAIN) {
		err = E_BADSIG;
		(void)snprintf(why, sizeof(why), "the last message is not signed");
	}
	if (err == E_AGAIN) {
		return true;
	}
	s->conn = NULL; /* closed behind this */
	if (err == E_OK) {
		finish(s);
	} else {
		try_otherwise(s, err, why);
	}
	start_waiting(r);
	return false;
}

static void on_ended(void *arg, const char *why)
{
	struct secondary *s = arg;
	struct refresh *r = s->all;
	s->conn = NULL;
	if (s->is_heard) {
		try_otherwise(s, E_TRUNC, why);
	} else {
		fail(s, why);
	}
	start_waiting(r);
}

/* --- the query ------------------------------------------------------------------------------- */

static int ask(struct secondary *s, struct errmsg *em)
{
	struct refresh *r = s->all;
	const struct config_peer *peer = peer_of(s);
	const uint64_t records = r->config->server.transfer_records;
	const struct xfr_in_wish wish = { .apex = s->zone->apex,
					  .has_serial = s->has_zone && !s->is_forced,
					  .serial = s->serial,
					  .is_incremental = !asks_whole(s),
					  .asks_expire = !s->no_expire,
					  .max_octets = records * RECORD_OCTETS,
					  .max_records = records };
	const struct outgoing_wish to = { .peer = peer,
					  .tls = r->tls,
					  .patience_ms = PATIENCE_MS,
					  .handler = { s, on_message, on_ended } };
	uint8_t query[XFR_IN_QUERY_MAX + 1024]; /* and a TSIG */
	struct writer w = writer_of(query, XFR_IN_QUERY_MAX);
	uint16_t id = 0;
	s->in = xfr_in_new(&wish);
	s->tsig = mem_zalloc(sizeof(*s->tsig));
	s->is_heard = false;
	s->began_ms = clock_ms();
	int err = crypto_random(&id, sizeof(id));
	if (err == E_OK) {
		xfr_in_query(s->in, id, &w);
		err = w.err;
	}
	size_t len = writer_len(&w);
	if (err == E_OK) {
		err = tsig_sign_query(r->ring, peer->key, s->tsig, query, &len, sizeof(query),
				      (uint64_t)clock_now());
	}
	if (err != E_OK) {
		return err_set(em, err, "cannot be asked: there are no random numbers");
	}
	err = outgoing_open(loop_base(r->loop), &to, &s->conn, em);
	if (err == E_OK) {
		outgoing_send(s->conn, query, len);
	}
	return err;
}

/* Those whose turn it is, of each primary in turn. */
static void start_waiting(struct refresh *r)
{
	while (r->ready != NULL && !r->is_stopped &&
	       r->active_count < r->config->server.transfers_in) {
		struct primary *p = r->ready;
		r->ready = p->next;
		r->ready_last = r->ready != NULL ? r->ready_last : &r->ready;
		p->is_ready = false;
		if (p->first == NULL || !has_turn(r, p)) {
			continue;
		}
		struct secondary *s = dequeue(p, &p->first);
		s->state = TRANSFERS;
		p->active++;
		r->active[r->active_count++] = s;
		struct errmsg em = { "" };
		note_ready(r, p);
		if (ask(s, &em) != E_OK) {
			fail(s, em.text);
		}
	}
}

/* --- visits of the job ----------------------------------------------------------------------- */

static void secondary_free(struct secondary *s)
{
	outgoing_close(s->conn);
	xfr_in_free(s->in);
	mem_free(s->tsig);
	errand_free(s);
	mem_free(s->reason);
	mem_free(s);
}

/* What the job has told. */
static void learn(struct secondary *s)
{
	const struct visit *v = &s->errand->visit;
	s->is_known = true;
	s->has_zone = v->has_zone;
	if (v->has_zone) {
		s->serial = v->serial;
		s->is_forced = s->is_forced || v->is_other;
		s->refresh = v->refresh;
		s->retry = v->retry;
		s->expires_at = v->heard_at + v->expire;
		if (v->has_expire && v->expire_left < v->expire) {
			s->expires_at = v->heard_at + v->expire_left; /* RFC 7314 §4 */
		}
		/* Or it would expire between two questions, though a primary answers. */
		const int64_t half = (s->expires_at - v->heard_at) / 2;
		s->refresh = half < (int64_t)s->refresh ? (uint32_t)half : s->refresh;
	}
	zone_set_expiry(s->zone, s->has_zone ? s->expires_at : 0);
}

/* What was held back waits until something else is taken, or a round has passed in which no primary had it. */
static void note_held(struct secondary *s, const struct visit *v)
{
	const int err = v->order.err;
	const bool is_answer = v->what == VISIT_TAKE || v->what == VISIT_CONFIRM;
	if (is_answer && (err == E_OK || err == E_HELD)) {
		/* Where this had begun before the approval, it is asked for again. */
		s->approved = err == E_HELD && v->removed <= s->approved ? s->approved : 0;
		s->holds = err == E_HELD || (s->holds && v->what == VISIT_CONFIRM);
		s->held = err == E_HELD ? v->removed : s->holds ? s->held : 0;
	}
	if ((s->held != 0) != zone_is_held(s->zone)) {
		zone_set_stale(s->zone, s->held != 0 ? E_HELD : E_OK);
	}
}

static void on_visited(void *arg)
{
	struct secondary *s = arg;
	struct refresh *r = s->all;
	const struct order *o = &s->errand->visit.order;
	const enum visit_what what = s->errand->visit.what;
	s->state = IDLE;
	if (s->config == NULL) { /* the zone is gone */
		struct secondary **at = &r->gone;
		while (*at != s) {
			at = &(*at)->next;
		}
		*at = s->next;
		secondary_free(s);
		return;
	}
	if (r->is_stopped) {
		return;
	}
	if (o->err == E_OK || what == VISIT_LOOK) {
		learn(s); /* what is not taken does not say that what there is is current */
	}
	note_held(s, &s->errand->visit);
	if (what == VISIT_LOOK) {
		const bool has_all = s->has_zone && !s->errand->visit.is_other;
		s->due = has_all ? after(s->errand->visit.heard_at, s->refresh) : clock_now();
		s->is_expired = s->has_zone && clock_now() >= s->expires_at;
		s->due = s->is_expired || s->again ? 0 : s->due;
		s->again = false;
	} else if (what == VISIT_EXPIRE) {
		s->is_expired = true;
		/* Not at once: it may be such that it expires as soon as it is here. */
		const int64_t soon = after(clock_now(), INTERVAL_MIN_S);
		s->due = s->due < soon ? s->due : soon;
	} else if (o->err == E_OK) {
		s->is_expired = false;
		end_round(s, true);
	} else if (what == VISIT_TAKE && o->err == E_MISMATCH) {
		try_otherwise(s, o->err, o->em.text);
	} else {
		fail(s, o->em.text);
	}
	errand_free(s);
	check_times(s, clock_now());
	start_waiting(r);
}

static void on_done(struct order *o)
{
	struct visit *v = o->arg;
	struct secondary *s = v->arg;
	loop_post(s->all->loop, on_visited, s);
}

static void visit(struct secondary *s, enum visit_what what)
{
	struct visit *v = &errand_of(s)->visit;
	v->what = what;
	v->arg = s;
	/* Who wants all of the zone, whatever there is now, wants that too. */
	v->removed = s->is_forced ? UINT64_MAX : s->approved;
	v->order = (struct order){ .run = secondary_visit, .done = on_done, .arg = v };
	s->state = VISITS;
	jobs_order(s->all->jobs, s->zone, &v->order);
}

/* --- what is due ----------------------------------------------------------------------------- */

/* Leaves the queue or the primary, without a word to anybody. */
static void give_up_turn(struct secondary *s)
{
	if (s->state == TRANSFERS) {
		stop_transfer(s);
	} else if (s->state == WAITS) {
		struct secondary **at = &s->turn_with->first;
		while (*at != s) {
			at = &(*at)->next;
		}
		dequeue(s->turn_with, at)->state = IDLE;
	}
}

static void check_times(struct secondary *s, int64_t now)
{
	const int64_t most_ms = (int64_t)s->all->config->server.transfer_time_s * 1000;
	if (s->state == TRANSFERS && clock_ms() - s->began_ms > most_ms) {
		s->wants_whole = true;
		fail(s, "takes longer than server.transfer-time");
	}
	/* Also while a primary is asked, or one that dribbles would keep alive what is dead. */
	if (s->is_known && s->has_zone && !s->is_expired && now >= s->expires_at) {
		give_up_turn(s);
		if (s->state == IDLE) {
			visit(s, VISIT_EXPIRE);
		}
		return;
	}
	if (s->state != IDLE) {
		return;
	}
	if (!s->is_known) {
		visit(s, VISIT_LOOK);
	} else if (now >= s->due) {
		start_round(s);
	}
}

void refresh_tick(struct refresh *r)
{
	const int64_t now = clock_now();
	for (size_t i = 0; i < r->count && !r->is_stopped; i++) {
		check_times(r->list[i], now);
	}
	if (r->count != 0) {
		start_waiting(r);
	}
}

/* --- others ---------------------------------------------------------------------------------- */

/* The primary that notifies is asked first: it has what is new. */
static void prefer(struct secondary *s, const struct address_ip *ip)
{
	for (size_t i = 0; i < s->config->primaries.count; i++) {
		const struct address_ip own =
			address_ip_of(&s->config->primaries.list[i]->address.any);
		if (own.len == ip->len && memcmp(own.octet, ip->octet, ip->len) == 0) {
			s->peer = i;
			return;
		}
	}
}

uint16_t refresh_notified(struct refresh *r, const uint8_t *zone, const struct acl_client *client,
			  const uint32_t *serial)
{
	struct secondary *s = find(r, zone);
	if (s == NULL) {
		return RCODE_NOTAUTH;
	}
	bool is_allowed = acl_allows(s->config->notifiers, client);
	for (size_t i = 0; i < s->config->primaries.count && !is_allowed; i++) {
		is_allowed = acl_is_remote(s->config->primaries.list[i]->remote->rule, client);
	}
	if (!is_allowed) {
		return RCODE_REFUSED;
	}
	if (serial != NULL && s->is_known && s->has_zone && !s->is_expired && s->state == IDLE &&
	    !serial_is_newer(*serial, s->serial)) {
		return RCODE_NOERROR;
	}
	if (s->state == IDLE && s->is_known) {
		prefer(s, client->ip);
		start_round(s);
		start_waiting(r);
	} else if (s->state != WAITS) {
		s->again = true;
	}
	return RCODE_NOERROR;
}

bool refresh_now(struct refresh *r, const uint8_t *zone, bool whole)
{
	struct secondary *s = find(r, zone);
	if (s == NULL) {
		return false;
	}
	give_up_turn(s); /* that one may have asked for less */
	s->again = true;
	s->again_forced = s->again_forced || whole;
	if (s->state == IDLE && s->is_known) {
		start_round(s);
		start_waiting(r);
	}
	return true;
}

void refresh_approve(struct refresh *r, const uint8_t *zone)
{
	struct secondary *s = find(r, zone);
	if (s != NULL && s->held != 0) {
		s->approved = s->held;
		(void)refresh_now(r, zone, false);
	}
}

bool refresh_status(const struct refresh *r, const uint8_t *zone, struct refresh_status *out)
{
	const struct secondary *s = find(r, zone);
	if (s == NULL) {
		return false;
	}
	*out = (struct refresh_status){ .next = s->due,
					.expires_at = s->has_zone ? s->expires_at : 0,
					.is_expired = s->is_expired,
					.is_active = s->state != IDLE,
					.has_serial = s->has_zone,
					.held = s->held,
					.serial = s->serial };
	if (s->reason != NULL) {
		(void)snprintf(out->reason, sizeof(out->reason), "%s", s->reason);
	}
	return true;
}

/* --- life ------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
	const struct secondary *x = *(struct secondary *const *)a;
	const struct secondary *y = *(struct secondary *const *)b;
	return dname_compare(x->zone->apex, y->zone->apex);
}

struct refresh *refresh_new(struct loop *loop, struct jobs *jobs)
{
	struct refresh *r = mem_zalloc(sizeof(*r));
	r->loop = loop;
	r->jobs = jobs;
	r->ready_last = &r->ready;
	return r;
}

/* The zone has no primaries any more, or is gone. */
static void drop(struct secondary *s)
{
	struct refresh *r = s->all;
	if (s->state == VISITS) {
		s->config = NULL;
		s->next = r->gone;
		r->gone = s;
	} else {
		secondary_free(s);
	}
}

/* Takes over what is known of a zone that stays. What is under way goes on where it still is what is wanted. */
static struct secondary *renewed(struct refresh *r, struct secondary *s,
				 const struct config_zone *config, struct zone *zone)
{
	if (s == NULL) {
		s = mem_zalloc(sizeof(*s));
		s->all = r;
	} else if (s->config->primaries.list != config->primaries.list) {
		if (s->state == TRANSFERS) {
			stop_transfer(s);
			s->again = true;
		} else if (s->state == WAITS) {
			s->state = IDLE; /* the queues are made anew */
			s->again = true;
		}
		s->peer = 0;
		s->due = s->reason != NULL || s->again ? 0 : s->due;
	}
	const bool signs = config->policy != NULL;
	s->is_known = s->is_known && s->is_signed_here == signs; /* what there is may not do */
	s->is_signed_here = signs;
	s->zone = zone;
	s->config = config;
	s->is_renewed = true;
	return s;
}

static void stop_all(struct refresh *r)
{
	while (r->active_count != 0) {
		r->active[0]->again = true;
		stop_transfer(r->active[0]);
	}
	for (size_t i = 0; i < r->count; i++) {
		if (r->list[i]->state == WAITS) {
			r->list[i]->state = IDLE;
			r->list[i]->again = true;
		}
	}
}

void refresh_stop(struct refresh *r)
{
	r->is_stopped = true;
	stop_all(r);
}

/* All whom the zones of @config have as primary, each once. */
static void list_primaries(struct refresh *r, const struct config *config)
{
	const struct config_peers *before = NULL;
	size_t room = 0;
	size_t count = 0;
	struct primary *list = NULL;
	for (size_t i = 0; i < config->zone_count; i++) {
		const struct config_peers *p = &config->zones[i].primaries;
		if (before != NULL && p->list == before->list) {
			continue; /* members of a catalog have one list */
		}
		before = p;
		if (count + p->count > room) {
			room = 2 * (count + p->count);
			list = mem_realloc(list, room, sizeof(*list));
		}
		for (size_t k = 0; k < p->count; k++) {
			list[count++] = (struct primary){ .address = p->list[k]->stream };
		}
	}
	if (count != 0) {
		qsort(list, count, sizeof(*list), compare_primaries);
	}
	r->primary_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || compare_primaries(&list[r->primary_count - 1], &list[i]) != 0) {
			list[r->primary_count++] = list[i];
		}
	}
	r->primaries = list;
	for (size_t i = 0; i < r->primary_count; i++) {
		list[i].last = &list[i].first;
	}
	r->ready = NULL;
	r->ready_last = &r->ready;
}

/* Makes the queues of the primaries that there are now. @before: what they were. */
static void requeue(struct refresh *r, struct primary *before, size_t count)
{
	for (size_t i = 0; i < r->active_count; i++) {
		r->active[i]->turn_with = primary_of(r->active[i]);
		r->active[i]->turn_with->active++;
	}
	for (size_t i = 0; i < count; i++) {
		for (struct secondary *s = before[i].first; s != NULL;) {
			struct secondary *next = s->next;
			if (s->is_renewed && s->state == WAITS) {
				enqueue(s);
			} else if (!s->is_renewed) {
				s->state = IDLE;
			}
			s = next;
		}
	}
	mem_free(before);
}

void refresh_set(struct refresh *r, const struct config *config, const struct zoneset *zones,
		 const struct tsig_ring *ring, const struct tls_remotes *tls)
{
	struct secondary **list = mem_array(config->zone_count + 1, sizeof(struct secondary *));
	struct primary *primaries = r->primaries;
	const size_t primary_count = r->primary_count;
	size_t count = 0;
	for (size_t i = 0; i < config->zone_count; i++) {
		const struct config_zone *c = &config->zones[i];
		struct secondary *s = find(r, c->name);
		struct zone *zone = zoneset_get(zones, c->name);
		if (config_zone_is_secondary(c)) {
			const bool goes_on = s != NULL && s->zone == zone;
			list[count++] = renewed(r, goes_on ? s : NULL, c, zone);
		} else if (s != NULL) {
			zone_set_expiry(zone, 0); /* it has no primary any more */
		}
	}
	for (size_t i = 0; i < r->count; i++) {
		if (!r->list[i]->is_renewed && r->list[i]->state == TRANSFERS) {
			stop_transfer(r->list[i]);
		}
	}
	r->config = config;
	r->ring = ring;
	r->tls = tls;
	list_primaries(r, config);
	requeue(r, primaries, primary_count);
	for (size_t i = 0; i < r->count; i++) {
		if (!r->list[i]->is_renewed) {
			drop(r->list[i]);
		}
	}
	for (size_t i = 0; i < count; i++) {
		list[i]->is_renewed = false;
	}
	qsort(list, count, sizeof(struct secondary *), by_name);
	struct secondary **active =
		mem_array(config->server.transfers_in + r->active_count, sizeof(*active));
	for (size_t i = 0; i < r->active_count; i++) {
		active[i] = r->active[i];
	}
	mem_free(r->list);
	mem_free(r->active);
	r->active = active;
	r->list = list;
	r->count = count;
	refresh_tick(r);
}

void refresh_free(struct refresh *r)
{
	if (r == NULL) {
		return;
	}
	for (size_t i = 0; i < r->count; i++) {
		secondary_free(r->list[i]);
	}
	while (r->gone != NULL) {
		struct secondary *s = r->gone;
		r->gone = s->next;
		secondary_free(s);
	}
	mem_free(r->list);
	mem_free(r->active);
	mem_free(r->primaries);
	mem_free(r);
}

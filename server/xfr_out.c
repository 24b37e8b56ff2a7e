/* server/xfr_out.c - zone transfers to secondaries. */
#include "server/xfr_out.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "server/client.h"
#include "server/clock.h"
#include "server/xfr_history.h"
#include "server/xfr_pack.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/dns/serial.h"

/* What the records are. */
enum answer { ZONE, DIFFERENCES, SOA };

static const char *const answer_names[] = { "zone", "differences", "soa" };

/* Where the writing has come to. */
enum part { FIRST_SOA, NAMES, NSEC3, DIFFS, LAST_SOA, END };

/* What follows a part. */
static const enum part next_part[][END] = {
	[ZONE] = { NAMES, NSEC3, LAST_SOA, END, END },
	[DIFFERENCES] = { DIFFS, END, END, LAST_SOA, END },
	[SOA] = { END, END, END, END, END },
};

struct xfr_out {
	struct version *version;
	struct xfr_desk *desk;
	struct client *client;
	struct address_ip ip;
	bool is_incremental;
	bool is_datagram;
	uint32_t serial; /* that the client has; of an IXFR */
	enum answer answer;
	/* What messages begin with, and what the first ends with. */
	uint8_t *response; /* heap */
	size_t question;
	size_t opt_len;
	size_t limit; /* octets without a TSIG */
	struct tsig_key key;
	struct tsig_ring *ring; /* of this key; NULL: it is not signed */
	struct tsig_exchange tsig;
	/* Progress. */
	enum part part;
	bool is_named;	      /* the message knows whose records are being written */
	const char *end_text; /* why it broke off */
	/* Of a zone. */
	struct tree_cursor cursor;
	const struct node *node; /* NULL: the part has not begun */
	const uint8_t *rr, *end; /* of its records, those that are left */
	/* Of differences. */
	struct xfr_history *history;
	const struct diff *diff; /* NULL: the next is to be begun */
	bool is_adding;		 /* what it removes is done */
	const uint8_t *diff_rr;	 /* the next */
	uint32_t diff_left;	 /* that many */
	uint64_t messages, records, octets;
	int64_t begun_ms;
};

/* --- the desk -------------------------------------------------------------------------------- */

struct xfr_desk {
	pthread_mutex_t lock;
	struct client_table *clients; /* under it, as is what follows */
	uint32_t count;
	size_t held; /* atomic; octets of differences */
};

int xfr_desk_new(struct xfr_desk **out)
{
	struct xfr_desk *d = mem_zalloc(sizeof(*d));
	int err = client_table_new(&d->clients);
	if (err != E_OK) {
		mem_free(d);
		return err;
	}
	(void)pthread_mutex_init(&d->lock, NULL);
	*out = d;
	return E_OK;
}

void xfr_desk_free(struct xfr_desk *d)
{
	if (d != NULL) {
		client_table_free(d->clients);
		(void)pthread_mutex_destroy(&d->lock);
		mem_free(d);
	}
}

static struct client *desk_enter(struct xfr_desk *d, const struct address_ip *ip)
{
	(void)pthread_mutex_lock(&d->lock);
	struct client *c = client_enter(d->clients, ip);
	d->count++;
	(void)pthread_mutex_unlock(&d->lock);
	return c;
}

static void desk_leave(struct xfr_desk *d, struct client *c)
{
	(void)pthread_mutex_lock(&d->lock);
	client_leave(d->clients, c);
	d->count--;
	(void)pthread_mutex_unlock(&d->lock);
}

bool xfr_desk_has_room(struct xfr_desk *d, const struct xfr_desk_limits *limits,
		       const struct address_ip *ip)
{
	(void)pthread_mutex_lock(&d->lock);
	struct client *c = client_enter(d->clients, ip);
	bool has_room = d->count < limits->all && c->count <= limits->per_client;
	client_leave(d->clients, c);
	(void)pthread_mutex_unlock(&d->lock);
	return has_room;
}

/* --- records --------------------------------------------------------------------------------- */

static void name_owner(struct xfr_out *x, struct xfr_pack *p, const uint8_t *name)
{
	if (!x->is_named) {
		xfr_pack_owner(p, name);
		x->is_named = true;
	}
}

static bool put_soa(struct xfr_out *x, struct xfr_pack *p)
{
	name_owner(x, p, x->version->apex_node->name);
	return xfr_pack_rr(p, rrset_data(x->version->soa) + NODE_RR_FIXED - MESSAGE_RR_FIXED);
}

/* The records of a node lie in one piece. */
static void begin_node(struct xfr_out *x, const struct node *n)
{
	x->node = n;
	x->is_named = false;
	if (n != NULL) {
		x->end = (const uint8_t *)n + n->size;
		x->rr = n->rrsets != 0 ? rrset_data(node_rrsets(n)) : x->end;
	}
}

/* What is left of the node, but for the SOA, which begins and ends the transfer. */
static bool put_node(struct xfr_out *x, struct xfr_pack *p)
{
	const struct rrset *soa = x->node == x->version->apex_node ? x->version->soa : NULL;
	name_owner(x, p, x->node->name);
	while (x->rr < x->end) {
		if (soa != NULL && x->rr == rrset_data(soa)) {
			x->rr += soa->data_len;
			continue;
		}
		if (!xfr_pack_rr(p, x->rr + NODE_RR_FIXED - MESSAGE_RR_FIXED)) {
			return false;
		}
		x->rr += NODE_RR_FIXED + be16_get(x->rr + MESSAGE_RR_FIXED);
	}
	return true;
}

static bool put_tree(struct xfr_out *x, struct xfr_pack *p, const struct tree *t)
{
	if (x->node == NULL) {
		begin_node(x, tree_first(t, &x->cursor));
	}
	while (x->node != NULL) {
		if (!put_node(x, p)) {
			return false;
		}
		begin_node(x, tree_next(&x->cursor));
	}
	return true;
}

static void begin_diff_part(struct xfr_out *x, const struct diff_part *part)
{
	x->diff_rr = (const uint8_t *)part->octets.data;
	x->diff_left = part->count;
}

/* What is left of a part of a difference, each record with its owner. */
static bool put_diff_part(struct xfr_out *x, struct xfr_pack *p)
{
	while (x->diff_left != 0) {
		struct diff_rr rr;
		const uint8_t *next = diff_rr_next(x->diff_rr, &rr);
		xfr_pack_owner(p, rr.owner);
		if (!xfr_pack_rr(p, rr.rdata - MESSAGE_RR_FIXED)) {
			return false;
		}
		x->diff_rr = next;
		x->diff_left--;
	}
	return true;
}

/* A message ends with a piece: owners point into it. */
static bool put_diffs(struct xfr_out *x, struct xfr_pack *p)
{
	for (;;) {
		if (x->diff == NULL) {
			x->diff = xfr_history_next(x->history);
			if (x->diff == NULL) {
				return xfr_history_is_at_end(x->history);
			}
			x->is_adding = false;
			begin_diff_part(x, &x->diff->removed);
		}
		if (!put_diff_part(x, p)) {
			return false;
		}
		if (x->is_adding) {
			x->diff = NULL;
		} else {
			x->is_adding = true;
			begin_diff_part(x, &x->diff->added);
		}
	}
}

/* False: the message is full. */
static bool put_part(struct xfr_out *x, struct xfr_pack *p)
{
	switch (x->part) {
	case FIRST_SOA:
	case LAST_SOA:
		return put_soa(x, p);
	case NAMES:
		return put_tree(x, p, &x->version->names);
	case NSEC3:
		return put_tree(x, p, &x->version->nsec3);
	case DIFFS:
		return put_diffs(x, p);
	case END:
		break;
	}
	return true;
}

/* Fills the message with what comes next. */
static void fill(struct xfr_out *x, struct xfr_pack *p)
{
	x->is_named = false;
	while (x->part != END && put_part(x, p)) {
		x->part = next_part[x->answer][x->part];
		x->is_named = false;
	}
}

/* --- messages -------------------------------------------------------------------------------- */

/* What it begins with: header, and in the first the question. Returns the octets. */
static size_t begin_message(const struct xfr_out *x, uint8_t *out)
{
	size_t len = x->messages == 0 ? x->question : MESSAGE_HEADER_LEN;
	memcpy(out, x->response, len);
	return len;
}

static size_t end_message(const struct xfr_out *x, struct xfr_pack *p)
{
	uint8_t *out = p->message;
	bool has_opt = x->messages == 0 && x->opt_len != 0;
	be16_put(out + 4, x->messages == 0);
	be16_put(out + 6, (uint16_t)p->count);
	be16_put(out + 8, 0);
	be16_put(out + 10, has_opt);
	if (has_opt) {
		memcpy(p->pos, x->response + x->question, x->opt_len);
		p->pos += x->opt_len;
	}
	return (size_t)(p->pos - out);
}

/* Has the next piece of the differences, where the one before is used up. */
static int get_piece(struct xfr_out *x)
{
	if (x->part != DIFFS || x->diff != NULL || xfr_history_is_at_end(x->history)) {
		return E_OK;
	}
	x->diff = xfr_history_next(x->history);
	if (x->diff == NULL) {
		int err = xfr_history_read(x->history);
		if (err != E_OK) {
			return err;
		}
		x->diff = xfr_history_next(x->history);
	}
	x->is_adding = false;
	begin_diff_part(x, &x->diff->removed);
	return E_OK;
}

static void make_message(struct xfr_out *x, struct xfr_pack *p, uint8_t *out, size_t room)
{
	size_t limit = x->limit < room ? x->limit : room;
	size_t kept = x->messages == 0 ? x->opt_len : 0;
	xfr_pack_begin(p, out, begin_message(x, out), limit - kept);
	fill(x, p);
}

/* What does not fit into a datagram is for TCP: the SOA tells that there is something (RFC 1995 §2), or, where not
 * even that fits, the TC bit. */
static void make_datagram(struct xfr_out *x, struct xfr_pack *p, uint8_t *out, size_t room)
{
	make_message(x, p, out, room);
	if (x->part != END) {
		x->answer = SOA;
		x->part = FIRST_SOA;
		make_message(x, p, out, room);
	}
	if (x->part != END) {
		x->part = END;
		be16_put(out + 2, be16_get(out + 2) | MESSAGE_TC);
	}
}

bool xfr_out_next(struct xfr_out *x, uint8_t *out, size_t room, size_t *len)
{
	struct xfr_pack p;
	*len = 0;
	if (get_piece(x) != E_OK) {
		x->end_text = "the journal does not have the rest any more";
		return false;
	}
	if (x->is_datagram) {
		make_datagram(x, &p, out, room);
	} else {
		make_message(x, &p, out, room);
	}
	if (p.count == 0 && x->part != END) {
		x->end_text = "a record that no message has room for";
		return false;
	}
	size_t made = end_message(x, &p);
	if (tsig_sign(&x->tsig, out, &made, room, (uint64_t)clock_now()) != E_OK) {
		x->end_text = "the signature cannot be made";
		return false;
	}
	*len = made;
	x->messages++;
	x->records += p.count;
	x->octets += made;
	return x->part != END;
}

static bool next_of(void *state, uint8_t *out, size_t room, size_t *len)
{
	return xfr_out_next(state, out, room, len);
}

static void free_of(void *state)
{
	xfr_out_free(state);
}

struct stream_source xfr_out_source(struct xfr_out *x)
{
	return (struct stream_source){ next_of, free_of, x };
}

/* --- life ------------------------------------------------------------------------------------ */

/* Keys may change while it lasts: it has its own. */
static int begin_signing(struct xfr_out *x, const struct xfr_start *s)
{
	size_t len;
	if (s->key == NULL) {
		return E_OK;
	}
	const struct tsig_key *k = s->key;
	x->key = (struct tsig_key){ .name = k->name,
				    .algorithm = k->algorithm,
				    .mac_len = k->mac_len };
	secret_set(&x->key.secret, k->secret.data, k->secret.len);
	int err = tsig_ring_new(&x->key, 1, &x->ring);
	return err == E_OK ? tsig_verify(x->ring, s->query, s->query_len, (uint64_t)s->now,
					 &x->tsig, &len)
			   : err;
}

/* Has the client what we have, or newer (RFC 1995 §4)? */
static bool is_current(const struct xfr_out *x)
{
	return x->serial == x->version->serial || serial_is_newer(x->serial, x->version->serial);
}

static enum answer choose_answer(struct xfr_out *x, const struct xfr_start *s)
{
	const struct xfr_history_of of = { .journal = s->journal,
					   .apex = x->version->apex.wire,
					   .from = x->serial,
					   .to = x->version->serial,
					   .records = x->version->records,
					   .held = &x->desk->held };
	if (!x->is_incremental) {
		return ZONE;
	}
	if (is_current(x)) {
		return SOA;
	}
	if (s->journal != NULL && xfr_history_open(&of, &x->history) == E_OK) {
		return DIFFERENCES;
	}
	return x->is_datagram ? SOA : ZONE;
}

int xfr_out_new(const struct xfr_start *s, struct xfr_out **out)
{
	const struct query_transfer *t = s->wanted;
	struct xfr_out *x = mem_zalloc(sizeof(*x));
	x->desk = s->desk;
	x->ip = *s->client;
	x->client = desk_enter(s->desk, s->client);
	x->version = version_ref(t->version);
	x->is_incremental = t->is_incremental;
	x->is_datagram = s->is_datagram;
	x->serial = t->serial;
	x->response = mem_dup(s->response, s->response_len);
	x->question = t->question;
	x->opt_len = s->response_len - t->question;
	x->limit = t->limit;
	x->begun_ms = clock_ms();
	int err = begin_signing(x, s);
	if (err != E_OK) {
		x->end_text = "the signature cannot be made";
		xfr_out_free(x);
		return err;
	}
	x->answer = choose_answer(x, s);
	*out = x;
	return E_OK;
}

/* What was sent, and to whom. */
static void log_end(const struct xfr_out *x)
{
	char name[DNAME_TEXT_MAX];
	char key[DNAME_TEXT_MAX] = "none";
	char quoted[3][DNAME_TEXT_MAX + 8];
	char client[ADDRESS_NETWORK_TEXT_MAX];
	char from[32] = "";
	const struct address_network network = { x->ip, (uint8_t)(x->ip.len * 8) };
	const char *reason = x->end_text != NULL ? x->end_text
			     : x->part != END	 ? "the connection has ended"
						 : NULL;
	(void)dname_to_text(x->version->apex.wire, name);
	if (x->ring != NULL) {
		(void)dname_to_text(x->key.name.wire, key);
	}
	if (x->is_incremental) {
		(void)snprintf(from, sizeof(from), " from=%u", x->serial);
	}
	address_network_to_text(&network, client);
	log_event(reason != NULL     ? LOG_LEVEL_NOTICE
		  : x->answer == SOA ? LOG_LEVEL_DEBUG /* a question, rather */
				     : LOG_LEVEL_INFO,
		  reason != NULL ? "xfr-out-broken" : "xfr-out",
		  "zone=%s client=%s key=%s type=%s%s serial=%u answer=%s messages=%llu "
		  "records=%llu octets=%llu ms=%lld%s%s",
		  log_quote(name, quoted[0], sizeof(quoted[0])), client,
		  log_quote(key, quoted[1], sizeof(quoted[1])), x->is_incremental ? "IXFR" : "AXFR",
		  from, x->version->serial, answer_names[x->answer],
		  (unsigned long long)x->messages, (unsigned long long)x->records,
		  (unsigned long long)x->octets, (long long)(clock_ms() - x->begun_ms),
		  reason != NULL ? " reason=" : "",
		  reason != NULL ? log_quote(reason, quoted[2], sizeof(quoted[2])) : "");
}

void xfr_out_free(struct xfr_out *x)
{
	log_end(x);
	desk_leave(x->desk, x->client);
	xfr_history_free(x->history);
	version_unref(x->version);
	tsig_ring_free(x->ring);
	tsig_key_clear(&x->key);
	mem_free(x->response);
	mem_free(x);
}

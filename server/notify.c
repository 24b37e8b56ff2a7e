/* server/notify.c - tells others that a zone has changed. */
#include "server/notify.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "keys/crypto.h"
#include "server/clock.h"
#include "server/zone_text.h"
#include "zones/base/epoch.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/dns/message.h"
#include "zones/dns/rdata.h"

/* It is told again after so long, then twice as long, and so on: about 4 minutes in all. */
#define AGAIN_FIRST_MS 1000
#define TRIES_MAX      8
/* Told at a time, so that thousands of zones do not fill the socket's buffer. */
#define TELL_MAX     200
#define TELL_MS	     20
#define QUERY_MAX    1536
#define RESPONSE_MAX 4096
#define NS_PORT	     53

/* Somebody who is told of a zone, and has not answered. */
struct notice {
	struct notice *next;
	struct address to;
	const struct tsig_key *key; /* NULL: not signed */
	unsigned tries;
	int64_t due_ms;
	uint16_t id;
	bool is_newer; /* the zone has changed since it was told last */
	struct tsig_exchange tsig;
	const uint8_t *zone; /* the configuration's */
};

struct notify {
	struct loop *loop;
	const struct config *config;
	const struct zoneset *zones;
	const struct tsig_ring *ring;
	struct notice **lists; /* one for each zone of the configuration, in its order */
	struct notice ***busy; /* those of them that may have any; [zones] */
	size_t busy_count;
	bool *is_busy; /* by zone */
	int fd[2];     /* IPv4, IPv6; -1: not open */
	struct event *on_answer[2];
};

/* --- who is told ----------------------------------------------------------------------------- */

/* Of what is newer it is told as soon as it would have been told a second time; it may be back. */
static void renew(struct notice *t)
{
	t->is_newer = true;
	if (t->tries > 1) {
		t->due_ms -= ((int64_t)AGAIN_FIRST_MS << (t->tries - 1)) - AGAIN_FIRST_MS;
		t->tries = 1;
	}
}

static void add(struct notify *n, const struct config_zone *zone, const struct address *to,
		const struct tsig_key *key)
{
	struct notice **at = &n->lists[zone - n->config->zones];
	while (*at != NULL && !address_equal(&(*at)->to, to)) {
		at = &(*at)->next;
	}
	if (*at != NULL) {
		renew(*at);
		return;
	}
	const size_t i = (size_t)(zone - n->config->zones);
	if (!n->is_busy[i]) {
		n->is_busy[i] = true;
		n->busy[n->busy_count++] = &n->lists[i];
	}
	*at = mem_zalloc(sizeof(**at));
	(*at)->to = *to;
	(*at)->key = key;
	(*at)->zone = zone->name;
}

static void drop(struct notice **at)
{
	struct notice *gone = *at;
	*at = gone->next;
	mem_free(gone);
}

static bool is_own(const struct notify *n, const struct address *a)
{
	const struct config_addresses *listen = &n->config->server.listen;
	size_t i = 0;
	while (i < listen->count && !address_equal(&listen->list[i], a)) {
		i++;
	}
	return i < listen->count;
}

/* The addresses of @name, where a zone of ours has them. */
static void add_server(struct notify *n, const struct config_zone *zone, const uint8_t *name)
{
	static const uint16_t types[] = { RRTYPE_A, RRTYPE_AAAA };
	struct dname_key key;
	dname_key_make(&key, name);
	const struct zone *z = zoneset_find(n->zones, &key, name, false);
	const struct version *v = z != NULL ? epoch_read(&z->current) : NULL;
	const struct node *node = v != NULL ? version_node(v, name) : NULL;
	for (size_t t = 0; node != NULL && t < ARRAY_LEN(types); t++) {
		const struct rrset *rs = node_find(node, types[t]);
		const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
		for (unsigned i = 0; rs != NULL && i < rs->count; i++) {
			struct rr rr;
			struct address a;
			struct address_network one = { .prefix = types[t] == RRTYPE_A ? 32 : 128 };
			p = rr_read(p, &rr);
			one.ip.len = one.prefix / 8;
			if (rr.rdlen != one.ip.len) {
				continue;
			}
			memcpy(one.ip.octet, rr.rdata, rr.rdlen);
			if (address_of_network(&one, NS_PORT, &a) && !is_own(n, &a)) {
				add(n, zone, &a, NULL);
			}
		}
	}
}

/* Calls @fn for each name of the NS set of @v but the one that the SOA has, until it returns false. */
static void each_server(const struct version *v, bool (*fn)(void *arg, const uint8_t *name),
			void *arg)
{
	const struct rrset *rs =
		v != NULL && v->soa != NULL ? node_find(v->apex_node, RRTYPE_NS) : NULL;
	struct rr soa;
	struct rr rr;
	const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
	bool goes_on = rs != NULL;
	for (unsigned i = 0; goes_on && i < rs->count; i++) {
		p = rr_read(p, &rr);
		(void)rr_read(rrset_data(v->soa), &soa);
		goes_on = dname_equal(rr.rdata, soa.rdata) || fn(arg, rr.rdata);
	}
}

struct servers_of {
	struct notify *n;
	const struct config_zone *zone;
};

static bool add_one(void *arg, const uint8_t *name)
{
	const struct servers_of *s = arg;
	add_server(s->n, s->zone, name);
	return true;
}

static void add_servers(struct notify *n, const struct config_zone *c)
{
	const struct zone *z = zoneset_get(n->zones, c->name);
	struct servers_of s = { n, c };
	epoch_online();
	each_server(z != NULL ? epoch_read(&z->current) : NULL, add_one, &s);
	epoch_offline();
}

static bool note_one(void *arg, const uint8_t *name UNUSED)
{
	*(bool *)arg = true;
	return false;
}

bool notify_is_wanted(const struct config_zone *c, const struct version *v)
{
	bool wanted = c->notify.count != 0;
	if (!wanted && c->notify_ns == CONFIG_YES) {
		each_server(v, note_one, &wanted);
	}
	return wanted;
}

void notify_changed(struct notify *n, const uint8_t *zone)
{
	const struct config_zone *c = config_find_zone(n->config, zone);
	if (c == NULL) {
		return;
	}
	for (size_t i = 0; i < c->notify.count; i++) {
		add(n, c, &c->notify.list[i]->address, c->notify.list[i]->key);
	}
	if (c->notify_ns == CONFIG_YES) {
		add_servers(n, c);
	}
}

void notify_all(struct notify *n)
{
	for (size_t i = 0; i < n->config->zone_count; i++) {
		notify_changed(n, n->config->zones[i].name);
	}
}

/* --- telling --------------------------------------------------------------------------------- */

/* The SOA goes with it: who has it already need not ask (RFC 1996 §3.7). */
static void write_soa(const struct version *v, struct writer *w)
{
	struct rr rr;
	(void)rr_read(rrset_data(v->soa), &rr);
	writer_u16(w, MESSAGE_POINTER | MESSAGE_HEADER_LEN);
	writer_u16(w, RRTYPE_SOA);
	writer_u16(w, RRCLASS_IN);
	writer_u32(w, rr.ttl);
	writer_u16(w, rr.rdlen);
	writer_bytes(w, rr.rdata, rr.rdlen);
}

/* E_NOENT: nothing is served that could be told of. */
static int make_message(struct notify *n, struct notice *t, uint8_t *out, size_t room, size_t *len)
{
	struct message_header h = { .flags = OPCODE_NOTIFY << 11 | MESSAGE_AA };
	struct writer w = writer_of(out, room);
	const struct zone *z = zoneset_get(n->zones, t->zone);
	int err = crypto_random(&t->id, sizeof(t->id));
	if (err != E_OK) {
		return err;
	}
	h.id = t->id;
	h.count[SECTION_QUESTION] = h.count[SECTION_ANSWER] = 1;
	epoch_online();
	const struct version *v = z != NULL ? epoch_read(&z->current) : NULL;
	if (v != NULL && v->soa != NULL) {
		message_write_header(writer_room(&w, MESSAGE_HEADER_LEN), &h);
		writer_bytes(&w, t->zone, dname_len(t->zone));
		writer_u16(&w, RRTYPE_SOA);
		writer_u16(&w, RRCLASS_IN);
		write_soa(v, &w);
		err = w.err;
	} else {
		err = E_NOENT;
	}
	epoch_offline();
	*len = writer_len(&w);
	return err == E_OK ? tsig_sign_query(n->ring, t->key, &t->tsig, out, len, room,
					     (uint64_t)clock_now())
			   : err;
}

static void on_answer(evutil_socket_t fd, short what, void *arg);

/* The socket for the family of @to; -1: there is none. */
static int socket_for(struct notify *n, const struct address *to)
{
	const unsigned i = to->any.sa_family == AF_INET ? 0 : 1;
	if (n->fd[i] >= 0) {
		return n->fd[i];
	}
	n->fd[i] = socket(to->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (n->fd[i] >= 0) {
		n->on_answer[i] =
			event_new(loop_base(n->loop), n->fd[i], EV_READ | EV_PERSIST, on_answer, n);
		if (n->on_answer[i] != NULL) {
			(void)event_add(n->on_answer[i], NULL);
		}
	}
	return n->fd[i];
}

static void log_notice_of(const struct notice *t, const char *id, const char *reason)
{
	struct zone_text name;
	char address[ADDRESS_TEXT_MAX];
	address_to_text(&t->to, address);
	log_event(*reason != '\0' ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, id, "zone=%s to=%s%s%s%s",
		  zone_text(t->zone, &name), address, *reason != '\0' ? " reason=\"" : "", reason,
		  *reason != '\0' ? "\"" : "");
}

/* False: it is given up. */
static bool tell(struct notify *n, struct notice *t, int64_t now_ms)
{
	uint8_t message[QUERY_MAX];
	size_t len = 0;
	if (t->tries == TRIES_MAX) {
		log_notice_of(t, "notify-unanswered", "no answer; it will see at its next refresh");
		return false;
	}
	if (make_message(n, t, message, sizeof(message), &len) != E_OK) {
		return false;
	}
	const int fd = socket_for(n, &t->to);
	if (fd >= 0) { /* what cannot be sent is as good as lost on the way: it is told again */
		(void)sendto(fd, message, len, 0, &t->to.any, t->to.len);
	}
	t->is_newer = false;
	t->due_ms = now_ms + ((int64_t)AGAIN_FIRST_MS << t->tries);
	t->tries++;
	return true;
}

/* Tells those of one list whom it is time to tell, no more than *@left. */
static void tell_list(struct notify *n, struct notice **at, int64_t now_ms, unsigned *left,
		      int64_t *next)
{
	while (*at != NULL) {
		struct notice *t = *at;
		if (t->due_ms <= now_ms && *left != 0) {
			(*left)--;
			if (!tell(n, t, now_ms)) {
				drop(at);
				continue;
			}
		}
		*next = t->due_ms < *next ? t->due_ms : *next;
		at = &t->next;
	}
}

int64_t notify_tick(struct notify *n)
{
	const int64_t now_ms = clock_ms();
	int64_t next = INT64_MAX;
	unsigned left = TELL_MAX;
	for (size_t i = 0; i < n->busy_count;) {
		struct notice **list = n->busy[i];
		tell_list(n, list, now_ms, &left, &next);
		if (*list == NULL) {
			n->is_busy[list - n->lists] = false;
			n->busy[i] = n->busy[--n->busy_count];
		} else {
			i++;
		}
	}
	if (next == INT64_MAX) {
		return -1;
	}
	return next > now_ms + TELL_MS ? next - now_ms : TELL_MS;
}

/* --- answers --------------------------------------------------------------------------------- */

static bool is_answer(struct notice *t, const uint8_t *octets, size_t len)
{
	struct reader r = reader_of(octets, len);
	struct message_header h;
	size_t at = len;
	if (message_read_header(&r, &h) != E_OK || h.id != t->id || (h.flags & MESSAGE_QR) == 0 ||
	    message_opcode(h.flags) != OPCODE_NOTIFY || t->tries == 0) {
		return false;
	}
	if (t->key != NULL &&
	    tsig_check(&t->tsig, octets, len, (uint64_t)clock_now(), &at) != E_OK) {
		return false;
	}
	return true;
}

/* The notice that was answered; NULL: none of the list. */
static struct notice **find_answered(struct notice **at, const struct address *from,
				     const uint8_t *octets, size_t len)
{
	while (*at != NULL && !(address_equal(&(*at)->to, from) && is_answer(*at, octets, len))) {
		at = &(*at)->next;
	}
	return *at != NULL ? at : NULL;
}

static void take_answer(struct notify *n, const struct address *from, const uint8_t *octets,
			size_t len)
{
	for (size_t i = 0; i < n->busy_count; i++) {
		struct notice **at = find_answered(n->busy[i], from, octets, len);
		if (at == NULL) {
			continue;
		}
		struct notice *t = *at;
		const unsigned rcode = octets[3] & MESSAGE_RCODE;
		if (rcode != RCODE_NOERROR) {
			log_notice_of(t, "notify-refused",
				      "the answer is an error; is it a "
				      "secondary of this zone, with us as primary?");
		}
		if (t->is_newer) {
			t->tries = 0;
			t->due_ms = 0;
		} else {
			drop(at);
		}
		return;
	}
}

static void on_answer(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct notify *n = arg;
	uint8_t octets[RESPONSE_MAX];
	for (unsigned i = 0; i < TELL_MAX; i++) {
		struct address from = { .len = sizeof(from.v6) };
		const ssize_t got = recvfrom(fd, octets, sizeof(octets), 0, &from.any, &from.len);
		if (got >= MESSAGE_HEADER_LEN) {
			take_answer(n, &from, octets, (size_t)got);
		} else if (got < 0 && errno != ECONNREFUSED && errno != EINTR) {
			break;
		}
	}
	(void)notify_tick(n);
}

/* --- life ------------------------------------------------------------------------------------ */

struct notify *notify_new(struct loop *loop)
{
	struct notify *n = mem_zalloc(sizeof(*n));
	n->loop = loop;
	n->fd[0] = n->fd[1] = -1;
	return n;
}

void notify_set(struct notify *n, const struct config *config, const struct zoneset *zones,
		const struct tsig_ring *ring)
{
	struct notice **before = n->lists;
	const size_t count = n->config != NULL ? n->config->zone_count : 0;
	n->lists = mem_array(config->zone_count + 1, sizeof(struct notice *));
	mem_free(n->busy);
	mem_free(n->is_busy);
	n->busy = mem_array(config->zone_count + 1, sizeof(struct notice **));
	n->is_busy = mem_array(config->zone_count + 1, sizeof(bool));
	n->busy_count = 0;
	n->config = config;
	n->zones = zones;
	n->ring = ring;
	for (size_t i = 0; i < count; i++) {
		if (before[i] != NULL) {
			notify_changed(n, before[i]->zone);
		}
		while (before[i] != NULL) {
			drop(&before[i]);
		}
	}
	mem_free(before);
}

void notify_free(struct notify *n)
{
	if (n == NULL) {
		return;
	}
	for (size_t i = 0; n->config != NULL && i < n->config->zone_count; i++) {
		while (n->lists[i] != NULL) {
			drop(&n->lists[i]);
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		if (n->on_answer[i] != NULL) {
			event_free(n->on_answer[i]);
		}
		if (n->fd[i] >= 0) {
			(void)close(n->fd[i]);
		}
	}
	mem_free(n->lists);
	mem_free(n->busy);
	mem_free(n->is_busy);
	mem_free(n);
}

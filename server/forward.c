/* server/forward.c - passes UPDATE messages of secondary zones on to their primaries. */
#include "server/forward.h"

#include <stdio.h>
#include <string.h>

#include "keys/crypto.h"
#include "server/clock.h"
#include "server/outgoing.h"
#include "server/update.h"
#include "server/zone_text.h"
#include "zones/base/mem.h"
#include "zones/base/wire.h"

#define REASON_MAX 300

/* One message under way. */
struct forwarded {
	struct forward *all;
	struct forwarded *next;
	struct request *request;
	struct outgoing *conn;
	size_t peer; /* the next that is asked */
	struct address asked;
	char why[REASON_MAX]; /* the last was of no use */
	int64_t until_ms;
	uint16_t client_id; /* the request has it no more */
	uint16_t id;
	size_t room; /* octets of the answer that the client takes */
};

struct forward {
	struct loop *loop;
	const struct config *config;
	const struct tsig_ring *ring;
	const struct tls_remotes *tls;
	struct forwarded *first;
	unsigned count;
	bool is_stopped;
};

static void ask_next(struct forwarded *e);

static void forwarded_free(struct forwarded *e)
{
	struct forwarded **at = &e->all->first;
	while (*at != e) {
		at = &(*at)->next;
	}
	*at = e->next;
	e->all->count--;
	outgoing_close(e->conn);
	mem_free(e);
}

/* --- the end --------------------------------------------------------------------------------- */

/* Is it signed with a key that only others have? */
static bool is_of_others(const struct forward *f, const struct update *u)
{
	return u->tsig.is_present && u->tsig.error == TSIG_BADKEY &&
	       !tsig_ring_has(f->ring, u->tsig.key_name.wire);
}

static void refuse(const struct forward *f, struct update *u, uint16_t rcode, const char *reason)
{
	if (is_of_others(f, u) && rcode == RCODE_SERVFAIL) {
		u->tsig.is_present = false; /* the key may be good */
	}
	if (!u->tsig.is_present || u->tsig.error == 0) {
		u->rcode = rcode;
	}
	u->reason = reason;
	update_close(u);
}

/* No primary has answered. */
static void give_up(struct forwarded *e)
{
	char reason[REASON_MAX + 64];
	const struct forward *f = e->all;
	struct request *r = e->request;
	struct update u;
	(void)snprintf(reason, sizeof(reason), "no primary answers%s%s",
		       e->why[0] != '\0' ? "; the last " : "", e->why);
	be16_put(r->message, e->client_id);
	forwarded_free(e);
	(void)update_verify(&u, r, f->ring, clock_now());
	refuse(f, &u, RCODE_SERVFAIL, reason);
}

static void log_answer(const struct forwarded *e, const uint8_t *octets)
{
	const struct address_network client = { e->request->client,
						(uint8_t)(e->request->client.len * 8) };
	char from[ADDRESS_NETWORK_TEXT_MAX];
	char to[ADDRESS_TEXT_MAX];
	struct zone_text zone;
	address_network_to_text(&client, from);
	address_to_text(&e->asked, to);
	log_info("update-forwarded", "zone=%s client=%s primary=%s rcode=%s",
		 zone_text(update_zone(e->request), &zone), from, to,
		 update_rcode_text(octets[3] & MESSAGE_RCODE));
}

/* What is too long for the client says so, and nothing else: its rcode counts all the same. */
static void pass_back(struct forwarded *e, uint8_t *octets, size_t len)
{
	struct request *r = e->request;
	struct message_header h = { .id = e->client_id,
				    .flags = be16_get(octets + 2) | MESSAGE_TC };
	be16_put(octets, e->client_id);
	if (len > e->room) {
		message_write_header(octets, &h);
		len = MESSAGE_HEADER_LEN;
	}
	log_answer(e, octets);
	r->response = mem_dup(octets, len);
	r->response_len = len;
	forwarded_free(e);
	request_answer(r);
}

/* --- primaries ------------------------------------------------------------------------------- */

static bool is_answer(const struct forwarded *e, const uint8_t *octets, size_t len)
{
	struct reader r = reader_of(octets, len);
	struct message_header h;
	return message_read_header(&r, &h) == E_OK && h.id == e->id &&
	       (h.flags & MESSAGE_QR) != 0 && message_opcode(h.flags) == OPCODE_UPDATE;
}

static bool on_message(void *arg, uint8_t *octets, size_t len)
{
	struct forwarded *e = arg;
	e->conn = NULL; /* closed behind this */
	if (is_answer(e, octets, len)) {
		pass_back(e, octets, len);
	} else {
		(void)snprintf(e->why, sizeof(e->why), "gives something that is no answer");
		ask_next(e);
	}
	return false;
}

static void on_ended(void *arg, const char *why)
{
	struct forwarded *e = arg;
	(void)snprintf(e->why, sizeof(e->why), "%s", why);
	e->conn = NULL;
	ask_next(e);
}

static int ask(struct forwarded *e, const struct config_peer *peer, int64_t left_ms)
{
	const struct outgoing_wish to = { .peer = peer,
					  .tls = e->all->tls,
					  .patience_ms = left_ms < FORWARD_PATIENCE_MS
								 ? left_ms
								 : FORWARD_PATIENCE_MS,
					  .handler = { e, on_message, on_ended } };
	struct errmsg em = { "" };
	e->asked = peer->stream;
	int err = outgoing_open(loop_base(e->all->loop), &to, &e->conn, &em);
	if (err == E_OK) {
		outgoing_send(e->conn, e->request->message, e->request->len);
	} else {
		(void)snprintf(e->why, sizeof(e->why), "%.250s", em.text);
	}
	return err;
}

/* The configuration may be another one each time. */
static void ask_next(struct forwarded *e)
{
	const struct config_zone *z = config_find_zone(e->all->config, update_zone(e->request));
	const int64_t left_ms = e->until_ms - clock_ms();
	int err = E_NOENT;
	while (err != E_OK && left_ms > 0 && z != NULL && e->peer < z->primaries.count) {
		err = ask(e, z->primaries.list[e->peer++], left_ms);
	}
	if (err != E_OK) {
		give_up(e);
	}
}

/* --- requests -------------------------------------------------------------------------------- */

/* Is the datagram under way already? */
static bool is_again(const struct forward *f, const struct request *r)
{
	const struct forwarded *e = f->first;
	while (e != NULL &&
	       !(e->request->conn == NULL && e->request->len == r->len &&
		 e->client_id == be16_get(r->message) &&
		 e->request->origin.peer_len == r->origin.peer_len &&
		 memcmp(&e->request->origin.peer, &r->origin.peer, r->origin.peer_len) == 0 &&
		 memcmp(e->request->message + 2, r->message + 2, r->len - 2) == 0)) {
		e = e->next;
	}
	return e != NULL;
}

static uint16_t judge(const struct forward *f, const struct update *u, const char **reason)
{
	const struct request *r = u->request;
	const struct config_zone *z = config_find_zone(f->config, update_zone(r));
	const struct acl_client client = { .ip = &r->client,
					   .names = { r->names, r->names_len },
					   .key = u->tsig.key };
	if (u->rcode != RCODE_NOERROR && !is_of_others(f, u)) {
		return u->rcode;
	}
	if (z == NULL || !config_zone_is_secondary(z)) {
		return RCODE_NOTAUTH;
	}
	if (!acl_allows(z->forwarders, &client)) {
		return RCODE_REFUSED;
	}
	if (f->count == FORWARD_MAX) {
		*reason = "too many updates wait for primaries";
		return RCODE_SERVFAIL;
	}
	return RCODE_NOERROR;
}

static size_t room_of(const struct request *r, size_t udp_size)
{
	if (r->conn != NULL) {
		return MESSAGE_MAX;
	}
	return udp_size != 0 ? udp_size : REQUEST_UDP_RESPONSE;
}

static void begin(struct forward *f, const struct update *u)
{
	struct request *r = u->request;
	struct forwarded *e = mem_zalloc(sizeof(*e));
	*e = (struct forwarded){ .all = f,
				 .next = f->first,
				 .request = r,
				 .until_ms = clock_ms() + FORWARD_TIME_MS,
				 .client_id = be16_get(r->message),
				 .id = be16_get(r->message),
				 .room = room_of(r, u->udp_size) };
	f->first = e;
	f->count++;
	if (u->sig0_at == 0 && crypto_random(&e->id, sizeof(e->id)) != E_OK) {
		give_up(e);
		return;
	}
	be16_put(r->message, e->id);
	ask_next(e);
}

void forward_take(struct forward *f, struct request *r)
{
	struct update u;
	const char *reason = NULL;
	if (f->is_stopped || (r->conn == NULL && is_again(f, r))) {
		request_answer(r);
		return;
	}
	(void)update_verify(&u, r, f->ring, clock_now());
	const uint16_t rcode = judge(f, &u, &reason);
	if (rcode == RCODE_NOERROR) {
		begin(f, &u);
	} else {
		refuse(f, &u, rcode, reason);
	}
}

/* --- life ------------------------------------------------------------------------------------ */

struct forward *forward_new(struct loop *loop)
{
	struct forward *f = mem_zalloc(sizeof(*f));
	f->loop = loop;
	return f;
}

void forward_set(struct forward *f, const struct config *config, const struct tsig_ring *ring,
		 const struct tls_remotes *tls)
{
	f->tls = tls;
	f->config = config;
	f->ring = ring;
}

void forward_tick(struct forward *f)
{
	const int64_t now = clock_ms();
	struct forwarded *e = f->first;
	while (e != NULL) {
		struct forwarded *next = e->next;
		if (now >= e->until_ms) {
			give_up(e);
		}
		e = next;
	}
}

void forward_stop(struct forward *f)
{
	f->is_stopped = true;
	while (f->first != NULL) {
		struct request *r = f->first->request;
		forwarded_free(f->first);
		request_answer(r);
	}
}

void forward_free(struct forward *f)
{
	if (f != NULL) {
		forward_stop(f);
		mem_free(f);
	}
}

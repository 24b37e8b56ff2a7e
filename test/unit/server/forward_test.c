/* test/unit/server/forward_test.c - updates that go on to primaries: which, for how long, and what comes back.
 *
 * The clock, the connections and who gets the answers are the test's own, in the place of those of the server. */
#include "server/forward.h"

#include "server/clock.h"
#include "server/outgoing.h"
#include "test/unit/unit.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/base/wire.h"

#define START	  1790000000
#define CONNS_MAX 1024
#define CLIENT_ID 0x1234

/* --- the world ------------------------------------------------------------------------------- */

struct outgoing {
	struct outgoing_wish wish;
	char name[32]; /* of the remote */
	uint8_t octets[1024];
	size_t len;
	bool is_open;
};

static struct {
	int64_t ms;
	struct outgoing conns[CONNS_MAX];
	size_t conn_count;
	bool has_no_sockets;
	unsigned answers, silences;
	uint8_t response[4096];
	size_t response_len;
	struct config *config;
	struct tsig_ring *ring;
	struct loop *loop;
	struct forward *forward;
} w;

int64_t clock_now(void)
{
	return START + w.ms / 1000;
}

int64_t clock_ms(void)
{
	return w.ms;
}

int outgoing_open(struct event_base *base UNUSED, const struct outgoing_wish *wish,
		  struct outgoing **out, struct errmsg *em UNUSED)
{
	ck_assert_uint_lt(w.conn_count, CONNS_MAX);
	if (w.has_no_sockets) {
		return E_IO;
	}
	struct outgoing *o = &w.conns[w.conn_count++];
	*o = (struct outgoing){ .wish = *wish, .is_open = true };
	(void)snprintf(o->name, sizeof(o->name), "%s", wish->peer->remote->name);
	*out = o;
	return E_OK;
}

void outgoing_send(struct outgoing *o, const uint8_t *message, size_t len)
{
	ck_assert_uint_le(len, sizeof(o->octets));
	memcpy(o->octets, message, len);
	o->len = len;
}

void outgoing_close(struct outgoing *o)
{
	if (o != NULL) {
		ck_assert(o->is_open);
		o->is_open = false;
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
	ck_assert_uint_le(r->response_len, sizeof(w.response));
	if (r->response_len != 0) {
		memcpy(w.response, r->response, r->response_len);
		w.answers++;
	} else {
		w.silences++;
	}
	w.response_len = r->response_len;
	request_free(r);
}

static struct config *config_of(const char *zone)
{
	char text[1024];
	struct config *c = NULL;
	struct findings f = { 0 };
	(void)snprintf(text, sizeof(text),
		       "server: { database: db }\n"
		       "remotes:\n"
		       "  - { name: a, addresses: 192.0.2.1 }\n"
		       "  - { name: b, addresses: 192.0.2.2 }\n"
		       "  - { name: c, addresses: 192.0.2.3 }\n"
		       "  - { name: d, addresses: 192.0.2.4 }\n"
		       "  - { name: e, addresses: 192.0.2.5 }\n"
		       "zones: [ { name: z, %s } ]\n",
		       zone);
	const struct config_source source = {
		.path = "t", .data = text, .len = strlen(text), .only_text = true
	};
	const int err = config_parse(&source, &c, &f);
	ck_assert_msg(err == E_OK, "%s", f.count != 0 ? f.items[0].text : "");
	findings_clear(&f);
	return c;
}

static void set(const char *zone)
{
	struct config *was = w.config;
	w.config = config_of(zone);
	forward_set(w.forward, w.config, w.ring, NULL);
	config_free(was);
}

#define ABC  "primaries: [ a, b, c ], allow-update-forwarding: 198.51.100.0/24"
#define FIVE "primaries: [ a, b, c, d, e ], allow-update-forwarding: any"

static void setup(void)
{
	memset(&w, 0, sizeof(w));
	log_open(LOG_TO_STDERR, LOG_LEVEL_ERROR, false, "test");
	ck_assert_int_eq(loop_new(&w.loop), E_OK);
	ck_assert_int_eq(tsig_ring_new(NULL, 0, &w.ring), E_OK);
	w.forward = forward_new(w.loop);
	set(ABC);
}

static void teardown(void)
{
	forward_free(w.forward);
	for (size_t i = 0; i < w.conn_count; i++) {
		ck_assert(!w.conns[i].is_open);
	}
	loop_free(w.loop);
	tsig_ring_free(w.ring);
	config_free(w.config);
}

/* --- clients --------------------------------------------------------------------------------- */

/* An UPDATE of z., with @more behind it in the additional section. */
static size_t message(uint8_t *out, size_t room, const uint8_t *more, size_t more_len)
{
	struct writer to = writer_of(out, room);
	const struct message_header h = {
		.id = CLIENT_ID,
		.flags = OPCODE_UPDATE << 11,
		.count = { [SECTION_QUESTION] = 1, [SECTION_ADDITIONAL] = more_len != 0 }
	};
	message_write_header(writer_room(&to, MESSAGE_HEADER_LEN), &h);
	writer_bytes(&to, "\1Z", 3);
	writer_u16(&to, RRTYPE_SOA);
	writer_u16(&to, RRCLASS_IN);
	writer_bytes(&to, more, more_len);
	ck_assert_int_eq(to.err, E_OK);
	return writer_len(&to);
}

/* Of the client at 198.51.100.@host, from @port; over TCP where that is 0. */
static void take_with(uint8_t host, uint16_t port, const uint8_t *more, size_t more_len)
{
	uint8_t octets[512];
	struct request *r = mem_zalloc(sizeof(*r));
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(port) };
	peer.sin_addr.s_addr = htonl(0xc6336400U + host);
	r->len = message(octets, sizeof(octets), more, more_len);
	r->message = mem_dup(octets, r->len);
	r->client = address_ip_of((const struct sockaddr *)&peer);
	if (port != 0) {
		memcpy(&r->origin.peer, &peer, sizeof(peer));
		r->origin.peer_len = sizeof(peer);
	} else {
		r->conn = (struct tcp_conn *)(void *)&w; /* not looked into */
	}
	forward_take(w.forward, r);
}

static void take(uint8_t host, uint16_t port)
{
	take_with(host, port, NULL, 0);
}

static unsigned rcode(void)
{
	ck_assert_uint_ge(w.response_len, MESSAGE_HEADER_LEN);
	ck_assert_uint_eq(be16_get(w.response), CLIENT_ID);
	return w.response[3] & MESSAGE_RCODE;
}

/* --- primaries ------------------------------------------------------------------------------- */

static struct outgoing *asked(void)
{
	ck_assert_uint_gt(w.conn_count, 0);
	struct outgoing *o = &w.conns[w.conn_count - 1];
	ck_assert(o->is_open);
	return o;
}

static void says(struct outgoing *o, uint16_t id, uint16_t flags, size_t len)
{
	uint8_t octets[2048] = { 0 };
	be16_put(octets, id);
	be16_put(octets + 2, flags);
	if (!o->wish.handler.message(o->wish.handler.arg, octets, len)) {
		o->is_open = false;
	}
}

#define RESPONSE (MESSAGE_QR | OPCODE_UPDATE << 11)

static void answers(struct outgoing *o, uint16_t code, size_t len)
{
	says(o, be16_get(o->octets), (uint16_t)(RESPONSE | code), len);
}

static void is_away(struct outgoing *o)
{
	o->is_open = false;
	o->wish.handler.ended(o->wish.handler.arg, "does not answer");
}

/* --- tests ----------------------------------------------------------------------------------- */

START_TEST(goes_on_as_it_came)
{
	uint8_t octets[512];
	const size_t len = message(octets, sizeof(octets), NULL, 0);
	for (uint16_t port = 0; port < 2; port++) {
		bool is_other = false;
		for (unsigned i = 0; i < 4; i++) {
			take(1, port);
			ck_assert_str_eq(asked()->name, "a");
			ck_assert_uint_eq(asked()->len, len);
			ck_assert_mem_eq(asked()->octets + 2, octets + 2, len - 2);
			is_other = is_other || be16_get(asked()->octets) != CLIENT_ID;
			answers(asked(), RCODE_YXRRSET, 12);
			ck_assert_uint_eq(rcode(), RCODE_YXRRSET);
			ck_assert_uint_eq(w.response_len, 12);
		}
		ck_assert(is_other);
	}
	ck_assert_uint_eq(w.answers, 8);
}
END_TEST

/* A SIG(0) covers the id. */
START_TEST(keeps_the_id_where_it_is_signed)
{
	static const uint8_t sig0[] = { 0, 0, 24, 0, 255, 0, 0, 0, 0, 0, 20, 0, 0, 15, 0, 0,
					0, 0, 0,  0, 0,	  0, 1, 0, 0, 0, 0,  0, 1, 0,  7 };
	for (unsigned i = 0; i < 4; i++) {
		take_with(1, 0, sig0, sizeof(sig0));
		ck_assert_uint_eq(be16_get(asked()->octets), CLIENT_ID);
		answers(asked(), 0, 12);
	}
}
END_TEST

START_TEST(not_everybody_may)
{
	set("primaries: a, allow-update-forwarding: 198.51.100.2");
	take(1, 1);
	ck_assert_uint_eq(rcode(), RCODE_REFUSED);
	set("primaries: a");
	take(2, 1);
	ck_assert_uint_eq(rcode(), RCODE_REFUSED);
	set("file: f");
	take(2, 1);
	ck_assert_uint_eq(rcode(), RCODE_NOTAUTH);
	ck_assert_uint_eq(w.conn_count, 0);
}
END_TEST

START_TEST(primaries_are_tried_in_order)
{
	take(1, 1);
	ck_assert_str_eq(asked()->name, "a");
	is_away(asked());
	ck_assert_str_eq(asked()->name, "b");
	is_away(asked());
	ck_assert_str_eq(asked()->name, "c");
	answers(asked(), RCODE_REFUSED, 12);
	ck_assert_uint_eq(rcode(), RCODE_REFUSED); /* that is an answer */
	ck_assert_uint_eq(w.conn_count, 3);
	take(1, 1);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(w.answers, 1);
		is_away(asked());
	}
	ck_assert_uint_eq(w.answers, 2);
	ck_assert_uint_eq(rcode(), RCODE_SERVFAIL);
	w.has_no_sockets = true;
	take(1, 1);
	ck_assert_uint_eq(rcode(), RCODE_SERVFAIL);
	ck_assert_uint_eq(w.answers, 3);
}
END_TEST

/* Such a primary is away. */
START_TEST(what_is_no_answer)
{
	take(1, 1);
	says(asked(), (uint16_t)(be16_get(asked()->octets) ^ 1), RESPONSE, 12);
	ck_assert_str_eq(asked()->name, "b");
	says(asked(), be16_get(asked()->octets), OPCODE_UPDATE << 11, 12);
	ck_assert_str_eq(asked()->name, "c");
	says(asked(), be16_get(asked()->octets), MESSAGE_QR, 12);
	ck_assert_uint_eq(rcode(), RCODE_SERVFAIL);
	take(1, 1);
	answers(asked(), 0, 11);
	ck_assert_str_eq(asked()->name, "b");
	answers(asked(), 0, 0);
	ck_assert_str_eq(asked()->name, "c");
	answers(asked(), 0, 12);
	ck_assert_uint_eq(rcode(), RCODE_NOERROR);
}
END_TEST

/* Each may take so long, and all of them. */
START_TEST(time_is_limited)
{
	set(FIVE);
	take(1, 0);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(asked()->wish.patience_ms, FORWARD_PATIENCE_MS);
		w.ms += i == 0 ? FORWARD_PATIENCE_MS / 2 : FORWARD_PATIENCE_MS;
		forward_tick(w.forward);
		ck_assert_uint_eq(w.answers, 0);
		is_away(asked());
	}
	ck_assert_int_eq(asked()->wish.patience_ms, FORWARD_PATIENCE_MS / 2);
	/* It dribbles: only the clock ends it. */
	w.ms += FORWARD_PATIENCE_MS / 2 - 1;
	forward_tick(w.forward);
	ck_assert_uint_eq(w.answers, 0);
	w.ms += 1;
	forward_tick(w.forward);
	ck_assert_uint_eq(rcode(), RCODE_SERVFAIL);
	ck_assert(!w.conns[3].is_open);
	ck_assert_uint_eq(w.conn_count, 4);
	forward_tick(w.forward);
	ck_assert_uint_eq(w.answers, 1);
}
END_TEST

START_TEST(so_many_at_a_time)
{
	for (unsigned i = 0; i < FORWARD_MAX; i++) {
		take(1, (uint16_t)(1000 + i));
	}
	ck_assert_uint_eq(w.conn_count, FORWARD_MAX);
	take(1, 1);
	ck_assert_uint_eq(rcode(), RCODE_SERVFAIL);
	ck_assert_uint_eq(w.conn_count, FORWARD_MAX);
	answers(asked(), 0, 12);
	take(1, 1);
	ck_assert_uint_eq(w.conn_count, FORWARD_MAX + 1);
	ck_assert_uint_eq(w.answers, 2);
	forward_stop(w.forward); /* no answer: who asked asks again */
	ck_assert_uint_eq(w.silences, FORWARD_MAX);
	take(1, 1);
	ck_assert_uint_eq(w.silences, FORWARD_MAX + 1);
	ck_assert_uint_eq(w.conn_count, FORWARD_MAX + 1);
}
END_TEST

/* The same datagram again while the first is under way; not that of another client, nor on a connection. */
START_TEST(again_is_not_twice)
{
	take(1, 1);
	take(1, 1);
	take(1, 1);
	ck_assert_uint_eq(w.conn_count, 1);
	ck_assert_uint_eq(w.silences, 2);
	take(1, 2);
	take(2, 1);
	take(1, 0);
	take(1, 0);
	ck_assert_uint_eq(w.conn_count, 5);
	answers(&w.conns[0], 0, 12);
	take(1, 1); /* that one is over */
	ck_assert_uint_eq(w.conn_count, 6);
}
END_TEST

START_TEST(answers_fit)
{
	static const uint8_t opt[] = { 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0 };   /* 1232 */
	static const uint8_t small[] = { 0, 0, 41, 0x00, 0x10, 0, 0, 0, 0, 0, 0 }; /* 16 */
	static const struct {
		uint16_t port;
		const uint8_t *opt;
		size_t len;
		bool is_cut;
	} rows[] = { { 1, NULL, 512, false },  { 1, NULL, 513, true },	 { 1, opt, 1232, false },
		     { 1, opt, 1233, true },   { 1, small, 512, false }, { 1, small, 513, true },
		     { 0, NULL, 2000, false }, { 0, small, 2000, false } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		take_with(1, rows[i].port, rows[i].opt, rows[i].opt != NULL ? sizeof(opt) : 0);
		answers(asked(), RCODE_NXRRSET, rows[i].len);
		ck_assert_uint_eq(rcode(), RCODE_NXRRSET);
		ck_assert_uint_eq(w.response_len, rows[i].is_cut ? 12 : rows[i].len);
		ck_assert_uint_eq((w.response[2] & 2) != 0, rows[i].is_cut);
	}
}
END_TEST

/* What is under way goes on, with the primaries that there are now. */
START_TEST(a_reload_meanwhile)
{
	take(1, 1);
	set("primaries: [ a, d ], allow-update-forwarding: any");
	is_away(asked());
	ck_assert_str_eq(asked()->name, "d");
	set("primaries: [ a, d ]");
	answers(asked(), 0, 12);
	ck_assert_uint_eq(rcode(), RCODE_NOERROR);
	set(ABC);
	take(1, 1);
	set("file: f");
	is_away(asked());
	ck_assert_uint_eq(rcode(), RCODE_SERVFAIL);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("forward");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, goes_on_as_it_came);
	tcase_add_test(tc, keeps_the_id_where_it_is_signed);
	tcase_add_test(tc, not_everybody_may);
	tcase_add_test(tc, primaries_are_tried_in_order);
	tcase_add_test(tc, what_is_no_answer);
	tcase_add_test(tc, time_is_limited);
	tcase_add_test(tc, so_many_at_a_time);
	tcase_add_test(tc, again_is_not_twice);
	tcase_add_test(tc, answers_fit);
	tcase_add_test(tc, a_reload_meanwhile);
	return unit_run("server/forward", tc);
}

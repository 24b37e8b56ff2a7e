/* test/unit/server/refresh_test.c - when primaries are asked, which, and what becomes of the answer.
 *
 * The clock, the jobs and the connections are the test's own, in the place of those of the server: so days pass in no time,
 * and a primary is a function call. What a zone is, is what the jobs say of it (struct fake). */
#include "server/refresh.h"

#include "keys/crypto.h"
#include "server/clock.h"
#include "server/outgoing.h"
#include "server/secondary.h"
#include "test/unit/unit.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/dns/serial.h"

#define START	  1790000000
#define ZONES_MAX 8
#define CONNS_MAX 8192

/* --- the world ------------------------------------------------------------------------------- */

/* What the jobs know of a zone; by its place in the configuration. */
struct fake {
	bool has_zone, is_expired;
	uint32_t serial, refresh, retry, expire;
	int64_t heard_at;
	bool refuses;	  /* changes do not fit */
	uint64_t removes; /* so much that it is held back */
	unsigned looks, takes, confirms;
};

/* A connection to a primary, and the query. */
struct outgoing {
	struct outgoing_wish wish;
	char name[32]; /* of the remote */
	uint8_t query[512];
	size_t len;
	bool is_open;
};

static struct {
	int64_t now;
	struct fake zones[ZONES_MAX];
	struct outgoing conns[CONNS_MAX];
	size_t conn_count;
	struct config *config;
	struct zoneset *set;
	struct zone *zone[ZONES_MAX];
	struct loop *loop;
	struct tsig_ring *ring;
	struct refresh *refresh;
	uint32_t next_serial; /* of what is transferred */
} w;

int64_t clock_now(void)
{
	return w.now;
}

int64_t clock_ms(void)
{
	return w.now * 1000;
}

int outgoing_open(struct event_base *base UNUSED, const struct outgoing_wish *wish,
		  struct outgoing **out, struct errmsg *em UNUSED)
{
	ck_assert_uint_lt(w.conn_count, CONNS_MAX);
	struct outgoing *o = &w.conns[w.conn_count++];
	*o = (struct outgoing){ .wish = *wish, .is_open = true };
	(void)snprintf(o->name, sizeof(o->name), "%s", wish->peer->remote->name);
	*out = o;
	return E_OK;
}

void outgoing_send(struct outgoing *o, const uint8_t *message, size_t len)
{
	ck_assert_uint_le(len, sizeof(o->query));
	memcpy(o->query, message, len);
	o->len = len;
}

void outgoing_close(struct outgoing *o)
{
	if (o != NULL) {
		ck_assert(o->is_open);
		o->is_open = false;
	}
}

int secondary_visit(struct keeper *k UNUSED, const struct keeper_env *env UNUSED,
		    int64_t now UNUSED, struct order *o UNUSED)
{
	return E_OK; /* jobs_order does it */
}

static struct fake *fake_of(const struct zone *zone)
{
	size_t i = 0;
	while (w.zone[i] != zone) {
		i++;
	}
	return &w.zones[i];
}

static int visit(struct fake *f, struct visit *v)
{
	switch (v->what) {
	case VISIT_LOOK:
		f->looks++;
		return E_OK;
	case VISIT_TAKE:
		f->takes++;
		if (f->refuses && v->whole == NULL) {
			return err_set(&v->order.em, E_MISMATCH, "they do not fit");
		}
		if (f->removes > v->removed) {
			v->removed = f->removes;
			return err_set(&v->order.em, E_HELD, "takes out too much");
		}
		f->has_zone = true;
		f->is_expired = false;
		f->serial = w.next_serial;
		f->heard_at = w.now;
		return E_OK;
	case VISIT_CONFIRM:
		f->confirms++;
		f->is_expired = false;
		f->heard_at = w.now;
		return E_OK;
	case VISIT_EXPIRE:
		f->is_expired = true;
		return E_OK;
	}
	return E_INVAL;
}

void jobs_order(struct jobs *j UNUSED, const struct zone *zone, struct order *o)
{
	struct fake *f = fake_of(zone);
	struct visit *v = o->arg;
	o->err = visit(f, v);
	version_unref(v->whole);
	xfr_in_changes_free(v->changes, v->change_count);
	v->whole = NULL;
	v->changes = NULL;
	v->change_count = 0;
	v->has_zone = f->has_zone;
	v->serial = f->serial;
	v->refresh = f->refresh;
	v->retry = f->retry;
	v->expire = f->expire;
	v->heard_at = v->what == VISIT_LOOK || v->what == VISIT_EXPIRE ? f->heard_at : w.now;
	o->done(o);
}

/* --- time ------------------------------------------------------------------------------------ */

/* What is due now. */
static void tick(void)
{
	refresh_tick(w.refresh);
	loop_deliver(w.loop);
}

static void pass(int64_t seconds)
{
	w.now += seconds;
	tick();
}

static struct refresh_status status_of(unsigned i)
{
	struct refresh_status s;
	ck_assert(refresh_status(w.refresh, w.config->zones[i].name, &s));
	return s;
}

static int64_t due_of(unsigned i)
{
	return status_of(i).next;
}

static const char *reason_of(unsigned i)
{
	static struct refresh_status s;
	s = status_of(i);
	return s.reason;
}

/* --- primaries ------------------------------------------------------------------------------- */

/* The one that is asked; NULL: none. The last, where there are several. */
static struct outgoing *asked(void)
{
	size_t i = w.conn_count;
	while (i != 0 && !w.conns[i - 1].is_open) {
		i--;
	}
	return i != 0 ? &w.conns[i - 1] : NULL;
}

static unsigned open_count(void)
{
	unsigned n = 0;
	for (size_t i = 0; i < w.conn_count; i++) {
		n += w.conns[i].is_open;
	}
	return n;
}

static struct message_question question_of(const struct outgoing *o)
{
	struct reader r = reader_of(o->query, o->len);
	struct message_header h;
	struct message_question q;
	ck_assert_int_eq(message_read_header(&r, &h), E_OK);
	ck_assert_int_eq(message_read_question(&r, &q), E_OK);
	return q;
}

static bool asks_edns(const struct outgoing *o)
{
	return be16_get(o->query + 10) != 0;
}

static void deliver(struct outgoing *o, uint8_t *message, size_t len)
{
	if (!o->wish.handler.message(o->wish.handler.arg, message, len)) {
		o->is_open = false;
	}
	loop_deliver(w.loop);
}

static void add_soa(struct writer *to, uint32_t serial)
{
	writer_u16(to, MESSAGE_POINTER | MESSAGE_HEADER_LEN);
	writer_u16(to, RRTYPE_SOA);
	writer_u16(to, RRCLASS_IN);
	writer_u32(to, 60);
	writer_u16(to, 22);
	writer_u16(to, 0); /* two names: the root */
	writer_u32(to, serial);
	for (unsigned i = 0; i < 4; i++) {
		writer_u32(to, 60);
	}
}

static void add_ns(struct writer *to)
{
	writer_u16(to, MESSAGE_POINTER | MESSAGE_HEADER_LEN);
	writer_u16(to, RRTYPE_NS);
	writer_u16(to, RRCLASS_IN);
	writer_u32(to, 60);
	writer_u16(to, 1);
	writer_u8(to, 0);
}

/* Answers with these serials as SOA records, one behind the other; 0 is an NS record. @rcode: with that, and nothing. */
static void answer(struct outgoing *o, uint16_t rcode, const uint32_t *serials, uint16_t count)
{
	uint8_t out[1024];
	struct writer to = writer_of(out, sizeof(out));
	const struct message_question q = question_of(o);
	const struct message_header h = {
		.id = be16_get(o->query),
		.flags = (uint16_t)(MESSAGE_QR | MESSAGE_AA | rcode),
		.count = { [SECTION_QUESTION] = 1, [SECTION_ANSWER] = count }
	};
	message_write_header(writer_room(&to, MESSAGE_HEADER_LEN), &h);
	writer_bytes(&to, q.name, dname_len(q.name));
	writer_u16(&to, q.type);
	writer_u16(&to, RRCLASS_IN);
	for (uint16_t i = 0; i < count; i++) {
		(serials[i] == 0 ? add_ns(&to) : add_soa(&to, serials[i]));
		w.next_serial = serials[i] != 0 ? serials[i] : w.next_serial;
	}
	ck_assert_int_eq(to.err, E_OK);
	deliver(o, out, writer_len(&to));
}

static void says_error(struct outgoing *o, uint16_t rcode)
{
	answer(o, rcode, NULL, 0);
}

static void says_current(struct outgoing *o, uint32_t serial)
{
	answer(o, 0, &serial, 1);
}

static void says_changes(struct outgoing *o, uint32_t from, uint32_t to)
{
	const uint32_t serials[] = { to, from, to, to };
	answer(o, 0, serials, ARRAY_LEN(serials));
}

static void says_whole(struct outgoing *o, uint32_t serial)
{
	const uint32_t serials[] = { serial, 0, serial };
	answer(o, 0, serials, ARRAY_LEN(serials));
}

static void is_away(struct outgoing *o)
{
	o->is_open = false;
	o->wish.handler.ended(o->wish.handler.arg, "does not answer");
	loop_deliver(w.loop);
}

/* Asks @name, with @type, of which nothing has come yet. */
#define assert_asks(name_, type_)                                                                  \
 do {                                                                                              \
  const struct outgoing *asked_ = asked();                                                         \
  ck_assert_msg(asked_ != NULL, "nobody is asked, at %s", reason_of(0));                           \
  ck_assert_str_eq(asked_->name, name_);                                                           \
  ck_assert_uint_eq(question_of(asked_).type, type_);                                              \
 } while (0)

/* --- the start ------------------------------------------------------------------------------- */

static struct config *config_of(const char *server, const char *zones)
{
	char text[2048];
	struct config *c = NULL;
	struct findings f = { 0 };
	(void)snprintf(text, sizeof(text),
		       "server: { database: db%s%s }\n"
		       "remotes:\n"
		       "  - { name: a, addresses: 192.0.2.1 }\n"
		       "  - { name: b, addresses: 192.0.2.2 }\n"
		       "  - { name: c, addresses: 192.0.2.3 }\n"
		       "zones:\n%s",
		       *server != '\0' ? ", " : "", server, zones);
	const struct config_source source = {
		.path = "t", .data = text, .len = strlen(text), .only_text = true
	};
	const int err = config_parse(&source, &c, &f);
	ck_assert_msg(err == E_OK, "%s", f.count != 0 ? f.items[0].text : "");
	findings_clear(&f);
	return c;
}

static void set(struct config *config)
{
	struct zoneset *was = w.set;
	w.set = zoneset_new();
	for (size_t i = 0; i < config->zone_count; i++) {
		w.zone[i] = was != NULL ? zoneset_get(was, config->zones[i].name) : NULL;
		w.zone[i] = w.zone[i] != NULL ? w.zone[i] : zone_new(config->zones[i].name);
		ck_assert_int_eq(zoneset_add(w.set, w.zone[i]), E_OK);
	}
	refresh_set(w.refresh, config, w.set, w.ring, NULL);
	for (size_t i = 0; was != NULL && i < zoneset_count(was); i++) {
		struct zone *z = zoneset_at(was, i);
		if (zoneset_get(w.set, z->apex) == NULL) {
			zone_free(z);
		}
	}
	config_free(w.config);
	zoneset_free(was);
	w.config = config;
	loop_deliver(w.loop);
}

static void setup(void)
{
	memset(&w, 0, sizeof(w));
	w.now = START;
	log_open(LOG_TO_STDERR, LOG_LEVEL_ERROR, false, "test");
	crypto_random_seed(1);
	for (unsigned i = 0; i < ZONES_MAX; i++) {
		w.zones[i] = (struct fake){ .has_zone = true,
					    .serial = 5,
					    .refresh = 1000,
					    .retry = 100,
					    .expire = 100000,
					    .heard_at = START };
	}
	ck_assert_int_eq(loop_new(&w.loop), E_OK);
	ck_assert_int_eq(tsig_ring_new(NULL, 0, &w.ring), E_OK);
	w.refresh = refresh_new(w.loop, NULL);
}

static void teardown(void)
{
	refresh_stop(w.refresh);
	loop_deliver(w.loop);
	ck_assert_uint_eq(open_count(), 0);
	for (size_t i = 0; w.config != NULL && i < w.config->zone_count; i++) {
		zone_free(w.zone[i]);
	}
	refresh_free(w.refresh);
	loop_free(w.loop);
	tsig_ring_free(w.ring);
	zoneset_free(w.set);
	config_free(w.config);
}

#define ONE "  - { name: z, primaries: a }\n"
#define ABC "  - { name: z, primaries: [ a, b, c ], allow-notify: 198.51.100.1 }\n"

static uint16_t notified_by(const char *address, const char *zone, const uint32_t *serial)
{
	struct address_network n;
	struct dname name;
	ck_assert_int_eq(address_network_from_text(&n, address, strlen(address), NULL), E_OK);
	ck_assert_int_eq(dname_from_text(&name, zone, strlen(zone), dname_root, NULL), E_OK);
	const struct acl_client client = { .ip = &n.ip };
	const uint16_t rcode = refresh_notified(w.refresh, name.wire, &client, serial);
	loop_deliver(w.loop);
	return rcode;
}

static uint16_t notified(const char *address)
{
	return notified_by(address, "z", NULL);
}

/* --- timers ---------------------------------------------------------------------------------- */

START_TEST(is_asked_when_refresh_has_passed)
{
	set(config_of("", ONE));
	ck_assert_uint_eq(w.zones[0].looks, 1);
	ck_assert_ptr_null(asked());
	ck_assert_int_le(due_of(0), START + 1000);
	ck_assert_int_ge(due_of(0), START + 900);
	w.now = due_of(0) - 1;
	tick();
	ck_assert_ptr_null(asked());
	pass(1);
	assert_asks("a", RRTYPE_IXFR);
	says_current(asked(), 5);
	ck_assert_ptr_null(asked());
	ck_assert_uint_eq(w.zones[0].confirms, 1);
	ck_assert_int_ge(due_of(0), w.now + 900);
	ck_assert_int_le(due_of(0), w.now + 1000);
}
END_TEST

/* A zone that is not there yet is asked for at once, and all of it. */
START_TEST(what_is_not_there_is_asked_for_at_once)
{
	w.zones[0].has_zone = false;
	set(config_of("", ONE));
	assert_asks("a", RRTYPE_AXFR);
	says_whole(asked(), 7);
	ck_assert_uint_eq(w.zones[0].takes, 1);
	ck_assert_uint_eq(w.zones[0].serial, 7);
	ck_assert_int_ge(due_of(0), w.now + 900);
}
END_TEST

START_TEST(timers_are_clamped)
{
	static const struct {
		uint32_t refresh, expire;
		int64_t least, most; /* seconds until it is asked */
	} rows[] = {
		{ 1000, 100000, 900, 1000 },
		{ 0, 100000, 2, 2 },
		{ 1, 100000, 2, 2 },
		{ 2, 100000, 2, 2 },
		{ 20, 100000, 18, 20 },
		{ UINT32_MAX, UINT32_MAX, 28 * 86400 * 9 / 10, 28 * 86400 },
		/* Or it would expire between two questions. */
		{ 1000, 500, 225, 250 },
		{ 1000, 0, 2, 2 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (i != 0) {
			teardown();
			setup();
		}
		w.zones[0].refresh = rows[i].refresh;
		w.zones[0].expire = rows[i].expire;
		set(config_of("", ONE));
		if (rows[i].expire == 0) { /* it has expired as soon as it is here */
			assert_asks("a", RRTYPE_IXFR);
			says_current(asked(), 5);
			ck_assert_ptr_null(asked());
		}
		const int64_t wait = due_of(0) - w.now;
		ck_assert_msg(wait >= rows[i].least && wait <= rows[i].most, "row %zu: %lld", i,
			      (long long)wait);
	}
}
END_TEST

/* Zones that were loaded together do not stay together. */
START_TEST(timers_are_spread)
{
	bool is_other = false;
	set(config_of("", "  - { name: z, primaries: a }\n  - { name: y, primaries: a }\n"
			  "  - { name: x, primaries: a }\n  - { name: v, primaries: a }\n"));
	for (unsigned i = 1; i < 4; i++) {
		is_other = is_other || due_of(i) != due_of(0);
	}
	ck_assert(is_other);
}
END_TEST

/* Nobody answers: after retry, and then after longer each time, to refresh at most. */
START_TEST(waits_longer_each_time)
{
	static const uint32_t waits[] = { 100, 200, 400, 800, 1000, 1000 };
	set(config_of("", ONE));
	w.now = due_of(0);
	tick();
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		assert_asks("a", RRTYPE_IXFR);
		is_away(asked());
		ck_assert_str_eq(reason_of(0), "does not answer");
		ck_assert_int_ge(due_of(0) - w.now, waits[i] * 9 / 10);
		ck_assert_int_le(due_of(0) - w.now, waits[i]);
		w.now = due_of(0);
		tick();
	}
	/* One answer, and it begins anew. */
	says_current(asked(), 5);
	ck_assert_str_eq(reason_of(0), "");
	w.now = due_of(0);
	tick();
	is_away(asked());
	ck_assert_int_le(due_of(0) - w.now, 100);
}
END_TEST

START_TEST(waits_longer_for_what_is_not_there)
{
	static const uint32_t waits[] = { 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600 };
	w.zones[0].has_zone = false;
	set(config_of("", ONE));
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		is_away(asked());
		ck_assert_int_ge(due_of(0) - w.now, waits[i] * 9 / 10);
		ck_assert_int_le(due_of(0) - w.now, waits[i]);
		w.now = due_of(0);
		tick();
	}
}
END_TEST

/* --- primaries ------------------------------------------------------------------------------- */

START_TEST(primaries_are_tried_in_order)
{
	set(config_of("", ABC));
	w.now = due_of(0);
	tick();
	for (unsigned round = 0; round < 2; round++) {
		assert_asks("a", RRTYPE_IXFR);
		is_away(asked());
		assert_asks("b", RRTYPE_IXFR);
		is_away(asked());
		assert_asks("c", RRTYPE_IXFR);
		is_away(asked());
		ck_assert_ptr_null(asked());
		w.now = due_of(0);
		tick();
	}
	is_away(asked());
	assert_asks("b", RRTYPE_IXFR);
	says_current(asked(), 5);
	ck_assert_ptr_null(asked());
	w.now = due_of(0);
	tick();
	assert_asks("a", RRTYPE_IXFR);
}
END_TEST

/* The one that notifies has what is new. */
START_TEST(who_notifies_is_asked_first)
{
	set(config_of("", ABC));
	ck_assert_uint_eq(notified("192.0.2.2"), RCODE_NOERROR);
	assert_asks("b", RRTYPE_IXFR);
	is_away(asked());
	assert_asks("c", RRTYPE_IXFR);
	is_away(asked());
	assert_asks("a", RRTYPE_IXFR);
	says_changes(asked(), 5, 6);
	ck_assert_uint_eq(w.zones[0].serial, 6);
	ck_assert_ptr_null(asked());
}
END_TEST

START_TEST(not_everybody_may_notify)
{
	const uint32_t newer = 6;
	const uint32_t same = 5;
	set(config_of("", ABC));
	ck_assert_uint_eq(notified("192.0.2.9"), RCODE_REFUSED);
	ck_assert_uint_eq(notified_by("192.0.2.1", "y", NULL), RCODE_NOTAUTH);
	ck_assert_ptr_null(asked());
	ck_assert_uint_eq(notified_by("192.0.2.1", "z", &same), RCODE_NOERROR);
	ck_assert_ptr_null(asked()); /* it is here already */
	ck_assert_uint_eq(notified_by("198.51.100.1", "z", &newer), RCODE_NOERROR);
	assert_asks("a", RRTYPE_IXFR);
}
END_TEST

/* However often it is notified meanwhile: one more round, as something may have changed behind the answer. */
START_TEST(notifications_meanwhile_are_one)
{
	set(config_of("", ABC));
	ck_assert_uint_eq(notified("192.0.2.1"), RCODE_NOERROR);
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_uint_eq(notified("192.0.2.2"), RCODE_NOERROR);
	}
	ck_assert_uint_eq(w.conn_count, 1);
	says_changes(asked(), 5, 6);
	ck_assert_uint_eq(w.conn_count, 2);
	assert_asks("a", RRTYPE_IXFR);
	says_current(asked(), 6);
	ck_assert_uint_eq(w.conn_count, 2);
	ck_assert_uint_eq(w.zones[0].takes, 1);
	ck_assert_uint_eq(w.zones[0].confirms, 1);
}
END_TEST

/* --- other ways to ask ----------------------------------------------------------------------- */

/* IXFR with EXPIRE, IXFR without, AXFR, the next. */
START_TEST(who_does_not_know_ixfr_is_asked_otherwise)
{
	set(config_of("", ABC));
	w.now = due_of(0);
	tick();
	assert_asks("a", RRTYPE_IXFR);
	ck_assert(asks_edns(asked()));
	says_error(asked(), RCODE_FORMERR);
	assert_asks("a", RRTYPE_IXFR);
	ck_assert(!asks_edns(asked()));
	says_error(asked(), RCODE_FORMERR);
	assert_asks("a", RRTYPE_AXFR);
	says_error(asked(), RCODE_FORMERR);
	assert_asks("b", RRTYPE_IXFR);
	ck_assert(asks_edns(asked()));
	says_error(asked(), RCODE_SERVFAIL);
	assert_asks("b", RRTYPE_AXFR);
	says_whole(asked(), 6);
	ck_assert_uint_eq(w.zones[0].serial, 6);
	ck_assert_ptr_null(asked());
}
END_TEST

START_TEST(changes_that_do_not_fit_are_asked_for_whole)
{
	w.zones[0].refuses = true;
	set(config_of("", ONE));
	w.now = due_of(0);
	tick();
	says_changes(asked(), 5, 6);
	assert_asks("a", RRTYPE_AXFR);
	says_whole(asked(), 6);
	ck_assert_ptr_null(asked());
	ck_assert_uint_eq(w.zones[0].takes, 2);
	ck_assert_str_eq(reason_of(0), "");
}
END_TEST

START_TEST(older_serials_are_for_retransfer)
{
	set(config_of("", ABC));
	w.now = due_of(0);
	tick();
	says_current(asked(), 4);
	ck_assert_ptr_nonnull(strstr(reason_of(0), "has serial 4, older than 5 here"));
	assert_asks("b", RRTYPE_IXFR);
	says_current(asked(), 5);
	ck_assert(refresh_now(w.refresh, w.config->zones[0].name, true));
	loop_deliver(w.loop);
	assert_asks("a", RRTYPE_AXFR);
	says_whole(asked(), 4);
	ck_assert_uint_eq(w.zones[0].serial, 4);
	w.now = due_of(0);
	tick();
	assert_asks("a", RRTYPE_IXFR);
}
END_TEST

/* signetctl retransfer while a primary is asked, or the job has the zone. */
START_TEST(retransfer_takes_the_place_of_what_is_under_way)
{
	set(config_of("", ONE));
	w.now = due_of(0);
	tick();
	const struct outgoing *first = asked();
	ck_assert(refresh_now(w.refresh, w.config->zones[0].name, true));
	ck_assert(!first->is_open);
	ck_assert_uint_eq(open_count(), 1);
	assert_asks("a", RRTYPE_AXFR);
	ck_assert(!refresh_now(w.refresh, (const uint8_t *)"\1y", true));
}
END_TEST

/* --- limits ---------------------------------------------------------------------------------- */

static const char many[] = "  - { name: z1, primaries: a }\n  - { name: z2, primaries: a }\n"
			   "  - { name: z3, primaries: a }\n  - { name: z4, primaries: b }\n"
			   "  - { name: z5, primaries: b }\n  - { name: z6, primaries: c }\n";

static void none_is_there(void)
{
	for (unsigned i = 0; i < ZONES_MAX; i++) {
		w.zones[i].has_zone = false;
	}
}

START_TEST(so_many_at_a_time)
{
	none_is_there();
	set(config_of("transfers-in: 3", many));
	ck_assert_uint_eq(open_count(), 3);
	for (unsigned done = 0; done < 6; done++) {
		ck_assert_uint_eq(open_count(), 6 - done < 3 ? 6 - done : 3);
		says_whole(asked(), 1);
	}
	ck_assert_uint_eq(w.conn_count, 6);
}
END_TEST

/* Those of others do not wait behind one primary. */
START_TEST(so_many_of_one_primary)
{
	none_is_there();
	set(config_of("transfers-in-per-primary: 1", many));
	ck_assert_uint_eq(open_count(), 3);
	ck_assert_str_eq(w.conns[0].name, "a");
	ck_assert_str_eq(w.conns[1].name, "b");
	ck_assert_str_eq(w.conns[2].name, "c");
	says_whole(&w.conns[2], 1);
	ck_assert_uint_eq(open_count(), 2);
	says_whole(&w.conns[0], 1);
	ck_assert_uint_eq(open_count(), 2);
	ck_assert_str_eq(w.conns[3].name, "a");
}
END_TEST

START_TEST(a_transfer_takes_no_longer_than_it_may)
{
	set(config_of("transfer-time: 50s", ABC));
	w.now = due_of(0);
	tick();
	const struct outgoing *slow = asked();
	pass(50);
	ck_assert(slow->is_open);
	pass(1);
	ck_assert(!slow->is_open);
	assert_asks("b", RRTYPE_IXFR);
	ck_assert_str_eq(reason_of(0), "takes longer than server.transfer-time");
}
END_TEST

/* --- the end of a zone ----------------------------------------------------------------------- */

START_TEST(expires_and_comes_back)
{
	w.zones[0].expire = 500;
	set(config_of("", ONE));
	ck_assert_int_eq(zone_expires_at(w.zone[0]), START + 500);
	while (w.now < START + 499) {
		pass(1);
		if (asked() != NULL) {
			is_away(asked());
		}
	}
	ck_assert(!w.zones[0].is_expired);
	pass(1);
	ck_assert(w.zones[0].is_expired);
	w.now = due_of(0);
	tick();
	assert_asks("a", RRTYPE_IXFR);
	ck_assert(status_of(0).is_expired);
	says_current(asked(), 5);
	ck_assert(!w.zones[0].is_expired);
	ck_assert(!status_of(0).is_expired);
	ck_assert_int_eq(zone_expires_at(w.zone[0]), w.now + 500);
}
END_TEST

/* A primary that dribbles does not keep alive what is dead. */
START_TEST(expires_while_a_primary_is_asked)
{
	w.zones[0].expire = 500;
	set(config_of("", ONE));
	w.now = due_of(0);
	tick();
	ck_assert_uint_eq(open_count(), 1);
	w.now = START + 500;
	tick();
	ck_assert(w.zones[0].is_expired);
}
END_TEST

/* --- what is held back ----------------------------------------------------------------------- */

static void assert_held(uint64_t records)
{
	ck_assert_uint_eq(status_of(0).held, records);
	ck_assert_int_eq(zone_is_held(w.zone[0]), records != 0);
	ck_assert_int_eq(reason_of(0)[0] != '\0', records != 0);
}

static void next_round(void)
{
	w.now = due_of(0);
	tick();
}

static void approve(void)
{
	refresh_approve(w.refresh, w.config->zones[0].name);
	loop_deliver(w.loop);
}

START_TEST(is_held_until_approved)
{
	set(config_of("", ONE));
	approve();
	ck_assert_ptr_null(asked()); /* of nothing */
	w.zones[0].removes = 700;
	next_round();
	says_changes(asked(), 5, 6);
	assert_held(700);
	next_round();
	says_whole(asked(), 7);
	assert_held(700);
	set(config_of("", ONE)); /* a reload is no approval */
	assert_held(700);
	approve();
	w.zones[0].removes = 701; /* more than was approved */
	says_whole(asked(), 8);
	assert_held(701);
	ck_assert_uint_eq(w.zones[0].serial, 5);
	approve();
	is_away(asked());
	assert_held(701);
	next_round(); /* it was approved still */
	says_whole(asked(), 9);
	ck_assert_uint_eq(w.zones[0].serial, 9);
	assert_held(0);
	next_round(); /* once */
	w.zones[0].removes = 10;
	says_whole(asked(), 10);
	assert_held(10);
	w.zones[0].removes = 0; /* mended */
	next_round();
	says_whole(asked(), 11);
	assert_held(0);
}
END_TEST

/* The primary has taken it back; but not where another says that what is served is current. */
START_TEST(is_held_while_a_primary_has_it)
{
	set(config_of("", ABC));
	w.zones[0].removes = 700;
	for (unsigned round = 0; round < 2; round++) {
		next_round();
		says_changes(asked(), 5, 6);
		assert_asks("b", RRTYPE_IXFR);
		says_current(asked(), 5);
		ck_assert_ptr_null(asked());
		assert_held(700);
	}
	next_round();
	says_current(asked(), 5);
	assert_held(0);
	/* The next one has what can be taken. */
	next_round();
	says_changes(asked(), 5, 6);
	assert_held(700);
	w.zones[0].removes = 0;
	says_changes(asked(), 5, 7);
	ck_assert_uint_eq(w.zones[0].serial, 7);
	assert_held(0);
}
END_TEST

START_TEST(retransfer_takes_what_is_held)
{
	set(config_of("", ONE));
	w.zones[0].removes = 700;
	next_round();
	says_changes(asked(), 5, 6);
	assert_held(700);
	ck_assert(refresh_now(w.refresh, w.config->zones[0].name, true));
	says_whole(asked(), 4);
	ck_assert_uint_eq(w.zones[0].serial, 4);
	assert_held(0);
}
END_TEST

/* A primary that has something else does not say that this is current. */
START_TEST(what_is_not_taken_lets_the_zone_expire)
{
	w.zones[0].expire = 500;
	w.zones[0].removes = 700;
	set(config_of("", ONE));
	while (w.now < START + 499) {
		pass(1);
		if (asked() != NULL) {
			says_whole(asked(), 6);
		}
	}
	ck_assert(!w.zones[0].is_expired);
	pass(1);
	ck_assert(w.zones[0].is_expired);
}
END_TEST

/* --- configurations -------------------------------------------------------------------------- */

START_TEST(a_reload_begins_anew_what_is_under_way)
{
	set(config_of("", ABC));
	w.now = due_of(0);
	tick();
	const struct outgoing *before = asked();
	set(config_of("", "  - { name: z, primaries: b }\n"));
	ck_assert(!before->is_open);
	assert_asks("b", RRTYPE_IXFR);
	ck_assert_uint_eq(w.zones[0].looks, 1); /* what is known stays known */
	w.zones[0].heard_at = w.now;		/* it is y now */
	set(config_of("", "  - { name: y, primaries: c }\n"));
	ck_assert_uint_eq(open_count(), 0);
	struct refresh_status s;
	ck_assert(!refresh_status(w.refresh, (const uint8_t *)"\1z", &s));
	ck_assert_uint_eq(w.zones[0].looks, 2);
}
END_TEST

/* What was wrong may be right now. */
START_TEST(a_reload_asks_again_who_has_failed)
{
	set(config_of("", ONE));
	w.now = due_of(0);
	tick();
	is_away(asked());
	ck_assert_ptr_null(asked());
	set(config_of("", ONE));
	assert_asks("a", RRTYPE_IXFR);
	says_current(asked(), 5);
	set(config_of("", ONE));
	ck_assert_ptr_null(asked());
}
END_TEST

/* Among three primaries that come, go and lie, the serial never goes back, and what is newest comes in the end. */
START_TEST(whatever_primaries_do)
{
	struct unit_random r = { 7 };
	uint32_t newest = 5;
	set(config_of("", ABC));
	for (unsigned step = 0; step < 4000; step++) {
		const uint32_t before = w.zones[0].serial;
		struct outgoing *o = asked();
		ck_assert_uint_le(open_count(), 1);
		if (o == NULL) {
			if (unit_random_below(&r, 2) == 0) {
				newest++;
				(void)notified(unit_random_below(&r, 2) == 0 ? "192.0.2.1"
									     : "192.0.2.3");
			} else {
				pass(unit_random_below(&r, 300));
			}
			continue;
		}
		const bool is_whole = question_of(o).type == RRTYPE_AXFR;
		switch (unit_random_below(&r, 6)) {
		case 0:
			is_away(o);
			break;
		case 1:
			says_error(o, (uint16_t)(1 + unit_random_below(&r, 5)));
			break;
		case 2:
			says_current(o, before - unit_random_below(&r, 2));
			break;
		default:
			if (is_whole) {
				says_whole(o, newest);
			} else if (newest == before) {
				says_current(o, before);
			} else {
				says_changes(o, before, newest);
			}
		}
		ck_assert(w.zones[0].serial == before ||
			  serial_is_newer(w.zones[0].serial, before));
	}
	ck_assert_uint_ge(w.zones[0].takes, 100);
	for (unsigned i = 0; i < 100 && w.zones[0].serial != newest; i++) {
		struct outgoing *o = asked();
		if (o == NULL) {
			(void)notified("192.0.2.1");
		} else if (question_of(o).type == RRTYPE_AXFR) {
			says_whole(o, newest);
		} else {
			says_changes(o, w.zones[0].serial, newest);
		}
	}
	ck_assert_uint_eq(w.zones[0].serial, newest);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("refresh");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, is_asked_when_refresh_has_passed);
	tcase_add_test(tc, what_is_not_there_is_asked_for_at_once);
	tcase_add_test(tc, timers_are_clamped);
	tcase_add_test(tc, timers_are_spread);
	tcase_add_test(tc, waits_longer_each_time);
	tcase_add_test(tc, waits_longer_for_what_is_not_there);
	tcase_add_test(tc, primaries_are_tried_in_order);
	tcase_add_test(tc, who_notifies_is_asked_first);
	tcase_add_test(tc, not_everybody_may_notify);
	tcase_add_test(tc, notifications_meanwhile_are_one);
	tcase_add_test(tc, who_does_not_know_ixfr_is_asked_otherwise);
	tcase_add_test(tc, changes_that_do_not_fit_are_asked_for_whole);
	tcase_add_test(tc, older_serials_are_for_retransfer);
	tcase_add_test(tc, retransfer_takes_the_place_of_what_is_under_way);
	tcase_add_test(tc, so_many_at_a_time);
	tcase_add_test(tc, so_many_of_one_primary);
	tcase_add_test(tc, a_transfer_takes_no_longer_than_it_may);
	tcase_add_test(tc, expires_and_comes_back);
	tcase_add_test(tc, expires_while_a_primary_is_asked);
	tcase_add_test(tc, is_held_until_approved);
	tcase_add_test(tc, is_held_while_a_primary_has_it);
	tcase_add_test(tc, retransfer_takes_what_is_held);
	tcase_add_test(tc, what_is_not_taken_lets_the_zone_expire);
	tcase_add_test(tc, a_reload_begins_anew_what_is_under_way);
	tcase_add_test(tc, a_reload_asks_again_who_has_failed);
	tcase_add_test(tc, whatever_primaries_do);
	return unit_run("server/refresh", tc);
}

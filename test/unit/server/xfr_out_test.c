/* test/unit/server/xfr_out_test.c - transfers of random zones, read back message by message and made into zones again:
 * AXFR has each record once, an IXFR leads from each version to the last one; journals that lose what is being read. */
#include "server/xfr_out.h"

#include <time.h>
#include <unistd.h>

#include "test/unit/zones/zone_kit.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/diff.h"
#include "zones/dns/soa.h"
#include "zones/journal.h"

#define JOURNAL_SIZE ((size_t)64 << 20)
#define VERSIONS     40
#define FOREVER	     100000 /* messages */

static char dir[] = "/tmp/xfr_out_test.XXXXXX";
static char path[sizeof(dir) + 16];
static struct xfr_desk *desk;
static struct journal *journal;
static struct dname apex;
static const struct address_ip client = { .len = 4, .octet = { 192, 0, 2, 1 } };
static struct tsig_key key;

static void setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/j.mdb", dir);
	log_open(LOG_TO_STDERR, LOG_LEVEL_ERROR, false, "test");
	kit_name("example.", &apex);
	ck_assert_int_eq(xfr_desk_new(&desk), E_OK);
	ck_assert_int_eq(journal_open(&journal, path, JOURNAL_SIZE, STORE_WRITE, NULL), E_OK);
	ck_assert_int_eq(tsig_key_set(&key, apex.wire, "hmac-sha256", "secret", 6), E_OK);
}

static void teardown(void)
{
	char p[sizeof(path) + 16];
	journal_close(journal);
	xfr_desk_free(desk);
	tsig_key_clear(&key);
	(void)unlink(path);
	(void)snprintf(p, sizeof(p), "%s-lock", path);
	(void)unlink(p);
	ck_assert_int_eq(rmdir(dir), 0);
}

/* --- starting -------------------------------------------------------------------------------- */

struct wish {
	const struct version *version;
	bool is_incremental;
	uint32_t serial;
	size_t limit; /* 0: MESSAGE_MAX */
	bool is_datagram;
	bool has_opt;
	struct tsig_exchange *signer; /* NULL: not signed */
};

/* A response with a question, as the engine has it. */
static struct xfr_out *start(const struct wish *w)
{
	static const uint8_t opt[11] = { 0, 0, RRTYPE_OPT, 4, 208 };
	struct zone *zone = zone_new(apex.wire);
	uint8_t response[MESSAGE_HEADER_LEN + DNAME_MAX + 4 + sizeof(opt)] = { 0x12, 0x34, 0x84 };
	uint8_t query[600];
	size_t len = MESSAGE_HEADER_LEN + apex.len;
	struct xfr_out *x = NULL;
	memcpy(response + MESSAGE_HEADER_LEN, apex.wire, apex.len);
	be16_put(response + len, w->is_incremental ? RRTYPE_IXFR : RRTYPE_AXFR);
	be16_put(response + len + 2, RRCLASS_IN);
	len += 4;
	memcpy(query, response, len);
	be16_put(query + 2, 0);
	be16_put(query + 4, 1);
	size_t query_len = len;
	if (w->signer != NULL) {
		ck_assert_int_eq(tsig_sign(w->signer, query, &query_len, sizeof(query), 1000),
				 E_OK);
	}
	memcpy(response + len, opt, sizeof(opt));
	const struct query_transfer wanted = { .zone = zone,
					       .version = w->version,
					       .is_incremental = w->is_incremental,
					       .serial = w->serial,
					       .question = len,
					       .limit = w->limit != 0 ? w->limit
								      : MESSAGE_MAX - 400 };
	const struct xfr_start s = { .desk = desk,
				     .journal = journal,
				     .wanted = &wanted,
				     .response = response,
				     .response_len = len + (w->has_opt ? sizeof(opt) : 0),
				     .client = &client,
				     .is_datagram = w->is_datagram,
				     .query = query,
				     .query_len = query_len,
				     .key = w->signer != NULL ? &key : NULL,
				     .now = 1000 };
	ck_assert_int_eq(xfr_out_new(&s, &x), E_OK);
	zone_free(zone);
	return x;
}

/* --- reading --------------------------------------------------------------------------------- */

#define RECORDS_MAX 100000

struct record {
	uint16_t type;
	uint32_t serial;   /* of a SOA */
	struct buf octets; /* as in a difference */
};

struct got {
	unsigned messages;
	bool is_whole; /* it did not break off */
	uint16_t flags;
	size_t largest; /* octets of a message */
	struct record *records;
	size_t count;
};

static void got_clear(struct got *g)
{
	for (size_t i = 0; i < g->count; i++) {
		buf_clear(&g->records[i].octets);
	}
	mem_free(g->records);
}

static void take_record(struct got *g, const struct message_rr *rr, struct reader *message)
{
	static uint8_t rdata[RDATA_MAX];
	uint8_t fixed[MESSAGE_RR_FIXED];
	struct writer out = writer_of(rdata, sizeof(rdata));
	struct reader in = *message;
	ck_assert_uint_lt(g->count, RECORDS_MAX);
	struct record *r = &g->records[g->count++];
	in.pos = rr->rdata;
	ck_assert_int_eq(rdata_from_message(rr->type, &in, rr->rdlen, &out), E_OK);
	r->type = rr->type;
	r->serial = rr->type == RRTYPE_SOA ? soa_numbers_of(rdata, writer_len(&out)).serial : 0;
	be16_put(fixed, rr->type);
	be16_put(fixed + 2, rr->class);
	be32_put(fixed + 4, rr->ttl);
	be16_put(fixed + 8, (uint16_t)writer_len(&out));
	buf_add(&r->octets, rr->owner.wire, rr->owner.len);
	buf_add(&r->octets, fixed, sizeof(fixed));
	buf_add(&r->octets, rdata, writer_len(&out));
}

/* One message, which is what it has to be at its place. */
static void take_message(struct got *g, const struct wish *w, const uint8_t *octets, size_t len)
{
	struct reader r = reader_of(octets, len);
	struct message_header h;
	struct message_question q;
	struct message_rr rr;
	const bool is_first = g->messages == 0;
	size_t limit = w->limit != 0 ? w->limit : MESSAGE_MAX - 400;
	ck_assert_int_eq(message_read_header(&r, &h), E_OK);
	ck_assert_uint_eq(h.id, 0x1234);
	g->flags = h.flags;
	ck_assert_uint_eq(h.count[SECTION_QUESTION], is_first);
	ck_assert_uint_eq(h.count[SECTION_AUTHORITY], 0);
	ck_assert_uint_eq(h.count[SECTION_ADDITIONAL], is_first && w->has_opt);
	ck_assert_uint_le(len, limit);
	if (is_first) {
		ck_assert_int_eq(message_read_question(&r, &q), E_OK);
		ck_assert(dname_equal(q.name, apex.wire));
	}
	for (unsigned i = 0; i < h.count[SECTION_ANSWER]; i++) {
		ck_assert_int_eq(message_read_rr(&r, &rr), E_OK);
		take_record(g, &rr, &r);
	}
	if (is_first && w->has_opt) {
		ck_assert_int_eq(message_read_rr(&r, &rr), E_OK);
		ck_assert_uint_eq(rr.type, RRTYPE_OPT);
	}
	ck_assert_uint_eq(reader_left(&r), 0);
	g->messages++;
	g->largest = len > g->largest ? len : g->largest;
}

/* At most @most messages. */
static void read_some(struct xfr_out *x, const struct wish *w, unsigned most, struct got *g)
{
	static uint8_t out[MESSAGE_MAX];
	size_t len = 0;
	bool has_more = true;
	if (g->records == NULL) {
		g->records = mem_array(RECORDS_MAX, sizeof(*g->records));
	}
	while (has_more && most-- != 0) {
		has_more = xfr_out_next(x, out, sizeof(out), &len);
		ck_assert(len != 0 || !has_more);
		if (len == 0) {
			return;
		}
		size_t at = len;
		if (w->signer != NULL) {
			ck_assert_int_eq(tsig_check(w->signer, out, len, (uint64_t)time(NULL), &at),
					 E_OK);
			be16_put(out + 10, (uint16_t)(be16_get(out + 10) - 1));
		}
		take_message(g, w, out, at);
	}
	g->is_whole = !has_more;
}

static struct got read_all(const struct wish *w)
{
	struct got g = { 0 };
	struct xfr_out *x = start(w);
	read_some(x, w, FOREVER, &g);
	xfr_out_free(x);
	return g;
}

/* --- what it is ------------------------------------------------------------------------------ */

static void append(struct diff_part *part, const struct record *r)
{
	buf_add(&part->octets, r->octets.data, r->octets.len);
	part->count++;
}

/* All of the zone, each record once, SOA first and last. */
static void is_zone(const struct got *g, const struct version *v)
{
	struct diff d = { 0 };
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LAST);
	ck_assert(g->is_whole);
	ck_assert_uint_eq(g->count, v->records + 1);
	ck_assert_uint_eq(g->records[0].type, RRTYPE_SOA);
	ck_assert_uint_eq(g->records[g->count - 1].serial, v->serial);
	for (size_t i = 0; i + 1 < g->count; i++) {
		ck_assert(i == 0 || g->records[i].type != RRTYPE_SOA);
		append(&d.added, &g->records[i]);
	}
	ck_assert_int_eq(diff_apply(&d, e, NULL), E_OK);
	struct version *made = edit_commit(e);
	ck_assert(kit_equal(made, v));
	version_unref(made);
	diff_clear(&d);
}

/* An edit of a zone like @v; only the newest of a lineage can be edited. */
static struct edit *edit_like(const struct version *v)
{
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LAST);
	struct version *nothing = edit_commit(e);
	struct diff d = { 0 };
	diff_make(nothing, v, &d);
	e = edit_begin(nothing, NULL, EDIT_TTL_LAST);
	ck_assert_int_eq(diff_apply(&d, e, NULL), E_OK);
	version_unref(nothing);
	diff_clear(&d);
	return e;
}

/* Differences that lead from @old to @now. Returns how many. */
static unsigned leads(const struct got *g, const struct version *old, const struct version *now)
{
	struct edit *e = edit_like(old);
	struct diff d = { 0 };
	unsigned steps = 0;
	bool adds = true;
	uint32_t serial = old->serial;
	ck_assert(g->is_whole);
	ck_assert_uint_eq(g->records[0].serial, now->serial);
	ck_assert_uint_eq(g->records[g->count - 1].serial, now->serial);
	for (size_t i = 1; i + 1 < g->count; i++) {
		const struct record *r = &g->records[i];
		if (r->type == RRTYPE_SOA && adds) {
			ck_assert_int_eq(diff_apply(&d, e, NULL), E_OK);
			diff_reset(&d);
			ck_assert_uint_eq(r->serial, serial);
			steps++;
			adds = false;
		} else if (r->type == RRTYPE_SOA) {
			serial = r->serial;
			adds = true;
		}
		append(adds ? &d.added : &d.removed, r);
	}
	ck_assert_int_eq(diff_apply(&d, e, NULL), E_OK);
	struct version *made = edit_commit(e);
	ck_assert(kit_equal(made, now));
	version_unref(made);
	diff_clear(&d);
	return steps;
}

/* --- AXFR ------------------------------------------------------------------------------------ */

START_TEST(a_zone_has_each_record_once)
{
	struct unit_random r = { (uint64_t)_i };
	struct version *v = kit_next(NULL, 10 * (unsigned)_i * (unsigned)_i, 7, &r);
	const size_t limits[] = { 0, 1500, 400, 300 };
	for (unsigned i = 0; i < ARRAY_LEN(limits); i++) {
		struct wish w = { .version = v, .limit = limits[i], .has_opt = i % 2 != 0 };
		struct got g = read_all(&w);
		is_zone(&g, v);
		ck_assert(i < 2 || v->records < 60 || g.messages > 2);
		got_clear(&g);
	}
	version_unref(v);
}
END_TEST

static void begin_exchange(struct tsig_ring **ring, struct tsig_exchange *x)
{
	ck_assert_int_eq(tsig_ring_new(&key, 1, ring), E_OK);
	ck_assert_int_eq(tsig_begin(*ring, key.name.wire, x), E_OK);
}

START_TEST(each_message_is_signed)
{
	struct unit_random r = { 8945 };
	struct version *v = kit_next(NULL, 500, 7, &r);
	struct tsig_ring *ring = NULL;
	struct tsig_exchange x;
	begin_exchange(&ring, &x);
	struct wish w = { .version = v, .limit = 400, .signer = &x, .has_opt = true };
	struct got g = read_all(&w);
	is_zone(&g, v);
	ck_assert_uint_gt(g.messages, 10);
	got_clear(&g);
	tsig_ring_free(ring);
	version_unref(v);
}
END_TEST

/* A large zone: messages are full, and made of one version while others are published. */
START_TEST(messages_are_full)
{
	struct unit_random r = { 1 };
	struct version *v = kit_next(NULL, 10, 7, &r);
	struct edit *e = edit_begin(v, NULL, EDIT_TTL_LAST);
	struct got g = { 0 };
	char owner[100];
	char text[100];
	for (unsigned i = 0; i < 5000; i++) {
		(void)snprintf(owner, sizeof(owner), "n%u.%s.example.", i,
			       i % 3 != 0 ? "a" : "B.c");
		(void)snprintf(text, sizeof(text), "\"text of %u\"", i);
		kit_add(e, owner, RRTYPE_TXT, 300, text);
	}
	struct version *large = edit_commit(e);
	struct wish w = { .version = large };
	struct xfr_out *x = start(&w);
	read_some(x, &w, 1, &g);
	struct version *after = kit_next(large, 300, 8, &r);
	version_unref(v);
	version_unref(large); /* the transfer has it still */
	read_some(x, &w, FOREVER, &g);
	ck_assert_uint_gt(g.largest, MESSAGE_MAX - 400 - 60);
	ck_assert_uint_le(g.messages, 5);
	is_zone(&g, large);
	got_clear(&g);
	xfr_out_free(x);
	version_unref(after);
}
END_TEST

START_TEST(a_record_without_room_breaks_it_off)
{
	struct unit_random r = { 2 };
	struct version *v = kit_next(NULL, 10, 7, &r);
	struct edit *e = edit_begin(v, NULL, EDIT_TTL_LAST);
	struct dname owner;
	static uint8_t rdata[RDATA_MAX - 50];
	kit_name("m.example.", &owner);
	ck_assert_int_eq(edit_add(e, owner.wire, 65400, 300, rdata, sizeof(rdata)), E_OK);
	struct version *large = edit_commit(e);
	struct wish w = { .version = large };
	struct got g = read_all(&w);
	ck_assert(!g.is_whole);
	ck_assert_uint_ge(g.messages, 1);
	got_clear(&g);
	version_unref(large);
	version_unref(v);
}
END_TEST

START_TEST(only_the_soa)
{
	struct unit_random r = { 2 };
	struct version *v = kit_next(NULL, 0, 7, &r);
	struct wish w = { .version = v };
	struct got g = read_all(&w);
	is_zone(&g, v);
	ck_assert_uint_eq(g.count, 2);
	got_clear(&g);
	version_unref(v);
}
END_TEST

/* --- IXFR ------------------------------------------------------------------------------------ */

struct history {
	struct version *v[VERSIONS];
	unsigned count;
};

/* A version more; what leads there is in the journal. */
static void history_add(struct history *h, struct version *next)
{
	if (h->count != 0) {
		struct diff d = { 0 };
		struct journal_txn *t = NULL;
		const struct journal_entry entry = { .source = JOURNAL_UPDATE, .time = 1 };
		diff_make(h->v[h->count - 1], next, &d);
		ck_assert_int_eq(journal_begin(journal, STORE_WRITE, &t, NULL), E_OK);
		ck_assert_int_eq(journal_append(t, apex.wire, &entry, &d, NULL), E_OK);
		ck_assert_int_eq(journal_commit(t, NULL), E_OK);
		diff_clear(&d);
	}
	h->v[h->count++] = next;
}

static void history_clear(struct history *h)
{
	for (unsigned i = 0; i < h->count; i++) {
		version_unref(h->v[i]);
	}
}

/* A zone of some size, then changes. Serials pass their end. */
static void history_make(struct history *h, unsigned count, unsigned changes, struct unit_random *r)
{
	uint32_t serial = UINT32_MAX - count / 2;
	struct version *v = kit_next(NULL, 1, serial, r);
	struct edit *e = edit_begin(v, NULL, EDIT_TTL_LAST);
	char owner[100];
	for (unsigned i = 0; i < 600; i++) {
		(void)snprintf(owner, sizeof(owner), "n%u.example.", i);
		kit_add(e, owner, RRTYPE_TXT, 300, "text");
	}
	history_add(h, edit_commit(e));
	version_unref(v);
	while (h->count < count) {
		serial += 1 + unit_random_below(r, 3);
		history_add(h, kit_next(h->v[h->count - 1], changes, serial, r));
	}
}

START_TEST(differences_lead_to_what_is_now)
{
	struct unit_random r = { 1995 + (uint64_t)_i };
	struct history h = { 0 };
	history_make(&h, VERSIONS, 5, &r);
	for (unsigned to = 1; to < h.count; to += 3) {
		for (unsigned from = 0; from < to; from += 1 + to / 4) {
			const size_t limits[] = { 0, 350 };
			for (unsigned i = 0; i < ARRAY_LEN(limits); i++) {
				struct wish w = { .version = h.v[to],
						  .is_incremental = true,
						  .serial = h.v[from]->serial,
						  .limit = limits[i],
						  .has_opt = i != 0 };
				struct got g = read_all(&w);
				ck_assert_uint_eq(leads(&g, h.v[from], h.v[to]), 1);
				got_clear(&g);
			}
		}
	}
	history_clear(&h);
}
END_TEST

START_TEST(who_is_current_gets_the_soa)
{
	struct unit_random r = { 3 };
	struct history h = { 0 };
	history_make(&h, 3, 3, &r);
	const uint32_t now = h.v[2]->serial;
	const uint32_t serials[] = { now, now + 1, now + 0x7fffffff };
	for (unsigned i = 0; i < ARRAY_LEN(serials); i++) {
		struct wish w = { .version = h.v[2], .is_incremental = true, .serial = serials[i] };
		struct got g = read_all(&w);
		ck_assert(g.is_whole);
		ck_assert_uint_eq(g.count, 1);
		ck_assert_uint_eq(g.records[0].serial, now);
		got_clear(&g);
	}
	history_clear(&h);
}
END_TEST

START_TEST(without_history_all_of_the_zone)
{
	struct unit_random r = { 4 };
	struct history h = { 0 };
	history_make(&h, 5, 3, &r);
	struct version *last = h.v[4];
	const uint32_t serials[] = { h.v[0]->serial - 1, last->serial + 0x80000000U,
				     last->serial + 0x80000001U };
	for (unsigned i = 0; i < ARRAY_LEN(serials); i++) {
		struct wish w = { .version = last, .is_incremental = true, .serial = serials[i] };
		struct got g = read_all(&w);
		is_zone(&g, last);
		got_clear(&g);
	}
	/* A version that the journal does not lead to. */
	struct version *next = kit_next(last, 5, last->serial + 1, &r);
	struct wish w = { .version = next, .is_incremental = true, .serial = h.v[3]->serial };
	struct got g = read_all(&w);
	is_zone(&g, next);
	got_clear(&g);
	version_unref(next);
	history_clear(&h);
}
END_TEST

START_TEST(differences_larger_than_the_zone)
{
	struct unit_random r = { 5 };
	struct history h = { 0 };
	uint32_t serial = 1;
	history_add(&h, kit_next(NULL, 3, serial, &r));
	while (h.count < 20) {
		history_add(&h, kit_next(h.v[h.count - 1], 100, ++serial, &r));
	}
	struct version *empty = kit_next(NULL, 0, ++serial, &r);
	history_add(&h, empty);
	struct wish w = { .version = empty, .is_incremental = true, .serial = h.v[19]->serial };
	struct got g = read_all(&w);
	is_zone(&g, empty);
	got_clear(&g);
	history_clear(&h);
}
END_TEST

/* Each version has text enough for a piece of its own. */
static void history_make_long(struct history *h, struct unit_random *r)
{
	static char text[300];
	uint32_t serial = 1;
	history_make(h, 2, 2, r);
	serial = h->v[1]->serial;
	memset(text, 'x', 250);
	while (h->count < 14) {
		struct version *v = h->v[h->count - 1];
		struct edit *e = edit_begin(v, NULL, EDIT_TTL_LAST);
		char owner[100];
		for (unsigned i = 0; i < 700; i++) {
			(void)snprintf(owner, sizeof(owner), "m%u.v%u.example.", i, h->count);
			kit_add(e, owner, RRTYPE_TXT, 300, text);
		}
		edit_remove_rrset(e, apex.wire, RRTYPE_SOA);
		kit_serial(e, ++serial);
		history_add(h, edit_commit(e));
	}
}

START_TEST(long_histories_come_in_pieces)
{
	struct unit_random r = { 6 };
	struct history h = { 0 };
	history_make_long(&h, &r);
	struct wish w = { .version = h.v[13], .is_incremental = true, .serial = h.v[0]->serial };
	struct got g = read_all(&w);
	ck_assert_uint_eq(leads(&g, h.v[0], h.v[13]), 13);
	got_clear(&g);
	history_clear(&h);
}
END_TEST

START_TEST(a_journal_that_loses_what_is_being_sent)
{
	struct unit_random r = { 7 };
	struct history h = { 0 };
	struct got g = { 0 };
	struct journal_txn *t = NULL;
	struct journal_zone zone;
	history_make_long(&h, &r);
	struct wish w = { .version = h.v[13], .is_incremental = true, .serial = h.v[0]->serial };
	struct xfr_out *x = start(&w);
	read_some(x, &w, 2, &g);
	ck_assert_int_eq(journal_begin(journal, STORE_WRITE, &t, NULL), E_OK);
	ck_assert_int_eq(journal_zone_get(t, apex.wire, &zone), E_OK);
	journal_reset(t, apex.wire, zone.last_seq);
	ck_assert_int_eq(journal_commit(t, NULL), E_OK);
	read_some(x, &w, FOREVER, &g);
	ck_assert(!g.is_whole);
	xfr_out_free(x);
	got_clear(&g);
	g = read_all(&w);
	is_zone(&g, h.v[13]);
	got_clear(&g);
	history_clear(&h);
}
END_TEST

/* --- datagrams ------------------------------------------------------------------------------- */

START_TEST(datagrams)
{
	struct unit_random r = { 8 };
	struct history h = { 0 };
	history_make(&h, 10, 8, &r);
	struct version *now = h.v[9];
	for (size_t limit = 20; limit < 2000; limit += 13) {
		struct wish w = { .version = now,
				  .is_incremental = true,
				  .serial = h.v[limit % 9]->serial,
				  .limit = limit < 60 ? 60 : limit,
				  .is_datagram = true };
		struct got g = read_all(&w);
		ck_assert(g.is_whole);
		ck_assert_uint_eq(g.messages, 1);
		ck_assert_int_eq((g.flags & MESSAGE_TC) != 0, g.count == 0);
		if (g.count > 1) {
			ck_assert_uint_eq(leads(&g, h.v[limit % 9], now), 1);
		} else if (g.count == 1) {
			ck_assert_uint_eq(g.records[0].serial, now->serial);
		}
		ck_assert(limit < 100 || g.count >= 1);
		ck_assert(limit < 1990 || g.count > 1);
		got_clear(&g);
	}
	struct wish w = { .version = now,
			  .is_incremental = true,
			  .serial = now->serial - 1000,
			  .is_datagram = true };
	struct got g = read_all(&w);
	ck_assert_uint_eq(g.count, 1);
	got_clear(&g);
	history_clear(&h);
}
END_TEST

/* --- the desk -------------------------------------------------------------------------------- */

START_TEST(transfers_are_counted)
{
	struct unit_random r = { 9 };
	struct version *v = kit_next(NULL, 100, 7, &r);
	struct wish w = { .version = v, .limit = 300 };
	struct xfr_out *x[3];
	const struct xfr_desk_limits limits[] = { { 3, 100 }, { 4, 100 }, { 100, 3 }, { 100, 4 } };
	const struct address_ip other = { .len = 4, .octet = { 192, 0, 2, 2 } };
	for (unsigned i = 0; i < ARRAY_LEN(x); i++) {
		x[i] = start(&w);
	}
	for (unsigned i = 0; i < ARRAY_LEN(limits); i++) {
		ck_assert_int_eq(xfr_desk_has_room(desk, &limits[i], &client), i % 2 != 0);
	}
	ck_assert(xfr_desk_has_room(desk, &limits[2], &other));
	ck_assert(!xfr_desk_has_room(desk, &limits[0], &other));
	xfr_out_free(x[0]);
	ck_assert(xfr_desk_has_room(desk, &limits[0], &client));
	ck_assert(xfr_desk_has_room(desk, &limits[2], &client));
	xfr_out_free(x[1]);
	xfr_out_free(x[2]);
	version_unref(v);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("xfr_out");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_zone_has_each_record_once, 0, 12);
	tcase_add_test(tc, each_message_is_signed);
	tcase_add_test(tc, messages_are_full);
	tcase_add_test(tc, a_record_without_room_breaks_it_off);
	tcase_add_test(tc, only_the_soa);
	tcase_add_loop_test(tc, differences_lead_to_what_is_now, 0, 3);
	tcase_add_test(tc, who_is_current_gets_the_soa);
	tcase_add_test(tc, without_history_all_of_the_zone);
	tcase_add_test(tc, differences_larger_than_the_zone);
	tcase_add_test(tc, long_histories_come_in_pieces);
	tcase_add_test(tc, a_journal_that_loses_what_is_being_sent);
	tcase_add_test(tc, datagrams);
	tcase_add_test(tc, transfers_are_counted);
	return unit_run("server/xfr_out", tc);
}

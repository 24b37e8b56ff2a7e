/* test/unit/server/xfr_pack_test.c - messages of a transfer, read back by the strict reader of messages: each record as it
 * was, in order, as many as fit, and no more pointers than readers follow. */
#include "server/xfr_pack.h"

#include "test/unit/unit.h"
#include "zones/dns/compress.h"
#include "zones/dns/rdata.h"

#define RECORDS 3000

struct record {
	struct dname owner;
	uint8_t *rr; /* behind the owner, malloc */
	uint16_t type;
	uint16_t rdlen;
};

static struct record records[RECORDS];
static unsigned count;

static void setup(void)
{
	count = 0;
}

static void teardown(void)
{
	for (unsigned i = 0; i < count; i++) {
		free(records[i].rr);
	}
}

static void name_of(const char *text, struct dname *out)
{
	ck_assert_int_eq(dname_from_text(out, text, strlen(text), dname_root, NULL), E_OK);
}

static void add(const struct dname *owner, uint16_t type, const uint8_t *rdata, size_t len)
{
	struct record *r = &records[count++];
	dname_set(&r->owner, owner->wire);
	r->type = type;
	r->rdlen = (uint16_t)len;
	r->rr = malloc(MESSAGE_RR_FIXED + len);
	be16_put(r->rr, type);
	be16_put(r->rr + 2, RRCLASS_IN);
	be32_put(r->rr + 4, count);
	be16_put(r->rr + 8, (uint16_t)len);
	memcpy(r->rr + MESSAGE_RR_FIXED, rdata, len);
}

static void add_text(const char *owner, uint16_t type, const char *rdata)
{
	struct dname name;
	uint8_t octets[2000];
	struct writer w = writer_of(octets, sizeof(octets));
	name_of(owner, &name);
	ck_assert_int_eq(rdata_from_string(type, rdata, NULL, &w, NULL), E_OK);
	add(&name, type, octets, writer_len(&w));
}

/* Pointers that are followed from @at on. */
static unsigned pointers_at(const uint8_t *m, size_t at)
{
	unsigned n = 0;
	while (m[at] != 0) {
		if (m[at] >= 0xc0) {
			size_t to = be16_get(m + at) & MESSAGE_POINTER_MAX;
			ck_assert_uint_lt(to, at);
			at = to;
			n++;
		} else {
			at += m[at] + 1U;
		}
	}
	return n;
}

/* rdata as it was, which may be compressed in the message. */
static void check_rdata(const uint8_t *m, size_t len, const struct message_rr *got,
			const struct record *want)
{
	const uint8_t *rdata = want->rr + MESSAGE_RR_FIXED;
	unsigned before = 0;
	unsigned names = rdata_compressible(want->type, &before);
	struct reader r = reader_of(m, len);
	r.pos = got->rdata + before;
	ck_assert_uint_le(got->rdlen, want->rdlen);
	ck_assert_mem_eq(got->rdata, rdata, before);
	rdata += before;
	while (names-- != 0) {
		struct dname name;
		ck_assert_uint_le(pointers_at(m, (size_t)(r.pos - m)), COMPRESS_POINTERS_MAX);
		ck_assert_int_eq(dname_read_compressed(&r, &name), E_OK);
		ck_assert_mem_eq(name.wire, rdata, name.len);
		rdata += name.len;
	}
	size_t rest = want->rdlen - (size_t)(rdata - want->rr - MESSAGE_RR_FIXED);
	ck_assert_ptr_eq(r.pos + rest, got->rdata + got->rdlen);
	ck_assert_mem_eq(r.pos, rdata, rest);
}

/* Reads the message back; its records are those from @first on. Returns how many. */
static unsigned read_back(const struct xfr_pack *p, size_t begin, unsigned first)
{
	const size_t len = (size_t)(p->pos - p->message);
	struct reader r = reader_of(p->message, len);
	r.pos += begin;
	unsigned n = 0;
	while (reader_left(&r) != 0) {
		struct message_rr rr;
		const struct record *want = &records[first + n];
		ck_assert_uint_le(pointers_at(p->message, (size_t)(r.pos - r.start)),
				  COMPRESS_POINTERS_MAX);
		ck_assert_int_eq(message_read_rr(&r, &rr), E_OK);
		ck_assert_uint_eq(rr.owner.len, want->owner.len);
		ck_assert_mem_eq(rr.owner.wire, want->owner.wire, rr.owner.len);
		ck_assert_uint_eq(rr.type, want->type);
		ck_assert_uint_eq(rr.ttl, first + n + 1);
		check_rdata(p->message, len, &rr, want);
		n++;
	}
	ck_assert_uint_eq(n, p->count);
	return n;
}

static bool is_same_owner(unsigned a, unsigned b)
{
	const struct dname *x = &records[a].owner;
	const struct dname *y = &records[b].owner;
	return x->len == y->len && memcmp(x->wire, y->wire, x->len) == 0;
}

/* Packs all records into messages of at most @room octets, with and without a question; returns the octets. */
static size_t pack_all(size_t room, const struct dname *question)
{
	uint8_t *out = malloc(room);
	struct xfr_pack p;
	size_t total = 0;
	unsigned done = 0;
	while (done < count) {
		size_t begin = MESSAGE_HEADER_LEN;
		memset(out, 0, MESSAGE_HEADER_LEN);
		if (question != NULL) {
			memcpy(out + begin, question->wire, question->len);
			memset(out + begin + question->len, 0, 4);
			begin += question->len + 4U;
		}
		xfr_pack_begin(&p, out, begin, room);
		unsigned next = done;
		while (next < count) {
			/* Said again where it is the same, or not. */
			if (next == done || next % 2 == 0 || !is_same_owner(next, next - 1)) {
				xfr_pack_owner(&p, records[next].owner.wire);
			}
			const uint8_t *before = p.pos;
			if (!xfr_pack_rr(&p, records[next].rr)) {
				ck_assert_ptr_eq(p.pos, before);
				break;
			}
			next++;
		}
		ck_assert_uint_gt(next, done);
		ck_assert_uint_eq(read_back(&p, begin, done), next - done);
		if (next < count) { /* what did not fit does not fit */
			size_t most = (size_t)records[next].owner.len + MESSAGE_RR_FIXED +
				      records[next].rdlen;
			ck_assert_uint_lt((size_t)(p.end - p.pos), most);
		}
		done = next;
		total += (size_t)(p.pos - out);
		question = NULL;
	}
	free(out);
	return total;
}

START_TEST(names_share_their_suffixes)
{
	struct dname q;
	name_of("example.", &q);
	add_text("example.", RRTYPE_SOA, "ns.example. h.example. 1 2 3 4 5");
	add_text("a.b.example.", RRTYPE_A, "192.0.2.1");
	add_text("a.b.example.", RRTYPE_A, "192.0.2.2");
	add_text("c.b.example.", RRTYPE_A, "192.0.2.3");
	/* header, question; pointer, "ns" and pointer, "h" and pointer; "a" "b" and pointer; pointer; "c" and pointer */
	size_t want = 12 + 13 + (2 + 10 + 5 + 4 + 20) + (6 + 14) + (2 + 14) + (4 + 14);
	ck_assert_uint_eq(pack_all(MESSAGE_MAX, &q), want);
}
END_TEST

START_TEST(case_is_kept)
{
	struct dname q;
	name_of("Example.", &q);
	add_text("example.", RRTYPE_NS, "NS.example.");
	add_text("A.Example.", RRTYPE_A, "192.0.2.1");
	add_text("a.eXample.", RRTYPE_A, "192.0.2.1");
	add_text("a.example.", RRTYPE_CNAME, "A.example.");
	(void)pack_all(MESSAGE_MAX, &q);
}
END_TEST

START_TEST(the_root_and_what_is_below_it)
{
	struct dname q;
	name_of(".", &q);
	add_text(".", RRTYPE_SOA, ". . 1 2 3 4 5");
	add_text(".", RRTYPE_NS, "a.root-servers.net.");
	add_text("com.", RRTYPE_NS, "a.gtld-servers.net.");
	add_text("com.", RRTYPE_MX, "0 .");
	add_text("a.gtld-servers.net.", RRTYPE_A, "192.0.2.1");
	add_text(".", RRTYPE_SOA, ". . 1 2 3 4 5");
	(void)pack_all(MESSAGE_MAX, &q);
}
END_TEST

START_TEST(the_longest_names)
{
	struct dname deep = { .len = 1 };
	for (unsigned i = 0; i < DNAME_LABELS_MAX;
	     i++) { /* more and more labels, as ip6.arpa has them */
		uint8_t label[2] = { 1, (uint8_t)('a' + i % 26) };
		struct dname next;
		ck_assert_int_eq(dname_prepend(&next, label, deep.wire), E_OK);
		deep = next;
		add(&deep, RRTYPE_A, (const uint8_t *)"\1\2\3\4", 4);
		struct dname sibling = deep;
		sibling.wire[1] = '-';
		add(&sibling, RRTYPE_PTR, deep.wire, deep.len);
	}
	for (unsigned i = 0; i < 4; i++) {
		struct dname wide = { .len = 255 };
		for (unsigned k = 0; k < 3; k++) {
			wide.wire[k * 64] = 63;
			memset(wide.wire + k * 64 + 1, k == 0 ? (int)('a' + i) : 'x', 63);
		}
		wide.wire[192] = 61;
		memset(wide.wire + 193, 'y', 61);
		wide.wire[254] = 0;
		add(&wide, RRTYPE_TXT, (const uint8_t *)"\1t", 2);
	}
	(void)pack_all(MESSAGE_MAX, NULL);
	(void)pack_all(1000, NULL);
}
END_TEST

START_TEST(a_record_fits_to_the_octet)
{
	uint8_t out[400];
	struct xfr_pack p;
	add_text("www.example.", RRTYPE_A, "192.0.2.1");
	for (size_t room = MESSAGE_HEADER_LEN; room < MESSAGE_HEADER_LEN + 60; room++) {
		xfr_pack_begin(&p, out, MESSAGE_HEADER_LEN, room);
		xfr_pack_owner(&p, records[0].owner.wire);
		bool fits = xfr_pack_rr(&p, records[0].rr);
		ck_assert_int_eq(fits, room >= MESSAGE_HEADER_LEN + 13 + 14);
		ck_assert_uint_le((size_t)(p.pos - out), room);
		fits = xfr_pack_rr(&p, records[0].rr);
		ck_assert_int_eq(fits, room >= MESSAGE_HEADER_LEN + 13 + 14 + 2 + 14);
	}
}
END_TEST

/* Random names that share a lot, in random order, with all kinds of rdata; behind 16 KiB nothing can be pointed to. */
START_TEST(random_records)
{
	static const char *const labels[] = { "a", "bb", "A", "ccc", "*", "\\000\\255", "x-y" };
	static const char *const apexes[] = { "example.", "sub.example.", ".", "eXample." };
	struct unit_random r = { 5936 + (uint64_t)_i };
	struct dname q;
	size_t raw = 0;
	name_of(apexes[_i % 3], &q);
	while (count < RECORDS) {
		char text[DNAME_TEXT_MAX] = "";
		unsigned depth = unit_random_below(&r, 12);
		size_t at = 0;
		for (unsigned i = 0; i < depth; i++) {
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s.",
					       labels[unit_random_below(&r, ARRAY_LEN(labels))]);
		}
		(void)snprintf(text + at, sizeof(text) - at, "%s",
			       apexes[unit_random_below(&r, 8) == 0 ? 3 : _i % 3]);
		const char *owner = text[0] == '.' && text[1] != '\0' ? text + 1 : text;
		size_t len = strlen(text);
		if (at != 0 && strcmp(text + at, ".") == 0) {
			text[len - 1] = '\0'; /* "a.." */
		}
		for (unsigned k = unit_random_below(&r, 4); k != 0 && count < RECORDS; k--) {
			static const struct {
				uint16_t type;
				const char *before;
			} kinds[] = { { RRTYPE_NS, "" },
				      { RRTYPE_MX, "10 " },
				      { RRTYPE_CNAME, "" },
				      { RRTYPE_DNAME, "" },
				      { RRTYPE_SRV, "1 2 3 " } };
			char rdata[DNAME_TEXT_MAX + 20];
			unsigned kind = unit_random_below(&r, ARRAY_LEN(kinds) + 2);
			if (kind < ARRAY_LEN(kinds)) {
				(void)snprintf(rdata, sizeof(rdata), "%s%s", kinds[kind].before,
					       unit_random_below(&r, 2) ? owner : "www.example.");
				add_text(owner, kinds[kind].type, rdata);
			} else {
				add_text(owner, RRTYPE_TXT, kind % 2 != 0 ? "\"some text\"" : "x");
			}
			raw += (size_t)records[count - 1].owner.len + MESSAGE_RR_FIXED +
			       records[count - 1].rdlen;
		}
	}
	ck_assert_uint_lt(pack_all(MESSAGE_MAX, &q), raw);
	(void)pack_all(MESSAGE_MAX, NULL);
	(void)pack_all(700, &q);
	(void)pack_all(20000, NULL);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("xfr_pack");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, names_share_their_suffixes);
	tcase_add_test(tc, case_is_kept);
	tcase_add_test(tc, the_root_and_what_is_below_it);
	tcase_add_test(tc, the_longest_names);
	tcase_add_test(tc, a_record_fits_to_the_octet);
	tcase_add_loop_test(tc, random_records, 0, 6);
	return unit_run("server/xfr_pack", tc);
}

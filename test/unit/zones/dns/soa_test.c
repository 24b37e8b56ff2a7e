/* test/unit/zones/dns/soa_test.c - the names of a SOA are written as the message's compression would write them. */
#include "zones/dns/soa.h"

#include "test/unit/unit.h"
#include "zones/dns/compress.h"

struct soa_case {
	const char *apex, *mname, *rname;
	size_t len; /* of the rdata as written */
};

/* The longest rdata that may be looked at, and what is in front of it. */
#define OUT_MAX (MESSAGE_HEADER_LEN + 2 * DNAME_MAX + SOA_RDATA_MAX + 20)

static struct dname name_of(const char *text)
{
	struct dname d;
	ck_assert_int_eq(dname_from_text(&d, text, strlen(text), dname_root, NULL), E_OK);
	return d;
}

static const struct soa_case cases[] = {
	{ "nsec.", "ns1.nic.nsec.", "host.nic.nsec.", 2 + 10 + 7 + 20 },
	{ "example.com.", "ns.example.com.", "host.example.com.", 2 + 5 + 7 + 20 },
	{ "example.com.", "example.com.", "example.com.", 2 + 2 + 2 + 20 },
	{ "example.com.", "ns.example.com.", "ns.example.com.", 2 + 5 + 2 + 20 },
	{ "com.", "a.root-servers.net.", "nstld.verisign-grs.com.", 2 + 20 + 21 + 20 },
	{ "example.com.", "ns.other.org.", "host.other.org.", 2 + 14 + 7 + 20 },
	{ "example.com.", "ns.EXAMPLE.com.", "host.example.COM.", 2 + 13 + 18 + 20 },
	{ ".", "a.root.", "host.root.", 2 + 8 + 7 + 20 },
	{ ".", ".", ".", 2 + 1 + 1 + 20 },
};

/* What compression makes of them behind @question. */
static size_t compressed(const struct dname *question, const struct dname *m, const struct dname *r,
			 uint8_t *out)
{
	static struct compress c;
	struct writer w = writer_of(out, OUT_MAX);
	(void)writer_room(&w, MESSAGE_HEADER_LEN);
	writer_bytes(&w, question->wire, question->len);
	(void)writer_room(&w, 4 + 2 + MESSAGE_RR_FIXED);
	compress_begin(&c);
	compress_add(&c, question->wire, MESSAGE_HEADER_LEN);
	(void)compress_name(&c, &w, m->wire);
	(void)compress_name(&c, &w, r->wire);
	ck_assert_int_eq(w.err, E_OK);
	return writer_len(&w);
}

START_TEST(as_compression)
{
	const struct soa_case *t = &cases[_i];
	const struct dname apex = name_of(t->apex);
	const struct dname m = name_of(t->mname);
	const struct dname r = name_of(t->rname);
	uint8_t rdata[SOA_RDATA_MAX];
	struct writer w = writer_of(rdata, sizeof(rdata));
	writer_bytes(&w, m.wire, m.len);
	writer_bytes(&w, r.wire, r.len);
	writer_bytes(&w, "abcdefghijklmnopqrst", SOA_NUMBERS_LEN);
	const struct soa_names names = soa_names_of(apex.wire, rdata);
	struct dname question = apex;
	for (size_t deeper = 0; deeper < 40; deeper += 2) {
		uint8_t want[OUT_MAX];
		uint8_t got[SOA_RDATA_MAX + 2];
		struct writer out = writer_of(got, sizeof(got));
		const size_t end = compressed(&question, &m, &r, want);
		const size_t start = MESSAGE_HEADER_LEN + question.len + 4U + 2 + MESSAGE_RR_FIXED;
		soa_names_put(&names, rdata, writer_len(&w), deeper, &out);
		ck_assert_int_eq(out.err, E_OK);
		ck_assert_uint_eq(writer_len(&out), t->len);
		ck_assert_uint_eq(be16_get(got), t->len - 2);
		ck_assert_uint_eq(end - start + SOA_NUMBERS_LEN, t->len - 2);
		ck_assert_mem_eq(got + 2, want + start, end - start);
		ck_assert_mem_eq(got + t->len - SOA_NUMBERS_LEN, "abcdefghijklmnopqrst",
				 SOA_NUMBERS_LEN);
		ck_assert_int_eq(dname_prepend(&question, (const uint8_t *)"\1x", question.wire),
				 E_OK);
	}
}
END_TEST

START_TEST(no_room)
{
	const struct dname apex = name_of("example.com.");
	uint8_t rdata[SOA_RDATA_MAX];
	struct writer w = writer_of(rdata, sizeof(rdata));
	writer_bytes(&w, apex.wire, apex.len);
	writer_bytes(&w, apex.wire, apex.len);
	writer_bytes(&w, "abcdefghijklmnopqrst", SOA_NUMBERS_LEN);
	const struct soa_names names = soa_names_of(apex.wire, rdata);
	for (size_t room = 0; room <= 26; room++) {
		uint8_t got[26];
		struct writer out = writer_of(got, room);
		soa_names_put(&names, rdata, writer_len(&w), 0, &out);
		ck_assert_int_eq(out.err, room < 26 ? E_NOSPACE : E_OK);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("soa");
	tcase_add_loop_test(tc, as_compression, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, no_room);
	return unit_run("soa", tc);
}

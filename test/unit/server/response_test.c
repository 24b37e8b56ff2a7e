/* test/unit/server/response_test.c - sets written into a message read back as they were, whatever fits. */
#include "server/response.h"

#include "test/unit/unit.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/dns/rdata.h"
#include "zones/node_build.h"

#define NODES	 40
#define SETS_MAX 4000

static uint64_t seed = 3;

static unsigned next_random(unsigned below)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(seed >> 33) % below;
}

static const uint8_t labels[][8] = { "\1a", "\1b", "\3www", "\2ns", "\1A", "\4mail" };

static struct dname random_name(void)
{
	struct dname d;
	dname_set(&d, dname_root);
	for (unsigned depth = next_random(5); depth-- != 0;) {
		ck_assert_int_eq(dname_prepend(&d, labels[next_random(ARRAY_LEN(labels))], d.wire),
				 E_OK);
	}
	return d;
}

/* A node with sets that are compressed and sets that are not. */
static struct node *random_node(void)
{
	static const uint16_t types[] = { RRTYPE_A, RRTYPE_NS, RRTYPE_SOA, RRTYPE_MX, RRTYPE_TXT };
	struct node_build b = { 0 };
	const struct dname owner = random_name();
	node_build_begin(&b, owner.wire);
	for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
		unsigned count = types[i] == RRTYPE_SOA ? 1 : 1 + next_random(4);
		node_build_set(&b, types[i], 0);
		for (unsigned n = 0; n < count; n++) {
			uint8_t rdata[600];
			struct writer w = writer_of(rdata, sizeof(rdata));
			const struct dname target = random_name();
			if (types[i] == RRTYPE_A) {
				writer_u32(&w, n);
			} else if (types[i] == RRTYPE_TXT) {
				writer_bytes(&w, "\5hello", 6);
			} else {
				writer_bytes(&w, "\0\1", types[i] == RRTYPE_MX ? 2 : 0);
				writer_bytes(&w, target.wire, target.len);
			}
			if (types[i] == RRTYPE_SOA) {
				writer_bytes(&w, owner.wire, owner.len);
				writer_bytes(&w, "abcdefghijklmnopqrst", 20);
			}
			node_build_rr(&b, 300, rdata, writer_len(&w));
		}
		for (unsigned n = next_random(3); n != 0; n--) {
			static const uint8_t sig[] = "\0\1\15\1\0\0\0\7aaaabbbbcc\0signature";
			node_build_sig(&b, 300, sig, sizeof(sig) - 1);
		}
	}
	const struct node *image = node_build_end(&b, false);
	ck_assert_ptr_nonnull(image);
	struct node *copy = mem_dup(image, image->size);
	node_build_clear(&b);
	return copy;
}

/* What was added, to be found again. */
struct added {
	enum section section;
	const uint8_t *owner;
	const struct rrset *rs;
	enum response_sigs sigs;
	uint32_t ttl;
	bool is_cname;
	const uint8_t *target;
};

static struct added sets[SETS_MAX];
static unsigned set_count;

static void expect_rr(struct reader *r, const uint8_t *owner, const struct rr *want, uint32_t ttl)
{
	struct message_rr rr;
	uint8_t rdata[1024];
	struct writer w = writer_of(rdata, sizeof(rdata));
	ck_assert_int_eq(message_read_rr(r, &rr), E_OK);
	ck_assert_uint_eq(rr.owner.len, dname_len(owner));
	ck_assert_mem_eq(rr.owner.wire, owner, rr.owner.len);
	ck_assert_uint_eq(rr.type, want->type);
	ck_assert_uint_eq(rr.class, RRCLASS_IN);
	ck_assert_uint_eq(rr.ttl, ttl);
	struct reader in = reader_of(r->start, (size_t)(r->pos - r->start));
	in.pos += rr.rdata - r->start;
	if (want->type == RRTYPE_RRSIG) { /* these are not well-formed */
		ck_assert_mem_eq(rr.rdata, want->rdata, rr.rdlen);
		return;
	}
	ck_assert_int_eq(rdata_from_message(rr.type, &in, rr.rdlen, &w), E_OK);
	ck_assert_uint_eq(writer_len(&w), want->rdlen);
	ck_assert_mem_eq(rdata, want->rdata, want->rdlen);
}

static void expect_set(struct reader *r, const struct added *a)
{
	struct rr rr = { .type = RRTYPE_CNAME };
	if (a->is_cname) {
		rr.rdata = a->target;
		rr.rdlen = (uint16_t)dname_len(a->target);
		expect_rr(r, a->owner, &rr, a->ttl);
		return;
	}
	const uint8_t *p = rrset_data(a->rs);
	for (unsigned i = 0; i < (unsigned)a->rs->count + a->rs->sigs; i++) {
		bool is_sig = i >= a->rs->count;
		p = rr_read(p, &rr);
		if (a->sigs == RESPONSE_WITH_SIGS || is_sig == (a->sigs == RESPONSE_ONLY_SIGS)) {
			expect_rr(r, a->owner, &rr, a->ttl);
		}
	}
}

/* One set, somehow. True: it went in. */
static bool add_random(struct response *res, struct node *const *nodes, enum section section)
{
	const struct node *n = nodes[next_random(NODES)];
	struct added *a = &sets[set_count];
	struct response_owner owner = { n->name, 0 };
	struct writer before = res->w;
	*a = (struct added){ .section = section, .ttl = 300, .sigs = next_random(3) };
	a->rs = &node_rrsets(n)[next_random(n->rrsets)];
	a->owner = n->name;
	bool done = false;
	if (section == SECTION_ANSWER && next_random(4) == 0) {
		owner = (struct response_owner){ res->w.start + MESSAGE_HEADER_LEN,
						 RESPONSE_QNAME };
		a->owner = owner.name;
	}
	if (section == SECTION_ANSWER && next_random(5) == 0) {
		a->is_cname = true;
		a->target = nodes[next_random(NODES)]->name;
		a->ttl = 77;
		done = response_cname(res, &owner, 77, a->target);
	} else if (section == SECTION_AUTHORITY && next_random(3) == 0) {
		a->ttl = 5;
		const struct soa_names names = { 0 }; /* not for a place behind other sets */
		done = response_negative(res, &owner, a->rs, &names, a->sigs, 5);
	} else {
		done = response_rrset(res, section, &owner, a->rs, a->sigs);
	}
	if (!done) {
		ck_assert_ptr_eq(res->w.pos, before.pos); /* nothing was added */
		ck_assert_int_eq(res->w.err, E_OK);
	}
	set_count += done;
	return done;
}

static void one_message(struct node *const *nodes, size_t limit)
{
	static struct response res;
	uint8_t *out = mem_zalloc(limit);
	const struct dname question = random_name();
	struct writer w = writer_of(out, limit);
	(void)writer_room(&w, MESSAGE_HEADER_LEN);
	writer_bytes(&w, question.wire, question.len);
	writer_u32(&w, 0x00010001);
	response_begin(&res, out, writer_len(&w), limit);
	set_count = 0;
	for (unsigned section = SECTION_ANSWER; section < SECTIONS; section++) {
		unsigned refused = 0;
		for (unsigned n = next_random(200); n != 0 && refused < 20; n--) {
			refused += !add_random(&res, nodes, section);
		}
	}
	struct reader r = reader_of(out, writer_len(&res.w));
	(void)reader_bytes(&r, res.question);
	for (unsigned i = 0; i < set_count; i++) {
		expect_set(&r, &sets[i]);
	}
	ck_assert_uint_eq(reader_left(&r), 0);
	response_reset(&res);
	ck_assert_uint_eq(writer_len(&res.w), res.question);
	ck_assert_uint_eq(res.count[SECTION_ANSWER], 0);
	mem_free(out);
}

START_TEST(random_messages)
{
	for (unsigned round = 0; round < 30; round++) {
		struct node *nodes[NODES];
		for (unsigned i = 0; i < NODES; i++) {
			nodes[i] = random_node();
		}
		for (unsigned i = 0; i < 40; i++) {
			one_message(nodes, i % 4 == 0 ? 40000 : 60 + next_random(1500));
		}
		for (unsigned i = 0; i < NODES; i++) {
			mem_free(nodes[i]);
		}
	}
}
END_TEST

/* Octets of a negative answer for @question below the owner of @n, read back; 0: it does not fit. @names NULL: the SOA as
 * any other set. */
static size_t one_negative(const struct node *n, const struct dname *question,
			   const struct soa_names *names, size_t limit)
{
	static struct response res;
	uint8_t *out = mem_zalloc(limit);
	struct writer w = writer_of(out, limit);
	(void)writer_room(&w, MESSAGE_HEADER_LEN);
	writer_bytes(&w, question->wire, question->len);
	writer_u32(&w, 0x00010001);
	response_begin(&res, out, writer_len(&w), limit);
	const struct rrset *soa = node_find(n, RRTYPE_SOA);
	const uint16_t at = (uint16_t)(RESPONSE_QNAME + question->len - n->name_len);
	struct response_owner owner = { n->name, names != NULL ? at : 0 };
	const struct added a = {
		.section = SECTION_AUTHORITY,
		.owner = names != NULL ? question->wire + question->len - n->name_len : n->name,
		.rs = soa,
		.sigs = next_random(2) != 0 ? RESPONSE_WITH_SIGS : RESPONSE_NO_SIGS,
		.ttl = 5
	};
	bool fits = response_negative(&res, &owner, soa, names, a.sigs, 5);
	size_t len = 0;
	if (fits) {
		struct reader r = reader_of(out, writer_len(&res.w));
		(void)reader_bytes(&r, res.question);
		expect_set(&r, &a);
		ck_assert_uint_eq(reader_left(&r), 0);
		ck_assert_uint_eq(res.count[SECTION_AUTHORITY],
				  1U + (a.sigs != RESPONSE_NO_SIGS ? soa->sigs : 0));
		len = writer_len(&res.w);
	} else {
		ck_assert_uint_eq(writer_len(&res.w), res.question); /* nothing was added */
	}
	mem_free(out);
	return len;
}

/* The names of the SOA as they are kept for the zone, behind questions of any depth. */
START_TEST(negative_answers)
{
	unsigned fitted = 0;
	for (unsigned round = 0; round < 3000; round++) {
		struct node *n = random_node();
		struct rr rr;
		(void)rr_read(rrset_data(node_find(n, RRTYPE_SOA)), &rr);
		const struct soa_names names = soa_names_of(n->name, rr.rdata);
		struct dname question;
		dname_set(&question, n->name);
		for (unsigned depth = next_random(4); depth-- != 0;) {
			ck_assert_int_eq(dname_prepend(&question,
						       labels[next_random(ARRAY_LEN(labels))],
						       question.wire),
					 E_OK);
		}
		/* A client may write the zone's name otherwise; what the SOA has keeps its letters. */
		for (size_t i = 0; round % 3 == 0 && i < question.len; i++) {
			question.wire[i] = text_lower[question.wire[i]];
		}
		ck_assert_uint_ne(one_negative(n, &question, &names, 1000), 0);
		ck_assert_uint_ne(one_negative(n, &question, NULL, 1000), 0);
		fitted += one_negative(n, &question, &names, 60 + next_random(100)) != 0;
		mem_free(n);
	}
	ck_assert_uint_gt(fitted, 100);
	ck_assert_uint_lt(fitted, 2900);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("response");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, random_messages);
	tcase_add_test(tc, negative_answers);
	return unit_run("response", tc);
}

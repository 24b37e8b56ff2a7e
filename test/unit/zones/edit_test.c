/* test/unit/zones/edit_test.c - edits against a naive model: a list of records searched end to end. */
#include "zones/edit.h"

#include <stdlib.h>

#include "test/unit/unit.h"
#include "zones/base/mem.h"
#include "zones/dns/rdata.h"
#include "zones/dns/soa.h"
#include "zones/node_build.h"

#define RECORDS_MAX 4000

struct record {
	struct dname owner;
	uint16_t type; /* RRSIG: as such */
	uint32_t ttl;
	size_t len;
	uint8_t rdata[64];
};

struct model {
	struct record r[RECORDS_MAX];
	size_t count;
};

static uint64_t seed;

static uint32_t next_random(void)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33);
}

static uint16_t set_of(const struct record *r)
{
	return r->type == RRTYPE_RRSIG ? be16_get(r->rdata) : r->type;
}

static bool same_record(const struct record *a, const struct record *b)
{
	return a->type == b->type && dname_equal(a->owner.wire, b->owner.wire) &&
	       rdata_compare(a->type, a->rdata, a->len, b->rdata, b->len) == 0;
}

/* The TTL rule of loading: a set has the least TTL; signatures keep theirs. */
static void model_add(struct model *m, const struct record *r)
{
	uint32_t ttl = r->ttl;
	size_t at = m->count;
	for (size_t i = 0; i < m->count; i++) {
		struct record *x = &m->r[i];
		if (same_record(x, r)) {
			at = i;
		}
		if (r->type != RRTYPE_RRSIG && x->type == r->type &&
		    dname_equal(x->owner.wire, r->owner.wire) && x->ttl < ttl) {
			ttl = x->ttl;
		}
	}
	if (at == m->count) {
		ck_assert_uint_lt(m->count, RECORDS_MAX);
		m->r[m->count++] = *r;
	}
	m->r[at].ttl = ttl;
	for (size_t i = 0; r->type != RRTYPE_RRSIG && i < m->count; i++) {
		struct record *x = &m->r[i];
		if (x->type == r->type && dname_equal(x->owner.wire, r->owner.wire)) {
			x->ttl = ttl;
		}
	}
}

static void model_remove(struct model *m, const struct record *r)
{
	for (size_t i = 0; i < m->count; i++) {
		if (same_record(&m->r[i], r)) {
			m->r[i] = m->r[--m->count];
			return;
		}
	}
}

static void random_record(struct record *r)
{
	static const char *const owners[] = { "example.",     "a.example.",	"b.a.example.",
					      "B.A.Example.", "*.example.",	"x.y.z.example.",
					      "ns.example.",  "\\000.example.", "zz.example.",
					      "0p9m.example." };
	static const uint16_t types[] = { RRTYPE_A,	RRTYPE_NS,    RRTYPE_TXT,
					  RRTYPE_CNAME, RRTYPE_MX,    RRTYPE_NSEC3,
					  RRTYPE_AAAA,	RRTYPE_RRSIG, RRTYPE_NSEC };
	memset(r, 0, sizeof(*r));
	const char *o = owners[next_random() % ARRAY_LEN(owners)];
	ck_assert_int_eq(dname_from_text(&r->owner, o, strlen(o), NULL, NULL), E_OK);
	r->type = types[next_random() % ARRAY_LEN(types)];
	r->ttl = 300 * (1 + next_random() % 2);
	const char *text = "192.0.2.1";
	char made[100];
	unsigned n = next_random() % 4;
	switch (r->type) {
	case RRTYPE_A:
		(void)snprintf(made, sizeof(made), "192.0.2.%u", n);
		break;
	case RRTYPE_AAAA:
		(void)snprintf(made, sizeof(made), "2001:db8::%u", n);
		break;
	case RRTYPE_TXT:
		(void)snprintf(made, sizeof(made), "\"t%u\"", n);
		break;
	case RRTYPE_MX:
		(void)snprintf(made, sizeof(made), "%u mx.example.", n);
		break;
	case RRTYPE_NSEC:
		(void)snprintf(made, sizeof(made), "n%u.example. A", n);
		break;
	case RRTYPE_NSEC3:
		(void)snprintf(made, sizeof(made), "1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3to%u A",
			       n);
		break;
	case RRTYPE_RRSIG:
		(void)snprintf(made, sizeof(made),
			       "%s 13 2 300 20300101000000 20200101000000 %u example. AAAA",
			       n % 2 != 0 ? "A" : "NSEC3", n);
		break;
	default:
		(void)snprintf(made, sizeof(made), "%c%u.example.", n % 2 != 0 ? 'h' : 'H', n);
		break;
	}
	text = made;
	struct writer w = writer_of(r->rdata, sizeof(r->rdata));
	struct errmsg em;
	ck_assert_msg(rdata_from_string(r->type, text, NULL, &w, &em) == E_OK, "%s: %s", text,
		      em.text);
	r->len = writer_len(&w);
}

static const struct node *find_node(const struct version *v, const struct record *r)
{
	struct dname_key key;
	dname_key_make(&key, r->owner.wire);
	const struct tree *t = set_of(r) == RRTYPE_NSEC3 ? &v->nsec3 : &v->names;
	return tree_get(t, &key, r->owner.wire, NULL);
}

static bool rrset_has(const struct rrset *rs, const struct record *r)
{
	bool sig = r->type == RRTYPE_RRSIG;
	const uint8_t *p = sig ? rrset_sig_data(rs) : rrset_data(rs);
	unsigned count = sig ? rs->sigs : rs->count;
	for (unsigned i = 0; i < count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		ck_assert_uint_eq(rr.type, r->type);
		if (rdata_compare(r->type, rr.rdata, rr.rdlen, r->rdata, r->len) == 0) {
			ck_assert_uint_eq(rr.ttl, r->ttl);
			return true;
		}
	}
	return false;
}

static const struct rrset *set_of_node(const struct node *n, uint16_t type)
{
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].type == type) {
			return &rs[i];
		}
	}
	return NULL;
}

static void check_sorted(const struct rrset *rs)
{
	struct rr before = { 0 };
	const uint8_t *p = rrset_data(rs);
	for (unsigned i = 0; i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		ck_assert(i == 0 || rdata_compare(rs->type, before.rdata, before.rdlen, rr.rdata,
						  rr.rdlen) < 0);
		before = rr;
	}
	ck_assert_ptr_eq(p, rrset_sig_data(rs));
}

static void check_equal(const struct version *v, const struct model *m)
{
	static struct version_walk walk;
	tree_check(&v->names);
	tree_check(&v->nsec3);
	for (size_t i = 0; i < m->count; i++) {
		const struct node *n = find_node(v, &m->r[i]);
		ck_assert_ptr_nonnull(n);
		const struct rrset *rs = set_of_node(n, set_of(&m->r[i]));
		ck_assert_ptr_nonnull(rs);
		ck_assert(rrset_has(rs, &m->r[i]));
	}
	uint64_t records = 0;
	for (const struct node *n = version_first(v, &walk); n != NULL; n = version_next(&walk)) {
		const struct rrset *rs = node_rrsets(n);
		ck_assert_uint_ne(n->rrsets, 0);
		for (unsigned i = 0; i < n->rrsets; i++) {
			ck_assert(i == 0 || rs[i - 1].type < rs[i].type);
			check_sorted(&rs[i]);
			records += (uint64_t)rs[i].count + rs[i].sigs;
		}
	}
	ck_assert_uint_eq(records, m->count);
	ck_assert_uint_eq(v->records, m->count);
}

START_TEST(random_edits_equal_the_model)
{
	static struct model m, before;
	m.count = 0;
	seed = (uint64_t)_i + 1;
	struct dname apex;
	ck_assert_int_eq(dname_from_text(&apex, "example.", 8, NULL, NULL), E_OK);
	struct version *v = NULL;
	struct version *held = NULL; /* an old version that somebody still reads */
	static struct model held_model;
	for (unsigned round = 0; round < 60; round++) {
		before = m;
		struct edit *e = edit_begin(v, apex.wire, EDIT_TTL_LEAST);
		unsigned steps = next_random() % 60;
		for (unsigned i = 0; i < steps; i++) {
			struct record r;
			random_record(&r);
			if (next_random() % 3 != 0) {
				ck_assert_int_eq(
					edit_add(e, r.owner.wire, r.type, r.ttl, r.rdata, r.len),
					E_OK);
				model_add(&m, &r);
			} else {
				ck_assert_int_eq(
					edit_remove(e, r.owner.wire, r.type, r.rdata, r.len), E_OK);
				model_remove(&m, &r);
			}
			/* The rule for TTLs looks at a batch as a whole: applied after each step here, so
			 * that the model can be as simple as it is. */
			(void)edit_state(e);
		}
		check_equal(edit_state(e), &m);
		if (v != NULL && next_random() % 4 == 0) {
			edit_abort(e);
			m = before;
			check_equal(v, &m);
			continue;
		}
		struct version *next = edit_commit(e);
		check_equal(next, &m);
		if (v != NULL && next_random() % 5 == 0) {
			version_unref(held);
			held = version_ref(v);
			held_model = before;
		}
		version_unref(v);
		v = next;
		if (held != NULL) {
			check_equal(held, &held_model);
		}
	}
	version_unref(held);
	version_unref(v);
}
END_TEST

START_TEST(large_batches_in_any_order)
{
	enum { NAMES = 20000 };
	struct dname apex;
	ck_assert_int_eq(dname_from_text(&apex, "example.", 8, NULL, NULL), E_OK);
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LEAST);
	for (unsigned pass = 0; pass < 3; pass++) {
		for (unsigned i = 0; i < NAMES; i++) {
			char text[40];
			struct dname d;
			unsigned k = i * 7919 % NAMES;
			int n = snprintf(text, sizeof(text), "h%u.example.", k);
			ck_assert_int_eq(dname_from_text(&d, text, (size_t)n, NULL, NULL), E_OK);
			const uint8_t rdata[4] = { 192, 0, 2, (uint8_t)pass };
			ck_assert_int_eq(edit_add(e, d.wire, RRTYPE_A, 60, rdata, 4), E_OK);
		}
	}
	ck_assert_int_eq(edit_error(e, NULL), E_OK);
	struct version *v = edit_commit(e);
	ck_assert_uint_eq(v->records, 3 * NAMES);
	ck_assert_uint_eq(v->names.leaves, NAMES);
	tree_check(&v->names);
	version_unref(v);
}
END_TEST

#ifndef SIGNET_STRESS
START_TEST(small_zones_are_packed)
{
	struct dname apex;
	ck_assert_int_eq(dname_from_text(&apex, "example.", 8, NULL, NULL), E_OK);
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LEAST);
	for (unsigned i = 0; i < 100; i++) {
		char text[40];
		struct dname d;
		int n = snprintf(text, sizeof(text), "h%u.example.", i);
		const uint8_t rdata[4] = { 192, 0, 2, 1 };
		ck_assert_int_eq(dname_from_text(&d, text, (size_t)n, NULL, NULL), E_OK);
		ck_assert_int_eq(edit_add(e, d.wire, RRTYPE_A, 60, rdata, 4), E_OK);
	}
	struct version *v = edit_commit(e);
	ck_assert_uint_eq(v->lineage->pool.held, v->lineage->pool.used);
	tree_check(&v->names);
	version_unref(v);
}
END_TEST
#endif

START_TEST(outside_and_meta_are_refused)
{
	struct dname apex, other;
	ck_assert_int_eq(dname_from_text(&apex, "example.", 8, NULL, NULL), E_OK);
	ck_assert_int_eq(dname_from_text(&other, "example.com.", 12, NULL, NULL), E_OK);
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LEAST);
	const uint8_t rdata[4] = { 192, 0, 2, 1 };
	ck_assert_int_eq(edit_add(e, other.wire, RRTYPE_A, 60, rdata, 4), E_NOTZONE);
	ck_assert_int_eq(edit_add(e, apex.wire, RRTYPE_ANY, 60, rdata, 4), E_INVAL);
	ck_assert_int_eq(edit_add(e, apex.wire, RRTYPE_OPT, 60, rdata, 4), E_INVAL);
	edit_abort(e);
}
END_TEST

START_TEST(what_changes_nothing_is_no_change)
{
	static const uint8_t first[] = { 192, 0, 2, 1 };
	static const uint8_t second[] = { 192, 0, 2, 2 };
	struct dname apex;
	struct node_build b = { 0 };
	ck_assert_int_eq(dname_from_text(&apex, "example.", 8, NULL, NULL), E_OK);
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LEAST);
	ck_assert_int_eq(edit_add(e, apex.wire, RRTYPE_A, 60, first, 4), E_OK);
	uint64_t before = edit_changes(e);
	ck_assert_uint_ne(before, 0);
	ck_assert_int_eq(edit_add(e, apex.wire, RRTYPE_A, 60, first, 4), E_OK); /* is there */
	ck_assert_int_eq(edit_remove(e, apex.wire, RRTYPE_A, second, 4), E_OK); /* is not */
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(edit_changes(e), before);
		node_build_begin(&b, apex.wire);
		node_build_set(&b, RRTYPE_A, 0);
		node_build_rr(&b, 60, first, 4);
		edit_put_node(e, node_build_end(&b, true)); /* the same */
	}
	ck_assert_int_eq(edit_add(e, apex.wire, RRTYPE_A, 60, second, 4), E_OK);
	ck_assert_uint_ne(edit_changes(e), before);
	before = edit_changes(e);
	edit_remove_rrset(e, apex.wire, RRTYPE_A);
	ck_assert_uint_ne(edit_changes(e), before);
	node_build_clear(&b);
	edit_abort(e);
}
END_TEST

START_TEST(the_soa_is_replaced)
{
	uint8_t rdata[2 + 20] = { 0 }; /* the root, twice */
	struct dname apex;
	struct rr rr;
	ck_assert_int_eq(dname_from_text(&apex, "example.", 8, NULL, NULL), E_OK);
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LAST);
	be32_put(rdata + 2, 7);
	be32_put(rdata + 2 + 12, 604800);
	ck_assert_int_eq(edit_add(e, apex.wire, RRTYPE_SOA, 60, rdata, sizeof(rdata)), E_OK);
	struct version *file = edit_commit(e);
	e = edit_begin(NULL, apex.wire, EDIT_TTL_LAST);
	ck_assert_int_eq(edit_put_soa(e, file->soa, 8), E_OK); /* where there is none */
	ck_assert_uint_eq(edit_state(e)->serial, 8);
	ck_assert_int_eq(edit_put_soa(e, edit_state(e)->soa, 9), E_OK); /* its own */
	ck_assert_uint_eq(edit_state(e)->serial, 9);
	ck_assert_int_eq(edit_put_soa(e, file->soa, 9), E_OK); /* as it is */
	const struct version *state = edit_state(e);
	ck_assert_uint_eq(state->serial, 9);
	ck_assert_uint_eq(state->soa->count, 1);
	(void)rr_read(rrset_data(state->soa), &rr);
	ck_assert_uint_eq(rr.ttl, 60);
	ck_assert_uint_eq(soa_numbers_of(rr.rdata, rr.rdlen).expire, 604800);
	ck_assert_uint_eq(soa_numbers_of(rr.rdata, 19).expire, 0);
	edit_abort(e);
	version_unref(file);
}
END_TEST

START_TEST(more_records_than_a_set_can_have)
{
	struct dname apex;
	ck_assert_int_eq(dname_from_text(&apex, "example.", 8, NULL, NULL), E_OK);
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LEAST);
	for (uint32_t i = 0; i < 65536; i++) {
		uint8_t rdata[4];
		be32_put(rdata, i);
		ck_assert_int_eq(edit_add(e, apex.wire, RRTYPE_A, 60, rdata, 4), E_OK);
	}
	struct errmsg em = { "" };
	ck_assert_int_eq(edit_error(e, &em), E_LIMIT);
	ck_assert_str_eq(em.text, "example. A: more than 65535 records in one set; split it over "
				  "several names");
	edit_abort(e);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("edit");
	tcase_set_timeout(tc, STRESSED(120, 900));
	tcase_add_loop_test(tc, random_edits_equal_the_model, 0, 20);
	tcase_add_test(tc, large_batches_in_any_order);
#ifndef SIGNET_STRESS
	tcase_add_test(tc, small_zones_are_packed);
#endif
	tcase_add_test(tc, outside_and_meta_are_refused);
	tcase_add_test(tc, what_changes_nothing_is_no_change);
	tcase_add_test(tc, the_soa_is_replaced);
	tcase_add_test(tc, more_records_than_a_set_can_have);
	return unit_run("zones/edit", tc);
}

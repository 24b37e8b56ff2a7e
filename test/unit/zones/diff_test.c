/* test/unit/zones/diff_test.c - what leads from one version to another leads there on a copy, too. */
#include "zones/diff.h"

#include "test/unit/zones/zone_kit.h"
#include "zones/base/mem.h"

static void copy_records(struct edit *e, const struct node *n, const uint8_t *p, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		ck_assert_int_eq(edit_add(e, n->name, rr.type, rr.ttl, rr.rdata, rr.rdlen), E_OK);
	}
}

/* A version of a lineage of its own, with the same content: one that can be changed. */
static struct version *copy_of(const struct version *v)
{
	static struct version_walk w;
	struct edit *e = edit_begin(NULL, v->apex.wire, EDIT_TTL_LAST);
	for (const struct node *n = version_first(v, &w); n != NULL; n = version_next(&w)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned i = 0; i < n->rrsets; i++) {
			copy_records(e, n, rrset_data(&rs[i]), rs[i].count);
			copy_records(e, n, rrset_sig_data(&rs[i]), rs[i].sigs);
		}
	}
	struct version *copy = edit_commit(e);
	ck_assert(kit_equal(v, copy));
	return copy;
}

/* What @d makes of a copy of @v. */
static struct version *applied(const struct version *v, const struct diff *d)
{
	struct errmsg em;
	struct version *copy = copy_of(v);
	struct edit *e = edit_begin(copy, NULL, EDIT_TTL_LAST);
	ck_assert_msg(diff_apply(d, e, &em) == E_OK, "%s", em.text);
	version_unref(copy);
	return edit_commit(e);
}

static bool same_octets(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void check_text(const struct diff *d)
{
	struct buf text = { 0 };
	diff_print(d, &text);
	size_t lines = 0;
	size_t removed = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (i == 0 || text.data[i - 1] == '\n') {
			lines++;
			removed += text.data[i] == '-';
		}
	}
	ck_assert_uint_eq(lines, d->removed.count + d->added.count);
	ck_assert_uint_eq(removed, d->removed.count);
	buf_clear(&text);
}

/* What is made already cannot be made again. */
static void check_strict(const struct version *v, const struct diff *d)
{
	struct errmsg em = { "" };
	struct version *copy = copy_of(v);
	struct edit *e = edit_begin(copy, NULL, EDIT_TTL_LAST);
	ck_assert_int_eq(diff_apply(d, e, &em), E_MISMATCH);
	ck_assert_str_ne(em.text, "");
	edit_abort(e);
	version_unref(copy);
}

static void check_leads(const struct version *from, const struct diff *d, const struct version *to)
{
	struct version *v = applied(from, d);
	ck_assert(kit_equal(v, to));
	version_unref(v);
}

START_TEST(random_changes_lead_to_the_same)
{
	struct unit_random r = { (uint64_t)_i + 1 };
	struct version *v = kit_next(NULL, 40, 1, &r);
	struct version *start = version_ref(v);
	struct diff since = { 0 };
	for (uint32_t serial = 2; serial < 40; serial++) {
		struct diff d = { 0 };
		struct diff back = { 0 };
		struct diff plain = { 0 };
		struct diff merged = { 0 };
		struct version *next = kit_next(v, unit_random_below(&r, 30), serial, &r);
		diff_make(v, next, &d);
		ck_assert_uint_eq(d.serial_from, serial - 1);
		ck_assert_uint_eq(d.serial_to, serial);
		ck_assert_int_eq(be16_get((uint8_t *)d.removed.octets.data + 9), RRTYPE_SOA);
		ck_assert_int_eq(be16_get((uint8_t *)d.added.octets.data + 9), RRTYPE_SOA);
		struct version *copy = copy_of(v);
		diff_make(copy, next, &plain); /* of two lineages */
		version_unref(copy);
		ck_assert(same_octets(&d.removed.octets, &plain.removed.octets));
		ck_assert(same_octets(&d.added.octets, &plain.added.octets));
		check_text(&d);
		check_strict(next, &d);
		check_leads(v, &d, next);
		diff_invert(&d, &back);
		check_leads(next, &back, v);

		diff_merge(&since, &d, &merged); /* since nothing, at first */
		diff_clear(&since);
		since = merged;
		since.serial_from = start->serial;
		check_leads(start, &since, next);
		diff_reset(&plain);
		diff_make(start, next, &plain);
		ck_assert_uint_eq(plain.removed.count, since.removed.count);
		ck_assert_uint_eq(plain.added.count, since.added.count);
		diff_clear(&d);
		diff_clear(&back);
		diff_clear(&plain);
		version_unref(v);
		v = next;
	}
	diff_clear(&since);
	version_unref(start);
	version_unref(v);
}
END_TEST

START_TEST(there_and_back_is_nothing)
{
	struct unit_random r = { 7 };
	struct version *v = kit_next(NULL, 60, 1, &r);
	struct version *next = kit_next(v, 60, 2, &r);
	struct diff d = { 0 };
	struct diff back = { 0 };
	struct diff merged = { 0 };
	diff_make(v, next, &d);
	ck_assert(!diff_is_empty(&d));
	diff_invert(&d, &back);
	diff_merge(&d, &back, &merged);
	ck_assert(diff_is_empty(&merged));
	ck_assert_uint_eq(merged.serial_from, 1);
	ck_assert_uint_eq(merged.serial_to, 1);
	diff_clear(&d);
	diff_clear(&back);
	diff_clear(&merged);
	version_unref(v);
	version_unref(next);
}
END_TEST

START_TEST(as_text)
{
	struct dname apex;
	struct diff d = { 0 };
	struct buf text = { 0 };
	kit_name("example.", &apex);
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LAST);
	kit_serial(e, 1);
	kit_add(e, "a.example.", RRTYPE_A, 60, "192.0.2.1");
	kit_add(e, "a.example.", RRTYPE_TXT, 60, "gone");
	struct version *v = edit_commit(e);
	e = edit_begin(v, NULL, EDIT_TTL_LAST);
	struct dname a;
	kit_name("a.example.", &a);
	edit_remove_rrset(e, a.wire, RRTYPE_TXT);
	kit_serial(e, 2);
	kit_add(e, "a.example.", RRTYPE_A, 30, "192.0.2.2"); /* changes the TTL of the other */
	struct version *next = edit_commit(e);
	diff_make(v, next, &d);
	diff_print(&d, &text);
	ck_assert_str_eq(
		text.data,
		"- example.\t3600\tIN\tSOA\tns.example. admin.example. 1 3600 900 604800 300\n"
		"- a.example.\t60\tIN\tA\t192.0.2.1\n"
		"- a.example.\t60\tIN\tTXT\t\"gone\"\n"
		"+ example.\t3600\tIN\tSOA\tns.example. admin.example. 2 3600 900 604800 300\n"
		"+ a.example.\t30\tIN\tA\t192.0.2.1\n"
		"+ a.example.\t30\tIN\tA\t192.0.2.2\n");
	buf_clear(&text);
	diff_clear(&d);
	version_unref(v);
	version_unref(next);
}
END_TEST

/* What is read back is the same; cut anywhere, or with any octet changed, it is refused or is some other diff, and
 * nothing of it is taken when refused. */
START_TEST(octets_from_outside)
{
	struct unit_random r = { 3 };
	struct version *v = kit_next(NULL, 60, 1, &r);
	struct version *next = kit_next(v, 60, 2, &r);
	struct diff d = { 0 };
	diff_make(v, next, &d);
	const struct diff_part *part = &d.added;
	struct diff_part got = { 0 };
	struct reader rd = reader_of(part->octets.data, part->octets.len);
	ck_assert_int_eq(diff_part_read(&got, v->apex.wire, &rd, part->count), E_OK);
	ck_assert(same_octets(&got.octets, &part->octets));
	buf_reset(&got.octets);
	for (size_t len = 0; len < part->octets.len; len++) {
		uint8_t *cut = mem_dup(part->octets.data, len);
		rd = reader_of(cut, len);
		ck_assert_int_eq(diff_part_read(&got, v->apex.wire, &rd, part->count), E_DAMAGED);
		ck_assert_uint_eq(got.octets.len, 0);
		mem_free(cut);
	}
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t *copy = mem_dup(part->octets.data, part->octets.len);
		copy[unit_random_below(&r, (uint32_t)part->octets.len)] =
			(uint8_t)unit_random_next(&r);
		rd = reader_of(copy, part->octets.len);
		int err = diff_part_read(&got, v->apex.wire, &rd, part->count);
		ck_assert(err == E_OK || (err == E_DAMAGED && got.octets.len == 0));
		buf_reset(&got.octets);
		mem_free(copy);
	}
	struct dname other;
	kit_name("example.org.", &other);
	rd = reader_of(part->octets.data, part->octets.len);
	ck_assert_int_eq(diff_part_read(&got, other.wire, &rd, part->count), E_DAMAGED);
	buf_clear(&got.octets);
	diff_clear(&d);
	version_unref(v);
	version_unref(next);
}
END_TEST

START_TEST(a_name_outside_is_refused)
{
	struct unit_random r = { 3 };
	struct version *v = kit_next(NULL, 5, 1, &r);
	struct dname other;
	struct errmsg em = { "" };
	struct diff d = { 0 };
	kit_name("example.org.", &other);
	struct edit *e = edit_begin(NULL, other.wire, EDIT_TTL_LAST);
	struct version *empty = edit_commit(e);
	e = edit_begin(empty, NULL, EDIT_TTL_LAST);
	diff_make(empty, v, &d);
	ck_assert_int_eq(diff_apply(&d, e, &em), E_NOTZONE);
	ck_assert_str_eq(em.text, "example.: name is outside the zone");
	edit_abort(e);
	diff_clear(&d);
	version_unref(v);
	version_unref(empty);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("diff");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, random_changes_lead_to_the_same, 0, 20);
	tcase_add_test(tc, there_and_back_is_nothing);
	tcase_add_test(tc, as_text);
	tcase_add_test(tc, octets_from_outside);
	tcase_add_test(tc, a_name_outside_is_refused);
	return unit_run("zones/diff", tc);
}

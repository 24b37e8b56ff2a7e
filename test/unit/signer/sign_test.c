/* test/unit/signer/sign_test.c - signing on many threads: names that go while others are listed, and octets that do not
 * depend on how many threads there are. */
#include "test/unit/signer/verify_kit.h"
#include "zones/base/buf.h"
#include "zones/dump.h"

/* Delegations with names below them, empty non-terminals, and names that an NSEC record is all that is left of: more than
 * the threads take at a time. */
static void make_text(struct buf *out)
{
	buf_str(out, zone_text);
	for (unsigned i = 0; i < 700; i++) {
		buf_printf(out, "c%u.example. 3600 IN NS a.c%u.example.\n", i, i);
		buf_printf(out, "a.c%u.example. 3600 IN A 192.0.2.9\n", i);
		if (i % 3 == 0) {
			buf_printf(out, "c%u.example. 3600 IN DS 1 13 2 %064u\n", i, i);
			buf_printf(out, "h%u.e%u.example. 3600 IN A 192.0.2.9\n", i, i % 7);
		}
		if (i % 5 == 0) {
			buf_printf(out, "b.c%u.example. 1800 IN NSEC example. A\n", i);
			buf_printf(out, "z%u.example. 1800 IN NSEC example. A\n", i);
			buf_printf(out, "x.z%u.example. 1800 IN NSEC example. A\n", i);
		}
	}
}

static struct holder *make_holder(void)
{
	struct keyset keys = { 0 };
	struct holder *h = NULL;
	keyset_add(&keys, make_key(15, KEY_FLAG_ZONE)); /* the same signature each time */
	ck_assert_int_eq(holder_new(&keys, &h), E_OK);
	return h;
}

static void dump(const struct version *v, struct buf *out)
{
	struct version_walk w;
	for (const struct node *n = version_first(v, &w); n != NULL; n = version_next(&w)) {
		dump_node(n, 0, out);
	}
}

START_TEST(all_threads_make_the_same)
{
	static const unsigned threads[] = { 1, 2, 5 };
	struct buf text = { 0 };
	struct buf first = { 0 };
	struct buf dumped = { 0 };
	struct holder *with = make_holder();
	make_text(&text);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		struct sign_policy p = policy_of((enum base)_i);
		struct verify_stats stats;
		p.threads = threads[i];
		struct version *v = sign_text(text.data, &p, with);
		assert_good(v, 1, &stats);
		ck_assert_ptr_null(version_node(v, name("b.c5.example.")));
		ck_assert_ptr_null(version_node(v, name("z5.example.")));
		ck_assert_ptr_null(version_node(v, name("x.z5.example.")));
		ck_assert_ptr_nonnull(version_node(v, name("a.c5.example.")));
		buf_reset(&dumped);
		dump(v, i == 0 ? &first : &dumped);
		ck_assert(i == 0 || strcmp(first.data, dumped.data) == 0);
		version_unref(v);
	}
	holder_free(with);
	buf_clear(&text);
	buf_clear(&first);
	buf_clear(&dumped);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("sign");
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, all_threads_make_the_same, 0, BASES);
	return unit_run("signer/sign", tc);
}

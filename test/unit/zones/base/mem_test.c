/* test/unit/zones/base/mem_test.c - allocation and secrets. */
#include "zones/base/mem.h"

#include <signal.h>

#include "test/unit/unit.h"

START_TEST(nothing_is_an_allocation_too)
{
	void *all[] = { mem_alloc(0),	 mem_zalloc(0),		  mem_array(0, 8),
			mem_array(8, 0), mem_realloc(NULL, 0, 8), mem_dup(NULL, 0),
			mem_str(NULL, 0) };
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		ck_assert_ptr_nonnull(all[i]);
		mem_free(all[i]);
	}
	mem_free(NULL);
}
END_TEST

START_TEST(zeroed_means_zeroed)
{
	for (size_t size = 1; size < 5000; size += 700) {
		uint8_t *dirty = mem_alloc(size);
		memset(dirty, 0xff, size);
		mem_free(dirty);
		uint8_t *p = mem_zalloc(size);
		uint8_t *q = mem_array(size, 3);
		ck_assert(unit_all_equal(p, size, 0));
		ck_assert(unit_all_equal(q, 3 * size, 0));
		mem_free(p);
		mem_free(q);
	}
}
END_TEST

START_TEST(copies_are_copies)
{
	char text[] = "signet";
	char *d = mem_dup(text, 3);
	char *s = mem_str(text, 3);
	text[0] = 'x';
	ck_assert_int_eq(memcmp(d, "sig", 3), 0);
	ck_assert_str_eq(s, "sig");
	s = mem_realloc(s, 100, 10);
	ck_assert_str_eq(s, "sig");
	mem_free(d);
	mem_free(s);
}
END_TEST

/* The optimiser may not take calls away whose result nobody looks at. */
static void *volatile sink;

START_TEST(a_product_that_overflows_aborts)
{
	if (_i == 0) {
		sink = mem_array(SIZE_MAX / 2, 3);
	} else {
		sink = mem_realloc(NULL, SIZE_MAX / 2, 3);
	}
}
END_TEST

START_TEST(secrets_are_replaced_and_cleared)
{
	struct secret s = { 0 };
	secret_clear(&s);
	secret_set(&s, "first", 5);
	ck_assert(secret_equal(s.data, s.len, "first", 5));
	secret_set(&s, s.data + 2, 3); /* from itself */
	ck_assert(secret_equal(s.data, s.len, "rst", 3));
	secret_set(&s, NULL, 0);
	ck_assert(secret_equal(s.data, s.len, NULL, 0));
	secret_clear(&s);
	ck_assert_ptr_null(s.data);
	ck_assert_uint_eq(s.len, 0);
}
END_TEST

START_TEST(secrets_compare_every_octet)
{
	uint8_t a[33];
	uint8_t b[33];
	memset(a, 7, sizeof(a));
	memset(b, 7, sizeof(b));
	ck_assert(secret_equal(a, sizeof(a), b, sizeof(b)));
	ck_assert(!secret_equal(a, 32, b, 33));
	for (size_t i = 0; i < sizeof(a); i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			b[i] ^= (uint8_t)(1U << bit);
			ck_assert(!secret_equal(a, sizeof(a), b, sizeof(b)));
			b[i] = 7;
		}
	}
}
END_TEST

START_TEST(wiping_leaves_nothing)
{
	uint8_t a[64];
	memset(a, 1, sizeof(a));
	mem_wipe(a + 1, 62);
	for (size_t i = 0; i < sizeof(a); i++) {
		ck_assert_uint_eq(a[i], i == 0 || i == 63 ? 1 : 0);
	}
	mem_wipe(NULL, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("mem");
	tcase_add_test(tc, nothing_is_an_allocation_too);
	tcase_add_test(tc, zeroed_means_zeroed);
	tcase_add_test(tc, copies_are_copies);
	tcase_add_test(tc, secrets_are_replaced_and_cleared);
	tcase_add_test(tc, secrets_compare_every_octet);
	tcase_add_test(tc, wiping_leaves_nothing);
	if (unit_can_die()) {
		tcase_add_loop_test_raise_signal(tc, a_product_that_overflows_aborts, SIGABRT, 0,
						 2);
	}
	return unit_run("zones/base/mem", tc);
}

/* test/unit/zones/base/buf_test.c - a growing string of octets. */
#include "zones/base/buf.h"

#include <stdio.h>

#include "test/unit/unit.h"
#include "zones/base/mem.h"

START_TEST(an_unused_buffer_is_fine)
{
	struct buf b = { 0 };
	buf_reset(&b);
	buf_add(&b, NULL, 0);
	ck_assert_str_eq(b.data, "");
	buf_clear(&b);
	buf_clear(&b);
	ck_assert_ptr_null(b.data);
	buf_printf(&b, "%s", "");
	ck_assert_uint_eq(b.len, 0);
	buf_clear(&b);
}
END_TEST

START_TEST(what_is_added_is_there)
{
	struct buf b = { 0 };
	buf_str(&b, "a=");
	buf_u32(&b, 4294967295U);
	buf_char(&b, ' ');
	buf_u32(&b, 0);
	buf_printf(&b, " %s-%05d", "x", 42);
	buf_add(&b, "\0y", 2);
	ck_assert_uint_eq(b.len, 24);
	ck_assert_int_eq(memcmp(b.data, "a=4294967295 0 x-00042\0y", 25), 0);
	buf_reset(&b);
	ck_assert_str_eq(b.data, "");
	buf_clear(&b);
}
END_TEST

/* All operations against a flat array. */
START_TEST(random_operations_equal_the_model)
{
	enum { MAX = 200000 };
	char *model = mem_alloc(MAX + 32);
	struct buf b = { 0 };
	struct unit_random r = { 1 };
	size_t len = 0;
	while (len < MAX - 600) {
		char piece[600];
		size_t n = unit_random_below(&r, unit_random_below(&r, 10) == 0 ? 600 : 10);
		uint32_t v = unit_random_next(&r) >> unit_random_below(&r, 32);
		for (size_t i = 0; i < n; i++) {
			piece[i] = (char)unit_random_next(&r);
		}
		switch (unit_random_below(&r, 4)) {
		case 0:
			buf_add(&b, piece, n);
			memcpy(model + len, piece, n);
			len += n;
			break;
		case 1:
			buf_u32(&b, v);
			len += (size_t)snprintf(model + len, 16, "%u", v);
			break;
		case 2:
			buf_printf(&b, "<%u>", v);
			len += (size_t)snprintf(model + len, 16, "<%u>", v);
			break;
		default:
			memset(buf_reserve(&b, n), 'r', n);
			memset(model + len, 'r', n);
			b.len += n;
			len += n;
			buf_char(&b, 'c');
			model[len++] = 'c';
			break;
		}
		ck_assert_uint_eq(b.len, len);
		ck_assert_int_eq(b.data[len], '\0');
	}
	ck_assert_int_eq(memcmp(b.data, model, len), 0);
	buf_clear(&b);
	mem_free(model);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("buf");
	tcase_add_test(tc, an_unused_buffer_is_fine);
	tcase_add_test(tc, what_is_added_is_there);
	tcase_add_test(tc, random_operations_equal_the_model);
	return unit_run("zones/base/buf", tc);
}

/* test/unit/zones/base/arena_test.c - memory by lifetime. */
#include "zones/base/arena.h"

#include "test/unit/unit.h"
#include "zones/base/mem.h"

START_TEST(an_unused_arena_is_fine)
{
	struct arena a = { 0 };
	arena_reset(&a);
	arena_clear(&a);
	arena_init(&a);
	arena_clear(&a);
	ck_assert_uint_eq(a.used, 0);
}
END_TEST

START_TEST(copies_are_copies)
{
	struct arena a = { 0 };
	char *s = arena_str(&a, "signet", 3);
	uint8_t *d = arena_dup(&a, "signet", 4);
	ck_assert_str_eq(s, "sig");
	ck_assert_int_eq(memcmp(d, "sign", 4), 0);
	ck_assert_str_eq(arena_str(&a, NULL, 0), "");
	ck_assert_ptr_nonnull(arena_dup(&a, NULL, 0));
	ck_assert_ptr_nonnull(arena_alloc(&a, 0));
	arena_clear(&a);
}
END_TEST

struct block {
	uint8_t *data;
	size_t size;
	uint8_t mark;
};

static void fill_and_check(struct arena *a, struct unit_random *r)
{
	enum { BLOCKS = 500 };
	struct block blocks[BLOCKS];
	for (size_t i = 0; i < BLOCKS; i++) {
		struct block *b = &blocks[i];
		/* Mostly small; some larger than a chunk may become. */
		b->size = unit_random_below(r, unit_random_below(r, 50) == 0 ? 3 << 20 : 300);
		b->mark = (uint8_t)unit_random_below(r, 256);
		if (unit_random_below(r, 2) == 0) {
			b->data = arena_alloc(a, b->size);
			ck_assert_uint_eq((uintptr_t)b->data % 8, 0);
		} else {
			b->data = arena_bytes(a, b->size);
		}
		memset(b->data, b->mark, b->size);
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		ck_assert(unit_all_equal(blocks[i].data, blocks[i].size, blocks[i].mark));
	}
}

START_TEST(blocks_do_not_overlap)
{
	struct arena a = { 0 };
	struct unit_random r = { 1 };
	for (unsigned round = 0; round < 5; round++) {
		fill_and_check(&a, &r);
		arena_reset(&a);
		ck_assert_uint_eq(a.used, 0);
	}
	arena_clear(&a);
	fill_and_check(&a, &r);
	arena_clear(&a);
}
END_TEST

START_TEST(a_reset_arena_needs_no_new_memory)
{
	struct arena a = { 0 };
	for (unsigned i = 0; i < 1000; i++) {
		(void)!arena_alloc(&a, 100);
	}
	arena_reset(&a);
	const struct arena_chunk *kept = a.chunks;
	for (unsigned i = 0; i < 200; i++) {
		(void)!arena_alloc(&a, 100);
	}
#ifndef SIGNET_STRESS
	ck_assert_ptr_eq(a.chunks, kept);
#endif
	(void)kept;
	arena_clear(&a);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("arena");
	tcase_add_test(tc, an_unused_arena_is_fine);
	tcase_add_test(tc, copies_are_copies);
	tcase_add_test(tc, blocks_do_not_overlap);
	tcase_add_test(tc, a_reset_arena_needs_no_new_memory);
	return unit_run("zones/base/arena", tc);
}

/* test/unit/zones/base/pool_test.c - blocks of known size, freed one by one. */
#include "zones/base/pool.h"

#include "test/unit/unit.h"
#include "zones/base/mem.h"

struct block {
	uint8_t *data; /* NULL: free */
	size_t size;
	uint8_t mark;
};

static size_t random_size(struct unit_random *r)
{
	switch (unit_random_below(r, 20)) {
	case 0:
		return unit_random_below(r, 4) * POOL_STEP * POOL_CLASSES;
	case 1:
		return POOL_STEP * POOL_CLASSES + unit_random_below(r, 3) - 1;
	case 2:
		return unit_random_below(r, 20000);
	default:
		return unit_random_below(r, 200);
	}
}

static void make(struct pool *p, struct block *b, struct unit_random *r)
{
	b->size = random_size(r);
	b->mark = (uint8_t)unit_random_below(r, 256);
	b->data = pool_alloc(p, b->size);
	ck_assert_uint_eq((uintptr_t)b->data % POOL_STEP, 0);
	memset(b->data, b->mark, b->size);
}

static void unmake(struct pool *p, struct block *b)
{
	ck_assert(unit_all_equal(b->data, b->size, b->mark));
	pool_free(p, b->data, b->size);
	b->data = NULL;
}

START_TEST(blocks_do_not_overlap)
{
	enum { BLOCKS = 3000 };
	struct block *blocks = mem_array(BLOCKS, sizeof(*blocks));
	struct pool p = { 0 };
	struct unit_random r = { 1 };
	for (unsigned i = 0; i < 50000; i++) {
		struct block *b = &blocks[unit_random_below(&r, BLOCKS)];
		if (b->data == NULL) {
			make(&p, b, &r);
		} else {
			unmake(&p, b);
		}
	}
	ck_assert_uint_le(p.used, p.held);
	for (size_t i = 0; i < BLOCKS; i++) {
		if (blocks[i].data != NULL) {
			unmake(&p, &blocks[i]);
		}
	}
	ck_assert_uint_eq(p.used, 0);
	pool_clear(&p);
	ck_assert_uint_eq(p.held, 0);
	mem_free(blocks);
}
END_TEST

START_TEST(everything_goes_at_once)
{
	struct pool p = { 0 };
	struct unit_random r = { 2 };
	pool_clear(&p);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 2000; i++) {
			struct block b;
			make(&p, &b, &r);
		}
		pool_clear(&p); /* the sanitizer counts what is left */
	}
}
END_TEST

#ifndef SIGNET_STRESS
START_TEST(freed_blocks_are_used_again)
{
	struct pool p = { 0 };
	void *a = pool_alloc(&p, 100);
	void *b = pool_alloc(&p, 100);
	ck_assert_ptr_ne(a, b);
	pool_free(&p, a, 100);
	ck_assert_ptr_ne(pool_alloc(&p, 128), a);
	ck_assert_ptr_eq(pool_alloc(&p, 112), a); /* the same multiple of POOL_STEP */
	size_t held = p.held;
	for (unsigned i = 0; i < 100000; i++) {
		pool_free(&p, pool_alloc(&p, 500), 500);
	}
	ck_assert_uint_le(p.held, held + 4096);
	pool_clear(&p);
}
END_TEST

START_TEST(blocks_made_together_lie_together)
{
	struct pool p = { 0 };
	uint8_t *last = pool_alloc(&p, 40);
	unsigned breaks = 0;
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t *next = pool_alloc(&p, 40);
		breaks += next != last + 48;
		last = next;
	}
	ck_assert_uint_lt(breaks, 10);
	pool_clear(&p);
}
END_TEST

START_TEST(reserved_room_is_one_chunk)
{
	for (size_t count = 1; count < 3000; count = count * 3) {
		struct pool p = { 0 };
		pool_reserve(&p, count * 2 * 48);
		size_t held = p.held;
		ck_assert_uint_eq(held, count * 2 * 48);
		uint8_t *last = pool_alloc(&p, 40);
		for (size_t i = 1; i < count * 2; i++) {
			uint8_t *next = pool_alloc(&p, 33);
			ck_assert_ptr_eq(next, last + 48);
			last = next;
		}
		ck_assert_uint_eq(p.held, held);
		ck_assert_uint_eq(p.used, held);
		memset(pool_alloc(&p, 40), 1, 40); /* and it goes on as ever */
		ck_assert_uint_gt(p.held, held);
		pool_clear(&p);
	}
}
END_TEST
#endif

int main(void)
{
	TCase *tc = tcase_create("pool");
	tcase_add_test(tc, blocks_do_not_overlap);
	tcase_add_test(tc, everything_goes_at_once);
#ifndef SIGNET_STRESS
	tcase_add_test(tc, freed_blocks_are_used_again);
	tcase_add_test(tc, blocks_made_together_lie_together);
	tcase_add_test(tc, reserved_room_is_one_chunk);
#endif
	return unit_run("zones/base/pool", tc);
}

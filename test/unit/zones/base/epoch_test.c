/* test/unit/zones/base/epoch_test.c - readers never wait, and never see what was freed. */
#include "zones/base/epoch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "test/unit/unit.h"
#include "zones/base/mem.h"

enum { READERS = 3, WORDS = 64, VERSIONS = 2000 };

/* All words are equal as long as the block is alive. */
struct block {
	uint64_t words[WORDS];
};

static struct {
	struct block *current;
	atomic_bool stop;
	atomic_uint bad;
	atomic_ulong reads;
} shared;

static struct block *block_new(uint64_t value)
{
	struct block *b = mem_alloc(sizeof(*b));
	for (unsigned i = 0; i < WORDS; i++) {
		b->words[i] = value;
	}
	return b;
}

static void block_free(struct block *b)
{
	memset(b, 0xdd, sizeof(*b) / 2); /* so that a late reader sees two values */
	mem_free(b);
}

static void read_once(uint64_t *last)
{
	const struct block *b = epoch_read(&shared.current);
	for (unsigned i = 1; i < WORDS; i++) {
		if (b->words[i] != b->words[0]) {
			atomic_fetch_add(&shared.bad, 1);
		}
	}
	if (b->words[0] < *last) {
		atomic_fetch_add(&shared.bad, 1); /* older than what was seen before */
	}
	*last = b->words[0];
	atomic_fetch_add_explicit(&shared.reads, 1, memory_order_relaxed);
}

static void *reader(void *arg)
{
	struct unit_random r = { (uintptr_t)arg };
	uint64_t last = 0;
	epoch_register();
	while (!atomic_load_explicit(&shared.stop, memory_order_relaxed)) {
		read_once(&last);
		switch (unit_random_below(&r, 8)) {
		case 0:
			epoch_offline();
			(void)sched_yield();
			epoch_online();
			break;
		case 1:
			epoch_unregister();
			epoch_register();
			break;
		default:
			epoch_quiescent();
			break;
		}
	}
	epoch_unregister();
	return NULL;
}

START_TEST(readers_see_whole_versions)
{
	pthread_t threads[READERS];
	shared.current = block_new(0);
	for (uintptr_t i = 0; i < READERS; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, reader, (void *)(i + 1)), 0);
	}
	while (atomic_load(&shared.reads) < 100) {
		(void)sched_yield();
	}
	for (uint64_t v = 1; v <= VERSIONS; v++) {
		struct block *old = shared.current;
		epoch_publish(&shared.current, block_new(v));
		epoch_wait();
		block_free(old);
	}
	atomic_store(&shared.stop, true);
	for (unsigned i = 0; i < READERS; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	unsigned bad = atomic_load(&shared.bad);
	ck_assert_uint_eq(bad, 0);
	block_free(shared.current);
}
END_TEST

/* --- who waits for whom --- */

static atomic_int phase;

static void wait_for_phase(int want)
{
	while (atomic_load(&phase) < want) {
		(void)sched_yield();
	}
}

static void *holder(void *arg)
{
	(void)arg;
	epoch_register();
	atomic_store(&phase, 1); /* holds a pointer from here ... */
	wait_for_phase(2);
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	atomic_store(&phase, 3);
	epoch_offline(); /* ... to here */
	wait_for_phase(4);
	epoch_online();
	epoch_unregister();
	return NULL;
}

START_TEST(a_writer_waits_for_readers_and_not_for_sleepers)
{
	pthread_t thread;
	epoch_wait(); /* nobody reads */
	ck_assert_int_eq(pthread_create(&thread, NULL, holder, NULL), 0);
	wait_for_phase(1);
	atomic_store(&phase, 2);
	epoch_wait();
	int now = atomic_load(&phase);
	ck_assert_int_eq(now, 3);
	epoch_wait(); /* the reader is offline, and would never say quiescent */
	atomic_store(&phase, 4);
	(void)pthread_join(thread, NULL);
	epoch_wait();
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("epoch");
	tcase_add_test(tc, readers_see_whole_versions);
	tcase_add_test(tc, a_writer_waits_for_readers_and_not_for_sleepers);
	return unit_run("zones/base/epoch", tc);
}

/* test/unit/zones/base/parallel_test.c - jobs on many threads: prepared and finished in order, one at a time. */
#include "zones/base/parallel.h"

#include <sched.h>
#include <stdatomic.h>

#include "test/unit/unit.h"
#include "zones/base/err.h"

enum { JOBS = 3000, WINDOW = 8, NEVER = JOBS };

struct book {
	bool starts, finishes;
	size_t start_fails, work_fails, finish_fails; /* at this job, or NEVER */
	unsigned threads;
	atomic_uint inside; /* threads in start or finish */
	atomic_uint bad;
	atomic_size_t worked;
	size_t started, finished; /* by those who are alone */
	size_t slot[WINDOW];
};

static void enter(struct book *b)
{
	if (atomic_fetch_add(&b->inside, 1) != 0) {
		atomic_fetch_add(&b->bad, 1);
	}
	sched_yield();
}

static void leave(struct book *b)
{
	atomic_fetch_sub(&b->inside, 1);
}

static int start(void *arg, size_t job)
{
	struct book *b = arg;
	enter(b);
	if (job != b->started || (b->finishes && job >= b->finished + WINDOW)) {
		atomic_fetch_add(&b->bad, 1);
	}
	b->started++;
	b->slot[job % WINDOW] = job + 1;
	leave(b);
	return job == b->start_fails ? E_LIMIT : E_OK;
}

static int work(void *arg, unsigned worker, size_t job)
{
	struct book *b = arg;
	if (worker >= b->threads || (b->starts && b->slot[job % WINDOW] != job + 1)) {
		atomic_fetch_add(&b->bad, 1);
	}
	b->slot[job % WINDOW] = 2 * job;
	atomic_fetch_add(&b->worked, 1);
	return job == b->work_fails ? E_IO : E_OK;
}

static int finish(void *arg, size_t job)
{
	struct book *b = arg;
	enter(b);
	if (job != b->finished || b->slot[job % WINDOW] != 2 * job) {
		atomic_fetch_add(&b->bad, 1);
	}
	b->finished++;
	leave(b);
	return job == b->finish_fails ? E_NOENT : E_OK;
}

static int run(struct book *b, size_t jobs)
{
	const struct parallel p = {
		.threads = b->threads,
		.jobs = jobs,
		.window = WINDOW,
		.start = b->starts ? start : NULL,
		.work = work,
		.finish = b->finishes ? finish : NULL,
		.arg = b,
	};
	int err = parallel_run(&p);
	ck_assert_uint_eq(atomic_load(&b->bad), 0);
	ck_assert_uint_eq(atomic_load(&b->inside), 0);
	return err;
}

static struct book book_of(unsigned threads, bool starts, bool finishes)
{
	return (struct book){ .starts = starts,
			      .finishes = finishes,
			      .start_fails = NEVER,
			      .work_fails = NEVER,
			      .finish_fails = NEVER,
			      .threads = threads };
}

static const unsigned threads[] = { 1, 2, 3, WINDOW };

START_TEST(each_job_is_done_once_in_order)
{
	for (unsigned stages = 0; stages < 4; stages++) {
		struct book b = book_of(threads[_i], (stages & 1) != 0, (stages & 2) != 0);
		ck_assert_int_eq(run(&b, JOBS), E_OK);
		ck_assert_uint_eq(atomic_load(&b.worked), JOBS);
		ck_assert_uint_eq(b.started, b.starts ? JOBS : 0);
		ck_assert_uint_eq(b.finished, b.finishes ? JOBS : 0);
	}
}
END_TEST

START_TEST(few_jobs_and_none)
{
	for (size_t jobs = 0; jobs < 3; jobs++) {
		struct book b = book_of(threads[_i], true, true);
		ck_assert_int_eq(run(&b, jobs), E_OK);
		ck_assert_uint_eq(b.started, jobs);
		ck_assert_uint_eq(b.finished, jobs);
	}
}
END_TEST

START_TEST(an_error_of_any_stage_stops_the_others)
{
	for (size_t at = 0; at < 40; at += 13) {
		struct book b = book_of(threads[_i], true, true);
		b.start_fails = at;
		ck_assert_int_eq(run(&b, JOBS), E_LIMIT);
		ck_assert_uint_eq(b.started, at + 1);
		ck_assert_uint_le(b.finished, at);
		b = book_of(threads[_i], true, true);
		b.work_fails = at;
		ck_assert_int_eq(run(&b, JOBS), E_IO);
		ck_assert_uint_le(b.finished, at);
		b = book_of(threads[_i], true, true);
		b.finish_fails = at;
		ck_assert_int_eq(run(&b, JOBS), E_NOENT);
		ck_assert_uint_eq(b.finished, at + 1);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("parallel");
	tcase_add_loop_test(tc, each_job_is_done_once_in_order, 0, (int)ARRAY_LEN(threads));
	tcase_add_loop_test(tc, few_jobs_and_none, 0, (int)ARRAY_LEN(threads));
	tcase_add_loop_test(tc, an_error_of_any_stage_stops_the_others, 0, (int)ARRAY_LEN(threads));
	return unit_run("zones/base/parallel", tc);
}

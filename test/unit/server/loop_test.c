/* test/unit/server/loop_test.c - signals, timers, and what other threads post. */
#include "server/loop.h"

#include <event2/event.h>
#include <pthread.h>
#include <unistd.h>

#include "test/unit/unit.h"

static struct loop *loop;

static void setup(void)
{
	ck_assert_int_eq(loop_new(&loop), E_OK);
}

static void teardown(void)
{
	loop_free(loop);
	loop = NULL;
}

static char order[16];
static char letters[] = "abcdxy";

static void note(void *arg)
{
	size_t n = strlen(order);
	ck_assert_uint_lt(n, sizeof(order) - 1);
	order[n] = *(const char *)arg;
}

START_TEST(posts_run_in_order)
{
	loop_post(loop, note, letters);
	loop_post(loop, note, &letters[1]);
	loop_stop(loop);
	loop_post(loop, note, &letters[2]);
	ck_assert_str_eq(order, "");
	ck_assert_int_eq(loop_run(loop), E_OK);
	ck_assert_str_eq(order, "abc");
	/* Once stopped, it stays so; what comes in is not lost. */
	loop_post(loop, note, &letters[3]);
	ck_assert_int_eq(loop_run(loop), E_OK);
	ck_assert_str_eq(order, "abc");
	loop_deliver(loop);
	ck_assert_str_eq(order, "abcd");
}
END_TEST

START_TEST(what_never_ran_is_dropped)
{
	loop_post(loop, note, letters);
	loop_free(loop);
	loop = NULL;
	ck_assert_str_eq(order, "");
	loop_free(NULL);
}
END_TEST

static void post_more(void *arg)
{
	note(arg);
	loop_post(loop, note, &letters[5]);
	loop_stop(loop);
}

START_TEST(a_post_may_post)
{
	loop_post(loop, post_more, &letters[4]);
	ck_assert_int_eq(loop_run(loop), E_OK);
	ck_assert_str_eq(order, "xy");
	loop_post(loop, post_more, &letters[4]);
	loop_deliver(loop);
	ck_assert_str_eq(order, "xyxy");
}
END_TEST

/* --- threads --------------------------------------------------------------------------------- */

#define THREADS 4
#define POSTS	20000

/* Of one thread. */
struct counter {
	unsigned posted;
	unsigned ran; /* of the thread of the loop */
};

static struct counter counters[THREADS];
static unsigned finished;

static void count(void *arg)
{
	struct counter *c = arg;
	c->ran++;
}

static void finish(void *arg)
{
	(void)arg;
	if (++finished == THREADS) {
		loop_stop(loop);
	}
}

static void *post_many(void *arg)
{
	struct counter *c = arg;
	for (; c->posted < POSTS; c->posted++) {
		loop_post(loop, count, c);
	}
	loop_post(loop, finish, NULL);
	return NULL;
}

START_TEST(many_threads_lose_nothing)
{
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, &counters[i]), 0);
	}
	ck_assert_int_eq(loop_run(loop), E_OK);
	for (unsigned i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		ck_assert_uint_eq(counters[i].ran, POSTS);
	}
}
END_TEST

/* --- timers and signals ---------------------------------------------------------------------- */

static unsigned ticks;

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (++ticks == 3) {
		loop_stop(loop);
	}
}

static void post_again(void *arg)
{
	loop_post(loop, post_again, arg);
}

START_TEST(timers_get_their_turn)
{
	const struct timeval tick = { .tv_usec = 1000 };
	struct event *timer = event_new(loop_base(loop), -1, EV_PERSIST, on_tick, NULL);
	ck_assert_ptr_nonnull(timer);
	ck_assert_int_eq(event_add(timer, &tick), 0);
	loop_post(loop, post_again,
		  NULL); /* a mailbox that is never empty does not keep them off */
	ck_assert_int_eq(loop_run(loop), E_OK);
	ck_assert_uint_eq(ticks, 3);
	event_free(timer);
}
END_TEST

static int signals[4];
static unsigned signal_count;

static void on_signal(void *arg, int sig)
{
	ck_assert_ptr_eq(arg, &signals);
	ck_assert_uint_lt(signal_count, 4);
	signals[signal_count++] = sig;
	if (sig == SIGTERM) {
		loop_stop(loop);
	}
}

START_TEST(signals_are_told)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	ck_assert_int_eq(loop_on_signals(loop, &set, on_signal, &signals), E_OK);
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert_int_eq(loop_run(loop), E_OK);
	ck_assert_uint_eq(signal_count, 2);
	ck_assert_int_eq(signals[0], SIGHUP);
	ck_assert_int_eq(signals[1], SIGTERM);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("loop");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, posts_run_in_order);
	tcase_add_test(tc, what_never_ran_is_dropped);
	tcase_add_test(tc, a_post_may_post);
	tcase_add_test(tc, many_threads_lose_nothing);
	tcase_add_test(tc, timers_get_their_turn);
	tcase_add_test(tc, signals_are_told);
	return unit_run("server/loop", tc);
}

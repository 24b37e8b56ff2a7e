/* server/loop.c - a thread's libevent loop. */
#include "server/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "zones/base/mem.h"

struct letter {
	loop_fn *fn;
	void *arg;
	STAILQ_ENTRY(letter) link;
};

STAILQ_HEAD(letters, letter);

struct loop {
	struct event_base *base;
	pthread_mutex_t lock;
	struct letters letters; /* locked by lock; oldest first */
	int letters_fd;		/* readable while there are some */
	struct event *on_letters;
	int signals_fd; /* -1: nobody asked for signals */
	struct event *on_signals;
	void (*signal_fn)(void *arg, int sig);
	void *signal_arg;
	bool is_stopped; /* of the thread of the loop */
};

/* --- mailbox --------------------------------------------------------------------------------- */

static void take_letters(struct loop *l, struct letters *out)
{
	STAILQ_INIT(out);
	(void)pthread_mutex_lock(&l->lock);
	STAILQ_CONCAT(out, &l->letters);
	(void)pthread_mutex_unlock(&l->lock);
}

/* Returns whether there were any. */
static bool run_letters(struct loop *l)
{
	struct letters letters;
	take_letters(l, &letters);
	bool any = !STAILQ_EMPTY(&letters);
	while (!STAILQ_EMPTY(&letters)) {
		struct letter *letter = STAILQ_FIRST(&letters);
		STAILQ_REMOVE_HEAD(&letters, link);
		letter->fn(letter->arg);
		mem_free(letter);
	}
	return any;
}

/* One batch: those that come in meanwhile wait until sockets and timers have had their turn. */
static void on_letters(evutil_socket_t fd, short what, void *arg)
{
	eventfd_t count;
	(void)what;
	/* First, so that a letter that comes after the look wakes us again. */
	(void)eventfd_read(fd, &count);
	(void)run_letters(arg);
}

void loop_post(struct loop *l, loop_fn *fn, void *arg)
{
	struct letter *letter = mem_zalloc(sizeof(*letter));
	letter->fn = fn;
	letter->arg = arg;
	(void)pthread_mutex_lock(&l->lock);
	bool was_empty = STAILQ_EMPTY(&l->letters);
	STAILQ_INSERT_TAIL(&l->letters, letter, link);
	(void)pthread_mutex_unlock(&l->lock);
	if (was_empty) { /* else it has been told */
		(void)eventfd_write(l->letters_fd, 1);
	}
}

void loop_deliver(struct loop *l)
{
	while (run_letters(l)) {
	}
}

/* --- signals --------------------------------------------------------------------------------- */

static void on_signals(evutil_socket_t fd, short what, void *arg)
{
	const struct loop *l = arg;
	struct signalfd_siginfo info;
	(void)what;
	if (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		l->signal_fn(l->signal_arg, (int)info.ssi_signo);
	}
}

int loop_on_signals(struct loop *l, const sigset_t *set, void (*fn)(void *arg, int sig), void *arg)
{
	assert(l->signals_fd < 0);
	l->signal_fn = fn;
	l->signal_arg = arg;
	l->signals_fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (l->signals_fd < 0) {
		return E_IO;
	}
	l->on_signals = event_new(l->base, l->signals_fd, EV_READ | EV_PERSIST, on_signals, l);
	return l->on_signals != NULL && event_add(l->on_signals, NULL) == 0 ? E_OK : E_IO;
}

/* --- life ------------------------------------------------------------------------------------ */

int loop_new(struct loop **out)
{
	struct loop *l = mem_zalloc(sizeof(*l));
	(void)pthread_mutex_init(&l->lock, NULL);
	STAILQ_INIT(&l->letters);
	l->signals_fd = -1;
	l->letters_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->base = event_base_new();
	if (l->base != NULL && l->letters_fd >= 0) {
		l->on_letters =
			event_new(l->base, l->letters_fd, EV_READ | EV_PERSIST, on_letters, l);
	}
	if (l->on_letters == NULL || event_add(l->on_letters, NULL) != 0) {
		loop_free(l);
		return E_IO;
	}
	*out = l;
	return E_OK;
}

void loop_free(struct loop *l)
{
	struct letters letters;
	if (l == NULL) {
		return;
	}
	take_letters(l, &letters);
	while (!STAILQ_EMPTY(&letters)) {
		struct letter *letter = STAILQ_FIRST(&letters);
		STAILQ_REMOVE_HEAD(&letters, link);
		mem_free(letter);
	}
	if (l->on_letters != NULL) {
		event_free(l->on_letters);
	}
	if (l->on_signals != NULL) {
		event_free(l->on_signals);
	}
	if (l->base != NULL) {
		event_base_free(l->base);
	}
	if (l->letters_fd >= 0) {
		(void)close(l->letters_fd);
	}
	if (l->signals_fd >= 0) {
		(void)close(l->signals_fd);
	}
	(void)pthread_mutex_destroy(&l->lock);
	mem_free(l);
}

struct event_base *loop_base(const struct loop *l)
{
	return l->base;
}

int loop_run(struct loop *l)
{
	if (l->is_stopped) {
		return E_OK;
	}
	return event_base_dispatch(l->base) == 0 ? E_OK : E_IO;
}

static void stop_now(void *arg)
{
	struct loop *l = arg;
	l->is_stopped = true;
	(void)event_base_loopbreak(l->base);
}

void loop_stop(struct loop *l)
{
	loop_post(l, stop_now, l);
}

/* zones/base/parallel.c - a loop over jobs on several threads, with ordered finishing. */
#include "zones/base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <unistd.h>

#include "zones/base/err.h"
#include "zones/base/mem.h"

struct run {
	const struct parallel *p;
	/* We run at the lowest priority. Linux wakes some of those who should come first to no more than a place in the
	 * queue; then the end of a job, not the next tick, is when they get the core. */
	bool yields;
	pthread_mutex_t lock;
	pthread_cond_t moved; /* `finished` went up, or `err` was set */
	size_t next;	      /* job to hand out; locked by lock, as all below */
	size_t finished;      /* jobs before this one are finished */
	bool in_order;	      /* some thread is in start() or finish() */
	bool *done;	      /* [window]: job worked on, not finished */
	int err;
};

struct thread {
	struct run *run;
	unsigned worker;
	pthread_t id;
};

unsigned parallel_threads(unsigned wanted)
{
	if (wanted != 0) {
		return wanted;
	}
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores > 0 ? (unsigned)cores : 1;
}

/* Finishes what is ready, in order. Called and left with the lock held. */
static void finish_ready(struct run *r)
{
	const struct parallel *p = r->p;
	if (r->in_order) {
		return; /* that thread will see what became ready */
	}
	r->in_order = true;
	while (r->err == E_OK && r->finished < p->jobs && r->done[r->finished % p->window]) {
		size_t job = r->finished;
		if (p->finish != NULL) {
			(void)pthread_mutex_unlock(&r->lock);
			int err = p->finish(p->arg, job);
			(void)pthread_mutex_lock(&r->lock);
			r->err = r->err == E_OK ? err : r->err;
		}
		r->done[job % p->window] = false;
		r->finished++;
		(void)pthread_cond_broadcast(&r->moved);
	}
	r->in_order = false;
	if (p->start != NULL) {
		(void)pthread_cond_broadcast(&r->moved);
	}
}

/* Prepares the next job, which nobody else may do meanwhile. Called and left with the lock held. */
static int start_next(struct run *r, size_t *job)
{
	const struct parallel *p = r->p;
	*job = r->next++;
	if (p->start == NULL) {
		return E_OK;
	}
	r->in_order = true;
	(void)pthread_mutex_unlock(&r->lock);
	int err = p->start(p->arg, *job);
	(void)pthread_mutex_lock(&r->lock);
	r->in_order = false;
	(void)pthread_cond_broadcast(&r->moved);
	finish_ready(r);
	return err;
}

static void fail(struct run *r, int err)
{
	r->err = r->err == E_OK ? err : r->err;
	(void)pthread_cond_broadcast(&r->moved);
}

static void *thread_main(void *arg)
{
	const struct thread *t = arg;
	struct run *r = t->run;
	const struct parallel *p = r->p;
	(void)pthread_mutex_lock(&r->lock);
	while (r->err == E_OK && r->next < p->jobs) {
		if (r->next >= r->finished + p->window || (p->start != NULL && r->in_order)) {
			(void)pthread_cond_wait(&r->moved, &r->lock);
			continue;
		}
		size_t job;
		int err = start_next(r, &job);
		if (err != E_OK) {
			fail(r, err);
			break;
		}
		(void)pthread_mutex_unlock(&r->lock);
		err = p->work(p->arg, t->worker, job);
		if (r->yields) {
			(void)sched_yield();
		}
		(void)pthread_mutex_lock(&r->lock);
		if (err != E_OK) {
			fail(r, err);
			break;
		}
		r->done[job % p->window] = true;
		finish_ready(r);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

int parallel_run(const struct parallel *p)
{
	unsigned threads = parallel_threads(p->threads);
	if (threads > p->jobs) {
		threads = p->jobs != 0 ? (unsigned)p->jobs : 1;
	}
	struct run r = { .p = p, .yields = sched_getscheduler(0) == SCHED_IDLE, .err = E_OK };
	r.done = mem_array(p->window, sizeof(bool));
	(void)pthread_mutex_init(&r.lock, NULL);
	(void)pthread_cond_init(&r.moved, NULL);
	struct thread *t = mem_array(threads, sizeof(*t));
	unsigned started = 1;
	for (unsigned i = 0; i < threads; i++) {
		t[i] = (struct thread){ .run = &r, .worker = i };
		/* With fewer threads than wanted the work is done all the same. */
		if (i != 0 && pthread_create(&t[i].id, NULL, thread_main, &t[i]) != 0) {
			break;
		}
		started = i + 1;
	}
	(void)thread_main(&t[0]);
	for (unsigned i = 1; i < started; i++) {
		(void)pthread_join(t[i].id, NULL);
	}
	(void)pthread_cond_destroy(&r.moved);
	(void)pthread_mutex_destroy(&r.lock);
	mem_free(t);
	mem_free(r.done);
	return r.err;
}

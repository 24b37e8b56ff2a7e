/* server/order.h - what signetctl asks of one zone, as a job of that zone carries it out.
 *
 *     control thread: jobs_order → job: o->run → o->done, which posts it back → control thread: the answer
 *
 * Threads: the job's until `done` is called, then that of who gave it.
 * Memory:  an order belongs to who gave it; it is not touched after `done`. */
#ifndef SERVER_ORDER_H
#define SERVER_ORDER_H

#include "server/keeper.h"
#include "server/report.h"

/* Carries out @o at @now; returns what becomes o->err. */
typedef int order_fn(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o);

struct order {
	order_fn *run;
	const char *const *words; /* what else was said, behind the zone; borrowed */
	size_t count;
	struct report *report; /* borrowed; for what there is to tell */
	/* Any thread; never waits. */
	void (*done)(struct order *o);
	void *arg; /* for who gave the order */
	/* Results. */
	int err;
	struct errmsg em; /* why not; or what else there is to say, "": nothing */
	bool is_misuse;	  /* the words cannot be understood */
	int64_t due;	  /* seconds: the signatures of the zone are to be looked at then */
	/* Private to server/jobs.c. */
	struct order *next;
};

#endif

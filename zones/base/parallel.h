/* zones/base/parallel.h - many small jobs on all cores, their results taken in order.
 *
 * Jobs are numbered; any thread works on any job, and what it made is finished strictly in order of the
 * numbers, one at a time, by whichever thread is at hand. What can only be found in order, such as the next names of a
 * walk, is likewise found for each job before the work on it begins. So the outcome does not depend on the
 * number of threads. At most `window` jobs are under way or waiting to be finished, which bounds
 * the memory of results: job j may keep its result in slot j % window.
 *
 * Threads: parallel_run starts and joins them; the calling thread works too. */
#ifndef ZONES_BASE_PARALLEL_H
#define ZONES_BASE_PARALLEL_H

#include "zones/base/attr.h"

struct parallel {
	unsigned threads; /* 0: one per core */
	size_t jobs;
	size_t window; /* at least threads */
	/* Prepares @job, in order of the jobs; never while another is prepared or finished. May be NULL. */
	int (*start)(void *arg, size_t job);
	/* Works on @job, on thread @worker (0 .. threads-1). An error stops everything. */
	int (*work)(void *arg, unsigned worker, size_t job);
	/* Takes the result of @job; may be NULL. */
	int (*finish)(void *arg, size_t job);
	void *arg;
};

/* How many threads @wanted means: itself, or the number of cores when 0. */
unsigned parallel_threads(unsigned wanted);
/* Returns the first error of any job, in order of the jobs as far as they were finished. */
MUST_USE int parallel_run(const struct parallel *p);

#endif

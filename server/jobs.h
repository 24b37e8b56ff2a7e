/* server/jobs.h - the threads that change zones: one job of a zone at a time, many zones side by side.
 *
 * Threads: the control thread makes, pauses and stops them; jobs_submit is for workers.
 * Memory:  keepers belong to the jobs once they are set. */
#ifndef SERVER_JOBS_H
#define SERVER_JOBS_H

#include "server/keeper.h"
#include "server/order.h"

struct jobs;

/* Starts the threads, paused. E_LIMIT, E_CRYPTO. */
MUST_USE int jobs_new(unsigned threads, struct vault *vault, struct jobs **out, struct errmsg *em);
/* Finishes what runs and ends the threads; requests that wait, and come later, are not answered; orders are
 * told so. */
void jobs_stop(struct jobs *j);
/* Stopped, and the workers are gone. NULL is fine. */
void jobs_free(struct jobs *j);

/* While paused: from now on @changed is told of each zone that a job has changed. Any job thread. */
void jobs_tell(struct jobs *j, void (*changed)(void *arg, const uint8_t *zone), void *arg);

/* Waits until no job runs; none begins until jobs_resume. */
void jobs_pause(struct jobs *j);
void jobs_resume(struct jobs *j);
/* While paused: keeps the zones of @config that are to be kept, from @zones; keepers of zones that stay go on,
 * with their new configuration. TSIG keys are taken anew. */
void jobs_set(struct jobs *j, const struct config *config, const struct zoneset *zones);
/* Has the keeper of @zone look at its file and keys again. */
void jobs_load(struct jobs *j, const struct zone *zone);
/* Has the keeper of @zone carry out @o, which stays valid until it says that it is done. */
void jobs_order(struct jobs *j, const struct zone *zone, struct order *o);
/* What the keeper of @zone tells of itself. False: it has none. */
bool jobs_look(struct jobs *j, const struct zone *zone, struct board_notes *out);
/* Waits until there is nothing to do now. */
void jobs_wait(struct jobs *j);

/* Takes a request (struct serving's take). Any thread. */
void jobs_submit(void *jobs, struct request *r);

#endif

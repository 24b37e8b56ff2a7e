/* server/loop.h - a thread's libevent loop: signals, timers, and a mailbox for the other threads.
 *
 * Threads talk by loop_post and nothing else: it leaves a function with its argument, and the thread of the
 * loop runs it. Sockets and timers are events of loop_base (event_new, evtimer_new).
 *
 * Threads: loop_post and loop_stop: any; all else: the thread that runs the loop, or the one that makes it.
 * Memory:  loop_free drops what was never run: what is posted owns nothing, or loop_deliver comes first. */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include <signal.h>

#include "zones/base/attr.h"
#include "zones/base/err.h"

struct event_base;
struct loop;
typedef void loop_fn(void *arg);

MUST_USE int loop_new(struct loop **out);
void loop_free(struct loop *l); /* NULL is fine; all events of others are freed before */
/* Borrowed. */
struct event_base *loop_base(const struct loop *l);

/* From now on @fn is told of each signal in @set, which all threads of the process have blocked. Once for a loop. */
MUST_USE int loop_on_signals(struct loop *l, const sigset_t *set, void (*fn)(void *arg, int sig),
			     void *arg);
/* Has @fn run by the thread of the loop, after what was posted before. Never waits. */
void loop_post(struct loop *l, loop_fn *fn, void *arg);
/* Runs what waits in the mailbox, and what that posts: for what comes in after the loop has ended. */
void loop_deliver(struct loop *l);

/* Runs until loop_stop, at once if that was called before. E_IO: the system has no events any more. */
MUST_USE int loop_run(struct loop *l);
/* Ends loop_run, after what was posted before. */
void loop_stop(struct loop *l);

#endif

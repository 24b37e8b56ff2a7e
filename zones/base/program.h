/* zones/base/program.h - what every program of ours does first and last.
 *
 * Threads: called once, by main, unless said otherwise. */
#ifndef ZONES_BASE_PROGRAM_H
#define ZONES_BASE_PROGRAM_H

#include "zones/base/attr.h"

/* The three standard streams are open (at /dev/null, if at nothing else). A file above the limit of the process (ulimit -f) becomes an error that is told, not a signal that
 * leaves half a file. At exit: what was printed has arrived, or standard error says why not and
 * the exit status is 1. @name is borrowed for good. */
NONNULL(1) void program_begin(const char *name);

/* From here on this thread, and those that it starts, run only where nothing else has anything to do
 * (SCHED_IDLE): a query that comes in takes the core at once, where it would wait for milliseconds between
 * equals. Any thread. */
void program_step_aside(void);
/* The same, unless whoever started the program has chosen a priority for it. */
void program_step_aside_by_default(void);

#endif

/* server/clock.h - the only place where time is read.
 *
 * Threads: any. */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include <stdint.h>

/* Seconds since 1970, UTC. */
int64_t clock_now(void);
/* Milliseconds that never go backwards, from an unknown start. */
int64_t clock_ms(void);

#endif

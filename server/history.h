/* server/history.h - the changes of a zone as the journal has them, from one serial to another.
 *
 * Threads: any; reads beside who writes.
 * Memory:  what is read is the caller's. */
#ifndef SERVER_HISTORY_H
#define SERVER_HISTORY_H

#include "server/vault.h"

/* Records that a difference may have. */
#define HISTORY_RECORDS_MAX 1000000

struct history {
	struct vault *vault;
	const uint8_t *apex;
	uint32_t serial; /* that the journal ends with: what is served */
};

/* Fills the empty @out with what leads from serial @from to serial @to, which may be the older one. E_NOENT: the journal does
 * not reach there. E_LIMIT: there are more than HISTORY_RECORDS_MAX records. E_DAMAGED. */
MUST_USE int history_diff(const struct history *h, uint32_t from, uint32_t to, struct diff *out,
			  struct errmsg *em);
/* Calls @fn for each change from serial @from to @to, in their order; @from may not be the newer one. Errors as above, and
 * those of @fn. */
MUST_USE int history_each(const struct history *h, uint32_t from, uint32_t to, journal_fn fn,
			  void *arg, struct errmsg *em);
/* Calls @fn for the newest @most changes, the oldest of these first, without their records (its diff is NULL). *zone is
 * what is known of the zone. */
MUST_USE int history_newest(const struct history *h, uint64_t most, journal_fn fn, void *arg,
			    struct journal_zone *zone, struct errmsg *em);

#endif

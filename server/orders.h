/* server/orders.h - what signetctl can ask of a zone that the server keeps: functions for struct order's run.
 *
 * Threads: the job of the keeper.
 * Errors:  o->em says why not, and what to do. */
#ifndef SERVER_ORDERS_H
#define SERVER_ORDERS_H

#include "server/order.h"

/* Writes the zone file as the zone is served, without what the server makes by itself; or with one word, the path of a
 * file, all that is served to there. E_EXIST: what is there has changes that the server does not know. */
order_fn order_sync;

/* From now on updates are refused, so that the zone file, which is written as by order_sync, can be edited; a restart keeps
 * that. */
order_fn order_freeze;
/* Loads what was edited, and takes updates again; where the file cannot be loaded, not. */
order_fn order_thaw;
/* Loads the zone file that was held back; one that is again another not. E_NOENT: none was. */
order_fn order_approve;
/* Writes a snapshot of what is served, so that a restart reads nothing of the journal. */
order_fn order_flush;
/* Makes keys where there are none, reads those that there are, and makes all signatures anew. */
order_fn order_sign;

/* Lists the newest changes that the journal has; as many as the first word says. */
order_fn order_journal;
/* What leads from one serial to another: FROM [TO] [-ixfr]. */
order_fn order_diff;
/* Publishes what the zone was at the serial that the first word says, as a new version. The zone file stays. */
order_fn order_rollback;

/* Signs with another chain: HASH FLAGS ITERATIONS SALT or "none", and one word more. */
order_fn order_signing;

/* --- for orders ------------------------------------------------------------------------------ */

/* Is there a zone to do something with, and a place to keep what is done? Returns o->err. */
MUST_USE int order_check_open(const struct keeper *k, const struct keeper_env *env,
			      struct order *o);
/* The same, and is it ours to change? */
MUST_USE int order_check_own(const struct keeper *k, const struct keeper_env *env, struct order *o);
/* Tells what is served now. */
void order_report_served(const struct keeper *k, struct order *o);
/* Reads the word @i; E_SYNTAX, E_RANGE: the message says that @what was expected. */
MUST_USE int order_read_number(struct order *o, size_t i, const char *what, uint32_t max,
			       uint32_t *out);

#endif

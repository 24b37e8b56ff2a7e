/* server/publish.h - the pipeline by which a zone changes, whatever the source:
 *
 *     edit → sign what it touches → verify that → make it durable → publish → tell secondaries
 *
 * Threads: one job of the zone.
 * Memory:  publish takes the edit. */
#ifndef SERVER_PUBLISH_H
#define SERVER_PUBLISH_H

#include "keys/holder.h"
#include "server/vault.h"
#include "signer/sign.h"
#include "signer/verify.h"
#include "zones/edit.h"
#include "zones/zone.h"

struct publish {
	struct zone *zone;
	struct version *base; /* what is served, and what the edit began from; NULL: nothing is */
	struct edit *edit;
	const struct holder *holder; /* NULL: the zone is not signed by us */
	const struct sign_policy *policy;
	struct verify_memory *memory;  /* of the zone; may be NULL */
	int64_t valid_until;	       /* no signature that is made may expire before; seconds */
	const struct node *const *due; /* of base, to be renewed */
	size_t due_count;
	/* Where it is made durable; NULL: nowhere. */
	struct vault *vault;
	struct journal_zone *kept; /* what is known there of the zone; brought up to date */
	bool is_kept_new; /* the caller has changed something of it, to be made durable too */
	bool is_anew;	  /* no history of before is to stay */
	enum journal_source from;
	uint64_t history_octets; /* how much of it may stay, as in struct vault_change */
	int64_t history_from;
	const struct version
		*source; /* the zone file that the change comes from, newly read; or NULL */
	/* Told that the zone was published; or NULL. */
	void (*changed)(void *arg, const uint8_t *zone);
	void *changed_arg;
	struct sign_stats signed_; /* result */
};

/* Runs it. On success *old is the version that was served (or NULL), to be given back after epoch_wait. On error nothing
 * has changed; @em says in a line why. E_CHECK: what was made does not validate. */
MUST_USE int publish_run(struct publish *p, struct version **old, struct errmsg *em);

#endif

/* zones/zone.h - a zone as it is served: identity and current version.
 *
 * Threads: `current` is published with epoch_publish and read inside an epoch; the rest is immutable.
 * Memory:  zone_free drops its reference to the current version. */
#ifndef ZONES_ZONE_H
#define ZONES_ZONE_H

#include "zones/version.h"

struct zone {
	struct version *current; /* NULL: configured, but nothing to serve (SERVFAIL) */
	int stale_err; /* atomic: why newer data could not be taken; E_OK: there is none, or it was */
	int64_t expires_at; /* atomic: seconds since 1970; 0: never, as it comes from no primary */
	uint8_t apex[];
};

struct zone *zone_new(const uint8_t *apex);
void zone_free(struct zone *z);
/* Publishes @taken and returns the version before, which the caller unrefs after epoch_wait. */
struct version *zone_publish(struct zone *z, struct version *taken);
/* Notes whether newer data was taken (@err E_OK), or why not. Any thread, as what follows. */
void zone_set_stale(struct zone *z, int err);
static inline bool zone_is_stale(const struct zone *z)
{
	return __atomic_load_n(&z->stale_err, __ATOMIC_RELAXED) != E_OK;
}
void zone_set_expiry(struct zone *z, int64_t at);
static inline int64_t zone_expires_at(const struct zone *z)
{
	return __atomic_load_n(&z->expires_at, __ATOMIC_RELAXED);
}
/* Does it wait for somebody to approve it? */
static inline bool zone_is_held(const struct zone *z)
{
	return __atomic_load_n(&z->stale_err, __ATOMIC_RELAXED) == E_HELD;
}

/* All zones, longest match: immutable once published. */
struct zoneset;
struct zoneset *zoneset_new(void);
void zoneset_free(struct zoneset *zs); /* not the zones in it */
/* Borrowed; E_EXIST when a zone of that apex is there. Before publishing only. */
MUST_USE int zoneset_add(struct zoneset *zs, struct zone *z);
struct zone *zoneset_get(const struct zoneset *zs, const uint8_t *apex);
/* The zone with the longest apex that is @name or above it; with @strictly_above, above it only
 * (the parent's side of a cut, for DS). NULL: none. */
struct zone *zoneset_find(const struct zoneset *zs, const struct dname_key *key,
			  const uint8_t *name, bool strictly_above);
/* False: no zone is above @name. Takes no search, and is right for most names that are elsewhere. */
bool zoneset_may_have(const struct zoneset *zs, const uint8_t *name);
size_t zoneset_count(const struct zoneset *zs);
/* In the order of adding; NULL behind the last. */
struct zone *zoneset_at(const struct zoneset *zs, size_t i);

#endif

/* server/vault.h - what is kept of zones in the database directory, and how a restart finds it again.
 *
 *     journal.mdb              all changes of all zones, and what is known of each (zones/journal.h); and small zones as they
 *                              were served, which have no file for that
 *     example.com.served.N     the zone as it was served after change N (zones/snapshot.h)
 *     example.com.source.G     the zone file as it was last read, for the G-th time it had changed, likewise
 *
 * A file is complete when the journal names it; files of a zone that it knows, and does not name, are left-overs of a crash,
 * and are removed at the next start. So a crash at any instant leaves the last state that was acknowledged.
 *
 * Threads: any job, for its own zone.
 * Memory:  paths belong to the vault. */
#ifndef SERVER_VAULT_H
#define SERVER_VAULT_H

#include "server/committer.h"
#include "zones/version.h"

struct vault;

/* Opens or makes the directory @path (0700), whose journal may grow to @size octets. A journal that is damaged is moved aside,
 * and said so in the log. */
MUST_USE int vault_open(const char *path, size_t size, struct vault **out, struct errmsg *em);
void vault_close(struct vault *v); /* NULL is fine */
/* For reading; borrowed. */
struct journal *vault_journal(struct vault *v);

/* What is there of the zone @apex: the version with all changes that were acknowledged, one reference for the caller; and what
 * is known of it. E_NOENT: nothing. E_DAMAGED: it is not what was written. */
MUST_USE int vault_restore(struct vault *v, const uint8_t *apex, struct version **out,
			   struct journal_zone *zone, struct errmsg *em);
/* What is known of the zone @apex, and how much the journal has of it. E_NOENT: nothing. */
MUST_USE int vault_look(struct vault *v, const uint8_t *apex, struct journal_zone *out);
/* Removes all there is of @count zones, which no job has. */
MUST_USE int vault_forget(struct vault *v, const uint8_t *const *apexes, size_t count,
			  struct errmsg *em);
/* The zone file as it was last read. E_NOENT, E_DAMAGED. */
MUST_USE int vault_source(struct vault *v, const uint8_t *apex, uint64_t generation,
			  struct version **out, struct errmsg *em);

/* Begins anew with @served, made of @source (NULL: of nothing that is kept), whatever was there before. */
MUST_USE int vault_begin(struct vault *v, const uint8_t *apex, const struct version *served,
			 const struct version *source, struct journal_zone *zone,
			 struct errmsg *em);
/* Makes the change from @base to @next durable, and with it, where @source is given or @is_zone_new, what the caller has changed
 * of @zone. @source (may be NULL) is the zone file that it comes from, newly read; then zone->stamp is its. @zone is
 * brought up to date. */
struct vault_change {
	const uint8_t *apex;
	const struct version *base, *next;
	const struct version *source;
	bool is_zone_new;
	bool is_anew; /* there is to be no way back: a snapshot has it, and all history goes */
	enum journal_source from;
	int64_t now;
	/* How much history of the zone may stay (struct commit). */
	uint64_t history_octets;
	int64_t history_from;
};
MUST_USE int vault_write(struct vault *v, const struct vault_change *change,
			 struct journal_zone *zone, struct errmsg *em);
/* Makes durable what the caller knows of the zone (its fields of struct journal_zone), and with @source (may be NULL) the
 * zone file as it is now, with zone->stamp. No record of what is served changes. */
MUST_USE int vault_note(struct vault *v, const uint8_t *apex, const struct version *source,
			struct journal_zone *zone, struct errmsg *em);
/* Is so much behind the last snapshot that it is time for another? */
bool vault_wants_snapshot(const struct journal_zone *zone, const struct version *served);
/* Keeps @served, which has all changes of @zone, as a whole. */
MUST_USE int vault_snapshot(struct vault *v, const uint8_t *apex, const struct version *served,
			    struct journal_zone *zone, struct errmsg *em);

#endif

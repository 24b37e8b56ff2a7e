/* zones/batch.h - changes of many names, collected, sorted, and made into nodes.
 *
 * An edit collects its changes in a batch. So does each thread that reads a part of a zone file: it
 * makes nodes of them at once, and the edit has only to put them into the tree (edit_apply).
 *
 * Threads: one batch, one thread at a time.
 * Memory:  names and rdata are copied; `apex` is borrowed. */
#ifndef ZONES_BATCH_H
#define ZONES_BATCH_H

#include "zones/base/arena.h"
#include "zones/base/err.h"
#include "zones/base/pool.h"
#include "zones/node_build.h"

enum edit_ttl {
	EDIT_TTL_LEAST, /* records of a set with different TTLs all get the least (loading) */
	EDIT_TTL_LAST,	/* ... get that of the record added last (RFC 2136 §3.4.2.2) */
};

struct change;

enum batch_tree { BATCH_NAMES, BATCH_NSEC3, BATCH_TREES };

/* The changes of one owner that came in a row. */
struct batch_owner {
	const struct dname_key *key; /* only the first key.len symbols are there */
	const uint8_t *name;
	uint32_t first;
	uint32_t count;
	uint32_t run; /* after batch_sort: so many from here on have this name; 0 inside a run */
	struct node *made[BATCH_TREES]; /* by batch_make, or NULL */
};

struct batch {
	const uint8_t *apex;
	enum edit_ttl ttl_rule;
	struct arena arena; /* names and rdata */
	struct change *changes;
	uint32_t change_count, change_cap;
	struct batch_owner *owners;
	uint32_t owner_count, owner_cap;
	bool sorted;	/* owners are in canonical order */
	bool scattered; /* they did not come so: neighbours may lie far apart in the zone */
	struct node_build build;
	struct change *scratch; /* the changes of one owner together */
	uint32_t scratch_cap;
	const struct batch_owner
		*gathered; /* whose changes are in scratch, and from where on they are
					       of NSEC3 records */
	uint32_t nsec3_from;
	int err; /* sticky: E_LIMIT, a set is too large */
	struct errmsg em;
};

/* A zeroed batch with `apex` set is a valid empty one once it was reset. */
void batch_clear(struct batch *b);
/* Forgets the changes; keeps memory and `err`. */
void batch_reset(struct batch *b);

/* As edit_add and edit_remove. E_NOTZONE, E_INVAL. */
MUST_USE int batch_add(struct batch *b, const uint8_t *owner, uint16_t type, uint32_t ttl,
		       const uint8_t *rdata, size_t len);
MUST_USE int batch_remove(struct batch *b, const uint8_t *owner, uint16_t type,
			  const uint8_t *rdata, size_t len);

/* Sorts owners into canonical order and finds those that came more than once. */
void batch_sort(struct batch *b);
/* The node of the sorted batch's owner @o in @tree after its changes, made from @old (or NULL); NULL
 * when no change is for that tree, or when a set is too large (b->err). Valid until the next call. */
const struct node *batch_merge(struct batch *b, const struct batch_owner *o, enum batch_tree tree,
			       const struct node *old, bool is_apex);
/* Sorts, and makes the node of each owner as if nothing was there before, in @pool: `made`. */
void batch_make(struct batch *b, struct pool *pool);

#endif

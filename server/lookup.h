/* server/lookup.h - where a name leads: the zone that has it, and what that zone has there (RFC 1034 §4.3.2).
 *
 * A lookup is one descent of the zone's tree. In a large zone its time is the waiting for memory, so the
 * lookups of a batch of queries go in step (server/ahead.h): each asks for the memory of its next step, and
 * by the time it is its turn again the memory is there.
 *
 *     lookup_begin     makes the key, finds the zones       nothing of the zone is read yet
 *     lookup_find      the place in it
 *
 * Threads: one worker.
 * Memory:  what is found is borrowed: valid until the end of the epoch. */
#ifndef SERVER_LOOKUP_H
#define SERVER_LOOKUP_H

#include "signer/nsec3_hash.h"
#include "zones/zone.h"

enum place_kind {
	PLACE_CUT,	/* a delegation at the name or above it */
	PLACE_DNAME,	/* a DNAME above the name */
	PLACE_NODE,	/* the name is there */
	PLACE_EMPTY,	/* it is an empty non-terminal (RFC 8020) */
	PLACE_WILDCARD, /* *.<closest encloser> stands for it (RFC 4592) */
	PLACE_NONE,
};

struct place {
	enum place_kind kind;
	/* The cut, the DNAME, the name itself, the wildcard (NULL: an empty one). */
	const struct node *node;
};

enum lookup_result {
	LOOKUP_FOUND,
	LOOKUP_NO_ZONE,	  /* no zone that is served has the name */
	LOOKUP_NOT_READY, /* the zone has no data yet */
};

/* What an NSEC3 chain says of a name: the record that matches its hash, or the one that covers it. */
struct hashed {
	uint8_t label[1 + NSEC3_LABEL_LEN]; /* the first of the owner's */
	bool is_seen;  /* `node` is of some chain, but perhaps not of the one in use */
	bool is_found; /* what is below is what the chain in use says */
	bool is_match;
	const struct node *node; /* NULL: the chain is broken */
	const struct version *version;
	struct dname_key key; /* of the owner */
};

/* Of these names a proof will want to know it (denial_foresee). */
#define LOOKUP_HASHES_MAX 3
struct lookup_hash {
	const uint8_t *name;   /* borrowed */
	struct hashed *hashed; /* borrowed until the end of the batch */
};

struct lookup {
	const uint8_t *name; /* borrowed */
	uint16_t qtype;
	bool is_found;		   /* lookup_find was called; what it said is in `result` */
	enum lookup_result result; /* the rest below is for LOOKUP_FOUND */
	/* The zone of the longest apex; and for DS the one above it, whose side of a cut it is (RFC 4035 §3.1.4.1).
	 * NULL: none. */
	const struct zone *here, *above;
	const struct zone *zone;
	const struct version *version;
	struct place place;
	unsigned hash_count;
	struct lookup_hash hash[LOOKUP_HASHES_MAX];
	struct dname_key key;
	struct tree_match match;
	/* *.<closest encloser>, when the name is not there. */
	struct dname wild_name;
	struct dname_key wild_key;
	struct tree_match wild;
};

/* Begins to look up @name (borrowed) for @qtype among @zones. */
void lookup_begin(struct lookup *l, const struct zoneset *zones, const uint8_t *name,
		  uint16_t qtype);
/* The tree that lookup_find goes down first, or NULL. */
const struct tree *lookup_tree(const struct lookup *l);
/* Finds zone and place, once. */
enum lookup_result lookup_find(struct lookup *l);

#endif

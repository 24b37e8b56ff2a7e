/* zones/version.h - an immutable state of a zone: its names, its NSEC3 records, its apex facts.
 *
 * Versions of one zone share all that did not change, in one pool. Each knows which blocks its
 * successor dropped; they are freed once it and all older versions are no longer held.
 *
 * Threads: immutable once published; any thread may read while it holds a reference or is inside
 *          an epoch that began before the version was replaced.
 * Memory:  counted: version_ref/version_unref. Blocks are freed by the next edit of the zone, or
 *          with the last version. */
#ifndef ZONES_VERSION_H
#define ZONES_VERSION_H

#include "zones/dns/soa.h"
#include "zones/node.h"
#include "zones/tree.h"

/* How a zone proves that a name is not there. */
enum denial { DENIAL_NONE, DENIAL_NSEC, DENIAL_NSEC3 };

#define NSEC3_SALT_MAX	  255
#define NSEC3_PARAM_FIXED 5 /* octets before the salt in NSEC3 and NSEC3PARAM rdata */

struct nsec3_param {
	uint8_t algorithm;
	uint8_t flags;
	uint16_t iterations;
	uint8_t salt_len;
	uint8_t salt[NSEC3_SALT_MAX];
};

/* Reads the fields that NSEC3 and NSEC3PARAM rdata begin with (RFC 5155 §3.2, §4.2). E_TRUNC. */
MUST_USE int nsec3_param_read(const uint8_t *rdata, size_t len, struct nsec3_param *out);
/* Do they make the same hashes? Flags do not matter. */
bool nsec3_param_same(const struct nsec3_param *a, const struct nsec3_param *b);
/* Does @n own an NSEC3 record made with @param? */
bool nsec3_is_of_chain(const struct node *n, const struct nsec3_param *param);

/* The pool of a zone and its versions from the oldest that is held to the newest; private to
 * version.c and edit.c. */
struct lineage {
	struct pool pool;	/* the writer's */
	struct version *oldest; /* the writer's */
	uint32_t refs;		/* atomic: versions that are held, and the edit */
	uint8_t apex[];
};

struct version {
	struct tree names; /* all but NSEC3 records; leaves are struct node */
	struct tree nsec3; /* owners of NSEC3 records with those and their signatures only */
	struct version_apex {
		const uint8_t *wire; /* the lineage's */
		uint8_t len;
	} apex;
	uint8_t apex_labels;
	bool secure;			/* the apex has DNSKEYs and signatures */
	enum denial denial;		/* which chain is there */
	struct nsec3_param nsec3_param; /* of the chain in use, when denial is DENIAL_NSEC3 */
	const struct node *apex_node;	/* NULL in a zone without any record at the apex */
	const struct rrset *soa;	/* or NULL */
	uint32_t serial;
	uint32_t negative_ttl; /* the lesser of the SOA's TTL and minimum (RFC 2308 §5) */
	struct soa_names soa_names;
	uint32_t
		signed_until; /* when secure: the SOA's last signature expires then (serial time) */
	uint64_t records;     /* all records, signatures included */
	/* Private to version.c and edit.c. */
	struct lineage *lineage;
	struct version *newer;	     /* the next version of the lineage */
	struct tree_garbage garbage; /* blocks that `newer` does not use any more */
	uint32_t refs;		     /* atomic */
};

struct version *version_ref(const struct version *v);
void version_unref(struct version *v); /* NULL is fine */

/* The numbers of its SOA; zeros where it has none. */
struct soa_numbers version_soa(const struct version *v);

/* The node of @name, or NULL. */
const struct node *version_node(const struct version *v, const uint8_t *name);

/* Is @name (of a node of the names tree) below a cut or below a DNAME: not authoritative data?
 * A cut itself is not. @cut (may be NULL) gets the topmost cut or DNAME at or above the name. */
bool version_is_occluded(const struct version *v, const uint8_t *name, const struct node **cut);

/* Walks both trees in one canonical order. */
struct version_walk {
	struct tree_cursor names;
	struct tree_cursor nsec3;
};
const struct node *version_first(const struct version *v, struct version_walk *w);
const struct node *version_next(struct version_walk *w);

/* Private to edit.c: lineages, and the facts that are derived from the trees. */
struct lineage *lineage_new(const uint8_t *apex);
void lineage_unref(struct lineage *l);
/* Frees the versions at the old end that nobody holds, and what only they used. */
void lineage_collect(struct lineage *l);
void version_facts(struct version *v);

/* Octets of the zone's memory (pool), for metrics and benches. */
size_t version_memory(const struct version *v);

#endif

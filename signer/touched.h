/* signer/touched.h - which names of a zone a change touches, and who stands beside them in the chain.
 *
 * Both who signs a change and who verifies it begin with these. "The chain" are the names that are not
 * occluded, in canonical order: those that NSEC records link.
 *
 * Threads: one.
 * Memory:  names are copied, as nodes of an edit go while it goes on; touched_clear. */
#ifndef SIGNER_TOUCHED_H
#define SIGNER_TOUCHED_H

#include "zones/base/arena.h"
#include "zones/version.h"

struct touched {
	struct arena arena;
	const uint8_t **names; /* heap; canonical order, each once, after touched_sort */
	size_t count, cap;
};

/* Adds all names that differ; and where a cut or DNAME came or went, all of @after below it, as they become
 * hidden or visible. Sorted. */
void touched_find(struct touched *t, const struct version *before, const struct version *after);
/* Adds for each name that came into the chain or went the one before it there. Sorted. */
void touched_add_before(struct touched *t, const struct version *before,
			const struct version *after);
void touched_add(struct touched *t, const uint8_t *name);
void touched_sort(struct touched *t);
void touched_clear(struct touched *t);

/* Does @n own nothing that makes it a name of the zone? An NSEC record and signatures do not. */
bool node_is_void(const struct node *n);
/* Is what is below @n hidden? */
static inline bool node_hides(const struct node *n)
{
	return n != NULL && (n->flags & (NODE_CUT | NODE_DNAME)) != 0;
}

/* The node of @name if it is in the chain, or NULL. */
const struct node *chain_node(const struct version *v, const uint8_t *name);
/* The last node of the chain before @name, which is not the apex. */
const struct node *chain_before(const struct version *v, const uint8_t *name);
/* The first behind @n, a node of it; the apex behind the last. */
const struct node *chain_after(const struct version *v, const struct node *n);

/* The NSEC3 owner of @hash, or NULL. */
const struct node *nsec3_node(const struct version *v, const uint8_t *hash);
/* The one before or behind @hash, around the end; NULL where there is none at all. */
const struct node *nsec3_beside(const struct version *v, const uint8_t *hash, bool is_before);
/* Does the NSEC3 chain opt out? Its first record speaks for all. */
bool nsec3_opts_out(const struct version *v);

#endif

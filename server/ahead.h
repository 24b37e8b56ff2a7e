/* server/ahead.h - looking ahead: has the memory of a batch of queries fetched before it is wanted.
 *
 * A search in a large tree waits for memory at each level. Probes of several searches go down in step: each
 * asks for the memory of its next level and lets the others go on meanwhile, so their waits overlap. What
 * the probes pass is in the cache when the searches themselves follow. Probes find nothing and are never
 * needed for an answer to be right.
 *
 * Threads: one worker.
 * Memory:  fixed; trees and keys are borrowed until ahead_go has returned. */
#ifndef SERVER_AHEAD_H
#define SERVER_AHEAD_H

#include "zones/node.h"
#include "zones/tree.h"

#define AHEAD_MAX 128

struct ahead {
	unsigned probes;
	struct tree_probe probe[AHEAD_MAX];
};

/* Forgets all probes. */
static inline void ahead_clear(struct ahead *a)
{
	a->probes = 0;
}

/* Adds a probe; when there is no room, or nowhere to go (twig NULL), it is left out. */
static inline void ahead_add(struct ahead *a, struct tree_probe p)
{
	if (a->probes < AHEAD_MAX && p.twig != NULL) {
		a->probe[a->probes++] = p;
	}
}

/* Walks all probes to their ends; then there are none. */
static inline void ahead_go(struct ahead *a)
{
	while (a->probes != 0) {
		for (unsigned i = 0; i < a->probes;) {
			if (tree_probe_step(&a->probe[i])) {
				i++;
			} else {
				a->probe[i] = a->probe[--a->probes];
			}
		}
	}
}

/* Asks for @len octets, up to what the processor can have under way. */
static inline void ahead_octets(const void *from, size_t len)
{
	enum { LINE = 64, LINES_MAX = 12 };
	for (size_t i = 0; i * LINE < len + LINE - 1 && i < LINES_MAX; i++) {
		__builtin_prefetch((const uint8_t *)from + i * LINE);
	}
}

/* Asks for the records and signatures of a set, whose node has come already. */
static inline void ahead_rrset(const struct rrset *rs)
{
	ahead_octets(rrset_data(rs), (size_t)rs->data_len + rs->sig_len);
}

#endif

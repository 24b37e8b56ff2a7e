/* zones/base/pool.h - memory of one zone: many small blocks of known size, freed one by one.
 *
 * Blocks come from large chunks in the order of the calls, so that what is made together lies
 * together; a freed block goes to the list of its size and is handed out again. There is no
 * header per block: the caller says the size again when it frees. Large chunks ask for huge
 * pages, as the descent of a tree of a million names is bound by address translation.
 *
 * Threads: one writer; readers may read blocks that were handed to them.
 * Memory:  pool_clear gives everything back at once. */
#ifndef ZONES_BASE_POOL_H
#define ZONES_BASE_POOL_H

#include <stdbool.h>

#include "zones/base/attr.h"

#define POOL_STEP    16	 /* sizes are rounded up to it; blocks are aligned to it */
#define POOL_CLASSES 128 /* blocks up to POOL_STEP × POOL_CLASSES; larger ones go to malloc */

struct pool_chunk;
struct pool_large;
struct pool_free;

struct pool {
	uint8_t *pos;
	uint8_t *end;
	size_t chunk_size;
	size_t used; /* octets handed out and not freed */
	size_t held; /* octets taken from the system */
	struct pool_chunk *chunks;
	struct pool_large *large;
	struct pool_free **free; /* POOL_CLASSES + 1 lists, made by the first pool_free */
};

/* A zeroed struct pool is a valid empty one. */
void pool_clear(struct pool *p);
MUST_USE void *pool_alloc(struct pool *p, size_t size);
/* For an empty pool that will hold blocks of @octets in all, each rounded up to POOL_STEP, and little more: they come from
 * one chunk of that size. */
void pool_reserve(struct pool *p, size_t octets);
/* @size as in pool_alloc. */
void pool_free(struct pool *p, void *block, size_t size);

/* Are blocks of this size cut from chunks? Those may be freed into another pool that will adopt this one. */
bool pool_is_small(size_t size);
/* Takes over all that @from holds and leaves it empty. Blocks stay where they are. */
void pool_adopt(struct pool *p, struct pool *from);

#endif

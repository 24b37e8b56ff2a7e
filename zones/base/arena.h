/* zones/base/arena.h - memory by lifetime: many small allocations, freed together.
 *
 * Threads: one arena, one thread.
 * Memory:  everything from an arena lives until arena_reset or arena_clear. */
#ifndef ZONES_BASE_ARENA_H
#define ZONES_BASE_ARENA_H

#include "zones/base/attr.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	uint8_t *pos;
	uint8_t *end;
	size_t chunk_size; /* octets of the next chunk; doubles up to ARENA_CHUNK_MAX */
	size_t used;	   /* octets handed out */
};

#define ARENA_CHUNK_MIN ((size_t)4096)
#define ARENA_CHUNK_MAX ((size_t)1 << 20)

/* A zeroed struct arena is a valid empty one. */
void arena_init(struct arena *a);
void arena_clear(struct arena *a);
/* Forgets all allocations and keeps the newest chunk for what comes next. */
void arena_reset(struct arena *a);
/* @size octets, aligned to 8, not zeroed. Never NULL. */
MUST_USE void *arena_alloc(struct arena *a, size_t size);
/* @size octets without alignment, for octet strings. */
MUST_USE uint8_t *arena_bytes(struct arena *a, size_t size);
MUST_USE void *arena_dup(struct arena *a, const void *src, size_t len);
/* Copy of @len octets of @s with a NUL behind. */
MUST_USE char *arena_str(struct arena *a, const char *s, size_t len);

#endif

/* zones/base/arena.c - memory by lifetime. */
#include "zones/base/arena.h"

#include <string.h>

#include "zones/base/mem.h"

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
};

void arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

void arena_clear(struct arena *a)
{
	struct arena_chunk *c = a->chunks;
	while (c != NULL) {
		struct arena_chunk *next = c->next;
		mem_free(c);
		c = next;
	}
	arena_init(a);
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *keep = a->chunks;
	if (keep == NULL) {
		return;
	}
	struct arena_chunk *c = keep->next;
	while (c != NULL) {
		struct arena_chunk *next = c->next;
		mem_free(c);
		c = next;
	}
	keep->next = NULL;
	a->pos = (uint8_t *)(keep + 1);
	a->end = a->pos + keep->size;
	a->used = 0;
}

/* Stress builds give each allocation a chunk of its own, so that a sanitizer sees an octet too many. */
static size_t room_left(const struct arena *a)
{
	return (size_t)(a->end - a->pos) * STRESSED(1, 0);
}

static void arena_grow(struct arena *a, size_t size)
{
	size_t want = STRESSED(a->chunk_size != 0 ? a->chunk_size : ARENA_CHUNK_MIN, size);
	if (want < ARENA_CHUNK_MAX) {
		a->chunk_size = want * 2;
	}
	if (want < size) {
		want = size;
	}
	struct arena_chunk *c = mem_alloc(sizeof(*c) + want);
	c->next = a->chunks;
	c->size = want;
	a->chunks = c;
	a->pos = (uint8_t *)(c + 1);
	a->end = a->pos + want;
}

uint8_t *arena_bytes(struct arena *a, size_t size)
{
	if (UNLIKELY(a->pos == NULL || room_left(a) < size)) {
		arena_grow(a, size);
	}
	uint8_t *p = a->pos;
	a->pos += size;
	a->used += size;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t pad = (size_t)(-(uintptr_t)a->pos & 7U);
	size_t full = STRESSED((size + 7U) & ~(size_t)7, size);
	if (UNLIKELY(a->pos == NULL || room_left(a) < pad + full)) {
		arena_grow(a, full);
		pad = 0;
	}
	uint8_t *p = a->pos + pad;
	a->pos = p + full;
	a->used += full;
	return p;
}

void *arena_dup(struct arena *a, const void *src, size_t len)
{
	uint8_t *p = arena_bytes(a, len);
	if (len != 0) {
		memcpy(p, src, len);
	}
	return p;
}

char *arena_str(struct arena *a, const char *s, size_t len)
{
	char *p = (char *)arena_bytes(a, len + 1);
	if (len != 0) {
		memcpy(p, s, len);
	}
	p[len] = '\0';
	return p;
}

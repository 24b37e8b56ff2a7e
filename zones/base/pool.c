/* zones/base/pool.c - blocks of known size out of large chunks, with a free list per size. */
#include "zones/base/pool.h"

#include <sys/mman.h>

#include "zones/base/mem.h"

/* Small zones start with little; large ones end in chunks of a huge page. */
#define CHUNK_MIN ((size_t)1024)
#define CHUNK_MAX ((size_t)2 << 20)

struct pool_chunk {
	struct pool_chunk *next;
	void *base;    /* of a mapped one; others lie behind this struct */
	size_t mapped; /* 0: from malloc */
};

/* Keeps what lies behind a struct pool_chunk aligned as malloc does. */
#define CHUNK_HEAD ((sizeof(struct pool_chunk) + POOL_STEP - 1) & ~(size_t)(POOL_STEP - 1))

struct pool_large {
	struct pool_large *next;
	struct pool_large **link;
};

struct pool_free {
	struct pool_free *next;
};

/* Stress builds take every block from malloc, so that a sanitizer sees what is used after it was freed,
 * and the octet behind it. */
#define CLASSES STRESSED(POOL_CLASSES, 0)
#define STEP	STRESSED(POOL_STEP, 1)

static size_t round_up(size_t size)
{
	return size == 0 ? STEP : (size + STEP - 1) & ~(size_t)(STEP - 1);
}

static struct pool_chunk *chunk_map(size_t size)
{
	/* Mapped twice as large as wanted, so that an aligned stretch can be kept. */
	uint8_t *raw =
		mmap(NULL, size * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (raw == MAP_FAILED) {
		return NULL;
	}
	uint8_t *base = (uint8_t *)(((uintptr_t)raw + size - 1) & ~(uintptr_t)(size - 1));
	if (base > raw) {
		(void)munmap(raw, (size_t)(base - raw));
	}
	(void)munmap(base + size, (size_t)(raw + size - base));
	(void)madvise(base, size, MADV_HUGEPAGE); /* a wish; nothing depends on it */
	struct pool_chunk *c = mem_alloc(sizeof(*c));
	c->base = base;
	c->mapped = size;
	return c;
}

/* Goes on in a new chunk. */
static void chunk_add(struct pool *p, size_t size)
{
	struct pool_chunk *c = size == CHUNK_MAX ? chunk_map(size) : NULL;
	if (c == NULL) {
		c = mem_alloc(CHUNK_HEAD + size);
		c->base = (uint8_t *)c + CHUNK_HEAD;
		c->mapped = 0;
	}
	c->next = p->chunks;
	p->chunks = c;
	p->pos = c->base;
	p->end = p->pos + size;
	p->held += size;
}

static void pool_grow(struct pool *p)
{
	size_t size = p->chunk_size != 0 ? p->chunk_size : CHUNK_MIN;
	/* All that is held doubles; a server may have many small zones. */
	const size_t next = p->chunks != NULL ? size * 2 : size;
	p->chunk_size = next < CHUNK_MAX ? next : CHUNK_MAX;
	chunk_add(p, size);
}

void pool_reserve(struct pool *p, size_t octets)
{
	if (octets != 0 && octets < CHUNK_MAX) {
		chunk_add(p, octets);
	}
}

void pool_clear(struct pool *p)
{
	while (p->chunks != NULL) {
		struct pool_chunk *c = p->chunks;
		p->chunks = c->next;
		if (c->mapped != 0) {
			(void)munmap(c->base, c->mapped);
		}
		mem_free(c);
	}
	while (p->large != NULL) {
		struct pool_large *l = p->large;
		p->large = l->next;
		mem_free(l);
	}
	mem_free(p->free);
	*p = (struct pool){ 0 };
}

static void *large_alloc(struct pool *p, size_t size)
{
	struct pool_large *l = mem_alloc(sizeof(*l) + size);
	l->next = p->large;
	l->link = &p->large;
	if (l->next != NULL) {
		l->next->link = &l->next;
	}
	p->large = l;
	p->held += size;
	return l + 1;
}

static void large_free(struct pool *p, void *block, size_t size)
{
	struct pool_large *l = (struct pool_large *)block - 1;
	*l->link = l->next;
	if (l->next != NULL) {
		l->next->link = l->link;
	}
	mem_free(l);
	p->held -= size;
}

void *pool_alloc(struct pool *p, size_t size)
{
	size = round_up(size);
	p->used += size;
	size_t class = size / STEP;
	if (UNLIKELY(class > CLASSES)) {
		return large_alloc(p, size);
	}
	if (p->free != NULL && p->free[class] != NULL) {
		struct pool_free *f = p->free[class];
		p->free[class] = f->next;
		return f;
	}
	while (UNLIKELY((size_t)(p->end - p->pos) < size)) {
		pool_grow(p);
	}
	void *block = p->pos;
	p->pos += size;
	return block;
}

void pool_free(struct pool *p, void *block, size_t size)
{
	size = round_up(size);
	p->used -= size;
	size_t class = size / STEP;
	if (class > CLASSES) {
		large_free(p, block, size);
		return;
	}
	if (p->free == NULL) {
		p->free = mem_array(POOL_CLASSES + 1, sizeof(struct pool_free *));
	}
	struct pool_free *f = block;
	f->next = p->free[class];
	p->free[class] = f;
}

bool pool_is_small(size_t size)
{
	return round_up(size) / STEP <= CLASSES;
}

void pool_adopt(struct pool *p, struct pool *from)
{
	struct pool_chunk **last = &from->chunks;
	while (*last != NULL) {
		last = &(*last)->next;
	}
	*last = p->chunks;
	p->chunks = from->chunks;
	while (from->large != NULL) {
		struct pool_large *l = from->large;
		from->large = l->next;
		l->next = p->large;
		l->link = &p->large;
		if (l->next != NULL) {
			l->next->link = &l->next;
		}
		p->large = l;
	}
	for (size_t class = 0; from->free != NULL && class <= POOL_CLASSES; class ++) {
		while (from->free[class] != NULL) {
			struct pool_free *f = from->free[class];
			from->free[class] = f->next;
			pool_free(p, f, class * STEP);
			p->used += class * STEP; /* it was not in use */
		}
	}
	if (from->end - from->pos > p->end - p->pos) { /* go on where more room is left */
		p->pos = from->pos;
		p->end = from->end;
	}
	p->used += from->used;
	p->held += from->held;
	p->chunk_size = p->chunk_size > from->chunk_size ? p->chunk_size : from->chunk_size;
	mem_free(from->free);
	*from = (struct pool){ 0 };
}

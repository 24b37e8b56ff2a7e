/* zones/base/buf.h - a growing string of octets, for text that we make.
 *
 * Invariant: data[0..len) is content and, once anything was added, data[len] == '\0', so the
 * content can be handed to printf.
 *
 * Threads: one buffer, one thread.
 * Memory:  buf_clear frees; a zeroed struct buf is a valid empty one. */
#ifndef ZONES_BASE_BUF_H
#define ZONES_BASE_BUF_H

#include <stdbool.h>
#include <string.h>

#include "zones/base/attr.h"

struct buf {
	char *data;
	size_t len;
	size_t cap; /* octets allocated, the NUL's included */
};

void buf_clear(struct buf *b);
/* Makes room for @more octets (and the NUL) and returns where they go; buf_grew then takes them in.
 * What is there keeps its value; pointers into the buffer do not. */
static inline char *buf_reserve(struct buf *b, size_t more);
PRINTF(2, 3) void buf_printf(struct buf *b, const char *fmt, ...);
/* @s as decimal digits. */
void buf_u32(struct buf *b, uint32_t value);

/* The slow half of buf_reserve. */
char *buf_enlarge(struct buf *b, size_t more);

static inline char *buf_reserve(struct buf *b, size_t more)
{
	return STRESSED(LIKELY(b->cap - b->len > more), false) ? b->data + b->len
							       : buf_enlarge(b, more);
}

/* Takes in @len octets that were written where buf_reserve said. */
static inline void buf_grew(struct buf *b, size_t len)
{
	b->len += len;
	b->data[b->len] = '\0';
}

static inline void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL) {
		b->data[0] = '\0';
	}
}

static inline void buf_add(struct buf *b, const void *src, size_t len)
{
	char *to = buf_reserve(b, len);
	if (len != 0) {
		memcpy(to, src, len); /* src may be NULL where there is nothing */
	}
	to[len] = '\0';
	b->len += len;
}

static inline void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static inline void buf_char(struct buf *b, char c)
{
	char *to = buf_reserve(b, 1);
	to[0] = c;
	to[1] = '\0';
	b->len++;
}

#endif

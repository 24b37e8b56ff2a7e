/* zones/base/wire.h - the bounded reader and writer: every octet from outside passes here.
 *
 * Both keep a sticky error: call freely, test `err` once at the end. After an error a reader
 * yields zeros and a writer writes nothing. Numbers are in network order on the wire and in host
 * order in the calls.
 *
 * Threads: one reader or writer, one thread.
 * Memory:  borrowed: the octets belong to the caller and must outlive the reader or writer.
 * Errors:  E_TRUNC (reader), E_NOSPACE (writer), or what a caller set. */
#ifndef ZONES_BASE_WIRE_H
#define ZONES_BASE_WIRE_H

#include <string.h>

#include "zones/base/attr.h"
#include "zones/base/err.h"

struct reader {
	const uint8_t *start;
	const uint8_t *pos;
	const uint8_t *end;
	int err;
};

struct writer {
	uint8_t *start;
	uint8_t *pos;
	uint8_t *end;
	int err;
};

/* Unchecked conversions, for octets whose bounds are known already. */
static inline uint16_t be16_get(const uint8_t *p)
{
	return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t be32_get(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline uint64_t be64_get(const uint8_t *p)
{
	return (uint64_t)be32_get(p) << 32 | be32_get(p + 4);
}

static inline void be16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void be32_put(uint8_t *p, uint32_t v)
{
	be16_put(p, (uint16_t)(v >> 16));
	be16_put(p + 2, (uint16_t)v);
}

static inline void be64_put(uint8_t *p, uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put(p + 4, (uint32_t)v);
}

static inline struct reader reader_of(const void *data, size_t len)
{
	const uint8_t *p = data;
	const uint8_t *end = len != 0 ? p + len : p; /* NULL + 0 is undefined in C */
	return (struct reader){ .start = p, .pos = p, .end = end, .err = E_OK };
}

static inline size_t reader_left(const struct reader *r)
{
	return r->err != E_OK ? 0 : (size_t)(r->end - r->pos);
}

static inline void reader_fail(struct reader *r, int err)
{
	if (r->err == E_OK) {
		r->err = err;
	}
}

/* The next @len octets, borrowed, or NULL (E_TRUNC). */
static inline const uint8_t *reader_bytes(struct reader *r, size_t len)
{
	if (UNLIKELY(r->err != E_OK || (size_t)(r->end - r->pos) < len)) {
		reader_fail(r, E_TRUNC);
		return NULL;
	}
	const uint8_t *p = r->pos;
	r->pos += len;
	return p;
}

static inline uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 1);
	return p != NULL ? *p : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 2);
	return p != NULL ? be16_get(p) : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 4);
	return p != NULL ? be32_get(p) : 0;
}

static inline struct writer writer_of(void *data, size_t len)
{
	uint8_t *p = data;
	uint8_t *end = len != 0 ? p + len : p;
	return (struct writer){ .start = p, .pos = p, .end = end, .err = E_OK };
}

static inline size_t writer_left(const struct writer *w)
{
	return w->err != E_OK ? 0 : (size_t)(w->end - w->pos);
}

static inline size_t writer_len(const struct writer *w)
{
	return (size_t)(w->pos - w->start);
}

static inline void writer_fail(struct writer *w, int err)
{
	if (w->err == E_OK) {
		w->err = err;
	}
}

/* Room for @len octets, which the caller fills, or NULL (E_NOSPACE). */
static inline uint8_t *writer_room(struct writer *w, size_t len)
{
	if (UNLIKELY(w->err != E_OK || (size_t)(w->end - w->pos) < len)) {
		writer_fail(w, E_NOSPACE);
		return NULL;
	}
	uint8_t *p = w->pos;
	w->pos += len;
	return p;
}

static inline void writer_bytes(struct writer *w, const void *src, size_t len)
{
	uint8_t *p = writer_room(w, len);
	if (p != NULL && len != 0) {
		memcpy(p, src, len);
	}
}

static inline void writer_u8(struct writer *w, uint8_t v)
{
	uint8_t *p = writer_room(w, 1);
	if (p != NULL) {
		*p = v;
	}
}

static inline void writer_u16(struct writer *w, uint16_t v)
{
	uint8_t *p = writer_room(w, 2);
	if (p != NULL) {
		be16_put(p, v);
	}
}

static inline void writer_u32(struct writer *w, uint32_t v)
{
	uint8_t *p = writer_room(w, 4);
	if (p != NULL) {
		be32_put(p, v);
	}
}

#endif

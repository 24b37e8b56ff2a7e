/* zones/dns/compress.c - name compression.
 *
 * Suffixes lie in the order in which they were added; each heads the list of its bucket. So the newest
 * can be taken out again by making its successor the head, which is all that rewinding needs. */
#include "zones/dns/compress.h"

#include <string.h>

/* The suffixes of one name, from the left: label i starts at offset[i]. */
struct suffixes {
	unsigned labels;
	uint8_t len; /* of the whole name */
	uint8_t offset[DNAME_LABELS_MAX];
	uint8_t bucket[DNAME_LABELS_MAX];
};

static void suffixes_make(struct suffixes *s, const uint8_t *name)
{
	size_t at = 0;
	s->labels = 0;
	while (name[at] != 0) {
		s->offset[s->labels++] = (uint8_t)at;
		at += (size_t)name[at] + 1;
	}
	s->len = (uint8_t)(at + 1);
	uint32_t h = 2166136261U; /* FNV-1a, label by label from the root down */
	for (unsigned i = s->labels; i-- != 0;) {
		const uint8_t *label = name + s->offset[i];
		for (unsigned k = 0; k <= *label; k++) {
			h = (h ^ label[k]) * 16777619U;
		}
		s->bucket[i] = (uint8_t)((h ^ h >> 16) % COMPRESS_BUCKETS);
	}
}

/* The offset of a suffix in the message, or 0. */
static uint16_t find(const struct compress *c, unsigned bucket, const uint8_t *name, size_t len)
{
	for (unsigned i = c->bucket[bucket]; i != 0; i = c->suffix[i - 1].next) {
		const struct compress_suffix *s = &c->suffix[i - 1];
		if (s->len == len && memcmp(s->name, name, len) == 0) {
			return s->offset;
		}
	}
	return 0;
}

static void add(struct compress *c, unsigned bucket, const uint8_t *name, size_t len, size_t offset)
{
	if (c->count == COMPRESS_MAX || offset > MESSAGE_POINTER_MAX) {
		return;
	}
	c->suffix[c->count] = (struct compress_suffix){ .name = name,
							.offset = (uint16_t)offset,
							.len = (uint8_t)len,
							.bucket = (uint8_t)bucket,
							.next = c->bucket[bucket] };
	c->bucket[bucket] = (uint8_t)++c->count;
}

void compress_rewind(struct compress *c, unsigned mark)
{
	while (c->count > mark) {
		const struct compress_suffix *s = &c->suffix[--c->count];
		c->bucket[s->bucket] = s->next;
	}
}

void compress_begin(struct compress *c)
{
	compress_rewind(c, 0);
}

void compress_add(struct compress *c, const uint8_t *name, size_t offset)
{
	struct suffixes s;
	suffixes_make(&s, name);
	for (unsigned i = 0; i < s.labels; i++) {
		add(c, s.bucket[i], name + s.offset[i], (size_t)s.len - s.offset[i],
		    offset + s.offset[i]);
	}
}

uint16_t compress_name(struct compress *c, struct writer *w, const uint8_t *name)
{
	struct suffixes s;
	suffixes_make(&s, name);
	unsigned shared = 0; /* the first suffix that is there already */
	uint16_t there = 0;
	while (shared < s.labels && there == 0) {
		size_t at = s.offset[shared];
		there = find(c, s.bucket[shared], name + at, s.len - at);
		shared += there == 0;
	}
	size_t start = writer_len(w);
	size_t own = shared < s.labels ? s.offset[shared] : s.len - 1U;
	uint8_t *to = writer_room(w, own + (there != 0 ? 2 : 1));
	if (to == NULL) {
		return 0;
	}
	memcpy(to, name, own);
	if (there != 0) {
		be16_put(to + own, (uint16_t)(MESSAGE_POINTER | there));
	} else {
		to[own] = 0;
	}
	for (unsigned i = 0; i < shared; i++) {
		add(c, s.bucket[i], name + s.offset[i], (size_t)s.len - s.offset[i],
		    start + s.offset[i]);
	}
	if (shared == 0) {
		return there;
	}
	return start <= MESSAGE_POINTER_MAX ? (uint16_t)start : 0;
}

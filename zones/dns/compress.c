/* zones/dns/compress.c - name compression.
 *
 * Suffixes lie in the order in which they were added, parents first; each heads the list of its bucket. So the
 * newest can be taken out again by making its successor the head, which is all that rewinding needs. */
#include "zones/dns/compress.h"

#include <string.h>

/* A name from the left: label i starts at offset[i]. */
struct labels {
	unsigned count;
	uint8_t len; /* of the whole name */
	uint8_t offset[DNAME_LABELS_MAX];
};

static void labels_of(struct labels *s, const uint8_t *name)
{
	size_t at = 0;
	s->count = 0;
	while (name[at] != 0) {
		s->offset[s->count++] = (uint8_t)at;
		at += (size_t)name[at] + 1;
	}
	s->len = (uint8_t)(at + 1);
}

static unsigned bucket_of(unsigned parent, const uint8_t *label)
{
	unsigned h = parent * 37U + label[0] * 5U + label[1] * 11U + label[label[0]] * 3U;
	return h % COMPRESS_BUCKETS;
}

/* The place + 1 of @label below @parent, or 0. */
static unsigned find(const struct compress *c, unsigned parent, unsigned bucket,
		     const uint8_t *label)
{
	unsigned i = c->bucket[bucket];
	while (i != 0) {
		const struct compress_suffix *s = &c->suffix[i - 1];
		if (s->parent == parent && s->label[0] == label[0] &&
		    memcmp(s->label + 1, label + 1, label[0]) == 0) {
			break;
		}
		i = s->next;
	}
	return i;
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

/* Pointers that a reader follows for a name that ends in one at @parent. */
static unsigned pointers_to(const struct compress *c, unsigned parent)
{
	return parent != 0 ? c->suffix[parent - 1].pointers + 1U : 0;
}

/* Remembers the suffixes that begin with the first @own labels, of a name at @offset; the one behind them is
 * @parent. */
static void remember(struct compress *c, const uint8_t *name, const struct labels *s, unsigned own,
		     unsigned parent, size_t offset)
{
	const unsigned pointers = pointers_to(c, parent);
	while (own-- != 0) {
		size_t at = offset + s->offset[own];
		if (c->count == COMPRESS_MAX || at > MESSAGE_POINTER_MAX) {
			return;
		}
		const uint8_t *label = name + s->offset[own];
		unsigned bucket = bucket_of(parent, label);
		c->suffix[c->count] = (struct compress_suffix){ .label = label,
								.offset = (uint16_t)at,
								.parent = (uint8_t)parent,
								.bucket = (uint8_t)bucket,
								.next = c->bucket[bucket],
								.pointers = (uint8_t)pointers };
		parent = ++c->count;
		c->bucket[bucket] = (uint8_t)parent;
	}
}

void compress_add(struct compress *c, const uint8_t *name, size_t offset)
{
	struct labels s;
	labels_of(&s, name);
	remember(c, name, &s, s.count, 0, offset);
}

uint16_t compress_name(struct compress *c, struct writer *w, const uint8_t *name)
{
	struct labels s;
	labels_of(&s, name);
	unsigned own = s.count; /* labels that are not there yet */
	unsigned parent = 0;
	while (own != 0) {
		const uint8_t *label = name + s.offset[own - 1];
		unsigned there = find(c, parent, bucket_of(parent, label), label);
		if (there == 0) {
			break;
		}
		parent = there;
		own--;
	}
	if (own != 0 && pointers_to(c, parent) == COMPRESS_POINTERS_MAX) {
		own = s.count; /* what points here would be a pointer too much: it stands whole */
		parent = 0;
	}
	uint16_t there = parent != 0 ? c->suffix[parent - 1].offset : 0;
	size_t start = writer_len(w);
	size_t len = own < s.count ? s.offset[own] : s.len - 1U;
	uint8_t *to = writer_room(w, len + (parent != 0 ? 2 : 1));
	if (to == NULL) {
		return 0;
	}
	memcpy(to, name, len);
	if (parent != 0) {
		be16_put(to + len, (uint16_t)(MESSAGE_POINTER | there));
	} else {
		to[len] = 0;
	}
	if (own == 0) {
		return there;
	}
	remember(c, name, &s, own, parent, start);
	return start <= MESSAGE_POINTER_MAX ? (uint16_t)start : 0;
}

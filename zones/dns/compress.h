/* zones/dns/compress.h - name compression (RFC 1035 §4.1.4) for a message being written.
 *
 * Remembers where suffixes of names stand in the message, as a tree of labels from the root down:
 *
 *     www.example.com. at 12, mail.example.com. at 40
 *
 *     (root) -- com 24 -- example 16 -+- www 12
 *                                     +- mail 40
 *
 * A name is found label by label; the children of a suffix are found by a hash of parent, length, first and
 * last octet, which costs the same however long the label is. Case is kept: a suffix is shared only where
 * the octets are equal. Room is bounded; when it is used up, names are still compressed against what is
 * known, and new ones are not remembered.
 *
 * Threads: one writer.
 * Memory:  names given here are borrowed until the next compress_begin. */
#ifndef ZONES_DNS_COMPRESS_H
#define ZONES_DNS_COMPRESS_H

#include "zones/base/wire.h"
#include "zones/dns/message.h"

#define COMPRESS_BUCKETS 128
/* Enough for all names of a UDP message, fits an octet. */
#define COMPRESS_MAX 240
/* Pointers from one to the next that a reader has to follow for one name, at most. Some take as many as the
 * message has; dnspython gives up after 16, Go's dnsmessage after 10. */
#define COMPRESS_POINTERS_MAX 8

struct compress_suffix {
	const uint8_t *label; /* its first, with the length octet */
	uint16_t offset;      /* in the message */
	uint8_t parent;	      /* the suffix without that label: place + 1, or 0: the root */
	uint8_t bucket;
	uint8_t next;	  /* in the bucket: place + 1, or 0 */
	uint8_t pointers; /* that a reader follows who begins here; < COMPRESS_POINTERS_MAX */
};

/* Zeroed, it is ready for compress_begin. */
struct compress {
	unsigned count;
	uint8_t bucket[COMPRESS_BUCKETS]; /* the newest suffix of that hash: place + 1, or 0 */
	struct compress_suffix suffix[COMPRESS_MAX];
};

/* Forgets everything: a new message. */
void compress_begin(struct compress *c);

/* @name stands whole (not compressed) at @offset. */
void compress_add(struct compress *c, const uint8_t *name, size_t offset);

/* Writes @name at the writer's place (w->start is the message), compressed, and remembers it. Returns the
 * offset by which it can be pointed at from now on, 0 when it cannot be (out of reach, the root, or
 * w->err). */
uint16_t compress_name(struct compress *c, struct writer *w, const uint8_t *name);

/* For taking back what was written: all that was remembered since the mark is forgotten. */
static inline unsigned compress_mark(const struct compress *c)
{
	return c->count;
}
void compress_rewind(struct compress *c, unsigned mark);

#endif

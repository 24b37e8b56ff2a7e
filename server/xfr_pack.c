/* server/xfr_pack.c - a message of a zone transfer being written. */
#include "server/xfr_pack.h"

#include <string.h>

#include "zones/dns/compress.h"
#include "zones/dns/rdata.h"

#define RDLEN_AT (MESSAGE_RR_FIXED - 2)
/* A name that ends in a pointer to a suffix may be pointed to itself, which is one more. */
#define POINTERS_MAX (COMPRESS_POINTERS_MAX - 2)

static void labels_of(struct xfr_labels *l, const uint8_t *name)
{
	unsigned at = 0;
	unsigned count = 0;
	while (name[at] != 0) {
		l->start[count++] = (uint8_t)at;
		at += name[at] + 1U;
	}
	l->name = name;
	l->count = (uint8_t)count;
	l->len = (uint8_t)(at + 1);
}

/* Octets of the suffix of @labels labels, without the root's. */
static unsigned start_of(const struct xfr_labels *l, unsigned labels)
{
	return labels != 0 ? l->start[l->count - labels] : l->len - 1U;
}

static bool same_label(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, a[0] + 1U) == 0;
}

/* Do both have the same octets behind their first label? */
static bool are_siblings(const struct xfr_labels *a, const struct xfr_labels *b)
{
	if (a->count != b->count || a->count == 0) {
		return false;
	}
	unsigned x = a->name[0] + 1U;
	unsigned y = b->name[0] + 1U;
	return a->len - x == b->len - y && memcmp(a->name + x, b->name + y, a->len - x) == 0;
}

/* Labels that both share, from the root, octet for octet. */
static unsigned shared(const struct xfr_labels *a, const struct xfr_labels *b)
{
	unsigned most = a->count < b->count ? a->count : b->count;
	unsigned n = are_siblings(a, b) ? a->count - 1U : 0;
	while (n < most && same_label(a->name + start_of(a, n + 1), b->name + start_of(b, n + 1))) {
		n++;
	}
	return n;
}

/* Labels of the longest suffix of the owner with at most @labels that can be pointed to. */
static unsigned reachable(const struct xfr_pack *p, unsigned labels)
{
	while (labels != 0 &&
	       (p->suffix[labels].at == 0 || p->suffix[labels].pointers > POINTERS_MAX)) {
		labels--;
	}
	return labels;
}

static uint16_t pointer_to(const struct xfr_pack *p, unsigned labels)
{
	return labels != 0 ? (uint16_t)(MESSAGE_POINTER | p->suffix[labels].at) : 0;
}

/* The owner stands at @at, written as it is by now: notes what of it can be pointed to. */
static void note_owner(struct xfr_pack *p, size_t at)
{
	unsigned pointers = p->behind != 0 ? p->suffix[p->behind].pointers + 1U : 0;
	for (unsigned n = p->behind + 1U; n <= p->owner.count; n++) {
		size_t place = at + start_of(&p->owner, n);
		p->suffix[n] =
			(struct xfr_suffix){ .at = place <= MESSAGE_POINTER_MAX ? (uint16_t)place
										: 0,
					     .pointers = (uint8_t)pointers };
	}
	if (p->suffix[p->owner.count].at != 0 && p->owner.count != 0) {
		p->own = 0;
		p->pointer = pointer_to(p, p->owner.count);
		p->behind = p->owner.count;
	}
}

void xfr_pack_begin(struct xfr_pack *p, uint8_t *out, size_t len, size_t room)
{
	p->message = out;
	p->pos = out + len;
	p->end = out + room;
	p->count = 0;
	p->owner.name = NULL;
	p->owner.count = 0;
	if (len > MESSAGE_HEADER_LEN) {
		labels_of(&p->owner, out + MESSAGE_HEADER_LEN);
		p->behind = 0;
		note_owner(p, MESSAGE_HEADER_LEN);
	}
}

void xfr_pack_owner(struct xfr_pack *p, const uint8_t *name)
{
	struct xfr_labels l;
	labels_of(&l, name);
	unsigned n = p->owner.name != NULL ? shared(&l, &p->owner) : 0;
	for (unsigned i = n + 1; i <= l.count; i++) {
		p->suffix[i].at = 0;
	}
	p->behind = (uint8_t)reachable(p, n);
	p->own = (uint8_t)start_of(&l, p->behind);
	p->pointer = pointer_to(p, p->behind);
	p->owner = l;
}

/* Writes @own octets of @name, and a pointer or the root. */
static uint8_t *put_name(uint8_t *to, const uint8_t *name, unsigned own, uint16_t pointer)
{
	memcpy(to, name, own);
	if (pointer != 0) {
		be16_put(to + own, pointer);
		return to + own + 2;
	}
	to[own] = 0;
	return to + own + 1;
}

/* Types whose names in rdata may be compressed are of RFC 1035 alone. */
static bool is_compressible(unsigned type)
{
	return type <= RRTYPE_MX && (rrtype_flags((uint16_t)type) & RR_COMPRESS) != 0;
}

/* rdata with its names compressed, in no more octets than it has. Returns the octet behind it. */
static uint8_t *put_rdata(const struct xfr_pack *p, uint8_t *to, unsigned type,
			  const uint8_t *rdata, unsigned rdlen)
{
	unsigned before;
	unsigned names = rdata_compressible((uint16_t)type, &before);
	const uint8_t *from = rdata + before;
	memcpy(to, rdata, before);
	to += before;
	while (names-- != 0) {
		struct xfr_labels l;
		labels_of(&l, from);
		unsigned n = reachable(p, shared(&l, &p->owner));
		to = put_name(to, from, start_of(&l, n), pointer_to(p, n));
		from += l.len;
	}
	size_t rest = rdlen - (size_t)(from - rdata);
	memcpy(to, from, rest);
	return to + rest;
}

bool xfr_pack_rr(struct xfr_pack *p, const uint8_t *rr)
{
	unsigned type = be16_get(rr);
	unsigned rdlen = be16_get(rr + RDLEN_AT);
	size_t len = p->own + (p->pointer != 0 ? 2U : 1U) + MESSAGE_RR_FIXED + rdlen;
	if (len > (size_t)(p->end - p->pos)) {
		return false;
	}
	uint8_t *start = p->pos;
	uint8_t *to = put_name(start, p->owner.name, p->own, p->pointer);
	if (p->own != 0 && start - p->message <= MESSAGE_POINTER_MAX) {
		note_owner(p, (size_t)(start - p->message));
	}
	if (is_compressible(type)) {
		memcpy(to, rr, RDLEN_AT);
		uint8_t *rdata = to + MESSAGE_RR_FIXED;
		p->pos = put_rdata(p, rdata, type, rr + MESSAGE_RR_FIXED, rdlen);
		be16_put(rdata - 2, (uint16_t)(p->pos - rdata));
	} else {
		memcpy(to, rr, MESSAGE_RR_FIXED + rdlen);
		p->pos = to + MESSAGE_RR_FIXED + rdlen;
	}
	p->count++;
	return true;
}

/* zones/node_build.c - lays a node out in one block. */
#include "zones/node_build.h"

#include <string.h>

#include "zones/base/mem.h"

#define NODE_SIZE_MAX ((size_t)1 << 31)

void node_build_clear(struct node_build *b)
{
	buf_clear(&b->wire);
	buf_clear(&b->image);
	mem_free(b->sets);
	*b = (struct node_build){ 0 };
}

void node_build_begin(struct node_build *b, const uint8_t *name)
{
	b->name_len = (uint8_t)dname_copy(b->name, name);
	b->wire.len = 0;
	b->count = 0;
	b->err = E_OK;
}

void node_build_set(struct node_build *b, uint16_t type, uint16_t flags)
{
	if (b->count == b->cap) {
		b->cap = b->cap != 0 ? b->cap * 2 : 8;
		b->sets = mem_realloc(b->sets, b->cap, sizeof(*b->sets));
	}
	b->sets[b->count++] =
		(struct node_build_set){ .type = type, .flags = flags, .start = b->wire.len };
}

static size_t append_rr(struct node_build *b, uint16_t type, uint32_t ttl, const uint8_t *rdata,
			size_t len)
{
	uint8_t *to = (uint8_t *)buf_reserve(&b->wire, NODE_RR_FIXED + len);
	be16_put(to, NODE_RR_OWNER);
	be16_put(to + 2, type);
	be16_put(to + 4, RRCLASS_IN);
	be32_put(to + 6, ttl);
	be16_put(to + 10, (uint16_t)len);
	if (len != 0) {
		memcpy(to + NODE_RR_FIXED, rdata, len);
	}
	b->wire.len += NODE_RR_FIXED + len;
	if (b->wire.len > NODE_SIZE_MAX) {
		b->err = E_LIMIT;
		b->wire.len = 0;
	}
	return NODE_RR_FIXED + len;
}

void node_build_rr(struct node_build *b, uint32_t ttl, const uint8_t *rdata, size_t len)
{
	struct node_build_set *s = &b->sets[b->count - 1];
	s->data_len += append_rr(b, s->type, ttl, rdata, len);
	if (++s->count > UINT16_MAX) {
		b->err = E_LIMIT;
	}
}

void node_build_sig(struct node_build *b, uint32_t ttl, const uint8_t *rdata, size_t len)
{
	struct node_build_set *s = &b->sets[b->count - 1];
	s->sig_len += append_rr(b, RRTYPE_RRSIG, ttl, rdata, len);
	if (++s->sigs > UINT16_MAX) {
		b->err = E_LIMIT;
	}
}

void node_build_copy(struct node_build *b, const struct rrset *rs, bool sigs)
{
	node_build_set(b, rs->type, rs->flags);
	struct node_build_set *s = &b->sets[b->count - 1];
	s->count = rs->count;
	s->data_len = rs->data_len;
	buf_add(&b->wire, rrset_data(rs), rs->data_len);
	if (sigs) {
		s->sigs = rs->sigs;
		s->sig_len = rs->sig_len;
		buf_add(&b->wire, rrset_sig_data(rs), rs->sig_len);
	}
}

static const struct {
	uint16_t type;
	uint16_t flag;
} flag_of_type[] = {
	{ RRTYPE_CNAME, NODE_CNAME }, { RRTYPE_DNAME, NODE_DNAME }, { RRTYPE_DS, NODE_DS },
	{ RRTYPE_NSEC, NODE_NSEC },   { RRTYPE_NSEC3, NODE_NSEC3 }, { RRTYPE_NS, NODE_CUT },
};

uint16_t node_flag_of_type(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(flag_of_type); i++) {
		if (flag_of_type[i].type == type) {
			return flag_of_type[i].flag;
		}
	}
	return 0;
}

const struct node *node_build_end(struct node_build *b, bool is_apex)
{
	if (b->err != E_OK) {
		return NULL;
	}
	size_t directory = (offsetof(struct node, name) + b->name_len + 3) & ~(size_t)3;
	unsigned kept = 0;
	uint16_t flags = dname_is_wildcard(b->name) ? NODE_WILDCARD : 0;
	for (unsigned i = 0; i < b->count; i++) {
		if (b->sets[i].count != 0 || b->sets[i].sigs != 0) {
			b->sets[kept++] = b->sets[i];
			flags |= b->sets[i].count != 0 ? node_flag_of_type(b->sets[i].type) : 0;
		}
	}
	if (is_apex) {
		flags = (uint16_t)((flags & ~NODE_CUT) | NODE_APEX);
	}
	size_t wire_at = directory + kept * sizeof(struct rrset);
	size_t size = wire_at + b->wire.len;
	buf_reset(&b->image);
	uint8_t *to = (uint8_t *)buf_reserve(&b->image, size);
	struct node *n = (struct node *)(void *)to;
	n->size = (uint32_t)size;
	n->flags = flags;
	n->rrsets = (uint16_t)kept;
	n->directory = (uint16_t)directory;
	n->name_len = b->name_len;
	n->labels = (uint8_t)dname_labels(b->name);
	memcpy(n->name, b->name, b->name_len);
	memset(to + offsetof(struct node, name) + b->name_len, 0,
	       directory - offsetof(struct node, name) - b->name_len);
	for (unsigned i = 0; i < kept; i++) {
		const struct node_build_set *s = &b->sets[i];
		size_t at = directory + i * sizeof(struct rrset);
		*(struct rrset *)(void *)(to + at) = (struct rrset){
			.type = s->type,
			.count = (uint16_t)s->count,
			.sigs = (uint16_t)s->sigs,
			.flags = s->flags,
			.offset = (uint32_t)(wire_at + s->start - at),
			.data_len = (uint32_t)s->data_len,
			.sig_len = (uint32_t)s->sig_len,
		};
	}
	if (b->wire.len != 0) {
		memcpy(to + wire_at, b->wire.data, b->wire.len);
	}
	return n;
}

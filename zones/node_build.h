/* zones/node_build.h - makes node blocks: from an old one and sorted changes, or set by set.
 *
 * Threads: one builder, one thread.
 * Memory:  the image lies in the builder and is valid until the next node_build_begin. */
#ifndef ZONES_NODE_BUILD_H
#define ZONES_NODE_BUILD_H

#include "zones/base/buf.h"
#include "zones/node.h"

struct node_build_set {
	uint16_t type, flags;
	uint32_t count, sigs;
	size_t start; /* in wire */
	size_t data_len, sig_len;
};

struct node_build {
	uint8_t name_len;
	uint8_t name[DNAME_MAX];
	struct buf wire;	     /* records of all sets so far */
	struct node_build_set *sets; /* heap, reused */
	unsigned count, cap;
	struct buf image;
	int err; /* sticky: E_LIMIT when a set passes 65535 records or a node 2^31 octets */
};

/* The NODE_* flag that records of @type give their node, or 0. */
uint16_t node_flag_of_type(uint16_t type);

void node_build_clear(struct node_build *b);
void node_build_begin(struct node_build *b, const uint8_t *name);
/* Starts the next set; types must ascend. */
void node_build_set(struct node_build *b, uint16_t type, uint16_t flags);
/* The next record of the set, in canonical order; then the next signature covering it. */
void node_build_rr(struct node_build *b, uint32_t ttl, const uint8_t *rdata, size_t len);
void node_build_sig(struct node_build *b, uint32_t ttl, const uint8_t *rdata, size_t len);
/* A whole set as it stands in another node: its records, and its signatures if @sigs. */
void node_build_copy(struct node_build *b, const struct rrset *rs, bool sigs);
/* The finished image, or NULL with b->err set. @is_apex: the name is the zone's apex. */
const struct node *node_build_end(struct node_build *b, bool is_apex);

#endif

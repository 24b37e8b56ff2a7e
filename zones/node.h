/* zones/node.h - a name of a zone with its RRsets and their signatures, ready to copy.
 *
 * One contiguous block: header, owner name, directory of RRsets, then for each RRset its records
 * and behind them the RRSIGs that cover it, all as they go on the wire:
 *
 *     +--------+------+-----------------------+---------------------------+----------------+
 *     | header | name | rrset | rrset | rrset | A A A  RRSIG(A) RRSIG(A)  | AAAA RRSIG ... |
 *     +--------+------+-----------------------+---------------------------+----------------+
 *
 * Each record is  C0 0C | type | class | TTL | rdlength | rdata : its owner is a compression pointer to
 * offset 12, where the question of a message stands. An answer for the name that was asked is
 * one copy; for another owner the pointer of each record is replaced.
 *
 * RRsets are sorted by type; records within a set, and signatures within theirs, are in canonical
 * order (RFC 4034 §6.3) and distinct. rdata is uncompressed, case kept. All records of a set have one
 * TTL (RFC 2181 §5.2). An RRset with count 0 and sigs > 0 stands for stray signatures.
 *
 * Threads: immutable once published.
 * Memory:  blocks belong to the pool of their zone; everything returned here is borrowed. */
#ifndef ZONES_NODE_H
#define ZONES_NODE_H

#include <stdbool.h>
#include <string.h>

#include "zones/base/attr.h"
#include "zones/base/wire.h"
#include "zones/dns/dname.h"
#include "zones/dns/rrtype.h"

#define NODE_RR_FIXED 12 /* octets before the rdata of each record */
#define NODE_RR_OWNER 0xc00c

enum node_flags {
	NODE_APEX = 1 << 0,
	NODE_CUT = 1 << 1, /* NS, and not the apex: a delegation */
	NODE_DNAME = 1 << 2,
	NODE_DS = 1 << 3,
	NODE_NSEC = 1 << 4,  /* owns an NSEC record */
	NODE_NSEC3 = 1 << 5, /* owns an NSEC3 record: a node of the NSEC3 tree */
	NODE_CNAME = 1 << 6,
	NODE_WILDCARD = 1 << 7, /* leftmost label is "*" */
};

enum rrset_flags {
	RRSET_TTL_DIFFERED = 1 << 0, /* records came with several TTLs and were given the least */
};

struct rrset {
	uint16_t type;
	uint16_t count; /* records */
	uint16_t sigs;	/* RRSIG records behind them */
	uint16_t flags;
	uint32_t offset;   /* octets from this struct to its first record */
	uint32_t data_len; /* octets of the records */
	uint32_t sig_len;  /* octets of the RRSIG records */
};

struct node {
	uint32_t size; /* octets of the whole block */
	uint16_t flags;
	uint16_t rrsets;
	uint16_t directory; /* octets from this struct to the first struct rrset */
	uint8_t name_len;
	uint8_t labels;
	uint8_t name[];
};

static inline const struct rrset *node_rrsets(const struct node *n)
{
	return (const struct rrset *)(const void *)((const uint8_t *)n + n->directory);
}

/* The RRset of @type, or NULL. One with count 0 (stray signatures) is not returned. */
static inline const struct rrset *node_find(const struct node *n, uint16_t type)
{
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].type >= type) {
			return rs[i].type == type && rs[i].count != 0 ? &rs[i] : NULL;
		}
	}
	return NULL;
}

/* The records (data_len octets), the signatures behind them (sig_len octets). */
static inline const uint8_t *rrset_data(const struct rrset *rs)
{
	return (const uint8_t *)rs + rs->offset;
}

static inline const uint8_t *rrset_sig_data(const struct rrset *rs)
{
	return rrset_data(rs) + rs->data_len;
}

static inline uint32_t rrset_ttl(const struct rrset *rs)
{
	return be32_get(rrset_data(rs) + 6);
}

/* Octet for octet the same records? NULL is a set that is not there. */
static inline bool rrset_same_records(const struct rrset *a, const struct rrset *b)
{
	if (a == NULL || b == NULL) {
		return a == b;
	}
	return a->data_len == b->data_len && memcmp(rrset_data(a), rrset_data(b), a->data_len) == 0;
}

/* The same records with the same signatures? */
static inline bool rrset_same(const struct rrset *a, const struct rrset *b)
{
	if (a == NULL || b == NULL) {
		return a == b;
	}
	return a->sig_len == b->sig_len && rrset_same_records(a, b) &&
	       memcmp(rrset_sig_data(a), rrset_sig_data(b), a->sig_len) == 0;
}

/* One record inside the wire octets of a set. */
struct rr {
	uint16_t type;
	uint16_t rdlen;
	uint32_t ttl;
	const uint8_t *rdata;
};

/* Reads the record at @pos and returns the octet behind it. Trusts the octets: they are ours. */
static inline const uint8_t *rr_read(const uint8_t *pos, struct rr *rr)
{
	rr->type = be16_get(pos + 2);
	rr->ttl = be32_get(pos + 6);
	rr->rdlen = be16_get(pos + 10);
	rr->rdata = pos + NODE_RR_FIXED;
	return rr->rdata + rr->rdlen;
}

/* for (each record or signature):
 *     const uint8_t *p = rrset_data(rs);
 *     for (unsigned i = 0; i < rs->count; i++) { p = rr_read(p, &rr); ... } */

#endif

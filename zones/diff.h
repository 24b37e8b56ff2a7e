/* zones/diff.h - what a change removed and added: records, as a journal keeps them and IXFR sends them (RFC 1995).
 *
 * Two strings of records in wire form (owner uncompressed | type | class | TTL | rdlength | rdata), the removed
 * and the added. RRSIG, NSEC and NSEC3 are records like others. A record whose TTL or whose letters of rdata have
 * changed is in both; the case of an owner is no difference. The SOA comes first in each, when the apex was
 * added first, as diff_make does.
 *
 * Threads: one diff, one thread.
 * Memory:  diff_clear frees; a zeroed struct diff is a valid empty one. */
#ifndef ZONES_DIFF_H
#define ZONES_DIFF_H

#include "zones/base/buf.h"
#include "zones/edit.h"

struct diff_part {
	struct buf octets;
	uint32_t count; /* records */
};

struct diff {
	uint32_t serial_from; /* 0 without a SOA */
	uint32_t serial_to;
	struct diff_part removed;
	struct diff_part added;
};

void diff_clear(struct diff *d);
/* Empty again, memory kept. */
void diff_reset(struct diff *d);
static inline bool diff_is_empty(const struct diff *d)
{
	return d->removed.count == 0 && d->added.count == 0;
}

/* What leads from @old to @now, nodes of one name, one of them NULL where it came or went. Appends. */
void diff_add_nodes(struct diff *d, const struct node *old, const struct node *now);
/* What leads from one version to another; in time of the change when they are of one lineage. Fills the empty
 * @out. */
void diff_make(const struct version *old, const struct version *now, struct diff *out);
/* @first and then @second, as one change: what cancels is left out. Fills the empty @out; SOA, then canonical
 * order. */
void diff_merge(const struct diff *first, const struct diff *second, struct diff *out);
/* The change that takes @d back. Fills the empty @out. */
void diff_invert(const struct diff *d, struct diff *out);

/* Makes the change in @e, whose TTL rule must be EDIT_TTL_LAST. E_MISMATCH: what it removes is not there, or what it
 * adds is there; E_NOTZONE, E_LIMIT. After an error the edit is good for edit_abort only. */
MUST_USE int diff_apply(const struct diff *d, struct edit *e, struct errmsg *em);

/* One line each: "- " or "+ " and the record as in a zone file. */
void diff_print(const struct diff *d, struct buf *out);

/* A record of a diff. */
struct diff_rr {
	const uint8_t *owner;
	uint16_t type;
	uint16_t rdlen;
	uint32_t ttl;
	const uint8_t *rdata;
};
/* Adds a record of class IN to those that are removed or added; a SOA sets the serial. It has passed rdata_check. */
void diff_add_record(struct diff *d, bool removed, const struct diff_rr *rr);
/* Reads one; checks all of it: a well-formed owner at or below @apex, class IN, a type that zones have, rdata_check.
 * E_DAMAGED in r->err. */
void diff_rr_read(struct reader *r, const uint8_t *apex, struct diff_rr *rr);
/* Appends octets from outside to @part, after checking that they are @count such records. E_DAMAGED: nothing was
 * appended. */
MUST_USE int diff_part_read(struct diff_part *part, const uint8_t *apex, struct reader *r,
			    uint32_t count);
/* One record of ours, unchecked; returns the octet behind it. */
const uint8_t *diff_rr_next(const uint8_t *p, struct diff_rr *rr);
/* Appends it as in a zone file, without the end of the line. */
void diff_rr_print(const struct diff_rr *rr, struct buf *out);

#endif

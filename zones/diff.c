/* zones/diff.c - records removed and added between two states of a zone. */
#include "zones/diff.h"

#include <stdlib.h>

#include "zones/base/mem.h"
#include "zones/dns/rdata.h"
#include "zones/dns/soa.h"

#define RR_FIXED 10 /* octets between owner and rdata */

void diff_clear(struct diff *d)
{
	buf_clear(&d->removed.octets);
	buf_clear(&d->added.octets);
	*d = (struct diff){ 0 };
}

void diff_reset(struct diff *d)
{
	d->serial_from = d->serial_to = 0;
	d->removed.count = d->added.count = 0;
	buf_reset(&d->removed.octets);
	buf_reset(&d->added.octets);
}

/* --- reading records ------------------------------------------------------------------------- */

const uint8_t *diff_rr_next(const uint8_t *p, struct diff_rr *rr)
{
	rr->owner = p;
	p += dname_len(p);
	rr->type = be16_get(p);
	rr->ttl = be32_get(p + 4);
	rr->rdlen = be16_get(p + 8);
	rr->rdata = p + RR_FIXED;
	return rr->rdata + rr->rdlen;
}

void diff_rr_read(struct reader *r, const uint8_t *apex, struct diff_rr *rr)
{
	rr->owner = dname_read(r);
	rr->type = reader_u16(r);
	uint16_t class = reader_u16(r);
	rr->ttl = reader_u32(r);
	rr->rdlen = reader_u16(r);
	rr->rdata = reader_bytes(r, rr->rdlen);
	if (r->err != E_OK) {
		r->err = E_DAMAGED;
	} else if (class != RRCLASS_IN || rrtype_is_meta(rr->type) ||
		   !dname_is_under(rr->owner, apex) ||
		   rdata_check(rr->type, rr->rdata, rr->rdlen) != E_OK) {
		reader_fail(r, E_DAMAGED);
	}
}

int diff_part_read(struct diff_part *part, const uint8_t *apex, struct reader *r, uint32_t count)
{
	struct diff_rr rr;
	const uint8_t *from = r->pos;
	for (uint32_t i = 0; i < count && r->err == E_OK; i++) {
		diff_rr_read(r, apex, &rr);
	}
	if (r->err == E_OK && reader_left(r) != 0) {
		reader_fail(r, E_DAMAGED);
	}
	if (r->err == E_OK) {
		buf_add(&part->octets, from, (size_t)(r->pos - from));
		part->count += count;
	}
	return r->err;
}

/* --- making ---------------------------------------------------------------------------------- */

static void part_add(struct diff_part *part, const struct diff_rr *rr)
{
	size_t owner = dname_len(rr->owner);
	uint8_t *to = (uint8_t *)buf_reserve(&part->octets, owner + RR_FIXED + rr->rdlen);
	memcpy(to, rr->owner, owner);
	be16_put(to + owner, rr->type);
	be16_put(to + owner + 2, RRCLASS_IN);
	be32_put(to + owner + 4, rr->ttl);
	be16_put(to + owner + 8, rr->rdlen);
	if (rr->rdlen != 0) {
		memcpy(to + owner + RR_FIXED, rr->rdata, rr->rdlen);
	}
	buf_grew(&part->octets, owner + RR_FIXED + rr->rdlen);
	part->count++;
}

void diff_add_record(struct diff *d, bool removed, const struct diff_rr *rr)
{
	part_add(removed ? &d->removed : &d->added, rr);
	if (rr->type == RRTYPE_SOA) {
		*(removed ? &d->serial_from : &d->serial_to) =
			soa_numbers_of(rr->rdata, rr->rdlen).serial;
	}
}

/* The records of a set, or its signatures, of one node. */
struct records {
	const uint8_t *owner;
	const uint8_t *pos;
	unsigned left;
	struct diff_rr rr;
};

static struct records records_of(const struct node *n, const struct rrset *rs, bool sigs)
{
	if (rs == NULL) {
		return (struct records){ 0 };
	}
	return (struct records){ .owner = n->name,
				 .pos = sigs ? rrset_sig_data(rs) : rrset_data(rs),
				 .left = sigs ? rs->sigs : rs->count };
}

static const uint8_t *records_peek(struct records *r)
{
	struct rr rr;
	const uint8_t *behind = rr_read(r->pos, &rr);
	r->rr = (struct diff_rr){ .owner = r->owner,
				  .type = rr.type,
				  .rdlen = rr.rdlen,
				  .ttl = rr.ttl,
				  .rdata = rr.rdata };
	return behind;
}

/* Both in canonical order. */
static void diff_records(struct diff *d, struct records old, struct records now)
{
	while (old.left != 0 || now.left != 0) {
		const uint8_t *old_next = old.left != 0 ? records_peek(&old) : NULL;
		const uint8_t *now_next = now.left != 0 ? records_peek(&now) : NULL;
		int order = old_next == NULL ? 1 : -1;
		if (old_next != NULL && now_next != NULL) {
			order = rdata_compare(old.rr.type, old.rr.rdata, old.rr.rdlen, now.rr.rdata,
					      now.rr.rdlen);
		}
		bool same = order == 0 && old.rr.ttl == now.rr.ttl &&
			    memcmp(old.rr.rdata, now.rr.rdata, old.rr.rdlen) == 0;
		if (order <= 0) {
			if (!same) {
				diff_add_record(d, true, &old.rr);
			}
			old.pos = old_next;
			old.left--;
		}
		if (order >= 0) {
			if (!same) {
				diff_add_record(d, false, &now.rr);
			}
			now.pos = now_next;
			now.left--;
		}
	}
}

static void diff_sets(struct diff *d, const struct node *old, const struct rrset *a,
		      const struct node *now, const struct rrset *b)
{
	if (rrset_same(a, b)) {
		return;
	}
	diff_records(d, records_of(old, a, false), records_of(now, b, false));
	diff_records(d, records_of(old, a, true), records_of(now, b, true));
}

static const struct rrset *set_at(const struct node *n, unsigned i)
{
	return n != NULL && i < n->rrsets ? &node_rrsets(n)[i] : NULL;
}

static const struct rrset *any_set(const struct node *n, uint16_t type)
{
	const struct rrset *rs;
	for (unsigned i = 0; (rs = set_at(n, i)) != NULL; i++) {
		if (rs->type == type) {
			return rs;
		}
	}
	return NULL;
}

static bool is_soa(const struct rrset *rs)
{
	return rs != NULL && rs->type == RRTYPE_SOA;
}

void diff_add_nodes(struct diff *d, const struct node *old, const struct node *now)
{
	diff_sets(d, old, any_set(old, RRTYPE_SOA), now, any_set(now, RRTYPE_SOA));
	unsigned i = 0;
	unsigned k = 0;
	for (;;) {
		const struct rrset *a = set_at(old, i);
		const struct rrset *b = set_at(now, k);
		if (a == NULL && b == NULL) {
			return;
		}
		bool take_a = a != NULL && (b == NULL || a->type <= b->type);
		bool take_b = b != NULL && (a == NULL || b->type <= a->type);
		const struct rrset *from = take_a ? a : NULL;
		const struct rrset *to = take_b ? b : NULL;
		if (!is_soa(from) && !is_soa(to)) {
			diff_sets(d, old, from, now, to);
		}
		i += take_a;
		k += take_b;
	}
}

static void add_leaves(void *arg, const void *before, const void *after)
{
	diff_add_nodes(arg, before, after);
}

void diff_make(const struct version *old, const struct version *now, struct diff *out)
{
	tree_diff(&old->names, &now->names, add_leaves, out);
	tree_diff(&old->nsec3, &now->nsec3, add_leaves, out);
	out->serial_from = old->serial;
	out->serial_to = now->serial;
}

void diff_invert(const struct diff *d, struct diff *out)
{
	buf_add(&out->removed.octets, d->added.octets.data, d->added.octets.len);
	buf_add(&out->added.octets, d->removed.octets.data, d->removed.octets.len);
	out->removed.count = d->added.count;
	out->added.count = d->removed.count;
	out->serial_from = d->serial_to;
	out->serial_to = d->serial_from;
}

/* --- merging --------------------------------------------------------------------------------- */

/* In the order in which they happen. */
enum step { FIRST_REMOVED, FIRST_ADDED, SECOND_REMOVED, SECOND_ADDED, STEPS };

struct moved {
	struct diff_rr rr;
	uint32_t order;
	uint8_t step;
};

/* The same record, whatever its TTL and case? */
static int record_compare(const struct diff_rr *x, const struct diff_rr *y)
{
	if ((x->type == RRTYPE_SOA) != (y->type == RRTYPE_SOA)) {
		return x->type == RRTYPE_SOA ? -1 : 1;
	}
	int diff = dname_compare(x->owner, y->owner);
	if (diff == 0) {
		diff = x->type - y->type;
	}
	return diff != 0 ? diff : rdata_compare(x->type, x->rdata, x->rdlen, y->rdata, y->rdlen);
}

static int moved_compare(const void *a, const void *b)
{
	const struct moved *x = a;
	const struct moved *y = b;
	int diff = record_compare(&x->rr, &y->rr);
	diff = diff != 0 ? diff : x->step - y->step;
	return diff != 0 ? diff : x->order < y->order ? -1 : x->order > y->order;
}

static struct moved *collect(struct moved *to, const struct diff_part *part, enum step step)
{
	const uint8_t *p = (const uint8_t *)part->octets.data;
	for (uint32_t i = 0; i < part->count; i++) {
		p = diff_rr_next(p, &to->rr);
		to->order = i;
		to->step = (uint8_t)step;
		to++;
	}
	return to;
}

/* Of one record: how it was before the first step and is after the last. */
static void merge_record(struct diff *out, const struct moved *m, size_t count)
{
	bool removes_first = m[0].step == FIRST_REMOVED || m[0].step == SECOND_REMOVED;
	const struct diff_rr *before = removes_first ? &m[0].rr : NULL;
	const struct moved *last = &m[count - 1];
	bool adds_last = last->step == FIRST_ADDED || last->step == SECOND_ADDED;
	const struct diff_rr *after = adds_last ? &last->rr : NULL;
	if (before != NULL && after != NULL && before->ttl == after->ttl &&
	    before->rdlen == after->rdlen &&
	    memcmp(before->rdata, after->rdata, before->rdlen) == 0) {
		return;
	}
	if (before != NULL) {
		diff_add_record(out, true, before);
	}
	if (after != NULL) {
		diff_add_record(out, false, after);
	}
}

void diff_merge(const struct diff *first, const struct diff *second, struct diff *out)
{
	size_t count = (size_t)first->removed.count + first->added.count + second->removed.count +
		       second->added.count;
	struct moved *all = mem_array(count + 1, sizeof(*all));
	struct moved *end = collect(all, &first->removed, FIRST_REMOVED);
	end = collect(end, &first->added, FIRST_ADDED);
	end = collect(end, &second->removed, SECOND_REMOVED);
	(void)collect(end, &second->added, SECOND_ADDED);
	qsort(all, count, sizeof(*all), moved_compare);
	for (size_t i = 0; i < count;) {
		size_t k = i + 1;
		while (k < count && record_compare(&all[i].rr, &all[k].rr) == 0) {
			k++;
		}
		merge_record(out, &all[i], k - i);
		i = k;
	}
	mem_free(all);
	out->serial_from = first->serial_from;
	out->serial_to = second->serial_to;
}

/* --- applying -------------------------------------------------------------------------------- */

static int apply_part(const struct diff_part *part, bool removes, struct edit *e, struct errmsg *em)
{
	uint64_t before = edit_state(e)->records;
	const uint8_t *p = (const uint8_t *)part->octets.data;
	for (uint32_t i = 0; i < part->count; i++) {
		struct diff_rr rr;
		p = diff_rr_next(p, &rr);
		int err = removes ? edit_remove(e, rr.owner, rr.type, rr.rdata, rr.rdlen)
				  : edit_add(e, rr.owner, rr.type, rr.ttl, rr.rdata, rr.rdlen);
		if (err != E_OK) {
			char name[DNAME_TEXT_MAX];
			(void)dname_to_text(rr.owner, name);
			return err_set(em, err, "%s: %s", name, err_text(err));
		}
	}
	uint64_t after = edit_state(e)->records;
	int err = edit_error(e, em);
	if (err == E_OK && (removes ? before - after : after - before) != part->count) {
		err = err_set(em, E_MISMATCH, "%s",
			      removes ? "removes records that are not there"
				      : "adds records that are there already");
	}
	return err;
}

int diff_apply(const struct diff *d, struct edit *e, struct errmsg *em)
{
	int err = apply_part(&d->removed, true, e, em);
	return err != E_OK ? err : apply_part(&d->added, false, e, em);
}

/* --- text ------------------------------------------------------------------------------------ */

void diff_rr_print(const struct diff_rr *rr, struct buf *out)
{
	char type[RRTYPE_TEXT_MAX];
	dname_print(out, rr->owner);
	buf_printf(out, "\t%u\tIN\t%s\t", rr->ttl, rrtype_to_text(rr->type, type));
	rdata_to_text(rr->type, rr->rdata, rr->rdlen, out);
}

static void print_part(const struct diff_part *part, char sign, struct buf *out)
{
	const uint8_t *p = (const uint8_t *)part->octets.data;
	for (uint32_t i = 0; i < part->count; i++) {
		struct diff_rr rr;
		p = diff_rr_next(p, &rr);
		buf_char(out, sign);
		buf_char(out, ' ');
		diff_rr_print(&rr, out);
		buf_char(out, '\n');
	}
}

void diff_print(const struct diff *d, struct buf *out)
{
	print_part(&d->removed, '-', out);
	print_part(&d->added, '+', out);
}

/* server/xfr_history.c - what leads from a client's version of a zone to ours. */
#include "server/xfr_history.h"

#include "zones/base/mem.h"

struct xfr_history {
	struct xfr_history_of of;
	uint64_t next, last; /* entries */
	struct diff *diffs;  /* heap; the piece */
	size_t count, cap;
	size_t at;
	size_t octets;	 /* of the piece */
	size_t wanted;	 /* it is large enough with so many */
	size_t reserved; /* of what all may hold */
};

/* --- pieces ---------------------------------------------------------------------------------- */

static void drop_piece(struct xfr_history *h)
{
	for (size_t i = 0; i < h->count; i++) {
		diff_clear(&h->diffs[i]);
	}
	h->count = h->at = 0;
	h->octets = 0;
}

static struct diff *add_diff(struct xfr_history *h)
{
	if (h->count == h->cap) {
		h->cap = h->cap != 0 ? h->cap * 2 : 4;
		h->diffs = mem_realloc(h->diffs, h->cap, sizeof(*h->diffs));
	}
	h->diffs[h->count] = (struct diff){ 0 };
	return &h->diffs[h->count++];
}

static void copy_part(struct diff_part *to, const struct diff_part *from)
{
	buf_add(&to->octets, from->octets.data, from->octets.len);
	to->count = from->count;
}

static bool begins_with_soa(const struct diff_part *part)
{
	struct diff_rr rr = { 0 };
	if (part->count != 0) {
		(void)diff_rr_next((const uint8_t *)part->octets.data, &rr);
	}
	return rr.type == RRTYPE_SOA;
}

/* E_AGAIN: that is enough. */
static int take(void *arg, const struct journal_entry *e, const struct diff *d)
{
	struct xfr_history *h = arg;
	if (!begins_with_soa(&d->removed) || !begins_with_soa(&d->added)) {
		return E_DAMAGED;
	}
	struct diff *mine = add_diff(h);
	copy_part(&mine->removed, &d->removed);
	copy_part(&mine->added, &d->added);
	mine->serial_from = d->serial_from;
	mine->serial_to = d->serial_to;
	h->octets += d->removed.octets.len + d->added.octets.len;
	h->next = e->seq + 1;
	return e->seq == h->last || h->octets >= h->wanted ? E_AGAIN : E_OK;
}

static int read_piece(struct xfr_history *h, struct journal_txn *t)
{
	drop_piece(h);
	int err = journal_read(t, h->of.apex, h->next, take, h, NULL);
	return err == E_AGAIN ? E_OK : err == E_OK ? E_NOENT : err;
}

int xfr_history_read(struct xfr_history *h)
{
	struct journal_txn *t = NULL;
	int err = journal_begin(h->of.journal, STORE_READ, &t, NULL);
	if (err == E_OK) {
		err = read_piece(h, t);
		journal_abort(t);
	}
	return err;
}

const struct diff *xfr_history_next(struct xfr_history *h)
{
	return h->at < h->count ? &h->diffs[h->at++] : NULL;
}

bool xfr_history_is_at_end(const struct xfr_history *h)
{
	return h->at == h->count && h->next > h->last;
}

/* --- condensing ------------------------------------------------------------------------------ */

/* Neighbours in pairs, until there is one. */
static void condense(struct xfr_history *h)
{
	while (h->count > 1) {
		size_t n = 0;
		for (size_t i = 0; i + 1 < h->count; i += 2) {
			struct diff merged = { 0 };
			diff_merge(&h->diffs[i], &h->diffs[i + 1], &merged);
			diff_clear(&h->diffs[i]);
			diff_clear(&h->diffs[i + 1]);
			h->diffs[n++] = merged;
		}
		if (h->count % 2 != 0) {
			h->diffs[n++] = h->diffs[h->count - 1];
		}
		h->count = n;
	}
}

static uint64_t records_of(const struct diff *d)
{
	return (uint64_t)d->removed.count + d->added.count;
}

/* --- opening --------------------------------------------------------------------------------- */

/* What there is to send. */
struct extent {
	uint64_t entries, records, octets;
	uint64_t largest; /* octets of a single one */
};

static int measure(struct xfr_history *h, struct journal_txn *t, struct extent *x)
{
	int err = journal_find(t, h->of.apex, h->of.from, &h->next);
	h->last = h->next;
	while (err == E_OK) {
		struct journal_entry e;
		err = journal_entry_get(t, h->of.apex, h->last, &e);
		if (err != E_OK) {
			break;
		}
		x->entries++;
		x->records += (uint64_t)e.removed + e.added;
		x->octets += e.octets;
		x->largest = e.octets > x->largest ? e.octets : x->largest;
		bool is_too_much = x->octets > XFR_CONDENSED_MAX && x->records >= h->of.records;
		if (x->entries > XFR_ENTRIES_MAX || is_too_much) {
			return E_LIMIT;
		}
		if (e.serial_to == h->of.to) {
			break;
		}
		h->last++;
	}
	return err;
}

/* Counts what will be held. E_LIMIT. */
static int reserve(struct xfr_history *h, uint64_t octets)
{
	if (octets > XFR_HELD_MAX) {
		return E_LIMIT;
	}
	h->reserved = (size_t)octets;
	size_t all = __atomic_add_fetch(h->of.held, h->reserved, __ATOMIC_RELAXED);
	return all <= XFR_HELD_MAX ? E_OK : E_LIMIT;
}

static int open_in(struct xfr_history *h, struct journal_txn *t)
{
	struct extent x = { 0 };
	int err = measure(h, t, &x);
	if (err != E_OK) {
		return err;
	}
	const bool is_condensed = x.octets <= XFR_CONDENSED_MAX;
	h->wanted = is_condensed ? XFR_CONDENSED_MAX * 2 : XFR_PIECE;
	err = reserve(h, is_condensed ? x.octets : x.largest + XFR_PIECE);
	if (err == E_OK) {
		err = read_piece(h, t);
	}
	if (err == E_OK && is_condensed && x.entries > 1) {
		condense(h);
		x.records = records_of(&h->diffs[0]);
	}
	return err == E_OK && x.records >= h->of.records ? E_LIMIT : err;
}

int xfr_history_open(const struct xfr_history_of *of, struct xfr_history **out)
{
	struct journal_txn *t = NULL;
	struct xfr_history *h = mem_zalloc(sizeof(*h));
	h->of = *of;
	int err = journal_begin(of->journal, STORE_READ, &t, NULL);
	if (err == E_OK) {
		err = open_in(h, t);
		journal_abort(t);
	}
	if (err != E_OK) {
		xfr_history_free(h);
		return err;
	}
	*out = h;
	return E_OK;
}

void xfr_history_free(struct xfr_history *h)
{
	if (h != NULL) {
		drop_piece(h);
		(void)__atomic_sub_fetch(h->of.held, h->reserved, __ATOMIC_RELAXED);
		mem_free(h->diffs);
		mem_free(h);
	}
}

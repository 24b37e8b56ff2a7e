/* server/history.c - the changes of a zone as the journal has them. */
#include "server/history.h"

/* --- where serials are ----------------------------------------------------------------------- */

/* The number of the change that begins at @serial; where the journal ends, the next one's. */
static int find(const struct history *h, struct journal_txn *t, uint32_t serial, uint64_t *seq,
		struct errmsg *em)
{
	struct journal_zone zone;
	int err = journal_zone_get(t, h->apex, &zone);
	if (err == E_OK && serial == h->serial) {
		*seq = zone.last_seq + 1;
	} else if (err == E_OK) {
		err = journal_find(t, h->apex, serial, seq);
	}
	if (err == E_NOENT) {
		err_set(em, err, "serial %u is not in the journal; signetctl journal lists what is",
			serial);
	} else if (err != E_OK) {
		err_set(em, err, "the journal cannot be read: %s", err_text(err));
	}
	return err;
}

struct range {
	uint64_t from, end; /* numbers of changes */
};

static int find_both(const struct history *h, struct journal_txn *t, uint32_t from, uint32_t to,
		     struct range *out, struct errmsg *em)
{
	int err = find(h, t, from, &out->from, em);
	return err == E_OK ? find(h, t, to, &out->end, em) : err;
}

/* --- reading --------------------------------------------------------------------------------- */

struct reading {
	uint64_t end;
	uint64_t records;
	journal_fn fn;
	void *arg;
	struct errmsg *em;
};

static int read_one(void *arg, const struct journal_entry *e, const struct diff *d)
{
	struct reading *r = arg;
	if (e->seq >= r->end) {
		return E_INTR; /* no further */
	}
	r->records += (uint64_t)e->removed + e->added;
	if (r->records > HISTORY_RECORDS_MAX) {
		return err_set(r->em, E_LIMIT,
			       "these changes have more than %d records; ask for fewer of them",
			       HISTORY_RECORDS_MAX);
	}
	return r->fn(r->arg, e, d);
}

static int read_range(const struct history *h, struct journal_txn *t, const struct range *range,
		      journal_fn fn, void *arg, struct errmsg *em)
{
	struct reading r = { .end = range->end, .fn = fn, .arg = arg, .em = em };
	if (range->from >= range->end) {
		return E_OK;
	}
	int err = journal_read(t, h->apex, range->from, read_one, &r, em);
	return err == E_INTR ? E_OK : err;
}

int history_each(const struct history *h, uint32_t from, uint32_t to, journal_fn fn, void *arg,
		 struct errmsg *em)
{
	struct journal_txn *t = NULL;
	struct range range;
	int err = journal_begin(vault_journal(h->vault), STORE_READ, &t, em);
	if (err != E_OK) {
		return err;
	}
	err = find_both(h, t, from, to, &range, em);
	if (err == E_OK && range.from > range.end) {
		err = err_set(em, E_RANGE, "serial %u is newer than %u; name the older one first",
			      from, to);
	}
	if (err == E_OK) {
		err = read_range(h, t, &range, fn, arg, em);
	}
	journal_abort(t);
	return err;
}

int history_newest(const struct history *h, uint64_t most, journal_fn fn, void *arg,
		   struct journal_zone *zone, struct errmsg *em)
{
	struct journal_txn *t = NULL;
	int err = journal_begin(vault_journal(h->vault), STORE_READ, &t, em);
	if (err != E_OK) {
		return err;
	}
	err = journal_zone_get(t, h->apex, zone);
	const uint64_t there = zone->last_seq + 1 - zone->first_seq;
	uint64_t seq = there > most ? zone->last_seq + 1 - most : zone->first_seq;
	for (; err == E_OK && seq <= zone->last_seq; seq++) {
		struct journal_entry e;
		err = journal_entry_get(t, h->apex, seq, &e);
		err = err == E_OK ? fn(arg, &e, NULL) : err;
	}
	if (err != E_OK) {
		err_set(em, err, "the journal cannot be read: %s", err_text(err));
	}
	journal_abort(t);
	return err;
}

/* --- as one change --------------------------------------------------------------------------- */

/* Merged like the runs of a merge sort, so that no record is looked at more often than the logarithm says. */
#define LEVELS 64

struct merging {
	struct diff level[LEVELS]; /* of 2^i changes each; newer ones in lower levels */
	bool is_used[LEVELS];
};

/* @d (taken) comes behind all that is there. */
static void push(struct merging *m, struct diff *d)
{
	unsigned i = 0;
	for (; m->is_used[i]; i++) {
		struct diff both = { 0 };
		diff_merge(&m->level[i], d, &both);
		diff_clear(&m->level[i]);
		diff_clear(d);
		m->is_used[i] = false;
		*d = both;
	}
	m->level[i] = *d;
	m->is_used[i] = true;
}

static int merge_one(void *arg, const struct journal_entry *e UNUSED, const struct diff *d)
{
	static const struct diff none = { 0 };
	struct diff copy = { 0 };
	diff_merge(d, &none, &copy);
	copy.serial_to = d->serial_to;
	push(arg, &copy);
	return E_OK;
}

/* Takes all of @m. */
static void merge_all(struct merging *m, struct diff *out)
{
	bool first = true;
	for (unsigned i = 0; i < LEVELS; i++) {
		struct diff both = { 0 };
		if (!m->is_used[i]) {
			continue;
		}
		if (first) {
			*out = m->level[i];
			first = false;
			continue;
		}
		diff_merge(&m->level[i], out, &both);
		diff_clear(&m->level[i]);
		diff_clear(out);
		*out = both;
	}
}

int history_diff(const struct history *h, uint32_t from, uint32_t to, struct diff *out,
		 struct errmsg *em)
{
	struct journal_txn *t = NULL;
	struct merging merging = { 0 };
	struct diff made = { 0 };
	struct range range;
	int err = journal_begin(vault_journal(h->vault), STORE_READ, &t, em);
	if (err != E_OK) {
		return err;
	}
	err = find_both(h, t, from, to, &range, em);
	const bool is_back = err == E_OK && range.from > range.end;
	if (is_back) {
		range = (struct range){ range.end, range.from };
	}
	if (err == E_OK) {
		err = read_range(h, t, &range, merge_one, &merging, em);
	}
	journal_abort(t);
	merge_all(&merging, &made);
	if (err == E_OK && is_back) {
		diff_invert(&made, out);
	} else if (err == E_OK) {
		*out = made;
		made = (struct diff){ 0 };
	}
	if (err == E_OK) {
		out->serial_from = from;
		out->serial_to = to;
	}
	diff_clear(&made);
	return err;
}

/* zones/journal_room.c - drops entries of the journal: what is too much, too old, or in a snapshot that begins anew. */
#include "zones/journal_row.h"

#include "zones/base/mem.h"

static bool has_history(const struct journal_zone *z)
{
	return z->first_seq <= z->last_seq && z->first_seq <= z->snapshot_seq;
}

/* Drops the first entry. The records of the zone and of all are not written yet: *dropped counts. */
static void drop_first(struct journal_txn *t, struct journal_row *zone, uint64_t *dropped)
{
	struct journal_zone *z = &zone->z;
	struct journal_entry e;
	struct journal_key to = zone->key;
	int err = journal_entry_at(t, &zone->key, z->first_seq, &e);
	uint64_t octets = err == E_OK && e.octets < z->octets ? e.octets : 0;
	journal_key_at(&zone->key, z->first_seq, 0);
	journal_key_at(&to, z->first_seq + 1, 0);
	store_delete_range(t->txn, zone->key.data, zone->key.len, to.data, to.len);
	z->first_seq++;
	/* With the last one all is gone, whatever was counted. */
	octets = z->first_seq > z->last_seq ? z->octets : octets;
	z->octets -= octets;
	*dropped += octets;
}

void journal_trim(struct journal_txn *t, const uint8_t *apex, uint64_t octets, int64_t oldest)
{
	struct journal_row zone;
	uint64_t dropped = 0;
	bool any = false;
	if (journal_row_load(t, apex, &zone) != E_OK) {
		return;
	}
	while (has_history(&zone.z) && journal_error(t, NULL) == E_OK) {
		struct journal_entry e;
		int err = journal_entry_at(t, &zone.key, zone.z.first_seq, &e);
		if (err == E_OK && zone.z.octets <= octets && e.time >= oldest) {
			break;
		}
		drop_first(t, &zone, &dropped);
		any = true;
	}
	if (any) {
		journal_row_store(t, &zone);
		journal_total_add(t, 0, dropped);
	}
}

/* Zones that have history, as a heap: the oldest on top. */
struct oldest {
	struct dname apex;
	int64_t time;
};

struct heap {
	struct oldest *items;
	size_t count, cap;
};

static void heap_down(struct heap *h, size_t i)
{
	for (;;) {
		size_t least = i;
		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < h->count; k++) {
			least = h->items[k].time < h->items[least].time ? k : least;
		}
		if (least == i) {
			return;
		}
		struct oldest x = h->items[i];
		h->items[i] = h->items[least];
		h->items[least] = x;
		i = least;
	}
}

static int64_t time_of_first(struct journal_txn *t, struct journal_row *zone)
{
	struct journal_entry e;
	/* What cannot be read is the first to go. */
	return journal_entry_at(t, &zone->key, zone->z.first_seq, &e) == E_OK ? e.time : INT64_MIN;
}

static void heap_fill(struct journal_txn *t, struct heap *h)
{
	struct dname apex;
	struct journal_row zone;
	int err = journal_row_next(t, NULL, &apex);
	while (err == E_OK) {
		err = journal_row_load(t, apex.wire, &zone);
		if (err == E_OK && has_history(&zone.z)) {
			if (h->count == h->cap) {
				h->cap = h->cap != 0 ? h->cap * 2 : 16;
				h->items = mem_realloc(h->items, h->cap, sizeof(*h->items));
			}
			h->items[h->count++] = (struct oldest){ apex, time_of_first(t, &zone) };
		}
		err = journal_is_there(err) ? journal_row_next(t, &zone.key, &apex) : err;
	}
	for (size_t i = h->count / 2; i-- != 0;) {
		heap_down(h, i);
	}
}

int journal_make_room(struct journal_txn *t, uint64_t octets)
{
	struct heap h = { 0 };
	uint64_t limit = t->journal->limit;
	uint64_t total = 0;
	int err = journal_total_get(t, &total);
	const uint64_t before = total;
	/* Some more than is wanted, so that it need not be done for each entry. Where less than the limit is too
	 * much already, readers keep pages that were dropped. */
	uint64_t wanted = octets + limit / 16;
	uint64_t goal = total < limit ? total : limit;
	goal = goal > wanted ? goal - wanted : 0;
	heap_fill(t, &h);
	while (err == E_OK && h.count != 0 && total > goal) {
		struct journal_row zone;
		uint64_t dropped = 0;
		err = journal_row_load(t, h.items[0].apex.wire, &zone);
		/* All that is older than what the next zone has. */
		int64_t until = INT64_MAX;
		for (size_t i = 1; i <= 2 && i < h.count; i++) {
			until = h.items[i].time < until ? h.items[i].time : until;
		}
		do {
			drop_first(t, &zone, &dropped);
			h.items[0].time =
				has_history(&zone.z) ? time_of_first(t, &zone) : INT64_MAX;
		} while (has_history(&zone.z) && h.items[0].time <= until &&
			 total - dropped > goal);
		total -= dropped < total ? dropped : total;
		journal_row_store(t, &zone);
		if (!has_history(&zone.z)) {
			h.items[0] = h.items[--h.count];
		}
		heap_down(&h, 0);
		err = err != E_OK ? err : journal_error(t, NULL);
	}
	mem_free(h.items);
	if (err == E_OK) {
		journal_total_put(t, total);
		err = journal_error(t, NULL);
	}
	if (err == E_OK && (total + octets > limit || total == before)) {
		err = journal_fail(
			t, E_LIMIT,
			"the journal is full of changes that are in no snapshot; raise its size");
	}
	return err;
}

/* All octets, by the records of the zones. */
static void recount(struct journal_txn *t)
{
	struct dname apex;
	struct journal_row zone;
	uint64_t total = 0;
	int err = journal_row_next(t, NULL, &apex);
	while (err == E_OK) {
		(void)!journal_row_find(t, apex.wire, &zone);
		total += zone.z.octets;
		err = journal_row_next(t, &zone.key, &apex);
	}
	journal_total_put(t, total);
}

static void drop_all(struct journal_txn *t, struct journal_row *zone)
{
	struct journal_key to = zone->key;
	journal_key_at(&zone->key, 0, 0);
	journal_key_at(&to, JOURNAL_SEQ_ROW, UINT32_MAX);
	store_delete_range(t->txn, zone->key.data, zone->key.len, to.data, to.len);
}

/* A damaged record of a zone is no reason to keep what is there. */
void journal_reset(struct journal_txn *t, const uint8_t *apex, uint64_t seq)
{
	struct journal_row zone;
	int err = journal_row_find(t, apex, &zone);
	uint64_t octets = zone.z.octets;
	drop_all(t, &zone);
	zone.z.first_seq = seq + 1;
	zone.z.last_seq = seq;
	zone.z.snapshot_seq = seq;
	zone.z.octets = zone.z.needed_octets = 0;
	zone.chained = false;
	journal_row_store(t, &zone);
	if (journal_is_there(err)) {
		journal_total_add(t, 0, octets);
	} else {
		recount(t);
	}
}

void journal_forget(struct journal_txn *t, const uint8_t *apex)
{
	struct journal_row zone;
	int err = journal_row_find(t, apex, &zone);
	drop_all(t, &zone);
	if (journal_is_there(err)) {
		journal_total_add(t, 0, zone.z.octets);
	} else {
		recount(t);
	}
}

void journal_snapshot_made(struct journal_txn *t, const uint8_t *apex, uint64_t seq)
{
	struct journal_row zone;
	if (!journal_is_there(journal_row_load(t, apex, &zone))) {
		return;
	}
	journal_key_at(&zone.key, JOURNAL_SEQ_SNAPSHOT, 0);
	store_delete(t->txn, zone.key.data, zone.key.len); /* of before */
	zone.z.snapshot_seq = seq;
	zone.z.needed_octets = 0;
	uint64_t from = seq + 1 > zone.z.first_seq ? seq + 1 : zone.z.first_seq;
	for (uint64_t k = from; k <= zone.z.last_seq; k++) {
		struct journal_entry e;
		if (journal_entry_at(t, &zone.key, k, &e) == E_OK) {
			zone.z.needed_octets += e.octets;
		}
	}
	journal_row_store(t, &zone);
}

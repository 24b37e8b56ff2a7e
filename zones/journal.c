/* zones/journal.c - entries of zones in one store.
 *
 * Keys: the apex in lower case and wire form (none is the beginning of another), then
 *
 *     | seq, 64 bits | piece, 32 bits |    a piece of an entry, at most one page each
 *     | all ones     | 0              |    the zone's own record: beside its newest entry, so that both are
 *                                          written with one page
 *
 * and one of a single octet ff behind all zones: the sum of all octets. Numbers are big-endian. */
#include "zones/journal.h"

#include <stdarg.h>
#include <stdio.h>

#include "zones/base/crc32c.h"
#include "zones/base/mem.h"
#include "zones/dns/soa.h"

#define FORMAT	    1
#define FORMAT_ZONE 2 /* of a zone's record */

/* An entry's head; the records removed and those added follow. */
enum {
	HEAD_FORMAT = 0,
	HEAD_SOURCE = 1,
	HEAD_SUM = 4, /* of all the rest */
	HEAD_SEQ = 8,
	HEAD_FROM = 16,
	HEAD_TO = 20,
	HEAD_TIME = 24,
	HEAD_REMOVED_OCTETS = 32,
	HEAD_ADDED_OCTETS = 40,
	HEAD_REMOVED = 48,
	HEAD_ADDED = 52,
	HEAD_LEN = 56,
};

/* A zone's record. */
enum {
	ZONE_FORMAT = 0,
	ZONE_FROZEN = 1,
	ZONE_CHAINED = 2, /* the next entry must begin at the last serial */
	ZONE_SERIAL = 4,
	ZONE_GENERATION = 8,
	ZONE_MTIME = 16,
	ZONE_SIZE = 24,
	ZONE_INODE = 32,
	ZONE_FIRST = 40,
	ZONE_LAST = 48,
	ZONE_SNAPSHOT = 56,
	ZONE_OCTETS = 64,
	ZONE_NEEDED = 72,
	ZONE_SIGNED = 80,
	ZONE_CHAIN = 81, /* enum denial; this and the rest: what was chosen */
	ZONE_INSTEAD = 82,
	ZONE_ALGORITHM = 83,
	ZONE_FLAGS = 84,
	ZONE_SALT_LEN = 85,
	ZONE_ITERATIONS = 86,
	ZONE_SUM = 88, /* of all before and behind it */
	ZONE_LEN = 92,
	/* The salt. */
};

/* The sum of all zones. */
enum { TOTAL_FORMAT = 0, TOTAL_OCTETS = 8, TOTAL_LEN = 16 };

/* No entry is larger: one that says so is damaged. */
#define ENTRY_MAX ((uint64_t)1 << 40)

#define PIECE STRESSED(STORE_VALUE_PAGE, 1000)

/* What a piece takes of the store, at worst. Small ones share a page, which may be half empty. */
#define PAGE	   4096
#define SHARED_MAX 1000
#define OVERHEAD   128

/* Behind the keys of all zones. */
static const uint8_t total_key[1] = { 0xff };

struct journal {
	struct store *store;
	uint64_t limit; /* octets of all entries */
};

struct journal_txn {
	struct journal *journal;
	struct store_txn *txn;
	struct buf value; /* an entry in one piece */
};

struct key {
	size_t apex; /* octets */
	size_t len;
	uint8_t data[DNAME_MAX + 12];
};

const char *journal_source_text(enum journal_source source)
{
	switch (source) {
#define X(name, number, text)                                                                      \
 case JOURNAL_##name:                                                                              \
  return text;
		JOURNAL_SOURCE_MAP(X)
#undef X
	}
	return "?";
}

/* --- transactions ---------------------------------------------------------------------------- */

PRINTF(3, 4) static int fail(struct journal_txn *t, int err, const char *fmt, ...)
{
	struct errmsg em;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(em.text, sizeof(em.text), fmt, ap);
	va_end(ap);
	return store_fail(t->txn, err, &em);
}

/* The sum of all; a new store has none. */
static int total_get(struct journal_txn *t, uint64_t *octets)
{
	struct store_octets v;
	int err = store_get(t->txn, total_key, sizeof(total_key), &v);
	*octets = 0;
	if (err == E_NOENT) {
		return E_OK;
	}
	if (err != E_OK) {
		return err;
	}
	if (v.len != TOTAL_LEN || v.data[TOTAL_FORMAT] != FORMAT) {
		return fail(t, E_DAMAGED, "the journal is of another format");
	}
	*octets = be64_get(v.data + TOTAL_OCTETS);
	return E_OK;
}

static void total_put(struct journal_txn *t, uint64_t octets)
{
	uint8_t v[TOTAL_LEN] = { FORMAT };
	be64_put(v + TOTAL_OCTETS, octets);
	store_put(t->txn, total_key, sizeof(total_key), v, sizeof(v));
}

static void total_add(struct journal_txn *t, uint64_t more, uint64_t less)
{
	uint64_t octets;
	if (total_get(t, &octets) == E_OK) {
		octets += more;
		total_put(t, octets > less ? octets - less : 0);
	}
}

/* Is the store a journal, or new? *is_new: it has no sum yet. */
static int check_format(struct journal *j, const char *path, bool *is_new, struct errmsg *em)
{
	struct journal_txn *t;
	struct store_octets key;
	struct store_octets value;
	uint64_t octets;
	int err = journal_begin(j, STORE_READ, &t, em);
	if (err != E_OK) {
		return err;
	}
	*is_new = store_get(t->txn, total_key, sizeof(total_key), &value) == E_NOENT;
	bool is_empty = store_find(t->txn, "", 1, &key, &value) == E_NOENT;
	if (total_get(t, &octets) != E_OK || (*is_new && !is_empty)) {
		err = err_set(em, E_DAMAGED, "%s: is no journal, or of another format", path);
	}
	journal_abort(t);
	return err;
}

static int make_new(struct journal *j, struct errmsg *em)
{
	struct journal_txn *t;
	int err = journal_begin(j, STORE_WRITE, &t, em);
	if (err == E_OK) {
		total_put(t, 0);
		err = journal_commit(t, em);
	}
	return err;
}

int journal_open(struct journal **out, const char *path, size_t size, enum store_mode mode,
		 struct errmsg *em)
{
	struct journal *j = mem_zalloc(sizeof(*j));
	bool is_new = false;
	size = size > JOURNAL_SIZE_MIN ? size : JOURNAL_SIZE_MIN;
	j->limit = size / 2;
	int err = store_open(&j->store, path, size, mode, em);
	err = err != E_OK ? err : check_format(j, path, &is_new, em);
	if (err == E_OK && is_new && mode == STORE_WRITE) {
		err = make_new(j, em);
	}
	if (err != E_OK) {
		journal_close(j);
		return err;
	}
	*out = j;
	return E_OK;
}

void journal_close(struct journal *j)
{
	if (j != NULL) {
		store_close(j->store);
		mem_free(j);
	}
}

int journal_begin(struct journal *j, enum store_mode mode, struct journal_txn **out,
		  struct errmsg *em)
{
	struct store_txn *txn;
	int err = store_begin(j->store, mode, &txn, em);
	if (err == E_OK) {
		*out = mem_zalloc(sizeof(**out));
		(*out)->journal = j;
		(*out)->txn = txn;
	}
	return err;
}

static void txn_free(struct journal_txn *t)
{
	buf_clear(&t->value);
	mem_free(t);
}

int journal_commit(struct journal_txn *t, struct errmsg *em)
{
	int err = store_commit(t->txn, em);
	txn_free(t);
	return err;
}

void journal_abort(struct journal_txn *t)
{
	if (t != NULL) {
		store_abort(t->txn);
		txn_free(t);
	}
}

int journal_error(const struct journal_txn *t, struct errmsg *em)
{
	return store_error(t->txn, em);
}

/* --- keys ------------------------------------------------------------------------------------ */

static void key_of(struct key *k, const uint8_t *apex)
{
	k->apex = dname_lower(k->data, apex);
	k->len = k->apex;
}

static void key_at(struct key *k, uint64_t seq, uint32_t piece)
{
	be64_put(k->data + k->apex, seq);
	be32_put(k->data + k->apex + 8, piece);
	k->len = k->apex + 12;
}

#define SEQ_ZONE UINT64_MAX

/* --- the record of a zone -------------------------------------------------------------------- */

struct zone {
	struct key key;
	struct journal_zone z;
	bool chained;
};

static uint32_t zone_sum(const uint8_t *p, size_t len)
{
	return crc32c(crc32c(0, p, ZONE_SUM), p + ZONE_LEN, len - ZONE_LEN);
}

static int zone_parse(struct store_octets v, struct zone *zone)
{
	const uint8_t *p = v.data;
	if (v.len < ZONE_LEN || p[ZONE_FORMAT] != FORMAT_ZONE ||
	    v.len != (size_t)ZONE_LEN + p[ZONE_SALT_LEN] || p[ZONE_CHAIN] > DENIAL_NSEC3 ||
	    be32_get(p + ZONE_SUM) != zone_sum(p, v.len)) {
		return E_DAMAGED;
	}
	zone->chained = p[ZONE_CHAINED] != 0;
	zone->z = (struct journal_zone){
		.source_generation = be64_get(p + ZONE_GENERATION),
		.stamp = { .mtime_ns = (int64_t)be64_get(p + ZONE_MTIME),
			   .size = be64_get(p + ZONE_SIZE),
			   .inode = be64_get(p + ZONE_INODE) },
		.frozen = p[ZONE_FROZEN] != 0,
		.first_seq = be64_get(p + ZONE_FIRST),
		.last_seq = be64_get(p + ZONE_LAST),
		.snapshot_seq = be64_get(p + ZONE_SNAPSHOT),
		.last_serial = be32_get(p + ZONE_SERIAL),
		.octets = be64_get(p + ZONE_OCTETS),
		.needed_octets = be64_get(p + ZONE_NEEDED),
		.is_signed = p[ZONE_SIGNED] != 0,
		.chain = { .denial = p[ZONE_CHAIN],
			   .instead_of = p[ZONE_INSTEAD],
			   .nsec3 = { .algorithm = p[ZONE_ALGORITHM],
				      .flags = p[ZONE_FLAGS],
				      .iterations = be16_get(p + ZONE_ITERATIONS),
				      .salt_len = p[ZONE_SALT_LEN] } },
	};
	memcpy(zone->z.chain.nsec3.salt, p + ZONE_LEN, p[ZONE_SALT_LEN]);
	return zone->z.first_seq == 0 || zone->z.first_seq > zone->z.last_seq + 1 ? E_DAMAGED
										  : E_OK;
}

/* E_NOENT, E_DAMAGED: *zone is one without entries. */
static int zone_find(struct journal_txn *t, const uint8_t *apex, struct zone *zone)
{
	struct store_octets v;
	zone->z = (struct journal_zone){ .first_seq = 1 };
	zone->chained = false;
	key_of(&zone->key, apex);
	key_at(&zone->key, SEQ_ZONE, 0);
	int err = store_get(t->txn, zone->key.data, zone->key.len, &v);
	if (err == E_OK && zone_parse(v, zone) != E_OK) {
		zone->z = (struct journal_zone){ .first_seq = 1 };
		zone->chained = false;
		err = E_DAMAGED;
	}
	return err;
}

/* The same; E_DAMAGED stays with the transaction. */
static int zone_load(struct journal_txn *t, const uint8_t *apex, struct zone *zone)
{
	int err = zone_find(t, apex, zone);
	if (err == E_DAMAGED && journal_error(t, NULL) == E_OK) {
		char name[DNAME_TEXT_MAX];
		(void)dname_to_text(apex, name);
		err = fail(t, E_DAMAGED, "journal of %s: its own record is damaged", name);
	}
	return err;
}

static void zone_store(struct journal_txn *t, struct zone *zone)
{
	const struct journal_zone *z = &zone->z;
	const struct nsec3_param *n3 = &z->chain.nsec3;
	uint8_t p[ZONE_LEN + NSEC3_SALT_MAX] = { FORMAT_ZONE };
	const size_t len = (size_t)ZONE_LEN + n3->salt_len;
	p[ZONE_FROZEN] = z->frozen;
	p[ZONE_CHAINED] = zone->chained;
	be32_put(p + ZONE_SERIAL, z->last_serial);
	be64_put(p + ZONE_GENERATION, z->source_generation);
	be64_put(p + ZONE_MTIME, (uint64_t)z->stamp.mtime_ns);
	be64_put(p + ZONE_SIZE, z->stamp.size);
	be64_put(p + ZONE_INODE, z->stamp.inode);
	be64_put(p + ZONE_FIRST, z->first_seq);
	be64_put(p + ZONE_LAST, z->last_seq);
	be64_put(p + ZONE_SNAPSHOT, z->snapshot_seq);
	be64_put(p + ZONE_OCTETS, z->octets);
	be64_put(p + ZONE_NEEDED, z->needed_octets);
	p[ZONE_SIGNED] = z->is_signed;
	p[ZONE_CHAIN] = (uint8_t)z->chain.denial;
	p[ZONE_INSTEAD] = z->chain.instead_of;
	p[ZONE_ALGORITHM] = n3->algorithm;
	p[ZONE_FLAGS] = n3->flags;
	p[ZONE_SALT_LEN] = n3->salt_len;
	be16_put(p + ZONE_ITERATIONS, n3->iterations);
	memcpy(p + ZONE_LEN, n3->salt, n3->salt_len);
	be32_put(p + ZONE_SUM, zone_sum(p, len));
	key_at(&zone->key, SEQ_ZONE, 0);
	store_put(t->txn, zone->key.data, zone->key.len, p, len);
}

static bool is_there(int err)
{
	return err == E_OK || err == E_NOENT;
}

int journal_zone_get(struct journal_txn *t, const uint8_t *apex, struct journal_zone *out)
{
	struct zone zone;
	int err = zone_load(t, apex, &zone);
	*out = zone.z;
	return err;
}

void journal_zone_put(struct journal_txn *t, const uint8_t *apex, const struct journal_zone *z)
{
	struct zone zone;
	if (is_there(zone_load(t, apex, &zone))) {
		zone.z.source_generation = z->source_generation;
		zone.z.stamp = z->stamp;
		zone.z.frozen = z->frozen;
		zone.z.is_signed = z->is_signed;
		zone.z.chain = z->chain;
		zone_store(t, &zone);
	}
}

/* --- reading entries ------------------------------------------------------------------------- */

static uint64_t piece_cost(uint64_t octets)
{
	return OVERHEAD + (octets > SHARED_MAX ? PAGE : 2 * octets);
}

static uint64_t cost_of(uint64_t octets)
{
	return octets / PIECE * piece_cost(PIECE) + piece_cost(octets % PIECE);
}

/* All octets of an entry with this head. */
static uint64_t value_len(const uint8_t *head)
{
	return HEAD_LEN + be64_get(head + HEAD_REMOVED_OCTETS) + be64_get(head + HEAD_ADDED_OCTETS);
}

/* The head of an entry, as far as it can be judged without the rest. */
static int head_parse(struct store_octets v, struct journal_entry *e)
{
	const uint8_t *p = v.data;
	if (v.len < HEAD_LEN || p[HEAD_FORMAT] != FORMAT) {
		return E_DAMAGED;
	}
	uint64_t removed = be64_get(p + HEAD_REMOVED_OCTETS);
	uint64_t added = be64_get(p + HEAD_ADDED_OCTETS);
	if (removed > ENTRY_MAX || added > ENTRY_MAX) {
		return E_DAMAGED;
	}
	*e = (struct journal_entry){
		.seq = be64_get(p + HEAD_SEQ),
		.serial_from = be32_get(p + HEAD_FROM),
		.serial_to = be32_get(p + HEAD_TO),
		.time = (int64_t)be64_get(p + HEAD_TIME),
		.source = p[HEAD_SOURCE],
		.removed = be32_get(p + HEAD_REMOVED),
		.added = be32_get(p + HEAD_ADDED),
		.octets = cost_of(value_len(p)),
	};
	return E_OK;
}

static uint32_t sum_of(const uint8_t *value, size_t len)
{
	uint32_t sum = crc32c(0, value, HEAD_SUM);
	return crc32c(sum, value + HEAD_SEQ, len - HEAD_SEQ);
}

/* The first piece of entry @seq, and what its head says. */
static int head_get(struct journal_txn *t, struct key *k, uint64_t seq, struct journal_entry *e,
		    struct store_octets *v)
{
	key_at(k, seq, 0);
	int err = store_get(t->txn, k->data, k->len, v);
	err = err != E_OK ? err : head_parse(*v, e);
	return err == E_OK && e->seq != seq ? E_DAMAGED : err;
}

static int entry_get(struct journal_txn *t, struct key *k, uint64_t seq, struct journal_entry *e)
{
	struct store_octets v;
	return head_get(t, k, seq, e, &v);
}

int journal_entry_get(struct journal_txn *t, const uint8_t *apex, uint64_t seq,
		      struct journal_entry *out)
{
	struct key k;
	key_of(&k, apex);
	return seq == SEQ_ZONE ? E_NOENT : entry_get(t, &k, seq, out);
}

/* All octets of entry @seq in one piece. */
static int value_get(struct journal_txn *t, struct key *k, uint64_t seq, struct store_octets *value)
{
	struct journal_entry e;
	struct store_octets v;
	int err = head_get(t, k, seq, &e, &v);
	if (err != E_OK) {
		return err;
	}
	uint64_t want = value_len(v.data);
	*value = v;
	if (v.len >= want) {
		return E_OK;
	}
	t->value.len = 0;
	buf_add(&t->value, v.data, v.len);
	for (uint32_t i = 1; t->value.len < want && v.len == PIECE; i++) {
		key_at(k, seq, i);
		if (store_get(t->txn, k->data, k->len, &v) != E_OK) {
			return E_DAMAGED;
		}
		buf_add(&t->value, v.data, v.len);
	}
	*value = (struct store_octets){ (const uint8_t *)t->value.data, t->value.len };
	return E_OK;
}

int journal_entry_read(struct store_octets value, const uint8_t *apex, struct journal_entry *e,
		       struct diff *d)
{
	int err = head_parse(value, e);
	if (err != E_OK || value.len != value_len(value.data) ||
	    be32_get(value.data + HEAD_SUM) != sum_of(value.data, value.len)) {
		return E_DAMAGED;
	}
	uint64_t removed = be64_get(value.data + HEAD_REMOVED_OCTETS);
	uint64_t added = be64_get(value.data + HEAD_ADDED_OCTETS);
	struct reader r = reader_of(value.data + HEAD_LEN, removed);
	struct reader a = reader_of(value.data + HEAD_LEN + removed, added);
	diff_reset(d);
	err = diff_part_read(&d->removed, apex, &r, e->removed);
	err = err != E_OK ? err : diff_part_read(&d->added, apex, &a, e->added);
	d->serial_from = e->serial_from;
	d->serial_to = e->serial_to;
	return err;
}

static int entry_fault(struct errmsg *em, int err, const uint8_t *apex, uint64_t seq)
{
	char name[DNAME_TEXT_MAX];
	(void)dname_to_text(apex, name);
	return err_set(em, err, "journal of %s: entry %llu is %s", name, (unsigned long long)seq,
		       err == E_NOENT ? "not there" : "damaged");
}

int journal_read(struct journal_txn *t, const uint8_t *apex, uint64_t from, journal_fn fn,
		 void *arg, struct errmsg *em)
{
	struct zone zone;
	struct diff d = { 0 };
	int err = zone_load(t, apex, &zone);
	if (!is_there(err)) {
		return journal_error(t, em);
	}
	if (from < zone.z.first_seq || from > zone.z.last_seq + 1) {
		return entry_fault(em, E_NOENT, apex, from);
	}
	err = E_OK;
	for (uint64_t seq = from; seq <= zone.z.last_seq && err == E_OK; seq++) {
		struct journal_entry e;
		struct store_octets v;
		err = value_get(t, &zone.key, seq, &v);
		err = err != E_OK ? err : journal_entry_read(v, apex, &e, &d);
		if (err != E_OK) {
			err = entry_fault(em, err == E_NOENT ? E_DAMAGED : err, apex, seq);
			break;
		}
		err = fn(arg, &e, &d);
	}
	diff_clear(&d);
	return err;
}

int journal_find(struct journal_txn *t, const uint8_t *apex, uint32_t serial, uint64_t *seq)
{
	struct zone zone;
	struct journal_entry e;
	int err = zone_load(t, apex, &zone);
	uint64_t low = zone.z.first_seq;
	uint64_t high = zone.z.last_seq;
	err = err != E_OK ? err : entry_get(t, &zone.key, low, &e);
	uint32_t base = err == E_OK ? e.serial_from : 0;
	/* Serials ascend from the first on, as distances; the last one not above is the one, or none is. */
	while (err == E_OK && low < high) {
		uint64_t middle = low + (high - low + 1) / 2;
		err = entry_get(t, &zone.key, middle, &e);
		if (err == E_OK && e.serial_from - base <= serial - base) {
			low = middle;
		} else {
			high = middle - 1;
		}
	}
	err = err != E_OK ? err : entry_get(t, &zone.key, low, &e);
	if (err == E_OK && e.serial_from != serial) {
		err = E_NOENT;
	}
	if (err == E_OK) {
		*seq = low;
	}
	return err;
}

/* --- dropping -------------------------------------------------------------------------------- */

static bool has_history(const struct journal_zone *z)
{
	return z->first_seq <= z->last_seq && z->first_seq <= z->snapshot_seq;
}

/* Drops the first entry. The records of the zone and of all are not written yet: *dropped counts. */
static void drop_first(struct journal_txn *t, struct zone *zone, uint64_t *dropped)
{
	struct journal_zone *z = &zone->z;
	struct journal_entry e;
	struct key to = zone->key;
	int err = entry_get(t, &zone->key, z->first_seq, &e);
	uint64_t octets = err == E_OK && e.octets < z->octets ? e.octets : 0;
	key_at(&zone->key, z->first_seq, 0);
	key_at(&to, z->first_seq + 1, 0);
	store_delete_range(t->txn, zone->key.data, zone->key.len, to.data, to.len);
	z->first_seq++;
	/* With the last one all is gone, whatever was counted. */
	octets = z->first_seq > z->last_seq ? z->octets : octets;
	z->octets -= octets;
	*dropped += octets;
}

void journal_trim(struct journal_txn *t, const uint8_t *apex, uint64_t octets, int64_t oldest)
{
	struct zone zone;
	uint64_t dropped = 0;
	bool any = false;
	if (zone_load(t, apex, &zone) != E_OK) {
		return;
	}
	while (has_history(&zone.z) && journal_error(t, NULL) == E_OK) {
		struct journal_entry e;
		int err = entry_get(t, &zone.key, zone.z.first_seq, &e);
		if (err == E_OK && zone.z.octets <= octets && e.time >= oldest) {
			break;
		}
		drop_first(t, &zone, &dropped);
		any = true;
	}
	if (any) {
		zone_store(t, &zone);
		total_add(t, 0, dropped);
	}
}

/* The next zone behind @after (NULL: the first) in the order of keys. E_NOENT: none. */
static int zone_next(struct journal_txn *t, const struct key *after, struct dname *apex)
{
	struct key from = { .len = 0 };
	struct store_octets k;
	struct store_octets v;
	if (after != NULL) {
		from = *after;
		key_at(&from, SEQ_ZONE, UINT32_MAX);
	} else {
		from.data[0] = 0;
		from.len = 1;
	}
	int err = store_find(t->txn, from.data, from.len, &k, &v);
	if (err != E_OK || k.data[0] == total_key[0]) {
		return err != E_OK ? err : E_NOENT;
	}
	struct reader r = reader_of(k.data, k.len);
	const uint8_t *name = dname_read(&r);
	if (name == NULL || reader_left(&r) != 12) {
		return fail(t, E_DAMAGED, "the journal has a key that is none");
	}
	dname_set(apex, name);
	return E_OK;
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

static int64_t time_of_first(struct journal_txn *t, struct zone *zone)
{
	struct journal_entry e;
	/* What cannot be read is the first to go. */
	return entry_get(t, &zone->key, zone->z.first_seq, &e) == E_OK ? e.time : INT64_MIN;
}

static void heap_fill(struct journal_txn *t, struct heap *h)
{
	struct dname apex;
	struct zone zone;
	int err = zone_next(t, NULL, &apex);
	while (err == E_OK) {
		err = zone_load(t, apex.wire, &zone);
		if (err == E_OK && has_history(&zone.z)) {
			if (h->count == h->cap) {
				h->cap = h->cap != 0 ? h->cap * 2 : 16;
				h->items = mem_realloc(h->items, h->cap, sizeof(*h->items));
			}
			h->items[h->count++] = (struct oldest){ apex, time_of_first(t, &zone) };
		}
		err = is_there(err) ? zone_next(t, &zone.key, &apex) : err;
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
	int err = total_get(t, &total);
	const uint64_t before = total;
	/* Some more than is wanted, so that it need not be done for each entry. Where less than the limit is too
	 * much already, readers keep pages that were dropped. */
	uint64_t wanted = octets + limit / 16;
	uint64_t goal = total < limit ? total : limit;
	goal = goal > wanted ? goal - wanted : 0;
	heap_fill(t, &h);
	while (err == E_OK && h.count != 0 && total > goal) {
		struct zone zone;
		uint64_t dropped = 0;
		err = zone_load(t, h.items[0].apex.wire, &zone);
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
		zone_store(t, &zone);
		if (!has_history(&zone.z)) {
			h.items[0] = h.items[--h.count];
		}
		heap_down(&h, 0);
		err = err != E_OK ? err : journal_error(t, NULL);
	}
	mem_free(h.items);
	if (err == E_OK) {
		total_put(t, total);
		err = journal_error(t, NULL);
	}
	if (err == E_OK && (total + octets > limit || total == before)) {
		err = fail(
			t, E_LIMIT,
			"the journal is full of changes that are in no snapshot; raise its size");
	}
	return err;
}

/* All octets, by the records of the zones. */
static void recount(struct journal_txn *t)
{
	struct dname apex;
	struct zone zone;
	uint64_t total = 0;
	int err = zone_next(t, NULL, &apex);
	while (err == E_OK) {
		(void)!zone_find(t, apex.wire, &zone);
		total += zone.z.octets;
		err = zone_next(t, &zone.key, &apex);
	}
	total_put(t, total);
}

static void drop_all(struct journal_txn *t, struct zone *zone)
{
	struct key to = zone->key;
	key_at(&zone->key, 0, 0);
	key_at(&to, SEQ_ZONE, UINT32_MAX);
	store_delete_range(t->txn, zone->key.data, zone->key.len, to.data, to.len);
}

/* A damaged record of a zone is no reason to keep what is there. */
void journal_reset(struct journal_txn *t, const uint8_t *apex, uint64_t seq)
{
	struct zone zone;
	int err = zone_find(t, apex, &zone);
	uint64_t octets = zone.z.octets;
	drop_all(t, &zone);
	zone.z.first_seq = seq + 1;
	zone.z.last_seq = seq;
	zone.z.snapshot_seq = seq;
	zone.z.octets = zone.z.needed_octets = 0;
	zone.chained = false;
	zone_store(t, &zone);
	if (is_there(err)) {
		total_add(t, 0, octets);
	} else {
		recount(t);
	}
}

void journal_forget(struct journal_txn *t, const uint8_t *apex)
{
	struct zone zone;
	int err = zone_find(t, apex, &zone);
	drop_all(t, &zone);
	if (is_there(err)) {
		total_add(t, 0, zone.z.octets);
	} else {
		recount(t);
	}
}

void journal_snapshot_made(struct journal_txn *t, const uint8_t *apex, uint64_t seq)
{
	struct zone zone;
	if (!is_there(zone_load(t, apex, &zone))) {
		return;
	}
	zone.z.snapshot_seq = seq;
	zone.z.needed_octets = 0;
	uint64_t from = seq + 1 > zone.z.first_seq ? seq + 1 : zone.z.first_seq;
	for (uint64_t k = from; k <= zone.z.last_seq; k++) {
		struct journal_entry e;
		if (entry_get(t, &zone.key, k, &e) == E_OK) {
			zone.z.needed_octets += e.octets;
		}
	}
	zone_store(t, &zone);
}

/* --- appending ------------------------------------------------------------------------------- */

/* The entry in t->value. */
static void value_make(struct journal_txn *t, uint64_t seq, const struct journal_entry *e,
		       const struct diff *d)
{
	const struct buf *removed = &d->removed.octets;
	const struct buf *added = &d->added.octets;
	uint8_t head[HEAD_LEN] = { FORMAT, (uint8_t)e->source };
	be64_put(head + HEAD_SEQ, seq);
	be32_put(head + HEAD_FROM, d->serial_from);
	be32_put(head + HEAD_TO, d->serial_to);
	be64_put(head + HEAD_TIME, (uint64_t)e->time);
	be64_put(head + HEAD_REMOVED_OCTETS, removed->len);
	be64_put(head + HEAD_ADDED_OCTETS, added->len);
	be32_put(head + HEAD_REMOVED, d->removed.count);
	be32_put(head + HEAD_ADDED, d->added.count);
	t->value.len = 0;
	buf_add(&t->value, head, sizeof(head));
	buf_add(&t->value, removed->data, removed->len);
	buf_add(&t->value, added->data, added->len);
	uint8_t *value = (uint8_t *)t->value.data;
	be32_put(value + HEAD_SUM, sum_of(value, t->value.len));
}

static void value_put(struct journal_txn *t, struct key *k, uint64_t seq)
{
	const char *p = t->value.data;
	size_t left = t->value.len;
	for (uint32_t i = 0; left != 0; i++) {
		size_t len = left < PIECE ? left : PIECE;
		key_at(k, seq, i);
		store_put(t->txn, k->data, k->len, p, len);
		p += len;
		left -= len;
	}
}

static int append(struct journal_txn *t, const uint8_t *apex, const struct journal_entry *e,
		  const struct diff *d, uint64_t *seq)
{
	struct zone zone;
	uint64_t total;
	char name[DNAME_TEXT_MAX];
	uint64_t octets = cost_of(HEAD_LEN + d->removed.octets.len + d->added.octets.len);
	(void)dname_to_text(apex, name);
	if (octets > t->journal->limit / 2) {
		return fail(t, E_LIMIT,
			    "journal: a change of %s has %llu octets, too many for its size", name,
			    (unsigned long long)octets);
	}
	int err = total_get(t, &total);
	if (err == E_OK && total + octets > t->journal->limit) {
		err = journal_make_room(t, octets);
	}
	if (err != E_OK) {
		return err;
	}
	int got = zone_load(t, apex, &zone);
	if (!is_there(got)) {
		return got;
	}
	struct journal_zone *z = &zone.z;
	if (zone.chained && z->last_serial != d->serial_from) {
		return fail(
			t, E_MISMATCH,
			"journal of %s: the last change ended at serial %u, the next begins at %u",
			name, z->last_serial, d->serial_from);
	}
	z->last_seq++;
	z->last_serial = d->serial_to;
	z->octets += octets;
	z->needed_octets += octets;
	zone.chained = true;
	value_make(t, z->last_seq, e, d);
	value_put(t, &zone.key, z->last_seq);
	zone_store(t, &zone);
	total_add(t, octets, 0);
	if (seq != NULL) {
		*seq = z->last_seq;
	}
	return journal_error(t, NULL);
}

int journal_append(struct journal_txn *t, const uint8_t *apex, const struct journal_entry *e,
		   const struct diff *d, uint64_t *seq)
{
	int err = journal_error(t, NULL);
	return err != E_OK ? err : append(t, apex, e, d, seq);
}

/* --- all zones ------------------------------------------------------------------------------- */

int journal_zones(struct journal_txn *t,
		  int (*fn)(void *arg, const uint8_t *apex, const struct journal_zone *zone),
		  void *arg)
{
	struct dname apex;
	struct zone zone;
	int err = zone_next(t, NULL, &apex);
	while (err == E_OK) {
		err = zone_load(t, apex.wire, &zone);
		err = err == E_OK ? fn(arg, apex.wire, &zone.z) : is_there(err) ? E_OK : err;
		err = err == E_OK ? zone_next(t, &zone.key, &apex) : err;
	}
	return err == E_NOENT ? E_OK : err;
}

int journal_totals(struct journal_txn *t, struct journal_totals *out)
{
	out->limit = t->journal->limit;
	return total_get(t, &out->octets);
}

/* --- checking -------------------------------------------------------------------------------- */

struct check {
	struct journal_txn *t;
	void (*fault)(void *arg, const char *message);
	void *arg;
	unsigned faults;
	const struct zone *zone;
	const char *name;
};

PRINTF(2, 3) static void fault(struct check *c, const char *fmt, ...)
{
	char text[2 * DNAME_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->faults++;
	c->fault(c->arg, text);
}

/* Each key of the zone is of an entry that should be there. */
static int check_key(void *arg, struct store_octets key, struct store_octets value)
{
	struct check *c = arg;
	const struct journal_zone *z = &c->zone->z;
	size_t apex = c->zone->key.apex;
	(void)value;
	uint64_t seq = key.len == apex + 12 ? be64_get(key.data + apex) : 0;
	if (seq != SEQ_ZONE && (seq < z->first_seq || seq > z->last_seq)) {
		fault(c, "%s: has an entry that should not be there, %llu", c->name,
		      (unsigned long long)seq);
	}
	return E_OK;
}

/* Do the serials of the SOA records, which come first, agree with the head? */
static bool serials_agree(const struct diff_part *part, uint32_t serial)
{
	struct diff_rr rr;
	if (part->count == 0) {
		return true; /* a zone that comes or goes */
	}
	(void)diff_rr_next((const uint8_t *)part->octets.data, &rr);
	return rr.type != RRTYPE_SOA || soa_numbers_of(rr.rdata, rr.rdlen).serial == serial;
}

static void check_entries(struct check *c, struct zone *zone, const uint8_t *apex)
{
	const struct journal_zone *z = &zone->z;
	struct diff d = { 0 };
	uint64_t octets = 0;
	uint64_t needed = 0;
	uint32_t serial = 0;
	bool chained = false;
	for (uint64_t seq = z->first_seq; seq <= z->last_seq; seq++) {
		struct journal_entry e;
		struct store_octets v;
		unsigned long long number = seq;
		int err = value_get(c->t, &zone->key, seq, &v);
		err = err != E_OK ? err : journal_entry_read(v, apex, &e, &d);
		if (err != E_OK) {
			fault(c, "%s: entry %llu is %s", c->name, number,
			      err == E_NOENT ? "not there" : "damaged");
			chained = false;
			continue;
		}
		if (chained && e.serial_from != serial) {
			fault(c, "%s: entry %llu begins at serial %u, the one before ended at %u",
			      c->name, number, e.serial_from, serial);
		}
		if (!serials_agree(&d.removed, e.serial_from) ||
		    !serials_agree(&d.added, e.serial_to)) {
			fault(c, "%s: entry %llu has a SOA of another serial than it says", c->name,
			      number);
		}
		octets += e.octets;
		needed += seq > z->snapshot_seq ? e.octets : 0;
		serial = e.serial_to;
		chained = true;
	}
	if (chained && serial != z->last_serial) {
		fault(c, "%s: ends at serial %u, expected %u", c->name, serial, z->last_serial);
	}
	if (octets != z->octets || needed != z->needed_octets) {
		fault(c, "%s: has %llu octets, expected %llu", c->name, (unsigned long long)octets,
		      (unsigned long long)z->octets);
	}
	if (z->first_seq > z->snapshot_seq + 1) {
		fault(c, "%s: begins at entry %llu, the snapshot ends at %llu", c->name,
		      (unsigned long long)z->first_seq, (unsigned long long)z->snapshot_seq);
	}
	diff_clear(&d);
}

int journal_check(struct journal_txn *t, void (*on_fault)(void *arg, const char *message),
		  void *arg)
{
	struct check c = { .t = t, .fault = on_fault, .arg = arg };
	char name[DNAME_TEXT_MAX];
	uint64_t octets = 0;
	struct dname apex;
	int err = zone_next(t, NULL, &apex);
	while (err == E_OK) {
		struct zone zone;
		(void)dname_to_text(apex.wire, name);
		c.zone = &zone;
		c.name = name;
		int got = zone_load(t, apex.wire, &zone);
		if (got == E_OK) {
			check_entries(&c, &zone, apex.wire);
			octets += zone.z.octets;
			(void)!store_each(t->txn,
					  (struct store_octets){ zone.key.data, zone.key.apex },
					  NULL, check_key, &c);
		} else if (got == E_NOENT) {
			fault(&c, "%s: has entries and no record of its own", name);
		}
		err = is_there(got) ? zone_next(t, &zone.key, &apex) : got;
	}
	uint64_t total = 0;
	if (err == E_NOENT) {
		err = total_get(t, &total);
	}
	if (err == E_OK && total != octets) {
		fault(&c, "all zones: have %llu octets, expected %llu", (unsigned long long)octets,
		      (unsigned long long)total);
	}
	struct errmsg em;
	if (err != E_OK && journal_error(t, &em) != E_OK) {
		fault(&c, "%s", em.text);
	}
	return c.faults != 0 ? E_CHECK : err;
}

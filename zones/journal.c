/* zones/journal.c - entries of zones in one store.
 *
 * Keys: the apex in lower case and wire form (none is the beginning of another), then
 *
 *     | seq, 64 bits | piece, 32 bits |    a piece of an entry, at most one page each
 *     | all ones - 1 | 0              |    a snapshot of the zone, where it is small
 *     | all ones     | 0              |    the zone's own record: beside its newest entry, so that both are
 *                                          written with one page
 *
 * and one of a single octet ff behind all zones: the sum of all octets. Numbers are big-endian. */
#include "zones/journal_row.h"

#include <stdarg.h>
#include <stdio.h>

#include "zones/base/crc32c.h"
#include "zones/base/mem.h"

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

int journal_fail(struct journal_txn *t, int err, const char *fmt, ...)
{
	struct errmsg em;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(em.text, sizeof(em.text), fmt, ap);
	va_end(ap);
	return store_fail(t->txn, err, &em);
}

int journal_total_get(struct journal_txn *t, uint64_t *octets)
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
		return journal_fail(t, E_DAMAGED, "the journal is of another format");
	}
	*octets = be64_get(v.data + TOTAL_OCTETS);
	return E_OK;
}

void journal_total_put(struct journal_txn *t, uint64_t octets)
{
	uint8_t v[TOTAL_LEN] = { FORMAT };
	be64_put(v + TOTAL_OCTETS, octets);
	store_put(t->txn, total_key, sizeof(total_key), v, sizeof(v));
}

void journal_total_add(struct journal_txn *t, uint64_t more, uint64_t less)
{
	uint64_t octets;
	if (journal_total_get(t, &octets) == E_OK) {
		octets += more;
		journal_total_put(t, octets > less ? octets - less : 0);
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
	if (journal_total_get(t, &octets) != E_OK || (*is_new && !is_empty)) {
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
		journal_total_put(t, 0);
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

void journal_key_of(struct journal_key *k, const uint8_t *apex)
{
	k->apex = dname_lower(k->data, apex);
	k->len = k->apex;
}

void journal_key_at(struct journal_key *k, uint64_t seq, uint32_t piece)
{
	be64_put(k->data + k->apex, seq);
	be32_put(k->data + k->apex + 8, piece);
	k->len = k->apex + 12;
}

/* --- the record of a zone -------------------------------------------------------------------- */

static uint32_t row_sum(const uint8_t *p, size_t len)
{
	return crc32c(crc32c(0, p, ZONE_SUM), p + ZONE_LEN, len - ZONE_LEN);
}

static int row_parse(struct store_octets v, struct journal_row *zone)
{
	const uint8_t *p = v.data;
	if (v.len < ZONE_LEN || p[ZONE_FORMAT] != FORMAT_ZONE ||
	    v.len != (size_t)ZONE_LEN + p[ZONE_SALT_LEN] || p[ZONE_CHAIN] > DENIAL_NSEC3 ||
	    be32_get(p + ZONE_SUM) != row_sum(p, v.len)) {
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

int journal_row_find(struct journal_txn *t, const uint8_t *apex, struct journal_row *zone)
{
	struct store_octets v;
	zone->z = (struct journal_zone){ .first_seq = 1 };
	zone->chained = false;
	journal_key_of(&zone->key, apex);
	journal_key_at(&zone->key, JOURNAL_SEQ_ROW, 0);
	int err = store_get(t->txn, zone->key.data, zone->key.len, &v);
	if (err == E_OK && row_parse(v, zone) != E_OK) {
		zone->z = (struct journal_zone){ .first_seq = 1 };
		zone->chained = false;
		err = E_DAMAGED;
	}
	return err;
}

int journal_row_load(struct journal_txn *t, const uint8_t *apex, struct journal_row *zone)
{
	int err = journal_row_find(t, apex, zone);
	if (err == E_DAMAGED && journal_error(t, NULL) == E_OK) {
		char name[DNAME_TEXT_MAX];
		(void)dname_to_text(apex, name);
		err = journal_fail(t, E_DAMAGED, "journal of %s: its own record is damaged", name);
	}
	return err;
}

void journal_row_store(struct journal_txn *t, struct journal_row *zone)
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
	be32_put(p + ZONE_SUM, row_sum(p, len));
	journal_key_at(&zone->key, JOURNAL_SEQ_ROW, 0);
	store_put(t->txn, zone->key.data, zone->key.len, p, len);
}

bool journal_is_there(int err)
{
	return err == E_OK || err == E_NOENT;
}

int journal_zone_get(struct journal_txn *t, const uint8_t *apex, struct journal_zone *out)
{
	struct journal_row zone;
	int err = journal_row_load(t, apex, &zone);
	*out = zone.z;
	return err;
}

void journal_zone_put(struct journal_txn *t, const uint8_t *apex, const struct journal_zone *z)
{
	struct journal_row zone;
	if (journal_is_there(journal_row_load(t, apex, &zone))) {
		zone.z.source_generation = z->source_generation;
		zone.z.stamp = z->stamp;
		zone.z.frozen = z->frozen;
		zone.z.is_signed = z->is_signed;
		zone.z.chain = z->chain;
		journal_row_store(t, &zone);
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
static int head_get(struct journal_txn *t, struct journal_key *k, uint64_t seq,
		    struct journal_entry *e, struct store_octets *v)
{
	journal_key_at(k, seq, 0);
	int err = store_get(t->txn, k->data, k->len, v);
	err = err != E_OK ? err : head_parse(*v, e);
	return err == E_OK && e->seq != seq ? E_DAMAGED : err;
}

int journal_entry_at(struct journal_txn *t, struct journal_key *k, uint64_t seq,
		     struct journal_entry *e)
{
	struct store_octets v;
	return head_get(t, k, seq, e, &v);
}

int journal_entry_get(struct journal_txn *t, const uint8_t *apex, uint64_t seq,
		      struct journal_entry *out)
{
	struct journal_key k;
	journal_key_of(&k, apex);
	return seq == JOURNAL_SEQ_ROW ? E_NOENT : journal_entry_at(t, &k, seq, out);
}

int journal_value_at(struct journal_txn *t, struct journal_key *k, uint64_t seq,
		     struct store_octets *value)
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
		journal_key_at(k, seq, i);
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
	struct journal_row zone;
	struct diff d = { 0 };
	int err = journal_row_load(t, apex, &zone);
	if (!journal_is_there(err)) {
		return journal_error(t, em);
	}
	if (from < zone.z.first_seq || from > zone.z.last_seq + 1) {
		return entry_fault(em, E_NOENT, apex, from);
	}
	err = E_OK;
	for (uint64_t seq = from; seq <= zone.z.last_seq && err == E_OK; seq++) {
		struct journal_entry e;
		struct store_octets v;
		err = journal_value_at(t, &zone.key, seq, &v);
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
	struct journal_row zone;
	struct journal_entry e;
	int err = journal_row_load(t, apex, &zone);
	uint64_t low = zone.z.first_seq;
	uint64_t high = zone.z.last_seq;
	err = err != E_OK ? err : journal_entry_at(t, &zone.key, low, &e);
	uint32_t base = err == E_OK ? e.serial_from : 0;
	/* Serials ascend from the first on, as distances; the last one not above is the one, or none is. */
	while (err == E_OK && low < high) {
		uint64_t middle = low + (high - low + 1) / 2;
		err = journal_entry_at(t, &zone.key, middle, &e);
		if (err == E_OK && e.serial_from - base <= serial - base) {
			low = middle;
		} else {
			high = middle - 1;
		}
	}
	err = err != E_OK ? err : journal_entry_at(t, &zone.key, low, &e);
	if (err == E_OK && e.serial_from != serial) {
		err = E_NOENT;
	}
	if (err == E_OK) {
		*seq = low;
	}
	return err;
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

static void value_put(struct journal_txn *t, struct journal_key *k, uint64_t seq)
{
	const char *p = t->value.data;
	size_t left = t->value.len;
	for (uint32_t i = 0; left != 0; i++) {
		size_t len = left < PIECE ? left : PIECE;
		journal_key_at(k, seq, i);
		store_put(t->txn, k->data, k->len, p, len);
		p += len;
		left -= len;
	}
}

static int append(struct journal_txn *t, const uint8_t *apex, const struct journal_entry *e,
		  const struct diff *d, uint64_t *seq)
{
	struct journal_row zone;
	uint64_t total;
	char name[DNAME_TEXT_MAX];
	uint64_t octets = cost_of(HEAD_LEN + d->removed.octets.len + d->added.octets.len);
	(void)dname_to_text(apex, name);
	if (octets > t->journal->limit / 2) {
		return journal_fail(
			t, E_LIMIT,
			"journal: a change of %s has %llu octets, too many for its size", name,
			(unsigned long long)octets);
	}
	int err = journal_total_get(t, &total);
	if (err == E_OK && total + octets > t->journal->limit) {
		err = journal_make_room(t, octets);
	}
	if (err != E_OK) {
		return err;
	}
	int got = journal_row_load(t, apex, &zone);
	if (!journal_is_there(got)) {
		return got;
	}
	struct journal_zone *z = &zone.z;
	if (zone.chained && z->last_serial != d->serial_from) {
		return journal_fail(
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
	journal_row_store(t, &zone);
	journal_total_add(t, octets, 0);
	if (seq != NULL) {
		*seq = z->last_seq;
	}
	return journal_error(t, NULL);
}

void journal_snapshot_put(struct journal_txn *t, const uint8_t *apex, const void *octets,
			  size_t len)
{
	struct journal_key k;
	journal_key_of(&k, apex);
	journal_key_at(&k, JOURNAL_SEQ_SNAPSHOT, 0);
	store_put(t->txn, k.data, k.len, octets, len);
}

int journal_snapshot_get(struct journal_txn *t, const uint8_t *apex, struct store_octets *out)
{
	struct journal_key k;
	journal_key_of(&k, apex);
	journal_key_at(&k, JOURNAL_SEQ_SNAPSHOT, 0);
	return store_get(t->txn, k.data, k.len, out);
}

bool journal_takes_snapshots(const struct journal *j)
{
	return store_used(j->store) < j->limit;
}

int journal_append(struct journal_txn *t, const uint8_t *apex, const struct journal_entry *e,
		   const struct diff *d, uint64_t *seq)
{
	int err = journal_error(t, NULL);
	return err != E_OK ? err : append(t, apex, e, d, seq);
}

/* --- all zones ------------------------------------------------------------------------------- */

int journal_row_next(struct journal_txn *t, const struct journal_key *after, struct dname *apex)
{
	struct journal_key from = { .len = 0 };
	struct store_octets k;
	struct store_octets v;
	if (after != NULL) {
		from = *after;
		journal_key_at(&from, JOURNAL_SEQ_ROW, UINT32_MAX);
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
		return journal_fail(t, E_DAMAGED, "the journal has a key that is none");
	}
	dname_set(apex, name);
	return E_OK;
}

int journal_zones(struct journal_txn *t,
		  int (*fn)(void *arg, const uint8_t *apex, const struct journal_zone *zone),
		  void *arg)
{
	struct dname apex;
	struct journal_row zone;
	int err = journal_row_next(t, NULL, &apex);
	while (err == E_OK) {
		err = journal_row_load(t, apex.wire, &zone);
		err = err == E_OK	      ? fn(arg, apex.wire, &zone.z)
		      : journal_is_there(err) ? E_OK
					      : err;
		err = err == E_OK ? journal_row_next(t, &zone.key, &apex) : err;
	}
	return err == E_NOENT ? E_OK : err;
}

int journal_totals(struct journal_txn *t, struct journal_totals *out)
{
	out->limit = t->journal->limit;
	return journal_total_get(t, &out->octets);
}

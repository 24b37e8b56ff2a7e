/* test/unit/zones/journal_test.c - random use of a journal against lists in memory; damage; full stores. */
#include "zones/journal.h"

#include <unistd.h>

#include "test/unit/zones/zone_kit.h"
#include "zones/base/mem.h"

#define SIZE ((size_t)16 << 20)

static char dir[] = "/tmp/journal_test.XXXXXX";
static char path[sizeof(dir) + 16];

static void setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/j.mdb", dir);
}

static void teardown(void)
{
	char p[sizeof(path) + 16];
	(void)unlink(path);
	(void)snprintf(p, sizeof(p), "%s-lock", path);
	(void)unlink(p);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct journal *open_journal(size_t size)
{
	struct journal *j = NULL;
	struct errmsg em;
	ck_assert_msg(journal_open(&j, path, size, STORE_WRITE, &em) == E_OK, "%s", em.text);
	return j;
}

static struct journal_txn *begin(struct journal *j, enum store_mode mode)
{
	struct journal_txn *t = NULL;
	struct errmsg em;
	ck_assert_msg(journal_begin(j, mode, &t, &em) == E_OK, "%s", em.text);
	return t;
}

static void commit(struct journal_txn *t)
{
	struct errmsg em;
	ck_assert_msg(journal_commit(t, &em) == E_OK, "%s", em.text);
}

static void say(void *arg, const char *message)
{
	struct buf *b = arg;
	buf_str(b, message);
	buf_char(b, '\n');
}

static void check_sound(struct journal_txn *t)
{
	struct buf faults = { 0 };
	int err = journal_check(t, say, &faults);
	ck_assert_msg(err == E_OK, "%d: %s", err, faults.data);
	buf_clear(&faults);
}

/* --- the model ------------------------------------------------------------------------------- */

#define ZONES	4
#define ENTRIES 400

static const char *const names[ZONES] = { "example.", "a.Example.", ".", "\\000\\255x.example." };

struct model_entry {
	uint32_t from, to;
	int64_t time;
	struct buf octets; /* what was added */
};

struct model_zone {
	struct dname apex;
	struct model_entry e[ENTRIES]; /* of seq i + 1 */
	uint64_t first, last, snapshot;
	bool known;
};

static struct model_zone model[ZONES];
static int64_t now;

/* A change with @octets octets or a little more; the records mean nothing. */
static void make_diff(struct diff *d, struct model_zone *m, uint32_t from, uint32_t to,
		      size_t octets, struct unit_random *r)
{
	diff_reset(d);
	d->serial_from = from;
	d->serial_to = to;
	while (d->added.octets.len < octets) {
		struct buf *b = &d->added.octets;
		uint8_t fixed[10] = { 0, RRTYPE_TXT, 0, RRCLASS_IN, 0, 0, 0, 60, 0, 0 };
		uint8_t text[256];
		unsigned len = unit_random_below(r, 200) + 1;
		be16_put(fixed + 8, (uint16_t)(len + 1));
		text[0] = (uint8_t)len;
		for (unsigned i = 1; i <= len; i++) {
			text[i] = (uint8_t)unit_random_next(r);
		}
		buf_add(b, m->apex.wire, m->apex.len);
		buf_add(b, fixed, sizeof(fixed));
		buf_add(b, text, len + 1);
		d->added.count++;
	}
}

static void model_append(struct journal_txn *t, struct model_zone *m, size_t octets,
			 struct unit_random *r)
{
	struct diff d = { 0 };
	uint64_t seq = 0;
	struct model_entry *e = &m->e[m->last];
	uint32_t from = m->last != 0 ? m->e[m->last - 1].to : 4000000000U;
	ck_assert_uint_lt(m->last, ENTRIES);
	/* far steps, so that serials wrap */
	e->from = from;
	e->to = from + 1 + unit_random_below(r, 3) * 5000000;
	e->time = now;
	make_diff(&d, m, e->from, e->to, octets, r);
	buf_clear(&e->octets);
	buf_add(&e->octets, d.added.octets.data, d.added.octets.len);
	const struct journal_entry je = { .time = now, .source = JOURNAL_UPDATE };
	ck_assert_int_eq(journal_append(t, m->apex.wire, &je, &d, &seq), E_OK);
	m->last++;
	m->known = true;
	ck_assert_uint_eq(seq, m->last);
	diff_clear(&d);
}

struct reading {
	struct model_zone *m;
	uint64_t next;
};

static int read_one(void *arg, const struct journal_entry *e, const struct diff *d)
{
	struct reading *r = arg;
	const struct model_entry *want = &r->m->e[r->next - 1];
	ck_assert_uint_eq(e->seq, r->next);
	ck_assert_uint_eq(e->serial_from, want->from);
	ck_assert_uint_eq(d->serial_to, want->to);
	ck_assert_int_eq(e->time, want->time);
	ck_assert_int_eq(e->source, JOURNAL_UPDATE);
	ck_assert_uint_eq(d->added.octets.len, want->octets.len);
	ck_assert(want->octets.len == 0 ||
		  memcmp(d->added.octets.data, want->octets.data, want->octets.len) == 0);
	r->next++;
	return E_OK;
}

static void check_zone(struct journal_txn *t, struct model_zone *m)
{
	struct journal_zone z;
	struct errmsg em;
	uint64_t seq;
	ck_assert_int_eq(journal_zone_get(t, m->apex.wire, &z), m->known ? E_OK : E_NOENT);
	ck_assert_uint_eq(z.first_seq, m->first);
	ck_assert_uint_eq(z.last_seq, m->last);
	ck_assert_uint_eq(z.snapshot_seq, m->snapshot);
	struct reading r = { m, m->first };
	ck_assert_int_eq(journal_read(t, m->apex.wire, m->first, read_one, &r, &em), E_OK);
	ck_assert_uint_eq(r.next, m->last + 1);
	ck_assert_int_eq(journal_read(t, m->apex.wire, m->last + 1, read_one, &r, &em), E_OK);
	ck_assert_int_eq(journal_read(t, m->apex.wire, m->last + 2, read_one, &r, &em), E_NOENT);
	ck_assert_int_eq(journal_read(t, m->apex.wire, m->first - 1, read_one, &r, &em), E_NOENT);
	for (uint64_t i = m->first; i <= m->last; i++) {
		ck_assert_int_eq(journal_find(t, m->apex.wire, m->e[i - 1].from, &seq), E_OK);
		ck_assert_uint_eq(seq, i);
	}
	if (m->last != 0) {
		ck_assert_int_eq(journal_find(t, m->apex.wire, m->e[m->last - 1].to, &seq),
				 E_NOENT);
		ck_assert_int_eq(journal_find(t, m->apex.wire, m->e[0].from - 1, &seq), E_NOENT);
	}
}

static void model_trim(struct journal_txn *t, struct model_zone *m, struct unit_random *r)
{
	struct journal_zone before, after;
	uint64_t octets = unit_random_below(r, 20000);
	int64_t oldest = now - (int64_t)unit_random_below(r, 60);
	(void)!journal_zone_get(t, m->apex.wire, &before);
	journal_trim(t, m->apex.wire, octets, oldest);
	(void)!journal_zone_get(t, m->apex.wire, &after);
	ck_assert_uint_le(after.first_seq,
			  m->snapshot + 1 > before.first_seq ? m->snapshot + 1 : before.first_seq);
	if (after.first_seq <= after.last_seq && after.first_seq <= m->snapshot) {
		ck_assert_uint_le(after.octets, octets);
		ck_assert_int_ge(m->e[after.first_seq - 1].time, oldest);
	}
	m->first = after.first_seq;
}

static void step(struct journal_txn *t, struct model_zone *m, struct unit_random *r)
{
	struct journal_zone z;
	now += unit_random_below(r, 10);
	switch (unit_random_below(r, 12)) {
	case 0:
		if (m->last != 0) {
			m->snapshot =
				m->first + unit_random_below(r, (uint32_t)(m->last + 1 - m->first));
			m->snapshot = m->snapshot <= m->last ? m->snapshot : m->last;
			journal_snapshot_made(t, m->apex.wire, m->snapshot);
		}
		break;
	case 1:
		model_trim(t, m, r);
		break;
	case 2:
		(void)!journal_zone_get(t, m->apex.wire, &z);
		z.frozen = !z.frozen;
		z.source_generation = m->last;
		z.stamp = (struct journal_stamp){ -now, (uint64_t)now, 77 };
		z.last_seq = 12345; /* not the caller's */
		journal_zone_put(t, m->apex.wire, &z);
		m->known = true;
		break;
	case 3:
		model_append(t, m, 30000, r); /* in pieces */
		break;
	default:
		model_append(t, m, unit_random_below(r, 600), r);
		break;
	}
}

static void model_begin(void)
{
	now = 1000000;
	for (unsigned i = 0; i < ZONES; i++) {
		kit_name(names[i], &model[i].apex);
		model[i].first = 1;
		model[i].last = model[i].snapshot = 0;
		model[i].known = false;
	}
}

static void model_end(void)
{
	for (unsigned i = 0; i < ZONES; i++) {
		for (unsigned k = 0; k < ENTRIES; k++) {
			buf_clear(&model[i].e[k].octets);
		}
	}
}

START_TEST(random_use_equals_the_model)
{
	static struct {
		uint64_t first, last, snapshot;
		bool known;
	} saved[ZONES];
	struct unit_random r = { (uint64_t)_i + 1 };
	struct journal *j = open_journal(SIZE);
	model_begin();
	for (unsigned round = 0; round < 80; round++) {
		for (unsigned i = 0; i < ZONES; i++) {
			saved[i].first = model[i].first;
			saved[i].last = model[i].last;
			saved[i].snapshot = model[i].snapshot;
			saved[i].known = model[i].known;
		}
		struct journal_txn *t = begin(j, STORE_WRITE);
		for (unsigned k = unit_random_below(&r, 12); k != 0; k--) {
			step(t, &model[unit_random_below(&r, ZONES)], &r);
		}
		if (unit_random_below(&r, 4) == 0) {
			journal_abort(t);
			for (unsigned i = 0; i < ZONES; i++) {
				/* what is read below is of entries that stay: those behind are made anew */
				model[i].first = saved[i].first;
				model[i].last = saved[i].last;
				model[i].snapshot = saved[i].snapshot;
				model[i].known = saved[i].known;
			}
		} else {
			commit(t);
		}
		if (unit_random_below(&r, 10) == 0) {
			journal_close(j);
			j = open_journal(SIZE);
		}
		t = begin(j, STORE_READ);
		check_sound(t);
		for (unsigned i = 0; i < ZONES; i++) {
			check_zone(t, &model[i]);
		}
		journal_abort(t);
	}
	journal_close(j);
	model_end();
}
END_TEST

/* --- what a restart does --------------------------------------------------------------------- */

struct replay {
	struct version *v;
};

static int replay_one(void *arg, const struct journal_entry *e, const struct diff *d)
{
	struct replay *r = arg;
	struct errmsg em;
	struct edit *edit = edit_begin(r->v, NULL, EDIT_TTL_LAST);
	ck_assert_msg(diff_apply(d, edit, &em) == E_OK, "%s", em.text);
	version_unref(r->v);
	r->v = edit_commit(edit);
	ck_assert_uint_eq(r->v->serial, e->serial_to);
	return E_OK;
}

START_TEST(entries_lead_from_one_version_to_the_last)
{
	struct unit_random r = { (uint64_t)_i + 1 };
	struct unit_random again = r;
	struct version *v = kit_next(NULL, 40, 1, &r);
	struct replay replay = { kit_next(NULL, 40, 1, &again) };
	struct journal *j = open_journal(SIZE);
	struct errmsg em;
	for (uint32_t serial = 2; serial < 30; serial++) {
		struct diff d = { 0 };
		struct version *next = kit_next(v, unit_random_below(&r, 30), serial, &r);
		struct journal_txn *t = begin(j, STORE_WRITE);
		const struct journal_entry e = { .time = serial, .source = JOURNAL_RESIGN };
		diff_make(v, next, &d);
		ck_assert_int_eq(journal_append(t, v->apex.wire, &e, &d, NULL), E_OK);
		commit(t);
		diff_clear(&d);
		version_unref(v);
		v = next;
	}
	struct journal_txn *t = begin(j, STORE_READ);
	check_sound(t);
	ck_assert_int_eq(journal_read(t, v->apex.wire, 1, replay_one, &replay, &em), E_OK);
	ck_assert(kit_equal(v, replay.v));
	journal_abort(t);
	journal_close(j);
	version_unref(v);
	version_unref(replay.v);
}
END_TEST

START_TEST(what_does_not_chain_is_refused)
{
	struct unit_random r = { 1 };
	struct diff d = { 0 };
	struct errmsg em = { "" };
	struct journal *j = open_journal(SIZE);
	model_begin();
	struct journal_txn *t = begin(j, STORE_WRITE);
	model_append(t, &model[0], 100, &r);
	commit(t);
	t = begin(j, STORE_WRITE);
	const struct journal_entry e = { .time = 1, .source = JOURNAL_FILE };
	uint32_t last = model[0].e[0].to;
	make_diff(&d, &model[0], last + 1, last + 2, 10, &r);
	ck_assert_int_eq(journal_append(t, model[0].apex.wire, &e, &d, NULL), E_MISMATCH);
	d.serial_from = last; /* too late: the transaction has failed */
	ck_assert_int_eq(journal_append(t, model[0].apex.wire, &e, &d, NULL), E_MISMATCH);
	ck_assert_int_eq(journal_commit(t, &em), E_MISMATCH);
	ck_assert_ptr_nonnull(strstr(em.text, "journal of example.: the last change ended at"));
	/* After a reset any serial will do. */
	t = begin(j, STORE_WRITE);
	journal_reset(t, model[0].apex.wire, 7);
	uint64_t seq = 0;
	d.serial_from = 5;
	ck_assert_int_eq(journal_append(t, model[0].apex.wire, &e, &d, &seq), E_OK);
	ck_assert_uint_eq(seq, 8);
	check_sound(t);
	commit(t);
	t = begin(j, STORE_WRITE);
	struct journal_totals totals;
	journal_forget(t, model[0].apex.wire);
	struct journal_zone z;
	ck_assert_int_eq(journal_zone_get(t, model[0].apex.wire, &z), E_NOENT);
	ck_assert_int_eq(journal_totals(t, &totals), E_OK);
	ck_assert_uint_eq(totals.octets, 0);
	commit(t);
	journal_close(j);
	diff_clear(&d);
	model_end();
}
END_TEST

/* Many more changes than fit: the oldest history of any zone goes, what is in no snapshot stays. */
START_TEST(full_journals_drop_the_oldest_history)
{
	enum { SMALL = 1 << 20 };
	struct unit_random r = { 1 };
	struct errmsg em = { "" };
	struct journal *j = open_journal(SMALL);
	struct journal_zone z;
	model_begin();
	for (unsigned i = 0; i <= 90; i++) {
		struct model_zone *m = &model[i % 3];
		struct journal_txn *t = begin(j, STORE_WRITE);
		now++;
		model_append(t, m, 6000, &r);
		if (m != &model[2] ||
		    i < 30) { /* the third has ten of history, the rest is needed */
			journal_snapshot_made(t, m->apex.wire, m->last);
			m->snapshot = m->last;
		}
		commit(t);
	}
	/* goes on with the first alone */
	for (unsigned i = 0; i < 300; i++) {
		struct model_zone *m = &model[0];
		struct journal_txn *t = begin(j, STORE_WRITE);
		now++;
		model_append(t, m, 6000, &r);
		journal_snapshot_made(t, m->apex.wire, m->last);
		m->snapshot = m->last;
		commit(t);
	}
	struct journal_txn *t = begin(j, STORE_READ);
	check_sound(t);
	ck_assert_int_eq(journal_zone_get(t, model[2].apex.wire, &z), E_OK);
	ck_assert_uint_eq(z.first_seq, 11); /* all that was needed, none else */
	ck_assert_int_eq(journal_zone_get(t, model[1].apex.wire, &z), E_OK);
	ck_assert_uint_eq(z.first_seq, z.last_seq + 1); /* all older than what the first has */
	ck_assert_int_eq(journal_zone_get(t, model[0].apex.wire, &z), E_OK);
	ck_assert_uint_gt(z.first_seq, 250);
	ck_assert_uint_lt(z.first_seq, z.last_seq - 10);
	struct journal_totals totals;
	ck_assert_int_eq(journal_totals(t, &totals), E_OK);
	ck_assert_uint_eq(totals.limit, SMALL / 2);
	ck_assert_uint_le(totals.octets, totals.limit);
	journal_abort(t);
	/* Without snapshots it is full one day, and says why; with one it goes on. */
	struct diff d = { 0 };
	const struct journal_entry e = { .time = now, .source = JOURNAL_UPDATE };
	uint32_t serial = 1;
	struct model_zone *m = &model[3];
	int err = E_OK;
	uint64_t seq = 0;
	while (err == E_OK) {
		ck_assert_uint_lt(serial, 200);
		t = begin(j, STORE_WRITE);
		make_diff(&d, m, serial, serial + 1, 6000, &r);
		err = journal_append(t, m->apex.wire, &e, &d, err == E_OK ? &seq : NULL);
		serial++;
		int end = journal_commit(t, &em);
		ck_assert_int_eq(err, end);
	}
	ck_assert_int_eq(err, E_LIMIT);
	ck_assert_ptr_nonnull(strstr(em.text, "in no snapshot"));
	t = begin(j, STORE_WRITE);
	journal_snapshot_made(t, m->apex.wire, seq);
	ck_assert_int_eq(journal_append(t, m->apex.wire, &e, &d, &seq), E_OK);
	commit(t);
	t = begin(j, STORE_WRITE);
	make_diff(&d, m, serial, serial + 1, SMALL / 4, &r);
	ck_assert_int_eq(journal_append(t, m->apex.wire, &e, &d, &seq), E_LIMIT);
	journal_abort(t);
	t = begin(j, STORE_READ);
	check_sound(t);
	journal_abort(t);
	journal_close(j);
	diff_clear(&d);
	model_end();
}
END_TEST

/* --- damage ---------------------------------------------------------------------------------- */

struct copy {
	uint8_t key[STORE_KEY_MAX];
	size_t key_len;
	struct buf value;
};

struct copies {
	struct copy c[64];
	unsigned count;
};

static int copy_one(void *arg, struct store_octets key, struct store_octets value)
{
	struct copies *all = arg;
	struct copy *c = &all->c[all->count++];
	memcpy(c->key, key.data, key.len);
	c->key_len = key.len;
	buf_add(&c->value, value.data, value.len);
	return E_OK;
}

/* Puts @len octets in the place of a value, or (NULL) takes it out. */
static void overwrite(const struct copy *c, const void *octets, size_t len)
{
	struct store *s = NULL;
	struct store_txn *t = NULL;
	ck_assert_int_eq(store_open(&s, path, SIZE, STORE_WRITE, NULL), E_OK);
	ck_assert_int_eq(store_begin(s, STORE_WRITE, &t, NULL), E_OK);
	if (octets != NULL) {
		store_put(t, c->key, c->key_len, octets, len);
	} else {
		store_delete(t, c->key, c->key_len);
	}
	ck_assert_int_eq(store_commit(t, NULL), E_OK);
	store_close(s);
}

static int count_one(void *arg, const struct journal_entry *e, const struct diff *d)
{
	(void)e;
	(void)d;
	++*(unsigned *)arg;
	return E_OK;
}

/* What is damaged is found, by the check and by reading; a reset heals it. */
static void check_damage(void)
{
	struct journal *j = NULL;
	struct errmsg em = { "" };
	struct buf faults = { 0 };
	int err = journal_open(&j, path, SIZE, STORE_WRITE, &em);
	if (err != E_OK) { /* the sum of all: it tells the format */
		ck_assert_int_eq(err, E_DAMAGED);
		return;
	}
	struct journal_txn *t = begin(j, STORE_READ);
	ck_assert_int_ne(journal_check(t, say, &faults), E_OK);
	ck_assert_uint_ne(faults.len, 0);
	for (unsigned i = 0; i < 2; i++) {
		unsigned got = 0;
		err = journal_read(t, model[i].apex.wire, 1, count_one, &got, &em);
		ck_assert(err == E_OK || err == E_DAMAGED || err == E_NOENT);
	}
	journal_abort(t);
	t = begin(j, STORE_WRITE);
	journal_reset(t, model[0].apex.wire, 10);
	journal_reset(t, model[1].apex.wire, 10);
	buf_reset(&faults);
	err = journal_check(t, say, &faults);
	/* Only of the sum of all no zone knows better. */
	ck_assert_msg(err == E_OK || strncmp(faults.data, "all zones: ", 11) == 0, "%s",
		      faults.data);
	journal_abort(t);
	journal_close(j);
	buf_clear(&faults);
}

START_TEST(damage_is_found)
{
	static struct copies all;
	struct unit_random r = { 5 };
	struct journal *j = open_journal(SIZE);
	struct store *s = NULL;
	struct store_txn *st = NULL;
	model_begin();
	struct journal_txn *t = begin(j, STORE_WRITE);
	for (unsigned i = 0; i < 3; i++) {
		model_append(t, &model[0], 60, &r);
		model_append(t, &model[1], i == 1 ? 9000 : 60, &r);
	}
	commit(t);
	journal_close(j);
	ck_assert_int_eq(store_open(&s, path, SIZE, STORE_READ, NULL), E_OK);
	ck_assert_int_eq(store_begin(s, STORE_READ, &st, NULL), E_OK);
	ck_assert_int_eq(store_each(st, (struct store_octets){ NULL, 0 }, NULL, copy_one, &all),
			 E_OK);
	store_abort(st);
	store_close(s);
	ck_assert_uint_ge(all.count, 11);
	for (unsigned i = 0; i < all.count; i++) {
		const struct copy *c = &all.c[i];
		bool is_total = c->key_len == 1;
		for (size_t at = 0; at < c->value.len;
		     at += at < 8     ? 1
			   : at < 100 ? 7
				      : unit_random_below(&r, 500) + 1) {
			if (is_total && at > 0 && at < 8) {
				continue; /* spare */
			}
			uint8_t *copy = mem_dup(c->value.data, c->value.len);
			copy[at] ^= (uint8_t)(1 + unit_random_below(&r, 255));
			overwrite(c, copy, c->value.len);
			check_damage();
			mem_free(copy);
		}
		overwrite(c, c->value.data, c->value.len - 1);
		check_damage();
		overwrite(c, NULL, 0);
		check_damage();
		overwrite(c, c->value.data, c->value.len);
	}
	j = open_journal(SIZE);
	t = begin(j, STORE_READ);
	check_sound(t);
	journal_abort(t);
	journal_close(j);
	for (unsigned i = 0; i < all.count; i++) {
		buf_clear(&all.c[i].value);
	}
	model_end();
}
END_TEST

START_TEST(another_store_is_no_journal)
{
	struct store *s = NULL;
	struct store_txn *t = NULL;
	struct journal *j = NULL;
	struct errmsg em = { "" };
	ck_assert_int_eq(store_open(&s, path, SIZE, STORE_WRITE, NULL), E_OK);
	ck_assert_int_eq(store_begin(s, STORE_WRITE, &t, NULL), E_OK);
	store_put(t, "key", 3, "value", 5);
	ck_assert_int_eq(store_commit(t, NULL), E_OK);
	store_close(s);
	ck_assert_int_eq(journal_open(&j, path, SIZE, STORE_WRITE, &em), E_DAMAGED);
	ck_assert_ptr_nonnull(strstr(em.text, "is no journal"));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("journal");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, random_use_equals_the_model, 0, 4);
	tcase_add_loop_test(tc, entries_lead_from_one_version_to_the_last, 0, 3);
	tcase_add_test(tc, what_does_not_chain_is_refused);
	tcase_add_test(tc, full_journals_drop_the_oldest_history);
	tcase_add_test(tc, damage_is_found);
	tcase_add_test(tc, another_store_is_no_journal);
	return unit_run("zones/journal", tc);
}

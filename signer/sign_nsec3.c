/* signer/sign_nsec3.c - the NSEC3 chain (RFC 5155 §7.1).
 *
 *     names are signed: hash each → by first octet into buckets → sort each bucket → link and sign
 *
 * Every name that is not occluded, and every empty non-terminal above one, is hashed; the hashes
 * are sorted, and each gets a record that points at the next. With opt-out, delegations without
 * DS are left out, and so are empty non-terminals that lead to nothing else (RFC 5155 erratum 3441).
 *
 * In order of the hashes each name is somewhere else in memory, so all that its record says is
 * found when the name is signed. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "signer/sign_run.h"
#include "zones/base/mem.h"

/* Hashes are uniform by construction. Enough to keep all threads busy with sorting. */
#define BUCKETS 256

struct entry {
	uint8_t hash[NSEC3_HASH_LEN];
	uint16_t map_len;
	const uint8_t *map;	/* type bitmap; a worker's */
	const struct node *old; /* NSEC3 node of that hash that is there */
};

struct nsec3_chain {
	struct sign_run *run;
	struct buf bucket[BUCKETS]; /* entries by the first octet of their hashes, in any order */
	size_t start[BUCKETS + 1];  /* where each begins among all */
	struct entry *entries;	    /* all, in order of the hashes */
	size_t count;
	struct tree_cursor cursor; /* over the records that are there */
	const struct node *at;	   /* the first of them that no entry was compared with */
	const struct node **stale; /* those that no entry has */
	size_t stale_count, stale_cap;
};

bool sign_is_left_out(const struct sign_run *run, const struct item *item)
{
	return item->place == PLACE_OCCLUDED ||
	       (item->place == PLACE_CUT && (run->policy->nsec3.flags & NSEC3_OPT_OUT) != 0 &&
		(item->node->flags & NODE_DS) == 0);
}

/* Of a cut only what the parent answers for. */
int sign_nsec3_types(const struct item *item, struct writer *out)
{
	if (item == NULL) {
		return E_OK;
	}
	struct typemap map;
	const struct rrset *rs = node_rrsets(item->node);
	bool cut = item->place == PLACE_CUT;
	typemap_init(&map);
	if (!cut || (item->node->flags & NODE_DS) != 0) {
		typemap_add(&map, RRTYPE_RRSIG);
	}
	for (unsigned i = 0; i < item->node->rrsets; i++) {
		uint16_t type = rs[i].type;
		bool seen = !cut || type == RRTYPE_NS || type == RRTYPE_DS;
		if (seen && rs[i].count != 0 && type != RRTYPE_NSEC) {
			typemap_add(&map, type);
		}
	}
	typemap_write(&map, out);
	return out->err;
}

static int record_rdata(const struct sign_run *run, const struct nsec3_record *r,
			struct writer *out)
{
	const struct nsec3_param *p = &run->policy->nsec3;
	writer_u8(out, p->algorithm);
	writer_u8(out, p->flags);
	writer_u16(out, p->iterations);
	writer_u8(out, p->salt_len);
	writer_bytes(out, p->salt, p->salt_len);
	writer_u8(out, NSEC3_HASH_LEN);
	writer_bytes(out, r->next, NSEC3_HASH_LEN);
	writer_bytes(out, r->map, r->map_len);
	return out->err;
}

int sign_nsec3_node(const struct sign_run *run, struct sign_worker *w, const struct nsec3_record *r,
		    const struct node **image)
{
	uint8_t rdata[6 + NSEC3_SALT_MAX + NSEC3_HASH_LEN + TYPEMAP_MAX];
	struct writer out = writer_of(rdata, sizeof(rdata));
	struct dname owner;
	*image = NULL;
	int err = record_rdata(run, r, &out);
	if (err == E_OK) {
		err = nsec3_owner(r->hash, run->apex.wire, &owner);
	}
	if (err != E_OK) {
		return err;
	}
	const struct rrset *old = r->old != NULL ? node_find(r->old, RRTYPE_NSEC3) : NULL;
	const struct rrset *rs = old;
	w->changed = false;
	if (!sign_is_single(old, run->nsec_ttl, rdata, writer_len(&out))) {
		rs = sign_single(w, RRTYPE_NSEC3, run->nsec_ttl, rdata, writer_len(&out));
		w->changed = true;
		w->stats.dropped += old != NULL ? old->sigs : 0;
	}
	w->stats.chain++;
	err = sign_set(run, w, owner.wire, rs, rs == old ? old : NULL);
	if (err != E_OK || !w->changed) {
		return err;
	}
	node_build_begin(&w->build, owner.wire);
	sign_put_set(w, rs);
	*image = node_build_end(&w->build, false);
	return w->build.err;
}

/* --- hashing --------------------------------------------------------------------------------- */

/* Keeps a type bitmap. Most names have the same as the one before. */
static void keep_map(struct sign_worker *w, const uint8_t *map, size_t len)
{
	if (w->map == NULL || w->map_len != len || memcmp(w->map, map, len) != 0) {
		w->map = arena_dup(&w->maps, map, len);
		w->map_len = len;
	}
}

static void add_hash(const struct sign_run *run, const uint8_t *name, struct entry e,
		     struct sign_slot *slot)
{
	nsec3_hash(&run->policy->nsec3, name, e.hash);
	buf_add(&slot->hashes, &e, sizeof(e));
}

int sign_nsec3_hash(const struct sign_run *run, struct sign_worker *w, const struct item *item,
		    struct sign_slot *slot)
{
	const uint8_t *name = item->node->name;
	const unsigned labels = item->node->labels;
	uint8_t map[TYPEMAP_MAX];
	struct writer out = writer_of(map, sizeof(map));
	if (sign_is_left_out(run, item)) {
		return E_OK;
	}
	for (unsigned n = item->shared + 1U; n < labels; n++) {
		add_hash(run, dname_up(name, labels - n), (struct entry){ .map_len = 0 }, slot);
	}
	int err = sign_nsec3_types(item, &out);
	if (err != E_OK) {
		return err;
	}
	keep_map(w, map, writer_len(&out));
	add_hash(run, name, (struct entry){ .map = w->map, .map_len = (uint16_t)w->map_len }, slot);
	return E_OK;
}

static const struct entry *entries_of(const struct buf *b, size_t *count)
{
	*count = b->len / sizeof(struct entry);
	return (const struct entry *)(const void *)b->data;
}

void sign_nsec3_take(struct sign_run *run, struct sign_slot *slot)
{
	struct nsec3_chain *c = run->chain;
	size_t count;
	const struct entry *e = entries_of(&slot->hashes, &count);
	for (size_t i = 0; i < count; i++) {
		buf_add(&c->bucket[e[i].hash[0]], &e[i], sizeof(e[i]));
	}
	c->count += count;
	slot->hashes.len = 0;
}

/* --- sorting --------------------------------------------------------------------------------- */

static int entry_compare(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	return memcmp(x->hash, y->hash, NSEC3_HASH_LEN);
}

static int sort_work(void *arg, unsigned worker, size_t job)
{
	struct nsec3_chain *c = arg;
	struct buf *b = &c->bucket[job];
	struct entry *to = c->entries + c->start[job];
	(void)worker;
	if (b->len != 0) {
		memcpy(to, b->data, b->len);
		qsort(to, b->len / sizeof(*to), sizeof(*to), entry_compare);
		buf_clear(b);
	}
	return E_OK;
}

static int check_collision(const struct nsec3_chain *c, size_t i)
{
	if (i == 0 || entry_compare(&c->entries[i - 1], &c->entries[i]) != 0) {
		return E_OK;
	}
	uint8_t label[1 + NSEC3_LABEL_LEN];
	nsec3_label(c->entries[i].hash, label);
	return err_set(c->run->em, E_EXIST,
		       "two names have the NSEC3 hash %.*s; sign with another salt",
		       NSEC3_LABEL_LEN, (const char *)label + 1);
}

static void add_stale(struct nsec3_chain *c, const struct node *n)
{
	if (c->stale_count == c->stale_cap) {
		c->stale_cap = c->stale_cap != 0 ? c->stale_cap * 2 : 16;
		c->stale = mem_realloc(c->stale, c->stale_cap, sizeof(*c->stale));
	}
	c->stale[c->stale_count++] = n;
}

/* The record that is there for @e, if any; those before it are stale. Both are in order of the hashes. */
static const struct node *match(struct nsec3_chain *c, const struct entry *e)
{
	for (; c->at != NULL; c->at = tree_next(&c->cursor)) {
		uint8_t hash[NSEC3_HASH_LEN];
		if (nsec3_owner_hash(c->at->name, hash) == E_OK &&
		    c->at->labels == dname_labels(c->run->apex.wire) + 1) {
			int diff = memcmp(hash, e->hash, NSEC3_HASH_LEN);
			if (diff > 0) {
				return NULL;
			}
			if (diff == 0) {
				const struct node *n = c->at;
				c->at = tree_next(&c->cursor);
				return n;
			}
		}
		add_stale(c, c->at);
	}
	return NULL;
}

static int sort_finish(void *arg, size_t job)
{
	struct nsec3_chain *c = arg;
	int err = E_OK;
	for (size_t i = c->start[job]; i < c->start[job + 1] && err == E_OK; i++) {
		err = check_collision(c, i);
		c->entries[i].old = match(c, &c->entries[i]);
	}
	return err;
}

static int chain_sort(struct nsec3_chain *c)
{
	const struct parallel p = {
		.threads = c->run->threads,
		.jobs = BUCKETS,
		.window = SIGN_WINDOW,
		.work = sort_work,
		.finish = sort_finish,
		.arg = c,
	};
	c->entries = mem_array(c->count, sizeof(*c->entries));
	for (size_t b = 0; b < BUCKETS; b++) {
		c->start[b + 1] = c->start[b] + c->bucket[b].len / sizeof(struct entry);
	}
	return parallel_run(&p);
}

/* --- signing --------------------------------------------------------------------------------- */

/* Makes the node of entry @i; *image is NULL when the one that is there is right. */
static int entry_node(const struct nsec3_chain *c, struct sign_worker *w, size_t i,
		      const struct node **image)
{
	const struct entry *e = &c->entries[i];
	struct nsec3_record r = { .map = e->map, .map_len = e->map_len, .old = e->old };
	memcpy(r.hash, e->hash, NSEC3_HASH_LEN);
	memcpy(r.next, c->entries[(i + 1) % c->count].hash, NSEC3_HASH_LEN);
	return sign_nsec3_node(c->run, w, &r, image);
}

static int chain_work(void *arg, unsigned worker, size_t job)
{
	struct nsec3_chain *c = arg;
	struct sign_run *run = c->run;
	struct sign_slot *slot = &run->slots[job % SIGN_WINDOW];
	size_t from = job * SIGN_SLICE;
	size_t end = from + SIGN_SLICE < c->count ? from + SIGN_SLICE : c->count;
	slot->count = end - from;
	for (size_t i = from; i < end; i++) {
		const struct node *image;
		int err = entry_node(c, &run->workers[worker], i, &image);
		if (err != E_OK) {
			return err;
		}
		if (image != NULL) {
			sign_slot_add(slot, image);
		}
	}
	return E_OK;
}

static int chain_finish(void *arg, size_t job)
{
	struct nsec3_chain *c = arg;
	sign_slot_finish(c->run, &c->run->slots[job % SIGN_WINDOW]);
	return E_OK;
}

static void drop_stale(struct nsec3_chain *c)
{
	for (; c->at != NULL; c->at = tree_next(&c->cursor)) {
		add_stale(c, c->at);
	}
	for (size_t i = 0; i < c->stale_count; i++) {
		struct dname owner;
		dname_set(&owner, c->stale[i]->name);
		edit_drop_nsec3(c->run->edit, owner.wire);
	}
}

void sign_nsec3_begin(struct sign_run *run)
{
	run->chain = mem_zalloc(sizeof(*run->chain));
	run->chain->run = run;
}

int sign_nsec3_chain(struct sign_run *run)
{
	struct nsec3_chain *c = run->chain;
	assert(c->count != 0); /* the apex is always there */
	run->total = run->done + c->count;
	const struct parallel p = {
		.threads = run->threads,
		.jobs = (c->count + SIGN_SLICE - 1) / SIGN_SLICE,
		.window = SIGN_WINDOW,
		.work = chain_work,
		.finish = chain_finish,
		.arg = c,
	};
	c->at = tree_first(&edit_state(run->edit)->nsec3, &c->cursor);
	int err = chain_sort(c);
	if (err == E_OK) {
		drop_stale(c);
		err = parallel_run(&p);
	}
	return err;
}

void sign_nsec3_end(struct sign_run *run)
{
	struct nsec3_chain *c = run->chain;
	if (c == NULL) {
		return;
	}
	for (size_t b = 0; b < BUCKETS; b++) {
		buf_clear(&c->bucket[b]);
	}
	mem_free(c->entries);
	mem_free(c->stale);
	mem_free(c);
	run->chain = NULL;
}

void sign_nsec3_remove(struct sign_run *run)
{
	sign_nsec3_begin(run);
	struct nsec3_chain *c = run->chain;
	c->at = tree_first(&edit_state(run->edit)->nsec3, &c->cursor);
	drop_stale(c); /* no entries: all are */
	sign_nsec3_end(run);
}

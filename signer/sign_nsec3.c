/* signer/sign_nsec3.c - the NSEC3 chain (RFC 5155 §7.1).
 *
 * Every name that is not occluded, and every empty non-terminal above one, is hashed; the hashes
 * are sorted, and each gets a record that points at the next. With opt-out, delegations without
 * DS are left out, and so are empty non-terminals that lead to nothing else (RFC 5155 erratum 3441). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "signer/sign_run.h"
#include "zones/base/mem.h"

/* An empty non-terminal has no item. */
#define NO_ITEM UINT32_MAX

struct entry {
	uint8_t hash[NSEC3_HASH_LEN];
	uint32_t item;
	const uint8_t *name;	/* borrowed from the item's node, or from one below */
	const struct node *old; /* NSEC3 node of that hash that is there */
};

struct chain {
	struct sign_run *run;
	struct entry *entries;
	size_t count, cap;
	const struct node **stale; /* NSEC3 nodes that no entry has */
	size_t stale_count, stale_cap;
};

static void chain_add(struct chain *c, const uint8_t *name, uint32_t item)
{
	if (c->count == c->cap) {
		c->cap = c->cap != 0 ? c->cap * 2 : 64;
		c->entries = mem_realloc(c->entries, c->cap, sizeof(*c->entries));
	}
	c->entries[c->count++] = (struct entry){ .item = item, .name = name };
}

bool sign_is_left_out(const struct sign_run *run, const struct item *item)
{
	return item->place == PLACE_OCCLUDED ||
	       (item->place == PLACE_CUT && (run->policy->nsec3.flags & NSEC3_OPT_OUT) != 0 &&
		(item->node->flags & NODE_DS) == 0);
}

/* Lists names and empty non-terminals. In canonical order the names between a name and its
 * predecessor are exactly the ancestors that they do not share. */
static void chain_collect(struct chain *c)
{
	const struct sign_run *run = c->run;
	const uint8_t *before = run->apex.wire;
	for (size_t i = 0; i < run->count; i++) {
		if (sign_is_left_out(run, &run->items[i])) {
			continue;
		}
		const uint8_t *name = run->items[i].node->name;
		unsigned labels = dname_labels(name);
		for (unsigned n = dname_common_labels(before, name) + 1; n < labels; n++) {
			chain_add(c, dname_up(name, labels - n), NO_ITEM);
		}
		chain_add(c, name, (uint32_t)i);
		before = name;
	}
}

static int hash_work(void *arg, unsigned worker, size_t job)
{
	struct chain *c = arg;
	(void)worker;
	size_t end = (job + 1) * SIGN_SLICE < c->count ? (job + 1) * SIGN_SLICE : c->count;
	for (size_t i = job * SIGN_SLICE; i < end; i++) {
		nsec3_hash(&c->run->policy->nsec3, c->entries[i].name, c->entries[i].hash);
	}
	return E_OK;
}

static int entry_compare(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	return memcmp(x->hash, y->hash, NSEC3_HASH_LEN);
}

/* Hashes are uniform by construction: a counting sort by their first 16 bits leaves a handful in each
 * bucket. */
static void chain_sort(struct chain *c)
{
	enum { BUCKETS = 1 << 16 };
	if (c->count < BUCKETS / 16) {
		qsort(c->entries, c->count, sizeof(*c->entries), entry_compare);
		return;
	}
	size_t *start = mem_array(BUCKETS + 1, sizeof(*start));
	struct entry *sorted = mem_array(c->count, sizeof(*sorted));
	for (size_t i = 0; i < c->count; i++) {
		start[be16_get(c->entries[i].hash) + 1]++;
	}
	for (size_t b = 0; b < BUCKETS; b++) {
		start[b + 1] += start[b];
	}
	for (size_t i = 0; i < c->count; i++) {
		sorted[start[be16_get(c->entries[i].hash)]++] = c->entries[i];
	}
	/* start[b] is now the end of bucket b. */
	for (size_t b = 0; b < BUCKETS; b++) {
		size_t from = b != 0 ? start[b - 1] : 0;
		qsort(sorted + from, start[b] - from, sizeof(*sorted), entry_compare);
	}
	mem_free(c->entries);
	mem_free(start);
	c->entries = sorted;
	c->cap = c->count;
}

static int check_collisions(const struct chain *c)
{
	for (size_t i = 1; i < c->count; i++) {
		if (entry_compare(&c->entries[i - 1], &c->entries[i]) == 0) {
			char name[DNAME_TEXT_MAX];
			(void)dname_to_text(c->entries[i].name, name);
			return err_set(
				c->run->em, E_EXIST,
				"%s has the same NSEC3 hash as another name; sign with another salt",
				name);
		}
	}
	return E_OK;
}

static void chain_stale(struct chain *c, const struct node *n)
{
	if (c->stale_count == c->stale_cap) {
		c->stale_cap = c->stale_cap != 0 ? c->stale_cap * 2 : 16;
		c->stale = mem_realloc(c->stale, c->stale_cap, sizeof(*c->stale));
	}
	c->stale[c->stale_count++] = n;
}

/* Finds the old node of each entry: both are in order of the hash. */
static void chain_match(struct chain *c, const struct version *state)
{
	struct tree_cursor *cursor = mem_alloc(sizeof(*cursor));
	size_t i = 0;
	for (const struct node *n = tree_first(&state->nsec3, cursor); n != NULL;
	     n = tree_next(cursor)) {
		uint8_t hash[NSEC3_HASH_LEN];
		if (nsec3_owner_hash(n->name, hash) != E_OK ||
		    n->labels != dname_labels(c->run->apex.wire) + 1) {
			chain_stale(c, n);
			continue;
		}
		while (i < c->count && memcmp(c->entries[i].hash, hash, NSEC3_HASH_LEN) < 0) {
			i++;
		}
		if (i < c->count && memcmp(c->entries[i].hash, hash, NSEC3_HASH_LEN) == 0) {
			c->entries[i].old = n;
		} else {
			chain_stale(c, n);
		}
	}
	mem_free(cursor);
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

/* Makes the node of entry @i; *image is NULL when the one that is there is right. */
static int entry_node(const struct chain *c, struct sign_worker *w, size_t i,
		      const struct node **image)
{
	const struct entry *e = &c->entries[i];
	uint8_t map[TYPEMAP_MAX];
	struct writer out = writer_of(map, sizeof(map));
	struct nsec3_record r = { .map = map, .old = e->old };
	int err = sign_nsec3_types(e->item != NO_ITEM ? &c->run->items[e->item] : NULL, &out);
	if (err != E_OK) {
		return err;
	}
	r.map_len = writer_len(&out);
	memcpy(r.hash, e->hash, NSEC3_HASH_LEN);
	memcpy(r.next, c->entries[(i + 1) % c->count].hash, NSEC3_HASH_LEN);
	return sign_nsec3_node(c->run, w, &r, image);
}

/* Entries are in order of their hashes, so each name is somewhere else in memory: it is fetched while those before
 * are signed. */
static void fetch_ahead(const struct chain *c, size_t i)
{
	enum { NODE_AHEAD = 4, ITEM_AHEAD = 8 };
	if (i + ITEM_AHEAD < c->count && c->entries[i + ITEM_AHEAD].item != NO_ITEM) {
		__builtin_prefetch(&c->run->items[c->entries[i + ITEM_AHEAD].item]);
	}
	if (i + NODE_AHEAD < c->count && c->entries[i + NODE_AHEAD].item != NO_ITEM) {
		__builtin_prefetch(c->run->items[c->entries[i + NODE_AHEAD].item].node);
	}
}

static int chain_work(void *arg, unsigned worker, size_t job)
{
	struct chain *c = arg;
	struct sign_run *run = c->run;
	struct sign_slot *slot = &run->slots[job % SIGN_WINDOW];
	size_t from = job * SIGN_SLICE;
	size_t end = from + SIGN_SLICE < c->count ? from + SIGN_SLICE : c->count;
	slot->count = end - from;
	for (size_t i = from; i < end; i++) {
		const struct node *image;
		fetch_ahead(c, i);
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
	struct chain *c = arg;
	sign_slot_finish(c->run, &c->run->slots[job % SIGN_WINDOW]);
	return E_OK;
}

static void drop_stale(struct sign_run *run, const struct chain *c)
{
	for (size_t i = 0; i < c->stale_count; i++) {
		struct dname owner;
		dname_set(&owner, c->stale[i]->name);
		edit_drop_nsec3(run->edit, owner.wire);
	}
}

int sign_nsec3_chain(struct sign_run *run)
{
	struct chain c = { .run = run };
	chain_collect(&c);
	assert(c.count != 0); /* the apex is always there */
	run->total += c.count;
	struct parallel p = {
		.threads = run->threads,
		.jobs = (c.count + SIGN_SLICE - 1) / SIGN_SLICE,
		.window = SIGN_WINDOW,
		.work = hash_work,
		.arg = &c,
	};
	int err = parallel_run(&p);
	if (err == E_OK) {
		chain_sort(&c);
		err = check_collisions(&c);
	}
	if (err == E_OK) {
		chain_match(&c, edit_state(run->edit));
		p.work = chain_work;
		p.finish = chain_finish;
		err = parallel_run(&p);
	}
	if (err == E_OK) {
		drop_stale(run, &c);
	}
	mem_free(c.entries);
	mem_free(c.stale);
	return err;
}

void sign_nsec3_remove(struct sign_run *run)
{
	struct chain c = { .run = run };
	chain_match(&c, edit_state(run->edit)); /* no entries: all are stale */
	drop_stale(run, &c);
	mem_free(c.stale);
}

/* zones/edit.c - collects changes, sorts them into canonical order, and rebuilds the nodes they touch.
 *
 * Changes are kept in batches; a full batch is sorted by owner, and each owner's changes by type and
 * rdata; then old node and changes are merged set by set into a new node, which takes the old
 * one's place in the private tree. Records that come in canonical order (files that a signer
 * wrote) cost no sort at all. */
#include "zones/edit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "zones/base/arena.h"
#include "zones/base/mem.h"
#include "zones/dns/rdata.h"
#include "zones/node_build.h"

/* A batch is applied when it holds so much: few enough to stay in the cache. */
#define BATCH_CHANGES STRESSED(32768, 7)
#define BATCH_OCTETS  ((size_t)4 << 20)

enum change_kind { CHANGE_ADD, CHANGE_REMOVE };

struct change {
	const uint8_t *rdata;
	uint32_t ttl;
	uint32_t order; /* of the calls */
	uint16_t len;
	uint16_t type; /* for RRSIG: the type covered */
	uint8_t is_sig;
	uint8_t kind;
};

/* The changes of one owner that came in a row. */
struct owner {
	const struct dname_key *key; /* only the first key.len symbols are there */
	const uint8_t *name;
	uint32_t first;
	uint32_t count;
};

struct edit {
	struct version *base; /* held, or NULL */
	struct version *work; /* what edit_commit gives out; no references yet */
	enum edit_ttl ttl_rule;
	struct tree_garbage garbage;
	struct arena arena; /* names and rdata of the batch */
	struct change *changes;
	uint32_t change_count, change_cap;
	struct owner *owners;
	uint32_t owner_count, owner_cap;
	bool sorted; /* owners came in canonical order */
	struct node_build build;
	struct change *scratch; /* the changes of one owner together */
	uint32_t scratch_cap;
	int err;
	struct errmsg em;
};

struct edit *edit_begin(const struct version *base, const uint8_t *apex, enum edit_ttl ttl)
{
	struct edit *e = mem_zalloc(sizeof(*e));
	struct version *work = mem_zalloc(sizeof(*work));
	e->work = work;
	e->ttl_rule = ttl;
	e->sorted = true;
	if (base == NULL) {
		dname_set(&work->apex, apex);
		work->apex_labels = (uint8_t)dname_labels(apex);
		tree_init(&work->names, offsetof(struct node, name));
		tree_init(&work->nsec3, offsetof(struct node, name));
		work->lineage = lineage_new();
		return e;
	}
	assert(base->newer == NULL); /* one writer: edits follow each other */
	e->base = version_ref(base);
	*work = *base;
	work->refs = 0;
	work->garbage = (struct tree_garbage){ 0 };
	(void)__atomic_add_fetch(&work->lineage->refs, 1, __ATOMIC_RELAXED);
	lineage_collect(work->lineage);
	return e;
}

static void edit_free(struct edit *e)
{
	arena_clear(&e->arena);
	mem_free(e->changes);
	mem_free(e->owners);
	mem_free(e->scratch);
	mem_free(e->garbage.items);
	node_build_clear(&e->build);
	version_unref(e->base);
	mem_free(e);
}

static struct tree_writer writer_of_tree(struct edit *e, struct tree *t)
{
	return (struct tree_writer){ .tree = t,
				     .pool = &e->work->lineage->pool,
				     .garbage = &e->garbage };
}

static void node_free(void *pool, const void *leaf)
{
	const struct node *n = leaf;
	pool_free(pool, (void *)(uintptr_t)n, n->size);
}

void edit_abort(struct edit *e)
{
	if (e == NULL) {
		return;
	}
	struct lineage *l = e->work->lineage;
	struct tree *trees[] = { &e->work->names, &e->work->nsec3 };
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		struct tree_writer w = writer_of_tree(e, trees[i]);
		tree_abandon(&w, node_free, &l->pool);
	}
	mem_free(e->work);
	edit_free(e);
	lineage_unref(l);
}

const uint8_t *edit_apex(const struct edit *e)
{
	return e->work->apex.wire;
}

/* --- nodes in and out of the trees ----------------------------------------------------------- */

static void node_drop(struct edit *e, const struct node *old, bool was_fresh)
{
	if (old == NULL) {
		return;
	}
	const struct rrset *rs = node_rrsets(old);
	for (unsigned i = 0; i < old->rrsets; i++) {
		e->work->records -= (uint64_t)rs[i].count + rs[i].sigs;
	}
	if (was_fresh) {
		node_free(&e->work->lineage->pool, old);
	} else {
		tree_garbage_add(&e->garbage, old, old->size);
	}
}

static void node_put(struct edit *e, struct tree *t, const struct dname_key *key,
		     const struct node *image)
{
	struct tree_writer w = writer_of_tree(e, t);
	bool fresh = false;
	const struct node *old;
	if (image->rrsets == 0) {
		old = tree_remove(&w, key, image->name, &fresh);
		node_drop(e, old, fresh);
		return;
	}
	struct node *n = pool_alloc(w.pool, image->size);
	memcpy(n, image, image->size);
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		e->work->records += (uint64_t)rs[i].count + rs[i].sigs;
	}
	old = tree_put(&w, key, n, n->flags, &fresh);
	node_drop(e, old, fresh);
}

void edit_put_node(struct edit *e, const struct node *image)
{
	struct dname_key key;
	dname_key_make(&key, image->name);
	node_put(e, (image->flags & NODE_NSEC3) != 0 ? &e->work->nsec3 : &e->work->names, &key,
		 image);
}

void edit_drop_nsec3(struct edit *e, const uint8_t *owner)
{
	struct dname_key key;
	dname_key_make(&key, owner);
	struct tree_writer w = writer_of_tree(e, &e->work->nsec3);
	bool fresh = false;
	const struct node *old = tree_remove(&w, &key, owner, &fresh);
	node_drop(e, old, fresh);
}

/* --- merging --------------------------------------------------------------------------------- */

static int change_compare(const struct change *a, const struct change *b)
{
	if (a->type != b->type) {
		return a->type < b->type ? -1 : 1;
	}
	if (a->is_sig != b->is_sig) {
		return a->is_sig < b->is_sig ? -1 : 1;
	}
	uint16_t type = a->is_sig ? RRTYPE_RRSIG : a->type;
	int diff = rdata_compare(type, a->rdata, a->len, b->rdata, b->len);
	if (diff != 0) {
		return diff;
	}
	return a->order < b->order ? -1 : a->order > b->order;
}

static int change_compare_void(const void *a, const void *b)
{
	return change_compare(a, b);
}

static void changes_sort(struct change *c, uint32_t count)
{
	if (count > 16) {
		qsort(c, count, sizeof(*c), change_compare_void);
		return;
	}
	for (uint32_t i = 1; i < count; i++) {
		struct change x = c[i];
		uint32_t k = i;
		while (k > 0 && change_compare(&x, &c[k - 1]) < 0) {
			c[k] = c[k - 1];
			k--;
		}
		c[k] = x;
	}
}

/* The records of an old set (or none) beside changes of the same kind, both in canonical order. */
struct merge {
	const uint8_t *old; /* the next old record */
	unsigned old_left;
	const struct change *c;
	uint32_t left;
	uint16_t type;
};

struct merged {
	const uint8_t *rdata;
	uint16_t len;
	uint32_t ttl;
};

/* The next record of the result, or false. Of several changes of one record the last counts. */
static bool merge_next(struct merge *m, struct merged *out)
{
	while (m->old_left != 0 || m->left != 0) {
		struct rr rr = { 0 };
		const uint8_t *behind = NULL;
		int diff = m->old_left == 0 ? 1 : -1;
		if (m->old_left != 0) {
			behind = rr_read(m->old, &rr);
		}
		if (m->old_left != 0 && m->left != 0) {
			diff = rdata_compare(m->type, rr.rdata, rr.rdlen, m->c->rdata, m->c->len);
		}
		if (diff <= 0) {
			m->old = behind;
			m->old_left--;
		}
		if (diff < 0) {
			*out = (struct merged){ rr.rdata, rr.rdlen, rr.ttl };
			return true;
		}
		const struct change *last;
		do {
			last = m->c++;
			m->left--;
		} while (m->left != 0 && rdata_compare(m->type, last->rdata, last->len, m->c->rdata,
						       m->c->len) == 0);
		if (last->kind == CHANGE_ADD) {
			*out = (struct merged){ last->rdata, last->len, last->ttl };
			if (diff == 0 && m->type != RRTYPE_RRSIG) {
				out->rdata = rr.rdata; /* keeps the case that is there */
			}
			return true;
		}
	}
	return false;
}

/* The TTL of the merged set, and whether it had several. */
static uint32_t merge_ttl(const struct edit *e, const struct rrset *old, const struct change *c,
			  uint32_t count, uint16_t *flags)
{
	bool have = old != NULL && old->count != 0;
	uint32_t ttl = have ? rrset_ttl(old) : 0;
	const struct change *last = NULL;
	bool differ = false;
	for (uint32_t i = 0; i < count; i++) {
		if (c[i].kind != CHANGE_ADD) {
			continue;
		}
		differ = differ || (have && c[i].ttl != ttl);
		if (!have || c[i].ttl < ttl) {
			ttl = c[i].ttl;
		}
		have = true;
		if (last == NULL || c[i].order > last->order) {
			last = &c[i];
		}
	}
	if (e->ttl_rule == EDIT_TTL_LAST) {
		return last != NULL ? last->ttl : ttl;
	}
	*flags = differ ? *flags | RRSET_TTL_DIFFERED : *flags;
	return ttl;
}

/* One set: its records, then its signatures. @c holds the changes of this type, signatures last. */
static void merge_set(struct edit *e, uint16_t type, const struct rrset *old,
		      const struct change *c, uint32_t count)
{
	uint32_t data = 0;
	while (data < count && !c[data].is_sig) {
		data++;
	}
	uint16_t flags = old != NULL ? old->flags : 0;
	uint32_t ttl = merge_ttl(e, old, c, data, &flags);
	node_build_set(&e->build, type, flags);
	struct merge m = { .c = c, .left = data, .type = type };
	if (old != NULL) {
		m.old = rrset_data(old);
		m.old_left = old->count;
	}
	struct merged rr;
	while (merge_next(&m, &rr)) {
		node_build_rr(&e->build, ttl, rr.rdata, rr.len);
	}
	m = (struct merge){ .c = c + data, .left = count - data, .type = RRTYPE_RRSIG };
	if (old != NULL) {
		m.old = rrset_sig_data(old);
		m.old_left = old->sigs;
	}
	while (merge_next(&m, &rr)) {
		node_build_sig(&e->build, rr.ttl, rr.rdata, rr.len);
	}
	if (e->build.err != E_OK && e->err == E_OK) {
		char name[DNAME_TEXT_MAX];
		char text[RRTYPE_TEXT_MAX];
		(void)dname_to_text(e->build.name, name);
		e->err = err_set(
			&e->em, e->build.err,
			"%s %s: more than 65535 records in one set; split it over several names",
			name, rrtype_to_text(type, text));
	}
}

/* Rebuilds the node of @o in @t from what is there and the sorted changes @c. */
static void merge_node(struct edit *e, struct tree *t, const struct owner *o,
		       const struct change *c, uint32_t count)
{
	if (count == 0) {
		return;
	}
	const struct node *old = tree_get(t, o->key, o->name, NULL);
	node_build_begin(&e->build, old != NULL ? old->name : o->name);
	const struct rrset *rs = old != NULL ? node_rrsets(old) : NULL;
	unsigned sets = old != NULL ? old->rrsets : 0;
	while (sets != 0 || count != 0) {
		if (count == 0 || (sets != 0 && rs->type < c->type)) {
			node_build_copy(&e->build, rs, true);
			rs++;
			sets--;
			continue;
		}
		uint16_t type = c->type;
		uint32_t n = 0;
		while (n < count && c[n].type == type) {
			n++;
		}
		bool there = sets != 0 && rs->type == type;
		merge_set(e, type, there ? rs : NULL, c, n);
		c += n;
		count -= n;
		if (there) {
			rs++;
			sets--;
		}
	}
	bool is_apex = o->key->labels == e->work->apex_labels;
	const struct node *image = node_build_end(&e->build, is_apex);
	if (image != NULL) {
		node_put(e, t, o->key, image);
	}
}

/* All changes of one owner: NSEC3 records live in a tree of their own. */
static void apply_owner(struct edit *e, const struct owner *o, struct change *c, uint32_t count)
{
	changes_sort(c, count);
	uint32_t a = 0;
	while (a < count && c[a].type < RRTYPE_NSEC3) {
		a++;
	}
	uint32_t b = a;
	while (b < count && c[b].type == RRTYPE_NSEC3) {
		b++;
	}
	merge_node(e, &e->work->nsec3, o, c + a, b - a);
	memmove(c + a, c + b, (count - b) * sizeof(*c));
	merge_node(e, &e->work->names, o, c, count - (b - a));
}

static int owner_compare(const void *a, const void *b)
{
	const struct owner *x = a;
	const struct owner *y = b;
	int diff = dname_sym_compare(x->key->sym, x->key->len, y->key->sym, y->key->len);
	if (diff != 0) {
		return diff;
	}
	return x->first < y->first ? -1 : x->first > y->first;
}

static struct change *scratch_room(struct edit *e, uint32_t count)
{
	if (count > e->scratch_cap) {
		e->scratch_cap = count * 2;
		e->scratch = mem_realloc(e->scratch, e->scratch_cap, sizeof(*e->scratch));
	}
	return e->scratch;
}

static void edit_flush(struct edit *e)
{
	if (!e->sorted) {
		qsort(e->owners, e->owner_count, sizeof(*e->owners), owner_compare);
	}
	for (uint32_t i = 0; i < e->owner_count;) {
		const struct owner *o = &e->owners[i];
		uint32_t total = o->count;
		uint32_t k = i + 1;
		while (k < e->owner_count && dname_equal(o->name, e->owners[k].name)) {
			total += e->owners[k++].count;
		}
		struct change *c = scratch_room(e, total);
		for (uint32_t n = 0; i < k; i++) {
			memcpy(c + n, e->changes + e->owners[i].first,
			       e->owners[i].count * sizeof(*c));
			n += e->owners[i].count;
		}
		apply_owner(e, o, c, total);
	}
	e->owner_count = 0;
	e->change_count = 0;
	e->sorted = true;
	arena_reset(&e->arena);
}

/* --- collecting ------------------------------------------------------------------------------ */

static int owner_begin(struct edit *e, const uint8_t *name)
{
	if (e->owner_count != 0 && dname_equal(e->owners[e->owner_count - 1].name, name)) {
		return E_OK;
	}
	if (!dname_is_under(name, e->work->apex.wire)) {
		return E_NOTZONE;
	}
	struct dname_key key;
	dname_key_make(&key, name);
	/* Only lengths and the symbols in use are kept. */
	size_t used = offsetof(struct dname_key, sym) + key.len;
	const struct dname_key *kept = memcpy(arena_alloc(&e->arena, used), &key, used);
	if (e->owner_count == e->owner_cap) {
		e->owner_cap = e->owner_cap != 0 ? e->owner_cap * 2 : 16;
		e->owners = mem_realloc(e->owners, e->owner_cap, sizeof(*e->owners));
	}
	if (e->owner_count != 0) {
		const struct dname_key *last = e->owners[e->owner_count - 1].key;
		e->sorted =
			e->sorted && dname_sym_compare(last->sym, last->len, key.sym, key.len) < 0;
	}
	e->owners[e->owner_count++] = (struct owner){
		.key = kept,
		.name = arena_dup(&e->arena, name, dname_len(name)),
		.first = e->change_count,
	};
	return E_OK;
}

static int edit_change(struct edit *e, const uint8_t *owner, struct change c)
{
	if (c.is_sig == 0 && rrtype_is_meta(c.type)) {
		return E_INVAL;
	}
	if (e->change_count >= BATCH_CHANGES || e->arena.used >= BATCH_OCTETS) {
		edit_flush(e);
	}
	int err = owner_begin(e, owner);
	if (err != E_OK) {
		return err;
	}
	if (e->change_count == e->change_cap) {
		e->change_cap = e->change_cap != 0 ? e->change_cap * 2 : 32;
		e->changes = mem_realloc(e->changes, e->change_cap, sizeof(*e->changes));
	}
	c.rdata = arena_dup(&e->arena, c.rdata, c.len);
	c.order = e->change_count;
	e->changes[e->change_count++] = c;
	e->owners[e->owner_count - 1].count++;
	return E_OK;
}

static struct change change_of(uint16_t type, const uint8_t *rdata, size_t len)
{
	assert(len <= RDATA_MAX);
	struct change c = { .rdata = rdata, .len = (uint16_t)len, .type = type };
	if (type == RRTYPE_RRSIG && len >= 2) {
		c.type = be16_get(rdata);
		c.is_sig = 1;
	}
	return c;
}

int edit_add(struct edit *e, const uint8_t *owner, uint16_t type, uint32_t ttl,
	     const uint8_t *rdata, size_t len)
{
	struct change c = change_of(type, rdata, len);
	c.ttl = ttl;
	c.kind = CHANGE_ADD;
	return edit_change(e, owner, c);
}

int edit_remove(struct edit *e, const uint8_t *owner, uint16_t type, const uint8_t *rdata,
		size_t len)
{
	struct change c = change_of(type, rdata, len);
	c.kind = CHANGE_REMOVE;
	return edit_change(e, owner, c);
}

void edit_remove_rrset(struct edit *e, const uint8_t *owner, uint16_t type)
{
	edit_flush(e);
	struct dname_key key;
	dname_key_make(&key, owner);
	struct tree *t = type == RRTYPE_NSEC3 ? &e->work->nsec3 : &e->work->names;
	const struct node *old = tree_get(t, &key, owner, NULL);
	if (old == NULL) {
		return;
	}
	node_build_begin(&e->build, old->name);
	const struct rrset *rs = node_rrsets(old);
	for (unsigned i = 0; i < old->rrsets; i++) {
		if (rs[i].type != type) {
			node_build_copy(&e->build, &rs[i], true);
		}
	}
	const struct node *image = node_build_end(&e->build, key.labels == e->work->apex_labels);
	node_put(e, t, &key, image);
}

int edit_error(struct edit *e, struct errmsg *em)
{
	edit_flush(e);
	if (e->err != E_OK && em != NULL) {
		*em = e->em;
	}
	return e->err;
}

const struct version *edit_state(struct edit *e)
{
	edit_flush(e);
	version_facts(e->work);
	return e->work;
}

struct version *edit_commit(struct edit *e)
{
	edit_flush(e);
	struct version *v = e->work;
	struct lineage *l = v->lineage;
	struct tree *trees[] = { &v->names, &v->nsec3 };
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		struct tree_writer w = writer_of_tree(e, trees[i]);
		tree_seal(&w);
	}
	version_facts(v);
	v->refs = 1; /* and the edit's reference to the lineage becomes the version's */
	if (e->base != NULL) {
		e->base->garbage = e->garbage;
		e->base->newer = v;
		e->garbage = (struct tree_garbage){ 0 };
	} else {
		l->oldest = v;
	}
	edit_free(e);
	return v;
}

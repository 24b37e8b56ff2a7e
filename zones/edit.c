/* zones/edit.c - applies changes, batch by batch, to the trees of a version that nobody sees yet.
 *
 * A full batch is sorted by owner; then the node of each, merged from what was there and the changes,
 * takes the old one's place. */
#include "zones/edit.h"

#include <assert.h>
#include <string.h>

#include "zones/base/mem.h"
#include "zones/dns/soa.h"

/* A batch is applied when it holds so much: few enough to stay in the cache. */
#define BATCH_CHANGES STRESSED(32768, 7)
#define BATCH_OCTETS  ((size_t)4 << 20)

struct edit {
	struct version *base; /* held, or NULL */
	struct version *work; /* what edit_commit gives out; no references yet */
	struct tree_garbage garbage;
	uint64_t changes;   /* of nodes */
	struct batch batch; /* what is not applied yet */
	struct node_build build;
};

struct edit *edit_begin(const struct version *base, const uint8_t *apex, enum edit_ttl ttl)
{
	struct edit *e = mem_zalloc(sizeof(*e));
	struct version *work = mem_zalloc(sizeof(*work));
	e->work = work;
	e->batch.ttl_rule = ttl;
	e->batch.sorted = true;
	if (base == NULL) {
		work->apex_labels = (uint8_t)dname_labels(apex);
		tree_init(&work->names, offsetof(struct node, name));
		tree_init(&work->nsec3, offsetof(struct node, name));
		work->lineage = lineage_new(apex);
		work->apex.wire = e->batch.apex = work->lineage->apex;
		work->apex.len = (uint8_t)dname_len(apex);
		return e;
	}
	assert(base->newer == NULL); /* one writer: edits follow each other */
	e->base = version_ref(base);
	/* What is behind is not the next one's; and the count others change meanwhile. */
	memcpy(work, base, offsetof(struct version, lineage));
	work->lineage = base->lineage;
	e->batch.apex = work->apex.wire;
	(void)__atomic_add_fetch(&work->lineage->refs, 1, __ATOMIC_RELAXED);
	lineage_collect(work->lineage);
	return e;
}

static void edit_free(struct edit *e)
{
	batch_clear(&e->batch);
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

/* Octet for octet; @old may be NULL. */
static bool node_is_same(const struct node *old, const struct node *now)
{
	return old != NULL && old->size == now->size && memcmp(old, now, now->size) == 0;
}

/* Puts @n, a block of the pool, in its place; the old node of that name is returned, still counted. */
static const struct node *node_take(struct edit *e, struct tree *t, const struct dname_key *key,
				    struct node *n, bool *was_fresh)
{
	struct tree_writer w = writer_of_tree(e, t);
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		e->work->records += (uint64_t)rs[i].count + rs[i].sigs;
	}
	return tree_put(&w, key, n, n->flags, was_fresh);
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
	old = node_take(e, t, key, n, &fresh);
	node_drop(e, old, fresh);
}

/* As node_put; an image of what is there is no change, and not copied. */
static void node_change(struct edit *e, struct tree *t, const struct dname_key *key,
			const struct node *image)
{
	if (!node_is_same(tree_get(t, key, image->name, NULL), image)) {
		e->changes++;
		node_put(e, t, key, image);
	}
}

void edit_put_node(struct edit *e, const struct node *image)
{
	struct dname_key key;
	dname_key_make(&key, image->name);
	node_change(e, (image->flags & NODE_NSEC3) != 0 ? &e->work->nsec3 : &e->work->names, &key,
		    image);
}

void edit_drop_nsec3(struct edit *e, const uint8_t *owner)
{
	struct dname_key key;
	dname_key_make(&key, owner);
	struct tree_writer w = writer_of_tree(e, &e->work->nsec3);
	bool fresh = false;
	const struct node *old = tree_remove(&w, &key, owner, &fresh);
	e->changes += old != NULL;
	node_drop(e, old, fresh);
}

void edit_take_node(struct edit *e, enum batch_tree which, const struct dname_key *key,
		    struct node *n)
{
	struct tree *t = which == BATCH_NSEC3 ? &e->work->nsec3 : &e->work->names;
	bool fresh = false;
	const struct node *old = node_take(e, t, key, n, &fresh);
	e->changes++;
	node_drop(e, old, fresh);
}

/* --- applying a batch ------------------------------------------------------------------------ */

/* Brings the changes of @o into @t: the node made of them goes in as it is where no node was. */
static void apply_owner(struct edit *e, struct batch *b, const struct batch_owner *o,
			enum batch_tree which)
{
	struct tree *t = which == BATCH_NSEC3 ? &e->work->nsec3 : &e->work->names;
	const struct node *old = NULL;
	bool fresh = false;
	struct node *made = o->made[which];
	if (made != NULL) {
		old = node_take(e, t, o->key, made, &fresh);
		if (old == NULL) {
			e->changes++;
			return;
		}
	} else {
		old = tree_get(t, o->key, o->name, NULL);
	}
	bool is_apex = o->key->labels == e->work->apex_labels;
	const struct node *image = batch_merge(b, o, which, old, is_apex);
	const struct node *now = image != NULL ? image : made;
	e->changes += now != NULL && !node_is_same(old, now);
	if (image != NULL) {
		node_put(e, t, o->key, image);
	}
	if (made != NULL) {
		node_drop(e, old, fresh);
	}
}

/* So many owners are looked ahead for at a time. */
#define AHEAD 16

/* Asks for the memory on the paths of the owners from @from on, so that it comes for all of them together and not for
 * one level of one path after the other. Returns the first owner that it did not look at. */
static uint32_t look_ahead(const struct edit *e, const struct batch *b, uint32_t from)
{
	struct tree_probe probes[AHEAD];
	unsigned left = 0;
	const struct tree *t = &e->work->names;
	while (left < AHEAD && from < b->owner_count && !t->empty) {
		probes[left++] = tree_probe_of(t, b->owners[from].key);
		from += b->owners[from].run;
	}
	while (left != 0) {
		for (unsigned i = 0; i < left;) {
			if (tree_probe_step(&probes[i])) {
				i++;
			} else {
				probes[i] = probes[--left];
			}
		}
	}
	return from;
}

static void apply(struct edit *e, struct batch *b)
{
	uint32_t seen = 0;
	batch_sort(b);
	for (uint32_t i = 0; i < b->owner_count; i += b->owners[i].run) {
		if (b->scattered && i >= seen) {
			seen = look_ahead(e, b, i);
		}
		apply_owner(e, b, &b->owners[i], BATCH_NSEC3);
		apply_owner(e, b, &b->owners[i], BATCH_NAMES);
	}
	if (b != &e->batch && e->batch.err == E_OK && b->err != E_OK) {
		e->batch.err = b->err;
		e->batch.em = b->em;
	}
	batch_reset(b);
}

static void edit_flush(struct edit *e)
{
	apply(e, &e->batch);
}

void edit_apply(struct edit *e, struct batch *b)
{
	edit_flush(e);
	apply(e, b);
}

void edit_adopt(struct edit *e, struct pool *pool)
{
	pool_adopt(&e->work->lineage->pool, pool);
}

/* --- collecting ------------------------------------------------------------------------------ */

static void make_room(struct edit *e)
{
	if (e->batch.change_count >= BATCH_CHANGES || e->batch.arena.used >= BATCH_OCTETS) {
		edit_flush(e);
	}
}

int edit_add(struct edit *e, const uint8_t *owner, uint16_t type, uint32_t ttl,
	     const uint8_t *rdata, size_t len)
{
	make_room(e);
	return batch_add(&e->batch, owner, type, ttl, rdata, len);
}

int edit_remove(struct edit *e, const uint8_t *owner, uint16_t type, const uint8_t *rdata,
		size_t len)
{
	make_room(e);
	return batch_remove(&e->batch, owner, type, rdata, len);
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
	node_change(e, t, &key, image);
}

int edit_put_soa(struct edit *e, const struct rrset *soa, uint32_t serial)
{
	const uint8_t *apex = edit_apex(e);
	struct rr rr;
	uint8_t rdata[SOA_RDATA_MAX];
	(void)rr_read(rrset_data(soa), &rr);
	if (rr.rdlen < SOA_NUMBERS_LEN || rr.rdlen > sizeof(rdata)) {
		return E_INVAL;
	}
	memcpy(rdata, rr.rdata, rr.rdlen);
	soa_serial_put(rdata, rr.rdlen, serial);
	const struct rrset *old = edit_state(e)->soa;
	int err = E_OK;
	if (old != NULL) {
		struct rr have;
		(void)rr_read(rrset_data(old), &have);
		err = edit_remove(e, apex, RRTYPE_SOA, have.rdata, have.rdlen);
	}
	return err == E_OK ? edit_add(e, apex, RRTYPE_SOA, rr.ttl, rdata, rr.rdlen) : err;
}

int edit_error(struct edit *e, struct errmsg *em)
{
	edit_flush(e);
	if (e->batch.err != E_OK && em != NULL) {
		*em = e->batch.em;
	}
	return e->batch.err;
}

uint64_t edit_changes(struct edit *e)
{
	edit_flush(e);
	return e->changes;
}

const struct version *edit_state(struct edit *e)
{
	edit_flush(e);
	version_facts(e->work);
	return e->work;
}

/* A zone whose pool holds so much or less is packed when it has been loaded. */
#define PACK_MAX ((size_t)64 << 10)

static const void *node_copy(void *pool, const void *leaf)
{
	const struct node *n = leaf;
	return memcpy(pool_alloc(pool, n->size), n, n->size);
}

/* Moves what was loaded into one chunk of just its size, in canonical order: with many small zones the rest of the
 * chunks they grew in would be most of the memory. */
static void pack(struct version *v)
{
	struct pool *pool = &v->lineage->pool;
	if (pool->held > PACK_MAX || pool->large != NULL) {
		return;
	}
	struct pool packed = { 0 };
	struct tree names = v->names;
	struct tree nsec3 = v->nsec3;
	pool_reserve(&packed, pool->used);
	tree_copy(&v->names, &names, &packed, node_copy, &packed);
	tree_copy(&v->nsec3, &nsec3, &packed, node_copy, &packed);
	pool_clear(pool);
	*pool = packed;
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
	if (e->base == NULL) {
		pack(v);
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

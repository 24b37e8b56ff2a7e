/* zones/batch.c - collects changes, sorts them into canonical order, and makes nodes of them.
 *
 * Each owner's changes are sorted by type and rdata; then the old node and the changes are merged, set
 * by set, into a new node. Records that come in canonical order (files that a signer wrote) cost no sort
 * at all. */
#include "zones/batch.h"

#include <assert.h>
#include <stdlib.h>

#include "zones/base/mem.h"
#include "zones/dns/rdata.h"

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

void batch_clear(struct batch *b)
{
	arena_clear(&b->arena);
	mem_free(b->changes);
	mem_free(b->owners);
	mem_free(b->scratch);
	node_build_clear(&b->build);
	*b = (struct batch){ 0 };
}

void batch_reset(struct batch *b)
{
	b->owner_count = 0;
	b->change_count = 0;
	b->sorted = true;
	b->scattered = false;
	b->gathered = NULL;
	arena_reset(&b->arena);
}

/* --- collecting ------------------------------------------------------------------------------ */

static int owner_begin(struct batch *b, const uint8_t *name)
{
	if (b->owner_count != 0) {
		const uint8_t *last = b->owners[b->owner_count - 1].name;
		/* Spelled the same: which case is kept must not depend on what comes in a row. */
		if (dname_equal(last, name) && memcmp(last, name, dname_len(last)) == 0) {
			return E_OK;
		}
	}
	if (!dname_is_under(name, b->apex)) {
		return E_NOTZONE;
	}
	struct dname_key key;
	dname_key_make(&key, name);
	/* Only lengths and the symbols in use are kept. */
	size_t used = offsetof(struct dname_key, sym) + key.len;
	const struct dname_key *kept = memcpy(arena_alloc(&b->arena, used), &key, used);
	if (b->owner_count == b->owner_cap) {
		b->owner_cap = b->owner_cap != 0 ? b->owner_cap * 2 : 16;
		b->owners = mem_realloc(b->owners, b->owner_cap, sizeof(*b->owners));
	}
	if (b->owner_count != 0) {
		const struct dname_key *last = b->owners[b->owner_count - 1].key;
		b->sorted =
			b->sorted && dname_sym_compare(last->sym, last->len, key.sym, key.len) < 0;
	}
	b->owners[b->owner_count++] = (struct batch_owner){
		.key = kept,
		.name = arena_dup(&b->arena, name, dname_len(name)),
		.first = b->change_count,
	};
	return E_OK;
}

static int add_change(struct batch *b, const uint8_t *owner, struct change c)
{
	if (c.is_sig == 0 && rrtype_is_meta(c.type)) {
		return E_INVAL;
	}
	int err = owner_begin(b, owner);
	if (err != E_OK) {
		return err;
	}
	if (b->change_count == b->change_cap) {
		b->change_cap = b->change_cap != 0 ? b->change_cap * 2 : 32;
		b->changes = mem_realloc(b->changes, b->change_cap, sizeof(*b->changes));
	}
	c.rdata = arena_dup(&b->arena, c.rdata, c.len);
	c.order = b->change_count;
	b->changes[b->change_count++] = c;
	b->owners[b->owner_count - 1].count++;
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

int batch_add(struct batch *b, const uint8_t *owner, uint16_t type, uint32_t ttl,
	      const uint8_t *rdata, size_t len)
{
	struct change c = change_of(type, rdata, len);
	c.ttl = ttl;
	c.kind = CHANGE_ADD;
	return add_change(b, owner, c);
}

int batch_remove(struct batch *b, const uint8_t *owner, uint16_t type, const uint8_t *rdata,
		 size_t len)
{
	struct change c = change_of(type, rdata, len);
	c.kind = CHANGE_REMOVE;
	return add_change(b, owner, c);
}

/* --- sorting --------------------------------------------------------------------------------- */

static int owner_compare(const void *a, const void *b)
{
	const struct batch_owner *x = a;
	const struct batch_owner *y = b;
	int diff = dname_sym_compare(x->key->sym, x->key->len, y->key->sym, y->key->len);
	if (diff != 0) {
		return diff;
	}
	return x->first < y->first ? -1 : x->first > y->first;
}

void batch_sort(struct batch *b)
{
	if (!b->sorted) {
		qsort(b->owners, b->owner_count, sizeof(*b->owners), owner_compare);
		b->sorted = true;
		b->scattered = true;
	}
	for (uint32_t i = 0; i < b->owner_count;) {
		struct batch_owner *o = &b->owners[i];
		uint32_t k = i + 1;
		while (k < b->owner_count && dname_equal(o->name, b->owners[k].name)) {
			k++;
		}
		o->run = k - i;
		i = k;
	}
}

/* NSEC3 records live in a tree of their own. */
static unsigned change_tree(const struct change *c)
{
	return c->type == RRTYPE_NSEC3 ? BATCH_NSEC3 : BATCH_NAMES;
}

static int change_compare(const struct change *a, const struct change *b)
{
	if (change_tree(a) != change_tree(b)) {
		return change_tree(a) < change_tree(b) ? -1 : 1;
	}
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

/* All changes of the owner @o heads, sorted; those of NSEC3 records come last. */
static uint32_t gather(struct batch *b, const struct batch_owner *o, uint32_t *nsec3_from)
{
	uint32_t total = 0;
	for (uint32_t i = 0; i < o->run; i++) {
		total += o[i].count;
	}
	if (b->gathered == o) { /* for the other tree, just now */
		*nsec3_from = b->nsec3_from;
		return total;
	}
	if (total > b->scratch_cap) {
		b->scratch_cap = total * 2;
		b->scratch = mem_realloc(b->scratch, b->scratch_cap, sizeof(*b->scratch));
	}
	struct change *c = b->scratch;
	for (uint32_t i = 0; i < o->run; i++) {
		memcpy(c, b->changes + o[i].first, o[i].count * sizeof(*c));
		c += o[i].count;
	}
	c = b->scratch;
	changes_sort(c, total);
	*nsec3_from = total;
	while (*nsec3_from != 0 && change_tree(&c[*nsec3_from - 1]) != 0) {
		--*nsec3_from;
	}
	b->gathered = o;
	b->nsec3_from = *nsec3_from;
	return total;
}

/* --- merging --------------------------------------------------------------------------------- */

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

/* The next record of the result, or false. */
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
		/* A record that is there keeps its case; the last TTL counts (of signatures, that is). */
		*out = diff == 0 ? (struct merged){ rr.rdata, rr.rdlen, rr.ttl }
				 : (struct merged){ 0 };
		const struct change *c;
		do {
			c = m->c++;
			m->left--;
			if (c->kind == CHANGE_REMOVE) {
				out->rdata = NULL;
			} else if (out->rdata == NULL) {
				*out = (struct merged){ c->rdata, c->len, c->ttl };
			}
			out->ttl = c->ttl;
		} while (m->left != 0 &&
			 rdata_compare(m->type, c->rdata, c->len, m->c->rdata, m->c->len) == 0);
		if (out->rdata != NULL) {
			return true;
		}
	}
	return false;
}

/* The TTL of the merged set, and whether it had several. */
static uint32_t merge_ttl(const struct batch *b, const struct rrset *old, const struct change *c,
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
	if (b->ttl_rule == EDIT_TTL_LAST) {
		return last != NULL ? last->ttl : ttl;
	}
	*flags = differ ? *flags | RRSET_TTL_DIFFERED : *flags;
	return ttl;
}

/* One set: its records, then its signatures. @c holds the changes of this type, signatures last. */
static void merge_set(struct batch *b, uint16_t type, const struct rrset *old,
		      const struct change *c, uint32_t count)
{
	uint32_t data = 0;
	while (data < count && !c[data].is_sig) {
		data++;
	}
	uint16_t flags = old != NULL ? old->flags : 0;
	uint32_t ttl = merge_ttl(b, old, c, data, &flags);
	node_build_set(&b->build, type, flags);
	struct merge m = { .c = c, .left = data, .type = type };
	if (old != NULL) {
		m.old = rrset_data(old);
		m.old_left = old->count;
	}
	struct merged rr;
	while (merge_next(&m, &rr)) {
		node_build_rr(&b->build, ttl, rr.rdata, rr.len);
	}
	m = (struct merge){ .c = c + data, .left = count - data, .type = RRTYPE_RRSIG };
	if (old != NULL) {
		m.old = rrset_sig_data(old);
		m.old_left = old->sigs;
	}
	while (merge_next(&m, &rr)) {
		node_build_sig(&b->build, rr.ttl, rr.rdata, rr.len);
	}
	if (b->build.err != E_OK && b->err == E_OK) {
		char name[DNAME_TEXT_MAX];
		char text[RRTYPE_TEXT_MAX];
		(void)dname_to_text(b->build.name, name);
		b->err = err_set(
			&b->em, b->build.err,
			"%s %s: more than 65535 records in one set; split it over several names",
			name, rrtype_to_text(type, text));
	}
}

/* The owner as it is spelled where it first has a record for @tree. */
static const uint8_t *first_spelling(const struct batch *b, const struct batch_owner *o,
				     enum batch_tree tree)
{
	for (uint32_t i = 0; o->run > 1 && i < o->run; i++) {
		for (uint32_t k = 0; k < o[i].count; k++) {
			if (change_tree(&b->changes[o[i].first + k]) == tree) {
				return o[i].name;
			}
		}
	}
	return o->name;
}

const struct node *batch_merge(struct batch *b, const struct batch_owner *o, enum batch_tree tree,
			       const struct node *old, bool is_apex)
{
	uint32_t from = 0;
	uint32_t count = gather(b, o, &from);
	const struct change *c = b->scratch;
	if (tree == BATCH_NSEC3) {
		c += from;
		count -= from;
	} else {
		count = from;
	}
	if (count == 0) {
		return NULL;
	}
	node_build_begin(&b->build, old != NULL ? old->name : first_spelling(b, o, tree));
	const struct rrset *rs = old != NULL ? node_rrsets(old) : NULL;
	unsigned sets = old != NULL ? old->rrsets : 0;
	while (sets != 0 || count != 0) {
		if (count == 0 || (sets != 0 && rs->type < c->type)) {
			node_build_copy(&b->build, rs, true);
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
		merge_set(b, type, there ? rs : NULL, c, n);
		c += n;
		count -= n;
		if (there) {
			rs++;
			sets--;
		}
	}
	return node_build_end(&b->build, is_apex);
}

void batch_make(struct batch *b, struct pool *pool)
{
	unsigned apex_labels = dname_labels(b->apex);
	batch_sort(b);
	for (uint32_t i = 0; i < b->owner_count && b->err == E_OK; i += b->owners[i].run) {
		struct batch_owner *o = &b->owners[i];
		for (unsigned tree = 0; tree < BATCH_TREES; tree++) {
			const struct node *image =
				batch_merge(b, o, tree, NULL, o->key->labels == apex_labels);
			/* Large blocks are the business of the pool's own thread. */
			if (image != NULL && image->rrsets != 0 && pool_is_small(image->size)) {
				o->made[tree] =
					memcpy(pool_alloc(pool, image->size), image, image->size);
			}
		}
	}
}

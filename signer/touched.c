/* signer/touched.c - which names of a zone a change touches, and who stands beside them in the chain. */
#include "signer/touched.h"

#include <stdlib.h>

#include "signer/nsec3_hash.h"
#include "zones/base/mem.h"

bool node_is_void(const struct node *n)
{
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].count != 0 && rs[i].type != RRTYPE_NSEC) {
			return false;
		}
	}
	return true;
}

/* --- the chain ------------------------------------------------------------------------------- */

const struct node *chain_node(const struct version *v, const uint8_t *name)
{
	const struct node *n = version_node(v, name);
	return n != NULL && !node_is_void(n) && !version_is_occluded(v, name, NULL) ? n : NULL;
}

const struct node *chain_before(const struct version *v, const uint8_t *name)
{
	struct tree_match *m = mem_alloc(sizeof(*m));
	struct dname_key key;
	dname_key_make(&key, name);
	tree_find(&v->names, &key, name, 0, m);
	const struct node *n = tree_predecessor(m, &key, NULL);
	const struct node *cut = NULL;
	if (n != NULL && version_is_occluded(v, n->name, &cut)) {
		n = cut;
	}
	mem_free(m);
	return n;
}

const struct node *chain_after(const struct version *v, const struct node *n)
{
	struct tree_cursor *cursor = mem_alloc(sizeof(*cursor));
	struct dname_key key;
	dname_key_make(&key, n->name);
	(void)tree_seek(&v->names, &key, cursor);
	const struct node *next = tree_next(cursor);
	while (node_hides(n) && next != NULL && dname_is_under(next->name, n->name)) {
		next = tree_next(cursor);
	}
	mem_free(cursor);
	return next != NULL ? next : v->apex_node;
}

const struct node *nsec3_node(const struct version *v, const uint8_t *hash)
{
	struct dname owner;
	struct dname_key key;
	if (nsec3_owner(hash, v->apex.wire, &owner) != E_OK) {
		return NULL;
	}
	dname_key_make(&key, owner.wire);
	return tree_get(&v->nsec3, &key, owner.wire, NULL);
}

const struct node *nsec3_beside(const struct version *v, const uint8_t *hash, bool is_before)
{
	const struct tree *t = &v->nsec3;
	struct dname owner;
	struct dname_key key;
	if (nsec3_owner(hash, v->apex.wire, &owner) != E_OK) {
		return NULL;
	}
	struct tree_cursor *cursor = mem_alloc(sizeof(*cursor));
	dname_key_make(&key, owner.wire);
	const struct node *n = tree_seek(t, &key, cursor);
	if (is_before) {
		n = n != NULL ? tree_prev(cursor) : NULL;
		n = n != NULL ? n : tree_last(t, cursor);
	} else {
		n = n != NULL && dname_equal(n->name, owner.wire) ? tree_next(cursor) : n;
		n = n != NULL ? n : tree_first(t, cursor);
	}
	mem_free(cursor);
	return n;
}

bool nsec3_opts_out(const struct version *v)
{
	struct tree_cursor *cursor = mem_alloc(sizeof(*cursor));
	struct nsec3 n3;
	bool opts_out = nsec3_of_node(tree_first(&v->nsec3, cursor), &n3) > 0 &&
			(n3.param.flags & NSEC3_OPT_OUT) != 0;
	mem_free(cursor);
	return opts_out;
}

/* --- names ----------------------------------------------------------------------------------- */

void touched_add(struct touched *t, const uint8_t *name)
{
	if (t->count == t->cap) {
		t->cap = t->cap != 0 ? t->cap * 2 : 32;
		t->names = mem_realloc(t->names, t->cap, sizeof(*t->names));
	}
	t->names[t->count++] = arena_dup(&t->arena, name, dname_len(name));
}

static int name_compare(const void *a, const void *b)
{
	return dname_compare(*(const uint8_t *const *)a, *(const uint8_t *const *)b);
}

void touched_sort(struct touched *t)
{
	size_t kept = 0;
	if (t->count == 0) {
		return;
	}
	qsort(t->names, t->count, sizeof(*t->names), name_compare);
	for (size_t i = 0; i < t->count; i++) {
		if (kept == 0 || !dname_equal(t->names[kept - 1], t->names[i])) {
			t->names[kept++] = t->names[i];
		}
	}
	t->count = kept;
}

struct finding {
	struct touched *touched;
	const struct version *after;
};

static void add_below(const struct finding *f, const uint8_t *cut)
{
	struct tree_cursor *cursor = mem_alloc(sizeof(*cursor));
	struct dname_key key;
	dname_key_make(&key, cut);
	for (const struct node *n = tree_seek(&f->after->names, &key, cursor);
	     n != NULL && dname_is_under(n->name, cut); n = tree_next(cursor)) {
		touched_add(f->touched, n->name);
	}
	mem_free(cursor);
}

static void on_difference(void *arg, const void *before, const void *after)
{
	const struct finding *f = arg;
	const struct node *old = before;
	const struct node *new = after;
	const uint8_t *name = new != NULL ? new->name : old->name;
	if (node_hides(old) != node_hides(new)) {
		add_below(f, name);
	}
	touched_add(f->touched, name);
}

void touched_find(struct touched *t, const struct version *before, const struct version *after)
{
	struct finding f = { t, after };
	tree_diff(&before->names, &after->names, on_difference, &f);
	touched_sort(t);
}

void touched_add_before(struct touched *t, const struct version *before,
			const struct version *after)
{
	const size_t count = t->count;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *name = t->names[i];
		if ((chain_node(before, name) != NULL) != (chain_node(after, name) != NULL)) {
			const struct node *n = chain_before(after, name);
			touched_add(t, n != NULL ? n->name : after->apex.wire);
		}
	}
	touched_sort(t);
}

void touched_clear(struct touched *t)
{
	arena_clear(&t->arena);
	mem_free(t->names);
	*t = (struct touched){ 0 };
}

/* test/unit/zones/tree_test.c - the tree against a naive model: a sorted array searched end to end. */
#include "zones/tree.h"

#include <stdlib.h>

#include "test/unit/unit.h"
#include "zones/base/arena.h"
#include "zones/base/mem.h"

/* A leaf: name at a fixed offset, as in struct node. */
struct item {
	uint32_t serial;
	uint8_t name[DNAME_MAX];
};

#define ITEMS_MAX 3000

struct model {
	const struct item *items[ITEMS_MAX]; /* in canonical order */
	size_t count;
};

struct world {
	struct tree tree;
	struct pool pool;
	struct tree_garbage garbage;
	struct model model;
	struct arena items;
	uint64_t random;
};

static uint32_t next_random(struct world *w)
{
	w->random = w->random * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(w->random >> 33);
}

/* Names from a small alphabet of labels, so that ancestors, siblings and odd octets meet often. */
static void random_name(struct world *w, struct dname *d)
{
	static const char *const labels[] = { "a",	   "b",	      "ab",    "B",	"*",
					      "\\000",	   "a\\000",  "\\001", "\\255", "_tcp",
					      "-",	   "xn--4ca", "z",     "{",	"a\\.b",
					      "\\200",	   "0",	      "9a",    "@x",	"\\`",
					      "\\000\\000" };
	char text[200];
	size_t used = 0;
	unsigned depth = next_random(w) % 5;
	for (unsigned i = 0; i < depth; i++) {
		const char *l = labels[next_random(w) % ARRAY_LEN(labels)];
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s.", l);
	}
	if (used == 0) {
		text[used++] = '.';
	}
	ck_assert_int_eq(dname_from_text(d, text, used, NULL, NULL), E_OK);
}

static size_t model_lower_bound(const struct model *m, const uint8_t *name, bool *found)
{
	size_t i = 0;
	while (i < m->count && dname_compare(m->items[i]->name, name) < 0) {
		i++;
	}
	*found = i < m->count && dname_equal(m->items[i]->name, name);
	return i;
}

static struct tree_writer writer(struct world *w)
{
	return (struct tree_writer){ &w->tree, &w->pool, &w->garbage };
}

static void world_put(struct world *w, const struct dname *d)
{
	struct item *item = arena_alloc(&w->items, sizeof(*item));
	dname_copy(item->name, d->wire);
	item->serial = next_random(w);
	struct dname_key key;
	dname_key_make(&key, d->wire);
	bool found;
	size_t at = model_lower_bound(&w->model, d->wire, &found);
	struct tree_writer tw = writer(w);
	const void *old = tree_put(&tw, &key, item, (uint16_t)item->serial, NULL);
	if (found) {
		ck_assert_ptr_eq(old, w->model.items[at]);
	} else {
		ck_assert_ptr_null(old);
		memmove(&w->model.items[at + 1], &w->model.items[at],
			(w->model.count - at) * sizeof(w->model.items[0]));
		w->model.count++;
	}
	w->model.items[at] = item;
}

static void world_remove(struct world *w, const struct dname *d)
{
	struct dname_key key;
	dname_key_make(&key, d->wire);
	bool found;
	size_t at = model_lower_bound(&w->model, d->wire, &found);
	struct tree_writer tw = writer(w);
	const void *old = tree_remove(&tw, &key, d->wire, NULL);
	ck_assert_ptr_eq(old, found ? w->model.items[at] : NULL);
	if (found) {
		w->model.count--;
		memmove(&w->model.items[at], &w->model.items[at + 1],
			(w->model.count - at) * sizeof(w->model.items[0]));
	}
}

/* Labels of the longest suffix of @name that some name of the model has, by looking at all. */
static unsigned model_encloser(const struct model *m, const uint8_t *name)
{
	unsigned best = 0;
	for (size_t i = 0; i < m->count; i++) {
		unsigned n = dname_common_labels(m->items[i]->name, name);
		best = n > best ? n : best;
	}
	return best;
}

/* The longest name of the model at or (@is_strict) above @name, by looking at all. */
static const struct item *model_above(const struct model *m, const uint8_t *name, bool is_strict)
{
	const struct item *best = NULL;
	for (size_t i = 0; i < m->count; i++) {
		const struct item *it = m->items[i];
		bool is_above = dname_is_under(name, it->name) &&
				!(is_strict && dname_equal(name, it->name));
		if (is_above && (best == NULL || dname_is_under(it->name, best->name))) {
			best = it;
		}
	}
	return best;
}

static const void *probe_end(struct tree_probe p)
{
	while (tree_probe_step(&p)) {
	}
	return p.twig->ptr;
}

/* After tree_find in @near: the same as from the root, for names below the closest encloser. */
static void check_from(struct world *w, const struct model *model, const struct tree_match *near,
		       const struct dname_key *key, const uint8_t *name)
{
	static const uint8_t labels[][4] = { { 1, '*' },   { 1, 'a' }, { 2, 'A', 'b' },
					     { 1, 0 },	   { 1, 255 }, { 3, 'a', '.', 'b' },
					     { 2, 'a', 0 } };
	static struct tree_match m;
	const uint8_t *label = labels[next_random(w) % ARRAY_LEN(labels)];
	struct dname child;
	struct dname_key child_key;
	struct dname_key same;
	ck_assert_int_eq(dname_prepend(&child, label,
				       dname_up(name, key->labels - (unsigned)near->encloser)),
			 E_OK);
	dname_key_child(&child_key, key, near->encloser, label);
	dname_key_make(&same, child.wire);
	ck_assert_int_eq(dname_key_compare(&child_key, &same), 0);
	ck_assert_uint_eq(child_key.labels, same.labels);
	ck_assert_mem_eq(child_key.end, same.end, (same.labels + 1U) * sizeof(same.end[0]));
	bool found;
	uint16_t flags;
	size_t at = model_lower_bound(model, child.wire, &found);
	tree_find_from(near, key->end[near->encloser], &child_key, child.wire, &m);
	ck_assert_ptr_eq(m.exact, found ? model->items[at] : NULL);
	ck_assert_uint_eq(m.encloser, model_encloser(model, child.wire));
	const void *before = at != 0 ? model->items[at - 1] : NULL;
	struct tree_probe p = tree_probe_before(&m, &child_key);
	ck_assert(p.twig == NULL ? before == NULL : probe_end(p) == before);
	ck_assert_ptr_eq(tree_predecessor(&m, &child_key, &flags), before);
}

static void check_find(struct world *w, const struct model *model, const struct tree *tree,
		       const struct dname *d)
{
	static struct tree_match m;
	struct dname_key key;
	dname_key_make(&key, d->wire);
	bool found;
	size_t at = model_lower_bound(model, d->wire, &found);
	uint16_t flags = 0;
	const uint16_t mask = 0x5;
	tree_find(tree, &key, d->wire, mask, &m);
	ck_assert_ptr_eq(m.exact, found ? model->items[at] : NULL);
	ck_assert_ptr_eq(tree_get(tree, &key, d->wire, &flags), m.exact);
	ck_assert_uint_eq(m.encloser, model_encloser(model, d->wire));
	/* Ancestors with a leaf: from the root down, those of the mask or exact. */
	unsigned n = 0;
	for (unsigned labels = 0; labels <= key.labels; labels++) {
		bool there;
		const uint8_t *up = dname_up(d->wire, key.labels - labels);
		size_t k = model_lower_bound(model, up, &there);
		if (!there ||
		    (((uint16_t)model->items[k]->serial & mask) == 0 && labels != key.labels)) {
			continue;
		}
		ck_assert_uint_lt(n, m.ancestors);
		ck_assert_ptr_eq(m.ancestor[n].leaf, model->items[k]);
		ck_assert_uint_eq(m.ancestor[n].labels, labels);
		ck_assert_uint_eq(m.ancestor[n].flags, (uint16_t)model->items[k]->serial);
		n++;
	}
	ck_assert_uint_eq(n, m.ancestors);
	for (unsigned strict = 0; strict < 2; strict++) {
		ck_assert_ptr_eq(tree_encloser(tree, &key, d->wire, strict != 0),
				 model_above(model, d->wire, strict != 0));
	}
	check_from(w, model, &m, &key, d->wire);
	if (found) {
		ck_assert_ptr_eq(probe_end(tree_probe_of(tree, &key)), m.exact);
	}
	struct tree_probe p = tree_probe_before(&m, &key);
	ck_assert(p.twig == NULL ? at == 0 : probe_end(p) == model->items[at - 1]);
	const void *before = tree_predecessor(&m, &key, &flags);
	ck_assert_ptr_eq(before, at != 0 ? model->items[at - 1] : NULL);
	/* The cursor walks on from there. */
	const void *next = before != NULL ? tree_next(&m.cursor) : tree_first(tree, &m.cursor);
	ck_assert_ptr_eq(next, at < model->count ? model->items[at] : NULL);
	struct tree_cursor *c = &m.cursor;
	ck_assert_ptr_eq(tree_seek(tree, &key, c), at < model->count ? model->items[at] : NULL);
}

static void check_walk(const struct model *model, const struct tree *tree)
{
	struct tree_cursor c;
	size_t i = 0;
	for (const void *leaf = tree_first(tree, &c); leaf != NULL; leaf = tree_next(&c)) {
		ck_assert_uint_lt(i, model->count);
		ck_assert_ptr_eq(leaf, model->items[i++]);
	}
	ck_assert_uint_eq(i, model->count);
	for (const void *leaf = tree_last(tree, &c); leaf != NULL; leaf = tree_prev(&c)) {
		ck_assert_ptr_eq(leaf, model->items[--i]);
	}
	ck_assert_uint_eq(i, 0);
}

START_TEST(random_operations_equal_the_model)
{
	static struct world w;
	w = (struct world){ .random = (uint64_t)_i + 1 };
	tree_init(&w.tree, offsetof(struct item, name));
	struct dname d;
	for (unsigned step = 0; step < 1500; step++) {
		random_name(&w, &d);
		if (next_random(&w) % 3 != 0) {
			world_put(&w, &d);
		} else {
			world_remove(&w, &d);
		}
		random_name(&w, &d);
		check_find(&w, &w.model, &w.tree, &d);
		if (step % 100 == 0) {
			struct tree_writer tw = writer(&w);
			tree_check(&w.tree);
			check_walk(&w.model, &w.tree);
			tree_seal(&tw);
			/* Nobody reads older states here. */
			tree_garbage_free(&w.garbage, &w.pool);
		}
	}
	tree_garbage_free(&w.garbage, &w.pool);
	pool_clear(&w.pool);
	arena_clear(&w.items);
}
END_TEST

START_TEST(readers_of_an_old_root_see_the_old_tree)
{
	static struct world w;
	static struct model old_model;
	w = (struct world){ .random = 7 };
	tree_init(&w.tree, offsetof(struct item, name));
	struct dname d;
	for (unsigned round = 0; round < 60; round++) {
		struct tree old = w.tree;
		old_model = w.model;
		for (unsigned i = 0; i < 25; i++) {
			random_name(&w, &d);
			if (next_random(&w) % 2 != 0) {
				world_put(&w, &d);
			} else {
				world_remove(&w, &d);
			}
		}
		tree_check(&w.tree);
		check_walk(&old_model, &old);
		for (unsigned i = 0; i < 50; i++) {
			random_name(&w, &d);
			check_find(&w, &old_model, &old, &d);
			check_find(&w, &w.model, &w.tree, &d);
		}
		struct tree_writer tw = writer(&w);
		tree_seal(&tw);
		check_walk(&old_model, &old);
		tree_garbage_free(&w.garbage, &w.pool); /* the old version goes away */
		check_walk(&w.model, &w.tree);
	}
	pool_clear(&w.pool);
	arena_clear(&w.items);
}
END_TEST

struct expected {
	struct {
		const void *before, *after;
	} items[2000];
	size_t count, seen;
};

static void expect_same(void *arg, const void *before, const void *after)
{
	struct expected *x = arg;
	ck_assert_uint_lt(x->seen, x->count);
	ck_assert_ptr_eq(before, x->items[x->seen].before);
	ck_assert_ptr_eq(after, x->items[x->seen].after);
	x->seen++;
}

/* Merges two models: what is in one of them, or another object in each. */
static void expect(struct expected *x, const struct model *before, const struct model *after)
{
	size_t i = 0;
	size_t k = 0;
	x->count = x->seen = 0;
	while (i < before->count || k < after->count) {
		const struct item *b = i < before->count ? before->items[i] : NULL;
		const struct item *a = k < after->count ? after->items[k] : NULL;
		int order = b == NULL ? 1 : a == NULL ? -1 : dname_compare(b->name, a->name);
		i += order <= 0;
		k += order >= 0;
		b = order <= 0 ? b : NULL;
		a = order >= 0 ? a : NULL;
		if (a != b) {
			x->items[x->count].before = b;
			x->items[x->count++].after = a;
		}
	}
}

START_TEST(difference_equals_the_models)
{
	static struct world w;
	static struct model old_model;
	static struct expected x;
	struct dname d;
	w = (struct world){ .random = (uint64_t)_i + 100 };
	tree_init(&w.tree, offsetof(struct item, name));
	for (unsigned round = 0; round < 300; round++) {
		struct tree old = w.tree;
		old_model = w.model;
		unsigned changes = next_random(&w) % (round % 10 == 0 ? 200 : 6);
		/* Sometimes nearly all goes, so that few or no vectors are shared. */
		unsigned puts = round % 17 == 0 ? 0 : next_random(&w) % 4;
		for (unsigned i = 0; i < changes; i++) {
			random_name(&w, &d);
			if (next_random(&w) % 4 < puts) {
				world_put(&w, &d);
			} else {
				world_remove(&w, &d);
			}
		}
		expect(&x, &old_model, &w.model);
		tree_diff(&old, &w.tree, expect_same, &x); /* while it is written, and sealed */
		ck_assert_uint_eq(x.seen, x.count);
		struct tree_writer tw = writer(&w);
		tree_seal(&tw);
		x.seen = 0;
		tree_diff(&old, &w.tree, expect_same, &x);
		ck_assert_uint_eq(x.seen, x.count);
		expect(&x, &w.model, &old_model);
		tree_diff(&w.tree, &old, expect_same, &x);
		ck_assert_uint_eq(x.seen, x.count);
		tree_garbage_free(&w.garbage, &w.pool);
	}
	pool_clear(&w.pool);
	arena_clear(&w.items);
}
END_TEST

static void count_leaf(void *arg, const void *leaf)
{
	(void)leaf;
	++*(unsigned *)arg;
}

START_TEST(abandoned_edit_leaves_nothing)
{
	static struct world w;
	static struct model kept;
	w = (struct world){ .random = 11 };
	tree_init(&w.tree, offsetof(struct item, name));
	struct dname d;
	for (unsigned i = 0; i < 200; i++) {
		random_name(&w, &d);
		world_put(&w, &d);
	}
	struct tree_writer tw = writer(&w);
	tree_seal(&tw);
	tree_garbage_free(&w.garbage, &w.pool);
	struct tree old = w.tree;
	kept = w.model;
	size_t used = w.pool.used;
	for (unsigned i = 0; i < 100; i++) {
		random_name(&w, &d);
		world_put(&w, &d);
	}
	unsigned fresh = 0;
	tree_abandon(&tw, count_leaf, &fresh);
	ck_assert_uint_gt(fresh, 0);
	ck_assert_uint_eq(w.pool.used, used);
	mem_free(w.garbage.items); /* the blocks stay in use by the old tree */
	w.garbage = (struct tree_garbage){ 0 };
	check_walk(&kept, &old);
	tree_check(&old);
	pool_clear(&w.pool);
	arena_clear(&w.items);
}
END_TEST

struct copies {
	const struct model *model;
	size_t count;
};

/* The leaf itself, which has to be the next of the model. */
static const void *copy_leaf(void *arg, const void *leaf)
{
	struct copies *c = arg;
	ck_assert_uint_lt(c->count, c->model->count);
	ck_assert_ptr_eq(leaf, c->model->items[c->count]);
	c->count++;
	return leaf;
}

START_TEST(copy_stands_on_its_own)
{
	static struct world w;
	w = (struct world){ .random = 13 };
	tree_init(&w.tree, offsetof(struct item, name));
	for (unsigned names = 0; names < 300; names++) {
		struct tree_writer tw = writer(&w);
		struct pool pool = { 0 };
		struct copies copies = { &w.model, 0 };
		struct tree copy;
		struct dname d;
		tree_seal(&tw);
		tree_copy(&copy, &w.tree, &pool, copy_leaf, &copies);
		ck_assert_uint_eq(copies.count, w.model.count);
		ck_assert_uint_eq(pool.used, w.pool.used);
		pool_clear(&w.pool);
		mem_free(w.garbage.items);
		w.garbage = (struct tree_garbage){ 0 };
		w.pool = pool;
		w.tree = copy;
		tree_check(&w.tree);
		check_walk(&w.model, &w.tree);
		random_name(&w, &d);
		check_find(&w, &w.model, &w.tree, &d);
		world_put(&w, &d);
		tree_seal(&tw);
		tree_garbage_free(&w.garbage, &w.pool);
	}
	pool_clear(&w.pool);
	arena_clear(&w.items);
}
END_TEST

START_TEST(canonical_order_of_rfc_4034)
{
	static const char *const names[] = {
		"example.com.",		"a.example.com.",      "blah.a.example.com.",
		"Z.a.example.com.",	"zABC.a.EXAMPLE.com.", "z.example.com.",
		"\\001.z.example.com.", "*.z.example.com.",    "\\200.z.example.com.",
	};
	static struct world w;
	w = (struct world){ .random = 1 };
	tree_init(&w.tree, offsetof(struct item, name));
	struct dname d;
	for (size_t i = ARRAY_LEN(names); i-- != 0;) {
		ck_assert_int_eq(dname_from_text(&d, names[i], strlen(names[i]), NULL, NULL), E_OK);
		world_put(&w, &d);
	}
	struct tree_cursor c;
	size_t i = 0;
	for (const struct item *it = tree_first(&w.tree, &c); it != NULL; it = tree_next(&c)) {
		ck_assert_int_eq(dname_from_text(&d, names[i], strlen(names[i]), NULL, NULL), E_OK);
		ck_assert(dname_equal(d.wire, it->name));
		i++;
	}
	ck_assert_uint_eq(i, ARRAY_LEN(names));
	pool_clear(&w.pool);
	arena_clear(&w.items);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("tree");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, random_operations_equal_the_model, 0, 12);
	tcase_add_loop_test(tc, difference_equals_the_models, 0, 12);
	tcase_add_test(tc, readers_of_an_old_root_see_the_old_tree);
	tcase_add_test(tc, abandoned_edit_leaves_nothing);
	tcase_add_test(tc, copy_stands_on_its_own);
	tcase_add_test(tc, canonical_order_of_rfc_4034);
	return unit_run("zones/tree", tc);
}

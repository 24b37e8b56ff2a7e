/* zones/tree.c - a copy-on-write qp-trie over the symbols of names.
 *
 * A twig's word, from the low end:
 *
 *     branch:  1 | fresh | bitmap of 47 symbols (bit 2..48) | offset of the deciding symbol (10 bits)
 *     leaf:    0 | fresh | 14 bits unused | 16 flag bits of the caller | unused
 *
 * "fresh" on a branch says that its vector of twigs was made in this edit and may be changed in
 * place; on a leaf, that it was put in this edit. A vector is fresh only if all above it are, so
 * tree_seal finds all of them from the root without touching the rest.
 *
 * Symbol 0 at an offset where a name's key has ended stands for that name itself: it sorts before
 * all its descendants, whose keys go on with symbols above 0 there. */
#include "zones/tree.h"

#include <assert.h>
#include <string.h>

#include "zones/base/mem.h"

#define BRANCH	     ((uint64_t)1)
#define FRESH	     ((uint64_t)2)
#define BITMAP_SHIFT 2
#define BITMAP_MASK  ((((uint64_t)1 << DNAME_SYMBOLS) - 1) << BITMAP_SHIFT)
#define OFFSET_SHIFT 49
#define FLAGS_SHIFT  16

_Static_assert(BITMAP_SHIFT + DNAME_SYMBOLS <= OFFSET_SHIFT, "bitmap and offset overlap");
_Static_assert(DNAME_KEY_MAX <= 1 << 10, "ten bits of offset");

static inline bool is_branch(const struct twig *t)
{
	return (t->word & BRANCH) != 0;
}

static inline unsigned branch_offset(const struct twig *t)
{
	return (unsigned)(t->word >> OFFSET_SHIFT);
}

static inline unsigned branch_count(const struct twig *t)
{
	return (unsigned)__builtin_popcountll(t->word & BITMAP_MASK);
}

static inline uint64_t symbol_bit(unsigned symbol)
{
	return (uint64_t)1 << (symbol + BITMAP_SHIFT);
}

/* How many twigs of the branch are for smaller symbols: the place of this one. */
static inline unsigned branch_place(const struct twig *t, uint64_t bit)
{
	return (unsigned)__builtin_popcountll(t->word & BITMAP_MASK & (bit - 1));
}

static inline const struct twig *branch_twigs(const struct twig *t)
{
	return t->ptr;
}

static inline unsigned key_symbol(const struct dname_key *key, unsigned offset)
{
	return offset < key->len ? key->sym[offset] : 0;
}

static inline uint16_t leaf_flags(const struct twig *t)
{
	return (uint16_t)(t->word >> FLAGS_SHIFT);
}

static inline const uint8_t *leaf_name(const struct tree *t, const void *leaf)
{
	return (const uint8_t *)leaf + t->name_at;
}

void tree_init(struct tree *t, uint16_t name_at)
{
	*t = (struct tree){ .name_at = name_at, .empty = true };
}

/* --- descending ------------------------------------------------------------------------------ */

/* The leaf that shares the longest prefix with @key (the tree is not empty). */
static const struct twig *nearest_leaf(const struct tree *t, const struct dname_key *key)
{
	const struct twig *twig = &t->root;
	while (is_branch(twig)) {
		uint64_t bit = symbol_bit(key_symbol(key, branch_offset(twig)));
		unsigned place = (twig->word & bit) != 0 ? branch_place(twig, bit) : 0;
		twig = branch_twigs(twig) + place;
	}
	return twig;
}

const void *tree_get(const struct tree *t, const struct dname_key *key, const uint8_t *name,
		     uint16_t *flags)
{
	if (t->empty) {
		return NULL;
	}
	const struct twig *twig = &t->root;
	while (is_branch(twig)) {
		uint64_t bit = symbol_bit(key_symbol(key, branch_offset(twig)));
		if ((twig->word & bit) == 0) {
			return NULL;
		}
		twig = branch_twigs(twig) + branch_place(twig, bit);
	}
	if (!dname_equal(leaf_name(t, twig->ptr), name)) {
		return NULL;
	}
	if (flags != NULL) {
		*flags = leaf_flags(twig);
	}
	return twig->ptr;
}

static inline void match_add(struct tree_match *m, const struct twig *twig, unsigned labels)
{
	m->ancestor[m->ancestors++] = (struct tree_ancestor){ .leaf = twig->ptr,
							      .flags = leaf_flags(twig),
							      .labels = (uint8_t)labels };
}

/* The wanted name is not there: it parts from all others at symbol @at. */
static void match_at(struct tree_match *m, const struct dname_key *key, unsigned at, bool before)
{
	unsigned labels = key->labels;
	m->mismatch = (uint16_t)at;
	m->before = before;
	while (key->end[labels] > at) {
		labels--;
	}
	m->encloser = (uint8_t)labels;
	/* Ancestors were collected by their offset alone; those past the mismatch are others'. */
	while (m->ancestors != 0 && m->ancestor[m->ancestors - 1].labels > labels) {
		m->ancestors--;
	}
}

/* Works out where a name that is not there would stand, from the leaf nearest to it. */
static void match_absent(struct tree_match *m, const struct dname_key *key, const uint8_t *nearest)
{
	unsigned other;
	unsigned at = dname_key_mismatch(key, nearest, &other);
	match_at(m, key, at, key_symbol(key, at) < other);
}

/* Goes down from @twig, whose label border at or behind is @labels. */
static void match_descend(struct tree_match *m, const struct dname_key *key, const uint8_t *name,
			  uint16_t mask, const struct twig *twig, unsigned labels)
{
	const struct tree *t = m->cursor.tree;
	bool missing = false;
	while (is_branch(twig)) {
		unsigned offset = branch_offset(twig);
		const struct twig *twigs = branch_twigs(twig);
		while (labels < key->labels && key->end[labels] < offset) {
			labels++;
		}
		if (!missing && key->end[labels] == offset && offset < key->len &&
		    (twig->word & symbol_bit(0)) != 0 && (leaf_flags(twigs) & mask) != 0) {
			match_add(m, twigs, labels);
		}
		uint64_t bit = symbol_bit(key_symbol(key, offset));
		unsigned place = 0;
		if (!missing && (twig->word & bit) != 0) {
			place = branch_place(twig, bit);
		} else {
			missing = true;
		}
		m->cursor.level[m->cursor.depth++] = (struct tree_level){ twig, place };
		twig = twigs + place;
	}
	if (!missing && dname_equal(leaf_name(t, twig->ptr), name)) {
		m->exact = twig->ptr;
		m->exact_flags = leaf_flags(twig);
		m->encloser = key->labels;
		match_add(m, twig, key->labels);
		m->cursor.leaf = twig->ptr;
		m->cursor.flags = m->exact_flags;
		return;
	}
	/* Where the path ended in a leaf that is an ancestor, that one is seen here first. */
	if (!missing && (leaf_flags(twig) & mask) != 0) {
		const uint8_t *other = leaf_name(t, twig->ptr);
		unsigned n = dname_labels(other);
		if (n < key->labels && dname_is_under(name, other)) {
			match_add(m, twig, n);
		}
	}
	match_absent(m, key, leaf_name(t, twig->ptr));
}

static void match_init(struct tree_match *m, const struct tree *t)
{
	m->exact = NULL;
	m->exact_flags = 0;
	m->encloser = 0;
	m->ancestors = 0;
	m->mismatch = 0;
	m->before = true;
	m->cursor.tree = t;
	m->cursor.leaf = NULL;
	m->cursor.flags = 0;
	m->cursor.depth = 0;
}

void tree_find(const struct tree *t, const struct dname_key *key, const uint8_t *name,
	       uint16_t mask, struct tree_match *m)
{
	match_init(m, t);
	if (!t->empty) {
		match_descend(m, key, name, mask, &t->root, 0);
	}
}

const void *tree_encloser(const struct tree *t, const struct dname_key *key, const uint8_t *name,
			  bool is_strict)
{
	const void *found[DNAME_LABELS_MAX + 2];
	unsigned count = 0;
	unsigned labels = 0;
	if (t->empty) {
		return NULL;
	}
	const struct twig *twig = &t->root;
	while (is_branch(twig)) {
		unsigned offset = branch_offset(twig);
		const struct twig *twigs = branch_twigs(twig);
		while (labels < key->labels && key->end[labels] < offset) {
			labels++;
		}
		if (key->end[labels] == offset && offset < key->len &&
		    (twig->word & symbol_bit(0)) != 0) {
			found[count++] = twigs->ptr;
		}
		uint64_t bit = symbol_bit(key_symbol(key, offset));
		twig = (twig->word & bit) != 0 ? twigs + branch_place(twig, bit) : NULL;
		if (twig == NULL) {
			break;
		}
	}
	if (twig != NULL) {
		found[count++] = twig->ptr;
	}
	/* They were collected by their offset alone: those past a mismatch are others'. */
	while (count-- != 0) {
		const uint8_t *other = leaf_name(t, found[count]);
		if (dname_is_under(name, other) &&
		    !(is_strict && dname_labels(other) == key->labels)) {
			return found[count];
		}
	}
	return NULL;
}

/* The first level of the path that decides at or behind @offset, and the twig that stands there. */
static unsigned level_of(const struct tree_cursor *c, unsigned offset, const struct twig **twig)
{
	unsigned d = 0;
	while (d < c->depth && branch_offset(c->level[d].branch) < offset) {
		d++;
	}
	*twig = d == 0 ? &c->tree->root : branch_twigs(c->level[d - 1].branch) + c->level[d - 1].at;
	return d;
}

void tree_find_from(const struct tree_match *near, unsigned agreed, const struct dname_key *key,
		    const uint8_t *name, struct tree_match *m)
{
	const struct tree *t = near->cursor.tree;
	match_init(m, t);
	if (t->empty) {
		return;
	}
	const struct twig *twig;
	unsigned d = level_of(&near->cursor, agreed, &twig);
	memcpy(m->cursor.level, near->cursor.level, d * sizeof(struct tree_level));
	m->cursor.depth = d;
	uint64_t bit = symbol_bit(key_symbol(key, agreed));
	if (is_branch(twig) && branch_offset(twig) == agreed && (twig->word & bit) == 0) {
		/* All below agree up to there, and none goes on as the key does: no need to look at one. */
		match_at(m, key, agreed, (twig->word & BITMAP_MASK & (bit - 1)) == 0);
		return;
	}
	match_descend(m, key, name, 0, twig, 0);
}

/* --- looking ahead --------------------------------------------------------------------------- */

#define CACHE_LINE 64
/* Of a leaf's object: its head, to see what is wanted of it; all that most have, where that is known already. */
#define HEAD_LINES  3
#define WHOLE_LINES 6

bool tree_probe_step(struct tree_probe *p)
{
	const struct twig *twig = p->twig;
	if (!is_branch(twig)) {
		unsigned lines = p->key != NULL ? HEAD_LINES : WHOLE_LINES;
		for (unsigned i = 0; i < lines; i++) {
			__builtin_prefetch((const uint8_t *)twig->ptr + (size_t)i * CACHE_LINE);
		}
		return false;
	}
	const struct twig *twigs = branch_twigs(twig);
	unsigned place = 0;
	if (p->key == NULL) {
		place = branch_count(twig) - 1;
	} else {
		uint64_t bit = symbol_bit(key_symbol(p->key, branch_offset(twig)));
		place = (twig->word & bit) != 0 ? branch_place(twig, bit) : 0;
	}
	p->twig = twigs + place;
	__builtin_prefetch(twigs + place);
	__builtin_prefetch(twigs + place - (place != 0)); /* predecessors are there */
	return true;
}

/* --- walking --------------------------------------------------------------------------------- */

static const void *cursor_land(struct tree_cursor *c, const struct twig *twig)
{
	c->leaf = twig->ptr;
	c->flags = leaf_flags(twig);
	return c->leaf;
}

static const void *cursor_off(struct tree_cursor *c)
{
	c->leaf = NULL;
	c->flags = 0;
	c->depth = 0;
	return NULL;
}

static const void *cursor_leftmost(struct tree_cursor *c, const struct twig *twig)
{
	while (is_branch(twig)) {
		c->level[c->depth++] = (struct tree_level){ twig, 0 };
		twig = branch_twigs(twig);
	}
	return cursor_land(c, twig);
}

static const void *cursor_rightmost(struct tree_cursor *c, const struct twig *twig)
{
	while (is_branch(twig)) {
		unsigned last = branch_count(twig) - 1;
		c->level[c->depth++] = (struct tree_level){ twig, last };
		twig = branch_twigs(twig) + last;
	}
	return cursor_land(c, twig);
}

const void *tree_first(const struct tree *t, struct tree_cursor *c)
{
	c->tree = t;
	c->depth = 0;
	return t->empty ? cursor_off(c) : cursor_leftmost(c, &t->root);
}

const void *tree_last(const struct tree *t, struct tree_cursor *c)
{
	c->tree = t;
	c->depth = 0;
	return t->empty ? cursor_off(c) : cursor_rightmost(c, &t->root);
}

const void *tree_next(struct tree_cursor *c)
{
	while (c->depth != 0) {
		struct tree_level *l = &c->level[c->depth - 1];
		if (l->at + 1 < branch_count(l->branch)) {
			l->at++;
			return cursor_leftmost(c, branch_twigs(l->branch) + l->at);
		}
		c->depth--;
	}
	return cursor_off(c);
}

const void *tree_prev(struct tree_cursor *c)
{
	while (c->depth != 0) {
		struct tree_level *l = &c->level[c->depth - 1];
		if (l->at != 0) {
			l->at--;
			return cursor_rightmost(c, branch_twigs(l->branch) + l->at);
		}
		c->depth--;
	}
	return cursor_off(c);
}

/* The twig under which the predecessor is the last leaf, and how many levels of the path stay; NULL: it is
 * where tree_prev comes to from there. */
static const struct twig *twig_before(const struct tree_match *m, const struct dname_key *key,
				      unsigned *depth, struct tree_level *last)
{
	const struct tree_cursor *c = &m->cursor;
	const struct twig *sub;
	/* All below the first branch that decides at or behind the mismatch agree with each other up to there. */
	*depth = level_of(c, m->mismatch, &sub);
	last->branch = NULL;
	if (!is_branch(sub) || branch_offset(sub) != m->mismatch) {
		return m->before ? NULL : sub;
	}
	unsigned place = branch_place(sub, symbol_bit(key_symbol(key, m->mismatch)));
	if (place == 0) {
		return NULL;
	}
	*last = (struct tree_level){ sub, place - 1 };
	return branch_twigs(sub) + place - 1;
}

const void *tree_predecessor(struct tree_match *m, const struct dname_key *key, uint16_t *flags)
{
	struct tree_cursor *c = &m->cursor;
	const void *leaf = NULL;
	if (c->tree->empty) {
		return cursor_off(c);
	}
	if (m->exact != NULL) {
		leaf = tree_prev(c);
		goto out;
	}
	struct tree_level last;
	const struct twig *sub = twig_before(m, key, &c->depth, &last);
	if (last.branch != NULL) {
		c->level[c->depth++] = last;
	}
	leaf = sub != NULL ? cursor_rightmost(c, sub) : tree_prev(c);
out:
	if (flags != NULL) {
		*flags = c->flags;
	}
	return leaf;
}

struct tree_probe tree_probe_before(const struct tree_match *m, const struct dname_key *key)
{
	struct tree_probe p = { NULL, NULL };
	if (m->cursor.tree->empty) {
		return p;
	}
	unsigned d = m->cursor.depth;
	if (m->exact == NULL) {
		struct tree_level last;
		p.twig = twig_before(m, key, &d, &last);
	}
	while (p.twig == NULL && d-- != 0) {
		const struct tree_level *l = &m->cursor.level[d];
		p.twig = l->at != 0 ? branch_twigs(l->branch) + l->at - 1 : NULL;
	}
	if (p.twig != NULL) {
		__builtin_prefetch(p.twig);
	}
	return p;
}

const void *tree_seek(const struct tree *t, const struct dname_key *key, struct tree_cursor *c)
{
	if (t->empty) {
		c->tree = t;
		return cursor_off(c);
	}
	unsigned other;
	unsigned at = dname_key_mismatch(key, leaf_name(t, nearest_leaf(t, key)->ptr), &other);
	bool before = key_symbol(key, at) <= other;
	c->tree = t;
	c->depth = 0;
	const struct twig *twig = &t->root;
	while (is_branch(twig) && branch_offset(twig) < at) {
		uint64_t bit = symbol_bit(key_symbol(key, branch_offset(twig)));
		unsigned place = branch_place(twig, bit);
		c->level[c->depth++] = (struct tree_level){ twig, place };
		twig = branch_twigs(twig) + place;
	}
	if (is_branch(twig) && branch_offset(twig) == at) {
		/* The twigs from this place on are not smaller. */
		unsigned place = branch_place(twig, symbol_bit(key_symbol(key, at)));
		if (place < branch_count(twig)) {
			c->level[c->depth++] = (struct tree_level){ twig, place };
			return cursor_leftmost(c, branch_twigs(twig) + place);
		}
		return tree_next(c);
	}
	return before ? cursor_leftmost(c, twig) : tree_next(c);
}

/* --- changing -------------------------------------------------------------------------------- */

void tree_garbage_add(struct tree_garbage *g, const void *block, size_t size)
{
	if (g->count == g->cap) {
		g->cap = g->cap != 0 ? g->cap * 2 : 16;
		g->items = mem_realloc(g->items, g->cap, sizeof(*g->items));
	}
	/* The block is ours to free; readers have it as const. */
	g->items[g->count++] = (struct tree_garbage_item){ (void *)(uintptr_t)block, size };
}

void tree_garbage_free(struct tree_garbage *g, struct pool *pool)
{
	for (size_t i = 0; i < g->count; i++) {
		pool_free(pool, g->items[i].block, g->items[i].size);
	}
	mem_free(g->items);
	*g = (struct tree_garbage){ 0 };
}

static struct twig *vector_new(struct tree_writer *w, unsigned count)
{
	return pool_alloc(w->pool, count * sizeof(struct twig));
}

/* The branch @t is about to lose its vector. */
static void vector_drop(struct tree_writer *w, const struct twig *t)
{
	size_t size = branch_count(t) * sizeof(struct twig);
	if ((t->word & FRESH) != 0) {
		pool_free(w->pool, (void *)(uintptr_t)t->ptr, size);
	} else {
		tree_garbage_add(w->garbage, t->ptr, size);
	}
}

/* The vector of branch @t, which may be written. */
static struct twig *vector_own(struct tree_writer *w, struct twig *t)
{
	if ((t->word & FRESH) == 0) {
		unsigned count = branch_count(t);
		struct twig *copy = vector_new(w, count);
		memcpy(copy, t->ptr, count * sizeof(*copy));
		vector_drop(w, t);
		t->ptr = copy;
		t->word |= FRESH;
	}
	return (struct twig *)(uintptr_t)t->ptr;
}

/* Owns the path down to the first twig that is a leaf or decides at or behind @limit. */
static struct twig *path_own(struct tree_writer *w, const struct dname_key *key, unsigned limit,
			     struct twig **parent)
{
	struct twig *twig = &w->tree->root;
	*parent = NULL;
	while (is_branch(twig) && branch_offset(twig) < limit) {
		uint64_t bit = symbol_bit(key_symbol(key, branch_offset(twig)));
		unsigned place = branch_place(twig, bit);
		*parent = twig;
		twig = vector_own(w, twig) + place;
	}
	return twig;
}

static void branch_insert(struct tree_writer *w, struct twig *branch, unsigned symbol,
			  const struct twig *leaf)
{
	uint64_t bit = symbol_bit(symbol);
	unsigned count = branch_count(branch);
	unsigned place = branch_place(branch, bit);
	const struct twig *old = branch_twigs(branch);
	struct twig *twigs = vector_new(w, count + 1);
	memcpy(twigs, old, place * sizeof(*twigs));
	twigs[place] = *leaf;
	memcpy(twigs + place + 1, old + place, (count - place) * sizeof(*twigs));
	vector_drop(w, branch);
	branch->ptr = twigs;
	branch->word |= bit | FRESH;
}

static void branch_split(struct tree_writer *w, struct twig *twig, unsigned offset,
			 const unsigned symbol[2], const struct twig *leaf)
{
	struct twig *twigs = vector_new(w, 2);
	bool leaf_first = symbol[0] < symbol[1];
	twigs[leaf_first ? 0 : 1] = *leaf;
	twigs[leaf_first ? 1 : 0] = *twig;
	twig->ptr = twigs;
	twig->word = BRANCH | FRESH | symbol_bit(symbol[0]) | symbol_bit(symbol[1]) |
		     (uint64_t)offset << OFFSET_SHIFT;
}

const void *tree_put(struct tree_writer *w, const struct dname_key *key, const void *leaf,
		     uint16_t flags, bool *was_fresh)
{
	struct tree *t = w->tree;
	const struct twig new = { FRESH | (uint64_t)flags << FLAGS_SHIFT, leaf };
	struct twig *parent;
	if (was_fresh != NULL) {
		*was_fresh = false;
	}
	if (t->empty) {
		t->root = new;
		t->empty = false;
		t->leaves = 1;
		return NULL;
	}
	unsigned other;
	unsigned at = dname_key_mismatch(key, leaf_name(t, nearest_leaf(t, key)->ptr), &other);
	if (at == key->len && other == 0) {
		struct twig *twig = path_own(w, key, DNAME_KEY_MAX, &parent);
		const void *old = twig->ptr;
		if (was_fresh != NULL) {
			*was_fresh = (twig->word & FRESH) != 0;
		}
		*twig = new;
		return old;
	}
	struct twig *twig = path_own(w, key, at, &parent);
	if (is_branch(twig) && branch_offset(twig) == at) {
		branch_insert(w, twig, key_symbol(key, at), &new);
	} else {
		const unsigned symbol[2] = { key_symbol(key, at), other };
		branch_split(w, twig, at, symbol, &new);
	}
	t->leaves++;
	return NULL;
}

const void *tree_remove(struct tree_writer *w, const struct dname_key *key, const uint8_t *name,
			bool *was_fresh)
{
	struct tree *t = w->tree;
	if (tree_get(t, key, name, NULL) == NULL) {
		return NULL;
	}
	struct twig *parent;
	struct twig *twig = path_own(w, key, DNAME_KEY_MAX, &parent);
	const void *old = twig->ptr;
	if (was_fresh != NULL) {
		*was_fresh = (twig->word & FRESH) != 0;
	}
	t->leaves--;
	if (parent == NULL) {
		t->empty = true;
		return old;
	}
	unsigned count = branch_count(parent);
	const struct twig *twigs = branch_twigs(parent);
	unsigned place = (unsigned)(twig - twigs);
	if (count == 2) {
		struct twig other = twigs[1 - place];
		vector_drop(w, parent);
		*parent = other;
		return old;
	}
	struct twig *fewer = vector_new(w, count - 1);
	memcpy(fewer, twigs, place * sizeof(*fewer));
	memcpy(fewer + place, twigs + place + 1, (count - place - 1) * sizeof(*fewer));
	uint64_t bit = symbol_bit(key_symbol(key, branch_offset(parent)));
	vector_drop(w, parent);
	parent->ptr = fewer;
	parent->word &= ~bit;
	return old;
}

/* Depth is bounded by TREE_DEPTH_MAX, as offsets increase. */
static void twig_seal(struct twig *t)
{
	if ((t->word & FRESH) == 0) {
		return;
	}
	t->word &= ~FRESH;
	if (is_branch(t)) {
		struct twig *twigs = (struct twig *)(uintptr_t)t->ptr;
		for (unsigned i = 0; i < branch_count(t); i++) {
			twig_seal(&twigs[i]);
		}
	}
}

void tree_seal(struct tree_writer *w)
{
	if (!w->tree->empty) {
		twig_seal(&w->tree->root);
	}
}

struct abandon {
	struct tree_writer *w;
	void (*fresh_leaf)(void *arg, const void *leaf);
	void *arg;
};

static void twig_abandon(const struct abandon *a, const struct twig *t)
{
	if ((t->word & FRESH) == 0) {
		return;
	}
	if (!is_branch(t)) {
		a->fresh_leaf(a->arg, t->ptr);
		return;
	}
	const struct twig *twigs = branch_twigs(t);
	for (unsigned i = 0; i < branch_count(t); i++) {
		twig_abandon(a, &twigs[i]);
	}
	vector_drop(a->w, t);
}

void tree_abandon(struct tree_writer *w, void (*fresh_leaf)(void *arg, const void *leaf), void *arg)
{
	const struct abandon a = { w, fresh_leaf, arg };
	if (!w->tree->empty) {
		twig_abandon(&a, &w->tree->root);
		w->tree->empty = true;
	}
}

struct copying {
	struct pool *pool;
	const void *(*leaf)(void *arg, const void *leaf);
	void *arg;
};

/* Depth is bounded by TREE_DEPTH_MAX, as offsets increase. */
static struct twig twig_copy(const struct copying *c, const struct twig *t)
{
	struct twig copy = { t->word, NULL };
	if (!is_branch(t)) {
		copy.ptr = c->leaf(c->arg, t->ptr);
		return copy;
	}
	unsigned count = branch_count(t);
	struct twig *twigs = pool_alloc(c->pool, count * sizeof(*twigs));
	for (unsigned i = 0; i < count; i++) {
		twigs[i] = twig_copy(c, &branch_twigs(t)[i]);
	}
	copy.ptr = twigs;
	return copy;
}

void tree_copy(struct tree *to, const struct tree *from, struct pool *pool,
	       const void *(*leaf)(void *arg, const void *leaf), void *arg)
{
	const struct copying c = { pool, leaf, arg };
	*to = *from;
	if (!from->empty) {
		to->root = twig_copy(&c, &from->root);
	}
}

/* --- differences ----------------------------------------------------------------------------- */

struct diffing {
	uint16_t name_at;
	void (*fn)(void *arg, const void *before, const void *after);
	void *arg;
};

/* Leaves of one tree only, or of both. Depth is bounded by TREE_DEPTH_MAX, as offsets increase. */
static void diff_all(const struct diffing *d, const struct twig *t, bool is_before)
{
	if (!is_branch(t)) {
		d->fn(d->arg, is_before ? t->ptr : NULL, is_before ? NULL : t->ptr);
		return;
	}
	for (unsigned i = 0; i < branch_count(t); i++) {
		diff_all(d, &branch_twigs(t)[i], is_before);
	}
}

static const uint8_t *any_name(const struct diffing *d, const struct twig *t)
{
	while (is_branch(t)) {
		t = branch_twigs(t);
	}
	return (const uint8_t *)t->ptr + d->name_at;
}

static unsigned offset_of(const struct twig *t)
{
	return is_branch(t) ? branch_offset(t) : DNAME_KEY_MAX;
}

static void diff_twigs(const struct diffing *d, const struct twig *before,
		       const struct twig *after);

/* The children of @branch against @other, which decides behind it: all of it is under one symbol. */
static void diff_under(const struct diffing *d, const struct twig *branch, const struct twig *other,
		       unsigned symbol, bool branch_is_before)
{
	uint64_t bit = symbol_bit(symbol);
	unsigned place = branch_place(branch, bit);
	bool meets = (branch->word & bit) != 0;
	for (unsigned i = 0; i < branch_count(branch); i++) {
		const struct twig *child = &branch_twigs(branch)[i];
		if (i != place) {
			diff_all(d, child, branch_is_before);
			continue;
		}
		if (meets) {
			diff_twigs(d, branch_is_before ? child : other,
				   branch_is_before ? other : child);
			continue;
		}
		diff_all(d, other, !branch_is_before);
		diff_all(d, child, branch_is_before);
	}
	if (place == branch_count(branch)) {
		diff_all(d, other, !branch_is_before);
	}
}

static void diff_branches(const struct diffing *d, const struct twig *before,
			  const struct twig *after)
{
	const struct twig *x = branch_twigs(before);
	const struct twig *y = branch_twigs(after);
	for (unsigned symbol = 0; symbol < DNAME_SYMBOLS; symbol++) {
		uint64_t bit = symbol_bit(symbol);
		bool in_x = (before->word & bit) != 0;
		bool in_y = (after->word & bit) != 0;
		if (in_x && in_y) {
			diff_twigs(d, x, y);
		} else if (in_x) {
			diff_all(d, x, true);
		} else if (in_y) {
			diff_all(d, y, false);
		}
		x += in_x;
		y += in_y;
	}
}

static void diff_twigs(const struct diffing *d, const struct twig *before, const struct twig *after)
{
	struct dname_key key;
	unsigned other;
	if (((before->word ^ after->word) & BRANCH) == 0 && before->ptr == after->ptr) {
		return;
	}
	unsigned x = offset_of(before);
	unsigned y = offset_of(after);
	const uint8_t *name = any_name(d, after);
	dname_key_make(&key, any_name(d, before));
	unsigned at = dname_key_mismatch(&key, name, &other);
	if (dname_equal(any_name(d, before), name)) {
		at = DNAME_KEY_MAX;
	}
	if (at < x && at < y) { /* nothing in common */
		bool before_first = key_symbol(&key, at) < other;
		diff_all(d, before_first ? before : after, before_first);
		diff_all(d, before_first ? after : before, !before_first);
	} else if (x == y && is_branch(before)) {
		diff_branches(d, before, after);
	} else if (x == y) {
		d->fn(d->arg, before->ptr, after->ptr);
	} else if (x < y) {
		dname_key_make(&key, name);
		diff_under(d, before, after, key_symbol(&key, x), true);
	} else {
		diff_under(d, after, before, key_symbol(&key, y), false);
	}
}

void tree_diff(const struct tree *before, const struct tree *after,
	       void (*fn)(void *arg, const void *before, const void *after), void *arg)
{
	const struct diffing d = { before->name_at, fn, arg };
	if (!before->empty && !after->empty) {
		diff_twigs(&d, &before->root, &after->root);
	} else if (!before->empty) {
		diff_all(&d, &before->root, true);
	} else if (!after->empty) {
		diff_all(&d, &after->root, false);
	}
}

static uint32_t twig_check(const struct twig *t, unsigned above, bool parent_fresh)
{
	assert(parent_fresh || (t->word & FRESH) == 0);
	if (!is_branch(t)) {
		assert(t->ptr != NULL);
		return 1;
	}
	assert(branch_offset(t) + 1 > above);
	assert(branch_count(t) >= 2);
	uint32_t leaves = 0;
	for (unsigned i = 0; i < branch_count(t); i++) {
		leaves += twig_check(&branch_twigs(t)[i], branch_offset(t) + 1,
				     (t->word & FRESH) != 0);
	}
	return leaves;
}

void tree_check(const struct tree *t)
{
	if (t->empty) {
		assert(t->leaves == 0);
		return;
	}
	assert(twig_check(&t->root, 0, true) == t->leaves);
	struct tree_cursor c;
	const uint8_t *before = NULL;
	for (const void *leaf = tree_first(t, &c); leaf != NULL; leaf = tree_next(&c)) {
		assert(before == NULL || dname_compare(before, leaf_name(t, leaf)) < 0);
		before = leaf_name(t, leaf);
	}
}

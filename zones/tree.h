/* zones/tree.h - names in canonical order, copy-on-write: what a zone version is searched by.
 *
 * A qp-trie over the symbols of dname_key: each branch has the offset of the symbol that it
 * decides on and a bitmap of the symbols that occur; its children ("twigs") lie in one vector, so
 * each level of a descent touches one cache line. Leaves point at objects that hold their name at
 * a fixed offset (struct node, struct zone); a leaf twig has 16 flag bits of the object beside the
 * pointer, so that cuts and DNAMEs on the way down are seen without touching the objects.
 *
 *                       branch @0 {c, o}
 *                       /              \
 *              branch @4 {END, f}      leaf org.
 *               /          \
 *          leaf com.    leaf foo.com.
 *
 * A name's key is a prefix of its descendants' keys, so all ancestors of a name that are in the tree
 * hang off its path, and the deepest label border up to which the path agrees with the wanted name
 * is the closest encloser (RFC 4592 §3.3.1), empty non-terminals included: those have no leaf.
 *
 * Changing: a tree is written by one writer between tree_begin and tree_seal. It copies the vectors
 * on the path of a change, once per edit, and tells which old vectors are no longer used; readers of
 * the old root see the old tree unchanged.
 *
 * Threads: a sealed tree is immutable, any thread may read it while its version is held.
 * Memory:  vectors come from the writer's pool; leaf objects belong to the caller. */
#ifndef ZONES_TREE_H
#define ZONES_TREE_H

#include <stdbool.h>

#include "zones/base/attr.h"
#include "zones/base/pool.h"
#include "zones/dns/dname.h"

struct twig {
	uint64_t word; /* see tree.c: branch or leaf, bitmap and offset, or flags */
	const void *ptr;
};

struct tree {
	struct twig root;
	uint32_t leaves;
	uint16_t name_at; /* octets from a leaf object to its name in wire form */
	bool empty;
};

/* Deepest path: each branch decides on a later symbol than the one above it. */
#define TREE_DEPTH_MAX DNAME_KEY_MAX

/* A place in a tree: on a leaf, or (leaf NULL) off the end. */
struct tree_level {
	const struct twig *branch;
	unsigned at; /* which twig was taken */
};
struct tree_cursor {
	const struct tree *tree;
	const void *leaf;
	uint16_t flags; /* the leaf's */
	unsigned depth;
	struct tree_level level[TREE_DEPTH_MAX];
};

/* An ancestor-or-self of the wanted name that has a leaf. */
struct tree_ancestor {
	const void *leaf;
	uint16_t flags;
	uint8_t labels;
};

/* All that one descent learns of a name. */
struct tree_match {
	const void *exact; /* the leaf of the name itself, or NULL */
	uint16_t exact_flags;
	uint8_t encloser;  /* labels of the closest encloser: the name itself when exact, or when
				it is an empty non-terminal */
	uint8_t ancestors; /* how many of the following, from the root down, exact included */
	struct tree_ancestor ancestor[DNAME_LABELS_MAX + 1];
	/* For tree_predecessor: where the descent ended, the first symbol that differs from the leaf
	 * found there, and whether the wanted name sorts before that leaf. */
	uint16_t mismatch;
	bool before;
	struct tree_cursor cursor;
};

/* Looks @key up. @name is its wire form, compared at the end. Fills @m (ancestors only those whose
 * flags intersect @mask, or exact). */
void tree_find(const struct tree *t, const struct dname_key *key, const uint8_t *name,
	       uint16_t mask, struct tree_match *m);
/* After tree_find: the leaf before the wanted name in canonical order (strictly smaller), or NULL. The
 * cursor stands on it. */
const void *tree_predecessor(struct tree_match *m, const struct dname_key *key, uint16_t *flags);

/* As tree_find (without ancestors), for a name that agrees with the one of @near in its first @agreed
 * symbols, which are an existing name's: goes on from where the paths part. @near != @m. */
void tree_find_from(const struct tree_match *near, unsigned agreed, const struct dname_key *key,
		    const uint8_t *name, struct tree_match *m);

/* A look ahead: walks the path of a key and asks for the memory on it, so that many can wait for it together.
 * Finds nothing; the search that follows has less to wait for. */
struct tree_probe {
	const struct twig *twig;
	const struct dname_key *key; /* borrowed; NULL: the last leaf is wanted */
};

/* The probe of @key. The tree must not be empty. */
static inline struct tree_probe tree_probe_of(const struct tree *t, const struct dname_key *key)
{
	return (struct tree_probe){ &t->root, key };
}
/* The probe of what tree_predecessor will return. twig NULL: there is none. */
struct tree_probe tree_probe_before(const struct tree_match *m, const struct dname_key *key);
/* One level down. False: it has arrived, and the leaf's memory is on its way. */
bool tree_probe_step(struct tree_probe *p);

/* The leaf of the longest name that is @name or above it (@is_strict: above it), or NULL. */
const void *tree_encloser(const struct tree *t, const struct dname_key *key, const uint8_t *name,
			  bool is_strict);

/* The leaf of exactly this name, or NULL. */
const void *tree_get(const struct tree *t, const struct dname_key *key, const uint8_t *name,
		     uint16_t *flags);

/* Walking in canonical order. */
const void *tree_first(const struct tree *t, struct tree_cursor *c);
const void *tree_last(const struct tree *t, struct tree_cursor *c);
const void *tree_next(struct tree_cursor *c);
const void *tree_prev(struct tree_cursor *c);
/* On the first leaf that is not smaller than @key; NULL when there is none. */
const void *tree_seek(const struct tree *t, const struct dname_key *key, struct tree_cursor *c);

/* Blocks that an edit no longer uses but older versions may: freed when those are gone. */
struct tree_garbage {
	struct tree_garbage_item {
		void *block;
		size_t size;
	} * items; /* heap */
	size_t count, cap;
};
void tree_garbage_add(struct tree_garbage *g, const void *block, size_t size);
/* Frees the blocks into @pool and empties the list. */
void tree_garbage_free(struct tree_garbage *g, struct pool *pool);

/* The writer of one edit. */
struct tree_writer {
	struct tree *tree;
	struct pool *pool;
	struct tree_garbage *garbage;
};

void tree_init(struct tree *t, uint16_t name_at);
/* Makes the empty tree @to of @from, a sealed one, with vectors in @pool and the leaves that @leaf gives for those of
 * @from. It calls for them in canonical order, each vector's right behind it. */
void tree_copy(struct tree *to, const struct tree *from, struct pool *pool,
	       const void *(*leaf)(void *arg, const void *leaf), void *arg);
/* Puts @leaf under @key, in the place of one of the same name, which is returned (else NULL).
 * *@was_fresh (may be NULL) tells whether the old one was put in this same edit. */
const void *tree_put(struct tree_writer *w, const struct dname_key *key, const void *leaf,
		     uint16_t flags, bool *was_fresh);
/* Takes the leaf of @key out and returns it, or NULL when there is none. */
const void *tree_remove(struct tree_writer *w, const struct dname_key *key, const uint8_t *name,
			bool *was_fresh);
/* Ends the edit: what it made is shared from now on. Costs what the edit touched. */
void tree_seal(struct tree_writer *w);
/* Ends the edit without a trace: gives back the vectors that it made, and hands each leaf that was
 * put in this edit to @fresh_leaf. The tree is not to be used any more. */
void tree_abandon(struct tree_writer *w, void (*fresh_leaf)(void *arg, const void *leaf),
		  void *arg);

/* What differs between two states of a tree, in canonical order: @fn gets the leaf before and the leaf after, one of them
 * NULL where the name came or went. Shared vectors are passed over, so it takes the time of the change, and that of a
 * walk where the trees have nothing in common. */
void tree_diff(const struct tree *before, const struct tree *after,
	       void (*fn)(void *arg, const void *before, const void *after), void *arg);

/* Asserts the invariants (tests). */
void tree_check(const struct tree *t);

#endif

/* zones/zone.c - zones and the set of all of them. */
#include "zones/zone.h"

#include <string.h>

#include "zones/base/epoch.h"
#include "zones/base/mem.h"

struct zone *zone_new(const uint8_t *apex)
{
	struct zone *z = mem_zalloc(sizeof(*z) + dname_len(apex));
	(void)dname_copy(z->apex, apex);
	return z;
}

void zone_free(struct zone *z)
{
	if (z != NULL) {
		version_unref(z->current);
		mem_free(z);
	}
}

struct version *zone_publish(struct zone *z, struct version *taken)
{
	struct version *before = z->current; /* only the publishing thread writes it */
	epoch_publish(&z->current, taken);
	return before;
}

void zone_set_stale(struct zone *z, int err)
{
	__atomic_store_n(&z->stale_err, err, __ATOMIC_RELAXED);
}

void zone_set_expiry(struct zone *z, int64_t at)
{
	__atomic_store_n(&z->expires_at, at, __ATOMIC_RELAXED);
}

/* Bits of the filter of top labels. */
#define TOPS 256

struct zoneset {
	struct pool pool;
	struct tree tree;
	struct tree_garbage garbage; /* stays empty: nothing was shared before */
	uint64_t tops[TOPS / 64];    /* a bit for each top label that an apex has */
	struct zone **zones;	     /* in the order of adding */
	size_t count, cap;
};

struct zoneset *zoneset_new(void)
{
	struct zoneset *zs = mem_zalloc(sizeof(*zs));
	tree_init(&zs->tree, offsetof(struct zone, apex));
	return zs;
}

void zoneset_free(struct zoneset *zs)
{
	if (zs != NULL) {
		pool_clear(&zs->pool);
		mem_free(zs->garbage.items);
		mem_free(zs->zones);
		mem_free(zs);
	}
}

/* The bit of the label below the root. */
static unsigned top_of(const uint8_t *name)
{
	const uint8_t *top = name;
	while (*name != 0) {
		top = name;
		name += *name + 1;
	}
	return (top[0] * 29U + text_lower[top[1]] + text_lower[top[top[0]]] * 7U) % TOPS;
}

static void tops_add(struct zoneset *zs, const uint8_t *apex)
{
	if (dname_is_root(apex)) {
		memset(zs->tops, 0xff, sizeof(zs->tops));
	} else {
		zs->tops[top_of(apex) / 64] |= (uint64_t)1 << top_of(apex) % 64;
	}
}

bool zoneset_may_have(const struct zoneset *zs, const uint8_t *name)
{
	unsigned top = dname_is_root(name) ? 0 : top_of(name);
	return dname_is_root(name) || (zs->tops[top / 64] >> top % 64 & 1) != 0;
}

int zoneset_add(struct zoneset *zs, struct zone *z)
{
	struct dname_key key;
	dname_key_make(&key, z->apex);
	if (tree_get(&zs->tree, &key, z->apex, NULL) != NULL) {
		return E_EXIST;
	}
	struct tree_writer w = { &zs->tree, &zs->pool, &zs->garbage };
	(void)tree_put(&w, &key, z, 0, NULL);
	tops_add(zs, z->apex);
	if (zs->count == zs->cap) {
		zs->cap = zs->cap != 0 ? zs->cap * 2 : 8;
		zs->zones = mem_realloc(zs->zones, zs->cap, sizeof(struct zone *));
	}
	zs->zones[zs->count++] = z;
	return E_OK;
}

struct zone *zoneset_get(const struct zoneset *zs, const uint8_t *apex)
{
	struct dname_key key;
	dname_key_make(&key, apex);
	return (struct zone *)(uintptr_t)tree_get(&zs->tree, &key, apex, NULL);
}

struct zone *zoneset_find(const struct zoneset *zs, const struct dname_key *key,
			  const uint8_t *name, bool strictly_above)
{
	return (struct zone *)(uintptr_t)tree_encloser(&zs->tree, key, name, strictly_above);
}

size_t zoneset_count(const struct zoneset *zs)
{
	return zs->count;
}

struct zone *zoneset_at(const struct zoneset *zs, size_t i)
{
	return i < zs->count ? zs->zones[i] : NULL;
}

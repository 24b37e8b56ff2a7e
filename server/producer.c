/* server/producer.c - catalogs that the server makes. */
#include "server/producer.h"

#include <string.h>

#include "keys/crypto.h"
#include "zones/base/mem.h"
#include "zones/catalog.h"

/* Octets of the digest of a member's name that make its label: no two names ever share so many. */
#define LABEL_OCTETS 16

/* The label of the member @zone: of its name alone, so that it stays what it is, whatever else comes and goes. */
static int make_label(const uint8_t *zone, uint8_t out[1 + 2 * LABEL_OCTETS])
{
	uint8_t name[DNAME_MAX];
	uint8_t digest[CRYPTO_DIGEST_MAX];
	const size_t len = dname_lower(name, zone);
	int err = crypto_digest(CRYPTO_SHA256, name, len, digest);
	out[0] = 2 * LABEL_OCTETS;
	text_to_hex(digest, LABEL_OCTETS, (char *)out + 1);
	for (unsigned i = 1; i <= 2 * LABEL_OCTETS; i++) {
		out[i] = text_lower[out[i]];
	}
	return err;
}

/* Is @z, one of @c's, a member of the catalog @apex? */
static bool is_member(const struct config_zone *z, const uint8_t *apex)
{
	return z->catalog_zone != NULL && dname_equal(z->catalog_zone, apex);
}

/* FNV-1a. Who could make two lists meet has written both. */
static uint64_t mix(uint64_t hash, const void *octets, size_t len)
{
	const uint8_t *p = octets;
	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ p[i]) * 0x100000001b3U;
	}
	return hash;
}

struct journal_stamp producer_stamp(const struct config *c, const uint8_t *apex)
{
	struct journal_stamp stamp = { .mtime_ns = 1, .inode = 0xcbf29ce484222325U };
	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *z = c->zones_by_name[i];
		if (is_member(z, apex)) {
			uint8_t name[DNAME_MAX];
			stamp.size++;
			stamp.inode = mix(stamp.inode, name, dname_lower(name, z->name));
			stamp.inode =
				mix(stamp.inode, z->catalog_group, strlen(z->catalog_group) + 1);
		}
	}
	return stamp;
}

int producer_make(const struct config *c, const uint8_t *apex, int64_t now, struct version **out,
		  struct errmsg *em)
{
	struct arena arena = { 0 };
	struct catalog_member *members = mem_array(c->zone_count, sizeof(*members));
	size_t count = 0;
	int err = E_OK;
	for (size_t i = 0; i < c->zone_count && err == E_OK; i++) {
		const struct config_zone *z = c->zones_by_name[i];
		if (!is_member(z, apex)) {
			continue;
		}
		const size_t len = strlen(z->catalog_group);
		uint8_t *octets = arena_bytes(&arena, 1 + 2 * LABEL_OCTETS + 1 + len);
		uint8_t *group = octets + 1 + 2 * LABEL_OCTETS;
		err = make_label(z->name, octets);
		group[0] = (uint8_t)len;
		memcpy(group + 1, z->catalog_group, len);
		members[count++] = (struct catalog_member){
			.zone = z->name,
			.label = octets,
			.groups = { group, len != 0 ? 1 + len : 0 },
		};
	}
	if (err != E_OK) {
		err_set(em, err, "the catalog cannot be made: %s", err_text(err));
	} else {
		err = catalog_make(apex, (uint32_t)now, members, count, out, em);
	}
	mem_free(members);
	arena_clear(&arena);
	return err;
}

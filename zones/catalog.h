/* zones/catalog.h - catalog zones (RFC 9432): the zones that one lists, and one that lists zones.
 *
 *     version.CATALOG.          TXT "2"
 *     LABEL.zones.CATALOG.      PTR example.com.        a member; LABEL stands for it and what is kept of it
 *     group.LABEL.zones.CATALOG. TXT "signed"           what it is configured like (§4.3.2)
 *     coo.LABEL.zones.CATALOG.  PTR other-catalog.      where it is to move (§4.3.1)
 *
 * A catalog in which something is wrong is broken: nothing of it counts (§5.1). What is not said here is nobody's error
 * and of no effect (§4.4).
 *
 * Threads: no state.
 * Memory:  what is read is copied; catalog_clear frees it. */
#ifndef ZONES_CATALOG_H
#define ZONES_CATALOG_H

#include "zones/base/arena.h"
#include "zones/version.h"

/* More than a server holds; what a broken producer can make us take is bounded. */
#define CATALOG_MEMBERS_MAX 4000000

/* A character-string: its length, and so many octets. */
struct catalog_groups {
	const uint8_t *octets; /* one behind the other */
	size_t len;
};

struct catalog_member {
	const uint8_t *zone;
	const uint8_t *label; /* with its length octet */
	const uint8_t *coo;   /* NULL: it stays */
	struct catalog_groups groups;
};

struct catalog {
	struct catalog_member *members; /* sorted by zone, which each is another; heap */
	size_t count;
	struct arena arena;
};

/* Reads what @v lists. E_CHECK: it is broken, @em says what and where; *out is empty. */
MUST_USE int catalog_read(const struct version *v, struct catalog *out, struct errmsg *em);
void catalog_clear(struct catalog *c);
/* The member @zone; NULL: it is none. */
const struct catalog_member *catalog_find(const struct catalog *c, const uint8_t *zone);

/* Makes a catalog @apex that lists @count members, whose labels differ, with this serial; one reference for the caller. E_NAME:
 * @apex is too long. */
MUST_USE int catalog_make(const uint8_t *apex, uint32_t serial,
			  const struct catalog_member *members, size_t count, struct version **out,
			  struct errmsg *em);

#endif

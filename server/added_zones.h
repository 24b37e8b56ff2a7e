/* server/added_zones.h - the zones that signetctl has added: a file of ours in server.database (CONFIG_ADDED) that the
 * configuration reads as if its zones stood there (server/config.h).
 *
 * A change is made to the text, read with the configuration by the one who reads that, and written only if all of it is
 * good. What is left is as it was, down to comments.
 *
 * Threads: the control thread.
 * Errors:  messages are about what was asked for. */
#ifndef SERVER_ADDED_ZONES_H
#define SERVER_ADDED_ZONES_H

#include "server/config.h"

struct added_zones {
	const char *config;   /* path of the configuration */
	const char *database; /* directory */
	struct buf before;    /* the text of before, for who takes the change back; owned */
};

/* Adds the zone @name whose file is @file, with @count options as "key=value", value as YAML. E_CHECK: the configuration would
 * not be good; E_EXIST: the zone is there; E_INVAL: an option has no such form. */
MUST_USE int added_zones_add(struct added_zones *a, const uint8_t *name, const char *file,
			     const char *const *options, size_t count, struct errmsg *em);
/* Takes the zone @name out. E_NOENT: it was not added, it stands in the configuration itself. */
MUST_USE int added_zones_remove(struct added_zones *a, const uint8_t *name, struct errmsg *em);
/* Writes what there was before. */
MUST_USE int added_zones_undo(const struct added_zones *a, struct errmsg *em);
void added_zones_clear(struct added_zones *a);

#endif

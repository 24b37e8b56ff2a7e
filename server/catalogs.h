/* server/catalogs.h - the zones that catalogs list, their members (RFC 9432 §5): which there are, and what a new version of a
 * catalog changes.
 *
 *     a catalog came in → catalogs_look: what is to be → config_with_members → served → catalogs_keep
 *
 * What is served is kept in a file of ours in server.database, a line for each member. It is written behind what it
 * tells: a restart that finds an older one comes to the same again.
 *
 *     the configuration has the zone        it is no member
 *     its catalog lists it no more          it goes, and what is kept of it
 *     another label stands for it           it goes, and comes again, with nothing of before (§5.4)
 *     coo, and the other catalog lists it   it is that one's from now on; the same label: with all that is kept (§4.3.1)
 *     another catalog lists it too          it stays where it is (§5.2)
 *     its catalog is broken, or not there   it stays as it is (§5.1)
 *
 * Threads: the control thread. */
#ifndef SERVER_CATALOGS_H
#define SERVER_CATALOGS_H

#include "server/config.h"
#include "zones/catalog.h"
#include "zones/zone.h"

#define CATALOGS_FILE "members" /* in server.database */

struct catalogs;

/* Those of the file in @database, if there is one; one that is damaged is said so in the log, and left. */
struct catalogs *catalogs_new(const char *database);
void catalogs_free(struct catalogs *c); /* NULL is fine */

/* Looks at the catalogs of @config, a configuration that was read, as they are in @zones (NULL: nothing is served yet). True:
 * the members are others than before. */
bool catalogs_look(struct catalogs *c, const struct config *config, const struct zoneset *zones);
/* @config (shared), with the members, right behind catalogs_look. */
struct config *catalogs_config(const struct catalogs *c, struct config *config);
/* The zones of which nothing is to be kept that was there before; borrowed until catalogs_keep. */
const uint8_t *const *catalogs_forgotten(const struct catalogs *c, size_t *count);
/* Writes the file: what catalogs_look found is served, what is forgotten is gone. */
MUST_USE int catalogs_keep(struct catalogs *c, struct errmsg *em);

/* Why the catalog @apex is broken, borrowed; NULL: it is not. */
const char *catalogs_why_broken(const struct catalogs *c, const uint8_t *apex);
size_t catalogs_count(const struct catalogs *c, const uint8_t *apex);

#endif

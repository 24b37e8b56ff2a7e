/* server/producer.h - catalogs that the server makes (RFC 9432), of the zones that name them as their catalog-zone.
 *
 * To the keeper of such a catalog it is what a zone file is to others: read when it has changed, and what differs goes
 * through the pipeline.
 *
 * Threads: any. */
#ifndef SERVER_PRODUCER_H
#define SERVER_PRODUCER_H

#include "server/config.h"
#include "zones/journal.h"
#include "zones/version.h"

static inline bool config_zone_is_produced(const struct config_zone *z)
{
	return z->catalog_role == CONFIG_CATALOG_PRODUCER;
}

/* What tells that the catalog @apex is to list something else than before. */
struct journal_stamp producer_stamp(const struct config *c, const uint8_t *apex);
/* Makes the catalog @apex as it is to be at @now, which is its serial; one reference for the caller. E_NAME, E_CRYPTO. */
MUST_USE int producer_make(const struct config *c, const uint8_t *apex, int64_t now,
			   struct version **out, struct errmsg *em);

#endif

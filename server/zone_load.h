/* server/zone_load.h - a configured zone from its file: read and checked, ready to publish.
 *
 * signetd and signet-checkconf --zones both come here, so that they agree.
 *
 * Threads: no state.
 * Errors:  those of master_read and check_version; @findings say why. */
#ifndef SERVER_ZONE_LOAD_H
#define SERVER_ZONE_LOAD_H

#include "server/config.h"
#include "zones/version.h"

/* Reads the file of @zone and runs its checks at @now. On success *out has one reference for the caller;
 * @findings may hold warnings. */
MUST_USE int zone_load(const struct config_zone *zone, int64_t now, struct version **out,
		       struct findings *findings);

#endif

/* server/zone_save.h - a version into a file of the operator's, only when asked: the counterpart of server/zone_load.h.
 *
 * What is written is complete or not there (zones/base/file.h), and has a line in front that says who wrote it. A file
 * without that line was written by a person.
 *
 * Threads: no state. */
#ifndef SERVER_ZONE_SAVE_H
#define SERVER_ZONE_SAVE_H

#include "keys/holder.h"
#include "zones/version.h"

/* Of @v what a person would write: without RRSIG, NSEC, NSEC3, NSEC3PARAM, and the DNSKEY, CDS and CDNSKEY records of the
 * keys of @holder; where @zonemd, without ZONEMD. One reference for the caller. */
struct version *zone_save_source(const struct version *v, const struct holder *holder, bool zonemd);

/* Writes @v to the zone file at @path. What is there goes on as "@path.bak", where a person has written it. */
MUST_USE int zone_save(const char *path, const struct version *v, struct errmsg *em);
/* The same beside the zone file: E_EXIST where a person's file is. */
MUST_USE int zone_save_copy(const char *path, const struct version *v, struct errmsg *em);

#endif

/* server/unsign.h - a zone without what signing it has made: RRSIG, NSEC, NSEC3 and NSEC3PARAM records, and the DNSKEY, CDS
 * and CDNSKEY records of our keys.
 *
 * Threads: no state. */
#ifndef SERVER_UNSIGN_H
#define SERVER_UNSIGN_H

#include "keys/holder.h"
#include "zones/edit.h"

/* Has signing made the record? @holder has our keys (NULL: none); @zonemd: ZONEMD records are made too. */
bool unsign_takes(const struct rr *rr, const struct holder *holder, bool zonemd);
/* Takes what signing has made out of @e, an edit of @base. */
void unsign(struct edit *e, const struct version *base, const struct holder *holder);
/* Tells the operator that the zone @apex is not signed any more, and what that needs. */
void unsign_warn(const uint8_t *apex);

#endif

/* server/update_policy.h - who may change which records by dynamic update (RFC 2136 §3.3): rules by key, name and type.
 *
 *     grant|deny KEY MATCH [NAME] [TYPE...]
 *
 * The first rule that is about a record says yes or no; none: no. KEY is the name of a TSIG key, or a wildcard: "*" is any
 * key, "*.example" all below example. With "sig0:" in front it is the name of KEY records in the zone (RFC 2931), and
 * those alone: who may write KEY records does not become who has a TSIG key. MATCH says of which owners a rule is, by NAME
 * where it has one:
 *
 *     name        NAME itself              self        the name of the key
 *     subdomain   NAME and all below       selfsub     that and all below
 *     wildcard    NAME is "*.x": below x   selfwild    all below that
 *     zonesub     all of the zone
 *
 * Without types a rule is about all but NS, SOA, RRSIG, NSEC and NSEC3; ANY is every type. "TXT(4)" lets there be four
 * records of the type at a name; those beyond are left out. What update-policy means in other servers' configurations is
 * meant here.
 *
 * Threads: immutable once made.
 * Memory:  belongs to the arena it was made in. */
#ifndef SERVER_UPDATE_POLICY_H
#define SERVER_UPDATE_POLICY_H

#include "server/acl.h"

#define UPDATE_POLICY_TYPES_MAX 64 /* in one rule */

struct update_policy;

struct update_policy *update_policy_new(struct arena *arena);
/* Adds a rule behind the others. E_SYNTAX, E_RANGE, E_LIMIT, E_NAME, E_NOENT (no such key): @em says what was found and
 * expected, and nothing was added. */
MUST_USE int update_policy_add(struct update_policy *p, struct arena *arena,
			       const struct acl_names *names, const char *rule, struct errmsg *em);

/* A record that somebody wants to change. */
struct update_wish {
	const uint8_t *signer; /* the name of who signed, of a key */
	bool is_sig0;	       /* and that is a KEY record in the zone, not a TSIG key */
	const uint8_t *zone;
	const uint8_t *owner; /* in the zone */
	uint16_t type;
};

/* *@most (where true): how many records of the type may be there; 0: no limit. */
bool update_policy_allows(const struct update_policy *p, const struct update_wish *wish,
			  uint32_t *most);
/* Is there a rule about the KEY records of @name? Else a signature of one need not be looked at. */
bool update_policy_knows_sig0(const struct update_policy *p, const uint8_t *name);

#endif

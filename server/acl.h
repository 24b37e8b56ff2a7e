/* server/acl.h - who may do something: by TSIG key, address, or network.
 *
 * Rules are texts: "key NAME", an address, a network, "any", and each of these with "deny" in front. Who is denied by
 * one rule is denied whatever others say; who is named by none is denied as well.
 *
 * Threads: immutable once made.
 * Memory:  belongs to the arena it was made in; keys are borrowed. */
#ifndef SERVER_ACL_H
#define SERVER_ACL_H

#include "keys/tsig_key.h"
#include "server/address.h"
#include "zones/base/arena.h"

struct acl;

/* The keys that rules may name. */
struct acl_keys {
	const struct tsig_key *list;
	size_t count;
};

struct acl *acl_new(struct arena *arena);
/* Adds a rule. E_SYNTAX, E_NOENT (no such key): @em says what was found and expected. */
MUST_USE int acl_add(struct acl *acl, struct arena *arena, const struct acl_keys *keys,
		     const char *rule, struct errmsg *em);

/* Who asks. */
struct acl_client {
	const struct address_ip *ip;
	const struct tsig_key *key; /* whose signature was good; NULL: none */
};

/* NULL allows nobody. */
bool acl_allows(const struct acl *acl, const struct acl_client *client);

#endif

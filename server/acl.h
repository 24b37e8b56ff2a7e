/* server/acl.h - who may do something: by TSIG key, KEY record, certificate, address, network, or as a remote.
 *
 * Rules are texts: "key NAME", "sig0 NAME", "tls NAME", "remote NAME", an address, a network, "any", and each of these with
 * "deny" in front. A remote is who has one of its addresses, one of its keys and one of the names of its certificate, where
 * it has such. Who is denied by one rule is denied whatever others say; who is named by none is denied as well.
 *
 * "key" is about the TSIG keys of the configuration, "sig0" about KEY records in the zone that an update is for. They are
 * different things whatever their names are, as who may write KEY records must not become who has a TSIG key.
 *
 * Threads: immutable once made.
 * Memory:  belongs to the arena it was made in; keys and remotes are borrowed. */
#ifndef SERVER_ACL_H
#define SERVER_ACL_H

#include "keys/tsig_key.h"
#include "server/address.h"
#include "zones/base/arena.h"

struct acl;

/* A peer with a name. */
struct acl_remote {
	const char *name;
	const struct address_network *networks;
	size_t network_count; /* 0: from any address */
	const struct tsig_key **keys;
	size_t key_count;	     /* 0: signed or not */
	struct dname_list tls_names; /* none: with a certificate or without */
};

/* What rules may name. */
struct acl_names {
	const struct tsig_key *keys;
	size_t key_count;
	const struct acl_remote *remotes;
	size_t remote_count;
	const uint8_t *sig0_zone; /* KEY records in this zone, of which updates are; NULL: none */
	bool has_tls;		  /* clients are asked for certificates */
};

/* The name @text as certificates have it, in full. E_SYNTAX, E_NAME, E_UNSUPPORTED (certificates are not asked for). */
MUST_USE int acl_read_tls(const struct acl_names *names, const char *text, struct dname *out,
			  struct errmsg *em);

/* The name @text of KEY records, or a wildcard that stands for such names, in the zone; the octets are @arena's. E_SYNTAX, E_NAME,
 * E_UNSUPPORTED (what is no update is not signed so), E_NOTZONE. */
MUST_USE int acl_read_sig0(const struct acl_names *names, const char *text, struct arena *arena,
			   const uint8_t **out, struct errmsg *em);
/* The key that @text names. E_NOENT: there is none; @em says which is near. */
MUST_USE int acl_find_key(const struct acl_names *names, const char *text,
			  const struct tsig_key **out, struct errmsg *em);

/* The remote that @text names; likewise. */
MUST_USE int acl_find_remote(const struct acl_names *names, const char *text,
			     const struct acl_remote **out, struct errmsg *em);

struct acl *acl_new(struct arena *arena);
/* Adds a rule. E_SYNTAX, E_NAME, E_NOENT (no such key or remote), E_UNSUPPORTED, E_NOTZONE: @em says what was found and expected. */
MUST_USE int acl_add(struct acl *acl, struct arena *arena, const struct acl_names *names,
		     const char *rule, struct errmsg *em);

/* Who asks. */
struct acl_client {
	const struct address_ip *ip;
	const struct tsig_key *key; /* whose signature was good; NULL: none */
	struct dname_list names;    /* in the certificate that the client has shown */
	const uint8_t *sig0; /* name of the KEY record whose signature was good; NULL: none */
};

/* Has the client one of its addresses and one of its keys, where it has such? */
bool acl_is_remote(const struct acl_remote *remote, const struct acl_client *client);
/* NULL allows nobody. */
bool acl_allows(const struct acl *acl, const struct acl_client *client);
/* Is there a rule about the KEY records of @name? Else a signature of one need not be looked at. */
bool acl_knows_sig0(const struct acl *acl, const uint8_t *name);

#endif

/* signer/sign.h - signs a zone: makes the NSEC or NSEC3 chain and the RRSIGs, keeps what is good.
 *
 * Works on an edit, so that a load, an update and a re-sign are the same thing: what is there stays
 * when it is right, what is missing, changed or due is made, what does not belong is taken out.
 * RFC 4035 §2, RFC 5155 §7.1, RFC 6781, RFC 9077, RFC 9276, RFC 8976.
 *
 * Threads: sign_zone starts its own and joins them; the edit belongs to the caller's thread.
 * Memory:  everything is borrowed for the call. */
#ifndef SIGNER_SIGN_H
#define SIGNER_SIGN_H

#include "keys/holder.h"
#include "zones/edit.h"

enum sign_serial {
	SIGN_SERIAL_KEEP,
	SIGN_SERIAL_INCREMENT,
	SIGN_SERIAL_UNIXTIME, /* seconds; the next number where that would not be newer */
	SIGN_SERIAL_DATE,     /* YYYYMMDDnn */
};

/* RFC 9276 §3.1: iterations above 0 do harm; above this they are refused. */
#define SIGN_ITERATIONS_MAX 50
/* Keys of one zone that may sign. */
#define SIGN_KEYS_MAX 16

struct sign_policy {
	int64_t now;
	int64_t inception, expiration; /* of the signatures that are made */
	uint32_t jitter;  /* seconds: expirations are spread over so much before `expiration` */
	uint32_t refresh; /* seconds: a signature that expires within is replaced */
	enum denial denial;
	struct nsec3_param nsec3; /* flags: NSEC3_OPT_OUT or 0 */
	uint32_t dnskey_ttl;	  /* of a DNSKEY set that is not there yet; 0: the SOA's TTL */
	enum sign_serial serial;
	unsigned
		zonemd; /* bit 1: SHA-384, bit 2: SHA-512 (RFC 8976 §5.3); a ZONEMD that is there is
			    renewed in any case */
	bool all_keys_sign_all; /* KSK and ZSK roles do not matter */
	bool manage_keys;	/* DNSKEYs of keys not published at `now` are taken out */
	bool publish_cds;	/* CDS (SHA-256) and CDNSKEY for keys whose SyncPublish has come */
	bool sign_all; /* sign_change looks at all of the zone: keys have come into use or gone */
	bool trusted;  /* signatures in the zone are known to verify: kept unchecked */
	unsigned threads; /* 0: one per core */
	/* Of the holder, for the thread that calls; borrowed. NULL: one is opened, which takes as long as a few
	 * signatures. */
	struct holder_session *session;
	void (*progress)(void *arg, uint64_t done, uint64_t total); /* names; may be NULL */
	void *progress_arg;
};

struct sign_stats {
	uint64_t made, kept, dropped; /* signatures */
	uint64_t chain;		      /* NSEC or NSEC3 records */
	int64_t next_due;	      /* when the first signature passes `refresh`; seconds */
};

/* Signs the zone of @e with the active keys of @holder. E_NOENT: no key can sign; E_LIMIT: iterations or keys;
 * E_INVAL: no SOA; E_EXIST: two names with one NSEC3 hash; E_CRYPTO. @em names zone and remedy. After
 * an error the caller aborts the edit. */
MUST_USE int sign_zone(struct edit *e, const struct holder *holder,
		       const struct sign_policy *policy, struct sign_stats *stats,
		       struct errmsg *em);

/* As sign_zone, for an edit of @base, a version that sign_zone or sign_change has signed with the same keys and policy
 * (times apart): signs what the edit has touched, and the nodes @due of @base (those that sign_due lists). Costs what
 * these are, not what the zone has, but for a ZONEMD, which is made over all of it. Where what holds for all names
 * changed (keys, chain, negative TTL), the whole zone is signed. The result is what sign_zone would make. */
MUST_USE int sign_change(struct edit *e, const struct version *base, const struct node *const *due,
			 size_t due_count, const struct holder *holder,
			 const struct sign_policy *policy, struct sign_stats *stats,
			 struct errmsg *em);

/* Gives the SOA of the zone of @e its next serial. E_INVAL: there is no SOA. */
MUST_USE int sign_bump_serial(struct edit *e, enum sign_serial how, int64_t now);
/* The next serial after @old by @how (RFC 1982: always newer, except SIGN_SERIAL_KEEP). */
uint32_t sign_next_serial(uint32_t old, enum sign_serial how, int64_t now);

#endif

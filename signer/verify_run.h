/* signer/verify_run.h - what the parts of one verification share; private to signer/verify*.c.
 *
 *     verify.c         the order of things, jobs for the threads, findings
 *     verify_keys.c    the DNSKEY set: which keys count, which algorithms must sign
 *     verify_set.c     the signatures of one set
 *     verify_name.c    one name: which sets are signed, its NSEC record
 *     verify_nsec3.c   the NSEC3 chains
 *     verify_zonemd.c  the digest over the zone
 *     verify_change.c  what a change has touched, instead of all
 *
 * The functions for one name or set say what they find through verify_report and need nothing but the
 * lists that verify_run holds, so that a part of a zone can be verified by itself.
 *
 * Threads: `verify_run` is written before the threads start and read by all, but for the atomic
 *          marks of NSEC3 records; a `verify_worker` belongs to one thread. */
#ifndef SIGNER_VERIFY_RUN_H
#define SIGNER_VERIFY_RUN_H

#include "signer/nsec3_hash.h"
#include "signer/rrsig.h"
#include "signer/verify.h"

/* Where a name stands: decides what of it is signed and whether it is in the chains. */
enum verify_place {
	VERIFY_AUTHORITATIVE,
	VERIFY_CUT,	 /* DS and NSEC are signed, NS is not (RFC 4035 §2.2) */
	VERIFY_OCCLUDED, /* glue and what else is below a cut or DNAME */
	VERIFY_VOID,	 /* owns nothing but NSEC records or stray signatures: is no name */
};

#define VERIFY_NO_ITEM UINT32_MAX

struct verify_item {
	const struct node *node;
	uint32_t next;	/* the next item in the chain, the apex behind the last */
	uint8_t common; /* labels shared with the item before it in the chain: between them and its
			   own are empty non-terminals */
	uint8_t place;	/* enum verify_place */
	bool below_dname;
};

#define VERIFY_NOT_HELD SIZE_MAX

/* A DNSKEY of the apex. */
struct verify_key {
	const uint8_t *rdata; /* borrowed from the version */
	size_t len;
	struct crypto_key *pair; /* owned; NULL: cannot be checked here */
	uint16_t flags;
	uint16_t tag;
	uint8_t algorithm;
	size_t held; /* which of the holder's it is, or VERIFY_NOT_HELD */
	bool counts; /* a valid zone key, so that its signatures count */
	bool anchored;
};

/* Keys as bits: bit i is keys[i]. */
typedef uint64_t verify_keys_mask;

/* An algorithm that must sign everything, with its keys that are not revoked. */
struct verify_algorithm {
	uint8_t number;
	verify_keys_mask keys;
	bool has_sep; /* there is a key with the SEP flag, revoked or not */
};

/* An NSEC3 record of one chain. */
struct verify_nsec3 {
	uint8_t hash[NSEC3_HASH_LEN];
	uint8_t flags;
	uint8_t named; /* atomic: a name has this hash */
	uint16_t map_len;
	const struct node *node;
	const uint8_t *next;
	const uint8_t *map;
};

struct verify_chain {
	struct nsec3_param param;
	struct verify_nsec3 *records; /* heap; in order of the hashes */
	size_t count, cap;
};

/* A signature that does not count, and why. */
struct verify_fault {
	enum verify_kind kind;
	struct rrsig sig;
};

struct verify_types {
	uint16_t *types; /* heap, ascending */
	size_t count, cap;
};

struct verify_run;

struct verify_worker {
	const struct verify_run *run;
	struct crypto_verifier *verifier[VERIFY_KEYS_MAX]; /* made when needed */
	struct holder_session *session;			   /* likewise */
	verify_keys_mask proved; /* keys whose public half has verified a signature */
	struct buf scratch;	 /* signed data */
	/* Of a bitmap: the types that must be there, those that may be, those that are. */
	struct verify_types want, may, have;
	struct verify_fault fault[VERIFY_SIGS_MAX];
	size_t faults;
	/* What is looked at, for verify_report. */
	const uint8_t *owner;
	uint16_t type; /* 0: the name as such */
	struct findings *findings;
	struct verify_stats stats;
};

struct verify_run {
	const struct version *v;
	const struct version
		*base; /* verified before: what is as there is not verified again; or NULL */
	const struct verify_options *opt;
	struct verify_key keys[VERIFY_KEYS_MAX];
	size_t key_count;
	struct verify_algorithm algorithms[VERIFY_KEYS_MAX];
	size_t algorithm_count;
	verify_keys_mask key_signers; /* keys that sign the DNSKEY set */
	bool nsec;		      /* there is to be an NSEC chain */
	struct verify_chain chains[VERIFY_CHAINS_MAX];
	size_t chain_count;
	struct verify_item *items; /* heap; all names in canonical order */
	size_t item_count;
	const struct node **nsec3; /* heap; owners of NSEC3 records or of signatures of such */
	size_t nsec3_count, nsec3_cap;
	size_t slice; /* names or owners that a thread takes at a time */
};

/* Adds a finding about w->owner and w->type; "zone: owner TYPE: <fmt> [name, RFC]". */
PRINTF(3, 4)
void verify_report(struct verify_worker *w, enum verify_kind kind, const char *fmt, ...);
/* The same as a warning, whatever the table says: for what is wrong but does no harm where it is. */
PRINTF(3, 4) void verify_warn(struct verify_worker *w, enum verify_kind kind, const char *fmt, ...);

/* verify_keys.c: reads the DNSKEY set and verifies it. E_CHECK: nothing else can be verified. */
MUST_USE int verify_keys(struct verify_run *run, struct verify_worker *w);
void verify_keys_clear(struct verify_run *run);
/* "key 12345 (ECDSAP256SHA256)" */
#define VERIFY_KEY_TEXT 64
const char *verify_key_text(uint16_t tag, uint8_t algorithm, char out[VERIFY_KEY_TEXT]);

/* verify_set.c */
/* The keys that validly sign @rs of w->owner; w->fault gets the signatures that do not count. */
verify_keys_mask verify_signers(struct verify_worker *w, const struct rrset *rs);
/* Reports the faults: as errors those of algorithms in which nobody of @signers signs. */
void verify_report_faults(struct verify_worker *w, const struct rrset *rs,
			  verify_keys_mask signers);
/* Is @rs of w->owner signed as it must be? */
void verify_set(struct verify_worker *w, const struct rrset *rs);

/* verify_name.c */
/* All of item @i that lies in its node: signatures, NSEC. */
void verify_name(struct verify_worker *w, size_t i);
/* Is the bitmap @map that of the types in w->want, apart from those in w->may? Reports the difference as
 * @kind. */
void verify_types(struct verify_worker *w, enum verify_kind kind, const uint8_t *map, size_t len);
void verify_types_add(struct verify_types *t, uint16_t type);

/* verify_nsec3.c */
/* Reads NSEC3PARAM and the NSEC3 records. */
void verify_chains_read(struct verify_run *run, struct verify_worker *w);
void verify_chains_clear(struct verify_run *run);
/* The NSEC3 records of item @i, and of the empty non-terminals that come before it. */
MUST_USE int verify_name_nsec3(struct verify_worker *w, size_t i);
/* Fills w->want and w->may with the types that an NSEC3 record of @item has; NULL: an empty non-terminal. */
void verify_nsec3_want(struct verify_worker *w, const struct verify_item *item);
bool verify_is_insecure_cut(const struct verify_item *item);
/* The signatures of NSEC3 owner @n. */
void verify_nsec3_node(struct verify_worker *w, const struct node *n);
/* After all names: is each chain closed, and every record for a name? */
void verify_chains_close(struct verify_worker *w);

/* verify.c */
/* Verifies all items and NSEC3 owners, and the digest, on @threads threads, a worker for each; findings go to the
 * end of @findings, in order. */
MUST_USE int verify_parts(struct verify_run *run, struct verify_worker *workers, unsigned threads,
			  struct findings *findings);
/* Counts for @from what it has seen. */
void verify_stats_add(struct verify_stats *to, const struct verify_stats *from);
void verify_worker_clear(struct verify_worker *w);

/* verify_zonemd.c */
MUST_USE int verify_zonemd(struct verify_worker *w);

#endif

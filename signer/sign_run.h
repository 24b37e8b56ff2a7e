/* signer/sign_run.h - what the parts of one signing run share; private to signer/sign*.c.
 *
 *     sign.c        the order of things: apex, names, chain, digest
 *     sign_change.c the same for what an edit has touched alone
 *     sign_apex.c   DNSKEY, CDS, NSEC3PARAM, SOA serial, ZONEMD: what signing changes at the apex
 *     sign_nsec3.c  the NSEC3 chain
 *     sign_node.c   one node: its NSEC, its signatures; run on all threads
 *
 * Threads: `sign_run` is written before the threads start and read by all; a `sign_worker` belongs
 *          to one thread. */
#ifndef SIGNER_SIGN_RUN_H
#define SIGNER_SIGN_RUN_H

#include "signer/nsec3_hash.h"
#include "signer/rrsig.h"
#include "signer/sign.h"
#include "zones/base/arena.h"
#include "zones/base/parallel.h"
#include "zones/dns/rdata.h"
#include "zones/node_build.h"

/* Where a name stands: decides what of it is signed and whether it is in the chain. */
enum place {
	PLACE_AUTHORITATIVE,
	PLACE_CUT, /* DS and NSEC are signed, NS is not (RFC 4035 §2.2) */
	PLACE_OCCLUDED, /* glue, and what is hidden below a cut or DNAME: nothing is; nor of a name that owns nothing */
};

struct item {
	const struct node *node; /* as it was before signing */
	/* Whose signatures may be kept where a set is the same: the node itself; or, for a change, the one
	 * that was published (or NULL), as `node` may have signatures of what its sets were before. */
	const struct node *published;
	const uint8_t *next; /* the next name that is not occluded; the apex behind the last */
	enum place place;
	/* Of a name with an NSEC3 record: labels that it shares with the one before it that has one. In canonical order
	 * the names between the two are exactly the empty non-terminals above it that come up here. */
	uint8_t shared;
};

/* Items or NSEC3 records one thread takes at a time: enough to make hand-over cheap, few enough
 * to share the work evenly and keep results in the cache. */
#define SIGN_SLICE	  STRESSED(128, 2)
#define SIGN_SLICE_CHANGE STRESSED(8, 2) /* of a change, which has few */
#define SIGN_WINDOW	  64

/* Which keys sign a kind of set, as indexes of the holder. */
struct key_list {
	size_t key[SIGN_KEYS_MAX];
	size_t count;
};

struct made_sig {
	const uint8_t *rdata;
	size_t len;
	uint8_t made[RRSIG_MAX]; /* rdata points here when it was made now */
};

/* Signatures of one set that are looked at: kept ones, new ones. */
#define SIGN_SIGS_MAX SIGN_KEYS_MAX

struct sign_worker {
	struct holder_session *session;
	struct crypto_verifier
		*verifier[SIGN_KEYS_MAX]; /* of the key lists' keys, made when needed */
	struct node_build build;
	struct buf scratch; /* signed data */
	struct buf single;  /* an RRset of one record, outside any node */
	struct made_sig sig[SIGN_SIGS_MAX];
	size_t sigs;
	bool changed;	    /* the node differs from what is there */
	struct arena maps;  /* type bitmaps of NSEC3 records */
	const uint8_t *map; /* the last one */
	size_t map_len;
	struct sign_stats stats;
};

/* Result of one slice: node images one behind the other, each at a multiple of 8. */
struct sign_slot {
	struct buf images;
	struct buf hashes; /* of the names, for the NSEC3 chain: private to sign_nsec3.c */
	size_t count;	   /* items done */
};

struct name_list;
struct nsec3_chain;

struct sign_run {
	struct edit *edit;
	const struct holder *holder;
	const struct sign_policy *policy;
	const struct version *base; /* whose signatures are kept; NULL: those that are there */
	struct dname apex;
	struct key_list zone_keys;   /* sign all but the key sets */
	struct key_list dnskey_keys; /* sign DNSKEY, CDS, CDNSKEY */
	uint32_t nsec_ttl;	     /* RFC 9077 §3: the lesser of SOA TTL and minimum */
	bool zonemd_later;	     /* the ZONEMD set is made and signed at the end */
	struct item *items;	     /* in canonical order */
	size_t count;
	struct name_list *list;	   /* lists them slice by slice; NULL: all are there */
	struct nsec3_chain *chain; /* that is made of them, or NULL */
	struct sign_slot gone;	   /* images of names that own nothing any more */
	size_t slice; /* items or NSEC3 records to be signed that a thread takes at a time */
	unsigned threads;
	struct sign_worker *workers;
	struct sign_slot *slots; /* [SIGN_WINDOW] */
	uint64_t done, total;	 /* progress */
	struct errmsg *em;
};

/* sign_apex.c */
MUST_USE int sign_pick_keys(struct sign_run *run);
MUST_USE int sign_apex(struct sign_run *run);
/* Makes the ZONEMD, where there is one: the last of all, as it is over all. */
MUST_USE int sign_zonemd(struct sign_run *run);

/* sign.c */
/* Starts a run: checks the policy, picks the keys, opens the workers, changes the apex. Whatever it returns, the
 * run is ended by sign_end, which fills in @stats. */
MUST_USE int sign_begin(struct sign_run *run, struct edit *e, const struct holder *holder,
			const struct sign_policy *policy, struct errmsg *em);
void sign_end(struct sign_run *run, struct sign_stats *stats);
/* Signs all of the zone. */
MUST_USE int sign_all(struct sign_run *run);
/* Sees to it that there is a message where @err is an error. */
void sign_fail(const struct sign_run *run, int err);
/* Rebuilds the nodes of all items, on all threads. */
MUST_USE int sign_items(struct sign_run *run);

/* sign_nsec3.c: the chain of all names, in the NSEC3 tree of the edit. */
void sign_nsec3_begin(struct sign_run *run);
/* Hashes @item, and the empty non-terminals above it, into @slot; on any thread. */
MUST_USE int sign_nsec3_hash(const struct sign_run *run, struct sign_worker *w,
			     const struct item *item, struct sign_slot *slot);
/* Takes the hashes of a slot over. */
void sign_nsec3_take(struct sign_run *run, struct sign_slot *slot);
/* Makes the chain of all that were taken. */
MUST_USE int sign_nsec3_chain(struct sign_run *run);
void sign_nsec3_end(struct sign_run *run);
/* Takes all records out. */
void sign_nsec3_remove(struct sign_run *run);
/* One record of the chain, which is to stand at the name of a hash. */
struct nsec3_record {
	uint8_t hash[NSEC3_HASH_LEN];
	uint8_t next[NSEC3_HASH_LEN];
	const uint8_t *map; /* type bitmap; borrowed */
	size_t map_len;
	const struct node *old; /* the node that is there, or NULL */
};
/* Makes its node; *image is NULL when the one that is there is right. */
MUST_USE int sign_nsec3_node(const struct sign_run *run, struct sign_worker *w,
			     const struct nsec3_record *r, const struct node **image);
/* The type bitmap of an item (RFC 5155 §7.1); NULL: of an empty non-terminal. */
MUST_USE int sign_nsec3_types(const struct item *item, struct writer *out);
/* Is it without NSEC3 record: occluded, or a delegation that the chain opts out? */
bool sign_is_left_out(const struct sign_run *run, const struct item *item);

/* sign_node.c */
/* Chooses and makes the signatures of @rs with @keys into w->sig, canonical order. @old (may be NULL)
 * has the signatures that are there. Sets w->changed where the result differs from @old. */
MUST_USE int sign_set(const struct sign_run *run, struct sign_worker *w, const uint8_t *owner,
		      const struct rrset *rs, const struct rrset *old);
/* Appends rs's records to the node being built, with the signatures in w->sig. */
void sign_put_set(struct sign_worker *w, const struct rrset *rs);
/* A set of one record, valid until the next call. */
const struct rrset *sign_single(struct sign_worker *w, uint16_t type, uint32_t ttl,
				const uint8_t *rdata, size_t len);
/* Is @rs exactly the one record? */
bool sign_is_single(const struct rrset *rs, uint32_t ttl, const uint8_t *rdata, size_t len);
/* Rebuilds the node of @item; *image is NULL when nothing changed. */
MUST_USE int sign_node(const struct sign_run *run, struct sign_worker *w, const struct item *item,
		       const struct node **image);
/* Appends an image to a slot. */
void sign_slot_add(struct sign_slot *slot, const struct node *image);
/* Puts all images of a slot into the edit; those of names that own nothing go to run->gone, as taking names out would
 * upset the walk that lists them. */
void sign_slot_finish(struct sign_run *run, struct sign_slot *slot);
/* Takes the names of run->gone out. */
void sign_take_out(struct sign_run *run);

#endif

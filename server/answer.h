/* server/answer.h - what goes into the sections of one response; private to the query engine.
 *
 *     query.c       reads the query, decides what is no question for a zone, writes the header
 *     lookup.c      finds zone and place of a name
 *     ahead.h       has the memory of a batch fetched before it is wanted
 *     opt.c         what the OPT record asks for, and the one of the response
 *     chaos.c       class CH
 *     answer.c      follows the name through the zones (RFC 1034 §4.3.2), fills the sections
 *     denial.c      proves what is not there (NSEC, NSEC3)
 *     additional.c  addresses of the names that an answer mentions
 *     response.c    copies sets into the message
 *
 * Sections go out in order, but what belongs into the authority section is learned while the answer is
 * written: a chain of CNAMEs may cross several wildcards, each with a proof. So denial.c collects, and
 * answer.c writes when the chain has ended.
 *
 * Threads: one worker. */
#ifndef SERVER_ANSWER_H
#define SERVER_ANSWER_H

#include "keys/crypto.h"
#include "server/ahead.h"
#include "server/lookup.h"
#include "server/opt.h"
#include "server/query.h"
#include "server/response.h"

/* Longest chain of CNAME and DNAME that is followed. */
#define ANSWER_HOPS_MAX 16
/* Sets in one response that are looked at for doubles, and for additional data. Answer and authority
 * have less; when additional data fills the rest, what is optional ends. */
#define ANSWER_SETS_MAX 96
/* One for each hop, and three at its end (RFC 5155 §7.2.2). */
#define ANSWER_PROOFS_MAX (ANSWER_HOPS_MAX + 4)

struct answer_set {
	const struct node *node;
	const struct rrset *rs;
	bool is_made; /* the owner is not the node's name: made from a wildcard */
};

/* How the chain ended: what the authority section is about. */
enum answer_end {
	END_POSITIVE,
	END_NEGATIVE, /* SOA and proofs */
	END_REFERRAL, /* the NS set and DS, or the proof that there is none */
};

/* Hashed names of a batch. What is said of an encloser and of its wildcard serves all names under it. */
#define HASHES_SHARED_MAX 8
struct hashes {
	unsigned count;
	unsigned shared;
	struct {
		const struct lookup *of; /* that began with it */
		uint8_t labels;		 /* of the encloser */
		bool is_wild;
		struct hashed *hashed;
	} share[HASHES_SHARED_MAX];
	struct hashed hashed[QUERY_BATCH_MAX * LOOKUP_HASHES_MAX];
};

struct query_ctx {
	const struct query_env *env;
	struct query_slot *slots;	 /* query.c's, one for each query of a batch */
	const struct address_ip *client; /* NULL: unknown */
	struct response response;
	struct crypto_siphash *siphash;
	unsigned turn; /* of rotated sets */
	struct opt opt;

	uint16_t qtype;
	bool dnssec; /* the DO bit */
	bool is_transfer;

	uint16_t rcode;
	bool is_authoritative;
	bool is_truncated; /* something needed did not fit: no more is added */

	/* The name at hand: the one asked, then what CNAMEs and DNAMEs lead to. */
	struct lookup *at; /* of the query's slot in its batch */
	uint16_t pointer;  /* of the name in the message, 0: not there */
	const struct zone *asked_zone;
	const struct version *asked_version; /* of the zone of the name asked; NULL: none */

	/* The chain: names[0] is the one asked, names[hops] the one at hand. */
	unsigned hops;
	const uint8_t *names[ANSWER_HOPS_MAX + 1];
	struct dname made[ANSWER_HOPS_MAX + 1]; /* names made from DNAMEs */
	enum answer_end end;
	const struct node *cut; /* END_REFERRAL */

	struct answer_set sets[ANSWER_SETS_MAX]; /* what is in the message */
	unsigned set_count;
	struct answer_set proofs[ANSWER_PROOFS_MAX]; /* to go into the authority section */
	unsigned proof_count;
	bool is_unprovable; /* a hash collides with one that is there (RFC 5155 §7.2.9) */

	struct ahead ahead;
	struct hashes hashes;
	/* Scratch of denial.c and additional.c. */
	struct tree_match other;
	struct dname_key other_key;
	struct hashed hashed;
};

/* answer.c: fills the sections for the name of q->at, asked for q->qtype; sets rcode and flags. */
void answer_query(struct query_ctx *q);
/* What answer_query will read for @l, which was found: has it fetched. */
void answer_foresee(struct query_ctx *q, struct lookup *l, bool dnssec);

/* Adds a set under its own name, with its signatures if the client wants them, unless it is there. False: no
 * room, and nothing was added. */
bool answer_add(struct query_ctx *q, enum section section, const struct node *n,
		const struct rrset *rs);
/* Adds a set of the wildcard @n to the additional section under the name at hand, which was made from it.
 * False: as above. */
bool answer_add_made(struct query_ctx *q, const struct node *n, const struct rrset *rs);
/* What had to be there is not. */
void answer_truncate(struct query_ctx *q);

/* denial.c: has what the proofs for @l will read fetched; then what they are found by, ... */
void denial_foresee(struct query_ctx *q, struct lookup *l);
/* ... and when that has come, the records of NSEC3 chains. */
void denial_foresee_records(struct query_ctx *q);
/* These collect into q->proofs, and do nothing unless the client wants DNSSEC and the zone has a
 * chain. */
/* The name at hand is there without q->qtype, or is an empty non-terminal. */
void denial_nodata(struct query_ctx *q);
/* It is not there, nor is a wildcard for it. */
void denial_nxdomain(struct query_ctx *q);
/* It is not there itself, the answer comes from a wildcard. */
void denial_wildcard(struct query_ctx *q);
/* Neither it nor the type at the wildcard is there. */
void denial_wildcard_nodata(struct query_ctx *q);
/* The delegation @cut has no DS. */
void denial_no_ds(struct query_ctx *q, const struct node *cut);

/* additional.c: addresses for the sets that were added; what does not fit is left out, but glue that a
 * referral needs truncates (RFC 9471). */
void additional_add(struct query_ctx *q);

#endif

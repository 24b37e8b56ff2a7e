/* server/answer.h - what goes into the sections of one response; private to the query engine.
 *
 *     query.c       reads the query, finds the zone, writes header and OPT
 *     answer.c      follows the name through the zones (RFC 1034 §4.3.2)
 *     denial.c      proves what is not there (NSEC, NSEC3)
 *     additional.c  addresses of the names that an answer mentions
 *
 * Threads: one worker. */
#ifndef SERVER_ANSWER_H
#define SERVER_ANSWER_H

#include "keys/crypto.h"
#include "server/query.h"
#include "server/response.h"

/* Longest chain of CNAME and DNAME that is followed. */
#define ANSWER_HOPS_MAX 16
/* Sets in one response that are looked at for doubles, and for additional data. */
#define ANSWER_SETS_MAX 64

struct answer_set {
	const struct node *node;
	const struct rrset *rs;
};

struct query_ctx {
	const struct query_env *env;
	struct response response;
	uint16_t qtype;
	bool dnssec; /* the DO bit */
	uint16_t rcode;
	bool authoritative;
	bool truncated;

	/* The name at hand: the one asked, then what CNAMEs and DNAMEs lead to. */
	const uint8_t *name;
	struct dname_key key;
	uint16_t pointer;		    /* of the name in the message, 0: not there */
	struct dname made[ANSWER_HOPS_MAX]; /* names made from DNAMEs, one for each hop */
	unsigned hops;
	const struct node *cut; /* of the referral at the end, or NULL */
	/* Names on the way that a wildcard stood for: proved once the answer section is whole. */
	struct answer_wild {
		const struct version *version;
		const uint8_t *name;
	} wild[ANSWER_HOPS_MAX];
	unsigned wild_count;

	const struct version *version; /* of the zone at hand */
	struct tree_match match;       /* of the name in it */

	struct answer_set sets[ANSWER_SETS_MAX]; /* what is in answer and authority */
	unsigned set_count;

	struct crypto_hasher *sha1;
	struct tree_match proof; /* scratch of denial.c and additional.c */
	struct dname_key proof_key;
	uint8_t qname[DNAME_MAX];
};

/* answer.c: fills the sections for q->name, starting in zone @v; sets rcode and flags. */
void answer_query(struct query_ctx *q, const struct version *v);
/* Adds a set of @n unless it is there; a set that must be there and does not fit sets q->truncated. */
void answer_add(struct query_ctx *q, enum section section, const struct node *n,
		const struct rrset *rs);

/* denial.c: all add to the authority section, and only when the client wants DNSSEC and the zone has a
 * chain. Each record once. */
/* q->name is there, without q->qtype; or it is an empty non-terminal. */
void denial_nodata(struct query_ctx *q);
/* q->name is not there, nor is a wildcard for it. */
void denial_nxdomain(struct query_ctx *q);
/* q->name itself is not there, the answer comes from the wildcard @wild. */
void denial_wildcard(struct query_ctx *q);
/* Neither q->name nor the type at the wildcard @wild is there. */
void denial_wildcard_nodata(struct query_ctx *q, const struct node *wild);
/* The delegation @cut has no DS. */
void denial_no_ds(struct query_ctx *q, const struct node *cut);

/* additional.c: addresses for the sets that were added; what does not fit is left out, but glue that a
 * referral to @cut (or NULL) needs sets q->truncated (RFC 9471). */
void additional_add(struct query_ctx *q, const struct node *cut);

#endif

/* server/denial.c - proofs of what is not there: RFC 4035 §3.1.3 (NSEC), RFC 5155 §7.2 (NSEC3).
 *
 *                        NSEC                          NSEC3
 *     NODATA             match name                    match name, or encloser proof under opt-out
 *     NODATA, ENT        cover name                    the same
 *     NXDOMAIN           cover name, cover wildcard    encloser proof, cover wildcard
 *     wildcard           cover name                    cover next closer
 *     wildcard NODATA    match wildcard, cover name    encloser proof, match wildcard
 *     no DS              match cut                     match cut, or encloser proof under opt-out
 *
 * Encloser proof: match the closest encloser that has a record, cover the next closer name. */
#include "server/answer.h"

#include "signer/nsec3_hash.h"

/* Records of another chain (RFC 5155 §10.4, while parameters change) that are stepped over before the
 * search is given up; two chains mingle evenly. */
#define CHAIN_STEPS_MAX 64

static bool is_wanted(const struct query_ctx *q)
{
	return q->dnssec && q->version->denial != DENIAL_NONE;
}

/* The same record may prove several things: answer_add takes it once. */
static void prove(struct query_ctx *q, const struct node *n, uint16_t type)
{
	const struct rrset *rs = n != NULL ? node_find(n, type) : NULL;
	if (rs == NULL || q->proof_count == ANSWER_PROOFS_MAX) {
		return;
	}
	q->proofs[q->proof_count++] = (struct answer_set){ n, rs, false };
}

/* --- NSEC ------------------------------------------------------------------------------------ */

/* The NSEC that covers the name which @m was made for: of the name before it in the chain. Glue has
 * none and may be plenty, so from there one goes to its cut at once. Moves the cursor of @m. */
static void nsec_cover(struct query_ctx *q, struct tree_match *m, const struct dname_key *key)
{
	uint16_t flags;
	const struct node *n = tree_predecessor(m, key, &flags);
	if (n != NULL && (flags & NODE_NSEC) == 0) {
		const struct node *cut = NULL;
		(void)version_is_occluded(q->version, n->name, &cut);
		n = cut;
	}
	prove(q, n, RRTYPE_NSEC);
}

static void nsec_cover_name(struct query_ctx *q)
{
	nsec_cover(q, &q->match, &q->key);
}

static void nsec_cover_wildcard(struct query_ctx *q)
{
	nsec_cover(q, &q->wild, &q->wild_key);
}

/* --- NSEC3 ----------------------------------------------------------------------------------- */

/* What the chain says of a hash: the record that matches it, or the one that covers it. */
struct nsec3_place {
	const struct node *node; /* NULL: the chain is broken */
	bool is_match;
};

static struct nsec3_place nsec3_find(struct query_ctx *q, const uint8_t *name)
{
	const struct version *v = q->version;
	struct tree_match *m = &q->other;
	uint8_t hash[NSEC3_HASH_LEN];
	struct dname owner;
	if (nsec3_hash(q->sha1, &v->nsec3_param, name, hash) != E_OK ||
	    nsec3_owner(hash, v->apex.wire, &owner) != E_OK) {
		return (struct nsec3_place){ NULL, false };
	}
	dname_key_make(&q->other_key, owner.wire);
	tree_find(&v->nsec3, &q->other_key, owner.wire, 0, m);
	if (m->exact != NULL && nsec3_is_of_chain(m->exact, &v->nsec3_param)) {
		return (struct nsec3_place){ m->exact, true };
	}
	const struct node *n = tree_predecessor(m, &q->other_key, NULL);
	for (unsigned i = 0; i < CHAIN_STEPS_MAX; i++) {
		if (n == NULL) { /* the chain is a ring */
			n = tree_last(&v->nsec3, &m->cursor);
		}
		if (n == NULL || nsec3_is_of_chain(n, &v->nsec3_param)) {
			return (struct nsec3_place){ n, false };
		}
		n = tree_prev(&m->cursor);
	}
	return (struct nsec3_place){ NULL, false };
}

static void nsec3_cover(struct query_ctx *q, const uint8_t *name)
{
	struct nsec3_place at = nsec3_find(q, name);
	q->is_unprovable = q->is_unprovable || at.is_match;
	prove(q, at.node, RRTYPE_NSEC3);
}

/* Closest provable encloser of @name (RFC 5155 §7.2.1): the nearest of it and its ancestors with at
 * most @labels labels that has a record; and, where that is not the name itself, cover for the name
 * one label longer. Under opt-out it may lie above the closest encloser. Returns its labels. */
static unsigned nsec3_encloser(struct query_ctx *q, const uint8_t *name, unsigned labels)
{
	const unsigned all = dname_labels(name);
	const unsigned from = labels;
	struct nsec3_place longer = { NULL, false };
	struct nsec3_place at = nsec3_find(q, dname_up(name, all - labels));
	while (!at.is_match && labels > q->version->apex_labels) {
		longer = at;
		labels--;
		at = nsec3_find(q, dname_up(name, all - labels));
	}
	if (!at.is_match) {
		return labels; /* a chain without its apex proves nothing */
	}
	prove(q, at.node, RRTYPE_NSEC3);
	if (labels < from) {
		prove(q, longer.node, RRTYPE_NSEC3);
	} else if (labels < all) {
		nsec3_cover(q, dname_up(name, all - labels - 1));
	}
	return labels;
}

static void nsec3_nxdomain(struct query_ctx *q)
{
	unsigned encloser = nsec3_encloser(q, q->name, q->match.encloser);
	if (encloser == q->match.encloser) {
		nsec3_cover(q, q->wild_name.wire);
		return;
	}
	/* The encloser itself is not in the chain: its parts lie under opt-out. What there is to say is
	 * that the wildcard of the encloser that can be proved, if there is one, does not matter. */
	static const uint8_t star[] = { 1, '*' };
	struct dname wild;
	const uint8_t *above = dname_up(q->name, q->key.labels - encloser);
	if (dname_prepend(&wild, star, above) == E_OK) {
		prove(q, nsec3_find(q, wild.wire).node, RRTYPE_NSEC3);
	}
}

/* --- the kinds of proof ---------------------------------------------------------------------- */

void denial_nodata(struct query_ctx *q)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->version->denial == DENIAL_NSEC3) {
		(void)nsec3_encloser(q, q->name, q->key.labels);
	} else if (q->match.exact != NULL) {
		prove(q, q->match.exact, RRTYPE_NSEC);
	} else {
		nsec_cover_name(q);
	}
}

void denial_nxdomain(struct query_ctx *q)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->version->denial == DENIAL_NSEC3) {
		nsec3_nxdomain(q);
	} else {
		nsec_cover_name(q);
		nsec_cover_wildcard(q);
	}
}

void denial_wildcard(struct query_ctx *q)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->version->denial == DENIAL_NSEC3) {
		/* The encloser itself shows in the labels field of the RRSIG. */
		nsec3_cover(q, dname_up(q->name, q->key.labels - q->match.encloser - 1U));
	} else {
		nsec_cover_name(q);
	}
}

void denial_wildcard_nodata(struct query_ctx *q)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->version->denial == DENIAL_NSEC3) {
		(void)nsec3_encloser(q, q->name, q->match.encloser);
		prove(q, nsec3_find(q, q->wild_name.wire).node, RRTYPE_NSEC3);
	} else if (q->wild.exact != NULL) {
		prove(q, q->wild.exact, RRTYPE_NSEC);
		nsec_cover_name(q);
	} else {
		nsec_cover_wildcard(q);
		nsec_cover_name(q);
	}
}

void denial_no_ds(struct query_ctx *q, const struct node *cut)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->version->denial == DENIAL_NSEC3) {
		(void)nsec3_encloser(q, cut->name, cut->labels);
	} else {
		prove(q, cut, RRTYPE_NSEC);
	}
}

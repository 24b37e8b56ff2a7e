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

#include <string.h>

#include "signer/nsec3_hash.h"

/* Records of another chain (RFC 5155 §10.4, while parameters change) that are stepped over before the
 * search is given up; two chains mingle evenly. */
#define CHAIN_STEPS_MAX 64

static bool is_wanted(const struct query_ctx *q)
{
	return q->dnssec && q->at->version->denial != DENIAL_NONE;
}

/* Of an NSEC3 node with its signature (P-256), more or less: as much is fetched before it is looked at. */
#define NSEC3_NODE_OCTETS 320

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
		(void)version_is_occluded(q->at->version, n->name, &cut);
		n = cut;
	}
	prove(q, n, RRTYPE_NSEC);
}

static void nsec_cover_name(struct query_ctx *q)
{
	nsec_cover(q, &q->at->match, &q->at->key);
}

static void nsec_cover_wildcard(struct query_ctx *q)
{
	nsec_cover(q, &q->at->wild, &q->at->wild_key);
}

/* --- NSEC3 ----------------------------------------------------------------------------------- */

static void hashed_label(struct hashed *h, const struct version *v, const uint8_t *name)
{
	uint8_t hash[NSEC3_HASH_LEN];
	nsec3_hash(&v->nsec3_param, name, hash);
	nsec3_label(hash, h->label);
	h->version = v;
	h->is_found = false;
	h->is_seen = false;
	h->is_match = false;
	h->node = NULL;
}

/* The record that matches, or the one before, of whichever chain; reads none of them but for names. */
static void hashed_see(struct query_ctx *q, struct hashed *h)
{
	struct dname owner;
	h->is_seen = true;
	if (dname_prepend(&owner, h->label, h->version->apex.wire) == E_OK) {
		tree_find(&h->version->nsec3, &h->key, owner.wire, 0, &q->other);
		h->is_match = q->other.exact != NULL;
		h->node = h->is_match ? q->other.exact : tree_predecessor(&q->other, &h->key, NULL);
	}
}

/* What the chain in use says; the label and key of @h are there. */
static void hashed_find(struct query_ctx *q, struct hashed *h)
{
	const struct version *v = h->version;
	struct tree_cursor *c = &q->other.cursor;
	if (!h->is_seen) {
		hashed_see(q, h);
	}
	h->is_found = true;
	if (h->node != NULL && nsec3_is_of_chain(h->node, &v->nsec3_param)) {
		return;
	}
	/* The first of all, or beside records of another chain. */
	hashed_see(q, h);
	const struct node *n = h->is_match ? tree_prev(c) : h->node;
	h->is_match = false;
	h->node = NULL;
	for (unsigned i = 0; i < CHAIN_STEPS_MAX; i++) {
		if (n == NULL) { /* the chain is a ring */
			n = tree_last(&v->nsec3, c);
		}
		if (n == NULL || nsec3_is_of_chain(n, &v->nsec3_param)) {
			h->node = n;
			return;
		}
		n = tree_prev(c);
	}
}

static struct hashed *nsec3_foreseen(const struct lookup *l, const uint8_t *name)
{
	for (unsigned i = 0; i < l->hash_count; i++) {
		if (l->hash[i].name == name) {
			return l->hash[i].hashed;
		}
	}
	return NULL;
}

/* What the chain says of @name, valid until the next call. */
static const struct hashed *nsec3_find(struct query_ctx *q, const uint8_t *name)
{
	const struct version *v = q->at->version;
	struct hashed *h = nsec3_foreseen(q->at, name);
	if (h != NULL && h->is_found) {
		return h;
	}
	if (h == NULL) {
		struct dname owner;
		h = &q->hashed;
		hashed_label(h, v, name);
		if (dname_prepend(&owner, h->label, v->apex.wire) != E_OK) {
			return h;
		}
		dname_key_make(&h->key, owner.wire);
	}
	hashed_find(q, h);
	return h;
}

static void nsec3_cover(struct query_ctx *q, const uint8_t *name)
{
	const struct hashed *h = nsec3_find(q, name);
	q->is_unprovable = q->is_unprovable || h->is_match;
	prove(q, h->node, RRTYPE_NSEC3);
}

/* Closest provable encloser of @name (RFC 5155 §7.2.1): the nearest of it and its ancestors with at
 * most @labels labels that has a record; and, where that is not the name itself, cover for the name
 * one label longer. Under opt-out it may lie above the closest encloser. Returns its labels. */
static unsigned nsec3_encloser(struct query_ctx *q, const uint8_t *name, unsigned labels)
{
	const unsigned all = dname_labels(name);
	const unsigned from = labels;
	const struct node *longer = NULL; /* what covers the name one label longer */
	const struct hashed *h = nsec3_find(q, dname_up(name, all - labels));
	while (!h->is_match && labels > q->at->version->apex_labels) {
		longer = h->node;
		labels--;
		h = nsec3_find(q, dname_up(name, all - labels));
	}
	if (!h->is_match) {
		return labels; /* a chain without its apex proves nothing */
	}
	prove(q, h->node, RRTYPE_NSEC3);
	if (labels < from) {
		prove(q, longer, RRTYPE_NSEC3);
	} else if (labels < all) {
		nsec3_cover(q, dname_up(name, all - labels - 1));
	}
	return labels;
}

static void nsec3_nxdomain(struct query_ctx *q)
{
	unsigned encloser = nsec3_encloser(q, q->at->name, q->at->match.encloser);
	if (encloser == q->at->match.encloser) {
		nsec3_cover(q, q->at->wild_name.wire);
		return;
	}
	/* The encloser itself is not in the chain: its parts lie under opt-out. What there is to say is
	 * that the wildcard of the encloser that can be proved, if there is one, does not matter. */
	static const uint8_t star[] = { 1, '*' };
	struct dname wild;
	const uint8_t *above = dname_up(q->at->name, q->at->key.labels - encloser);
	if (dname_prepend(&wild, star, above) == E_OK) {
		prove(q, nsec3_find(q, wild.wire)->node, RRTYPE_NSEC3);
	}
}

/* --- looking ahead --------------------------------------------------------------------------- */

static void nsec3_know(struct lookup *l, const uint8_t *name, struct hashed *h)
{
	if (l->hash_count < LOOKUP_HASHES_MAX) {
		l->hash[l->hash_count++] = (struct lookup_hash){ name, h };
	}
}

/* Has the record of @name in the chain fetched, and what it is found by kept. */
static void nsec3_foresee(struct query_ctx *q, struct lookup *l, const uint8_t *name)
{
	const struct version *v = l->version;
	if (q->hashes.count == ARRAY_LEN(q->hashes.hashed) || v->nsec3.empty ||
	    v->apex.len + NSEC3_LABEL_LEN + 1 > DNAME_MAX) {
		return;
	}
	struct hashed *h = &q->hashes.hashed[q->hashes.count++];
	hashed_label(h, v, name);
	dname_key_child(&h->key, &l->key, v->apex_labels, h->label);
	nsec3_know(l, name, h);
	ahead_add(&q->ahead, tree_probe_of(&v->nsec3, &h->key));
}

/* Are the ancestors with @labels labels of both names the same, in the same version? */
static bool has_same_ancestor(const struct lookup *a, const struct lookup *b, unsigned labels)
{
	return a->version == b->version && labels <= b->key.labels &&
	       a->key.end[labels] == b->key.end[labels] &&
	       memcmp(a->key.sym, b->key.sym, a->key.end[labels]) == 0;
}

/* As nsec3_foresee for @name, the ancestor with @labels labels or (@is_wild) its wildcard, which other queries
 * of the batch may ask about too. */
static void nsec3_foresee_shared(struct query_ctx *q, struct lookup *l, const uint8_t *name,
				 unsigned labels, bool is_wild)
{
	struct hashes *s = &q->hashes;
	for (unsigned i = 0; i < s->shared; i++) {
		if (s->share[i].labels == labels && s->share[i].is_wild == is_wild &&
		    has_same_ancestor(l, s->share[i].of, labels)) {
			nsec3_know(l, name, s->share[i].hashed);
			return;
		}
	}
	nsec3_foresee(q, l, name);
	struct hashed *h = nsec3_foreseen(l, name);
	if (h != NULL && s->shared < HASHES_SHARED_MAX) {
		s->share[s->shared].of = l;
		s->share[s->shared].labels = (uint8_t)labels;
		s->share[s->shared].is_wild = is_wild;
		s->share[s->shared++].hashed = h;
	}
}

/* The hashes of the table above, as far as they are known before the first of them is found. */
static void nsec3_foresee_all(struct query_ctx *q, struct lookup *l)
{
	const struct node *cut = l->place.node;
	const unsigned encloser = l->match.encloser;
	switch (l->place.kind) {
	case PLACE_NONE:
	case PLACE_WILDCARD:
		nsec3_foresee(q, l, dname_up(l->name, l->key.labels - encloser - 1));
		nsec3_foresee_shared(q, l, dname_up(l->name, l->key.labels - encloser), encloser,
				     false);
		nsec3_foresee_shared(q, l, l->wild_name.wire, encloser, true);
		break;
	case PLACE_NODE:
	case PLACE_EMPTY:
		nsec3_foresee(q, l, l->name);
		break;
	case PLACE_CUT:
		if (node_find(cut, RRTYPE_DS) == NULL) {
			nsec3_foresee(q, l, cut->name);
			nsec3_foresee_shared(q, l, dname_up(cut->name, 1), cut->labels - 1U, false);
		}
		break;
	case PLACE_DNAME:
		break;
	}
}

void denial_foresee(struct query_ctx *q, struct lookup *l)
{
	if (l->version->denial == DENIAL_NSEC3) {
		nsec3_foresee_all(q, l);
	} else if (l->match.exact == NULL) {
		ahead_add(&q->ahead, tree_probe_before(&l->match, &l->key));
	}
}

void denial_foresee_records(struct query_ctx *q)
{
	for (unsigned i = 0; i < q->hashes.count; i++) {
		struct hashed *h = &q->hashes.hashed[i];
		hashed_see(q, h);
		if (h->node != NULL) {
			ahead_octets(h->node, NSEC3_NODE_OCTETS);
		}
	}
}

/* --- the kinds of proof ---------------------------------------------------------------------- */

void denial_nodata(struct query_ctx *q)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->at->version->denial == DENIAL_NSEC3) {
		(void)nsec3_encloser(q, q->at->name, q->at->key.labels);
	} else if (q->at->match.exact != NULL) {
		prove(q, q->at->match.exact, RRTYPE_NSEC);
	} else {
		nsec_cover_name(q);
	}
}

void denial_nxdomain(struct query_ctx *q)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->at->version->denial == DENIAL_NSEC3) {
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
	if (q->at->version->denial == DENIAL_NSEC3) {
		/* The encloser itself shows in the labels field of the RRSIG. */
		nsec3_cover(q,
			    dname_up(q->at->name, q->at->key.labels - q->at->match.encloser - 1U));
	} else {
		nsec_cover_name(q);
	}
}

void denial_wildcard_nodata(struct query_ctx *q)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->at->version->denial == DENIAL_NSEC3) {
		(void)nsec3_encloser(q, q->at->name, q->at->match.encloser);
		prove(q, nsec3_find(q, q->at->wild_name.wire)->node, RRTYPE_NSEC3);
	} else if (q->at->wild.exact != NULL) {
		prove(q, q->at->wild.exact, RRTYPE_NSEC);
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
	if (q->at->version->denial == DENIAL_NSEC3) {
		(void)nsec3_encloser(q, cut->name, cut->labels);
	} else {
		prove(q, cut, RRTYPE_NSEC);
	}
}

/* server/denial.c - proofs of what is not there: RFC 4035 §3.1.3 (NSEC), RFC 5155 §7.2 (NSEC3). */
#include "server/answer.h"

#include "signer/nsec3_hash.h"

static bool is_wanted(const struct query_ctx *q)
{
	return q->dnssec && q->version->secure && !q->truncated;
}

/* --- NSEC ------------------------------------------------------------------------------------ */

static void add_nsec(struct query_ctx *q, const struct node *n)
{
	if (n != NULL) {
		answer_add(q, SECTION_AUTHORITY, n, node_find(n, RRTYPE_NSEC));
	}
}

/* The node whose NSEC covers the name that @m was made for: the one before it in the chain. Glue has no
 * NSEC and may be plenty, so from there one goes to its cut at once. */
static const struct node *nsec_before(struct query_ctx *q, struct tree_match *m,
				      const struct dname_key *key)
{
	uint16_t flags;
	const struct node *n = tree_predecessor(m, key, &flags);
	if (n != NULL && (flags & NODE_NSEC) == 0) {
		const struct node *cut = NULL;
		(void)version_is_occluded(q->version, n->name, &cut);
		n = cut;
	}
	return n;
}

static void nsec_cover_name(struct query_ctx *q)
{
	add_nsec(q, nsec_before(q, &q->match, &q->key));
}

/* Covers *.<closest encloser>. */
static void nsec_cover_wildcard(struct query_ctx *q)
{
	static const uint8_t star[] = { 1, '*' };
	struct dname wild;
	const uint8_t *encloser = dname_up(q->name, q->key.labels - q->match.encloser);
	if (dname_prepend(&wild, star, encloser) != E_OK) {
		return; /* too long to exist */
	}
	dname_key_make(&q->proof_key, wild.wire);
	tree_find(&q->version->names, &q->proof_key, wild.wire, 0, &q->proof);
	add_nsec(q, nsec_before(q, &q->proof, &q->proof_key));
}

/* --- NSEC3 ----------------------------------------------------------------------------------- */

enum nsec3_how { NSEC3_MATCH, NSEC3_COVER };

/* Adds the record that matches or covers the hash of @name. False: there is none that matches. */
static bool add_nsec3(struct query_ctx *q, const uint8_t *name, enum nsec3_how how)
{
	const struct version *v = q->version;
	uint8_t hash[NSEC3_HASH_LEN];
	struct dname owner;
	if (nsec3_hash(q->sha1, &v->nsec3_param, name, hash) != E_OK ||
	    nsec3_owner(hash, v->apex.wire, &owner) != E_OK) {
		return false;
	}
	dname_key_make(&q->proof_key, owner.wire);
	tree_find(&v->nsec3, &q->proof_key, owner.wire, 0, &q->proof);
	const struct node *n = q->proof.exact;
	if (how == NSEC3_MATCH && n == NULL) {
		return false;
	}
	if (n == NULL) {
		n = tree_predecessor(&q->proof, &q->proof_key, NULL);
		if (n == NULL) { /* the chain is a ring */
			n = tree_last(&v->nsec3, &q->proof.cursor);
		}
	}
	if (n != NULL) {
		answer_add(q, SECTION_AUTHORITY, n, node_find(n, RRTYPE_NSEC3));
	}
	return true;
}

/* Closest provable encloser (RFC 5155 §7.2.1): the nearest ancestor of @name with at most @labels labels
 * that has a record, and cover for the name one label longer. Under opt-out it may lie above the closest
 * encloser. Returns its labels. */
static unsigned nsec3_encloser(struct query_ctx *q, const uint8_t *name, unsigned labels)
{
	unsigned all = dname_labels(name);
	while (!add_nsec3(q, dname_up(name, all - labels), NSEC3_MATCH)) {
		if (labels <= q->version->apex_labels) {
			break; /* a chain without its apex proves nothing */
		}
		labels--;
	}
	if (labels < all) {
		(void)add_nsec3(q, dname_up(name, all - labels - 1), NSEC3_COVER);
	}
	return labels;
}

static void nsec3_cover_wildcard(struct query_ctx *q, unsigned encloser)
{
	static const uint8_t star[] = { 1, '*' };
	struct dname wild;
	if (dname_prepend(&wild, star, dname_up(q->name, q->key.labels - encloser)) == E_OK) {
		(void)add_nsec3(q, wild.wire, NSEC3_COVER);
	}
}

/* The name is there; under opt-out it may have no record of its own. */
static void nsec3_match_or_encloser(struct query_ctx *q, const uint8_t *name)
{
	unsigned labels = dname_labels(name);
	if (!add_nsec3(q, name, NSEC3_MATCH) && labels > q->version->apex_labels) {
		(void)nsec3_encloser(q, name, labels - 1);
	}
}

/* --- the kinds of proof ---------------------------------------------------------------------- */

void denial_nodata(struct query_ctx *q)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->version->denial == DENIAL_NSEC3) {
		nsec3_match_or_encloser(q, q->name);
	} else if (q->match.exact != NULL) {
		add_nsec(q, q->match.exact);
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
		unsigned encloser = nsec3_encloser(q, q->name, q->match.encloser);
		nsec3_cover_wildcard(q, encloser);
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
		/* The next closer name is not there; the encloser shows in the RRSIG's labels. */
		(void)add_nsec3(q, dname_up(q->name, q->key.labels - q->match.encloser - 1U),
				NSEC3_COVER);
	} else {
		nsec_cover_name(q);
	}
}

void denial_wildcard_nodata(struct query_ctx *q, const struct node *wild)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->version->denial == DENIAL_NSEC3) {
		(void)nsec3_encloser(q, q->name, q->match.encloser);
		(void)add_nsec3(q, wild->name, NSEC3_MATCH);
	} else {
		add_nsec(q, wild);
		nsec_cover_name(q);
	}
}

void denial_no_ds(struct query_ctx *q, const struct node *cut)
{
	if (!is_wanted(q)) {
		return;
	}
	if (q->version->denial == DENIAL_NSEC3) {
		nsec3_match_or_encloser(q, cut->name);
	} else {
		add_nsec(q, cut);
	}
}

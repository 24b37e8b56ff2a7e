/* server/answer.c - follows a name through the zones: RFC 1034 §4.3.2, RFC 4592, RFC 6672, RFC 4035 §3.1.
 *
 *     cut above (or at, unless DS is asked)  -> referral
 *     DNAME above                            -> DNAME, made CNAME, go on with the new name
 *     the name is there                      -> its set; or CNAME, go on; or NODATA
 *     an empty non-terminal                  -> NODATA
 *     *.<closest encloser> is there          -> the same from the wildcard, owner is the name
 *     else                                   -> NXDOMAIN */
#include "server/answer.h"

#include "zones/base/epoch.h"
#include "zones/dns/rdata.h"

/* A set that must be in the response did not fit. */
static void truncate_response(struct query_ctx *q)
{
	q->truncated = true;
}

static bool is_there(const struct query_ctx *q, const struct node *n, const struct rrset *rs)
{
	for (unsigned i = 0; i < q->set_count; i++) {
		if (q->sets[i].node == n && q->sets[i].rs == rs) {
			return true;
		}
	}
	return false;
}

static void remember(struct query_ctx *q, const struct node *n, const struct rrset *rs)
{
	if (q->set_count < ANSWER_SETS_MAX) {
		q->sets[q->set_count++] = (struct answer_set){ n, rs };
	}
}

static enum response_sigs wanted_sigs(const struct query_ctx *q)
{
	return q->dnssec ? RESPONSE_WITH_SIGS : RESPONSE_NO_SIGS;
}

void answer_add(struct query_ctx *q, enum section section, const struct node *n,
		const struct rrset *rs)
{
	if (rs == NULL || q->truncated || is_there(q, n, rs)) {
		return;
	}
	struct response_owner owner = { n->name, 0 };
	if (!response_rrset(&q->response, section, &owner, rs, wanted_sigs(q))) {
		truncate_response(q);
		return;
	}
	remember(q, n, rs);
}

/* A set of the name at hand, which may have come from a wildcard. */
static void add_here(struct query_ctx *q, const struct node *n, const struct rrset *rs,
		     enum response_sigs sigs)
{
	struct response_owner owner = { q->name, q->pointer };
	if (q->truncated) {
		return;
	}
	if (!response_rrset(&q->response, SECTION_ANSWER, &owner, rs, sigs)) {
		truncate_response(q);
		return;
	}
	q->pointer = owner.pointer;
	remember(q, n, rs);
}

static void add_soa(struct query_ctx *q)
{
	const struct version *v = q->version;
	if (v->soa == NULL || q->truncated) {
		return;
	}
	struct response_owner owner = { v->apex_node->name, 0 };
	if (!response_rrset_ttl(&q->response, SECTION_AUTHORITY, &owner, v->soa, wanted_sigs(q),
				v->negative_ttl)) {
		truncate_response(q);
	}
}

/* --- referrals ------------------------------------------------------------------------------- */

static void refer(struct query_ctx *q, const struct node *cut)
{
	if (q->hops == 0) {
		q->authoritative = false;
	}
	answer_add(q, SECTION_AUTHORITY, cut, node_find(cut, RRTYPE_NS));
	if (q->dnssec && q->version->secure) {
		const struct rrset *ds = node_find(cut, RRTYPE_DS);
		if (ds != NULL) {
			answer_add(q, SECTION_AUTHORITY, cut, ds);
		} else {
			denial_no_ds(q, cut);
		}
	}
	q->cut = cut;
}

/* --- chains ---------------------------------------------------------------------------------- */

/* Goes on with @target, if one of our zones has it. False: the chain ends here. */
static bool go_on(struct query_ctx *q, const uint8_t *target)
{
	if (++q->hops >= ANSWER_HOPS_MAX || q->truncated) {
		return false;
	}
	q->name = target;
	q->pointer = 0;
	dname_key_make(&q->key, target);
	const struct zone *z = zoneset_find(q->env->zones, &q->key, target, q->qtype == RRTYPE_DS);
	if (z == NULL && q->qtype == RRTYPE_DS) {
		z = zoneset_find(q->env->zones, &q->key, target, false);
	}
	const struct version *v = z != NULL ? epoch_read(&z->current) : NULL;
	if (v == NULL) {
		return false;
	}
	q->version = v;
	return true;
}

static bool follow_cname(struct query_ctx *q, const struct node *n, const struct rrset *cname)
{
	struct rr rr;
	if (is_there(q, n, cname)) {
		return false; /* a loop */
	}
	add_here(q, n, cname, wanted_sigs(q));
	(void)rr_read(rrset_data(cname), &rr);
	return go_on(q, rr.rdata);
}

static bool follow_dname(struct query_ctx *q, const struct node *n)
{
	const struct rrset *rs = node_find(n, RRTYPE_DNAME);
	struct dname *made = &q->made[q->hops];
	struct rr rr;
	/* A DNAME may be gone through several times on the way; its set stands once. */
	answer_add(q, SECTION_ANSWER, n, rs);
	(void)rr_read(rrset_data(rs), &rr);
	if (dname_replace(made, q->name, n->name, rr.rdata) != E_OK) {
		q->rcode = RCODE_YXDOMAIN; /* RFC 6672 §2.2 */
		return false;
	}
	struct response_owner owner = { q->name, q->pointer };
	if (!q->truncated && !response_name_rr(&q->response, SECTION_ANSWER, &owner, RRTYPE_CNAME,
					       rr.ttl, made->wire)) {
		truncate_response(q);
	}
	return q->qtype != RRTYPE_CNAME && go_on(q, made->wire);
}

/* --- names that are there -------------------------------------------------------------------- */

/* RFC 8482 §4.1: one set stands for all; the first that is not about DNSSEC, if there is one. */
static const struct rrset *any_set(const struct node *n)
{
	const struct rrset *rs = node_rrsets(n);
	const struct rrset *other = NULL;
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].count == 0) {
			continue;
		}
		if (rs[i].type != RRTYPE_NSEC && rs[i].type != RRTYPE_NSEC3) {
			return &rs[i];
		}
		other = &rs[i];
	}
	return other;
}

/* All signatures of the name, as the records that they are. False: there are none. */
static bool add_all_sigs(struct query_ctx *q, const struct node *n)
{
	const struct rrset *rs = node_rrsets(n);
	bool any = false;
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].sigs != 0) {
			add_here(q, n, &rs[i], RESPONSE_ONLY_SIGS);
			any = true;
		}
	}
	return any;
}

static void no_data(struct query_ctx *q, const struct node *wild)
{
	add_soa(q);
	if (wild != NULL) {
		denial_wildcard_nodata(q, wild);
	} else {
		denial_nodata(q);
	}
}

/* Answers from node @n; @wild: it is the wildcard that the name is made from. True: the chain goes on
 * with another name. */
static bool answer_node(struct query_ctx *q, const struct node *n, bool wild)
{
	const struct rrset *rs = NULL;
	bool found = false;
	if (q->qtype == RRTYPE_RRSIG) {
		found = add_all_sigs(q, n);
	} else {
		rs = q->qtype == RRTYPE_ANY ? any_set(n) : node_find(n, q->qtype);
		if (rs != NULL) {
			add_here(q, n, rs, wanted_sigs(q));
			found = true;
		}
	}
	const struct rrset *cname = found ? NULL : node_find(n, RRTYPE_CNAME);
	if (!found && cname == NULL) {
		no_data(q, wild ? n : NULL);
		return false;
	}
	if (wild) {
		q->wild[q->wild_count++] = (struct answer_wild){ q->version, q->name };
	}
	return cname != NULL && follow_cname(q, n, cname);
}

/* The wildcard that may stand for the name at hand, or NULL. */
static const struct node *find_wildcard(struct query_ctx *q)
{
	static const uint8_t star[] = { 1, '*' };
	struct dname wild;
	const uint8_t *encloser = dname_up(q->name, q->key.labels - q->match.encloser);
	if (dname_prepend(&wild, star, encloser) != E_OK) {
		return NULL;
	}
	dname_key_make(&q->proof_key, wild.wire);
	return tree_get(&q->version->names, &q->proof_key, wild.wire, NULL);
}

/* One name in one zone. True: the chain goes on with q->name in q->version. */
static bool answer_name(struct query_ctx *q)
{
	struct tree_match *m = &q->match;
	tree_find(&q->version->names, &q->key, q->name, NODE_CUT | NODE_DNAME, m);
	for (unsigned i = 0; i < m->ancestors; i++) {
		const struct tree_ancestor *a = &m->ancestor[i];
		bool here = a->labels == q->key.labels;
		if ((a->flags & NODE_CUT) != 0 && !(here && q->qtype == RRTYPE_DS)) {
			refer(q, a->leaf);
			return false;
		}
		if ((a->flags & NODE_DNAME) != 0 && !here) {
			return follow_dname(q, a->leaf);
		}
	}
	if (m->exact != NULL) {
		return answer_node(q, m->exact, false);
	}
	if (m->encloser == q->key.labels) { /* an empty non-terminal (RFC 8020) */
		no_data(q, NULL);
		return false;
	}
	const struct node *wild = find_wildcard(q);
	if (wild != NULL) {
		return answer_node(q, wild, true);
	}
	q->rcode = RCODE_NXDOMAIN;
	add_soa(q);
	denial_nxdomain(q);
	return false;
}

/* The proofs for wildcards on the way (RFC 4035 §3.1.3.3, RFC 5155 §7.2.6). */
static void prove_wildcards(struct query_ctx *q)
{
	const struct version *end = q->version;
	for (unsigned i = 0; i < q->wild_count && q->dnssec; i++) {
		q->version = q->wild[i].version;
		q->name = q->wild[i].name;
		dname_key_make(&q->key, q->name);
		tree_find(&q->version->names, &q->key, q->name, NODE_CUT | NODE_DNAME, &q->match);
		denial_wildcard(q);
	}
	q->version = end;
}

void answer_query(struct query_ctx *q, const struct version *v)
{
	q->version = v;
	q->authoritative = true;
	q->hops = 0;
	q->cut = NULL;
	q->wild_count = 0;
	while (answer_name(q)) {
	}
	prove_wildcards(q);
	additional_add(q, q->cut);
}

/* server/answer.c - follows a name through the zones: RFC 1034 §4.3.2, RFC 4592, RFC 6672, RFC 4035 §3.1.
 *
 *     lookup.c finds the place of the name      no zone: REFUSED, at the end of a chain: stop
 *       a cut                    -> referral
 *       a DNAME                  -> DNAME, made CNAME, go on with the new name
 *       the name, a wildcard     -> its set; or CNAME, go on; or NODATA
 *       an empty non-terminal    -> NODATA
 *       nothing                  -> NXDOMAIN
 *       |
 *     authority: SOA, or NS and DS, and the proofs collected on the way; then additional */
#include "server/answer.h"

#include "zones/dns/rdata.h"

/* --- adding ---------------------------------------------------------------------------------- */

void answer_truncate(struct query_ctx *q)
{
	q->is_truncated = true;
}

static bool is_there(const struct query_ctx *q, const struct rrset *rs)
{
	for (unsigned i = 0; i < q->set_count; i++) {
		if (q->sets[i].rs == rs && !q->sets[i].is_made) {
			return true;
		}
	}
	return false;
}

static void remember(struct query_ctx *q, const struct node *n, const struct rrset *rs,
		     bool is_made)
{
	if (q->set_count < ANSWER_SETS_MAX) {
		q->sets[q->set_count++] = (struct answer_set){ n, rs, is_made };
	}
}

static enum response_sigs wanted_sigs(const struct query_ctx *q)
{
	return q->dnssec ? RESPONSE_WITH_SIGS : RESPONSE_NO_SIGS;
}

/* Where the question has the name of @n: of a node above the name that was asked for, or of that name. 0: nowhere, as
 * an alias was followed. */
static uint16_t pointer_to(const struct query_ctx *q, const struct node *n)
{
	if (q->hops != 0) {
		return 0;
	}
	const uint8_t *tail = dname_up(q->at->name, (unsigned)q->at->key.labels - n->labels);
	return (uint16_t)(RESPONSE_QNAME + (tail - q->at->name));
}

bool answer_add(struct query_ctx *q, enum section section, const struct node *n,
		const struct rrset *rs)
{
	const bool is_cut = q->end == END_REFERRAL && n == q->cut;
	struct response_owner owner = { n->name, is_cut ? pointer_to(q, n) : 0 };
	if (is_there(q, rs)) {
		return true;
	}
	if (!response_rrset(&q->response, section, &owner, rs, wanted_sigs(q))) {
		return false;
	}
	remember(q, n, rs, false);
	return true;
}

bool answer_add_made(struct query_ctx *q, const struct node *n, const struct rrset *rs)
{
	struct response_owner owner = { q->at->name, q->pointer };
	for (unsigned i = 0; i < q->set_count; i++) {
		if (q->sets[i].rs == rs && q->sets[i].is_made) {
			return true;
		}
	}
	if (q->set_count == ANSWER_SETS_MAX ||
	    !response_rrset(&q->response, SECTION_ADDITIONAL, &owner, rs, wanted_sigs(q))) {
		return false;
	}
	remember(q, n, rs, true);
	return true;
}

/* A set that the response is incomplete without. */
static void add_needed(struct query_ctx *q, enum section section, const struct node *n,
		       const struct rrset *rs)
{
	if (rs != NULL && !q->is_truncated && !answer_add(q, section, n, rs)) {
		answer_truncate(q);
	}
}

/* A set of the name at hand, from its node or from the wildcard @n. */
static void add_here(struct query_ctx *q, const struct node *n, const struct rrset *rs,
		     enum response_sigs sigs)
{
	struct response_owner owner = { q->at->name, q->pointer };
	bool is_made = q->at->match.exact != n;
	if (q->is_truncated) {
		return;
	}
	/* A DNAME on the way may be what is asked for at its end. */
	if (!is_made && is_there(q, rs) && (q->dnssec || sigs != RESPONSE_ONLY_SIGS)) {
		return;
	}
	if (!response_rrset(&q->response, SECTION_ANSWER, &owner, rs, sigs)) {
		answer_truncate(q);
		return;
	}
	q->pointer = owner.pointer;
	if (sigs != RESPONSE_ONLY_SIGS) {
		remember(q, n, rs, is_made);
	}
}

/* --- the zone and the place in it ------------------------------------------------------------ */

/* Finds the place of the name at hand. False: there is no zone, or it cannot be served; rcode says so. */
static bool locate(struct query_ctx *q)
{
	switch (lookup_find(q->at)) {
	case LOOKUP_FOUND:
		return true;
	case LOOKUP_NO_ZONE:
		q->rcode = RCODE_REFUSED;
		if (q->hops == 0) {
			opt_explain(q, EDNS_ERROR_NOT_AUTHORITATIVE, NULL);
		}
		return false;
	case LOOKUP_NOT_READY:
		break;
	}
	q->rcode = RCODE_SERVFAIL;
	opt_explain(q, EDNS_ERROR_NOT_READY, "zone is not loaded");
	return false;
}

/* --- chains ---------------------------------------------------------------------------------- */

/* Goes on with @target. False: the chain ends here, at a loop or at the limit. */
static bool go_on(struct query_ctx *q, const uint8_t *target)
{
	if (q->is_truncated) {
		return false;
	}
	if (q->hops == ANSWER_HOPS_MAX) {
		opt_explain(q, EDNS_ERROR_OTHER, "too many aliases, ask again for the last one");
		return false;
	}
	for (unsigned i = 0; i <= q->hops; i++) {
		if (dname_equal(q->names[i], target)) {
			opt_explain(q, EDNS_ERROR_OTHER, "aliases lead in a circle");
			return false;
		}
	}
	q->names[++q->hops] = target;
	q->pointer = 0;
	lookup_begin(q->at, q->env->zones, target, q->qtype);
	return true;
}

static bool follow_cname(struct query_ctx *q, const struct node *n, const struct rrset *cname)
{
	struct rr rr;
	add_here(q, n, cname, wanted_sigs(q));
	(void)rr_read(rrset_data(cname), &rr);
	return go_on(q, rr.rdata);
}

static bool follow_dname(struct query_ctx *q, const struct node *n)
{
	const struct rrset *rs = node_find(n, RRTYPE_DNAME);
	struct rr rr;
	if (rs == NULL) {
		return false;
	}
	/* A DNAME may be gone through several times on the way; its set stands once. */
	add_needed(q, SECTION_ANSWER, n, rs);
	(void)rr_read(rrset_data(rs), &rr);
	struct dname *made = &q->made[q->hops];
	if (dname_replace(made, q->at->name, n->name, rr.rdata) != E_OK) {
		q->rcode = RCODE_YXDOMAIN; /* RFC 6672 §2.2 */
		return false;
	}
	struct response_owner owner = { q->at->name, q->pointer };
	if (!q->is_truncated && !response_cname(&q->response, &owner, rr.ttl, made->wire)) {
		answer_truncate(q);
	}
	return q->qtype != RRTYPE_CNAME && go_on(q, made->wire);
}

/* --- the kinds of answer --------------------------------------------------------------------- */

static bool refer(struct query_ctx *q, const struct node *cut)
{
	if (q->hops == 0) {
		q->is_authoritative = false;
	}
	q->end = END_REFERRAL;
	q->cut = cut;
	if (node_find(cut, RRTYPE_DS) == NULL) {
		denial_no_ds(q, cut);
	}
	return false;
}

/* RFC 8482 §4.1: one set stands for all; the first that is not about DNSSEC, if there is one. */
static const struct rrset *any_set(const struct node *n)
{
	const struct rrset *rs = node_rrsets(n);
	const struct rrset *other = NULL;
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].count == 0) {
			continue;
		}
		if (rs[i].type != RRTYPE_NSEC) {
			return &rs[i];
		}
		other = &rs[i];
	}
	return other;
}

/* The signatures of one set stand for all, as with ANY. False: there are none. */
static bool add_sigs(struct query_ctx *q, const struct node *n)
{
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].sigs != 0) {
			add_here(q, n, &rs[i], RESPONSE_ONLY_SIGS);
			return true;
		}
	}
	return false;
}

/* Adds what was asked for, if @n has it. */
static bool add_asked(struct query_ctx *q, const struct node *n)
{
	if (q->qtype == RRTYPE_RRSIG) {
		return add_sigs(q, n);
	}
	const struct rrset *rs = q->qtype == RRTYPE_ANY ? any_set(n) : node_find(n, q->qtype);
	if (rs == NULL) {
		return false;
	}
	add_here(q, n, rs, wanted_sigs(q));
	return true;
}

/* Answers from the name's own node, or from the wildcard. True: the chain goes on. */
static bool answer_from(struct query_ctx *q, const struct place *at)
{
	const struct node *n = at->node;
	bool is_wild = at->kind == PLACE_WILDCARD;
	bool is_found = n != NULL && add_asked(q, n);
	const struct rrset *cname = !is_found && n != NULL ? node_find(n, RRTYPE_CNAME) : NULL;
	if (!is_found && cname == NULL) {
		q->end = END_NEGATIVE;
		if (is_wild) {
			denial_wildcard_nodata(q);
		} else {
			denial_nodata(q);
		}
		return false;
	}
	if (is_wild) {
		denial_wildcard(q);
	}
	return cname != NULL && follow_cname(q, n, cname);
}

void answer_foresee(struct query_ctx *q, struct lookup *l, bool dnssec)
{
	const struct node *n = l->place.node;
	const struct rrset *rs = NULL;
	if (l->place.kind == PLACE_NODE || l->place.kind == PLACE_WILDCARD) {
		rs = n != NULL ? node_find(n, l->qtype) : NULL;
		rs = rs == NULL && n != NULL ? node_find(n, RRTYPE_CNAME) : rs;
	} else if (l->place.kind == PLACE_CUT) {
		rs = node_find(n, RRTYPE_NS);
	}
	if (rs != NULL) {
		ahead_rrset(rs);
	}
	if (dnssec && l->version->denial != DENIAL_NONE &&
	    (rs == NULL || l->place.kind != PLACE_NODE)) {
		denial_foresee(q, l);
	}
}

/* One name in one zone. True: the chain goes on with another name. */
static bool answer_name(struct query_ctx *q)
{
	const struct lookup *l = q->at;
	const struct place *at = &l->place;
	if (!locate(q)) {
		if (q->hops != 0) {
			q->rcode = RCODE_NOERROR; /* the chain leads out of what is served here */
		}
		return false;
	}
	if (q->hops == 0) {
		q->is_authoritative = true;
		q->asked_zone = l->zone;
		q->asked_version = l->version;
	}
	switch (at->kind) {
	case PLACE_CUT:
		return refer(q, at->node);
	case PLACE_DNAME:
		return follow_dname(q, at->node);
	case PLACE_NONE:
		q->rcode = RCODE_NXDOMAIN; /* of the last name of a chain: RFC 6604 §3 */
		q->end = END_NEGATIVE;
		denial_nxdomain(q);
		return false;
	case PLACE_NODE:
	case PLACE_EMPTY:
	case PLACE_WILDCARD:
		break;
	}
	return answer_from(q, at);
}

/* --- authority ------------------------------------------------------------------------------- */

static void add_soa(struct query_ctx *q)
{
	const struct version *v = q->at->version;
	struct response_owner owner = { v->apex_node->name, pointer_to(q, v->apex_node) };
	if (!q->is_truncated && !response_negative(&q->response, &owner, v->soa, &v->soa_names,
						   wanted_sigs(q), v->negative_ttl)) {
		answer_truncate(q);
	}
}

static void add_authority(struct query_ctx *q)
{
	if (q->end == END_NEGATIVE) {
		add_soa(q);
	} else if (q->end == END_REFERRAL) {
		const struct rrset *ds = node_find(q->cut, RRTYPE_DS);
		add_needed(q, SECTION_AUTHORITY, q->cut, node_find(q->cut, RRTYPE_NS));
		/* Without a signature, as in a zone that is not signed, it says nothing. */
		if (q->dnssec && ds != NULL && ds->sigs != 0) {
			add_needed(q, SECTION_AUTHORITY, q->cut, ds);
		}
	}
	for (unsigned i = 0; i < q->proof_count; i++) {
		add_needed(q, SECTION_AUTHORITY, q->proofs[i].node, q->proofs[i].rs);
	}
}

/* The servers of the zone, for resolvers that like to hear of them: left out where there is no room. ANY is kept
 * small, and signatures that were asked for may be those of this set already. */
static void add_servers(struct query_ctx *q)
{
	const struct version *v = q->at->version;
	if (q->qtype == RRTYPE_ANY || q->qtype == RRTYPE_RRSIG) {
		return;
	}
	const struct rrset *ns = node_find(v->apex_node, RRTYPE_NS);
	if (ns != NULL && !q->is_truncated && q->rcode == RCODE_NOERROR) {
		(void)answer_add(q, SECTION_AUTHORITY, v->apex_node, ns);
	}
}

void answer_query(struct query_ctx *q)
{
	while (answer_name(q)) {
	}
	if (!q->is_authoritative && q->end != END_REFERRAL) {
		return; /* no zone */
	}
	if (q->is_unprovable) {
		response_reset(&q->response);
		q->rcode = RCODE_SERVFAIL;
		q->is_authoritative = false;
		opt_explain(q, EDNS_ERROR_OTHER, "NSEC3 hash collision");
		return;
	}
	add_authority(q);
	if (q->end == END_POSITIVE && q->env->config->full) {
		opt_keep_room(q);
		add_servers(q);
	}
	additional_add(q);
}

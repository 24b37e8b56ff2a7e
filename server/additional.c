/* server/additional.c - addresses of the names that an answer mentions. */
#include "server/answer.h"

#include "zones/dns/rdata.h"

/* Adds one address set; false: no room. */
static bool add_set(struct query_ctx *q, const struct node *n, uint16_t type, bool is_glue)
{
	const struct rrset *rs = node_find(n, type);
	struct response_owner owner = { n->name, 0 };
	if (rs == NULL) {
		return true;
	}
	for (unsigned i = 0; i < q->set_count; i++) {
		if (q->sets[i].rs == rs) {
			return true;
		}
	}
	enum response_sigs sigs = q->dnssec && !is_glue ? RESPONSE_WITH_SIGS : RESPONSE_NO_SIGS;
	if (!response_rrset(&q->response, SECTION_ADDITIONAL, &owner, rs, sigs)) {
		return false;
	}
	if (q->set_count < ANSWER_SETS_MAX) {
		q->sets[q->set_count++] = (struct answer_set){ n, rs };
	}
	return true;
}

/* Adds the addresses of @target if the zone has them. @cut: of the referral, or NULL. */
static bool add_target(struct query_ctx *q, const uint8_t *target, const struct node *cut)
{
	const struct version *v = q->version;
	if (!dname_is_under(target, v->apex.wire)) {
		return true;
	}
	dname_key_make(&q->proof_key, target);
	tree_find(&v->names, &q->proof_key, target, NODE_CUT | NODE_DNAME, &q->proof);
	const struct node *n = q->proof.exact;
	if (n == NULL) {
		return true;
	}
	/* Below a cut it is glue: right for a referral, no business of other answers. */
	bool is_glue = false;
	for (unsigned i = 0; i < q->proof.ancestors; i++) {
		is_glue = is_glue || (q->proof.ancestor[i].flags & NODE_CUT) != 0;
	}
	if (is_glue && cut == NULL) {
		return true;
	}
	return add_set(q, n, RRTYPE_A, is_glue) && add_set(q, n, RRTYPE_AAAA, is_glue);
}

static void add_targets(struct query_ctx *q, const struct rrset *rs, const struct node *cut,
			bool in_domain)
{
	const uint8_t *p = rrset_data(rs);
	for (unsigned i = 0; i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		const uint8_t *target = rdata_additional_name(rr.type, rr.rdata, rr.rdlen);
		if (target == NULL ||
		    (cut != NULL && dname_is_under(target, cut->name) != in_domain)) {
			continue;
		}
		if (!add_target(q, target, cut)) {
			q->truncated = q->truncated || (cut != NULL && in_domain);
			return;
		}
	}
}

void additional_add(struct query_ctx *q, const struct node *cut)
{
	if (q->truncated) {
		return;
	}
	if (cut != NULL) {
		const struct rrset *ns = node_find(cut, RRTYPE_NS);
		if (ns != NULL) {
			add_targets(q, ns, cut, true);
			add_targets(q, ns, cut, false);
		}
		return;
	}
	unsigned count = q->set_count;
	for (unsigned i = 0; i < count; i++) {
		const struct rrset *rs = q->sets[i].rs;
		if ((rrtype_flags(rs->type) & RR_ADDITIONAL) != 0 &&
		    (q->sets[i].node->flags & NODE_CUT) == 0) {
			add_targets(q, rs, NULL, false);
		}
	}
}

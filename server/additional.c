/* server/additional.c - what goes with an answer: addresses of the names that it mentions, and what else
 * saves the client the next question.
 *
 * For a referral the glue under the delegated name comes first: without it the delegation does not
 * work, so where it does not fit the response is truncated (RFC 9471). All else is a kindness: it
 * is left out where there is no room. */
#include "server/answer.h"

#include "zones/base/epoch.h"
#include "zones/dns/rdata.h"

/* Whose sets are looked for, and which. */
struct want {
	const struct version *version;
	const uint8_t *name;
	unsigned what;	/* RDATA_WANTS_* */
	uint16_t same;	/* the type of RDATA_WANTS_SAME */
	bool is_needed; /* else left out rather than listed twice or past the table of sets */
};

static bool add_set(struct query_ctx *q, const struct want *want, const struct node *n,
		    uint16_t type)
{
	const struct rrset *rs = node_find(n, type);
	if (rs == NULL) {
		return true;
	}
	if (!want->is_needed && q->set_count == ANSWER_SETS_MAX) {
		return false;
	}
	return answer_add(q, SECTION_ADDITIONAL, n, rs);
}

/* Adds what the node has of @what. False: no room. */
static bool add_wanted(struct query_ctx *q, const struct want *want, const struct node *n,
		       unsigned what)
{
	if ((what & RDATA_WANTS_SRV) != 0 && !add_set(q, want, n, RRTYPE_SRV)) {
		return false;
	}
	if ((what & RDATA_WANTS_SAME) != 0 && !add_set(q, want, n, want->same)) {
		return false;
	}
	return (what & RDATA_WANTS_ADDRESSES) == 0 ||
	       (add_set(q, want, n, RRTYPE_A) && add_set(q, want, n, RRTYPE_AAAA));
}

/* Adds data of the zone, or glue. False: no room. */
static bool add_of_name(struct query_ctx *q, const struct want *want)
{
	struct tree_match *m = &q->other;
	unsigned what = want->what;
	dname_key_make(&q->other_key, want->name);
	tree_find(&want->version->names, &q->other_key, want->name, NODE_DNAME | NODE_CUT, m);
	if (m->exact == NULL) {
		return true;
	}
	for (unsigned i = 0; i < m->ancestors; i++) {
		const struct tree_ancestor *a = &m->ancestor[i];
		if ((a->flags & NODE_DNAME) != 0 && a->labels < q->other_key.labels) {
			return true; /* below a DNAME nothing is there (RFC 6672 §2.4) */
		}
		if ((a->flags & NODE_CUT) != 0) {
			what &= RDATA_WANTS_ADDRESSES; /* glue; all else is the child's to say */
		}
	}
	return add_wanted(q, want, m->exact, what);
}

/* The zone that knows @name best, or NULL. */
static const struct version *version_for(struct query_ctx *q, const uint8_t *name)
{
	if (!zoneset_may_have(q->env->zones, name)) {
		return NULL; /* as most servers of delegations are */
	}
	dname_key_make(&q->other_key, name);
	const struct zone *z = zoneset_find(q->env->zones, &q->other_key, name, false);
	return z != NULL ? epoch_read(&z->current) : NULL;
}

static bool is_below_cut(const struct query_ctx *q, const uint8_t *name)
{
	return q->end == END_REFERRAL && dname_is_under(name, q->cut->name);
}

/* What the owner of @set has beside it. An owner made from a wildcard is the name at the end of the chain: only
 * there stands what was asked for. False: no room. */
static bool add_of_owner(struct query_ctx *q, const struct answer_set *set)
{
	static const uint16_t types[] = { RRTYPE_A, RRTYPE_AAAA };
	for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
		const struct rrset *rs = node_find(set->node, types[i]);
		if (q->set_count == ANSWER_SETS_MAX) {
			return false;
		}
		bool fits = rs == NULL ||
			    (set->is_made ? answer_add_made(q, set->node, rs)
					  : answer_add(q, SECTION_ADDITIONAL, set->node, rs));
		if (!fits) {
			return false;
		}
	}
	return true;
}

/* Adds what the records of @set want. False: no room. */
static bool add_targets(struct query_ctx *q, const struct answer_set *set)
{
	const struct rrset *rs = set->rs;
	const uint8_t *p = rrset_data(rs);
	struct rr rr;
	for (unsigned i = 0; i < rs->count; i++) {
		p = rr_read(p, &rr);
		const uint8_t *name = NULL;
		unsigned what = rdata_wants(rr.type, rr.rdata, rr.rdlen, &name);
		if (what != 0 && name == NULL) {
			if (!add_of_owner(q, set)) {
				return false;
			}
			continue;
		}
		const struct version *v = what != 0 ? version_for(q, name) : NULL;
		if (v == NULL || is_below_cut(q, name)) {
			continue;
		}
		const struct want want = { v, name, what, rr.type, false };
		if (!add_of_name(q, &want)) {
			return false;
		}
	}
	return true;
}

/* The glue of a referral whose names are under the cut itself. */
static void add_needed_glue(struct query_ctx *q)
{
	const struct rrset *ns = node_find(q->cut, RRTYPE_NS);
	const uint8_t *p = ns != NULL ? rrset_data(ns) : NULL;
	struct rr rr;
	for (unsigned i = 0; p != NULL && i < ns->count; i++) {
		p = rr_read(p, &rr);
		const struct want want = { q->at->version, rr.rdata, RDATA_WANTS_ADDRESSES, 0,
					   true };
		if (is_below_cut(q, rr.rdata) && !add_of_name(q, &want)) {
			answer_truncate(q);
			return;
		}
	}
}

/* Adds what the sets from @from to @to want. False: no room. */
static bool add_for_sets(struct query_ctx *q, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		const struct answer_set set = q->sets[i];
		if ((rrtype_flags(set.rs->type) & RR_ADDITIONAL) != 0 && !add_targets(q, &set)) {
			return false;
		}
	}
	return true;
}

void additional_add(struct query_ctx *q)
{
	if (q->is_truncated) {
		return;
	}
	if (q->end == END_REFERRAL) {
		add_needed_glue(q);
	} else if (q->qtype == RRTYPE_ANY) {
		return; /* kept small (RFC 8482) */
	}
	opt_keep_room(q);
	/* What is added may mention names itself: the SRV set of a NAPTR, the target of an alias. It is followed one
	 * step; a long chain is the client's to walk. */
	const unsigned first = q->set_count;
	if (!q->is_truncated && add_for_sets(q, 0, first)) {
		(void)add_for_sets(q, first, q->set_count);
	}
}

/* server/additional.c - addresses of the names that an answer mentions.
 *
 * For a referral the glue under the delegated name comes first: without it the delegation does not
 * work, so where it does not fit the response is truncated (RFC 9471). All else is a kindness: it
 * is left out where there is no room. */
#include "server/answer.h"

#include "zones/base/epoch.h"
#include "zones/dns/rdata.h"

/* Whose addresses are looked for. */
struct want {
	const struct version *version;
	const uint8_t *name;
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

/* Adds addresses that are data of the zone, or glue. False: no room. */
static bool add_addresses(struct query_ctx *q, const struct want *want)
{
	struct tree_match *m = &q->other;
	dname_key_make(&q->other_key, want->name);
	tree_find(&want->version->names, &q->other_key, want->name, NODE_DNAME, m);
	if (m->exact == NULL) {
		return true;
	}
	for (unsigned i = 0; i < m->ancestors; i++) {
		const struct tree_ancestor *a = &m->ancestor[i];
		if ((a->flags & NODE_DNAME) != 0 && a->labels < q->other_key.labels) {
			return true; /* below a DNAME nothing is there (RFC 6672 §2.4) */
		}
	}
	return add_set(q, want, m->exact, RRTYPE_A) && add_set(q, want, m->exact, RRTYPE_AAAA);
}

/* The zone that knows @name best, or NULL. */
static const struct version *version_for(struct query_ctx *q, const uint8_t *name)
{
	dname_key_make(&q->other_key, name);
	const struct zone *z = zoneset_find(q->env->zones, &q->other_key, name, false);
	return z != NULL ? epoch_read(&z->current) : NULL;
}

static bool is_below_cut(const struct query_ctx *q, const uint8_t *name)
{
	return q->end == END_REFERRAL && dname_is_under(name, q->cut->name);
}

/* Adds the addresses of the names in @rs. False: no room. */
static bool add_targets(struct query_ctx *q, const struct rrset *rs)
{
	const uint8_t *p = rrset_data(rs);
	struct rr rr;
	for (unsigned i = 0; i < rs->count; i++) {
		p = rr_read(p, &rr);
		const uint8_t *name = rdata_additional_name(rr.type, rr.rdata, rr.rdlen);
		if (name == NULL || is_below_cut(q, name)) {
			continue;
		}
		const struct want want = { version_for(q, name), name, false };
		if (want.version != NULL && !add_addresses(q, &want)) {
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
		const struct want want = { q->version, rr.rdata, true };
		if (is_below_cut(q, rr.rdata) && !add_addresses(q, &want)) {
			answer_truncate(q);
			return;
		}
	}
}

void additional_add(struct query_ctx *q)
{
	if (q->is_truncated || q->qtype == RRTYPE_ANY) {
		return; /* ANY is kept small (RFC 8482) */
	}
	if (q->end == END_REFERRAL) {
		add_needed_glue(q);
	}
	const unsigned count = q->set_count; /* what is added here mentions nobody */
	for (unsigned i = 0; i < count && !q->is_truncated; i++) {
		if ((rrtype_flags(q->sets[i].rs->type) & RR_ADDITIONAL) != 0 &&
		    !add_targets(q, q->sets[i].rs)) {
			return;
		}
	}
}

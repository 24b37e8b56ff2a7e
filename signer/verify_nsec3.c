/* signer/verify_nsec3.c - the NSEC3 chains (RFC 5155 §7.1).
 *
 * The tree of NSEC3 owners is in order of the hashes already, so a chain is an array that is searched
 * by hash: a name finds its own record there, or the one that covers it. Each record that a name
 * found is marked; at the end those without a mark are strays. */
#include "signer/sign.h"
#include "signer/verify_run.h"
#include "zones/base/mem.h"
#include "zones/dns/rdata.h"

/* --- reading --------------------------------------------------------------------------------- */

static void read_param(struct verify_run *run, struct verify_worker *w, const struct rr *rr)
{
	struct nsec3_param p;
	if (nsec3_param_read(rr->rdata, rr->rdlen, &p) != E_OK || p.algorithm != NSEC3_SHA1) {
		verify_report(w, VERIFY_NSEC3_PARAM,
			      "unknown hash algorithm: nobody uses the chain");
		return;
	}
	if (p.flags != 0) { /* §4.1.2 */
		verify_report(w, VERIFY_NSEC3_PARAM, "flags are %u, not 0: servers pass it over",
			      p.flags);
		return;
	}
	if (p.iterations > VERIFY_ITERATIONS_MAX) {
		verify_report(w, VERIFY_NSEC3_LIMIT, "%u iterations, more than %d; use 0",
			      p.iterations, VERIFY_ITERATIONS_MAX);
		return;
	}
	if (run->chain_count == VERIFY_CHAINS_MAX) {
		verify_report(w, VERIFY_NSEC3_LIMIT, "more than %d chains", VERIFY_CHAINS_MAX);
		return;
	}
	if (p.iterations > SIGN_ITERATIONS_MAX) {
		verify_report(w, VERIFY_NSEC3_ITERATIONS,
			      "%u iterations: validators take the zone for unsigned; use 0",
			      p.iterations);
	} else if (p.iterations != 0) {
		verify_report(w, VERIFY_NSEC3_ITERATIONS,
			      "%u iterations cost time and protect nothing; use 0", p.iterations);
	}
	run->chains[run->chain_count++].param = p;
}

static void chain_add(struct verify_chain *c, const struct verify_nsec3 *r)
{
	if (c->count == c->cap) {
		c->cap = c->cap != 0 ? c->cap * 2 : 64;
		c->records = mem_realloc(c->records, c->cap, sizeof(*c->records));
	}
	c->records[c->count++] = *r;
}

static void read_record(struct verify_run *run, struct verify_worker *w, const struct node *n,
			const struct rr *rr)
{
	struct nsec3 n3;
	struct verify_nsec3 r = { .node = n };
	if (n->labels != run->v->apex_labels + 1U || nsec3_owner_hash(n->name, r.hash) != E_OK) {
		verify_report(w, VERIFY_NSEC3_STRAY, "the owner is no hash right below the apex");
		return;
	}
	if (nsec3_read(rr->rdata, rr->rdlen, &n3) != E_OK) {
		verify_report(w, VERIFY_NSEC3_STRAY, "the next hash is none of SHA-1");
		return;
	}
	struct verify_chain *c = NULL;
	for (size_t i = 0; i < run->chain_count && c == NULL; i++) {
		if (nsec3_param_same(&run->chains[i].param, &n3.param)) {
			c = &run->chains[i];
		}
	}
	if (c == NULL) {
		verify_report(w, VERIFY_NSEC3_STRAY, "no NSEC3PARAM record has its parameters");
		return;
	}
	if (c->count != 0 && c->records[c->count - 1].node == n) {
		verify_report(w, VERIFY_NSEC3_STRAY, "a second record with the same parameters");
		return;
	}
	r.flags = n3.param.flags;
	r.next = n3.next;
	r.map = n3.map;
	r.map_len = (uint16_t)n3.map_len;
	chain_add(c, &r);
}

static void read_node(struct verify_run *run, struct verify_worker *w, const struct node *n)
{
	const struct rrset *rs = node_find(n, RRTYPE_NSEC3);
	const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
	w->owner = n->name;
	w->type = RRTYPE_NSEC3;
	for (unsigned i = 0; rs != NULL && i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		read_record(run, w, n, &rr);
	}
}

void verify_chains_read(struct verify_run *run, struct verify_worker *w)
{
	const struct rrset *params = node_find(run->v->apex_node, RRTYPE_NSEC3PARAM);
	const uint8_t *p = params != NULL ? rrset_data(params) : NULL;
	w->owner = run->v->apex.wire;
	w->type = RRTYPE_NSEC3PARAM;
	for (unsigned i = 0; params != NULL && i < params->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		read_param(run, w, &rr);
	}
	struct tree_cursor *cursor = mem_alloc(sizeof(*cursor));
	const struct tree *t = &run->v->nsec3;
	run->nsec3 = mem_array(t->leaves, sizeof(const struct node *));
	for (const struct node *n = tree_first(t, cursor); n != NULL; n = tree_next(cursor)) {
		run->nsec3[run->nsec3_count++] = n;
		read_node(run, w, n);
	}
	mem_free(cursor);
}

void verify_chains_clear(struct verify_run *run)
{
	for (size_t i = 0; i < run->chain_count; i++) {
		mem_free(run->chains[i].records);
	}
	mem_free(run->nsec3);
}

/* --- one name -------------------------------------------------------------------------------- */

/* The record with @hash, or the last one before it, which covers it (around the end: the last of all).
 * NULL in an empty chain. */
static struct verify_nsec3 *chain_find(const struct verify_chain *c, const uint8_t *hash,
				       bool *exact)
{
	size_t from = 0;
	size_t end = c->count;
	while (from < end) {
		size_t mid = from + (end - from) / 2;
		int diff = memcmp(c->records[mid].hash, hash, NSEC3_HASH_LEN);
		if (diff == 0) {
			*exact = true;
			return &c->records[mid];
		}
		if (diff < 0) {
			from = mid + 1;
		} else {
			end = mid;
		}
	}
	*exact = false;
	if (c->count == 0) {
		return NULL;
	}
	return &c->records[from != 0 ? from - 1 : c->count - 1];
}

/* The types at a name (RFC 5155 §7.1): of a cut only what the parent answers for, of an empty
 * non-terminal (@item NULL) none. Where the zone has an NSEC chain too, while it changes from one to the
 * other, signers differ on whether that counts. */
void verify_nsec3_want(struct verify_worker *w, const struct verify_item *item)
{
	w->want.count = 0;
	w->may.count = 0;
	if (item == NULL) {
		return;
	}
	const struct rrset *rs = node_rrsets(item->node);
	const bool cut = item->place == VERIFY_CUT;
	bool rrsig = cut && (item->node->flags & NODE_DS) == 0;
	if (w->run->nsec) {
		verify_types_add(&w->may, RRTYPE_NSEC);
		if (rrsig) {
			verify_types_add(&w->may, RRTYPE_RRSIG);
		}
	}
	for (unsigned i = 0; i < item->node->rrsets; i++) {
		const uint16_t type = rs[i].type;
		if (!rrsig && type > RRTYPE_RRSIG) {
			verify_types_add(&w->want, RRTYPE_RRSIG);
			rrsig = true;
		}
		bool seen = !cut || type == RRTYPE_NS || type == RRTYPE_DS;
		if (seen && rs[i].count != 0 && type != RRTYPE_NSEC) {
			verify_types_add(&w->want, type);
		}
	}
	if (!rrsig) {
		verify_types_add(&w->want, RRTYPE_RRSIG);
	}
}

bool verify_is_insecure_cut(const struct verify_item *item)
{
	return item->place == VERIFY_CUT && (item->node->flags & NODE_DS) == 0;
}

/* Does the empty non-terminal @name above item @i lead to delegations without DS alone? Then opt-out may
 * leave it out as well (RFC 5155 §7.1 as corrected by erratum 3441). */
static bool leads_to_insecure_cuts(const struct verify_run *run, const uint8_t *name, size_t i)
{
	for (; i < run->item_count && dname_is_under(run->items[i].node->name, name); i++) {
		const struct verify_item *item = &run->items[i];
		if (item->place <= VERIFY_CUT && !verify_is_insecure_cut(item)) {
			return false;
		}
	}
	return true;
}

static void report_absent(struct verify_worker *w, const struct verify_nsec3 *cover,
			  bool may_opt_out, const uint8_t *hash)
{
	char text[NSEC3_LABEL_LEN + 1];
	text_to_base32hex(hash, NSEC3_HASH_LEN, text);
	text[NSEC3_LABEL_LEN] = '\0';
	if (!may_opt_out) {
		verify_report(w, VERIFY_NSEC3_MISSING, "no record %s", text);
	} else if (cover == NULL || (cover->flags & NSEC3_OPT_OUT) == 0) {
		verify_report(w, VERIFY_NSEC3_OPT_OUT,
			      "no record %s, and the one before it does not opt out", text);
	}
}

/* Name @w->owner is item @i, or (@ent) an empty non-terminal right above it. */
static int check_name(struct verify_worker *w, const struct verify_chain *c, size_t i, bool ent)
{
	const struct verify_item *item = &w->run->items[i];
	uint8_t hash[NSEC3_HASH_LEN];
	bool exact = false;
	w->type = RRTYPE_NSEC3;
	nsec3_hash(&c->param, w->owner, hash);
	struct verify_nsec3 *r = chain_find(c, hash, &exact);
	if (!exact) {
		bool may = ent ? leads_to_insecure_cuts(w->run, w->owner, i)
			       : verify_is_insecure_cut(item);
		report_absent(w, r, may, hash);
		return E_OK;
	}
	if (__atomic_exchange_n(&r->named, 1, __ATOMIC_RELAXED) != 0) {
		verify_report(w, VERIFY_NSEC3_COLLISION,
			      "another name has the same hash; sign with another salt");
	}
	verify_nsec3_want(w, ent ? NULL : item);
	verify_types(w, VERIFY_NSEC3_TYPES, r->map, r->map_len);
	return E_OK;
}

int verify_name_nsec3(struct verify_worker *w, size_t i)
{
	const struct verify_item *item = &w->run->items[i];
	const struct node *n = item->node;
	int err = E_OK;
	if (item->place > VERIFY_CUT) {
		return E_OK;
	}
	for (size_t k = 0; k < w->run->chain_count; k++) {
		const struct verify_chain *c = &w->run->chains[k];
		for (unsigned l = item->common + 1U; l < n->labels && err == E_OK; l++) {
			w->owner = dname_up(n->name, n->labels - l);
			err = check_name(w, c, i, true);
		}
		w->owner = n->name;
		if (err == E_OK) {
			err = check_name(w, c, i, false);
		}
	}
	return err;
}

/* --- records --------------------------------------------------------------------------------- */

void verify_nsec3_node(struct verify_worker *w, const struct node *n)
{
	const struct rrset *rs = node_rrsets(n);
	w->owner = n->name;
	for (unsigned i = 0; i < n->rrsets; i++) {
		w->type = rs[i].type;
		if (rs[i].count == 0) {
			verify_report(w, VERIFY_STRAY_SIG, "%u signatures, but no such records",
				      rs[i].sigs);
			continue;
		}
		verify_set(w, &rs[i]);
		w->stats.nsec3 += rs[i].count;
		if (rrset_ttl(&rs[i]) != w->run->v->negative_ttl) {
			verify_report(w, VERIFY_CHAIN_TTL, "TTL %u, negative answers have %u",
				      rrset_ttl(&rs[i]), w->run->v->negative_ttl);
		}
	}
}

static void chain_close(struct verify_worker *w, const struct verify_chain *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct verify_nsec3 *r = &c->records[i];
		const struct verify_nsec3 *next = &c->records[(i + 1) % c->count];
		w->owner = r->node->name;
		w->type = RRTYPE_NSEC3;
		if (memcmp(r->next, next->hash, NSEC3_HASH_LEN) != 0) {
			char text[NSEC3_LABEL_LEN + 1];
			text_to_base32hex(next->hash, NSEC3_HASH_LEN, text);
			text[NSEC3_LABEL_LEN] = '\0';
			verify_report(w, VERIFY_NSEC3_NEXT, "does not point at the next hash, %s",
				      text);
		}
		if ((r->flags & ~NSEC3_OPT_OUT) != 0) {
			verify_report(w, VERIFY_NSEC3_FLAGS, "flags are %u", r->flags);
		}
		if (!r->named) {
			verify_report(w, VERIFY_NSEC3_STRAY, "no name has this hash");
		}
	}
}

void verify_chains_close(struct verify_worker *w)
{
	for (size_t i = 0; i < w->run->chain_count; i++) {
		chain_close(w, &w->run->chains[i]);
	}
}

/* server/transferred.c - what was transferred in, as an edit. */
#include "server/transferred.h"

#include <string.h>

#include "zones/base/mem.h"
#include "zones/dns/rdata.h"

/* Of a difference larger than this, and than a part of the zone, nothing is made: the version before, the one that came,
 * and the difference between them would all be in memory. Secondaries of ours transfer all of the zone then, too. */
#define DIFF_OCTETS STRESSED((size_t)4 << 20, (size_t)1 << 10)
#define DIFF_PART   10

uint32_t transferred_serial(const struct transferred *t)
{
	return t->whole != NULL ? t->whole->serial : t->changes[t->change_count - 1].serial_to;
}

/* Is it for who signs to say? Keys as well: those of a primary that signs, too, do not sign here. */
static bool is_of_signer(uint16_t type)
{
	return rrtype_is_of_signing(type) || type == RRTYPE_DNSKEY || type == RRTYPE_CDS ||
	       type == RRTYPE_CDNSKEY || type == RRTYPE_ZONEMD;
}

static void add_wanted(struct diff *to, const struct diff_part *part, bool removed)
{
	const uint8_t *p = (const uint8_t *)part->octets.data;
	for (uint32_t i = 0; i < part->count; i++) {
		struct diff_rr rr;
		p = diff_rr_next(p, &rr);
		if (rr.type != RRTYPE_SOA && !is_of_signer(rr.type)) {
			diff_add_record(to, removed, &rr);
		}
	}
}

/* Appends what of @d is the primary's to say, but for the SOA. */
static void keep_wanted(struct diff *to, const struct diff *d)
{
	add_wanted(to, &d->removed, true);
	add_wanted(to, &d->added, false);
}

struct comparison {
	struct diff *wanted;
	struct diff node;
};

static void on_node(void *arg, const void *before, const void *after)
{
	struct comparison *c = arg;
	diff_reset(&c->node);
	diff_add_nodes(&c->node, before, after);
	keep_wanted(c->wanted, &c->node);
}

/* Name by name, so that the signatures of the whole zone are never in memory a second time. */
static void compare(const struct version *base, const struct version *whole, struct diff *out)
{
	struct comparison c = { .wanted = out };
	tree_diff(&base->names, &whole->names, on_node, &c);
	diff_clear(&c.node);
}

struct bounded {
	struct diff *diff;
	size_t most; /* octets */
	bool is_over;
};

static void add_bounded(void *arg, const void *before, const void *after)
{
	struct bounded *b = arg;
	if (!b->is_over) {
		diff_add_nodes(b->diff, before, after);
		b->is_over = b->diff->removed.octets.len + b->diff->added.octets.len > b->most;
	}
}

/* As diff_make. False: it would be too large. */
static bool make_bounded(const struct version *base, const struct version *whole, struct diff *out)
{
	const size_t part = version_memory(base) / DIFF_PART;
	struct bounded b = { .diff = out, .most = part > DIFF_OCTETS ? part : DIFF_OCTETS };
	tree_diff(&base->names, &whole->names, add_bounded, &b);
	tree_diff(&base->nsec3, &whole->nsec3, add_bounded, &b);
	return !b.is_over;
}

/* --- the SOA --------------------------------------------------------------------------------- */

static bool find_soa(const struct diff_part *part, struct diff_rr *out)
{
	const uint8_t *p = (const uint8_t *)part->octets.data;
	for (uint32_t i = 0; i < part->count; i++) {
		p = diff_rr_next(p, out);
		if (out->type == RRTYPE_SOA) {
			return true;
		}
	}
	return false;
}

static struct rr soa_of(const struct version *v)
{
	struct rr rr = { 0 };
	if (v->soa != NULL) {
		(void)rr_read(rrset_data(v->soa), &rr);
	}
	return rr;
}

/* The SOA that the primary has. False: there is none. */
static bool new_soa(const struct transferred *t, struct rr *out)
{
	struct diff_rr rr;
	if (t->whole != NULL) {
		*out = soa_of(t->whole);
		return out->rdlen != 0;
	}
	if (!find_soa(&t->changes[t->change_count - 1].added, &rr)) {
		return false;
	}
	*out = (struct rr){ .type = rr.type, .ttl = rr.ttl, .rdlen = rr.rdlen, .rdata = rr.rdata };
	return true;
}

/* Puts the SOA of the primary into @e with the serial that is there; *differs when that changes something. */
static int put_soa(const struct transferred *t, struct edit *e, bool *differs, struct errmsg *em)
{
	const struct version *v = edit_state(e);
	const struct rr have = soa_of(v);
	struct rr rr;
	uint8_t rdata[SOA_RDATA_MAX];
	if (!new_soa(t, &rr) || have.rdlen == 0 || rr.rdlen > sizeof(rdata)) {
		return err_set(em, E_MISMATCH, "there is no SOA");
	}
	memcpy(rdata, rr.rdata, rr.rdlen);
	soa_serial_put(rdata, rr.rdlen, v->serial);
	if (rr.ttl == have.ttl && rr.rdlen == have.rdlen &&
	    memcmp(rdata, have.rdata, have.rdlen) == 0) {
		return E_OK;
	}
	*differs = true;
	int err = edit_remove(e, edit_apex(e), RRTYPE_SOA, have.rdata, have.rdlen);
	if (err == E_OK) {
		err = edit_add(e, edit_apex(e), RRTYPE_SOA, rr.ttl, rdata, rr.rdlen);
	}
	return err;
}

/* --- edits ----------------------------------------------------------------------------------- */

static void raise_max_ttl(const struct diff_part *part, uint32_t *max_ttl)
{
	const uint8_t *p = (const uint8_t *)part->octets.data;
	for (uint32_t i = 0; i < part->count; i++) {
		struct diff_rr rr;
		p = diff_rr_next(p, &rr);
		*max_ttl = rr.ttl > *max_ttl ? rr.ttl : *max_ttl;
	}
}

/* Makes the change; *differs when that is one. */
static int apply(const struct diff *d, struct taking *to, bool *differs, struct errmsg *em)
{
	*differs = *differs || !diff_is_empty(d);
	raise_max_ttl(&d->added, &to->max_ttl);
	return diff_apply(d, to->edit, em);
}

/* All that is the primary's to say; there was nothing before. */
static int take_all(const struct version *whole, struct taking *to)
{
	struct version_walk *walk = mem_alloc(sizeof(*walk));
	int err = E_OK;
	for (const struct node *n = version_first(whole, walk); n != NULL && err == E_OK;
	     n = version_next(walk)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned i = 0; i < n->rrsets; i++) {
			const uint8_t *p = rrset_data(&rs[i]);
			for (unsigned k = 0; k < rs[i].count && !is_of_signer(rs[i].type); k++) {
				struct rr rr;
				p = rr_read(p, &rr);
				to->max_ttl = rr.ttl > to->max_ttl ? rr.ttl : to->max_ttl;
				err = edit_add(to->edit, n->name, rr.type, rr.ttl, rr.rdata,
					       rr.rdlen);
			}
		}
	}
	mem_free(walk);
	return err;
}

static int change_signed(const struct transferred *t, const struct version *base, struct taking *to,
			 bool *differs, struct errmsg *em)
{
	struct diff wanted = { 0 };
	int err = E_OK;
	if (t->whole != NULL) {
		compare(base, t->whole, &wanted);
		err = apply(&wanted, to, differs, em);
	}
	for (size_t i = 0; i < t->change_count && err == E_OK; i++) {
		diff_reset(&wanted);
		keep_wanted(&wanted, &t->changes[i]);
		err = apply(&wanted, to, differs, em);
	}
	diff_clear(&wanted);
	return err == E_OK ? put_soa(t, to->edit, differs, em) : err;
}

static int change_plain(const struct transferred *t, const struct version *base, struct taking *to,
			bool *differs, struct errmsg *em)
{
	struct diff all = { 0 };
	int err = E_OK;
	if (t->whole != NULL && !make_bounded(base, t->whole, &all)) {
		edit_abort(to->edit);
		to->edit = edit_begin(t->whole, NULL, EDIT_TTL_LAST);
		to->is_anew = *differs = true;
	} else if (t->whole != NULL) {
		err = apply(&all, to, differs, em);
	}
	for (size_t i = 0; i < t->change_count && err == E_OK; i++) {
		err = apply(&t->changes[i], to, differs, em);
	}
	diff_clear(&all);
	return err;
}

int transferred_edit(const struct transferred *t, const struct version *base, bool signs,
		     struct taking *out, struct errmsg *em)
{
	bool differs = true;
	int err = E_OK;
	out->edit = NULL;
	out->is_anew = false;
	if (base == NULL && t->whole == NULL) {
		return err_set(em, E_MISMATCH, "there is nothing that the changes could be of");
	}
	if (base == NULL && signs) {
		out->edit = edit_begin(NULL, t->whole->apex.wire, EDIT_TTL_LAST);
		err = take_all(t->whole, out);
	} else if (base == NULL) {
		out->edit = edit_begin(t->whole, NULL, EDIT_TTL_LAST);
	} else {
		differs = false;
		out->edit = edit_begin(base, NULL, EDIT_TTL_LAST);
		err = (signs ? change_signed : change_plain)(t, base, out, &differs, em);
	}
	if (err != E_OK || !differs) {
		edit_abort(out->edit);
		out->edit = NULL;
	}
	return err;
}

/* zones/catalog.c - catalog zones.
 *
 * Names come in canonical order, so the properties of a member stand right behind it. */
#include "zones/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "zones/base/mem.h"
#include "zones/edit.h"

static const uint8_t label_zones[] = "\5zones";
static const uint8_t label_version[] = "\7version";
static const uint8_t label_group[] = "\5group";
static const uint8_t label_coo[] = "\3coo";
static const uint8_t version_2[] = { 1, '2' }; /* TXT rdata (§4.2.1) */

/* --- reading --------------------------------------------------------------------------------- */

static bool same_label(const uint8_t *a, const uint8_t *b)
{
	for (unsigned i = 0; i <= b[0]; i++) {
		if (text_lower[a[i]] != text_lower[b[i]]) { /* length octets are no letters */
			return false;
		}
	}
	return true;
}

/* "<what> at <name>", for what is broken. */
static int broken(struct errmsg *em, const uint8_t *name, const char *what)
{
	char text[DNAME_TEXT_MAX];
	(void)dname_to_text(name, text);
	return err_set(em, E_CHECK, "%s at %.350s", what, text);
}

static int check_version_property(const struct version *v, struct errmsg *em)
{
	struct dname name;
	struct rr rr;
	int err = dname_prepend(&name, label_version, v->apex.wire);
	const struct node *n = err == E_OK ? version_node(v, name.wire) : NULL;
	const struct rrset *rs = n != NULL ? node_find(n, RRTYPE_TXT) : NULL;
	if (rs == NULL) {
		return broken(em, v->apex.wire, "there is no TXT record \"version\"");
	}
	if (rs->count != 1) {
		return broken(em, name.wire, "there is more than one TXT record");
	}
	(void)rr_read(rrset_data(rs), &rr);
	if (rr.rdlen != sizeof(version_2) || memcmp(rr.rdata, version_2, sizeof(version_2)) != 0) {
		return broken(em, name.wire, "the version is not \"2\"");
	}
	return E_OK;
}

/* The only PTR record of @n, copied; NULL: there is none. */
static int read_pointer(struct arena *a, const struct node *n, const uint8_t **out,
			struct errmsg *em)
{
	const struct rrset *rs = node_find(n, RRTYPE_PTR);
	struct rr rr;
	*out = NULL;
	if (rs == NULL) {
		return E_OK;
	}
	if (rs->count != 1) {
		return broken(em, n->name, "there is more than one PTR record");
	}
	(void)rr_read(rrset_data(rs), &rr);
	*out = arena_dup(a, rr.rdata, rr.rdlen);
	return E_OK;
}

/* Those that are one text each. */
static struct catalog_groups read_groups(struct arena *a, const struct node *n)
{
	const struct rrset *rs = node_find(n, RRTYPE_TXT);
	const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
	uint8_t *octets = rs != NULL ? arena_bytes(a, rs->data_len) : NULL;
	size_t len = 0;
	for (unsigned i = 0; rs != NULL && i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		if (rr.rdlen == 1U + rr.rdata[0]) {
			memcpy(octets + len, rr.rdata, rr.rdlen);
			len += rr.rdlen;
		}
	}
	return (struct catalog_groups){ octets, len };
}

struct run {
	struct catalog *catalog;
	size_t cap;
	unsigned apex_labels;
	struct catalog_member *member; /* whose properties come; NULL: nobody's */
	const uint8_t *node;	       /* its name in the catalog */
};

static int read_member(struct run *r, const struct node *n, struct errmsg *em)
{
	struct catalog *c = r->catalog;
	const uint8_t *zone = NULL;
	r->member = NULL;
	int err = read_pointer(&c->arena, n, &zone, em);
	if (err != E_OK || zone == NULL) {
		return err;
	}
	if (c->count == CATALOG_MEMBERS_MAX) {
		return broken(em, n->name, "there are more members than anybody has");
	}
	if (c->count == r->cap) {
		r->cap = r->cap != 0 ? r->cap * 2 : 16;
		c->members = mem_realloc(c->members, r->cap, sizeof(*c->members));
	}
	r->member = &c->members[c->count++];
	r->node = n->name;
	*r->member =
		(struct catalog_member){ .zone = zone,
					 .label = arena_dup(&c->arena, n->name, 1U + n->name[0]) };
	return E_OK;
}

static int read_property(struct run *r, const struct node *n, struct errmsg *em)
{
	if (r->member == NULL || !dname_equal(dname_up(n->name, 1), r->node)) {
		return E_OK;
	}
	if (same_label(n->name, label_group)) {
		r->member->groups = read_groups(&r->catalog->arena, n);
	} else if (same_label(n->name, label_coo)) {
		return read_pointer(&r->catalog->arena, n, &r->member->coo, em);
	}
	return E_OK;
}

static int read_node(struct run *r, const struct node *n, struct errmsg *em)
{
	const unsigned depth = n->labels - r->apex_labels;
	if ((depth != 2 && depth != 3) || !same_label(dname_up(n->name, depth - 1), label_zones)) {
		return E_OK;
	}
	return depth == 2 ? read_member(r, n, em) : read_property(r, n, em);
}

static int compare_members(const void *a, const void *b)
{
	const struct catalog_member *x = a;
	const struct catalog_member *y = b;
	return dname_compare(x->zone, y->zone);
}

static int check_differ(const struct catalog *c, struct errmsg *em)
{
	char text[DNAME_TEXT_MAX];
	for (size_t i = 1; i < c->count; i++) {
		if (dname_equal(c->members[i - 1].zone, c->members[i].zone)) {
			(void)dname_to_text(c->members[i].zone, text);
			return err_set(em, E_CHECK, "the zone %.400s is listed twice", text);
		}
	}
	return E_OK;
}

int catalog_read(const struct version *v, struct catalog *out, struct errmsg *em)
{
	struct version_walk *walk = mem_alloc(sizeof(*walk));
	struct run r = { .catalog = out, .apex_labels = v->apex_labels };
	*out = (struct catalog){ 0 };
	int err = check_version_property(v, em);
	for (const struct node *n = version_first(v, walk); n != NULL && err == E_OK;
	     n = version_next(walk)) {
		err = read_node(&r, n, em);
	}
	if (err == E_OK && out->count != 0) {
		qsort(out->members, out->count, sizeof(*out->members), compare_members);
		err = check_differ(out, em);
	}
	if (err != E_OK) {
		catalog_clear(out);
	}
	mem_free(walk);
	return err;
}

void catalog_clear(struct catalog *c)
{
	mem_free(c->members);
	arena_clear(&c->arena);
	*c = (struct catalog){ 0 };
}

const struct catalog_member *catalog_find(const struct catalog *c, const uint8_t *zone)
{
	const struct catalog_member wanted = { .zone = zone };
	return c->count != 0
		       ? bsearch(&wanted, c->members, c->count, sizeof(wanted), compare_members)
		       : NULL;
}

/* --- making ---------------------------------------------------------------------------------- */

/* Nobody asks the zone, so its servers have no name (§4). Secondaries are notified, and ask once an hour besides. */
static const uint8_t invalid[] = "\7invalid";
static const uint8_t soa_rdata[] = "\7invalid\0\7invalid\0"
				   "\0\0\0\0"	      /* serial */
				   "\0\0\x0e\x10"     /* refresh: 1 h */
				   "\0\0\x02\x58"     /* retry: 10 min */
				   "\x7f\xff\xff\xff" /* expire: never, as far as can be said */
				   "\0\0\0";	      /* minimum: 0 */

static int add_member(struct edit *e, const struct dname *zones, const struct catalog_member *m)
{
	struct dname node;
	struct dname property;
	int err = dname_prepend(&node, m->label, zones->wire);
	if (err == E_OK) {
		err = edit_add(e, node.wire, RRTYPE_PTR, 0, m->zone, dname_len(m->zone));
	}
	const uint8_t *group = m->groups.octets;
	for (size_t at = 0; at < m->groups.len && err == E_OK; at += 1U + group[at]) {
		err = dname_prepend(&property, label_group, node.wire);
		if (err == E_OK) {
			err = edit_add(e, property.wire, RRTYPE_TXT, 0, group + at, 1U + group[at]);
		}
	}
	if (m->coo != NULL && err == E_OK) {
		err = dname_prepend(&property, label_coo, node.wire);
		if (err == E_OK) {
			err = edit_add(e, property.wire, RRTYPE_PTR, 0, m->coo, dname_len(m->coo));
		}
	}
	return err;
}

int catalog_make(const uint8_t *apex, uint32_t serial, const struct catalog_member *members,
		 size_t count, struct version **out, struct errmsg *em)
{
	struct edit *e = edit_begin(NULL, apex, EDIT_TTL_LAST);
	uint8_t soa[sizeof(soa_rdata)];
	struct dname name;
	memcpy(soa, soa_rdata, sizeof(soa));
	soa_serial_put(soa, sizeof(soa), serial);
	int err = edit_add(e, apex, RRTYPE_SOA, 0, soa, sizeof(soa));
	if (err == E_OK) {
		err = edit_add(e, apex, RRTYPE_NS, 0, invalid, sizeof(invalid));
	}
	if (err == E_OK) {
		err = dname_prepend(&name, label_version, apex);
	}
	if (err == E_OK) {
		err = edit_add(e, name.wire, RRTYPE_TXT, 0, version_2, sizeof(version_2));
	}
	if (err == E_OK) {
		err = dname_prepend(&name, label_zones, apex);
	}
	for (size_t i = 0; i < count && err == E_OK; i++) {
		err = add_member(e, &name, &members[i]);
	}
	if (err == E_OK) {
		err = edit_error(e, NULL);
	}
	if (err != E_OK) {
		edit_abort(e);
		return err_set(em, err, "the catalog cannot be made: %s", err_text(err));
	}
	*out = edit_commit(e);
	return E_OK;
}

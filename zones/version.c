/* zones/version.c - versions, their lineage, and the facts derived from their trees. */
#include "zones/version.h"

#include <string.h>

#include "zones/base/mem.h"
#include "zones/dns/serial.h"

struct lineage *lineage_new(const uint8_t *apex)
{
	struct lineage *l = mem_zalloc(sizeof(*l) + dname_len(apex));
	l->refs = 1;
	(void)dname_copy(l->apex, apex);
	return l;
}

void lineage_unref(struct lineage *l)
{
	if (__atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL) != 0) {
		return;
	}
	while (l->oldest != NULL) {
		struct version *v = l->oldest;
		l->oldest = v->newer;
		mem_free(v->garbage.items);
		mem_free(v);
	}
	pool_clear(&l->pool);
	mem_free(l);
}

void lineage_collect(struct lineage *l)
{
	while (l->oldest != NULL && l->oldest->newer != NULL &&
	       __atomic_load_n(&l->oldest->refs, __ATOMIC_ACQUIRE) == 0) {
		struct version *v = l->oldest;
		l->oldest = v->newer;
		tree_garbage_free(&v->garbage, &l->pool);
		mem_free(v);
	}
}

struct version *version_ref(const struct version *v)
{
	struct version *mine = (struct version *)(uintptr_t)v; /* only the count is changed */
	(void)__atomic_add_fetch(&mine->refs, 1, __ATOMIC_RELAXED);
	return mine;
}

void version_unref(struct version *v)
{
	if (v == NULL) {
		return;
	}
	/* Once the count is zero a writer may free the version at any moment. */
	struct lineage *l = v->lineage;
	if (__atomic_sub_fetch(&v->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		lineage_unref(l);
	}
}

struct soa_numbers version_soa(const struct version *v)
{
	struct rr rr;
	if (v->soa == NULL) {
		return (struct soa_numbers){ 0 };
	}
	(void)rr_read(rrset_data(v->soa), &rr);
	return soa_numbers_of(rr.rdata, rr.rdlen);
}

const struct node *version_node(const struct version *v, const uint8_t *name)
{
	struct dname_key key;
	dname_key_make(&key, name);
	return tree_get(&v->names, &key, name, NULL);
}

bool version_is_occluded(const struct version *v, const uint8_t *name, const struct node **cut)
{
	struct dname_key key;
	struct tree_match m;
	dname_key_make(&key, name);
	tree_find(&v->names, &key, name, NODE_CUT | NODE_DNAME, &m);
	for (unsigned i = 0; i < m.ancestors; i++) {
		const struct tree_ancestor *a = &m.ancestor[i];
		if ((a->flags & (NODE_CUT | NODE_DNAME)) != 0) {
			if (cut != NULL) {
				*cut = a->leaf;
			}
			return a->labels < key.labels;
		}
	}
	if (cut != NULL) {
		*cut = NULL;
	}
	return false;
}

static const struct node *walk_least(const struct version_walk *w)
{
	const struct node *a = w->names.leaf;
	const struct node *b = w->nsec3.leaf;
	if (a == NULL || b == NULL) {
		return a != NULL ? a : b;
	}
	return dname_compare(a->name, b->name) <= 0 ? a : b;
}

const struct node *version_first(const struct version *v, struct version_walk *w)
{
	(void)tree_first(&v->names, &w->names);
	(void)tree_first(&v->nsec3, &w->nsec3);
	return walk_least(w);
}

const struct node *version_next(struct version_walk *w)
{
	(void)tree_next(walk_least(w) == w->names.leaf ? &w->names : &w->nsec3);
	return walk_least(w);
}

int nsec3_param_read(const uint8_t *rdata, size_t len, struct nsec3_param *out)
{
	struct reader r = reader_of(rdata, len);
	out->algorithm = reader_u8(&r);
	out->flags = reader_u8(&r);
	out->iterations = reader_u16(&r);
	out->salt_len = reader_u8(&r);
	const uint8_t *salt = reader_bytes(&r, out->salt_len);
	if (salt != NULL) {
		memcpy(out->salt, salt, out->salt_len);
	}
	return r.err;
}

bool nsec3_param_same(const struct nsec3_param *a, const struct nsec3_param *b)
{
	return a->algorithm == b->algorithm && a->iterations == b->iterations &&
	       a->salt_len == b->salt_len && memcmp(a->salt, b->salt, a->salt_len) == 0;
}

/* NSEC3 owners that are looked at to find one of a chain. While parameters change, two chains lie
 * mingled in a zone (RFC 5155 §10.4), evenly as hashes are. */
#define CHAIN_STEPS_MAX 64

bool nsec3_is_of_chain(const struct node *n, const struct nsec3_param *param)
{
	const struct rrset *rs = node_find(n, RRTYPE_NSEC3);
	const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
	for (unsigned i = 0; p != NULL && i < rs->count; i++) {
		struct nsec3_param have;
		struct rr rr;
		p = rr_read(p, &rr);
		if (nsec3_param_read(rr.rdata, rr.rdlen, &have) == E_OK &&
		    nsec3_param_same(param, &have)) {
			return true;
		}
	}
	return false;
}

static bool has_chain(const struct version *v, const struct nsec3_param *param)
{
	struct tree_cursor c;
	const struct node *n = tree_first(&v->nsec3, &c);
	for (unsigned i = 0; n != NULL && i < CHAIN_STEPS_MAX; i++) {
		if (nsec3_is_of_chain(n, param)) {
			return true;
		}
		n = tree_next(&c);
	}
	return false;
}

/* Is there an NSEC3PARAM with flags zero (RFC 5155 §4.1.2) whose chain is there? With several in a
 * zone any one will do: the others are complete too, or have no NSEC3PARAM yet. */
static bool nsec3_chain(const struct version *v, const struct rrset *params,
			struct nsec3_param *out)
{
	const uint8_t *p = rrset_data(params);
	for (unsigned i = 0; i < params->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		if (nsec3_param_read(rr.rdata, rr.rdlen, out) == E_OK && out->flags == 0 &&
		    has_chain(v, out)) {
			return true;
		}
	}
	return false;
}

static void soa_facts(struct version *v)
{
	struct rr rr;
	(void)rr_read(rrset_data(v->soa), &rr);
	const struct soa_numbers soa = soa_numbers_of(rr.rdata, rr.rdlen);
	v->serial = soa.serial;
	v->negative_ttl = rr.ttl < soa.minimum ? rr.ttl : soa.minimum;
	v->soa_names = soa_names_of(v->apex_node->name, rr.rdata);
}

#define RRSIG_EXPIRES_AT 8 /* in the rdata (RFC 4034 §3.1) */

/* The SOA set is signed anew with every change, so its signatures speak for the zone. */
static uint32_t signed_until(const struct rrset *soa)
{
	uint32_t last = 0;
	const uint8_t *p = rrset_sig_data(soa);
	for (unsigned i = 0; i < soa->sigs; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		uint32_t expires = be32_get(rr.rdata + RRSIG_EXPIRES_AT);
		last = i == 0 || serial_is_newer(expires, last) ? expires : last;
	}
	return last;
}

void version_facts(struct version *v)
{
	v->soa = NULL;
	v->serial = 0;
	v->negative_ttl = 0;
	v->denial = DENIAL_NONE;
	v->secure = false;
	v->signed_until = 0;
	v->apex_node = version_node(v, v->apex.wire);
	if (v->apex_node == NULL) {
		return;
	}
	v->soa = node_find(v->apex_node, RRTYPE_SOA);
	if (v->soa != NULL) {
		soa_facts(v);
	}
	const struct rrset *params = node_find(v->apex_node, RRTYPE_NSEC3PARAM);
	if (node_find(v->apex_node, RRTYPE_NSEC) != NULL) {
		v->denial = DENIAL_NSEC;
	} else if (params != NULL && nsec3_chain(v, params, &v->nsec3_param)) {
		v->denial = DENIAL_NSEC3;
	}
	v->secure = v->denial != DENIAL_NONE && node_find(v->apex_node, RRTYPE_DNSKEY) != NULL;
	v->signed_until = v->soa != NULL ? signed_until(v->soa) : 0;
}

size_t version_memory(const struct version *v)
{
	return v->lineage->pool.held + sizeof(*v);
}

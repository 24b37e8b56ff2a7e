/* signer/zonemd.c - the digest over a zone.
 *
 * All records in canonical order and form, one after the other (RFC 8976 §3.3.1), without the apex
 * ZONEMD set and its signatures. Signatures of a node stand with the set they cover here, but are
 * records of type RRSIG there: they are collected and sorted when their turn comes. */
#include "signer/zonemd.h"

#include <stdlib.h>

#include "zones/base/buf.h"
#include "zones/base/mem.h"
#include "zones/dns/rdata.h"

struct digest_run {
	struct crypto_hasher *hasher;
	struct buf out;	 /* canonical records, fed to the hasher in large pieces */
	struct rr *sigs; /* of one node */
	size_t sig_count, sig_cap;
	int err;
};

#define FEED_AT STRESSED((size_t)1 << 16, 1)

size_t zonemd_digest_len(uint8_t hash_algorithm)
{
	switch (hash_algorithm) {
	case ZONEMD_SHA384:
		return crypto_digest_len(CRYPTO_SHA384);
	case ZONEMD_SHA512:
		return crypto_digest_len(CRYPTO_SHA512);
	default:
		return 0;
	}
}

static void feed(struct digest_run *d)
{
	if (d->err == E_OK) {
		d->err = crypto_hasher_add(d->hasher, d->out.data, d->out.len);
	}
	d->out.len = 0;
}

static void add_record(struct digest_run *d, const uint8_t *owner, const struct rr *rr)
{
	uint8_t *to = (uint8_t *)buf_reserve(&d->out, DNAME_MAX + 10 + (size_t)rr->rdlen);
	size_t n = dname_lower(to, owner);
	be16_put(to + n, rr->type);
	be16_put(to + n + 2, RRCLASS_IN);
	be32_put(to + n + 4, rr->ttl);
	be16_put(to + n + 8, rr->rdlen);
	rdata_canonical(rr->type, rr->rdata, rr->rdlen, to + n + 10);
	d->out.len += n + 10 + rr->rdlen;
	if (d->out.len >= FEED_AT) {
		feed(d);
	}
}

static void collect_sigs(struct digest_run *d, const struct rrset *rs)
{
	if (d->sig_count + rs->sigs > d->sig_cap) {
		d->sig_cap = (d->sig_count + rs->sigs) * 2;
		d->sigs = mem_realloc(d->sigs, d->sig_cap, sizeof(*d->sigs));
	}
	const uint8_t *p = rrset_sig_data(rs);
	for (unsigned i = 0; i < rs->sigs; i++) {
		p = rr_read(p, &d->sigs[d->sig_count++]);
	}
}

static int sig_compare(const void *a, const void *b)
{
	const struct rr *x = a;
	const struct rr *y = b;
	return rdata_compare(RRTYPE_RRSIG, x->rdata, x->rdlen, y->rdata, y->rdlen);
}

static void add_sigs(struct digest_run *d, const uint8_t *owner)
{
	qsort(d->sigs, d->sig_count, sizeof(*d->sigs), sig_compare);
	for (size_t i = 0; i < d->sig_count; i++) {
		add_record(d, owner, &d->sigs[i]);
	}
	d->sig_count = 0;
}

static void add_node(struct digest_run *d, const struct node *n)
{
	bool apex = (n->flags & NODE_APEX) != 0;
	const struct rrset *rs = node_rrsets(n);
	d->sig_count = 0;
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (!apex || rs[i].type != RRTYPE_ZONEMD) {
			collect_sigs(d, &rs[i]);
		}
	}
	bool sigs_done = false;
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].type > RRTYPE_RRSIG && !sigs_done) {
			add_sigs(d, n->name);
			sigs_done = true;
		}
		if (apex && rs[i].type == RRTYPE_ZONEMD) {
			continue;
		}
		const uint8_t *p = rrset_data(&rs[i]);
		for (unsigned k = 0; k < rs[i].count; k++) {
			struct rr rr;
			p = rr_read(p, &rr);
			add_record(d, n->name, &rr);
		}
	}
	if (!sigs_done) {
		add_sigs(d, n->name);
	}
}

int zonemd_digest(const struct version *v, uint8_t hash_algorithm, uint8_t *out)
{
	if (zonemd_digest_len(hash_algorithm) == 0) {
		return E_UNSUPPORTED;
	}
	struct digest_run d = { .err = E_OK };
	struct version_walk *walk = mem_alloc(sizeof(*walk));
	int err = crypto_hasher_new(hash_algorithm == ZONEMD_SHA384 ? CRYPTO_SHA384 : CRYPTO_SHA512,
				    &d.hasher);
	if (err != E_OK) {
		goto out_free;
	}
	err = crypto_hasher_begin(d.hasher);
	if (err != E_OK) {
		goto out_free;
	}
	for (const struct node *n = version_first(v, walk); n != NULL; n = version_next(walk)) {
		add_node(&d, n);
	}
	feed(&d);
	err = d.err == E_OK ? crypto_hasher_end(d.hasher, out) : d.err;
out_free:
	crypto_hasher_free(d.hasher);
	buf_clear(&d.out);
	mem_free(d.sigs);
	mem_free(walk);
	return err;
}

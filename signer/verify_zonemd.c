/* signer/verify_zonemd.c - the digest over the zone (RFC 8976 §4).
 *
 * A receiver believes the zone when one digest that it knows is right; here each that we know must
 * be, as another receiver may know that one alone. */
#include "signer/verify_run.h"
#include "signer/zonemd.h"

struct digest_record {
	uint32_t serial;
	uint8_t scheme;
	uint8_t hash;
	const uint8_t *digest;
	size_t len;
};

static bool record_read(const struct rr *rr, struct digest_record *out)
{
	struct reader r = reader_of(rr->rdata, rr->rdlen);
	out->serial = reader_u32(&r);
	out->scheme = reader_u8(&r);
	out->hash = reader_u8(&r);
	out->len = reader_left(&r);
	out->digest = reader_bytes(&r, out->len);
	return r.err == E_OK;
}

static int check_record(struct verify_worker *w, const struct digest_record *d)
{
	const struct version *v = w->run->v;
	if (d->serial != v->serial) {
		verify_report(w, VERIFY_ZONEMD_SERIAL, "for serial %u, the zone has %u", d->serial,
			      v->serial);
		return E_OK;
	}
	uint8_t digest[CRYPTO_DIGEST_MAX];
	int err = zonemd_digest(v, d->hash, digest);
	if (err != E_OK) {
		return err;
	}
	if (d->len != zonemd_digest_len(d->hash) || memcmp(d->digest, digest, d->len) != 0) {
		verify_report(w, VERIFY_ZONEMD_DIGEST, "the digest is not that of the zone");
	} else {
		w->stats.zonemd++;
	}
	return E_OK;
}

int verify_zonemd(struct verify_worker *w)
{
	const struct rrset *rs = node_find(w->run->v->apex_node, RRTYPE_ZONEMD);
	bool seen[256] = { false }; /* hashes of scheme SIMPLE */
	bool known = false;
	const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
	int err = E_OK;
	w->owner = w->run->v->apex.wire;
	w->type = RRTYPE_ZONEMD;
	for (unsigned i = 0; rs != NULL && i < rs->count && err == E_OK; i++) {
		struct rr rr;
		struct digest_record d;
		p = rr_read(p, &rr);
		if (!record_read(&rr, &d) || d.scheme != ZONEMD_SIMPLE ||
		    zonemd_digest_len(d.hash) == 0) {
			continue;
		}
		known = true;
		if (seen[d.hash]) {
			verify_report(w, VERIFY_ZONEMD_TWICE,
				      "two records of scheme %u and hash %u, so none counts",
				      d.scheme, d.hash);
			continue;
		}
		seen[d.hash] = true;
		err = check_record(w, &d);
	}
	if (rs != NULL && !known) {
		verify_report(w, VERIFY_ZONEMD_UNKNOWN,
			      "no digest of a scheme and hash that we know");
	}
	return err;
}

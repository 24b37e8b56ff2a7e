/* signer/rrsig.c - one signature over one RRset. */
#include "signer/rrsig.h"

#include "zones/base/time.h"
#include "zones/dns/rdata.h"

int rrsig_read(const uint8_t *rdata, size_t len, struct rrsig *out)
{
	struct reader r = reader_of(rdata, len);
	out->covered = reader_u16(&r);
	out->algorithm = reader_u8(&r);
	out->labels = reader_u8(&r);
	out->original_ttl = reader_u32(&r);
	out->expiration = reader_u32(&r);
	out->inception = reader_u32(&r);
	out->key_tag = reader_u16(&r);
	out->signer = dname_read(&r);
	out->signature_len = reader_left(&r);
	out->signature = reader_bytes(&r, out->signature_len);
	return r.err;
}

uint8_t rrsig_labels(const uint8_t *owner)
{
	return (uint8_t)(dname_labels(owner) - (dname_is_wildcard(owner) ? 1U : 0U));
}

/* Fixed fields and signer as they are signed; returns octets written. */
static size_t head_write(const struct rrsig *s, uint8_t *out)
{
	be16_put(out, s->covered);
	out[2] = s->algorithm;
	out[3] = s->labels;
	be32_put(out + 4, s->original_ttl);
	be32_put(out + 8, s->expiration);
	be32_put(out + 12, s->inception);
	be16_put(out + 16, s->key_tag);
	return RRSIG_FIXED + dname_lower(out + RRSIG_FIXED, s->signer);
}

/* The owner as it is signed (RFC 4035 §5.3.2). */
static size_t owner_write(const struct rrsig *s, const uint8_t *owner, uint8_t *out)
{
	unsigned labels = rrsig_labels(owner);
	if (s->labels >= labels) {
		return dname_lower(out, owner);
	}
	out[0] = 1;
	out[1] = '*';
	return 2 + dname_lower(out + 2, dname_up(owner, dname_labels(owner) - s->labels));
}

void rrsig_signed_data(const struct rrsig *s, const uint8_t *owner, const struct rrset *rs,
		       struct buf *out)
{
	uint8_t head[DNAME_MAX + 2 + 8]; /* owner, type, class, TTL of each record */
	size_t head_len = owner_write(s, owner, head);
	be16_put(head + head_len, rs->type);
	be16_put(head + head_len + 2, RRCLASS_IN);
	be32_put(head + head_len + 4, s->original_ttl);
	head_len += 8;
	size_t room = RRSIG_FIXED + DNAME_MAX + rs->data_len + (size_t)rs->count * head_len;
	uint8_t *start = (uint8_t *)buf_reserve(out, room);
	uint8_t *to = start + head_write(s, start);
	const bool same = rdata_canonical_is_same(rs->type);
	const uint8_t *p = rrset_data(rs);
	for (unsigned i = 0; i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		memcpy(to, head, head_len);
		be16_put(to + head_len, rr.rdlen);
		to += head_len + 2;
		if (same) {
			memcpy(to, rr.rdata, rr.rdlen);
		} else {
			rdata_canonical(rs->type, rr.rdata, rr.rdlen, to);
		}
		to += rr.rdlen;
	}
	out->len += (size_t)(to - start);
}

int rrsig_make(struct holder_session *session, const struct holder *holder, size_t key,
	       const uint8_t *owner, const struct rrset *rs, const struct rrsig_times *times,
	       struct buf *scratch, uint8_t *out, size_t *out_len)
{
	const struct key *k = holder_key(holder, key);
	const struct rrsig s = {
		.covered = rs->type,
		.algorithm = k->algorithm,
		.labels = rrsig_labels(owner),
		.original_ttl = rrset_ttl(rs),
		.expiration = times->expiration,
		.inception = times->inception,
		.key_tag = k->tag,
		.signer = k->zone.wire,
	};
	size_t head = head_write(&s, out);
	size_t len = 0;
	scratch->len = 0;
	rrsig_signed_data(&s, owner, rs, scratch);
	int err = holder_sign(session, key, (const uint8_t *)scratch->data, scratch->len,
			      out + head, &len);
	*out_len = head + len;
	return err;
}

int rrsig_check_fields(const struct rrsig *s, const uint8_t *owner, const struct rrset *rs,
		       int64_t now)
{
	if (s->covered != rs->type || s->labels > rrsig_labels(owner) ||
	    s->original_ttl < rrset_ttl(rs)) {
		return E_MISMATCH;
	}
	int64_t inception = time_unwrap32(s->inception, now);
	int64_t expiration = time_unwrap32(s->expiration, now);
	if (now > expiration) {
		return E_EXPIRED;
	}
	return now < inception ? E_NOTYET : E_OK;
}

int rrsig_check(struct crypto_verifier *verifier, const struct rrsig *s, const uint8_t *owner,
		const struct rrset *rs, struct buf *scratch)
{
	scratch->len = 0;
	rrsig_signed_data(s, owner, rs, scratch);
	return crypto_verify(verifier, (const uint8_t *)scratch->data, scratch->len, s->signature,
			     s->signature_len);
}

int rrsig_check_held(struct holder_session *session, size_t key, const struct rrsig *s,
		     const uint8_t *owner, const struct rrset *rs, struct buf *scratch)
{
	scratch->len = 0;
	rrsig_signed_data(s, owner, rs, scratch);
	return holder_check(session, key, (const uint8_t *)scratch->data, scratch->len,
			    s->signature, s->signature_len);
}

/* zones/dns/sig0_rr.c - reads and writes the SIG(0) record. */
#include "zones/dns/sig0_rr.h"

#include "zones/dns/rrtype.h"

/* Other SIG records cover a type, and are data. */
static bool is_sig0(const struct message_rr *rr)
{
	return rr->type == RRTYPE_SIG && rr->rdlen >= 2 && be16_get(rr->rdata) == 0;
}

/* The signer's name may be compressed (RFC 2535 §4.1.7), so it is read from the message. */
static int read_rdata(const uint8_t *message, const struct message_rr *rr, struct sig0_rr *out)
{
	struct reader r = reader_of(message, (size_t)(rr->rdata - message) + (size_t)rr->rdlen);
	r.pos = rr->rdata;
	(void)reader_u16(&r);
	out->algorithm = reader_u8(&r);
	const uint8_t labels = reader_u8(&r);
	out->original_ttl = reader_u32(&r);
	out->expiration = reader_u32(&r);
	out->inception = reader_u32(&r);
	out->key_tag = reader_u16(&r);
	if (r.err == E_OK) {
		(void)dname_read_compressed(&r, &out->signer);
	}
	out->signature_len = (uint16_t)reader_left(&r);
	out->signature = reader_bytes(&r, out->signature_len);
	if (r.err == E_OK && labels != 0) {
		return E_INVAL;
	}
	return r.err;
}

int sig0_rr_find(const uint8_t *message, size_t len, struct sig0_rr *out, size_t *at)
{
	struct message_rr rr;
	int err = message_find_signature(message, len, is_sig0, &rr, at);
	if (err != E_OK) {
		return err;
	}
	return dname_is_root(rr.owner.wire) && rr.class == RRCLASS_ANY
		       ? read_rdata(message, &rr, out)
		       : E_INVAL;
}

size_t sig0_rr_head(const struct sig0_rr *rr, uint8_t out[SIG0_HEAD_MAX])
{
	be16_put(out, 0);
	out[2] = rr->algorithm;
	out[3] = 0;
	be32_put(out + 4, rr->original_ttl);
	be32_put(out + 8, rr->expiration);
	be32_put(out + 12, rr->inception);
	be16_put(out + 16, rr->key_tag);
	memcpy(out + SIG0_FIXED, rr->signer.wire, rr->signer.len);
	return (size_t)SIG0_FIXED + rr->signer.len;
}

void sig0_rr_write(struct writer *w, const struct sig0_rr *rr)
{
	uint8_t head[SIG0_HEAD_MAX];
	size_t len = sig0_rr_head(rr, head);
	if (writer_left(w) < 1 + MESSAGE_RR_FIXED + len + rr->signature_len) {
		writer_fail(w, E_NOSPACE);
		return;
	}
	writer_u8(w, 0);
	writer_u16(w, RRTYPE_SIG);
	writer_u16(w, RRCLASS_ANY);
	writer_u32(w, 0);
	writer_u16(w, (uint16_t)(len + rr->signature_len));
	writer_bytes(w, head, len);
	writer_bytes(w, rr->signature, rr->signature_len);
}

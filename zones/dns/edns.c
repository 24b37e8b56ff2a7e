/* zones/dns/edns.c - reads and writes the OPT record. */
#include "zones/dns/edns.h"

#include "zones/dns/rrtype.h"

bool edns_next_option(struct reader *r, struct edns_option *out)
{
	if (reader_left(r) == 0) {
		return false;
	}
	out->code = reader_u16(r);
	out->len = reader_u16(r);
	out->data = reader_bytes(r, out->len);
	return r->err == E_OK;
}

int edns_read(const struct message_rr *rr, struct edns *out)
{
	struct reader r = reader_of(rr->rdata, rr->rdlen);
	struct edns_option option;
	if (!dname_is_root(rr->owner.wire)) {
		return E_INVAL;
	}
	while (edns_next_option(&r, &option)) {
	}
	if (r.err != E_OK) {
		return r.err;
	}
	*out = (struct edns){ .present = true,
			      .udp_size = rr->class,
			      .rcode_high = (uint8_t)(rr->ttl >> 24),
			      .version = (uint8_t)(rr->ttl >> 16),
			      .flags = (uint16_t)rr->ttl,
			      .options = rr->rdata,
			      .options_len = rr->rdlen };
	return E_OK;
}

void edns_write(struct writer *w, const struct edns *e)
{
	uint8_t *p = writer_room(w, EDNS_OPT_LEN + (size_t)e->options_len);
	if (p == NULL) {
		return;
	}
	p[0] = 0;
	be16_put(p + 1, RRTYPE_OPT);
	be16_put(p + 3, e->udp_size);
	p[5] = e->rcode_high;
	p[6] = e->version;
	be16_put(p + 7, e->flags);
	be16_put(p + 9, e->options_len);
	if (e->options_len != 0) {
		memcpy(p + EDNS_OPT_LEN, e->options, e->options_len);
	}
}

/* zones/dns/tsig_rr.c - reads and writes the TSIG record. */
#include "zones/dns/tsig_rr.h"

#include "zones/dns/rrtype.h"

#define RDATA_FIXED                                                                                \
 (TSIG_TIME_LEN + 10) /* octets of rdata beside the name, the MAC and the other data */

void tsig_time_put(uint8_t to[TSIG_TIME_LEN], uint64_t time)
{
	be16_put(to, (uint16_t)(time >> 32));
	be32_put(to + 2, (uint32_t)time);
}

uint64_t tsig_time_get(const uint8_t from[TSIG_TIME_LEN])
{
	return (uint64_t)be16_get(from) << 32 | be32_get(from + 2);
}

/* The algorithm's name is never compressed (RFC 8945 §4.2). */
static int read_rdata(const struct message_rr *rr, struct tsig_rr *out)
{
	struct reader r = reader_of(rr->rdata, rr->rdlen);
	const uint8_t *algorithm = dname_read(&r);
	const uint8_t *time = reader_bytes(&r, TSIG_TIME_LEN);
	out->fudge = reader_u16(&r);
	out->mac_len = reader_u16(&r);
	out->mac = reader_bytes(&r, out->mac_len);
	out->original_id = reader_u16(&r);
	out->error = reader_u16(&r);
	out->other_len = reader_u16(&r);
	out->other = reader_bytes(&r, out->other_len);
	if (r.err != E_OK || reader_left(&r) != 0) {
		return r.err != E_OK ? r.err : E_TRAILING;
	}
	dname_set(&out->algorithm, algorithm);
	out->time = tsig_time_get(time);
	return E_OK;
}

static int read_record(const struct message_rr *rr, struct tsig_rr *out)
{
	if (rr->class != RRCLASS_ANY || rr->ttl != 0) {
		return E_INVAL;
	}
	out->key = rr->owner;
	return read_rdata(rr, out);
}

static bool is_tsig(const struct message_rr *rr)
{
	return rr->type == RRTYPE_TSIG;
}

int tsig_rr_find(const uint8_t *message, size_t len, struct tsig_rr *out, size_t *at)
{
	struct message_rr rr;
	int err = message_find_signature(message, len, is_tsig, &rr, at);
	return err == E_OK ? read_record(&rr, out) : err;
}

size_t tsig_rr_len(const struct tsig_rr *rr)
{
	return (size_t)rr->key.len + MESSAGE_RR_FIXED + rr->algorithm.len + RDATA_FIXED +
	       rr->mac_len + rr->other_len;
}

void tsig_rr_write(struct writer *w, const struct tsig_rr *rr)
{
	size_t len = tsig_rr_len(rr);
	uint8_t time[TSIG_TIME_LEN];
	if (writer_left(w) < len) {
		writer_fail(w, E_NOSPACE);
		return;
	}
	tsig_time_put(time, rr->time);
	writer_bytes(w, rr->key.wire, rr->key.len);
	writer_u16(w, RRTYPE_TSIG);
	writer_u16(w, RRCLASS_ANY);
	writer_u32(w, 0);
	writer_u16(w, (uint16_t)(len - rr->key.len - MESSAGE_RR_FIXED));
	writer_bytes(w, rr->algorithm.wire, rr->algorithm.len);
	writer_bytes(w, time, sizeof(time));
	writer_u16(w, rr->fudge);
	writer_u16(w, rr->mac_len);
	writer_bytes(w, rr->mac, rr->mac_len);
	writer_u16(w, rr->original_id);
	writer_u16(w, rr->error);
	writer_u16(w, rr->other_len);
	writer_bytes(w, rr->other, rr->other_len);
}

/* zones/dns/message.c - header, question and records of a message. */
#include "zones/dns/message.h"

int message_read_header(struct reader *r, struct message_header *out)
{
	out->id = reader_u16(r);
	out->flags = reader_u16(r);
	for (unsigned i = 0; i < SECTIONS; i++) {
		out->count[i] = reader_u16(r);
	}
	return r->err;
}

void message_write_header(uint8_t out[MESSAGE_HEADER_LEN], const struct message_header *h)
{
	be16_put(out, h->id);
	be16_put(out + 2, h->flags);
	for (unsigned i = 0; i < SECTIONS; i++) {
		be16_put(out + 4 + 2 * i, h->count[i]);
	}
}

int message_read_question(struct reader *r, struct message_question *out)
{
	out->name = dname_read(r);
	out->type = reader_u16(r);
	out->class = reader_u16(r);
	if (r->err != E_OK) {
		out->name = NULL;
	}
	return r->err;
}

int message_read_rr(struct reader *r, struct message_rr *out)
{
	if (dname_read_compressed(r, &out->owner) != E_OK) {
		return r->err;
	}
	out->type = reader_u16(r);
	out->class = reader_u16(r);
	out->ttl = reader_u32(r);
	out->rdlen = reader_u16(r);
	out->rdata = reader_bytes(r, out->rdlen);
	return r->err;
}

int message_find_signature(const uint8_t *message, size_t len, message_signs *signs,
			   struct message_rr *out, size_t *at)
{
	struct reader r = reader_of(message, len);
	struct message_header h;
	struct message_question q;
	int err = message_read_header(&r, &h);
	for (unsigned i = 0; i < h.count[SECTION_QUESTION] && err == E_OK; i++) {
		err = message_read_question(&r, &q);
	}
	unsigned left = (unsigned)h.count[SECTION_ANSWER] + h.count[SECTION_AUTHORITY] +
			h.count[SECTION_ADDITIONAL];
	bool is_there = false;
	for (; left > 0 && err == E_OK; left--) {
		*at = (size_t)(r.pos - r.start);
		err = message_read_rr(&r, out);
		if (err == E_OK && signs(out)) {
			is_there = true;
			err = left == 1 && h.count[SECTION_ADDITIONAL] != 0 ? E_OK : E_INVAL;
		}
	}
	if (err == E_OK && reader_left(&r) != 0) {
		err = E_TRAILING;
	}
	return err == E_OK && !is_there ? E_NOENT : err;
}

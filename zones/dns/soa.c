/* zones/dns/soa.c - the names of a SOA record in a message. */
#include "zones/dns/soa.h"

#include "zones/dns/compress.h"
#include "zones/dns/message.h"

#define QUESTION_TAIL 4			     /* type and class */
#define RDATA_BEFORE  (2 + MESSAGE_RR_FIXED) /* the owner is a pointer */

struct soa_names soa_names_of(const uint8_t *apex, const uint8_t *rdata)
{
	uint8_t message[MESSAGE_HEADER_LEN + DNAME_MAX + QUESTION_TAIL + RDATA_BEFORE +
			SOA_RDATA_MAX];
	struct writer w = writer_of(message, sizeof(message));
	struct compress known = { 0 };
	struct soa_names names = { 0 };
	compress_begin(&known);
	compress_add(&known, apex, MESSAGE_HEADER_LEN);
	w.pos += MESSAGE_HEADER_LEN + dname_len(apex) + QUESTION_TAIL + RDATA_BEFORE;
	for (unsigned i = 0; i < ARRAY_LEN(names.own); i++) {
		const uint8_t *from = w.pos;
		const size_t whole = dname_len(rdata);
		(void)compress_name(&known, &w, rdata);
		const size_t len = (size_t)(w.pos - from);
		const bool is_whole =
			len == whole; /* a pointer takes less than what it stands for */
		names.own[i] = (uint8_t)(is_whole ? len : len - 2);
		names.pointer[i] = is_whole ? 0 : be16_get(w.pos - 2);
		rdata += whole;
	}
	return names;
}

void soa_names_put(const struct soa_names *names, const uint8_t *rdata, size_t len, size_t deeper,
		   struct writer *w)
{
	uint8_t *length = writer_room(w, 2);
	const uint8_t *name = rdata;
	for (unsigned i = 0; i < ARRAY_LEN(names->own); i++) {
		writer_bytes(w, name, names->own[i]);
		if (names->pointer[i] != 0) {
			writer_u16(w, (uint16_t)(names->pointer[i] + deeper));
		}
		name += i == 0 ? dname_len(name) : 0;
	}
	writer_bytes(w, rdata + len - SOA_NUMBERS_LEN, SOA_NUMBERS_LEN);
	if (w->err == E_OK) {
		be16_put(length, (uint16_t)(w->pos - length - 2));
	}
}

/* test/fuzz/message_fuzz.c - any octets as a message.
 *
 * What can be read of it is written again, names compressed, and read back to the same. */
#include <stdlib.h>

#include "zones/dns/compress.h"
#include "zones/dns/edns.h"
#include "zones/dns/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS_MAX 1000

static struct dname names[RECORDS_MAX + 1];
static size_t at[RECORDS_MAX + 1];
static size_t count;

static void require(bool what)
{
	if (!what) {
		abort();
	}
}

static void read_rdata(struct reader r, const struct message_rr *rr)
{
	static uint8_t rdata[4 * MESSAGE_MAX];
	struct writer w = writer_of(rdata, sizeof(rdata));
	struct edns e;
	if (rr->type == RRTYPE_OPT && edns_read(rr, &e) == E_OK) {
		uint8_t opt[EDNS_OPT_LEN + MESSAGE_MAX];
		struct writer to = writer_of(opt, sizeof(opt));
		edns_write(&to, &e);
		require(to.err == E_OK && writer_len(&to) == EDNS_OPT_LEN + (size_t)rr->rdlen);
	}
	r.end = r.pos;
	r.pos = r.start + (rr->rdata - r.start);
	if (rdata_from_message(rr->type, &r, rr->rdlen, &w) == E_OK) {
		require(rdata_check(rr->type, rdata, writer_len(&w)) == E_OK);
	}
}

static void read_message(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);
	struct message_header h;
	struct message_question q;
	count = 0;
	if (message_read_header(&r, &h) != E_OK) {
		require(size < MESSAGE_HEADER_LEN);
		return;
	}
	uint8_t again[MESSAGE_HEADER_LEN];
	message_write_header(again, &h);
	require(memcmp(again, data, sizeof(again)) == 0);
	if (h.count[SECTION_QUESTION] != 0 && message_read_question(&r, &q) == E_OK) {
		dname_set(&names[count++], q.name);
	}
	struct message_rr rr;
	while (count < RECORDS_MAX && reader_left(&r) != 0 && message_read_rr(&r, &rr) == E_OK) {
		names[count++] = rr.owner;
		read_rdata(r, &rr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct compress c;
	static uint8_t out[RECORDS_MAX * DNAME_MAX + MESSAGE_HEADER_LEN];
	if (size > MESSAGE_MAX) {
		return 0;
	}
	read_message(data, size);
	struct writer w = writer_of(out, sizeof(out));
	(void)writer_room(&w, MESSAGE_HEADER_LEN);
	compress_begin(&c);
	for (size_t i = 0; i < count; i++) {
		at[i] = writer_len(&w);
		(void)compress_name(&c, &w, names[i].wire);
	}
	require(w.err == E_OK);
	for (size_t i = 0; i < count; i++) {
		struct reader r = reader_of(out, writer_len(&w));
		struct dname got;
		r.pos += at[i];
		require(dname_read_compressed(&r, &got) == E_OK && got.len == names[i].len &&
			memcmp(got.wire, names[i].wire, got.len) == 0);
	}
	return 0;
}

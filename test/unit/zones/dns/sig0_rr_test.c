/* test/unit/zones/dns/sig0_rr_test.c - SIG(0) records written, found and read back, and those that stand where they may
 * not. */
#include "zones/dns/sig0_rr.h"

#include "test/unit/unit.h"
#include "zones/dns/rrtype.h"

struct message {
	uint8_t octets[2048];
	struct writer w;
};

static void begin(struct message *m)
{
	const struct message_header h = { .id = 7, .count = { 1, 0, 0, 0 } };
	m->w = writer_of(m->octets, sizeof(m->octets));
	message_write_header(writer_room(&m->w, MESSAGE_HEADER_LEN), &h);
	writer_bytes(&m->w, "\1z\0\0\6\0\1", 7);
}

static void count(struct message *m, enum section section)
{
	uint8_t *to = m->octets + 4 + 2 * section;
	be16_put(to, (uint16_t)(be16_get(to) + 1));
}

/* A record of @type whose rdata is @len octets at @rdata. */
static void add(struct message *m, enum section section, const char *owner, uint16_t type,
		const void *rdata, size_t len)
{
	writer_bytes(&m->w, owner, dname_len((const uint8_t *)owner));
	writer_u16(&m->w, type);
	writer_u16(&m->w, type == RRTYPE_SIG ? RRCLASS_ANY : RRCLASS_IN);
	writer_u32(&m->w, 0);
	writer_u16(&m->w, (uint16_t)len);
	writer_bytes(&m->w, rdata, len);
	count(m, section);
}

static struct sig0_rr sample(size_t signature_len)
{
	static const uint8_t signature[600] = "signature";
	struct sig0_rr rr = { .algorithm = 13,
			      .original_ttl = 4,
			      .expiration = 0x80000001,
			      .inception = 3,
			      .key_tag = 0xfedc,
			      .signature_len = (uint16_t)signature_len,
			      .signature = signature };
	dname_set(&rr.signer, (const uint8_t *)"\4Host\1z");
	return rr;
}

static void add_sample(struct message *m)
{
	const struct sig0_rr rr = sample(64);
	sig0_rr_write(&m->w, &rr);
	count(m, SECTION_ADDITIONAL);
}

static int find(const struct message *m, struct sig0_rr *out, size_t *at)
{
	return sig0_rr_find(m->octets, writer_len(&m->w), out, at);
}

static int why(const struct message *m)
{
	struct sig0_rr rr;
	size_t at;
	return find(m, &rr, &at);
}

START_TEST(round_trip)
{
	static const size_t lens[] = { 0, 1, 64, 512 };
	struct message m;
	struct sig0_rr out;
	size_t at;
	const struct sig0_rr rr = sample(lens[_i]);
	begin(&m);
	add(&m, SECTION_AUTHORITY, "\1a\1z", RRTYPE_A, "\300\0\2\1", 4);
	size_t before = writer_len(&m.w);
	sig0_rr_write(&m.w, &rr);
	count(&m, SECTION_ADDITIONAL);
	ck_assert_int_eq(m.w.err, E_OK);
	ck_assert_int_eq(find(&m, &out, &at), E_OK);
	ck_assert_uint_eq(at, before);
	ck_assert_uint_eq(out.algorithm, 13);
	ck_assert_uint_eq(out.original_ttl, 4);
	ck_assert_uint_eq(out.expiration, 0x80000001);
	ck_assert_uint_eq(out.inception, 3);
	ck_assert_uint_eq(out.key_tag, 0xfedc);
	ck_assert_mem_eq(out.signer.wire, "\4Host\1z", 8); /* in the case it came in */
	ck_assert_uint_eq(out.signature_len, lens[_i]);
	ck_assert_mem_eq(out.signature, rr.signature, lens[_i]);
	/* No room: nothing. */
	for (size_t room = 0; room < writer_len(&m.w) - before; room++) {
		uint8_t small[1024];
		struct writer w = writer_of(small, room);
		sig0_rr_write(&w, &rr);
		ck_assert_int_eq(w.err, E_NOSPACE);
		ck_assert_uint_eq(writer_len(&w), 0);
	}
}
END_TEST

START_TEST(none_is_there)
{
	struct message m;
	begin(&m);
	ck_assert_int_eq(why(&m), E_NOENT);
	/* SIG records that cover a type are data, as are those that are to be removed. */
	add(&m, SECTION_AUTHORITY, "\1a\1z", RRTYPE_SIG, "\0\1\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
	    19);
	add(&m, SECTION_AUTHORITY, "\1a\1z", RRTYPE_SIG, "", 0);
	add(&m, SECTION_ADDITIONAL, "", RRTYPE_A, "\300\0\2\1", 4);
	ck_assert_int_eq(why(&m), E_NOENT);
}
END_TEST

START_TEST(places)
{
	struct message m;
	begin(&m);
	add_sample(&m);
	add_sample(&m);
	ck_assert_int_eq(why(&m), E_INVAL); /* two */
	begin(&m);
	add_sample(&m);
	add(&m, SECTION_ADDITIONAL, "", RRTYPE_A, "\300\0\2\1", 4);
	ck_assert_int_eq(why(&m), E_INVAL); /* not the last */
	begin(&m);
	add_sample(&m);
	add(&m, SECTION_ADDITIONAL, "", RRTYPE_TSIG, "", 0);
	ck_assert_int_eq(why(&m), E_INVAL); /* nor before a TSIG (RFC 2931 §3.1) */
	begin(&m);
	add_sample(&m);
	be16_put(m.octets + 8, 1);
	be16_put(m.octets + 10, 0);
	ck_assert_int_eq(why(&m), E_INVAL); /* in the update section */
	begin(&m);
	add_sample(&m);
	writer_u8(&m.w, 0);
	ck_assert_int_eq(why(&m), E_TRAILING);
}
END_TEST

START_TEST(fields)
{
	static const uint8_t rdata[] = "\0\0\15\0\0\0\0\0\0\0\0\2\0\0\0\1\0\7\1h\1z\0sig";
	struct message m;
	struct sig0_rr rr;
	size_t at;
	begin(&m);
	add(&m, SECTION_ADDITIONAL, "", RRTYPE_SIG, rdata, sizeof(rdata) - 1);
	ck_assert_int_eq(find(&m, &rr, &at), E_OK);
	ck_assert_uint_eq(rr.signature_len, 3);
	/* Cut anywhere behind what says that it is one. */
	for (size_t len = 2; len < 23; len++) {
		begin(&m);
		add(&m, SECTION_ADDITIONAL, "", RRTYPE_SIG, rdata, len);
		ck_assert_int_eq(why(&m), E_TRUNC);
	}
	begin(&m);
	add(&m, SECTION_ADDITIONAL, "\1a", RRTYPE_SIG, rdata, sizeof(rdata) - 1);
	ck_assert_int_eq(why(&m), E_INVAL); /* owner */
	begin(&m);
	add(&m, SECTION_ADDITIONAL, "", RRTYPE_SIG, rdata, sizeof(rdata) - 1);
	m.octets[MESSAGE_HEADER_LEN + 7 + 4] = RRCLASS_IN;
	ck_assert_int_eq(why(&m), E_INVAL); /* class */
	begin(&m);
	add(&m, SECTION_ADDITIONAL, "", RRTYPE_SIG, rdata, sizeof(rdata) - 1);
	m.octets[MESSAGE_HEADER_LEN + 7 + 1 + MESSAGE_RR_FIXED + 3] = 1;
	ck_assert_int_eq(why(&m), E_INVAL); /* labels */
}
END_TEST

/* The signer's name may be compressed; what is signed has it in full. */
START_TEST(compressed_signer)
{
	static const uint8_t rdata[] = "\0\0\15\0\0\0\0\0\0\0\0\2\0\0\0\1\0\7\1h\300\14sig";
	uint8_t head[SIG0_HEAD_MAX];
	struct message m;
	struct sig0_rr rr;
	size_t at;
	begin(&m);
	add(&m, SECTION_ADDITIONAL, "", RRTYPE_SIG, rdata, sizeof(rdata) - 1);
	ck_assert_int_eq(find(&m, &rr, &at), E_OK);
	ck_assert_uint_eq(rr.signature_len, 3);
	ck_assert_mem_eq(rr.signature, "sig", 3);
	ck_assert_uint_eq(sig0_rr_head(&rr, head), SIG0_FIXED + 5);
	ck_assert_mem_eq(head, "\0\0\15\0\0\0\0\0\0\0\0\2\0\0\0\1\0\7\1h\1z\0", SIG0_FIXED + 5);
	begin(&m);
	add(&m, SECTION_ADDITIONAL, "", RRTYPE_SIG, "\0\0\15\0\0\0\0\0\0\0\0\2\0\0\0\1\0\7\300\60",
	    20);
	ck_assert_int_eq(why(&m), E_LOOP);
}
END_TEST

START_TEST(messages_that_are_none)
{
	struct message m;
	struct sig0_rr rr;
	size_t at;
	begin(&m);
	add_sample(&m);
	for (size_t len = 0; len < writer_len(&m.w); len++) {
		ck_assert_int_eq(sig0_rr_find(m.octets, len, &rr, &at), E_TRUNC);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("sig0_rr");
	tcase_add_loop_test(tc, round_trip, 0, 4);
	tcase_add_test(tc, none_is_there);
	tcase_add_test(tc, places);
	tcase_add_test(tc, fields);
	tcase_add_test(tc, compressed_signer);
	tcase_add_test(tc, messages_that_are_none);
	return unit_run("zones/dns/sig0_rr", tc);
}

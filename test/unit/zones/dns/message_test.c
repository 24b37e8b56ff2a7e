/* test/unit/zones/dns/message_test.c - reading and writing parts of messages. */
#include "zones/dns/message.h"

#include "test/unit/unit.h"

static struct reader over(const void *data, size_t len)
{
	return reader_of(data, len);
}
#define OVER(text) over(text, sizeof(text) - 1)

START_TEST(header_round_trip)
{
	static const uint8_t wire[] = { 0x12, 0x34, 0x85, 0x83, 0, 1, 0, 2, 0, 3, 0xff, 0xfe };
	struct reader r = over(wire, sizeof(wire));
	struct message_header h;
	uint8_t out[MESSAGE_HEADER_LEN];
	ck_assert_int_eq(message_read_header(&r, &h), E_OK);
	ck_assert_uint_eq(h.id, 0x1234);
	ck_assert_uint_eq(h.flags, MESSAGE_QR | MESSAGE_AA | MESSAGE_RD | MESSAGE_RA | 3);
	ck_assert_uint_eq(h.count[SECTION_QUESTION], 1);
	ck_assert_uint_eq(h.count[SECTION_ADDITIONAL], 0xfffe);
	message_write_header(out, &h);
	ck_assert_mem_eq(out, wire, sizeof(wire));
	for (size_t len = 0; len < sizeof(wire); len++) {
		r = over(wire, len);
		ck_assert_int_eq(message_read_header(&r, &h), E_TRUNC);
	}
}
END_TEST

START_TEST(opcodes)
{
	for (unsigned i = 0; i < 16; i++) {
		ck_assert_uint_eq(message_opcode((uint16_t)(i << 11)), i);
		ck_assert_uint_eq(message_opcode((uint16_t)(i << 11 | 0x87ff)), i);
	}
}
END_TEST

START_TEST(questions)
{
	struct message_question q;
	struct reader r = OVER("\3www\7example\0\0\1\0\3");
	ck_assert_int_eq(message_read_question(&r, &q), E_OK);
	ck_assert_ptr_eq(q.name, r.start);
	ck_assert_uint_eq(q.type, 1);
	ck_assert_uint_eq(q.class, 3);
	ck_assert_uint_eq(reader_left(&r), 0);
	r = OVER("\3www\0\0\1\0");
	ck_assert_int_eq(message_read_question(&r, &q), E_TRUNC);
	r = OVER("\3www\xc0\0\0\1\0\1");
	ck_assert_int_eq(message_read_question(&r, &q), E_NAME);
	r = OVER("");
	ck_assert_int_eq(message_read_question(&r, &q), E_TRUNC);
}
END_TEST

START_TEST(records)
{
	static const char wire[] = "\1a\0"
				   "\1b\xc0\0\0\1\0\1\1\2\3\4\0\4wxyz";
	struct reader r = OVER(wire);
	struct message_rr rr;
	r.pos += 3;
	ck_assert_int_eq(message_read_rr(&r, &rr), E_OK);
	ck_assert_mem_eq(rr.owner.wire, "\1b\1a", 5);
	ck_assert_uint_eq(rr.owner.len, 5);
	ck_assert_uint_eq(rr.type, 1);
	ck_assert_uint_eq(rr.class, 1);
	ck_assert_uint_eq(rr.ttl, 0x01020304);
	ck_assert_uint_eq(rr.rdlen, 4);
	ck_assert_mem_eq(rr.rdata, "wxyz", 4);
	ck_assert_uint_eq(reader_left(&r), 0);
	for (size_t len = 3; len < sizeof(wire) - 1; len++) {
		r = over(wire, len);
		r.pos += 3;
		ck_assert_int_eq(message_read_rr(&r, &rr), E_TRUNC);
	}
	/* A pointer to itself, one forwards. */
	r = OVER("\xc0\0\0\1\0\1\1\2\3\4\0\0");
	ck_assert_int_eq(message_read_rr(&r, &rr), E_LOOP);
	r = OVER("\xc0\2\0\1\0\1\1\2\3\4\0\0");
	ck_assert_int_eq(message_read_rr(&r, &rr), E_LOOP);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("message");
	tcase_add_test(tc, header_round_trip);
	tcase_add_test(tc, opcodes);
	tcase_add_test(tc, questions);
	tcase_add_test(tc, records);
	return unit_run("message", tc);
}

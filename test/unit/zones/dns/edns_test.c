/* test/unit/zones/dns/edns_test.c - the OPT record. */
#include "zones/dns/edns.h"

#include "test/unit/unit.h"
#include "zones/dns/rrtype.h"

static int read_opt(const char *wire, size_t len, struct edns *e)
{
	struct reader r = reader_of(wire, len);
	struct message_rr rr;
	ck_assert_int_eq(message_read_rr(&r, &rr), E_OK);
	ck_assert_uint_eq(rr.type, RRTYPE_OPT);
	return edns_read(&rr, e);
}
#define READ(wire, e) read_opt(wire, sizeof(wire) - 1, e)

START_TEST(fields)
{
	struct edns e;
	ck_assert_int_eq(READ("\0\0\x29\x10\x01\x02\x03\x80\x04\0\x09\0\3\0\0\0\x0a\0\1x", &e),
			 E_OK);
	ck_assert(e.present);
	ck_assert_uint_eq(e.udp_size, 0x1001);
	ck_assert_uint_eq(e.rcode_high, 2);
	ck_assert_uint_eq(e.version, 3);
	ck_assert_uint_eq(e.flags, EDNS_DO | 4);
	ck_assert_uint_eq(e.options_len, 9);
	struct reader r = reader_of(e.options, e.options_len);
	struct edns_option o;
	ck_assert(edns_next_option(&r, &o));
	ck_assert_uint_eq(o.code, 3);
	ck_assert_uint_eq(o.len, 0);
	ck_assert(edns_next_option(&r, &o));
	ck_assert_uint_eq(o.code, 10);
	ck_assert_uint_eq(o.len, 1);
	ck_assert_uint_eq(o.data[0], 'x');
	ck_assert(!edns_next_option(&r, &o));
	ck_assert_int_eq(r.err, E_OK);
}
END_TEST

START_TEST(malformed)
{
	struct edns e = { .udp_size = 7 };
	ck_assert_int_eq(READ("\1a\0\0\x29\0\0\0\0\0\0\0\0", &e), E_INVAL);
	ck_assert_int_eq(READ("\0\0\x29\0\0\0\0\0\0\0\3\0\1\0", &e), E_TRUNC);
	ck_assert_int_eq(READ("\0\0\x29\0\0\0\0\0\0\0\4\0\1\0\1", &e), E_TRUNC);
	ck_assert_int_eq(READ("\0\0\x29\0\0\0\0\0\0\0\5\0\1\0\0z", &e), E_TRUNC);
	ck_assert_uint_eq(e.udp_size, 7); /* untouched on failure */
	ck_assert(!e.present);
}
END_TEST

START_TEST(round_trip)
{
	const struct edns in = { .udp_size = 1232,
				 .rcode_high = 1,
				 .flags = EDNS_DO,
				 .options = (const uint8_t *)"\0\3\0\2hi",
				 .options_len = 6 };
	uint8_t wire[EDNS_OPT_LEN + 6];
	struct writer w = writer_of(wire, sizeof(wire));
	struct edns out;
	edns_write(&w, &in);
	ck_assert_int_eq(w.err, E_OK);
	ck_assert_uint_eq(writer_len(&w), sizeof(wire));
	ck_assert_int_eq(read_opt((const char *)wire, sizeof(wire), &out), E_OK);
	ck_assert_uint_eq(out.udp_size, 1232);
	ck_assert_uint_eq(out.rcode_high, 1);
	ck_assert_uint_eq(out.version, 0);
	ck_assert_uint_eq(out.flags, EDNS_DO);
	ck_assert_mem_eq(out.options, "\0\3\0\2hi", 6);
	w = writer_of(wire, sizeof(wire) - 1);
	edns_write(&w, &in);
	ck_assert_int_eq(w.err, E_NOSPACE);
	ck_assert_uint_eq(writer_len(&w), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("edns");
	tcase_add_test(tc, fields);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, round_trip);
	return unit_run("edns", tc);
}

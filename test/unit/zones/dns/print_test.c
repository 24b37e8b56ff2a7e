/* test/unit/zones/dns/print_test.c - what is printed into a buffer ends in a NUL, as buf.h promises. */
#include <stdlib.h>
#include <string.h>

#include "test/unit/unit.h"
#include "zones/dns/dname.h"
#include "zones/dns/rdata.h"

static const struct {
	uint16_t type;
	const char *text;
} samples[] = {
	{ RRTYPE_A, "192.0.2.1" },
	{ RRTYPE_AAAA, "2001:db8::1" },
	{ RRTYPE_NS, "ns.example." },
	{ RRTYPE_TXT, "\"a\" \"b\\\"c\"" },
	{ RRTYPE_DS, "1 13 2 0123456789ABCDEF" },
	{ RRTYPE_NSEC, "a.example. A NS RRSIG NSEC" },
	{ RRTYPE_NSEC3, "1 0 0 AABB 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A" },
	{ RRTYPE_NSEC3PARAM, "1 0 0 -" },
	{ RRTYPE_DNSKEY, "257 3 13 AAECAwQF" },
	{ RRTYPE_RRSIG, "A 13 2 300 20300101000000 20200101000000 1 example. AAECAwQF" },
	{ 65280, "\\# 3 010203" },
};

START_TEST(printed_rdata_is_terminated)
{
	/* A fresh buffer full of other octets for each: nothing may rely on what is there. */
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		uint8_t rdata[512];
		struct writer w = writer_of(rdata, sizeof(rdata));
		struct errmsg em = { "" };
		struct buf out = { 0 };
		memset(buf_reserve(&out, 500), 'x', 500);
		ck_assert_msg(rdata_from_string(samples[i].type, samples[i].text, NULL, &w, &em) ==
				      E_OK,
			      "%s", em.text);
		rdata_to_text(samples[i].type, rdata, writer_len(&w), &out);
		ck_assert_str_eq(out.data, samples[i].text);
		buf_clear(&out);
	}
}
END_TEST

START_TEST(printed_name_is_terminated)
{
	struct dname d;
	struct buf out = { 0 };
	memset(buf_reserve(&out, 2000), 'x', 2000);
	ck_assert_int_eq(dname_from_text(&d, "www.example.", 12, NULL, NULL), E_OK);
	dname_print(&out, d.wire);
	ck_assert_str_eq(out.data, "www.example.");
	buf_clear(&out);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("print");
	tcase_add_test(tc, printed_rdata_is_terminated);
	tcase_add_test(tc, printed_name_is_terminated);
	return unit_run("zones/dns/print", tc);
}

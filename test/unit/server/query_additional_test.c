/* test/unit/server/query_additional_test.c - what goes with an answer: addresses, SRV sets, aliased services. */
#include "test/unit/server/query_unit.h"

#define SOA "example. 300 SOA ns.elsewhere. host 1 3600 900 1209600 100\n NS ns.elsewhere.\n"

static const char records[] = SOA
	"a A 192.0.2.1\na AAAA 2001:db8::1\n"
	"b A 192.0.2.2\n"
	"_s._tcp SRV 0 0 1 a\n_s._tcp SRV 0 0 2 b\n_none._tcp SRV 0 0 0 .\n"
	/* NAPTR by its flag (RFC 3403 §4.1) */
	"na NAPTR 1 1 \"a\" x \"\" a\nNA2 NAPTR 1 1 \"A\" x \"\" a\n"
	"ns NAPTR 1 1 \"S\" x \"\" _s._tcp\nnu NAPTR 1 1 \"u\" x \"!^.*$!sip:a@b!\" a\n"
	"ne NAPTR 1 1 \"\" x \"\" na\nnp NAPTR 1 1 \"as\" x \"\" a\nnsa NAPTR 1 1 \"s\" x \"\" a\n"
	/* SVCB and HTTPS (RFC 9460 §2.4, §4.1) */
	"own HTTPS 1 .\nown A 192.0.2.3\nown AAAA 2001:db8::3\n"
	"svc HTTPS 1 a alpn=h2\nsvc HTTPS 2 b\n"
	"alias HTTPS 0 svc\nalias2 HTTPS 0 own\nalias3 HTTPS 0 alias\nalias4 HTTPS 0 a\n"
	"other SVCB 0 svc\noff HTTPS 0 .\noff A 192.0.2.9\n"
	"loop HTTPS 0 loop\nfar HTTPS 0 svc.elsewhere.\n"
	"*.w HTTPS 1 .\n*.w A 192.0.2.4\n*.w MX 1 a\nc CNAME x.w\n"
	"self HTTPS 1 .\n"
	/* below a cut: glue, but nothing else of the child's */
	"sub NS ns.sub\nns.sub A 192.0.2.5\nsvc.sub HTTPS 1 .\nsvc.sub A 192.0.2.6\n"
	"_s.sub SRV 0 0 1 a\n"
	"cut HTTPS 0 svc.sub\ncuts NAPTR 1 1 s x \"\" _s.sub\n"
	"d DNAME t\nbelow HTTPS 0 svc.d\n";

START_TEST(what_goes_with_an_answer)
{
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_UNSIGNED, records);
	kit_serve(&k);
#define A_OF_A	 "AR a.example. 300 A 192.0.2.1\nAR a.example. 300 AAAA 2001:db8::1\n"
#define A_OF_B	 "AR b.example. 300 A 192.0.2.2\n"
#define A_OF_OWN "AR own.example. 300 A 192.0.2.3\nAR own.example. 300 AAAA 2001:db8::3\n"
#define SRV_SET(s)                                                                                 \
 s " _s._tcp.example. 300 SRV 0 0 1 a.example.\n" s " _s._tcp.example. 300 SRV 0 0 2 b.example.\n"
#define SVC_SET(s)                                                                                 \
 s " svc.example. 300 HTTPS 1 a.example. alpn=\"h2\"\n" s " svc.example. 300 HTTPS 2 b.example.\n"
	static const struct {
		const char *name, *type, *answer, *additional;
	} rows[] = {
		{ "_s._tcp.example.", "SRV", SRV_SET("AN"), A_OF_A A_OF_B },
		{ "_none._tcp.example.", "SRV", "AN _none._tcp.example. 300 SRV 0 0 0 .\n", "" },
		{ "na.example.", "NAPTR", NULL, A_OF_A },
		{ "na2.example.", "NAPTR", NULL, A_OF_A },
		{ "ns.example.", "NAPTR", NULL, SRV_SET("AR") A_OF_A A_OF_B },
		{ "nu.example.", "NAPTR", NULL, "" },
		{ "ne.example.", "NAPTR", NULL, "" },
		{ "np.example.", "NAPTR", NULL, "" },
		{ "nsa.example.", "NAPTR", NULL, "" },
		{ "own.example.", "HTTPS", "AN own.example. 300 HTTPS 1 .\n", A_OF_OWN },
		{ "svc.example.", "HTTPS", SVC_SET("AN"), A_OF_A A_OF_B },
		{ "alias.example.", "HTTPS", NULL, SVC_SET("AR") A_OF_A A_OF_B },
		{ "alias2.example.", "HTTPS", NULL, "AR own.example. 300 HTTPS 1 .\n" A_OF_OWN },
		{ "alias3.example.", "HTTPS", NULL,
		  "AR alias.example. 300 HTTPS 0 svc.example.\n" SVC_SET("AR") },
		{ "alias4.example.", "HTTPS", NULL, A_OF_A },
		{ "other.example.", "SVCB", NULL, "" },
		{ "off.example.", "HTTPS", NULL, "" },
		{ "loop.example.", "HTTPS", NULL, "" },
		{ "far.example.", "HTTPS", NULL, "" },
		{ "x.w.example.", "HTTPS", "AN x.w.example. 300 HTTPS 1 .\n",
		  "AR x.w.example. 300 A 192.0.2.4\n" },
		{ "c.example.", "HTTPS",
		  "AN c.example. 300 CNAME x.w.example.\nAN x.w.example. 300 HTTPS 1 .\n",
		  "AR x.w.example. 300 A 192.0.2.4\n" },
		{ "x.w.example.", "MX", NULL, A_OF_A },
		{ "self.example.", "HTTPS", NULL, "" },
		{ "cut.example.", "HTTPS", NULL, "AR svc.sub.example. 300 A 192.0.2.6\n" },
		{ "cuts.example.", "NAPTR", NULL, "" },
		{ "below.example.", "HTTPS", NULL, "" },
		{ "own.example.", "A", NULL, "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf got = { 0 }, want = { 0 };
		kit_ask(&k, rows[i].name, rows[i].type, KIT_EDNS, &res);
		ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
		ck_assert_uint_gt(res.header.count[SECTION_ANSWER], 0);
		for (size_t r = 0; r < res.count; r++) {
			if (res.rr[r].section == SECTION_ADDITIONAL || rows[i].answer != NULL) {
				kit_show_record(&got, &res.rr[r]);
			}
		}
		buf_printf(&want, "%s%s", rows[i].answer != NULL ? rows[i].answer : "",
			   rows[i].additional);
		buf_str(&got, "");
		kit_sort_lines(&got);
		kit_sort_lines(&want);
		ck_assert_msg(got.len == want.len &&
				      (got.len == 0 || strcmp(got.data, want.data) == 0),
			      "%s %s\ngot:\n%s\nexpected:\n%s", rows[i].name, rows[i].type,
			      got.data, want.data);
		buf_clear(&got);
		buf_clear(&want);
	}
	kit_clear(&k);
}
END_TEST

/* Signed: signatures come along, made owners are covered by the proof that is there already. */
START_TEST(signed_services)
{
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_NSEC, records);
	kit_serve(&k);
	static const struct question q[] = {
		{ "alias2.example.", "HTTPS", KIT_DO,
		  "NOERROR aa\nAN alias2.example. 300 HTTPS 0 own.example.\n"
		  "AN alias2.example. 300 RRSIG HTTPS\nAR own.example. 300 HTTPS 1 .\n"
		  "AR own.example. 300 RRSIG HTTPS\n" A_OF_OWN
		  "AR own.example. 300 RRSIG A\nAR own.example. 300 RRSIG AAAA\n" },
		{ "x.w.example.", "HTTPS", KIT_DO,
		  "NOERROR aa\nAN x.w.example. 300 HTTPS 1 .\nAN x.w.example. 300 RRSIG HTTPS\n"
		  "NS *.w.example. 300 NSEC\nNS *.w.example. 300 RRSIG NSEC\n"
		  "AR x.w.example. 300 A 192.0.2.4\nAR x.w.example. 300 RRSIG A\n" },
	};
	ASK_ALL(&k, q);
	kit_clear(&k);
}
END_TEST

/* Where there is no room it is left out, without TC; each size is right. */
START_TEST(services_in_every_size)
{
	struct kit k;
	struct buf text = { 0 };
	kit_init(&k);
	buf_str(&text, SOA "al HTTPS 0 t\n");
	for (unsigned i = 0; i < 30; i++) {
		buf_printf(&text, "t HTTPS %u h%u alpn=h2,h3\nh%u A 192.0.2.%u\n", i + 1, i, i, i);
		buf_printf(&text, "m HTTPS %u . port=%u\n", i + 1, i);
	}
	buf_str(&text, "m A 192.0.2.1\n");
	zone(&k, "example.", KIT_NSEC, text.data);
	buf_clear(&text);
	kit_serve(&k);
	const struct dname name = kit_name("al.example.");
	k.config.udp_size = 4096;
	for (unsigned size = 512; size < 4096; size++) {
		kit_ask_size(&k, name.wire, kit_type("HTTPS"), KIT_DO, (uint16_t)size, &res);
		ck_assert_uint_eq(res.header.flags & MESSAGE_TC, 0);
		ck_assert_uint_eq(res.header.count[SECTION_ANSWER], 2);
	}
	ck_assert_uint_gt(res.header.count[SECTION_ADDITIONAL], 50);
	kit_ask(&k, "m.example.", "HTTPS", KIT_EDNS, &res);
	ck_assert_uint_eq(res.header.count[SECTION_ADDITIONAL], 2); /* once, and OPT */
	kit_clear(&k);
}
END_TEST

/* More targets than the table of sets has room for: no set stands twice (the kit looks). */
START_TEST(more_services_than_sets_are_kept)
{
	struct kit k;
	struct buf text = { 0 };
	kit_init(&k);
	buf_str(&text, SOA);
	for (unsigned i = 0; i < 120; i++) {
		buf_printf(&text, "t HTTPS %u .\nt HTTPS %u h%u\nh%u A 192.0.2.%u\nh%u AAAA ::%u\n",
			   2 * i + 1, 2 * i + 2, i % 60, i, i, i, i);
		buf_printf(&text, "s SVCB %u .\n", i + 1);
	}
	buf_str(&text, "t A 192.0.2.1\ns A 192.0.2.2\n");
	zone(&k, "example.", KIT_UNSIGNED, text.data);
	buf_clear(&text);
	kit_serve(&k);
	kit_ask(&k, "t.example.", "HTTPS", KIT_TCP, &res);
	ck_assert_uint_gt(res.header.count[SECTION_ADDITIONAL], 80);
	ck_assert_uint_lt(res.header.count[SECTION_ADDITIONAL], 100);
	kit_clear(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("query_additional");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_goes_with_an_answer);
	tcase_add_test(tc, signed_services);
	tcase_add_test(tc, services_in_every_size);
	tcase_add_test(tc, more_services_than_sets_are_kept);
	return unit_run("server/query_additional", tc);
}

/* test/unit/server/query_answer_test.c - kinds of answers of the query engine: chains, DNAME (RFC 6672), parent and child, ANY. */
#include "test/unit/server/query_unit.h"

/* --- chains ---------------------------------------------------------------------------------- */

START_TEST(chains_of_cname)
{
	static const struct question q[] = {
		{ "c1.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN c1.example. 300 CNAME c2.example.\n"
		  "AN c2.example. 300 CNAME h.other.\nAN h.other. 300 A 192.0.2.9\n" },
		{ "c1.example.", "CNAME", KIT_PLAIN,
		  "NOERROR aa\nAN c1.example. 300 CNAME c2.example.\n" },
		{ "c1.example.", "MX", KIT_PLAIN,
		  "NOERROR aa\nAN c1.example. 300 CNAME c2.example.\n"
		  "AN c2.example. 300 CNAME h.other.\nNS other. 60 SOA\n" },
		{ "dangling.example.", "A", KIT_PLAIN,
		  "NXDOMAIN aa\nAN dangling.example. 300 CNAME nowhere.other.\nNS other. 60 SOA\n" },
		{ "outside.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN outside.example. 300 CNAME www.not.here.\n" },
		{ "unloaded.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN unloaded.example. 300 CNAME a.empty.\n" },
		{ "loop1.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN loop1.example. 300 CNAME loop2.example.\n"
		  "AN loop2.example. 300 CNAME loop1.example.\n" },
		{ "self.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN self.example. 300 CNAME self.example.\n" },
		{ "cut.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN cut.example. 300 CNAME www.sub.example.\n"
		  "NS sub.example. 300 NS ns.sub.example.\nAR ns.sub.example. 300 A 192.0.2.7\n" },
		/* Two names from the same wildcard: no loop. */
		{ "a.w.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN a.w.example. 300 CNAME b.v.example.\n"
		  "AN b.v.example. 300 CNAME c.v.v.example.\n"
		  "AN c.v.v.example. 300 CNAME b.v.example.\n" },
		{ "c1.example.", "ANY", KIT_PLAIN,
		  "NOERROR aa\nAN c1.example. 300 CNAME c2.example.\n" },
		{ "mx.example.", "MX", KIT_PLAIN,
		  "NOERROR aa\nAN mx.example. 300 MX 10 h.other.\nAN mx.example. 300 MX 20 ns.sub.example.\n"
		  "AN mx.example. 300 MX 30 c1.example.\n"
		  "AR h.other. 300 A 192.0.2.9\nAR ns.sub.example. 300 A 192.0.2.7\n" },
	};
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_UNSIGNED,
	     "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n"
	     "c1 CNAME c2\nc2 CNAME h.other.\ndangling CNAME nowhere.other.\n"
	     "outside CNAME www.not.here.\nunloaded CNAME a.empty.\n"
	     "loop1 CNAME loop2\nloop2 CNAME loop1\nself CNAME self\n"
	     "cut CNAME www.sub\nsub NS ns.sub\nns.sub A 192.0.2.7\n"
	     "*.w CNAME b.v\n*.v CNAME c.v.v\n*.v.v CNAME b.v\nv.v TXT x\n"
	     "mx MX 10 h.other.\nmx MX 20 ns.sub\nmx MX 30 c1\n");
	zone(&k, "other.", KIT_UNSIGNED,
	     "other. 300 SOA ns host 1 3600 900 1209600 60\n NS ns.elsewhere.\nh A 192.0.2.9\n");
	(void)kit_zone(&k, "empty.");
	kit_serve(&k);
	ASK_ALL(&k, q);
	kit_clear(&k);
}
END_TEST

/* Sixteen hops are followed, a chain without end is not. */
START_TEST(chains_have_a_limit)
{
	struct kit k;
	struct buf text = { 0 };
	kit_init(&k);
	buf_str(&text, "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n");
	for (unsigned i = 0; i < 40; i++) {
		buf_printf(&text, "c%u CNAME c%u\n", i, i + 1);
	}
	buf_str(&text, "c40 A 192.0.2.1\nd DNAME d.d\n");
	zone(&k, "example.", KIT_UNSIGNED, text.data);
	kit_serve(&k);
	kit_ask(&k, "c24.example.", "A", KIT_EDNS, &res);
	ck_assert_uint_eq(res.count, 17); /* sixteen hops and the address */
	kit_ask(&k, "c23.example.", "A", KIT_EDNS, &res);
	ck_assert_uint_eq(res.count, 17);
	ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
	kit_ask(&k, "x.d.example.", "A", KIT_EDNS | KIT_TCP, &res);
	ck_assert_uint_eq(res.count, 18); /* the DNAME once, a CNAME for each hop */
	buf_clear(&text);
	kit_clear(&k);
}
END_TEST

/* --- RFC 6672 -------------------------------------------------------------------------------- */

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

START_TEST(rfc6672_dname)
{
	static const struct question q[] = {
		{ "www.d.example.", "A", KIT_DO,
		  "NOERROR aa\nAN d.example. 300 DNAME t.example.\nAN d.example. 300 RRSIG DNAME\n"
		  "AN www.d.example. 300 CNAME www.t.example.\n"
		  "AN www.t.example. 300 A 192.0.2.1\nAN www.t.example. 300 RRSIG A\n" },
		{ "www.d.example.", "CNAME", KIT_PLAIN,
		  "NOERROR aa\nAN d.example. 300 DNAME t.example.\n"
		  "AN www.d.example. 300 CNAME www.t.example.\n" },
		{ "www.d.example.", "DNAME", KIT_PLAIN,
		  "NOERROR aa\nAN d.example. 300 DNAME t.example.\n"
		  "AN www.d.example. 300 CNAME www.t.example.\nNS example. 100 SOA\n" },
		/* What is asked for is on the way already. */
		{ "d.loop.example.", "DNAME", KIT_DO,
		  "NOERROR aa\nAN loop.example. 300 DNAME example.\n"
		  "AN loop.example. 300 RRSIG DNAME\nAN d.loop.example. 300 CNAME d.example.\n"
		  "AN d.example. 300 DNAME t.example.\nAN d.example. 300 RRSIG DNAME\n" },
		{ "loop.loop.example.", "DNAME", KIT_DO,
		  "NOERROR aa\nAN loop.example. 300 DNAME example.\n"
		  "AN loop.example. 300 RRSIG DNAME\n"
		  "AN loop.loop.example. 300 CNAME loop.example.\n" },
		{ "loop.loop.example.", "RRSIG", KIT_PLAIN,
		  "NOERROR aa\nAN loop.example. 300 DNAME example.\n"
		  "AN loop.loop.example. 300 CNAME loop.example.\n"
		  "AN loop.example. 300 RRSIG DNAME\n" },
		{ "d.example.", "DNAME", KIT_PLAIN,
		  "NOERROR aa\nAN d.example. 300 DNAME t.example.\n" },
		{ "d.example.", "A", KIT_PLAIN, "NOERROR aa\nAN d.example. 300 A 192.0.2.5\n" },
		{ "d.example.", "MX", KIT_PLAIN, "NOERROR aa\nNS example. 100 SOA\n" },
		{ "no.d.example.", "A", KIT_DO,
		  "NXDOMAIN aa\nAN d.example. 300 DNAME t.example.\nAN d.example. 300 RRSIG DNAME\n"
		  "AN no.d.example. 300 CNAME no.t.example.\n"
		  "NS example. 100 SOA\nNS example. 100 RRSIG SOA\n"
		  "NS t.example. 300 NSEC\nNS t.example. 300 RRSIG NSEC\n" },
		{ "x.out.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN out.example. 300 DNAME not.here.\n"
		  "AN x.out.example. 300 CNAME x.not.here.\n" },
		{ "a.b.root.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN root.example. 300 DNAME .\nAN a.b.root.example. 300 CNAME a.b.\n" },
		{ L63 "." L63 "." L63 ".l.example.", "A", KIT_PLAIN,
		  "YXDOMAIN aa\nAN l.example. 300 DNAME " L63 ".example.\n" },
		{ "glue.d.example.", "A", KIT_PLAIN, /* what lies below a DNAME is not seen */
		  "NXDOMAIN aa\nAN d.example. 300 DNAME t.example.\n"
		  "AN glue.d.example. 300 CNAME glue.t.example.\nNS example. 100 SOA\n" },
	};
	struct kit k;
	kit_init(&k);
	k.config.udp_size = 4096;
	zone(&k, "example.", KIT_NSEC,
	     "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n"
	     "d DNAME t\nd A 192.0.2.5\nglue.d A 192.0.2.66\n"
	     "t TXT t\nwww.t A 192.0.2.1\nout DNAME not.here.\nroot DNAME .\nloop DNAME @\n"
	     "l DNAME " L63 "\n");
	kit_serve(&k);
	for (size_t i = 0; i < ARRAY_LEN(q); i++) {
		struct question tcp = q[i];
		tcp.how |= KIT_TCP;
		ask(&k, &tcp);
	}
	kit_clear(&k);
}
END_TEST

START_TEST(dname_at_the_apex_and_twice)
{
	static const struct question q[] = {
		{ "example.", "SOA", KIT_PLAIN, "NOERROR aa\nAN example. 300 SOA\n" },
		{ "a.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN example. 300 DNAME other.\nAN a.example. 300 CNAME a.other.\n"
		  "AN a.other. 300 A 192.0.2.9\n" },
		/* One DNAME gone through twice stands once. */
		{ "x.d.d.third.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN d.third. 300 DNAME third.\nAN x.d.d.third. 300 CNAME x.d.third.\n"
		  "AN x.d.third. 300 CNAME x.third.\nAN x.third. 300 A 192.0.2.3\n" },
	};
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_UNSIGNED,
	     "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n DNAME other.\n");
	zone(&k, "other.", KIT_UNSIGNED,
	     "other. 300 SOA ns host 1 3600 900 1209600 60\n NS ns.elsewhere.\na A 192.0.2.9\n");
	zone(&k, "third.", KIT_UNSIGNED,
	     "third. 300 SOA ns host 1 3600 900 1209600 60\n NS ns.elsewhere.\nd DNAME third.\n"
	     "x A 192.0.2.3\n");
	kit_serve(&k);
	ASK_ALL(&k, q);
	kit_clear(&k);
}
END_TEST

/* Each wildcard on the way of a chain has its proof, behind the whole answer. */
START_TEST(proofs_of_a_chain_stand_in_authority)
{
	static const struct question q[] = {
		{ "x.w.example.", "A", KIT_DO,
		  "NOERROR aa\nAN x.w.example. 300 CNAME y.v.example.\nAN x.w.example. 300 RRSIG CNAME\n"
		  "AN y.v.example. 300 CNAME z.u.example.\nAN y.v.example. 300 RRSIG CNAME\n"
		  "AN z.u.example. 300 A 192.0.2.1\nAN z.u.example. 300 RRSIG A\n"
		  "NS *.w.example. 300 NSEC\nNS *.w.example. 300 RRSIG NSEC\n"
		  "NS *.v.example. 300 NSEC\nNS *.v.example. 300 RRSIG NSEC\n"
		  "NS *.u.example. 300 NSEC\nNS *.u.example. 300 RRSIG NSEC\n" },
	};
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_NSEC,
	     "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n"
	     "*.w CNAME y.v\n*.v CNAME z.u\n*.u A 192.0.2.1\n");
	kit_serve(&k);
	ASK_ALL(&k, q);
	/* The sections stand in their order, whatever way the records were found. */
	for (size_t i = 1; i < res.count; i++) {
		ck_assert_int_ge(res.rr[i].section, res.rr[i - 1].section);
	}
	ck_assert_uint_eq(res.rr[0].type, RRTYPE_CNAME);
	kit_clear(&k);
}
END_TEST

/* --- parent and child ------------------------------------------------------------------------ */

#define DIGEST "1 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"

START_TEST(ds_comes_from_the_parent)
{
	static const struct question q[] = {
		{ "sec.example.", "DS", KIT_PLAIN, "NOERROR aa\nAN sec.example. 300 DS\n" },
		{ "sec.example.", "DNSKEY", KIT_PLAIN, "NOERROR aa\nAN sec.example. 300 DNSKEY\n" },
		{ "sec.example.", "NS", KIT_PLAIN,
		  "NOERROR aa\nAN sec.example. 300 NS ns.elsewhere.\n" },
		{ "ins.example.", "DS", KIT_DO,
		  "NOERROR aa\nNS example. 100 SOA\nNS example. 100 RRSIG SOA\n"
		  "NS ins.example. 300 NSEC\nNS ins.example. 300 RRSIG NSEC\n" },
		/* The parent b.example. is not served: what is said comes from the child. */
		{ "a.b.example.", "DS", KIT_PLAIN, "NOERROR aa\nNS a.b.example. 70 SOA\n" },
		{ "x.b.example.", "DS", KIT_PLAIN,
		  "NOERROR\nNS b.example. 300 NS ns.elsewhere.\n" },
		/* No parent at all. */
		{ "example.", "DS", KIT_PLAIN, "NOERROR aa\nNS example. 100 SOA\n" },
		{ "x.sec.example.", "A", KIT_PLAIN,
		  "NOERROR aa\nAN x.sec.example. 300 A 192.0.2.4\n" },
		{ "y.sec.example.", "A", KIT_PLAIN, "NXDOMAIN aa\nNS sec.example. 60 SOA\n" },
		/* A DS that nobody signed proves nothing in a referral; asked for, it is data. */
		{ "x.cut.ins.example.", "A", KIT_DO,
		  "NOERROR\nNS cut.ins.example. 300 NS ns.elsewhere.\n" },
		{ "cut.ins.example.", "DS", KIT_DO, "NOERROR aa\nAN cut.ins.example. 300 DS\n" },
		/* On the way of a chain, too. */
		{ "alias.example.", "DS", KIT_PLAIN,
		  "NOERROR aa\nAN alias.example. 300 CNAME sec.example.\nAN sec.example. 300 DS\n" },
		/* The parent has no version: nobody knows. */
		{ "child.empty.", "DS", KIT_PLAIN, "SERVFAIL\n" },
		{ "child.empty.", "SOA", KIT_PLAIN, "NOERROR aa\nAN child.empty. 300 SOA\n" },
		{ "empty.", "SOA", KIT_PLAIN, "SERVFAIL\n" },
		{ "x.empty.", "A", KIT_DO, "SERVFAIL\n" },
		{ "elsewhere.", "A", KIT_DO, "REFUSED\n" },
		{ ".", "NS", KIT_PLAIN, "REFUSED\n" },
		{ ".", "DS", KIT_PLAIN, "REFUSED\n" },
	};
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_NSEC,
	     "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n"
	     "sec NS ns.elsewhere.\nsec DS " DIGEST "\nins NS ns.elsewhere.\n"
	     "b NS ns.elsewhere.\nalias CNAME sec\n");
	zone(&k, "sec.example.", KIT_NSEC,
	     "sec.example. 300 SOA ns host 1 3600 900 1209600 60\n NS ns.elsewhere.\nx A 192.0.2.4\n");
	zone(&k, "ins.example.", KIT_UNSIGNED,
	     "ins.example. 300 SOA ns host 1 3600 900 1209600 60\n NS ns.elsewhere.\n"
	     "cut NS ns.elsewhere.\ncut DS " DIGEST "\n");
	zone(&k, "a.b.example.", KIT_UNSIGNED,
	     "a.b.example. 300 SOA ns host 1 3600 900 1209600 70\n NS ns.elsewhere.\n");
	(void)kit_zone(&k, "empty.");
	zone(&k, "child.empty.", KIT_UNSIGNED,
	     "child.empty. 300 SOA ns host 1 3600 900 1209600 70\n NS ns.elsewhere.\n");
	kit_serve(&k);
	ASK_ALL(&k, q);
	kit_clear(&k);
}
END_TEST

START_TEST(root_zone)
{
	static const struct question q[] = {
		{ ".", "NS", KIT_PLAIN,
		  "NOERROR aa\nAN . 300 NS a.root-servers.net.\nAN . 300 NS b.root-servers.net.\n" },
		{ ".", "DS", KIT_DO,
		  "NOERROR aa\nNS . 100 SOA\nNS . 100 RRSIG SOA\nNS . 300 NSEC\n"
		  "NS . 300 RRSIG NSEC\n" },
		{ "nosuch.", "A", KIT_DO,
		  "NXDOMAIN aa\nNS . 100 SOA\nNS . 100 RRSIG SOA\n"
		  "NS net. 300 NSEC\nNS net. 300 RRSIG NSEC\nNS . 300 NSEC\nNS . 300 RRSIG NSEC\n" },
		{ "www.example.net.", "A", KIT_PLAIN,
		  "NOERROR\nNS net. 300 NS a.gtld.net.\nNS net. 300 NS a.gtld.org.\n"
		  "AR a.gtld.net. 300 A 192.0.2.1\nAR a.gtld.org. 300 A 192.0.2.2\n" },
	};
	struct kit k;
	kit_init(&k);
	zone(&k, ".", KIT_NSEC,
	     ". 300 SOA ns host 1 3600 900 1209600 100\n NS a.root-servers.net.\n"
	     " NS b.root-servers.net.\n"
	     "net. NS a.gtld.net.\nnet. NS a.gtld.org.\na.gtld.net. A 192.0.2.1\n"
	     "a.gtld.org. A 192.0.2.2\n");
	kit_serve(&k);
	ASK_ALL(&k, q);
	kit_clear(&k);
}
END_TEST

/* --- ANY ------------------------------------------------------------------------------------- */

START_TEST(any_gets_one_set)
{
	static const struct question q[] = {
		{ "m.example.", "ANY", KIT_PLAIN, "NOERROR aa\nAN m.example. 300 A 192.0.2.1\n" },
		{ "m.example.", "ANY", KIT_DO | KIT_TCP,
		  "NOERROR aa\nAN m.example. 300 A 192.0.2.1\nAN m.example. 300 RRSIG A\n" },
		{ "x.w.example.", "ANY", KIT_DO,
		  "NOERROR aa\nAN x.w.example. 300 MX 1 m.example.\nAN x.w.example. 300 RRSIG MX\n"
		  "NS *.w.example. 300 NSEC\nNS *.w.example. 300 RRSIG NSEC\n" },
		{ "late.example.", "ANY", KIT_PLAIN,
		  "NOERROR aa\nAN late.example. 300 TLSA 1 1 1 00\n" },
		{ "w.example.", "ANY", KIT_PLAIN, "NOERROR aa\nNS example. 100 SOA\n" },
		{ "no.example.", "ANY", KIT_PLAIN, "NXDOMAIN aa\nNS example. 100 SOA\n" },
		{ "x.d.example.", "ANY", KIT_PLAIN,
		  "NOERROR\nNS d.example. 300 NS ns.elsewhere.\n" },
		/* A referral is none without its glue (RFC 9471), whatever is asked. */
		{ "x.g.example.", "ANY", KIT_PLAIN,
		  "NOERROR\nNS g.example. 300 NS ns.g.example.\nAR ns.g.example. 300 A 192.0.2.2\n" },
	};
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_NSEC,
	     "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n"
	     "g NS ns.g\nns.g A 192.0.2.2\n"
	     "m A 192.0.2.1\nm AAAA 2001:db8::1\nm TXT x\n*.w MX 1 m\nd NS ns.elsewhere.\nlate TLSA 1 1 1 00\n");
	kit_serve(&k);
	ASK_ALL(&k, q);
	kit_ask(&k, "x.w.example.", "ANY", KIT_PLAIN, &res);
	ck_assert_uint_eq(res.count, 1); /* nor anything additional */
	kit_clear(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("query_answer");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, chains_of_cname);
	tcase_add_test(tc, chains_have_a_limit);
	tcase_add_test(tc, rfc6672_dname);
	tcase_add_test(tc, dname_at_the_apex_and_twice);
	tcase_add_test(tc, proofs_of_a_chain_stand_in_authority);
	tcase_add_test(tc, ds_comes_from_the_parent);
	tcase_add_test(tc, root_zone);
	tcase_add_test(tc, any_gets_one_set);
	return unit_run("server/query_answer", tc);
}

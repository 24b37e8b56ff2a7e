/* test/unit/zones/ddns_test.c - dynamic updates: each form and each rcode, from message to zone. */
#include "zones/ddns.h"

#include "test/unit/unit.h"
#include "test/unit/zones/ddns_kit.h"

#define SOA_1 "@ 300 SOA ns host 1 3600 900 1209600 300\n"
#define APEX  SOA_1 "@ 300 NS ns\n@ 300 NS ns2\n"

/* A name as the signer leaves it. */
#define SIG(type) #type " 13 2 300 20300101000000 20200101000000 1 z. AAAA"
static const char zone[] = APEX "@ 300 MX 10 mail\n@ 300 RRSIG " SIG(
	SOA) "\n@ 300 NSEC a SOA NS MX RRSIG NSEC DNSKEY\n"
	     "@ 300 DNSKEY 257 3 13 AAAA\n@ 0 CDS 1 13 2 00\n@ 300 ZONEMD 1 1 1 "
	     "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\n"
	     "a 300 A 192.0.2.1\na 300 A 192.0.2.2\na 300 RRSIG " SIG(
		     A) "\na 300 TXT \"x\"\n"
			"a 300 NSEC b A TXT RRSIG NSEC\n"
			"b 300 A 192.0.2.3\nb 300 NSEC c A RRSIG NSEC\nb 300 RRSIG " SIG(
				NSEC) "\n"
				      "c 300 CNAME a\nc 300 NSEC d CNAME RRSIG NSEC\n"
				      "d 300 DNAME a\n"
				      "e.f 300 MX 10 Mail\n"
				      "g 300 NSEC @ NSEC\n"
				      "w 300 WKS 192.0.2.1 6 25\n"
				      "sub 300 NS ns.sub\nns.sub 300 A 192.0.2.4\n"
				      "*.x 300 A 192.0.2.5\n";

struct step {
	const char *request;
	enum rcode rcode;
	const char *added;   /* lines of the zone that come, or NULL */
	const char *removed; /* ... that go */
};

/* clang-format off */
static const struct step steps[] = {
	/* Prerequisites: names. */
	{ "yxdomain a\n", RCODE_NOERROR, NULL, NULL },
	{ "yxdomain A\n", RCODE_NOERROR, NULL, NULL },
	{ "nxdomain a\n", RCODE_YXDOMAIN, NULL, NULL },
	{ "yxdomain no\n", RCODE_NXDOMAIN, NULL, NULL },
	{ "nxdomain no\n", RCODE_NOERROR, NULL, NULL },
	{ "nxdomain f\n", RCODE_NOERROR, NULL, NULL }, /* an empty non-terminal */
	{ "nxdomain g\n", RCODE_NOERROR, NULL, NULL }, /* an NSEC alone */
	{ "yxdomain g\n", RCODE_NXDOMAIN, NULL, NULL },
	{ "nxdomain y.x\n", RCODE_NOERROR, NULL, NULL }, /* the wildcard does not stand for it */
	{ "yxdomain *.x\n", RCODE_NOERROR, NULL, NULL },
	{ "yxdomain ns.sub\n", RCODE_NOERROR, NULL, NULL }, /* glue */
	/* Sets. */
	{ "yxrrset a A\n", RCODE_NOERROR, NULL, NULL },
	{ "yxrrset a AAAA\n", RCODE_NXRRSET, NULL, NULL },
	{ "yxrrset no A\n", RCODE_NXRRSET, NULL, NULL },
	{ "nxrrset a AAAA\n", RCODE_NOERROR, NULL, NULL },
	{ "nxrrset a A\n", RCODE_YXRRSET, NULL, NULL },
	{ "nxrrset no A\n", RCODE_NOERROR, NULL, NULL },
	{ "yxrrset a RRSIG\n", RCODE_NOERROR, NULL, NULL },
	{ "nxrrset c RRSIG\n", RCODE_NOERROR, NULL, NULL },
	{ "yxrrset g NSEC\n", RCODE_NOERROR, NULL, NULL },
	/* Values: the whole set. */
	{ "yxrrset a A 192.0.2.1\nyxrrset a A 192.0.2.2\n", RCODE_NOERROR, NULL, NULL },
	{ "yxrrset a A 192.0.2.2\nyxrrset b A 192.0.2.3\nyxrrset A A 192.0.2.1\n", RCODE_NOERROR, NULL, NULL },
	{ "yxrrset a A 192.0.2.2\nyxrrset a A 192.0.2.1\nyxrrset a A 192.0.2.2\n", RCODE_NOERROR, NULL, NULL },
	{ "yxrrset a A 192.0.2.1\n", RCODE_NXRRSET, NULL, NULL },
	{ "yxrrset a A 192.0.2.1\nyxrrset a A 192.0.2.2\nyxrrset a A 192.0.2.3\n", RCODE_NXRRSET, NULL, NULL },
	{ "yxrrset a A 192.0.2.1\nyxrrset a A 192.0.2.3\n", RCODE_NXRRSET, NULL, NULL },
	{ "yxrrset no A 192.0.2.1\n", RCODE_NXRRSET, NULL, NULL },
	{ "yxrrset e.f MX 10 mAIL\n", RCODE_NOERROR, NULL, NULL },
	{ "yxrrset e.f MX 11 mail\n", RCODE_NXRRSET, NULL, NULL },
	/* A good one does not help one that is not. */
	{ "yxrrset a A 192.0.2.1\nyxrrset a A 192.0.2.2\nyxrrset a TXT \"y\"\n", RCODE_NXRRSET, NULL, NULL },
	{ "yxdomain a\nnxrrset a A\nadd n 300 A 192.0.2.1\n", RCODE_YXRRSET, NULL, NULL },
	/* Presence is found out before values. */
	{ "yxrrset a A 192.0.2.1\nyxdomain no\n", RCODE_NXDOMAIN, NULL, NULL },
	/* Malformed ones. */
	{ "pre . ANY ANY 0 -\n", RCODE_NOTZONE, NULL, NULL },
	{ "pre zz. ANY ANY 1 -\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a ANY ANY 1 -\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a ANY A 1 -\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a ANY A 0 c0000201\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a NONE A 0 c0000201\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a NONE A 1 -\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a IN A 1 c0000201\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a IN A 0 c00002\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a IN A 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a IN ANY 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a ANY AXFR 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "pre a CH A 0 c0000201\n", RCODE_FORMERR, NULL, NULL },
	/* Malformed updates. */
	{ "add zz. 300 A 192.0.2.1\n", RCODE_NOTZONE, NULL, NULL },
	{ "del zz.\n", RCODE_NOTZONE, NULL, NULL },
	{ "up a IN ANY 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a IN AXFR 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a IN MAILA 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a IN MAILB 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a IN OPT 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a IN A 0 c00002\n", RCODE_FORMERR, NULL, NULL },
	{ "up a ANY A 1 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a ANY A 0 c0000201\n", RCODE_FORMERR, NULL, NULL },
	{ "up a ANY AXFR 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a ANY ANY 1 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a NONE ANY 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a NONE IXFR 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a NONE A 1 c0000201\n", RCODE_FORMERR, NULL, NULL },
	{ "up a NONE A 0 -\n", RCODE_FORMERR, NULL, NULL },
	{ "up a CH A 0 c0000201\n", RCODE_FORMERR, NULL, NULL },
	/* All or nothing: the first is fine. */
	{ "add n 300 A 192.0.2.1\nup a CH A 0 c0000201\n", RCODE_FORMERR, NULL, NULL },
	{ "add n 300 A 192.0.2.1\nadd zz. 300 A 192.0.2.1\n", RCODE_NOTZONE, NULL, NULL },
	{ "add n 300 A 192.0.2.1\nadd n 300 NSEC a A\n", RCODE_REFUSED, NULL, NULL },
	/* What is the server's. */
	{ "add a 300 NSEC z. A\n", RCODE_REFUSED, NULL, NULL },
	{ "del a NSEC\n", RCODE_REFUSED, NULL, NULL },
	{ "del a RRSIG\n", RCODE_REFUSED, NULL, NULL },
	{ "add a 300 RRSIG " SIG(A) "\n", RCODE_REFUSED, NULL, NULL },
	{ "del a NSEC3\n", RCODE_REFUSED, NULL, NULL },
	{ "del @ DNSKEY\n", RCODE_REFUSED, NULL, NULL },
	{ "add @ 300 CDS 2 13 2 00\n", RCODE_REFUSED, NULL, NULL },
	{ "add @ 300 CDNSKEY 257 3 13 AAAA\n", RCODE_REFUSED, NULL, NULL },
	{ "del @ NSEC3PARAM\n", RCODE_REFUSED, NULL, NULL },
	{ "del @ ZONEMD\n", RCODE_REFUSED, NULL, NULL },
	/* Adding. */
	{ "add n 60 A 192.0.2.1\n", RCODE_NOERROR, "n 60 A 192.0.2.1\n", NULL },
	{ "add q.f 60 A 192.0.2.1\n", RCODE_NOERROR, "q.f 60 A 192.0.2.1\n", NULL },
	{ "add b 300 A 192.0.2.4\n", RCODE_NOERROR, "b 300 A 192.0.2.4\n", NULL },
	{ "add A 300 A 192.0.2.1\n", RCODE_NOERROR, NULL, NULL },
	{ "add e.f 300 MX 10 MAIL\n", RCODE_NOERROR, NULL, NULL },
	{ "add b 301 A 192.0.2.3\n", RCODE_NOERROR, "b 301 A 192.0.2.3\n", "b 300 A 192.0.2.3\n" },
	{ "add b 301 A 192.0.2.9\n", RCODE_NOERROR, "b 301 A 192.0.2.3\nb 301 A 192.0.2.9\n", "b 300 A 192.0.2.3\n" },
	{ "add n 2147483648 A 192.0.2.1\n", RCODE_NOERROR, "n 0 A 192.0.2.1\n", NULL },
	{ "add n 60 TYPE65400 \\# 0\n", RCODE_NOERROR, "n 60 TYPE65400 \\# 0\n", NULL },
	{ "add w 300 WKS 192.0.2.1 6 80\n", RCODE_NOERROR, "w 300 WKS 192.0.2.1 6 80\n", "w 300 WKS 192.0.2.1 6 25\n" },
	{ "add w 300 WKS 192.0.2.1 17 53\n", RCODE_NOERROR, "w 300 WKS 192.0.2.1 17 53\n", NULL },
	{ "add *.y 60 A 192.0.2.1\n", RCODE_NOERROR, "*.y 60 A 192.0.2.1\n", NULL },
	{ "add ns.sub 300 AAAA ::1\n", RCODE_NOERROR, "ns.sub 300 AAAA ::1\n", NULL },
	{ "add g 300 A 192.0.2.1\n", RCODE_NOERROR, "g 300 A 192.0.2.1\n", NULL },
	/* CNAME and DNAME. */
	{ "add a 300 CNAME b\n", RCODE_NOERROR, NULL, NULL },
	{ "add g 300 CNAME b\n", RCODE_NOERROR, "g 300 CNAME b\n", NULL },
	{ "add c 300 A 192.0.2.1\n", RCODE_NOERROR, NULL, NULL },
	{ "add c 300 KEY 512 3 13 AAAA\n", RCODE_NOERROR, "c 300 KEY 512 3 13 AAAA\n", NULL },
	{ "add c 300 CNAME b\n", RCODE_NOERROR, "c 300 CNAME b\n", "c 300 CNAME a\n" },
	{ "add c 300 CNAME A\n", RCODE_NOERROR, NULL, NULL },
	{ "add @ 300 CNAME a\n", RCODE_NOERROR, NULL, NULL },
	{ "add d 300 CNAME a\n", RCODE_NOERROR, NULL, NULL },
	{ "del a\nadd a 300 CNAME b\n", RCODE_NOERROR, "a 300 CNAME b\n",
	  "a 300 A 192.0.2.1\na 300 A 192.0.2.2\na 300 RRSIG " SIG(A) "\na 300 TXT \"x\"\n" },
	{ "del c CNAME\nadd c 300 A 192.0.2.1\n", RCODE_NOERROR, "c 300 A 192.0.2.1\n", "c 300 CNAME a\n" },
	{ "add n 300 CNAME a\nadd n 300 A 192.0.2.1\n", RCODE_NOERROR, "n 300 CNAME a\n", NULL },
	{ "add n 300 A 192.0.2.1\nadd n 300 CNAME a\n", RCODE_NOERROR, "n 300 A 192.0.2.1\n", NULL },
	{ "add d 300 DNAME b\n", RCODE_NOERROR, "d 300 DNAME b\n", "d 300 DNAME a\n" },
	{ "add @ 300 DNAME b.\n", RCODE_NOERROR, "@ 300 DNAME b.\n", NULL },
	{ "add sub 300 DNAME b\n", RCODE_NOERROR, NULL, NULL },
	{ "add d 300 NS ns\n", RCODE_NOERROR, NULL, NULL },
	{ "add x.d 300 A 192.0.2.1\n", RCODE_NOERROR, "x.d 300 A 192.0.2.1\n", NULL },
	{ "add d 300 A 192.0.2.1\n", RCODE_NOERROR, "d 300 A 192.0.2.1\n", NULL },
	/* SOA. */
	{ "add @ 300 SOA ns host 1 1 1 1 1\n", RCODE_NOERROR, NULL, NULL },
	{ "add @ 300 SOA ns host 0 1 1 1 1\n", RCODE_NOERROR, NULL, NULL },
	{ "add @ 300 SOA ns host 2147483649 1 1 1 1\n", RCODE_NOERROR, NULL, NULL },
	{ "add @ 300 SOA ns host 2 1 1 1 1\n", RCODE_NOERROR, "@ 300 SOA ns host 2 1 1 1 1\n", SOA_1 },
	{ "add @ 300 SOA ns host 2 1 1 1 1\nadd @ 300 SOA ns host 1 2 2 2 2\n", RCODE_NOERROR, "@ 300 SOA ns host 2 1 1 1 1\n", SOA_1 },
	{ "add a 300 SOA ns host 2 1 1 1 1\n", RCODE_NOERROR, NULL, NULL },
	{ "del @ SOA\n", RCODE_NOERROR, NULL, NULL },
	{ "del @ SOA ns host 1 3600 900 1209600 300\n", RCODE_NOERROR, NULL, NULL },
	/* Apex NS. */
	{ "del @ NS\n", RCODE_NOERROR, NULL, NULL },
	{ "del @ NS ns\n", RCODE_NOERROR, NULL, "@ 300 NS ns\n" },
	{ "del @ NS ns\ndel @ NS ns2\n", RCODE_NOERROR, NULL, "@ 300 NS ns\n" },
	{ "add @ 300 NS ns3\ndel @ NS ns\ndel @ NS ns2\n", RCODE_NOERROR, "@ 300 NS ns3\n", "@ 300 NS ns\n@ 300 NS ns2\n" },
	{ "del sub NS ns.sub\n", RCODE_NOERROR, NULL, "sub 300 NS ns.sub\n" },
	{ "del sub NS\n", RCODE_NOERROR, NULL, "sub 300 NS ns.sub\n" },
	/* Removing. */
	{ "del a A 192.0.2.1\n", RCODE_NOERROR, NULL, "a 300 A 192.0.2.1\n" },
	{ "del a A 192.0.2.3\n", RCODE_NOERROR, NULL, NULL },
	{ "del a AAAA\n", RCODE_NOERROR, NULL, NULL },
	{ "del no\ndel no A\ndel no A 192.0.2.1\n", RCODE_NOERROR, NULL, NULL },
	{ "del e.f MX 10 MAIL\n", RCODE_NOERROR, NULL, "e.f 300 MX 10 Mail\n" },
	{ "del a A\n", RCODE_NOERROR, NULL, "a 300 A 192.0.2.1\na 300 A 192.0.2.2\na 300 RRSIG " SIG(A) "\n" },
	{ "del a A 192.0.2.1\ndel a A 192.0.2.2\n", RCODE_NOERROR, NULL,
	  "a 300 A 192.0.2.1\na 300 A 192.0.2.2\na 300 RRSIG " SIG(A) "\n" },
	{ "del a A\nadd a 300 A 192.0.2.2\nadd a 300 A 192.0.2.1\n", RCODE_NOERROR, NULL, NULL },
	{ "add n 300 A 192.0.2.1\ndel n\n", RCODE_NOERROR, NULL, NULL },
	{ "del b\n", RCODE_NOERROR, NULL, "b 300 A 192.0.2.3\nb 300 NSEC c A RRSIG NSEC\nb 300 RRSIG " SIG(NSEC) "\n" },
	{ "del b A\n", RCODE_NOERROR, NULL, "b 300 A 192.0.2.3\nb 300 NSEC c A RRSIG NSEC\nb 300 RRSIG " SIG(NSEC) "\n" },
	{ "del a\n", RCODE_NOERROR, NULL,
	  "a 300 A 192.0.2.1\na 300 A 192.0.2.2\na 300 RRSIG " SIG(A) "\na 300 TXT \"x\"\na 300 NSEC b A TXT RRSIG NSEC\n" },
	{ "del g\n", RCODE_NOERROR, NULL, NULL },
	{ "del @\n", RCODE_NOERROR, NULL, "@ 300 MX 10 mail\n" },
	{ "del @ MX\n", RCODE_NOERROR, NULL, "@ 300 MX 10 mail\n" },
	/* Prerequisite and update together. */
	{ "nxdomain n\nadd n 60 A 192.0.2.1\n", RCODE_NOERROR, "n 60 A 192.0.2.1\n", NULL },
	{ "yxrrset c CNAME a\nadd c 300 CNAME b\n", RCODE_NOERROR, "c 300 CNAME b\n", "c 300 CNAME a\n" },
	{ "", RCODE_NOERROR, NULL, NULL },
};
/* clang-format on */

static void take_line(void *arg, char *line)
{
	uint8_t room[4096];
	struct dname owner;
	kit_name(kit_word(&line), &owner);
	(void)kit_word(&line);
	struct ddns_rr rr = { .owner = owner.wire, .type = kit_type(kit_word(&line)) };
	kit_rdata(&rr, line, room, sizeof(room));
	ck_assert_int_eq(edit_remove(arg, rr.owner, rr.type, rr.rdata, rr.len), E_OK);
}

static void expect(const struct step *s, const struct version *base, const struct version *got)
{
	struct buf have = { 0 };
	struct buf want = { 0 };
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	kit_lines(s->removed != NULL ? s->removed : "", take_line, e);
	(void)edit_state(e); /* what goes, and comes with another TTL, must not be one change */
	kit_lines(s->added != NULL ? s->added : "", kit_zone_line, e);
	kit_dump(edit_state(e), &want);
	kit_dump(got, &have);
	ck_assert_msg(strcmp(have.data, want.data) == 0, "%s\nhave\n%s\nwant\n%s", s->request,
		      have.data, want.data);
	edit_abort(e);
	buf_clear(&have);
	buf_clear(&want);
}

START_TEST(each_form)
{
	const struct step *s = &steps[_i];
	static struct kit_message m;
	struct ddns_result result;
	struct version *base = kit_version(zone);
	kit_message(&m, s->request);
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	uint64_t before = edit_changes(e);
	enum rcode rcode = kit_update(m.octets, m.len, 0, e, &result);
	ck_assert_msg(rcode == s->rcode, "%s\nrcode %d", s->request, (int)rcode);
	ck_assert_int_eq(edit_error(e, NULL), E_OK);
	bool is_changed = s->added != NULL || s->removed != NULL;
	ck_assert_msg(result.is_changed == is_changed, "%s", s->request);
	ck_assert_int_eq(edit_changes(e) != before, is_changed);
	struct version *after = edit_commit(e);
	version_unref(base);
	base = kit_version(zone);
	expect(s, base, after);
	tree_check(&after->names);
	version_unref(after);
	version_unref(base);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("ddns");
	tcase_add_loop_test(tc, each_form, 0, ARRAY_LEN(steps));
	return unit_run("zones/ddns", tc);
}

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
				      "sub 300 NS ns.sub\nns.sub 300 A 192.0.2.4\nds 300 NS ns\nds 300 DS 1 13 2 00\n"
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
	{ "up a NONE A 2147483648 c0000201\n", RCODE_FORMERR, NULL, NULL },
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
	/* Not defined at a wildcard: left out, as BIND does. */
	{ "add *.y 60 NS ns.y\nadd *.y 60 A 192.0.2.1\n", RCODE_NOERROR, "*.y 60 A 192.0.2.1\n", NULL },
	{ "add *.y 60 DNAME q\n", RCODE_NOERROR, NULL, NULL },
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
	/* DS. */
	{ "add sub 300 DS 1 13 2 00\n", RCODE_NOERROR, "sub 300 DS 1 13 2 00\n", NULL },
	{ "add a 300 DS 1 13 2 00\n", RCODE_NOERROR, NULL, NULL },
	{ "add @ 300 DS 1 13 2 00\n", RCODE_NOERROR, NULL, NULL },
	{ "add n 300 DS 1 13 2 00\nadd n 300 NS ns\n", RCODE_NOERROR, "n 300 NS ns\nn 300 DS 1 13 2 00\n", NULL },
	{ "add sub 300 DS 1 13 2 00\ndel sub NS\n", RCODE_NOERROR, NULL, "sub 300 NS ns.sub\n" },
	{ "del sub NS\nadd sub 300 DS 1 13 2 00\nadd sub 300 NS ns\n", RCODE_NOERROR, "sub 300 NS ns\nsub 300 DS 1 13 2 00\n", "sub 300 NS ns.sub\n" },
	{ "del ds NS\n", RCODE_NOERROR, NULL, "ds 300 NS ns\nds 300 DS 1 13 2 00\n" },
	{ "del ds NS\nadd ds 300 NS ns2\n", RCODE_NOERROR, "ds 300 NS ns2\n", "ds 300 NS ns\n" },
	{ "del ds DS\n", RCODE_NOERROR, NULL, "ds 300 DS 1 13 2 00\n" },
	/* What must be held longer than signatures last. */
	{ "add n 31536001 A 192.0.2.1\n", RCODE_REFUSED, NULL, NULL },
	{ "add n 31536000 A 192.0.2.1\n", RCODE_NOERROR, "n 31536000 A 192.0.2.1\n", NULL },
	{ "add @ 300 SOA ns host 2 1 1 31536001 1\n", RCODE_REFUSED, NULL, NULL },
	{ "add @ 300 SOA ns host 2 1 1 31536000 1\n", RCODE_NOERROR, "@ 300 SOA ns host 2 1 1 31536000 1\n", SOA_1 },
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
	/* What is there keeps its case. */
	{ "del e.f\nadd e.f 300 MX 10 MAIL\nadd e.f 300 MX 11 m\n", RCODE_NOERROR, "e.f 300 MX 11 m\n", NULL },
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

static enum rcode run(const char *request, unsigned allow, struct edit *e, struct ddns_result *r)
{
	static struct kit_message m;
	kit_message(&m, request);
	return kit_update(m.octets, m.len, allow, e, r);
}

START_TEST(what_an_update_did)
{
	struct ddns_result r;
	struct version *base = kit_version(zone);
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	ck_assert_int_eq(run("del a A 192.0.2.1\nadd a 300 A 192.0.2.7\nadd n 1 A 192.0.2.1\n"
			     "add n 1 A 192.0.2.2\ndel e.f\nadd a 300 A 192.0.2.2\n",
			     0, e, &r),
			 RCODE_NOERROR);
	ck_assert(r.is_changed);
	ck_assert(!r.is_serial_set);
	ck_assert(!r.is_keys_changed);
	ck_assert_int_eq(r.chain, DDNS_CHAIN_LEFT);
	ck_assert_uint_eq(r.added, 3);
	ck_assert_uint_eq(r.removed, 2);
	ck_assert_int_eq(run("add n 2 A 192.0.2.2\n", 0, e, &r), RCODE_NOERROR); /* a TTL */
	ck_assert(r.is_changed);
	ck_assert_uint_eq(r.added + r.removed, 0);
	ck_assert_int_eq(run("add @ 1 SOA ns host 2 1 1 1 1\n", 0, e, &r), RCODE_NOERROR);
	ck_assert(r.is_serial_set);
	ck_assert_int_eq(run("add @ 1 SOA ns host 2 1 1 1 1\n", 0, e, &r), RCODE_NOERROR);
	ck_assert(!r.is_serial_set);
	ck_assert(!r.is_changed);
	edit_abort(e);
	version_unref(base);
}
END_TEST

START_TEST(keys_where_they_are_allowed)
{
	struct ddns_result r;
	struct version *base = kit_version(zone);
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	const unsigned all = DDNS_KEYS | DDNS_NSEC3PARAM | DDNS_ZONEMD;
	ck_assert_int_eq(run("add @ 300 DNSKEY 257 3 13 AAAA\n", DDNS_KEYS, e, &r), RCODE_NOERROR);
	ck_assert(!r.is_changed);
	ck_assert(!r.is_keys_changed);
	ck_assert_int_eq(run("del @ CDS\n", DDNS_KEYS, e, &r), RCODE_NOERROR);
	ck_assert(r.is_keys_changed);
	ck_assert_int_eq(run("add @ 0 CDS 1 13 2 00\n", DDNS_KEYS, e, &r), RCODE_NOERROR);
	ck_assert(r.is_keys_changed);
	ck_assert_int_eq(run("del @ ZONEMD\n", DDNS_KEYS, e, &r), RCODE_REFUSED);
	ck_assert_int_eq(run("del @ RRSIG\n", all, e, &r), RCODE_REFUSED);
	ck_assert_int_eq(run("del @\n", DDNS_ZONEMD, e, &r), RCODE_NOERROR); /* MX, ZONEMD */
	ck_assert_uint_eq(r.removed, 2);
	ck_assert(!r.is_keys_changed);
	ck_assert_int_eq(run("del @\n", all, e, &r), RCODE_NOERROR); /* DNSKEY, CDS */
	ck_assert_uint_eq(r.removed, 2);
	ck_assert(r.is_keys_changed);
	edit_abort(e);
	version_unref(base);
}
END_TEST

static const struct rrset *apex_set(struct edit *e, uint16_t type)
{
	return node_find(edit_state(e)->apex_node, type);
}

START_TEST(a_chain_is_asked_for)
{
	struct ddns_result r;
	struct version *base = kit_version(zone);
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	ck_assert_int_eq(run("add a 0 NSEC3PARAM 1 0 0 -\n", DDNS_NSEC3PARAM, e, &r),
			 RCODE_REFUSED);
	ck_assert_int_eq(run("del @ NSEC3PARAM\n", DDNS_NSEC3PARAM, e, &r), RCODE_NOERROR);
	ck_assert_int_eq(r.chain, DDNS_CHAIN_LEFT); /* there was none */
	ck_assert_int_eq(run("add @ 0 NSEC3PARAM 1 1 0 AB\n", DDNS_NSEC3PARAM, e, &r),
			 RCODE_NOERROR);
	ck_assert(r.is_changed);
	ck_assert_int_eq(r.chain, DDNS_CHAIN_NSEC3);
	ck_assert_uint_eq(r.nsec3_param.flags, 1);
	ck_assert_uint_eq(r.nsec3_param.salt_len, 1);
	ck_assert_uint_eq(rrset_data(apex_set(e, RRTYPE_NSEC3PARAM))[NODE_RR_FIXED + 1], 0);
	/* The record is the same, the opt-out is not. */
	ck_assert_int_eq(run("add @ 0 NSEC3PARAM 1 0 0 AB\n", DDNS_NSEC3PARAM, e, &r),
			 RCODE_NOERROR);
	ck_assert(!r.is_changed);
	ck_assert_int_eq(r.chain, DDNS_CHAIN_NSEC3);
	ck_assert_uint_eq(r.nsec3_param.flags, 0);
	/* The new one takes the place of the old, whether that goes or not. */
	ck_assert_int_eq(run("add @ 0 NSEC3PARAM 1 0 0 12\n", DDNS_NSEC3PARAM, e, &r),
			 RCODE_NOERROR);
	ck_assert_uint_eq(r.added, 1);
	ck_assert_uint_eq(r.removed, 1);
	ck_assert_int_eq(run("add @ 0 NSEC3PARAM 1 0 0 AB\n", DDNS_NSEC3PARAM, e, &r),
			 RCODE_NOERROR);
	ck_assert_int_eq(run("add @ 0 NSEC3PARAM 1 0 0 CD\ndel @ NSEC3PARAM 1 1 0 AB\n",
			     DDNS_NSEC3PARAM, e, &r),
			 RCODE_NOERROR);
	ck_assert_int_eq(r.chain, DDNS_CHAIN_NSEC3);
	ck_assert_uint_eq(r.nsec3_param.salt[0], 0xcd);
	ck_assert_uint_eq(apex_set(e, RRTYPE_NSEC3PARAM)->count, 1);
	ck_assert_int_eq(run("del @\n", DDNS_NSEC3PARAM, e, &r), RCODE_NOERROR);
	ck_assert_int_eq(r.chain, DDNS_CHAIN_LEFT);
	ck_assert_ptr_nonnull(apex_set(e, RRTYPE_NSEC3PARAM));
	ck_assert_int_eq(
		run("add @ 0 NSEC3PARAM 1 0 0 EF\ndel @ NSEC3PARAM\n", DDNS_NSEC3PARAM, e, &r),
		RCODE_NOERROR);
	ck_assert_int_eq(r.chain, DDNS_CHAIN_NSEC);
	ck_assert_ptr_null(apex_set(e, RRTYPE_NSEC3PARAM));
	ck_assert_int_eq(
		run("add @ 0 NSEC3PARAM 1 0 0 EF\ndel @ NSEC3PARAM\n", DDNS_NSEC3PARAM, e, &r),
		RCODE_NOERROR);
	ck_assert_int_eq(r.chain, DDNS_CHAIN_LEFT);
	edit_abort(e);
	version_unref(base);
}
END_TEST

START_TEST(requests_follow_each_other)
{
	struct ddns_result r;
	struct buf before = { 0 };
	struct buf after = { 0 };
	struct version *base = kit_version(zone);
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	ck_assert_int_eq(run("nxdomain n\nadd n 1 A 192.0.2.1\n", 0, e, &r), RCODE_NOERROR);
	ck_assert_int_eq(run("nxdomain n\nadd n 1 A 192.0.2.2\n", 0, e, &r), RCODE_YXDOMAIN);
	kit_dump(edit_state(e), &before);
	ck_assert_int_eq(
		run("yxrrset n A 192.0.2.1\nadd m 1 A 192.0.2.1\nadd n 1 NSEC n A\n", 0, e, &r),
		RCODE_REFUSED);
	kit_dump(edit_state(e), &after);
	ck_assert_str_eq(before.data, after.data);
	ck_assert_int_eq(run("yxrrset n A 192.0.2.1\ndel n\n", 0, e, &r), RCODE_NOERROR);
	ck_assert_int_eq(run("nxdomain n\n", 0, e, &r), RCODE_NOERROR);
	/* A change that is undone is none: the signatures are still there. */
	ck_assert_int_eq(run("add a 300 A 192.0.2.9\n", 0, e, &r), RCODE_NOERROR);
	ck_assert_int_eq(run("del a A 192.0.2.9\n", 0, e, &r), RCODE_NOERROR);
	buf_reset(&before);
	buf_reset(&after);
	kit_dump(base, &before);
	kit_dump(edit_state(e), &after);
	ck_assert_str_eq(before.data, after.data);
	buf_clear(&before);
	buf_clear(&after);
	edit_abort(e);
	version_unref(base);
}
END_TEST

/* --- permissions ----------------------------------------------------------------------------- */

struct asked {
	struct buf text;
	uint16_t refused; /* this type */
};

static bool ask(void *arg, const uint8_t *owner, uint16_t type, const uint8_t *rdata, size_t len)
{
	struct asked *a = arg;
	char text[RRTYPE_TEXT_MAX];
	dname_print(&a->text, owner);
	buf_printf(&a->text, " %s", rrtype_to_text(type, text));
	if (rdata != NULL) {
		buf_str(&a->text, " ");
		rdata_to_text(type, rdata, len, &a->text);
	} else {
		ck_assert_uint_eq(len, 0);
	}
	buf_str(&a->text, "\n");
	return type != a->refused;
}

static enum rcode permitted(const char *request, struct asked *a)
{
	static struct kit_message m;
	struct arena arena = { 0 };
	struct ddns_request req;
	struct version *base = kit_version(zone);
	kit_message(&m, request);
	buf_reset(&a->text);
	ck_assert_int_eq(ddns_read(m.octets, m.len, &arena, &req), RCODE_NOERROR);
	enum rcode rcode = ddns_permitted(&req, base, ask, a);
	arena_clear(&arena);
	version_unref(base);
	return rcode;
}

START_TEST(each_update_is_asked_for)
{
	struct asked a = { .refused = 0 };
	ck_assert_int_eq(permitted("add n 1 MX 1 m\ndel a TXT\ndel b A 192.0.2.3\n", &a),
			 RCODE_NOERROR);
	ck_assert_str_eq(a.text.data, "n.z. MX 1 m.z.\na.z. TXT\nb.z. A 192.0.2.3\n");
	ck_assert_int_eq(permitted("del a\n", &a), RCODE_NOERROR);
	ck_assert_str_eq(a.text.data, "a.z. A\na.z. TXT\n");
	ck_assert_int_eq(permitted("del @\n", &a), RCODE_NOERROR);
	ck_assert_str_eq(a.text.data, "z. MX\n");
	ck_assert_int_eq(permitted("del g\ndel no\n", &a), RCODE_NOERROR);
	ck_assert_uint_eq(a.text.len, 0);
	ck_assert_int_eq(permitted("up a ANY A 0 00\n", &a), RCODE_NOERROR); /* prescan's */
	ck_assert_int_eq(permitted("del zz.\n", &a), RCODE_NOTZONE);
	a.refused = RRTYPE_TXT;
	ck_assert_int_eq(permitted("add a 1 A 192.0.2.7\ndel a\n", &a), RCODE_REFUSED);
	ck_assert_int_eq(permitted("add a 1 A 192.0.2.7\ndel b\n", &a), RCODE_NOERROR);
	ck_assert_int_eq(permitted("add a 1 TXT x\n", &a), RCODE_REFUSED);
	ck_assert_int_eq(permitted("del no TXT\n", &a), RCODE_REFUSED);
	buf_clear(&a.text);
}
END_TEST

static uint32_t two_texts(void *arg UNUSED, const uint8_t *owner UNUSED, uint16_t type)
{
	return type == RRTYPE_TXT ? 2 : 0;
}

static void assert_texts(struct edit *e, const char *owner, unsigned count, uint32_t ttl)
{
	struct dname name;
	kit_name(owner, &name);
	const struct rrset *rs = node_find(version_node(edit_state(e), name.wire), RRTYPE_TXT);
	ck_assert_ptr_nonnull(rs);
	ck_assert_uint_eq(rs->count, count);
	ck_assert_uint_eq(rrset_ttl(rs), ttl);
}

/* What is too much is left out, the rest is done; a place that becomes free can be taken. */
START_TEST(sets_grow_to_their_limit)
{
	static const struct {
		const char *request;
		unsigned texts;
		uint32_t ttl;
		uint32_t added;
	} rows[] = {
		{ "add q 5 TXT 1\nadd q 5 TXT 2\nadd q 5 TXT 3\nadd q 5 A 192.0.2.1\n"
		  "add q 5 A 192.0.2.2\nadd q 5 A 192.0.2.3\n",
		  2, 5, 5 },
		{ "add q 7 TXT 4\n", 2, 5, 0 },
		{ "add q 7 TXT 2\n", 2, 7, 0 },
		{ "del q TXT 1\nadd q 7 TXT 4\nadd q 7 TXT 5\n", 2, 7, 1 },
		{ "del q TXT\nadd q 9 TXT 6\n", 1, 9, 1 },
	};
	static struct kit_message m;
	struct version *base = kit_version(zone);
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena arena = { 0 };
		struct ddns_request req;
		struct ddns_result result;
		kit_message(&m, rows[i].request);
		ck_assert_int_eq(ddns_read(m.octets, m.len, &arena, &req), RCODE_NOERROR);
		req.limit = two_texts;
		ck_assert_int_eq(ddns_apply(&req, e, &result), RCODE_NOERROR);
		assert_texts(e, "q", rows[i].texts, rows[i].ttl);
		ck_assert_uint_eq(result.added, rows[i].added);
		arena_clear(&arena);
	}
	edit_abort(e);
	version_unref(base);
}
END_TEST

/* --- messages -------------------------------------------------------------------------------- */

static enum rcode read_octets(const uint8_t *octets, size_t len, struct arena *arena,
			      struct ddns_request *req)
{
	/* Exactly as large, so that a sanitizer sees one octet too many. */
	uint8_t *copy = malloc(len != 0 ? len : 1);
	memcpy(copy, octets, len);
	enum rcode rcode = ddns_read(copy, len, arena, req);
	free(copy); /* the request borrows nothing */
	return rcode;
}

START_TEST(compressed_names)
{
	/* z. SOA; host.z. MX 5 mail.<z.>; TSIG counted but cut off */
	static const uint8_t octets[] = {
		0, 1,	0x28, 0,   0,	1,    0,   0,	0,   1,	   0,	   1, /* header */
		1, 'z', 0,    0,   6,	0,    1,			      /* zone */
		4, 'h', 'o',  's', 't', 0xc0, 12,  0,	15,  0,	   1,	   0,
		0, 0,	60,						   /* update at 19 */
		0, 9,	0,    5,   4,	'm',  'a', 'i', 'l', 0xc0, 19 + 5, /* a pointer to a pointer */
	};
	static const uint8_t mx[] = "\0\5\4mail\1z";
	struct arena arena = { 0 };
	struct ddns_request req;
	ck_assert_int_eq(read_octets(octets, sizeof(octets), &arena, &req), RCODE_NOERROR);
	ck_assert(dname_equal(req.zone, kit_zone));
	ck_assert_uint_eq(req.class, RRCLASS_IN);
	ck_assert_uint_eq(req.allow, 0);
	ck_assert_uint_eq(req.prerequisite_count, 0);
	ck_assert_uint_eq(req.update_count, 1);
	ck_assert(dname_equal(req.updates[0].owner, (const uint8_t *)"\4host\1z"));
	ck_assert_uint_eq(req.updates[0].ttl, 60);
	ck_assert_mem_eq(req.updates[0].rdata, mx, sizeof(mx));
	ck_assert_uint_eq(req.updates[0].len, sizeof(mx));
	arena_clear(&arena);
}
END_TEST

/* Adds an additional record with the class and TTL of an OPT. */
static void add_opt(struct kit_message *m)
{
	struct ddns_rr opt = { .owner = dname_root, .type = RRTYPE_OPT, .class = 1232 };
	kit_rr(m, SECTION_ADDITIONAL, &opt);
}

START_TEST(messages_that_end_early)
{
	static struct kit_message m;
	struct arena arena = { 0 };
	struct ddns_request req;
	kit_message(&m, "yxrrset a A 192.0.2.1\nnxdomain b\nadd n 60 MX 10 mail\ndel a\ndel a A\n");
	add_opt(&m);
	ck_assert_int_eq(read_octets(m.octets, m.len, &arena, &req), RCODE_NOERROR);
	size_t without_opt = m.len - 11;
	for (size_t len = 0; len < m.len; len++) {
		/* Without its last record it could be one whose TSIG was taken off. */
		ck_assert_int_eq(read_octets(m.octets, len, &arena, &req),
				 len == without_opt ? RCODE_NOERROR : RCODE_FORMERR);
	}
	m.octets[11]++; /* one TSIG that was taken off */
	ck_assert_int_eq(read_octets(m.octets, m.len, &arena, &req), RCODE_NOERROR);
	m.octets[11]++;
	ck_assert_int_eq(read_octets(m.octets, m.len, &arena, &req), RCODE_FORMERR);
	m.octets[11] -= 2;
	m.octets[m.len] = 0; /* and one octet too many */
	ck_assert_int_eq(read_octets(m.octets, m.len + 1, &arena, &req), RCODE_FORMERR);
	arena_clear(&arena);
}
END_TEST

START_TEST(messages_with_other_zones)
{
	static struct kit_message m;
	struct arena arena = { 0 };
	struct ddns_request req;
	kit_message(&m, "");
	m.octets[5] = 0; /* no zone */
	ck_assert_int_eq(read_octets(m.octets, m.len, &arena, &req), RCODE_FORMERR);
	m.octets[5] = 2;
	ck_assert_int_eq(read_octets(m.octets, m.len, &arena, &req), RCODE_FORMERR);
	m.octets[5] = 1;
	m.octets[16] = RRTYPE_A; /* not SOA */
	ck_assert_int_eq(read_octets(m.octets, m.len, &arena, &req), RCODE_FORMERR);
	m.octets[16] = RRTYPE_SOA;
	m.octets[18] = RRCLASS_CH; /* the caller's to judge */
	ck_assert_int_eq(read_octets(m.octets, m.len, &arena, &req), RCODE_NOERROR);
	ck_assert_uint_eq(req.class, RRCLASS_CH);
	arena_clear(&arena);
}
END_TEST

START_TEST(counts_cost_no_memory)
{
	static struct kit_message m;
	struct arena arena = { 0 };
	struct ddns_request req;
	kit_message(&m, "");
	memset(m.octets + 6, 0xff, 4);
	ck_assert_int_eq(read_octets(m.octets, m.len, &arena, &req), RCODE_FORMERR);
	ck_assert_uint_lt(arena.used, 1000);
	arena_clear(&arena);
}
END_TEST

/* --- large sets ------------------------------------------------------------------------------ */

/* @count records of 255 octets and a number from @from on. */
static void add_texts(struct kit_message *m, unsigned from, unsigned count, uint16_t class)
{
	static uint8_t rdata[256] = { 255 };
	static const uint8_t owner[] = "\1t\1z";
	for (unsigned i = from; i < from + count; i++) {
		be16_put(rdata + 1, (uint16_t)i);
		struct ddns_rr rr = { .owner = owner,
				      .rdata = rdata,
				      .type = RRTYPE_TXT,
				      .class = class,
				      .len = sizeof(rdata) };
		kit_rr(m, SECTION_AUTHORITY, &rr);
	}
}

START_TEST(sets_that_no_message_holds)
{
	static struct kit_message m;
	struct ddns_result r;
	const unsigned most = DDNS_SET_MAX / (NODE_RR_FIXED + 256);
	struct version *base = kit_version(zone);
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	kit_message(&m, "");
	add_texts(&m, 0, most / 2, RRCLASS_IN);
	ck_assert_int_eq(kit_update(m.octets, m.len, 0, e, &r), RCODE_NOERROR);
	kit_message(&m, "");
	add_texts(&m, most / 2, most - most / 2, RRCLASS_IN);
	ck_assert_int_eq(kit_update(m.octets, m.len, 0, e, &r), RCODE_NOERROR);
	uint64_t changes = edit_changes(e);
	kit_message(&m, "add n 1 A 192.0.2.1\nadd z 1 A 192.0.2.1\n");
	add_texts(&m, most, 1, RRCLASS_IN);
	ck_assert_int_eq(kit_update(m.octets, m.len, 0, e, &r), RCODE_REFUSED);
	ck_assert(!r.is_changed);
	ck_assert_uint_eq(r.added, 0);
	ck_assert_uint_eq(edit_changes(e), changes);
	/* It is the outcome that counts. */
	kit_message(&m, "");
	add_texts(&m, most, 5, RRCLASS_IN);
	add_texts(&m, 0, 5, RRCLASS_NONE);
	ck_assert_int_eq(kit_update(m.octets, m.len, 0, e, &r), RCODE_NOERROR);
	ck_assert_uint_eq(r.added, 5);
	ck_assert_uint_eq(r.removed, 5);
	ck_assert_int_eq(run("del t\nadd t 1 TXT x\n", 0, e, &r), RCODE_NOERROR);
	ck_assert_uint_eq(r.removed, most);
	edit_abort(e);
	version_unref(base);
}
END_TEST

/* A set that is too large already, as zone files can have it, may become less. */
START_TEST(too_large_a_set_shrinks)
{
	static struct kit_message m;
	struct ddns_result r;
	uint8_t rdata[256] = { 255 };
	struct version *base = kit_version(zone);
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	for (unsigned i = 0; i < 300; i++) {
		be16_put(rdata + 1, (uint16_t)i);
		ck_assert_int_eq(
			edit_add(e, (const uint8_t *)"\1t\1z", RRTYPE_TXT, 1, rdata, sizeof(rdata)),
			E_OK);
	}
	kit_message(&m, "");
	add_texts(&m, 0, 1, RRCLASS_NONE);
	ck_assert_int_eq(kit_update(m.octets, m.len, 0, e, &r), RCODE_NOERROR);
	ck_assert_uint_eq(r.removed, 1);
	kit_message(&m, "");
	add_texts(&m, 1000, 1, RRCLASS_IN);
	ck_assert_int_eq(kit_update(m.octets, m.len, 0, e, &r), RCODE_REFUSED);
	edit_abort(e);
	version_unref(base);
}
END_TEST

/* --- random requests against a naive model --------------------------------------------------- */

#define MODEL_MAX   600
#define REQUEST_MAX 8
#define REQUESTS    2500
#define RDATA_LEN   64

/* A record of the zone, or one of a request. */
struct record {
	struct dname owner;
	uint16_t type, class, len;
	uint32_t ttl;
	uint8_t rdata[RDATA_LEN];
};

struct model {
	struct record r[MODEL_MAX];
	size_t count;
};

/* Only what is in use. */
static void model_copy(struct model *to, const struct model *from)
{
	memcpy(to->r, from->r, from->count * sizeof(from->r[0]));
	to->count = from->count;
}

static bool is_at(const struct record *r, const struct record *of)
{
	return dname_equal(r->owner.wire, of->owner.wire);
}

static bool is_same(const struct record *a, const struct record *b)
{
	return is_at(a, b) && a->type == b->type &&
	       rdata_compare(a->type, a->rdata, a->len, b->rdata, b->len) == 0;
}

/* Records at the name of @of with @type; 0: all types but NSEC. */
static unsigned model_count(const struct model *m, const struct record *of, uint16_t type)
{
	unsigned n = 0;
	for (size_t i = 0; i < m->count; i++) {
		n += is_at(&m->r[i], of) &&
		     (type != 0 ? m->r[i].type == type : m->r[i].type != RRTYPE_NSEC);
	}
	return n;
}

static bool model_has(const struct model *m, const struct record *r)
{
	for (size_t i = 0; i < m->count; i++) {
		if (is_same(&m->r[i], r)) {
			return true;
		}
	}
	return false;
}

static bool is_of_apex(const struct record *r)
{
	return dname_equal(r->owner.wire, kit_zone);
}

static uint32_t serial_of(const struct record *r)
{
	return be32_get(r->rdata + r->len - 20);
}

/* Does @old go when @r comes? */
static bool is_replaced(const struct record *old, const struct record *r)
{
	if (!is_at(old, r) || old->type != r->type) {
		return false;
	}
	return r->type == RRTYPE_SOA || r->type == RRTYPE_CNAME || r->type == RRTYPE_DNAME ||
	       (r->type == RRTYPE_WKS && memcmp(old->rdata, r->rdata, 5) == 0);
}

static bool model_suits(const struct model *m, const struct record *r)
{
	unsigned cnames = model_count(m, r, RRTYPE_CNAME);
	if (r->type == RRTYPE_CNAME) {
		return model_count(m, r, 0) == cnames + model_count(m, r, RRTYPE_KEY);
	}
	if (r->type == RRTYPE_SOA) {
		for (size_t i = 0; i < m->count; i++) {
			if (m->r[i].type == RRTYPE_SOA && is_at(&m->r[i], r)) {
				uint32_t ahead = serial_of(r) - serial_of(&m->r[i]);
				return ahead != 0 && ahead < 0x80000000U;
			}
		}
		return false;
	}
	if (r->owner.wire[1] == '*' && r->owner.wire[0] == 1 &&
	    (r->type == RRTYPE_NS || r->type == RRTYPE_DNAME)) {
		return false;
	}
	if (!is_of_apex(r) && ((r->type == RRTYPE_NS && model_count(m, r, RRTYPE_DNAME) != 0) ||
			       (r->type == RRTYPE_DNAME && model_count(m, r, RRTYPE_NS) != 0))) {
		return false;
	}
	return r->type == RRTYPE_KEY || cnames == 0;
}

static void model_add(struct model *m, const struct record *r)
{
	if (!model_suits(m, r)) {
		return;
	}
	for (size_t i = m->count; i-- != 0;) {
		if (is_replaced(&m->r[i], r)) {
			m->r[i] = m->r[--m->count];
		}
	}
	if (!model_has(m, r)) {
		ck_assert_uint_lt(m->count, MODEL_MAX);
		m->r[m->count++] = *r;
	}
	for (size_t i = 0; i < m->count; i++) {
		if (is_at(&m->r[i], r) && m->r[i].type == r->type) {
			m->r[i].ttl = r->ttl;
		}
	}
}

static bool model_goes(const struct model *m, const struct record *have, const struct record *r)
{
	bool is_kept = is_of_apex(r) && (have->type == RRTYPE_SOA || have->type == RRTYPE_NS);
	if (!is_at(have, r) || have->type == RRTYPE_NSEC) {
		return false;
	}
	if (r->class == RRCLASS_ANY) {
		return !is_kept && (r->type == RRTYPE_ANY || r->type == have->type);
	}
	return is_same(have, r) && r->type != RRTYPE_SOA &&
	       !(is_kept && model_count(m, r, RRTYPE_NS) == 1);
}

static void model_update(struct model *m, const struct record *r)
{
	if (r->class == RRCLASS_IN) {
		model_add(m, r);
		return;
	}
	for (size_t i = m->count; i-- != 0;) {
		if (model_goes(m, &m->r[i], r)) {
			m->r[i] = m->r[--m->count];
		}
	}
}

/* DS records go with the NS records, NSEC records with the last other record. */
static void model_tidy(struct model *m, const struct model *before)
{
	for (size_t i = m->count; i-- != 0;) {
		if (m->r[i].type == RRTYPE_DS &&
		    (is_of_apex(&m->r[i]) || model_count(m, &m->r[i], RRTYPE_NS) == 0)) {
			m->r[i] = m->r[--m->count];
		}
	}
	for (size_t i = m->count; i-- != 0;) {
		if (model_count(m, &m->r[i], 0) == 0 && model_count(before, &m->r[i], 0) != 0) {
			m->r[i] = m->r[--m->count];
		}
	}
}

static enum rcode model_holds(const struct model *m, const struct record *r, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (r[i].class == RRCLASS_IN) {
			continue;
		}
		bool is_any = r[i].type == RRTYPE_ANY;
		bool is_there = model_count(m, &r[i], is_any ? 0 : r[i].type) != 0;
		if (is_there != (r[i].class == RRCLASS_ANY)) {
			return is_any ? (is_there ? RCODE_YXDOMAIN : RCODE_NXDOMAIN)
				      : (is_there ? RCODE_YXRRSET : RCODE_NXRRSET);
		}
	}
	for (size_t i = 0; i < count; i++) {
		unsigned same = 0; /* of the set: in the request, each once */
		for (size_t k = 0; r[i].class == RRCLASS_IN && k < count; k++) {
			bool is_again = false;
			for (size_t j = 0; j < k; j++) {
				is_again = is_again ||
					   (r[j].class == RRCLASS_IN && is_same(&r[j], &r[k]));
			}
			same += r[k].class == RRCLASS_IN && is_at(&r[k], &r[i]) &&
				r[k].type == r[i].type && !is_again;
		}
		if (r[i].class == RRCLASS_IN &&
		    (!model_has(m, &r[i]) || same != model_count(m, &r[i], r[i].type))) {
			return RCODE_NXRRSET;
		}
	}
	return RCODE_NOERROR;
}

/* Compares with what the request said that it did. */
static void check_result(const struct model *before, const struct model *after,
			 const struct ddns_result *result)
{
	uint32_t added = 0;
	uint32_t removed = 0;
	bool is_changed = false;
	for (size_t i = 0; i < after->count; i++) {
		added += !model_has(before, &after->r[i]);
	}
	for (size_t i = 0; i < before->count; i++) {
		removed += !model_has(after, &before->r[i]) && before->r[i].type != RRTYPE_NSEC;
		for (size_t k = 0; k < after->count; k++) {
			is_changed = is_changed || (is_same(&before->r[i], &after->r[k]) &&
						    before->r[i].ttl != after->r[k].ttl);
		}
	}
	ck_assert_uint_eq(result->added, added);
	ck_assert_uint_eq(result->removed, removed);
	ck_assert_int_eq(result->is_changed, is_changed || added != 0 || removed != 0);
}

static void check_zone(const struct version *v, const struct model *m)
{
	ck_assert_uint_eq(v->records, m->count);
	for (size_t i = 0; i < m->count; i++) {
		const struct record *r = &m->r[i];
		const struct node *n = version_node(v, r->owner.wire);
		const struct rrset *rs = n != NULL ? node_find(n, r->type) : NULL;
		kit_require(rs != NULL, "a set is missing");
		const uint8_t *p = rrset_data(rs);
		bool found = false;
		for (unsigned k = 0; k < rs->count; k++) {
			struct rr rr;
			p = rr_read(p, &rr);
			found = found ||
				(rr.ttl == r->ttl &&
				 rdata_compare(r->type, rr.rdata, rr.rdlen, r->rdata, r->len) == 0);
		}
		kit_require(found, "a record is missing");
	}
}

static struct unit_random dice;

static uint32_t below(uint32_t limit)
{
	return unit_random_below(&dice, limit);
}

static void random_owner(struct record *r)
{
	static const char *const owners[] = { "@",	"a",	 "b",	     "c.b", "x.y.ent",
					      "ent",	"*.w",	 "w",	     "d",   "sub",
					      "ns.sub", "A",	 "SUB",	     "x.d", "*",
					      "b",	"Y.eNt", "deep.x.d", "@",   "a" };
	kit_name(owners[below(ARRAY_LEN(owners))], &r->owner);
}

static void random_value(struct record *r)
{
	static const uint16_t types[] = { RRTYPE_A,   RRTYPE_A,	  RRTYPE_TXT, RRTYPE_CNAME,
					  RRTYPE_NS,  RRTYPE_NS,  RRTYPE_MX,  RRTYPE_DNAME,
					  RRTYPE_KEY, RRTYPE_WKS, RRTYPE_DS,  RRTYPE_SOA };
	char text[100];
	unsigned n = below(3);
	r->type = types[below(ARRAY_LEN(types))];
	switch (r->type) {
	case RRTYPE_A:
		(void)snprintf(text, sizeof(text), "192.0.2.%u", n);
		break;
	case RRTYPE_TXT:
		(void)snprintf(text, sizeof(text), "\"%c\"", "aAb"[n]);
		break;
	case RRTYPE_MX:
		(void)snprintf(text, sizeof(text), "1 %c", "mMn"[n]);
		break;
	case RRTYPE_KEY:
		(void)snprintf(text, sizeof(text), "%u 3 13 AAAA", n);
		break;
	case RRTYPE_WKS:
		(void)snprintf(text, sizeof(text), "192.0.2.1 6 %u", 20 + n);
		break;
	case RRTYPE_DS:
		(void)snprintf(text, sizeof(text), "%u 13 2 00", n);
		break;
	case RRTYPE_SOA:
		(void)snprintf(text, sizeof(text), "ns host %u 1 1 1 1",
			       below(8) * 1000000000U / 2 + below(50));
		break;
	default:
		(void)snprintf(text, sizeof(text), "%c.z.", "nNo"[n]);
		break;
	}
	struct ddns_rr rr = { .type = r->type };
	kit_rdata(&rr, text, r->rdata, sizeof(r->rdata));
	r->len = rr.len;
}

static void random_prerequisite(const struct model *m, struct record *r)
{
	memset(r, 0, sizeof(*r));
	if (m->count != 0 && below(2) == 0) { /* one that may hold */
		*r = m->r[below((uint32_t)m->count)];
		r->class = RRCLASS_IN;
		r->ttl = 0;
	} else {
		random_owner(r);
		random_value(r);
		r->class = RRCLASS_IN;
	}
	if (below(3) != 0) {
		r->class = below(2) == 0 ? RRCLASS_ANY : RRCLASS_NONE;
		r->type = below(2) == 0 ? RRTYPE_ANY : r->type;
		r->len = 0;
	}
}

static void random_update(struct record *r)
{
	memset(r, 0, sizeof(*r));
	random_owner(r);
	random_value(r);
	r->class = RRCLASS_IN;
	r->ttl = 300 * (1 + below(2));
	if (below(5) < 2) {
		r->ttl = 0;
		r->class = RRCLASS_NONE;
		if (below(2) == 0) {
			r->class = RRCLASS_ANY;
			r->type = below(2) == 0 ? RRTYPE_ANY : r->type;
			r->len = 0;
		}
	}
}

static void encode(struct kit_message *m, enum section section, const struct record *r)
{
	struct ddns_rr rr = { .owner = r->owner.wire,
			      .rdata = r->rdata,
			      .ttl = r->ttl,
			      .type = r->type,
			      .class = r->class,
			      .len = r->len };
	kit_rr(m, section, &rr);
}

/* What the signer does in between: names get NSEC records. */
static void random_nsec(struct edit *e, struct model *m)
{
	struct record r = { .type = RRTYPE_NSEC, .ttl = 300 };
	random_owner(&r);
	if (model_count(m, &r, 0) != 0 && model_count(m, &r, RRTYPE_NSEC) == 0) {
		struct ddns_rr rr = { .type = RRTYPE_NSEC };
		kit_rdata(&rr, "@ A", r.rdata, sizeof(r.rdata));
		r.len = rr.len;
		ck_assert_int_eq(edit_add(e, r.owner.wire, r.type, r.ttl, r.rdata, r.len), E_OK);
		m->r[m->count++] = r;
	}
}

static void random_request(struct edit *e, struct model *m, unsigned *done)
{
	static struct kit_message message;
	static struct model before;
	struct record prerequisites[3];
	struct record updates[REQUEST_MAX];
	struct ddns_result result;
	unsigned asked = below(4) == 0 ? 1 + below(2) : 0;
	unsigned count = 1 + below(REQUEST_MAX);
	model_copy(&before, m);
	kit_begin(&message);
	for (unsigned i = 0; i < asked; i++) {
		random_prerequisite(m, &prerequisites[i]);
		encode(&message, SECTION_ANSWER, &prerequisites[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		random_update(&updates[i]);
		encode(&message, SECTION_AUTHORITY, &updates[i]);
	}
	enum rcode want = model_holds(m, prerequisites, asked);
	enum rcode have = kit_update(message.octets, message.len, 0, e, &result);
	ck_assert_int_eq(have, want);
	if (want == RCODE_NOERROR) {
		for (unsigned i = 0; i < count; i++) {
			model_update(m, &updates[i]);
		}
		model_tidy(m, &before);
		check_result(&before, m, &result);
	}
	done[want]++;
	check_zone(edit_state(e), m);
}

START_TEST(random_requests_equal_the_model)
{
	static struct model m, before;
	unsigned done[RCODE_NOTZONE + 1] = { 0 };
	dice.state = (uint64_t)_i + 1;
	struct version *v = kit_version(APEX);
	m.count = 0;
	struct version_walk walk;
	for (const struct node *n = version_first(v, &walk); n != NULL; n = version_next(&walk)) {
		for (unsigned i = 0; i < n->rrsets; i++) {
			const uint8_t *p = rrset_data(&node_rrsets(n)[i]);
			for (unsigned k = 0; k < node_rrsets(n)[i].count; k++) {
				struct rr rr;
				p = rr_read(p, &rr);
				struct record *r = &m.r[m.count++];
				dname_set(&r->owner, n->name);
				r->type = rr.type;
				r->ttl = rr.ttl;
				r->len = rr.rdlen;
				memcpy(r->rdata, rr.rdata, rr.rdlen);
			}
		}
	}
	for (unsigned i = 0; i < REQUESTS;) {
		struct edit *e = edit_begin(v, kit_zone, EDIT_TTL_LAST);
		model_copy(&before, &m);
		for (unsigned k = 1 + below(10); k != 0; k--, i++) {
			random_request(e, &m, done);
			random_nsec(e, &m);
		}
		ck_assert_int_eq(edit_error(e, NULL), E_OK);
		if (below(4) == 0) {
			edit_abort(e);
			model_copy(&m, &before);
			continue;
		}
		struct version *next = edit_commit(e);
		version_unref(v);
		v = next;
		check_zone(v, &m);
		tree_check(&v->names);
	}
	/* The dice gave all that there is. */
	static const enum rcode all[] = { RCODE_NOERROR, RCODE_NXDOMAIN, RCODE_YXDOMAIN,
					  RCODE_NXRRSET, RCODE_YXRRSET };
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		ck_assert_uint_ne(done[all[i]], 0);
	}
	version_unref(v);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("ddns");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, each_form, 0, ARRAY_LEN(steps));
	tcase_add_test(tc, what_an_update_did);
	tcase_add_test(tc, keys_where_they_are_allowed);
	tcase_add_test(tc, a_chain_is_asked_for);
	tcase_add_test(tc, requests_follow_each_other);
	tcase_add_test(tc, each_update_is_asked_for);
	tcase_add_test(tc, sets_grow_to_their_limit);
	tcase_add_test(tc, compressed_names);
	tcase_add_test(tc, messages_that_end_early);
	tcase_add_test(tc, messages_with_other_zones);
	tcase_add_test(tc, counts_cost_no_memory);
	tcase_add_test(tc, sets_that_no_message_holds);
	tcase_add_test(tc, too_large_a_set_shrinks);
	tcase_add_loop_test(tc, random_requests_equal_the_model, 0, 20);
	return unit_run("zones/ddns", tc);
}

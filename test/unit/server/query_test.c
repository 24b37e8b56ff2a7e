/* test/unit/server/query_test.c - the query engine on the examples of the RFCs, corner by corner. */
#include "test/unit/server/query_kit.h"
#include "test/unit/unit.h"

static struct kit_response res;

struct question {
	const char *name;
	const char *type;
	unsigned how;
	const char *
		expected; /* lines of kit_show in any order; additional records only if it has any */
};

/* RFC 1035 apart, most examples do not say what is additional. */
static void drop_additional(struct buf *b)
{
	struct buf out = { 0 };
	char *rest = b->data;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		if (*line != '\0' && strncmp(line, "AR ", 3) != 0) {
			buf_printf(&out, "%s\n", line);
		}
	}
	buf_clear(b);
	*b = out;
}

static void ask(struct kit *k, const struct question *q)
{
	struct buf got = { 0 };
	struct buf want = { 0 };
	kit_ask(k, q->name, q->type, q->how, &res);
	kit_show(&got, &res);
	buf_str(&want, q->expected);
	if (strstr(q->expected, "AR ") == NULL) {
		drop_additional(&got);
	}
	kit_sort_lines(&got);
	kit_sort_lines(&want);
	ck_assert_msg(strcmp(got.data, want.data) == 0, "%s %s\ngot:\n%s\nexpected:\n%s", q->name,
		      q->type, got.data, want.data);
	buf_clear(&got);
	buf_clear(&want);
}

static void ask_all(struct kit *k, const struct question *q, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ask(k, &q[i]);
	}
}
#define ASK_ALL(k, table) ask_all(k, table, ARRAY_LEN(table))

/* A zone from a master file, signed. */
static struct kit_zone *zone(struct kit *k, const char *apex, enum kit_chain chain,
			     const char *text)
{
	struct kit_zone *z = kit_zone(k, apex);
	kit_master(z, text);
	kit_sign(k, z, chain);
	return z;
}

/* --- RFC 4035 -------------------------------------------------------------------------------- */

/* Appendix A, without its signatures and keys; the chain as printed. */
static const char rfc4035_zone[] =
	"example.       3600 IN SOA ns1.example. bugs.x.w.example. 1081539377 3600 300 3600000 3600\n"
	"               3600 NS    ns1.example.\n"
	"               3600 NS    ns2.example.\n"
	"               3600 MX    1 xx.example.\n"
	"               3600 NSEC  a.example. NS SOA MX RRSIG NSEC DNSKEY\n"
	"               3600 DNSKEY 256 3 5 AAAA\n"
	"a.example.     3600 IN NS ns1.a.example.\n"
	"               3600 NS    ns2.a.example.\n"
	"               3600 DS    57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B\n"
	"               3600 NSEC  ai.example. NS DS RRSIG NSEC\n"
	"ns1.a.example. 3600 IN A  192.0.2.5\n"
	"ns2.a.example. 3600 IN A  192.0.2.6\n"
	"ai.example.    3600 IN A  192.0.2.9\n"
	"               3600 HINFO \"KLH-10\" \"ITS\"\n"
	"               3600 AAAA  2001:db8::f00:baa9\n"
	"               3600 NSEC  b.example. A HINFO AAAA RRSIG NSEC\n"
	"b.example.     3600 IN NS ns1.b.example.\n"
	"               3600 NS    ns2.b.example.\n"
	"               3600 NSEC  ns1.example. NS RRSIG NSEC\n"
	"ns1.b.example. 3600 IN A  192.0.2.7\n"
	"ns2.b.example. 3600 IN A  192.0.2.8\n"
	"ns1.example.   3600 IN A  192.0.2.1\n"
	"               3600 NSEC  ns2.example. A RRSIG NSEC\n"
	"ns2.example.   3600 IN A  192.0.2.2\n"
	"               3600 NSEC  *.w.example. A RRSIG NSEC\n"
	"*.w.example.   3600 IN MX 1 ai.example.\n"
	"               3600 NSEC  x.w.example. MX RRSIG NSEC\n"
	"x.w.example.   3600 IN MX 1 xx.example.\n"
	"               3600 NSEC  x.y.w.example. MX RRSIG NSEC\n"
	"x.y.w.example. 3600 IN MX 1 xx.example.\n"
	"               3600 NSEC  xx.example. MX RRSIG NSEC\n"
	"xx.example.    3600 IN A  192.0.2.10\n"
	"               3600 HINFO \"KLH-10\" \"TOPS-20\"\n"
	"               3600 AAAA  2001:db8::f00:baaa\n"
	"               3600 NSEC  example. A HINFO AAAA RRSIG NSEC\n";

/* Appendix B, in its order. */
static const struct question rfc4035_responses[] = {
	{ "x.w.example.", "MX", KIT_DO,
	  "NOERROR aa\n"
	  "AN x.w.example. 3600 MX 1 xx.example.\n"
	  "AN x.w.example. 3600 RRSIG MX\n"
	  "NS example. 3600 NS ns1.example.\n"
	  "NS example. 3600 NS ns2.example.\n"
	  "NS example. 3600 RRSIG NS\n"
	  "AR xx.example. 3600 A 192.0.2.10\n"
	  "AR xx.example. 3600 RRSIG A\n"
	  "AR xx.example. 3600 AAAA 2001:db8::f00:baaa\n"
	  "AR xx.example. 3600 RRSIG AAAA\n"
	  "AR ns1.example. 3600 A 192.0.2.1\n"
	  "AR ns1.example. 3600 RRSIG A\n"
	  "AR ns2.example. 3600 A 192.0.2.2\n"
	  "AR ns2.example. 3600 RRSIG A\n" },
	{ "ml.example.", "A", KIT_DO,
	  "NXDOMAIN aa\n"
	  "NS example. 3600 SOA\n"
	  "NS example. 3600 RRSIG SOA\n"
	  "NS b.example. 3600 NSEC\n"
	  "NS b.example. 3600 RRSIG NSEC\n"
	  "NS example. 3600 NSEC\n"
	  "NS example. 3600 RRSIG NSEC\n" },
	{ "ns1.example.", "MX", KIT_DO,
	  "NOERROR aa\n"
	  "NS example. 3600 SOA\n"
	  "NS example. 3600 RRSIG SOA\n"
	  "NS ns1.example. 3600 NSEC\n"
	  "NS ns1.example. 3600 RRSIG NSEC\n" },
	{ "mc.a.example.", "MX", KIT_DO,
	  "NOERROR\n"
	  "NS a.example. 3600 NS ns1.a.example.\n"
	  "NS a.example. 3600 NS ns2.a.example.\n"
	  "NS a.example. 3600 DS\n"
	  "NS a.example. 3600 RRSIG DS\n"
	  "AR ns1.a.example. 3600 A 192.0.2.5\n"
	  "AR ns2.a.example. 3600 A 192.0.2.6\n" },
	{ "mc.b.example.", "MX", KIT_DO,
	  "NOERROR\n"
	  "NS b.example. 3600 NS ns1.b.example.\n"
	  "NS b.example. 3600 NS ns2.b.example.\n"
	  "NS b.example. 3600 NSEC\n"
	  "NS b.example. 3600 RRSIG NSEC\n"
	  "AR ns1.b.example. 3600 A 192.0.2.7\n"
	  "AR ns2.b.example. 3600 A 192.0.2.8\n" },
	{ "a.z.w.example.", "MX", KIT_DO,
	  "NOERROR aa\n"
	  "AN a.z.w.example. 3600 MX 1 ai.example.\n"
	  "AN a.z.w.example. 3600 RRSIG MX\n"
	  "NS example. 3600 NS ns1.example.\n"
	  "NS example. 3600 NS ns2.example.\n"
	  "NS example. 3600 RRSIG NS\n"
	  "NS x.y.w.example. 3600 NSEC\n"
	  "NS x.y.w.example. 3600 RRSIG NSEC\n"
	  "AR ai.example. 3600 A 192.0.2.9\n"
	  "AR ai.example. 3600 RRSIG A\n"
	  "AR ai.example. 3600 AAAA 2001:db8::f00:baa9\n"
	  "AR ai.example. 3600 RRSIG AAAA\n"
	  "AR ns1.example. 3600 A 192.0.2.1\n"
	  "AR ns1.example. 3600 RRSIG A\n"
	  "AR ns2.example. 3600 A 192.0.2.2\n"
	  "AR ns2.example. 3600 RRSIG A\n" },
	{ "a.z.w.example.", "AAAA", KIT_DO,
	  "NOERROR aa\n"
	  "NS example. 3600 SOA\n"
	  "NS example. 3600 RRSIG SOA\n"
	  "NS x.y.w.example. 3600 NSEC\n"
	  "NS x.y.w.example. 3600 RRSIG NSEC\n"
	  "NS *.w.example. 3600 NSEC\n"
	  "NS *.w.example. 3600 RRSIG NSEC\n" },
	{ "example.", "DS", KIT_DO,
	  "NOERROR aa\n"
	  "NS example. 3600 SOA\n"
	  "NS example. 3600 RRSIG SOA\n"
	  "NS example. 3600 NSEC\n"
	  "NS example. 3600 RRSIG NSEC\n" },
};

START_TEST(rfc4035_appendix_b)
{
	struct kit k;
	kit_init(&k);
	k.config.full = true; /* the responses there have the NS set with them */
	k.config.udp_size = 4096;
	struct kit_zone *z = kit_zone(&k, "example.");
	kit_master(z, rfc4035_zone);
	kit_make_rrsigs(z);
	kit_serve(&k);
	for (size_t i = 0; i < ARRAY_LEN(rfc4035_responses); i++) {
		struct question q = rfc4035_responses[i];
		q.how |= KIT_TCP;
		ask(&k, &q);
	}
	kit_clear(&k);
}
END_TEST

/* Minimal responses leave the NS set of positive answers out, and nothing else. */
START_TEST(minimal_answers_have_no_ns_set)
{
	static const struct question q[] = {
		{ "x.w.example.", "MX", KIT_PLAIN,
		  "NOERROR aa\nAN x.w.example. 3600 MX 1 xx.example.\n"
		  "AR xx.example. 3600 A 192.0.2.10\n"
		  "AR xx.example. 3600 AAAA 2001:db8::f00:baaa\n" },
		{ "example.", "NS", KIT_PLAIN,
		  "NOERROR aa\nAN example. 3600 NS ns1.example.\nAN example. 3600 NS ns2.example.\n"
		  "AR ns1.example. 3600 A 192.0.2.1\nAR ns2.example. 3600 A 192.0.2.2\n" },
		{ "ml.example.", "A", KIT_EDNS, "NXDOMAIN aa\nNS example. 3600 SOA\n" },
		{ "ns1.example.", "MX", KIT_PLAIN, "NOERROR aa\nNS example. 3600 SOA\n" },
		{ "y.w.example.", "MX", KIT_PLAIN, "NOERROR aa\nNS example. 3600 SOA\n" },
		{ "y.w.example.", "MX", KIT_DO,
		  "NOERROR aa\nNS example. 3600 SOA\nNS example. 3600 RRSIG SOA\n"
		  "NS x.w.example. 3600 NSEC\nNS x.w.example. 3600 RRSIG NSEC\n" },
		{ "a.z.w.example.", "MX", KIT_PLAIN,
		  "NOERROR aa\nAN a.z.w.example. 3600 MX 1 ai.example.\n" },
		{ "a.example.", "DS", KIT_PLAIN, "NOERROR aa\nAN a.example. 3600 DS\n" },
		{ "a.example.", "NS", KIT_PLAIN,
		  "NOERROR\nNS a.example. 3600 NS ns1.a.example.\n"
		  "NS a.example. 3600 NS ns2.a.example.\n" },
		{ "b.example.", "DS", KIT_DO,
		  "NOERROR aa\nNS example. 3600 SOA\nNS example. 3600 RRSIG SOA\n"
		  "NS b.example. 3600 NSEC\nNS b.example. 3600 RRSIG NSEC\n" },
		{ "x.b.example.", "DS", KIT_DO,
		  "NOERROR\nNS b.example. 3600 NS ns1.b.example.\n"
		  "NS b.example. 3600 NS ns2.b.example.\n"
		  "NS b.example. 3600 NSEC\nNS b.example. 3600 RRSIG NSEC\n" },
		/* Behind glue, the NSEC of the cut is the one that covers. */
		{ "ba.example.", "A", KIT_DO,
		  "NXDOMAIN aa\nNS example. 3600 SOA\nNS example. 3600 RRSIG SOA\n"
		  "NS b.example. 3600 NSEC\nNS b.example. 3600 RRSIG NSEC\n"
		  "NS example. 3600 NSEC\nNS example. 3600 RRSIG NSEC\n" },
		/* One NSEC covers both. */
		{ "0.example.", "A", KIT_DO,
		  "NXDOMAIN aa\nNS example. 3600 SOA\nNS example. 3600 RRSIG SOA\n"
		  "NS example. 3600 NSEC\nNS example. 3600 RRSIG NSEC\n" },
		/* Behind the last name, the last NSEC; it never goes round within the zone. */
		{ "zz.example.", "A", KIT_DO,
		  "NXDOMAIN aa\nNS example. 3600 SOA\nNS example. 3600 RRSIG SOA\n"
		  "NS xx.example. 3600 NSEC\nNS xx.example. 3600 RRSIG NSEC\n"
		  "NS example. 3600 NSEC\nNS example. 3600 RRSIG NSEC\n" },
		/* Asked for by type, DNSSEC records are given without DO. */
		{ "ns1.example.", "NSEC", KIT_PLAIN, "NOERROR aa\nAN ns1.example. 3600 NSEC\n" },
		{ "ns1.example.", "NSEC", KIT_DO,
		  "NOERROR aa\nAN ns1.example. 3600 NSEC\nAN ns1.example. 3600 RRSIG NSEC\n" },
		{ "ns1.example.", "RRSIG", KIT_PLAIN,
		  "NOERROR aa\nAN ns1.example. 3600 RRSIG A\n" },
		{ "a.z.w.example.", "RRSIG", KIT_PLAIN,
		  "NOERROR aa\nAN a.z.w.example. 3600 RRSIG MX\n" },
		{ "ns1.a.example.", "NSEC", KIT_PLAIN,
		  "NOERROR\nNS a.example. 3600 NS ns1.a.example.\n"
		  "NS a.example. 3600 NS ns2.a.example.\n" },
		{ "ns1.example.", "NSEC3", KIT_PLAIN, "NOERROR aa\nNS example. 3600 SOA\n" },
	};
	struct kit k;
	kit_init(&k);
	struct kit_zone *z = kit_zone(&k, "example.");
	kit_master(z, rfc4035_zone);
	kit_make_rrsigs(z);
	kit_serve(&k);
	ASK_ALL(&k, q);
	kit_clear(&k);
}
END_TEST

/* --- RFC 5155 -------------------------------------------------------------------------------- */

/* Appendix A, without its signatures and keys; the chain as printed. */
#define CHAIN "3600 NSEC3 1 1 12 aabbccdd "
static const char rfc5155_zone[] =
	"example. 3600 IN SOA ns1.example. bugs.x.w.example. 1 3600 300 3600000 3600\n"
	" 3600 NS ns1.example.\n"
	" 3600 NS ns2.example.\n"
	" 3600 MX 1 xx.example.\n"
	" 3600 DNSKEY 256 3 7 AAAA\n"
	" 3600 NSEC3PARAM 1 0 12 aabbccdd\n"
	"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. " CHAIN
	"2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG\n"
	"2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. 3600 IN A 192.0.2.127\n"
	" " CHAIN "2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG\n"
	"2vptu5timamqttgl4luu9kg21e0aor3s.example. " CHAIN
	"35mthgpgcu1qg68fab165klnsnk3dpvl MX RRSIG\n"
	"35mthgpgcu1qg68fab165klnsnk3dpvl.example. " CHAIN
	"b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG\n"
	"a.example. 3600 IN NS ns1.a.example.\n"
	" 3600 NS ns2.a.example.\n"
	" 3600 DS 58470 5 1 3079F1593EBAD6DC121E202A8B766A6A4837206C\n"
	"ns1.a.example. 3600 IN A 192.0.2.5\n"
	"ns2.a.example. 3600 IN A 192.0.2.6\n"
	"ai.example. 3600 IN A 192.0.2.9\n"
	" 3600 HINFO \"KLH-10\" \"ITS\"\n"
	" 3600 AAAA 2001:db8:0:0:0:0:f00:baa9\n"
	"b4um86eghhds6nea196smvmlo4ors995.example. " CHAIN
	"gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG\n"
	"c.example. 3600 IN NS ns1.c.example.\n"
	" 3600 NS ns2.c.example.\n"
	"ns1.c.example. 3600 IN A 192.0.2.7\n"
	"ns2.c.example. 3600 IN A 192.0.2.8\n"
	"gjeqe526plbf1g8mklp59enfd789njgi.example. " CHAIN
	"ji6neoaepv8b5o6k4ev33abha8ht9fgc HINFO A AAAA RRSIG\n"
	"ji6neoaepv8b5o6k4ev33abha8ht9fgc.example. " CHAIN "k8udemvp1j2f7eg6jebps17vp3n8i58h\n"
	"k8udemvp1j2f7eg6jebps17vp3n8i58h.example. " CHAIN "kohar7mbb8dc2ce8a9qvl8hon4k53uhi\n"
	"kohar7mbb8dc2ce8a9qvl8hon4k53uhi.example. " CHAIN
	"q04jkcevqvmu85r014c7dkba38o0ji5r A RRSIG\n"
	"ns1.example. 3600 IN A 192.0.2.1\n"
	"ns2.example. 3600 IN A 192.0.2.2\n"
	"q04jkcevqvmu85r014c7dkba38o0ji5r.example. " CHAIN
	"r53bq7cc2uvmubfu5ocmm6pers9tk9en A RRSIG\n"
	"r53bq7cc2uvmubfu5ocmm6pers9tk9en.example. " CHAIN
	"t644ebqk9bibcna874givr6joj62mlhv MX RRSIG\n"
	"t644ebqk9bibcna874givr6joj62mlhv.example. " CHAIN
	"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom HINFO A AAAA RRSIG\n"
	"*.w.example. 3600 IN MX 1 ai.example.\n"
	"x.w.example. 3600 IN MX 1 xx.example.\n"
	"x.y.w.example. 3600 IN MX 1 xx.example.\n"
	"xx.example. 3600 IN A 192.0.2.10\n"
	" 3600 HINFO \"KLH-10\" \"TOPS-20\"\n"
	" 3600 AAAA 2001:db8:0:0:0:0:f00:baaa\n";

#define SOA3	 "NS example. 3600 SOA\nNS example. 3600 RRSIG SOA\n"
#define N3(hash) "NS " hash ".example. 3600 NSEC3\nNS " hash ".example. 3600 RRSIG NSEC3\n"
#define APEX	 "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"

/* Appendix B, in its order; then what it leaves out. */
static const struct question rfc5155_responses[] = {
	{ "a.c.x.w.example.", "A", KIT_DO,
	  "NXDOMAIN aa\n" SOA3 N3(APEX) N3("b4um86eghhds6nea196smvmlo4ors995")
		  N3("35mthgpgcu1qg68fab165klnsnk3dpvl") },
	{ "ns1.example.", "MX", KIT_DO,
	  "NOERROR aa\n" SOA3 N3("2t7b4g4vsa5smi47k61mv5bv1a22bojr") },
	{ "y.w.example.", "A", KIT_DO, "NOERROR aa\n" SOA3 N3("ji6neoaepv8b5o6k4ev33abha8ht9fgc") },
	{ "mc.c.example.", "MX", KIT_DO,
	  "NOERROR\nNS c.example. 3600 NS ns1.c.example.\nNS c.example. 3600 NS ns2.c.example.\n" N3(
		  "35mthgpgcu1qg68fab165klnsnk3dpvl")
		  N3(APEX) "AR ns1.c.example. 3600 A 192.0.2.7\nAR ns2.c.example. 3600 A 192.0.2.8\n" },
	{ "a.z.w.example.", "MX", KIT_DO,
	  "NOERROR aa\nAN a.z.w.example. 3600 MX 1 ai.example.\n"
	  "AN a.z.w.example. 3600 RRSIG MX\n" N3("q04jkcevqvmu85r014c7dkba38o0ji5r") },
	{ "a.z.w.example.", "AAAA", KIT_DO,
	  "NOERROR aa\n" SOA3 N3("k8udemvp1j2f7eg6jebps17vp3n8i58h")
		  N3("q04jkcevqvmu85r014c7dkba38o0ji5r") N3("r53bq7cc2uvmubfu5ocmm6pers9tk9en") },
	{ "example.", "DS", KIT_DO, "NOERROR aa\n" SOA3 N3(APEX) },
	/* DS of a delegation without: closest provable encloser (§7.2.4). */
	{ "c.example.", "DS", KIT_DO,
	  "NOERROR aa\n" SOA3 N3("35mthgpgcu1qg68fab165klnsnk3dpvl") N3(APEX) },
	{ "a.example.", "DS", KIT_DO,
	  "NOERROR aa\nAN a.example. 3600 DS\nAN a.example. 3600 RRSIG DS\n" },
	/* An owner of an NSEC3 record is a name like any other (§7.2.8). */
	{ "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", "A", KIT_DO,
	  "NOERROR aa\nAN 2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. 3600 A 192.0.2.127\n"
	  "AN 2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. 3600 RRSIG A\n" },
	{ "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", "NSEC3", KIT_PLAIN,
	  "NOERROR aa\nNS example. 3600 SOA\n" },
	{ "b4um86eghhds6nea196smvmlo4ors995.example.", "NSEC3", KIT_PLAIN,
	  "NXDOMAIN aa\nNS example. 3600 SOA\n" },
	{ "example.", "NSEC3PARAM", KIT_PLAIN,
	  "NOERROR aa\nAN example. 3600 NSEC3PARAM 1 0 12 AABBCCDD\n" },
	{ "mc.c.example.", "MX", KIT_PLAIN,
	  "NOERROR\nNS c.example. 3600 NS ns1.c.example.\nNS c.example. 3600 NS ns2.c.example.\n" },
};

START_TEST(rfc5155_appendix_b)
{
	struct kit k;
	kit_init(&k);
	struct kit_zone *z = kit_zone(&k, "example.");
	kit_master(z, rfc5155_zone);
	kit_make_rrsigs(z);
	kit_serve(&k);
	for (size_t i = 0; i < ARRAY_LEN(rfc5155_responses); i++) {
		struct question q = rfc5155_responses[i];
		q.how |= KIT_TCP;
		ask(&k, &q);
	}
	kit_clear(&k);
}
END_TEST

/* Under opt-out an ENT that leads to insecure delegations alone has no record. */
START_TEST(empty_non_terminals_under_opt_out)
{
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_OPTOUT,
	     "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns\nns A 192.0.2.1\n"
	     "a.ent NS ns.elsewhere.\n"
	     "b.deep.sec NS ns.elsewhere.\nb.deep.sec DS 1 13 2 " /* keeps its ENTs */
	     "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF\n");
	kit_serve(&k);
	kit_ask(&k, "ent.example.", "A", KIT_DO | KIT_TCP, &res);
	ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
	unsigned proofs = 0;
	for (size_t i = 0; i < res.count; i++) {
		proofs += res.rr[i].type == RRTYPE_NSEC3;
	}
	ck_assert_uint_ge(proofs, 1); /* match of the apex, cover of ent: two, or the same one */
	kit_ask(&k, "x.ent.example.", "A", KIT_DO | KIT_TCP, &res);
	ck_assert_uint_eq(res.rcode, RCODE_NXDOMAIN);
	kit_ask(&k, "deep.sec.example.", "A", KIT_DO | KIT_TCP, &res);
	ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
	ck_assert_uint_eq(res.count, 4); /* SOA, match, and their signatures */
	kit_clear(&k);
}
END_TEST

/* A hash that matches a record though the name is not there: nothing can be proved (RFC 5155 §7.2.9). */
START_TEST(hash_collision_is_a_server_failure)
{
	struct kit k;
	kit_init(&k);
	struct kit_zone *z = kit_zone(&k, "example.");
	kit_master(z, "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n"
		      "ghost A 192.0.2.1\n");
	kit_sign(&k, z, KIT_NSEC3);
	size_t kept = 0;
	const struct dname ghost = kit_name("ghost.example.");
	for (size_t i = 0; i < z->count; i++) { /* the name goes, its NSEC3 stays */
		if (dname_equal(z->rr[i].owner.wire, ghost.wire)) {
			mem_free(z->rr[i].rdata);
		} else {
			z->rr[kept++] = z->rr[i];
		}
	}
	z->count = kept;
	kit_serve(&k);
	kit_ask(&k, "ghost.example.", "A", KIT_DO, &res);
	ck_assert_uint_eq(res.rcode, RCODE_SERVFAIL);
	kit_ask(&k, "ghost.example.", "A", KIT_PLAIN, &res);
	ck_assert_uint_eq(res.rcode, RCODE_NXDOMAIN);
	kit_clear(&k);
}
END_TEST

/* While parameters change, two chains lie in one zone; proofs come from the one that NSEC3PARAM names. */
START_TEST(records_of_another_chain_are_stepped_over)
{
	struct kit k;
	kit_init(&k);
	struct kit_zone *z = kit_zone(&k, "example.");
	kit_master(z, "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n"
		      "a A 192.0.2.1\nb A 192.0.2.1\nc A 192.0.2.1\nd A 192.0.2.1\n");
	kit_sign(&k, z, KIT_NSEC3);
	size_t count;
	struct dname *names = kit_chain_names(z, &count);
	z->param.iterations = 3;
	z->param.salt_len = 1;
	z->param.salt[0] = 7;
	kit_make_nsec3(&k, z, names, count);
	kit_make_rrsigs(z);
	mem_free(names);
	kit_serve(&k);
	for (unsigned i = 0; i < 100; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "x%u.example.", i);
		kit_ask(&k, name, "A", KIT_DO | KIT_TCP, &res);
		ck_assert_uint_eq(res.rcode, RCODE_NXDOMAIN);
		struct nsec3_param first = { 0 };
		unsigned proofs = 0;
		for (size_t r = 0; r < res.count; r++) {
			struct nsec3_param p;
			if (res.rr[r].type == RRTYPE_NSEC3) {
				ck_assert_int_eq(
					nsec3_param_read(res.rr[r].rdata, res.rr[r].len, &p), E_OK);
				ck_assert(proofs == 0 || nsec3_param_same(&first, &p));
				first = p;
				proofs++;
			}
		}
		ck_assert_uint_ge(proofs, 1);
		ck_assert_uint_le(proofs, 3);
	}
	kit_clear(&k);
}
END_TEST

/* --- RFC 4592 -------------------------------------------------------------------------------- */

static const char rfc4592_zone[] =
	"$ORIGIN example.\n"
	"example.                 3600 IN  SOA ns a 1 2 3 4 5\n"
	"example.                 3600     NS    ns.example.com.\n"
	"example.                 3600     NS    ns.example.net.\n"
	"*.example.               3600     TXT   \"this is a wildcard\"\n"
	"*.example.               3600     MX    10 host1.example.\n"
	"sub.*.example.           3600     TXT   \"this is not a wildcard\"\n"
	"host1.example.           3600     A     192.0.2.1\n"
	"_ssh._tcp.host1.example. 3600     SRV   0 0 22 host1\n"
	"_ssh._tcp.host2.example. 3600     SRV   0 0 22 host1\n"
	"subdel.example.          3600     NS    ns.example.com.\n"
	"subdel.example.          3600     NS    ns.example.net.\n";

/* §2.2.1, then §2.2.2 and the rest of the document. */
START_TEST(rfc4592_wildcards)
{
#define NEGATIVE "NS example. 5 SOA\n"
	static const struct question q[] = {
		{ "host3.example.", "MX", KIT_PLAIN,
		  "NOERROR aa\nAN host3.example. 3600 MX 10 host1.example.\n" },
		{ "host3.example.", "A", KIT_PLAIN, "NOERROR aa\n" NEGATIVE },
		{ "foo.bar.example.", "TXT", KIT_PLAIN,
		  "NOERROR aa\nAN foo.bar.example. 3600 TXT \"this is a wildcard\"\n" },
		{ "host1.example.", "MX", KIT_PLAIN, "NOERROR aa\n" NEGATIVE },
		{ "sub.*.example.", "MX", KIT_PLAIN, "NOERROR aa\n" NEGATIVE },
		{ "_telnet._tcp.host1.example.", "SRV", KIT_PLAIN, "NXDOMAIN aa\n" NEGATIVE },
		{ "host.subdel.example.", "A", KIT_PLAIN,
		  "NOERROR\nNS subdel.example. 3600 NS ns.example.com.\n"
		  "NS subdel.example. 3600 NS ns.example.net.\n" },
		{ "ghost.*.example.", "MX", KIT_PLAIN, "NXDOMAIN aa\n" NEGATIVE },
		{ "host2.example.", "TXT", KIT_PLAIN, "NOERROR aa\n" NEGATIVE },
		{ "_tcp.host2.example.", "TXT", KIT_PLAIN, "NOERROR aa\n" NEGATIVE },
		{ "*.example.", "TXT", KIT_PLAIN,
		  "NOERROR aa\nAN *.example. 3600 TXT \"this is a wildcard\"\n" },
		{ "HOST3.EXAMPLE.", "MX", KIT_PLAIN,
		  "NOERROR aa\nAN HOST3.EXAMPLE. 3600 MX 10 host1.example.\n" },
	};
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_UNSIGNED, rfc4592_zone);
	kit_serve(&k);
	ASK_ALL(&k, q);
	kit_clear(&k);
}
END_TEST

/* A wildcard that owns nothing but has names below is there: NODATA, not NXDOMAIN. */
START_TEST(empty_wildcards_answer_nodata)
{
	static const struct question q[] = {
		{ "a.w.example.", "A", KIT_DO,
		  "NOERROR aa\nNS example. 100 SOA\nNS example. 100 RRSIG SOA\n"
		  "NS example. 300 NSEC\nNS example. 300 RRSIG NSEC\n"
		  "NS sub.*.w.example. 300 NSEC\nNS sub.*.w.example. 300 RRSIG NSEC\n" },
		{ "*.w.example.", "A", KIT_PLAIN, "NOERROR aa\nNS example. 100 SOA\n" },
		{ "sub.a.w.example.", "A", KIT_PLAIN, "NOERROR aa\nNS example. 100 SOA\n" },
		{ "a.*.w.example.", "A", KIT_PLAIN, "NXDOMAIN aa\nNS example. 100 SOA\n" },
	};
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_NSEC,
	     "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n"
	     "sub.*.w A 192.0.2.1\n");
	kit_serve(&k);
	ASK_ALL(&k, q);
	kit_clear(&k);
}
END_TEST

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
	     "ins.example. 300 SOA ns host 1 3600 900 1209600 60\n NS ns.elsewhere.\n");
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
	};
	struct kit k;
	kit_init(&k);
	zone(&k, "example.", KIT_NSEC,
	     "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n"
	     "m A 192.0.2.1\nm AAAA 2001:db8::1\nm TXT x\n*.w MX 1 m\nd NS ns.elsewhere.\nlate TLSA 1 1 1 00\n");
	kit_serve(&k);
	ASK_ALL(&k, q);
	kit_ask(&k, "x.w.example.", "ANY", KIT_PLAIN, &res);
	ck_assert_uint_eq(res.count, 1); /* nor anything additional */
	kit_clear(&k);
}
END_TEST

/* --- sizes ----------------------------------------------------------------------------------- */

/* 40 addresses of two servers under the cut, and as many of one beside it. */
static void many_addresses(struct kit *k, unsigned under, unsigned beside)
{
	struct buf text = { 0 };
	buf_str(&text, "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns\n"
		       "sub NS ns.sub\nsub NS ns\n");
	for (unsigned i = 0; i < under; i++) {
		buf_printf(&text, "ns.sub A 10.0.0.%u\n", i);
	}
	for (unsigned i = 0; i < beside; i++) {
		buf_printf(&text, "ns A 10.0.1.%u\n", i);
	}
	for (unsigned i = 0; i < 60; i++) {
		buf_printf(&text, "big A 10.0.2.%u\n", i);
	}
	zone(k, "example.", KIT_NSEC, text.data);
	buf_clear(&text);
	kit_serve(k);
}

static bool is_truncated(void)
{
	return (res.header.flags & MESSAGE_TC) != 0;
}

START_TEST(needed_glue_or_tc)
{
	struct kit k;
	kit_init(&k);
	many_addresses(&k, 40, 1);
	kit_ask(&k, "x.sub.example.", "A", KIT_PLAIN, &res);
	ck_assert(is_truncated());
	ck_assert_uint_eq(res.header.count[SECTION_AUTHORITY], 2);
	kit_ask(&k, "x.sub.example.", "A", KIT_EDNS, &res);
	ck_assert(!is_truncated());
	ck_assert_uint_eq(res.header.count[SECTION_ADDITIONAL], 42);
	kit_clear(&k);
}
END_TEST

START_TEST(other_glue_is_left_out)
{
	struct kit k;
	kit_init(&k);
	many_addresses(&k, 1, 40);
	kit_ask(&k, "x.sub.example.", "A", KIT_PLAIN, &res);
	ck_assert(!is_truncated());
	ck_assert_uint_eq(res.header.count[SECTION_ADDITIONAL], 1);
	kit_ask(&k, "example.", "NS", KIT_PLAIN, &res);
	ck_assert(!is_truncated());
	ck_assert_uint_eq(res.count, 1);
	kit_clear(&k);
}
END_TEST

/* Every size: sets go in whole or not at all, and TC says that something needed is missing. */
START_TEST(every_size_is_kept_to)
{
	static const char *const names[] = { "big.example.", "x.sub.example.", "no.example.",
					     "example." };
	struct kit k;
	kit_init(&k);
	many_addresses(&k, 20, 30);
	k.config.udp_size = 4096;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		const struct dname name = kit_name(names[i]);
		unsigned last = 0;
		for (unsigned size = 0; size < 4200; size += 1) {
			kit_ask_size(&k, name.wire, i == 3 ? RRTYPE_NS : RRTYPE_A, KIT_DO,
				     (uint16_t)size, &res);
			ck_assert_uint_ge(res.count + 1000U * !is_truncated(), last);
			last = (unsigned)res.count + 1000U * !is_truncated();
			for (size_t r = 0; r < res.count; r++) {
				unsigned n = 0;
				for (size_t s = 0; s < res.count; s++) {
					n += res.rr[s].type == res.rr[r].type &&
					     dname_equal(res.rr[s].owner.wire,
							 res.rr[r].owner.wire);
				}
				if (res.rr[r].type == RRTYPE_A) {
					ck_assert(n == 60 || n == 20 || n == 30);
				}
			}
		}
		ck_assert(!is_truncated());
	}
	kit_clear(&k);
}
END_TEST

START_TEST(small_offers_mean_512)
{
	struct kit k;
	kit_init(&k);
	many_addresses(&k, 20, 1);
	const struct dname name = kit_name("x.sub.example.");
	kit_ask_size(&k, name.wire, RRTYPE_A, KIT_EDNS, 512, &res);
	size_t len = res.len;
	kit_ask_size(&k, name.wire, RRTYPE_A, KIT_EDNS, 0, &res);
	ck_assert_uint_eq(res.len, len);
	ck_assert_uint_gt(len, 400);
	kit_clear(&k);
}
END_TEST

/* Beyond 16383 octets names cannot be pointed at; the message stays right. */
START_TEST(large_messages_over_tcp)
{
	struct kit k;
	struct buf text = { 0 };
	kit_init(&k);
	buf_str(&text, "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n");
	for (unsigned i = 0; i < 900; i++) {
		buf_printf(&text, "mx MX %u host%u.some.longer.name\n", i, i);
		buf_printf(&text, "host%u.some.longer.name A 10.0.%u.%u\n", i, i / 256, i % 256);
		buf_printf(&text, "huge TXT \"%u%0100u\"\n", i, i);
	}
	zone(&k, "example.", KIT_NSEC, text.data);
	buf_clear(&text);
	kit_serve(&k);
	kit_ask(&k, "mx.example.", "MX", KIT_TCP | KIT_DO, &res);
	ck_assert_uint_gt(res.len, 0x4000);
	ck_assert_uint_eq(res.header.count[SECTION_ANSWER], 901);
	ck_assert_uint_gt(res.header.count[SECTION_ADDITIONAL], 10);
	ck_assert(!is_truncated());
	kit_ask(&k, "huge.example.", "TXT", KIT_TCP | KIT_DO, &res);
	ck_assert(is_truncated()); /* more than 65535 octets: there is nothing better to say */
	kit_clear(&k);
}
END_TEST

/* --- compression ----------------------------------------------------------------------------- */

START_TEST(case_is_kept)
{
	struct kit k;
	kit_init(&k);
	zone(&k, "Example.", KIT_UNSIGNED,
	     "Example. 300 SOA NS.Example. Host.eXample. 1 3600 900 1209600 100\n"
	     " NS NS.Example.\n NS ns2.example.\nNS A 192.0.2.1\n");
	kit_serve(&k);
	static const struct question q[] = {
		{ "EXAMPLE.", "NS", KIT_PLAIN,
		  "NOERROR aa\nAN EXAMPLE. 300 NS NS.Example.\nAN EXAMPLE. 300 NS ns2.example.\n"
		  "AR NS.Example. 300 A 192.0.2.1\n" },
	};
	ASK_ALL(&k, q);
	kit_ask(&k, "nO.eXAMPLE.", "A", KIT_PLAIN, &res);
	struct buf b = { 0 };
	rdata_to_text(res.rr[0].type, res.rr[0].rdata, res.rr[0].len, &b);
	ck_assert_str_eq(b.data, "NS.Example. Host.eXample. 1 3600 900 1209600 100");
	buf_clear(&b);
	kit_clear(&k);
}
END_TEST

/* What a usual answer weighs: names are shared, records of the question's name take two octets. */
START_TEST(messages_are_small)
{
	struct kit k;
	kit_init(&k);
	zone(&k, "example.com.", KIT_UNSIGNED,
	     "example.com. 300 SOA ns1 host 1 3600 900 1209600 100\n NS ns1\n NS ns2\n"
	     "ns1 A 192.0.2.1\nns2 A 192.0.2.2\nwww A 192.0.2.3\n");
	kit_serve(&k);
	kit_ask(&k, "www.example.com.", "A", KIT_PLAIN, &res);
	ck_assert_uint_eq(res.len, 12 + 21 + 16);
	kit_ask(&k, "example.com.", "NS", KIT_PLAIN, &res);
	ck_assert_uint_eq(res.len, 12 + 17 + 2 * (12 + 6) + 2 * 16);
	kit_ask(&k, "no.example.com.", "A", KIT_PLAIN, &res);
	ck_assert_uint_eq(res.len, 12 + 20 + 12 + 6 + 7 + 20);
	kit_clear(&k);
}
END_TEST

/* --- hostile and unusual queries ------------------------------------------------------------- */

static void setup_plain(struct kit *k)
{
	kit_init(k);
	zone(k, "example.", KIT_NSEC,
	     "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\nwww A 192.0.2.1\n");
	kit_serve(k);
}

static void send_octets(struct kit *k, const void *octets, size_t len)
{
	kit_send(k, octets, len, false, &res);
}

#define HEADER(flags, counts) "\x12\x34" flags counts
#define ONE		      "\0\1\0\0\0\0\0\0"
#define ONE_AND_OPT	      "\0\1\0\0\0\0\0\1"
#define WWW		      "\3www\7example\0"
#define WWW_A		      WWW "\0\1\0\1"
#define OPT		      "\0\0\x29\x04\xd0\0\0\0\0\0\0"

struct octets {
	const char *what;
	const char *data;
	size_t len;
	int rcode;	    /* -1: silence */
	unsigned questions; /* that are repeated */
	bool opt;
};
#define OCTETS(text) (text), sizeof(text) - 1

static const struct octets unusual[] = {
	{ "nothing", OCTETS(""), -1, 0, false },
	{ "eleven octets", OCTETS("\x12\x34\0\0\0\1\0\0\0\0\0"), -1, 0, false },
	{ "a response", OCTETS(HEADER("\x80\0", ONE) WWW_A), -1, 0, false },
	{ "a response of opcode 4", OCTETS(HEADER("\xa0\0", ONE) WWW_A), -1, 0, false },
	{ "plain", OCTETS(HEADER("\0\0", ONE) WWW_A), RCODE_NOERROR, 1, false },
	{ "all flags", OCTETS(HEADER("\x07\xff", ONE) WWW_A), RCODE_NOERROR, 1, false },
	{ "header alone", OCTETS(HEADER("\0\0", "\0\0\0\0\0\0\0\0")), RCODE_FORMERR, 0, false },
	{ "no question but OPT", OCTETS(HEADER("\0\0", "\0\0\0\0\0\0\0\1") OPT), RCODE_FORMERR, 0,
	  true },
	{ "two questions", OCTETS(HEADER("\0\0", "\0\2\0\0\0\0\0\0") WWW_A WWW_A), RCODE_FORMERR, 0,
	  false },
	{ "65535 questions", OCTETS(HEADER("\0\0", "\xff\xff\0\0\0\0\0\0") WWW_A), RCODE_FORMERR, 0,
	  false },
	{ "a name cut short", OCTETS(HEADER("\0\0", ONE) "\3ww"), RCODE_FORMERR, 0, false },
	{ "no type", OCTETS(HEADER("\0\0", ONE) WWW), RCODE_FORMERR, 0, false },
	{ "half a class", OCTETS(HEADER("\0\0", ONE) WWW "\0\1\0"), RCODE_FORMERR, 0, false },
	{ "a pointer to itself", OCTETS(HEADER("\0\0", ONE) "\xc0\x0c\0\1\0\1"), RCODE_FORMERR, 0,
	  false },
	{ "a pointer into the header", OCTETS(HEADER("\0\0", ONE) "\xc0\x04\0\1\0\1"),
	  RCODE_FORMERR, 0, false },
	{ "a label of 64", OCTETS(HEADER("\0\0", ONE) "\x40zzzzzzzzzz\0\0\1\0\1"), RCODE_FORMERR, 0,
	  false },
	{ "octets behind the end", OCTETS(HEADER("\0\0", ONE) WWW_A "x"), RCODE_FORMERR, 1, false },
	{ "a record that is not there", OCTETS(HEADER("\0\0", ONE_AND_OPT) WWW_A), RCODE_FORMERR, 1,
	  false },
	{ "OPT", OCTETS(HEADER("\0\0", ONE_AND_OPT) WWW_A OPT), RCODE_NOERROR, 1, true },
	{ "OPT cut short", OCTETS(HEADER("\0\0", ONE_AND_OPT) WWW_A "\0\0\x29\x04\xd0\0\0\0\0\0"),
	  RCODE_FORMERR, 1, false },
	{ "OPT twice", OCTETS(HEADER("\0\0", "\0\1\0\0\0\0\0\2") WWW_A OPT OPT), RCODE_FORMERR, 1,
	  false },
	{ "OPT as answer", OCTETS(HEADER("\0\0", "\0\1\0\1\0\0\0\0") WWW_A OPT), RCODE_FORMERR, 1,
	  false },
	{ "OPT with an owner",
	  OCTETS(HEADER("\0\0", ONE_AND_OPT) WWW_A "\1a\0\0\x29\x04\xd0\0\0\0\0\0\0"),
	  RCODE_FORMERR, 1, false },
	{ "OPT not last",
	  OCTETS(HEADER("\0\0", "\0\1\0\0\0\0\0\2") WWW_A OPT "\0\0\1\0\1\0\0\0\0\0\4\1\2\3\4"),
	  RCODE_NOERROR, 1, true },
	{ "EDNS version 1",
	  OCTETS(HEADER("\0\0", ONE_AND_OPT) WWW_A "\0\0\x29\x04\xd0\0\1\0\0\0\0"), RCODE_BADVERS,
	  1, true },
	{ "EDNS flags that nobody knows",
	  OCTETS(HEADER("\0\0", ONE_AND_OPT) WWW_A "\0\0\x29\x04\xd0\0\0\x7f\xff\0\0"),
	  RCODE_NOERROR, 1, true },
	{ "an option that nobody knows",
	  OCTETS(HEADER("\0\0", ONE_AND_OPT) WWW_A "\0\0\x29\x04\xd0\0\0\0\0\0\x06\xff\xf0\0\2hi"),
	  RCODE_NOERROR, 1, true },
	{ "an option cut short",
	  OCTETS(HEADER("\0\0", ONE_AND_OPT) WWW_A "\0\0\x29\x04\xd0\0\0\0\0\0\x06\xff\xf0\0\3hi"),
	  RCODE_FORMERR, 1, false },
	{ "records in answer and authority",
	  OCTETS(HEADER("\0\0", "\0\1\0\1\0\1\0\0") WWW_A "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4"
							  "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4"),
	  RCODE_NOERROR, 1, false },
	{ "a forward pointer in a record",
	  OCTETS(HEADER("\0\0", "\0\1\0\1\0\0\0\0") WWW_A "\xc0\xff\0\1\0\1\0\0\0\0\0\4\1\2\3\4"),
	  RCODE_FORMERR, 1, false },
	{ "class CH", OCTETS(HEADER("\0\0", ONE) WWW "\0\1\0\3"), RCODE_REFUSED, 1, false },
	{ "class 0", OCTETS(HEADER("\0\0", ONE) WWW "\0\1\0\0"), RCODE_REFUSED, 1, false },
	{ "type 0", OCTETS(HEADER("\0\0", ONE) WWW "\0\0\0\1"), RCODE_NOERROR, 1, false },
	{ "type OPT", OCTETS(HEADER("\0\0", ONE) WWW "\0\x29\0\1"), RCODE_FORMERR, 1, false },
	{ "type TSIG", OCTETS(HEADER("\0\0", ONE) WWW "\0\xfa\0\1"), RCODE_FORMERR, 1, false },
	{ "type TKEY", OCTETS(HEADER("\0\0", ONE) WWW "\0\xf9\0\1"), RCODE_NOTIMP, 1, false },
	{ "type MAILB", OCTETS(HEADER("\0\0", ONE) WWW "\0\xfd\0\1"), RCODE_NOTIMP, 1, false },
	{ "type 200", OCTETS(HEADER("\0\0", ONE) WWW "\0\xc8\0\1"), RCODE_NOERROR, 1, false },
	{ "type NXNAME", OCTETS(HEADER("\0\0", ONE) WWW "\0\x80\0\1"), RCODE_FORMERR, 1, false },
	{ "AXFR over UDP", OCTETS(HEADER("\0\0", ONE) "\7example\0\0\xfc\0\1"), RCODE_NOTIMP, 1,
	  false },
	{ "IXFR", OCTETS(HEADER("\0\0", ONE) "\7example\0\0\xfb\0\1"), RCODE_REFUSED, 1, false },
	{ "IXFR of no zone", OCTETS(HEADER("\0\0", ONE) WWW "\0\xfb\0\1"), RCODE_NOTAUTH, 1,
	  false },
	{ "type 65535", OCTETS(HEADER("\0\0", ONE) WWW "\xff\xff\0\1"), RCODE_NOERROR, 1, false },
	{ "opcode 1", OCTETS(HEADER("\x08\0", ONE) WWW_A), RCODE_NOTIMP, 0, false },
	{ "NOTIFY", OCTETS(HEADER("\x20\0", ONE) WWW "\0\6\0\1"), RCODE_NOTIMP, 0, false },
	{ "UPDATE", OCTETS(HEADER("\x28\0", ONE) WWW "\0\6\0\1"), RCODE_NOTIMP, 0, false },
	{ "opcode 15, header alone", OCTETS(HEADER("\x78\0", "\0\0\0\0\0\0\0\0")), RCODE_NOTIMP, 0,
	  false },
	{ "opcode 6, garbage", OCTETS(HEADER("\x30\0", "\xff\xff\xff\xff\xff\xff\xff\xff") "xyz"),
	  RCODE_NOTIMP, 0, false },
};

START_TEST(unusual_queries)
{
	struct kit k;
	setup_plain(&k);
	for (size_t i = 0; i < ARRAY_LEN(unusual); i++) {
		const struct octets *o = &unusual[i];
		send_octets(&k, o->data, o->len);
		if (o->rcode < 0) {
			ck_assert_msg(res.len == 0, "%s: answered", o->what);
			continue;
		}
		ck_assert_msg(res.len != 0 && res.rcode == o->rcode, "%s: %s", o->what,
			      res.len == 0 ? "silence" : kit_rcode(res.rcode));
		ck_assert_msg(res.header.count[0] == o->questions, "%s: question", o->what);
		ck_assert_msg(res.edns.present == o->opt, "%s: OPT", o->what);
		ck_assert_msg(res.len <= o->len + 128, "%s: amplified", o->what);
	}
	kit_clear(&k);
}
END_TEST

START_TEST(longest_names)
{
	struct kit k;
	kit_init(&k);
	zone(&k, ".", KIT_NSEC3,
	     ". 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n*.w. A 192.0.2.1\n");
	kit_serve(&k);
	struct dname name = kit_name("w.");
	while (name.len < DNAME_MAX - 1) { /* labels of one octet, under the wildcard */
		static const uint8_t label[] = { 1, 'x' };
		ck_assert_int_eq(dname_prepend(&name, label, name.wire), E_OK);
		kit_ask_size(&k, name.wire, RRTYPE_A, KIT_DO, 1232, &res);
		ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
		kit_ask_size(&k, name.wire, RRTYPE_TXT, KIT_DO, 1232, &res);
		ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
		ck_assert_uint_eq(res.header.count[SECTION_ANSWER], 0);
	}
	kit_clear(&k);
}
END_TEST

/* Mutated queries: the reader of the kit accepts all that comes back. */
START_TEST(mutated_queries)
{
	struct kit k;
	uint64_t seed = 42;
	setup_plain(&k);
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t query[512];
		const struct dname name = kit_name("www.example.");
		size_t len = kit_query(query, name.wire, RRTYPE_A, KIT_DO, 1232);
		for (unsigned n = 0; n < 3; n++) {
			seed = seed * 6364136223846793005U + 1442695040888963407U;
			query[2 + (seed >> 33) % (len - 2)] = (uint8_t)(seed >> 50);
		}
		if (i % 8 == 0) {
			len = (size_t)(seed >> 40) % len;
		}
		send_octets(&k, query, len);
	}
	kit_ask(&k, "www.example.", "A", KIT_PLAIN, &res);
	ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
	kit_clear(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("query");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, rfc4035_appendix_b);
	tcase_add_test(tc, minimal_answers_have_no_ns_set);
	tcase_add_test(tc, rfc5155_appendix_b);
	tcase_add_test(tc, empty_non_terminals_under_opt_out);
	tcase_add_test(tc, hash_collision_is_a_server_failure);
	tcase_add_test(tc, records_of_another_chain_are_stepped_over);
	tcase_add_test(tc, rfc4592_wildcards);
	tcase_add_test(tc, empty_wildcards_answer_nodata);
	tcase_add_test(tc, chains_of_cname);
	tcase_add_test(tc, chains_have_a_limit);
	tcase_add_test(tc, rfc6672_dname);
	tcase_add_test(tc, dname_at_the_apex_and_twice);
	tcase_add_test(tc, proofs_of_a_chain_stand_in_authority);
	tcase_add_test(tc, ds_comes_from_the_parent);
	tcase_add_test(tc, root_zone);
	tcase_add_test(tc, any_gets_one_set);
	tcase_add_test(tc, needed_glue_or_tc);
	tcase_add_test(tc, other_glue_is_left_out);
	tcase_add_test(tc, every_size_is_kept_to);
	tcase_add_test(tc, small_offers_mean_512);
	tcase_add_test(tc, large_messages_over_tcp);
	tcase_add_test(tc, case_is_kept);
	tcase_add_test(tc, messages_are_small);
	tcase_add_test(tc, unusual_queries);
	tcase_add_test(tc, longest_names);
	tcase_add_test(tc, mutated_queries);
	return unit_run("query", tc);
}

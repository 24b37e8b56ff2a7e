/* test/unit/server/query_rfc_test.c - the query engine on the examples of RFC 4035, RFC 5155 and RFC 4592, and near them. */
#include "test/unit/server/query_unit.h"

/* --- the examples of RFC 4035 and RFC 5155 --------------------------------------------------- */

/* The zone of an Appendix A, and who signed it, as every signature there says. */
struct example {
	const char *zone;      /* paths */
	const char *responses; /* of Appendix B */
	const char *key;
	struct kit_signer signer;
};

static const struct example rfc4035 = {
	.zone = "test/data/rfc/rfc4035.zone",
	.responses = "test/data/rfc/rfc4035.responses",
	.key = "256 3 5 AAAA",
	.signer = { .algorithm = 5,
		    .expiration = 1084127779,
		    .inception = 1081535779,
		    .tag = 38519 },
};

static const struct example rfc5155 = {
	.zone = "test/data/rfc/rfc5155.zone",
	.responses = "test/data/rfc/rfc5155.responses",
	.key = "256 3 7 AAAA",
	.signer = { .algorithm = 7,
		    .expiration = 1429574399,
		    .inception = 1129852800,
		    .tag = 40430 },
};

static struct file_view read_file(const char *path)
{
	struct file_view view;
	struct errmsg em = { "" };
	ck_assert_msg(file_read(path, 1 << 20, &view, &em) == E_OK, "%s", em.text);
	return view;
}

static void serve_example(struct kit *k, const struct example *x)
{
	struct file_view view = read_file(x->zone);
	struct kit_zone *z = kit_zone(k, "example.");
	z->signer = x->signer;
	kit_master(z, view.data);
	kit_add_text(z, z->apex.wire, RRTYPE_DNSKEY, x->key);
	kit_make_rrsigs(z);
	kit_serve(k);
	file_view_clear(&view);
}

/* As kit_show, but with all rdata; of signatures all but the signature. */
static void show_whole(struct buf *b, const struct kit_response *r)
{
	static const char *const sections[] = { "", "AN ", "NS ", "AR " };
	buf_printf(b, "%s%s\n", kit_rcode(r->rcode),
		   (r->header.flags & MESSAGE_AA) != 0 ? " aa" : "");
	for (size_t i = 0; i < r->count; i++) {
		const struct kit_record *x = &r->rr[i];
		char type[RRTYPE_TEXT_MAX];
		buf_str(b, sections[x->section]);
		dname_print(b, x->owner.wire);
		buf_printf(b, " %u %s ", x->ttl, rrtype_to_text(x->type, type));
		rdata_to_text(x->type, x->rdata, x->len, b);
		if (x->type == RRTYPE_RRSIG) {
			b->len = (size_t)(strrchr(b->data, ' ') - b->data);
		}
		buf_char(b, '\n');
	}
}

/* Asks what stands in @question ("NAME TYPE") and compares the response with @want. */
static void ask_whole(struct kit *k, char *question, struct buf *want)
{
	struct buf got = { 0 };
	char *type = strchr(question, ' ');
	*type++ = '\0';
	kit_ask(k, question, type, KIT_DO | KIT_TCP, &res);
	show_whole(&got, &res);
	kit_sort_lines(&got);
	kit_sort_lines(want);
	ck_assert_msg(strcasecmp(got.data, want->data) == 0, "%s %s\ngot:\n%s\nexpected:\n%s",
		      question, type, got.data, want->data);
	buf_clear(&got);
	buf_reset(want);
}

/* Asks all questions of a file of responses; returns their number. */
static unsigned ask_responses(struct kit *k, const char *path)
{
	struct file_view view = read_file(path);
	struct buf want = { 0 };
	char *question = NULL;
	char *rest = view.data;
	unsigned asked = 0;
	while (rest != NULL) {
		char *line = strsep(&rest, "\n");
		bool is_question = line[0] == '?';
		if (question != NULL && (is_question || rest == NULL)) {
			ask_whole(k, question, &want);
			asked++;
		}
		if (is_question) {
			question = line + 2;
		} else if (line[0] != ';' && line[0] != '\0') {
			bool is_more = strncmp(line, "AR+", 3) == 0;
			buf_printf(&want, "%s%s\n", is_more ? "AR" : "", line + (is_more ? 3 : 0));
		}
	}
	buf_clear(&want);
	file_view_clear(&view);
	return asked;
}

static unsigned ask_appendix_b(const struct example *x)
{
	struct kit k;
	kit_init(&k);
	k.config.full = true; /* the responses there have the NS set with them */
	serve_example(&k, x);
	unsigned asked = ask_responses(&k, x->responses);
	kit_clear(&k);
	return asked;
}

START_TEST(rfc4035_appendix_b)
{
	ck_assert_uint_eq(ask_appendix_b(&rfc4035), 8);
}
END_TEST

START_TEST(rfc5155_appendix_b)
{
	ck_assert_uint_eq(ask_appendix_b(&rfc5155), 7);
}
END_TEST

/* --- more of these zones --------------------------------------------------------------------- */

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
	serve_example(&k, &rfc4035);
	ASK_ALL(&k, q);
	kit_clear(&k);
}
END_TEST

#define SOA3	 "NS example. 3600 SOA\nNS example. 3600 RRSIG SOA\n"
#define N3(hash) "NS " hash ".example. 3600 NSEC3\nNS " hash ".example. 3600 RRSIG NSEC3\n"
#define APEX	 "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"

START_TEST(rfc5155_beyond_its_examples)
{
	static const struct question q[] = {
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
	struct kit k;
	kit_init(&k);
	serve_example(&k, &rfc5155);
	for (size_t i = 0; i < ARRAY_LEN(q); i++) {
		struct question x = q[i];
		x.how |= KIT_TCP;
		ask(&k, &x);
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
	kit_sign(z, KIT_NSEC3);
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
	kit_sign(z, KIT_NSEC3);
	size_t count;
	struct dname *names = kit_chain_names(z, &count);
	z->param.iterations = 3;
	z->param.salt_len = 1;
	z->param.salt[0] = 7;
	kit_make_nsec3(z, names, count);
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

int main(void)
{
	TCase *tc = tcase_create("query_rfc");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, rfc4035_appendix_b);
	tcase_add_test(tc, rfc5155_appendix_b);
	tcase_add_test(tc, minimal_answers_have_no_ns_set);
	tcase_add_test(tc, rfc5155_beyond_its_examples);
	tcase_add_test(tc, empty_non_terminals_under_opt_out);
	tcase_add_test(tc, hash_collision_is_a_server_failure);
	tcase_add_test(tc, records_of_another_chain_are_stepped_over);
	tcase_add_test(tc, rfc4592_wildcards);
	tcase_add_test(tc, empty_wildcards_answer_nodata);
	return unit_run("server/query_rfc", tc);
}

/* test/unit/server/query_octets_test.c - unusual and hostile octets as queries. */
#include "test/unit/server/query_unit.h"

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
	{ "opcode 1 with OPT", OCTETS(HEADER("\x08\0", ONE_AND_OPT) WWW_A OPT), RCODE_NOTIMP, 0,
	  true },
	{ "UPDATE with OPT",
	  OCTETS(HEADER("\x28\0", "\0\1\0\1\0\1\0\1") WWW
		 "\0\6\0\1\xc0\x0c\0\xff\0\xff\0\0\0\0\0\0\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4" OPT),
	  RCODE_NOTIMP, 0, true },
	{ "opcode 1 with OPT, version 1",
	  OCTETS(HEADER("\x08\0", ONE_AND_OPT) WWW_A "\0\0\x29\x04\xd0\0\1\0\0\0\0"), RCODE_NOTIMP,
	  0, true },
	{ "opcode 1 with OPT cut short",
	  OCTETS(HEADER("\x08\0", ONE_AND_OPT) WWW_A "\0\0\x29\x04\xd0\0\0\0\0\0"), RCODE_NOTIMP, 0,
	  false },
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
		uint8_t query[1024];
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
	TCase *tc = tcase_create("query_octets");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, unusual_queries);
	tcase_add_test(tc, longest_names);
	tcase_add_test(tc, mutated_queries);
	return unit_run("server/query_octets", tc);
}

/* test/unit/server/xfr_in_test.c - transfers as they come in: every form that RFC 1995 and RFC 5936 know, however cut into
 * messages, and all that is none refused with a reason.
 *
 * A message is lines: "soa SERIAL", "NAME TTL TYPE RDATA" or "raw NAME CLASS TYPE TTL HEX". */
#include "server/xfr_in.h"

#include "test/unit/unit.h"
#include "test/unit/zones/ddns_kit.h"

#define ID	   0x1234
#define LIMIT	   1000000
#define OUR_SERIAL 3
#define AXFR_FIRST "soa 5\n@ 300 NS ns\nwww 60 A 192.0.2.1\n"
#define DIFFERENCE "soa 5\nsoa 3\nwww 60 A 192.0.2.1\nsoa 5\nwww 60 A 192.0.2.2\n"

static struct xfr_in *x;
static struct errmsg em;

static void setup(void)
{
	x = NULL;
	em = (struct errmsg){ "" };
}

static void teardown(void)
{
	xfr_in_free(x);
}

static const struct xfr_in_wish axfr = { .apex = kit_zone,
					 .max_octets = LIMIT,
					 .max_records = LIMIT };
static const struct xfr_in_wish ixfr = { .apex = kit_zone,
					 .has_serial = true,
					 .serial = OUR_SERIAL,
					 .is_incremental = true,
					 .max_octets = LIMIT,
					 .max_records = LIMIT };

static void start(const struct xfr_in_wish *wish)
{
	uint8_t query[XFR_IN_QUERY_MAX];
	struct writer w = writer_of(query, sizeof(query));
	xfr_in_free(x);
	x = xfr_in_new(wish);
	xfr_in_query(x, ID, &w);
	ck_assert_int_eq(w.err, E_OK);
}

/* --- messages -------------------------------------------------------------------------------- */

static void begin(struct kit_message *m, uint16_t type, uint16_t flags)
{
	struct message_header h = { .id = ID, .flags = flags, .count = { [SECTION_QUESTION] = 1 } };
	struct writer w = writer_of(m->octets, sizeof(m->octets));
	message_write_header(writer_room(&w, MESSAGE_HEADER_LEN), &h);
	writer_bytes(&w, kit_zone, sizeof(kit_zone));
	writer_u16(&w, type);
	writer_u16(&w, RRCLASS_IN);
	m->len = writer_len(&w);
}

static void add_line(void *arg, char *line)
{
	static uint8_t room[RDATA_MAX];
	struct dname owner;
	struct ddns_rr rr = { .owner = owner.wire, .class = RRCLASS_IN };
	char soa[64];
	char *word = kit_word(&line);
	if (strcmp(word, "soa") == 0) {
		kit_name("@", &owner);
		rr.ttl = 300;
		rr.type = RRTYPE_SOA;
		(void)snprintf(soa, sizeof(soa), "ns h %s 3600 900 86400 300", line);
		kit_rdata(&rr, soa, room, sizeof(room));
	} else if (strcmp(word, "raw") == 0) {
		kit_name(kit_word(&line), &owner);
		kit_raw(&rr, &line, room);
	} else {
		kit_name(word, &owner);
		rr.ttl = (uint32_t)strtoul(kit_word(&line), NULL, 10);
		rr.type = kit_type(kit_word(&line));
		kit_rdata(&rr, line, room, sizeof(room));
	}
	kit_rr(arg, SECTION_ANSWER, &rr);
}

static uint16_t asked(const struct xfr_in_wish *wish)
{
	return wish->is_incremental ? RRTYPE_IXFR : RRTYPE_AXFR;
}

static int give(uint16_t type, const char *lines)
{
	static struct kit_message m;
	begin(&m, type, MESSAGE_QR | MESSAGE_AA);
	kit_lines(lines, add_line, &m);
	return xfr_in_message(x, m.octets, m.len, &em);
}

/* All records of @lines, so many in a message. */
struct chopper {
	struct kit_message m;
	uint16_t type;
	unsigned each, in_this;
	int err;
};

static void flush(struct chopper *c)
{
	if (c->in_this != 0) {
		ck_assert_int_eq(c->err, E_AGAIN);
		c->err = xfr_in_message(x, c->m.octets, c->m.len, &em);
	}
	begin(&c->m, c->type, MESSAGE_QR);
	c->in_this = 0;
}

static void chop_line(void *arg, char *line)
{
	struct chopper *c = arg;
	add_line(&c->m, line);
	if (++c->in_this == c->each) {
		flush(c);
	}
}

static int transfer_in(const struct xfr_in_wish *wish, const char *lines, unsigned each)
{
	static struct chopper c;
	c = (struct chopper){ .type = asked(wish), .each = each, .err = E_AGAIN };
	start(wish);
	flush(&c);
	kit_lines(lines, chop_line, &c);
	flush(&c);
	return c.err;
}

static void is_zone(const struct version *v, const char *lines)
{
	struct version *want = kit_version(lines);
	struct buf a = { 0 };
	struct buf b = { 0 };
	ck_assert_ptr_nonnull(v);
	kit_dump(v, &a);
	kit_dump(want, &b);
	ck_assert_uint_eq(a.len, b.len);
	ck_assert_mem_eq(a.data, b.data, a.len);
	buf_clear(&a);
	buf_clear(&b);
	version_unref(want);
}

/* --- what is good ---------------------------------------------------------------------------- */

#define SOA_5	  "@ 300 SOA ns h 5 3600 900 86400 300\n"
#define ZONE_REST "@ 300 NS ns\nwww 60 A 192.0.2.1\nwww 60 A 192.0.2.2\na.b 60 MX 10 Mail\n"

START_TEST(axfr_in_any_number_of_messages)
{
	for (unsigned each = 1; each <= 7; each++) {
		ck_assert_int_eq(transfer_in(&axfr, "soa 5\n" ZONE_REST "soa 5\n", each), E_OK);
		ck_assert_int_eq(xfr_in_result(x)->kind, XFR_WHOLE);
		ck_assert_uint_eq(xfr_in_result(x)->serial, 5);
		ck_assert_uint_eq(xfr_in_result(x)->messages, (6 + each - 1) / each);
		ck_assert_uint_eq(xfr_in_result(x)->records, 6);
		is_zone(xfr_in_result(x)->whole, SOA_5 ZONE_REST);
	}
}
END_TEST

START_TEST(ixfr_answered_by_all_of_the_zone)
{
	for (unsigned each = 1; each <= 7; each++) {
		ck_assert_int_eq(transfer_in(&ixfr, "soa 5\n" ZONE_REST "soa 5\n", each), E_OK);
		ck_assert_int_eq(xfr_in_result(x)->kind, XFR_WHOLE);
		is_zone(xfr_in_result(x)->whole, SOA_5 ZONE_REST);
	}
}
END_TEST

/* What is wrong with a zone of a SOA alone is for others to say. */
START_TEST(a_zone_of_a_soa)
{
	ck_assert_int_eq(transfer_in(&axfr, "soa 5\nsoa 5\n", 1), E_OK);
	is_zone(xfr_in_result(x)->whole, SOA_5);
	ck_assert_int_eq(transfer_in(&ixfr, "soa 5\nsoa 5\n", 2), E_OK);
	ck_assert_int_eq(xfr_in_result(x)->kind, XFR_WHOLE);
}
END_TEST

static void is_diff(const struct diff *d, const char *want)
{
	struct buf got = { 0 };
	diff_print(d, &got);
	for (size_t i = 0; i < got.len; i++) {
		if (i == 0 || got.data[i - 1] == '\n') {
			ck_assert_msg((char)got.data[i] == *want, "%.*s", (int)got.len,
				      (char *)got.data);
			want++;
		}
	}
	ck_assert_str_eq(want, "");
	buf_clear(&got);
}

START_TEST(one_difference)
{
	for (unsigned each = 1; each <= 6; each++) {
		ck_assert_int_eq(transfer_in(&ixfr, DIFFERENCE "soa 5\n", each), E_OK);
		const struct xfr_in_result *r = xfr_in_result(x);
		ck_assert_int_eq(r->kind, XFR_CHANGES);
		ck_assert_uint_eq(r->change_count, 1);
		ck_assert_uint_eq(r->changes[0].serial_from, 3);
		ck_assert_uint_eq(r->changes[0].serial_to, 5);
		is_diff(&r->changes[0], "--++");
	}
}
END_TEST

START_TEST(several_differences)
{
	static const char lines[] =
		"soa 7\nsoa 3\nsoa 4\nx 60 TXT a\nsoa 4\nx 60 TXT a\nsoa 6\nsoa 6\n"
		"soa 7\nx 60 TXT b\ny 60 TXT b\nsoa 7\n";
	static const uint32_t to[] = { 4, 6, 7 };
	for (unsigned each = 1; each <= 12; each++) {
		ck_assert_int_eq(transfer_in(&ixfr, lines, each), E_OK);
		const struct xfr_in_result *r = xfr_in_result(x);
		ck_assert_uint_eq(r->change_count, 3);
		for (unsigned i = 0; i < 3; i++) {
			ck_assert_uint_eq(r->changes[i].serial_to, to[i]);
			is_diff(&r->changes[i], ((const char *[]){ "-++", "--+", "-+++" })[i]);
		}
	}
}
END_TEST

START_TEST(serials_that_wrap)
{
	struct xfr_in_wish wish = ixfr;
	wish.serial = 0xffffffff;
	ck_assert_int_eq(
		transfer_in(&wish, "soa 1\nsoa 4294967295\nsoa 0\nsoa 0\nsoa 1\nsoa 1\n", 1), E_OK);
	ck_assert_uint_eq(xfr_in_result(x)->change_count, 2);
}
END_TEST

START_TEST(nothing_new)
{
	ck_assert_int_eq(transfer_in(&ixfr, "soa 3\n", 1), E_OK);
	ck_assert_int_eq(xfr_in_result(x)->kind, XFR_CURRENT);
	ck_assert_uint_eq(xfr_in_result(x)->serial, 3);
	ck_assert_int_eq(transfer_in(&ixfr, "soa 2\n", 1), E_OK);
	ck_assert_int_eq(xfr_in_result(x)->kind, XFR_CURRENT);
	ck_assert_uint_eq(xfr_in_result(x)->serial, 2);
	/* All of it once more, though we have it. */
	ck_assert_int_eq(transfer_in(&ixfr, "soa 3\n" ZONE_REST "soa 3\n", 9), E_OK);
	ck_assert_int_eq(xfr_in_result(x)->kind, XFR_CURRENT);
	struct xfr_in_wish wish = axfr;
	wish.has_serial = true;
	wish.serial = 3;
	ck_assert_int_eq(transfer_in(&wish, "soa 3\n" ZONE_REST, 9), E_OK);
	ck_assert_int_eq(xfr_in_result(x)->kind, XFR_CURRENT);
	/* Without a serial of ours, any is new. */
	ck_assert_int_eq(transfer_in(&axfr, "soa 0\n" ZONE_REST "soa 0\n", 9), E_OK);
	ck_assert_int_eq(xfr_in_result(x)->kind, XFR_WHOLE);
}
END_TEST

START_TEST(messages_without_question_or_record)
{
	static struct kit_message m;
	start(&axfr);
	ck_assert_int_eq(give(RRTYPE_AXFR, AXFR_FIRST), E_AGAIN);
	begin(&m, RRTYPE_AXFR, MESSAGE_QR);
	ck_assert_int_eq(xfr_in_message(x, m.octets, m.len, &em), E_AGAIN);
	be16_put(m.octets + 4, 0);
	m.len = MESSAGE_HEADER_LEN;
	kit_lines("soa 5\n", add_line, &m);
	ck_assert_int_eq(xfr_in_message(x, m.octets, m.len, &em), E_OK);
}
END_TEST

/* Names in rdata may be compressed in some types (RFC 3597 §4). */
START_TEST(compressed_rdata)
{
	start(&axfr);
	ck_assert_int_eq(give(RRTYPE_AXFR,
			      "soa 5\nraw @ IN NS 300 026e73c00c\nraw m IN MX 60 000ac00c\n"
			      "raw p IN RP 60 c00cc00c\nsoa 5\n"),
			 E_OK);
	is_zone(xfr_in_result(x)->whole, SOA_5 "@ 300 NS ns\nm 60 MX 10 z.\np 60 RP z. z.\n");
}
END_TEST

/* TTLs of 2^31 and more are 0 (RFC 2181 §8); of different ones in a set, the least (§5.2). */
START_TEST(odd_ttls)
{
	ck_assert_int_eq(
		transfer_in(&axfr,
			    "soa 5\n@ 4294967295 NS ns\nw 60 A 192.0.2.1\nw 9 A 192.0.2.2\nsoa 5\n",
			    9),
		E_OK);
	is_zone(xfr_in_result(x)->whole, SOA_5 "@ 0 NS ns\nw 9 A 192.0.2.1\nw 9 A 192.0.2.2\n");
}
END_TEST

static void check_expire(const char *option, unsigned octets, bool has, uint32_t expire)
{
	static struct kit_message m;
	struct dname root;
	struct ddns_rr rr = { .type = RRTYPE_OPT, .class = 1232, .rdata = (const uint8_t *)option };
	rr.len = (uint16_t)octets;
	dname_set(&root, dname_root);
	rr.owner = root.wire;
	start(&ixfr);
	begin(&m, RRTYPE_IXFR, MESSAGE_QR);
	kit_lines("soa 3\n", add_line, &m);
	kit_rr(&m, SECTION_ADDITIONAL, &rr);
	ck_assert_int_eq(xfr_in_message(x, m.octets, m.len, &em), E_OK);
	ck_assert_int_eq(xfr_in_result(x)->has_expire, has);
	ck_assert_uint_eq(xfr_in_result(x)->expire, expire);
}

START_TEST(expire_option)
{
	check_expire("\0\11\0\4\0\0\1\1", 8, true, 257);
	check_expire("\0\3\0\1x\0\11\0\4\0\0\0\7", 13, true, 7);
	check_expire("\0\11\0\0", 4, false, 0);
	check_expire("\0\11\0\3\0\0\1", 7, false, 0);
	check_expire("\0\11\0\4\0\0\1", 7, false, 0); /* cut off */
	check_expire("", 0, false, 0);
}
END_TEST

/* --- the query ------------------------------------------------------------------------------- */

START_TEST(queries)
{
	for (unsigned i = 0; i < 4; i++) {
		struct xfr_in_wish wish = i % 2 != 0 ? ixfr : axfr;
		uint8_t octets[XFR_IN_QUERY_MAX];
		struct writer w = writer_of(octets, sizeof(octets));
		struct message_header h;
		struct message_question q;
		struct message_rr rr;
		wish.asks_expire = i >= 2;
		xfr_in_free(x);
		x = xfr_in_new(&wish);
		xfr_in_query(x, ID, &w);
		struct reader r = reader_of(octets, writer_len(&w));
		ck_assert_int_eq(message_read_header(&r, &h), E_OK);
		ck_assert_int_eq(message_read_question(&r, &q), E_OK);
		ck_assert_uint_eq(h.id, ID);
		ck_assert_uint_eq(h.flags, 0);
		ck_assert_uint_eq(q.type, asked(&wish));
		ck_assert(dname_equal(q.name, kit_zone));
		if (wish.is_incremental) {
			ck_assert_int_eq(message_read_rr(&r, &rr), E_OK);
			ck_assert_uint_eq(rr.type, RRTYPE_SOA);
			ck_assert_uint_eq(be32_get(rr.rdata + 2), OUR_SERIAL);
		}
		if (wish.asks_expire) {
			ck_assert_int_eq(message_read_rr(&r, &rr), E_OK);
			ck_assert_uint_eq(rr.type, RRTYPE_OPT);
			ck_assert_uint_eq(rr.rdlen, 4);
			ck_assert_mem_eq(rr.rdata, "\0\11\0\0", 4);
		}
		ck_assert_uint_eq(reader_left(&r), 0);
	}
}
END_TEST

START_TEST(the_longest_query_fits)
{
	uint8_t apex[DNAME_MAX];
	uint8_t octets[XFR_IN_QUERY_MAX];
	struct writer w = writer_of(octets, sizeof(octets));
	struct xfr_in_wish wish = ixfr;
	memset(apex, 1, sizeof(apex) - 1);
	apex[sizeof(apex) - 1] = 0;
	wish.apex = apex;
	wish.asks_expire = true;
	x = xfr_in_new(&wish);
	xfr_in_query(x, ID, &w);
	ck_assert_int_eq(w.err, E_OK);
}
END_TEST

/* --- what is refused ------------------------------------------------------------------------- */

static const struct {
	const char *lines;
	int err;
	bool is_ixfr;
} refused[] = {
	{ "www 60 A 192.0.2.1\n", E_MISMATCH, false },
	{ "@ 60 NS ns\nsoa 5\n", E_MISMATCH, true },
	/* of another place */
	{ AXFR_FIRST "www.example. 60 A 192.0.2.1\nsoa 5\n", E_NOTZONE, false },
	{ AXFR_FIRST "az. 60 A 192.0.2.1\nsoa 5\n", E_NOTZONE, false },
	{ AXFR_FIRST ". 60 NS ns\nsoa 5\n", E_NOTZONE, false },
	{ AXFR_FIRST "sub 60 SOA ns h 5 1 1 1 1\nsoa 5\n", E_NOTZONE, false },
	{ "sub 60 SOA ns h 5 1 1 1 1\n", E_NOTZONE, false },
	{ DIFFERENCE "www.example. 60 A 192.0.2.1\nsoa 5\n", E_NOTZONE, true },
	/* the end */
	{ AXFR_FIRST "soa 6\n", E_MISMATCH, false },
	{ AXFR_FIRST "soa 5\nx 60 A 192.0.2.1\n", E_TRAILING, false },
	{ AXFR_FIRST "soa 5\nsoa 5\n", E_TRAILING, false },
	{ AXFR_FIRST "soa 6\n", E_MISMATCH, true },
	{ DIFFERENCE "soa 5\nx 60 A 192.0.2.1\n", E_TRAILING, true },
	{ DIFFERENCE "soa 5\nsoa 5\n", E_TRAILING, true },
	/* sequences of differences */
	{ "soa 5\nsoa 4\nsoa 5\nsoa 5\n", E_MISMATCH, true },
	{ "soa 5\nsoa 2\nsoa 3\nsoa 3\nsoa 5\nsoa 5\n", E_MISMATCH, true },
	{ "soa 5\nsoa 3\nsoa 3\nsoa 3\nsoa 5\nsoa 5\n", E_MISMATCH, true },
	{ "soa 5\nsoa 3\nsoa 2\n", E_MISMATCH, true },
	{ "soa 5\nsoa 3\nsoa 4\nsoa 5\nsoa 5\n", E_MISMATCH, true },
	{ "soa 5\nsoa 3\nsoa 4\nsoa 3\nsoa 5\nsoa 5\n", E_MISMATCH, true },
	{ "soa 5\nsoa 3\nsoa 7\nsoa 5\n", E_MISMATCH, true },
	/* records that no zone has */
	{ AXFR_FIRST "raw www CH A 60 c0000201\nsoa 5\n", E_INVAL, false },
	{ AXFR_FIRST "raw www ANY A 60 c0000201\nsoa 5\n", E_INVAL, false },
	{ AXFR_FIRST "raw www IN ANY 60 -\nsoa 5\n", E_INVAL, false },
	{ AXFR_FIRST "raw www IN TYPE41 60 -\nsoa 5\n", E_INVAL, false },
	{ AXFR_FIRST "raw www IN TYPE250 60 -\nsoa 5\n", E_INVAL, false },
	{ AXFR_FIRST "raw www IN TYPE252 60 -\nsoa 5\n", E_INVAL, false },
	{ AXFR_FIRST "raw www IN TYPE0 60 -\nsoa 5\n", E_INVAL, false },
	{ DIFFERENCE "raw www IN ANY 60 -\nsoa 5\n", E_INVAL, true },
};

START_TEST(what_is_no_transfer)
{
	const struct xfr_in_wish *wish = refused[_i].is_ixfr ? &ixfr : &axfr;
	start(wish);
	int err = give(asked(wish), refused[_i].lines);
	ck_assert_msg(err == refused[_i].err, "%s: %s: %s", refused[_i].lines, err_text(err),
		      em.text);
	ck_assert_str_ne(em.text, "");
}
END_TEST

static const char *const bad_rdata[] = {
	"raw www IN A 60 c00002\n",
	"raw www IN A 60 c000020101\n",
	"raw www IN A 60 -\n",
	"raw www IN AAAA 60 20010db8\n",
	"raw www IN NS 60 -\n",
	"raw www IN NS 60 ffff\n",
	"raw www IN NS 60 c00c00\n",
	"raw www IN MX 60 00\n",
	"raw www IN MX 60 000a\n",
	"raw www IN SOA 60 0000\n",
	"raw www IN TXT 60 0578\n",
	"raw www IN TXT 60 -\n",
	"raw www IN NS 60 026e73\n",
	"raw www IN DS 60 0001\n",
	"raw www IN NSEC 60 000001\n",
	"raw www IN RRSIG 60 0001\n",
	"raw @ IN SOA 60 0000\n",
	/* not to be compressed (RFC 3597 §4, RFC 4034 §3.1.7) */
	"raw www IN SVCB 60 0001c00c\n",
	"raw www IN DNAME 60 ffc0\n",
};

START_TEST(malformed_rdata)
{
	char lines[200];
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(lines, sizeof(lines), "%s%ssoa 5\n",
			       i == 0 ? AXFR_FIRST : DIFFERENCE, bad_rdata[_i]);
		start(i == 0 ? &axfr : &ixfr);
		int err = give(i == 0 ? RRTYPE_AXFR : RRTYPE_IXFR, lines);
		ck_assert_msg(err != E_OK && err != E_AGAIN, "%s taken", bad_rdata[_i]);
		ck_assert_str_ne(em.text, "");
	}
}
END_TEST

static const struct {
	uint16_t rcode;
	int err;
} rcodes[] = { { RCODE_FORMERR, E_UNSUPPORTED },
	       { RCODE_NOTIMP, E_UNSUPPORTED },
	       { RCODE_REFUSED, E_PERM },
	       { RCODE_NOTAUTH, E_PERM },
	       { RCODE_SERVFAIL, E_NOENT },
	       { RCODE_NXDOMAIN, E_NOENT },
	       { 11, E_NOENT } };

START_TEST(rcodes_are_told_apart)
{
	static struct kit_message m;
	start(&ixfr);
	begin(&m, RRTYPE_IXFR, (uint16_t)(MESSAGE_QR | rcodes[_i].rcode));
	ck_assert_int_eq(xfr_in_message(x, m.octets, m.len, &em), rcodes[_i].err);
	ck_assert_str_ne(em.text, "");
	/* Without a question, as who does not understand it may answer; and in the middle. */
	start(&ixfr);
	be16_put(m.octets + 4, 0);
	ck_assert_int_eq(xfr_in_message(x, m.octets, MESSAGE_HEADER_LEN, &em), rcodes[_i].err);
	start(&axfr);
	ck_assert_int_eq(give(RRTYPE_AXFR, AXFR_FIRST), E_AGAIN);
	ck_assert_int_eq(xfr_in_message(x, m.octets, MESSAGE_HEADER_LEN, &em), rcodes[_i].err);
}
END_TEST

/* Changes 16 bits of a good message. */
static void check_header(size_t at, uint16_t value, int want)
{
	static struct kit_message m;
	start(&axfr);
	begin(&m, RRTYPE_AXFR, MESSAGE_QR);
	kit_lines(AXFR_FIRST "soa 5\n", add_line, &m);
	be16_put(m.octets + at, value);
	em.text[0] = '\0';
	ck_assert_int_eq(xfr_in_message(x, m.octets, m.len, &em), want);
	ck_assert_str_ne(em.text, "");
}

START_TEST(messages_that_are_no_answer)
{
	check_header(0, ID + 1, E_MISMATCH);
	check_header(2, 0, E_MISMATCH);
	check_header(2, MESSAGE_QR | OPCODE_NOTIFY << 11, E_MISMATCH);
	check_header(2, MESSAGE_QR | MESSAGE_TC, E_INVAL);
	check_header(4, 2, E_MISMATCH);
	check_header(MESSAGE_HEADER_LEN, 0x0179, E_MISMATCH); /* y. */
	check_header(MESSAGE_HEADER_LEN + 3, RRTYPE_IXFR, E_MISMATCH);
	check_header(MESSAGE_HEADER_LEN + 3, RRTYPE_SOA, E_MISMATCH);
	check_header(MESSAGE_HEADER_LEN + 5, RRCLASS_CH, E_MISMATCH);
	check_header(6, 0, E_NOENT);
	check_header(6, 6, E_TRUNC); /* more records than there are */
}
END_TEST

START_TEST(cut_off_anywhere)
{
	static struct kit_message m;
	begin(&m, RRTYPE_AXFR, MESSAGE_QR);
	kit_lines(AXFR_FIRST "soa 5\n", add_line, &m);
	for (size_t len = 0; len < m.len; len++) {
		start(&axfr);
		uint8_t *octets = malloc(len + 1); /* a sanitizer sees a read behind it */
		memcpy(octets, m.octets, len);
		em.text[0] = '\0';
		int err = xfr_in_message(x, octets, len, &em);
		free(octets);
		ck_assert_msg(err != E_OK && err != E_AGAIN, "%zu octets are taken", len);
		ck_assert_str_ne(em.text, "");
	}
}
END_TEST

START_TEST(limits)
{
	struct xfr_in_wish wish = axfr;
	wish.max_records = 4;
	ck_assert_int_eq(transfer_in(&wish, AXFR_FIRST "soa 5\n", 2), E_OK);
	wish.max_records = 3;
	ck_assert_int_eq(transfer_in(&wish, AXFR_FIRST "soa 5\n", 2), E_LIMIT);
	wish = ixfr;
	wish.max_records = 5;
	ck_assert_int_eq(transfer_in(&wish, DIFFERENCE "soa 5\n", 5), E_LIMIT);
	wish = axfr;
	ck_assert_int_eq(transfer_in(&wish, AXFR_FIRST "soa 5\n", 2), E_OK);
	wish.max_octets = xfr_in_result(x)->octets;
	ck_assert_int_eq(transfer_in(&wish, AXFR_FIRST "soa 5\n", 2), E_OK);
	wish.max_octets--;
	ck_assert_int_eq(transfer_in(&wish, AXFR_FIRST "soa 5\n", 2), E_LIMIT);
}
END_TEST

START_TEST(messages_without_end)
{
	struct xfr_in_wish wish = axfr;
	unsigned n = 0;
	int err = E_AGAIN;
	wish.max_octets = 100000;
	start(&wish);
	ck_assert_int_eq(give(RRTYPE_AXFR, AXFR_FIRST), E_AGAIN);
	/* Empty ones count too. */
	for (; err == E_AGAIN && n < LIMIT; n++) {
		err = give(RRTYPE_AXFR, "");
	}
	ck_assert_int_eq(err, E_LIMIT);
}
END_TEST

/* What was taken out of a result is the taker's. */
START_TEST(results_are_taken)
{
	ck_assert_int_eq(transfer_in(&axfr, AXFR_FIRST "soa 5\n", 2), E_OK);
	struct version *v = xfr_in_result(x)->whole;
	xfr_in_result(x)->whole = NULL;
	ck_assert_int_eq(transfer_in(&ixfr, DIFFERENCE "soa 5\n", 2), E_OK);
	struct diff *d = xfr_in_result(x)->changes;
	xfr_in_result(x)->changes = NULL;
	xfr_in_free(x);
	x = NULL;
	ck_assert_uint_eq(v->serial, 5);
	ck_assert_uint_eq(d[0].serial_to, 5);
	version_unref(v);
	xfr_in_changes_free(d, 1);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("xfr_in");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, axfr_in_any_number_of_messages);
	tcase_add_test(tc, ixfr_answered_by_all_of_the_zone);
	tcase_add_test(tc, a_zone_of_a_soa);
	tcase_add_test(tc, one_difference);
	tcase_add_test(tc, several_differences);
	tcase_add_test(tc, serials_that_wrap);
	tcase_add_test(tc, nothing_new);
	tcase_add_test(tc, messages_without_question_or_record);
	tcase_add_test(tc, compressed_rdata);
	tcase_add_test(tc, odd_ttls);
	tcase_add_test(tc, expire_option);
	tcase_add_test(tc, queries);
	tcase_add_test(tc, the_longest_query_fits);
	tcase_add_loop_test(tc, what_is_no_transfer, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(tc, malformed_rdata, 0, sizeof(bad_rdata) / sizeof(bad_rdata[0]));
	tcase_add_loop_test(tc, rcodes_are_told_apart, 0, sizeof(rcodes) / sizeof(rcodes[0]));
	tcase_add_test(tc, messages_that_are_no_answer);
	tcase_add_test(tc, cut_off_anywhere);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, messages_without_end);
	tcase_add_test(tc, results_are_taken);
	return unit_run("server/xfr_in", tc);
}

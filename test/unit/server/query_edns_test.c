/* test/unit/server/query_edns_test.c - EDNS options, extended errors, class CH, rate limiting: what goes with an
 * answer, and what may keep it away. */
#include "server/answer.h"
#include "test/unit/server/query_unit.h"

#define NOW 1600000000

/* --- help ------------------------------------------------------------------------------------ */

static struct address_ip client = { 4, { 192, 0, 2, 1 } };
static struct cookie_secrets secrets = { .count = 1, .secret = { "0123456789abcdef" } };
static const char client_cookie[] = "CLIENTck";

/* A query with options. */
struct ask {
	const char *name;
	const char *type;
	uint16_t class; /* 0: IN */
	unsigned how;
	uint16_t size; /* 0: 1232 */
	uint8_t version;
	const void *options;
	size_t len;
};

static void send_ask(struct kit *k, const struct ask *a)
{
	uint8_t query[1024];
	const struct dname name = kit_name(a->name);
	const struct edns e = { .udp_size = a->size != 0 ? a->size : 1232,
				.version = a->version,
				.flags = (uint16_t)((a->how & KIT_DO) != 0 ? EDNS_DO : 0),
				.options_len = (uint16_t)a->len,
				.options = a->options };
	bool has_edns = (a->how & (KIT_EDNS | KIT_DO)) != 0;
	size_t len = kit_query_edns(query, name.wire, kit_type(a->type),
				    a->class != 0 ? a->class : RRCLASS_IN, has_edns ? &e : NULL);
	kit_send(k, query, len, (a->how & KIT_TCP) != 0, &res);
}

/* Puts an option behind others; returns the length of all. */
static size_t put_option(uint8_t *to, size_t at, uint16_t code, const void *data, size_t len)
{
	be16_put(to + at, code);
	be16_put(to + at + 2, (uint16_t)len);
	if (len != 0) {
		memcpy(to + at + 4, data, len);
	}
	return at + 4 + len;
}

static bool has_option(uint16_t code)
{
	size_t len;
	return kit_option(&res, code, &len) != NULL;
}

/* The error's code, or -1. */
static int error_of(void)
{
	size_t len;
	const uint8_t *p = kit_option(&res, EDNS_EDE, &len);
	return p != NULL ? be16_get(p) : -1;
}

static const char records[] =
	"example. 300 SOA ns1 host 7 3600 900 1209600 100\n NS ns1\n NS ns2\n"
	"ns1 A 192.0.2.11\nns2 A 192.0.2.12\nns2 AAAA 2001:db8::12\nwww A 192.0.2.1\n"
	"mx MX 10 ns1\nmany MX 1 ns1\nmany MX 2 ns2\n"
	"many MX 3 a-mail-server-with-a-long-name-that-is-somewhere-else.test.\n"
	"many MX 3 b-mail-server-with-a-long-name-that-is-somewhere-else.test.\n"
	"many MX 3 c-mail-server-with-a-long-name-that-is-somewhere-else.test.\n"
	"many MX 3 d-mail-server-with-a-long-name-that-is-somewhere-else.test.\n"
	"alias CNAME far.elsewhere.\nsub NS ns1.sub\nns1.sub A 192.0.2.13\n"
	"set A 192.0.2.21\nset A 192.0.2.22\nset A 192.0.2.23\nset A 192.0.2.24\n"
	"nss.sub2 NS a.sub2\n"
	"ptr PTR aa\nptr PTR bb\nptr PTR cc\n*.wild A 192.0.2.31\n*.wild A 192.0.2.32\n";

static void set_up(struct kit *k, enum kit_chain chain)
{
	kit_init(k);
	zone(k, "example.", chain, records);
	(void)kit_zone(k, "empty.");
	kit_serve(k);
	k->config.cookies = &secrets;
	k->client = &client;
	k->env.now = NOW;
	k->env.keepalive = 100;
}

/* --- options --------------------------------------------------------------------------------- */

static const uint8_t all_options[] = { 0, EDNS_NSID,	    0, 0, 0, EDNS_EXPIRE,  0, 0,
				       0, EDNS_KEEPALIVE,   0, 0, 0, EDNS_PADDING, 0, 0,
				       0, EDNS_ZONEVERSION, 0, 0 };

START_TEST(options_are_given_when_asked_for)
{
	static const uint8_t expire[] = { 0, 0x12, 0x75, 0 };
	static const uint8_t version[] = { 1, 0, 0, 0, 0, 7 };
	static const uint8_t keepalive[] = { 0, 100 };
	struct kit k;
	size_t len;
	set_up(&k, KIT_NSEC);
	k.config.nsid = (struct query_string){ "site 1", 6 };
	struct ask a = { "example.", "SOA", 0, KIT_EDNS, 0, 0, NULL, 0 };
	send_ask(&k, &a);
	ck_assert_uint_eq(res.edns.options_len, 0);
	a.options = all_options;
	a.len = sizeof(all_options);
	send_ask(&k, &a);
	const uint8_t *p = kit_option(&res, EDNS_NSID, &len);
	ck_assert_uint_eq(len, 6);
	ck_assert_mem_eq(p, "site 1", 6);
	p = kit_option(&res, EDNS_EXPIRE, &len);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(p, expire, 4);
	p = kit_option(&res, EDNS_ZONEVERSION, &len);
	ck_assert_uint_eq(len, 6);
	ck_assert_mem_eq(p, version, 6);
	ck_assert(!has_option(EDNS_KEEPALIVE) && !has_option(EDNS_PADDING));
	a.how |= KIT_TCP;
	send_ask(&k, &a);
	p = kit_option(&res, EDNS_KEEPALIVE, &len);
	ck_assert_uint_eq(len, 2);
	ck_assert_mem_eq(p, keepalive, 2);
	ck_assert(!has_option(EDNS_PADDING));
	k.config.nsid.len = 0;
	send_ask(&k, &a);
	ck_assert(!has_option(EDNS_NSID));
	kit_clear(&k);
}
END_TEST

/* EXPIRE beside the SOA only; the version is that of the zone of the question, also in referrals and at the start of a
 * chain; outside of all zones there is none. */
START_TEST(options_about_the_zone)
{
	static const struct {
		const char *name, *type;
		bool expire, version;
	} rows[] = {
		{ "example.", "SOA", true, true },	{ "example.", "NS", false, true },
		{ "www.example.", "A", false, true },	{ "www.example.", "SOA", false, true },
		{ "no.example.", "SOA", false, true },	{ "alias.example.", "SOA", false, true },
		{ "x.sub.example.", "A", false, true }, { "sub.example.", "SOA", false, true },
		{ "elsewhere.", "SOA", false, false },	{ "empty.", "SOA", false, false },
	};
	struct kit k;
	set_up(&k, KIT_NSEC3);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ask a = { rows[i].name, rows[i].type,	 0, KIT_DO, 0, 0,
				       all_options,  sizeof(all_options) };
		send_ask(&k, &a);
		ck_assert_msg(has_option(EDNS_EXPIRE) == rows[i].expire, "row %zu", i);
		ck_assert_msg(has_option(EDNS_ZONEVERSION) == rows[i].version, "row %zu", i);
	}
	kit_clear(&k);
}
END_TEST

/* A secondary tells what is left of its own time (RFC 7314 §3.2), and never more than the SOA has. */
START_TEST(what_is_left_of_a_secondary)
{
	static const struct {
		int64_t expires_at;
		uint32_t told;
	} rows[] = {
		{ NOW + 100, 100 }, { NOW, 0 }, { NOW - 5, 0 }, { NOW + 5000000000, 0 }, { 0, 0 }
	};
	const struct ask a = { "example.", "SOA", 0,	       KIT_EDNS,
			       0,	   0,	  all_options, sizeof(all_options) };
	struct kit k;
	size_t len;
	set_up(&k, KIT_NSEC);
	k.env.now = NOW;
	send_ask(&k, &a);
	const uint32_t whole = be32_get(kit_option(&res, EDNS_EXPIRE, &len));
	ck_assert_uint_gt(whole, 100);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		zone_set_expiry(k.zones[0].zone, rows[i].expires_at);
		send_ask(&k, &a);
		const uint32_t want = i < 3 ? rows[i].told : whole;
		ck_assert_uint_eq(be32_get(kit_option(&res, EDNS_EXPIRE, &len)), want);
	}
	kit_clear(&k);
}
END_TEST

START_TEST(agents_get_no_reports_of_their_own)
{
	const struct dname agent = kit_name("Reports.example.");
	struct kit k;
	size_t len;
	set_up(&k, KIT_UNSIGNED);
	k.config.report_channel = agent.wire;
	kit_ask(&k, "www.example.", "A", KIT_EDNS, &res);
	const uint8_t *p = kit_option(&res, EDNS_REPORT, &len);
	ck_assert_uint_eq(len, agent.len);
	ck_assert_mem_eq(p, agent.wire, len);
	kit_ask(&k, "reports.example.", "TXT", KIT_EDNS, &res);
	ck_assert(!has_option(EDNS_REPORT));
	kit_ask(&k, "_er.1.x.7._er.reports.example.", "TXT", KIT_EDNS, &res);
	ck_assert(!has_option(EDNS_REPORT));
	kit_ask(&k, "elsewhere.", "A", KIT_EDNS, &res); /* there is nothing of ours to report on */
	ck_assert(!has_option(EDNS_REPORT));
	kit_ask(&k, "www.example.", "A", KIT_PLAIN, &res);
	ck_assert(!res.edns.present);
	kit_clear(&k);
}
END_TEST

/* Encrypted, and asked for: whole blocks, also for long answers. */
START_TEST(padding_fills_blocks)
{
	static const uint8_t padding[] = { 0, EDNS_PADDING, 0, 3, 1, 2, 3 };
	static const char *const names[] = { "example.", "www.example.", "x.sub.example.", "no.",
					     "set.example." };
	static const char *const types[] = { "A", "SOA", "ANY", "DNSKEY" };
	struct kit k;
	set_up(&k, KIT_NSEC3);
	k.env.is_encrypted = true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (size_t t = 0; t < ARRAY_LEN(types); t++) {
			struct ask a = { names[i], types[t], 0,	      KIT_DO | KIT_TCP,
					 0,	   0,	     padding, sizeof(padding) };
			send_ask(&k, &a);
			ck_assert_uint_eq(res.len % 468, 0);
			size_t len;
			const uint8_t *p = kit_option(&res, EDNS_PADDING, &len);
			ck_assert(p != NULL && unit_all_equal(p, len, 0));
			a.len = 0;
			send_ask(&k, &a);
			ck_assert(!has_option(EDNS_PADDING));
		}
	}
	kit_clear(&k);
}
END_TEST

/* A padded message is never longer than a message can be. */
START_TEST(padding_of_the_largest_messages)
{
	static const uint8_t padding[] = { 0, EDNS_PADDING, 0, 0 };
	struct kit k;
	struct buf text = { 0 };
	kit_init(&k);
	buf_str(&text, "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n");
	for (unsigned i = 0; i < 280; i++) { /* 12 + 13 + n × (12 + 1 + 200 ...) just below 65535 */
		for (unsigned n = 0; n < 20; n++) {
			buf_printf(&text, "t%u TXT \"%03u%0194u\"\n", n, i, n);
		}
	}
	for (unsigned n = 0; n < 20; n++) {
		for (unsigned i = 0; i < 24 + n; i++) {
			buf_printf(&text, "t%u TXT \"%03u%0180u\"\n", n, i, n);
		}
	}
	zone(&k, "example.", KIT_UNSIGNED, text.data);
	buf_clear(&text);
	kit_serve(&k);
	k.env.is_encrypted = true;
	unsigned whole = 0;
	for (unsigned n = 0; n < 20; n++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "t%u.example.", n);
		const struct ask a = { name, "TXT", 0,	     KIT_EDNS | KIT_TCP,
				       0,    0,	    padding, sizeof(padding) };
		send_ask(&k, &a);
		whole += (res.header.flags & MESSAGE_TC) == 0;
		ck_assert(res.len % 468 == 0 || res.len > 65535 - 468);
	}
	ck_assert(whole > 0 && whole < 20);
	kit_clear(&k);
}
END_TEST

/* Whatever the size, options take nothing from an answer that must be there. */
START_TEST(options_never_truncate)
{
	static const struct {
		const char *name, *type;
	} rows[] = { { "set.example.", "A" },  { "example.", "NS" },
		     { "no.example.", "A" },   { "x.sub.example.", "A" },
		     { "example.", "DNSKEY" }, { "www.example.", "MX" },
		     { "mx.example.", "MX" },  { "x.wild.example.", "A" },
		     { "many.example.", "MX" } };
	const struct dname agent = kit_name("a.very.long.name.of.an.agent.elsewhere.");
	struct kit k;
	set_up(&k, KIT_NSEC3);
	k.config.report_channel = agent.wire;
	k.config.nsid =
		(struct query_string){ "a name for a server that takes quite some octets", 48 };
	bool left_out = false;
	for (uint16_t room = 512; room < 1232; room++) {
		k.config.udp_size = room;
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct ask a = { rows[i].name, rows[i].type, 0, KIT_DO, 0, 0, NULL, 0 };
			k.config.report_channel = NULL;
			send_ask(&k, &a);
			const struct message_header plain = res.header;
			k.config.report_channel = agent.wire;
			a.options = all_options;
			a.len = sizeof(all_options);
			send_ask(&k, &a);
			ck_assert_uint_eq(res.header.flags, plain.flags);
			ck_assert_uint_eq(res.header.count[1], plain.count[1]);
			ck_assert_uint_eq(res.header.count[2], plain.count[2]);
			left_out = left_out || !has_option(EDNS_REPORT);
			/* what is additional gives way to options */
			ck_assert(has_option(EDNS_REPORT) || plain.count[3] == 1 ||
				  res.header.count[3] == 1 ||
				  strcmp(rows[i].name, "x.sub.example.") == 0);
		}
	}
	ck_assert(left_out);
	kit_clear(&k);
}
END_TEST

/* --- cookies --------------------------------------------------------------------------------- */

static void ask_cookie(struct kit *k, const void *cookie, size_t len, unsigned how)
{
	uint8_t options[128];
	size_t n = put_option(options, 0, EDNS_COOKIE, cookie, len);
	const struct ask a = { "www.example.", "A", 0, KIT_EDNS | how, 0, 0, options, n };
	send_ask(k, &a);
}

START_TEST(cookies_are_given_and_taken)
{
	struct kit k;
	size_t len;
	uint8_t cookie[COOKIE_LEN];
	set_up(&k, KIT_UNSIGNED);
	ask_cookie(&k, client_cookie, 8, 0);
	const uint8_t *p = kit_option(&res, EDNS_COOKIE, &len);
	ck_assert_uint_eq(len, COOKIE_LEN);
	ck_assert_mem_eq(p, client_cookie, 8);
	memcpy(cookie, p, sizeof(cookie));
	k.env.now += 60;
	ask_cookie(&k, cookie, sizeof(cookie), 0);
	ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
	ck_assert_mem_eq(kit_option(&res, EDNS_COOKIE, &len), cookie, sizeof(cookie));
	cookie[20] ^= 1; /* not ours: an answer all the same, and a good one with it */
	ask_cookie(&k, cookie, sizeof(cookie), 0);
	ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
	ck_assert_uint_eq(res.header.count[SECTION_ANSWER], 1);
	ck_assert_mem_ne(kit_option(&res, EDNS_COOKIE, &len), cookie, sizeof(cookie));
	kit_clear(&k);
}
END_TEST

START_TEST(malformed_cookies)
{
	static const uint8_t cookie[64];
	struct kit k;
	set_up(&k, KIT_UNSIGNED);
	for (size_t len = 0; len <= sizeof(cookie); len++) {
		bool is_good = len == 8 || (len >= 16 && len <= 40);
		for (unsigned tcp = 0; tcp < 2; tcp++) {
			k.config.cookies = &secrets;
			ask_cookie(&k, cookie, len, tcp != 0 ? KIT_TCP : 0);
			ck_assert_uint_eq(res.rcode, is_good ? RCODE_NOERROR : RCODE_FORMERR);
			ck_assert(res.edns.present && has_option(EDNS_COOKIE) == is_good);
			ck_assert_int_eq(error_of(), is_good ? -1 : EDNS_ERROR_OTHER);
			k.config.cookies = NULL; /* an option like any other that we do not know */
			ask_cookie(&k, cookie, len, tcp != 0 ? KIT_TCP : 0);
			ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
			ck_assert_uint_eq(res.edns.options_len, 0);
		}
	}
	kit_clear(&k);
}
END_TEST

START_TEST(several_cookies)
{
	struct kit k;
	uint8_t options[64];
	size_t len;
	set_up(&k, KIT_UNSIGNED);
	size_t n = put_option(options, 0, EDNS_COOKIE, client_cookie, 8);
	n = put_option(options, n, EDNS_COOKIE, "SECOND--", 8);
	struct ask a = { "www.example.", "A", 0, KIT_EDNS, 0, 0, options, n };
	send_ask(&k, &a);
	ck_assert_mem_eq(kit_option(&res, EDNS_COOKIE, &len), client_cookie, 8);
	a.len = put_option(options, 12, EDNS_COOKIE, "SECOND", 6);
	send_ask(&k, &a);
	ck_assert_uint_eq(res.rcode, RCODE_FORMERR);
	/* without an address there is nothing to make one of */
	k.client = NULL;
	a.len = 12;
	send_ask(&k, &a);
	ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
	ck_assert(!has_option(EDNS_COOKIE));
	kit_clear(&k);
}
END_TEST

/* A query without question (RFC 7873 §5.4, RFC 9619). */
START_TEST(cookies_without_question)
{
	uint8_t good[COOKIE_LEN];
	struct kit k;
	size_t len;
	set_up(&k, KIT_UNSIGNED);
	ask_cookie(&k, client_cookie, 8, 0);
	memcpy(good, kit_option(&res, EDNS_COOKIE, &len), sizeof(good));
	uint8_t bad[COOKIE_LEN];
	memcpy(bad, good, sizeof(bad));
	bad[23] ^= 1;
	const struct {
		const void *cookie;
		size_t len;
		uint16_t rcode;
		bool given;
	} rows[] = {
		{ client_cookie, 8, RCODE_NOERROR, true },
		{ good, sizeof(good), RCODE_NOERROR, true },
		{ bad, sizeof(bad), RCODE_BADCOOKIE, true },
		{ bad, 7, RCODE_FORMERR, false },
		{ NULL, 0, RCODE_FORMERR, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t query[128], options[64];
		struct writer w = writer_of(query, sizeof(query));
		const struct message_header h = { .count = { 0, 0, 0, 1 } };
		size_t n = rows[i].cookie != NULL ? put_option(options, 0, EDNS_COOKIE,
							       rows[i].cookie, rows[i].len)
						  : 0;
		const struct edns e = { .udp_size = 1232,
					.options = options,
					.options_len = (uint16_t)n };
		message_write_header(writer_room(&w, MESSAGE_HEADER_LEN), &h);
		edns_write(&w, &e);
		kit_send(&k, query, writer_len(&w), false, &res);
		ck_assert_uint_eq(res.rcode, rows[i].rcode);
		ck_assert(res.edns.present && has_option(EDNS_COOKIE) == rows[i].given);
		ck_assert_uint_eq(res.count, 0);
	}
	kit_clear(&k);
}
END_TEST

START_TEST(other_versions_get_no_options)
{
	uint8_t options[64];
	struct kit k;
	set_up(&k, KIT_UNSIGNED);
	size_t n = put_option(options, 0, EDNS_COOKIE, client_cookie, 8);
	n = put_option(options, n, EDNS_ZONEVERSION, NULL, 0);
	n = put_option(options, n, EDNS_COOKIE, "x", 1);
	for (unsigned version = 1; version < 256; version++) {
		const struct ask a = { "www.example.",	 "A",	  0, KIT_EDNS, 0,
				       (uint8_t)version, options, n };
		send_ask(&k, &a);
		ck_assert_uint_eq(res.rcode, RCODE_BADVERS);
		ck_assert_uint_eq(res.edns.options_len, 0);
	}
	kit_clear(&k);
}
END_TEST

/* Options that mean nothing here, with data that they should not have. */
START_TEST(unknown_options_are_ignored)
{
	struct kit k;
	set_up(&k, KIT_UNSIGNED);
	for (unsigned code = 0; code < 65536; code += code < 300 ? 1 : 97) {
		uint8_t options[64];
		bool has_to_fit = code == EDNS_COOKIE || code == EDNS_ZONEVERSION;
		size_t n = put_option(options, 0, (uint16_t)code, "data", 4);
		const struct ask a = { "www.example.", "A", 0, KIT_EDNS, 0, 0, options, n };
		send_ask(&k, &a);
		ck_assert_uint_eq(res.rcode, has_to_fit ? RCODE_FORMERR : RCODE_NOERROR);
		ck_assert(has_to_fit || res.edns.options_len == 0);
	}
	kit_clear(&k);
}
END_TEST

/* --- errors that say why --------------------------------------------------------------------- */

START_TEST(errors_say_why)
{
	static const struct {
		const char *name, *type;
		uint16_t class;
		unsigned how;
		uint16_t rcode;
		int error;
	} rows[] = {
		{ "www.example.", "A", RRCLASS_IN, KIT_EDNS, RCODE_NOERROR, -1 },
		{ "no.example.", "A", RRCLASS_IN, KIT_EDNS, RCODE_NXDOMAIN, -1 },
		{ "alias.example.", "A", RRCLASS_IN, KIT_EDNS, RCODE_NOERROR, -1 },
		{ "elsewhere.", "A", RRCLASS_IN, KIT_EDNS, RCODE_REFUSED,
		  EDNS_ERROR_NOT_AUTHORITATIVE },
		{ "x.empty.", "A", RRCLASS_IN, KIT_EDNS, RCODE_SERVFAIL, EDNS_ERROR_NOT_READY },
		{ "example.", "AXFR", RRCLASS_IN, KIT_EDNS | KIT_TCP, RCODE_REFUSED,
		  EDNS_ERROR_PROHIBITED },
		{ "example.", "IXFR", RRCLASS_IN, KIT_EDNS, RCODE_REFUSED, EDNS_ERROR_PROHIBITED },
		{ "www.example.", "IXFR", RRCLASS_IN, KIT_EDNS, RCODE_NOTAUTH,
		  EDNS_ERROR_NOT_AUTHORITATIVE },
		{ "example.", "AXFR", RRCLASS_IN, KIT_EDNS, RCODE_NOTIMP,
		  EDNS_ERROR_NOT_SUPPORTED },
		{ "example.", "MAILB", RRCLASS_IN, KIT_EDNS, RCODE_NOTIMP,
		  EDNS_ERROR_NOT_SUPPORTED },
		{ "www.example.", "A", RRCLASS_HS, KIT_EDNS, RCODE_REFUSED,
		  EDNS_ERROR_NOT_SUPPORTED },
		{ "version.bind.", "TXT", RRCLASS_CH, KIT_EDNS, RCODE_REFUSED,
		  EDNS_ERROR_PROHIBITED },
	};
	struct kit k;
	set_up(&k, KIT_NSEC);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ask a = { .name = rows[i].name,
				       .type = rows[i].type,
				       .class = rows[i].class,
				       .how = rows[i].how };
		send_ask(&k, &a);
		ck_assert_msg(res.rcode == rows[i].rcode, "row %zu: %u", i, res.rcode);
		ck_assert_msg(error_of() == rows[i].error, "row %zu: error %d", i, error_of());
	}
	kit_ask(&k, "elsewhere.", "A", KIT_PLAIN, &res);
	ck_assert(!res.edns.present);
	kit_clear(&k);
}
END_TEST

/* The kit's signatures end at 2000000000. */
START_TEST(expired_signatures_are_told)
{
	struct kit k;
	set_up(&k, KIT_NSEC);
	k.env.now = 2000000000;
	kit_ask(&k, "www.example.", "A", KIT_DO, &res);
	ck_assert_int_eq(error_of(), -1);
	k.env.now++;
	kit_ask(&k, "www.example.", "A", KIT_DO, &res);
	ck_assert_int_eq(error_of(), EDNS_ERROR_SIGNATURE_EXPIRED);
	kit_ask(&k, "no.example.", "A", KIT_DO, &res);
	ck_assert_int_eq(error_of(), EDNS_ERROR_SIGNATURE_EXPIRED);
	kit_ask(&k, "www.example.", "A", KIT_EDNS, &res); /* it has no signature to look at */
	ck_assert_int_eq(error_of(), -1);
	kit_ask(&k, "elsewhere.", "A", KIT_DO, &res);
	ck_assert_int_eq(error_of(), EDNS_ERROR_NOT_AUTHORITATIVE);
	kit_clear(&k);
	set_up(&k, KIT_UNSIGNED);
	k.env.now = 2000000001;
	kit_ask(&k, "www.example.", "A", KIT_DO, &res);
	ck_assert_int_eq(error_of(), -1);
	kit_clear(&k);
}
END_TEST

START_TEST(stale_zones_are_told)
{
	struct kit k;
	set_up(&k, KIT_NSEC);
	kit_ask(&k, "www.example.", "A", KIT_EDNS, &res);
	ck_assert_int_eq(error_of(), -1);
	zone_set_stale(k.zones[0].zone, E_CHECK);
	kit_ask(&k, "www.example.", "A", KIT_EDNS, &res);
	ck_assert_uint_eq(res.header.count[SECTION_ANSWER], 1);
	ck_assert_int_eq(error_of(), EDNS_ERROR_OTHER);
	kit_ask(&k, "elsewhere.", "A", KIT_EDNS, &res);
	ck_assert_int_eq(error_of(), EDNS_ERROR_NOT_AUTHORITATIVE);
	zone_set_stale(k.zones[0].zone, E_OK);
	kit_ask(&k, "www.example.", "A", KIT_EDNS, &res);
	ck_assert_int_eq(error_of(), -1);
	kit_clear(&k);
}
END_TEST

/* A zone is signed as long as one of the SOA's signatures is good. */
START_TEST(the_last_signature_counts)
{
	for (unsigned order = 0; order < 2; order++) {
		struct kit k;
		kit_init(&k);
		struct kit_zone *z = kit_zone(&k, "example.");
		kit_master(z, records);
		z->signer.expiration = order == 0 ? 1800000000 : 1900000000;
		kit_sign(z, KIT_NSEC);
		z->signer.expiration = order == 0 ? 1900000000 : 1800000000;
		z->signer.algorithm = 8;
		kit_add_rrsig(z, z->apex.wire, RRTYPE_SOA, 300);
		kit_serve(&k);
		k.env.now = 1850000000;
		kit_ask(&k, "www.example.", "A", KIT_DO, &res);
		ck_assert_int_eq(error_of(), -1);
		k.env.now = 1900000001;
		kit_ask(&k, "www.example.", "A", KIT_DO, &res);
		ck_assert_int_eq(error_of(), EDNS_ERROR_SIGNATURE_EXPIRED);
		kit_clear(&k);
	}
}
END_TEST

/* The text of the error, or "". */
static const char *error_text(void)
{
	static char text[OPT_TEXT_MAX + 1];
	size_t len = 0;
	const uint8_t *p = kit_option(&res, EDNS_EDE, &len);
	len = p != NULL && len > 2 ? len - 2 : 0;
	if (len != 0) {
		memcpy(text, p + 2, len);
	}
	text[len] = '\0';
	return text;
}

START_TEST(chains_that_end_early_are_explained)
{
	char chain[2000] = "example. 300 SOA ns1 host 7 3600 900 1209600 100\n NS ns1\n"
			   "ns1 A 192.0.2.1\nloop CNAME pool\npool CNAME loop\n";
	size_t used = strlen(chain);
	struct kit k;
	for (unsigned i = 0; i < ANSWER_HOPS_MAX + 2; i++) {
		used += (size_t)snprintf(chain + used, sizeof(chain) - used, "c%u CNAME c%u\n", i,
					 i + 1);
	}
	kit_init(&k);
	zone(&k, "example.", KIT_UNSIGNED, chain);
	kit_serve(&k);
	kit_ask(&k, "loop.example.", "A", KIT_EDNS, &res);
	ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
	ck_assert_int_eq(error_of(), EDNS_ERROR_OTHER);
	ck_assert_str_eq(error_text(), "aliases lead in a circle");
	kit_ask(&k, "c0.example.", "A", KIT_EDNS, &res);
	ck_assert_int_eq(error_of(), EDNS_ERROR_OTHER);
	ck_assert_str_eq(error_text(), "too many aliases, ask again for the last one");
	kit_ask(&k, "c3.example.", "A", KIT_EDNS, &res); /* ends where there is nothing */
	ck_assert_int_eq(error_of(), -1);
	kit_clear(&k);
}
END_TEST

START_TEST(a_type_that_is_never_asked_for)
{
	struct kit k;
	set_up(&k, KIT_UNSIGNED);
	kit_ask(&k, "www.example.", "NXNAME", KIT_EDNS, &res);
	ck_assert_uint_eq(res.rcode, RCODE_FORMERR);
	ck_assert_int_eq(error_of(), EDNS_ERROR_INVALID_TYPE); /* RFC 9824 §3.5 */
	kit_clear(&k);
}
END_TEST

/* --- classes --------------------------------------------------------------------------------- */

START_TEST(class_ch)
{
	static const struct {
		const char *name, *type;
		const char *expected; /* NULL: refused */
	} rows[] = {
		{ "version.bind.", "TXT", "Signet" },
		{ "VERSION.Bind.", "TXT", "Signet" },
		{ "version.server.", "TXT", "Signet" },
		{ "version.bind.", "ANY", "Signet" },
		{ "hostname.bind.", "TXT", "ns1" },
		{ "id.server.", "TXT", "ns1" },
		{ "version.bind.", "A", NULL },
		{ "bind.", "TXT", NULL },
		{ "x.version.bind.", "TXT", NULL },
		{ "authors.bind.", "TXT", NULL },
		{ "www.example.", "A", NULL },
		{ ".", "TXT", NULL },
		{ "server.", "SOA", NULL },
	};
	struct kit k;
	set_up(&k, KIT_UNSIGNED);
	for (unsigned told = 0; told < 2; told++) {
		k.config.version = (struct query_string){ "Signet", told != 0 ? 6 : 0 };
		k.config.identity = (struct query_string){ "ns1", told != 0 ? 3 : 0 };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct ask a = { .name = rows[i].name,
					       .type = rows[i].type,
					       .class = RRCLASS_CH,
					       .how = KIT_EDNS };
			const char *text = told != 0 ? rows[i].expected : NULL;
			send_ask(&k, &a);
			ck_assert_uint_eq(res.rcode, text != NULL ? RCODE_NOERROR : RCODE_REFUSED);
			ck_assert_uint_eq(res.count, text != NULL);
			ck_assert_uint_eq(res.header.flags & MESSAGE_AA, 0);
			if (text != NULL) {
				ck_assert_uint_eq(res.rr[0].len, 1 + strlen(text));
				ck_assert_uint_eq(res.rr[0].rdata[0], strlen(text));
				ck_assert_mem_eq(res.rr[0].rdata + 1, text, strlen(text));
				ck_assert_uint_eq(res.rr[0].ttl, 0);
			}
		}
	}
	kit_clear(&k);
}
END_TEST

/* The longest texts, with all that may go with them, in the smallest message. */
START_TEST(class_ch_fits)
{
	char longest[255];
	uint8_t options[64];
	struct kit k;
	set_up(&k, KIT_UNSIGNED);
	memset(longest, 'x', sizeof(longest));
	k.config.identity = k.config.nsid = (struct query_string){ longest, sizeof(longest) };
	size_t n = put_option(options, 0, EDNS_COOKIE, client_cookie, 8);
	n = put_option(options, n, EDNS_NSID, NULL, 0);
	const struct ask a = { "hostname.bind.", "TXT", RRCLASS_CH, KIT_EDNS, 512, 0, options, n };
	send_ask(&k, &a);
	ck_assert_uint_eq(res.rcode, RCODE_NOERROR);
	ck_assert_uint_eq(res.rr[0].len, 256);
	ck_assert(has_option(EDNS_COOKIE) && !has_option(EDNS_NSID));
	kit_clear(&k);
}
END_TEST

/* Any class is ours too, but we do not know the others (RFC 1034 §3.7.1): no AA. */
START_TEST(class_any)
{
	static const struct {
		const char *name, *type;
		uint16_t rcode;
		size_t answers;
	} rows[] = {
		{ "www.example.", "A", RCODE_NOERROR, 1 },
		{ "no.example.", "A", RCODE_NXDOMAIN, 0 },
		{ "sub.example.", "A", RCODE_NOERROR, 0 },
		{ "elsewhere.", "A", RCODE_REFUSED, 0 },
		{ "version.bind.", "TXT", RCODE_REFUSED, 0 },
		{ "example.", "AXFR", RCODE_REFUSED, 0 },
	};
	struct kit k;
	set_up(&k, KIT_NSEC);
	k.config.version = (struct query_string){ "Signet", 6 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ask a = { .name = rows[i].name,
				       .type = rows[i].type,
				       .class = RRCLASS_ANY,
				       .how = KIT_EDNS | KIT_TCP };
		send_ask(&k, &a);
		ck_assert_msg(res.rcode == rows[i].rcode, "row %zu: %u", i, res.rcode);
		ck_assert_uint_eq(res.header.count[SECTION_ANSWER], rows[i].answers);
		ck_assert_uint_eq(res.header.flags & MESSAGE_AA, 0);
	}
	kit_clear(&k);
}
END_TEST

/* --- rotation -------------------------------------------------------------------------------- */

/* The first record is each in turn; the set is the same each time. */
static void check_rotation(struct kit *k, const char *name, const char *type, size_t records_in_set)
{
	uint8_t first[8][32];
	struct buf whole = { 0 };
	for (unsigned i = 0; i < 2 * records_in_set; i++) {
		struct buf b = { 0 };
		kit_ask(k, name, type, KIT_DO, &res);
		ck_assert_uint_gt(res.rr[0].len, 0);
		kit_show(&b, &res);
		kit_sort_lines(&b);
		if (i == 0) {
			buf_str(&whole, b.data);
		}
		ck_assert_str_eq(b.data, whole.data);
		buf_clear(&b);
		if (i < records_in_set) {
			memcpy(first[i], res.rr[0].rdata, res.rr[0].len);
		}
		ck_assert_mem_eq(first[i % records_in_set], res.rr[0].rdata, res.rr[0].len);
		for (unsigned n = 0; n < i && n < records_in_set && i < records_in_set; n++) {
			ck_assert_mem_ne(first[n], res.rr[0].rdata, res.rr[0].len);
		}
	}
	buf_clear(&whole);
}

START_TEST(sets_are_rotated)
{
	struct kit k;
	set_up(&k, KIT_NSEC3);
	k.config.rotate = true;
	check_rotation(&k, "set.example.", "A", 4);
	check_rotation(&k, "ptr.example.", "PTR", 3);
	check_rotation(&k, "example.", "NS", 2);
	check_rotation(&k, "x.wild.example.", "A", 2);
	check_rotation(&k, "www.example.", "A", 1);
	kit_clear(&k);
}
END_TEST

START_TEST(sets_are_not_rotated_unless_asked_for)
{
	struct kit k;
	uint8_t first[4];
	set_up(&k, KIT_NSEC3);
	for (unsigned i = 0; i < 10; i++) {
		kit_ask(&k, "set.example.", "A", KIT_DO, &res);
		if (i == 0) {
			memcpy(first, res.rr[0].rdata, 4);
		}
		ck_assert_mem_eq(res.rr[0].rdata, first, 4);
	}
	kit_clear(&k);
}
END_TEST

/* --- rate limiting --------------------------------------------------------------------------- */

static void set_up_rrl(struct kit *k)
{
	set_up(k, KIT_NSEC);
	k->config.rrl = (struct rrl_config){
		.rate = 3, .window_s = 2, .slip = 2, .prefix_v4 = 24, .prefix_v6 = 56
	};
	ck_assert_int_eq(rrl_new(1024, &k->env.rrl), E_OK);
}

/* How often of @times there is an answer as usual, one that is cut, one that says BADCOOKIE, and none. */
static void flood(struct kit *k, const struct ask *a, unsigned times, unsigned out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	for (unsigned i = 0; i < times; i++) {
		send_ask(k, a);
		bool tc = res.len != 0 && (res.header.flags & MESSAGE_TC) != 0;
		out[res.len == 0 ? 3 : res.rcode == RCODE_BADCOOKIE ? 2 : tc]++;
		ck_assert(!tc || res.count == 0);
	}
}

START_TEST(floods_are_limited)
{
	static const struct ask rows[] = {
		{ .name = "www.example.", .type = "A", .how = KIT_PLAIN },
		{ .name = "www.example.", .type = "MX", .how = KIT_DO },
		{ .name = "no.example.", .type = "MX", .how = KIT_DO },
		{ .name = "x.sub.example.", .type = "A", .how = KIT_DO },
	};
	struct kit k;
	unsigned n[4];
	set_up_rrl(&k);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		flood(&k, &rows[i], 23, n);
		ck_assert_uint_eq(n[0], 3);
		ck_assert_uint_eq(n[1], 10);
		ck_assert_uint_eq(n[3], 10);
	}
	/* another name of the same kind is no way round */
	const struct ask other = { .name = "set.example.", .type = "A" };
	flood(&k, &other, 10, n);
	ck_assert_uint_eq(n[0], 0);
	/* errors are small: each that is sent is as it would be */
	const struct ask refused = { .name = "elsewhere.", .type = "A", .how = KIT_EDNS };
	flood(&k, &refused, 23, n);
	ck_assert_uint_eq(n[0], 13);
	ck_assert_uint_eq(n[3], 10);
	/* another network is another matter */
	struct address_ip far = client;
	far.octet[2]++;
	k.client = &far;
	flood(&k, &other, 3, n);
	ck_assert_uint_eq(n[0], 3);
	/* and it passes */
	k.client = &client;
	k.env.now_ms += 3000;
	flood(&k, &other, 3, n);
	ck_assert_uint_eq(n[0], 3);
	rrl_free(k.env.rrl);
	kit_clear(&k);
}
END_TEST

START_TEST(good_cookies_and_tcp_are_not_limited)
{
	uint8_t options[64];
	struct kit k;
	unsigned n[4];
	size_t len;
	set_up_rrl(&k);
	struct ask a = { "www.example.", "A", 0, KIT_EDNS, 0, 0, options, 0 };
	a.len = put_option(options, 0, EDNS_COOKIE, client_cookie, 8);
	/* a client that could have a cookie is told to come back with it, not to use TCP */
	flood(&k, &a, 23, n);
	ck_assert_uint_eq(n[0], 3);
	ck_assert_uint_eq(n[2], 10);
	ck_assert_uint_eq(n[3], 10);
	do {
		send_ask(&k, &a);
	} while (res.len == 0);
	ck_assert_uint_eq(res.rcode, RCODE_BADCOOKIE);
	ck_assert_uint_eq(res.count, 0);
	a.len = put_option(options, 0, EDNS_COOKIE, kit_option(&res, EDNS_COOKIE, &len),
			   COOKIE_LEN);
	flood(&k, &a, 100, n);
	ck_assert_uint_eq(n[0], 100);
	options[20] ^= 1;
	flood(&k, &a, 20, n);
	ck_assert_uint_eq(n[0], 0);
	ck_assert_uint_eq(n[2], 10);
	a.how |= KIT_TCP;
	flood(&k, &a, 100, n);
	ck_assert_uint_eq(n[0], 100);
	k.config.rrl.rate = 0;
	a.how = KIT_EDNS;
	flood(&k, &a, 100, n);
	ck_assert_uint_eq(n[0], 100);
	rrl_free(k.env.rrl);
	kit_clear(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("query_edns");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, options_are_given_when_asked_for);
	tcase_add_test(tc, options_about_the_zone);
	tcase_add_test(tc, what_is_left_of_a_secondary);
	tcase_add_test(tc, agents_get_no_reports_of_their_own);
	tcase_add_test(tc, padding_fills_blocks);
	tcase_add_test(tc, padding_of_the_largest_messages);
	tcase_add_test(tc, options_never_truncate);
	tcase_add_test(tc, cookies_are_given_and_taken);
	tcase_add_test(tc, malformed_cookies);
	tcase_add_test(tc, several_cookies);
	tcase_add_test(tc, cookies_without_question);
	tcase_add_test(tc, other_versions_get_no_options);
	tcase_add_test(tc, unknown_options_are_ignored);
	tcase_add_test(tc, errors_say_why);
	tcase_add_test(tc, expired_signatures_are_told);
	tcase_add_test(tc, the_last_signature_counts);
	tcase_add_test(tc, stale_zones_are_told);
	tcase_add_test(tc, chains_that_end_early_are_explained);
	tcase_add_test(tc, a_type_that_is_never_asked_for);
	tcase_add_test(tc, class_ch);
	tcase_add_test(tc, class_ch_fits);
	tcase_add_test(tc, class_any);
	tcase_add_test(tc, sets_are_rotated);
	tcase_add_test(tc, sets_are_not_rotated_unless_asked_for);
	tcase_add_test(tc, floods_are_limited);
	tcase_add_test(tc, good_cookies_and_tcp_are_not_limited);
	return unit_run("server/query_edns", tc);
}

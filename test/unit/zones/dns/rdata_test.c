/* test/unit/zones/dns/rdata_test.c - every record type in three spellings: text, generic, wire. */
#include "zones/dns/rdata.h"

#include <stdlib.h>
#include <string.h>

#include "test/unit/unit.h"
#include "zones/base/file.h"
#include "zones/base/text.h"
#include "zones/dns/dname.h"

#define SAMPLES "test/data/rr/types.txt"

struct sample {
	uint16_t type;
	char *text;
	char *generic; /* length and hex */
	uint8_t wire[1024];
	size_t len;
};

static struct sample samples[400];
static size_t sample_count;

/* The next field up to " | " or the end of the line; both ends are cut to NUL-terminated strings. */
static char *field(char **at)
{
	char *start = *at;
	char *bar = strstr(start, " | ");
	if (bar != NULL) {
		*bar = '\0';
		*at = bar + 3;
	}
	return start;
}

static void read_samples(void)
{
	struct file_view view;
	struct errmsg em;
	ck_assert_msg(file_read(SAMPLES, 1 << 20, &view, &em) == E_OK, "%s", em.text);
	char *text = strdup(view.data);
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (*line == '#') {
			continue;
		}
		struct sample *s = &samples[sample_count++];
		char *at = line;
		char *type = field(&at);
		ck_assert_msg(rrtype_from_text(type, strlen(type), &s->type) == E_OK, "%s", type);
		s->text = field(&at);
		s->generic = field(&at);
		const char *hex = strchr(s->generic, ' ');
		int n = text_from_hex(hex + 1, strlen(hex + 1), s->wire, sizeof(s->wire));
		ck_assert_int_ge(n, 0);
		s->len = (size_t)n;
	}
	file_view_clear(&view);
	/* The samples point into the copy, which lives as long as the program. */
}

static void check_read(const struct sample *s, const char *text)
{
	uint8_t rdata[1024];
	struct writer w = writer_of(rdata, sizeof(rdata));
	struct errmsg em = { "" };
	ck_assert_msg(rdata_from_string(s->type, text, NULL, &w, &em) == E_OK, "%u %s: %s", s->type,
		      text, em.text);
	ck_assert_msg(writer_len(&w) == s->len && memcmp(rdata, s->wire, s->len) == 0, "%u %s",
		      s->type, text);
}

START_TEST(three_spellings_agree)
{
	struct buf out = { 0 };
	for (size_t i = 0; i < sample_count; i++) {
		const struct sample *s = &samples[i];
		char generic[2100];
		check_read(s, s->text);
		(void)snprintf(generic, sizeof(generic), "\\# %s", s->generic);
		check_read(s, generic);
		ck_assert_msg(rdata_check(s->type, s->wire, s->len) == E_OK, "%s", s->text);
		buf_reset(&out);
		rdata_to_text(s->type, s->wire, s->len, &out);
		ck_assert_str_eq(out.data, s->text);
	}
	buf_clear(&out);
}
END_TEST

START_TEST(every_row_has_a_sample)
{
	for (size_t i = 0; rrtype_at(i) != NULL; i++) {
		bool found = false;
		for (size_t k = 0; k < sample_count; k++) {
			found = found || samples[k].type == rrtype_at(i)->type;
		}
		ck_assert_msg(found, "no sample of %s in " SAMPLES, rrtype_at(i)->name);
	}
}
END_TEST

/* What is accepted after a change prints and reads back to the same octets. */
static void check_round_trip(uint16_t type, const uint8_t *wire, size_t len)
{
	struct buf out = { 0 };
	uint8_t rdata[2048];
	struct writer w = writer_of(rdata, sizeof(rdata));
	struct errmsg em = { "" };
	rdata_to_text(type, wire, len, &out);
	ck_assert_msg(rdata_from_string(type, out.data, NULL, &w, &em) == E_OK, "%u %s: %s", type,
		      out.data, em.text);
	ck_assert_msg(writer_len(&w) == len && memcmp(rdata, wire, len) == 0, "%u %s", type,
		      out.data);
	buf_clear(&out);
}

START_TEST(mutations_are_refused_or_survive)
{
	uint64_t random = 1;
	unsigned accepted = 0;
	for (size_t i = 0; i < sample_count; i++) {
		const struct sample *s = &samples[i];
		for (unsigned k = 0; k < 300; k++) {
			random = random * 6364136223846793005U + 1442695040888963407U;
			size_t len = (random >> 60) == 0 ? (random >> 33) % (s->len + 1) : s->len;
			uint8_t *wire =
				malloc(len + 1); /* exactly: a sanitizer sees one too many */
			memcpy(wire, s->wire, len);
			if (len != 0) {
				wire[(random >> 40) % len] = (uint8_t)(random >> 20);
			}
			if (rdata_check(s->type, wire, len) == E_OK) {
				accepted++;
				if (len != 0 || s->type > 256) {
					check_round_trip(s->type, wire, len);
				}
			}
			free(wire);
		}
	}
	ck_assert_uint_gt(accepted, 1000);
}
END_TEST

START_TEST(canonical_form_lowers_names_of_old_types)
{
	static const struct {
		uint16_t type;
		const char *text;
		const char *canonical;
	} rows[] = {
		{ RRTYPE_MX, "10 MAIL.Example.", "10 mail.example." },
		{ RRTYPE_RRSIG, "A 13 2 300 20300101000000 20200101000000 1 EXAMPLE. AAECAwQF",
		  "A 13 2 300 20300101000000 20200101000000 1 example. AAECAwQF" },
		{ RRTYPE_NSEC, "B.Example. A", "B.Example. A" }, /* RFC 6840 §5.1 */
		{ RRTYPE_TXT, "\"ABC\"", "\"ABC\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t a[256];
		struct writer w = writer_of(a, sizeof(a));
		struct buf out = { 0 };
		ck_assert_int_eq(rdata_from_string(rows[i].type, rows[i].text, NULL, &w, NULL),
				 E_OK);
		rdata_canonical(rows[i].type, a, writer_len(&w), a);
		rdata_to_text(rows[i].type, a, writer_len(&w), &out);
		ck_assert_str_eq(out.data, rows[i].canonical);
		buf_clear(&out);
	}
}
END_TEST

START_TEST(a_bitmap_may_hold_every_type)
{
	static uint8_t wire[TYPEMAP_MAX];
	struct typemap map;
	struct writer w = writer_of(wire, sizeof(wire));
	typemap_init(&map);
	for (unsigned type = 65535; type != 0; type--) {
		typemap_add(&map, (uint16_t)type);
	}
	typemap_add(&map, 0);
	typemap_write(&map, &w);
	ck_assert_int_eq(w.err, E_OK);
	ck_assert_uint_eq(writer_len(&w), TYPEMAP_MAX);
	ck_assert_int_eq(typemap_check(wire, TYPEMAP_MAX), E_OK);
	for (unsigned type = 0; type <= 65535; type++) {
		ck_assert(typemap_has(wire, TYPEMAP_MAX, (uint16_t)type));
	}
}
END_TEST

/* Other ways to write what a sample says. */
static const struct {
	uint16_t type;
	const char *text;
	const char *canonical;
} spellings[] = {
	{ RRTYPE_WKS, "192.0.2.1 TCP smtp telnet http http", "192.0.2.1 6 23 25 80" },
	{ RRTYPE_NSAP, "0X47.0005.80", "0x47000580" },
	{ RRTYPE_LOC, "42 21 54 n 71 06 18 W -24m 30m",
	  "42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m" },
	{ RRTYPE_LOC, "42 21 N 71 W 1.5 1m 2 3.456m", NULL },
	{ RRTYPE_LOC, "42 21 N 71 W 1.5 1m 2222m 3.45m",
	  "42 21 0.000 N 71 0 0.000 W 1.50m 1.00m 2000.00m 3.00m" },
	{ RRTYPE_ATMA, "39.246f.00aa", "39246F00AA" },
	{ RRTYPE_A6, "65 2001:db8::ffff:1:2:3 a.", "65 ::7fff:1:2:3 a." },
	{ RRTYPE_NID, "10 14:4fff:0:64", "10 0014:4fff:0000:0064" },
	{ RRTYPE_EUI48, "00-00-5E-00-53-2A", "00-00-5e-00-53-2a" },
	{ RRTYPE_IPN, "1.2", "4294967298" },
	{ RRTYPE_CERT, "pkix 1 0 AAAA", "1 1 0 AAAA" },
	/* RFC 9460 App. D.2 */
	{ RRTYPE_SVCB,
	  "16 foo.example.org. (alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1)",
	  "16 foo.example.org. mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" ipv4hint=192.0.2.1" },
	{ RRTYPE_SVCB, "16 foo.example.org. alpn=f\\\\\\092oo\\\\,bar,h2",
	  "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"" },
	{ RRTYPE_SVCB, "1 foo.example.com. KEY667=hello\\210qoo key3=\"53\"",
	  "1 foo.example.com. port=53 key667=\"hello\\210qoo\"" },
	{ RRTYPE_HTTPS, "1 . ipv6hint=\"2001:db8:ffff:ffff:ffff:ffff:198.51.100.100\"",
	  "1 . ipv6hint=2001:db8:ffff:ffff:ffff:ffff:c633:6464" },
	{ RRTYPE_SVCB, "1 . key99=", "1 . key99" },
};

START_TEST(many_spellings_one_meaning)
{
	uint8_t wire[512];
	struct writer w = writer_of(wire, sizeof(wire));
	struct errmsg em = { "" };
	struct buf out = { 0 };
	int err = rdata_from_string(spellings[_i].type, spellings[_i].text, NULL, &w, &em);
	if (spellings[_i].canonical == NULL) {
		ck_assert_int_ne(err, E_OK);
		return;
	}
	ck_assert_msg(err == E_OK, "%s: %s", spellings[_i].text, em.text);
	rdata_to_text(spellings[_i].type, wire, writer_len(&w), &out);
	ck_assert_str_eq(out.data, spellings[_i].canonical);
	buf_clear(&out);
}
END_TEST

/* Wire that comes by transfer and that text cannot say goes out as octets and comes back so. */
START_TEST(what_text_cannot_say_is_printed_as_octets)
{
	static const struct {
		uint16_t type;
		const char *hex;
		bool is_fine;
	} rows[] = {
		{ RRTYPE_LOC, "01161613800000008000000000989680", true }, /* version 1 */
		{ RRTYPE_LOC, "00161613FFFFFFFF8000000000989680", true }, /* beyond the pole */
		{ RRTYPE_APL, "00031503C0A820", true },			  /* family 3 */
		{ RRTYPE_APL, "00011503C0A800", true },			  /* zeros at the end */
		{ RRTYPE_IPSECKEY, "0A0702C0000226", true },		  /* gateway of type 7 */
		{ RRTYPE_WKS, "C00002010600", true },			  /* zeros at the end */
		{ RRTYPE_ATMA, "0248", true },				  /* format 2 */
		{ RRTYPE_APL, "00011504C0A820", false },		  /* too short */
		{ RRTYPE_SVCB, "00010000040004C000020100030002FFFF", false }, /* order */
		{ RRTYPE_SVCB, "0001000003000100", false },	/* port of one octet */
		{ RRTYPE_SVCB, "00010000010003036832", false }, /* string too long */
		{ RRTYPE_SVCB, "000100FFFF0000", false },	/* invalid key */
		{ RRTYPE_NXT, "0080", false },
		{ RRTYPE_HIP, "00020001AA", false },
		{ RRTYPE_A6, "8100", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t wire[64];
		int n = text_from_hex(rows[i].hex, strlen(rows[i].hex), wire, sizeof(wire));
		struct buf out = { 0 };
		ck_assert_int_gt(n, 0);
		ck_assert_msg((rdata_check(rows[i].type, wire, (size_t)n) == E_OK) ==
				      rows[i].is_fine,
			      "%u %s", rows[i].type, rows[i].hex);
		if (rows[i].is_fine) {
			rdata_to_text(rows[i].type, wire, (size_t)n, &out);
			ck_assert_msg(strncmp(out.data, "\\# ", 3) == 0, "%s", out.data);
			check_round_trip(rows[i].type, wire, (size_t)n);
		}
		buf_clear(&out);
	}
}
END_TEST

static const struct {
	uint16_t type;
	const char *text;
	const char *message;
} bad[] = {
	{ RRTYPE_A, "300.1.2.3", "found \"300.1.2.3\", expected an IPv4 address" },
	{ RRTYPE_A, "", "found the end of the record, expected an IPv4 address" },
	{ RRTYPE_A, "192.0.2.1 x", "found \"x\", expected the end of the record" },
	{ RRTYPE_AAAA, "2001::db8::1", "found \"2001::db8::1\", expected an IPv6 address" },
	{ RRTYPE_MX, "70000 a.", "found \"70000\", expected preference: a number from 0 to 65535" },
	{ RRTYPE_MX, "10 a", "found \"a\", expected a name that ends in a dot" },
	{ RRTYPE_DS, "1 13 2 0", "found \"0\", expected hexadecimal digits, two for each octet" },
	{ RRTYPE_DNSKEY, "256 3 13 A===",
	  "found \"A===\", expected base64 digits in groups of four, the last one filled up with =" },
	{ RRTYPE_NSEC, "a. A NONSENSE", "found \"NONSENSE\", expected a record type" },
	{ RRTYPE_CAA, "0 is-sue \"x\"",
	  "found \"is-sue\", expected a tag: letters and digits, as in issue or iodef" },
	{ RRTYPE_TXT, "\\300",
	  "found \"\\300\", expected escapes of the form \\X or \\DDD up to \\255" },
	{ RRTYPE_TXT, "\"abc", "found the end of the line, expected a closing quote" },
	{ RRTYPE_A, "\\# 3 010203",
	  "found octets that are no A record (input ends too early), expected its wire form" },
	{ RRTYPE_NULL, "ab",
	  "found \"ab\", expected \\# and hex: this type has no text of its own" },
	{ RRTYPE_LOC, "91 0 0 N 0 0 0 E 0m",
	  "found \"91\", expected a latitude such as 42 21 54.000 N" },
	{ RRTYPE_LOC, "90 0 0.001 N 0 0 0 E 0m",
	  "found \"N\", expected a latitude such as 42 21 54.000 N" },
	{ RRTYPE_LOC, "1 N 2 x", "found \"x\", expected a longitude such as 71 6 18.000 W" },
	{ RRTYPE_LOC, "1 N 2 E -100000.01m",
	  "found \"100000.01m\", expected an altitude from -100000.00m to 42849672.95m" },
	{ RRTYPE_LOC, "1 N 2 E 0m 90000001m",
	  "found \"90000001m\", expected a size from 0.00m to 90000000.00m" },
	{ RRTYPE_APL, "3:192.0.2.0/24",
	  "found \"3:192.0.2.0/24\", expected an address prefix such as 1:192.0.2.0/24 or "
	  "!2:2001:db8::/32" },
	{ RRTYPE_APL, "1:192.0.2.0/33",
	  "found \"1:192.0.2.0/33\", expected an address prefix such as 1:192.0.2.0/24 or "
	  "!2:2001:db8::/32" },
	{ RRTYPE_WKS, "192.0.2.1 tcp nonsense",
	  "found \"nonsense\", expected a port: a number, or the name of one of the old services" },
	{ RRTYPE_NSAP, "4700",
	  "found \"4700\", expected an NSAP: 0x and up to 255 octets in hexadecimal digits" },
	{ RRTYPE_ATMA, "+",
	  "found \"+\", expected an ATM address: hexadecimal digits, or + and digits" },
	{ RRTYPE_A6, "64 ::1",
	  "found the end of the record, expected a name behind a prefix length above 0, and none "
	  "behind 0" },
	{ RRTYPE_NXT, "a. CAA", "found \"CAA\", expected a record type below 128" },
	{ RRTYPE_IPSECKEY, "10 4 2 . AAAA",
	  "found \"4\", expected a type of gateway: 0 none, 1 IPv4, 2 IPv6, 3 name" },
	{ RRTYPE_IPSECKEY, "10 0 2 a. AAAA",
	  "found \"a.\", expected a dot: type 0 says that there is no gateway" },
	{ RRTYPE_HIP, "2 0 AAAA",
	  "found \"0\", expected a host identity tag: up to 255 octets in hexadecimal digits" },
	{ RRTYPE_EUI48, "00-00-5e-00-53",
	  "found \"00-00-5e-00-53\", expected six pairs of hexadecimal digits: 00-00-5e-00-53-2a" },
	{ RRTYPE_NID, "10 14:4fff:ff20",
	  "found \"14:4fff:ff20\", expected four groups of hexadecimal digits: 14:4fff:ff20:ee64" },
	{ RRTYPE_IPN, "1.4294967296",
	  "found \"1.4294967296\", expected a number of 64 bits, or two of 32 with a point between" },
	{ RRTYPE_CERT, "PKI 0 0 AAAA",
	  "found \"PKI\", expected a type of certificate: its number or mnemonic" },
	/* RFC 9460 App. D.3 */
	{ RRTYPE_SVCB, "1 foo.example.com. key123=abc key123=def",
	  "found \"key123=def\", expected each key once" },
	{ RRTYPE_SVCB, "1 foo.example.com. mandatory",
	  "found \"mandatory\", expected mandatory= and other keys of this record with commas "
	  "between, each once" },
	{ RRTYPE_SVCB, "1 foo.example.com. alpn",
	  "found \"alpn\", expected a list of strings of 1 to 255 octets with commas between, as in "
	  "alpn=\"h2,h3\"" },
	{ RRTYPE_SVCB, "1 foo.example.com. port",
	  "found \"port\", expected a number from 0 to 65535" },
	{ RRTYPE_SVCB, "1 foo.example.com. ipv4hint",
	  "found \"ipv4hint\", expected IPv4 addresses with commas between" },
	{ RRTYPE_SVCB, "1 foo.example.com. ipv6hint=1.2.3.4",
	  "found \"ipv6hint=1.2.3.4\", expected IPv6 addresses with commas between" },
	{ RRTYPE_SVCB, "1 foo.example.com. alpn=h2 no-default-alpn=abc",
	  "found \"no-default-alpn=abc\", expected a key without a value" },
	{ RRTYPE_SVCB, "1 foo.example.com. mandatory=key123",
	  "found a key in mandatory= that the record does not have, or no-default-alpn without "
	  "alpn=, expected both" },
	{ RRTYPE_SVCB, "1 foo.example.com. mandatory=mandatory",
	  "found \"mandatory=mandatory\", expected mandatory= and other keys of this record with "
	  "commas between, each once" },
	{ RRTYPE_SVCB, "1 foo.example.com. mandatory=key123,key123 key123=abc",
	  "found \"mandatory=key123,key123\", expected mandatory= and other keys of this record with "
	  "commas between, each once" },
	{ RRTYPE_SVCB, "1 . no-default-alpn",
	  "found a key in mandatory= that the record does not have, or no-default-alpn without "
	  "alpn=, expected both" },
	{ RRTYPE_SVCB, "1 . alpn=\"h2\"port=1", "found \"port=1\", expected a blank before it" },
	{ RRTYPE_SVCB, "1 . alpn=a\"h2\"", "found \"h2\", expected a blank before it" },
	{ RRTYPE_SVCB, "1 . key0123=a",
	  "found \"key0123=a\", expected a parameter: alpn=, port=, ipv4hint= and the like, or keyN=" },
	{ RRTYPE_SVCB, "1 . key65535=a",
	  "found \"key65535=a\", expected a parameter: alpn=, port=, ipv4hint= and the like, or keyN=" },
	{ RRTYPE_HTTPS, "1 . ech=AA=", "found \"ech=AA=\", expected base64 digits" },
	{ RRTYPE_HTTPS, "1 . alpn=h2,,h3",
	  "found \"alpn=h2,,h3\", expected a list of strings of 1 to 255 octets with commas between, "
	  "as in alpn=\"h2,h3\"" },
	{ 65280, "10",
	  "found data of a type without a name here, expected \\#, its length and hexadecimal digits "
	  "(RFC 3597)" },
	{ 65280, "\\# 4 010203", "found 3 octets of data, expected 4 as the length says" },
};

START_TEST(bad_text_is_refused_with_reason)
{
	uint8_t rdata[512];
	struct writer w = writer_of(rdata, sizeof(rdata));
	struct errmsg em = { "" };
	ck_assert_int_ne(rdata_from_string(bad[_i].type, bad[_i].text, NULL, &w, &em), E_OK);
	ck_assert_str_eq(em.text, bad[_i].message);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("rdata");
	tcase_add_unchecked_fixture(tc, read_samples, NULL);
	tcase_add_test(tc, three_spellings_agree);
	tcase_add_test(tc, every_row_has_a_sample);
	tcase_add_test(tc, mutations_are_refused_or_survive);
	tcase_add_test(tc, a_bitmap_may_hold_every_type);
	tcase_add_test(tc, canonical_form_lowers_names_of_old_types);
	tcase_add_loop_test(tc, many_spellings_one_meaning, 0, (int)ARRAY_LEN(spellings));
	tcase_add_test(tc, what_text_cannot_say_is_printed_as_octets);
	tcase_add_loop_test(tc, bad_text_is_refused_with_reason, 0, (int)ARRAY_LEN(bad));
	return unit_run("zones/dns/rdata", tc);
}

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
	{ RRTYPE_DNSKEY, "256 3 13 A===", "found \"A===\", expected base64 digits" },
	{ RRTYPE_NSEC, "a. A NONSENSE", "found \"NONSENSE\", expected a record type" },
	{ RRTYPE_CAA, "0 is-sue \"x\"",
	  "found \"is-sue\", expected a tag: letters and digits, as in issue or iodef" },
	{ RRTYPE_TXT, "\\300",
	  "found \"\\300\", expected escapes of the form \\X or \\DDD up to \\255" },
	{ RRTYPE_TXT, "\"abc", "found the end of the line, expected a closing quote" },
	{ RRTYPE_A, "\\# 3 010203",
	  "found octets that are no data of this type: input ends too early" },
	{ 65280, "10", "found data of a type that is not known, expected \\# and hex" },
	{ 65280, "\\# 4 010203", "found 3 octets of data, expected 4" },
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
	tcase_add_loop_test(tc, bad_text_is_refused_with_reason, 0, (int)ARRAY_LEN(bad));
	return unit_run("zones/dns/rdata", tc);
}

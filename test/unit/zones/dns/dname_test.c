/* test/unit/zones/dns/dname_test.c - names: text, limits, compression, equality, canonical order. */
#include "zones/dns/dname.h"

#include "test/unit/unit.h"
#include "zones/base/err.h"
#include "zones/base/mem.h"

/* --- help ------------------------------------------------------------------------------------ */

static struct dname name_of(const char *text)
{
	struct dname d;
	struct errmsg em = { "" };
	ck_assert_msg(dname_from_text(&d, text, strlen(text), dname_root, &em) == E_OK, "%s: %s",
		      text, em.text);
	ck_assert_uint_eq(d.len, dname_len(d.wire));
	return d;
}

/* @count times @unit, into @out. */
static size_t repeat(char *out, const char *unit, unsigned count)
{
	size_t n = 0;
	for (unsigned i = 0; i < count; i++) {
		memcpy(out + n, unit, strlen(unit) + 1);
		n += strlen(unit);
	}
	return n;
}

static int sign(int diff)
{
	return (diff > 0) - (diff < 0);
}

static uint8_t naive_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* The label that is number @i from the root, from 0. */
static const uint8_t *label_from_root(const uint8_t *name, unsigned i)
{
	return dname_up(name, dname_labels(name) - 1 - i);
}

/* RFC 4034 §6.1, word by word. */
static int naive_compare(const uint8_t *a, const uint8_t *b)
{
	for (unsigned i = 0;; i++) {
		bool a_ends = i == dname_labels(a);
		bool b_ends = i == dname_labels(b);
		if (a_ends || b_ends) {
			return (int)b_ends - (int)a_ends;
		}
		const uint8_t *x = label_from_root(a, i);
		const uint8_t *y = label_from_root(b, i);
		for (unsigned k = 1; k <= *x && k <= *y; k++) {
			if (naive_lower(x[k]) != naive_lower(y[k])) {
				return naive_lower(x[k]) < naive_lower(y[k]) ? -1 : 1;
			}
		}
		if (*x != *y) {
			return *x < *y ? -1 : 1;
		}
	}
}

static int key_compare(const uint8_t *a, const uint8_t *b)
{
	struct dname_key x;
	struct dname_key y;
	dname_key_make(&x, a);
	dname_key_make(&y, b);
	return dname_key_compare(&x, &y);
}

/* All that compares says the same as the naive comparison. (An assertion for each would be slow.) */
static void check_pair(const uint8_t *a, const uint8_t *b)
{
	int expected = naive_compare(a, b);
	if (sign(dname_compare(a, b)) != expected || sign(key_compare(a, b)) != expected ||
	    dname_equal(a, b) != (expected == 0)) {
		char x[DNAME_TEXT_MAX];
		char y[DNAME_TEXT_MAX];
		(void)dname_to_text(a, x);
		(void)dname_to_text(b, y);
		ck_abort_msg("%s and %s: %d, key %d, equal %d, expected %d", x, y,
			     dname_compare(a, b), key_compare(a, b), dname_equal(a, b), expected);
	}
}

/* --- order ----------------------------------------------------------------------------------- */

START_TEST(canonical_order_of_rfc_4034)
{
	static const char *const names[] = {
		"example.",	    "a.example.",      "yljkjljk.a.example.",
		"Z.a.example.",	    "zABC.a.EXAMPLE.", "z.example.",
		"\\001.z.example.", "*.z.example.",    "\\200.z.example.",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			struct dname a = name_of(names[i]);
			struct dname b = name_of(names[k]);
			check_pair(a.wire, b.wire);
			ck_assert_int_eq(naive_compare(a.wire, b.wire), (i > k) - (i < k));
		}
	}
}
END_TEST

/* Each octet against each: the symbols of the key are in the order of the octets. */
START_TEST(every_octet_has_its_place)
{
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			const uint8_t x[] = { 1, (uint8_t)a, 0 };
			const uint8_t y[] = { 1, (uint8_t)b, 0 };
			const uint8_t x_and_more[] = { 2, (uint8_t)a, 0, 0 };
			check_pair(x, y);
			check_pair(x_and_more, y);
		}
	}
}
END_TEST

START_TEST(equality_ignores_the_case_of_ascii_letters_only)
{
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			const uint8_t x[] = { 1, (uint8_t)a, 0 };
			const uint8_t y[] = { 1, (uint8_t)b, 0 };
			bool letters = (a >= 'A' && a <= 'Z' && b == a + 32) ||
				       (b >= 'A' && b <= 'Z' && a == b + 32);
			if (dname_equal(x, y) != (a == b || letters)) {
				ck_abort_msg("%u and %u", a, b);
			}
		}
	}
	struct dname whole = name_of("ab.c.");
	struct dname parts = name_of("a.b.c.");
	ck_assert(!dname_equal(whole.wire, parts.wire));
	ck_assert(!dname_equal(whole.wire, dname_root));
	ck_assert(dname_equal(dname_root, dname_root));
}
END_TEST

/* --- text ------------------------------------------------------------------------------------ */

static const struct {
	const char *text;
	const char *wire; /* without the root label */
	const char *printed;
} texts[] = {
	{ ".", "", "." },
	{ "example.", "\7example", "example." },
	{ "www.Example.", "\3www\7Example", "www.Example." },
	{ "www", "\3www", "www." },
	{ "@", "", "." },
	{ "\\@.", "\1@", "\\@." },
	{ "a@b.", "\3a@b", "a\\@b." },
	{ "@.", "\1@", "\\@." },
	{ "a\\.b.c.", "\3a.b\1c", "a\\.b.c." },
	{ "a\\046b.", "\3a.b", "a\\.b." },
	{ "\\065\\066.", "\2AB", "AB." },
	{ "\\0651.", "\2A1", "A1." },
	{ "a\\ b.", "\3a b", "a\\032b." },
	{ "\\\\.", "\1\\", "\\\\." },
	{ "\\\"\\;\\(\\)\\$.", "\5\";()$", "\\\"\\;\\(\\)\\$." },
	{ "\\a\\b.", "\2ab", "ab." },
	{ "\\255\\128\\127\\031.", "\4\377\200\177\037", "\\255\\128\\127\\031." },
	{ "*.a.", "\1*\1a", "*.a." },
	{ "\\*.a.", "\1*\1a", "*.a." },
	{ "_a-b.0/25.",
	  "\4_a-b\4"
	  "0/25",
	  "_a-b.0/25." },
	{ "\xc3\xb6.", "\2\xc3\xb6", "\\195\\182." },
	{ "a!#%&'+,/:<=>?[]^`{|}~.", "\26a!#%&'+,/:<=>?[]^`{|}~", "a!#%&'+,/:<=>?[]^`{|}~." },
};

START_TEST(text_to_wire_and_back)
{
	char out[DNAME_TEXT_MAX];
	struct buf b = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct dname d = name_of(texts[i].text);
		ck_assert_msg(d.len == strlen(texts[i].wire) + 1 &&
				      memcmp(d.wire, texts[i].wire, d.len) == 0,
			      "%s", texts[i].text);
		ck_assert_uint_eq(dname_to_text(d.wire, out), strlen(out));
		ck_assert_str_eq(out, texts[i].printed);
		buf_reset(&b);
		dname_print(&b, d.wire);
		ck_assert_str_eq(b.data, texts[i].printed);
	}
	buf_clear(&b);
}
END_TEST

/* Each octet as \DDD, and by itself behind a backslash. */
START_TEST(every_octet_can_be_escaped)
{
	for (unsigned c = 0; c < 256; c++) {
		char text[8];
		char out[DNAME_TEXT_MAX];
		struct dname d;
		(void)snprintf(text, sizeof(text), "\\%03u.", c);
		d = name_of(text);
		ck_assert_uint_eq(d.len, 3);
		ck_assert_uint_eq(d.wire[1], c);
		(void)dname_to_text(d.wire, out);
		for (const char *p = out; *p != '\0'; p++) {
			ck_assert(*p > 0x20 && *p < 0x7f);
		}
		d = name_of(out);
		ck_assert_uint_eq(d.len, 3);
		ck_assert_uint_eq(d.wire[1], c);
		if (c < '0' || c > '9') {
			const char plain[3] = { '\\', (char)c, '.' };
			ck_assert_int_eq(dname_from_text(&d, plain, 3, NULL, NULL), E_OK);
			ck_assert_uint_eq(d.wire[1], c);
		}
	}
}
END_TEST

static const struct {
	const char *text;
	int err;
	const char *message;
} bad_texts[] = {
	{ "", E_SYNTAX, "found an empty name, expected a domain name" },
	{ "a..b", E_NAME, "found an empty label in \"a..b\", expected a label before each dot" },
	{ ".a", E_NAME, "found an empty label in \".a\", expected a label before each dot" },
	{ "..", E_NAME, "found an empty label in \"..\", expected a label before each dot" },
	{ "a.b..", E_NAME, "found an empty label in \"a.b..\", expected a label before each dot" },
	{ "a\\", E_SYNTAX, "found a bad escape in \"a\\\", expected \\X, or \\DDD up to \\255" },
	{ "\\256", E_SYNTAX,
	  "found a bad escape in \"\\256\", expected \\X, or \\DDD up to \\255" },
	{ "\\999", E_SYNTAX,
	  "found a bad escape in \"\\999\", expected \\X, or \\DDD up to \\255" },
	{ "\\1", E_SYNTAX, "found a bad escape in \"\\1\", expected \\X, or \\DDD up to \\255" },
	{ "\\12", E_SYNTAX, "found a bad escape in \"\\12\", expected \\X, or \\DDD up to \\255" },
	{ "\\1a2", E_SYNTAX,
	  "found a bad escape in \"\\1a2\", expected \\X, or \\DDD up to \\255" },
	{ "a", E_SYNTAX, "found \"a\", expected a name that ends in a dot" },
	{ "@", E_SYNTAX, "found \"@\", expected a name that ends in a dot" },
	{ "a\\.", E_SYNTAX, "found \"a\\.\", expected a name that ends in a dot" },
	{ "a\x1b..", E_NAME,
	  "found an empty label in \"a\\x1b..\", expected a label before each dot" },
};

START_TEST(bad_text_is_explained)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_texts); i++) {
		struct dname d;
		struct errmsg em = { "" };
		const char *text = bad_texts[i].text;
		/* Exactly as long as it is: a sanitizer sees one octet too many. */
		char *copy = mem_alloc(strlen(text) + 1);
		memcpy(copy, text, strlen(text));
		ck_assert_int_eq(dname_from_text(&d, copy, strlen(text), NULL, &em),
				 bad_texts[i].err);
		ck_assert_str_eq(em.text, bad_texts[i].message);
		ck_assert_int_eq(dname_from_text(&d, text, strlen(text), NULL, NULL),
				 bad_texts[i].err);
		mem_free(copy);
	}
}
END_TEST

static int from_text(struct dname *d, const char *text, const uint8_t *origin)
{
	return dname_from_text(d, text, strlen(text), origin, NULL);
}

START_TEST(limits_of_text)
{
	static const uint8_t origin[] = "\7example";
	char text[1100];
	struct dname d;
	size_t n = repeat(text, "a", 63);
	ck_assert_int_eq(from_text(&d, text, dname_root), E_OK);
	ck_assert_uint_eq(d.len, 65);
	memcpy(text + n, "a", 2);
	ck_assert_int_eq(from_text(&d, text, dname_root), E_NAME);
	(void)repeat(text, "\\000", 63);
	ck_assert_int_eq(from_text(&d, text, dname_root), E_OK);
	(void)repeat(text, "\\000", 64);
	ck_assert_int_eq(from_text(&d, text, dname_root), E_NAME);

	(void)repeat(text, "a.", 127);
	ck_assert_int_eq(from_text(&d, text, NULL), E_OK);
	ck_assert_uint_eq(d.len, DNAME_MAX);
	ck_assert_uint_eq(dname_labels(d.wire), DNAME_LABELS_MAX);
	(void)repeat(text, "a.", 128);
	ck_assert_int_eq(from_text(&d, text, NULL), E_NAME);

	/* Three labels of 63, and what makes 255 octets with the root label, or 256. */
	for (unsigned last = 60; last <= 63; last++) {
		n = 0;
		for (unsigned i = 0; i < 3; i++) {
			n += repeat(text + n, "a", 63);
			text[n++] = '.';
		}
		n += repeat(text + n, "b", last);
		ck_assert_int_eq(from_text(&d, text, dname_root), last <= 61 ? E_OK : E_NAME);
		memcpy(text + n, ".", 2);
		ck_assert_int_eq(from_text(&d, text, NULL), last <= 61 ? E_OK : E_NAME);
		/* The origin takes eight octets more. */
		n -= last;
		n += repeat(text + n, "b", last - 8);
		ck_assert_int_eq(from_text(&d, text, origin), last <= 61 ? E_OK : E_NAME);
	}
}
END_TEST

START_TEST(relative_names_get_the_origin)
{
	static const uint8_t origin[] = "\3sub\7Example";
	static const struct {
		const char *text;
		const char *printed;
	} rows[] = {
		{ "@", "sub.Example." },
		{ "a", "a.sub.Example." },
		{ "a.b", "a.b.sub.Example." },
		{ "a.", "a." },
		{ "a\\.", "a\\..sub.Example." },
		{ ".", "." },
		{ "@.", "\\@." },
		{ "\\@", "\\@.sub.Example." },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dname d;
		char out[DNAME_TEXT_MAX];
		ck_assert_int_eq(from_text(&d, rows[i].text, origin), E_OK);
		(void)dname_to_text(d.wire, out);
		ck_assert_str_eq(out, rows[i].printed);
	}
}
END_TEST

/* --- wire ------------------------------------------------------------------------------------ */

/* A row of octets, and what dname_read and dname_read_compressed make of it. @end: octets read. */
static const struct {
	const char *octets;
	size_t len;
	size_t at;
	int plain; /* dname_read */
	int compressed;
	const char *printed;
	size_t end;
} wires[] = {
#define ROW(octets) octets, sizeof(octets) - 1
	{ ROW("\0"), 0, E_OK, E_OK, ".", 1 },
	{ ROW("\1a\0"), 0, E_OK, E_OK, "a.", 3 },
	{ ROW("\1a\0\1b"), 0, E_OK, E_OK, "a.", 3 },
	{ ROW("xx\1a\2bc\0"), 2, E_OK, E_OK, "a.bc.", 8 },
	{ ROW(""), 0, E_TRUNC, E_TRUNC, NULL, 0 },
	{ ROW("\1"), 0, E_TRUNC, E_TRUNC, NULL, 0 },
	{ ROW("\1a"), 0, E_TRUNC, E_TRUNC, NULL, 0 },
	{ ROW("\5abcd"), 0, E_TRUNC, E_TRUNC, NULL, 0 },
	{ ROW("\1a\1"), 0, E_TRUNC, E_TRUNC, NULL, 0 },
	/* The label types 01 and 10 (RFC 2673, RFC 1035 §4.1.4). */
	{ ROW("\100a\0"), 0, E_NAME, 1, NULL, 0 },
	{ ROW("\200a\0"), 0, E_NAME, 1, NULL, 0 },
	/* Pointers: backwards, from behind a label, chains. */
	{ ROW("\1a\0\300\0"), 3, E_NAME, E_OK, "a.", 5 },
	{ ROW("\1a\0\1b\300\0"), 3, E_NAME, E_OK, "b.a.", 7 },
	{ ROW("\1a\0\1b\300\0\1c\300\3"), 7, E_NAME, E_OK, "c.b.a.", 11 },
	{ ROW("\1a\0\300\0\300\3\300\5"), 7, E_NAME, E_OK, "a.", 9 },
	{ ROW("\1a\0\1b\300\2"), 3, E_NAME, E_OK, "b.", 7 },  /* to the root label */
	{ ROW("\2\1b\0\0\300\1"), 5, E_NAME, E_OK, "b.", 7 }, /* into the middle of a name */
	/* To itself, forward, just ahead, in a circle of two. */
	{ ROW("\1a\0\300\3"), 3, E_NAME, E_LOOP, NULL, 0 },
	{ ROW("\300\0"), 0, E_NAME, E_LOOP, NULL, 0 },
	{ ROW("\300\2\1a\0"), 0, E_NAME, E_LOOP, NULL, 0 },
	{ ROW("\300\1\0"), 0, E_NAME, E_LOOP, NULL, 0 },
	{ ROW("\300\2\300\0"), 2, E_NAME, E_LOOP, NULL, 0 },
	{ ROW("\1a\300\0"), 0, E_NAME, E_LOOP, NULL, 0 }, /* to the start of the name itself */
	{ ROW("\1b\1a\300\2"), 2, E_NAME, E_LOOP, NULL, 0 },
	{ ROW("\1x\1a\300\0"), 2, E_NAME, E_LOOP, NULL, 0 }, /* runs into itself again */
	{ ROW("\300\377"), 0, E_NAME, E_LOOP, NULL, 0 },
	{ ROW("\1a\0\377\377"), 3, E_NAME, E_LOOP, NULL, 0 },
	/* Cut off. */
	{ ROW("\1a\0\300"), 3, E_NAME, E_TRUNC, NULL, 0 },
	{ ROW("\3a\300\0"), 2, E_NAME, E_TRUNC, NULL, 0 }, /* the label takes the pointer in */
	{ ROW("\2a\300\0"), 2, E_NAME, E_OK, "a\\192.", 4 },
#undef ROW
};

/* Reads from @octets in a block of exactly their length. */
static int read_name(const uint8_t *octets, size_t len, size_t at, bool compressed, struct dname *d,
		     size_t *end)
{
	uint8_t *exact = mem_alloc(len + (len == 0));
	memcpy(exact, octets, len);
	struct reader r = reader_of(exact, len);
	(void)reader_bytes(&r, at);
	if (compressed) {
		ck_assert_int_eq(dname_read_compressed(&r, d), r.err);
	} else {
		const uint8_t *name = dname_read(&r);
		ck_assert_int_eq(name != NULL, r.err == E_OK);
		if (name != NULL) {
			dname_set(d, name);
		}
	}
	*end = (size_t)(r.pos - r.start);
	mem_free(exact);
	return r.err;
}

START_TEST(names_from_the_wire)
{
	for (size_t i = 0; i < ARRAY_LEN(wires); i++) {
		for (unsigned compressed = 0; compressed < 2; compressed++) {
			int expected = compressed ? wires[i].compressed : wires[i].plain;
			struct dname d;
			size_t end = 0;
			char out[DNAME_TEXT_MAX];
			int err = read_name((const uint8_t *)wires[i].octets, wires[i].len,
					    wires[i].at, compressed, &d, &end);
			if (expected == 1) { /* refused, whatever is said */
				ck_assert_msg(err != E_OK, "row %zu", i);
				continue;
			}
			ck_assert_msg(err == expected, "row %zu, compressed %u: %s, expected %s", i,
				      compressed, err_text(err), err_text(expected));
			if (err == E_OK) {
				(void)dname_to_text(d.wire, out);
				ck_assert_str_eq(out, wires[i].printed);
				ck_assert_uint_eq(end, wires[i].end);
				ck_assert_uint_eq(d.len, dname_len(d.wire));
			}
		}
	}
}
END_TEST

/* @labels of @len octets and one of @last, closed. */
static size_t make_wire(uint8_t *out, unsigned labels, uint8_t len, uint8_t last)
{
	size_t n = 0;
	for (unsigned i = 0; i < labels; i++) {
		out[n] = len;
		memset(out + n + 1, 'a', len);
		n += 1U + len;
	}
	if (last != 0) {
		out[n] = last;
		memset(out + n + 1, 'b', last);
		n += 1U + last;
	}
	out[n++] = 0;
	return n;
}

START_TEST(limits_of_the_wire)
{
	static const struct {
		unsigned labels;
		uint8_t len, last;
		int err;
	} rows[] = {
		{ 1, 63, 0, E_OK },    { 1, 64, 0, E_NAME }, { 3, 63, 61, E_OK },
		{ 3, 63, 62, E_NAME }, { 127, 1, 0, E_OK },  { 128, 1, 0, E_NAME },
		{ 126, 1, 2, E_NAME }, { 125, 1, 3, E_OK },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t octets[600];
		struct dname d;
		size_t end = 0;
		size_t len = make_wire(octets, rows[i].labels, rows[i].len, rows[i].last);
		for (unsigned compressed = 0; compressed < 2; compressed++) {
			int err = read_name(octets, len, 0, compressed, &d, &end);
			ck_assert_msg(err == rows[i].err, "row %zu: %s", i, err_text(err));
		}
	}
}
END_TEST

/* Labels before a pointer count like those behind it. */
START_TEST(limits_hold_across_pointers)
{
	uint8_t octets[600];
	struct dname d;
	size_t end = 0;
	size_t target = make_wire(octets, 2, 63, 0); /* 129 octets */
	for (uint8_t last = 59; last <= 63; last++) {
		size_t n = target;
		n += make_wire(octets + n, 1, 63, last) - 1; /* 64 + last + 1 */
		octets[n++] = 0xc0;
		octets[n++] = 0;
		ck_assert_int_eq(read_name(octets, n, target, true, &d, &end),
				 last <= 61 ? E_OK : E_NAME);
		if (last <= 61) {
			ck_assert_uint_eq(d.len, 194 + last);
			ck_assert_uint_eq(end, n);
		}
	}
}
END_TEST

/* A chain of pointers as long as a message may hold ends, and quickly. */
START_TEST(a_long_chain_of_pointers_ends)
{
	enum { HOPS = 8000 };
	uint8_t *octets = mem_alloc(1 + 2 * HOPS);
	struct dname d;
	size_t end = 0;
	octets[0] = 0;
	for (unsigned i = 0; i < HOPS; i++) {
		unsigned target = i == 0 ? 0 : 1 + 2 * (i - 1);
		octets[1 + 2 * i] = (uint8_t)(0xc0 | target >> 8);
		octets[2 + 2 * i] = (uint8_t)target;
	}
	ck_assert_int_eq(read_name(octets, 1 + 2 * HOPS, 1 + 2 * (HOPS - 1), true, &d, &end), E_OK);
	ck_assert_uint_eq(d.len, 1);
	mem_free(octets);
}
END_TEST

/* --- parts of names -------------------------------------------------------------------------- */

START_TEST(names_under_names)
{
	static const struct {
		const char *name, *ancestor;
		bool is_under;
		unsigned common;
	} rows[] = {
		{ "a.b.", "b.", true, 1 },	  { "a.b.", "a.b.", true, 2 },
		{ "A.B.", "b.", true, 1 },	  { "b.", "a.b.", false, 1 },
		{ "a.b.", ".", true, 0 },	  { ".", ".", true, 0 },
		{ ".", "a.", false, 0 },	  { "ab.", "b.", false, 0 },
		{ "a\\.b.", "b.", false, 0 },	  { "xexample.", "example.", false, 0 },
		{ "a.b.c.", "x.b.c.", false, 2 }, { "a.x.c.", "a.b.c.", false, 1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dname name = name_of(rows[i].name);
		struct dname ancestor = name_of(rows[i].ancestor);
		ck_assert_int_eq(dname_is_under(name.wire, ancestor.wire), rows[i].is_under);
		ck_assert_uint_eq(dname_common_labels(name.wire, ancestor.wire), rows[i].common);
		ck_assert_uint_eq(dname_common_labels(ancestor.wire, name.wire), rows[i].common);
	}
	ck_assert(dname_is_wildcard(name_of("*.a.").wire));
	ck_assert(dname_is_wildcard(name_of("\\042.a.").wire));
	ck_assert(!dname_is_wildcard(name_of("**.a.").wire));
	ck_assert(!dname_is_wildcard(name_of("a.*.").wire));
	ck_assert(!dname_is_wildcard(name_of(".").wire));
	ck_assert(dname_is_root(name_of(".").wire));
	ck_assert(!dname_is_root(name_of("a.").wire));
}
END_TEST

START_TEST(labels_are_put_in_front)
{
	uint8_t parent[DNAME_MAX];
	struct dname d;
	char out[DNAME_TEXT_MAX];
	ck_assert_int_eq(dname_prepend(&d, (const uint8_t *)"\1*", name_of("a.").wire), E_OK);
	(void)dname_to_text(d.wire, out);
	ck_assert_str_eq(out, "*.a.");
	/* Where the parent lies within the result. */
	ck_assert_int_eq(dname_prepend(&d, (const uint8_t *)"\2bc", d.wire), E_OK);
	(void)dname_to_text(d.wire, out);
	ck_assert_str_eq(out, "bc.*.a.");
	ck_assert_uint_eq(make_wire(parent, 3, 63, 59), 253);
	ck_assert_int_eq(dname_prepend(&d, (const uint8_t *)"\1a", parent), E_OK);
	ck_assert_uint_eq(d.len, 255);
	ck_assert_int_eq(dname_prepend(&d, (const uint8_t *)"\2ab", parent), E_NAME);
}
END_TEST

START_TEST(suffixes_are_replaced)
{
	static const struct {
		const char *name, *old, *new, *result;
	} rows[] = {
		{ "a.b.c.", "b.c.", "x.", "a.x." }, { "A.b.C.", "B.c.", "X.Y.", "A.X.Y." },
		{ "b.c.", "b.c.", "x.", "x." },	    { "a.b.", "b.", ".", "a." },
		{ "a.b.", ".", "c.", "a.b.c." },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dname d;
		char out[DNAME_TEXT_MAX];
		ck_assert_int_eq(dname_replace(&d, name_of(rows[i].name).wire,
					       name_of(rows[i].old).wire,
					       name_of(rows[i].new).wire),
				 E_OK);
		(void)dname_to_text(d.wire, out);
		ck_assert_str_eq(out, rows[i].result);
		ck_assert_uint_eq(d.len, dname_len(d.wire));
	}
	uint8_t new[DNAME_MAX];
	struct dname d;
	ck_assert_uint_eq(make_wire(new, 3, 63, 59), 253);
	ck_assert_int_eq(dname_replace(&d, name_of("a.b.").wire, name_of("b.").wire, new), E_OK);
	ck_assert_uint_eq(d.len, 255);
	ck_assert_int_eq(dname_replace(&d, name_of("ab.b.").wire, name_of("b.").wire, new), E_NAME);
}
END_TEST

/* --- random names ---------------------------------------------------------------------------- */

/* Octets of which many are near each other in order, or look special in text. */
static uint8_t random_octet(struct unit_random *r)
{
	static const char special[] = "aAbBzZ019-_.\\\"();@$*[`{ /:\x7f\x80\xff";
	return unit_random_below(r, 3) == 0
		       ? (uint8_t)unit_random_below(r, 256)
		       : (uint8_t)special[unit_random_below(r, sizeof(special))];
}

static void random_name(struct unit_random *r, struct dname *d)
{
	unsigned most = unit_random_below(r, 8) == 0 ? 63 : 3;
	unsigned labels = unit_random_below(r, unit_random_below(r, 8) == 0 ? 127 : 5);
	size_t n = 0;
	for (unsigned i = 0; i < labels; i++) {
		unsigned len = 1 + unit_random_below(r, most);
		if (n + len + 2 > DNAME_MAX) {
			break;
		}
		d->wire[n++] = (uint8_t)len;
		while (len-- != 0) {
			d->wire[n++] = random_octet(r);
		}
	}
	d->wire[n++] = 0;
	d->len = (uint8_t)n;
}

/* A name that shares a suffix with @d, in another case perhaps. */
static void random_relative(struct unit_random *r, const struct dname *d, struct dname *out)
{
	const uint8_t *up = dname_up(d->wire, unit_random_below(r, dname_labels(d->wire) + 1));
	dname_set(out, up);
	for (unsigned i = 0; i < out->len; i++) {
		bool letter = naive_lower(out->wire[i]) >= 'a' && naive_lower(out->wire[i]) <= 'z';
		if (letter && unit_random_below(r, 2) == 0) {
			out->wire[i] ^= 0x20;
		}
	}
	for (unsigned i = unit_random_below(r, 3); i != 0; i--) {
		uint8_t label[4] = { 3, random_octet(r), random_octet(r), random_octet(r) };
		label[0] = (uint8_t)(1 + unit_random_below(r, 3));
		if (dname_prepend(out, label, out->wire) != E_OK) {
			return;
		}
	}
}

START_TEST(random_names_survive_text)
{
	struct unit_random r = { 17 };
	for (unsigned i = 0; i < 5000; i++) {
		struct dname d;
		struct dname back;
		char out[DNAME_TEXT_MAX];
		random_name(&r, &d);
		size_t len = dname_to_text(d.wire, out);
		ck_assert_uint_lt(len, DNAME_TEXT_MAX);
		ck_assert_int_eq(dname_from_text(&back, out, len, NULL, NULL), E_OK);
		ck_assert_uint_eq(back.len, d.len);
		ck_assert_mem_eq(back.wire, d.wire, d.len);
		size_t end = 0;
		ck_assert_int_eq(read_name(d.wire, d.len, 0, i % 2 == 0, &back, &end), E_OK);
		ck_assert_mem_eq(back.wire, d.wire, d.len);
		ck_assert_uint_eq(end, d.len);
	}
}
END_TEST

START_TEST(random_names_are_in_order)
{
	struct unit_random r = { 18 };
	unsigned equal = 0;
	for (unsigned i = 0; i < 100000; i++) {
		struct dname a;
		struct dname b;
		random_name(&r, &a);
		if (i % 2 == 0) {
			random_name(&r, &b);
		} else {
			random_relative(&r, &a, &b);
		}
		check_pair(a.wire, b.wire);
		equal += dname_equal(a.wire, b.wire);
	}
	ck_assert_uint_gt(equal, 1000);
}
END_TEST

/* The key of an ancestor is the first part of the key, and end[] says where it ends. */
START_TEST(keys_begin_with_those_of_the_ancestors)
{
	struct unit_random r = { 19 };
	for (unsigned i = 0; i < 1000; i++) {
		struct dname d;
		struct dname_key key;
		random_name(&r, &d);
		dname_key_make(&key, d.wire);
		unsigned labels = dname_labels(d.wire);
		ck_assert_uint_eq(key.labels, labels);
		ck_assert_uint_eq(key.end[0], 0);
		ck_assert_uint_eq(key.end[labels], key.len);
		ck_assert_uint_le(key.len, DNAME_KEY_MAX);
		for (unsigned k = 0; k <= labels; k++) {
			struct dname_key above;
			dname_key_make(&above, dname_up(d.wire, labels - k));
			ck_assert_uint_eq(above.len, key.end[k]);
			ck_assert_mem_eq(above.sym, key.sym, above.len);
			ck_assert(dname_is_under(d.wire, dname_up(d.wire, labels - k)));
		}
		unsigned k = 0;
		while (k < key.len && key.sym[k] < DNAME_SYMBOLS) {
			k++;
		}
		ck_assert_uint_eq(k, key.len);
	}
}
END_TEST

/* The longest key: all octets take two symbols. */
/* The first symbol that differs, by making both keys. */
static unsigned mismatch(const struct dname_key *a, const struct dname_key *b, unsigned *symbol)
{
	unsigned i = 0;
	while (i < a->len && i < b->len && a->sym[i] == b->sym[i]) {
		i++;
	}
	*symbol = i < b->len ? b->sym[i] : 0;
	return i;
}

START_TEST(keys_are_compared_with_names)
{
	struct unit_random r = { 22 };
	for (unsigned i = 0; i < 20000; i++) {
		struct dname a, b;
		struct dname_key ak, bk;
		unsigned want, got;
		random_name(&r, &a);
		random_relative(&r, &a, &b);
		dname_key_make(&ak, a.wire);
		dname_key_make(&bk, b.wire);
		memset(ak.sym + ak.len, 0xee, sizeof(ak.sym) - ak.len); /* not part of it */
		ck_assert_uint_eq(dname_key_mismatch(&ak, b.wire, &got), mismatch(&ak, &bk, &want));
		ck_assert_uint_eq(got, want);
	}
}
END_TEST

START_TEST(the_longest_key_fits)
{
	struct dname d;
	struct dname_key key;
	d.len = (uint8_t)make_wire(d.wire, 3, 63, 61);
	for (unsigned i = 0; i < d.len; i++) {
		if (d.wire[i] == 'a' || d.wire[i] == 'b') {
			d.wire[i] = 0xff;
		}
	}
	dname_key_make(&key, d.wire);
	ck_assert_uint_eq(key.len, 2 * 250 + 4);
	ck_assert_uint_le(key.len, DNAME_KEY_MAX);
}
END_TEST

START_TEST(random_names_in_parts)
{
	struct unit_random r = { 20 };
	for (unsigned i = 0; i < 5000; i++) {
		struct dname a;
		struct dname b;
		random_name(&r, &a);
		random_relative(&r, &a, &b);
		unsigned common = 0;
		while (common < dname_labels(a.wire) && common < dname_labels(b.wire) &&
		       naive_compare(dname_up(a.wire, dname_labels(a.wire) - common - 1),
				     dname_up(b.wire, dname_labels(b.wire) - common - 1)) == 0) {
			common++;
		}
		ck_assert_uint_eq(dname_common_labels(a.wire, b.wire), common);
		ck_assert_int_eq(dname_is_under(a.wire, b.wire), common == dname_labels(b.wire));
		uint8_t lower[DNAME_MAX];
		ck_assert_uint_eq(dname_lower(lower, a.wire), a.len);
		ck_assert(dname_equal(lower, a.wire));
		unsigned k = 0;
		while (k < a.len && lower[k] == naive_lower(a.wire[k])) {
			k++;
		}
		ck_assert_uint_eq(k, a.len);
	}
}
END_TEST

/* Any octets: what is read is a valid name, and the compressed reader reads plain names alike. */
START_TEST(random_octets_are_names_or_refused)
{
	struct unit_random r = { 21 };
	unsigned good = 0;
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t octets[64];
		size_t len = 1 + unit_random_below(&r, sizeof(octets) - 1);
		for (size_t k = 0; k < len; k++) {
			static const uint8_t likely[] = { 0, 1, 2, 0xc0, 0xc0, 3 };
			octets[k] = unit_random_below(&r, 2) == 0
					    ? likely[unit_random_below(&r, sizeof(likely))]
					    : (uint8_t)unit_random_below(&r, 64);
		}
		size_t at = unit_random_below(&r, (uint32_t)len);
		struct dname plain;
		struct dname d;
		size_t plain_end = 0;
		size_t end = 0;
		int plain_err = read_name(octets, len, at, false, &plain, &plain_end);
		int err = read_name(octets, len, at, true, &d, &end);
		if (err == E_OK) {
			struct dname again;
			size_t again_end = 0;
			ck_assert_int_eq(read_name(d.wire, d.len, 0, false, &again, &again_end),
					 E_OK);
			ck_assert_uint_eq(again_end, d.len);
			good++;
		}
		if (plain_err == E_OK) {
			ck_assert_int_eq(err, E_OK);
			ck_assert_uint_eq(d.len, plain.len);
			ck_assert_mem_eq(d.wire, plain.wire, d.len);
			ck_assert_uint_eq(end, plain_end);
		}
	}
	ck_assert_uint_gt(good, 1000);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("dname");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, canonical_order_of_rfc_4034);
	tcase_add_test(tc, every_octet_has_its_place);
	tcase_add_test(tc, equality_ignores_the_case_of_ascii_letters_only);
	tcase_add_test(tc, text_to_wire_and_back);
	tcase_add_test(tc, every_octet_can_be_escaped);
	tcase_add_test(tc, bad_text_is_explained);
	tcase_add_test(tc, limits_of_text);
	tcase_add_test(tc, relative_names_get_the_origin);
	tcase_add_test(tc, names_from_the_wire);
	tcase_add_test(tc, limits_of_the_wire);
	tcase_add_test(tc, limits_hold_across_pointers);
	tcase_add_test(tc, a_long_chain_of_pointers_ends);
	tcase_add_test(tc, names_under_names);
	tcase_add_test(tc, labels_are_put_in_front);
	tcase_add_test(tc, suffixes_are_replaced);
	tcase_add_test(tc, random_names_survive_text);
	tcase_add_test(tc, random_names_are_in_order);
	tcase_add_test(tc, keys_begin_with_those_of_the_ancestors);
	tcase_add_test(tc, keys_are_compared_with_names);
	tcase_add_test(tc, the_longest_key_fits);
	tcase_add_test(tc, random_names_in_parts);
	tcase_add_test(tc, random_octets_are_names_or_refused);
	return unit_run("zones/dns/dname", tc);
}

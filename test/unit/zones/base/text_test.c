/* test/unit/zones/base/text_test.c - numbers and the three encodings, against tables and naive coders. */
#include "zones/base/text.h"

#include "test/unit/unit.h"
#include "zones/base/buf.h"
#include "zones/base/err.h"
#include "zones/base/mem.h"

START_TEST(lower_case_is_that_of_ascii)
{
	for (unsigned c = 0; c < 256; c++) {
		ck_assert_uint_eq(text_lower[c], c >= 'A' && c <= 'Z' ? c + 32 : c);
		ck_assert_int_eq(text_is_digit((char)c), c >= '0' && c <= '9');
	}
}
END_TEST

START_TEST(texts_are_compared_without_case)
{
	ck_assert(text_equal("Signet", 6, "sIGNET"));
	ck_assert(text_equal("", 0, ""));
	ck_assert(text_equal("soa more", 3, "SOA"));
	ck_assert(!text_equal("soa", 3, "so"));
	ck_assert(!text_equal("so", 2, "soa"));
	ck_assert(!text_equal("soa", 3, "sob"));
	ck_assert(!text_equal("so\0", 3, "so"));
	ck_assert(!text_equal("[", 1, "{")); /* 32 apart, and no letters */
	ck_assert(!text_equal("\xc4", 1, "\xe4"));
}
END_TEST

START_TEST(numbers_are_bounded)
{
	static const struct {
		const char *text;
		uint64_t max;
		int err;
		uint64_t value;
	} rows[] = {
		{ "0", 0, E_OK, 0 },
		{ "007", 7, E_OK, 7 },
		{ "255", 255, E_OK, 255 },
		{ "256", 255, E_RANGE, 0 },
		{ "18446744073709551615", UINT64_MAX, E_OK, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, E_RANGE, 0 },
		{ "184467440737095516150", UINT64_MAX, E_RANGE, 0 },
		{ "99999999999999999999999999999999", UINT64_MAX, E_RANGE, 0 },
		{ "00000000000000000000000000000001", 1, E_OK, 1 },
		{ "", 9, E_SYNTAX, 0 },
		{ "-1", 9, E_SYNTAX, 0 },
		{ "+1", 9, E_SYNTAX, 0 },
		{ " 1", 9, E_SYNTAX, 0 },
		{ "1 ", 9, E_SYNTAX, 0 },
		{ "1x", 9, E_SYNTAX, 0 },
		{ "0x1", 9, E_SYNTAX, 0 },
		{ "99999999999999999999x", 9, E_SYNTAX, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t value = 12345;
		int err = text_to_u64(rows[i].text, strlen(rows[i].text), rows[i].max, &value);
		ck_assert_msg(err == rows[i].err, "%s: %d", rows[i].text, err);
		ck_assert_uint_eq(value, err == E_OK ? rows[i].value : 12345);
	}
	uint32_t small = 1;
	ck_assert_int_eq(text_to_u32("4294967295", 10, UINT32_MAX, &small), E_OK);
	ck_assert_uint_eq(small, UINT32_MAX);
	ck_assert_int_eq(text_to_u32("4294967296", 10, UINT32_MAX, &small), E_RANGE);
	ck_assert_int_eq(text_to_u32("65536", 5, 65535, &small), E_RANGE);
	ck_assert_uint_eq(small, UINT32_MAX);
	ck_assert_int_eq(text_to_u32("12345", 2, 12, &small), E_OK); /* @len counts, not a NUL */
	ck_assert_uint_eq(small, 12);
}
END_TEST

/* An encoding as the tests see it. */
struct coder {
	const char *name;
	const char *digits;
	unsigned bits;	/* of a digit */
	unsigned group; /* digits to which padding fills up; 0: none */
	int (*decode)(const char *s, size_t len, uint8_t *out, size_t room);
	void (*encode)(const uint8_t *in, size_t len, char *out);
	bool any_case;
};

static const struct coder coders[] = {
	{ "hex", "0123456789ABCDEF", 4, 0, text_from_hex, text_to_hex, true },
	{ "base32hex", "0123456789abcdefghijklmnopqrstuv", 5, 0, text_from_base32hex,
	  text_to_base32hex, true },
	{ "base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, 4,
	  text_from_base64, text_to_base64, false },
};

/* Bit by bit, with a table of nothing. Returns the number of digits. */
static size_t naive_encode(const struct coder *c, const uint8_t *in, size_t len, char *out)
{
	size_t n = 0;
	for (size_t bit = 0; bit < len * 8; bit += c->bits) {
		unsigned v = 0;
		for (size_t k = bit; k < bit + c->bits; k++) {
			unsigned b = k < len * 8 ? (unsigned)in[k / 8] >> (7 - k % 8) & 1U : 0;
			v = v << 1 | b;
		}
		out[n++] = c->digits[v];
	}
	while (c->group != 0 && n % c->group != 0) {
		out[n++] = '=';
	}
	return n;
}

/* Returns the number of octets, or -1 where the text is not what naive_encode would have made. */
static int naive_decode(const struct coder *c, const char *s, size_t len, uint8_t *out)
{
	uint8_t octets[256] = { 0 };
	char again[512];
	size_t bits = 0;
	size_t end = len;
	while (c->group != 0 && end > 0 && s[end - 1] == '=') {
		end--;
	}
	for (size_t i = 0; i < end; i++, bits += c->bits) {
		const char *at = strchr(c->digits, s[i]);
		if (at == NULL || s[i] == '\0') {
			return -1;
		}
		size_t v = (size_t)(at - c->digits);
		for (size_t k = 0; k < c->bits; k++) {
			octets[(bits + k) / 8] |=
				(uint8_t)((v >> (c->bits - 1 - k) & 1U) << (7 - (bits + k) % 8));
		}
	}
	if (naive_encode(c, octets, bits / 8, again) != len || memcmp(again, s, len) != 0) {
		return -1;
	}
	memcpy(out, octets, bits / 8);
	return (int)(bits / 8);
}

START_TEST(known_encodings)
{
	/* RFC 4648 §10. */
	static const struct {
		const char *plain;
		const char *coded[3];
	} rows[] = {
		{ "", { "", "", "" } },
		{ "f", { "66", "co", "Zg==" } },
		{ "fo", { "666F", "cpng", "Zm8=" } },
		{ "foo", { "666F6F", "cpnmu", "Zm9v" } },
		{ "foob", { "666F6F62", "cpnmuog", "Zm9vYg==" } },
		{ "fooba", { "666F6F6261", "cpnmuoj1", "Zm9vYmE=" } },
		{ "foobar", { "666F6F626172", "cpnmuoj1e8", "Zm9vYmFy" } },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t k = 0; k < ARRAY_LEN(coders); k++) {
			const char *coded = rows[i].coded[k];
			size_t len = strlen(rows[i].plain);
			char out[32] = { 0 };
			uint8_t back[32];
			coders[k].encode((const uint8_t *)rows[i].plain, len, out);
			ck_assert_str_eq(out, coded);
			ck_assert_int_eq(coders[k].decode(coded, strlen(coded), back, len),
					 (int)len);
			ck_assert_int_eq(memcmp(back, rows[i].plain, len), 0);
		}
	}
	ck_assert_uint_eq(TEXT_BASE32HEX_LEN(20), 32);
	ck_assert_uint_eq(TEXT_BASE64_LEN(64), 88);
}
END_TEST

/* Every length, random octets, exactly as much memory as is needed so that a sanitizer sees more. */
START_TEST(what_is_encoded_is_decoded)
{
	const struct coder *c = &coders[_i];
	struct unit_random r = { 1 };
	for (unsigned round = 0; round < 4000; round++) {
		size_t len = unit_random_below(&r, 130);
		uint8_t *in = mem_alloc(len);
		char naive[300];
		for (size_t i = 0; i < len; i++) {
			in[i] = (uint8_t)unit_random_next(&r);
		}
		size_t n = naive_encode(c, in, len, naive);
		char *coded = mem_alloc(n);
		uint8_t *back = mem_alloc(len);
		c->encode(in, len, coded);
		ck_assert(memcmp(coded, naive, n) == 0);
		ck_assert_int_eq(c->decode(coded, n, back, len), (int)len);
		ck_assert(memcmp(back, in, len) == 0);
		if (len != 0) {
			ck_assert_int_eq(c->decode(coded, n, back, len - 1), E_NOSPACE);
		}
		mem_free(in);
		mem_free(coded);
		mem_free(back);
	}
}
END_TEST

/* Changed, cut and extended texts: the same verdict and octets as the naive decoder. */
START_TEST(bad_text_is_refused_as_the_naive_decoder_does)
{
	const struct coder *c = &coders[_i];
	struct unit_random r = { 2 };
	unsigned good = 0;
	for (unsigned round = 0; round < 60000; round++) {
		uint8_t in[20];
		char text[64];
		uint8_t ours[64];
		uint8_t naive[64];
		size_t len = unit_random_below(&r, sizeof(in));
		for (size_t i = 0; i < len; i++) {
			in[i] = (uint8_t)unit_random_next(&r);
		}
		size_t n = naive_encode(c, in, len, text);
		for (unsigned k = unit_random_below(&r, 3); k != 0 && n != 0; k--) {
			uint32_t any = unit_random_next(&r);
			char octet = any % 8 == 0   ? (char)(any >> 8)
				     : any % 8 == 1 ? '='
						    : c->digits[(any >> 8) % strlen(c->digits)];
			if (any & 0x80000000) {
				text[unit_random_below(&r, (uint32_t)n)] = octet;
			} else if (any & 0x40000000) {
				text[n++] = octet;
			} else {
				n--;
			}
		}
		char *exact = mem_dup(text, n);
		/* The naive decoder knows one case only. */
		for (size_t i = 0; i < n && c->any_case; i++) {
			text[i] = c->bits == 5 ? (char)text_lower[(uint8_t)text[i]]
				  : text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 32)
								     : text[i];
		}
		int want = naive_decode(c, text, n, naive);
		int have = c->decode(exact, n, ours, sizeof(ours));
		mem_free(exact);
		ck_assert_msg(have == (want < 0 ? E_SYNTAX : want), "%s \"%.*s\": %d, %d", c->name,
			      (int)n, text, have, want);
		ck_assert(want < 0 || memcmp(ours, naive, (size_t)want) == 0);
		good += want >= 0;
	}
	ck_assert_uint_gt(good, 10000);
	ck_assert_uint_lt(good, 50000);
}
END_TEST

START_TEST(either_case_is_read)
{
	uint8_t out[8];
	ck_assert_int_eq(text_from_hex("aBcD", 4, out, 8), 2);
	ck_assert_int_eq(memcmp(out, "\xab\xcd", 2), 0);
	ck_assert_int_eq(text_from_base32hex("CPNMUOJ1", 8, out, 8), 5);
	ck_assert_int_eq(memcmp(out, "fooba", 5), 0);
}
END_TEST

START_TEST(did_you_mean)
{
	static const char *const words[] = { "listen", "udp-size", "workers", "zones",
					     "zone",   "tcp-idle", NULL };
	static const struct {
		const char *word;
		const char *meant;
	} rows[] = {
		{ "wokers", "workers" },
		{ "lisetn", "listen" },
		{ "ZONES", "zones" },
		{ "zoness", "zones" },
		{ "zon", "zone" },
		{ "udp_size", "udp-size" },
		{ "udpsize", "udp-size" },
		{ "kitchen", NULL },
		{ "", NULL },
		{ "a-word-that-is-much-longer-than-anything-we-know", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *meant = text_did_you_mean(rows[i].word, words);
		ck_assert_pstr_eq(meant, rows[i].meant);
	}
	ck_assert_ptr_null(text_did_you_mean("zone", words + 6));
}
END_TEST

START_TEST(quotes_for_messages_are_safe)
{
	static const struct {
		const char *text;
		const char *quoted;
	} cases[] = {
		{ "", "\"\"" },
		{ "plain", "\"plain\"" },
		{ "a\x1b[31m\n", "\"a\\x1b[31m\\x0a\"" },
		{ "\x7f", "\"\\x7f\"" },
		{ "größe", "\"größe\"" },
		{ "\xc3", "\"\\xc3\"" }, /* what is no UTF-8, and controls above 127 */
		{ "\xff\xfe"
		  "a",
		  "\"\\xff\\xfea\"" },
		{ "\xe2\x82"
		  "b",
		  "\"\\xe2\\x82b\"" },
		{ "\xc2\x9b"
		  "31m",
		  "\"\\xc2\\x9b31m\"" },
		{ "\xc0\x80", "\"\\xc0\\x80\"" },
	};
	char out[TEXT_QUOTE_MAX];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_str_eq(text_quote(cases[i].text, strlen(cases[i].text), out),
				 cases[i].quoted);
	}
	/* Long texts of characters of all lengths are cut between them. */
	static const char *const units[] = { "a", "ö", "€", "𝄞", "\x01" };
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct buf b = { 0 };
		size_t unit = units[i][0] == '\x01' ? 4 : strlen(units[i]);
		while (b.len < 2 * sizeof(out)) {
			buf_str(&b, units[i]);
		}
		size_t len = strlen(text_quote(b.data, b.len, out));
		ck_assert_uint_lt(len, sizeof(out));
		ck_assert_uint_eq((len - 5) % unit, 0);
		ck_assert_str_eq(out + len - 4, "...\"");
		buf_clear(&b);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("text");
	tcase_add_test(tc, lower_case_is_that_of_ascii);
	tcase_add_test(tc, texts_are_compared_without_case);
	tcase_add_test(tc, numbers_are_bounded);
	tcase_add_test(tc, known_encodings);
	tcase_add_loop_test(tc, what_is_encoded_is_decoded, 0, ARRAY_LEN(coders));
	tcase_add_loop_test(tc, bad_text_is_refused_as_the_naive_decoder_does, 0,
			    ARRAY_LEN(coders));
	tcase_add_test(tc, either_case_is_read);
	tcase_add_test(tc, did_you_mean);
	tcase_add_test(tc, quotes_for_messages_are_safe);
	return unit_run("zones/base/text", tc);
}

/* zones/base/text.c - numbers, hex, base32hex, base64, by tables. */
#include "zones/base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "zones/base/err.h"
#include "zones/base/wire.h"

/* clang-format off */
#define R4(M, i)  M(i), M((i) + 1), M((i) + 2), M((i) + 3)
#define R16(M, i) R4(M, i), R4(M, (i) + 4), R4(M, (i) + 8), R4(M, (i) + 12)
#define R64(M, i) R16(M, i), R16(M, (i) + 16), R16(M, (i) + 32), R16(M, (i) + 48)
#define LOWER(c)  (uint8_t)((c) >= 'A' && (c) <= 'Z' ? (c) + 32 : (c))
#define HEX(c)    (int8_t)((c) >= '0' && (c) <= '9' ? (c) - '0' : \
		(c) >= 'a' && (c) <= 'f' ? (c) - 'a' + 10 : (c) >= 'A' && (c) <= 'F' ? (c) - 'A' + 10 : -1)
#define B32(c)    (int8_t)((c) >= '0' && (c) <= '9' ? (c) - '0' : \
		(c) >= 'a' && (c) <= 'v' ? (c) - 'a' + 10 : (c) >= 'A' && (c) <= 'V' ? (c) - 'A' + 10 : -1)
#define B64(c)    (int8_t)((c) >= 'A' && (c) <= 'Z' ? (c) - 'A' : (c) >= 'a' && (c) <= 'z' ? (c) - 'a' + 26 : \
		(c) >= '0' && (c) <= '9' ? (c) - '0' + 52 : (c) == '+' ? 62 : (c) == '/' ? 63 : -1)
/* clang-format on */

const uint8_t text_lower[256] = { R64(LOWER, 0), R64(LOWER, 64), R64(LOWER, 128), R64(LOWER, 192) };
static const int8_t hex_value[256] = { R64(HEX, 0), R64(HEX, 64), R64(HEX, 128), R64(HEX, 192) };
static const int8_t b32_value[256] = { R64(B32, 0), R64(B32, 64), R64(B32, 128), R64(B32, 192) };
static const int8_t b64_value[256] = { R64(B64, 0), R64(B64, 64), R64(B64, 128), R64(B64, 192) };

bool text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool text_equal(const char *a, size_t len, const char *b)
{
	for (size_t i = 0; i < len; i++) {
		if (text_lower[(uint8_t)a[i]] != text_lower[(uint8_t)b[i]]) {
			return false; /* also where b ends */
		}
		if (b[i] == '\0') {
			return false;
		}
	}
	return b[len] == '\0';
}

int text_to_u64(const char *s, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	bool over = false;
	if (len == 0) {
		return E_SYNTAX;
	}
	for (size_t i = 0; i < len; i++) {
		if (!text_is_digit(s[i])) {
			return E_SYNTAX;
		}
		over = over || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
		       __builtin_add_overflow(value, (uint64_t)(s[i] - '0'), &value);
	}
	if (over || value > max) {
		return E_RANGE;
	}
	*out = value;
	return E_OK;
}

int text_to_u32(const char *s, size_t len, uint32_t max, uint32_t *out)
{
	uint64_t value;
	int err = text_to_u64(s, len, max, &value);
	if (err == E_OK) {
		*out = (uint32_t)value;
	}
	return err;
}

int text_from_hex(const char *s, size_t len, uint8_t *out, size_t room)
{
	if (len % 2 != 0) {
		return E_SYNTAX;
	}
	if (len / 2 > room) {
		return E_NOSPACE;
	}
	for (size_t i = 0; i < len; i += 2) {
		int hi = hex_value[(uint8_t)s[i]];
		int lo = hex_value[(uint8_t)s[i + 1]];
		if (hi < 0 || lo < 0) {
			return E_SYNTAX;
		}
		out[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	return (int)(len / 2);
}

void text_to_hex(const uint8_t *in, size_t len, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
}

/* Four digits to 20 bits; negative when one is none. */
static int32_t b32_half(const uint8_t *s)
{
	int a = b32_value[s[0]];
	int b = b32_value[s[1]];
	int c = b32_value[s[2]];
	int d = b32_value[s[3]];
	int32_t bits = (a & 31) << 15 | (b & 31) << 10 | (c & 31) << 5 | (d & 31);
	return (a | b | c | d) < 0 ? -1 : bits;
}

/* Eight digits to 40 bits; negative when one is none. */
static int64_t b32_group(const uint8_t *s)
{
	int64_t high = b32_half(s);
	int64_t low = b32_half(s + 4);
	return (high | low) < 0 ? -1 : high * (1 << 20) + low;
}

int text_from_base32hex(const char *s, size_t len, uint8_t *out, size_t room)
{
	/* 1, 3 and 6 left-over digits do not fill an octet. */
	if (len % 8 == 1 || len % 8 == 3 || len % 8 == 6) {
		return E_SYNTAX;
	}
	size_t total = len / 8 * 5 + len % 8 * 5 / 8;
	if (total > room) {
		return E_NOSPACE;
	}
	const uint8_t *in = (const uint8_t *)s;
	for (; len >= 8; len -= 8) {
		int64_t bits = b32_group(in);
		if (bits < 0) {
			return E_SYNTAX;
		}
		out[0] = (uint8_t)(bits >> 32);
		be32_put(out + 1, (uint32_t)bits);
		in += 8;
		out += 5;
	}
	if (len != 0) {
		uint8_t digits[8] = { '0', '0', '0', '0', '0', '0', '0', '0' };
		memcpy(digits, in, len);
		int64_t bits = b32_group(digits);
		size_t take = len * 5 / 8;
		/* What does not fill an octet must be zero, so that each value has one spelling. */
		if (bits < 0 || (bits & ((INT64_C(1) << (40 - 8 * take)) - 1)) != 0) {
			return E_SYNTAX;
		}
		for (size_t i = 0; i < take; i++) {
			out[i] = (uint8_t)(bits >> (32 - 8 * i));
		}
	}
	return (int)total;
}

void text_to_base32hex(const uint8_t *in, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	for (; len >= 5; len -= 5) {
		uint64_t bits = (uint64_t)in[0] << 32 | be32_get(in + 1);
		for (unsigned i = 0; i < 8; i++) {
			out[i] = digits[bits >> (35 - 5 * i) & 31];
		}
		in += 5;
		out += 8;
	}
	if (len != 0) {
		uint64_t bits = 0;
		for (size_t i = 0; i < 5; i++) {
			bits = bits << 8 | (i < len ? in[i] : 0);
		}
		for (size_t i = 0; i < TEXT_BASE32HEX_LEN(len); i++) {
			out[i] = digits[bits >> (35 - 5 * i) & 31];
		}
	}
}

/* Four characters to 24 bits; negative when one is no digit. */
static int32_t b64_group(const uint8_t *s)
{
	int a = b64_value[s[0]];
	int b = b64_value[s[1]];
	int c = b64_value[s[2]];
	int d = b64_value[s[3]];
	int32_t bits = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
	return (a | b | c | d) < 0 ? -1 : bits;
}

/* The group with padding at the end: one or two octets. */
static int b64_last(const uint8_t *s, size_t take, uint8_t *out)
{
	const uint8_t digits[4] = { s[0], s[1], take == 2 ? s[2] : 'A', 'A' };
	int32_t bits = b64_group(digits);
	/* What the padding hides must be zero, so that each value has one spelling. */
	if (bits < 0 || (bits & (take == 2 ? 0xff : 0xffff)) != 0) {
		return E_SYNTAX;
	}
	out[0] = (uint8_t)(bits >> 16);
	if (take == 2) {
		out[1] = (uint8_t)(bits >> 8);
	}
	return E_OK;
}

int text_from_base64(const char *s, size_t len, uint8_t *out, size_t room)
{
	if (len % 4 != 0) {
		return E_SYNTAX;
	}
	if (len == 0) {
		return 0;
	}
	size_t pad = s[len - 1] != '=' ? 0 : s[len - 2] != '=' ? 1 : 2;
	size_t total = len / 4 * 3 - pad;
	if (total > room) {
		return E_NOSPACE;
	}
	const uint8_t *in = (const uint8_t *)s;
	const uint8_t *end = in + len - (pad != 0 ? 4 : 0);
	for (; in < end; in += 4) {
		int32_t bits = b64_group(in);
		if (bits < 0) {
			return E_SYNTAX;
		}
		out[0] = (uint8_t)(bits >> 16);
		out[1] = (uint8_t)(bits >> 8);
		out[2] = (uint8_t)bits;
		out += 3;
	}
	if (pad != 0 && b64_last(in, 3 - pad, out) != E_OK) {
		return E_SYNTAX;
	}
	return (int)total;
}

void text_to_base64(const uint8_t *in, size_t len, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	while (len >= 3) {
		uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		out[0] = digits[bits >> 18];
		out[1] = digits[bits >> 12 & 63];
		out[2] = digits[bits >> 6 & 63];
		out[3] = digits[bits & 63];
		in += 3;
		out += 4;
		len -= 3;
	}
	if (len != 0) {
		uint32_t bits = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);
		out[0] = digits[bits >> 18];
		out[1] = digits[bits >> 12 & 63];
		out[2] = len == 2 ? digits[bits >> 6 & 63] : '=';
		out[3] = '=';
	}
}

int text_to_ipv4(const char *s, size_t len, uint8_t out[4])
{
	const char *end = s + len;
	for (unsigned i = 0; i < 4; i++) {
		const char *from = s;
		unsigned value = 0;
		while (s < end && text_is_digit(*s) && s - from < 3) {
			value = value * 10 + (unsigned)(*s++ - '0');
		}
		bool is_octal = *from == '0' && s - from > 1; /* to some readers: so to none */
		bool ends = i < 3 ? s < end && *s == '.' : s == end;
		if (s == from || value > 255 || is_octal || !ends) {
			return E_SYNTAX;
		}
		s++;
		out[i] = (uint8_t)value;
	}
	return E_OK;
}

int text_to_ipv6(const char *s, size_t len, uint8_t out[16])
{
	char text[INET6_ADDRSTRLEN];
	if (len >= sizeof(text)) {
		return E_SYNTAX;
	}
	memcpy(text, s, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, out) == 1 ? E_OK : E_SYNTAX;
}

/* Octets of the character at @s that may go to a terminal as it is; 0: none does. */
static size_t printable(const uint8_t *s, size_t left)
{
	size_t octets = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	bool is_control = s[0] < 0x20 || s[0] == 0x7f;
	bool is_lead = s[0] < 0x80 || (s[0] >= 0xc2 && s[0] <= 0xf4);
	if (is_control || !is_lead || octets > left) {
		return 0;
	}
	for (size_t i = 1; i < octets; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return s[0] == 0xc2 && s[1] < 0xa0 ? 0 : octets; /* U+0080..9F are controls too */
}

const char *text_quote(const char *text, size_t len, char out[TEXT_QUOTE_MAX])
{
	/* The longest step is an escape; then follow dots, the quote, the NUL. */
	enum { ROOM = TEXT_QUOTE_MAX - 4 - 5 };
	const uint8_t *s = (const uint8_t *)text;
	size_t n = 0;
	size_t i = 0;
	out[n++] = '"';
	while (i < len && n <= ROOM) {
		size_t octets = printable(s + i, len - i);
		if (octets == 0) {
			n += (size_t)snprintf(out + n, 5, "\\x%02x", s[i++]);
		} else {
			memcpy(out + n, s + i, octets);
			n += octets;
			i += octets;
		}
	}
	(void)snprintf(out + n, 5, "%s\"", i < len ? "..." : "");
	return out;
}

/* Edit distance with adjacent swaps, over words short enough for small rows. */
static size_t edit_distance(const char *a, const char *b)
{
	enum { MAX = 40 };
	size_t rows[3][MAX + 1];
	size_t an = strlen(a);
	size_t bn = strlen(b);
	if (an > MAX || bn > MAX) {
		return SIZE_MAX;
	}
	for (size_t k = 0; k <= bn; k++) {
		rows[0][k] = k;
	}
	for (size_t i = 1; i <= an; i++) {
		size_t *row = rows[i % 3];
		const size_t *up = rows[(i - 1) % 3];
		const size_t *up2 = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t k = 1; k <= bn; k++) {
			uint8_t x = text_lower[(uint8_t)a[i - 1]];
			uint8_t y = text_lower[(uint8_t)b[k - 1]];
			size_t best = up[k - 1] + (x != y);
			best = up[k] + 1 < best ? up[k] + 1 : best;
			best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
			if (i > 1 && k > 1 && x == text_lower[(uint8_t)b[k - 2]] &&
			    text_lower[(uint8_t)a[i - 2]] == y && up2[k - 2] + 1 < best) {
				best = up2[k - 2] + 1;
			}
			row[k] = best;
		}
	}
	return rows[an % 3][bn];
}

const char *text_did_you_mean(const char *word, const char *const *words)
{
	const char *best = NULL;
	size_t least = strlen(word) / 3 + 1; /* one slip for each three letters, and one */
	for (; *words != NULL; words++) {
		size_t d = edit_distance(word, *words);
		if (d <= least && (best == NULL || d < least)) {
			least = d;
			best = *words;
		}
	}
	return best;
}

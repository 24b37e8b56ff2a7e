/* zones/dns/rdata_kinds.c - each kind of rdata field: step over it, print it, read it. */
#include "zones/dns/rdata_kinds.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/dns/dname.h"

/* --- reading: tokens and messages ------------------------------------------------------------ */

/* "found X, expected Y", at the token at hand. */
static int refuse(struct text_in *in, int err, const char *expected)
{
	const struct token *t = &in->at;
	int len = (int)(t->len < 80 ? t->len : 80);
	switch (t->kind) {
	case TOKEN_ERROR:
		return err_set(in->em, E_SYNTAX, "%s", in->lx->em.text);
	case TOKEN_WORD:
		return err_set(in->em, err, "found \"%.*s\", expected %s", len, t->s, expected);
	default:
		return err_set(in->em, E_SYNTAX, "found the end of the record, expected %s",
			       expected);
	}
}

/* The next word of the record. */
static int next_word(struct text_in *in, const char *expected)
{
	lexer_next(in->lx, &in->at);
	return in->at.kind == TOKEN_WORD ? E_OK : refuse(in, E_SYNTAX, expected);
}

/* Are there more words? The one that tells is handed out again. */
static bool more_words(struct text_in *in)
{
	lexer_next(in->lx, &in->at);
	lexer_push(in->lx, &in->at);
	return in->at.kind == TOKEN_WORD;
}

static int number(struct text_in *in, uint32_t max, uint32_t *out)
{
	char expected[100];
	(void)snprintf(expected, sizeof(expected), "%s: a number from 0 to %u", in->field->name,
		       max);
	int err = next_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	err = text_to_u32(in->at.s, in->at.len, max, out);
	return err == E_OK ? E_OK : refuse(in, err, expected);
}

/* --- names ----------------------------------------------------------------------------------- */

static void name_skip(struct reader *r)
{
	(void)dname_read(r);
}

static void name_print(struct reader *r, struct buf *out)
{
	const uint8_t *name = dname_read(r);
	if (name != NULL) {
		dname_print(out, name);
	}
}

static int name_read(struct text_in *in)
{
	struct dname d;
	int err = next_word(in, "a domain name");
	if (err == E_OK) {
		err = dname_from_text(&d, in->at.s, in->at.len, in->origin, in->em);
	}
	if (err == E_OK) {
		writer_bytes(in->out, d.wire, d.len);
	}
	return err;
}

/* --- numbers --------------------------------------------------------------------------------- */

static void u8_skip(struct reader *r)
{
	(void)reader_u8(r);
}

static void u8_print(struct reader *r, struct buf *out)
{
	buf_u32(out, reader_u8(r));
}

static int u8_read(struct text_in *in)
{
	uint32_t value = 0;
	int err = number(in, UINT8_MAX, &value);
	writer_u8(in->out, (uint8_t)value);
	return err;
}

static void u16_skip(struct reader *r)
{
	(void)reader_u16(r);
}

static void u16_print(struct reader *r, struct buf *out)
{
	buf_u32(out, reader_u16(r));
}

static int u16_read(struct text_in *in)
{
	uint32_t value = 0;
	int err = number(in, UINT16_MAX, &value);
	writer_u16(in->out, (uint16_t)value);
	return err;
}

static void u32_skip(struct reader *r)
{
	(void)reader_u32(r);
}

static void u32_print(struct reader *r, struct buf *out)
{
	buf_u32(out, reader_u32(r));
}

static int u32_read(struct text_in *in)
{
	uint32_t value = 0;
	int err = number(in, UINT32_MAX, &value);
	writer_u32(in->out, value);
	return err;
}

/* Seconds, with units if one likes: 1h30m. */
static int period_read(struct text_in *in)
{
	int64_t value = 0;
	int err = next_word(in, "a time such as 3600 or 1h");
	if (err == E_OK && time_from_duration(in->at.s, in->at.len, UINT32_MAX, &value) != E_OK) {
		err = refuse(in, E_SYNTAX, "a time such as 3600 or 1h");
	}
	writer_u32(in->out, (uint32_t)value);
	return err;
}

/* The algorithm's number; its mnemonic is read too (RFC 4034 App. A.1). */
static int algorithm_read(struct text_in *in)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = { { "RSAMD5", 1 },
		      { "DH", 2 },
		      { "DSA", 3 },
		      { "RSASHA1", 5 },
		      { "DSA-NSEC3-SHA1", 6 },
		      { "NSEC3RSASHA1", 7 },
		      { "RSASHA256", 8 },
		      { "RSASHA512", 10 },
		      { "ECC-GOST", 12 },
		      { "ECDSAP256SHA256", 13 },
		      { "ECDSAP384SHA384", 14 },
		      { "ED25519", 15 },
		      { "ED448", 16 },
		      { "INDIRECT", 252 },
		      { "PRIVATEDNS", 253 },
		      { "PRIVATEOID", 254 } };
	static const char expected[] = "an algorithm: its number or mnemonic";
	uint32_t value = 0;
	int err = next_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	if (text_to_u32(in->at.s, in->at.len, UINT8_MAX, &value) == E_OK) {
		writer_u8(in->out, (uint8_t)value);
		return E_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (text_equal(in->at.s, in->at.len, names[i].name)) {
			writer_u8(in->out, names[i].number);
			return E_OK;
		}
	}
	return refuse(in, E_SYNTAX, expected);
}

static void time_print(struct reader *r, struct buf *out)
{
	char text[TIME_TEXT14_LEN + 1];
	/* The 32 bits as seconds since 1970; the century after 2106 is for who lives then. */
	time_to_text14(reader_u32(r), text);
	buf_add(out, text, TIME_TEXT14_LEN);
}

static int time_read(struct text_in *in)
{
	static const char expected[] = "a time: YYYYMMDDHHmmSS or seconds since 1970";
	int64_t t = 0;
	uint32_t value = 0;
	int err = next_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	if (in->at.len == TIME_TEXT14_LEN) {
		err = time_from_text14(in->at.s, in->at.len, &t);
		value = (uint32_t)t;
	} else {
		err = text_to_u32(in->at.s, in->at.len, UINT32_MAX, &value);
	}
	writer_u32(in->out, value);
	return err == E_OK ? E_OK : refuse(in, err, expected);
}

/* --- addresses ------------------------------------------------------------------------------- */

static void ipv4_print(struct reader *r, struct buf *out)
{
	const uint8_t *p = reader_bytes(r, 4);
	for (unsigned i = 0; p != NULL && i < 4; i++) {
		if (i != 0) {
			buf_char(out, '.');
		}
		buf_u32(out, p[i]);
	}
}

static int ipv4_read(struct text_in *in)
{
	int err = next_word(in, "an IPv4 address");
	if (err != E_OK) {
		return err;
	}
	const char *s = in->at.s;
	const char *end = s + in->at.len;
	for (unsigned i = 0; i < 4; i++) {
		const char *from = s;
		unsigned value = 0;
		while (s < end && text_is_digit(*s) && s - from < 3) {
			value = value * 10 + (unsigned)(*s++ - '0');
		}
		bool ends = i < 3 ? s < end && *s == '.' : s == end;
		if (s == from || value > 255 || !ends) {
			return refuse(in, E_SYNTAX, "an IPv4 address");
		}
		s++;
		writer_u8(in->out, (uint8_t)value);
	}
	return E_OK;
}

static void ipv6_skip(struct reader *r)
{
	(void)reader_bytes(r, 16);
}

static void ipv6_print(struct reader *r, struct buf *out)
{
	const uint8_t *p = reader_bytes(r, 16);
	char text[INET6_ADDRSTRLEN];
	if (p != NULL && inet_ntop(AF_INET6, p, text, sizeof(text)) != NULL) {
		buf_str(out, text);
	}
}

static int ipv6_read(struct text_in *in)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t address[16];
	int err = next_word(in, "an IPv6 address");
	if (err != E_OK) {
		return err;
	}
	if (in->at.len >= sizeof(text)) {
		return refuse(in, E_SYNTAX, "an IPv6 address");
	}
	memcpy(text, in->at.s, in->at.len);
	text[in->at.len] = '\0';
	if (inet_pton(AF_INET6, text, address) != 1) {
		return refuse(in, E_SYNTAX, "an IPv6 address");
	}
	writer_bytes(in->out, address, sizeof(address));
	return E_OK;
}

/* --- character strings ----------------------------------------------------------------------- */

static void string_skip(struct reader *r)
{
	(void)reader_bytes(r, reader_u8(r));
}

/* Octets between quotes, with what needs it escaped. */
static void print_quoted(const uint8_t *p, size_t len, struct buf *out)
{
	char *to = buf_reserve(out, 4 * len + 2);
	char *start = to;
	*to++ = '"';
	for (size_t i = 0; i < len; i++) {
		uint8_t c = p[i];
		if (c == '"' || c == '\\') {
			*to++ = '\\';
			*to++ = (char)c;
		} else if (c >= 0x20 && c < 0x7f) {
			*to++ = (char)c;
		} else {
			*to++ = '\\';
			*to++ = (char)('0' + c / 100);
			*to++ = (char)('0' + c / 10 % 10);
			*to++ = (char)('0' + c % 10);
		}
	}
	*to++ = '"';
	buf_grew(out, (size_t)(to - start));
}

static void string_print(struct reader *r, struct buf *out)
{
	size_t len = reader_u8(r);
	const uint8_t *p = reader_bytes(r, len);
	if (p != NULL) {
		print_quoted(p, len, out);
	}
}

static int string_read(struct text_in *in)
{
	uint8_t octets[255];
	int err = next_word(in, "a character string");
	if (err != E_OK) {
		return err;
	}
	int n = lexer_unescape(&in->at, octets, sizeof(octets));
	if (n == E_NOSPACE) {
		return err_set(
			in->em, E_RANGE,
			"found a character string of more than 255 octets, expected shorter ones");
	}
	if (n < 0) {
		return refuse(in, n, "escapes of the form \\X or \\DDD up to \\255");
	}
	writer_u8(in->out, (uint8_t)n);
	writer_bytes(in->out, octets, (size_t)n);
	return E_OK;
}

static void strings_skip(struct reader *r)
{
	do {
		string_skip(r);
	} while (reader_left(r) != 0);
}

static void strings_print(struct reader *r, struct buf *out)
{
	string_print(r, out);
	while (reader_left(r) != 0) {
		buf_char(out, ' ');
		string_print(r, out);
	}
}

static int strings_read(struct text_in *in)
{
	int err;
	do {
		err = string_read(in);
	} while (err == E_OK && more_words(in));
	return err;
}

/* The rest of the rdata as one string without a length (RFC 8659 §4.1.1, RFC 7553 §4.4). */
static void text_print(struct reader *r, struct buf *out)
{
	size_t len = reader_left(r);
	const uint8_t *p = reader_bytes(r, len);
	if (p != NULL) {
		print_quoted(p, len, out);
	}
}

static int text_read(struct text_in *in)
{
	int err = next_word(in, "a quoted text");
	if (err != E_OK) {
		return err;
	}
	int n = lexer_unescape(&in->at, in->out->pos, writer_left(in->out));
	if (n < 0) {
		return refuse(in, n, "a text with escapes of the form \\X or \\DDD up to \\255");
	}
	in->out->pos += n;
	return E_OK;
}

/* The property of a CAA record: letters and digits with a length before (RFC 8659 §4.1). */
static bool is_tag(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = text_lower[p[i]];
		if (!text_is_digit((char)c) && (c < 'a' || c > 'z')) {
			return false;
		}
	}
	return len != 0;
}

static void tag_skip(struct reader *r)
{
	size_t len = reader_u8(r);
	const uint8_t *p = reader_bytes(r, len);
	if (p != NULL && !is_tag(p, len)) {
		reader_fail(r, E_INVAL);
	}
}

static void tag_print(struct reader *r, struct buf *out)
{
	size_t len = reader_u8(r);
	const uint8_t *p = reader_bytes(r, len);
	if (p != NULL) {
		buf_add(out, p, len);
	}
}

static int tag_read(struct text_in *in)
{
	static const char expected[] = "a tag: letters and digits, as in issue or iodef";
	int err = next_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	if (in->at.len > UINT8_MAX || !is_tag((const uint8_t *)in->at.s, in->at.len)) {
		return refuse(in, E_SYNTAX, expected);
	}
	writer_u8(in->out, (uint8_t)in->at.len);
	writer_bytes(in->out, in->at.s, in->at.len);
	return E_OK;
}

/* --- octets ---------------------------------------------------------------------------------- */

/* At least one octet: nothing could not be written as text. */
static void rest_skip(struct reader *r)
{
	size_t len = reader_left(r);
	(void)reader_bytes(r, len != 0 ? len : 1);
}

static void text_skip(struct reader *r)
{
	(void)reader_bytes(r, reader_left(r));
}

static void hex_print(struct reader *r, struct buf *out)
{
	size_t len = reader_left(r);
	const uint8_t *p = reader_bytes(r, len);
	if (p != NULL) {
		text_to_hex(p, len, buf_reserve(out, 2 * len));
		buf_grew(out, 2 * len);
	}
}

/* All remaining words together are one string of digits: white space may stand anywhere in it. */
static int rest_of_digits(struct text_in *in, const char *expected, struct buf *digits)
{
	int err = next_word(in, expected);
	while (err == E_OK) {
		if (digits->len + in->at.len > 2 * RDATA_MAX) {
			return refuse(in, E_LIMIT, "at most 65535 octets");
		}
		buf_add(digits, in->at.s, in->at.len);
		if (!more_words(in)) {
			break;
		}
		err = next_word(in, expected);
	}
	return err;
}

typedef int decode_fn(const char *s, size_t len, uint8_t *out, size_t room);

static int digits_read(struct text_in *in, const char *expected, decode_fn *decode)
{
	struct buf digits = { 0 };
	int err = next_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	const char *s = in->at.s;
	size_t len = in->at.len;
	struct token first = in->at;
	if (more_words(in)) { /* rare: gather them */
		buf_add(&digits, s, len);
		err = rest_of_digits(in, expected, &digits);
		s = digits.data;
		len = digits.len;
	}
	if (err == E_OK) {
		int n = decode(s, len, in->out->pos, writer_left(in->out));
		if (n >= 0) {
			in->out->pos += n;
		} else {
			in->at = first;
			err = refuse(in, n == E_NOSPACE ? E_LIMIT : n, expected);
		}
	}
	buf_clear(&digits);
	return err;
}

static int hex_read(struct text_in *in)
{
	return digits_read(in, "hexadecimal digits, two for each octet", text_from_hex);
}

static void base64_print(struct reader *r, struct buf *out)
{
	size_t len = reader_left(r);
	const uint8_t *p = reader_bytes(r, len);
	if (p != NULL) {
		text_to_base64(p, len, buf_reserve(out, TEXT_BASE64_LEN(len)));
		buf_grew(out, TEXT_BASE64_LEN(len));
	}
}

static int base64_read(struct text_in *in)
{
	return digits_read(in, "base64 digits", text_from_base64);
}

/* NSEC3 salt: a length octet, hex digits or "-" (RFC 5155 §3.3). */
static void salt_print(struct reader *r, struct buf *out)
{
	size_t len = reader_u8(r);
	const uint8_t *p = reader_bytes(r, len);
	if (p != NULL && len != 0) {
		text_to_hex(p, len, buf_reserve(out, 2 * len));
		buf_grew(out, 2 * len);
	} else {
		buf_char(out, '-');
	}
}

static int salt_read(struct text_in *in)
{
	static const char expected[] = "a salt: hexadecimal digits, at most 255 octets, or -";
	uint8_t salt[255];
	int err = next_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	int n = 0;
	if (in->at.len != 1 || in->at.s[0] != '-') {
		n = text_from_hex(in->at.s, in->at.len, salt, sizeof(salt));
	}
	if (n < 0) {
		return refuse(in, n, expected);
	}
	writer_u8(in->out, (uint8_t)n);
	writer_bytes(in->out, salt, (size_t)n);
	return E_OK;
}

/* The next hashed owner: a length octet, base32hex. */
static void hash_skip(struct reader *r)
{
	uint8_t len = reader_u8(r);
	if (len == 0) {
		reader_fail(r, E_INVAL);
	}
	(void)reader_bytes(r, len);
}

static void hash_print(struct reader *r, struct buf *out)
{
	size_t len = reader_u8(r);
	const uint8_t *p = reader_bytes(r, len);
	if (p != NULL) {
		text_to_base32hex(p, len, buf_reserve(out, TEXT_BASE32HEX_LEN(len)));
		buf_grew(out, TEXT_BASE32HEX_LEN(len));
	}
}

static int hash_read(struct text_in *in)
{
	uint8_t hash[255];
	int err = next_word(in, "base32hex digits");
	if (err != E_OK) {
		return err;
	}
	int n = text_from_base32hex(in->at.s, in->at.len, hash, sizeof(hash));
	if (n <= 0) {
		return refuse(in, E_SYNTAX, "base32hex digits");
	}
	writer_u8(in->out, (uint8_t)n);
	writer_bytes(in->out, hash, (size_t)n);
	return E_OK;
}

/* --- types ----------------------------------------------------------------------------------- */

static void type_print(struct reader *r, struct buf *out)
{
	char text[RRTYPE_TEXT_MAX];
	buf_str(out, rrtype_to_text(reader_u16(r), text));
}

static int type_of_word(struct text_in *in, uint16_t *type)
{
	int err = rrtype_from_text(in->at.s, in->at.len, type);
	return err == E_OK ? E_OK : refuse(in, err, "a record type");
}

static int type_read(struct text_in *in)
{
	uint16_t type = 0;
	int err = next_word(in, "a record type");
	if (err == E_OK) {
		err = type_of_word(in, &type);
	}
	writer_u16(in->out, type);
	return err;
}

static void types_skip(struct reader *r)
{
	size_t len = reader_left(r);
	const uint8_t *p = reader_bytes(r, len);
	int err = p != NULL ? typemap_check(p, len) : E_OK;
	if (err != E_OK) {
		reader_fail(r, err);
	}
}

static void types_print(struct reader *r, struct buf *out)
{
	bool first = true;
	while (reader_left(r) != 0) {
		unsigned window = reader_u8(r);
		size_t len = reader_u8(r);
		const uint8_t *bits = reader_bytes(r, len);
		for (unsigned i = 0; bits != NULL && i < 8 * len; i++) {
			if ((bits[i / 8] & 0x80 >> i % 8) != 0) {
				char text[RRTYPE_TEXT_MAX];
				if (!first) {
					buf_char(out, ' ');
				}
				first = false;
				buf_str(out, rrtype_to_text((uint16_t)(window << 8 | i), text));
			}
		}
	}
}

static int types_read(struct text_in *in)
{
	struct typemap map;
	typemap_init(&map);
	while (more_words(in)) {
		uint16_t type = 0;
		int err = next_word(in, "a record type");
		if (err == E_OK) {
			err = type_of_word(in, &type);
		}
		if (err != E_OK) {
			return err;
		}
		typemap_add(&map, type);
	}
	typemap_write(&map, in->out);
	return E_OK;
}

const struct field_ops field_ops[] = {
	[FIELD_NAME] = { name_skip, name_print, name_read },
	[FIELD_U8] = { u8_skip, u8_print, u8_read },
	[FIELD_U16] = { u16_skip, u16_print, u16_read },
	[FIELD_U32] = { u32_skip, u32_print, u32_read },
	[FIELD_PERIOD] = { u32_skip, u32_print, period_read },
	[FIELD_IPV4] = { u32_skip, ipv4_print, ipv4_read },
	[FIELD_IPV6] = { ipv6_skip, ipv6_print, ipv6_read },
	[FIELD_STRING] = { string_skip, string_print, string_read },
	[FIELD_STRINGS] = { strings_skip, strings_print, strings_read },
	[FIELD_ALGORITHM] = { u8_skip, u8_print, algorithm_read },
	[FIELD_HEX] = { rest_skip, hex_print, hex_read },
	[FIELD_BASE64] = { rest_skip, base64_print, base64_read },
	[FIELD_SALT] = { string_skip, salt_print, salt_read },
	[FIELD_HASH] = { hash_skip, hash_print, hash_read },
	[FIELD_TYPE] = { u16_skip, type_print, type_read },
	[FIELD_TYPES] = { types_skip, types_print, types_read },
	[FIELD_TIME] = { u32_skip, time_print, time_read },
	[FIELD_TEXT] = { text_skip, text_print, text_read },
	[FIELD_TAG] = { tag_skip, tag_print, tag_read },
};

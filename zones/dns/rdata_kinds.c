/* zones/dns/rdata_kinds.c - each kind of rdata field: step over it, print it, read it. */
#include "zones/dns/rdata_kinds.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/dns/algorithm_names.h"
#include "zones/dns/dname.h"

/* --- reading: tokens and messages ------------------------------------------------------------ */

int field_refuse(struct text_in *in, int err, const char *expected)
{
	const struct token *t = &in->at;
	char quoted[TEXT_QUOTE_MAX];
	switch (t->kind) {
	case TOKEN_ERROR:
		return err_set(in->em, E_SYNTAX, "%s", in->lx->em.text);
	case TOKEN_WORD:
		return err_set(in->em, err, "found %s, expected %s",
			       text_quote(t->s, t->len, quoted), expected);
	default:
		return err_set(in->em, E_SYNTAX, "found the end of the record, expected %s",
			       expected);
	}
}

/* The same where a type has several fields of that kind: the name of the field in front. */
static int refuse_named(struct text_in *in, int err, const char *expected)
{
	char text[150];
	(void)snprintf(text, sizeof(text), "%s: %s", in->field->name, expected);
	for (char *c = strchr(text, '_'); c != NULL; c = strchr(c, '_')) {
		*c = ' ';
	}
	return field_refuse(in, err, text);
}

static int named_word(struct text_in *in, const char *expected)
{
	lexer_next(in->lx, &in->at);
	return in->at.kind == TOKEN_WORD ? E_OK : refuse_named(in, E_SYNTAX, expected);
}

int field_word(struct text_in *in, const char *expected)
{
	lexer_next(in->lx, &in->at);
	return in->at.kind == TOKEN_WORD ? E_OK : field_refuse(in, E_SYNTAX, expected);
}

bool field_more(struct text_in *in)
{
	lexer_next(in->lx, &in->at);
	lexer_push(in->lx, &in->at);
	return in->at.kind == TOKEN_WORD;
}

int field_number(struct text_in *in, uint32_t max, uint32_t *out)
{
	char expected[100];
	lexer_next(in->lx, &in->at);
	int err = E_SYNTAX;
	if (in->at.kind == TOKEN_WORD) {
		err = text_to_u32(in->at.s, in->at.len, max, out);
	}
	if (err == E_OK) {
		return E_OK;
	}
	(void)snprintf(expected, sizeof(expected), "a number from 0 to %u", max);
	return refuse_named(in, err, expected);
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
	int err = named_word(in, "a domain name");
	if (err == E_OK) {
		err = dname_from_text(&d, in->at.s, in->at.len, in->origin, in->em);
	}
	if (err == E_OK) {
		writer_bytes(in->out, d.wire, d.len);
	}
	return err;
}

/* Any number of names, none too (the rendezvous servers of HIP, RFC 8005 §5). */
static void names_skip(struct reader *r)
{
	while (reader_left(r) != 0) {
		name_skip(r);
	}
}

static void names_print(struct reader *r, struct buf *out)
{
	for (bool first = true; reader_left(r) != 0; first = false) {
		if (!first) {
			buf_char(out, ' ');
		}
		name_print(r, out);
	}
}

static int names_read(struct text_in *in)
{
	int err = E_OK;
	while (err == E_OK && field_more(in)) {
		err = name_read(in);
	}
	return err;
}

static void maybe_name_skip(struct reader *r)
{
	if (reader_left(r) != 0) {
		name_skip(r);
	}
}

static void maybe_name_print(struct reader *r, struct buf *out)
{
	if (reader_left(r) != 0) {
		name_print(r, out);
	}
}

static int maybe_name_read(struct text_in *in)
{
	return field_more(in) ? name_read(in) : E_OK;
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
	int err = field_number(in, UINT8_MAX, &value);
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
	int err = field_number(in, UINT16_MAX, &value);
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
	int err = field_number(in, UINT32_MAX, &value);
	writer_u32(in->out, value);
	return err;
}

/* Seconds, with units if one likes: 1h30m. */
static int period_read(struct text_in *in)
{
	static const char expected[] = "a time such as 3600 or 1h, at most 4294967295";
	int64_t value = 0;
	int err = named_word(in, expected);
	if (err == E_OK && time_from_duration(in->at.s, in->at.len, UINT32_MAX, &value) != E_OK) {
		err = refuse_named(in, E_SYNTAX, expected);
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
	} names[] = {
#define X(n) { ALGORITHM_NAME_##n, (n) },
		ALGORITHM_NAMES(X)
#undef X
	};
	static const char expected[] = "an algorithm: its number or mnemonic";
	uint32_t value = 0;
	int err = field_word(in, expected);
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
	return field_refuse(in, E_SYNTAX, expected);
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
	static const char expected[] = "YYYYMMDDHHmmSS or seconds since 1970";
	int64_t t = 0;
	uint32_t value = 0;
	int err = named_word(in, expected);
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
	return err == E_OK ? E_OK : refuse_named(in, err, expected);
}

/* 64 bits as one number, or as two with a point between. */
static void u64_skip(struct reader *r)
{
	(void)reader_bytes(r, 8);
}

static void u64_print(struct reader *r, struct buf *out)
{
	uint64_t high = reader_u32(r);
	buf_printf(out, "%" PRIu64, high << 32 | reader_u32(r));
}

static int u64_read(struct text_in *in)
{
	static const char expected[] = "a number of 64 bits, or two of 32 with a point between";
	uint64_t value = 0;
	uint32_t low = 0;
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	const char *point = memchr(in->at.s, '.', in->at.len);
	if (point == NULL) {
		err = text_to_u64(in->at.s, in->at.len, UINT64_MAX, &value);
	} else {
		size_t n = (size_t)(point - in->at.s);
		err = text_to_u64(in->at.s, n, UINT32_MAX, &value);
		if (err == E_OK) {
			err = text_to_u32(point + 1, in->at.len - n - 1, UINT32_MAX, &low);
		}
		value = value << 32 | low;
	}
	writer_u32(in->out, (uint32_t)(value >> 32));
	writer_u32(in->out, (uint32_t)value);
	return err == E_OK ? E_OK : field_refuse(in, err, expected);
}

/* Octets as groups of hexadecimal digits: 00-00-5e-00-53-2a, or 0014:4fff:ff20:ee64. */
struct groups {
	unsigned octets;
	unsigned each; /* octets of a group */
	char between;
	const char *expected;
};

static const struct groups eui48 = { 6, 1, '-',
				     "six pairs of hexadecimal digits: 00-00-5e-00-53-2a" };
static const struct groups eui64 = { 8, 1, '-',
				     "eight pairs of hexadecimal digits: 00-00-5e-ef-10-00-00-2a" };
static const struct groups node64 = { 8, 2, ':',
				      "four groups of hexadecimal digits: 14:4fff:ff20:ee64" };

static void groups_print(struct reader *r, struct buf *out, const struct groups *g)
{
	const uint8_t *p = reader_bytes(r, g->octets);
	for (unsigned i = 0; p != NULL && i < g->octets; i++) {
		if (i != 0 && i % g->each == 0) {
			buf_char(out, g->between);
		}
		buf_printf(out, "%02x", p[i]);
	}
}

/* The value of the hexadecimal digits from @s up to @end or another octet; counts them. */
static uint32_t hex_group(const char *s, const char *end, unsigned max, unsigned *digits)
{
	uint32_t value = 0;
	for (*digits = 0; s < end && *digits <= max; s++, ++*digits) {
		char c = (char)text_lower[(uint8_t)*s];
		if (text_is_digit(c)) {
			value = value << 4 | (uint32_t)(c - '0');
		} else if (c >= 'a' && c <= 'f') {
			value = value << 4 | (uint32_t)(c - 'a' + 10);
		} else {
			break;
		}
	}
	return value;
}

static int groups_read(struct text_in *in, const struct groups *g)
{
	int err = field_word(in, g->expected);
	if (err != E_OK) {
		return err;
	}
	const char *s = in->at.s;
	const char *end = s + in->at.len;
	for (unsigned i = 0; i < g->octets; i += g->each) {
		unsigned digits = 0;
		uint32_t value = hex_group(s, end, 2 * g->each, &digits);
		bool is_last = i + g->each == g->octets;
		bool ends = s + digits == end ? is_last : !is_last && s[digits] == g->between;
		/* Leading zeros of a group may be left out where it is a number (RFC 6742 §2.1.1). */
		if (digits == 0 || digits > 2 * g->each || (g->each == 1 && digits != 2) || !ends) {
			return field_refuse(in, E_SYNTAX, g->expected);
		}
		if (g->each == 2) {
			writer_u16(in->out, (uint16_t)value);
		} else {
			writer_u8(in->out, (uint8_t)value);
		}
		s += digits + 1;
	}
	return E_OK;
}

static void eui48_skip(struct reader *r)
{
	(void)reader_bytes(r, eui48.octets);
}

static void eui48_print(struct reader *r, struct buf *out)
{
	groups_print(r, out, &eui48);
}

static int eui48_read(struct text_in *in)
{
	return groups_read(in, &eui48);
}

static void eui64_print(struct reader *r, struct buf *out)
{
	groups_print(r, out, &eui64);
}

static int eui64_read(struct text_in *in)
{
	return groups_read(in, &eui64);
}

static void node64_print(struct reader *r, struct buf *out)
{
	groups_print(r, out, &node64);
}

static int node64_read(struct text_in *in)
{
	return groups_read(in, &node64);
}

/* The type of a certificate: its number; a mnemonic is read too (RFC 4398 §2.1). */
static int certificate_read(struct text_in *in)
{
	static const struct {
		const char *name;
		uint16_t number;
	} names[] = { { "PKIX", 1 },  { "SPKI", 2 }, { "PGP", 3 },    { "IPKIX", 4 },
		      { "ISPKI", 5 }, { "IPGP", 6 }, { "ACPKIX", 7 }, { "IACPKIX", 8 },
		      { "URI", 253 }, { "OID", 254 } };
	static const char expected[] = "a type of certificate: its number or mnemonic";
	uint32_t value = 0;
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	bool found = text_to_u32(in->at.s, in->at.len, UINT16_MAX, &value) == E_OK;
	for (size_t i = 0; !found && i < ARRAY_LEN(names); i++) {
		found = text_equal(in->at.s, in->at.len, names[i].name);
		value = names[i].number;
	}
	writer_u16(in->out, (uint16_t)value);
	return found ? E_OK : field_refuse(in, E_SYNTAX, expected);
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

/* An address of @len octets by @parse. */
static int address_read(struct text_in *in, int (*parse)(const char *, size_t, uint8_t *),
			size_t len, const char *expected)
{
	uint8_t address[16];
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	if (parse(in->at.s, in->at.len, address) != E_OK) {
		return field_refuse(in, E_SYNTAX, expected);
	}
	writer_bytes(in->out, address, len);
	return E_OK;
}

static int ipv4_read(struct text_in *in)
{
	return address_read(in, text_to_ipv4, 4, "an IPv4 address");
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
	return address_read(in, text_to_ipv6, 16, "an IPv6 address");
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
	int err = named_word(in, "a character string");
	if (err != E_OK) {
		return err;
	}
	int n = lexer_unescape(&in->at, octets, sizeof(octets));
	if (n == E_NOSPACE) {
		return err_set(
			in->em, E_RANGE,
			"found a character string of more than 255 octets, expected several shorter "
			"ones");
	}
	if (n < 0) {
		return field_refuse(in, n, "escapes of the form \\X or \\DDD up to \\255");
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
	} while (err == E_OK && field_more(in));
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
	int err = field_word(in, "a quoted text");
	if (err != E_OK) {
		return err;
	}
	int n = lexer_unescape(&in->at, in->out->pos, writer_left(in->out));
	if (n < 0) {
		return field_refuse(in, n,
				    "a text with escapes of the form \\X or \\DDD up to \\255");
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
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	if (in->at.len > UINT8_MAX || !is_tag((const uint8_t *)in->at.s, in->at.len)) {
		return field_refuse(in, E_SYNTAX, expected);
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

static void octets_skip(struct reader *r)
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
	int err = field_word(in, expected);
	while (err == E_OK) {
		if (digits->len + in->at.len > 2 * RDATA_MAX) {
			return field_refuse(in, E_LIMIT, "at most 65535 octets");
		}
		buf_add(digits, in->at.s, in->at.len);
		if (!field_more(in)) {
			break;
		}
		err = field_word(in, expected);
	}
	return err;
}

typedef int decode_fn(const char *s, size_t len, uint8_t *out, size_t room);

/* The digits from in->at on are wrong; several words may be. */
static int refuse_digits(struct text_in *in, int err, const char *expected, bool several)
{
	char quoted[TEXT_QUOTE_MAX];
	if (!several) {
		return field_refuse(in, err, expected);
	}
	return err_set(in->em, err, "found %s and the words behind it, expected %s",
		       text_quote(in->at.s, in->at.len, quoted), expected);
}

static int digits_read(struct text_in *in, const char *expected, decode_fn *decode)
{
	struct buf digits = { 0 };
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	const char *s = in->at.s;
	size_t len = in->at.len;
	struct token first = in->at;
	if (field_more(in)) { /* rare: gather them */
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
			err = refuse_digits(in, n == E_NOSPACE ? E_LIMIT : n, expected,
					    digits.len != 0);
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
	return digits_read(in, "base64 digits in groups of four, the last one filled up with =",
			   text_from_base64);
}

/* Nothing is written as nothing: keys that are not there (RFC 2535 §3.1.2, RFC 4025 §2.6). */
static int maybe_base64_read(struct text_in *in)
{
	return field_more(in) ? base64_read(in) : E_OK;
}

/* Nothing is written as "-". */
static void dash_base64_print(struct reader *r, struct buf *out)
{
	if (reader_left(r) != 0) {
		base64_print(r, out);
	} else {
		buf_char(out, '-');
	}
}

static int dash_base64_read(struct text_in *in)
{
	static const char expected[] = "base64 digits, or -";
	int err = field_word(in, expected);
	if (err == E_OK && (in->at.len != 1 || in->at.s[0] != '-')) {
		lexer_push(in->lx, &in->at);
		err = digits_read(in, expected, text_from_base64);
	}
	return err;
}

/* Octets that have no text but \# (NULL, RFC 1035 §3.3.10). */
static void opaque_print(struct reader *r, struct buf *out)
{
	(void)out;
	reader_fail(r, E_UNSUPPORTED);
}

static int opaque_read(struct text_in *in)
{
	static const char expected[] = "\\# and hex: this type has no text of its own";
	int err = field_word(in, expected);
	return err == E_OK ? field_refuse(in, E_SYNTAX, expected) : err;
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
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	int n = 0;
	if (in->at.len != 1 || in->at.s[0] != '-') {
		n = text_from_hex(in->at.s, in->at.len, salt, sizeof(salt));
	}
	if (n < 0) {
		return field_refuse(in, n, expected);
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
	int err = field_word(in, "base32hex digits");
	if (err != E_OK) {
		return err;
	}
	int n = text_from_base32hex(in->at.s, in->at.len, hash, sizeof(hash));
	if (n <= 0) {
		return field_refuse(in, E_SYNTAX, "base32hex digits");
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
	return err == E_OK ? E_OK : field_refuse(in, err, "a record type");
}

static int type_read(struct text_in *in)
{
	uint16_t type = 0;
	int err = field_word(in, "a record type");
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
	while (field_more(in)) {
		uint16_t type = 0;
		int err = field_word(in, "a record type");
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
	[FIELD_NAME] = { name_skip, name_print, name_read, false },
	[FIELD_U8] = { u8_skip, u8_print, u8_read, false },
	[FIELD_U16] = { u16_skip, u16_print, u16_read, false },
	[FIELD_U32] = { u32_skip, u32_print, u32_read, false },
	[FIELD_PERIOD] = { u32_skip, u32_print, period_read, false },
	[FIELD_IPV4] = { u32_skip, ipv4_print, ipv4_read, false },
	[FIELD_IPV6] = { ipv6_skip, ipv6_print, ipv6_read, false },
	[FIELD_STRING] = { string_skip, string_print, string_read, false },
	[FIELD_STRINGS] = { strings_skip, strings_print, strings_read, false },
	[FIELD_ALGORITHM] = { u8_skip, u8_print, algorithm_read, false },
	[FIELD_HEX] = { rest_skip, hex_print, hex_read, false },
	[FIELD_BASE64] = { rest_skip, base64_print, base64_read, false },
	[FIELD_SALT] = { string_skip, salt_print, salt_read, false },
	[FIELD_HASH] = { hash_skip, hash_print, hash_read, false },
	[FIELD_TYPE] = { u16_skip, type_print, type_read, false },
	[FIELD_TYPES] = { types_skip, types_print, types_read, true },
	[FIELD_TIME] = { u32_skip, time_print, time_read, false },
	[FIELD_TEXT] = { octets_skip, text_print, text_read, false },
	[FIELD_TAG] = { tag_skip, tag_print, tag_read, false },
	[FIELD_NAMES] = { names_skip, names_print, names_read, true },
	[FIELD_MAYBE_NAME] = { maybe_name_skip, maybe_name_print, maybe_name_read, true },
	[FIELD_U64] = { u64_skip, u64_print, u64_read, false },
	[FIELD_NODE64] = { u64_skip, node64_print, node64_read, false },
	[FIELD_EUI48] = { eui48_skip, eui48_print, eui48_read, false },
	[FIELD_EUI64] = { u64_skip, eui64_print, eui64_read, false },
	[FIELD_CERTIFICATE] = { u16_skip, u16_print, certificate_read, false },
	[FIELD_MAYBE_BASE64] = { octets_skip, base64_print, maybe_base64_read, true },
	[FIELD_DASH_BASE64] = { octets_skip, dash_base64_print, dash_base64_read, false },
	[FIELD_OPAQUE] = { octets_skip, opaque_print, opaque_read, false },
	[FIELD_GATEWAY] = { gateway_skip, gateway_print, gateway_read, false },
	[FIELD_RELAY] = { relay_skip, relay_print, relay_read, false },
	[FIELD_HOST] = { host_skip, host_print, host_read, false },
	[FIELD_SVCPARAMS] = { svcparams_skip, svcparams_print, svcparams_read, true },
	[FIELD_LOCATION] = { location_skip, location_print, location_read, false },
	[FIELD_PREFIXES] = { prefixes_skip, prefixes_print, prefixes_read, true },
	[FIELD_SERVICES] = { services_skip, services_print, services_read, false },
	[FIELD_NSAP_ADDRESS] = { nsap_skip, nsap_print, nsap_read, false },
	[FIELD_ATM_ADDRESS] = { atm_skip, atm_print, atm_read, false },
	[FIELD_SUFFIX] = { suffix_skip, suffix_print, suffix_read, false },
	[FIELD_OLD_TYPES] = { old_types_skip, old_types_print, old_types_read, true },
};

/* zones/dns/rdata_rare.c - kinds of rdata fields from the attic: APL, WKS, NSAP, ATMA, A6, NXT. */
#include <string.h>

#include "zones/base/text.h"
#include "zones/dns/rdata_kinds.h"

/* --- APL: address prefixes (RFC 3123) -------------------------------------------------------- */

enum { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2, PREFIX_NEGATED = 0x80 };

void prefixes_skip(struct reader *r)
{
	while (reader_left(r) != 0) {
		(void)reader_bytes(r, 3);
		(void)reader_bytes(r, reader_u8(r) & 0x7fU);
	}
}

static void print_prefix(struct reader *r, struct buf *out)
{
	uint16_t family = reader_u16(r);
	uint8_t bits = reader_u8(r);
	uint8_t len = reader_u8(r);
	bool negated = (len & PREFIX_NEGATED) != 0;
	len &= 0x7f;
	const uint8_t *p = reader_bytes(r, len);
	size_t octets = family == FAMILY_IPV4 ? 4 : 16;
	uint8_t address[16] = { 0 };
	struct reader a = reader_of(address, octets);
	/* Text has no other families, and no zeros at the end of the part (§4). */
	if (p == NULL || (family != FAMILY_IPV4 && family != FAMILY_IPV6) || len > octets ||
	    bits > 8 * octets || (len != 0 && p[len - 1] == 0)) {
		reader_fail(r, E_UNSUPPORTED);
		return;
	}
	memcpy(address, p, len);
	buf_printf(out, "%s%u:", negated ? "!" : "", family);
	field_ops[family == FAMILY_IPV4 ? FIELD_IPV4 : FIELD_IPV6].print(&a, out);
	buf_printf(out, "/%u", bits);
}

void prefixes_print(struct reader *r, struct buf *out)
{
	for (bool first = true; reader_left(r) != 0; first = false) {
		if (!first) {
			buf_char(out, ' ');
		}
		print_prefix(r, out);
	}
}

/* [!]family:address/bits */
static int read_prefix(struct text_in *in)
{
	static const char expected[] =
		"an address prefix such as 1:192.0.2.0/24 or !2:2001:db8::/32";
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	const char *s = in->at.s;
	const char *end = s + in->at.len;
	uint8_t address[16];
	uint32_t bits = 0;
	bool negated = s < end && *s == '!';
	s += negated ? 1 : 0;
	const char *slash = memchr(s, '/', (size_t)(end - s));
	if (slash == NULL || slash - s < 2 || s[1] != ':' || (*s != '1' && *s != '2')) {
		return field_refuse(in, E_SYNTAX, expected);
	}
	bool v4 = *s == '1';
	size_t len = (size_t)(slash - s - 2);
	err = v4 ? text_to_ipv4(s + 2, len, address) : text_to_ipv6(s + 2, len, address);
	if (err == E_OK) {
		err = text_to_u32(slash + 1, (size_t)(end - slash - 1), v4 ? 32 : 128, &bits);
	}
	if (err != E_OK) {
		return field_refuse(in, err, expected);
	}
	size_t part = v4 ? 4 : 16;
	while (part != 0 && address[part - 1] == 0) {
		part--;
	}
	writer_u16(in->out, v4 ? FAMILY_IPV4 : FAMILY_IPV6);
	writer_u8(in->out, (uint8_t)bits);
	writer_u8(in->out, (uint8_t)(part | (negated ? PREFIX_NEGATED : 0U)));
	writer_bytes(in->out, address, part);
	return E_OK;
}

int prefixes_read(struct text_in *in)
{
	int err = E_OK;
	while (err == E_OK && field_more(in)) {
		err = read_prefix(in);
	}
	return err;
}

/* --- WKS: a protocol and a bit for each port (RFC 1035 §3.4.2) ------------------------------- */

static const struct {
	const char *name;
	uint16_t number;
} protocols[] = { { "icmp", 1 }, { "tcp", 6 }, { "udp", 17 } },
  /* What RFC 1010 lists and old zone files use; all others go by number. */
	services[] = { { "ftp-data", 20 },   { "ftp", 21 },	{ "ssh", 22 },
		       { "telnet", 23 },     { "smtp", 25 },	{ "time", 37 },
		       { "nameserver", 42 }, { "nicname", 43 }, { "whois", 43 },
		       { "domain", 53 },     { "tftp", 69 },	{ "gopher", 70 },
		       { "finger", 79 },     { "http", 80 },	{ "hostnames", 101 },
		       { "pop2", 109 },	     { "pop3", 110 },	{ "sunrpc", 111 },
		       { "sftp", 115 },	     { "nntp", 119 },	{ "ntp", 123 },
		       { "imap", 143 },	     { "snmp", 161 },	{ "irc", 194 },
		       { "https", 443 },     { "who", 513 },	{ "talk", 517 } };

void services_skip(struct reader *r)
{
	(void)reader_u8(r);
	(void)reader_bytes(r, reader_left(r));
}

void services_print(struct reader *r, struct buf *out)
{
	buf_u32(out, reader_u8(r));
	size_t len = reader_left(r);
	const uint8_t *bits = reader_bytes(r, len);
	if (bits == NULL || len > 65536 / 8 || (len != 0 && bits[len - 1] == 0)) {
		reader_fail(r, E_UNSUPPORTED); /* text has no octets without a port at the end */
		return;
	}
	for (unsigned port = 0; port < 8 * len; port++) {
		if ((bits[port / 8] & 0x80U >> port % 8) != 0) {
			buf_char(out, ' ');
			buf_u32(out, port);
		}
	}
}

static int read_protocol(struct text_in *in)
{
	static const char expected[] = "a protocol: tcp, udp or its number";
	uint32_t protocol = 0;
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	bool found = text_to_u32(in->at.s, in->at.len, UINT8_MAX, &protocol) == E_OK;
	for (size_t i = 0; !found && i < ARRAY_LEN(protocols); i++) {
		found = text_equal(in->at.s, in->at.len, protocols[i].name);
		protocol = protocols[i].number;
	}
	writer_u8(in->out, (uint8_t)protocol);
	return found ? E_OK : field_refuse(in, E_SYNTAX, expected);
}

static int read_port(struct text_in *in, uint32_t *port)
{
	static const char expected[] = "a port: a number, or the name of one of the old services";
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	bool found = text_to_u32(in->at.s, in->at.len, UINT16_MAX, port) == E_OK;
	for (size_t i = 0; !found && i < ARRAY_LEN(services); i++) {
		found = text_equal(in->at.s, in->at.len, services[i].name);
		*port = services[i].number;
	}
	return found ? E_OK : field_refuse(in, E_SYNTAX, expected);
}

int services_read(struct text_in *in)
{
	uint8_t bits[65536 / 8] = { 0 };
	size_t len = 0;
	int err = read_protocol(in);
	while (err == E_OK && field_more(in)) {
		uint32_t port = 0;
		err = read_port(in, &port);
		bits[port / 8] |= (uint8_t)(0x80U >> port % 8);
		len = port / 8 + 1 > len ? port / 8 + 1 : len;
	}
	writer_bytes(in->out, bits, len);
	return err;
}

/* --- NSAP and ATMA: digits with points that mean nothing (RFC 1706, af-saa-0069) ------------- */

static int dotted_hex(struct text_in *in, const char *s, size_t len, const char *expected)
{
	char digits[2 * 255];
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] != '.' && n == sizeof(digits)) {
			return field_refuse(in, E_LIMIT, expected);
		}
		if (s[i] != '.') {
			digits[n++] = s[i];
		}
	}
	int octets = text_from_hex(digits, n, in->out->pos, writer_left(in->out));
	if (octets <= 0) {
		return field_refuse(in, E_SYNTAX, expected);
	}
	in->out->pos += octets;
	return E_OK;
}

void nsap_skip(struct reader *r)
{
	field_ops[FIELD_HEX].skip(r);
}

void nsap_print(struct reader *r, struct buf *out)
{
	if (reader_left(r) > 255) {
		reader_fail(r, E_UNSUPPORTED);
		return;
	}
	buf_str(out, "0x");
	field_ops[FIELD_HEX].print(r, out);
}

int nsap_read(struct text_in *in)
{
	static const char expected[] = "an NSAP: 0x and up to 255 octets in hexadecimal digits";
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	if (in->at.len < 3 || in->at.s[0] != '0' || text_lower[(uint8_t)in->at.s[1]] != 'x') {
		return field_refuse(in, E_SYNTAX, expected);
	}
	return dotted_hex(in, in->at.s + 2, in->at.len - 2, expected);
}

enum { ATM_AESA = 0, ATM_E164 = 1 };

void atm_skip(struct reader *r)
{
	(void)reader_u8(r);
	field_ops[FIELD_HEX].skip(r);
}

void atm_print(struct reader *r, struct buf *out)
{
	uint8_t format = reader_u8(r);
	size_t len = reader_left(r);
	if (format == ATM_AESA && len <= 255) {
		field_ops[FIELD_HEX].print(r, out);
		return;
	}
	const uint8_t *p = reader_bytes(r, len);
	bool fits = p != NULL && format == ATM_E164;
	for (size_t i = 0; fits && i < len; i++) {
		fits = text_is_digit((char)p[i]);
	}
	if (fits) {
		buf_char(out, '+');
		buf_add(out, p, len);
	} else {
		reader_fail(r, E_UNSUPPORTED);
	}
}

int atm_read(struct text_in *in)
{
	static const char expected[] = "an ATM address: hexadecimal digits, or + and digits";
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	if (in->at.s[0] != '+' || in->at.len == 0) {
		writer_u8(in->out, ATM_AESA);
		return dotted_hex(in, in->at.s, in->at.len, expected);
	}
	for (size_t i = 1; i < in->at.len; i++) {
		if (!text_is_digit(in->at.s[i])) {
			return field_refuse(in, E_SYNTAX, expected);
		}
	}
	if (in->at.len == 1) {
		return field_refuse(in, E_SYNTAX, expected);
	}
	writer_u8(in->out, ATM_E164);
	writer_bytes(in->out, in->at.s + 1, in->at.len - 1);
	return E_OK;
}

/* --- A6: a length, the end of an address, then a name unless the length is 0 (RFC 2874) ------ */

static size_t suffix_octets(unsigned prefix)
{
	return (128U - prefix + 7) / 8;
}

void suffix_skip(struct reader *r)
{
	uint8_t prefix = reader_u8(r);
	if (prefix > 128) {
		reader_fail(r, E_INVAL);
		return;
	}
	const uint8_t *p = reader_bytes(r, suffix_octets(prefix));
	bool pad = p != NULL && prefix % 8 != 0 && p[0] >> (8 - prefix % 8) != 0;
	if (pad || (prefix == 0) != (reader_left(r) == 0)) {
		reader_fail(r, E_INVAL);
	}
}

void suffix_print(struct reader *r, struct buf *out)
{
	uint8_t prefix = reader_u8(r);
	size_t len = prefix <= 128 ? suffix_octets(prefix) : 0;
	const uint8_t *p = reader_bytes(r, len);
	uint8_t address[16] = { 0 };
	struct reader a = reader_of(address, sizeof(address));
	buf_u32(out, prefix);
	if (p != NULL && len != 0) {
		memcpy(address + 16 - len, p, len);
		buf_char(out, ' ');
		field_ops[FIELD_IPV6].print(&a, out);
	}
}

int suffix_read(struct text_in *in)
{
	static const char expected[] = "an IPv6 address";
	uint8_t address[16];
	uint32_t prefix = 0;
	int err = field_number(in, 128, &prefix);
	if (err != E_OK) {
		return err;
	}
	size_t len = suffix_octets(prefix);
	writer_u8(in->out, (uint8_t)prefix);
	if (len != 0) {
		err = field_word(in, expected);
		if (err == E_OK && text_to_ipv6(in->at.s, in->at.len, address) != E_OK) {
			err = field_refuse(in, E_SYNTAX, expected);
		}
		if (err != E_OK) {
			return err;
		}
		if (prefix % 8 != 0) {
			address[16 - len] &= (uint8_t)(0xffU >> prefix % 8);
		}
		writer_bytes(in->out, address + 16 - len, len);
	}
	if (field_more(in) != (prefix != 0)) {
		return field_refuse(in, E_SYNTAX,
				    "a name behind a prefix length above 0, and none behind 0");
	}
	return E_OK;
}

/* --- NXT: one bit for each of the first 128 types (RFC 2535 §5.2) ---------------------------- */

void old_types_skip(struct reader *r)
{
	size_t len = reader_left(r);
	const uint8_t *p = reader_bytes(r, len);
	if (p != NULL && len != 0 && (len > 16 || (p[0] & 0x80) != 0 || p[len - 1] == 0)) {
		reader_fail(r, E_INVAL);
	}
}

void old_types_print(struct reader *r, struct buf *out)
{
	size_t len = reader_left(r);
	const uint8_t *p = reader_bytes(r, len);
	bool first = true;
	for (unsigned type = 1; p != NULL && type < 8 * len; type++) {
		char text[RRTYPE_TEXT_MAX];
		if ((p[type / 8] & 0x80U >> type % 8) != 0) {
			if (!first) {
				buf_char(out, ' ');
			}
			buf_str(out, rrtype_to_text((uint16_t)type, text));
			first = false;
		}
	}
}

int old_types_read(struct text_in *in)
{
	static const char expected[] = "a record type below 128";
	uint8_t bits[16] = { 0 };
	size_t len = 0;
	while (field_more(in)) {
		uint16_t type = 0;
		int err = field_word(in, expected);
		if (err == E_OK && (rrtype_from_text(in->at.s, in->at.len, &type) != E_OK ||
				    type == 0 || type > 127)) {
			err = field_refuse(in, E_SYNTAX, expected);
		}
		if (err != E_OK) {
			return err;
		}
		bits[type / 8] |= (uint8_t)(0x80U >> type % 8);
		len = type / 8 + 1U > len ? type / 8 + 1U : len;
	}
	writer_bytes(in->out, bits, len);
	return E_OK;
}

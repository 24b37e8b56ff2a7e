/* zones/dns/rdata_gateway.c - rdata whose first numbers say what follows: the gateways of IPSECKEY
 * (RFC 4025) and AMTRELAY (RFC 8777), the host of HIP (RFC 8005). */
#include "zones/base/text.h"
#include "zones/dns/rdata_kinds.h"

/* Types of gateway, the same in both (RFC 4025 §2.3, RFC 8777 §4.2.3). */
static const struct {
	enum field_kind kind; /* FIELD_END: nothing is there, written "." */
} gateways[] = { { FIELD_END }, { FIELD_IPV4 }, { FIELD_IPV6 }, { FIELD_NAME } };

static bool is_known(unsigned type)
{
	return type < ARRAY_LEN(gateways);
}

static void skip_gateway(struct reader *r, unsigned type)
{
	if (!is_known(type)) {
		(void)reader_bytes(r, reader_left(r));
	} else if (gateways[type].kind != FIELD_END) {
		field_ops[gateways[type].kind].skip(r);
	}
}

static void print_gateway(struct reader *r, unsigned type, struct buf *out)
{
	if (!is_known(type)) {
		reader_fail(r, E_UNSUPPORTED);
	} else if (gateways[type].kind != FIELD_END) {
		field_ops[gateways[type].kind].print(r, out);
	} else {
		buf_char(out, '.');
	}
}

static int read_gateway(struct text_in *in, unsigned type)
{
	static const char expected[] = "a dot: type 0 says that there is no gateway";
	if (gateways[type].kind != FIELD_END) {
		return field_ops[gateways[type].kind].read(in);
	}
	int err = field_word(in, expected);
	if (err == E_OK && (in->at.len != 1 || in->at.s[0] != '.')) {
		err = field_refuse(in, E_SYNTAX, expected);
	}
	return err;
}

static int read_type(struct text_in *in, uint32_t *type)
{
	int err = field_number(in, UINT8_MAX, type);
	if (err == E_OK && !is_known(*type)) {
		err = field_refuse(in, E_RANGE,
				   "a type of gateway: 0 none, 1 IPv4, 2 IPv6, 3 name");
	}
	return err;
}

/* --- IPSECKEY: type, algorithm, gateway ------------------------------------------------------ */

void gateway_skip(struct reader *r)
{
	uint8_t type = reader_u8(r);
	(void)reader_u8(r);
	skip_gateway(r, type);
}

void gateway_print(struct reader *r, struct buf *out)
{
	uint8_t type = reader_u8(r);
	buf_printf(out, "%u %u ", type, reader_u8(r));
	print_gateway(r, type, out);
}

int gateway_read(struct text_in *in)
{
	uint32_t type = 0;
	uint32_t algorithm = 0;
	int err = read_type(in, &type);
	if (err == E_OK) {
		err = field_number(in, UINT8_MAX, &algorithm);
	}
	writer_u8(in->out, (uint8_t)type);
	writer_u8(in->out, (uint8_t)algorithm);
	return err == E_OK ? read_gateway(in, type) : err;
}

/* --- AMTRELAY: one bit "discovery optional" with the type, relay ----------------------------- */

void relay_skip(struct reader *r)
{
	skip_gateway(r, reader_u8(r) & 0x7fU);
}

void relay_print(struct reader *r, struct buf *out)
{
	uint8_t octet = reader_u8(r);
	buf_printf(out, "%u %u ", octet >> 7, octet & 0x7fU);
	print_gateway(r, octet & 0x7fU, out);
}

int relay_read(struct text_in *in)
{
	uint32_t optional = 0;
	uint32_t type = 0;
	int err = field_number(in, 1, &optional);
	if (err == E_OK) {
		err = read_type(in, &type);
	}
	writer_u8(in->out, (uint8_t)(optional << 7 | type));
	return err == E_OK ? read_gateway(in, type) : err;
}

/* --- HIP: length of the tag, algorithm, length of the key, tag, key -------------------------- */

struct host {
	unsigned algorithm;
	size_t tag_len, key_len;
	const uint8_t *tag, *key;
};

static struct host host_read_wire(struct reader *r)
{
	struct host h = { .tag_len = reader_u8(r) };
	h.algorithm = reader_u8(r);
	h.key_len = reader_u16(r);
	h.tag = reader_bytes(r, h.tag_len);
	h.key = reader_bytes(r, h.key_len);
	if (h.tag_len == 0 || h.key_len == 0) {
		reader_fail(r, E_INVAL);
	}
	return h;
}

void host_skip(struct reader *r)
{
	(void)host_read_wire(r);
}

void host_print(struct reader *r, struct buf *out)
{
	struct host h = host_read_wire(r);
	if (h.tag == NULL || h.key == NULL) {
		return;
	}
	struct reader tag = reader_of(h.tag, h.tag_len);
	struct reader key = reader_of(h.key, h.key_len);
	buf_printf(out, "%u ", h.algorithm);
	field_ops[FIELD_HEX].print(&tag, out);
	buf_char(out, ' ');
	field_ops[FIELD_BASE64].print(&key, out);
}

int host_read(struct text_in *in)
{
	static const char hex[] = "a host identity tag: up to 255 octets in hexadecimal digits";
	static const char base64[] = "a host identity: base64 digits in one word";
	uint32_t algorithm = 0;
	uint8_t *head = writer_room(in->out, 4);
	int err = field_number(in, UINT8_MAX, &algorithm);
	if (err != E_OK || head == NULL) {
		return err;
	}
	head[1] = (uint8_t)algorithm;
	err = field_word(in, hex);
	if (err != E_OK) {
		return err;
	}
	int n = text_from_hex(in->at.s, in->at.len, in->out->pos, writer_left(in->out));
	if (n <= 0 || n > UINT8_MAX) {
		return field_refuse(in, E_SYNTAX, hex);
	}
	head[0] = (uint8_t)n;
	in->out->pos += n;
	err = field_word(in, base64);
	if (err != E_OK) {
		return err;
	}
	n = text_from_base64(in->at.s, in->at.len, in->out->pos, writer_left(in->out));
	if (n <= 0 || n > UINT16_MAX) {
		return field_refuse(in, E_SYNTAX, base64);
	}
	be16_put(head + 2, (uint16_t)n);
	in->out->pos += n;
	return E_OK;
}

/* test/fuzz/edns_fuzz.c - any octets as the OPT record of a query, with everything on that looks at it.
 *
 * The first octet says how the query comes: bit 0 TCP, bit 1 encrypted, bit 2 for a name that is not there, bit 3 with
 * octets cut off its end. Then follow payload size (2), extended code, version, flags (2), and the options. */
#include "test/unit/server/query_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 7
#define NOW  1600000000

static struct kit kit;
static struct kit_response res;

/* Cookies in the seeds are of this address, secret and time. */
static const struct address_ip client = { 4, { 192, 0, 2, 1 } };
static const struct cookie_secrets secrets = { .count = 1, .secret = { "0123456789abcdef" } };

static void set_up(void)
{
	static const uint8_t agent[] = "\5agent\5other";
	static const struct query_string text = { "a text", 6 };
	kit_init(&kit);
	struct kit_zone *z = kit_zone(&kit, "example.");
	kit_master(z, "@ 300 SOA ns host 1 3600 900 1209600 300\n@ NS ns\nns A 192.0.2.1\n");
	kit_sign(z, KIT_NSEC);
	kit_serve(&kit);
	kit.config.nsid = text;
	kit.config.report_channel = agent;
	kit.config.cookies = &secrets;
}

/* A question for the SOA, and an OPT record of @data. Returns its length. */
static size_t make_query(uint8_t *out, const uint8_t *data, size_t size, bool is_there)
{
	static const uint8_t question[] = "\7example\0\0\6\0\1";
	struct message_header h = { .id = 1, .count = { 1, 0, 0, 1 } };
	uint8_t *p = out;
	message_write_header(p, &h);
	p += MESSAGE_HEADER_LEN;
	if (!is_there) {
		memcpy(p, "\3not", 4);
		p += 4;
	}
	memcpy(p, question, sizeof(question) - 1);
	p += sizeof(question) - 1;
	*p++ = 0;
	be16_put(p, RRTYPE_OPT);
	memcpy(p + 2, data + 1, HEAD - 1);
	be16_put(p + 8, (uint16_t)(size - HEAD));
	memcpy(p + 10, data + HEAD, size - HEAD);
	return (size_t)(p + 10 - out) + size - HEAD;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t query[MESSAGE_MAX];
	if (kit.set == NULL) {
		set_up();
	}
	if (size < HEAD || size > 4096) {
		return 0;
	}
	kit.client = &client;
	kit.env.now = NOW;
	kit.env.is_encrypted = (data[0] & 2) != 0;
	bool is_tcp = (data[0] & 3) != 0;
	size_t len = make_query(query, data, size, (data[0] & 4) == 0);
	size_t cut = (data[0] & 8) != 0 ? data[0] >> 4 : 0;
	kit_send(&kit, query, len - cut, is_tcp, &res);
	kit_require(res.len != 0, "silence");
	/* Of what is not malformed, an OPT comes back. */
	kit_require(res.edns.present || cut != 0 || res.rcode == RCODE_FORMERR, "no OPT");
	return 0;
}

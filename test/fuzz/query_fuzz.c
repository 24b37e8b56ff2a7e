/* test/fuzz/query_fuzz.c - any octets as a query.
 *
 * The first octet says how it comes: bit 0 TCP, bit 1 full answers, bit 2 encrypted, bit 3 rotated sets, bit 4
 * nothing but the zones is configured. Every response is read strictly (test/unit/server/query_kit.h). */
#include "test/unit/server/query_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char records[] =
	"@ 300 SOA ns host 1 3600 900 1209600 300\n@ NS ns\n@ MX 10 mail\nns A 192.0.2.1\n"
	"mail A 192.0.2.2\nmail AAAA 2001:db8::2\n*.w MX 1 mail\nb.*.v TXT x\na.b.c.ent TXT \"x\" \"y\"\n"
	"c1 CNAME c2\nc2 CNAME x.w\nloop CNAME loop\nout CNAME elsewhere.\n*.cw CNAME c1\n"
	"d DNAME t\nx.t A 192.0.2.3\ndd DNAME d.d\nother DNAME z2.\n"
	"sub NS ns.sub\nsub NS ns\nns.sub A 192.0.2.4\nns.sub AAAA 2001:db8::4\nx.y.ins NS ns\n"
	"sec NS ns\n"
	"sec DS 1 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF\n"
	"_s._tcp SRV 1 2 3 mail\nnaptr NAPTR 1 1 s x \"\" _s._tcp\nnaptr NAPTR 1 2 A x \"\" ns\n"
	"h HTTPS 0 h2\nh2 HTTPS 1 .\nh2 HTTPS 2 mail alpn=h2\nh2 A 192.0.2.5\n*.hw HTTPS 1 .\n"
	"*.hw A 192.0.2.6\n";

static struct kit kit;
static struct kit_response res;

/* Cookies in the seeds are of this address, secret and time. */
static const struct address_ip client = { 4, { 192, 0, 2, 1 } };
static const struct cookie_secrets secrets = { .count = 1, .secret = { "0123456789abcdef" } };
#define NOW 1600000000

static void configure(uint8_t how)
{
	static const uint8_t agent[] = "\5agent\2z0";
	static const struct query_string text = { "a text", 6 };
	kit.config = (struct query_config){ .udp_size = kit.config.udp_size };
	kit.config.full = (how & 2) != 0;
	kit.config.rotate = (how & 8) != 0;
	kit.client = NULL;
	kit.env = (struct query_env){ .is_encrypted = (how & 4) != 0, .now = NOW };
	if ((how & 16) == 0) {
		kit.config.identity = kit.config.version = kit.config.nsid = text;
		kit.config.report_channel = agent;
		kit.config.cookies = &secrets;
		kit.client = &client;
	}
}

static void set_up(void)
{
	static const char *const apexes[] = { "z0.", "z1.", "z2.", "z3.", "sec.z1." };
	kit_init(&kit);
	for (unsigned i = 0; i < ARRAY_LEN(apexes); i++) {
		struct kit_zone *z = kit_zone(&kit, apexes[i]);
		kit_master(z, records);
		kit_sign(z, i % 4);
	}
	(void)kit_zone(&kit, "empty.");
	kit_serve(&kit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (kit.set == NULL) {
		set_up();
	}
	if (size == 0 || size > MESSAGE_MAX) {
		return 0;
	}
	configure(data[0]);
	kit_send(&kit, data + 1, size - 1, (data[0] & 1) != 0, &res);
	/* Silence is for responses, and for what has no header; nothing else. */
	kit_require((res.len == 0) == (size - 1 < MESSAGE_HEADER_LEN || (data[3] & 0x80) != 0),
		    "silence");
	return 0;
}

/* test/fuzz/aide_fuzz.c - any octets as a query that was left to an aide: transfers, and what is signed.
 *
 * The first octet says how it comes: bit 0 TCP, bit 1 while another transfer goes on. The key is the one of the seeds, so
 * that they lead behind the MAC. Answers are messages, and those of a transfer hold all of the zone. */
#include "server/aide.h"
#include "test/unit/server/query_kit.h"
#include "zones/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1600000000 /* of the seeds */
#define ZONE                                                                                       \
 "@ 300 SOA ns host 7 3600 900 1209600 300\n@ NS ns\nns A 192.0.2.1\n*.w MX 1 mail\n"              \
 "a.b.c TXT x\nd CNAME ns\n"

static const char configuration[] =
	"server: { database: db }\n"
	"keys: [ { name: k.example, secret: c2VjcmV0IG9mIGFuIGFpZGU= } ]\n"
	"zones:\n"
	"  - { name: keyed, file: x, allow-transfer: key k.example }\n"
	"  - { name: open, file: x, allow-transfer: any }\n"
	"  - { name: closed, file: x }\n";
static const struct address_ip client = { 4, { 192, 0, 2, 1 } };
static struct kit kit;
static struct aide *aide;
static struct aide_serving serving;

static void set_up(void)
{
	static const char *const zones[] = { "keyed.", "open.", "closed." };
	static struct config *config;
	struct findings findings = { 0 };
	const struct config_source source = { .path = "fuzz.yaml",
					      .data = configuration,
					      .len = strlen(configuration),
					      .only_text = true };
	log_open(LOG_TO_STDERR, LOG_LEVEL_ERROR, false, "fuzz");
	kit_init(&kit);
	for (unsigned i = 0; i < ARRAY_LEN(zones); i++) {
		struct kit_zone *z = kit_zone(&kit, zones[i]);
		kit_master(z, ZONE);
		kit_sign(z, i + 1);
	}
	kit_serve(&kit);
	kit_require(config_parse(&source, &config, &findings) == E_OK, "configuration");
	findings_clear(&findings);
	aide = aide_new(kit.ctx);
	serving = (struct aide_serving){ .config = config, .generation = 1 };
	kit_require(xfr_desk_new(&serving.desk) == E_OK, "desk");
}

/* Records of the answer section; the message is well-formed. */
static unsigned read_message(const uint8_t *octets, size_t len)
{
	struct reader r = reader_of(octets, len);
	struct message_header h;
	struct message_question q;
	struct message_rr rr;
	kit_require(message_read_header(&r, &h) == E_OK && (h.flags & MESSAGE_QR) != 0, "header");
	for (unsigned i = 0; i < h.count[SECTION_QUESTION]; i++) {
		kit_require(message_read_question(&r, &q) == E_OK, "question");
	}
	for (unsigned i = 0; i < (unsigned)h.count[1] + h.count[2] + h.count[3]; i++) {
		kit_require(message_read_rr(&r, &rr) == E_OK, "record %u", i);
	}
	kit_require(reader_left(&r) == 0, "octets left over");
	return h.count[SECTION_ANSWER];
}

static void take(struct xfr_out *transfer, uint8_t *out, bool is_tcp)
{
	unsigned records = 0;
	unsigned messages = 0;
	bool has_more = true;
	while (has_more) {
		size_t len;
		has_more = xfr_out_next(transfer, out, MESSAGE_MAX, &len);
		kit_require(len != 0 || (messages == 0 && !is_tcp), "a transfer that breaks off");
		records += read_message(out, len);
		messages++;
	}
	kit_require(messages == 1 && (records == 1 || records > 20 || !is_tcp), "%u records in %u",
		    records, messages);
	xfr_out_free(transfer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xfr_out *transfer = NULL;
	if (aide == NULL) {
		set_up();
	}
	if (size == 0 || size - 1 > MESSAGE_MAX) {
		return 0;
	}
	const bool is_tcp = (data[0] & 1) != 0;
	const bool is_busy = (data[0] & 2) != 0;
	const struct query_env env = { .zones = kit.set,
				       .config = &kit.config,
				       .is_tcp = is_tcp,
				       .taken = 1U << OPCODE_UPDATE,
				       .now = NOW };
	uint8_t *in = mem_dup(data + 1, size - 1);
	uint8_t *out = mem_alloc(MESSAGE_MAX);
	struct query_io io = {
		.in = in, .in_len = size - 1, .out = out, .room = MESSAGE_MAX, .client = &client
	};
	switch (aide_answer(aide, &serving, &env, &io, is_busy, &transfer)) {
	case AIDE_ANSWERED:
		if (io.out_len != 0) {
			(void)read_message(out, io.out_len);
			kit_require(is_tcp || io.out_len <= kit.config.udp_size + 400U, "too long");
		}
		break;
	case AIDE_TRANSFER:
		kit_require(!is_busy, "a transfer beside another");
		take(transfer, out, is_tcp);
		break;
	case AIDE_LATER:
		kit_require(is_busy, "put off without a reason");
		break;
	case AIDE_TAKEN:
		kit_require(io.in == in && io.in_len == size - 1,
			    "an update that is not as it came");
		break;
	}
	mem_free(in);
	mem_free(out);
	return 0;
}

/* test/unit/server/aide_test.c - what a worker leaves to its aide, and what becomes of it: who may have a zone, signed
 * queries and their answers, transfers that have to wait. */
#include "server/aide.h"

#include "test/unit/server/query_unit.h"
#include "zones/base/log.h"

#define NOW 1600000000

static const char configuration[] =
	"server: { database: db, transfers-out: 2, transfers-out-per-address: 2 }\n"
	"keys:\n"
	"  - { name: k.example, secret: c2VjcmV0IG9mIGFuIGFpZGU= }\n"
	"  - { name: other.example, algorithm: hmac-sha512, secret: b3RoZXIgc2VjcmV0 }\n"
	"zones:\n"
	"  - { name: keyed, file: x, allow-transfer: key k.example }\n"
	"  - { name: open, file: x, allow-transfer: any }\n"
	"  - { name: empty, file: x, allow-transfer: any }\n"
	"  - { name: closed, file: x }\n";

static struct kit kit;
static struct config *config;
static struct aide *aide;
static struct aide_serving serving;
static struct tsig_ring *ring; /* of clients */
static const struct address_ip client = { 4, { 192, 0, 2, 1 } };
static uint8_t out[MESSAGE_MAX];
static struct query_io io;
static struct xfr_out *transfer;

static void setup(void)
{
	static const char *const zones[] = { "keyed.", "open.", "closed." };
	struct findings findings = { 0 };
	const struct config_source source = { .path = "test.yaml",
					      .data = configuration,
					      .len = strlen(configuration),
					      .only_text = true };
	log_open(LOG_TO_STDERR, LOG_LEVEL_ERROR, false, "test");
	kit_init(&kit);
	for (unsigned i = 0; i < ARRAY_LEN(zones); i++) {
		struct kit_zone *z = kit_zone(&kit, zones[i]);
		kit_master(
			z,
			"@ 60 SOA ns h 7 2 3 1000 5\n@ NS ns\nns A 192.0.2.1\n"
			"big TXT \"0123456789012345678901234567890123456789012345678901234567890123456789\"\n");
	}
	(void)kit_zone(&kit, "empty.");
	kit_serve(&kit);
	kit.client = &client;
	ck_assert_int_eq(config_parse(&source, &config, &findings), E_OK);
	findings_clear(&findings);
	ck_assert_int_eq(tsig_ring_new(config->tsig_keys, config->tsig_key_count, &ring), E_OK);
	aide = aide_new(kit.ctx);
	serving = (struct aide_serving){ .config = config, .generation = 1 };
	ck_assert_int_eq(xfr_desk_new(&serving.desk), E_OK);
}

static void teardown(void)
{
	aide_free(aide);
	aide_free(NULL);
	xfr_desk_free(serving.desk);
	tsig_ring_free(ring);
	config_free(config);
	kit_clear(&kit);
}

/* --- asking ---------------------------------------------------------------------------------- */

struct asked {
	uint8_t octets[1024];
	size_t len;
	struct tsig_exchange x; /* of the client; ring NULL: it has not signed */
};

static void write_query(struct asked *q, const char *zone, const char *type, unsigned how)
{
	const struct dname name = kit_name(zone);
	q->len = kit_query(q->octets, name.wire, kit_type(type), how, 1232);
	q->x.ring = NULL;
}

static void add_soa(struct asked *q, const char *zone, uint32_t serial)
{
	struct writer w = writer_of(q->octets + q->len, sizeof(q->octets) - q->len);
	const struct dname name = kit_name(zone);
	writer_bytes(&w, name.wire, name.len);
	writer_u16(&w, RRTYPE_SOA);
	writer_u16(&w, RRCLASS_IN);
	writer_u32(&w, 0);
	writer_u16(&w, 22);
	writer_u16(&w, 0); /* the root, twice */
	writer_u32(&w, serial);
	memset(writer_room(&w, 16), 0, 16);
	be16_put(q->octets + 8, 1);
	q->len += writer_len(&w);
}

static void sign(struct asked *q, const char *key)
{
	const struct dname name = kit_name(key);
	ck_assert_int_eq(tsig_begin(ring, name.wire, &q->x), E_OK);
	ck_assert_int_eq(tsig_sign(&q->x, q->octets, &q->len, sizeof(q->octets), NOW), E_OK);
}

static enum aide_answer answer(struct asked *q, bool is_tcp, bool is_busy)
{
	const struct query_env env = { .zones = kit.set,
				       .config = &kit.config,
				       .is_tcp = is_tcp,
				       .taken = 1U << OPCODE_UPDATE,
				       .now = NOW };
	io = (struct query_io){ .in = q->octets,
				.in_len = q->len,
				.out = out,
				.room = sizeof(out),
				.client = &client };
	transfer = NULL;
	return aide_answer(aide, &serving, &env, &io, is_busy, &transfer);
}

/* The rcode of the answer, and of its TSIG, which is good where there is no error. */
static unsigned rcode_of(struct asked *q, unsigned *error)
{
	size_t at = io.out_len;
	*error = 0;
	ck_assert_uint_ge(io.out_len, MESSAGE_HEADER_LEN);
	if (q->x.ring != NULL) {
		int err = tsig_check(&q->x, out, io.out_len, NOW, &at);
		*error = q->x.error;
		ck_assert_int_eq(err, *error == 0 ? E_OK : E_PERM);
	}
	return out[3] & MESSAGE_RCODE;
}

static void take_transfer(struct asked *q)
{
	unsigned error;
	ck_assert_ptr_nonnull(transfer);
	ck_assert(!xfr_out_next(transfer, out, sizeof(out), &io.out_len));
	if (q->x.ring != NULL) {
		size_t at;
		ck_assert_int_eq(tsig_check(&q->x, out, io.out_len, (uint64_t)time(NULL), &at),
				 E_OK);
		q->x.ring = NULL;
	}
	ck_assert_uint_eq(rcode_of(q, &error), RCODE_NOERROR);
	ck_assert_uint_eq(be16_get(out + 6), 5);
	xfr_out_free(transfer);
}

/* --- who may have zones ---------------------------------------------------------------------- */

START_TEST(who_may_have_zones)
{
	static const struct {
		const char *zone, *type, *key;
		bool is_tcp;
		int rcode; /* -1: it is transferred */
	} rows[] = {
		{ "open.", "AXFR", NULL, true, -1 },
		{ "open.", "IXFR", NULL, true, -1 },
		{ "OPEN.", "AXFR", NULL, true, -1 },
		{ "open.", "AXFR", "k.example.", true, -1 },
		{ "keyed.", "AXFR", NULL, true, RCODE_REFUSED },
		{ "keyed.", "IXFR", NULL, false, RCODE_REFUSED },
		{ "keyed.", "AXFR", "k.example.", true, -1 },
		{ "keyed.", "AXFR", "other.example.", true, RCODE_REFUSED },
		{ "closed.", "AXFR", "k.example.", true, RCODE_REFUSED },
		{ "closed.", "AXFR", NULL, true, RCODE_REFUSED },
		{ "empty.", "AXFR", NULL, true, RCODE_SERVFAIL },
		{ "big.open.", "AXFR", NULL, true, RCODE_NOTAUTH },
		{ "elsewhere.", "AXFR", NULL, true, RCODE_NOTAUTH },
		{ "open.", "AXFR", NULL, false, RCODE_NOTIMP },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked q;
		unsigned error;
		write_query(&q, rows[i].zone, rows[i].type, 0);
		if (strcmp(rows[i].type, "IXFR") == 0) {
			add_soa(&q, rows[i].zone, 1);
		}
		if (rows[i].key != NULL) {
			sign(&q, rows[i].key);
		}
		enum aide_answer a = answer(&q, rows[i].is_tcp, false);
		ck_assert_int_eq(a, rows[i].rcode < 0 ? AIDE_TRANSFER : AIDE_ANSWERED);
		if (a == AIDE_TRANSFER) {
			take_transfer(&q);
		} else {
			ck_assert_int_eq((int)rcode_of(&q, &error), rows[i].rcode);
			ck_assert_uint_eq(error, 0);
		}
	}
}
END_TEST

START_TEST(an_ixfr_needs_a_serial)
{
	struct asked q;
	unsigned error;
	write_query(&q, "open.", "IXFR", 0);
	ck_assert_int_eq(answer(&q, true, false), AIDE_ANSWERED);
	ck_assert_uint_eq(rcode_of(&q, &error), RCODE_FORMERR);
	add_soa(&q, "open.", 7);
	ck_assert_int_eq(answer(&q, false, false), AIDE_TRANSFER);
	ck_assert(!xfr_out_next(transfer, out, sizeof(out), &io.out_len));
	ck_assert_uint_eq(be16_get(out + 6), 1); /* the client has it all */
	xfr_out_free(transfer);
}
END_TEST

START_TEST(too_many)
{
	struct asked q;
	struct xfr_out *running[2];
	unsigned error;
	write_query(&q, "open.", "AXFR", KIT_EDNS);
	for (unsigned i = 0; i < ARRAY_LEN(running); i++) {
		ck_assert_int_eq(answer(&q, true, false), AIDE_TRANSFER);
		running[i] = transfer;
	}
	ck_assert_int_eq(answer(&q, true, false), AIDE_ANSWERED);
	ck_assert_uint_eq(rcode_of(&q, &error), RCODE_SERVFAIL);
	ck_assert_ptr_nonnull(memmem(out, io.out_len, "too many transfers", 18));
	xfr_out_free(running[0]);
	ck_assert_int_eq(answer(&q, true, false), AIDE_TRANSFER);
	xfr_out_free(transfer);
	xfr_out_free(running[1]);
}
END_TEST

START_TEST(one_at_a_time)
{
	struct asked q;
	unsigned error;
	write_query(&q, "open.", "AXFR", 0);
	ck_assert_int_eq(answer(&q, true, true), AIDE_LATER);
	write_query(&q, "keyed.", "AXFR", 0);
	ck_assert_int_eq(answer(&q, true, true), AIDE_ANSWERED); /* needs not wait to be refused */
	ck_assert_uint_eq(rcode_of(&q, &error), RCODE_REFUSED);
	write_query(&q, "ns.open.", "A", 0);
	ck_assert_int_eq(answer(&q, true, true), AIDE_ANSWERED);
	ck_assert_uint_eq(rcode_of(&q, &error), RCODE_NOERROR);
}
END_TEST

/* --- signed queries -------------------------------------------------------------------------- */

START_TEST(a_signed_query_is_answered_as_any_other)
{
	static uint8_t want[MESSAGE_MAX];
	for (unsigned how = 0; how < 8; how++) {
		struct asked q;
		struct tsig_rr rr;
		size_t at;
		write_query(&q, "ns.closed.", "A", how & (KIT_EDNS | KIT_DO));
		ck_assert_int_eq(answer(&q, (how & 1) != 0, false), AIDE_ANSWERED);
		const size_t len = io.out_len;
		memcpy(want, out, len);
		sign(&q, "k.example.");
		ck_assert_int_eq(answer(&q, (how & 1) != 0, false), AIDE_ANSWERED);
		ck_assert_int_eq(tsig_rr_find(out, io.out_len, &rr, &at), E_OK);
		ck_assert_uint_eq(at, len);
		ck_assert_int_eq(tsig_check(&q.x, out, io.out_len, NOW, &at), E_OK);
		be16_put(out + 10, (uint16_t)(be16_get(out + 10) - 1));
		ck_assert_mem_eq(out, want, len);
	}
}
END_TEST

/* The signature is in what the client takes. */
START_TEST(a_signed_datagram_is_no_longer_than_others)
{
	struct asked q;
	unsigned error;
	kit.config.udp_size = 512;
	for (unsigned i = 0; i < 2; i++) {
		char text[DNAME_TEXT_MAX];
		size_t at = 0;
		for (unsigned k = 0; k < 3; k++) {
			memset(text + at, 'x', 60);
			text[at + 60] = '.';
			at += 61;
		}
		(void)snprintf(text + at, sizeof(text) - at, "closed.");
		write_query(&q, text, "A", 0);
		sign(&q, i == 0 ? "k.example." : "other.example.");
		ck_assert_int_eq(answer(&q, false, false), AIDE_ANSWERED);
		ck_assert_uint_le(io.out_len, 512);
		ck_assert_uint_eq(rcode_of(&q, &error), RCODE_NXDOMAIN);
		ck_assert_uint_eq(error, 0);
	}
}
END_TEST

START_TEST(signatures_that_are_wrong)
{
	struct asked q;
	unsigned error;
	/* An octet of the message is another. */
	write_query(&q, "open.", "AXFR", 0);
	sign(&q, "k.example.");
	q.octets[MESSAGE_HEADER_LEN + 1] ^= 0x20;
	ck_assert_int_eq(answer(&q, true, false), AIDE_ANSWERED);
	ck_assert_uint_eq(rcode_of(&q, &error), RCODE_NOTAUTH);
	ck_assert_uint_eq(error, TSIG_BADSIG);
	ck_assert_uint_eq(be16_get(out + 4), 1); /* the question is there */
	/* The key is none of the server's any more. */
	write_query(&q, "open.", "AXFR", 0);
	sign(&q, "k.example.");
	const size_t count = config->tsig_key_count;
	config->tsig_key_count = 0;
	serving.generation++;
	ck_assert_int_eq(answer(&q, true, false), AIDE_ANSWERED);
	ck_assert_uint_eq(rcode_of(&q, &error), RCODE_NOTAUTH);
	ck_assert_uint_eq(error, TSIG_BADKEY);
	config->tsig_key_count = count;
	/* The configuration is the same as far as is known. */
	ck_assert_int_eq(answer(&q, true, false), AIDE_ANSWERED);
	serving.generation++;
	ck_assert_int_eq(answer(&q, true, false), AIDE_TRANSFER);
	xfr_out_free(transfer);
	/* A record behind the TSIG. */
	write_query(&q, "open.", "AXFR", 0);
	sign(&q, "k.example.");
	memcpy(q.octets + q.len, "\0\0\1\0\1\0\0\0\0\0\0", 11);
	q.len += 11;
	q.octets[11]++;
	ck_assert_int_eq(answer(&q, true, false), AIDE_ANSWERED);
	q.x.ring = NULL;
	ck_assert_uint_eq(rcode_of(&q, &error), RCODE_FORMERR);
}
END_TEST

/* Who answers a response goes on for ever with the next who does. */
START_TEST(a_response_is_not_answered)
{
	struct asked q;
	for (unsigned is_signed = 0; is_signed < 2; is_signed++) {
		write_query(&q, "www.open.", "A", 0);
		if (is_signed != 0) {
			sign(&q, "k.example.");
			q.octets[q.len - 8] ^= 1; /* of the MAC or what follows it */
		}
		q.octets[2] |= 0x80;
		ck_assert_int_eq(answer(&q, true, false), AIDE_ANSWERED);
		ck_assert_uint_eq(io.out_len, 0);
	}
}
END_TEST

START_TEST(an_update_is_for_others)
{
	struct asked q;
	write_query(&q, "open.", "SOA", 0);
	q.octets[2] = OPCODE_UPDATE << 3;
	sign(&q, "k.example.");
	ck_assert_int_eq(answer(&q, true, false), AIDE_TAKEN);
	ck_assert_ptr_eq(io.in, q.octets); /* signed, as it came */
	ck_assert_uint_eq(io.in_len, q.len);
}
END_TEST

/* --- what is left to aides ------------------------------------------------------------------- */

START_TEST(what_a_worker_leaves)
{
	static const struct {
		const char *type;
		bool is_signed, is_tcp, is_left;
	} rows[] = {
		{ "A", false, false, false },	{ "A", false, true, false },
		{ "A", true, false, true },	{ "SOA", true, true, true },
		{ "AXFR", false, true, true },	{ "AXFR", false, false, false },
		{ "AXFR", true, false, true },	{ "IXFR", false, true, true },
		{ "IXFR", false, false, true }, { "MAILA", false, true, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
		const struct query_env env = { .zones = kit.set,
					       .config = &kit.config,
					       .is_tcp = rows[i / 2].is_tcp,
					       .takes_long = i % 2 == 0,
					       .now = NOW };
		struct asked q;
		write_query(&q, "open.", rows[i / 2].type, 0);
		if (rows[i / 2].is_signed) {
			sign(&q, "k.example.");
		}
		io = (struct query_io){ .in = q.octets,
					.in_len = q.len,
					.out = out,
					.room = sizeof(out),
					.client = &client };
		query_answer(kit.ctx, &env, &io, 1);
		ck_assert_int_eq(io.is_elsewhere, i % 2 == 0 && rows[i / 2].is_left);
		ck_assert_int_eq(io.out_len == 0, io.is_elsewhere);
		ck_assert_ptr_null(io.transfer.zone);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("aide");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, who_may_have_zones);
	tcase_add_test(tc, an_ixfr_needs_a_serial);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, one_at_a_time);
	tcase_add_test(tc, a_signed_query_is_answered_as_any_other);
	tcase_add_test(tc, a_signed_datagram_is_no_longer_than_others);
	tcase_add_test(tc, signatures_that_are_wrong);
	tcase_add_test(tc, a_response_is_not_answered);
	tcase_add_test(tc, an_update_is_for_others);
	tcase_add_test(tc, what_a_worker_leaves);
	return unit_run("server/aide", tc);
}

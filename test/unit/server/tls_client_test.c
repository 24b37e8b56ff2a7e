/* test/unit/server/tls_client_test.c - the client's side of TLS: who the server has to be, and what is said when it is somebody
 * else. Both sides are transports, and the wire between them is memory. */
#include "server/tls.h"

#include "keys/crypto.h"
#include "test/unit/server/tls_kit.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"

/* --- a connection ---------------------------------------------------------------------------- */

struct end {
	struct transport transport;
	struct buf out; /* on the wire */
	struct buf got; /* clear */
	bool has_failed;
};

static struct end client, server;
static size_t slice; /* octets that arrive at a time; 0: all */

/* @to reads what @from has sent. False: there was nothing. */
static bool pass(struct end *from, struct end *to)
{
	struct buf in = from->out;
	uint8_t clear[20000];
	from->out = (struct buf){ 0 };
	for (size_t at = 0; at < in.len && !to->has_failed;) {
		size_t n = in.len - at;
		n = slice != 0 && slice < n ? slice : n;
		struct transport_wire wire = { .in = (const uint8_t *)in.data + at,
					       .in_len = n,
					       .out = &to->out };
		int got;
		do {
			got = to->transport.ops->read(to->transport.state, &wire, clear,
						      sizeof(clear));
			if (got > 0) {
				buf_add(&to->got, clear, (size_t)got);
			}
		} while (got > 0);
		to->has_failed = got < 0;
		at += n;
	}
	const bool was_some = in.len != 0;
	buf_clear(&in);
	return was_some;
}

static void settle(void)
{
	bool goes_on = true;
	while (goes_on) {
		goes_on = pass(&client, &server);
		goes_on = pass(&server, &client) || goes_on;
	}
}

static void write_to(struct end *e, const uint8_t *octets, size_t len)
{
	struct transport_wire wire = { .out = &e->out };
	ck_assert(e->transport.ops->write(e->transport.state, &wire, octets, len));
	settle();
}

/* The first octets are the client's. */
static void begin(struct tls_client *c)
{
	uint8_t none[1];
	struct transport_wire wire = { .out = &client.out };
	ck_assert_int_eq(tls_connect(c, &client.transport), E_OK);
	ck_assert(!tls_is_open(&client.transport));
	ck_assert_int_eq(client.transport.ops->read(client.transport.state, &wire, none, 1), 0);
}

static void clear(struct end *e)
{
	if (e->transport.ops != NULL) {
		e->transport.ops->free(e->transport.state);
	}
	buf_clear(&e->out);
	buf_clear(&e->got);
	*e = (struct end){ .has_failed = false };
}

static void end(void)
{
	clear(&client);
	clear(&server);
	slice = 0;
}

static const char *const no_file = "";

static struct tls_client *client_of(const char *hostname, const char *ca, const uint8_t *pins,
				    size_t pin_count)
{
	struct tls_client *c = NULL;
	struct errmsg em = { "" };
	const struct tls_expected want = { .hostname = hostname,
					   .pins = pins,
					   .pin_count = pin_count,
					   .ca = *ca != '\0' ? in_folder(ca) : ca,
					   .certificate = no_file,
					   .key = no_file };
	ck_assert_msg(tls_client_new(&want, &c, &em) == E_OK, "%s", em.text);
	return c;
}

/* Connects to a server with client.pem; c is freed meanwhile, as a reload would. */
static void connect_with(struct tls_client *c)
{
	struct tls_server *s = server_of("client.pem", "client.key");
	begin(c);
	ck_assert_int_eq(tls_accept(s, &server.transport), E_OK);
	tls_client_free(c);
	tls_server_free(s);
	settle();
}

static void pin_of_file(const char *path, uint8_t out[CRYPTO_DIGEST_MAX])
{
	BIO *bio = BIO_new_file(in_folder(path), "r");
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	uint8_t *der = NULL;
	const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	ck_assert_int_eq(crypto_digest(CRYPTO_SHA256, der, (size_t)len, out), E_OK);
	OPENSSL_free(der);
	X509_free(x);
	BIO_free(bio);
}

#define GOOD                                                                                       \
 {                                                                                                 \
  .names = "DNS:ns1.example,IP:192.0.2.1,IP:2001:db8::1", .from_days = -1, .to_days = 30,          \
  .by = &authority                                                                                 \
 }

/* --- names ----------------------------------------------------------------------------------- */

#define VOUCH "vouches for: "

START_TEST(the_name_has_to_be_right)
{
	static const struct {
		struct wish wish;
		const char *hostname, *ca, *reason; /* NULL: it is the right one */
	} rows[] = {
		{ GOOD, "ns1.example", "authority.pem", NULL },
		{ GOOD, "NS1.Example", "authority.pem", NULL },
		{ GOOD, "192.0.2.1", "authority.pem", NULL },
		{ GOOD, "2001:db8::1", "authority.pem", NULL },
		{ GOOD, "192.0.2.2", "authority.pem", "not for its tls-hostname \"192.0.2.2\"" },
		{ GOOD, "ns2.example", "authority.pem",
		  "shows a certificate for \"ns1.example\", and not for its tls-hostname "
		  "\"ns2.example\"" },
		{ GOOD, "example", "authority.pem", "not for its tls-hostname" },
		/* The common name is none. */
		{ GOOD, "cn.example", "authority.pem", "not for its tls-hostname" },
		{ { .from_days = -1, .to_days = 30, .by = &authority },
		  "cn.example",
		  "authority.pem",
		  "shows a certificate for no name at all" },
		{ { .names = "DNS:*.n.example", .from_days = -1, .to_days = 30, .by = &authority },
		  "ns1.n.example",
		  "authority.pem",
		  NULL },
		{ { .names = "DNS:*.n.example", .from_days = -1, .to_days = 30, .by = &authority },
		  "a.ns1.n.example",
		  "authority.pem",
		  "not for its tls-hostname" },
		{ { .names = "DNS:n*.n.example", .from_days = -1, .to_days = 30, .by = &authority },
		  "ns1.n.example",
		  "authority.pem",
		  "not for its tls-hostname" },
		/* Text for terminals and logs. */
		{ { .raw = "\033[31m\"x",
		    .raw_len = 7,
		    .from_days = -1,
		    .to_days = 30,
		    .by = &authority },
		  "ns1.example",
		  "authority.pem",
		  "shows a certificate for \"\\x1b[31m\"x\", and" },
		/* Authorities. */
		{ GOOD, "ns1.example", "stranger.pem", VOUCH },
		{ GOOD, "ns1.example", "", VOUCH },
		{ { .names = "DNS:ns1.example", .from_days = -1, .to_days = 30, .by = &between },
		  "ns1.example",
		  "between.pem",
		  NULL },
		{ { .names = "DNS:ns1.example", .from_days = -1, .to_days = 30, .by = &between },
		  "ns1.example",
		  "authority.pem",
		  VOUCH },
		{ { .names = "DNS:ns1.example", .from_days = -1, .to_days = 30 },
		  "ns1.example",
		  "authority.pem",
		  VOUCH },
		{ { .names = "DNS:ns1.example", .from_days = -1, .to_days = 30 },
		  "ns1.example",
		  "client.pem",
		  NULL },
		/* Times and purposes. */
		{ { .names = "DNS:ns1.example", .from_days = -9, .to_days = -1, .by = &authority },
		  "ns1.example",
		  "authority.pem",
		  "shows a certificate that expired on " },
		{ { .names = "DNS:ns1.example", .from_days = 1, .to_days = 30, .by = &authority },
		  "ns1.example",
		  "authority.pem",
		  "shows a certificate that is not valid before " },
		{ { .names = "DNS:ns1.example",
		    .purposes = "clientAuth",
		    .from_days = -1,
		    .to_days = 30,
		    .by = &authority },
		  "ns1.example",
		  "authority.pem",
		  VOUCH },
		{ { .names = "DNS:ns1.example",
		    .purposes = "serverAuth",
		    .from_days = -1,
		    .to_days = 30,
		    .by = &authority },
		  "ns1.example",
		  "authority.pem",
		  NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make_client(&rows[i].wish);
		connect_with(client_of(rows[i].hostname, rows[i].ca, NULL, 0));
		const char *reason = tls_failure(&client.transport);
		ck_assert_msg(tls_is_open(&client.transport) == (rows[i].reason == NULL),
			      "row %zu: %s", i, reason);
		ck_assert_msg(client.has_failed == (rows[i].reason != NULL), "row %zu", i);
		ck_assert_msg(rows[i].reason == NULL ? *reason == '\0'
						     : strstr(reason, rows[i].reason) != NULL,
			      "row %zu: %s", i, reason);
		ck_assert_uint_lt(strlen(reason), 300);
		end();
	}
}
END_TEST

/* --- pins ------------------------------------------------------------------------------------ */

START_TEST(the_pin_has_to_be_right)
{
	static const struct wish wishes[] = {
		GOOD, { .from_days = -9, .to_days = -1 } /* of nobody, for nobody, and over */
	};
	uint8_t pins[3][CRYPTO_DIGEST_MAX] = { { 1 }, { 2 }, { 3 } };
	uint8_t list[3 * TLS_PIN_LEN];
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		make_client(&wishes[i]);
		for (size_t right = 0; right < 4; right++) {
			for (size_t k = 0; k < 3; k++) {
				memset(pins[k], (int)k, TLS_PIN_LEN);
				if (k == right) {
					pin_of_file("client.pem", pins[k]);
				}
				memcpy(list + k * TLS_PIN_LEN, pins[k], TLS_PIN_LEN);
			}
			connect_with(client_of("", "", list, 3));
			ck_assert_uint_eq(tls_is_open(&client.transport), right < 3);
			char text[64] = "";
			char said[128];
			pin_of_file("client.pem", pins[0]);
			text_to_base64(pins[0], TLS_PIN_LEN, text);
			(void)snprintf(said, sizeof(said),
				       "shows a key with the pin %s, which is none of its tls-pins",
				       text);
			ck_assert(right < 3 ||
				  strstr(tls_failure(&client.transport), said) != NULL);
			end();
		}
	}
}
END_TEST

/* Where there are both, both. */
START_TEST(name_and_pin_have_to_be_right)
{
	const struct wish good = GOOD;
	uint8_t pin[CRYPTO_DIGEST_MAX];
	make_client(&good);
	for (unsigned i = 0; i < 4; i++) {
		pin_of_file("client.pem", pin);
		pin[0] ^= (i & 1) != 0 ? 1 : 0;
		connect_with(client_of((i & 2) != 0 ? "ns2.example" : "ns1.example",
				       "authority.pem", pin, 1));
		ck_assert_uint_eq(tls_is_open(&client.transport), i == 0);
		end();
	}
}
END_TEST

/* --- octets ---------------------------------------------------------------------------------- */

START_TEST(octets_go_both_ways)
{
	static uint8_t big[100000];
	static const size_t slices[] = { 0, 1, 7, 1000 };
	const struct wish good = GOOD;
	make_client(&good);
	for (size_t i = 0; i < sizeof(big); i++) {
		big[i] = (uint8_t)(i * 7 + i / 256);
	}
	for (size_t i = 0; i < ARRAY_LEN(slices); i++) {
		slice = slices[i];
		connect_with(client_of("ns1.example", "authority.pem", NULL, 0));
		ck_assert(tls_is_open(&client.transport));
		write_to(&client, (const uint8_t *)"hello", 5);
		ck_assert_uint_eq(server.got.len, 5);
		ck_assert_mem_eq(server.got.data, "hello", 5);
		write_to(&server, big, sizeof(big));
		ck_assert_uint_eq(client.got.len, sizeof(big));
		ck_assert_mem_eq(client.got.data, big, sizeof(big));
		struct transport_wire wire = { .out = &server.out };
		server.transport.ops->end(server.transport.state, &wire);
		settle();
		ck_assert(client.has_failed);
		ck_assert_str_eq(tls_failure(&client.transport), "ends the connection");
		end();
	}
}
END_TEST

/* What speaks something else. */
START_TEST(garbage_is_none_of_it)
{
	struct unit_random r = { 5 };
	struct tls_client *c = client_of("ns1.example", "authority.pem", NULL, 0);
	for (unsigned i = 0; i < 500; i++) {
		uint8_t octets[600];
		const size_t len = 1 + unit_random_below(&r, sizeof(octets) - 1);
		for (size_t k = 0; k < len; k++) {
			octets[k] = (uint8_t)unit_random_next(&r);
		}
		if (i % 2 != 0 && len > 5) { /* as a record of a handshake */
			memcpy(octets, "\x16\x03\x03\0", 4);
			octets[4] = (uint8_t)(len - 5);
		}
		begin(c);
		buf_add(&server.out, octets, len);
		(void)pass(&server, &client);
		ck_assert(!tls_is_open(&client.transport));
		ck_assert(!client.has_failed || *tls_failure(&client.transport) != '\0');
		end();
	}
	begin(c);
	buf_add(&server.out, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	(void)pass(&server, &client);
	ck_assert(client.has_failed);
	ck_assert_ptr_nonnull(
		strstr(tls_failure(&client.transport), "does not speak TLS at this port"));
	end();
	tls_client_free(c);
}
END_TEST

/* --- files ----------------------------------------------------------------------------------- */

START_TEST(files_have_to_be_right)
{
	static const struct {
		const char *ca, *certificate, *key, *reason;
		int err;
	} rows[] = {
		{ "authority.pem", "a.pem", "a.key", NULL, E_OK },
		{ "none.pem", "", "", "none.pem", E_NOENT },
		{ "empty", "", "", "there is no certificate in it", E_SYNTAX },
		{ "half.pem", "", "", "is damaged", E_SYNTAX },
		{ "authority.pem", "a.pem", "b.key", "this is not the key of the certificate",
		  E_MISMATCH },
		{ "authority.pem", "a.pem", "open.key", "others can read it", E_PERM },
		{ "authority.pem", "a.key", "a.key", "there is no certificate in it", E_SYNTAX },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const bool has_own = *rows[i].certificate != '\0';
		const struct tls_expected want = {
			.hostname = "ns1.example",
			.ca = in_folder(rows[i].ca),
			.certificate = has_own ? in_folder(rows[i].certificate) : no_file,
			.key = has_own ? in_folder(rows[i].key) : no_file
		};
		struct tls_client *c = NULL;
		struct errmsg em = { "" };
		ck_assert_int_eq(tls_client_new(&want, &c, &em), rows[i].err);
		ck_assert_msg(rows[i].reason == NULL || strstr(em.text, rows[i].reason) != NULL,
			      "row %zu: %s", i, em.text);
		ck_assert(rows[i].reason != NULL || tls_client_certificate(c)->after != 0);
		tls_client_free(c);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("tls_client");
	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, make_files, remove_files);
	tcase_add_test(tc, the_name_has_to_be_right);
	tcase_add_test(tc, the_pin_has_to_be_right);
	tcase_add_test(tc, name_and_pin_have_to_be_right);
	tcase_add_test(tc, octets_go_both_ways);
	tcase_add_test(tc, garbage_is_none_of_it);
	tcase_add_test(tc, files_have_to_be_right);
	return unit_run("server/tls_client", tc);
}

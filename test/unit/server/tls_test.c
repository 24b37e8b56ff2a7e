/* test/unit/server/tls_test.c - the server's side of TLS in a stream, over a real pair of sockets: libssl as
 * client in good and in bad faith, clients that speak something else, files that are not what they should be. */
#include "server/tls.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "server/tls_load.h"
#include "test/unit/server/stream_kit.h"
#include "test/unit/server/tls_kit.h"

/* --- pairs ----------------------------------------------------------------------------------- */

/* What the client has beside its socket. */
struct far {
	SSL_CTX *ctx;
	SSL *ssl;
};

static ssize_t client_recv(struct pair *p, uint8_t *to, size_t room)
{
	size_t n = 0;
	if (SSL_read_ex(p->far->ssl, to, room, &n) == 1) {
		return (ssize_t)n;
	}
	return SSL_get_error(p->far->ssl, 0) == SSL_ERROR_WANT_READ ? -1 : 0;
}

/* Without a client of libssl's. */
static void pair_open(struct pair *p, const struct tls_server *server)
{
	struct transport transport;
	ck_assert_int_eq(tls_accept(server, &transport), E_OK);
	pair_start(p, &transport);
	p->far = calloc(1, sizeof(*p->far));
	p->receive = client_recv;
	p->more_in = 16384; /* a record */
	p->more_out = 8192;
}

static void pair_close(struct pair *p)
{
	SSL_free(p->far->ssl);
	SSL_CTX_free(p->far->ctx);
	free(p->far);
	pair_end(p);
}

/* How the client is set up. */
struct client {
	int version; /* the only one; 0: what there is */
	const char *ciphers;
	const char *protocols; /* ALPN, as on the wire */
	SSL_SESSION *session;
	bool has_certificate; /* client.pem */
};

static void client_new(struct pair *p, const struct client *how)
{
	p->far->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(p->far->ctx, 0);
	ck_assert_int_eq(SSL_CTX_set_min_proto_version(p->far->ctx, how->version), 1);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(p->far->ctx, how->version), 1);
	if (how->ciphers != NULL) {
		ck_assert_int_eq(SSL_CTX_set_cipher_list(p->far->ctx, how->ciphers), 1);
	}
	if (how->has_certificate) {
		ck_assert_int_eq(SSL_CTX_use_certificate_file(p->far->ctx, in_folder("client.pem"),
							      SSL_FILETYPE_PEM),
				 1);
		ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(p->far->ctx, in_folder("client.key"),
							     SSL_FILETYPE_PEM),
				 1);
	}
	p->far->ssl = SSL_new(p->far->ctx);
	if (how->protocols != NULL) {
		ck_assert_int_eq(SSL_set_alpn_protos(p->far->ssl, (const uint8_t *)how->protocols,
						     (unsigned)strlen(how->protocols)),
				 0);
	}
	if (how->session != NULL) {
		ck_assert_int_eq(SSL_set_session(p->far->ssl, how->session), 1);
	}
	ck_assert_int_eq(SSL_set_fd(p->far->ssl, p->client), 1);
}

/* True: the handshake is done on both sides. */
static bool shake_hands(struct pair *p)
{
	for (unsigned i = 0; i < STRESSED(1000U, 100000U); i++) {
		int done = SSL_connect(p->far->ssl);
		if (done == 1) {
			return settle(p) == STREAM_READS;
		}
		if (SSL_get_error(p->far->ssl, done) != SSL_ERROR_WANT_READ) {
			return false;
		}
		(void)turn(p);
	}
	ck_abort_msg("no end of the handshake");
	return false;
}

static void pair_connect(struct pair *p, const struct tls_server *server, const struct client *how)
{
	pair_open(p, server);
	client_new(p, how);
	ck_assert(shake_hands(p));
	ck_assert_uint_eq(p->asked, 0);
}

static void send_all(struct pair *p, const void *octets, size_t len)
{
	size_t n = 0;
	ck_assert_int_eq(SSL_write_ex(p->far->ssl, octets, len, &n), 1);
	ck_assert_uint_eq(n, len);
}

static void ask(struct pair *p)
{
	uint8_t m[64];
	send_all(p, m, frame(m, 12, 300, 'q'));
	expect(p, 300, 'q');
}

/* --- good faith ------------------------------------------------------------------------------ */

START_TEST(a_query_is_answered)
{
	static const struct client clients[] = {
		{ .version = TLS1_3_VERSION },
		{ .version = TLS1_2_VERSION },
		{ .protocols = "\3dot" },
		{ .protocols = "\2h2\3dot" },
	};
	struct pair p;
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &clients[_i]);
	ask(&p);
	ask(&p);
	ck_assert_uint_eq(p.asked, 2);
	ck_assert_uint_eq(p.turn.answered, 1);
	ck_assert_int_eq(SSL_version(p.far->ssl),
			 clients[_i].version != 0 ? clients[_i].version : TLS1_3_VERSION);
	const uint8_t *protocol;
	unsigned len;
	SSL_get0_alpn_selected(p.far->ssl, &protocol, &len);
	ck_assert_uint_eq(len, clients[_i].protocols != NULL ? 3 : 0);
	/* Nothing is kept for a client that has nothing to say. */
	ck_assert_uint_eq(p.stream.held.cap, 0);
	ck_assert_uint_eq(p.stream.unsent.cap, 0);
	pair_close(&p);
	tls_server_free(server);
	tls_server_free(NULL);
}
END_TEST

START_TEST(many_queries_at_once)
{
	struct pair p;
	uint8_t m[8000];
	size_t len = 0;
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &(struct client){ 0 });
	for (uint8_t i = 0; i < 200; i++) {
		len += frame(m + len, 3 + i % 17, 1 + i, i);
	}
	send_all(&p, m, len);
	for (uint8_t i = 0; i < 200; i++) {
		expect(&p, 1 + i, i);
	}
	for (uint8_t i = 0; i < 200; i++) { /* each in a record of its own */
		send_all(&p, m, frame(m, 12, 1 + i, i));
	}
	for (uint8_t i = 0; i < 200; i++) {
		expect(&p, 1 + i, i);
	}
	ck_assert_uint_eq(p.asked, 400);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

/* The longest message there is, in records of 16 KiB, in pieces that end anywhere. */
START_TEST(long_messages_in_pieces)
{
	static uint8_t m[2 + 65535];
	struct pair p;
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &(struct client){ 0 });
	size_t len = frame(m, 65535, 65535, 'z');
	for (size_t at = 0, n = 1; at < len; at += n, n = n * 3 + 1) {
		n = n < len - at ? n : len - at;
		send_all(&p, m + at, n);
		(void)settle(&p);
	}
	expect(&p, 65535, 'z');
	ask(&p);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

/* Octet by octet as the network may bring them, from the first of the handshake. */
START_TEST(octets_come_one_by_one)
{
	struct pair p;
	uint8_t octets[4096], m[64];
	int far[2];
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_open(&p, server);
	client_new(&p, &(struct client){ 0 });
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, far), 0);
	ck_assert_int_eq(SSL_set_fd(p.far->ssl, far[0]), 1);
	bool is_asked = false;
	size_t got = 0;
	for (unsigned i = 0; i < 1000 && got == 0; i++) {
		if (SSL_connect(p.far->ssl) == 1 && !is_asked) {
			send_all(&p, m, frame(m, 12, 300, 'q'));
			is_asked = true;
		}
		ssize_t n = recv(far[1], octets, sizeof(octets), 0);
		for (ssize_t k = 0; k < n; k++) {
			ck_assert_int_eq(send(p.client, octets + k, 1, 0), 1);
			ck_assert_int_eq(turn(&p), STREAM_READS);
		}
		n = recv(p.client, octets, sizeof(octets), 0);
		ck_assert(n <= 0 || send(far[1], octets, (size_t)n, 0) == n);
		(void)SSL_read_ex(p.far->ssl, octets, sizeof(octets), &got);
	}
	ck_assert_uint_eq(got, 302);
	pair_close(&p);
	(void)close(far[0]);
	(void)close(far[1]);
	tls_server_free(server);
}
END_TEST

START_TEST(a_client_that_does_not_read)
{
	struct pair p;
	uint8_t m[64];
	unsigned count = 0;
	size_t n;
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &(struct client){ 0 });
	size_t len = frame(m, 12, 10000, 'a');
	while (count < 100000 && SSL_write_ex(p.far->ssl, m, len, &n) == 1) {
		count++;
		(void)turn(&p);
	}
	ck_assert_int_eq(turn(&p), STREAM_WRITES);
	ck_assert_uint_lt(p.asked, count);
	unsigned asked = p.asked;
	ck_assert_int_eq(turn(&p), STREAM_WRITES);
	ck_assert_uint_eq(p.asked, asked);
	for (unsigned i = 0; i < count; i++) {
		expect(&p, 10000, 'a');
	}
	ck_assert_uint_eq(p.asked, count);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

START_TEST(who_comes_back_is_known)
{
	struct pair p;
	const int version = _i == 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &(struct client){ .version = version });
	ask(&p);
	SSL_SESSION *session = SSL_get1_session(p.far->ssl);
	(void)SSL_shutdown(p.far->ssl);
	pair_close(&p);
	pair_connect(&p, server, &(struct client){ .version = version, .session = session });
	ask(&p);
	ck_assert_int_eq(SSL_session_reused(p.far->ssl), 1);
	pair_close(&p);
	SSL_SESSION_free(session);
	tls_server_free(server);
}
END_TEST

/* --- the end --------------------------------------------------------------------------------- */

START_TEST(a_client_that_takes_leave)
{
	struct pair p;
	uint8_t m[64], octet;
	size_t n;
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &(struct client){ 0 });
	send_all(&p, m, frame(m, 12, 60000, 'a'));
	ck_assert_int_eq(SSL_shutdown(p.far->ssl), 0);
	ck_assert_int_eq(settle(&p), STREAM_FINISHED);
	expect(&p, 60000, 'a');
	stream_close(&p.stream);
	ck_assert_int_eq(SSL_read_ex(p.far->ssl, &octet, 1, &n), 0);
	ck_assert_int_eq(SSL_get_error(p.far->ssl, 0),
			 SSL_ERROR_ZERO_RETURN); /* so does the server */
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

START_TEST(a_client_that_just_ends)
{
	struct pair p;
	uint8_t m[64];
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &(struct client){ 0 });
	send_all(&p, m, frame(m, 12, 60000, 'a'));
	ck_assert_int_eq(shutdown(p.client, SHUT_WR), 0);
	ck_assert_int_eq(settle(&p), STREAM_FINISHED);
	expect(&p, 60000, 'a');
	pair_close(&p);

	pair_connect(&p, server, &(struct client){ 0 });
	send_all(&p, m, frame(m, 12, 60000, 'a'));
	(void)close(p.client);
	p.client = -1;
	ck_assert_int_eq(settle(&p), STREAM_FINISHED);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

START_TEST(the_server_takes_leave)
{
	struct pair p;
	uint8_t octet;
	size_t n;
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &(struct client){ 0 });
	ask(&p);
	stream_close(&p.stream);
	ck_assert_int_eq(SSL_read_ex(p.far->ssl, &octet, 1, &n), 0);
	ck_assert_int_eq(SSL_get_error(p.far->ssl, 0), SSL_ERROR_ZERO_RETURN);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

/* --- bad faith ------------------------------------------------------------------------------- */

START_TEST(a_handshake_that_is_refused)
{
	static const struct client clients[] = {
		{ .version = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0" },
		{ .version = TLS1_VERSION, .ciphers = "ALL:@SECLEVEL=0" },
		{ .version = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256" },
		{ .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA256" },
		{ .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES256-SHA" },
		{ .protocols = "\2h2\10http/1.1" },
		{ .protocols = "\4dota" },
	};
	struct pair p;
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_open(&p, server);
	client_new(&p, &clients[_i]);
	ck_assert(!shake_hands(&p));
	ck_assert_int_eq(settle(&p), STREAM_FINISHED);
	ck_assert_uint_eq(p.asked, 0);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

START_TEST(plain_dns_is_no_handshake)
{
	struct pair p;
	uint8_t m[64];
	struct tls_server *server = server_of("a.pem", "a.key");
	for (unsigned type = 0; type < 2; type++) {
		pair_open(&p, server);
		size_t len = frame(m, 40, 10, 'a');
		len = type == 0 ? len
				: (size_t)snprintf((char *)m, sizeof(m), "GET / HTTP/1.1\r\n\r\n");
		ck_assert_int_eq(send(p.client, m, len, 0), (ssize_t)len);
		ck_assert_int_eq(settle(&p), STREAM_FINISHED);
		ck_assert_uint_eq(p.asked, 0);
		pair_close(&p);
	}
	tls_server_free(server);
}
END_TEST

static void send_octets(struct pair *p, const uint8_t *octets, size_t len)
{
	for (size_t at = 0; at < len && p->state != STREAM_FINISHED;) {
		ssize_t n = send(p->client, octets + at, len - at, MSG_NOSIGNAL);
		at += n > 0 ? (size_t)n : 0;
		(void)settle(p);
	}
}

START_TEST(garbage_is_no_handshake)
{
	struct unit_random random = { 853 };
	uint8_t octets[3000];
	struct tls_server *server = server_of("a.pem", "a.key");
	for (unsigned run = 0; run < 1000; run++) {
		struct pair p;
		size_t len = unit_random_below(&random, sizeof(octets));
		for (size_t i = 0; i < len; i++) {
			octets[i] = (uint8_t)unit_random_next(&random);
		}
		if (run % 2 == 1 && len > 5) { /* a record, and a handshake in it */
			octets[0] = 22;
			octets[1] = 3;
			octets[2] = (uint8_t)(run % 4);
			octets[3] &= 0x3f;
			octets[5] = run % 8 == 1 ? 1 : octets[5];
		}
		pair_open(&p, server);
		send_octets(&p, octets, len);
		ck_assert_uint_eq(p.asked, 0);
		ck_assert_uint_eq(p.stream.held.cap, 0);
		pair_close(&p);
	}
	tls_server_free(server);
}
END_TEST

/* The first octets of a client. */
static size_t client_hello(const struct tls_server *server, uint8_t *out, size_t room)
{
	struct pair p;
	pair_open(&p, server);
	client_new(&p, &(struct client){ .protocols = "\3dot" });
	ck_assert_int_eq(SSL_connect(p.far->ssl), -1);
	ssize_t n = recv(p.stream.fd, out, room, 0);
	ck_assert_int_gt(n, 100);
	pair_close(&p);
	return (size_t)n;
}

START_TEST(half_a_handshake_waits_and_ends)
{
	uint8_t hello[4096];
	struct tls_server *server = server_of("a.pem", "a.key");
	size_t len = client_hello(server, hello, sizeof(hello));
	for (size_t n = 1; n <= len; n += 1 + n / 20) {
		struct pair p;
		pair_open(&p, server);
		ck_assert_int_eq(send(p.client, hello, n, 0), (ssize_t)n);
		ck_assert_int_eq(settle(&p), STREAM_READS);
		ck_assert_uint_eq(p.turn.answered, 0);
		ck_assert_int_eq(shutdown(p.client, SHUT_WR), 0);
		ck_assert_int_eq(settle(&p), STREAM_FINISHED);
		pair_close(&p);
	}
	tls_server_free(server);
}
END_TEST

/* No room is made for what a client only says that it will send. */
START_TEST(a_client_that_promises_much)
{
	static const struct {
		uint8_t octets[16];
		size_t len;
		enum stream_state state;
	} rows[] = {
		{ { 22, 3, 1, 0, 4, 1, 1, 255, 255 }, 9, STREAM_FINISHED },
		{ { 22, 3, 1, 0, 4, 1, 0, 0x40, 1 }, 9, STREAM_FINISHED },
		{ { 22, 3, 1, 0, 4, 1, 0, 0x40, 0 }, 9, STREAM_READS },
		{ { 22, 3, 1, 0, 3, 1, 1, 255 }, 8, STREAM_FINISHED },
		{ { 22, 3, 1, 0, 3 }, 5, STREAM_FINISHED },
		{ { 22, 3, 1, 0 }, 4, STREAM_READS },
	};
	struct tls_server *server = server_of("a.pem", "a.key");
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		struct pair p;
		size_t step = i % 2 == 0 ? rows[i / 2].len : 1;
		pair_open(&p, server);
		for (size_t at = 0; at < rows[i / 2].len && p.state == STREAM_READS; at += step) {
			ck_assert_int_eq(send(p.client, rows[i / 2].octets + at, step, 0),
					 (ssize_t)step);
			(void)settle(&p);
		}
		ck_assert_msg(p.state == rows[i / 2].state, "%zu", i);
		pair_close(&p);
	}
	tls_server_free(server);
}
END_TEST

START_TEST(changed_handshakes)
{
	struct unit_random random = { 7858 };
	uint8_t hello[4096], changed[4096];
	struct tls_server *server = server_of("a.pem", "a.key");
	size_t len = client_hello(server, hello, sizeof(hello));
	for (unsigned run = 0; run < 1000; run++) {
		struct pair p;
		memcpy(changed, hello, len);
		for (unsigned i = 0; i <= run % 4; i++) {
			changed[unit_random_below(&random, (uint32_t)len)] =
				(uint8_t)unit_random_next(&random);
		}
		pair_open(&p, server);
		send_octets(&p, changed, len);
		ck_assert_uint_eq(p.asked, 0);
		pair_close(&p);
	}
	tls_server_free(server);
}
END_TEST

/* Records that were changed on their way are not read, and what was before them is answered. */
START_TEST(a_changed_record_ends_it)
{
	struct pair p;
	uint8_t m[64], record[4096];
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &(struct client){ 0 });
	ask(&p);
	send_all(&p, m, frame(m, 12, 300, 'x'));
	ssize_t n = recv(p.stream.fd, record, sizeof(record), 0);
	ck_assert_int_gt(n, 20);
	record[n - 3] ^= 1;
	ck_assert_int_eq(send(p.client, record, (size_t)n, 0), n);
	ck_assert_int_eq(settle(&p), STREAM_FINISHED);
	ck_assert_uint_eq(p.asked, 1);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

START_TEST(no_second_handshake)
{
	struct pair p;
	uint8_t octet;
	size_t n;
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &(struct client){ .version = TLS1_2_VERSION });
	ask(&p);
	ck_assert_int_eq(SSL_renegotiate(p.far->ssl), 1);
	(void)SSL_do_handshake(p.far->ssl);
	for (unsigned i = 0; i < 10; i++) {
		(void)settle(&p);
		(void)SSL_read_ex(p.far->ssl, &octet, 1, &n);
	}
	ck_assert_int_eq(SSL_renegotiate_pending(p.far->ssl) == 1 || p.state == STREAM_FINISHED, 1);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

/* New keys as often as the client likes, which it has to take the answers of. */
START_TEST(key_updates_go_on)
{
	struct pair p;
	struct tls_server *server = server_of("a.pem", "a.key");
	pair_connect(&p, server, &(struct client){ .version = TLS1_3_VERSION });
	for (unsigned i = 0; i < 20; i++) {
		ck_assert_int_eq(SSL_key_update(p.far->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		ask(&p);
	}
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

/* --- certificates ---------------------------------------------------------------------------- */

/* The name in the certificate that the client sees, one letter. */
static char seen(const struct pair *p)
{
	char name[16] = "";
	X509 *x = SSL_get1_peer_certificate(p->far->ssl);
	ck_assert_ptr_nonnull(x);
	(void)X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name,
					sizeof(name));
	X509_free(x);
	return name[0];
}

START_TEST(certificates_are_exchanged)
{
	struct pair before, after, back;
	struct tls_server *a = server_of("a.pem", "a.key");
	pair_connect(&before, a, &(struct client){ 0 });
	ask(&before);
	SSL_SESSION *session = SSL_get1_session(before.far->ssl);
	struct tls_server *b = server_of("b.pem", "b.key");
	tls_server_free(a);
	pair_connect(&after, b, &(struct client){ 0 });
	pair_connect(&back, b, &(struct client){ .session = session });
	ask(&before);
	ask(&after);
	ask(&back);
	ck_assert_int_eq(seen(&before), 'a');
	ck_assert_int_eq(seen(&after), 'b');
	ck_assert_int_eq(seen(&back), 'b'); /* what the old one has given is worth nothing */
	ck_assert_int_eq(SSL_session_reused(back.far->ssl), 0);
	tls_server_free(b);
	ask(&after);
	pair_close(&before);
	pair_close(&after);
	pair_close(&back);
	SSL_SESSION_free(session);
}
END_TEST

START_TEST(the_chain_is_sent)
{
	struct pair p;
	struct tls_server *server = server_of("a.chain", "group.key");
	pair_connect(&p, server, &(struct client){ 0 });
	ck_assert_int_eq(sk_X509_num(SSL_get_peer_cert_chain(p.far->ssl)), 2);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

START_TEST(bad_files_are_explained)
{
	static const struct {
		const char *certificate, *key;
		int err;
		const char *said, *remedy;
	} rows[] = {
		{ "none.pem", "a.key", E_NOENT, "none.pem", "" },
		{ "a.pem", "none.key", E_NOENT, "none.key", "" },
		{ "", "a.key", E_INVAL, "directory", "" },
		{ "empty", "a.key", E_SYNTAX, "no certificate", "BEGIN CERTIFICATE" },
		{ "a.pem", "empty", E_SYNTAX, "no private key", "BEGIN PRIVATE KEY" },
		{ "half.pem", "a.key", E_SYNTAX, "half.pem: ", "damaged" },
		{ "a.pem", "half.key", E_SYNTAX, "half.key: ", "damaged" },
		{ "a.key", "a.key", E_SYNTAX, "a.key: there is no certificate", "" },
		{ "a.pem", "a.pem", E_PERM, "a.pem: others can read it", "" },
		{ "a.pem", "b.key", E_MISMATCH, "b.key: this is not the key of",
		  "belong together" },
		{ "a.pem", "open.key", E_PERM, "mode 0604", "chmod o= " },
		{ "a.pem", "a.locked", E_PERM, "encrypted", "openssl pkey -in " },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct tls_files files = { in_folder(rows[i].certificate),
						 in_folder(rows[i].key), NULL };
		struct tls_server *server = NULL;
		struct errmsg em = { "" };
		int err = tls_server_new(&files, &server, &em);
		ck_assert_ptr_null(server);
		ck_assert_msg(err == rows[i].err, "%zu: %d %s", i, err, em.text);
		ck_assert_msg(strstr(em.text, rows[i].said) != NULL, "%s", em.text);
		ck_assert_msg(strstr(em.text, rows[i].remedy) != NULL, "%s", em.text);
		ck_assert_ptr_nonnull(strstr(em.text, folder));
	}
}
END_TEST

START_TEST(validity_is_looked_at)
{
	static const struct {
		const char *certificate, *key, *said;
	} rows[] = { { "a.pem", "a.key", NULL },
		     { "old.pem", "old.key", "expired on" },
		     { "new.pem", "new.key", "not valid before" } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct findings f = { 0 };
		struct tls_server *server = NULL;
		const struct address addresses[1] = { { .len = 0 } };
		const struct config_server c = { .listen_tls = { addresses, 1, false },
						 .tls_certificate = in_folder(rows[i].certificate),
						 .tls_key = in_folder(rows[i].key),
						 .tls_client_ca = "" };
		int64_t now = (int64_t)time(NULL);
		ck_assert_int_eq(tls_load(&c, now, &server, &f), E_OK);
		ck_assert_uint_eq(f.count, rows[i].said != NULL);
		ck_assert(rows[i].said == NULL || strstr(f.items[0].text, rows[i].said) != NULL);
		const struct tls_certificate *cert = tls_server_certificate(server);
		ck_assert_str_eq(cert->subject, i == 0	 ? "CN = a"
						: i == 1 ? "CN = old"
							 : "CN = new");
		ck_assert_int_eq(cert->after - cert->before, (int64_t)DAY * (i == 0 ? 31 : 29));
		findings_clear(&f);
		tls_server_free(server);
	}
	struct findings f = { 0 };
	struct tls_server *server = NULL;
	const struct config_server none = { .tls_certificate = "",
					    .tls_key = "",
					    .tls_client_ca = "" };
	ck_assert_int_eq(tls_load(&none, 0, &server, &f), E_OK);
	ck_assert_ptr_null(server);
}
END_TEST

/* --- certificates of clients ----------------------------------------------------------------- */

static const int versions[] = { TLS1_3_VERSION, TLS1_2_VERSION };

static struct dname_list names_of(const struct pair *p)
{
	return p->stream.transport.ops->names(p->stream.transport.state);
}

static const struct {
	struct wish wish;
	const char *names;
	size_t len;
} named[] = {
	{ { .names = "DNS:a.example" }, "\1a\7example", 11 },
	{ { .names = "DNS:a.example,IP:192.0.2.1,email:x@b.example,URI:c:d,DNS:B_-9.Example" },
	  "\1a\7example\0\4B_-9\7Example",
	  25 },
	{ { .names = "DNS:a.example." }, "\1a\7example", 11 },
	{ { .names = NULL }, "", 0 }, /* the common name is none */
	{ { .names = "DNS:*.example" }, "", 0 },
	{ { .names = "DNS:a..example,DNS:b.example" }, "\1b\7example", 11 },
	{ { .raw = "a.example\0.b", .raw_len = 12 }, "", 0 },
	{ { .raw = "a\\.b.example", .raw_len = 12 }, "", 0 },
	{ { .raw = "a\\097.example", .raw_len = 13 }, "", 0 },
	{ { .raw = "", .raw_len = 0 }, "", 0 },
	{ { .raw = "a.example ", .raw_len = 10 }, "", 0 },
	{ { .raw = "a.\xc3\xa4", .raw_len = 4 }, "", 0 },
	{ { .names = "DNS:a.example", .purposes = "clientAuth" }, "\1a\7example", 11 },
	{ { .names = "DNS:a.example", .purposes = "serverAuth,clientAuth" }, "\1a\7example", 11 },
};

START_TEST(names_of_a_client)
{
	struct pair p;
	struct wish wish = named[_i].wish;
	wish.from_days = -1;
	wish.to_days = 1;
	wish.by = &authority;
	make_client(&wish);
	struct tls_server *server = asking_server("a.pem", "a.key", "authority.pem");
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct client how = { .version = versions[i], .has_certificate = true };
		pair_connect(&p, server, &how);
		ask(&p);
		const struct dname_list names = names_of(&p);
		ck_assert_uint_eq(names.len, named[_i].len);
		ck_assert(names.len == 0 || memcmp(names.octets, named[_i].names, names.len) == 0);
		ck_assert_ptr_eq(names_of(&p).octets, names.octets);
		pair_close(&p);
	}
	tls_server_free(server);
}
END_TEST

START_TEST(who_needs_no_certificate)
{
	struct pair p;
	make_client(&(struct wish){
		.names = "DNS:a.example", .from_days = -1, .to_days = 1, .by = &authority });
	struct tls_server *asking = asking_server("a.pem", "a.key", "authority.pem");
	struct tls_server *other = server_of("a.pem", "a.key");
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		pair_open(&p, asking);
		ck_assert_uint_eq(names_of(&p).len, 0); /* before the handshake */
		pair_close(&p);
		pair_connect(&p, asking, &(struct client){ .version = versions[i] });
		ask(&p);
		ck_assert_uint_eq(names_of(&p).len, 0);
		pair_close(&p);
		/* Not asked for. */
		pair_connect(&p, other,
			     &(struct client){ .version = versions[i], .has_certificate = true });
		ask(&p);
		ck_assert_uint_eq(names_of(&p).len, 0);
		pair_close(&p);
	}
	tls_server_free(asking);
	tls_server_free(other);
}
END_TEST

static const struct {
	struct wish wish;
	const char *client_ca;
	bool good;
} trust[] = {
	{ { .from_days = -1, .to_days = 1, .by = &authority }, "authority.pem", true },
	{ { .from_days = -1, .to_days = 1, .by = &stranger }, "authority.pem", false },
	{ { .from_days = -1, .to_days = 1 }, "authority.pem", false },
	{ { .from_days = -2, .to_days = -1, .by = &authority }, "authority.pem", false },
	{ { .from_days = 1, .to_days = 2, .by = &authority }, "authority.pem", false },
	{ { .from_days = -1, .to_days = 1, .by = &authority, .purposes = "serverAuth" },
	  "authority.pem",
	  false },
	/* One between is trusted where it is in the file, and needs to be there where the client does not send it. */
	{ { .from_days = -1, .to_days = 1, .by = &between }, "between.pem", true },
	{ { .from_days = -1, .to_days = 1, .by = &between }, "authority.pem", false },
	{ { .from_days = -1, .to_days = 1, .by = &authority }, "between.pem", false },
	/* So is that of the client itself. */
	{ { .from_days = -1, .to_days = 1 }, "client.pem", true },
	{ { .from_days = -1, .to_days = 1, .by = &stranger }, "client.pem", true },
};

START_TEST(who_is_trusted)
{
	struct pair p;
	struct wish wish = trust[_i].wish;
	wish.names = "DNS:a.example";
	make_client(&wish);
	struct tls_server *server = asking_server("a.pem", "a.key", trust[_i].client_ca);
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		pair_open(&p, server);
		client_new(&p, &(struct client){ .version = versions[i], .has_certificate = true });
		ck_assert_int_eq(shake_hands(&p), trust[_i].good);
		if (trust[_i].good) {
			ask(&p);
			ck_assert_uint_eq(names_of(&p).len, 11);
		} else {
			ck_assert_int_eq(settle(&p), STREAM_FINISHED);
			ck_assert_uint_eq(p.asked, 0);
			ck_assert_uint_eq(names_of(&p).len, 0);
		}
		pair_close(&p);
	}
	tls_server_free(server);
}
END_TEST

/* A ticket has the certificate in it, whose names are known again; one of a client without has none. */
START_TEST(a_client_that_comes_back_has_its_name)
{
	struct pair p;
	const bool has_certificate = _i < 2;
	const int version = versions[_i % 2];
	make_client(&(struct wish){
		.names = "DNS:a.example", .from_days = -1, .to_days = 1, .by = &authority });
	struct tls_server *server = asking_server("a.pem", "a.key", "authority.pem");
	pair_connect(&p, server,
		     &(struct client){ .version = version, .has_certificate = has_certificate });
	ask(&p);
	SSL_SESSION *session = SSL_get1_session(p.far->ssl);
	(void)SSL_shutdown(p.far->ssl);
	pair_close(&p);
	pair_connect(&p, server, &(struct client){ .version = version, .session = session });
	ask(&p);
	ck_assert_int_eq(SSL_session_reused(p.far->ssl), 1);
	ck_assert_uint_eq(names_of(&p).len, has_certificate ? 11 : 0);
	pair_close(&p);
	tls_server_free(server);
	/* Another server, with other authorities, takes no ticket of this one. */
	server = asking_server("a.pem", "a.key", "stranger.pem");
	pair_connect(&p, server, &(struct client){ .version = version, .session = session });
	ask(&p);
	ck_assert_int_eq(SSL_session_reused(p.far->ssl), 0);
	ck_assert_uint_eq(names_of(&p).len, 0);
	pair_close(&p);
	SSL_SESSION_free(session);
	tls_server_free(server);
}
END_TEST

START_TEST(many_names_are_cut)
{
	struct pair p;
	struct buf names = { 0 };
	for (unsigned i = 0; i < 150; i++) {
		buf_printf(&names, "%sDNS:n%03u.%060u", i != 0 ? "," : "", i, 0);
		buf_str(&names, ".a.example");
	}
	make_client(&(struct wish){
		.names = names.data, .from_days = -1, .to_days = 1, .by = &authority });
	buf_clear(&names);
	struct tls_server *server = asking_server("a.pem", "a.key", "authority.pem");
	pair_connect(&p, server, &(struct client){ .has_certificate = true });
	ask(&p);
	ck_assert_uint_gt(names_of(&p).len, TLS_NAMES_MAX - DNAME_MAX);
	ck_assert_uint_le(names_of(&p).len, TLS_NAMES_MAX);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

/* A chain of more than anybody needs is not read. */
START_TEST(long_chains_are_refused)
{
	struct pair p;
	struct buf names = { 0 };
	for (unsigned i = 0; i < 1000; i++) {
		buf_printf(&names, "%sDNS:n%03u.example.example", i != 0 ? "," : "", i);
	}
	make_client(&(struct wish){
		.names = names.data, .from_days = -1, .to_days = 1, .by = &authority });
	buf_clear(&names);
	struct tls_server *server = asking_server("a.pem", "a.key", "authority.pem");
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		pair_open(&p, server);
		client_new(&p, &(struct client){ .version = versions[i], .has_certificate = true });
		ck_assert(!shake_hands(&p));
		ck_assert_int_eq(settle(&p), STREAM_FINISHED);
		pair_close(&p);
	}
	tls_server_free(server);
}
END_TEST

START_TEST(bad_authorities_are_explained)
{
	static const struct {
		const char *client_ca;
		int err;
		const char *said;
	} rows[] = { { "none.pem", E_NOENT, "none.pem" },
		     { "empty", E_SYNTAX, "empty: there is no certificate in it" },
		     { "a.key", E_SYNTAX, "a.key: there is no certificate in it" },
		     { "half.pem", E_SYNTAX, "half.pem: the certificate is damaged" } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct tls_files files = { in_folder("a.pem"), in_folder("a.key"),
						 in_folder(rows[i].client_ca) };
		struct tls_server *server = NULL;
		struct errmsg em = { "" };
		ck_assert_int_eq(tls_server_new(&files, &server, &em), rows[i].err);
		ck_assert_ptr_null(server);
		ck_assert_msg(strstr(em.text, rows[i].said) != NULL, "%s", em.text);
	}
	/* Several in one file are all taken. */
	struct pair p;
	struct tls_server *server = asking_server("a.pem", "a.key", "a.chain");
	pair_connect(&p, server, &(struct client){ 0 });
	ask(&p);
	pair_close(&p);
	tls_server_free(server);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("tls");
	tcase_set_timeout(tc, 120);
	(void)signal(SIGPIPE, SIG_IGN); /* the client's libssl */
	tcase_add_unchecked_fixture(tc, make_files, remove_files);
	tcase_add_loop_test(tc, a_query_is_answered, 0, 4);
	tcase_add_test(tc, many_queries_at_once);
	tcase_add_test(tc, long_messages_in_pieces);
	tcase_add_test(tc, octets_come_one_by_one);
	tcase_add_test(tc, a_client_that_does_not_read);
	tcase_add_loop_test(tc, who_comes_back_is_known, 0, 2);
	tcase_add_test(tc, a_client_that_takes_leave);
	tcase_add_test(tc, a_client_that_just_ends);
	tcase_add_test(tc, the_server_takes_leave);
	tcase_add_loop_test(tc, a_handshake_that_is_refused, 0, 7);
	tcase_add_test(tc, plain_dns_is_no_handshake);
	tcase_add_test(tc, garbage_is_no_handshake);
	tcase_add_test(tc, half_a_handshake_waits_and_ends);
	tcase_add_test(tc, a_client_that_promises_much);
	tcase_add_test(tc, changed_handshakes);
	tcase_add_test(tc, a_changed_record_ends_it);
	tcase_add_test(tc, no_second_handshake);
	tcase_add_test(tc, key_updates_go_on);
	tcase_add_test(tc, certificates_are_exchanged);
	tcase_add_test(tc, the_chain_is_sent);
	tcase_add_test(tc, bad_files_are_explained);
	tcase_add_test(tc, validity_is_looked_at);
	tcase_add_loop_test(tc, names_of_a_client, 0, (int)ARRAY_LEN(named));
	tcase_add_test(tc, who_needs_no_certificate);
	tcase_add_loop_test(tc, who_is_trusted, 0, (int)ARRAY_LEN(trust));
	tcase_add_loop_test(tc, a_client_that_comes_back_has_its_name, 0, 4);
	tcase_add_test(tc, many_names_are_cut);
	tcase_add_test(tc, long_chains_are_refused);
	tcase_add_test(tc, bad_authorities_are_explained);
	return unit_run("server/tls", tc);
}

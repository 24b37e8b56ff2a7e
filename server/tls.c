/* server/tls.c - DNS over TLS: a connection as a transport, and the server's side.
 *
 * libssl reads and writes through a BIO of our own, which hands it the octets that the stream has received
 * and takes those that have to go. So it never waits for a socket: all that it makes is taken at once, and
 * what the client does not take waits in the stream as over TCP.
 *
 *     stream ── transport_wire.in ──▶ BIO ──▶ SSL_read  ──▶ clear octets
 *     stream ◀── transport_wire.out ── BIO ◀── SSL_write ◀── clear octets
 *
 * Each call of libssl begins with an empty error queue, and leaves one. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <time.h>

#include "server/tls_run.h"
#include "zones/base/mem.h"
#include "zones/base/wire.h"

/* TLS 1.2; those of 1.3 are all good. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
/* Octets of a ClientHello. For whatever a client says that its own has, up to 128 KiB, libssl makes room at once;
 * real ones have 2 KiB. */
#define HELLO_MAX   16384
#define HEAD_LEN    TLS_HEAD_LEN
#define RECORD_HEAD 5
#define HANDSHAKE   22 /* type of record */
/* Octets of the certificates that the peer shows; a chain has some 3 KiB. */
#define CHAIN_MAX 16384
/* Certificates between the peer's and an authority. */
#define DEPTH_MAX 4
/* A client that comes back takes one, and gets another. */
#define TICKETS 1

struct tls_server {
	SSL_CTX *ctx;
	struct tls_certificate certificate;
};

/* --- the wire -------------------------------------------------------------------------------- */

/* Notes the first of what the client sends. False: it is more than we take. */
static bool look_at_head(struct tls *c, const uint8_t *octets, size_t len)
{
	size_t n = (size_t)(HEAD_LEN - c->head_len);
	n = n < len ? n : len;
	memcpy(c->head + c->head_len, octets, n);
	c->head_len = (uint8_t)(c->head_len + n);
	if (c->head_len < RECORD_HEAD || c->head[0] != HANDSHAKE) {
		return true;
	}
	if (be16_get(c->head + RECORD_HEAD - 2) < HEAD_LEN - RECORD_HEAD) {
		return false; /* its length would come in another record */
	}
	return c->head_len < HEAD_LEN ||
	       (c->head[HEAD_LEN - 3] == 0 && be16_get(c->head + HEAD_LEN - 2) <= HELLO_MAX);
}

static int bio_read(BIO *bio, char *to, size_t room, size_t *len)
{
	struct tls *c = BIO_get_data(bio);
	struct transport_wire *wire = c->wire;
	BIO_clear_retry_flags(bio);
	if (wire->in_len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	*len = room < wire->in_len ? room : wire->in_len;
	if (c->head_len < HEAD_LEN && !look_at_head(c, wire->in, *len)) {
		return -1;
	}
	memcpy(to, wire->in, *len);
	wire->in += *len;
	wire->in_len -= *len;
	return 1;
}

static int bio_write(BIO *bio, const char *octets, size_t len, size_t *written)
{
	buf_add(((const struct tls *)BIO_get_data(bio))->wire->out, octets, len);
	*written = len;
	return 1;
}

static long bio_ctrl(BIO *bio, int what, long number, void *arg)
{
	(void)bio;
	(void)number;
	(void)arg;
	return what == BIO_CTRL_FLUSH; /* that is done; all else we know nothing of */
}

/* Made once: connections that refer to it may outlive all else. */
static BIO_METHOD *wire_method;
static pthread_once_t wire_method_once = PTHREAD_ONCE_INIT;

static void make_wire_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "signet wire");
	if (m != NULL && BIO_meth_set_read_ex(m, bio_read) == 1 &&
	    BIO_meth_set_write_ex(m, bio_write) == 1 && BIO_meth_set_ctrl(m, bio_ctrl) == 1) {
		wire_method = m;
	} else {
		BIO_meth_free(m);
	}
}

/* --- octets ---------------------------------------------------------------------------------- */

int tls_step(struct tls *c, struct transport_wire *wire, uint8_t *to, size_t room)
{
	size_t len = 0;
	c->wire = wire;
	int good = SSL_read_ex(c->ssl, to, room < INT_MAX ? room : INT_MAX, &len);
	int result = (int)len;
	if (good != 1) {
		result = SSL_get_error(c->ssl, good) == SSL_ERROR_WANT_READ ? 0 : E_INVAL;
	}
	c->wire = NULL;
	return result;
}

static int tls_read(void *state, struct transport_wire *wire, uint8_t *to, size_t room)
{
	int result = tls_step(state, wire, to, room);
	ERR_clear_error();
	return result;
}

bool tls_write(void *state, struct transport_wire *wire, const uint8_t *octets, size_t len)
{
	struct tls *c = state;
	size_t written = 0;
	c->wire = wire;
	bool good = SSL_write_ex(c->ssl, octets, len, &written) == 1 && written == len;
	if (!good) {
		ERR_clear_error();
	}
	c->wire = NULL;
	return good;
}

/* close_notify, so that the client can tell the end from a cut (RFC 7858 §3.4). */
void tls_end(void *state, struct transport_wire *wire)
{
	struct tls *c = state;
	c->wire = wire;
	if (SSL_is_init_finished(c->ssl) == 1 && SSL_shutdown(c->ssl) < 0) {
		ERR_clear_error();
	}
	c->wire = NULL;
}

void tls_free(void *state)
{
	struct tls *c = state;
	SSL_free(c->ssl);
	tls_client_free(c->client);
	mem_free(c->failure);
	buf_clear(&c->names);
	mem_free(c);
}

/* --- names of the client --------------------------------------------------------------------- */

/* Has the name letters, digits, hyphens, underscores and dots alone? An octet that means something to a reader of names
 * (a wildcard, an escape, a NUL) would let it be taken for another. */
static bool is_plain_name(const uint8_t *text, size_t len)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t at = 0;
	while (at < len && memchr(good, text[at], sizeof(good) - 1) != NULL) {
		at++;
	}
	return len != 0 && at == len;
}

static void add_name(struct buf *names, const ASN1_STRING *s)
{
	const uint8_t *text = ASN1_STRING_get0_data(s);
	size_t len = (size_t)ASN1_STRING_length(s);
	struct dname name;
	if (is_plain_name(text, len) &&
	    dname_from_text(&name, (const char *)text, len, dname_root, NULL) == E_OK &&
	    names->len + name.len <= TLS_NAMES_MAX) {
		buf_add(names, name.wire, name.len);
	}
}

/* Of the certificate that the handshake has verified. A ticket may bring back one that has expired since. */
static void read_names(struct tls *c)
{
	const X509 *x = SSL_get0_peer_certificate(c->ssl);
	if (x == NULL || SSL_get_verify_result(c->ssl) != X509_V_OK ||
	    X509_cmp_time(X509_get0_notAfter(x), NULL) <= 0) {
		return;
	}
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(all, i);
		if (n->type == GEN_DNS) {
			add_name(&c->names, n->d.dNSName);
		}
	}
	GENERAL_NAMES_free(all);
	ERR_clear_error();
}

static struct dname_list tls_names(void *state)
{
	struct tls *c = state;
	if (!c->has_names && SSL_is_init_finished(c->ssl) == 1) {
		read_names(c);
		c->has_names = true;
	}
	return (struct dname_list){ (const uint8_t *)c->names.data, c->names.len };
}

/* --- connections ----------------------------------------------------------------------------- */

/* RFC 9103 §7.1, §7.2: ALPN "dot" is selected, which is what we select, and TLS 1.3. */
static bool tls_takes_zones(void *state)
{
	const struct tls *c = state;
	const uint8_t *name = NULL;
	unsigned len = 0;
	SSL_get0_alpn_selected(c->ssl, &name, &len);
	return len != 0 && SSL_version(c->ssl) >= TLS1_3_VERSION;
}

static const struct transport_ops tls_ops = { tls_read, tls_write, tls_end,
					      tls_free, tls_names, tls_takes_zones };

int tls_new(SSL_CTX *ctx, struct tls **out)
{
	struct tls *c = mem_zalloc(sizeof(*c));
	BIO *bio = BIO_new(wire_method);
	c->ssl = SSL_new(ctx);
	if (c->ssl == NULL || bio == NULL) {
		BIO_free(bio);
		tls_free(c);
		ERR_clear_error();
		return E_CRYPTO;
	}
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	SSL_set_bio(c->ssl, bio, bio);
	*out = c;
	return E_OK;
}

int tls_accept(const struct tls_server *s, struct transport *out)
{
	struct tls *c = NULL;
	int err = tls_new(s->ctx, &c);
	if (err == E_OK) {
		SSL_set_accept_state(c->ssl);
		*out = (struct transport){ &tls_ops, c };
	}
	return err;
}

static int ask_clients(SSL_CTX *ctx, const char *path, struct errmsg *em)
{
	static const uint8_t context[] = "signet"; /* of sessions, which have to have one now */
	int err = tls_use_authorities(ctx, path, em);
	if (err != E_OK) {
		return err;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	bool good = SSL_CTX_set_session_id_context(ctx, context, sizeof(context) - 1) == 1;
	return good ? E_OK
		    : tls_fail(em, E_CRYPTO, path, "clients cannot be asked for certificates");
}

/* --- the server ------------------------------------------------------------------------------ */

/* A client that asks for other protocols alone is in the wrong place (RFC 7301 §3.2); one that asks for none
 * is not. */
static int choose_protocol(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
			   unsigned in_len, void *arg)
{
	static const uint8_t ours[] = "\3dot";
	unsigned char *chosen = NULL;
	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED) {
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* Of both sides. */
SSL_CTX *tls_ctx_new(const SSL_METHOD *method)
{
	(void)pthread_once(&wire_method_once, make_wire_method);
	ERR_clear_error();
	SSL_CTX *ctx = wire_method != NULL ? SSL_CTX_new(method) : NULL;
	if (ctx != NULL) {
		(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
		/* What is shown is what stands in the file, whatever authorities there are. */
		(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
		/* Tickets do without it, and nothing is kept for who does not come back. */
		(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_verify_depth(ctx, DEPTH_MAX);
		SSL_CTX_set_max_cert_list(ctx, CHAIN_MAX);
	}
	return ctx;
}

static int set_up(SSL_CTX *ctx)
{
	(void)SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	bool good = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
		    SSL_CTX_set_max_proto_version(ctx, 0) == 1 &&
		    SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1 &&
		    SSL_CTX_set_num_tickets(ctx, TICKETS) == 1;
	return good ? E_OK : E_CRYPTO;
}

int tls_server_new(const struct tls_files *files, struct tls_server **out, struct errmsg *em)
{
	struct tls_server *s = mem_zalloc(sizeof(*s));
	s->ctx = tls_ctx_new(TLS_server_method());
	int err = s->ctx != NULL ? set_up(s->ctx) : E_CRYPTO;
	if (err != E_OK) {
		err = tls_fail(em, err, "TLS", "OpenSSL does not take our settings");
	}
	if (err == E_OK) {
		err = tls_use_certificate(s->ctx, files->certificate, files->key, em);
	}
	if (err == E_OK && files->client_ca != NULL) {
		err = ask_clients(s->ctx, files->client_ca, em);
	}
	if (err != E_OK) {
		tls_server_free(s);
		return err;
	}
	tls_describe(SSL_CTX_get0_certificate(s->ctx), &s->certificate);
	*out = s;
	return E_OK;
}

void tls_server_free(struct tls_server *s)
{
	if (s != NULL) {
		SSL_CTX_free(s->ctx);
		mem_free(s);
	}
}

const struct tls_certificate *tls_server_certificate(const struct tls_server *s)
{
	return &s->certificate;
}

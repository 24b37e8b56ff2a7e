/* server/tls_client.c - DNS over TLS: the client's side, and who the server has to be.
 *
 * Who the server is, is looked at within the handshake, in place of what libssl would do by itself: so nothing is sent to
 * the wrong one, and it is known what was wrong. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "keys/crypto.h"
#include "server/address.h"
#include "server/tls_run.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/base/time.h"

#define PIN_TEXT_MAX 48
/* Of what a certificate says, in a message. */
#define SAYS_MAX 80

struct tls_client {
	unsigned count; /* who has it; atomic */
	SSL_CTX *ctx;
	char *hostname, *ca; /* "": none */
	bool has_certificate;
	struct tls_certificate certificate;
	uint8_t *pins;
	size_t pin_count;
};

/* --- who it is ------------------------------------------------------------------------------- */

static const char *quoted(const char *text, char out[TEXT_QUOTE_MAX])
{
	const size_t len = strlen(text);
	return text_quote(text, len < SAYS_MAX ? len : SAYS_MAX, out);
}

/* The DNS names of a certificate, each with a blank in front. */
static void names_of(const X509 *x, struct buf *out)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(all, i);
		if (n->type == GEN_DNS) {
			buf_str(out, " ");
			buf_add(out, ASN1_STRING_get0_data(n->d.dNSName),
				(size_t)ASN1_STRING_length(n->d.dNSName));
		}
	}
	GENERAL_NAMES_free(all);
	ERR_clear_error();
}

static bool pin_of(const X509 *x, uint8_t out[CRYPTO_DIGEST_MAX])
{
	uint8_t *der = NULL;
	const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	const bool good = len > 0 && crypto_digest(CRYPTO_SHA256, der, (size_t)len, out) == E_OK;
	OPENSSL_free(der);
	return good;
}

static void explain_pin(const X509 *x, const uint8_t *pin, struct errmsg *em)
{
	struct tls_certificate cert = { .subject = "" };
	char text[PIN_TEXT_MAX] = ""; /* its NUL */
	char subject[TEXT_QUOTE_MAX];
	tls_describe(x, &cert);
	text_to_base64(pin, TLS_PIN_LEN, text);
	(void)err_set(em, E_MISMATCH,
		      "shows a key with the pin %s, which is none of its tls-pins (certificate %s)",
		      text, quoted(cert.subject, subject));
}

static void explain_name(const struct tls_client *c, const X509 *x, struct errmsg *em)
{
	struct buf names = { 0 };
	char text[2][TEXT_QUOTE_MAX];
	names_of(x, &names);
	(void)err_set(em, E_MISMATCH, "shows a certificate for %s, and not for its tls-hostname %s",
		      names.len != 0 ? quoted(names.data + 1, text[0]) : "no name at all",
		      quoted(c->hostname, text[1]));
	buf_clear(&names);
}

static void explain_chain(const struct tls_client *c, X509_STORE_CTX *store, struct errmsg *em)
{
	const int error = X509_STORE_CTX_get_error(store);
	const X509 *x = X509_STORE_CTX_get_current_cert(store);
	struct tls_certificate cert = { .subject = "" };
	char subject[TEXT_QUOTE_MAX];
	char date[32];
	x = x != NULL ? x : X509_STORE_CTX_get0_cert(store);
	tls_describe(x, &cert);
	if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
		explain_name(c, x, em);
	} else if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID) {
		const bool is_over = error == X509_V_ERR_CERT_HAS_EXPIRED;
		time_to_ctime(is_over ? cert.after : cert.before, date);
		(void)err_set(em, E_EXPIRED, "shows a certificate that %s %s UTC (%s)",
			      is_over ? "expired on" : "is not valid before", date,
			      quoted(cert.subject, subject));
	} else {
		(void)err_set(em, E_PERM,
			      "shows a certificate that no authority in %s vouches for: %s (%s)",
			      *c->ca != '\0' ? c->ca : "the system's store",
			      X509_verify_cert_error_string(error), quoted(cert.subject, subject));
	}
}

static bool has_pin(const struct tls_client *c, const uint8_t *pin)
{
	size_t i = 0;
	while (i < c->pin_count && memcmp(c->pins + i * TLS_PIN_LEN, pin, TLS_PIN_LEN) != 0) {
		i++;
	}
	return i < c->pin_count;
}

/* What libssl calls to have the chain verified, in the handshake. */
static int verify(X509_STORE_CTX *store, void *arg)
{
	const struct tls_client *c = arg;
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls *conn = SSL_get_app_data(ssl);
	const X509 *x = X509_STORE_CTX_get0_cert(store);
	uint8_t pin[CRYPTO_DIGEST_MAX] = { 0 };
	if (c->pin_count != 0 && (!pin_of(x, pin) || !has_pin(c, pin))) {
		explain_pin(x, pin, conn->failure);
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	if (*c->hostname != '\0' && X509_verify_cert(store) != 1) {
		explain_chain(c, store, conn->failure);
		return 0;
	}
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

/* --- a connection ---------------------------------------------------------------------------- */

static const char *reason_text(const struct tls_client *c, int reason)
{
	switch (reason) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
		return "does not speak TLS at this port; is it the right one (tls-port)?";
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
	case SSL_R_UNSUPPORTED_PROTOCOL:
		return "does not speak TLS 1.3, which transfers need (RFC 9103)";
	case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
		return "speaks TLS at this port, but not DNS (ALPN \"dot\")";
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		return c->has_certificate
			       ? "does not take our certificate"
			       : "wants a certificate of ours; name it in tls-certificate";
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
		return "does not take our certificate";
	default:
		return NULL;
	}
}

static void explain(struct tls *c)
{
	char text[160];
	const unsigned long e = ERR_peek_error();
	const char *reason = e != 0 ? reason_text(c->client, ERR_GET_REASON(e)) : NULL;
	if (c->failure->text[0] != '\0') {
		return; /* verify has said more */
	}
	if (e == 0) {
		(void)err_set(c->failure, E_IO, "ends the connection");
	} else if (reason != NULL) {
		(void)err_set(c->failure, E_IO, "%s", reason);
	} else {
		(void)err_set(c->failure, E_IO, "breaks off TLS: %s",
			      crypto_error(text, sizeof(text)));
	}
}

/* RFC 9103 §7.1: it must be selected. */
static bool speaks_dns(const struct tls *c)
{
	const uint8_t *name = NULL;
	unsigned len = 0;
	SSL_get0_alpn_selected(c->ssl, &name, &len);
	return len == 3 && memcmp(name, "dot", 3) == 0;
}

static int client_read(void *state, struct transport_wire *wire, uint8_t *to, size_t room)
{
	struct tls *c = state;
	int result = tls_step(c, wire, to, room);
	if (result < 0) {
		explain(c);
	} else if (SSL_is_init_finished(c->ssl) == 1 && !speaks_dns(c)) {
		result = err_set(
			c->failure, E_INVAL,
			"speaks TLS, but does not say that it is DNS (ALPN \"dot\", RFC 9103)");
	}
	ERR_clear_error();
	return result;
}

static const struct transport_ops client_ops = { client_read, tls_write, tls_end,
						 tls_free,    NULL,	 NULL };

/* The name goes to the server too, for it to choose a certificate. */
static bool expect_name(SSL *ssl, const char *hostname)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	struct address_network n;
	if (address_network_from_text(&n, hostname, strlen(hostname), NULL) == E_OK) {
		return X509_VERIFY_PARAM_set1_ip(param, n.ip.octet, n.ip.len) == 1;
	}
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
				       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, hostname) == 1 && SSL_set_tlsext_host_name(ssl, hostname) == 1;
}

int tls_connect(struct tls_client *client, struct transport *out)
{
	struct tls *c = NULL;
	int err = tls_new(client->ctx, &c);
	if (err != E_OK) {
		return err;
	}
	c->client = client;
	(void)__atomic_add_fetch(&client->count, 1, __ATOMIC_RELAXED);
	c->failure = mem_zalloc(sizeof(*c->failure));
	SSL_set_connect_state(c->ssl);
	if (SSL_set_app_data(c->ssl, c) != 1 ||
	    (*client->hostname != '\0' && !expect_name(c->ssl, client->hostname))) {
		ERR_clear_error();
		tls_free(c);
		return E_CRYPTO;
	}
	*out = (struct transport){ &client_ops, c };
	return E_OK;
}

bool tls_is_open(const struct transport *t)
{
	const struct tls *c = t->state;
	return SSL_is_init_finished(c->ssl) == 1 && c->failure->text[0] == '\0';
}

const char *tls_failure(const struct transport *t)
{
	const struct tls *c = t->state;
	return c->failure->text;
}

/* --- clients --------------------------------------------------------------------------------- */

static int set_up(struct tls_client *c)
{
	static const uint8_t ours[] = "\3dot";
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c->ctx, verify, c);
	const bool good = SSL_CTX_set_min_proto_version(c->ctx, TLS1_3_VERSION) == 1 &&
			  SSL_CTX_set_max_proto_version(c->ctx, 0) == 1 &&
			  SSL_CTX_set_alpn_protos(c->ctx, ours, sizeof(ours) - 1) == 0;
	return good ? E_OK : E_CRYPTO;
}

static int trust(const struct tls_client *c, struct errmsg *em)
{
	if (*c->hostname == '\0') {
		return E_OK; /* nobody is asked to vouch for a pin */
	}
	if (*c->ca != '\0') {
		return tls_use_authorities(c->ctx, c->ca, em);
	}
	return SSL_CTX_set_default_verify_paths(c->ctx) == 1
		       ? E_OK
		       : tls_fail(em, E_CRYPTO, "TLS", "the system's authorities cannot be used");
}

int tls_client_new(const struct tls_expected *want, struct tls_client **out, struct errmsg *em)
{
	struct tls_client *c = mem_zalloc(sizeof(*c));
	c->count = 1;
	c->hostname = mem_str(want->hostname, strlen(want->hostname));
	c->ca = mem_str(want->ca, strlen(want->ca));
	c->pins = mem_dup(want->pins, want->pin_count * TLS_PIN_LEN);
	c->pin_count = want->pin_count;
	c->has_certificate = *want->certificate != '\0';
	c->ctx = tls_ctx_new(TLS_client_method());
	int err = c->ctx != NULL ? set_up(c) : E_CRYPTO;
	if (err != E_OK) {
		err = tls_fail(em, err, "TLS", "OpenSSL does not take our settings");
	}
	if (err == E_OK) {
		err = trust(c, em);
	}
	if (err == E_OK && c->has_certificate) {
		err = tls_use_certificate(c->ctx, want->certificate, want->key, em);
	}
	if (err == E_OK && c->has_certificate) {
		tls_describe(SSL_CTX_get0_certificate(c->ctx), &c->certificate);
	}
	if (err == E_OK) {
		*out = c;
		c = NULL;
	}
	tls_client_free(c);
	return err;
}

void tls_client_free(struct tls_client *c)
{
	if (c != NULL && __atomic_sub_fetch(&c->count, 1, __ATOMIC_ACQ_REL) == 0) {
		SSL_CTX_free(c->ctx);
		mem_free(c->hostname);
		mem_free(c->ca);
		mem_free(c->pins);
		mem_free(c);
	}
}

const struct tls_certificate *tls_client_certificate(const struct tls_client *c)
{
	return &c->certificate;
}

/* server/tls_run.h - what the parts of TLS share; private to server/tls*.c, the only door to libssl.
 *
 *     tls.c          a connection as a transport; the server's side
 *     tls_client.c   the client's side: who the server has to be
 *     tls_files.c    certificates, keys and authorities from PEM files
 *
 * Each call of libssl begins with an empty error queue, and leaves one. */
#ifndef SERVER_TLS_RUN_H
#define SERVER_TLS_RUN_H

#include <openssl/ssl.h>

#include "server/tls.h"

/* Octets that tell: of the record type 8, version 16, length 16; of the message in it type 8, length 24. */
#define TLS_HEAD_LEN 9

/* A connection. */
struct tls {
	SSL *ssl;
	struct transport_wire *wire; /* for as long as a call lasts; else NULL */
	uint8_t head[TLS_HEAD_LEN];  /* the peer's first octets */
	uint8_t head_len;
	bool has_names; /* `names` has been set */
	struct buf names;
	struct tls_client *client; /* counted; NULL: it is the server's side */
	struct errmsg *failure;	   /* heap, of a client: why it cannot go on */
};

/* tls.c: NULL: there is no use of libssl. */
SSL_CTX *tls_ctx_new(const SSL_METHOD *method);
/* Neither side yet. E_CRYPTO. */
MUST_USE int tls_new(SSL_CTX *ctx, struct tls **out);
/* Those of struct transport_ops. */
bool tls_write(void *state, struct transport_wire *wire, const uint8_t *octets, size_t len);
void tls_end(void *state, struct transport_wire *wire);
void tls_free(void *state);
/* As read there, but for the error queue, where the reason is left. */
int tls_step(struct tls *c, struct transport_wire *wire, uint8_t *to, size_t room);

/* tls_files.c */
/* An error of OpenSSL's: @em says what cannot be done. Returns @err. */
int tls_fail(struct errmsg *em, int err, const char *path, const char *what);
/* What we show, and those behind it. */
MUST_USE int tls_use_certificate(SSL_CTX *ctx, const char *certificate, const char *key,
				 struct errmsg *em);
/* Who vouches for the peer. */
MUST_USE int tls_use_authorities(SSL_CTX *ctx, const char *path, struct errmsg *em);
void tls_describe(const X509 *x, struct tls_certificate *out);

#endif

/* server/tls.h - DNS over TLS (RFC 7858, RFC 9103, RFC 9325): certificates with their keys, and both sides of a
 * connection as a transport. The only door to libssl.
 *
 * TLS 1.3 or 1.2 with forward secrecy and authenticated encryption, ALPN "dot", tickets for clients that come
 * back; no renegotiation, no compression, no early data.
 *
 * Clients are asked for a certificate where authorities are given. Those that have none are served like others, those that
 * show one of anybody else are not. The names of a connection are the DNS names (subjectAltName) of its certificate.
 *
 * An idle connection keeps no buffers: libssl takes them for a record, and gives them back.
 *
 * Threads: a tls_server is immutable once made and shared; a connection belongs to one thread.
 * Memory:  connections outlive the tls_server that they were made with.
 * Errors:  E_PERM (the key is open to others, or a file is closed to us), E_SYNTAX (not PEM, or no
 *          certificate or key in it), E_MISMATCH, E_CRYPTO, and those of file_read; the message names the
 *          file and the remedy. */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "server/transport.h"
#include "zones/base/err.h"

/* Paths of PEM files. The certificate's may hold those that lead from it towards the root, behind it. */
struct tls_files {
	const char *certificate;
	const char *key;       /* closed to others than owner and group */
	const char *client_ca; /* who vouches for clients; NULL: they are not asked */
};

/* Octets of the names of one client that are looked at, since each request that waits has them. */
#define TLS_NAMES_MAX 4096

/* What the certificate says of itself. */
struct tls_certificate {
	char subject[256];     /* as text; longer ones are cut */
	int64_t before, after; /* it is valid from the one to the other; seconds since 1970 */
};

struct tls_server;

MUST_USE int tls_server_new(const struct tls_files *files, struct tls_server **out,
			    struct errmsg *em);
void tls_server_free(struct tls_server *s); /* NULL is fine */
const struct tls_certificate *tls_server_certificate(const struct tls_server *s);

/* One connection's transport. E_CRYPTO. */
MUST_USE int tls_accept(const struct tls_server *s, struct transport *out);

/* --- the client's side ----------------------------------------------------------------------- */

#define TLS_PIN_LEN                                                                                \
 32 /* octets of a pin: the SHA-256 of a public key, as certificates have it (RFC 7858 §4.2) */

/* Who the server has to be: it shows a certificate for the name, which an authority vouches for; or the key of one of the
 * pins, whatever the certificate says. Where there are both, both; there is one of them at least. */
struct tls_expected {
	const char *hostname; /* or an address as text; "": any */
	const uint8_t *pins;
	size_t pin_count;
	const char *ca; /* PEM file; "": the authorities of the system */
	const char *certificate,
		*key; /* PEM files of ours, shown if the server asks for one; "": none */
};

struct tls_client;

/* TLS 1.3 and ALPN "dot", as zone transfers have to have it (RFC 9103 §7.1, §7.2). What @want points at is copied. Errors as
 * above. */
MUST_USE int tls_client_new(const struct tls_expected *want, struct tls_client **out,
			    struct errmsg *em);
void tls_client_free(struct tls_client *c); /* NULL is fine; connections outlive it */
/* Ours; where there is one. */
const struct tls_certificate *tls_client_certificate(const struct tls_client *c);

/* A connection's transport; it begins with a read of nothing. E_CRYPTO. */
MUST_USE int tls_connect(struct tls_client *c, struct transport *out);
/* Of such a connection: is the server the right one, so that octets can be written? */
bool tls_is_open(const struct transport *t);
/* Why reading has failed, as text for the end of "the primary ..."; borrowed until free. */
const char *tls_failure(const struct transport *t);

#endif

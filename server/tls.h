/* server/tls.h - DNS over TLS (RFC 7858, RFC 9325): a certificate with its key, and the server's side of a
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

#endif

/* server/cookie.h - DNS cookies: proof that a client is where it says it is (RFC 7873, RFC 9018).
 *
 *     client 8 | version 1 | reserved 3 | time 4 | SipHash-2-4 8
 *
 * The hash is over all before it and the client's address, under a secret of 16 octets. Whoever has the
 * secret can check the cookie without having made it, so servers behind one address share theirs, and a
 * cookie needs no memory. To change secrets, the new one is first given to all as one that is only
 * checked, then it makes the cookies and the old one is only checked, then, an hour later, the old one
 * goes (RFC 9018 §5).
 *
 * Threads: pure functions, but for the hasher: one thread. */
#ifndef SERVER_COOKIE_H
#define SERVER_COOKIE_H

#include "keys/crypto.h"
#include "server/address.h"

#define COOKIE_CLIENT_LEN 8
#define COOKIE_LEN	  24 /* with the server's part as we make it */
#define COOKIE_SERVER_MIN 8  /* octets of a server's part that are well-formed (RFC 7873 §4) */
#define COOKIE_SERVER_MAX 32

/* A cookie is good for so long, is not from farther ahead, and is replaced when it is older than half of
 * that (RFC 9018 §4.3). */
#define COOKIE_LIFE_S	 3600
#define COOKIE_FUTURE_S	 300
#define COOKIE_REFRESH_S 1800

#define COOKIE_SECRET_LEN  CRYPTO_SIPHASH_KEY_LEN
#define COOKIE_SECRETS_MAX 4

struct cookie_secrets {
	unsigned count;					       /* at least one */
	uint8_t secret[COOKIE_SECRETS_MAX][COOKIE_SECRET_LEN]; /* the first makes, all check */
};

/* What cookies are made of at the moment. */
struct cookie_maker {
	struct crypto_siphash *hasher;
	const struct cookie_secrets *secrets;
	int64_t now; /* seconds since 1970 */
};

enum cookie_state {
	COOKIE_NONE,	  /* the query has none */
	COOKIE_MALFORMED, /* FORMERR (RFC 7873 §5.2.2) */
	COOKIE_CLIENT,	  /* no server's part yet */
	COOKIE_BAD,	  /* not ours, too old, or of another client */
	COOKIE_GOOD,	  /* the client is where it says */
};

/* What the option of a query with @len octets at @data is worth; @out is what the response says (not for
 * COOKIE_MALFORMED). */
enum cookie_state cookie_check(const struct cookie_maker *m, const struct address_ip *client,
			       const uint8_t *data, size_t len, uint8_t out[COOKIE_LEN]);

/* Reads secrets from a text: one a line, 32 hex digits; empty lines and what follows '#' are skipped.
 * E_SYNTAX, E_LIMIT, E_NOENT (there is none); @em names the line. */
MUST_USE int cookie_secrets_from_text(struct cookie_secrets *out, const char *text, size_t len,
				      struct errmsg *em);
/* The same from the file at @path. Also: errors of file_read. */
MUST_USE int cookie_secrets_read(struct cookie_secrets *out, const char *path, struct errmsg *em);
/* One random secret. E_CRYPTO. */
MUST_USE int cookie_secrets_random(struct cookie_secrets *out);
void cookie_secrets_clear(struct cookie_secrets *s);

#endif

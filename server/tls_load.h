/* server/tls_load.h - the certificates, keys and authorities that the configuration names: the server's own, and those for
 * remotes.
 *
 * Threads: no state.
 * Memory:  the caller frees *out. */
#ifndef SERVER_TLS_LOAD_H
#define SERVER_TLS_LOAD_H

#include "server/config.h"
#include "server/tls.h"

/* Reads them where TLS is listened on; *out stays NULL where it is not. What is wrong, and a certificate that is
 * not valid at @now, goes to the findings. E_CHECK: there are errors. */
MUST_USE int tls_load(const struct config_server *c, int64_t now, struct tls_server **out,
		      struct findings *findings);

/* What it takes to turn to the remotes of a configuration over TLS. */
struct tls_remotes;

/* Reads the files of the remotes anew. What is wrong, and a certificate of ours that is not valid at @now, goes to the findings;
 * the other remotes can be used. Owned; @c is borrowed. */
struct tls_remotes *tls_remotes_load(const struct config *c, int64_t now,
				     struct findings *findings);
void tls_remotes_free(struct tls_remotes *t); /* NULL is fine */
/* *out: NULL where @r is turned to over TCP. Those of tls_client_new: its files could not be used; @em says why. */
MUST_USE int tls_remotes_get(const struct tls_remotes *t, const struct config_remote *r,
			     struct tls_client **out, struct errmsg *em);

#endif

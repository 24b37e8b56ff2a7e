/* server/tls_load.h - the certificate, key and authorities that the configuration names.
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

#endif

/* server/listen.h - sockets to answer on.
 *
 * Every worker has its own UDP and TCP socket for each address; the kernel spreads clients over
 * them (SO_REUSEPORT).
 *
 * Threads: made by the control thread before workers start (ports below 1024 need privileges).
 * Errors:  the message names the address and the remedy. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "zones/base/attr.h"
#include "zones/base/err.h"

struct listen_address {
	const struct sockaddr *addr;
	socklen_t len;
	const char *text; /* for messages */
};

/* @buffer: octets of queries the socket may hold. */
MUST_USE int listen_udp(const struct listen_address *a, int buffer, int *fd, struct errmsg *em);
MUST_USE int listen_tcp(const struct listen_address *a, int *fd, struct errmsg *em);
/* Allows this process @wanted open files, as far as the system lets it. Returns how many it may open. */
size_t listen_allow_files(size_t wanted);
/* Has the machine any IPv6 at all? */
bool listen_has_ipv6(void);
/* Is it 0.0.0.0 or ::, so that answers have to name the address that was asked? */
bool listen_is_any(const struct sockaddr *addr);

#endif

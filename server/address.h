/* server/address.h - an IP address with a port: read from text, printed, compared.
 *
 * The text form is "192.0.2.1@53" or "2001:db8::1@53", as in the configurations of other name
 * servers: ':' is taken by IPv6, '#' by YAML's comments.
 *
 * Threads: no state.
 * Errors:  E_SYNTAX; E_RANGE for the port; E_NOENT for an interface that this machine has not. */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "zones/base/attr.h"
#include "zones/base/err.h"

struct address {
	socklen_t len; /* of the member in use */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/* "2001:db8::1%interface@65535" and its NUL. */
#define ADDRESS_TEXT_MAX (INET6_ADDRSTRLEN + 1 + 16 + 6)

/* Reads address[@port]; @port where the text has none. Link-local IPv6 addresses need their interface
 * ("fe80::1%eth0"). Host names are not looked up. @em (may be NULL) says what is wrong and how to
 * write it. */
MUST_USE int address_from_text(struct address *a, const char *s, size_t len, uint16_t port,
			       struct errmsg *em);
/* Prints it with its port. */
void address_to_text(const struct address *a, char out[ADDRESS_TEXT_MAX]);
/* Same family, address, port and interface? */
bool address_equal(const struct address *a, const struct address *b);

#endif

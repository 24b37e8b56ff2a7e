/* server/address.h - an IP address with a port, an IP address alone, a network: read from text, printed,
 * compared.
 *
 * The text form is "192.0.2.1@53" or "2001:db8::1@53", as in the configurations of other name
 * servers: ':' is taken by IPv6, '#' by YAML's comments. A network is "192.0.2.0/24"; without length it is one
 * address.
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

/* An address alone, as the queries of one client are counted by. */
struct address_ip {
	uint8_t len; /* of the octets in use: 4 or 16; 0: unknown */
	uint8_t octet[16];
};

/* Of a socket's address; an IPv4 address in IPv6 form is one of IPv4. */
struct address_ip address_ip_of(const struct sockaddr *a);

struct address_network {
	struct address_ip ip; /* bits behind the prefix are 0 */
	uint8_t prefix;	      /* bits that count */
};

/* "2001:db8:1:2:3:4:5:6/128" and its NUL. */
#define ADDRESS_NETWORK_TEXT_MAX (INET6_ADDRSTRLEN + 4)

MUST_USE int address_network_from_text(struct address_network *n, const char *s, size_t len,
				       struct errmsg *em);
void address_network_to_text(const struct address_network *n, char out[ADDRESS_NETWORK_TEXT_MAX]);
/* The address that @n is, with @port; false: it is a network, or one of no family. */
bool address_of_network(const struct address_network *n, uint16_t port, struct address *out);
bool address_network_has(const struct address_network *n, const struct address_ip *ip);

#endif

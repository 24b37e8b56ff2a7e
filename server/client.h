/* server/client.h - who has how many connections: a table of clients by address.
 *
 * A client is an IPv4 address or an IPv6 network of 64 bits, which a single host can have all to itself.
 * The table holds those that have a connection, so it is as large as there are connections; its hash is
 * keyed, so that nobody can choose addresses that fall together.
 *
 * Threads: one. */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

#include <sys/queue.h>

#include "server/address.h"

struct tcp_conn;

struct client {
	struct address_ip net;
	uint32_t count;		      /* connections */
	TAILQ_HEAD(, tcp_conn) conns; /* the user's: the one idle for longest first */
	struct client *next;	      /* in the same chain */
	size_t hash;
};

struct client_table;

/* E_CRYPTO: no random key. */
MUST_USE int client_table_new(struct client_table **out);
void client_table_free(struct client_table *t); /* NULL is fine; clients too */
/* The client at @ip, who now has one connection more. Borrowed until client_leave took the last away. */
struct client *client_enter(struct client_table *t, const struct address_ip *ip);
void client_leave(struct client_table *t, struct client *c);
/* Clients in the table. */
size_t client_table_count(const struct client_table *t);

#endif

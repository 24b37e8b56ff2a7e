/* server/tcp.h - connections, over TCP alone or TLS: taken, answered, limited, closed (RFC 7766, RFC 7858,
 * RFC 9210).
 *
 * What goes over one is server/stream.h; here is when it has its turn, and how long it may live:
 *
 *     idle        closed when no query was answered for tcp_limits.idle_ms. A client that sends a query an
 *                 octet at a time, or none, or does not finish its handshake, is idle.
 *     blocked     closed when, in as long, its answers are taken more slowly than TCP_RATE_MIN
 *     too many    the one idle for longest makes room: of all, or of the same client
 *     handshakes  they cost more than queries: a client that begins more than tcp_limits.handshakes in a
 *                 second is turned away
 *
 * Where an answer is not for this thread to make, the connection moves to another, with all that has come.
 *
 * Threads: one worker. What one gives to another goes through a lock. */
#ifndef SERVER_TCP_H
#define SERVER_TCP_H

#include <stdbool.h>

#include "server/address.h"
#include "zones/dns/dname.h"

struct event_base;
struct stream_source;
struct tcp;
struct transport;

/* Octets a second that a client takes at least. */
#define TCP_RATE_MIN 1024

struct tcp_limits {
	uint32_t clients;    /* connections at a time */
	uint32_t per_client; /* of these, of one client (server/client.h) */
	uint32_t output;     /* octets of answers that may wait for a client */
	uint32_t
		handshakes; /* encrypted connections that a client may open in a second; 0: no limit */
	int64_t idle_ms;
};

struct tcp_conn;

struct tcp_query {
	struct tcp_conn *conn; /* for tcp_hold */
	const uint8_t *octets;
	size_t len;
	const struct address_ip *client;
	bool is_encrypted;
};

#define TCP_LATER     SIZE_MAX
#define TCP_ELSEWHERE (SIZE_MAX - 1)

/* Who answers. Everything happens between begin and end, with what begin has found. */
struct tcp_handler {
	void *arg;
	struct tcp_limits (*begin)(void *arg);
	/* What stands between the socket of a client of an encrypted listener and its messages. False: it
	 * cannot be served, and the connection is closed. */
	bool (*encrypt)(void *arg, struct transport *out);
	/* Answers one query in at most @room octets at @out; 0 is silence. TCP_LATER: when what tcp_feed feeds has
	 * ended. TCP_ELSEWHERE: it is for who tcp_give_to says. */
	size_t (*answer)(void *arg, const struct tcp_query *query, uint8_t *out, size_t room);
	void (*end)(void *arg);
};

/* @handler is copied. E_CRYPTO, E_IO. */
MUST_USE int tcp_new(struct event_base *base, const struct tcp_handler *handler, struct tcp **out);
void tcp_free(struct tcp *t); /* closes all connections; NULL is fine */
enum tcp_kind { TCP_CLEAR, TCP_ENCRYPTED };
/* Takes connections from @fd (borrowed) until tcp_stop. */
MUST_USE int tcp_listen(struct tcp *t, int fd, enum tcp_kind kind);
/* The query that is being answered gets its response later, by tcp_respond (0 octets: none). The connection may close
 * until then; @conn is good all the same, and not behind tcp_respond. */
void tcp_hold(struct tcp_conn *conn);
void tcp_respond(struct tcp_conn *conn, const uint8_t *octets, size_t len);
/* The names in the certificate that the client has shown; borrowed while the connection lives. */
struct dname_list tcp_names(const struct tcp_conn *conn);
/* May it get a zone over this connection? */
bool tcp_takes_zones(const struct tcp_conn *conn);
/* The query that is being answered gets many messages, from @source (taken). */
void tcp_feed(struct tcp_conn *conn, const struct stream_source *source);
bool tcp_is_fed(const struct tcp_conn *conn);
/* Connections with a query that is TCP_ELSEWHERE go to @to from now on, once what is held by them is answered. Before it is
 * served; @to outlives @t. */
void tcp_give_to(struct tcp *t, struct tcp *to);
/* Takes no more connections, answers what has come, and closes each when its answers are sent; the event
 * loop ends with the last. */
void tcp_stop(struct tcp *t);
bool tcp_is_idle(const struct tcp *t);

#endif

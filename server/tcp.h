/* server/tcp.h - queries over TCP: framing, pipelining, limits (RFC 7766, RFC 9210).
 *
 * Framing is written once, over libevent's bufferevent, so that another transport is another
 * bufferevent.
 *
 * Threads: one worker. */
#ifndef SERVER_TCP_H
#define SERVER_TCP_H

#include <stdbool.h>

#include "server/address.h"

struct event_base;
struct tcp;

struct tcp_limits {
	uint32_t clients; /* connections at a time: the one idle for longest makes room */
	uint32_t idle_s;  /* seconds without a query */
	uint32_t output;  /* octets waiting for a client before its next query is read */
};

struct tcp_query {
	const uint8_t *octets;
	size_t len;
	const struct address_ip *client;
};

/* Answers one query in at most @room octets at @out; 0 is silence. */
typedef size_t tcp_answer_fn(void *arg, const struct tcp_query *query, uint8_t *out, size_t room);
/* The limits at this moment. */
typedef struct tcp_limits tcp_limits_fn(void *arg);

struct tcp *tcp_new(struct event_base *base, tcp_answer_fn *answer, tcp_limits_fn *limits,
		    void *arg);
void tcp_free(struct tcp *t); /* closes all connections */
/* Takes connections from @fd (borrowed) until tcp_stop. */
MUST_USE int tcp_listen(struct tcp *t, int fd);
/* Takes no more connections and closes each when its answers are sent. */
void tcp_stop(struct tcp *t);
bool tcp_is_idle(const struct tcp *t);

#endif

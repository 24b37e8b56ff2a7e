/* server/udp.h - datagrams in batches: one system call in, one out.
 *
 * Threads: one worker. Nothing is allocated after udp_new. */
#ifndef SERVER_UDP_H
#define SERVER_UDP_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "server/query.h"

#define UDP_CONTROL_MAX CMSG_SPACE(sizeof(struct in6_pktinfo))

struct udp; /* buffers of one worker, used by all of its sockets */

struct udp *udp_new(void);
void udp_free(struct udp *u);
/* Where a datagram came from, to answer it later. */
struct udp_origin {
	int fd;
	struct sockaddr_storage peer;
	socklen_t peer_len;
	uint8_t control
		[UDP_CONTROL_MAX]; /* says which address was asked; it is the one to answer from */
	size_t control_len;
};

/* Takes what is not answered at once. */
struct udp_taker {
	void (*take)(void *arg, const struct query_io *io, const struct udp_origin *origin);
	void *arg;
};

/* Answers what waits at @fd, at most a few batches. */
void udp_serve(struct udp *u, int fd, struct query_ctx *ctx, const struct query_env *env,
	       const struct udp_taker *taker);
/* Answers one that was taken. */
void udp_send(const struct udp_origin *origin, const uint8_t *octets, size_t len);

#endif

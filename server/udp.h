/* server/udp.h - datagrams in batches: one system call in, one out.
 *
 * Threads: one worker. Nothing is allocated after udp_new. */
#ifndef SERVER_UDP_H
#define SERVER_UDP_H

#include "server/query.h"

struct udp; /* buffers of one worker, used by all of its sockets */

struct udp *udp_new(void);
void udp_free(struct udp *u);
/* Answers what waits at @fd, at most a few batches. */
void udp_serve(struct udp *u, int fd, struct query_ctx *ctx, const struct query_env *env);

#endif

/* server/chaos.h - class CH: questions about the server itself (RFC 4892).
 *
 *     version.bind  version.server      server.version
 *     hostname.bind id.server           server.identity
 *
 * Threads: one worker. */
#ifndef SERVER_CHAOS_H
#define SERVER_CHAOS_H

#include "server/answer.h"

/* Answers q->name and q->qtype in class CH; sets the rcode. What is not told is refused. */
void chaos_answer(struct query_ctx *q);

#endif

/* server/request.h - a message that a worker took and that is answered later, by another thread (UPDATE).
 *
 *     worker: request_new → jobs → ... request_answer (any thread) → datagram: sent at once; connection: by
 *     the worker
 *
 * Threads: one at a time has it.
 * Memory:  request_answer takes it. */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "server/tcp.h"
#include "server/udp.h"

/* Of a message over UDP. */
#define REQUEST_UDP_RESPONSE 512
/* Requests of all workers that may wait; more are answered SERVFAIL. */
#define REQUESTS_MAX 8192

struct worker;

struct request {
	struct request *next; /* whose list it is in */
	struct worker *worker;
	struct tcp_conn *conn; /* NULL: it came over UDP */
	struct udp_origin origin;
	struct address_ip client;
	uint8_t *names; /* heap; those in the client's certificate, one behind the other */
	size_t names_len;
	uint8_t *message; /* heap */
	size_t len;
	uint8_t *response; /* heap; what was made so far */
	size_t response_len;
};

/* Sends r->response, or nothing where there is none, and frees the request: a datagram at once, on a connection by its worker.
 * Any thread; server/worker.c. */
void request_answer(struct request *r);
void request_free(struct request *r);

#endif

/* server/worker.h - a thread that answers queries: its own sockets, its own libevent loop.
 *
 * What a worker answers from is one `struct serving`, reached by one pointer and read inside an
 * epoch: the control thread publishes another one and frees the old after epoch_wait.
 *
 * A worker has an aide, a second thread of the same kind without sockets of its own, at a lower priority. What takes long,
 * or needs a secret, goes there (server/aide.h): datagrams as requests, connections with all that they hold. So queries
 * do not wait for transfers, and where there is too much to do for all, transfers wait for queries.
 *
 * Threads: started, told and joined by the control thread; nothing else is shared. */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include "server/aide.h"
#include "server/query.h"
#include "server/request.h"
#include "server/tls.h"

/* What is served now. Immutable once published (but for the `current` of each zone). */
struct serving {
	const struct zoneset *zones;
	struct query_config query;
	struct cookie_secrets secrets; /* what query.cookies points at */
	uint32_t tcp_clients;	       /* of one worker */
	uint32_t tcp_clients_per_address;
	uint32_t aide_clients; /* as the two above, of one aide */
	uint32_t aide_clients_per_address;
	uint32_t tcp_idle_s;
	uint32_t tcp_output;	      /* octets that may wait for one client */
	uint32_t tls_handshakes;      /* of one client in a second, with one worker */
	const struct tls_server *tls; /* borrowed; NULL: there are no TLS sockets */
	uint32_t rrl_entries;	      /* of each worker's table; read at its start */
	/* Takes requests of the opcodes @taken (a bit for each) that are answered later (server/request.h). Any worker's
	 * thread. */
	void (*take)(void *arg, struct request *r);
	void *take_arg;
	unsigned taken;
	struct aide_serving aide;
};

struct worker_sockets {
	int *udp; /* heap; owned */
	int *tcp;
	size_t count; /* of each */
	int *tls;
	size_t tls_count;
};

struct worker;

/* Starts a thread on @sockets (taken), and its aide. @serving points at the published pointer. */
MUST_USE int worker_start(struct worker_sockets *sockets, struct serving *const *serving,
			  struct worker **out, struct errmsg *em);
/* Takes no more connections, answers what has come in, and ends within @grace_s seconds; before that the aide, likewise. */
void worker_stop(struct worker *w, unsigned grace_s);
/* Waits for the thread and frees. */
void worker_join(struct worker *w);
void worker_sockets_clear(struct worker_sockets *s);

#endif

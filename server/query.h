/* server/query.h - the query engine: octets of a query in, octets of a response out.
 *
 * Knows no socket, clock or lock, allocates nothing and logs nothing. What it reads (zones and
 * their versions) is borrowed: the caller is inside an epoch (zones/base/epoch.h) for the call.
 *
 * Threads: one query_ctx per worker. */
#ifndef SERVER_QUERY_H
#define SERVER_QUERY_H

#include "server/cookie.h"
#include "server/rrl.h"
#include "zones/zone.h"

struct query_ctx; /* scratch memory, kept from query to query */

MUST_USE int query_ctx_new(struct query_ctx **out);
void query_ctx_free(struct query_ctx *ctx);

/* A short text for clients. */
struct query_string {
	const char *octets; /* borrowed */
	uint8_t len;	    /* 0: not told */
};

/* What the operator chose. Immutable. */
struct query_config {
	uint16_t udp_size; /* largest UDP response, and what EDNS tells the client */
	bool full;	   /* positive answers carry the zone's NS set too */
	bool rotate;	   /* answers begin with another record each time */
	struct query_string identity, version, nsid;
	const uint8_t *report_channel;	      /* name of an agent; NULL: none */
	const struct cookie_secrets *cookies; /* borrowed; NULL: cookies are ignored */
	struct rrl_config rrl;
};

/* Who may have zones transferred (AXFR, IXFR). */
struct query_transfers {
	/* May the client have all of @zone, now? RCODE_NOERROR; RCODE_REFUSED: it may not; RCODE_SERVFAIL: there are
	 * too many just now. */
	uint16_t (*ask)(void *arg, const struct zone *zone, const struct address_ip *client);
	void *arg;
};

/* A transfer that is to be made: the response is header, question and OPT so far. */
struct query_transfer {
	const struct zone *zone; /* borrowed; NULL: it is no transfer */
	const struct version *version;
	bool is_incremental; /* IXFR */
	uint32_t serial;     /* that the client has; of an IXFR */
	size_t question;     /* octets of header and question */
	size_t limit;	     /* octets that a message may have, the OPT included */
};

/* What a response depends on beside the query. */
struct query_env {
	const struct zoneset *zones;
	const struct query_config *config;
	bool is_tcp;
	bool is_encrypted;  /* implies is_tcp: responses may be padded */
	uint16_t keepalive; /* how long an idle connection lives, in 100 ms (RFC 7828) */
	unsigned
		taken; /* a bit for each opcode whose messages somebody else answers: see query_io.is_taken */
	bool takes_long; /* somebody else answers transfers, and queries with a TSIG: see query_io.is_elsewhere */
	const struct query_transfers *transfers; /* NULL: there are none */
	struct dname_list names; /* in the certificate of the client; for transfers */
	bool bars_zones;	 /* no zone goes over such a connection (RFC 9103 §7) */
	size_t spare;		 /* octets that each response leaves free, for a TSIG */
	int64_t now;		 /* seconds since 1970 */
	int64_t now_ms;		 /* of a clock that never goes backwards */
	struct rrl *rrl;	 /* this worker's; NULL: no limit */
};

/* The smallest output buffer: UDP responses of @udp_size need as much, TCP ones 65535 octets. */
#define QUERY_ROOM_MIN 512

/* A query and its response. */
struct query_io {
	const uint8_t *in; /* borrowed */
	size_t in_len;
	uint8_t *out; /* the caller's, not the octets at `in` */
	size_t room;
	const struct address_ip *client; /* borrowed; NULL: unknown; then there are no cookies */
	/* Octets written to `out`, at most `room`; or 0 when silence is the answer: to responses, to what has no
	 * whole header (RFC 8906 §3), and to what would be too much for the client's network (server/rrl.h). */
	size_t out_len;
	bool is_taken;	   /* a message of an opcode that others answer, not answered here */
	bool is_elsewhere; /* a transfer, or signed: not answered here */
	struct query_transfer transfer;
};

/* Queries that are answered together: enough that the waits for memory overlap. */
#define QUERY_BATCH_MAX 32

/* Answers @count queries, at most QUERY_BATCH_MAX. */
void query_answer(struct query_ctx *ctx, const struct query_env *env, struct query_io *io,
		  unsigned count);

#endif

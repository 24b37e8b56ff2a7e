/* server/query.h - the query engine: octets of a query in, octets of a response out.
 *
 * Knows no socket, clock or lock, allocates nothing and logs nothing. What it reads (zones and
 * their versions) is borrowed: the caller is inside an epoch (zones/base/epoch.h) for the call.
 *
 * Threads: one query_ctx per worker. */
#ifndef SERVER_QUERY_H
#define SERVER_QUERY_H

#include "zones/zone.h"

struct query_ctx; /* scratch memory, kept from query to query */

MUST_USE int query_ctx_new(struct query_ctx **out);
void query_ctx_free(struct query_ctx *ctx);

/* What the operator chose. Immutable. */
struct query_config {
	uint16_t udp_size; /* largest UDP response, and what EDNS tells the client */
	bool full;	   /* positive answers carry the zone's NS set too */
};

/* What a response depends on beside the query. */
struct query_env {
	const struct zoneset *zones;
	const struct query_config *config;
	bool is_tcp;
};

/* The smallest output buffer: UDP responses of @udp_size need as much, TCP ones 65535 octets. */
#define QUERY_ROOM_MIN 512

/* Answers the @in_len octets at @in. Returns the octets written to @out (at most @room), or 0 when silence
 * is the answer: responses, and what has no whole header (RFC 8906 §3). */
size_t query_answer(struct query_ctx *ctx, const struct query_env *env, const uint8_t *in,
		    size_t in_len, uint8_t *out, size_t room);

#endif

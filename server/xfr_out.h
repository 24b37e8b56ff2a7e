/* server/xfr_out.h - zone transfers to secondaries: AXFR (RFC 5936) and IXFR (RFC 1995), message by message.
 *
 *     AXFR   SOA | all other records, name by name | SOA
 *     IXFR   SOA | for each difference: old SOA, what it removes, new SOA, what it adds | SOA
 *            SOA alone, where the client has nothing to learn, or (UDP) where it has to come back over TCP
 *
 * A transfer is of one version of the zone, which it holds; newer ones are published meanwhile. It makes one message when
 * it is asked for one, so it goes as fast as the client reads.
 *
 * Threads: a transfer belongs to one at a time; a desk to all.
 * Memory:  a transfer holds a version, and of an IXFR some of the journal's records (server/xfr_history.h). */
#ifndef SERVER_XFR_OUT_H
#define SERVER_XFR_OUT_H

#include "server/query.h"
#include "server/stream.h"
#include "server/tsig.h"

struct journal;

/* Counts the transfers of all threads. */
struct xfr_desk;

/* E_CRYPTO. */
MUST_USE int xfr_desk_new(struct xfr_desk **out);
void xfr_desk_free(struct xfr_desk *d); /* no transfer is left; NULL is fine */
struct xfr_desk_limits {
	uint32_t all;
	uint32_t per_client; /* as server/client.h has it */
};
/* Is there room for one more? Several threads that ask at once may all get it. */
bool xfr_desk_has_room(struct xfr_desk *d, const struct xfr_desk_limits *limits,
		       const struct address_ip *client);

/* What a transfer is made of; all borrowed for the call. */
struct xfr_start {
	struct xfr_desk *desk;
	struct journal *journal; /* outlives the transfer; NULL: there is none */
	const struct query_transfer *wanted;
	const uint8_t *response; /* header, question, OPT */
	size_t response_len;
	const struct address_ip *client;
	bool is_datagram; /* the response is one message */
	/* The query, and the key that signed it; NULL: none. */
	const uint8_t *query;
	size_t query_len;
	const struct tsig_key *key;
	int64_t now; /* seconds since 1970 */
};

struct xfr_out;

/* Inside an epoch. E_CRYPTO. */
MUST_USE int xfr_out_new(const struct xfr_start *start, struct xfr_out **out);
void xfr_out_free(struct xfr_out *x);
/* The next message (struct stream_source). */
bool xfr_out_next(struct xfr_out *x, uint8_t *out, size_t room, size_t *len);
/* For a stream, which takes @x. */
struct stream_source xfr_out_source(struct xfr_out *x);

#endif

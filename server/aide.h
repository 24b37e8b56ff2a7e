/* server/aide.h - what a worker leaves to its aide: queries that take long to answer, or need a secret.
 *
 * These are transfers (server/xfr_out.h), and whatever has a TSIG (RFC 8945), for which the query engine is asked as for
 * any other query, between looking at the signature and making one:
 *
 *     tsig_verify → query_answer → tsig_sign
 *                        └─ a transfer → xfr_out, which signs its messages itself
 *
 * Threads: one aide, one thread. */
#ifndef SERVER_AIDE_H
#define SERVER_AIDE_H

#include "server/config.h"
#include "server/xfr_out.h"

/* What aides answer from; immutable once published, like struct serving, of which it is a part. */
struct aide_serving {
	const struct config *config;
	uint64_t generation;	 /* another one for each configuration */
	struct journal *journal; /* NULL: there is none */
	struct xfr_desk *desk;
};

struct aide;

/* @ctx is borrowed. */
struct aide *aide_new(struct query_ctx *ctx);
void aide_free(struct aide *a); /* NULL is fine */

enum aide_answer {
	AIDE_ANSWERED, /* io->out_len, 0: silence */
	AIDE_TAKEN,    /* it is of an opcode that others answer */
	AIDE_TRANSFER, /* what has to be sent is what *transfer makes */
	AIDE_LATER     /* a transfer, but is_busy */
};

/* Answers the message of @io, as query_answer would with @env, which has a room of MESSAGE_MAX octets. @is_busy: the
 * connection has a transfer already. Inside an epoch. */
enum aide_answer aide_answer(struct aide *a, const struct aide_serving *s,
			     const struct query_env *env, struct query_io *io, bool is_busy,
			     struct xfr_out **transfer);

#endif

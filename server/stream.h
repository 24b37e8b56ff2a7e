/* server/stream.h - one connection's octets: messages with two octets of length in front (RFC 1035
 * §4.2.2, RFC 7766 §8, RFC 7858 §3.3), taken from a socket and put back on it, through a transport where
 * there is one.
 *
 * Knows sockets, and nothing of events, clocks or other connections. A stream works in turns: send what
 * waits, read once, answer each whole message, send the answers. What bounds a turn is STREAM_IN, so no
 * client keeps others waiting. What bounds memory:
 *
 *     an idle stream       nothing beside its struct, and what its transport keeps
 *     a message in pieces  its octets so far, and what one turn reads: STREAM_IN, and over TLS the record
 *                          (16 KiB) that these ended
 *     answers not taken    what one turn made before the socket was full (stream_turn.limit + one message);
 *                          nothing is read, and no query answered, until they are taken
 *
 * An answer of many messages comes from a source, which makes one in a turn, and none while others are not taken; the
 * stream's other queries are answered in between.
 *
 * Threads: one. The scratch memory is shared by the streams of a thread.
 * Memory:  stream_open takes socket and transport; stream_close closes and frees them and all but the
 *          struct. */
#ifndef SERVER_STREAM_H
#define SERVER_STREAM_H

#include <stdbool.h>

#include "server/transport.h"
#include "zones/base/attr.h"

/* Octets that are read from a socket at a time. */
#define STREAM_IN STRESSED(8192, 7)

struct stream_scratch; /* buffers that hold nothing between turns */

struct stream_scratch *stream_scratch_new(void);
void stream_scratch_free(struct stream_scratch *s); /* NULL is fine */

/* Makes messages, one at a time. */
struct stream_source {
	/* The next in at most @room octets at @out. False: it was the last. No octets: it cannot go on, and the stream
	 * is broken. */
	bool (*next)(void *state, uint8_t *out, size_t room, size_t *len);
	void (*free)(void *state);
	void *state;
};

struct stream {
	int fd; /* -1: closed */
	struct transport transport;
	struct stream_source source; /* `next` is NULL: there is none */
	bool ended;	 /* the client sends nothing more; what it asked is still answered */
	bool broken;	 /* there is nobody to answer */
	bool is_stalled; /* its first message was put off (STREAM_LATER) */
	unsigned
		pending; /* messages that are answered later, by stream_push; the user's to count */
	struct buf held; /* received and not answered yet; starts with a message */
	struct buf unsent; /* octets of the wire */
	size_t unsent_at;  /* octets of it that were taken */
};

/* Answers the @len octets at @in with at most @room octets at @out; 0 is silence. STREAM_LATER: not now; it stays, and
 * nothing is read, until the source has ended or is_stalled is taken away. */
#define STREAM_LATER SIZE_MAX
typedef size_t stream_answer_fn(void *arg, const uint8_t *in, size_t len, uint8_t *out,
				size_t room);

/* What a turn works with, and what it did. */
struct stream_turn {
	struct stream_scratch *scratch;
	stream_answer_fn *answer;
	void *arg;
	size_t limit; /* octets of answers that are made before they are sent; at least one answer is */
	bool is_deaf; /* nothing has come: it is not tried to read */
	/* Results. */
	size_t received; /* octets of the wire */
	size_t sent;	 /* octets of the wire */
	size_t answered; /* messages that got an answer */
};

enum stream_state {
	STREAM_READS,  /* nothing to do until the socket is readable */
	STREAM_WRITES, /* answers wait: nothing to do until it is writable */
	STREAM_SENDS,  /* the source has more: the next turn is when it is writable, or readable */
	STREAM_WAITS, /* nothing is read, but answers are pending, or it is stalled: nothing to do until stream_push */
	STREAM_FINISHED /* all is sent and nothing will come, or it is broken: to be closed */
};

/* @fd (taken) is connected and does not block. @transport is taken as well; NULL: octets are clear. */
void stream_open(struct stream *s, int fd, const struct transport *transport);
/* Takes leave, as far as the socket takes it. Fine when it is closed already. */
void stream_close(struct stream *s);
/* There is more to say than one message: @source (taken) is its only one. */
void stream_feed(struct stream *s, const struct stream_source *source);
/* Sends an answer that was pending, in a turn of its own. */
MUST_USE enum stream_state stream_push(struct stream *s, struct stream_turn *turn,
				       const uint8_t *octets, size_t len);
/* One turn; the results of @turn are set. */
MUST_USE enum stream_state stream_turn(struct stream *s, struct stream_turn *turn);

#endif

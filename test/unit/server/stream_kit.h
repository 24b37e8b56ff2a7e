/* test/unit/server/stream_kit.h - a stream over a real pair of sockets, and the client at the other end.
 *
 * A message says what its answer is, so that any test can ask for any. */
#ifndef TEST_UNIT_SERVER_STREAM_KIT_H
#define TEST_UNIT_SERVER_STREAM_KIT_H

#include "server/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/unit/unit.h"
#include "zones/base/mem.h"
#include "zones/base/wire.h"

#define MESSAGE_MAX 65535
#define LIMIT	    20000 /* octets of answers before they are sent */

struct far; /* what the client of a test has beside its socket */

struct pair {
	struct stream stream;
	int client; /* -1: closed */
	struct far *far;
	/* Octets that the client has got, 0 at the end, -1 when there are none now. */
	ssize_t (*receive)(struct pair *p, uint8_t *to, size_t room);
	size_t more_in, more_out; /* octets that the transport may hold beside messages */
	struct stream_turn turn;
	enum stream_state state; /* after the last turn */
	unsigned asked;		 /* messages that came to the answer function */
};

/* The first two octets of a message are the length of its answer, 0 for silence, whose octets are all the
 * third. A message of less than three octets gets none. */
static inline size_t answer(void *arg, const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
	struct pair *p = arg;
	p->asked++;
	if (len < 3) {
		return 0;
	}
	size_t n = be16_get(in);
	ck_assert_uint_le(n, room);
	memset(out, in[2], n);
	return n;
}

/* @transport: NULL, or taken over. */
static inline void pair_start(struct pair *p, const struct transport *transport)
{
	int fds[2];
	memset(p, 0, sizeof(*p));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	stream_open(&p->stream, fds[0], transport);
	p->client = fds[1];
	p->turn = (struct stream_turn){
		.scratch = stream_scratch_new(), .answer = answer, .arg = p, .limit = LIMIT
	};
}

static inline void pair_end(struct pair *p)
{
	stream_close(&p->stream);
	if (p->client >= 0) {
		(void)close(p->client);
	}
	stream_scratch_free(p->turn.scratch);
}

static inline enum stream_state turn(struct pair *p)
{
	if (p->state != STREAM_FINISHED) {
		p->state = stream_turn(&p->stream, &p->turn);
	}
	size_t waiting = p->stream.unsent.len - p->stream.unsent_at;
	ck_assert_uint_le(p->stream.held.len, 2 + MESSAGE_MAX + STREAM_IN + p->more_in);
	ck_assert_uint_le(waiting, LIMIT + 2 + MESSAGE_MAX + p->more_out);
	ck_assert_int_eq(p->state == STREAM_WRITES, waiting != 0 && !p->stream.broken);
	return p->state;
}

/* Turns until nothing more comes. */
static inline enum stream_state settle(struct pair *p)
{
	enum stream_state state;
	do {
		state = turn(p);
	} while (state == STREAM_READS && p->turn.received != 0);
	return state;
}

/* A message of @len octets, framed, that wants @wanted octets of @fill. */
static inline size_t frame(uint8_t *out, size_t len, size_t wanted, uint8_t fill)
{
	uint8_t message[3] = { (uint8_t)(wanted >> 8), (uint8_t)wanted, fill };
	be16_put(out, (uint16_t)len);
	memset(out + 2, 0, len);
	memcpy(out + 2, message, len < 3 ? len : 3);
	return 2 + len;
}

/* What the client reads is one answer of @len octets of @fill. */
static inline void expect(struct pair *p, size_t len, uint8_t fill)
{
	static uint8_t got[2 + MESSAGE_MAX];
	size_t n = 0;
	while (n < 2 + len) {
		ssize_t more = p->receive(p, got + n, 2 + len - n);
		if (more > 0) {
			n += (size_t)more;
			continue;
		}
		ck_assert_msg(more < 0, "the stream has ended");
		ck_assert_int_ne(p->state, STREAM_FINISHED);
		(void)turn(p);
	}
	ck_assert_uint_eq(be16_get(got), len);
	ck_assert(unit_all_equal(got + 2, len, fill));
}

#endif

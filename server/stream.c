/* server/stream.c - one connection's octets.
 *
 * Received octets are answered where they were received, in the scratch memory; only the start of a message
 * whose rest is still to come, and what waits for the client to take its answers, is copied to the heap.
 *
 * Invariant: when a socket is read, `unsent` is empty and `held` has no whole message; and a transport keeps no
 * octets that it could make clear ones of. */
#include "server/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "zones/base/mem.h"
#include "zones/dns/message.h"

#define PREFIX 2 /* octets of a length */
/* Answers are sent when they are more than this, so that there is room for the longest. */
#define OUT_FULL ((size_t)64 << 10)

struct stream_scratch {
	uint8_t in[STREAM_IN];
	uint8_t clear[STREAM_IN]; /* of it, where there is a transport */
	struct buf wire;	  /* what it wants sent; keeps its room */
	size_t out_len;
	uint8_t out[OUT_FULL + PREFIX + MESSAGE_MAX];
};

struct stream_scratch *stream_scratch_new(void)
{
	return mem_zalloc(sizeof(struct stream_scratch));
}

void stream_scratch_free(struct stream_scratch *s)
{
	if (s != NULL) {
		buf_clear(&s->wire);
		mem_free(s);
	}
}

void stream_open(struct stream *s, int fd, const struct transport *transport)
{
	*s = (struct stream){ .fd = fd };
	if (transport != NULL) {
		s->transport = *transport;
	}
}

/* Not behind half of what was sent before: the client would make nothing of it. */
static void take_leave(struct stream *s)
{
	struct buf out = { 0 };
	struct transport_wire wire = { .out = &out };
	if (!s->broken && s->unsent.len == 0) {
		s->transport.ops->end(s->transport.state, &wire);
		(void)send(s->fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	buf_clear(&out);
}

static void drop_source(struct stream *s)
{
	if (s->source.next != NULL) {
		s->source.free(s->source.state);
	}
	s->source = (struct stream_source){ 0 };
}

void stream_close(struct stream *s)
{
	drop_source(s);
	if (s->transport.ops != NULL) {
		take_leave(s);
		s->transport.ops->free(s->transport.state);
	}
	if (s->fd >= 0) {
		(void)close(s->fd);
	}
	s->transport = (struct transport){ 0 };
	s->fd = -1;
	buf_clear(&s->held);
	buf_clear(&s->unsent);
}

/* --- out ------------------------------------------------------------------------------------- */

/* Is there no sense in making more answers? */
static bool is_blocked(const struct stream *s)
{
	return s->broken || s->unsent.len != 0 || s->is_stalled;
}

/* How much of the @len octets the socket takes; all of them, where nobody wants them any more. */
static size_t send_some(struct stream *s, struct stream_turn *turn, const void *octets, size_t len)
{
	ssize_t n = 0;
	if (!s->broken && len != 0) {
		n = send(s->fd, octets, len, MSG_NOSIGNAL);
		s->broken = n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
	}
	if (s->broken) {
		return len;
	}
	size_t taken = n > 0 ? (size_t)n : 0;
	turn->sent += taken;
	return taken;
}

static void send_unsent(struct stream *s, struct stream_turn *turn)
{
	if (s->unsent.len == 0) {
		return;
	}
	s->unsent_at +=
		send_some(s, turn, s->unsent.data + s->unsent_at, s->unsent.len - s->unsent_at);
	if (s->unsent_at >= s->unsent.len) {
		buf_clear(&s->unsent);
		s->unsent_at = 0;
	}
}

/* Sends @len octets of the wire; the rest waits. */
static void send_or_keep(struct stream *s, struct stream_turn *turn, const void *octets, size_t len)
{
	size_t taken = s->unsent.len == 0 ? send_some(s, turn, octets, len) : 0;
	if (taken < len) {
		buf_add(&s->unsent, (const uint8_t *)octets + taken, len - taken);
	}
}

/* Sends the answers made so far, and what else the transport has to say; the rest waits. */
static void flush(struct stream *s, struct stream_turn *turn)
{
	struct stream_scratch *x = turn->scratch;
	if (s->transport.ops == NULL) {
		send_or_keep(s, turn, x->out, x->out_len);
	} else {
		struct transport_wire wire = { .out = &x->wire };
		if (x->out_len != 0 &&
		    !s->transport.ops->write(s->transport.state, &wire, x->out, x->out_len)) {
			s->ended = true;
		}
		send_or_keep(s, turn, x->wire.data, x->wire.len);
		buf_reset(&x->wire);
	}
	x->out_len = 0;
}

/* --- in -------------------------------------------------------------------------------------- */

/* The octets of the message that begins at @octets, its length included; 0: it is not all there. */
static size_t whole_message(const uint8_t *octets, size_t len)
{
	if (len < PREFIX) {
		return 0;
	}
	size_t n = PREFIX + be16_get(octets);
	return n <= len ? n : 0;
}

/* The @n octets of an answer stand behind those made before. */
static void add_answer(struct stream_turn *turn, size_t n)
{
	struct stream_scratch *x = turn->scratch;
	be16_put(x->out + x->out_len, (uint16_t)n);
	x->out_len += PREFIX + n;
	turn->answered++;
}

/* False: it was put off. */
static bool answer_one(struct stream_turn *turn, const uint8_t *message, size_t len)
{
	uint8_t *to = turn->scratch->out + turn->scratch->out_len;
	size_t n = turn->answer(turn->arg, message, len, to + PREFIX, MESSAGE_MAX);
	if (n != 0 && n != STREAM_LATER) {
		add_answer(turn, n);
	}
	return n != STREAM_LATER;
}

/* Answers the whole messages at the start of @octets until the client does not keep up. Returns the octets
 * that are done with. */
static size_t answer_all(struct stream *s, struct stream_turn *turn, const uint8_t *octets,
			 size_t len)
{
	size_t at = 0;
	size_t n = whole_message(octets, len);
	while (n != 0 && !is_blocked(s)) {
		s->is_stalled = !answer_one(turn, octets + at + PREFIX, n - PREFIX);
		if (s->is_stalled) {
			break;
		}
		at += n;
		if (turn->scratch->out_len >= turn->limit || turn->scratch->out_len >= OUT_FULL) {
			flush(s, turn);
		}
		n = whole_message(octets + at, len - at);
	}
	return at;
}

static void answer_held(struct stream *s, struct stream_turn *turn)
{
	size_t done = answer_all(s, turn, (const uint8_t *)s->held.data, s->held.len);
	if (done >= s->held.len) {
		buf_clear(&s->held);
	} else if (done != 0) {
		memmove(s->held.data, s->held.data + done, s->held.len - done);
		s->held.len -= done;
	}
}

/* Messages, or pieces of them, that came from the client. */
static void take(struct stream *s, struct stream_turn *turn, const uint8_t *octets, size_t len)
{
	if (s->held.len != 0) {
		buf_add(&s->held, octets, len);
		answer_held(s, turn);
		return;
	}
	size_t done = answer_all(s, turn, octets, len);
	if (done < len) {
		buf_add(&s->held, octets + done, len - done);
	}
}

/* Takes the clear octets of the @len octets of the wire that came. All of them: no others follow before all
 * answers are sent. */
static void take_through(struct stream *s, struct stream_turn *turn, size_t len)
{
	struct stream_scratch *x = turn->scratch;
	struct transport_wire wire = { x->in, len, &x->wire };
	const struct transport *t = &s->transport;
	int n;
	while ((n = t->ops->read(t->state, &wire, x->clear, sizeof(x->clear))) > 0) {
		take(s, turn, x->clear, (size_t)n);
	}
	s->ended = s->ended || n < 0;
}

static void receive(struct stream *s, struct stream_turn *turn)
{
	struct stream_scratch *x = turn->scratch;
	ssize_t n = recv(s->fd, x->in, sizeof(x->in), 0);
	if (n > 0) {
		turn->received = (size_t)n;
		if (s->transport.ops == NULL) {
			take(s, turn, x->in, (size_t)n);
		} else {
			take_through(s, turn, (size_t)n);
		}
	} else if (n == 0) {
		s->ended = true;
	} else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		s->broken = true;
	}
}

/* --- turns ----------------------------------------------------------------------------------- */

static enum stream_state state_of(const struct stream *s)
{
	bool waits = s->pending != 0 || s->is_stalled;
	if (s->broken) {
		return STREAM_FINISHED;
	}
	return s->unsent.len != 0	   ? STREAM_WRITES
	       : s->source.next != NULL	   ? STREAM_SENDS
	       : s->ended && !waits	   ? STREAM_FINISHED
	       : s->ended || s->is_stalled ? STREAM_WAITS
					   : STREAM_READS;
}

/* A message of the source, unless others wait. */
static void send_next(struct stream *s, struct stream_turn *turn)
{
	struct stream_scratch *x = turn->scratch;
	size_t len = 0;
	if (s->source.next == NULL || s->broken || s->unsent.len != 0) {
		return;
	}
	bool has_more = s->source.next(s->source.state, x->out + PREFIX, MESSAGE_MAX, &len);
	if (len != 0) {
		add_answer(turn, len);
	} else {
		s->broken = true;
	}
	flush(s, turn);
	if (!has_more) {
		drop_source(s);
		s->is_stalled = false;
	}
}

void stream_feed(struct stream *s, const struct stream_source *source)
{
	s->source = *source;
}

enum stream_state stream_push(struct stream *s, struct stream_turn *turn, const uint8_t *octets,
			      size_t len)
{
	struct stream_scratch *x = turn->scratch;
	turn->received = turn->sent = turn->answered = 0;
	be16_put(x->out, (uint16_t)len);
	memcpy(x->out + PREFIX, octets, len);
	x->out_len = PREFIX + len;
	turn->answered = 1;
	flush(s, turn);
	return state_of(s);
}

enum stream_state stream_turn(struct stream *s, struct stream_turn *turn)
{
	turn->received = turn->sent = turn->answered = 0;
	send_unsent(s, turn);
	send_next(s, turn);
	if (!is_blocked(s) && s->held.len != 0) {
		answer_held(s, turn);
	}
	if (!is_blocked(s) && !s->ended && !turn->is_deaf) {
		receive(s, turn);
	}
	flush(s, turn);
	return state_of(s);
}

/* test/unit/server/stream_test.c - framing over a real pair of sockets: pieces, pipelines, clients that do
 * not read, ends of every kind; then random traffic against a list of what has to come back. */
#include "server/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/unit/unit.h"
#include "zones/base/mem.h"
#include "zones/base/wire.h"

#define MESSAGE_MAX 65535
#define LIMIT	    20000 /* octets of answers before they are sent */

/* A stream and the client's end of it. */
struct pair {
	struct stream stream;
	int client;
	struct stream_turn turn;
	enum stream_state state; /* after the last turn */
	unsigned asked;		 /* messages that came to the answer function */
};

/* The answer to a message says how long that was and how long it is itself: its first two octets, 0 for
 * silence, then octets of the third. A message of less than three octets gets none. */
static size_t answer(void *arg, const uint8_t *in, size_t len, uint8_t *out, size_t room)
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

static void pair_open(struct pair *p)
{
	int fds[2];
	memset(p, 0, sizeof(*p));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	stream_open(&p->stream, fds[0]);
	p->client = fds[1];
	p->turn = (struct stream_turn){
		.scratch = stream_scratch_new(), .answer = answer, .arg = p, .limit = LIMIT
	};
}

static void pair_close(struct pair *p)
{
	stream_close(&p->stream);
	stream_close(&p->stream); /* fine */
	if (p->client >= 0) {
		(void)close(p->client);
	}
	stream_scratch_free(p->turn.scratch);
	stream_scratch_free(NULL);
}

static enum stream_state turn(struct pair *p)
{
	enum stream_state state = stream_turn(&p->stream, &p->turn);
	size_t waiting = p->stream.unsent.len - p->stream.unsent_at;
	ck_assert_uint_le(p->stream.held.len, 2 + MESSAGE_MAX + STREAM_IN);
	ck_assert_uint_le(waiting, LIMIT + 2 + MESSAGE_MAX);
	ck_assert_int_eq(state == STREAM_WRITES, waiting != 0 && !p->stream.broken);
	p->state = state;
	return state;
}

/* Turns until nothing more comes. */
static enum stream_state settle(struct pair *p)
{
	enum stream_state state;
	do {
		state = turn(p);
	} while (state == STREAM_READS && p->turn.received != 0);
	return state;
}

/* A message of @len octets, framed, that wants @wanted octets of @fill. */
static size_t frame(uint8_t *out, size_t len, size_t wanted, uint8_t fill)
{
	uint8_t message[3] = { (uint8_t)(wanted >> 8), (uint8_t)wanted, fill };
	be16_put(out, (uint16_t)len);
	memset(out + 2, 0, len);
	memcpy(out + 2, message, len < 3 ? len : 3);
	return 2 + len;
}

static void send_all(struct pair *p, const void *octets, size_t len)
{
	ck_assert_int_eq(send(p->client, octets, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* What the client reads is one answer of @len octets of @fill. */
static void expect(struct pair *p, size_t len, uint8_t fill)
{
	static uint8_t got[2 + MESSAGE_MAX];
	size_t n = 0;
	while (n < 2 + len) {
		ssize_t more = recv(p->client, got + n, 2 + len - n, 0);
		if (more > 0) {
			n += (size_t)more;
			continue;
		}
		ck_assert_msg(more < 0 && errno == EAGAIN, "the stream has ended");
		ck_assert_int_ne(p->state, STREAM_FINISHED);
		(void)turn(p);
	}
	ck_assert_uint_eq(be16_get(got), len);
	ck_assert(unit_all_equal(got + 2, len, fill));
}

static void expect_nothing(struct pair *p)
{
	uint8_t octet;
	ck_assert_int_eq(recv(p->client, &octet, 1, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

START_TEST(a_message_octet_by_octet)
{
	struct pair p;
	uint8_t m[64];
	pair_open(&p);
	ck_assert_int_eq(turn(&p), STREAM_READS);
	size_t len = frame(m, 20, 30, 'a');
	for (size_t i = 0; i < len; i++) {
		ck_assert_uint_eq(p.asked, 0);
		send_all(&p, m + i, 1);
		ck_assert_int_eq(turn(&p), STREAM_READS);
		ck_assert_uint_eq(p.turn.answered, i + 1 == len);
	}
	expect(&p, 30, 'a');
	ck_assert_uint_eq(p.turn.sent, 32);
	ck_assert_uint_eq(p.stream.held.cap, 0); /* nothing is kept for an idle client */
	ck_assert_uint_eq(p.stream.unsent.cap, 0);
	pair_close(&p);
}
END_TEST

START_TEST(many_messages_at_once)
{
	struct pair p;
	uint8_t m[4000];
	size_t len = 0;
	pair_open(&p);
	for (uint8_t i = 0; i < 100; i++) {
		len += frame(m + len, 3 + i % 17, 1 + i, i);
	}
	send_all(&p, m, len);
	ck_assert_int_eq(settle(&p), STREAM_READS);
	ck_assert_uint_eq(p.asked, 100);
	for (uint8_t i = 0; i < 100; i++) {
		expect(&p, 1 + i, i);
	}
	expect_nothing(&p);
	pair_close(&p);
}
END_TEST

START_TEST(the_shortest_and_the_longest)
{
	static uint8_t m[2 * (2 + MESSAGE_MAX)];
	struct pair p;
	pair_open(&p);
	size_t len = frame(m, 0, 0, 0);
	len += frame(m + len, 1, 9, 'x');
	len += frame(m + len, MESSAGE_MAX, MESSAGE_MAX, 'b');
	len += frame(m + len, 12, 0, 'c'); /* silence */
	len += frame(m + len, 12, 5, 'd');
	send_all(&p, m, len);
	(void)settle(&p);
	expect(&p, MESSAGE_MAX, 'b');
	expect(&p, 5, 'd');
	expect_nothing(&p);
	ck_assert_uint_eq(p.asked, 5);
	pair_close(&p);
}
END_TEST

/* Who does not read is not read from, and loses nothing. */
START_TEST(a_client_that_does_not_read)
{
	struct pair p;
	uint8_t m[64];
	unsigned count = 0;
	pair_open(&p);
	size_t len = frame(m, 12, 10000, 'a');
	while (send(p.client, m, len, MSG_NOSIGNAL) == (ssize_t)len && count < 100000) {
		count++;
		(void)turn(&p);
	}
	ck_assert_int_eq(turn(&p), STREAM_WRITES);
	ck_assert_uint_lt(p.asked, count);
	unsigned asked = p.asked;
	ck_assert_int_eq(turn(&p), STREAM_WRITES);
	ck_assert_uint_eq(p.turn.received, 0);
	ck_assert_uint_eq(p.asked, asked);
	for (unsigned i = 0; i < count; i++) {
		expect(&p, 10000, 'a');
	}
	ck_assert_int_eq(settle(&p), STREAM_READS);
	ck_assert_uint_eq(p.asked, count);
	pair_close(&p);
}
END_TEST

START_TEST(a_half_closed_client_gets_its_answers)
{
	struct pair p;
	uint8_t m[64];
	pair_open(&p);
	size_t len = frame(m, 12, 60000, 'a');
	for (unsigned i = 0; i < 100; i++) {
		send_all(&p, m, len);
	}
	send_all(&p, m, 7); /* half a message that will never be whole */
	ck_assert_int_eq(shutdown(p.client, SHUT_WR), 0);
	ck_assert_int_eq(settle(&p), STREAM_WRITES);
	for (unsigned i = 0; i < 100; i++) {
		expect(&p, 60000, 'a');
	}
	ck_assert_int_eq(settle(&p), STREAM_FINISHED);
	ck_assert(!p.stream.broken);
	expect_nothing(&p);
	pair_close(&p);
}
END_TEST

START_TEST(a_client_that_is_gone)
{
	struct pair p;
	uint8_t m[64];
	pair_open(&p);
	ck_assert_int_eq(shutdown(p.client, SHUT_WR), 0);
	ck_assert_int_eq(turn(&p), STREAM_FINISHED);
	pair_close(&p);

	pair_open(&p);
	send_all(&p, m, frame(m, 12, 60000, 'a'));
	(void)close(p.client);
	p.client = -1;
	ck_assert_int_eq(settle(&p), STREAM_FINISHED);
	pair_close(&p);

	pair_open(&p);
	size_t len = frame(m, 12, 60000, 'a');
	for (unsigned i = 0; i < 100; i++) {
		send_all(&p, m, len);
	}
	ck_assert_int_eq(settle(&p), STREAM_WRITES);
	(void)close(p.client);
	p.client = -1;
	ck_assert_int_eq(turn(&p), STREAM_FINISHED);
	ck_assert(p.stream.broken);
	pair_close(&p);
}
END_TEST

/* --- random traffic -------------------------------------------------------------------------- */

struct expected {
	size_t len;
	uint8_t fill;
};

struct traffic {
	struct unit_random random;
	uint8_t *octets; /* all messages */
	size_t len, at;	 /* sent */
	struct expected *answers;
	size_t count, next;
	uint8_t got[2 + MESSAGE_MAX];
	size_t got_len;
};

static void make_traffic(struct traffic *t, unsigned messages)
{
	t->octets = malloc((size_t)messages * (2 + MESSAGE_MAX));
	t->answers = malloc(messages * sizeof(*t->answers));
	t->len = t->at = t->count = t->next = t->got_len = 0;
	for (unsigned i = 0; i < messages; i++) {
		bool is_large = unit_random_below(&t->random, 50) == 0;
		size_t len = unit_random_below(&t->random, is_large ? MESSAGE_MAX + 1 : 60);
		bool wants_much = unit_random_below(&t->random, 50) == 0;
		size_t wanted = unit_random_below(&t->random, wants_much ? MESSAGE_MAX + 1 : 500);
		uint8_t fill = (uint8_t)unit_random_next(&t->random);
		t->len += frame(t->octets + t->len, len, wanted, fill);
		if (len >= 3 && wanted != 0) {
			t->answers[t->count++] = (struct expected){ wanted, fill };
		}
	}
}

static void client_sends(struct pair *p, struct traffic *t)
{
	size_t most = unit_random_below(&t->random, 4) == 0 ? 100000 : 20;
	size_t n = unit_random_below(&t->random, (uint32_t)most);
	n = n < t->len - t->at ? n : t->len - t->at;
	ssize_t sent = send(p->client, t->octets + t->at, n, MSG_NOSIGNAL);
	t->at += sent > 0 ? (size_t)sent : 0;
}

static void client_reads(struct pair *p, struct traffic *t)
{
	size_t budget = unit_random_below(&t->random, 100000);
	while (budget != 0 && t->next < t->count) {
		const struct expected *e = &t->answers[t->next];
		size_t n = 2 + e->len - t->got_len;
		n = n < budget ? n : budget;
		ssize_t got = recv(p->client, t->got + t->got_len, n, 0);
		if (got <= 0) {
			return;
		}
		t->got_len += (size_t)got;
		budget -= (size_t)got;
		if (t->got_len == 2 + e->len) {
			ck_assert_uint_eq(be16_get(t->got), e->len);
			ck_assert(unit_all_equal(t->got + 2, e->len, e->fill));
			t->got_len = 0;
			t->next++;
		}
	}
}

START_TEST(random_traffic_comes_back_in_order)
{
	struct traffic t = { .random = { 853 } };
	for (unsigned run = 0; run < 10; run++) {
		struct pair p;
		enum stream_state state = STREAM_READS;
		bool closed = false;
		pair_open(&p);
		p.turn.limit = 1 + unit_random_below(&t.random, LIMIT);
		make_traffic(&t, 1000);
		while (state != STREAM_FINISHED || t.next < t.count) {
			client_sends(&p, &t);
			if (t.at == t.len && !closed) {
				closed = shutdown(p.client, SHUT_WR) == 0;
			}
			for (unsigned i = unit_random_below(&t.random, 3);
			     i > 0 && state != STREAM_FINISHED; i--) {
				state = turn(&p);
			}
			client_reads(&p, &t);
			ck_assert(state != STREAM_FINISHED || t.at == t.len);
		}
		expect_nothing(&p);
		ck_assert_uint_eq(p.asked, 1000);
		free(t.octets);
		free(t.answers);
		pair_close(&p);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("stream");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_message_octet_by_octet);
	tcase_add_test(tc, many_messages_at_once);
	tcase_add_test(tc, the_shortest_and_the_longest);
	tcase_add_test(tc, a_client_that_does_not_read);
	tcase_add_test(tc, a_half_closed_client_gets_its_answers);
	tcase_add_test(tc, a_client_that_is_gone);
	tcase_add_test(tc, random_traffic_comes_back_in_order);
	return unit_run("server/stream", tc);
}

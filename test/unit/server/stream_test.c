/* test/unit/server/stream_test.c - framing over a real pair of sockets: pieces, pipelines, clients that do
 * not read, ends of every kind; then random traffic against a list of what has to come back. All of it once
 * with octets as they are, and once through a transport that changes each octet by its place, so that none can
 * be lost, doubled or out of place. */
#include "server/stream.h"

#include "test/unit/server/stream_kit.h"

/* --- a transport ----------------------------------------------------------------------------- */

#define HELLO 4 /* octets of a handshake, '?' from the client and then '!' from the server */
#define BYE   "bye"

struct fake {
	size_t hello; /* octets of the client's that have come */
	size_t read, written;
	size_t fails_at; /* octet that is not read any more; 0: none */
	bool has_failed;
	bool *is_freed;
};

/* The octets at @place as they are on the wire, or back. */
static void scramble(uint8_t *octets, size_t len, size_t place)
{
	for (size_t i = 0; i < len; i++) {
		octets[i] ^= (uint8_t)((place + i) * 167 >> 3);
	}
}

static void shake_hands(struct fake *f, struct transport_wire *wire)
{
	while (f->hello < HELLO && wire->in_len != 0) {
		ck_assert_uint_eq(*wire->in, '?');
		wire->in++;
		wire->in_len--;
		buf_char(wire->out, '!');
		f->hello++;
	}
}

static int fake_read(void *state, struct transport_wire *wire, uint8_t *to, size_t room)
{
	struct fake *f = state;
	shake_hands(f, wire);
	size_t n = 1 + f->read % 5000; /* in pieces */
	n = n < room ? n : room;
	n = n < wire->in_len ? n : wire->in_len;
	if (f->fails_at != 0 && f->read + n > f->fails_at) {
		n = f->fails_at - f->read;
		if (n == 0 && wire->in_len != 0) {
			buf_str(wire->out, "alert");
			f->has_failed = true;
			return E_INVAL;
		}
	}
	memcpy(to, wire->in, n);
	scramble(to, n, f->read);
	f->read += n;
	wire->in += n;
	wire->in_len -= n;
	return (int)n;
}

static bool fake_write(void *state, struct transport_wire *wire, const uint8_t *octets, size_t len)
{
	struct fake *f = state;
	size_t at = wire->out->len;
	if (f->has_failed) {
		return false;
	}
	buf_add(wire->out, octets, len);
	scramble((uint8_t *)wire->out->data + at, len, f->written);
	f->written += len;
	return true;
}

static void fake_end(void *state, struct transport_wire *wire)
{
	(void)state;
	buf_str(wire->out, BYE);
}

static void fake_free(void *state)
{
	struct fake *f = state;
	*f->is_freed = true;
	free(f);
}

static const struct transport_ops fake_ops = {
	.read = fake_read, .write = fake_write, .end = fake_end, .free = fake_free
};

/* What the client has beside its socket: the other end of a transport. */
struct far {
	struct fake *fake; /* NULL: octets are as they are */
	bool fake_is_freed;
	size_t sent, got; /* octets of the client's, without the handshake */
};

/* --- pairs ----------------------------------------------------------------------------------- */

static ssize_t client_recv(struct pair *p, uint8_t *to, size_t room)
{
	ssize_t n = recv(p->client, to, room, 0);
	if (n > 0 && p->far->fake != NULL) {
		scramble(to, (size_t)n, p->far->got);
	}
	p->far->got += n > 0 ? (size_t)n : 0;
	return n < 0 && errno != EAGAIN ? 0 : n;
}

static void pair_make(struct pair *p, bool is_fake)
{
	struct fake *fake = is_fake ? calloc(1, sizeof(*fake)) : NULL;
	const struct transport transport = { &fake_ops, fake };
	pair_start(p, is_fake ? &transport : NULL);
	p->receive = client_recv;
	p->far = calloc(1, sizeof(*p->far));
	p->far->fake = fake;
	if (is_fake) {
		fake->is_freed = &p->far->fake_is_freed;
	}
}

static void pair_close(struct pair *p)
{
	pair_end(p);
	stream_close(&p->stream); /* once more is fine */
	ck_assert(p->far->fake_is_freed == (p->far->fake != NULL));
	stream_scratch_free(NULL);
	free(p->far);
}

static void pair_open(struct pair *p, bool is_fake)
{
	uint8_t hello[HELLO + 1];
	pair_make(p, is_fake);
	for (unsigned i = 0; i < HELLO && is_fake; i++) {
		ck_assert_int_eq(send(p->client, "?", 1, MSG_NOSIGNAL), 1);
		ck_assert_int_eq(turn(p), STREAM_READS);
	}
	if (is_fake) {
		ck_assert_int_eq(recv(p->client, hello, sizeof(hello), 0), HELLO);
		ck_assert_mem_eq(hello, "!!!!", HELLO);
	}
}

static ssize_t client_send(struct pair *p, const void *octets, size_t len)
{
	static uint8_t wire[1 << 20];
	ck_assert_uint_le(len, sizeof(wire));
	memcpy(wire, octets, len);
	if (p->far->fake != NULL) {
		scramble(wire, len, p->far->sent);
	}
	ssize_t n = send(p->client, wire, len, MSG_NOSIGNAL);
	p->far->sent += n > 0 ? (size_t)n : 0;
	return n;
}

static void send_all(struct pair *p, const void *octets, size_t len)
{
	ck_assert_int_eq(client_send(p, octets, len), (ssize_t)len);
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
	pair_open(&p, _i == 1);
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
	pair_open(&p, _i == 1);
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
	pair_open(&p, _i == 1);
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
	pair_open(&p, _i == 1);
	size_t len = frame(m, 12, 10000, 'a');
	while (client_send(&p, m, len) == (ssize_t)len && count < 100000) {
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
	pair_open(&p, _i == 1);
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
	pair_open(&p, _i == 1);
	ck_assert_int_eq(shutdown(p.client, SHUT_WR), 0);
	ck_assert_int_eq(turn(&p), STREAM_FINISHED);
	pair_close(&p);

	pair_open(&p, _i == 1);
	send_all(&p, m, frame(m, 12, 60000, 'a'));
	(void)close(p.client);
	p.client = -1;
	ck_assert_int_eq(settle(&p), STREAM_FINISHED);
	pair_close(&p);

	pair_open(&p, _i == 1);
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

/* --- transports ------------------------------------------------------------------------------ */

/* Neither is a message, nor activity. */
START_TEST(a_handshake_is_no_message)
{
	struct pair p;
	pair_make(&p, true);
	for (unsigned i = 0; i < HELLO; i++) {
		ck_assert_int_eq(send(p.client, "?", 1, MSG_NOSIGNAL), 1);
		ck_assert_int_eq(turn(&p), STREAM_READS);
		ck_assert_uint_eq(p.turn.answered, 0);
		ck_assert_uint_eq(p.turn.received, 1);
		ck_assert_uint_eq(p.turn.sent, 1);
	}
	ck_assert_uint_eq(p.stream.held.cap, 0);
	ck_assert_uint_eq(p.stream.unsent.cap, 0);
	ck_assert_uint_eq(p.asked, 0);
	pair_close(&p);
}
END_TEST

/* What is wrong is said, what was right is answered, and that is the end. */
START_TEST(a_client_that_breaks_the_rules)
{
	struct pair p;
	uint8_t m[64];
	char got[64] = "";
	pair_open(&p, true);
	size_t len = frame(m, 12, 10, 'a');
	p.far->fake->fails_at = len;
	send_all(&p, m, len);
	ck_assert_int_eq(turn(&p), STREAM_READS);
	expect(&p, 10, 'a');
	send_all(&p, m, len);
	ck_assert_int_eq(turn(&p), STREAM_FINISHED);
	ck_assert_uint_eq(p.asked, 1);
	ck_assert_int_eq(recv(p.client, got, sizeof(got), 0), 5);
	ck_assert_str_eq(got, "alert");
	pair_close(&p);
}
END_TEST

START_TEST(leave_is_taken)
{
	struct pair p;
	char got[64] = "";
	pair_open(&p, true);
	stream_close(&p.stream);
	ck_assert_int_eq(recv(p.client, got, sizeof(got), 0), 3);
	ck_assert_str_eq(got, BYE);
	ck_assert_int_eq(recv(p.client, got, sizeof(got), 0), 0);
	pair_close(&p);
}
END_TEST

/* Not in the middle of an answer that it did not take. */
START_TEST(no_leave_is_taken_of_a_client_that_does_not_read)
{
	struct pair p;
	uint8_t m[64];
	static uint8_t got[1 << 20];
	ssize_t n;
	pair_open(&p, true);
	size_t len = frame(m, 12, 60000, 'a');
	while (client_send(&p, m, len) == (ssize_t)len && turn(&p) != STREAM_WRITES) {
	}
	size_t sent = p.far->fake->written - (p.stream.unsent.len - p.stream.unsent_at);
	stream_close(&p.stream);
	size_t all = 0;
	while ((n = client_recv(&p, got, sizeof(got))) > 0) {
		all += (size_t)n;
	}
	ck_assert_uint_eq(all, sent);
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
	ssize_t sent = client_send(p, t->octets + t->at, n);
	t->at += sent > 0 ? (size_t)sent : 0;
}

static void client_reads(struct pair *p, struct traffic *t)
{
	size_t budget = unit_random_below(&t->random, 100000);
	while (budget != 0 && t->next < t->count) {
		const struct expected *e = &t->answers[t->next];
		size_t n = 2 + e->len - t->got_len;
		n = n < budget ? n : budget;
		ssize_t got = client_recv(p, t->got + t->got_len, n);
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
		pair_open(&p, _i == 1);
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

/* --- answers of many messages ---------------------------------------------------------------- */

struct many {
	unsigned left; /* messages */
	size_t len;    /* of each */
	unsigned made;
	bool breaks; /* instead of the last */
	unsigned freed;
};

static bool many_next(void *state, uint8_t *out, size_t room, size_t *len)
{
	struct many *m = state;
	ck_assert_uint_gt(m->left, 0);
	ck_assert_uint_le(m->len, room);
	m->left--;
	*len = m->left == 0 && m->breaks ? 0 : m->len;
	memset(out, (int)('A' + m->made % 26), *len);
	m->made += *len != 0;
	return m->left != 0;
}

static void many_free(void *state)
{
	((struct many *)state)->freed++;
}

/* A message of two octets is answered by what @many makes; where that is busy it waits. */
struct feeder {
	struct pair *pair;
	struct many *many;
	unsigned next; /* of them */
};

static size_t answer_or_feed(void *arg, const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
	struct feeder *f = arg;
	if (len != 2) {
		return answer(f->pair, in, len, out, room);
	}
	if (f->pair->stream.source.next != NULL) {
		return STREAM_LATER;
	}
	const struct stream_source source = { many_next, many_free, &f->many[f->next++] };
	stream_feed(&f->pair->stream, &source);
	return 0;
}

static void feed(struct pair *p, struct feeder *f, struct many *many)
{
	*f = (struct feeder){ .pair = p, .many = many };
	p->turn.answer = answer_or_feed;
	p->turn.arg = f;
}

START_TEST(one_message_a_turn)
{
	struct pair p;
	struct feeder f;
	struct many many = { .left = 5, .len = 1000 };
	uint8_t out[10];
	pair_open(&p, _i == 1);
	feed(&p, &f, &many);
	send_all(&p, out, frame(out, 2, 0, 0));
	ck_assert_int_eq(turn(&p), STREAM_SENDS);
	for (unsigned i = 1; i <= 5; i++) {
		enum stream_state state = turn(&p);
		ck_assert_uint_eq(many.made, i);
		ck_assert_int_eq(state, i < 5 ? STREAM_SENDS : STREAM_READS);
		expect(&p, 1000, (uint8_t)('A' + i - 1));
	}
	ck_assert_uint_eq(many.freed, 1);
	pair_close(&p);
}
END_TEST

START_TEST(none_is_made_before_the_last_is_taken)
{
	struct pair p;
	struct feeder f;
	struct many many = { .left = 200, .len = MESSAGE_MAX };
	uint8_t out[10];
	pair_open(&p, _i == 1);
	feed(&p, &f, &many);
	send_all(&p, out, frame(out, 2, 0, 0));
	while (turn(&p) != STREAM_WRITES) {
	}
	unsigned made = many.made;
	for (unsigned i = 0; i < 10; i++) {
		ck_assert_int_eq(turn(&p), STREAM_WRITES);
	}
	ck_assert_uint_eq(many.made, made);
	ck_assert_uint_lt(made, 200);
	for (unsigned i = 0; i < 200; i++) {
		expect(&p, MESSAGE_MAX, (uint8_t)('A' + i % 26));
	}
	ck_assert_uint_eq(many.freed, 1);
	pair_close(&p);
}
END_TEST

START_TEST(queries_are_answered_in_between)
{
	struct pair p;
	struct feeder f;
	struct many many = { .left = 3, .len = 10 };
	uint8_t out[10];
	pair_open(&p, _i == 1);
	feed(&p, &f, &many);
	send_all(&p, out, frame(out, 2, 0, 0));
	(void)turn(&p);
	send_all(&p, out, frame(out, 3, 20, 'q'));
	p.turn.is_deaf = true;
	(void)turn(&p);
	expect(&p, 10, 'A');
	ck_assert_uint_eq(p.asked, 0);
	p.turn.is_deaf = false;
	(void)turn(&p);
	expect(&p, 10, 'B');
	expect(&p, 20, 'q');
	(void)turn(&p);
	expect(&p, 10, 'C');
	pair_close(&p);
}
END_TEST

START_TEST(one_source_at_a_time)
{
	struct pair p;
	struct feeder f;
	struct many many[3] = { { .left = 3, .len = 10 },
				{ .left = 1, .len = 11 },
				{ .left = 2, .len = 12 } };
	uint8_t out[30];
	pair_open(&p, _i == 1);
	feed(&p, &f, many);
	size_t n = frame(out, 2, 0, 0);
	n += frame(out + n, 2, 0, 0);
	n += frame(out + n, 3, 20, 'q');
	n += frame(out + n, 2, 0, 0);
	send_all(&p, out, n);
	ck_assert_int_eq(shutdown(p.client, SHUT_WR), 0);
	static const struct {
		size_t len;
		uint8_t fill;
	} wanted[] = { { 10, 'A' }, { 10, 'B' }, { 10, 'C' }, { 20, 'q' },
		       { 11, 'A' }, { 12, 'A' }, { 12, 'B' } };
	for (unsigned i = 0; i < ARRAY_LEN(wanted); i++) {
		expect(&p, wanted[i].len, wanted[i].fill);
	}
	(void)settle(&p);
	ck_assert_int_eq(p.state, STREAM_FINISHED);
	ck_assert_uint_eq(many[0].freed + many[1].freed + many[2].freed, 3);
	pair_close(&p);
}
END_TEST

START_TEST(what_is_put_off_stays)
{
	struct pair p;
	uint8_t out[10];
	struct many busy = { .left = 100, .len = 1 };
	struct feeder f;
	pair_open(&p, _i == 1);
	feed(&p, &f, &busy);
	const struct stream_source source = { many_next, many_free, &busy };
	p.stream.source = source; /* so that it is put off ... */
	send_all(&p, out, frame(out, 2, 0, 0));
	(void)turn(&p);
	ck_assert(p.stream.is_stalled);
	p.stream.source.next = NULL; /* ... and moves somewhere else, where it is asked again */
	ck_assert_int_eq(turn(&p), STREAM_WAITS);
	ck_assert_uint_eq(p.stream.held.len, 4);
	p.stream.is_stalled = false;
	ck_assert_int_eq(turn(&p), STREAM_SENDS);
	ck_assert_uint_eq(p.stream.held.len, 0);
	pair_close(&p);
	ck_assert_uint_eq(busy.freed, 1);
}
END_TEST

START_TEST(a_source_that_cannot_go_on_breaks_the_stream)
{
	struct pair p;
	struct feeder f;
	struct many many = { .left = 3, .len = 10, .breaks = true };
	uint8_t out[10];
	pair_open(&p, _i == 1);
	feed(&p, &f, &many);
	send_all(&p, out, frame(out, 2, 0, 0));
	(void)turn(&p);
	expect(&p, 10, 'A');
	expect(&p, 10, 'B');
	(void)turn(&p);
	ck_assert_int_eq(p.state, STREAM_FINISHED);
	ck_assert_uint_eq(many.freed, 1);
	pair_close(&p);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("stream");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_message_octet_by_octet, 0, 2);
	tcase_add_loop_test(tc, many_messages_at_once, 0, 2);
	tcase_add_loop_test(tc, the_shortest_and_the_longest, 0, 2);
	tcase_add_loop_test(tc, a_client_that_does_not_read, 0, 2);
	tcase_add_loop_test(tc, a_half_closed_client_gets_its_answers, 0, 2);
	tcase_add_loop_test(tc, a_client_that_is_gone, 0, 2);
	tcase_add_test(tc, a_handshake_is_no_message);
	tcase_add_test(tc, a_client_that_breaks_the_rules);
	tcase_add_test(tc, leave_is_taken);
	tcase_add_test(tc, no_leave_is_taken_of_a_client_that_does_not_read);
	tcase_add_loop_test(tc, random_traffic_comes_back_in_order, 0, 2);
	tcase_add_loop_test(tc, one_message_a_turn, 0, 2);
	tcase_add_loop_test(tc, none_is_made_before_the_last_is_taken, 0, 2);
	tcase_add_loop_test(tc, queries_are_answered_in_between, 0, 2);
	tcase_add_loop_test(tc, one_source_at_a_time, 0, 2);
	tcase_add_loop_test(tc, what_is_put_off_stays, 0, 2);
	tcase_add_loop_test(tc, a_source_that_cannot_go_on_breaks_the_stream, 0, 2);
	return unit_run("server/stream", tc);
}

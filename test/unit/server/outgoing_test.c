/* test/unit/server/outgoing_test.c - connections to servers that behave as they like: a real socket on loopback, and a
 * server that is written out step by step. */
#include "server/outgoing.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/clock.h"
#include "test/unit/unit.h"
#include "zones/base/mem.h"
#include "zones/base/wire.h"
#include "zones/dns/message.h"

#define PATIENCE_MS 20000
#define SHORT_MS    150

static struct event_base *base;
static struct config_remote remote;
static struct config_peer peer;
static struct tls_remotes *no_tls;
static struct config none;
static int listener, client;

/* --- what the handler has seen --------------------------------------------------------------- */

static struct {
	struct outgoing *o;
	unsigned messages; /* how many came */
	unsigned wanted;   /* after so many: no more */
	size_t lens[32];
	uint8_t sums[32]; /* of the octets */
	char ended[128];  /* "": not */
	bool is_over;
} seen;

static uint8_t sum_of(const uint8_t *octets, size_t len)
{
	uint8_t sum = 0;
	for (size_t i = 0; i < len; i++) {
		sum = (uint8_t)(sum * 31 + octets[i]);
	}
	return sum;
}

static bool on_message(void *arg, uint8_t *octets, size_t len)
{
	ck_assert_ptr_eq(arg, &seen);
	ck_assert(!seen.is_over);
	seen.lens[seen.messages % 32] = len;
	seen.sums[seen.messages % 32] = sum_of(octets, len);
	seen.messages++;
	seen.is_over = seen.messages == seen.wanted;
	return !seen.is_over;
}

static void on_ended(void *arg, const char *why)
{
	ck_assert_ptr_eq(arg, &seen);
	ck_assert(!seen.is_over);
	(void)snprintf(seen.ended, sizeof(seen.ended), "%s", why);
	seen.is_over = true;
}

/* --- the server ------------------------------------------------------------------------------ */

static void setup(void)
{
	socklen_t len = sizeof(peer.stream.v4);
	memset(&seen, 0, sizeof(seen));
	base = event_base_new();
	listener = socket(AF_INET, SOCK_STREAM, 0);
	peer = (struct config_peer){ .remote = &remote };
	none = (struct config){ .remotes = &remote, .remote_count = 1 };
	remote = (struct config_remote){ .name = "r", .tls_hostname = "" };
	peer.stream.v4 = (struct sockaddr_in){ .sin_family = AF_INET,
					       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	peer.stream.len = len;
	ck_assert_int_eq(bind(listener, &peer.stream.any, len), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	ck_assert_int_eq(getsockname(listener, &peer.stream.any, &len), 0);
	struct findings f = { 0 };
	no_tls = tls_remotes_load(&none, 0, &f);
	client = -1;
}

static void teardown(void)
{
	(void)close(listener);
	if (client >= 0) {
		(void)close(client);
	}
	event_base_free(base);
	tls_remotes_free(no_tls);
}

/* Turns the loop until @is_done. */
static void turn_until(bool (*is_done)(void))
{
	const int64_t end = clock_ms() + PATIENCE_MS;
	while (!is_done()) {
		ck_assert_int_lt(clock_ms(), end);
		const struct timeval slice = { .tv_usec = 2000 };
		(void)event_base_loopexit(base, &slice);
		(void)event_base_dispatch(base);
	}
}

static bool is_over(void)
{
	return seen.is_over;
}

static bool is_readable(void)
{
	struct pollfd p = { .fd = client, .events = POLLIN };
	return poll(&p, 1, 0) == 1;
}

static bool is_accepted(void)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	if (poll(&p, 1, 0) == 1) {
		client = accept(listener, NULL, NULL);
	}
	return client >= 0;
}

static void open_with(int64_t patience_ms, unsigned wanted)
{
	const struct outgoing_wish wish = { .peer = &peer,
					    .tls = no_tls,
					    .patience_ms = patience_ms,
					    .handler = { &seen, on_message, on_ended } };
	struct errmsg em = { "" };
	seen.wanted = wanted;
	ck_assert_msg(outgoing_open(base, &wish, &seen.o, &em) == E_OK, "%s", em.text);
}

static void open_it(unsigned wanted)
{
	open_with(PATIENCE_MS, wanted);
	turn_until(is_accepted);
}

static size_t must_read(uint8_t *out, size_t len)
{
	size_t n = 0;
	while (n < len) {
		turn_until(is_readable);
		const ssize_t got = recv(client, out + n, len - n, 0);
		if (got <= 0) {
			return n;
		}
		n += (size_t)got;
	}
	return n;
}

/* A message of @len octets, which begin with @first, with its length in front. Returns how many. */
static size_t frame(uint8_t *out, size_t len, uint8_t first)
{
	be16_put(out, (uint16_t)len);
	for (size_t i = 0; i < len; i++) {
		out[2 + i] = (uint8_t)(first + i);
	}
	return 2 + len;
}

static void say(const uint8_t *octets, size_t len)
{
	while (len != 0) {
		const ssize_t n = send(client, octets, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			octets += n;
			len -= (size_t)n;
		} else {
			ck_assert(errno == EAGAIN);
			(void)event_base_loop(base, EVLOOP_NONBLOCK);
		}
	}
}

/* --- messages -------------------------------------------------------------------------------- */

/* What is sent before there is a connection, and behind. */
START_TEST(sends_messages_with_their_length)
{
	static uint8_t want[2 + MESSAGE_MAX], got[2 + MESSAGE_MAX];
	static const size_t lens[] = { 12, 0, 512, MESSAGE_MAX };
	open_with(PATIENCE_MS, 1);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		const size_t len = frame(want, lens[i], (uint8_t)i);
		outgoing_send(seen.o, want + 2, lens[i]);
		if (i == 0) {
			turn_until(is_accepted);
		}
		ck_assert_uint_eq(must_read(got, len), len);
		ck_assert_mem_eq(got, want, len);
	}
	outgoing_close(seen.o);
	ck_assert(!seen.is_over);
	ck_assert_uint_eq(must_read(got, 1), 0);
}
END_TEST

/* However they are cut. */
START_TEST(takes_messages_apart)
{
	static uint8_t octets[4 * MESSAGE_MAX];
	static const size_t lens[] = { 12, 0, 1, 65535, 300, 65535, 255, 256 };
	static const size_t cuts[] = { 1, 2, 3, 7, 1000, 65536, sizeof(octets) };
	size_t all = 0;
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		all += frame(octets + all, lens[i], (uint8_t)i);
	}
	for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
		/* By single octets only the first, or it takes long. */
		const size_t fine = cuts[c] < 100 ? 40 : all;
		teardown();
		setup();
		open_it(ARRAY_LEN(lens));
		for (size_t at = 0; at < all;) {
			size_t n = at < fine ? cuts[c] : all - at;
			n = n < all - at ? n : all - at;
			say(octets + at, n);
			(void)event_base_loop(base, EVLOOP_NONBLOCK);
			at += n;
		}
		turn_until(is_over);
		ck_assert_str_eq(seen.ended, "");
		ck_assert_uint_eq(seen.messages, ARRAY_LEN(lens));
		size_t at = 0;
		for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
			ck_assert_uint_eq(seen.lens[i], lens[i]);
			ck_assert_uint_eq(seen.sums[i], sum_of(octets + at + 2, lens[i]));
			at += 2 + lens[i];
		}
	}
}
END_TEST

/* Behind the last that is wanted comes nothing, though more has come. */
START_TEST(no_more_is_wanted)
{
	uint8_t octets[200];
	size_t all = 0;
	for (unsigned i = 0; i < 5; i++) {
		all += frame(octets + all, 20, 1);
	}
	open_it(3);
	say(octets, all);
	turn_until(is_over);
	ck_assert_uint_eq(seen.messages, 3);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(seen.messages, 3);
	ck_assert_uint_eq(must_read(octets, 1), 0); /* it is closed */
}
END_TEST

/* --- how it ends ----------------------------------------------------------------------------- */

START_TEST(nobody_listens)
{
	(void)close(listener);
	open_with(PATIENCE_MS, 1);
	ck_assert_str_eq(seen.ended, ""); /* nobody is called back from his own call */
	turn_until(is_over);
	ck_assert_str_eq(seen.ended, "Connection refused");
	listener = socket(AF_INET, SOCK_STREAM, 0);
}
END_TEST

START_TEST(the_server_closes)
{
	uint8_t octets[100];
	memset(octets, 1, sizeof(octets));
	open_it(9);
	const size_t len = frame(octets, 20, 1);
	say(octets, len + 10); /* and a part of another */
	(void)close(client);
	client = -1;
	turn_until(is_over);
	ck_assert_uint_eq(seen.messages, 1);
	ck_assert_str_eq(seen.ended, "closes the connection");
}
END_TEST

START_TEST(the_server_breaks_off)
{
	const struct linger hard = { .l_onoff = 1 };
	open_it(9);
	(void)setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	(void)close(client);
	client = -1;
	turn_until(is_over);
	ck_assert_str_eq(seen.ended, "Connection reset by peer");
}
END_TEST

START_TEST(the_server_is_silent)
{
	const int64_t start = clock_ms();
	open_with(SHORT_MS, 1);
	turn_until(is_over);
	ck_assert_str_eq(seen.ended, "does not answer");
	ck_assert_int_ge(clock_ms() - start, SHORT_MS - 10);
}
END_TEST

/* Each octet is a sign of life. */
START_TEST(the_server_is_slow)
{
	uint8_t octets[20];
	const int64_t start = clock_ms();
	const size_t len = frame(octets, 8, 1);
	open_with(4L * SHORT_MS, 1);
	turn_until(is_accepted);
	for (size_t i = 0; i < len; i++) {
		const int64_t next = clock_ms() + SHORT_MS;
		say(octets + i, 1);
		while (clock_ms() < next) {
			const struct timeval slice = { .tv_usec = 2000 };
			(void)event_base_loopexit(base, &slice);
			(void)event_base_dispatch(base);
		}
	}
	turn_until(is_over);
	ck_assert_str_eq(seen.ended, "");
	ck_assert_int_gt(clock_ms() - start, 4L * SHORT_MS);
}
END_TEST

/* Who sends without end is read no faster than it is looked at, and can be closed at any time. */
START_TEST(the_server_floods)
{
	static uint8_t octets[2 + MESSAGE_MAX];
	const size_t len = frame(octets, MESSAGE_MAX, 1);
	open_it(1000);
	while (seen.messages < 500) {
		say(octets, len);
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	}
	ck_assert(!seen.is_over);
	outgoing_close(seen.o);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert(!seen.is_over);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("outgoing");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sends_messages_with_their_length);
	tcase_add_test(tc, takes_messages_apart);
	tcase_add_test(tc, no_more_is_wanted);
	tcase_add_test(tc, nobody_listens);
	tcase_add_test(tc, the_server_closes);
	tcase_add_test(tc, the_server_breaks_off);
	tcase_add_test(tc, the_server_is_silent);
	tcase_add_test(tc, the_server_is_slow);
	tcase_add_test(tc, the_server_floods);
	return unit_run("server/outgoing", tc);
}

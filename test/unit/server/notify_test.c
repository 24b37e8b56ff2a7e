/* test/unit/server/notify_test.c - who is told of a change, when, how often, and what ends it.
 *
 * The clock is the test's own. What is sent goes through sendto here, which notes it, and on over loopback to two secondaries;
 * nothing goes elsewhere. */
#include "server/notify.h"

#include <event2/event.h>
#include <unistd.h>

#include "server/clock.h"
#include "test/unit/unit.h"
#include "test/unit/zones/ddns_kit.h"
#include "zones/base/epoch.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/dns/soa.h"

#define START	  1790000000
#define SENT_MAX  1024
#define ZONES_MAX 300
#define TRIES	  8
#define AT_ONCE	  200
#define KEY_TEXT  "c2VjcmV0c2VjcmV0c2VjcmV0"

/* --- the world ------------------------------------------------------------------------------- */

struct sent {
	struct address to;
	uint8_t octets[1024];
	size_t len;
};

static struct {
	int64_t ms;
	struct sent sent[SENT_MAX];
	size_t count;
	size_t looked; /* at those before */
	int fd[2];     /* two secondaries */
	uint16_t port[2];
	struct loop *loop;
	struct config *config;
	struct zoneset *set;
	struct zone *zone[ZONES_MAX];
	size_t zone_count;
	struct tsig_ring *ring;
	struct notify *notify;
} w;

int64_t clock_now(void)
{
	return START + w.ms / 1000;
}

int64_t clock_ms(void)
{
	return w.ms;
}

/* In the place of libc's. */
ssize_t sendto(int fd, const void *octets, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_len)
{
	struct iovec vec = { (void *)(uintptr_t)octets, len };
	const struct msghdr m = { .msg_name = (void *)(uintptr_t)to,
				  .msg_namelen = to_len,
				  .msg_iov = &vec,
				  .msg_iovlen = 1 };
	const struct address_ip ip = address_ip_of(to);
	ck_assert_uint_lt(w.count, SENT_MAX);
	struct sent *s = &w.sent[w.count++];
	ck_assert_uint_le(len, sizeof(s->octets));
	s->to.len = to_len;
	memcpy(&s->to.any, to, to_len);
	memcpy(s->octets, octets, len);
	s->len = len;
	return ip.octet[0] == 127 ? sendmsg(fd, &m, flags) : (ssize_t)len;
}

static void setup(void)
{
	memset(&w, 0, sizeof(w));
	log_open(LOG_TO_STDERR, LOG_LEVEL_ERROR, false, "test");
	epoch_register();
	epoch_offline();
	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_in a = { .sin_family = AF_INET,
					 .sin_addr = { htonl(INADDR_LOOPBACK) } };
		socklen_t len = sizeof(a);
		w.fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		ck_assert_int_eq(bind(w.fd[i], (struct sockaddr *)&a, len), 0);
		ck_assert_int_eq(getsockname(w.fd[i], (struct sockaddr *)&a, &len), 0);
		w.port[i] = ntohs(a.sin_port);
	}
	ck_assert_int_eq(loop_new(&w.loop), E_OK);
	w.notify = notify_new(w.loop);
}

static void teardown(void)
{
	notify_free(w.notify);
	loop_free(w.loop);
	for (size_t i = 0; i < w.zone_count; i++) {
		zone_free(w.zone[i]);
	}
	zoneset_free(w.set);
	tsig_ring_free(w.ring);
	config_free(w.config);
	(void)close(w.fd[0]);
	(void)close(w.fd[1]);
	epoch_unregister();
}

/* --- zones and their configuration ----------------------------------------------------------- */

static struct zone *zone_called(const uint8_t *name)
{
	struct zone *z = w.set != NULL ? zoneset_get(w.set, name) : NULL;
	if (z == NULL) {
		z = zone_new(name);
		w.zone[w.zone_count++] = z;
	}
	return z;
}

/* From now on with @zones, items of a list; "%u %u" of @remotes are the ports of the secondaries. */
static void set(const char *zones)
{
	static char text[ZONES_MAX * 80 + 2048];
	struct config *c = NULL;
	struct config *was = w.config;
	struct zoneset *set_was = w.set;
	struct tsig_ring *ring_was = w.ring;
	struct findings f = { 0 };
	(void)snprintf(text, sizeof(text),
		       "server: { listen: 192.0.2.7@53 }\n"
		       "keys:\n  - { name: k, secret: " KEY_TEXT " }\n"
		       "remotes:\n"
		       "  - { name: a, addresses: 127.0.0.1, port: %u }\n"
		       "  - { name: b, addresses: 127.0.0.1, port: %u }\n"
		       "  - { name: signed, addresses: 127.0.0.1, port: %u, keys: k }\n"
		       "zones:\n%s",
		       w.port[0], w.port[1], w.port[0], zones);
	const struct config_source source = {
		.path = "t", .data = text, .len = strlen(text), .only_text = true
	};
	const int err = config_parse(&source, &c, &f);
	ck_assert_msg(err == E_OK, "%s", f.count != 0 ? f.items[0].text : "");
	findings_clear(&f);
	struct zoneset *next = zoneset_new();
	for (size_t i = 0; i < c->zone_count; i++) {
		ck_assert_int_eq(zoneset_add(next, zone_called(c->zones[i].name)), E_OK);
	}
	ck_assert_int_eq(tsig_ring_new(c->tsig_keys, c->tsig_key_count, &w.ring), E_OK);
	w.config = c;
	w.set = next;
	notify_set(w.notify, c, next, w.ring);
	config_free(was);
	zoneset_free(set_was);
	tsig_ring_free(ring_was);
}

#define AB "  - { name: z, file: f, notify: [ a, b ], notify-ns: no }\n"
#define A  "  - { name: z, file: f, notify: a, notify-ns: no }\n"

/* The zone z. has @serial now, and these records. */
static void serve(uint32_t serial, const char *more)
{
	char text[1024];
	(void)snprintf(text, sizeof(text), "@ 60 SOA ns h %u 60 60 60 60\n%s", serial, more);
	version_unref(zone_publish(zoneset_get(w.set, kit_zone), kit_version(text)));
}

static void change(uint32_t serial)
{
	serve(serial, "");
	notify_changed(w.notify, kit_zone);
}

/* --- what was sent --------------------------------------------------------------------------- */

/* Those of a turn at this time: how many. */
static size_t tick(void)
{
	w.looked = w.count;
	(void)notify_tick(w.notify);
	return w.count - w.looked;
}

static uint16_t port_of(const struct sent *s)
{
	return ntohs(s->to.v4.sin_port);
}

static uint32_t serial_of(const struct sent *s)
{
	struct reader r = reader_of(s->octets, s->len);
	struct message_header h;
	struct message_question q;
	struct message_rr rr;
	ck_assert_int_eq(message_read_header(&r, &h), E_OK);
	ck_assert_int_eq(message_read_question(&r, &q), E_OK);
	ck_assert_int_eq(message_read_rr(&r, &rr), E_OK);
	ck_assert_uint_eq(rr.type, RRTYPE_SOA);
	return soa_numbers_of(rr.rdata, rr.rdlen).serial;
}

/* --- answers --------------------------------------------------------------------------------- */

/* The last that secondary @i has got, with where it came from. */
static struct sent received_by(unsigned i, struct sockaddr_in *from)
{
	struct sent s = { .len = 0 };
	ssize_t n;
	do {
		socklen_t len = sizeof(*from);
		uint8_t octets[sizeof(s.octets)];
		n = recvfrom(w.fd[i], octets, sizeof(octets), 0, (struct sockaddr *)from, &len);
		if (n > 0) {
			memcpy(s.octets, octets, (size_t)n);
			s.len = (size_t)n;
		}
	} while (n > 0);
	ck_assert_uint_gt(s.len, 0);
	return s;
}

static void send_answer(unsigned i, const struct sockaddr_in *to, const uint8_t *octets, size_t len)
{
	struct iovec vec = { (void *)(uintptr_t)octets, len };
	const struct msghdr m = { .msg_name = (void *)(uintptr_t)to,
				  .msg_namelen = sizeof(*to),
				  .msg_iov = &vec,
				  .msg_iovlen = 1 };
	ck_assert_int_eq(sendmsg(w.fd[i], &m, 0), (ssize_t)len);
	w.looked = w.count;
	(void)event_base_loop(loop_base(w.loop), EVLOOP_NONBLOCK);
}

/* Secondary @i answers what it has got last, with the flags @set and the id @xor-ed. Returns how many were sent for it. */
static size_t answer_with(unsigned i, uint16_t flags, uint16_t other_id, unsigned by)
{
	struct sockaddr_in from;
	struct sent s = received_by(i, &from);
	be16_put(s.octets, (uint16_t)(be16_get(s.octets) ^ other_id));
	be16_put(s.octets + 2, flags);
	be16_put(s.octets + 6, 0);
	send_answer(by, &from, s.octets, MESSAGE_HEADER_LEN + sizeof(kit_zone) + 4);
	return w.count - w.looked;
}

#define GOOD (MESSAGE_QR | OPCODE_NOTIFY << 11)

static size_t answers(unsigned i)
{
	return answer_with(i, GOOD, 0, i);
}

/* Does nobody wait for an answer any more? */
static bool is_done(void)
{
	return notify_tick(w.notify) == -1;
}

/* --- a change -------------------------------------------------------------------------------- */

START_TEST(all_are_told)
{
	set(AB);
	ck_assert(is_done());
	change(7);
	ck_assert_uint_eq(tick(), 2);
	ck_assert(port_of(&w.sent[0]) != port_of(&w.sent[1]));
	for (unsigned i = 0; i < 2; i++) {
		const struct sent *s = &w.sent[i];
		struct reader r = reader_of(s->octets, s->len);
		struct message_header h;
		struct message_question q;
		ck_assert(port_of(s) == w.port[0] || port_of(s) == w.port[1]);
		ck_assert_int_eq(message_read_header(&r, &h), E_OK);
		ck_assert_uint_eq(h.flags, OPCODE_NOTIFY << 11 | MESSAGE_AA);
		ck_assert_uint_eq(h.count[SECTION_QUESTION], 1);
		ck_assert_uint_eq(h.count[SECTION_ANSWER], 1);
		ck_assert_uint_eq(h.count[SECTION_AUTHORITY] + h.count[SECTION_ADDITIONAL], 0);
		ck_assert_int_eq(message_read_question(&r, &q), E_OK);
		ck_assert(dname_equal(q.name, kit_zone));
		ck_assert_uint_eq(q.type, RRTYPE_SOA);
		ck_assert_uint_eq(q.class, RRCLASS_IN);
		ck_assert_uint_eq(serial_of(s), 7);
	}
	ck_assert_uint_eq(answers(0) + answers(1), 0);
	ck_assert(is_done());
	notify_all(w.notify);
	ck_assert_uint_eq(tick(), 2);
}
END_TEST

/* After 1 second, 2, 4 and so on, 8 times; each with an id of its own. */
START_TEST(told_again_until_it_answers)
{
	int64_t wait = 1000;
	set(A);
	change(7);
	for (unsigned i = 0; i < TRIES; i++) {
		ck_assert_uint_eq(tick(), 1);
		for (unsigned k = 0; k < i; k++) {
			ck_assert_uint_ne(be16_get(w.sent[i].octets), be16_get(w.sent[k].octets));
		}
		w.ms += wait - 1;
		ck_assert_uint_eq(tick(), 0);
		w.ms += 1;
		wait *= 2;
	}
	ck_assert_uint_eq(tick(), 0);
	ck_assert(is_done());
	change(8); /* and it is told of the next */
	ck_assert_uint_eq(tick(), 1);
	ck_assert_uint_eq(serial_of(&w.sent[w.looked]), 8);
	w.ms += 1000;
	ck_assert_uint_eq(tick(), 1);
	ck_assert_uint_eq(answers(0), 0);
	ck_assert(is_done());
}
END_TEST

START_TEST(says_when_the_next_is_due)
{
	set(A);
	change(7);
	ck_assert_int_eq(notify_tick(w.notify), 1000);
	w.ms += 400;
	ck_assert_int_eq(notify_tick(w.notify), 600);
	w.ms += 600;
	ck_assert_int_eq(notify_tick(w.notify), 2000);
}
END_TEST

/* --- bursts ---------------------------------------------------------------------------------- */

START_TEST(a_burst_is_one)
{
	set(A);
	for (uint32_t i = 1; i <= 100; i++) {
		change(i);
	}
	ck_assert_uint_eq(tick(), 1);
	ck_assert_uint_eq(serial_of(&w.sent[0]), 100);
	/* While it has not answered it is told of nothing newer, and then of the newest. */
	for (uint32_t i = 101; i <= 200; i++) {
		change(i);
		ck_assert_uint_eq(tick(), 0);
	}
	ck_assert_uint_eq(answers(0), 1);
	ck_assert_uint_eq(serial_of(&w.sent[1]), 200);
	ck_assert_uint_eq(answers(0), 0);
	ck_assert(is_done());
}
END_TEST

/* What is told again is the newest, so its answer is the end. */
START_TEST(told_again_of_the_newest)
{
	set(A);
	change(1);
	ck_assert_uint_eq(tick(), 1);
	change(2);
	w.ms += 1000;
	ck_assert_uint_eq(tick(), 1);
	ck_assert_uint_eq(serial_of(&w.sent[1]), 2);
	ck_assert_uint_eq(answers(0), 0);
	ck_assert(is_done());
}
END_TEST

/* Who has not answered for long is told of a newer one as soon as of a first. */
START_TEST(what_is_newer_does_not_wait_for_long)
{
	set(A);
	change(1);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(tick(), 1);
		w.ms += i < 3 ? 1000 << i : 500;
	}
	change(2);
	change(3);
	ck_assert_uint_eq(tick(), 0); /* but not within the first second */
	w.ms += 500;
	ck_assert_uint_eq(tick(), 1);
	ck_assert_uint_eq(serial_of(&w.sent[w.looked]), 3);
	w.ms += 2000;
	ck_assert_uint_eq(tick(), 1);
	ck_assert_uint_eq(answers(0), 0);
	ck_assert(is_done());
}
END_TEST

/* So many at a time, and the others soon behind. */
START_TEST(many_zones_take_turns)
{
	static char zones[ZONES_MAX * 60];
	size_t at = 0;
	for (unsigned i = 0; i < ZONES_MAX; i++) {
		at += (size_t)snprintf(zones + at, sizeof(zones) - at,
				       "  - { name: z%u, file: f, notify: a, notify-ns: no }\n", i);
	}
	set(zones);
	for (unsigned i = 0; i < ZONES_MAX; i++) {
		struct edit *e = edit_begin(NULL, w.zone[i]->apex, EDIT_TTL_LAST);
		static const uint8_t soa[22] = { 0 };
		ck_assert_int_eq(edit_add(e, w.zone[i]->apex, RRTYPE_SOA, 60, soa, sizeof(soa)),
				 E_OK);
		version_unref(zone_publish(w.zone[i], edit_commit(e)));
	}
	notify_all(w.notify);
	const int64_t next = notify_tick(w.notify);
	ck_assert_uint_eq(w.count, AT_ONCE);
	ck_assert_int_gt(next, 0);
	ck_assert_int_le(next, 50);
	w.ms += next;
	ck_assert_uint_eq(tick(), ZONES_MAX - AT_ONCE);
	ck_assert_uint_eq(tick(), 0);
}
END_TEST

/* --- answers --------------------------------------------------------------------------------- */

START_TEST(only_an_answer_is_one)
{
	struct sockaddr_in from;
	set(A);
	change(7);
	static const struct {
		uint16_t flags, other_id;
		unsigned by;
	} rows[] = {
		{ GOOD, 1, 0 },				    /* another id */
		{ OPCODE_NOTIFY << 11, 0, 0 },		    /* no response */
		{ MESSAGE_QR, 0, 0 },			    /* to a query */
		{ MESSAGE_QR | OPCODE_UPDATE << 11, 0, 0 }, /* to an update */
		{ GOOD, 0, 1 },				    /* of somebody else */
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_uint_eq(tick(), 1);
		ck_assert_uint_eq(answer_with(0, rows[i].flags, rows[i].other_id, rows[i].by), 0);
		ck_assert_msg(!is_done(), "row %zu", i);
		w.ms += 1000 << i;
	}
	ck_assert_uint_eq(tick(), 1);
	const struct sent s = received_by(0, &from);
	send_answer(0, &from, s.octets, 3);
	send_answer(0, &from, s.octets, 0);
	ck_assert(!is_done());
	w.ms += 1000 << ARRAY_LEN(rows);
	ck_assert_uint_eq(tick(), 1);
	ck_assert_uint_eq(answers(0), 0);
	ck_assert(is_done());
}
END_TEST

/* To tell it again would not help. */
START_TEST(an_error_is_an_answer)
{
	set(A);
	change(7);
	ck_assert_uint_eq(tick(), 1);
	ck_assert_uint_eq(answer_with(0, GOOD | RCODE_REFUSED, 0, 0), 0);
	ck_assert(is_done());
}
END_TEST

START_TEST(with_a_key_answers_are_signed)
{
	struct sockaddr_in from;
	struct tsig_exchange x;
	set("  - { name: z, file: f, notify: signed, notify-ns: no }\n");
	change(7);
	ck_assert_uint_eq(tick(), 1);
	ck_assert_uint_eq(answers(0), 0);
	ck_assert(!is_done()); /* that was not signed */
	w.ms += 1000;
	ck_assert_uint_eq(tick(), 1);
	const struct sent s = received_by(0, &from);
	size_t at = 0;
	ck_assert_int_eq(tsig_verify(w.ring, s.octets, s.len, (uint64_t)clock_now(), &x, &at),
			 E_OK);
	ck_assert_ptr_nonnull(x.key);
	for (unsigned is_good = 0; is_good < 2; is_good++) {
		struct tsig_exchange mine = x;
		uint8_t out[512];
		size_t len = MESSAGE_HEADER_LEN;
		memset(out, 0, len);
		memcpy(out, s.octets, 2);
		be16_put(out + 2, GOOD);
		mine.mac[0] ^= is_good == 0 ? 1 : 0;
		ck_assert_int_eq(tsig_sign(&mine, out, &len, sizeof(out), (uint64_t)clock_now()),
				 E_OK);
		send_answer(0, &from, out, len);
		ck_assert_uint_eq(is_done(), is_good);
	}
}
END_TEST

/* --- who ------------------------------------------------------------------------------------- */

static size_t count_to(const char *address)
{
	struct address a;
	size_t n = 0;
	ck_assert_int_eq(address_from_text(&a, address, strlen(address), 53, NULL), E_OK);
	for (size_t i = w.looked; i < w.count; i++) {
		n += address_equal(&a, &w.sent[i].to);
	}
	return n;
}

/* Those of the NS set whose addresses are here; not the primary, not ourselves. */
START_TEST(servers_of_the_zone_are_told)
{
	static const char records[] =
		"@ 60 NS ns\n@ 60 NS one\n@ 60 NS two\n@ 60 NS us\n@ 60 NS elsewhere.example.\n"
		"ns 60 A 192.0.2.1\none 60 A 192.0.2.2\ntwo 60 A 192.0.2.3\ntwo 60 A 192.0.2.4\n"
		"two 60 AAAA 2001:db8::1\nus 60 A 192.0.2.7\nwww 60 A 192.0.2.9\n";
	set("  - { name: z, file: f, notify: a }\n");
	serve(1, records);
	notify_changed(w.notify, kit_zone);
	ck_assert_uint_eq(tick(), 5);
	ck_assert_uint_eq(count_to("192.0.2.2"), 1);
	ck_assert_uint_eq(count_to("192.0.2.3"), 1);
	ck_assert_uint_eq(count_to("192.0.2.4"), 1);
	ck_assert_uint_eq(count_to("2001:db8::1"), 1);
	ck_assert(notify_is_wanted(&w.config->zones[0], w.zone[0]->current));
	set("  - { name: z, file: f }\n");
	ck_assert(notify_is_wanted(&w.config->zones[0], w.zone[0]->current));
	serve(2, "@ 60 NS ns\n");
	ck_assert(!notify_is_wanted(&w.config->zones[0], w.zone[0]->current));
	set("  - { name: z, file: f, notify-ns: no }\n");
	serve(3, records);
	ck_assert(!notify_is_wanted(&w.config->zones[0], w.zone[0]->current));
	notify_changed(w.notify, kit_zone);
	ck_assert_uint_eq(tick(), 0);
}
END_TEST

START_TEST(what_is_not_served_is_not_told)
{
	set(A);
	notify_changed(w.notify, kit_zone);
	ck_assert_uint_eq(tick(), 0);
	ck_assert(is_done());
	notify_changed(w.notify, (const uint8_t *)"\1y"); /* nobody knows it */
	ck_assert_uint_eq(tick(), 0);
}
END_TEST

/* Who waits is told anew, as the configuration has it now. */
START_TEST(a_reload_tells_anew)
{
	set(AB);
	change(7);
	ck_assert_uint_eq(tick(), 2);
	w.ms += 10;
	set(A);
	ck_assert_uint_eq(tick(), 1);
	ck_assert_uint_eq(port_of(&w.sent[2]), w.port[0]);
	ck_assert_uint_eq(answers(0), 0);
	ck_assert(is_done());
	set(AB); /* nobody waited */
	ck_assert_uint_eq(tick(), 0);
	change(8);
	ck_assert_uint_eq(tick(), 2);
	set("  - { name: y, file: f, notify: a }\n");
	ck_assert_uint_eq(tick(), 0);
	ck_assert(is_done());
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("notify");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, all_are_told);
	tcase_add_test(tc, told_again_until_it_answers);
	tcase_add_test(tc, says_when_the_next_is_due);
	tcase_add_test(tc, a_burst_is_one);
	tcase_add_test(tc, told_again_of_the_newest);
	tcase_add_test(tc, what_is_newer_does_not_wait_for_long);
	tcase_add_test(tc, many_zones_take_turns);
	tcase_add_test(tc, only_an_answer_is_one);
	tcase_add_test(tc, an_error_is_an_answer);
	tcase_add_test(tc, with_a_key_answers_are_signed);
	tcase_add_test(tc, servers_of_the_zone_are_told);
	tcase_add_test(tc, what_is_not_served_is_not_told);
	tcase_add_test(tc, a_reload_tells_anew);
	return unit_run("server/notify", tc);
}

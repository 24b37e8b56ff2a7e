/* test/unit/server/rrl_test.c - rate limiting on a fake clock, by cases and against a naive model. */
#include "server/rrl.h"
#include "test/unit/unit.h"
#include "zones/base/mem.h"

static const struct rrl_config usual = {
	.rate = 10, .window_s = 5, .slip = 2, .prefix_v4 = 24, .prefix_v6 = 56
};

static struct rrl *table_of(size_t entries)
{
	struct rrl *t;
	ck_assert_int_eq(rrl_new(entries, &t), E_OK);
	return t;
}

static struct address_ip ip_of(const char *text)
{
	struct address a;
	ck_assert_int_eq(address_from_text(&a, text, strlen(text), 53, NULL), E_OK);
	return address_ip_of(&a.any);
}

struct tally {
	unsigned sent, slipped, dropped;
};

/* @count responses to @ip, @step_ms apart, from *now on. */
static struct tally flood(struct rrl *t, const struct rrl_config *c, const char *ip, int64_t *now,
			  unsigned count, unsigned step_ms)
{
	struct tally n = { 0 };
	const struct address_ip client = ip_of(ip);
	for (unsigned i = 0; i < count; i++) {
		enum rrl_verdict v = rrl_check(t, c, &client, RRL_ANSWER, *now);
		n.sent += v == RRL_SEND;
		n.slipped += v == RRL_SLIP;
		n.dropped += v == RRL_DROP;
		*now += step_ms;
	}
	return n;
}

START_TEST(the_rate_itself_is_never_limited)
{
	struct rrl *t = table_of(64);
	int64_t now = 0xffffff00; /* 32 bits of milliseconds come round meanwhile */
	struct tally n = flood(t, &usual, "192.0.2.1", &now, 1000, 100);
	ck_assert_uint_eq(n.sent, 1000);
	rrl_free(t);
}
END_TEST

START_TEST(a_flood_is_cut_off_until_it_ends)
{
	struct rrl *t = table_of(64);
	int64_t now = 1000;
	struct tally n = flood(t, &usual, "192.0.2.1", &now, 10000, 1);
	ck_assert_uint_eq(n.sent,
			  10); /* the credit; what grows during the flood is less than is charged */
	ck_assert_uint_eq(n.slipped, 4995);
	ck_assert_uint_eq(n.dropped, 4995);
	now += 4900; /* the debt is five seconds' worth */
	n = flood(t, &usual, "192.0.2.1", &now, 1, 0);
	ck_assert_uint_eq(n.sent, 0);
	now += 300;
	n = flood(t, &usual, "192.0.2.1", &now, 1, 0);
	ck_assert_uint_eq(n.sent, 1);
	now += 60000; /* credit does not grow beyond one second's */
	n = flood(t, &usual, "192.0.2.1", &now, 100, 0);
	ck_assert_uint_eq(n.sent, 10);
	rrl_free(t);
}
END_TEST

START_TEST(slips)
{
	for (uint32_t slip = 0; slip <= RRL_SLIP_MAX; slip++) {
		struct rrl_config c = usual;
		struct rrl *t = table_of(64);
		int64_t now = 0;
		c.slip = slip;
		struct tally n = flood(t, &c, "192.0.2.1", &now, 10 + 100, 0);
		ck_assert_uint_eq(n.sent, 10);
		ck_assert_uint_eq(n.slipped, slip != 0 ? 100 / slip : 0);
		ck_assert_uint_eq(n.dropped, 100 - n.slipped);
		rrl_free(t);
	}
}
END_TEST

START_TEST(networks_are_counted_as_one)
{
	static const struct {
		const char *first, *second;
		bool shared;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.255", true },
		{ "192.0.2.1", "192.0.3.1", false },
		{ "2001:db8:0:1::1", "2001:db8:0:ff::2", true },
		{ "2001:db8:0:1::1", "2001:db8:0:100::1", false },
		{ "1.2.3.4", "102:304::", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rrl *t = table_of(1024);
		int64_t now = 0;
		ck_assert_uint_eq(flood(t, &usual, rows[i].first, &now, 100, 0).sent, 10);
		ck_assert_uint_eq(flood(t, &usual, rows[i].second, &now, 100, 0).sent,
				  rows[i].shared ? 0 : 10);
		rrl_free(t);
	}
}
END_TEST

/* Each prefix length: the last bit that counts tells networks apart, the next does not. */
START_TEST(prefixes_end_where_they_say)
{
	for (unsigned bits = 1; bits <= 128; bits++) {
		for (unsigned len = 4; len <= 16; len += 12) {
			struct rrl_config c = usual;
			struct rrl *t = table_of(1024);
			struct address_ip ip = { .len = (uint8_t)len };
			if (bits > len * 8) {
				rrl_free(t);
				continue;
			}
			c.prefix_v4 = c.prefix_v6 = (uint8_t)bits;
			c.rate = 1;
			ck_assert_int_eq(rrl_check(t, &c, &ip, RRL_ANSWER, 0), RRL_SEND);
			ip.octet[(bits - 1) / 8] ^= (uint8_t)(0x80 >> (bits - 1) % 8);
			ck_assert_int_eq(rrl_check(t, &c, &ip, RRL_ANSWER, 0), RRL_SEND);
			if (bits < len * 8) {
				ip.octet[bits / 8] ^= (uint8_t)(0x80 >> bits % 8);
				ck_assert_int_ne(rrl_check(t, &c, &ip, RRL_ANSWER, 0), RRL_SEND);
			}
			rrl_free(t);
		}
	}
}
END_TEST

START_TEST(kinds_are_counted_apart)
{
	struct rrl *t = table_of(1024);
	const struct address_ip client = ip_of("192.0.2.1");
	for (enum rrl_kind kind = RRL_ANSWER; kind <= RRL_ERROR; kind++) {
		for (unsigned i = 0; i < 20; i++) {
			bool sent = rrl_check(t, &usual, &client, kind, 0) == RRL_SEND;
			ck_assert_int_eq(sent, i < 10);
		}
	}
	rrl_free(t);
}
END_TEST

START_TEST(exempt_networks_are_not_limited)
{
	struct address_network exempt[2];
	struct rrl_config c = usual;
	struct rrl *t = table_of(1024);
	int64_t now = 0;
	ck_assert_int_eq(address_network_from_text(&exempt[0], "198.51.100.0/25", 15, NULL), E_OK);
	ck_assert_int_eq(address_network_from_text(&exempt[1], "2001:db8::/32", 13, NULL), E_OK);
	c.exempt = exempt;
	c.exempt_count = 2;
	ck_assert_uint_eq(flood(t, &c, "198.51.100.1", &now, 100, 0).sent, 100);
	ck_assert_uint_eq(flood(t, &c, "2001:db8:9::1", &now, 100, 0).sent, 100);
	ck_assert_uint_eq(flood(t, &c, "203.0.113.1", &now, 100, 0).sent, 10);
	rrl_free(t);
}
END_TEST

START_TEST(no_rate_no_limit)
{
	struct rrl_config c = usual;
	struct rrl *t = table_of(4);
	int64_t now = 0;
	c.rate = 0;
	ck_assert_uint_eq(flood(t, &c, "192.0.2.1", &now, 1000, 0).sent, 1000);
	rrl_free(t);
	rrl_free(NULL);
}
END_TEST

START_TEST(the_largest_numbers_fit)
{
	struct rrl_config c = usual;
	struct rrl *t = table_of(4);
	int64_t now = 0;
	c.rate = RRL_RATE_MAX;
	c.window_s = RRL_WINDOW_MAX;
	c.slip = 0;
	struct tally n = flood(t, &c, "192.0.2.1", &now, 3000000, 0);
	ck_assert_uint_eq(n.sent, RRL_RATE_MAX);
	now += RRL_WINDOW_MAX * 1000;
	n = flood(t, &c, "192.0.2.1", &now, 1, 0);
	ck_assert_uint_eq(n.sent, 0);
	now += 1;
	n = flood(t, &c, "192.0.2.1", &now, 1, 0);
	ck_assert_uint_eq(n.sent, 1);
	now += (int64_t)49 * 86400 * 1000;
	n = flood(t, &c, "192.0.2.1", &now, 1, 0);
	ck_assert_uint_eq(n.sent, 1);
	rrl_free(t);
}
END_TEST

/* A full table forgets, but never the one heard of last; it never limits who was not heard of. */
START_TEST(a_full_table_forgets_the_oldest)
{
	struct rrl *t = table_of(4); /* one set */
	int64_t now = 0;
	for (unsigned i = 0; i < 100; i++) {
		char text[20];
		(void)snprintf(text, sizeof(text), "10.0.%u.1", i);
		ck_assert_uint_eq(flood(t, &usual, text, &now, 20, 0).sent, 10);
		now++;
		ck_assert_uint_eq(flood(t, &usual, text, &now, 1, 0).sent, 0);
	}
	ck_assert_uint_eq(flood(t, &usual, "10.0.98.1", &now, 1, 0).sent, 0);
	ck_assert_uint_eq(flood(t, &usual, "10.0.96.1", &now, 1, 0).sent, 0);
	ck_assert_uint_eq(flood(t, &usual, "10.0.0.1", &now, 1, 0).sent, 1);
	rrl_free(t);
}
END_TEST

/* --- a model --------------------------------------------------------------------------------- */

/* Thousandths of a response, without a bound on the numbers, for all networks there are. */
struct model {
	long long balance, time;
	unsigned unsent;
	bool is_known;
};

#define NETWORKS 200

static enum rrl_verdict model_check(struct model *m, const struct rrl_config *c, long long now)
{
	long long full = 1000LL * c->rate;
	if (!m->is_known) {
		*m = (struct model){ .balance = full, .time = now, .is_known = true };
	}
	m->balance += (now - m->time) * c->rate;
	m->balance = m->balance > full ? full : m->balance;
	m->balance -= 1000;
	m->balance = m->balance < -full * c->window_s ? -full * c->window_s : m->balance;
	m->time = now;
	if (m->balance >= 0) {
		m->unsent = 0;
		return RRL_SEND;
	}
	m->unsent++;
	return c->slip != 0 && m->unsent % c->slip == 0 ? RRL_SLIP : RRL_DROP;
}

START_TEST(random_traffic_as_the_model_has_it)
{
	static struct model model[NETWORKS][RRL_ERROR + 1];
	struct unit_random r = { 4711 };
	for (unsigned run = 0; run < 60; run++) {
		struct rrl *t = table_of(1 << 16);
		const struct rrl_config c = { .rate = 1 + unit_random_below(&r, 50),
					      .window_s = 1 + unit_random_below(&r, 15),
					      .slip = unit_random_below(&r, 5),
					      .prefix_v4 = 24,
					      .prefix_v6 = 64 };
		int64_t now = unit_random_next(&r);
		memset(model, 0, sizeof(model));
		for (unsigned i = 0; i < 20000; i++) {
			/* few networks get most of it */
			uint32_t n = unit_random_below(&r, 1 + unit_random_below(&r, NETWORKS));
			enum rrl_kind kind = unit_random_below(&r, RRL_ERROR + 1);
			struct address_ip ip = { .len = n % 2 != 0 ? 4 : 16 };
			ip.octet[1] = (uint8_t)n;
			ip.octet[n % 2 != 0 ? 3 : 15] = (uint8_t)unit_random_next(&r);
			now += unit_random_below(&r, 500) == 0 ? unit_random_below(&r, 5000)
							       : unit_random_below(&r, 3);
			ck_assert_int_eq(rrl_check(t, &c, &ip, kind, now),
					 model_check(&model[n][kind], &c, now));
		}
		rrl_free(t);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("rrl");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_rate_itself_is_never_limited);
	tcase_add_test(tc, a_flood_is_cut_off_until_it_ends);
	tcase_add_test(tc, slips);
	tcase_add_test(tc, networks_are_counted_as_one);
	tcase_add_test(tc, prefixes_end_where_they_say);
	tcase_add_test(tc, kinds_are_counted_apart);
	tcase_add_test(tc, exempt_networks_are_not_limited);
	tcase_add_test(tc, no_rate_no_limit);
	tcase_add_test(tc, the_largest_numbers_fit);
	tcase_add_test(tc, a_full_table_forgets_the_oldest);
	tcase_add_test(tc, random_traffic_as_the_model_has_it);
	return unit_run("server/rrl", tc);
}

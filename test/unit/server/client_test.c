/* test/unit/server/client_test.c - the table of clients against a naive count. */
#include "server/client.h"

#include "test/unit/unit.h"

static struct address_ip v4(uint32_t n)
{
	struct address_ip ip = { .len = 4 };
	memcpy(ip.octet, &n, sizeof(n));
	return ip;
}

static struct address_ip v6(uint32_t net, uint32_t host)
{
	struct address_ip ip = { .len = 16 };
	memcpy(ip.octet, &net, sizeof(net));
	memcpy(ip.octet + 12, &host, sizeof(host));
	return ip;
}

static struct client_table *table(void)
{
	struct client_table *t = NULL;
	ck_assert_int_eq(client_table_new(&t), E_OK);
	return t;
}

START_TEST(one_host_is_one_client)
{
	struct client_table *t = table();
	const struct address_ip a = v4(1), b = v4(2), c = v6(1, 1), d = v6(1, 2), e = v6(2, 1);
	struct client *first = client_enter(t, &a);
	ck_assert(client_enter(t, &a) == first);
	ck_assert_uint_eq(first->count, 2);
	ck_assert(client_enter(t, &b) != first);
	struct client *sixth = client_enter(t, &c);
	ck_assert(sixth != first);
	ck_assert(client_enter(t, &d) == sixth); /* the same 64 bits */
	ck_assert(client_enter(t, &e) != sixth);
	ck_assert_uint_eq(client_table_count(t), 4);
	client_leave(t, first);
	ck_assert_uint_eq(first->count, 1);
	client_leave(t, first);
	ck_assert_uint_eq(client_table_count(t), 3);
	client_table_free(t); /* with those that are left */
	client_table_free(NULL);
}
END_TEST

#define NETS 3000

START_TEST(random_comings_and_goings)
{
	static struct client *at[NETS];
	static uint32_t count[NETS];
	struct unit_random r = { 7766 };
	struct client_table *t = table();
	size_t there = 0;
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t n = unit_random_below(&r, NETS);
		/* first more come than go, then the other way round */
		bool comes = unit_random_below(&r, 10) < (i < 100000 ? 6U : 2U);
		if (comes) {
			const struct address_ip ip =
				n % 2 != 0 ? v4(n) : v6(n, unit_random_next(&r));
			struct client *c = client_enter(t, &ip);
			ck_assert(count[n] == 0 || c == at[n]);
			at[n] = c;
			there += count[n]++ == 0;
		} else if (count[n] != 0) {
			client_leave(t, at[n]);
			there -= --count[n] == 0;
		}
		if (count[n] != 0) {
			ck_assert_uint_eq(at[n]->count, count[n]);
		}
		ck_assert_uint_eq(client_table_count(t), there);
	}
	client_table_free(t);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("client");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, one_host_is_one_client);
	tcase_add_test(tc, random_comings_and_goings);
	return unit_run("server/client", tc);
}

/* test/unit/server/address_test.c - addresses with ports: text in, text out. */
#include "server/address.h"

#include <net/if.h>

#include "test/unit/unit.h"
#include "zones/base/text.h"

static const struct {
	const char *text;
	const char *printed; /* NULL: refused */
} cases[] = {
	{ "127.0.0.1", "127.0.0.1@53" },
	{ "127.0.0.1@8853", "127.0.0.1@8853" },
	{ "0.0.0.0@1", "0.0.0.0@1" },
	{ "255.255.255.255@65535", "255.255.255.255@65535" },
	{ "::", "::@53" },
	{ "::1@53", "::1@53" },
	{ "2001:DB8:0:0::1", "2001:db8::1@53" },
	{ "1:2:3:4:5:6:7:8@5353", "1:2:3:4:5:6:7:8@5353" },
	{ "::@00053", "::@53" },
	{ "", NULL },
	{ "@", NULL },
	{ "@53", NULL },
	{ "::1@", NULL },
	{ "::1@0", NULL },
	{ "::1@65536", NULL },
	{ "::1@-1", NULL },
	{ "::1@ 53", NULL },
	{ "::1@53 ", NULL },
	{ " ::1", NULL },
	{ "1.2.3", NULL },
	{ "1.2.3.4.5", NULL },
	{ "01.2.3.4", NULL },
	{ "1.2.3.4/32", NULL },
	{ "1.2.3.4:53", NULL },
	{ "[::1]", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "::ffff:1.2.3.4", NULL },
	{ "fe80::1", NULL },
	{ "fe80::1%", NULL },
	{ "fe80::1%no-such-if", NULL },
	{ "127.0.0.1%lo", NULL },
	{ "::1%lo", NULL },
	{ "localhost", NULL },
	{ "*", NULL },
	{ "1111111111111111111111111111111111111111111111111111111111111111111111111111111", NULL },
};

START_TEST(addresses_read_and_print)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct address a;
		struct errmsg em = { "" };
		char text[ADDRESS_TEXT_MAX];
		int err = address_from_text(&a, cases[i].text, strlen(cases[i].text), 53, &em);
		if (cases[i].printed == NULL) {
			ck_assert_msg(err != E_OK, "\"%s\" is taken", cases[i].text);
			ck_assert_msg(em.text[0] != '\0', "\"%s\": no message", cases[i].text);
			continue;
		}
		ck_assert_msg(err == E_OK, "\"%s\": %s", cases[i].text, em.text);
		address_to_text(&a, text);
		ck_assert_str_eq(text, cases[i].printed);
		struct address again;
		ck_assert_int_eq(address_from_text(&again, text, strlen(text), 1, NULL), E_OK);
		ck_assert(address_equal(&a, &again));
	}
}
END_TEST

START_TEST(link_local_addresses_have_an_interface)
{
	static const char text[] = "fe80::1%lo@53";
	struct address a;
	struct address b;
	char printed[ADDRESS_TEXT_MAX];
	ck_assert_int_eq(address_from_text(&a, text, strlen(text), 1, NULL), E_OK);
	ck_assert_uint_eq(a.v6.sin6_scope_id, if_nametoindex("lo"));
	address_to_text(&a, printed);
	ck_assert_str_eq(printed, text);
	b = a;
	b.v6.sin6_scope_id++;
	ck_assert(!address_equal(&a, &b));
}
END_TEST

START_TEST(addresses_differ_by_each_part)
{
	static const char *const texts[] = { "127.0.0.1@53", "127.0.0.1@54", "127.0.0.2@53",
					     "::1@53",	     "::1@54",	     "::2@53" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
			struct address a;
			struct address b;
			ck_assert_int_eq(address_from_text(&a, texts[i], strlen(texts[i]), 1, NULL),
					 E_OK);
			ck_assert_int_eq(address_from_text(&b, texts[k], strlen(texts[k]), 1, NULL),
					 E_OK);
			ck_assert_int_eq(address_equal(&a, &b), i == k);
		}
	}
}
END_TEST

/* The length counts, not a NUL; and an address that is refused leaves the old one. */
START_TEST(reading_stops_at_the_length)
{
	struct address a;
	char printed[ADDRESS_TEXT_MAX];
	ck_assert_int_eq(address_from_text(&a, "10.0.0.1@5353", 8, 99, NULL), E_OK);
	address_to_text(&a, printed);
	ck_assert_str_eq(printed, "10.0.0.1@99");
	ck_assert_int_eq(address_from_text(&a, "10.0.0.1@", 9, 99, NULL), E_RANGE);
	address_to_text(&a, printed);
	ck_assert_str_eq(printed, "10.0.0.1@99");
}
END_TEST

/* --- networks -------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	const char *printed; /* NULL: refused */
} networks[] = {
	{ "192.0.2.0/24", "192.0.2.0/24" },
	{ "192.0.2.1", "192.0.2.1/32" },
	{ "192.0.2.1/32", "192.0.2.1/32" },
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "192.0.2.128/25", "192.0.2.128/25" },
	{ "2001:DB8::/32", "2001:db8::/32" },
	{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6/128" },
	{ "::/0", "::/0" },
	{ "", NULL },
	{ "/", NULL },
	{ "/24", NULL },
	{ "192.0.2.0/", NULL },
	{ "192.0.2.0/33", NULL },
	{ "192.0.2.0/-1", NULL },
	{ "192.0.2.0/24/24", NULL },
	{ "192.0.2.0/255.255.255.0", NULL },
	{ "192.0.2/24", NULL },
	{ "192.0.2.1/24", NULL },
	{ "192.0.2.128/24", NULL },
	{ "2001:db8::1/32", NULL },
	{ "2001:db8::/129", NULL },
	{ "192.0.2.0@53", NULL },
	{ "example.com", NULL },
};

START_TEST(networks_read_and_print)
{
	for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
		struct address_network n;
		struct errmsg em = { "" };
		char text[ADDRESS_NETWORK_TEXT_MAX];
		const char *s = networks[i].text;
		int err = address_network_from_text(&n, s, strlen(s), &em);
		ck_assert_msg((err == E_OK) == (networks[i].printed != NULL), "\"%s\": %s", s,
			      em.text);
		if (err == E_OK) {
			address_network_to_text(&n, text);
			ck_assert_str_eq(text, networks[i].printed);
		} else {
			ck_assert_msg(em.text[0] != '\0', "\"%s\": no message", s);
		}
	}
}
END_TEST

static struct address_ip ip_of(const char *text)
{
	struct address a;
	ck_assert_int_eq(address_from_text(&a, text, strlen(text), 53, NULL), E_OK);
	return address_ip_of(&a.any);
}

START_TEST(networks_have_what_is_in_them)
{
	static const struct {
		const char *network;
		const char *ip;
		bool has;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.0", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "192.0.1.255", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.4/31", "192.0.2.5", true },
		{ "192.0.2.4/31", "192.0.2.6", false },
		{ "192.0.2.4", "192.0.2.4", true },
		{ "192.0.2.4", "192.0.2.5", false },
		{ "0.0.0.0/0", "255.1.2.3", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "::1", true },
		{ "::/0", "1.2.3.4", false },
		{ "2001:db8::/33", "2001:db8:7fff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "::1", "::1", true },
		{ "::1", "::2", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct address_network n;
		const struct address_ip ip = ip_of(rows[i].ip);
		ck_assert_int_eq(address_network_from_text(&n, rows[i].network,
							   strlen(rows[i].network), NULL),
				 E_OK);
		ck_assert_msg(address_network_has(&n, &ip) == rows[i].has, "%s %s", rows[i].network,
			      rows[i].ip);
	}
}
END_TEST

START_TEST(ipv4_in_ipv6_form_is_ipv4)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
	const struct address_ip want = ip_of("192.0.2.1");
	memcpy(a.sin6_addr.s6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	struct address_ip got = address_ip_of((const struct sockaddr *)&a);
	ck_assert_uint_eq(got.len, 4);
	ck_assert_mem_eq(got.octet, want.octet, 16);
	a.sin6_family = AF_UNIX;
	got = address_ip_of((const struct sockaddr *)&a);
	ck_assert_uint_eq(got.len, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("address");
	tcase_add_test(tc, addresses_read_and_print);
	tcase_add_test(tc, link_local_addresses_have_an_interface);
	tcase_add_test(tc, addresses_differ_by_each_part);
	tcase_add_test(tc, reading_stops_at_the_length);
	tcase_add_test(tc, networks_read_and_print);
	tcase_add_test(tc, networks_have_what_is_in_them);
	tcase_add_test(tc, ipv4_in_ipv6_form_is_ipv4);
	return unit_run("server/address", tc);
}

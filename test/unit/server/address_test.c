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

int main(void)
{
	TCase *tc = tcase_create("address");
	tcase_add_test(tc, addresses_read_and_print);
	tcase_add_test(tc, link_local_addresses_have_an_interface);
	tcase_add_test(tc, addresses_differ_by_each_part);
	tcase_add_test(tc, reading_stops_at_the_length);
	return unit_run("server/address", tc);
}

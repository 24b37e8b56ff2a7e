/* test/unit/server/query_size_test.c - how large responses of the query engine are: limits, glue, truncation, compression. */
#include "test/unit/server/query_unit.h"

/* --- sizes ----------------------------------------------------------------------------------- */

/* 40 addresses of two servers under the cut, and as many of one beside it. */
static void many_addresses(struct kit *k, unsigned under, unsigned beside)
{
	struct buf text = { 0 };
	buf_str(&text, "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns\n"
		       "sub NS ns.sub\nsub NS ns\n");
	for (unsigned i = 0; i < under; i++) {
		buf_printf(&text, "ns.sub A 10.0.0.%u\n", i);
	}
	for (unsigned i = 0; i < beside; i++) {
		buf_printf(&text, "ns A 10.0.1.%u\n", i);
	}
	for (unsigned i = 0; i < 60; i++) {
		buf_printf(&text, "big A 10.0.2.%u\n", i);
	}
	zone(k, "example.", KIT_NSEC, text.data);
	buf_clear(&text);
	kit_serve(k);
}

static bool is_truncated(void)
{
	return (res.header.flags & MESSAGE_TC) != 0;
}

START_TEST(needed_glue_or_tc)
{
	struct kit k;
	kit_init(&k);
	many_addresses(&k, 40, 1);
	kit_ask(&k, "x.sub.example.", "A", KIT_PLAIN, &res);
	ck_assert(is_truncated());
	ck_assert_uint_eq(res.header.count[SECTION_AUTHORITY], 2);
	kit_ask(&k, "x.sub.example.", "A", KIT_EDNS, &res);
	ck_assert(!is_truncated());
	ck_assert_uint_eq(res.header.count[SECTION_ADDITIONAL], 42);
	kit_clear(&k);
}
END_TEST

START_TEST(other_glue_is_left_out)
{
	struct kit k;
	kit_init(&k);
	many_addresses(&k, 1, 40);
	kit_ask(&k, "x.sub.example.", "A", KIT_PLAIN, &res);
	ck_assert(!is_truncated());
	ck_assert_uint_eq(res.header.count[SECTION_ADDITIONAL], 1);
	kit_ask(&k, "example.", "NS", KIT_PLAIN, &res);
	ck_assert(!is_truncated());
	ck_assert_uint_eq(res.count, 1);
	kit_clear(&k);
}
END_TEST

/* Every size: sets go in whole or not at all, and TC says that something needed is missing. */
START_TEST(every_size_is_kept_to)
{
	static const char *const names[] = { "big.example.", "x.sub.example.", "no.example.",
					     "example." };
	struct kit k;
	kit_init(&k);
	many_addresses(&k, 20, 30);
	k.config.udp_size = 4096;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		const struct dname name = kit_name(names[i]);
		unsigned last = 0;
		for (unsigned size = 0; size < 4200; size += 1) {
			kit_ask_size(&k, name.wire, i == 3 ? RRTYPE_NS : RRTYPE_A, KIT_DO,
				     (uint16_t)size, &res);
			ck_assert_uint_ge(res.count + 1000U * !is_truncated(), last);
			last = (unsigned)res.count + 1000U * !is_truncated();
			for (size_t r = 0; r < res.count; r++) {
				unsigned n = 0;
				for (size_t s = 0; s < res.count; s++) {
					n += res.rr[s].type == res.rr[r].type &&
					     dname_equal(res.rr[s].owner.wire,
							 res.rr[r].owner.wire);
				}
				if (res.rr[r].type == RRTYPE_A) {
					ck_assert(n == 60 || n == 20 || n == 30);
				}
			}
		}
		ck_assert(!is_truncated());
	}
	kit_clear(&k);
}
END_TEST

START_TEST(small_offers_mean_512)
{
	struct kit k;
	kit_init(&k);
	many_addresses(&k, 20, 1);
	const struct dname name = kit_name("x.sub.example.");
	kit_ask_size(&k, name.wire, RRTYPE_A, KIT_EDNS, 512, &res);
	size_t len = res.len;
	kit_ask_size(&k, name.wire, RRTYPE_A, KIT_EDNS, 0, &res);
	ck_assert_uint_eq(res.len, len);
	ck_assert_uint_gt(len, 400);
	kit_clear(&k);
}
END_TEST

/* Beyond 16383 octets names cannot be pointed at; the message stays right. */
START_TEST(large_messages_over_tcp)
{
	struct kit k;
	struct buf text = { 0 };
	kit_init(&k);
	buf_str(&text, "example. 300 SOA ns host 1 3600 900 1209600 100\n NS ns.elsewhere.\n");
	for (unsigned i = 0; i < 900; i++) {
		buf_printf(&text, "mx MX %u host%u.some.longer.name\n", i, i);
		buf_printf(&text, "host%u.some.longer.name A 10.0.%u.%u\n", i, i / 256, i % 256);
		buf_printf(&text, "huge TXT \"%u%0100u\"\n", i, i);
	}
	zone(&k, "example.", KIT_NSEC, text.data);
	buf_clear(&text);
	kit_serve(&k);
	kit_ask(&k, "mx.example.", "MX", KIT_TCP | KIT_DO, &res);
	ck_assert_uint_gt(res.len, 0x4000);
	ck_assert_uint_eq(res.header.count[SECTION_ANSWER], 901);
	ck_assert_uint_gt(res.header.count[SECTION_ADDITIONAL], 10);
	ck_assert(!is_truncated());
	kit_ask(&k, "huge.example.", "TXT", KIT_TCP | KIT_DO, &res);
	ck_assert(is_truncated()); /* more than 65535 octets: there is nothing better to say */
	kit_clear(&k);
}
END_TEST

/* --- compression ----------------------------------------------------------------------------- */

START_TEST(case_is_kept)
{
	struct kit k;
	kit_init(&k);
	zone(&k, "Example.", KIT_UNSIGNED,
	     "Example. 300 SOA NS.Example. Host.eXample. 1 3600 900 1209600 100\n"
	     " NS NS.Example.\n NS ns2.example.\nNS A 192.0.2.1\n");
	kit_serve(&k);
	static const struct question q[] = {
		{ "EXAMPLE.", "NS", KIT_PLAIN,
		  "NOERROR aa\nAN EXAMPLE. 300 NS NS.Example.\nAN EXAMPLE. 300 NS ns2.example.\n"
		  "AR NS.Example. 300 A 192.0.2.1\n" },
	};
	ASK_ALL(&k, q);
	kit_ask(&k, "nO.eXAMPLE.", "A", KIT_PLAIN, &res);
	struct buf b = { 0 };
	rdata_to_text(res.rr[0].type, res.rr[0].rdata, res.rr[0].len, &b);
	ck_assert_str_eq(b.data, "NS.Example. Host.eXample. 1 3600 900 1209600 100");
	buf_clear(&b);
	kit_clear(&k);
}
END_TEST

/* What a usual answer weighs: names are shared, records of the question's name take two octets. */
START_TEST(messages_are_small)
{
	struct kit k;
	kit_init(&k);
	zone(&k, "example.com.", KIT_UNSIGNED,
	     "example.com. 300 SOA ns1 host 1 3600 900 1209600 100\n NS ns1\n NS ns2\n"
	     "ns1 A 192.0.2.1\nns2 A 192.0.2.2\nwww A 192.0.2.3\n");
	kit_serve(&k);
	kit_ask(&k, "www.example.com.", "A", KIT_PLAIN, &res);
	ck_assert_uint_eq(res.len, 12 + 21 + 16);
	kit_ask(&k, "example.com.", "NS", KIT_PLAIN, &res);
	ck_assert_uint_eq(res.len, 12 + 17 + 2 * (12 + 6) + 2 * 16);
	kit_ask(&k, "no.example.com.", "A", KIT_PLAIN, &res);
	ck_assert_uint_eq(res.len, 12 + 20 + 12 + 6 + 7 + 20);
	kit_clear(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("query_size");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, needed_glue_or_tc);
	tcase_add_test(tc, other_glue_is_left_out);
	tcase_add_test(tc, every_size_is_kept_to);
	tcase_add_test(tc, small_offers_mean_512);
	tcase_add_test(tc, large_messages_over_tcp);
	tcase_add_test(tc, case_is_kept);
	tcase_add_test(tc, messages_are_small);
	return unit_run("server/query_size", tc);
}

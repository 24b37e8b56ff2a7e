/* test/unit/keys/algorithm_test.c - the table of algorithms, and that records know the same names. */
#include "keys/algorithm.h"
#include "test/unit/unit.h"
#include "zones/base/wire.h"
#include "zones/dns/dname.h"
#include "zones/dns/rdata.h"

START_TEST(rows_are_found_by_number_and_name)
{
	const struct algorithm *a;
	size_t i;
	for (i = 0; (a = algorithm_at(i)) != NULL; i++) {
		char number[8];
		(void)snprintf(number, sizeof(number), "%u", a->number);
		ck_assert_ptr_eq(algorithm_find(a->number), a);
		ck_assert_ptr_eq(algorithm_from_text(a->name), a);
		ck_assert_ptr_eq(algorithm_from_text(number), a);
		ck_assert_msg((a->use == ALGORITHM_FULL) == (a->reason == NULL), "%s", a->name);
	}
	ck_assert_uint_eq(i, 12);
	ck_assert_ptr_eq(algorithm_from_text("ecdsap256sha256"), algorithm_find(13));
}
END_TEST

START_TEST(others_are_not_found)
{
	static const char *const texts[] = { "",    "RSA", "ED25519 ", "13 ", "0", "2",
					     "255", "256", "269",      "-13", "DH" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		ck_assert_msg(algorithm_from_text(texts[i]) == NULL, "\"%s\"", texts[i]);
	}
	ck_assert_ptr_null(algorithm_find(0));
	ck_assert_ptr_null(algorithm_find(2));
}
END_TEST

/* RFC 8624 §3.1 and RFC 9905: who may sign. */
START_TEST(use_is_as_the_rfcs_say)
{
	static const uint8_t full[] = { 8, 10, 13, 14, 15, 16 };
	static const uint8_t verify_only[] = { 5, 7 };
	static const uint8_t refused[] = { 1, 3, 6, 12 };
	for (size_t i = 0; i < sizeof(full); i++) {
		ck_assert_int_eq(algorithm_find(full[i])->use, ALGORITHM_FULL);
	}
	for (size_t i = 0; i < sizeof(verify_only); i++) {
		ck_assert_int_eq(algorithm_find(verify_only[i])->use, ALGORITHM_VERIFY_ONLY);
	}
	for (size_t i = 0; i < sizeof(refused); i++) {
		ck_assert_int_eq(algorithm_find(refused[i])->use, ALGORITHM_REFUSED);
	}
}
END_TEST

/* A DS record takes the name for the number. */
static int number_in_record(const char *name)
{
	uint8_t rdata[64];
	char text[100];
	struct writer w = writer_of(rdata, sizeof(rdata));
	(void)snprintf(text, sizeof(text), "1 %s 1 0000000000000000000000000000000000000000", name);
	return rdata_from_string(RRTYPE_DS, text, dname_root, &w, NULL) == E_OK ? rdata[2] : -1;
}

START_TEST(records_know_the_names)
{
	const struct algorithm *a;
	for (size_t i = 0; (a = algorithm_at(i)) != NULL; i++) {
		ck_assert_int_eq(number_in_record(a->name), a->number);
	}
	ck_assert_int_eq(number_in_record("DH"), 2);
	ck_assert_int_eq(number_in_record("PRIVATEOID"), 254);
	ck_assert_int_eq(number_in_record("RSASHA3"), -1);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("algorithm");
	tcase_add_test(tc, rows_are_found_by_number_and_name);
	tcase_add_test(tc, others_are_not_found);
	tcase_add_test(tc, use_is_as_the_rfcs_say);
	tcase_add_test(tc, records_know_the_names);
	return unit_run("keys/algorithm", tc);
}

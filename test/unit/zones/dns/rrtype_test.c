/* test/unit/zones/dns/rrtype_test.c - record types and classes between numbers and names. */
#include "zones/dns/rrtype.h"

#include "test/unit/unit.h"
#include "zones/base/err.h"
#include "zones/base/mem.h"

/* Reads from a block of exactly the length of @text. */
static int type_of(const char *text, uint16_t *type)
{
	size_t len = strlen(text);
	char *exact = mem_alloc(len + (len == 0));
	memcpy(exact, text, len);
	int err = rrtype_from_text(exact, len, type);
	mem_free(exact);
	return err;
}

static int class_of(const char *text, uint16_t *class)
{
	size_t len = strlen(text);
	char *exact = mem_alloc(len + (len == 0));
	memcpy(exact, text, len);
	int err = rrclass_from_text(exact, len, class);
	mem_free(exact);
	return err;
}

static void change_case(char *text, bool upper)
{
	for (; *text != '\0'; text++) {
		bool letter = ((unsigned char)*text | 0x20) >= 'a' &&
			      ((unsigned char)*text | 0x20) <= 'z';
		if (letter) {
			*text = (char)(upper ? *text & ~0x20 : *text | 0x20);
		}
	}
}

START_TEST(every_row_from_and_to_text)
{
	size_t count = 0;
	for (; rrtype_at(count) != NULL; count++) {
		const struct rrtype_info *row = rrtype_at(count);
		char out[RRTYPE_TEXT_MAX];
		char text[RRTYPE_TEXT_MAX];
		char number[RRTYPE_TEXT_MAX];
		uint16_t type = 0;
		ck_assert_ptr_eq(rrtype_info(row->type), row);
		(void)snprintf(text, sizeof(text), "%s", rrtype_to_text(row->type, out));
		ck_assert_uint_lt(strlen(row->name), RRTYPE_TEXT_MAX);
		ck_assert_ptr_null(strchr(text, '_'));
		ck_assert_int_eq(type_of(text, &type), E_OK);
		ck_assert_uint_eq(type, row->type);
		change_case(text, false);
		type = 0;
		ck_assert_int_eq(type_of(text, &type), E_OK);
		ck_assert_uint_eq(type, row->type);
		(void)snprintf(number, sizeof(number), "TYPE%u", row->type);
		type = 0;
		ck_assert_int_eq(type_of(number, &type), E_OK);
		ck_assert_uint_eq(type, row->type);
		/* A prefix or more of it is another name, or none. */
		size_t len = strlen(text);
		text[len - 1] = '\0';
		if (type_of(text, &type) == E_OK) {
			ck_assert_uint_ne(type, row->type);
		}
		ck_assert_uint_eq(rrtype_flags(row->type), row->flags);
	}
	ck_assert_uint_gt(count, 80);
}
END_TEST

/* All numbers, with a row or without. */
START_TEST(every_number_survives_text)
{
	for (unsigned number = 0; number <= 65535; number++) {
		char out[RRTYPE_TEXT_MAX];
		const char *text = rrtype_to_text((uint16_t)number, out);
		uint16_t type = (uint16_t)~number;
		int err = rrtype_from_text(text, strlen(text), &type);
		const struct rrtype_info *row = rrtype_info((uint16_t)number);
		bool good = err == E_OK && type == number && (row == NULL || row->type == number);
		if (!good) {
			ck_abort_msg("%u is %s", number, text);
		}
	}
}
END_TEST

START_TEST(numbered_types)
{
	static const struct {
		const char *text;
		int err;
		uint16_t type;
	} rows[] = {
		{ "TYPE0", E_OK, 0 },	      { "TYPE1", E_OK, 1 },
		{ "type1", E_OK, 1 },	      { "Type15", E_OK, 15 },
		{ "TYPE00001", E_OK, 1 },     { "TYPE65535", E_OK, 65535 },
		{ "TYPE65536", E_SYNTAX, 0 }, { "TYPE99999999999999999999999", E_SYNTAX, 0 },
		{ "TYPE-1", E_SYNTAX, 0 },    { "TYPE+1", E_SYNTAX, 0 },
		{ "TYPE", E_SYNTAX, 0 },      { "TYPE 1", E_SYNTAX, 0 },
		{ "TYPE1 ", E_SYNTAX, 0 },    { "TYPE1x", E_SYNTAX, 0 },
		{ "TYPE0x1", E_SYNTAX, 0 },   { "TYP", E_SYNTAX, 0 },
		{ "1", E_SYNTAX, 0 },	      { "", E_SYNTAX, 0 },
		{ "AA", E_SYNTAX, 0 },	      { "AAA", E_SYNTAX, 0 },
		{ "NSAP_PTR", E_SYNTAX, 0 },  { "NSAP-PTR", E_OK, 23 },
		{ "nsap-ptr", E_OK, 23 },     { "NSAP", E_OK, 22 },
		{ "NSEC3PARAM", E_OK, 51 },   { "NSEC3PARA", E_SYNTAX, 0 },
		{ "NSEC4", E_SYNTAX, 0 },     { "ANY", E_OK, 255 },
		{ "any", E_OK, 255 },	      { "AXFR", E_OK, 252 },
		{ "IXFR", E_OK, 251 },	      { "OPT", E_OK, 41 },
		{ "TSIG", E_OK, 250 },	      { "TKEY", E_OK, 249 },
		{ "MAILA", E_OK, 254 },	      { "MAILB", E_OK, 253 },
		{ "DLV", E_OK, 32769 },	      { "TA", E_OK, 32768 },
		{ "IN", E_SYNTAX, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint16_t type = 4711;
		int err = type_of(rows[i].text, &type);
		ck_assert_msg(err == rows[i].err, "%s: %s", rows[i].text, err_text(err));
		ck_assert_uint_eq(type, err == E_OK ? rows[i].type : 4711);
	}
}
END_TEST

START_TEST(types_that_are_not_known_have_numbers)
{
	static const struct {
		uint16_t type;
		const char *text;
	} rows[] = { { 0, "TYPE0" },	     { 54, "TYPE54" },	     { 509, "TYPE509" },
		     { 510, "TYPE510" },     { 511, "TYPE511" },     { 512, "TYPE512" },
		     { 65280, "TYPE65280" }, { 65535, "TYPE65535" }, { 255, "ANY" },
		     { 41, "OPT" } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[RRTYPE_TEXT_MAX];
		ck_assert_str_eq(rrtype_to_text(rows[i].type, out), rows[i].text);
		ck_assert_ptr_null(rrtype_info(rows[i].type));
		ck_assert_uint_eq(rrtype_flags(rows[i].type), 0);
	}
}
END_TEST

/* RFC 6895 §3.1, and NXNAME of RFC 9824. */
START_TEST(meta_types_are_never_in_a_zone)
{
	for (unsigned type = 0; type <= 65535; type++) {
		bool meta = type == 0 || type == 41 || (type >= 128 && type <= 255);
		if (rrtype_is_meta((uint16_t)type) != meta) {
			ck_abort_msg("%u", type);
		}
	}
}
END_TEST

/* What RFC 4034 §6.2, as corrected by RFC 6840 §5.1, and RFC 3597 §4 list. */
START_TEST(flags_are_those_of_the_rfcs)
{
	static const uint16_t lower[] = { 2,  3,  4,  5,  6,  7,  8,  9,  12, 14, 15, 17,
					  18, 21, 24, 26, 30, 33, 35, 36, 38, 39, 46 };
	static const uint16_t compress[] = { 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15 };
	for (size_t i = 0; rrtype_at(i) != NULL; i++) {
		const struct rrtype_info *row = rrtype_at(i);
		bool is_lower = false;
		bool is_compress = false;
		for (size_t k = 0; k < ARRAY_LEN(lower); k++) {
			is_lower = is_lower || lower[k] == row->type;
		}
		for (size_t k = 0; k < ARRAY_LEN(compress); k++) {
			is_compress = is_compress || compress[k] == row->type;
		}
		ck_assert_msg(((row->flags & RR_LOWER) != 0) == is_lower, "%s: lower", row->name);
		ck_assert_msg(((row->flags & RR_COMPRESS) != 0) == is_compress, "%s: compress",
			      row->name);
	}
}
END_TEST

START_TEST(classes)
{
	static const struct {
		const char *text;
		int err;
		uint16_t class;
	} rows[] = {
		{ "IN", E_OK, 1 },	  { "in", E_OK, 1 },	      { "CH", E_OK, 3 },
		{ "HS", E_OK, 4 },	  { "CLASS1", E_OK, 1 },      { "class65535", E_OK, 65535 },
		{ "CLASS0", E_OK, 0 },	  { "CLASS00003", E_OK, 3 },  { "CLASS65536", E_SYNTAX, 0 },
		{ "CLASS", E_SYNTAX, 0 }, { "CLASS-1", E_SYNTAX, 0 }, { "CLASSx", E_SYNTAX, 0 },
		{ "", E_SYNTAX, 0 },	  { "I", E_SYNTAX, 0 },	      { "INN", E_SYNTAX, 0 },
		{ "1", E_SYNTAX, 0 },	  { "A", E_SYNTAX, 0 },	      { "TYPE1", E_SYNTAX, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint16_t class = 4711;
		int err = class_of(rows[i].text, &class);
		ck_assert_msg(err == rows[i].err, "%s: %s", rows[i].text, err_text(err));
		ck_assert_uint_eq(class, err == E_OK ? rows[i].class : 4711);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("rrtype");
	tcase_add_test(tc, every_row_from_and_to_text);
	tcase_add_test(tc, every_number_survives_text);
	tcase_add_test(tc, numbered_types);
	tcase_add_test(tc, types_that_are_not_known_have_numbers);
	tcase_add_test(tc, meta_types_are_never_in_a_zone);
	tcase_add_test(tc, flags_are_those_of_the_rfcs);
	tcase_add_test(tc, classes);
	return unit_run("zones/dns/rrtype", tc);
}

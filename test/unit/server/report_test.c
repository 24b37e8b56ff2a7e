/* test/unit/server/report_test.c - what commands tell, as text and as JSON. */
#include "server/report.h"

#include "test/unit/unit.h"

static struct report *report;
static struct buf out;

static void setup(void)
{
	report = report_new();
}

static void teardown(void)
{
	report_free(report);
	buf_clear(&out);
}

static const char *print(enum report_form form, const char *message)
{
	buf_reset(&out);
	report_print(report, form, "done", message, &out);
	return out.len != 0 ? out.data : "";
}

START_TEST(nothing)
{
	ck_assert_str_eq(print(REPORT_TEXT, ""), "");
	ck_assert_str_eq(print(REPORT_TEXT, "hello"), "hello\n");
	ck_assert_str_eq(print(REPORT_JSON, ""),
			 "{\"status\":\"done\",\"message\":\"\",\"data\":{}}\n");
	report_free(NULL);
}
END_TEST

START_TEST(values)
{
	report_text(report, "a", "text");
	report_number(report, "b", UINT32_MAX);
	report_flag(report, "c", true);
	report_flag(report, "d", false);
	report_time(report, "e", 1795802700);
	ck_assert_str_eq(print(REPORT_TEXT, "m"), "m\na: text\nb: 4294967295\nc: yes\nd: no\n"
						  "e: 2026-11-27T18:05:00Z\n");
	ck_assert_str_eq(print(REPORT_JSON, "m"),
			 "{\"status\":\"done\",\"message\":\"m\",\"data\":{\"a\":\"text\","
			 "\"b\":4294967295,\"c\":true,\"d\":false,"
			 "\"e\":\"2026-11-27T18:05:00Z\"}}\n");
}
END_TEST

START_TEST(foreign_octets)
{
	report_text(report, "utf8", "gr\303\266\303\237e");
	report_text(report, "none", "gr\366\337e");
	report_text(report, "control", "a\n\033[2J\"b\"\\");
	ck_assert_str_eq(print(REPORT_TEXT, "x\ny"),
			 "x?y\nutf8: gr\303\266\303\237e\nnone: gr\\xF6\\xDFe\n"
			 "control: a??[2J\"b\"\\\n");
	ck_assert_str_eq(
		print(REPORT_JSON, "x\ny"),
		"{\"status\":\"done\",\"message\":\"x\\ny\",\"data\":{\"utf8\":\"gr\303\266\303\237e\","
		"\"none\":\"gr\\\\xF6\\\\xDFe\","
		"\"control\":\"a\\n\\u001B[2J\\\"b\\\"\\\\\"}}\n");
}
END_TEST

START_TEST(lines)
{
	report_number(report, "a", 1);
	report_lines(report, "none", "");
	report_lines(report, "some", "- x\ty\n+ \"z\"\033\n\n\366");
	ck_assert_str_eq(print(REPORT_TEXT, ""), "a: 1\n- x\ty\n+ \"z\"?\n\n\\xF6\n");
	ck_assert_str_eq(print(REPORT_JSON, ""),
			 "{\"status\":\"done\",\"message\":\"\",\"data\":{\"a\":1,\"none\":[],"
			 "\"some\":[\"- x\\ty\",\"+ \\\"z\\\"\\u001B\",\"\",\"\\\\xF6\"]}}\n");
}
END_TEST

START_TEST(lists)
{
	report_list(report, "zones");
	report_item(report);
	report_text(report, "zone", "example.");
	report_number(report, "serial", 5);
	report_item(report);
	report_text(report, "zone", "\303\266.");
	report_item(report);
	report_text(report, "zone", "c.");
	report_number(report, "serial", 1234567);
	report_flag(report, "signed", true);
	report_list_end(report);
	report_number(report, "count", 3);
	ck_assert_str_eq(print(REPORT_TEXT, ""), "count: 3\n"
						 "zone      serial   signed\n"
						 "example.  5        -\n"
						 "\303\266.        -        -\n"
						 "c.        1234567  yes\n");
	ck_assert_str_eq(print(REPORT_JSON, ""),
			 "{\"status\":\"done\",\"message\":\"\",\"data\":{\"zones\":["
			 "{\"zone\":\"example.\",\"serial\":5},{\"zone\":\"\303\266.\"},"
			 "{\"zone\":\"c.\",\"serial\":1234567,\"signed\":true}],\"count\":3}}\n");
}
END_TEST

START_TEST(empty_list)
{
	report_list(report, "zones");
	report_list_end(report);
	ck_assert_str_eq(print(REPORT_TEXT, ""), "");
	ck_assert_str_eq(print(REPORT_JSON, ""),
			 "{\"status\":\"done\",\"message\":\"\",\"data\":{\"zones\":[]}}\n");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("report");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing);
	tcase_add_test(tc, values);
	tcase_add_test(tc, foreign_octets);
	tcase_add_test(tc, lines);
	tcase_add_test(tc, lists);
	tcase_add_test(tc, empty_list);
	return unit_run("server/report", tc);
}

/* test/unit/zones/base/time_test.c - times against tables, and against a calendar that counts days. */
#include "zones/base/time.h"

#include "test/unit/unit.h"
#include "zones/base/err.h"

#define DAY INT64_C(86400)

START_TEST(known_times)
{
	static const struct {
		int64_t t;
		const char *text14;
		const char *ctime;
	} rows[] = {
		{ 0, "19700101000000", "Thu Jan  1 00:00:00 1970" },
		{ -1, "19691231235959", "Wed Dec 31 23:59:59 1969" },
		{ 951782400, "20000229000000", "Tue Feb 29 00:00:00 2000" },
		{ 951868799, "20000229235959", "Tue Feb 29 23:59:59 2000" },
		{ 1603152000, "20201020000000", "Tue Oct 20 00:00:00 2020" },
		{ INT32_MAX, "20380119031407", "Tue Jan 19 03:14:07 2038" },
		{ UINT32_MAX, "21060207062815", "Sun Feb  7 06:28:15 2106" },
		{ 4107542400, "21000301000000", "Mon Mar  1 00:00:00 2100" },
		{ 253402300799, "99991231235959", "Fri Dec 31 23:59:59 9999" },
		{ -62167219200, "00000101000000", "Sat Jan  1 00:00:00 0000" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[32];
		int64_t back = 1;
		time_to_text14(rows[i].t, text);
		ck_assert_str_eq(text, rows[i].text14);
		ck_assert_int_eq(time_from_text14(text, 14, &back), E_OK);
		ck_assert_int_eq(back, rows[i].t);
		time_to_ctime(rows[i].t, text);
		ck_assert_str_eq(text, rows[i].ctime);
	}
}
END_TEST

START_TEST(times_that_are_none)
{
	static const struct {
		const char *text;
		int err;
	} rows[] = {
		{ "20210229000000", E_RANGE },
		{ "21000229000000", E_RANGE },
		{ "20200431000000", E_RANGE },
		{ "20201301000000", E_RANGE },
		{ "20200001000000", E_RANGE },
		{ "20200100000000", E_RANGE },
		{ "20200132000000", E_RANGE },
		{ "20200101240000", E_RANGE },
		{ "20200101006000", E_RANGE },
		{ "20200101000060", E_RANGE },
		{ "99999999999999", E_RANGE },
		{ "2020010100000", E_SYNTAX },
		{ "202001010000000", E_SYNTAX },
		{ "2020-101000000", E_SYNTAX },
		{ "2020010100000x", E_SYNTAX },
		{ "9999999999999x", E_SYNTAX },
		{ "", E_SYNTAX },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t t = 77;
		int err = time_from_text14(rows[i].text, strlen(rows[i].text), &t);
		ck_assert_msg(err == rows[i].err, "%s: %d", rows[i].text, err);
		ck_assert_int_eq(t, 77);
	}
}
END_TEST

/* The next day by the rules of the calendar, one at a time. */
static void next_day(unsigned *year, unsigned *month, unsigned *day)
{
	unsigned last = 31;
	if (*month == 4 || *month == 6 || *month == 9 || *month == 11) {
		last = 30;
	} else if (*month == 2) {
		last = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0 ? 29 : 28;
	}
	if (++*day > last) {
		*day = 1;
		if (++*month > 12) {
			*month = 1;
			(*year)++;
		}
	}
}

START_TEST(every_day_from_1970_to_2110)
{
	static const char *const weekdays[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	unsigned year = 1970;
	unsigned month = 1;
	unsigned day = 1;
	unsigned bad = 0;
	struct unit_random r = { 1 };
	for (int64_t days = 0; year < 2111; days++, next_day(&year, &month, &day)) {
		char want[64];
		char have[32];
		int64_t y;
		int64_t t;
		unsigned m;
		unsigned d;
		unsigned second = unit_random_below(&r, DAY);
		unsigned hms[3] = { second / 3600, second / 60 % 60, second % 60 };
		time_civil_from_days(days, &y, &m, &d);
		bad += y != year || m != month || d != day;
		bad += time_days_from_civil(year, month, day) != days;
		(void)snprintf(want, sizeof(want), "%04u%02u%02u%02u%02u%02u", year, month, day,
			       hms[0], hms[1], hms[2]);
		time_to_text14(days * DAY + second, have);
		bad += strcmp(have, want) != 0;
		bad += time_from_text14(want, 14, &t) != E_OK || t != days * DAY + second;
		(void)snprintf(want, sizeof(want), "%s %s %2u %02u:%02u:%02u %u",
			       weekdays[days % 7], months[month - 1], day, hms[0], hms[1], hms[2],
			       year);
		time_to_ctime(days * DAY + second, have);
		bad += strcmp(have, want) != 0;
		ck_assert_msg(bad == 0, "%04u-%02u-%02u", year, month, day);
	}
}
END_TEST

START_TEST(days_before_1970_and_far_away)
{
	int64_t year = 1;
	unsigned month;
	unsigned day;
	for (int64_t days = -1000000; days < 3000000; days += 97) {
		time_civil_from_days(days, &year, &month, &day);
		ck_assert(month >= 1 && month <= 12 && day >= 1 && day <= 31);
		ck_assert_int_eq(time_days_from_civil(year, month, day), days);
	}
	ck_assert_int_eq(time_days_from_civil(0, 3, 1), -719468);
	ck_assert_int_eq(time_days_from_civil(-4, 2, 29), -719468 - 1462);
}
END_TEST

START_TEST(durations)
{
	static const struct {
		const char *text;
		int64_t max;
		int err;
		int64_t value;
	} rows[] = {
		{ "0", 0, E_OK, 0 },
		{ "3600", INT64_MAX, E_OK, 3600 },
		{ "1h30m", INT64_MAX, E_OK, 5400 },
		{ "2w3d", INT64_MAX, E_OK, 17 * DAY },
		{ "1Y", INT64_MAX, E_OK, 365 * DAY },
		{ "1D2H3M4S", INT64_MAX, E_OK, DAY + 7384 },
		{ "1m1h", INT64_MAX, E_OK, 3660 },
		{ "61", 60, E_RANGE, 0 },
		{ "2m", 119, E_RANGE, 0 },
		{ "9223372036854775807", INT64_MAX, E_OK, INT64_MAX },
		{ "9223372036854775808", INT64_MAX, E_RANGE, 0 },
		{ "9223372036854775807s1s", INT64_MAX, E_RANGE, 0 },
		{ "999999999999999999y", INT64_MAX, E_RANGE, 0 },
		{ "99999999999999999999999x", INT64_MAX, E_SYNTAX, 0 },
		{ "", INT64_MAX, E_SYNTAX, 0 },
		{ "h", INT64_MAX, E_SYNTAX, 0 },
		{ "1h30", INT64_MAX, E_SYNTAX, 0 },
		{ "1 h", INT64_MAX, E_SYNTAX, 0 },
		{ "1q", INT64_MAX, E_SYNTAX, 0 },
		{ "1hh", INT64_MAX, E_SYNTAX, 0 },
		{ "-1", INT64_MAX, E_SYNTAX, 0 },
		{ "+1h", INT64_MAX, E_SYNTAX, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t value = 77;
		int err =
			time_from_duration(rows[i].text, strlen(rows[i].text), rows[i].max, &value);
		ck_assert_msg(err == rows[i].err, "%s: %d", rows[i].text, err);
		ck_assert_int_eq(value, err == E_OK ? rows[i].value : 77);
	}
}
END_TEST

START_TEST(times_as_operators_type_them)
{
	static const int64_t base = 1000000;
	static const struct {
		const char *text;
		int err;
		int64_t value;
	} rows[] = {
		{ "now", E_OK, 1000000 },
		{ "now+1h", E_OK, 1003600 },
		{ "+1h", E_OK, 1003600 },
		{ "now-1d", E_OK, 1000000 - DAY },
		{ "-1d", E_OK, 1000000 - DAY },
		{ "+90", E_OK, 1000090 },
		{ "now+1h30m", E_OK, 1005400 },
		{ "now+100w", E_OK, 1000000 + 700 * DAY }, /* eight characters, and no date */
		{ "+1234567", E_OK, 2234567 },
		{ "20201020", E_OK, 1603152000 },
		{ "20201020000001", E_OK, 1603152001 },
		{ "20201320", E_RANGE, 0 },
		{ "20201020250000", E_RANGE, 0 },
		{ "+9223372036854775807", E_RANGE, 0 },
		{ "yesterday", E_SYNTAX, 0 },
		{ "", E_SYNTAX, 0 },
		{ "now+", E_SYNTAX, 0 },
		{ "now1h", E_SYNTAX, 0 },
		{ "no", E_SYNTAX, 0 },
		{ "+", E_SYNTAX, 0 },
		{ "+-1", E_SYNTAX, 0 },
		{ "1603152000", E_SYNTAX, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t value = 77;
		int err = time_from_option(rows[i].text, base, &value);
		ck_assert_msg(err == rows[i].err, "%s: %d", rows[i].text, err);
		ck_assert_int_eq(value, err == E_OK ? rows[i].value : 77);
	}
}
END_TEST

/* RFC 4034 §3.1.5: 32 bits are the time that is nearest to now. */
START_TEST(times_of_32_bits)
{
	static const int64_t nows[] = { 0, 1603152000, INT32_MAX, UINT32_MAX,
					(INT64_C(5) << 32) + 17 };
	for (size_t i = 0; i < ARRAY_LEN(nows); i++) {
		static const int64_t offsets[] = { 0, 1, -1, 86400, -86400, INT32_MAX, INT32_MIN };
		for (size_t k = 0; k < ARRAY_LEN(offsets); k++) {
			int64_t t = nows[i] + offsets[k];
			ck_assert_int_eq(time_unwrap32((uint32_t)t, nows[i]), t);
		}
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("time");
	tcase_add_test(tc, known_times);
	tcase_add_test(tc, times_that_are_none);
	tcase_add_test(tc, every_day_from_1970_to_2110);
	tcase_add_test(tc, days_before_1970_and_far_away);
	tcase_add_test(tc, durations);
	tcase_add_test(tc, times_as_operators_type_them);
	tcase_add_test(tc, times_of_32_bits);
	return unit_run("zones/base/time", tc);
}

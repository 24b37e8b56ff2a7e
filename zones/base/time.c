/* zones/base/time.c - arithmetic with times, without a clock or a time zone. */
#include "zones/base/time.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "zones/base/err.h"
#include "zones/base/text.h"

#define DAY 86400

/* Years are counted from March, so that the leap day is the last of its year; 400 years are one era
 * of 146097 days. */
int64_t time_days_from_civil(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	unsigned of_era = (unsigned)(year - era * 400);
	unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
	return era * 146097 + (int64_t)day_of_era - 719468;
}

void time_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	unsigned of_era = (unsigned)(days - era * 146097);
	unsigned y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * y + y / 4 - y / 100);
	unsigned m = (5 * of_year + 2) / 153;
	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = (int64_t)y + era * 400 + (*month <= 2);
}

static unsigned days_in_month(int64_t year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

int time_from_text14(const char *s, size_t len, int64_t *out)
{
	uint32_t field[6];
	static const uint8_t width[6] = { 4, 2, 2, 2, 2, 2 };
	static const uint32_t max[6] = { 9999, 12, 31, 23, 59, 59 };
	if (len != TIME_TEXT14_LEN) {
		return E_SYNTAX;
	}
	for (unsigned i = 0; i < 6; i++) {
		int err = text_to_u32(s, width[i], UINT32_MAX, &field[i]);
		if (err != E_OK) {
			return err;
		}
		s += width[i];
	}
	for (unsigned i = 0; i < 6; i++) {
		if (field[i] > max[i]) {
			return E_RANGE;
		}
	}
	if (field[1] == 0 || field[2] == 0 || field[2] > days_in_month(field[0], field[1])) {
		return E_RANGE;
	}
	*out = time_days_from_civil(field[0], field[1], field[2]) * DAY + field[3] * 3600 +
	       field[4] * 60 + field[5];
	return E_OK;
}

struct civil {
	int64_t year;
	unsigned month, day, hour, minute, second;
	unsigned weekday; /* 0: Sunday */
};

static struct civil civil_of(int64_t t)
{
	int64_t days = (t >= 0 ? t : t - (DAY - 1)) / DAY;
	unsigned rest = (unsigned)(t - days * DAY);
	struct civil c = { .hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60 };
	time_civil_from_days(days, &c.year, &c.month, &c.day);
	int64_t weekday = (days + 4) % 7; /* 1970-01-01 was a Thursday */
	c.weekday = (unsigned)(weekday >= 0 ? weekday : weekday + 7);
	return c;
}

void time_to_text14(int64_t t, char out[TIME_TEXT14_LEN + 1])
{
	const struct civil c = civil_of(t);
	const unsigned fields[7] = { (unsigned)(c.year / 100 % 100),
				     (unsigned)(c.year % 100),
				     c.month,
				     c.day,
				     c.hour,
				     c.minute,
				     c.second };
	for (unsigned i = 0; i < 7; i++) {
		out[2 * i] = (char)('0' + fields[i] / 10);
		out[2 * i + 1] = (char)('0' + fields[i] % 10);
	}
	out[TIME_TEXT14_LEN] = '\0';
}

void time_to_ctime(int64_t t, char out[32])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const struct civil c = civil_of(t);
	(void)snprintf(out, 32, "%.3s %.3s %2u %02u:%02u:%02u %04u", days + 3 * c.weekday,
		       months + 3 * (c.month - 1), c.day, c.hour, c.minute, c.second,
		       (unsigned)(c.year % 10000));
}

static int64_t unit_seconds(char c)
{
	switch (text_lower[(uint8_t)c]) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return DAY;
	case 'w':
		return 7 * DAY;
	case 'y':
		return 365 * DAY;
	default:
		return 0;
	}
}

int time_from_duration(const char *s, size_t len, int64_t max, int64_t *out)
{
	int64_t total = 0;
	size_t i = 0;
	bool over = false;
	if (len == 0) {
		return E_SYNTAX;
	}
	while (i < len) {
		size_t from = i;
		int64_t value = 0;
		int64_t unit = 1;
		for (; i < len && text_is_digit(s[i]); i++) {
			over = over || __builtin_mul_overflow(value, (int64_t)10, &value) ||
			       __builtin_add_overflow(value, (int64_t)(s[i] - '0'), &value);
		}
		if (i == from) {
			return E_SYNTAX;
		}
		if (i < len) {
			unit = unit_seconds(s[i++]);
		} else if (from != 0) {
			return E_SYNTAX; /* "1h30": of what? */
		}
		if (unit == 0) {
			return E_SYNTAX;
		}
		over = over || __builtin_mul_overflow(value, unit, &value) ||
		       __builtin_add_overflow(total, value, &total);
	}
	if (over || total > max) {
		return E_RANGE;
	}
	*out = total;
	return E_OK;
}

int time_from_option(const char *s, int64_t base, int64_t *out)
{
	size_t len = strlen(s);
	char padded[TIME_TEXT14_LEN + 1] = "00000000000000";
	if (len == TIME_TEXT14_LEN || len == 8) {
		memcpy(padded, s, len);
		int err = time_from_text14(padded, TIME_TEXT14_LEN, out);
		if (err != E_SYNTAX) {
			return err;
		}
	}
	if (len >= 3 && memcmp(s, "now", 3) == 0) {
		s += 3;
		len -= 3;
		if (len == 0) {
			*out = base;
			return E_OK;
		}
	}
	if (*s != '+' && *s != '-') {
		return E_SYNTAX;
	}
	int64_t offset;
	int err = time_from_duration(s + 1, len - 1, INT64_MAX / 4, &offset);
	if (err == E_OK) {
		*out = *s == '+' ? base + offset : base - offset;
	}
	return err;
}

/* zones/base/time.h - arithmetic with times; no clock is read below server/.
 *
 * Times are seconds since 1970-01-01T00:00:00Z in int64_t; durations are seconds. RRSIG times are
 * 32 bits in serial arithmetic (RFC 4034 §3.1.5): time_unwrap32 finds the one near @now.
 *
 * Threads: no state. */
#ifndef ZONES_BASE_TIME_H
#define ZONES_BASE_TIME_H

#include "zones/base/attr.h"

#define TIME_TEXT14_LEN 14

/* "YYYYMMDDHHmmSS", UTC, exactly 14 digits. E_SYNTAX; E_RANGE for month 13, 31 April, ... */
MUST_USE int time_from_text14(const char *s, size_t len, int64_t *out);
/* Writes 14 digits and a NUL; years 0000 to 9999. */
void time_to_text14(int64_t t, char out[TIME_TEXT14_LEN + 1]);
/* "Tue Nov 24 11:05:00 2026" (UTC), as the comments of BIND's key files have it. */
void time_to_ctime(int64_t t, char out[32]);

/* "3600", "1h30m", "2w3d": units s m h d w y, either case, no sign. A year is 365 days, a plain
 * number is seconds. E_SYNTAX; E_RANGE above @max. */
MUST_USE int time_from_duration(const char *s, size_t len, int64_t max, int64_t *out);

/* What operators type for a time: 14 digits, or 8 (midnight), or "now", or "now+1h" / "+1h" /
 * "now-30d" / "-30d" relative to @base. "+N" without a unit is seconds. E_SYNTAX, E_RANGE. */
MUST_USE int time_from_option(const char *s, int64_t base, int64_t *out);

/* The time nearest to @now whose low 32 bits are @t32 (RFC 1982). */
static inline int64_t time_unwrap32(uint32_t t32, int64_t now)
{
	return now + (int32_t)(t32 - (uint32_t)now);
}

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. @month 1..12, @day 1..31. */
int64_t time_days_from_civil(int64_t year, unsigned month, unsigned day);
void time_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

#endif

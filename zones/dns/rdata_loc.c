/* zones/dns/rdata_loc.c - the rdata of LOC records: a place on earth (RFC 1876). */
#include <inttypes.h>
#include <stdio.h>

#include "zones/base/text.h"
#include "zones/dns/rdata_kinds.h"

enum {
	LOC_OCTETS = 16,
	DEGREE = 3600 * 1000, /* in the unit of the wire: thousandths of a second of arc */
	MINUTE = 60 * 1000,
};
#define EQUATOR	    0x80000000U /* also the prime meridian */
#define SEA	    10000000	/* octets on the wire count centimetres from 100 km below it */
#define SIZE_MAX_CM 9000000000U

/* Default size 1 m, precisions 10 km and 10 m (RFC 1876 §3), as they stand on the wire. */
static const uint8_t precisions[3] = { 0x12, 0x16, 0x13 };

void location_skip(struct reader *r)
{
	(void)reader_bytes(r, LOC_OCTETS);
}

/* A length is one digit and a power of ten; nothing is 0x00 only. */
static bool is_precision(uint8_t v)
{
	return v >> 4 <= 9 && (v & 0xf) <= 9 && (v >> 4 != 0 || v == 0);
}

static bool is_angle(uint32_t v, uint32_t degrees)
{
	return v >= EQUATOR - degrees * DEGREE && v <= EQUATOR + degrees * DEGREE;
}

static void print_angle(uint32_t v, char positive, char negative, struct buf *out)
{
	uint32_t a = v >= EQUATOR ? v - EQUATOR : EQUATOR - v;
	buf_printf(out, "%u %u %u.%03u %c ", a / DEGREE, a % DEGREE / MINUTE, a % MINUTE / 1000,
		   a % 1000, v >= EQUATOR ? positive : negative);
}

static void print_metres(int64_t cm, struct buf *out)
{
	int64_t positive = cm < 0 ? -cm : cm;
	buf_printf(out, "%s%" PRId64 ".%02" PRId64 "m", cm < 0 ? "-" : "", positive / 100,
		   positive % 100);
}

void location_print(struct reader *r, struct buf *out)
{
	uint8_t version = reader_u8(r);
	const uint8_t *p = reader_bytes(r, 3);
	uint32_t latitude = reader_u32(r);
	uint32_t longitude = reader_u32(r);
	uint32_t altitude = reader_u32(r);
	if (p == NULL || version != 0 || !is_angle(latitude, 90) || !is_angle(longitude, 180) ||
	    !is_precision(p[0]) || !is_precision(p[1]) || !is_precision(p[2])) {
		reader_fail(r, E_UNSUPPORTED);
		return;
	}
	print_angle(latitude, 'N', 'S', out);
	print_angle(longitude, 'E', 'W', out);
	print_metres((int64_t)altitude - SEA, out);
	for (unsigned i = 0; i < 3; i++) {
		int64_t cm = p[i] >> 4;
		for (unsigned power = p[i] & 0xf; power != 0; power--) {
			cm *= 10;
		}
		buf_char(out, ' ');
		print_metres(cm, out);
	}
}

/* Digits with up to @places after a point, as a whole number of the last place. */
static int fixed_point(const char *s, size_t len, unsigned places, uint64_t max, uint64_t *out)
{
	const char *end = s + len;
	uint64_t value = 0;
	unsigned after = 0;
	bool point = false;
	if (len == 0 || len > 20 || !text_is_digit(*s)) {
		return E_SYNTAX;
	}
	for (; s < end; s++) {
		if (*s == '.' && !point) {
			point = true;
		} else if (text_is_digit(*s) && after < places + (point ? 0U : 1U) &&
			   value <= max) {
			value = value * 10 + (unsigned)(*s - '0');
			after += point ? 1U : 0U;
		} else {
			return E_SYNTAX;
		}
	}
	for (; after < places; after++) {
		value *= 10;
	}
	*out = value;
	return value <= max ? E_OK : E_RANGE;
}

/* degrees [minutes [seconds[.fraction]]] and the letter of a hemisphere. */
static int read_angle(struct text_in *in, unsigned degrees, const char *letters,
		      const char *expected)
{
	static const struct {
		unsigned max, unit, places;
	} parts[] = { { 0, DEGREE, 0 }, { 59, MINUTE, 0 }, { 59999, 1, 3 } };
	uint32_t sum = 0;
	for (unsigned i = 0; i <= ARRAY_LEN(parts); i++) {
		uint64_t value = 0;
		int err = field_word(in, expected);
		if (err != E_OK) {
			return err;
		}
		char c = (char)(in->at.len == 1 ? text_lower[(uint8_t)in->at.s[0]] : 0);
		if (i != 0 && c != 0 && (c == letters[0] || c == letters[1])) {
			writer_u32(in->out, c == letters[0] ? EQUATOR + sum : EQUATOR - sum);
			return sum <= degrees * DEGREE ? E_OK : field_refuse(in, E_RANGE, expected);
		}
		if (i == ARRAY_LEN(parts) ||
		    fixed_point(in->at.s, in->at.len, parts[i].places,
				i == 0 ? degrees : parts[i].max, &value) != E_OK) {
			break;
		}
		sum += (uint32_t)value * parts[i].unit;
	}
	return field_refuse(in, E_SYNTAX, expected);
}

static int read_metres(struct text_in *in, uint64_t max, const char *expected, uint64_t *cm)
{
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	const char *s = in->at.s;
	size_t len = in->at.len;
	if (len > 1 && text_lower[(uint8_t)s[len - 1]] == 'm') {
		len--;
	}
	err = fixed_point(s, len, 2, max, cm);
	return err == E_OK ? E_OK : field_refuse(in, err, expected);
}

static int read_altitude(struct text_in *in)
{
	static const char expected[] = "an altitude from -100000.00m to 42849672.95m";
	uint64_t cm = 0;
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	bool below = in->at.len > 1 && in->at.s[0] == '-';
	if (below) {
		in->at.s++;
		in->at.len--;
	}
	lexer_push(in->lx, &in->at);
	err = read_metres(in, below ? SEA : (uint64_t)UINT32_MAX - SEA, expected, &cm);
	writer_u32(in->out, (uint32_t)(below ? SEA - cm : SEA + cm));
	return err;
}

/* One digit and a power of ten: what is finer is cut off. */
static uint8_t precision_of(uint64_t cm)
{
	unsigned power = 0;
	for (; cm >= 10; power++) {
		cm /= 10;
	}
	return (uint8_t)(cm << 4 | power);
}

int location_read(struct text_in *in)
{
	static const char *const expected[] = {
		"a size from 0.00m to 90000000.00m",
		"a horizontal precision from 0.00m to 90000000.00m",
		"a vertical precision from 0.00m to 90000000.00m",
	};
	uint8_t *head = writer_room(in->out, 4);
	int err = read_angle(in, 90, "ns", "a latitude such as 42 21 54.000 N");
	if (err == E_OK) {
		err = read_angle(in, 180, "ew", "a longitude such as 71 6 18.000 W");
	}
	if (err == E_OK) {
		err = read_altitude(in);
	}
	if (err != E_OK || head == NULL) {
		return err;
	}
	head[0] = 0; /* version */
	memcpy(head + 1, precisions, sizeof(precisions));
	for (unsigned i = 0; i < 3 && err == E_OK && field_more(in); i++) {
		uint64_t cm = 0;
		err = read_metres(in, SIZE_MAX_CM, expected[i], &cm);
		head[1 + i] = precision_of(cm);
	}
	return err;
}

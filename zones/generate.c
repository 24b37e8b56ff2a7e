/* zones/generate.c - the $GENERATE directive. */
#include "zones/generate.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "zones/base/text.h"

/* Widest number: the nibbles of a name, far beyond any use. */
#define WIDTH_MAX 255

int generate_range(const char *s, size_t len, struct generate_range *out, struct errmsg *em)
{
	const char *dash = memchr(s, '-', len);
	const char *slash = memchr(s, '/', len);
	const char *end = s + len;
	char quoted[TEXT_QUOTE_MAX];
	const char *stop_end = slash != NULL ? slash : end;
	out->step = 1;
	if (dash == NULL || stop_end < dash ||
	    text_to_u32(s, (size_t)(dash - s), INT32_MAX, &out->start) != E_OK ||
	    text_to_u32(dash + 1, (size_t)(stop_end - dash - 1), INT32_MAX, &out->stop) != E_OK ||
	    (slash != NULL &&
	     text_to_u32(slash + 1, (size_t)(end - slash - 1), INT32_MAX, &out->step) != E_OK)) {
		return err_set(em, E_SYNTAX,
			       "found %s, expected a range: start-stop or start-stop/step, each at "
			       "most 2147483647",
			       text_quote(s, len, quoted));
	}
	if (out->stop < out->start || out->step == 0) {
		return err_set(em, E_RANGE,
			       "found %s, expected a range that goes up, in steps of at least 1",
			       text_quote(s, len, quoted));
	}
	return E_OK;
}

struct modifier {
	int64_t offset;
	uint32_t width;
	char radix;
};

/* From the "$" at @s to the brace that closes, or to the end of the word. */
static size_t modifier_len(const char *s, size_t len)
{
	size_t n = 0;
	while (n < len && s[n] != '}' && s[n] != ' ') {
		n++;
	}
	return n < len && s[n] == '}' ? n + 1 : n;
}

static int bad_modifier(struct errmsg *em, const char *s, size_t len)
{
	char quoted[TEXT_QUOTE_MAX];
	return err_set(em, E_SYNTAX,
		       "found %s, expected ${offset,width,radix}, width at most 255, radix d o x X "
		       "n or N",
		       text_quote(s, modifier_len(s, len), quoted));
}

/* Reads "offset[,width[,radix]]}"; returns octets read up to and with the brace, or E_SYNTAX. */
static int modifier_read(const char *s, size_t len, struct modifier *m)
{
	const char *brace = memchr(s, '}', len);
	if (brace == NULL) {
		return E_SYNTAX;
	}
	const char *end = brace;
	const char *comma = memchr(s, ',', (size_t)(end - s));
	const char *offset_end = comma != NULL ? comma : end;
	bool negative = *s == '-';
	const char *digits = s + (negative || *s == '+');
	uint32_t value;
	if (digits > offset_end ||
	    text_to_u32(digits, (size_t)(offset_end - digits), INT32_MAX, &value) != E_OK) {
		return E_SYNTAX;
	}
	m->offset = negative ? -(int64_t)value : (int64_t)value;
	if (comma != NULL) {
		const char *second = memchr(comma + 1, ',', (size_t)(end - comma - 1));
		const char *width_end = second != NULL ? second : end;
		if (text_to_u32(comma + 1, (size_t)(width_end - comma - 1), WIDTH_MAX, &m->width) !=
		    E_OK) {
			return E_SYNTAX;
		}
		if (second != NULL) {
			if (end - second != 2 || strchr("doxXnN", second[1]) == NULL) {
				return E_SYNTAX;
			}
			m->radix = second[1];
		}
	}
	return (int)(end - s) + 1;
}

/* Nibbles from the lowest up, dots between: "f.0.0.0" for 15 at width 7. */
static void nibbles(struct buf *out, uint32_t value, uint32_t width, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	int64_t left = width;
	do {
		buf_char(out, digits[value & 15]);
		value >>= 4;
		left--;
		if (left > 0 || value != 0) {
			buf_char(out, '.');
			left--;
		}
	} while (value != 0 || left > 0);
}

static int number(struct buf *out, int64_t value, const struct modifier *m)
{
	if (value < 0 || value > UINT32_MAX) {
		return E_RANGE;
	}
	unsigned v = (unsigned)value;
	int width = (int)m->width;
	switch (m->radix) {
	case 'o':
		buf_printf(out, "%0*o", width, v);
		break;
	case 'x':
		buf_printf(out, "%0*x", width, v);
		break;
	case 'X':
		buf_printf(out, "%0*X", width, v);
		break;
	case 'n':
	case 'N':
		nibbles(out, v, m->width, m->radix == 'N');
		break;
	default:
		buf_printf(out, "%0*u", width, v);
		break;
	}
	return E_OK;
}

int generate_expand(const char *s, size_t len, uint32_t value, struct buf *out, struct errmsg *em)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\' && i + 1 < len) {
			buf_char(out, s[i]);
			buf_char(out, s[++i]);
			continue;
		}
		if (s[i] != '$') {
			buf_char(out, s[i]);
			continue;
		}
		if (i + 1 < len && s[i + 1] == '$') {
			buf_str(out, "\\$");
			i++;
			continue;
		}
		struct modifier m = { .radix = 'd' };
		if (i + 1 < len && s[i + 1] == '{') {
			int n = modifier_read(s + i + 2, len - i - 2, &m);
			if (n < 0) {
				return bad_modifier(em, s + i, len - i);
			}
			i += 1 + (size_t)n;
		}
		if (number(out, (int64_t)value + m.offset, &m) != E_OK) {
			return err_set(em, E_RANGE,
				       "found a value of %" PRId64
				       ", expected an offset that keeps it at or above 0",
				       (int64_t)value + m.offset);
		}
	}
	return E_OK;
}

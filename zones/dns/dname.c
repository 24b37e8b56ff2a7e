/* zones/dns/dname.c - domain names: walking, comparing, text, compression, keys.
 *
 * Names are compared octet by octet through text_lower; a length octet (0..63) is never changed by
 * it, so whole wire forms can be folded without looking at label borders. */
#include "zones/dns/dname.h"

#include <string.h>

const uint8_t dname_root[1] = { 0 };

bool dname_equal(const uint8_t *a, const uint8_t *b)
{
	for (;;) {
		uint8_t len = *a;
		if (len != *b) {
			return false;
		}
		if (len == 0) {
			return true;
		}
		/* Most names come in one case. */
		bool same = memcmp(a + 1, b + 1, len) == 0;
		for (unsigned i = 1; !same && i <= len; i++) {
			if (text_lower[a[i]] != text_lower[b[i]]) {
				return false;
			}
		}
		a += len + 1;
		b += len + 1;
	}
}

/* Where the labels of @name start, from the left; returns how many (without the root label). */
static unsigned label_offsets(const uint8_t *name, uint8_t offsets[DNAME_LABELS_MAX + 1])
{
	unsigned n = 0;
	size_t at = 0;
	while (name[at] != 0) {
		offsets[n++] = (uint8_t)at;
		at += (size_t)name[at] + 1;
	}
	return n;
}

/* Two labels in canonical order: as octet strings in lower case, the shorter first. */
static int label_compare(const uint8_t *a, const uint8_t *b)
{
	unsigned min = *a < *b ? *a : *b;
	for (unsigned i = 1; i <= min; i++) {
		int diff = text_lower[a[i]] - text_lower[b[i]];
		if (diff != 0) {
			return diff;
		}
	}
	return *a - *b;
}

bool dname_list_has(const struct dname_list *list, const uint8_t *name)
{
	size_t at = 0;
	while (at < list->len && !dname_equal(list->octets + at, name)) {
		at += dname_len(list->octets + at);
	}
	return at < list->len;
}

int dname_compare(const uint8_t *a, const uint8_t *b)
{
	uint8_t aoff[DNAME_LABELS_MAX + 1];
	uint8_t boff[DNAME_LABELS_MAX + 1];
	unsigned an = label_offsets(a, aoff);
	unsigned bn = label_offsets(b, boff);
	while (an != 0 && bn != 0) {
		int diff = label_compare(a + aoff[--an], b + boff[--bn]);
		if (diff != 0) {
			return diff;
		}
	}
	return (int)an - (int)bn;
}

bool dname_is_under(const uint8_t *name, const uint8_t *ancestor)
{
	unsigned have = dname_labels(name);
	unsigned want = dname_labels(ancestor);
	return have >= want && dname_equal(dname_up(name, have - want), ancestor);
}

unsigned dname_common_labels(const uint8_t *a, const uint8_t *b)
{
	uint8_t aoff[DNAME_LABELS_MAX + 1];
	uint8_t boff[DNAME_LABELS_MAX + 1];
	unsigned an = label_offsets(a, aoff);
	unsigned bn = label_offsets(b, boff);
	unsigned n = 0;
	while (n < an && n < bn && label_compare(a + aoff[an - 1 - n], b + boff[bn - 1 - n]) == 0) {
		n++;
	}
	return n;
}

size_t dname_copy(uint8_t *to, const uint8_t *from)
{
	size_t len = dname_len(from);
	memcpy(to, from, len);
	return len;
}

size_t dname_lower(uint8_t *to, const uint8_t *from)
{
	size_t len = dname_len(from);
	for (size_t i = 0; i < len; i++) {
		to[i] = text_lower[from[i]];
	}
	return len;
}

void dname_set(struct dname *d, const uint8_t *name)
{
	d->len = (uint8_t)dname_copy(d->wire, name);
}

int dname_prepend(struct dname *d, const uint8_t *label, const uint8_t *parent)
{
	size_t own = (size_t)label[0] + 1;
	size_t rest = dname_len(parent);
	if (own + rest > DNAME_MAX) {
		return E_NAME;
	}
	memmove(d->wire + own, parent, rest);
	memmove(d->wire, label, own);
	d->len = (uint8_t)(own + rest);
	return E_OK;
}

int dname_replace(struct dname *d, const uint8_t *name, const uint8_t *old, const uint8_t *new)
{
	size_t keep = dname_len(name) - dname_len(old);
	size_t tail = dname_len(new);
	if (keep + tail > DNAME_MAX) {
		return E_NAME;
	}
	memcpy(d->wire, name, keep);
	memcpy(d->wire + keep, new, tail);
	d->len = (uint8_t)(keep + tail);
	return E_OK;
}

/* Characters that stand for themselves in a name: no dot, no escape, nothing special. */
static const bool plain[256] = {
	['!'] = true,	      ['#'] = true,	    ['%' ... '\''] = true, ['*' ... '-'] = true,
	['/' ... ':'] = true, ['<' ... '?'] = true, ['A' ... '['] = true,  [']' ... '~'] = true,
};

/* Resolves the escape after the backslash at s[*at]; leaves *at on its last character. */
static int unescape(const char *s, size_t len, size_t *at, uint8_t *out)
{
	size_t i = *at + 1;
	if (i >= len) {
		return E_SYNTAX;
	}
	if (!text_is_digit(s[i])) {
		*out = (uint8_t)s[i];
		*at = i;
		return E_OK;
	}
	if (len - i < 3 || !text_is_digit(s[i + 1]) || !text_is_digit(s[i + 2])) {
		return E_SYNTAX;
	}
	int value = (s[i] - '0') * 100 + (s[i + 1] - '0') * 10 + (s[i + 2] - '0');
	if (value > 255) {
		return E_SYNTAX;
	}
	*out = (uint8_t)value;
	*at = i + 2;
	return E_OK;
}

/* "found WHAT in "NAME", expected EXPECTED" */
static int bad_name(struct errmsg *em, int err, const char *s, size_t len, const char *what,
		    const char *expected)
{
	char quoted[TEXT_QUOTE_MAX];
	return err_set(em, err, "found %s in %s, expected %s", what, text_quote(s, len, quoted),
		       expected);
}

static int append_origin(struct dname *d, size_t used, const char *s, size_t len,
			 const uint8_t *origin, struct errmsg *em)
{
	if (origin == NULL) {
		char quoted[TEXT_QUOTE_MAX];
		return err_set(em, E_SYNTAX, "found %s, expected a name that ends in a dot",
			       text_quote(s, len, quoted));
	}
	size_t tail = dname_len(origin);
	if (used + tail > DNAME_MAX) {
		return bad_name(em, E_NAME, s, len, "more than 255 octets, the origin included,",
				"a shorter name");
	}
	memcpy(d->wire + used, origin, tail);
	d->len = (uint8_t)(used + tail);
	return E_OK;
}

int dname_from_text(struct dname *d, const char *s, size_t len, const uint8_t *origin,
		    struct errmsg *em)
{
	if (len == 1 && s[0] == '@') {
		return append_origin(d, 0, s, len, origin, em);
	}
	if (len == 1 && s[0] == '.') {
		d->wire[0] = 0;
		d->len = 1;
		return E_OK;
	}
	if (len == 0) {
		return err_set(em, E_SYNTAX, "found an empty name, expected a domain name");
	}
	size_t label = 0; /* where the length octet of the current label goes */
	size_t used = 1;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)s[i];
		if (c == '.') {
			if (used == label + 1) {
				return bad_name(em, E_NAME, s, len, "an empty label",
						"a label before each dot");
			}
			d->wire[label] = (uint8_t)(used - label - 1);
			label = used++;
			if (used > DNAME_MAX) {
				return bad_name(em, E_NAME, s, len, "more than 255 octets",
						"a shorter name");
			}
			continue;
		}
		if (c == '\\' && unescape(s, len, &i, &c) != E_OK) {
			return bad_name(em, E_SYNTAX, s, len, "a bad escape",
					"\\X, or \\DDD up to \\255");
		}
		if (used - label > DNAME_LABEL_MAX) {
			return bad_name(em, E_NAME, s, len, "a label of more than 63 octets",
					"a shorter one");
		}
		if (used >= DNAME_MAX) {
			return bad_name(em, E_NAME, s, len, "more than 255 octets",
					"a shorter name");
		}
		d->wire[used++] = c;
	}
	if (used == label + 1) { /* the last character was an unescaped dot */
		d->wire[label] = 0;
		d->len = (uint8_t)used;
		return E_OK;
	}
	d->wire[label] = (uint8_t)(used - label - 1);
	return append_origin(d, used, s, len, origin, em);
}

size_t dname_to_text(const uint8_t *name, char out[DNAME_TEXT_MAX])
{
	size_t n = 0;
	if (*name == 0) {
		out[n++] = '.';
	}
	while (*name != 0) {
		for (unsigned i = 1; i <= *name; i++) {
			uint8_t c = name[i];
			if (plain[c]) {
				out[n++] = (char)c;
			} else if (c > 0x20 && c < 0x7f) {
				out[n++] = '\\';
				out[n++] = (char)c;
			} else {
				out[n++] = '\\';
				out[n++] = (char)('0' + c / 100);
				out[n++] = (char)('0' + c / 10 % 10);
				out[n++] = (char)('0' + c % 10);
			}
		}
		out[n++] = '.';
		name += *name + 1;
	}
	out[n] = '\0';
	return n;
}

void dname_print(struct buf *b, const uint8_t *name)
{
	buf_grew(b, dname_to_text(name, buf_reserve(b, DNAME_TEXT_MAX)));
}

const uint8_t *dname_read(struct reader *r)
{
	if (r->err != E_OK) {
		return NULL;
	}
	const uint8_t *p = r->pos;
	size_t left = (size_t)(r->end - p);
	size_t n = 0;
	for (;;) {
		if (n >= left) {
			reader_fail(r, E_TRUNC);
			return NULL;
		}
		uint8_t len = p[n];
		if (len > DNAME_LABEL_MAX || n + len + 1 > DNAME_MAX) {
			reader_fail(r, E_NAME);
			return NULL;
		}
		n += (size_t)len + 1;
		if (len == 0) {
			r->pos = p + n;
			return p;
		}
	}
}

int dname_read_compressed(struct reader *r, struct dname *out)
{
	struct reader at = *r;	       /* follows the pointers; @r stays behind the first one */
	const uint8_t *limit = r->pos; /* each pointer goes below where the chain has been */
	bool jumped = false;
	size_t n = 0;
	for (;;) {
		uint8_t len = reader_u8(&at);
		if (at.err != E_OK) {
			break;
		}
		if (len >= 0xc0) {
			unsigned target = (unsigned)(len & 0x3f) << 8 | reader_u8(&at);
			if (!jumped) {
				r->pos = at.pos;
				jumped = true;
			}
			if (at.err == E_OK && at.start + target >= limit) {
				at.err = E_LOOP;
			}
			if (at.err != E_OK) {
				break;
			}
			limit = at.start + target;
			at.pos = limit;
			continue;
		}
		const uint8_t *label = reader_bytes(&at, len);
		if (label == NULL) {
			break;
		}
		if (len > DNAME_LABEL_MAX || n + len + 1 > DNAME_MAX) {
			at.err = E_NAME;
			break;
		}
		out->wire[n++] = len;
		memcpy(out->wire + n, label, len);
		n += len;
		if (len == 0) {
			break;
		}
	}
	if (at.err != E_OK) {
		reader_fail(r, at.err);
		return r->err;
	}
	if (!jumped) {
		r->pos = at.pos;
	}
	out->len = (uint8_t)n;
	return E_OK;
}

/* Symbols of an octet. Octets of host names take one symbol; the others take two, the first of
 * which is the symbol of their group and sorts where the group stands among the single ones:
 *
 *      0 label end     1 00..2c     2 '-'     3 2e,2f     4..13 '0'..'9'     14 3a..5e
 *     15 '_'          16 60        17..42 'a'..'z'       43..45 7b..ff, up to 46 octets each
 *
 * Upper-case letters fold to lower case before, so the group 3a..5e has two gaps. The second
 * symbol is the octet's place in its group plus one, so that 0 stays the label end. */
enum {
	GROUP_LOW = 1,
	GROUP_DOT = 3,
	GROUP_COLON = 14,
	GROUP_GRAVE = 16,
	GROUP_HIGH = 43,
	GROUP_SPAN = 46, /* octets in each of the groups of 7b..ff: second symbols 1..46 */
};

struct symbol {
	uint8_t first;
	uint8_t second; /* 0: none */
};

/* clang-format off */
#define TWO(g, i)   { (g), (uint8_t)((i) + 1) }
#define LOW(i)      TWO(GROUP_LOW, i)
#define COL(i)      TWO(GROUP_COLON, i)
#define HI(i)       TWO(GROUP_HIGH + (i) / GROUP_SPAN, (i) % GROUP_SPAN)
#define R4(M, i)    M(i), M((i) + 1), M((i) + 2), M((i) + 3)
#define R16(M, i)   R4(M, i), R4(M, (i) + 4), R4(M, (i) + 8), R4(M, (i) + 12)
#define DIGIT(i)    { (uint8_t)(4 + (i)), 0 }
#define LETTER(i)   { (uint8_t)(17 + (i)), 0 }
static const struct symbol symbols[256] = {
	/* 00..2c */ R16(LOW, 0), R16(LOW, 16), R4(LOW, 32), R4(LOW, 36), R4(LOW, 40), LOW(44),
	/* '-' */    { 2, 0 },
	/* 2e 2f */  TWO(GROUP_DOT, 0), TWO(GROUP_DOT, 1),
	/* 0..9 */   R4(DIGIT, 0), R4(DIGIT, 4), DIGIT(8), DIGIT(9),
	/* 3a..40 */ R4(COL, 0), COL(4), COL(5), COL(6),
	/* A..Z */   R16(LETTER, 0), R4(LETTER, 16), R4(LETTER, 20), LETTER(24), LETTER(25),
	/* 5b..5e */ R4(COL, 33),
	/* '_' */    { 15, 0 },
	/* 60 */     TWO(GROUP_GRAVE, 0),
	/* a..z */   R16(LETTER, 0), R4(LETTER, 16), R4(LETTER, 20), LETTER(24), LETTER(25),
	/* 7b..ff */ R16(HI, 0), R16(HI, 16), R16(HI, 32), R16(HI, 48), R16(HI, 64), R16(HI, 80),
		     R16(HI, 96), R16(HI, 112), R4(HI, 128), HI(132),
};
/* clang-format on */

/* The symbols of a label and the 0 that closes it; returns what is behind them. */
static uint8_t *key_label(uint8_t *to, const uint8_t *label)
{
	for (unsigned k = 1; k <= *label; k++) {
		const struct symbol s = symbols[label[k]];
		/* Both are written always; the second is overwritten where there is none. 2 × 255 symbols
		 * fit, and one more. */
		to[0] = s.first;
		to[1] = s.second;
		to += 1 + (s.second != 0);
	}
	*to++ = 0;
	return to;
}

void dname_key_make(struct dname_key *key, const uint8_t *name)
{
	uint8_t offsets[DNAME_LABELS_MAX + 1];
	unsigned labels = label_offsets(name, offsets);
	uint8_t *to = key->sym;
	key->labels = (uint8_t)labels;
	key->end[0] = 0;
	for (unsigned i = 1; i <= labels; i++) {
		to = key_label(to, name + offsets[labels - i]);
		key->end[i] = (uint16_t)(to - key->sym);
	}
	key->len = (uint16_t)(to - key->sym);
}

void dname_key_child(struct dname_key *key, const struct dname_key *of, unsigned labels,
		     const uint8_t *label)
{
	memcpy(key->sym, of->sym, of->end[labels]);
	memcpy(key->end, of->end, (labels + 1) * sizeof(key->end[0]));
	const uint8_t *end = key_label(key->sym + of->end[labels], label);
	key->len = (uint16_t)(end - key->sym);
	key->labels = (uint8_t)(labels + 1);
	key->end[labels + 1] = key->len;
}

unsigned dname_key_mismatch(const struct dname_key *key, const uint8_t *name, unsigned *symbol)
{
	uint8_t offsets[DNAME_LABELS_MAX + 1];
	unsigned labels = label_offsets(name, offsets);
	const unsigned len = key->len;
	unsigned at = 0;
	*symbol = 0;
	while (labels-- != 0) {
		const uint8_t *label = name + offsets[labels];
		for (unsigned k = 1; k <= *label; k++) {
			const struct symbol s = symbols[label[k]];
			if (at >= len || key->sym[at] != s.first) {
				*symbol = s.first;
				return at;
			}
			at++;
			if (s.second != 0 && key->sym[at++] != s.second) {
				*symbol = s.second;
				return at - 1;
			}
		}
		if (key->sym[at] !=
		    0) { /* a key that has come so far has its closing 0 still to come */
			return at;
		}
		at++;
	}
	return at;
}

int dname_sym_compare(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	int diff = memcmp(a, b, alen < blen ? alen : blen);
	return diff != 0 ? diff : (alen > blen) - (alen < blen);
}

int dname_key_compare(const struct dname_key *a, const struct dname_key *b)
{
	return dname_sym_compare(a->sym, a->len, b->sym, b->len);
}

/* zones/dns/rdata_svcb.c - the parameters of SVCB and HTTPS records (RFC 9460). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "zones/base/text.h"
#include "zones/dns/rdata_kinds.h"

enum {
	KEY_MANDATORY = 0,
	KEY_ALPN = 1,
	KEY_NO_DEFAULT_ALPN = 2,
	KEY_INVALID = 65535,
};

enum form {
	FORM_OPAQUE, /* a character string (§2.1) */
	FORM_KEYS,
	FORM_STRINGS, /* a list of strings, each with its length before it */
	FORM_STRINGS_OR_NONE,
	FORM_NONE,
	FORM_U16,
	FORM_U16S,
	FORM_IPV4S,
	FORM_IPV6S,
	FORM_BASE64,
};

/* IANA "DNS Service Parameter Keys (SvcParamKeys)"; in the order of their numbers, from 0. */
static const struct {
	const char *name;
	enum form form;
} keys[] = {
	{ "mandatory", FORM_KEYS },
	{ "alpn", FORM_STRINGS },
	{ "no-default-alpn", FORM_NONE },
	{ "port", FORM_U16 },
	{ "ipv4hint", FORM_IPV4S },
	{ "ech", FORM_BASE64 },
	{ "ipv6hint", FORM_IPV6S },
	{ "dohpath", FORM_OPAQUE },	       /* RFC 9461 */
	{ "ohttp", FORM_NONE },		       /* RFC 9540 */
	{ "tls-supported-groups", FORM_U16S }, /* draft-ietf-tls-key-share-prediction */
	{ "docpath", FORM_STRINGS_OR_NONE },   /* RFC 9953 */
};

static enum form form_of(unsigned key)
{
	return key < ARRAY_LEN(keys) ? keys[key].form : FORM_OPAQUE;
}

/* --- wire ------------------------------------------------------------------------------------ */

static bool are_strings(const uint8_t *p, size_t len)
{
	size_t at = 0;
	while (at < len) {
		if (p[at] == 0 || p[at] > len - at - 1) {
			return false;
		}
		at += 1U + p[at];
	}
	return true;
}

/* Numbers of 16 bits, each at most once; keys ascend and do not name "mandatory" (§8). */
static bool are_numbers(const uint8_t *p, size_t len, bool ascend)
{
	if (len == 0 || len % 2 != 0) {
		return false;
	}
	for (size_t i = 0; ascend && i < len; i += 2) {
		if (be16_get(p + i) <= (i == 0 ? KEY_MANDATORY : be16_get(p + i - 2))) {
			return false;
		}
	}
	return true;
}

static bool is_value(unsigned key, const uint8_t *p, size_t len)
{
	switch (form_of(key)) {
	case FORM_KEYS:
		return are_numbers(p, len, true);
	case FORM_STRINGS:
		return len != 0 && are_strings(p, len);
	case FORM_STRINGS_OR_NONE:
		return are_strings(p, len);
	case FORM_NONE:
		return len == 0;
	case FORM_U16:
		return len == 2;
	case FORM_U16S:
		return are_numbers(p, len, false);
	case FORM_IPV4S:
		return len != 0 && len % 4 == 0;
	case FORM_IPV6S:
		return len != 0 && len % 16 == 0;
	case FORM_BASE64:
		return len != 0;
	case FORM_OPAQUE:
		break;
	}
	return true;
}

struct param {
	unsigned key;
	size_t len;
	const uint8_t *value;
};

static struct param param_read(struct reader *r)
{
	struct param p = { .key = reader_u16(r) };
	p.len = reader_u16(r);
	p.value = reader_bytes(r, p.len);
	return p;
}

static bool has_key(struct reader r, unsigned key)
{
	while (reader_left(&r) != 0) {
		if (param_read(&r).key == key) {
			return true;
		}
	}
	return false;
}

/* Every key that "mandatory" names is there, and "no-default-alpn" has its "alpn" (§7.1.1, §8). */
static bool is_consistent(const struct reader *params)
{
	struct reader r = *params;
	while (reader_left(&r) != 0) {
		struct param p = param_read(&r);
		if (p.key == KEY_NO_DEFAULT_ALPN && !has_key(*params, KEY_ALPN)) {
			return false;
		}
		for (size_t i = 0; p.key == KEY_MANDATORY && p.value != NULL && i < p.len; i += 2) {
			if (!has_key(*params, be16_get(p.value + i))) {
				return false;
			}
		}
	}
	return true;
}

void svcparams_skip(struct reader *r)
{
	struct reader params = *r;
	int before = -1;
	while (reader_left(r) != 0) {
		struct param p = param_read(r);
		if (p.value != NULL && ((int)p.key <= before || p.key == KEY_INVALID ||
					!is_value(p.key, p.value, p.len))) {
			reader_fail(r, E_INVAL);
		}
		before = (int)p.key;
	}
	if (r->err == E_OK && !is_consistent(&params)) {
		reader_fail(r, E_INVAL);
	}
}

/* --- text out -------------------------------------------------------------------------------- */

static void print_key(unsigned key, struct buf *out)
{
	if (key < ARRAY_LEN(keys)) {
		buf_str(out, keys[key].name);
	} else {
		buf_printf(out, "key%u", key);
	}
}

/* One octet inside quotes. @in_list: a comma and a backslash are escaped once more (App. A.1). */
static void print_octet(uint8_t c, bool in_list, struct buf *out)
{
	if (in_list && (c == ',' || c == '\\')) {
		buf_str(out, c == ',' ? "\\\\," : "\\\\\\\\");
	} else if (c == '"' || c == '\\') {
		buf_char(out, '\\');
		buf_char(out, (char)c);
	} else if (c >= 0x20 && c < 0x7f) {
		buf_char(out, (char)c);
	} else {
		buf_printf(out, "\\%03u", c);
	}
}

static void print_strings(const struct param *p, struct buf *out)
{
	buf_char(out, '"');
	for (size_t at = 0; at < p->len; at += 1U + p->value[at]) {
		if (at != 0) {
			buf_char(out, ',');
		}
		for (size_t i = 0; i < p->value[at]; i++) {
			print_octet(p->value[at + 1 + i], true, out);
		}
	}
	buf_char(out, '"');
}

/* Items of @size octets with commas between. */
static void print_items(const struct param *p, size_t size, struct buf *out)
{
	for (size_t at = 0; at < p->len; at += size) {
		struct reader item = reader_of(p->value + at, size);
		if (at != 0) {
			buf_char(out, ',');
		}
		if (size == 2 && p->key == KEY_MANDATORY) {
			print_key(reader_u16(&item), out);
		} else {
			field_ops[size == 2   ? FIELD_U16
				  : size == 4 ? FIELD_IPV4
					      : FIELD_IPV6]
				.print(&item, out);
		}
	}
}

static void print_value(const struct param *p, struct buf *out)
{
	struct reader r = reader_of(p->value, p->len);
	switch (form_of(p->key)) {
	case FORM_KEYS:
	case FORM_U16:
	case FORM_U16S:
		print_items(p, 2, out);
		break;
	case FORM_IPV4S:
		print_items(p, 4, out);
		break;
	case FORM_IPV6S:
		print_items(p, 16, out);
		break;
	case FORM_BASE64:
		field_ops[FIELD_BASE64].print(&r, out);
		break;
	case FORM_STRINGS:
	case FORM_STRINGS_OR_NONE:
		print_strings(p, out);
		break;
	case FORM_OPAQUE:
		field_ops[FIELD_TEXT].print(&r, out);
		break;
	case FORM_NONE:
		break;
	}
}

void svcparams_print(struct reader *r, struct buf *out)
{
	for (bool first = true; reader_left(r) != 0; first = false) {
		struct param p = param_read(r);
		if (!first) {
			buf_char(out, ' ');
		}
		print_key(p.key, out);
		if (p.value != NULL && p.len != 0) {
			buf_char(out, '=');
			print_value(&p, out);
		}
	}
}

/* --- text in --------------------------------------------------------------------------------- */

/* What one value may hold, and how many parameters one record: more than there are keys today. */
enum { PARAMS_MAX = 64 };

struct params_in {
	struct text_in *in;
	struct buf values; /* all of them, one behind the other */
	unsigned count;
	struct {
		unsigned key;
		size_t at, len;
	} param[PARAMS_MAX];
};

static int key_of(const char *s, size_t len, unsigned *key)
{
	uint32_t number = 0;
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
		if (text_equal(s, len, keys[i].name)) {
			*key = i;
			return E_OK;
		}
	}
	if (len < 4 || !text_equal(s, 3, "key") || (s[3] == '0' && len != 4) ||
	    text_to_u32(s + 3, len - 3, KEY_INVALID - 1, &number) != E_OK) {
		return E_SYNTAX;
	}
	*key = number;
	return E_OK;
}

/* Hands out the next item of a list, its own escapes resolved, in place; NULL behind the last.
 * An item may be empty: the forms decide (App. A.1). */
static uint8_t *next_item(uint8_t **at, const uint8_t *end, size_t *len)
{
	if (*at > end) {
		return NULL;
	}
	uint8_t *item = *at;
	uint8_t *to = item;
	uint8_t *p = item;
	for (; p < end && *p != ','; p++) {
		if (*p == '\\' && p + 1 < end) {
			p++;
		}
		*to++ = *p;
	}
	*at = p + 1;
	*len = (size_t)(to - item);
	return item;
}

static int add_item(struct buf *out, unsigned key, const uint8_t *item, size_t len)
{
	const char *s = (const char *)item;
	unsigned listed = 0;
	uint32_t number = 0;
	uint8_t octets[255 + 1];
	struct writer w = writer_of(octets, sizeof(octets));
	int err = E_OK;
	switch (form_of(key)) {
	case FORM_KEYS:
		err = key_of(s, len, &listed);
		writer_u16(&w, (uint16_t)listed);
		break;
	case FORM_U16:
	case FORM_U16S:
		err = text_to_u32(s, len, UINT16_MAX, &number);
		writer_u16(&w, (uint16_t)number);
		break;
	case FORM_IPV4S:
		err = text_to_ipv4(s, len, octets);
		w.pos += 4;
		break;
	case FORM_IPV6S:
		err = text_to_ipv6(s, len, octets);
		w.pos += 16;
		break;
	default: /* strings */
		err = len == 0 || len > 255 ? E_SYNTAX : E_OK;
		writer_u8(&w, (uint8_t)len);
		writer_bytes(&w, item, len <= 255 ? len : 255);
		break;
	}
	if (err == E_OK) {
		buf_add(out, octets, writer_len(&w));
	}
	return err;
}

/* The keys of "mandatory" may be written in any order (§8). */
static void sort_numbers(uint8_t *p, size_t len)
{
	for (size_t i = 2; i < len; i += 2) {
		uint16_t v = be16_get(p + i);
		size_t k = i;
		for (; k > 0 && be16_get(p + k - 2) > v; k -= 2) {
			be16_put(p + k, be16_get(p + k - 2));
		}
		be16_put(p + k, v);
	}
}

/* Writes the value in @text, whose escapes are resolved, behind pi->values. */
static int add_value(struct buf *out, unsigned key, uint8_t *text, size_t len)
{
	size_t before = out->len;
	if (form_of(key) == FORM_OPAQUE) {
		buf_add(out, text, len);
	} else if (form_of(key) == FORM_BASE64) {
		int n = text_from_base64((const char *)text, len, (uint8_t *)buf_reserve(out, len),
					 len);
		if (n < 0) {
			return n;
		}
		buf_grew(out, (size_t)n);
	} else if (len != 0) {
		uint8_t *at = text;
		uint8_t *item;
		size_t item_len;
		while ((item = next_item(&at, text + len, &item_len)) != NULL) {
			int err = add_item(out, key, item, item_len);
			if (err != E_OK) {
				return err;
			}
		}
	}
	(void)buf_reserve(out, 0); /* there is a place, even for nothing */
	uint8_t *value = (uint8_t *)out->data + before;
	if (form_of(key) == FORM_KEYS) {
		sort_numbers(value, out->len - before);
	}
	return is_value(key, value, out->len - before) ? E_OK : E_SYNTAX;
}

static const char *expected_of(unsigned key)
{
	switch (form_of(key)) {
	case FORM_KEYS:
		return "mandatory= and other keys of this record with commas between, each once";
	case FORM_STRINGS:
	case FORM_STRINGS_OR_NONE:
		return "a list of strings of 1 to 255 octets with commas between, as in "
		       "alpn=\"h2,h3\"";
	case FORM_NONE:
		return "a key without a value";
	case FORM_U16:
		return "a number from 0 to 65535";
	case FORM_U16S:
		return "numbers from 0 to 65535 with commas between";
	case FORM_IPV4S:
		return "IPv4 addresses with commas between";
	case FORM_IPV6S:
		return "IPv6 addresses with commas between";
	case FORM_BASE64:
		return "base64 digits";
	case FORM_OPAQUE:
		break;
	}
	return "a text with escapes of the form \\X or \\DDD up to \\255";
}

static bool is_next_to(const struct token *before, const struct token *t)
{
	return t->kind == TOKEN_WORD &&
	       t->s - (t->quoted ? 1 : 0) == before->s + before->len + (before->quoted ? 1 : 0);
}

static int add_param(struct params_in *pi, unsigned key, const struct token *value)
{
	struct text_in *in = pi->in;
	struct buf text = { 0 };
	uint8_t *octets = (uint8_t *)buf_reserve(&text, value->len);
	int err = E_OK;
	for (unsigned i = 0; i < pi->count; i++) {
		if (pi->param[i].key == key) {
			err = field_refuse(in, E_EXIST, "each key once");
			goto out;
		}
	}
	if (pi->count == PARAMS_MAX) {
		err = field_refuse(in, E_LIMIT, "at most 64 parameters");
		goto out;
	}
	size_t at = pi->values.len;
	int n = lexer_unescape(value, octets, value->len);
	err = n < 0 ? n : add_value(&pi->values, key, octets, (size_t)n);
	if (err != E_OK) {
		err = field_refuse(in, err, expected_of(key));
		goto out;
	}
	pi->param[pi->count].key = key;
	pi->param[pi->count].at = at;
	pi->param[pi->count++].len = pi->values.len - at;
out:
	buf_clear(&text);
	return err;
}

/* key, key=value or key="value"; what stands behind a quote is a parameter of its own. */
static int read_param(struct params_in *pi)
{
	static const char expected[] =
		"a parameter: alpn=, port=, ipv4hint= and the like, or keyN=";
	struct text_in *in = pi->in;
	int err = field_word(in, expected);
	if (err != E_OK) {
		return err;
	}
	const char *equals = in->at.quoted ? NULL : memchr(in->at.s, '=', in->at.len);
	size_t key_len = equals != NULL ? (size_t)(equals - in->at.s) : in->at.len;
	unsigned key = 0;
	if (in->at.quoted || key_of(in->at.s, key_len, &key) != E_OK) {
		return field_refuse(in, E_SYNTAX, expected);
	}
	struct token word = in->at;
	struct token value = in->at;
	value.s += key_len + (equals != NULL ? 1 : 0);
	value.len -= key_len + (equals != NULL ? 1 : 0);
	if (field_more(in) && is_next_to(&word, &in->at)) {
		if (equals == NULL || value.len != 0) {
			return field_refuse(in, E_SYNTAX, "a blank before it");
		}
		err = field_word(in, expected);
		value = in->at;
		if (err == E_OK && field_more(in) && is_next_to(&value, &in->at)) {
			return field_refuse(in, E_SYNTAX, "a blank before it");
		}
	}
	in->at = word;
	return err == E_OK ? add_param(pi, key, &value) : err;
}

static void write_params(struct params_in *pi)
{
	struct writer *out = pi->in->out;
	int before = -1;
	for (unsigned n = 0; n < pi->count; n++) {
		unsigned least = 0;
		for (unsigned i = 1; i < pi->count; i++) {
			if ((int)pi->param[i].key > before &&
			    ((int)pi->param[least].key <= before ||
			     pi->param[i].key < pi->param[least].key)) {
				least = i;
			}
		}
		before = (int)pi->param[least].key;
		if (pi->param[least].len > UINT16_MAX) {
			writer_fail(out, E_NOSPACE);
			return;
		}
		writer_u16(out, (uint16_t)before);
		writer_u16(out, (uint16_t)pi->param[least].len);
		if (pi->param[least].len != 0) {
			writer_bytes(out, pi->values.data + pi->param[least].at,
				     pi->param[least].len);
		}
	}
}

int svcparams_read(struct text_in *in)
{
	struct params_in pi = { .in = in };
	uint8_t *start = in->out->pos;
	int err = E_OK;
	while (err == E_OK && field_more(in)) {
		err = read_param(&pi);
	}
	if (err == E_OK) {
		write_params(&pi);
		struct reader r = reader_of(start, (size_t)(in->out->pos - start));
		if (in->out->err == E_OK && !is_consistent(&r)) {
			err = err_set(in->em, E_INVAL,
				      "found a key in mandatory= that the record does not have, or "
				      "no-default-alpn without alpn=, expected both");
		}
	}
	buf_clear(&pi.values);
	return err;
}

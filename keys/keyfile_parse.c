/* keys/keyfile_parse.c - the text of key files.
 *
 * The .key file is a DNSKEY record with comments that repeat the times; the .private file has lines "Field: value".
 * Times are read from the private file, where BIND keeps them. What stands in a private file is never shown in a
 * message, but for the names of its fields. */
#include <stdio.h>
#include <string.h>

#include "keys/algorithm.h"
#include "keys/keyfile.h"
#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/dns/lexer.h"
#include "zones/dns/rdata.h"

/* --- the public file ------------------------------------------------------------------------- */

struct public_text {
	const char *path;
	struct lexer lx;
	struct token at;
	struct errmsg *em;
};

/* Puts the place of the token at hand in front of the message. */
static int public_place(struct public_text *p, int err)
{
	return err_prefix(p->em, err, "%s:%u:%u", p->path, p->at.line, p->at.column);
}

static int public_refuse(struct public_text *p, const char *expected)
{
	char quoted[TEXT_QUOTE_MAX];
	switch (p->at.kind) {
	case TOKEN_ERROR:
		err_set(p->em, E_SYNTAX, "%s", p->lx.em.text);
		break;
	case TOKEN_WORD:
		err_set(p->em, E_SYNTAX, "found %s, expected %s",
			text_quote(p->at.s, p->at.len, quoted), expected);
		break;
	case TOKEN_BLANK:
		err_set(p->em, E_SYNTAX, "found white space, expected %s", expected);
		break;
	case TOKEN_EOL:
		err_set(p->em, E_SYNTAX, "found the end of the record, expected %s", expected);
		break;
	case TOKEN_EOF:
		err_set(p->em, E_SYNTAX, "found the end of the file, expected %s", expected);
		break;
	}
	return public_place(p, E_SYNTAX);
}

static int public_word(struct public_text *p, const char *expected)
{
	lexer_next(&p->lx, &p->at);
	return p->at.kind == TOKEN_WORD ? E_OK : public_refuse(p, expected);
}

static int public_owner(struct public_text *p, struct key *key)
{
	int err = public_word(p, "a DNSKEY record");
	if (err == E_OK) {
		err = dname_from_text(&key->zone, p->at.s, p->at.len, NULL, p->em);
		if (err != E_OK) {
			(void)public_place(p, err);
		}
	}
	return err;
}

/* "[TTL] [IN] DNSKEY", TTL and class in either order. */
static int public_ttl_class_type(struct public_text *p, struct key *key)
{
	static const char expected[] = "a TTL, IN or DNSKEY";
	bool have_class = false;
	for (;;) {
		int64_t ttl;
		int err = public_word(p, expected);
		if (err != E_OK) {
			return err;
		}
		if (text_equal(p->at.s, p->at.len, "DNSKEY")) {
			return E_OK;
		}
		if (!have_class && text_equal(p->at.s, p->at.len, "IN")) {
			have_class = true;
		} else if (!key->has_ttl &&
			   time_from_duration(p->at.s, p->at.len, INT32_MAX, &ttl) == E_OK) {
			key->has_ttl = true;
			key->ttl_s = (uint32_t)ttl;
		} else {
			return public_refuse(p, have_class && key->has_ttl ? "DNSKEY"
						: have_class		   ? "a TTL or DNSKEY"
						: key->has_ttl		   ? "IN or DNSKEY"
									   : expected);
		}
	}
}

static int public_key(struct public_text *p, const uint8_t *rdata, size_t len, struct key *key)
{
	if (len < 5) {
		return err_set(p->em, E_SYNTAX, "found no public key, expected one in base64");
	}
	key->flags = be16_get(rdata);
	key->algorithm = rdata[3];
	key->tag = key_tag_of(rdata, len);
	const struct algorithm *a = algorithm_find(key->algorithm);
	if (a == NULL || a->use == ALGORITHM_REFUSED) {
		return err_set(p->em, E_UNSUPPORTED,
			       "found algorithm %u%s%s, expected one that is supported: %s",
			       key->algorithm, a != NULL ? " " : "", a != NULL ? a->name : "",
			       a != NULL ? a->reason : "signet-keymgr generate -a list lists them");
	}
	if (rdata[2] != 3 || (key->flags & KEY_FLAG_ZONE) == 0) {
		return err_set(
			p->em, E_INVAL,
			"found flags %u and protocol %u, expected a zone key: flags 256 or 257, protocol 3",
			key->flags, rdata[2]);
	}
	int err = crypto_key_from_public(key->algorithm, rdata + 4, len - 4, &key->pair);
	if (err != E_OK) {
		bool is_rsa = a->bits_min != a->bits_max;
		err_set(p->em, err,
			"found octets that are no public key of %s, expected one%s; restore the file "
			"from a copy",
			a->name, is_rsa ? " of " CRYPTO_RSA_LIMITS : "");
	}
	return err;
}

/* The record's data, and behind it nothing but comments. */
static int public_data(struct public_text *p, struct key *key)
{
	uint8_t rdata[2 * KEY_RDATA_MAX];
	struct writer w = writer_of(rdata, sizeof(rdata));
	lexer_next(&p->lx, &p->at);
	lexer_push(&p->lx, &p->at);
	struct token first = p->at;
	int err = rdata_from_text(RRTYPE_DNSKEY, &p->lx, NULL, &w, &p->at, p->em);
	if (err == E_OK) {
		p->at = first;
		err = public_key(p, rdata, writer_len(&w), key);
	}
	if (err != E_OK) {
		return public_place(p, err);
	}
	lexer_next(&p->lx, &p->at);
	return p->at.kind == TOKEN_EOF
		       ? E_OK
		       : public_refuse(p, "the end of the file behind the one record");
}

int keyfile_parse_public(const char *path, const struct file_view *text, struct key **out,
			 struct errmsg *em)
{
	struct public_text p = { .path = path, .em = em };
	struct key *key = mem_zalloc(sizeof(*key));
	for (enum key_time i = 0; i < KEY_TIMES; i++) {
		key->times[i] = KEY_TIME_NONE;
	}
	lexer_init(&p.lx, text->data, text->len);
	int err = public_owner(&p, key);
	if (err == E_OK) {
		err = public_ttl_class_type(&p, key);
	}
	if (err == E_OK) {
		err = public_data(&p, key);
	}
	if (err == E_OK) {
		*out = key;
		key = NULL;
	}
	key_free(key);
	return err;
}

/* --- the private file ------------------------------------------------------------------------ */

enum { PARTS = CRYPTO_PARTS_MAX + 1 }; /* those of RSA, and PrivateKey */

struct private_text {
	const char *path;
	struct errmsg *em;
	/* the line at hand */
	unsigned line;
	const char *start;
	const char *name;
	size_t name_len;
	const char *value; /* without blanks around it */
	size_t len;
	/* what was read */
	unsigned format_line;	/* 0: not there */
	unsigned hardware_line; /* 0: none that says so */
	uint8_t algorithm;
	unsigned algorithm_line; /* 0: not there */
	struct crypto_part parts[PARTS];
	unsigned part_lines[PARTS];
	size_t count;
	int64_t times[KEY_TIMES];
	unsigned time_lines[KEY_TIMES];
	struct buf extra;
};

/* Puts a place of the line at hand in front of the message. */
static int private_place(struct private_text *p, const char *at, int err)
{
	return err_prefix(p->em, err, "%s:%u:%u", p->path, p->line, (unsigned)(at - p->start) + 1);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_field_char(char c)
{
	char lower = (char)text_lower[(uint8_t)c];
	return (lower >= 'a' && lower <= 'z') || text_is_digit(c) || c == '-';
}

static bool is_named(const struct private_text *p, const char *field)
{
	return text_equal(p->name, p->name_len, field);
}

static int refuse_second(struct private_text *p, const char *field, unsigned first)
{
	err_set(p->em, E_SYNTAX, "found a second %s, expected only the one in line %u", field,
		first);
	return private_place(p, p->start, E_SYNTAX);
}

static int private_format(struct private_text *p)
{
	uint32_t major, minor;
	const char *dot = memchr(p->value, '.', p->len);
	if (dot == NULL || p->value[0] != 'v' ||
	    text_to_u32(p->value + 1, (size_t)(dot - p->value) - 1, 99, &major) != E_OK ||
	    text_to_u32(dot + 1, p->len - (size_t)(dot - p->value) - 1, 99, &minor) != E_OK) {
		err_set(p->em, E_SYNTAX, "found no version, expected one such as v1.3");
		return private_place(p, p->value, E_SYNTAX);
	}
	if (major != 1) {
		err_set(p->em, E_UNSUPPORTED,
			"found format v%u.%u, expected v1.3; write it with an older tool", major,
			minor);
		return private_place(p, p->value, E_UNSUPPORTED);
	}
	p->format_line = p->line;
	return E_OK;
}

/* "13 (ECDSAP256SHA256)", or the number alone. */
static int private_algorithm(struct private_text *p)
{
	uint32_t number;
	size_t digits = 0;
	if (p->algorithm_line != 0) {
		return refuse_second(p, "Algorithm", p->algorithm_line);
	}
	while (digits < p->len && text_is_digit(p->value[digits])) {
		digits++;
	}
	size_t at = digits;
	while (at < p->len && is_blank(p->value[at])) {
		at++;
	}
	bool good_end =
		at == p->len || (at > digits && p->value[at] == '(' && p->value[p->len - 1] == ')');
	if (!good_end || text_to_u32(p->value, digits, UINT8_MAX, &number) != E_OK) {
		err_set(p->em, E_SYNTAX,
			"found no algorithm, expected one such as \"13 (ECDSAP256SHA256)\"");
		return private_place(p, p->value, E_SYNTAX);
	}
	p->algorithm = (uint8_t)number;
	p->algorithm_line = p->line;
	return E_OK;
}

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || text_is_digit(c) || c == '+' ||
	       c == '/' || c == '=';
}

static int private_part(struct private_text *p, const char *field)
{
	uint8_t octets[CRYPTO_PUBKEY_MAX];
	for (size_t i = 0; i < p->count; i++) {
		if (p->parts[i].field == field) {
			return refuse_second(p, field, p->part_lines[i]);
		}
	}
	int n = text_from_base64(p->value, p->len, octets, sizeof(octets));
	if (n > 0) {
		p->parts[p->count].field = field;
		p->part_lines[p->count] = p->line;
		secret_set(&p->parts[p->count++].value, octets, (size_t)n);
	}
	mem_wipe(octets, sizeof(octets));
	if (n > 0) {
		return E_OK;
	}
	const char *at = p->value;
	const char *end = p->value + p->len;
	while (at < end && is_base64(*at)) {
		at++;
	}
	if (n == E_NOSPACE) {
		err_set(p->em, E_SYNTAX, "found more than %d octets, expected fewer",
			CRYPTO_PUBKEY_MAX);
	} else if (at < end) {
		err_set(p->em, E_SYNTAX,
			"found a character that is not of base64, expected the base64 of %s; "
			"restore the file from a copy",
			field);
	} else {
		err_set(p->em, E_SYNTAX,
			"found %s, expected the base64 of %s; restore the file from a copy",
			p->len == 0 ? "nothing" : "base64 that is cut or closed wrongly", field);
	}
	return private_place(p, n != E_NOSPACE && at < end ? at : p->value, E_SYNTAX);
}

static int private_time(struct private_text *p, enum key_time which)
{
	char quoted[TEXT_QUOTE_MAX];
	if (p->time_lines[which] != 0) {
		return refuse_second(p, key_time_field(which), p->time_lines[which]);
	}
	int err = time_from_text14(p->value, p->len, &p->times[which]);
	if (err != E_OK) {
		err_set(p->em, E_SYNTAX, "found %s, expected a time as YYYYMMDDHHmmSS",
			text_quote(p->value, p->len, quoted));
		return private_place(p, p->value, E_SYNTAX);
	}
	p->time_lines[which] = p->line;
	return E_OK;
}

/* A field of a later version, or of another program, as Predecessor: it is kept as it is. */
static int private_extra(struct private_text *p)
{
	for (size_t i = 0; i < p->len; i++) {
		uint8_t c = (uint8_t)p->value[i];
		if ((c < ' ' && c != '\t') || c == 0x7f) {
			err_set(p->em, E_SYNTAX,
				"found a control character (0x%02x), expected text", c);
			return private_place(p, p->value + i, E_SYNTAX);
		}
	}
	if (is_named(p, "Engine") || is_named(p, "Label")) {
		p->hardware_line = p->line;
	}
	buf_add(&p->extra, p->name, p->name_len);
	buf_str(&p->extra, ": ");
	buf_add(&p->extra, p->value, p->len);
	buf_char(&p->extra, '\n');
	return E_OK;
}

/* The name of the part that the line holds, or NULL. */
static const char *part_named(const struct private_text *p)
{
	static const uint8_t kinds[] = { 8, 13 }; /* RSA has its own, all others have the same */
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		const char *field;
		for (size_t i = 0; (field = crypto_part_field(kinds[k], i)) != NULL; i++) {
			if (is_named(p, field)) {
				return field;
			}
		}
	}
	return NULL;
}

static int private_field(struct private_text *p)
{
	if (is_named(p, "Private-key-format")) {
		return p->format_line == 0 ? private_format(p)
					   : refuse_second(p, "Private-key-format", p->format_line);
	}
	if (p->format_line == 0) {
		err_set(p->em, E_SYNTAX,
			"found another field, expected Private-key-format first; this is no "
			"private key file");
		return private_place(p, p->start, E_SYNTAX);
	}
	if (is_named(p, "Algorithm")) {
		return private_algorithm(p);
	}
	const char *part = part_named(p);
	if (part != NULL) {
		return private_part(p, part);
	}
	for (enum key_time i = 0; i < KEY_TIMES; i++) {
		if (is_named(p, key_time_field(i))) {
			return private_time(p, i);
		}
	}
	return private_extra(p);
}

/* "Field: value", a comment or nothing. */
static int private_line(struct private_text *p, const char *end)
{
	while (end > p->start && is_blank(end[-1])) {
		end--;
	}
	if (p->start == end || *p->start == ';') {
		return E_OK;
	}
	const char *colon = memchr(p->start, ':', (size_t)(end - p->start));
	if (colon == NULL) {
		err_set(p->em, E_SYNTAX, "found no colon, expected \"Field: value\"");
		return private_place(p, p->start, E_SYNTAX);
	}
	p->name = p->start;
	p->name_len = (size_t)(colon - p->start);
	const char *bad = p->name;
	while (bad < colon && is_field_char(*bad)) {
		bad++;
	}
	if (bad < colon || bad == p->name) {
		err_set(p->em, E_SYNTAX,
			"found no name of a field, expected letters in front of the colon");
		return private_place(p, bad, E_SYNTAX);
	}
	p->value = colon + 1;
	while (p->value < end && is_blank(*p->value)) {
		p->value++;
	}
	p->len = (size_t)(end - p->value);
	return private_field(p);
}

static int private_lines(struct private_text *p, const struct file_view *text)
{
	const char *at = text->data;
	const char *end = text->data + text->len;
	int err = E_OK;
	while (at < end && err == E_OK) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		const char *stop = nl != NULL ? nl : end;
		p->line++;
		p->start = at;
		at = nl != NULL ? nl + 1 : end;
		err = private_line(p, stop > p->start && stop[-1] == '\r' ? stop - 1 : stop);
	}
	return err;
}

/* Something that the whole file lacks. */
static int private_lacks(struct private_text *p, const char *field)
{
	return err_set(p->em, E_SYNTAX,
		       "%s:%u:1: found the end of the file, expected a line %s; restore the file "
		       "from a copy",
		       p->path, p->line + 1, field);
}

/* Are the parts those of the algorithm, all of them and no others? */
static int check_parts(struct private_text *p)
{
	const char *field;
	size_t wanted = 0;
	if (p->hardware_line != 0 && p->count == 0) {
		return err_set(
			p->em, E_UNSUPPORTED,
			"%s:%u:1: found a key in a hardware module, expected the private key "
			"in the file: modules are not supported",
			p->path, p->hardware_line);
	}
	for (; (field = crypto_part_field(p->algorithm, wanted)) != NULL; wanted++) {
		size_t i = 0;
		while (i < p->count && strcmp(p->parts[i].field, field) != 0) {
			i++;
		}
		if (i == p->count) {
			return private_lacks(p, field);
		}
	}
	for (size_t i = 0; i < p->count && p->count != wanted; i++) {
		bool is_rsa = wanted > 1;
		if (is_rsa == (strcmp(p->parts[i].field, "PrivateKey") == 0)) {
			return err_set(
				p->em, E_SYNTAX,
				"%s:%u:1: found %s, expected only parts of a key of algorithm %u",
				p->path, p->part_lines[i], p->parts[i].field, p->algorithm);
		}
	}
	return E_OK;
}

/* The pair of the parts, which must be that of @key. */
static int private_pair(struct private_text *p, const struct key *key, struct crypto_key **out)
{
	struct crypto_key *pair = NULL;
	size_t len, want;
	const uint8_t *public = crypto_key_public(key->pair, &want);
	int err = crypto_key_from_parts(p->algorithm, p->parts, p->count, &pair);
	if (err == E_OK) {
		const uint8_t *have = crypto_key_public(pair, &len);
		if (len == want && memcmp(have, public, len) == 0) {
			*out = pair;
			return E_OK;
		}
		crypto_key_free(pair);
		return err_set(
			p->em, E_MISMATCH,
			"%s:%u:1: found the private half of another key, expected that of the .key file beside "
			"it; restore both from a copy",
			p->path, p->part_lines[0]);
	}
	return err_set(
		p->em, err,
		"%s:%u:1: found %s, expected a private key of %s; restore the file from a copy",
		p->path, p->part_lines[0],
		err == E_MISMATCH ? "numbers that do not belong together"
				  : "a number that is too large or too small",
		algorithm_find(p->algorithm)->name);
}

static int private_check(struct private_text *p, const struct key *key, struct crypto_key **pair)
{
	if (p->format_line == 0) {
		return private_lacks(p, "Private-key-format: v1.3");
	}
	if (p->algorithm_line == 0) {
		return private_lacks(p, "Algorithm");
	}
	if (p->algorithm != key->algorithm) {
		return err_set(
			p->em, E_MISMATCH,
			"%s:%u:1: found algorithm %u, expected %u as in the .key file; they are of different keys",
			p->path, p->algorithm_line, p->algorithm, key->algorithm);
	}
	int err = check_parts(p);
	return err == E_OK ? private_pair(p, key, pair) : err;
}

int keyfile_parse_private(const char *path, const struct file_view *text, struct key *key,
			  struct errmsg *em)
{
	struct private_text p = { .path = path, .em = em };
	struct crypto_key *pair = NULL;
	for (enum key_time i = 0; i < KEY_TIMES; i++) {
		p.times[i] = KEY_TIME_NONE;
	}
	(void)buf_reserve(&p.extra, 2 * text->len); /* once, so that no copy stays behind */
	int err = private_lines(&p, text);
	if (err == E_OK) {
		err = private_check(&p, key, &pair);
	}
	if (err == E_OK) {
		crypto_key_free(key->pair);
		key->pair = pair;
		memcpy(key->times, p.times, sizeof(key->times));
		mem_free(key->extra);
		key->extra = p.extra.len != 0 ? mem_str(p.extra.data, p.extra.len) : NULL;
	}
	crypto_parts_clear(p.parts, p.count);
	mem_wipe(p.extra.data, p.extra.cap);
	buf_clear(&p.extra);
	return err;
}

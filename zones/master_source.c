/* zones/master_source.c - the lines of master files: records, directives, errors with their place.
 *
 * A record is [owner] [TTL] [class] type rdata; TTL and class may come in either order. What a line leaves
 * out is taken from before: the owner from the last record, the TTL from $TTL, else from the last
 * record (RFC 1035 §5.1), else from the SOA's minimum (RFC 1034's old custom).
 *
 * Errors are collected and reading goes on with the next record, so that one run shows them all. */
#include "zones/master_source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/dns/lexer.h"
#include "zones/dns/rdata.h"
#include "zones/generate.h"

/* --- errors ---------------------------------------------------------------------------------- */

static void complain(struct source *src, const struct token *t, bool is_error, const char *text)
{
	struct reader_state *st = src->st;
	if (st->batch != NULL) {
		st->again = st->stop = true;
		return;
	}
	findings_add(st->findings, is_error, "%s:%u:%u: %s", src->path,
		     src->line != 0 ? src->line : t->line, src->line != 0 ? src->column : t->column,
		     text);
	if (is_error && st->findings->errors >= MASTER_ERRORS_MAX) {
		findings_add(st->findings, true, "%s: giving up after %d errors", src->path,
			     MASTER_ERRORS_MAX);
		st->stop = true;
	}
}

static PRINTF(3, 4) int refuse(struct source *src, const struct token *t, const char *fmt, ...)
{
	char text[600];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	complain(src, t, true, text);
	return E_SYNTAX;
}

/* The token did not fit: "found X, expected Y". */
static int unexpected(struct source *src, const struct token *t, const char *expected)
{
	char quoted[TEXT_QUOTE_MAX];
	switch (t->kind) {
	case TOKEN_ERROR:
		return refuse(src, t, "%s", src->lx.em.text);
	case TOKEN_WORD:
		return refuse(src, t, "found %s, expected %s", text_quote(t->s, t->len, quoted),
			      expected);
	default:
		return refuse(src, t, "found the end of the line, expected %s", expected);
	}
}

/* --- records --------------------------------------------------------------------------------- */

struct fields {
	const struct token *owner; /* or the blank in its place */
	uint32_t ttl;		   /* NO_TTL: not given */
	uint16_t type;
	struct token type_at;
	bool have_class;
};

/* E_RANGE: it is one, and too large. */
static int ttl_from_token(const struct token *t, uint32_t *ttl)
{
	int64_t value;
	if (t->quoted || !text_is_digit(t->s[0])) {
		return E_SYNTAX;
	}
	int err = time_from_duration(t->s, t->len, MASTER_TTL_MAX, &value);
	if (err == E_OK) {
		*ttl = (uint32_t)value;
	}
	return err;
}

/* Is the owner a type or a class, in capitals: one that was to be repeated, but for the blank? */
static bool is_no_owner(const struct token *owner)
{
	uint16_t number;
	for (size_t i = 0; i < owner->len; i++) {
		if (owner->s[i] >= 'a' && owner->s[i] <= 'z') {
			return false;
		}
	}
	return owner->kind == TOKEN_WORD &&
	       (rrtype_from_text(owner->s, owner->len, &number) == E_OK ||
		rrclass_from_text(owner->s, owner->len, &number) == E_OK);
}

/* The mnemonic nearest to a word, or NULL. */
static const char *near_type(const struct token *t)
{
	enum { TYPES_MAX = 512 };
	const char *names[TYPES_MAX + 1] = { NULL };
	char word[RRTYPE_TEXT_MAX];
	if (t->len < 3 || t->len >= sizeof(word) || memchr(t->s, '\0', t->len) != NULL) {
		return NULL; /* to a short one many are near */
	}
	memcpy(word, t->s, t->len);
	word[t->len] = '\0';
	for (size_t i = 0; i < TYPES_MAX && rrtype_at(i) != NULL; i++) {
		names[i] = rrtype_at(i)->name;
	}
	return text_did_you_mean(word, names);
}

/* @t is neither a type nor what may stand before one. */
static int refuse_type(struct source *src, const struct fields *f, const struct token *t)
{
	static const char *const wanted[2][2] = {
		{ "a TTL, a class or a record type", "a TTL or a record type" },
		{ "a class or a record type", "a record type" },
	};
	const char *expected = wanted[f->ttl != NO_TTL][f->have_class];
	uint8_t first = text_lower[(uint8_t)t->s[0]];
	uint16_t class;
	/* A word that is neither a number nor the class once more is meant to be a type. */
	bool is_word =
		first >= 'a' && first <= 'z' && rrclass_from_text(t->s, t->len, &class) != E_OK;
	const char *near = is_word && src->st->batch == NULL ? near_type(t) : NULL;
	char quoted[TEXT_QUOTE_MAX];
	(void)text_quote(t->s, t->len, quoted);
	if (is_no_owner(f->owner)) {
		return refuse(src, t,
			      "found %s, expected %s; a line that repeats the owner begins with a "
			      "blank",
			      quoted, expected);
	}
	if (near != NULL) {
		return refuse(src, t, "found %s, expected %s; did you mean %s?", quoted, expected,
			      near);
	}
	return refuse(src, t, "found %s, expected %s%s", quoted, expected,
		      is_word ? "; one without a name here is written TYPE1 to TYPE65535" : "");
}

/* [TTL] [class] type, in any order of the first two. */
static int read_fields(struct source *src, struct fields *f)
{
	struct token t;
	for (;;) {
		uint16_t class;
		lexer_next(&src->lx, &t);
		if (t.kind != TOKEN_WORD || t.len == 0) {
			return unexpected(src, &t, "a record type");
		}
		/* No type looks like a TTL or a class, and these two are quicker to tell. */
		int is_ttl = f->ttl == NO_TTL ? ttl_from_token(&t, &f->ttl) : E_SYNTAX;
		if (is_ttl == E_OK) {
			continue;
		}
		if (is_ttl == E_RANGE) {
			return unexpected(src, &t, "a TTL of at most 2147483647 (RFC 2181)");
		}
		if (!f->have_class && rrclass_from_text(t.s, t.len, &class) == E_OK) {
			if (class != RRCLASS_IN) {
				return unexpected(src, &t, "class IN, the only one served here");
			}
			f->have_class = true;
			continue;
		}
		if (rrtype_from_text(t.s, t.len, &f->type) == E_OK) {
			break;
		}
		return refuse_type(src, f, &t);
	}
	f->type_at = t;
	if (rrtype_is_meta(f->type)) {
		return unexpected(src, &t, "a type that can be in a zone");
	}
	return E_OK;
}

/* The TTL of a record that says none. */
static int inherit_ttl(struct source *src, const struct fields *f, size_t len, uint32_t *ttl)
{
	struct reader_state *st = src->st;
	if (st->default_ttl != NO_TTL) {
		*ttl = st->default_ttl;
	} else if (st->last_ttl != NO_TTL) {
		*ttl = st->last_ttl;
	} else if (st->batch != NULL) {
		st->again = st->stop = true; /* it is said in the piece before */
	} else if (f->type == RRTYPE_SOA && len >= 20) {
		*ttl = be32_get(st->rdata + len - 4);
		if (*ttl > MASTER_TTL_MAX) {
			st->last_ttl = 0; /* once is enough */
			return refuse(
				src, &f->type_at,
				"found no TTL, and the minimum, %u, is none: expected one here or "
				"a $TTL line before, at most 2147483647 (RFC 2181)",
				*ttl);
		}
	} else if (st->opt->default_ttl != 0) {
		*ttl = st->opt->default_ttl;
	} else {
		st->last_ttl = 0; /* once is enough */
		return refuse(src, &f->type_at,
			      "found no TTL, expected one here or a $TTL line before (RFC 2308)");
	}
	return E_OK;
}

static void refuse_outside(struct source *src, const struct token *at)
{
	struct reader_state *st = src->st;
	const uint8_t *apex = st->batch != NULL ? st->batch->apex : edit_apex(st->edit);
	char owner[DNAME_TEXT_MAX];
	char zone[DNAME_TEXT_MAX];
	char text[600];
	(void)dname_to_text(src->owner.wire, owner);
	(void)dname_to_text(apex, zone);
	(void)snprintf(text, sizeof(text),
		       "found owner %.250s outside the zone%s, expected one at or below %.250s",
		       owner, st->opt->ignore_outside ? " (left out)" : "", zone);
	complain(src, at, !st->opt->ignore_outside, text);
}

static int add_record(struct source *src, const struct fields *f, uint32_t ttl, size_t len)
{
	struct reader_state *st = src->st;
	if (st->opt->skip_dnssec &&
	    (f->type == RRTYPE_RRSIG || f->type == RRTYPE_NSEC || f->type == RRTYPE_NSEC3)) {
		return E_OK;
	}
	if (st->batch == NULL && st->edit == NULL) {
		if (f->type != RRTYPE_SOA && st->said_no_soa) {
			return E_SYNTAX;
		}
		if (f->type != RRTYPE_SOA) {
			st->said_no_soa = true;
			return refuse(
				src, &f->type_at,
				"found %.*s before the SOA, expected the SOA first, or the name of the "
				"zone given",
				(int)f->type_at.len, f->type_at.s);
		}
		st->edit = edit_begin(NULL, src->owner.wire, EDIT_TTL_LEAST);
	}
	int err = st->batch != NULL
			  ? batch_add(st->batch, src->owner.wire, f->type, ttl, st->rdata, len)
			  : edit_add(st->edit, src->owner.wire, f->type, ttl, st->rdata, len);
	if (err == E_NOTZONE) {
		refuse_outside(src, f->owner);
		return st->opt->ignore_outside ? E_OK : E_NOTZONE;
	}
	return err;
}

/* @owner: the first token of the line. */
static int read_record(struct source *src, const struct token *owner)
{
	struct reader_state *st = src->st;
	struct fields f = { .owner = owner, .ttl = NO_TTL };
	struct token at;
	struct errmsg em;
	int err = read_fields(src, &f);
	if (err != E_OK) {
		return err;
	}
	struct writer out = writer_of(st->rdata, RDATA_MAX);
	err = rdata_from_text(f.type, &src->lx, src->origin.wire, &out, &at, &em);
	if (err != E_OK) {
		return refuse(src, &at, "%s", em.text);
	}
	uint32_t ttl = f.ttl;
	if (ttl == NO_TTL) {
		err = inherit_ttl(src, &f, writer_len(&out), &ttl);
		if (err != E_OK) {
			return E_OK; /* said; the record itself is read to its end */
		}
	}
	st->last_ttl = ttl;
	(void)add_record(src, &f, ttl, writer_len(&out));
	return E_OK;
}

/* --- directives ------------------------------------------------------------------------------ */

static int end_of_line(struct source *src)
{
	struct token t;
	lexer_next(&src->lx, &t);
	return t.kind == TOKEN_EOL ? E_OK : unexpected(src, &t, "the end of the line");
}

static int read_name(struct source *src, struct token *t, const char *expected, struct dname *out)
{
	struct errmsg em;
	lexer_next(&src->lx, t);
	if (t->kind != TOKEN_WORD) {
		return unexpected(src, t, expected);
	}
	int err = dname_from_text(out, t->s, t->len, src->origin.wire, &em);
	return err == E_OK ? E_OK : refuse(src, t, "%s", em.text);
}

static int directive_origin(struct source *src)
{
	struct token t;
	struct dname origin;
	int err = read_name(src, &t, "a domain name", &origin);
	if (err == E_OK) {
		src->origin = origin;
		src->owner_len = 0;
		err = end_of_line(src);
	}
	return err;
}

static int directive_ttl(struct source *src)
{
	struct token t;
	uint32_t ttl = 0;
	lexer_next(&src->lx, &t);
	if (t.kind != TOKEN_WORD || t.len == 0 || ttl_from_token(&t, &ttl) != E_OK) {
		return unexpected(src, &t, "a TTL such as 3600 or 1h, at most 2147483647");
	}
	src->st->default_ttl = ttl;
	return end_of_line(src);
}

/* The path of an included file: relative to the file that includes it. */
static char *include_path(const char *from, const char *name)
{
	struct buf b = { 0 };
	const char *slash = name[0] == '/' ? NULL : strrchr(from, '/');
	buf_printf(&b, "%.*s%s", slash != NULL ? (int)(slash + 1 - from) : 0, from, name);
	return b.data;
}

/* Is @src the file @path, or included from it, however far up? */
static bool includes(const struct source *src, const char *path)
{
	while (src != NULL && strcmp(src->path, path) != 0) {
		src = src->from;
	}
	return src != NULL;
}

static int directive_include(struct source *src)
{
	struct reader_state *st = src->st;
	struct token file, t;
	struct errmsg em;
	uint8_t name[1024];
	struct source inner = { .st = st, .from = src, .may_include = true };
	lexer_next(&src->lx, &file);
	if (file.kind != TOKEN_WORD) {
		return unexpected(src, &file, "a file name");
	}
	int n = lexer_unescape(&file, name, sizeof(name) - 1);
	if (n <= 0 || memchr(name, '\0', (size_t)n) != NULL) {
		return unexpected(src, &file, "a file name of at most 1023 octets");
	}
	name[n] = '\0';
	inner.origin = src->origin;
	inner.owner = src->owner;
	inner.have_owner = src->have_owner;
	lexer_next(&src->lx, &t);
	lexer_push(&src->lx, &t);
	int err = E_OK;
	if (t.kind == TOKEN_WORD) {
		err = read_name(src, &t, "a domain name", &inner.origin);
	}
	if (err == E_OK) {
		err = end_of_line(src);
	}
	if (err != E_OK) {
		return err;
	}
	if (!src->may_include) {
		(void)refuse(src, &file, "found $INCLUDE, expected a zone without other files");
		return E_OK;
	}
	if (st->depth >= MASTER_INCLUDE_MAX) {
		(void)refuse(
			src, &file,
			"found $INCLUDE at depth %d, expected at most %d: put the records into fewer "
			"files",
			MASTER_INCLUDE_MAX + 1, MASTER_INCLUDE_MAX);
		return E_OK;
	}
	char *path = include_path(src->path, (const char *)name);
	struct file_view view = { 0 };
	bool is_circle = includes(src, path);
	err = is_circle ? E_LOOP : file_read(path, MASTER_FILE_MAX, &view, &em);
	if (is_circle) {
		(void)refuse(src, &file,
			     "found %.300s, expected a file that does not include this one", path);
	} else if (err != E_OK) {
		(void)refuse(src, &file, "%s", em.text);
	} else {
		inner.path = path;
		lexer_init(&inner.lx, view.data, view.len);
		st->depth++;
		(void)source_read(&inner, inner.lx.end);
		st->depth--;
		file_view_clear(&view);
	}
	mem_free(path);
	return E_OK;
}

/* Makes the lines of a $GENERATE and reads them as if they stood here. */
static int generate_lines(struct source *src, const struct token *at, const struct token *range_at,
			  const struct buf *record)
{
	struct generate_range range;
	struct errmsg em;
	struct buf line = { 0 };
	struct source inner = { .st = src->st,
				.path = src->path,
				.origin = src->origin,
				.owner = src->owner,
				.have_owner = src->have_owner,
				.line = at->line,
				.column = at->column };
	int err = generate_range(range_at->s, range_at->len, &range, &em);
	if (err != E_OK) {
		return refuse(src, range_at, "%s", em.text);
	}
	if ((range.stop - range.start) / range.step >= MASTER_GENERATE_MAX) {
		return refuse(src, range_at,
			      "found a range of more than %d records, expected fewer",
			      MASTER_GENERATE_MAX);
	}
	for (uint64_t v = range.start; v <= range.stop && !src->st->stop; v += range.step) {
		buf_reset(&line);
		err = generate_expand(record->data, record->len, (uint32_t)v, &line, &em);
		if (err != E_OK) {
			(void)refuse(src, at, "%s", em.text);
			break;
		}
		size_t len = line.len;
		memset(buf_reserve(&line, FILE_SLACK), 0, FILE_SLACK);
		size_t before = src->st->findings->errors;
		lexer_init(&inner.lx, line.data, len);
		inner.owner_len = 0;
		(void)source_read(&inner, inner.lx.end);
		if (src->st->findings->errors != before) {
			break; /* the other lines have the same fault */
		}
	}
	buf_clear(&line);
	return E_OK;
}

/* Is @t, in quotes, all the data behind the type @before? BIND wants quotes around data of several words: MX
 * "10 mail$". They are taken off, unless the type is one string, as TXT. */
static bool is_whole_data(struct lexer *lx, const struct token *before, const struct token *t)
{
	uint8_t octets[32];
	struct writer w = writer_of(octets, sizeof(octets));
	struct token next;
	uint16_t type;
	lexer_next(lx, &next);
	lexer_push(lx, &next);
	return t->quoted && next.kind == TOKEN_EOL && !before->quoted &&
	       rrtype_from_text(before->s, before->len, &type) == E_OK &&
	       rdata_from_string(type, "\"x y\"", NULL, &w, NULL) != E_OK;
}

static int directive_generate(struct source *src, const struct token *at)
{
	struct token range_at, first, t;
	lexer_next(&src->lx, &range_at);
	if (range_at.kind != TOKEN_WORD) {
		return unexpected(src, &range_at, "a range: start-stop or start-stop/step");
	}
	lexer_next(&src->lx, &first);
	if (first.kind != TOKEN_WORD) {
		return unexpected(src, &first, "an owner name");
	}
	struct buf record = { 0 };
	struct token last = first;
	const char *end = NULL;
	for (t = first; t.kind == TOKEN_WORD; lexer_next(&src->lx, &t)) {
		bool bare = !t.quoted || is_whole_data(&src->lx, &last, &t);
		const char *quote = bare ? "" : "\"";
		const char *start = t.s - (t.quoted ? 1 : 0);
		buf_printf(&record, "%s%s", end != NULL && end != start ? " " : "", quote);
		buf_add(&record, t.s, t.len);
		buf_str(&record, quote);
		end = t.s + t.len + (t.quoted ? 1 : 0);
		last = t;
	}
	if (t.kind == TOKEN_EOL) {
		(void)generate_lines(src, at, &range_at, &record);
	} else {
		(void)unexpected(src, &t, "the rest of the record");
	}
	buf_clear(&record);
	return t.kind == TOKEN_EOL ? E_OK : E_SYNTAX;
}

static int read_directive(struct source *src, const struct token *t)
{
	static const char *const names[] = { "$ORIGIN", "$TTL", "$INCLUDE", "$GENERATE", NULL };
	if (text_equal(t->s, t->len, names[0])) {
		return directive_origin(src);
	}
	if (text_equal(t->s, t->len, names[1])) {
		return directive_ttl(src);
	}
	if (src->st->batch != NULL) { /* other files, or many records from one line: in order */
		return unexpected(src, t, "$ORIGIN or $TTL");
	}
	if (text_equal(t->s, t->len, names[2])) {
		return directive_include(src);
	}
	if (text_equal(t->s, t->len, names[3])) {
		return directive_generate(src, t);
	}
	return unexpected(src, t, "$ORIGIN, $TTL, $INCLUDE or $GENERATE");
}

/* --- the file -------------------------------------------------------------------------------- */

static int read_owner(struct source *src, const struct token *t)
{
	struct errmsg em;
	struct dname owner;
	if (src->have_owner && t->len == src->owner_len && t->len != 0 &&
	    memcmp(t->s, src->owner_text, t->len) == 0) {
		return E_OK; /* as most lines are: spelled as the one before */
	}
	int err = dname_from_text(&owner, t->s, t->len, src->origin.wire, &em);
	if (err != E_OK) {
		return refuse(src, t, "%s", em.text);
	}
	src->owner = owner;
	src->owner_text = t->s;
	src->owner_len = t->len;
	src->have_owner = true;
	return E_OK;
}

static int read_line(struct source *src, const struct token *t)
{
	if (t->kind == TOKEN_ERROR) {
		return unexpected(src, t, "a record");
	}
	if (t->kind == TOKEN_BLANK) {
		if (!src->have_owner) {
			return refuse(
				src, t,
				"found no owner name, expected one: there is none before to repeat");
		}
		return read_record(src, t);
	}
	if (t->len != 0 && t->s[0] == '$' && !t->quoted) {
		src->st->has_directives = true;
		return read_directive(src, t);
	}
	int err = read_owner(src, t);
	return err == E_OK ? read_record(src, t) : err;
}

const char *source_read(struct source *src, const char *until)
{
	struct lexer *lx = &src->lx;
	struct token t;
	while (!src->st->stop && lx->pos < until) {
		lexer_next(lx, &t);
		if (t.kind == TOKEN_EOF) {
			return lx->end;
		}
		if (t.kind == TOKEN_WORD && lx->parens == 0 && t.s - (t.quoted ? 1 : 0) == until) {
			lx->line = t.line; /* of the line that is left to the next one */
			return until;
		}
		if (t.kind == TOKEN_EOL) {
			continue;
		}
		if (read_line(src, &t) != E_OK) {
			lexer_skip_record(lx);
		}
	}
	return lx->pos;
}

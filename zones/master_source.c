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
	char text[400];
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
	switch (t->kind) {
	case TOKEN_ERROR:
		return refuse(src, t, "%s", src->lx.em.text);
	case TOKEN_WORD:
		return refuse(src, t, "found \"%.*s\", expected %s",
			      (int)(t->len < 80 ? t->len : 80), t->s, expected);
	default:
		return refuse(src, t, "found the end of the line, expected %s", expected);
	}
}

/* --- records --------------------------------------------------------------------------------- */

struct fields {
	uint32_t ttl; /* NO_TTL: not given */
	uint16_t type;
	struct token type_at;
	bool have_class;
};

static bool is_ttl(const struct token *t, uint32_t *ttl)
{
	int64_t value;
	if (t->quoted || !text_is_digit(t->s[0]) ||
	    time_from_duration(t->s, t->len, UINT32_MAX - 1, &value) != E_OK) {
		return false;
	}
	*ttl = (uint32_t)value;
	return true;
}

/* [TTL] [class] type, in any order of the first two. */
static int read_fields(struct source *src, struct fields *f)
{
	struct token t;
	*f = (struct fields){ .ttl = NO_TTL };
	for (;;) {
		uint16_t class;
		lexer_next(&src->lx, &t);
		if (t.kind != TOKEN_WORD || t.len == 0) {
			return unexpected(src, &t, "a record type");
		}
		/* No type looks like a TTL or a class, and these two are quicker to tell. */
		if (f->ttl == NO_TTL && is_ttl(&t, &f->ttl)) {
			if (f->ttl > MASTER_TTL_MAX) {
				return unexpected(src, &t,
						  "a TTL of at most 2147483647 (RFC 2181)");
			}
			continue;
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
		return unexpected(src, &t, "a TTL, a class or a record type");
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
	} else if (st->opt->default_ttl != 0) {
		*ttl = st->opt->default_ttl;
	} else {
		return refuse(src, &f->type_at,
			      "found no TTL, expected one here or a $TTL line before (RFC 2308)");
	}
	return E_OK;
}

static int add_record(struct source *src, const struct fields *f, uint32_t ttl, size_t len)
{
	struct reader_state *st = src->st;
	if (st->opt->skip_dnssec &&
	    (f->type == RRTYPE_RRSIG || f->type == RRTYPE_NSEC || f->type == RRTYPE_NSEC3)) {
		return E_OK;
	}
	if (st->batch == NULL && st->edit == NULL) {
		if (f->type != RRTYPE_SOA) {
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
		char owner[DNAME_TEXT_MAX];
		char text[400];
		(void)dname_to_text(src->owner.wire, owner);
		(void)snprintf(
			text, sizeof(text),
			"found owner %.300s outside the zone, expected one at or below its apex",
			owner);
		complain(src, &f->type_at, !st->opt->ignore_outside, text);
		return st->opt->ignore_outside ? E_OK : E_NOTZONE;
	}
	return err;
}

static int read_record(struct source *src)
{
	struct reader_state *st = src->st;
	struct fields f;
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
	if (t.kind != TOKEN_WORD || t.len == 0 || !is_ttl(&t, &ttl) || ttl > MASTER_TTL_MAX) {
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

static int directive_include(struct source *src)
{
	struct reader_state *st = src->st;
	struct token file, t;
	struct errmsg em;
	uint8_t name[1024];
	struct source inner = { .st = st, .may_include = true };
	lexer_next(&src->lx, &file);
	if (file.kind != TOKEN_WORD) {
		return unexpected(src, &file, "a file name");
	}
	int n = lexer_unescape(&file, name, sizeof(name) - 1);
	if (n <= 0 || memchr(name, '\0', (size_t)n) != NULL) {
		return unexpected(src, &file, "a file name");
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
		(void)refuse(src, &file, "found $INCLUDE, expected none in this place");
		return E_OK;
	}
	if (st->depth >= MASTER_INCLUDE_MAX) {
		(void)refuse(
			src, &file,
			"found $INCLUDE at depth %d, expected at most %d: does a file include itself?",
			MASTER_INCLUDE_MAX + 1, MASTER_INCLUDE_MAX);
		return E_OK;
	}
	char *path = include_path(src->path, (const char *)name);
	struct file_view view = { 0 };
	err = file_read(path, MASTER_FILE_MAX, &view, &em);
	if (err != E_OK) {
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
			  const char *rest, size_t rest_len)
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
		err = generate_expand(rest, rest_len, (uint32_t)v, &line, &em);
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
	const char *end = first.s + first.len;
	do {
		lexer_next(&src->lx, &t);
		if (t.kind == TOKEN_WORD) {
			end = t.s + t.len + (t.quoted ? 1 : 0);
		} else if (t.kind != TOKEN_EOL) {
			return unexpected(src, &t, "the rest of the record");
		}
	} while (t.kind == TOKEN_WORD);
	(void)generate_lines(src, at, &range_at, first.s, (size_t)(end - first.s));
	return E_OK;
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
		return read_record(src);
	}
	if (t->len != 0 && t->s[0] == '$' && !t->quoted) {
		return read_directive(src, t);
	}
	int err = read_owner(src, t);
	return err == E_OK ? read_record(src) : err;
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

/* zones/dns/lexer.c - master-file text into tokens, one octet class at a time.
 *
 * The sentinel behind the text is a '\0' of class STOP, so the inner loops need no test for the
 * end: they stop there, and the one place that looks at a '\0' tells an octet from the end. */
#include "zones/dns/lexer.h"

#include <string.h>
#ifdef __SSE2__
# include <emmintrin.h>
#endif

#include "zones/base/text.h"

enum class {
	WORD = 0,
	SPACE = 1,  /* blank, tab, carriage return */
	STOP = 2,   /* ends a word: newline ; ( ) " NUL */
	ESCAPE = 4, /* backslash */
};

static const uint8_t classes[256] = {
	[' '] = SPACE, ['\t'] = SPACE, ['\r'] = SPACE, ['\n'] = STOP, ['\0'] = STOP,
	[';'] = STOP,  ['('] = STOP,   [')'] = STOP,   ['"'] = STOP,  ['\\'] = ESCAPE,
};

void lexer_init(struct lexer *lx, const char *data, size_t len)
{
	bool has_mark = len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0;
	lexer_init_at(lx, has_mark ? data + 3 : data, data + len, 1);
}

void lexer_init_at(struct lexer *lx, const char *pos, const char *end, unsigned line)
{
	*lx = (struct lexer){
		.pos = pos, .end = end, .line_start = pos, .line = line, .at_line_start = true
	};
}

static void place(const struct lexer *lx, struct token *t, const char *at)
{
	*t = (struct token){ .line = lx->line,
			     .column = (unsigned)(at - lx->line_start) + 1,
			     .s = at };
}

static void error(struct lexer *lx, struct token *t, const char *at, const char *text)
{
	place(lx, t, at);
	t->kind = TOKEN_ERROR;
	err_set(&lx->em, E_SYNTAX, "%s", text);
}

static void newline(struct lexer *lx)
{
	lx->pos++;
	lx->line++;
	lx->line_start = lx->pos;
}

static bool at_end(const struct lexer *lx)
{
	return lx->pos >= lx->end;
}

#ifdef __SSE2__
/* Steps over whole vectors of octets that are inside words for sure: above a blank, and none of
 * ; ( ) " and backslash. Those behind the text are readable (FILE_SLACK) and end in a '\0'. */
static const char *skip_word(const char *p)
{
	const __m128i blank = _mm_set1_epi8(' ');
	for (;;) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i stop = _mm_cmpeq_epi8(_mm_min_epu8(v, blank), v);
		stop = _mm_or_si128(stop, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
		stop = _mm_or_si128(stop, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
		stop = _mm_or_si128(stop, _mm_cmpeq_epi8(v, _mm_set1_epi8(';')));
		/* ( and ) differ in the last bit alone. */
		stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(1)),
							 _mm_set1_epi8(')')));
		unsigned mask = (unsigned)_mm_movemask_epi8(stop);
		if (mask != 0) {
			return p + __builtin_ctz(mask);
		}
		p += sizeof(v);
	}
}
#else
static const char *skip_word(const char *p)
{
	return p;
}
#endif

/* Does the backslash at @p hide what follows? The end of a line cannot be hidden, CR LF neither. */
static bool is_escape(const struct lexer *lx, const char *p)
{
	return p + 1 < lx->end && p[1] != '\n' && (p[1] != '\r' || p[2] != '\n');
}

/* A word: up to white space or a stop; escapes may hide either. */
static void word(struct lexer *lx, struct token *t)
{
	const char *p = lx->pos;
	place(lx, t, p);
	for (;;) {
		p = skip_word(p);
		while (classes[(uint8_t)*p] ==
		       WORD) { /* other controls, and machines without vectors */
			p++;
		}
		if (*p == '\0' && p < lx->end) {
			p++; /* an octet like others */
		} else if (*p == '\\' && is_escape(lx, p)) {
			t->escaped = true;
			p += 2;
		} else if (*p == '\\') {
			p++;
			t->escaped = true;
		} else {
			break;
		}
	}
	t->kind = TOKEN_WORD;
	t->len = (size_t)(p - t->s);
	lx->pos = p;
}

/* A quoted string: the inside; it ends on its own line (RFC 1035 §5.1 as everybody reads it). */
static void quoted(struct lexer *lx, struct token *t)
{
	const char *open = lx->pos;
	const char *p = open + 1;
	bool escaped = false;
	while (p < lx->end && *p != '"' && *p != '\n') {
		if (*p == '\\' && is_escape(lx, p)) {
			escaped = true;
			p++;
		}
		p++;
	}
	if (p >= lx->end || *p != '"') {
		lx->pos = p;
		error(lx, t, open, "found the end of the line, expected a closing quote");
		return;
	}
	place(lx, t, open);
	t->kind = TOKEN_WORD;
	t->quoted = true;
	t->escaped = escaped;
	t->s = open + 1;
	t->len = (size_t)(p - t->s);
	lx->pos = p + 1;
}

static void skip_comment(struct lexer *lx)
{
	const char *nl = memchr(lx->pos, '\n', (size_t)(lx->end - lx->pos));
	lx->pos = nl != NULL ? nl : lx->end;
}

/* The end of the text. */
static void finish(struct lexer *lx, struct token *t)
{
	if (lx->parens != 0) {
		lx->parens = 0;
		lx->in_record = false;
		error(lx, t, lx->pos, "found the end of the file, expected a closing parenthesis");
		err_set(&lx->em, E_SYNTAX,
			"found the end of the file, expected a closing parenthesis for the one in line %u",
			lx->paren_line);
		return;
	}
	place(lx, t, lx->pos);
	t->kind = lx->in_record ? TOKEN_EOL : TOKEN_EOF;
	lx->in_record = false;
}

/* White space, comments, parentheses and line ends before a token. True when @t was made: the end
 * of a record or file, a blank owner, or an error. */
static bool between(struct lexer *lx, struct token *t)
{
	for (;;) {
		const char *from = lx->pos;
		while (classes[(uint8_t)*lx->pos] == SPACE) {
			lx->pos++;
		}
		bool blank = lx->at_line_start && lx->pos != from;
		switch (*lx->pos) {
		case '\n':
			if (lx->in_record && lx->parens == 0) {
				place(lx, t, lx->pos);
				t->kind = TOKEN_EOL;
				newline(lx);
				lx->at_line_start = true;
				lx->in_record = false;
				return true;
			}
			newline(lx);
			lx->at_line_start = lx->parens == 0;
			continue;
		case ';':
			skip_comment(lx);
			lx->at_line_start = false;
			continue;
		case '\0':
			if (!at_end(lx)) {
				break;
			}
			finish(lx, t);
			return true;
		default:
			break;
		}
		if (blank) {
			place(lx, t, from);
			t->kind = TOKEN_BLANK;
			lx->at_line_start = false;
			lx->in_record = true;
			return true;
		}
		lx->at_line_start = false;
		if (*lx->pos == '(') {
			lx->paren_line = lx->parens++ == 0 ? lx->line : lx->paren_line;
			lx->pos++;
			continue;
		}
		if (*lx->pos == ')') {
			lx->pos++;
			if (lx->parens == 0) {
				error(lx, t, lx->pos - 1,
				      "found a closing parenthesis, expected an opening one before it");
				return true;
			}
			lx->parens--;
			continue;
		}
		return false;
	}
}

void lexer_next(struct lexer *lx, struct token *out)
{
	if (lx->pushed) {
		lx->pushed = false;
		*out = lx->token;
		return;
	}
	if (between(lx, out)) {
		return;
	}
	lx->in_record = true;
	if (*lx->pos == '"') {
		quoted(lx, out);
	} else {
		word(lx, out);
	}
}

void lexer_push(struct lexer *lx, const struct token *t)
{
	lx->token = *t;
	lx->pushed = true;
}

void lexer_skip_record(struct lexer *lx)
{
	struct token t = { .kind = TOKEN_WORD };
	if (lx->pushed) {
		lexer_next(lx, &t);
	}
	/* An error may stand outside of any record. */
	while (t.kind != TOKEN_EOL && t.kind != TOKEN_EOF && (lx->in_record || lx->parens != 0)) {
		lexer_next(lx, &t);
	}
}

int lexer_unescape(const struct token *t, uint8_t *out, size_t room)
{
	size_t n = 0;
	for (size_t i = 0; i < t->len; i++) {
		uint8_t c = (uint8_t)t->s[i];
		if (c == '\\') {
			if (++i >= t->len) {
				return E_SYNTAX;
			}
			c = (uint8_t)t->s[i];
			if (text_is_digit((char)c)) {
				uint32_t value;
				if (t->len - i < 3 ||
				    text_to_u32(t->s + i, 3, 255, &value) != E_OK) {
					return E_SYNTAX;
				}
				c = (uint8_t)value;
				i += 2;
			}
		}
		if (n == room) {
			return E_NOSPACE;
		}
		out[n++] = c;
	}
	return (int)n;
}

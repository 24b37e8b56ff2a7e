/* zones/dns/lexer.h - master-file text into tokens (RFC 1035 §5.1).
 *
 * The lexer knows white space, comments, quotes, escapes, parentheses and line ends; it does not
 * know what a token means. It works on one block of memory that ends in a '\0' sentinel with
 * FILE_SLACK readable octets behind (zones/base/file.h), and never copies: tokens borrow.
 *
 * Escapes stay as written (`escaped` is set); lexer_unescape turns a token into octets.
 *
 * Errors: a token of kind TOKEN_ERROR carries its text in lexer.em; place in the token.
 * Threads: one lexer, one thread. */
#ifndef ZONES_DNS_LEXER_H
#define ZONES_DNS_LEXER_H

#include <stdbool.h>

#include "zones/base/attr.h"
#include "zones/base/err.h"

enum token_kind {
	TOKEN_WORD,  /* s/len: the word as written, or the inside of a quoted string */
	TOKEN_BLANK, /* white space at the start of a line: "same owner as before" */
	TOKEN_EOL,   /* end of a record: a line end outside parentheses, or the end of the file
			 behind a record */
	TOKEN_EOF,   /* nothing more, outside any record */
	TOKEN_ERROR, /* lexer.em says what */
};

struct token {
	enum token_kind kind;
	bool quoted;
	bool escaped; /* a backslash is inside */
	const char *s;
	size_t len;
	unsigned line;	 /* from 1 */
	unsigned column; /* from 1, in octets */
};

struct lexer {
	const char *pos;
	const char *end; /* *end == '\0' */
	const char *line_start;
	unsigned line;
	unsigned parens;     /* depth; only 0 and 1 make sense in practice, any depth is taken */
	unsigned paren_line; /* where the outermost one was opened, for the message */
	bool at_line_start;
	bool in_record; /* a token of the record was handed out */
	bool pushed;	/* @token is handed out again */
	struct token token;
	struct errmsg em; /* text of the last TOKEN_ERROR */
};

/* @data[len] must be '\0' and FILE_SLACK octets behind readable. A UTF-8 byte-order mark is
 * skipped. */
void lexer_init(struct lexer *lx, const char *data, size_t len);
/* The same from @pos on, where line number @line of the text begins; *@end == '\0'. */
void lexer_init_at(struct lexer *lx, const char *pos, const char *end, unsigned line);

/* The next token, valid until the text goes away. */
void lexer_next(struct lexer *lx, struct token *out);
/* Hands @t out again at the next lexer_next. One deep. */
void lexer_push(struct lexer *lx, const struct token *t);
/* Skips to behind the end of the current record (for going on after an error): the next token is
 * the first of the following record or TOKEN_EOF. */
void lexer_skip_record(struct lexer *lx);

/* The octets of a token: \X and \DDD resolved. Returns the count, E_SYNTAX (bad escape), E_NOSPACE. */
MUST_USE int lexer_unescape(const struct token *t, uint8_t *out, size_t room);

#endif

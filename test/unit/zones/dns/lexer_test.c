/* test/unit/zones/dns/lexer_test.c - master-file text into tokens, each with its place. */
#include "zones/dns/lexer.h"

#include "test/unit/unit.h"
#include "zones/base/buf.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"

/* --- help ------------------------------------------------------------------------------------ */

/* The text in a block as the lexer wants it, and not an octet longer. */
static char *block_of(const char *text, size_t len)
{
	char *block = mem_alloc(len + FILE_SLACK);
	memcpy(block, text, len);
	memset(block + len, 0, FILE_SLACK);
	return block;
}

/* A token as "line:column" and what it is: word, "quoted", _ for a blank, EOL, EOF, !message. */
static void print_token(struct buf *out, const struct lexer *lx, const struct token *t)
{
	buf_printf(out, "%s%u:%u ", out->len != 0 ? " | " : "", t->line, t->column);
	switch (t->kind) {
	case TOKEN_WORD:
		buf_str(out, t->quoted ? "\"" : "");
		buf_add(out, t->s, t->len);
		buf_str(out, t->quoted ? "\"" : "");
		break;
	case TOKEN_BLANK:
		buf_str(out, "_");
		break;
	case TOKEN_EOL:
		buf_str(out, "EOL");
		break;
	case TOKEN_EOF:
		buf_str(out, "EOF");
		break;
	case TOKEN_ERROR:
		buf_printf(out, "!%s", lx->em.text);
		break;
	}
}

static void tokens_of(const char *text, size_t len, struct buf *out)
{
	char *block = block_of(text, len);
	struct lexer lx;
	struct token t;
	lexer_init(&lx, block, len);
	buf_reset(out);
	unsigned count = 0;
	do {
		lexer_next(&lx, &t);
		print_token(out, &lx, &t);
		ck_assert_msg(count++ <= 3 * len + 3, "no end: %.*s", (int)len, text);
	} while (t.kind != TOKEN_EOF);
	/* And it stays the end. */
	for (unsigned i = 0; i < 3; i++) {
		lexer_next(&lx, &t);
		ck_assert_int_eq(t.kind, TOKEN_EOF);
	}
	mem_free(block);
}

/* --- tokens ---------------------------------------------------------------------------------- */

#define NO_CLOSE "!found the end of the file, expected a closing parenthesis for the one in line "
#define NO_OPEN	 "!found a closing parenthesis, expected an opening one before it"
#define NO_QUOTE "!found the end of the line, expected a closing quote"

static const struct {
	const char *text;
	const char *tokens;
} rows[] = {
	/* Words, lines, blanks in front. */
	{ "", "1:1 EOF" },
	{ "\n", "2:1 EOF" },
	{ "\n\n  \n\t\n", "5:1 EOF" },
	{ "a", "1:1 a | 1:2 EOL | 1:2 EOF" },
	{ "a\n", "1:1 a | 1:2 EOL | 2:1 EOF" },
	{ "a b\n", "1:1 a | 1:3 b | 1:4 EOL | 2:1 EOF" },
	{ "a\tb \t \n", "1:1 a | 1:3 b | 1:7 EOL | 2:1 EOF" },
	{ "a\nb\n", "1:1 a | 1:2 EOL | 2:1 b | 2:2 EOL | 3:1 EOF" },
	{ "a\n\n\nb", "1:1 a | 1:2 EOL | 4:1 b | 4:2 EOL | 4:2 EOF" },
	{ " a\n", "1:1 _ | 1:2 a | 1:3 EOL | 2:1 EOF" },
	{ "\t\ta", "1:1 _ | 1:3 a | 1:4 EOL | 1:4 EOF" },
	{ "a\n b", "1:1 a | 1:2 EOL | 2:1 _ | 2:2 b | 2:3 EOL | 2:3 EOF" },
	{ "  ", "1:3 EOF" },
	{ "a\n  ", "1:1 a | 1:2 EOL | 2:3 EOF" },
	{ "0123456789abcdefghijklmnopqrstuvwxyz b",
	  "1:1 0123456789abcdefghijklmnopqrstuvwxyz | 1:38 b "
	  "| 1:39 EOL | 1:39 EOF" },
	/* Line ends of other systems. */
	{ "a\r\nb\r\n", "1:1 a | 1:3 EOL | 2:1 b | 2:3 EOL | 3:1 EOF" },
	{ "\r\n\r\na", "3:1 a | 3:2 EOL | 3:2 EOF" },
	{ " \r\n", "2:1 EOF" },
	{ "a\rb", "1:1 a | 1:3 b | 1:4 EOL | 1:4 EOF" },
	{ "a\r", "1:1 a | 1:3 EOL | 1:3 EOF" },
	/* Comments. */
	{ ";", "1:2 EOF" },
	{ "; a ( \" \\\n", "2:1 EOF" },
	{ "  ; a\n", "2:1 EOF" },
	{ "a;b\n", "1:1 a | 1:4 EOL | 2:1 EOF" },
	{ "a ;b", "1:1 a | 1:5 EOL | 1:5 EOF" },
	{ "a;b\n c", "1:1 a | 1:4 EOL | 2:1 _ | 2:2 c | 2:3 EOL | 2:3 EOF" },
	{ ";\n c", "2:1 _ | 2:2 c | 2:3 EOL | 2:3 EOF" },
	/* Quotes. */
	{ "\"\"", "1:1 \"\" | 1:3 EOL | 1:3 EOF" },
	{ "\"a b\"", "1:1 \"a b\" | 1:6 EOL | 1:6 EOF" },
	{ "a \"b;(c)\" d", "1:1 a | 1:3 \"b;(c)\" | 1:11 d | 1:12 EOL | 1:12 EOF" },
	{ "\"a\\\"b\"", "1:1 \"a\\\"b\" | 1:7 EOL | 1:7 EOF" },
	{ "\"a\\\\\" b", "1:1 \"a\\\\\" | 1:7 b | 1:8 EOL | 1:8 EOF" },
	{ "\"a\"\"b\"", "1:1 \"a\" | 1:4 \"b\" | 1:7 EOL | 1:7 EOF" },
	{ "a\"b\"c", "1:1 a | 1:2 \"b\" | 1:5 c | 1:6 EOL | 1:6 EOF" },
	{ " \"a\"", "1:1 _ | 1:2 \"a\" | 1:5 EOL | 1:5 EOF" },
	{ "\"", "1:1 " NO_QUOTE " | 1:2 EOL | 1:2 EOF" },
	{ "x \"a\nb", "1:1 x | 1:3 " NO_QUOTE " | 1:5 EOL | 2:1 b | 2:2 EOL | 2:2 EOF" },
	{ "\"a\\\nb", "1:1 " NO_QUOTE " | 1:4 EOL | 2:1 b | 2:2 EOL | 2:2 EOF" },
	{ "\"a\\\r\nb", "1:1 " NO_QUOTE " | 1:5 EOL | 2:1 b | 2:2 EOL | 2:2 EOF" },
	{ "\"a\\", "1:1 " NO_QUOTE " | 1:4 EOL | 1:4 EOF" },
	/* Escapes. */
	{ "a\\ b", "1:1 a\\ b | 1:5 EOL | 1:5 EOF" },
	{ "a\\;b;c", "1:1 a\\;b | 1:7 EOL | 1:7 EOF" },
	{ "\\(\\)\\\"", "1:1 \\(\\)\\\" | 1:7 EOL | 1:7 EOF" },
	{ "\\\\ b", "1:1 \\\\ | 1:4 b | 1:5 EOL | 1:5 EOF" },
	{ "\\000\\9", "1:1 \\000\\9 | 1:7 EOL | 1:7 EOF" },
	{ "a\\\nb", "1:1 a\\ | 1:3 EOL | 2:1 b | 2:2 EOL | 2:2 EOF" },
	{ "a\\\r\nb", "1:1 a\\ | 1:4 EOL | 2:1 b | 2:2 EOL | 2:2 EOF" },
	{ "a\\\rb", "1:1 a\\\rb | 1:5 EOL | 1:5 EOF" },
	{ "a\\", "1:1 a\\ | 1:3 EOL | 1:3 EOF" },
	{ "\\", "1:1 \\ | 1:2 EOL | 1:2 EOF" },
	/* Parentheses. */
	{ "a (b\nc)\nd", "1:1 a | 1:4 b | 2:1 c | 2:3 EOL | 3:1 d | 3:2 EOL | 3:2 EOF" },
	{ "a(b)c", "1:1 a | 1:3 b | 1:5 c | 1:6 EOL | 1:6 EOF" },
	{ "a (\n\n b ; )\n\n) c", "1:1 a | 3:2 b | 5:3 c | 5:4 EOL | 5:4 EOF" },
	{ "a ( \"b )\" )", "1:1 a | 1:5 \"b )\" | 1:12 EOL | 1:12 EOF" },
	{ "a ((b)\nc)", "1:1 a | 1:5 b | 2:1 c | 2:3 EOL | 2:3 EOF" },
	{ "(a)", "1:2 a | 1:4 EOL | 1:4 EOF" },
	{ "(\na\n)", "2:1 a | 3:2 EOL | 3:2 EOF" },
	{ " (a)", "1:1 _ | 1:3 a | 1:5 EOL | 1:5 EOF" },
	{ "( a\n)\n b", "1:3 a | 2:2 EOL | 3:1 _ | 3:2 b | 3:3 EOL | 3:3 EOF" },
	{ "()\n", "2:1 EOF" },
	{ "(\n)\n b", "3:1 _ | 3:2 b | 3:3 EOL | 3:3 EOF" },
	{ "(", "1:2 " NO_CLOSE "1 | 1:2 EOF" },
	{ "\n (a\n", "2:1 _ | 2:3 a | 3:1 " NO_CLOSE "2 | 3:1 EOF" },
	{ "a (\n ((b) c\n", "1:1 a | 2:4 b | 2:7 c | 3:1 " NO_CLOSE "1 | 3:1 EOF" },
	{ "a ( b ; )", "1:1 a | 1:5 b | 1:10 " NO_CLOSE "1 | 1:10 EOF" },
	{ "a ( \"b", "1:1 a | 1:5 " NO_QUOTE " | 1:7 " NO_CLOSE "1 | 1:7 EOF" },
	{ ")", "1:1 " NO_OPEN " | 1:2 EOF" },
	{ "a ) b\nc", "1:1 a | 1:3 " NO_OPEN " | 1:5 b | 1:6 EOL | 2:1 c | 2:2 EOL | 2:2 EOF" },
	{ "a (b))\nc", "1:1 a | 1:4 b | 1:6 " NO_OPEN " | 1:7 EOL | 2:1 c | 2:2 EOL | 2:2 EOF" },
	/* A byte order mark at the start, and elsewhere. */
	{ "\xef\xbb\xbf"
	  "a",
	  "1:1 a | 1:2 EOL | 1:2 EOF" },
	{ "\xef\xbb\xbf a", "1:1 _ | 1:2 a | 1:3 EOL | 1:3 EOF" },
	{ "\xef\xbb", "1:1 \xef\xbb | 1:3 EOL | 1:3 EOF" },
	{ "a \xef\xbb\xbf", "1:1 a | 1:3 \xef\xbb\xbf | 1:6 EOL | 1:6 EOF" },
	/* Octets that mean nothing. */
	{ "a\x01\x7f\xff b", "1:1 a\x01\x7f\xff | 1:6 b | 1:7 EOL | 1:7 EOF" },
	{ "a\vb\f", "1:1 a\vb\f | 1:5 EOL | 1:5 EOF" },
	{ "@ $ * [ ] { } =",
	  "1:1 @ | 1:3 $ | 1:5 * | 1:7 [ | 1:9 ] | 1:11 { | 1:13 } | 1:15 = | 1:16 EOL "
	  "| 1:16 EOF" },
};

START_TEST(tokens_have_kind_and_place)
{
	struct buf out = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		tokens_of(rows[i].text, strlen(rows[i].text), &out);
		ck_assert_msg(strcmp(out.data, rows[i].tokens) == 0,
			      "row %zu \"%s\":\n%s\nexpected\n%s", i, rows[i].text, out.data,
			      rows[i].tokens);
	}
	buf_clear(&out);
}
END_TEST

/* NUL is an octet like others, but where the text ends. */
START_TEST(nul_octets_are_octets)
{
	static const struct {
		const char *text;
		size_t len;
		size_t word; /* octets of the first */
	} nuls[] = {
		{ "\0", 1, 1 },
		{ "a\0b c", 5, 3 },
		{ "\0\0 c", 4, 2 },
		{ "\"\0\" c", 5, 1 },
		{ "a\\\0 c", 5, 3 },
		{ "a\0", 2, 2 },
		{ "\0abcdefghijklmnopqrstuvwxyz", 27, 27 },
	};
	for (size_t i = 0; i < ARRAY_LEN(nuls); i++) {
		char *block = block_of(nuls[i].text, nuls[i].len);
		struct lexer lx;
		struct token t;
		lexer_init(&lx, block, nuls[i].len);
		lexer_next(&lx, &t);
		ck_assert_int_eq(t.kind, TOKEN_WORD);
		ck_assert_uint_eq(t.len, nuls[i].word);
		do {
			lexer_next(&lx, &t);
		} while (t.kind == TOKEN_WORD);
		ck_assert_int_eq(t.kind, TOKEN_EOL);
		ck_assert_ptr_eq(lx.pos, block + nuls[i].len);
		mem_free(block);
	}
}
END_TEST

START_TEST(an_escape_is_known)
{
	static const struct {
		const char *text;
		bool escaped;
	} marks[] = { { "abc", false },	     { "a\\bc", true }, { "\"abc\"", false },
		      { "\"a\\bc\"", true }, { "a\\", true },	{ "\\097", true } };
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		char *block = block_of(marks[i].text, strlen(marks[i].text));
		struct lexer lx;
		struct token t;
		lexer_init(&lx, block, strlen(marks[i].text));
		lexer_next(&lx, &t);
		ck_assert_int_eq(t.escaped, marks[i].escaped);
		ck_assert_int_eq(t.quoted, marks[i].text[0] == '"');
		mem_free(block);
	}
}
END_TEST

/* --- pushing and skipping -------------------------------------------------------------------- */

START_TEST(a_pushed_token_comes_again)
{
	char *block = block_of("a b\nc", 5);
	struct lexer lx;
	struct token t;
	struct buf out = { 0 };
	lexer_init(&lx, block, 5);
	for (unsigned i = 0; i < 6; i++) {
		lexer_next(&lx, &t);
		lexer_push(&lx, &t);
		lexer_next(&lx, &t);
		print_token(&out, &lx, &t);
	}
	ck_assert_str_eq(out.data, "1:1 a | 1:3 b | 1:4 EOL | 2:1 c | 2:2 EOL | 2:2 EOF");
	buf_clear(&out);
	mem_free(block);
}
END_TEST

/* After @taken tokens the rest of the record is skipped: what comes next? */
static const struct {
	const char *text;
	unsigned taken;
	const char *next;
} skips[] = {
	{ "a b c\nd", 1, "2:1 d" },    { "a b c\nd", 2, "2:1 d" },
	{ "a b c\nd", 4, "2:1 d" }, /* at the end already */
	{ "a b c\n d", 1, "2:1 _" },   { "a (b\nc)\nd", 1, "3:1 d" },
	{ "a (b\nc)\nd", 2, "3:1 d" }, { "a (b\nc) d\ne", 3, "3:1 e" },
	{ "a \"b\nc", 2, "2:1 c" },    { "a ( \"b\n) c\nd", 2, "3:1 d" },
	{ "a ) b\nc", 2, "2:1 c" },    { "a ; b\nc", 1, "2:1 c" },
	{ "a (b", 1, "1:5 EOF" },      { "a (b", 3, "1:5 EOF" },
	{ "a", 1, "1:2 EOF" },	       { "a", 3, "1:2 EOF" },
	{ ")\na", 1, "2:1 a" },	       { " a\nb", 1, "2:1 b" },
};

START_TEST(the_rest_of_a_record_is_skipped)
{
	for (size_t i = 0; i < ARRAY_LEN(skips); i++) {
		for (unsigned pushed = 0; pushed < 2; pushed++) {
			size_t len = strlen(skips[i].text);
			char *block = block_of(skips[i].text, len);
			struct lexer lx;
			struct token t = { .kind = TOKEN_EOF };
			struct buf out = { 0 };
			lexer_init(&lx, block, len);
			for (unsigned k = 0; k < skips[i].taken; k++) {
				lexer_next(&lx, &t);
			}
			if (pushed == 1 && t.kind != TOKEN_EOF) {
				lexer_push(&lx, &t);
			}
			lexer_skip_record(&lx);
			lexer_next(&lx, &t);
			print_token(&out, &lx, &t);
			ck_assert_msg(strcmp(out.data, skips[i].next) == 0,
				      "row %zu, pushed %u: %s, expected %s", i, pushed, out.data,
				      skips[i].next);
			buf_clear(&out);
			mem_free(block);
		}
	}
}
END_TEST

START_TEST(a_lexer_begins_anywhere)
{
	static const char text[] = "a b\nc (d\ne)\nf";
	char *block = block_of(text, sizeof(text) - 1);
	struct lexer lx;
	struct token t;
	struct buf out = { 0 };
	lexer_init_at(&lx, strchr(block, 'c'), block + sizeof(text) - 1, 2);
	do {
		lexer_next(&lx, &t);
		print_token(&out, &lx, &t);
	} while (t.kind != TOKEN_EOF);
	ck_assert_str_eq(out.data, "2:1 c | 2:4 d | 3:1 e | 3:3 EOL | 4:1 f | 4:2 EOL | 4:2 EOF");
	buf_clear(&out);
	mem_free(block);
}
END_TEST

/* --- octets of a token ----------------------------------------------------------------------- */

START_TEST(escapes_become_octets)
{
	static const struct {
		const char *text;
		size_t room;
		int count; /* or E_* */
		const char *octets;
	} words[] = {
		{ "abc", 3, 3, "abc" },
		{ "abc", 2, E_NOSPACE, NULL },
		{ "", 0, 0, "" },
		{ "a\\bc", 3, 3, "abc" },
		{ "\\\\\\\"", 2, 2, "\\\"" },
		{ "\\097\\0981", 3, 3, "ab1" },
		{ "\\000\\255", 2, 2, "\0\377" },
		{ "\\256", 9, E_SYNTAX, NULL },
		{ "\\25", 9, E_SYNTAX, NULL },
		{ "\\2", 9, E_SYNTAX, NULL },
		{ "\\25x", 9, E_SYNTAX, NULL },
		{ "a\\", 9, E_SYNTAX, NULL },
		{ "\\097", 0, E_NOSPACE, NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		uint8_t octets[16];
		size_t len = strlen(words[i].text);
		char *exact = mem_alloc(len + (len == 0));
		memcpy(exact, words[i].text, len);
		const struct token t = { .kind = TOKEN_WORD, .s = exact, .len = len };
		int n = lexer_unescape(&t, octets, words[i].room);
		ck_assert_int_eq(n, words[i].count);
		if (n > 0) {
			ck_assert_mem_eq(octets, words[i].octets, (size_t)n);
		}
		mem_free(exact);
	}
}
END_TEST

/* --- random text ----------------------------------------------------------------------------- */

/* Line and column of @at, counted from the start. */
static void naive_place(const char *text, const char *at, unsigned *line, unsigned *column)
{
	*line = *column = 1;
	for (; text < at; text++) {
		*column = *text == '\n' ? 1 : *column + 1;
		*line += *text == '\n';
	}
}

static bool is_stop(const char *p, const char *end)
{
	return p >= end || (*p != '\0' && strchr(" \t\r\n;()\"", *p) != NULL);
}

/* A word goes from where it begins to the first octet that ends it, and not less. */
static bool is_whole_word(const struct token *t, const char *end)
{
	const char *p = t->s;
	while (p < t->s + t->len) {
		bool hides = *p == '\\' && p + 1 < end && p[1] != '\n' &&
			     (p[1] != '\r' || p + 2 >= end || p[2] != '\n');
		if (!hides && is_stop(p, end)) {
			return false;
		}
		p += hides ? 2 : 1;
	}
	return p == t->s + t->len && is_stop(p, end);
}

/* Between tokens are white space, parentheses and comments only. */
static bool is_between(const char *p, const char *to)
{
	while (p < to) {
		if (*p == ';') {
			while (p < to && *p != '\n') {
				p++;
			}
		} else if (*p == '\0' || strchr(" \t\r\n()", *p) == NULL) {
			return false;
		} else {
			p++;
		}
	}
	return true;
}

static void check_random(const char *text, size_t len)
{
	char *block = block_of(text, len);
	const char *end = block + len;
	const char *before = block;
	struct lexer lx;
	struct token t;
	lexer_init(&lx, block, len);
	for (unsigned count = 0;; count++) {
		unsigned line, column;
		lexer_next(&lx, &t);
		const char *from = t.s - (t.kind == TOKEN_WORD && t.quoted ? 1 : 0);
		naive_place(block, from, &line, &column);
		bool good = t.line == line && t.column == column && lx.pos <= end &&
			    count <= 3 * len + 3;
		if (t.kind == TOKEN_WORD) {
			good = good && is_between(before, from) &&
			       (t.quoted || is_whole_word(&t, end));
			before = lx.pos;
		} else if (t.kind == TOKEN_ERROR) {
			good = good && lx.em.text[0] != '\0';
			before = lx.pos;
		}
		ck_assert_msg(good, "token %u at %u:%u of:\n%.*s", count, t.line, t.column,
			      (int)len, text);
		if (t.kind == TOKEN_EOF) {
			break;
		}
	}
	ck_assert_ptr_eq(lx.pos, end);
	mem_free(block);
}

START_TEST(random_text_has_no_gaps)
{
	static const char likely[] = "abc  \t\r\n\n;()\"\\0\0";
	struct unit_random r = { 7 };
	for (unsigned i = 0; i < 20000; i++) {
		char text[200];
		size_t len = unit_random_below(&r, sizeof(text));
		unsigned words = 1 + unit_random_below(&r, 20);
		for (size_t k = 0; k < len; k++) {
			text[k] = unit_random_below(&r, words) == 0
					  ? likely[unit_random_below(&r, sizeof(likely) - 1)]
				  : unit_random_below(&r, 10) == 0
					  ? (char)unit_random_below(&r, 256)
					  : 'x';
		}
		if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
			text[0] = 'x'; /* columns count from behind the mark */
		}
		check_random(text, len);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("lexer");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, tokens_have_kind_and_place);
	tcase_add_test(tc, nul_octets_are_octets);
	tcase_add_test(tc, an_escape_is_known);
	tcase_add_test(tc, a_pushed_token_comes_again);
	tcase_add_test(tc, the_rest_of_a_record_is_skipped);
	tcase_add_test(tc, a_lexer_begins_anywhere);
	tcase_add_test(tc, escapes_become_octets);
	tcase_add_test(tc, random_text_has_no_gaps);
	return unit_run("zones/dns/lexer", tc);
}

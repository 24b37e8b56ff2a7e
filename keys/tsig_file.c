/* keys/tsig_file.c - files of TSIG keys. */
#include "keys/tsig_file.h"

#include <string.h>
#include <sys/stat.h>

#include "zones/base/text.h"

enum kind { WORD, STRING, MARK, END };

struct token {
	enum kind kind;
	const char *s; /* of a string: what is inside */
	size_t len;
	unsigned line, column; /* from 1; columns in octets */
};

struct scan {
	const char *path;
	const char *at, *end;
	const char *line_start;
	unsigned line;
	struct token token;
	struct errmsg *em;
};

/* --- tokens ---------------------------------------------------------------------------------- */

static void begin_token(struct scan *s)
{
	s->token = (struct token){ .kind = END,
				   .s = s->at,
				   .line = s->line,
				   .column = (unsigned)(s->at - s->line_start) + 1 };
}

static int fail_at_token(const struct scan *s, int err, const char *what)
{
	return err_set(s->em, err, "%.300s:%u:%u: %s", s->path, s->token.line, s->token.column,
		       what);
}

static int expected(const struct scan *s, const char *what)
{
	return err_set(s->em, E_SYNTAX, "%.300s:%u:%u: found %s, expected %s", s->path,
		       s->token.line, s->token.column,
		       s->token.kind == END ? "the end of the file" : "something else", what);
}

static void step(struct scan *s)
{
	if (*s->at++ == '\n') {
		s->line++;
		s->line_start = s->at;
	}
}

static bool starts(const struct scan *s, const char *what)
{
	size_t n = strlen(what);
	return (size_t)(s->end - s->at) >= n && memcmp(s->at, what, n) == 0;
}

static int skip_comment(struct scan *s)
{
	begin_token(s);
	if (!starts(s, "/*")) {
		while (s->at < s->end && *s->at != '\n') {
			s->at++;
		}
		return E_OK;
	}
	s->at += 2;
	while (s->at < s->end && !starts(s, "*/")) {
		step(s);
	}
	if (s->at == s->end) {
		return fail_at_token(s, E_SYNTAX, "this comment has no end, expected */");
	}
	s->at += 2;
	return E_OK;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int skip_space(struct scan *s)
{
	int err = E_OK;
	while (err == E_OK && s->at < s->end) {
		if (is_space(*s->at)) {
			step(s);
		} else if (*s->at == '#' || starts(s, "//") || starts(s, "/*")) {
			err = skip_comment(s);
		} else {
			break;
		}
	}
	return err;
}

static int next(struct scan *s)
{
	struct token *t = &s->token;
	int err = skip_space(s);
	if (err != E_OK) {
		return err;
	}
	begin_token(s);
	if (s->at == s->end) {
		return E_OK;
	}
	if (memchr("{};", *s->at, 3) != NULL) {
		t->kind = MARK;
		t->len = 1;
		s->at++;
		return E_OK;
	}
	if (*s->at == '"') {
		t->kind = STRING;
		t->s = ++s->at;
		while (s->at < s->end && *s->at != '"' && *s->at != '\n') {
			s->at++;
		}
		if (s->at == s->end || *s->at != '"') {
			return fail_at_token(s, E_SYNTAX,
					     "this text has no end, expected \" on the same line");
		}
		t->len = (size_t)(s->at++ - t->s);
		return E_OK;
	}
	t->kind = WORD; /* base64 has slashes, so comments begin behind white space */
	while (s->at < s->end && !is_space(*s->at) && memchr("{};\"", *s->at, 4) == NULL) {
		s->at++;
	}
	t->len = (size_t)(s->at - t->s);
	return E_OK;
}

static bool is_mark(const struct token *t, char c)
{
	return t->kind == MARK && *t->s == c;
}

static int take_mark(struct scan *s, char c, const char *what)
{
	int err = next(s);
	return err != E_OK || is_mark(&s->token, c) ? err : expected(s, what);
}

static int take_text(struct scan *s, const char *what)
{
	int err = next(s);
	bool is_text = s->token.kind == WORD || s->token.kind == STRING;
	return err != E_OK || is_text ? err : expected(s, what);
}

/* --- keys ------------------------------------------------------------------------------------ */

struct key_text {
	struct token name, algorithm, secret; /* s NULL: not there yet */
};

static int take_statement(struct scan *s, struct token *to, const char *what)
{
	if (to->s != NULL) {
		return fail_at_token(s, E_EXIST, "this key has one already");
	}
	int err = take_text(s, what);
	if (err == E_OK) {
		*to = s->token;
		err = take_mark(s, ';', "\";\"");
	}
	return err;
}

/* Behind the name: "{ algorithm ...; secret ...; };" */
static int take_body(struct scan *s, struct key_text *k)
{
	int err = take_mark(s, '{', "\"{\"");
	if (err == E_OK) {
		err = next(s);
	}
	while (err == E_OK && !is_mark(&s->token, '}')) {
		const struct token *t = &s->token;
		if (t->kind == WORD && text_equal(t->s, t->len, "algorithm")) {
			err = take_statement(s, &k->algorithm, "an algorithm such as hmac-sha256");
		} else if (t->kind == WORD && text_equal(t->s, t->len, "secret")) {
			err = take_statement(s, &k->secret, "a secret in base64");
		} else {
			return expected(s, "algorithm, secret or \"}\"");
		}
		err = err == E_OK ? next(s) : err;
	}
	if (err == E_OK && (k->algorithm.s == NULL || k->secret.s == NULL)) {
		return fail_at_token(s, E_SYNTAX,
				     k->secret.s == NULL ? "this key has no secret"
							 : "this key has no algorithm");
	}
	return err == E_OK ? take_mark(s, ';', "\";\"") : err;
}

/* Puts the place of @t, and not that of the token at hand, into a message. */
static int fail_at(struct scan *s, const struct token *t, int err, const char *what)
{
	s->token = *t;
	return fail_at_token(s, err, what);
}

static int set_key(struct scan *s, const struct key_text *k, struct tsig_key *out)
{
	struct dname name;
	struct secret secret = { 0 };
	char algorithm[40];
	if (dname_from_text(&name, k->name.s, k->name.len, dname_root, NULL) != E_OK) {
		return fail_at(s, &k->name, E_NAME, "the name of this key is no domain name");
	}
	if (k->algorithm.len >= sizeof(algorithm)) {
		return fail_at(s, &k->algorithm, E_UNSUPPORTED, "there is no such algorithm");
	}
	memcpy(algorithm, k->algorithm.s, k->algorithm.len);
	algorithm[k->algorithm.len] = '\0';
	secret_set(&secret, k->secret.s, k->secret.len); /* as room: what is decoded is shorter */
	int n = text_from_base64(k->secret.s, k->secret.len, secret.data, secret.len);
	int err =
		n <= 0 ? E_SYNTAX : tsig_key_set(out, name.wire, algorithm, secret.data, (size_t)n);
	secret_clear(&secret);
	if (n <= 0) {
		return fail_at(s, &k->secret, err, "this secret is not base64");
	}
	return err == E_OK ? err
			   : fail_at(s, &k->algorithm, err,
				     "there is no such algorithm; expected one such as "
				     "hmac-sha256");
}

static void push(struct tsig_keys *keys, const struct tsig_key *key)
{
	if (keys->count == keys->cap) {
		keys->cap = keys->cap != 0 ? keys->cap * 2 : 4;
		keys->list = mem_realloc(keys->list, keys->cap, sizeof(*keys->list));
	}
	keys->list[keys->count++] = *key; /* its secret goes along */
}

static int take_key(struct scan *s, struct tsig_keys *out)
{
	struct key_text k = { .name = { .s = NULL } };
	struct tsig_key key;
	if (s->token.kind != WORD || !text_equal(s->token.s, s->token.len, "key")) {
		return expected(s, "key");
	}
	int err = take_text(s, "the name of the key");
	k.name = s->token;
	if (err == E_OK) {
		err = take_body(s, &k);
	}
	if (err == E_OK) {
		err = set_key(s, &k, &key);
	}
	if (err == E_OK && tsig_keys_find(out, key.name.wire) != NULL) {
		tsig_key_clear(&key);
		return fail_at(s, &k.name, E_EXIST, "a key of this name is there before");
	}
	if (err == E_OK) {
		push(out, &key);
	}
	return err;
}

int tsig_file_parse(const char *path, const struct file_view *text, struct tsig_keys *out,
		    struct errmsg *em)
{
	struct scan s = { .path = path,
			  .at = text->data,
			  .end = text->data + text->len,
			  .line_start = text->data,
			  .line = 1,
			  .em = em };
	const size_t before = out->count;
	int err = next(&s);
	if (err == E_OK && s.token.kind == END) {
		err = expected(&s, "key");
	}
	while (err == E_OK && s.token.kind != END) {
		err = take_key(&s, out);
		err = err == E_OK ? next(&s) : err;
	}
	while (err != E_OK && out->count > before) {
		tsig_key_clear(&out->list[--out->count]);
	}
	return err;
}

/* The server may read it as a member of its group, once it has given up root. */
static int check_mode(const char *path, struct errmsg *em)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO) != 0) {
		return err_set(em, E_PERM,
			       "%.200s: others can read it (mode %04o); run: chmod o= %.200s", path,
			       (unsigned)st.st_mode & 07777U, path);
	}
	return E_OK;
}

int tsig_file_read(const char *path, struct tsig_keys *out, struct errmsg *em)
{
	struct file_view view = { 0 };
	int err = file_read(path, TSIG_FILE_MAX, &view, em);
	if (err == E_OK) {
		err = check_mode(path, em);
	}
	if (err == E_OK) {
		err = tsig_file_parse(path, &view, out, em);
	}
	if (view.data != NULL) {
		mem_wipe(view.data, view.len);
	}
	file_view_clear(&view);
	return err;
}

const struct tsig_key *tsig_keys_find(const struct tsig_keys *keys, const uint8_t *name)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (dname_equal(keys->list[i].name.wire, name)) {
			return &keys->list[i];
		}
	}
	return NULL;
}

void tsig_keys_clear(struct tsig_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		tsig_key_clear(&keys->list[i]);
	}
	mem_free(keys->list);
	*keys = (struct tsig_keys){ 0 };
}

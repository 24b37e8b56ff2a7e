/* server/cookie.c - DNS cookies. */
#include "server/cookie.h"

#include <string.h>

#include "zones/base/file.h"
#include "zones/base/text.h"
#include "zones/base/wire.h"

#define VERSION	     1
#define AT_VERSION   8 /* offsets in a cookie */
#define AT_TIME	     12
#define AT_HASH	     16
#define HASH_LEN     CRYPTO_SIPHASH_LEN
#define ADDRESS_MAX  16
#define FILE_MAX     65536 /* of secrets and comments */
#define COMMENT_SIGN '#'

/* --- cookies --------------------------------------------------------------------------------- */

/* The hash of the cookie's first 16 octets and the address. */
static int hash(const struct cookie_maker *m, const uint8_t *secret,
		const struct address_ip *client, const uint8_t *cookie, uint8_t out[HASH_LEN])
{
	uint8_t input[AT_HASH + ADDRESS_MAX];
	memcpy(input, cookie, AT_HASH);
	memcpy(input + AT_HASH, client->octet, client->len);
	return crypto_siphash(m->hasher, secret, input, AT_HASH + (size_t)client->len, out);
}

static void make(const struct cookie_maker *m, const struct address_ip *client,
		 const uint8_t *client_part, uint8_t out[COOKIE_LEN])
{
	memcpy(out, client_part, COOKIE_CLIENT_LEN);
	be32_put(out + AT_VERSION, (uint32_t)VERSION << 24);
	be32_put(out + AT_TIME, (uint32_t)m->now);
	if (hash(m, m->secrets->secret[0], client, out, out + AT_HASH) != E_OK) {
		memset(out + AT_HASH, 0, HASH_LEN); /* a cookie that will not be good */
	}
}

/* Seconds since the cookie was made, in serial arithmetic: 32 bits of time come round in 2106. */
static int32_t age(const struct cookie_maker *m, const uint8_t *cookie)
{
	return (int32_t)((uint32_t)m->now - be32_get(cookie + AT_TIME));
}

/* The secret that the cookie was made with: its place in the list, or the list's length. */
static unsigned find_secret(const struct cookie_maker *m, const struct address_ip *client,
			    const uint8_t *cookie)
{
	unsigned i = 0;
	for (; i < m->secrets->count; i++) {
		uint8_t right[HASH_LEN];
		if (hash(m, m->secrets->secret[i], client, cookie, right) == E_OK &&
		    secret_equal(right, HASH_LEN, cookie + AT_HASH, HASH_LEN)) {
			break;
		}
	}
	return i;
}

enum cookie_state cookie_check(const struct cookie_maker *m, const struct address_ip *client,
			       const uint8_t *data, size_t len, uint8_t out[COOKIE_LEN])
{
	if (len != COOKIE_CLIENT_LEN && (len < COOKIE_CLIENT_LEN + COOKIE_SERVER_MIN ||
					 len > COOKIE_CLIENT_LEN + COOKIE_SERVER_MAX)) {
		return COOKIE_MALFORMED;
	}
	enum cookie_state state = len == COOKIE_CLIENT_LEN ? COOKIE_CLIENT : COOKIE_BAD;
	unsigned secret = m->secrets->count;
	if (len == COOKIE_LEN && data[AT_VERSION] == VERSION && age(m, data) <= COOKIE_LIFE_S &&
	    age(m, data) >= -COOKIE_FUTURE_S) {
		secret = find_secret(m, client, data);
	}
	state = secret < m->secrets->count ? COOKIE_GOOD : state;
	/* One that is not due for another is given back: that saves the second hash. */
	if (secret == 0 && age(m, data) <= COOKIE_REFRESH_S &&
	    be32_get(data + AT_VERSION) == (uint32_t)VERSION << 24) {
		memcpy(out, data, COOKIE_LEN);
	} else {
		make(m, client, data, out);
	}
	return state;
}

/* --- secrets --------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes white space and a comment off. */
static void strip(const char **s, size_t *len)
{
	const char *comment = memchr(*s, COMMENT_SIGN, *len);
	*len = comment != NULL ? (size_t)(comment - *s) : *len;
	while (*len != 0 && is_space((*s)[*len - 1])) {
		(*len)--;
	}
	while (*len != 0 && is_space(**s)) {
		(*s)++;
		(*len)--;
	}
}

static int read_line(struct cookie_secrets *out, const char *s, size_t len, unsigned line,
		     struct errmsg *em)
{
	strip(&s, &len);
	if (len == 0) {
		return E_OK;
	}
	if (out->count == COOKIE_SECRETS_MAX) {
		return err_set(em, E_LIMIT, "line %u: more than %d secrets; remove the oldest",
			       line, COOKIE_SECRETS_MAX);
	}
	uint8_t *to = out->secret[out->count];
	if (len != 2 * COOKIE_SECRET_LEN ||
	    text_from_hex(s, len, to, COOKIE_SECRET_LEN) != COOKIE_SECRET_LEN) {
		return err_set(em, E_SYNTAX,
			       "line %u: no secret of %d hex digits; `openssl rand -hex %d` "
			       "makes one",
			       line, 2 * COOKIE_SECRET_LEN, COOKIE_SECRET_LEN);
	}
	out->count++;
	return E_OK;
}

int cookie_secrets_from_text(struct cookie_secrets *out, const char *text, size_t len,
			     struct errmsg *em)
{
	struct cookie_secrets s = { 0 };
	const char *end = text + len;
	int err = E_OK;
	for (unsigned line = 1; text < end && err == E_OK; line++) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		eol = eol != NULL ? eol : end;
		err = read_line(&s, text, (size_t)(eol - text), line, em);
		text = eol + (eol < end);
	}
	if (err == E_OK && s.count == 0) {
		err = err_set(em, E_NOENT, "there is no secret; `openssl rand -hex %d` makes one",
			      COOKIE_SECRET_LEN);
	}
	if (err == E_OK) {
		*out = s;
	}
	cookie_secrets_clear(&s);
	return err;
}

int cookie_secrets_read(struct cookie_secrets *out, const char *path, struct errmsg *em)
{
	struct file_view view;
	int err = file_read(path, FILE_MAX, &view, em);
	if (err != E_OK) {
		return err;
	}
	err = cookie_secrets_from_text(out, view.data, view.len, em);
	mem_wipe(view.data, view.len);
	file_view_clear(&view);
	return err != E_OK ? err_prefix(em, err, "%s", path) : E_OK;
}

int cookie_secrets_random(struct cookie_secrets *out)
{
	out->count = 1;
	return crypto_random(out->secret[0], COOKIE_SECRET_LEN);
}

void cookie_secrets_clear(struct cookie_secrets *s)
{
	mem_wipe(s, sizeof(*s));
}

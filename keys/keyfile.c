/* keys/keyfile.c - key files on disk: their names, reading one, and all of a zone. */
#include "keys/keyfile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zones/base/text.h"

/* --- names ----------------------------------------------------------------------------------- */

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || text_is_digit((char)c) || c == '-' || c == '_';
}

void keyfile_name(const struct key *key, struct buf *out)
{
	const uint8_t *label = key->zone.wire;
	buf_str(out, *label == 0 ? "K." : "K");
	for (; *label != 0; label += *label + 1) {
		for (unsigned i = 1; i <= *label; i++) {
			uint8_t c = text_lower[label[i]];
			if (is_plain(c)) {
				buf_char(out, (char)c);
			} else {
				buf_printf(out, "%%%02X", c);
			}
		}
		buf_char(out, '.');
	}
	buf_printf(out, "+%03u+%05u", key->algorithm, key->tag);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s);
	size_t k = strlen(suffix);
	return n >= k && strcmp(s + n - k, suffix) == 0;
}

/* @path without ".key" or ".private". */
static void path_base(const char *path, struct buf *out)
{
	size_t len = strlen(path);
	if (has_suffix(path, ".private")) {
		len -= 8;
	} else if (has_suffix(path, ".key")) {
		len -= 4;
	} else if (has_suffix(path, ".")) {
		len -= 1; /* shell completion stops here */
	}
	buf_add(out, path, len);
}

/* --- one key --------------------------------------------------------------------------------- */

static int check_private_mode(const char *path, struct errmsg *em)
{
	struct stat st;
	if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		return err_set(em, E_PERM, "%s: others can read it (mode %04o); run: chmod 600 %s",
			       path, (unsigned)st.st_mode & 07777U, path);
	}
	return E_OK;
}

static int read_private(const char *path, struct key *key, struct errmsg *em)
{
	struct file_view view = { 0 };
	int err = check_private_mode(path, em);
	if (err == E_OK) {
		err = file_read(path, KEYFILE_MAX, &view, em);
	}
	if (err == E_OK) {
		err = keyfile_parse_private(path, &view, key, em);
	}
	if (view.data != NULL) {
		mem_wipe(view.data, view.len);
	}
	file_view_clear(&view);
	return err;
}

static int read_public(const char *path, struct key **out, struct errmsg *em)
{
	struct file_view view = { 0 };
	int err = file_read(path, KEYFILE_MAX, &view, em);
	if (err == E_OK) {
		err = keyfile_parse_public(path, &view, out, em);
	}
	file_view_clear(&view);
	return err;
}

int keyfile_read(const char *path, enum keyfile_need need, struct key **out, struct errmsg *em)
{
	struct buf base = { 0 };
	struct buf name = { 0 };
	struct buf expected = { 0 };
	struct key *key = NULL;
	path_base(path, &base);
	buf_printf(&name, "%s.key", base.data);
	int err = read_public(name.data, &key, em);
	if (err != E_OK) {
		goto out;
	}
	keyfile_name(key, &expected);
	if (strcmp(last_part(base.data), expected.data) != 0) {
		err = err_set(em, E_MISMATCH,
			      "%s: holds the key that belongs into %s.key; rename it back",
			      name.data, expected.data);
		goto out;
	}
	buf_reset(&name);
	buf_printf(&name, "%s.private", base.data);
	if (need == KEYFILE_PAIR || (need == KEYFILE_PUBLIC && access(name.data, F_OK) == 0)) {
		err = read_private(name.data, key, em);
	}
	if (err == E_OK) {
		key->path = mem_str(base.data, base.len);
		*out = key;
		key = NULL;
	}
out:
	key_free(key);
	buf_clear(&base);
	buf_clear(&name);
	buf_clear(&expected);
	return err;
}

/* --- all keys of a zone ---------------------------------------------------------------------- */

static int key_compare(const void *a, const void *b)
{
	const struct key *x = *(const struct key *const *)a;
	const struct key *y = *(const struct key *const *)b;
	int diff = x->algorithm - y->algorithm;
	return diff != 0 ? diff : x->tag - y->tag;
}

/* Is @name @prefix, three digits, '+', five digits and ".key"? Others are no key files. */
static bool is_key_file(const char *name, const struct buf *prefix)
{
	static const char form[] = "000+00000.key";
	if (strncmp(name, prefix->data, prefix->len) != 0 ||
	    strlen(name) != prefix->len + strlen(form)) {
		return false;
	}
	name += prefix->len;
	for (size_t i = 0; i < strlen(form); i++) {
		if (form[i] == '0' ? !text_is_digit(name[i]) : name[i] != form[i]) {
			return false;
		}
	}
	return true;
}

int keyfile_search(const struct keyfile_search *s, struct keyset *out, struct errmsg *em)
{
	struct key probe = { 0 };
	struct buf prefix = { 0 };
	struct buf path = { 0 };
	DIR *d = opendir(s->dir);
	if (d == NULL) {
		int failed = errno;
		return err_set(
			em, err_from_errno(failed),
			"%s: cannot open the key directory: %s; make it, or name another directory",
			s->dir, strerror(failed));
	}
	dname_set(&probe.zone, s->zone);
	keyfile_name(&probe, &prefix);
	prefix.len -= strlen("000+00000");
	int err = E_OK;
	for (struct dirent *e = readdir(d); e != NULL && err == E_OK; e = readdir(d)) {
		struct key *key = NULL;
		struct errmsg why = { "" };
		if (!is_key_file(e->d_name, &prefix)) {
			continue;
		}
		buf_reset(&path);
		buf_printf(&path, "%s/%s", s->dir, e->d_name);
		err = keyfile_read(path.data, s->need, &key, &why);
		if (err == E_OK) {
			keyset_add(out, key);
		} else if (s->skipped != NULL) {
			buf_printf(s->skipped, "%s\n", why.text);
			err = E_OK;
		} else {
			err_set(em, err, "%s", why.text);
		}
	}
	(void)closedir(d);
	buf_clear(&prefix);
	buf_clear(&path);
	if (err == E_OK && out->count > 1) {
		qsort(out->keys, out->count, sizeof(struct key *), key_compare);
	}
	return err;
}

int keyfile_read_dir(const char *dir, const uint8_t *zone, enum keyfile_need need,
		     struct keyset *out, struct errmsg *em)
{
	const struct keyfile_search s = { .dir = dir, .zone = zone, .need = need };
	return keyfile_search(&s, out, em);
}

/* keys/keyfile.c - key files as BIND and ldns have them.
 *
 * The .key file is a DNSKEY record with comments that repeat the times; the .private file has lines
 * "Field: value". Times are read from the private file, where BIND keeps them. */
#include "keys/keyfile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/algorithm.h"
#include "zones/base/buf.h"
#include "zones/base/file.h"
#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/dns/lexer.h"
#include "zones/dns/rdata.h"

/* An RSA 4096 private file has 4 kB. */
#define KEYFILE_MAX ((size_t)64 << 10)

static const char *const time_fields[KEY_TIMES] = {
	[KEY_CREATED] = "Created",	    [KEY_PUBLISH] = "Publish",
	[KEY_ACTIVATE] = "Activate",	    [KEY_REVOKE] = "Revoke",
	[KEY_INACTIVE] = "Inactive",	    [KEY_DELETE] = "Delete",
	[KEY_SYNC_PUBLISH] = "SyncPublish", [KEY_SYNC_DELETE] = "SyncDelete",
	[KEY_DS_PUBLISH] = "DSPublish",	    [KEY_DS_REMOVE] = "DSRemoved",
};

static const char *const part_fields[] = { "PrivateKey",      "Modulus",   "PublicExponent",
					   "PrivateExponent", "Prime1",	   "Prime2",
					   "Exponent1",	      "Exponent2", "Coefficient" };

/* --- paths ----------------------------------------------------------------------------------- */

/* "Kexample.com.+013+12345", the zone in lower case. */
static void base_name(const struct key *key, struct buf *out)
{
	uint8_t lower[DNAME_MAX];
	size_t start = out->len;
	(void)dname_lower(lower, key->zone.wire);
	buf_char(out, 'K');
	dname_print(out, lower);
	buf_printf(out, "+%03u+%05u", key->algorithm, key->tag);
	for (size_t i = start; i < out->len; i++) {
		if (out->data[i] == '/') { /* RFC 2317 zones: BIND writes %2F as well */
			out->data[i] = '_';
		}
	}
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

/* --- the public file ------------------------------------------------------------------------- */

static int word(struct lexer *lx, struct token *t, const char *path, struct errmsg *em)
{
	lexer_next(lx, t);
	if (t->kind == TOKEN_WORD) {
		return E_OK;
	}
	return err_set(em, E_SYNTAX,
		       "%s:%u:%u: found the end of the record, expected a DNSKEY record", path,
		       t->line, t->column);
}

/* "owner [TTL] [IN] DNSKEY flags 3 algorithm base64". */
static int public_parse(const char *path, const struct file_view *view, struct key *key,
			struct errmsg *em)
{
	struct lexer lx;
	struct token t;
	uint8_t rdata[2048];
	struct writer w = writer_of(rdata, sizeof(rdata));
	lexer_init(&lx, view->data, view->len);
	int err = word(&lx, &t, path, em);
	if (err == E_OK) {
		err = dname_from_text(&key->zone, t.s, t.len, NULL, em);
		if (err != E_OK) {
			return err_prefix(em, err, "%s:%u:%u", path, t.line, t.column);
		}
	}
	while (err == E_OK) {
		uint16_t type;
		err = word(&lx, &t, path, em);
		if (err == E_OK && rrtype_from_text(t.s, t.len, &type) == E_OK) {
			if (type == RRTYPE_DNSKEY) {
				break;
			}
			return err_set(em, E_SYNTAX,
				       "%s:%u:%u: found %.*s, expected a DNSKEY record", path,
				       t.line, t.column, (int)(t.len < 20 ? t.len : 20), t.s);
		}
	}
	if (err != E_OK) {
		return err;
	}
	err = rdata_from_text(RRTYPE_DNSKEY, &lx, NULL, &w, &t, em);
	size_t len = writer_len(&w);
	if (err != E_OK || len < 5) {
		return err_prefix(em, err != E_OK ? err : E_SYNTAX, "%s:%u:%u", path, t.line,
				  t.column);
	}
	key->flags = be16_get(rdata);
	key->algorithm = rdata[3];
	key->tag = key_tag_of(rdata, len);
	const struct algorithm *a = algorithm_find(key->algorithm);
	if (a == NULL || a->use == ALGORITHM_REFUSED) {
		return err_set(em, E_UNSUPPORTED, "%s: algorithm %u%s%s is not supported: %s", path,
			       key->algorithm, a != NULL ? " " : "", a != NULL ? a->name : "",
			       a != NULL ? a->reason : "unknown number");
	}
	if (rdata[2] != 3 || (key->flags & KEY_FLAG_ZONE) == 0) {
		return err_set(
			em, E_INVAL,
			"%s: not a zone key (flags %u, protocol %u); expected flags 256 or 257, "
			"protocol 3",
			path, key->flags, rdata[2]);
	}
	err = crypto_key_from_public(key->algorithm, rdata + 4, len - 4, &key->pair);
	if (err != E_OK) {
		err_set(em, err, "%s: the public key is no %s key; restore the file from a copy",
			path, a->name);
	}
	return err;
}

/* --- the private file ------------------------------------------------------------------------ */

/* The next line "Field: value"; false at the end. */
static bool next_line(const char **at, const char *end, const char **line, size_t *len)
{
	if (*at >= end) {
		return false;
	}
	const char *nl = memchr(*at, '\n', (size_t)(end - *at));
	*line = *at;
	*len = (size_t)((nl != NULL ? nl : end) - *at);
	if (*len != 0 && (*line)[*len - 1] == '\r') {
		--*len;
	}
	*at = nl != NULL ? nl + 1 : end;
	return true;
}

struct private_file {
	struct crypto_part parts[ARRAY_LEN(part_fields)];
	size_t count;
	uint32_t algorithm;
	bool have_version;
	int64_t times[KEY_TIMES];
};

static int private_part(const char *name, const char *value, size_t len, struct private_file *f)
{
	uint8_t octets[CRYPTO_PUBKEY_MAX];
	if (f->count == ARRAY_LEN(f->parts)) {
		return E_LIMIT;
	}
	int n = text_from_base64(value, len, octets, sizeof(octets));
	if (n <= 0) {
		return E_SYNTAX;
	}
	f->parts[f->count].field = name;
	secret_set(&f->parts[f->count++].value, octets, (size_t)n);
	mem_wipe(octets, sizeof(octets));
	return E_OK;
}

/* One line; fields that are not known are passed over, as later versions may add some. */
static int private_line(const char *name, size_t name_len, const char *value, size_t len,
			struct private_file *f)
{
	if (text_equal(name, name_len, "Private-key-format")) {
		f->have_version = true;
		return len >= 3 && memcmp(value, "v1.", 3) == 0 ? E_OK : E_UNSUPPORTED;
	}
	if (text_equal(name, name_len, "Algorithm")) {
		size_t digits = 0;
		while (digits < len && text_is_digit(value[digits])) {
			digits++;
		}
		return text_to_u32(value, digits, UINT8_MAX, &f->algorithm);
	}
	for (size_t i = 0; i < ARRAY_LEN(part_fields); i++) {
		if (text_equal(name, name_len, part_fields[i])) {
			return private_part(part_fields[i], value, len, f);
		}
	}
	for (size_t i = 0; i < KEY_TIMES; i++) {
		if (text_equal(name, name_len, time_fields[i])) {
			return time_from_text14(
				value, len < TIME_TEXT14_LEN ? len : TIME_TEXT14_LEN, &f->times[i]);
		}
	}
	return E_OK;
}

static int private_parse(const char *path, const struct file_view *view, struct private_file *f,
			 struct errmsg *em)
{
	const char *at = view->data;
	const char *line;
	size_t len;
	unsigned number = 0;
	while (next_line(&at, view->data + view->len, &line, &len)) {
		number++;
		const char *colon = memchr(line, ':', len);
		if (len == 0 || *line == ';') {
			continue;
		}
		if (colon == NULL) {
			return err_set(em, E_SYNTAX,
				       "%s:%u:1: found no colon, expected \"Field: value\"", path,
				       number);
		}
		const char *value = colon + 1;
		while (value < line + len && *value == ' ') {
			value++;
		}
		int err = private_line(line, (size_t)(colon - line), value,
				       (size_t)(line + len - value), f);
		if (err != E_OK) {
			/* The value may be secret: only the field is named. */
			return err_set(em, err,
				       "%s:%u:%u: cannot read the value of %.*s: %s; restore the "
				       "file from a copy",
				       path, number, (unsigned)(value - line) + 1,
				       (int)(colon - line < 40 ? colon - line : 40), line,
				       err_text(err));
		}
	}
	if (!f->have_version) {
		return err_set(em, E_SYNTAX,
			       "%s: no Private-key-format line; this is no private key file", path);
	}
	return E_OK;
}

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
	struct private_file f = { .count = 0 };
	struct crypto_key *pair = NULL;
	for (size_t i = 0; i < KEY_TIMES; i++) {
		f.times[i] = KEY_TIME_NONE;
	}
	int err = check_private_mode(path, em);
	if (err == E_OK) {
		err = file_read(path, KEYFILE_MAX, &view, em);
	}
	if (err == E_OK) {
		err = private_parse(path, &view, &f, em);
	}
	if (err != E_OK) {
		goto out;
	}
	if (f.algorithm != key->algorithm) {
		err = err_set(em, E_MISMATCH,
			      "%s: algorithm %u, but the .key file has %u; they are of "
			      "different keys",
			      path, f.algorithm, key->algorithm);
		goto out;
	}
	err = crypto_key_from_parts(key->algorithm, f.parts, f.count, &pair);
	if (err != E_OK) {
		err_set(em, err,
			"%s: holds no usable private key (%s); restore the file from a copy", path,
			err_text(err));
		goto out;
	}
	size_t len, want;
	const uint8_t *have = crypto_key_public(pair, &len);
	const uint8_t *public = crypto_key_public(key->pair, &want);
	if (len != want || memcmp(have, public, len) != 0) {
		err = err_set(em, E_MISMATCH,
			      "%s: does not belong to the public key in the .key file beside it",
			      path);
		goto out;
	}
	crypto_key_free(key->pair);
	key->pair = pair;
	pair = NULL;
	memcpy(key->times, f.times, sizeof(key->times));
out:
	crypto_key_free(pair);
	crypto_parts_clear(f.parts, f.count);
	if (view.data != NULL) {
		mem_wipe(view.data, view.len);
	}
	file_view_clear(&view);
	return err;
}

int keyfile_read(const char *path, enum keyfile_need need, struct key **out, struct errmsg *em)
{
	struct buf base = { 0 };
	struct buf name = { 0 };
	struct buf expected = { 0 };
	struct file_view view = { 0 };
	struct key *key = mem_zalloc(sizeof(*key));
	for (size_t i = 0; i < KEY_TIMES; i++) {
		key->times[i] = KEY_TIME_NONE;
	}
	path_base(path, &base);
	buf_printf(&name, "%s.key", base.data);
	int err = file_read(name.data, KEYFILE_MAX, &view, em);
	if (err == E_OK) {
		err = public_parse(name.data, &view, key, em);
	}
	if (err != E_OK) {
		goto out;
	}
	base_name(key, &expected);
	if (strcmp(last_part(base.data), expected.data) != 0) {
		err = err_set(em, E_MISMATCH,
			      "%s: holds the key that belongs into %s.key; rename it back",
			      name.data, expected.data);
		goto out;
	}
	buf_reset(&name);
	buf_printf(&name, "%s.private", base.data);
	if (need == KEYFILE_PAIR || access(name.data, F_OK) == 0) {
		err = read_private(name.data, key, em);
	}
	if (err == E_OK) {
		key->path = mem_str(base.data, base.len);
		*out = key;
		key = NULL;
	}
out:
	key_free(key);
	file_view_clear(&view);
	buf_clear(&base);
	buf_clear(&name);
	buf_clear(&expected);
	return err;
}

/* --- directories ----------------------------------------------------------------------------- */

static int key_compare(const void *a, const void *b)
{
	const struct key *x = *(const struct key *const *)a;
	const struct key *y = *(const struct key *const *)b;
	int diff = x->algorithm - y->algorithm;
	return diff != 0 ? diff : x->tag - y->tag;
}

int keyfile_read_dir(const char *dir, const uint8_t *zone, enum keyfile_need need,
		     struct keyset *out, struct errmsg *em)
{
	struct key probe = { 0 };
	struct buf prefix = { 0 };
	struct buf path = { 0 };
	DIR *d = opendir(dir);
	if (d == NULL) {
		int failed = errno;
		return err_set(em, err_from_errno(failed), "%s: cannot open the key directory: %s",
			       dir, strerror(failed));
	}
	dname_set(&probe.zone, zone);
	base_name(&probe, &prefix);
	prefix.len -= strlen("+000+00000") - 1; /* up to and with the first plus */
	int err = E_OK;
	for (struct dirent *e = readdir(d); e != NULL && err == E_OK; e = readdir(d)) {
		struct key *key = NULL;
		if (strncmp(e->d_name, prefix.data, prefix.len) != 0 ||
		    !has_suffix(e->d_name, ".key")) {
			continue;
		}
		buf_reset(&path);
		buf_printf(&path, "%s/%s", dir, e->d_name);
		err = keyfile_read(path.data, need, &key, em);
		if (err == E_OK) {
			keyset_add(out, key);
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

/* --- writing --------------------------------------------------------------------------------- */

static void public_text(const struct key *key, struct buf *out)
{
	uint8_t rdata[KEY_RDATA_MAX];
	size_t len = key_rdata(key, rdata);
	buf_printf(out, "; This is a %s key, keyid %u, for ",
		   (key->flags & KEY_FLAG_REVOKE) != 0 ? "revoked key-signing"
		   : key_is_ksk(key)		       ? "key-signing"
						       : "zone-signing",
		   key->tag);
	dname_print(out, key->zone.wire);
	buf_char(out, '\n');
	for (size_t i = 0; i < KEY_TIMES; i++) {
		if (key->times[i] != KEY_TIME_NONE) {
			char digits[TIME_TEXT14_LEN + 1];
			char human[32];
			time_to_text14(key->times[i], digits);
			time_to_ctime(key->times[i], human);
			buf_printf(out, "; %s: %s (%s)\n", time_fields[i], digits, human);
		}
	}
	dname_print(out, key->zone.wire);
	buf_str(out, " IN DNSKEY ");
	rdata_to_text(RRTYPE_DNSKEY, rdata, len, out);
	buf_char(out, '\n');
}

/* A buffer with secrets: grown before, so that no copy stays behind. */
static int private_text(const struct key *key, struct buf *out)
{
	struct crypto_part parts[CRYPTO_PARTS_MAX];
	size_t count;
	const struct algorithm *a = algorithm_find(key->algorithm);
	int err = crypto_key_to_parts(key->pair, parts, &count);
	if (err != E_OK) {
		return err;
	}
	(void)buf_reserve(out, KEYFILE_MAX);
	buf_printf(out, "Private-key-format: v1.3\nAlgorithm: %u (%s)\n", key->algorithm, a->name);
	for (size_t i = 0; i < count; i++) {
		const struct secret *s = &parts[i].value;
		buf_printf(out, "%s: ", parts[i].field);
		text_to_base64(s->data, s->len, buf_reserve(out, TEXT_BASE64_LEN(s->len)));
		buf_grew(out, TEXT_BASE64_LEN(s->len));
		buf_char(out, '\n');
	}
	crypto_parts_clear(parts, count);
	for (size_t i = 0; i < KEY_TIMES; i++) {
		if (key->times[i] != KEY_TIME_NONE) {
			char digits[TIME_TEXT14_LEN + 1];
			time_to_text14(key->times[i], digits);
			buf_printf(out, "%s: %s\n", time_fields[i], digits);
		}
	}
	return E_OK;
}

/* Writes a file as far as disk full or permissions can be in the way; commit is what is left to do. */
static int prepare(struct file_out *f, const char *path, mode_t mode, const struct buf *text,
		   struct errmsg *em)
{
	int err = file_out_open(f, path, mode, em);
	if (err != E_OK) {
		return err;
	}
	file_out_write(f, text->data, text->len);
	return file_out_sync(f, em);
}

static int prepare_private(const struct key *key, const char *path, struct file_out *f,
			   struct errmsg *em)
{
	struct buf text = { 0 };
	int err = private_text(key, &text);
	if (err == E_OK) {
		err = prepare(f, path, 0600, &text, em);
	} else {
		err_set(em, err, "%s: cannot print the private key: %s", path, err_text(err));
	}
	mem_wipe(text.data, text.cap);
	buf_clear(&text);
	return err;
}

static int prepare_public(const struct key *key, const char *path, struct file_out *f,
			  struct errmsg *em)
{
	struct buf text = { 0 };
	public_text(key, &text);
	int err = prepare(f, path, 0644, &text, em);
	buf_clear(&text);
	return err;
}

/* Both files are complete on disk before the first gets its name. The private one is the first: a public key
 * without its private half would be used by nobody. @is_new: no files have these names yet. */
static int write_both(const struct key *key, const char *base, bool is_new, struct errmsg *em)
{
	struct file_out private = { .fd = -1 };
	struct file_out public = { .fd = -1 };
	struct buf private_path = { 0 };
	struct buf public_path = { 0 };
	bool pair = crypto_key_is_private(key->pair);
	int err = E_OK;
	buf_printf(&private_path, "%s.private", base);
	buf_printf(&public_path, "%s.key", base);
	if (pair) {
		err = prepare_private(key, private_path.data, &private, em);
	}
	if (err == E_OK) {
		err = prepare_public(key, public_path.data, &public, em);
	}
	if (err == E_OK && pair) {
		err = file_out_commit(&private, em);
	}
	if (err == E_OK) {
		err = file_out_commit(&public, em);
	}
	if (err != E_OK && is_new) {
		(void)unlink(private_path.data);
		(void)unlink(public_path.data);
	}
	file_out_abort(&private);
	file_out_abort(&public);
	buf_clear(&private_path);
	buf_clear(&public_path);
	return err;
}

/* E_EXIST when there is a file of that name: another key's, which must not be lost. */
static int refuse_taken(const char *base, struct errmsg *em)
{
	static const char *const suffixes[] = { ".key", ".private" };
	struct buf path = { 0 };
	int err = E_OK;
	for (size_t i = 0; i < ARRAY_LEN(suffixes) && err == E_OK; i++) {
		buf_reset(&path);
		buf_printf(&path, "%s%s", base, suffixes[i]);
		if (access(path.data, F_OK) == 0) {
			err = err_set(em, E_EXIST,
				      "%s: is there already and is not overwritten; "
				      "move it away first",
				      path.data);
		}
	}
	buf_clear(&path);
	return err;
}

int keyfile_create(const char *dir, struct key *key, struct errmsg *em)
{
	struct buf base = { 0 };
	buf_printf(&base, "%s/", dir);
	base_name(key, &base);
	int err = refuse_taken(base.data, em);
	if (err == E_OK) {
		err = write_both(key, base.data, true, em);
	}
	if (err == E_OK) {
		mem_free(key->path);
		key->path = mem_str(base.data, base.len);
	}
	buf_clear(&base);
	return err;
}

int keyfile_update(struct key *key, struct errmsg *em)
{
	struct buf base = { 0 };
	struct buf old = { 0 };
	const char *name = last_part(key->path);
	uint8_t rdata[KEY_RDATA_MAX];
	key->tag = key_tag_of(rdata, key_rdata(key, rdata));
	buf_add(&base, key->path, (size_t)(name - key->path));
	base_name(key, &base);
	bool renamed = strcmp(base.data, key->path) != 0;
	int err = renamed ? refuse_taken(base.data, em) : E_OK;
	if (err == E_OK) {
		err = write_both(key, base.data, renamed, em);
	}
	if (err == E_OK && renamed) {
		/* Revoking changes the tag and so the name; the old files would be another key's. */
		buf_printf(&old, "%s.key", key->path);
		(void)unlink(old.data);
		buf_reset(&old);
		buf_printf(&old, "%s.private", key->path);
		(void)unlink(old.data);
		mem_free(key->path);
		key->path = mem_str(base.data, base.len);
	}
	buf_clear(&base);
	buf_clear(&old);
	return err;
}

/* keys/keyfile_write.c - key files made and changed: both are there in full, or neither is. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keys/algorithm.h"
#include "keys/keyfile.h"
#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/dns/rdata.h"

void keyfile_print_public(const struct key *key, struct buf *out)
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
	for (enum key_time i = 0; i < KEY_TIMES; i++) {
		if (key->times[i] != KEY_TIME_NONE) {
			char digits[TIME_TEXT14_LEN + 1];
			char human[32];
			time_to_text14(key->times[i], digits);
			time_to_ctime(key->times[i], human);
			buf_printf(out, "; %s: %s (%s)\n", key_time_field(i), digits, human);
		}
	}
	dname_print(out, key->zone.wire);
	if (key->has_ttl) {
		buf_printf(out, " %u", key->ttl_s);
	}
	buf_str(out, " IN DNSKEY ");
	rdata_to_text(RRTYPE_DNSKEY, rdata, len, out);
	buf_char(out, '\n');
}

int keyfile_print_private(const struct key *key, struct buf *out)
{
	struct crypto_part parts[CRYPTO_PARTS_MAX];
	size_t count;
	const struct algorithm *a = algorithm_find(key->algorithm);
	int err = crypto_key_to_parts(key->pair, parts, &count);
	if (err != E_OK) {
		return err;
	}
	(void)buf_reserve(out, 2 * KEYFILE_MAX); /* at once, so that no copy stays behind */
	buf_printf(out, "Private-key-format: v1.3\nAlgorithm: %u (%s)\n", key->algorithm, a->name);
	for (size_t i = 0; i < count; i++) {
		const struct secret *s = &parts[i].value;
		buf_printf(out, "%s: ", parts[i].field);
		text_to_base64(s->data, s->len, buf_reserve(out, TEXT_BASE64_LEN(s->len)));
		buf_grew(out, TEXT_BASE64_LEN(s->len));
		buf_char(out, '\n');
	}
	crypto_parts_clear(parts, count);
	for (enum key_time i = 0; i < KEY_TIMES; i++) {
		if (key->times[i] != KEY_TIME_NONE) {
			char digits[TIME_TEXT14_LEN + 1];
			time_to_text14(key->times[i], digits);
			buf_printf(out, "%s: %s\n", key_time_field(i), digits);
		}
	}
	if (key->extra != NULL) {
		buf_str(out, key->extra);
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
	int err = keyfile_print_private(key, &text);
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
	keyfile_print_public(key, &text);
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
	keyfile_name(key, &base);
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
	const char *slash = strrchr(key->path, '/');
	const char *name = slash != NULL ? slash + 1 : key->path;
	uint8_t rdata[KEY_RDATA_MAX];
	key->tag = key_tag_of(rdata, key_rdata(key, rdata));
	buf_add(&base, key->path, (size_t)(name - key->path));
	keyfile_name(key, &base);
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

/* keys/signet-keymgr.c - makes, lists, times, imports and exports keys. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "keys/algorithm.h"
#include "keys/keyfile.h"
#include "keys/keymgr_options.h"
#include "keys/tsig_key.h"
#include "zones/base/buf.h"
#include "zones/base/file.h"
#include "zones/base/program.h"
#include "zones/base/time.h"
#include "zones/dns/rdata.h"

#define PEM_MAX ((size_t)64 << 10)

static int failed(const struct errmsg *em, int err)
{
	(void)fprintf(stderr, "signet-keymgr: %s\n",
		      em->text[0] != '\0' ? em->text : err_text(err));
	return KEYMGR_BAD;
}

/* A line of its own for each that is in @lines. */
static void warn(const char *lines)
{
	for (const char *nl; (nl = strchr(lines, '\n')) != NULL; lines = nl + 1) {
		(void)fprintf(stderr, "signet-keymgr: warning: passed over: %.*s\n",
			      (int)(nl - lines), lines);
	}
}

/* --- commands -------------------------------------------------------------------------------- */

static int list_algorithms(void)
{
	const struct algorithm *a;
	for (size_t i = 0; (a = algorithm_at(i)) != NULL; i++) {
		(void)printf("%3u %-16s %s\n", a->number, a->name,
			     a->reason != NULL ? a->reason : "signs and verifies");
	}
	return KEYMGR_GOOD;
}

/* The algorithm of -a, fit for new keys; NULL: said why not. */
static const struct algorithm *wanted_algorithm(const struct keymgr_options *o)
{
	const char *text = o->algorithm != NULL ? o->algorithm : "ECDSAP256SHA256";
	const struct algorithm *a = algorithm_from_text(text);
	if (a == NULL) {
		(void)keymgr_misuse("\"%s\" is no algorithm; -a list lists them", text);
	} else if (a->use != ALGORITHM_FULL) {
		(void)keymgr_misuse("%s makes no new keys: %s", a->name, a->reason);
		a = NULL;
	}
	return a;
}

static bool zone_arg(const char *text, struct dname *zone)
{
	struct errmsg em;
	if (dname_from_text(zone, text, strlen(text), dname_root, &em) == E_OK) {
		return true;
	}
	(void)keymgr_misuse("\"%s\" is no zone name: %s", text, em.text);
	return false;
}

static void take_times(const struct keymgr_options *o, struct key *k)
{
	for (enum key_time i = 0; i < KEY_TIMES; i++) {
		if (o->have_time[i]) {
			k->times[i] = o->times[i];
		}
	}
}

/* A key as the options have it; one that is not told otherwise is in use from now on. */
static struct key *wanted_key(const struct keymgr_options *o, const struct dname *zone,
			      uint8_t algorithm)
{
	const uint16_t flags = (uint16_t)(KEY_FLAG_ZONE | (o->sep ? KEY_FLAG_SEP : 0));
	struct key *k = key_new(zone->wire, algorithm, flags, o->now);
	take_times(o, k);
	k->has_ttl = o->has_ttl;
	k->ttl_s = o->ttl_s;
	return k;
}

/* Writes a new key beside the others of its zone and prints its name. */
static int key_store(const struct keymgr_options *o, struct key *k)
{
	struct errmsg em = { "" };
	int err = keyfile_create(o->key_dir, k, &em);
	if (err != E_OK) {
		return failed(&em, err);
	}
	const char *slash = strrchr(k->path, '/');
	(void)puts(slash != NULL ? slash + 1 : k->path);
	return KEYMGR_GOOD;
}

/* The other keys of the zone, as far as their records can be read: their tags matter. */
static int read_others(const struct keymgr_options *o, const struct dname *zone,
		       struct keyset *others)
{
	struct errmsg em = { "" };
	struct buf skipped = { 0 };
	const struct keyfile_search s = {
		.dir = o->key_dir, .zone = zone->wire, .need = KEYFILE_RECORD, .skipped = &skipped
	};
	int err = keyfile_search(&s, others, &em);
	if (err != E_OK) {
		(void)failed(&em, err);
	} else if (skipped.data != NULL) {
		warn(skipped.data);
	}
	buf_clear(&skipped);
	return err;
}

static int command_generate(const struct keymgr_options *o)
{
	struct dname zone;
	struct keyset others = { 0 };
	struct errmsg em = { "" };
	if (o->algorithm != NULL && strcmp(o->algorithm, "list") == 0) {
		return list_algorithms();
	}
	const struct algorithm *a = wanted_algorithm(o);
	if (a == NULL || o->count != 1 || !zone_arg(o->args[0], &zone)) {
		return a != NULL && o->count != 1 ? keymgr_misuse("generate takes one zone name")
						  : KEYMGR_MISUSE;
	}
	if (read_others(o, &zone, &others) != E_OK) {
		return KEYMGR_BAD;
	}
	struct key *k = wanted_key(o, &zone, a->number);
	int err = key_make_pair(k, o->bits, &others, &em);
	int status = err == E_OK      ? key_store(o, k)
		     : err == E_RANGE ? keymgr_misuse("%s keys have %u to %u bits", a->name,
						      a->bits_min, a->bits_max)
				      : failed(&em, err);
	key_free(k);
	keyset_clear(&others);
	return status;
}

static const char *const time_names[KEY_TIMES] = {
	[KEY_CREATED] = "Created",	     [KEY_PUBLISH] = "Publish",
	[KEY_ACTIVATE] = "Activate",	     [KEY_REVOKE] = "Revoke",
	[KEY_INACTIVE] = "Inactive",	     [KEY_DELETE] = "Delete",
	[KEY_SYNC_PUBLISH] = "SYNC Publish", [KEY_SYNC_DELETE] = "SYNC Delete",
	[KEY_DS_PUBLISH] = "DS Publish",     [KEY_DS_REMOVE] = "DS Delete",
};

static const char *state_of(const struct keymgr_options *o, const struct key *k)
{
	const bool is_elsewhere = key_is_published(k, o->now) && key_is_active(k, o->now) &&
				  !key_is_revoked(k, o->now) && !crypto_key_is_private(k->pair);
	return is_elsewhere ? "active, private key elsewhere" : key_state_text(k, o->now);
}

static int command_list(const struct keymgr_options *o)
{
	struct dname zone;
	struct keyset keys = { 0 };
	struct buf skipped = { 0 };
	struct errmsg em = { "" };
	if (o->count != 1) {
		return keymgr_misuse("list takes one zone name");
	}
	if (!zone_arg(o->args[0], &zone)) {
		return KEYMGR_MISUSE;
	}
	const struct keyfile_search s = {
		.dir = o->key_dir, .zone = zone.wire, .need = KEYFILE_PUBLIC, .skipped = &skipped
	};
	int err = keyfile_search(&s, &keys, &em);
	if (err != E_OK) {
		return failed(&em, err);
	}
	for (size_t i = 0; i < keys.count; i++) {
		const struct key *k = keys.keys[i];
		(void)printf("%05u %s %-15s %4u bits  %s", k->tag, key_is_ksk(k) ? "KSK" : "ZSK",
			     algorithm_find(k->algorithm)->name, crypto_key_bits(k->pair),
			     state_of(o, k));
		for (enum key_time t = 0; t < KEY_TIMES; t++) {
			char text[TIME_TEXT14_LEN + 1];
			if (k->times[t] != KEY_TIME_NONE) {
				time_to_text14(k->times[t], text);
				(void)printf("  %s=%s", time_names[t], text);
			}
		}
		(void)printf("\n");
	}
	if (skipped.data != NULL) {
		warn(skipped.data);
	}
	if (keys.count == 0) {
		(void)fprintf(stderr, "signet-keymgr: no keys of %s in %s\n", o->args[0],
			      o->key_dir);
	}
	int status = keys.count != 0 && skipped.len == 0 ? KEYMGR_GOOD : KEYMGR_BAD;
	buf_clear(&skipped);
	keyset_clear(&keys);
	return status;
}

/* The key that a command names; NULL: said why not. */
static struct key *key_arg(const struct keymgr_options *o, enum keyfile_need need)
{
	struct key *k = NULL;
	struct errmsg em = { "" };
	struct buf path = { 0 };
	if (o->count != 1) {
		(void)keymgr_misuse("name one key file");
		return NULL;
	}
	bool bare = strchr(o->args[0], '/') == NULL;
	buf_printf(&path, "%s%s%s", bare ? o->key_dir : "", bare ? "/" : "", o->args[0]);
	int err = keyfile_read(path.data, need, &k, &em);
	if (err != E_OK) {
		(void)failed(&em, err);
	}
	buf_clear(&path);
	return k;
}

static int update(struct key *k)
{
	struct errmsg em = { "" };
	int err = keyfile_update(k, &em);
	if (err != E_OK) {
		return failed(&em, err);
	}
	(void)puts(k->path);
	return KEYMGR_GOOD;
}

static int command_settime(const struct keymgr_options *o)
{
	bool change = o->any_time || o->any_ttl;
	bool print = o->print_times || !change;
	struct key *k = key_arg(o, change ? KEYFILE_PAIR : KEYFILE_PUBLIC);
	int status = KEYMGR_GOOD;
	if (k == NULL) {
		return KEYMGR_BAD;
	}
	take_times(o, k);
	if (o->any_ttl) {
		k->has_ttl = o->has_ttl;
		k->ttl_s = o->ttl_s;
	}
	if (change) {
		status = update(k);
	}
	for (enum key_time t = 0; print && t < KEY_TIMES; t++) {
		char text[32] = "UNSET";
		if (k->times[t] != KEY_TIME_NONE) {
			time_to_ctime(k->times[t], text);
		}
		(void)printf("%s: %s\n", time_names[t], text);
	}
	key_free(k);
	return status;
}

static int print_ds(const struct key *k, uint16_t type, uint8_t digest)
{
	uint8_t rdata[4 + CRYPTO_DIGEST_MAX];
	struct buf out = { 0 };
	int n = key_ds(k, digest, rdata, sizeof(rdata));
	if (n < 0) {
		return n;
	}
	dname_print(&out, k->zone.wire);
	buf_str(&out, type == RRTYPE_DS ? " IN DS " : " IN CDS ");
	rdata_to_text(type, rdata, (size_t)n, &out);
	(void)puts(out.data);
	buf_clear(&out);
	return E_OK;
}

static int command_ds(const struct keymgr_options *o)
{
	struct key *k = key_arg(o, KEYFILE_PUBLIC);
	struct errmsg em = { "" };
	if (k == NULL) {
		return KEYMGR_BAD;
	}
	int err = o->sha256 ? print_ds(k, RRTYPE_DS, 2) : E_OK;
	if (err == E_OK && o->sha384) {
		err = print_ds(k, RRTYPE_DS, 4);
	}
	key_free(k);
	return err == E_OK ? KEYMGR_GOOD : failed(&em, err);
}

static int command_cds(const struct keymgr_options *o)
{
	struct key *k = key_arg(o, KEYFILE_PUBLIC);
	struct errmsg em = { "" };
	struct buf out = { 0 };
	uint8_t rdata[KEY_RDATA_MAX];
	if (k == NULL) {
		return KEYMGR_BAD;
	}
	int err = print_ds(k, RRTYPE_CDS, 2);
	if (err == E_OK) {
		dname_print(&out, k->zone.wire);
		buf_str(&out, " IN CDNSKEY ");
		rdata_to_text(RRTYPE_CDNSKEY, rdata, key_rdata(k, rdata), &out);
		(void)puts(out.data);
	}
	buf_clear(&out);
	key_free(k);
	return err == E_OK ? KEYMGR_GOOD : failed(&em, err);
}

/* Is it another key's? Then what is taken over would be confused with that one. */
static int refuse_taken_tag(const struct keymgr_options *o, const struct key *k, struct errmsg *em)
{
	struct keyset others = { 0 };
	struct buf name = { 0 };
	int err = read_others(o, &k->zone, &others);
	const struct key *taken = err == E_OK ? keyset_find_tag(&others, k) : NULL;
	if (taken != NULL) {
		size_t len, their_len;
		const uint8_t *ours = crypto_key_public(k->pair, &len);
		const uint8_t *theirs = crypto_key_public(taken->pair, &their_len);
		keyfile_name(taken, &name);
		/* The same key again is for keyfile_create to refuse. */
		if (taken->algorithm != k->algorithm || taken->flags != k->flags ||
		    len != their_len || memcmp(ours, theirs, len) != 0) {
			err = err_set(
				em, E_EXIST,
				"key tag %u: is that of %s as well, or once one of them is revoked; "
				"make a new key instead",
				k->tag, name.data);
		}
	}
	buf_clear(&name);
	keyset_clear(&others);
	return err;
}

/* Stores a key that was made elsewhere. */
static int key_take_over(const struct keymgr_options *o, struct key *k)
{
	struct errmsg em = { "" };
	int err = refuse_taken_tag(o, k, &em);
	if (err != E_OK) {
		return em.text[0] != '\0' ? failed(&em, err) : KEYMGR_BAD;
	}
	return key_store(o, k);
}

/* Why a PEM file gives no key; @a is the algorithm that was asked for, or NULL. */
static int pem_refused(const char *path, const struct algorithm *a, int err, struct errmsg *em)
{
	switch (err) {
	case E_PERM:
		return err_set(em, err,
			       "%s: is encrypted; decrypt it with: openssl pkey -in %s -out FILE",
			       path, path);
	case E_SYNTAX:
		return err_set(
			em, err,
			"%s: found no private key in PEM form (\"-----BEGIN PRIVATE KEY-----\")",
			path);
	case E_UNSUPPORTED:
		return err_set(em, err,
			       "%s: holds a key of another kind, expected %s; -a list lists all",
			       path, a != NULL ? a->name : "RSA, P-256, P-384, Ed25519 or Ed448");
	case E_MISMATCH:
		return err_set(
			em, err,
			"%s: its halves do not belong together; restore the file from a copy",
			path);
	case E_INVAL:
		return err_set(em, err,
			       "%s: holds an RSA key of another size than " CRYPTO_RSA_LIMITS,
			       path);
	default:
		return err_set(em, err, "%s: %s", path, err_text(err));
	}
}

static int import_pem(const struct keymgr_options *o)
{
	struct dname zone;
	struct file_view view = { 0 };
	struct errmsg em = { "" };
	struct crypto_key *pair = NULL;
	const struct algorithm *a = o->algorithm != NULL ? wanted_algorithm(o) : NULL;
	if ((o->algorithm != NULL && a == NULL) || !zone_arg(o->args[0], &zone)) {
		return KEYMGR_MISUSE;
	}
	int err = file_read(o->args[1], PEM_MAX, &view, &em);
	if (err != E_OK) {
		return failed(&em, err);
	}
	int status = KEYMGR_BAD;
	err = crypto_key_from_pem(a != NULL ? a->number : 0, view.data, view.len, &pair);
	if (err != E_OK) {
		(void)failed(&em, pem_refused(o->args[1], a, err, &em));
	} else {
		struct key *k = wanted_key(o, &zone, crypto_key_algorithm(pair));
		k->pair = pair;
		k->tag = key_tag_with(k, k->flags);
		status = key_take_over(o, k);
		key_free(k);
	}
	mem_wipe(view.data, view.len);
	file_view_clear(&view);
	return status;
}

static int command_import(const struct keymgr_options *o)
{
	if (o->count == 2) {
		return import_pem(o);
	}
	struct errmsg em = { "" };
	struct key *k = NULL;
	if (o->count != 1) {
		return keymgr_misuse("import takes ZONE and a PEM file, or the name of a key file");
	}
	if (o->for_new_key) {
		return keymgr_misuse(
			"a key file that is taken over keeps what it says; -a, -f, -L and times go with PEM files");
	}
	int err = keyfile_read(o->args[0], KEYFILE_PAIR, &k, &em);
	if (err != E_OK) {
		return failed(&em, err);
	}
	if (k->times[KEY_CREATED] == KEY_TIME_NONE) {
		k->times[KEY_CREATED] = o->now;
	}
	int status = key_take_over(o, k);
	key_free(k);
	return status;
}

static int command_export(const struct keymgr_options *o)
{
	struct key *k = key_arg(o, KEYFILE_PAIR);
	struct secret pem = { 0 };
	struct errmsg em = { "" };
	if (k == NULL) {
		return KEYMGR_BAD;
	}
	int err = crypto_key_to_pem(k->pair, &pem);
	if (err == E_OK && fwrite(pem.data, pem.len, 1, stdout) != 1) {
		err = E_IO;
	}
	secret_clear(&pem);
	key_free(k);
	return err == E_OK ? KEYMGR_GOOD : failed(&em, err);
}

static int command_revoke(const struct keymgr_options *o)
{
	struct key *k = key_arg(o, KEYFILE_PAIR);
	if (k == NULL) {
		return KEYMGR_BAD;
	}
	k->flags |= KEY_FLAG_REVOKE;
	if (k->times[KEY_REVOKE] == KEY_TIME_NONE) {
		k->times[KEY_REVOKE] = o->now;
	}
	int status = update(k);
	key_free(k);
	return status;
}

static int command_tsig(const struct keymgr_options *o)
{
	struct dname name;
	struct errmsg em = { "" };
	struct buf text = { 0 };
	const char *wanted = o->algorithm != NULL ? o->algorithm : "hmac-sha256";
	const struct tsig_algorithm *a = tsig_algorithm_find(wanted);
	if (a == NULL) {
		return keymgr_misuse(
			"\"%s\" is no TSIG algorithm: hmac-sha256, hmac-sha384, hmac-sha512, "
			"hmac-sha224, hmac-sha1, hmac-md5",
			wanted);
	}
	if (o->count != 1) {
		return keymgr_misuse("tsig takes the name of the key");
	}
	if (strpbrk(o->args[0], "\"\\\n") != NULL || !zone_arg(o->args[0], &name)) {
		return keymgr_misuse("\"%s\" is no key name", o->args[0]);
	}
	if (a->remark != NULL) {
		(void)fprintf(stderr, "signet-keymgr: warning: %s\n", a->remark);
	}
	int err = tsig_key_generate(o->args[0], a, &text);
	if (err == E_OK) {
		err = file_write(o->output != NULL ? o->output : "-", 0600, text.data, text.len,
				 &em);
	}
	if (text.data != NULL) {
		mem_wipe(text.data, text.cap);
	}
	buf_clear(&text);
	return err == E_OK ? KEYMGR_GOOD : failed(&em, err);
}

int main(int argc, char **argv)
{
	static int (*const run[KEYMGR_COMMANDS])(const struct keymgr_options *) = {
		[KEYMGR_GENERATE] = command_generate, [KEYMGR_LIST] = command_list,
		[KEYMGR_SETTIME] = command_settime,   [KEYMGR_DS] = command_ds,
		[KEYMGR_CDS] = command_cds,	      [KEYMGR_IMPORT] = command_import,
		[KEYMGR_EXPORT] = command_export,     [KEYMGR_REVOKE] = command_revoke,
		[KEYMGR_TSIG] = command_tsig,
	};
	struct keymgr_options o;
	int status;
	program_begin("signet-keymgr");
	return keymgr_options_parse(argc, argv, (int64_t)time(NULL), &o, &status)
		       ? run[o.command](&o)
		       : status;
}

/* keys/signet-keymgr.c - makes, lists, times, imports and exports keys. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "keys/algorithm.h"
#include "keys/keyfile.h"
#include "keys/tsig_key.h"
#include "zones/base/buf.h"
#include "zones/base/file.h"
#include "zones/base/program.h"
#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/dns/rdata.h"

/* Exit status. */
enum { GOOD = 0, BAD = 1, MISUSE = 2 };

/* Tries to find a key whose tag no other key of the zone has: with some keys in a directory the
 * first one nearly always fits. */
#define TAG_TRIES 100
#define PEM_MAX	  ((size_t)64 << 10)

static const char usage_text[] =
	"usage: signet-keymgr COMMAND [options] ...\n"
	"\n"
	"commands\n"
	"  generate [options] ZONE   make a key of ZONE: a ZSK, or with -f KSK or CSK\n"
	"  list ZONE                 the keys of ZONE in the key directory, with roles and times\n"
	"  settime [times] KEY       change times of KEY; without times: print them\n"
	"  ds KEY                    the DS record for the parent (SHA-256, and SHA-384 with -2 384)\n"
	"  cds KEY                   the CDS and CDNSKEY records for KEY\n"
	"  import [options] ZONE FILE  take over a private key in PEM form\n"
	"  import KEY                take over a key file of BIND or ldns\n"
	"  export KEY                print the private key in PEM form\n"
	"  revoke KEY                set the REVOKE flag (RFC 5011); the key gets a new tag\n"
	"  tsig [-a ALG] NAME        print a TSIG key file; with -o FILE write it, readable by you only\n"
	"\n"
	"KEY is a file name such as Kexample.com.+013+12345, with or without .key or .private.\n"
	"\n"
	"options\n"
	"  -K DIR        key directory (default: .)\n"
	"  -a ALG        algorithm (default: ECDSAP256SHA256; tsig: hmac-sha256); -a list lists them\n"
	"  -b BITS       size of an RSA key (default: 2048)\n"
	"  -f ROLE       KSK or CSK: set the SEP flag\n"
	"  -3            only algorithms that go with NSEC3 (all that make signatures do)\n"
	"  -2 BITS       digest of ds: 256, 384 or both (default: 256)\n"
	"  -o FILE       tsig: write the key to FILE\n"
	"  -p            settime: print all times\n"
	"  -P TIME       publish; -P sync TIME: CDS and CDNSKEY; -P ds TIME: DS seen at the parent\n"
	"  -A TIME       sign from TIME on (activate)\n"
	"  -R TIME       revoke\n"
	"  -I TIME       no longer sign (inactive)\n"
	"  -D TIME       delete; -D sync TIME: CDS and CDNSKEY; -D ds TIME: DS gone from the parent\n"
	"  -L TTL        accepted for compatibility; the zone decides the TTL of its DNSKEY set\n"
	"  -h, --help    this text\n"
	"  -V, --version\n"
	"\n"
	"TIME is YYYYMMDDHHmmSS, YYYYMMDD, now, +N, -N or now+N with units s m h d w y, or none.\n";

struct options {
	const char *key_dir;
	const char *algorithm;
	const char *output;
	uint32_t bits;
	bool sep;
	bool print_times;
	unsigned digests; /* bit 0: SHA-256, bit 1: SHA-384 */
	int64_t now;
	int64_t times[KEY_TIMES];
	bool have_time[KEY_TIMES];
	bool any_time;
};

static PRINTF(1, 2) int misuse(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)fprintf(stderr, "signet-keymgr: ");
	(void)vfprintf(stderr, fmt, ap);
	(void)fprintf(stderr, "; try --help\n");
	va_end(ap);
	return MISUSE;
}

static int failed(const struct errmsg *em, int err)
{
	(void)fprintf(stderr, "signet-keymgr: %s\n",
		      em->text[0] != '\0' ? em->text : err_text(err));
	return BAD;
}

/* --- options --------------------------------------------------------------------------------- */

static int option_time(struct options *o, enum key_time which, const char *arg)
{
	int64_t t = KEY_TIME_NONE;
	if (strcmp(arg, "none") != 0 && time_from_option(arg, o->now, &t) != E_OK) {
		return misuse("\"%s\" is no time such as 20261124000000, +30d, now or none", arg);
	}
	o->times[which] = t;
	o->have_time[which] = true;
	o->any_time = true;
	return GOOD;
}

/* -P and -D take "sync TIME" and "ds TIME" as well: the second word is the next argument. */
static int option_sync_time(struct options *o, const enum key_time which[3], int argc, char **argv)
{
	enum key_time w = which[0];
	const char *arg = optarg;
	if (strcmp(arg, "sync") == 0 || strcmp(arg, "ds") == 0) {
		w = arg[0] == 's' ? which[1] : which[2];
		if (optind >= argc) {
			return misuse("\"%s\" needs a time behind it", arg);
		}
		arg = argv[optind++];
	}
	return option_time(o, w, arg);
}

static int option_role(struct options *o, const char *arg)
{
	o->sep = true;
	if (text_equal(arg, strlen(arg), "KSK") || text_equal(arg, strlen(arg), "CSK")) {
		return GOOD;
	}
	return misuse("\"%s\" is no role: KSK or CSK; a ZSK needs no -f", arg);
}

static int option_digest(struct options *o, const char *arg)
{
	static const char *const names[] = { "256", "384", "both" };
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(arg, names[i]) == 0) {
			o->digests = i + 1;
			return GOOD;
		}
	}
	return misuse("\"%s\" is no digest: 256, 384 or both", arg);
}

static int parse_option(struct options *o, int c, int argc, char **argv)
{
	static const enum key_time publish[] = { KEY_PUBLISH, KEY_SYNC_PUBLISH, KEY_DS_PUBLISH };
	static const enum key_time delete[] = { KEY_DELETE, KEY_SYNC_DELETE, KEY_DS_REMOVE };
	int64_t ttl;
	switch (c) {
	case 'K':
		o->key_dir = optarg;
		return GOOD;
	case 'a':
		o->algorithm = optarg;
		return GOOD;
	case 'b':
		return text_to_u32(optarg, strlen(optarg), 4096, &o->bits) == E_OK
			       ? GOOD
			       : misuse("\"%s\" is no key size up to 4096", optarg);
	case 'f':
		return option_role(o, optarg);
	case '3':
		return GOOD;
	case '2':
		return option_digest(o, optarg);
	case 'o':
		o->output = optarg;
		return GOOD;
	case 'p':
		o->print_times = true;
		return GOOD;
	case 'P':
		return option_sync_time(o, publish, argc, argv);
	case 'A':
		return option_time(o, KEY_ACTIVATE, optarg);
	case 'R':
		return option_time(o, KEY_REVOKE, optarg);
	case 'I':
		return option_time(o, KEY_INACTIVE, optarg);
	case 'D':
		return option_sync_time(o, delete, argc, argv);
	case 'L':
		return time_from_duration(optarg, strlen(optarg), INT32_MAX, &ttl) == E_OK
			       ? GOOD
			       : misuse("\"%s\" is no TTL", optarg);
	default:
		(void)fputs("try signet-keymgr --help\n", stderr);
		return MISUSE;
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
	return GOOD;
}

/* The algorithm of -a, fit for new keys; NULL: said why not. */
static const struct algorithm *wanted_algorithm(const struct options *o)
{
	const char *text = o->algorithm != NULL ? o->algorithm : "ECDSAP256SHA256";
	const struct algorithm *a = algorithm_from_text(text);
	if (a == NULL) {
		(void)misuse("\"%s\" is no algorithm; -a list lists them", text);
	} else if (a->use != ALGORITHM_FULL) {
		(void)misuse("%s makes no new keys: %s", a->name, a->reason);
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
	(void)misuse("\"%s\" is no zone name: %s", text, em.text);
	return false;
}

static uint16_t tag_with(const struct key *k, uint16_t flags)
{
	uint8_t rdata[KEY_RDATA_MAX];
	size_t len = key_rdata(k, rdata);
	be16_put(rdata, flags);
	return key_tag_of(rdata, len);
}

/* Would the key, now or once revoked, share its tag with another one of the zone (RFC 4034 App. B)? */
static bool tag_is_taken(const struct keyset *others, const struct key *k)
{
	for (size_t i = 0; i < others->count; i++) {
		const struct key *x = others->keys[i];
		uint16_t theirs[] = { tag_with(x, x->flags),
				      tag_with(x, x->flags | KEY_FLAG_REVOKE) };
		uint16_t ours[] = { tag_with(k, k->flags),
				    tag_with(k, k->flags | KEY_FLAG_REVOKE) };
		for (unsigned n = 0; n < 4; n++) {
			if (theirs[n / 2] == ours[n % 2]) {
				return true;
			}
		}
	}
	return false;
}

static struct key *key_new(const struct options *o, const struct dname *zone, uint8_t algorithm)
{
	struct key *k = mem_zalloc(sizeof(*k));
	k->zone = *zone;
	k->algorithm = algorithm;
	k->flags = (uint16_t)(KEY_FLAG_ZONE | (o->sep ? KEY_FLAG_SEP : 0));
	for (unsigned i = 0; i < KEY_TIMES; i++) {
		k->times[i] = o->have_time[i] ? o->times[i] : KEY_TIME_NONE;
	}
	k->times[KEY_CREATED] = o->now;
	/* A key that is not told otherwise is in use from now on. */
	if (!o->have_time[KEY_PUBLISH]) {
		k->times[KEY_PUBLISH] = o->now;
	}
	if (!o->have_time[KEY_ACTIVATE]) {
		k->times[KEY_ACTIVATE] = o->now;
	}
	return k;
}

/* Writes a new key beside the others of its zone and prints its name. */
static int key_store(const struct options *o, struct key *k)
{
	struct errmsg em = { "" };
	int err = keyfile_create(o->key_dir, k, &em);
	if (err != E_OK) {
		return failed(&em, err);
	}
	const char *slash = strrchr(k->path, '/');
	(void)puts(slash != NULL ? slash + 1 : k->path);
	return GOOD;
}

static int command_generate(struct options *o, char **args, int count)
{
	struct dname zone;
	struct keyset others = { 0 };
	struct errmsg em = { "" };
	if (o->algorithm != NULL && strcmp(o->algorithm, "list") == 0) {
		return list_algorithms();
	}
	const struct algorithm *a = wanted_algorithm(o);
	if (a == NULL || count != 1 || !zone_arg(args[0], &zone)) {
		return a != NULL && count != 1 ? misuse("generate takes one zone name") : MISUSE;
	}
	int err = keyfile_read_dir(o->key_dir, zone.wire, KEYFILE_PUBLIC, &others, &em);
	if (err != E_OK) {
		return failed(&em, err);
	}
	int status = BAD;
	struct key *k = key_new(o, &zone, a->number);
	unsigned tries = 0;
	do {
		crypto_key_free(k->pair);
		k->pair = NULL;
		err = crypto_key_generate(a->number, o->bits, &k->pair);
	} while (err == E_OK && tag_is_taken(&others, k) && ++tries < TAG_TRIES);
	if (err == E_RANGE) {
		status = misuse("%s keys have %u to %u bits", a->name, a->bits_min, a->bits_max);
	} else if (err != E_OK || tries == TAG_TRIES) {
		(void)failed(&em, err != E_OK ? err : E_EXIST);
	} else {
		k->tag = tag_with(k, k->flags);
		status = key_store(o, k);
	}
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

static const char *state_of(const struct options *o, const struct key *k)
{
	if (!key_is_published(k, o->now)) {
		bool gone = k->times[KEY_DELETE] != KEY_TIME_NONE && k->times[KEY_DELETE] <= o->now;
		return gone ? "deleted" : "future";
	}
	if (key_is_revoked(k, o->now)) {
		return "revoked";
	}
	if (!key_is_active(k, o->now)) {
		return "published";
	}
	return crypto_key_is_private(k->pair) ? "active" : "active, private key elsewhere";
}

static int command_list(struct options *o, char **args, int count)
{
	struct dname zone;
	struct keyset keys = { 0 };
	struct errmsg em = { "" };
	if (count != 1) {
		return misuse("list takes one zone name");
	}
	if (!zone_arg(args[0], &zone)) {
		return MISUSE;
	}
	int err = keyfile_read_dir(o->key_dir, zone.wire, KEYFILE_PUBLIC, &keys, &em);
	if (err != E_OK) {
		return failed(&em, err);
	}
	for (size_t i = 0; i < keys.count; i++) {
		const struct key *k = keys.keys[i];
		(void)printf("%05u %s %-15s %4u bits  %s", k->tag, key_is_ksk(k) ? "KSK" : "ZSK",
			     algorithm_find(k->algorithm)->name, crypto_key_bits(k->pair),
			     state_of(o, k));
		for (unsigned t = 0; t < KEY_TIMES; t++) {
			char text[TIME_TEXT14_LEN + 1];
			if (k->times[t] != KEY_TIME_NONE) {
				time_to_text14(k->times[t], text);
				(void)printf("  %s=%s", time_names[t], text);
			}
		}
		(void)printf("\n");
	}
	if (keys.count == 0) {
		(void)fprintf(stderr, "signet-keymgr: no keys of %s in %s\n", args[0], o->key_dir);
	}
	int status = keys.count != 0 ? GOOD : BAD;
	keyset_clear(&keys);
	return status;
}

/* The key that a command names; NULL: said why not. */
static struct key *key_arg(const struct options *o, char **args, int count, enum keyfile_need need)
{
	struct key *k = NULL;
	struct errmsg em = { "" };
	struct buf path = { 0 };
	if (count != 1) {
		(void)misuse("name one key file");
		return NULL;
	}
	bool bare = strchr(args[0], '/') == NULL;
	buf_printf(&path, "%s%s%s", bare ? o->key_dir : "", bare ? "/" : "", args[0]);
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
	return GOOD;
}

static int command_settime(struct options *o, char **args, int count)
{
	bool print = o->print_times || !o->any_time;
	struct key *k = key_arg(o, args, count, o->any_time ? KEYFILE_PAIR : KEYFILE_PUBLIC);
	int status = GOOD;
	if (k == NULL) {
		return BAD;
	}
	for (unsigned t = 0; t < KEY_TIMES; t++) {
		if (o->have_time[t]) {
			k->times[t] = o->times[t];
		}
	}
	if (o->any_time) {
		status = update(k);
	}
	for (unsigned t = 0; print && t < KEY_TIMES; t++) {
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

static int command_ds(struct options *o, char **args, int count)
{
	struct key *k = key_arg(o, args, count, KEYFILE_PUBLIC);
	struct errmsg em = { "" };
	if (k == NULL) {
		return BAD;
	}
	int err = (o->digests & 1) != 0 ? print_ds(k, RRTYPE_DS, 2) : E_OK;
	if (err == E_OK && (o->digests & 2) != 0) {
		err = print_ds(k, RRTYPE_DS, 4);
	}
	key_free(k);
	return err == E_OK ? GOOD : failed(&em, err);
}

static int command_cds(struct options *o, char **args, int count)
{
	struct key *k = key_arg(o, args, count, KEYFILE_PUBLIC);
	struct errmsg em = { "" };
	struct buf out = { 0 };
	uint8_t rdata[KEY_RDATA_MAX];
	if (k == NULL) {
		return BAD;
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
	return err == E_OK ? GOOD : failed(&em, err);
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
		return err_set(
			em, err,
			"%s: holds an RSA key of a size that RFC 5702 does not allow, expected 512 "
			"(RSASHA512: 1024) to 4096 bits and an exponent up to 64 bits",
			path);
	default:
		return err_set(em, err, "%s: %s", path, err_text(err));
	}
}

static int import_pem(struct options *o, char **args)
{
	struct dname zone;
	struct file_view view = { 0 };
	struct errmsg em = { "" };
	struct crypto_key *pair = NULL;
	const struct algorithm *a = o->algorithm != NULL ? wanted_algorithm(o) : NULL;
	if ((o->algorithm != NULL && a == NULL) || !zone_arg(args[0], &zone)) {
		return MISUSE;
	}
	int err = file_read(args[1], PEM_MAX, &view, &em);
	if (err != E_OK) {
		return failed(&em, err);
	}
	int status = BAD;
	err = crypto_key_from_pem(a != NULL ? a->number : 0, view.data, view.len, &pair);
	if (err != E_OK) {
		(void)failed(&em, pem_refused(args[1], a, err, &em));
	} else {
		struct key *k = key_new(o, &zone, crypto_key_algorithm(pair));
		k->pair = pair;
		k->tag = tag_with(k, k->flags);
		status = key_store(o, k);
		key_free(k);
	}
	mem_wipe(view.data, view.len);
	file_view_clear(&view);
	return status;
}

static int command_import(struct options *o, char **args, int count)
{
	if (count == 2) {
		return import_pem(o, args);
	}
	struct errmsg em = { "" };
	struct key *k = NULL;
	if (count != 1) {
		return misuse("import takes ZONE and a PEM file, or the name of a key file");
	}
	int err = keyfile_read(args[0], KEYFILE_PAIR, &k, &em);
	if (err != E_OK) {
		return failed(&em, err);
	}
	if (k->times[KEY_CREATED] == KEY_TIME_NONE) {
		k->times[KEY_CREATED] = o->now;
	}
	int status = key_store(o, k);
	key_free(k);
	return status;
}

static int command_export(struct options *o, char **args, int count)
{
	struct key *k = key_arg(o, args, count, KEYFILE_PAIR);
	struct secret pem = { 0 };
	struct errmsg em = { "" };
	if (k == NULL) {
		return BAD;
	}
	int err = crypto_key_to_pem(k->pair, &pem);
	if (err == E_OK && fwrite(pem.data, pem.len, 1, stdout) != 1) {
		err = E_IO;
	}
	secret_clear(&pem);
	key_free(k);
	return err == E_OK ? GOOD : failed(&em, err);
}

static int command_revoke(struct options *o, char **args, int count)
{
	struct key *k = key_arg(o, args, count, KEYFILE_PAIR);
	if (k == NULL) {
		return BAD;
	}
	k->flags |= KEY_FLAG_REVOKE;
	if (k->times[KEY_REVOKE] == KEY_TIME_NONE) {
		k->times[KEY_REVOKE] = o->now;
	}
	int status = update(k);
	key_free(k);
	return status;
}

static int command_tsig(struct options *o, char **args, int count)
{
	struct dname name;
	struct errmsg em = { "" };
	struct buf text = { 0 };
	const char *wanted = o->algorithm != NULL ? o->algorithm : "hmac-sha256";
	const struct tsig_algorithm *a = tsig_algorithm_find(wanted);
	if (a == NULL) {
		return misuse("\"%s\" is no TSIG algorithm: hmac-sha256, hmac-sha384, hmac-sha512, "
			      "hmac-sha224, hmac-sha1, hmac-md5",
			      wanted);
	}
	if (count != 1) {
		return misuse("tsig takes the name of the key");
	}
	if (strpbrk(args[0], "\"\\\n") != NULL || !zone_arg(args[0], &name)) {
		return misuse("\"%s\" is no key name", args[0]);
	}
	if (a->remark != NULL) {
		(void)fprintf(stderr, "signet-keymgr: warning: %s\n", a->remark);
	}
	int err = tsig_key_generate(args[0], a, &text);
	if (err == E_OK) {
		err = file_write(o->output != NULL ? o->output : "-", 0600, text.data, text.len,
				 &em);
	}
	if (text.data != NULL) {
		mem_wipe(text.data, text.cap);
	}
	buf_clear(&text);
	return err == E_OK ? GOOD : failed(&em, err);
}

static const struct {
	const char *name;
	int (*run)(struct options *o, char **args, int count);
} commands[] = {
	{ "generate", command_generate }, { "list", command_list },
	{ "settime", command_settime },	  { "ds", command_ds },
	{ "cds", command_cds },		  { "import", command_import },
	{ "export", command_export },	  { "revoke", command_revoke },
	{ "tsig", command_tsig },
};

int main(int argc, char **argv)
{
	static const struct option long_options[] = { { "help", no_argument, NULL, 'h' },
						      { "version", no_argument, NULL, 'V' },
						      { NULL, 0, NULL, 0 } };
	struct options o = { .key_dir = ".", .digests = 1, .now = (int64_t)time(NULL) };
	program_begin("signet-keymgr");
	int c;
	while ((c = getopt_long(argc, argv, "K:a:b:f:32:o:pP:A:R:I:D:L:hV", long_options, NULL)) !=
	       -1) {
		if (c == 'h') {
			(void)fputs(usage_text, stdout);
			return GOOD;
		}
		if (c == 'V') {
			(void)puts("signet-keymgr (Signet) " SIGNET_VERSION);
			return GOOD;
		}
		int status = parse_option(&o, c, argc, argv);
		if (status != GOOD) {
			return status;
		}
	}
	if (optind >= argc) {
		return misuse("no command given");
	}
	const char *names[ARRAY_LEN(commands) + 1] = { NULL };
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		names[i] = commands[i].name;
		if (strcmp(argv[optind], commands[i].name) == 0) {
			return commands[i].run(&o, argv + optind + 1, argc - optind - 1);
		}
	}
	const char *near = text_did_you_mean(argv[optind], names);
	return misuse("there is no command \"%s\"%s%s%s", argv[optind],
		      near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		      near != NULL ? "\"?" : "");
}

/* signer/signet-signzone.c - signs a zone file, with the options that dnssec-signzone users know. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keys/algorithm.h"
#include "keys/keyfile.h"
#include "signer/nsec3_hash.h"
#include "signer/sign.h"
#include "signer/touched.h"
#include "signer/zone_file.h"
#include "zones/base/buf.h"
#include "zones/base/mem.h"
#include "zones/base/program.h"
#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/check.h"
#include "zones/dns/rdata.h"
#include "zones/master.h"

/* Exit status. */
enum { GOOD = 0, BAD = 1, MISUSE = 2 };

#define DEFAULT_VALIDITY (30 * 86400)
#define DEFAULT_BACKDATE 3600
#define PROGRESS_NAMES	 100000 /* zones with fewer names are done before one looks */

static const char usage_text[] =
	"usage: signet-signzone [options] ZONEFILE [KEY...]\n"
	"Signs ZONEFILE and writes ZONEFILE.signed.\n"
	"\n"
	"zone and keys\n"
	"  -o ORIGIN     name of the zone (default: the owner of its SOA)\n"
	"  -f FILE       output file; \"-\" is standard output (default: ZONEFILE.signed)\n"
	"  -K DIR        directory of the key files (default: .)\n"
	"  -S            smart signing: all keys of the zone in DIR, by their timing metadata\n"
	"  -z            all keys sign all sets: KSK and ZSK roles do not matter\n"
	"  -x            only KSKs sign the DNSKEY set (always so where there is a KSK)\n"
	"  -T TTL        TTL of a DNSKEY set that is not in the zone yet (default: of the SOA)\n"
	"  -N HOW        serial: keep, increment, unixtime, date (default: keep)\n"
	"  -Z HASH       add a ZONEMD record: sha384 or sha512 (RFC 8976)\n"
	"\n"
	"denial of existence\n"
	"  -3 SALT       NSEC3 with SALT in hex; \"-\" is none, as RFC 9276 wants it\n"
	"  -H N          NSEC3 iterations (default 0; above 0 warned about, above 50 refused)\n"
	"  -A            opt-out: no NSEC3 for delegations without DS\n"
	"  -u            change the chain of a zone that is signed already\n"
	"\n"
	"signatures\n"
	"  -s TIME       start of validity: YYYYMMDDHHmmSS, +N, now-1h (default: an hour ago)\n"
	"  -e TIME       end of validity; +N counts from the start (default: start + 30 days)\n"
	"  -i N          keep signatures that are good for longer than N (default: a quarter of\n"
	"                the validity)\n"
	"  -j N          spread the ends over the last N seconds\n"
	"\n"
	"delegations\n"
	"  -d DIR        directory of dsset- files, read and written (default: .)\n"
	"  -g            take the DS sets of delegations from their dsset- files\n"
	"\n"
	"  -n N          threads (default: one per core)\n"
	"  -v LEVEL      0 quiet, 1 results (default), 2 more\n"
	"  -h, --help    this text\n"
	"  -V, --version\n";

struct options {
	const char *zone_file;
	const char *output;
	const char *key_dir;
	const char *ds_dir;
	const char *start, *end;
	struct dname origin;
	bool have_origin;
	bool smart;
	bool only_ksk;
	bool change_chain;
	bool child_ds;
	bool have_nsec3;
	int64_t interval; /* -1: not given */
	unsigned verbose;
	char **keys;
	int key_count;
	struct sign_policy policy;
};

static PRINTF(1, 2) int misuse(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)fprintf(stderr, "signet-signzone: ");
	(void)vfprintf(stderr, fmt, ap);
	(void)fprintf(stderr, "; try --help\n");
	va_end(ap);
	return MISUSE;
}

static int option_seconds(const char *arg, int64_t *out)
{
	if (time_from_duration(arg, strlen(arg), UINT32_MAX, out) == E_OK) {
		return GOOD;
	}
	return misuse("\"%s\" is no duration such as 3600 or 2w", arg);
}

static int option_number(const char *arg, uint32_t max, uint32_t *out)
{
	return text_to_u32(arg, strlen(arg), max, out) == E_OK
		       ? GOOD
		       : misuse("\"%s\" is not a number in range", arg);
}

static int option_salt(struct options *o, const char *arg)
{
	o->have_nsec3 = true;
	o->policy.denial = DENIAL_NSEC3;
	if (text_equal(arg, strlen(arg), "-")) {
		return GOOD;
	}
	int n = text_from_hex(arg, strlen(arg), o->policy.nsec3.salt, NSEC3_SALT_MAX);
	if (n < 0) {
		return misuse("\"%s\" is no salt: hex digits, at most 255 octets, or -", arg);
	}
	o->policy.nsec3.salt_len = (uint8_t)n;
	return GOOD;
}

static int option_serial(struct options *o, const char *arg)
{
	static const char *const names[] = { "keep", "increment", "unixtime", "date" };
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (text_equal(arg, strlen(arg), names[i])) {
			o->policy.serial = (enum sign_serial)i;
			return GOOD;
		}
	}
	return misuse("\"%s\" is no way to make a serial: keep, increment, unixtime, date", arg);
}

static int option_zonemd(struct options *o, const char *arg)
{
	if (text_equal(arg, strlen(arg), "sha384")) {
		o->policy.zonemd |= 1U << 1;
	} else if (text_equal(arg, strlen(arg), "sha512")) {
		o->policy.zonemd |= 1U << 2;
	} else {
		return misuse("\"%s\" is no ZONEMD hash: sha384, sha512", arg);
	}
	return GOOD;
}

static int option_origin(struct options *o, const char *arg)
{
	o->have_origin = true;
	return dname_from_text(&o->origin, arg, strlen(arg), dname_root, NULL) == E_OK
		       ? GOOD
		       : misuse("\"%s\" is no domain name", arg);
}

static int parse_option(struct options *o, int c, const char *arg)
{
	uint32_t n = 0;
	int64_t seconds = 0;
	int status = GOOD;
	switch (c) {
	case 'o':
		return option_origin(o, arg);
	case 'f':
		o->output = arg;
		return GOOD;
	case 'K':
		o->key_dir = arg;
		return GOOD;
	case 'd':
		o->ds_dir = arg;
		return GOOD;
	case 'S':
		o->smart = true;
		return GOOD;
	case 'z':
		o->policy.all_keys_sign_all = true;
		return GOOD;
	case 'x':
		o->only_ksk = true;
		return GOOD;
	case 'T':
		status = option_seconds(arg, &seconds);
		o->policy.dnskey_ttl = (uint32_t)seconds;
		return status;
	case 'N':
		return option_serial(o, arg);
	case 'Z':
		return option_zonemd(o, arg);
	case '3':
		return option_salt(o, arg);
	case 'H':
		status = option_number(arg, UINT16_MAX, &n);
		o->policy.nsec3.iterations = (uint16_t)n;
		return status;
	case 'A':
		o->policy.nsec3.flags = NSEC3_OPT_OUT;
		return GOOD;
	case 'u':
		o->change_chain = true;
		return GOOD;
	case 's':
		o->start = arg;
		return GOOD;
	case 'e':
		o->end = arg;
		return GOOD;
	case 'i':
		return option_seconds(arg, &o->interval);
	case 'j':
		status = option_seconds(arg, &seconds);
		o->policy.jitter = (uint32_t)seconds;
		return status;
	case 'g':
		o->child_ds = true;
		return GOOD;
	case 'n':
		status = option_number(arg, 1024, &n);
		o->policy.threads = n;
		return status;
	case 'v':
		status = option_number(arg, 10, &n);
		o->verbose = n;
		return status;
	default:
		return misuse("unknown option");
	}
}

static int parse_times(struct options *o)
{
	struct sign_policy *p = &o->policy;
	p->inception = p->now - DEFAULT_BACKDATE;
	if (o->start != NULL && time_from_option(o->start, p->now, &p->inception) != E_OK) {
		return misuse("\"%s\" is no time such as 20261124000000, +3600 or now-1h",
			      o->start);
	}
	p->expiration = p->inception + DEFAULT_VALIDITY;
	if (o->end != NULL) {
		/* "+N" counts from the start, "now+N" from now, as operators are used to. */
		int64_t base = o->end[0] == '+' ? p->inception : p->now;
		if (time_from_option(o->end, base, &p->expiration) != E_OK) {
			return misuse("\"%s\" is no time such as 20261224000000, +30d or now+30d",
				      o->end);
		}
	}
	int64_t validity = p->expiration - p->inception;
	p->refresh = (uint32_t)(o->interval >= 0 ? o->interval : validity / 4);
	if (p->expiration - p->jitter <= p->now) {
		return misuse("the signatures would end before they are made");
	}
	return GOOD;
}

/* GOOD, MISUSE, or -1: there is nothing more to do. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option long_options[] = { { "help", no_argument, NULL, 'h' },
						      { "version", no_argument, NULL, 'V' },
						      { NULL, 0, NULL, 0 } };
	int c;
	while ((c = getopt_long(argc, argv, "o:f:K:d:SzxT:N:Z:3:H:Aus:e:i:j:gn:v:hV", long_options,
				NULL)) != -1) {
		if (c == 'h') {
			(void)fputs(usage_text, stdout);
			return -1;
		}
		if (c == 'V') {
			(void)puts("signet-signzone (Signet) " SIGNET_VERSION);
			return -1;
		}
		if (c == '?') {
			(void)fputs("try signet-signzone --help\n", stderr);
			return MISUSE;
		}
		int status = parse_option(o, c, optarg);
		if (status != GOOD) {
			return status;
		}
	}
	if (optind >= argc) {
		return misuse("no zone file given");
	}
	o->zone_file = argv[optind];
	o->keys = argv + optind + 1;
	o->key_count = argc - optind - 1;
	if (!o->have_nsec3 && (o->policy.nsec3.flags != 0 || o->policy.nsec3.iterations != 0)) {
		return misuse("%s is for NSEC3 only; add -3 -",
			      o->policy.nsec3.flags != 0 ? "-A" : "-H");
	}
	if (o->output == NULL && text_equal(o->zone_file, strlen(o->zone_file), "-")) {
		o->output = "-";
	}
	return parse_times(o);
}

/* --- keys ------------------------------------------------------------------------------------ */

/* Keys named on the command line sign now, whatever their times say. */
static void key_force_active(struct key *k)
{
	for (unsigned i = 0; i < KEY_TIMES; i++) {
		k->times[i] = KEY_TIME_NONE;
	}
}

static int keys_named(const struct options *o, struct keyset *keys, struct errmsg *em)
{
	for (int i = 0; i < o->key_count; i++) {
		struct key *k = NULL;
		struct buf path = { 0 };
		bool bare = strchr(o->keys[i], '/') == NULL;
		buf_printf(&path, "%s%s%s", bare ? o->key_dir : "", bare ? "/" : "", o->keys[i]);
		int err = keyfile_read(path.data, KEYFILE_PAIR, &k, em);
		buf_clear(&path);
		if (err != E_OK) {
			return err;
		}
		key_force_active(k);
		keyset_add(keys, k);
	}
	return E_OK;
}

static bool zone_has_key(const struct version *v, const struct key *k)
{
	uint8_t rdata[KEY_RDATA_MAX];
	size_t len = key_rdata(k, rdata);
	const struct rrset *rs =
		v->apex_node != NULL ? node_find(v->apex_node, RRTYPE_DNSKEY) : NULL;
	const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
	for (unsigned i = 0; rs != NULL && i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		if (rr.rdlen == len && memcmp(rr.rdata, rdata, len) == 0) {
			return true;
		}
	}
	return false;
}

/* Without -S and without names: the keys whose DNSKEY is in the zone. */
static int keys_in_zone(const struct options *o, const struct version *v, struct keyset *keys,
			struct errmsg *em)
{
	struct keyset all = { 0 };
	int err = keyfile_read_dir(o->key_dir, v->apex.wire, KEYFILE_PAIR, &all, em);
	for (size_t i = 0; i < all.count && err == E_OK; i++) {
		if (zone_has_key(v, all.keys[i])) {
			key_force_active(all.keys[i]);
			keyset_add(keys, all.keys[i]);
			all.keys[i] = NULL;
		}
	}
	keyset_clear(&all);
	return err;
}

/* With -S the TTL that a key's file gives comes before that of -T; of several the shortest. */
static void take_ttl_of_keys(struct options *o, const struct keyset *keys)
{
	uint32_t shortest = 0; /* none: 0 in a key's file is none, too */
	for (size_t i = 0; i < keys->count && o->smart; i++) {
		const struct key *k = keys->keys[i];
		if (k->has_ttl && k->ttl_s != 0 && (shortest == 0 || k->ttl_s < shortest)) {
			shortest = k->ttl_s;
		}
	}
	if (shortest != 0) {
		o->policy.dnskey_ttl = shortest;
	}
}

static int load_keys(const struct options *o, const struct version *v, struct keyset *keys,
		     struct errmsg *em)
{
	int err = keys_named(o, keys, em);
	if (err == E_OK && o->smart) {
		err = keyfile_read_dir(o->key_dir, v->apex.wire, KEYFILE_PAIR, keys, em);
	} else if (err == E_OK && o->key_count == 0) {
		err = keys_in_zone(o, v, keys, em);
	}
	for (size_t i = 0; i < keys->count && err == E_OK; i++) {
		if (!dname_equal(keys->keys[i]->zone.wire, v->apex.wire)) {
			err = err_set(em, E_MISMATCH,
				      "%s is a key of another zone; name keys of this one",
				      keys->keys[i]->path);
		}
	}
	if (err == E_OK && keys->count == 0) {
		char zone[DNAME_TEXT_MAX];
		(void)dname_to_text(v->apex.wire, zone);
		err = err_set(
			em, E_NOENT,
			"no keys of %s in %s; make them with signet-keymgr generate, or name -K "
			"DIR",
			zone, o->key_dir);
	}
	return err;
}

/* --- dsset files ----------------------------------------------------------------------------- */

static void dsset_path(const struct options *o, const uint8_t *zone, struct buf *path)
{
	char name[DNAME_TEXT_MAX];
	(void)dname_to_text(zone, name);
	for (char *c = name; *c != '\0'; c++) {
		*c = *c == '/' ? '_' : (char)text_lower[(uint8_t)*c];
	}
	buf_printf(path, "%s/dsset-%s", o->ds_dir, name);
}

/* The DS records for the parent (SHA-256) of the keys that sign the DNSKEY set. */
static int dsset_text(const struct options *o, const struct holder *holder, const uint8_t *zone,
		      struct buf *text)
{
	int err = E_OK;
	for (size_t i = 0; i < holder_count(holder) && err == E_OK; i++) {
		const struct key *k = holder_key(holder, i);
		if (!key_is_ksk(k) || (k->flags & KEY_FLAG_REVOKE) != 0 ||
		    !key_is_published(k, o->policy.now)) {
			continue;
		}
		uint8_t rdata[4 + CRYPTO_DIGEST_MAX];
		int n = key_ds(k, 2, rdata, sizeof(rdata));
		if (n < 0) {
			err = n;
			break;
		}
		dname_print(text, zone);
		buf_str(text, "\tIN DS ");
		rdata_to_text(RRTYPE_DS, rdata, (size_t)n, text);
		buf_char(text, '\n');
	}
	return err;
}

/* Puts the dsset- file on disk under another name, if there is anything to write. */
static int dsset_prepare(const struct options *o, const struct holder *holder, const uint8_t *zone,
			 struct file_out *f, struct errmsg *em)
{
	struct buf path = { 0 };
	struct buf text = { 0 };
	int err = dsset_text(o, holder, zone, &text);
	if (err == E_OK && text.len != 0) {
		dsset_path(o, zone, &path);
		err = file_out_open(f, path.data, 0644, em);
	}
	if (err == E_OK && text.len != 0) {
		file_out_write(f, text.data, text.len);
		err = file_out_sync(f, em);
	}
	buf_clear(&path);
	buf_clear(&text);
	return err;
}

/* Reads the dsset- file of a delegation; one that is not there leaves the DS set as it is. */
static int child_ds_read(const struct options *o, struct edit *e, const uint8_t *child,
			 struct errmsg *em)
{
	struct buf path = { 0 };
	struct file_view view = { 0 };
	struct lexer lx;
	struct token t;
	dsset_path(o, child, &path);
	int err = file_read(path.data, 1 << 20, &view, em);
	if (err == E_NOENT) {
		err = E_OK;
		goto out;
	}
	if (err != E_OK) {
		goto out;
	}
	edit_remove_rrset(e, child, RRTYPE_DS);
	uint32_t ttl = rrset_ttl(edit_state(e)->soa);
	lexer_init(&lx, view.data, view.len);
	for (lexer_next(&lx, &t); t.kind != TOKEN_EOF && err == E_OK; lexer_next(&lx, &t)) {
		uint8_t rdata[256];
		struct writer w = writer_of(rdata, sizeof(rdata));
		/* "owner [TTL] [IN] DS rdata": everything up to DS is known already. */
		while (t.kind == TOKEN_WORD && !text_equal(t.s, t.len, "DS")) {
			lexer_next(&lx, &t);
		}
		if (t.kind != TOKEN_WORD) {
			continue;
		}
		err = rdata_from_text(RRTYPE_DS, &lx, NULL, &w, &t, em);
		if (err == E_OK) {
			err = edit_add(e, child, RRTYPE_DS, ttl, rdata, writer_len(&w));
		} else {
			err_prefix(em, err, "%s:%u:%u", path.data, t.line, t.column);
		}
	}
out:
	file_view_clear(&view);
	buf_clear(&path);
	return err;
}

static int children_ds(const struct options *o, struct edit *e, struct errmsg *em)
{
	struct tree_cursor *c = mem_alloc(sizeof(*c));
	const struct version *v = edit_state(e);
	struct dname *cuts = mem_array(v->names.leaves, sizeof(*cuts));
	size_t count = 0;
	for (const struct node *n = tree_first(&v->names, c); n != NULL; n = tree_next(c)) {
		if ((n->flags & NODE_CUT) != 0) {
			dname_set(&cuts[count++], n->name);
		}
	}
	int err = E_OK;
	for (size_t i = 0; i < count && err == E_OK; i++) {
		err = child_ds_read(o, e, cuts[i].wire, em);
	}
	mem_free(cuts);
	mem_free(c);
	return err;
}

/* --- signing --------------------------------------------------------------------------------- */

/* A zone that is signed keeps its chain, unless -u says otherwise. */
static void keep_chain(struct options *o, const struct version *v)
{
	struct sign_policy *p = &o->policy;
	if (v->denial == DENIAL_NONE || o->change_chain) {
		return;
	}
	bool differs =
		o->have_nsec3 &&
		(v->denial != DENIAL_NSEC3 || p->nsec3.iterations != v->nsec3_param.iterations ||
		 p->nsec3.salt_len != v->nsec3_param.salt_len ||
		 memcmp(p->nsec3.salt, v->nsec3_param.salt, p->nsec3.salt_len) != 0);
	if (differs) {
		(void)fprintf(stderr,
			      "signet-signzone: the zone is signed with another chain, which is "
			      "kept; use -u to change it\n");
	}
	if (o->have_nsec3 && !differs) {
		return; /* opt-out may be switched on and off within one chain */
	}
	p->denial = v->denial;
	if (v->denial == DENIAL_NSEC3) {
		p->nsec3 = v->nsec3_param;
		p->nsec3.flags = nsec3_opts_out(v) ? NSEC3_OPT_OUT : 0;
	}
}

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
	uint64_t *shown = arg;
	if (total < PROGRESS_NAMES || done * 100 / total == *shown) {
		return;
	}
	*shown = done * 100 / total;
	char bar[51];
	size_t full = (size_t)(*shown / 2);
	memset(bar, ' ', sizeof(bar) - 1);
	memset(bar, '#', full > 50 ? 50 : full);
	bar[50] = '\0';
	(void)fprintf(stderr, "\rsigning [%s] %3u %%%s", bar, (unsigned)*shown,
		      done >= total ? "\n" : "");
}

static void show_result(const struct options *o, const struct holder *holder,
			const struct sign_stats *s)
{
	if (o->verbose == 0) {
		return;
	}
	(void)fprintf(stderr, "keys:");
	for (size_t i = 0; i < holder_count(holder); i++) {
		const struct key *k = holder_key(holder, i);
		const struct algorithm *a = algorithm_find(k->algorithm);
		(void)fprintf(stderr, " %s/%s/%05u%s", a != NULL ? a->name : "?",
			      key_is_ksk(k) ? "KSK" : "ZSK", k->tag,
			      key_is_active(k, o->policy.now) ? "" : " (not active)");
	}
	(void)fprintf(
		stderr, "\nsignatures: %llu made, %llu kept, %llu dropped; %s records: %llu\n",
		(unsigned long long)s->made, (unsigned long long)s->kept,
		(unsigned long long)s->dropped, o->policy.denial == DENIAL_NSEC3 ? "NSEC3" : "NSEC",
		(unsigned long long)s->chain);
}

/* Reads the zone; its text stays in @text (owned by the caller). */
static int read_zone(const struct options *o, struct file_view *text, bool *has_directives,
		     struct edit **out)
{
	struct findings findings = { 0 };
	struct check_levels levels;
	const struct master_options mo = { .origin = o->have_origin ? o->origin.wire : NULL,
					   .has_directives = has_directives };
	struct errmsg em;
	int err = file_read(o->zone_file, MASTER_FILE_MAX, text, &em);
	if (err == E_OK) {
		err = master_read_memory(o->zone_file, text->data, text->len, &mo, out, &findings);
	} else {
		findings_add(&findings, true, "%s", em.text);
	}
	if (err == E_OK) {
		/* What signing mends, or makes, is no finding here. */
		check_levels_init(&levels);
		levels.level[CHECK_SIG_EXPIRED] = CHECK_IGNORE;
		levels.level[CHECK_SIG_NOT_YET] = CHECK_IGNORE;
		levels.level[CHECK_NSEC3_PARAM] = CHECK_IGNORE;
		err = check_version(edit_state(*out), &levels, o->policy.now, &findings);
	}
	findings_print(&findings, "");
	findings_clear(&findings);
	return err;
}

/* The zone, and its dsset- file; both or, when a disk is full or may not be written, none. @text: the zone as
 * it was read, when signing left it as it was; else empty. */
static int write_files(const struct options *o, const struct version *v,
		       const struct file_view *text, const struct holder *holder,
		       const char *output, struct errmsg *em)
{
	struct file_out dsset = { .fd = -1 };
	int err = dsset_prepare(o, holder, v->apex.wire, &dsset, em);
	if (err == E_OK) {
		err = text->len != 0 ? file_write(output, 0644, text->data, text->len, em)
				     : zone_file_write(v, output, o->policy.threads, em);
	}
	if (err == E_OK && dsset.path != NULL) {
		err = file_out_commit(&dsset, em);
	}
	file_out_abort(&dsset);
	return err;
}

static int sign(struct options *o, struct errmsg *em)
{
	struct edit *e = NULL;
	struct file_view text = { 0 };
	bool has_directives = false;
	struct keyset keys = { 0 };
	struct holder *holder = NULL;
	struct version *v = NULL;
	struct sign_stats stats = { 0 };
	struct buf output = { 0 };
	uint64_t shown = UINT64_MAX;
	em->text[0] = '\0';
	int err = read_zone(o, &text, &has_directives, &e);
	if (err != E_OK) {
		err_set(em, err, "%s: not signed; mend the zone file first", o->zone_file);
		goto out;
	}
	keep_chain(o, edit_state(e));
	if (o->policy.denial == DENIAL_NSEC3 && o->policy.nsec3.iterations != 0) {
		(void)fprintf(stderr,
			      "warning: %u NSEC3 iterations cost resolvers and protect nothing; "
			      "RFC 9276 wants 0\n",
			      o->policy.nsec3.iterations);
	}
	o->policy.trusted = zone_file_is_ours(&text, edit_state(e), o->policy.threads);
	/* We write no directives, and in another directory they may mean something else. */
	if (!o->policy.trusted || has_directives) {
		file_view_clear(&text);
	}
	const uint64_t changes = edit_changes(e);
	o->policy.manage_keys = o->smart;
	o->policy.publish_cds = o->smart;
	err = load_keys(o, edit_state(e), &keys, em);
	take_ttl_of_keys(o, &keys);
	if (err == E_OK && o->child_ds) {
		err = children_ds(o, e, em);
	}
	if (err == E_OK) {
		err = holder_new(&keys, &holder);
	}
	if (err == E_OK && isatty(STDERR_FILENO) && o->verbose != 0) {
		o->policy.progress = show_progress;
		o->policy.progress_arg = &shown;
	}
	if (err == E_OK) {
		err = sign_zone(e, holder, &o->policy, &stats, em);
	}
	if (err == E_OK) {
		err = edit_error(e, em);
	}
	if (err != E_OK) {
		goto out;
	}
	if (edit_changes(e) != changes) {
		file_view_clear(&text);
	}
	v = edit_commit(e);
	e = NULL;
	buf_printf(&output, "%s%s", o->output != NULL ? o->output : o->zone_file,
		   o->output != NULL ? "" : ".signed");
	err = write_files(o, v, &text, holder, output.data, em);
	if (err == E_OK) {
		show_result(o, holder, &stats);
		if (o->verbose != 0 && !text_equal(output.data, output.len, "-")) {
			(void)puts(output.data);
		}
	}
out:
	buf_clear(&output);
	file_view_clear(&text);
	edit_abort(e);
	version_unref(v);
	holder_free(holder);
	keyset_clear(&keys);
	return err;
}

int main(int argc, char **argv)
{
	struct options o = {
		.key_dir = ".",
		.ds_dir = ".",
		.interval = -1,
		.verbose = 1,
		.policy = { .now = (int64_t)time(NULL),
			    .denial = DENIAL_NSEC,
			    .nsec3 = { .algorithm = NSEC3_SHA1 } },
	};
	program_begin("signet-signzone");
	program_step_aside_by_default();
	int status = parse_options(&o, argc, argv);
	if (status != GOOD) {
		return status < 0 ? GOOD : status;
	}
	struct errmsg em = { "" };
	int err = sign(&o, &em);
	if (err != E_OK) {
		(void)fprintf(stderr, "signet-signzone: %s\n",
			      em.text[0] != '\0' ? em.text : err_text(err));
		return BAD;
	}
	return GOOD;
}

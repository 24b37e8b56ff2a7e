/* signer/signet-verifyzone.c - reads a signed zone and says whether it is signed wholly and rightly. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "signer/verify.h"
#include "zones/base/program.h"
#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/edit.h"
#include "zones/master.h"

/* Exit status. */
enum { GOOD = 0, BAD = 1, MISUSE = 2 };

static const char usage_text[] =
	"usage: signet-verifyzone [options] FILE\n"
	"Reads a signed zone file (\"-\": standard input) and says whether every authoritative set has\n"
	"valid signatures, whether the NSEC or NSEC3 chain is complete, closed and true, whether\n"
	"anything is signed that should not be, and whether its ZONEMD digest is right.\n"
	"\n"
	"  -o ORIGIN           name of the zone (default: the owner of its SOA)\n"
	"  -t TIME             verify at TIME: YYYYMMDDHHmmSS, +N, now-1h (default: now)\n"
	"  -a FILE             trust anchors: DS or DNSKEY records, one of whose keys must sign the\n"
	"                      DNSKEY set (default: any key with the SEP flag)\n"
	"  -n THREADS          threads to use (default: one per core)\n"
	"  -l, --list-findings list what can be found, with the RFC that says so\n"
	"  -q                  say nothing about a good zone\n"
	"  -v                  say what was verified\n"
	"  -h, --help          this text\n"
	"  -V, --version\n"
	"\n"
	"Exit status: 0 good, 1 not good, 2 misuse.\n";

struct options {
	struct dname origin;
	bool have_origin;
	bool quiet;
	bool verbose;
	unsigned threads;
	int64_t now;
	const char *anchors;
	const char *file;
};

static int misuse(const char *value, const char *what)
{
	(void)fprintf(stderr, "signet-verifyzone: \"%s\" is no %s; try --help\n", value, what);
	return MISUSE;
}

static void list_findings(void)
{
	for (int i = 0; i < VERIFY_KINDS; i++) {
		const struct verify_kind_info *info = verify_kind_info((enum verify_kind)i);
		(void)printf("%-22s %-8s %-16s %s\n", info->name,
			     info->is_error ? "error" : "warning", info->rfc, info->help);
	}
}

/* GOOD, MISUSE, or -1: there is nothing more to do. */
static int take_option(struct options *o, int c)
{
	enum { THREADS_MAX = 1024 };
	switch (c) {
	case 'o':
		o->have_origin = true;
		return dname_from_text(&o->origin, optarg, strlen(optarg), dname_root, NULL) == E_OK
			       ? GOOD
			       : misuse(optarg, "domain name");
	case 't':
		return time_from_option(optarg, o->now, &o->now) == E_OK
			       ? GOOD
			       : misuse(optarg, "time such as 20261124000000 or now-1h");
	case 'n':
		return text_to_u32(optarg, strlen(optarg), THREADS_MAX, &o->threads) == E_OK
			       ? GOOD
			       : misuse(optarg, "number of threads");
	case 'a':
		o->anchors = optarg;
		return GOOD;
	case 'q':
		o->quiet = true;
		return GOOD;
	case 'v':
		o->verbose = true;
		return GOOD;
	case 'l':
		list_findings();
		return -1;
	case 'h':
		(void)fputs(usage_text, stdout);
		return -1;
	case 'V':
		(void)puts("signet-verifyzone (Signet) " SIGNET_VERSION);
		return -1;
	default:
		(void)fputs("try signet-verifyzone --help\n", stderr);
		return MISUSE;
	}
}

static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "list-findings", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;
	while ((c = getopt_long(argc, argv, "o:t:a:n:lqvhV", long_options, NULL)) != -1) {
		int status = take_option(o, c);
		if (status != GOOD) {
			return status;
		}
	}
	if (optind + 1 != argc) {
		(void)fprintf(stderr, "signet-verifyzone: %s; try --help\n",
			      optind == argc ? "no zone file given" : "give one zone file");
		return MISUSE;
	}
	o->file = argv[optind];
	return GOOD;
}

static struct version *read_zone(const char *path, const struct master_options *mo,
				 struct findings *findings)
{
	struct edit *e = NULL;
	return master_read(path, mo, &e, findings) == E_OK ? edit_commit(e) : NULL;
}

static void print_details(const struct verify_stats *s, const struct findings *f)
{
	char when[TIME_TEXT14_LEN + 1];
	(void)printf("names %llu, signed sets %llu, signatures verified %llu\n",
		     (unsigned long long)s->names, (unsigned long long)s->sets,
		     (unsigned long long)s->signatures);
	(void)printf("NSEC records %llu, NSEC3 records %llu, ZONEMD digests verified %llu\n",
		     (unsigned long long)s->nsec, (unsigned long long)s->nsec3,
		     (unsigned long long)s->zonemd);
	if (s->first_expiration != INT64_MAX) {
		time_to_text14(s->first_expiration, when);
		(void)printf("first signature to expire: %s\n", when);
	}
	for (int i = 0; i < VERIFY_KINDS && f->errors + f->warnings != 0; i++) {
		if (s->found[i] != 0) {
			const struct verify_kind_info *info = verify_kind_info((enum verify_kind)i);
			(void)printf("%-22s %llu (%s)\n", info->name,
				     (unsigned long long)s->found[i], info->help);
		}
	}
}

static void print_summary(const struct options *o, const struct version *v,
			  const struct verify_stats *s, const struct findings *f)
{
	char zone[DNAME_TEXT_MAX];
	if (o->quiet && f->errors == 0) {
		return;
	}
	(void)dname_to_text(v->apex.wire, zone);
	(void)printf("%s: zone %s serial %u: ", o->file, zone, v->serial);
	if (f->errors != 0) {
		(void)printf("BAD: %zu error%s, %zu warning%s\n", f->errors, text_plural(f->errors),
			     f->warnings, text_plural(f->warnings));
	} else {
		(void)printf("verified and complete: %llu signatures, %zu warning%s%s\n",
			     (unsigned long long)s->signatures, f->warnings,
			     text_plural(f->warnings),
			     s->unchecked != 0 ? ", some signatures not checked" : "");
	}
	if (o->verbose) {
		print_details(s, f);
	}
}

/* Reads the trust anchors, if there are any, and verifies. */
static int verify(const struct options *o, const struct version *v, struct verify_stats *stats,
		  struct findings *findings)
{
	struct verify_options vo = { .now = o->now, .threads = o->threads };
	struct version *anchors = NULL;
	if (o->anchors != NULL) {
		/* Files of keys and DS records have no TTLs, as a rule. */
		const struct master_options mo = { .origin = v->apex.wire, .default_ttl = 3600 };
		anchors = read_zone(o->anchors, &mo, findings);
		if (anchors == NULL) {
			return E_CHECK;
		}
		vo.anchors = anchors->apex_node;
		if (vo.anchors == NULL) {
			findings_add(findings, true,
				     "%s: no DS or DNSKEY record of the zone's name", o->anchors);
			version_unref(anchors);
			return E_CHECK;
		}
	}
	int err = verify_version(v, &vo, stats, findings);
	version_unref(anchors);
	return err;
}

int main(int argc, char **argv)
{
	struct options o = { .now = (int64_t)time(NULL) };
	struct findings findings = { 0 };
	struct verify_stats stats = { .first_expiration = INT64_MAX };
	program_begin("signet-verifyzone");
	program_step_aside_by_default();
	int status = parse_options(&o, argc, argv);
	if (status != GOOD) {
		return status < 0 ? GOOD : status;
	}
	const struct master_options mo = { .origin = o.have_origin ? o.origin.wire : NULL };
	struct version *v = read_zone(o.file, &mo, &findings);
	int err = v != NULL ? verify(&o, v, &stats, &findings) : E_CHECK;
	findings_print(&findings, "");
	if (err != E_OK && err != E_CHECK) {
		(void)fprintf(stderr, "signet-verifyzone: %s: cannot verify: %s\n", o.file,
			      err_text(err));
	} else if (v != NULL) {
		print_summary(&o, v, &stats, &findings);
	}
	version_unref(v);
	findings_clear(&findings);
	return err == E_OK ? GOOD : BAD;
}

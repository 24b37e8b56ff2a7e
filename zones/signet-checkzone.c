/* zones/signet-checkzone.c - reads a zone file, checks it, and prints it in canonical order. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "zones/base/program.h"
#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/check.h"
#include "zones/dump.h"
#include "zones/master.h"

/* Exit status. */
enum { GOOD = 0, BAD = 1, MISUSE = 2 };

static const char usage_text[] =
	"usage: signet-checkzone [options] FILE\n"
	"Reads a zone file (\"-\": standard input) and says what is wrong with it.\n"
	"\n"
	"  -o ORIGIN           name of the zone (default: the owner of its SOA)\n"
	"  -c NAME=LEVEL       set a check to ignore, warn or error\n"
	"  -l, --list-checks   list the checks and their levels\n"
	"  -t TIME             check signatures at TIME: YYYYMMDDHHmmSS, +N, now-1h (default: now)\n"
	"  -d, --dump          print the zone, one record a line, in canonical order\n"
	"  -C, --canonical     with --dump: names in lower case\n"
	"  -f FILE             with --dump: write to FILE, whole or not at all (default: standard output)\n"
	"  -q                  say nothing about a zone without errors\n"
	"  -h, --help          this text\n"
	"  -V, --version\n";

struct options {
	struct dname origin;
	bool have_origin;
	bool dump;
	unsigned dump_flags;
	const char *output; /* of the dump */
	bool quiet;
	int64_t now;
	struct check_levels levels;
	const char *file;
};

static int option_check(struct options *o, const char *arg)
{
	char name[40];
	struct errmsg em;
	const char *eq = strchr(arg, '=');
	if (eq == NULL || (size_t)(eq - arg) >= sizeof(name)) {
		(void)fprintf(stderr, "signet-checkzone: \"%s\" is not NAME=LEVEL; try --help\n",
			      arg);
		return MISUSE;
	}
	memcpy(name, arg, (size_t)(eq - arg));
	name[eq - arg] = '\0';
	if (check_levels_set(&o->levels, name, eq + 1, &em) != E_OK) {
		(void)fprintf(stderr, "signet-checkzone: %s\n", em.text);
		return MISUSE;
	}
	return GOOD;
}

static void list_checks(void)
{
	struct check_levels levels;
	check_levels_init(&levels);
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		(void)printf("%-20s %-7s %s\n", check_name((enum check)i),
			     check_level_name(levels.level[i]), check_help((enum check)i));
	}
}

/* GOOD, MISUSE, or -1: there is nothing more to do. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "dump", no_argument, NULL, 'd' },	   { "canonical", no_argument, NULL, 'C' },
		{ "list-checks", no_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	   { NULL, 0, NULL, 0 },
	};
	int c;
	while ((c = getopt_long(argc, argv, "o:c:lt:dCf:qhV", long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			o->have_origin = true;
			if (dname_from_text(&o->origin, optarg, strlen(optarg), dname_root, NULL) !=
			    E_OK) {
				(void)fprintf(stderr,
					      "signet-checkzone: \"%s\" is no domain name\n",
					      optarg);
				return MISUSE;
			}
			break;
		case 'c':
			if (option_check(o, optarg) != GOOD) {
				return MISUSE;
			}
			break;
		case 'l':
			list_checks();
			return -1;
		case 't':
			if (time_from_option(optarg, o->now, &o->now) != E_OK) {
				(void)fprintf(stderr,
					      "signet-checkzone: \"%s\" is no time such as "
					      "20261124000000 or now-1h\n",
					      optarg);
				return MISUSE;
			}
			break;
		case 'd':
			o->dump = true;
			break;
		case 'C':
			o->dump_flags = DUMP_CANONICAL;
			break;
		case 'f':
			o->output = optarg;
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			return -1;
		case 'V':
			(void)puts("signet-checkzone (Signet) " SIGNET_VERSION);
			return -1;
		default:
			(void)fputs("try signet-checkzone --help\n", stderr);
			return MISUSE;
		}
	}
	if (optind + 1 != argc) {
		(void)fprintf(stderr, "signet-checkzone: %s; try --help\n",
			      optind == argc ? "no zone file given" : "give one zone file");
		return MISUSE;
	}
	if (o->output != NULL && !o->dump) {
		(void)fputs("signet-checkzone: -f is for the dump; add --dump\n", stderr);
		return MISUSE;
	}
	if (o->output == NULL) {
		o->output = "-";
	}
	o->file = argv[optind];
	return GOOD;
}

static void summary(const struct options *o, const struct version *v, const struct findings *f)
{
	char zone[DNAME_TEXT_MAX];
	(void)dname_to_text(v->apex.wire, zone);
	if (!o->quiet || f->errors != 0) {
		(void)fprintf(o->dump && strcmp(o->output, "-") == 0 ? stderr : stdout,
			      "%s: zone %s serial %u: %llu records, %zu error%s, %zu warning%s%s\n",
			      o->file, zone, v->serial, (unsigned long long)v->records, f->errors,
			      text_plural(f->errors), f->warnings, text_plural(f->warnings),
			      f->errors == 0 ? ", ok" : "");
	}
}

static int dump(const struct options *o, const struct version *v)
{
	struct errmsg em;
	struct file_out out;
	int err = file_out_open(&out, o->output, 0644, &em);
	if (err == E_OK) {
		dump_version(v, o->dump_flags, &out);
		err = file_out_commit(&out, &em);
	}
	if (err != E_OK) {
		(void)fprintf(stderr, "signet-checkzone: %s\n", em.text);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct options o = { .now = (int64_t)time(NULL) };
	struct findings findings = { 0 };
	struct edit *e = NULL;
	program_begin("signet-checkzone");
	check_levels_init(&o.levels);
	int status = parse_options(&o, argc, argv);
	if (status != GOOD) {
		return status < 0 ? GOOD : status;
	}
	const struct master_options mo = {
		.origin = o.have_origin ? o.origin.wire : NULL,
		.ignore_outside = o.levels.level[CHECK_OUT_OF_ZONE] != CHECK_ERROR,
	};
	int err = master_read(o.file, &mo, &e, &findings);
	struct version *v = err == E_OK ? edit_commit(e) : NULL;
	if (v != NULL) {
		err = check_version(v, &o.levels, o.now, &findings);
	}
	findings_print(&findings, "");
	if (v != NULL) {
		summary(&o, v, &findings);
	}
	if (err == E_OK && o.dump) {
		err = dump(&o, v);
	}
	version_unref(v);
	findings_clear(&findings);
	return err == E_OK ? GOOD : BAD;
}

/* server/signet-checkconf.c - says what is wrong with a configuration before the server does. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/config.h"
#include "server/tls_load.h"
#include "server/zone_load.h"
#include "zones/base/file.h"
#include "zones/base/program.h"
#include "zones/base/text.h"

/* Exit status. */
enum { GOOD = 0, BAD = 1, MISUSE = 2 };

static const char usage_text[] =
	"usage: signet-checkconf [options] [FILE]\n"
	"Reads the configuration of signetd (\"-\": standard input) and says what is wrong with it.\n"
	"\n"
	"  -c, --config FILE   the configuration (default: " CONFIG_PATH_DEFAULT ")\n"
	"  -z, --zones         load and check the zone files too\n"
	"      --dump          print what is in effect, defaults included\n"
	"      --defaults      print a configuration with all defaults, explained\n"
	"  -q, --quiet         say nothing about a configuration without errors\n"
	"  -h, --help          this text\n"
	"  -V, --version\n";

struct options {
	const char *file;
	bool zones;
	bool dump;
	bool defaults;
	bool quiet;
};

/* GOOD, MISUSE, or -1: there is nothing more to do. */
static int parse_options(struct options *o, int argc, char **argv)
{
	enum { OPTION_DUMP = 256, OPTION_DEFAULTS };
	static const struct option long_options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "zones", no_argument, NULL, 'z' },
		{ "dump", no_argument, NULL, OPTION_DUMP },
		{ "defaults", no_argument, NULL, OPTION_DEFAULTS },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;
	while ((c = getopt_long(argc, argv, "c:zqhV", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->file = optarg;
			break;
		case 'z':
			o->zones = true;
			break;
		case OPTION_DUMP:
			o->dump = true;
			break;
		case OPTION_DEFAULTS:
			o->defaults = true;
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			return -1;
		case 'V':
			(void)puts("signet-checkconf (Signet) " SIGNET_VERSION);
			return -1;
		default:
			(void)fputs("try signet-checkconf --help\n", stderr);
			return MISUSE;
		}
	}
	int files = argc - optind + (o->file != NULL);
	if (files > 1 || (o->defaults && (files != 0 || o->dump || o->zones))) {
		(void)fprintf(stderr, "signet-checkconf: %s; try --help\n",
			      files > 1 ? "give one configuration"
					: "--defaults is about no configuration, and stands alone");
		return MISUSE;
	}
	if (o->file == NULL) {
		o->file = optind < argc ? argv[optind] : CONFIG_PATH_DEFAULT;
	}
	return GOOD;
}

static int print(const struct config *c, enum config_print how)
{
	struct errmsg em;
	struct buf text = { 0 };
	config_print(c, how, &text);
	int err = file_write("-", 0644, text.data, text.len, &em);
	if (err != E_OK) {
		(void)fprintf(stderr, "signet-checkconf: %s\n", em.text);
	}
	buf_clear(&text);
	return err == E_OK ? GOOD : BAD;
}

static int print_defaults(void)
{
	struct config *c = config_new();
	int status = print(c, CONFIG_PRINT_COMMENTS);
	config_free(c);
	return status;
}

/* What was found goes to standard error, one line each, and into the count of @all. */
static void tell(struct findings *found, struct findings *all)
{
	findings_print(found, "");
	all->errors += found->errors;
	all->warnings += found->warnings;
	findings_clear(found);
}

static void load_zones(const struct config *c, struct findings *all)
{
	int64_t now = (int64_t)time(NULL);
	for (size_t i = 0; i < c->zone_count; i++) {
		struct findings found = { 0 };
		struct version *v = NULL;
		if (zone_load(&c->zones[i], now, &v, &found) != E_OK && found.errors == 0) {
			findings_add(&found, true, "%s: cannot be loaded", c->zones[i].file);
		}
		version_unref(v);
		tell(&found, all);
	}
}

static void load_certificate(const struct config *c, struct findings *all)
{
	struct findings found = { 0 };
	struct tls_server *tls = NULL;
	if (tls_load(&c->server, (int64_t)time(NULL), &tls, &found) == E_OK) {
		tls_server_free(tls);
	}
	tls_remotes_free(tls_remotes_load(c, (int64_t)time(NULL), &found));
	tell(&found, all);
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct config *c = NULL;
	struct findings all = { 0 };
	struct findings found = { 0 };
	program_begin("signet-checkconf");
	int status = parse_options(&o, argc, argv);
	if (status != GOOD) {
		return status < 0 ? GOOD : status;
	}
	if (o.defaults) {
		return print_defaults();
	}
	int err = config_load(o.file, &c, &found);
	tell(&found, &all);
	if (err == E_OK) {
		load_certificate(c, &all);
	}
	if (err == E_OK && o.zones) {
		load_zones(c, &all);
	}
	if (all.errors != 0) {
		status = BAD;
	}
	if (status != GOOD) {
		(void)fprintf(o.dump ? stderr : stdout, "%s: %zu error%s, %zu warning%s\n", o.file,
			      all.errors, text_plural(all.errors), all.warnings,
			      text_plural(all.warnings));
	} else if (!o.quiet) {
		(void)fprintf(o.dump ? stderr : stdout, "%s: %zu zone%s, %zu warning%s, ok\n",
			      o.file, c->zone_count, text_plural(c->zone_count), all.warnings,
			      text_plural(all.warnings));
	}
	if (c != NULL && o.dump && print(c, CONFIG_PRINT_PLAIN) != GOOD) {
		status = BAD;
	}
	config_free(c);
	return status;
}

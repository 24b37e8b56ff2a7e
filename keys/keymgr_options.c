/* keys/keymgr_options.c - the command line of signet-keymgr. */
#include "keys/keymgr_options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "zones/base/text.h"
#include "zones/base/time.h"

/* --- tables ---------------------------------------------------------------------------------- */

static const struct {
	const char *name, *args, *text;
} commands[KEYMGR_COMMANDS] = {
	[KEYMGR_GENERATE] = { "generate", "ZONE",
			      "make a key of ZONE: a ZSK, or with -f KSK or CSK" },
	[KEYMGR_LIST] = { "list", "ZONE",
			  "the keys of ZONE in the key directory, with roles and times" },
	[KEYMGR_SETTIME] = { "settime", "KEY", "change times of KEY; without times: print them" },
	[KEYMGR_DS] = { "ds", "KEY", "the DS record for the parent" },
	[KEYMGR_CDS] = { "cds", "KEY", "the CDS and CDNSKEY records for KEY" },
	[KEYMGR_IMPORT] = { "import", "ZONE FILE | KEY",
			    "take over a private key in PEM form, or a key file of BIND or ldns" },
	[KEYMGR_EXPORT] = { "export", "KEY", "print the private key in PEM form" },
	[KEYMGR_REVOKE] = { "revoke", "KEY",
			    "set the REVOKE flag (RFC 5011); the key gets a new tag" },
	[KEYMGR_TSIG] = { "tsig", "NAME",
			  "print a TSIG key file; with -o FILE write it, readable by you only" },
};

#define FOR(command) (1U << KEYMGR_##command)
#define MAKES	     (FOR(GENERATE) | FOR(IMPORT))
#define TIMES	     (MAKES | FOR(SETTIME))

/* clang-format off */
static const struct {
	char letter;
	unsigned commands; /* those that it goes with */
	const char *arg;   /* NULL: takes none */
	const char *text;
} options[] = {
	{ 'K', ~FOR(TSIG),         "DIR",  "key directory (default: .)" },
	{ 'a', MAKES | FOR(TSIG),  "ALG",  "algorithm (default: ECDSAP256SHA256; tsig: hmac-sha256;\n"
					    "import: the one of the key); generate -a list lists them" },
	{ 'b', FOR(GENERATE),      "BITS", "size of an RSA key (default: 2048)" },
	{ 'f', MAKES,              "ROLE", "KSK or CSK: set the SEP flag" },
	{ '3', FOR(GENERATE),      NULL,   "only algorithms that go with NSEC3 (all that make signatures do)" },
	{ '2', FOR(DS),            "BITS", "digest: 256, 384 or both (default: 256)" },
	{ 'o', FOR(TSIG),          "FILE", "write the key to FILE" },
	{ 'p', FOR(SETTIME),       NULL,   "print all times" },
	{ 'P', TIMES,              "TIME", "publish; -P sync TIME: CDS and CDNSKEY; -P ds TIME: DS seen at the parent" },
	{ 'A', TIMES,              "TIME", "sign from TIME on (activate)" },
	{ 'R', TIMES,              "TIME", "revoke" },
	{ 'I', TIMES,              "TIME", "no longer sign (inactive)" },
	{ 'D', TIMES,              "TIME", "delete; -D sync TIME: CDS and CDNSKEY; -D ds TIME: DS gone from the parent" },
	{ 'L', TIMES,              "TTL",  "TTL of the DNSKEY record in the .key file (for a zone that has none yet), or none" },
};
/* clang-format on */

static const char key_text[] =
	"\nKEY is a file name such as Kexample.com.+013+12345, with or without .key or .private.\n";
static const char time_text[] =
	"\nTIME is YYYYMMDDHHmmSS, YYYYMMDD, now, +N, -N or now+N with units s m h d w y, or none.\n";

/* --- help ------------------------------------------------------------------------------------ */

int keymgr_misuse(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)fprintf(stderr, "signet-keymgr: ");
	(void)vfprintf(stderr, fmt, ap);
	(void)fprintf(stderr, "; try --help\n");
	va_end(ap);
	return KEYMGR_MISUSE;
}

static void print_option(const char *left, const char *text)
{
	for (const char *line = text; line != NULL;) {
		const char *nl = strchr(line, '\n');
		int len = nl != NULL ? (int)(nl - line) : (int)strlen(line);
		(void)printf("  %-14s %.*s\n", line == text ? left : "", len, line);
		line = nl != NULL ? nl + 1 : NULL;
	}
}

/* The options that go with any of @of. */
static void print_options(unsigned of)
{
	(void)printf("\noptions\n");
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		char left[20];
		(void)snprintf(left, sizeof(left), "-%c%s%s", options[i].letter,
			       options[i].arg != NULL ? " " : "",
			       options[i].arg != NULL ? options[i].arg : "");
		if ((options[i].commands & of) != 0) {
			print_option(left, options[i].text);
		}
	}
	print_option("-h, --help", "this text; with a command: what goes with it");
	print_option("-V, --version", "the version");
}

static void print_usage(void)
{
	(void)printf("usage: signet-keymgr COMMAND [options] ...\n\ncommands\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		(void)printf("  %-8s %-15s  %s\n", commands[i].name, commands[i].args,
			     commands[i].text);
	}
	print_options(~0U);
	(void)fputs(key_text, stdout);
	(void)fputs(time_text, stdout);
}

static void print_usage_of(enum keymgr_command c)
{
	(void)printf("usage: signet-keymgr %s [options] %s\n\n%s\n", commands[c].name,
		     commands[c].args, commands[c].text);
	print_options(1U << c);
	if (strstr(commands[c].args, "KEY") != NULL) {
		(void)fputs(key_text, stdout);
	}
	if ((1U << c & TIMES) != 0) {
		(void)fputs(time_text, stdout);
	}
}

/* --- values ---------------------------------------------------------------------------------- */

static bool option_time(struct keymgr_options *o, enum key_time which, const char *arg)
{
	int64_t t = KEY_TIME_NONE;
	if (strcmp(arg, "none") != 0 && time_from_option(arg, o->now, &t) != E_OK) {
		(void)keymgr_misuse("\"%s\" is no time such as 20261124000000, +30d, now or none",
				    arg);
		return false;
	}
	o->times[which] = t;
	o->have_time[which] = true;
	o->any_time = true;
	return true;
}

/* -P and -D take "sync TIME" and "ds TIME" as well: the second word is the next argument. */
static bool option_sync_time(struct keymgr_options *o, const enum key_time which[3], int argc,
			     char **argv)
{
	enum key_time w = which[0];
	const char *arg = optarg;
	if (strcmp(arg, "sync") == 0 || strcmp(arg, "ds") == 0) {
		w = arg[0] == 's' ? which[1] : which[2];
		if (optind >= argc) {
			(void)keymgr_misuse("\"%s\" needs a time behind it", arg);
			return false;
		}
		arg = argv[optind++];
	}
	return option_time(o, w, arg);
}

static bool option_role(struct keymgr_options *o, const char *arg)
{
	o->sep = text_equal(arg, strlen(arg), "KSK") || text_equal(arg, strlen(arg), "CSK");
	if (!o->sep) {
		(void)keymgr_misuse("\"%s\" is no role: KSK or CSK; a ZSK needs no -f", arg);
	}
	return o->sep;
}

static bool option_digest(struct keymgr_options *o, const char *arg)
{
	bool both = strcmp(arg, "both") == 0;
	o->sha256 = both || strcmp(arg, "256") == 0;
	o->sha384 = both || strcmp(arg, "384") == 0;
	if (!o->sha256 && !o->sha384) {
		(void)keymgr_misuse("\"%s\" is no digest: 256, 384 or both", arg);
	}
	return o->sha256 || o->sha384;
}

static bool option_bits(struct keymgr_options *o, const char *arg)
{
	if (text_to_u32(arg, strlen(arg), 4096, &o->bits) != E_OK || o->bits == 0) {
		(void)keymgr_misuse("\"%s\" is no key size up to 4096", arg);
		return false;
	}
	return true;
}

/* 0 is none, as with dnssec-keygen. */
static bool option_ttl(struct keymgr_options *o, const char *arg)
{
	int64_t ttl = 0;
	if (strcmp(arg, "none") != 0 &&
	    time_from_duration(arg, strlen(arg), INT32_MAX, &ttl) != E_OK) {
		(void)keymgr_misuse("\"%s\" is no TTL such as 3600, 1h or none", arg);
		return false;
	}
	o->any_ttl = true;
	o->has_ttl = ttl != 0;
	o->ttl_s = (uint32_t)ttl;
	return true;
}

static bool take_option(struct keymgr_options *o, int c, int argc, char **argv)
{
	static const enum key_time publish[] = { KEY_PUBLISH, KEY_SYNC_PUBLISH, KEY_DS_PUBLISH };
	static const enum key_time delete[] = { KEY_DELETE, KEY_SYNC_DELETE, KEY_DS_REMOVE };
	o->for_new_key |= strchr("afPARIDL", c) != NULL;
	switch (c) {
	case 'K':
		o->key_dir = optarg;
		return true;
	case 'a':
		o->algorithm = optarg;
		return true;
	case 'b':
		return option_bits(o, optarg);
	case 'f':
		return option_role(o, optarg);
	case '3':
		return true;
	case '2':
		return option_digest(o, optarg);
	case 'o':
		o->output = optarg;
		return true;
	case 'p':
		o->print_times = true;
		return true;
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
		return option_ttl(o, optarg);
	default:
		(void)fputs("try signet-keymgr --help\n", stderr);
		return false;
	}
}

/* --- the line -------------------------------------------------------------------------------- */

/* The command of that name; KEYMGR_COMMANDS: said that there is none. */
static enum keymgr_command find_command(const char *name)
{
	const char *names[KEYMGR_COMMANDS + 1] = { NULL };
	for (enum keymgr_command c = 0; c < KEYMGR_COMMANDS; c++) {
		names[c] = commands[c].name;
		if (strcmp(name, commands[c].name) == 0) {
			return c;
		}
	}
	const char *near = text_did_you_mean(name, names);
	(void)keymgr_misuse("there is no command \"%s\"%s%s%s", name,
			    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
			    near != NULL ? "\"?" : "");
	return KEYMGR_COMMANDS;
}

/* Do all options of @seen (a bit for each row) go with the command? */
static bool options_fit(enum keymgr_command c, unsigned seen)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if ((seen & 1U << i) != 0 && (options[i].commands & 1U << c) == 0) {
			(void)keymgr_misuse("-%c does not go with %s", options[i].letter,
					    commands[c].name);
			return false;
		}
	}
	return true;
}

/* The options of the table as getopt wants them. */
static void short_options(char *to)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		*to++ = options[i].letter;
		if (options[i].arg != NULL) {
			*to++ = ':';
		}
	}
	memcpy(to, "hV", 3);
}

static unsigned bit_of(int letter)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (options[i].letter == letter) {
			return 1U << i;
		}
	}
	return 0;
}

bool keymgr_options_parse(int argc, char **argv, int64_t now, struct keymgr_options *out,
			  int *status)
{
	static const struct option long_options[] = { { "help", no_argument, NULL, 'h' },
						      { "version", no_argument, NULL, 'V' },
						      { NULL, 0, NULL, 0 } };
	struct keymgr_options o = { .key_dir = ".", .sha256 = true, .now = now };
	char letters[2 * ARRAY_LEN(options) + 3];
	unsigned seen = 0;
	bool help = false;
	int c;
	*status = KEYMGR_MISUSE;
	short_options(letters);
	while ((c = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		if (c == 'V') {
			(void)puts("signet-keymgr (Signet) " SIGNET_VERSION);
			*status = KEYMGR_GOOD;
			return false;
		}
		help |= c == 'h';
		if (c != 'h' && !take_option(&o, c, argc, argv)) {
			return false;
		}
		seen |= bit_of(c);
	}
	if (optind >= argc) {
		if (help) {
			print_usage();
			*status = KEYMGR_GOOD;
		} else {
			(void)keymgr_misuse("no command given");
		}
		return false;
	}
	o.command = find_command(argv[optind]);
	if (o.command == KEYMGR_COMMANDS) {
		return false;
	}
	if (help) {
		print_usage_of(o.command);
		*status = KEYMGR_GOOD;
		return false;
	}
	o.args = argv + optind + 1;
	o.count = argc - optind - 1;
	*out = o;
	return options_fit(o.command, seen);
}

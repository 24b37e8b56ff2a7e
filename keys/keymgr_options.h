/* keys/keymgr_options.h - the command line of signet-keymgr: commands, options, help.
 *
 * One table of commands and one of options; help, for all or for one command, and the check that an option goes
 * with the command read them.
 *
 * Threads: called by main. */
#ifndef KEYS_KEYMGR_OPTIONS_H
#define KEYS_KEYMGR_OPTIONS_H

#include "keys/key.h"

/* Exit status. */
enum { KEYMGR_GOOD = 0, KEYMGR_BAD = 1, KEYMGR_MISUSE = 2 };

enum keymgr_command {
	KEYMGR_GENERATE,
	KEYMGR_LIST,
	KEYMGR_SETTIME,
	KEYMGR_DS,
	KEYMGR_CDS,
	KEYMGR_IMPORT,
	KEYMGR_EXPORT,
	KEYMGR_REVOKE,
	KEYMGR_TSIG,
	KEYMGR_COMMANDS,
};

struct keymgr_options {
	enum keymgr_command command;
	char **args; /* borrowed from argv: what is no option, behind the command */
	int count;
	const char *key_dir;
	const char *algorithm; /* NULL: none was given */
	const char *output;    /* likewise */
	uint32_t bits;	       /* 0: the default */
	bool sep;
	bool print_times;
	bool sha256, sha384; /* digests of ds */
	bool any_ttl;	     /* -L was given: */
	bool has_ttl;	     /* with a TTL, not none */
	uint32_t ttl_s;
	int64_t now;
	int64_t times[KEY_TIMES];
	bool have_time[KEY_TIMES];
	bool any_time;
	bool for_new_key; /* an option that only a key that is made can do something with */
};

/* Reads the command line. False: all is said (help, version, or what is wrong), and *status is the
 * status to exit with. */
MUST_USE bool keymgr_options_parse(int argc, char **argv, int64_t now, struct keymgr_options *out,
				   int *status);
/* Says what is wrong with the command line. Returns KEYMGR_MISUSE. */
PRINTF(1, 2) int keymgr_misuse(const char *fmt, ...);

#endif

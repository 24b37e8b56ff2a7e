/* server/config.h - the configuration: one YAML file into one immutable struct.
 *
 * Each option is one row of options.def. The row drives the parser, the range check, "did you mean", the
 * default, what signet-checkconf prints, what a reload can change, and the test that signet.yaml(5)
 * has an entry for it. A new option is a member below, a row, and its entry in the manual.
 *
 * Threads: immutable once built; any thread may read it.
 * Memory:  everything in it belongs to its arena; config_free frees all.
 * Errors:  *all* problems are found in one run, as "file:line:column: text" in the findings. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "server/address.h"
#include "server/config_report.h"
#include "zones/base/arena.h"
#include "zones/base/buf.h"
#include "zones/base/log.h"
#include "zones/check.h"
#include "zones/findings.h"

#define CONFIG_PATH_DEFAULT "/etc/signet/signet.yaml"
#define CONFIG_SIZE_MAX	    ((size_t)64 << 20) /* octets of a file; some 500,000 zones */

struct config_addresses {
	const struct address *list;
	size_t count;
	bool is_default; /* nobody has written them down */
};

struct config_networks {
	const struct address_network *list;
	size_t count;
};

enum config_switch { CONFIG_NO, CONFIG_YES };

enum config_log_format { CONFIG_LOG_TEXT, CONFIG_LOG_JSON };

struct config_rrl {
	uint32_t rate;
	uint32_t window_s;
	uint32_t slip;
	uint32_t prefix_v4, prefix_v6; /* bits */
	uint32_t table_size;	       /* entries */
	struct config_networks exempt;
};

/* Paths are absolute; the empty string means none. */
struct config_server {
	struct config_addresses listen;
	struct config_addresses listen_tls;
	const char *tls_certificate, *tls_key; /* paths */
	uint32_t tls_handshakes;
	uint32_t workers; /* 0: one per core */
	const char *user;
	const char *group;
	const char *pid_file;
	uint32_t udp_size;   /* octets */
	uint32_t udp_buffer; /* octets */
	uint32_t tcp_clients;
	uint32_t tcp_clients_per_address;
	uint32_t tcp_idle_timeout_s;
	uint32_t tcp_output; /* octets */
	enum config_switch minimal_responses;
	enum config_switch rotate_rrsets;
	const char *identity, *version, *nsid; /* "": not told */
	enum config_switch cookies;
	const char *cookie_secret;     /* path */
	const uint8_t *report_channel; /* name; NULL: none */
	struct config_rrl rrl;
};

struct config_log {
	enum log_level level;
	enum log_target target;
	enum config_log_format format;
};

struct config_zone {
	const uint8_t *name;
	const char *file;
	struct check_levels checks;
	struct config_place place; /* of its name in the file */
};

struct config {
	struct config_server server;
	struct config_log log;
	struct check_levels checks;	 /* for zones that say nothing else */
	const struct config_zone *zones; /* in the order of the file */
	size_t zone_count;
	struct arena arena;
};

/* --- the table ------------------------------------------------------------------------------- */

enum config_when { CONFIG_RELOAD, CONFIG_RESTART };

/* What the member is, and how it is written; config_type.h. */
enum config_type {
	CONFIG_NUMBER,
	CONFIG_SIZE,
	CONFIG_DURATION,
	CONFIG_SWITCH,
	CONFIG_LOG_LEVEL,
	CONFIG_LOG_TARGET,
	CONFIG_LOG_FORMAT,
	CONFIG_USER,
	CONFIG_GROUP,
	CONFIG_PATH,
	CONFIG_SECRET_FILE,
	CONFIG_TEXT,
	CONFIG_DOMAIN,
	CONFIG_ADDRESSES,
	CONFIG_TLS_ADDRESSES,
	CONFIG_NETWORKS,
	CONFIG_ZONE_NAME,
	CONFIG_ZONE_FILE,
	CONFIG_CHECKS,
};

struct config_option {
	const char *path; /* keys from the top, with dots: "server.udp-size" */
	bool of_zone;	  /* the member is of struct config_zone, else of struct config */
	enum config_type type;
	size_t offset;	   /* of the member */
	const char *value; /* the default, as a user would write it; NULL: must be given */
	uint64_t min, max; /* of a number, or of the count of a list */
	enum config_when when;
	const char *help;
};

/* A row with path NULL ends it. */
extern const struct config_option config_options[];

/* --- reading --------------------------------------------------------------------------------- */

struct config_source {
	const char *path; /* for messages; files are looked for in its directory */
	const char *data;
	size_t len;
	bool only_text; /* do not look whether files, users and groups exist */
};

/* Reads the file at @path ("-": standard input). On success *out is the configuration, the caller owns it;
 * @findings may hold warnings. E_CHECK: there are errors, see @findings. */
MUST_USE int config_load(const char *path, struct config **out, struct findings *findings);
/* The same from memory. */
MUST_USE int config_parse(const struct config_source *source, struct config **out,
			  struct findings *findings);
/* All defaults, no zones. */
struct config *config_new(void);
void config_free(struct config *c); /* NULL is fine */

/* Adds a warning for each option in which @next differs from @running and that takes effect at the next
 * start only. */
void config_compare(const struct config *running, const struct config *next,
		    struct findings *findings);

/* --- printing -------------------------------------------------------------------------------- */

enum config_print { CONFIG_PRINT_PLAIN, CONFIG_PRINT_COMMENTS };

/* The effective configuration as YAML, which reads back to the same. With comments it says what each
 * option is for; of a configuration without zones it then shows how to write one. */
void config_print(const struct config *c, enum config_print how, struct buf *out);

#endif

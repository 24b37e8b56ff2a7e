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

#include "keys/tsig_key.h"
#include "server/acl.h"
#include "server/address.h"
#include "server/config_report.h"
#include "server/update_policy.h"
#include "signer/sign.h"
#include "zones/base/arena.h"
#include "zones/base/buf.h"
#include "zones/base/log.h"
#include "zones/check.h"
#include "zones/findings.h"

#define CONFIG_PATH_DEFAULT    "/etc/signet/signet.yaml"
#define CONFIG_CONTROL_DEFAULT "/run/signet/control"
#define CONFIG_SESSION_KEY     "local-ddns"
#define CONFIG_ADDED	       "zones.yaml" /* in server.database: zones that signetctl has added */
#define CONFIG_SIZE_MAX	       ((size_t)64 << 20) /* octets of a file; some 500,000 zones */

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

/* A number of records, or a share of all. */
struct config_part {
	uint32_t count; /* CONFIG_PART_ALL: no limit */
	bool is_percent;
	bool is_set; /* it stands in the file */
};
#define CONFIG_PART_ALL UINT32_MAX

/* Paths are absolute; the empty string means none. */
struct config_server {
	struct config_addresses listen;
	struct config_addresses listen_tls;
	const char *tls_certificate, *tls_key; /* paths */
	const char *tls_client_ca;	       /* path */
	uint32_t tls_handshakes;
	uint32_t workers; /* 0: one per core */
	const char *user;
	const char *group;
	const char *pid_file;
	const char *control; /* socket; "": none */
	uint32_t udp_size;   /* octets */
	uint32_t udp_buffer; /* octets */
	uint32_t tcp_clients;
	uint32_t tcp_clients_per_address;
	uint32_t tcp_idle_timeout_s;
	uint32_t tcp_output; /* octets */
	uint32_t transfers_out;
	uint32_t transfers_out_per_address;
	uint32_t transfers_in;
	uint32_t transfers_in_per_primary;
	uint32_t transfer_time_s;
	uint32_t transfer_records;
	enum config_switch minimal_responses;
	enum config_switch rotate_rrsets;
	const char *identity, *version, *nsid; /* "": not told */
	enum config_switch cookies;
	const char *cookie_secret;     /* path */
	const uint8_t *report_channel; /* name; NULL: none */
	struct config_rrl rrl;
	const char *database;		/* directory */
	const char *session_key;	/* path */
	uint32_t journal_size;		/* octets */
	uint32_t journal_max_age_s;	/* of history; 0: no limit */
	uint32_t jobs;			/* threads */
	struct config_part max_removed; /* for zones that say nothing else */
	enum config_switch watch;	/* the files of all zones */
};

struct config_log {
	enum log_level level;
	enum log_target target;
	enum config_log_format format;
};

/* Texts, each with its place in the file; what they mean is found out when all is read. */
struct config_texts {
	const struct config_text {
		const char *text;
		struct config_place place;
	} * list;
	size_t count;
};

/* A shared secret (TSIG). */
struct config_key {
	const uint8_t *name;
	const char *algorithm;
	const char *secret;	   /* base64; "": it is in the file */
	const char *file;	   /* path; "": none */
	struct config_place place; /* of its name in the file; likewise below */
};

/* A peer, whatever it does. */
struct config_remote {
	const char *name;
	struct config_networks addresses;
	uint32_t port;
	struct config_texts keys;
	struct config_texts tls_names;
	const char *tls_hostname;     /* this, or a pin: it is turned to over TLS */
	struct config_texts tls_pins; /* base64 */
	const char *tls_ca, *tls_certificate, *tls_key; /* paths */
	uint32_t tls_port;
	struct config_place place;
	const uint8_t *pins;		 /* made of tls_pins, as server/tls.h has them */
	const struct acl_remote *rule;	 /* made of these */
	const struct config_peer *peers; /* likewise: one for each address that is no network */
	size_t peer_count;
};

/* Where we turn to. */
struct config_peer {
	struct address address;	    /* over UDP */
	struct address stream;	    /* over TCP or TLS */
	const struct tsig_key *key; /* with which we sign: the first of the remote; NULL: not */
	const struct config_remote *remote;
};

struct config_peers {
	const struct config_peer *const *list;
	size_t count;
};

enum config_denial { CONFIG_NSEC, CONFIG_NSEC3, CONFIG_NSEC3_OPT_OUT };
enum config_zonemd { CONFIG_ZONEMD_NO, CONFIG_ZONEMD_SHA384, CONFIG_ZONEMD_SHA512 };
enum config_serial { CONFIG_INCREMENT, CONFIG_UNIXTIME, CONFIG_DATE };
enum config_key_roles { CONFIG_KSK_ZSK, CONFIG_CSK };
enum config_catalog_role { CONFIG_CATALOG_NONE, CONFIG_CATALOG_CONSUMER, CONFIG_CATALOG_PRODUCER };

/* What templates the groups of a catalog stand for (RFC 9432 §4.3.2). */
struct config_groups {
	struct config_group {
		const char *name; /* of the group */
		const char *template_text;
		struct config_place place;
		const struct config_zone *template; /* that one */
	} * list;
	size_t count;
};

/* How zones are signed. */
struct config_policy {
	const char *name;
	const char *algorithm;
	enum config_key_roles key_roles;
	enum config_denial denial;
	uint32_t validity_s;
	uint32_t refresh_s;
	uint32_t jitter_s;
	uint32_t dnskey_ttl_s;
	enum config_zonemd zonemd;
	enum config_switch auto_generate;
	enum config_switch update_nsec3param, update_keys;
	struct config_place place;
};

struct config_zone {
	const uint8_t *name;
	const char *file;
	struct check_levels checks;
	const char *dnssec;		    /* the name of the policy; "no" */
	const struct config_policy *policy; /* that one; NULL: not signed by us */
	const char *key_directory;
	enum config_serial serial;
	struct config_part max_removed; /* where not set: the server's; with primaries, no limit */
	enum config_switch watch;
	uint32_t journal_max_size;  /* octets of the zone's entries; 0: no limit of its own */
	uint32_t journal_max_age_s; /* 0: that of the server */
	struct config_texts allow_update;
	const struct acl *updaters; /* made of allow_update; NULL: nobody */
	struct config_texts allow_update_forwarding;
	const struct acl *forwarders; /* made of these: whose updates a secondary passes on */
	struct config_texts allow_transfer;
	const struct acl *transferrers; /* made of allow_transfer, likewise */
	struct config_texts update_rules;
	const struct update_policy *update_policy; /* made of these; NULL: there are none */
	struct config_texts primary_names;
	struct config_peers primaries; /* of these remotes; some: we are a secondary */
	struct config_texts allow_notify;
	const struct acl *notifiers; /* made of allow_notify; primaries may in any case */
	struct config_texts notify_names;
	struct config_peers notify; /* of these remotes */
	enum config_switch notify_ns;
	const uint8_t
		*template_name; /* whose options it has where it says nothing else; NULL: none */
	enum config_catalog_role catalog_role;
	const uint8_t *catalog_template_name;
	const struct config_zone *catalog_template; /* that one: what members of a consumer's are */
	struct config_groups catalog_groups;
	const uint8_t *catalog_zone; /* the producer that lists this zone; NULL: none does */
	const char *catalog_group;   /* as what; "": nothing */
	/* Of a member of a consumer's catalog, which stands in no file (config_with_members). */
	const uint8_t *member_of; /* the catalog; NULL: it is none */
	uint64_t member_id; /* another one: another zone of the same name, with nothing of before */
	struct config_place place;
};

struct config {
	struct config_server server;
	struct config_log log;
	struct check_levels checks;    /* for zones that say nothing else */
	const struct config_key *keys; /* lists are in the order of the file */
	size_t key_count;
	struct tsig_key *tsig_keys; /* heap; made of these, and the session key behind them */
	size_t tsig_key_count;
	const struct tsig_key *session_key; /* NULL: none; new each time */
	const struct config_remote *remotes;
	size_t remote_count;
	struct acl_names names; /* of keys and remotes, for rules */
	const struct config_policy *policies;
	size_t policy_count;
	const struct config_policy *default_policy; /* that of the file named so, or all defaults */
	const struct config_zone *templates;	    /* their names are names of no zones */
	size_t template_count;
	const struct config_zone *zones;
	size_t zone_count;
	const struct config_zone **zones_by_name; /* heap; sorted */
	struct config *base; /* that it has all but the members from; NULL: it was read */
	uint32_t refs;	     /* of those that have it as base; the control thread's */
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
	CONFIG_ACL,
	CONFIG_KEY_NAMES,
	CONFIG_TLS_NAMES,
	CONFIG_TLS_PINS,
	CONFIG_REMOTE_NAMES,
	CONFIG_UPDATE_RULES,
	CONFIG_DENIAL,
	CONFIG_ZONEMD,
	CONFIG_SERIAL,
	CONFIG_KEY_ROLES,
	CONFIG_CATALOG_ROLE,
	CONFIG_GROUPS,
	CONFIG_SECRET,
	CONFIG_PART,
};

/* What has options: the configuration itself, and the items of its lists. */
enum config_scope {
	CONFIG_TOP,
	CONFIG_KEY,
	CONFIG_REMOTE,
	CONFIG_POLICY,
	CONFIG_TEMPLATE,
	CONFIG_ZONE,
	CONFIG_SCOPES
};

struct config_option {
	const char *path;	 /* keys from the top, with dots: "server.udp-size" */
	enum config_scope scope; /* whose member it is */
	enum config_type type;
	size_t offset;	   /* of the member */
	const char *value; /* the default, as a user would write it; NULL: must be given */
	uint64_t min, max; /* of a number, or of the count of a list */
	enum config_when when;
	const char *help;
};

/* A row with path NULL ends it. */
extern const struct config_option config_options[];

/* A list of the configuration: which key it is under, and where its items are. */
struct config_list {
	const char *key;
	enum config_scope
		options; /* whose rows its items have, and their struct: another one's or its own */
	const char *item;    /* "zone" */
	const char *also;    /* a key beside "name" that items have, as a rule */
	const char *instead; /* a key in the place of that one; NULL: there is none */
	const char *help;
	size_t size;  /* octets of an item */
	size_t items; /* offset in struct config of the pointer to the first */
	size_t count; /* and of their number */
	size_t place; /* offset in the item of the place of its name, which is its first member */
	bool has_text_name; /* else it is a domain name */
};
/* By scope; CONFIG_TOP has none. */
extern const struct config_list config_lists[CONFIG_SCOPES];

/* --- reading --------------------------------------------------------------------------------- */

struct config_source {
	const char *path; /* for messages; files are looked for in its directory */
	const char *data;
	size_t len;
	/* Instead of the zones that signetctl has added (CONFIG_ADDED); NULL: those, unless only_text. */
	const char *added;
	size_t added_len;
	bool only_text; /* do not look whether files, users and groups exist */
};

/* Reads the file at @path ("-": standard input), and with it the zones that signetctl has added. On success *out is the configuration, the caller owns it;
 * @findings may hold warnings. E_CHECK: there are errors, see @findings. */
MUST_USE int config_load(const char *path, struct config **out, struct findings *findings);
/* The same from memory. */
MUST_USE int config_parse(const struct config_source *source, struct config **out,
			  struct findings *findings);
/* NULL: there is none of that name. */
const struct config_zone *config_find_zone(const struct config *c, const uint8_t *name);
/* Is the zone one that the server changes or transfers in, and so keeps in its database? */
bool config_zone_is_kept(const struct config_zone *z);
static inline bool config_zone_is_secondary(const struct config_zone *z)
{
	return z->primaries.count != 0;
}
static inline bool config_remote_has_tls(const struct config_remote *r)
{
	return *r->tls_hostname != '\0' || r->tls_pins.count != 0;
}

/* The template @name; NULL: there is none. */
const struct config_zone *config_find_template(const struct config *c, const uint8_t *name);

/* A zone that a catalog lists. */
struct config_member {
	const uint8_t *zone;
	const uint8_t *catalog;		    /* of which it is */
	const struct config_zone *template; /* of the configuration */
	uint64_t id;			    /* not 0 */
};
/* @base, a configuration that was read, and @count zones more, each with the options of its template. Names are copied;
 * @base is shared: config_free of both. No member may be a zone of @base. */
struct config *config_with_members(struct config *base, const struct config_member *members,
				   size_t count);
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

/* server/config_type.h - the types of options: how each is read, checked, printed and described.
 *
 * Private to config.c. A type is one row of a table in config_type.c; several options share it.
 *
 * Threads: no state.
 * Memory:  values belong to the arena of the reader. */
#ifndef SERVER_CONFIG_TYPE_H
#define SERVER_CONFIG_TYPE_H

#include "server/config.h"
#include "server/config_yaml.h"

/* The C type of a member, by the name of its type in options.def. */
#define CONFIG_C_NUMBER	       uint32_t
#define CONFIG_C_SIZE	       uint32_t
#define CONFIG_C_DURATION      uint32_t /* seconds */
#define CONFIG_C_SWITCH	       enum config_switch
#define CONFIG_C_LOG_LEVEL     enum log_level
#define CONFIG_C_LOG_TARGET    enum log_target
#define CONFIG_C_LOG_FORMAT    enum config_log_format
#define CONFIG_C_USER	       const char *
#define CONFIG_C_GROUP	       const char *
#define CONFIG_C_PATH	       const char *
#define CONFIG_C_SECRET_FILE   const char *
#define CONFIG_C_TEXT	       const char *
#define CONFIG_C_DOMAIN	       const uint8_t *
#define CONFIG_C_ADDRESSES     struct config_addresses
#define CONFIG_C_TLS_ADDRESSES struct config_addresses
#define CONFIG_C_NETWORKS      struct config_networks
#define CONFIG_C_ZONE_NAME     const uint8_t *
#define CONFIG_C_ZONE_FILE     const char *
#define CONFIG_C_CHECKS	       struct check_levels
#define CONFIG_C_ACL	       struct config_texts
#define CONFIG_C_KEY_NAMES     struct config_texts
#define CONFIG_C_TLS_NAMES     struct config_texts
#define CONFIG_C_TLS_PINS      struct config_texts
#define CONFIG_C_REMOTE_NAMES  struct config_texts
#define CONFIG_C_UPDATE_RULES  struct config_texts
#define CONFIG_C_DENIAL	       enum config_denial
#define CONFIG_C_ZONEMD	       enum config_zonemd
#define CONFIG_C_SERIAL	       enum config_serial
#define CONFIG_C_KEY_ROLES     enum config_key_roles
#define CONFIG_C_CATALOG_ROLE  enum config_catalog_role
#define CONFIG_C_GROUPS	       struct config_groups
#define CONFIG_C_SECRET	       const char *
#define CONFIG_C_PART	       struct config_part

struct config_reader {
	struct arena *arena;
	struct config_report *report;
	const char *directory; /* relative paths start there; "": where the process is */
	bool only_text;
	bool is_default; /* what is read now are the defaults */
};

/* Reads @node into the member at @to; what is wrong goes to the report, and @to then keeps its value. */
void config_type_read(struct config_reader *r, const struct config_option *o,
		      const struct config_node *node, void *to);

struct config_style {
	unsigned indent; /* columns of the key */
	bool comments;	 /* explain the parts of a value */
	const void *
		inherit; /* a member that the value was taken from; only what differs is printed. Or NULL */
};

/* Prints the value at @from as it follows "key:", with its line end. */
void config_type_print(struct buf *b, const struct config_option *o, const void *from,
		       const struct config_style *style);
/* What has to be there, for "expected ...": "a whole number from 1 to 10". */
void config_type_describe(struct buf *b, const struct config_option *o);
/* Something that could be written there. */
const char *config_type_example(enum config_type type);

/* @text as a YAML scalar, quoted where it has to be. */
void config_print_scalar(struct buf *b, const char *text);

#endif

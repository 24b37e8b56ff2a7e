/* server/config_run.h - what the parts of reading the configuration share; private to server/config*.c.
 *
 *     config.c         in and out; what several options say together
 *     config_read.c    the YAML tree along the table of options; lists
 *     config_peers.c   keys and remotes
 *     config_zones.c   policies, templates and zones
 *     config_members.c zones that catalogs list
 *     config_added.c   the zones that signetctl has added
 *
 * What is wrong is reported (config_reading.reader.report), and reading goes on. */
#ifndef SERVER_CONFIG_RUN_H
#define SERVER_CONFIG_RUN_H

#include "server/config.h"
#include "server/config_type.h"
#include "server/config_yaml.h"

#define CONFIG_PATH_ROOM 80 /* of an option's path, its NUL included */

struct config_reading {
	struct config *config;
	const struct config_source *source;
	struct arena *nodes; /* of trees */
	struct config_reader reader;
	const struct config_node *root;
	/* Set aside: each stands on what comes before it. */
	const struct config_node *lists[CONFIG_SCOPES];
};

/* config_read.c */
/* Gives the members of @base, of the struct of @scope, their defaults. */
void config_read_defaults(struct config_reading *g, enum config_scope scope, void *base);
/* Reads the keys of @map, whose options' paths begin with @prefix, into @base. */
void config_read_map(struct config_reading *g, const char *prefix, const struct config_node *map,
		     void *base);
/* Reads the items of a list, each with what it does not say as in @defaults. */
void config_read_list(struct config_reading *g, enum config_scope scope, const void *defaults);
/* No two items of a list have one name. */
void config_check_items_differ(const struct config_reading *g, enum config_scope scope);
/* @n stands where the keys below @path are expected, and is no map. */
void config_report_no_keys(const struct config_reading *g, const char *path,
			   const struct config_node *n);

/* config_peers.c */
void config_read_keys(struct config_reading *g);
void config_read_remotes(struct config_reading *g);

/* config_zones.c */
void config_read_default_policy(struct config_reading *g);
void config_read_policies(struct config_reading *g);
/* Templates, and then zones. */
void config_read_zones(struct config_reading *g);
/* For config_find_zone. */
void config_sort_zones(struct config *c);
/* What the zone @n has where it says nothing else: @defaults, or its template. */
const struct config_zone *config_zone_defaults(const struct config_reading *g,
					       const struct config_node *n, const void *defaults);

/* config_added.c: the zones of the list there come behind those of the configuration. */
void config_read_added(struct config_reading *g);

#endif

/* server/config_yaml.h - a YAML text as a tree of nodes that know where they stand.
 *
 * What a configuration needs of YAML 1.1: maps, lists and scalars, in block and flow style. Scalars are
 * text; what a text means is for the option to say, so that "no", "1e3" and "0x10" never turn into
 * something else behind the operator's back. Refused with line and column: anchors and aliases (the
 * same thing in two places, and the way to blow up a parser), tags, several documents, keys that are
 * no scalars, a key twice in one map, octets that are not UTF-8, control characters.
 *
 * Threads: no state.
 * Memory:  nodes and texts belong to the arena of the caller.
 * Errors:  problems go to the report; reading goes on where YAML itself is not broken. */
#ifndef SERVER_CONFIG_YAML_H
#define SERVER_CONFIG_YAML_H

#include "server/config_report.h"
#include "zones/base/arena.h"
#include "zones/base/err.h"

#define CONFIG_DEPTH_MAX 16  /* of maps and lists in each other; options need 4 */
#define CONFIG_KEYS_MAX	 200 /* of one map; duplicates are looked for by comparing all */

enum config_node_kind {
	CONFIG_NODE_SCALAR,
	CONFIG_NODE_LIST,
	CONFIG_NODE_MAP,
	CONFIG_NODE_BAD, /* something that was reported; say no more about it */
};

struct config_node {
	enum config_node_kind kind;
	bool is_null; /* an empty scalar, ~ or null, not quoted */
	struct config_place place;
	const char *text; /* of a scalar; NUL-terminated, no NUL inside */
	size_t len;
	const char *key; /* in a map; likewise */
	size_t key_len;
	struct config_place key_place;
	struct config_node *first; /* child, in a list or map */
	struct config_node *next;  /* sibling */
	size_t count;		   /* children */
};

/* Reads @len octets of @text. *out is the top node, or NULL when the text holds nothing but space and
 * comments. E_SYNTAX: the text is no YAML, the report says why, and there is no tree. Other problems leave
 * a tree, and E_OK. */
MUST_USE int config_yaml_read(const char *text, size_t len, struct arena *arena,
			      struct config_report *report, struct config_node **out);

/* The child of the map @node with that key, or NULL. */
const struct config_node *config_node_get(const struct config_node *node, const char *key);

#endif

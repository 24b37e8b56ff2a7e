/* server/config_read.c - the YAML tree is walked along the table of options. */
#include "server/config_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/dns/dname.h"

/* The type in each row fits its member. */
#define CHECK_TYPE(of, member, type)                                                               \
 _Static_assert(_Generic(&((of *)NULL)->member, CONFIG_C_##type * : 1, default : 0),               \
		#member " is no " #type);
#define OPTION(path, member, type, ...)	       CHECK_TYPE(struct config, member, type)
#define KEY_OPTION(path, member, type, ...)    CHECK_TYPE(struct config_key, member, type)
#define REMOTE_OPTION(path, member, type, ...) CHECK_TYPE(struct config_remote, member, type)
#define POLICY_OPTION(path, member, type, ...) CHECK_TYPE(struct config_policy, member, type)
#define ZONE_OPTION(path, member, type, ...)   CHECK_TYPE(struct config_zone, member, type)
#include "server/options.def"
#undef OPTION
#undef KEY_OPTION
#undef REMOTE_OPTION
#undef POLICY_OPTION
#undef ZONE_OPTION

const struct config_option config_options[] = {
#define ROW(of, scope, path, member, type, value, min, max, when, help)                            \
 {                                                                                                 \
	 path, CONFIG_##scope, CONFIG_##type, offsetof(of, member), value, min,                    \
	 max,  CONFIG_##when,  help                                                                \
 },
#define OPTION(...)	   ROW(struct config, TOP, __VA_ARGS__)
#define KEY_OPTION(...)	   ROW(struct config_key, KEY, __VA_ARGS__)
#define REMOTE_OPTION(...) ROW(struct config_remote, REMOTE, __VA_ARGS__)
#define POLICY_OPTION(...) ROW(struct config_policy, POLICY, __VA_ARGS__)
#define ZONE_OPTION(...)   ROW(struct config_zone, ZONE, __VA_ARGS__)
#include "server/options.def"
#undef ROW
#undef OPTION
#undef KEY_OPTION
#undef REMOTE_OPTION
#undef POLICY_OPTION
#undef ZONE_OPTION
	{ .path = NULL },
};

#define LIST(key, options, item, also, instead, of, list, count, text, help)                       \
 {                                                                                                 \
  key, options, item, also, instead, help, sizeof(of), offsetof(struct config, list),              \
	  offsetof(struct config, count), offsetof(of, place), text                                \
 }

const struct config_list config_lists[CONFIG_SCOPES] = {
	[CONFIG_KEY] =
		LIST("keys", CONFIG_KEY, "key", "secret", NULL, struct config_key, keys, key_count,
		     false, "Secrets that the server shares with others (TSIG, RFC 8945)."),
	[CONFIG_REMOTE] =
		LIST("remotes", CONFIG_REMOTE, "remote", "addresses", NULL, struct config_remote,
		     remotes, remote_count, true, "Peers, for rules that name them."),
	[CONFIG_POLICY] =
		LIST("policies", CONFIG_POLICY, "policy", "denial", NULL, struct config_policy,
		     policies, policy_count, true, "Ways to sign zones."),
	[CONFIG_TEMPLATE] =
		LIST("templates", CONFIG_ZONE, "template", "primaries", NULL, struct config_zone,
		     templates, template_count, false, "Options that several zones have."),
	[CONFIG_ZONE] = LIST("zones", CONFIG_ZONE, "zone", "file", "primaries", struct config_zone,
			     zones, zone_count, false, "The zones that are served."),
};
_Static_assert(offsetof(struct config_key, name) == 0 &&
		       offsetof(struct config_remote, name) == 0 &&
		       offsetof(struct config_policy, name) == 0 &&
		       offsetof(struct config_zone, name) == 0,
	       "the name of an item comes first");

/* --- the table ------------------------------------------------------------------------------- */

static const struct config_option *option_find(const char *path)
{
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		if (strcmp(o->path, path) == 0) {
			return o;
		}
	}
	return NULL;
}

/* What follows the section @prefix ("": the top) in @path; NULL when it is elsewhere. */
static const char *below(const char *prefix, const char *path)
{
	size_t len = strlen(prefix);
	if (len == 0) {
		return path;
	}
	return strncmp(path, prefix, len) == 0 && path[len] == '.' ? path + len + 1 : NULL;
}

static bool is_section(const char *prefix)
{
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		if (below(prefix, o->path) != NULL) {
			return true;
		}
	}
	return false;
}

/* --- unknown keys ---------------------------------------------------------------------------- */

/* The key of the section @prefix that @key may be a slip for, copied to @out, or NULL. */
static const char *nearest_key(const char *prefix, const char *key, char out[CONFIG_PATH_ROOM])
{
	bool found = false;
	char one[CONFIG_PATH_ROOM];
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		const char *rest = below(prefix, o->path);
		if (rest == NULL) {
			continue;
		}
		(void)snprintf(one, sizeof(one), "%.*s", (int)strcspn(rest, "."), rest);
		const char *const words[] = { found ? out : one, found ? one : NULL, NULL };
		if (text_did_you_mean(key, words) == one) {
			memcpy(out, one, sizeof(one));
			found = true;
		}
	}
	return found ? out : NULL;
}

/* The option that @key names in another section: by its last part, or with dots. */
static const struct config_option *elsewhere(const char *key)
{
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		const char *dot = strrchr(o->path, '.');
		if (dot != NULL && (strcmp(dot + 1, key) == 0 || strcmp(o->path, key) == 0)) {
			return o;
		}
	}
	return NULL;
}

/* The section that has a section @key in it, copied to @out, or NULL. */
static const char *section_of(const char *key, char out[CONFIG_PATH_ROOM])
{
	size_t len = strlen(key);
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		for (const char *dot = strchr(o->path, '.'); dot != NULL;
		     dot = strchr(dot + 1, '.')) {
			if (strncmp(dot + 1, key, len) == 0 && dot[1 + len] == '.') {
				(void)snprintf(out, CONFIG_PATH_ROOM, "%.*s", (int)(dot - o->path),
					       o->path);
				return out;
			}
		}
	}
	return NULL;
}

static void report_unknown(const struct config_reading *g, const char *prefix,
			   const struct config_node *n)
{
	char quoted[TEXT_QUOTE_MAX];
	char near[CONFIG_PATH_ROOM];
	struct config_report *report = g->reader.report;
	const struct config_option *o = elsewhere(n->key);
	(void)text_quote(n->key, n->key_len, quoted);
	if (o != NULL) {
		const char *dot = strrchr(o->path, '.');
		config_report_error(report, n->key_place,
				    "unknown key %s; write \"%s\" below \"%.*s\"", quoted, dot + 1,
				    (int)(dot - o->path), o->path);
	} else if (section_of(n->key, near) != NULL) {
		config_report_error(report, n->key_place,
				    "unknown key %s; write \"%s\" below \"%s\"", quoted, n->key,
				    near);
	} else if (nearest_key(prefix, n->key, near) != NULL) {
		config_report_error(report, n->key_place, "unknown key %s; did you mean \"%s\"?",
				    quoted, near);
	} else {
		config_report_error(report, n->key_place,
				    "unknown key %s; signet.yaml(5) lists all", quoted);
	}
}

/* --- the tree -------------------------------------------------------------------------------- */

/* A key of the section @path, for an example. */
static const char *first_key(const char *path)
{
	const struct config_option *o = config_options;
	while (*path != '\0' && below(path, o->path) == NULL) {
		o++;
	}
	return *path != '\0' ? below(path, o->path) : config_lists[CONFIG_ZONE].key;
}

/* @path has something else than keys below it. */
void config_report_no_keys(const struct config_reading *g, const char *path,
			   const struct config_node *n)
{
	char quoted[TEXT_QUOTE_MAX];
	const char *found =
		n->kind == CONFIG_NODE_LIST ? "a list" : text_quote(n->text, n->len, quoted);
	bool lacks_space = strchr(n->text, ':') != NULL && n->text[0] != ':';
	config_report_error(g->reader.report, n->place,
			    "%s%sfound %s, expected keys such as \"%s\"%s", path,
			    *path != '\0' ? ": " : "", found, first_key(path),
			    lacks_space ? "; a ':' needs a space behind it" : "");
}

/* A section may be empty: all that is in it may be commented out. */
static void read_section(struct config_reading *g, const char *path, const struct config_node *n,
			 void *base)
{
	if (n->kind == CONFIG_NODE_MAP) {
		config_read_map(g, path, n, base);
	} else if (n->kind != CONFIG_NODE_BAD && !n->is_null) {
		config_report_no_keys(g, path, n);
	}
}

/* The list that is under the key @path; CONFIG_TOP: none. */
static enum config_scope list_find(const char *path)
{
	enum config_scope scope = CONFIG_SCOPES - 1;
	while (scope != CONFIG_TOP && strcmp(config_lists[scope].key, path) != 0) {
		scope--;
	}
	return scope;
}

/* Reads the keys of a section into the struct at @base. Sections lie in each other as deep as the paths in the
 * table say. */
void config_read_map(struct config_reading *g, const char *prefix, const struct config_node *map,
		     void *base)
{
	for (const struct config_node *n = map->first; n != NULL; n = n->next) {
		char path[CONFIG_PATH_ROOM];
		int len = snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix != '\0' ? "." : "",
				   n->key);
		bool fits = len >= 0 && (size_t)len < sizeof(path);
		bool one_key = fits && strchr(n->key, '.') == NULL;
		const struct config_option *o = one_key ? option_find(path) : NULL;
		if (o != NULL) {
			config_type_read(&g->reader, o, n, (char *)base + o->offset);
		} else if (one_key && list_find(path) != CONFIG_TOP) {
			g->lists[list_find(path)] = n;
		} else if (one_key && is_section(path)) {
			read_section(g, path, n, base);
		} else {
			report_unknown(g, prefix, n);
		}
	}
}

void config_read_defaults(struct config_reading *g, enum config_scope scope, void *base)
{
	struct arena scratch = { 0 };
	size_t problems = g->reader.report->count;
	g->reader.is_default = true;
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		struct config_node *n = NULL;
		if (o->scope != scope || o->value == NULL) {
			continue;
		}
		int err = config_yaml_read(o->value, strlen(o->value), &scratch, g->reader.report,
					   &n);
		assert(err == E_OK && n != NULL);
		config_type_read(&g->reader, o, n, (char *)base + o->offset);
	}
	assert(g->reader.report->count == problems);
	g->reader.is_default = false;
	arena_clear(&scratch);
}

/* --- lists ----------------------------------------------------------------------------------- */

static void *item_at(void *items, enum config_scope scope, size_t i)
{
	return (char *)items + i * config_lists[scope].size;
}

static struct config_place *item_place(void *item, enum config_scope scope)
{
	return (struct config_place *)(void *)((char *)item + config_lists[scope].place);
}

/* The first member of an item: the pointer to its name. NULL: it has none. */
static const void *item_name(const void *item)
{
	const void *name;
	memcpy(&name, item, sizeof(name));
	return name;
}

/* Is there what takes the place of l->also? What comes from elsewhere is looked at when all is read. */
static bool has_instead(const struct config_list *l, const struct config_node *n)
{
	const struct config_node *node = l->instead != NULL ? config_node_get(n, l->instead) : NULL;
	const struct config_node *role = config_node_get(n, "catalog-role");
	return l->options == CONFIG_ZONE &&
	       (l->instead == NULL || config_node_get(n, "template") != NULL ||
		(role != NULL && role->kind == CONFIG_NODE_SCALAR &&
		 strcmp(role->text, "producer") == 0) ||
		(node != NULL && !(node->kind == CONFIG_NODE_LIST && node->count == 0)));
}

static void read_item(struct config_reading *g, enum config_scope scope,
		      const struct config_node *n, void *item)
{
	const struct config_list *l = &config_lists[scope];
	if (n->kind == CONFIG_NODE_BAD) {
		return;
	}
	if (n->kind != CONFIG_NODE_MAP) {
		config_report_error(g->reader.report, n->place,
				    "%s: found %s, expected a %s with \"name\" and \"%s\"", l->key,
				    n->kind == CONFIG_NODE_LIST ? "a list"
				    : n->is_null		? "nothing"
								: "a value",
				    l->item, l->also);
		return;
	}
	const char *prefix = config_lists[l->options].key;
	config_read_map(g, prefix, n, item);
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		const char *key = o->scope == l->options ? below(prefix, o->path) : NULL;
		if (key != NULL && o->value == NULL && config_node_get(n, key) == NULL &&
		    !(strcmp(key, config_lists[l->options].also) == 0 && has_instead(l, n))) {
			config_report_error(g->reader.report, n->place, "this %s has no \"%s\"",
					    l->item, key);
		}
	}
	const struct config_node *name = config_node_get(n, "name");
	*item_place(item, scope) = name != NULL ? name->place : n->place;
}

/* Something that the option @key of the items of @list could be. */
static const char *example_of(const char *list, const char *key)
{
	char path[CONFIG_PATH_ROOM];
	(void)snprintf(path, sizeof(path), "%s.%s", list, key);
	return config_type_example(option_find(path)->type);
}

/* Reads the items of a list, each with what it does not say as in @defaults. */
void config_read_list(struct config_reading *g, enum config_scope scope, const void *defaults)
{
	const struct config_list *l = &config_lists[scope];
	const struct config_node *list = g->lists[scope];
	if (list == NULL || list->kind == CONFIG_NODE_BAD || list->is_null) {
		return;
	}
	if (list->kind != CONFIG_NODE_LIST) {
		config_report_error(g->reader.report, list->place,
				    "%s: found %s, expected a list, each %s as \"- name: %s\" and "
				    "\"%s: %s\" below it",
				    l->key, list->kind == CONFIG_NODE_MAP ? "a map" : "a value",
				    l->item, example_of(config_lists[l->options].key, "name"),
				    l->also, example_of(config_lists[l->options].key, l->also));
		return;
	}
	char *items = arena_alloc(&g->config->arena, list->count * l->size);
	size_t count = 0;
	for (const struct config_node *n = list->first; n != NULL; n = n->next) {
		void *item = item_at(items, scope, count);
		memcpy(item, scope == CONFIG_ZONE ? config_zone_defaults(g, n, defaults) : defaults,
		       l->size);
		memset(item, 0, sizeof(void *)); /* its name, which is its own */
		read_item(g, scope, n, item);
		count += item_name(item) != NULL;
	}
	memcpy((char *)g->config + l->items, &items, sizeof(items));
	memcpy((char *)g->config + l->count, &count, sizeof(count));
}

struct sorted_item {
	const void *item;
	const void *name;
	bool has_text_name;
};

static int compare_items(const void *a, const void *b)
{
	const struct sorted_item *x = a;
	const struct sorted_item *y = b;
	int order = x->has_text_name ? strcmp(x->name, y->name) : dname_compare(x->name, y->name);
	return order != 0 ? order : (x->item > y->item) - (x->item < y->item);
}

static void report_twice(const struct config_reading *g, enum config_scope scope,
			 const struct sorted_item *again, const struct sorted_item *first)
{
	char text[DNAME_TEXT_MAX];
	char quoted[TEXT_QUOTE_MAX];
	const char *name = again->has_text_name ? again->name : text;
	if (!again->has_text_name) {
		(void)dname_to_text(first->name, text);
	}
	const struct config_place *at = item_place((void *)(uintptr_t)again->item, scope);
	const struct config_place *before = item_place((void *)(uintptr_t)first->item, scope);
	if (at->path != before->path) {
		config_report_error(g->reader.report, *at,
				    "the %s %s is here, and in the configuration at line %u, "
				    "column %u",
				    config_lists[scope].item,
				    text_quote(name, strlen(name), quoted), before->line,
				    before->column);
		return;
	}
	config_report_error(g->reader.report, *at,
			    "the %s %s is here twice; the first is at line %u, column %u",
			    config_lists[scope].item, text_quote(name, strlen(name), quoted),
			    before->line, before->column);
}

void config_check_items_differ(const struct config_reading *g, enum config_scope scope)
{
	const struct config_list *l = &config_lists[scope];
	size_t count;
	void *items;
	memcpy(&count, (const char *)g->config + l->count, sizeof(count));
	memcpy(&items, (const char *)g->config + l->items, sizeof(items));
	if (count == 0) {
		return;
	}
	struct sorted_item *sorted = mem_array(count, sizeof(*sorted));
	for (size_t i = 0; i < count; i++) {
		const void *item = item_at(items, scope, i);
		sorted[i] = (struct sorted_item){ item, item_name(item), l->has_text_name };
	}
	qsort(sorted, count, sizeof(*sorted), compare_items);
	const struct sorted_item *first = &sorted[0];
	for (size_t i = 1; i < count; i++) {
		const struct sorted_item *it = &sorted[i];
		bool is_same = it->has_text_name ? strcmp(it->name, first->name) == 0
						 : dname_equal(it->name, first->name);
		if (is_same) {
			report_twice(g, scope, it, first);
		} else {
			first = it;
		}
	}
	mem_free(sorted);
}

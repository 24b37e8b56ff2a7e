/* server/config.c - the configuration: the YAML tree is walked along the table of options. */
#include "server/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/algorithm.h"
#include "keys/tsig_file.h"
#include "server/config_type.h"
#include "server/config_yaml.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/dns/dname.h"

#define PATH_ROOM     80   /* of an option's path, its NUL included */
#define DIRECTORY_MAX 4096 /* of the file; with its NUL */

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

#define LIST(key, item, also, instead, of, list, count, text, help)                                \
 {                                                                                                 \
  key, item, also, instead, help, sizeof(of), offsetof(struct config, list),                       \
	  offsetof(struct config, count), offsetof(of, place), text                                \
 }

const struct config_list config_lists[CONFIG_SCOPES] = {
	[CONFIG_KEY] = LIST("keys", "key", "secret", NULL, struct config_key, keys, key_count,
			    false, "Secrets that the server shares with others (TSIG, RFC 8945)."),
	[CONFIG_REMOTE] = LIST("remotes", "remote", "addresses", NULL, struct config_remote,
			       remotes, remote_count, true, "Peers, for rules that name them."),
	[CONFIG_POLICY] = LIST("policies", "policy", "denial", NULL, struct config_policy, policies,
			       policy_count, true, "Ways to sign zones."),
	[CONFIG_ZONE] = LIST("zones", "zone", "file", "primaries", struct config_zone, zones,
			     zone_count, false, "The zones that are served."),
};
_Static_assert(offsetof(struct config_key, name) == 0 &&
		       offsetof(struct config_remote, name) == 0 &&
		       offsetof(struct config_policy, name) == 0 &&
		       offsetof(struct config_zone, name) == 0,
	       "the name of an item comes first");

struct reading {
	struct config *config;
	const struct config_source *source;
	struct arena *nodes; /* of trees */
	struct config_reader reader;
	const struct config_node *root;
	/* Set aside: each stands on what comes before it. */
	const struct config_node *lists[CONFIG_SCOPES];
};

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
static const char *nearest_key(const char *prefix, const char *key, char out[PATH_ROOM])
{
	bool found = false;
	char one[PATH_ROOM];
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
static const char *section_of(const char *key, char out[PATH_ROOM])
{
	size_t len = strlen(key);
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		for (const char *dot = strchr(o->path, '.'); dot != NULL;
		     dot = strchr(dot + 1, '.')) {
			if (strncmp(dot + 1, key, len) == 0 && dot[1 + len] == '.') {
				(void)snprintf(out, PATH_ROOM, "%.*s", (int)(dot - o->path),
					       o->path);
				return out;
			}
		}
	}
	return NULL;
}

static void report_unknown(const struct reading *g, const char *prefix, const struct config_node *n)
{
	char quoted[TEXT_QUOTE_MAX];
	char near[PATH_ROOM];
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

static void read_map(struct reading *g, const char *prefix, const struct config_node *map,
		     void *base);

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
static void report_no_keys(const struct reading *g, const char *path, const struct config_node *n)
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
static void read_section(struct reading *g, const char *path, const struct config_node *n,
			 void *base)
{
	if (n->kind == CONFIG_NODE_MAP) {
		read_map(g, path, n, base);
	} else if (n->kind != CONFIG_NODE_BAD && !n->is_null) {
		report_no_keys(g, path, n);
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
static void read_map(struct reading *g, const char *prefix, const struct config_node *map,
		     void *base)
{
	for (const struct config_node *n = map->first; n != NULL; n = n->next) {
		char path[PATH_ROOM];
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

static void read_defaults(struct reading *g, enum config_scope scope, void *base)
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

/* Is there what takes the place of l->also? */
static bool has_instead(const struct config_list *l, const struct config_node *n)
{
	const struct config_node *node = l->instead != NULL ? config_node_get(n, l->instead) : NULL;
	return node != NULL && !(node->kind == CONFIG_NODE_LIST && node->count == 0);
}

static void read_item(struct reading *g, enum config_scope scope, const struct config_node *n,
		      void *item)
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
	read_map(g, l->key, n, item);
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		const char *key = o->scope == scope ? below(l->key, o->path) : NULL;
		if (key != NULL && o->value == NULL && config_node_get(n, key) == NULL &&
		    !(strcmp(key, l->also) == 0 && has_instead(l, n))) {
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
	char path[PATH_ROOM];
	(void)snprintf(path, sizeof(path), "%s.%s", list, key);
	return config_type_example(option_find(path)->type);
}

/* Reads the items of a list, each with what it does not say as in @defaults. */
static void read_list(struct reading *g, enum config_scope scope, const void *defaults)
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
				    l->item, example_of(l->key, "name"), l->also,
				    example_of(l->key, l->also));
		return;
	}
	char *items = arena_alloc(&g->config->arena, list->count * l->size);
	size_t count = 0;
	for (const struct config_node *n = list->first; n != NULL; n = n->next) {
		void *item = item_at(items, scope, count);
		memcpy(item, defaults, l->size);
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

static void report_twice(const struct reading *g, enum config_scope scope,
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

static void check_items_differ(const struct reading *g, enum config_scope scope)
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

/* --- keys ------------------------------------------------------------------------------------ */

static void make_key_of_file(const struct reading *g, const struct config_key *k,
			     struct tsig_key *out)
{
	struct tsig_keys keys = { 0 };
	struct errmsg em = { "" };
	char quoted[TEXT_QUOTE_MAX];
	char name[DNAME_TEXT_MAX];
	if (g->reader.only_text) {
		return;
	}
	if (tsig_file_read(k->file, &keys, &em) != E_OK) {
		config_report_error(g->reader.report, k->place, "keys.file: %.400s", em.text);
		return;
	}
	const struct tsig_key *key = tsig_keys_find(&keys, k->name);
	if (key != NULL) {
		*out = *key;
		out->secret = (struct secret){ 0 }; /* that one is of the file's keys */
		secret_set(&out->secret, key->secret.data, key->secret.len);
	} else {
		(void)dname_to_text(k->name, name);
		config_report_error(g->reader.report, k->place,
				    "keys.file: there is no key %.150s in %.200s",
				    text_quote(name, strlen(name), quoted), k->file);
	}
	tsig_keys_clear(&keys);
}

static void make_key_of_secret(const struct reading *g, const struct config_key *k,
			       struct tsig_key *out)
{
	struct secret secret = { 0 };
	char quoted[TEXT_QUOTE_MAX];
	const size_t len = strlen(k->secret);
	secret_set(&secret, k->secret, len); /* as room: what is decoded is shorter */
	int n = text_from_base64(k->secret, len, secret.data, secret.len);
	int err = n < 0 ? n : tsig_key_set(out, k->name, k->algorithm, secret.data, (size_t)n);
	secret_clear(&secret);
	if (n <= 0) {
		config_report_error(g->reader.report, k->place,
				    "keys.secret: the secret of this key is not base64");
	} else if (err != E_OK) {
		config_report_error(g->reader.report, k->place,
				    "keys.algorithm: found %s: %s; expected one such as "
				    "hmac-sha256",
				    text_quote(k->algorithm, strlen(k->algorithm), quoted),
				    err_text(err));
	}
}

static void make_key(const struct reading *g, const struct config_key *k, struct tsig_key *out)
{
	const bool has_file = *k->file != '\0';
	dname_set(&out->name, k->name); /* for rules, whatever else is wrong with it */
	if (has_file == (*k->secret != '\0')) {
		config_report_error(g->reader.report, k->place,
				    has_file ? "this key has both \"secret\" and \"file\"; one of "
					       "them is enough"
					     : "this key has neither \"secret\" nor \"file\"");
		return;
	}
	(has_file ? make_key_of_file : make_key_of_secret)(g, k, out);
	if (out->algorithm != NULL && out->algorithm->remark != NULL) {
		config_report_warning(g->reader.report, k->place, "keys.algorithm: %s: %s",
				      out->algorithm->name, out->algorithm->remark);
	}
}

/* A key that who can read its file has, for as long as this configuration is used. */
static void make_session_key(struct reading *g)
{
	struct config *c = g->config;
	struct tsig_key *key = &c->tsig_keys[c->tsig_key_count];
	const struct tsig_key *same;
	struct dname name;
	if (*c->server.session_key == '\0') {
		return;
	}
	int err = dname_from_text(&name, CONFIG_SESSION_KEY, strlen(CONFIG_SESSION_KEY), dname_root,
				  NULL);
	if (acl_find_key(&c->names, CONFIG_SESSION_KEY, &same, NULL) == E_OK) {
		config_report_error(g->reader.report, c->keys[same - c->tsig_keys].place,
				    "the key of server.session-key has this name; choose another");
		return;
	}
	err = err == E_OK ? tsig_key_random(key, name.wire, "hmac-sha256") : err;
	if (err != E_OK) {
		config_report_error(g->reader.report, (struct config_place){ 0 },
				    "server.session-key: the key cannot be made: %s",
				    err_text(err));
		return;
	}
	c->session_key = key;
	c->names.key_count = ++c->tsig_key_count;
}

static void read_keys(struct reading *g)
{
	struct config *c = g->config;
	struct config_key defaults = { 0 };
	read_defaults(g, CONFIG_KEY, &defaults);
	read_list(g, CONFIG_KEY, &defaults);
	check_items_differ(g, CONFIG_KEY);
	c->tsig_keys = mem_array(c->key_count + 1, sizeof(*c->tsig_keys));
	c->tsig_key_count = c->key_count;
	for (size_t i = 0; i < c->key_count; i++) {
		make_key(g, &c->keys[i], &c->tsig_keys[i]);
	}
	c->names.keys = c->tsig_keys;
	c->names.key_count = c->tsig_key_count;
	make_session_key(g);
}

/* --- remotes --------------------------------------------------------------------------------- */

static void set_tls_names(const struct reading *g, const struct config_remote *r,
			  struct acl_remote *out)
{
	uint8_t *octets = arena_bytes(&g->config->arena, r->tls_names.count * DNAME_MAX);
	size_t len = 0;
	for (size_t i = 0; i < r->tls_names.count; i++) {
		const struct config_text *t = &r->tls_names.list[i];
		struct dname name;
		struct errmsg em = { "" };
		if (acl_read_tls(&g->config->names, t->text, &name, &em) != E_OK) {
			config_report_error(g->reader.report, t->place, "remotes.tls-names: %.400s",
					    em.text);
			continue;
		}
		len += dname_copy(octets + len, name.wire);
	}
	out->tls_names = (struct dname_list){ octets, len };
}

/* One for each address of @r. */
static void make_peers(const struct reading *g, struct config_remote *r)
{
	struct config_peer *peers =
		arena_alloc(&g->config->arena, (r->addresses.count + 1) * sizeof(*peers));
	for (size_t i = 0; i < r->addresses.count; i++) {
		struct config_peer *p = &peers[r->peer_count];
		if (address_of_network(&r->addresses.list[i], (uint16_t)r->port, &p->address)) {
			p->key = r->rule->key_count != 0 ? r->rule->keys[0] : NULL;
			p->remote = r;
			r->peer_count++;
		}
	}
	r->peers = peers;
}

static void make_remote(const struct reading *g, struct config_remote *r, struct acl_remote *out)
{
	*out = (struct acl_remote){ .name = r->name,
				    .networks = r->addresses.list,
				    .network_count = r->addresses.count };
	out->keys = arena_alloc(&g->config->arena, (r->keys.count + 1) * sizeof(*out->keys));
	for (size_t i = 0; i < r->keys.count; i++) {
		const struct config_text *t = &r->keys.list[i];
		struct errmsg em = { "" };
		if (acl_find_key(&g->config->names, t->text, &out->keys[out->key_count], &em) ==
		    E_OK) {
			out->key_count++;
		} else {
			config_report_error(g->reader.report, t->place, "remotes.keys: %.400s",
					    em.text);
		}
	}
	set_tls_names(g, r, out);
	if (r->addresses.count == 0 && r->keys.count == 0 && r->tls_names.count == 0) {
		config_report_error(g->reader.report, r->place,
				    "this remote has neither \"addresses\" nor \"keys\" nor "
				    "\"tls-names\", so everybody would be it");
	}
	r->rule = out;
	make_peers(g, r);
}

static void read_remotes(struct reading *g)
{
	struct config *c = g->config;
	struct config_remote defaults = { 0 };
	read_defaults(g, CONFIG_REMOTE, &defaults);
	read_list(g, CONFIG_REMOTE, &defaults);
	check_items_differ(g, CONFIG_REMOTE);
	c->names.has_tls = *c->server.tls_client_ca != '\0';
	struct acl_remote *made = arena_alloc(&c->arena, (c->remote_count + 1) * sizeof(*made));
	for (size_t i = 0; i < c->remote_count; i++) {
		make_remote(g, (struct config_remote *)(uintptr_t)&c->remotes[i], &made[i]);
	}
	c->names.remotes = made;
	c->names.remote_count = c->remote_count;
}

/* --- policies -------------------------------------------------------------------------------- */

static const char default_policy[] = "default";

static void read_default_policy(struct reading *g)
{
	struct config_policy *p = arena_alloc(&g->config->arena, sizeof(*p));
	*p = (struct config_policy){ .name = default_policy };
	read_defaults(g, CONFIG_POLICY, p);
	g->config->default_policy = p;
}

static void check_policy(const struct reading *g, const struct config_policy *p)
{
	struct config_report *report = g->reader.report;
	const struct algorithm *a = algorithm_from_text(p->algorithm);
	char quoted[TEXT_QUOTE_MAX];
	(void)text_quote(p->algorithm, strlen(p->algorithm), quoted);
	if (a == NULL) {
		config_report_error(report, p->place,
				    "policies.algorithm: there is no algorithm %s; expected one "
				    "such as ECDSAP256SHA256",
				    quoted);
	} else if (a->use != ALGORITHM_FULL) {
		config_report_error(report, p->place, "policies.algorithm: %s: %s", quoted,
				    a->reason);
	}
	if ((uint64_t)p->refresh_s + p->jitter_s >= p->validity_s) {
		config_report_error(report, p->place,
				    "policies.validity: must be longer than refresh and jitter "
				    "together, or signatures would be renewed all the time");
	}
}

static void read_policies(struct reading *g)
{
	struct config *c = g->config;
	struct config_policy defaults = *c->default_policy;
	defaults.name = NULL;
	read_list(g, CONFIG_POLICY, &defaults);
	check_items_differ(g, CONFIG_POLICY);
	for (size_t i = 0; i < c->policy_count; i++) {
		check_policy(g, &c->policies[i]);
		if (strcmp(c->policies[i].name, default_policy) == 0) {
			c->default_policy = &c->policies[i];
		}
	}
}

/* --- zones ----------------------------------------------------------------------------------- */

static const struct config_policy *policy_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->policy_count; i++) {
		if (strcmp(c->policies[i].name, name) == 0) {
			return &c->policies[i];
		}
	}
	return strcmp(name, default_policy) == 0 ? c->default_policy : NULL;
}

static const char *nearest_policy(const struct config *c, const char *name)
{
	const char **words = mem_array(c->policy_count + 3, sizeof(const char *));
	size_t count = 0;
	for (size_t i = 0; i < c->policy_count; i++) {
		words[count++] = c->policies[i].name;
	}
	words[count++] = default_policy;
	words[count++] = "no";
	words[count] = NULL;
	const char *near = text_did_you_mean(name, words);
	mem_free(words);
	return near;
}

static void set_policy(const struct reading *g, struct config_zone *z)
{
	char quoted[TEXT_QUOTE_MAX];
	if (strcmp(z->dnssec, "no") == 0) {
		return;
	}
	z->policy = policy_find(g->config, z->dnssec);
	const char *near = z->policy == NULL ? nearest_policy(g->config, z->dnssec) : NULL;
	if (near != NULL) {
		config_report_error(g->reader.report, z->place,
				    "zones.dnssec: there is no policy %s; did you mean \"%s\"?",
				    text_quote(z->dnssec, strlen(z->dnssec), quoted), near);
	} else if (z->policy == NULL) {
		config_report_error(g->reader.report, z->place,
				    "zones.dnssec: there is no policy %s; define it below "
				    "\"policies\", or use \"default\" or \"no\"",
				    text_quote(z->dnssec, strlen(z->dnssec), quoted));
	}
}

/* NULL where there are no rules: nobody. */
static const struct acl *make_acl(const struct reading *g, const struct config_texts *rules,
				  const char *option, const uint8_t *sig0_zone)
{
	struct arena *arena = &g->config->arena;
	struct acl_names names = g->config->names;
	struct acl *acl = rules->count != 0 ? acl_new(arena) : NULL;
	names.sig0_zone = sig0_zone;
	for (size_t i = 0; i < rules->count; i++) {
		const struct config_text *t = &rules->list[i];
		struct errmsg em = { "" };
		if (acl_add(acl, arena, &names, t->text, &em) != E_OK) {
			config_report_error(g->reader.report, t->place, "%s: %.400s", option,
					    em.text);
		}
	}
	return acl;
}

static void set_update_policy(const struct reading *g, struct config_zone *z)
{
	struct arena *arena = &g->config->arena;
	if (z->update_rules.count == 0) {
		return;
	}
	struct update_policy *policy = update_policy_new(arena);
	struct acl_names names = g->config->names;
	names.sig0_zone = z->name;
	for (size_t i = 0; i < z->update_rules.count; i++) {
		const struct config_text *t = &z->update_rules.list[i];
		struct errmsg em = { "" };
		if (update_policy_add(policy, arena, &names, t->text, &em) != E_OK) {
			config_report_error(g->reader.report, t->place,
					    "zones.update-policy: %.400s", em.text);
		}
	}
	if (z->allow_update.count != 0) {
		config_report_error(g->reader.report, z->update_rules.list[0].place,
				    "zones.update-policy: there is allow-update too; who may "
				    "change all of the zone is \"grant KEY zonesub ANY\" here");
	}
	z->update_policy = policy;
}

static int compare_zones(const void *a, const void *b)
{
	return dname_compare((*(const struct config_zone *const *)a)->name,
			     (*(const struct config_zone *const *)b)->name);
}

static void sort_zones(struct config *c)
{
	c->zones_by_name = mem_array(c->zone_count, sizeof(const struct config_zone *));
	for (size_t i = 0; i < c->zone_count; i++) {
		c->zones_by_name[i] = &c->zones[i];
	}
	if (c->zone_count != 0) {
		qsort(c->zones_by_name, c->zone_count, sizeof(const struct config_zone *),
		      compare_zones);
	}
}

const struct config_zone *config_find_zone(const struct config *c, const uint8_t *name)
{
	const struct config_zone wanted = { .name = name };
	const struct config_zone *key = &wanted;
	const struct config_zone *const *found =
		c->zone_count != 0 ? bsearch(&key, c->zones_by_name, c->zone_count,
					     sizeof(const struct config_zone *), compare_zones)
				   : NULL;
	return found != NULL ? *found : NULL;
}

static const struct config_remote *find_remote(const struct reading *g, const struct config_text *t,
					       const char *option)
{
	const struct config *c = g->config;
	const struct acl_remote *rule;
	struct errmsg em = { "" };
	if (acl_find_remote(&c->names, t->text, &rule, &em) != E_OK) {
		config_report_error(g->reader.report, t->place, "%s: %.400s", option, em.text);
		return NULL;
	}
	return &c->remotes[rule - c->names.remotes];
}

/* The addresses of the remotes @names, in this order. */
static struct config_peers make_zone_peers(const struct reading *g,
					   const struct config_texts *names, const char *option)
{
	struct arena *arena = &g->config->arena;
	const struct config_remote **remotes =
		arena_alloc(arena, (names->count + 1) * sizeof(const struct config_remote *));
	size_t room = 1;
	size_t count = 0;
	for (size_t i = 0; i < names->count; i++) {
		const struct config_text *t = &names->list[i];
		remotes[i] = find_remote(g, t, option);
		room += remotes[i] != NULL ? remotes[i]->peer_count : 0;
		if (remotes[i] != NULL && remotes[i]->peer_count == 0) {
			config_report_error(g->reader.report, t->place,
					    "%s: remote \"%s\" has no address to turn to", option,
					    remotes[i]->name);
		}
	}
	const struct config_peer **list =
		arena_alloc(arena, room * sizeof(const struct config_peer *));
	for (size_t i = 0; i < names->count; i++) {
		for (size_t k = 0; remotes[i] != NULL && k < remotes[i]->peer_count; k++) {
			list[count++] = &remotes[i]->peers[k];
		}
	}
	return (struct config_peers){ list, count };
}

static void check_origin(const struct reading *g, const struct config_zone *z)
{
	if (*z->file != '\0' && z->primary_names.count != 0) {
		config_report_error(g->reader.report, z->place,
				    "this zone has \"file\" and \"primaries\"; what is "
				    "transferred in is kept in server.database");
	}
	if ((z->updaters != NULL || z->update_policy != NULL) && z->primary_names.count != 0) {
		config_report_error(g->reader.report, z->place,
				    "this zone takes updates and has \"primaries\"; send them "
				    "to the primary");
	}
	if (z->policy != NULL && z->primary_names.count != 0) {
		config_report_error(g->reader.report, z->place,
				    "this zone has \"dnssec\" and \"primaries\"; what is "
				    "transferred in is served as it is");
	}
}

bool config_zone_is_kept(const struct config_zone *z)
{
	return z->policy != NULL || z->updaters != NULL || z->update_policy != NULL ||
	       config_zone_is_secondary(z);
}

static void read_zones(struct reading *g)
{
	struct config *c = g->config;
	struct config_zone defaults = { .file = "",
					.checks = c->checks,
					.max_removed = c->server.max_removed };
	read_defaults(g, CONFIG_ZONE, &defaults);
	read_list(g, CONFIG_ZONE, &defaults);
	check_items_differ(g, CONFIG_ZONE);
	sort_zones(c);
	for (size_t i = 0; i < c->zone_count; i++) {
		struct config_zone *z = (struct config_zone *)(uintptr_t)&c->zones[i];
		set_policy(g, z);
		z->updaters = make_acl(g, &z->allow_update, "zones.allow-update", z->name);
		z->transferrers = make_acl(g, &z->allow_transfer, "zones.allow-transfer", NULL);
		set_update_policy(g, z);
		z->primaries = make_zone_peers(g, &z->primary_names, "zones.primaries");
		z->notifiers = make_acl(g, &z->allow_notify, "zones.allow-notify", false);
		z->notify = make_zone_peers(g, &z->notify_names, "zones.notify");
		check_origin(g, z);
		if (config_zone_is_kept(z) && *c->server.database == '\0') {
			config_report_error(
				g->reader.report, z->place,
				"a zone that is signed, updated or transferred in needs "
				"server.database; name a directory there");
		}
	}
}

/* --- zones that were added -------------------------------------------------------------------- */

/* All of the tree @n stands in the file @path. Trees are no deeper than CONFIG_DEPTH_MAX. */
static void mark_places(struct config_node *n, const char *path)
{
	n->place.path = n->key_place.path = path;
	for (struct config_node *child = n->first; child != NULL; child = child->next) {
		mark_places(child, path);
	}
}

/* The list of zones in @root, a file that has nothing else; NULL: there is none, or it was reported. */
static struct config_node *list_of_added(const struct reading *g, struct config_node *root)
{
	struct config_node *n = root->kind == CONFIG_NODE_MAP ? root->first : NULL;
	const char *key = config_lists[CONFIG_ZONE].key;
	if (root->is_null) {
		return NULL;
	}
	if (n == NULL || n->next != NULL || strcmp(n->key, key) != 0 ||
	    (n->kind != CONFIG_NODE_LIST && !n->is_null)) {
		config_report_error(g->reader.report, root->place,
				    "expected a list below \"%s\", and nothing else", key);
		return NULL;
	}
	return n->is_null ? NULL : n;
}

/* Puts the zones of @more behind those of the configuration, as if they stood there. */
static void join_zones(struct reading *g, struct config_node *more)
{
	struct config_node *list = (struct config_node *)(uintptr_t)g->lists[CONFIG_ZONE];
	if (list == NULL || list->is_null) {
		g->lists[CONFIG_ZONE] = more;
		return;
	}
	if (list->kind != CONFIG_NODE_LIST) {
		return; /* reading it will say so */
	}
	struct config_node **end = &list->first;
	while (*end != NULL) {
		end = &(*end)->next;
	}
	*end = more->first;
	list->count += more->count;
}

static void read_added_text(struct reading *g, const char *path, const char *text, size_t len)
{
	struct config_report *report = g->reader.report;
	struct config_node *root = NULL;
	const size_t first = report->count;
	struct config_node *list = NULL;
	if (config_yaml_read(text, len, g->nodes, report, &root) == E_OK && root != NULL) {
		list = list_of_added(g, root);
	}
	config_report_in_file(report, first, path);
	if (list != NULL) {
		mark_places(list, path);
		join_zones(g, list);
	}
}

/* What signetctl addzone has written. */
static void read_added(struct reading *g)
{
	const struct config_source *s = g->source;
	const char *database = g->config->server.database;
	struct file_view view = { 0 };
	struct errmsg em = { "" };
	if (s == NULL || *database == '\0' || (s->only_text && s->added == NULL)) {
		return;
	}
	const size_t room = strlen(database) + 1 + sizeof(CONFIG_ADDED);
	char *path = (char *)arena_bytes(&g->config->arena, room);
	(void)snprintf(path, room, "%s/%s", database, CONFIG_ADDED);
	const struct config_place place = { .path = path };
	if (s->added != NULL) {
		read_added_text(g, path, s->added, s->added_len);
		return;
	}
	int err = file_read(path, CONFIG_SIZE_MAX, &view, &em);
	if (err == E_OK) {
		read_added_text(g, path, view.data, view.len);
	} else if (err == E_PERM) {
		config_report_warning(g->reader.report, place,
				      "may not be read; zones in it are not looked at");
	} else if (err != E_NOENT) {
		config_report_error(g->reader.report, place, "cannot be read: %.300s", em.text);
	}
	file_view_clear(&view);
}

/* Where the option @path is set; line 0 when it is not in the file. */
static struct config_place place_of(const struct reading *g, const char *path)
{
	const struct config_node *n = g->root;
	while (n != NULL && *path != '\0') {
		char key[PATH_ROOM];
		size_t len = strcspn(path, ".");
		(void)snprintf(key, sizeof(key), "%.*s", (int)len, path);
		n = config_node_get(n, key);
		path += len + (path[len] == '.');
	}
	return n != NULL ? n->place : (struct config_place){ 0 };
}

static void check_tcp_clients(const struct reading *g)
{
	const struct config_server *s = &g->config->server;
	struct config_place place = place_of(g, "server.tcp-clients");
	if (s->tcp_clients < s->workers) {
		config_report_error(
			g->reader.report, place.line != 0 ? place : place_of(g, "server.workers"),
			"server.tcp-clients (%u) is less than server.workers (%u); each "
			"worker needs one",
			s->tcp_clients, s->workers);
	}
}

static bool listens_on(const struct config_addresses *all, const struct address *a)
{
	size_t i = 0;
	while (i < all->count && !address_equal(&all->list[i], a)) {
		i++;
	}
	return i < all->count;
}

static void check_tls(const struct reading *g)
{
	const struct config_server *s = &g->config->server;
	const struct config_place place = place_of(g, "server.listen-tls");
	const struct {
		const char *key, *value, *what;
	} files[] = { { "tls-certificate", s->tls_certificate, "the certificate" },
		      { "tls-key", s->tls_key, "its private key" } };
	for (size_t i = 0; i < ARRAY_LEN(files) && s->listen_tls.count != 0; i++) {
		if (*files[i].value == '\0') {
			config_report_error(g->reader.report, place,
					    "server.listen-tls needs server.%s; name the PEM file "
					    "of %s there",
					    files[i].key, files[i].what);
		}
	}
	for (size_t i = 0; i < s->listen_tls.count; i++) {
		if (listens_on(&s->listen, &s->listen_tls.list[i])) {
			char text[ADDRESS_TEXT_MAX];
			address_to_text(&s->listen_tls.list[i], text);
			config_report_error(
				g->reader.report, place,
				"server.listen-tls: \"%s\" is in server.listen too; give "
				"one of them another port",
				text);
		}
	}
}

/* What several options say together. */
static void config_check(const struct reading *g)
{
	check_tcp_clients(g);
	check_tls(g);
	if (g->reader.report->errors == 0 && g->config->zone_count == 0) {
		config_report_warning(g->reader.report, (struct config_place){ 0 },
				      "there are no zones; all queries will be refused");
	}
}

/* --- in and out ------------------------------------------------------------------------------ */

struct config *config_new(void)
{
	struct config *c = mem_zalloc(sizeof(*c));
	struct config_report report = { 0 };
	struct reading g = { .config = c,
			     .reader = { .arena = &c->arena,
					 .report = &report,
					 .directory = "",
					 .only_text = true } };
	check_levels_init(&c->checks);
	read_defaults(&g, CONFIG_TOP, c);
	read_default_policy(&g);
	return c;
}

void config_free(struct config *c)
{
	if (c != NULL) {
		for (size_t i = 0; c->tsig_keys != NULL && i < c->tsig_key_count; i++) {
			tsig_key_clear(&c->tsig_keys[i]);
		}
		mem_free(c->tsig_keys);
		mem_free(c->zones_by_name);
		arena_clear(&c->arena);
		mem_free(c);
	}
}

/* The directory where relative paths start: that of the file, in full, because a daemon outlives the
 * directory that it was started in. */
static void directory_of(const struct config_source *s, char out[DIRECTORY_MAX])
{
	const char *slash = strrchr(s->path, '/');
	size_t n = 0;
	out[0] = '\0';
	if (s->path[0] != '/' && !s->only_text && getcwd(out, DIRECTORY_MAX) != NULL) {
		n = strlen(out);
	}
	if (slash != NULL) {
		(void)snprintf(out + n, DIRECTORY_MAX - n, "%s%.*s", n != 0 ? "/" : "",
			       slash == s->path ? 1 : (int)(slash - s->path), s->path);
	}
}

static void read_top(struct reading *g, const struct config_node *root)
{
	if (root == NULL || root->is_null) {
		config_report_error(g->reader.report, (struct config_place){ 0 },
				    "there is nothing in it; signet-checkconf --defaults prints a "
				    "configuration to start from");
	} else if (root->kind == CONFIG_NODE_MAP) {
		g->root = root;
		read_map(g, "", root, g->config);
		read_added(g);
		read_keys(g);
		read_remotes(g);
		read_policies(g);
		read_zones(g);
		config_check(g);
	} else if (root->kind != CONFIG_NODE_BAD) {
		report_no_keys(g, "", root);
	}
}

int config_parse(const struct config_source *source, struct config **out, struct findings *findings)
{
	char directory[DIRECTORY_MAX];
	struct config_report report = { 0 };
	struct config *c = config_new();
	struct arena nodes = { 0 };
	struct config_node *root = NULL;
	struct reading g = { .config = c,
			     .source = source,
			     .nodes = &nodes,
			     .reader = { .arena = &c->arena,
					 .report = &report,
					 .directory = directory,
					 .only_text = source->only_text } };
	directory_of(source, directory);
	if (config_yaml_read(source->data, source->len, &nodes, &report, &root) == E_OK) {
		read_top(&g, root);
	}
	int err = report.errors != 0 ? E_CHECK : E_OK;
	config_report_close(&report, source->path, findings);
	if (err == E_OK) {
		*out = c;
		c = NULL;
	}
	config_free(c);
	arena_clear(&nodes);
	return err;
}

static void check_mode(const char *path, const struct config *c, struct findings *findings)
{
	struct stat st;
	size_t i = 0;
	while (i < c->key_count && *c->keys[i].secret == '\0') {
		i++;
	}
	if (i < c->key_count && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_IROTH) != 0) {
		findings_add(findings, false,
			     "%s: others can read it (mode %04o), and there are secrets below "
			     "\"keys\"; run: chmod o= %s",
			     path, (unsigned)st.st_mode & 07777U, path);
	}
}

int config_load(const char *path, struct config **out, struct findings *findings)
{
	struct file_view view = { 0 };
	struct errmsg em = { "" };
	if (file_read(path, CONFIG_SIZE_MAX, &view, &em) != E_OK) {
		findings_add(findings, true, "%s", em.text);
		return E_CHECK;
	}
	const struct config_source source = {
		.path = strcmp(path, "-") == 0 ? "standard input" : path,
		.data = view.data,
		.len = view.len,
	};
	int err = config_parse(&source, out, findings);
	if (err == E_OK) {
		check_mode(path, *out, findings);
	}
	file_view_clear(&view);
	return err;
}

void config_compare(const struct config *running, const struct config *next,
		    struct findings *findings)
{
	static const struct config_style style = { 0 };
	struct buf was = { 0 };
	struct buf is = { 0 };
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		if (o->scope != CONFIG_TOP || o->when != CONFIG_RESTART) {
			continue;
		}
		buf_reset(&was);
		buf_reset(&is);
		config_type_print(&was, o, (const char *)running + o->offset, &style);
		config_type_print(&is, o, (const char *)next + o->offset, &style);
		if (strcmp(was.data, is.data) != 0) {
			findings_add(findings, false,
				     "%s has changed; that takes effect at the next start",
				     o->path);
		}
	}
	buf_clear(&was);
	buf_clear(&is);
}

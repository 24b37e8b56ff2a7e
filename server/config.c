/* server/config.c - the configuration: the YAML tree is walked along the table of options. */
#include "server/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/config_type.h"
#include "server/config_yaml.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/dns/dname.h"

#define PATH_ROOM     80   /* of an option's path, its NUL included */
#define DIRECTORY_MAX 4096 /* of the file; with its NUL */
#define ZONES	      "zones"

/* The type in each row fits its member. */
#define CHECK_TYPE(of, member, type)                                                               \
 _Static_assert(_Generic(&((of *)NULL)->member, CONFIG_C_##type * : 1, default : 0),               \
		#member " is no " #type);
#define OPTION(path, member, type, ...)	     CHECK_TYPE(struct config, member, type)
#define ZONE_OPTION(path, member, type, ...) CHECK_TYPE(struct config_zone, member, type)
#include "server/options.def"
#undef OPTION
#undef ZONE_OPTION

const struct config_option config_options[] = {
#define OPTION(path, member, type, value, min, max, when, help)                                    \
 {                                                                                                 \
	 path, false,	      CONFIG_##type, offsetof(struct config, member), value, min,          \
	 max,  CONFIG_##when, help                                                                 \
 },
#define ZONE_OPTION(path, member, type, value, min, max, when, help)                               \
 { path, true,		CONFIG_##type, offsetof(struct config_zone, member), value, min,           \
   max,	 CONFIG_##when, help },
#include "server/options.def"
#undef OPTION
#undef ZONE_OPTION
	{ .path = NULL },
};

struct reading {
	struct config *config;
	struct config_reader reader;
	const struct config_node *root;
	const struct config_node *zones; /* set aside: they stand on what the rest says */
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
	return *path != '\0' ? below(path, o->path) : ZONES;
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
		} else if (one_key && strcmp(path, ZONES) == 0) {
			g->zones = n;
		} else if (one_key && is_section(path)) {
			read_section(g, path, n, base);
		} else {
			report_unknown(g, prefix, n);
		}
	}
}

static void read_defaults(struct reading *g, bool of_zone, void *base)
{
	struct arena scratch = { 0 };
	size_t problems = g->reader.report->count;
	g->reader.is_default = true;
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		struct config_node *n = NULL;
		if (o->of_zone != of_zone || o->value == NULL) {
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

/* --- zones ----------------------------------------------------------------------------------- */

static void read_zone(struct reading *g, const struct config_node *n, struct config_zone *zone)
{
	if (n->kind == CONFIG_NODE_BAD) {
		return;
	}
	if (n->kind != CONFIG_NODE_MAP) {
		config_report_error(g->reader.report, n->place,
				    ZONES ": found %s, expected a zone with \"name\" and \"file\"",
				    n->kind == CONFIG_NODE_LIST ? "a list"
				    : n->is_null		? "nothing"
								: "a value");
		return;
	}
	read_map(g, ZONES, n, zone);
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		const char *key = below(ZONES, o->path);
		if (key != NULL && o->value == NULL && config_node_get(n, key) == NULL) {
			config_report_error(g->reader.report, n->place, "this zone has no \"%s\"",
					    key);
		}
	}
	const struct config_node *name = config_node_get(n, "name");
	zone->place = name != NULL ? name->place : n->place;
}

static void read_zones(struct reading *g, const struct config_node *list)
{
	struct config_zone defaults = { .checks = g->config->checks };
	if (list == NULL || list->kind == CONFIG_NODE_BAD || list->is_null) {
		return;
	}
	if (list->kind != CONFIG_NODE_LIST) {
		config_report_error(
			g->reader.report, list->place,
			ZONES ": found %s, expected a list, each zone as \"- name: example.com\" "
			      "and \"file: example.com.zone\" below it",
			list->kind == CONFIG_NODE_MAP ? "a map" : "a value");
		return;
	}
	read_defaults(g, true, &defaults);
	struct config_zone *zones = arena_alloc(&g->config->arena, list->count * sizeof(*zones));
	size_t count = 0;
	for (const struct config_node *n = list->first; n != NULL; n = n->next) {
		zones[count] = defaults;
		read_zone(g, n, &zones[count]);
		count += zones[count].name != NULL;
	}
	g->config->zones = zones;
	g->config->zone_count = count;
}

static int compare_zones(const void *a, const void *b)
{
	const struct config_zone *x = *(const struct config_zone *const *)a;
	const struct config_zone *y = *(const struct config_zone *const *)b;
	int order = dname_compare(x->name, y->name);
	return order != 0 ? order : (x > y) - (x < y);
}

static void check_zones_differ(const struct reading *g)
{
	const struct config *c = g->config;
	char text[DNAME_TEXT_MAX];
	char quoted[TEXT_QUOTE_MAX];
	if (c->zone_count == 0) {
		return;
	}
	const struct config_zone **sorted =
		mem_array(c->zone_count, sizeof(const struct config_zone *));
	for (size_t i = 0; i < c->zone_count; i++) {
		sorted[i] = &c->zones[i];
	}
	qsort(sorted, c->zone_count, sizeof(const struct config_zone *), compare_zones);
	const struct config_zone *first = sorted[0];
	for (size_t i = 1; i < c->zone_count; i++) {
		if (!dname_equal(sorted[i]->name, first->name)) {
			first = sorted[i];
			continue;
		}
		size_t len = dname_to_text(first->name, text);
		config_report_error(g->reader.report, sorted[i]->place,
				    "the zone %s is here twice; the first is at line %u, column %u",
				    text_quote(text, len, quoted), first->place.line,
				    first->place.column);
	}
	mem_free(sorted);
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
	check_zones_differ(g);
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
	read_defaults(&g, false, c);
	return c;
}

void config_free(struct config *c)
{
	if (c != NULL) {
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
		read_zones(g, g->zones);
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
		if (o->of_zone || o->when != CONFIG_RESTART) {
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

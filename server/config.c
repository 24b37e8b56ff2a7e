/* server/config.c - the configuration: in and out, and what several options say together. */
#include "server/config_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zones/base/file.h"
#include "zones/base/mem.h"

#define DIRECTORY_MAX 4096 /* of the file; with its NUL */

/* Where the option @path is set; line 0 when it is not in the file. */
static struct config_place place_of(const struct config_reading *g, const char *path)
{
	const struct config_node *n = g->root;
	while (n != NULL && *path != '\0') {
		char key[CONFIG_PATH_ROOM];
		size_t len = strcspn(path, ".");
		(void)snprintf(key, sizeof(key), "%.*s", (int)len, path);
		n = config_node_get(n, key);
		path += len + (path[len] == '.');
	}
	return n != NULL ? n->place : (struct config_place){ 0 };
}

static void check_tcp_clients(const struct config_reading *g)
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

static void check_tls(const struct config_reading *g)
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
static void config_check(const struct config_reading *g)
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
	struct config_reading g = { .config = c,
				    .reader = { .arena = &c->arena,
						.report = &report,
						.directory = "",
						.only_text = true } };
	check_levels_init(&c->checks);
	config_read_defaults(&g, CONFIG_TOP, c);
	config_read_default_policy(&g);
	return c;
}

void config_free(struct config *c)
{
	if (c == NULL) {
		return;
	}
	if (c->refs != 0) {
		c->refs--;
		return;
	}
	if (c->base != NULL) {
		mem_free((void *)(uintptr_t)c->zones);
		config_free(c->base);
	} else {
		for (size_t i = 0; c->tsig_keys != NULL && i < c->tsig_key_count; i++) {
			tsig_key_clear(&c->tsig_keys[i]);
		}
		mem_free(c->tsig_keys);
	}
	mem_free(c->zones_by_name);
	arena_clear(&c->arena);
	mem_free(c);
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

static void read_top(struct config_reading *g, const struct config_node *root)
{
	if (root == NULL || root->is_null) {
		config_report_error(g->reader.report, (struct config_place){ 0 },
				    "there is nothing in it; signet-checkconf --defaults prints a "
				    "configuration to start from");
	} else if (root->kind == CONFIG_NODE_MAP) {
		g->root = root;
		config_read_map(g, "", root, g->config);
		config_read_added(g);
		config_read_keys(g);
		config_read_remotes(g);
		config_read_policies(g);
		config_read_zones(g);
		config_check(g);
	} else if (root->kind != CONFIG_NODE_BAD) {
		config_report_no_keys(g, "", root);
	}
}

int config_parse(const struct config_source *source, struct config **out, struct findings *findings)
{
	char directory[DIRECTORY_MAX];
	struct config_report report = { 0 };
	struct config *c = config_new();
	struct arena nodes = { 0 };
	struct config_node *root = NULL;
	struct config_reading g = { .config = c,
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

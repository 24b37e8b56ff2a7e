/* server/config_added.c - the zones that signetctl has added (server/added_zones.h). */
#include "server/config_run.h"

#include <stdio.h>
#include <string.h>

#include "zones/base/file.h"

/* All of the tree @n stands in the file @path. Trees are no deeper than CONFIG_DEPTH_MAX. */
static void mark_places(struct config_node *n, const char *path)
{
	n->place.path = n->key_place.path = path;
	for (struct config_node *child = n->first; child != NULL; child = child->next) {
		mark_places(child, path);
	}
}

/* The list of zones in @root, a file that has nothing else; NULL: there is none, or it was reported. */
static struct config_node *list_of_added(const struct config_reading *g, struct config_node *root)
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
static void join_zones(struct config_reading *g, struct config_node *more)
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

static void read_added_text(struct config_reading *g, const char *path, const char *text,
			    size_t len)
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
void config_read_added(struct config_reading *g)
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

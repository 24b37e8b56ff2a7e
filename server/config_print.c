/* server/config_print.c - the configuration as YAML, plain or as an example to start from. */
#include <stdio.h>

#include "server/config.h"
#include "server/config_type.h"
#include "zones/base/text.h"

#define WIDTH  78 /* of comments */
#define INDENT 2

/* @text as lines of a comment, each with @start in front. */
static void print_comment(struct buf *b, const char *start, const char *text)
{
	size_t room = WIDTH - strlen(start) - 2;
	while (*text != '\0') {
		size_t n = strlen(text);
		if (n > room) {
			for (n = room; n != 0 && text[n] != ' '; n--) {
			}
			n = n != 0 ? n : strcspn(text, " ");
		}
		buf_printf(b, "%s# %.*s\n", start, (int)n, text);
		text += n;
		text += *text == ' ';
	}
}

/* What the option is for, what may be there, and whether a reload is enough. */
static void print_help(struct buf *b, const char *start, const struct config_option *o)
{
	struct buf line = { 0 };
	buf_str(&line, o->help);
	print_comment(b, start, line.data);
	buf_reset(&line);
	buf_str(&line, "Expected: ");
	config_type_describe(&line, o);
	buf_str(&line, o->when == CONFIG_RESTART ? ". A change needs a restart." : ".");
	print_comment(b, start, line.data);
	buf_clear(&line);
}

/* Keys of the sections that lead to @path and do not lead to @before. Returns the last key's text and its
 * indentation. */
static const char *print_sections(struct buf *b, const char *before, const char *path,
				  unsigned *indent)
{
	const char *dot;
	*indent = 0;
	while ((dot = strchr(path, '.')) != NULL) {
		size_t n = (size_t)(dot + 1 - path);
		if (before == NULL || strncmp(before, path, n) != 0) {
			buf_printf(b, "%*s%.*s:\n", (int)*indent, "", (int)(n - 1), path);
			before = NULL;
		} else {
			before += n;
		}
		path += n;
		*indent += INDENT;
	}
	return path;
}

static void print_options(const struct config *c, enum config_print how, struct buf *b)
{
	const char *before = NULL;
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		char start[16];
		struct config_style style = { .comments = how == CONFIG_PRINT_COMMENTS };
		if (o->scope != CONFIG_TOP) {
			continue;
		}
		if (style.comments && before != NULL) {
			buf_char(b, '\n');
		}
		const char *key = print_sections(b, before, o->path, &style.indent);
		if (style.comments) {
			(void)snprintf(start, sizeof(start), "%*s", (int)style.indent, "");
			print_help(b, start, o);
		}
		buf_printf(b, "%*s%s:", (int)style.indent, "", key);
		config_type_print(b, o, (const char *)c + o->offset, &style);
		before = o->path;
	}
}

/* The last key of @path, behind the dash where it begins an item. */
static void print_item_key(struct buf *b, bool first, const char *path)
{
	buf_printf(b, "%s%s:", first ? "  - " : "    ", strchr(path, '.') + 1);
}

static void print_item(const struct config *c, enum config_scope scope, const void *item,
		       struct buf *b)
{
	bool first = true;
	struct buf value = { 0 };
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		const struct config_style style = {
			.indent = 2 * INDENT,
			.inherit = o->type == CONFIG_CHECKS ? &c->checks : NULL,
		};
		if (o->scope != config_lists[scope].options) {
			continue;
		}
		buf_reset(&value);
		config_type_print(&value, o, (const char *)item + o->offset, &style);
		const bool is_left_out = o->value == NULL && strcmp(value.data, " \"\"\n") == 0;
		if (strcmp(value.data, " {}\n") != 0 && !is_left_out) {
			print_item_key(b, first, o->path);
			buf_add(b, value.data, value.len);
			first = false;
		}
	}
	buf_clear(&value);
}

static void print_example(enum config_scope scope, struct buf *b)
{
	bool first = true;
	buf_printf(b, "\n# %s\n# %s:\n", config_lists[scope].help, config_lists[scope].key);
	if (config_lists[scope].options != scope) {
		buf_printf(b, "#   - name: example\n#     # and what %s have, see below\n",
			   config_lists[config_lists[scope].options].key);
		return;
	}
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		if (o->scope != scope) {
			continue;
		}
		print_help(b, "#     ", o);
		buf_str(b, "# ");
		print_item_key(b, first, o->path);
		buf_printf(b, " %s\n", o->value != NULL ? o->value : config_type_example(o->type));
		first = false;
	}
}

static void print_list(const struct config *c, enum config_print how, enum config_scope scope,
		       struct buf *out)
{
	const struct config_list *l = &config_lists[scope];
	size_t count;
	const char *items;
	memcpy(&count, (const char *)c + l->count, sizeof(count));
	memcpy(&items, (const char *)c + l->items, sizeof(items));
	if (count == 0) {
		if (how == CONFIG_PRINT_COMMENTS) {
			print_example(scope, out);
		}
		return;
	}
	buf_printf(out, "%s:\n", l->key);
	for (size_t i = 0; i < count; i++) {
		struct config_place place;
		memcpy(&place, items + i * l->size + l->place, sizeof(place));
		if (place.path == NULL) { /* else it is read from there again */
			print_item(c, scope, items + i * l->size, out);
		}
	}
}

void config_print(const struct config *c, enum config_print how, struct buf *out)
{
	if (how == CONFIG_PRINT_COMMENTS) {
		buf_str(out,
			"# signet.yaml - the configuration of signetd; see signet.yaml(5).\n\n");
	}
	print_options(c, how, out);
	for (enum config_scope scope = CONFIG_TOP + 1; scope < CONFIG_SCOPES; scope++) {
		print_list(c, how, scope, out);
	}
}

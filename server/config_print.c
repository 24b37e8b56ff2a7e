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
		if (o->of_zone) {
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
static void print_zone_key(struct buf *b, bool first, const char *path)
{
	buf_printf(b, "%s%s:", first ? "  - " : "    ", strchr(path, '.') + 1);
}

static void print_zone(const struct config *c, const struct config_zone *zone, struct buf *b)
{
	bool first = true;
	struct buf value = { 0 };
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		const struct config_style style = {
			.indent = 2 * INDENT,
			.inherit = o->type == CONFIG_CHECKS ? &c->checks : NULL,
		};
		if (!o->of_zone) {
			continue;
		}
		buf_reset(&value);
		config_type_print(&value, o, (const char *)zone + o->offset, &style);
		if (strcmp(value.data, " {}\n") != 0) {
			print_zone_key(b, first, o->path);
			buf_add(b, value.data, value.len);
			first = false;
		}
	}
	buf_clear(&value);
}

static void print_example_zone(struct buf *b)
{
	bool first = true;
	buf_str(b, "\n# The zones that are served.\n# zones:\n");
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		if (!o->of_zone) {
			continue;
		}
		print_help(b, "#     ", o);
		buf_str(b, "# ");
		print_zone_key(b, first, o->path);
		buf_printf(b, " %s\n", config_type_example(o->type));
		first = false;
	}
}

void config_print(const struct config *c, enum config_print how, struct buf *out)
{
	if (how == CONFIG_PRINT_COMMENTS) {
		buf_str(out,
			"# signet.yaml - the configuration of signetd; see signet.yaml(5).\n\n");
	}
	print_options(c, how, out);
	if (c->zone_count == 0) {
		if (how == CONFIG_PRINT_COMMENTS) {
			print_example_zone(out);
		}
		return;
	}
	buf_str(out, "zones:\n");
	for (size_t i = 0; i < c->zone_count; i++) {
		print_zone(c, &c->zones[i], out);
	}
}

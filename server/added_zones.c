/* server/added_zones.c - the zones that signetctl has added. */
#include "server/added_zones.h"

#include <string.h>

#include "server/config_yaml.h"
#include "zones/base/file.h"
#include "zones/base/text.h"
#include "zones/dns/dname.h"

static const char head[] =
	"# Zones that signetctl addzone has added; delzone takes them out. signetd reads this with\n"
	"# its configuration, and changes nothing but the zone in question.\n"
	"zones:\n";

/* --- the file -------------------------------------------------------------------------------- */

static int read_before(struct added_zones *a, const char *path, struct errmsg *em)
{
	struct file_view view = { 0 };
	int err = file_read(path, CONFIG_SIZE_MAX, &view, em);
	if (err == E_OK) {
		buf_add(&a->before, view.data, view.len);
	}
	file_view_clear(&view);
	return err == E_NOENT ? E_OK : err;
}

static void path_of(const struct added_zones *a, struct buf *out)
{
	buf_printf(out, "%s/%s", a->database, CONFIG_ADDED);
}

static int write_text(const struct added_zones *a, const struct buf *text, struct errmsg *em)
{
	struct buf path = { 0 };
	path_of(a, &path);
	int err = file_write(path.data, 0600, text->data, text->len, em);
	buf_clear(&path);
	return err;
}

int added_zones_undo(const struct added_zones *a, struct errmsg *em)
{
	return write_text(a, &a->before, em);
}

void added_zones_clear(struct added_zones *a)
{
	buf_clear(&a->before);
}

/* --- is it good? ----------------------------------------------------------------------------- */

/* Reads the configuration as it would be with @text. */
static int try_text(const struct added_zones *a, const struct buf *text, struct config **out,
		    struct errmsg *em)
{
	struct file_view view = { 0 };
	struct findings findings = { 0 };
	int err = file_read(a->config, CONFIG_SIZE_MAX, &view, em);
	if (err != E_OK) {
		return err;
	}
	const struct config_source source = { .path = a->config,
					      .data = view.data,
					      .len = view.len,
					      .added = text->data,
					      .added_len = text->len };
	err = config_parse(&source, out, &findings);
	if (err != E_OK) {
		err_set(em, err, "%s",
			findings_first_error(&findings, "the configuration cannot be read"));
	} else if (strcmp((*out)->server.database, a->database) != 0) {
		err = err_set(em, E_CHECK, "server.database has changed: restart the server");
		config_free(*out);
		*out = NULL;
	}
	findings_clear(&findings);
	file_view_clear(&view);
	return err;
}

/* Writes @text, if with it there is the zone @name, or is not. */
static int take_text(const struct added_zones *a, const struct buf *text, const uint8_t *name,
		     bool is_there, struct errmsg *em)
{
	struct config *c = NULL;
	int err = try_text(a, text, &c, em);
	const bool found = c != NULL && config_find_zone(c, name) != NULL;
	if (err == E_OK && found != is_there) {
		err = err_set(em, E_CHECK, "%s/%s was edited; change it by hand, and reconfig",
			      a->database, CONFIG_ADDED);
	}
	config_free(c);
	return err == E_OK ? write_text(a, text, em) : err;
}

/* --- adding ---------------------------------------------------------------------------------- */

/* As YAML, in which a quote is written twice. */
static void print_quoted(struct buf *out, const char *text)
{
	buf_char(out, '\'');
	for (; *text != '\0'; text++) {
		buf_char(out, *text);
		if (*text == '\'') {
			buf_char(out, '\'');
		}
	}
	buf_char(out, '\'');
}

/* "key=value" as a line of YAML. */
static int print_option(struct buf *out, const char *option, struct errmsg *em)
{
	char quoted[TEXT_QUOTE_MAX];
	size_t len = strspn(option, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (len == 0 || option[len] != '=') {
		return err_set(em, E_INVAL,
			       "found %s, expected an option of zones as dnssec=default",
			       text_quote(option, strlen(option), quoted));
	}
	buf_printf(out, "    %.*s: %s\n", (int)len, option, option + len + 1);
	return E_OK;
}

int added_zones_add(struct added_zones *a, const uint8_t *name, const char *file,
		    const char *const *options, size_t count, struct errmsg *em)
{
	char zone[DNAME_TEXT_MAX];
	struct buf text = { 0 };
	struct buf path = { 0 };
	path_of(a, &path);
	int err = read_before(a, path.data, em);
	(void)dname_to_text(name, zone);
	buf_add(&text, a->before.data, a->before.len);
	if (text.len == 0) {
		buf_str(&text, head);
	} else if (text.data[text.len - 1] != '\n') {
		buf_char(&text, '\n');
	}
	buf_str(&text, "  - name: ");
	print_quoted(&text, zone);
	buf_str(&text, "\n    file: ");
	print_quoted(&text, file);
	buf_char(&text, '\n');
	for (size_t i = 0; i < count && err == E_OK; i++) {
		err = print_option(&text, options[i], em);
	}
	if (err == E_OK) {
		err = take_text(a, &text, name, true, em);
	}
	buf_clear(&path);
	buf_clear(&text);
	return err;
}

/* --- taking out ------------------------------------------------------------------------------ */

/* The name that the item @n has, if it is one; else NULL. */
static const uint8_t *name_of(const struct config_node *n, struct dname *out)
{
	const struct config_node *name =
		n->kind == CONFIG_NODE_MAP ? config_node_get(n, "name") : NULL;
	if (name == NULL || dname_from_text(out, name->text, name->len, dname_root, NULL) != E_OK) {
		return NULL;
	}
	return out->wire;
}

/* The lines of @text from @from on, before @end (0: all) are left out of @out. */
static void copy_other_lines(const struct buf *text, uint32_t from, uint32_t end, struct buf *out)
{
	uint32_t line = 1;
	const char *p = text->data;
	const char *const behind = text->data + text->len;
	while (p < behind) {
		const char *lf = memchr(p, '\n', (size_t)(behind - p));
		size_t len = lf != NULL ? (size_t)(lf + 1 - p) : (size_t)(behind - p);
		if (line < from || (end != 0 && line >= end)) {
			buf_add(out, p, len);
		}
		p += len;
		line++;
	}
}

/* Cuts the zone @name out of the text of before. E_NOENT: it is not in it. */
static int cut(const struct added_zones *a, const uint8_t *name, struct buf *out)
{
	struct arena nodes = { 0 };
	struct config_report report = { 0 };
	struct config_node *root = NULL;
	struct dname found;
	const struct config_node *n = NULL;
	if (a->before.len != 0 &&
	    config_yaml_read(a->before.data, a->before.len, &nodes, &report, &root) == E_OK &&
	    root != NULL && root->kind == CONFIG_NODE_MAP) {
		n = config_node_get(root, "zones");
		n = n != NULL ? n->first : NULL;
	}
	while (n != NULL) {
		const uint8_t *one = name_of(n, &found);
		if (one != NULL && dname_equal(one, name)) {
			break;
		}
		n = n->next;
	}
	if (n != NULL) {
		copy_other_lines(&a->before, n->place.line,
				 n->next != NULL ? n->next->place.line : 0, out);
	}
	arena_clear(&nodes);
	return n != NULL ? E_OK : E_NOENT;
}

int added_zones_remove(struct added_zones *a, const uint8_t *name, struct errmsg *em)
{
	struct buf text = { 0 };
	struct buf path = { 0 };
	path_of(a, &path);
	int err = read_before(a, path.data, em);
	if (err == E_OK) {
		err = cut(a, name, &text);
		if (err == E_NOENT) {
			err_set(em, err,
				"the zone stands in the configuration, not in %s; take it out "
				"there, and reconfig",
				path.data);
		}
	}
	if (err == E_OK) {
		err = take_text(a, &text, name, false, em);
	}
	buf_clear(&path);
	buf_clear(&text);
	return err;
}

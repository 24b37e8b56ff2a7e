/* server/config_yaml.c - a YAML text as a tree of nodes, by the events of libyaml.
 *
 * The reader keeps a stack of the open maps and lists, CONFIG_DEPTH_MAX deep; nothing recurses.
 * libyaml speaks of its own grammar; explain() puts that into the words of someone who has a file
 * to mend. */
#include "server/config_yaml.h"

#include <assert.h>
#include <yaml.h>

#include "zones/base/text.h"

struct open {
	struct config_node *node;
	struct config_node *last; /* child */
	const char *key;	  /* of a map: read, and its value is awaited; else NULL */
	size_t key_len;
	struct config_place key_place;
	bool drop; /* the value belongs to a key that is refused */
};

struct reader {
	const char *text;
	size_t len;
	struct arena *arena;
	struct config_report *report;
	struct config_node *root;
	struct open stack[CONFIG_DEPTH_MAX];
	size_t depth;
	unsigned documents;
};

static struct config_place place_of(yaml_mark_t mark)
{
	return (struct config_place){ .line = (uint32_t)mark.line + 1,
				      .column = (uint32_t)mark.column + 1 };
}

/* --- octets ---------------------------------------------------------------------------------- */

/* Decodes the UTF-8 sequence at @s (RFC 3629 §4: shortest form, no surrogates). Returns its octets, or
 * 0 when there is none. */
static size_t utf8_decode(const uint8_t *s, size_t len, uint32_t *out)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t c = s[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	if (n == 0 || n > len) {
		return 0;
	}
	uint32_t value = n == 1 ? c : c & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			return 0;
		}
		value = value << 6 | (s[i] & 0x3fU);
	}
	if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
		return 0;
	}
	*out = value;
	return n;
}

/* Line ends of Unicode that editors do not count as lines, but YAML 1.1 does, are not wanted: places
 * would be wrong. */
static bool is_allowed(uint32_t c)
{
	if (c < 0x20) {
		return c == '\t' || c == '\n' || c == '\r';
	}
	return (c < 0x7f || c > 0x9f) && c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe &&
	       c != 0xffff;
}

/* Steps over one character; a line ends with LF, CR LF or CR. */
static void advance(struct config_place *at, const char *s, size_t left)
{
	if (s[0] == '\n' || (s[0] == '\r' && (left == 1 || s[1] != '\n'))) {
		at->line++;
		at->column = 1;
	} else {
		at->column++;
	}
}

/* Is the text all allowed characters? Says where it is not. */
static bool check_octets(const struct reader *r)
{
	struct config_place at = { .line = 1, .column = 1 };
	size_t n;
	for (size_t i = 0; i < r->len; i += n) {
		uint32_t c = 0;
		n = utf8_decode((const uint8_t *)r->text + i, r->len - i, &c);
		if (n == 0) {
			config_report_error(r->report, at,
					    "octet 0x%02x is not UTF-8; save the file in UTF-8",
					    (uint8_t)r->text[i]);
			return false;
		}
		if (!is_allowed(c)) {
			config_report_error(r->report, at, "control character U+%04X", c);
			return false;
		}
		advance(&at, r->text + i, r->len - i);
	}
	return true;
}

/* The text from @place on. */
static const char *text_at(const struct reader *r, struct config_place place)
{
	struct config_place at = { .line = 1, .column = 1 };
	size_t i = 0;
	uint32_t c;
	while (i < r->len &&
	       (at.line < place.line || (at.line == place.line && at.column < place.column))) {
		advance(&at, r->text + i, r->len - i);
		i += utf8_decode((const uint8_t *)r->text + i, r->len - i, &c);
	}
	return r->text + i;
}

/* --- what libyaml says, for people ----------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *problem; /* libyaml's */
	const char *text;
	const char *begins;  /* what began at the context's mark; NULL: not worth telling */
} explanations[] = {
	{ "found a tab character that violates indentation", "a tab; indent with spaces", NULL },
	{ "found a tab character where an indentation space is expected", "a tab; indent with spaces", NULL },
	{ "mapping values are not allowed in this context",
	  "a ':' that belongs to no key; check the indentation, and quote a value that holds \": \"", NULL },
	{ "block sequence entries are not allowed in this context",
	  "a '-' where no list item can stand; check the indentation", NULL },
	{ "mapping keys are not allowed in this context", "a key where none can stand; check the indentation", NULL },
	{ "could not find expected ':'", "expected ':' and a space behind the key", "the key" },
	{ "did not find expected key", "expected the next key; check indentation, quotes and brackets", "the map" },
	{ "did not find expected '-' indicator", "expected the next '-'; check the indentation", "the list" },
	{ "did not find expected ',' or ']'", "expected ',' or ']'", "the list" },
	{ "did not find expected ',' or '}'", "expected ',' or '}'", "the map" },
	{ "found unexpected end of stream", "the file ends inside quotes", "the quoted text" },
	{ "found unexpected document indicator", "a document begins or ends inside quotes", "the quoted text" },
	{ "found unknown escape character",
	  "an unknown escape; write \\\\ for a backslash, or use single quotes", NULL },
	{ "did not find expected hexdecimal number", "expected hexadecimal digits behind \\x, \\u or \\U", NULL },
	{ "found invalid Unicode character escape code", "an escape that is no Unicode character", NULL },
	{ "did not find expected comment or line break", "expected the end of the line", NULL },
	{ "did not find expected <document start>", "found text behind the end of the configuration", NULL },
	{ "did not find expected node content", "expected a value", NULL },
	{ "did not find expected alphabetic or numeric character",
	  "'&' and '*' begin anchors and aliases, which are not supported; quote the value", NULL },
	{ "found undefined tag handle", "tags such as !name are not supported; quote the value", NULL },
	{ "found incompatible YAML document", "this version of YAML is not supported; use 1.1 or 1.2", NULL },
};
/* clang-format on */

static void explain_start(struct reader *r, struct config_place place)
{
	const char *s = text_at(r, place);
	if (*s == '\t') {
		config_report_error(r->report, place, "a tab; indent with spaces");
	} else {
		config_report_error(r->report, place,
				    "a value cannot begin with '%c'; put it in quotes", *s);
	}
}

/* libyaml stopped at an error: says why. */
static void explain(struct reader *r, const yaml_parser_t *p)
{
	struct config_place place = place_of(p->problem_mark);
	const char *problem = p->problem != NULL ? p->problem : "unreadable";
	if (p->error == YAML_MEMORY_ERROR) {
		config_report_error(r->report, place, "out of memory");
		return;
	}
	if (strcmp(problem, "found character that cannot start any token") == 0) {
		explain_start(r, place);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(explanations); i++) {
		if (strcmp(problem, explanations[i].problem) != 0) {
			continue;
		}
		if (explanations[i].begins == NULL || p->context == NULL) {
			config_report_error(r->report, place, "%s", explanations[i].text);
		} else {
			const struct config_place from = place_of(p->context_mark);
			config_report_error(r->report, place, "%s; %s begins at line %u, column %u",
					    explanations[i].text, explanations[i].begins, from.line,
					    from.column);
		}
		return;
	}
	config_report_error(r->report, place, "not YAML: %s", problem);
}

/* --- the tree -------------------------------------------------------------------------------- */

static struct config_node *node_new(struct reader *r, enum config_node_kind kind,
				    struct config_place place)
{
	struct config_node *n = arena_alloc(r->arena, sizeof(*n));
	*n = (struct config_node){ .kind = kind, .place = place, .text = "", .key = "" };
	return n;
}

const struct config_node *config_node_get(const struct config_node *node, const char *key)
{
	for (const struct config_node *c = node->first; c != NULL; c = c->next) {
		if (strcmp(c->key, key) == 0) {
			return c;
		}
	}
	return NULL;
}

/* Does the map take the key that was just read? */
static bool takes_key(struct reader *r, const struct open *o)
{
	char quoted[TEXT_QUOTE_MAX];
	const struct config_node *same = config_node_get(o->node, o->key);
	if (same != NULL) {
		config_report_error(r->report, o->key_place,
				    "the key %s is here twice; the first is at line %u, column %u",
				    text_quote(o->key, o->key_len, quoted), same->key_place.line,
				    same->key_place.column);
		return false;
	}
	if (o->node->count >= CONFIG_KEYS_MAX) {
		if (o->node->count == CONFIG_KEYS_MAX) {
			config_report_error(r->report, o->key_place, "more than %d keys in one map",
					    CONFIG_KEYS_MAX);
		}
		o->node->count = CONFIG_KEYS_MAX + 1;
		return false;
	}
	return true;
}

/* Puts @n where the next node belongs: as key or value of the map, as item of the list, as the top. A node
 * that has no place is read to its end and left out. */
static void attach(struct reader *r, struct config_node *n)
{
	if (r->depth == 0) {
		r->root = n;
		return;
	}
	struct open *o = &r->stack[r->depth - 1];
	assert(o->node != NULL); /* a map or list that was opened */
	if (o->node->kind == CONFIG_NODE_MAP && o->key == NULL) {
		o->key = n->text;
		o->key_len = n->len;
		o->key_place = n->place;
		o->drop = true;
		if (n->kind == CONFIG_NODE_LIST || n->kind == CONFIG_NODE_MAP) {
			config_report_error(r->report, n->place, "a %s cannot be a key",
					    n->kind == CONFIG_NODE_LIST ? "list" : "map");
		} else if (n->kind == CONFIG_NODE_SCALAR) {
			o->drop = !takes_key(r, o);
		}
		return;
	}
	if (o->node->kind == CONFIG_NODE_MAP) {
		n->key = o->key;
		n->key_len = o->key_len;
		n->key_place = o->key_place;
		o->key = NULL;
		if (o->drop) {
			return;
		}
	}
	if (o->last != NULL) {
		o->last->next = n;
	} else {
		o->node->first = n;
	}
	o->last = n;
	o->node->count++;
}

/* Anchors and tags change what a node means; without them each node is what it looks like. */
static void refuse_properties(struct reader *r, struct config_place place,
			      const yaml_char_t *anchor, const yaml_char_t *tag)
{
	char quoted[TEXT_QUOTE_MAX];
	if (anchor != NULL) {
		const char *name = (const char *)anchor;
		config_report_error(r->report, place,
				    "anchors are not supported, found %s; write the "
				    "value where it is needed",
				    text_quote(name, strlen(name), quoted));
	}
	if (tag != NULL) {
		const char *name = (const char *)tag;
		config_report_error(r->report, place,
				    "tags are not supported, found %s; leave it out",
				    text_quote(name, strlen(name), quoted));
	}
}

static bool is_null(const char *text, size_t len)
{
	return len == 0 || (len == 1 && text[0] == '~') || text_equal(text, len, "null");
}

/* What is in no value, not even by an escape, so that all can be printed and stand in a message; or NULL. */
static const char *value_problem(const char *text, size_t len)
{
	size_t n;
	for (size_t i = 0; i < len; i += n) {
		uint32_t c = 0;
		n = utf8_decode((const uint8_t *)text + i, len - i, &c);
		if (c == '\n') {
			return "a value of several lines; write it in one";
		}
		if (n == 0 || c < 0x20 || !is_allowed(c)) {
			return "a control character in a value";
		}
	}
	return NULL;
}

static void on_scalar(struct reader *r, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	struct config_place place = place_of(e->start_mark);
	refuse_properties(r, place, e->data.scalar.anchor, e->data.scalar.tag);
	struct config_node *n = node_new(r, CONFIG_NODE_SCALAR, place);
	const char *problem = value_problem(text, len);
	if (problem != NULL) {
		config_report_error(r->report, place, "%s", problem);
		n->kind = CONFIG_NODE_BAD;
	}
	if (n->kind == CONFIG_NODE_SCALAR) {
		n->is_null = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && is_null(text, len);
		n->text = arena_str(r->arena, text, len);
		n->len = len;
	}
	attach(r, n);
}

static void on_alias(struct reader *r, const yaml_event_t *e)
{
	char quoted[TEXT_QUOTE_MAX];
	const char *name = (const char *)e->data.alias.anchor;
	struct config_place place = place_of(e->start_mark);
	config_report_error(r->report, place,
			    "aliases are not supported, found %s; write the value, "
			    "in quotes if it begins with '*'",
			    text_quote(name, strlen(name), quoted));
	attach(r, node_new(r, CONFIG_NODE_BAD, place));
}

static int on_open(struct reader *r, const yaml_event_t *e)
{
	struct config_place place = place_of(e->start_mark);
	bool is_list = e->type == YAML_SEQUENCE_START_EVENT;
	if (is_list) {
		refuse_properties(r, place, e->data.sequence_start.anchor,
				  e->data.sequence_start.tag);
	} else {
		refuse_properties(r, place, e->data.mapping_start.anchor,
				  e->data.mapping_start.tag);
	}
	if (r->depth == CONFIG_DEPTH_MAX) {
		config_report_error(r->report, place, "lists and maps are nested more than %d deep",
				    CONFIG_DEPTH_MAX);
		return E_SYNTAX;
	}
	struct config_node *n = node_new(r, is_list ? CONFIG_NODE_LIST : CONFIG_NODE_MAP, place);
	attach(r, n);
	r->stack[r->depth++] = (struct open){ .node = n };
	return E_OK;
}

static int on_event(struct reader *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++r->documents > 1) {
			config_report_error(r->report, place_of(e->start_mark),
					    "a second document; a configuration is one document");
			return E_SYNTAX;
		}
		return E_OK;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return on_open(r, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		r->depth--;
		return E_OK;
	case YAML_SCALAR_EVENT:
		on_scalar(r, e);
		return E_OK;
	case YAML_ALIAS_EVENT:
		on_alias(r, e);
		return E_OK;
	default:
		return E_OK;
	}
}

int config_yaml_read(const char *text, size_t len, struct arena *arena,
		     struct config_report *report, struct config_node **out)
{
	static const char bom[] = "\xef\xbb\xbf";
	if (len >= 3 && memcmp(text, bom, 3) == 0) {
		text += 3;
		len -= 3;
	}
	struct reader r = { .text = text, .len = len, .arena = arena, .report = report };
	yaml_parser_t parser;
	if (!check_octets(&r)) {
		return E_SYNTAX;
	}
	if (yaml_parser_initialize(&parser) == 0) {
		explain(&r, &parser);
		return E_SYNTAX;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	int err = E_OK;
	for (bool done = false; err == E_OK && !done;) {
		yaml_event_t event;
		if (yaml_parser_parse(&parser, &event) == 0) {
			explain(&r, &parser);
			err = E_SYNTAX;
			break;
		}
		done = event.type == YAML_STREAM_END_EVENT;
		err = on_event(&r, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (err == E_OK) {
		*out = r.root;
	}
	return err;
}

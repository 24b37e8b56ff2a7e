/* server/config_type.c - the types of options: how each is read, checked, printed and described. */
#include "server/config_type.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/cookie.h"
#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/dns/dname.h"

#define PORT_DNS 53
#define PORT_TLS 853 /* RFC 7858 §3.1 */

struct type {
	enum config_node_kind kind; /* what stands in the file */
	const char *what;	    /* for "expected ..."; without the range */
	const char *example;
	void (*read)(struct config_reader *r, const struct config_option *o,
		     const struct config_node *node, void *to);
	void (*print)(struct buf *b, const struct config_option *o, const void *from,
		      const struct config_style *style);
};

static const char *quote(const struct config_node *node, char out[TEXT_QUOTE_MAX])
{
	return text_quote(node->text, node->len, out);
}

/* "PATH: found ..., expected ..." with @hint behind. */
static void report_unexpected(const struct config_reader *r, const struct config_option *o,
			      const struct config_node *node, const char *hint)
{
	char quoted[TEXT_QUOTE_MAX];
	struct buf b = { 0 };
	const char *found = node->is_null		     ? "nothing"
			    : node->kind == CONFIG_NODE_LIST ? "a list"
			    : node->kind == CONFIG_NODE_MAP  ? "a map"
							     : quote(node, quoted);
	config_type_describe(&b, o);
	config_report_error(r->report, node->place, "%s: found %s, expected %s%s", o->path, found,
			    b.data, hint);
	buf_clear(&b);
}

/* --- numbers, sizes, durations --------------------------------------------------------------- */

struct unit {
	char letter;
	uint32_t factor;
};

static const struct unit size_units[] = { { 'G', 1 << 30 }, { 'M', 1 << 20 }, { 'K', 1 << 10 } };
static const struct unit time_units[] = { { 'y', 31536000 }, { 'w', 604800 }, { 'd', 86400 },
					  { 'h', 3600 },     { 'm', 60 },     { 's', 1 } };

static void print_size(struct buf *b, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_LEN(size_units); i++) {
		if (value != 0 && value % size_units[i].factor == 0) {
			buf_printf(b, "%llu%c", (unsigned long long)(value / size_units[i].factor),
				   size_units[i].letter);
			return;
		}
	}
	buf_printf(b, "%llu", (unsigned long long)value);
}

static void print_duration(struct buf *b, uint64_t value)
{
	if (value == 0) {
		buf_str(b, "0s");
	}
	for (size_t i = 0; i < ARRAY_LEN(time_units); i++) {
		uint64_t n = value / time_units[i].factor;
		value %= time_units[i].factor;
		if (n != 0) {
			buf_printf(b, "%llu%c", (unsigned long long)n, time_units[i].letter);
		}
	}
}

static void print_quantity(struct buf *b, enum config_type type, uint64_t value)
{
	if (type == CONFIG_SIZE) {
		print_size(b, value);
	} else if (type == CONFIG_DURATION) {
		print_duration(b, value);
	} else {
		buf_printf(b, "%llu", (unsigned long long)value);
	}
}

static int size_from_text(const char *s, size_t len, uint64_t *out)
{
	uint32_t factor = 1;
	for (size_t i = 0; len != 0 && i < ARRAY_LEN(size_units); i++) {
		if (text_lower[(uint8_t)s[len - 1]] == text_lower[(uint8_t)size_units[i].letter]) {
			factor = size_units[i].factor;
			len--;
			break;
		}
	}
	int err = text_to_u64(s, len, UINT32_MAX, out);
	*out = err == E_OK ? *out * factor : 0;
	return err;
}

static int duration_from_text(const char *s, size_t len, uint64_t *out)
{
	int64_t value = 0;
	int err = time_from_duration(s, len, UINT32_MAX, &value);
	*out = (uint64_t)value;
	return err;
}

static void read_quantity(struct config_reader *r, const struct config_option *o,
			  const struct config_node *node, void *to)
{
	uint64_t value = 0;
	int err = o->type == CONFIG_SIZE ? size_from_text(node->text, node->len, &value)
		  : o->type == CONFIG_DURATION
			  ? duration_from_text(node->text, node->len, &value)
			  : text_to_u64(node->text, node->len, UINT32_MAX, &value);
	if (err != E_OK || value < o->min || value > o->max) {
		report_unexpected(r, o, node, "");
		return;
	}
	*(uint32_t *)to = (uint32_t)value;
}

static void print_quantity_member(struct buf *b, const struct config_option *o, const void *from,
				  const struct config_style *style UNUSED)
{
	buf_char(b, ' ');
	print_quantity(b, o->type, *(const uint32_t *)from);
	buf_char(b, '\n');
}

/* --- parts ----------------------------------------------------------------------------------- */

static void read_part(struct config_reader *r, const struct config_option *o,
		      const struct config_node *node, void *to)
{
	struct config_part *part = to;
	uint64_t value = CONFIG_PART_ALL;
	const bool is_percent = node->len != 0 && node->text[node->len - 1] == '%';
	if (node->len == 0) {
		return; /* as elsewhere */
	}
	if (strcmp(node->text, "no") != 0 &&
	    text_to_u64(node->text, node->len - is_percent, is_percent ? 100 : o->max, &value) !=
		    E_OK) {
		report_unexpected(r, o, node, "");
		return;
	}
	*part = (struct config_part){ (uint32_t)value, is_percent, true };
}

static void print_part(struct buf *b, const struct config_option *o UNUSED, const void *from,
		       const struct config_style *style UNUSED)
{
	const struct config_part *part = from;
	if (part->count == CONFIG_PART_ALL) {
		buf_str(b, " no\n");
	} else {
		buf_printf(b, " %u%s\n", part->count, part->is_percent ? "%" : "");
	}
}

/* --- choices --------------------------------------------------------------------------------- */

static const char *const switches[] = { [CONFIG_NO] = "no", [CONFIG_YES] = "yes", NULL };
static const char *const log_targets[] = {
	[LOG_TO_STDERR] = "stderr",
	[LOG_TO_SYSLOG] = "syslog",
	NULL,
};
static const char *const log_formats[] = {
	[CONFIG_LOG_TEXT] = "text",
	[CONFIG_LOG_JSON] = "json",
	NULL,
};

static const char *const denials[] = { [CONFIG_NSEC] = "nsec",
				       [CONFIG_NSEC3] = "nsec3",
				       [CONFIG_NSEC3_OPT_OUT] = "nsec3-opt-out",
				       NULL };
static const char *const zonemds[] = { [CONFIG_ZONEMD_NO] = "no",
				       [CONFIG_ZONEMD_SHA384] = "sha384",
				       [CONFIG_ZONEMD_SHA512] = "sha512",
				       NULL };
static const char *const serials[] = { [CONFIG_INCREMENT] = "increment",
				       [CONFIG_UNIXTIME] = "unixtime",
				       [CONFIG_DATE] = "date",
				       NULL };
static const char *const catalog_roles[] = { [CONFIG_CATALOG_NONE] = "none",
					     [CONFIG_CATALOG_CONSUMER] = "consumer",
					     [CONFIG_CATALOG_PRODUCER] = "producer",
					     NULL };
static const char *const key_roles[] = { [CONFIG_KSK_ZSK] = "ksk-zsk", [CONFIG_CSK] = "csk", NULL };

/* An enum without negative values is an unsigned int here, so one pair of functions serves them all. */
_Static_assert(_Generic((enum config_switch *)NULL, unsigned * : 1, default : 0) &&
		       _Generic((enum log_level *)NULL, unsigned * : 1, default : 0) &&
		       _Generic((enum log_target *)NULL, unsigned * : 1, default : 0) &&
		       _Generic((enum config_log_format *)NULL, unsigned * : 1, default : 0) &&
		       _Generic((enum config_denial *)NULL, unsigned * : 1, default : 0) &&
		       _Generic((enum config_zonemd *)NULL, unsigned * : 1, default : 0) &&
		       _Generic((enum config_serial *)NULL, unsigned * : 1, default : 0) &&
		       _Generic((enum config_catalog_role *)NULL, unsigned * : 1, default : 0) &&
		       _Generic((enum config_key_roles *)NULL, unsigned * : 1, default : 0),
	       "choices are read as unsigned int");

/* The words of each choice, by value. */
static const char *const *const choices[] = {
	[CONFIG_SWITCH] = switches,
	[CONFIG_LOG_LEVEL] = log_level_names,
	[CONFIG_LOG_TARGET] = log_targets,
	[CONFIG_LOG_FORMAT] = log_formats,
	[CONFIG_DENIAL] = denials,
	[CONFIG_ZONEMD] = zonemds,
	[CONFIG_SERIAL] = serials,
	[CONFIG_KEY_ROLES] = key_roles,
	[CONFIG_CATALOG_ROLE] = catalog_roles,
};

static void did_you_mean(const char *near, char *out, size_t room)
{
	(void)snprintf(out, room, "%s%s%s", near != NULL ? "; did you mean \"" : "",
		       near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static void read_choice(struct config_reader *r, const struct config_option *o,
			const struct config_node *node, void *to)
{
	char hint[TEXT_QUOTE_MAX];
	const char *const *words = choices[o->type];
	for (unsigned i = 0; words[i] != NULL; i++) {
		if (strcmp(node->text, words[i]) == 0) {
			*(unsigned *)to = i;
			return;
		}
	}
	did_you_mean(text_did_you_mean(node->text, words), hint, sizeof(hint));
	report_unexpected(r, o, node, hint);
}

static void print_choice(struct buf *b, const struct config_option *o, const void *from,
			 const struct config_style *style UNUSED)
{
	buf_printf(b, " %s\n", choices[o->type][*(const unsigned *)from]);
}

/* --- texts ----------------------------------------------------------------------------------- */

static bool has_length(const struct config_reader *r, const struct config_option *o,
		       const struct config_node *node)
{
	if (node->len >= o->min && node->len <= o->max) {
		return true;
	}
	if (node->len < o->min) {
		report_unexpected(r, o, node, "");
	} else {
		config_report_error(r->report, node->place,
				    "%s: %zu octets are too long, expected at most %llu", o->path,
				    node->len, (unsigned long long)o->max);
	}
	return false;
}

/* Names of users and groups are looked up where the system keeps them; entries can be large. */
static bool is_account(enum config_type type, const char *name)
{
	static const size_t room = 65536;
	union {
		struct passwd user;
		struct group group;
	} entry;
	struct passwd *user = NULL;
	struct group *group = NULL;
	char *space = malloc(room);
	int err = space == NULL		? ENOMEM
		  : type == CONFIG_USER ? getpwnam_r(name, &entry.user, space, room, &user)
					: getgrnam_r(name, &entry.group, space, room, &group);
	free(space);
	return err == 0 && (user != NULL || group != NULL);
}

static void read_account(struct config_reader *r, const struct config_option *o,
			 const struct config_node *node, void *to)
{
	char quoted[TEXT_QUOTE_MAX];
	if (!has_length(r, o, node)) {
		return;
	}
	if (node->len != 0 && !r->only_text && !is_account(o->type, node->text)) {
		const char *what = o->type == CONFIG_USER ? "user" : "group";
		config_report_error(
			r->report, node->place,
			"%s: there is no %s %s on this system; create it or name another", o->path,
			what, quote(node, quoted));
		return;
	}
	*(const char **)to = arena_str(r->arena, node->text, node->len);
}

/* The path in full; "" stays. NULL, reported: too long. */
static const char *resolve(struct config_reader *r, const struct config_option *o,
			   const struct config_node *node)
{
	if (!has_length(r, o, node)) {
		return NULL;
	}
	size_t dir = strlen(r->directory);
	if (node->len == 0 || node->text[0] == '/' || dir == 0) {
		return arena_str(r->arena, node->text, node->len);
	}
	size_t room = dir + 1 + node->len + 1;
	if (room > PATH_MAX) {
		config_report_error(r->report, node->place, "%s: the path is too long", o->path);
		return NULL;
	}
	char *path = (char *)arena_bytes(r->arena, room);
	(void)snprintf(path, room, "%s%s%s", r->directory, r->directory[dir - 1] == '/' ? "" : "/",
		       node->text);
	return path;
}

static void read_path(struct config_reader *r, const struct config_option *o,
		      const struct config_node *node, void *to)
{
	const char *path = resolve(r, o, node);
	if (path != NULL) {
		*(const char **)to = path;
	}
}

/* Can a zone be read from there? Says why not. */
static bool check_file(const struct config_reader *r, const struct config_option *o,
		       const struct config_node *node, const char *path)
{
	char quoted[TEXT_QUOTE_MAX];
	struct stat st;
	const char *why = NULL;
	if (stat(path, &st) != 0 || access(path, R_OK) != 0) {
		why = strerror(errno);
	} else if (S_ISDIR(st.st_mode)) {
		why = "it is a directory";
	} else if (!S_ISREG(st.st_mode)) {
		why = "it is no regular file";
	} else {
		return true;
	}
	config_report_error(r->report, node->place, "%s: cannot read %s: %s", o->path,
			    text_quote(path, strlen(path), quoted), why);
	return false;
}

static void read_file(struct config_reader *r, const struct config_option *o,
		      const struct config_node *node, void *to)
{
	const char *path = resolve(r, o, node);
	if (path != NULL && (r->only_text || check_file(r, o, node, path))) {
		*(const char **)to = path;
	}
}

/* The secrets in it are wanted when the server starts; who checks the configuration wants to know now. */
static void read_secret_file(struct config_reader *r, const struct config_option *o,
			     const struct config_node *node, void *to)
{
	const char *path = resolve(r, o, node);
	struct cookie_secrets secrets;
	struct errmsg em = { "" };
	if (path == NULL) {
		return;
	}
	if (*path != '\0' && !r->only_text) {
		int err = cookie_secrets_read(&secrets, path, &em);
		cookie_secrets_clear(&secrets);
		if (err != E_OK) {
			config_report_error(r->report, node->place, "%s: %.400s", o->path, em.text);
			return;
		}
	}
	*(const char **)to = path;
}

static void read_text(struct config_reader *r, const struct config_option *o,
		      const struct config_node *node, void *to)
{
	if (has_length(r, o, node)) {
		*(const char **)to = arena_str(r->arena, node->text, node->len);
	}
}

static void print_text(struct buf *b, const struct config_option *o UNUSED, const void *from,
		       const struct config_style *style UNUSED)
{
	buf_char(b, ' ');
	config_print_scalar(b, *(const char *const *)from);
	buf_char(b, '\n');
}

static bool is_plain(const char *s)
{
	static const char special[] = "-._/";
	if (*s == '\0' || *s == '-' || text_equal(s, strlen(s), "null")) {
		return false;
	}
	for (; *s != '\0'; s++) {
		uint8_t c = text_lower[(uint8_t)*s];
		if (!text_is_digit(*s) && (c < 'a' || c > 'z') && strchr(special, *s) == NULL) {
			return false;
		}
	}
	return true;
}

void config_print_scalar(struct buf *b, const char *text)
{
	if (is_plain(text)) {
		buf_str(b, text);
		return;
	}
	buf_char(b, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\') {
			buf_char(b, '\\');
		}
		buf_char(b, *text);
	}
	buf_char(b, '"');
}

/* --- names ----------------------------------------------------------------------------------- */

/* dname_from_text takes what a master file may hold; here a few more things are a slip. */
static const char *name_problem(const struct config_node *node)
{
	for (size_t i = 0; i < node->len; i++) {
		if ((uint8_t)node->text[i] >= 0x80) {
			return "a name of letters outside ASCII; write its xn-- form";
		}
		if (node->text[i] == ' ' || node->text[i] == '"') {
			return "a name with a space or quote in it; write \\032 or \\034 if that is meant";
		}
		i += node->text[i] == '\\'; /* what is escaped is meant */
	}
	return strcmp(node->text, "@") == 0 ? "\"@\", which is no zone; the root zone is \".\""
					    : NULL;
}

/* A name, in the arena; NULL: it is none, and that was reported. */
static const uint8_t *read_name(struct config_reader *r, const struct config_option *o,
				const struct config_node *node)
{
	struct dname name;
	struct errmsg em = { "" };
	const char *problem = name_problem(node);
	if (problem != NULL) {
		config_report_error(r->report, node->place, "%s: found %s", o->path, problem);
		return NULL;
	}
	if (dname_from_text(&name, node->text, node->len, dname_root, &em) != E_OK) {
		config_report_error(r->report, node->place, "%s: %.300s", o->path, em.text);
		return NULL;
	}
	return arena_dup(r->arena, name.wire, name.len);
}

static void read_zone_name(struct config_reader *r, const struct config_option *o,
			   const struct config_node *node, void *to)
{
	if (node->len == 0) {
		report_unexpected(r, o, node, "");
		return;
	}
	const uint8_t *name = read_name(r, o, node);
	if (name != NULL) {
		*(const uint8_t **)to = name;
	}
}

/* A name other than the root, or "" for none: NULL. */
static void read_domain(struct config_reader *r, const struct config_option *o,
			const struct config_node *node, void *to)
{
	const uint8_t *name = node->len != 0 ? read_name(r, o, node) : NULL;
	if (name != NULL && dname_is_root(name)) {
		report_unexpected(r, o, node, "");
	} else if (name != NULL || node->len == 0) {
		*(const uint8_t **)to = name;
	}
}

static void print_name(struct buf *b, const struct config_option *o UNUSED, const void *from,
		       const struct config_style *style UNUSED)
{
	const uint8_t *name = *(const uint8_t *const *)from;
	char text[DNAME_TEXT_MAX] = "";
	if (name != NULL) {
		(void)dname_to_text(name, text);
	}
	buf_char(b, ' ');
	config_print_scalar(b, text);
	buf_char(b, '\n');
}

/* --- addresses ------------------------------------------------------------------------------- */

/* Reads @item into list[n], which must differ from those before it. */
static bool read_address(struct config_reader *r, const struct config_option *o,
			 const struct config_node *item, struct address *list, size_t n)
{
	struct errmsg em = { "" };
	if (item->kind == CONFIG_NODE_BAD) {
		return false;
	}
	if (item->kind != CONFIG_NODE_SCALAR || item->is_null) {
		report_unexpected(r, o, item, "");
		return false;
	}
	uint16_t port = o->type == CONFIG_TLS_ADDRESSES ? PORT_TLS : PORT_DNS;
	if (address_from_text(&list[n], item->text, item->len, port, &em) != E_OK) {
		config_report_error(r->report, item->place, "%s: %.300s", o->path, em.text);
		return false;
	}
	for (size_t k = 0; k < n; k++) {
		if (address_equal(&list[k], &list[n])) {
			config_report_error(r->report, item->place, "%s: \"%s\" is here twice",
					    o->path, item->text);
			return false;
		}
	}
	return true;
}

/* A single address may stand for a list of one. */
static void read_addresses(struct config_reader *r, const struct config_option *o,
			   const struct config_node *node, void *to)
{
	struct config_addresses *out = to;
	bool is_list = node->kind == CONFIG_NODE_LIST;
	size_t count = is_list ? node->count : 1;
	const struct config_node *item = is_list ? node->first : node;
	if (count < o->min || count > o->max) {
		config_report_error(r->report, node->place,
				    "%s: found %zu addresses, expected %llu to %llu", o->path,
				    count, (unsigned long long)o->min, (unsigned long long)o->max);
		return;
	}
	struct address *list = arena_alloc(r->arena, (count + 1) * sizeof(*list));
	size_t n = 0;
	for (; item != NULL; item = is_list ? item->next : NULL) {
		n += read_address(r, o, item, list, n);
	}
	if (n == count) {
		*out = (struct config_addresses){ list, count, r->is_default };
	}
}

static void print_addresses(struct buf *b, const struct config_option *o UNUSED, const void *from,
			    const struct config_style *style)
{
	const struct config_addresses *a = from;
	char text[ADDRESS_TEXT_MAX];
	buf_str(b, a->count == 0 ? " []\n" : "\n");
	for (size_t i = 0; i < a->count; i++) {
		address_to_text(&a->list[i], text);
		buf_printf(b, "%*s- \"%s\"\n", (int)style->indent + 2, "", text);
	}
}

/* --- networks -------------------------------------------------------------------------------- */

/* A single network may stand for a list of one. */
static void read_networks(struct config_reader *r, const struct config_option *o,
			  const struct config_node *node, void *to)
{
	struct config_networks *out = to;
	bool is_list = node->kind == CONFIG_NODE_LIST;
	size_t count = is_list ? node->count : 1;
	const struct config_node *item = is_list ? node->first : node;
	if (count > o->max) {
		config_report_error(r->report, node->place,
				    "%s: found %zu networks, expected at most %llu", o->path, count,
				    (unsigned long long)o->max);
		return;
	}
	struct address_network *list = arena_alloc(r->arena, (count + 1) * sizeof(*list));
	size_t n = 0;
	for (; item != NULL; item = is_list ? item->next : NULL) {
		struct errmsg em = { "" };
		if (item->kind == CONFIG_NODE_BAD) {
			continue;
		}
		if (item->kind != CONFIG_NODE_SCALAR || item->is_null) {
			report_unexpected(r, o, item, "");
		} else if (address_network_from_text(&list[n], item->text, item->len, &em) !=
			   E_OK) {
			config_report_error(r->report, item->place, "%s: %.300s", o->path, em.text);
		} else {
			n++;
		}
	}
	if (n == count) {
		*out = (struct config_networks){ list, count };
	}
}

static void print_networks(struct buf *b, const struct config_option *o UNUSED, const void *from,
			   const struct config_style *style)
{
	const struct config_networks *a = from;
	char text[ADDRESS_NETWORK_TEXT_MAX];
	buf_str(b, a->count == 0 ? " []\n" : "\n");
	for (size_t i = 0; i < a->count; i++) {
		address_network_to_text(&a->list[i], text);
		buf_printf(b, "%*s- \"%s\"\n", (int)style->indent + 2, "", text);
	}
}

/* --- lists of texts -------------------------------------------------------------------------- */

/* A single text may stand for a list of one. */
static void read_texts(struct config_reader *r, const struct config_option *o,
		       const struct config_node *node, void *to)
{
	struct config_texts *out = to;
	bool is_list = node->kind == CONFIG_NODE_LIST;
	size_t count = is_list ? node->count : 1;
	const struct config_node *item = is_list ? node->first : node;
	if (count > o->max) {
		config_report_error(r->report, node->place,
				    "%s: found %zu entries, expected at most %llu", o->path, count,
				    (unsigned long long)o->max);
		return;
	}
	struct config_text *list = arena_alloc(r->arena, (count + 1) * sizeof(*list));
	size_t n = 0;
	for (; item != NULL; item = is_list ? item->next : NULL) {
		if (item->kind == CONFIG_NODE_BAD) {
			continue;
		}
		if (item->kind != CONFIG_NODE_SCALAR || item->is_null) {
			report_unexpected(r, o, item, "");
			continue;
		}
		list[n++] = (struct config_text){ arena_str(r->arena, item->text, item->len),
						  item->place };
	}
	*out = (struct config_texts){ list, n };
}

static void print_texts(struct buf *b, const struct config_option *o UNUSED, const void *from,
			const struct config_style *style)
{
	const struct config_texts *t = from;
	buf_str(b, t->count == 0 ? " []\n" : "\n");
	for (size_t i = 0; i < t->count; i++) {
		buf_printf(b, "%*s- ", (int)style->indent + 2, "");
		config_print_scalar(b, t->list[i].text);
		buf_char(b, '\n');
	}
}

/* --- checks of zones ------------------------------------------------------------------------- */

static void read_checks(struct config_reader *r, const struct config_option *o,
			const struct config_node *node, void *to)
{
	for (const struct config_node *c = node->first; c != NULL; c = c->next) {
		struct errmsg em = { "" };
		if (c->kind == CONFIG_NODE_BAD) {
			continue;
		}
		if (c->kind != CONFIG_NODE_SCALAR || c->is_null) {
			config_report_error(r->report, c->place,
					    "%s: found no level, expected ignore, warn or error",
					    o->path);
			continue;
		}
		int err = check_levels_set(to, c->key, c->text, &em);
		if (err != E_OK) {
			config_report_error(r->report, err == E_NOENT ? c->key_place : c->place,
					    "%s: %.300s", o->path, em.text);
		}
	}
}

static void print_checks(struct buf *b, const struct config_option *o UNUSED, const void *from,
			 const struct config_style *style)
{
	const struct check_levels *levels = from;
	const struct check_levels *inherit = style->inherit;
	size_t before = b->len;
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		if (inherit != NULL && inherit->level[i] == levels->level[i]) {
			continue;
		}
		buf_printf(b, "%s%*s%s: %s", b->len == before ? "\n" : "", (int)style->indent + 2,
			   "", check_name((enum check)i), check_level_name(levels->level[i]));
		if (style->comments) {
			buf_printf(b, " # %s", check_help((enum check)i));
		}
		buf_char(b, '\n');
	}
	if (b->len == before) {
		buf_str(b, " {}\n");
	}
}

/* --- groups of catalogs ---------------------------------------------------------------------- */

static void read_groups(struct config_reader *r, const struct config_option *o,
			const struct config_node *node, void *to)
{
	struct config_groups *out = to;
	struct config_group *list = arena_alloc(r->arena, (node->count + 1) * sizeof(*list));
	size_t n = 0;
	for (const struct config_node *g = node->first; g != NULL; g = g->next) {
		if (g->kind == CONFIG_NODE_BAD) {
			continue;
		}
		if (g->kind != CONFIG_NODE_SCALAR || g->is_null || g->key_len > o->max) {
			config_report_error(
				r->report, g->place,
				"%s: expected the name of a template behind the name of "
				"a group",
				o->path);
			continue;
		}
		list[n++] = (struct config_group){ .name = arena_str(r->arena, g->key, g->key_len),
						   .template_text =
							   arena_str(r->arena, g->text, g->len),
						   .place = g->place };
	}
	*out = (struct config_groups){ list, n };
}

static void print_groups(struct buf *b, const struct config_option *o UNUSED, const void *from,
			 const struct config_style *style)
{
	const struct config_groups *g = from;
	buf_str(b, g->count == 0 ? " {}\n" : "\n");
	for (size_t i = 0; i < g->count; i++) {
		buf_printf(b, "%*s", (int)style->indent + 2, "");
		config_print_scalar(b, g->list[i].name);
		buf_str(b, ": ");
		config_print_scalar(b, g->list[i].template_text);
		buf_char(b, '\n');
	}
}

/* --- the table ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct type types[] = {
	[CONFIG_NUMBER]     = { CONFIG_NODE_SCALAR, "a whole number", "1", read_quantity, print_quantity_member },
	[CONFIG_SIZE]       = { CONFIG_NODE_SCALAR, "a size", "4K", read_quantity, print_quantity_member },
	[CONFIG_DURATION]   = { CONFIG_NODE_SCALAR, "a duration", "1h30m", read_quantity, print_quantity_member },
	[CONFIG_SWITCH]     = { CONFIG_NODE_SCALAR, "", "yes", read_choice, print_choice },
	[CONFIG_LOG_LEVEL]  = { CONFIG_NODE_SCALAR, "", "info", read_choice, print_choice },
	[CONFIG_LOG_TARGET] = { CONFIG_NODE_SCALAR, "", "stderr", read_choice, print_choice },
	[CONFIG_LOG_FORMAT] = { CONFIG_NODE_SCALAR, "", "text", read_choice, print_choice },
	[CONFIG_USER]       = { CONFIG_NODE_SCALAR, "the name of a user", "signet", read_account, print_text },
	[CONFIG_GROUP]      = { CONFIG_NODE_SCALAR, "the name of a group", "signet", read_account, print_text },
	[CONFIG_PATH]       = { CONFIG_NODE_SCALAR, "a path", "signetd.pid", read_path, print_text },
	[CONFIG_SECRET_FILE] = { CONFIG_NODE_SCALAR, "the path of a file of secrets", "cookie.secret",
	                        read_secret_file, print_text },
	[CONFIG_TEXT]       = { CONFIG_NODE_SCALAR, "a text", "ns1", read_text, print_text },
	[CONFIG_DOMAIN]     = { CONFIG_NODE_SCALAR, "a domain name", "example.com", read_domain, print_name },
	[CONFIG_NETWORKS]   = { CONFIG_NODE_LIST, "networks such as 192.0.2.0/24 or 2001:db8::/32", "192.0.2.0/24",
	                        read_networks, print_networks },
	[CONFIG_ADDRESSES]  = { CONFIG_NODE_LIST, "addresses such as 192.0.2.1 or 2001:db8::1@53", "192.0.2.1",
	                        read_addresses, print_addresses },
	[CONFIG_TLS_ADDRESSES] = { CONFIG_NODE_LIST, "addresses such as 192.0.2.1 or 2001:db8::1@853",
	                        "192.0.2.1", read_addresses, print_addresses },
	[CONFIG_ZONE_NAME]  = { CONFIG_NODE_SCALAR, "the name of a zone", "example.com", read_zone_name,
	                        print_name },
	[CONFIG_ZONE_FILE]  = { CONFIG_NODE_SCALAR, "the path of a zone file", "example.com.zone", read_file,
	                        print_text },
	[CONFIG_CHECKS]     = { CONFIG_NODE_MAP, "a map of checks and their levels", "{ttl-differs: ignore}",
	                        read_checks, print_checks },
	[CONFIG_ACL]        = { CONFIG_NODE_LIST, "rules such as \"key NAME\" or 192.0.2.0/24", "[key update.example.com]",
	                        read_texts, print_texts },
	[CONFIG_KEY_NAMES]  = { CONFIG_NODE_LIST, "names of keys", "[update.example.com]", read_texts, print_texts },
	[CONFIG_TLS_PINS]   = { CONFIG_NODE_LIST, "pins of keys", "[OPFCzlBNCKYKwYvEICgAqKeEzPXRKzkzPOL8L3s0hfA=]", read_texts, print_texts },
	[CONFIG_TLS_NAMES]  = { CONFIG_NODE_LIST, "names in certificates", "[ns2.example.com]", read_texts, print_texts },
	[CONFIG_REMOTE_NAMES] = { CONFIG_NODE_LIST, "names of remotes", "[primary]", read_texts, print_texts },
	[CONFIG_UPDATE_RULES] = { CONFIG_NODE_LIST, "rules such as \"grant KEY subdomain NAME A AAAA\"",
	                        "[grant update.example.com zonesub]", read_texts, print_texts },
	[CONFIG_DENIAL]     = { CONFIG_NODE_SCALAR, "", "nsec", read_choice, print_choice },
	[CONFIG_ZONEMD]     = { CONFIG_NODE_SCALAR, "", "no", read_choice, print_choice },
	[CONFIG_SERIAL]     = { CONFIG_NODE_SCALAR, "", "increment", read_choice, print_choice },
	[CONFIG_KEY_ROLES]  = { CONFIG_NODE_SCALAR, "", "ksk-zsk", read_choice, print_choice },
	[CONFIG_CATALOG_ROLE] = { CONFIG_NODE_SCALAR, "", "consumer", read_choice, print_choice },
	[CONFIG_GROUPS]     = { CONFIG_NODE_MAP, "a map of groups and templates", "{signed: plain}", read_groups,
	                        print_groups },
	[CONFIG_SECRET]     = { CONFIG_NODE_SCALAR, "a secret in base64", "QxUbGiu6Us8oIFDzFRJFyA==", read_text,
	                        print_text },
	[CONFIG_PART]       = { CONFIG_NODE_SCALAR, "a number of records, a share such as 50%, or no", "50%", read_part,
	                        print_part },
};
/* clang-format on */

void config_type_read(struct config_reader *r, const struct config_option *o,
		      const struct config_node *node, void *to)
{
	enum config_node_kind kind = types[o->type].kind;
	if (node->kind == CONFIG_NODE_BAD) {
		return;
	}
	bool one_of_list = kind == CONFIG_NODE_LIST && node->kind == CONFIG_NODE_SCALAR;
	bool empty_map = kind == CONFIG_NODE_MAP && node->is_null;
	if (empty_map) {
		return;
	}
	if (node->is_null || (node->kind != kind && !one_of_list)) {
		report_unexpected(r, o, node, "");
		return;
	}
	types[o->type].read(r, o, node, to);
}

void config_type_print(struct buf *b, const struct config_option *o, const void *from,
		       const struct config_style *style)
{
	types[o->type].print(b, o, from, style);
}

void config_type_describe(struct buf *b, const struct config_option *o)
{
	const struct type *t = &types[o->type];
	buf_str(b, t->what);
	if (t->read == read_choice) {
		const char *const *words = choices[o->type];
		for (size_t i = 0; words[i] != NULL; i++) {
			const char *join = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
			buf_printf(b, "%s%s", join, words[i]);
		}
	} else if (t->read == read_quantity) {
		buf_str(b, " from ");
		print_quantity(b, o->type, o->min);
		buf_str(b, " to ");
		print_quantity(b, o->type, o->max);
	}
}

const char *config_type_example(enum config_type type)
{
	return types[type].example;
}

/* server/catalogs.c - the zones that catalogs list. */
#include "server/catalogs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/zone_text.h"
#include "zones/base/epoch.h"
#include "zones/base/file.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"

/* Zones that two claim are told one by one up to here. */
#define CLASHES_TOLD 20

struct member {
	const uint8_t *zone, *catalog, *label;
	const uint8_t *group; /* with its length octet; the one that counts, NULL: none */
	uint64_t id;	      /* struct config_member's */
};

/* Which versions of catalogs were looked at. */
struct seen {
	struct dname apex;
	struct version *version; /* counted */
	char *why;		 /* it is broken; NULL: it is not */
};

struct catalogs {
	char *path;
	struct member *members; /* sorted by zone; heap */
	size_t count;
	struct arena arena; /* what they point to */
	uint64_t last_id;
	const uint8_t **forgotten; /* heap; names in forgotten_arena */
	size_t forgotten_count, forgotten_cap;
	struct arena forgotten_arena;
	struct seen *seen; /* heap */
	size_t seen_count;
};

/* --- the file -------------------------------------------------------------------------------- */

static const char head[] =
	"# Zones that catalogs list: zone, catalog, label, group (hex). signetd writes this.\n";

/* The next word of the line, which ends there. */
static const char *next_word(char **line)
{
	char *word = *line;
	char *end = strchr(word, ' ');
	*line = end != NULL ? end + 1 : word + strlen(word);
	if (end != NULL) {
		*end = '\0';
	}
	return word;
}

static int read_name(struct arena *a, const char *text, const uint8_t **out)
{
	struct dname name;
	int err = dname_from_text(&name, text, strlen(text), NULL, NULL);
	if (err == E_OK) {
		*out = arena_dup(a, name.wire, name.len);
	}
	return err;
}

static int read_group(struct arena *a, const char *text, const uint8_t **out)
{
	uint8_t group[256];
	if (strcmp(text, "-") == 0) {
		return E_OK;
	}
	const int len = text_from_hex(text, strlen(text), group + 1, sizeof(group) - 1);
	if (len < 0) {
		return len;
	}
	group[0] = (uint8_t)len;
	*out = arena_dup(a, group, 1U + group[0]);
	return E_OK;
}

static int read_line(struct catalogs *c, char *line)
{
	struct member m = { .id = ++c->last_id };
	int err = read_name(&c->arena, next_word(&line), &m.zone);
	if (err == E_OK) {
		err = read_name(&c->arena, next_word(&line), &m.catalog);
	}
	if (err == E_OK) {
		err = read_name(&c->arena, next_word(&line), &m.label);
	}
	if (err == E_OK) {
		err = dname_labels(m.label) == 1 ? read_group(&c->arena, next_word(&line), &m.group)
						 : E_NAME;
	}
	const bool is_sorted =
		err == E_OK &&
		(c->count == 0 || dname_compare(c->members[c->count - 1].zone, m.zone) < 0);
	if (is_sorted) {
		c->members[c->count++] = m;
	}
	return is_sorted ? E_OK : E_DAMAGED;
}

static int read_lines(struct catalogs *c, const char *text, size_t len)
{
	char *copy = mem_str(text, len);
	size_t lines = 0;
	int err = E_OK;
	for (const char *p = copy; *p != '\0'; p++) {
		lines += *p == '\n';
	}
	c->members = mem_array(lines + 1, sizeof(*c->members));
	char *rest = copy;
	while (err == E_OK && *rest != '\0') {
		char *line = rest;
		char *lf = strchr(line, '\n');
		rest = lf != NULL ? lf + 1 : line + strlen(line);
		if (lf != NULL) {
			*lf = '\0';
		}
		err = line[0] != '#' ? read_line(c, line) : E_OK;
	}
	mem_free(copy);
	return err;
}

static void read_members(struct catalogs *c)
{
	struct file_view view = { 0 };
	struct errmsg em = { "" };
	char quoted[700];
	int err = file_read(c->path, CONFIG_SIZE_MAX, &view, &em);
	if (err == E_OK) {
		err = read_lines(c, view.data, view.len);
		if (err != E_OK) {
			(void)err_set(&em, err, "%s: line %zu is not what was written", c->path,
				      c->count + 2);
			c->count = 0;
		}
	}
	if (err != E_OK && err != E_NOENT) {
		log_error("members-lost",
			  "reason=%s action=\"members are those that the catalogs list\"",
			  log_quote(em.text, quoted, sizeof(quoted)));
	}
	file_view_clear(&view);
}

static void print_member(struct buf *out, const struct member *m)
{
	uint8_t label[DNAME_LABEL_MAX + 2] = { 0 };
	char hex[2 * 255];
	memcpy(label, m->label, 1U + m->label[0]);
	dname_print(out, m->zone);
	buf_char(out, ' ');
	dname_print(out, m->catalog);
	buf_char(out, ' ');
	dname_print(out, label);
	buf_char(out, ' ');
	if (m->group == NULL) {
		buf_char(out, '-');
	} else {
		text_to_hex(m->group + 1, m->group[0], hex);
		buf_add(out, hex, 2U * m->group[0]);
	}
	buf_char(out, '\n');
}

int catalogs_keep(struct catalogs *c, struct errmsg *em)
{
	struct buf text = { 0 };
	buf_str(&text, head);
	for (size_t i = 0; i < c->count; i++) {
		print_member(&text, &c->members[i]);
	}
	int err = file_write(c->path, 0600, text.data, text.len, em);
	buf_clear(&text);
	c->forgotten_count = 0;
	arena_reset(&c->forgotten_arena);
	return err;
}

/* --- life ------------------------------------------------------------------------------------ */

struct catalogs *catalogs_new(const char *database)
{
	struct catalogs *c = mem_zalloc(sizeof(*c));
	struct buf path = { 0 };
	buf_printf(&path, "%s/" CATALOGS_FILE, database);
	c->path = mem_str(path.data, path.len);
	buf_clear(&path);
	read_members(c);
	return c;
}

static void seen_clear(struct seen *s)
{
	version_unref(s->version);
	mem_free(s->why);
}

void catalogs_free(struct catalogs *c)
{
	if (c == NULL) {
		return;
	}
	for (size_t i = 0; i < c->seen_count; i++) {
		seen_clear(&c->seen[i]);
	}
	mem_free(c->seen);
	mem_free(c->members);
	mem_free(c->forgotten);
	arena_clear(&c->arena);
	arena_clear(&c->forgotten_arena);
	mem_free(c->path);
	mem_free(c);
}

/* --- what the catalogs list ------------------------------------------------------------------ */

/* A consumer's catalog as it is now. */
struct view {
	const struct config_zone *config;
	struct catalog catalog;
	uint32_t serial;
	bool is_known; /* it is there, and not broken */
	bool is_new;   /* it was not looked at before */
	size_t added, removed, reset, moved, clashes;
};

struct look {
	struct catalogs *c;
	const struct config *config;
	struct view *views; /* in the order of the configuration */
	struct view **by_name;
	size_t view_count;
	struct member *next;
	size_t count, cap;
	struct arena arena;
};

static int compare_views(const void *a, const void *b)
{
	const struct view *x = *(struct view *const *)a;
	const struct view *y = *(struct view *const *)b;
	return dname_compare(x->config->name, y->config->name);
}

/* The catalog @name, whatever is known of it; NULL: it is none of ours. */
static struct view *find_view(const struct look *l, const uint8_t *name)
{
	const struct config_zone config = { .name = name };
	struct view wanted = { .config = &config };
	struct view *key = &wanted;
	struct view **found = l->view_count != 0 ? bsearch(&key, l->by_name, l->view_count,
							   sizeof(struct view *), compare_views)
						 : NULL;
	return found != NULL ? *found : NULL;
}

static struct seen *find_seen(const struct catalogs *c, const uint8_t *apex)
{
	for (size_t i = 0; i < c->seen_count; i++) {
		if (dname_equal(c->seen[i].apex.wire, apex)) {
			return &c->seen[i];
		}
	}
	return NULL;
}

static struct version *version_of(const struct zoneset *zones, const uint8_t *apex)
{
	struct zone *z = zones != NULL ? zoneset_get(zones, apex) : NULL;
	struct version *v = NULL;
	if (z != NULL) {
		epoch_online();
		v = epoch_read(&z->current);
		v = v != NULL ? version_ref(v) : NULL;
		epoch_offline();
	}
	return v;
}

static void log_broken(const struct view *view, const char *why)
{
	struct zone_text name;
	char quoted[700];
	log_error("catalog-broken",
		  "zone=%s serial=%u reason=%s action=\"its members stay as they are\"",
		  zone_text(view->config->name, &name), view->serial,
		  log_quote(why, quoted, sizeof(quoted)));
}

static void read_view(struct look *l, struct view *view, const struct zoneset *zones)
{
	struct catalogs *c = l->c;
	struct errmsg em = { "" };
	struct version *v = version_of(zones, view->config->name);
	struct seen *s = find_seen(c, view->config->name);
	if (v == NULL) {
		return;
	}
	if (s == NULL) {
		c->seen = mem_realloc(c->seen, c->seen_count + 1, sizeof(*c->seen));
		s = &c->seen[c->seen_count++];
		*s = (struct seen){ 0 };
		dname_set(&s->apex, view->config->name);
	}
	view->is_new = s->version != v;
	view->serial = v->serial;
	view->is_known = catalog_read(v, &view->catalog, &em) == E_OK;
	if (view->is_new && !view->is_known) {
		log_broken(view, em.text);
	}
	seen_clear(s);
	s->version = v;
	s->why = view->is_known ? NULL : mem_str(em.text, strlen(em.text));
}

static void read_views(struct look *l, const struct zoneset *zones)
{
	const struct config *config = l->config;
	for (size_t i = 0; i < config->zone_count; i++) {
		l->view_count += config->zones[i].catalog_role == CONFIG_CATALOG_CONSUMER;
	}
	l->views = mem_array(l->view_count + 1, sizeof(*l->views));
	l->by_name = mem_array(l->view_count + 1, sizeof(struct view *));
	struct view *view = l->views;
	for (size_t i = 0; i < config->zone_count; i++) {
		if (config->zones[i].catalog_role == CONFIG_CATALOG_CONSUMER) {
			view->config = &config->zones[i];
			read_view(l, view, zones);
			l->by_name[view - l->views] = view;
			view++;
		}
	}
	qsort(l->by_name, l->view_count, sizeof(struct view *), compare_views);
}

/* --- the rules ------------------------------------------------------------------------------- */

static struct member *append(struct look *l, const struct member *m)
{
	if (l->count == l->cap) {
		l->cap = l->cap != 0 ? l->cap * 2 : 64;
		l->next = mem_realloc(l->next, l->cap, sizeof(*l->next));
	}
	l->next[l->count] = *m;
	return &l->next[l->count++];
}

/* What is kept of the zone is of before. */
static void forget(struct catalogs *c, const uint8_t *zone)
{
	if (c->forgotten_count == c->forgotten_cap) {
		c->forgotten_cap = c->forgotten_cap != 0 ? c->forgotten_cap * 2 : 64;
		c->forgotten = mem_realloc(c->forgotten, c->forgotten_cap, sizeof(const uint8_t *));
	}
	c->forgotten[c->forgotten_count++] = arena_dup(&c->forgotten_arena, zone, dname_len(zone));
}

/* Which template is @group's; NULL: no own one. */
static const struct config_zone *template_of_group(const struct config_zone *catalog,
						   const uint8_t *group)
{
	const struct config_groups *g = &catalog->catalog_groups;
	for (size_t i = 0; i < g->count && group != NULL; i++) {
		if (strlen(g->list[i].name) == group[0] &&
		    memcmp(g->list[i].name, group + 1, group[0]) == 0) {
			return g->list[i].template;
		}
	}
	return NULL;
}

/* The first of its groups that stands for something; NULL: none does. */
static const uint8_t *group_of(const struct config_zone *catalog, const struct catalog_member *e)
{
	const uint8_t *group = e->groups.octets;
	for (size_t at = 0; at < e->groups.len; at += 1U + group[at]) {
		if (template_of_group(catalog, group + at) != NULL) {
			return group + at;
		}
	}
	return NULL;
}

static bool same_label(const uint8_t *a, const uint8_t *b)
{
	uint8_t lower[DNAME_LABEL_MAX + 1];
	for (unsigned i = 0; i <= a[0]; i++) {
		lower[i] = text_lower[a[i]];
	}
	for (unsigned i = 0; i <= b[0]; i++) {
		if (lower[i] != text_lower[b[i]]) { /* ends with the length, if that differs */
			return false;
		}
	}
	return true;
}

/* @m is what @view's catalog says by @e from now on. */
static void take_over(struct look *l, struct member *m, struct view *view,
		      const struct catalog_member *e)
{
	if (m->label == NULL || !same_label(m->label, e->label)) {
		if (m->label != NULL) {
			forget(l->c, m->zone);
			view->reset++;
		}
		m->id = ++l->c->last_id;
	}
	m->catalog = view->config->name;
	m->label = e->label;
	m->group = group_of(view->config, e);
}

static void log_member(const struct member *m, const char *event, const char *why)
{
	struct zone_text zone;
	struct zone_text catalog;
	log_info(event, "zone=%s catalog=%s reason=\"%s\"", zone_text(m->zone, &zone),
		 zone_text(m->catalog, &catalog), why);
}

/* What becomes of a member that there is. */
static void go_on(struct look *l, const struct member *before)
{
	struct member m = *before;
	struct view *view = find_view(l, m.catalog);
	const struct catalog_member *e =
		view != NULL && view->is_known ? catalog_find(&view->catalog, m.zone) : NULL;
	if (config_find_zone(l->config, m.zone) != NULL) {
		log_member(&m, "member-left", "the configuration has the zone");
		return;
	}
	if (view == NULL || (view->is_known && e == NULL)) {
		log_member(&m, "member-removed",
			   view == NULL ? "the configuration has no such catalog any more"
					: "its catalog lists it no more");
		forget(l->c, m.zone);
		if (view != NULL) {
			view->removed++;
		}
		return;
	}
	if (e != NULL) {
		take_over(l, &m, view, e);
	}
	(void)append(l, &m);
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;
	int order = dname_compare(x->zone, y->zone);
	return order != 0 ? order : x->id < y->id ? -1 : x->id > y->id;
}

static struct member *find_member(const struct member *members, size_t count, const uint8_t *zone)
{
	size_t low = 0;
	size_t high = count;
	while (low < high) {
		const size_t at = (low + high) / 2;
		const int order = dname_compare(members[at].zone, zone);
		if (order == 0) {
			return (struct member *)(uintptr_t)&members[at];
		}
		low = order < 0 ? at + 1 : low;
		high = order < 0 ? high : at;
	}
	return NULL;
}

static void clash(struct view *view, const uint8_t *zone, const uint8_t *owner)
{
	struct zone_text name;
	struct zone_text catalog;
	struct zone_text of;
	view->clashes++;
	if (view->is_new && view->clashes <= CLASHES_TOLD) {
		log_warn("member-clash", "zone=%s catalog=%s stays=%s%s", zone_text(zone, &name),
			 zone_text(view->config->name, &catalog),
			 owner != NULL ? "of=" : "\"in the configuration\"",
			 owner != NULL ? zone_text(owner, &of) : "");
	}
}

/* What @view's catalog lists and is not there yet; of several catalogs, the first gets the lesser id. */
static void add_new(struct look *l, struct view *view, size_t before)
{
	for (size_t i = 0; i < view->catalog.count; i++) {
		const struct catalog_member *e = &view->catalog.members[i];
		const struct member *is = find_member(l->next, before, e->zone);
		if (config_find_zone(l->config, e->zone) != NULL) {
			clash(view, e->zone, NULL);
		} else if (is == NULL) {
			struct member m = { .zone = e->zone };
			take_over(l, &m, view, e);
			(void)append(l, &m);
		} else if (!dname_equal(is->catalog, view->config->name) &&
			   (e->coo == NULL || !dname_equal(e->coo, is->catalog))) {
			clash(view, e->zone, is->catalog);
		}
	}
}

static bool gives(const struct catalog_member *e, const uint8_t *catalog)
{
	return e->coo != NULL && dname_equal(e->coo, catalog);
}

/* Of a zone that several list, the first stays. */
static void settle(struct look *l)
{
	size_t count = 0;
	if (l->count != 0) {
		qsort(l->next, l->count, sizeof(*l->next), compare_members);
	}
	for (size_t i = 0; i < l->count; i++) {
		const struct member *m = &l->next[i];
		if (count != 0 && dname_equal(l->next[count - 1].zone, m->zone)) {
			struct view *view = find_view(l, m->catalog);
			const struct catalog_member *e = catalog_find(&view->catalog, m->zone);
			const struct view *owner = find_view(l, l->next[count - 1].catalog);
			const struct catalog_member *f = catalog_find(&owner->catalog, m->zone);
			if (!gives(f, m->catalog) && !gives(e, owner->config->name)) {
				clash(view, m->zone, l->next[count - 1].catalog);
			}
			continue;
		}
		struct view *view = find_view(l, m->catalog);
		view->added += find_member(l->c->members, l->c->count, m->zone) == NULL;
		l->next[count++] = *m;
	}
	l->count = count;
}

/* Its owner gives it away, and the one that is to have it lists it, and does not give it back. */
static void move(struct look *l, struct member *m)
{
	const struct view *from = find_view(l, m->catalog);
	const struct catalog_member *e =
		from->is_known ? catalog_find(&from->catalog, m->zone) : NULL;
	struct view *to = e != NULL && e->coo != NULL ? find_view(l, e->coo) : NULL;
	const struct catalog_member *f = to != NULL && to != from && to->is_known
						 ? catalog_find(&to->catalog, m->zone)
						 : NULL;
	if (f == NULL || gives(f, m->catalog)) {
		return;
	}
	const bool is_same = same_label(m->label, f->label);
	take_over(l, m, to, f);
	to->moved++;
	log_member(m, "member-moved",
		   is_same ? "coo; what is kept of it stays"
			   : "coo; with another label, it begins anew");
}

static void log_view(const struct view *view)
{
	struct zone_text name;
	if (view->is_known && view->is_new) {
		log_notice(
			"catalog-taken",
			"zone=%s serial=%u members=%zu added=%zu removed=%zu reset=%zu moved=%zu "
			"clashes=%zu",
			zone_text(view->config->name, &name), view->serial, view->catalog.count,
			view->added, view->removed, view->reset, view->moved, view->clashes);
	}
}

/* --- looking --------------------------------------------------------------------------------- */

static bool same_group(const uint8_t *a, const uint8_t *b)
{
	return a == NULL || b == NULL ? a == b : a[0] == b[0] && memcmp(a, b, 1U + a[0]) == 0;
}

static bool is_same(const struct look *l)
{
	const struct catalogs *c = l->c;
	bool same = l->count == c->count;
	for (size_t i = 0; i < l->count && same; i++) {
		const struct member *a = &c->members[i];
		const struct member *b = &l->next[i];
		same = a->id == b->id && dname_equal(a->zone, b->zone) &&
		       dname_equal(a->catalog, b->catalog) && same_group(a->group, b->group);
	}
	return same;
}

/* The members of @l are those of its catalogs from now on, with memory of their own. */
static void take(struct look *l)
{
	struct catalogs *c = l->c;
	for (size_t i = 0; i < l->count; i++) {
		struct member *m = &l->next[i];
		m->zone = arena_dup(&l->arena, m->zone, dname_len(m->zone));
		/* One name for many. */
		m->catalog = i != 0 && dname_equal(m->catalog, m[-1].catalog)
				     ? m[-1].catalog
				     : arena_dup(&l->arena, m->catalog, dname_len(m->catalog));
		m->label = arena_dup(&l->arena, m->label, 1U + m->label[0]);
		m->group =
			m->group != NULL ? arena_dup(&l->arena, m->group, 1U + m->group[0]) : NULL;
	}
	arena_clear(&c->arena);
	mem_free(c->members);
	c->arena = l->arena;
	c->members = l->next;
	c->count = l->count;
	l->arena = (struct arena){ 0 };
	l->next = NULL;
}

/* Catalogs that the configuration has no more. */
static void drop_seen(struct look *l)
{
	struct catalogs *c = l->c;
	for (size_t i = 0; i < c->seen_count;) {
		if (find_view(l, c->seen[i].apex.wire) == NULL) {
			seen_clear(&c->seen[i]);
			c->seen[i] = c->seen[--c->seen_count];
		} else {
			i++;
		}
	}
}

bool catalogs_look(struct catalogs *c, const struct config *config, const struct zoneset *zones)
{
	struct look l = { .c = c, .config = config };
	read_views(&l, zones);
	drop_seen(&l);
	for (size_t i = 0; i < c->count; i++) {
		go_on(&l, &c->members[i]);
	}
	const size_t before = l.count;
	for (size_t i = 0; i < l.view_count; i++) {
		add_new(&l, &l.views[i], before);
	}
	settle(&l);
	for (size_t i = 0; i < l.count; i++) {
		move(&l, &l.next[i]);
	}
	const bool changed = !is_same(&l);
	take(&l);
	for (size_t i = 0; i < l.view_count; i++) {
		log_view(&l.views[i]);
		catalog_clear(&l.views[i].catalog);
	}
	mem_free(l.views);
	mem_free(l.by_name);
	return changed;
}

struct config *catalogs_config(const struct catalogs *c, struct config *config)
{
	struct config_member *members = mem_array(c->count, sizeof(*members));
	for (size_t i = 0; i < c->count; i++) {
		const struct member *m = &c->members[i];
		const struct config_zone *catalog = config_find_zone(config, m->catalog);
		const struct config_zone *template = template_of_group(catalog, m->group);
		members[i] = (struct config_member){
			.zone = m->zone,
			.catalog = m->catalog,
			.template = template != NULL ? template : catalog->catalog_template,
			.id = m->id
		};
	}
	struct config *made = config_with_members(config, members, c->count);
	mem_free(members);
	return made;
}

const uint8_t *const *catalogs_forgotten(const struct catalogs *c, size_t *count)
{
	*count = c->forgotten_count;
	return c->forgotten;
}

const char *catalogs_why_broken(const struct catalogs *c, const uint8_t *apex)
{
	const struct seen *s = find_seen(c, apex);
	return s != NULL ? s->why : NULL;
}

size_t catalogs_count(const struct catalogs *c, const uint8_t *apex)
{
	size_t count = 0;
	for (size_t i = 0; i < c->count; i++) {
		count += dname_equal(c->members[i].catalog, apex);
	}
	return count;
}

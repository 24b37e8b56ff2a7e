/* test/unit/server/catalogs_test.c - what becomes of members when catalogs change: a scenario a row, each step a line.
 *
 *     CATALOG MEMBER=LABEL[/GROUP][>COO] ...    this catalog lists that from now on; "!" alone: it is broken
 *
 * What is expected are the members as they are then, "MEMBER CATALOG LABEL TEMPLATE", and behind "-" what was forgotten. */
#include "server/catalogs.h"

#include <unistd.h>

#include "test/unit/server/keeper_kit.h"
#include "zones/base/epoch.h"

static const char configuration[] =
	"server: { database: db, control: \"\" }\n"
	"remotes: [ { name: r, addresses: 192.0.2.1 } ]\n"
	"templates: [ { name: t, primaries: r }, { name: u, primaries: r } ]\n"
	"zones:\n"
	"  - { name: a.cat, primaries: r, catalog-role: consumer, catalog-template: t, catalog-groups: { g: u } }\n"
	"  - { name: b.cat, primaries: r, catalog-role: consumer, catalog-template: t, catalog-groups: { g: u } }\n"
	"  - { name: own, primaries: r }\n";

static const struct {
	const char *name;
	const char *steps[8]; /* and what is found, in turn */
} rows[] = {
	{ "come and go",
	  { "a.cat x=1 y=2", "x. a.cat. 1 t.,y. a.cat. 2 t.-", "a.cat y=2", "y. a.cat. 2 t.-x.",
	    "a.cat", "-y." } },
	{ "another label", { "a.cat x=1", "x. a.cat. 1 t.-", "a.cat x=2", "x. a.cat. 2 t.-x." } },
	{ "case is no other label",
	  { "a.cat X=l", "X. a.cat. l t.-", "a.cat x=L", "X. a.cat. L t.-" } },
	{ "groups",
	  { "a.cat x=1/h y=2/g", "x. a.cat. 1 t.,y. a.cat. 2 u.-", "a.cat x=1/g y=2/G",
	    "x. a.cat. 1 u.,y. a.cat. 2 t.-" } },
	{ "broken changes nothing",
	  { "a.cat x=1", "x. a.cat. 1 t.-", "a.cat !", "x. a.cat. 1 t.-", "a.cat y=1",
	    "y. a.cat. 1 t.-x." } },
	{ "the first stays",
	  { "a.cat x=1", "x. a.cat. 1 t.-", "b.cat x=1", "x. a.cat. 1 t.-", "a.cat",
	    "x. b.cat. 1 t.-x." } },
	{ "what is configured is none", { "a.cat own=1 x=2", "x. a.cat. 2 t.-" } },
	{ "a catalog is no member", { "a.cat b.cat=1 a.cat=2", "-" } },
	{ "coo with the same label",
	  { "a.cat x=1", "x. a.cat. 1 t.-", "b.cat x=1/g", "x. a.cat. 1 t.-", "a.cat x=1>b.cat",
	    "x. b.cat. 1 u.-", "a.cat", "x. b.cat. 1 u.-" } },
	{ "coo with another label",
	  { "a.cat x=1", "x. a.cat. 1 t.-", "b.cat x=2", "x. a.cat. 1 t.-", "a.cat x=1>b.cat",
	    "x. b.cat. 2 t.-x." } },
	{ "coo before the other has it",
	  { "a.cat x=1>b.cat", "x. a.cat. 1 t.-", "b.cat x=1", "x. b.cat. 1 t.-" } },
	{ "coo to nobody, and to itself",
	  { "a.cat x=1>c.cat y=2>a.cat", "x. a.cat. 1 t.,y. a.cat. 2 t.-" } },
	{ "nobody gives to and fro",
	  { "a.cat x=1>b.cat", "x. a.cat. 1 t.-", "b.cat x=2>a.cat", "x. a.cat. 1 t.-" } },
	{ "a broken catalog gives nothing",
	  { "a.cat x=1", "x. a.cat. 1 t.-", "b.cat x=1", "x. a.cat. 1 t.-", "a.cat !",
	    "x. a.cat. 1 t.-" } },
};

struct world {
	struct catalogs *catalogs;
	struct config *config;
	struct zoneset *zones;
	struct zone *a, *b;
};

static void add(struct edit *e, const char *apex, const char *owner, uint16_t type,
		const char *text)
{
	struct dname origin;
	struct dname name;
	uint8_t rdata[600];
	struct writer w = writer_of(rdata, sizeof(rdata));
	ck_assert_int_eq(dname_from_text(&origin, apex, strlen(apex), dname_root, NULL), E_OK);
	ck_assert_int_eq(dname_from_text(&name, owner, strlen(owner), origin.wire, NULL), E_OK);
	ck_assert_int_eq(rdata_from_string(type, text, dname_root, &w, NULL), E_OK);
	ck_assert_int_eq(edit_add(e, name.wire, type, 0, rdata, writer_len(&w)), E_OK);
}

static void add_member(struct edit *e, const char *apex, char *word)
{
	char owner[200];
	char *label = strchr(word, '=');
	*label++ = '\0';
	char *coo = strchr(label, '>');
	if (coo != NULL) {
		*coo++ = '\0';
	}
	char *group = strchr(label, '/');
	if (group != NULL) {
		*group++ = '\0';
		(void)snprintf(owner, sizeof(owner), "group.%s.zones", label);
		add(e, apex, owner, RRTYPE_TXT, group);
	}
	if (coo != NULL) {
		(void)snprintf(owner, sizeof(owner), "coo.%s.zones", label);
		add(e, apex, owner, RRTYPE_PTR, coo);
	}
	(void)snprintf(owner, sizeof(owner), "%s.zones", label);
	add(e, apex, owner, RRTYPE_PTR, word);
}

static void take_step(struct world *w, const char *step)
{
	char copy[300];
	char *rest = NULL;
	(void)snprintf(copy, sizeof(copy), "%s", step);
	const char *apex = strtok_r(copy, " ", &rest);
	struct zone *z = apex[0] == 'a' ? w->a : w->b;
	struct edit *e = edit_begin(NULL, z->apex, EDIT_TTL_LAST);
	add(e, apex, "@", RRTYPE_SOA, ". . 1 1 1 1 0");
	bool is_broken = false;
	for (char *word = strtok_r(NULL, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		is_broken = word[0] == '!';
		if (!is_broken) {
			add_member(e, apex, word);
		}
	}
	add(e, apex, "version", RRTYPE_TXT, is_broken ? "1" : "2");
	version_unref(zone_publish(z, edit_commit(e)));
}

static void print(const struct world *w, struct buf *out)
{
	size_t count = 0;
	struct config *c = catalogs_config(w->catalogs, w->config);
	const uint8_t *const *forgotten = catalogs_forgotten(w->catalogs, &count);
	char label[DNAME_TEXT_MAX];
	char line[600];
	char path[200];
	bool is_first = true;
	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *z = &c->zones[i];
		if (z->member_of != NULL) {
			buf_str(out, is_first ? "" : ",");
			dname_print(out, z->name);
			buf_char(out, ' ');
			dname_print(out, z->member_of);
			/* The label is in the file only. */
			(void)snprintf(path, sizeof(path), "%s/" CATALOGS_FILE, kept_directory);
			FILE *f = fopen(path, "re");
			label[0] = '\0';
			for (size_t n = 0; f != NULL && fgets(line, sizeof(line), f) != NULL;) {
				if (line[0] != '#' && n++ == i - w->config->zone_count) {
					ck_assert_int_eq(sscanf(line, "%*s %*s %1023s", label), 1);
				}
			}
			if (f != NULL) {
				(void)fclose(f);
			}
			buf_printf(out, " %.*s ", (int)strlen(label) - 1, label);
			dname_print(out, z->template_name);
			is_first = false;
		}
	}
	buf_char(out, '-');
	for (size_t i = 0; i < count; i++) {
		dname_print(out, forgotten[i]);
	}
	config_free(c);
}

static void begin(struct world *w)
{
	const struct config_source source = { .path = "signet.yaml",
					      .data = configuration,
					      .len = sizeof(configuration) - 1,
					      .only_text = true };
	struct findings findings = { 0 };
	struct dname name;
	epoch_register();
	epoch_offline();
	ck_assert_int_eq(config_parse(&source, &w->config, &findings), E_OK);
	findings_clear(&findings);
	w->catalogs = catalogs_new(kept_directory);
	w->zones = zoneset_new();
	kit_name("a.cat.", &name);
	w->a = zone_new(name.wire);
	kit_name("b.cat.", &name);
	w->b = zone_new(name.wire);
	ck_assert(zoneset_add(w->zones, w->a) == E_OK && zoneset_add(w->zones, w->b) == E_OK);
}

static void end(struct world *w)
{
	catalogs_free(w->catalogs);
	zoneset_free(w->zones);
	zone_free(w->a);
	zone_free(w->b);
	config_free(w->config);
	epoch_unregister();
}

/* Each step again after a restart that has its catalogs too: nothing more happens. */
START_TEST(members_are_as_the_catalogs_say)
{
	struct world w = { 0 };
	struct errmsg em;
	begin(&w);
	for (size_t i = 0; i + 1 < ARRAY_LEN(rows[0].steps) && rows[_i].steps[i] != NULL; i += 2) {
		struct buf found = { 0 };
		struct buf forgotten = { 0 };
		take_step(&w, rows[_i].steps[i]);
		(void)catalogs_look(w.catalogs, w.config, w.zones);
		size_t count = 0;
		const uint8_t *const *names = catalogs_forgotten(w.catalogs, &count);
		for (size_t k = 0; k < count; k++) {
			dname_print(&forgotten, names[k]);
		}
		ck_assert_int_eq(catalogs_keep(w.catalogs, &em), E_OK);
		print(&w, &found);
		buf_add(&found, forgotten.data, forgotten.len);
		buf_str(&found, "");
		ck_assert_msg(strcmp(found.data, rows[_i].steps[i + 1]) == 0, "%s: step %zu: %s",
			      rows[_i].name, i / 2, found.data);
		buf_clear(&found);
		buf_clear(&forgotten);
		ck_assert(!catalogs_look(w.catalogs, w.config, w.zones));
		catalogs_free(w.catalogs);
		w.catalogs = catalogs_new(kept_directory);
		ck_assert(!catalogs_look(w.catalogs, w.config, NULL));
		ck_assert(!catalogs_look(w.catalogs, w.config, w.zones));
	}
	end(&w);
}
END_TEST

/* A file that is none is said so; the catalogs have it all. */
START_TEST(a_file_of_nonsense)
{
	static const char *const texts[] = { "x.\n",
					     "x. a.cat. 1\n",
					     "x a.cat. 1. -\n",
					     "x. a.cat. 1.2. -\n",
					     "x. a.cat. 1. zz\n",
					     "y. a.cat. 1. -\nx. a.cat. 2. -\n",
					     "x. a.cat. 1. -\nx. a.cat. 1. -\n",
					     "\n" };
	log_open(LOG_TO_STDERR, LOG_LEVEL_ERROR, false, "test");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct world w = { 0 };
		char path[200];
		kept_path(path, sizeof(path), CATALOGS_FILE);
		FILE *f = fopen(path, "we");
		ck_assert(f != NULL && fputs(texts[i], f) >= 0 && fclose(f) == 0);
		begin(&w);
		struct dname apex;
		kit_name("a.cat.", &apex);
		ck_assert_msg(catalogs_count(w.catalogs, apex.wire) == 0, "%s", texts[i]);
		take_step(&w, "a.cat x=1");
		ck_assert(catalogs_look(w.catalogs, w.config, w.zones));
		ck_assert_uint_eq(catalogs_count(w.catalogs, apex.wire), 1);
		end(&w);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("catalogs");
	tcase_add_checked_fixture(tc, kept_setup, kept_teardown);
	tcase_add_loop_test(tc, members_are_as_the_catalogs_say, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, a_file_of_nonsense);
	return unit_run("server/catalogs", tc);
}

/* test/unit/zones/catalog_test.c - what a catalog zone lists, what breaks it (RFC 9432), and one that is made. */
#include "zones/catalog.h"

#include "test/unit/zones/zone_kit.h"
#include "zones/base/mem.h"

#define APEX "cat.example."

static void add_line(struct edit *e, const char *line)
{
	char first[100];
	char owner[300];
	char type_text[20];
	char rdata[400];
	uint16_t type = 0;
	ck_assert_int_eq(sscanf(line, "%99s %19s %399[^\n]", first, type_text, rdata), 3);
	ck_assert_int_eq(rrtype_from_text(type_text, strlen(type_text), &type), E_OK);
	(void)snprintf(owner, sizeof(owner), "%s%s" APEX, first[0] == '@' ? "" : first,
		       first[0] == '@' ? "" : ".");
	kit_add(e, owner, type, 0, rdata);
}

/* A catalog of @lines, each "owner type rdata" with owners below the apex. */
static struct version *catalog_of(const char *lines)
{
	struct dname apex;
	kit_name(APEX, &apex);
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LAST);
	add_line(e, "@ SOA invalid. invalid. 1 3600 600 2147483647 0");
	add_line(e, "@ NS invalid.");
	while (*lines != '\0') {
		add_line(e, lines);
		lines += strcspn(lines, "\n");
		lines += *lines == '\n';
	}
	ck_assert_int_eq(edit_error(e, NULL), E_OK);
	return edit_commit(e);
}

static void print_groups(struct buf *out, const struct catalog_groups *g)
{
	for (size_t at = 0; at < g->len; at += 1U + g->octets[at]) {
		buf_printf(out, " %.*s", g->octets[at], (const char *)g->octets + at + 1);
	}
}

/* "zone label group... >coo" a line; "broken: why" when it is. */
static char *read_text(const struct version *v)
{
	struct catalog c;
	struct errmsg em = { "" };
	struct buf out = { 0 };
	int err = catalog_read(v, &c, &em);
	buf_str(&out, "");
	if (err != E_OK) {
		ck_assert_int_eq(err, E_CHECK);
		ck_assert_uint_eq(c.count, 0);
		buf_printf(&out, "broken: %s", em.text);
	}
	for (size_t i = 0; i < c.count; i++) {
		const struct catalog_member *m = &c.members[i];
		ck_assert_ptr_eq(catalog_find(&c, m->zone), m);
		dname_print(&out, m->zone);
		buf_printf(&out, " %.*s", m->label[0], (const char *)m->label + 1);
		print_groups(&out, &m->groups);
		if (m->coo != NULL) {
			buf_str(&out, " >");
			dname_print(&out, m->coo);
		}
		buf_char(&out, '\n');
	}
	catalog_clear(&c);
	char *text = mem_str(out.data, out.len);
	buf_clear(&out);
	return text;
}

static const struct {
	const char *name, *lines, *found;
} rows[] = {
	{ "no members", "version TXT \"2\"", "" },
	{ "an empty node of members is none", "version TXT \"2\"\nzones TXT x", "" },
	{ "of any name", "VERSION TXT \"2\"\na.ZONES PTR Example.COM.\nb.zones PTR .",
	  ". b\nExample.COM. a\n" },
	{ "sorted by zone", "version TXT 2\na.zones PTR z.\nb.zones PTR a.z.\nc.zones PTR b.",
	  "b. c\nz. a\na.z. b\n" },
	{ "labels of any octets", "version TXT 2\n\\200\\.x.zones PTR a.", "a. \310.x\n" },
	{ "groups",
	  "version TXT 2\na.zones PTR a.\ngroup.a.zones TXT \"one\"\nGroup.a.zones TXT two",
	  "a. a one two\n" },
	{ "a group of two texts is none",
	  "version TXT 2\na.zones PTR a.\ngroup.a.zones TXT \"one\" \"two\"", "a. a\n" },
	{ "change of ownership",
	  "version TXT 2\na.zones PTR a.\nCOO.a.zones PTR other.\nb.zones PTR b.",
	  "a. a >other.\nb. b\n" },
	{ "properties of nobody",
	  "version TXT 2\ngroup.b.zones TXT x\ncoo.b.zones PTR x.\ncoo.b.zones PTR y.", "" },
	{ "what else there is does not matter",
	  "version TXT 2\na.zones PTR a.\na.zones TXT x\nfoo.a.zones PTR b.\nfoo.a.zones PTR c.\n"
	  "x.ext.a.zones A 192.0.2.1\next TXT x\nversion A 192.0.2.1\nzones PTR x.\nb.zonesx PTR b.\n"
	  "coo.group.a.zones PTR x.\ncoo.group.a.zones PTR y.\na.x.zones PTR q.\nc.zones TXT x",
	  "a. a\n" },
	{ "no version", "a.zones PTR a.",
	  "broken: there is no TXT record \"version\" at cat.example." },
	{ "a version that is no TXT", "version A 192.0.2.1",
	  "broken: there is no TXT record \"version\" at cat.example." },
	{ "another version", "version TXT 3",
	  "broken: the version is not \"2\" at version.cat.example." },
	{ "version of the drafts", "version TXT 1",
	  "broken: the version is not \"2\" at version.cat.example." },
	{ "version with something behind", "version TXT 2 \"\"",
	  "broken: the version is not \"2\" at version.cat.example." },
	{ "two versions", "version TXT 2\nversion TXT 1",
	  "broken: there is more than one TXT record at version.cat.example." },
	{ "a member of two names", "version TXT 2\na.zones PTR a.\na.zones PTR b.",
	  "broken: there is more than one PTR record at a.zones.cat.example." },
	{ "a member twice", "version TXT 2\na.zones PTR X.\nb.zones PTR y.\nc.zones PTR X.",
	  "broken: the zone X. is listed twice" },
	{ "two owners", "version TXT 2\na.zones PTR a.\ncoo.a.zones PTR b.\ncoo.a.zones PTR c.",
	  "broken: there is more than one PTR record at coo.a.zones.cat.example." },
};

START_TEST(what_is_listed)
{
	struct version *v = catalog_of(rows[_i].lines);
	char *found = read_text(v);
	ck_assert_msg(strcmp(found, rows[_i].found) == 0, "%s: %s", rows[_i].name, found);
	mem_free(found);
	version_unref(v);
}
END_TEST

START_TEST(what_is_made_reads_back)
{
	struct dname apex;
	struct dname a;
	struct dname b;
	struct dname other;
	struct version *v = NULL;
	struct version *again = NULL;
	struct errmsg em;
	kit_name(APEX, &apex);
	kit_name("a.example.", &a);
	kit_name("b.example.", &b);
	kit_name("other.example.", &other);
	const struct catalog_member members[] = {
		{ b.wire, (const uint8_t *)"\1x", NULL, { (const uint8_t *)"\3one\3two", 8 } },
		{ a.wire, (const uint8_t *)"\1y", other.wire, { NULL, 0 } },
	};
	ck_assert_int_eq(catalog_make(apex.wire, 7, members, 2, &v, &em), E_OK);
	char *found = read_text(v);
	ck_assert_str_eq(found, "a.example. y >other.example.\nb.example. x one two\n");
	mem_free(found);
	ck_assert_uint_eq(v->serial, 7);
	again = catalog_of(
		"version TXT \"2\"\nx.zones PTR b.example.\ny.zones PTR a.example.\n"
		"group.x.zones TXT one\ngroup.x.zones TXT two\ncoo.y.zones PTR other.example.");
	struct edit *e = edit_begin(again, NULL, EDIT_TTL_LAST);
	ck_assert_int_eq(edit_put_soa(e, again->soa, 7), E_OK);
	version_unref(again);
	again = edit_commit(e);
	ck_assert(kit_equal(v, again)); /* SOA and NS are those of RFC 9432, Appendix A */
	version_unref(v);
	version_unref(again);
}
END_TEST

START_TEST(a_name_that_is_too_long)
{
	struct dname apex = { .len = 0 };
	struct version *v = NULL;
	struct errmsg em = { "" };
	static const uint8_t label[] =
		"\77aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	dname_set(&apex, dname_root);
	for (int i = 0; i < 3; i++) {
		struct dname next;
		ck_assert_int_eq(dname_prepend(&next, label, apex.wire), E_OK);
		apex = next;
	}
	const struct catalog_member m = { .zone = dname_root, .label = label };
	ck_assert_int_eq(catalog_make(apex.wire, 1, &m, 1, &v, &em), E_NAME);
	ck_assert_str_eq(em.text, "the catalog cannot be made: malformed domain name");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("catalog");
	tcase_add_loop_test(tc, what_is_listed, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, what_is_made_reads_back);
	tcase_add_test(tc, a_name_that_is_too_long);
	return unit_run("zones/catalog", tc);
}

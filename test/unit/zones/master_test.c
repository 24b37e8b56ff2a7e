/* test/unit/zones/master_test.c - zone files: what is said of broken ones, what good ones mean.
 *
 * The cases stand in test/data/master: broken.txt says what each message is, good.txt what the zone is in
 * canonical order. Each case is read at once, and in pieces of one octet on two threads. */
#include "zones/master.h"

#include <ctype.h>

#include "test/unit/unit.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/check.h"
#include "zones/dump.h"

#define FOLDER "test/data/master/"

/* For the checks of signatures. */
#define NOW INT64_C(1767225600) /* 2026-01-01 */

/* --- cases ----------------------------------------------------------------------------------- */

struct case_file {
	char *text;
	const char *cases[500];
	size_t count;
};

static struct case_file broken_file, good_file;

static void open_cases(const char *path, struct case_file *f)
{
	struct file_view view;
	struct errmsg em = { "" };
	if (file_read(path, 1 << 20, &view, &em) != E_OK) {
		return; /* and a test says that there are too few */
	}
	f->text = mem_str(view.data, view.len);
	file_view_clear(&view);
	char *at = f->text;
	while ((at = strstr(at, "\n=== ")) != NULL && f->count < ARRAY_LEN(f->cases)) {
		*at = '\0';
		at += 5;
		f->cases[f->count++] = at;
	}
}

/* One case: its text, how to read it, and what is to come out. */
struct sample {
	char name[100];
	struct buf text;
	struct buf expected; /* a line for each */
	struct dname origin;
	bool no_origin;
	bool ignore_outside;
};

static unsigned hex_digit(char c)
{
	return isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* The "}}" for the "{{" just before @s. */
static const char *closing(const char *s, const char *end)
{
	unsigned depth = 1;
	for (; s + 1 < end; s++) {
		bool opens = memcmp(s, "{{", 2) == 0;
		if (!opens && memcmp(s, "}}", 2) != 0) {
			continue;
		}
		depth = opens ? depth + 1 : depth - 1;
		if (depth == 0) {
			return s;
		}
		s++;
	}
	return NULL;
}

/* Replaces what stands in double braces: {{0d}}, {{64*a}}, {{-}}. Two deep is enough. */
static void expand(struct buf *out, const char *s, size_t len, unsigned depth)
{
	const char *end = s + len;
	while (s < end) {
		const char *close =
			end - s > 4 && memcmp(s, "{{", 2) == 0 ? closing(s + 2, end) : NULL;
		if (close == NULL) {
			buf_char(out, *s++);
			continue;
		}
		const char *star = memchr(s, '*', (size_t)(close - s));
		bool repeats = star != NULL && isdigit((unsigned char)s[2]) &&
			       strspn(s + 2, "0123456789") == (size_t)(star - s - 2);
		s += 2;
		if (repeats) {
			ck_assert_uint_lt(depth, 2);
			for (unsigned n = (unsigned)strtoul(s, NULL, 10); n != 0; n--) {
				expand(out, star + 1, (size_t)(close - star - 1), depth + 1);
			}
		} else if (*s == '-') {
			close += close[2] == '\n';
		} else {
			buf_char(out, (char)(hex_digit(s[0]) << 4 | hex_digit(s[1])));
		}
		s = close + 2;
	}
}

/* "@@ ..." behind the title. */
static void read_option(struct sample *s, const char *line, size_t len)
{
	static const char origin[] = "origin ";
	if (len == strlen("no origin") && memcmp(line, "no origin", len) == 0) {
		s->no_origin = true;
	} else if (len == strlen("ignore outside") && memcmp(line, "ignore outside", len) == 0) {
		s->ignore_outside = true;
	} else {
		ck_assert_msg(strncmp(line, origin, strlen(origin)) == 0, "%s: bad option",
			      s->name);
		ck_assert_int_eq(dname_from_text(&s->origin, line + strlen(origin),
						 len - strlen(origin), NULL, NULL),
				 E_OK);
	}
}

static void read_case(const char *at, struct sample *s)
{
	struct buf raw = { 0 };
	*s = (struct sample){ .origin = { 0 } };
	dname_set(&s->origin, (const uint8_t *)"\7example");
	buf_str(&raw, "");
	buf_str(&s->text, "");
	buf_str(&s->expected, "");
	size_t len = strcspn(at, "\n");
	(void)snprintf(s->name, sizeof(s->name), "%.*s", (int)len, at);
	for (at += len + (at[len] == '\n'); *at != '\0'; at += len + (at[len] == '\n')) {
		len = strcspn(at, "\n");
		if (strncmp(at, "--> ", 4) == 0) {
			buf_add(&s->expected, at + 4, len - 4);
			buf_char(&s->expected, '\n');
		} else if (strncmp(at, "@@ ", 3) == 0) {
			read_option(s, at + 3, len - 3);
		} else if (s->expected.len == 0) { /* comments between sections come behind */
			buf_add(&raw, at, len);
			buf_char(&raw, '\n');
		}
	}
	expand(&s->text, raw.data, raw.len, 0);
	buf_clear(&raw);
	len = s->text.len;
	memset(buf_reserve(&s->text, FILE_SLACK), 0, FILE_SLACK);
	s->text.len = len;
}

static void sample_clear(struct sample *s)
{
	buf_clear(&s->text);
	buf_clear(&s->expected);
}

/* --- reading --------------------------------------------------------------------------------- */

/* What was found, a line each, without the folder and the name of the file. */
static void findings_text(const struct findings *f, struct buf *out)
{
	static const char name[] = "zone:";
	for (size_t i = 0; i < f->count; i++) {
		const char *s = f->items[i].text;
		const char *folder;
		buf_str(out, f->items[i].is_error ? "" : "warning: ");
		if (strncmp(s, FOLDER "zone:", strlen(FOLDER "zone:")) == 0) {
			s += strlen(FOLDER) + strlen(name);
			s += *s == ' ';
		}
		while ((folder = strstr(s, FOLDER)) != NULL) {
			buf_add(out, s, (size_t)(folder - s));
			s = folder + strlen(FOLDER);
		}
		buf_str(out, s);
		buf_char(out, '\n');
	}
}

static struct version *read_sample(const struct sample *s, size_t piece, struct findings *f)
{
	const struct master_options opt = { .origin = s->no_origin ? NULL : s->origin.wire,
					    .ignore_outside = s->ignore_outside,
					    .threads = piece == 0 ? 1 : 2,
					    .piece = piece };
	struct edit *e = NULL;
	int err = master_read_memory(FOLDER "zone", s->text.data, s->text.len, &opt, &e, f);
	ck_assert_int_eq(err == E_OK, f->errors == 0);
	ck_assert_int_eq(err == E_OK, e != NULL); /* never a part of a zone */
	return e != NULL ? edit_commit(e) : NULL;
}

static void dump_text(const struct version *v, struct buf *out)
{
	struct version_walk w;
	for (const struct node *n = version_first(v, &w); n != NULL; n = version_next(&w)) {
		dump_node(n, 0, out);
	}
}

/* --- broken ---------------------------------------------------------------------------------- */

static void check_broken(const struct sample *s, size_t piece)
{
	struct findings f = { 0 };
	struct buf said = { 0 };
	struct check_levels levels;
	check_levels_init(&levels);
	struct version *v = read_sample(s, piece, &f);
	if (v != NULL) {
		int err = check_version(v, &levels, NOW, &f);
		ck_assert_int_eq(err == E_OK, f.errors == 0);
		version_unref(v);
	}
	buf_str(&said, "");
	findings_text(&f, &said);
	ck_assert_msg(strcmp(said.data, s->expected.data) == 0,
		      "%s, pieces of %zu: says\n%sexpected\n%s", s->name, piece, said.data,
		      s->expected.data);
	findings_clear(&f);
	buf_clear(&said);
}

START_TEST(broken_files_are_explained)
{
	struct sample s;
	read_case(broken_file.cases[_i], &s);
	ck_assert_msg(s.expected.len != 0, "%s: nothing is expected", s.name);
	check_broken(&s, 0);
	check_broken(&s, 1);
	sample_clear(&s);
}
END_TEST

/* --- good ------------------------------------------------------------------------------------ */

static void check_good(const struct sample *s, size_t piece)
{
	struct findings f = { 0 };
	struct buf said = { 0 };
	struct version *v = read_sample(s, piece, &f);
	buf_str(&said, "");
	findings_text(&f, &said);
	ck_assert_msg(v != NULL, "%s: refused:\n%s", s->name, said.data);
	dump_text(v, &said);
	for (char *tab = said.data; (tab = strchr(tab, '\t')) != NULL;) {
		*tab = ' ';
	}
	ck_assert_msg(strcmp(said.data, s->expected.data) == 0,
		      "%s, pieces of %zu: is\n%sexpected\n%s", s->name, piece, said.data,
		      s->expected.data);
	version_unref(v);
	findings_clear(&f);
	buf_clear(&said);
}

/* What was dumped reads back to the same. */
static void check_again(const struct sample *s)
{
	struct sample again = *s;
	struct findings f = { 0 };
	again.text = (struct buf){ 0 };
	struct version *v = read_sample(s, 0, &f);
	buf_str(&again.text, "");
	dump_text(v, &again.text);
	size_t len = again.text.len;
	memset(buf_reserve(&again.text, FILE_SLACK), 0, FILE_SLACK);
	again.text.len = len;
	version_unref(v);
	findings_clear(&f);
	check_good(&again, 0);
	buf_clear(&again.text);
}

START_TEST(good_files_mean_what_they_say)
{
	struct sample s;
	read_case(good_file.cases[_i], &s);
	ck_assert_msg(s.expected.len != 0, "%s: nothing is expected", s.name);
	check_good(&s, 0);
	check_good(&s, 1);
	if (!s.ignore_outside) { /* else the warning is part of what is expected */
		check_again(&s);
	}
	sample_clear(&s);
}
END_TEST

/* --- the rest -------------------------------------------------------------------------------- */

START_TEST(the_cases_are_there)
{
	ck_assert_uint_ge(broken_file.count, 280);
	ck_assert_uint_ge(good_file.count, 120);
}
END_TEST

/* Without a path there is no folder to look in. */
START_TEST(text_in_memory_includes_no_files)
{
	static const char text[] =
		"$INCLUDE /etc/passwd\n$INCLUDE test/data/master/include/one.zone\n";
	char copy[sizeof(text) + FILE_SLACK] = { 0 };
	const struct master_options opt = { .origin = (const uint8_t *)"\7example" };
	struct findings f = { 0 };
	struct edit *e = NULL;
	memcpy(copy, text, sizeof(text));
	ck_assert_int_eq(master_read_memory(NULL, copy, sizeof(text) - 1, &opt, &e, &f), E_SYNTAX);
	ck_assert_ptr_null(e);
	ck_assert_uint_eq(f.count, 2);
	ck_assert_str_eq(f.items[0].text,
			 "(memory):1:10: found $INCLUDE, expected a zone without other files");
	findings_clear(&f);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
	static const struct {
		const char *path;
		const char *text;
	} rows[] = {
		{ FOLDER "nothing.zone",
		  FOLDER "nothing.zone: cannot open: No such file or directory; check the path" },
		{ FOLDER, FOLDER ": is a directory; name a file" },
	};
	const struct master_options opt = { .origin = (const uint8_t *)"\7example" };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct findings f = { 0 };
		struct edit *e = NULL;
		ck_assert_int_ne(master_read(rows[i].path, &opt, &e, &f), E_OK);
		ck_assert_ptr_null(e);
		ck_assert_uint_eq(f.count, 1);
		ck_assert_str_eq(f.items[0].text, rows[i].text);
		findings_clear(&f);
	}
}
END_TEST

START_TEST(a_default_ttl_is_taken_last)
{
	static const char text[] = "a A 192.0.2.1\n"
				   "b 60 A 192.0.2.2\n"
				   "c A 192.0.2.3\n"
				   "$TTL 30\n"
				   "d A 192.0.2.4\n";
	char copy[sizeof(text) + FILE_SLACK] = { 0 };
	const struct master_options opt = { .origin = (const uint8_t *)"\7example",
					    .default_ttl = 90 };
	struct findings f = { 0 };
	struct buf out = { 0 };
	struct edit *e = NULL;
	memcpy(copy, text, sizeof(text));
	ck_assert_int_eq(master_read_memory(NULL, copy, sizeof(text) - 1, &opt, &e, &f), E_OK);
	struct version *v = edit_commit(e);
	dump_text(v, &out);
	ck_assert_str_eq(out.data, "a.example.\t90\tIN\tA\t192.0.2.1\n"
				   "b.example.\t60\tIN\tA\t192.0.2.2\n"
				   "c.example.\t60\tIN\tA\t192.0.2.3\n"
				   "d.example.\t30\tIN\tA\t192.0.2.4\n");
	version_unref(v);
	buf_clear(&out);
	findings_clear(&f);
}
END_TEST

START_TEST(dnssec_records_can_be_left_out)
{
	static const char text[] =
		"$TTL 60\n"
		"@ DNSKEY 256 3 13 AAAA\n"
		"@ NSEC a A\n"
		"@ RRSIG DNSKEY 13 1 60 20300101000000 20200101000000 1 @ AAAA\n"
		"2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n"
		"@ NSEC3PARAM 1 0 0 -\n"
		"a DS 1 13 2 AB\n";
	char copy[sizeof(text) + FILE_SLACK] = { 0 };
	const struct master_options opt = { .origin = (const uint8_t *)"\7example",
					    .skip_dnssec = true };
	struct findings f = { 0 };
	struct buf out = { 0 };
	struct edit *e = NULL;
	memcpy(copy, text, sizeof(text));
	ck_assert_int_eq(master_read_memory(NULL, copy, sizeof(text) - 1, &opt, &e, &f), E_OK);
	struct version *v = edit_commit(e);
	dump_text(v, &out);
	ck_assert_str_eq(out.data, "example.\t60\tIN\tDNSKEY\t256 3 13 AAAA\n"
				   "example.\t60\tIN\tNSEC3PARAM\t1 0 0 -\n"
				   "a.example.\t60\tIN\tDS\t1 13 2 AB\n");
	version_unref(v);
	buf_clear(&out);
	findings_clear(&f);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("master");
	open_cases(FOLDER "broken.txt", &broken_file);
	open_cases(FOLDER "good.txt", &good_file);
	tcase_add_test(tc, the_cases_are_there);
	tcase_add_loop_test(tc, broken_files_are_explained, 0, (int)broken_file.count);
	tcase_add_loop_test(tc, good_files_mean_what_they_say, 0, (int)good_file.count);
	tcase_add_test(tc, text_in_memory_includes_no_files);
	tcase_add_test(tc, a_file_that_cannot_be_read_is_named);
	tcase_add_test(tc, a_default_ttl_is_taken_last);
	tcase_add_test(tc, dnssec_records_can_be_left_out);
	int status = unit_run("zones/master", tc);
	mem_free(broken_file.text);
	mem_free(good_file.text);
	return status;
}

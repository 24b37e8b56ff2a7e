/* test/unit/zones/findings_test.c - what was found, kept and printed. */
#include "zones/findings.h"

#include <fcntl.h>
#include <unistd.h>

#include "test/unit/unit.h"

static void print(const struct findings *f, const char *prefix)
{
	findings_print(f, prefix);
}

/* As an event of the zone @zone; "": of none. */
static void log_all(const struct findings *f, const char *zone)
{
	findings_log(f, "zone-finding", *zone != '\0' ? zone : NULL);
}

/* What @fn writes to standard error. */
static void written(void (*fn)(const struct findings *f, const char *text),
		    const struct findings *f, const char *prefix, char *out, size_t size)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
	fn(f, prefix);
	(void)dup2(kept, STDERR_FILENO);
	(void)close(kept);
	rewind(file);
	out[fread(out, 1, size - 1, file)] = '\0';
	(void)fclose(file);
}

static void printed(const struct findings *f, const char *prefix, char *out, size_t size)
{
	written(print, f, prefix, out, size);
}

/* Events have their time in front. */
START_TEST(events_each)
{
	struct findings f = { 0 };
	char text[40 * 200];
	ck_assert_ptr_null(findings_first_error(&f, NULL));
	findings_add(&f, false, "zone:4: odd");
	ck_assert_ptr_null(findings_first_error(&f, NULL));
	findings_add(&f, true, "zone:5:\n\"bad\"");
	findings_add(&f, true, "zone:6: bad");
	ck_assert_str_eq(findings_first_error(&f, NULL), "zone:5:\n\"bad\"");
	written(log_all, &f, "z.", text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "Z warn zone-finding zone=z. text=\"zone:4: odd\"\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "Z error zone-finding zone=z. text=\"zone:5:\\x0A\\\"bad\\\"\"\n"));
	written(log_all, &f, "", text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "Z error zone-finding text=\"zone:6: bad\"\n"));
	for (int i = 0; i < 300; i++) {
		findings_add(&f, true, "more %d", i);
	}
	written(log_all, &f, "z.", text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "\"more 16\""));
	ck_assert_ptr_null(strstr(text, "more 17"));
	ck_assert_ptr_nonnull(
		strstr(text, "Z warn findings zone=z. of=zone-finding count=303 shown=20\n"));
	findings_clear(&f);
}
END_TEST

START_TEST(one_line_each)
{
	struct findings f = { 0 };
	char text[1000];
	printed(&f, "tool: ", text, sizeof(text));
	ck_assert_str_eq(text, "");
	findings_add(&f, true, "%s:%d: bad", "zone", 3);
	findings_add(&f, false, "zone:4: odd, 100 %%");
	ck_assert_uint_eq(f.errors, 1);
	ck_assert_uint_eq(f.warnings, 1);
	printed(&f, "", text, sizeof(text));
	ck_assert_str_eq(text, "zone:3: bad\nwarning: zone:4: odd, 100 %\n");
	printed(&f, "tool: ", text, sizeof(text));
	ck_assert_str_eq(text, "tool: zone:3: bad\ntool: warning: zone:4: odd, 100 %\n");
	findings_clear(&f);
	ck_assert_uint_eq(f.count + f.errors + f.warnings, 0);
}
END_TEST

START_TEST(more_than_are_kept_are_counted)
{
	static char text[FINDINGS_KEPT * 8 + 100];
	static const char end[] = "\n... and 6 more\n";
	struct findings f = { 0 };
	for (unsigned i = 0; i < FINDINGS_KEPT; i++) {
		findings_add(&f, i % 2 == 0, "%u", i);
	}
	printed(&f, "", text, sizeof(text));
	ck_assert_ptr_null(strstr(text, "more"));
	for (unsigned i = 0; i < 6; i++) {
		findings_add(&f, i % 2 == 0, "%u", i);
	}
	ck_assert_uint_eq(f.count, FINDINGS_KEPT);
	ck_assert_uint_eq(f.errors, FINDINGS_KEPT / 2 + 3);
	ck_assert_uint_eq(f.warnings, FINDINGS_KEPT / 2 + 3);
	printed(&f, "", text, sizeof(text));
	ck_assert_str_eq(text + strlen(text) - strlen(end), end);
	findings_clear(&f);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("findings");
	tcase_add_test(tc, one_line_each);
	tcase_add_test(tc, events_each);
	tcase_add_test(tc, more_than_are_kept_are_counted);
	return unit_run("zones/findings", tc);
}

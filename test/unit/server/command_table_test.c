/* test/unit/server/command_table_test.c - the table of commands, and the manual that explains them. */
#include "server/command_table.h"

#include "test/unit/unit.h"
#include "zones/base/file.h"

static bool is_good(const char *a, const char *b, const char *c)
{
	const char *words[] = { a, b, c };
	struct errmsg em;
	const struct command *row = command_find(words, 1U + (b != NULL) + (c != NULL), &em);
	ck_assert(row == NULL || strcmp(row->name, a) == 0);
	return row != NULL;
}

START_TEST(arguments_are_counted)
{
	ck_assert(is_good("status", NULL, NULL));
	ck_assert(is_good("status", "example.", NULL));
	ck_assert(!is_good("status", "example.", "test."));
	ck_assert(is_good("stop", NULL, NULL));
	ck_assert(!is_good("stop", "now", NULL));
	ck_assert(!is_good("", NULL, NULL));
	ck_assert(!is_good("statu", NULL, NULL));
}
END_TEST

START_TEST(what_is_meant)
{
	struct errmsg em;
	const char *const words[] = { "stop", "now" };
	ck_assert_ptr_null(command_by_name("reloda", &em));
	ck_assert_str_eq(em.text, "there is no command \"reloda\"; did you mean reload?");
	ck_assert_ptr_null(command_by_name("a\nb", &em));
	ck_assert_str_eq(em.text, "there is no command \"a\\x0ab\"");
	ck_assert_ptr_null(command_find(words, 2, &em));
	ck_assert_str_eq(em.text, "found 1 argument, expected: stop");
}
END_TEST

/* As roff writes it: a minus of an option is no hyphen. */
static const char *in_roff(const char *text, char *out, size_t room)
{
	size_t len = 0;
	for (; *text != '\0' && len + 3 < room; text++) {
		if (*text == '-') {
			out[len++] = '\\';
		}
		out[len++] = *text;
	}
	out[len] = '\0';
	return out;
}

/* Each row has an entry in signetctl(1), with its arguments, and there are no others. */
START_TEST(manual)
{
	struct file_view view;
	struct errmsg em;
	ck_assert_msg(file_read("man/signetctl.1", 1 << 20, &view, &em) == E_OK, "%s", em.text);
	const char *commands = strstr(view.data, ".SH COMMANDS\n");
	ck_assert_ptr_nonnull(commands);
	const char *end = strstr(commands + 1, "\n.SH ");
	ck_assert_ptr_nonnull(end);
	size_t rows = 0, entries = 0;
	for (const struct command *c = command_table; c->name != NULL; c++, rows++) {
		char entry[256];
		char arguments[200];
		(void)snprintf(entry, sizeof(entry), "\n.TP\n.B %s%s%s\n", c->name,
			       *c->arguments != '\0' ? " " : "",
			       in_roff(c->arguments, arguments, sizeof(arguments)));
		const char *at = strstr(commands, entry);
		ck_assert_msg(at != NULL && at < end, "man/signetctl.1 has no entry for%s",
			      strrchr(entry, 'B') + 1);
		ck_assert(c->min <= c->max);
	}
	for (const char *at = commands; (at = strstr(at + 1, "\n.TP\n")) != NULL && at < end;) {
		entries++;
	}
	ck_assert_uint_eq(entries, rows + 1); /* and help */
	file_view_clear(&view);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("command_table");
	tcase_add_test(tc, arguments_are_counted);
	tcase_add_test(tc, what_is_meant);
	tcase_add_test(tc, manual);
	return unit_run("server/command_table", tc);
}

/* test/unit/server/watch_test.c - files that are written, replaced, linked; directories that go and come. */
#include "server/watch.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/clock.h"
#include "test/unit/unit.h"
#include "zones/base/buf.h"

#define QUIET_MS 50

static char directory[] = "/tmp/signet-watch-XXXXXX";
static struct loop *loop;
static struct watch *watch;
static char told[256]; /* names, each with a space behind */

static void on_file(void *arg, const char *path)
{
	size_t len = strlen(told);
	(void)arg;
	(void)snprintf(told + len, sizeof(told) - len, "%s ", path + sizeof(directory));
}

static const char *path_of(const char *name)
{
	static char paths[4][128];
	static unsigned at;
	char *path = paths[at++ % 4];
	(void)snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void do_rename(const char *from, const char *to)
{
	ck_assert_int_eq(rename(path_of(from), path_of(to)), 0);
}

static void set(const char *a, const char *b)
{
	const char *const paths[] = { path_of(a), path_of(b != NULL ? b : a) };
	watch_set(watch, paths, 2);
}

static void setup(void)
{
	struct errmsg em;
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(mkdir(path_of("d"), 0700), 0);
	put("a", "1");
	put("d/b", "1");
	ck_assert_int_eq(loop_new(&loop), E_OK);
	ck_assert_int_eq(watch_new(loop, QUIET_MS, on_file, NULL, &watch, &em), E_OK);
	set("a", "d/b");
}

static void teardown(void)
{
	char command[128];
	watch_free(watch);
	loop_free(loop);
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

/* What is told until all of @names were, or for long enough where nothing should be. */
static void assert_told(const char *names)
{
	const int64_t end = clock_ms() + (*names != '\0' ? 10000 : 4 * QUIET_MS);
	while (clock_ms() < end && (*names == '\0' || strlen(told) < strlen(names))) {
		const struct timeval soon = { 0, 10000 };
		(void)event_base_loopexit(loop_base(loop), &soon);
		(void)event_base_dispatch(loop_base(loop));
	}
	ck_assert_str_eq(told, names);
	told[0] = '\0';
}

START_TEST(what_is_written)
{
	put("a", "22");
	assert_told("a ");
	put("d/b", "22");
	put("other", "22");
	assert_told("d/b ");
	assert_told("");
	put("a", "3");
	put("d/b", "3");
	assert_told("a d/b ");
}
END_TEST

START_TEST(another_takes_the_name)
{
	put("new", "22");
	do_rename("new", "a");
	assert_told("a ");
	do_rename("a", "away");
	assert_told("");
	do_rename("away", "a");
	assert_told("a ");
}
END_TEST

/* Not while it is written. */
START_TEST(once_it_is_quiet)
{
	int fd = open(path_of("a"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	const int64_t end = clock_ms() + 4 * QUIET_MS;
	while (clock_ms() < end) {
		const struct timeval soon = { 0, 5000 };
		ck_assert_int_eq(write(fd, "x", 1), 1);
		(void)event_base_loopexit(loop_base(loop), &soon);
		(void)event_base_dispatch(loop_base(loop));
		if (told[0] != '\0') {
			ck_abort_msg("told while it is written");
		}
	}
	(void)close(fd);
	assert_told("a ");
}
END_TEST

/* As orchestrators do it: a file is a link into a directory, which is another link. */
START_TEST(links_get_another_target)
{
	ck_assert_int_eq(mkdir(path_of("d/v1"), 0700), 0);
	ck_assert_int_eq(mkdir(path_of("d/v2"), 0700), 0);
	put("d/v1/zone", "1");
	put("d/v2/zone", "2");
	ck_assert_int_eq(symlink("v1", path_of("d/..data")), 0);
	ck_assert_int_eq(symlink("..data/zone", path_of("d/zone")), 0);
	set("d/zone", NULL);
	ck_assert_int_eq(symlink("v2", path_of("d/..new")), 0);
	do_rename("d/..new", "d/..data");
	assert_told("d/zone ");
}
END_TEST

START_TEST(directories_go_and_come)
{
	do_rename("d", "gone");
	put("gone/b", "22"); /* it has another name now */
	assert_told("");
	do_rename("gone", "d");
	assert_told("d/b ");
	put("d/b", "333");
	assert_told("d/b ");
	set("later/x", NULL);
	put("d/b", "4444");
	assert_told("");
	ck_assert_int_eq(mkdir(path_of("later"), 0700), 0);
	assert_told("later/x ");
	put("later/x", "1");
	assert_told("later/x ");
}
END_TEST

START_TEST(others_are_watched)
{
	put("a", "22");
	set("a", NULL); /* what has happened before is told */
	assert_told("a ");
	put("d/b", "22");
	assert_told("");
	put("a", "333");
	assert_told("a ");
	watch_set(watch, NULL, 0);
	put("a", "4444");
	assert_told("");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("watch");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_written);
	tcase_add_test(tc, another_takes_the_name);
	tcase_add_test(tc, once_it_is_quiet);
	tcase_add_test(tc, links_get_another_target);
	tcase_add_test(tc, directories_go_and_come);
	tcase_add_test(tc, others_are_watched);
	return unit_run("server/watch", tc);
}

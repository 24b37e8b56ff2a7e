/* test/unit/server/pid_file_test.c - the file with the process id. */
#include "server/pid_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/unit.h"

static char dir[] = "/tmp/signet-pid-XXXXXX";

static void setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void teardown(void)
{
	(void)unlink("pid");
	(void)!chdir("/");
	(void)rmdir(dir);
}

/* What the file says; -1: there is none, 0: it is empty. */
static long number(void)
{
	FILE *f = fopen("pid", "r");
	char text[32] = "";
	if (f == NULL) {
		return -1;
	}
	(void)!fgets(text, sizeof(text), f);
	(void)fclose(f);
	return strtol(text, NULL, 10);
}

START_TEST(written_and_removed)
{
	struct pid_file f = PID_FILE_NONE;
	pid_file_remove(&f);
	ck_assert_int_eq(pid_file_write(&f, "", NULL), E_OK);
	pid_file_remove(&f);
	ck_assert_int_eq(pid_file_write(&f, "pid", NULL), E_OK);
	ck_assert_int_eq(number(), getpid());
	pid_file_remove(&f);
	ck_assert_int_eq(number(), -1);
	pid_file_remove(&f);
}
END_TEST

START_TEST(what_another_wrote_stays)
{
	struct pid_file first, second;
	ck_assert_int_eq(pid_file_write(&first, "pid", NULL), E_OK);
	ck_assert_int_eq(pid_file_write(&second, "pid", NULL), E_OK);
	pid_file_remove(&first);
	ck_assert_int_eq(number(), getpid());
	pid_file_remove(&second);
	ck_assert_int_eq(number(), -1);
}
END_TEST

START_TEST(emptied_where_it_may_not_be_removed)
{
	struct pid_file f;
	bool root = geteuid() == 0;
	ck_assert_int_eq(pid_file_write(&f, "pid", NULL), E_OK);
	ck_assert_int_eq(chmod(".", 0555), 0);
	ck_assert_int_eq(root ? seteuid(65534) : 0, 0);
	pid_file_remove(&f);
	ck_assert_int_eq(root ? seteuid(0) : 0, 0);
	ck_assert_int_eq(chmod(".", 0755), 0);
	ck_assert_int_eq(number(), 0);
}
END_TEST

START_TEST(not_to_be_written)
{
	struct pid_file f;
	struct errmsg em;
	ck_assert_int_eq(pid_file_write(&f, "nowhere/pid", &em), E_NOENT);
	ck_assert_str_eq(em.text, "nowhere/pid: cannot create a file beside it: "
				  "No such file or directory; check the path");
	pid_file_remove(&f);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("pid_file");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, written_and_removed);
	tcase_add_test(tc, what_another_wrote_stays);
	tcase_add_test(tc, emptied_where_it_may_not_be_removed);
	tcase_add_test(tc, not_to_be_written);
	return unit_run("server/pid_file", tc);
}

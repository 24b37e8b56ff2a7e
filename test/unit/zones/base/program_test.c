/* test/unit/zones/base/program_test.c - what every program of ours does first and last. */
#include "zones/base/program.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/unit.h"

/* What a program that prints @text to @path exits with; @err gets what it says. */
static int status_of(const char *path, const char *text, char *err, size_t size)
{
	int fds[2];
	ck_assert_int_eq(pipe(fds), 0);
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = path != NULL ? open(path, O_WRONLY) : -1;
		(void)dup2(fds[1], STDERR_FILENO);
		if (fd >= 0) {
			(void)dup2(fd, STDOUT_FILENO);
		} else {
			(void)close(STDOUT_FILENO);
		}
		program_begin("tool");
		(void)fputs(text, stdout);
		exit(0);
	}
	int status;
	(void)close(fds[1]);
	ssize_t n = read(fds[0], err, size - 1);
	err[n > 0 ? n : 0] = '\0';
	(void)close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(what_does_not_arrive_is_told)
{
	static char much[20000]; /* more than stdio keeps back */
	static const char said[] = "tool: cannot write to standard output: ";
	char err[200];
	memset(much, 'x', sizeof(much) - 1);
	ck_assert_int_eq(status_of("/dev/null", "text", err, sizeof(err)), 0);
	ck_assert_str_eq(err, "");
	ck_assert_int_eq(status_of("/dev/full", "", err, sizeof(err)), 0);
	ck_assert_int_eq(status_of(NULL, "text", err, sizeof(err)), 0);
	ck_assert_str_eq(err, "");
	ck_assert_int_eq(status_of("/dev/full", "text", err, sizeof(err)), 1);
	ck_assert_mem_eq(err, said, sizeof(said) - 1);
	ck_assert_int_eq(status_of("/dev/full", much, err, sizeof(err)), 1);
	ck_assert_mem_eq(err, said, sizeof(said) - 1);
}
END_TEST

/* The scheduling policy of a process with this nice value that steps aside by default. */
static int policy_after(int nice_by)
{
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		int had = getpriority(PRIO_PROCESS, 0);
		if (setpriority(PRIO_PROCESS, 0, had + nice_by) != 0) {
			_exit(100);
		}
		program_step_aside_by_default();
		_exit(sched_getscheduler(0));
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(steps_aside_unless_a_priority_was_chosen)
{
	const int policy = sched_getscheduler(0);
	const bool is_plain = policy == SCHED_OTHER && getpriority(PRIO_PROCESS, 0) == 0;
	ck_assert_int_eq(policy_after(0), is_plain ? SCHED_IDLE : policy);
	ck_assert_int_eq(policy_after(1), policy);
}
END_TEST

START_TEST(a_large_file_is_an_error_and_no_signal)
{
	if (!unit_can_die()) {
		return;
	}
	struct rlimit none = { 0, 0 };
	FILE *f = tmpfile();
	ck_assert_ptr_nonnull(f);
	program_begin("tool");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(write(fileno(f), "x", 1), -1);
	(void)fclose(f);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("program");
	tcase_add_test(tc, what_does_not_arrive_is_told);
	tcase_add_test(tc, a_large_file_is_an_error_and_no_signal);
	tcase_add_test(tc, steps_aside_unless_a_priority_was_chosen);
	return unit_run("zones/base/program", tc);
}

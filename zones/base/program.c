/* zones/base/program.c - what every program of ours does first and last. */
#include "zones/base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *program_name;

/* Started without one of the standard streams, a program would give its number to the next file that it
 * opens, and print into that. */
static void open_streams(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO) {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	}
	if (fd >= 0) {
		(void)close(fd);
	}
}

static void flush_output(void)
{
	bool failed = ferror(stdout) != 0;
	errno = 0;
	if (fflush(stdout) != 0 || failed) {
		(void)fprintf(stderr, "%s: cannot write to standard output: %s\n", program_name,
			      errno != 0 ? strerror(errno) : "an earlier write failed");
		_exit(1);
	}
}

void program_begin(const char *name)
{
	program_name = name;
	open_streams();
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)atexit(flush_output);
}

void program_step_aside(void)
{
	const struct sched_param none = { 0 };
	(void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
}

void program_step_aside_by_default(void)
{
	if (sched_getscheduler(0) == SCHED_OTHER && getpriority(PRIO_PROCESS, 0) == 0) {
		program_step_aside();
	}
}

/* test/peer/clock.c - preloaded into a program: its clock is off by CLOCK_OFF seconds. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long off(void)
{
	const char *text = getenv("CLOCK_OFF");
	return text != NULL ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	static int (*real)(clockid_t, struct timespec *);
	if (real == NULL) {
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	}
	int done = real(clock, ts);
	if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		ts->tv_sec += off();
	}
	return done;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;
	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (out != NULL) {
		*out = ts.tv_sec;
	}
	return ts.tv_sec;
}

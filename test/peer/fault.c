/* test/peer/fault.c - preloaded into a program: lets calls fail.
 *
 * FAULT="N KIND": the Nth call that writes. With KIND kill the process ends in the middle of it, with full it
 * fails with ENOSPC. Counted are write (to files only, not to the standard streams), fsync and rename.
 * FAULT=no-ipv6: there is no IPv6. */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_long calls;

/* Is it this call's turn? With kill it does not return. */
static bool is_turn(void)
{
	const char *fault = getenv("FAULT");
	char *kind = NULL;
	long turn = fault != NULL ? strtol(fault, &kind, 10) : 0;
	if (++calls != turn) {
		return false;
	}
	if (strcmp(kind, " kill") == 0) {
		(void)raise(SIGKILL);
	}
	errno = ENOSPC;
	return true;
}

ssize_t write(int fd, const void *data, size_t len)
{
	ssize_t (*real)(int, const void *, size_t) =
		(ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	if (fd <= 2) {
		return real(fd, data, len);
	}
	/* What comes before the end: a part of it. */
	ssize_t n = real(fd, data, len / 2);
	if (n < 0 || is_turn()) {
		return -1;
	}
	ssize_t rest = real(fd, (const char *)data + n, len - (size_t)n);
	return rest < 0 ? rest : n + rest;
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	return is_turn() ? -1 : real(fd);
}

int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) =
		(int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
	return is_turn() ? -1 : real(from, to);
}

int socket(int family, int type, int protocol)
{
	int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
	const char *fault = getenv("FAULT");
	if (family == AF_INET6 && fault != NULL && strcmp(fault, "no-ipv6") == 0) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return real(family, type, protocol);
}

/* test/peer/fault.c - preloaded into a program: lets calls that write files fail, or the process die in the middle of one.
 *
 * FAULT="N KIND": the Nth of write, fsync and rename; with KIND kill it is the last, with full it fails with ENOSPC.
 * FAULT=no-ipv6: there is no IPv6.
 * FAULT_CONTROL=FILE: a struct control, mapped, for whoever watches the process: which calls fail, and how many there were;
 * of all that is below. Processes that it starts count along.
 *
 * Counted are calls for regular files and directories but the standard streams; open and mkdir only where they make
 * something new. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define KILL (-1)

struct control {
	_Atomic int64_t calls;	     /* so far */
	_Atomic int64_t first, last; /* those that fail, from 1 on; 0: none */
	_Atomic int64_t kind;	     /* an error number, or KILL */
	_Atomic int64_t lands; /* a write that fails, of which all is there nevertheless; 0: none */
};

static struct control own;
static struct control *control = &own;

/* Are only the calls counted that the environment speaks of? */
static bool is_simple = true;

__attribute__((constructor)) static void init(void)
{
	const char *path = getenv("FAULT_CONTROL");
	const char *fault = getenv("FAULT");
	char *kind = NULL;
	if (path != NULL) {
		int fd = open(path, O_RDWR | O_CLOEXEC);
		void *p = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED) {
			abort();
		}
		(void)close(fd);
		control = p;
		is_simple = false;
	} else if (fault != NULL) {
		own.first = own.last = strtol(fault, &kind, 10);
		own.kind = strcmp(kind, " kill") == 0 ? KILL : ENOSPC;
	}
}

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

/* Is it this call's turn? With KILL it does not return. */
static bool is_turn(void)
{
	int64_t n = ++control->calls;
	if (n < control->first || n > control->last) {
		return false;
	}
	if (control->kind == KILL) {
		(void)raise(SIGKILL);
	}
	errno = (int)control->kind;
	return true;
}

/* Is the call whose turn it was one of which all is there? */
static bool lands(void)
{
	return control->lands != 0 && control->calls == control->lands;
}

static bool counts(int fd)
{
	struct stat st;
	return fd > 2 && fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* What comes before the end: a part of it. */
ssize_t write(int fd, const void *data, size_t len)
{
	if (!counts(fd)) {
		return REAL(write)(fd, data, len);
	}
	ssize_t n = REAL(write)(fd, data, len / 2);
	if (n < 0 || is_turn()) {
		return -1;
	}
	ssize_t rest = REAL(write)(fd, (const char *)data + n, len - (size_t)n);
	return rest < 0 ? rest : n + rest;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (is_simple || !counts(fd)) {
		return REAL(pwrite)(fd, data, len, at);
	}
	ssize_t n = REAL(pwrite)(fd, data, len / 2, at);
	bool fails = n < 0 || is_turn();
	if (fails && !lands()) {
		return -1;
	}
	ssize_t rest = REAL(pwrite)(fd, (const char *)data + n, len - (size_t)n, at + n);
	if (fails) {
		errno = (int)control->kind;
		return -1;
	}
	return rest < 0 ? rest : n + rest;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	if (is_simple || !counts(fd)) {
		return REAL(writev)(fd, parts, count);
	}
	ssize_t n = count > 1 ? REAL(writev)(fd, parts, count / 2) : 0;
	if (n < 0 || is_turn()) {
		return -1;
	}
	int done = count > 1 ? count / 2 : 0;
	ssize_t rest = REAL(writev)(fd, parts + done, count - done);
	return rest < 0 ? rest : n + rest;
}

int fsync(int fd)
{
	return is_turn() ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	return !is_simple && is_turn() ? -1 : REAL(fdatasync)(fd);
}

int msync(void *at, size_t len, int flags)
{
	return !is_simple && is_turn() ? -1 : REAL(msync)(at, len, flags);
}

int ftruncate(int fd, off_t len)
{
	return !is_simple && counts(fd) && is_turn() ? -1 : REAL(ftruncate)(fd, len);
}

int rename(const char *from, const char *to)
{
	return is_turn() ? -1 : REAL(rename)(from, to);
}

int unlink(const char *path)
{
	return !is_simple && is_turn() ? -1 : REAL(unlink)(path);
}

/* Is it there? Then no system wants to write to find it. */
static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int mkdir(const char *path, mode_t mode)
{
	return !is_simple && !exists(path) && is_turn() ? -1 : REAL(mkdir)(path, mode);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	if ((flags & O_CREAT) != 0) {
		va_list ap;
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
		if (!is_simple && !exists(path) && is_turn()) {
			return -1;
		}
	}
	return REAL(open)(path, flags, mode);
}

int socket(int family, int type, int protocol)
{
	const char *fault = getenv("FAULT");
	if (family == AF_INET6 && fault != NULL && strcmp(fault, "no-ipv6") == 0) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return REAL(socket)(family, type, protocol);
}

/* zones/base/file.c - whole files in, complete files out. */
#include "zones/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zones/base/mem.h"

/* Files smaller than this are read: a mapping costs more than a copy. */
#define MAP_FROM ((size_t)1 << 18)

static int failed(struct errmsg *em, const char *path, const char *what)
{
	int saved = errno;
	int err = err_from_errno(saved);
	const char *remedy = "";
	switch (saved) {
	case EACCES:
	case EPERM:
		remedy = "; check owner and permissions";
		break;
	case EROFS:
		remedy = "; the file system is read-only";
		break;
	case ENOSPC:
	case EDQUOT:
		remedy = "; free some space and try again";
		break;
	case ENOENT:
		remedy = "; check the path";
		break;
	default:
		break;
	}
	return err_set(em, err, "%s: cannot %s: %s%s", path, what, strerror(saved), remedy);
}

/* --- reading --------------------------------------------------------------------------------- */

/* Reads to the end; for pipes, and for files whose size is not to be trusted. */
static int read_all(int fd, const char *path, size_t max, struct file_view *out, struct errmsg *em)
{
	size_t cap = MAP_FROM;
	char *data = mem_alloc(cap + FILE_SLACK);
	size_t len = 0;
	int err = E_OK;
	for (;;) {
		ssize_t n = read(fd, data + len, cap - len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			err = failed(em, path, "read");
			break;
		}
		if (n == 0) {
			break;
		}
		len += (size_t)n;
		if (len > max) {
			err = err_set(em, E_LIMIT, "%s: larger than %zu octets", path, max);
			break;
		}
		if (len == cap) {
			cap *= 2;
			data = mem_realloc(data, cap + FILE_SLACK, 1);
		}
	}
	if (err != E_OK) {
		mem_free(data);
		return err;
	}
	memset(data + len, 0, FILE_SLACK);
	*out = (struct file_view){ .data = data, .len = len, .base = data };
	return E_OK;
}

/* Maps the file over the start of an anonymous stretch that is one page longer, so that zeros
 * follow whatever its length. */
static int map_file(int fd, const char *path, size_t len, struct file_view *out, struct errmsg *em)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t span = ((len + page - 1) & ~(page - 1)) + page;
	void *base = mmap(NULL, span, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED) {
		return failed(em, path, "map");
	}
	if (mmap(base, len, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) {
		int err = failed(em, path, "map");
		(void)munmap(base, span);
		return err;
	}
	(void)madvise(base, len, MADV_SEQUENTIAL);
	*out = (struct file_view){ .data = base, .len = len, .mapped = span, .base = base };
	return E_OK;
}

int file_read(const char *path, size_t max, struct file_view *out, struct errmsg *em)
{
	if (strcmp(path, "-") == 0) {
		return read_all(STDIN_FILENO, "standard input", max, out, em);
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return failed(em, path, "open");
	}
	struct stat st;
	int err;
	if (fstat(fd, &st) != 0) {
		err = failed(em, path, "look at");
	} else if (S_ISDIR(st.st_mode)) {
		err = err_set(em, E_INVAL, "%s: is a directory; name a file", path);
	} else if (S_ISREG(st.st_mode) && (size_t)st.st_size > max) {
		err = err_set(em, E_LIMIT, "%s: larger than %zu octets", path, max);
	} else if (S_ISREG(st.st_mode) && (size_t)st.st_size >= MAP_FROM) {
		err = map_file(fd, path, (size_t)st.st_size, out, em);
	} else {
		err = read_all(fd, path, max, out, em);
	}
	(void)close(fd);
	return err;
}

void file_view_clear(struct file_view *v)
{
	if (v->mapped != 0) {
		(void)munmap(v->base, v->mapped);
	} else {
		mem_free(v->base);
	}
	*v = (struct file_view){ 0 };
}

/* --- writing --------------------------------------------------------------------------------- */

static void out_clear(struct file_out *f)
{
	mem_free(f->path);
	mem_free(f->temp);
	*f = (struct file_out){ .fd = -1 };
}

int file_out_open(struct file_out *f, const char *path, mode_t mode, struct errmsg *em)
{
	*f = (struct file_out){ .fd = -1 };
	f->path = mem_str(path, strlen(path));
	if (strcmp(path, "-") == 0) {
		f->to_stdout = true;
		f->fd = STDOUT_FILENO;
		return E_OK;
	}
	size_t room = strlen(path) + 8;
	f->temp = mem_alloc(room);
	(void)snprintf(f->temp, room, "%s.XXXXXX", path);
	f->fd = mkostemp(f->temp, O_CLOEXEC);
	if (f->fd < 0) {
		int err = failed(em, path, "create a file beside it");
		out_clear(f);
		return err;
	}
	/* mkostemp makes it 0600; the umask is respected as open would. */
	mode_t mask = umask(0);
	(void)umask(mask);
	if (fchmod(f->fd, mode & ~mask) != 0) {
		int err = failed(em, path, "set permissions of");
		file_out_abort(f);
		return err;
	}
	return E_OK;
}

void file_out_write(struct file_out *f, const void *data, size_t len)
{
	const char *p = data;
	while (f->err == E_OK && len != 0) {
		ssize_t n = write(f->fd, p, len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			f->err = failed(&f->em, f->to_stdout ? "standard output" : f->path, "write");
			return;
		}
		p += n;
		len -= (size_t)n;
	}
}

/* A rename is durable once the directory is. */
static int sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL   ? mem_str(".", 1)
		    : slash == path ? mem_str("/", 1)
				    : mem_str(path, (size_t)(slash - path));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mem_free(dir);
	if (fd < 0) {
		return -1;
	}
	int bad = fsync(fd);
	(void)close(fd);
	return bad;
}

int file_out_commit(struct file_out *f, struct errmsg *em)
{
	int err = f->err;
	if (err != E_OK) {
		if (em != NULL) {
			*em = f->em;
		}
	} else if (!f->to_stdout && fsync(f->fd) != 0) {
		err = failed(em, f->path, "write to disk");
	} else if (!f->to_stdout && rename(f->temp, f->path) != 0) {
		err = failed(em, f->path, "replace");
	} else if (!f->to_stdout) {
		(void)close(f->fd);
		f->fd = -1;
		mem_free(f->temp);
		f->temp = NULL;
		if (sync_directory(f->path) != 0) {
			err = failed(em, f->path, "write to disk the directory of");
		}
	}
	file_out_abort(f);
	return err;
}

void file_out_abort(struct file_out *f)
{
	if (f->path == NULL) {
		return;
	}
	if (f->fd >= 0 && !f->to_stdout) {
		(void)close(f->fd);
	}
	if (f->temp != NULL) {
		(void)unlink(f->temp);
	}
	out_clear(f);
}

int file_write(const char *path, mode_t mode, const void *data, size_t len, struct errmsg *em)
{
	struct file_out f;
	int err = file_out_open(&f, path, mode, em);
	if (err != E_OK) {
		return err;
	}
	file_out_write(&f, data, len);
	return file_out_commit(&f, em);
}

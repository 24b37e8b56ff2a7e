/* zones/base/file.c - whole files in, complete files out. */
#include "zones/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zones/base/mem.h"
#include "zones/base/parallel.h"

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
	case EFBIG:
		remedy = "; raise the limit (ulimit -f)";
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

/* What pipes get at first, and other things whose size is not known. */
#define READ_FIRST STRESSED((size_t)1 << 16, 16)

static int too_large(struct errmsg *em, const char *path, size_t max)
{
	return err_set(em, E_LIMIT, "%s: larger than %zu octets", path, max);
}

/* Large files are read by all cores: what costs is less the copy than the pages that it goes to, which the
 * system clears at their first use. */
#define SLICE	     STRESSED((size_t)4 << 20, 16)
#define SLICE_WINDOW 64
/* In one call: on most systems a thread in the kernel does not give way before it returns, and readers of large
 * files are to be kind to those who wait (program_step_aside). */
#define READ_MOST ((size_t)64 << 10)

struct slices {
	int fd;
	char *data;
	size_t size;
	bool got[SLICE_WINDOW];
	size_t len; /* octets from the start that are read */
};

static int slice_read(void *arg, unsigned worker, size_t job)
{
	struct slices *s = arg;
	size_t from = job * SLICE;
	size_t to = from + SLICE < s->size ? from + SLICE : s->size;
	ssize_t n = 1;
	(void)worker;
	while (from < to && n > 0) {
		size_t len = to - from < READ_MOST ? to - from : READ_MOST;
		n = pread(s->fd, s->data + from, len, (off_t)from);
		from += n > 0 ? (size_t)n : 0;
	}
	s->got[job % SLICE_WINDOW] = from == to;
	return E_OK;
}

static int slice_count(void *arg, size_t job)
{
	struct slices *s = arg;
	if (!s->got[job % SLICE_WINDOW]) {
		return E_IO; /* shorter than it was, or worse: reading on in order tells */
	}
	s->len = (job + 1) * SLICE < s->size ? (job + 1) * SLICE : s->size;
	return E_OK;
}

/* Reads the first octets of a regular file, as far as that goes well, and returns how many; the place in the
 * file is behind them. */
static size_t read_slices(struct slices *s)
{
	const struct parallel p = {
		.threads = parallel_threads(0) < SLICE_WINDOW ? 0 : SLICE_WINDOW,
		.jobs = (s->size + SLICE - 1) / SLICE,
		.window = SLICE_WINDOW,
		.work = slice_read,
		.finish = slice_count,
		.arg = s,
	};
	if (p.jobs < 2) {
		return 0;
	}
	(void)!parallel_run(&p);
	return lseek(s->fd, (off_t)s->len, SEEK_SET) < 0 ? 0 : s->len;
}

/* Reads to the end. @expect: the size, as far as one knows it; it may change while we read. @sliced: a
 * regular file, from its start. */
static int read_all(int fd, const char *path, size_t expect, bool sliced, size_t max,
		    struct file_view *out, struct errmsg *em)
{
	size_t cap = expect + 1; /* the octet more tells the end from a full buffer */
	char *data = mem_alloc(cap + FILE_SLACK);
	struct slices slices = { .fd = fd, .data = data, .size = expect };
	size_t len = sliced ? read_slices(&slices) : 0;
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
			err = too_large(em, path, max);
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
	*out = (struct file_view){ .data = data, .len = len };
	return E_OK;
}

int file_read(const char *path, size_t max, struct file_view *out, struct errmsg *em)
{
	if (strcmp(path, "-") == 0) {
		return read_all(STDIN_FILENO, "standard input", READ_FIRST, false, max, out, em);
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
	} else if (!S_ISREG(st.st_mode)) {
		err = read_all(fd, path, READ_FIRST, false, max, out, em);
	} else if ((size_t)st.st_size > max) {
		err = too_large(em, path, max);
	} else {
		err = read_all(fd, path, (size_t)st.st_size, true, max, out, em);
	}
	(void)close(fd);
	return err;
}

void file_view_clear(struct file_view *v)
{
	mem_free(v->data);
	*v = (struct file_view){ 0 };
}

/* --- writing --------------------------------------------------------------------------------- */

/* Octets in one call. */
#define WRITE_MOST STRESSED(8 << 20, 7)

static void out_clear(struct file_out *f)
{
	mem_free(f->path);
	mem_free(f->real);
	mem_free(f->temp);
	*f = (struct file_out){ .fd = -1 };
}

/* Opens a new file beside f->real. Its name is not to be guessed, as the directory may be open to
 * others; open rather than mkostemp, so that the umask counts. */
static int open_temp(struct file_out *f, mode_t mode)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	size_t len = strlen(f->real);
	f->temp = mem_alloc(len + sizeof(".12345678"));
	memcpy(f->temp, f->real, len);
	f->temp[len] = '.';
	do {
		uint8_t r[8];
		if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r)) {
			return -1;
		}
		for (size_t i = 0; i < sizeof(r); i++) {
			f->temp[len + 1 + i] = letters[r[i] % 32];
		}
		f->temp[len + 1 + sizeof(r)] = '\0';
		f->fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	} while (f->fd < 0 && errno == EEXIST);
	return f->fd;
}

int file_out_open(struct file_out *f, const char *path, mode_t mode, struct errmsg *em)
{
	*f = (struct file_out){ .fd = -1 };
	if (strcmp(path, "-") == 0) {
		f->path = mem_str("standard output", strlen("standard output"));
		f->fd = STDOUT_FILENO;
		return E_OK;
	}
	f->path = mem_str(path, strlen(path));
	struct stat st;
	bool there = stat(path, &st) == 0;
	int err = E_OK;
	if (there && S_ISDIR(st.st_mode)) {
		err = err_set(em, E_INVAL, "%s: is a directory; name a file", path);
	} else if (there && !S_ISREG(st.st_mode)) {
		f->fd = open(path, O_WRONLY | O_CLOEXEC);
		err = f->fd < 0 ? failed(em, path, "open") : E_OK;
	} else {
		f->real = there ? realpath(path, NULL) : NULL;
		f->real = f->real != NULL ? f->real : mem_str(path, strlen(path));
		if (open_temp(f, mode) < 0) {
			err = failed(em, path, "create a file beside it");
		}
	}
	if (err != E_OK) {
		out_clear(f);
	}
	return err;
}

/* The disk starts now, while the rest is being made, so that the fsync at the end has little left to do. */
static void start_writing(struct file_out *f)
{
	if (f->temp != NULL && f->written - f->started >= WRITE_MOST) {
		(void)sync_file_range(f->fd, f->started, f->written - f->started,
				      SYNC_FILE_RANGE_WRITE);
		f->started = f->written;
	}
}

void file_out_write(struct file_out *f, const void *data, size_t len)
{
	const char *p = data;
	while (f->err == E_OK && len != 0) {
		ssize_t n = write(f->fd, p, len < WRITE_MOST ? len : WRITE_MOST);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			f->err = failed(&f->em, f->path, "write");
			return;
		}
		p += n;
		len -= (size_t)n;
		f->written += n;
		start_writing(f);
	}
}

int file_out_sync(struct file_out *f, struct errmsg *em)
{
	if (f->err == E_OK && f->temp != NULL && fsync(f->fd) != 0) {
		f->err = failed(&f->em, f->path, "write to disk");
	}
	if (f->err != E_OK && em != NULL) {
		*em = f->em;
	}
	return f->err;
}

int file_sync_directory(const char *path, struct errmsg *em)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL   ? mem_str(".", 1)
		    : slash == path ? mem_str("/", 1)
				    : mem_str(path, (size_t)(slash - path));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mem_free(dir);
	if (fd < 0) {
		return failed(em, path, "write to disk the directory of");
	}
	/* EINVAL: a file system whose directories need none. */
	int bad = fsync(fd) != 0 && errno != EINVAL ? errno : 0;
	(void)close(fd);
	errno = bad;
	return bad != 0 ? failed(em, path, "write to disk the directory of") : E_OK;
}

/* Closes the descriptor that is ours; what the system kept back until now comes out as an error. */
static int out_close(struct file_out *f)
{
	int bad = f->fd >= 0 && f->fd != STDOUT_FILENO ? close(f->fd) : 0;
	f->fd = -1;
	return bad;
}

/* Moves the complete temporary file to its name. */
static int put_in_place(struct file_out *f, struct errmsg *em)
{
	if (fsync(f->fd) != 0 || out_close(f) != 0) {
		return failed(em, f->path, "write to disk");
	}
	if (rename(f->temp, f->real) != 0) {
		return failed(em, f->path, "replace");
	}
	mem_free(f->temp);
	f->temp = NULL;
	return file_sync_directory(f->real, em);
}

int file_out_commit(struct file_out *f, struct errmsg *em)
{
	int err = f->err;
	if (err != E_OK) {
		if (em != NULL) {
			*em = f->em;
		}
	} else if (f->temp != NULL) {
		err = put_in_place(f, em);
	} else if (out_close(f) != 0) {
		err = failed(em, f->path, "write");
	}
	file_out_abort(f);
	return err;
}

void file_out_abort(struct file_out *f)
{
	if (f->path == NULL) {
		return;
	}
	(void)out_close(f);
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

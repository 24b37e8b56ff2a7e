/* zones/base/file.h - whole files in, and files out that are either complete or not there.
 *
 * Threads: no state.
 * Errors:  err_from_errno, with a message that names the file and the remedy. */
#ifndef ZONES_BASE_FILE_H
#define ZONES_BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "zones/base/attr.h"
#include "zones/base/err.h"

/* A file's octets, read-only. data[len] is readable and '\0' (a sentinel for scanners), and so are
 * FILE_SLACK octets behind it, so that a scanner may load whole vectors. */
#define FILE_SLACK 64
struct file_view {
	const char *data;
	size_t len;
	size_t mapped; /* octets to unmap; 0: from the heap */
	void *base;
};

/* Reads a regular file, a pipe or (path "-") standard input; at most @max octets (E_LIMIT). A
 * directory is E_INVAL. */
MUST_USE int file_read(const char *path, size_t max, struct file_view *out, struct errmsg *em);
void file_view_clear(struct file_view *v);

/* A file being written beside its final name; nobody sees it before file_commit. */
struct file_out {
	char *path; /* owned */
	char *temp; /* owned; in the same directory */
	int fd;     /* -1: not open */
	bool to_stdout;
	int err; /* sticky */
	struct errmsg em;
};

/* @mode as for open (0644; 0600 for secrets). Path "-" is standard output. */
MUST_USE int file_out_open(struct file_out *f, const char *path, mode_t mode, struct errmsg *em);
/* Writes all octets; errors stay in the struct until commit. */
void file_out_write(struct file_out *f, const void *data, size_t len);
/* fsync, rename over the final name, fsync of the directory; the struct is cleared either way.
 * On any error the temporary file is removed and the old file is intact. */
MUST_USE int file_out_commit(struct file_out *f, struct errmsg *em);
/* Removes the temporary file. Fine on a zeroed struct (fd must be -1 or path NULL). */
void file_out_abort(struct file_out *f);

/* open + write + commit in one. */
MUST_USE int file_write(const char *path, mode_t mode, const void *data, size_t len,
			struct errmsg *em);

#endif

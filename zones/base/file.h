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

/* A file's octets. data[len] is readable and '\0' (a sentinel for scanners), and so are
 * FILE_SLACK octets behind it, so that a scanner may load whole vectors.
 *
 * They are a copy: a mapping would change under the reader, and kill it where somebody shortens
 * the file (which is what cp over a zone file does). The copy costs 0.6 ns for each octet. */
#define FILE_SLACK 64
struct file_view {
	char *data;
	size_t len;
};

/* Reads a regular file, a pipe or (path "-") standard input; at most @max octets (E_LIMIT). A
 * directory is E_INVAL. */
MUST_USE int file_read(const char *path, size_t max, struct file_view *out, struct errmsg *em);
void file_view_clear(struct file_view *v);

/* A file being written beside its final name; nobody sees it before file_out_commit. Symbolic
 * links are followed, so that the link stays. What is there and is not a file, as a pipe or
 * /dev/null, is written to as it is. */
struct file_out {
	char *path;		/* owned; as the caller named it */
	char *real;		/* owned; where it leads, NULL: path is written to as it is */
	char *temp;		/* owned; beside real */
	int fd;			/* -1: not open */
	int err;		/* sticky */
	off_t written, started; /* octets; those the disk was asked to start with */
	struct errmsg em;
};

/* @mode as for open (0644; 0600 for secrets). Path "-" is standard output. A directory is
 * E_INVAL. */
MUST_USE int file_out_open(struct file_out *f, const char *path, mode_t mode, struct errmsg *em);
/* Writes all octets; errors stay in the struct until commit. */
void file_out_write(struct file_out *f, const void *data, size_t len);
/* Puts on disk what was written so far; an error stays for commit as well. For who commits several files and
 * wants to know of a full disk before the first. */
MUST_USE int file_out_sync(struct file_out *f, struct errmsg *em);
/* fsync, rename over the final name, fsync of the directory; the struct is cleared either way.
 * On any error the temporary file is removed and the old file is intact. */
MUST_USE int file_out_commit(struct file_out *f, struct errmsg *em);
/* Removes the temporary file. Fine on a zeroed struct. */
void file_out_abort(struct file_out *f);

/* What was made, renamed or removed in the directory that @path is in is durable. */
MUST_USE int file_sync_directory(const char *path, struct errmsg *em);

/* open + write + commit in one. */
MUST_USE int file_write(const char *path, mode_t mode, const void *data, size_t len,
			struct errmsg *em);

#endif

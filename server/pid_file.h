/* server/pid_file.h - the file with the process id.
 *
 * Threads: the control thread. */
#ifndef SERVER_PID_FILE_H
#define SERVER_PID_FILE_H

#include "zones/base/attr.h"
#include "zones/base/err.h"

struct pid_file {
	char *path; /* owned */
	int fd;	    /* open for writing as long as we run; -1: there is no file of ours */
};

#define PID_FILE_NONE ((struct pid_file){ .fd = -1 })

/* Writes this process's id to @path, whole or not at all; "" is no file. */
MUST_USE int pid_file_write(struct pid_file *f, const char *path, struct errmsg *em);
/* Removes the file, or where the user that we have become may not do that, empties it, so that nobody takes
 * another process for us. One that another server has put in its place stays. Fine on PID_FILE_NONE. */
void pid_file_remove(struct pid_file *f);

#endif

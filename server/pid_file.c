/* server/pid_file.c - the file with the process id. */
#include "server/pid_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zones/base/file.h"
#include "zones/base/mem.h"

int pid_file_write(struct pid_file *f, const char *path, struct errmsg *em)
{
	char text[32];
	*f = PID_FILE_NONE;
	if (*path == '\0') {
		return E_OK;
	}
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	int err = file_write(path, 0644, text, (size_t)n, em);
	if (err == E_OK) {
		f->path = mem_str(path, strlen(path));
		f->fd = open(path, O_WRONLY | O_CLOEXEC);
	}
	return err;
}

/* Is what has our name still what we wrote? */
static bool is_ours(const struct pid_file *f)
{
	struct stat written, there;
	return fstat(f->fd, &written) == 0 && stat(f->path, &there) == 0 &&
	       written.st_dev == there.st_dev && written.st_ino == there.st_ino;
}

void pid_file_remove(struct pid_file *f)
{
	if (f->fd >= 0) {
		if (is_ours(f) && unlink(f->path) != 0) {
			(void)!ftruncate(f->fd, 0);
		}
		(void)close(f->fd);
	}
	mem_free(f->path);
	*f = PID_FILE_NONE;
}

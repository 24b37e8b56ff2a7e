/* server/watch.h - tells when files have changed, by inotify.
 *
 * Directories are watched, not files: an editor puts a new file in the place of the old one. A file has changed when
 * it was written to, or another got its name, and then nothing has happened to it for a moment, so that it is not
 * read while it is written. A directory that goes, is replaced or was never there is looked for again.
 *
 * Threads: that of the loop.
 * Memory:  paths are copied. */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include <stddef.h>

#include "server/loop.h"

struct watch;
/* @path: one that was given to watch_set. It may not change what is watched. */
typedef void watch_fn(void *arg, const char *path);

/* Watches nothing yet. @quiet_ms: how long a file must be left alone. E_LIMIT. */
MUST_USE int watch_new(struct loop *l, int64_t quiet_ms, watch_fn *fn, void *arg,
		       struct watch **out, struct errmsg *em);
void watch_free(struct watch *w); /* NULL is fine */
/* From now on the @count files at @paths (absolute) are watched, and no others. What changed in those that were
 * watched before is told in any case. A directory that cannot be watched is in the log. */
void watch_set(struct watch *w, const char *const *paths, size_t count);

#endif

/* server/watch.c - tells when files have changed. */
#include "server/watch.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/clock.h"
#include "zones/base/buf.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"

#define CHANGES	  (IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE)
#define GONE	  (IN_IGNORED | IN_UNMOUNT | IN_MOVE_SELF | IN_DELETE_SELF)
#define EVENTS	  65536 /* octets of them that are read together */
#define LOST_MS	  1000	/* between two looks for directories that are not there */
#define QUIET_MIN 10

struct file {
	char *path;
	const char *name;   /* in path */
	int64_t touched_ms; /* when something happened to it last */
	bool is_touched;    /* and nobody was told */
};

struct directory {
	char *path;
	int wd;		     /* -1: it is not watched */
	size_t first, count; /* its files */
};

struct watch {
	int fd;
	struct event *readable, *tick;
	int64_t quiet_ms;
	watch_fn *fn;
	void *arg;
	struct file *files; /* by directory, then by name; each once */
	size_t file_count;
	struct directory *directories; /* by path */
	size_t directory_count;
};

/* --- what happens ---------------------------------------------------------------------------- */

static void arm(struct watch *w, int64_t ms)
{
	const struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	(void)evtimer_add(w->tick, &after);
}

static void touch(struct watch *w, struct file *f)
{
	f->touched_ms = clock_ms();
	f->is_touched = true;
	arm(w, w->quiet_ms);
}

static void touch_all(struct watch *w, const struct directory *d)
{
	for (size_t i = 0; i < d->count; i++) {
		touch(w, &w->files[d->first + i]);
	}
}

static struct file *find_file(const struct watch *w, const struct directory *d, const char *name)
{
	size_t from = d->first;
	size_t end = d->first + d->count;
	while (from < end) {
		size_t mid = from + (end - from) / 2;
		int diff = strcmp(w->files[mid].name, name);
		if (diff == 0) {
			return &w->files[mid];
		}
		if (diff < 0) {
			from = mid + 1;
		} else {
			end = mid;
		}
	}
	return NULL;
}

static bool is_link(const struct directory *d, const char *name)
{
	struct buf path = { 0 };
	struct stat st;
	buf_printf(&path, "%s/%s", d->path, name);
	bool is = lstat(path.data, &st) == 0 && S_ISLNK(st.st_mode);
	buf_clear(&path);
	return is;
}

/* What is watched may lie behind a symbolic link beside it, which gets another target. */
static void on_change(struct watch *w, const struct directory *d, const struct inotify_event *e)
{
	struct file *f = e->len != 0 ? find_file(w, d, e->name) : NULL;
	if (f != NULL) {
		touch(w, f);
	} else if (e->len != 0 && (e->mask & (IN_MOVED_TO | IN_CREATE)) != 0 &&
		   is_link(d, e->name)) {
		touch_all(w, d);
	}
}

static void on_gone(struct watch *w, struct directory *d)
{
	(void)inotify_rm_watch(w->fd, d->wd); /* it may have another name only */
	d->wd = -1;
	arm(w, LOST_MS);
}

static void on_event(struct watch *w, const struct inotify_event *e)
{
	for (size_t i = 0; i < w->directory_count; i++) {
		struct directory *d = &w->directories[i];
		if ((e->mask & IN_Q_OVERFLOW) != 0) {
			touch_all(w, d);
		} else if (d->wd == e->wd && (e->mask & GONE) != 0) {
			on_gone(w, d);
		} else if (d->wd == e->wd) {
			on_change(w, d, e);
		}
	}
}

static void on_readable(evutil_socket_t fd, short what UNUSED, void *arg)
{
	union {
		struct inotify_event event; /* for its alignment */
		char octets[EVENTS];
	} in;
	ssize_t len;
	while ((len = read(fd, &in, sizeof(in))) > 0) {
		for (const char *p = in.octets; p < in.octets + len;) {
			const struct inotify_event *e = (const void *)p;
			on_event(arg, e);
			p += sizeof(*e) + e->len;
		}
	}
}

/* --- what comes of it ------------------------------------------------------------------------ */

static bool add(struct watch *w, struct directory *d)
{
	d->wd = inotify_add_watch(w->fd, d->path,
				  CHANGES | IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR);
	return d->wd >= 0;
}

/* Tells of files that have been quiet for long enough; looks for directories. */
static void on_tick(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct watch *w = arg;
	int64_t next = INT64_MAX;
	for (size_t i = 0; i < w->directory_count; i++) {
		struct directory *d = &w->directories[i];
		if (d->wd < 0 && add(w, d)) {
			touch_all(w, d);
		} else if (d->wd < 0) {
			next = LOST_MS;
		}
	}
	for (size_t i = 0; i < w->file_count; i++) {
		struct file *f = &w->files[i];
		if (!f->is_touched) {
			continue;
		}
		const int64_t left = f->touched_ms + w->quiet_ms - clock_ms();
		if (left <= 0) {
			f->is_touched = false;
			w->fn(w->arg, f->path);
		} else if (left < next) {
			next = left > QUIET_MIN ? left : QUIET_MIN;
		}
	}
	if (next != INT64_MAX) {
		arm(w, next);
	}
}

/* --- what is watched ------------------------------------------------------------------------- */

static size_t directory_len(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? (size_t)(slash - path) : 0;
}

static int compare_paths(const char *a, const char *b)
{
	const size_t a_len = directory_len(a);
	const size_t b_len = directory_len(b);
	const int diff = memcmp(a, b, a_len < b_len ? a_len : b_len);
	if (diff != 0 || a_len != b_len) {
		return diff != 0 ? diff : a_len < b_len ? -1 : 1;
	}
	return strcmp(a + a_len, b + b_len);
}

static int by_path(const void *a, const void *b)
{
	return compare_paths(*(const char *const *)a, *(const char *const *)b);
}

static int by_file(const void *a, const void *b)
{
	return compare_paths(((const struct file *)a)->path, ((const struct file *)b)->path);
}

/* Counts @path in its directory, which comes behind those that are there already. */
static void take_directory(struct watch *w, const char *path)
{
	const size_t len = directory_len(path);
	struct directory *last =
		w->directory_count != 0 ? &w->directories[w->directory_count - 1] : NULL;
	const bool is_root = len == 0;
	if (last == NULL || strlen(last->path) != (is_root ? 1 : len) ||
	    memcmp(last->path, is_root ? "/" : path, is_root ? 1 : len) != 0) {
		last = &w->directories[w->directory_count++];
		*last = (struct directory){ .path = mem_str(is_root ? "/" : path,
							    is_root ? 1 : len),
					    .wd = -1,
					    .first = w->file_count };
	}
	last->count++;
}

static void add_all(struct watch *w)
{
	for (size_t i = 0; i < w->directory_count; i++) {
		struct directory *d = &w->directories[i];
		char quoted[700];
		if (!add(w, d)) {
			log_warn("watch-failed", "directory=%s reason=\"%s\" remedy=\"%s\"",
				 log_quote(d->path, quoted, sizeof(quoted)), strerror(errno),
				 errno == ENOSPC ? "raise fs.inotify.max_user_watches"
						 : "it is tried again");
			arm(w, LOST_MS);
		}
	}
}

/* Watches of directories that are no longer wanted go. */
static void drop_unwanted(const struct watch *w, const struct directory *old, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool is_wanted = old[i].wd < 0;
		for (size_t k = 0; k < w->directory_count && !is_wanted; k++) {
			is_wanted = w->directories[k].wd == old[i].wd;
		}
		if (!is_wanted) {
			(void)inotify_rm_watch(w->fd, old[i].wd);
		}
	}
}

static void free_list(struct file *files, size_t file_count, struct directory *directories,
		      size_t directory_count)
{
	for (size_t i = 0; i < file_count; i++) {
		mem_free(files[i].path);
	}
	for (size_t i = 0; i < directory_count; i++) {
		mem_free(directories[i].path);
	}
	mem_free(files);
	mem_free(directories);
}

void watch_set(struct watch *w, const char *const *paths, size_t count)
{
	const struct watch old = *w;
	const char **sorted = mem_array(count, sizeof(*sorted));
	w->files = mem_array(count, sizeof(*w->files));
	w->directories = mem_array(count, sizeof(*w->directories));
	w->file_count = w->directory_count = 0;
	for (size_t i = 0; i < count; i++) {
		sorted[i] = paths[i];
	}
	if (count != 0) {
		qsort(sorted, count, sizeof(*sorted), by_path);
	}
	for (size_t i = 0; i < count; i++) {
		if (i != 0 && strcmp(sorted[i], sorted[i - 1]) == 0) {
			continue;
		}
		take_directory(w, sorted[i]);
		struct file *f = &w->files[w->file_count++];
		const char *slash = strrchr(sorted[i], '/');
		f->path = mem_str(sorted[i], strlen(sorted[i]));
		f->name = f->path + (slash != NULL ? slash - sorted[i] + 1 : 0);
		const struct file *before =
			old.file_count != 0
				? bsearch(f, old.files, old.file_count, sizeof(*f), by_file)
				: NULL;
		if (before != NULL && before->is_touched) {
			touch(w, f);
		}
	}
	add_all(w);
	drop_unwanted(w, old.directories, old.directory_count);
	free_list(old.files, old.file_count, old.directories, old.directory_count);
	mem_free(sorted);
}

/* --- life ------------------------------------------------------------------------------------ */

int watch_new(struct loop *l, int64_t quiet_ms, watch_fn *fn, void *arg, struct watch **out,
	      struct errmsg *em)
{
	struct watch *w = mem_zalloc(sizeof(*w));
	*w = (struct watch){ .quiet_ms = quiet_ms, .fn = fn, .arg = arg };
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd >= 0) {
		w->readable = event_new(loop_base(l), w->fd, EV_READ | EV_PERSIST, on_readable, w);
	}
	w->tick = evtimer_new(loop_base(l), on_tick, w);
	if (w->readable == NULL || w->tick == NULL || event_add(w->readable, NULL) != 0) {
		watch_free(w);
		return err_set(em, E_LIMIT,
			       "cannot watch files for changes: %s; raise "
			       "fs.inotify.max_user_instances, or set server.watch to no",
			       strerror(errno));
	}
	*out = w;
	return E_OK;
}

void watch_free(struct watch *w)
{
	if (w == NULL) {
		return;
	}
	if (w->readable != NULL) {
		event_free(w->readable);
	}
	if (w->tick != NULL) {
		event_free(w->tick);
	}
	if (w->fd >= 0) {
		(void)close(w->fd);
	}
	free_list(w->files, w->file_count, w->directories, w->directory_count);
	mem_free(w);
}

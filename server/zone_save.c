/* server/zone_save.c - a version into a file of the operator's. */
#include "server/zone_save.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/unsign.h"
#include "zones/base/buf.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/dump.h"
#include "zones/edit.h"

/* By its start it is known that nobody's comments are in the file, unless he was warned. */
static const char mark[] =
	"; Written by signetd for signetctl sync. The next one writes it anew, without comments.\n";

/* --- what a person would write --------------------------------------------------------------- */

struct version *zone_save_source(const struct version *v, const struct holder *holder, bool zonemd)
{
	struct edit *e = edit_begin(NULL, v->apex.wire, EDIT_TTL_LAST);
	struct version_walk *walk = mem_alloc(sizeof(*walk));
	for (const struct node *n = version_first(v, walk); n != NULL; n = version_next(walk)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned i = 0; i < n->rrsets; i++) {
			const uint8_t *p = rrset_data(&rs[i]);
			for (unsigned k = 0; k < rs[i].count; k++) {
				struct rr rr;
				p = rr_read(p, &rr);
				if (!unsign_takes(&rr, holder, zonemd)) {
					/* It was in a zone before: nothing can be wrong with it. */
					(void)!edit_add(e, n->name, rr.type, rr.ttl, rr.rdata,
							rr.rdlen);
				}
			}
		}
	}
	mem_free(walk);
	return edit_commit(e);
}

/* --- files ----------------------------------------------------------------------------------- */

/* Has signetd written the file? */
static bool is_marked(const char *path)
{
	char start[sizeof(mark) - 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool marked = fd >= 0 && read(fd, start, sizeof(start)) == (ssize_t)sizeof(start) &&
		      memcmp(start, mark, sizeof(start)) == 0;
	if (fd >= 0) {
		(void)close(fd);
	}
	return marked;
}

/* Gives the file at @path a second name, under which it stays. */
static int keep_old(const char *path, struct errmsg *em)
{
	struct buf old = { 0 };
	int err = E_OK;
	buf_printf(&old, "%s.bak", path);
	if ((unlink(old.data) != 0 && errno != ENOENT) || link(path, old.data) != 0) {
		err = err_set(em, err_from_errno(errno),
			      "%s: cannot keep the old zone file: %s; copy it, and remove it",
			      old.data, strerror(errno));
	}
	buf_clear(&old);
	return err;
}

/* Opens a file to be put in the place of the one at @path, and makes it as accessible. */
static int open_like(struct file_out *f, const char *path, const struct stat *st, struct errmsg *em)
{
	int err = file_out_open(f, path, 0644, em);
	if (err == E_OK && st != NULL) {
		(void)!fchown(f->fd, st->st_uid, st->st_gid); /* who may not, has it as his own */
		(void)!fchmod(f->fd, st->st_mode & 0777);
	}
	return err;
}

static void write_all(struct file_out *f, const struct version *v)
{
	file_out_write(f, mark, sizeof(mark) - 1);
	dump_version(v, 0, f);
}

int zone_save(const char *path, const struct version *v, struct errmsg *em)
{
	struct file_out f;
	struct stat st;
	const bool there = stat(path, &st) == 0;
	if (there && !S_ISREG(st.st_mode)) {
		return err_set(em, E_INVAL, "%s: is no regular file; it stays as it is", path);
	}
	int err = open_like(&f, path, there ? &st : NULL, em);
	if (err != E_OK) {
		return err;
	}
	write_all(&f, v);
	err = file_out_sync(&f, em);
	if (err == E_OK && there && !is_marked(f.real)) {
		err = keep_old(f.real, em);
	}
	if (err != E_OK) {
		file_out_abort(&f);
		return err;
	}
	return file_out_commit(&f, em);
}

int zone_save_copy(const char *path, const struct version *v, struct errmsg *em)
{
	struct file_out f;
	struct stat st;
	const bool there = lstat(path, &st) == 0;
	if (there && (!S_ISREG(st.st_mode) || !is_marked(path))) {
		return err_set(em, E_EXIST,
			       "%s: there is something else than what signetctl sync writes; "
			       "name another file",
			       path);
	}
	int err = open_like(&f, path, there ? &st : NULL, em);
	if (err != E_OK) {
		return err;
	}
	write_all(&f, v);
	return file_out_commit(&f, em);
}

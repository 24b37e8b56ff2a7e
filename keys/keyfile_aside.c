/* keys/keyfile_aside.c - keys of zones that are gone: out of the way, and not lost. */
#include "keys/keyfile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "zones/base/mem.h"

/* What follows the zone in a file name, and does not in its own: "%2B" stands for it there. */
#define BEHIND_ZONE '+'

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "Kexample.com.", of each of the zones, sorted; heap. */
static char **begins_of(const struct keyfile_aside *a)
{
	char **begins = mem_array(a->count + 1, sizeof(char *));
	struct key probe = { 0 };
	struct buf name = { 0 };
	for (size_t i = 0; i < a->count; i++) {
		buf_reset(&name);
		dname_set(&probe.zone, a->zones[i]);
		keyfile_name(&probe, &name);
		begins[i] =
			mem_str(name.data, (size_t)(strchr(name.data, BEHIND_ZONE) - name.data));
	}
	buf_clear(&name);
	if (a->count > 1) {
		qsort(begins, a->count, sizeof(char *), compare_names);
	}
	return begins;
}

static bool is_of_zones(const char *file, char **begins, size_t count)
{
	const char *end = strchr(file, BEHIND_ZONE);
	if (file[0] != 'K' || end == NULL || count == 0) {
		return false;
	}
	char *begin = mem_str(file, (size_t)(end - file));
	const bool found = bsearch(&begin, begins, count, sizeof(char *), compare_names) != NULL;
	mem_free(begin);
	return found;
}

static int move(const struct keyfile_aside *a, const char *file, struct errmsg *em)
{
	struct buf from = { 0 };
	struct buf to = { 0 };
	int err = E_OK;
	buf_printf(&from, "%s/%s", a->dir, file);
	buf_printf(&to, "%s/%s", a->to, file);
	if ((mkdir(a->to, 0700) != 0 && errno != EEXIST) || rename(from.data, to.data) != 0) {
		err = err_set(em, err_from_errno(errno), "%s: cannot be moved to %s: %s", from.data,
			      a->to, strerror(errno));
	}
	buf_clear(&from);
	buf_clear(&to);
	return err;
}

int keyfile_put_aside(const struct keyfile_aside *a, size_t *moved, struct errmsg *em)
{
	DIR *d = opendir(a->dir);
	*moved = 0;
	if (d == NULL) {
		return errno == ENOENT ? E_OK
				       : err_set(em, err_from_errno(errno), "%s: cannot open: %s",
						 a->dir, strerror(errno));
	}
	char **begins = begins_of(a);
	struct buf file = { 0 };
	int err = E_OK;
	for (struct dirent *e = readdir(d); e != NULL && err == E_OK; e = readdir(d)) {
		if (is_of_zones(e->d_name, begins, a->count)) {
			err = move(a, e->d_name, em);
			*moved += err == E_OK;
		}
	}
	(void)closedir(d);
	for (size_t i = 0; i < a->count; i++) {
		mem_free(begins[i]);
	}
	mem_free(begins);
	if (*moved != 0) {
		/* There first, then no more here: a crash may leave two names, and never none. */
		for (int i = 0; i < 2; i++) {
			buf_reset(&file);
			buf_printf(&file, "%s/.", i == 0 ? a->to : a->dir);
			const int bad = file_sync_directory(file.data, i == 0 ? em : NULL);
			err = err == E_OK ? bad : err;
		}
	}
	buf_clear(&file);
	return err;
}

/* server/vault.c - what is kept of zones in the database directory. */
#include "server/vault.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/snapshot.h"

/* A snapshot is written when a restart would have to read more than this (some 400 changes, a few ms), and more than a
 * part of the zone. Updates that meanwhile wait for it are below one in a hundred. */
#define SNAPSHOT_OCTETS ((uint64_t)1 << 20)
#define SNAPSHOT_PART	4

struct vault {
	char *directory;
	struct journal *journal;
	struct committer *committer;
};

/* --- files ----------------------------------------------------------------------------------- */

/* The zone's name for a file: letters in lower case, others than these, digits, '-' and '_' as %2F; a dot between labels. */
static void file_name(const uint8_t *apex, struct buf *out)
{
	char text[DNAME_TEXT_MAX];
	size_t len = dname_to_text(apex, text);
	len -= len > 1; /* the final dot */
	for (size_t i = 0; i < len; i++) {
		uint8_t c = text_lower[(uint8_t)text[i]];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
			     c == '_' || (c == '.' && i != 0);
		if (plain) {
			buf_char(out, (char)c);
		} else {
			buf_printf(out, "%%%02X", c);
		}
	}
}

static void path_of(const struct vault *v, const uint8_t *apex, const char *kind, uint64_t number,
		    struct buf *out)
{
	buf_printf(out, "%s/", v->directory);
	file_name(apex, out);
	buf_printf(out, ".%s.%llu", kind, (unsigned long long)number);
}

/* Letters behind the dot in the name of a file that is being written (zones/base/file.h). */
#define TEMP_LETTERS 8

/* Is @tail, what stands behind the kind in a file's name, another number than @number, or what a crash has left of a file
 * that was being written? Files of zones whose names begin like that have more dots. */
static bool is_left_over(const char *tail, uint64_t number)
{
	uint64_t n = 0;
	const char *dot = strchr(tail, '.');
	size_t len = dot != NULL ? (size_t)(dot - tail) : strlen(tail);
	if (text_to_u64(tail, len, UINT64_MAX, &n) != E_OK) {
		return false;
	}
	return dot != NULL ? strlen(dot + 1) == TEMP_LETTERS && strchr(dot + 1, '.') == NULL
			   : n != number;
}

/* Removes the files of the zone that are of @kind and not @number. */
static void remove_others(const struct vault *v, const uint8_t *apex, const char *kind,
			  uint64_t number)
{
	struct buf start = { 0 };
	struct buf path = { 0 };
	DIR *dir = opendir(v->directory);
	const struct dirent *e;
	file_name(apex, &start);
	buf_printf(&start, ".%s.", kind);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, start.data, start.len) == 0 &&
		    is_left_over(e->d_name + start.len, number)) {
			buf_reset(&path);
			buf_printf(&path, "%s/%s", v->directory, e->d_name);
			(void)unlink(path.data);
		}
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
	buf_clear(&start);
	buf_clear(&path);
}

static int write_zone(const struct vault *v, const uint8_t *apex, const char *kind, uint64_t number,
		      const struct version *zone, struct errmsg *em)
{
	struct buf path = { 0 };
	path_of(v, apex, kind, number, &path);
	int err = snapshot_write(path.data, zone, number, em);
	buf_clear(&path);
	return err;
}

static int read_zone(const struct vault *v, const uint8_t *apex, const char *kind, uint64_t number,
		     struct version **out, struct errmsg *em)
{
	struct snapshot_info info;
	struct version *made = NULL;
	struct buf path = { 0 };
	path_of(v, apex, kind, number, &path);
	int err = snapshot_read(path.data, apex, 0, &made, &info, em);
	if (err == E_MISMATCH || (err == E_OK && info.seq != number)) {
		err = err_set(em, E_DAMAGED, "%s is not what was written", path.data);
		version_unref(made);
	} else if (err == E_OK) {
		*out = made;
	}
	buf_clear(&path);
	return err;
}

/* --- the directory --------------------------------------------------------------------------- */

static int make_directory(const char *path, struct errmsg *em)
{
	struct stat st;
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		return err_set(em, err_from_errno(errno),
			       "server.database: cannot make the directory %s: %s", path,
			       strerror(errno));
	}
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		return err_set(em, E_INVAL, "server.database: %s is no directory", path);
	}
	struct buf keys = { 0 };
	buf_printf(&keys, "%s/keys", path);
	int err = mkdir(keys.data, 0700) == 0 || errno == EEXIST ? E_OK : err_from_errno(errno);
	if (err != E_OK) {
		err_set(em, err, "server.database: cannot make the directory %s: %s", keys.data,
			strerror(errno));
	}
	buf_clear(&keys);
	return err;
}

static int open_journal(struct vault *v, size_t size, struct errmsg *em)
{
	struct buf path = { 0 };
	char quoted[700];
	buf_printf(&path, "%s/journal.mdb", v->directory);
	int err = store_probe(path.data, em);
	if (err == E_OK) {
		err = journal_open(&v->journal, path.data, size, STORE_WRITE, em);
	}
	if (err == E_DAMAGED) {
		log_error("journal-damaged",
			  "reason=%s action=\"moved aside; zones are loaded from their files\"",
			  log_quote(em->text, quoted, sizeof(quoted)));
		err = store_move_aside(path.data, em);
		if (err == E_OK) {
			err = journal_open(&v->journal, path.data, size, STORE_WRITE, em);
		}
	}
	buf_clear(&path);
	return err;
}

int vault_open(const char *path, size_t size, struct vault **out, struct errmsg *em)
{
	struct vault *v = mem_zalloc(sizeof(*v));
	v->directory = mem_dup(path, strlen(path) + 1);
	int err = make_directory(path, em);
	if (err == E_OK) {
		err = open_journal(v, size, em);
	}
	if (err != E_OK) {
		vault_close(v);
		return err;
	}
	v->committer = committer_new(v->journal);
	*out = v;
	return E_OK;
}

void vault_close(struct vault *v)
{
	if (v != NULL) {
		committer_free(v->committer);
		journal_close(v->journal);
		mem_free(v->directory);
		mem_free(v);
	}
}

struct journal *vault_journal(struct vault *v)
{
	return v->journal;
}

/* --- reading --------------------------------------------------------------------------------- */

struct replay {
	struct edit *edit;
	struct errmsg *em;
};

static int replay_entry(void *arg, const struct journal_entry *e, const struct diff *d)
{
	const struct replay *r = arg;
	(void)e;
	return diff_apply(d, r->edit, r->em);
}

/* Brings the snapshot up to date. */
static int replay(struct journal_txn *t, const uint8_t *apex, const struct journal_zone *zone,
		  struct version **v, struct errmsg *em)
{
	if (zone->last_seq <= zone->snapshot_seq) {
		return E_OK;
	}
	struct version *snapshot = *v;
	struct replay r = { edit_begin(snapshot, NULL, EDIT_TTL_LAST), em };
	int err = journal_read(t, apex, zone->snapshot_seq + 1, replay_entry, &r, em);
	if (err == E_OK) {
		err = edit_error(r.edit, em);
	}
	if (err != E_OK) {
		edit_abort(r.edit);
		return err == E_MISMATCH ? E_DAMAGED : err;
	}
	*v = edit_commit(r.edit);
	version_unref(snapshot);
	return E_OK;
}

int vault_restore(struct vault *v, const uint8_t *apex, struct version **out,
		  struct journal_zone *zone, struct errmsg *em)
{
	struct journal_txn *t = NULL;
	struct version *made = NULL;
	int err = journal_begin(v->journal, STORE_READ, &t, em);
	if (err != E_OK) {
		return err;
	}
	err = journal_zone_get(t, apex, zone);
	if (err == E_OK) {
		err = read_zone(v, apex, "served", zone->snapshot_seq, &made, em);
		err = err == E_NOENT ? E_DAMAGED : err;
	}
	if (err == E_OK) {
		err = replay(t, apex, zone, &made, em);
	}
	journal_abort(t);
	if (err != E_OK) {
		version_unref(made);
		return err;
	}
	remove_others(v, apex, "served", zone->snapshot_seq);
	remove_others(v, apex, "source", zone->source_generation);
	*out = made;
	return E_OK;
}

int vault_look(struct vault *v, const uint8_t *apex, struct journal_zone *out)
{
	struct journal_txn *t = NULL;
	struct errmsg em;
	int err = journal_begin(v->journal, STORE_READ, &t, &em);
	if (err == E_OK) {
		err = journal_zone_get(t, apex, out);
		journal_abort(t);
	}
	return err;
}

int vault_forget(struct vault *v, const uint8_t *const *apexes, size_t count, struct errmsg *em)
{
	struct journal_txn *t = NULL;
	int err = journal_begin(v->journal, STORE_WRITE, &t, em);
	if (err != E_OK) {
		return err;
	}
	for (size_t i = 0; i < count; i++) {
		journal_forget(t, apexes[i]);
	}
	err = journal_commit(t, em);
	for (size_t i = 0; i < count && err == E_OK; i++) {
		remove_others(v, apexes[i], "served", UINT64_MAX);
		remove_others(v, apexes[i], "source", UINT64_MAX);
	}
	return err;
}

int vault_source(struct vault *v, const uint8_t *apex, uint64_t generation, struct version **out,
		 struct errmsg *em)
{
	return read_zone(v, apex, "source", generation, out, em);
}

/* --- writing --------------------------------------------------------------------------------- */

/* Keeps @served as a whole, and has the journal know it, with all else that is in @commit. */
static int put_snapshot(struct vault *v, const struct version *served, struct commit *commit,
			struct errmsg *em)
{
	int err = write_zone(v, commit->apex, "served", commit->snapshot_seq, served, em);
	if (err == E_OK) {
		err = committer_write(v->committer, commit, em);
	}
	if (err == E_OK) {
		remove_others(v, commit->apex, "served", commit->snapshot_seq);
	}
	return err;
}

/* Begins the journal of the zone anew, with @served. Numbers go on where they were, so that no file of before is taken for
 * one of now. */
static int start_anew(struct vault *v, const uint8_t *apex, const struct version *served,
		      struct journal_zone *zone, struct errmsg *em)
{
	struct commit commit = {
		.apex = apex, .zone = zone, .snapshot_seq = zone->last_seq + 1, .is_reset = true
	};
	int err = put_snapshot(v, served, &commit, em);
	if (err == E_OK) {
		zone->last_seq = zone->snapshot_seq = commit.snapshot_seq;
		zone->needed_octets = 0;
	}
	return err;
}

/* Keeps the zone file as it was newly read, as that of @next. NULL: there is none. */
static int put_source(struct vault *v, const uint8_t *apex, const struct version *source,
		      struct journal_zone *next, struct errmsg *em)
{
	if (source == NULL) {
		return E_OK;
	}
	next->source_generation++;
	return write_zone(v, apex, "source", next->source_generation, source, em);
}

int vault_begin(struct vault *v, const uint8_t *apex, const struct version *served,
		const struct version *source, struct journal_zone *zone, struct errmsg *em)
{
	struct journal_zone next = *zone;
	/* Of nothing: no file has this number, so that those of before go. */
	next.source_generation += source == NULL ? 1 : 0;
	int err = put_source(v, apex, source, &next, em);
	if (err == E_OK) {
		err = start_anew(v, apex, served, &next, em);
	}
	if (err == E_OK) {
		*zone = next;
		remove_others(v, apex, "source", zone->source_generation);
	}
	return err;
}

static int append(struct vault *v, const struct vault_change *change, struct journal_zone *zone,
		  struct errmsg *em)
{
	struct diff diff = { 0 };
	const bool has_zone = change->source != NULL || change->is_zone_new;
	struct commit commit = { .apex = change->apex,
				 .diff = &diff,
				 .entry = { .time = change->now, .source = change->from },
				 .zone = has_zone ? zone : NULL,
				 .history_octets = change->history_octets,
				 .history_from = change->history_from };
	diff_make(change->base, change->next, &diff);
	int err = committer_write(v->committer, &commit, em);
	if (err == E_OK) {
		zone->last_seq = commit.seq;
		zone->needed_octets = commit.needed_octets;
	}
	diff_clear(&diff);
	return err;
}

int vault_write(struct vault *v, const struct vault_change *change, struct journal_zone *zone,
		struct errmsg *em)
{
	struct journal_zone next = *zone;
	int err = put_source(v, change->apex, change->source, &next, em);
	if (err == E_OK && !change->is_anew) {
		err = append(v, change, &next, em);
	}
	/* There is no room for it among what restarts need; or a write that failed has left its change there all the same,
	 * so that this one does not follow the last. */
	const bool has_no_room = err == E_LIMIT || err == E_MISMATCH;
	if (has_no_room || (err == E_OK && change->is_anew)) {
		err = start_anew(v, change->apex, change->next, &next, em);
	}
	if (err == E_OK) {
		*zone = next;
		if (change->source != NULL) {
			remove_others(v, change->apex, "source", zone->source_generation);
		}
	}
	return err;
}

int vault_note(struct vault *v, const uint8_t *apex, const struct version *source,
	       struct journal_zone *zone, struct errmsg *em)
{
	struct journal_zone next = *zone;
	struct commit commit = { .apex = apex, .zone = &next };
	int err = put_source(v, apex, source, &next, em);
	if (err == E_OK) {
		err = committer_write(v->committer, &commit, em);
	}
	if (err == E_OK) {
		*zone = next;
		if (source != NULL) {
			remove_others(v, apex, "source", zone->source_generation);
		}
	}
	return err;
}

bool vault_wants_snapshot(const struct journal_zone *zone, const struct version *served)
{
	return zone->needed_octets > SNAPSHOT_OCTETS &&
	       zone->needed_octets > version_memory(served) / SNAPSHOT_PART;
}

int vault_snapshot(struct vault *v, const uint8_t *apex, const struct version *served,
		   struct journal_zone *zone, struct errmsg *em)
{
	struct commit commit = { .apex = apex, .snapshot_seq = zone->last_seq };
	int err = put_snapshot(v, served, &commit, em);
	if (err == E_OK) {
		zone->snapshot_seq = zone->last_seq;
		zone->needed_octets = 0;
	}
	return err;
}

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

/* The zone that the file @name, as far as @len octets, is of. E_NAME, E_SYNTAX: of none. */
static int zone_of_file(const char *name, size_t len, struct dname *out)
{
	struct buf text = { 0 };
	int err = E_OK;
	for (size_t i = 0; i < len && err == E_OK; i++) {
		uint8_t octet = (uint8_t)name[i];
		if (octet == '%') {
			err = len - i > 2 && text_from_hex(name + i + 1, 2, &octet, 1) == 1
				      ? E_OK
				      : E_SYNTAX;
			i += 2;
		}
		buf_char(&text, (char)octet);
	}
	err = err == E_OK ? dname_from_text(out, text.data, text.len, dname_root, NULL) : err;
	buf_clear(&text);
	return err;
}

/* Is the file @name of a zone that the journal knows, and not the one that it names? */
static bool is_to_go(struct journal_txn *t, const char *name)
{
	static const char *const kinds[] = { ".served.", ".source." };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char *kind = NULL;
		struct dname apex;
		struct journal_zone zone;
		for (const char *p = strstr(name, kinds[i]); p != NULL;
		     p = strstr(p + 1, kinds[i])) {
			kind = p; /* the last: a zone may be named so */
		}
		if (kind != NULL && zone_of_file(name, (size_t)(kind - name), &apex) == E_OK &&
		    journal_zone_get(t, apex.wire, &zone) == E_OK) {
			return is_left_over(kind + strlen(kinds[i]),
					    i == 0 ? zone.snapshot_seq : zone.source_generation);
		}
	}
	return false;
}

/* Removes what a crash has left. */
static int tidy(const struct vault *v, struct errmsg *em)
{
	struct journal_txn *t = NULL;
	struct buf path = { 0 };
	const struct dirent *e;
	int err = journal_begin(v->journal, STORE_READ, &t, em);
	DIR *dir = err == E_OK ? opendir(v->directory) : NULL;
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (is_to_go(t, e->d_name)) {
			buf_reset(&path);
			buf_printf(&path, "%s/%s", v->directory, e->d_name);
			(void)unlink(path.data);
		}
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
	journal_abort(t);
	buf_clear(&path);
	return err;
}

/* Removes a file whose place another has taken. 0: there was none. */
static void remove_old(const struct vault *v, const uint8_t *apex, const char *kind,
		       uint64_t number)
{
	struct buf path = { 0 };
	if (number != 0) {
		path_of(v, apex, kind, number, &path);
		(void)unlink(path.data);
	}
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
	err = tidy(v, em);
	if (err != E_OK) {
		vault_close(v);
		return err;
	}
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

/* The zone as it was served after change @seq, from the journal or a file. */
static int read_snapshot(const struct vault *v, struct journal_txn *t, const uint8_t *apex,
			 uint64_t seq, struct version **out, struct errmsg *em)
{
	struct store_octets octets;
	struct snapshot_info info;
	struct version *made = NULL;
	int err = journal_snapshot_get(t, apex, &octets);
	if (err == E_NOENT) {
		return read_zone(v, apex, "served", seq, out, em);
	}
	if (err != E_OK) {
		return journal_error(t, em);
	}
	uint8_t *copy = mem_dup(octets.data, octets.len); /* aligned */
	err = snapshot_read_memory(copy, octets.len, apex, &made, &info, em);
	mem_free(copy);
	if (err == E_MISMATCH || (err == E_OK && info.seq != seq)) {
		version_unref(made);
		return err_set(em, E_DAMAGED,
			       "the snapshot in the journal is not what was written");
	}
	if (err == E_OK) {
		*out = made;
	}
	return err;
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
		err = read_snapshot(v, t, apex, zone->snapshot_seq, &made, em);
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
	struct journal_zone *zones = mem_array(count, sizeof(*zones));
	int err = journal_begin(v->journal, STORE_WRITE, &t, em);
	for (size_t i = 0; i < count && err == E_OK; i++) {
		zones[i] = (struct journal_zone){ 0 };
		(void)!journal_zone_get(t, apexes[i], &zones[i]);
		journal_forget(t, apexes[i]);
	}
	if (err == E_OK) {
		err = journal_commit(t, em);
	}
	for (size_t i = 0; i < count && err == E_OK; i++) {
		remove_old(v, apexes[i], "served", zones[i].snapshot_seq);
		remove_old(v, apexes[i], "source", zones[i].source_generation);
	}
	mem_free(zones);
	return err;
}

int vault_source(struct vault *v, const uint8_t *apex, uint64_t generation, struct version **out,
		 struct errmsg *em)
{
	return read_zone(v, apex, "source", generation, out, em);
}

/* --- writing --------------------------------------------------------------------------------- */

/* Could its snapshot be small enough for the journal? */
#define SMALL_RECORDS 64

/* Keeps @served as a whole, and has the journal know it, with all else that is in @commit. @before: the snapshot of before;
 * 0: there is none. */
static int put_snapshot(struct vault *v, const struct version *served, struct commit *commit,
			uint64_t before, struct errmsg *em)
{
	struct buf octets = { 0 };
	int err = E_OK;
	if (served->records <= SMALL_RECORDS && journal_takes_snapshots(v->journal)) {
		snapshot_print(served, commit->snapshot_seq, &octets);
	}
	if (octets.len != 0 && octets.len <= JOURNAL_SNAPSHOT_MAX) {
		commit->snapshot = &octets;
	} else {
		err = write_zone(v, commit->apex, "served", commit->snapshot_seq, served, em);
	}
	if (err == E_OK) {
		err = committer_write(v->committer, commit, em);
	}
	if (err == E_OK && before != commit->snapshot_seq) {
		remove_old(v, commit->apex, "served", before);
	}
	commit->snapshot = NULL;
	buf_clear(&octets);
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
	int err = put_snapshot(v, served, &commit, zone->snapshot_seq, em);
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
		remove_old(v, apex, "source", zone->source_generation);
		*zone = next;
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
		if (change->source != NULL) {
			remove_old(v, change->apex, "source", zone->source_generation);
		}
		*zone = next;
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
		if (source != NULL) {
			remove_old(v, apex, "source", zone->source_generation);
		}
		*zone = next;
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
	int err = put_snapshot(v, served, &commit, zone->snapshot_seq, em);
	if (err == E_OK) {
		zone->snapshot_seq = zone->last_seq;
		zone->needed_octets = 0;
	}
	return err;
}

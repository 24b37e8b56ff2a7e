/* zones/base/store.c - LMDB with our errors. One map in a file, without names: so a commit writes few pages.
 *
 * LMDB trusts its file. What can be seen of damage before it is touched is seen in store_open: the head, and a file
 * that is shorter than the pages in use, whose mapping would kill the reader. The rest store_probe finds, by a process
 * that may die of it. */
#include "zones/base/store.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zones/base/crc32c.h"
#include "zones/base/mem.h"

struct store {
	MDB_env *env; /* NULL: it could not be opened again */
	MDB_dbi dbi;
	char *path;
	size_t size;
	enum store_mode mode;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t opened;
	unsigned users; /* transactions that are open, or about to be */
	bool is_opening;
};

struct store_txn {
	struct store *store;
	MDB_txn *txn;
	int err; /* sticky */
	struct errmsg em;
};

static int code_of(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return E_OK;
	case MDB_NOTFOUND:
		return E_NOENT;
	case MDB_KEYEXIST:
		return E_EXIST;
	case MDB_MAP_FULL:
	case EFBIG:
		return E_DISKFULL;
	case MDB_PANIC: /* a write failed before */
		return E_IO;
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
	case MDB_BAD_DBI:
		return E_DAMAGED;
	case MDB_TXN_FULL:
	case MDB_READERS_FULL:
	case MDB_MAP_RESIZED:
		return E_LIMIT;
	case MDB_BAD_VALSIZE:
	case EINVAL:
		return E_INVAL;
	default:
		return rc > 0 ? err_from_errno(rc) : E_IO;
	}
}

static const char *remedy_of(int rc)
{
	switch (rc) {
	case MDB_MAP_FULL:
		return "; it has reached its size, old history must go";
	case ENOSPC:
	case EDQUOT:
		return "; free some space";
	case EFBIG:
		return "; raise the limit (ulimit -f)";
	case MDB_PANIC:
		return "; a write has failed before";
	case EROFS:
		return "; the file system is read-only";
	case EACCES:
	case EPERM:
		return "; check owner and permissions";
	default:
		return code_of(rc) == E_DAMAGED ? "; the file is damaged or is no journal" : "";
	}
}

static int failed(struct errmsg *em, const char *path, const char *what, int rc)
{
	return err_set(em, code_of(rc), "%s: cannot %s: %s%s", path, what, mdb_strerror(rc),
		       remedy_of(rc));
}

/* --- opening --------------------------------------------------------------------------------- */

/* Are all pages in use within the file? */
static int check_length(struct store *s, struct errmsg *em)
{
	MDB_envinfo info;
	MDB_stat stat;
	mdb_filehandle_t fd;
	struct stat st;
	int rc = mdb_env_info(s->env, &info);
	rc = rc != 0 ? rc : mdb_env_stat(s->env, &stat);
	rc = rc != 0 ? rc : mdb_env_get_fd(s->env, &fd);
	if (rc == 0 && fstat(fd, &st) != 0) {
		rc = errno;
	}
	if (rc != 0) {
		return failed(em, s->path, "look at", rc);
	}
	if (info.me_last_pgno >= (size_t)st.st_size / stat.ms_psize) {
		return err_set(em, E_DAMAGED,
			       "%s: is shorter than what it should hold; it was cut off", s->path);
	}
	return E_OK;
}

static int open_map(struct store *s, enum store_mode mode, struct errmsg *em)
{
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(s->env, NULL, mode == STORE_READ ? MDB_RDONLY : 0, &txn);
	rc = rc != 0 ? rc : mdb_dbi_open(txn, NULL, 0, &s->dbi);
	if (txn != NULL && rc != 0) {
		mdb_txn_abort(txn);
	} else if (txn != NULL) {
		rc = mdb_txn_commit(txn);
	}
	return rc != 0 ? failed(em, s->path, "read", rc) : E_OK;
}

static void close_env(struct store *s)
{
	if (s->env != NULL) {
		mdb_env_close(s->env);
		s->env = NULL;
	}
}

static int open_env(struct store *s, struct errmsg *em)
{
	int rc = mdb_env_create(&s->env);
	rc = rc != 0 ? rc : mdb_env_set_mapsize(s->env, s->size);
	/* NOTLS: a read transaction is not bound to its thread. */
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (s->mode == STORE_READ ? MDB_RDONLY : 0);
	rc = rc != 0 ? rc : mdb_env_open(s->env, s->path, flags, 0600);
	int err = rc != 0 ? failed(em, s->path, "open", rc) : E_OK;
	err = err != E_OK ? err : check_length(s, em);
	err = err != E_OK ? err : open_map(s, s->mode, em);
	if (err != E_OK) {
		close_env(s);
	}
	return err;
}

int store_open(struct store **out, const char *path, size_t size, enum store_mode mode,
	       struct errmsg *em)
{
	struct store *s = mem_zalloc(sizeof(*s));
	s->path = mem_str(path, strlen(path));
	s->size = size;
	s->mode = mode;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->opened, NULL);
	int err = open_env(s, em);
	if (err != E_OK) {
		store_close(s);
		return err;
	}
	*out = s;
	return E_OK;
}

void store_close(struct store *s)
{
	if (s != NULL) {
		close_env(s);
		(void)pthread_mutex_destroy(&s->lock);
		(void)pthread_cond_destroy(&s->opened);
		mem_free(s->path);
		mem_free(s);
	}
}

/* An entry's least octets in a page: so many entries are in a file at most. More, and it goes in circles. */
#define ENTRY_LEAST 8

/* All entries of a map, one after the other, and each as it is found by its key. */
static int walk(MDB_txn *txn, MDB_dbi dbi, uint64_t most)
{
	MDB_cursor *c;
	MDB_cursor *by_key;
	MDB_val k;
	MDB_val v;
	uint32_t sum = 0;
	int rc = mdb_cursor_open(txn, dbi, &c);
	rc = rc != 0 ? rc : mdb_cursor_open(txn, dbi, &by_key);
	while (rc == 0 && (rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
		MDB_val key = k;
		MDB_val found;
		rc = mdb_cursor_get(by_key, &key, &found, MDB_SET);
		if (rc != 0 || found.mv_data != v.mv_data || most-- == 0) {
			return MDB_CORRUPTED;
		}
		/* Each octet is read, as whoever asks for it will. */
		sum = crc32c(crc32c(sum, k.mv_data, k.mv_size), v.mv_data, v.mv_size);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Of CPU: what takes longer goes in circles within LMDB. */
#define PROBE_SECONDS 60
#define FREE_LIST     0 /* the map of the pages that may be used again */

/* Is it nothing that the file could be blamed for? */
static bool is_our_lack(int rc)
{
	return rc == EMFILE || rc == ENFILE || rc == EACCES || rc == EPERM;
}

enum { PROBE_SOUND, PROBE_DAMAGED, PROBE_UNKNOWN };

/* The process that store_probe starts: its status tells. */
static NORETURN void probe(const char *path, uint64_t size)
{
	struct store s = { .path = (char *)(uintptr_t)path };
	const struct rlimit no_core = { 0, 0 };
	/* The signal that tells: the hard limit's is SIGKILL, which anybody may have sent. */
	const struct rlimit seconds = { PROBE_SECONDS, PROBE_SECONDS + 1 };
	const uint64_t most = size / ENTRY_LEAST;
	MDB_txn *txn = NULL;
	static const int telling[] = { SIGSEGV, SIGBUS, SIGABRT, SIGXCPU };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	/* Not that somebody's handler makes a status of them, as ThreadSanitizer's does. */
	for (size_t i = 0; i < ARRAY_LEN(telling); i++) {
		(void)signal(telling[i], SIG_DFL);
	}
	(void)dup2(null, STDERR_FILENO); /* what LMDB says when it aborts */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)setrlimit(RLIMIT_CPU, &seconds);
	int rc = mdb_env_create(&s.env);
	rc = rc != 0 ? rc
		     : mdb_env_open(s.env, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK,
				    0);
	if (is_our_lack(rc)) {
		_exit(PROBE_UNKNOWN);
	}
	if (rc == 0 && check_length(&s, NULL) != E_OK) {
		rc = MDB_INVALID;
	}
	rc = rc != 0 ? rc : mdb_txn_begin(s.env, NULL, MDB_RDONLY, &txn);
	rc = rc != 0 ? rc : mdb_dbi_open(txn, NULL, 0, &s.dbi);
	rc = rc != 0 ? rc : walk(txn, s.dbi, most);
	rc = rc != 0 ? rc : walk(txn, FREE_LIST, most);
	_exit(rc != 0 ? PROBE_DAMAGED : PROBE_SOUND);
}

int store_probe(const char *path, struct errmsg *em)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		return E_OK;
	}
	pid_t pid = fork();
	if (pid == 0) {
		probe(path, (uint64_t)st.st_size);
	}
	int status = 0;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	/* Where it is not known, store_open will tell what matters. */
	bool is_damaged = WIFSIGNALED(status)
				  ? WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGTERM
				  : WEXITSTATUS(status) == PROBE_DAMAGED;
	return pid > 0 && is_damaged ? err_set(em, E_DAMAGED,
					       "%s: cannot be read to its end; it is damaged", path)
				     : E_OK;
}

int store_move_aside(const char *path, struct errmsg *em)
{
	size_t len = strlen(path);
	char *aside = mem_alloc(len + sizeof(".damaged"));
	memcpy(aside, path, len);
	memcpy(aside + len, ".damaged", sizeof(".damaged"));
	int err = rename(path, aside) != 0 ? failed(em, path, "rename", errno) : E_OK;
	mem_free(aside);
	return err;
}

/* --- transactions ---------------------------------------------------------------------------- */

static void enter(struct store *s)
{
	(void)pthread_mutex_lock(&s->lock);
	while (s->is_opening) {
		(void)pthread_cond_wait(&s->opened, &s->lock);
	}
	s->users++;
	(void)pthread_mutex_unlock(&s->lock);
}

static void leave(struct store *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->users--;
	(void)pthread_mutex_unlock(&s->lock);
}

/* After a failed write of a page that names the others, LMDB does nothing more before it is opened anew, which it
 * can be when nobody but the caller, who has entered, uses it. */
static int open_again(struct store *s, struct errmsg *em)
{
	(void)pthread_mutex_lock(&s->lock);
	bool is_alone = s->users == 1;
	s->is_opening = is_alone;
	(void)pthread_mutex_unlock(&s->lock);
	if (!is_alone) {
		return failed(em, s->path, "open again, while it is read,", MDB_PANIC);
	}
	close_env(s);
	int err = open_env(s, em);
	(void)pthread_mutex_lock(&s->lock);
	s->is_opening = false;
	(void)pthread_cond_broadcast(&s->opened);
	(void)pthread_mutex_unlock(&s->lock);
	return err;
}

static int begin(struct store *s, enum store_mode mode, MDB_txn **txn)
{
	return s->env != NULL
		       ? mdb_txn_begin(s->env, NULL, mode == STORE_READ ? MDB_RDONLY : 0, txn)
		       : MDB_PANIC;
}

size_t store_used(const struct store *s)
{
	struct stat st;
	return stat(s->path, &st) == 0 ? (size_t)st.st_size : SIZE_MAX;
}

int store_begin(struct store *s, enum store_mode mode, struct store_txn **out, struct errmsg *em)
{
	MDB_txn *txn;
	int err = E_OK;
	enter(s);
	int rc = begin(s, mode, &txn);
	if (rc == MDB_PANIC) {
		err = open_again(s, em);
		rc = err == E_OK ? begin(s, mode, &txn) : rc;
	}
	if (err == E_OK && rc != 0) {
		err = failed(em, s->path, "begin to read or write", rc);
	}
	if (err != E_OK) {
		leave(s);
		return err;
	}
	*out = mem_zalloc(sizeof(**out));
	(*out)->store = s;
	(*out)->txn = txn;
	return E_OK;
}

int store_error(const struct store_txn *t, struct errmsg *em)
{
	if (t->err != E_OK && em != NULL) {
		*em = t->em;
	}
	return t->err;
}

int store_fail(struct store_txn *t, int err, const struct errmsg *em)
{
	if (t->err == E_OK) {
		t->err = err;
		t->em = *em;
	}
	return err;
}

/* Keeps the first error. "Not found" is none. */
static int outcome(struct store_txn *t, const char *what, int rc)
{
	if (rc != 0 && rc != MDB_NOTFOUND && t->err == E_OK) {
		t->err = failed(&t->em, t->store->path, what, rc);
	}
	return t->err != E_OK ? t->err : code_of(rc);
}

/* So little that a write which was cut short met the end of the disk. LMDB says EIO then. */
#define SPACE_LITTLE ((uint64_t)1 << 20)

static int cause_of(const struct store *s, int rc)
{
	struct statvfs fs;
	bool full = rc == EIO && statvfs(s->path, &fs) == 0 &&
		    (uint64_t)fs.f_bavail * fs.f_frsize < SPACE_LITTLE;
	return full ? ENOSPC : rc;
}

int store_commit(struct store_txn *t, struct errmsg *em)
{
	int err = store_error(t, em);
	if (err != E_OK) {
		store_abort(t);
		return err;
	}
	int rc = mdb_txn_commit(t->txn); /* frees it in any case */
	if (rc != 0) {
		err = failed(em, t->store->path, "write to disk", cause_of(t->store, rc));
	}
	leave(t->store);
	mem_free(t);
	return err;
}

void store_abort(struct store_txn *t)
{
	if (t != NULL) {
		mdb_txn_abort(t->txn);
		leave(t->store);
		mem_free(t);
	}
}

/* --- entries --------------------------------------------------------------------------------- */

static MDB_val val_of(const void *data, size_t len)
{
	return (MDB_val){ len, (void *)(uintptr_t)data };
}

static struct store_octets octets_of(const MDB_val *v)
{
	return (struct store_octets){ v->mv_data, v->mv_size };
}

int store_get(struct store_txn *t, const void *key, size_t len, struct store_octets *value)
{
	MDB_val k = val_of(key, len);
	MDB_val v;
	int err = t->err != E_OK ? t->err
				 : outcome(t, "read", mdb_get(t->txn, t->store->dbi, &k, &v));
	if (err == E_OK) {
		*value = octets_of(&v);
	}
	return err;
}

/* Where a cursor comes to that seeks @key and then makes the move @op. */
static int find(struct store_txn *t, const void *key, size_t len, bool before,
		struct store_octets *found, struct store_octets *value)
{
	MDB_cursor *c = NULL;
	MDB_val k = val_of(key, len);
	MDB_val v;
	int rc = t->err != E_OK ? 0 : mdb_cursor_open(t->txn, t->store->dbi, &c);
	if (c != NULL) {
		rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
		if (before && (rc == 0 || rc == MDB_NOTFOUND)) {
			rc = mdb_cursor_get(c, &k, &v, rc == 0 ? MDB_PREV : MDB_LAST);
		}
		mdb_cursor_close(c);
	}
	int err = outcome(t, "read", rc);
	if (err == E_OK) {
		*found = octets_of(&k);
		*value = octets_of(&v);
	}
	return err;
}

int store_find(struct store_txn *t, const void *key, size_t len, struct store_octets *found,
	       struct store_octets *value)
{
	return find(t, key, len, false, found, value);
}

int store_find_before(struct store_txn *t, const void *key, size_t len, struct store_octets *found,
		      struct store_octets *value)
{
	return find(t, key, len, true, found, value);
}

int store_each(struct store_txn *t, struct store_octets prefix, const struct store_octets *from,
	       int (*fn)(void *arg, struct store_octets key, struct store_octets value), void *arg)
{
	MDB_cursor *c = NULL;
	const struct store_octets *first = from != NULL ? from : &prefix;
	MDB_val k = val_of(first->data, first->len);
	MDB_val v;
	int err = E_OK;
	if (t->err != E_OK) {
		return t->err;
	}
	int rc = mdb_cursor_open(t->txn, t->store->dbi, &c);
	if (rc == 0) {
		rc = mdb_cursor_get(c, &k, &v, first->len != 0 ? MDB_SET_RANGE : MDB_FIRST);
	}
	while (err == E_OK && rc == 0 && k.mv_size >= prefix.len &&
	       (prefix.len == 0 || memcmp(k.mv_data, prefix.data, prefix.len) == 0)) {
		err = fn(arg, octets_of(&k), octets_of(&v));
		rc = err == E_OK ? mdb_cursor_get(c, &k, &v, MDB_NEXT) : 0;
	}
	if (c != NULL) {
		mdb_cursor_close(c);
	}
	if (rc != 0 && rc != MDB_NOTFOUND) {
		err = outcome(t, "read", rc);
	}
	return err;
}

void store_put(struct store_txn *t, const void *key, size_t len, const void *value,
	       size_t value_len)
{
	MDB_val k = val_of(key, len);
	MDB_val v = val_of(value, value_len);
	if (t->err == E_OK) {
		(void)outcome(t, "write", mdb_put(t->txn, t->store->dbi, &k, &v, 0));
	}
}

void store_delete(struct store_txn *t, const void *key, size_t len)
{
	MDB_val k = val_of(key, len);
	if (t->err == E_OK) {
		(void)outcome(t, "write", mdb_del(t->txn, t->store->dbi, &k, NULL));
	}
}

static bool is_below(const MDB_val *k, const void *to, size_t to_len)
{
	size_t min = k->mv_size < to_len ? k->mv_size : to_len;
	int diff = memcmp(k->mv_data, to, min);
	return diff != 0 ? diff < 0 : k->mv_size < to_len;
}

void store_delete_range(struct store_txn *t, const void *from, size_t from_len, const void *to,
			size_t to_len)
{
	MDB_cursor *c = NULL;
	MDB_val k = val_of(from, from_len);
	MDB_val v;
	if (t->err != E_OK) {
		return;
	}
	int rc = mdb_cursor_open(t->txn, t->store->dbi, &c);
	if (rc == 0) {
		rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	}
	while (rc == 0 && is_below(&k, to, to_len)) {
		rc = mdb_cursor_del(c, 0);
		/* It stands on the next one then; which that is, only GET_CURRENT or NEXT tells. */
		rc = rc != 0 ? rc : mdb_cursor_get(c, &k, &v, MDB_NEXT);
	}
	if (c != NULL) {
		mdb_cursor_close(c);
	}
	(void)outcome(t, "write", rc);
}

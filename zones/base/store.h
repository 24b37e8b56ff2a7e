/* zones/base/store.h - a durable map of octet strings: a thin cover of LMDB, one file.
 *
 * A write transaction happens whole or not at all, and once store_commit has returned E_OK it is on the
 * disk: LMDB writes the pages beside the old ones, flushes them, then writes the page that names them and
 * flushes that (two flushes a commit). So a file needs no repair after a crash.
 *
 * A transaction remembers its first error: put and delete freely, store_commit tells, and then nothing of it
 * has happened.
 *
 * Threads: a store is opened once in a process. One write transaction at a time (a second one, of another process
 *          too, waits), begun and ended by the same thread; read transactions by any thread beside it. A read
 *          transaction keeps what it sees from being used again: end it soon.
 * Memory:  keys and values that are read lie in the file's mapping: borrowed until the transaction ends, and
 *          in a write transaction until the next put or delete.
 * Errors:  E_DISKFULL: the disk or the store is full. E_DAMAGED: no store, or a broken one. E_PERM. E_IO: a write or
 *          flush has failed. None is the end: the next transaction finds the store as the last that committed left it. Where
 *          LMDB must be opened again for that, it is, once nobody reads; until then transactions fail with E_IO.
 *          Whether one whose commit has failed with E_IO did happen after all, the next one shows. */
#ifndef ZONES_BASE_STORE_H
#define ZONES_BASE_STORE_H

#include <stdbool.h>

#include "zones/base/attr.h"
#include "zones/base/err.h"

/* Longest key. */
#define STORE_KEY_MAX 511
/* A value of this size takes a page of its own and no second one, which fragmented space may not have
 * adjacent. Larger ones work, but should be cut. */
#define STORE_VALUE_PAGE 4080

struct store;
struct store_txn;

struct store_octets {
	const uint8_t *data;
	size_t len;
};

enum store_mode { STORE_READ, STORE_WRITE };

/* Opens, and with STORE_WRITE makes, the store at @path (mode 0600) and a lock file "<path>-lock"; it may grow up to
 * @size octets. E_DAMAGED: what is there is no store, is cut off, or is of another format; store_move_aside
 * makes room for a new one. */
MUST_USE int store_open(struct store **out, const char *path, size_t size, enum store_mode mode,
			struct errmsg *em);
/* All transactions have ended. NULL is fine. */
void store_close(struct store *s);
/* Octets of the file, which are or were in use. */
size_t store_used(const struct store *s);
/* Reads all of the store at @path in a process of its own, where damage that LMDB does not survive does no harm: call it
 * before store_open, while there are no other threads. E_DAMAGED; E_OK, also when nothing is there, or it
 * could not be found out. Takes a second for some gigabytes. */
MUST_USE int store_probe(const char *path, struct errmsg *em);
/* Renames "<path>" to "<path>.damaged" (what had that name is gone) for a person to look at. The store is closed. */
MUST_USE int store_move_aside(const char *path, struct errmsg *em);

MUST_USE int store_begin(struct store *s, enum store_mode mode, struct store_txn **out,
			 struct errmsg *em);
/* Makes all of it durable; the transaction is gone, on failure too. */
MUST_USE int store_commit(struct store_txn *t, struct errmsg *em);
/* Ends it without a trace. NULL is fine. */
void store_abort(struct store_txn *t);
/* The first error so far, with its message. */
int store_error(const struct store_txn *t, struct errmsg *em);
/* Makes @err, a message in @em, the error of the transaction: it will not commit. Returns @err. */
int store_fail(struct store_txn *t, int err, const struct errmsg *em);

/* E_NOENT, or the error of the transaction. */
MUST_USE int store_get(struct store_txn *t, const void *key, size_t len,
		       struct store_octets *value);
/* The first entry whose key is not smaller than @key, in the order of memcmp with the shorter first. E_NOENT. */
MUST_USE int store_find(struct store_txn *t, const void *key, size_t len,
			struct store_octets *found, struct store_octets *value);
/* The last whose key is smaller. E_NOENT. */
MUST_USE int store_find_before(struct store_txn *t, const void *key, size_t len,
			       struct store_octets *found, struct store_octets *value);
/* Calls @fn for the entries whose keys begin with @prefix, ascending from @key on (which begins with it; NULL: from
 * the first), until it returns other than E_OK, which is returned. It must not change the store. */
MUST_USE int store_each(struct store_txn *t, struct store_octets prefix,
			const struct store_octets *from,
			int (*fn)(void *arg, struct store_octets key, struct store_octets value),
			void *arg);

void store_put(struct store_txn *t, const void *key, size_t len, const void *value,
	       size_t value_len);
/* No entry is no error. */
void store_delete(struct store_txn *t, const void *key, size_t len);
/* All entries with @from <= key < @to. */
void store_delete_range(struct store_txn *t, const void *from, size_t from_len, const void *to,
			size_t to_len);

#endif

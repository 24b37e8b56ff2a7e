/* zones/journal.h - the durable history of zones: for each a row of changes, numbered, and what a restart needs.
 *
 * One store (zones/base/store.h) for all zones. A zone's entries are numbered without holes (`seq`, never used again)
 * and chain: each begins at the serial where the one before ended. Together with a snapshot, which contains the
 * changes up to and with its own seq, the entries behind that give the zone as it was last acknowledged; those
 * before are history for IXFR and roll-back, and go when room is wanted.
 *
 *     seq    1 2 3 4 5 6 7 8 9
 *            |---|               dropped
 *                |-------|       history: may be dropped
 *                        ^ snapshot
 *                          |---| needed by a restart: never dropped
 *
 * The store's file never passes its size. History may fill half of that; then the oldest history of any zone goes.
 *
 * Threads: as the store: one write transaction at a time, reads beside it.
 * Memory:  what callbacks get is borrowed until they return.
 * Errors:  as the store; those of a write transaction stay until journal_commit, which then does nothing. E_DAMAGED:
 *          what is there is not what was written. */
#ifndef ZONES_JOURNAL_H
#define ZONES_JOURNAL_H

#include "zones/base/store.h"
#include "zones/diff.h"

/* Where a change came from. Numbers are on disk. */
/* clang-format off */
#define JOURNAL_SOURCE_MAP(X)         \
	X(UPDATE,   1, "update")      \
	X(FILE,     2, "file")        \
	X(RESIGN,   3, "re-sign")     \
	X(TRANSFER, 4, "transfer")    \
	X(KEYS,     5, "keys")        \
	X(ROLLBACK, 6, "rollback")
/* clang-format on */

enum journal_source {
#define X(name, number, text) JOURNAL_##name = (number),
	JOURNAL_SOURCE_MAP(X)
#undef X
};
/* "update" ...; "?" for a number that is none of them. */
const char *journal_source_text(enum journal_source source);

struct journal_entry {
	uint64_t seq;
	uint32_t serial_from;
	uint32_t serial_to;
	int64_t time; /* seconds since 1970 */
	enum journal_source source;
	uint32_t removed; /* records */
	uint32_t added;
	uint64_t octets; /* that it takes of the store, about */
};

/* A zone file as it was last read. */
struct journal_stamp {
	int64_t mtime_ns;
	uint64_t size;
	uint64_t inode;
};

/* The chain that somebody has chosen for a zone, instead of what the configuration says. */
struct journal_chain {
	enum denial denial; /* DENIAL_NONE: nobody has */
	uint8_t instead_of; /* the caller's number for what the configuration said then */
	struct nsec3_param nsec3;
};

struct journal_zone {
	/* The caller's. */
	uint64_t source_generation;
	struct journal_stamp stamp;
	bool frozen;
	bool is_signed; /* by us: what is served has signatures that are ours to renew, or to take out */
	struct journal_chain chain;
	/* The journal's own. */
	uint64_t first_seq; /* of the entries that are there; none when above last_seq */
	uint64_t last_seq;  /* 0: there was never one */
	uint64_t snapshot_seq;
	uint32_t last_serial;	/* where the last entry ended; 0 when there was never one */
	uint64_t octets;	/* of all entries */
	uint64_t needed_octets; /* of those behind the snapshot: make one when it grows */
};

struct journal;
struct journal_txn;

/* Opens or makes the file @path, which may grow to @size octets (at least JOURNAL_SIZE_MIN, else that). E_DAMAGED: see
 * store_move_aside. */
#define JOURNAL_SIZE_MIN ((size_t)1 << 20)
MUST_USE int journal_open(struct journal **out, const char *path, size_t size, enum store_mode mode,
			  struct errmsg *em);
void journal_close(struct journal *j); /* NULL is fine */

MUST_USE int journal_begin(struct journal *j, enum store_mode mode, struct journal_txn **out,
			   struct errmsg *em);
/* Durable when it returns E_OK. The transaction is gone in any case. E_DISKFULL: the disk is full, or readers hold the
 * pages of all that was dropped. */
MUST_USE int journal_commit(struct journal_txn *t, struct errmsg *em);
void journal_abort(struct journal_txn *t); /* NULL is fine */
/* The first error of the transaction so far. */
int journal_error(const struct journal_txn *t, struct errmsg *em);

/* E_NOENT: nothing is known of the zone (*out is as for one without entries). */
MUST_USE int journal_zone_get(struct journal_txn *t, const uint8_t *apex, struct journal_zone *out);
/* Keeps the caller's fields of @zone. */
void journal_zone_put(struct journal_txn *t, const uint8_t *apex, const struct journal_zone *zone);
/* A snapshot that contains all up to @seq is durable. */
void journal_snapshot_made(struct journal_txn *t, const uint8_t *apex, uint64_t seq);

/* A small snapshot can lie here itself, with what it goes with: @octets, no more than JOURNAL_SNAPSHOT_MAX of them, until
 * another is made or the zone is forgotten. */
#define JOURNAL_SNAPSHOT_MAX ((size_t)4080)
void journal_snapshot_put(struct journal_txn *t, const uint8_t *apex, const void *octets,
			  size_t len);
/* Borrowed until the transaction ends. E_NOENT: the snapshot lies elsewhere. */
MUST_USE int journal_snapshot_get(struct journal_txn *t, const uint8_t *apex,
				  struct store_octets *out);
/* Is there room for more of them, beside history? */
bool journal_takes_snapshots(const struct journal *j);

/* Adds a change behind the last: @e has time and source, @d the serials. *seq (may be NULL) is its number. Room is
 * made by dropping the oldest history of any zone. Errors stay with the transaction and are returned: E_MISMATCH: it
 * does not begin where the last entry ended. E_LIMIT: more than a quarter of the store: make a snapshot, and
 * journal_reset; or there is too much that is not in snapshots. */
int journal_append(struct journal_txn *t, const uint8_t *apex, const struct journal_entry *e,
		   const struct diff *d, uint64_t *seq);

/* Reads from entry @from on, in order, until @fn returns other than E_OK, which is returned. E_NOENT: @from is not there
 * (one behind the last is: it is the end). */
typedef int (*journal_fn)(void *arg, const struct journal_entry *e, const struct diff *d);
MUST_USE int journal_read(struct journal_txn *t, const uint8_t *apex, uint64_t from, journal_fn fn,
			  void *arg, struct errmsg *em);
/* An entry as it lies in the store. E_DAMAGED. */
MUST_USE int journal_entry_read(struct store_octets value, const uint8_t *apex,
				struct journal_entry *e, struct diff *d);
/* One entry without its records. */
MUST_USE int journal_entry_get(struct journal_txn *t, const uint8_t *apex, uint64_t seq,
			       struct journal_entry *out);
/* The entry that begins at @serial. E_NOENT. */
MUST_USE int journal_find(struct journal_txn *t, const uint8_t *apex, uint32_t serial,
			  uint64_t *seq);

/* Drops the zone's oldest history while there is more than @octets of it, or it is older than @oldest. */
void journal_trim(struct journal_txn *t, const uint8_t *apex, uint64_t octets, int64_t oldest);
/* Drops the oldest history of any zone to make room for @octets, and some. E_LIMIT: there is not so much. */
int journal_make_room(struct journal_txn *t, uint64_t octets);
/* Drops all entries of the zone; the next one has @seq + 1 (@seq at least the last's) and begins at any serial.
 * For what does not fit, and for what is damaged: with a snapshot of @seq beside it. */
void journal_reset(struct journal_txn *t, const uint8_t *apex, uint64_t seq);
/* Forgets the zone. */
void journal_forget(struct journal_txn *t, const uint8_t *apex);

/* Calls @fn for each zone. It must not change anything. */
MUST_USE int journal_zones(struct journal_txn *t,
			   int (*fn)(void *arg, const uint8_t *apex,
				     const struct journal_zone *zone),
			   void *arg);
struct journal_totals {
	uint64_t octets; /* of all entries */
	uint64_t limit;
};
MUST_USE int journal_totals(struct journal_txn *t, struct journal_totals *out);
/* Looks at everything: a message for each fault. E_CHECK: there were some. */
MUST_USE int journal_check(struct journal_txn *t, void (*fault)(void *arg, const char *message),
			   void *arg);

#endif

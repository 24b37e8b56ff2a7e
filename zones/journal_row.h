/* zones/journal_row.h - rows of the journal's store, and what its parts share; private to zones/journal*.c.
 *
 *     journal.c        rows: of zones, of entries, of all; reading and appending
 *     journal_room.c   dropping: history that is too much or too old, entries that a snapshot has
 *     journal_check.c  is all of it as it should be?
 *
 * Threads and errors: as zones/journal.h. */
#ifndef ZONES_JOURNAL_ROW_H
#define ZONES_JOURNAL_ROW_H

#include "zones/journal.h"

struct journal {
	struct store *store;
	uint64_t limit; /* octets of all entries */
};

struct journal_txn {
	struct journal *journal;
	struct store_txn *txn;
	struct buf value; /* an entry in one piece */
};

struct journal_key {
	size_t apex; /* octets */
	size_t len;
	uint8_t data[DNAME_MAX + 12];
};

/* The number that a zone's own row has in place of an entry's. */
#define JOURNAL_SEQ_ROW UINT64_MAX
/* And its snapshot, where that lies in the store. */
#define JOURNAL_SEQ_SNAPSHOT (UINT64_MAX - 1)

/* What is known of a zone. */
struct journal_row {
	struct journal_key key;
	struct journal_zone z;
	bool chained;
};

/* Makes @err, with a message, the error of the transaction. Returns @err. */
PRINTF(3, 4) int journal_fail(struct journal_txn *t, int err, const char *fmt, ...);

/* The octets of all entries of all zones. A new store has none. */
int journal_total_get(struct journal_txn *t, uint64_t *octets);
void journal_total_put(struct journal_txn *t, uint64_t octets);
void journal_total_add(struct journal_txn *t, uint64_t more, uint64_t less);

void journal_key_of(struct journal_key *k, const uint8_t *apex);
/* Of a piece of entry @seq of the same zone. */
void journal_key_at(struct journal_key *k, uint64_t seq, uint32_t piece);

/* E_NOENT, E_DAMAGED: *row is that of a zone without entries. */
int journal_row_find(struct journal_txn *t, const uint8_t *apex, struct journal_row *row);
/* The same; E_DAMAGED stays with the transaction. */
int journal_row_load(struct journal_txn *t, const uint8_t *apex, struct journal_row *row);
void journal_row_store(struct journal_txn *t, struct journal_row *row);
/* The next zone behind @after (NULL: the first) in the order of keys. E_NOENT: none. */
int journal_row_next(struct journal_txn *t, const struct journal_key *after, struct dname *apex);
/* Is @err no error, or the answer that nothing is there? */
bool journal_is_there(int err);

/* What the head of entry @seq says. E_NOENT, E_DAMAGED. */
int journal_entry_at(struct journal_txn *t, struct journal_key *k, uint64_t seq,
		     struct journal_entry *e);
/* All octets of entry @seq in one piece, borrowed until the next call. E_NOENT, E_DAMAGED. */
int journal_value_at(struct journal_txn *t, struct journal_key *k, uint64_t seq,
		     struct store_octets *value);

#endif

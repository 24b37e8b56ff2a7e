/* server/committer.h - makes changes durable: those of many zones with one write.
 *
 * Jobs hand in what their zone's next version changes. Who finds nobody writing writes all that has come to the
 * journal, in one transaction; others wait, and one of them writes what has come meanwhile. So the disk's flush is
 * shared by all who wait for it, nobody waits for others to come, and who is alone wakes nobody.
 *
 * Threads: any job may call committer_write; each zone has one at a time.
 * Memory:  the journal is borrowed. */
#ifndef SERVER_COMMITTER_H
#define SERVER_COMMITTER_H

#include "zones/journal.h"

struct committer;

struct committer *committer_new(struct journal *journal);
/* Nobody waits any more. NULL is fine. */
void committer_free(struct committer *c);

/* What is to become durable. */
struct commit {
	const uint8_t *apex;
	const struct diff *diff;    /* NULL: no change of the zone's records */
	struct journal_entry entry; /* source and time are the caller's */
	/* What is known of the zone beside its records, to be written with it; NULL: as it was. */
	const struct journal_zone *zone;
	uint64_t snapshot_seq; /* a snapshot with all up to this one is there; 0: no new one */
	const struct buf
		*snapshot; /* that one, where it is to lie in the journal; NULL: elsewhere */
	bool is_reset;	   /* all entries are to go, as the snapshot has all there is */
	/* The oldest history of the zone is to go until there is no more of it than this, and none of before that time. */
	uint64_t history_octets; /* 0: no limit */
	int64_t history_from;	 /* seconds since 1970; 0: no limit */
	/* Results. */
	uint64_t seq;		/* of the entry */
	uint64_t needed_octets; /* that a restart would have to read behind the snapshot */
	/* Private. */
	struct commit *next;
	bool is_done;
	int err;
	struct errmsg em;
};

/* Returns when it is on the disk. Otherwise it is not, and nothing of it; @em says why: E_LIMIT: there is no room for it in
 * the journal among what restarts need; E_DISKFULL, E_IO, ... */
MUST_USE int committer_write(struct committer *c, struct commit *commit, struct errmsg *em);

#endif

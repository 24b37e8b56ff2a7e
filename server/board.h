/* server/board.h - what a keeper tells of itself while it works: its jobs write, the control thread reads.
 *
 * Threads: any; locked inside.
 * Memory:  what is read is a copy. */
#ifndef SERVER_BOARD_H
#define SERVER_BOARD_H

#include <pthread.h>

#include "keys/holder.h"
#include "signer/sign.h"
#include "zones/journal.h"

struct board_key {
	struct key key; /* public: no pair, no paths */
	bool can_sign;
};

/* What is told when a job ends. */
struct board_end {
	bool is_open;		    /* something was loaded */
	bool is_frozen;		    /* takes no updates */
	struct journal_stamp stamp; /* of the zone file when it was read */
	int64_t retry; /* when it is tried again what the disk kept from being done; INT64_MAX: never */
	int64_t due;	   /* when signatures are to be renewed; INT64_MAX: never */
	int64_t key_event; /* when a key comes into use or goes; INT64_MAX: never */
};

struct board_facts {
	const char *job; /* that runs, a constant; NULL: none does */
	int64_t since;	 /* seconds since 1970, as all that follow: when it began */
	/* The last failure that nothing has mended. */
	const char *failed; /* job; NULL: there is none */
	int64_t failed_at;
	int64_t loaded_at;
	struct board_end end; /* of the last job */
};

/* What is told. */
struct board_notes {
	struct board_facts facts;
	bool is_waiting;      /* for a thread */
	struct errmsg reason; /* of the failure */
	struct board_key keys[SIGN_KEYS_MAX];
	size_t key_count;
};

/* Most zones have no keys and no failure, and there are many zones. */
struct board {
	pthread_mutex_t lock; /* of what follows */
	struct board_facts facts;
	struct errmsg *reason;	/* heap; NULL: nothing has failed */
	struct board_key *keys; /* heap */
	size_t key_count;
};

void board_init(struct board *b);
void board_destroy(struct board *b);

/* @job, a constant, begins at @now. */
void board_begin(struct board *b, const char *job, int64_t now);
/* It has failed, or gone well: that mends what it had failed with before. */
void board_fail(struct board *b, const char *job, const struct errmsg *why);
void board_succeed(struct board *b, const char *job);
/* Something new was loaded. */
void board_loaded(struct board *b, int64_t now);
/* Takes note of the keys of @h; NULL: none. */
void board_keys(struct board *b, const struct holder *h);
/* The job has ended. */
void board_end(struct board *b, const struct board_end *end);

void board_read(struct board *b, struct board_notes *out);

#endif

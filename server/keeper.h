/* server/keeper.h - keeps one zone: what the server itself has to do for it, one job at a time.
 *
 *     load     from its file: signed, verified, published
 *     update   the requests that wait, together: one edit, one serial, one write to the journal
 *     orders   what signetctl has asked for (server/orders.h)
 *     renew    the signatures that are due
 *
 * Each that changes the zone is one run of the pipeline (server/publish.h).
 *
 * Threads: one job thread at a time runs a keeper; what is marked so is under the lock of server/jobs.c.
 * Memory:  the zone and the configuration are borrowed. */
#ifndef SERVER_KEEPER_H
#define SERVER_KEEPER_H

#include "keys/holder.h"
#include "server/board.h"
#include "server/config.h"
#include "server/request.h"
#include "server/tsig.h"
#include "server/vault.h"
#include "signer/verify.h"
#include "zones/zone.h"

/* Requests that are taken together, so that they share a serial and a write; each is still all or nothing. Where that
 * fails, they are taken one by one. */
#define KEEPER_GROUP_MAX 256
/* Signed sets that are renewed together; updates get their turn in between. */
#define KEEPER_RENEW_MAX 4096

struct order;

struct keeper {
	struct zone *zone;
	const struct config_zone *config;
	/* Under the lock. */
	struct request *first, **last;	     /* that wait */
	struct order *orders, **orders_last; /* likewise */
	bool wants_load;
	bool is_queued, is_busy;
	bool is_kept;	     /* while zones are set */
	struct keeper *next; /* in the queue */
	int64_t due;	     /* seconds: when signatures are to be renewed; INT64_MAX: never */
	struct board board;  /* what it tells of itself; locked by itself */
	/* The job's. */
	bool is_open;		 /* what is served is what `kept` says, with all its changes */
	struct version *expired; /* of a secondary: what is not served any more; NULL: none */
	struct holder *holder;	 /* NULL: the zone is not signed by us, or nothing was loaded */
	struct holder_session *session; /* of the holder */
	struct verify_memory *memory;	/* NULL: the zone is not signed by us */
	struct journal_zone kept;	/* what the vault knows of the zone */
	bool makes_keys; /* where there are none, even if the policy does not: somebody asked for it */
	bool is_kept_new; /* something of that is not there yet */
	int64_t retry; /* seconds: when a load that failed is tried again; INT64_MAX: none did, or it is for a person to mend */
	int64_t key_event; /* seconds: when a key comes into use or goes; INT64_MAX: never */
	/* How the zone was signed last. */
	struct {
		enum denial denial; /* DENIAL_NONE: not known */
		struct nsec3_param nsec3;
		unsigned zonemd;
	} signed_as;
	uint32_t max_ttl; /* seconds, of all records */
	/* A zone file that takes out too much waits for approval (server/guard.h): which, and which was approved; zero: none. */
	struct journal_stamp held, approved;
	bool is_raised; /* it was said that signatures are valid longer than the policy has it */
};

/* What is to be done, taken from the keeper under the lock. */
struct keeper_work {
	bool load;
	struct request *requests;
	unsigned count;
	struct order *orders;
	int64_t now; /* seconds since 1970 */
};

/* What jobs share. */
struct keeper_env {
	const struct config *config;
	struct vault *vault;	      /* NULL: nothing is kept (tests) */
	const struct tsig_ring *ring; /* of the thread */
	void (*changed)(void *arg,
			const uint8_t *zone); /* told of a zone that was published; or NULL */
	void *changed_arg;
};

struct keeper *keeper_new(struct zone *zone, const struct config_zone *config);
/* While no job runs. */
void keeper_set_config(struct keeper *k, const struct config_zone *config);
void keeper_free(struct keeper *k);
/* Does the work, answers the requests, and sets k->due (the only member under the lock that it writes: the caller
 * locks). Returns that. */
int64_t keeper_run(struct keeper *k, const struct keeper_env *env, const struct keeper_work *work);
/* Answers requests for a zone that nobody keeps (NOTAUTH), or that has nothing to serve (SERVFAIL); those that are
 * wrong in themselves as they deserve. */
void keeper_answer(const struct keeper_env *env, const struct keeper_work *work, uint16_t rcode);
/* Has the zone, which is signed by us, be signed with the chain @denial (not DENIAL_NONE), for DENIAL_NSEC3 by the parameters
 * @nsec3 (its flags: NSEC3_OPT_OUT or 0). So it stays until policies.denial changes in the configuration, over restarts
 * too. For a job at @now; *due gets earlier where that is when signatures are to be renewed. E_INVAL: the zone is not
 * signed by us. E_UNSUPPORTED: no such chain is made. Else as publish_run. */
MUST_USE int keeper_choose_chain(struct keeper *k, const struct keeper_env *env,
				 const struct journal_chain *chain, int64_t now, int64_t *due,
				 struct errmsg *em);
/* The file at @path as it is now; all zero: there is none. */
struct journal_stamp keeper_stamp(const char *path);
bool keeper_same_stamp(const struct journal_stamp *a, const struct journal_stamp *b);

#endif

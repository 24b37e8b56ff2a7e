/* server/keeper_run.h - what the jobs of a keeper have in common; private to server/keeper.c and server/orders.c.
 *
 * Threads: the job of the keeper. */
#ifndef SERVER_KEEPER_RUN_H
#define SERVER_KEEPER_RUN_H

#include "server/keeper.h"
#include "server/publish.h"

/* How the zone is signed at @now; @v has its SOA. */
struct sign_policy keeper_policy(struct keeper *k, const struct version *v, int64_t now);
/* A run of the pipeline for @e (taken by publish_run), an edit of what is served. */
struct publish keeper_publish(struct keeper *k, const struct keeper_env *env, struct edit *e,
			      const struct sign_policy *policy, enum journal_source from);
/* Frees what was served before publish_run, once no reader has it any more. NULL is fine. */
void keeper_let_go(struct version *old);

/* Reads the keys, and takes what is in the database or has changed in the zone file. The zone is stale when it fails. E_HELD:
 * the file waits for approval. */
MUST_USE int keeper_load(struct keeper *k, const struct keeper_env *env, int64_t now,
			 struct errmsg *em);
/* Makes all signatures anew, whatever there is, of a zone that is signed by us and is loaded. Afterwards it is not known
 * when which of them is due. */
MUST_USE int keeper_sign_anew(struct keeper *k, const struct keeper_env *env, int64_t now,
			      struct errmsg *em);
/* Is @type one whose records the server makes by itself, so that they are not the zone file's to say? */
bool keeper_makes(const struct keeper *k, uint16_t type);

#endif

/* server/keeper_run.h - what the jobs of a keeper have in common; private to server/keeper*.c, orders*.c and secondary.c.
 *
 *     keeper.c         the order of things in a job; the pipeline
 *     keeper_policy.c  how the zone is signed, and how it was
 *     keeper_keys.c    its keys
 *     keeper_load.c    from the database; what has changed in its file
 *     keeper_update.c  updates that wait together
 *     keeper_renew.c   signatures that are due
 *
 * Threads: the job of the keeper. */
#ifndef SERVER_KEEPER_RUN_H
#define SERVER_KEEPER_RUN_H

#include "server/keeper.h"
#include "server/publish.h"

/* After a failure it is tried again. */
#define KEEPER_RETRY_S 60

/* keeper_policy.c */
/* How the zone is signed at @now; @v has its SOA. */
struct sign_policy keeper_policy(struct keeper *k, const struct version *v, int64_t now);
/* The largest TTL of @v, which is looked through. */
uint32_t keeper_max_ttl(const struct version *v);
/* Seconds for which a secondary that was cut off, and a cache behind it, may hold records of @v. */
int64_t keeper_held_s(const struct keeper *k, const struct version *v);
/* Spreads the signatures of all of the zone over all of their time, so that renewing them is spread as well. */
void keeper_spread(struct sign_policy *p);
/* Remembers that @chain was chosen instead of what the policy has now. False: it is the one that we make. */
bool keeper_note_chain(struct keeper *k, const struct journal_chain *chain);
/* What was chosen instead of something else than what the policy has now holds no longer. */
void keeper_forget_chain(struct keeper *k);
/* What is served has been signed by @policy, which may have been durable for longer. */
void keeper_note_signed(struct keeper *k, const struct sign_policy *policy);
/* Has the operator, or a client, chosen another way to sign? */
bool keeper_is_other_policy(const struct keeper *k);

/* keeper_keys.c */
void keeper_key_directory(const struct keeper *k, const struct keeper_env *env, struct buf *out);
/* Takes over @holder and @session; those of before go. */
void keeper_set_holder(struct keeper *k, struct holder *holder, struct holder_session *session);
/* Reads the keys of the zone, or makes them; those that were read before go. Where it is not signed by us, there are none. */
MUST_USE int keeper_get_keys(struct keeper *k, const struct keeper_env *env, int64_t now,
			     struct errmsg *em);

/* keeper.c */
/* Says, in the log and on the board, that @what has failed. */
void keeper_log_failure(struct keeper *k, const char *what, const struct errmsg *em);
/* A run of the pipeline for @e (taken by publish_run), an edit of what is served. */
struct publish keeper_publish(struct keeper *k, const struct keeper_env *env, struct edit *e,
			      const struct sign_policy *policy, enum journal_source from);
/* publish_run, with what the database knows of the zone. */
MUST_USE int keeper_publish_run(struct keeper *k, struct publish *p, struct version **old,
				struct errmsg *em);
/* A version was published in another way: what it lists, if it is a catalog, is looked at. */
void keeper_tell_catalog(const struct keeper *k, const struct keeper_env *env);
/* Frees what was served before publish_run, once no reader has it any more. NULL is fine. */
void keeper_let_go(struct version *old);

/* keeper_load.c */
/* Reads the keys, and takes what is in the database or has changed in the zone file. The zone is stale when it fails. E_HELD:
 * the file waits for approval. */
MUST_USE int keeper_load(struct keeper *k, const struct keeper_env *env, int64_t now,
			 struct errmsg *em);
/* Is @type one whose records the server makes by itself, so that they are not the zone file's to say? */
bool keeper_makes(const struct keeper *k, uint16_t type);

/* keeper_update.c */
/* Does what the requests of @work ask for, and answers them. *@due gets earlier where signatures are due before. */
void keeper_update(struct keeper *k, const struct keeper_env *env, const struct keeper_work *work,
		   int64_t *due);
void keeper_refuse_frozen(const struct keeper *k, const struct keeper_env *env,
			  const struct keeper_work *work);

/* keeper_renew.c */
/* Renews what is due; returns when the next is. */
int64_t keeper_renew(struct keeper *k, const struct keeper_env *env, int64_t now);
/* Makes all signatures anew, whatever there is, of a zone that is signed by us and is loaded. Afterwards it is not known
 * when which of them is due. */
MUST_USE int keeper_sign_anew(struct keeper *k, const struct keeper_env *env, int64_t now,
			      struct errmsg *em);

#endif

/* server/keeper_update.c - updates of a zone that wait together: one edit. */
#include "server/keeper_run.h"

#include "server/update.h"
#include "server/zone_text.h"
#include "signer/nsec3_hash.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"

/* So many updates at once are signed on all cores; for fewer it takes longer to start the threads. */
#define PARALLEL_MIN 8

/* Only by what is done: what is refused may say anything. */
static void raise_max_ttl(struct keeper *k, const struct update *u)
{
	for (uint32_t i = 0; u->rcode == RCODE_NOERROR && i < u->ddns.update_count; i++) {
		const struct ddns_rr *rr = &u->ddns.updates[i];
		if (rr->class == RRCLASS_IN && rr->ttl > k->max_ttl) {
			k->max_ttl = rr->ttl;
		}
	}
}

/* Takes the chain that the update asks for, if it is another than the one we make: true. */
static bool take_chain(struct keeper *k, const struct update *u)
{
	const struct ddns_result *r = &u->result;
	struct journal_chain chain = { .denial = DENIAL_NSEC };
	if (k->config->policy == NULL || u->rcode != RCODE_NOERROR || r->chain == DDNS_CHAIN_LEFT) {
		return false;
	}
	if (r->chain == DDNS_CHAIN_NSEC3) {
		chain.denial = DENIAL_NSEC3;
		chain.nsec3 = r->nsec3_param;
		chain.nsec3.flags &= NSEC3_OPT_OUT;
	}
	return keeper_note_chain(k, &chain);
}

/* Does in one edit what all of @updates ask for, and publishes that. *@due gets earlier where there are signatures to be
 * renewed before. On error nothing of it was done. */
static int try_updates(struct keeper *k, const struct keeper_env *env, struct update *updates,
		       unsigned count, int64_t *due, struct version **old, struct errmsg *em)
{
	struct version *base = k->zone->current;
	const int64_t now = updates->now;
	const int64_t held = keeper_held_s(k, base);
	const uint32_t max_ttl = k->max_ttl;
	const struct journal_chain chain = k->kept.chain;
	struct edit *e = edit_begin(base, NULL, EDIT_TTL_LAST);
	bool is_changed = false;
	bool is_chain_new = false;
	bool serial_is_set = false;
	for (unsigned i = 0; i < count; i++) {
		struct update *u = &updates[i];
		update_apply(u, k->config, e);
		is_changed = is_changed || (u->rcode == RCODE_NOERROR && u->result.is_changed);
		serial_is_set =
			serial_is_set || (u->rcode == RCODE_NOERROR && u->result.is_serial_set);
		raise_max_ttl(k, u);
		is_chain_new = take_chain(k, u) || is_chain_new;
	}
	if (!is_changed && !is_chain_new) {
		edit_abort(e);
		return E_OK;
	}
	struct sign_policy policy = keeper_policy(k, edit_state(e), now);
	policy.threads = count < PARALLEL_MIN && !is_chain_new ? 1 : 0;
	if (serial_is_set) {
		policy.serial = SIGN_SERIAL_KEEP;
	}
	struct publish p = keeper_publish(k, env, e, &policy, JOURNAL_UPDATE);
	int err = keeper_publish_run(k, &p, old, em);
	if (err != E_OK) {
		k->max_ttl = max_ttl;
		k->kept.chain = chain;
	} else if (k->holder != NULL) {
		if (is_chain_new) {
			keeper_note_signed(k, &policy);
		}
		*due = p.signed_.next_due < *due ? p.signed_.next_due : *due;
		/* Where records may be held for longer now, signatures that were good for long enough are not. */
		*due = keeper_held_s(k, k->zone->current) > held ? now : *due;
	}
	return err;
}

static void answer(struct update *updates, unsigned count, int err)
{
	for (unsigned i = 0; i < count; i++) {
		if (err != E_OK && updates[i].rcode == RCODE_NOERROR) {
			updates[i].rcode = RCODE_SERVFAIL;
		}
		update_close(&updates[i]);
	}
}

/* One after the other, so that one that cannot be done does not take the others with it. */
static void update_each(struct keeper *k, const struct keeper_env *env, struct update *updates,
			unsigned count, int64_t *due)
{
	for (unsigned i = 0; i < count; i++) {
		struct version *old = NULL;
		struct errmsg em = { "" };
		int err = try_updates(k, env, &updates[i], 1, due, &old, &em);
		if (err != E_OK) {
			keeper_log_failure(k, "update", &em);
		}
		answer(&updates[i], 1, err);
		keeper_let_go(old);
	}
}

static struct update *open_updates(const struct keeper_env *env, const struct keeper_work *work)
{
	struct update *updates = mem_array(work->count, sizeof(*updates));
	struct request *r = work->requests;
	for (unsigned i = 0; i < work->count; i++) {
		struct request *next = r->next;
		update_open(&updates[i], r, env->ring, work->now);
		r = next;
	}
	return updates;
}

void keeper_update(struct keeper *k, const struct keeper_env *env, const struct keeper_work *work,
		   int64_t *due)
{
	struct update *updates = open_updates(env, work);
	struct version *old = NULL;
	struct errmsg em = { "" };
	int err = try_updates(k, env, updates, work->count, due, &old, &em);
	if (err != E_OK && work->count > 1) {
		update_each(k, env, updates, work->count, due);
	} else {
		if (err != E_OK) {
			keeper_log_failure(k, "update", &em);
		} else {
			board_succeed(&k->board, "update");
		}
		answer(updates, work->count, err);
	}
	mem_free(updates);
	keeper_let_go(old);
}

void keeper_answer(const struct keeper_env *env, const struct keeper_work *work, uint16_t rcode)
{
	struct update *updates = open_updates(env, work);
	for (unsigned i = 0; i < work->count; i++) {
		if (updates[i].rcode == RCODE_NOERROR) {
			updates[i].rcode = rcode;
		}
		update_close(&updates[i]);
	}
	mem_free(updates);
}

void keeper_refuse_frozen(const struct keeper *k, const struct keeper_env *env,
			  const struct keeper_work *work)
{
	struct zone_text name;
	log_notice("update-frozen", "zone=%s requests=%u remedy=\"signetctl thaw\"",
		   zone_text(k->config->name, &name), work->count);
	keeper_answer(env, work, RCODE_REFUSED);
}

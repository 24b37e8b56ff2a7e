/* server/keeper.c - keeps one zone: the order of things in a job. */
#include "server/keeper_run.h"

#include "server/notify.h"
#include "server/order.h"
#include "server/secondary.h"
#include "server/zone_text.h"
#include "zones/base/epoch.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"

void keeper_log_failure(struct keeper *k, const char *what, const struct errmsg *em)
{
	struct zone_text name;
	char text[700];
	board_fail(&k->board, what, em);
	log_error("zone-unchanged", "zone=%s job=%s serving=%s reason=%s",
		  zone_text(k->config->name, &name), what,
		  k->zone->current != NULL ? "old" : "nothing",
		  log_quote(em->text, text, sizeof(text)));
}

/* --- the pipeline ---------------------------------------------------------------------------- */

/* How far back the journal may reach; 0: as far as there is room. */
static int64_t history_from(const struct keeper *k, const struct keeper_env *env, int64_t now)
{
	const uint32_t own = k->config->journal_max_age_s;
	const uint32_t age = own != 0 ? own : env->config->server.journal_max_age_s;
	return age != 0 ? now - age : 0;
}

struct publish keeper_publish(struct keeper *k, const struct keeper_env *env, struct edit *e,
			      const struct sign_policy *policy, enum journal_source from)
{
	const int64_t held = k->holder != NULL ? keeper_held_s(k, edit_state(e)) : 0;
	return (struct publish){ .zone = k->zone,
				 .base = k->zone->current,
				 .edit = e,
				 .holder = k->holder,
				 .policy = policy,
				 .memory = k->memory,
				 .valid_until = policy->now + held,
				 .vault = env->vault,
				 .kept = &k->kept,
				 .is_kept_new = k->is_kept_new,
				 .from = from,
				 .history_octets = k->config->journal_max_size,
				 .history_from = history_from(k, env, policy->now),
				 .changed = notify_is_wanted(k->config, edit_state(e)) ||
							    k->config->catalog_role ==
								    CONFIG_CATALOG_CONSUMER
						    ? env->changed
						    : NULL,
				 .changed_arg = env->changed_arg };
}

int keeper_publish_run(struct keeper *k, struct publish *p, struct version **old, struct errmsg *em)
{
	const bool was_signed = k->kept.is_signed;
	const struct journal_stamp stamp = k->kept.stamp;
	k->kept.is_signed = p->holder != NULL;
	if (k->kept.is_signed && !was_signed && p->from == JOURNAL_RESIGN &&
	    config_zone_is_secondary(k->config)) {
		secondary_note_signed(k, p->base);
	}
	p->is_kept_new = p->is_kept_new || k->kept.is_signed != was_signed;
	int err = publish_run(p, old, em);
	if (err == E_OK) {
		k->is_kept_new = false;
	} else {
		k->kept.is_signed = was_signed;
		k->kept.stamp = p->from == JOURNAL_RESIGN ? stamp : k->kept.stamp;
	}
	return err;
}

void keeper_tell_catalog(const struct keeper *k, const struct keeper_env *env)
{
	if (k->config->catalog_role == CONFIG_CATALOG_CONSUMER && env->changed != NULL) {
		env->changed(env->changed_arg, k->zone->apex);
	}
}

void keeper_let_go(struct version *old)
{
	if (old != NULL) {
		epoch_wait();
		version_unref(old);
	}
}

/* So that a restart has little to read, and the journal room. */
static void make_snapshot(struct keeper *k, const struct keeper_env *env)
{
	const struct version *v = k->zone->current;
	struct errmsg em = { "" };
	if (env->vault == NULL || v == NULL || !vault_wants_snapshot(&k->kept, v)) {
		return;
	}
	if (vault_snapshot(env->vault, k->config->name, v, &k->kept, &em) != E_OK) {
		keeper_log_failure(k, "snapshot", &em);
	} else {
		board_succeed(&k->board, "snapshot");
	}
}

/* --- orders ---------------------------------------------------------------------------------- */

static void end_job(struct keeper *k, int64_t due)
{
	const struct board_end end = { .is_open = k->is_open,
				       .is_frozen = k->kept.frozen,
				       .stamp = k->kept.stamp,
				       .due = due,
				       .retry = k->retry,
				       .key_event = k->key_event };
	board_end(&k->board, &end);
}

/* *@due gets earlier where one of them says so. */
static void run_orders(struct keeper *k, const struct keeper_env *env,
		       const struct keeper_work *work, int64_t *due)
{
	struct order *o = work->orders;
	while (o != NULL) {
		struct order *next = o->next; /* who is told takes its memory away */
		o->due = INT64_MAX;
		board_begin(&k->board, "order", work->now);
		o->err = o->run(k, env, work->now, o);
		*due = o->due < *due ? o->due : *due;
		end_job(k, *due); /* so that who is told finds it so */
		o->done(o);
		o = next;
	}
}

/* --- the work -------------------------------------------------------------------------------- */

int64_t keeper_run(struct keeper *k, const struct keeper_env *env, const struct keeper_work *work)
{
	int64_t due = k->due;
	if (work->load || k->retry <= work->now) {
		struct errmsg em = { "" };
		board_begin(&k->board, "load", work->now);
		int err = keeper_load(k, env, work->now, &em);
		if (err != E_OK) {
			keeper_log_failure(k, "load", &em);
		}
		due = work->now;
	}
	run_orders(k, env, work, &due);
	if (work->count != 0 && k->zone->current == NULL) {
		keeper_answer(env, work, RCODE_SERVFAIL);
	} else if (work->count != 0 && k->kept.frozen) {
		keeper_refuse_frozen(k, env, work);
	} else if (work->count != 0) {
		board_begin(&k->board, "update", work->now);
		keeper_update(k, env, work, &due);
	}
	if (due <= work->now) {
		board_begin(&k->board, "renew", work->now);
		due = keeper_renew(k, env, work->now);
	}
	make_snapshot(k, env);
	end_job(k, due);
	return due < k->retry ? due : k->retry;
}

void keeper_set_config(struct keeper *k, const struct config_zone *config)
{
	k->config = config;
	keeper_forget_chain(k);
	if (config->policy != NULL && keeper_is_other_policy(k)) {
		k->due = 0;
	}
}

struct keeper *keeper_new(struct zone *zone, const struct config_zone *config)
{
	struct keeper *k = mem_zalloc(sizeof(*k));
	k->zone = zone;
	k->config = config;
	k->last = &k->first;
	k->orders_last = &k->orders;
	board_init(&k->board);
	k->wants_load = true;
	k->due = INT64_MAX;
	k->retry = INT64_MAX;
	k->key_event = INT64_MAX;
	return k;
}

void keeper_free(struct keeper *k)
{
	if (k != NULL) {
		keeper_set_holder(k, NULL, NULL);
		verify_memory_free(k->memory);
		board_destroy(&k->board);
		version_unref(k->expired);
		mem_free(k);
	}
}

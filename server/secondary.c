/* server/secondary.c - what the jobs of a zone do where it comes from primaries. */
#include "server/secondary.h"

#include <stdio.h>

#include "server/guard.h"
#include "server/keeper_run.h"
#include "server/transferred.h"
#include "server/unsign.h"
#include "server/zone_text.h"
#include "zones/base/log.h"

#define NS_PER_S 1000000000

/* A file there is none: the place of its time is that of the last word of a primary, the place of its size that of the
 * primary's serial, where we sign and have one of our own. */
static int64_t heard_at(const struct keeper *k)
{
	return k->kept.stamp.mtime_ns / NS_PER_S;
}

static void set_heard(struct keeper *k, int64_t now, uint32_t serial)
{
	k->kept.stamp = (struct journal_stamp){ .mtime_ns = now * NS_PER_S, .size = serial };
}

static bool signs(const struct keeper *k)
{
	return k->config->policy != NULL;
}

/* What there is of the zone, served or not. */
static struct version *state_of(const struct keeper *k)
{
	return k->zone->current != NULL ? k->zone->current : k->expired;
}

bool secondary_is_expired(const struct keeper *k, const struct version *v, int64_t now)
{
	return now - heard_at(k) >= (int64_t)version_soa(v).expire;
}

/* --- taking ---------------------------------------------------------------------------------- */

/* Is it a zone at all? What else a primary serves is its own affair. */
static int check(const struct version *v, struct errmsg *em)
{
	if (v->soa == NULL || v->apex_node == NULL || node_find(v->apex_node, RRTYPE_NS) == NULL) {
		return err_set(em, E_CHECK, "the zone has no %s at its apex",
			       v->soa == NULL ? "SOA" : "NS");
	}
	return E_OK;
}

uint32_t secondary_serial(const struct keeper *k, const struct version *state)
{
	return k->kept.is_signed ? (uint32_t)k->kept.stamp.size : state->serial;
}

bool secondary_was(const struct keeper *k)
{
	return k->kept.stamp.inode == 0;
}

/* Is what there is nothing that a primary's changes could be of? It was signed here and is to be so no more, or it was a
 * file of which no primary knows. */
static bool is_other(const struct keeper *k)
{
	return (k->kept.is_signed && !signs(k)) || !secondary_was(k);
}

void secondary_note_signed(struct keeper *k, const struct version *transferred)
{
	set_heard(k, heard_at(k), transferred->serial);
}

static void log_taken(const struct keeper *k, const struct visit *v, const struct version *was)
{
	struct zone_text name;
	char from[300];
	char before[16] = "none";
	if (was != NULL) {
		(void)snprintf(before, sizeof(before), "%u", was->serial);
	}
	log_info("zone-transferred", "zone=%s primary=%s kind=%s serial=%u was=%s records=%llu",
		 zone_text(k->config->name, &name), log_quote(v->from, from, sizeof(from)),
		 v->whole != NULL ? "AXFR" : "IXFR", k->zone->current->serial, before,
		 (unsigned long long)k->zone->current->records);
}

/* How what was transferred is signed and published; *policy gets that. */
static struct publish prepare(struct keeper *k, const struct keeper_env *env, int64_t now,
			      const struct visit *v, struct version *base,
			      const struct taking *taken, struct sign_policy *policy)
{
	struct edit *e = taken->edit;
	*policy = (struct sign_policy){ .now = now, .serial = SIGN_SERIAL_KEEP };
	if (signs(k)) {
		*policy = keeper_policy(k, edit_state(e), now);
		policy->sign_all = base != NULL && !k->kept.is_signed;
	}
	if (signs(k) && base == NULL) {
		keeper_spread(policy);
	}
	policy->threads = v->whole != NULL || policy->sign_all ? 0 : 1;
	struct publish p = keeper_publish(k, env, e, policy, JOURNAL_TRANSFER);
	p.base = base;
	p.is_kept_new = true;
	/* Signatures of then would be as old. */
	p.is_anew = taken->is_anew || (k->kept.is_signed && !signs(k));
	return p;
}

static void after_signing(struct keeper *k, const struct sign_policy *policy,
			  const struct publish *p, int64_t held, struct order *o)
{
	keeper_note_signed(k, policy);
	o->due = p->signed_.next_due < o->due ? p->signed_.next_due : o->due;
	/* Where records may be held for longer now, signatures that were good for long enough are not. */
	o->due =
		p->base == NULL || keeper_held_s(k, k->zone->current) > held ? policy->now : o->due;
}

static int publish(struct keeper *k, const struct keeper_env *env, int64_t now, struct visit *v,
		   struct version *base, const struct taking *taken)
{
	struct version *old = NULL;
	struct sign_policy policy;
	const bool was_signed = k->kept.is_signed;
	const int64_t held = base != NULL ? keeper_held_s(k, base) : 0;
	struct publish p = prepare(k, env, now, v, base, taken, &policy);
	int err = keeper_publish_run(k, &p, &old, &v->order.em);
	if (err != E_OK) {
		return err;
	}
	k->is_open = true;
	if (k->holder != NULL) {
		after_signing(k, &policy, &p, held, &v->order);
	} else if (was_signed) {
		k->signed_as.denial = DENIAL_NONE;
		unsign_warn(k->config->name);
	}
	log_taken(k, v, base);
	keeper_let_go(old);
	version_unref(k->expired);
	k->expired = NULL;
	return E_OK;
}

/* Where signatures of before it expired may have expired, too, they are renewed next. */
static void bring_back(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	if (k->expired != NULL) {
		keeper_let_go(zone_publish(k->zone, k->expired));
		keeper_tell_catalog(k, env);
		k->expired = NULL;
		o->due = now;
	}
}

static int take(struct keeper *k, const struct keeper_env *env, int64_t now, struct visit *v,
		struct errmsg *em)
{
	const struct transferred t = { v->whole, v->changes, v->change_count };
	const struct journal_stamp was = k->kept.stamp;
	struct taking taken = { .max_ttl = k->max_ttl };
	struct version *base = state_of(k);
	if (signs(k) && k->holder == NULL) {
		return err_set(
			em, E_NOENT,
			"there are no keys to sign the zone with; signetctl status says why");
	}
	int err = transferred_edit(&t, base, signs(k), &taken, em);
	if (err == E_OK && taken.edit != NULL) {
		err = check(edit_state(taken.edit), em);
	}
	if (err == E_OK && taken.edit != NULL && base != NULL) {
		err = guard_check(k->config, base, edit_state(taken.edit), &v->removed, em);
	}
	if (err != E_OK) {
		edit_abort(taken.edit);
		return err;
	}
	const uint32_t max_ttl = k->max_ttl;
	k->max_ttl = taken.max_ttl;
	set_heard(k, now, transferred_serial(&t));
	if (taken.edit != NULL) {
		err = publish(k, env, now, v, base, &taken);
	} else {
		bring_back(k, env, now, &v->order);
		err = vault_note(env->vault, k->config->name, NULL, &k->kept, em);
	}
	if (err != E_OK) {
		k->kept.stamp = was;
		k->max_ttl = max_ttl;
	}
	return err;
}

/* --- the rest -------------------------------------------------------------------------------- */

/* Written at times only: a restart that thinks it older than it is asks again, and no more. */
#define CONFIRM_PART 20

static int confirm(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	const struct version *v = state_of(k);
	if (v == NULL) {
		return err_set(&o->em, E_MISMATCH, "there is nothing of the zone");
	}
	bring_back(k, env, now, o);
	if (now - heard_at(k) < (int64_t)version_soa(v).expire / CONFIRM_PART) {
		return E_OK;
	}
	set_heard(k, now, secondary_serial(k, v));
	return vault_note(env->vault, k->config->name, NULL, &k->kept, &o->em);
}

static void expire(struct keeper *k)
{
	struct zone_text name;
	if (k->zone->current == NULL) {
		return;
	}
	log_error(
		"zone-expired",
		"zone=%s serial=%u reason=\"no primary has answered for as long as the SOA allows\" "
		"remedy=\"see why transfers fail; it comes back by itself\"",
		zone_text(k->config->name, &name), k->zone->current->serial);
	k->expired = version_ref(k->zone->current);
	keeper_let_go(zone_publish(k->zone, NULL));
}

static void tell(const struct keeper *k, struct visit *v, int64_t now)
{
	const struct version *state = state_of(k);
	v->has_zone = state != NULL;
	if (v->has_zone) {
		const struct soa_numbers n = version_soa(state);
		v->serial = secondary_serial(k, state);
		v->is_other = is_other(k);
		v->refresh = n.refresh;
		v->retry = n.retry;
		v->expire = n.expire;
		v->heard_at = v->what == VISIT_LOOK || v->what == VISIT_EXPIRE ? heard_at(k) : now;
	}
}

int secondary_visit(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	struct visit *v = o->arg;
	int err = E_OK;
	switch (v->what) {
	case VISIT_TAKE:
		err = take(k, env, now, v, &o->em);
		break;
	case VISIT_CONFIRM:
		err = confirm(k, env, now, o);
		break;
	case VISIT_EXPIRE:
		expire(k);
		break;
	default:
		break;
	}
	version_unref(v->whole);
	v->whole = NULL;
	xfr_in_changes_free(v->changes, v->change_count);
	v->changes = NULL;
	v->change_count = 0;
	tell(k, v, now);
	return err;
}

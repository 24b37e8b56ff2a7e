/* server/secondary.c - what the jobs of a zone do where it comes from primaries. */
#include "server/secondary.h"

#include <stdio.h>

#include "server/keeper_run.h"
#include "server/zone_text.h"
#include "zones/base/log.h"

#define NS_PER_S 1000000000

/* A file there is none; the place of its time is that of the last word of a primary. */
static int64_t heard_at(const struct keeper *k)
{
	return k->kept.stamp.mtime_ns / NS_PER_S;
}

static void set_heard(struct keeper *k, int64_t now)
{
	k->kept.stamp = (struct journal_stamp){ .mtime_ns = now * NS_PER_S };
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

/* The edit that makes of what we have what was transferred; NULL: nothing differs. */
static int make_edit(struct visit *v, const struct version *base, struct edit **out,
		     struct errmsg *em)
{
	struct edit *e = NULL;
	struct diff all = { 0 };
	int err = E_OK;
	*out = NULL;
	if (base == NULL && v->whole == NULL) {
		return err_set(em, E_MISMATCH, "there is nothing that the changes could be of");
	}
	if (base == NULL) {
		*out = edit_begin(v->whole, NULL, EDIT_TTL_LAST);
		return E_OK;
	}
	if (v->whole != NULL) {
		diff_make(base, v->whole, &all);
	}
	if (v->whole == NULL || !diff_is_empty(&all)) {
		e = edit_begin(base, NULL, EDIT_TTL_LAST);
	}
	if (e != NULL && v->whole != NULL) {
		err = diff_apply(&all, e, em);
	}
	for (size_t i = 0; i < v->change_count && err == E_OK; i++) {
		err = diff_apply(&v->changes[i], e, em);
	}
	diff_clear(&all);
	if (err != E_OK) {
		edit_abort(e);
		return err;
	}
	*out = e;
	return E_OK;
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

/* Publishes what was expired. */
static void bring_back(struct keeper *k)
{
	if (k->expired != NULL) {
		keeper_let_go(zone_publish(k->zone, k->expired));
		k->expired = NULL;
	}
}

static int take(struct keeper *k, const struct keeper_env *env, int64_t now, struct visit *v,
		struct errmsg *em)
{
	const struct sign_policy policy = { .now = now, .serial = SIGN_SERIAL_KEEP, .threads = 1 };
	struct version *base = state_of(k);
	struct version *old = NULL;
	struct edit *e = NULL;
	const struct journal_stamp was = k->kept.stamp;
	int err = make_edit(v, base, &e, em);
	if (err == E_OK && e != NULL) {
		err = check(edit_state(e), em);
	}
	if (err != E_OK) {
		edit_abort(e);
		return err;
	}
	set_heard(k, now);
	if (e == NULL) {
		bring_back(k);
		return vault_note(env->vault, k->config->name, NULL, &k->kept, em);
	}
	struct publish p = keeper_publish(k, env, e, &policy, JOURNAL_TRANSFER);
	p.base = base;
	p.is_kept_new = true;
	err = publish_run(&p, &old, em);
	if (err != E_OK) {
		k->kept.stamp = was;
		return err;
	}
	k->is_open = true;
	log_taken(k, v, base);
	keeper_let_go(old);
	version_unref(k->expired);
	k->expired = NULL;
	return E_OK;
}

/* --- the rest -------------------------------------------------------------------------------- */

/* Written at times only: a restart that thinks it older than it is asks again, and no more. */
#define CONFIRM_PART 20

static int confirm(struct keeper *k, const struct keeper_env *env, int64_t now, struct errmsg *em)
{
	const struct version *v = state_of(k);
	if (v == NULL) {
		return err_set(em, E_MISMATCH, "there is nothing of the zone");
	}
	bring_back(k);
	if (now - heard_at(k) < (int64_t)version_soa(v).expire / CONFIRM_PART) {
		return E_OK;
	}
	set_heard(k, now);
	return vault_note(env->vault, k->config->name, NULL, &k->kept, em);
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
		v->serial = n.serial;
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
		err = confirm(k, env, now, &o->em);
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

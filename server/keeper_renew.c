/* server/keeper_renew.c - signatures that are due, or are to be others. */
#include "server/keeper_run.h"

#include "server/zone_text.h"
#include "signer/nsec3_hash.h"
#include "signer/schedule.h"
#include "zones/base/log.h"

/* No signature is valid for so long; and RRSIG's serial numbers can say it (RFC 4034 §3.1.5). */
#define LONGEST_S (10U * 365 * 86400)

/* The digest over the zone and its signature, which are made anew each time. */
static bool is_zonemd_only(const struct diff_part *part)
{
	const uint8_t *p = (const uint8_t *)part->octets.data;
	for (uint32_t i = 0; i < part->count; i++) {
		struct diff_rr rr;
		p = diff_rr_next(p, &rr);
		if (rr.type != RRTYPE_ZONEMD &&
		    (rr.type != RRTYPE_RRSIG || be16_get(rr.rdata) != RRTYPE_ZONEMD)) {
			return false;
		}
	}
	return true;
}

/* Would signing all of the zone change nothing? */
static bool is_signed_so(const struct keeper *k, const struct version *base,
			 const struct sign_policy *policy)
{
	struct sign_policy p = *policy;
	struct sign_stats stats;
	struct errmsg em;
	p.serial = SIGN_SERIAL_KEEP;
	p.zonemd = 0; /* made anew each time; other_policy tells */
	struct diff d = { 0 };
	struct edit *e = edit_begin(base, NULL, EDIT_TTL_LAST);
	int err = sign_change(e, base, NULL, 0, k->holder, &p, &stats, &em);
	if (err == E_OK) {
		diff_make(base, edit_state(e), &d);
	}
	bool same = err == E_OK && is_zonemd_only(&d.removed) && is_zonemd_only(&d.added);
	diff_clear(&d);
	edit_abort(e);
	return same;
}

/* Signs again what is due, or with policy->sign_all what is not as the policy has it. *@due gets when the first of what was
 * made is due again. */
static int sign_again(struct keeper *k, const struct keeper_env *env,
		      const struct sign_policy *policy, const struct schedule *s, int64_t *due,
		      struct errmsg *em)
{
	struct version *old = NULL;
	struct edit *e = edit_begin(k->zone->current, NULL, EDIT_TTL_LAST);
	struct publish p = keeper_publish(k, env, e, policy, JOURNAL_RESIGN);
	p.due = s->due;
	p.due_count = s->count;
	int err = keeper_publish_run(k, &p, &old, em);
	if (err == E_OK) {
		struct zone_text name;
		keeper_note_signed(k, policy);
		log_info("zone-renewed", "zone=%s serial=%u signatures=%llu",
			 zone_text(k->config->name, &name), k->zone->current->serial,
			 (unsigned long long)p.signed_.made);
		*due = p.signed_.next_due;
		keeper_let_go(old);
	}
	return err;
}

/* Renews what is due; returns when the next is. */
int64_t keeper_renew(struct keeper *k, const struct keeper_env *env, int64_t now)
{
	struct version *base = k->zone->current;
	if (k->holder == NULL || base == NULL) {
		return INT64_MAX;
	}
	struct sign_policy policy = keeper_policy(k, base, now);
	struct schedule s;
	struct errmsg em = { "" };
	int64_t made = INT64_MAX; /* when the first of those that are made now is due again */
	int err = E_OK;
	schedule_make(base, now, now + policy.refresh, KEEPER_RENEW_MAX, &s);
	policy.sign_all = (k->key_event <= now || keeper_is_other_policy(k));
	policy.threads = policy.sign_all ? 0 : 1;
	if (policy.sign_all && s.count == 0 && is_signed_so(k, base, &policy)) {
		policy.sign_all = false;
		keeper_note_signed(k, &policy);
	}
	const bool is_full = s.count == KEEPER_RENEW_MAX;
	const int64_t next_due = s.next;
	if (s.count != 0 || policy.sign_all) {
		err = sign_again(k, env, &policy, &s, &made, &em);
	}
	if (err != E_OK) {
		keeper_log_failure(k, "renew", &em);
	} else {
		board_succeed(&k->board, "renew");
	}
	int64_t next = is_full		       ? now
		       : next_due != INT64_MAX ? next_due - policy.refresh
					       : now + policy.refresh;
	next = made < next ? made : next;
	next = k->key_event < next ? k->key_event : next;
	schedule_clear(&s);
	return err == E_OK ? (next > now ? next : now + 1) : now + KEEPER_RETRY_S;
}

int keeper_sign_anew(struct keeper *k, const struct keeper_env *env, int64_t now, struct errmsg *em)
{
	const struct schedule nothing_due = { 0 };
	int64_t made = INT64_MAX;
	struct sign_policy policy = keeper_policy(k, k->zone->current, now);
	keeper_spread(&policy);
	policy.sign_all = true;
	policy.threads = 0;
	policy.refresh = LONGEST_S;
	return sign_again(k, env, &policy, &nothing_due, &made, em);
}

int keeper_choose_chain(struct keeper *k, const struct keeper_env *env,
			const struct journal_chain *chain, int64_t now, int64_t *due,
			struct errmsg *em)
{
	const struct journal_chain was = k->kept.chain;
	const struct schedule nothing_due = { 0 };
	int64_t made = INT64_MAX;
	if (k->holder == NULL || k->zone->current == NULL) {
		return err_set(em, E_INVAL, "the zone is not signed by this server");
	}
	if (chain->denial == DENIAL_NSEC3 && !nsec3_is_plain(&chain->nsec3)) {
		return err_set(em, E_UNSUPPORTED,
			       "NSEC3 is made with algorithm 1 and 0 iterations (RFC 9276)");
	}
	if (!keeper_note_chain(k, chain)) {
		return E_OK;
	}
	struct sign_policy policy = keeper_policy(k, k->zone->current, now);
	policy.sign_all = true;
	policy.threads = 0;
	int err = sign_again(k, env, &policy, &nothing_due, &made, em);
	if (err != E_OK) {
		k->kept.chain = was;
	}
	*due = made < *due ? made : *due;
	return err;
}

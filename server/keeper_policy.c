/* server/keeper_policy.c - how a zone is signed, and how it was. */
#include "server/keeper_run.h"

#include "server/zone_text.h"
#include "signer/nsec3_hash.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"

/* Clocks of validators may be behind ours by so much. */
#define INCEPTION_BEFORE_S 3600
/* A signature is renewed so long before it could expire somewhere, so that there is time to mend what fails. */
#define MARGIN_S 3600
/* Between the renewals of a signature there is at least so much. */
#define RENEWAL_MIN_S 86400

uint32_t keeper_max_ttl(const struct version *v)
{
	uint32_t most = 0;
	struct version_walk *walk = mem_alloc(sizeof(*walk));
	for (const struct node *n = version_first(v, walk); n != NULL; n = version_next(walk)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned i = 0; i < n->rrsets; i++) {
			if (rs[i].count != 0 && rrset_ttl(&rs[i]) > most) {
				most = rrset_ttl(&rs[i]);
			}
		}
	}
	mem_free(walk);
	return most;
}

/* Seconds for which a secondary that was cut off, and a cache behind it, may hold records of @v. */
int64_t keeper_held_s(const struct keeper *k, const struct version *v)
{
	return (int64_t)version_soa(v).expire + k->max_ttl;
}

/* The chain that the zone is to have: what was chosen, or else what the policy has. */
static void set_chain(const struct keeper *k, struct sign_policy *p)
{
	const struct journal_chain *chosen = &k->kept.chain;
	const enum config_denial denial = k->config->policy->denial;
	if (chosen->denial != DENIAL_NONE) {
		p->denial = chosen->denial;
		p->nsec3 = chosen->nsec3;
		return;
	}
	p->denial = denial == CONFIG_NSEC ? DENIAL_NSEC : DENIAL_NSEC3;
	p->nsec3 = (struct nsec3_param){
		.algorithm = NSEC3_SHA1,
		.flags = denial == CONFIG_NSEC3_OPT_OUT ? NSEC3_OPT_OUT : 0,
	};
}

static bool same_chain(enum denial a, const struct nsec3_param *p, enum denial b,
		       const struct nsec3_param *q)
{
	return a == b && (a != DENIAL_NSEC3 || (nsec3_param_same(p, q) && p->flags == q->flags));
}

/* Remembers that @chain was chosen instead of what the policy has now. False: it is the one that we make. */
bool keeper_note_chain(struct keeper *k, const struct journal_chain *chain)
{
	struct sign_policy now = { 0 };
	set_chain(k, &now);
	if (same_chain(chain->denial, &chain->nsec3, now.denial, &now.nsec3)) {
		return false;
	}
	k->kept.chain = *chain;
	k->kept.chain.instead_of = (uint8_t)k->config->policy->denial;
	k->is_kept_new = true;
	return true;
}

/* What was chosen instead of something else than what the policy has now holds no longer. */
void keeper_forget_chain(struct keeper *k)
{
	const struct config_policy *p = k->config->policy;
	const struct journal_chain *chosen = &k->kept.chain;
	if (p != NULL && chosen->denial != DENIAL_NONE && chosen->instead_of != p->denial) {
		k->kept.chain = (struct journal_chain){ .denial = DENIAL_NONE };
		k->is_kept_new = true;
	}
}

static unsigned zonemd_of(const struct config_policy *c)
{
	static const unsigned bits[] = { 0, 1U << 1, 1U << 2 };
	return bits[c->zonemd];
}

/* A signature is renewed before a secondary that was cut off, and caches behind
 * it, could still have it when it expires. */
struct sign_policy keeper_policy(struct keeper *k, const struct version *v, int64_t now)
{
	static const enum sign_serial serials[] = { [CONFIG_INCREMENT] = SIGN_SERIAL_INCREMENT,
						    [CONFIG_UNIXTIME] = SIGN_SERIAL_UNIXTIME,
						    [CONFIG_DATE] = SIGN_SERIAL_DATE };
	struct sign_policy p = { .now = now, .serial = serials[k->config->serial], .threads = 1 };
	const struct config_policy *c = k->config->policy;
	if (c == NULL) {
		return p;
	}
	int64_t held = keeper_held_s(k, v);
	int64_t refresh = c->refresh_s > held + MARGIN_S ? c->refresh_s : held + MARGIN_S;
	int64_t validity = c->validity_s;
	if (validity < refresh + c->jitter_s + RENEWAL_MIN_S && refresh != c->refresh_s) {
		validity = refresh + c->jitter_s + RENEWAL_MIN_S;
		if (!k->is_raised) {
			struct zone_text name;
			log_notice(
				"validity-raised",
				"zone=%s validity_s=%lld reason=\"secondaries and caches may hold "
				"records for SOA expire and TTL: %lld s\"",
				zone_text(k->config->name, &name), (long long)validity,
				(long long)held);
			k->is_raised = true;
		}
	}
	p.session = k->session;
	p.inception = now - INCEPTION_BEFORE_S;
	p.expiration = now + validity;
	p.jitter = c->jitter_s;
	p.refresh = (uint32_t)refresh;
	set_chain(k, &p);
	p.dnskey_ttl = c->dnskey_ttl_s;
	p.zonemd = zonemd_of(c);
	p.manage_keys = true;
	p.publish_cds = true;
	return p;
}

/* When the next key comes into use or goes; INT64_MAX: none will. */
static int64_t next_key_event(const struct keeper *k, int64_t now)
{
	int64_t next = INT64_MAX;
	for (size_t i = 0; i < holder_count(k->holder); i++) {
		const struct key *key = holder_key(k->holder, i);
		for (int t = 0; t < KEY_TIMES; t++) {
			int64_t at = key->times[t];
			if (at != KEY_TIME_NONE && at > now && at < next) {
				next = at;
			}
		}
	}
	return next;
}

static void log_chain(const struct keeper *k)
{
	const struct nsec3_param *n3 = &k->signed_as.nsec3;
	struct zone_text name;
	struct buf salt = { 0 };
	for (unsigned i = 0; i < n3->salt_len; i++) {
		buf_printf(&salt, "%02X", n3->salt[i]);
	}
	log_notice("chain-changed", "zone=%s denial=%s opt-out=%s salt=%s",
		   zone_text(k->config->name, &name),
		   k->signed_as.denial == DENIAL_NSEC ? "nsec" : "nsec3",
		   (n3->flags & NSEC3_OPT_OUT) != 0 ? "yes" : "no",
		   salt.len != 0 ? salt.data : "-");
	buf_clear(&salt);
}

/* What is served has been signed by @policy, which may have been durable for longer. */
void keeper_note_signed(struct keeper *k, const struct sign_policy *policy)
{
	const bool is_known = k->signed_as.denial != DENIAL_NONE;
	const bool is_other = !same_chain(k->signed_as.denial, &k->signed_as.nsec3, policy->denial,
					  &policy->nsec3);
	k->signed_as.denial = policy->denial;
	k->signed_as.nsec3 = policy->nsec3;
	k->signed_as.zonemd = policy->zonemd;
	k->key_event = next_key_event(k, policy->now);
	if (is_known && is_other) {
		log_chain(k);
	}
}

/* Has the operator, or a client, chosen another way to sign? */
bool keeper_is_other_policy(const struct keeper *k)
{
	struct sign_policy wanted = { 0 };
	set_chain(k, &wanted);
	return k->signed_as.denial != DENIAL_NONE &&
	       (k->signed_as.zonemd != zonemd_of(k->config->policy) ||
		!same_chain(k->signed_as.denial, &k->signed_as.nsec3, wanted.denial,
			    &wanted.nsec3));
}

/* Signatures of all of the zone are spread over all of their time, so that renewing them is spread as well. */
void keeper_spread(struct sign_policy *p)
{
	p->jitter = (uint32_t)((p->expiration - p->now - p->refresh) / 10 * 9);
}

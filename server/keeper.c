/* server/keeper.c - keeps one zone. */
#include "server/keeper.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "keys/algorithm.h"
#include "keys/keyfile.h"
#include "server/clock.h"
#include "server/guard.h"
#include "server/keeper_run.h"
#include "server/notify.h"
#include "server/order.h"
#include "server/secondary.h"
#include "server/unsign.h"
#include "server/update.h"
#include "server/zone_load.h"
#include "server/zone_save.h"
#include "server/zone_text.h"
#include "signer/nsec3_hash.h"
#include "signer/schedule.h"
#include "zones/base/epoch.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/dns/rdata.h"
#include "zones/dns/serial.h"

/* Clocks of validators may be behind ours by so much. */
#define INCEPTION_BEFORE_S 3600
/* A signature is renewed so long before it could expire somewhere, so that there is time to mend what fails. */
#define MARGIN_S 3600
/* Between the renewals of a signature there is at least so much. */
#define RENEWAL_MIN_S 86400
/* So many updates at once are signed on all cores; for fewer it takes longer to start the threads. */
#define PARALLEL_MIN 8
/* No signature is valid for so long; and RRSIG's serial numbers can say it (RFC 4034 §3.1.5). */
#define LONGEST_S (10U * 365 * 86400)
/* After a failure it is tried again. */
#define RETRY_S 60

static void log_failure(struct keeper *k, const char *what, const struct errmsg *em)
{
	struct zone_text name;
	char text[700];
	board_fail(&k->board, what, em);
	log_error("zone-unchanged", "zone=%s job=%s serving=%s reason=%s",
		  zone_text(k->config->name, &name), what,
		  k->zone->current != NULL ? "old" : "nothing",
		  log_quote(em->text, text, sizeof(text)));
}

/* --- policy ---------------------------------------------------------------------------------- */

static uint32_t max_ttl_of(const struct version *v)
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
static int64_t held_s(const struct keeper *k, const struct version *v)
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
static bool choose_chain(struct keeper *k, const struct journal_chain *chain)
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
static void forget_chain(struct keeper *k)
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
	int64_t held = held_s(k, v);
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

/* --- keys ------------------------------------------------------------------------------------ */

static void key_directory(const struct keeper *k, const struct keeper_env *env, struct buf *out)
{
	if (*k->config->key_directory != '\0') {
		buf_str(out, k->config->key_directory);
	} else {
		buf_printf(out, "%s/keys", env->config->server.database);
	}
}

/* What the parent has to publish. */
static void log_ds(const struct keeper *k, const struct key *key)
{
	uint8_t rdata[4 + CRYPTO_DIGEST_MAX];
	struct zone_text name;
	struct buf text = { 0 };
	int n = key_ds(key, 2, rdata, sizeof(rdata));
	if (n > 0) {
		rdata_to_text(RRTYPE_DS, rdata, (size_t)n, &text);
		log_notice(
			"key-generated",
			"zone=%s tag=%u ds=\"%s\" remedy=\"give the DS record to the parent zone\"",
			zone_text(k->config->name, &name), key->tag, text.data);
	}
	buf_clear(&text);
}

static int generate(struct keeper *k, const char *dir, uint16_t flags, int64_t now,
		    struct keyset *keys, struct errmsg *em)
{
	const struct algorithm *a = algorithm_from_text(k->config->policy->algorithm);
	if (a == NULL) {
		return err_set(em, E_UNSUPPORTED, "cannot make a key: %s", err_text(E_UNSUPPORTED));
	}
	struct key *key = key_new(k->config->name, a->number, flags, now);
	if ((flags & KEY_FLAG_SEP) != 0) {
		key->times[KEY_SYNC_PUBLISH] = now;
	}
	int err = key_make_pair(key, a->bits_default, keys, em);
	if (err == E_OK) {
		err = keyfile_create(dir, key, em);
	}
	if (err != E_OK) {
		key_free(key);
		return err;
	}
	if ((flags & KEY_FLAG_SEP) != 0) {
		log_ds(k, key);
	}
	keyset_add(keys, key);
	return E_OK;
}

/* Is the key that signs keys missing, where the server makes them? */
static bool is_half_made(const struct keeper *k, const struct keyset *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		if ((keys->keys[i]->flags & KEY_FLAG_SEP) != 0) {
			return false;
		}
	}
	return (k->config->policy->auto_generate != CONFIG_NO || k->makes_keys) &&
	       k->config->policy->key_roles == CONFIG_KSK_ZSK;
}

static int make_keys(struct keeper *k, const char *dir, int64_t now, struct keyset *keys,
		     struct errmsg *em)
{
	const uint16_t ksk = KEY_FLAG_ZONE | KEY_FLAG_SEP;
	if (k->config->policy->auto_generate == CONFIG_NO && !k->makes_keys) {
		return err_set(em, E_NOENT,
			       "there are no keys in %s; make them with signetctl sign, or set "
			       "policies.auto-generate",
			       dir);
	}
	int err = E_OK;
	/* The key that needs no other comes last: without it, the next start makes up for what a crash left out. */
	if (keys->count == 0 && k->config->policy->key_roles == CONFIG_KSK_ZSK) {
		err = generate(k, dir, KEY_FLAG_ZONE, now, keys, em);
	}
	if (err == E_OK) {
		err = generate(k, dir, ksk, now, keys, em);
	}
	return err;
}

static void set_holder(struct keeper *k, struct holder *holder, struct holder_session *session)
{
	if (k->session != NULL) {
		holder_session_close(k->session);
	}
	verify_memory_free(k->memory); /* it has sessions of the holder */
	k->memory = verify_memory_new();
	holder_free(k->holder);
	k->holder = holder;
	k->session = session;
	board_keys(&k->board, holder);
}

/* Reads the keys of the zone; those that were read before go. */
static int get_keys(struct keeper *k, const struct keeper_env *env, int64_t now, struct errmsg *em)
{
	struct buf dir = { 0 };
	struct keyset keys = { 0 };
	struct holder *holder = NULL;
	struct holder_session *session = NULL;
	if (k->config->policy == NULL) {
		set_holder(k, NULL, NULL);
		return E_OK;
	}
	key_directory(k, env, &dir);
	int err = keyfile_read_dir(dir.data, k->config->name, KEYFILE_PUBLIC, &keys, em);
	if (err == E_OK && (keys.count == 0 || is_half_made(k, &keys))) {
		err = make_keys(k, dir.data, now, &keys, em);
	}
	if (err == E_OK) {
		err = holder_new(&keys, &holder);
		if (err == E_OK) {
			err = holder_session_open(holder, &session);
		}
		if (err != E_OK) {
			holder_free(holder);
			err_set(em, err, "the keys cannot be used: %s", err_text(err));
		}
	}
	if (err == E_OK) {
		set_holder(k, holder, session);
		k->key_event =
			now; /* they may be others than those that the zone was signed with */
	}
	keyset_clear(&keys);
	buf_clear(&dir);
	return err;
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
	const int64_t held = k->holder != NULL ? held_s(k, edit_state(e)) : 0;
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
				 .changed = notify_is_wanted(k->config, edit_state(e))
						    ? env->changed
						    : NULL,
				 .changed_arg = env->changed_arg };
}

static int run(struct keeper *k, struct publish *p, struct version **old, struct errmsg *em)
{
	const bool was_signed = k->kept.is_signed;
	k->kept.is_signed = p->holder != NULL;
	p->is_kept_new = p->is_kept_new || k->kept.is_signed != was_signed;
	int err = publish_run(p, old, em);
	if (err == E_OK) {
		k->is_kept_new = false;
	} else {
		k->kept.is_signed = was_signed;
	}
	return err;
}

void keeper_let_go(struct version *old)
{
	if (old != NULL) {
		epoch_wait();
		version_unref(old);
	}
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
static void note_signed(struct keeper *k, const struct sign_policy *policy)
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
static bool is_other_policy(const struct keeper *k)
{
	struct sign_policy wanted = { 0 };
	set_chain(k, &wanted);
	return k->signed_as.denial != DENIAL_NONE &&
	       (k->signed_as.zonemd != zonemd_of(k->config->policy) ||
		!same_chain(k->signed_as.denial, &k->signed_as.nsec3, wanted.denial,
			    &wanted.nsec3));
}

/* --- load ------------------------------------------------------------------------------------ */

struct journal_stamp keeper_stamp(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		return (struct journal_stamp){ 0 };
	}
	return (struct journal_stamp){ .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
						   st.st_mtim.tv_nsec,
				       .size = (uint64_t)st.st_size,
				       .inode = st.st_ino };
}

bool keeper_same_stamp(const struct journal_stamp *a, const struct journal_stamp *b)
{
	return a->mtime_ns == b->mtime_ns && a->size == b->size && a->inode == b->inode;
}

/* The zone file, checked. */
static int read_file(const struct keeper *k, int64_t now, struct version **out, struct errmsg *em)
{
	struct zone_text name;
	struct findings findings = { 0 };
	int err = zone_load(k->config, now, out, &findings);
	findings_log(&findings, "zone-finding", zone_text(k->config->name, &name));
	if (err != E_OK) {
		err_set(em, err, "%s; mend the zone file and reload",
			findings_first_error(&findings, "the zone file cannot be read"));
	}
	findings_clear(&findings);
	if (err != E_OK) {
		return err;
	}
	if ((*out)->soa == NULL) {
		version_unref(*out);
		return err_set(em, E_INVAL, "there is no SOA record in the zone file");
	}
	return E_OK;
}

static void log_loaded(struct keeper *k, const char *from, const struct publish *p, int64_t start)
{
	const struct version *v = k->zone->current;
	struct zone_text name;
	board_loaded(&k->board, clock_now());
	log_info("zone-loaded",
		 "zone=%s from=%s serial=%u records=%llu signed=%s signatures=%llu ms=%lld",
		 zone_text(k->config->name, &name), from, v->serial, (unsigned long long)v->records,
		 v->secure ? "yes" : "no", (unsigned long long)(p != NULL ? p->signed_.made : 0),
		 (long long)(clock_ms() - start));
}

/* Signatures of all of the zone are spread over all of their time, so that renewing them is spread as well. */
static void spread(struct sign_policy *p)
{
	p->jitter = (uint32_t)((p->expiration - p->now - p->refresh) / 10 * 9);
}

/* For the first time: from its file. */
static int load_first(struct keeper *k, const struct keeper_env *env, int64_t now,
		      struct errmsg *em)
{
	struct version *file = NULL;
	struct version *old = NULL;
	int64_t start = clock_ms();
	k->kept.stamp = keeper_stamp(
		k->config->file); /* before reading: a change meanwhile shows up next time */
	int err = read_file(k, now, &file, em);
	if (err != E_OK) {
		return err;
	}
	k->max_ttl = max_ttl_of(file);
	struct sign_policy policy = keeper_policy(k, file, now);
	policy.threads = 0;
	if (k->config->policy != NULL) {
		spread(&policy);
	} else {
		policy.serial = SIGN_SERIAL_KEEP;
	}
	struct edit *e = edit_begin(file, NULL, EDIT_TTL_LAST);
	struct publish p = keeper_publish(k, env, e, &policy, JOURNAL_FILE);
	p.base = NULL; /* what was served while nothing was kept of the zone is no start */
	p.source = file;
	err = run(k, &p, &old, em);
	version_unref(file);
	if (err == E_OK) {
		k->is_open = true;
		if (k->holder != NULL) {
			note_signed(k, &policy);
		}
		log_loaded(k, "file", &p, start);
		keeper_let_go(old);
	}
	return err;
}

/* As it was when the server ended, or was killed. E_NOENT: nothing of it is kept. */
static int restore(struct keeper *k, const struct keeper_env *env, int64_t now, struct errmsg *em)
{
	struct version *v = NULL;
	struct zone_text name;
	char text[700];
	int64_t start = clock_ms();
	int err = env->vault != NULL ? vault_restore(env->vault, k->config->name, &v, &k->kept, em)
				     : E_NOENT;
	if (err == E_DAMAGED) {
		log_error("zone-damaged", "zone=%s reason=%s action=\"%s\"",
			  zone_text(k->config->name, &name),
			  log_quote(em->text, text, sizeof(text)),
			  config_zone_is_secondary(k->config)
				  ? "transferred anew"
				  : "loaded from its file; updates since are lost");
		err = E_NOENT;
	}
	if (err == E_OK && config_zone_is_secondary(k->config) && secondary_is_expired(k, v, now)) {
		k->expired = v;
		k->is_open = true;
	} else if (err == E_OK) {
		keeper_let_go(zone_publish(k->zone, v));
		k->max_ttl = max_ttl_of(v);
		k->is_open = true;
		forget_chain(k);
		log_loaded(k, "database", NULL, start);
	}
	return err;
}

/* --- a changed zone file --------------------------------------------------------------------- */

bool keeper_makes(const struct keeper *k, uint16_t type)
{
	return k->config->policy != NULL && rrtype_is_of_signing(type);
}

static bool has_record(const struct version *v, const struct diff_rr *rr)
{
	const struct node *n = version_node(v, rr->owner);
	const struct rrset *rs = n != NULL ? node_find(n, rr->type) : NULL;
	const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
	for (unsigned i = 0; rs != NULL && i < rs->count; i++) {
		struct rr have;
		p = rr_read(p, &have);
		if (rdata_compare(rr->type, have.rdata, have.rdlen, rr->rdata, rr->rdlen) == 0) {
			return true;
		}
	}
	return false;
}

/* An update was there first: said, and nothing else. */
static void log_conflict(const struct keeper *k, const struct diff_rr *rr, const char *what)
{
	struct zone_text name;
	char owner[DNAME_TEXT_MAX];
	char quoted[DNAME_TEXT_MAX + 8];
	char type[RRTYPE_TEXT_MAX];
	(void)dname_to_text(rr->owner, owner);
	log_warn("file-conflict", "zone=%s owner=%s type=%s reason=\"%s by an update before\"",
		 zone_text(k->config->name, &name), log_quote(owner, quoted, sizeof(quoted)),
		 rrtype_to_text(rr->type, type), what);
}

/* The SOA of the file, with its serial where that is newer than ours; then *is_newer. */
static int merge_soa(const struct version *base, const struct version *file, struct edit *e,
		     bool *is_newer)
{
	*is_newer = serial_is_newer(file->serial, base->serial);
	return edit_put_soa(e, file->soa, *is_newer ? file->serial : base->serial);
}

/* Makes in @e what changed in the file; what an update has done to the same records stays. */
static int merge_file(struct keeper *k, const struct diff *d, const struct version *file,
		      struct edit *e, bool *serial_is_newer)
{
	struct version *base = k->zone->current;
	struct diff_rr rr;
	const uint8_t *p = (const uint8_t *)d->removed.octets.data;
	int err = merge_soa(base, file, e, serial_is_newer);
	for (uint32_t i = 0; i < d->removed.count && err == E_OK; i++) {
		p = diff_rr_next(p, &rr);
		if (keeper_makes(k, rr.type) || rr.type == RRTYPE_SOA) {
			continue;
		}
		if (!has_record(base, &rr)) {
			log_conflict(k, &rr, "removed");
		}
		err = edit_remove(e, rr.owner, rr.type, rr.rdata, rr.rdlen);
	}
	p = (const uint8_t *)d->added.octets.data;
	for (uint32_t i = 0; i < d->added.count && err == E_OK; i++) {
		p = diff_rr_next(p, &rr);
		if (keeper_makes(k, rr.type) || rr.type == RRTYPE_SOA) {
			continue;
		}
		k->max_ttl = rr.ttl > k->max_ttl ? rr.ttl : k->max_ttl;
		err = edit_add(e, rr.owner, rr.type, rr.ttl, rr.rdata, rr.rdlen);
	}
	return err;
}

/* The file as it was when it was last read. Where that is lost, nothing: what the file has is added, and nothing removed. */
static int get_source(const struct keeper *k, const struct keeper_env *env, struct version **out,
		      struct errmsg *em)
{
	int err = vault_source(env->vault, k->config->name, k->kept.source_generation, out, em);
	if (err == E_NOENT || err == E_DAMAGED) {
		struct zone_text name;
		char text[700];
		log_warn(
			"source-lost",
			"zone=%s reason=%s action=\"records that are new in the zone file are added, "
			"none are removed\"",
			zone_text(k->config->name, &name), log_quote(em->text, text, sizeof(text)));
		*out = edit_commit(edit_begin(NULL, k->config->name, EDIT_TTL_LEAST));
		err = E_OK;
	}
	return err;
}

/* Holds the file back when it takes out too much and nobody has approved that. */
static int check_removed(struct keeper *k, const struct version *before, const struct version *file,
			 const struct journal_stamp *stamp, struct errmsg *em)
{
	int err = keeper_same_stamp(stamp, &k->approved) ? E_OK
							 : guard_check(k->config, before, file, em);
	if (err == E_HELD) {
		k->held = *stamp;
	}
	return err;
}

/* Did we sign it, and are to do so no more? */
static bool is_to_be_unsigned(const struct keeper *k)
{
	return k->kept.is_signed && k->config->policy == NULL;
}

/* Signatures that nobody renews would expire. */
static void take_signing_out(struct keeper *k, const struct keeper_env *env, struct edit *e)
{
	struct buf dir = { 0 };
	struct keyset keys = { 0 };
	struct holder *holder = NULL;
	struct errmsg em = { "" };
	struct zone_text name;
	char text[700];
	key_directory(k, env, &dir);
	int err = keyfile_read_dir(dir.data, k->config->name, KEYFILE_PUBLIC, &keys, &em);
	if (err == E_OK && keys.count != 0) {
		err = holder_new(&keys, &holder);
	}
	if (err != E_OK) {
		log_warn("keys-left", "zone=%s reason=%s action=\"DNSKEY records stay\"",
			 zone_text(k->config->name, &name), log_quote(em.text, text, sizeof(text)));
	}
	unsign(e, k->zone->current, holder);
	k->kept.chain = (struct journal_chain){ .denial = DENIAL_NONE };
	holder_free(holder);
	keyset_clear(&keys);
	buf_clear(&dir);
}

/* Of the file before, what is the file's to say: what else it had is not served, and comes now. */
static void without_signing(struct version **v)
{
	struct version *rest = zone_save_source(*v, NULL, true);
	version_unref(*v);
	*v = rest;
}

/* The difference of the file to what it was when it was last read becomes an edit of what is served. */
static int load_change(struct keeper *k, const struct keeper_env *env, int64_t now,
		       struct errmsg *em)
{
	struct version *before = NULL;
	struct version *file = NULL;
	struct version *old = NULL;
	struct diff diff = { 0 };
	int64_t start = clock_ms();
	const struct journal_zone was = k->kept;
	const struct journal_stamp stamp = keeper_stamp(k->config->file);
	const bool is_unsigned = is_to_be_unsigned(k);
	int err = read_file(k, now, &file, em);
	if (err == E_OK) {
		err = get_source(k, env, &before, em);
	}
	if (err != E_OK) {
		goto out;
	}
	if (is_unsigned) {
		without_signing(&before);
	}
	err = check_removed(k, before, file, &stamp, em);
	if (err != E_OK) {
		goto out;
	}
	diff_make(before, file, &diff);
	bool is_newer = false;
	struct edit *e = edit_begin(k->zone->current, NULL, EDIT_TTL_LAST);
	if (is_unsigned) {
		take_signing_out(k, env, e);
	}
	err = merge_file(k, &diff, file, e, &is_newer);
	if (err != E_OK) {
		edit_abort(e);
		err_set(em, err, "the change of the zone file cannot be made: %s", err_text(err));
		goto out;
	}
	struct sign_policy policy = keeper_policy(k, edit_state(e), now);
	policy.threads = 0;
	if (is_newer || (diff_is_empty(&diff) && !is_unsigned)) {
		policy.serial = SIGN_SERIAL_KEEP;
	}
	k->kept.stamp = stamp;
	struct publish p = keeper_publish(k, env, e, &policy, JOURNAL_FILE);
	p.source = file;
	p.is_anew = is_unsigned; /* signatures of then would be as old */
	err = run(k, &p, &old, em);
	if (err == E_OK) {
		log_loaded(k, "file", &p, start);
		keeper_let_go(old);
	} else {
		k->kept.stamp = was.stamp;
		k->kept.chain = was.chain;
	}
	if (err == E_OK && is_unsigned) {
		k->signed_as.denial = DENIAL_NONE;
		unsign_warn(k->config->name);
	}
out:
	diff_clear(&diff);
	version_unref(before);
	version_unref(file);
	return err;
}

static int load(struct keeper *k, const struct keeper_env *env, int64_t now, struct errmsg *em)
{
	const bool is_secondary = config_zone_is_secondary(k->config);
	int err = get_keys(k, env, now, em);
	if (err != E_OK) {
		return err;
	}
	if (!k->is_open) {
		err = restore(k, env, now, em);
		if (err == E_NOENT && !is_secondary) {
			return load_first(k, env, now, em);
		}
		if (err != E_OK && err != E_NOENT) {
			return err;
		}
	}
	if (is_secondary) {
		return E_OK; /* server/refresh.h sees to it that it comes, and stays current */
	}
	const struct journal_stamp stamp = keeper_stamp(k->config->file);
	const bool is_same = keeper_same_stamp(&stamp, &k->kept.stamp) && !is_to_be_unsigned(k);
	return env->vault == NULL || is_same ? E_OK : load_change(k, env, now, em);
}

int keeper_load(struct keeper *k, const struct keeper_env *env, int64_t now, struct errmsg *em)
{
	int err = load(k, env, now, em);
	zone_set_stale(k->zone, err);
	k->retry = err == E_DISKFULL || err == E_IO ? now + RETRY_S : INT64_MAX;
	if (err == E_OK) {
		board_succeed(&k->board, "load");
	} else {
		board_fail(&k->board, "load", em);
	}
	if (err != E_HELD) {
		k->held = (struct journal_stamp){ 0 };
	}
	return err;
}

/* --- update ---------------------------------------------------------------------------------- */

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
	return choose_chain(k, &chain);
}

/* Does in one edit what all of @updates ask for, and publishes that. *@due gets earlier where there are signatures to be
 * renewed before. On error nothing of it was done. */
static int try_updates(struct keeper *k, const struct keeper_env *env, struct update *updates,
		       unsigned count, int64_t *due, struct version **old, struct errmsg *em)
{
	struct version *base = k->zone->current;
	const int64_t now = updates->now;
	const int64_t held = held_s(k, base);
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
	int err = run(k, &p, old, em);
	if (err != E_OK) {
		k->max_ttl = max_ttl;
		k->kept.chain = chain;
	} else if (k->holder != NULL) {
		if (is_chain_new) {
			note_signed(k, &policy);
		}
		*due = p.signed_.next_due < *due ? p.signed_.next_due : *due;
		/* Where records may be held for longer now, signatures that were good for long enough are not. */
		*due = held_s(k, k->zone->current) > held ? now : *due;
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
			log_failure(k, "update", &em);
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

static void update(struct keeper *k, const struct keeper_env *env, const struct keeper_work *work,
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
			log_failure(k, "update", &em);
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

static void refuse_frozen(const struct keeper *k, const struct keeper_env *env,
			  const struct keeper_work *work)
{
	struct zone_text name;
	log_notice("update-frozen", "zone=%s requests=%u remedy=\"signetctl thaw\"",
		   zone_text(k->config->name, &name), work->count);
	keeper_answer(env, work, RCODE_REFUSED);
}

/* --- renew ----------------------------------------------------------------------------------- */

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
	int err = run(k, &p, &old, em);
	if (err == E_OK) {
		struct zone_text name;
		note_signed(k, policy);
		log_info("zone-renewed", "zone=%s serial=%u signatures=%llu",
			 zone_text(k->config->name, &name), k->zone->current->serial,
			 (unsigned long long)p.signed_.made);
		*due = p.signed_.next_due;
		keeper_let_go(old);
	}
	return err;
}

/* Renews what is due; returns when the next is. */
static int64_t renew(struct keeper *k, const struct keeper_env *env, int64_t now)
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
	policy.sign_all = (k->key_event <= now || is_other_policy(k));
	policy.threads = policy.sign_all ? 0 : 1;
	if (policy.sign_all && s.count == 0 && is_signed_so(k, base, &policy)) {
		policy.sign_all = false;
		note_signed(k, &policy);
	}
	const bool is_full = s.count == KEEPER_RENEW_MAX;
	const int64_t next_due = s.next;
	if (s.count != 0 || policy.sign_all) {
		err = sign_again(k, env, &policy, &s, &made, &em);
	}
	if (err != E_OK) {
		log_failure(k, "renew", &em);
	} else {
		board_succeed(&k->board, "renew");
	}
	int64_t next = is_full		       ? now
		       : next_due != INT64_MAX ? next_due - policy.refresh
					       : now + policy.refresh;
	next = made < next ? made : next;
	next = k->key_event < next ? k->key_event : next;
	schedule_clear(&s);
	return err == E_OK ? (next > now ? next : now + 1) : now + RETRY_S;
}

int keeper_sign_anew(struct keeper *k, const struct keeper_env *env, int64_t now, struct errmsg *em)
{
	const struct schedule nothing_due = { 0 };
	int64_t made = INT64_MAX;
	struct sign_policy policy = keeper_policy(k, k->zone->current, now);
	spread(&policy);
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
	if (!choose_chain(k, chain)) {
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

/* So that a restart has little to read, and the journal room. */
static void make_snapshot(struct keeper *k, const struct keeper_env *env)
{
	const struct version *v = k->zone->current;
	struct errmsg em = { "" };
	if (env->vault == NULL || v == NULL || !vault_wants_snapshot(&k->kept, v)) {
		return;
	}
	if (vault_snapshot(env->vault, k->config->name, v, &k->kept, &em) != E_OK) {
		log_failure(k, "snapshot", &em);
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
			log_failure(k, "load", &em);
		}
		due = work->now;
	}
	run_orders(k, env, work, &due);
	if (work->count != 0 && k->zone->current == NULL) {
		keeper_answer(env, work, RCODE_SERVFAIL);
	} else if (work->count != 0 && k->kept.frozen) {
		refuse_frozen(k, env, work);
	} else if (work->count != 0) {
		board_begin(&k->board, "update", work->now);
		update(k, env, work, &due);
	}
	if (due <= work->now) {
		board_begin(&k->board, "renew", work->now);
		due = renew(k, env, work->now);
	}
	make_snapshot(k, env);
	end_job(k, due);
	return due < k->retry ? due : k->retry;
}

void keeper_set_config(struct keeper *k, const struct config_zone *config)
{
	k->config = config;
	forget_chain(k);
	if (config->policy != NULL && is_other_policy(k)) {
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
	k->memory = verify_memory_new();
	return k;
}

void keeper_free(struct keeper *k)
{
	if (k != NULL) {
		set_holder(k, NULL, NULL);
		verify_memory_free(k->memory);
		board_destroy(&k->board);
		version_unref(k->expired);
		mem_free(k);
	}
}

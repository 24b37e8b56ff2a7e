/* server/orders.c - what signetctl can ask of a zone that the server keeps. */
#include "server/orders.h"

#include <string.h>
#include <sys/stat.h>

#include "server/keeper_run.h"
#include "server/producer.h"
#include "server/status.h"
#include "server/zone_save.h"
#include "server/zone_text.h"
#include "signer/nsec3_hash.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/dns/rdata.h"

int order_check_open(const struct keeper *k, const struct keeper_env *env, struct order *o)
{
	if (!k->is_open || env->vault == NULL || k->zone->current == NULL) {
		return err_set(&o->em, E_NOENT,
			       "there is nothing served of the zone; signetctl status says why");
	}
	return E_OK;
}

int order_check_own(const struct keeper *k, const struct keeper_env *env, struct order *o)
{
	if (config_zone_is_secondary(k->config)) {
		return err_set(&o->em, E_PERM,
			       "the zone comes from its primaries; change it there");
	}
	if (config_zone_is_produced(k->config)) {
		return err_set(&o->em, E_PERM,
			       "the catalog lists the zones that have it as their catalog-zone; "
			       "change it there");
	}
	return order_check_open(k, env, o);
}

void order_report_served(const struct keeper *k, struct order *o)
{
	report_number(o->report, "serial", k->zone->current->serial);
	report_number(o->report, "records", k->zone->current->records);
}

int order_read_number(struct order *o, size_t i, const char *what, uint32_t max, uint32_t *out)
{
	char quoted[TEXT_QUOTE_MAX];
	const char *word = o->words[i];
	int err = text_to_u32(word, strlen(word), max, out);
	if (err != E_OK) {
		o->is_misuse = true;
		err_set(&o->em, err, "found %s, expected %s",
			text_quote(word, strlen(word), quoted), what);
	}
	return err;
}

/* --- sync ------------------------------------------------------------------------------------ */

/* All that is served, into a file beside the zone. */
static int sync_copy(const struct keeper *k, struct order *o)
{
	const char *path = o->words[0];
	int err = zone_save_copy(path, k->zone->current, &o->em);
	if (err == E_OK) {
		report_text(o->report, "file", path);
		report_number(o->report, "serial", k->zone->current->serial);
		report_number(o->report, "records", k->zone->current->records);
	}
	return err;
}

/* Does the file say what @source does, as far as is known? */
static bool is_written(const struct keeper *k, const struct keeper_env *env,
		       const struct version *source)
{
	struct version *was = NULL;
	struct diff diff = { 0 };
	struct errmsg em;
	if (vault_source(env->vault, k->config->name, k->kept.source_generation, &was, &em) !=
	    E_OK) {
		return false;
	}
	diff_make(was, source, &diff);
	const bool same = diff_is_empty(&diff);
	diff_clear(&diff);
	version_unref(was);
	return same;
}

static int write_source(struct keeper *k, const struct keeper_env *env,
			const struct version *source, int64_t now, struct errmsg *em)
{
	struct zone_text name;
	char quoted[700];
	const char *path = k->config->file;
	int err = zone_save(path, source, em);
	if (err == E_OK) {
		const struct journal_stamp was = k->kept.stamp;
		k->kept.stamp = keeper_stamp(path);
		err = vault_note(env->vault, k->config->name, source, &k->kept, em);
		k->kept.stamp = err == E_OK ? k->kept.stamp : was;
	}
	if (err != E_OK) {
		k->retry =
			now; /* what was written is read, to no other effect than that it is known */
		return err;
	}
	log_notice("zone-file-written", "zone=%s file=%s serial=%u records=%llu",
		   zone_text(k->config->name, &name), log_quote(path, quoted, sizeof(quoted)),
		   source->serial, (unsigned long long)source->records);
	return E_OK;
}

/* The zone file as the zone is served. */
static int sync_file(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	const struct journal_stamp none = { 0 };
	const struct journal_stamp stamp = keeper_stamp(k->config->file);
	struct version *source = NULL;
	int err = E_OK;
	if (!keeper_same_stamp(&stamp, &none) && !keeper_same_stamp(&stamp, &k->kept.stamp)) {
		return err_set(&o->em, E_EXIST,
			       "%s has changed since it was read, and stays as it is; load it "
			       "before (signetctl reload, or thaw)",
			       k->config->file);
	}
	if (k->holder != NULL && k->config->policy != NULL) {
		source = zone_save_source(k->zone->current, k->holder,
					  k->config->policy->zonemd != CONFIG_ZONEMD_NO);
	} else {
		source = version_ref(k->zone->current);
	}
	if (!keeper_same_stamp(&stamp, &none) && is_written(k, env, source)) {
		(void)err_set(&o->em, E_OK, "the zone file has all of it");
	} else {
		err = write_source(k, env, source, now, &o->em);
	}
	if (err == E_OK) {
		report_text(o->report, "file", k->config->file);
		report_number(o->report, "serial", source->serial);
		report_number(o->report, "records", source->records);
	}
	version_unref(source);
	return err;
}

int order_sync(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	int err = o->count != 0 ? order_check_open(k, env, o) : order_check_own(k, env, o);
	if (err != E_OK) {
		return err;
	}
	return o->count != 0 ? sync_copy(k, o) : sync_file(k, env, now, o);
}

/* --- freeze, thaw ---------------------------------------------------------------------------- */

static int set_frozen(struct keeper *k, const struct keeper_env *env, bool frozen,
		      struct errmsg *em)
{
	struct zone_text name;
	if (k->kept.frozen == frozen) {
		return err_set(em, E_OK, "%s",
			       frozen ? "the zone was frozen before" : "the zone was not frozen");
	}
	k->kept.frozen = frozen;
	int err = vault_note(env->vault, k->config->name, NULL, &k->kept, em);
	if (err != E_OK) {
		k->kept.frozen = !frozen;
		return err;
	}
	log_notice(frozen ? "zone-frozen" : "zone-thawed", "zone=%s",
		   zone_text(k->config->name, &name));
	return E_OK;
}

int order_freeze(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	int err = order_check_own(k, env, o);
	if (err == E_OK) {
		err = sync_file(k, env, now, o);
	}
	return err == E_OK ? set_frozen(k, env, true, &o->em) : err;
}

int order_thaw(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	struct errmsg em = { "" };
	int err = order_check_own(k, env, o);
	if (err != E_OK) {
		return err;
	}
	err = keeper_load(k, env, now, &em);
	o->due = now;
	if (err != E_OK) {
		return err_set(&o->em, err, "%s; the zone %s", em.text,
			       k->kept.frozen ? "stays frozen" : "is as it was");
	}
	order_report_served(k, o);
	return set_frozen(k, env, false, &o->em);
}

/* --- approve --------------------------------------------------------------------------------- */

int order_approve(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	const struct journal_stamp none = { 0 };
	int err = order_check_open(k, env, o);
	if (err == E_OK && keeper_same_stamp(&k->held, &none)) {
		err = err_set(&o->em, E_NOENT, "nothing waits for approval");
	}
	if (err == E_OK) {
		k->approved = k->held;
		o->due = now;
		err = keeper_load(k, env, now, &o->em);
	}
	if (err == E_OK) {
		order_report_served(k, o);
	}
	return err;
}

/* --- flush ----------------------------------------------------------------------------------- */

int order_flush(struct keeper *k, const struct keeper_env *env, int64_t now UNUSED, struct order *o)
{
	int err = order_check_open(k, env, o);
	if (err == E_OK && k->kept.snapshot_seq != k->kept.last_seq) {
		err = vault_snapshot(env->vault, k->config->name, k->zone->current, &k->kept,
				     &o->em);
	}
	if (err == E_OK) {
		order_report_served(k, o);
	}
	return err;
}

/* --- sign ------------------------------------------------------------------------------------ */

static void report_key(const struct key *key, bool can_sign, int64_t now, struct report *r)
{
	uint8_t rdata[4 + CRYPTO_DIGEST_MAX];
	const int n = key_is_ksk(key) ? key_ds(key, 2, rdata, sizeof(rdata)) : 0;
	status_key(r, key, can_sign, now);
	if (n > 0) {
		struct buf text = { 0 };
		rdata_to_text(RRTYPE_DS, rdata, (size_t)n, &text);
		report_text(r, "ds", text.data);
		buf_clear(&text);
	}
}

static void report_keys(const struct holder *h, int64_t now, struct report *r)
{
	report_list(r, "keys");
	for (size_t i = 0; i < holder_count(h); i++) {
		report_key(holder_key(h, i), holder_can_sign(h, i), now, r);
	}
	report_list_end(r);
}

int order_sign(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	const bool was_open = k->is_open;
	if (k->config->policy == NULL) {
		return err_set(&o->em, E_INVAL,
			       "the server does not sign the zone; set zones.dnssec, and reconfig");
	}
	k->makes_keys = true;
	int err = keeper_load(k, env, now, &o->em);
	k->makes_keys = false;
	if (err == E_OK && was_open && k->zone->current != NULL) {
		err = keeper_sign_anew(k, env, now, &o->em);
	}
	o->due = now; /* to see when which signature is due */
	if (err == E_OK && k->zone->current != NULL) {
		order_report_served(k, o);
	}
	if (err == E_OK) {
		report_keys(k->holder, now, o->report);
	}
	return err;
}

/* --- signing --------------------------------------------------------------------------------- */

/* HASH FLAGS ITERATIONS SALT, as in the text of NSEC3PARAM (RFC 5155 §4.3). */
static int read_nsec3_param(struct order *o, struct nsec3_param *out)
{
	const char *salt = o->words[3];
	uint32_t algorithm = 0;
	uint32_t flags = 0;
	uint32_t iterations = 0;
	int err = order_read_number(o, 0, "a hash algorithm: 1", UINT8_MAX, &algorithm);
	if (err == E_OK) {
		err = order_read_number(o, 1, "flags: 0, or 1 for opt-out", NSEC3_OPT_OUT, &flags);
	}
	if (err == E_OK) {
		err = order_read_number(o, 2, "iterations: 0", UINT16_MAX, &iterations);
	}
	int len = 0;
	if (err == E_OK && strcmp(salt, "-") != 0) {
		len = text_from_hex(salt, strlen(salt), out->salt, sizeof(out->salt));
	}
	if (len < 0) {
		char quoted[TEXT_QUOTE_MAX];
		o->is_misuse = true;
		err = err_set(&o->em, len, "found %s, expected a salt: -, or hex digits",
			      text_quote(salt, strlen(salt), quoted));
	}
	out->algorithm = (uint8_t)algorithm;
	out->flags = (uint8_t)flags;
	out->iterations = (uint16_t)iterations;
	out->salt_len = (uint8_t)(len > 0 ? len : 0);
	return err;
}

/* In front of the zone, which is the last word. */
int order_signing(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	struct journal_chain chain = { .denial = DENIAL_NSEC };
	int err = order_check_open(k, env, o);
	if (err == E_OK && o->count == 5) {
		chain.denial = DENIAL_NSEC3;
		err = read_nsec3_param(o, &chain.nsec3);
	} else if (err == E_OK && (o->count != 2 || strcmp(o->words[0], "none") != 0)) {
		o->is_misuse = true;
		err = err_set(&o->em, E_SYNTAX,
			      "expected: signing -nsec3param HASH FLAGS ITERATIONS SALT ZONE, or "
			      "none instead of the four");
	}
	if (err == E_OK) {
		err = keeper_choose_chain(k, env, &chain, now, &o->due, &o->em);
	}
	if (err == E_OK) {
		order_report_served(k, o);
	}
	return err;
}

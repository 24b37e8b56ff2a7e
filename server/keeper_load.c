/* server/keeper_load.c - takes a zone from the database, and what has changed in its file. */
#include "server/keeper_run.h"

#include <sys/stat.h>

#include "keys/keyfile.h"
#include "server/clock.h"
#include "server/guard.h"
#include "server/producer.h"
#include "server/secondary.h"
#include "server/unsign.h"
#include "server/zone_load.h"
#include "server/zone_save.h"
#include "server/zone_text.h"
#include "zones/base/log.h"
#include "zones/dns/rdata.h"
#include "zones/dns/serial.h"

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

/* Of what the zone comes from: its file, or the zones that a catalog of ours lists. */
static struct journal_stamp source_stamp(const struct keeper *k, const struct keeper_env *env)
{
	return config_zone_is_produced(k->config) ? producer_stamp(env->config, k->config->name)
						  : keeper_stamp(k->config->file);
}

/* The zone file, checked; or what takes its place. */
static int read_file(const struct keeper *k, const struct keeper_env *env, int64_t now,
		     struct version **out, struct errmsg *em)
{
	struct zone_text name;
	struct findings findings = { 0 };
	if (config_zone_is_produced(k->config)) {
		return producer_make(env->config, k->config->name, now, out, em);
	}
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

/* For the first time: from its file. */
static int load_first(struct keeper *k, const struct keeper_env *env, int64_t now,
		      struct errmsg *em)
{
	struct version *file = NULL;
	struct version *old = NULL;
	int64_t start = clock_ms();
	k->kept.stamp =
		source_stamp(k, env); /* before reading: a change meanwhile shows up next time */
	int err = read_file(k, env, now, &file, em);
	if (err != E_OK) {
		return err;
	}
	k->max_ttl = keeper_max_ttl(file);
	struct sign_policy policy = keeper_policy(k, file, now);
	policy.threads = 0;
	if (k->config->policy != NULL) {
		keeper_spread(&policy);
	} else {
		policy.serial = SIGN_SERIAL_KEEP;
	}
	struct edit *e = edit_begin(file, NULL, EDIT_TTL_LAST);
	struct publish p = keeper_publish(k, env, e, &policy, JOURNAL_FILE);
	p.base = NULL; /* what was served while nothing was kept of the zone is no start */
	p.source = file;
	err = keeper_publish_run(k, &p, &old, em);
	version_unref(file);
	if (err == E_OK) {
		k->is_open = true;
		if (k->holder != NULL) {
			keeper_note_signed(k, &policy);
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
		keeper_tell_catalog(k, env);
		k->max_ttl = keeper_max_ttl(v);
		k->is_open = true;
		keeper_forget_chain(k);
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
	uint64_t removed = 0;
	int err = keeper_same_stamp(stamp, &k->approved) || config_zone_is_produced(k->config)
			  ? E_OK
			  : guard_check(k->config, before, file, &removed, em);
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
	keeper_key_directory(k, env, &dir);
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

static bool makes_zonemd(const struct keeper *k)
{
	return k->config->policy != NULL && k->config->policy->zonemd != CONFIG_ZONEMD_NO;
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
	const struct journal_stamp stamp = source_stamp(k, env);
	const bool is_unsigned = is_to_be_unsigned(k);
	const bool was_secondary = secondary_was(k);
	int err = read_file(k, env, now, &file, em);
	if (err == E_OK && was_secondary) {
		/* It is no change of a file: all that there is is to be what the file says. */
		before = k->config->policy != NULL
				 ? zone_save_source(k->zone->current, k->holder, makes_zonemd(k))
				 : version_ref(k->zone->current);
	} else if (err == E_OK) {
		err = get_source(k, env, &before, em);
	}
	if (err != E_OK) {
		goto out;
	}
	if (is_unsigned) {
		without_signing(&before);
	}
	err = was_secondary ? E_OK : check_removed(k, before, file, &stamp, em);
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
	err = keeper_publish_run(k, &p, &old, em);
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
	int err = keeper_get_keys(k, env, now, em);
	if (err != E_OK) {
		return err;
	}
	if (k->expired != NULL && !is_secondary) {
		/* There is no primary any more whose word it waits for. */
		version_unref(k->expired);
		k->expired = NULL;
		k->is_open = false;
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
	const struct journal_stamp stamp = source_stamp(k, env);
	const bool is_same = keeper_same_stamp(&stamp, &k->kept.stamp) && !is_to_be_unsigned(k);
	return env->vault == NULL || is_same ? E_OK : load_change(k, env, now, em);
}

int keeper_load(struct keeper *k, const struct keeper_env *env, int64_t now, struct errmsg *em)
{
	int err = load(k, env, now, em);
	/* What was transferred and is held back is still: server/refresh.h sees to that. */
	if (err != E_OK || !zone_is_held(k->zone) || !config_zone_is_secondary(k->config)) {
		zone_set_stale(k->zone, err);
	}
	k->retry = err == E_DISKFULL || err == E_IO ? now + KEEPER_RETRY_S : INT64_MAX;
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

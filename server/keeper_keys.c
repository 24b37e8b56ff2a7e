/* server/keeper_keys.c - the keys of a zone: read, or made where there are none. */
#include "server/keeper_run.h"

#include "keys/algorithm.h"
#include "keys/keyfile.h"
#include "server/zone_text.h"
#include "zones/base/log.h"
#include "zones/dns/rdata.h"

void keeper_key_directory(const struct keeper *k, const struct keeper_env *env, struct buf *out)
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

void keeper_set_holder(struct keeper *k, struct holder *holder, struct holder_session *session)
{
	if (k->session != NULL) {
		holder_session_close(k->session);
	}
	verify_memory_free(k->memory); /* it has sessions of the holder */
	k->memory = holder != NULL ? verify_memory_new() : NULL;
	holder_free(k->holder);
	k->holder = holder;
	k->session = session;
	board_keys(&k->board, holder);
}

/* Reads the keys of the zone; those that were read before go. */
int keeper_get_keys(struct keeper *k, const struct keeper_env *env, int64_t now, struct errmsg *em)
{
	struct buf dir = { 0 };
	struct keyset keys = { 0 };
	struct holder *holder = NULL;
	struct holder_session *session = NULL;
	if (k->config->policy == NULL) {
		keeper_set_holder(k, NULL, NULL);
		return E_OK;
	}
	keeper_key_directory(k, env, &dir);
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
		keeper_set_holder(k, holder, session);
		k->key_event =
			now; /* they may be others than those that the zone was signed with */
	}
	keyset_clear(&keys);
	buf_clear(&dir);
	return err;
}

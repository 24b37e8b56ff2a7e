/* signer/sign_apex.c - which keys sign what, and what signing changes at the apex. */
#include "signer/sign_run.h"
#include "signer/zonemd.h"
#include "zones/base/time.h"
#include "zones/dns/serial.h"

/* --- keys ------------------------------------------------------------------------------------ */

static bool key_signs(const struct sign_run *run, size_t i)
{
	const struct key *k = holder_key(run->holder, i);
	return holder_can_sign(run->holder, i) && key_is_active(k, run->policy->now);
}

/* Is there a key of @algorithm that signs, is not revoked, and is (not) a KSK? */
static bool have_role(const struct sign_run *run, uint8_t algorithm, bool ksk)
{
	for (size_t i = 0; i < holder_count(run->holder); i++) {
		const struct key *k = holder_key(run->holder, i);
		if (key_signs(run, i) && k->algorithm == algorithm && key_is_ksk(k) == ksk &&
		    (k->flags & KEY_FLAG_REVOKE) == 0) {
			return true;
		}
	}
	return false;
}

int sign_pick_keys(struct sign_run *run)
{
	size_t count = holder_count(run->holder);
	char zone[DNAME_TEXT_MAX];
	(void)dname_to_text(run->apex.wire, zone);
	if (count > SIGN_KEYS_MAX) {
		return err_set(run->em, E_LIMIT,
			       "%s: %zu keys, at most %d may be in use; remove old key files", zone,
			       count, SIGN_KEYS_MAX);
	}
	/* Each algorithm signs on its own (RFC 4035 §2.2): where one has no key for a role, the key of
	 * the other role does both. */
	const bool all = run->policy->all_keys_sign_all;
	for (size_t i = 0; i < count; i++) {
		const struct key *k = holder_key(run->holder, i);
		if (!key_signs(run, i)) {
			continue;
		}
		bool revoked = (k->flags & KEY_FLAG_REVOKE) != 0;
		bool ksk = key_is_ksk(k);
		if (all || ksk || !have_role(run, k->algorithm, true)) {
			run->dnskey_keys.key[run->dnskey_keys.count++] = i;
		}
		/* A revoked key signs the DNSKEY set and nothing else (RFC 5011 §2.1). */
		if (!revoked && (all || !ksk || !have_role(run, k->algorithm, false))) {
			run->zone_keys.key[run->zone_keys.count++] = i;
		}
	}
	if (run->zone_keys.count == 0) {
		return err_set(
			run->em, E_NOENT,
			"%s: no key can sign the zone now; generate one with signet-keymgr, or check "
			"its activation time and private file",
			zone);
	}
	return E_OK;
}

/* --- key sets -------------------------------------------------------------------------------- */

static int set_record(struct sign_run *run, bool wanted, uint16_t type, uint32_t ttl,
		      const uint8_t *rdata, size_t len)
{
	const uint8_t *apex = run->apex.wire;
	return wanted ? edit_add(run->edit, apex, type, ttl, rdata, len)
		      : edit_remove(run->edit, apex, type, rdata, len);
}

static bool time_has_come(int64_t t, int64_t now)
{
	return t != KEY_TIME_NONE && t <= now;
}

/* CDS and CDNSKEY (RFC 7344): published between SyncPublish and SyncDelete of a KSK. */
static int sync_records(struct sign_run *run, const struct key *k, uint32_t ttl)
{
	int64_t now = run->policy->now;
	bool wanted = time_has_come(k->times[KEY_SYNC_PUBLISH], now) &&
		      !time_has_come(k->times[KEY_SYNC_DELETE], now) && key_is_published(k, now);
	uint8_t rdata[KEY_RDATA_MAX];
	size_t len = key_rdata(k, rdata);
	int err = set_record(run, wanted, RRTYPE_CDNSKEY, ttl, rdata, len);
	int n = key_ds(k, 2, rdata, sizeof(rdata));
	if (err == E_OK && n > 0) {
		err = set_record(run, wanted, RRTYPE_CDS, ttl, rdata, (size_t)n);
	}
	return err != E_OK || n > 0 ? err : n;
}

static int key_sets(struct sign_run *run, uint32_t ttl)
{
	const struct sign_policy *p = run->policy;
	for (size_t i = 0; i < holder_count(run->holder); i++) {
		const struct key *k = holder_key(run->holder, i);
		uint8_t rdata[KEY_RDATA_MAX];
		size_t len = key_rdata(k, rdata);
		bool published = key_is_published(k, p->now);
		int err = E_OK;
		if (published || p->manage_keys) {
			err = set_record(run, published, RRTYPE_DNSKEY, ttl, rdata, len);
		}
		if (err == E_OK && p->publish_cds && key_is_ksk(k)) {
			err = sync_records(run, k, ttl);
		}
		if (err != E_OK) {
			return err;
		}
	}
	return E_OK;
}

/* --- chain parameters, serial, digest -------------------------------------------------------- */

static int nsec3param(struct sign_run *run, const struct rrset *have)
{
	const struct nsec3_param *n3 = &run->policy->nsec3;
	if (run->policy->denial != DENIAL_NSEC3) {
		if (have != NULL) {
			edit_remove_rrset(run->edit, run->apex.wire, RRTYPE_NSEC3PARAM);
		}
		return E_OK;
	}
	/* Flags are zero here, opt-out or not (RFC 5155 §4.1.2). */
	uint8_t rdata[5 + NSEC3_SALT_MAX];
	struct writer w = writer_of(rdata, sizeof(rdata));
	writer_u8(&w, n3->algorithm);
	writer_u8(&w, 0);
	writer_u16(&w, n3->iterations);
	writer_u8(&w, n3->salt_len);
	writer_bytes(&w, n3->salt, n3->salt_len);
	if (have != NULL && sign_is_single(have, rrset_ttl(have), rdata, writer_len(&w))) {
		return E_OK;
	}
	if (have != NULL) {
		edit_remove_rrset(run->edit, run->apex.wire, RRTYPE_NSEC3PARAM);
	}
	return edit_add(run->edit, run->apex.wire, RRTYPE_NSEC3PARAM, 0, rdata, writer_len(&w));
}

uint32_t sign_next_serial(uint32_t old, enum sign_serial how, int64_t now)
{
	uint32_t wanted = old;
	int64_t year = 0;
	unsigned month = 0;
	unsigned day = 0;
	switch (how) {
	case SIGN_SERIAL_KEEP:
		return old;
	case SIGN_SERIAL_UNIXTIME:
		wanted = (uint32_t)now;
		break;
	case SIGN_SERIAL_DATE:
		time_civil_from_days(now / 86400, &year, &month, &day);
		wanted = (uint32_t)(year * 1000000 + month * 10000 + day * 100);
		break;
	case SIGN_SERIAL_INCREMENT:
		break;
	}
	return serial_is_newer(wanted, old) ? wanted : old + 1;
}

int sign_bump_serial(struct edit *e, enum sign_serial how, int64_t now)
{
	const struct version *state = edit_state(e);
	if (state->soa == NULL) {
		return E_INVAL;
	}
	uint32_t serial = sign_next_serial(state->serial, how, now);
	return serial != state->serial ? edit_put_soa(e, state->soa, serial) : E_OK;
}

/* Bits of the hash algorithms for which the zone has a digest that we can renew. */
static unsigned zonemd_there(const struct version *state)
{
	const struct rrset *rs = node_find(state->apex_node, RRTYPE_ZONEMD);
	unsigned bits = 0;
	const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
	for (unsigned i = 0; rs != NULL && i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		if (rr.rdlen > ZONEMD_FIXED && rr.rdata[4] == ZONEMD_SIMPLE &&
		    zonemd_digest_len(rr.rdata[5]) != 0) {
			bits |= 1U << rr.rdata[5];
		}
	}
	return bits;
}

/* The ZONEMD set: digests of @state, or zeros where @state is NULL (it only holds the place, so that the
 * chain's type bitmap is right when the digest is made). */
static int zonemd_set(struct sign_run *run, struct node_build *b, unsigned bits, uint32_t serial,
		      uint32_t ttl, const struct version *state)
{
	node_build_begin(b, run->apex.wire);
	node_build_set(b, RRTYPE_ZONEMD, 0);
	for (uint8_t hash = ZONEMD_SHA384; hash <= ZONEMD_SHA512; hash++) {
		if ((bits & 1U << hash) == 0) {
			continue;
		}
		uint8_t rdata[ZONEMD_FIXED + CRYPTO_DIGEST_MAX] = { 0 };
		be32_put(rdata, serial);
		rdata[4] = ZONEMD_SIMPLE;
		rdata[5] = hash;
		int err = state != NULL ? zonemd_digest(state, hash, rdata + ZONEMD_FIXED) : E_OK;
		if (err != E_OK) {
			return err;
		}
		node_build_rr(b, ttl, rdata, ZONEMD_FIXED + zonemd_digest_len(hash));
	}
	return E_OK;
}

static int zonemd_place(struct sign_run *run, unsigned bits, uint32_t ttl)
{
	struct node_build b = { 0 };
	edit_remove_rrset(run->edit, run->apex.wire, RRTYPE_ZONEMD);
	int err = zonemd_set(run, &b, bits, 0, ttl, NULL);
	const struct node *n = err == E_OK ? node_build_end(&b, true) : NULL;
	const struct rrset *rs = n != NULL ? node_find(n, RRTYPE_ZONEMD) : NULL;
	const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
	for (unsigned i = 0; rs != NULL && i < rs->count && err == E_OK; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		err = edit_add(run->edit, run->apex.wire, RRTYPE_ZONEMD, ttl, rr.rdata, rr.rdlen);
	}
	node_build_clear(&b);
	return err;
}

int sign_zonemd(struct sign_run *run)
{
	if (!run->zonemd_later) {
		return E_OK;
	}
	const struct version *state = edit_state(run->edit);
	struct sign_worker *w = &run->workers[0];
	struct node_build b = { 0 };
	const struct node *apex = state->apex_node;
	int err = zonemd_set(run, &b, zonemd_there(state), state->serial, rrset_ttl(state->soa),
			     state);
	const struct node *made = err == E_OK ? node_build_end(&b, true) : NULL;
	const struct rrset *digest = made != NULL ? node_find(made, RRTYPE_ZONEMD) : NULL;
	if (digest == NULL) {
		err = err != E_OK ? err : E_INVAL;
		goto out;
	}
	node_build_begin(&w->build, apex->name);
	const struct rrset *rs = node_rrsets(apex);
	for (unsigned i = 0; i < apex->rrsets && err == E_OK; i++) {
		if (rs[i].type != RRTYPE_ZONEMD) {
			node_build_copy(&w->build, &rs[i], true);
			continue;
		}
		err = sign_set(run, w, apex->name, digest, NULL);
		if (err == E_OK) {
			sign_put_set(w, digest);
		}
	}
	if (err == E_OK) {
		edit_put_node(run->edit, node_build_end(&w->build, true));
	}
out:
	node_build_clear(&b);
	return err;
}

int sign_apex(struct sign_run *run)
{
	const struct version *state = edit_state(run->edit);
	char zone[DNAME_TEXT_MAX];
	(void)dname_to_text(run->apex.wire, zone);
	if (state->soa == NULL) {
		return err_set(run->em, E_INVAL, "%s: no SOA record at the apex; add one", zone);
	}
	run->nsec_ttl = state->negative_ttl;
	const uint32_t soa_ttl = rrset_ttl(state->soa);
	const struct rrset *dnskeys = node_find(state->apex_node, RRTYPE_DNSKEY);
	uint32_t ttl = run->policy->dnskey_ttl != 0 ? run->policy->dnskey_ttl : soa_ttl;
	if (dnskeys != NULL) {
		ttl = rrset_ttl(dnskeys);
	}
	unsigned zonemd = run->policy->zonemd | zonemd_there(state);
	run->zonemd_later = zonemd != 0;
	int err = sign_bump_serial(run->edit, run->policy->serial, run->policy->now);
	if (err == E_OK) {
		err = key_sets(run, ttl);
	}
	if (err == E_OK && zonemd != 0) {
		err = zonemd_place(run, zonemd, soa_ttl);
	}
	if (err == E_OK) {
		state = edit_state(run->edit);
		err = nsec3param(run, node_find(state->apex_node, RRTYPE_NSEC3PARAM));
	}
	if (err != E_OK) {
		err_set(run->em, err, "%s: cannot prepare the apex: %s", zone, err_text(err));
	}
	return err;
}

/* signer/verify_keys.c - the DNSKEY set: which keys count, which algorithms must sign, who signs it. */
#include <stdio.h>
#include <string.h>

#include "keys/algorithm.h"
#include "keys/key.h"
#include "signer/verify_run.h"

#define DNSKEY_FIXED	4
#define DNSKEY_PROTOCOL 3
#define DS_FIXED	4

const char *verify_key_text(uint16_t tag, uint8_t algorithm, char out[VERIFY_KEY_TEXT])
{
	const struct algorithm *a = algorithm_find(algorithm);
	if (a != NULL) {
		(void)snprintf(out, VERIFY_KEY_TEXT, "key %u (%s)", tag, a->name);
	} else {
		(void)snprintf(out, VERIFY_KEY_TEXT, "key %u (algorithm %u)", tag, algorithm);
	}
	return out;
}

static const char *algorithm_text(uint8_t number, char out[VERIFY_KEY_TEXT])
{
	const struct algorithm *a = algorithm_find(number);
	if (a != NULL) {
		return a->name;
	}
	(void)snprintf(out, VERIFY_KEY_TEXT, "%u", number);
	return out;
}

static bool is_revoked(const struct verify_key *k)
{
	return (k->flags & KEY_FLAG_REVOKE) != 0;
}

static bool is_sep(const struct verify_key *k)
{
	return (k->flags & KEY_FLAG_SEP) != 0;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Makes the public key, where its algorithm is one that we can check. */
static void key_load(struct verify_worker *w, struct verify_key *k)
{
	const struct algorithm *a = algorithm_find(k->algorithm);
	const char *reason = a == NULL ? "unknown" : a->reason;
	char text[VERIFY_KEY_TEXT];
	int err = E_UNSUPPORTED;
	if (a != NULL && a->use != ALGORITHM_REFUSED) {
		err = crypto_key_from_public(k->algorithm, k->rdata + DNSKEY_FIXED,
					     k->len - DNSKEY_FIXED, &k->pair);
		reason = "not in this OpenSSL";
	}
	if (err == E_UNSUPPORTED) {
		verify_report(w, VERIFY_KEY_UNSUPPORTED,
			      "signatures by %s cannot be checked here: %s",
			      verify_key_text(k->tag, k->algorithm, text),
			      reason != NULL ? reason : "unknown");
	} else if (err != E_OK) {
		k->counts = false;
		verify_report(w, VERIFY_KEY_INVALID, "%s has no valid public key",
			      verify_key_text(k->tag, k->algorithm, text));
	}
}

static bool is_same_pair(const struct crypto_key *a, const struct crypto_key *b)
{
	size_t a_len, b_len;
	const uint8_t *a_octets = crypto_key_public(a, &a_len);
	const uint8_t *b_octets = crypto_key_public(b, &b_len);
	return crypto_key_algorithm(a) == crypto_key_algorithm(b) && a_len == b_len &&
	       memcmp(a_octets, b_octets, a_len) == 0;
}

static size_t find_held(const struct holder *holder, const struct verify_key *k)
{
	for (size_t i = 0; holder != NULL && k->pair != NULL && i < holder_count(holder); i++) {
		if (holder_can_sign(holder, i) &&
		    is_same_pair(holder_key(holder, i)->pair, k->pair)) {
			return i;
		}
	}
	return VERIFY_NOT_HELD;
}

static void key_read(struct verify_worker *w, struct verify_key *k, const struct rr *rr)
{
	struct reader r = reader_of(rr->rdata, rr->rdlen);
	char text[VERIFY_KEY_TEXT];
	*k = (struct verify_key){ .rdata = rr->rdata, .len = rr->rdlen };
	k->flags = reader_u16(&r);
	uint8_t protocol = reader_u8(&r);
	k->algorithm = reader_u8(&r);
	k->tag = key_tag_of(rr->rdata, rr->rdlen);
	verify_key_text(k->tag, k->algorithm, text);
	if (r.err != E_OK || protocol != DNSKEY_PROTOCOL) {
		verify_report(w, VERIFY_KEY_INVALID, "%s has protocol %u, not 3", text, protocol);
	} else if ((k->flags & KEY_FLAG_ZONE) == 0) {
		verify_report(w, VERIFY_KEY_OTHER,
			      "%s has no zone flag, its signatures do not count", text);
	} else {
		k->counts = true;
		key_load(w, k);
	}
	k->held = find_held(w->run->opt->holder, k);
}

static struct verify_algorithm *algorithm_row(struct verify_run *run, uint8_t number)
{
	for (size_t i = 0; i < run->algorithm_count; i++) {
		if (run->algorithms[i].number == number) {
			return &run->algorithms[i];
		}
	}
	struct verify_algorithm *a = &run->algorithms[run->algorithm_count++];
	*a = (struct verify_algorithm){ .number = number };
	return a;
}

/* An algorithm of which only revoked keys are left need not sign any more: they may not be used but
 * to prove that they are revoked (RFC 5011 §2.1). */
static void list_algorithms(struct verify_run *run)
{
	for (size_t i = 0; i < run->key_count; i++) {
		const struct verify_key *k = &run->keys[i];
		if (k->counts && !is_revoked(k)) {
			algorithm_row(run, k->algorithm)->keys |= (verify_keys_mask)1 << i;
		}
	}
	for (size_t i = 0; i < run->key_count; i++) {
		const struct verify_key *k = &run->keys[i];
		for (size_t a = 0; a < run->algorithm_count; a++) {
			if (k->counts && is_sep(k) && run->algorithms[a].number == k->algorithm) {
				run->algorithms[a].has_sep = true;
			}
		}
	}
}

static void read_keys(struct verify_run *run, struct verify_worker *w, const struct rrset *rs)
{
	const uint8_t *p = rrset_data(rs);
	for (unsigned i = 0; i < rs->count; i++) {
		if (i == VERIFY_KEYS_MAX) {
			verify_report(w, VERIFY_KEY_LIMIT, "%u keys, of which %d are looked at",
				      rs->count, VERIFY_KEYS_MAX);
			return;
		}
		struct rr rr;
		p = rr_read(p, &rr);
		key_read(w, &run->keys[run->key_count++], &rr);
	}
}

void verify_keys_clear(struct verify_run *run)
{
	for (size_t i = 0; i < run->key_count; i++) {
		crypto_key_free(run->keys[i].pair);
	}
	run->key_count = 0;
}

/* --- trust anchors --------------------------------------------------------------------------- */

static enum crypto_digest ds_digest(uint8_t digest_type)
{
	switch (digest_type) {
	case 1:
		return CRYPTO_SHA1;
	case 4:
		return CRYPTO_SHA384;
	default:
		return CRYPTO_SHA256;
	}
}

/* Is @rr the DS of key @k (RFC 4034 §5.1.4)? */
static bool ds_matches(const struct verify_run *run, const struct rr *rr,
		       const struct verify_key *k)
{
	if (rr->rdlen < DS_FIXED || be16_get(rr->rdata) != k->tag || rr->rdata[2] != k->algorithm ||
	    (rr->rdata[3] != 1 && rr->rdata[3] != 2 && rr->rdata[3] != 4)) {
		return false;
	}
	uint8_t digest[CRYPTO_DIGEST_MAX];
	uint8_t owner[DNAME_MAX];
	size_t owner_len = dname_lower(owner, run->v->apex.wire);
	const enum crypto_digest kind = ds_digest(rr->rdata[3]);
	struct buf data = { 0 };
	buf_add(&data, owner, owner_len);
	buf_add(&data, k->rdata, k->len);
	int err = crypto_digest(kind, (const uint8_t *)data.data, data.len, digest);
	buf_clear(&data);
	return err == E_OK && rr->rdlen == DS_FIXED + crypto_digest_len(kind) &&
	       memcmp(rr->rdata + DS_FIXED, digest, crypto_digest_len(kind)) == 0;
}

static bool is_anchored(const struct verify_run *run, const struct verify_key *k)
{
	const struct rrset *sets[] = { node_find(run->opt->anchors, RRTYPE_DS),
				       node_find(run->opt->anchors, RRTYPE_DNSKEY) };
	for (size_t s = 0; s < ARRAY_LEN(sets); s++) {
		const uint8_t *p = sets[s] != NULL ? rrset_data(sets[s]) : NULL;
		for (unsigned i = 0; sets[s] != NULL && i < sets[s]->count; i++) {
			struct rr rr;
			p = rr_read(p, &rr);
			bool same = rr.rdlen == k->len && memcmp(rr.rdata, k->rdata, k->len) == 0;
			if (rr.type == RRTYPE_DS ? ds_matches(run, &rr, k) : same) {
				return true;
			}
		}
	}
	return false;
}

static void check_anchors(struct verify_run *run, struct verify_worker *w)
{
	bool known = false;
	for (size_t i = 0; i < run->key_count; i++) {
		struct verify_key *k = &run->keys[i];
		k->anchored = k->counts && !is_revoked(k) && is_anchored(run, k);
		known = known || k->anchored;
		if (k->anchored && (run->key_signers & (verify_keys_mask)1 << i) != 0) {
			return;
		}
	}
	verify_report(w, VERIFY_ANCHOR, "%s",
		      known ? "not validly signed by a key that the trust anchors name"
			    : "has no key that the trust anchors name");
}

/* --- the signatures of the set --------------------------------------------------------------- */

static verify_keys_mask sep_keys(const struct verify_run *run)
{
	verify_keys_mask mask = 0;
	for (size_t i = 0; i < run->key_count; i++) {
		if (is_sep(&run->keys[i])) {
			mask |= (verify_keys_mask)1 << i;
		}
	}
	return mask;
}

static void check_signers(struct verify_run *run, struct verify_worker *w, const struct rrset *rs)
{
	const verify_keys_mask signers = verify_signers(w, rs);
	verify_report_faults(w, rs, signers);
	for (size_t i = 0; i < run->algorithm_count; i++) {
		const struct verify_algorithm *a = &run->algorithms[i];
		/* The parent's DS names a key with the SEP flag, as a rule; anchors tell it exactly. */
		const bool sep = a->has_sep && run->opt->anchors == NULL;
		const verify_keys_mask wanted = sep ? a->keys & sep_keys(run) : a->keys;
		char text[VERIFY_KEY_TEXT];
		if ((signers & wanted) == 0) {
			verify_report(
				w, VERIFY_KEY_SET, "not validly signed by a %s of algorithm %s",
				sep ? "key-signing key" : "key", algorithm_text(a->number, text));
		}
		run->key_signers |= signers & a->keys;
	}
	for (size_t i = 0; i < run->key_count; i++) {
		const struct verify_key *k = &run->keys[i];
		char text[VERIFY_KEY_TEXT];
		if (k->counts && is_revoked(k) && (signers & (verify_keys_mask)1 << i) == 0) {
			verify_report(w, VERIFY_KEY_REVOKED,
				      "%s is revoked, but nobody heeds that as it does not sign "
				      "the DNSKEY set",
				      verify_key_text(k->tag, k->algorithm, text));
		}
	}
}

int verify_keys(struct verify_run *run, struct verify_worker *w)
{
	w->owner = run->v->apex.wire;
	w->type = RRTYPE_DNSKEY;
	const struct rrset *rs = node_find(run->v->apex_node, RRTYPE_DNSKEY);
	if (rs == NULL) {
		w->type = 0;
		verify_report(w, VERIFY_NO_DNSKEY, "the zone is not signed: no DNSKEY set");
		return E_CHECK;
	}
	read_keys(run, w, rs);
	list_algorithms(run);
	bool checkable = false;
	for (size_t i = 0; i < run->key_count; i++) {
		checkable = checkable || (run->keys[i].counts && run->keys[i].pair != NULL);
	}
	if (!checkable) {
		verify_report(w, VERIFY_KEY_NONE, "no zone key whose signatures can be checked");
		return E_CHECK;
	}
	w->stats.sets++;
	check_signers(run, w, rs);
	if (run->opt->anchors != NULL) {
		check_anchors(run, w);
	}
	return E_OK;
}

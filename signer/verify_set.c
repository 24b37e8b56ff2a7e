/* signer/verify_set.c - the signatures of one set: which count, and why others do not. */
#include "keys/algorithm.h"
#include "keys/key.h"
#include "signer/verify_run.h"
#include "zones/base/time.h"

/* The verifier of key @k; made at first use. NULL where the key cannot be used. */
static struct crypto_verifier *verifier_for(struct verify_worker *w, size_t k)
{
	if (w->verifier[k] == NULL &&
	    crypto_verifier_new(w->run->keys[k].pair, &w->verifier[k]) != E_OK) {
		return NULL;
	}
	return w->verifier[k];
}

/* Do the fields fit a set of this zone, in the zone itself (RFC 4035 §2.2)? There nothing is expanded
 * from a wildcard and no TTL has run down. */
static enum verify_kind check_fields(const struct verify_worker *w, const struct rrsig *s,
				     const struct rrset *rs)
{
	if (!dname_equal(s->signer, w->run->v->apex.wire)) {
		return VERIFY_SIG_SIGNER;
	}
	if (s->labels != rrsig_labels(w->owner)) {
		return VERIFY_SIG_LABELS;
	}
	if (s->original_ttl != rrset_ttl(rs)) {
		return VERIFY_SIG_TTL;
	}
	switch (rrsig_check_fields(s, w->owner, rs, w->run->opt->now)) {
	case E_OK:
		return VERIFY_FINE;
	case E_EXPIRED:
		return VERIFY_SIG_EXPIRED;
	case E_NOTYET:
		return VERIFY_SIG_NOT_YET;
	default:
		return VERIFY_SIG_BAD;
	}
}

static struct holder_session *session_for(struct verify_worker *w)
{
	if (w->session == NULL && holder_session_open(w->run->opt->holder, &w->session) != E_OK) {
		return NULL;
	}
	return w->session;
}

static bool is_made_by(struct verify_worker *w, size_t key, const struct rrsig *s,
		       const struct rrset *rs)
{
	const struct verify_key *k = &w->run->keys[key];
	const verify_keys_mask bit = (verify_keys_mask)1 << key;
	int err = E_UNSUPPORTED;
	if (k->held != VERIFY_NOT_HELD && (w->proved & bit) != 0 && session_for(w) != NULL) {
		err = rrsig_check_held(w->session, k->held, s, w->owner, rs, &w->scratch);
	}
	if (err == E_UNSUPPORTED) {
		struct crypto_verifier *v = verifier_for(w, key);
		err = v != NULL ? rrsig_check(v, s, w->owner, rs, &w->scratch) : E_CRYPTO;
		w->proved |= err == E_OK ? bit : 0;
	}
	return err == E_OK;
}

static enum verify_kind check_with(struct verify_worker *w, size_t key, const struct rrsig *s,
				   const struct rrset *rs)
{
	const struct verify_key *k = &w->run->keys[key];
	if ((k->flags & KEY_FLAG_REVOKE) != 0 && rs->type != RRTYPE_DNSKEY) {
		return VERIFY_SIG_REVOKED;
	}
	if (k->pair == NULL) {
		w->stats.unchecked++;
		return VERIFY_FINE;
	}
	if (!is_made_by(w, key, s, rs)) {
		return VERIFY_SIG_BAD;
	}
	w->stats.signatures++;
	return VERIFY_FINE;
}

/* Finds the key that made @s; different keys may have one tag (RFC 4034 App. B). */
static enum verify_kind check_sig(struct verify_worker *w, const struct rrsig *s,
				  const struct rrset *rs, verify_keys_mask *signers)
{
	enum verify_kind kind = check_fields(w, s, rs);
	if (kind != VERIFY_FINE) {
		return kind;
	}
	kind = VERIFY_SIG_KEY;
	for (size_t i = 0; i < w->run->key_count; i++) {
		const struct verify_key *k = &w->run->keys[i];
		if (!k->counts || k->tag != s->key_tag || k->algorithm != s->algorithm) {
			continue;
		}
		kind = check_with(w, i, s, rs);
		if (kind == VERIFY_FINE) {
			*signers |= (verify_keys_mask)1 << i;
			break;
		}
	}
	return kind;
}

static void note_expiration(struct verify_worker *w, const struct rrsig *s)
{
	int64_t t = time_unwrap32(s->expiration, w->run->opt->now);
	if (t < w->stats.first_expiration) {
		w->stats.first_expiration = t;
	}
}

verify_keys_mask verify_signers(struct verify_worker *w, const struct rrset *rs)
{
	verify_keys_mask signers = 0;
	bool ttl_said = false;
	const uint8_t *p = rrset_sig_data(rs);
	w->faults = 0;
	for (unsigned i = 0; i < rs->sigs; i++) {
		if (i == VERIFY_SIGS_MAX) {
			verify_report(w, VERIFY_SIG_LIMIT,
				      "%u signatures, of which %d are looked at", rs->sigs,
				      VERIFY_SIGS_MAX);
			break;
		}
		struct rr rr;
		struct verify_fault *f = &w->fault[w->faults];
		p = rr_read(p, &rr);
		if (rrsig_read(rr.rdata, rr.rdlen, &f->sig) != E_OK) {
			continue; /* not of a reader that checks rdata */
		}
		if (rr.ttl != rrset_ttl(rs) && !ttl_said) {
			ttl_said = true;
			verify_report(w, VERIFY_SIG_OWN_TTL, "signature has TTL %u, the set has %u",
				      rr.ttl, rrset_ttl(rs));
		}
		f->kind = check_sig(w, &f->sig, rs, &signers);
		if (f->kind == VERIFY_FINE) {
			note_expiration(w, &f->sig);
		} else {
			w->faults++;
		}
	}
	return signers;
}

static void fault_text(const struct verify_worker *w, const struct verify_fault *f,
		       const struct rrset *rs, struct buf *out)
{
	const struct rrsig *s = &f->sig;
	char text[VERIFY_KEY_TEXT];
	char when[TIME_TEXT14_LEN + 1];
	int64_t now = w->run->opt->now;
	buf_printf(out, "signature by %s", verify_key_text(s->key_tag, s->algorithm, text));
	switch (f->kind) {
	case VERIFY_SIG_SIGNER:
		buf_str(out, " is in the name of ");
		dname_print(out, s->signer);
		break;
	case VERIFY_SIG_KEY:
		buf_str(out, ", which is no zone key of the DNSKEY set");
		break;
	case VERIFY_SIG_REVOKED:
		buf_str(out, ", which is revoked");
		break;
	case VERIFY_SIG_LABELS:
		buf_printf(out, " is for %u labels, not %u", s->labels, rrsig_labels(w->owner));
		break;
	case VERIFY_SIG_TTL:
		buf_printf(out, " is for TTL %u, the set has %u", s->original_ttl, rrset_ttl(rs));
		break;
	case VERIFY_SIG_EXPIRED:
		time_to_text14(time_unwrap32(s->expiration, now), when);
		buf_printf(out, " has expired at %s", when);
		break;
	case VERIFY_SIG_NOT_YET:
		time_to_text14(time_unwrap32(s->inception, now), when);
		buf_printf(out, " is not valid before %s", when);
		break;
	default:
		buf_str(out, " does not verify");
		break;
	}
}

/* The algorithm's row, or NULL when it need not sign. */
static const struct verify_algorithm *algorithm_of(const struct verify_run *run, uint8_t number)
{
	for (size_t i = 0; i < run->algorithm_count; i++) {
		if (run->algorithms[i].number == number) {
			return &run->algorithms[i];
		}
	}
	return NULL;
}

void verify_report_faults(struct verify_worker *w, const struct rrset *rs, verify_keys_mask signers)
{
	struct buf text = { 0 };
	for (size_t i = 0; i < w->faults; i++) {
		const struct verify_fault *f = &w->fault[i];
		const struct verify_algorithm *a = algorithm_of(w->run, f->sig.algorithm);
		buf_reset(&text);
		fault_text(w, f, rs, &text);
		/* One good signature is enough; others are passed over (RFC 4035 §5.3.3). */
		if (a == NULL || (signers & a->keys) != 0) {
			verify_warn(w, f->kind, "%s", text.data);
		} else {
			verify_report(w, f->kind, "%s", text.data);
		}
	}
	buf_clear(&text);
}

static bool has_fault_of(const struct verify_worker *w, uint8_t algorithm)
{
	for (size_t i = 0; i < w->faults; i++) {
		if (w->fault[i].sig.algorithm == algorithm) {
			return true;
		}
	}
	return false;
}

static void report_missing(struct verify_worker *w, const struct verify_algorithm *a)
{
	const struct algorithm *row = algorithm_find(a->number);
	if (row != NULL) {
		verify_report(w, VERIFY_ALGORITHM, "no signature of algorithm %s", row->name);
	} else {
		verify_report(w, VERIFY_ALGORITHM, "no signature of algorithm %u", a->number);
	}
}

/* Octet for octet, signatures included. */
static bool is_as_verified(const struct verify_worker *w, const struct rrset *rs)
{
	const struct version *base = w->run->base;
	if (base == NULL) {
		return false;
	}
	struct dname_key key;
	dname_key_make(&key, w->owner);
	const struct node *n = tree_get(rs->type == RRTYPE_NSEC3 ? &base->nsec3 : &base->names,
					&key, w->owner, NULL);
	const struct rrset *before = n != NULL ? node_find(n, rs->type) : NULL;
	return rrset_same(before, rs);
}

void verify_set(struct verify_worker *w, const struct rrset *rs)
{
	const struct verify_run *run = w->run;
	w->type = rs->type;
	w->stats.sets++;
	if (is_as_verified(w, rs)) {
		return;
	}
	if (rs->sigs == 0) {
		verify_report(w, VERIFY_UNSIGNED, "no signature");
		return;
	}
	const verify_keys_mask signers = verify_signers(w, rs);
	if (w->faults != 0) {
		verify_report_faults(w, rs, signers);
	}
	for (size_t i = 0; i < run->algorithm_count; i++) {
		const struct verify_algorithm *a = &run->algorithms[i];
		if ((signers & a->keys) == 0 && !has_fault_of(w, a->number)) {
			report_missing(w, a);
		}
	}
	if ((rs->type == RRTYPE_CDS || rs->type == RRTYPE_CDNSKEY) && signers != 0 &&
	    (signers & run->key_signers) == 0) {
		verify_report(w, VERIFY_CDS_SIGNER,
			      "not signed by a key that signs the DNSKEY set");
	}
}

/* test/unit/signer/verify_test.c - good zones are found good, and each kind of fault is found. */
#include "signer/verify.h"

#include "signer/nsec3_hash.h"
#include "signer/rrsig.h"
#include "signer/sign.h"
#include "signer/zonemd.h"
#include "test/unit/unit.h"
#include "zones/base/mem.h"
#include "zones/dns/rdata.h"
#include "zones/edit.h"
#include "zones/master.h"

#define NOW 1790000000

static const char zone_text[] = //
	"example. 3600 IN SOA ns.example. host.example. 7 7200 3600 1209600 1800\n"
	"example. 3600 IN NS ns.example.\n"
	"example. 3600 IN MX 10 mail.example.\n"
	"ns.example. 3600 IN A 192.0.2.1\n"
	"mail.example. 3600 IN A 192.0.2.2\n"
	"mail.example. 3600 IN AAAA 2001:db8::2\n"
	"www.example. 3600 IN A 192.0.2.3\n"
	"www.example. 3600 IN A 192.0.2.4\n"
	"alias.example. 3600 IN CNAME www.example.\n"
	"*.wild.example. 3600 IN TXT any\n"
	"leaf.ent.deep.example. 3600 IN A 192.0.2.5\n"
	"secure.example. 3600 IN NS ns.secure.example.\n"
	"secure.example. 3600 IN DS 12345 13 2 "
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
	"ns.secure.example. 3600 IN A 192.0.2.6\n"
	"insecure.example. 3600 IN NS ns.insecure.example.\n"
	"ns.insecure.example. 3600 IN A 192.0.2.7\n"
	"sub.only.example. 3600 IN NS ns.example.\n"
	"dname.example. 3600 IN DNAME www.example.\n";

enum base { NSEC, NSEC3, OPT_OUT, ZONEMD, BASES };

/* A signed zone of each kind, made once; the keys are the same: 0 the KSK, 1 the ZSK. */
static struct holder *holder;
static struct holder_session *session;
static struct version *bases[BASES];
static const uint8_t *apex; /* example. */

/* --- making zones ---------------------------------------------------------------------------- */

static const uint8_t *name(const char *text)
{
	static struct dname ring[8];
	static unsigned at;
	struct dname *d = &ring[at++ % ARRAY_LEN(ring)];
	ck_assert_int_eq(dname_from_text(d, text, strlen(text), dname_root, NULL), E_OK);
	return d->wire;
}

static struct key *make_key(uint8_t algorithm, uint16_t flags)
{
	struct key *k = mem_zalloc(sizeof(*k));
	uint8_t rdata[KEY_RDATA_MAX];
	dname_set(&k->zone, name("example."));
	k->flags = flags;
	k->algorithm = algorithm;
	for (int i = 0; i < KEY_TIMES; i++) {
		k->times[i] = KEY_TIME_NONE;
	}
	ck_assert_int_eq(crypto_key_generate(algorithm, 0, &k->pair), E_OK);
	k->tag = key_tag_of(rdata, key_rdata(k, rdata));
	return k;
}

static struct edit *read_text(const char *text)
{
	const struct master_options mo = { .origin = NULL };
	struct findings findings = { 0 };
	struct edit *e = NULL;
	size_t len = strlen(text);
	char *padded = mem_zalloc(len + 1 + 64);
	memcpy(padded, text, len);
	int err = master_read_memory(NULL, padded, len, &mo, &e, &findings);
	ck_assert_msg(err == E_OK, "%s", findings.count != 0 ? findings.items[0].text : "");
	mem_free(padded);
	return e;
}

static struct sign_policy policy_of(enum base base)
{
	struct sign_policy p = {
		.now = NOW,
		.inception = NOW - 3600,
		.expiration = NOW + 86400,
		.denial = base == NSEC || base == ZONEMD ? DENIAL_NSEC : DENIAL_NSEC3,
		.zonemd = base == ZONEMD ? 1U << ZONEMD_SHA384 : 0,
		.threads = 1,
	};
	p.nsec3.algorithm = NSEC3_SHA1;
	p.nsec3.flags = base == OPT_OUT ? NSEC3_OPT_OUT : 0;
	return p;
}

static struct version *sign_text(const char *text, const struct sign_policy *policy,
				 const struct holder *with)
{
	struct edit *e = read_text(text);
	struct sign_stats stats;
	struct errmsg em;
	int err = sign_zone(e, with, policy, &stats, &em);
	ck_assert_msg(err == E_OK, "%s", em.text);
	return edit_commit(e);
}

static void setup(void)
{
	struct keyset keys = { 0 };
	keyset_add(&keys, make_key(13, KEY_FLAG_ZONE | KEY_FLAG_SEP));
	keyset_add(&keys, make_key(13, KEY_FLAG_ZONE));
	ck_assert_int_eq(holder_new(&keys, &holder), E_OK);
	ck_assert_int_eq(holder_session_open(holder, &session), E_OK);
	apex = holder_key(holder, 0)->zone.wire;
	for (enum base b = 0; b < BASES; b++) {
		const struct sign_policy policy = policy_of(b);
		bases[b] = sign_text(zone_text, &policy, holder);
	}
}

static void teardown(void)
{
	for (enum base b = 0; b < BASES; b++) {
		version_unref(bases[b]);
	}
	holder_session_close(session);
	holder_free(holder);
}

static int verify(const struct version *v, unsigned threads, struct verify_stats *stats,
		  struct findings *findings)
{
	const struct verify_options opt = { .now = NOW, .threads = threads };
	*findings = (struct findings){ 0 };
	return verify_version(v, &opt, stats, findings);
}

static void assert_good(const struct version *v, unsigned threads, struct verify_stats *stats)
{
	struct findings f;
	int err = verify(v, threads, stats, &f);
	ck_assert_msg(err == E_OK && f.count == 0, "%s", f.count != 0 ? f.items[0].text : "");
	findings_clear(&f);
}

/* --- breaking zones -------------------------------------------------------------------------- */

static void add(struct edit *e, const char *owner, uint32_t ttl, uint16_t type, const char *text)
{
	uint8_t rdata[2048];
	struct writer w = writer_of(rdata, sizeof(rdata));
	struct errmsg em;
	int err = rdata_from_string(type, text, NULL, &w, &em);
	ck_assert_msg(err == E_OK, "%s: %s", text, em.text);
	ck_assert_int_eq(edit_add(e, name(owner), type, ttl, rdata, writer_len(&w)), E_OK);
}

static void drop(struct edit *e, const char *owner, uint16_t type)
{
	edit_remove_rrset(e, name(owner), type);
}

static const struct rrset *find(struct edit *e, const char *owner, uint16_t type)
{
	const struct version *v = edit_state(e);
	struct dname_key key;
	dname_key_make(&key, name(owner));
	const struct tree *t = type == RRTYPE_NSEC3 ? &v->nsec3 : &v->names;
	const struct node *n = tree_get(t, &key, name(owner), NULL);
	const struct rrset *rs = n != NULL ? node_find(n, type) : NULL;
	ck_assert_msg(rs != NULL, "%s %u is not there", owner, type);
	return rs;
}

static void drop_sigs(struct edit *e, const char *owner, uint16_t type)
{
	const struct rrset *rs = find(e, owner, type);
	if (rs->sigs == 0) {
		return;
	}
	uint8_t *copy = mem_dup(rrset_sig_data(rs), rs->sig_len);
	const uint8_t *p = copy;
	for (unsigned i = rs->sigs; i != 0; i--) {
		struct rr rr;
		p = rr_read(p, &rr);
		ck_assert_int_eq(edit_remove(e, name(owner), RRTYPE_RRSIG, rr.rdata, rr.rdlen),
				 E_OK);
	}
	mem_free(copy);
}

/* A signature by key @k of the holder; one more. */
static void sign_by(struct edit *e, const char *owner, uint16_t type, size_t k)
{
	const struct rrsig_times times = { .inception = NOW - 3600, .expiration = NOW + 86400 };
	const struct rrset *rs = find(e, owner, type);
	struct buf scratch = { 0 };
	uint8_t rdata[RRSIG_MAX];
	size_t len = 0;
	ck_assert_int_eq(
		rrsig_make(session, holder, k, name(owner), rs, &times, &scratch, rdata, &len),
		E_OK);
	ck_assert_int_eq(edit_add(e, name(owner), RRTYPE_RRSIG, rrset_ttl(rs), rdata, len), E_OK);
	buf_clear(&scratch);
}

static void resign(struct edit *e, const char *owner, uint16_t type)
{
	drop_sigs(e, owner, type);
	sign_by(e, owner, type, type == RRTYPE_DNSKEY ? 0 : 1);
}

static void replace(struct edit *e, const char *owner, uint32_t ttl, uint16_t type,
		    const char *text)
{
	drop(e, owner, type);
	add(e, owner, ttl, type, text);
	sign_by(e, owner, type, 1);
}

/* Overwrites octets of the only signature; @more adds the changed one beside it. */
static void patch_sig(struct edit *e, const char *owner, uint16_t type, size_t at, uint32_t value,
		      bool more)
{
	const struct rrset *rs = find(e, owner, type);
	struct rr rr;
	uint8_t rdata[RRSIG_MAX];
	(void)rr_read(rrset_sig_data(rs), &rr);
	memcpy(rdata, rr.rdata, rr.rdlen);
	size_t len = rr.rdlen;
	if (at == 3) { /* labels */
		rdata[at] = (uint8_t)value;
	} else if (at == 16 || at == 2) { /* key tag; algorithm and labels */
		be16_put(rdata + at, (uint16_t)value);
	} else {
		be32_put(rdata + at, value);
	}
	if (!more) {
		drop_sigs(e, owner, type);
	}
	ck_assert_int_eq(edit_add(e, name(owner), RRTYPE_RRSIG, 3600, rdata, len), E_OK);
}

/* The owner of the NSEC3 record of @of, as text. */
static const char *hashed(const char *of)
{
	static char text[4][DNAME_TEXT_MAX];
	static unsigned at;
	const struct nsec3_param param = { .algorithm = NSEC3_SHA1 };
	struct crypto_hasher *h;
	uint8_t hash[NSEC3_HASH_LEN];
	struct dname owner;
	ck_assert_int_eq(crypto_hasher_new(CRYPTO_SHA1, &h), E_OK);
	ck_assert_int_eq(nsec3_hash(h, &param, name(of), hash), E_OK);
	crypto_hasher_free(h);
	ck_assert_int_eq(nsec3_owner(hash, apex, &owner), E_OK);
	at = (at + 1) % ARRAY_LEN(text);
	(void)dname_to_text(owner.wire, text[at]);
	return text[at];
}

/* Changes octet @at of the only NSEC3 record of @of, and signs it again. */
static void patch_nsec3(struct edit *e, const char *of, size_t at, uint8_t value)
{
	const char *owner = hashed(of);
	struct rr rr;
	uint8_t rdata[1024];
	(void)rr_read(rrset_data(find(e, owner, RRTYPE_NSEC3)), &rr);
	memcpy(rdata, rr.rdata, rr.rdlen);
	rdata[at] = value;
	uint16_t len = rr.rdlen;
	uint32_t ttl = rr.ttl;
	drop(e, owner, RRTYPE_NSEC3);
	ck_assert_int_eq(edit_add(e, name(owner), RRTYPE_NSEC3, ttl, rdata, len), E_OK);
	sign_by(e, owner, RRTYPE_NSEC3, 1);
}

static void add_key(struct edit *e, uint16_t flags, uint8_t protocol, uint8_t algorithm)
{
	const struct key *k = holder_key(holder, 1);
	uint8_t rdata[KEY_RDATA_MAX];
	size_t len = key_rdata(k, rdata);
	be16_put(rdata, flags);
	rdata[2] = protocol;
	rdata[3] = algorithm;
	rdata[len - 1] ^= algorithm == 13 ? 0 : 1;
	ck_assert_int_eq(edit_add(e, apex, RRTYPE_DNSKEY, 3600, rdata, len), E_OK);
	resign(e, "example.", RRTYPE_DNSKEY);
}

/* --- one function for each fault ------------------------------------------------------------- */

static void no_soa(struct edit *e)
{
	drop(e, "example.", RRTYPE_SOA);
}

static void no_dnskey(struct edit *e)
{
	drop(e, "example.", RRTYPE_DNSKEY);
}

static void key_of_another_protocol(struct edit *e)
{
	add_key(e, KEY_FLAG_ZONE, 2, 13);
}

static void key_off_the_curve(struct edit *e)
{
	char point[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		       "AAAAAAAAAAAAAA==";
	char text[128];
	(void)snprintf(text, sizeof(text), "256 3 13 %s", point);
	add(e, "example.", 3600, RRTYPE_DNSKEY, text);
	resign(e, "example.", RRTYPE_DNSKEY);
}

static void key_without_zone_flag(struct edit *e)
{
	add_key(e, 0, 3, 13);
}

static void key_of_unknown_algorithm(struct edit *e)
{
	add_key(e, KEY_FLAG_ZONE, 3, 200);
}

static void only_keys_of_unknown_algorithms(struct edit *e)
{
	drop(e, "example.", RRTYPE_DNSKEY);
	add(e, "example.", 3600, RRTYPE_DNSKEY, "257 3 200 AAECAwQFBgc=");
	sign_by(e, "example.", RRTYPE_DNSKEY, 0);
}

static void many_keys(struct edit *e)
{
	for (unsigned i = 0; i < VERIFY_KEYS_MAX; i++) {
		/* Not zone keys; they sort behind the real ones. */
		uint8_t rdata[6] = { 2, 0, 3, 13, 0, (uint8_t)i };
		ck_assert_int_eq(edit_add(e, apex, RRTYPE_DNSKEY, 3600, rdata, sizeof(rdata)),
				 E_OK);
	}
	resign(e, "example.", RRTYPE_DNSKEY);
}

static void revoked_key_that_is_silent(struct edit *e)
{
	add_key(e, KEY_FLAG_ZONE | KEY_FLAG_REVOKE, 3, 13);
}

static void keys_without_signature(struct edit *e)
{
	drop_sigs(e, "example.", RRTYPE_DNSKEY);
}

static void keys_signed_by_zsk(struct edit *e)
{
	drop_sigs(e, "example.", RRTYPE_DNSKEY);
	sign_by(e, "example.", RRTYPE_DNSKEY, 1);
}

static void unsigned_set(struct edit *e)
{
	drop_sigs(e, "www.example.", RRTYPE_A);
}

static void another_signer(struct edit *e)
{
	const struct rrset *rs = find(e, "www.example.", RRTYPE_A);
	struct rr rr;
	uint8_t rdata[RRSIG_MAX];
	(void)rr_read(rrset_sig_data(rs), &rr);
	memcpy(rdata, rr.rdata, rr.rdlen);
	rdata[RRSIG_FIXED + 1] ^= 1; /* dxample. */
	uint16_t len = rr.rdlen;
	drop_sigs(e, "www.example.", RRTYPE_A);
	ck_assert_int_eq(edit_add(e, name("www.example."), RRTYPE_RRSIG, 3600, rdata, len), E_OK);
}

static void another_key_tag(struct edit *e)
{
	patch_sig(e, "www.example.", RRTYPE_A, 16, holder_key(holder, 1)->tag + 1U, false);
}

static void sig_of_another_algorithm(struct edit *e)
{
	patch_sig(e, "www.example.", RRTYPE_A, 2, 15U << 8 | 2, false);
}

/* The ZSK as a revoked key besides, and a signature with the tag it then has. */
static void signed_by_a_revoked_key(struct edit *e)
{
	const struct key *k = holder_key(holder, 1);
	uint8_t rdata[KEY_RDATA_MAX];
	size_t len = key_rdata(k, rdata);
	be16_put(rdata, KEY_FLAG_ZONE | KEY_FLAG_REVOKE);
	add_key(e, KEY_FLAG_ZONE | KEY_FLAG_REVOKE, 3, 13);
	patch_sig(e, "www.example.", RRTYPE_A, 16, key_tag_of(rdata, len), false);
}

static void fewer_labels(struct edit *e)
{
	patch_sig(e, "www.example.", RRTYPE_A, 3, 1, false);
}

static void more_labels(struct edit *e)
{
	patch_sig(e, "*.wild.example.", RRTYPE_TXT, 3, 3, false);
}

static void another_original_ttl(struct edit *e)
{
	patch_sig(e, "www.example.", RRTYPE_A, 4, 7200, false);
}

static void expired(struct edit *e)
{
	patch_sig(e, "www.example.", RRTYPE_A, 8, NOW - 1, false);
}

static void not_yet_valid(struct edit *e)
{
	patch_sig(e, "www.example.", RRTYPE_A, 12, NOW + 1, false);
}

static void changed_expiration(struct edit *e)
{
	patch_sig(e, "www.example.", RRTYPE_A, 8, NOW + 86401, false);
}

static void record_added(struct edit *e)
{
	add(e, "www.example.", 3600, RRTYPE_A, "192.0.2.99");
}

static void expired_one_besides(struct edit *e)
{
	patch_sig(e, "www.example.", RRTYPE_A, 8, NOW - 1, true);
}

static void many_signatures(struct edit *e)
{
	for (uint32_t i = 0; i < VERIFY_SIGS_MAX; i++) {
		/* They sort behind the good one. */
		patch_sig(e, "www.example.", RRTYPE_A, 4, 3601 + i, true);
	}
}

static void signature_of_another_ttl(struct edit *e)
{
	const struct rrset *rs = find(e, "www.example.", RRTYPE_A);
	struct rr rr;
	uint8_t rdata[RRSIG_MAX];
	(void)rr_read(rrset_sig_data(rs), &rr);
	memcpy(rdata, rr.rdata, rr.rdlen);
	uint16_t len = rr.rdlen;
	drop_sigs(e, "www.example.", RRTYPE_A);
	ck_assert_int_eq(edit_add(e, name("www.example."), RRTYPE_RRSIG, 60, rdata, len), E_OK);
}

static void several_ttls(struct edit *e)
{
	add(e, "www.example.", 7200, RRTYPE_A, "192.0.2.99");
	resign(e, "www.example.", RRTYPE_A);
}

static void signature_of_nothing(struct edit *e)
{
	const struct rrset *rs = find(e, "mail.example.", RRTYPE_AAAA);
	struct rr rr;
	uint8_t rdata[RRSIG_MAX];
	(void)rr_read(rrset_sig_data(rs), &rr);
	memcpy(rdata, rr.rdata, rr.rdlen);
	ck_assert_int_eq(edit_add(e, name("www.example."), RRTYPE_RRSIG, 3600, rdata, rr.rdlen),
			 E_OK);
}

static void signature_at_no_name(struct edit *e)
{
	const struct rrset *rs = find(e, "mail.example.", RRTYPE_AAAA);
	struct rr rr;
	uint8_t rdata[RRSIG_MAX];
	(void)rr_read(rrset_sig_data(rs), &rr);
	memcpy(rdata, rr.rdata, rr.rdlen);
	ck_assert_int_eq(edit_add(e, name("nothing.example."), RRTYPE_RRSIG, 3600, rdata, rr.rdlen),
			 E_OK);
}

static void signed_delegation(struct edit *e)
{
	sign_by(e, "secure.example.", RRTYPE_NS, 1);
}

static void signed_glue(struct edit *e)
{
	sign_by(e, "ns.secure.example.", RRTYPE_A, 1);
}

static void unsigned_ds(struct edit *e)
{
	drop_sigs(e, "secure.example.", RRTYPE_DS);
}

static void cds_signed_by_zsk(struct edit *e)
{
	add(e, "example.", 3600, RRTYPE_CDS,
	    "1 13 2 "
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	sign_by(e, "example.", RRTYPE_CDS, 1);
	replace(e, "example.", 1800, RRTYPE_NSEC, "alias.example. NS SOA MX RRSIG NSEC DNSKEY CDS");
}

static void ds_at_apex(struct edit *e)
{
	add(e, "example.", 3600, RRTYPE_DS,
	    "1 13 2 "
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	sign_by(e, "example.", RRTYPE_DS, 1);
	replace(e, "example.", 1800, RRTYPE_NSEC, "alias.example. NS SOA MX DS RRSIG NSEC DNSKEY");
}

static void ds_without_ns(struct edit *e)
{
	drop(e, "secure.example.", RRTYPE_NS);
	drop(e, "ns.secure.example.", RRTYPE_A);
	replace(e, "secure.example.", 1800, RRTYPE_NSEC, "*.wild.example. DS RRSIG NSEC");
}

static void cname_and_other_data(struct edit *e)
{
	add(e, "alias.example.", 3600, RRTYPE_TXT, "x");
	sign_by(e, "alias.example.", RRTYPE_TXT, 1);
	replace(e, "alias.example.", 1800, RRTYPE_NSEC,
		"leaf.ent.deep.example. CNAME TXT RRSIG NSEC");
}

static void name_below_dname(struct edit *e)
{
	add(e, "x.dname.example.", 3600, RRTYPE_TXT, "x");
}

static void no_nsec_at_all(struct edit *e)
{
	static const char *const names[] = { "example.",	  "ns.example.",
					     "mail.example.",	  "www.example.",
					     "alias.example.",	  "*.wild.example.",
					     "secure.example.",	  "leaf.ent.deep.example.",
					     "insecure.example.", "sub.only.example.",
					     "dname.example." };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		drop(e, names[i], RRTYPE_NSEC);
	}
}

static void no_nsec_at_apex(struct edit *e)
{
	drop(e, "example.", RRTYPE_NSEC);
}

static void nsec_missing(struct edit *e)
{
	drop(e, "mail.example.", RRTYPE_NSEC);
}

static void nsec_at_glue(struct edit *e)
{
	add(e, "ns.secure.example.", 1800, RRTYPE_NSEC, "sub.only.example. A RRSIG NSEC");
	sign_by(e, "ns.secure.example.", RRTYPE_NSEC, 1);
}

static void nsec_alone(struct edit *e)
{
	add(e, "ent.deep.example.", 1800, RRTYPE_NSEC, "leaf.ent.deep.example. RRSIG NSEC");
	sign_by(e, "ent.deep.example.", RRTYPE_NSEC, 1);
}

static void nsec_twice(struct edit *e)
{
	add(e, "mail.example.", 1800, RRTYPE_NSEC, "zz.example. A AAAA RRSIG NSEC");
	resign(e, "mail.example.", RRTYPE_NSEC);
}

static void nsec_next_that_skips(struct edit *e)
{
	replace(e, "mail.example.", 1800, RRTYPE_NSEC, "secure.example. A AAAA RRSIG NSEC");
}

static void nsec_not_closed(struct edit *e)
{
	replace(e, "www.example.", 1800, RRTYPE_NSEC, "zz.example. A RRSIG NSEC");
}

static void nsec_lacks_a_type(struct edit *e)
{
	replace(e, "mail.example.", 1800, RRTYPE_NSEC, "ns.example. A RRSIG NSEC");
}

static void nsec_has_a_type_more(struct edit *e)
{
	replace(e, "mail.example.", 1800, RRTYPE_NSEC, "ns.example. A AAAA RRSIG NSEC TYPE1234");
}

static void nsec_of_cut_has_glue(struct edit *e)
{
	add(e, "secure.example.", 3600, RRTYPE_A, "192.0.2.66");
	replace(e, "secure.example.", 1800, RRTYPE_NSEC, "*.wild.example. A NS DS RRSIG NSEC");
}

static void set_taken_out(struct edit *e)
{
	drop(e, "mail.example.", RRTYPE_AAAA);
}

static void nsec_of_another_ttl(struct edit *e)
{
	replace(e, "mail.example.", 3600, RRTYPE_NSEC, "ns.example. A AAAA RRSIG NSEC");
}

static void nsec_in_an_nsec3_zone(struct edit *e)
{
	add(e, "mail.example.", 1800, RRTYPE_NSEC, "ns.example. A AAAA RRSIG NSEC");
	sign_by(e, "mail.example.", RRTYPE_NSEC, 1);
}

static void nsec3_missing(struct edit *e)
{
	drop(e, hashed("mail.example."), RRTYPE_NSEC3);
}

static void nsec3_of_ent_missing(struct edit *e)
{
	drop(e, hashed("deep.example."), RRTYPE_NSEC3);
}

static void nsec3_of_cut_missing(struct edit *e)
{
	drop(e, hashed("insecure.example."), RRTYPE_NSEC3);
}

static void nsec3_of_ent_of_cut_missing(struct edit *e)
{
	drop(e, hashed("only.example."), RRTYPE_NSEC3);
}

/* Takes the opt-out flag off all records. */
static void nowhere_opted_out(struct edit *e)
{
	static const char *const names[] = {
		"example.",	  "ns.example.",     "mail.example.",	"www.example.",
		"alias.example.", "*.wild.example.", "secure.example.", "leaf.ent.deep.example.",
		"dname.example.", "wild.example.",   "deep.example.",	"ent.deep.example."
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		patch_nsec3(e, names[i], 1, 0);
	}
}

static void nsec3_of_nobody(struct edit *e)
{
	add(e, "0000000000000000000000000000000a.example.", 1800, RRTYPE_NSEC3,
	    "1 0 0 - 0000000000000000000000000000000b A RRSIG");
	sign_by(e, "0000000000000000000000000000000a.example.", RRTYPE_NSEC3, 1);
}

static void nsec3_of_no_chain(struct edit *e)
{
	add(e, "0000000000000000000000000000000a.example.", 1800, RRTYPE_NSEC3,
	    "1 0 7 AB 0000000000000000000000000000000b A RRSIG");
	sign_by(e, "0000000000000000000000000000000a.example.", RRTYPE_NSEC3, 1);
}

static void nsec3_at_no_hash(struct edit *e)
{
	add(e, "www.example.", 1800, RRTYPE_NSEC3,
	    "1 0 0 - 0000000000000000000000000000000b A RRSIG");
	sign_by(e, "www.example.", RRTYPE_NSEC3, 1);
}

static void nsec3_twice_in_a_chain(struct edit *e)
{
	add(e, hashed("mail.example."), 1800, RRTYPE_NSEC3,
	    "1 1 0 - 0000000000000000000000000000000b A RRSIG");
	resign(e, hashed("mail.example."), RRTYPE_NSEC3);
}

static void nsec3_wrong_next(struct edit *e)
{
	patch_nsec3(e, "mail.example.", 6 + 19, 0);
}

static void nsec3_wrong_types(struct edit *e)
{
	patch_nsec3(e, "mail.example.", 6 + 20 + 2, 0x60);
}

static void nsec3_of_unknown_flags(struct edit *e)
{
	patch_nsec3(e, "mail.example.", 1, 2);
}

static void nsec3_signature_of_nothing(struct edit *e)
{
	const char *owner = hashed("mail.example.");
	struct rr rr;
	uint8_t rdata[RRSIG_MAX];
	(void)rr_read(rrset_sig_data(find(e, owner, RRTYPE_NSEC3)), &rr);
	memcpy(rdata, rr.rdata, rr.rdlen);
	ck_assert_int_eq(edit_add(e, name("mail.example."), RRTYPE_RRSIG, 1800, rdata, rr.rdlen),
			 E_OK);
}

static void nsec3_of_another_ttl(struct edit *e)
{
	const char *owner = hashed("mail.example.");
	struct rr rr;
	uint8_t rdata[1024];
	(void)rr_read(rrset_data(find(e, owner, RRTYPE_NSEC3)), &rr);
	memcpy(rdata, rr.rdata, rr.rdlen);
	uint16_t len = rr.rdlen;
	drop(e, owner, RRTYPE_NSEC3);
	ck_assert_int_eq(edit_add(e, name(owner), RRTYPE_NSEC3, 60, rdata, len), E_OK);
	sign_by(e, owner, RRTYPE_NSEC3, 1);
}

static void param_with_flags(struct edit *e)
{
	add(e, "example.", 0, RRTYPE_NSEC3PARAM, "1 1 0 -");
	resign(e, "example.", RRTYPE_NSEC3PARAM);
}

static void param_of_unknown_hash(struct edit *e)
{
	add(e, "example.", 0, RRTYPE_NSEC3PARAM, "9 0 0 -");
	resign(e, "example.", RRTYPE_NSEC3PARAM);
}

static void param_of_no_chain(struct edit *e)
{
	replace(e, "example.", 0, RRTYPE_NSEC3PARAM, "1 0 0 AB");
}

static void no_param(struct edit *e)
{
	drop(e, "example.", RRTYPE_NSEC3PARAM);
}

static void too_many_iterations(struct edit *e)
{
	add(e, "example.", 0, RRTYPE_NSEC3PARAM, "1 0 65535 -");
	resign(e, "example.", RRTYPE_NSEC3PARAM);
}

static void too_many_chains(struct edit *e)
{
	char text[40];
	for (unsigned i = 0; i < VERIFY_CHAINS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "1 0 0 %02X", i);
		add(e, "example.", 0, RRTYPE_NSEC3PARAM, text);
	}
	resign(e, "example.", RRTYPE_NSEC3PARAM);
}

static void put_zonemd(struct edit *e, const char *text)
{
	drop(e, "example.", RRTYPE_ZONEMD);
	add(e, "example.", 3600, RRTYPE_ZONEMD, text);
	sign_by(e, "example.", RRTYPE_ZONEMD, 1);
}

#define DIGEST48                                                                                   \
 "000102030405060708090a0b0c0d0e0f1011121314151617"                                                \
 "18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"

static void zonemd_of_another_serial(struct edit *e)
{
	put_zonemd(e, "8 1 1 " DIGEST48);
}

static void zonemd_of_another_zone(struct edit *e)
{
	add(e, "ns.insecure.example.", 3600, RRTYPE_A, "192.0.2.77");
}

static void zonemd_of_another_length(struct edit *e)
{
	put_zonemd(e, "7 1 2 " DIGEST48);
}

static void zonemd_twice(struct edit *e)
{
	add(e, "example.", 3600, RRTYPE_ZONEMD, "7 1 1 " DIGEST48);
	resign(e, "example.", RRTYPE_ZONEMD);
}

static void zonemd_of_unknown_scheme(struct edit *e)
{
	put_zonemd(e, "7 240 1 " DIGEST48);
}

static void zonemd_of_unknown_hash(struct edit *e)
{
	put_zonemd(e, "7 1 240 " DIGEST48);
}

/* --- the table ------------------------------------------------------------------------------- */

#define NONE VERIFY_FINE

static const struct fault {
	const char *name;
	void (*make)(struct edit *e);
	enum base base;
	bool good; /* warnings alone */
	enum verify_kind kind;
	enum verify_kind also[2]; /* may be found besides */
} faults[] = {
#define BAD(fn, base, kind, ...)                                                                   \
 {                                                                                                 \
#  fn, fn, base, false, VERIFY_##kind,                                                             \
  {                                                                                                \
   __VA_ARGS__                                                                                     \
  }                                                                                                \
 }
#define WARN(fn, base, kind)                                                                       \
 {                                                                                                 \
#  fn, fn, base, true, VERIFY_##kind,                                                              \
  {                                                                                                \
   NONE, NONE                                                                                      \
  }                                                                                                \
 }
	BAD(no_soa, NSEC, NO_SOA, NONE, NONE),
	BAD(no_dnskey, NSEC, NO_DNSKEY, NONE, NONE),
	BAD(key_of_another_protocol, NSEC, KEY_INVALID, NONE, NONE),
	BAD(key_off_the_curve, NSEC, KEY_INVALID, NONE, NONE),
	WARN(key_without_zone_flag, NSEC, KEY_OTHER),
	BAD(key_of_unknown_algorithm, NSEC, KEY_UNSUPPORTED, VERIFY_ALGORITHM, VERIFY_KEY_SET),
	BAD(key_of_unknown_algorithm, NSEC, ALGORITHM, VERIFY_KEY_UNSUPPORTED, VERIFY_KEY_SET),
	BAD(only_keys_of_unknown_algorithms, NSEC, KEY_NONE, VERIFY_KEY_UNSUPPORTED, NONE),
	BAD(many_keys, NSEC, KEY_LIMIT, VERIFY_KEY_OTHER, NONE),
	WARN(revoked_key_that_is_silent, NSEC, KEY_REVOKED),
	BAD(keys_without_signature, NSEC, KEY_SET, NONE, NONE),
	BAD(keys_signed_by_zsk, NSEC, KEY_SET, NONE, NONE),
	BAD(unsigned_set, NSEC, UNSIGNED, NONE, NONE),
	BAD(another_signer, NSEC, SIG_SIGNER, NONE, NONE),
	BAD(another_key_tag, NSEC, SIG_KEY, NONE, NONE),
	BAD(sig_of_another_algorithm, NSEC, ALGORITHM, VERIFY_SIG_KEY, NONE),
	BAD(signed_by_a_revoked_key, NSEC, SIG_REVOKED, VERIFY_KEY_REVOKED, NONE),
	BAD(fewer_labels, NSEC, SIG_LABELS, NONE, NONE),
	BAD(more_labels, NSEC, SIG_LABELS, NONE, NONE),
	BAD(another_original_ttl, NSEC, SIG_TTL, NONE, NONE),
	BAD(expired, NSEC, SIG_EXPIRED, NONE, NONE),
	BAD(not_yet_valid, NSEC, SIG_NOT_YET, NONE, NONE),
	BAD(changed_expiration, NSEC, SIG_BAD, NONE, NONE),
	BAD(record_added, NSEC, SIG_BAD, NONE, NONE),
	WARN(expired_one_besides, NSEC, SIG_EXPIRED),
	BAD(many_signatures, NSEC, SIG_LIMIT, VERIFY_SIG_TTL, NONE),
	WARN(signature_of_another_ttl, NSEC, SIG_OWN_TTL),
	WARN(several_ttls, NSEC, SET_TTL),
	BAD(signature_of_nothing, NSEC, STRAY_SIG, NONE, NONE),
	BAD(signature_at_no_name, NSEC, STRAY_SIG, NONE, NONE),
	BAD(signature_at_no_name, NSEC3, STRAY_SIG, NONE, NONE),
	BAD(signed_delegation, NSEC, SIGNED_CUT, NONE, NONE),
	BAD(signed_glue, NSEC3, SIGNED_GLUE, NONE, NONE),
	BAD(unsigned_ds, OPT_OUT, UNSIGNED, NONE, NONE),
	WARN(cds_signed_by_zsk, NSEC, CDS_SIGNER),
	BAD(ds_at_apex, NSEC, DS_APEX, NONE, NONE),
	BAD(ds_without_ns, NSEC, DS_NO_NS, NONE, NONE),
	BAD(cname_and_other_data, NSEC, CNAME_OTHER, NONE, NONE),
	WARN(name_below_dname, NSEC, BELOW_DNAME),
	BAD(no_nsec_at_all, NSEC, NO_CHAIN, NONE, NONE),
	BAD(no_nsec_at_apex, NSEC, NSEC_MISSING, NONE, NONE),
	BAD(nsec_missing, NSEC, NSEC_MISSING, NONE, NONE),
	BAD(nsec_at_glue, NSEC, NSEC_STRAY, NONE, NONE),
	BAD(nsec_alone, NSEC, NSEC_STRAY, NONE, NONE),
	BAD(nsec_twice, NSEC, NSEC_SEVERAL, NONE, NONE),
	BAD(nsec_next_that_skips, NSEC, NSEC_NEXT, NONE, NONE),
	BAD(nsec_not_closed, NSEC, NSEC_NEXT, NONE, NONE),
	BAD(nsec_lacks_a_type, NSEC, NSEC_TYPES, NONE, NONE),
	BAD(nsec_has_a_type_more, NSEC, NSEC_TYPES, NONE, NONE),
	BAD(nsec_of_cut_has_glue, NSEC, NSEC_TYPES, NONE, NONE),
	BAD(set_taken_out, NSEC, NSEC_TYPES, NONE, NONE),
	WARN(nsec_of_another_ttl, NSEC, CHAIN_TTL),
	BAD(nsec_in_an_nsec3_zone, NSEC3, NSEC_STRAY, NONE, NONE),
	BAD(nsec3_missing, NSEC3, NSEC3_MISSING, VERIFY_NSEC3_NEXT, NONE),
	BAD(nsec3_missing, OPT_OUT, NSEC3_MISSING, VERIFY_NSEC3_NEXT, NONE),
	BAD(nsec3_of_ent_missing, NSEC3, NSEC3_MISSING, VERIFY_NSEC3_NEXT, NONE),
	BAD(nsec3_of_ent_missing, OPT_OUT, NSEC3_MISSING, VERIFY_NSEC3_NEXT, NONE),
	BAD(nsec3_of_cut_missing, NSEC3, NSEC3_OPT_OUT, VERIFY_NSEC3_NEXT, NONE),
	BAD(nsec3_of_ent_of_cut_missing, NSEC3, NSEC3_OPT_OUT, VERIFY_NSEC3_NEXT, NONE),
	BAD(nowhere_opted_out, OPT_OUT, NSEC3_OPT_OUT, NONE, NONE),
	BAD(nsec3_of_nobody, NSEC3, NSEC3_STRAY, VERIFY_NSEC3_NEXT, NONE),
	BAD(nsec3_of_no_chain, NSEC3, NSEC3_STRAY, NONE, NONE),
	BAD(nsec3_of_no_chain, NSEC, NSEC3_STRAY, NONE, NONE),
	BAD(nsec3_at_no_hash, NSEC3, NSEC3_STRAY, NONE, NONE),
	BAD(nsec3_twice_in_a_chain, NSEC3, NSEC3_STRAY, NONE, NONE),
	BAD(nsec3_wrong_next, NSEC3, NSEC3_NEXT, NONE, NONE),
	BAD(nsec3_wrong_types, NSEC3, NSEC3_TYPES, NONE, NONE),
	BAD(nsec3_of_unknown_flags, NSEC3, NSEC3_FLAGS, NONE, NONE),
	BAD(nsec3_signature_of_nothing, NSEC3, STRAY_SIG, NONE, NONE),
	WARN(nsec3_of_another_ttl, NSEC3, CHAIN_TTL),
	WARN(param_with_flags, NSEC3, NSEC3_PARAM),
	WARN(param_of_unknown_hash, NSEC3, NSEC3_PARAM),
	BAD(param_of_no_chain, NSEC3, NSEC3_MISSING, VERIFY_NSEC3_STRAY, VERIFY_NSEC3_OPT_OUT),
	BAD(no_param, NSEC3, NO_CHAIN, VERIFY_NSEC3_STRAY, NONE),
	BAD(too_many_iterations, NSEC3, NSEC3_LIMIT, NONE, NONE),
	BAD(too_many_chains, NSEC3, NSEC3_LIMIT, VERIFY_NSEC3_MISSING, VERIFY_NSEC3_OPT_OUT),
	BAD(zonemd_of_another_serial, ZONEMD, ZONEMD_SERIAL, NONE, NONE),
	BAD(zonemd_of_another_zone, ZONEMD, ZONEMD_DIGEST, NONE, NONE),
	BAD(zonemd_of_another_length, ZONEMD, ZONEMD_DIGEST, NONE, NONE),
	BAD(zonemd_twice, ZONEMD, ZONEMD_TWICE, VERIFY_ZONEMD_DIGEST, NONE),
	BAD(zonemd_of_unknown_scheme, ZONEMD, ZONEMD_UNKNOWN, NONE, NONE),
	BAD(zonemd_of_unknown_hash, ZONEMD, ZONEMD_UNKNOWN, NONE, NONE),
};

START_TEST(each_fault_is_found_and_nothing_else)
{
	const struct fault *x = &faults[_i];
	struct edit *e = edit_begin(bases[x->base], apex, EDIT_TTL_LEAST);
	struct verify_stats stats;
	struct findings f;
	x->make(e);
	int err = verify(edit_state(e), 1, &stats, &f);
	const char *first = f.count != 0 ? f.items[0].text : "nothing found";
	ck_assert_msg(stats.found[x->kind] != 0, "%s: %s", x->name, first);
	ck_assert_msg(err == (x->good ? E_OK : E_CHECK), "%s: %s", x->name, first);
	for (int k = 0; k < VERIFY_KINDS; k++) {
		if (stats.found[k] != 0 && k != (int)x->kind && k != (int)x->also[0] &&
		    k != (int)x->also[1]) {
			ck_abort_msg("%s: found %s too", x->name,
				     verify_kind_info((enum verify_kind)k)->name);
		}
	}
	findings_clear(&f);
	edit_abort(e);
}
END_TEST

/* The kinds that other tests make, and one that would need a collision of SHA-1. */
static const enum verify_kind elsewhere[] = { VERIFY_ANCHOR, VERIFY_NSEC3_ITERATIONS,
					      VERIFY_NSEC3_COLLISION };

START_TEST(every_kind_has_a_test)
{
	bool seen[VERIFY_KINDS] = { false };
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		seen[faults[i].kind] = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		seen[elsewhere[i]] = true;
	}
	for (int k = 0; k < VERIFY_KINDS; k++) {
		ck_assert_msg(seen[k], "%s", verify_kind_info((enum verify_kind)k)->name);
	}
}
END_TEST

/* --- good zones ------------------------------------------------------------------------------ */

static const struct {
	uint8_t algorithm;
	bool csk;
} good[] = { { 8, false },  { 10, false }, { 13, false }, { 14, false },
	     { 15, false }, { 16, false }, { 13, true } };

START_TEST(what_we_sign_is_good)
{
	struct keyset keys = { 0 };
	struct holder *with;
	keyset_add(&keys, make_key(good[_i].algorithm, KEY_FLAG_ZONE | KEY_FLAG_SEP));
	if (!good[_i].csk) {
		keyset_add(&keys, make_key(good[_i].algorithm, KEY_FLAG_ZONE));
	}
	ck_assert_int_eq(holder_new(&keys, &with), E_OK);
	for (enum base b = 0; b < BASES; b++) {
		const struct sign_policy policy = policy_of(b);
		struct version *v = sign_text(zone_text, &policy, with);
		struct verify_stats s;
		assert_good(v, 2, &s);
		ck_assert_uint_eq(s.names, 11);
		ck_assert_uint_eq(s.zonemd, b == ZONEMD ? 1 : 0);
		ck_assert_uint_eq(s.signatures, s.sets);
		ck_assert_uint_eq(s.nsec, policy.denial == DENIAL_NSEC ? 11 : 0);
		/* With opt-out insecure., sub.only. and only. are left out. */
		ck_assert_uint_eq(s.nsec3, b == NSEC3 ? 15 : b == OPT_OUT ? 12 : 0);
		ck_assert_int_eq(s.first_expiration, NOW + 86400);
		version_unref(v);
	}
	holder_free(with);
}
END_TEST

START_TEST(two_algorithms_both_sign)
{
	struct keyset keys = { 0 };
	struct holder *with;
	keyset_add(&keys, make_key(13, KEY_FLAG_ZONE | KEY_FLAG_SEP));
	keyset_add(&keys, make_key(15, KEY_FLAG_ZONE | KEY_FLAG_SEP));
	keyset_add(&keys, make_key(15, KEY_FLAG_ZONE));
	ck_assert_int_eq(holder_new(&keys, &with), E_OK);
	const struct sign_policy policy = policy_of(NSEC);
	struct version *v = sign_text(zone_text, &policy, with);
	struct verify_stats s;
	assert_good(v, 1, &s);
	ck_assert_uint_eq(s.signatures, s.sets * 2);
	version_unref(v);
	holder_free(with);
}
END_TEST

START_TEST(two_nsec3_chains_are_good_together)
{
	/* The zone as each of two chains leaves it, put together and signed as a whole. */
	struct sign_policy policy = policy_of(NSEC3);
	policy.nsec3.iterations = 1;
	policy.nsec3.salt_len = 1;
	policy.nsec3.salt[0] = 0xab;
	struct version *other = sign_text(zone_text, &policy, holder);
	struct edit *e = edit_begin(bases[NSEC3], apex, EDIT_TTL_LEAST);
	struct tree_cursor c;
	for (const struct node *n = tree_first(&other->nsec3, &c); n != NULL; n = tree_next(&c)) {
		edit_put_node(e, n);
	}
	add(e, "example.", 0, RRTYPE_NSEC3PARAM, "1 0 1 AB");
	resign(e, "example.", RRTYPE_NSEC3PARAM);
	struct verify_stats s;
	struct findings f;
	ck_assert_int_eq(verify(edit_state(e), 1, &s, &f), E_OK);
	ck_assert_uint_eq(s.nsec3, 30);
	ck_assert_uint_eq(s.found[VERIFY_NSEC3_ITERATIONS], 1);
	ck_assert_uint_eq(f.warnings, 1);
	findings_clear(&f);
	edit_abort(e);
	version_unref(other);
}
END_TEST

/* --- trust anchors --------------------------------------------------------------------------- */

static int verify_anchored(struct edit *anchors, struct verify_stats *stats)
{
	const struct verify_options opt = { .now = NOW,
					    .threads = 1,
					    .anchors = edit_state(anchors)->apex_node };
	struct findings f = { 0 };
	int err = verify_version(bases[NSEC], &opt, stats, &f);
	findings_clear(&f);
	return err;
}

START_TEST(anchors_name_the_key)
{
	static const struct {
		uint8_t digest; /* 0: the DNSKEY itself */
		size_t key;
		bool spoilt;
		int want;
	} rows[] = { { 1, 0, false, E_OK },   { 2, 0, false, E_OK },	{ 4, 0, false, E_OK },
		     { 0, 0, false, E_OK },   { 2, 1, false, E_CHECK }, { 0, 1, false, E_CHECK },
		     { 2, 0, true, E_CHECK }, { 0, 0, true, E_CHECK } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct key *k = holder_key(holder, rows[i].key);
		struct edit *e = edit_begin(NULL, apex, EDIT_TTL_LEAST);
		struct verify_stats stats;
		uint8_t rdata[KEY_RDATA_MAX];
		size_t len = key_rdata(k, rdata);
		if (rows[i].digest != 0) {
			int n = key_ds(k, rows[i].digest, rdata, sizeof(rdata));
			ck_assert_int_gt(n, 0);
			len = (size_t)n;
		}
		rdata[len - 1] ^= rows[i].spoilt ? 1 : 0;
		ck_assert_int_eq(edit_add(e, apex, rows[i].digest != 0 ? RRTYPE_DS : RRTYPE_DNSKEY,
					  60, rdata, len),
				 E_OK);
		ck_assert_int_eq(verify_anchored(e, &stats), rows[i].want);
		ck_assert_uint_eq(stats.found[VERIFY_ANCHOR], rows[i].want == E_OK ? 0 : 1);
		edit_abort(e);
	}
}
END_TEST

/* --- properties ------------------------------------------------------------------------------ */

/* Is @rs of @n data that neither signature nor chain protects: glue, or all but one of the name servers
 * of a delegation? */
static bool is_unprotected(const struct version *v, const struct node *n, const struct rrset *rs)
{
	return version_is_occluded(v, n->name, NULL) ||
	       ((n->flags & NODE_CUT) != 0 && rs->type == RRTYPE_NS);
}

/* Takes each record or each signature of @rs out in turn: every time the zone must be bad, glue
 * apart. */
static void without_each(const struct version *v, const struct node *n, const struct rrset *rs,
			 bool sigs)
{
	const uint8_t *p = sigs ? rrset_sig_data(rs) : rrset_data(rs);
	for (unsigned i = 0; i < (sigs ? rs->sigs : rs->count); i++) {
		struct rr rr;
		struct verify_stats stats;
		struct findings f;
		p = rr_read(p, &rr);
		struct edit *e = edit_begin(v, apex, EDIT_TTL_LEAST);
		ck_assert_int_eq(edit_remove(e, n->name, rr.type, rr.rdata, rr.rdlen), E_OK);
		int err = verify(edit_state(e), 1, &stats, &f);
		bool fine = version_is_occluded(v, n->name, NULL) && v != bases[ZONEMD];
		/* Left out by opt-out, and without glue: the name is gone without a trace. */
		fine = fine ||
		       (v == bases[OPT_OUT] && dname_equal(n->name, name("sub.only.example.")));
		ck_assert_msg(err == (fine ? E_OK : E_CHECK), "%s type %u",
			      f.count != 0 ? f.items[0].text : "good", rr.type);
		findings_clear(&f);
		edit_abort(e);
	}
}

START_TEST(no_record_may_be_missing)
{
	const struct version *v = bases[_i];
	struct version_walk walk;
	for (const struct node *n = version_first(v, &walk); n != NULL; n = version_next(&walk)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned i = 0; i < n->rrsets; i++) {
			without_each(v, n, &rs[i], false);
			without_each(v, n, &rs[i], true);
		}
	}
}
END_TEST

static uint64_t seed = 1;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % below;
}

/* Changes one bit of @rr; false when that is no rdata any more or the same name in other case. */
static bool flip_bit(const struct rr *rr, uint8_t *out)
{
	memcpy(out, rr->rdata, rr->rdlen);
	out[next_random(rr->rdlen)] ^= (uint8_t)(1U << next_random(8));
	return rdata_check(rr->type, out, rr->rdlen) == E_OK &&
	       rdata_compare(rr->type, out, rr->rdlen, rr->rdata, rr->rdlen) != 0;
}

START_TEST(no_bit_may_change)
{
	const struct version *v = bases[_i];
	struct version_walk walk;
	unsigned tried = 0;
	for (const struct node *n = version_first(v, &walk); n != NULL; n = version_next(&walk)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned k = 0; k < 8 * n->rrsets; k++) {
			const struct rrset *set = &rs[k % n->rrsets];
			bool sig = set->sigs != 0 && next_random(2) == 0;
			struct rr rr;
			uint8_t rdata[1024];
			(void)rr_read(sig ? rrset_sig_data(set) : rrset_data(set), &rr);
			if (!flip_bit(&rr, rdata) ||
			    (!sig && v != bases[ZONEMD] && is_unprotected(v, n, set))) {
				continue;
			}
			struct verify_stats stats;
			struct findings f;
			struct edit *e = edit_begin(v, apex, EDIT_TTL_LEAST);
			ck_assert_int_eq(edit_remove(e, n->name, rr.type, rr.rdata, rr.rdlen),
					 E_OK);
			ck_assert_int_eq(edit_add(e, n->name, rr.type, rr.ttl, rdata, rr.rdlen),
					 E_OK);
			ck_assert_int_eq(verify(edit_state(e), 1, &stats, &f), E_CHECK);
			findings_clear(&f);
			edit_abort(e);
			tried++;
		}
	}
	ck_assert_uint_gt(tried, 100);
}
END_TEST

/* The same findings in the same order, whatever the number of threads. */
START_TEST(threads_do_not_matter)
{
	struct buf text = { 0 };
	buf_str(&text, zone_text);
	for (int i = 0; i < 2000; i++) {
		buf_printf(&text, "n%d.example. 3600 IN A 192.0.2.1\n", i);
	}
	const struct sign_policy policy = policy_of(_i == 0 ? NSEC : NSEC3);
	struct version *v = sign_text(text.data, &policy, holder);
	struct edit *e = edit_begin(v, apex, EDIT_TTL_LEAST);
	for (int i = 0; i < 2000; i += 50) {
		char owner[40];
		(void)snprintf(owner, sizeof(owner), "n%d.example.", i);
		drop_sigs(e, owner, RRTYPE_A);
	}
	struct verify_stats s1, s4;
	struct findings f1, f4;
	const struct version *state = edit_state(e);
	ck_assert_int_eq(verify(state, 1, &s1, &f1), E_CHECK);
	ck_assert_int_eq(verify(state, 4, &s4, &f4), E_CHECK);
	ck_assert_uint_eq(f1.errors, 40);
	ck_assert_uint_eq(f4.errors, 40);
	ck_assert_uint_eq(f1.count, f4.count);
	for (size_t i = 0; i < f1.count; i++) {
		ck_assert_str_eq(f1.items[i].text, f4.items[i].text);
	}
	ck_assert_mem_eq(&s1, &s4, sizeof(s1));
	findings_clear(&f1);
	findings_clear(&f4);
	edit_abort(e);
	version_unref(v);
	buf_clear(&text);
}
END_TEST

/* A zone in which everything is wrong costs bounded memory, and all is counted. */
START_TEST(all_findings_are_counted)
{
	struct verify_stats s;
	struct findings f = { 0 };
	const struct verify_options opt = { .now = NOW + 100 * 86400, .threads = 1 };
	struct buf text = { 0 };
	buf_str(&text, zone_text);
	for (int i = 0; i < 1000; i++) {
		buf_printf(&text, "n%d.example. 3600 IN A 192.0.2.1\n", i);
	}
	const struct sign_policy policy = policy_of(NSEC);
	struct version *v = sign_text(text.data, &policy, holder);
	ck_assert_int_eq(verify_version(v, &opt, &s, &f), E_CHECK);
	ck_assert_uint_le(f.count, FINDINGS_KEPT);
	ck_assert_uint_eq(f.errors, s.sets + 1); /* the DNSKEY set is expired and so not signed */
	ck_assert_uint_eq(s.found[VERIFY_SIG_EXPIRED], s.sets);
	ck_assert_uint_eq(s.signatures, 0);
	findings_clear(&f);
	version_unref(v);
	buf_clear(&text);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("verify");
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, what_we_sign_is_good, 0, (int)ARRAY_LEN(good));
	tcase_add_test(tc, two_algorithms_both_sign);
	tcase_add_test(tc, two_nsec3_chains_are_good_together);
	tcase_add_loop_test(tc, each_fault_is_found_and_nothing_else, 0, (int)ARRAY_LEN(faults));
	tcase_add_test(tc, every_kind_has_a_test);
	tcase_add_test(tc, anchors_name_the_key);
	tcase_add_loop_test(tc, no_record_may_be_missing, 0, BASES);
	tcase_add_loop_test(tc, no_bit_may_change, 0, BASES);
	tcase_add_loop_test(tc, threads_do_not_matter, 0, 2);
	tcase_add_test(tc, all_findings_are_counted);
	return unit_run("signer/verify", tc);
}

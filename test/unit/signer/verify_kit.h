/* test/unit/signer/verify_kit.h - signed zones for the tests of signer/verify, and ways to break them.
 *
 * The bases are signed once and stay; a test works on edits of them. */
#ifndef TEST_UNIT_SIGNER_VERIFY_KIT_H
#define TEST_UNIT_SIGNER_VERIFY_KIT_H

#include "signer/nsec3_hash.h"
#include "signer/rrsig.h"
#include "signer/sign.h"
#include "signer/verify.h"
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
static bool by_holder;	    /* verify() asks it for what it has signed */

/* --- making zones ---------------------------------------------------------------------------- */

static inline const uint8_t *name(const char *text)
{
	static struct dname ring[8];
	static unsigned at;
	struct dname *d = &ring[at++ % ARRAY_LEN(ring)];
	ck_assert_int_eq(dname_from_text(d, text, strlen(text), dname_root, NULL), E_OK);
	return d->wire;
}

static inline struct key *make_key(uint8_t algorithm, uint16_t flags)
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

static inline struct edit *read_text(const char *text)
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

static inline struct sign_policy policy_of(enum base base)
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

static inline struct version *sign_text(const char *text, const struct sign_policy *policy,
					const struct holder *with)
{
	struct edit *e = read_text(text);
	struct sign_stats stats;
	struct errmsg em;
	int err = sign_zone(e, with, policy, &stats, &em);
	ck_assert_msg(err == E_OK, "%s", em.text);
	return edit_commit(e);
}

static inline void setup(void)
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

static inline void teardown(void)
{
	for (enum base b = 0; b < BASES; b++) {
		version_unref(bases[b]);
	}
	holder_session_close(session);
	holder_free(holder);
}

static inline int verify(const struct version *v, unsigned threads, struct verify_stats *stats,
			 struct findings *findings)
{
	const struct verify_options opt = { .now = NOW,
					    .threads = threads,
					    .holder = by_holder ? holder : NULL };
	*findings = (struct findings){ 0 };
	return verify_version(v, &opt, stats, findings);
}

static inline void assert_good(const struct version *v, unsigned threads,
			       struct verify_stats *stats)
{
	struct findings f;
	int err = verify(v, threads, stats, &f);
	ck_assert_msg(err == E_OK && f.count == 0, "%s", f.count != 0 ? f.items[0].text : "");
	findings_clear(&f);
}

/* --- breaking zones -------------------------------------------------------------------------- */

static inline void add(struct edit *e, const char *owner, uint32_t ttl, uint16_t type,
		       const char *text)
{
	uint8_t rdata[2048];
	struct writer w = writer_of(rdata, sizeof(rdata));
	struct errmsg em;
	int err = rdata_from_string(type, text, NULL, &w, &em);
	ck_assert_msg(err == E_OK, "%s: %s", text, em.text);
	ck_assert_int_eq(edit_add(e, name(owner), type, ttl, rdata, writer_len(&w)), E_OK);
}

static inline void drop(struct edit *e, const char *owner, uint16_t type)
{
	edit_remove_rrset(e, name(owner), type);
}

static inline const struct rrset *find(struct edit *e, const char *owner, uint16_t type)
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

static inline void drop_sigs(struct edit *e, const char *owner, uint16_t type)
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
static inline void sign_by(struct edit *e, const char *owner, uint16_t type, size_t k)
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

static inline void resign(struct edit *e, const char *owner, uint16_t type)
{
	drop_sigs(e, owner, type);
	sign_by(e, owner, type, type == RRTYPE_DNSKEY ? 0 : 1);
}

static inline void replace(struct edit *e, const char *owner, uint32_t ttl, uint16_t type,
			   const char *text)
{
	drop(e, owner, type);
	add(e, owner, ttl, type, text);
	sign_by(e, owner, type, 1);
}

/* Overwrites octets of the only signature; @more adds the changed one beside it. */
static inline void patch_sig(struct edit *e, const char *owner, uint16_t type, size_t at,
			     uint32_t value, bool more)
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
static inline const char *hashed(const char *of)
{
	static char text[4][DNAME_TEXT_MAX];
	static unsigned at;
	const struct nsec3_param param = { .algorithm = NSEC3_SHA1 };
	uint8_t hash[NSEC3_HASH_LEN];
	struct dname owner;
	nsec3_hash(&param, name(of), hash);
	ck_assert_int_eq(nsec3_owner(hash, apex, &owner), E_OK);
	at = (at + 1) % ARRAY_LEN(text);
	(void)dname_to_text(owner.wire, text[at]);
	return text[at];
}

/* Changes octet @at of the only NSEC3 record of @of, and signs it again. */
static inline void patch_nsec3(struct edit *e, const char *of, size_t at, uint8_t value)
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

static inline void add_key(struct edit *e, uint16_t flags, uint8_t protocol, uint8_t algorithm)
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

#endif

/* test/unit/signer/verify_fault_test.c - each kind of fault is found, and nothing else. */
#include "test/unit/signer/verify_kit.h"

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
	const struct fault *x = &faults[(size_t)_i % ARRAY_LEN(faults)];
	struct edit *e = edit_begin(bases[x->base], apex, EDIT_TTL_LEAST);
	struct verify_stats stats;
	struct findings f;
	x->make(e);
	by_holder = (size_t)_i >= ARRAY_LEN(faults);
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

int main(void)
{
	TCase *tc = tcase_create("verify_fault");
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, each_fault_is_found_and_nothing_else, 0,
			    2 * (int)ARRAY_LEN(faults));
	tcase_add_test(tc, every_kind_has_a_test);
	return unit_run("signer/verify_fault", tc);
}

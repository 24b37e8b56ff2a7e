/* test/unit/signer/verify_test.c - good zones are good, and no record or bit may be another. */
#include "test/unit/signer/verify_kit.h"

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
	const struct version *v = bases[_i % BASES];
	struct version_walk walk;
	unsigned tried = 0;
	by_holder = _i >= BASES;
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
	tcase_add_test(tc, anchors_name_the_key);
	tcase_add_loop_test(tc, no_record_may_be_missing, 0, BASES);
	tcase_add_loop_test(tc, no_bit_may_change, 0, 2 * BASES);
	tcase_add_loop_test(tc, threads_do_not_matter, 0, 2);
	tcase_add_test(tc, all_findings_are_counted);
	return unit_run("signer/verify", tc);
}

/* Random changes of signed zones, each signed by sign_change, against the same content signed from scratch by
 * sign_zone: Ed25519 makes the same signatures each time, so the zones must be the same, octet for octet. */
#include "test/unit/signer/verify_kit.h"
#include "zones/dns/soa.h"

static uint64_t random_state;

static uint32_t next_random(uint32_t below)
{
	random_state = random_state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(random_state >> 33) % below;
}

static struct holder *ed25519;

static void setup_keys(void)
{
	struct keyset keys = { 0 };
	setup();
	keyset_add(&keys, make_key(15, KEY_FLAG_ZONE | KEY_FLAG_SEP));
	keyset_add(&keys, make_key(15, KEY_FLAG_ZONE));
	ck_assert_int_eq(holder_new(&keys, &ed25519), E_OK);
}

static void teardown_keys(void)
{
	holder_free(ed25519);
	teardown();
}

static void random_name(struct dname *out)
{
	static const char *const labels[] = { "a", "b", "*", "C", "\\000", "z" };
	char text[256] = "";
	unsigned depth = next_random(4);
	for (unsigned i = 0; i <= depth; i++) {
		const char *l = labels[next_random(ARRAY_LEN(labels))];
		size_t at = strlen(text);
		(void)snprintf(text + at, sizeof(text) - at, "%s.", l);
	}
	size_t at = strlen(text);
	(void)snprintf(text + at, sizeof(text) - at, "example.");
	ck_assert_int_eq(dname_from_text(out, text, strlen(text), dname_root, NULL), E_OK);
}

/* Adds or removes a random record. */
static void random_change(struct edit *e)
{
	static const uint8_t ds[36] = { 0, 1, 15, 2 };
	const uint8_t a[4] = { 192, 0, 2, (uint8_t)next_random(3) };
	const uint8_t txt[2] = { 1, (uint8_t)('0' + next_random(3)) };
	const uint8_t *target = name("ns.example.");
	const struct {
		uint16_t type;
		const uint8_t *rdata;
		size_t len;
	} records[] = {
		{ RRTYPE_A, a, sizeof(a) },
		{ RRTYPE_TXT, txt, sizeof(txt) },
		{ RRTYPE_DS, ds, sizeof(ds) },
		{ RRTYPE_NS, target, dname_len(target) },
		{ RRTYPE_A, a, sizeof(a) },
		{ RRTYPE_NS, target, dname_len(target) },
		{ RRTYPE_DNAME, target, dname_len(target) },
	};
	const size_t i = next_random(ARRAY_LEN(records));
	struct dname owner;
	int err;
	random_name(&owner);
	if (next_random(30) == 0) {
		dname_set(&owner, name("example."));
	}
	if (next_random(5) < 2) {
		err = edit_add(e, owner.wire, records[i].type, 3600, records[i].rdata,
			       records[i].len);
	} else if (next_random(2) == 0) {
		edit_remove_rrset(e, owner.wire, records[i].type);
		err = E_OK;
	} else {
		err = edit_remove(e, owner.wire, records[i].type, records[i].rdata, records[i].len);
	}
	ck_assert_int_eq(err, E_OK);
}

/* Another negative TTL, by which all of the chain changes. */
static void random_minimum(struct edit *e)
{
	const struct version *state = edit_state(e);
	uint8_t rdata[SOA_RDATA_MAX];
	struct rr rr;
	(void)rr_read(rrset_data(state->soa), &rr);
	memcpy(rdata, rr.rdata, rr.rdlen);
	be32_put(rdata + rr.rdlen - 4, 60 + next_random(2));
	edit_remove_rrset(e, state->apex.wire, RRTYPE_SOA);
	ck_assert_int_eq(edit_add(e, state->apex.wire, RRTYPE_SOA, 3600, rdata, rr.rdlen), E_OK);
}

/* The content of @v, signed from scratch. */
static struct version *from_scratch(const struct version *v, const struct sign_policy *policy)
{
	struct edit *e = edit_begin(NULL, v->apex.wire, EDIT_TTL_LEAST);
	struct version_walk walk;
	struct sign_policy p = *policy;
	struct sign_stats stats;
	struct errmsg em;
	for (const struct node *n = version_first(v, &walk); n != NULL; n = version_next(&walk)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned i = 0; i < n->rrsets; i++) {
			const uint8_t *at = rrset_data(&rs[i]);
			bool made = rs[i].type == RRTYPE_NSEC || rs[i].type == RRTYPE_NSEC3 ||
				    rs[i].type == RRTYPE_NSEC3PARAM ||
				    rs[i].type == RRTYPE_DNSKEY || rs[i].type == RRTYPE_ZONEMD;
			for (unsigned k = 0; k < rs[i].count && !made; k++) {
				struct rr rr;
				at = rr_read(at, &rr);
				ck_assert_int_eq(
					edit_add(e, n->name, rr.type, rr.ttl, rr.rdata, rr.rdlen),
					E_OK);
			}
		}
	}
	p.serial = SIGN_SERIAL_KEEP;
	int err = sign_zone(e, ed25519, &p, &stats, &em);
	ck_assert_msg(err == E_OK, "%s", em.text);
	return edit_commit(e);
}

static void same_zone(const struct version *made, const struct version *wanted)
{
	struct version_walk x;
	struct version_walk y;
	const struct node *a = version_first(made, &x);
	const struct node *b = version_first(wanted, &y);
	while (a != NULL || b != NULL) {
		char text[DNAME_TEXT_MAX] = "-";
		char other[DNAME_TEXT_MAX] = "-";
		if (a != NULL) {
			(void)dname_to_text(a->name, text);
		}
		if (b != NULL) {
			(void)dname_to_text(b->name, other);
		}
		ck_assert_msg(a != NULL && b != NULL && dname_equal(a->name, b->name),
			      "made %s, wanted %s", text, other);
		ck_assert_msg(a->size == b->size && memcmp((const uint8_t *)a + a->directory,
							   (const uint8_t *)b + b->directory,
							   a->size - a->directory) == 0,
			      "%s differs", text);
		a = version_next(&x);
		b = version_next(&y);
	}
	ck_assert_uint_eq(made->records, wanted->records);
}

static void change_is_good(const struct version *before, const struct version *after)
{
	const struct verify_options opt = { .now = NOW };
	struct verify_stats stats;
	struct findings f = { 0 };
	int err = verify_change(before, after, &opt, &stats, &f);
	ck_assert(err == E_OK || err == E_CHECK);
	for (size_t i = 0; i < f.count;
	     i++) { /* random zones have data below DNAMEs and DS without NS */
		const char *text = f.items[i].text;
		ck_assert_msg(strstr(text, "[below-dname") != NULL ||
				      strstr(text, "[ds-without-ns") != NULL ||
				      strstr(text, "[ds-at-apex") != NULL,
			      "%s", text);
	}
	findings_clear(&f);
}

START_TEST(changes_equal_signing_from_scratch)
{
	const enum base base = (enum base)(_i % BASES);
	struct sign_policy policy = policy_of(base);
	policy.serial = SIGN_SERIAL_INCREMENT;
	policy.jitter = 3600;
	random_state = (uint64_t)_i + 1;
	struct version *v = sign_text(zone_text, &policy, ed25519);
	for (unsigned round = 0; round < 150; round++) {
		struct edit *e = edit_begin(v, NULL, EDIT_TTL_LAST);
		struct sign_stats stats;
		struct errmsg em;
		unsigned changes = 1 + next_random(round % 20 == 0 ? 60 : 4);
		for (unsigned i = 0; i < changes; i++) {
			random_change(e);
		}
		if (next_random(10) == 0) {
			random_minimum(e);
		}
		int err = sign_change(e, v, NULL, 0, ed25519, &policy, &stats, &em);
		ck_assert_msg(err == E_OK, "%s", em.text);
		change_is_good(v, edit_state(e));
		struct version *next = edit_commit(e);
		ck_assert_uint_eq(next->serial, v->serial + 1);
		version_unref(v);
		v = next;
		struct version *wanted = from_scratch(v, &policy);
		same_zone(v, wanted);
		version_unref(wanted);
	}
	version_unref(v);
}
END_TEST

/* --- changes that are wrong ------------------------------------------------------------------ */

enum breaking { NO_SIGNATURE, OTHER_SIGNATURE, NO_SET, OTHER_DATA, BREAKINGS };

struct place {
	size_t wanted, seen; /* which set of those that changed is broken */
	enum breaking how;
	struct dname owner;
	uint16_t type;
	struct node_build build;
	const struct node *broken;
};

/* Rebuilds @n with its set @set broken. */
static void break_set(struct place *p, const struct node *n, unsigned set)
{
	const struct rrset *rs = node_rrsets(n);
	struct rr rr;
	uint8_t rdata[600];
	const uint8_t *at;
	dname_set(&p->owner, n->name);
	p->type = rs[set].type;
	node_build_begin(&p->build, n->name);
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (i != set) {
			node_build_copy(&p->build, &rs[i], true);
			continue;
		}
		if (p->how == NO_SET) {
			continue;
		}
		node_build_set(&p->build, rs[i].type, rs[i].flags);
		at = rrset_data(&rs[i]);
		for (unsigned k = 0; k < rs[i].count; k++) {
			at = rr_read(at, &rr);
			memcpy(rdata, rr.rdata, rr.rdlen);
			/* The minimum of an SOA is the negative TTL, which is no local change. */
			rdata[rr.rdlen - (rr.type == RRTYPE_SOA ? 5U : 1U)] ^=
				p->how == OTHER_DATA ? 1 : 0;
			node_build_rr(&p->build, rr.ttl, rdata, rr.rdlen);
		}
		for (unsigned k = 0; k < rs[i].sigs && p->how != NO_SIGNATURE; k++) {
			at = rr_read(at, &rr);
			memcpy(rdata, rr.rdata, rr.rdlen);
			rdata[rr.rdlen - 1] ^= p->how == OTHER_SIGNATURE ? 1 : 0;
			node_build_sig(&p->build, rr.ttl, rdata, rr.rdlen);
		}
	}
	p->broken = node_build_end(&p->build, (n->flags & NODE_APEX) != 0);
}

static void on_changed(void *arg, const void *before, const void *after)
{
	struct place *p = arg;
	const struct node *old = before;
	const struct node *n = after;
	for (unsigned i = 0; n != NULL && i < n->rrsets; i++) {
		const struct rrset *rs = &node_rrsets(n)[i];
		const struct rrset *was = old != NULL ? node_find(old, rs->type) : NULL;
		bool same =
			was != NULL && was->data_len == rs->data_len &&
			was->sig_len == rs->sig_len &&
			memcmp(rrset_data(was), rrset_data(rs), rs->data_len + rs->sig_len) == 0;
		if (!same && rs->sigs != 0 && p->seen++ == p->wanted) {
			break_set(p, n, i);
		}
	}
}

START_TEST(what_is_wrong_in_a_change_is_found)
{
	const enum base base = (enum base)(_i % BASES);
	const uint8_t a[4] = { 192, 0, 2, 77 };
	struct sign_policy policy = policy_of(base);
	policy.serial = SIGN_SERIAL_INCREMENT;
	size_t broken = 0;
	for (size_t wanted = 0;; wanted++) {
		struct place p = { .wanted = wanted, .how = (enum breaking)(_i / BASES) };
		struct edit *e = edit_begin(bases[base], NULL, EDIT_TTL_LAST);
		struct sign_stats stats;
		struct verify_stats verified;
		struct findings f = { 0 };
		struct errmsg em;
		const struct verify_options opt = { .now = NOW };
		const struct verify_options asking = { .now = NOW, .holder = holder };
		drop(e, "www.example.", RRTYPE_A);
		ck_assert_int_eq(edit_add(e, name("x.new.example."), RRTYPE_A, 60, a, sizeof(a)),
				 E_OK);
		ck_assert_int_eq(sign_change(e, bases[base], NULL, 0, holder, &policy, &stats, &em),
				 E_OK);
		const struct version *state = edit_state(e);
		tree_diff(&bases[base]->names, &state->names, on_changed, &p);
		tree_diff(&bases[base]->nsec3, &state->nsec3, on_changed, &p);
		if (p.broken == NULL) {
			edit_abort(e);
			node_build_clear(&p.build);
			break;
		}
		broken++;
		if (p.type == RRTYPE_NSEC3 && p.how == NO_SET) {
			edit_drop_nsec3(e, p.owner.wire);
		} else {
			edit_put_node(e, p.broken);
		}
		int err = verify_change(bases[base], edit_state(e), &opt, &verified, &f);
		ck_assert_int_eq(verify_change(bases[base], edit_state(e), &asking, &verified, &f),
				 err);
		char text[DNAME_TEXT_MAX];
		(void)dname_to_text(p.owner.wire, text);
		ck_assert_msg(err == E_CHECK, "%s %u: how %d was not found", text, p.type,
			      (int)p.how);
		findings_clear(&f);
		edit_abort(e);
		node_build_clear(&p.build);
	}
	ck_assert_uint_gt(broken, 3);
}
END_TEST

START_TEST(a_change_makes_few_signatures)
{
	static const unsigned most[BASES] = {
		[NSEC] = 4, [NSEC3] = 4, [OPT_OUT] = 4, [ZONEMD] = 5
	};
	const enum base base = (enum base)_i;
	const uint8_t a[4] = { 192, 0, 2, 77 };
	struct sign_policy policy = policy_of(base);
	policy.serial = SIGN_SERIAL_INCREMENT;
	struct edit *e = edit_begin(bases[base], NULL, EDIT_TTL_LAST);
	struct sign_stats stats;
	struct errmsg em;
	ck_assert_int_eq(edit_add(e, name("new.example."), RRTYPE_A, 60, a, sizeof(a)), E_OK);
	ck_assert_int_eq(sign_change(e, bases[base], NULL, 0, holder, &policy, &stats, &em), E_OK);
	/* The address, two records of the chain, the SOA (and the ZONEMD). */
	ck_assert_uint_eq(stats.made, most[base]);
	edit_abort(e);
}
END_TEST

/* A name that comes back with other letters is the same name: who points at it says nothing new. */
START_TEST(letters_make_no_signatures)
{
	const uint8_t a[4] = { 192, 0, 2, 77 };
	struct sign_policy policy = policy_of(NSEC);
	struct sign_stats stats;
	struct errmsg em;
	struct edit *e = edit_begin(bases[NSEC], NULL, EDIT_TTL_LAST);
	edit_remove_rrset(e, name("www.example."), RRTYPE_A);
	edit_remove_rrset(e, name("www.example."), RRTYPE_NSEC);
	(void)edit_state(e);
	ck_assert_int_eq(edit_add(e, name("WWW.example."), RRTYPE_A, 60, a, sizeof(a)), E_OK);
	ck_assert_int_eq(sign_change(e, bases[NSEC], NULL, 0, holder, &policy, &stats, &em), E_OK);
	struct version *v = edit_commit(e);
	change_is_good(bases[NSEC], v);
	e = edit_begin(v, NULL, EDIT_TTL_LAST);
	policy.trusted = true;
	ck_assert_int_eq(sign_zone(e, holder, &policy, &stats, &em), E_OK);
	ck_assert_uint_eq(stats.made, 0);
	edit_abort(e);
	version_unref(v);
}
END_TEST

START_TEST(what_is_due_is_renewed)
{
	const enum base base = (enum base)_i;
	struct sign_policy policy = policy_of(base);
	policy.serial = SIGN_SERIAL_INCREMENT;
	struct version *v = sign_text(zone_text, &policy, ed25519);
	const struct node *due[64];
	size_t count = 0;
	struct version_walk walk;
	for (const struct node *n = version_first(v, &walk); n != NULL; n = version_next(&walk)) {
		ck_assert_uint_lt(count, ARRAY_LEN(due));
		due[count++] = n;
	}
	policy.now += 80000;
	policy.inception += 80000;
	policy.expiration += 80000;
	policy.refresh = 40000;
	struct edit *e = edit_begin(v, NULL, EDIT_TTL_LAST);
	struct sign_stats stats;
	struct errmsg em;
	ck_assert_int_eq(sign_change(e, v, due, count, ed25519, &policy, &stats, &em), E_OK);
	ck_assert_uint_eq(stats.kept, 0);
	struct version *next = edit_commit(e);
	struct version *wanted = from_scratch(next, &policy);
	same_zone(next, wanted);
	version_unref(wanted);
	version_unref(next);
	version_unref(v);
}
END_TEST

START_TEST(another_chain_signs_all)
{
	struct sign_policy policy = policy_of(NSEC);
	struct version *v = sign_text(zone_text, &policy, ed25519);
	for (unsigned i = 0; i < 6; i++) {
		static const enum base bases_in_turn[] = { OPT_OUT, NSEC,  NSEC3,
							   OPT_OUT, NSEC3, NSEC };
		struct edit *e = edit_begin(v, NULL, EDIT_TTL_LAST);
		struct sign_stats stats;
		struct errmsg em;
		policy = policy_of(bases_in_turn[i]);
		policy.serial = SIGN_SERIAL_INCREMENT;
		random_change(e);
		ck_assert_int_eq(sign_change(e, v, NULL, 0, ed25519, &policy, &stats, &em), E_OK);
		struct version *next = edit_commit(e);
		ck_assert_uint_eq(next->serial, v->serial + 1);
		version_unref(v);
		v = next;
		struct version *wanted = from_scratch(v, &policy);
		same_zone(v, wanted);
		version_unref(wanted);
	}
	version_unref(v);
}
END_TEST

START_TEST(trust_ends_where_the_chain_changes)
{
	static const enum base turns[] = { OPT_OUT, NSEC3 };
	struct sign_policy policy = policy_of(NSEC3);
	struct version *v = sign_text(zone_text, &policy, ed25519);
	for (unsigned i = 0; i < ARRAY_LEN(turns); i++) {
		struct edit *e = edit_begin(v, NULL, EDIT_TTL_LAST);
		struct sign_stats stats;
		struct errmsg em;
		policy = policy_of(turns[i]);
		policy.trusted = true;
		ck_assert_int_eq(sign_zone(e, ed25519, &policy, &stats, &em), E_OK);
		struct version *next = edit_commit(e);
		struct verify_stats verified;
		assert_good(next, 1, &verified);
		version_unref(v);
		v = next;
	}
	version_unref(v);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("sign_change");
	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, setup_keys, teardown_keys);
	tcase_add_loop_test(tc, changes_equal_signing_from_scratch, 0, 4 * BASES);
	tcase_add_loop_test(tc, what_is_wrong_in_a_change_is_found, 0, (int)BREAKINGS * BASES);
	tcase_add_loop_test(tc, a_change_makes_few_signatures, 0, BASES);
	tcase_add_test(tc, letters_make_no_signatures);
	tcase_add_loop_test(tc, what_is_due_is_renewed, 0, BASES);
	tcase_add_test(tc, another_chain_signs_all);
	tcase_add_test(tc, trust_ends_where_the_chain_changes);
	return unit_run("signer/sign_change", tc);
}

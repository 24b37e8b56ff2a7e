/* What was transferred in, as an edit of a zone that is signed here, or that is not. */
#include "server/transferred.h"
#include "test/unit/signer/verify_kit.h"

#define SOA_OF(serial)                                                                             \
 "example. 3600 IN SOA ns.example. host.example. " serial " 7200 3600 1209600 1800\n"
#define BODY                                                                                       \
 "example. 3600 IN NS ns.example.\n"                                                               \
 "ns.example. 3600 IN A 192.0.2.1\n"                                                               \
 "www.example. 3600 IN A 192.0.2.3\n"
#define OTHERS                                                                                        \
 "example. 60 IN DNSKEY 257 3 13 "                                                                    \
 "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==\n"         \
 "example. 60 IN CDS 60485 13 1 2BB183AF5F22588179A53B0A98631FAD1A292118\n"                           \
 "example. 60 IN NSEC3PARAM 1 0 0 AB\n"                                                               \
 "example. 60 IN ZONEMD 9 1 1 "                                                                       \
 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\n" \
 "www.example. 60 IN NSEC example. A RRSIG NSEC\n"                                                    \
 "www.example. 60 IN RRSIG A 13 2 3600 20361231000000 20260101000000 4711 example. AAAA\n"

static struct version *read_zone(const char *text)
{
	return edit_commit(read_text(text));
}

/* As it came, signed. */
static struct version *sign_taken(struct edit *e)
{
	const struct sign_policy policy = policy_of(NSEC);
	struct sign_stats stats;
	struct errmsg em;
	ck_assert_int_eq(sign_zone(e, holder, &policy, &stats, &em), E_OK);
	return edit_commit(e);
}

/* What makes of @base what is in @t, which differs. */
static struct edit *taken(const struct transferred *t, const struct version *base, bool signs)
{
	struct taking to = { 0 };
	struct errmsg em = { "" };
	int err = transferred_edit(t, base, signs, &to, &em);
	ck_assert_msg(err == E_OK, "%s", em.text);
	ck_assert_ptr_nonnull(to.edit);
	return to.edit;
}

static bool has(struct edit *e, const char *owner, uint16_t type)
{
	const struct node *n = version_node(edit_state(e), name(owner));
	return n != NULL && node_find(n, type) != NULL;
}

static struct version *signed_base(void)
{
	struct version *whole = read_zone(SOA_OF("7") BODY);
	const struct transferred t = { .whole = whole };
	struct version *v = sign_taken(taken(&t, NULL, true));
	version_unref(whole);
	return v;
}

START_TEST(what_others_have_signed_is_left_out)
{
	static const struct {
		const char *owner;
		uint16_t type;
	} gone[] = { { "example.", RRTYPE_DNSKEY },
		     { "example.", RRTYPE_CDS },
		     { "example.", RRTYPE_NSEC3PARAM },
		     { "example.", RRTYPE_ZONEMD },
		     { "www.example.", RRTYPE_NSEC } };
	struct version *whole = read_zone(SOA_OF("7") BODY OTHERS);
	const struct transferred t = { .whole = whole };
	struct edit *e = taken(&t, NULL, true);
	for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
		ck_assert_msg(!has(e, gone[i].owner, gone[i].type), "%u", gone[i].type);
	}
	ck_assert(has(e, "www.example.", RRTYPE_A) && has(e, "example.", RRTYPE_NS));
	ck_assert_uint_eq(edit_state(e)->serial, 7);
	ck_assert_uint_eq(edit_state(e)->records, 4);
	ck_assert_uint_eq(transferred_serial(&t), 7);
	edit_abort(e);
	/* It is the primary's to say where nobody signs here. */
	e = taken(&t, NULL, false);
	ck_assert(has(e, "example.", RRTYPE_DNSKEY) && has(e, "www.example.", RRTYPE_NSEC));
	edit_abort(e);
	version_unref(whole);
}
END_TEST

/* Whole, with another serial, and with what others have signed. */
START_TEST(the_same_content_is_no_change)
{
	static const char *const texts[] = { SOA_OF("7") BODY, SOA_OF("4711") BODY,
					     SOA_OF("9") BODY OTHERS };
	struct version *base = signed_base();
	struct version *whole = read_zone(texts[_i]);
	const struct transferred t = { .whole = whole };
	struct taking to = { .max_ttl = 60 };
	struct errmsg em;
	ck_assert_int_eq(transferred_edit(&t, base, true, &to, &em), E_OK);
	ck_assert_ptr_null(to.edit);
	ck_assert_uint_eq(to.max_ttl, 60);
	version_unref(whole);
	version_unref(base);
}
END_TEST

/* In one step from one version of the primary to another: by all of it, and by the difference. */
START_TEST(a_change_is_the_primary_s_but_for_the_serial)
{
	static const char after_text[] =
		"example. 3600 IN SOA ns.example. host.example. 4000000000 60 30 100000 1800\n"
		"example. 3600 IN NS ns.example.\n"
		"ns.example. 3600 IN A 192.0.2.1\n"
		"new.example. 86400 IN TXT new\n"
		"www.example. 3600 IN A 192.0.2.4\n" OTHERS;
	struct version *base = signed_base();
	struct version *before = read_zone(SOA_OF("100") BODY);
	struct version *after = read_zone(after_text);
	struct diff d = { 0 };
	diff_make(before, after, &d);
	const struct transferred all = { .whole = after };
	const struct transferred part = { .changes = &d, .change_count = 1 };
	struct taking to = { .max_ttl = 60 };
	struct errmsg em;
	ck_assert_int_eq(transferred_edit(_i == 0 ? &all : &part, base, true, &to, &em), E_OK);
	ck_assert_uint_eq(to.max_ttl, 86400);
	struct edit *e = to.edit;
	ck_assert_uint_eq(transferred_serial(&part), 4000000000U);
	const struct soa_numbers n = version_soa(edit_state(e));
	ck_assert_uint_eq(n.serial, base->serial);
	ck_assert_uint_eq(n.refresh, 60);
	ck_assert_uint_eq(n.expire, 100000);
	ck_assert(has(e, "new.example.", RRTYPE_TXT) && !has(e, "example.", RRTYPE_ZONEMD));
	const struct rrset *key = node_find(edit_state(e)->apex_node, RRTYPE_DNSKEY);
	ck_assert_uint_eq(key->count, 2); /* ours */
	struct version *v = sign_taken(e);
	struct verify_stats stats;
	assert_good(v, 1, &stats);
	version_unref(v);
	diff_clear(&d);
	version_unref(after);
	version_unref(before);
	version_unref(base);
}
END_TEST

START_TEST(changes_of_something_else_do_not_fit)
{
	struct version *base = signed_base();
	struct version *before = read_zone(SOA_OF("100") BODY "other.example. 60 IN TXT a\n");
	struct version *after = read_zone(SOA_OF("101") BODY);
	struct diff d = { 0 };
	_i == 0 ? diff_make(before, after, &d) : diff_make(after, before, &d);
	const struct transferred part = { .changes = &d, .change_count = 1 };
	struct taking to = { 0 };
	struct errmsg em;
	ck_assert_int_eq(transferred_edit(&part, _i == 2 ? NULL : base, true, &to, &em),
			 _i == 1 ? E_OK : E_MISMATCH);
	if (_i == 1) { /* what is there already is not there twice */
		struct version *v = sign_taken(to.edit);
		ck_assert_int_eq(transferred_edit(&part, v, true, &to, &em), E_MISMATCH);
		version_unref(v);
	}
	ck_assert_ptr_null(to.edit);
	diff_clear(&d);
	version_unref(after);
	version_unref(before);
	version_unref(base);
}
END_TEST

/* A zone of @octets, of which the last text is @last. */
static struct version *large_zone(size_t octets, uint32_t serial, uint8_t filling, uint8_t last)
{
	struct edit *e = read_text(SOA_OF("7") BODY);
	uint8_t text[256];
	text[0] = 255;
	memset(text + 1, filling, 255);
	for (uint32_t i = 0; i * sizeof(text) < octets; i++) {
		char owner[40];
		(void)snprintf(owner, sizeof(owner), "n%u.example.", i);
		be32_put(text + 1, i);
		text[6] = (i + 1) * sizeof(text) < octets ? filling : last;
		ck_assert_int_eq(edit_add(e, name(owner), RRTYPE_TXT, 60, text, sizeof(text)),
				 E_OK);
	}
	ck_assert_int_eq(edit_put_soa(e, edit_state(e)->soa, serial), E_OK);
	return edit_commit(e);
}

/* Where nearly all is other than before, no difference is made of it: it takes the place of what there was. */
START_TEST(a_large_change_takes_the_place_of_what_was_there)
{
	const size_t octets = (size_t)6 << 20;
	struct version *base = large_zone(octets, 7, 'a', 'a');
	struct version *part = large_zone(octets, 8, 'a', 'b');
	struct version *all = large_zone(octets, 8, 'b', 'b');
	struct taking to = { 0 };
	struct errmsg em;
	const struct transferred little = { .whole = part };
	ck_assert_int_eq(transferred_edit(&little, base, false, &to, &em), E_OK);
	ck_assert(!to.is_anew);
	struct version *v = edit_commit(to.edit);
	struct diff d = { 0 };
	diff_make(base, v, &d);
	ck_assert_uint_eq(d.removed.count, 2);
	ck_assert_uint_eq(d.added.count, 2);
	diff_clear(&d);
	version_unref(v);
	const struct transferred much = { .whole = all };
	ck_assert_int_eq(transferred_edit(&much, part, false, &to, &em), E_OK);
	ck_assert(to.is_anew);
	v = edit_commit(to.edit);
	diff_make(all, v, &d);
	ck_assert(diff_is_empty(&d));
	diff_clear(&d);
	version_unref(v);
	version_unref(all);
	version_unref(part);
	version_unref(base);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("transferred");
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_others_have_signed_is_left_out);
	tcase_add_loop_test(tc, the_same_content_is_no_change, 0, 3);
	tcase_add_loop_test(tc, a_change_is_the_primary_s_but_for_the_serial, 0, 2);
	tcase_add_loop_test(tc, changes_of_something_else_do_not_fit, 0, 3);
	tcase_add_test(tc, a_large_change_takes_the_place_of_what_was_there);
	return unit_run("server/transferred", tc);
}

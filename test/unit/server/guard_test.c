/* When a zone file that takes out records is held back, and what lets it through. */
#include "server/guard.h"
#include "server/keeper_run.h"
#include "server/orders.h"
#include "server/zone_load.h"
#include "test/unit/server/keeper_kit.h"

/* A zone with the names n@from .. n@to - 1, with two records each, of which one changes with @value. */
static char *zone_text(unsigned from, unsigned to, unsigned value)
{
	struct buf text = { 0 };
	buf_str(&text,
		"$TTL 3600\n@ SOA ns host 1 7200 3600 86400 3600\n@ NS ns\nns A 192.0.2.1\n");
	for (unsigned i = from; i < to; i++) {
		buf_printf(&text, "n%u A 192.0.2.1\nn%u TXT \"%u %u\"\n", i, i, i, value);
	}
	return text.data;
}

static struct version *version_from(const struct config_zone *c, unsigned from, unsigned to,
				    unsigned value)
{
	struct findings f = { 0 };
	struct version *v = NULL;
	char *text = zone_text(from, to, value);
	kept_file(text);
	mem_free(text);
	ck_assert_int_eq(zone_load(c, START, &v, &f), E_OK);
	findings_clear(&f);
	return v;
}

/* The zone has 1,002 records before: the NS set, one address, and 500 names. */
static const struct {
	const char *most;
	unsigned from, to, value;
	bool is_held;
} cases[] = {
	{ "50%", 0, 500, 0, false }, /* the same */
	{ "50%", 0, 500, 1, false }, /* 500 of 1,002: other texts */
	{ "50%", 0, 250, 0, false }, /* 500 */
	{ "50%", 0, 249, 0, true },  /* 502 */
	{ "50%", 249, 500, 1, true },	{ "50%", 0, 0, 0, true },
	{ "50%", 0, 1000, 0, false },				    /* more */
	{ "50%", 1000, 2000, 0, true },				    /* others */
	{ "no", 0, 0, 0, false },	{ "0%", 0, 450, 0, false }, /* 100 always may */
	{ "0%", 0, 449, 0, true },	{ "100%", 0, 0, 0, false },
	{ "500", 0, 250, 0, false },	{ "499", 0, 250, 0, true },
	{ "0", 0, 500, 0, false },	{ "0", 1, 500, 0, true },
};

START_TEST(what_is_held)
{
	char option[64];
	struct kept k;
	struct errmsg em = { "" };
	uint64_t removed = 0;
	(void)snprintf(option, sizeof(option), "max-removed: %s", cases[_i].most);
	kept_file(KEPT_ZONE);
	kept_open(&k, option, "denial: nsec", 0);
	const struct config_zone *c = &k.config->zones[0];
	struct version *before = version_from(c, 0, 500, 0);
	struct version *after = version_from(c, cases[_i].from, cases[_i].to, cases[_i].value);
	int err = guard_check(c, before, after, &removed, &em);
	ck_assert_msg(err == (cases[_i].is_held ? E_HELD : E_OK), "%d %s", err, em.text);
	ck_assert_int_eq(em.text[0] != '\0', cases[_i].is_held);
	ck_assert_int_eq(removed != 0, cases[_i].is_held);
	version_unref(before);
	version_unref(after);
	kept_close(&k);
}
END_TEST

static void write_zone(unsigned from, unsigned to, unsigned value)
{
	char *text = zone_text(from, to, value);
	kept_file(text);
	mem_free(text);
}

static int approve(struct kept *k, struct errmsg *em)
{
	struct order o = { .report = report_new() };
	int err = order_approve(k->keeper, &k->env, START, &o);
	*em = o.em;
	report_free(o.report);
	return err;
}

/* A zone that is signed by us: also over a restart; and it is that one file that is approved. */
START_TEST(a_kept_zone_is_held)
{
	struct kept k;
	struct errmsg em;
	write_zone(0, 500, 0);
	kept_open(&k, "dnssec: p, allow-update: any", "denial: nsec", (size_t)16 << 20);
	kept_load(&k, START);
	ck_assert_int_eq(approve(&k, &em), E_NOENT);
	const uint32_t serial = k.zone->current->serial;
	write_zone(0, 10, 1);
	kept_load(&k, START);
	ck_assert(zone_is_held(k.zone));
	ck_assert_uint_eq(k.zone->current->serial, serial);
	ck_assert_ptr_nonnull(kept_set(&k, "n400", "A"));
	/* Updates go on meanwhile. */
	ck_assert_uint_eq(kept_update_one(&k, START, "add dyn 60 A 192.0.2.7\n"), RCODE_NOERROR);
	kept_restart(&k, k.config);
	kept_load(&k, START);
	ck_assert(zone_is_held(k.zone));
	ck_assert_ptr_nonnull(kept_set(&k, "n400", "A"));
	write_zone(0, 9, 22);
	ck_assert_int_eq(approve(&k, &em), E_HELD); /* another than the one that was held */
	ck_assert_ptr_nonnull(kept_set(&k, "n400", "A"));
	ck_assert_int_eq(approve(&k, &em), E_OK);
	ck_assert(!zone_is_stale(k.zone));
	ck_assert_ptr_null(kept_set(&k, "n400", "A"));
	ck_assert_ptr_nonnull(kept_set(&k, "n8", "A"));
	ck_assert_ptr_nonnull(kept_set(&k, "dyn", "A"));
	kept_assert_valid(&k, START);
	ck_assert_int_eq(approve(&k, &em), E_NOENT);
	kept_close(&k);
}
END_TEST

/* Mended before anybody approved it. */
START_TEST(a_mended_file_is_taken)
{
	struct kept k;
	struct errmsg em;
	write_zone(0, 500, 0);
	kept_open(&k, "dnssec: p", "denial: nsec3", (size_t)16 << 20);
	kept_load(&k, START);
	write_zone(0, 10, 1);
	kept_load(&k, START);
	ck_assert(zone_is_held(k.zone));
	write_zone(0, 490, 0);
	kept_load(&k, START);
	ck_assert(!zone_is_stale(k.zone));
	ck_assert_ptr_null(kept_set(&k, "n495", "A"));
	ck_assert_int_eq(approve(&k, &em), E_NOENT);
	kept_close(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("guard");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, kept_setup, kept_teardown);
	tcase_add_loop_test(tc, what_is_held, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, a_kept_zone_is_held);
	tcase_add_test(tc, a_mended_file_is_taken);
	return unit_run("server/guard", tc);
}

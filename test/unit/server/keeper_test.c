/* Years of a zone that keeps itself signed, hour by hour on a clock of our own: what a secondary that was cut off, or a
 * cache behind it, may still have must never have expired. */
#include "signer/rrsig.h"
#include "test/unit/server/keeper_kit.h"
#include "zones/base/time.h"

/* A zone of @names names under the policy that is written as @policy, loaded. */
static void keep(struct kept *k, const char *policy, unsigned names, unsigned expire)
{
	struct buf text = { 0 };
	buf_printf(&text, "$TTL 3600\n@ SOA ns host 1 7200 3600 %u 3600\n@ NS ns\nns A 192.0.2.1\n",
		   expire);
	buf_str(&text, "*.w TXT any\na.ent A 192.0.2.2\nd NS ns\nlong 86400 TXT long\n");
	for (unsigned i = 0; i < names; i++) {
		buf_printf(&text, "n%u A 192.0.2.3\n", i);
	}
	kept_file(text.data);
	buf_clear(&text);
	kept_open(k, "dnssec: p", policy, 0);
	kept_load(k, START);
	ck_assert_ptr_nonnull(k->zone->current);
}

/* Seconds that a record of such a zone may be held by others. */
static int64_t held(unsigned expire)
{
	return (int64_t)expire + DAY;
}

/* When the first signature expires, and how many there are that were made at @made. */
static int64_t first_expiration(const struct version *v, int64_t now, int64_t made, unsigned *count)
{
	struct version_walk walk;
	int64_t first = INT64_MAX;
	for (const struct node *n = version_first(v, &walk); n != NULL; n = version_next(&walk)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned i = 0; i < n->rrsets; i++) {
			const uint8_t *p = rrset_sig_data(&rs[i]);
			for (unsigned s = 0; s < rs[i].sigs; s++) {
				struct rr rr;
				struct rrsig sig;
				p = rr_read(p, &rr);
				if (rrsig_read(rr.rdata, rr.rdlen, &sig) != E_OK) {
					ck_abort_msg("a broken RRSIG");
				}
				int64_t t = time_unwrap32(sig.expiration, now);
				first = t < first ? t : first;
				*count += time_unwrap32(sig.inception, now) + HOUR == made;
			}
		}
	}
	return first;
}

static const struct {
	const char *policy;
	unsigned expire;
} policies[] = {
	{ "denial: nsec", 2 * DAY },
	{ "denial: nsec3", 2 * DAY },
	{ "denial: nsec3-opt-out, validity: 10d, refresh: 3d, jitter: 1d", 2 * DAY },
	{ "denial: nsec, zonemd: sha384", 2 * DAY },
	/* Shorter than the SOA's expire: it is raised. */
	{ "denial: nsec, validity: 3d, refresh: 1d, jitter: 0s", 14 * DAY },
	{ "denial: nsec3, keys: csk, validity: 365d, refresh: 30d, jitter: 30d", 7 * DAY },
};

START_TEST(three_years_without_an_expired_signature)
{
	struct kept k;
	unsigned unused = 0;
	keep(&k, policies[_i].policy, 5, policies[_i].expire);
	uint32_t serial = k.zone->current->serial;
	unsigned renewals = 0;
	for (int64_t now = START; now < START + (int64_t)3 * 365 * DAY; now += HOUR) {
		if (k.keeper->due <= now) {
			kept_run(&k, now, NULL);
		}
		const struct version *v = k.zone->current;
		/* Held by a secondary until expire, by a cache behind it for the TTL; and it is an hour until we
		 * look again. */
		if (first_expiration(v, now, 0, &unused) < now + held(policies[_i].expire)) {
			ck_abort_msg("hour %d: somebody may hold a signature that has expired",
				     (int)((now - START) / HOUR));
		}
		if (v->serial != serial) {
			renewals++;
			serial = v->serial;
			if (renewals % 64 == 0) {
				kept_assert_valid(&k, now + held(policies[_i].expire));
			}
		}
	}
	ck_assert_uint_gt(renewals, 3);
	kept_close(&k);
}
END_TEST

/* After a month switched off, the zone is whole again at once. */
START_TEST(a_long_sleep_is_made_up_for)
{
	struct kept k;
	unsigned unused = 0;
	keep(&k, "denial: nsec", 5, 2 * DAY);
	int64_t now = START + (int64_t)30 * DAY;
	kept_run(&k, now, NULL);
	ck_assert_int_ge(first_expiration(k.zone->current, now, 0, &unused), now + held(2 * DAY));
	kept_assert_valid(&k, now + held(2 * DAY));
	kept_close(&k);
}
END_TEST

/* No hour makes more than twice the signatures of the average one. */
START_TEST(renewing_is_spread)
{
	struct kept k;
	unsigned most = 0;
	unsigned all = 0;
	unsigned hours = 0;
	keep(&k, "denial: nsec, validity: 4d, refresh: 3d, jitter: 6h", 2500, DAY);
	for (int64_t now = START + HOUR; now < START + (int64_t)6 * DAY; now += HOUR) {
		unsigned made = 0;
		if (k.keeper->due <= now) {
			kept_run(&k, now, NULL);
		}
		(void)first_expiration(k.zone->current, now, now, &made);
		if (now >= START + 2 * DAY) { /* the first day is that of the start */
			most = made > most ? made : most;
			all += made;
			hours++;
		}
	}
	ck_assert_uint_gt(all, 10000);
	ck_assert_msg(most <= 2 * all / hours, "most %u, average %u", most, all / hours);
	kept_close(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("keeper");
	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, kept_setup, kept_teardown);
	tcase_add_loop_test(tc, three_years_without_an_expired_signature, 0,
			    (int)ARRAY_LEN(policies));
	tcase_add_test(tc, a_long_sleep_is_made_up_for);
	tcase_add_test(tc, renewing_is_spread);
	return unit_run("server/keeper", tc);
}

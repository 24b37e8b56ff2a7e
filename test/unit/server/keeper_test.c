/* Years of a zone that keeps itself signed, hour by hour on a clock of our own: what a secondary that was cut off, or a
 * cache behind it, may still have must never have expired. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/keeper.h"
#include "signer/rrsig.h"
#include "signer/verify.h"
#include "test/unit/unit.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/base/time.h"

#define START 1790000000
#define HOUR  3600
#define DAY   86400

static char directory[] = "/tmp/signet-keeper-XXXXXX";

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	log_open(LOG_TO_STDERR, LOG_LEVEL_ERROR, false, "test");
}

static void teardown(void)
{
	char command[128];
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

struct kept {
	struct config *config;
	struct zone *zone;
	struct keeper *keeper;
	struct tsig_ring *ring;
	struct keeper_env env;
	uint32_t held; /* seconds that a record may be held by others: SOA expire and its TTL */
};

/* A zone of @names names under the policy that is written as @policy. */
static void keep(struct kept *k, const char *policy, unsigned names, unsigned expire)
{
	char path[128];
	char text[1024];
	(void)snprintf(path, sizeof(path), "%s/zone", directory);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fprintf(f, "$TTL 3600\n@ SOA ns host 1 7200 3600 %u 3600\n@ NS ns\nns A 192.0.2.1\n",
		      expire);
	(void)fprintf(f, "*.w TXT any\na.ent A 192.0.2.2\nd NS ns\nlong 86400 TXT long\n");
	for (unsigned i = 0; i < names; i++) {
		(void)fprintf(f, "n%u A 192.0.2.3\n", i);
	}
	ck_assert_int_eq(fclose(f), 0);
	(void)snprintf(path, sizeof(path), "%s/keys", directory);
	(void)mkdir(path, 0700);
	(void)snprintf(text, sizeof(text),
		       "server: { database: %s }\n"
		       "policies: [ { name: p, algorithm: ECDSAP256SHA256, %s } ]\n"
		       "zones: [ { name: example, file: %s/zone, dnssec: p } ]\n",
		       directory, policy, directory);
	const struct config_source source = { .path = "t", .data = text, .len = strlen(text) };
	struct findings findings = { 0 };
	int err = config_parse(&source, &k->config, &findings);
	ck_assert_msg(err == E_OK, "%s", findings.count != 0 ? findings.items[0].text : "");
	findings_clear(&findings);
	k->zone = zone_new(k->config->zones[0].name);
	k->keeper = keeper_new(k->zone, &k->config->zones[0]);
	ck_assert_int_eq(tsig_ring_new(NULL, 0, &k->ring), E_OK);
	k->env = (struct keeper_env){ .config = k->config, .ring = k->ring };
	k->held = expire + DAY;
}

static void let_go(struct kept *k)
{
	keeper_free(k->keeper);
	zone_free(k->zone);
	tsig_ring_free(k->ring);
	config_free(k->config);
}

/* What the jobs do at @now. */
static void run(struct kept *k, int64_t now, bool load)
{
	const struct keeper_work work = { .load = load, .now = now };
	if (load || k->keeper->due <= now) {
		k->keeper->due = keeper_run(k->keeper, &k->env, &work);
		if (k->keeper->due <= now) {
			ck_abort_msg("due again at once");
		}
	}
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

static void assert_valid(const struct version *v, int64_t now)
{
	const struct verify_options opt = { .now = now, .threads = 1 };
	struct verify_stats stats;
	struct findings f = { 0 };
	int err = verify_version(v, &opt, &stats, &f);
	ck_assert_msg(err == E_OK, "%s", f.count != 0 ? f.items[0].text : "");
	findings_clear(&f);
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
	run(&k, START, true);
	ck_assert_ptr_nonnull(k.zone->current);
	uint32_t serial = k.zone->current->serial;
	unsigned renewals = 0;
	for (int64_t now = START; now < START + (int64_t)3 * 365 * DAY; now += HOUR) {
		run(&k, now, false);
		const struct version *v = k.zone->current;
		/* Held by a secondary until expire, by a cache behind it for the TTL; and it is an hour until we
		 * look again. */
		if (first_expiration(v, now, 0, &unused) < now + k.held) {
			ck_abort_msg("hour %d: somebody may hold a signature that has expired",
				     (int)((now - START) / HOUR));
		}
		if (v->serial != serial) {
			renewals++;
			serial = v->serial;
			if (renewals % 64 == 0) {
				assert_valid(v, now + k.held);
			}
		}
	}
	ck_assert_uint_gt(renewals, 3);
	let_go(&k);
}
END_TEST

/* After a month switched off, the zone is whole again at once. */
START_TEST(a_long_sleep_is_made_up_for)
{
	struct kept k;
	unsigned unused = 0;
	keep(&k, "denial: nsec", 5, 2 * DAY);
	run(&k, START, true);
	int64_t now = START + (int64_t)30 * DAY;
	run(&k, now, false);
	ck_assert_int_ge(first_expiration(k.zone->current, now, 0, &unused), now + k.held);
	assert_valid(k.zone->current, now + k.held);
	let_go(&k);
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
	run(&k, START, true);
	for (int64_t now = START + HOUR; now < START + (int64_t)6 * DAY; now += HOUR) {
		unsigned made = 0;
		while (k.keeper->due <= now) {
			const struct keeper_work work = { .now = now };
			k.keeper->due = keeper_run(k.keeper, &k.env, &work);
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
	let_go(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("keeper");
	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, three_years_without_an_expired_signature, 0,
			    (int)ARRAY_LEN(policies));
	tcase_add_test(tc, a_long_sleep_is_made_up_for);
	tcase_add_test(tc, renewing_is_spread);
	return unit_run("server/keeper", tc);
}

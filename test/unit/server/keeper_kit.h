/* test/unit/server/keeper_kit.h - a keeper with a zone, a configuration and, where asked for, a vault, in a directory of its
 * own; and requests for it. The jobs are the test's: kept_run runs the keeper, on a clock of the test's own. */
#ifndef TEST_UNIT_SERVER_KEEPER_KIT_H
#define TEST_UNIT_SERVER_KEEPER_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/keeper.h"
#include "signer/verify.h"
#include "test/unit/unit.h"
#include "test/unit/zones/ddns_kit.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"

#define START 1790000000
#define HOUR  3600
#define DAY   86400

/* What the zone of most tests has; "z." */
#define KEPT_ZONE                                                                                  \
 "$TTL 3600\n@ SOA ns host 1 7200 3600 86400 3600\n@ NS ns\nns A 192.0.2.1\n"                      \
 "*.w TXT any\na.ent A 192.0.2.2\nd NS ns\nd2 NS ns\nd2 DS 1 13 2 "                                \
 "0000000000000000000000000000000000000000000000000000000000000000\n"

static char kept_directory[] = "/tmp/signet-keeper-XXXXXX";

static inline void kept_setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(kept_directory));
	log_open(LOG_TO_STDERR, LOG_LEVEL_ERROR, false, "test");
}

static inline void kept_teardown(void)
{
	char command[128];
	(void)snprintf(command, sizeof(command), "rm -rf %s", kept_directory);
	ck_assert_int_eq(system(command), 0);
}

struct kept {
	struct config *config;
	struct vault *vault; /* or NULL */
	struct zone *zone;
	struct keeper *keeper;
	struct tsig_ring *ring;
	struct keeper_env env;
};

static inline void kept_path(char *out, size_t size, const char *name)
{
	(void)snprintf(out, size, "%s/%s", kept_directory, name);
}

static inline void kept_file(const char *text)
{
	char path[128];
	kept_path(path, sizeof(path), "zone");
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

/* @zone: options of the zone beside name and file, as "dnssec: p"; @policy: those of the policy p. */
static inline struct config *kept_config(const char *zone, const char *policy)
{
	char text[1024];
	struct config *c = NULL;
	(void)snprintf(text, sizeof(text),
		       "server: { database: %s/db }\n"
		       "policies: [ { name: p, %s } ]\n"
		       "zones: [ { name: z, file: %s/zone, %s } ]\n",
		       kept_directory, policy, kept_directory, zone);
	const struct config_source source = { .path = "t", .data = text, .len = strlen(text) };
	struct findings findings = { 0 };
	int err = config_parse(&source, &c, &findings);
	ck_assert_msg(err == E_OK, "%s", findings.count != 0 ? findings.items[0].text : "");
	findings_clear(&findings);
	return c;
}

static inline void kept_start(struct kept *k)
{
	k->zone = zone_new(k->config->zones[0].name);
	k->keeper = keeper_new(k->zone, &k->config->zones[0]);
	ck_assert_int_eq(tsig_ring_new(NULL, 0, &k->ring), E_OK);
	k->env = (struct keeper_env){ .config = k->config, .vault = k->vault, .ring = k->ring };
}

/* With a vault whose journal may have @journal octets; 0: without. */
static inline void kept_open(struct kept *k, const char *zone, const char *policy, size_t journal)
{
	char path[128];
	struct errmsg em = { "" };
	*k = (struct kept){ .config = kept_config(zone, policy) };
	kept_path(path, sizeof(path), "db");
	(void)mkdir(path, 0700);
	kept_path(path, sizeof(path), "db/keys");
	(void)mkdir(path, 0700);
	if (journal != 0) {
		kept_path(path, sizeof(path), "db");
		ck_assert_msg(vault_open(path, journal, &k->vault, &em) == E_OK, "%s", em.text);
	}
	kept_start(k);
}

static inline void kept_stop(struct kept *k)
{
	keeper_free(k->keeper);
	zone_free(k->zone);
	tsig_ring_free(k->ring);
}

static inline void kept_close(struct kept *k)
{
	kept_stop(k);
	vault_close(k->vault);
	config_free(k->config);
}

/* As if the server ended and started: what is kept stays. @config (taken) may be the same. */
static inline void kept_restart(struct kept *k, struct config *config)
{
	kept_stop(k);
	if (config != k->config) {
		config_free(k->config);
		k->config = config;
	}
	kept_start(k);
}

/* A reload with another configuration, taken. */
static inline void kept_reconfigure(struct kept *k, struct config *config)
{
	keeper_set_config(k->keeper, &config->zones[0]);
	config_free(k->config);
	k->config = config;
	k->env.config = config;
}

/* What the jobs do at @now: what @work says beside (it may be NULL), and what is due. */
static inline void kept_run(struct kept *k, int64_t now, const struct keeper_work *work)
{
	struct keeper_work w = work != NULL ? *work : (struct keeper_work){ 0 };
	w.now = now;
	do {
		k->keeper->due = keeper_run(k->keeper, &k->env, &w);
		w = (struct keeper_work){ .now = now };
	} while (k->keeper->due <= now);
}

static inline void kept_load(struct kept *k, int64_t now)
{
	const struct keeper_work work = { .load = true };
	kept_run(k, now, &work);
}

/* --- requests -------------------------------------------------------------------------------- */

/* Response codes, in the order of the answers. */
static uint16_t kept_rcodes[KEEPER_GROUP_MAX];
static unsigned kept_answered;

/* In the place of the worker's. */
void request_answer(struct request *r)
{
	ck_assert_uint_ge(r->response_len, MESSAGE_HEADER_LEN);
	kept_rcodes[kept_answered++] = r->response[3] & MESSAGE_RCODE;
	mem_free(r->response);
	mem_free(r->message);
	mem_free(r);
}

/* The lines of ddns_kit.h, one message each, done together. */
static inline void kept_update(struct kept *k, int64_t now, const char *const *messages,
			       unsigned count)
{
	struct keeper_work work = { .count = count };
	struct request **last = &work.requests;
	kept_answered = 0;
	for (unsigned i = 0; i < count; i++) {
		static struct kit_message m;
		struct request *r = mem_zalloc(sizeof(*r));
		kit_message(&m, messages[i]);
		r->message = mem_dup(m.octets, m.len);
		r->len = m.len;
		r->client.len = 4;
		*last = r;
		last = &r->next;
	}
	kept_run(k, now, &work);
	ck_assert_uint_eq(kept_answered, count);
}

/* One message; its response code. */
static inline uint16_t kept_update_one(struct kept *k, int64_t now, const char *message)
{
	kept_update(k, now, &message, 1);
	return kept_rcodes[0];
}

/* --- looking --------------------------------------------------------------------------------- */

static inline const struct rrset *kept_set(const struct kept *k, const char *name, const char *type)
{
	struct dname owner;
	kit_name(name, &owner);
	const struct node *n = version_node(k->zone->current, owner.wire);
	return n != NULL ? node_find(n, kit_type(type)) : NULL;
}

static inline void kept_assert_valid(const struct kept *k, int64_t now)
{
	const struct verify_options opt = { .now = now, .threads = 1 };
	struct verify_stats stats;
	struct findings f = { 0 };
	int err = verify_version(k->zone->current, &opt, &stats, &f);
	ck_assert_msg(err == E_OK, "%s", f.count != 0 ? f.items[0].text : "");
	findings_clear(&f);
}

#endif

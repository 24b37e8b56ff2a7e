/* server/status.c - what is told of the server and its zones. */
#include "server/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "keys/algorithm.h"
#include "server/clock.h"
#include "zones/base/epoch.h"
#include "zones/base/time.h"

/* --- a zone ---------------------------------------------------------------------------------- */

/* How a zone is, the best first. */
enum state {
	STATE_OK,
	STATE_HELD,    /* an older version is served: the newer one waits for approval */
	STATE_STALE,   /* an older version is served: the newer one has errors */
	STATE_EXPIRED, /* so are its signatures */
	STATE_DOWN,    /* there is nothing to serve */
	STATES
};

static const char *const state_names[STATES] = { "ok", "held", "stale", "expired", "down" };

/* Seconds since 1970. */
static int64_t signed_until(const struct version *v, int64_t now)
{
	return time_unwrap32(v->signed_until, now);
}

/* @v: what is served of @z. */
static enum state state_of(const struct zone *z, const struct version *v, int64_t now)
{
	if (v == NULL) {
		return STATE_DOWN;
	}
	if (v->secure && signed_until(v, now) <= now) {
		return STATE_EXPIRED;
	}
	return zone_is_held(z) ? STATE_HELD : zone_is_stale(z) ? STATE_STALE : STATE_OK;
}

/* A name of the configuration, as it is written there. */
static void tell_name(struct report *r, const char *key, const uint8_t *name)
{
	char text[DNAME_TEXT_MAX];
	(void)dname_to_text(name, text);
	report_text(r, key, text);
}

/* What a line of the list has. */
static void tell_zone(struct report *r, const struct load_zone *lz, int64_t now)
{
	const struct zone *z = lz->zone;
	char name[DNAME_TEXT_MAX];
	const struct version *v = epoch_read(&z->current);
	(void)dname_to_text(z->apex, name);
	report_text(r, "zone", name);
	report_text(r, "state", state_names[state_of(z, v, now)]);
	if (v != NULL) {
		report_number(r, "serial", v->serial);
		report_number(r, "records", v->records);
		report_flag(r, "signed", v->secure);
		if (v->secure) {
			report_time(r, "signed-until", signed_until(v, now));
		}
	}
	if (lz->config->member_of != NULL) {
		tell_name(r, "catalog", lz->config->member_of);
		tell_name(r, "template", lz->config->template_name);
	}
}

static const char *denial_of(const struct version *v)
{
	static const char *const names[] = {
		[DENIAL_NONE] = "none", [DENIAL_NSEC] = "nsec", [DENIAL_NSEC3] = "nsec3"
	};
	return names[v->denial];
}

/* --- a zone that is kept --------------------------------------------------------------------- */

/* What happens next to a key by its times. */
static void tell_next_time(struct report *r, const struct key *k, int64_t now)
{
	int next = -1;
	for (int t = 0; t < KEY_TIMES; t++) {
		if (k->times[t] != KEY_TIME_NONE && k->times[t] > now &&
		    (next < 0 || k->times[t] < k->times[next])) {
			next = t;
		}
	}
	if (next >= 0) {
		report_text(r, "next", key_time_field((enum key_time)next));
		report_time(r, "at", k->times[next]);
	}
}

void status_key(struct report *r, const struct key *k, bool can_sign, int64_t now)
{
	const struct algorithm *a = algorithm_find(k->algorithm);
	report_item(r);
	report_number(r, "tag", k->tag);
	report_text(r, "role", key_is_ksk(k) ? "ksk" : "zsk");
	report_text(r, "algorithm", a != NULL ? a->name : "?");
	report_text(r, "state", key_state_text(k, now));
	report_flag(r, "can-sign", can_sign);
}

static void tell_keys(struct report *r, const struct board_notes *n, int64_t now)
{
	report_list(r, "keys");
	for (size_t i = 0; i < n->key_count; i++) {
		status_key(r, &n->keys[i].key, n->keys[i].can_sign, now);
		tell_next_time(r, &n->keys[i].key, now);
	}
	report_list_end(r);
}

/* A job that is late has a reason above. */
static void tell_time_to_come(struct report *r, const char *key, int64_t at)
{
	if (at != INT64_MAX) {
		report_time(r, key, at);
	}
}

static void tell_kept(struct report *r, const struct daemon_kept *kept, int64_t now)
{
	const struct board_notes *n = &kept->notes;
	const struct journal_zone *j = &kept->journal;
	report_flag(r, "frozen", n->facts.end.is_frozen);
	if (n->facts.job != NULL) {
		report_text(r, "job", n->facts.job);
		report_time(r, "job-since", n->facts.since);
	} else if (n->is_waiting) {
		report_text(r, "job", "waiting");
	}
	tell_time_to_come(r, "next-try", n->facts.end.retry);
	tell_time_to_come(r, "next-signing", n->facts.end.due);
	tell_time_to_come(r, "next-key-event", n->facts.end.key_event);
	if (kept->has_journal) {
		report_number(r, "journal-changes", j->last_seq + 1 - j->first_seq);
		report_number(r, "journal-octets", j->octets);
		report_number(r, "journal-to-replay", j->needed_octets);
	}
	tell_keys(r, n, now);
}

/* --- a zone, in full ------------------------------------------------------------------------- */

/* Is the zone file the one that was loaded? */
static const char *file_state(const struct load_zone *z, const struct daemon_kept *kept)
{
	const struct journal_stamp none = { 0 };
	const struct journal_stamp now = keeper_stamp(z->config->file);
	if (keeper_same_stamp(&now, &none)) {
		return "missing";
	}
	const bool is_changed = kept != NULL
					? !keeper_same_stamp(&now, &kept->notes.facts.end.stamp)
					: load_is_changed(z);
	return is_changed ? "changed" : "loaded";
}

static void tell_reason(struct report *r, const struct load_zone *z, const struct daemon_kept *kept)
{
	if (kept != NULL && kept->notes.facts.failed != NULL) {
		report_text(r, "failed-job", kept->notes.facts.failed);
		report_time(r, "failed", kept->notes.facts.failed_at);
		report_text(r, "reason", kept->notes.reason.text);
	} else if (z->reason != NULL) {
		report_text(r, "reason", z->reason);
	} else if (zone_is_stale(z->zone)) {
		report_text(r, "reason", "the log says why");
	}
}

void status_zone(struct report *r, const struct load_zone *z, const struct daemon_kept *kept)
{
	const int64_t now = clock_now();
	epoch_online();
	const struct version *v = epoch_read(&z->zone->current);
	tell_zone(r, z, now);
	if (v != NULL) {
		report_text(r, "denial", denial_of(v));
	}
	epoch_offline();
	if (*z->config->file != '\0') {
		report_text(r, "file", z->config->file);
		report_text(r, "file-state", file_state(z, kept));
	}
	const int64_t loaded_at = kept != NULL ? kept->notes.facts.loaded_at : z->loaded_at;
	if (loaded_at != 0) {
		report_time(r, "loaded", loaded_at);
	}
	tell_reason(r, z, kept);
	if (kept != NULL) {
		tell_kept(r, kept, now);
	}
}

void status_refresh(struct report *r, const struct refresh_status *s)
{
	report_text(r, "transfer", s->is_active ? "under way" : "waits");
	if (!s->is_active) {
		report_time(r, "next-refresh", s->next);
	}
	if (s->has_serial) {
		report_number(r, "primary-serial", s->serial);
	}
	if (s->expires_at != 0) {
		report_time(r, s->is_expired ? "expired" : "expires", s->expires_at);
	}
	if (s->reason[0] != '\0') {
		report_text(r, "transfer-failed", s->reason);
	}
}

void status_catalog(struct report *r, const struct catalogs *c, const uint8_t *apex)
{
	const char *why = catalogs_why_broken(c, apex);
	report_number(r, "members", catalogs_count(c, apex));
	if (why != NULL) {
		report_text(r, "catalog-broken", why);
	}
}

void status_zones(struct report *r, const struct daemon_state *s)
{
	int64_t now = clock_now();
	epoch_online();
	report_list(r, "zones");
	for (size_t i = 0; i < s->zone_count; i++) {
		report_item(r);
		tell_zone(r, &s->zones[i], now);
	}
	report_list_end(r);
	epoch_offline();
}

/* --- the server ------------------------------------------------------------------------------ */

void status_server(struct report *r, const struct daemon_state *s)
{
	static const char *const keys[STATES] = { "zones-ok", "zones-held", "zones-stale",
						  "zones-expired", "zones-down" };
	uint64_t count[STATES] = { 0 };
	int64_t now = clock_now();
	epoch_online();
	for (size_t i = 0; i < s->zone_count; i++) {
		const struct zone *z = s->zones[i].zone;
		count[state_of(z, epoch_read(&z->current), now)]++;
	}
	epoch_offline();
	report_text(r, "version", SIGNET_VERSION);
	report_number(r, "pid", (uint64_t)getpid());
	report_time(r, "started", s->started_at);
	report_number(r, "uptime-s", (uint64_t)(now > s->started_at ? now - s->started_at : 0));
	report_text(r, "configuration", s->path);
	report_time(r, "configured", s->configured_at);
	if (*s->not_reload != '\0') {
		report_text(r, "reload-failed", s->not_reload);
	}
	report_number(r, "workers", s->workers);
	report_number(r, "zones", s->zone_count);
	for (int i = 0; i < STATES; i++) {
		report_number(r, keys[i], count[i]);
	}
}

/* Octets of memory that the process has from the system; 0: unknown. */
static uint64_t memory_now(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f != NULL) {
		char line[128]; /* the second number is what is resident */
		const char *rest = fgets(line, sizeof(line), f) != NULL ? strchr(line, ' ') : NULL;
		pages = rest != NULL ? strtoull(rest, NULL, 10) : 0;
		(void)fclose(f);
	}
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t to_ms(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000 + (uint64_t)t->tv_usec / 1000;
}

void status_counts(struct report *r, const struct daemon_state *s)
{
	struct rusage used = { 0 };
	uint64_t records = 0, is_signed = 0;
	epoch_online();
	for (size_t i = 0; i < s->zone_count; i++) {
		const struct version *v = epoch_read(&s->zones[i].zone->current);
		records += v != NULL ? v->records : 0;
		is_signed += v != NULL && v->secure;
	}
	epoch_offline();
	(void)getrusage(RUSAGE_SELF, &used);
	report_number(r, "zones", s->zone_count);
	report_number(r, "zones-signed", is_signed);
	report_number(r, "records", records);
	/* The system looks at the most now and then only. */
	uint64_t memory = memory_now();
	uint64_t most = (uint64_t)used.ru_maxrss * 1024;
	report_number(r, "memory", memory);
	report_number(r, "memory-most", memory > most ? memory : most);
	report_number(r, "cpu-user-ms", to_ms(&used.ru_utime));
	report_number(r, "cpu-system-ms", to_ms(&used.ru_stime));
}

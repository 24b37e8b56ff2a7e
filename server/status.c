/* server/status.c - what is told of the server and its zones. */
#include "server/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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

/* What a line of the list has. */
static void tell_zone(struct report *r, const struct zone *z, int64_t now)
{
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
}

static const char *denial_of(const struct version *v)
{
	static const char *const names[] = {
		[DENIAL_NONE] = "none", [DENIAL_NSEC] = "nsec", [DENIAL_NSEC3] = "nsec3"
	};
	return names[v->denial];
}

void status_zone(struct report *r, const struct load_zone *z)
{
	epoch_online();
	const struct version *v = epoch_read(&z->zone->current);
	tell_zone(r, z->zone, clock_now());
	if (v != NULL) {
		report_text(r, "denial", denial_of(v));
	}
	epoch_offline();
	report_text(r, "file", z->config->file);
	if (z->loaded_at != 0) {
		report_time(r, "loaded", z->loaded_at);
	}
	if (z->reason != NULL || zone_is_stale(z->zone)) {
		report_text(r, "reason",
			    z->reason != NULL	    ? z->reason
			    : zone_is_held(z->zone) ? "the zone file takes out more than "
						      "zones.max-removed; the log has the numbers, "
						      "signetctl approve lets it through"
						    : "the log says why");
	}
}

void status_zones(struct report *r, const struct daemon_state *s)
{
	int64_t now = clock_now();
	epoch_online();
	report_list(r, "zones");
	for (size_t i = 0; i < s->zone_count; i++) {
		report_item(r);
		tell_zone(r, s->zones[i].zone, now);
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

/* server/load.c - zones from files. */
#include "server/load.h"

#include <string.h>
#include <sys/stat.h>

#include "server/clock.h"
#include "server/guard.h"
#include "server/zone_load.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/base/parallel.h"

/* All zero when there is no such file. */
static struct load_stamp stamp_of(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		return (struct load_stamp){ 0 };
	}
	return (struct load_stamp){ .device = st.st_dev,
				    .inode = st.st_ino,
				    .size = (uint64_t)st.st_size,
				    .modified_s = st.st_mtim.tv_sec,
				    .modified_ns = (uint32_t)st.st_mtim.tv_nsec };
}

static bool same_stamp(const struct load_stamp *a, const struct load_stamp *b)
{
	return a->inode == b->inode && a->device == b->device && a->size == b->size &&
	       a->modified_s == b->modified_s && a->modified_ns == b->modified_ns;
}

bool load_is_changed(const struct load_zone *z)
{
	const struct load_stamp now = stamp_of(z->config->file);
	return now.inode == 0 || /* reading it will say why */
	       !same_stamp(&now, &z->stamp);
}

/* The zone file, checked; on error z->reason says why. */
static int read_zone(struct load_zone *z, const char *quoted, struct version **out)
{
	struct findings findings = { 0 };
	struct errmsg em = { "" };
	uint64_t removed = 0;
	const struct version *before = z->zone->current;
	mem_free(z->reason);
	z->reason = NULL;
	int err = zone_load(z->config, clock_now(), out, &findings);
	findings_log(&findings, "zone-finding", quoted);
	if (err != E_OK) {
		const char *why = findings_first_error(&findings, "the zone file cannot be read");
		z->reason = mem_str(why, strlen(why));
	} else if (before != NULL && !same_stamp(&z->stamp, &z->approved)) {
		err = guard_check(z->config, before, *out, &removed, &em);
		if (err != E_OK) {
			z->held = z->stamp;
			z->reason = mem_str(em.text, strlen(em.text));
			version_unref(*out);
		}
	}
	findings_clear(&findings);
	return err;
}

static int load_one(struct load_zone *z)
{
	char name[DNAME_TEXT_MAX];
	char quoted[DNAME_TEXT_MAX];
	struct version *v = NULL;
	int64_t start = clock_ms();
	(void)dname_to_text(z->config->name, name);
	(void)log_quote(name, quoted, sizeof(quoted));
	/* Before reading: a change while it is read shows up next time. */
	z->stamp = stamp_of(z->config->file);
	int err = read_zone(z, quoted, &v);
	zone_set_stale(z->zone, err);
	if (err == E_OK) {
		log_info("zone-loaded", "zone=%s serial=%u records=%llu signed=%s ms=%lld", quoted,
			 v->serial, (unsigned long long)v->records, v->secure ? "yes" : "no",
			 (long long)(clock_ms() - start));
		z->fresh = v;
		z->loaded_at = clock_now();
	} else {
		log_error("zone-failed", "zone=%s serving=%s remedy=\"%s\"", quoted,
			  z->zone->current != NULL ? "old" : "nothing",
			  err == E_HELD ? "approve it, or mend the zone file and reload"
					: "mend the zone file and reload");
		z->stamp = (struct load_stamp){ 0 };
	}
	return err;
}

struct load_run {
	struct load_zone *zones;
	size_t failed; /* atomic */
};

static int load_work(void *arg, unsigned worker, size_t job)
{
	struct load_run *r = arg;
	(void)worker;
	if (r->zones[job].wanted && load_one(&r->zones[job]) != E_OK) {
		(void)__atomic_add_fetch(&r->failed, 1, __ATOMIC_RELAXED);
	}
	return E_OK; /* one bad zone does not keep others from being served */
}

size_t load_zones(struct load_zone *zones, size_t count)
{
	struct load_run r = { zones, 0 };
	const struct parallel p = { .jobs = count, .window = 256, .work = load_work, .arg = &r };
	if (parallel_run(&p) != E_OK) {
		return count;
	}
	return r.failed;
}

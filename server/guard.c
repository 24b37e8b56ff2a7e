/* server/guard.c - does a zone file take out too much? */
#include "server/guard.h"
#include "server/zone_text.h"

#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/dns/rdata.h"

static bool counts(uint16_t type)
{
	return type != RRTYPE_SOA && !rrtype_is_of_signing(type);
}

/* Records of @before, in canonical order, that are not in @after (NULL: none are). */
static unsigned removed_of(const struct rrset *before, const struct rrset *after)
{
	const uint8_t *p = rrset_data(before);
	const uint8_t *q = after != NULL ? rrset_data(after) : NULL;
	unsigned left = after != NULL ? after->count : 0;
	unsigned removed = 0;
	struct rr b = { 0 };
	for (unsigned i = 0; i < before->count; i++) {
		struct rr a;
		int diff = 1;
		p = rr_read(p, &a);
		while (left != 0 && diff > 0) {
			const uint8_t *next = rr_read(q, &b);
			diff = rdata_compare(a.type, a.rdata, a.rdlen, b.rdata, b.rdlen);
			if (diff >= 0) {
				q = next;
				left--;
			}
		}
		removed += diff != 0;
	}
	return removed;
}

static void on_name(void *arg, const void *before, const void *after)
{
	uint64_t *removed = arg;
	const struct node *was = before;
	const struct node *is = after;
	const struct rrset *rs = was != NULL ? node_rrsets(was) : NULL;
	for (unsigned i = 0; was != NULL && i < was->rrsets; i++) {
		if (counts(rs[i].type)) {
			*removed +=
				removed_of(&rs[i], is != NULL ? node_find(is, rs[i].type) : NULL);
		}
	}
}

static uint64_t count_records(const struct version *v)
{
	struct tree_cursor *c = mem_alloc(sizeof(*c));
	uint64_t count = 0;
	for (const struct node *n = tree_first(&v->names, c); n != NULL; n = tree_next(c)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned i = 0; i < n->rrsets; i++) {
			count += counts(rs[i].type) ? rs[i].count : 0;
		}
	}
	mem_free(c);
	return count;
}

int guard_check(const struct config_zone *c, const struct version *before,
		const struct version *after, uint64_t *removed, struct errmsg *em)
{
	const struct config_part *most = &c->max_removed;
	const char *what = config_zone_is_secondary(c) ? "transfer" : "zone file";
	struct zone_text name;
	uint64_t count = 0;
	if (most->count == CONFIG_PART_ALL) {
		return E_OK;
	}
	tree_diff(&before->names, &after->names, on_name, &count);
	if (count <= (most->is_percent ? GUARD_LEAST : most->count) || count <= *removed) {
		return E_OK;
	}
	const uint64_t records = count_records(before);
	if (most->is_percent && count * 100 <= records * most->count) {
		return E_OK;
	}
	*removed = count;
	log_error("zone-held",
		  "zone=%s removed=%llu records=%llu limit=%u%s remedy=\"look at the %s; "
		  "signetctl approve lets it through\"",
		  zone_text(c->name, &name), (unsigned long long)count, (unsigned long long)records,
		  most->count, most->is_percent ? "%" : "",
		  config_zone_is_secondary(c) ? "zone at its primary" : what);
	return err_set(em, E_HELD,
		       "the %s takes out %llu of %llu records, more than zones.max-removed "
		       "(%u%s); look at it, signetctl approve lets it through",
		       what, (unsigned long long)count, (unsigned long long)records, most->count,
		       most->is_percent ? "%" : "");
}

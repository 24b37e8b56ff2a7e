/* server/config_members.c - the zones that catalogs list, beside those of a configuration that was read. */
#include "server/config_run.h"

#include <string.h>

#include "zones/base/mem.h"

static void make_member(struct config *c, const struct config_member *m, struct config_zone *out)
{
	*out = *m->template;
	out->name = arena_dup(&c->arena, m->zone, dname_len(m->zone));
	out->template_name = m->template->name;
	out->member_of = config_find_zone(c->base, m->catalog)->name;
	out->member_id = m->id;
	out->place = (struct config_place){ .path = "a catalog" };
}

struct config *config_with_members(struct config *base, const struct config_member *members,
				   size_t count)
{
	struct config *c = mem_dup(base, sizeof(*base));
	const size_t all = base->zone_count + count;
	struct config_zone *zones = mem_array(all, sizeof(*zones));
	c->arena = (struct arena){ 0 };
	c->base = base;
	c->refs = 0;
	base->refs++;
	if (base->zone_count != 0) {
		memcpy(zones, base->zones, base->zone_count * sizeof(*zones));
	}
	for (size_t i = 0; i < count; i++) {
		make_member(c, &members[i], &zones[base->zone_count + i]);
	}
	c->zones = zones;
	c->zone_count = all;
	config_sort_zones(c);
	return c;
}

/* server/zone_load.c - a configured zone from its file: read and checked, ready to publish. */
#include "server/zone_load.h"

#include "zones/edit.h"
#include "zones/master.h"

int zone_load(const struct config_zone *zone, int64_t now, struct version **out,
	      struct findings *findings)
{
	const struct master_options options = {
		.origin = zone->name,
		.ignore_outside = zone->checks.level[CHECK_OUT_OF_ZONE] != CHECK_ERROR,
	};
	struct edit *e = NULL;
	int err = master_read(zone->file, &options, &e, findings);
	if (err != E_OK) {
		return err;
	}
	struct version *v = edit_commit(e);
	err = check_version(v, &zone->checks, now, findings);
	if (err != E_OK) {
		version_unref(v);
		return err;
	}
	*out = v;
	return E_OK;
}

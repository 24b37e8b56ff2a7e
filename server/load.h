/* server/load.h - zones from files: which have changed, read and checked on several threads.
 *
 * Threads: the control thread; load_zones starts its own and joins them. */
#ifndef SERVER_LOAD_H
#define SERVER_LOAD_H

#include "server/config.h"
#include "zones/zone.h"

/* What tells that a file is another one, or was written to. */
struct load_stamp {
	uint64_t device, inode, size;
	int64_t modified_s;
	uint32_t modified_ns;
};

/* A zone that is served, and the file it came from as it was then. */
struct load_zone {
	const struct config_zone *config; /* borrowed */
	struct zone *zone;		  /* borrowed */
	struct load_stamp stamp;	  /* of the file when it was read; zero: never */
	/* A file that takes out too much (server/guard.h) waits for approval: which, and which was approved. */
	struct load_stamp held, approved;
	int64_t loaded_at;     /* seconds since 1970; 0: never */
	char *reason;	       /* why what is served is not newer; owned; NULL: it is */
	bool wanted;	       /* to be read now */
	bool is_kept;	       /* its keeper reads it (server/keeper.h) */
	struct version *fresh; /* result: a new version, owned; NULL: none */
};

/* Has the file changed since it was read? */
bool load_is_changed(const struct load_zone *z);
/* Reads and checks the zones that are wanted; fills in `fresh` where that went well, and logs what did
 * not. Returns how many failed. */
size_t load_zones(struct load_zone *zones, size_t count);

#endif

/* server/daemon.h - the whole server: start, reload, stop.
 *
 *     bind sockets → drop privileges → load zones → start workers → wait for signals and commands
 *
 * Threads: the control thread (the caller of daemon_run); workers answer; job threads load. */
#ifndef SERVER_DAEMON_H
#define SERVER_DAEMON_H

#include "server/catalogs.h"
#include "server/control.h"
#include "server/load.h"
#include "server/order.h"
#include "server/outbound.h"

/* Serves until SIGTERM or SIGINT. @config (taken) was read from @path, which SIGHUP reads again. Returns
 * E_OK, or what kept it from starting, with a message. */
MUST_USE int daemon_run(const char *path, struct config *config, struct errmsg *em);

/* --- for commands ---------------------------------------------------------------------------- */

struct daemon;

/* What is served, and how it came to be. */
struct daemon_state {
	const char *
		path; /* of the configuration; this and what follows: borrowed until the loop goes on */
	const struct config *config;
	const struct load_zone *zones; /* in the order of the configuration */
	size_t zone_count;
	unsigned workers;
	int64_t started_at;	/* seconds since 1970; likewise below */
	int64_t configured_at;	/* when the configuration was read */
	const char *not_reload; /* why the last reload did not change anything; "": it did */
	const struct catalogs *catalogs; /* NULL: there is no database, and so none */
};

struct daemon_state daemon_look(const struct daemon *d);

enum daemon_reload {
	DAEMON_RELOAD,	 /* zones that are new, and those whose file has changed */
	DAEMON_RECONFIG, /* zones that are new or have another file */
	DAEMON_MEMBERS	 /* zones that catalogs list: the configuration is as it was */
};

/* Reads the configuration again, and with it zones; *failed counts those that could not be loaded. E_CHECK: the old
 * configuration stays. */
MUST_USE int daemon_reload(struct daemon *d, enum daemon_reload how, size_t *failed,
			   struct errmsg *em);
/* The zone @apex of the configuration, borrowed until the loop goes on; NULL: there is none. */
struct load_zone *daemon_zone(struct daemon *d, const uint8_t *apex);

enum daemon_loaded {
	DAEMON_UNCHANGED, /* the file is as it was */
	DAEMON_LOADED,
	DAEMON_BEGUN /* by a job, which goes on */
};

/* Loads @z, if its file has changed. E_CHECK: the old version stays. */
MUST_USE int daemon_reload_zone(struct daemon *d, struct load_zone *z, enum daemon_loaded *out,
				struct errmsg *em);
/* What there is to tell of a zone that is kept. */
struct daemon_kept {
	struct board_notes notes;
	struct journal_zone journal;
	bool has_journal; /* something of it is in the journal */
};
/* False: nobody keeps @z. */
bool daemon_look_kept(const struct daemon *d, const struct load_zone *z, struct daemon_kept *out);
/* Has the keeper of @z carry out @o. E_NOENT: it has none, and nothing will come of @o. */
MUST_USE int daemon_order(struct daemon *d, const struct load_zone *z, struct order *o,
			  struct errmsg *em);
/* Where orders that are done are posted to; borrowed. */
struct loop *daemon_loop(const struct daemon *d);
/* Who talks to other servers; borrowed. */
struct outbound *daemon_outbound(const struct daemon *d);
/* Removes what the database has of the zone @apex, which is not served any more. E_EXIST: it is, as a member of a catalog.
 * Else as vault_forget. */
MUST_USE int daemon_forget_zone(struct daemon *d, const uint8_t *apex, struct errmsg *em);
/* Loads the file of @z, a zone without a keeper, that was held back. E_NOENT: none is. E_CHECK: the old version stays. */
MUST_USE int daemon_approve_zone(struct daemon *d, struct load_zone *z, struct errmsg *em);
/* Ends the loop; @request (taken; NULL: nobody asked) is answered once nothing listens any more. */
void daemon_stop(struct daemon *d, struct control_request *request);

#endif

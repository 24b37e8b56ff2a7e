/* server/commands.c - does what signetctl asks for: one function for each row of commands.def.
 *
 * A function answers @r by control_reply, once: now, or when what it has started is done. What there is to tell goes
 * into r->report before; server/status.h has words for that. */
#include "server/commands.h"

#include <string.h>

#include "server/added_zones.h"
#include "server/command_table.h"
#include "server/daemon.h"
#include "server/errand.h"
#include "server/orders.h"
#include "server/status.h"

/* The name that argument @i of @r is. False: it is none, and @r has been answered. */
static bool name_of(struct control_request *r, size_t i, struct dname *out)
{
	struct errmsg em;
	const char *text = r->words[i];
	if (dname_from_text(out, text, strlen(text), dname_root, &em) != E_OK) {
		control_reply(r, CONTROL_MISUSE, "%s", em.text);
		return false;
	}
	return true;
}

/* The zone that argument @i of @r names; NULL: there is none, and @r has been answered. */
static struct load_zone *zone_of(struct daemon *d, struct control_request *r, size_t i)
{
	struct dname name;
	if (!name_of(r, i, &name)) {
		return NULL;
	}
	struct load_zone *z = daemon_zone(d, name.wire);
	if (z == NULL) {
		control_reply(r, CONTROL_FAILED, "there is no zone %s in the configuration",
			      r->words[i]);
	}
	return z;
}

static void tell_zone(const struct daemon *d, struct control_request *r, const struct load_zone *z)
{
	struct daemon_kept kept;
	struct refresh_status refresh;
	status_zone(r->report, z, daemon_look_kept(d, z, &kept) ? &kept : NULL);
	if (outbound_look(daemon_outbound(d), z->zone->apex, &refresh)) {
		status_refresh(r->report, &refresh);
	}
	const struct daemon_state s = daemon_look(d);
	if (z->config->catalog_role == CONFIG_CATALOG_CONSUMER && s.catalogs != NULL) {
		status_catalog(r->report, s.catalogs, z->zone->apex);
	}
}

static void command_status(struct daemon *d, struct control_request *r)
{
	if (r->count == 1) {
		const struct daemon_state s = daemon_look(d);
		status_server(r->report, &s);
	} else {
		const struct load_zone *z = zone_of(d, r, 1);
		if (z == NULL) {
			return;
		}
		tell_zone(d, r, z);
	}
	control_reply(r, CONTROL_DONE, "%s", "");
}

static void command_zones(struct daemon *d, struct control_request *r)
{
	const struct daemon_state s = daemon_look(d);
	status_zones(r->report, &s);
	control_reply(r, CONTROL_DONE, "%s", "");
}

static void command_retransfer(struct daemon *d, struct control_request *r)
{
	const struct load_zone *z = zone_of(d, r, 1);
	if (z == NULL) {
		return;
	}
	if (!config_zone_is_secondary(z->config)) {
		control_reply(r, CONTROL_FAILED, "%s has no primaries to transfer it from",
			      r->words[1]);
		return;
	}
	outbound_retransfer(daemon_outbound(d), z->zone->apex);
	control_reply(r, CONTROL_DONE,
		      "its primaries are asked; signetctl status says what comes of it");
}

static void command_notify(struct daemon *d, struct control_request *r)
{
	const struct load_zone *z = zone_of(d, r, 1);
	if (z != NULL) {
		outbound_changed(daemon_outbound(d), z->zone->apex);
		control_reply(r, CONTROL_DONE, "%s", "");
	}
}

static void command_stats(struct daemon *d, struct control_request *r)
{
	const struct daemon_state s = daemon_look(d);
	status_counts(r->report, &s);
	control_reply(r, CONTROL_DONE, "%s", "");
}

static void reload_all(struct daemon *d, struct control_request *r, enum daemon_reload how)
{
	struct errmsg em;
	size_t failed = 0;
	if (daemon_reload(d, how, &failed, &em) != E_OK) {
		control_reply(r, CONTROL_FAILED, "the configuration stays as it was: %s", em.text);
		return;
	}
	size_t count = daemon_look(d).zone_count;
	report_number(r->report, "zones", count);
	report_number(r->report, "failed", failed);
	if (failed != 0) {
		control_reply(r, CONTROL_FAILED,
			      "not all zones could be loaded; signetctl zones says which");
	} else {
		control_reply(r, CONTROL_DONE, "%s", "");
	}
}

static void command_reload(struct daemon *d, struct control_request *r)
{
	static const char *const messages[] = {
		[DAEMON_UNCHANGED] = "the zone file has not changed",
		[DAEMON_LOADED] = "",
		[DAEMON_BEGUN] =
			"the zone file is being read; signetctl status says what comes of it",
	};
	struct errmsg em;
	enum daemon_loaded loaded;
	if (r->count == 1) {
		reload_all(d, r, DAEMON_RELOAD);
		return;
	}
	struct load_zone *z = zone_of(d, r, 1);
	if (z == NULL) {
		return;
	}
	if (daemon_reload_zone(d, z, &loaded, &em) != E_OK) {
		control_reply(r, CONTROL_FAILED, "%s", em.text);
		return;
	}
	tell_zone(d, r, z);
	control_reply(r, CONTROL_DONE, "%s", messages[loaded]);
}

static void command_reconfig(struct daemon *d, struct control_request *r)
{
	reload_all(d, r, DAEMON_RECONFIG);
}

/* For the zone that is named, or for all. */
static void run_orders(struct daemon *d, struct control_request *r, order_fn *run)
{
	if (r->count == 1) {
		errand_all(d, r, run, run != order_flush);
		return;
	}
	const struct load_zone *z = zone_of(d, r, 1);
	if (z != NULL) {
		errand_one(d, r, z, run);
	}
}

static void command_sync(struct daemon *d, struct control_request *r)
{
	if (r->count == 3 && r->words[2][0] != '/') {
		control_reply(r, CONTROL_MISUSE,
			      "name FILE with its whole path: signetd is in another directory");
		return;
	}
	run_orders(d, r, order_sync);
}

static void command_freeze(struct daemon *d, struct control_request *r)
{
	run_orders(d, r, order_freeze);
}

static void command_thaw(struct daemon *d, struct control_request *r)
{
	run_orders(d, r, order_thaw);
}

static void approve_transfer(struct daemon *d, struct control_request *r, const struct load_zone *z)
{
	struct refresh_status s;
	if (!outbound_look(daemon_outbound(d), z->zone->apex, &s) || s.held == 0) {
		control_reply(r, CONTROL_FAILED, "nothing waits for approval");
		return;
	}
	outbound_approve(daemon_outbound(d), z->zone->apex);
	control_reply(r, CONTROL_DONE,
		      "its primaries are asked; signetctl status says what comes of it");
}

static void command_approve(struct daemon *d, struct control_request *r)
{
	struct errmsg em;
	struct load_zone *z = zone_of(d, r, 1);
	if (z != NULL && config_zone_is_secondary(z->config)) {
		approve_transfer(d, r, z);
	} else if (z != NULL && z->is_kept) {
		errand_one(d, r, z, order_approve);
	} else if (z != NULL && daemon_approve_zone(d, z, &em) != E_OK) {
		control_reply(r, CONTROL_FAILED, "%s", em.text);
	} else if (z != NULL) {
		tell_zone(d, r, z);
		control_reply(r, CONTROL_DONE, "%s", "");
	}
}

static void command_flush(struct daemon *d, struct control_request *r)
{
	run_orders(d, r, order_flush);
}

static void command_sign(struct daemon *d, struct control_request *r)
{
	run_orders(d, r, order_sign);
}

static void command_signing(struct daemon *d, struct control_request *r)
{
	if (strcmp(r->words[1], "-nsec3param") != 0) {
		control_reply(r, CONTROL_MISUSE, "signing: expected -nsec3param");
		return;
	}
	const struct load_zone *z = zone_of(d, r, r->count - 1);
	if (z != NULL) {
		errand_one(d, r, z, order_signing);
	}
}

static void command_journal(struct daemon *d, struct control_request *r)
{
	run_orders(d, r, order_journal);
}

static void command_diff(struct daemon *d, struct control_request *r)
{
	run_orders(d, r, order_diff);
}

static void command_rollback(struct daemon *d, struct control_request *r)
{
	run_orders(d, r, order_rollback);
}

/* The zones that were added are others than before; where the configuration cannot be taken they are as they were. */
static int take_added(struct daemon *d, const struct added_zones *a, struct errmsg *em)
{
	struct errmsg not_undone = { "" };
	size_t failed;
	int err = daemon_reload(d, DAEMON_RECONFIG, &failed, em);
	if (err != E_OK && added_zones_undo(a, &not_undone) != E_OK) {
		log_error("added-zones", "reason=\"%s\"", not_undone.text);
	}
	return err;
}

/* False: there is no place to remember zones, and @r has been answered. */
static bool find_added(struct daemon *d, struct control_request *r, struct added_zones *out)
{
	const struct daemon_state s = daemon_look(d);
	*out = (struct added_zones){ .config = s.path, .database = s.config->server.database };
	if (*out->database == '\0') {
		control_reply(r, CONTROL_FAILED,
			      "zones that are added are remembered in server.database; name a "
			      "directory there, and restart the server");
		return false;
	}
	return true;
}

static void command_addzone(struct daemon *d, struct control_request *r)
{
	struct added_zones a;
	struct dname name;
	struct errmsg em = { "" };
	if (!name_of(r, 1, &name) || !find_added(d, r, &a)) {
		return;
	}
	if (daemon_zone(d, name.wire) != NULL) {
		control_reply(r, CONTROL_FAILED, "the zone %s is served already", r->words[1]);
		return;
	}
	int err = added_zones_add(&a, name.wire, r->words[2], &r->words[3], r->count - 3, &em);
	const bool is_misuse = err == E_INVAL;
	if (err == E_OK) {
		err = take_added(d, &a, &em);
	}
	added_zones_clear(&a);
	if (err != E_OK) {
		control_reply(r, is_misuse ? CONTROL_MISUSE : CONTROL_FAILED, "%s", em.text);
		return;
	}
	const struct load_zone *z = daemon_zone(d, name.wire);
	tell_zone(d, r, z);
	if (!z->is_kept && zone_is_stale(z->zone)) {
		control_reply(r, CONTROL_FAILED,
			      "the zone is added, and has nothing to serve; mend its file and "
			      "reload it");
	} else {
		control_reply(r, CONTROL_DONE, "%s", "");
	}
}

static void command_delzone(struct daemon *d, struct control_request *r)
{
	struct added_zones a;
	struct dname name;
	struct errmsg em = { "" };
	const bool cleans = strcmp(r->words[1], "-clean") == 0;
	if (r->count != (cleans ? 3 : 2)) {
		control_reply(r, CONTROL_MISUSE, "expected: delzone [-clean] ZONE");
		return;
	}
	const struct load_zone *z = zone_of(d, r, r->count - 1);
	if (z == NULL || !find_added(d, r, &a)) {
		return;
	}
	dname_set(&name, z->zone->apex); /* which goes */
	if (z->config->member_of != NULL) {
		char catalog[DNAME_TEXT_MAX];
		(void)dname_to_text(z->config->member_of, catalog);
		control_reply(r, CONTROL_FAILED,
			      "the zone is a member of the catalog %s; take it out of that, at its "
			      "primary",
			      catalog);
		return;
	}
	int err = added_zones_remove(&a, name.wire, &em);
	if (err == E_OK) {
		err = take_added(d, &a, &em);
	}
	added_zones_clear(&a);
	if (err == E_OK && cleans) {
		err = daemon_forget_zone(d, name.wire, &em);
	}
	control_reply(r, err == E_OK ? CONTROL_DONE : CONTROL_FAILED, "%s", em.text);
}

static void command_stop(struct daemon *d, struct control_request *r)
{
	log_notice("server-stopping", "uid=%u", r->uid);
	daemon_stop(d, r);
}

/* In the order of command_table. */
static void (*const functions[])(struct daemon *d, struct control_request *r) = {
#define COMMAND(name, arguments, min, max, changes, help) command_##name,
#include "server/commands.def"
#undef COMMAND
};

void commands_run(void *daemon, struct control_request *r)
{
	struct errmsg em;
	char quoted[DNAME_TEXT_MAX];
	const struct command *c = command_find(r->words, r->count, &em);
	if (c == NULL) {
		control_reply(r, CONTROL_MISUSE, "%s", em.text);
		return;
	}
	log_event(c->changes ? LOG_LEVEL_NOTICE : LOG_LEVEL_DEBUG, "command",
		  "name=%s argument=%s uid=%u", c->name,
		  log_quote(r->count > 1 ? r->words[1] : "", quoted, sizeof(quoted)), r->uid);
	functions[c - command_table](daemon, r);
}

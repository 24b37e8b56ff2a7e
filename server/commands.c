/* server/commands.c - does what signetctl asks for: one function for each row of commands.def.
 *
 * A function answers @r by control_reply, once: now, or when what it has started is done. What there is to tell goes
 * into r->report before; server/status.h has words for that. */
#include "server/commands.h"

#include <string.h>

#include "server/command_table.h"
#include "server/daemon.h"
#include "server/errand.h"
#include "server/orders.h"
#include "server/status.h"

/* The zone that argument @i of @r names; NULL: there is none, and @r has been answered. */
static struct load_zone *zone_of(struct daemon *d, struct control_request *r, size_t i)
{
	static const uint8_t root[] = { 0 };
	struct dname name;
	struct errmsg em;
	const char *text = r->words[i];
	if (dname_from_text(&name, text, strlen(text), root, &em) != E_OK) {
		control_reply(r, CONTROL_MISUSE, "%s", em.text);
		return NULL;
	}
	struct load_zone *z = daemon_zone(d, name.wire);
	if (z == NULL) {
		control_reply(r, CONTROL_FAILED, "there is no zone %s in the configuration", text);
	}
	return z;
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
		status_zone(r->report, z);
	}
	control_reply(r, CONTROL_DONE, "%s", "");
}

static void command_zones(struct daemon *d, struct control_request *r)
{
	const struct daemon_state s = daemon_look(d);
	status_zones(r->report, &s);
	control_reply(r, CONTROL_DONE, "%s", "");
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
	status_zone(r->report, z);
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
		errand_all(d, r, run);
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

static void command_approve(struct daemon *d, struct control_request *r)
{
	struct errmsg em;
	struct load_zone *z = zone_of(d, r, 1);
	if (z != NULL && z->is_kept) {
		errand_one(d, r, z, order_approve);
	} else if (z != NULL && daemon_approve_zone(d, z, &em) != E_OK) {
		control_reply(r, CONTROL_FAILED, "%s", em.text);
	} else if (z != NULL) {
		status_zone(r->report, z);
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

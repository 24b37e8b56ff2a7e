/* server/daemon.c - start, reload, stop.
 *
 * A reload builds what is to be served next beside what is served now, publishes it by one pointer
 * store, waits until every worker has let go of the old, and frees that. Zones whose file has not
 * changed keep their struct zone and version. */
#include "server/daemon.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keys/keyfile.h"
#include "server/clock.h"
#include "server/commands.h"
#include "server/jobs.h"
#include "server/listen.h"
#include "server/load.h"
#include "server/loop.h"
#include "server/outbound.h"
#include "server/pid_file.h"
#include "server/privileges.h"
#include "server/tls_load.h"
#include "server/unsign.h"
#include "server/update.h"
#include "server/watch.h"
#include "server/worker.h"
#include "zones/base/epoch.h"
#include "zones/base/file.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/base/parallel.h"
#include "zones/base/program.h"
#include "zones/base/time.h"

/* Connections have so long to take their answers at the end. */
#define GRACE_S 5
/* A zone file that has changed is left alone for so long before it is loaded. */
#define QUIET_MS 1000
/* So long may a client of the control socket take to ask, or to take a part of its answer. */
#define CONTROL_PATIENCE_MS 10000

struct daemon {
	const char *path;
	struct config *config;
	struct loop *loop; /* of the control thread: this one */
	struct vault *vault;
	struct jobs *jobs;   /* NULL: there is no database, so no zone is changed */
	struct watch *watch; /* NULL: no file was ever to be watched */
	struct outbound *outbound;
	struct catalogs *catalogs;	 /* NULL: there is no database */
	struct event *look;		 /* at the catalogs; NULL: nothing has come yet */
	int64_t look_at_ms;		 /* not before */
	struct control *control;	 /* NULL: there is none */
	struct control_request *stopper; /* who asked to stop, and waits for that; NULL: nobody */
	int64_t started_at;
	int64_t configured_at;
	struct errmsg not_reload; /* why the last reload did not change anything; empty: it did */
	struct zoneset *zones;
	struct load_zone *loaded; /* one for each zone of the configuration, in its order */
	size_t count;
	struct serving *serving; /* published */
	struct tls_server *tls;	 /* NULL: no TLS */
	struct xfr_desk *desk;
	uint64_t generation;	      /* of the configuration */
	struct cookie_secrets random; /* made once, so that a reload keeps cookies good */
	struct worker **workers;
	unsigned worker_count;
	struct worker_sockets *sockets; /* one set for each worker, until it starts */
};

/* --- sockets --------------------------------------------------------------------------------- */

/* Nobody asked for :: on a machine without IPv6 by leaving server.listen as it is. */
static bool is_skipped(const struct config_addresses *listen, const struct address *a)
{
	return listen->is_default && a->any.sa_family == AF_INET6 && !listen_has_ipv6();
}

static int open_tls_sockets(const struct config_addresses *listen, struct worker_sockets *s,
			    struct errmsg *em)
{
	int err = E_OK;
	s->tls = mem_array(listen->count, sizeof(int));
	for (size_t i = 0; i < listen->count && err == E_OK; i++) {
		char text[ADDRESS_TEXT_MAX];
		address_to_text(&listen->list[i], text);
		const struct listen_address la = { &listen->list[i].any, listen->list[i].len,
						   text };
		s->tls[i] = -1;
		s->tls_count = i + 1;
		err = listen_tcp(&la, &s->tls[i], em);
	}
	return err;
}

static int open_sockets(struct daemon *d, struct worker_sockets *s, struct errmsg *em)
{
	const struct config_server *c = &d->config->server;
	s->udp = mem_array(c->listen.count, sizeof(int));
	s->tcp = mem_array(c->listen.count, sizeof(int));
	for (size_t i = 0; i < c->listen.count; i++) {
		char text[ADDRESS_TEXT_MAX];
		const struct address *a = &c->listen.list[i];
		if (is_skipped(&c->listen, a)) {
			continue;
		}
		address_to_text(a, text);
		const struct listen_address la = { &a->any, a->len, text };
		size_t n = s->count++;
		s->udp[n] = s->tcp[n] = -1;
		int err = listen_udp(&la, (int)c->udp_buffer, &s->udp[n], em);
		if (err == E_OK) {
			err = listen_tcp(&la, &s->tcp[n], em);
		}
		if (err != E_OK) {
			return err;
		}
	}
	return open_tls_sockets(&c->listen_tls, s, em);
}

/* SO_REUSEPORT would let a second server of the same user share the port without a word. */
static int check_port(const struct address *a, int type, const char *option, struct errmsg *em)
{
	char text[ADDRESS_TEXT_MAX];
	int one = 1;
	int fd = socket(a->any.sa_family, type | SOCK_CLOEXEC, 0);
	if (fd >= 0 && a->any.sa_family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	}
	if (fd >= 0 && type == SOCK_STREAM) { /* old connections are no server */
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	}
	bool taken = fd >= 0 && bind(fd, &a->any, a->len) != 0 && errno == EADDRINUSE;
	if (fd >= 0) {
		(void)close(fd);
	}
	if (!taken) {
		return E_OK;
	}
	address_to_text(a, text);
	return err_set(em, E_EXIST,
		       "%s: another server has this port; stop it, or choose another in %s", text,
		       option);
}

/* Says also what is not listened on. */
static int check_free(const struct config_server *c, struct errmsg *em)
{
	int err = E_OK;
	for (size_t i = 0; i < c->listen.count && err == E_OK; i++) {
		const struct address *a = &c->listen.list[i];
		if (is_skipped(&c->listen, a)) {
			char text[ADDRESS_TEXT_MAX];
			address_to_text(a, text);
			log_warn("listen-skipped", "address=%s reason=\"this machine has no IPv6\"",
				 text);
		} else {
			err = check_port(a, SOCK_DGRAM, "server.listen", em);
		}
	}
	for (size_t i = 0; i < c->listen_tls.count && err == E_OK; i++) {
		err = check_port(&c->listen_tls.list[i], SOCK_STREAM, "server.listen-tls", em);
	}
	return err;
}

/* Beside connections: zone files, the log, what libraries open. */
#define FILES_OTHER 64
/* Of each worker, beside its sockets: epoll, eventfd, timers. */
#define FILES_WORKER 6
/* Connections of an aide beside those that have a transfer. */
#define AIDE_CLIENTS 64

static void allow_files(const struct daemon *d)
{
	const struct config_server *c = &d->config->server;
	size_t wanted = FILES_OTHER + c->tcp_clients + c->transfers_out +
			d->worker_count * (2 * FILES_WORKER + AIDE_CLIENTS + 2 * c->listen.count +
					   c->listen_tls.count);
	size_t allowed = listen_allow_files(wanted);
	if (allowed < wanted) {
		log_warn(
			"open-files",
			"wanted=%zu allowed=%zu remedy=\"raise the limit on open files (ulimit -n, "
			"LimitNOFILE=), or lower server.tcp-clients\"",
			wanted, allowed);
	}
}

static int bind_all(struct daemon *d, struct errmsg *em)
{
	int err = check_free(&d->config->server, em);
	d->worker_count = parallel_threads(d->config->server.workers);
	allow_files(d);
	d->sockets = mem_array(d->worker_count, sizeof(*d->sockets));
	for (unsigned i = 0; i < d->worker_count && err == E_OK; i++) {
		err = open_sockets(d, &d->sockets[i], em);
	}
	return err;
}

/* --- what is served -------------------------------------------------------------------------- */

static struct query_string text_of(const char *s)
{
	return (struct query_string){ s, (uint8_t)strlen(s) };
}

static void fill_query_config(struct query_config *q, const struct config_server *c)
{
	q->udp_size = (uint16_t)c->udp_size;
	q->full = c->minimal_responses == CONFIG_NO;
	q->rotate = c->rotate_rrsets == CONFIG_YES;
	q->identity = text_of(c->identity);
	q->version = text_of(c->version);
	q->nsid = text_of(c->nsid);
	q->report_channel = c->report_channel;
	q->rrl = (struct rrl_config){ .rate = c->rrl.rate,
				      .window_s = c->rrl.window_s,
				      .slip = c->rrl.slip,
				      .prefix_v4 = (uint8_t)c->rrl.prefix_v4,
				      .prefix_v6 = (uint8_t)c->rrl.prefix_v6,
				      .exempt = c->rrl.exempt.list,
				      .exempt_count = c->rrl.exempt.count };
}

/* Is it for other servers, or from them? */
static bool is_outbound(const struct config *c, const struct request *r)
{
	struct reader reader = reader_of(r->message, r->len);
	struct message_header h = { 0 };
	(void)!message_read_header(&reader, &h);
	if (message_opcode(h.flags) == OPCODE_NOTIFY) {
		return true;
	}
	const uint8_t *name = update_zone(r);
	const struct config_zone *zone = name != NULL ? config_find_zone(c, name) : NULL;
	return zone != NULL && zone->forwarders != NULL;
}

/* Any thread, inside an epoch. */
static void take_request(void *arg, struct request *r)
{
	const struct daemon *d = arg;
	const struct serving *s = epoch_read(&d->serving);
	if (is_outbound(s->aide.config, r)) {
		outbound_submit(d->outbound, r);
	} else {
		jobs_submit(d->jobs, r);
	}
}

/* A worker's part of what all may have; at least 1. */
static uint32_t share_of(const struct daemon *d, uint32_t all)
{
	uint32_t share = all / d->worker_count;
	return share != 0 ? share : 1;
}

static struct serving *serving_of(const struct daemon *d, const struct cookie_secrets *secrets)
{
	const struct config_server *c = &d->config->server;
	struct serving *s = mem_zalloc(sizeof(*s));
	assert(d->worker_count != 0);
	s->secrets = *secrets;
	s->zones = d->zones;
	fill_query_config(&s->query, c);
	s->query.cookies = c->cookies == CONFIG_YES ? &s->secrets : NULL;
	s->tcp_clients = share_of(d, c->tcp_clients);
	s->tcp_clients_per_address = share_of(d, c->tcp_clients_per_address);
	s->aide_clients = c->transfers_out + AIDE_CLIENTS;
	s->aide_clients_per_address = c->transfers_out_per_address + AIDE_CLIENTS;
	s->tcp_idle_s = c->tcp_idle_timeout_s;
	s->tcp_output = c->tcp_output;
	s->tls_handshakes = c->tls_handshakes != 0 ? share_of(d, c->tls_handshakes) : 0;
	s->tls = d->tls;
	s->rrl_entries = c->rrl.table_size;
	s->take = take_request;
	s->take_arg = (void *)(uintptr_t)d;
	s->taken = 1U << OPCODE_NOTIFY | (d->jobs != NULL ? 1U << OPCODE_UPDATE : 0);
	s->aide =
		(struct aide_serving){ .config = d->config,
				       .generation = d->generation,
				       .journal = d->vault != NULL ? vault_journal(d->vault) : NULL,
				       .desk = d->desk };
	return s;
}

static void serving_free(struct serving *s)
{
	if (s != NULL) {
		cookie_secrets_clear(&s->secrets);
		mem_free(s);
	}
}

/* The secrets that @c asks for. */
static int get_secrets(struct daemon *d, const struct config_server *c, struct cookie_secrets *out,
		       struct errmsg *em)
{
	if (*c->cookie_secret != '\0') {
		return cookie_secrets_read(out, c->cookie_secret, em);
	}
	if (d->random.count == 0 && cookie_secrets_random(&d->random) != E_OK) {
		return err_set(em, E_CRYPTO,
			       "there are no random octets for the secret of cookies");
	}
	*out = d->random;
	return E_OK;
}

/* --- TLS ------------------------------------------------------------------------------------- */

/* Certificate and key as they are now; *out is NULL where there is no TLS. */
static int get_tls(const struct config_server *c, struct tls_server **out)
{
	char subject[sizeof(((struct tls_certificate *)NULL)->subject) + 64];
	char after[TIME_TEXT14_LEN + 1];
	struct findings findings = { 0 };
	int err = tls_load(c, clock_now(), out, &findings);
	findings_log(&findings, "tls-finding", NULL);
	findings_clear(&findings);
	if (err == E_OK && *out != NULL) {
		const struct tls_certificate *cert = tls_server_certificate(*out);
		time_to_text14(cert->after, after);
		log_notice("tls-loaded", "subject=%s not-after=%s",
			   log_quote(cert->subject, subject, sizeof(subject)), after);
	}
	return err;
}

/* For the next reload; root may have read them for the first time. */
static void check_tls_readable(const struct config_server *c)
{
	const char *const paths[] = { c->tls_certificate, c->tls_key, c->tls_client_ca };
	char text[700];
	for (size_t i = 0; i < ARRAY_LEN(paths) && c->listen_tls.count != 0; i++) {
		if (*paths[i] != '\0' && access(paths[i], R_OK) != 0) {
			log_warn("tls-unreadable",
				 "path=%s remedy=\"let server.user read it, by its group or an "
				 "ACL; a reload cannot take a new one\"",
				 log_quote(paths[i], text, sizeof(text)));
		}
	}
}

/* --- zones ----------------------------------------------------------------------------------- */

static int by_zone(const void *a, const void *b)
{
	const struct zone *x = ((const struct load_zone *)a)->zone;
	const struct zone *y = ((const struct load_zone *)b)->zone;
	return x < y ? -1 : x > y;
}

/* Is a member what it was, or is it, by its catalog, another zone of the same name? */
static bool goes_on(const struct config_zone *before, const struct config_zone *now)
{
	return before->member_id == 0 || now->member_id == 0 || before->member_id == now->member_id;
}

/* The zones of @config: those that are served already go on, others are new. The zones of @d are sorted; there
 * are none at the start. */
static void list_zones(const struct daemon *d, const struct config *config, enum daemon_reload how,
		       struct load_zone *out)
{
	for (size_t i = 0; i < config->zone_count; i++) {
		struct load_zone *z = &out[i];
		const struct config_zone *c = &config->zones[i];
		z->config = c;
		z->is_kept = config_zone_is_kept(c);
		z->zone = d->loaded != NULL ? zoneset_get(d->zones, c->name) : NULL;
		const struct load_zone probe = { .zone = z->zone };
		const struct load_zone *before =
			z->zone != NULL
				? bsearch(&probe, d->loaded, d->count, sizeof(*d->loaded), by_zone)
				: NULL;
		if (before == NULL || !goes_on(before->config, c)) {
			z->zone = zone_new(c->name);
			z->wanted = !z->is_kept;
			continue;
		}
		if (before->config->policy != NULL && !z->is_kept) {
			unsign_warn(c->name); /* else its keeper does */
		}
		z->stamp = before->stamp;
		z->held = before->held;
		z->loaded_at = before->loaded_at;
		z->reason = before->reason != NULL ? mem_str(before->reason, strlen(before->reason))
						   : NULL;
		z->wanted =
			!z->is_kept &&
			(before->is_kept || strcmp(before->config->file, c->file) != 0 ||
			 (how == DAEMON_RELOAD && (load_is_changed(z) || zone_is_stale(z->zone))));
	}
}

static void loaded_free(struct load_zone *loaded, size_t count)
{
	for (size_t i = 0; loaded != NULL && i < count; i++) {
		mem_free(loaded[i].reason);
	}
	mem_free(loaded);
}

static void open_log(const struct config *c)
{
	log_open(c->log.target, c->log.level, c->log.format == CONFIG_LOG_JSON, "signetd");
}

/* --- files that change ----------------------------------------------------------------------- */

static bool is_watched(const struct config *c, const struct config_zone *z)
{
	return c->server.watch == CONFIG_YES || z->watch == CONFIG_YES;
}

static void on_file(void *arg, const char *path)
{
	struct daemon *d = arg;
	char quoted[700];
	log_info("file-changed", "path=%s", log_quote(path, quoted, sizeof(quoted)));
	for (size_t i = 0; i < d->count; i++) {
		struct load_zone *z = &d->loaded[i];
		enum daemon_loaded loaded;
		if (is_watched(d->config, z->config) && strcmp(z->config->file, path) == 0) {
			(void)!daemon_reload_zone(d, z, &loaded, NULL); /* the log has it */
		}
	}
}

/* Before the files are read, so that no change is missed. */
static void watch_files(struct daemon *d, const struct config *c)
{
	const char **paths = mem_array(c->zone_count, sizeof(*paths));
	struct errmsg em = { "" };
	char quoted[700];
	size_t count = 0;
	for (size_t i = 0; i < c->zone_count; i++) {
		if (is_watched(c, &c->zones[i])) {
			paths[count++] = c->zones[i].file;
		}
	}
	if (count != 0 && d->watch == NULL &&
	    watch_new(d->loop, QUIET_MS, on_file, d, &d->watch, &em) != E_OK) {
		log_error("watch-failed", "reason=%s", log_quote(em.text, quoted, sizeof(quoted)));
	}
	if (d->watch != NULL) {
		watch_set(d->watch, paths, count);
	}
	mem_free(paths);
}

/* The keepers of zones read what is new in their files; the other zones were read here. Those of zones that are new do so
 * unasked. */
static void load_kept(struct daemon *d, enum daemon_reload how, bool is_start)
{
	for (size_t i = 0; i < d->count; i++) {
		const bool may_differ =
			how != DAEMON_MEMBERS ||
			d->loaded[i].config->catalog_role == CONFIG_CATALOG_PRODUCER;
		if (d->loaded[i].is_kept && may_differ) {
			jobs_load(d->jobs, d->loaded[i].zone);
		}
	}
	jobs_resume(d->jobs);
	if (is_start) {
		jobs_wait(d->jobs);
	}
}

/* For nsupdate -l: who can read the file may do what the rules let the key do. */
static void write_session_key(const struct config *c)
{
	const char *path = c->server.session_key;
	struct buf text = { 0 };
	struct errmsg em = { "" };
	char quoted[700];
	if (c->session_key == NULL) {
		return;
	}
	tsig_key_print(c->session_key, &text);
	if (file_write(path, 0600, text.data, text.len, &em) != E_OK) {
		log_error("session-key-unwritten", "reason=%s",
			  log_quote(em.text, quoted, sizeof(quoted)));
	}
	mem_wipe(text.data, text.cap);
	buf_clear(&text);
}

/* Keys are state of a zone, too, and begin anew with it (RFC 9432 §5.4). But who takes a zone out of a catalog by mistake has
 * them in the parent still. */
static void put_keys_aside(const struct daemon *d, const uint8_t *const *zones, size_t count)
{
	const char *database = d->config->server.database;
	char time[TIME_TEXT14_LEN + 1];
	struct errmsg em = { "" };
	char quoted[700];
	struct buf dir = { 0 };
	struct buf to = { 0 };
	size_t moved = 0;
	time_to_text14(clock_now(), time);
	buf_printf(&dir, "%s/keys", database);
	buf_printf(&to, "%s/keys/removed-%s", database, time);
	const struct keyfile_aside a = {
		.dir = dir.data, .to = to.data, .zones = zones, .count = count
	};
	int err = keyfile_put_aside(&a, &moved, &em);
	if (moved != 0) {
		log_warn("members-keys-removed",
			 "files=%zu to=%s remedy=\"have the parents remove the DS records; to undo "
			 "it, move the files back, and signetctl sign\"",
			 moved, log_quote(to.data, quoted, sizeof(quoted)));
	}
	if (err != E_OK) {
		log_error("members-keys-kept", "reason=%s",
			  log_quote(em.text, quoted, sizeof(quoted)));
	}
	buf_clear(&dir);
	buf_clear(&to);
}

/* Of members that are gone nothing is kept. While no job runs. */
static void forget_members(struct daemon *d)
{
	struct errmsg em = { "" };
	char quoted[700];
	size_t count = 0;
	const uint8_t *const *names =
		d->catalogs != NULL ? catalogs_forgotten(d->catalogs, &count) : NULL;
	if (count == 0) {
		return;
	}
	if (vault_forget(d->vault, names, count, &em) != E_OK) {
		log_error("members-kept", "zones=%zu reason=%s", count,
			  log_quote(em.text, quoted, sizeof(quoted)));
	}
	put_keys_aside(d, names, count);
}

static void remember_members(struct daemon *d)
{
	struct errmsg em = { "" };
	char quoted[700];
	if (catalogs_keep(d->catalogs, &em) != E_OK) {
		log_error("members-unwritten", "reason=%s remedy=\"see to the disk, and reconfig\"",
			  log_quote(em.text, quoted, sizeof(quoted)));
	}
}

/* What a reload brings, beside zones. */
struct next {
	struct config *config; /* that was read; DAEMON_MEMBERS: what there was */
	struct cookie_secrets secrets;
	struct tls_server *tls; /* NULL: what there was */
	enum daemon_reload how;
};

/* What was read, of which the configuration is with its members. */
static struct config *base_of(const struct daemon *d)
{
	return d->config->base != NULL ? d->config->base : d->config;
}

/* Loads what @n asks for (taken, but for the secrets), and makes it what is served. Returns how many zones
 * failed. */
static size_t serve_next(struct daemon *d, const struct next *n)
{
	struct config *next = n->config;
	if (d->catalogs != NULL) {
		next = catalogs_config(d->catalogs, n->config);
		if (n->how != DAEMON_MEMBERS) {
			config_free(n->config); /* it is in that one */
		}
	}
	struct load_zone *loaded = mem_array(next->zone_count, sizeof(*loaded));
	struct zoneset *zones = zoneset_new();
	struct version **old_versions = mem_array(next->zone_count, sizeof(struct version *));
	if (d->loaded != NULL) {
		qsort(d->loaded, d->count, sizeof(*d->loaded), by_zone);
	}
	const bool is_start = d->zones == NULL;
	if (n->how != DAEMON_MEMBERS) {
		watch_files(d, next);
	}
	list_zones(d, next, n->how, loaded);
	size_t failed = load_zones(loaded, next->zone_count);
	if (d->jobs != NULL) {
		jobs_pause(d->jobs);
	}
	for (size_t i = 0; i < next->zone_count; i++) {
		if (loaded[i].fresh != NULL) {
			old_versions[i] = zone_publish(loaded[i].zone, loaded[i].fresh);
		}
		int twice = zoneset_add(zones, loaded[i].zone);
		assert(twice == E_OK); /* config_load has refused it */
		(void)twice;
	}
	struct daemon old = *d;
	d->config = next;
	d->zones = zones;
	d->loaded = loaded;
	d->count = next->zone_count;
	d->configured_at = clock_now();
	d->generation++;
	d->tls = n->tls != NULL ? n->tls : old.tls;
	struct serving *serving = serving_of(d, &n->secrets);
	struct serving *before = d->serving;
	epoch_publish(&d->serving, serving);
	epoch_wait();
	if (d->jobs != NULL) {
		jobs_set(d->jobs, next, zones);
	}
	if (outbound_set(d->outbound, next, zones) != E_OK) {
		log_error("outbound-stopped", "reason=\"TSIG keys cannot be prepared\"");
	}
	forget_members(d);
	if (n->how != DAEMON_MEMBERS) {
		write_session_key(next);
	}
	for (size_t i = 0; i < d->count; i++) {
		version_unref(old_versions[i]);
	}
	for (size_t i = 0; i < old.count && old.loaded != NULL; i++) {
		struct zone *z = old.loaded[i].zone;
		if (zoneset_get(zones, z->apex) != z) {
			zone_free(z);
		}
	}
	mem_free(old_versions);
	serving_free(before);
	if (old.tls != d->tls) {
		tls_server_free(old.tls);
	}
	loaded_free(old.loaded, old.count);
	zoneset_free(old.zones);
	if (!is_start) {
		config_free(old.config);
	}
	if (d->jobs != NULL) {
		load_kept(d, n->how, is_start);
	}
	for (size_t i = 0; i < d->count; i++) {
		failed += loaded[i].is_kept && zone_is_stale(loaded[i].zone);
		if (loaded[i].fresh != NULL && !is_start) {
			outbound_changed(d->outbound, loaded[i].zone->apex);
		}
		loaded[i].fresh = NULL;
	}
	if (is_start) {
		outbound_tell_all(d->outbound);
	}
	mem_trim();
	log_notice("zones-ready", "zones=%zu failed=%zu", d->count, failed);
	return failed;
}

/* --- catalogs -------------------------------------------------------------------------------- */

/* A look costs what there are zones: it takes at most a quarter of the time. */
#define LOOK_PART 4

/* Serves what the catalogs list now, where that is not what they did. */
static void look_at_catalogs(struct daemon *d)
{
	const int64_t start = clock_ms();
	if (d->catalogs == NULL || !catalogs_look(d->catalogs, base_of(d), d->zones)) {
		return;
	}
	struct next n = { .config = base_of(d),
			  .secrets = d->serving->secrets,
			  .how = DAEMON_MEMBERS };
	(void)serve_next(d, &n);
	cookie_secrets_clear(&n.secrets);
	remember_members(d);
	const int64_t end = clock_ms();
	d->look_at_ms = end + (LOOK_PART - 1) * (end - start);
}

static void on_look(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	look_at_catalogs(arg);
}

/* A catalog has changed. */
static void on_catalog(void *arg)
{
	struct daemon *d = arg;
	const int64_t wait_ms = d->look_at_ms - clock_ms();
	const struct timeval in = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
	if (d->look == NULL) {
		d->look = evtimer_new(loop_base(d->loop), on_look, d);
	}
	if (d->look == NULL || wait_ms <= 0) {
		look_at_catalogs(d);
	} else if (!evtimer_pending(d->look, NULL)) {
		(void)evtimer_add(d->look, &in);
	}
}

/* As serve_next, and then what the catalogs list that came with it. */
static size_t serve(struct daemon *d, const struct next *n)
{
	const bool changed = d->catalogs != NULL && catalogs_look(d->catalogs, n->config, d->zones);
	const size_t failed = serve_next(d, n);
	if (changed) {
		remember_members(d);
	}
	look_at_catalogs(d);
	return failed;
}

/* Logs, and says the first error to @em. */
static void tell_findings(struct findings *f, struct errmsg *em)
{
	const char *why = findings_first_error(f, NULL);
	findings_log(f, "config-finding", NULL);
	if (why != NULL && em->text[0] == '\0') {
		(void)err_set(em, E_CHECK, "%s%s", why,
			      f->errors > 1 ? " (and more, see the log)" : "");
	}
	findings_clear(f);
}

/* What @how is to bring; only what can be used altogether. */
static int read_next(struct daemon *d, struct next *n, struct errmsg *em)
{
	struct findings findings = { 0 };
	struct errmsg why = { "" };
	int err = config_load(d->path, &n->config, &findings);
	if (err == E_OK && get_secrets(d, &n->config->server, &n->secrets, &why) != E_OK) {
		findings_add(&findings, true, "server.cookie-secret: %s", why.text);
		config_free(n->config);
		err = E_CHECK;
	}
	tell_findings(&findings, em);
	if (err != E_OK) {
		return err;
	}
	config_compare(d->config, n->config, &findings);
	tell_findings(&findings, em);
	open_log(n->config);
	if (d->tls != NULL && get_tls(&n->config->server, &n->tls) != E_OK) {
		log_error("tls-kept",
			  "remedy=\"mend certificate and key and reload; the old ones stay\"");
	}
	return E_OK;
}

int daemon_reload(struct daemon *d, enum daemon_reload how, size_t *failed, struct errmsg *em)
{
	struct next next = { .how = how };
	int64_t start = clock_ms();
	log_notice("reload-started", "config=%s", d->path);
	d->not_reload.text[0] = '\0';
	int err = read_next(d, &next, &d->not_reload);
	if (err != E_OK) {
		log_error("reload-failed",
			  "remedy=\"mend the configuration and reload; the old one stays\"");
		return err_set(em, E_CHECK, "%s", d->not_reload.text);
	}
	*failed = serve(d, &next);
	cookie_secrets_clear(&next.secrets);
	log_notice("reload-done", "ms=%lld", (long long)(clock_ms() - start));
	return E_OK;
}

struct load_zone *daemon_zone(struct daemon *d, const uint8_t *apex)
{
	const struct zone *z = zoneset_get(d->zones, apex);
	size_t i = 0;
	while (i < d->count && d->loaded[i].zone != z) {
		i++;
	}
	return i < d->count ? &d->loaded[i] : NULL;
}

/* Loads a zone that has no keeper, if it is wanted. */
static int load_now(struct load_zone *z, struct errmsg *em)
{
	if (load_zones(z, 1) != 0) {
		return err_set(em, E_CHECK, "%s", z->reason);
	}
	if (z->fresh != NULL) {
		struct version *old = zone_publish(z->zone, z->fresh);
		z->fresh = NULL;
		epoch_wait();
		version_unref(old);
		mem_trim();
	}
	return E_OK;
}

/* The same, and what it lists, if it is a catalog. */
static int load_and_look(struct daemon *d, struct load_zone *z, struct errmsg *em)
{
	const bool is_catalog = z->config->catalog_role == CONFIG_CATALOG_CONSUMER;
	int err = load_now(z, em);
	if (err == E_OK && is_catalog) {
		loop_post(d->loop, on_catalog, d); /* who has asked looks at @z again */
	}
	return err;
}

int daemon_reload_zone(struct daemon *d, struct load_zone *z, enum daemon_loaded *out,
		       struct errmsg *em)
{
	if (z->is_kept && d->jobs == NULL) {
		return err_set(em, E_CHECK,
			       "the zone needs server.database, which is new: restart the server");
	}
	if (z->is_kept) {
		jobs_load(d->jobs, z->zone);
		*out = DAEMON_BEGUN;
		return E_OK;
	}
	z->wanted = load_is_changed(z);
	*out = z->wanted ? DAEMON_LOADED : DAEMON_UNCHANGED;
	return load_and_look(d, z, em);
}

int daemon_forget_zone(struct daemon *d, const uint8_t *apex, struct errmsg *em)
{
	if (daemon_zone(d, apex) != NULL) {
		return err_set(em, E_EXIST,
			       "the zone is served now as a member of a catalog, so that what the "
			       "database has of it stays");
	}
	return d->vault != NULL ? vault_forget(d->vault, &apex, 1, em) : E_OK;
}

int daemon_approve_zone(struct daemon *d, struct load_zone *z, struct errmsg *em)
{
	if (!zone_is_held(z->zone)) {
		return err_set(em, E_NOENT, "nothing waits for approval");
	}
	z->approved = z->held;
	z->wanted = true;
	return load_and_look(d, z, em);
}

int daemon_order(struct daemon *d, const struct load_zone *z, struct order *o, struct errmsg *em)
{
	if (!z->is_kept) {
		return err_set(em, E_NOENT,
			       "the zone is served as it is in its file; this is for zones that "
			       "the server signs or that take updates");
	}
	if (d->jobs == NULL) {
		return err_set(em, E_NOENT,
			       "the zone needs server.database, which is new: restart the server");
	}
	jobs_order(d->jobs, z->zone, o);
	return E_OK;
}

bool daemon_look_kept(const struct daemon *d, const struct load_zone *z, struct daemon_kept *out)
{
	if (d->jobs == NULL || !jobs_look(d->jobs, z->zone, &out->notes)) {
		return false;
	}
	out->has_journal = vault_look(d->vault, z->zone->apex, &out->journal) == E_OK;
	return true;
}

struct loop *daemon_loop(const struct daemon *d)
{
	return d->loop;
}

struct outbound *daemon_outbound(const struct daemon *d)
{
	return d->outbound;
}

struct daemon_state daemon_look(const struct daemon *d)
{
	return (struct daemon_state){ .path = d->path,
				      .config = d->config,
				      .zones = d->loaded,
				      .zone_count = d->count,
				      .workers = d->worker_count,
				      .started_at = d->started_at,
				      .configured_at = d->configured_at,
				      .not_reload = d->not_reload.text,
				      .catalogs = d->catalogs };
}

/* --- life ------------------------------------------------------------------------------------ */

static int start_jobs(struct daemon *d, struct errmsg *em)
{
	if (*d->config->server.database == '\0') {
		return E_OK;
	}
	int err = vault_open(d->config->server.database, d->config->server.journal_size, &d->vault,
			     em);
	if (err == E_OK) {
		d->catalogs = catalogs_new(d->config->server.database);
		err = jobs_new(d->config->server.jobs, d->vault, &d->jobs, em);
	}
	return err;
}

/* In a job, so that the configuration stays. */
static void tell_change(void *arg, const uint8_t *zone)
{
	struct daemon *d = arg;
	const struct config_zone *c = config_find_zone(d->config, zone);
	outbound_changed(d->outbound, zone);
	if (c != NULL && c->catalog_role == CONFIG_CATALOG_CONSUMER) {
		loop_post(d->loop, on_catalog, d);
	}
}

static int start_outbound(struct daemon *d, struct errmsg *em)
{
	int err = outbound_new(d->jobs, &d->outbound, em);
	if (err == E_OK && d->jobs != NULL) {
		jobs_tell(d->jobs, tell_change, d);
	}
	return err;
}

static int start_workers(struct daemon *d, struct errmsg *em)
{
	unsigned started = 0;
	int err = E_OK;
	d->workers = mem_array(d->worker_count, sizeof(struct worker *));
	while (started < d->worker_count && err == E_OK) {
		err = worker_start(&d->sockets[started], &d->serving, &d->workers[started], em);
		started += err == E_OK;
	}
	d->worker_count = started; /* those that have to be stopped */
	return err;
}

static void stop_workers(struct daemon *d)
{
	for (unsigned i = 0; i < d->worker_count; i++) {
		worker_stop(d->workers[i], GRACE_S);
	}
	for (unsigned i = 0; i < d->worker_count; i++) {
		worker_join(d->workers[i]);
	}
}

static void on_signal(void *arg, int sig)
{
	struct daemon *d = arg;
	size_t failed;
	if (sig == SIGHUP) {
		(void)!daemon_reload(d, DAEMON_RELOAD, &failed, NULL);
		return;
	}
	log_notice("server-stopping", "signal=%s", sig == SIGTERM ? "TERM" : "INT");
	daemon_stop(d, NULL);
}

void daemon_stop(struct daemon *d, struct control_request *request)
{
	if (d->stopper == NULL) {
		d->stopper = request;
	} else if (request != NULL) {
		control_reply(request, CONTROL_FAILED, "it is stopping already");
	}
	loop_stop(d->loop);
}

/* The default is no more than a wish: nobody has asked for it. */
static int open_control(struct daemon *d, struct errmsg *em)
{
	const struct config_server *c = &d->config->server;
	char text[sizeof(em->text)];
	struct privileges to;
	struct errmsg why = { "" };
	if (*c->control == '\0') {
		return E_OK;
	}
	int err = privileges_find(c->user, c->group, &to, em);
	if (err != E_OK) {
		return err;
	}
	const struct control_options options = { .path = c->control,
						 .uid = to.uid,
						 .gid = to.gid,
						 .run = commands_run,
						 .arg = d,
						 .patience_ms = CONTROL_PATIENCE_MS };
	err = control_new(d->loop, &options, &d->control, &why);
	if (err != E_OK && strcmp(c->control, CONFIG_CONTROL_DEFAULT) == 0) {
		log_warn("control-skipped", "reason=%s", log_quote(why.text, text, sizeof(text)));
		return E_OK;
	}
	return err != E_OK ? err_set(em, err, "server.control: %s", why.text) : E_OK;
}

static int make_loop(struct daemon *d, struct errmsg *em)
{
	sigset_t set;
	/* Blocked in all threads to come; the control thread takes them one by one. */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	int err = loop_new(&d->loop);
	if (err == E_OK) {
		err = loop_on_signals(d->loop, &set, on_signal, d);
	}
	if (err != E_OK) {
		return err_set(em, err, "cannot watch events; is there a limit on open files?");
	}
	return E_OK;
}

static void daemon_clear(struct daemon *d, unsigned sockets)
{
	for (unsigned i = 0; d->sockets != NULL && i < sockets; i++) {
		worker_sockets_clear(&d->sockets[i]);
	}
	outbound_free(d->outbound);
	jobs_free(d->jobs);
	vault_close(d->vault);
	for (size_t i = 0; i < d->count; i++) {
		zone_free(d->loaded[i].zone);
	}
	xfr_desk_free(d->desk);
	mem_free(d->sockets);
	mem_free(d->workers);
	loaded_free(d->loaded, d->count);
	serving_free(d->serving);
	tls_server_free(d->tls);
	cookie_secrets_clear(&d->random);
	zoneset_free(d->zones);
	config_free(d->config);
	if (d->stopper != NULL) {
		control_reply(d->stopper, CONTROL_DONE, "stopped");
	}
	control_free(d->control);
	watch_free(d->watch);
	catalogs_free(d->catalogs);
	if (d->look != NULL) {
		event_free(d->look);
	}
	loop_free(d->loop);
}

int daemon_run(const char *path, struct config *config, struct errmsg *em)
{
	struct daemon d = { .path = path, .config = config, .started_at = clock_now() };
	unsigned sockets = 0;
	struct pid_file pid_file = PID_FILE_NONE;
	struct next first = { .config = config };
	(void)signal(SIGPIPE, SIG_IGN);
	open_log(config);
	epoch_register(); /* for commands that look at zones */
	epoch_offline();
	int err = make_loop(&d, em);
	if (err == E_OK) {
		err = bind_all(&d, em);
		sockets = d.worker_count;
	}
	if (err == E_OK) {
		err = pid_file_write(&pid_file, config->server.pid_file, em);
	}
	if (err == E_OK && get_tls(&config->server, &first.tls) != E_OK) {
		err = err_set(em, E_CHECK, "certificate and key for TLS cannot be used; see above");
	}
	if (err == E_OK) {
		err = open_control(&d, em);
	}
	if (err == E_OK) {
		err = privileges_drop(config->server.user, config->server.group, em);
	}
	if (err == E_OK) {
		err = get_secrets(&d, &config->server, &first.secrets, em);
	}
	if (err == E_OK && xfr_desk_new(&d.desk) != E_OK) {
		err = err_set(em, E_CRYPTO, "there are no random octets for tables");
	}
	if (err == E_OK) {
		err = start_jobs(&d, em);
	}
	if (err == E_OK) {
		err = start_outbound(&d, em);
	}
	if (err == E_OK) {
		check_tls_readable(&config->server);
		(void)serve(&d, &first);
		first.tls = NULL;
		err = start_workers(&d, em);
		if (err == E_OK) {
			log_notice("server-started",
				   "version=" SIGNET_VERSION " pid=%ld workers=%u zones=%zu",
				   (long)getpid(), d.worker_count, d.count);
			program_step_aside();
			if (loop_run(d.loop) != E_OK) {
				err = err_set(em, E_IO, "the system gives no events any more");
			}
		}
		outbound_stop(d.outbound);
		if (d.jobs != NULL) {
			jobs_stop(
				d.jobs); /* before the workers, who send what they have answered */
			loop_deliver(d.loop); /* what has become of orders */
		}
		stop_workers(&d);
		log_notice("server-stopped", "pid=%ld", (long)getpid());
	}
	cookie_secrets_clear(&first.secrets);
	tls_server_free(first.tls);
	pid_file_remove(&pid_file);
	daemon_clear(&d, sockets);
	epoch_unregister();
	return err;
}

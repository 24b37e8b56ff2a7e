/* server/config_zones.c - policies, and the zones that have them. */
#include "server/config_run.h"

#include <stdlib.h>
#include <string.h>

#include "keys/algorithm.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"

/* --- policies -------------------------------------------------------------------------------- */

static const char default_policy[] = "default";

void config_read_default_policy(struct config_reading *g)
{
	struct config_policy *p = arena_alloc(&g->config->arena, sizeof(*p));
	*p = (struct config_policy){ .name = default_policy };
	config_read_defaults(g, CONFIG_POLICY, p);
	g->config->default_policy = p;
}

static void check_policy(const struct config_reading *g, const struct config_policy *p)
{
	struct config_report *report = g->reader.report;
	const struct algorithm *a = algorithm_from_text(p->algorithm);
	char quoted[TEXT_QUOTE_MAX];
	(void)text_quote(p->algorithm, strlen(p->algorithm), quoted);
	if (a == NULL) {
		config_report_error(report, p->place,
				    "policies.algorithm: there is no algorithm %s; expected one "
				    "such as ECDSAP256SHA256",
				    quoted);
	} else if (a->use != ALGORITHM_FULL) {
		config_report_error(report, p->place, "policies.algorithm: %s: %s", quoted,
				    a->reason);
	}
	if ((uint64_t)p->refresh_s + p->jitter_s >= p->validity_s) {
		config_report_error(report, p->place,
				    "policies.validity: must be longer than refresh and jitter "
				    "together, or signatures would be renewed all the time");
	}
}

void config_read_policies(struct config_reading *g)
{
	struct config *c = g->config;
	struct config_policy defaults = *c->default_policy;
	defaults.name = NULL;
	config_read_list(g, CONFIG_POLICY, &defaults);
	config_check_items_differ(g, CONFIG_POLICY);
	for (size_t i = 0; i < c->policy_count; i++) {
		check_policy(g, &c->policies[i]);
		if (strcmp(c->policies[i].name, default_policy) == 0) {
			c->default_policy = &c->policies[i];
		}
	}
}

/* --- zones ----------------------------------------------------------------------------------- */

static const struct config_policy *policy_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->policy_count; i++) {
		if (strcmp(c->policies[i].name, name) == 0) {
			return &c->policies[i];
		}
	}
	return strcmp(name, default_policy) == 0 ? c->default_policy : NULL;
}

static const char *nearest_policy(const struct config *c, const char *name)
{
	const char **words = mem_array(c->policy_count + 3, sizeof(const char *));
	size_t count = 0;
	for (size_t i = 0; i < c->policy_count; i++) {
		words[count++] = c->policies[i].name;
	}
	words[count++] = default_policy;
	words[count++] = "no";
	words[count] = NULL;
	const char *near = text_did_you_mean(name, words);
	mem_free(words);
	return near;
}

static void set_policy(const struct config_reading *g, struct config_zone *z)
{
	char quoted[TEXT_QUOTE_MAX];
	if (strcmp(z->dnssec, "no") == 0) {
		return;
	}
	z->policy = policy_find(g->config, z->dnssec);
	const char *near = z->policy == NULL ? nearest_policy(g->config, z->dnssec) : NULL;
	if (near != NULL) {
		config_report_error(g->reader.report, z->place,
				    "zones.dnssec: there is no policy %s; did you mean \"%s\"?",
				    text_quote(z->dnssec, strlen(z->dnssec), quoted), near);
	} else if (z->policy == NULL) {
		config_report_error(g->reader.report, z->place,
				    "zones.dnssec: there is no policy %s; define it below "
				    "\"policies\", or use \"default\" or \"no\"",
				    text_quote(z->dnssec, strlen(z->dnssec), quoted));
	}
}

/* NULL where there are no rules: nobody. */
static const struct acl *make_acl(const struct config_reading *g, const struct config_texts *rules,
				  const char *option, const uint8_t *sig0_zone)
{
	struct arena *arena = &g->config->arena;
	struct acl_names names = g->config->names;
	struct acl *acl = rules->count != 0 ? acl_new(arena) : NULL;
	names.sig0_zone = sig0_zone;
	for (size_t i = 0; i < rules->count; i++) {
		const struct config_text *t = &rules->list[i];
		struct errmsg em = { "" };
		if (acl_add(acl, arena, &names, t->text, &em) != E_OK) {
			config_report_error(g->reader.report, t->place, "%s: %.400s", option,
					    em.text);
		}
	}
	return acl;
}

static void set_update_policy(const struct config_reading *g, struct config_zone *z,
			      const uint8_t *sig0_zone)
{
	struct arena *arena = &g->config->arena;
	if (z->update_rules.count == 0) {
		return;
	}
	struct update_policy *policy = update_policy_new(arena);
	struct acl_names names = g->config->names;
	names.sig0_zone = sig0_zone;
	for (size_t i = 0; i < z->update_rules.count; i++) {
		const struct config_text *t = &z->update_rules.list[i];
		struct errmsg em = { "" };
		if (update_policy_add(policy, arena, &names, t->text, &em) != E_OK) {
			config_report_error(g->reader.report, t->place,
					    "zones.update-policy: %.400s", em.text);
		}
	}
	if (z->allow_update.count != 0) {
		config_report_error(g->reader.report, z->update_rules.list[0].place,
				    "zones.update-policy: there is allow-update too; who may "
				    "change all of the zone is \"grant KEY zonesub ANY\" here");
	}
	z->update_policy = policy;
}

static int compare_zones(const void *a, const void *b)
{
	return dname_compare((*(const struct config_zone *const *)a)->name,
			     (*(const struct config_zone *const *)b)->name);
}

void config_sort_zones(struct config *c)
{
	c->zones_by_name = mem_array(c->zone_count, sizeof(const struct config_zone *));
	for (size_t i = 0; i < c->zone_count; i++) {
		c->zones_by_name[i] = &c->zones[i];
	}
	if (c->zone_count != 0) {
		qsort(c->zones_by_name, c->zone_count, sizeof(const struct config_zone *),
		      compare_zones);
	}
}

const struct config_zone *config_find_zone(const struct config *c, const uint8_t *name)
{
	const struct config_zone wanted = { .name = name };
	const struct config_zone *key = &wanted;
	const struct config_zone *const *found =
		c->zone_count != 0 ? bsearch(&key, c->zones_by_name, c->zone_count,
					     sizeof(const struct config_zone *), compare_zones)
				   : NULL;
	return found != NULL ? *found : NULL;
}

static const struct config_remote *find_remote(const struct config_reading *g,
					       const struct config_text *t, const char *option)
{
	const struct config *c = g->config;
	const struct acl_remote *rule;
	struct errmsg em = { "" };
	if (acl_find_remote(&c->names, t->text, &rule, &em) != E_OK) {
		config_report_error(g->reader.report, t->place, "%s: %.400s", option, em.text);
		return NULL;
	}
	return &c->remotes[rule - c->names.remotes];
}

/* The addresses of the remotes @names, in this order. */
static struct config_peers make_zone_peers(const struct config_reading *g,
					   const struct config_texts *names, const char *option)
{
	struct arena *arena = &g->config->arena;
	const struct config_remote **remotes =
		arena_alloc(arena, (names->count + 1) * sizeof(const struct config_remote *));
	size_t room = 1;
	size_t count = 0;
	for (size_t i = 0; i < names->count; i++) {
		const struct config_text *t = &names->list[i];
		remotes[i] = find_remote(g, t, option);
		room += remotes[i] != NULL ? remotes[i]->peer_count : 0;
		if (remotes[i] != NULL && remotes[i]->peer_count == 0) {
			config_report_error(g->reader.report, t->place,
					    "%s: remote \"%s\" has no address to turn to", option,
					    remotes[i]->name);
		}
	}
	const struct config_peer **list =
		arena_alloc(arena, room * sizeof(const struct config_peer *));
	for (size_t i = 0; i < names->count; i++) {
		for (size_t k = 0; remotes[i] != NULL && k < remotes[i]->peer_count; k++) {
			list[count++] = &remotes[i]->peers[k];
		}
	}
	return (struct config_peers){ list, count };
}

static void check_origin(const struct config_reading *g, const struct config_zone *z)
{
	if (z->forwarders != NULL && z->primary_names.count == 0) {
		config_report_error(g->reader.report, z->allow_update_forwarding.list[0].place,
				    "zones.allow-update-forwarding: this zone has no \"primaries\" "
				    "to pass updates on to; who may update it here is in "
				    "allow-update");
	}
	if (*z->file != '\0' && z->primary_names.count != 0) {
		config_report_error(g->reader.report, z->place,
				    "this zone has \"file\" and \"primaries\"; what is "
				    "transferred in is kept in server.database");
	}
	if ((z->updaters != NULL || z->update_policy != NULL) && z->primary_names.count != 0) {
		config_report_error(g->reader.report, z->place,
				    "this zone takes updates and has \"primaries\"; with "
				    "allow-update-forwarding they are passed on to those");
	}
}

/* --- templates and catalogs ------------------------------------------------------------------ */

const struct config_zone *config_find_template(const struct config *c, const uint8_t *name)
{
	for (size_t i = 0; i < c->template_count; i++) {
		if (dname_equal(c->templates[i].name, name)) {
			return &c->templates[i];
		}
	}
	return NULL;
}

/* NULL, reported: there is none. */
static const struct config_zone *find_template(const struct config_reading *g, const uint8_t *name,
					       struct config_place place, const char *option)
{
	char text[DNAME_TEXT_MAX];
	char quoted[TEXT_QUOTE_MAX];
	const struct config_zone *found = config_find_template(g->config, name);
	if (found == NULL) {
		const size_t len = dname_to_text(name, text);
		config_report_error(g->reader.report, place,
				    "%s: there is no template %s; define it below \"templates\"",
				    option, text_quote(text, len - (len > 1), quoted));
	}
	return found;
}

const struct config_zone *config_zone_defaults(const struct config_reading *g,
					       const struct config_node *n, const void *defaults)
{
	const struct config_node *node =
		n->kind == CONFIG_NODE_MAP ? config_node_get(n, "template") : NULL;
	struct dname name;
	const struct config_zone *found = NULL;
	if (node != NULL && node->kind == CONFIG_NODE_SCALAR && node->len != 0 &&
	    dname_from_text(&name, node->text, node->len, dname_root, NULL) == E_OK) {
		found = find_template(g, name.wire, node->place, "zones.template");
	}
	return found != NULL ? found : defaults;
}

/* What members are made of has to say where they come from. */
static const struct config_zone *member_template(const struct config_reading *g,
						 const uint8_t *name, struct config_place place,
						 const char *option)
{
	const struct config_zone *t = find_template(g, name, place, option);
	if (t != NULL && t->primary_names.count == 0) {
		config_report_error(g->reader.report, place,
				    "%s: this template has no \"primaries\", from which zones of a "
				    "catalog come",
				    option);
	}
	if (t != NULL && t->catalog_role != CONFIG_CATALOG_NONE) {
		config_report_error(
			g->reader.report, place,
			"%s: this template has a \"catalog-role\"; what a catalog lists "
			"cannot be one",
			option);
	}
	return t;
}

static void check_consumer(const struct config_reading *g, struct config_zone *z)
{
	if (z->catalog_template_name == NULL) {
		config_report_error(g->reader.report, z->place,
				    "this catalog has no \"catalog-template\", which says what the "
				    "zones are like that it lists");
		return;
	}
	z->catalog_template =
		member_template(g, z->catalog_template_name, z->place, "zones.catalog-template");
	struct config_group *groups =
		arena_alloc(&g->config->arena, (z->catalog_groups.count + 1) * sizeof(*groups));
	for (size_t i = 0; i < z->catalog_groups.count; i++) {
		struct config_group *group = &groups[i];
		struct dname name;
		struct errmsg em = { "" };
		*group = z->catalog_groups.list[i];
		if (dname_from_text(&name, group->template_text, strlen(group->template_text),
				    dname_root, &em) != E_OK) {
			config_report_error(g->reader.report, group->place,
					    "zones.catalog-groups: %.300s", em.text);
		} else {
			group->template =
				member_template(g, name.wire, group->place, "zones.catalog-groups");
		}
	}
	z->catalog_groups.list = groups;
	if (*g->config->server.database == '\0') {
		config_report_error(g->reader.report, z->place,
				    "a catalog needs server.database; name a directory there");
	}
}

static void check_producer(const struct config_reading *g, const struct config_zone *z)
{
	if (*z->file != '\0' || z->primary_names.count != 0 || z->updaters != NULL ||
	    z->update_policy != NULL) {
		config_report_error(g->reader.report, z->place,
				    "this catalog is made by the server: leave out \"file\", "
				    "\"primaries\", \"allow-update\" and \"update-policy\"");
	}
}

/* When all zones are there. */
static void check_member(const struct config_reading *g, const struct config_zone *z)
{
	if (z->catalog_zone == NULL && *z->catalog_group != '\0') {
		config_report_error(g->reader.report, z->place,
				    "zones.catalog-group: there is no \"catalog-zone\" to list it");
	}
	const struct config_zone *catalog =
		z->catalog_zone != NULL ? config_find_zone(g->config, z->catalog_zone) : NULL;
	if (z->catalog_zone != NULL &&
	    (catalog == NULL || catalog->catalog_role != CONFIG_CATALOG_PRODUCER || catalog == z)) {
		char text[DNAME_TEXT_MAX];
		char quoted[TEXT_QUOTE_MAX];
		const size_t len = dname_to_text(z->catalog_zone, text);
		config_report_error(g->reader.report, z->place,
				    "zones.catalog-zone: %s is no other zone here with "
				    "\"catalog-role: producer\"",
				    text_quote(text, len, quoted));
	}
}

static void check_role(const struct config_reading *g, struct config_zone *z)
{
	if (z->catalog_role == CONFIG_CATALOG_CONSUMER) {
		check_consumer(g, z);
	} else if (z->catalog_template_name != NULL || z->catalog_groups.count != 0) {
		config_report_error(
			g->reader.report, z->place,
			"this zone has a \"catalog-template\" or \"catalog-groups\", and "
			"is no catalog; write \"catalog-role: consumer\"");
	}
	if (z->catalog_role == CONFIG_CATALOG_PRODUCER) {
		check_producer(g, z);
	} else if (z->template_name != NULL && *z->file == '\0' && z->primary_names.count == 0) {
		config_report_error(g->reader.report, z->place, "this zone has no \"file\"");
	}
}

bool config_zone_is_kept(const struct config_zone *z)
{
	return z->catalog_role == CONFIG_CATALOG_PRODUCER || z->policy != NULL ||
	       z->updaters != NULL || z->update_policy != NULL || config_zone_is_secondary(z);
}

/* Makes what the texts of @z stand for. @sig0_zone: where KEY records are that it names. */
/* Who follows a primary follows it in all, but where somebody has said otherwise of that very zone. */
static void set_max_removed(const struct config *c, struct config_zone *z)
{
	if (!z->max_removed.is_set) {
		z->max_removed = config_zone_is_secondary(z)
					 ? (struct config_part){ .count = CONFIG_PART_ALL }
					 : c->server.max_removed;
		z->max_removed.is_set = false;
	}
}

static void set_up(const struct config_reading *g, struct config_zone *z, const uint8_t *sig0_zone)
{
	set_policy(g, z);
	z->updaters = make_acl(g, &z->allow_update, "zones.allow-update", sig0_zone);
	z->transferrers = make_acl(g, &z->allow_transfer, "zones.allow-transfer", NULL);
	set_update_policy(g, z, sig0_zone);
	z->primaries = make_zone_peers(g, &z->primary_names, "zones.primaries");
	z->forwarders =
		make_acl(g, &z->allow_update_forwarding, "zones.allow-update-forwarding", NULL);
	z->notifiers = make_acl(g, &z->allow_notify, "zones.allow-notify", NULL);
	z->notify = make_zone_peers(g, &z->notify_names, "zones.notify");
	set_max_removed(g->config, z);
}

static void read_templates(struct config_reading *g, const struct config_zone *defaults)
{
	struct config *c = g->config;
	config_read_list(g, CONFIG_TEMPLATE, defaults);
	config_check_items_differ(g, CONFIG_TEMPLATE);
	for (size_t i = 0; i < c->template_count; i++) {
		struct config_zone *t = (struct config_zone *)(uintptr_t)&c->templates[i];
		if (t->template_name != NULL) {
			config_report_error(g->reader.report, t->place,
					    "a template has no \"template\" itself");
		}
		set_up(g, t, dname_root); /* of which zone is not known yet */
	}
}

void config_read_zones(struct config_reading *g)
{
	struct config *c = g->config;
	struct config_zone defaults = { .file = "", .checks = c->checks };
	config_read_defaults(g, CONFIG_ZONE, &defaults);
	read_templates(g, &defaults);
	config_read_list(g, CONFIG_ZONE, &defaults);
	config_check_items_differ(g, CONFIG_ZONE);
	config_sort_zones(c);
	for (size_t i = 0; i < c->zone_count; i++) {
		struct config_zone *z = (struct config_zone *)(uintptr_t)&c->zones[i];
		set_up(g, z, z->name);
		check_origin(g, z);
		check_role(g, z);
		if (config_zone_is_kept(z) && *c->server.database == '\0') {
			config_report_error(
				g->reader.report, z->place,
				"a zone that is signed, updated or transferred in needs "
				"server.database; name a directory there");
		}
	}
	for (size_t i = 0; i < c->zone_count; i++) {
		check_member(g, &c->zones[i]);
	}
	for (size_t i = 0; i < c->template_count; i++) {
		check_member(g, &c->templates[i]);
	}
}

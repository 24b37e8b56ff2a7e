/* server/config_peers.c - keys, and the remotes that have them. */
#include "server/config_run.h"

#include <string.h>

#include "keys/tsig_file.h"
#include "server/tls.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"

/* --- keys ------------------------------------------------------------------------------------ */

static void make_key_of_file(const struct config_reading *g, const struct config_key *k,
			     struct tsig_key *out)
{
	struct tsig_keys keys = { 0 };
	struct errmsg em = { "" };
	char quoted[TEXT_QUOTE_MAX];
	char name[DNAME_TEXT_MAX];
	if (g->reader.only_text) {
		return;
	}
	if (tsig_file_read(k->file, &keys, &em) != E_OK) {
		config_report_error(g->reader.report, k->place, "keys.file: %.400s", em.text);
		return;
	}
	const struct tsig_key *key = tsig_keys_find(&keys, k->name);
	if (key != NULL) {
		*out = *key;
		out->secret = (struct secret){ 0 }; /* that one is of the file's keys */
		secret_set(&out->secret, key->secret.data, key->secret.len);
	} else {
		(void)dname_to_text(k->name, name);
		config_report_error(g->reader.report, k->place,
				    "keys.file: there is no key %.150s in %.200s",
				    text_quote(name, strlen(name), quoted), k->file);
	}
	tsig_keys_clear(&keys);
}

static void make_key_of_secret(const struct config_reading *g, const struct config_key *k,
			       struct tsig_key *out)
{
	struct secret secret = { 0 };
	char quoted[TEXT_QUOTE_MAX];
	const size_t len = strlen(k->secret);
	secret_set(&secret, k->secret, len); /* as room: what is decoded is shorter */
	int n = text_from_base64(k->secret, len, secret.data, secret.len);
	int err = n < 0 ? n : tsig_key_set(out, k->name, k->algorithm, secret.data, (size_t)n);
	secret_clear(&secret);
	if (n <= 0) {
		config_report_error(g->reader.report, k->place,
				    "keys.secret: the secret of this key is not base64");
	} else if (err != E_OK) {
		config_report_error(g->reader.report, k->place,
				    "keys.algorithm: found %s: %s; expected one such as "
				    "hmac-sha256",
				    text_quote(k->algorithm, strlen(k->algorithm), quoted),
				    err_text(err));
	}
}

static void make_key(const struct config_reading *g, const struct config_key *k,
		     struct tsig_key *out)
{
	const bool has_file = *k->file != '\0';
	dname_set(&out->name, k->name); /* for rules, whatever else is wrong with it */
	if (has_file == (*k->secret != '\0')) {
		config_report_error(g->reader.report, k->place,
				    has_file ? "this key has both \"secret\" and \"file\"; one of "
					       "them is enough"
					     : "this key has neither \"secret\" nor \"file\"");
		return;
	}
	(has_file ? make_key_of_file : make_key_of_secret)(g, k, out);
	if (out->algorithm != NULL && out->algorithm->remark != NULL) {
		config_report_warning(g->reader.report, k->place, "keys.algorithm: %s: %s",
				      out->algorithm->name, out->algorithm->remark);
	}
}

/* A key that who can read its file has, for as long as this configuration is used. */
static void make_session_key(struct config_reading *g)
{
	struct config *c = g->config;
	struct tsig_key *key = &c->tsig_keys[c->tsig_key_count];
	const struct tsig_key *same;
	struct dname name;
	if (*c->server.session_key == '\0') {
		return;
	}
	int err = dname_from_text(&name, CONFIG_SESSION_KEY, strlen(CONFIG_SESSION_KEY), dname_root,
				  NULL);
	if (acl_find_key(&c->names, CONFIG_SESSION_KEY, &same, NULL) == E_OK) {
		config_report_error(g->reader.report, c->keys[same - c->tsig_keys].place,
				    "the key of server.session-key has this name; choose another");
		return;
	}
	err = err == E_OK ? tsig_key_random(key, name.wire, "hmac-sha256") : err;
	if (err != E_OK) {
		config_report_error(g->reader.report, (struct config_place){ 0 },
				    "server.session-key: the key cannot be made: %s",
				    err_text(err));
		return;
	}
	c->session_key = key;
	c->names.key_count = ++c->tsig_key_count;
}

void config_read_keys(struct config_reading *g)
{
	struct config *c = g->config;
	struct config_key defaults = { 0 };
	config_read_defaults(g, CONFIG_KEY, &defaults);
	config_read_list(g, CONFIG_KEY, &defaults);
	config_check_items_differ(g, CONFIG_KEY);
	c->tsig_keys = mem_array(c->key_count + 1, sizeof(*c->tsig_keys));
	c->tsig_key_count = c->key_count;
	for (size_t i = 0; i < c->key_count; i++) {
		make_key(g, &c->keys[i], &c->tsig_keys[i]);
	}
	c->names.keys = c->tsig_keys;
	c->names.key_count = c->tsig_key_count;
	make_session_key(g);
}

/* --- remotes --------------------------------------------------------------------------------- */

static void set_tls_names(const struct config_reading *g, const struct config_remote *r,
			  struct acl_remote *out)
{
	uint8_t *octets = arena_bytes(&g->config->arena, r->tls_names.count * DNAME_MAX);
	size_t len = 0;
	for (size_t i = 0; i < r->tls_names.count; i++) {
		const struct config_text *t = &r->tls_names.list[i];
		struct dname name;
		struct errmsg em = { "" };
		if (acl_read_tls(&g->config->names, t->text, &name, &em) != E_OK) {
			config_report_error(g->reader.report, t->place, "remotes.tls-names: %.400s",
					    em.text);
			continue;
		}
		len += dname_copy(octets + len, name.wire);
	}
	out->tls_names = (struct dname_list){ octets, len };
}

static void set_pins(const struct config_reading *g, struct config_remote *r)
{
	const size_t room = r->tls_pins.count * TLS_PIN_LEN;
	uint8_t *pins = arena_bytes(&g->config->arena, room);
	for (size_t i = 0; i < r->tls_pins.count; i++) {
		const struct config_text *t = &r->tls_pins.list[i];
		char quoted[TEXT_QUOTE_MAX];
		const size_t len = strlen(t->text);
		if (text_from_base64(t->text, len, pins + i * TLS_PIN_LEN, TLS_PIN_LEN) !=
		    TLS_PIN_LEN) {
			config_report_error(
				g->reader.report, t->place,
				"remotes.tls-pins: found %s, expected 32 octets in base64; openssl "
				"x509 -pubkey -noout -in CERTIFICATE | openssl pkey -pubin -outform "
				"DER | openssl dgst -sha256 -binary | base64 makes them",
				text_quote(t->text, len, quoted));
		}
	}
	r->pins = pins;
}

/* What goes with TLS does not go without, or it would be taken for it. */
static void check_tls(const struct config_reading *g, const struct config_remote *r)
{
	const bool has_name = *r->tls_hostname != '\0';
	if (!config_remote_has_tls(r) &&
	    (*r->tls_ca != '\0' || *r->tls_certificate != '\0' || *r->tls_key != '\0')) {
		config_report_error(
			g->reader.report, r->place,
			"this remote has options of TLS, but nothing to know it by; set "
			"\"tls-hostname\" or \"tls-pins\"");
	} else if (!has_name && *r->tls_ca != '\0') {
		config_report_error(g->reader.report, r->place,
				    "this remote has \"tls-ca\" without \"tls-hostname\"; with "
				    "\"tls-pins\" alone nobody is asked");
	}
	if ((*r->tls_certificate != '\0') != (*r->tls_key != '\0')) {
		config_report_error(g->reader.report, r->place,
				    "this remote has one of \"tls-certificate\" and \"tls-key\"; "
				    "they go together");
	}
}

/* One for each address of @r. */
static void make_peers(const struct config_reading *g, struct config_remote *r)
{
	struct config_peer *peers =
		arena_alloc(&g->config->arena, (r->addresses.count + 1) * sizeof(*peers));
	for (size_t i = 0; i < r->addresses.count; i++) {
		struct config_peer *p = &peers[r->peer_count];
		if (address_of_network(&r->addresses.list[i], (uint16_t)r->port, &p->address)) {
			(void)address_of_network(
				&r->addresses.list[i],
				(uint16_t)(config_remote_has_tls(r) ? r->tls_port : r->port),
				&p->stream);
			p->key = r->rule->key_count != 0 ? r->rule->keys[0] : NULL;
			p->remote = r;
			r->peer_count++;
		}
	}
	r->peers = peers;
}

static void make_remote(const struct config_reading *g, struct config_remote *r,
			struct acl_remote *out)
{
	*out = (struct acl_remote){ .name = r->name,
				    .networks = r->addresses.list,
				    .network_count = r->addresses.count };
	out->keys = arena_alloc(&g->config->arena, (r->keys.count + 1) * sizeof(*out->keys));
	for (size_t i = 0; i < r->keys.count; i++) {
		const struct config_text *t = &r->keys.list[i];
		struct errmsg em = { "" };
		if (acl_find_key(&g->config->names, t->text, &out->keys[out->key_count], &em) ==
		    E_OK) {
			out->key_count++;
		} else {
			config_report_error(g->reader.report, t->place, "remotes.keys: %.400s",
					    em.text);
		}
	}
	set_tls_names(g, r, out);
	if (r->addresses.count == 0 && r->keys.count == 0 && r->tls_names.count == 0) {
		config_report_error(g->reader.report, r->place,
				    "this remote has neither \"addresses\" nor \"keys\" nor "
				    "\"tls-names\", so everybody would be it");
	}
	set_pins(g, r);
	check_tls(g, r);
	r->rule = out;
	make_peers(g, r);
}

void config_read_remotes(struct config_reading *g)
{
	struct config *c = g->config;
	struct config_remote defaults = { 0 };
	config_read_defaults(g, CONFIG_REMOTE, &defaults);
	config_read_list(g, CONFIG_REMOTE, &defaults);
	config_check_items_differ(g, CONFIG_REMOTE);
	c->names.has_tls = *c->server.tls_client_ca != '\0';
	struct acl_remote *made = arena_alloc(&c->arena, (c->remote_count + 1) * sizeof(*made));
	for (size_t i = 0; i < c->remote_count; i++) {
		make_remote(g, (struct config_remote *)(uintptr_t)&c->remotes[i], &made[i]);
	}
	c->names.remotes = made;
	c->names.remote_count = c->remote_count;
}

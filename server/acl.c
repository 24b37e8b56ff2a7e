/* server/acl.c - who may do something: by TSIG key, KEY record, certificate, address, network, or as a remote. */
#include "server/acl.h"

#include <stdio.h>
#include <string.h>

#include "zones/base/text.h"

enum kind { ANY, KEY, SIG0, TLS, REMOTE, NETWORK };

struct rule {
	struct rule *next;
	enum kind kind;
	bool deny;
	const struct tsig_key *key;
	const uint8_t *name;
	const struct acl_remote *remote;
	struct address_network network;
};

struct acl {
	struct rule *rules;
};

struct acl *acl_new(struct arena *arena)
{
	struct acl *acl = arena_alloc(arena, sizeof(*acl));
	acl->rules = NULL;
	return acl;
}

/* What follows @word and a space at the start of *@text; moves *@text there. */
static bool take_word(const char **text, const char *word)
{
	size_t n = strlen(word);
	if (strncmp(*text, word, n) != 0 || (*text)[n] != ' ') {
		return false;
	}
	*text += n + strspn(*text + n, " ");
	return true;
}

/* The name seen so far that is nearest to what was written. */
struct nearest {
	const char *word;
	char name[DNAME_TEXT_MAX]; /* "": none is near */
};

static void nearest_try(struct nearest *n, const char *name)
{
	bool is_first = n->name[0] == '\0';
	const char *const words[] = { is_first ? name : n->name, is_first ? NULL : name, NULL };
	if (text_did_you_mean(n->word, words) == name) {
		(void)snprintf(n->name, sizeof(n->name), "%s", name);
	}
}

/* "there is no @what @word ...", with what was found near. */
static int not_there(const struct nearest *n, const char *what, const char *list, struct errmsg *em)
{
	char quoted[TEXT_QUOTE_MAX];
	char near[TEXT_QUOTE_MAX];
	(void)text_quote(n->word, strlen(n->word), quoted);
	if (n->name[0] != '\0') {
		return err_set(em, E_NOENT, "there is no %s %.150s; did you mean %.150s?", what,
			       quoted, text_quote(n->name, strlen(n->name), near));
	}
	return err_set(em, E_NOENT, "there is no %s %s; define it below \"%s\"", what, quoted,
		       list);
}

int acl_find_key(const struct acl_names *names, const char *text, const struct tsig_key **out,
		 struct errmsg *em)
{
	struct nearest nearest = { .word = text };
	struct dname name;
	int err = dname_from_text(&name, text, strlen(text), dname_root, em);
	if (err != E_OK) {
		return err;
	}
	for (size_t i = 0; i < names->key_count; i++) {
		if (dname_equal(names->keys[i].name.wire, name.wire)) {
			*out = &names->keys[i];
			return E_OK;
		}
	}
	for (size_t i = 0; i < names->key_count; i++) {
		char known[DNAME_TEXT_MAX];
		size_t n = dname_to_text(names->keys[i].name.wire, known);
		bool is_absolute = text[strlen(text) - 1] == '.';
		known[n - 1] = is_absolute ? '.' : '\0'; /* written as the other is */
		nearest_try(&nearest, known);
	}
	return not_there(&nearest, "key", "keys", em);
}

int acl_find_remote(const struct acl_names *names, const char *text, const struct acl_remote **out,
		    struct errmsg *em)
{
	struct nearest nearest = { .word = text };
	for (size_t i = 0; i < names->remote_count; i++) {
		if (strcmp(names->remotes[i].name, text) == 0) {
			*out = &names->remotes[i];
			return E_OK;
		}
		nearest_try(&nearest, names->remotes[i].name);
	}
	return not_there(&nearest, "remote", "remotes", em);
}

/* Can there be KEY records of @name, or of one that it stands for, in @zone? */
static bool can_be_in(const uint8_t *name, const uint8_t *zone)
{
	return dname_is_under(name, zone) ||
	       (dname_is_wildcard(name) && dname_is_under(zone, dname_up(name, 1)));
}

int acl_read_sig0(const struct acl_names *names, const char *text, struct arena *arena,
		  const uint8_t **out, struct errmsg *em)
{
	struct dname name;
	char quoted[TEXT_QUOTE_MAX];
	if (names->sig0_zone == NULL) {
		return err_set(em, E_UNSUPPORTED,
			       "found a rule with \"sig0\", which is for updates made here; use "
			       "\"key NAME\"");
	}
	int err = dname_from_text(&name, text, strlen(text), dname_root, em);
	if (err == E_OK && !can_be_in(name.wire, names->sig0_zone)) {
		return err_set(
			em, E_NOTZONE,
			"found %.150s, which is outside the zone, so it has no KEY records here",
			text_quote(text, strlen(text), quoted));
	}
	if (err == E_OK) {
		*out = arena_dup(arena, name.wire, name.len);
	}
	return err;
}

int acl_read_tls(const struct acl_names *names, const char *text, struct dname *out,
		 struct errmsg *em)
{
	if (!names->has_tls) {
		return err_set(
			em, E_UNSUPPORTED,
			"found a name in certificates, but clients are not asked for any; set "
			"server.tls-client-ca");
	}
	int err = dname_from_text(out, text, strlen(text), dname_root, em);
	if (err == E_OK && dname_is_wildcard(out->wire)) {
		return err_set(em, E_SYNTAX,
			       "found a wildcard, expected a name as it is in certificates");
	}
	return err;
}

static int read_tls(const char *text, struct arena *arena, const struct acl_names *names,
		    const uint8_t **out, struct errmsg *em)
{
	struct dname name;
	int err = acl_read_tls(names, text, &name, em);
	if (err == E_OK) {
		*out = arena_dup(arena, name.wire, name.len);
	}
	return err;
}

int acl_add(struct acl *acl, struct arena *arena, const struct acl_names *names, const char *rule,
	    struct errmsg *em)
{
	struct rule r = { .kind = NETWORK };
	int err = E_OK;
	r.deny = take_word(&rule, "deny");
	if (strcmp(rule, "any") == 0) {
		r.kind = ANY;
	} else if (take_word(&rule, "key")) {
		r.kind = KEY;
		err = acl_find_key(names, rule, &r.key, em);
	} else if (take_word(&rule, "sig0")) {
		r.kind = SIG0;
		err = acl_read_sig0(names, rule, arena, &r.name, em);
	} else if (take_word(&rule, "tls")) {
		r.kind = TLS;
		err = read_tls(rule, arena, names, &r.name, em);
	} else if (take_word(&rule, "remote")) {
		r.kind = REMOTE;
		err = acl_find_remote(names, rule, &r.remote, em);
	} else {
		struct errmsg why;
		char quoted[TEXT_QUOTE_MAX];
		err = address_network_from_text(&r.network, rule, strlen(rule), &why);
		if (err != E_OK) {
			err = err_set(em, err,
				      "found %s, expected \"key NAME\", \"sig0 NAME\", \"tls "
				      "NAME\", \"remote NAME\", an address, a network or \"any\"",
				      text_quote(rule, strlen(rule), quoted));
		}
	}
	if (err == E_OK) {
		struct rule *kept = arena_alloc(arena, sizeof(*kept));
		*kept = r;
		kept->next = acl->rules;
		acl->rules = kept;
	}
	return err;
}

static bool has_common_name(const struct dname_list *a, const struct dname_list *b)
{
	size_t at = 0;
	while (at < a->len && !dname_list_has(b, a->octets + at)) {
		at += dname_len(a->octets + at);
	}
	return at < a->len;
}

bool acl_is_remote(const struct acl_remote *r, const struct acl_client *client)
{
	size_t network = 0;
	size_t key = 0;
	while (network < r->network_count &&
	       !address_network_has(&r->networks[network], client->ip)) {
		network++;
	}
	while (key < r->key_count && r->keys[key] != client->key) {
		key++;
	}
	return (r->tls_names.len == 0 || has_common_name(&r->tls_names, &client->names)) &&
	       (r->network_count == 0 || network < r->network_count) &&
	       (r->key_count == 0 || key < r->key_count);
}

static bool is_meant(const struct rule *r, const struct acl_client *client)
{
	switch (r->kind) {
	case ANY:
		return true;
	case KEY:
		return client->key == r->key;
	case SIG0:
		return client->sig0 != NULL && dname_equal(client->sig0, r->name);
	case TLS:
		return dname_list_has(&client->names, r->name);
	case REMOTE:
		return acl_is_remote(r->remote, client);
	case NETWORK:
		return address_network_has(&r->network, client->ip);
	}
	return false;
}

bool acl_allows(const struct acl *acl, const struct acl_client *client)
{
	bool allowed = false;
	for (const struct rule *r = acl != NULL ? acl->rules : NULL; r != NULL; r = r->next) {
		if (is_meant(r, client)) {
			if (r->deny) {
				return false;
			}
			allowed = true;
		}
	}
	return allowed;
}

bool acl_knows_sig0(const struct acl *acl, const uint8_t *name)
{
	const struct rule *r = acl != NULL ? acl->rules : NULL;
	while (r != NULL && !(r->kind == SIG0 && dname_equal(name, r->name))) {
		r = r->next;
	}
	return r != NULL;
}

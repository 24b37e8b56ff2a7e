/* server/acl.c - who may do something: by TSIG key, address, or network. */
#include "server/acl.h"

#include <string.h>

#include "zones/base/text.h"

enum kind { ANY, KEY, NETWORK };

struct rule {
	struct rule *next;
	enum kind kind;
	bool deny;
	const struct tsig_key *key;
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

static int find_key(const struct acl_keys *keys, const char *text, const struct tsig_key **out,
		    struct errmsg *em)
{
	char quoted[TEXT_QUOTE_MAX];
	struct dname name;
	int err = dname_from_text(&name, text, strlen(text), dname_root, em);
	if (err != E_OK) {
		return err;
	}
	for (size_t i = 0; i < keys->count; i++) {
		if (dname_equal(keys->list[i].name.wire, name.wire)) {
			*out = &keys->list[i];
			return E_OK;
		}
	}
	return err_set(em, E_NOENT, "there is no key %s; define it below \"keys\"",
		       text_quote(text, strlen(text), quoted));
}

int acl_add(struct acl *acl, struct arena *arena, const struct acl_keys *keys, const char *rule,
	    struct errmsg *em)
{
	struct rule r = { .kind = NETWORK };
	int err = E_OK;
	r.deny = take_word(&rule, "deny");
	if (strcmp(rule, "any") == 0) {
		r.kind = ANY;
	} else if (take_word(&rule, "key")) {
		r.kind = KEY;
		err = find_key(keys, rule, &r.key, em);
	} else {
		struct errmsg why;
		char quoted[TEXT_QUOTE_MAX];
		err = address_network_from_text(&r.network, rule, strlen(rule), &why);
		if (err != E_OK) {
			err = err_set(em, err,
				      "found %s, expected \"key NAME\", an address, a network or "
				      "\"any\"",
				      text_quote(rule, strlen(rule), quoted));
		}
	}
	if (err == E_OK) {
		struct rule *kept = arena_dup(arena, &r, sizeof(r));
		kept->next = acl->rules;
		acl->rules = kept;
	}
	return err;
}

static bool is_meant(const struct rule *r, const struct acl_client *client)
{
	switch (r->kind) {
	case ANY:
		return true;
	case KEY:
		return client->key == r->key;
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

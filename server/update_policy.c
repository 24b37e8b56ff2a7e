/* server/update_policy.c - rules about dynamic updates: read, and asked. */
#include "server/update_policy.h"

#include <string.h>
#include <strings.h>

#include "zones/base/text.h"
#include "zones/dns/dname.h"
#include "zones/dns/rrtype.h"

struct rule_type {
	uint16_t type;
	uint16_t most; /* 0: no limit */
};

enum match { NAME, SUBDOMAIN, WILDCARD, ZONESUB, SELF, SELFSUB, SELFWILD };

struct rule {
	struct rule *next;
	bool grant;
	enum match match;
	bool is_sig0; /* KEY records of the zone, not TSIG keys */
	const uint8_t *key;
	const uint8_t *name; /* NULL where there is none to @match */
	size_t type_count;
	const struct rule_type *types;
};

struct update_policy {
	struct rule *first;
	struct rule **end;
};

static const char *const verbs[] = { "deny", "grant", NULL };
static const char *const matches[] = {
	[NAME] = "name", [SUBDOMAIN] = "subdomain", [WILDCARD] = "wildcard", [ZONESUB] = "zonesub",
	[SELF] = "self", [SELFSUB] = "selfsub",	    [SELFWILD] = "selfwild", NULL,
};

struct update_policy *update_policy_new(struct arena *arena)
{
	struct update_policy *p = arena_alloc(arena, sizeof(*p));
	p->first = NULL;
	p->end = &p->first;
	return p;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Takes the next word of *@at; "": there is none. Longer ones than a name are cut, and then no word of ours. */
static size_t take_word(const char **at, char out[DNAME_TEXT_MAX])
{
	static const char space[] = " \t";
	*at += strspn(*at, space);
	size_t len = strcspn(*at, space);
	size_t kept = len < DNAME_TEXT_MAX ? len : DNAME_TEXT_MAX - 1;
	memcpy(out, *at, kept);
	out[kept] = '\0';
	*at += len;
	return kept;
}

/* "found ..., expected @what" and one of @words that may be meant. */
static int unexpected(const char *word, const char *what, const char *const *words,
		      struct errmsg *em)
{
	char quoted[TEXT_QUOTE_MAX];
	const char *near = *word != '\0' ? text_did_you_mean(word, words) : NULL;
	return err_set(em, E_SYNTAX, "found %.150s, expected %s%s%s%s",
		       *word != '\0' ? text_quote(word, strlen(word), quoted)
				     : "the end of the rule",
		       what, near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		       near != NULL ? "\"?" : "");
}

/* The place of @word in @words; -1: it is none of them. */
static int find_word(const char *word, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (text_equal(word, strlen(word), words[i])) {
			return i;
		}
	}
	return -1;
}

static int read_name(const char *word, struct arena *arena, const uint8_t **out, struct errmsg *em)
{
	struct dname name;
	int err = dname_from_text(&name, word, strlen(word), dname_root, em);
	if (err == E_OK) {
		*out = arena_dup(arena, name.wire, name.len);
	}
	return err;
}

static int read_key(struct rule *r, const char *word, struct arena *arena,
		    const struct acl_names *names, struct errmsg *em)
{
	static const char *const none[] = { NULL };
	static const char sig0[] = "sig0:";
	const struct tsig_key *key;
	r->is_sig0 = strncasecmp(word, sig0, sizeof(sig0) - 1) == 0;
	word += r->is_sig0 ? sizeof(sig0) - 1 : 0;
	if (*word == '\0') {
		return unexpected(word,
				  r->is_sig0 ? "the name of a KEY record behind \"sig0:\", or "
					       "\"*\" for any in the zone"
					     : "the name of a key, or \"*\" for any key",
				  none, em);
	}
	if (r->is_sig0) {
		return acl_read_sig0(names, word, arena, &r->key, em);
	}
	int err = read_name(word, arena, &r->key, em);
	if (err == E_OK && !dname_is_wildcard(r->key)) {
		err = acl_find_key(names, word, &key, em);
	}
	return err;
}

static bool has_name(enum match match)
{
	return match == NAME || match == SUBDOMAIN || match == WILDCARD;
}

/* NAME, where there is one to the match. Others may have a "." there, as they must elsewhere. */
static int read_owner(struct rule *r, const char **at, struct arena *arena, struct errmsg *em)
{
	static const char *const none[] = { NULL };
	char word[DNAME_TEXT_MAX];
	const char *behind = *at;
	(void)take_word(&behind, word);
	if (!has_name(r->match)) {
		*at = strcmp(word, ".") == 0 ? behind : *at;
		return E_OK;
	}
	*at = behind;
	if (*word == '\0') {
		return unexpected(word, "the name that the rule is about", none, em);
	}
	int err = read_name(word, arena, &r->name, em);
	if (err == E_OK && r->match == WILDCARD && !dname_is_wildcard(r->name)) {
		return unexpected(word, "a wildcard such as *.example.com", none, em);
	}
	return err;
}

/* "TXT" or "TXT(4)". */
static int read_type(const char *word, bool grant, struct rule_type *out, struct errmsg *em)
{
	char quoted[TEXT_QUOTE_MAX];
	const char *open = strchr(word, '(');
	size_t len = open != NULL ? (size_t)(open - word) : strlen(word);
	uint32_t most = 0;
	(void)text_quote(word, strlen(word), quoted);
	if (rrtype_from_text(word, len, &out->type) != E_OK ||
	    (rrtype_is_meta(out->type) && out->type != RRTYPE_ANY)) {
		return err_set(em, E_SYNTAX,
			       "found %.150s, expected a type of records such as A, TXT(4) or ANY",
			       quoted);
	}
	if (open != NULL) {
		size_t digits = strcspn(open + 1, ")");
		if (strcmp(open + 1 + digits, ")") != 0 ||
		    text_to_u32(open + 1, digits, UINT16_MAX, &most) != E_OK || most == 0) {
			return err_set(em, E_RANGE,
				       "found %.150s, expected a count from 1 to %u in "
				       "parentheses behind the type",
				       quoted, UINT16_MAX);
		}
		if (!grant) {
			return err_set(em, E_SYNTAX,
				       "found %.150s; a rule that denies has no counts", quoted);
		}
	}
	out->most = (uint16_t)most;
	return E_OK;
}

static int read_types(struct rule *r, const char **at, struct arena *arena, struct errmsg *em)
{
	struct rule_type types[UPDATE_POLICY_TYPES_MAX];
	char word[DNAME_TEXT_MAX];
	int err = E_OK;
	while (err == E_OK && take_word(at, word) != 0) {
		if (r->type_count == UPDATE_POLICY_TYPES_MAX) {
			return err_set(em, E_LIMIT, "there are more than %d types in one rule",
				       UPDATE_POLICY_TYPES_MAX);
		}
		err = read_type(word, r->grant, &types[r->type_count++], em);
	}
	if (err == E_OK && r->type_count != 0) {
		struct rule_type *kept = arena_alloc(arena, r->type_count * sizeof(*types));
		memcpy(kept, types, r->type_count * sizeof(*types));
		r->types = kept;
	}
	return err;
}

int update_policy_add(struct update_policy *p, struct arena *arena, const struct acl_names *names,
		      const char *rule, struct errmsg *em)
{
	static const char what[] = "name, subdomain, wildcard, zonesub, self, selfsub or selfwild";
	char word[DNAME_TEXT_MAX];
	struct rule r = { .type_count = 0 };
	(void)take_word(&rule, word);
	int verb = find_word(word, verbs);
	if (verb < 0) {
		return unexpected(word, "grant or deny", verbs, em);
	}
	r.grant = verb == 1;
	(void)take_word(&rule, word);
	int err = read_key(&r, word, arena, names, em);
	if (err != E_OK) {
		return err;
	}
	(void)take_word(&rule, word);
	int match = find_word(word, matches);
	if (match < 0) {
		return unexpected(word, what, matches, em);
	}
	r.match = (enum match)match;
	err = read_owner(&r, &rule, arena, em);
	if (err == E_OK) {
		err = read_types(&r, &rule, arena, em);
	}
	if (err == E_OK) {
		struct rule *kept = arena_alloc(arena, sizeof(*kept));
		*kept = r;
		*p->end = kept;
		p->end = &kept->next;
	}
	return err;
}

/* --- asking ---------------------------------------------------------------------------------- */

static bool is_below(const uint8_t *name, const uint8_t *ancestor)
{
	return dname_is_under(name, ancestor) && !dname_equal(name, ancestor);
}

/* Is @name one that the wildcard @wildcard stands for? */
static bool is_of_wildcard(const uint8_t *name, const uint8_t *wildcard)
{
	return is_below(name, dname_up(wildcard, 1));
}

static bool is_of_key(const struct rule *r, const uint8_t *signer, bool is_sig0)
{
	return r->is_sig0 == is_sig0 && (dname_is_wildcard(r->key) ? is_of_wildcard(signer, r->key)
								   : dname_equal(signer, r->key));
}

static bool is_of_owner(const struct rule *r, const struct update_wish *w)
{
	switch (r->match) {
	case NAME:
		return dname_equal(w->owner, r->name);
	case SUBDOMAIN:
		return dname_is_under(w->owner, r->name);
	case WILDCARD:
		return is_of_wildcard(w->owner, r->name);
	case ZONESUB:
		return dname_is_under(w->owner, w->zone);
	case SELF:
		return dname_equal(w->owner, w->signer);
	case SELFSUB:
		return dname_is_under(w->owner, w->signer);
	case SELFWILD:
		return is_below(w->owner, w->signer);
	}
	return false;
}

/* Types that a rule has to name, as they are the zone's own. */
static bool is_of_zone(uint16_t type)
{
	return type == RRTYPE_NS || type == RRTYPE_SOA || type == RRTYPE_RRSIG ||
	       type == RRTYPE_NSEC || type == RRTYPE_NSEC3;
}

/* *@most is that of the type itself, where it is named, before that of ANY. */
static bool is_of_type(const struct rule *r, uint16_t type, uint32_t *most)
{
	bool is_any = false;
	*most = 0;
	for (size_t i = 0; i < r->type_count; i++) {
		if (r->types[i].type == type) {
			*most = r->types[i].most;
			return true;
		}
		if (r->types[i].type == RRTYPE_ANY) {
			is_any = true;
			*most = r->types[i].most;
		}
	}
	return r->type_count == 0 ? !is_of_zone(type) : is_any;
}

bool update_policy_allows(const struct update_policy *p, const struct update_wish *wish,
			  uint32_t *most)
{
	const struct rule *r = p->first;
	while (r != NULL && !(is_of_key(r, wish->signer, wish->is_sig0) && is_of_owner(r, wish) &&
			      is_of_type(r, wish->type, most))) {
		r = r->next;
	}
	return r != NULL && r->grant;
}

bool update_policy_knows_sig0(const struct update_policy *p, const uint8_t *name)
{
	const struct rule *r = p->first;
	while (r != NULL && !is_of_key(r, name, true)) {
		r = r->next;
	}
	return r != NULL;
}

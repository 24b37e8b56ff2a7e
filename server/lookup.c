/* server/lookup.c - finds a name: RFC 1034 §4.3.2, RFC 4592, RFC 6672, RFC 4035 §3.1.4.1.
 *
 *     zone of the longest apex (for DS: the one above)
 *       |
 *     one descent of its tree, from the apex down:
 *       cut above (or at, unless DS is asked)  -> PLACE_CUT
 *       DNAME above                            -> PLACE_DNAME
 *       the name is there                      -> PLACE_NODE
 *       names below it are there               -> PLACE_EMPTY
 *       *.<closest encloser> is there          -> PLACE_WILDCARD
 *       else                                   -> PLACE_NONE */
#include "server/lookup.h"

#include "zones/base/epoch.h"
#include "zones/dns/rrtype.h"

void lookup_begin(struct lookup *l, const struct zoneset *zones, const uint8_t *name,
		  uint16_t qtype)
{
	l->name = name;
	l->qtype = qtype;
	l->is_found = false;
	l->hash_count = 0;
	dname_key_make(&l->key, name);
	l->here = zoneset_find(zones, &l->key, name, false);
	l->above = qtype == RRTYPE_DS && l->here != NULL ? zoneset_find(zones, &l->key, name, true)
							 : NULL;
	if (l->above == l->here) {
		l->above = NULL;
	}
}

const struct tree *lookup_tree(const struct lookup *l)
{
	const struct zone *z = l->above != NULL ? l->above : l->here;
	const struct version *v = z != NULL ? epoch_read(&z->current) : NULL;
	return v != NULL && !v->names.empty ? &v->names : NULL;
}

/* *.<closest encloser> is the only wildcard that may stand for the name (RFC 4592 §3.3.1). */
static struct place find_wildcard(struct lookup *l)
{
	static const uint8_t star[] = { 1, '*' };
	const unsigned encloser = l->match.encloser;
	const uint8_t *above = dname_up(l->name, l->key.labels - encloser);
	/* It is no longer than the name, which has a label there. */
	if (dname_prepend(&l->wild_name, star, above) != E_OK) {
		return (struct place){ PLACE_NONE, NULL };
	}
	dname_key_child(&l->wild_key, &l->key, encloser, star);
	tree_find_from(&l->match, l->key.end[encloser], &l->wild_key, l->wild_name.wire, &l->wild);
	/* A wildcard that owns nothing but has names below it is there too (RFC 4592 §2.2.2). */
	bool is_there = l->wild.encloser > encloser;
	return (struct place){ is_there ? PLACE_WILDCARD : PLACE_NONE, l->wild.exact };
}

static struct place find_place(struct lookup *l)
{
	struct tree_match *m = &l->match;
	tree_find(&l->version->names, &l->key, l->name, NODE_CUT | NODE_DNAME, m);
	for (unsigned i = 0; i < m->ancestors; i++) {
		const struct tree_ancestor *a = &m->ancestor[i];
		bool is_here = a->labels == l->key.labels;
		if ((a->flags & NODE_CUT) != 0 && !(is_here && l->qtype == RRTYPE_DS)) {
			return (struct place){ PLACE_CUT, a->leaf };
		}
		if ((a->flags & NODE_DNAME) != 0 && !is_here) {
			return (struct place){ PLACE_DNAME, a->leaf };
		}
	}
	if (m->exact != NULL) {
		return (struct place){ PLACE_NODE, m->exact };
	}
	if (m->encloser == l->key.labels) {
		return (struct place){ PLACE_EMPTY, NULL };
	}
	return find_wildcard(l);
}

static enum lookup_result find_in(struct lookup *l, const struct zone *z)
{
	const struct version *v = epoch_read(&z->current);
	if (v == NULL || v->soa == NULL) {
		return LOOKUP_NOT_READY;
	}
	l->zone = z;
	l->version = v;
	l->place = find_place(l);
	return LOOKUP_FOUND;
}

enum lookup_result lookup_find(struct lookup *l)
{
	if (l->is_found) {
		return l->result;
	}
	l->is_found = true;
	if (l->here == NULL) {
		l->result = LOOKUP_NO_ZONE;
		return l->result;
	}
	if (l->above != NULL) {
		l->result = find_in(l, l->above);
		/* Where the zone above delegates higher up, it is not the parent, and the child is all we know. */
		if (l->result != LOOKUP_FOUND || l->place.kind != PLACE_CUT) {
			return l->result;
		}
	}
	l->result = find_in(l, l->here);
	return l->result;
}

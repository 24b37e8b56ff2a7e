/* signer/sign_change.c - signs what an edit has touched, and what is due, in a zone that is signed.
 *
 *     apex → what differs → names to rebuild → NSEC3 records to rebuild → sign
 *
 * A name that differs is rebuilt. Where it came into the chain or went, so is its predecessor there. Where a cut or
 * DNAME came or went, all names below are, as they were or become hidden. Empty non-terminals come and go in
 * the NSEC3 chain with the names below them. */
#include <stdlib.h>
#include <string.h>

#include "signer/sign_run.h"
#include "signer/touched.h"
#include "zones/base/mem.h"

/* A name of the NSEC3 chain that may have come, gone or changed. */
struct hashed {
	uint8_t hash[NSEC3_HASH_LEN];
	const uint8_t *name; /* NULL: not known; the types stay as they are */
	bool was, is;	     /* in the chain */
};

struct change {
	struct sign_run run;
	const struct version *base;
	const struct version *state;
	struct touched names;  /* to be rebuilt */
	struct hashed *hashed; /* heap; in order of the hashes, each once, after sort_hashed */
	size_t hashed_count, hashed_cap;
	struct nsec3_record *records; /* heap */
	size_t record_count;
};

/* --- names ----------------------------------------------------------------------------------- */

/* Takes out names that own nothing any more. */
static void drop_void(struct change *c)
{
	struct node_build *b = &c->run.workers[0].build;
	for (size_t i = 0; i < c->names.count; i++) {
		const struct node *n = version_node(c->state, c->names.names[i]);
		if (n != NULL && node_is_void(n)) {
			node_build_begin(b, c->names.names[i]);
			edit_put_node(c->run.edit, node_build_end(b, false));
			c->state = edit_state(c->run.edit);
		}
	}
}

static void list_names(struct change *c, const struct node *const *due, size_t due_count)
{
	touched_find(&c->names, c->base, c->state);
	touched_add(&c->names, c->run.apex.wire);
	for (size_t i = 0; i < due_count; i++) {
		if ((due[i]->flags & NODE_NSEC3) == 0) {
			touched_add(&c->names, due[i]->name);
		}
	}
	touched_sort(&c->names);
	drop_void(c);
	if (c->run.policy->denial == DENIAL_NSEC) {
		touched_add_before(&c->names, c->base, c->state);
	}
}

static void make_items(struct change *c)
{
	struct sign_run *run = &c->run;
	run->items = mem_array(c->names.count, sizeof(*run->items));
	for (size_t i = 0; i < c->names.count; i++) {
		const struct node *n = version_node(c->state, c->names.names[i]);
		if (n == NULL) {
			continue;
		}
		struct item *item = &run->items[run->count++];
		item->node = n;
		item->published = version_node(c->base, c->names.names[i]);
		item->next = run->apex.wire;
		item->place = PLACE_OCCLUDED;
		if (!version_is_occluded(c->state, n->name, NULL)) {
			item->place = (n->flags & NODE_CUT) != 0 ? PLACE_CUT : PLACE_AUTHORITATIVE;
			const struct node *next = chain_after(c->state, n);
			/* Not the apex's node: it is the first to be replaced. */
			item->next = next != c->state->apex_node ? next->name : run->apex.wire;
		}
	}
	run->total = run->count;
}

/* --- the NSEC3 chain ------------------------------------------------------------------------- */

static void add_hashed(struct change *c, const struct hashed *h)
{
	if (c->hashed_count == c->hashed_cap) {
		c->hashed_cap = c->hashed_cap != 0 ? c->hashed_cap * 2 : 32;
		c->hashed = mem_realloc(c->hashed, c->hashed_cap, sizeof(*c->hashed));
	}
	c->hashed[c->hashed_count++] = *h;
}

static struct item item_of(const struct node *n)
{
	return (struct item){ .node = n,
			      .place = (n->flags & NODE_CUT) != 0 ? PLACE_CUT
								  : PLACE_AUTHORITATIVE };
}

static bool has_record(const struct change *c, const struct node *n)
{
	const struct item item = item_of(n);
	return !sign_is_left_out(&c->run, &item);
}

/* Is there a name with a record at or below @name? Mostly the first that is looked at. */
static bool leads_to_record(const struct change *c, const uint8_t *name)
{
	struct tree_cursor *cursor = mem_alloc(sizeof(*cursor));
	struct dname_key key;
	const struct node *hider = NULL;
	bool found = false;
	dname_key_make(&key, name);
	for (const struct node *n = tree_seek(&c->state->names, &key, cursor);
	     n != NULL && !found && dname_is_under(n->name, name); n = tree_next(cursor)) {
		if (hider != NULL && dname_is_under(n->name, hider->name)) {
			continue;
		}
		hider = node_hides(n) ? n : NULL;
		found = has_record(c, n);
	}
	mem_free(cursor);
	return found;
}

/* Adds @name, which is in the tree or an empty non-terminal; tells whether it came or went. */
static bool hash_name(struct change *c, const uint8_t *name)
{
	const struct node *n = chain_node(c->state, name);
	struct hashed h = { .name = name };
	nsec3_hash(&c->run.policy->nsec3, name, h.hash);
	h.was = nsec3_node(c->base, h.hash) != NULL;
	h.is = n != NULL && has_record(c, n);
	if (!h.is && n == NULL && !version_is_occluded(c->state, name, NULL)) {
		h.is = leads_to_record(c, name);
	}
	add_hashed(c, &h);
	return h.was != h.is;
}

static int hashed_compare(const void *a, const void *b)
{
	const struct hashed *x = a;
	const struct hashed *y = b;
	int diff = memcmp(x->hash, y->hash, NSEC3_HASH_LEN);
	/* Those with a name first: they know the types. */
	return diff != 0 ? diff : (x->name == NULL) - (y->name == NULL);
}

static void sort_hashed(struct change *c)
{
	size_t kept = 0;
	qsort(c->hashed, c->hashed_count, sizeof(*c->hashed), hashed_compare);
	for (size_t i = 0; i < c->hashed_count; i++) {
		if (kept == 0 ||
		    memcmp(c->hashed[kept - 1].hash, c->hashed[i].hash, NSEC3_HASH_LEN) != 0) {
			c->hashed[kept++] = c->hashed[i];
		}
	}
	c->hashed_count = kept;
}

static void hash_names(struct change *c, const struct node *const *due, size_t due_count)
{
	const unsigned apex_labels = c->base->apex_labels;
	for (size_t i = 0; i < c->names.count; i++) {
		const uint8_t *name = c->names.names[i];
		if (!hash_name(c, name)) {
			continue;
		}
		for (unsigned up = 1; up + apex_labels < dname_labels(name); up++) {
			(void)hash_name(c, dname_up(name, up));
		}
	}
	for (size_t i = 0; i < due_count; i++) {
		struct hashed h = { .was = true, .is = true };
		if ((due[i]->flags & NODE_NSEC3) != 0 &&
		    nsec3_owner_hash(due[i]->name, h.hash) == E_OK) {
			add_hashed(c, &h);
		}
	}
	sort_hashed(c);
}

/* Puts an unsigned record in its place, to be made right when all have come and gone. */
static int put_stub(struct change *c, const struct hashed *h)
{
	static const uint8_t rdata[5 + 1 + NSEC3_HASH_LEN] = { NSEC3_SHA1, 0, 0,
							       0,	   0, NSEC3_HASH_LEN };
	struct node_build *b = &c->run.workers[0].build;
	struct dname owner;
	int err = nsec3_owner(h->hash, c->run.apex.wire, &owner);
	if (err != E_OK) {
		return err;
	}
	if (nsec3_node(c->state, h->hash) != NULL) {
		char name[DNAME_TEXT_MAX];
		(void)dname_to_text(h->name, name);
		return err_set(c->run.em, E_EXIST,
			       "%s has the same NSEC3 hash as another name; use another salt",
			       name);
	}
	node_build_begin(b, owner.wire);
	node_build_set(b, RRTYPE_NSEC3, 0);
	node_build_rr(b, c->run.nsec_ttl, rdata, sizeof(rdata));
	edit_put_node(c->run.edit, node_build_end(b, false));
	c->state = edit_state(c->run.edit);
	return E_OK;
}

static int move_records(struct change *c)
{
	int err = E_OK;
	for (size_t i = 0; i < c->hashed_count && err == E_OK; i++) {
		const struct hashed *h = &c->hashed[i];
		struct dname owner;
		if (h->was && !h->is) {
			err = nsec3_owner(h->hash, c->run.apex.wire, &owner);
			if (err == E_OK) {
				edit_drop_nsec3(c->run.edit, owner.wire);
				c->state = edit_state(c->run.edit);
			}
		} else if (h->is && !h->was) {
			err = put_stub(c, h);
		}
	}
	return err;
}

static int hash_beside(const struct change *c, const uint8_t *hash, bool is_before, uint8_t *out)
{
	const struct node *n = nsec3_beside(c->state, hash, is_before);
	return n != NULL ? nsec3_owner_hash(n->name, out) : E_NOENT;
}

static int add_neighbours(struct change *c)
{
	const size_t count = c->hashed_count;
	int err = E_OK;
	for (size_t i = 0; i < count && err == E_OK; i++) {
		if (c->hashed[i].was != c->hashed[i].is) {
			struct hashed before = { .was = true, .is = true };
			err = hash_beside(c, c->hashed[i].hash, true, before.hash);
			add_hashed(c, &before);
		}
	}
	sort_hashed(c);
	return err;
}

/* What the record of @h has to say. The bitmap goes to the arena. */
static int make_record(struct change *c, const struct hashed *h, struct nsec3_record *r)
{
	uint8_t map[TYPEMAP_MAX];
	struct writer out = writer_of(map, sizeof(map));
	int err = hash_beside(c, h->hash, false, r->next);
	memcpy(r->hash, h->hash, NSEC3_HASH_LEN);
	r->old = nsec3_node(c->state, h->hash);
	if (err == E_OK && h->name != NULL) {
		const struct node *n = chain_node(c->state, h->name);
		const struct item item = n != NULL ? item_of(n) : (struct item){ 0 };
		err = sign_nsec3_types(n != NULL ? &item : NULL, &out);
		r->map = arena_dup(&c->names.arena, map, writer_len(&out));
		r->map_len = writer_len(&out);
	} else if (err == E_OK) {
		struct nsec3 n3 = { .map_len = 0 };
		int count = nsec3_of_node(r->old, &n3);
		err = count > 0 ? E_OK : count < 0 ? count : E_MISMATCH;
		r->map = n3.map;
		r->map_len = n3.map_len;
	}
	return err;
}

static int record_work(void *arg, unsigned worker, size_t job)
{
	struct change *c = arg;
	struct sign_slot *slot = &c->run.slots[job % SIGN_WINDOW];
	size_t from = job * c->run.slice;
	size_t end = from + c->run.slice < c->record_count ? from + c->run.slice : c->record_count;
	int err = E_OK;
	for (size_t i = from; i < end && err == E_OK; i++) {
		const struct node *image;
		err = sign_nsec3_node(&c->run, &c->run.workers[worker], &c->records[i], &image);
		if (image != NULL) {
			sign_slot_add(slot, image);
		}
	}
	return err;
}

static int record_finish(void *arg, size_t job)
{
	struct change *c = arg;
	sign_slot_finish(&c->run, &c->run.slots[job % SIGN_WINDOW]);
	return E_OK;
}

static int sign_records(struct change *c)
{
	int err = E_OK;
	c->records = mem_array(c->hashed_count, sizeof(*c->records));
	for (size_t i = 0; i < c->hashed_count && err == E_OK; i++) {
		if (c->hashed[i].is) {
			err = make_record(c, &c->hashed[i], &c->records[c->record_count++]);
		}
	}
	const struct parallel p = {
		.threads = c->run.threads,
		.jobs = (c->record_count + c->run.slice - 1) / c->run.slice,
		.window = SIGN_WINDOW,
		.work = record_work,
		.finish = record_finish,
		.arg = c,
	};
	return err == E_OK ? parallel_run(&p) : err;
}

static int change_nsec3(struct change *c, const struct node *const *due, size_t due_count)
{
	hash_names(c, due, due_count);
	int err = move_records(c);
	if (err == E_OK) {
		err = add_neighbours(c);
	}
	return err == E_OK ? sign_records(c) : err;
}

/* --- the order of things --------------------------------------------------------------------- */

static bool same_set(const struct node *a, const struct node *b, uint16_t type)
{
	return rrset_same_records(a != NULL ? node_find(a, type) : NULL,
				  b != NULL ? node_find(b, type) : NULL);
}

/* Does what holds for all names of the zone stay as it was? */
static bool is_local(const struct change *c)
{
	const struct sign_policy *p = c->run.policy;
	const struct version *base = c->base;
	const struct node *before = base->apex_node;
	const struct node *after = c->state->apex_node;
	if (p->sign_all || !base->secure || base->denial != p->denial ||
	    base->negative_ttl != c->state->negative_ttl ||
	    !same_set(before, after, RRTYPE_DNSKEY) ||
	    !same_set(before, after, RRTYPE_NSEC3PARAM)) {
		return false;
	}
	return p->denial != DENIAL_NSEC3 ||
	       (nsec3_param_same(&base->nsec3_param, &p->nsec3) &&
		nsec3_opts_out(base) == ((p->nsec3.flags & NSEC3_OPT_OUT) != 0));
}

int sign_change(struct edit *e, const struct version *base, const struct node *const *due,
		size_t due_count, const struct holder *holder, const struct sign_policy *policy,
		struct sign_stats *stats, struct errmsg *em)
{
	struct sign_policy p = *policy;
	struct change c = { .base = base };
	p.trusted = true; /* only signatures that were published for the same records are kept */
	int err = sign_begin(&c.run, e, holder, &p, em);
	if (err != E_OK) {
		goto out;
	}
	c.run.base = base;
	c.state = edit_state(e);
	list_names(&c, due, due_count);
	if (!is_local(&c)) {
		err = sign_all(&c.run);
		goto out;
	}
	c.run.slice = SIGN_SLICE_CHANGE;
	if (p.denial == DENIAL_NSEC3) {
		err = change_nsec3(&c, due, due_count);
	}
	if (err == E_OK) {
		c.state = edit_state(e);
		make_items(&c);
		err = sign_items(&c.run);
	}
	if (err == E_OK) {
		err = sign_zonemd(&c.run);
	}
out:
	sign_fail(&c.run, err);
	sign_end(&c.run, stats);
	touched_clear(&c.names);
	mem_free(c.hashed);
	mem_free(c.records);
	return err;
}

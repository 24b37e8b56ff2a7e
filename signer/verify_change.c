/* signer/verify_change.c - verifies what a change has touched: new sets, and the chain around them.
 *
 *     keys → names that differ, and who stands before them → NSEC3 records that differ, or that these names
 *     must have → digest */
#include <string.h>

#include "signer/touched.h"
#include "signer/verify_run.h"
#include "zones/base/mem.h"
#include "zones/base/parallel.h"

/* What a thread takes at a time; a change has few. */
#define SLICE STRESSED(8, 2)

struct verify_memory {
	struct verify_run run;
	struct verify_worker *workers; /* heap */
	unsigned worker_count;
	struct buf dnskeys;	     /* the set whose keys the run has, with its signatures */
	const struct holder *holder; /* of the workers' sessions */
};

struct change {
	struct verify_run *run;
	struct verify_worker *w; /* the first of memory->workers */
	struct verify_memory *memory;
	struct touched names;
	size_t moved; /* NSEC3 records that came or went */
};

/* --- names ----------------------------------------------------------------------------------- */

static struct verify_item item_of(const struct version *v, const struct node *n)
{
	struct verify_item item = { .node = n };
	const struct node *cut = NULL;
	if (version_is_occluded(v, n->name, &cut)) {
		item.place = VERIFY_OCCLUDED;
		item.below_dname = (cut->flags & NODE_CUT) == 0;
	} else if (node_is_void(n)) {
		item.place = VERIFY_VOID;
	} else {
		item.place = (n->flags & NODE_CUT) != 0 ? VERIFY_CUT : VERIFY_AUTHORITATIVE;
	}
	return item;
}

/* Behind the items stands for each the next of the chain, where verify_name looks for it. */
static void list_items(struct change *c)
{
	struct verify_run *run = c->run;
	const size_t count = c->names.count;
	run->items = mem_array(count * 2, sizeof(*run->items));
	for (size_t i = 0; i < count; i++) {
		const struct node *n = version_node(run->v, c->names.names[i]);
		if (n == NULL) {
			continue;
		}
		const size_t at = run->item_count++;
		run->items[at] = item_of(run->v, n);
		run->items[at].next = (uint32_t)(count + at);
		run->items[count + at].node = chain_after(run->v, n);
	}
}

/* --- the NSEC3 chain ------------------------------------------------------------------------- */

/* Does the record of @n point at the next of the chain? */
static void verify_next(struct change *c, const struct node *n)
{
	struct verify_worker *w = c->w;
	uint8_t hash[NSEC3_HASH_LEN];
	uint8_t wanted[NSEC3_HASH_LEN];
	struct nsec3 n3;
	w->owner = n->name;
	w->type = RRTYPE_NSEC3;
	if (nsec3_of_node(n, &n3) != 1 || nsec3_owner_hash(n->name, hash) != E_OK ||
	    !nsec3_param_same(&n3.param, &c->run->v->nsec3_param)) {
		verify_report(w, VERIFY_NSEC3_STRAY, "not one record of the chain");
		return;
	}
	const struct node *next = nsec3_beside(c->run->v, hash, false);
	if (next == NULL || nsec3_owner_hash(next->name, wanted) != E_OK ||
	    memcmp(n3.next, wanted, NSEC3_HASH_LEN) != 0) {
		verify_report(w, VERIFY_NSEC3_NEXT, "does not point at the next hash");
	}
	if ((n3.param.flags & ~NSEC3_OPT_OUT) != 0) {
		verify_report(w, VERIFY_NSEC3_FLAGS, "flags are %u", n3.param.flags);
	}
}

static void add_record(struct verify_run *run, const struct node *n)
{
	if (run->nsec3_count == run->nsec3_cap) {
		run->nsec3_cap = run->nsec3_cap != 0 ? run->nsec3_cap * 2 : 16;
		run->nsec3 = mem_realloc(run->nsec3, run->nsec3_cap, sizeof(const struct node *));
	}
	run->nsec3[run->nsec3_count++] = n;
}

static void on_record(void *arg, const void *before, const void *after)
{
	struct change *c = arg;
	const struct node *old = before;
	const struct node *new = after;
	uint8_t hash[NSEC3_HASH_LEN];
	if (new != NULL) {
		add_record(c->run, new);
		verify_next(c, new);
	}
	if (new == NULL || old == NULL) {
		c->moved++;
		const struct node *n = new != NULL ? new : old;
		const struct node *beside = NULL;
		if (nsec3_owner_hash(n->name, hash) == E_OK) {
			beside = nsec3_beside(c->run->v, hash, true);
		}
		if (beside != NULL) {
			verify_next(c, beside);
		}
	}
}

static bool covering_opts_out(const struct version *v, const uint8_t *hash)
{
	struct nsec3 n3;
	return nsec3_of_node(nsec3_beside(v, hash, true), &n3) == 1 &&
	       (n3.param.flags & NSEC3_OPT_OUT) != 0;
}

/* Is there a name of the chain at or below @name: any, or one that opt-out does not leave out? */
static bool leads_to(const struct version *v, const uint8_t *name, bool but_insecure_cuts)
{
	struct tree_cursor *cursor = mem_alloc(sizeof(*cursor));
	struct dname_key key;
	bool found = false;
	dname_key_make(&key, name);
	for (const struct node *n = tree_seek(&v->names, &key, cursor);
	     n != NULL && !found && dname_is_under(n->name, name); n = tree_next(cursor)) {
		const struct verify_item item = item_of(v, n);
		found = item.place <= VERIFY_CUT &&
			!(but_insecure_cuts && verify_is_insecure_cut(&item));
	}
	mem_free(cursor);
	return found;
}

/* Has @name, one of the tree or above one of it, the NSEC3 record that it must have, and none otherwise? */
static void verify_record(struct change *c, const uint8_t *name, const uint8_t *hash,
			  const struct node *record)
{
	const struct version *v = c->run->v;
	struct verify_worker *w = c->w;
	const struct node *n = version_node(v, name);
	const struct verify_item item = n != NULL ? item_of(v, n) : (struct verify_item){ 0 };
	const bool is_name = n != NULL && item.place <= VERIFY_CUT;
	const bool is_hidden = !is_name && version_is_occluded(v, name, NULL);
	struct nsec3 n3;
	w->owner = name;
	w->type = RRTYPE_NSEC3;
	if (record != NULL) {
		if (!is_name && (is_hidden || !leads_to(v, name, false))) {
			verify_report(w, VERIFY_NSEC3_STRAY, "a record, but no such name");
		} else if (nsec3_of_node(record, &n3) == 1) {
			verify_nsec3_want(w, is_name ? &item : NULL);
			verify_types(w, VERIFY_NSEC3_TYPES, n3.map, n3.map_len);
		}
		return;
	}
	if (is_hidden || (!is_name && !leads_to(v, name, false))) {
		return;
	}
	if (is_name ? !verify_is_insecure_cut(&item) : leads_to(v, name, true)) {
		verify_report(w, VERIFY_NSEC3_MISSING, "no record");
	} else if (!covering_opts_out(v, hash)) {
		verify_report(w, VERIFY_NSEC3_OPT_OUT,
			      "no record, and the one before it does not opt out");
	}
}

static const struct node *record_of(const struct version *v, const uint8_t *name,
				    uint8_t hash[NSEC3_HASH_LEN])
{
	nsec3_hash(&v->nsec3_param, name, hash);
	return nsec3_node(v, hash);
}

/* Adds the empty non-terminals above names whose records came or went, which may have done so too. */
static void add_above(struct change *c)
{
	const size_t count = c->names.count;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *name = c->names.names[i];
		const unsigned labels = dname_labels(name);
		uint8_t hash[NSEC3_HASH_LEN];
		const bool was = record_of(c->run->base, name, hash) != NULL;
		if (was == (record_of(c->run->v, name, hash) != NULL)) {
			continue;
		}
		for (unsigned up = 1; up + c->run->v->apex_labels < labels; up++) {
			touched_add(&c->names, dname_up(name, up));
		}
	}
	touched_sort(&c->names);
}

static void verify_chain(struct change *c)
{
	size_t moved = 0;
	tree_diff(&c->run->base->nsec3, &c->run->v->nsec3, on_record, c);
	add_above(c);
	for (size_t i = 0; i < c->names.count; i++) {
		const uint8_t *name = c->names.names[i];
		uint8_t hash[NSEC3_HASH_LEN];
		const struct node *record = record_of(c->run->v, name, hash);
		moved += (record != NULL) != (nsec3_node(c->run->base, hash) != NULL);
		verify_record(c, name, hash, record);
	}
	if (moved != c->moved) {
		c->w->owner = c->run->v->apex.wire;
		c->w->type = RRTYPE_NSEC3;
		verify_report(c->w, VERIFY_NSEC3_STRAY, "%zu records came or went for no reason",
			      c->moved - moved);
	}
}

/* --- the order of things --------------------------------------------------------------------- */

/* Reads and verifies the keys, unless they are those that are remembered. */
static int get_keys(struct change *c)
{
	struct verify_memory *m = c->memory;
	struct verify_run *run = c->run;
	const struct rrset *rs = node_find(run->v->apex_node, RRTYPE_DNSKEY);
	const size_t len = rs != NULL ? rs->data_len + rs->sig_len : 0;
	if (rs != NULL && len == m->dnskeys.len && run->key_count != 0 &&
	    m->holder == run->opt->holder && memcmp(rrset_data(rs), m->dnskeys.data, len) == 0) {
		return E_OK;
	}
	for (unsigned i = 0; i < m->worker_count; i++) {
		for (size_t k = 0; k < VERIFY_KEYS_MAX; k++) {
			crypto_verifier_free(m->workers[i].verifier[k]);
			m->workers[i].verifier[k] = NULL;
		}
		holder_session_close(m->workers[i].session);
		m->workers[i].session = NULL;
	}
	verify_keys_clear(run);
	run->key_count = run->algorithm_count = 0;
	run->key_signers = 0;
	int err = verify_keys(run, c->w);
	for (size_t i = 0; i < run->key_count; i++) {
		run->keys[i].rdata = NULL; /* the version's, which goes; nobody asks any more */
		run->keys[i].len = 0;
	}
	m->dnskeys.len = 0;
	m->holder = run->opt->holder;
	if (err == E_OK) {
		buf_add(&m->dnskeys, rrset_data(rs), len);
	}
	return err;
}

static int verify_touched(struct change *c, unsigned threads, struct findings *findings)
{
	struct verify_run *run = c->run;
	const struct version *v = run->v;
	c->w->owner = v->apex.wire;
	if (v->soa == NULL) {
		verify_report(c->w, VERIFY_NO_SOA, "no SOA record");
		return E_CHECK;
	}
	int err = get_keys(c);
	if (err != E_OK) {
		return err;
	}
	touched_find(&c->names, run->base, v);
	run->nsec = v->denial == DENIAL_NSEC;
	if (run->nsec) {
		touched_add_before(&c->names, run->base, v);
	} else if (v->denial == DENIAL_NONE) {
		verify_report(c->w, VERIFY_NO_CHAIN, "neither NSEC nor NSEC3PARAM at the apex");
	}
	list_items(c);
	if (v->denial == DENIAL_NSEC3) {
		verify_chain(c);
	}
	return verify_parts(run, c->memory->workers, threads, findings);
}

/* Does what all signatures and the whole chain depend on stay as it was? */
static bool is_local(const struct version *base, const struct version *v)
{
	const struct rrset *before =
		base->apex_node != NULL ? node_find(base->apex_node, RRTYPE_DNSKEY) : NULL;
	const struct rrset *after =
		v->apex_node != NULL ? node_find(v->apex_node, RRTYPE_DNSKEY) : NULL;
	return before != NULL && rrset_same_records(before, after) && base->denial == v->denial &&
	       base->negative_ttl == v->negative_ttl &&
	       (v->denial != DENIAL_NSEC3 ||
		(nsec3_param_same(&base->nsec3_param, &v->nsec3_param) &&
		 nsec3_opts_out(base) == nsec3_opts_out(v)));
}

struct verify_memory *verify_memory_new(void)
{
	return mem_zalloc(sizeof(struct verify_memory));
}

void verify_memory_free(struct verify_memory *m)
{
	if (m != NULL) {
		for (unsigned i = 0; i < m->worker_count; i++) {
			verify_worker_clear(&m->workers[i]);
		}
		mem_free(m->workers);
		verify_keys_clear(&m->run);
		buf_clear(&m->dnskeys);
		mem_free(m);
	}
}

/* Sees to it that there are @threads workers, and sets them to @findings. */
static void prepare_workers(struct verify_memory *m, unsigned threads, struct findings *findings)
{
	if (m->worker_count < threads) {
		m->workers = mem_realloc(m->workers, threads, sizeof(*m->workers));
		memset(m->workers + m->worker_count, 0,
		       (threads - m->worker_count) * sizeof(*m->workers));
		m->worker_count = threads;
	}
	for (unsigned i = 0; i < threads; i++) {
		struct verify_worker *w = &m->workers[i];
		w->run = &m->run;
		w->proved = 0;
		w->findings = findings;
		w->stats = (struct verify_stats){ .first_expiration = INT64_MAX };
	}
}

int verify_change(const struct version *base, const struct version *v,
		  const struct verify_options *opt, struct verify_stats *stats,
		  struct findings *findings)
{
	if (!is_local(base, v)) {
		return verify_version(v, opt, stats, findings);
	}
	struct verify_memory *own = opt->memory == NULL ? verify_memory_new() : NULL;
	struct verify_memory *m = own != NULL ? own : opt->memory;
	struct verify_run *run = &m->run;
	const unsigned threads = parallel_threads(opt->threads);
	const struct verify_options plain = { .now = opt->now, .holder = opt->holder };
	const size_t errors = findings->errors;
	prepare_workers(m, threads, findings);
	struct change c = { .run = run, .w = m->workers, .memory = m };
	run->v = v;
	run->base = base;
	run->opt = &plain;
	run->slice = SLICE;
	int err = verify_touched(&c, threads, findings);
	*stats = m->workers[0].stats;
	for (unsigned i = 1; i < threads; i++) {
		verify_stats_add(stats, &m->workers[i].stats);
	}
	touched_clear(&c.names);
	mem_free(run->items);
	mem_free(run->nsec3);
	run->items = NULL;
	run->nsec3 = NULL;
	run->item_count = run->nsec3_count = run->nsec3_cap = 0;
	verify_memory_free(own);
	if (err == E_OK && findings->errors != errors) {
		err = E_CHECK;
	}
	if (err != E_OK && own == NULL) {
		m->dnskeys.len = 0; /* look at the keys again */
	}
	return err;
}

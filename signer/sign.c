/* signer/sign.c - signs a zone: the order of things.
 *
 *     pick keys → change the apex → each name → NSEC3 chain → ZONEMD
 *
 * Names are taken in slices by all threads: listed, signed, and hashed for the NSEC3 chain. What they make is put into the
 * edit in order, so the result does not depend on how many there are. */
#include "signer/sign.h"

#include <string.h>

#include "signer/sign_run.h"
#include "signer/touched.h"
#include "zones/base/mem.h"

/* --- the names ------------------------------------------------------------------------------- */

/* The walk that lists them. A slice is listed right before it is worked on, and with it what follows up to the next name of
 * the chain: so all that the list still looks at is not signed yet, as what is signed is replaced. */
struct name_list {
	struct tree_cursor cursor;
	const struct node *at;	  /* the next to list */
	const struct node *hides; /* the cut or DNAME below which it may be */
	size_t count;		  /* listed */
	size_t open;		  /* items from here on do not know yet who is next */
	struct dname before;	  /* the last that has an NSEC3 record */
};

static void set_next(struct sign_run *run, size_t end, const uint8_t *next)
{
	while (run->list->open < end) {
		run->items[run->list->open++].next = next;
	}
}

/* Names below a cut or DNAME come right behind it. */
static void list_name(struct sign_run *run)
{
	struct name_list *l = run->list;
	struct item *item = &run->items[l->count++];
	const struct node *n = l->at;
	l->at = tree_next(&l->cursor);
	item->node = n;
	item->published = run->base != NULL ? version_node(run->base, n->name) : n;
	item->place = PLACE_OCCLUDED;
	if ((l->hides != NULL && dname_is_under(n->name, l->hides->name)) || node_is_void(n)) {
		return;
	}
	item->place = (n->flags & NODE_CUT) != 0 ? PLACE_CUT : PLACE_AUTHORITATIVE;
	l->hides = node_hides(n) ? n : NULL;
	set_next(run, l->count - 1, n->name);
	if (run->chain != NULL && !sign_is_left_out(run, item)) {
		item->shared = (uint8_t)dname_common_labels(l->before.wire, n->name);
		dname_set(&l->before, n->name);
	}
}

static int list_slice(void *arg, size_t job)
{
	struct sign_run *run = arg;
	struct name_list *l = run->list;
	while (l->at != NULL && l->open < (job + 1) * SIGN_SLICE) {
		list_name(run);
	}
	if (l->at == NULL) {
		set_next(run, l->count, run->apex.wire);
	}
	return E_OK;
}

static int node_work(void *arg, unsigned worker, size_t job)
{
	struct sign_run *run = arg;
	struct sign_slot *slot = &run->slots[job % SIGN_WINDOW];
	struct sign_worker *w = &run->workers[worker];
	size_t from = job * run->slice;
	size_t end = from + run->slice < run->count ? from + run->slice : run->count;
	slot->count = end - from;
	for (size_t i = from; i < end; i++) {
		const struct node *image;
		int err = sign_node(run, w, &run->items[i], &image);
		if (err == E_OK && run->chain != NULL) {
			err = sign_nsec3_hash(run, w, &run->items[i], slot);
		}
		if (err != E_OK) {
			return err;
		}
		if (image != NULL) {
			sign_slot_add(slot, image);
		}
	}
	return E_OK;
}

static int node_finish(void *arg, size_t job)
{
	struct sign_run *run = arg;
	struct sign_slot *slot = &run->slots[job % SIGN_WINDOW];
	if (run->chain != NULL) {
		sign_nsec3_take(run, slot);
	}
	sign_slot_finish(run, slot);
	return E_OK;
}

int sign_items(struct sign_run *run)
{
	const struct parallel p = {
		.threads = run->threads,
		.jobs = (run->count + run->slice - 1) / run->slice,
		.window = SIGN_WINDOW,
		.start = run->list != NULL ? list_slice : NULL,
		.work = node_work,
		.finish = node_finish,
		.arg = run,
	};
	int err = parallel_run(&p);
	if (err == E_OK) {
		sign_take_out(run);
	}
	return err;
}

/* --- workers --------------------------------------------------------------------------------- */

static int workers_open(struct sign_run *run)
{
	run->workers = mem_array(run->threads, sizeof(*run->workers));
	run->slots = mem_array(SIGN_WINDOW, sizeof(*run->slots));
	for (unsigned i = 0; i < run->threads; i++) {
		struct sign_worker *w = &run->workers[i];
		w->stats.next_due = INT64_MAX;
		if (i == 0 && run->policy->session != NULL) {
			w->session = run->policy->session;
			continue;
		}
		int err = holder_session_open(run->holder, &w->session);
		if (err != E_OK) {
			return err_set(run->em, err, "cannot prepare the keys for signing: %s",
				       err_text(err));
		}
	}
	return E_OK;
}

static void workers_close(struct sign_run *run, struct sign_stats *stats)
{
	*stats = (struct sign_stats){ .next_due = INT64_MAX };
	for (unsigned i = 0; run->workers != NULL && i < run->threads; i++) {
		struct sign_worker *w = &run->workers[i];
		stats->made += w->stats.made;
		stats->kept += w->stats.kept;
		stats->dropped += w->stats.dropped;
		stats->chain += w->stats.chain;
		if (w->stats.next_due < stats->next_due) {
			stats->next_due = w->stats.next_due;
		}
		if (w->session != run->policy->session) {
			holder_session_close(w->session);
		}
		for (size_t k = 0; k < SIGN_KEYS_MAX; k++) {
			crypto_verifier_free(w->verifier[k]);
		}
		node_build_clear(&w->build);
		buf_clear(&w->scratch);
		buf_clear(&w->single);
		arena_clear(&w->maps);
	}
	for (size_t i = 0; run->slots != NULL && i < SIGN_WINDOW; i++) {
		buf_clear(&run->slots[i].images);
		buf_clear(&run->slots[i].hashes);
	}
	mem_free(run->workers);
	mem_free(run->slots);
}

static int check_policy(const struct sign_run *run)
{
	const struct sign_policy *p = run->policy;
	if (p->denial == DENIAL_NSEC3 && p->nsec3.iterations > SIGN_ITERATIONS_MAX) {
		return err_set(run->em, E_LIMIT,
			       "%u NSEC3 iterations are refused (more than %d); use 0 (RFC 9276)",
			       p->nsec3.iterations, SIGN_ITERATIONS_MAX);
	}
	if (p->expiration - p->jitter <= p->now || p->inception >= p->expiration) {
		return err_set(
			run->em, E_RANGE,
			"the signatures would not be valid now; check start, end and jitter");
	}
	return E_OK;
}

int sign_begin(struct sign_run *run, struct edit *e, const struct holder *holder,
	       const struct sign_policy *policy, struct errmsg *em)
{
	*run = (struct sign_run){
		.edit = e,
		.holder = holder,
		.policy = policy,
		.slice = SIGN_SLICE,
		.threads = parallel_threads(policy->threads),
		.em = em,
	};
	if (em != NULL) {
		em->text[0] = '\0';
	}
	dname_set(&run->apex, edit_apex(e));
	int err = check_policy(run);
	if (err == E_OK) {
		err = sign_pick_keys(run);
	}
	if (err == E_OK) {
		err = workers_open(run);
	}
	return err == E_OK ? sign_apex(run) : err;
}

void sign_end(struct sign_run *run, struct sign_stats *stats)
{
	workers_close(run, stats);
	sign_nsec3_end(run);
	buf_clear(&run->gone.images);
	mem_free(run->list);
	mem_free(run->items);
}

int sign_all(struct sign_run *run)
{
	const struct version *state = edit_state(run->edit);
	run->total = run->count = state->names.leaves;
	run->items = mem_array(run->count, sizeof(*run->items));
	run->list = mem_zalloc(sizeof(*run->list));
	run->list->at = tree_first(&state->names, &run->list->cursor);
	dname_set(&run->list->before, run->apex.wire);
	if (run->policy->denial == DENIAL_NSEC3) {
		run->total *= 2; /* about as many records will come */
		sign_nsec3_begin(run);
	} else {
		sign_nsec3_remove(run);
	}
	int err = sign_items(run);
	if (err == E_OK && run->chain != NULL) {
		err = sign_nsec3_chain(run);
	}
	return err == E_OK ? sign_zonemd(run) : err;
}

void sign_fail(const struct sign_run *run, int err)
{
	if (err != E_OK && run->em != NULL && run->em->text[0] == '\0') {
		err_set(run->em, err, "signing failed: %s", err_text(err));
	}
}

int sign_zone(struct edit *e, const struct holder *holder, const struct sign_policy *policy,
	      struct sign_stats *stats, struct errmsg *em)
{
	struct sign_run run;
	int err = sign_begin(&run, e, holder, policy, em);
	if (err == E_OK) {
		err = sign_all(&run);
	}
	sign_fail(&run, err);
	sign_end(&run, stats);
	return err;
}

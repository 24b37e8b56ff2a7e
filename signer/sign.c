/* signer/sign.c - signs a zone: the order of things.
 *
 *     pick keys → change the apex → list the names → NSEC3 chain → each node → ZONEMD
 *
 * The NSEC3 chain comes before the nodes, because both look at the nodes as they were. Names are
 * taken in slices by all threads; what they make is put into the edit in order, so the result
 * does not depend on how many there are. */
#include "signer/sign.h"

#include <string.h>

#include "signer/sign_run.h"
#include "zones/base/mem.h"

/* --- the names ------------------------------------------------------------------------------- */

/* Lists all names in canonical order with their place. Names below a cut or DNAME come right
 * behind it. */
static void list_names(struct sign_run *run, const struct version *state)
{
	struct tree_cursor *c = mem_alloc(sizeof(*c));
	const struct node *hides = NULL; /* the cut or DNAME below which we are */
	run->items = mem_array(state->names.leaves, sizeof(*run->items));
	run->count = 0;
	for (const struct node *n = tree_first(&state->names, c); n != NULL; n = tree_next(c)) {
		struct item *item = &run->items[run->count++];
		item->node = n;
		item->published = run->base != NULL ? version_node(run->base, n->name) : n;
		item->place = PLACE_AUTHORITATIVE;
		if (hides != NULL && dname_is_under(n->name, hides->name)) {
			item->place = PLACE_OCCLUDED;
			continue;
		}
		hides = NULL;
		if ((n->flags & NODE_CUT) != 0) {
			item->place = PLACE_CUT;
		}
		if ((n->flags & (NODE_CUT | NODE_DNAME)) != 0) {
			hides = n;
		}
	}
	mem_free(c);
	const uint8_t *next = run->apex.wire;
	for (size_t i = run->count; i-- != 0;) {
		run->items[i].next = next;
		if (run->items[i].place != PLACE_OCCLUDED) {
			next = run->items[i].node->name;
		}
	}
}

static int node_work(void *arg, unsigned worker, size_t job)
{
	struct sign_run *run = arg;
	struct sign_slot *slot = &run->slots[job % SIGN_WINDOW];
	size_t from = job * run->slice;
	size_t end = from + run->slice < run->count ? from + run->slice : run->count;
	slot->count = end - from;
	for (size_t i = from; i < end; i++) {
		const struct node *image;
		int err = sign_node(run, &run->workers[worker], &run->items[i], &image);
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
	sign_slot_finish(run, &run->slots[job % SIGN_WINDOW]);
	return E_OK;
}

int sign_items(struct sign_run *run)
{
	const struct parallel p = {
		.threads = run->threads,
		.jobs = (run->count + run->slice - 1) / run->slice,
		.window = SIGN_WINDOW,
		.work = node_work,
		.finish = node_finish,
		.arg = run,
	};
	int err = parallel_run(&p);
	return err == E_OK && run->zonemd_later ? sign_zonemd(run, edit_state(run->edit)) : err;
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
	}
	for (size_t i = 0; run->slots != NULL && i < SIGN_WINDOW; i++) {
		buf_clear(&run->slots[i].images);
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
	mem_free(run->items);
}

int sign_all(struct sign_run *run)
{
	int err = E_OK;
	list_names(run, edit_state(run->edit));
	run->total = run->count;
	if (run->policy->denial == DENIAL_NSEC3) {
		err = sign_nsec3_chain(run);
	} else {
		sign_nsec3_remove(run);
	}
	return err == E_OK ? sign_items(run) : err;
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

/* signer/verify.c - verifies a zone: the order of things.
 *
 *     keys → list the names → read the NSEC3 chains → each name, each NSEC3 owner, the digest → close
 *
 * Names are taken in slices by all threads; findings are handed over in the order of the slices, so
 * they do not depend on how many threads there are. */
#include "signer/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "signer/touched.h"
#include "signer/verify_run.h"
#include "zones/base/mem.h"
#include "zones/base/parallel.h"

const struct verify_kind_info *verify_kind_info(enum verify_kind kind)
{
	enum { WARN = false, ERROR = true };
	static const struct verify_kind_info table[VERIFY_KINDS] = {
#define X(id, kind_name, level, kind_rfc, text) { kind_name, level, kind_rfc, text },
		VERIFY_MAP(X)
#undef X
	};
	return &table[kind];
}

/* --- findings -------------------------------------------------------------------------------- */

/* Longer names are cut, so that what is wrong with them still fits into a finding. */
#define NAME_SHOWN 200

static const char *name_text(const uint8_t *name, char out[DNAME_TEXT_MAX])
{
	if (dname_to_text(name, out) > NAME_SHOWN) {
		memcpy(out + NAME_SHOWN, "...", 4);
	}
	return out;
}

static void report(struct verify_worker *w, enum verify_kind kind, bool is_error, const char *text)
{
	const struct verify_kind_info *info = verify_kind_info(kind);
	char zone[DNAME_TEXT_MAX];
	char owner[DNAME_TEXT_MAX];
	char type[RRTYPE_TEXT_MAX + 1] = "";
	if (w->type != 0) {
		char name[RRTYPE_TEXT_MAX];
		(void)snprintf(type, sizeof(type), " %s", rrtype_to_text(w->type, name));
	}
	w->stats.found[kind]++;
	findings_add(w->findings, is_error, "%s: %s%s: %s [%s, %s]",
		     name_text(w->run->v->apex.wire, zone), name_text(w->owner, owner), type, text,
		     info->name, info->rfc);
}

void verify_report(struct verify_worker *w, enum verify_kind kind, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report(w, kind, verify_kind_info(kind)->is_error, text);
}

void verify_warn(struct verify_worker *w, enum verify_kind kind, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report(w, kind, false, text);
}

/* Moves what was found to the end of @to; what is not kept as text is still counted. */
static void findings_move(struct findings *to, struct findings *from)
{
	size_t errors = 0;
	for (size_t i = 0; i < from->count; i++) {
		findings_add(to, from->items[i].is_error, "%s", from->items[i].text);
		errors += from->items[i].is_error ? 1U : 0U;
	}
	to->errors += from->errors - errors;
	to->warnings += from->warnings - (from->count - errors);
	findings_clear(from);
}

/* --- the names ------------------------------------------------------------------------------- */

static bool is_in_chain(const struct verify_item *item)
{
	return item->place <= VERIFY_CUT;
}

/* Lists all names in canonical order with their place. Names below a cut or DNAME come right behind it.
 * True when an NSEC record was seen where one may be. */
static bool list_names(struct verify_run *run)
{
	const struct tree *t = &run->v->names;
	struct tree_cursor *c = mem_alloc(sizeof(*c));
	const struct node *hides = NULL;  /* the cut or DNAME below which we are */
	const struct node *before = NULL; /* in the chain */
	bool nsec = false;
	run->items = mem_array(t->leaves, sizeof(*run->items));
	for (const struct node *n = tree_first(t, c); n != NULL; n = tree_next(c)) {
		struct verify_item *item = &run->items[run->item_count++];
		item->node = n;
		if (hides != NULL && dname_is_under(n->name, hides->name)) {
			item->place = VERIFY_OCCLUDED;
			item->below_dname = (hides->flags & NODE_CUT) == 0;
			continue;
		}
		hides = (n->flags & (NODE_CUT | NODE_DNAME)) != 0 ? n : NULL;
		if (node_is_void(n)) {
			item->place = VERIFY_VOID;
			continue;
		}
		item->place = (n->flags & NODE_CUT) != 0 ? VERIFY_CUT : VERIFY_AUTHORITATIVE;
		item->common = before == NULL ? n->labels
					      : (uint8_t)dname_common_labels(before->name, n->name);
		nsec = nsec || (n->flags & NODE_NSEC) != 0;
		before = n;
	}
	mem_free(c);
	uint32_t next = 0;
	for (size_t i = run->item_count; i-- != 0;) {
		run->items[i].next = next;
		if (is_in_chain(&run->items[i])) {
			next = (uint32_t)i;
		}
	}
	return nsec;
}

/* Which chains must be there? While a zone changes from NSEC to NSEC3 or back it may have both. */
static void find_chains(struct verify_run *run, struct verify_worker *w, bool nsec_seen)
{
	const bool at_apex = (run->v->apex_node->flags & NODE_NSEC) != 0;
	verify_chains_read(run, w);
	run->nsec = at_apex || (nsec_seen && run->chain_count == 0);
	if (!run->nsec && run->chain_count == 0) {
		w->owner = run->v->apex.wire;
		w->type = 0;
		verify_report(w, VERIFY_NO_CHAIN,
			      "neither an NSEC record nor an NSEC3PARAM record that can be used: "
			      "nothing proves that a name is not there");
	}
}

/* --- jobs ------------------------------------------------------------------------------------ */

/* Names that one thread takes at a time: enough to make hand-over cheap, few enough to share the work
 * evenly. */
#define SLICE STRESSED(128, 2)
/* Slices under way: as the digest over the zone is one job and the first, the others must be able to go
 * on for as long as it takes. */
#define WINDOW 512

struct jobs {
	const struct verify_run *run;
	struct verify_worker *workers; /* [threads] */
	struct findings *slots;	       /* [WINDOW] */
	struct findings *findings;
	size_t zonemd;	    /* jobs for the digest, 0 or 1; then those */
	size_t name_slices; /* for names, then those for NSEC3 owners */
};

static size_t slices(const struct verify_run *run, size_t count)
{
	return (count + run->slice - 1) / run->slice;
}

static size_t slice_end(const struct verify_run *run, size_t slice, size_t count)
{
	return (slice + 1) * run->slice < count ? (slice + 1) * run->slice : count;
}

static int work(void *arg, unsigned worker, size_t job)
{
	const struct jobs *jobs = arg;
	const struct verify_run *run = jobs->run;
	struct verify_worker *w = &jobs->workers[worker];
	w->findings = &jobs->slots[job % WINDOW];
	if (job < jobs->zonemd) {
		return verify_zonemd(w);
	}
	size_t slice = job - jobs->zonemd;
	if (slice < jobs->name_slices) {
		int err = E_OK;
		size_t end = slice_end(run, slice, run->item_count);
		for (size_t i = slice * run->slice; i < end && err == E_OK; i++) {
			verify_name(w, i);
			err = verify_name_nsec3(w, i);
		}
		return err;
	}
	slice -= jobs->name_slices;
	for (size_t i = slice * run->slice; i < slice_end(run, slice, run->nsec3_count); i++) {
		verify_nsec3_node(w, run->nsec3[i]);
	}
	return E_OK;
}

static int finish(void *arg, size_t job)
{
	const struct jobs *jobs = arg;
	findings_move(jobs->findings, &jobs->slots[job % WINDOW]);
	return E_OK;
}

int verify_parts(struct verify_run *run, struct verify_worker *workers, unsigned threads,
		 struct findings *findings)
{
	struct jobs jobs = { .run = run, .workers = workers, .findings = findings };
	jobs.zonemd = node_find(run->v->apex_node, RRTYPE_ZONEMD) != NULL ? 1 : 0;
	jobs.name_slices = slices(run, run->item_count);
	jobs.slots = mem_array(WINDOW, sizeof(*jobs.slots));
	const struct parallel p = {
		.threads = threads,
		.jobs = jobs.zonemd + jobs.name_slices + slices(run, run->nsec3_count),
		.window = WINDOW,
		.work = work,
		.finish = finish,
		.arg = &jobs,
	};
	int err = parallel_run(&p);
	for (size_t i = 0; i < WINDOW; i++) {
		findings_clear(&jobs.slots[i]);
	}
	mem_free(jobs.slots);
	for (unsigned i = 0; i < threads; i++) {
		workers[i].findings = findings;
	}
	return err;
}

/* --- workers --------------------------------------------------------------------------------- */

static struct verify_worker *workers_open(struct verify_run *run, unsigned threads,
					  struct findings *findings)
{
	struct verify_worker *workers = mem_array(threads, sizeof(*workers));
	for (unsigned i = 0; i < threads; i++) {
		workers[i].run = run;
		workers[i].findings = findings;
		workers[i].stats.first_expiration = INT64_MAX;
	}
	return workers;
}

void verify_stats_add(struct verify_stats *to, const struct verify_stats *from)
{
	to->names += from->names;
	to->sets += from->sets;
	to->signatures += from->signatures;
	to->unchecked += from->unchecked;
	to->nsec += from->nsec;
	to->nsec3 += from->nsec3;
	to->zonemd += from->zonemd;
	if (from->first_expiration < to->first_expiration) {
		to->first_expiration = from->first_expiration;
	}
	for (size_t i = 0; i < VERIFY_KINDS; i++) {
		to->found[i] += from->found[i];
	}
}

void verify_worker_clear(struct verify_worker *w)
{
	for (size_t k = 0; k < VERIFY_KEYS_MAX; k++) {
		crypto_verifier_free(w->verifier[k]);
	}
	holder_session_close(w->session);
	buf_clear(&w->scratch);
	mem_free(w->want.types);
	mem_free(w->may.types);
	mem_free(w->have.types);
}

static void workers_close(struct verify_worker *workers, unsigned threads,
			  struct verify_stats *stats)
{
	*stats = (struct verify_stats){ .first_expiration = INT64_MAX };
	for (unsigned i = 0; i < threads; i++) {
		verify_stats_add(stats, &workers[i].stats);
		verify_worker_clear(&workers[i]);
	}
	mem_free(workers);
}

static int verify_all(struct verify_run *run, struct verify_worker *workers, unsigned threads,
		      struct findings *findings)
{
	struct verify_worker *first = &workers[0];
	first->owner = run->v->apex.wire;
	if (run->v->soa == NULL) {
		verify_report(first, VERIFY_NO_SOA, "no SOA record");
		return E_CHECK;
	}
	int err = verify_keys(run, first);
	if (err != E_OK) {
		return err;
	}
	find_chains(run, first, list_names(run));
	err = verify_parts(run, workers, threads, findings);
	if (err == E_OK) {
		verify_chains_close(first);
	}
	return err;
}

int verify_version(const struct version *v, const struct verify_options *opt,
		   struct verify_stats *stats, struct findings *findings)
{
	struct verify_run *run = mem_zalloc(sizeof(*run));
	const unsigned threads = parallel_threads(opt->threads);
	const size_t errors = findings->errors;
	run->v = v;
	run->opt = opt;
	run->slice = SLICE;
	struct verify_worker *workers = workers_open(run, threads, findings);
	int err = verify_all(run, workers, threads, findings);
	workers_close(workers, threads, stats);
	verify_keys_clear(run);
	verify_chains_clear(run);
	mem_free(run->items);
	mem_free(run);
	if (err == E_OK && findings->errors != errors) {
		err = E_CHECK;
	}
	return err;
}

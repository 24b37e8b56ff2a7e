/* zones/master.c - zone files, in pieces, on all cores.
 *
 * A large file is cut where lines begin with an owner name. Threads read pieces ahead of their turn, each
 * into a batch of its own, on the guess that $ORIGIN and $TTL are what they were a little before and
 * that the cut is no line within parentheses. When the turn of a piece comes, all before it is known: if the
 * guess was right its nodes go into the edit, else the piece is read again, in order. So is what has
 * an error in it, or $INCLUDE or $GENERATE. The result, and every message, are those of reading in
 * order from the first line to the last. */
#include "zones/master.h"

#include <string.h>

#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/base/parallel.h"
#include "zones/dns/rdata.h"
#include "zones/master_source.h"

/* Long enough that its work outweighs handing it around, short enough to stay in the cache. */
#define PIECE ((size_t)64 << 10)
/* So many may be read ahead, for each thread. */
#define PIECES_AHEAD 4

/* What the next line depends on. */
struct context {
	struct dname origin;
	struct dname owner;
	bool have_owner;
	uint32_t default_ttl;
	uint32_t last_ttl;
};

/* A piece read ahead. */
struct ahead {
	struct batch batch;
	struct context
		guess; /* at its start: written in the turn of the piece that had this slot before */
	struct context end;
	const char *next; /* where it ended */
	unsigned lines;
	bool again; /* it must be read in order */
	bool has_directives;
};

struct worker {
	struct pool pool; /* where the nodes of its pieces are made */
	uint8_t *rdata;
};

struct master {
	struct reader_state st; /* of reading in order */
	struct source src;
	const char **cuts; /* where pieces begin; the end of the text behind the last */
	size_t pieces;
	struct ahead *ahead; /* [window] */
	size_t window;
	struct worker *workers;
};

static void context_get(struct context *c, const struct source *src)
{
	c->origin = src->origin;
	c->owner = src->owner;
	c->have_owner = src->have_owner;
	c->default_ttl = src->st->default_ttl;
	c->last_ttl = src->st->last_ttl;
}

/* A piece begins with an owner, and read_record asks to read again where a TTL from before is wanted: so
 * these two need not be guessed. The octets of names matter, case too. */
static bool guess_was_right(const struct context *guess, const struct source *src)
{
	return guess->default_ttl == src->st->default_ttl && guess->origin.len == src->origin.len &&
	       memcmp(guess->origin.wire, src->origin.wire, src->origin.len) == 0;
}

/* --- cutting --------------------------------------------------------------------------------- */

static bool begins_record(char c)
{
	return c != '\0' && strchr(" \t\r\n;$()", c) == NULL;
}

/* The first line at or behind @from that looks like the first of a record, or @end. */
static const char *next_cut(const char *from, const char *end)
{
	while (from < end) {
		const char *nl = memchr(from, '\n', (size_t)(end - from));
		if (nl == NULL || nl + 1 >= end) {
			return end;
		}
		if (begins_record(nl[1])) {
			return nl + 1;
		}
		from = nl + 1;
	}
	return end;
}

static void cut(struct master *m, const char *end, size_t piece)
{
	const char *pos = m->src.lx.pos;
	size_t most = (size_t)(end - pos) / piece + 2;
	m->cuts = mem_array(most + 1, sizeof(*m->cuts));
	for (; pos < end && m->pieces < most; m->pieces++) {
		m->cuts[m->pieces] = pos;
		pos = (size_t)(end - pos) > piece ? next_cut(pos + piece - 1, end) : end;
	}
	m->cuts[m->pieces] = end;
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_ahead(void *arg, unsigned worker, size_t job)
{
	struct master *m = arg;
	struct worker *w = &m->workers[worker];
	struct ahead *a = &m->ahead[job % m->window];
	const struct context *guess = &a->guess;
	struct reader_state st = {
		.opt = m->st.opt,
		.batch = &a->batch,
		.default_ttl = guess->default_ttl,
		.last_ttl = NO_TTL,
		.rdata = w->rdata,
	};
	struct source src = { .st = &st, .path = m->src.path, .origin = guess->origin };
	a->again = a->batch.apex == NULL;
	if (a->again) {
		return E_OK; /* the name of the zone was not known yet */
	}
	if (w->rdata == NULL) {
		st.rdata = w->rdata = mem_alloc(RDATA_MAX);
	}
	lexer_init_at(&src.lx, m->cuts[job], m->cuts[m->pieces], 0);
	a->next = source_read(&src, m->cuts[job + 1]);
	a->lines = src.lx.line;
	a->again = st.again;
	a->has_directives = st.has_directives;
	context_get(&a->end, &src);
	if (!a->again) {
		batch_make(&a->batch, &w->pool);
		a->again = a->batch.err != E_OK;
	}
	return E_OK;
}

/* Reads on in order, from where it is known what came before. */
static void read_in_order(struct master *m, const char *until)
{
	struct lexer *lx = &m->src.lx;
	if (!m->st.stop && lx->pos < until) {
		const char *next = source_read(&m->src, until);
		lexer_init_at(lx, next, lx->end, lx->line);
	}
}

/* The turn of piece @job. */
static int take_piece(void *arg, size_t job)
{
	struct master *m = arg;
	struct ahead *a = &m->ahead[job % m->window];
	struct lexer *lx = &m->src.lx;
	if (!a->again && lx->pos == m->cuts[job] && guess_was_right(&a->guess, &m->src)) {
		edit_apply(m->st.edit, &a->batch);
		lexer_init_at(lx, a->next, lx->end, lx->line + a->lines);
		m->src.origin = a->end.origin;
		m->src.owner_len = 0;
		if (a->end.have_owner) {
			m->src.owner = a->end.owner;
			m->src.have_owner = true;
		}
		m->st.default_ttl = a->end.default_ttl;
		m->st.has_directives = m->st.has_directives || a->has_directives;
		if (a->end.last_ttl != NO_TTL) {
			m->st.last_ttl = a->end.last_ttl;
		}
	} else {
		batch_reset(&a->batch);
		a->batch.err = E_OK;
		read_in_order(m, m->cuts[job + 1]);
	}
	context_get(&a->guess, &m->src);
	a->batch.apex = m->st.edit != NULL ? edit_apex(m->st.edit) : NULL;
	return m->st.stop ? E_SYNTAX : E_OK;
}

static void read_pieces(struct master *m)
{
	unsigned threads = parallel_threads(m->st.opt->threads);
	m->window = (size_t)PIECES_AHEAD * threads;
	m->ahead = mem_array(m->window, sizeof(*m->ahead));
	m->workers = mem_array(threads, sizeof(*m->workers));
	for (size_t i = 0; i < m->window; i++) {
		context_get(&m->ahead[i].guess, &m->src);
		m->ahead[i].batch.apex = m->st.edit != NULL ? edit_apex(m->st.edit) : NULL;
		m->ahead[i].batch.sorted = true;
	}
	const struct parallel p = { .threads = threads,
				    .jobs = m->pieces,
				    .window = m->window,
				    .work = read_ahead,
				    .finish = take_piece,
				    .arg = m };
	if (parallel_run(&p) != E_OK) {
		m->st.stop = true; /* and the findings say why */
	}
	for (unsigned i = 0; i < threads; i++) {
		if (m->st.edit != NULL) {
			edit_adopt(m->st.edit, &m->workers[i].pool);
		}
		pool_clear(&m->workers[i].pool);
		mem_free(m->workers[i].rdata);
	}
	for (size_t i = 0; i < m->window; i++) {
		batch_clear(&m->ahead[i].batch);
	}
	mem_free(m->workers);
	mem_free(m->ahead);
}

static void read_text(struct master *m, const char *end)
{
	size_t piece = m->st.opt->piece != 0 ? m->st.opt->piece : PIECE;
	struct lexer *lx = &m->src.lx;
	/* The head of a file sets $ORIGIN and $TTL, and names the zone. */
	const char *head =
		(size_t)(end - lx->pos) > piece ? next_cut(lx->pos + piece - 1, end) : end;
	read_in_order(m, head);
	if (lx->pos < end && !m->st.stop) {
		cut(m, end, piece);
		read_pieces(m);
		mem_free(m->cuts);
	}
}

static const char *shown_path(const char *path)
{
	if (path == NULL) {
		return "(memory)";
	}
	return strcmp(path, "-") == 0 ? "(standard input)" : path;
}

int master_read_memory(const char *path, const char *data, size_t len,
		       const struct master_options *opt, struct edit **out,
		       struct findings *findings)
{
	struct master m = {
		.st = { .opt = opt,
			.findings = findings,
			.default_ttl = NO_TTL,
			.last_ttl = NO_TTL,
			.rdata = mem_alloc(RDATA_MAX) },
		.src = { .st = &m.st, .path = shown_path(path), .may_include = path != NULL },
	};
	struct reader_state *st = &m.st;
	size_t errors = findings->errors;
	struct errmsg em;
	if (opt->origin != NULL) {
		dname_set(&m.src.origin, opt->origin);
		st->edit = edit_begin(NULL, opt->origin, EDIT_TTL_LEAST);
	} else {
		dname_set(&m.src.origin, dname_root);
	}
	lexer_init(&m.src.lx, data, len);
	read_text(&m, data + len);
	if (findings->errors == errors && st->edit == NULL) {
		findings_add(findings, true, "%s: found no records, expected a zone", m.src.path);
	}
	if (findings->errors == errors && edit_error(st->edit, &em) != E_OK) {
		findings_add(findings, true, "%s: %s", m.src.path, em.text);
	}
	mem_free(st->rdata);
	if (findings->errors != errors) {
		edit_abort(st->edit);
		return E_SYNTAX;
	}
	if (opt->has_directives != NULL) {
		*opt->has_directives = st->has_directives;
	}
	*out = st->edit;
	return E_OK;
}

int master_read(const char *path, const struct master_options *opt, struct edit **out,
		struct findings *findings)
{
	struct file_view view = { 0 };
	struct errmsg em;
	int err = file_read(path, MASTER_FILE_MAX, &view, &em);
	if (err != E_OK) {
		findings_add(findings, true, "%s", em.text);
		return err;
	}
	err = master_read_memory(path, view.data, view.len, opt, out, findings);
	file_view_clear(&view);
	return err;
}

/* signer/zone_file.c - signed zones in files. */
#include "signer/zone_file.h"

#include <string.h>

#include "keys/crypto.h"
#include "zones/base/buf.h"
#include "zones/base/mem.h"
#include "zones/base/parallel.h"
#include "zones/base/text.h"
#include "zones/dump.h"

#define MARK	 "; signet fingerprint sha256:"
#define MARK_LEN (sizeof(MARK) - 1)
#define HEX_LEN	 64
#define TAIL_LEN (MARK_LEN + HEX_LEN + 1)

/* Names a thread takes at a time. The fingerprint is the digest of the digests of slices, so that it does
 * not depend on the number of threads: a change makes all older files unknown. */
#define SLICE  1024
#define WINDOW 32

struct slice {
	const struct node *nodes[SLICE];
	size_t count;
	struct buf text;
};

struct pass {
	struct version_walk walk;
	const struct node *at; /* where the walk stands: the first node of the next slice */
	struct slice *slices;  /* [WINDOW] */
	struct file_out *out;  /* NULL: only the fingerprint is wanted */
	struct crypto_hasher **hashers; /* one per thread */
	uint8_t (*digests)[32];		/* one per slice */
};

/* Name and records; not the directory, whose flags are no part of the data. */
static int hash_node(struct crypto_hasher *h, const struct node *n)
{
	const uint8_t *wire = (const uint8_t *)n + n->directory + n->rrsets * sizeof(struct rrset);
	int err = crypto_hasher_add(h, n->name, n->name_len);
	return err == E_OK
		       ? crypto_hasher_add(h, wire, n->size - (size_t)(wire - (const uint8_t *)n))
		       : err;
}

static int slice_start(void *arg, size_t job)
{
	struct pass *p = arg;
	struct slice *s = &p->slices[job % WINDOW];
	for (s->count = 0; s->count < SLICE && p->at != NULL; p->at = version_next(&p->walk)) {
		s->nodes[s->count++] = p->at;
	}
	return E_OK;
}

static int slice_work(void *arg, unsigned worker, size_t job)
{
	struct pass *p = arg;
	struct slice *s = &p->slices[job % WINDOW];
	struct crypto_hasher *h = p->hashers[worker];
	int err = crypto_hasher_begin(h);
	for (size_t i = 0; i < s->count && err == E_OK; i++) {
		if (p->out != NULL) {
			dump_node(s->nodes[i], 0, &s->text);
		}
		err = hash_node(h, s->nodes[i]);
	}
	return err == E_OK ? crypto_hasher_end(h, p->digests[job]) : err;
}

static int slice_finish(void *arg, size_t job)
{
	struct pass *p = arg;
	struct buf *b = &p->slices[job % WINDOW].text;
	if (p->out == NULL) {
		return E_OK;
	}
	file_out_write(p->out, b->data, b->len);
	b->len = 0;
	return p->out->err;
}

/* One pass over all nodes: writes their text to @out (unless NULL) and makes the fingerprint. */
static int pass_over(const struct version *v, unsigned threads, struct file_out *out,
		     uint8_t fingerprint[32])
{
	struct pass *p = mem_zalloc(sizeof(*p));
	const struct parallel run = {
		.threads = parallel_threads(threads),
		.jobs = ((size_t)v->names.leaves + v->nsec3.leaves + SLICE - 1) / SLICE,
		.window = WINDOW,
		.start = slice_start,
		.work = slice_work,
		.finish = slice_finish,
		.arg = p,
	};
	p->out = out;
	p->at = version_first(v, &p->walk);
	p->slices = mem_array(WINDOW, sizeof(*p->slices));
	p->hashers = mem_array(run.threads, sizeof(struct crypto_hasher *));
	p->digests = mem_array(run.jobs, sizeof(*p->digests));
	int err = E_OK;
	for (unsigned i = 0; i < run.threads && err == E_OK; i++) {
		err = crypto_hasher_new(CRYPTO_SHA256, &p->hashers[i]);
	}
	if (err == E_OK) {
		err = parallel_run(&run);
	}
	if (err == E_OK) {
		err = crypto_digest(CRYPTO_SHA256, p->digests[0], run.jobs * sizeof(*p->digests),
				    fingerprint);
	}
	for (unsigned i = 0; i < run.threads; i++) {
		crypto_hasher_free(p->hashers[i]);
	}
	for (size_t i = 0; i < WINDOW; i++) {
		buf_clear(&p->slices[i].text);
	}
	mem_free(p->hashers);
	mem_free(p->digests);
	mem_free(p->slices);
	mem_free(p);
	return err;
}

int zone_file_write(const struct version *v, const char *path, unsigned threads, struct errmsg *em)
{
	struct file_out out = { .fd = -1 };
	uint8_t digest[32];
	char line[TAIL_LEN + 1] = MARK;
	int err = file_out_open(&out, path, 0644, em);
	if (err != E_OK) {
		return err;
	}
	err = pass_over(v, threads, &out, digest);
	if (err == E_OK) {
		text_to_hex(digest, sizeof(digest), line + MARK_LEN);
		line[TAIL_LEN - 1] = '\n';
		file_out_write(&out, line, TAIL_LEN);
	}
	if (err == E_OK || out.err != E_OK) { /* commit tells what went wrong in writing */
		return file_out_commit(&out, em);
	}
	file_out_abort(&out);
	return err_set(em, err, "%s: cannot write the zone: %s", path, err_text(err));
}

bool zone_file_is_ours(const struct file_view *text, const struct version *v, unsigned threads)
{
	uint8_t written[32];
	uint8_t digest[32];
	if (text->len < TAIL_LEN) {
		return false;
	}
	const char *tail = text->data + text->len - TAIL_LEN;
	return memcmp(tail, MARK, MARK_LEN) == 0 &&
	       text_from_hex(tail + MARK_LEN, HEX_LEN, written, sizeof(written)) == 32 &&
	       pass_over(v, threads, NULL, digest) == E_OK &&
	       memcmp(written, digest, sizeof(digest)) == 0;
}

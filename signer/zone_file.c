/* signer/zone_file.c - signed zones in files. */
#include "signer/zone_file.h"

#include <stdio.h>

#include "signer/sign.h"
#include "zones/base/buf.h"
#include "zones/base/mem.h"
#include "zones/base/parallel.h"
#include "zones/base/text.h"
#include "zones/dump.h"

#define MARK	 "; signet fingerprint sha256:"
#define MARK_LEN (sizeof(MARK) - 1)
#define HEX_LEN	 64
#define TAIL_LEN (MARK_LEN + HEX_LEN + 1)

#define SLICE  STRESSED(512, 2)
#define WINDOW 32

struct write_run {
	const struct node **nodes;
	size_t count;
	struct buf slots[WINDOW];
	struct file_out *out;
};

static int write_work(void *arg, unsigned worker, size_t job)
{
	(void)worker;
	struct write_run *r = arg;
	struct buf *b = &r->slots[job % WINDOW];
	size_t end = (job + 1) * SLICE < r->count ? (job + 1) * SLICE : r->count;
	for (size_t i = job * SLICE; i < end; i++) {
		dump_node(r->nodes[i], 0, b);
	}
	return E_OK;
}

static int write_finish(void *arg, size_t job)
{
	struct write_run *r = arg;
	struct buf *b = &r->slots[job % WINDOW];
	file_out_write(r->out, b->data, b->len);
	b->len = 0;
	return r->out->err;
}

static int write_fingerprint(const struct version *v, unsigned threads, struct file_out *out)
{
	uint8_t digest[32];
	char line[TAIL_LEN + 1] = MARK;
	int err = sign_fingerprint(v, threads, digest);
	if (err == E_OK) {
		text_to_hex(digest, sizeof(digest), line + MARK_LEN);
		line[TAIL_LEN - 1] = '\n';
		file_out_write(out, line, TAIL_LEN);
	}
	return err;
}

int zone_file_write(const struct version *v, const char *path, unsigned threads, struct errmsg *em)
{
	struct file_out out = { .fd = -1 };
	struct write_run r = { .out = &out };
	struct version_walk *walk = NULL;
	int err = file_out_open(&out, path, 0644, em);
	if (err != E_OK) {
		return err;
	}
	walk = mem_alloc(sizeof(*walk));
	r.nodes = mem_array((size_t)v->names.leaves + v->nsec3.leaves, sizeof(*r.nodes));
	for (const struct node *n = version_first(v, walk); n != NULL; n = version_next(walk)) {
		r.nodes[r.count++] = n;
	}
	const struct parallel p = {
		.threads = threads,
		.jobs = (r.count + SLICE - 1) / SLICE,
		.window = WINDOW,
		.work = write_work,
		.finish = write_finish,
		.arg = &r,
	};
	err = parallel_run(&p);
	if (err == E_OK) {
		err = write_fingerprint(v, threads, &out);
	}
	if (err == E_OK || out.err != E_OK) { /* commit tells what went wrong in writing */
		err = file_out_commit(&out, em);
	} else {
		file_out_abort(&out);
		err_set(em, err, "%s: cannot write the zone: %s", path, err_text(err));
	}
	for (size_t i = 0; i < WINDOW; i++) {
		buf_clear(&r.slots[i]);
	}
	mem_free(r.nodes);
	mem_free(walk);
	return err;
}

bool zone_file_is_ours(const char *path, const struct version *v, unsigned threads)
{
	char tail[TAIL_LEN];
	uint8_t written[32];
	uint8_t digest[32];
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		return false;
	}
	bool got = fseek(f, -(long)TAIL_LEN, SEEK_END) == 0 && fread(tail, TAIL_LEN, 1, f) == 1;
	(void)fclose(f);
	return got && memcmp(tail, MARK, MARK_LEN) == 0 &&
	       text_from_hex(tail + MARK_LEN, HEX_LEN, written, sizeof(written)) == 32 &&
	       sign_fingerprint(v, threads, digest) == E_OK &&
	       memcmp(written, digest, sizeof(digest)) == 0;
}

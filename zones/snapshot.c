/* zones/snapshot.c - nodes out of a version into chunks, and back.
 *
 * Reading: threads take chunks, sum them up, look at every octet of their nodes, and copy these into pools of their
 * own; in the order of the chunks the nodes then go into the tree. The file is read, not mapped: a mapping kills the
 * reader where somebody shortens the file. */
#include "zones/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zones/base/crc32c.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/base/parallel.h"
#include "zones/dns/rdata.h"
#include "zones/edit.h"

/* Large enough for few calls, small enough to stay in the cache. */
#define CHUNK STRESSED((size_t)256 << 10, 100)
#define ALIGN 8
/* So many may be read ahead, for each thread. */
#define AHEAD 4

static const uint8_t head_magic[8] = "SIGNSNAP";
static const uint8_t tail_magic[8] = "SNAPDONE";

/* Another machine's, or another layout's, is another number. */
#define FORMAT                                                                                     \
 ((uint32_t)SNAPSHOT_FORMAT << 16 | (uint32_t)(offsetof(struct node, name) << 8) |                 \
  (uint32_t)sizeof(struct rrset))

_Static_assert(sizeof(struct snapshot_head) % ALIGN == 0, "chunks begin behind it");
_Static_assert(sizeof(struct snapshot_chunk) == 32 && sizeof(struct snapshot_tail) == 32,
	       "no padding");

static size_t round_up(size_t size)
{
	return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* --- writing --------------------------------------------------------------------------------- */

struct writing {
	struct file_out out;
	struct buf *memory; /* instead of that; or NULL */
	uint64_t at;	    /* octets written */
	struct buf nodes;
	struct buf directory;
	struct snapshot_chunk chunk; /* of what is in `nodes` */
};

static void put(struct writing *w, const void *data, size_t len)
{
	if (w->memory != NULL) {
		buf_add(w->memory, data, len);
	} else {
		file_out_write(&w->out, data, len);
	}
	w->at += len;
}

static void end_chunk(struct writing *w)
{
	if (w->nodes.len != 0) {
		w->chunk.at = w->at;
		w->chunk.len = w->nodes.len;
		w->chunk.sum = crc32c(0, w->nodes.data, w->nodes.len);
		buf_add(&w->directory, &w->chunk, sizeof(w->chunk));
		put(w, w->nodes.data, w->nodes.len);
	}
	w->chunk.nodes = 0;
	w->nodes.len = 0;
}

static void put_tree(struct writing *w, const struct tree *t, uint16_t number)
{
	struct tree_cursor *c = mem_alloc(sizeof(*c));
	w->chunk.tree = number;
	for (const struct node *n = tree_first(t, c); n != NULL && w->out.err == E_OK;
	     n = tree_next(c)) {
		static const uint8_t zeros[ALIGN];
		buf_add(&w->nodes, n, n->size);
		buf_add(&w->nodes, zeros, round_up(n->size) - n->size);
		w->chunk.nodes++;
		if (w->nodes.len >= CHUNK) {
			end_chunk(w);
		}
	}
	end_chunk(w);
	mem_free(c);
}

static void put_head(struct writing *w, const struct version *v, uint64_t seq)
{
	struct snapshot_head h = { .format = FORMAT,
				   .serial = v->serial,
				   .seq = seq,
				   .names = v->names.leaves,
				   .nsec3 = v->nsec3.leaves,
				   .records = v->records };
	memcpy(h.magic, head_magic, sizeof(h.magic));
	(void)dname_copy(h.apex, v->apex.wire);
	h.sum = crc32c(0, &h, offsetof(struct snapshot_head, sum));
	put(w, &h, sizeof(h));
}

static void put_tail(struct writing *w)
{
	struct snapshot_tail t = { .directory = w->at,
				   .chunks = w->directory.len / sizeof(struct snapshot_chunk) };
	memcpy(t.magic, tail_magic, sizeof(t.magic));
	t.sum = crc32c(0, w->directory.data, w->directory.len);
	t.sum = crc32c(t.sum, &t, offsetof(struct snapshot_tail, sum));
	put(w, w->directory.data, w->directory.len);
	put(w, &t, sizeof(t));
}

static void put_all(struct writing *w, const struct version *v, uint64_t seq)
{
	put_head(w, v, seq);
	put_tree(w, &v->names, BATCH_NAMES);
	put_tree(w, &v->nsec3, BATCH_NSEC3);
	put_tail(w);
	buf_clear(&w->nodes);
	buf_clear(&w->directory);
}

int snapshot_write(const char *path, const struct version *v, uint64_t seq, struct errmsg *em)
{
	struct writing w = { 0 };
	int err = file_out_open(&w.out, path, 0600, em);
	if (err != E_OK) {
		return err;
	}
	put_all(&w, v, seq);
	return file_out_commit(&w.out, em);
}

void snapshot_print(const struct version *v, uint64_t seq, struct buf *out)
{
	struct writing w = { .memory = out };
	put_all(&w, v, seq);
}

/* --- looking at a node ----------------------------------------------------------------------- */

/* A record of type @type at @pos; NULL: it is none, or reaches behind @end. */
static const uint8_t *check_record(const uint8_t *pos, const uint8_t *end, uint16_t type,
				   struct rr *rr)
{
	if (end - pos < NODE_RR_FIXED) {
		return NULL;
	}
	const uint8_t *behind = rr_read(pos, rr);
	if (rr->rdlen > end - rr->rdata || be16_get(pos) != NODE_RR_OWNER || rr->type != type ||
	    be16_get(pos + 4) != RRCLASS_IN || rdata_check(type, rr->rdata, rr->rdlen) != E_OK) {
		return NULL;
	}
	return behind;
}

/* @count records of type @type from @pos to just @end, distinct and in canonical order. @covered: what signatures
 * must be of; of others, all must have one TTL. */
static bool check_records(const uint8_t *pos, const uint8_t *end, unsigned count, uint16_t type,
			  uint16_t covered)
{
	struct rr before = { 0 };
	for (unsigned i = 0; i < count; i++) {
		struct rr rr;
		pos = check_record(pos, end, type, &rr);
		if (pos == NULL ||
		    (type == RRTYPE_RRSIG ? be16_get(rr.rdata) != covered
					  : i != 0 && rr.ttl != before.ttl) ||
		    (i != 0 &&
		     rdata_compare(type, before.rdata, before.rdlen, rr.rdata, rr.rdlen) >= 0)) {
			return false;
		}
		before = rr;
	}
	return pos == end;
}

/* The set @rs, whose records must begin at @pos; NULL: something is wrong. Else what is behind it. */
static const uint8_t *check_set(const struct rrset *rs, const uint8_t *pos, const uint8_t *end)
{
	size_t left = (size_t)(end - pos);
	if (rs->offset != (size_t)(pos - (const uint8_t *)rs) || rs->data_len > left ||
	    rs->sig_len > left - rs->data_len || (rs->flags & ~RRSET_TTL_DIFFERED) != 0 ||
	    (rs->count == 0 && rs->sigs == 0) ||
	    (rs->count != 0 && (rs->type == RRTYPE_RRSIG || rrtype_is_meta(rs->type)))) {
		return NULL;
	}
	const uint8_t *sigs = pos + rs->data_len;
	if (!check_records(pos, sigs, rs->count, rs->type, 0) ||
	    !check_records(sigs, sigs + rs->sig_len, rs->sigs, RRTYPE_RRSIG, rs->type)) {
		return NULL;
	}
	return sigs + rs->sig_len;
}

static bool check_name(const struct node *n, const uint8_t *apex)
{
	struct reader r = reader_of(n->name, n->name_len);
	const uint8_t *name = dname_read(&r);
	return name != NULL && reader_left(&r) == 0 && dname_labels(name) == n->labels &&
	       dname_is_under(name, apex);
}

/* Is what lies at @p, with @left octets to the end, a node that this zone and this tree may have? */
static bool check_node(const uint8_t *p, size_t left, enum batch_tree tree, const uint8_t *apex,
		       unsigned apex_labels)
{
	const struct node *n = (const struct node *)(const void *)p;
	size_t name_at = offsetof(struct node, name);
	if (left < name_at || n->size > left || n->size < name_at + n->name_len ||
	    !check_name(n, apex)) {
		return false;
	}
	size_t name_end = name_at + n->name_len;
	size_t directory = (name_end + 3) & ~(size_t)3;
	size_t wire = directory + n->rrsets * sizeof(struct rrset);
	static const uint8_t zeros[ALIGN];
	if (n->directory != directory || n->rrsets == 0 || wire > n->size ||
	    memcmp(p + name_end, zeros, directory - name_end) != 0) {
		return false;
	}
	const struct rrset *rs = node_rrsets(n);
	const uint8_t *pos = p + wire;
	unsigned flags = dname_is_wildcard(n->name) ? NODE_WILDCARD : 0;
	for (unsigned i = 0; i < n->rrsets; i++) {
		if ((i != 0 && rs[i].type <= rs[i - 1].type) ||
		    (rs[i].type == RRTYPE_NSEC3) != (tree == BATCH_NSEC3)) {
			return false;
		}
		pos = check_set(&rs[i], pos, p + n->size);
		if (pos == NULL) {
			return false;
		}
		flags |= rs[i].count != 0 ? node_flag_of_type(rs[i].type) : 0;
	}
	if (n->labels == apex_labels) {
		flags = (flags & ~(unsigned)NODE_CUT) | NODE_APEX;
	}
	return pos == p + n->size && flags == n->flags;
}

/* --- reading --------------------------------------------------------------------------------- */

/* A node on its way to the tree. */
struct leaf {
	const struct dname_key *key; /* only the first key.len symbols are there */
	struct node *node;
};

/* A chunk read ahead. */
struct slot {
	struct arena keys;
	struct leaf *leaves;
	uint32_t count, cap;
};

struct worker {
	struct pool pool; /* nodes of moderate size */
	uint8_t *data;	  /* the chunk at hand */
	size_t cap;
};

struct reading {
	const char *path;
	int fd;		     /* or -1: */
	const uint8_t *data; /* octets in memory */
	uint64_t len;
	struct snapshot_head head;
	struct snapshot_chunk *chunks;
	size_t chunk_count;
	struct edit *edit;
	struct slot *slots;
	size_t window;
	struct worker *workers;
	const uint8_t *last; /* the name before, in the same tree */
	uint16_t last_tree;
};

static int damaged(const struct reading *r, const char *what, struct errmsg *em)
{
	return err_set(em, E_DAMAGED, "%s: %s", r->path, what);
}

/* Copies @len octets from @at, which are within the file. */
static int get(const struct reading *r, uint64_t at, void *to, size_t len)
{
	if (r->data != NULL) {
		memcpy(to, r->data + at, len);
		return E_OK;
	}
	uint8_t *p = to;
	while (len != 0) {
		ssize_t n = pread(r->fd, p, len, (off_t)at);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? err_from_errno(errno) : E_TRUNC;
		}
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return E_OK;
}

static int read_head(struct reading *r, struct errmsg *em)
{
	struct snapshot_head *h = &r->head;
	if (r->len < sizeof(*h) || get(r, 0, h, sizeof(*h)) != E_OK ||
	    memcmp(h->magic, head_magic, sizeof(h->magic)) != 0) {
		return damaged(r, "is no snapshot", em);
	}
	if (h->format != FORMAT) {
		return damaged(r, "is a snapshot of another format", em);
	}
	struct reader name = reader_of(h->apex, DNAME_MAX);
	if (h->sum != crc32c(0, h, offsetof(struct snapshot_head, sum)) ||
	    dname_read(&name) == NULL) {
		return damaged(r, "its head is damaged", em);
	}
	return E_OK;
}

/* The directory: chunks one behind the other, from the head to the directory. */
static int read_directory(struct reading *r, struct errmsg *em)
{
	struct snapshot_tail t;
	uint64_t least = sizeof(struct snapshot_head) + sizeof(t);
	if (r->len < least || get(r, r->len - sizeof(t), &t, sizeof(t)) != E_OK ||
	    memcmp(t.magic, tail_magic, sizeof(t.magic)) != 0) {
		return damaged(r, "is cut off", em);
	}
	uint64_t most = (r->len - least) / sizeof(struct snapshot_chunk);
	if (t.chunks > most || t.directory > r->len - sizeof(t) ||
	    r->len - sizeof(t) - t.directory != t.chunks * sizeof(struct snapshot_chunk)) {
		return damaged(r, "its directory is damaged", em);
	}
	r->chunk_count = (size_t)t.chunks;
	size_t len = r->chunk_count * sizeof(struct snapshot_chunk);
	r->chunks = mem_alloc(len + 1);
	uint64_t at = sizeof(struct snapshot_head);
	bool sound =
		get(r, t.directory, r->chunks, len) == E_OK &&
		t.sum == crc32c(crc32c(0, r->chunks, len), &t, offsetof(struct snapshot_tail, sum));
	for (size_t i = 0; sound && i < r->chunk_count; i++) {
		const struct snapshot_chunk *c = &r->chunks[i];
		sound = c->at == at && c->len != 0 && c->len % ALIGN == 0 &&
			c->len <= t.directory - at && c->tree < BATCH_TREES &&
			(i == 0 || c->tree >= r->chunks[i - 1].tree);
		at += c->len;
	}
	return sound && at == t.directory ? E_OK : damaged(r, "its directory is damaged", em);
}

/* The octets of the chunk, in memory. */
static const uint8_t *chunk_data(const struct reading *r, struct worker *w,
				 const struct snapshot_chunk *c)
{
	if (r->data != NULL) {
		return r->data + c->at;
	}
	if (w->cap < c->len) {
		mem_free(w->data);
		w->cap = c->len;
		w->data = mem_alloc(w->cap);
	}
	return get(r, c->at, w->data, c->len) == E_OK ? w->data : NULL;
}

static void slot_add(struct slot *s, struct node *n)
{
	struct dname_key key;
	if (s->count == s->cap) {
		s->cap = s->cap != 0 ? s->cap * 2 : 64;
		s->leaves = mem_realloc(s->leaves, s->cap, sizeof(*s->leaves));
	}
	dname_key_make(&key, n->name);
	size_t used = offsetof(struct dname_key, sym) + key.len;
	s->leaves[s->count++] = (struct leaf){
		.key = memcpy(arena_alloc(&s->keys, used), &key, used),
		.node = n,
	};
}

/* Looks at the nodes of a chunk and makes copies of them. */
static int read_chunk(void *arg, unsigned worker, size_t job)
{
	struct reading *r = arg;
	struct worker *w = &r->workers[worker];
	struct slot *s = &r->slots[job % r->window];
	const struct snapshot_chunk *c = &r->chunks[job];
	const uint8_t *apex = r->head.apex;
	unsigned apex_labels = dname_labels(apex);
	const uint8_t *p = chunk_data(r, w, c);
	s->count = 0;
	arena_reset(&s->keys);
	if (p == NULL || crc32c(0, p, c->len) != c->sum) {
		return E_DAMAGED;
	}
	const uint8_t *end = p + c->len;
	while (p != end) {
		if (!check_node(p, (size_t)(end - p), c->tree, apex, apex_labels)) {
			return E_DAMAGED;
		}
		const struct node *n = (const struct node *)(const void *)p;
		struct node *copy = pool_alloc(&w->pool, n->size);
		memcpy(copy, n, n->size);
		slot_add(s, copy);
		p += round_up(n->size);
	}
	return s->count == c->nodes ? E_OK : E_DAMAGED;
}

/* Puts the nodes of a chunk into their tree. */
static int take_chunk(void *arg, size_t job)
{
	struct reading *r = arg;
	struct slot *s = &r->slots[job % r->window];
	uint16_t tree = r->chunks[job].tree;
	const struct dname_key *before = NULL;
	if (r->last != NULL && r->last_tree == tree && s->count != 0 &&
	    dname_compare(r->last, s->leaves[0].node->name) >= 0) {
		return E_DAMAGED;
	}
	for (uint32_t i = 0; i < s->count; i++) {
		const struct leaf *l = &s->leaves[i];
		if (before != NULL &&
		    dname_sym_compare(before->sym, before->len, l->key->sym, l->key->len) >= 0) {
			return E_DAMAGED;
		}
		edit_take_node(r->edit, tree, l->key, l->node);
		r->last = l->node->name;
		before = l->key;
	}
	r->last_tree = tree;
	return E_OK;
}

static int read_chunks(struct reading *r, unsigned threads)
{
	threads = parallel_threads(threads);
	r->window = (size_t)AHEAD * threads;
	r->slots = mem_array(r->window, sizeof(*r->slots));
	r->workers = mem_array(threads, sizeof(*r->workers));
	const struct parallel p = { .threads = threads,
				    .jobs = r->chunk_count,
				    .window = r->window,
				    .work = read_chunk,
				    .finish = take_chunk,
				    .arg = r };
	int err = parallel_run(&p);
	for (unsigned i = 0; i < threads; i++) {
		edit_adopt(r->edit, &r->workers[i].pool);
		mem_free(r->workers[i].data);
	}
	for (size_t i = 0; i < r->window; i++) {
		arena_clear(&r->slots[i].keys);
		mem_free(r->slots[i].leaves);
	}
	mem_free(r->workers);
	mem_free(r->slots);
	return err;
}

static int read_version(struct reading *r, const uint8_t *apex, unsigned threads,
			struct version **out, struct errmsg *em)
{
	int err = read_head(r, em);
	if (err == E_OK && !dname_equal(apex, r->head.apex)) {
		char name[DNAME_TEXT_MAX];
		(void)dname_to_text(r->head.apex, name);
		err = err_set(em, E_MISMATCH, "%s: is a snapshot of %s", r->path, name);
	}
	err = err != E_OK ? err : read_directory(r, em);
	if (err != E_OK) {
		return err;
	}
	r->edit = edit_begin(NULL, r->head.apex, EDIT_TTL_LAST);
	err = read_chunks(r, threads);
	if (err != E_OK) {
		edit_abort(r->edit);
		return damaged(r, "its content is damaged", em);
	}
	struct version *v = edit_commit(r->edit);
	const struct snapshot_head *h = &r->head;
	if (v->names.leaves != h->names || v->nsec3.leaves != h->nsec3 ||
	    v->records != h->records || v->serial != h->serial) {
		version_unref(v);
		return damaged(r, "does not hold what its head says", em);
	}
	*out = v;
	return E_OK;
}

static int open_file(struct reading *r, const char *path, struct errmsg *em)
{
	struct stat st;
	*r = (struct reading){ .path = path, .fd = open(path, O_RDONLY | O_CLOEXEC) };
	if (r->fd < 0 || fstat(r->fd, &st) != 0) {
		return err_set(em, err_from_errno(errno), "%s: cannot open: %s", path,
			       strerror(errno));
	}
	if (!S_ISREG(st.st_mode)) {
		return damaged(r, "is no snapshot", em);
	}
	r->len = (uint64_t)st.st_size;
	return E_OK;
}

static void close_file(struct reading *r)
{
	if (r->fd >= 0) {
		(void)close(r->fd);
	}
	mem_free(r->chunks);
}

static void info_get(const struct snapshot_head *h, struct snapshot_info *info)
{
	*info = (struct snapshot_info){ .serial = h->serial,
					.seq = h->seq,
					.names = h->names,
					.nsec3 = h->nsec3,
					.records = h->records };
	dname_set(&info->apex, h->apex);
}

int snapshot_read_info(const char *path, struct snapshot_info *info, struct errmsg *em)
{
	struct reading r;
	int err = open_file(&r, path, em);
	err = err != E_OK ? err : read_head(&r, em);
	if (err == E_OK) {
		info_get(&r.head, info);
	}
	close_file(&r);
	return err;
}

int snapshot_read(const char *path, const uint8_t *apex, unsigned threads, struct version **out,
		  struct snapshot_info *info, struct errmsg *em)
{
	struct reading r;
	int err = open_file(&r, path, em);
	err = err != E_OK ? err : read_version(&r, apex, threads, out, em);
	if (err == E_OK && info != NULL) {
		info_get(&r.head, info);
	}
	close_file(&r);
	return err;
}

int snapshot_read_memory(const uint8_t *data, size_t len, const uint8_t *apex, struct version **out,
			 struct snapshot_info *info, struct errmsg *em)
{
	struct reading r = { .path = "(memory)", .fd = -1, .data = data, .len = len };
	int err = read_version(&r, apex, 1, out, em);
	if (err == E_OK && info != NULL) {
		info_get(&r.head, info);
	}
	close_file(&r);
	return err;
}

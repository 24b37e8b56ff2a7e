/* test/unit/zones/snapshot_test.c - versions into files and back; every kind of damage; full disks. */
#include "zones/snapshot.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/zones/snapshot_sums.h"
#include "test/unit/zones/zone_kit.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/diff.h"

static char dir[] = "/tmp/snapshot_test.XXXXXX";
static char path[sizeof(dir) + 16];

static void setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/zone", dir);
}

static void teardown(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0); /* nothing else was left there */
}

static void save(const struct version *v, uint64_t seq)
{
	struct errmsg em;
	ck_assert_msg(snapshot_write(path, v, seq, &em) == E_OK, "%s", em.text);
}

static struct version *load(const struct version *like, unsigned threads)
{
	struct version *v = NULL;
	struct snapshot_info info;
	struct errmsg em;
	ck_assert_msg(snapshot_read(path, like->apex.wire, threads, &v, &info, &em) == E_OK, "%s",
		      em.text);
	ck_assert_uint_eq(info.serial, like->serial);
	ck_assert_uint_eq(info.records, like->records);
	tree_check(&v->names);
	tree_check(&v->nsec3);
	ck_assert(kit_equal(like, v));
	return v;
}

/* The file's octets, aligned, for snapshot_read_memory. */
static uint8_t *octets(size_t *len)
{
	struct file_view view;
	struct errmsg em;
	ck_assert_msg(file_read(path, 1 << 24, &view, &em) == E_OK, "%s", em.text);
	uint8_t *copy = mem_dup(view.data, view.len);
	*len = view.len;
	file_view_clear(&view);
	return copy;
}

/* Octet for octet as it was: the same nodes. */
static bool same_nodes(const struct tree *a, const struct tree *b)
{
	static struct tree_cursor x;
	static struct tree_cursor y;
	const struct node *n = tree_first(a, &x);
	const struct node *m = tree_first(b, &y);
	while (n != NULL && m != NULL && n->size == m->size && memcmp(n, m, n->size) == 0 &&
	       x.flags == y.flags) {
		n = tree_next(&x);
		m = tree_next(&y);
	}
	return n == NULL && m == NULL;
}

START_TEST(what_was_written_is_read)
{
	struct unit_random r = { (uint64_t)_i + 1 };
	struct version *v = kit_next(NULL, 60, 1, &r);
	for (uint32_t serial = 2; serial < 8; serial++) {
		struct version *next = kit_next(v, 30, serial, &r);
		version_unref(v);
		v = next;
		save(v, serial * 10);
		struct snapshot_info info;
		struct errmsg em;
		ck_assert_int_eq(snapshot_read_info(path, &info, &em), E_OK);
		ck_assert_uint_eq(info.seq, serial * 10);
		ck_assert_uint_eq(info.serial, serial);
		ck_assert(dname_equal(info.apex.wire, v->apex.wire));
		ck_assert_uint_eq(info.names, v->names.leaves);
		ck_assert_uint_eq(info.nsec3, v->nsec3.leaves);
		struct version *got = load(v, serial % 3);
		ck_assert(same_nodes(&v->names, &got->names));
		ck_assert(same_nodes(&v->nsec3, &got->nsec3));
		ck_assert_int_eq(v->denial, got->denial);
		/* It can be changed like any other. */
		struct diff d = { 0 };
		struct version *far = kit_next(v, 40, serial + 1, &r);
		diff_make(v, far, &d);
		struct edit *e = edit_begin(got, NULL, EDIT_TTL_LAST);
		ck_assert_int_eq(diff_apply(&d, e, &em), E_OK);
		version_unref(got);
		got = edit_commit(e);
		ck_assert(kit_equal(far, got));
		diff_clear(&d);
		version_unref(got);
		version_unref(v);
		v = far;
	}
	version_unref(v);
}
END_TEST

START_TEST(large_zones_and_large_nodes)
{
	struct dname apex;
	kit_name("example.", &apex);
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LAST);
	kit_serial(e, 9);
	for (unsigned i = 0; i < 20000; i++) {
		struct dname d;
		char text[40];
		const uint8_t rdata[4] = { 192, 0, (uint8_t)(i >> 8), (uint8_t)i };
		(void)snprintf(text, sizeof(text), "h%u.example.", i * 7919 % 20000);
		kit_name(text, &d);
		ck_assert_int_eq(edit_add(e, d.wire, RRTYPE_A, 60, rdata, 4), E_OK);
		if (i % 3 == 0) { /* and one name with thousands */
			ck_assert_int_eq(edit_add(e, apex.wire, RRTYPE_A, 60, rdata, 4), E_OK);
		}
	}
	struct version *v = edit_commit(e);
	save(v, 1);
	for (unsigned threads = 0; threads < 5; threads++) {
		version_unref(load(v, threads));
	}
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	version_unref(v);
}
END_TEST

START_TEST(an_empty_zone)
{
	struct dname apex;
	kit_name("example.", &apex);
	struct version *v = edit_commit(edit_begin(NULL, apex.wire, EDIT_TTL_LAST));
	save(v, 0);
	version_unref(load(v, 1));
	version_unref(v);
}
END_TEST

static int read_octets(const uint8_t *data, size_t len, struct version **out)
{
	struct dname apex;
	struct errmsg em = { "" };
	kit_name("example.", &apex);
	*out = NULL;
	int err = snapshot_read_memory(data, len, apex.wire, out, NULL, &em);
	ck_assert_int_eq(em.text[0] == '\0', err == E_OK);
	return err;
}

static void make_octets(uint8_t **data, size_t *len)
{
	struct unit_random r = { 5 };
	struct version *v = kit_next(NULL, 60, 1, &r);
	save(v, 3);
	*data = octets(len);
	version_unref(v);
}

START_TEST(no_octet_can_be_changed)
{
	struct version *v;
	uint8_t *data;
	size_t len;
	make_octets(&data, &len);
	for (size_t i = 0; i < len; i++) {
		for (unsigned bit = 0; bit < 8; bit += 3) {
			data[i] ^= (uint8_t)(1 << bit);
			int err = read_octets(data, len, &v);
			ck_assert_msg(err == E_DAMAGED || err == E_MISMATCH, "%zu: %d", i, err);
			data[i] ^= (uint8_t)(1 << bit);
		}
	}
	for (size_t i = 0; i < len; i++) {
		uint8_t *cut = mem_dup(data, i);
		ck_assert_int_eq(read_octets(cut, i, &v), E_DAMAGED);
		mem_free(cut);
	}
	ck_assert_int_eq(read_octets(data, len, &v), E_OK);
	version_unref(v);
	mem_free(data);
}
END_TEST

/* With sums that are right: what is accepted is a zone, and comes back the same. */
START_TEST(what_sums_do_not_see)
{
	struct unit_random r = { (uint64_t)_i + 1 };
	uint8_t *data;
	size_t len;
	unsigned accepted = 0;
	make_octets(&data, &len);
	for (unsigned i = 0; i < 10000; i++) {
		struct version *v;
		uint8_t *copy = mem_dup(data, len);
		for (unsigned k = unit_random_below(&r, 3) + 1; k != 0; k--) {
			copy[unit_random_below(&r, (uint32_t)len)] = (uint8_t)unit_random_next(&r);
		}
		snapshot_fix_sums(copy, len);
		int err = read_octets(copy, len, &v);
		if (err == E_OK) {
			tree_check(&v->names);
			tree_check(&v->nsec3);
			if (accepted++ % 64 == 0) { /* each waits for the disk */
				save(v, 1);
				version_unref(load(v, 1));
			}
			version_unref(v);
		} else {
			ck_assert(err == E_DAMAGED || err == E_MISMATCH);
		}
		mem_free(copy);
	}
	ck_assert_uint_gt(accepted, 100); /* addresses, text ... */
	ck_assert_uint_lt(accepted, 9000);
	mem_free(data);
}
END_TEST

/* Where the @nth node lies. */
static struct node *node_at(uint8_t *data, unsigned nth)
{
	uint8_t *p = data + sizeof(struct snapshot_head);
	while (nth-- != 0) {
		p += (((struct node *)(void *)p)->size + 7) & ~7U;
	}
	return (struct node *)(void *)p;
}

START_TEST(nodes_that_no_zone_has)
{
	struct dname apex;
	struct version *v;
	size_t len;
	kit_name("example.", &apex);
	struct edit *e = edit_begin(NULL, apex.wire, EDIT_TTL_LAST);
	kit_serial(e, 9);
	kit_add(e, "a.example.", RRTYPE_A, 60, "192.0.2.1");
	kit_add(e, "a.example.", RRTYPE_A, 60, "192.0.2.2");
	kit_add(e, "a.example.", RRTYPE_RRSIG, 60,
		"A 13 2 300 20300101000000 20200101000000 1 example. AAAA");
	kit_add(e, "b.example.", RRTYPE_A, 60, "192.0.2.1");
	kit_add(e, "c.example.", RRTYPE_NS, 60, "b.example.");
	struct version *made = edit_commit(e);
	save(made, 1);
	version_unref(made);
	uint8_t *data = octets(&len);
	ck_assert_int_eq(read_octets(data, len, &v), E_OK);
	version_unref(v);
	struct node *a = node_at(data, 1);
	struct node *b = node_at(data, 2);
	struct node *c = node_at(data, 3);
	struct rrset *rs = (struct rrset *)(uintptr_t)node_rrsets(a);
	uint8_t *rr = (uint8_t *)(uintptr_t)rrset_data(rs);
	const struct {
		const char *what;
		void *at;
		uint8_t octet;
	} cases[] = {
		{ "order", &b->name[1], 'a' - 1 }, /* a.example. before this one */
		{ "a name twice", &b->name[1], 'A' },
		{ "outside", &b->name[3], 'f' },
		{ "labels", &b->labels, 3 },
		{ "label length", &b->name[0], 2 },
		{ "no cut", &c->flags, 0 },
		{ "another flag", &b->flags, NODE_APEX },
		{ "no sets", &b->rrsets, 0 },
		{ "more sets", &b->rrsets, 2 },
		{ "size", &b->size, (uint8_t)(b->size + 4) },
		{ "size of nothing", &b->size, 0 },
		{ "directory", &b->directory, (uint8_t)(b->directory + 4) },
		{ "type of NSEC3", &rs->type, RRTYPE_NSEC3 },
		{ "count", &rs->count, 3 },
		{ "fewer", &rs->count, 1 },
		{ "signatures", &rs->sigs, 0 },
		{ "flag of a set", &rs->flags, 2 },
		{ "offset", &rs->offset, (uint8_t)(rs->offset + 1) },
		{ "length", &rs->data_len, (uint8_t)(rs->data_len - 1) },
		{ "owner", rr, 0 },
		{ "type", rr + 3, RRTYPE_TXT },
		{ "class", rr + 5, RRCLASS_CH },
		{ "TTL", rr + 9, 61 },
		{ "rdata length", rr + 11, 3 },
		{ "order of records", rr + 15, 3 },
		{ "a record twice", rr + 15, 2 },
		{ "covered", rr + rs->data_len + NODE_RR_FIXED + 1, RRTYPE_NS },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t *at = cases[i].at;
		uint8_t before = *at;
		ck_assert_msg(before != cases[i].octet, "%s", cases[i].what);
		*at = cases[i].octet;
		snapshot_fix_sums(data, len);
		int err = read_octets(data, len, &v);
		ck_assert_msg(err == E_DAMAGED, "%s: %d", cases[i].what, err);
		*at = before;
	}
	/* Nothing but the octet was wrong. */
	snapshot_fix_sums(data, len);
	ck_assert_int_eq(read_octets(data, len, &v), E_OK);
	version_unref(v);
	mem_free(data);
}
END_TEST

START_TEST(files_that_are_none)
{
	struct unit_random r = { 5 };
	struct version *v = kit_next(NULL, 60, 1, &r);
	struct version *got = NULL;
	struct snapshot_info info;
	struct errmsg em;
	struct dname other;
	kit_name("example.org.", &other);
	ck_assert_int_eq(snapshot_read(path, v->apex.wire, 1, &got, NULL, &em), E_NOENT);
	ck_assert_int_eq(snapshot_read_info(path, &info, &em), E_NOENT);
	ck_assert_int_eq(snapshot_read(dir, v->apex.wire, 1, &got, NULL, &em), E_DAMAGED);
	ck_assert_int_eq(file_write(path, 0600, "", 0, &em), E_OK);
	ck_assert_int_eq(snapshot_read(path, v->apex.wire, 1, &got, NULL, &em), E_DAMAGED);
	ck_assert_ptr_nonnull(strstr(em.text, "is no snapshot"));
	save(v, 1);
	ck_assert_int_eq(snapshot_read(path, other.wire, 1, &got, NULL, &em), E_MISMATCH);
	ck_assert_ptr_nonnull(strstr(em.text, "is a snapshot of example."));
	ck_assert_ptr_null(got);
	version_unref(v);
}
END_TEST

START_TEST(a_full_disk_leaves_what_was_there)
{
	struct unit_random r = { 5 };
	struct version *v = kit_next(NULL, 60, 1, &r);
	struct errmsg em = { "" };
	save(v, 1);
	struct version *next = kit_next(v, 60, 2, &r);
	struct rlimit old;
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	const struct rlimit small = { 1000, old.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert_int_ne(snapshot_write(path, next, 2, &em), E_OK);
	ck_assert_str_ne(em.text, "");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	version_unref(load(v, 1));
	version_unref(v);
	version_unref(next);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("snapshot");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, what_was_written_is_read, 0, 5);
	tcase_add_test(tc, large_zones_and_large_nodes);
	tcase_add_test(tc, an_empty_zone);
	tcase_add_test(tc, no_octet_can_be_changed);
	tcase_add_loop_test(tc, what_sums_do_not_see, 0, 2);
	tcase_add_test(tc, nodes_that_no_zone_has);
	tcase_add_test(tc, files_that_are_none);
	tcase_add_test(tc, a_full_disk_leaves_what_was_there);
	return unit_run("zones/snapshot", tc);
}

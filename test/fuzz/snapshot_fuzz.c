/* test/fuzz/snapshot_fuzz.c - any octets as a snapshot, its sums made right.
 *
 * What is accepted is a zone: it prints, can be changed, and its records make the same zone again. */
#include <stdlib.h>

#include "test/unit/zones/snapshot_sums.h"
#include "zones/base/mem.h"
#include "zones/diff.h"
#include "zones/dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what) {
		abort();
	}
}

static void use(struct version *v)
{
	static struct version_walk w;
	static const uint8_t apex[] = "\7example";
	struct buf text = { 0 };
	struct diff d = { 0 };
	struct errmsg em;
	tree_check(&v->names);
	tree_check(&v->nsec3);
	for (const struct node *n = version_first(v, &w); n != NULL; n = version_next(&w)) {
		dump_node(n, DUMP_CANONICAL, &text);
	}
	struct version *empty = edit_commit(edit_begin(NULL, apex, EDIT_TTL_LAST));
	diff_make(empty, v, &d);
	struct edit *e = edit_begin(empty, NULL, EDIT_TTL_LAST);
	require(diff_apply(&d, e, &em) == E_OK);
	struct version *again = edit_commit(e);
	require(again->records == v->records && again->names.leaves == v->names.leaves &&
		again->nsec3.leaves == v->nsec3.leaves && again->serial == v->serial);
	e = edit_begin(v, NULL, EDIT_TTL_LAST);
	edit_remove_rrset(e, apex, RRTYPE_SOA);
	version_unref(v);
	version_unref(edit_commit(e));
	version_unref(again);
	version_unref(empty);
	buf_clear(&text);
	diff_clear(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t apex[] = "\7example";
	struct version *v;
	struct errmsg em;
	uint8_t *copy = mem_dup(data, size);
	snapshot_fix_sums(copy, size);
	if (snapshot_read_memory(copy, size, apex, &v, NULL, &em) == E_OK) {
		use(v);
	}
	mem_free(copy);
	return 0;
}

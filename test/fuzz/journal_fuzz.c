/* test/fuzz/journal_fuzz.c - any octets as an entry of the journal, its sum made right.
 *
 * What can be read prints, merges with itself turned round to nothing, and is applied to an empty zone: or refused
 * there. */
#include <stdlib.h>

#include "zones/base/crc32c.h"
#include "zones/base/mem.h"
#include "zones/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what) {
		abort();
	}
}

/* Parts must read back as they are. */
static void check_part(const struct diff_part *part, const uint8_t *apex)
{
	struct diff_part again = { 0 };
	struct reader r = reader_of(part->octets.data, part->octets.len);
	require(diff_part_read(&again, apex, &r, part->count) == E_OK);
	require(again.octets.len == part->octets.len && again.count == part->count);
	buf_clear(&again.octets);
}

static void use(const struct diff *d, const uint8_t *apex)
{
	struct diff back = { 0 };
	struct diff merged = { 0 };
	struct buf text = { 0 };
	struct errmsg em;
	diff_print(d, &text);
	diff_invert(d, &back);
	diff_merge(d, &back, &merged);
	check_part(&merged.removed, apex);
	check_part(&merged.added, apex);
	struct edit *e = edit_begin(NULL, apex, EDIT_TTL_LAST);
	if (diff_apply(d, e, &em) == E_OK) {
		struct diff again = { 0 };
		struct version *empty = edit_commit(edit_begin(NULL, apex, EDIT_TTL_LAST));
		struct version *v = edit_commit(e);
		tree_check(&v->names);
		tree_check(&v->nsec3);
		diff_make(empty, v, &again);
		require(again.removed.count == 0 && again.added.count == d->added.count);
		diff_clear(&again);
		version_unref(v);
		version_unref(empty);
	} else {
		require(em.text[0] != '\0');
		edit_abort(e);
	}
	buf_clear(&text);
	diff_clear(&back);
	diff_clear(&merged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t apex[] = "\7example";
	struct journal_entry e;
	struct diff d = { 0 };
	if (size < 8) {
		return 0;
	}
	uint8_t *copy = mem_dup(data, size);
	be32_put(copy + 4, crc32c(crc32c(0, copy, 4), copy + 8, size - 8));
	if (journal_entry_read((struct store_octets){ copy, size }, apex, &e, &d) == E_OK) {
		require(e.removed == d.removed.count && e.added == d.added.count);
		use(&d, apex);
	}
	diff_clear(&d);
	mem_free(copy);
	return 0;
}

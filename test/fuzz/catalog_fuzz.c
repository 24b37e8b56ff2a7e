/* test/fuzz/catalog_fuzz.c - any octets as lines of records, "owner type rdata", which make a catalog zone.
 *
 * What is no record is passed over. A catalog that is broken says where; the members of one that is not differ, are
 * found, and make a catalog with the same members. */
#include <stdlib.h>

#include "zones/catalog.h"
#include "zones/dns/rdata.h"
#include "zones/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t apex[] = "\3cat";

static void require(bool what)
{
	if (!what) {
		abort();
	}
}

static void add_line(struct edit *e, const char *line, size_t len)
{
	char copy[1024];
	struct dname owner;
	uint8_t rdata[2048];
	struct writer w = writer_of(rdata, sizeof(rdata));
	uint16_t type = 0;
	if (len >= sizeof(copy)) {
		return;
	}
	memcpy(copy, line, len);
	copy[len] = '\0';
	const size_t name = strcspn(copy, " ");
	const char *rest = copy + name + (copy[name] == ' ');
	const size_t word = strcspn(rest, " ");
	const char *text = rest + word + (rest[word] == ' ');
	if (dname_from_text(&owner, copy, name, apex, NULL) != E_OK ||
	    rrtype_from_text(rest, word, &type) != E_OK ||
	    rdata_from_string(type, text, apex, &w, NULL) != E_OK ||
	    rdata_check(type, rdata, writer_len(&w)) != E_OK) {
		return;
	}
	(void)!edit_add(e, owner.wire, type, 0, rdata, writer_len(&w)); /* elsewhere: so be it */
}

static void check_same(const struct catalog *a, const struct catalog *b)
{
	require(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct catalog_member *x = &a->members[i];
		const struct catalog_member *y = catalog_find(b, x->zone);
		require(y != NULL && memcmp(x->label, y->label, 1U + x->label[0]) == 0);
		require((x->coo == NULL) == (y->coo == NULL));
		require(x->coo == NULL || dname_equal(x->coo, y->coo));
		require(x->groups.len == y->groups.len);
		require(i == 0 || dname_compare(a->members[i - 1].zone, x->zone) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edit *e = edit_begin(NULL, apex, EDIT_TTL_LAST);
	struct catalog first;
	struct catalog second;
	struct version *made = NULL;
	struct errmsg em = { "" };
	const char *line = (const char *)data;
	const char *const end = line + size;
	while (line != end) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		const size_t len = (size_t)((lf != NULL ? lf : end) - line);
		add_line(e, line, len);
		line += len + (lf != NULL);
	}
	if (edit_error(e, NULL) != E_OK) {
		edit_abort(e);
		return 0;
	}
	struct version *v = edit_commit(e);
	const int err = catalog_read(v, &first, &em);
	require(err == E_OK || (err == E_CHECK && em.text[0] != '\0' && first.count == 0));
	if (err == E_OK) {
		require(catalog_make(apex, 1, first.members, first.count, &made, NULL) == E_OK);
		require(catalog_read(made, &second, NULL) == E_OK);
		check_same(&first, &second);
		catalog_clear(&second);
		version_unref(made);
	}
	catalog_clear(&first);
	version_unref(v);
	return 0;
}

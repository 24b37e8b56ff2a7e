/* test/fuzz/master_fuzz.c - any octets as a master file: what is accepted prints and reads back the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "zones/base/file.h"
#include "zones/dump.h"
#include "zones/master.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct version *read_zone(const char *text, size_t len)
{
	static const uint8_t apex[] = { 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0 };
	const struct master_options options = { .origin = apex };
	struct findings findings = { 0 };
	struct edit *e = NULL;
	/* As file_read hands it out: a NUL and room behind. */
	char *copy = calloc(1, len + FILE_SLACK + 1);
	if (copy == NULL) {
		abort();
	}
	memcpy(copy, text, len);
	int err = master_read_memory(NULL, copy, len, &options, &e, &findings);
	if ((err == E_OK) == (findings.errors != 0)) {
		abort(); /* a refusal says why, and only a refusal does */
	}
	findings_clear(&findings);
	free(copy);
	return err == E_OK ? edit_commit(e) : NULL;
}

static void print(const struct version *v, struct buf *out)
{
	struct version_walk walk;
	for (const struct node *n = version_first(v, &walk); n != NULL; n = version_next(&walk)) {
		dump_node(n, 0, out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = { 0 };
	struct buf second = { 0 };
	/* A $GENERATE of a million is right, and slow. */
	if (size > 4096 || memmem(data, size, "GENERATE", 8) != NULL) {
		return 0;
	}
	struct version *v = read_zone((const char *)data, size);
	if (v != NULL) {
		print(v, &first);
		struct version *again = read_zone(first.data != NULL ? first.data : "", first.len);
		if (again == NULL) {
			abort();
		}
		print(again, &second);
		if (first.len != second.len ||
		    (first.len != 0 && memcmp(first.data, second.data, first.len) != 0)) {
			abort();
		}
		version_unref(again);
	}
	version_unref(v);
	buf_clear(&first);
	buf_clear(&second);
	return 0;
}

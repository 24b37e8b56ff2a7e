/* test/fuzz/dname_text_fuzz.c - any text as a name: what is accepted prints and reads back, and its key
 * sorts as canonical order says. */
#include <stdint.h>
#include <stdlib.h>

#include "zones/dns/dname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t other[] = { 1, 'a', 1, '*', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0 };
	struct dname d, back;
	struct dname_key a, b;
	char text[DNAME_TEXT_MAX];
	if (dname_from_text(&d, (const char *)data, size, other + 4, NULL) != E_OK) {
		return 0;
	}
	size_t len = dname_to_text(d.wire, text);
	if (dname_from_text(&back, text, len, NULL, NULL) != E_OK || back.len != d.len ||
	    memcmp(back.wire, d.wire, d.len) != 0 || dname_len(d.wire) != d.len) {
		abort();
	}
	dname_key_make(&a, d.wire);
	dname_key_make(&b, other);
	if (sign(dname_key_compare(&a, &b)) != sign(dname_compare(d.wire, other))) {
		abort();
	}
	return 0;
}

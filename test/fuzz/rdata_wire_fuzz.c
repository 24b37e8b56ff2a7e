/* test/fuzz/rdata_wire_fuzz.c - any octets as rdata of any type: what is well-formed prints and reads back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "zones/dns/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t back[RDATA_MAX];
	struct buf text = { 0 };
	struct writer w = writer_of(back, sizeof(back));
	if (size < 2 || size > 2000) {
		return 0;
	}
	uint16_t type = be16_get(data);
	data += 2;
	size -= 2;
	if (rdata_check(type, data, size) != E_OK) {
		return 0;
	}
	buf_str(&text, ""); /* an empty APL prints as nothing at all */
	rdata_to_text(type, data, size, &text);
	if (rdata_from_string(type, text.data, NULL, &w, NULL) != E_OK || writer_len(&w) != size ||
	    memcmp(back, data, size) != 0) {
		abort();
	}
	rdata_canonical(type, data, size, back);
	if (rdata_compare(type, data, size, back, size) != 0) {
		abort();
	}
	buf_clear(&text);
	return 0;
}

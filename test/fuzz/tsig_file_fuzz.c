/* test/fuzz/tsig_file_fuzz.c - any octets as a file of TSIG keys.
 *
 * What is taken can be used; what is said about the rest has a place, fits on one line, and is the same for all that could
 * stand there. */
#include <stdlib.h>
#include <string.h>

#include "keys/tsig_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file_view text = { .data = mem_zalloc(size + 1 + FILE_SLACK), .len = size };
	struct tsig_keys keys = { 0 };
	struct errmsg em = { "" };
	if (size != 0) {
		memcpy(text.data, data, size);
	}
	int err = tsig_file_parse("k.key", &text, &keys, &em);
	require((err == E_OK) == (keys.count != 0) && (err == E_OK) == (em.text[0] == '\0'));
	require(err == E_OK || strncmp(em.text, "k.key:", 6) == 0);
	for (const char *at = em.text; *at != '\0'; at++) {
		require((uint8_t)*at >= 0x20 && (uint8_t)*at < 0x7f);
	}
	for (size_t i = 0; i < keys.count; i++) {
		const struct tsig_key *k = &keys.list[i];
		require(tsig_keys_find(&keys, k->name.wire) == k);
		require(k->secret.len != 0 && k->mac_len >= 10 &&
			k->mac_len <= k->algorithm->octets);
	}
	tsig_keys_clear(&keys);
	file_view_clear(&text);
	return 0;
}

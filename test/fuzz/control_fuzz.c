/* test/fuzz/control_fuzz.c - any line as a request on the control socket: what is accepted is made of the same words,
 * and the table of commands takes it or says why not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/command_table.h"
#include "server/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
	if (!good) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct control_request r;
	struct errmsg em = { "" };
	memset(&r, 0xa5, sizeof(r));
	if (control_parse(&r, (const char *)data, size) != E_OK) {
		return 0;
	}
	require(size >= 6 && size <= CONTROL_REQUEST_MAX);
	require(r.count >= 1 && r.count < CONTROL_WORDS_MAX);
	require(memcmp(data, r.form == REPORT_JSON ? "json" : "text", 5) == 0);
	size_t at = 5;
	for (size_t i = 0; i < r.count; i++) {
		size_t len = strlen(r.words[i]) + 1;
		require(at + len <= size && memcmp(data + at, r.words[i], len) == 0);
		at += len;
	}
	require(at == size);
	const struct command *c = command_find(r.words, r.count, &em);
	require((c == NULL) == (em.text[0] != '\0'));
	require(c == NULL || (strcmp(c->name, r.words[0]) == 0 && r.count - 1 <= c->max));
	return 0;
}

/* test/fuzz/replay.c - runs a fuzz target over its seeds, and over mutations of them.
 *
 * Linked with one target. The mutations come from a fixed generator, so that a failure repeats. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zones/base/buf.h"
#include "zones/base/file.h"

#define MUTATIONS 300 /* of each seed */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state = 1;

static uint32_t next_random(void)
{
	state = state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(state >> 33);
}

static void mutate(const struct file_view *seed)
{
	for (unsigned i = 0; i < MUTATIONS; i++) {
		/* Exactly as large as the input, so that a sanitizer sees one octet too many. */
		size_t len = seed->len;
		if (next_random() % 4 == 0 && len != 0) {
			len = next_random() % len;
		}
		uint8_t *copy = malloc(len != 0 ? len : 1);
		if (copy == NULL) {
			abort();
		}
		memcpy(copy, seed->data, len);
		for (unsigned k = next_random() % 4; k != 0 && len != 0; k--) {
			copy[next_random() % len] = (uint8_t)next_random();
		}
		(void)LLVMFuzzerTestOneInput(copy, len);
		free(copy);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	struct buf dir = { 0 };
	struct buf path = { 0 };
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash != NULL ? slash + 1 : argv[0];
	size_t len = strlen(name) - strlen("_fuzz_replay");
	unsigned seeds = 0;
	buf_printf(&dir, "test/fuzz/seeds/%.*s", (int)len, name);
	DIR *d = opendir(dir.data);
	for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
		struct file_view view = { 0 };
		struct errmsg em;
		buf_reset(&path);
		buf_printf(&path, "%s/%s", dir.data, e->d_name);
		if (e->d_name[0] == '.' || file_read(path.data, 1 << 24, &view, &em) != E_OK) {
			continue;
		}
		(void)LLVMFuzzerTestOneInput((const uint8_t *)view.data, view.len);
		mutate(&view);
		file_view_clear(&view);
		seeds++;
	}
	if (d != NULL) {
		(void)closedir(d);
	}
	/* No seeds is a mistake: a replay that replays nothing cannot fail. */
	printf("fuzz %.*s: %u passed, %d failed\n", (int)len, name, seeds, seeds == 0);
	buf_clear(&dir);
	buf_clear(&path);
	return seeds == 0;
}

/* test/fuzz/replay.c - runs a fuzz target over its seeds, and over mutations of them; or, with arguments,
 * over the files that they name, as a debugger would like it.
 *
 * Linked with one target. The mutations come from a fixed generator, so that a failure repeats; the last line
 * before it says which seed it was. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "zones/base/buf.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"

#define MUTATIONS 300 /* of each seed */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;

static uint32_t next_random(void)
{
	state = state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(state >> 33);
}

static void mutate(const struct file_view *seed)
{
	state = 1; /* for each seed, as their order is that of the directory */
	for (unsigned i = 0; i < MUTATIONS; i++) {
		/* Exactly as large as the input, so that a sanitizer sees one octet too many. */
		size_t len = seed->len;
		if (next_random() % 4 == 0 && len != 0) {
			len = next_random() % len;
		}
		uint8_t *copy = mem_dup(seed->data, len);
		for (unsigned k = next_random() % 4; k != 0 && len != 0; k--) {
			copy[next_random() % len] = (uint8_t)next_random();
		}
		(void)LLVMFuzzerTestOneInput(copy, len);
		mem_free(copy);
	}
}

/* Exactly as large as the file, without the zeros that file_read puts behind. */
static void run_once(const struct file_view *view)
{
	uint8_t *copy = mem_dup(view->data, view->len);
	(void)LLVMFuzzerTestOneInput(copy, view->len);
	mem_free(copy);
}

static int run_files(char **paths)
{
	for (; *paths != NULL; paths++) {
		struct file_view view;
		struct errmsg em;
		if (file_read(*paths, 1 << 24, &view, &em) != E_OK) {
			(void)fprintf(stderr, "%s\n", em.text);
			return 2;
		}
		run_once(&view);
		printf("%s: ran to its end\n", *paths);
		file_view_clear(&view);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		return run_files(argv + 1);
	}
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
		printf("%s\n", path.data);
		(void)fflush(stdout);
		run_once(&view);
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

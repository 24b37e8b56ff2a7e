/* test/fuzz/config_fuzz.c - any octets as a configuration.
 *
 * What is taken prints, and reads back to what prints the same; what is said about the rest fits on one
 * line and cannot play tricks on a terminal. */
#include <stdlib.h>

#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what) {
		abort();
	}
}

static struct config *parse(const char *data, size_t len)
{
	const struct config_source source = {
		.path = "fuzz.yaml", .data = data, .len = len, .only_text = true
	};
	struct findings f = { 0 };
	struct config *c = NULL;
	int err = config_parse(&source, &c, &f);
	require((err == E_OK) == (f.errors == 0) && (err == E_OK) == (c != NULL));
	for (size_t i = 0; i < f.count; i++) {
		const char *text = f.items[i].text;
		require(strncmp(text, "fuzz.yaml:", 10) == 0);
		for (; *text != '\0'; text++) {
			require((uint8_t)*text >= 0x20 && *text != 0x7f);
		}
	}
	findings_clear(&f);
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = parse((const char *)data, size);
	if (c == NULL) {
		return 0;
	}
	struct buf first = { 0 };
	struct buf second = { 0 };
	config_print(c, CONFIG_PRINT_PLAIN, &first);
	struct config *again = parse(first.data, first.len);
	require(again != NULL);
	config_print(again, CONFIG_PRINT_PLAIN, &second);
	require(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	buf_clear(&first);
	buf_clear(&second);
	config_free(c);
	config_free(again);
	return 0;
}

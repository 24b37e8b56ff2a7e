/* test/fuzz/keyfile_fuzz.c - any octets as key files.
 *
 * A line "%%" divides the input into a .key and a .private file; without it, the input is tried as either, with the
 * other half of a good key. What is taken prints, and reads back to what prints the same; what is said about the rest
 * names the file, fits on one line and cannot play tricks on a terminal. */
#include <stdlib.h>
#include <string.h>

#include "keys/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char good_ec[] =
	"example.net. 3600 IN DNSKEY 257 3 13 "
	"GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==\n";
static const char good_rsa[] =
	"example.net. IN DNSKEY 256 3 8 "
	"AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/"
	"DlUmObdk=\n";

static void require(bool what)
{
	if (!what) {
		abort();
	}
}

static void check_message(const struct errmsg *em, const char *file)
{
	const char *at = em->text;
	require(strncmp(at, file, strlen(file)) == 0);
	for (; *at != '\0'; at++) {
		require((uint8_t)*at >= 0x20 && *at != 0x7f);
	}
}

static struct file_view view_of(const void *data, size_t len)
{
	struct file_view v = { .data = mem_zalloc(len + 1 + FILE_SLACK), .len = len };
	if (len != 0) {
		memcpy(v.data, data, len);
	}
	return v;
}

static struct key *read_public(const void *data, size_t len)
{
	struct file_view text = view_of(data, len);
	struct errmsg em = { "" };
	struct key *key = NULL;
	int err = keyfile_parse_public("K.key", &text, &key, &em);
	require((err == E_OK) == (key != NULL));
	if (err != E_OK) {
		check_message(&em, "K.key:");
	}
	file_view_clear(&text);
	return key;
}

static bool read_private(struct key *key, const void *data, size_t len)
{
	struct file_view text = view_of(data, len);
	struct errmsg em = { "" };
	int err = keyfile_parse_private("K.private", &text, key, &em);
	require((err == E_OK) == crypto_key_is_private(key->pair));
	if (err != E_OK) {
		check_message(&em, "K.private:");
		require(key->extra == NULL);
	}
	file_view_clear(&text);
	return err == E_OK;
}

/* Both halves as they print, one behind the other. */
static void print(const struct key *key, struct buf *public, struct buf *private)
{
	struct buf name = { 0 };
	keyfile_name(key, &name);
	require(strchr(name.data, '/') == NULL && strlen(name.data) == name.len);
	buf_clear(&name);
	keyfile_print_public(key, public);
	buf_str(private, "");
	if (crypto_key_is_private(key->pair)) {
		require(keyfile_print_private(key, private) == E_OK);
	}
}

static void check_round_trip(const struct key *key)
{
	struct buf public[2] = { { 0 }, { 0 } };
	struct buf private[2] = { { 0 }, { 0 } };
	print(key, &public[0], &private[0]);
	struct key *again = read_public(public[0].data, public[0].len);
	require(again != NULL && again->tag == key->tag && again->flags == key->flags);
	if (private[0].len != 0) {
		require(read_private(again, private[0].data, private[0].len));
	}
	print(again, &public[1], &private[1]);
	require(strcmp(public[0].data, public[1].data) == 0);
	require(strcmp(private[0].data, private[1].data) == 0);
	key_free(again);
	for (unsigned i = 0; i < 2; i++) {
		buf_clear(&public[i]);
		buf_clear(&private[i]);
	}
}

static void run(const void *public, size_t public_len, const void *private, size_t private_len)
{
	struct key *key = read_public(public, public_len);
	if (key == NULL) {
		return;
	}
	if (private == NULL || read_private(key, private, private_len)) {
		check_round_trip(key);
	}
	key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char divider[] = "\n%%\n";
	const uint8_t *at = size != 0 ? memmem(data, size, divider, strlen(divider)) : NULL;
	if (at != NULL) {
		const uint8_t *behind = at + strlen(divider);
		run(data, (size_t)(at - data) + 1, behind, (size_t)(data + size - behind));
	} else {
		run(data, size, NULL, 0);
		run(good_ec, strlen(good_ec), size != 0 ? (const void *)data : "", size);
		run(good_rsa, strlen(good_rsa), size != 0 ? (const void *)data : "", size);
	}
	return 0;
}

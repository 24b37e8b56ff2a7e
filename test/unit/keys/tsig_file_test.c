/* Files of TSIG keys: what our and others' programs write reads back; what is wrong is told by its place, never by what
 * stands there. */
#include "keys/tsig_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/unit.h"

static int parse(const char *text, struct tsig_keys *out, struct errmsg *em)
{
	struct file_view view = { .data = mem_zalloc(strlen(text) + 1 + FILE_SLACK),
				  .len = strlen(text) };
	memcpy(view.data, text, view.len);
	int err = tsig_file_parse("k.key", &view, out, em);
	file_view_clear(&view);
	return err;
}

static void assert_key(const struct tsig_keys *keys, size_t i, const char *name,
		       const char *algorithm, const char *secret)
{
	char text[DNAME_TEXT_MAX];
	ck_assert_uint_lt(i, keys->count);
	const struct tsig_key *k = &keys->list[i];
	(void)dname_to_text(k->name.wire, text);
	ck_assert_str_eq(text, name);
	ck_assert_str_eq(k->algorithm->name, algorithm);
	ck_assert(secret_equal(k->secret.data, k->secret.len, secret, strlen(secret)));
}

START_TEST(what_keymgr_makes_reads_back)
{
	struct buf b = { 0 };
	struct tsig_keys keys = { 0 };
	struct errmsg em = { "" };
	const struct tsig_algorithm *a;
	for (size_t i = 0; (a = tsig_algorithm_at(i)) != NULL; i++) {
		char name[40];
		(void)snprintf(name, sizeof(name), "k%zu.example", i);
		ck_assert_int_eq(tsig_key_generate(name, a, &b), E_OK);
	}
	ck_assert_msg(parse(b.data, &keys, &em) == E_OK, "%s", em.text);
	for (size_t i = 0; (a = tsig_algorithm_at(i)) != NULL; i++) {
		ck_assert_uint_lt(i, keys.count);
		ck_assert_ptr_eq(keys.list[i].algorithm, a);
		ck_assert_uint_eq(keys.list[i].secret.len, a->octets);
	}
	tsig_keys_clear(&keys);
	buf_clear(&b);
}
END_TEST

START_TEST(all_ways_to_write)
{
	struct tsig_keys keys = { 0 };
	struct errmsg em = { "" };
	ck_assert_msg(
		parse("# a comment\n// one more\n/* and\n one */key\n\"a.b\" {\r\n"
		      "\talgorithm \"hmac-sha512-256\"; // 32 octets\n\tsecret \"c2VjcmV0\"; };"
		      "KEY b{SECRET c2VjcmV0Mg==;Algorithm HMAC-MD5;};#",
		      &keys, &em) == E_OK,
		"%s", em.text);
	ck_assert_uint_eq(keys.count, 2);
	assert_key(&keys, 0, "a.b.", "hmac-sha512", "secret");
	ck_assert_uint_eq(keys.list[0].mac_len, 32);
	assert_key(&keys, 1, "b.", "hmac-md5", "secret2");
	/* Another file adds to them; one that is broken does not. */
	ck_assert_int_eq(parse("key c { algorithm hmac-sha1; secret c2VjcmV0; };", &keys, &em),
			 E_OK);
	ck_assert_uint_eq(keys.count, 3);
	ck_assert_int_eq(parse("key d { algorithm hmac-sha1; secret c2VjcmV0; }; key", &keys, &em),
			 E_SYNTAX);
	ck_assert_uint_eq(keys.count, 3);
	struct dname name;
	ck_assert_int_eq(dname_from_text(&name, "B", 1, dname_root, NULL), E_OK);
	ck_assert_ptr_eq(tsig_keys_find(&keys, name.wire), &keys.list[1]);
	ck_assert_ptr_null(tsig_keys_find(&keys, dname_root));
	tsig_keys_clear(&keys);
}
END_TEST

/* What stands behind "k.key:" of a text. "hush" is in all places where a secret may be. */
static const struct {
	const char *text, *said;
} broken[] = {
	{ "", "1:1: found the end of the file, expected key" },
	{ " # only this\n", "2:1: found the end of the file, expected key" },
	{ "hush", "1:1: found something else, expected key" },
	{ "\"key\" k {", "1:1: found something else, expected key" },
	{ "key {", "1:5: found something else, expected the name of the key" },
	{ "key k\n  hush", "2:3: found something else, expected \"{\"" },
	{ "key k { hush", "1:9: found something else, expected algorithm, secret or \"}\"" },
	{ "key k { secret ;", "1:16: found something else, expected a secret in base64" },
	{ "key k { secret \"hush\" }", "1:23: found something else, expected \";\"" },
	{ "key k { secret \"hush\n\";",
	  "1:16: this text has no end, expected \" on the same line" },
	{ "key k { /* hush\n", "1:9: this comment has no end, expected */" },
	{ "key k { secret hush; secret hush; };", "1:22: this key has one already" },
	{ "key k { secret hush; };", "1:22: this key has no algorithm" },
	{ "key k { algorithm hmac-sha256; };", "1:32: this key has no secret" },
	{ "key k { algorithm hush; secret hush; };",
	  "1:19: there is no such algorithm; expected one such as hmac-sha256" },
	{ "key k { algorithm hmac-sha256; secret hush*; };", "1:39: this secret is not base64" },
	{ "key k { algorithm hmac-sha256; secret \"\"; };", "1:39: this secret is not base64" },
	{ "key k { algorithm hmac-sha256; secret hush; }",
	  "1:46: found the end of the file, expected \";\"" },
	{ "key a..b { algorithm hmac-sha256; secret hush; };",
	  "1:5: the name of this key is no domain name" },
	{ "key k { algorithm hmac-sha256; secret hush; };\nkey K. { algorithm hmac-sha1; secret hush; };",
	  "2:5: a key of this name is there before" },
};

START_TEST(broken_files_are_explained)
{
	struct tsig_keys keys = { 0 };
	struct errmsg em = { "" };
	ck_assert_int_lt(parse(broken[_i].text, &keys, &em), 0);
	ck_assert_mem_eq(em.text, "k.key:", 6);
	ck_assert_str_eq(em.text + 6, broken[_i].said);
	ck_assert_ptr_null(strstr(em.text, "hush"));
	ck_assert_uint_eq(keys.count, 0);
	tsig_keys_clear(&keys);
}
END_TEST

START_TEST(others_must_not_read_it)
{
	static const char text[] = "key k { algorithm hmac-sha256; secret c2VjcmV0; };\n";
	char path[] = "/tmp/tsig_file_test_XXXXXX";
	struct tsig_keys keys = { 0 };
	struct errmsg em = { "" };
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(tsig_file_read(path, &keys, &em), E_OK);
	ck_assert_uint_eq(keys.count, 1);
	ck_assert_int_eq(fchmod(fd, 0644), 0);
	ck_assert_int_eq(tsig_file_read(path, &keys, &em), E_PERM);
	ck_assert_ptr_nonnull(strstr(em.text, "chmod o= "));
	(void)close(fd);
	(void)unlink(path);
	ck_assert_int_eq(tsig_file_read(path, &keys, &em), E_NOENT);
	tsig_keys_clear(&keys);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("tsig_file");
	tcase_add_test(tc, what_keymgr_makes_reads_back);
	tcase_add_test(tc, all_ways_to_write);
	tcase_add_loop_test(tc, broken_files_are_explained, 0, (int)ARRAY_LEN(broken));
	tcase_add_test(tc, others_must_not_read_it);
	return unit_run("keys/tsig_file", tc);
}

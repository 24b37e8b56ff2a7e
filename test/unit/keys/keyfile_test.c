/* test/unit/keys/keyfile_test.c - key files: broken ones and odd ones, and what is on disk. */
#include "keys/keyfile.h"

#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/unit.h"
#include "zones/base/text.h"
#include "zones/base/time.h"

#define FOLDER "test/data/keys/"

/* --- cases from files ------------------------------------------------------------------------ */

#define PUB                                                                                        \
 "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="
#define PRIV "GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ="

static const struct {
	const char *name, *text;
} marks[] = {
	{ "{{PUB}}", PUB },
	{ "{{PRIV}}", PRIV },
	{ "{{OTHER}}",
	  "qO+fvAtHPCNBHXa9FthZKf4ijcEak8ARQ0cd8VBRAu7g89qQyLwfQCBX8P1Ga9anQHQ27MQiaHs4J5uIJ3Wp+A==" },
	{ "{{OTHER_PRIV}}", "DI2cR/0j9se45++kY34OFjZQqBzHknYUwBjAMc7+CUw=" },
	{ "{{RSA_PUB}}",
	  "AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/DlUmObdk=" },
	{ "{{RSA}}",
	  "Modulus: wVwaxrHF2CK64aYKRUibLiH30KpPuPBjel7E8ZydQW1HYWHfoGmidzC2RnhwCC293hCzw+TFR2nqn8OVSY5t2Q==\n"
	  "PublicExponent: AQAB\n"
	  "PrivateExponent: UR44xX6zB3eaeyvTRzmskHADrPCmPWnr8dxsNwiDGHzrMKLN+i/HAam+97HxIKVWNDH2ba9Mf1SA8xu9dcHZAQ==\n"
	  "Prime1: 4c8IvFu1AVXGWeFLLFh5vs7fbdzdC6U82fduE6KkSWk=\n"
	  "Prime2: 2zZpBE8ZXVnL74QjG4zINlDfH+EOEtjJJ3RtaYDugvE=\n"
	  "Exponent1: G2xAPFfK0KGxGANDVNxd1K1c9wOmmJ51mGbzKFFNMFk=\n"
	  "Exponent2: GYxP1Pa7CAwtHm8SAGX594qZVofOMhgd6YFCNyeVpKE=\n"
	  "Coefficient: icQdNRjlZGPmuJm2TIadubcO8X7V4y07aVhX464tx8Q=" },
};

static const char default_key[] = "example.net. 3600 IN DNSKEY 257 3 13 " PUB "\n";
static const char default_private[] = "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n"
				      "PrivateKey: " PRIV "\nCreated: 20100812100439\n";

enum { CASES_MAX = 300 };

struct case_file {
	char *text;
	const char *cases[CASES_MAX]; /* from the name on, until a NUL */
	size_t count;
};
static struct case_file broken, good;

static void cases_open(struct case_file *f, const char *path)
{
	struct file_view view = { 0 };
	struct errmsg em = { "" };
	if (file_read(path, 1 << 20, &view, &em) != E_OK) {
		return;
	}
	f->text = mem_str(view.data, view.len);
	file_view_clear(&view);
	char *at = f->text;
	while ((at = strstr(at, "\n=== ")) != NULL && f->count < CASES_MAX) {
		*at = '\0';
		at += 5;
		f->cases[f->count++] = at;
	}
}

/* What stands in double braces at @at, appended; octets that it took there, or 0. */
static size_t add_mark(struct buf *b, const char *at)
{
	uint8_t octet;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t len = strlen(marks[i].name);
		if (strncmp(at, marks[i].name, len) == 0) {
			buf_str(b, marks[i].text);
			return len;
		}
	}
	if (strncmp(at, "{{", 2) == 0 && text_from_hex(at + 2, 2, &octet, 1) == 1 &&
	    strncmp(at + 4, "}}", 2) == 0) {
		buf_char(b, (char)octet);
		return 6;
	}
	return 0;
}

static void add_line(struct buf *b, const char *line, size_t len)
{
	const char *end = line + len;
	bool end_line = true;
	while (line < end) {
		size_t n = add_mark(b, line);
		if (n == 0 && strncmp(line, "{{-}}", 5) == 0) {
			end_line = false;
			n = 5;
		} else if (n == 0) {
			buf_char(b, *line);
			n = 1;
		}
		line += n;
	}
	if (end_line) {
		buf_char(b, '\n');
	}
}

struct test_case {
	char name[80];
	struct file_view key, private;
	struct buf said;
};

/* A view as file_read makes it: with a sentinel and slack behind. Takes @b. */
static struct file_view view_of(struct buf *b, const char *otherwise)
{
	if (b->data == NULL) {
		buf_str(b, otherwise);
	}
	struct file_view v = { .len = b->len, .data = mem_zalloc(b->len + 1 + FILE_SLACK) };
	memcpy(v.data, b->data, b->len);
	buf_clear(b);
	return v;
}

static void case_read(const char *at, struct test_case *out)
{
	struct buf key = { 0 }, private = { 0 };
	struct buf *to = NULL;
	*out = (struct test_case){ 0 };
	buf_str(&out->said, "");
	size_t len = strcspn(at, "\n");
	(void)snprintf(out->name, sizeof(out->name), "%.*s", (int)len, at);
	for (at += len + (at[len] == '\n'); *at != '\0'; at += len + (at[len] == '\n')) {
		len = strcspn(at, "\n");
		if (strncmp(at, "--> ", 4) == 0) {
			buf_add(&out->said, at + 4, len - 4);
		} else if (len == 5 && strncmp(at, "[key]", 5) == 0) {
			to = &key;
			buf_str(to, "");
		} else if (len == 9 && strncmp(at, "[private]", 9) == 0) {
			to = &private;
			buf_str(to, "");
		} else {
			ck_assert_msg(to != NULL, "%s: a line before [key] or [private]",
				      out->name);
			add_line(to, at, len);
		}
	}
	out->key = view_of(&key, default_key);
	out->private = view_of(&private, default_private);
}

static void case_clear(struct test_case *c)
{
	file_view_clear(&c->key);
	file_view_clear(&c->private);
	buf_clear(&c->said);
}

static int parse(const struct test_case *c, struct key **key, struct errmsg *em)
{
	int err = keyfile_parse_public("K.key", &c->key, key, em);
	return err == E_OK ? keyfile_parse_private("K.private", &c->private, *key, em) : err;
}

START_TEST(broken_files_are_explained)
{
	struct test_case c;
	struct key *key = NULL;
	struct errmsg em = { "" };
	case_read(broken.cases[_i], &c);
	int err = parse(&c, &key, &em);
	ck_assert_msg(err != E_OK, "%s: no error", c.name);
	ck_assert_msg(strcmp(em.text, c.said.data) == 0, "%s: says\n%s\nexpected\n%s\n", c.name,
		      em.text, c.said.data);
	ck_assert_ptr_null(strstr(em.text, "Ou+xC5Ru")); /* never what is secret */
	if (key != NULL) { /* the public half stays, and nothing of the private one is in it */
		ck_assert(!crypto_key_is_private(key->pair));
		ck_assert_ptr_null(key->extra);
		ck_assert(key->times[KEY_CREATED] == KEY_TIME_NONE);
	}
	key_free(key);
	case_clear(&c);
}
END_TEST

static void describe(const struct key *key, struct buf *out)
{
	buf_printf(out, "%u %u %u", key->tag, key->algorithm, key->flags);
	if (key->has_ttl) {
		buf_printf(out, " %u", key->ttl_s);
	} else {
		buf_str(out, " -");
	}
	for (enum key_time t = 0; t < KEY_TIMES; t++) {
		char text[TIME_TEXT14_LEN + 1];
		if (key->times[t] != KEY_TIME_NONE) {
			time_to_text14(key->times[t], text);
			buf_printf(out, " %s=%s", key_time_field(t), text);
		}
	}
	if (key->extra != NULL) {
		buf_char(out, ' ');
		for (const char *c = key->extra; *c != '\0'; c++) {
			buf_char(out, *c == '\n' ? '|' : *c);
		}
	}
}

/* --- a directory of its own ------------------------------------------------------------------ */

static char dir[64];

static void dir_make(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/signet-keyfile-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void dir_remove(void)
{
	char command[100];
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static struct key *default_pair(void)
{
	struct test_case c;
	struct key *key = NULL;
	struct errmsg em = { "" };
	case_read("what both files are otherwise", &c);
	ck_assert_msg(parse(&c, &key, &em) == E_OK, "%s", em.text);
	case_clear(&c);
	return key;
}

static void put(const char *name, const char *text, mode_t mode)
{
	struct buf path = { 0 };
	struct errmsg em = { "" };
	buf_printf(&path, "%s/%s", dir, name);
	ck_assert_msg(file_write(path.data, mode, text, strlen(text), &em) == E_OK, "%s", em.text);
	ck_assert_int_eq(chmod(path.data, mode), 0);
	buf_clear(&path);
}

static bool is_there(const char *name)
{
	struct buf path = { 0 };
	buf_printf(&path, "%s/%s", dir, name);
	bool there = access(path.data, F_OK) == 0;
	buf_clear(&path);
	return there;
}

static int read_key(const char *name, enum keyfile_need need, struct key **key, struct errmsg *em)
{
	struct buf path = { 0 };
	buf_printf(&path, "%s/%s", dir, name);
	int err = keyfile_read(path.data, need, key, em);
	buf_clear(&path);
	return err;
}

START_TEST(odd_files_are_read_and_written_back)
{
	struct test_case c;
	struct key *key = NULL;
	struct key *again = NULL;
	struct errmsg em = { "" };
	struct buf is = { 0 }, back = { 0 };
	case_read(good.cases[_i], &c);
	ck_assert_msg(parse(&c, &key, &em) == E_OK, "%s: %s", c.name, em.text);
	describe(key, &is);
	ck_assert_msg(strcmp(is.data, c.said.data) == 0, "%s: says\n%s\nexpected\n%s\n", c.name,
		      is.data, c.said.data);
	dir_make();
	ck_assert_msg(keyfile_create(dir, key, &em) == E_OK, "%s: %s", c.name, em.text);
	ck_assert_msg(keyfile_read(key->path, KEYFILE_PAIR, &again, &em) == E_OK, "%s: %s", c.name,
		      em.text);
	describe(again, &back);
	ck_assert_str_eq(is.data, back.data);
	dir_remove();
	key_free(key);
	key_free(again);
	buf_clear(&is);
	buf_clear(&back);
	case_clear(&c);
}
END_TEST

START_TEST(there_are_enough_cases)
{
	ck_assert_uint_ge(broken.count, 100);
	ck_assert_uint_ge(good.count, 20);
}
END_TEST

/* --- names ----------------------------------------------------------------------------------- */

static const struct {
	const char *zone, *name;
} names[] = {
	/* as dnssec-keygen 9.18 names its files */
	{ ".", "K.+013+55648" },
	{ "example.com.", "Kexample.com.+013+55648" },
	{ "UP.Example.com.", "Kup.example.com.+013+55648" },
	{ "0/25.2.0.192.in-addr.arpa.", "K0%2F25.2.0.192.in-addr.arpa.+013+55648" },
	{ "we\\.ird.Ex\\032ample.com.", "Kwe%2Eird.ex%20ample.com.+013+55648" },
	{ "a\\;b\\$c_d.example.com.", "Ka%3Bb%24c_d.example.com.+013+55648" },
	{ "a%b:c\\007.Example.com.", "Ka%25b%3Ac%07.example.com.+013+55648" },
	{ "\\000.x-y.", "K%00.x-y.+013+55648" },
	{ "*.\\255.", "K%2A.%FF.+013+55648" },
};

START_TEST(names_are_those_of_bind)
{
	struct key *key = default_pair();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf name = { 0 };
		ck_assert_int_eq(dname_from_text(&key->zone, names[i].zone, strlen(names[i].zone),
						 NULL, NULL),
				 E_OK);
		keyfile_name(key, &name);
		ck_assert_str_eq(name.data, names[i].name);
		buf_clear(&name);
	}
	key_free(key);
}
END_TEST

START_TEST(any_name_of_the_pair_will_do)
{
	static const char *const endings[] = { "", ".", ".key", ".private" };
	struct key *key = default_pair();
	struct errmsg em = { "" };
	dir_make();
	ck_assert_int_eq(keyfile_create(dir, key, &em), E_OK);
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		struct key *again = NULL;
		char name[100];
		(void)snprintf(name, sizeof(name), "Kexample.net.+013+55648%s", endings[i]);
		ck_assert_msg(read_key(name, KEYFILE_PAIR, &again, &em) == E_OK, "%s: %s", name,
			      em.text);
		ck_assert_str_eq(again->path, key->path);
		key_free(again);
	}
	key_free(key);
	dir_remove();
}
END_TEST

/* --- what is on disk ------------------------------------------------------------------------- */

START_TEST(a_file_of_another_name_is_refused)
{
	struct key *key = NULL;
	struct errmsg em = { "" };
	dir_make();
	put("Kexample.net.+013+12345.key", default_key, 0644);
	put("Kexample.org.+013+55648.key", default_key, 0644);
	put("Kexample.net.+014+55648.key", default_key, 0644);
	put("other.key", default_key, 0644);
	ck_assert_int_eq(read_key("Kexample.net.+013+12345", KEYFILE_RECORD, &key, &em),
			 E_MISMATCH);
	ck_assert_ptr_nonnull(
		strstr(em.text, "belongs into Kexample.net.+013+55648.key; rename it back"));
	ck_assert_int_eq(read_key("Kexample.org.+013+55648", KEYFILE_RECORD, &key, &em),
			 E_MISMATCH);
	ck_assert_int_eq(read_key("Kexample.net.+014+55648", KEYFILE_RECORD, &key, &em),
			 E_MISMATCH);
	ck_assert_int_eq(read_key("other", KEYFILE_RECORD, &key, &em), E_MISMATCH);
	ck_assert_ptr_null(key);
	dir_remove();
}
END_TEST

START_TEST(files_that_are_not_there)
{
	struct key *key = NULL;
	struct errmsg em = { "" };
	dir_make();
	ck_assert_int_eq(read_key("Kexample.net.+013+55648", KEYFILE_RECORD, &key, &em), E_NOENT);
	put("Kexample.net.+013+55648.key", default_key, 0644);
	ck_assert_int_eq(read_key("Kexample.net.+013+55648", KEYFILE_PAIR, &key, &em), E_NOENT);
	ck_assert_ptr_nonnull(strstr(em.text, "Kexample.net.+013+55648.private"));
	ck_assert_int_eq(read_key("Kexample.net.+013+55648", KEYFILE_PUBLIC, &key, &em), E_OK);
	ck_assert(!crypto_key_is_private(key->pair));
	key_free(key);
	dir_remove();
}
END_TEST

START_TEST(a_private_file_for_others_is_refused)
{
	static const mode_t open_modes[] = { 0644, 0640, 0604, 0620, 0601 };
	struct key *key = NULL;
	struct errmsg em = { "" };
	dir_make();
	put("Kexample.net.+013+55648.key", default_key, 0644);
	for (size_t i = 0; i < ARRAY_LEN(open_modes); i++) {
		put("Kexample.net.+013+55648.private", default_private, open_modes[i]);
		ck_assert_int_eq(read_key("Kexample.net.+013+55648", KEYFILE_PAIR, &key, &em),
				 E_PERM);
		ck_assert_ptr_nonnull(strstr(em.text, "run: chmod 600 "));
		ck_assert_int_eq(read_key("Kexample.net.+013+55648", KEYFILE_PUBLIC, &key, &em),
				 E_PERM);
	}
	/* Nobody looks at it. */
	ck_assert_int_eq(read_key("Kexample.net.+013+55648", KEYFILE_RECORD, &key, &em), E_OK);
	key_free(key);
	put("Kexample.net.+013+55648.private", default_private, 0400);
	ck_assert_int_eq(read_key("Kexample.net.+013+55648", KEYFILE_PAIR, &key, &em), E_OK);
	key_free(key);
	dir_remove();
}
END_TEST

START_TEST(a_huge_file_is_refused)
{
	struct key *key = NULL;
	struct errmsg em = { "" };
	char *text = mem_alloc(KEYFILE_MAX + 2);
	memset(text, '\n', KEYFILE_MAX + 1);
	text[KEYFILE_MAX + 1] = '\0';
	dir_make();
	put("Kexample.net.+013+55648.key", text, 0644);
	ck_assert_int_eq(read_key("Kexample.net.+013+55648", KEYFILE_RECORD, &key, &em), E_LIMIT);
	put("Kexample.net.+013+55648.key", default_key, 0644);
	put("Kexample.net.+013+55648.private", text, 0600);
	ck_assert_int_eq(read_key("Kexample.net.+013+55648", KEYFILE_PAIR, &key, &em), E_LIMIT);
	dir_remove();
	mem_free(text);
}
END_TEST

START_TEST(nothing_is_overwritten_by_a_new_key)
{
	static const char *const files[] = { "Kexample.net.+013+55648.key",
					     "Kexample.net.+013+55648.private" };
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct key *key = default_pair();
		struct errmsg em = { "" };
		dir_make();
		put(files[i], "what was here", 0600);
		ck_assert_int_eq(keyfile_create(dir, key, &em), E_EXIST);
		ck_assert_ptr_nonnull(strstr(em.text, files[i]));
		ck_assert(is_there(files[i]) && !is_there(files[1 - i]));
		ck_assert_ptr_null(key->path);
		key_free(key);
		dir_remove();
	}
}
END_TEST

START_TEST(files_have_their_modes)
{
	struct key *key = default_pair();
	struct errmsg em = { "" };
	struct buf path = { 0 };
	struct stat st;
	dir_make();
	(void)umask(0);
	ck_assert_int_eq(keyfile_create(dir, key, &em), E_OK);
	buf_printf(&path, "%s.private", key->path);
	ck_assert_int_eq(stat(path.data, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777U, 0600);
	buf_reset(&path);
	buf_printf(&path, "%s.key", key->path);
	ck_assert_int_eq(stat(path.data, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777U, 0644);
	buf_clear(&path);
	key_free(key);
	dir_remove();
}
END_TEST

START_TEST(a_key_that_is_revoked_gets_other_files)
{
	struct key *key = default_pair();
	struct key *again = NULL;
	struct errmsg em = { "" };
	dir_make();
	ck_assert_int_eq(keyfile_create(dir, key, &em), E_OK);
	key->flags |= KEY_FLAG_REVOKE;
	key->times[KEY_REVOKE] = 1262304000;
	ck_assert_int_eq(keyfile_update(key, &em), E_OK);
	ck_assert_uint_eq(key->tag, 55648 + KEY_FLAG_REVOKE);
	ck_assert(!is_there("Kexample.net.+013+55648.key") &&
		  !is_there("Kexample.net.+013+55648.private"));
	ck_assert_int_eq(read_key("Kexample.net.+013+55776", KEYFILE_PAIR, &again, &em), E_OK);
	ck_assert(again->times[KEY_REVOKE] == 1262304000);
	key_free(again);
	key_free(key);
	dir_remove();
}
END_TEST

/* --- all keys of a zone ---------------------------------------------------------------------- */

static struct keyset search(const char *zone, enum keyfile_need need, struct buf *skipped,
			    int expected)
{
	struct dname name;
	struct keyset keys = { 0 };
	struct errmsg em = { "" };
	ck_assert_int_eq(dname_from_text(&name, zone, strlen(zone), NULL, NULL), E_OK);
	const struct keyfile_search s = {
		.dir = dir, .zone = name.wire, .need = need, .skipped = skipped
	};
	ck_assert_int_eq(keyfile_search(&s, &keys, &em), expected);
	return keys;
}

START_TEST(other_files_are_no_keys_of_the_zone)
{
	static const char *const others[] = {
		"Kexample.net.+013+5564.key",	   "Kexample.net.+013+055648.key",
		"Kexample.net.+13+55648.key",	   "Kexample.net.+013+backup.key",
		"Kexample.net.+013+55648.key~",	   "Kexample.net.+013+55648.state",
		"Kexample.network.+013+55648.key", "Kwww.example.net.+013+55648.key",
		"example.net.+013+55648.key",	   "Kexample.net.+013+55648",
		"Kexample.net.+013-55648.key",
	};
	dir_make();
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		put(others[i], "no key at all", 0600);
	}
	struct keyset keys = search("example.net.", KEYFILE_RECORD, NULL, E_OK);
	ck_assert_uint_eq(keys.count, 0);
	dir_remove();
}
END_TEST

START_TEST(bad_keys_are_passed_over_or_told)
{
	struct buf skipped = { 0 };
	struct key *key = default_pair();
	struct errmsg em = { "" };
	dir_make();
	ck_assert_int_eq(keyfile_create(dir, key, &em), E_OK);
	put("Kexample.net.+003+00001.key", "example.net. IN DNSKEY 256 3 3 AAAA\n", 0644);
	put("Kexample.net.+013+00002.key", default_key, 0644);
	put("Kexample.net.+013+00003.key", "example.net. IN A 192.0.2.1\n", 0644);
	struct keyset keys = search("example.net.", KEYFILE_RECORD, &skipped, E_OK);
	ck_assert_uint_eq(keys.count, 1);
	ck_assert_uint_eq(keys.keys[0]->tag, 55648);
	ck_assert_ptr_nonnull(strstr(skipped.data, "Kexample.net.+003+00001.key:1:"));
	ck_assert_ptr_nonnull(strstr(skipped.data, "Kexample.net.+013+00002.key: holds the key"));
	ck_assert_ptr_nonnull(strstr(skipped.data, "Kexample.net.+013+00003.key:1:"));
	keyset_clear(&keys);
	buf_clear(&skipped);
	keys = (struct keyset){ 0 };
	ck_assert_int_ne(keyfile_read_dir(dir, key->zone.wire, KEYFILE_RECORD, &keys, &em), E_OK);
	ck_assert_ptr_nonnull(strstr(em.text, ".key:"));
	keyset_clear(&keys);
	key_free(key);
	dir_remove();
}
END_TEST

START_TEST(keys_come_in_order)
{
	static const uint8_t algorithms[] = { 15, 13, 14, 13, 15, 13 };
	struct errmsg em = { "" };
	dir_make();
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		struct key *key = default_pair();
		crypto_key_free(key->pair);
		key->algorithm = algorithms[i];
		ck_assert_int_eq(crypto_key_generate(algorithms[i], 0, &key->pair), E_OK);
		key->tag = key_tag_with(key, key->flags);
		ck_assert_int_eq(keyfile_create(dir, key, &em), E_OK);
		key_free(key);
	}
	struct keyset keys = search("EXAMPLE.net.", KEYFILE_PAIR, NULL, E_OK);
	ck_assert_uint_eq(keys.count, ARRAY_LEN(algorithms));
	for (size_t i = 1; i < keys.count; i++) {
		const struct key *a = keys.keys[i - 1];
		const struct key *b = keys.keys[i];
		ck_assert(a->algorithm < b->algorithm ||
			  (a->algorithm == b->algorithm && a->tag < b->tag));
	}
	keyset_clear(&keys);
	dir_remove();
}
END_TEST

START_TEST(a_directory_that_is_not_there)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/signet-keyfile-not-there");
	struct keyset keys = search("example.net.", KEYFILE_RECORD, NULL, E_NOENT);
	ck_assert_uint_eq(keys.count, 0);
}
END_TEST

static bool is_in(const char *where, const char *name)
{
	char path[300];
	(void)snprintf(path, sizeof(path), "%s/%s", where, name);
	return access(path, F_OK) == 0;
}

START_TEST(keys_are_put_aside)
{
	static const struct {
		const char *name;
		bool moves;
	} files[] = {
		{ "Kexample.net.+013+55648.key", true },
		{ "Kexample.net.+013+55648.private", true },
		{ "Kexample.net.+013+00001.state", true },
		{ "K%2A.odd%2Bname.+015+00002.key", true },
		{ "K.+008+00003.private", true },
		{ "Kexample.network.+013+55648.key", false },
		{ "Kwww.example.net.+013+55648.key", false },
		{ "Kexample.net.", false },
		{ "example.net.+013+55648.key", false },
		{ "Kexample.net+013+55648.key", false },
	};
	static const char *const owners[] = { "Example.NET.", "other.", "*.odd+name.", "." };
	struct dname zones[ARRAY_LEN(owners)];
	const uint8_t *list[ARRAY_LEN(owners)];
	struct errmsg em = { "" };
	char to[200];
	size_t moved = 9;
	dir_make();
	(void)snprintf(to, sizeof(to), "%s/removed", dir);
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		ck_assert_int_eq(
			dname_from_text(&zones[i], owners[i], strlen(owners[i]), NULL, NULL), E_OK);
		list[i] = zones[i].wire;
	}
	struct keyfile_aside a = { .dir = dir, .to = to, .zones = list, .count = ARRAY_LEN(list) };
	ck_assert_int_eq(keyfile_put_aside(&a, &moved, &em), E_OK);
	ck_assert_uint_eq(moved, 0);
	ck_assert(!is_in(dir, "removed"));
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		put(files[i].name, "secret", 0600);
	}
	ck_assert_msg(keyfile_put_aside(&a, &moved, &em) == E_OK, "%s", em.text);
	ck_assert_uint_eq(moved, 5);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		ck_assert_msg(is_in(to, files[i].name) == files[i].moves &&
				      is_in(dir, files[i].name) == !files[i].moves,
			      "%s", files[i].name);
	}
	a.dir = "/tmp/signet-keyfile-not-there";
	ck_assert_int_eq(keyfile_put_aside(&a, &moved, &em), E_OK);
	a.dir = dir;
	a.to = "/tmp/signet-keyfile-not-there/removed";
	put(files[0].name, "secret", 0600);
	ck_assert_int_eq(keyfile_put_aside(&a, &moved, &em), E_NOENT);
	ck_assert_ptr_nonnull(strstr(em.text, "cannot be moved"));
	ck_assert(is_in(dir, files[0].name));
	dir_remove();
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("keyfile");
	cases_open(&broken, FOLDER "broken.txt");
	cases_open(&good, FOLDER "good.txt");
	tcase_add_test(tc, there_are_enough_cases);
	tcase_add_loop_test(tc, broken_files_are_explained, 0, (int)broken.count);
	tcase_add_loop_test(tc, odd_files_are_read_and_written_back, 0, (int)good.count);
	tcase_add_test(tc, names_are_those_of_bind);
	tcase_add_test(tc, any_name_of_the_pair_will_do);
	tcase_add_test(tc, a_file_of_another_name_is_refused);
	tcase_add_test(tc, files_that_are_not_there);
	tcase_add_test(tc, a_private_file_for_others_is_refused);
	tcase_add_test(tc, a_huge_file_is_refused);
	tcase_add_test(tc, nothing_is_overwritten_by_a_new_key);
	tcase_add_test(tc, files_have_their_modes);
	tcase_add_test(tc, a_key_that_is_revoked_gets_other_files);
	tcase_add_test(tc, other_files_are_no_keys_of_the_zone);
	tcase_add_test(tc, bad_keys_are_passed_over_or_told);
	tcase_add_test(tc, keys_come_in_order);
	tcase_add_test(tc, a_directory_that_is_not_there);
	tcase_add_test(tc, keys_are_put_aside);
	int status = unit_run("keys/keyfile", tc);
	mem_free(broken.text);
	mem_free(good.text);
	return status;
}

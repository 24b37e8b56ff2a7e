/* test/unit/zones/base/err_test.c - error codes and messages. */
#include "zones/base/err.h"

#include <errno.h>

#include "test/unit/unit.h"

START_TEST(each_code_has_its_text)
{
	static const struct {
		int code;
		const char *text;
	} rows[] = {
#define X(name, code, text) { E_##name, text },
		ERR_MAP(X)
#undef X
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_str_eq(err_text(rows[i].code), rows[i].text);
		ck_assert_int_eq(rows[i].code, -(int)i); /* without holes: none is given twice */
	}
	ck_assert_str_eq(err_text(1), "unknown error");
	ck_assert_str_eq(err_text(-1000), "unknown error");
}
END_TEST

START_TEST(errno_is_mapped)
{
	static const struct {
		int errnum;
		int code;
	} rows[] = {
		{ ENOENT, E_NOENT },	{ ENOTDIR, E_NOENT },	{ EEXIST, E_EXIST },
		{ EACCES, E_PERM },	{ EPERM, E_PERM },	{ EROFS, E_PERM },
		{ ENOSPC, E_DISKFULL }, { EDQUOT, E_DISKFULL }, { EINTR, E_INTR },
		{ EAGAIN, E_AGAIN },	{ EIO, E_IO },		{ EMFILE, E_IO },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_int_eq(err_from_errno(rows[i].errnum), rows[i].code);
	}
}
END_TEST

START_TEST(messages_are_written_and_prefixed)
{
	struct errmsg em;
	ck_assert_int_eq(err_set(&em, E_SYNTAX, "found %s, expected %d", "x", 7), E_SYNTAX);
	ck_assert_str_eq(em.text, "found x, expected 7");
	ck_assert_int_eq(err_prefix(&em, E_SYNTAX, "%s:%d", "a.zone", 3), E_SYNTAX);
	ck_assert_str_eq(em.text, "a.zone:3: found x, expected 7");
	/* The message itself may be an argument. */
	ck_assert_int_eq(err_prefix(&em, E_IO, "<%.6s>", em.text), E_IO);
	ck_assert_str_eq(em.text, "<a.zone>: a.zone:3: found x, expected 7");
	ck_assert_int_eq(err_set(NULL, E_LOOP, "%d", 1), E_LOOP);
	ck_assert_int_eq(err_prefix(NULL, E_LOOP, "%d", 1), E_LOOP);
}
END_TEST

START_TEST(long_messages_are_cut)
{
	struct errmsg em;
	char text[2 * sizeof(em.text)];
	memset(text, 'a', sizeof(text));
	for (size_t len = sizeof(em.text) - 8; len < sizeof(em.text) + 8; len++) {
		(void)err_set(&em, E_IO, "%.*s", (int)len, text);
		size_t want = len < sizeof(em.text) ? len : sizeof(em.text) - 1;
		ck_assert_uint_eq(strlen(em.text), want);
		(void)err_prefix(&em, E_IO, "bcd");
		want = want + 5 < sizeof(em.text) ? want + 5 : sizeof(em.text) - 1;
		ck_assert_uint_eq(strlen(em.text), want);
		ck_assert_int_eq(memcmp(em.text, "bcd: a", 6), 0);

		(void)err_set(&em, E_IO, "z");
		(void)err_prefix(&em, E_IO, "%.*s", (int)len, text);
		ck_assert_uint_lt(strlen(em.text), sizeof(em.text));
		ck_assert_int_eq(em.text[0], 'a');
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("err");
	tcase_add_test(tc, each_code_has_its_text);
	tcase_add_test(tc, errno_is_mapped);
	tcase_add_test(tc, messages_are_written_and_prefixed);
	tcase_add_test(tc, long_messages_are_cut);
	return unit_run("zones/base/err", tc);
}

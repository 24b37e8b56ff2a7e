/* test/unit/zones/base/log_test.c - one line per event, that nothing from outside can forge. */
#include "zones/base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "test/unit/unit.h"

/* Standard error goes to a file without a name while a test looks at it. */
static int kept;
static FILE *file;
static char text[200000];

static void setup(void)
{
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	kept = dup(STDERR_FILENO);
	ck_assert_int_eq(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
}

static void teardown(void)
{
	(void)dup2(kept, STDERR_FILENO);
	(void)close(kept);
	(void)fclose(file);
	log_open(LOG_TO_STDERR, LOG_LEVEL_INFO, false, "test");
}

/* What was written since the last call, without the time that each line begins with. */
static const char *written(void)
{
	ssize_t n = pread(fileno(file), text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	ck_assert_int_eq(ftruncate(fileno(file), 0), 0);
	ck_assert_int_eq(lseek(fileno(file), 0, SEEK_SET), 0);
	return text;
}

START_TEST(lines_have_time_level_id_and_pairs)
{
	unsigned year;
	log_info("zone-loaded", "zone=%s serial=%u", "example.com", 7U);
	const char *line = written();
	ck_assert_str_eq(line + 20, " info zone-loaded zone=example.com serial=7\n");
	ck_assert_int_eq(sscanf(line, "%4u-", &year), 1);
	ck_assert(year >= 2020 && line[4] == '-' && line[10] == 'T' && line[19] == 'Z');
	log_error("bare", "%s", "");
	ck_assert_str_eq(written() + 20, " error bare\n");
}
END_TEST

START_TEST(levels_are_a_threshold)
{
	for (int least = LOG_LEVEL_ERROR; least <= LOG_LEVEL_DEBUG; least++) {
		enum log_level back;
		ck_assert_int_eq(log_level_from_text(log_level_names[least], &back), E_OK);
		ck_assert_int_eq((int)back, least);
		log_open(LOG_TO_STDERR, back, false, "test");
		for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
			log_event((enum log_level)level, "e", "%s", "");
			ck_assert_int_eq(*written() != '\0', level <= least);
		}
	}
	enum log_level l;
	ck_assert_int_eq(log_level_from_text("loud", &l), E_INVAL);
	ck_assert_int_eq(log_level_from_text("", &l), E_INVAL);
}
END_TEST

START_TEST(values_are_quoted_where_they_must)
{
	static const struct {
		const char *value;
		const char *quoted;
	} rows[] = {
		{ "example.com", "example.com" },
		{ "", "\"\"" },
		{ "a b", "\"a b\"" },
		{ "a=b", "\"a=b\"" },
		{ "say \"x\"", "\"say \\\"x\\\"\"" },
		{ "\\000", "\"\\\\000\"" },
		{ "a\nb\x7f\x01", "\"a\\x0Ab\\x7F\\x01\"" },
		{ "\xc3\xa4", "\"\\xC3\\xA4\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[64];
		ck_assert_ptr_eq(log_quote(rows[i].value, out, sizeof(out)), out);
		ck_assert_str_eq(out, rows[i].quoted);
	}
}
END_TEST

START_TEST(quoted_values_are_cut_to_the_room)
{
	struct unit_random r = { 1 };
	for (unsigned round = 0; round < 5000; round++) {
		char value[40];
		char out[64];
		size_t len = unit_random_below(&r, sizeof(value));
		for (size_t i = 0; i < len; i++) {
			value[i] = (char)(1 + unit_random_below(&r, 255));
		}
		value[len] = '\0';
		size_t room = LOG_QUOTE_MIN + unit_random_below(&r, 40);
		memset(out, 0x55, sizeof(out));
		(void)log_quote(value, out, room);
		size_t n = strlen(out);
		ck_assert_uint_lt(n, room);
		ck_assert(unit_all_equal(out + room, sizeof(out) - room, 0x55));
		ck_assert(*out != '"' || out[n - 1] == '"');
	}
}
END_TEST

START_TEST(no_value_can_begin_a_line)
{
	log_info("e", "zone=%s", "x\n2026-01-01T00:00:00Z error forged\x1b[2J\x7f");
	ck_assert_str_eq(written() + 20, " info e zone=x?2026-01-01T00:00:00Z error forged?[2J?\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
	static char big[10000];
	memset(big, 'b', sizeof(big) - 1);
	log_info("e", "v=%s", big);
	const char *line = written();
	ck_assert_uint_lt(strlen(line), 2200);
	ck_assert_uint_gt(strlen(line), 2000);
	ck_assert_int_eq(line[strlen(line) - 1], '\n');
}
END_TEST

/* --- JSON --- */

/* Skips a JSON string of ASCII; NULL where it is none. */
static const char *skip_string(const char *p)
{
	if (*p++ != '"') {
		return NULL;
	}
	while (*p != '"') {
		if (*p < ' ' || *p >= 0x7f) {
			return NULL;
		}
		if (*p == '\\') {
			p++;
			if (*p == 'u' && strspn(p + 1, "0123456789ABCDEF") >= 4) {
				p += 4;
			} else if (*p != '"' && *p != '\\') {
				return NULL;
			}
		}
		p++;
	}
	return p + 1;
}

/* Is it one line with one object, of strings only? */
static bool is_json_line(const char *p)
{
	if (*p++ != '{') {
		return false;
	}
	for (;;) {
		p = skip_string(p);
		if (p == NULL || *p != ':') {
			return false;
		}
		p = skip_string(p + 1);
		if (p == NULL || *p != ',') {
			return p != NULL && strcmp(p, "}\n") == 0;
		}
		p++;
	}
}

START_TEST(json_has_the_pairs)
{
	char quoted[64];
	log_open(LOG_TO_STDERR, LOG_LEVEL_INFO, true, "test");
	log_warn("zone-failed", "zone=%s line=%d text=%s last=1", "example.com", 3,
		 log_quote("say \"x\"\n\\ \xc3", quoted, sizeof(quoted)));
	const char *line = written();
	ck_assert(is_json_line(line));
	ck_assert_str_eq(line + 30,
			 ",\"level\":\"warn\",\"event\":\"zone-failed\","
			 "\"zone\":\"example.com\",\"line\":\"3\","
			 "\"text\":\"say \\\"x\\\"\\u000A\\\\ \\u00C3\",\"last\":\"1\"}\n");
	log_warn("bare", "%s", "");
	ck_assert_str_eq(written() + 30, ",\"level\":\"warn\",\"event\":\"bare\"}\n");
}
END_TEST

START_TEST(json_is_json_whatever_comes)
{
	struct unit_random r = { 3 };
	log_open(LOG_TO_STDERR, LOG_LEVEL_INFO, true, "test");
	for (unsigned round = 0; round < 3000; round++) {
		static const char set[] = "ab=\" \\x0A\n\t\x80\xff,{}";
		char pairs[80];
		size_t len = unit_random_below(&r, sizeof(pairs));
		for (size_t i = 0; i < len; i++) {
			pairs[i] = set[unit_random_below(&r, sizeof(set) - 1)];
		}
		pairs[len] = '\0';
		log_info("e", "%s", pairs);
		const char *line = written();
		ck_assert_msg(is_json_line(line), "%s from %s", line, pairs);
	}
	/* Cut in the middle of an escape. */
	for (unsigned pad = 2030; pad < 2050; pad++) {
		log_info("e", "a=%0*d b=\"x\\\\\\\"\\x0A\\x0A\\x0A\"", (int)pad, 1);
		ck_assert(is_json_line(written()));
	}
}
END_TEST

/* --- threads --- */

static void *write_many(void *arg)
{
	for (unsigned i = 0; i < 300; i++) {
		log_info("thread", "n=%d i=%03u", *(const int *)arg, i);
	}
	return NULL;
}

START_TEST(lines_of_threads_do_not_mix)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	int numbers[THREADS];
	/* As several processes would write to one log. */
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_SETFL, O_APPEND), 0);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_many, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	unsigned next[THREADS] = { 0 };
	const char *p = written();
	for (unsigned lines = 0; lines < THREADS * 300; lines++) {
		int n = -1;
		unsigned i = 0;
		ck_assert_int_eq(sscanf(p + 20, " info thread n=%d i=%u\n", &n, &i), 2);
		ck_assert(n >= 0 && n < THREADS && i == next[n]++);
		p = strchr(p, '\n') + 1;
	}
	ck_assert_str_eq(p, "");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("log");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, lines_have_time_level_id_and_pairs);
	tcase_add_test(tc, levels_are_a_threshold);
	tcase_add_test(tc, values_are_quoted_where_they_must);
	tcase_add_test(tc, quoted_values_are_cut_to_the_room);
	tcase_add_test(tc, no_value_can_begin_a_line);
	tcase_add_test(tc, long_lines_are_cut);
	tcase_add_test(tc, json_has_the_pairs);
	tcase_add_test(tc, json_is_json_whatever_comes);
	tcase_add_test(tc, lines_of_threads_do_not_mix);
	return unit_run("zones/base/log", tc);
}

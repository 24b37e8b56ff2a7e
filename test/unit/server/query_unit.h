/* test/unit/server/query_unit.h - questions to the query engine and the whole of what it has to say, as rows of
 * a table. */
#ifndef TEST_UNIT_SERVER_QUERY_UNIT_H
#define TEST_UNIT_SERVER_QUERY_UNIT_H

#include "test/unit/server/query_kit.h"
#include "test/unit/unit.h"

static struct kit_response res;

struct question {
	const char *name;
	const char *type;
	unsigned how;
	const char *
		expected; /* lines of kit_show in any order; additional records only if it has any */
};

/* RFC 1035 apart, most examples do not say what is additional. */
static inline void drop_additional(struct buf *b)
{
	struct buf out = { 0 };
	char *rest = b->data;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		if (*line != '\0' && strncmp(line, "AR ", 3) != 0) {
			buf_printf(&out, "%s\n", line);
		}
	}
	buf_clear(b);
	*b = out;
}

static inline void ask(struct kit *k, const struct question *q)
{
	struct buf got = { 0 };
	struct buf want = { 0 };
	kit_ask(k, q->name, q->type, q->how, &res);
	kit_show(&got, &res);
	buf_str(&want, q->expected);
	if (strstr(q->expected, "AR ") == NULL) {
		drop_additional(&got);
	}
	kit_sort_lines(&got);
	kit_sort_lines(&want);
	ck_assert_msg(strcmp(got.data, want.data) == 0, "%s %s\ngot:\n%s\nexpected:\n%s", q->name,
		      q->type, got.data, want.data);
	buf_clear(&got);
	buf_clear(&want);
}

static inline void ask_all(struct kit *k, const struct question *q, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ask(k, &q[i]);
	}
}
#define ASK_ALL(k, table) ask_all(k, table, ARRAY_LEN(table))

/* A zone from a master file, signed. */
static inline struct kit_zone *zone(struct kit *k, const char *apex, enum kit_chain chain,
				    const char *text)
{
	struct kit_zone *z = kit_zone(k, apex);
	kit_master(z, text);
	kit_sign(z, chain);
	return z;
}

#endif

/* test/unit/zones/dns/compress_test.c - names written compressed read back as they were. */
#include "zones/dns/compress.h"

#include <stdlib.h>

#include "test/unit/unit.h"

static struct compress c;
static uint8_t message[70000];

static struct dname name_of(const char *text)
{
	struct dname d;
	ck_assert_int_eq(dname_from_text(&d, text, strlen(text), NULL, NULL), E_OK);
	return d;
}

/* A message with a header's worth of zeros. */
static struct writer begin(void)
{
	struct writer w = writer_of(message, sizeof(message));
	compress_begin(&c);
	(void)writer_room(&w, MESSAGE_HEADER_LEN);
	return w;
}

static void reads_back(const struct writer *w, size_t at, const uint8_t *name)
{
	struct reader r = reader_of(w->start, writer_len(w));
	struct dname got;
	r.pos += at;
	ck_assert_int_eq(dname_read_compressed(&r, &got), E_OK);
	ck_assert_uint_eq(got.len, dname_len(name));
	ck_assert_mem_eq(got.wire, name, got.len); /* case, too */
}

START_TEST(table)
{
	static const struct {
		const char *name;
		size_t octets;
	} rows[] = {
		{ "www.example.com.", 17 }, /* nothing to share yet */
		{ "www.example.com.", 2 },  /* all of it */
		{ "example.com.", 2 },
		{ "com.", 2 },
		{ "ns1.example.com.", 6 },
		{ "a.ns1.example.com.", 4 },
		{ "ns1.example.com.", 2 },
		{ "example.net.", 13 },
		{ "WWW.example.com.", 6 }, /* another case is another name */
		{ "www.Example.com.", 14 },
		{ "ww.example.com.", 5 },
		{ ".", 1 },
		{ "com.com.", 6 },
	};
	struct dname names[ARRAY_LEN(rows)];
	struct writer w = begin();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t at = writer_len(&w);
		names[i] = name_of(rows[i].name);
		uint16_t where = compress_name(&c, &w, names[i].wire);
		ck_assert_msg(writer_len(&w) - at == rows[i].octets, "%s: %zu octets", rows[i].name,
			      writer_len(&w) - at);
		reads_back(&w, at, names[i].wire);
		if (names[i].len > 1) {
			reads_back(&w, where, names[i].wire);
		} else {
			ck_assert_uint_eq(where, 0);
		}
	}
}
END_TEST

START_TEST(added_names_are_shared)
{
	struct writer w = begin();
	const struct dname question = name_of("a.b.c.");
	const struct dname other = name_of("x.b.c.");
	writer_bytes(&w, question.wire, question.len);
	compress_add(&c, question.wire, MESSAGE_HEADER_LEN);
	ck_assert_uint_eq(compress_name(&c, &w, question.wire), MESSAGE_HEADER_LEN);
	size_t at = writer_len(&w);
	ck_assert_uint_eq(compress_name(&c, &w, other.wire), at);
	ck_assert_uint_eq(writer_len(&w) - at, 4);
	reads_back(&w, at, other.wire);
	compress_begin(&c); /* a new message knows nothing */
	at = writer_len(&w);
	(void)compress_name(&c, &w, question.wire);
	ck_assert_uint_eq(writer_len(&w) - at, question.len);
}
END_TEST

/* What was taken back is not pointed at, though other octets stand there now. */
START_TEST(rewinding)
{
	struct writer w = begin();
	const struct dname kept = name_of("kept.example.");
	const struct dname gone = name_of("gone.example.");
	(void)compress_name(&c, &w, kept.wire);
	unsigned mark = compress_mark(&c);
	uint8_t *pos = w.pos;
	(void)compress_name(&c, &w, gone.wire);
	compress_rewind(&c, mark);
	w.pos = pos;
	writer_bytes(&w, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	size_t at = writer_len(&w);
	(void)compress_name(&c, &w, gone.wire);
	ck_assert_uint_eq(writer_len(&w) - at, 5 + 2);
	reads_back(&w, at, gone.wire);
}
END_TEST

START_TEST(no_room)
{
	const struct dname name = name_of("www.example.");
	for (size_t room = 0; room < name.len; room++) {
		struct writer w = writer_of(message, MESSAGE_HEADER_LEN + room);
		compress_begin(&c);
		(void)writer_room(&w, MESSAGE_HEADER_LEN);
		ck_assert_uint_eq(compress_name(&c, &w, name.wire), 0);
		ck_assert_int_eq(w.err, E_NOSPACE);
		ck_assert_uint_eq(writer_len(&w), MESSAGE_HEADER_LEN);
		ck_assert_uint_eq(compress_mark(&c), 0);
	}
}
END_TEST

/* Pointers reach 16383 octets; names behind are written, and not pointed at. */
START_TEST(out_of_reach)
{
	struct writer w = begin();
	const struct dname near = name_of("near.example.");
	const struct dname far = name_of("far.example.");
	(void)compress_name(&c, &w, near.wire);
	(void)writer_room(&w, MESSAGE_POINTER_MAX - writer_len(&w) - 3);
	ck_assert_uint_eq(compress_name(&c, &w, far.wire), MESSAGE_POINTER_MAX - 3);
	const struct dname beyond = name_of("beyond.example.");
	for (unsigned i = 0; i < 2; i++) {
		size_t at = writer_len(&w);
		ck_assert_uint_eq(compress_name(&c, &w, beyond.wire), 0);
		ck_assert_uint_eq(writer_len(&w) - at, 7 + 2);
		reads_back(&w, at, beyond.wire);
	}
}
END_TEST

/* Pointers that are followed for the name at @at. */
static unsigned pointers_of(size_t at)
{
	unsigned count = 0;
	while (message[at] != 0) {
		if (message[at] < 0xc0) {
			at += message[at] + 1U;
		} else {
			at = be16_get(message + at) & 0x3fffU;
			count++;
		}
	}
	return count;
}

/* Each name is one label longer than the one before. */
START_TEST(chains_of_pointers_are_short)
{
	struct dname names[40];
	struct writer w = begin();
	unsigned most = 0;
	names[0] = name_of("example.");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (i != 0) {
			ck_assert_int_eq(
				dname_prepend(&names[i], (const uint8_t *)"\1a", names[i - 1].wire),
				E_OK);
		}
		for (unsigned twice = 0; twice < 2; twice++) {
			size_t at = writer_len(&w);
			uint16_t there = compress_name(&c, &w, names[i].wire);
			reads_back(&w, at, names[i].wire);
			unsigned pointers = pointers_of(at);
			most = pointers > most ? pointers : most;
			if (there != 0) { /* the owner of the next record points there */
				ck_assert_uint_lt(pointers_of(there), COMPRESS_POINTERS_MAX);
			}
		}
	}
	ck_assert_uint_eq(most, COMPRESS_POINTERS_MAX);
	ck_assert_uint_lt(writer_len(&w), 800); /* they are compressed all the same */
}
END_TEST

static uint64_t seed = 1;

static unsigned next_random(unsigned below)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(seed >> 33) % below;
}

/* Names over few labels, so that much is shared; more of them than are remembered. */
START_TEST(random_names)
{
	static const uint8_t labels[][4] = { "\1a", "\1b", "\1A", "\2ab", "\1\0", "\3\xc0\x0c\0" };
	static struct dname names[2000];
	static size_t at[2000];
	for (unsigned round = 0; round < 50; round++) {
		struct writer w = begin();
		size_t saved = 0;
		for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
			unsigned depth = next_random(7);
			dname_set(&names[i], dname_root);
			while (depth-- != 0) {
				const uint8_t *label = labels[next_random(ARRAY_LEN(labels))];
				ck_assert_int_eq(dname_prepend(&names[i], label, names[i].wire),
						 E_OK);
			}
			unsigned mark = compress_mark(&c);
			at[i] = writer_len(&w);
			uint16_t where = compress_name(&c, &w, names[i].wire);
			if (next_random(4) == 0) { /* taken back, and written again */
				w.pos = w.start + at[i];
				compress_rewind(&c, mark);
				where = compress_name(&c, &w, names[i].wire);
			}
			if (where != 0) {
				reads_back(&w, where, names[i].wire);
			}
			saved += names[i].len - (writer_len(&w) - at[i]);
		}
		ck_assert_uint_gt(saved, 1000);
		for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
			reads_back(&w, at[i], names[i].wire);
		}
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("compress");
	tcase_add_test(tc, table);
	tcase_add_test(tc, added_names_are_shared);
	tcase_add_test(tc, rewinding);
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, out_of_reach);
	tcase_add_test(tc, chains_of_pointers_are_short);
	tcase_add_test(tc, random_names);
	return unit_run("compress", tc);
}

/* test/unit/zones/master_pieces_test.c - a file read in pieces on several threads gives the same zone, or
 * the same messages, as one read from the first line to the last. */
#include <stdlib.h>

#include "test/unit/unit.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/dump.h"
#include "zones/master.h"

/* Lines that a random file is made of; each may end a piece, or depend on what came before. */
static const char *const lines[] = {
	"a IN A 192.0.2.1\n",
	"a 60 IN A 192.0.2.2\n",
	"A 120 IN AAAA 2001:db8::1\n",
	"b\tTXT \"x ; y\" \"( z\"\n",
	"   TXT second\n",
	"\tMX 10 mail\n",
	"c TXT (one ; comment )\ntwo\nthree four )\n",
	"c TXT (\n a\nb.example. A )\n",
	"( d A 192.0.2.3\n)\n",
	"$ORIGIN sub.example.\n",
	"$ORIGIN Sub.Example.\n",
	"$ORIGIN example.\n",
	"$ORIGIN x\n",
	"$TTL 300\n",
	"$TTL 1h\n",
	"; a comment\n",
	"\n",
	"  \n",
	"@ NS ns1\n",
	"ns1 A 192.0.2.53\n",
	"*.w CNAME a.example.\n",
	"\"q\" A 192.0.2.9\n",
	"long TXT 0123456789012345678901234567890123456789012345678901234567890123456789\n",
	"$GENERATE 1-3 g$ A 192.0.2.$\n",
	"dup 5 A 192.0.2.7\r\n",
	"dup 4 A 192.0.2.7\r\n",
	"dup.example. 3 A 192.0.2.8\r\n",
	"h3 NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n",
	"a RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAECAwQF\n",
	"\xef\xbb\xbfmark A 192.0.2.4\n",
};

/* And lines with faults. */
static const char *const faults[] = {
	"a IN A 192.0.2\n",
	")\n",
	"(\n",
	"out.side. A 192.0.2.1\n",
	"a TXT \"open\n",
	"$INCLUDE nothing-there.zone\n",
	"$TTL x\n",
	"b..c A 192.0.2.1\n",
	"$GENERATE 1-x g A\n",
};

static uint64_t state;

static uint32_t next_random(uint32_t below)
{
	state = state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(state >> 33) % below;
}

static void make_text(struct buf *out, unsigned count, unsigned faults_in_1000)
{
	buf_reset(out);
	if (next_random(4) != 0) {
		buf_str(out, "$TTL 3600\n");
	}
	buf_str(out, "example. 30 SOA ns1.example. host.example. 1 2 3 4 5\n");
	if (next_random(4) != 0) {
		buf_str(out, "$ORIGIN example.\n");
	}
	for (unsigned i = 0; i < count; i++) {
		buf_str(out, next_random(1000) < faults_in_1000
				     ? faults[next_random(ARRAY_LEN(faults))]
				     : lines[next_random(ARRAY_LEN(lines))]);
	}
	if (next_random(3) == 0 && out->len != 0) {
		out->len--; /* no final newline */
	}
	size_t len = out->len;
	memset(buf_reserve(out, FILE_SLACK), 0, FILE_SLACK);
	out->len = len;
}

/* The dump of the zone, or the findings; which of the two comes first. */
static void read_text(const struct buf *text, size_t piece, unsigned threads, bool ignore_outside,
		      const uint8_t *origin, struct buf *out)
{
	bool has_directives = false;
	const struct master_options opt = { .origin = origin,
					    .ignore_outside = ignore_outside,
					    .threads = threads,
					    .piece = piece,
					    .has_directives = &has_directives };
	struct findings f = { 0 };
	struct edit *e = NULL;
	int err = master_read_memory("test.zone", text->data, text->len, &opt, &e, &f);
	buf_reset(out);
	buf_printf(out, "%s\n", err_text(err));
	for (size_t i = 0; i < f.count; i++) {
		buf_printf(out, "%s\n", f.items[i].text);
	}
	findings_clear(&f);
	if (err == E_OK) {
		struct version *v = edit_commit(e);
		buf_printf(out, "%llu records\n", (unsigned long long)v->records);
		ck_assert_int_eq(has_directives,
				 text->data[0] == '$' || strstr(text->data, "\n$") != NULL);
		struct version_walk w;
		for (const struct node *n = version_first(v, &w); n != NULL; n = version_next(&w)) {
			dump_node(n, 0, out);
		}
		version_unref(v);
	}
}

static unsigned good, bad;

/* Where the texts begin to differ. */
static size_t difference(const struct buf *a, const struct buf *b)
{
	size_t line = 0;
	for (size_t i = 0; a->data[i] != '\0' && a->data[i] == b->data[i]; i++) {
		line = a->data[i] == '\n' ? i + 1 : line;
	}
	return line;
}

static void compare(const struct buf *text, const uint8_t *origin, unsigned seed)
{
	static const size_t pieces[] = { 1, 20, 64, 300, 2000 };
	struct buf whole = { 0 };
	struct buf parts = { 0 };
	bool ignore = next_random(2) == 0;
	read_text(text, SIZE_MAX / 2, 1, ignore, origin, &whole);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		unsigned threads = 1 + next_random(3);
		read_text(text, pieces[i], threads, ignore, origin, &parts);
		size_t at = difference(&whole, &parts);
		ck_assert_msg(strcmp(whole.data, parts.data) == 0,
			      "seed %u, pieces of %zu on %u threads:\n%.300s\nin order:\n%.300s",
			      seed, pieces[i], threads, parts.data + at, whole.data + at);
	}
	if (strncmp(whole.data, "success", 7) == 0) {
		good++;
	} else {
		bad++;
	}
	buf_clear(&whole);
	buf_clear(&parts);
}

START_TEST(pieces_make_the_same_zone)
{
	struct buf text = { 0 };
	state = (uint64_t)_i * 7919 + 1;
	good = bad = 0;
	for (unsigned round = 0; round < 40; round++) {
		make_text(&text, 10 + next_random(200), _i % 2 == 0 ? 0 : 15);
		compare(&text, next_random(3) == 0 ? NULL : (const uint8_t *)"\7example",
			(unsigned)_i);
	}
	ck_assert_uint_gt(_i % 2 == 0 ? good : bad, 10);
	buf_clear(&text);
}
END_TEST

/* Large nodes, whose records come from all over the file. */
START_TEST(a_name_that_is_everywhere)
{
	struct buf text = { 0 };
	state = 5;
	buf_str(&text, "$TTL 5\nexample. SOA a. b. 1 2 3 4 5\nexample. NS a.\n");
	for (unsigned i = 0; i < 3000; i++) {
		buf_printf(&text, "%s.example. TXT \"%u %060u\"\n", i % 3 == 0 ? "x" : "y", i, i);
		buf_printf(&text, "n%u.example. A 192.0.2.%u\n", i, i % 256);
	}
	size_t len = text.len;
	memset(buf_reserve(&text, FILE_SLACK), 0, FILE_SLACK);
	text.len = len;
	compare(&text, NULL, 0);
	ck_assert_uint_eq(good, 1);
	buf_clear(&text);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("pieces");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, pieces_make_the_same_zone, 0, 12);
	tcase_add_test(tc, a_name_that_is_everywhere);
	return unit_run("zones/master_pieces", tc);
}

/* test/unit/server/history_test.c - what the journal says of the way from any serial to any other, against what the versions
 * themselves say. */
#include "server/history.h"

#include "test/unit/server/keeper_kit.h"

#define VERSIONS 90

static uint64_t random_state = 1;

static uint32_t next_random(uint32_t below)
{
	random_state = random_state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(random_state >> 33) % below;
}

static struct dname apex;
static struct vault *vault;
static struct journal_zone kept;
static struct version *versions[VERSIONS];

/* Adds and removes some records, of few that there are, and moves the serial. */
static struct version *changed(const struct version *v, uint32_t serial)
{
	struct edit *e = edit_begin(v, apex.wire, EDIT_TTL_LAST);
	for (unsigned i = 0; i < 1 + next_random(6); i++) {
		const char label[2] = { (char)('a' + next_random(4)), '\0' };
		const uint8_t rdata[2] = { 1, (uint8_t)('0' + next_random(4)) };
		struct dname owner;
		ck_assert_int_eq(dname_from_text(&owner, label, 1, apex.wire, NULL), E_OK);
		int err = next_random(2) == 0
				  ? edit_remove(e, owner.wire, RRTYPE_TXT, rdata, sizeof(rdata))
				  : edit_add(e, owner.wire, RRTYPE_TXT, 60 + next_random(2), rdata,
					     sizeof(rdata));
		ck_assert_int_eq(err, E_OK);
	}
	uint8_t rdata[64];
	char text[64];
	struct writer w = writer_of(rdata, sizeof(rdata));
	(void)snprintf(text, sizeof(text), "ns host %u 1 2 3 4", serial);
	ck_assert_int_eq(rdata_from_string(RRTYPE_SOA, text, apex.wire, &w, NULL), E_OK);
	edit_remove_rrset(e, apex.wire, RRTYPE_SOA);
	ck_assert_int_eq(edit_add(e, apex.wire, RRTYPE_SOA, 60, rdata, writer_len(&w)), E_OK);
	return edit_commit(e);
}

/* Serials go over the end of the numbers (RFC 1982), by several at a time. */
static void setup(void)
{
	struct errmsg em = { "" };
	uint32_t serial = UINT32_MAX - 100;
	kept_setup();
	kit_name("z.", &apex);
	ck_assert_int_eq(vault_open(kept_directory, (size_t)16 << 20, &vault, &em), E_OK);
	versions[0] = changed(NULL, serial);
	kept = (struct journal_zone){ 0 };
	ck_assert_int_eq(vault_begin(vault, apex.wire, versions[0], versions[0], &kept, &em), E_OK);
	for (unsigned i = 1; i < VERSIONS; i++) {
		serial += 1 + next_random(5);
		versions[i] = changed(versions[i - 1], serial);
		const struct vault_change c = { .apex = apex.wire,
						.base = versions[i - 1],
						.next = versions[i],
						.from = JOURNAL_UPDATE,
						.now = START + i };
		int err = vault_write(vault, &c, &kept, &em);
		ck_assert_msg(err == E_OK, "%s", em.text);
	}
}

static void teardown(void)
{
	for (unsigned i = 0; i < VERSIONS; i++) {
		version_unref(versions[i]);
	}
	vault_close(vault);
	kept_teardown();
}

static struct history history(void)
{
	return (struct history){ vault, apex.wire, versions[VERSIONS - 1]->serial };
}

static void print(const struct diff *d, struct buf *out)
{
	buf_str(out, "."); /* never NULL */
	diff_print(d, out);
}

START_TEST(from_any_serial_to_any_other)
{
	const struct history h = history();
	for (unsigned i = 0; i < 400; i++) {
		const struct version *from = versions[next_random(VERSIONS)];
		const struct version *to = versions[next_random(VERSIONS)];
		struct diff made = { 0 };
		struct diff wanted = { 0 };
		struct buf x = { 0 };
		struct buf y = { 0 };
		struct errmsg em = { "" };
		int err = history_diff(&h, from->serial, to->serial, &made, &em);
		ck_assert_msg(err == E_OK, "%s", em.text);
		diff_make(from, to, &wanted);
		print(&made, &x);
		print(&wanted, &y);
		ck_assert_str_eq(x.data, y.data);
		ck_assert_uint_eq(made.serial_from, from->serial);
		ck_assert_uint_eq(made.serial_to, to->serial);
		diff_clear(&made);
		diff_clear(&wanted);
		buf_clear(&x);
		buf_clear(&y);
	}
}
END_TEST

struct steps {
	uint32_t serial; /* where the last one ended */
	unsigned count;
};

static int step(void *arg, const struct journal_entry *e, const struct diff *d UNUSED)
{
	struct steps *s = arg;
	ck_assert_uint_eq(e->serial_from, s->serial);
	s->serial = e->serial_to;
	s->count++;
	return E_OK;
}

START_TEST(step_by_step)
{
	const struct history h = history();
	struct errmsg em = { "" };
	for (unsigned i = 0; i < VERSIONS; i++) {
		for (unsigned k = i; k < VERSIONS; k += 7) {
			struct steps s = { .serial = versions[i]->serial };
			ck_assert_int_eq(history_each(&h, versions[i]->serial, versions[k]->serial,
						      step, &s, &em),
					 E_OK);
			ck_assert_uint_eq(s.count, k - i);
			ck_assert_uint_eq(s.serial, versions[k]->serial);
		}
	}
	struct steps s = { 0 };
	ck_assert_int_eq(history_each(&h, versions[5]->serial, versions[4]->serial, step, &s, &em),
			 E_RANGE);
	ck_assert_uint_eq(s.count, 0);
}
END_TEST

START_TEST(the_newest)
{
	const struct history h = history();
	struct journal_zone zone;
	struct errmsg em = { "" };
	const unsigned counts[] = { 0, 1, 10, VERSIONS - 1, VERSIONS, 1000 };
	for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
		const unsigned there = counts[i] < VERSIONS ? counts[i] : VERSIONS - 1;
		struct steps s = { .serial = versions[VERSIONS - 1 - there]->serial };
		ck_assert_int_eq(history_newest(&h, counts[i], step, &s, &zone, &em), E_OK);
		ck_assert_uint_eq(s.count, there);
		ck_assert_uint_eq(s.serial, versions[VERSIONS - 1]->serial);
	}
}
END_TEST

START_TEST(what_is_not_there)
{
	struct history h = history();
	struct diff d = { 0 };
	struct errmsg em = { "" };
	const uint32_t last = h.serial;
	const uint32_t wrong[] = { versions[0]->serial - 1, last + 1, 7777777 };
	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
		ck_assert_int_eq(history_diff(&h, wrong[i], last, &d, &em), E_NOENT);
		ck_assert_ptr_nonnull(strstr(em.text, "is not in the journal"));
		ck_assert_int_eq(history_diff(&h, last, wrong[i], &d, &em), E_NOENT);
	}
	struct dname other;
	kit_name("other.", &other);
	h.apex = other.wire;
	ck_assert_int_eq(history_diff(&h, versions[3]->serial, last, &d, &em), E_NOENT);
	ck_assert_uint_eq(d.removed.count + d.added.count, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("history");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, from_any_serial_to_any_other);
	tcase_add_test(tc, step_by_step);
	tcase_add_test(tc, the_newest);
	tcase_add_test(tc, what_is_not_there);
	return unit_run("server/history", tc);
}

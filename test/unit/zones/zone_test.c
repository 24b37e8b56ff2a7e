/* test/unit/zones/zone_test.c - the set of zones against a naive model. */
#include "zones/zone.h"

#include <stdio.h>

#include "test/unit/unit.h"

#define ZONES_MAX 60

static void random_name(struct unit_random *r, struct dname *d)
{
	static const char *const labels[] = { "a", "B", "ab", "*", "\\000", "net", "Com", "x-1" };
	char text[100] = "";
	size_t used = 0;
	for (unsigned n = unit_random_below(r, 5); n != 0; n--) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s.",
					 labels[unit_random_below(r, ARRAY_LEN(labels))]);
	}
	if (used == 0) {
		text[used++] = '.';
	}
	ck_assert_int_eq(dname_from_text(d, text, used, NULL, NULL), E_OK);
}

static struct zone *model_find(const struct zoneset *zs, const uint8_t *name, bool strictly)
{
	struct zone *best = NULL;
	struct zone *z;
	for (size_t i = 0; (z = zoneset_at(zs, i)) != NULL; i++) {
		bool is_above =
			dname_is_under(name, z->apex) && !(strictly && dname_equal(name, z->apex));
		if (is_above && (best == NULL || dname_is_under(z->apex, best->apex))) {
			best = z;
		}
	}
	return best;
}

START_TEST(the_longest_apex_wins)
{
	for (unsigned round = 0; round < 40; round++) {
		struct unit_random r = { round };
		struct zoneset *zs = zoneset_new();
		unsigned without = 0; /* names that the filter alone tells to be elsewhere */
		for (unsigned i = 0; i < 1 + round % ZONES_MAX; i++) {
			struct dname d;
			random_name(&r, &d);
			struct zone *z = zone_new(d.wire);
			if (zoneset_add(zs, z) != E_OK) {
				ck_assert_ptr_nonnull(zoneset_get(zs, d.wire));
				zone_free(z);
			}
		}
		for (unsigned i = 0; i < 500; i++) {
			struct dname d;
			struct dname_key key;
			random_name(&r, &d);
			dname_key_make(&key, d.wire);
			const struct zone *z = zoneset_find(zs, &key, d.wire, false);
			ck_assert_ptr_eq(z, model_find(zs, d.wire, false));
			ck_assert_ptr_eq(zoneset_find(zs, &key, d.wire, true),
					 model_find(zs, d.wire, true));
			ck_assert(z == NULL || zoneset_may_have(zs, d.wire));
			without += !zoneset_may_have(zs, d.wire);
		}
		ck_assert(round != 0 || without != 0);
		for (size_t i = 0; zoneset_at(zs, i) != NULL; i++) {
			zone_free(zoneset_at(zs, i));
		}
		zoneset_free(zs);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("zone");
	tcase_add_test(tc, the_longest_apex_wins);
	return unit_run("zones/zone", tc);
}

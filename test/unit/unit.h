/* test/unit/unit.h - what unit tests share: the main that runs a case and counts, and random numbers
 * that are the same in every run. */
#ifndef TEST_UNIT_UNIT_H
#define TEST_UNIT_UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs @tc and prints "unit NAME: N passed, N failed". Returns the exit status of the program. */
static inline int unit_run(const char *name, TCase *tc)
{
	Suite *s = suite_create(name);
	suite_add_tcase(s, tc);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	printf("unit %s: %d passed, %d failed\n", name, srunner_ntests_run(r) - failed, failed);
	srunner_free(r);
	return failed != 0;
}

/* Does each test run in a process of its own (CK_FORK), so that it may end by a signal? */
static inline bool unit_can_die(void)
{
	const char *fork = getenv("CK_FORK");
	return fork == NULL || strcmp(fork, "no") != 0;
}

/* Start with any number but the same in each run, so that failures repeat. */
struct unit_random {
	uint64_t state;
};

static inline uint32_t unit_random_next(struct unit_random *r)
{
	r->state = r->state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(r->state >> 33) ^ (uint32_t)(r->state >> 12);
}

/* 0 .. @limit - 1. */
static inline uint32_t unit_random_below(struct unit_random *r, uint32_t limit)
{
	return (uint32_t)((uint64_t)unit_random_next(r) * limit >> 32);
}

/* Are all @len octets equal to @octet? (An assertion for each octet would be slow.) */
static inline bool unit_all_equal(const void *data, size_t len, uint8_t octet)
{
	const uint8_t *p = data;
	size_t i = 0;
	while (i < len && p[i] == octet) {
		i++;
	}
	return i == len;
}

#endif

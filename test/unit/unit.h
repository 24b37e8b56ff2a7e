/* test/unit/unit.h - the main of a unit test program: runs one case and counts. */
#ifndef TEST_UNIT_UNIT_H
#define TEST_UNIT_UNIT_H

#include <check.h>
#include <stdio.h>

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

#endif

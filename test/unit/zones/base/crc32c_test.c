/* test/unit/zones/base/crc32c_test.c - the vectors of RFC 3720 B.4, and sums that go on. */
#include "zones/base/crc32c.h"

#include "test/unit/unit.h"

START_TEST(known_sums)
{
	uint8_t octets[32] = { 0 };
	ck_assert_uint_eq(crc32c(0, octets, 32), 0x8a9136aa);
	memset(octets, 0xff, sizeof(octets));
	ck_assert_uint_eq(crc32c(0, octets, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++) {
		octets[i] = (uint8_t)i;
	}
	ck_assert_uint_eq(crc32c(0, octets, 32), 0x46dd794e);
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc32c(0, NULL, 0), 0);
	for (unsigned i = 0; i <= 32; i++) {
		ck_assert_uint_eq(crc32c(crc32c(0, octets, i), octets + i, 32 - i), 0x46dd794e);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("crc32c");
	tcase_add_test(tc, known_sums);
	return unit_run("zones/base/crc32c", tc);
}

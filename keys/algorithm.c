/* keys/algorithm.c - the DNSSEC algorithms, one row each. */
#include "keys/algorithm.h"

#include <string.h>

#include "zones/base/text.h"
#include "zones/dns/algorithm_names.h"

#define ROW(number, use, reason, ...)                                                              \
 {                                                                                                 \
  number, ALGORITHM_##use, ALGORITHM_NAME_##number, reason, __VA_ARGS__                            \
 }

/* clang-format off */
static const struct algorithm algorithms[] = {
	ROW(1,  REFUSED,     "MD5 is broken (RFC 6725); use ECDSAP256SHA256",                  0, 0, 0),
	ROW(3,  REFUSED,     "DSA with SHA-1 is retired (RFC 8624); use ECDSAP256SHA256",      0, 0, 0),
	ROW(5,  VERIFY_ONLY, "SHA-1 makes no new signatures (RFC 9905); use ECDSAP256SHA256",  512, 2048, 4096),
	ROW(6,  REFUSED,     "DSA with SHA-1 is retired (RFC 8624); use ECDSAP256SHA256",      0, 0, 0),
	ROW(7,  VERIFY_ONLY, "SHA-1 makes no new signatures (RFC 9905); use ECDSAP256SHA256",  512, 2048, 4096),
	ROW(8,  FULL,        NULL,                                                             1024, 2048, 4096),
	ROW(10, FULL,        NULL,                                                             1024, 2048, 4096),
	ROW(12, REFUSED,     "GOST R 34.10-2001 is retired (RFC 9558); use ECDSAP256SHA256",   0, 0, 0),
	ROW(13, FULL,        NULL,                                                             256, 256, 256),
	ROW(14, FULL,        NULL,                                                             384, 384, 384),
	ROW(15, FULL,        NULL,                                                             256, 256, 256),
	ROW(16, FULL,        NULL,                                                             456, 456, 456),
};
/* clang-format on */

const struct algorithm *algorithm_find(uint8_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (algorithms[i].number == number) {
			return &algorithms[i];
		}
	}
	return NULL;
}

const struct algorithm *algorithm_from_text(const char *text)
{
	size_t len = strlen(text);
	uint32_t number;
	if (text_to_u32(text, len, UINT8_MAX, &number) == 0) {
		return algorithm_find((uint8_t)number);
	}
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (text_equal(text, len, algorithms[i].name)) {
			return &algorithms[i];
		}
	}
	return NULL;
}

const struct algorithm *algorithm_at(size_t i)
{
	return i < ARRAY_LEN(algorithms) ? &algorithms[i] : NULL;
}

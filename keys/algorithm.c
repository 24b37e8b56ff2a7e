/* keys/algorithm.c - the DNSSEC algorithms, one row each. */
#include "keys/algorithm.h"

#include <string.h>

#include "zones/base/text.h"

/* clang-format off */
static const struct algorithm algorithms[] = {
	{ 1,  ALGORITHM_REFUSED,     "RSAMD5",             "MD5 is broken (RFC 6725); use ECDSAP256SHA256",               0, 0, 0 },
	{ 3,  ALGORITHM_REFUSED,     "DSA",                "DSA with SHA-1 is retired (RFC 8624); use ECDSAP256SHA256",   0, 0, 0 },
	{ 5,  ALGORITHM_VERIFY_ONLY, "RSASHA1",            "SHA-1 makes no new signatures (RFC 9905); use ECDSAP256SHA256", 512, 2048, 4096 },
	{ 6,  ALGORITHM_REFUSED,     "DSA-NSEC3-SHA1",     "DSA with SHA-1 is retired (RFC 8624); use ECDSAP256SHA256",   0, 0, 0 },
	{ 7,  ALGORITHM_VERIFY_ONLY, "NSEC3RSASHA1",       "SHA-1 makes no new signatures (RFC 9905); use ECDSAP256SHA256", 512, 2048, 4096 },
	{ 8,  ALGORITHM_FULL,        "RSASHA256",          NULL, 1024, 2048, 4096 },
	{ 10, ALGORITHM_FULL,        "RSASHA512",          NULL, 1024, 2048, 4096 },
	{ 12, ALGORITHM_REFUSED,     "ECC-GOST",           "GOST R 34.10-2001 is retired (RFC 9558); use ECDSAP256SHA256", 0, 0, 0 },
	{ 13, ALGORITHM_FULL,        "ECDSAP256SHA256",    NULL, 256, 256, 256 },
	{ 14, ALGORITHM_FULL,        "ECDSAP384SHA384",    NULL, 384, 384, 384 },
	{ 15, ALGORITHM_FULL,        "ED25519",            NULL, 256, 256, 256 },
	{ 16, ALGORITHM_FULL,        "ED448",              NULL, 456, 456, 456 },
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

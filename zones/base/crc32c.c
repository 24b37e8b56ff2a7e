/* zones/base/crc32c.c - by the processor's instruction where there is one, else by table. */
#include "zones/base/crc32c.h"

#include <string.h>

#if defined(__SSE4_2__) && !defined(SIGNET_STRESS) /* stress builds test the other one */
# include <nmmintrin.h>

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t sum = ~crc;
	for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t)) {
		uint64_t eight;
		memcpy(&eight, p, sizeof(eight));
		sum = _mm_crc32_u64(sum, eight);
		p += sizeof(eight);
	}
	for (; len != 0; len--) {
		sum = _mm_crc32_u8((uint32_t)sum, *p++);
	}
	return ~(uint32_t)sum;
}
#else
/* Of four bits each; the polynomial is 0x1edc6f41 with its bits turned round. */
static const uint32_t nibble[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = ~crc;
	for (; len != 0; len--) {
		sum ^= *p++;
		sum = sum >> 4 ^ nibble[sum & 15];
		sum = sum >> 4 ^ nibble[sum & 15];
	}
	return ~sum;
}
#endif

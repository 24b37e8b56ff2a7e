/* zones/base/crc32c.h - CRC-32C (Castagnoli): tells octets that a disk has changed, and nothing more.
 *
 * Threads: no state. */
#ifndef ZONES_BASE_CRC32C_H
#define ZONES_BASE_CRC32C_H

#include "zones/base/attr.h"

/* The sum of @len octets, going on from @crc: 0 at first, so crc32c(crc32c(0, a), b) is that of a and b. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif

/* test/unit/zones/snapshot_sums.h - makes the sums of a changed snapshot right, so that what lies behind them is
 * tested. */
#ifndef TEST_UNIT_ZONES_SNAPSHOT_SUMS_H
#define TEST_UNIT_ZONES_SNAPSHOT_SUMS_H

#include <string.h>

#include "zones/base/crc32c.h"
#include "zones/snapshot.h"

static inline void snapshot_fix_sums(uint8_t *data, size_t len)
{
	struct snapshot_head h;
	struct snapshot_tail t;
	if (len < sizeof(h) + sizeof(t)) {
		return;
	}
	memcpy(&h, data, sizeof(h));
	h.sum = crc32c(0, &h, offsetof(struct snapshot_head, sum));
	memcpy(data, &h, sizeof(h));
	uint8_t *tail = data + len - sizeof(t);
	memcpy(&t, tail, sizeof(t));
	size_t most = (len - sizeof(h) - sizeof(t)) / sizeof(struct snapshot_chunk);
	if (t.chunks > most) {
		return;
	}
	uint8_t *directory = tail - (size_t)t.chunks * sizeof(struct snapshot_chunk);
	for (size_t i = 0; i < t.chunks; i++) {
		struct snapshot_chunk c;
		uint8_t *at = directory + i * sizeof(c);
		memcpy(&c, at, sizeof(c));
		if (c.at <= len && c.len <= len - c.at) {
			c.sum = crc32c(0, data + c.at, c.len);
		}
		memcpy(at, &c, sizeof(c));
	}
	t.sum = crc32c(0, directory, (size_t)(tail - directory));
	t.sum = crc32c(t.sum, &t, offsetof(struct snapshot_tail, sum));
	memcpy(tail, &t, sizeof(t));
}

#endif

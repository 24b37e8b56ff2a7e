/* zones/dns/typemap.c - type bitmaps of NSEC, NSEC3 and CSYNC (RFC 4034 §4.1.2). */
#include <string.h>

#include "zones/dns/rdata.h"

void typemap_init(struct typemap *m)
{
	m->windows = 0;
}

void typemap_add(struct typemap *m, uint16_t type)
{
	unsigned window = type >> 8;
	unsigned octet = (type & 0xffU) / 8;
	while (m->windows <= window) {
		m->len[m->windows++] = 0;
	}
	while (m->len[window] <= octet) {
		m->bits[window][m->len[window]++] = 0;
	}
	m->bits[window][octet] |= (uint8_t)(0x80 >> type % 8);
}

void typemap_write(const struct typemap *m, struct writer *out)
{
	for (unsigned w = 0; w < m->windows; w++) {
		if (m->len[w] != 0) {
			writer_u8(out, (uint8_t)w);
			writer_u8(out, m->len[w]);
			writer_bytes(out, m->bits[w], m->len[w]);
		}
	}
}

int typemap_check(const uint8_t *map, size_t len)
{
	int before = -1;
	size_t at = 0;
	while (at < len) {
		if (len - at < 2) {
			return E_TRUNC;
		}
		int window = map[at];
		size_t n = map[at + 1];
		if (window <= before || n == 0 || n > 32) {
			return E_INVAL;
		}
		if (len - at - 2 < n) {
			return E_TRUNC;
		}
		if (map[at + 1 + n] == 0) {
			return E_INVAL; /* trailing zero octets are left out */
		}
		before = window;
		at += 2 + n;
	}
	return E_OK;
}

bool typemap_has(const uint8_t *map, size_t len, uint16_t type)
{
	size_t at = 0;
	unsigned low = type & 0xff;
	while (at + 2 <= len) {
		size_t n = map[at + 1];
		if (map[at] == type >> 8) {
			return low / 8 < n && at + 2 + n <= len &&
			       (map[at + 2 + low / 8] & 0x80 >> low % 8) != 0;
		}
		at += 2 + n;
	}
	return false;
}

/* zones/dns/typemap.c - type bitmaps of NSEC, NSEC3 and CSYNC (RFC 4034 §4.1.2). */
#include <string.h>

#include "zones/dns/rdata.h"

void typemap_init(struct typemap *m)
{
	m->count = 0;
}

int typemap_add(struct typemap *m, uint16_t type)
{
	/* Kept sorted: types mostly come in order, so the search from the end is short. */
	unsigned at = m->count;
	while (at != 0 && m->types[at - 1] > type) {
		at--;
	}
	if (at != 0 && m->types[at - 1] == type) {
		return E_OK;
	}
	if (m->count == ARRAY_LEN(m->types)) {
		return E_LIMIT;
	}
	memmove(&m->types[at + 1], &m->types[at], (m->count - at) * sizeof(m->types[0]));
	m->types[at] = type;
	m->count++;
	return E_OK;
}

void typemap_write(struct typemap *m, struct writer *out)
{
	unsigned i = 0;
	while (i < m->count) {
		unsigned window = m->types[i] >> 8;
		uint8_t bits[32] = { 0 };
		unsigned len = 0;
		for (; i < m->count && m->types[i] >> 8 == window; i++) {
			unsigned low = m->types[i] & 0xff;
			bits[low / 8] |= (uint8_t)(0x80 >> low % 8);
			len = low / 8 + 1;
		}
		writer_u8(out, (uint8_t)window);
		writer_u8(out, (uint8_t)len);
		writer_bytes(out, bits, len);
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

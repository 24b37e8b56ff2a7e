/* zones/base/buf.c - a growing string of octets. */
#include "zones/base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "zones/base/mem.h"

void buf_clear(struct buf *b)
{
	mem_free(b->data);
	*b = (struct buf){ 0 };
}

char *buf_reserve(struct buf *b, size_t more)
{
	size_t need = b->len + more + 1;
	if (UNLIKELY(need > b->cap)) {
		size_t cap = b->cap != 0 ? b->cap * 2 : 64;
		if (cap < need) {
			cap = need;
		}
		b->data = mem_realloc(b->data, cap, 1);
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n <= 0) {
		return;
	}
	char *to = buf_reserve(b, (size_t)n);
	va_start(ap, fmt);
	(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_u32(struct buf *b, uint32_t value)
{
	char digits[10];
	size_t n = sizeof(digits);
	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	buf_add(b, digits + n, sizeof(digits) - n);
}

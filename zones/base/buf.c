/* zones/base/buf.c - a growing string of octets. */
#include "zones/base/buf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "zones/base/mem.h"

/* Stress builds move shorter buffers with each reservation; to move long ones would take for ever. */
#define STRESS_MOVE_MAX 4096

void buf_clear(struct buf *b)
{
	mem_free(b->data);
	*b = (struct buf){ 0 };
}

/* Moves the content to a block without an octet to spare: pointers into the old one are dead, as the
 * header says they may be. */
static void move(struct buf *b, size_t need)
{
	char *data = mem_alloc(need);
	if (b->data != NULL) {
		memcpy(data, b->data, b->len + 1);
	}
	mem_free(b->data);
	b->data = data;
	b->cap = need;
}

char *buf_enlarge(struct buf *b, size_t more)
{
	size_t need = b->len + more + 1;
	if (STRESSED(false, b->len < STRESS_MOVE_MAX)) {
		move(b, need);
	} else if (UNLIKELY(need > b->cap)) {
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
	char *to = buf_reserve(b, 10);
	size_t n = 1;
	for (uint32_t v = value; v >= 10; v /= 10) {
		n++;
	}
	for (size_t i = n; i-- > 0; value /= 10) {
		to[i] = (char)('0' + value % 10);
	}
	buf_grew(b, n);
}

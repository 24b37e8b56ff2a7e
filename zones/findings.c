/* zones/findings.c - what was found wrong with a zone, for people. */
#include "zones/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "zones/base/mem.h"

void findings_add(struct findings *f, bool is_error, const char *fmt, ...)
{
	if (is_error) {
		f->errors++;
	} else {
		f->warnings++;
	}
	if (f->count >= FINDINGS_KEPT) {
		return;
	}
	if (f->count == f->cap) {
		f->cap = f->cap != 0 ? f->cap * 2 : 4;
		f->items = mem_realloc(f->items, f->cap, sizeof(*f->items));
	}
	struct finding *x = &f->items[f->count++];
	x->is_error = is_error;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(x->text, sizeof(x->text), fmt, ap);
	va_end(ap);
}

void findings_clear(struct findings *f)
{
	mem_free(f->items);
	*f = (struct findings){ 0 };
}

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

void findings_print(const struct findings *f, const char *prefix)
{
	for (size_t i = 0; i < f->count; i++) {
		(void)fprintf(stderr, "%s%s%s\n", prefix,
			      f->items[i].is_error ? "" : "warning: ", f->items[i].text);
	}
	if (f->errors + f->warnings > f->count) {
		(void)fprintf(stderr, "%s... and %zu more\n", prefix,
			      f->errors + f->warnings - f->count);
	}
}

void findings_clear(struct findings *f)
{
	mem_free(f->items);
	*f = (struct findings){ 0 };
}

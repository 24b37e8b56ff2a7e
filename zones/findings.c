/* zones/findings.c - what was found wrong with a zone, for people. */
#include "zones/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "zones/base/log.h"
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

void findings_log(const struct findings *f, const char *id, const char *zone)
{
	const size_t all = f->errors + f->warnings;
	const char *key = zone != NULL ? "zone=" : "";
	const char *gap = zone != NULL ? " " : "";
	char text[sizeof(f->items[0].text) + 100];
	zone = zone != NULL ? zone : "";
	for (size_t i = 0; i < f->count && i < FINDINGS_LOGGED; i++) {
		log_event(f->items[i].is_error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, id,
			  "%s%s%stext=%s", key, zone, gap,
			  log_quote(f->items[i].text, text, sizeof(text)));
	}
	if (all > FINDINGS_LOGGED) {
		log_warn("findings", "%s%s%sof=%s count=%zu shown=%d", key, zone, gap, id, all,
			 FINDINGS_LOGGED);
	}
}

const char *findings_first_error(const struct findings *f, const char *otherwise)
{
	size_t i = 0;
	while (i < f->count && !f->items[i].is_error) {
		i++;
	}
	return i < f->count ? f->items[i].text : otherwise;
}

void findings_clear(struct findings *f)
{
	mem_free(f->items);
	*f = (struct findings){ 0 };
}

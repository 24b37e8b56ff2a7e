/* server/config_report.c - what is wrong with a configuration, collected and then put in order. */
#include "server/config_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static PRINTF(4, 0) void add(struct config_report *r, struct config_place place, bool is_error,
			     const char *fmt, va_list ap)
{
	size_t *of_kind = is_error ? &r->errors : &r->warnings;
	if ((*of_kind)++ >= CONFIG_ERRORS_MAX) {
		return;
	}
	struct config_problem *p = &r->items[r->count++];
	p->place = place;
	p->is_error = is_error;
	(void)vsnprintf(p->text, sizeof(p->text), fmt, ap);
}

void config_report_error(struct config_report *r, struct config_place place, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(r, place, true, fmt, ap);
	va_end(ap);
}

void config_report_warning(struct config_report *r, struct config_place place, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(r, place, false, fmt, ap);
	va_end(ap);
}

/* An insertion sort keeps the order of problems at one place, and there are few. */
static bool is_before(const struct config_place *a, const struct config_place *b)
{
	if ((a->path != NULL) != (b->path != NULL)) {
		return a->path == NULL;
	}
	return a->line < b->line || (a->line == b->line && a->column <= b->column);
}

static void sort(struct config_report *r)
{
	for (size_t i = 1; i < r->count; i++) {
		const struct config_problem p = r->items[i];
		size_t k = i;
		for (; k != 0 && !is_before(&r->items[k - 1].place, &p.place); k--) {
			r->items[k] = r->items[k - 1];
		}
		r->items[k] = p;
	}
}

void config_report_in_file(struct config_report *r, size_t first, const char *path)
{
	for (size_t i = first; i < r->count; i++) {
		r->items[i].place.path = path;
	}
}

void config_report_close(struct config_report *r, const char *path, struct findings *findings)
{
	sort(r);
	for (size_t i = 0; i < r->count; i++) {
		const struct config_problem *p = &r->items[i];
		const char *file = p->place.path != NULL ? p->place.path : path;
		if (p->place.line == 0) {
			findings_add(findings, p->is_error, "%s: %s", file, p->text);
		} else {
			findings_add(findings, p->is_error, "%s:%u:%u: %s", file, p->place.line,
				     p->place.column, p->text);
		}
	}
	if (r->errors > CONFIG_ERRORS_MAX) {
		findings_add(findings, true, "%s: %zu more errors are not shown", path,
			     r->errors - CONFIG_ERRORS_MAX);
	}
	*r = (struct config_report){ 0 };
}

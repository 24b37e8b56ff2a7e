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
static void sort(struct config_report *r)
{
	for (size_t i = 1; i < r->count; i++) {
		const struct config_problem p = r->items[i];
		size_t k = i;
		for (; k != 0; k--) {
			const struct config_place *before = &r->items[k - 1].place;
			if (before->line < p.place.line ||
			    (before->line == p.place.line && before->column <= p.place.column)) {
				break;
			}
			r->items[k] = r->items[k - 1];
		}
		r->items[k] = p;
	}
}

void config_report_close(struct config_report *r, const char *path, struct findings *findings)
{
	sort(r);
	for (size_t i = 0; i < r->count; i++) {
		const struct config_problem *p = &r->items[i];
		if (p->place.line == 0) {
			findings_add(findings, p->is_error, "%s: %s", path, p->text);
		} else {
			findings_add(findings, p->is_error, "%s:%u:%u: %s", path, p->place.line,
				     p->place.column, p->text);
		}
	}
	if (r->errors > CONFIG_ERRORS_MAX) {
		findings_add(findings, true, "%s: %zu more errors are not shown", path,
			     r->errors - CONFIG_ERRORS_MAX);
	}
	*r = (struct config_report){ 0 };
}

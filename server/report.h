/* server/report.h - what a command has to tell: keys with values, and lists of such, as text or as JSON.
 *
 *     pid: 4711                          { "pid": 4711, "zones": [
 *     zone      serial  signed             { "zone": "example.", "serial": 5, "signed": true },
 *     example.  5       yes                { "zone": "test.", "serial": 7, "signed": false } ] }
 *     test.     7       no
 *
 * Threads: one report, one thread at a time.
 * Memory:  report_free frees; texts are copied. */
#ifndef SERVER_REPORT_H
#define SERVER_REPORT_H

#include <stdbool.h>

#include "zones/base/buf.h"

enum report_form { REPORT_TEXT, REPORT_JSON };

struct report;

struct report *report_new(void);
void report_free(struct report *r); /* NULL is fine */

/* Each adds a key (a constant, kebab-case) to the item that is open, else to the report. Octets of a text that
 * are no UTF-8 are escaped as \xHH. */
void report_text(struct report *r, const char *key, const char *value);
void report_number(struct report *r, const char *key, uint64_t value);
void report_flag(struct report *r, const char *key, bool value);
/* Seconds since 1970, told as "2026-11-27T18:05:00Z". */
void report_time(struct report *r, const char *key, int64_t value);

/* Opens a list of the report; report_item opens its next item. The items of a list have the same keys, as
 * far as they have them. */
void report_list(struct report *r, const char *key);
void report_item(struct report *r);
void report_list_end(struct report *r);
/* The lines of @text, told one below the other as they are; as JSON, a list of texts. */
void report_lines(struct report *r, const char *key, const char *text);

/* The whole, with @message (may be "") of what became of the command. As text: the message, the keys, the
 * lists. JSON: one line with an object of status, message and data. */
void report_print(const struct report *r, enum report_form form, const char *status,
		  const char *message, struct buf *out);

#endif

/* zones/findings.h - what was found wrong with a zone, for people.
 *
 * Threads: one owner at a time. */
#ifndef ZONES_FINDINGS_H
#define ZONES_FINDINGS_H

#include <stdbool.h>

#include "zones/base/attr.h"

/* One finding, of the reader or of the checks; the text is whole:
 * "example.zone:3:7: found ..., expected ..." */
struct finding {
	bool is_error; /* else a warning */
	char text[600];
};

/* So many are kept; all are counted. */
#define FINDINGS_KEPT 200
/* And so many go to the log: it is the file that a person has to look at. */
#define FINDINGS_LOGGED 20

struct findings {
	struct finding *items; /* heap */
	size_t count, cap;
	size_t errors, warnings;
};

PRINTF(3, 4) void findings_add(struct findings *f, bool is_error, const char *fmt, ...);
/* To standard error, one line each: @prefix (may be ""), "warning: " where it is one, the text; and how many
 * are not shown. */
NONNULL(1, 2) void findings_print(const struct findings *f, const char *prefix);
/* To the log, as event @id each, with @zone (as log_quote made it; NULL: there is none); and how many are not shown. */
void findings_log(const struct findings *f, const char *id, const char *zone);
/* The text of the first error, borrowed; @otherwise where there is none. */
const char *findings_first_error(const struct findings *f, const char *otherwise);
void findings_clear(struct findings *f);

#endif

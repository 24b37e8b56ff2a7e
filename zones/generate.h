/* zones/generate.h - the $GENERATE directive: one line that stands for many.
 *
 * Threads: no state. */
#ifndef ZONES_GENERATE_H
#define ZONES_GENERATE_H

#include "zones/base/buf.h"
#include "zones/base/err.h"

struct generate_range {
	uint32_t start, stop, step;
};

/* "start-stop" or "start-stop/step". E_SYNTAX; E_RANGE: stop before start, step 0. */
MUST_USE int generate_range(const char *s, size_t len, struct generate_range *out,
			    struct errmsg *em);
/* Appends @text with each $ replaced by @value: "$", "${offset}", "${offset,width}",
 * "${offset,width,radix}" with radix d o x X n N; "$$" and "\$" become "\$", a plain dollar that begins no
 * directive. E_SYNTAX; E_RANGE: a value below 0. */
MUST_USE int generate_expand(const char *text, size_t len, uint32_t value, struct buf *out,
			     struct errmsg *em);

#endif

/* server/zone_text.h - the name of a zone as events of the log have it.
 *
 * Threads: no state. */
#ifndef SERVER_ZONE_TEXT_H
#define SERVER_ZONE_TEXT_H

#include "zones/base/log.h"
#include "zones/dns/dname.h"

struct zone_text {
	char text[DNAME_TEXT_MAX + 8];
};

/* @name as text that is safe in a line of the log; kept in @out. */
static inline const char *zone_text(const uint8_t *name, struct zone_text *out)
{
	char text[DNAME_TEXT_MAX];
	(void)dname_to_text(name, text);
	return log_quote(text, out->text, sizeof(out->text));
}

#endif

/* zones/base/log.h - one line per event: a stable id, a text, key=value pairs.
 *
 * Lines go to stderr until log_open says otherwise. Text of the form
 *     2026-11-24T11:05:00Z info zone-loaded zone=example.com serial=1 records=12
 * Values with spaces, quotes or control octets are quoted and escaped, so that nothing from
 * outside can forge a line.
 *
 * Threads: any; one write call per line.
 * Nothing on the query path logs. */
#ifndef ZONES_BASE_LOG_H
#define ZONES_BASE_LOG_H

#include <stdbool.h>

#include "zones/base/attr.h"
#include "zones/base/err.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG };

/* @level: the least urgent one that is still written. @json: one object per line. @ident: borrowed
 * for good; what syslog calls us. */
void log_open(enum log_target target, enum log_level level, bool json, const char *ident);
/* "error" "warn" "notice" "info" "debug", by level; NULL-terminated. */
extern const char *const log_level_names[];
/* One of these words → level; E_INVAL. */
MUST_USE int log_level_from_text(const char *text, enum log_level *out);

/* Writes one event. @id is the stable kebab-case identifier; @fmt makes "key=value" pairs, in which
 * each value that can hold foreign octets went through log_quote. */
PRINTF(3, 4) void log_event(enum log_level level, const char *id, const char *fmt, ...);

/* @value as it stands in a log line: itself, or quoted with \" \\ \xHH escapes, the latter for all
 * that is not printable ASCII. Returns @out, always NUL-terminated, cut to @room (LOG_QUOTE_MIN at
 * least). */
#define LOG_QUOTE_MIN 8
const char *log_quote(const char *value, char *out, size_t room);

#define log_error(id, ...)  log_event(LOG_LEVEL_ERROR, id, __VA_ARGS__)
#define log_warn(id, ...)   log_event(LOG_LEVEL_WARN, id, __VA_ARGS__)
#define log_notice(id, ...) log_event(LOG_LEVEL_NOTICE, id, __VA_ARGS__)
#define log_info(id, ...)   log_event(LOG_LEVEL_INFO, id, __VA_ARGS__)

#endif

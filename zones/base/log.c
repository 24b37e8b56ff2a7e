/* zones/base/log.c - one line per event. */
#include "zones/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 2048

const char *const log_level_names[] = { "error", "warn", "notice", "info", "debug", NULL };
static const int syslog_levels[] = { LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* Written by log_open before threads start, and by the control thread on a reload: an event that
 * comes at the same time goes to the old or the new place. */
static struct {
	enum log_target target;
	enum log_level level;
	bool json;
} config = { LOG_TO_STDERR, LOG_LEVEL_INFO, false };

void log_open(enum log_target target, enum log_level level, bool json, const char *ident)
{
	__atomic_store_n(&config.target, target, __ATOMIC_RELAXED);
	__atomic_store_n(&config.level, level, __ATOMIC_RELAXED);
	__atomic_store_n(&config.json, json, __ATOMIC_RELAXED);
	if (target == LOG_TO_SYSLOG) {
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	}
}

int log_level_from_text(const char *text, enum log_level *out)
{
	for (unsigned i = 0; log_level_names[i] != NULL; i++) {
		if (strcmp(text, log_level_names[i]) == 0) {
			*out = (enum log_level)i;
			return E_OK;
		}
	}
	return E_INVAL;
}

const char *log_quote(const char *value, char *out, size_t room)
{
	bool plain = *value != '\0';
	for (const char *c = value; *c != '\0'; c++) {
		plain = plain && *c > ' ' && *c < 0x7f && *c != '"' && *c != '\\' && *c != '=';
	}
	if (plain) {
		(void)snprintf(out, room, "%s", value);
		return out;
	}
	size_t n = 0;
	out[n++] = '"';
	for (const char *c = value; *c != '\0' && n + 6 < room; c++) {
		unsigned char x = (unsigned char)*c;
		if (x == '"' || x == '\\') {
			out[n++] = '\\';
			out[n++] = *c;
		} else if (x < ' ' || x == 0x7f) {
			n += (size_t)snprintf(out + n, room - n, "\\x%02X", x);
		} else {
			out[n++] = *c;
		}
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

/* "a=b c="d e"" as members of a JSON object; the pairs are ours and well-formed. */
static void json_pairs(const char *pairs, char *out, size_t room)
{
	size_t n = 0;
	const char *p = pairs;
	out[0] = '\0';
	while (*p != '\0' && n + 8 < room) {
		const char *eq = strchr(p, '=');
		if (eq == NULL) {
			break;
		}
		bool quoted = eq[1] == '"';
		const char *v = eq + 1 + quoted;
		const char *end = v;
		while (*end != '\0' && (quoted ? *end != '"' : *end != ' ')) {
			end += *end == '\\' && end[1] != '\0' ? 2 : 1;
		}
		n += (size_t)snprintf(out + n, room - n, ",\"%.*s\":\"%.*s\"", (int)(eq - p), p,
				      (int)(end - v), v);
		p = end + (quoted && *end == '"');
		while (*p == ' ') {
			p++;
		}
	}
}

static void write_stderr(enum log_level level, const char *id, const char *pairs)
{
	char line[LINE_MAX_OCTETS + 256];
	char members[LINE_MAX_OCTETS];
	char when[32];
	struct tm tm;
	time_t now = time(NULL);
	(void)gmtime_r(&now, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	int n;
	if (__atomic_load_n(&config.json, __ATOMIC_RELAXED)) {
		json_pairs(pairs, members, sizeof(members));
		n = snprintf(line, sizeof(line),
			     "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"%s}\n", when,
			     log_level_names[level], id, members);
	} else {
		n = snprintf(line, sizeof(line), "%s %s %s%s%s\n", when, log_level_names[level], id,
			     *pairs != '\0' ? " " : "", pairs);
	}
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;
	/* One call for one line, so that lines of several threads do not mix. A log that cannot be
	 * written has no place to say so. */
	ssize_t written = write(STDERR_FILENO, line, len);
	(void)written;
}

void log_event(enum log_level level, const char *id, const char *fmt, ...)
{
	if (level > __atomic_load_n(&config.level, __ATOMIC_RELAXED)) {
		return;
	}
	char pairs[LINE_MAX_OCTETS];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(pairs, sizeof(pairs), fmt, ap);
	va_end(ap);
	if (__atomic_load_n(&config.target, __ATOMIC_RELAXED) == LOG_TO_SYSLOG) {
		syslog(syslog_levels[level], "%s %s", id, pairs);
	} else {
		write_stderr(level, id, pairs);
	}
}

/* zones/base/log.c - one line per event. */
#include "zones/base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "zones/base/buf.h"
#include "zones/base/text.h"

#define LINE_MAX_OCTETS 2048 /* of the pairs; longer ones are cut */

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
	assert(room >= LOG_QUOTE_MIN);
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
		} else if (x < ' ' || x >= 0x7f) {
			n += (size_t)snprintf(out + n, room - n, "\\x%02X", x);
		} else {
			out[n++] = *c;
		}
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

/* One character of a value that log_quote may have escaped, as JSON has it; returns what follows. */
static const char *json_char(struct buf *out, const char *c, bool quoted)
{
	uint8_t octet;
	if (quoted && c[0] == '\\' && (c[1] == '"' || c[1] == '\\')) {
		buf_add(out, c, 2);
		return c + 2;
	}
	if (quoted && c[0] == '\\' && c[1] == 'x' && c[2] != '\0' &&
	    text_from_hex(c + 2, 2, &octet, 1) == 1) {
		buf_printf(out, "\\u%04X", octet);
		return c + 4;
	}
	octet = (uint8_t)*c;
	if (octet < ' ' || octet >= 0x7f) {
		buf_printf(out, "\\u%04X", octet);
	} else if (octet == '"' || octet == '\\') {
		buf_char(out, '\\');
		buf_char(out, *c);
	} else {
		buf_char(out, *c);
	}
	return c + 1;
}

/* The pairs (a=b c="d e") as members of a JSON object. They are ours, but the last of them may have
 * been cut, and what comes out is JSON nevertheless. */
static void json_pairs(struct buf *out, const char *pairs)
{
	const char *p = pairs;
	while (*p != '\0') {
		size_t name = strcspn(p, "= ");
		bool has_value = p[name] == '=';
		buf_str(out, ",\"");
		for (const char *end = p + name; p < end;) {
			p = json_char(out, p, false);
		}
		buf_str(out, "\":\"");
		p += has_value;
		bool quoted = has_value && *p == '"';
		p += quoted;
		while (*p != '\0' && *p != (quoted ? '"' : ' ')) {
			p = json_char(out, p, quoted);
		}
		buf_char(out, '"');
		p += *p == '"';
		p += strspn(p, " ");
	}
}

/* The event without the time and the level, which syslog adds. */
static void event_text(struct buf *out, const char *id, const char *pairs)
{
	buf_str(out, id);
	if (*pairs != '\0') {
		buf_char(out, ' ');
	}
	for (const char *c = pairs; *c != '\0'; c++) {
		/* Only a value that escaped log_quote holds any of these. */
		buf_char(out, (uint8_t)*c < ' ' || *c == 0x7f ? '?' : *c);
	}
}

static void event_json(struct buf *out, const char *id, const char *pairs)
{
	buf_printf(out, "\"event\":\"%s\"", id);
	json_pairs(out, pairs);
	buf_char(out, '}');
}

static void write_stderr(enum log_level level, bool json, const char *id, const char *pairs)
{
	struct buf line = { 0 };
	char when[32];
	struct tm tm;
	time_t now = time(NULL);
	(void)gmtime_r(&now, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	const char *name = log_level_names[level];
	if (json) {
		buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",", when, name);
		event_json(&line, id, pairs);
	} else {
		buf_printf(&line, "%s %s ", when, name);
		event_text(&line, id, pairs);
	}
	buf_char(&line, '\n');
	/* One call for one line, so that lines of several threads do not mix. A log that cannot be
	 * written has no place to say so. */
	ssize_t written = write(STDERR_FILENO, line.data, line.len);
	(void)written;
	buf_clear(&line);
}

static void write_syslog(enum log_level level, bool json, const char *id, const char *pairs)
{
	struct buf line = { 0 };
	if (json) {
		buf_char(&line, '{');
		event_json(&line, id, pairs);
	} else {
		event_text(&line, id, pairs);
	}
	syslog(syslog_levels[level], "%s", line.data);
	buf_clear(&line);
}

void log_event(enum log_level level, const char *id, const char *fmt, ...)
{
	if (level > __atomic_load_n(&config.level, __ATOMIC_RELAXED)) {
		return;
	}
	int saved = errno;
	char pairs[LINE_MAX_OCTETS];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(pairs, sizeof(pairs), fmt, ap);
	va_end(ap);
	bool json = __atomic_load_n(&config.json, __ATOMIC_RELAXED);
	if (__atomic_load_n(&config.target, __ATOMIC_RELAXED) == LOG_TO_SYSLOG) {
		write_syslog(level, json, id, pairs);
	} else {
		write_stderr(level, json, id, pairs);
	}
	errno = saved;
}

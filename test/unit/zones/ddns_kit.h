/* test/unit/zones/ddns_kit.h - update messages from lines of text, and zones to apply them to.
 *
 *     yxdomain NAME | nxdomain NAME | yxrrset NAME TYPE [RDATA] | nxrrset NAME TYPE
 *     add NAME TTL TYPE RDATA | del NAME [TYPE [RDATA]]
 *     pre NAME CLASS TYPE TTL HEX | up NAME CLASS TYPE TTL HEX    any octets as rdata; "-" for none
 *
 * Names are relative to "z."; lines end with \n. Messages are not compressed. */
#ifndef TEST_UNIT_ZONES_DDNS_KIT_H
#define TEST_UNIT_ZONES_DDNS_KIT_H

#include <stdio.h>
#include <stdlib.h>

#include "zones/base/text.h"
#include "zones/ddns.h"
#include "zones/dns/rdata.h"
#include "zones/dump.h"

static const uint8_t kit_zone[] = "\1z";

struct kit_message {
	uint8_t octets[MESSAGE_MAX];
	size_t len;
};

/* Also where assertions of a unit test are none. */
static inline void kit_require(bool what, const char *why)
{
	if (!what) {
		(void)fprintf(stderr, "ddns kit: %s\n", why);
		abort();
	}
}

static inline void kit_name(const char *text, struct dname *out)
{
	kit_require(dname_from_text(out, text, strlen(text), kit_zone, NULL) == E_OK, text);
}

static inline uint16_t kit_type(const char *text)
{
	uint16_t type = 0;
	kit_require(rrtype_from_text(text, strlen(text), &type) == E_OK, text);
	return type;
}

static inline void kit_begin(struct kit_message *m)
{
	struct message_header h = { .id = 1,
				    .flags = OPCODE_UPDATE << 11,
				    .count = { [SECTION_QUESTION] = 1 } };
	struct writer w = writer_of(m->octets, sizeof(m->octets));
	message_write_header(writer_room(&w, MESSAGE_HEADER_LEN), &h);
	writer_bytes(&w, kit_zone, sizeof(kit_zone));
	writer_u16(&w, RRTYPE_SOA);
	writer_u16(&w, RRCLASS_IN);
	m->len = writer_len(&w);
}

/* Sections come in order. */
static inline void kit_rr(struct kit_message *m, enum section section, const struct ddns_rr *rr)
{
	struct writer w = writer_of(m->octets + m->len, sizeof(m->octets) - m->len);
	uint8_t *count = m->octets + 4 + 2 * section;
	writer_bytes(&w, rr->owner, dname_len(rr->owner));
	writer_u16(&w, rr->type);
	writer_u16(&w, rr->class);
	writer_u32(&w, rr->ttl);
	writer_u16(&w, rr->len);
	writer_bytes(&w, rr->rdata, rr->len);
	kit_require(w.err == E_OK, "the message is too long");
	be16_put(count, (uint16_t)(be16_get(count) + 1));
	m->len += writer_len(&w);
}

/* The next word of *@line, or "". */
static inline char *kit_word(char **line)
{
	char *word = *line + strspn(*line, " ");
	char *end = word + strcspn(word, " ");
	*line = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return word;
}

static inline void kit_rdata(struct ddns_rr *rr, const char *text, uint8_t *room, size_t size)
{
	struct writer w = writer_of(room, size);
	struct errmsg em = { "" };
	kit_require(rdata_from_string(rr->type, text, kit_zone, &w, &em) == E_OK, em.text);
	rr->rdata = room;
	rr->len = (uint16_t)writer_len(&w);
}

static inline unsigned kit_hex(const char *c)
{
	char digits[3] = { c[0], c[1], '\0' };
	return (unsigned)strtoul(digits, NULL, 16);
}

static inline void kit_raw(struct ddns_rr *rr, char **line, uint8_t *room)
{
	const char *class = kit_word(line);
	rr->class = strcmp(class, "NONE") == 0	? RRCLASS_NONE
		    : strcmp(class, "ANY") == 0 ? RRCLASS_ANY
		    : strcmp(class, "CH") == 0	? RRCLASS_CH
						: RRCLASS_IN;
	rr->type = kit_type(kit_word(line));
	rr->ttl = (uint32_t)strtoul(kit_word(line), NULL, 10);
	const char *hex = kit_word(line);
	for (rr->rdata = room; hex[0] != '\0' && hex[0] != '-'; hex += 2) {
		room[rr->len++] = (uint8_t)kit_hex(hex);
	}
}

static inline void kit_line(struct kit_message *m, char *line)
{
	static uint8_t room[RDATA_MAX];
	const char *verb = kit_word(&line);
	struct dname owner;
	struct ddns_rr rr = { .owner = owner.wire, .class = RRCLASS_ANY, .type = RRTYPE_ANY };
	kit_name(kit_word(&line), &owner);
	if (strcmp(verb, "pre") == 0 || strcmp(verb, "up") == 0) {
		kit_raw(&rr, &line, room);
		kit_rr(m, verb[0] == 'p' ? SECTION_ANSWER : SECTION_AUTHORITY, &rr);
		return;
	}
	if (strcmp(verb, "add") == 0) {
		rr.ttl = (uint32_t)strtoul(kit_word(&line), NULL, 10);
	}
	if (*line != '\0') {
		rr.type = kit_type(kit_word(&line));
	}
	bool has_value = *line != '\0';
	if (has_value) {
		kit_rdata(&rr, line, room, sizeof(room));
	}
	if (verb[0] == 'n') {
		rr.class = RRCLASS_NONE;
	} else if (verb[0] == 'a' || (verb[0] == 'y' && has_value)) {
		rr.class = RRCLASS_IN;
	} else if (verb[0] == 'd' && has_value) {
		rr.class = RRCLASS_NONE;
	}
	kit_rr(m, verb[0] == 'a' || verb[0] == 'd' ? SECTION_AUTHORITY : SECTION_ANSWER, &rr);
}

/* Calls @fn with each line of @text. */
static inline void kit_lines(const char *text, void (*fn)(void *arg, char *line), void *arg)
{
	while (*text != '\0') {
		static char line[4096];
		size_t len = strcspn(text, "\n");
		kit_require(len < sizeof(line) && text[len] == '\n', text);
		memcpy(line, text, len);
		line[len] = '\0';
		text += len + 1;
		fn(arg, line);
	}
}

static inline void kit_message_line(void *arg, char *line)
{
	kit_line(arg, line);
}

static inline void kit_message(struct kit_message *m, const char *lines)
{
	kit_begin(m);
	kit_lines(lines, kit_message_line, m);
}

/* "NAME TTL TYPE RDATA" */
static inline void kit_zone_line(void *arg, char *line)
{
	uint8_t room[4096];
	struct dname owner;
	kit_name(kit_word(&line), &owner);
	struct ddns_rr rr = { .owner = owner.wire };
	rr.ttl = (uint32_t)strtoul(kit_word(&line), NULL, 10);
	rr.type = kit_type(kit_word(&line));
	kit_rdata(&rr, line, room, sizeof(room));
	kit_require(edit_add(arg, rr.owner, rr.type, rr.ttl, rr.rdata, rr.len) == E_OK, "add");
}

static inline struct version *kit_version(const char *lines)
{
	struct edit *e = edit_begin(NULL, kit_zone, EDIT_TTL_LAST);
	kit_lines(lines, kit_zone_line, e);
	kit_require(edit_error(e, NULL) == E_OK, "zone");
	return edit_commit(e);
}

/* All records as text. */
static inline void kit_dump(const struct version *v, struct buf *out)
{
	struct version_walk *walk = malloc(sizeof(*walk));
	for (const struct node *n = version_first(v, walk); n != NULL; n = version_next(walk)) {
		dump_node(n, 0, out);
	}
	free(walk);
}

static inline bool kit_may_all(void *arg, const uint8_t *owner, uint16_t type, const uint8_t *rdata,
			       size_t len)
{
	(void)arg;
	(void)owner;
	(void)type;
	(void)rdata;
	(void)len;
	return true;
}

/* One request from its octets to the edit. */
static inline enum rcode kit_update(const uint8_t *message, size_t len, unsigned allow,
				    struct edit *e, struct ddns_result *result)
{
	struct arena arena = { 0 };
	struct ddns_request req;
	*result = (struct ddns_result){ 0 };
	enum rcode rcode = ddns_read(message, len, &arena, &req);
	if (rcode == RCODE_NOERROR && !dname_equal(req.zone, kit_zone)) {
		rcode = RCODE_NOTAUTH;
	}
	req.allow = allow;
	if (rcode == RCODE_NOERROR) {
		rcode = ddns_prerequisites(&req, edit_state(e));
	}
	if (rcode == RCODE_NOERROR) {
		rcode = ddns_permitted(&req, edit_state(e), kit_may_all, NULL);
	}
	if (rcode == RCODE_NOERROR) {
		rcode = ddns_prescan(&req);
	}
	if (rcode == RCODE_NOERROR) {
		rcode = ddns_apply(&req, e, result);
	}
	arena_clear(&arena);
	return rcode;
}

#endif

/* server/chaos.c - class CH: questions about the server itself. */
#include "server/chaos.h"

#include <stddef.h>

/* Names in wire form, and what of struct query_config they tell. */
static const struct {
	const char *name;
	size_t text;
} rows[] = {
	{ "\7version\4bind", offsetof(struct query_config, version) },
	{ "\7version\6server", offsetof(struct query_config, version) },
	{ "\10hostname\4bind", offsetof(struct query_config, identity) },
	{ "\2id\6server", offsetof(struct query_config, identity) },
};

/* The text for @name; empty: there is none. */
static struct query_string text_of(const struct query_config *c, const uint8_t *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (dname_equal(name, (const uint8_t *)rows[i].name)) {
			return *(const struct query_string *)(const void *)((const uint8_t *)c +
									    rows[i].text);
		}
	}
	return (struct query_string){ NULL, 0 };
}

/* The names are short, so this always fits: header 12, question 19, record 12 + 256, OPT with cookie 39. */
void chaos_answer(struct query_ctx *q)
{
	const struct query_string text = text_of(q->env->config, q->names[0]);
	struct writer *w = &q->response.w;
	if (text.len == 0 || (q->qtype != RRTYPE_TXT && q->qtype != RRTYPE_ANY)) {
		q->rcode = RCODE_REFUSED;
		opt_explain(q, EDNS_ERROR_PROHIBITED, NULL);
		return;
	}
	writer_u16(w, RESPONSE_QNAME);
	writer_u16(w, RRTYPE_TXT);
	writer_u16(w, RRCLASS_CH);
	writer_u32(w, 0); /* true at this moment, of this server: not to be cached */
	writer_u16(w, (uint16_t)(1 + text.len));
	writer_u8(w, text.len);
	writer_bytes(w, text.octets, text.len);
	q->response.count[SECTION_ANSWER]++;
}

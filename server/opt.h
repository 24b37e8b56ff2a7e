/* server/opt.h - the OPT record of a response: what the query's OPT asks for, and what goes back (RFC 6891).
 *
 * A response has the OPT record last. Room for the record itself and for a cookie is kept from the
 * start. All other options are a courtesy, so they do without room rather than truncate an answer; but
 * they go before records that are a courtesy themselves:
 *
 *     opt_read                  what is asked for; a cookie is checked
 *       header, question        opt_needed() octets are kept
 *       what must be there
 *     opt_keep_room             all options are put together, and room for them is kept too
 *       what is additional
 *     opt_write                 the record, with as many options as fit
 *
 * Threads: one worker. Nothing is allocated. */
#ifndef SERVER_OPT_H
#define SERVER_OPT_H

#include "server/cookie.h"
#include "zones/dns/edns.h"

struct query_ctx;

/* All options of a response but padding: cookie, error with text, NSID, EXPIRE, keepalive, ZONEVERSION, agent. */
#define OPT_OPTIONS_MAX 768
/* Of the text with an error. */
#define OPT_TEXT_MAX 100

struct opt {
	bool present;	/* the query has an OPT record, and so has the response */
	unsigned asked; /* options, as bits of their codes */
	enum cookie_state cookie;
	bool has_error;
	uint16_t error;	  /* enum edns_error */
	const char *text; /* with the error, constant; or NULL */
	bool is_built;
	uint16_t len; /* of options[] */
	size_t kept;  /* octets that the message's limit is held back by */
	uint8_t cookie_out[COOKIE_LEN];
	uint8_t options[OPT_OPTIONS_MAX];
};

/* Takes the options of the query's OPT record. RCODE_NOERROR, or RCODE_FORMERR: malformed. */
uint16_t opt_read(struct query_ctx *q, const struct edns *edns);
/* Octets of the response that have to be kept for the record; they count as kept from now on. */
size_t opt_needed(struct query_ctx *q);
/* From now on only what may be missing is added. */
void opt_keep_room(struct query_ctx *q);
/* Says why the response is as it is. @text (constant, may be NULL) is for people. */
void opt_explain(struct query_ctx *q, enum edns_error error, const char *text);
/* Writes the record, which the message ends with; @flags as in the query. */
void opt_write(struct query_ctx *q, uint16_t flags);

#endif

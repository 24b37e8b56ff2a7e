/* server/opt.c - the OPT record of a response. */
#include "server/opt.h"

#include <string.h>

#include "server/answer.h"
#include "zones/dns/serial.h"

/* Responses are padded to a multiple of this (RFC 8467 §4.1). */
#define PADDING_BLOCK 468

#define VERSION_IS_SOA 0 /* RFC 9660 §3: the type of version that is the serial */
#define BIT(code)      (1U << (code))
#define ASKED(q, code) (((q)->opt.asked & BIT(code)) != 0)
_Static_assert(EDNS_ZONEVERSION < 32, "codes fit the bits of opt.asked");

/* --- reading --------------------------------------------------------------------------------- */

static uint16_t read_cookie(struct query_ctx *q, const struct edns_option *option)
{
	const struct query_env *env = q->env;
	const struct cookie_maker m = { q->siphash, env->config->cookies, env->now };
	uint8_t out[COOKIE_LEN];
	if (m.secrets == NULL || q->client == NULL) {
		return RCODE_NOERROR; /* as an option that we do not know (RFC 7873 §5.2) */
	}
	enum cookie_state state = cookie_check(&m, q->client, option->data, option->len, out);
	if (state == COOKIE_MALFORMED) {
		q->opt.cookie = COOKIE_MALFORMED;
		opt_explain(q, EDNS_ERROR_OTHER, "malformed COOKIE option");
		return RCODE_FORMERR;
	}
	if (q->opt.cookie == COOKIE_NONE) { /* of several only the first counts */
		q->opt.cookie = state;
		memcpy(q->opt.cookie_out, out, sizeof(out));
	}
	return RCODE_NOERROR;
}

uint16_t opt_read(struct query_ctx *q, const struct edns *edns)
{
	struct reader r = reader_of(edns->options, edns->options_len);
	struct edns_option option;
	uint16_t rcode = RCODE_NOERROR;
	q->opt.present = true;
	if (edns->version > EDNS_VERSION) {
		return RCODE_NOERROR; /* who knows what options mean there */
	}
	while (edns_next_option(&r, &option) && rcode == RCODE_NOERROR) {
		if (option.code == EDNS_COOKIE) {
			rcode = read_cookie(q, &option);
		} else if (option.code == EDNS_ZONEVERSION && option.len != 0) {
			/* In a query it is empty, and has to be (RFC 9660 §3); NSID is not looked at
			 * (RFC 5001 §2.1). */
			opt_explain(q, EDNS_ERROR_OTHER, "malformed ZONEVERSION option");
			rcode = RCODE_FORMERR;
		} else if (option.code < 32) {
			/* Of what else we know a query has nothing but the code; data is ignored. */
			q->opt.asked |= BIT(option.code);
		}
	}
	return rcode;
}

void opt_explain(struct query_ctx *q, enum edns_error error, const char *text)
{
	q->opt.has_error = true;
	q->opt.error = (uint16_t)error;
	q->opt.text = text;
}

/* --- options --------------------------------------------------------------------------------- */

static bool has_cookie(const struct query_ctx *q)
{
	return q->opt.cookie != COOKIE_NONE && q->opt.cookie != COOKIE_MALFORMED;
}

/* Room for an option's data. */
static uint8_t *add(struct writer *w, enum edns_code code, size_t len)
{
	writer_u16(w, (uint16_t)code);
	writer_u16(w, (uint16_t)len);
	return writer_room(w, len);
}

static void add_octets(struct writer *w, enum edns_code code, const void *data, size_t len)
{
	uint8_t *to = add(w, code, len);
	if (to != NULL && len != 0) {
		memcpy(to, data, len);
	}
}

/* What is wrong with the zone of the question, though there is an answer from it. */
static void look_at_zone(struct query_ctx *q)
{
	const struct version *v = q->asked_version;
	if (v == NULL || q->opt.has_error) {
		return;
	}
	if (q->dnssec && v->secure && v->soa->sigs != 0 &&
	    serial_is_newer((uint32_t)q->env->now, v->signed_until)) {
		opt_explain(q, EDNS_ERROR_SIGNATURE_EXPIRED, "signatures of the zone have expired");
	} else if (zone_is_stale(q->asked_zone)) {
		opt_explain(q, EDNS_ERROR_OTHER, "newer data of the zone is broken, this is older");
	}
}

static void add_error(const struct query_ctx *q, struct writer *w)
{
	if (!q->opt.has_error) {
		return;
	}
	size_t len = q->opt.text != NULL ? strnlen(q->opt.text, OPT_TEXT_MAX) : 0;
	uint8_t *to = add(w, EDNS_EDE, 2 + len);
	if (to != NULL) {
		be16_put(to, q->opt.error);
		if (len != 0) {
			memcpy(to + 2, q->opt.text, len);
		}
	}
}

/* Seconds that a secondary of ours may serve the zone: what is left of our own time, where we are one ourselves, or the
 * SOA's number (RFC 7314 §3.2). */
static uint32_t expire_of(const struct query_ctx *q)
{
	const int64_t at = zone_expires_at(q->asked_zone);
	const uint32_t whole = version_soa(q->asked_version).expire;
	const int64_t left = at - q->env->now;
	return at == 0 || left > whole ? whole : left > 0 ? (uint32_t)left : 0;
}

/* Beside the SOA it can be believed. */
static void add_expire(struct query_ctx *q, struct writer *w)
{
	if (ASKED(q, EDNS_EXPIRE) && q->asked_version != NULL &&
	    (q->qtype == RRTYPE_SOA || q->is_transfer) && q->hops == 0 && q->end == END_POSITIVE) {
		uint8_t *to = add(w, EDNS_EXPIRE, 4);
		if (to != NULL) {
			be32_put(to, expire_of(q));
		}
	}
}

static void add_keepalive(struct query_ctx *q, struct writer *w)
{
	if (ASKED(q, EDNS_KEEPALIVE) && q->env->is_tcp) { /* never over UDP (RFC 7828 §3.2.1) */
		uint8_t *to = add(w, EDNS_KEEPALIVE, 2);
		if (to != NULL) {
			be16_put(to, q->env->keepalive);
		}
	}
}

static void add_version(struct query_ctx *q, struct writer *w)
{
	const struct version *v = q->asked_version;
	if (ASKED(q, EDNS_ZONEVERSION) && v != NULL) {
		uint8_t *to = add(w, EDNS_ZONEVERSION, 6);
		if (to != NULL) {
			to[0] = v->apex_labels;
			to[1] = VERSION_IS_SOA;
			be32_put(to + 2, v->serial);
		}
	}
}

/* Reports on the agent's own names would lead to reports (RFC 9567 §6.1). */
static void add_report(struct query_ctx *q, struct writer *w)
{
	const uint8_t *agent = q->env->config->report_channel;
	if (agent != NULL && q->asked_version != NULL && !dname_is_under(q->names[0], agent)) {
		add_octets(w, EDNS_REPORT, agent, dname_len(agent));
	}
}

/* In the order in which they are left out, last first. Most responses have none. */
static void build(struct query_ctx *q)
{
	struct opt *o = &q->opt;
	struct writer w = writer_of(o->options, sizeof(o->options));
	const struct query_string *nsid = &q->env->config->nsid;
	look_at_zone(q);
	o->is_built = true;
	o->len = 0;
	if (o->asked == 0 && !o->has_error && o->cookie == COOKIE_NONE &&
	    q->env->config->report_channel == NULL) {
		return;
	}
	if (has_cookie(q)) {
		add_octets(&w, EDNS_COOKIE, o->cookie_out, COOKIE_LEN);
	}
	add_error(q, &w);
	if (ASKED(q, EDNS_NSID) && nsid->len != 0) {
		add_octets(&w, EDNS_NSID, nsid->octets, nsid->len);
	}
	add_keepalive(q, &w);
	add_expire(q, &w);
	add_version(q, &w);
	add_report(q, &w);
	o->len = (uint16_t)writer_len(&w);
}

/* --- room ------------------------------------------------------------------------------------ */

size_t opt_needed(struct query_ctx *q)
{
	size_t cookie = has_cookie(q) ? EDNS_OPTION_FIXED + COOKIE_LEN : 0;
	q->opt.kept = q->opt.present ? EDNS_OPT_LEN + cookie : 0;
	return q->opt.kept;
}

void opt_keep_room(struct query_ctx *q)
{
	struct writer *w = &q->response.w;
	struct opt *o = &q->opt;
	if (!o->present || o->is_built) {
		return;
	}
	build(q);
	size_t more = EDNS_OPT_LEN + o->len - o->kept;
	more = more < writer_left(w) ? more : writer_left(w);
	w->end -= more;
	o->kept += more;
}

/* --- writing --------------------------------------------------------------------------------- */

/* Octets of as many whole options as @room has room for. */
static size_t fitting(const struct opt *o, size_t room)
{
	size_t len = 0;
	while (len < o->len) {
		size_t next = len + EDNS_OPTION_FIXED + be16_get(o->options + len + 2);
		if (next > room) {
			break;
		}
		len = next;
	}
	return len;
}

/* Zeros up to a whole block, or up to the message's limit. */
static void pad(struct writer *w, uint8_t *rdlength)
{
	size_t len = writer_len(w) + EDNS_OPTION_FIXED;
	if (writer_left(w) < EDNS_OPTION_FIXED) {
		return;
	}
	size_t room = writer_left(w) - EDNS_OPTION_FIXED;
	size_t zeros = (PADDING_BLOCK - len % PADDING_BLOCK) % PADDING_BLOCK;
	zeros = zeros < room ? zeros : room;
	uint8_t *to = add(w, EDNS_PADDING, zeros);
	if (to != NULL) {
		memset(to, 0, zeros);
		be16_put(rdlength, (uint16_t)(be16_get(rdlength) + EDNS_OPTION_FIXED + zeros));
	}
}

void opt_write(struct query_ctx *q, uint16_t flags)
{
	struct writer *w = &q->response.w;
	struct opt *o = &q->opt;
	if (!o->is_built) {
		build(q);
	}
	w->end += o->kept;
	o->kept = 0;
	uint8_t *record = w->pos;
	const struct edns e = { .udp_size = q->env->config->udp_size,
				.rcode_high = (uint8_t)(q->rcode >> 4),
				.version = EDNS_VERSION,
				.flags = flags & EDNS_DO,
				.options = o->options,
				.options_len =
					(uint16_t)fitting(o, writer_left(w) - EDNS_OPT_LEN) };
	edns_write(w, &e);
	if (q->env->is_encrypted && ASKED(q, EDNS_PADDING) && !q->is_transfer) {
		pad(w, record + EDNS_OPT_LEN - 2);
	}
	q->response.count[SECTION_ADDITIONAL]++;
}

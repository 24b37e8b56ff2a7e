/* server/query.c - reads a query, has it answered, writes header and OPT.
 *
 * RFC 1035 §4, RFC 6891 (EDNS), RFC 7873 (cookies), RFC 8906 (what to say to the unusual), RFC 9619 (one
 * question).
 *
 *     no whole header, or a response       -> silence
 *     UPDATE, NOTIFY, where they are taken -> left to others (server/update.c, outbound.c)
 *     transfers, and what has a TSIG       -> left to the worker's aide (server/worker.c), where there is one
 *     opcode other than QUERY              -> NOTIMP, header alone, and OPT
 *     no question, but a cookie            -> NOERROR or BADCOOKIE
 *     not one question, or no name in it   -> FORMERR, header alone
 *     malformed behind the question        -> FORMERR
 *     EDNS version above 0                 -> BADVERS
 *     class CH                             -> chaos.c
 *     types and classes that no zone has   -> FORMERR, NOTIMP, REFUSED
 *     else                                 -> answer.c
 *
 *     | header 12 | question as it came | answer | authority | additional | OPT if one came |
 *                                                                  room for it is kept ^ */
#include "server/query.h"

#include "server/answer.h"
#include "server/chaos.h"
#include "zones/base/epoch.h"
#include "zones/dns/soa.h"

struct query {
	struct message_header header;
	struct message_question question; /* name NULL: none was read */
	size_t end;			  /* of the question, in the message */
	struct edns edns;
	bool has_tsig;
	bool has_serial; /* of the zone that the client has (RFC 1995 §3) */
	uint32_t serial;
	bool is_silent; /* nothing is said to it */
	int err;	/* what is malformed, or E_OK */
};

/* A query of a batch on its way. */
struct query_slot {
	struct query query;
	bool is_begun; /* the lookup is */
	struct lookup lookup;
};

int query_ctx_new(struct query_ctx **out)
{
	struct query_ctx *ctx = mem_zalloc(sizeof(*ctx));
	ctx->slots = mem_array(QUERY_BATCH_MAX, sizeof(*ctx->slots));
	int err = crypto_siphash_new(&ctx->siphash);
	if (err != E_OK) {
		query_ctx_free(ctx);
		return err;
	}
	*out = ctx;
	return E_OK;
}

void query_ctx_free(struct query_ctx *ctx)
{
	if (ctx != NULL) {
		crypto_siphash_free(ctx->siphash);
		mem_free(ctx->slots);
		mem_free(ctx);
	}
}

/* --- reading --------------------------------------------------------------------------------- */

/* An OPT record: one, in the additional section, where it may stand anywhere (RFC 6891 §6.1.1). */
static int read_opt(const struct message_rr *rr, enum section section, struct query *query)
{
	if (section != SECTION_ADDITIONAL) {
		return E_INVAL;
	}
	if (query->edns.present) {
		query->edns.present = false; /* neither can be answered */
		return E_EXIST;
	}
	return edns_read(rr, &query->edns);
}

/* The SOA of an IXFR; its names may be compressed, and mean nothing. */
static void read_soa(const struct message_rr *rr, struct query *query)
{
	query->has_serial = rr->rdlen > SOA_NUMBERS_LEN;
	query->serial = soa_numbers_of(rr->rdata, rr->rdlen).serial;
}

/* The records behind the question: an OPT, a TSIG and the SOA of an IXFR mean something. */
static int read_records(struct reader *r, struct query *query)
{
	for (unsigned section = SECTION_ANSWER; section < SECTIONS; section++) {
		for (unsigned i = 0; i < query->header.count[section]; i++) {
			struct message_rr rr;
			int err = message_read_rr(r, &rr);
			if (err == E_OK && rr.type == RRTYPE_OPT) {
				err = read_opt(&rr, section, query);
			} else if (err == E_OK && rr.type == RRTYPE_TSIG) {
				query->has_tsig = true;
			} else if (err == E_OK && rr.type == RRTYPE_SOA &&
				   section == SECTION_AUTHORITY) {
				read_soa(&rr, query);
			}
			if (err != E_OK) {
				return err;
			}
		}
	}
	return reader_left(r) == 0 ? E_OK : E_TRAILING;
}

/* Question and records. E_*: malformed; what was read so far is in @query. */
static int read_sections(struct reader *r, struct query *query)
{
	unsigned questions = query->header.count[SECTION_QUESTION];
	if (questions == 0) {
		return read_records(r, query); /* for the OPT, which is answered */
	}
	if (questions != 1) {
		return E_INVAL;
	}
	struct message_question question;
	int err = message_read_question(r, &question);
	if (err != E_OK) {
		return err;
	}
	query->question = question;
	query->end = (size_t)(r->pos - r->start);
	return read_records(r, query);
}

static void read_query(const struct query_io *io, struct query *query)
{
	struct reader r = reader_of(io->in, io->in_len);
	query->question.name = NULL;
	query->end = MESSAGE_HEADER_LEN;
	query->edns.present = false;
	query->edns.flags = 0;
	query->has_tsig = query->has_serial = false;
	query->is_silent = message_read_header(&r, &query->header) != E_OK ||
			   (query->header.flags & MESSAGE_QR) != 0 || io->room < QUERY_ROOM_MIN;
	query->err = query->is_silent ? E_OK : read_sections(&r, query);
}

/* --- deciding -------------------------------------------------------------------------------- */

/* Types that are never looked up in a zone. Of the others from 128 to 255 nobody has data, and a proof of
 * that is a good answer. */
static const struct {
	uint16_t type;
	uint16_t rcode;
	enum edns_error error;
} not_data[] = {
	{ RRTYPE_NXNAME, RCODE_FORMERR, EDNS_ERROR_INVALID_TYPE }, /* RFC 9824 §3.5 */
	{ RRTYPE_OPT, RCODE_FORMERR, EDNS_ERROR_INVALID_TYPE },
	{ RRTYPE_TSIG, RCODE_FORMERR, EDNS_ERROR_INVALID_TYPE },
	{ RRTYPE_TKEY, RCODE_NOTIMP, EDNS_ERROR_NOT_SUPPORTED },
	{ RRTYPE_MAILA, RCODE_NOTIMP, EDNS_ERROR_NOT_SUPPORTED },
	{ RRTYPE_MAILB, RCODE_NOTIMP, EDNS_ERROR_NOT_SUPPORTED },
};

static bool is_transfer(const struct message_question *q)
{
	return q->type == RRTYPE_AXFR || q->type == RRTYPE_IXFR;
}

/* Whether the client gets the zone; then the response is begun, and others will end it. */
static uint16_t begin_transfer(struct query_ctx *ctx, const struct query *query)
{
	const struct message_question *q = &query->question;
	const struct query_transfers *t = ctx->env->transfers;
	const struct zone *zone = zoneset_get(ctx->env->zones, q->name);
	if (q->type == RRTYPE_AXFR && !ctx->env->is_tcp) {
		opt_explain(ctx, EDNS_ERROR_NOT_SUPPORTED, "AXFR is for TCP");
		return RCODE_NOTIMP; /* RFC 5936 §4.2 */
	}
	if (zone == NULL) {
		opt_explain(ctx, EDNS_ERROR_NOT_AUTHORITATIVE, NULL);
		return RCODE_NOTAUTH;
	}
	uint16_t rcode = t != NULL && q->class == RRCLASS_IN && ctx->client != NULL
				 ? t->ask(t->arg, zone, ctx->client)
				 : RCODE_REFUSED;
	const struct version *v = epoch_read(&zone->current);
	if (rcode == RCODE_REFUSED) {
		opt_explain(ctx, EDNS_ERROR_PROHIBITED, NULL);
	} else if (rcode != RCODE_NOERROR) {
		opt_explain(ctx, EDNS_ERROR_OTHER, "too many transfers");
	} else if (q->type == RRTYPE_IXFR && !query->has_serial) {
		rcode = RCODE_FORMERR;
	} else if (v == NULL || v->soa == NULL) {
		opt_explain(ctx, EDNS_ERROR_NOT_READY, "zone is not loaded");
		rcode = RCODE_SERVFAIL;
	} else {
		ctx->asked_zone = zone;
		ctx->asked_version = v;
		ctx->is_transfer = true;
	}
	return rcode;
}

/* A query without question asks for a cookie, or whether its cookie is good (RFC 7873 §5.4). */
static uint16_t only_cookie(const struct query_ctx *ctx)
{
	return ctx->opt.cookie == COOKIE_NONE  ? RCODE_FORMERR
	       : ctx->opt.cookie == COOKIE_BAD ? RCODE_BADCOOKIE
					       : RCODE_NOERROR;
}

/* What is said of questions that are not looked up anywhere; RCODE_NOERROR: look it up. */
static uint16_t refusal(struct query_ctx *ctx, const struct query *query)
{
	const struct message_question *q = &query->question;
	if (query->edns.present && query->edns.version > EDNS_VERSION) {
		return RCODE_BADVERS;
	}
	if (q->name == NULL) {
		return only_cookie(ctx);
	}
	for (unsigned i = 0; i < ARRAY_LEN(not_data) && rrtype_is_meta(q->type); i++) {
		if (not_data[i].type == q->type) {
			opt_explain(ctx, not_data[i].error, NULL);
			return not_data[i].rcode;
		}
	}
	if (q->class != RRCLASS_IN && q->class != RRCLASS_CH && q->class != RRCLASS_ANY) {
		opt_explain(ctx, EDNS_ERROR_NOT_SUPPORTED, NULL);
		return RCODE_REFUSED;
	}
	if (is_transfer(q)) {
		return begin_transfer(ctx, query);
	}
	return RCODE_NOERROR;
}

/* Octets of the response. */
static size_t response_limit(const struct query_ctx *ctx, const struct edns *edns, size_t room)
{
	const struct query_env *env = ctx->env;
	size_t limit = MESSAGE_MAX;
	if (!env->is_tcp) {
		limit = edns->present && edns->udp_size > MESSAGE_UDP_MIN ? edns->udp_size
									  : MESSAGE_UDP_MIN;
		limit = limit < env->config->udp_size ? limit : env->config->udp_size;
	}
	return (limit < room ? limit : room) - env->spare;
}

static void answer(struct query_ctx *ctx, struct query_slot *slot)
{
	const struct message_question *question = &slot->query.question;
	ctx->qtype = question->type;
	ctx->dnssec = (slot->query.edns.flags & EDNS_DO) != 0;
	ctx->at = &slot->lookup;
	ctx->names[0] = question->name;
	ctx->pointer = RESPONSE_QNAME;
	ctx->response.turn = ctx->env->config->rotate ? ctx->turn++ : 0;
	if (question->class == RRCLASS_CH) {
		chaos_answer(ctx);
		return;
	}
	if (!slot->is_begun) {
		lookup_begin(ctx->at, ctx->env->zones, question->name, question->type);
	}
	answer_query(ctx);
	if (question->class == RRCLASS_ANY) {
		ctx->is_authoritative = false; /* there may be other classes elsewhere */
	}
}

/* --- limiting -------------------------------------------------------------------------------- */

static enum rrl_kind kind_of(const struct query_ctx *ctx)
{
	if (ctx->rcode != RCODE_NOERROR) {
		return ctx->rcode == RCODE_NXDOMAIN ? RRL_NXDOMAIN : RRL_ERROR;
	}
	return ctx->end == END_REFERRAL	  ? RRL_REFERRAL
	       : ctx->end == END_NEGATIVE ? RRL_NODATA
					  : RRL_ANSWER;
}

/* Makes the response small where its client's network got too many. False: silence. */
static bool limit_rate(struct query_ctx *ctx)
{
	const struct query_env *env = ctx->env;
	if (env->rrl == NULL || env->is_tcp || ctx->client == NULL ||
	    ctx->opt.cookie == COOKIE_GOOD) {
		return true;
	}
	enum rrl_kind kind = kind_of(ctx);
	switch (rrl_check(env->rrl, &env->config->rrl, ctx->client, kind, env->now_ms)) {
	case RRL_SEND:
		return true;
	case RRL_DROP:
		return false;
	case RRL_SLIP:
		break;
	}
	if (kind == RRL_ERROR) {
		return true; /* small as it is */
	}
	response_reset(&ctx->response);
	ctx->is_authoritative = false;
	if (ctx->opt.cookie != COOKIE_NONE && ctx->opt.cookie != COOKIE_MALFORMED) {
		ctx->rcode = RCODE_BADCOOKIE; /* it can come back with ours (RFC 7873 §5.2.3) */
	} else {
		ctx->is_truncated = true;
	}
	return true;
}

/* --- writing --------------------------------------------------------------------------------- */

static size_t finish(struct query_ctx *ctx, const struct query *query)
{
	struct response *r = &ctx->response;
	struct message_header h = { .id = query->header.id };
	unsigned flags = query->header.flags & MESSAGE_OPCODE;
	if (message_opcode(query->header.flags) == OPCODE_QUERY) {
		flags |= query->header.flags & MESSAGE_RD; /* CD is cleared (RFC 4035 §3.1.6) */
	}
	flags |= MESSAGE_QR | (ctx->rcode & MESSAGE_RCODE);
	flags |= ctx->is_authoritative ? MESSAGE_AA : 0U;
	flags |= ctx->is_truncated ? MESSAGE_TC : 0U;
	if (ctx->opt.present) {
		opt_write(ctx, query->edns.flags);
	}
	h.flags = (uint16_t)flags;
	memcpy(h.count, r->count, sizeof(h.count));
	message_write_header(r->w.start, &h);
	return writer_len(&r->w);
}

static void begin(struct query_ctx *ctx)
{
	ctx->rcode = RCODE_NOERROR;
	ctx->is_authoritative = false;
	ctx->is_truncated = false;
	ctx->is_unprovable = false;
	ctx->hops = 0;
	ctx->end = END_POSITIVE;
	ctx->set_count = 0;
	ctx->proof_count = 0;
	ctx->dnssec = false;
	ctx->is_transfer = false;
	ctx->asked_version = NULL;
	ctx->opt.present = false;
	ctx->opt.asked = 0;
	ctx->opt.cookie = COOKIE_NONE;
	ctx->opt.has_error = false;
	ctx->opt.is_built = false;
	ctx->opt.kept = 0;
}

/* What the query asks of its answer; what is wrong with it. */
static uint16_t understand(struct query_ctx *ctx, struct query *query)
{
	uint16_t rcode = RCODE_NOERROR;
	if (query->edns.present) {
		rcode = opt_read(ctx, &query->edns);
	}
	if (message_opcode(query->header.flags) != OPCODE_QUERY) {
		/* All messages have sections, and an OPT is answered with one (RFC 6891 §6.1.1); but what stands
		 * where the question does is not ours to repeat. */
		query->question.name = NULL;
		query->end = MESSAGE_HEADER_LEN;
		opt_explain(ctx, EDNS_ERROR_NOT_SUPPORTED, NULL);
		return RCODE_NOTIMP;
	}
	if (query->err != E_OK || rcode != RCODE_NOERROR) {
		return RCODE_FORMERR;
	}
	return refusal(ctx, query);
}

/* Is it for the worker's aide? An AXFR over UDP is not: it gets no more than an error. */
static bool takes_long(const struct query_ctx *ctx, const struct query *query)
{
	const struct message_question *q = &query->question;
	return ctx->env->takes_long && query->err == E_OK &&
	       message_opcode(query->header.flags) == OPCODE_QUERY &&
	       (query->has_tsig || (q->name != NULL && is_transfer(q) &&
				    (ctx->env->is_tcp || q->type == RRTYPE_IXFR)));
}

static void hand_over_transfer(const struct query_ctx *ctx, const struct query *query, size_t limit,
			       struct query_io *io)
{
	io->transfer = (struct query_transfer){ .zone = ctx->asked_zone,
						.version = ctx->asked_version,
						.is_incremental = ctx->qtype == RRTYPE_IXFR,
						.serial = query->serial,
						.question = query->end,
						.limit = limit };
}

static void answer_slot(struct query_ctx *ctx, struct query_slot *slot, struct query_io *io)
{
	struct query *query = &slot->query;
	io->out_len = 0;
	io->is_taken = false;
	io->is_elsewhere = false;
	io->transfer.zone = NULL;
	if (query->is_silent) {
		return;
	}
	if ((ctx->env->taken >> message_opcode(query->header.flags) & 1) != 0) {
		io->is_taken = true;
		return;
	}
	if (takes_long(ctx, query)) {
		io->is_elsewhere = true;
		return;
	}
	ctx->client = io->client;
	begin(ctx);
	ctx->rcode = understand(ctx, query);
	memcpy(io->out + MESSAGE_HEADER_LEN, io->in + MESSAGE_HEADER_LEN,
	       query->end - MESSAGE_HEADER_LEN);
	const size_t limit = response_limit(ctx, &query->edns, io->room);
	response_begin(&ctx->response, io->out, query->end, limit - opt_needed(ctx));
	if (ctx->is_transfer) {
		ctx->names[0] = query->question.name;
		ctx->qtype = query->question.type;
		ctx->is_authoritative = true;
	} else if (ctx->rcode == RCODE_NOERROR && query->question.name != NULL) {
		answer(ctx, slot);
	}
	if (!limit_rate(ctx)) {
		return;
	}
	io->out_len = finish(ctx, query);
	if (ctx->is_transfer && ctx->rcode == RCODE_NOERROR && !ctx->is_truncated) {
		hand_over_transfer(ctx, query, limit, io);
	}
}

/* --- looking ahead --------------------------------------------------------------------------- */

/* Will the question be looked up in a zone, as far as one can see? */
static bool is_for_zone(const struct query *query)
{
	const struct message_question *q = &query->question;
	return !query->is_silent && query->err == E_OK && q->name != NULL &&
	       q->class == RRCLASS_IN && message_opcode(query->header.flags) == OPCODE_QUERY;
}

/* Has what the answers will read fetched, for all queries together. One alone has nothing to overlap with. */
static void look_ahead(struct query_ctx *ctx, unsigned count)
{
	ahead_clear(&ctx->ahead);
	ctx->hashes.count = 0;
	ctx->hashes.shared = 0;
	for (unsigned i = 0; i < count; i++) {
		struct query_slot *s = &ctx->slots[i];
		if (is_for_zone(&s->query)) {
			lookup_begin(&s->lookup, ctx->env->zones, s->query.question.name,
				     s->query.question.type);
			s->is_begun = true;
			const struct tree *t = lookup_tree(&s->lookup);
			if (t != NULL) {
				ahead_add(&ctx->ahead, tree_probe_of(t, &s->lookup.key));
			}
		}
	}
	ahead_go(&ctx->ahead);
	for (unsigned i = 0; i < count; i++) {
		struct query_slot *s = &ctx->slots[i];
		if (s->is_begun && lookup_find(&s->lookup) == LOOKUP_FOUND) {
			answer_foresee(ctx, &s->lookup, (s->query.edns.flags & EDNS_DO) != 0);
		}
	}
	ahead_go(&ctx->ahead);
	denial_foresee_records(ctx);
}

void query_answer(struct query_ctx *ctx, const struct query_env *env, struct query_io *io,
		  unsigned count)
{
	ctx->env = env;
	for (unsigned i = 0; i < count; i++) {
		read_query(&io[i], &ctx->slots[i].query);
		ctx->slots[i].is_begun = false;
	}
	if (count > 1) {
		look_ahead(ctx, count);
	}
	for (unsigned i = 0; i < count; i++) {
		answer_slot(ctx, &ctx->slots[i], &io[i]);
	}
}

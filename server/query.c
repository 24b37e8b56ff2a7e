/* server/query.c - reads a query, has it answered, writes header and OPT.
 *
 * RFC 1035 §4, RFC 6891 (EDNS), RFC 8906 (what to say to the unusual), RFC 9619 (one question). */
#include "server/query.h"

#include <string.h>

#include "server/answer.h"
#include "zones/base/epoch.h"

#define EDNS_DO 0x8000

struct edns {
	bool present;
	uint8_t version;
	uint16_t size;
	bool dnssec;
};

struct query {
	uint16_t flags; /* of the query's header */
	uint16_t qtype, qclass;
	size_t question_len; /* octets behind the header */
	struct edns edns;
};

int query_ctx_new(struct query_ctx **out)
{
	struct query_ctx *ctx = mem_zalloc(sizeof(*ctx));
	int err = crypto_hasher_new(CRYPTO_SHA1, &ctx->sha1);
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
		crypto_hasher_free(ctx->sha1);
		mem_free(ctx);
	}
}

/* --- reading --------------------------------------------------------------------------------- */

/* The OPT record at the reader, behind owner and type. */
static int read_opt(struct reader *r, const struct dname *owner, struct edns *e)
{
	if (e->present || owner->len != 1) {
		return E_INVAL; /* one, with the root as owner (RFC 6891 §6.1.1) */
	}
	e->present = true;
	e->size = reader_u16(r);
	(void)reader_u8(r); /* extended rcode */
	e->version = reader_u8(r);
	e->dnssec = (reader_u16(r) & EDNS_DO) != 0;
	struct reader options = *r;
	size_t len = reader_u16(&options);
	const uint8_t *data = reader_bytes(&options, len);
	if (data == NULL) {
		return E_TRUNC;
	}
	r->pos = options.pos;
	options = reader_of(data, len);
	while (options.err == E_OK && reader_left(&options) != 0) {
		(void)reader_u16(&options); /* codes that are not known are passed over */
		(void)reader_bytes(&options, reader_u16(&options));
	}
	return options.err;
}

/* The records behind the question: only an OPT in the additional section means anything. */
static int read_records(struct reader *r, unsigned before, unsigned additional, struct edns *e)
{
	for (unsigned i = 0; i < before + additional && r->err == E_OK; i++) {
		struct dname owner;
		if (dname_read_compressed(r, &owner) != E_OK) {
			break;
		}
		uint16_t type = reader_u16(r);
		if (type == RRTYPE_OPT) {
			if (i < before || read_opt(r, &owner, e) != E_OK) {
				return E_INVAL;
			}
			continue;
		}
		(void)reader_bytes(r, 6); /* class and TTL */
		(void)reader_bytes(r, reader_u16(r));
	}
	if (r->err == E_OK && reader_left(r) != 0) {
		return E_TRAILING;
	}
	return r->err;
}

/* Reads all of it. E_*: the query is malformed; what was read so far is in @query. */
static int read_query(struct query_ctx *ctx, const uint8_t *in, size_t len, struct query *query)
{
	struct reader r = reader_of(in, len);
	(void)reader_u16(&r); /* id */
	query->flags = reader_u16(&r);
	unsigned questions = reader_u16(&r);
	unsigned before = reader_u16(&r);
	before += reader_u16(&r);
	unsigned additional = reader_u16(&r);
	if (questions != 1) {
		return E_INVAL;
	}
	const uint8_t *qname = dname_read(&r);
	query->qtype = reader_u16(&r);
	query->qclass = reader_u16(&r);
	if (qname == NULL || r.err != E_OK) {
		return E_TRUNC;
	}
	query->question_len = (size_t)(r.pos - in) - HEADER_LEN;
	dname_copy(ctx->qname, qname);
	return read_records(&r, before, additional, &query->edns);
}

/* --- writing --------------------------------------------------------------------------------- */

static void write_header(const struct query_ctx *ctx, const struct query *query, uint8_t *out,
			 const uint8_t *in)
{
	unsigned flags = HEADER_QR | (query->flags & (0x7800 | HEADER_RD | HEADER_CD));
	if (ctx->authoritative) {
		flags |= HEADER_AA;
	}
	if (ctx->truncated) {
		flags |= HEADER_TC;
	}
	memcpy(out, in, 2);
	be16_put(out + 2, (uint16_t)(flags | (ctx->rcode & 15U)));
	be16_put(out + 4, query->question_len != 0);
	for (unsigned i = 0; i < 3; i++) {
		be16_put(out + 6 + 2 * i, ctx->response.count[i]);
	}
}

static size_t write_opt(const struct query_ctx *ctx, const struct query *query, uint8_t *out,
			size_t at)
{
	if (!query->edns.present) {
		return at;
	}
	uint8_t *p = out + at;
	p[0] = 0;
	be16_put(p + 1, RRTYPE_OPT);
	be16_put(p + 3, ctx->env->udp_size);
	p[5] = (uint8_t)(ctx->rcode >> 4);
	p[6] = 0; /* our version */
	be16_put(p + 7, query->edns.dnssec ? EDNS_DO : 0);
	be16_put(p + 9, 0);
	be16_put(out + 10, (uint16_t)(ctx->response.count[SECTION_ADDITIONAL] + 1));
	return at + OPT_LEN;
}

/* --- deciding -------------------------------------------------------------------------------- */

/* The version to answer from, or NULL with the rcode set. */
static const struct version *find_version(struct query_ctx *ctx)
{
	const struct zoneset *zones = ctx->env->zones;
	const struct zone *z = NULL;
	if (ctx->qtype == RRTYPE_DS) { /* the parent's data (RFC 4035 §3.1.4.1) */
		z = zoneset_find(zones, &ctx->key, ctx->name, true);
		const struct version *v = z != NULL ? epoch_read(&z->current) : NULL;
		const struct zone *child = zoneset_get(zones, ctx->name);
		if (v != NULL && child != NULL) {
			/* Where the parent delegates above the child, the child is all we know. */
			const struct node *cut = NULL;
			if (version_is_occluded(v, ctx->name, &cut) || cut == NULL) {
				z = NULL;
			}
		}
	}
	if (z == NULL) {
		z = zoneset_find(zones, &ctx->key, ctx->name, false);
	}
	if (z == NULL) {
		ctx->rcode = RCODE_REFUSED;
		return NULL;
	}
	const struct version *v = epoch_read(&z->current);
	if (v == NULL) {
		ctx->rcode = RCODE_SERVFAIL;
	}
	return v;
}

/* Questions that are not looked up in any zone. */
static bool is_refused(struct query_ctx *ctx, const struct query *query)
{
	if (query->edns.present && query->edns.version != 0) {
		ctx->rcode = RCODE_BADVERS;
		return true;
	}
	switch (query->qtype) {
	case RRTYPE_AXFR:
	case RRTYPE_IXFR:
		ctx->rcode = RCODE_REFUSED; /* nobody may, by default */
		return true;
	case RRTYPE_MAILA:
	case RRTYPE_MAILB:
	case RRTYPE_TKEY:
		ctx->rcode = RCODE_NOTIMP;
		return true;
	case 0:
	case RRTYPE_OPT:
	case RRTYPE_TSIG:
		ctx->rcode = RCODE_FORMERR;
		return true;
	default:
		break;
	}
	if (query->qclass != RRCLASS_IN && query->qclass != RRCLASS_ANY) {
		ctx->rcode = RCODE_REFUSED;
		return true;
	}
	return false;
}

static size_t response_limit(const struct query_env *env, const struct query *query, size_t room)
{
	size_t limit = 65535;
	if (!env->is_tcp) {
		limit = 512;
		if (query->edns.present) {
			limit = query->edns.size > 512 ? query->edns.size : 512;
			limit = limit < env->udp_size ? limit : env->udp_size;
		}
	}
	limit = limit < room ? limit : room;
	return query->edns.present ? limit - OPT_LEN : limit;
}

size_t query_answer(struct query_ctx *ctx, const struct query_env *env, const uint8_t *in,
		    size_t in_len, uint8_t *out, size_t room)
{
	struct query query = { 0 };
	if (in_len < HEADER_LEN || (in[2] & 0x80) != 0 || room < QUERY_ROOM_MIN) {
		return 0;
	}
	ctx->env = env;
	ctx->rcode = RCODE_NOERROR;
	ctx->authoritative = false;
	ctx->truncated = false;
	ctx->set_count = 0;
	memset(ctx->response.count, 0, sizeof(ctx->response.count));
	if (HEADER_OPCODE(be16_get(in + 2)) != 0) {
		query.flags = be16_get(in + 2);
		ctx->rcode = RCODE_NOTIMP;
		write_header(ctx, &query, out, in);
		return HEADER_LEN;
	}
	int err = read_query(ctx, in, in_len, &query);
	size_t at = HEADER_LEN + query.question_len;
	memcpy(out + HEADER_LEN, in + HEADER_LEN, query.question_len);
	ctx->qtype = query.qtype;
	ctx->dnssec = query.edns.present && query.edns.dnssec;
	if (err != E_OK) {
		ctx->rcode = RCODE_FORMERR;
	} else if (!is_refused(ctx, &query)) {
		ctx->name = ctx->qname;
		ctx->pointer = RESPONSE_QNAME;
		dname_key_make(&ctx->key, ctx->name);
		response_begin(&ctx->response, out, at, response_limit(env, &query, room));
		const struct version *v = find_version(ctx);
		if (v != NULL) {
			answer_query(ctx, v);
			if (ctx->truncated && ctx->response.count[SECTION_ADDITIONAL] == 0 &&
			    ctx->authoritative) {
				response_reset(&ctx->response);
			}
			at = ctx->response.len;
		}
	}
	write_header(ctx, &query, out, in);
	return write_opt(ctx, &query, out, at);
}

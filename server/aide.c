/* server/aide.c - what a worker leaves to its aide. */
#include "server/aide.h"

#include <string.h>

#include "zones/base/log.h"
#include "zones/base/mem.h"

struct aide {
	struct query_ctx *ctx;
	struct tsig_ring *ring; /* of the keys of the last configuration; NULL: none yet */
	uint64_t generation;
	uint8_t bare[MESSAGE_MAX]; /* a message without its TSIG */
};

struct aide *aide_new(struct query_ctx *ctx)
{
	struct aide *a = mem_zalloc(sizeof(*a));
	a->ctx = ctx;
	return a;
}

void aide_free(struct aide *a)
{
	if (a != NULL) {
		tsig_ring_free(a->ring);
		mem_free(a);
	}
}

static int renew_ring(struct aide *a, const struct aide_serving *s)
{
	if (a->ring != NULL && a->generation == s->generation) {
		return E_OK;
	}
	tsig_ring_free(a->ring);
	a->ring = NULL;
	a->generation = s->generation;
	return tsig_ring_new(s->config->tsig_keys, s->config->tsig_key_count, &a->ring);
}

/* --- who may have zones ---------------------------------------------------------------------- */

/* Who asks. */
struct asker {
	const struct aide_serving *serving;
	const struct tsig_key *key; /* that the query is signed with; NULL: none */
	struct dname_list names;    /* in its certificate */
	bool bars_zones;
	bool is_busy;
	bool is_put_off;
};

static uint16_t ask(void *arg, const struct zone *zone, const struct address_ip *client)
{
	struct asker *a = arg;
	const struct config *config = a->serving->config;
	const struct config_zone *c = config_find_zone(config, zone->apex);
	const struct acl_client who = { .ip = client, .key = a->key, .names = a->names };
	const struct xfr_desk_limits limits = { config->server.transfers_out,
						config->server.transfers_out_per_address };
	if (a->bars_zones || c == NULL || !acl_allows(c->transferrers, &who)) {
		return RCODE_REFUSED;
	}
	a->is_put_off = a->is_busy;
	return a->is_busy || !xfr_desk_has_room(a->serving->desk, &limits, client) ? RCODE_SERVFAIL
										   : RCODE_NOERROR;
}

/* --- answers --------------------------------------------------------------------------------- */

/* Who answers a response goes on for ever with the next who does. */
static bool is_to_be_answered(const struct query_io *io)
{
	struct reader r = reader_of(io->in, io->in_len);
	struct message_header h;
	return message_read_header(&r, &h) == E_OK && (h.flags & MESSAGE_QR) == 0;
}

/* A header alone, or with the question of the query, where it has one that can be read. */
static size_t error_response(const struct query_io *io, uint16_t rcode)
{
	struct reader r = reader_of(io->in, io->in_len);
	struct message_header h;
	struct message_question q;
	size_t len = MESSAGE_HEADER_LEN;
	if (message_read_header(&r, &h) != E_OK) {
		return 0;
	}
	const bool has_question =
		h.count[SECTION_QUESTION] == 1 && message_read_question(&r, &q) == E_OK;
	if (has_question) {
		len = (size_t)(r.pos - r.start);
		memcpy(io->out, io->in, len);
	}
	h.flags = (uint16_t)(MESSAGE_QR | (h.flags & (MESSAGE_OPCODE | MESSAGE_RD)) |
			     (rcode & MESSAGE_RCODE));
	memset(h.count, 0, sizeof(h.count));
	h.count[SECTION_QUESTION] = has_question;
	message_write_header(io->out, &h);
	return len;
}

/* The message up to its TSIG, which is counted no more. */
static void strip(struct aide *a, struct query_io *io, size_t len)
{
	memcpy(a->bare, io->in, len);
	be16_put(a->bare + 10, (uint16_t)(be16_get(a->bare + 10) - 1));
	io->in = a->bare;
	io->in_len = len;
}

static void sign(struct tsig_exchange *x, struct query_io *io, int64_t now)
{
	if (io->out_len != 0 &&
	    tsig_sign(x, io->out, &io->out_len, io->room, (uint64_t)now) != E_OK) {
		io->out_len = 0;
	}
}

static enum aide_answer begin_transfer(const struct aide_serving *s, const struct query_env *env,
				       const struct tsig_exchange *x, const struct query_io *query,
				       struct query_io *io, struct xfr_out **out)
{
	const struct xfr_start start = { .desk = s->desk,
					 .journal = s->journal,
					 .wanted = &io->transfer,
					 .response = io->out,
					 .response_len = io->out_len,
					 .client = io->client,
					 .is_datagram = !env->is_tcp,
					 .query = query->in,
					 .query_len = query->in_len,
					 .key = x->key,
					 .now = env->now };
	io->out_len = 0;
	return xfr_out_new(&start, out) == E_OK ? AIDE_TRANSFER : AIDE_ANSWERED;
}

enum aide_answer aide_answer(struct aide *a, const struct aide_serving *s,
			     const struct query_env *env, struct query_io *io, bool is_busy,
			     struct xfr_out **transfer)
{
	const struct query_io query = *io;
	struct tsig_exchange x;
	struct asker asker = {
		.serving = s, .names = env->names, .bars_zones = env->bars_zones, .is_busy = is_busy
	};
	const struct query_transfers transfers = { ask, &asker };
	struct query_env mine = *env;
	size_t len = io->in_len;
	io->out_len = 0;
	if (!is_to_be_answered(io)) {
		return AIDE_ANSWERED;
	}
	int err = renew_ring(a, s);
	if (err == E_OK) {
		err = tsig_verify(a->ring, io->in, io->in_len, (uint64_t)env->now, &x, &len);
	}
	if (err != E_OK) {
		log_error("query-failed", "reason=\"TSIG keys cannot be used\"");
		return AIDE_ANSWERED;
	}
	if (x.rcode != RCODE_NOERROR) {
		io->out_len = error_response(io, x.rcode);
		sign(&x, io, env->now);
		return AIDE_ANSWERED;
	}
	if (x.is_present) {
		strip(a, io, len);
	}
	asker.key = x.key;
	mine.transfers = &transfers;
	mine.spare = tsig_needed(&x);
	query_answer(a->ctx, &mine, io, 1);
	if (io->is_taken) {
		io->in = query.in;
		io->in_len = query.in_len;
		return AIDE_TAKEN;
	}
	if (asker.is_put_off) {
		return AIDE_LATER;
	}
	if (io->transfer.zone != NULL) {
		return begin_transfer(s, env, &x, &query, io, transfer);
	}
	sign(&x, io, env->now);
	return AIDE_ANSWERED;
}

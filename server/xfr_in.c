/* server/xfr_in.c - a zone transfer as it comes in. */
#include "server/xfr_in.h"

#include "zones/base/mem.h"
#include "zones/dns/edns.h"
#include "zones/dns/rdata.h"
#include "zones/dns/serial.h"
#include "zones/dns/soa.h"

/* Larger TTLs are taken for 0 (RFC 2181 §8). */
#define TTL_MAX 0x7fffffffU
/* Differences of one response. A primary that has more history sends all of the zone. */
#define CHANGES_MAX 100000

/* What comes next. */
enum state {
	FIRST,	 /* the SOA with the serial of the primary */
	SECOND,	 /* a SOA: differences follow; or not: all of the zone */
	WHOLE,	 /* records until the SOA comes again */
	REMOVED, /* of a difference, until the SOA it leads to */
	ADDED,	 /* until the SOA of the next difference, or the last */
	END,
};

struct xfr_in {
	struct xfr_in_wish wish;
	struct dname apex;
	uint16_t id;
	enum state state;
	uint32_t at;	   /* the serial that the differences so far lead to */
	struct edit *edit; /* WHOLE */
	size_t change_cap;
	struct xfr_in_result result;
	uint8_t soa[SOA_RDATA_MAX]; /* the first */
	uint16_t soa_len;
	uint32_t soa_ttl;
	uint8_t rdata[RDATA_ROOM];
};

struct xfr_in *xfr_in_new(const struct xfr_in_wish *wish)
{
	struct xfr_in *x = mem_zalloc(sizeof(*x));
	x->wish = *wish;
	dname_set(&x->apex, wish->apex);
	x->wish.apex = x->apex.wire;
	x->at = wish->serial;
	return x;
}

void xfr_in_changes_free(struct diff *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		diff_clear(&changes[i]);
	}
	mem_free(changes);
}

void xfr_in_free(struct xfr_in *x)
{
	if (x != NULL) {
		edit_abort(x->edit);
		version_unref(x->result.whole);
		if (x->result.changes != NULL) {
			xfr_in_changes_free(x->result.changes, x->result.change_count);
		}
		mem_free(x);
	}
}

struct xfr_in_result *xfr_in_result(struct xfr_in *x)
{
	return &x->result;
}

/* --- the query ------------------------------------------------------------------------------- */

/* The serial is all that is looked at (RFC 1995 §3). */
static void write_soa(const struct xfr_in *x, struct writer *w)
{
	static const uint8_t rest[SOA_NUMBERS_LEN - 4];
	writer_u16(w, MESSAGE_POINTER | MESSAGE_HEADER_LEN);
	writer_u16(w, RRTYPE_SOA);
	writer_u16(w, RRCLASS_IN);
	writer_u32(w, 0);
	writer_u16(w, 2 + SOA_NUMBERS_LEN);
	writer_u16(w, 0); /* the root, twice */
	writer_u32(w, x->wish.serial);
	writer_bytes(w, rest, sizeof(rest));
}

/* An empty EXPIRE asks for it. */
static void write_opt(struct writer *w)
{
	static const uint8_t expire[EDNS_OPTION_FIXED] = { 0, EDNS_EXPIRE };
	const struct edns opt = { .udp_size = MESSAGE_MAX,
				  .options = expire,
				  .options_len = sizeof(expire) };
	edns_write(w, &opt);
}

void xfr_in_query(struct xfr_in *x, uint16_t id, struct writer *w)
{
	struct message_header h = { .id = id };
	uint8_t *header = writer_room(w, MESSAGE_HEADER_LEN);
	x->id = id;
	if (header == NULL) {
		return;
	}
	h.count[SECTION_QUESTION] = 1;
	h.count[SECTION_AUTHORITY] = x->wish.is_incremental ? 1 : 0;
	h.count[SECTION_ADDITIONAL] = x->wish.asks_expire ? 1 : 0;
	message_write_header(header, &h);
	writer_bytes(w, x->apex.wire, x->apex.len);
	writer_u16(w, x->wish.is_incremental ? RRTYPE_IXFR : RRTYPE_AXFR);
	writer_u16(w, RRCLASS_IN);
	if (x->wish.is_incremental) {
		write_soa(x, w);
	}
	if (x->wish.asks_expire) {
		write_opt(w);
	}
}

/* --- records --------------------------------------------------------------------------------- */

static struct diff *new_change(struct xfr_in *x)
{
	struct xfr_in_result *r = &x->result;
	if (r->change_count == x->change_cap) {
		x->change_cap = x->change_cap != 0 ? x->change_cap * 2 : 4;
		r->changes = mem_realloc(r->changes, x->change_cap, sizeof(*r->changes));
	}
	r->changes[r->change_count] = (struct diff){ 0 };
	return &r->changes[r->change_count++];
}

static uint32_t serial_of(const struct diff_rr *rr)
{
	return soa_numbers_of(rr->rdata, rr->rdlen).serial;
}

static int add_to_zone(struct xfr_in *x, const struct diff_rr *rr, struct errmsg *em)
{
	int err = edit_add(x->edit, rr->owner, rr->type, rr->ttl, rr->rdata, rr->rdlen);
	return err == E_OK ? E_OK : err_set(em, err, "a record cannot be taken: %s", err_text(err));
}

static int first(struct xfr_in *x, const struct diff_rr *rr, struct errmsg *em)
{
	if (rr->type != RRTYPE_SOA) {
		return err_set(em, E_MISMATCH, "does not begin with a SOA record");
	}
	memcpy(x->soa, rr->rdata, rr->rdlen);
	x->soa_len = rr->rdlen;
	x->soa_ttl = rr->ttl;
	x->result.serial = serial_of(rr);
	x->state = SECOND;
	if (x->wish.has_serial && !serial_is_newer(x->result.serial, x->wish.serial)) {
		x->result.kind = XFR_CURRENT;
		x->state = END;
	}
	return E_OK;
}

/* What is removed by a difference from the serial of @rr on, which is in it. */
static int begin_change(struct xfr_in *x, const struct diff_rr *rr, struct errmsg *em)
{
	if (serial_of(rr) != x->at) {
		return err_set(em, E_MISMATCH, "a difference begins at serial %u, not %u",
			       serial_of(rr), x->at);
	}
	if (x->result.change_count == CHANGES_MAX) {
		return err_set(em, E_LIMIT, "more than %d differences", CHANGES_MAX);
	}
	diff_add_record(new_change(x), true, rr);
	x->state = REMOVED;
	return E_OK;
}

static int second(struct xfr_in *x, const struct diff_rr *rr, struct errmsg *em)
{
	const struct diff_rr soa = { .owner = x->apex.wire,
				     .type = RRTYPE_SOA,
				     .rdlen = x->soa_len,
				     .ttl = x->soa_ttl,
				     .rdata = x->soa };
	/* Of a zone without other records the second SOA is the last. */
	if (x->wish.is_incremental && rr->type == RRTYPE_SOA && serial_of(rr) != x->result.serial) {
		x->result.kind = XFR_CHANGES;
		return begin_change(x, rr, em);
	}
	x->result.kind = XFR_WHOLE;
	x->edit = edit_begin(NULL, x->apex.wire, EDIT_TTL_LEAST);
	x->state = WHOLE;
	return add_to_zone(x, &soa, em);
}

static int finish_whole(struct xfr_in *x, struct errmsg *em)
{
	int err = edit_error(x->edit, em);
	if (err == E_OK) {
		x->result.whole = edit_commit(x->edit);
		x->edit = NULL;
		x->state = END;
	}
	return err;
}

static int whole(struct xfr_in *x, const struct diff_rr *rr, struct errmsg *em)
{
	if (rr->type != RRTYPE_SOA) {
		return add_to_zone(x, rr, em);
	}
	if (serial_of(rr) != x->result.serial) {
		return err_set(em, E_MISMATCH, "begins with serial %u and ends with %u",
			       x->result.serial, serial_of(rr));
	}
	return finish_whole(x, em);
}

/* A SOA ends each part of a difference; the one with the serial of the primary ends all. */
static int change(struct xfr_in *x, const struct diff_rr *rr, struct errmsg *em)
{
	struct diff *d = &x->result.changes[x->result.change_count - 1];
	if (rr->type != RRTYPE_SOA) {
		diff_add_record(d, x->state == REMOVED, rr);
		return E_OK;
	}
	if (x->state == REMOVED) {
		if (!serial_is_newer(serial_of(rr), x->at)) {
			return err_set(em, E_MISMATCH, "a difference leads from serial %u to %u",
				       x->at, serial_of(rr));
		}
		x->at = serial_of(rr);
		diff_add_record(d, false, rr);
		x->state = ADDED;
		return E_OK;
	}
	if (serial_of(rr) == x->result.serial && x->at == x->result.serial) {
		x->state = END;
		return E_OK;
	}
	return begin_change(x, rr, em);
}

static int take_record(struct xfr_in *x, const struct diff_rr *rr, struct errmsg *em)
{
	if (x->state == SECOND) {
		int err = second(x, rr, em);
		/* The record itself is one of the zone, or its last. */
		return err == E_OK && x->state == WHOLE ? whole(x, rr, em) : err;
	}
	switch (x->state) {
	case FIRST:
		return first(x, rr, em);
	case WHOLE:
		return whole(x, rr, em);
	case REMOVED:
	case ADDED:
		return change(x, rr, em);
	default:
		return x->result.kind == XFR_CURRENT
			       ? E_OK /* all of the zone, though we have it */
			       : err_set(em, E_TRAILING, "there are records behind its end");
	}
}

/* --- messages -------------------------------------------------------------------------------- */

/* Reads and checks a record of the answer. The rdata goes to x->rdata. */
static int read_record(struct xfr_in *x, struct reader *r, struct message_rr *rr,
		       struct diff_rr *out, struct errmsg *em)
{
	char name[DNAME_TEXT_MAX];
	char type[RRTYPE_TEXT_MAX];
	int err = message_read_rr(r, rr);
	if (err != E_OK) {
		return err_set(em, err, "a message is malformed: %s", err_text(err));
	}
	(void)dname_to_text(rr->owner.wire, name);
	(void)rrtype_to_text(rr->type, type);
	if (rr->class != RRCLASS_IN || rrtype_is_meta(rr->type)) {
		return err_set(em, E_INVAL, "%s %s cannot be in a zone", name, type);
	}
	if (!dname_is_under(rr->owner.wire, x->apex.wire) ||
	    (rr->type == RRTYPE_SOA && rr->owner.len != x->apex.len)) {
		return err_set(em, E_NOTZONE, "%s %s is not of this zone", name, type);
	}
	uint16_t len;
	err = rdata_of_message_rr(r, rr, x->rdata, &len);
	if (err != E_OK) {
		return err_set(em, err, "%s %s is malformed: %s", name, type, err_text(err));
	}
	*out = (struct diff_rr){ .owner = rr->owner.wire,
				 .type = rr->type,
				 .rdlen = len,
				 .ttl = rr->ttl > TTL_MAX ? 0 : rr->ttl,
				 .rdata = x->rdata };
	return E_OK;
}

static int read_answers(struct xfr_in *x, struct reader *r, unsigned count, struct errmsg *em)
{
	struct message_rr rr;
	struct diff_rr record;
	int err = E_OK;
	for (unsigned i = 0; i < count && err == E_OK; i++) {
		if (++x->result.records > x->wish.max_records) {
			return err_set(em, E_LIMIT, "more than %llu records",
				       (unsigned long long)x->wish.max_records);
		}
		err = read_record(x, r, &rr, &record, em);
		if (err == E_OK) {
			err = take_record(x, &record, em);
		}
	}
	return err;
}

/* Only an OPT with EXPIRE means anything, and that may be missing. */
static void read_rest(struct xfr_in *x, struct reader *r, unsigned count)
{
	struct message_rr rr;
	struct edns edns;
	struct edns_option o;
	while (count-- != 0 && message_read_rr(r, &rr) == E_OK) {
		if (rr.type != RRTYPE_OPT || edns_read(&rr, &edns) != E_OK) {
			continue;
		}
		struct reader options = reader_of(edns.options, edns.options_len);
		while (edns_next_option(&options, &o)) {
			if (o.code == EDNS_EXPIRE && o.len == 4) {
				x->result.has_expire = true;
				x->result.expire = be32_get(o.data);
			}
		}
	}
}

static int check_rcode(unsigned rcode, struct errmsg *em)
{
	switch (rcode) {
	case RCODE_NOERROR:
		return E_OK;
	case RCODE_FORMERR:
	case RCODE_NOTIMP:
		return err_set(em, E_UNSUPPORTED, "answers %s",
			       rcode == RCODE_FORMERR ? "FORMERR" : "NOTIMP");
	case RCODE_REFUSED:
	case RCODE_NOTAUTH:
		return err_set(em, E_PERM,
			       "answers %s; is the transfer allowed there, by the same key?",
			       rcode == RCODE_REFUSED ? "REFUSED" : "NOTAUTH");
	case RCODE_SERVFAIL:
		return err_set(em, E_NOENT, "answers SERVFAIL; is the zone loaded there?");
	default:
		return err_set(em, E_NOENT, "answers rcode %u", rcode);
	}
}

static int check_header(const struct xfr_in *x, const struct message_header *h, struct errmsg *em)
{
	if (h->id != x->id || (h->flags & MESSAGE_QR) == 0 ||
	    message_opcode(h->flags) != OPCODE_QUERY || h->count[SECTION_QUESTION] > 1) {
		return err_set(em, E_MISMATCH, "sends a message that is no answer to the query");
	}
	int err = check_rcode(h->flags & MESSAGE_RCODE, em);
	if (err == E_OK && (h->flags & MESSAGE_TC) != 0) {
		err = err_set(em, E_INVAL, "sends a truncated message");
	}
	if (err == E_OK && x->result.messages == 0 && h->count[SECTION_ANSWER] == 0) {
		err = err_set(em, E_NOENT, "answers without a record; is the zone there?");
	}
	return err;
}

static int check_question(const struct xfr_in *x, const struct message_question *q,
			  struct errmsg *em)
{
	const uint16_t type = x->wish.is_incremental ? RRTYPE_IXFR : RRTYPE_AXFR;
	return q->type == type && q->class == RRCLASS_IN && dname_equal(q->name, x->apex.wire)
		       ? E_OK
		       : err_set(em, E_MISMATCH, "answers another question");
}

int xfr_in_message(struct xfr_in *x, const uint8_t *message, size_t len, struct errmsg *em)
{
	struct reader r = reader_of(message, len);
	struct message_header h;
	struct message_question q;
	x->result.octets += len;
	if (x->result.octets > x->wish.max_octets) {
		return err_set(em, E_LIMIT, "more than %llu octets",
			       (unsigned long long)x->wish.max_octets);
	}
	int err = message_read_header(&r, &h);
	if (err != E_OK) {
		return err_set(em, err, "sends a message without header");
	}
	err = check_header(x, &h, em);
	if (err == E_OK && h.count[SECTION_QUESTION] != 0) {
		err = message_read_question(&r, &q);
		err = err == E_OK ? check_question(x, &q, em)
				  : err_set(em, err, "sends a malformed question");
	}
	if (err == E_OK) {
		err = read_answers(x, &r, h.count[SECTION_ANSWER], em);
	}
	if (err != E_OK) {
		return err;
	}
	read_rest(x, &r, (unsigned)h.count[SECTION_AUTHORITY] + h.count[SECTION_ADDITIONAL]);
	x->result.messages++;
	return x->state == END ? E_OK : E_AGAIN;
}

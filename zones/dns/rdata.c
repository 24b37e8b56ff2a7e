/* zones/dns/rdata.c - rdata as a whole: walks the fields of a type. */
#include "zones/dns/rdata.h"

#include <string.h>

#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/dns/dname.h"
#include "zones/dns/rdata_kinds.h"

int rdata_check(uint16_t type, const uint8_t *rdata, size_t len)
{
	if (len > RDATA_MAX) {
		return E_LIMIT;
	}
	const struct rrtype_info *info = rrtype_info(type);
	if (info == NULL) {
		return E_OK;
	}
	struct reader r = reader_of(rdata, len);
	for (const struct rdata_field *f = info->fields; f->kind != FIELD_END; f++) {
		field_ops[f->kind].skip(&r);
	}
	return r.err == E_OK && reader_left(&r) != 0 ? E_TRAILING : r.err;
}

int rdata_from_message(uint16_t type, struct reader *msg, size_t rdlen, struct writer *out)
{
	const struct rrtype_info *info = rrtype_info(type);
	const uint8_t *rdata = msg->pos;
	if (reader_bytes(msg, rdlen) == NULL) {
		return msg->err;
	}
	uint8_t *start = out->pos;
	if (info == NULL || (info->flags & (RR_COMPRESS | RR_DECOMPRESS)) == 0) {
		writer_bytes(out, rdata, rdlen);
	} else {
		struct reader r =
			*msg; /* pointers lead anywhere before, the rest ends with the rdata */
		r.pos = rdata;
		r.end = rdata + rdlen;
		for (const struct rdata_field *f = info->fields; f->kind != FIELD_END; f++) {
			struct dname d;
			const uint8_t *from = r.pos;
			if (f->kind == FIELD_NAME) {
				if (dname_read_compressed(&r, &d) == E_OK) {
					writer_bytes(out, d.wire, d.len);
				}
			} else {
				field_ops[f->kind].skip(&r);
				writer_bytes(out, from, (size_t)(r.pos - from));
			}
		}
		if (r.err != E_OK || reader_left(&r) != 0) {
			return r.err != E_OK ? r.err : E_TRAILING;
		}
	}
	if (out->err != E_OK) {
		return out->err;
	}
	return rdata_check(type, start, (size_t)(out->pos - start));
}

int rdata_of_message_rr(const struct reader *msg, const struct message_rr *rr,
			uint8_t out[RDATA_ROOM], uint16_t *len)
{
	struct reader r = *msg;
	struct writer w = writer_of(out, RDATA_ROOM);
	r.pos = rr->rdata;
	int err = rdata_from_message(rr->type, &r, rr->rdlen, &w);
	if (err == E_OK && writer_len(&w) > RDATA_MAX) {
		err = E_LIMIT;
	}
	*len = err == E_OK ? (uint16_t)writer_len(&w) : 0;
	return err;
}

bool rdata_canonical_is_same(uint16_t type)
{
	return (rrtype_flags(type) & RR_LOWER) == 0;
}

/* Writes lower case over the names of @out, a copy of rdata of that type. */
static void lower_names(const struct rrtype_info *info, uint8_t *out, size_t len)
{
	struct reader r = reader_of(out, len);
	for (const struct rdata_field *f = info->fields; f->kind != FIELD_END && r.err == E_OK;
	     f++) {
		uint8_t *at = out + (r.pos - r.start);
		field_ops[f->kind].skip(&r);
		if ((f->kind == FIELD_NAME || f->kind == FIELD_MAYBE_NAME) && r.err == E_OK) {
			for (; at < r.pos; at++) {
				*at = text_lower[*at];
			}
		}
	}
}

void rdata_canonical(uint16_t type, const uint8_t *in, size_t len, uint8_t *out)
{
	memmove(out, in, len);
	if (!rdata_canonical_is_same(type)) {
		lower_names(rrtype_info(type), out, len);
	}
}

static int compare_octets(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	size_t min = alen < blen ? alen : blen;
	int diff = min != 0 ? memcmp(a, b, min) : 0;
	return diff != 0 ? diff : (alen > blen) - (alen < blen);
}

/* Names that are the whole rdata: the lengths of their labels are no letters. */
static int compare_names(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	size_t min = alen < blen ? alen : blen;
	for (size_t i = 0; i < min; i++) {
		int diff = text_lower[a[i]] - text_lower[b[i]];
		if (diff != 0) {
			return diff;
		}
	}
	return (alen > blen) - (alen < blen);
}

/* Long ones are no records with names in them, except RRSIG and the like: these fit. */
#define COMPARE_MAX 2048

int rdata_compare(uint16_t type, const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	uint8_t x[COMPARE_MAX];
	uint8_t y[COMPARE_MAX];
	if (rdata_canonical_is_same(type) || alen > COMPARE_MAX || blen > COMPARE_MAX) {
		return compare_octets(a, alen, b, blen);
	}
	const struct rdata_field *f = rrtype_info(type)->fields;
	if (f[0].kind == FIELD_NAME && f[1].kind == FIELD_END) {
		return compare_names(a, alen, b, blen);
	}
	if (alen == blen && memcmp(a, b, alen) == 0) {
		return 0;
	}
	rdata_canonical(type, a, alen, x);
	rdata_canonical(type, b, blen, y);
	return compare_octets(x, alen, y, blen);
}

int rdata_name_at(uint16_t type, const uint8_t *rdata, size_t len, unsigned nth)
{
	const struct rrtype_info *info = rrtype_info(type);
	if (info == NULL) {
		return -1;
	}
	struct reader r = reader_of(rdata, len);
	for (const struct rdata_field *f = info->fields; f->kind != FIELD_END && r.err == E_OK;
	     f++) {
		if (f->kind == FIELD_NAME && nth-- == 0) {
			return (int)(r.pos - r.start);
		}
		field_ops[f->kind].skip(&r);
	}
	return -1;
}

unsigned rdata_compressible(uint16_t type, unsigned *before)
{
	const struct rdata_field *f = rrtype_info(type)->fields;
	unsigned names = 0;
	*before = 0;
	for (; f->kind == FIELD_U16; f++) {
		*before += 2;
	}
	for (; f->kind == FIELD_NAME; f++) {
		names++;
	}
	return names;
}

/* The flags behind order and preference say what the replacement is a name of; without any it is that of
 * more NAPTRs, which the client asks for when it has chosen. */
static unsigned naptr_wants(const uint8_t *rdata)
{
	const uint8_t *flags = rdata + 4;
	uint8_t flag = flags[0] == 1 ? text_lower[flags[1]] : 0;
	return flag == 'a' ? RDATA_WANTS_ADDRESSES : flag == 's' ? RDATA_WANTS_SRV : 0;
}

unsigned rdata_wants(uint16_t type, const uint8_t *rdata, size_t len, const uint8_t **name)
{
	bool is_svcb = type == RRTYPE_SVCB || type == RRTYPE_HTTPS;
	bool is_alias = is_svcb && be16_get(rdata) == 0;
	int at =
		(rrtype_flags(type) & RR_ADDITIONAL) != 0 ? rdata_name_at(type, rdata, len, 0) : -1;
	if (at < 0) {
		return 0;
	}
	*name = rdata + at;
	if (**name == 0) { /* of all others the root is "there is none" */
		*name = NULL;
		return is_svcb && !is_alias ? RDATA_WANTS_ADDRESSES : 0;
	}
	if (type == RRTYPE_NAPTR) {
		return naptr_wants(rdata);
	}
	return RDATA_WANTS_ADDRESSES | (is_alias ? (unsigned)RDATA_WANTS_SAME : 0U);
}

void rdata_to_generic(const uint8_t *rdata, size_t len, struct buf *out)
{
	buf_str(out, "\\# ");
	buf_u32(out, (uint32_t)len);
	if (len != 0) {
		buf_char(out, ' ');
		text_to_hex(rdata, len, buf_reserve(out, 2 * len));
		buf_grew(out, 2 * len);
	}
}

void rdata_to_text(uint16_t type, const uint8_t *rdata, size_t len, struct buf *out)
{
	const struct rrtype_info *info = rrtype_info(type);
	if (info == NULL) {
		rdata_to_generic(rdata, len, out);
		return;
	}
	struct reader r = reader_of(rdata, len);
	size_t before = out->len;
	for (const struct rdata_field *f = info->fields; f->kind != FIELD_END; f++) {
		if (field_ops[f->kind].is_optional && reader_left(&r) == 0) {
			continue;
		}
		if (f != info->fields) {
			buf_char(out, ' ');
		}
		field_ops[f->kind].print(&r, out);
	}
	if (r.err != E_OK) {
		out->len = before;
		rdata_to_generic(rdata, len, out);
	}
}

/* --- text in --------------------------------------------------------------------------------- */

/* "\# length hex" (RFC 3597 §5), behind the "\#". */
static int generic_read(struct text_in *in)
{
	static const struct rdata_field length = { FIELD_U16, "length" };
	uint8_t two[2];
	struct writer number = writer_of(two, sizeof(two));
	struct writer *out = in->out;
	in->field = &length;
	in->out = &number;
	int err = field_ops[FIELD_U16].read(in);
	in->out = out;
	if (err != E_OK) {
		return err;
	}
	size_t want = be16_get(two);
	size_t before = writer_len(out);
	struct token at = in->at;
	if (want != 0) {
		err = field_ops[FIELD_HEX].read(in);
	}
	if (err == E_OK && writer_len(out) - before != want) {
		in->at = at;
		err = err_set(in->em, E_SYNTAX,
			      "found %zu octets of data, expected %zu as the length says",
			      writer_len(out) - before, want);
	}
	return err;
}

static int end_of_record(struct text_in *in)
{
	lexer_next(in->lx, &in->at);
	if (in->at.kind == TOKEN_EOL) {
		return E_OK;
	}
	if (in->at.kind == TOKEN_ERROR) {
		return err_set(in->em, E_SYNTAX, "%s", in->lx->em.text);
	}
	char quoted[TEXT_QUOTE_MAX];
	(void)text_quote(in->at.s, in->at.len, quoted);
	if (in->lx->parens != 0 && in->lx->paren_line < in->at.line) {
		return err_set(in->em, E_SYNTAX,
			       "found %s, expected the end of the record, or a closing parenthesis "
			       "for the one in line %u",
			       quoted, in->lx->paren_line);
	}
	return err_set(in->em, E_SYNTAX, "found %s, expected the end of the record", quoted);
}

int rdata_from_text(uint16_t type, struct lexer *lx, const uint8_t *origin, struct writer *out,
		    struct token *at, struct errmsg *em)
{
	const struct rrtype_info *info = rrtype_info(type);
	struct text_in in = { .lx = lx, .origin = origin, .out = out, .em = em };
	const uint8_t *start = out->pos;
	int err = E_OK;
	lexer_next(lx, &in.at);
	const struct token first = in.at;
	bool generic = in.at.kind == TOKEN_WORD && !in.at.quoted && in.at.len == 2 &&
		       memcmp(in.at.s, "\\#", 2) == 0;
	if (generic) {
		err = generic_read(&in);
	} else if (info == NULL) {
		err = err_set(em, E_SYNTAX,
			      "found data of a type without a name here, expected \\#, its length "
			      "and hexadecimal digits (RFC 3597)");
	} else {
		lexer_push(lx, &in.at);
		for (const struct rdata_field *f = info->fields;
		     f->kind != FIELD_END && err == E_OK; f++) {
			in.field = f;
			err = field_ops[f->kind].read(&in);
		}
	}
	if (err == E_OK) {
		err = end_of_record(&in);
	}
	if (err == E_OK && out->err != E_OK) {
		err = err_set(em, E_LIMIT, "found more than 65535 octets of data, expected fewer");
		in.at = first;
	}
	if (err == E_OK && generic) {
		err = rdata_check(type, start, (size_t)(out->pos - start));
		if (err != E_OK) {
			char type_text[RRTYPE_TEXT_MAX];
			err_set(em, err,
				"found octets that are no %s record (%s), expected its wire form",
				rrtype_to_text(type, type_text), err_text(err));
			in.at = first;
		}
	}
	*at = in.at;
	return err;
}

int rdata_from_string(uint16_t type, const char *text, const uint8_t *origin, struct writer *out,
		      struct errmsg *em)
{
	size_t len = strlen(text);
	char *copy = mem_zalloc(len + FILE_SLACK + 1);
	struct lexer lx;
	struct token at;
	memcpy(copy, text, len);
	lexer_init(&lx, copy, len);
	lx.in_record = true; /* as behind the type of a record */
	lx.at_line_start = false;
	int err = rdata_from_text(type, &lx, origin, out, &at, em);
	mem_free(copy);
	return err;
}

/* server/response.c - writes a response message.
 *
 * The writer's sticky error is the "does not fit" of whatever is being added; each public function
 * ends in settle(), which keeps what was written or takes it back. */
#include "server/response.h"

#include "zones/dns/rdata.h"

/* Where a set begins, to go back to. */
struct place {
	uint8_t *pos;
	unsigned names;
	bool is_compressing;
	uint16_t pointer;
};

void response_begin(struct response *r, uint8_t *out, size_t question, size_t limit)
{
	r->w = writer_of(out, limit);
	r->w.pos = out + question;
	r->question = question;
	r->is_compressing = false;
	r->turn = 0;
	r->count[SECTION_QUESTION] = question > MESSAGE_HEADER_LEN;
	for (unsigned i = SECTION_ANSWER; i < SECTIONS; i++) {
		r->count[i] = 0;
	}
}

void response_reset(struct response *r)
{
	response_begin(r, r->w.start, r->question, (size_t)(r->w.end - r->w.start));
}

/* Most answers need no compression at all, so the question is looked at when the first name comes. */
static struct compress *names_of(struct response *r)
{
	if (!r->is_compressing) {
		r->is_compressing = true;
		compress_begin(&r->names);
		if (r->count[SECTION_QUESTION] != 0) {
			compress_add(&r->names, r->w.start + MESSAGE_HEADER_LEN,
				     MESSAGE_HEADER_LEN);
		}
	}
	return &r->names;
}

static struct place place_of(struct response *r, const struct response_owner *owner)
{
	return (struct place){ .pos = r->w.pos,
			       .is_compressing = r->is_compressing,
			       .names = r->is_compressing ? compress_mark(&r->names) : 0,
			       .pointer = owner->pointer };
}

static bool settle(struct response *r, enum section section, unsigned records,
		   const struct place *before, struct response_owner *owner)
{
	if (r->w.err != E_OK || r->count[section] + records > UINT16_MAX) {
		r->w.err = E_OK;
		r->w.pos = before->pos;
		compress_rewind(&r->names, before->names);
		r->is_compressing = before->is_compressing;
		owner->pointer = before->pointer;
		return false;
	}
	r->count[section] = (uint16_t)(r->count[section] + records);
	return true;
}

/* Writes the owner's name; it can be pointed at afterwards unless it is out of reach. */
static void put_owner(struct response *r, struct response_owner *owner)
{
	if (owner->pointer != 0) {
		writer_u16(&r->w, owner->pointer);
		return;
	}
	uint16_t at = compress_name(names_of(r), &r->w, owner->name);
	owner->pointer = at != 0 ? (uint16_t)(MESSAGE_POINTER | at) : 0;
}

/* rdata with its names compressed, and the length before it. */
static void put_compressed(struct response *r, const struct rr *rr)
{
	struct writer *w = &r->w;
	uint8_t *length = writer_room(w, 2);
	unsigned before;
	unsigned names = rdata_compressible(rr->type, &before);
	size_t from = before;
	writer_bytes(w, rr->rdata, before);
	while (names-- != 0) {
		const uint8_t *name = rr->rdata + from;
		(void)compress_name(names_of(r), w, name);
		from += dname_len(name);
	}
	writer_bytes(w, rr->rdata + from, rr->rdlen - from);
	if (w->err == E_OK) {
		be16_put(length, (uint16_t)(w->pos - length - 2));
	}
}

/* Records one by one: for rdata to be compressed (@compress), and for owners out of a pointer's reach. */
static void put_records(struct response *r, struct response_owner *owner, const uint8_t *p,
			unsigned count, bool compress)
{
	for (unsigned i = 0; i < count && r->w.err == E_OK; i++) {
		const uint8_t *fixed = p + 2;
		struct rr rr;
		p = rr_read(p, &rr);
		put_owner(r, owner);
		if (compress) {
			writer_bytes(&r->w, fixed, MESSAGE_RR_FIXED - 2);
			put_compressed(r, &rr);
		} else {
			writer_bytes(&r->w, fixed, MESSAGE_RR_FIXED + (size_t)rr.rdlen);
		}
	}
}

/* Records as they lie in the node: one copy, then owners other than the question's are put in. */
static void copy_records(struct response *r, struct response_owner *owner, const uint8_t *p,
			 size_t len, unsigned count)
{
	if (owner->pointer == RESPONSE_QNAME) {
		writer_bytes(&r->w, p, len);
		return;
	}
	if (owner->pointer == 0 && count != 0) {
		/* The first record shows the name, the others can point at it. */
		struct rr rr;
		const uint8_t *next = rr_read(p, &rr);
		put_records(r, owner, p, 1, false);
		len -= (size_t)(next - p);
		p = next;
		count--;
		if (owner->pointer == 0) {
			put_records(r, owner, p, count, false);
			return;
		}
	}
	uint8_t *to = writer_room(&r->w, len);
	if (to == NULL) {
		return;
	}
	memcpy(to, p, len);
	for (unsigned i = 0; i < count; i++) {
		be16_put(to, owner->pointer);
		to += NODE_RR_FIXED + (size_t)be16_get(to + MESSAGE_RR_FIXED);
	}
}

/* The records of a set, beginning with the @first. */
static void put_rotated(struct response *r, struct response_owner *owner, const struct rrset *rs,
			unsigned first)
{
	const uint8_t *data = rrset_data(rs);
	const uint8_t *split = data;
	struct rr rr;
	for (unsigned i = 0; i < first; i++) {
		split = rr_read(split, &rr);
	}
	size_t before = (size_t)(split - data);
	if ((rrtype_flags(rs->type) & RR_COMPRESS) != 0) {
		put_records(r, owner, split, rs->count - first, true);
		put_records(r, owner, data, first, true);
	} else {
		copy_records(r, owner, split, rs->data_len - before, rs->count - first);
		copy_records(r, owner, data, before, first);
	}
}

/* The records of a set in one copy with its signatures where that can be. @first: see put_rotated. */
static unsigned put_set(struct response *r, struct response_owner *owner, const struct rrset *rs,
			enum response_sigs sigs, unsigned first)
{
	unsigned records = sigs != RESPONSE_ONLY_SIGS ? rs->count : 0;
	unsigned rrsigs = sigs != RESPONSE_NO_SIGS ? rs->sigs : 0;
	size_t sig_len = rrsigs != 0 ? rs->sig_len : 0;
	bool compress = (rrtype_flags(rs->type) & RR_COMPRESS) != 0;
	if (records != 0 && first != 0) {
		put_rotated(r, owner, rs, first);
	} else if (compress) {
		put_records(r, owner, rrset_data(rs), records, true);
	}
	if (compress || records == 0 || first != 0) {
		copy_records(r, owner, rrset_sig_data(rs), sig_len, rrsigs);
	} else {
		copy_records(r, owner, rrset_data(rs), rs->data_len + sig_len, records + rrsigs);
	}
	return records + rrsigs;
}

bool response_rrset(struct response *r, enum section section, struct response_owner *owner,
		    const struct rrset *rs, enum response_sigs sigs)
{
	const struct place before = place_of(r, owner);
	bool is_rotated = section == SECTION_ANSWER && r->turn != 0 && rs->count > 1;
	unsigned first = is_rotated ? r->turn % rs->count : 0;
	unsigned records = put_set(r, owner, rs, sigs, first);
	return settle(r, section, records, &before, owner);
}

/* Gives the @count records from @p on the TTL @ttl. They are ours: their names are sound. */
static void replace_ttl(uint8_t *p, unsigned count, uint32_t ttl)
{
	for (unsigned i = 0; i < count; i++) {
		while (*p != 0 && *p < 0xc0) {
			p += *p + 1;
		}
		p += *p == 0 ? 1 : 2;
		be32_put(p + 4, ttl);
		p += MESSAGE_RR_FIXED + (size_t)be16_get(p + 8);
	}
}

/* Is this the place that soa_names are made for, with the name of the zone (@owner) as they have it? */
static bool is_behind_question(const struct response *r, const struct response_owner *owner)
{
	return owner->pointer != 0 && r->w.pos == r->w.start + r->question &&
	       memcmp(r->w.start + (owner->pointer & MESSAGE_POINTER_MAX), owner->name,
		      dname_len(owner->name)) == 0;
}

/* As put_set for a SOA there, and its signatures. */
static unsigned put_soa(struct response *r, struct response_owner *owner, const struct rrset *soa,
			const struct soa_names *names, enum response_sigs sigs)
{
	const uint8_t *fixed = rrset_data(soa) + 2;
	struct rr rr;
	(void)rr_read(rrset_data(soa), &rr);
	writer_u16(&r->w, owner->pointer);
	writer_bytes(&r->w, fixed, MESSAGE_RR_FIXED - 2);
	soa_names_put(names, rr.rdata, rr.rdlen, owner->pointer - (unsigned)RESPONSE_QNAME, &r->w);
	if (sigs == RESPONSE_NO_SIGS) {
		return 1;
	}
	copy_records(r, owner, rrset_sig_data(soa), soa->sigs != 0 ? soa->sig_len : 0, soa->sigs);
	return 1U + soa->sigs;
}

bool response_negative(struct response *r, struct response_owner *owner, const struct rrset *soa,
		       const struct soa_names *names, enum response_sigs sigs, uint32_t ttl)
{
	const struct place before = place_of(r, owner);
	unsigned records = is_behind_question(r, owner) && soa->count == 1
				   ? put_soa(r, owner, soa, names, sigs)
				   : put_set(r, owner, soa, sigs, 0);
	if (r->w.err == E_OK) {
		replace_ttl(before.pos, records, ttl);
	}
	return settle(r, SECTION_AUTHORITY, records, &before, owner);
}

bool response_cname(struct response *r, struct response_owner *owner, uint32_t ttl,
		    const uint8_t *target)
{
	const struct place before = place_of(r, owner);
	const struct rr rr = { .type = RRTYPE_CNAME,
			       .rdlen = (uint16_t)dname_len(target),
			       .rdata = target };
	put_owner(r, owner);
	writer_u16(&r->w, RRTYPE_CNAME);
	writer_u16(&r->w, RRCLASS_IN);
	writer_u32(&r->w, ttl);
	put_compressed(r, &rr);
	return settle(r, SECTION_ANSWER, 1, &before, owner);
}

/* server/response.c - writes a response message. */
#include "server/response.h"

#include <string.h>

#include "zones/dns/rdata.h"

/* Compression pointers reach so far (RFC 1035 §4.1.4). */
#define POINTER_MAX 0x3fff
#define POINTER	    0xc000

/* --- names ----------------------------------------------------------------------------------- */

/* Hashes of the suffixes of @name, hash[i] for the one from label i on; returns the number of
 * labels. Octets as they are: case is kept. */
static unsigned suffix_hashes(const uint8_t *name, uint16_t hash[DNAME_LABELS_MAX],
			      uint8_t offset[DNAME_LABELS_MAX])
{
	unsigned labels = 0;
	size_t at = 0;
	while (name[at] != 0) {
		offset[labels++] = (uint8_t)at;
		at += (size_t)name[at] + 1;
	}
	uint32_t h = 2166136261U;
	for (unsigned i = labels; i-- != 0;) {
		const uint8_t *label = name + offset[i];
		for (unsigned k = 0; k <= *label; k++) {
			h = (h ^ label[k]) * 16777619U;
		}
		hash[i] = (uint16_t)(h ^ h >> 16);
	}
	return labels;
}

/* Does the message have exactly @name at @at? The message is ours: its pointers are sound. */
static bool stands_at(const struct response *r, size_t at, const uint8_t *name)
{
	for (;;) {
		while (r->out[at] >= 0xc0) {
			at = (size_t)(be16_get(r->out + at) & POINTER_MAX);
		}
		uint8_t len = r->out[at];
		if (len != *name || memcmp(r->out + at, name, (size_t)len + 1) != 0) {
			return false;
		}
		if (len == 0) {
			return true;
		}
		at += (size_t)len + 1;
		name += (size_t)len + 1;
	}
}

static uint16_t find_suffix(const struct response *r, uint16_t hash, const uint8_t *suffix)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned slot = (hash + i) % RESPONSE_SLOTS;
		if (r->slots[slot].generation != r->generation) {
			return 0;
		}
		uint16_t at = r->slots[slot].offset;
		if (r->slots[slot].hash == hash && at < r->len && stands_at(r, at, suffix)) {
			return at;
		}
	}
	return 0;
}

static void add_suffix(struct response *r, uint16_t hash, size_t at)
{
	if (at > POINTER_MAX) {
		return;
	}
	for (unsigned i = 0; i < 4; i++) {
		unsigned slot = (hash + i) % RESPONSE_SLOTS;
		/* A slot whose name was taken out again is free. */
		if (r->slots[slot].generation != r->generation || r->slots[slot].offset >= at) {
			r->slots[slot].generation = r->generation;
			r->slots[slot].hash = hash;
			r->slots[slot].offset = (uint16_t)at;
			return;
		}
	}
}

static bool room(const struct response *r, size_t more)
{
	return r->limit - r->len >= more;
}

/* Writes @name compressed. *where is the pointer by which it can be named later, 0 when out of
 * reach. */
static bool put_name(struct response *r, const uint8_t *name, uint16_t *where)
{
	uint16_t hash[DNAME_LABELS_MAX];
	uint8_t offset[DNAME_LABELS_MAX];
	unsigned labels = suffix_hashes(name, hash, offset);
	size_t start = r->len;
	for (unsigned i = 0; i < labels; i++) {
		const uint8_t *label = name + offset[i];
		uint16_t at = find_suffix(r, hash[i], label);
		if (at != 0) {
			if (!room(r, 2)) {
				return false;
			}
			be16_put(r->out + r->len, (uint16_t)(POINTER | at));
			*where = i == 0			? (uint16_t)(POINTER | at)
				 : start <= POINTER_MAX ? (uint16_t)(POINTER | start)
							: 0;
			r->len += 2;
			return true;
		}
		size_t n = (size_t)*label + 1;
		if (!room(r, n)) {
			return false;
		}
		memcpy(r->out + r->len, label, n);
		add_suffix(r, hash[i], r->len);
		r->len += n;
	}
	if (!room(r, 1)) {
		return false;
	}
	r->out[r->len++] = 0;
	*where = start <= POINTER_MAX ? (uint16_t)(POINTER | start) : 0;
	return true;
}

static bool put_owner(struct response *r, struct response_owner *owner)
{
	if (owner->pointer == 0) {
		return put_name(r, owner->name, &owner->pointer);
	}
	if (!room(r, 2)) {
		return false;
	}
	be16_put(r->out + r->len, owner->pointer);
	r->len += 2;
	return true;
}

/* --- records --------------------------------------------------------------------------------- */

void response_begin(struct response *r, uint8_t *out, size_t question, size_t limit)
{
	uint16_t hash[DNAME_LABELS_MAX];
	uint8_t offset[DNAME_LABELS_MAX];
	r->out = out;
	r->len = question;
	r->question = question;
	r->limit = limit;
	memset(r->count, 0, sizeof(r->count));
	r->generation++;
	unsigned labels = suffix_hashes(out + HEADER_LEN, hash, offset);
	for (unsigned i = 0; i < labels; i++) {
		add_suffix(r, hash[i], (size_t)HEADER_LEN + offset[i]);
	}
}

void response_reset(struct response *r)
{
	r->len = r->question;
	memset(r->count, 0, sizeof(r->count));
}

/* rdata with its names compressed; behind the length field, which it fills in. */
static bool put_rdata(struct response *r, const struct rr *rr)
{
	size_t length_at = r->len;
	size_t from = 0;
	uint16_t unused;
	if (!room(r, 2)) {
		return false;
	}
	r->len += 2;
	for (unsigned nth = 0;; nth++) {
		int at = rdata_name_at(rr->type, rr->rdata, rr->rdlen, nth);
		size_t upto = at < 0 ? rr->rdlen : (size_t)at;
		if (!room(r, upto - from)) {
			return false;
		}
		memcpy(r->out + r->len, rr->rdata + from, upto - from);
		r->len += upto - from;
		if (at < 0) {
			break;
		}
		if (!put_name(r, rr->rdata + at, &unused)) {
			return false;
		}
		from = upto + dname_len(rr->rdata + at);
	}
	be16_put(r->out + length_at, (uint16_t)(r->len - length_at - 2));
	return true;
}

/* Records one by one, names in rdata compressed. */
static bool put_records(struct response *r, struct response_owner *owner, const uint8_t *p,
			unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct rr rr;
		const uint8_t *fixed = p + 2;
		p = rr_read(p, &rr);
		if (!put_owner(r, owner) || !room(r, 8)) {
			return false;
		}
		memcpy(r->out + r->len, fixed, 8);
		r->len += 8;
		if (!put_rdata(r, &rr)) {
			return false;
		}
	}
	return true;
}

/* One record whose owner has no pointer yet: the name is written, and may be pointed at from then on. */
static bool copy_first(struct response *r, struct response_owner *owner, const uint8_t *p,
		       const uint8_t *next)
{
	size_t rest = (size_t)(next - p) - 2;
	if (!put_name(r, owner->name, &owner->pointer) || !room(r, rest)) {
		return false;
	}
	memcpy(r->out + r->len, p + 2, rest);
	r->len += rest;
	return true;
}

/* Records whose rdata goes as it is: one copy, then other owners than the question's are put in. */
static bool copy_records(struct response *r, struct response_owner *owner, const uint8_t *p,
			 size_t len, unsigned count)
{
	struct rr rr;
	while (owner->pointer == 0 && count != 0) {
		const uint8_t *next = rr_read(p, &rr);
		if (!copy_first(r, owner, p, next)) {
			return false;
		}
		len -= (size_t)(next - p);
		p = next;
		count--;
	}
	if (count == 0) {
		return true;
	}
	if (!room(r, len)) {
		return false;
	}
	uint8_t *to = r->out + r->len;
	memcpy(to, p, len);
	r->len += len;
	for (unsigned i = 0; owner->pointer != RESPONSE_QNAME && i < count; i++) {
		be16_put(to, owner->pointer);
		to += rr_read(to, &rr) - to;
	}
	return true;
}

bool response_rrset(struct response *r, enum section section, struct response_owner *owner,
		    const struct rrset *rs, enum response_sigs sigs)
{
	const size_t start = r->len;
	const struct response_owner before = *owner;
	unsigned count = sigs != RESPONSE_ONLY_SIGS ? rs->count : 0;
	unsigned sig_count = sigs != RESPONSE_NO_SIGS ? rs->sigs : 0;
	bool good;
	if ((rrtype_flags(rs->type) & RR_COMPRESS) != 0) {
		good = put_records(r, owner, rrset_data(rs), count) &&
		       copy_records(r, owner, rrset_sig_data(rs), sig_count != 0 ? rs->sig_len : 0,
				    sig_count);
	} else if (count != 0) {
		good = copy_records(r, owner, rrset_data(rs),
				    rs->data_len + (sig_count != 0 ? rs->sig_len : 0),
				    count + sig_count);
	} else {
		good = copy_records(r, owner, rrset_sig_data(rs), sig_count != 0 ? rs->sig_len : 0,
				    sig_count);
	}
	if (!good) {
		r->len = start;
		*owner = before;
		return false;
	}
	r->count[section] = (uint16_t)(r->count[section] + count + sig_count);
	return true;
}

bool response_rrset_ttl(struct response *r, enum section section, struct response_owner *owner,
			const struct rrset *rs, enum response_sigs sigs, uint32_t ttl)
{
	size_t at = r->len;
	uint16_t before = r->count[section];
	if (!response_rrset(r, section, owner, rs, sigs)) {
		return false;
	}
	for (unsigned i = before; i < r->count[section]; i++) {
		/* Skip the owner: labels up to a pointer or the root. */
		while (r->out[at] != 0 && r->out[at] < 0xc0) {
			at += (size_t)r->out[at] + 1;
		}
		at += r->out[at] == 0 ? 1 : 2;
		be32_put(r->out + at + 4, ttl);
		at += 10 + (size_t)be16_get(r->out + at + 8);
	}
	return true;
}

bool response_name_rr(struct response *r, enum section section, struct response_owner *owner,
		      uint16_t type, uint32_t ttl, const uint8_t *target)
{
	const size_t start = r->len;
	uint16_t unused;
	bool good = put_owner(r, owner) && room(r, 10);
	if (good) {
		size_t fixed = r->len;
		be16_put(r->out + fixed, type);
		be16_put(r->out + fixed + 2, RRCLASS_IN);
		be32_put(r->out + fixed + 4, ttl);
		r->len += 10;
		good = put_name(r, target, &unused);
		be16_put(r->out + fixed + 8, (uint16_t)(r->len - fixed - 10));
	}
	if (!good) {
		r->len = start;
		return false;
	}
	r->count[section]++;
	return true;
}

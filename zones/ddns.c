/* zones/ddns.c - reads, judges and applies dynamic updates.
 *
 * An update RR acts on its owner alone. So those of one owner are taken together, in the order of the message, and act
 * on a copy of its sets; a node is built of what comes out. The nodes go into the edit when all are built. */
#include "zones/ddns.h"

#include <stdlib.h>

#include "zones/dns/rdata.h"
#include "zones/dns/serial.h"
#include "zones/dns/soa.h"

/* The least that a record takes in a message: the root as owner, no rdata. */
#define RR_LEAST (1 + MESSAGE_RR_FIXED)
/* Larger TTLs are taken for 0 (RFC 2181 §8). */
#define TTL_MAX 0x7fffffffU

/* --- reading --------------------------------------------------------------------------------- */

struct ddns_read {
	struct reader r;
	const struct ddns_request *req;
	const uint8_t *owner; /* of the record before: many share it */
	uint8_t rdata[RDATA_ROOM];
};

static const uint8_t *keep_owner(struct ddns_read *in, const struct dname *owner)
{
	if (in->owner == NULL || dname_len(in->owner) != owner->len ||
	    memcmp(in->owner, owner->wire, owner->len) != 0) {
		in->owner = arena_dup(in->req->arena, owner->wire, owner->len);
	}
	return in->owner;
}

/* Is the rdata that of a record, of a type that has any? */
static bool has_rdata(const struct ddns_read *in, const struct message_rr *rr, enum section section)
{
	bool is_record = rr->class == in->req->class ||
			 (rr->class == RRCLASS_NONE && section == SECTION_AUTHORITY);
	return is_record && !rrtype_is_meta(rr->type);
}

static int read_rr(struct ddns_read *in, enum section section, struct ddns_rr *out)
{
	struct message_rr rr;
	int err = message_read_rr(&in->r, &rr);
	if (err != E_OK) {
		return err;
	}
	*out = (struct ddns_rr){ .owner = keep_owner(in, &rr.owner),
				 .ttl = rr.ttl,
				 .type = rr.type,
				 .class = rr.class,
				 .len = rr.rdlen };
	if (section == SECTION_AUTHORITY && rr.class == in->req->class && rr.ttl > TTL_MAX) {
		out->ttl = 0;
	}
	if (has_rdata(in, &rr, section)) {
		err = rdata_of_message_rr(&in->r, &rr, in->rdata, &out->len);
		if (err == E_OK) {
			out->rdata = arena_dup(in->req->arena, in->rdata, out->len);
		}
	}
	return err;
}

static int read_section(struct ddns_read *in, enum section section, uint32_t count,
			struct ddns_rr **out)
{
	int err = E_OK;
	*out = arena_alloc(in->req->arena, count * sizeof(**out));
	for (uint32_t i = 0; i < count && err == E_OK; i++) {
		err = read_rr(in, section, &(*out)[i]);
	}
	return err;
}

/* OPT and SIG(0) are not ours to read. */
static int skip_section(struct ddns_read *in, uint32_t count)
{
	struct message_rr rr;
	int err = E_OK;
	while (count != 0 && err == E_OK && (count > 1 || reader_left(&in->r) != 0)) {
		err = message_read_rr(&in->r, &rr);
		count--;
	}
	return err == E_OK && reader_left(&in->r) != 0 ? E_TRAILING : err;
}

static int read_zone(struct ddns_read *in, struct message_header *h, struct ddns_request *out)
{
	struct message_question zone;
	int err = message_read_header(&in->r, h);
	if (err != E_OK || h->count[SECTION_QUESTION] != 1) {
		return err != E_OK ? err : E_INVAL;
	}
	err = message_read_question(&in->r, &zone);
	if (err != E_OK || zone.type != RRTYPE_SOA) {
		return err != E_OK ? err : E_INVAL;
	}
	out->zone = arena_dup(out->arena, zone.name, dname_len(zone.name));
	out->class = zone.class;
	out->prerequisite_count = h->count[SECTION_ANSWER];
	out->update_count = h->count[SECTION_AUTHORITY];
	/* Before there is memory for them. */
	return out->prerequisite_count + out->update_count > reader_left(&in->r) / RR_LEAST
		       ? E_TRUNC
		       : E_OK;
}

enum rcode ddns_read(const uint8_t *message, size_t len, struct arena *arena,
		     struct ddns_request *out)
{
	struct message_header h;
	*out = (struct ddns_request){ .arena = arena };
	struct ddns_read in;
	in.r = reader_of(message, len);
	in.req = out;
	in.owner = NULL;
	int err = len <= MESSAGE_MAX ? read_zone(&in, &h, out) : E_LIMIT;
	if (err == E_OK) {
		err = read_section(&in, SECTION_ANSWER, out->prerequisite_count,
				   &out->prerequisites);
	}
	if (err == E_OK) {
		err = read_section(&in, SECTION_AUTHORITY, out->update_count, &out->updates);
	}
	if (err == E_OK) {
		err = skip_section(&in, h.count[SECTION_ADDITIONAL]);
	}
	return err == E_OK ? RCODE_NOERROR : RCODE_FORMERR;
}

/* --- types ----------------------------------------------------------------------------------- */

/* Made by the signer of what the others say. */
static bool is_signers(uint16_t type)
{
	return type == RRTYPE_NSEC || type == RRTYPE_NSEC3 || type == RRTYPE_RRSIG;
}

static bool is_key(uint16_t type)
{
	return type == RRTYPE_DNSKEY || type == RRTYPE_CDS || type == RRTYPE_CDNSKEY;
}

static bool may_change(const struct ddns_request *req, uint16_t type)
{
	unsigned need = is_key(type)		    ? DDNS_KEYS
			: type == RRTYPE_NSEC3PARAM ? DDNS_NSEC3PARAM
			: type == RRTYPE_ZONEMD	    ? DDNS_ZONEMD
						    : 0;
	return !is_signers(type) && (req->allow & need) == need;
}

/* Do all records of the name but these go when it is to be emptied? */
static bool stays(const struct ddns_request *req, bool is_apex, uint16_t type)
{
	return is_apex && (type == RRTYPE_SOA || type == RRTYPE_NS || type == RRTYPE_NSEC3PARAM ||
			   !may_change(req, type));
}

/* A new record takes the place of any other. NSEC3PARAM, because there is one chain. */
static bool replaces(uint16_t type)
{
	return (rrtype_flags(type) & RR_SINGLETON) != 0 || type == RRTYPE_NSEC3PARAM;
}

/* Orders update RRs, and prerequisites, by owner; those of one in the order of the message. */
static int by_owner(const struct ddns_rr *a, const struct ddns_rr *b)
{
	return a->owner == b->owner ? 0 : dname_compare(a->owner, b->owner);
}

/* --- prerequisites --------------------------------------------------------------------------- */

static bool is_in_use(const struct node *n)
{
	const struct rrset *rs = n != NULL ? node_rrsets(n) : NULL;
	for (unsigned i = 0; n != NULL && i < n->rrsets; i++) {
		if (rs[i].count != 0 && !is_signers(rs[i].type)) {
			return true;
		}
	}
	return false;
}

static bool has_signatures(const struct node *n)
{
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].sigs != 0) {
			return true;
		}
	}
	return false;
}

static bool has_set(const struct node *n, uint16_t type)
{
	return n != NULL && (type == RRTYPE_RRSIG ? has_signatures(n) : node_find(n, type) != NULL);
}

/* The forms that name no records. */
static enum rcode check_presence(const struct ddns_rr *rr, const struct version *state)
{
	if (rr->len != 0 || (rr->type != RRTYPE_ANY && rrtype_is_meta(rr->type))) {
		return RCODE_FORMERR;
	}
	const struct node *n = version_node(state, rr->owner);
	bool wanted = rr->class == RRCLASS_ANY;
	if (rr->type == RRTYPE_ANY) {
		return is_in_use(n) == wanted ? RCODE_NOERROR
		       : wanted		      ? RCODE_NXDOMAIN
					      : RCODE_YXDOMAIN;
	}
	return has_set(n, rr->type) == wanted ? RCODE_NOERROR
	       : wanted			      ? RCODE_NXRRSET
					      : RCODE_YXRRSET;
}

static int by_record(const void *a, const void *b)
{
	const struct ddns_rr *x = *(const struct ddns_rr *const *)a;
	const struct ddns_rr *y = *(const struct ddns_rr *const *)b;
	int diff = by_owner(x, y);
	if (diff == 0) {
		diff = (x->type > y->type) - (x->type < y->type);
	}
	return diff != 0 ? diff : rdata_compare(x->type, x->rdata, x->len, y->rdata, y->len);
}

/* Is the set of the first of @count sorted records just these? *@used gets how many are of that set. */
static bool equals_set(const struct version *state, const struct ddns_rr *const *rr, size_t count,
		       size_t *used)
{
	const struct node *n = version_node(state, rr[0]->owner);
	const struct rrset *rs = n != NULL ? node_find(n, rr[0]->type) : NULL;
	const uint8_t *p = rs != NULL ? rrset_data(rs) : NULL;
	unsigned left = rs != NULL ? rs->count : 0;
	bool same = true;
	size_t i = 0;
	while (i < count && rr[i]->type == rr[0]->type && by_owner(rr[i], rr[0]) == 0) {
		if (i != 0 && by_record(&rr[i], &rr[i - 1]) == 0) { /* said twice */
			i++;
			continue;
		}
		struct rr have;
		same = same && left != 0;
		if (same) {
			p = rr_read(p, &have);
			left--;
			same = rdata_compare(have.type, have.rdata, have.rdlen, rr[i]->rdata,
					     rr[i]->len) == 0;
		}
		i++;
	}
	*used = i;
	return same && left == 0;
}

static enum rcode check_sets(const struct ddns_rr **rr, size_t count, const struct version *state)
{
	if (count != 0) {
		qsort(rr, count, sizeof(const struct ddns_rr *), by_record);
	}
	while (count != 0) {
		size_t used;
		if (!equals_set(state, rr, count, &used)) {
			return RCODE_NXRRSET;
		}
		rr += used;
		count -= used;
	}
	return RCODE_NOERROR;
}

enum rcode ddns_prerequisites(const struct ddns_request *req, const struct version *state)
{
	const struct ddns_rr **values =
		arena_alloc(req->arena, req->prerequisite_count * sizeof(const struct ddns_rr *));
	size_t count = 0;
	for (uint32_t i = 0; i < req->prerequisite_count; i++) {
		const struct ddns_rr *rr = &req->prerequisites[i];
		enum rcode rcode = RCODE_NOERROR;
		if (rr->ttl != 0) {
			return RCODE_FORMERR;
		}
		if (!dname_is_under(rr->owner, req->zone)) {
			return RCODE_NOTZONE;
		}
		if (rr->class == RRCLASS_ANY || rr->class == RRCLASS_NONE) {
			rcode = check_presence(rr, state);
		} else if (rr->class == req->class && !rrtype_is_meta(rr->type)) {
			values[count++] = rr;
		} else {
			rcode = RCODE_FORMERR;
		}
		if (rcode != RCODE_NOERROR) {
			return rcode;
		}
	}
	return check_sets(values, count, state);
}

/* --- may it be? ------------------------------------------------------------------------------ */

static bool empties_name(const struct ddns_rr *rr)
{
	return rr->class == RRCLASS_ANY && rr->type == RRTYPE_ANY;
}

static bool may_empty(const struct ddns_request *req, const struct node *n, ddns_may *may,
		      void *arg)
{
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].count != 0 && !is_signers(rs[i].type) &&
		    !stays(req, (n->flags & NODE_APEX) != 0, rs[i].type) &&
		    !may(arg, n->name, rs[i].type, NULL, 0)) {
			return false;
		}
	}
	return true;
}

enum rcode ddns_permitted(const struct ddns_request *req, const struct version *state,
			  ddns_may *may, void *arg)
{
	for (uint32_t i = 0; i < req->update_count; i++) {
		const struct ddns_rr *rr = &req->updates[i];
		if (!dname_is_under(rr->owner, req->zone)) {
			return RCODE_NOTZONE;
		}
		if (!empties_name(rr)) {
			size_t len = rr->rdata != NULL ? rr->len : 0;
			if (!may(arg, rr->owner, rr->type, rr->rdata, len)) {
				return RCODE_REFUSED;
			}
			continue;
		}
		const struct node *n = version_node(state, rr->owner);
		if (n != NULL && !may_empty(req, n, may, arg)) {
			return RCODE_REFUSED;
		}
	}
	return RCODE_NOERROR;
}

static bool is_well_formed(const struct ddns_request *req, const struct ddns_rr *rr)
{
	if (rr->type != RRTYPE_ANY && rrtype_is_meta(rr->type)) {
		return false;
	}
	if (rr->class == RRCLASS_ANY) {
		return rr->ttl == 0 && rr->len == 0;
	}
	if (rr->type == RRTYPE_ANY) {
		return false;
	}
	return rr->class == req->class || (rr->class == RRCLASS_NONE && rr->ttl == 0);
}

static bool is_held_long(const struct ddns_request *req, const struct ddns_rr *rr)
{
	return rr->class == req->class &&
	       (rr->ttl > DDNS_HELD_MAX ||
		(rr->type == RRTYPE_SOA &&
		 soa_numbers_of(rr->rdata, rr->len).expire > DDNS_HELD_MAX));
}

enum rcode ddns_prescan(const struct ddns_request *req)
{
	for (uint32_t i = 0; i < req->update_count; i++) {
		const struct ddns_rr *rr = &req->updates[i];
		if (!dname_is_under(rr->owner, req->zone)) {
			return RCODE_NOTZONE;
		}
		if (!is_well_formed(req, rr)) {
			return RCODE_FORMERR;
		}
		if (!may_change(req, rr->type) || is_held_long(req, rr) ||
		    (rr->type == RRTYPE_NSEC3PARAM && !dname_equal(rr->owner, req->zone))) {
			return RCODE_REFUSED;
		}
	}
	return RCODE_NOERROR;
}

/* --- a name at work -------------------------------------------------------------------------- */

struct record {
	const uint8_t *rdata;
	uint16_t len;
};

struct set {
	const struct rrset *old; /* or NULL */
	struct record *records;	 /* once it is touched; in canonical order */
	uint32_t count, cap;
	uint32_t ttl;
	uint16_t type;
	bool is_touched;
};

struct name {
	const struct ddns_request *req;
	struct ddns_result *result;
	const struct node *old; /* or NULL */
	bool is_apex, is_wildcard;
	struct set *sets; /* by type */
	uint32_t count, cap;
};

/* Room for one more of @size octets behind @count in the array at @*items. */
static void *grow(struct arena *a, void *items, uint32_t count, uint32_t *cap, size_t size)
{
	if (count < *cap) {
		return items;
	}
	*cap = *cap != 0 ? *cap * 2 : 4;
	void *more = arena_alloc(a, *cap * size);
	if (count != 0) {
		memcpy(more, items, count * size);
	}
	return more;
}

static void name_begin(struct name *n, const struct version *state, const uint8_t *owner)
{
	n->old = version_node(state, owner);
	n->is_apex = dname_equal(owner, n->req->zone);
	n->is_wildcard = dname_is_wildcard(owner);
	n->count = n->old != NULL ? n->old->rrsets : 0;
	n->cap = n->count + 2;
	n->sets = arena_alloc(n->req->arena, n->cap * sizeof(*n->sets));
	const struct rrset *rs = n->old != NULL ? node_rrsets(n->old) : NULL;
	for (uint32_t i = 0; i < n->count; i++) {
		n->sets[i] = (struct set){ .old = &rs[i],
					   .type = rs[i].type,
					   .count = rs[i].count,
					   .ttl = rs[i].count != 0 ? rrset_ttl(&rs[i]) : 0 };
	}
}

/* The set of @type, if there is one with records. */
static struct set *name_find(const struct name *n, uint16_t type)
{
	for (uint32_t i = 0; i < n->count; i++) {
		if (n->sets[i].type == type) {
			return n->sets[i].count != 0 ? &n->sets[i] : NULL;
		}
	}
	return NULL;
}

/* The set of @type, ready to be changed. */
static struct set *name_touch(struct name *n, uint16_t type)
{
	uint32_t at = 0;
	while (at < n->count && n->sets[at].type < type) {
		at++;
	}
	if (at == n->count || n->sets[at].type != type) {
		n->sets = grow(n->req->arena, n->sets, n->count, &n->cap, sizeof(*n->sets));
		memmove(&n->sets[at + 1], &n->sets[at], (n->count - at) * sizeof(*n->sets));
		n->sets[at] = (struct set){ .type = type };
		n->count++;
	}
	struct set *s = &n->sets[at];
	if (!s->is_touched) {
		s->is_touched = true;
		s->cap = s->count + 2;
		s->records = arena_alloc(n->req->arena, s->cap * sizeof(*s->records));
		const uint8_t *p = s->count != 0 ? rrset_data(s->old) : NULL;
		for (uint32_t i = 0; i < s->count; i++) {
			struct rr rr;
			p = rr_read(p, &rr);
			s->records[i] = (struct record){ rr.rdata, rr.rdlen };
		}
	}
	return s;
}

/* Where the record is (true), or belongs. */
static bool set_search(const struct set *s, const uint8_t *rdata, size_t len, uint32_t *at)
{
	uint32_t low = 0;
	uint32_t high = s->count;
	while (low < high) {
		uint32_t mid = (low + high) / 2;
		const struct record *r = &s->records[mid];
		int diff = rdata_compare(s->type, r->rdata, r->len, rdata, len);
		if (diff == 0) {
			*at = mid;
			return true;
		}
		if (diff < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	*at = low;
	return false;
}

static void set_drop(struct set *s, uint32_t at)
{
	s->count--;
	memmove(&s->records[at], &s->records[at + 1], (s->count - at) * sizeof(*s->records));
}

/* Address and protocol, by which a WKS record is known (RFC 2136 §1.1.5). */
#define WKS_KEY 5

static void set_drop_services(struct set *s, const uint8_t *rdata)
{
	for (uint32_t i = s->count; i-- != 0;) {
		if (memcmp(s->records[i].rdata, rdata, WKS_KEY) == 0) {
			set_drop(s, i);
		}
	}
}

/* Not when there are @most records (0: no limit) without it: false. */
static bool set_add(struct arena *a, struct set *s, const struct record *r, uint32_t most)
{
	uint32_t at;
	if (replaces(s->type)) {
		s->count = 0;
	} else if (s->type == RRTYPE_WKS) {
		set_drop_services(s, r->rdata);
	}
	if (set_search(s, r->rdata, r->len, &at)) {
		return true;
	}
	if (most != 0 && s->count >= most) {
		return false;
	}
	s->records = grow(a, s->records, s->count, &s->cap, sizeof(*s->records));
	memmove(&s->records[at + 1], &s->records[at], (s->count - at) * sizeof(*s->records));
	s->records[at] = *r;
	s->count++;
	return true;
}

/* --- what an update does to its name --------------------------------------------------------- */

/* Types that may stand beside a CNAME (RFC 4034 §2.5, RFC 4035 §2.5). */
static bool suits_cname(uint16_t type)
{
	return type == RRTYPE_CNAME || type == RRTYPE_KEY || is_signers(type);
}

/* May records of @type come to what the name owns? */
static bool name_suits(const struct name *n, uint16_t type)
{
	if (type == RRTYPE_CNAME) {
		for (uint32_t i = 0; i < n->count; i++) {
			if (n->sets[i].count != 0 && !suits_cname(n->sets[i].type)) {
				return false;
			}
		}
		return true;
	}
	/* What these would mean there is not defined (RFC 4592 §4.2, §4.4). */
	if (n->is_wildcard && (type == RRTYPE_NS || type == RRTYPE_DNAME)) {
		return false;
	}
	/* A delegation leads nowhere else (RFC 6672 §2.3). */
	if (!n->is_apex && (type == RRTYPE_NS || type == RRTYPE_DNAME) &&
	    name_find(n, type == RRTYPE_NS ? RRTYPE_DNAME : RRTYPE_NS) != NULL) {
		return false;
	}
	return suits_cname(type) || name_find(n, RRTYPE_CNAME) == NULL;
}

static bool is_newer_soa(struct name *n, const struct ddns_rr *rr)
{
	if (name_find(n, RRTYPE_SOA) == NULL) {
		return false;
	}
	const struct record *r = name_touch(n, RRTYPE_SOA)->records;
	return serial_is_newer(soa_numbers_of(rr->rdata, rr->len).serial,
			       soa_numbers_of(r->rdata, r->len).serial);
}

/* NSEC3PARAM records in the zone have no flags (RFC 5155 §4.1.2); what the client gives has some, for the chain. */
static const uint8_t *without_flags(struct arena *a, const struct ddns_rr *rr)
{
	uint8_t *rdata = arena_dup(a, rr->rdata, rr->len);
	rdata[1] = 0;
	return rdata;
}

static const uint8_t *rdata_for_zone(const struct name *n, const struct ddns_rr *rr)
{
	return rr->type == RRTYPE_NSEC3PARAM ? without_flags(n->req->arena, rr) : rr->rdata;
}

static void name_add(struct name *n, const struct ddns_rr *rr)
{
	if (!name_suits(n, rr->type) || (rr->type == RRTYPE_SOA && !is_newer_soa(n, rr))) {
		return;
	}
	const struct ddns_request *req = n->req;
	struct ddns_result *r = n->result;
	struct set *s = name_touch(n, rr->type);
	const struct record record = { rdata_for_zone(n, rr), rr->len };
	uint32_t most = req->limit != NULL ? req->limit(req->limit_arg, rr->owner, rr->type) : 0;
	if (!set_add(req->arena, s, &record, most)) {
		return;
	}
	s->ttl = rr->ttl;
	r->is_serial_set = r->is_serial_set || rr->type == RRTYPE_SOA;
	if (rr->type == RRTYPE_NSEC3PARAM &&
	    nsec3_param_read(rr->rdata, rr->len, &r->nsec3_param) == E_OK) {
		r->chain = DDNS_CHAIN_NSEC3;
	}
}

static void name_remove(struct name *n, const struct ddns_rr *rr)
{
	uint32_t at;
	if (rr->type == RRTYPE_SOA || name_find(n, rr->type) == NULL) {
		return;
	}
	struct set *s = name_touch(n, rr->type);
	bool is_last_ns = n->is_apex && rr->type == RRTYPE_NS && s->count == 1;
	if (!is_last_ns && set_search(s, rdata_for_zone(n, rr), rr->len, &at)) {
		set_drop(s, at);
	}
}

static void name_remove_set(struct name *n, uint16_t type)
{
	bool is_kept = n->is_apex && (type == RRTYPE_SOA || type == RRTYPE_NS);
	if (!is_kept && name_find(n, type) != NULL) {
		name_touch(n, type)->count = 0;
	}
}

static void name_empty(struct name *n)
{
	for (uint32_t i = 0; i < n->count; i++) {
		uint16_t type = n->sets[i].type;
		if (!is_signers(type) && !stays(n->req, n->is_apex, type)) {
			name_remove_set(n, type);
		}
	}
}

static void name_update(struct name *n, const struct ddns_rr *rr)
{
	if (empties_name(rr)) {
		name_empty(n);
	} else if (rr->class == RRCLASS_ANY) {
		name_remove_set(n, rr->type);
	} else if (rr->class == RRCLASS_NONE) {
		name_remove(n, rr);
	} else {
		name_add(n, rr);
	}
}

/* What can only stand beside something else goes with that. */
static void name_tidy(struct name *n)
{
	if (n->is_apex || name_find(n, RRTYPE_NS) == NULL) {
		name_remove_set(n, RRTYPE_DS);
	}
}

/* --- what came out --------------------------------------------------------------------------- */

/* Compares the set to what it was, counts, and tells whether it is another. One that is not stays as it was. */
static bool set_changed(struct set *s, struct ddns_result *result)
{
	if (!s->is_touched) {
		return false;
	}
	uint32_t added = s->count;
	uint32_t removed = 0;
	unsigned left = s->old != NULL ? s->old->count : 0;
	const uint8_t *p = left != 0 ? rrset_data(s->old) : NULL;
	bool is_retimed = left != 0 && s->count != 0 && rrset_ttl(s->old) != s->ttl;
	for (; left != 0; left--) {
		struct rr rr;
		uint32_t at;
		p = rr_read(p, &rr);
		if (set_search(s, rr.rdata, rr.rdlen, &at)) {
			added--;
			s->records[at].rdata = rr.rdata; /* the case of what is there stays */
		} else {
			removed++;
		}
	}
	result->added += added;
	result->removed += removed;
	s->is_touched = added != 0 || removed != 0 || is_retimed;
	return s->is_touched;
}

static void note(struct name *n, const struct set *s, bool is_changed)
{
	struct ddns_result *r = n->result;
	r->is_keys_changed = r->is_keys_changed || (is_changed && is_key(s->type));
	if (n->is_apex && s->type == RRTYPE_NSEC3PARAM && s->count == 0) {
		r->chain = is_changed ? DDNS_CHAIN_NSEC : DDNS_CHAIN_LEFT;
	}
}

/* Compares all sets. @is_void: nothing is left that is not the signer's. */
static bool name_changed(struct name *n, bool *is_void)
{
	bool is_changed = false;
	*is_void = true;
	for (uint32_t i = 0; i < n->count; i++) {
		struct set *s = &n->sets[i];
		bool differs = set_changed(s, n->result);
		note(n, s, differs);
		is_changed = is_changed || differs;
		*is_void = *is_void && (s->count == 0 || is_signers(s->type));
	}
	return is_changed;
}

static bool set_build(struct node_build *b, const struct set *s)
{
	size_t octets = s->count * (size_t)NODE_RR_FIXED;
	node_build_set(b, s->type, s->old != NULL ? s->old->flags : 0);
	for (uint32_t i = 0; i < s->count; i++) {
		node_build_rr(b, s->ttl, s->records[i].rdata, s->records[i].len);
		octets += s->records[i].len;
	}
	const uint8_t *p = s->old != NULL ? rrset_sig_data(s->old) : NULL;
	for (unsigned i = 0; s->old != NULL && i < s->old->sigs; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		node_build_sig(b, rr.ttl, rr.rdata, rr.rdlen);
	}
	return octets <= DDNS_SET_MAX || (s->old != NULL && octets <= s->old->data_len);
}

/* The node of the name as it is now, in the arena; NULL: a set is too large. */
static const struct node *name_build(const struct name *n, struct node_build *b,
				     const uint8_t *owner, bool is_void)
{
	bool fits = true;
	node_build_begin(b, n->old != NULL ? n->old->name : owner);
	for (uint32_t i = 0; i < n->count && !is_void; i++) {
		const struct set *s = &n->sets[i];
		if (!s->is_touched && s->old != NULL) {
			node_build_copy(b, s->old, true);
		} else if (s->count != 0) {
			fits = set_build(b, s) && fits;
		}
	}
	const struct node *image = node_build_end(b, n->is_apex);
	return fits && image != NULL
		       ? memcpy(arena_alloc(n->req->arena, image->size), image, image->size)
		       : NULL;
}

static int by_owner_and_order(const void *a, const void *b)
{
	const struct ddns_rr *x = *(const struct ddns_rr *const *)a;
	const struct ddns_rr *y = *(const struct ddns_rr *const *)b;
	int diff = by_owner(x, y);
	return diff != 0 ? diff : (x > y) - (x < y);
}

static const struct ddns_rr **sort_updates(const struct ddns_request *req)
{
	const struct ddns_rr **sorted =
		arena_alloc(req->arena, req->update_count * sizeof(const struct ddns_rr *));
	for (uint32_t i = 0; i < req->update_count; i++) {
		sorted[i] = &req->updates[i];
	}
	if (req->update_count != 0) {
		qsort(sorted, req->update_count, sizeof(const struct ddns_rr *),
		      by_owner_and_order);
	}
	return sorted;
}

enum rcode ddns_apply(const struct ddns_request *req, struct edit *e, struct ddns_result *out)
{
	const struct version *state = edit_state(e);
	const struct ddns_rr **rr = sort_updates(req);
	const struct node **images =
		arena_alloc(req->arena, req->update_count * sizeof(const struct node *));
	struct node_build build = { 0 };
	enum rcode rcode = RCODE_NOERROR;
	uint32_t changed = 0;
	*out = (struct ddns_result){ 0 };
	for (uint32_t i = 0; i < req->update_count && rcode == RCODE_NOERROR;) {
		struct name n = { .req = req, .result = out };
		const uint8_t *owner = rr[i]->owner;
		bool is_void;
		name_begin(&n, state, owner);
		do {
			name_update(&n, rr[i++]);
		} while (i < req->update_count && dname_equal(rr[i]->owner, owner));
		name_tidy(&n);
		if (name_changed(&n, &is_void)) {
			const struct node *image = name_build(&n, &build, owner, is_void);
			rcode = image != NULL ? RCODE_NOERROR : RCODE_REFUSED;
			images[changed++] = image;
		}
	}
	if (rcode == RCODE_NOERROR) {
		for (uint32_t i = 0; i < changed; i++) {
			edit_put_node(e, images[i]);
		}
		out->is_changed = changed != 0;
	} else {
		*out = (struct ddns_result){ 0 };
	}
	node_build_clear(&build);
	return rcode;
}

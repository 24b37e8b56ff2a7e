/* test/unit/server/query_kit.h - zones to ask the query engine about, and a strict reader of its responses.
 *
 * Zones are plain lists of records here; kit_sign() gives them a chain and signatures that no validator
 * would take, but that the engine cannot tell from good ones. Everything is done the slow and obvious
 * way, so that it can be the measure of the engine.
 *
 * What is wrong ends the program: kit_require. */
#ifndef TEST_UNIT_SERVER_QUERY_KIT_H
#define TEST_UNIT_SERVER_QUERY_KIT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/query.h"
#include "signer/nsec3_hash.h"
#include "zones/base/buf.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/dns/edns.h"
#include "zones/dns/rdata.h"
#include "zones/master.h"

#define KIT_ZONES_MAX	8
#define KIT_RECORDS_MAX 4000 /* of a response */

/* What was asked last, for messages. */
static char kit_asked[DNAME_TEXT_MAX + 64];

PRINTF(2, 3) static inline void kit_require(bool what, const char *fmt, ...)
{
	if (!what) {
		va_list args;
		va_start(args, fmt);
		(void)vfprintf(stderr, fmt, args);
		(void)fprintf(stderr, " [%s]\n", kit_asked);
		va_end(args);
		abort();
	}
}

/* --- zones ----------------------------------------------------------------------------------- */

struct kit_rr {
	struct dname owner;
	uint16_t type;
	uint32_t ttl;
	uint8_t *rdata; /* owned */
	size_t len;
};

enum kit_chain { KIT_UNSIGNED, KIT_NSEC, KIT_NSEC3, KIT_OPTOUT };

/* What signatures say of who made them. */
struct kit_signer {
	uint8_t algorithm;
	uint32_t expiration, inception;
	uint16_t tag;
};

struct kit_zone {
	struct dname apex;
	struct kit_signer signer;
	struct kit_rr *rr;
	size_t count, cap;
	enum kit_chain chain;
	struct nsec3_param param;
	struct zone *zone;
};

struct kit {
	struct kit_zone zones[KIT_ZONES_MAX];
	unsigned count;
	struct zoneset *set;
	struct query_config config;
	const struct address_ip *client; /* of queries; NULL: unknown */
	struct query_env
		env; /* zones, configuration and transport are put in when a query is sent */
	struct query_ctx *ctx;
};

static inline struct dname kit_name(const char *text)
{
	struct dname d;
	kit_require(dname_from_text(&d, text, strlen(text), dname_root, NULL) == E_OK, "name %s",
		    text);
	return d;
}

static inline uint16_t kit_type(const char *text)
{
	uint16_t type = 0;
	kit_require(rrtype_from_text(text, strlen(text), &type) == E_OK, "type %s", text);
	return type;
}

static inline void kit_add(struct kit_zone *z, const uint8_t *owner, uint16_t type, uint32_t ttl,
			   const uint8_t *rdata, size_t len)
{
	for (size_t i = 0; i < z->count; i++) {
		const struct kit_rr *r = &z->rr[i];
		if (r->type == type && dname_equal(r->owner.wire, owner) &&
		    rdata_compare(type, r->rdata, r->len, rdata, len) == 0) {
			return;
		}
	}
	if (z->count == z->cap) {
		z->cap = z->cap != 0 ? z->cap * 2 : 64;
		z->rr = mem_realloc(z->rr, z->cap, sizeof(*z->rr));
	}
	struct kit_rr *r = &z->rr[z->count++];
	dname_set(&r->owner, owner);
	r->type = type;
	r->ttl = ttl;
	r->rdata = mem_alloc(len != 0 ? len : 1);
	memcpy(r->rdata, rdata, len);
	r->len = len;
}

/* One record as text: "1 xx.example." */
static inline void kit_add_text(struct kit_zone *z, const uint8_t *owner, uint16_t type,
				const char *text)
{
	uint8_t rdata[1024];
	struct writer w = writer_of(rdata, sizeof(rdata));
	struct errmsg em = { "" };
	kit_require(rdata_from_string(type, text, z->apex.wire, &w, &em) == E_OK, "%s: %s", text,
		    em.text);
	kit_add(z, owner, type, 300, rdata, writer_len(&w));
}

static inline struct kit_zone *kit_zone(struct kit *k, const char *apex)
{
	kit_require(k->count < KIT_ZONES_MAX, "too many zones");
	struct kit_zone *z = &k->zones[k->count++];
	*z = (struct kit_zone){ .apex = kit_name(apex),
				.signer = { .algorithm = 13,
					    .expiration = 2000000000,
					    .inception = 1000000000,
					    .tag = 12345 } };
	return z;
}

/* Adds what a master file says. */
static inline void kit_master(struct kit_zone *z, const char *text)
{
	struct master_options opt = { .origin = z->apex.wire };
	struct findings f = { 0 };
	struct edit *e = NULL;
	size_t len = strlen(text);
	char *data = mem_zalloc(len + 1 + FILE_SLACK);
	memcpy(data, text, len);
	int err = master_read_memory("test", data, len, &opt, &e, &f);
	kit_require(err == E_OK, "%s", f.count != 0 ? f.items[0].text : err_text(err));
	struct version *v = edit_commit(e);
	struct version_walk w;
	for (const struct node *n = version_first(v, &w); n != NULL; n = version_next(&w)) {
		const struct rrset *rs = node_rrsets(n);
		for (unsigned i = 0; i < n->rrsets; i++) {
			const uint8_t *p = rrset_data(&rs[i]);
			for (unsigned c = 0; c < (unsigned)rs[i].count + rs[i].sigs; c++) {
				struct rr rr;
				p = rr_read(p, &rr);
				kit_add(z, n->name, rr.type, rr.ttl, rr.rdata, rr.rdlen);
			}
		}
	}
	version_unref(v);
	findings_clear(&f);
	mem_free(data);
}

static inline bool kit_has(const struct kit_zone *z, const uint8_t *name, uint16_t type)
{
	for (size_t i = 0; i < z->count; i++) {
		if (z->rr[i].type == type && dname_equal(z->rr[i].owner.wire, name)) {
			return true;
		}
	}
	return false;
}

static inline bool kit_is_cut(const struct kit_zone *z, const uint8_t *name)
{
	return !dname_equal(name, z->apex.wire) && kit_has(z, name, RRTYPE_NS);
}

/* Below a cut or a DNAME. */
static inline bool kit_is_occluded(const struct kit_zone *z, const uint8_t *name)
{
	for (const uint8_t *up = name; !dname_equal(up, z->apex.wire);) {
		up = dname_up(up, 1);
		if (kit_is_cut(z, up) || kit_has(z, up, RRTYPE_DNAME)) {
			return true;
		}
	}
	return false;
}

/* --- signing --------------------------------------------------------------------------------- */

static inline int kit_name_order(const void *a, const void *b)
{
	const struct dname *x = a;
	const struct dname *y = b;
	return dname_compare(x->wire, y->wire);
}

/* Sorts, takes doubles out. */
static inline size_t kit_sort_names(struct dname *names, size_t count)
{
	size_t n = 0;
	qsort(names, count, sizeof(*names), kit_name_order);
	for (size_t i = 0; i < count; i++) {
		if (n == 0 || !dname_equal(names[n - 1].wire, names[i].wire)) {
			names[n++] = names[i];
		}
	}
	return n;
}

static inline void kit_typemap(const struct kit_zone *z, const uint8_t *name, struct writer *w)
{
	struct typemap types;
	typemap_init(&types);
	bool is_cut = kit_is_cut(z, name);
	bool is_signed = false;
	for (size_t i = 0; i < z->count; i++) {
		const struct kit_rr *r = &z->rr[i];
		if (dname_equal(r->owner.wire, name) &&
		    (!is_cut || r->type == RRTYPE_NS || r->type == RRTYPE_DS)) {
			typemap_add(&types, r->type);
			is_signed = is_signed || !is_cut || r->type == RRTYPE_DS;
		}
	}
	if (is_signed || z->chain == KIT_NSEC) {
		typemap_add(&types, RRTYPE_RRSIG);
	}
	if (z->chain == KIT_NSEC) {
		typemap_add(&types, RRTYPE_NSEC);
	}
	typemap_write(&types, w);
}

static inline void kit_make_nsec(struct kit_zone *z, const struct dname *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t rdata[1024];
		struct writer w = writer_of(rdata, sizeof(rdata));
		writer_bytes(&w, names[(i + 1) % count].wire, names[(i + 1) % count].len);
		kit_typemap(z, names[i].wire, &w);
		kit_add(z, names[i].wire, RRTYPE_NSEC, 300, rdata, writer_len(&w));
	}
}

struct kit_hash {
	uint8_t hash[NSEC3_HASH_LEN];
	struct dname name;
};

static inline int kit_hash_order(const void *a, const void *b)
{
	return memcmp(a, b, NSEC3_HASH_LEN);
}

static inline void kit_make_nsec3(struct kit_zone *z, const struct dname *names, size_t count)
{
	struct kit_hash *h = mem_array(count, sizeof(*h));
	for (size_t i = 0; i < count; i++) {
		h[i].name = names[i];
		nsec3_hash(&z->param, names[i].wire, h[i].hash);
	}
	qsort(h, count, sizeof(*h), kit_hash_order);
	for (size_t i = 0; i < count; i++) {
		uint8_t rdata[1024];
		struct writer w = writer_of(rdata, sizeof(rdata));
		struct dname owner;
		kit_require(nsec3_owner(h[i].hash, z->apex.wire, &owner) == E_OK, "owner");
		writer_u8(&w, 1);
		writer_u8(&w, z->chain == KIT_OPTOUT);
		writer_u16(&w, z->param.iterations);
		writer_u8(&w, z->param.salt_len);
		writer_bytes(&w, z->param.salt, z->param.salt_len);
		writer_u8(&w, NSEC3_HASH_LEN);
		writer_bytes(&w, h[(i + 1) % count].hash, NSEC3_HASH_LEN);
		kit_typemap(z, h[i].name.wire, &w);
		kit_add(z, owner.wire, RRTYPE_NSEC3, 300, rdata, writer_len(&w));
	}
	mem_free(h);
}

static inline void kit_add_rrsig(struct kit_zone *z, const uint8_t *owner, uint16_t type,
				 uint32_t ttl)
{
	uint8_t rdata[512];
	struct writer w = writer_of(rdata, sizeof(rdata));
	writer_u16(&w, type);
	writer_u8(&w, z->signer.algorithm);
	writer_u8(&w, (uint8_t)(dname_labels(owner) - dname_is_wildcard(owner)));
	writer_u32(&w, ttl);
	writer_u32(&w, z->signer.expiration);
	writer_u32(&w, z->signer.inception);
	writer_u16(&w, z->signer.tag);
	writer_bytes(&w, z->apex.wire, z->apex.len);
	writer_bytes(&w, "not a signature", 15);
	kit_add(z, owner, RRTYPE_RRSIG, ttl, rdata, writer_len(&w));
}

/* Signs all that is authoritative: everything but glue and the NS sets of cuts. */
static inline void kit_make_rrsigs(struct kit_zone *z)
{
	size_t count = z->count;
	for (size_t i = 0; i < count; i++) {
		const struct kit_rr r = z->rr[i];
		bool is_cut = kit_is_cut(z, r.owner.wire);
		if (r.type != RRTYPE_RRSIG &&
		    (r.type == RRTYPE_NSEC3 || !kit_is_occluded(z, r.owner.wire)) &&
		    (!is_cut || r.type == RRTYPE_DS || r.type == RRTYPE_NSEC)) {
			kit_add_rrsig(z, r.owner.wire, r.type, r.ttl);
		}
	}
}

/* The names that the chain is about. */
static inline struct dname *kit_chain_names(const struct kit_zone *z, size_t *out_count)
{
	struct dname *names = mem_array(z->count * 128, sizeof(*names));
	size_t n = 0;
	for (size_t i = 0; i < z->count; i++) {
		const uint8_t *name = z->rr[i].owner.wire;
		bool is_insecure = kit_is_cut(z, name) && !kit_has(z, name, RRTYPE_DS);
		if (kit_is_occluded(z, name) || (z->chain == KIT_OPTOUT && is_insecure)) {
			continue;
		}
		dname_set(&names[n++], name);
		while (z->chain != KIT_NSEC && !dname_equal(name, z->apex.wire)) {
			name = dname_up(name, 1); /* empty non-terminals */
			dname_set(&names[n++], name);
		}
	}
	*out_count = kit_sort_names(names, n);
	return names;
}

static inline void kit_sign(struct kit_zone *z, enum kit_chain chain)
{
	z->chain = chain;
	if (chain == KIT_UNSIGNED) {
		return;
	}
	kit_add_text(z, z->apex.wire, RRTYPE_DNSKEY, "256 3 13 AAAA");
	if (chain != KIT_NSEC) {
		uint8_t rdata[5 + NSEC3_SALT_MAX];
		struct writer w = writer_of(rdata, sizeof(rdata));
		z->param.algorithm = 1;
		writer_u8(&w, 1);
		writer_u8(&w, 0);
		writer_u16(&w, z->param.iterations);
		writer_u8(&w, z->param.salt_len);
		writer_bytes(&w, z->param.salt, z->param.salt_len);
		kit_add(z, z->apex.wire, RRTYPE_NSEC3PARAM, 0, rdata, writer_len(&w));
	}
	size_t count;
	struct dname *names = kit_chain_names(z, &count);
	if (chain == KIT_NSEC) {
		kit_make_nsec(z, names, count);
	} else {
		kit_make_nsec3(z, names, count);
	}
	mem_free(names);
	kit_make_rrsigs(z);
}

/* --- serving --------------------------------------------------------------------------------- */

static inline void kit_init(struct kit *k)
{
	*k = (struct kit){ .config = { .udp_size = 1232 } };
	k->set = zoneset_new();
	kit_require(query_ctx_new(&k->ctx) == E_OK, "ctx");
}

static inline void kit_clear(struct kit *k)
{
	for (unsigned i = 0; i < k->count; i++) {
		for (size_t r = 0; r < k->zones[i].count; r++) {
			mem_free(k->zones[i].rr[r].rdata);
		}
		mem_free(k->zones[i].rr);
		zone_free(k->zones[i].zone);
	}
	zoneset_free(k->set);
	query_ctx_free(k->ctx);
}

/* A zone without records is configured, but has no version. */
static inline void kit_serve(struct kit *k)
{
	for (unsigned i = 0; i < k->count; i++) {
		struct kit_zone *z = &k->zones[i];
		z->zone = zone_new(z->apex.wire);
		kit_require(zoneset_add(k->set, z->zone) == E_OK, "zone twice");
		if (z->count == 0) {
			continue;
		}
		struct edit *e = edit_begin(NULL, z->apex.wire, EDIT_TTL_LEAST);
		for (size_t r = 0; r < z->count; r++) {
			const struct kit_rr *rr = &z->rr[r];
			kit_require(edit_add(e, rr->owner.wire, rr->type, rr->ttl, rr->rdata,
					     rr->len) == E_OK,
				    "record");
		}
		(void)zone_publish(z->zone, edit_commit(e));
	}
}

/* --- asking ---------------------------------------------------------------------------------- */

struct kit_record {
	enum section section;
	struct dname owner;
	uint16_t type;
	uint32_t ttl;
	const uint8_t *rdata; /* expanded, in kit_response.rdata */
	size_t len;
};

struct kit_response {
	size_t len; /* 0: silence */
	struct message_header header;
	uint16_t class; /* of the records */
	uint16_t rcode; /* all 12 bits */
	struct edns edns;
	struct kit_record rr[KIT_RECORDS_MAX];
	size_t count;
	uint8_t wire[MESSAGE_MAX];
	uint8_t rdata[8 * MESSAGE_MAX];
};

/* How a question is asked. */
enum kit_how {
	KIT_PLAIN = 0,
	KIT_EDNS = 1 << 0,
	KIT_DO = 1 << 1, /* implies EDNS */
	KIT_TCP = 1 << 2,
};

static inline bool kit_is_sig_of(const struct kit_record *sig, const struct kit_record *r)
{
	return sig->type == RRTYPE_RRSIG && sig->section == r->section &&
	       be16_get(sig->rdata) == r->type && dname_equal(sig->owner.wire, r->owner.wire);
}

/* Each record once; one TTL for a set; signatures beside what they sign, and only when wanted. */
static inline void kit_check_records(const struct kit_response *res, uint16_t qtype, bool dnssec)
{
	for (size_t i = 0; i < res->count; i++) {
		const struct kit_record *a = &res->rr[i];
		bool has_signed = false;
		for (size_t k = 0; k < res->count; k++) {
			const struct kit_record *b = &res->rr[k];
			has_signed = has_signed || kit_is_sig_of(a, b);
			if (i == k || a->type != b->type ||
			    !dname_equal(a->owner.wire, b->owner.wire)) {
				continue;
			}
			kit_require(rdata_compare(a->type, a->rdata, a->len, b->rdata, b->len) != 0,
				    "a record stands twice");
			kit_require(a->section == b->section || a->type == RRTYPE_RRSIG,
				    "a set is split over two sections");
			kit_require(a->ttl == b->ttl || a->type == RRTYPE_RRSIG, "TTL differs");
		}
		bool is_dnssec = a->type == RRTYPE_RRSIG || a->type == RRTYPE_NSEC ||
				 a->type == RRTYPE_NSEC3;
		kit_require(dnssec || !is_dnssec || a->type == qtype || qtype == RRTYPE_ANY,
			    "DNSSEC records, unasked");
		kit_require(a->type != RRTYPE_RRSIG || has_signed || qtype == RRTYPE_RRSIG,
			    "a signature without what it signs");
	}
}

/* Data of the option @code; NULL: it is not there. */
static inline const uint8_t *kit_option(const struct kit_response *res, uint16_t code, size_t *len)
{
	struct reader r = reader_of(res->edns.options, res->edns.options_len);
	struct edns_option o;
	while (res->edns.present && edns_next_option(&r, &o)) {
		if (o.code == code) {
			*len = o.len;
			return o.data;
		}
	}
	*len = 0;
	return NULL;
}

/* Options that a response may have, each once and with as many octets as it should. */
static inline void kit_check_opt(const struct kit_response *res)
{
	static const struct {
		uint16_t code;
		size_t min, max;
	} known[] = {
		{ EDNS_NSID, 1, 255 },	  { EDNS_EXPIRE, 4, 4 },      { EDNS_COOKIE, 24, 24 },
		{ EDNS_KEEPALIVE, 2, 2 }, { EDNS_PADDING, 0, 467 },   { EDNS_EDE, 2, 102 },
		{ EDNS_REPORT, 2, 255 },  { EDNS_ZONEVERSION, 6, 6 },
	};
	struct reader r = reader_of(res->edns.options, res->edns.options_len);
	struct edns_option o;
	unsigned seen = 0;
	kit_require(!res->edns.present || res->edns.version == 0, "OPT version");
	while (res->edns.present && edns_next_option(&r, &o)) {
		size_t i = 0;
		while (i < ARRAY_LEN(known) && known[i].code != o.code) {
			i++;
		}
		kit_require(i < ARRAY_LEN(known), "option %u", o.code);
		kit_require((seen & 1U << i) == 0, "option %u stands twice", o.code);
		kit_require(o.len >= known[i].min && o.len <= known[i].max, "option %u of %u",
			    o.code, o.len);
		seen |= 1U << i;
	}
}

static inline void kit_read_section(struct kit_response *res, struct reader *r, struct writer *w,
				    enum section section)
{
	for (unsigned i = 0; i < res->header.count[section]; i++) {
		struct message_rr rr;
		kit_require(message_read_rr(r, &rr) == E_OK, "record malformed: %s",
			    err_text(r->err));
		if (rr.type == RRTYPE_OPT) {
			kit_require(section == SECTION_ADDITIONAL && !res->edns.present,
				    "OPT at a wrong place");
			kit_require(edns_read(&rr, &res->edns) == E_OK, "OPT malformed");
			continue;
		}
		kit_require(rr.class == res->class && res->count < KIT_RECORDS_MAX, "class");
		struct kit_record *to = &res->rr[res->count++];
		*to = (struct kit_record){ .section = section,
					   .owner = rr.owner,
					   .type = rr.type,
					   .ttl = rr.ttl,
					   .rdata = w->pos };
		struct reader whole = reader_of(res->wire, (size_t)(r->pos - r->start));
		whole.pos += rr.rdata - res->wire;
		kit_require(rdata_from_message(rr.type, &whole, rr.rdlen, w) == E_OK,
			    "rdata of type %u malformed", rr.type);
		to->len = (size_t)(w->pos - to->rdata);
	}
}

/* Reads res->wire; everything that must hold for any response to the query @in is checked. */
static inline void kit_read(struct kit_response *res, const uint8_t *in, size_t in_len)
{
	struct reader r = reader_of(res->wire, res->len);
	struct reader q = reader_of(in, in_len);
	struct message_header asked;
	struct message_question question = { 0 };
	struct message_question echo;
	struct writer w = writer_of(res->rdata, sizeof(res->rdata));
	kit_require(message_read_header(&q, &asked) == E_OK, "answers what is no message");
	kit_require(message_read_header(&r, &res->header) == E_OK, "header");
	const unsigned flags = res->header.flags;
	const unsigned same = MESSAGE_OPCODE | (message_opcode(asked.flags) == 0 ? MESSAGE_RD : 0);
	kit_require(res->header.id == asked.id, "id");
	kit_require((flags & MESSAGE_QR) != 0 && (asked.flags & MESSAGE_QR) == 0, "QR");
	kit_require((flags & same) == (asked.flags & same), "opcode or RD not as asked");
	kit_require((flags & (MESSAGE_RA | MESSAGE_AD | MESSAGE_CD | 0x40)) == 0,
		    "RA, AD, CD or Z");
	kit_require(res->header.count[0] <= 1, "questions");
	res->count = 0;
	res->edns = (struct edns){ 0 };
	if (res->header.count[0] == 1) {
		kit_require(message_read_question(&q, &question) == E_OK &&
				    message_read_question(&r, &echo) == E_OK,
			    "question");
		kit_require(r.pos - r.start == q.pos - q.start &&
				    memcmp(r.start + 12, in + 12, (size_t)(r.pos - r.start) - 12) ==
					    0,
			    "question not as asked");
	}
	res->class = question.class == RRCLASS_CH ? RRCLASS_CH : RRCLASS_IN;
	for (unsigned s = SECTION_ANSWER; s < SECTIONS; s++) {
		kit_read_section(res, &r, &w, s);
	}
	kit_require(reader_left(&r) == 0 && r.err == E_OK, "octets left over");
	res->rcode = (uint16_t)((flags & MESSAGE_RCODE) | (unsigned)res->edns.rcode_high << 4);
	kit_check_opt(res);
	bool is_answer = res->rcode == RCODE_NOERROR || res->rcode == RCODE_NXDOMAIN ||
			 res->rcode == RCODE_YXDOMAIN;
	kit_require(is_answer || (res->count == 0 && (flags & (MESSAGE_AA | MESSAGE_TC)) == 0),
		    "an error with records, AA or TC");
	kit_check_records(res, question.type, (res->edns.flags & EDNS_DO) != 0);
}

/* The same query among others has to get the same response: what is looked up ahead for a batch must not matter.
 * The others are the queries sent before. */
#define KIT_BATCH 4
static inline void kit_check_batch(struct kit *k, const struct query_env *env, const uint8_t *in,
				   size_t len, size_t room, const struct kit_response *res)
{
	static uint8_t before[KIT_BATCH - 1][2048];
	static size_t before_len[KIT_BATCH - 1];
	static unsigned turn;
	struct query_io io[KIT_BATCH];
	if (env->config->rotate || env->rrl != NULL || len > sizeof(before[0])) {
		return; /* counters may differ, and be right */
	}
	if (turn++ % 3 != 0) {
		return; /* each answer is worth the time of four: some are enough */
	}
	const unsigned nth = turn / 3;
	const unsigned own = nth % KIT_BATCH;
	for (unsigned i = 0; i < KIT_BATCH; i++) {
		unsigned other = i > own ? i - 1 : i;
		io[i] = (struct query_io){ .in = i == own ? in : before[other],
					   .in_len = i == own ? len : before_len[other],
					   .out = mem_alloc(room),
					   .room = room,
					   .client = k->client };
	}
	query_answer(k->ctx, env, io, KIT_BATCH);
	kit_require(io[own].out_len == res->len && memcmp(io[own].out, res->wire, res->len) == 0,
		    "another response in a batch");
	for (unsigned i = 0; i < KIT_BATCH; i++) {
		mem_free(io[i].out);
	}
	memcpy(before[nth % (KIT_BATCH - 1)], in, len);
	before_len[nth % (KIT_BATCH - 1)] = len;
}

/* Sends octets to the engine; the buffers are exactly as large as said, so that a sanitizer sees one octet
 * too many. */
static inline void kit_send(struct kit *k, const uint8_t *in, size_t len, bool is_tcp,
			    struct kit_response *res)
{
	struct query_env env = k->env;
	env.zones = k->set;
	env.config = &k->config;
	env.is_tcp = is_tcp;
	size_t room = is_tcp ? MESSAGE_MAX : k->config.udp_size;
	uint8_t *query = mem_alloc(len != 0 ? len : 1);
	uint8_t *out = mem_alloc(room);
	memcpy(query, in, len);
	struct query_io io = {
		.in = query, .in_len = len, .out = out, .room = room, .client = k->client
	};
	query_answer(k->ctx, &env, &io, 1);
	res->len = io.out_len;
	kit_require(res->len <= room, "longer than the buffer");
	memcpy(res->wire, out, res->len);
	kit_check_batch(k, &env, query, len, room, res);
	mem_free(query);
	mem_free(out);
	if (res->len != 0) {
		kit_read(res, in, len);
	}
}

/* Writes a query; returns its length. @edns NULL: without. */
static inline size_t kit_query_edns(uint8_t out[1024], const uint8_t *name, uint16_t type,
				    uint16_t class, const struct edns *edns)
{
	struct writer w = writer_of(out, 1024);
	const struct message_header h = { .id = 0x1234, .count = { 1, 0, 0, edns != NULL } };
	message_write_header(writer_room(&w, MESSAGE_HEADER_LEN), &h);
	writer_bytes(&w, name, dname_len(name));
	writer_u16(&w, type);
	writer_u16(&w, class);
	if (edns != NULL) {
		edns_write(&w, edns);
	}
	kit_require(w.err == E_OK, "query too long");
	return writer_len(&w);
}

/* The same for class IN. @size: what EDNS offers. */
static inline size_t kit_query(uint8_t out[1024], const uint8_t *name, uint16_t type, unsigned how,
			       uint16_t size)
{
	const struct edns e = { .udp_size = size,
				.flags = (uint16_t)((how & KIT_DO) != 0 ? EDNS_DO : 0) };
	bool has_edns = (how & (KIT_EDNS | KIT_DO)) != 0;
	return kit_query_edns(out, name, type, RRCLASS_IN, has_edns ? &e : NULL);
}

/* Asks, and checks what depends on how it was asked. */
static inline void kit_ask_size(struct kit *k, const uint8_t *name, uint16_t type, unsigned how,
				uint16_t size, struct kit_response *res)
{
	uint8_t query[1024];
	char text[DNAME_TEXT_MAX];
	size_t len = kit_query(query, name, type, how, size);
	(void)dname_to_text(name, text);
	(void)snprintf(kit_asked, sizeof(kit_asked), "%s type %u how %u size %u", text, type, how,
		       size);
	kit_send(k, query, len, (how & KIT_TCP) != 0, res);
	bool has_edns = (how & (KIT_EDNS | KIT_DO)) != 0;
	size_t limit = MESSAGE_MAX;
	if ((how & KIT_TCP) == 0) {
		limit = !has_edns || size < MESSAGE_UDP_MIN ? MESSAGE_UDP_MIN : size;
		limit = limit < k->config.udp_size ? limit : k->config.udp_size;
	}
	kit_require(res->len != 0 && res->len <= limit, "longer than the client takes");
	kit_require(res->edns.present == has_edns, "OPT present: %d", res->edns.present);
	kit_require(!has_edns || (res->edns.udp_size == k->config.udp_size &&
				  (res->edns.flags != 0) == ((how & KIT_DO) != 0)),
		    "OPT says something else");
}

static inline void kit_ask(struct kit *k, const char *name, const char *type, unsigned how,
			   struct kit_response *res)
{
	const struct dname d = kit_name(name);
	kit_ask_size(k, d.wire, kit_type(type), how, 1232, res);
}

/* --- showing --------------------------------------------------------------------------------- */

static inline const char *kit_rcode(uint16_t rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
					     "NOTIMP",	"REFUSED", "YXDOMAIN" };
	return rcode == RCODE_BADVERS ? "BADVERS" : rcode < ARRAY_LEN(names) ? names[rcode] : "?";
}

static inline void kit_show_record(struct buf *b, const struct kit_record *r)
{
	static const char *const sections[] = { "", "AN ", "NS ", "AR " };
	char type[RRTYPE_TEXT_MAX];
	buf_str(b, sections[r->section]);
	dname_print(b, r->owner.wire);
	buf_printf(b, " %u %s", r->ttl, rrtype_to_text(r->type, type));
	switch (r->type) {
	case RRTYPE_RRSIG:
		buf_printf(b, " %s", rrtype_to_text(be16_get(r->rdata), type));
		break;
	case RRTYPE_SOA: /* long, and there is but one at a name */
	case RRTYPE_NSEC:
	case RRTYPE_NSEC3:
	case RRTYPE_DNSKEY:
	case RRTYPE_DS:
		break;
	default:
		buf_char(b, ' ');
		rdata_to_text(r->type, r->rdata, r->len, b);
		break;
	}
	buf_char(b, '\n');
}

static inline int kit_line_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the lines of a text, so that two can be compared as sets. */
static inline void kit_sort_lines(struct buf *b)
{
	const char *lines[KIT_RECORDS_MAX + 1];
	size_t count = 0;
	struct buf out = { 0 };
	char *rest = b->len != 0 ? b->data : NULL;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		if (*line != '\0' && count < ARRAY_LEN(lines)) {
			lines[count++] = line;
		}
	}
	qsort(lines, count, sizeof(*lines), kit_line_order);
	for (size_t i = 0; i < count; i++) {
		buf_printf(&out, "%s\n", lines[i]);
	}
	buf_clear(b);
	*b = out;
}

/* "NOERROR aa tc", then a line for each record: section, owner, TTL, type, rdata where it is short. */
static inline void kit_show(struct buf *b, const struct kit_response *res)
{
	buf_printf(b, "%s%s%s\n", kit_rcode(res->rcode),
		   (res->header.flags & MESSAGE_AA) != 0 ? " aa" : "",
		   (res->header.flags & MESSAGE_TC) != 0 ? " tc" : "");
	for (size_t i = 0; i < res->count; i++) {
		kit_show_record(b, &res->rr[i]);
	}
}

#endif

/* test/unit/zones/zone_kit.h - random small zones and their changes, for tests of what keeps and carries changes. */
#ifndef TEST_UNIT_ZONES_ZONE_KIT_H
#define TEST_UNIT_ZONES_ZONE_KIT_H

#include "test/unit/unit.h"
#include "zones/dns/rdata.h"
#include "zones/edit.h"

static inline void kit_name(const char *text, struct dname *out)
{
	ck_assert_int_eq(dname_from_text(out, text, strlen(text), NULL, NULL), E_OK);
}

static inline size_t kit_rdata(uint16_t type, const char *text, uint8_t *out, size_t cap)
{
	struct writer w = writer_of(out, cap);
	struct errmsg em;
	ck_assert_msg(rdata_from_string(type, text, NULL, &w, &em) == E_OK, "%s: %s", text,
		      em.text);
	return writer_len(&w);
}

static inline void kit_add(struct edit *e, const char *owner, uint16_t type, uint32_t ttl,
			   const char *text)
{
	struct dname d;
	uint8_t rdata[512];
	kit_name(owner, &d);
	size_t len = kit_rdata(type, text, rdata, sizeof(rdata));
	ck_assert_int_eq(edit_add(e, d.wire, type, ttl, rdata, len), E_OK);
}

/* Sets the serial; a version has no other SOA. */
static inline void kit_serial(struct edit *e, uint32_t serial)
{
	char text[100];
	(void)snprintf(text, sizeof(text), "ns.example. admin.example. %u 3600 900 604800 300",
		       serial);
	edit_remove_rrset(e, edit_apex(e), RRTYPE_SOA);
	kit_add(e, "example.", RRTYPE_SOA, 3600, text);
}

/* One change: a record of few names and types, so that they meet. */
static inline void kit_change(struct edit *e, struct unit_random *r)
{
	static const char *const owners[] = { "example.",    "a.example.",     "b.a.example.",
					      "*.example.",  "x.y.z.example.", "ns.example.",
					      "zz.example.", "\\000.example.", "0p9m.example." };
	static const uint16_t types[] = { RRTYPE_A,  RRTYPE_NS,	   RRTYPE_TXT,	 RRTYPE_CNAME,
					  RRTYPE_MX, RRTYPE_NSEC3, RRTYPE_RRSIG, RRTYPE_NSEC };
	uint16_t type = types[unit_random_below(r, ARRAY_LEN(types))];
	unsigned n = unit_random_below(r, 5);
	char text[200];
	switch (type) {
	case RRTYPE_A:
		(void)snprintf(text, sizeof(text), "192.0.2.%u", n);
		break;
	case RRTYPE_TXT:
		(void)snprintf(text, sizeof(text), "\"t%u\"", n);
		break;
	case RRTYPE_MX:
		(void)snprintf(text, sizeof(text), "%u %s.example.", n,
			       unit_random_below(r, 2) != 0 ? "mx" : "MX");
		break;
	case RRTYPE_NSEC:
		(void)snprintf(text, sizeof(text), "n%u.example. A", n);
		break;
	case RRTYPE_NSEC3:
		(void)snprintf(text, sizeof(text), "1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3to%u A",
			       n);
		break;
	case RRTYPE_RRSIG:
		(void)snprintf(text, sizeof(text),
			       "%s 13 2 300 20300101000000 20200101000000 %u example. AAAA",
			       n % 2 != 0 ? "A" : "NSEC3", n);
		break;
	default:
		(void)snprintf(text, sizeof(text), "%c%u.example.", n % 2 != 0 ? 'h' : 'H', n / 2);
		break;
	}
	struct dname d;
	uint8_t rdata[512];
	kit_name(owners[unit_random_below(r, ARRAY_LEN(owners))], &d);
	size_t len = kit_rdata(type, text, rdata, sizeof(rdata));
	uint32_t ttl = 300 * (1 + unit_random_below(r, 2));
	if (unit_random_below(r, 3) != 0) {
		ck_assert_int_eq(edit_add(e, d.wire, type, ttl, rdata, len), E_OK);
	} else {
		ck_assert_int_eq(edit_remove(e, d.wire, type, rdata, len), E_OK);
	}
}

/* @v (or nothing) with @count changes and the serial @serial. */
static inline struct version *kit_next(const struct version *v, unsigned count, uint32_t serial,
				       struct unit_random *r)
{
	struct dname apex;
	kit_name("example.", &apex);
	struct edit *e = edit_begin(v, apex.wire, EDIT_TTL_LAST);
	for (unsigned i = 0; i < count; i++) {
		kit_change(e, r);
	}
	kit_serial(e, serial);
	ck_assert_int_eq(edit_error(e, NULL), E_OK);
	return edit_commit(e);
}

/* The same records, octet for octet, except for the case of owners. */
static inline bool kit_equal(const struct version *a, const struct version *b)
{
	static struct version_walk x;
	static struct version_walk y;
	const struct node *n = version_first(a, &x);
	const struct node *m = version_first(b, &y);
	while (n != NULL && m != NULL) {
		if (!dname_equal(n->name, m->name) || n->rrsets != m->rrsets ||
		    n->flags != m->flags) {
			return false;
		}
		for (unsigned i = 0; i < n->rrsets; i++) {
			const struct rrset *p = &node_rrsets(n)[i];
			const struct rrset *q = &node_rrsets(m)[i];
			if (p->type != q->type || p->count != q->count || p->sigs != q->sigs ||
			    p->data_len != q->data_len || p->sig_len != q->sig_len ||
			    memcmp(rrset_data(p), rrset_data(q), p->data_len + p->sig_len) != 0) {
				return false;
			}
		}
		n = version_next(&x);
		m = version_next(&y);
	}
	return n == NULL && m == NULL && a->serial == b->serial && a->records == b->records;
}

#endif

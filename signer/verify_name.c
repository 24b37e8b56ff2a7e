/* signer/verify_name.c - one name: which of its sets are signed, its NSEC record. */
#include "signer/verify_run.h"
#include "zones/base/mem.h"
#include "zones/dns/rdata.h"

/* --- type bitmaps ---------------------------------------------------------------------------- */

/* Enough of a difference to see what is wrong; a hostile bitmap has 65536 types. */
#define TYPES_SHOWN 8

void verify_types_add(struct verify_types *t, uint16_t type)
{
	if (t->count == t->cap) {
		t->cap = t->cap != 0 ? t->cap * 2 : 32;
		t->types = mem_realloc(t->types, t->cap, sizeof(*t->types));
	}
	t->types[t->count++] = type;
}

/* The types of a bitmap (RFC 4034 §4.1.2) in order. */
static void types_read(struct verify_types *t, const uint8_t *map, size_t len)
{
	struct reader r = reader_of(map, len);
	t->count = 0;
	while (reader_left(&r) != 0) {
		unsigned window = reader_u8(&r);
		unsigned octets = reader_u8(&r);
		const uint8_t *bits = reader_bytes(&r, octets);
		for (unsigned i = 0; bits != NULL && i < octets * 8 && i < 256; i++) {
			if ((bits[i / 8] & 0x80U >> i % 8) != 0) {
				verify_types_add(t, (uint16_t)(window << 8 | i));
			}
		}
	}
}

struct difference {
	struct buf text;
	unsigned shown;
	const struct verify_types *may;
};

static void difference_add(struct difference *d, const char *what, uint16_t type)
{
	char text[RRTYPE_TEXT_MAX];
	for (size_t i = 0; i < d->may->count; i++) {
		if (d->may->types[i] == type) {
			return;
		}
	}
	if (d->shown < TYPES_SHOWN) {
		buf_printf(&d->text, "%s%s %s", d->shown != 0 ? ", " : "", what,
			   rrtype_to_text(type, text));
	} else if (d->shown == TYPES_SHOWN) {
		buf_str(&d->text, ", ...");
	}
	d->shown++;
}

void verify_types(struct verify_worker *w, enum verify_kind kind, const uint8_t *map, size_t len)
{
	const struct verify_types *want = &w->want;
	const struct verify_types *have = &w->have;
	types_read(&w->have, map, len);
	if (want->count == have->count &&
	    (want->count == 0 ||
	     memcmp(want->types, have->types, want->count * sizeof(*want->types)) == 0)) {
		return;
	}
	struct difference d = { .may = &w->may };
	size_t a = 0;
	size_t b = 0;
	while (a < want->count || b < have->count) {
		if (b == have->count || (a < want->count && want->types[a] < have->types[b])) {
			difference_add(&d, "without", want->types[a++]);
		} else if (a == want->count || have->types[b] < want->types[a]) {
			difference_add(&d, "with", have->types[b++]);
		} else {
			a++;
			b++;
		}
	}
	if (d.shown != 0) {
		verify_report(w, kind, "the types in the record are not those of the name: %s",
			      d.text.data);
	}
	buf_clear(&d.text);
}

/* --- NSEC ------------------------------------------------------------------------------------ */

/* The types that an NSEC record of the item must have (RFC 4035 §2.3), in order: of a cut only what the
 * parent answers for. NSEC and RRSIG are always there. */
static void want_types(struct verify_types *t, const struct verify_item *item)
{
	const struct rrset *rs = node_rrsets(item->node);
	bool rrsig = false;
	t->count = 0;
	for (unsigned i = 0; i < item->node->rrsets; i++) {
		if (!rrsig && rs[i].type > RRTYPE_RRSIG) {
			verify_types_add(t, RRTYPE_RRSIG);
			rrsig = true;
		}
		bool seen = item->place != VERIFY_CUT || rs[i].type == RRTYPE_NS ||
			    rs[i].type == RRTYPE_DS || rs[i].type == RRTYPE_NSEC;
		if (seen && rs[i].count != 0) {
			verify_types_add(t, rs[i].type);
		}
	}
}

static void verify_nsec(struct verify_worker *w, const struct verify_item *item,
			const struct rrset *rs)
{
	const struct verify_run *run = w->run;
	struct rr rr;
	w->type = RRTYPE_NSEC;
	w->stats.nsec++;
	if (rs->count > 1) {
		verify_report(w, VERIFY_NSEC_SEVERAL, "%u records", rs->count);
		return;
	}
	(void)rr_read(rrset_data(rs), &rr);
	struct reader r = reader_of(rr.rdata, rr.rdlen);
	const uint8_t *next = dname_read(&r);
	const uint8_t *wanted = run->items[item->next].node->name;
	if (next == NULL || !dname_equal(next, wanted)) {
		char name[DNAME_TEXT_MAX];
		(void)dname_to_text(wanted, name);
		verify_report(w, VERIFY_NSEC_NEXT, "does not point at the next name, %.255s", name);
	}
	want_types(&w->want, item);
	w->may.count = 0;
	verify_types(w, VERIFY_NSEC_TYPES, r.pos, reader_left(&r));
	if (rr.ttl != run->v->negative_ttl) {
		verify_report(w, VERIFY_CHAIN_TTL, "TTL %u, negative answers have %u", rr.ttl,
			      run->v->negative_ttl);
	}
}

static void check_nsec(struct verify_worker *w, const struct verify_item *item)
{
	static const char *const why[] = {
		[VERIFY_AUTHORITATIVE] = "the zone has no NSEC chain",
		[VERIFY_CUT] = "the zone has no NSEC chain",
		[VERIFY_OCCLUDED] = "the name is not authoritative",
		[VERIFY_VOID] = "the name has nothing else",
	};
	const struct rrset *rs = node_find(item->node, RRTYPE_NSEC);
	bool belongs =
		w->run->nsec && (item->place == VERIFY_AUTHORITATIVE || item->place == VERIFY_CUT);
	w->type = RRTYPE_NSEC;
	if (rs != NULL && belongs) {
		verify_nsec(w, item, rs);
	} else if (rs != NULL) {
		verify_report(w, VERIFY_NSEC_STRAY, "a record where none belongs: %s",
			      why[item->place]);
	} else if (belongs) {
		verify_report(w, VERIFY_NSEC_MISSING, "no record");
	}
}

/* --- sets ------------------------------------------------------------------------------------ */

/* RFC 4035 §2.2: everything authoritative is signed, of a cut the DS and NSEC sets. */
static bool is_to_be_signed(const struct verify_worker *w, const struct verify_item *item,
			    uint16_t type)
{
	if (type == RRTYPE_NSEC) {
		return w->run->nsec && item->place <= VERIFY_CUT;
	}
	return item->place == VERIFY_AUTHORITATIVE ||
	       (item->place == VERIFY_CUT && type == RRTYPE_DS);
}

static void check_set(struct verify_worker *w, const struct verify_item *item,
		      const struct rrset *rs)
{
	w->type = rs->type;
	if (rs->count == 0) {
		verify_report(w, VERIFY_STRAY_SIG, "%u signatures, but no such records", rs->sigs);
		return;
	}
	if ((rs->flags & RRSET_TTL_DIFFERED) != 0) {
		verify_report(w, VERIFY_SET_TTL, "records with several TTLs");
	}
	if (is_to_be_signed(w, item, rs->type)) {
		bool keys = rs->type == RRTYPE_DNSKEY && (item->node->flags & NODE_APEX) != 0;
		if (!keys) { /* which verify_keys has looked at */
			verify_set(w, rs);
		}
	} else if (rs->sigs == 0 || rs->type == RRTYPE_NSEC) {
		return; /* check_nsec tells of stray NSEC records */
	} else if (item->place == VERIFY_CUT && rs->type == RRTYPE_NS) {
		verify_report(w, VERIFY_SIGNED_CUT, "signed, though at a delegation");
	} else {
		verify_report(w, VERIFY_SIGNED_GLUE, "signed, though not authoritative");
	}
}

/* KEY records (RFC 2535 §3), which sign dynamic updates. */
#define TYPE_KEY 25

/* A CNAME has company of NSEC, RRSIG and KEY alone (RFC 4035 §2.5). */
static bool has_other_data(const struct node *n)
{
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].count != 0 && rs[i].type != RRTYPE_CNAME && rs[i].type != RRTYPE_NSEC &&
		    rs[i].type != TYPE_KEY) {
			return true;
		}
	}
	return false;
}

static void check_rules(struct verify_worker *w, const struct verify_item *item)
{
	const struct node *n = item->node;
	if ((n->flags & NODE_DS) != 0 && item->place == VERIFY_AUTHORITATIVE) {
		w->type = RRTYPE_DS;
		if ((n->flags & NODE_APEX) != 0) {
			verify_report(w, VERIFY_DS_APEX, "belongs into the parent zone");
		} else {
			verify_report(w, VERIFY_DS_NO_NS, "no delegation here");
		}
	}
	if ((n->flags & NODE_CNAME) != 0 && item->place == VERIFY_AUTHORITATIVE &&
	    has_other_data(n)) {
		w->type = RRTYPE_CNAME;
		verify_report(w, VERIFY_CNAME_OTHER, "other data beside it");
	}
	if (item->below_dname) {
		w->type = 0;
		verify_report(w, VERIFY_BELOW_DNAME, "is never seen, as it is below a DNAME");
	}
}

void verify_name(struct verify_worker *w, size_t i)
{
	const struct verify_item *item = &w->run->items[i];
	const struct rrset *rs = node_rrsets(item->node);
	w->owner = item->node->name;
	if (item->place == VERIFY_AUTHORITATIVE || item->place == VERIFY_CUT) {
		w->stats.names++;
	}
	check_rules(w, item);
	for (unsigned k = 0; k < item->node->rrsets; k++) {
		check_set(w, item, &rs[k]);
	}
	check_nsec(w, item);
}

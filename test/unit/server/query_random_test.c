/* test/unit/server/query_random_test.c - random questions to random zones, against a naive model.
 *
 * The model is RFC 1034 §4.3.2, RFC 4592, RFC 6672, RFC 4035 §3.1 and RFC 5155 §7.2 read aloud: lists of
 * records searched from end to end, names compared label by label, no tree, no order but
 * dname_compare. Zones are small and made of few labels, so that cuts, DNAMEs, wildcards, empty
 * non-terminals and chains meet in every way. */
#include "test/unit/server/query_kit.h"
#include "test/unit/unit.h"

#define WORLDS	  350 /* sets of zones */
#define QUESTIONS 600 /* of each */

static struct kit_response res;
static struct kit_response small;
static uint64_t seed = 7;

static unsigned next_random(unsigned below)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(seed >> 33) % below;
}

/* --- the model ------------------------------------------------------------------------------- */

struct line {
	enum section section;
	struct dname owner;
	uint16_t type, covered;
	const struct kit_rr *rr;
	struct buf text;
};

struct model {
	const struct kit *k;
	uint16_t qtype;
	bool dnssec;
	struct dname name;
	uint16_t rcode;
	bool aa, full;
	struct line lines[KIT_RECORDS_MAX];
	size_t count;
	/* What goes behind the answer. */
	const struct kit_zone *soa_of;
	const struct kit_zone *cut_of;
	struct dname cut;
	const struct kit_zone *last;
	struct line proofs[64]; /* owner and type alone */
	const struct kit_zone *proofs_of[64];
	size_t proof_count;
};

static struct model m;

static bool is_in_message(const uint8_t *owner, uint16_t type, uint16_t covered)
{
	for (size_t i = 0; i < m.count; i++) {
		if (m.lines[i].type == type && m.lines[i].covered == covered &&
		    dname_equal(m.lines[i].owner.wire, owner)) {
			return true;
		}
	}
	return false;
}

static void add_record(enum section section, const uint8_t *owner, const struct kit_rr *rr,
		       uint32_t ttl)
{
	struct kit_record r = { .section = section,
				.type = rr->type,
				.ttl = ttl < rr->ttl ? ttl : rr->ttl,
				.rdata = rr->rdata,
				.len = rr->len };
	dname_set(&r.owner, owner);
	kit_require(m.count < KIT_RECORDS_MAX, "model too small");
	struct line *l = &m.lines[m.count++];
	l->section = section;
	l->owner = r.owner;
	l->type = rr->type;
	l->rr = rr;
	l->covered = rr->type == RRTYPE_RRSIG ? be16_get(rr->rdata) : 0;
	buf_reset(&l->text);
	kit_show_record(&l->text, &r);
}

/* The set of @type at @node in @z, named @owner, with its signatures if wanted. */
static bool add_set(enum section section, const struct kit_zone *z, const uint8_t *node,
		    const uint8_t *owner, uint16_t type, bool sigs, uint32_t ttl)
{
	bool any = false;
	if (is_in_message(owner, type, 0)) {
		return true;
	}
	for (size_t i = 0; i < z->count; i++) {
		const struct kit_rr *rr = &z->rr[i];
		if (!dname_equal(rr->owner.wire, node)) {
			continue;
		}
		if (rr->type == type ||
		    (sigs && rr->type == RRTYPE_RRSIG && be16_get(rr->rdata) == type)) {
			any = any || rr->type == type;
			add_record(section, owner, rr, ttl);
		}
	}
	return any;
}

static bool is_of_names(const struct kit_rr *rr)
{
	return rr->type != RRTYPE_NSEC3 &&
	       !(rr->type == RRTYPE_RRSIG && be16_get(rr->rdata) == RRTYPE_NSEC3);
}

static bool exists(const struct kit_zone *z, const uint8_t *name)
{
	for (size_t i = 0; i < z->count; i++) {
		if (is_of_names(&z->rr[i]) && dname_is_under(z->rr[i].owner.wire, name)) {
			return true;
		}
	}
	return false;
}

static struct dname wildcard_of(const uint8_t *encloser)
{
	static const uint8_t star[] = { 1, '*' };
	struct dname d;
	kit_require(dname_prepend(&d, star, encloser) == E_OK, "wildcard");
	return d;
}

/* --- the model: proofs ----------------------------------------------------------------------- */

static void prove(const struct kit_zone *z, const uint8_t *owner, uint16_t type)
{
	if (owner != NULL) {
		kit_require(m.proof_count < ARRAY_LEN(m.proofs), "proofs");
		dname_set(&m.proofs[m.proof_count].owner, owner);
		m.proofs[m.proof_count].type = type;
		m.proofs_of[m.proof_count++] = z;
	}
}

/* The last owner of an NSEC before @name. */
static void nsec_cover(const struct kit_zone *z, const uint8_t *name)
{
	const uint8_t *best = NULL;
	for (size_t i = 0; i < z->count; i++) {
		const uint8_t *owner = z->rr[i].owner.wire;
		if (z->rr[i].type == RRTYPE_NSEC && dname_compare(owner, name) < 0 &&
		    (best == NULL || dname_compare(best, owner) < 0)) {
			best = owner;
		}
	}
	prove(z, best, RRTYPE_NSEC);
}

static const uint8_t *nsec3_search(const struct kit_zone *z, const uint8_t *name, bool match)
{
	uint8_t hash[NSEC3_HASH_LEN];
	struct dname owner;
	const uint8_t *best = NULL;
	const uint8_t *last = NULL;
	nsec3_hash(&z->param, name, hash);
	kit_require(nsec3_owner(hash, z->apex.wire, &owner) == E_OK, "owner");
	for (size_t i = 0; i < z->count; i++) {
		const uint8_t *o = z->rr[i].owner.wire;
		if (z->rr[i].type != RRTYPE_NSEC3) {
			continue;
		}
		int order = dname_compare(o, owner.wire);
		if (match && order == 0) {
			return o;
		}
		if (order < 0 && (best == NULL || dname_compare(best, o) < 0)) {
			best = o;
		}
		if (last == NULL || dname_compare(last, o) < 0) {
			last = o;
		}
	}
	return match ? NULL : best != NULL ? best : last;
}

static void nsec3_match(const struct kit_zone *z, const uint8_t *name)
{
	prove(z, nsec3_search(z, name, true), RRTYPE_NSEC3);
}

static void nsec3_cover(const struct kit_zone *z, const uint8_t *name)
{
	prove(z, nsec3_search(z, name, false), RRTYPE_NSEC3);
}

/* Closest provable encloser of @name, not @name itself, and cover for the next closer name. */
static const uint8_t *nsec3_encloser(const struct kit_zone *z, const uint8_t *name)
{
	const uint8_t *next = name;
	const uint8_t *encloser = dname_up(name, 1);
	while (nsec3_search(z, encloser, true) == NULL) {
		next = encloser;
		encloser = dname_up(encloser, 1);
	}
	nsec3_match(z, encloser);
	nsec3_cover(z, next);
	return encloser;
}

static void prove_nodata(const struct kit_zone *z, const uint8_t *name)
{
	if (z->chain == KIT_NSEC) {
		if (kit_has(z, name, RRTYPE_NSEC)) {
			prove(z, name, RRTYPE_NSEC);
		} else {
			nsec_cover(z, name);
		}
	} else if (z->chain != KIT_UNSIGNED) {
		if (nsec3_search(z, name, true) != NULL) {
			nsec3_match(z, name);
		} else {
			(void)nsec3_encloser(z, name);
		}
	}
}

static void prove_nxdomain(const struct kit_zone *z, const uint8_t *name, const uint8_t *encloser)
{
	if (z->chain == KIT_NSEC) {
		nsec_cover(z, name);
		nsec_cover(z, wildcard_of(encloser).wire);
	} else if (z->chain != KIT_UNSIGNED) {
		/* The name's own ancestors down to the encloser are not there, nor in the chain. */
		const uint8_t *provable = nsec3_encloser(z, name);
		const struct dname wild = wildcard_of(provable);
		if (nsec3_search(z, wild.wire, true) != NULL) {
			nsec3_match(z, wild.wire);
		} else {
			nsec3_cover(z, wild.wire);
		}
	}
}

/* The name one label longer than @encloser on the way to @name. */
static const uint8_t *next_closer(const uint8_t *name, const uint8_t *encloser)
{
	return dname_up(name, dname_labels(name) - dname_labels(encloser) - 1);
}

static void prove_wildcard(const struct kit_zone *z, const uint8_t *name, const uint8_t *encloser)
{
	if (z->chain == KIT_NSEC) {
		nsec_cover(z, name);
	} else if (z->chain != KIT_UNSIGNED) {
		nsec3_cover(z, next_closer(name, encloser));
	}
}

static void prove_wildcard_nodata(const struct kit_zone *z, const uint8_t *name,
				  const uint8_t *encloser)
{
	const struct dname wild = wildcard_of(encloser);
	if (z->chain == KIT_NSEC) {
		prove_nodata(z, wild.wire);
		nsec_cover(z, name);
	} else if (z->chain != KIT_UNSIGNED) {
		(void)nsec3_encloser(z, name);
		prove(z, nsec3_search(z, wild.wire, true), RRTYPE_NSEC3);
		if (nsec3_search(z, wild.wire, true) == NULL) {
			nsec3_cover(z, wild.wire);
		}
	}
}

/* --- the model: the answer ------------------------------------------------------------------- */

static const struct kit_zone *find_zone(const uint8_t *name, bool strictly_above)
{
	const struct kit_zone *best = NULL;
	for (unsigned i = 0; i < m.k->count; i++) {
		const struct kit_zone *z = &m.k->zones[i];
		if (dname_is_under(name, z->apex.wire) &&
		    !(strictly_above && dname_equal(name, z->apex.wire)) &&
		    (best == NULL || z->apex.len > best->apex.len)) {
			best = z;
		}
	}
	return best;
}

/* The first label border from the apex down that has a cut (which counts at @name itself unless DS is
 * asked) or, above @name, a DNAME. */
static bool find_border(const struct kit_zone *z, const uint8_t *name, struct dname *border,
			bool *is_cut)
{
	unsigned labels = dname_labels(name);
	for (unsigned up = labels - dname_labels(z->apex.wire) + 1; up-- != 0;) {
		const uint8_t *at = dname_up(name, up);
		*is_cut = kit_is_cut(z, at) && (up != 0 || m.qtype != RRTYPE_DS);
		if (*is_cut || (up != 0 && kit_has(z, at, RRTYPE_DNAME))) {
			dname_set(border, at);
			return true;
		}
	}
	return false;
}

static const struct kit_rr *find_record(const struct kit_zone *z, const uint8_t *name,
					uint16_t type)
{
	for (size_t i = 0; i < z->count; i++) {
		if (z->rr[i].type == type && dname_equal(z->rr[i].owner.wire, name)) {
			return &z->rr[i];
		}
	}
	return NULL;
}

/* The least type at the name that is not about DNSSEC. */
static uint16_t any_type(const struct kit_zone *z, const uint8_t *name)
{
	unsigned best = 0x10000;
	for (size_t i = 0; i < z->count; i++) {
		const struct kit_rr *rr = &z->rr[i];
		if (dname_equal(rr->owner.wire, name) && rr->type != RRTYPE_RRSIG &&
		    rr->type != RRTYPE_NSEC && is_of_names(rr) && rr->type < best) {
			best = rr->type;
		}
	}
	return best == 0x10000 ? RRTYPE_NSEC : (uint16_t)best;
}

/* The least type that is signed at the name, or 0. */
static uint16_t signed_type(const struct kit_zone *z, const uint8_t *name)
{
	unsigned best = 0x10000;
	for (size_t i = 0; i < z->count; i++) {
		const struct kit_rr *rr = &z->rr[i];
		if (rr->type == RRTYPE_RRSIG && is_of_names(rr) &&
		    dname_equal(rr->owner.wire, name) && be16_get(rr->rdata) < best) {
			best = be16_get(rr->rdata);
		}
	}
	return best == 0x10000 ? 0 : (uint16_t)best;
}

static bool add_asked(const struct kit_zone *z, const uint8_t *node)
{
	if (m.qtype != RRTYPE_RRSIG) {
		uint16_t type = m.qtype == RRTYPE_ANY ? any_type(z, node) : m.qtype;
		return type != RRTYPE_NSEC3 &&
		       add_set(SECTION_ANSWER, z, node, m.name.wire, type, m.dnssec, UINT32_MAX);
	}
	uint16_t type = signed_type(z, node);
	for (size_t i = 0; i < z->count; i++) {
		const struct kit_rr *rr = &z->rr[i];
		if (rr->type == RRTYPE_RRSIG && be16_get(rr->rdata) == type &&
		    dname_equal(rr->owner.wire, node) &&
		    !is_in_message(m.name.wire, RRTYPE_RRSIG, type)) {
			add_record(SECTION_ANSWER, m.name.wire, rr, UINT32_MAX);
		}
	}
	return type != 0;
}

/* Answers from @node, which is the name itself or the wildcard under @encloser. True: goes on. */
static bool answer_from(const struct kit_zone *z, const uint8_t *node, const uint8_t *encloser)
{
	if (add_asked(z, node)) {
		if (encloser != NULL) {
			prove_wildcard(z, m.name.wire, encloser);
		}
		return false;
	}
	const struct kit_rr *cname = find_record(z, node, RRTYPE_CNAME);
	if (cname == NULL) {
		m.soa_of = z;
		if (encloser != NULL) {
			prove_wildcard_nodata(z, m.name.wire, encloser);
		} else {
			prove_nodata(z, m.name.wire);
		}
		return false;
	}
	(void)add_set(SECTION_ANSWER, z, node, m.name.wire, RRTYPE_CNAME, m.dnssec, UINT32_MAX);
	if (encloser != NULL) {
		prove_wildcard(z, m.name.wire, encloser);
	}
	dname_set(&m.name, cname->rdata);
	return true;
}

static bool answer_dname(const struct kit_zone *z, const uint8_t *owner)
{
	const struct kit_rr *rr = find_record(z, owner, RRTYPE_DNAME);
	struct dname made;
	(void)add_set(SECTION_ANSWER, z, owner, owner, RRTYPE_DNAME, m.dnssec, UINT32_MAX);
	if (dname_replace(&made, m.name.wire, owner, rr->rdata) != E_OK) {
		m.rcode = RCODE_YXDOMAIN;
		return false;
	}
	const struct kit_rr cname = {
		.type = RRTYPE_CNAME, .ttl = rr->ttl, .rdata = made.wire, .len = made.len
	};
	add_record(SECTION_ANSWER, m.name.wire, &cname, UINT32_MAX);
	m.name = made;
	return m.qtype != RRTYPE_CNAME;
}

static bool answer_name(unsigned hops)
{
	const struct kit_zone *z = find_zone(m.name.wire, false);
	struct dname border;
	bool is_cut = false;
	if (z == NULL) {
		m.rcode = hops == 0 ? RCODE_REFUSED : RCODE_NOERROR;
		return false;
	}
	const struct kit_zone *above = find_zone(m.name.wire, true);
	if (m.qtype == RRTYPE_DS && above != NULL && above != z &&
	    !(find_border(above, m.name.wire, &border, &is_cut) && is_cut)) {
		z = above;
	}
	m.last = z;
	if (find_border(z, m.name.wire, &border, &is_cut)) {
		if (is_cut) {
			m.aa = hops != 0;
			m.cut_of = z;
			m.cut = border;
			if (!kit_has(z, border.wire, RRTYPE_DS)) {
				prove_nodata(z, border.wire);
			}
			return false;
		}
		m.aa = true;
		return answer_dname(z, border.wire);
	}
	m.aa = true;
	const struct dname name = m.name;
	if (exists(z, name.wire)) {
		return answer_from(z, name.wire, NULL);
	}
	const uint8_t *encloser = name.wire;
	while (!exists(z, encloser)) {
		encloser = dname_up(encloser, 1);
	}
	const struct dname wild = wildcard_of(encloser);
	if (exists(z, wild.wire)) {
		return answer_from(z, wild.wire, encloser);
	}
	m.rcode = RCODE_NXDOMAIN;
	m.soa_of = z;
	prove_nxdomain(z, name.wire, encloser);
	return false;
}

static void add_proofs(void)
{
	for (size_t i = 0; m.dnssec && i < m.proof_count; i++) {
		const uint8_t *owner = m.proofs[i].owner.wire;
		(void)add_set(SECTION_AUTHORITY, m.proofs_of[i], owner, owner, m.proofs[i].type,
			      true, UINT32_MAX);
	}
}

static void add_authority(void)
{
	if (m.soa_of != NULL) {
		const struct kit_zone *z = m.soa_of;
		const struct kit_rr *soa = find_record(z, z->apex.wire, RRTYPE_SOA);
		(void)add_set(SECTION_AUTHORITY, z, z->apex.wire, z->apex.wire, RRTYPE_SOA,
			      m.dnssec, be32_get(soa->rdata + soa->len - 4));
	}
	if (m.cut_of != NULL) {
		(void)add_set(SECTION_AUTHORITY, m.cut_of, m.cut.wire, m.cut.wire, RRTYPE_NS,
			      m.dnssec, UINT32_MAX);
		if (m.dnssec && m.cut_of->chain != KIT_UNSIGNED) {
			(void)add_set(SECTION_AUTHORITY, m.cut_of, m.cut.wire, m.cut.wire,
				      RRTYPE_DS, true, UINT32_MAX);
		}
	}
	add_proofs();
	if (m.full && m.qtype != RRTYPE_ANY && m.qtype != RRTYPE_RRSIG && m.soa_of == NULL &&
	    m.cut_of == NULL && m.rcode == RCODE_NOERROR) {
		(void)add_set(SECTION_AUTHORITY, m.last, m.last->apex.wire, m.last->apex.wire,
			      RRTYPE_NS, m.dnssec, UINT32_MAX);
	}
}

enum { WANT_ADDRESSES = 1, WANT_SRV = 2, WANT_HTTPS = 4 };

static void add_of_node(const struct kit_zone *z, const uint8_t *name, unsigned what)
{
	bool is_glue = kit_is_cut(z, name);
	for (const uint8_t *up = name; !dname_equal(up, z->apex.wire);) {
		up = dname_up(up, 1);
		if (kit_has(z, up, RRTYPE_DNAME)) {
			return;
		}
		is_glue = is_glue || kit_is_cut(z, up);
	}
	bool sigs = m.dnssec && !is_glue;
	if ((what & WANT_SRV) != 0 && !is_glue) {
		(void)add_set(SECTION_ADDITIONAL, z, name, name, RRTYPE_SRV, sigs, UINT32_MAX);
	}
	if ((what & WANT_HTTPS) != 0 && !is_glue) {
		(void)add_set(SECTION_ADDITIONAL, z, name, name, RRTYPE_HTTPS, sigs, UINT32_MAX);
	}
	if ((what & WANT_ADDRESSES) != 0) {
		(void)add_set(SECTION_ADDITIONAL, z, name, name, RRTYPE_A, sigs, UINT32_MAX);
		(void)add_set(SECTION_ADDITIONAL, z, name, name, RRTYPE_AAAA, sigs, UINT32_MAX);
	}
}

static void add_of_target(const uint8_t *name, unsigned what)
{
	bool is_under = m.cut_of != NULL && dname_is_under(name, m.cut.wire);
	const struct kit_zone *z = is_under ? m.cut_of : find_zone(name, false);
	if (!dname_is_root(name) && z != NULL && dname_is_under(name, z->apex.wire)) {
		add_of_node(z, name, what);
	}
}

/* The addresses of a name that is there, or made from a wildcard. */
static void add_of_owner(const uint8_t *owner)
{
	const struct kit_zone *z = find_zone(owner, false);
	const uint8_t *encloser = owner;
	while (!exists(z, encloser)) {
		encloser = dname_up(encloser, 1);
	}
	const struct dname star = wildcard_of(encloser);
	const uint8_t *node = encloser == owner ? owner : star.wire;
	(void)add_set(SECTION_ADDITIONAL, z, node, owner, RRTYPE_A, m.dnssec, UINT32_MAX);
	(void)add_set(SECTION_ADDITIONAL, z, node, owner, RRTYPE_AAAA, m.dnssec, UINT32_MAX);
}

/* What a record has beside it: RFC 1035 §3.3, RFC 2782, RFC 3403 §4.1, RFC 9460 §4.1. */
static void add_beside(const uint8_t *owner, uint16_t type, const uint8_t *rdata)
{
	if (type == RRTYPE_NS) {
		add_of_target(rdata, WANT_ADDRESSES);
	} else if (type == RRTYPE_MX) {
		add_of_target(rdata + 2, WANT_ADDRESSES);
	} else if (type == RRTYPE_SRV) {
		add_of_target(rdata + 6, WANT_ADDRESSES);
	} else if (type == RRTYPE_NAPTR) { /* one flag, no services, no regexp */
		const uint8_t *target = rdata + 4 + 1 + rdata[4] + 1 + 1;
		char flag = rdata[4] == 1 ? (char)rdata[5] : ' ';
		add_of_target(target, flag == 'a' || flag == 'A' ? WANT_ADDRESSES
				      : flag == 's'		 ? WANT_SRV
								 : 0);
	} else if (type == RRTYPE_HTTPS && be16_get(rdata) == 0) {
		add_of_target(rdata + 2, WANT_HTTPS | WANT_ADDRESSES);
	} else if (type == RRTYPE_HTTPS && dname_is_root(rdata + 2)) {
		add_of_owner(owner);
	} else if (type == RRTYPE_HTTPS) {
		add_of_target(rdata + 2, WANT_ADDRESSES);
	}
}

/* Answers as the engine should; returns the text to compare. */
static void model_answer(struct buf *out)
{
	struct dname seen[32];
	unsigned hops = 0;
	m.count = 0;
	m.rcode = RCODE_NOERROR;
	m.aa = false;
	m.soa_of = NULL;
	m.cut_of = NULL;
	m.proof_count = 0;
	seen[0] = m.name;
	while (answer_name(hops)) {
		bool is_loop = hops == 16;
		for (unsigned i = 0; i <= hops; i++) {
			is_loop = is_loop || dname_equal(seen[i].wire, m.name.wire);
		}
		if (is_loop) {
			break;
		}
		seen[++hops] = m.name;
	}
	buf_printf(out, "%s%s\n", kit_rcode(m.rcode), m.aa ? " aa" : "");
	if (m.rcode == RCODE_REFUSED) {
		return;
	}
	add_authority();
}

/* What the records of the message have beside them, from the response itself: its records have been found right by
 * then; and once more for what that adds. */
static void model_additional(const struct kit_response *r)
{
	if (m.qtype == RRTYPE_ANY && m.cut_of == NULL) {
		return;
	}
	for (size_t i = 0; i < r->count; i++) {
		const struct kit_record *rr = &r->rr[i];
		if (rr->section != SECTION_ADDITIONAL) {
			add_beside(rr->owner.wire, rr->type, rr->rdata);
		}
	}
	size_t count = m.count;
	for (size_t i = 0; i < count; i++) {
		if (m.lines[i].section == SECTION_ADDITIONAL) {
			const struct dname owner = m.lines[i].owner;
			add_beside(owner.wire, m.lines[i].type, m.lines[i].rr->rdata);
		}
	}
}

static void show_lines(struct buf *out, enum section first, enum section last)
{
	for (size_t i = 0; i < m.count; i++) {
		if (m.lines[i].section >= first && m.lines[i].section <= last) {
			buf_str(out, m.lines[i].text.data);
		}
	}
}

/* --- random zones ---------------------------------------------------------------------------- */

static const char *const apexes[] = { "z.", "a.z.", "b.a.z.", "y.", "." };
static const uint8_t labels[][3] = { "\1a", "\1b", "\1c", "\1*", "\1B", "\1d" };

static struct dname random_name(const uint8_t *apex, unsigned depth)
{
	struct dname d;
	dname_set(&d, apex);
	while (depth-- != 0) {
		kit_require(dname_prepend(&d, labels[next_random(ARRAY_LEN(labels))], d.wire) ==
				    E_OK,
			    "name");
	}
	return d;
}

static struct dname random_target(const struct kit *k)
{
	if (next_random(8) == 0) {
		return kit_name("out.side.");
	}
	return random_name(k->zones[next_random(k->count)].apex.wire, next_random(4));
}

static bool has_anything(const struct kit_zone *z, const uint8_t *name)
{
	for (size_t i = 0; i < z->count; i++) {
		if (dname_equal(z->rr[i].owner.wire, name)) {
			return true;
		}
	}
	return false;
}

static void add_random(struct kit *k, struct kit_zone *z)
{
	static const uint16_t types[] = { RRTYPE_A,	RRTYPE_A,     RRTYPE_AAAA,  RRTYPE_TXT,
					  RRTYPE_MX,	RRTYPE_SRV,   RRTYPE_NS,    RRTYPE_NS,
					  RRTYPE_DS,	RRTYPE_CNAME, RRTYPE_DNAME, RRTYPE_A,
					  RRTYPE_HTTPS, RRTYPE_HTTPS, RRTYPE_NAPTR };
	const struct dname owner = random_name(z->apex.wire, next_random(5));
	const struct dname target = random_target(k);
	const uint16_t type = types[next_random(ARRAY_LEN(types))];
	bool is_apex = dname_equal(owner.wire, z->apex.wire);
	uint8_t rdata[512];
	struct writer w = writer_of(rdata, sizeof(rdata));
	if (kit_has(z, owner.wire, RRTYPE_CNAME) ||
	    (type == RRTYPE_CNAME && (is_apex || has_anything(z, owner.wire))) ||
	    (type == RRTYPE_NS && dname_is_wildcard(owner.wire)) ||
	    (type == RRTYPE_DS && is_apex) ||
	    (type == RRTYPE_DNAME && (kit_has(z, owner.wire, type) || next_random(2) == 0))) {
		return;
	}
	switch (type) {
	case RRTYPE_A:
		writer_u32(&w, next_random(3));
		break;
	case RRTYPE_AAAA:
		writer_bytes(&w, "0123456789abcdef", 16);
		break;
	case RRTYPE_TXT:
		writer_bytes(&w, "\3txt", 4);
		break;
	case RRTYPE_DS:
		writer_u16(&w, (uint16_t)next_random(3));
		writer_bytes(&w,
			     "\15\2" /* algorithm 13, SHA-256 */
			     "01234567890123456789012345678901",
			     34);
		break;
	case RRTYPE_HTTPS:
		writer_u16(&w, (uint16_t)next_random(3));
		writer_bytes(&w, target.wire, next_random(3) == 0 ? 0 : target.len);
		if (writer_len(&w) == 2) {
			writer_u8(&w, 0); /* the owner, who shall have something to tell */
			kit_add(z, owner.wire, RRTYPE_A, 300, (const uint8_t *)"abcd", 4);
		}
		break;
	case RRTYPE_NAPTR:
		writer_u32(&w, next_random(3));
		writer_u8(&w, next_random(8) != 0);
		if (rdata[4] != 0) {
			writer_u8(&w, (uint8_t) "aAsu"[next_random(4)]);
		}
		writer_u16(&w, 0);
		writer_bytes(&w, target.wire, target.len);
		break;
	default:
		if (type == RRTYPE_SRV) {
			writer_u32(&w, 0);
		}
		if (type == RRTYPE_SRV || type == RRTYPE_MX) {
			writer_u16(&w, (uint16_t)next_random(3));
		}
		writer_bytes(&w, target.wire, target.len);
		break;
	}
	kit_add(z, owner.wire, type, 300, rdata, writer_len(&w));
}

static void random_world(struct kit *k)
{
	kit_init(k);
	k->config.full = next_random(4) == 0;
	for (unsigned i = 0; i < ARRAY_LEN(apexes); i++) {
		if (i == 0 || next_random(i == 4 ? 6 : 2) == 0) {
			(void)kit_zone(k, apexes[i]);
		}
	}
	for (unsigned i = 0; i < k->count; i++) {
		struct kit_zone *z = &k->zones[i];
		kit_add_text(z, z->apex.wire, RRTYPE_SOA, "ns Host 1 3600 900 1209600 100");
		kit_add_text(z, z->apex.wire, RRTYPE_NS, next_random(2) == 0 ? "b" : "ns.out.");
		for (unsigned n = next_random(30); n != 0; n--) {
			add_random(k, z);
		}
		z->param.iterations = (uint16_t)next_random(3);
		z->param.salt_len = (uint8_t)next_random(3);
		kit_sign(z, next_random(4));
	}
	kit_serve(k);
}

static void random_question(const struct kit *k)
{
	static const uint16_t types[] = { RRTYPE_A,	RRTYPE_A,     RRTYPE_AAAA,   RRTYPE_NS,
					  RRTYPE_SOA,	RRTYPE_CNAME, RRTYPE_DNAME,  RRTYPE_DS,
					  RRTYPE_DS,	RRTYPE_MX,    RRTYPE_TXT,    RRTYPE_SRV,
					  RRTYPE_NSEC,	RRTYPE_NSEC3, RRTYPE_DNSKEY, RRTYPE_ANY,
					  RRTYPE_RRSIG, RRTYPE_HTTPS, RRTYPE_HTTPS,  RRTYPE_NAPTR };
	const struct kit_zone *z = &k->zones[next_random(k->count)];
	m.qtype = types[next_random(ARRAY_LEN(types))];
	m.dnssec = next_random(3) != 0;
	m.full = k->config.full;
	m.k = k;
	m.name = next_random(2) == 0 ? z->rr[next_random((unsigned)z->count)].owner
				     : random_name(z->apex.wire, next_random(6));
	for (unsigned n = next_random(3); n > 1 && m.name.len < 60; n--) {
		m.name = random_name(m.name.wire, 1);
	}
	if (next_random(20) == 0 && m.name.len < 30) { /* long enough for YXDOMAIN */
		while (m.name.len < 250) {
			m.name = random_name(m.name.wire, 1);
		}
	}
}

/* A name may come in several spellings, of which a set shows one. */
static void fold(struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		b->data[i] = (char)text_lower[(uint8_t)b->data[i]];
	}
	kit_sort_lines(b);
}

static void compare(const char *what, const struct dname *name, struct buf *got, struct buf *want)
{
	fold(got);
	fold(want);
	if (strcmp(got->data, want->data) != 0) {
		char text[DNAME_TEXT_MAX];
		char type[RRTYPE_TEXT_MAX];
		(void)dname_to_text(name->wire, text);
		ck_abort_msg("%s: %s %s%s\ngot:\n%s\nexpected:\n%s", what, text,
			     rrtype_to_text(m.qtype, type), m.dnssec ? " DO" : "", got->data,
			     want->data);
	}
}

static void show_response(struct buf *out, const struct kit_response *r, enum section last)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->rr[i].section <= last) {
			kit_show_record(out, &r->rr[i]);
		}
	}
}

/* One question over TCP, where everything has room, and over UDP. */
static void ask(struct kit *k)
{
	struct buf got = { 0 };
	struct buf want = { 0 };
	random_question(k);
	const struct dname name = m.name;
	unsigned how = m.dnssec ? KIT_DO : next_random(2);
	kit_ask_size(k, name.wire, m.qtype, how | KIT_TCP, 1232, &res);
	buf_printf(&got, "%s%s\n", kit_rcode(res.rcode),
		   (res.header.flags & MESSAGE_AA) != 0 ? " aa" : "");
	show_response(&got, &res, SECTION_AUTHORITY);
	model_answer(&want);
	show_lines(&want, SECTION_ANSWER, SECTION_AUTHORITY);
	compare("answer and authority", &name, &got, &want);
	model_additional(&res);
	buf_reset(&got);
	buf_reset(&want);
	show_response(&got, &res, SECTION_ADDITIONAL);
	show_lines(&want, SECTION_ANSWER, SECTION_ADDITIONAL);
	compare("all sections", &name, &got, &want);
	/* Over UDP the same, or less and TC; additional data may go without. */
	kit_ask_size(k, name.wire, m.qtype, how, (uint16_t)next_random(1400), &small);
	if ((small.header.flags & MESSAGE_TC) == 0) {
		ck_assert_uint_eq(small.rcode, res.rcode);
		ck_assert_uint_eq(small.header.count[1], res.header.count[1]);
		ck_assert(m.full || small.header.count[2] == res.header.count[2]);
	}
	buf_clear(&got);
	buf_clear(&want);
}

START_TEST(random_questions)
{
	unsigned rcodes[16] = { 0 };
	for (unsigned i = 0; i < WORLDS; i++) {
		struct kit k;
		random_world(&k);
		for (unsigned n = 0; n < QUESTIONS; n++) {
			ask(&k);
			rcodes[res.rcode]++;
		}
		kit_clear(&k);
	}
	/* All kinds came up. */
	ck_assert_uint_gt(rcodes[RCODE_NOERROR], 10000);
	ck_assert_uint_gt(rcodes[RCODE_NXDOMAIN], 10000);
	ck_assert_uint_gt(rcodes[RCODE_YXDOMAIN], 10);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("query_random");
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, random_questions);
	return unit_run("query_random", tc);
}

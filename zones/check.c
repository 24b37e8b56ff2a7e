/* zones/check.c - the checks of a zone, all in one walk. */
#include "zones/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/base/time.h"
#include "zones/dns/rdata.h"

/* Strings longer than this are cut by old software that keeps them in one line of a page. */
#define TXT_TOTAL_MAX 4000

static const struct {
	const char *name;
	const char *help;
	enum check_level level;
} checks[CHECK_COUNT] = {
#define X(id, name, level, help) [CHECK_##id] = { name, help, CHECK_##level },
	CHECK_MAP(X)
#undef X
};

static const char *const level_names[] = {
	[CHECK_IGNORE] = "ignore",
	[CHECK_WARN] = "warn",
	[CHECK_ERROR] = "error",
};

struct check_run {
	const struct version *v;
	const struct check_levels *levels;
	int64_t now;
	struct findings *findings;
	const struct node *hides; /* the cut or DNAME above the name at hand, or NULL */
	size_t errors;
	char apex[DNAME_TEXT_MAX];
};

void check_levels_init(struct check_levels *levels)
{
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		levels->level[i] = (uint8_t)checks[i].level;
	}
}

const char *check_name(enum check c)
{
	return checks[c].name;
}

const char *check_help(enum check c)
{
	return checks[c].help;
}

const char *check_level_name(enum check_level level)
{
	return level_names[level];
}

int check_levels_set(struct check_levels *levels, const char *name, const char *level,
		     struct errmsg *em)
{
	const char *list[CHECK_COUNT + 1] = { NULL };
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		list[i] = checks[i].name;
		if (strcmp(name, checks[i].name) != 0) {
			continue;
		}
		for (unsigned k = 0; k < ARRAY_LEN(level_names); k++) {
			if (strcmp(level, level_names[k]) == 0) {
				levels->level[i] = (uint8_t)k;
				return E_OK;
			}
		}
		return err_set(em, E_INVAL, "\"%s\" is no level; say ignore, warn or error", level);
	}
	const char *near = text_did_you_mean(name, list);
	return err_set(em, E_NOENT, "there is no check \"%s\"; %s%s%s", name,
		       near != NULL ? "did you mean \"" : "see signet-checkzone --list-checks",
		       near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static PRINTF(5, 6) void report(struct check_run *r, enum check c, const uint8_t *owner,
				uint16_t type, const char *fmt, ...)
{
	enum check_level level = r->levels->level[c];
	if (level == CHECK_IGNORE) {
		return;
	}
	char text[300];
	char name[DNAME_TEXT_MAX];
	char mnemonic[RRTYPE_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)dname_to_text(owner, name);
	if (level == CHECK_ERROR) {
		r->errors++;
	}
	findings_add(r->findings, level == CHECK_ERROR, "%.150s: %.150s%s%s: %s [%s]", r->apex,
		     name, type != 0 ? " " : "", type != 0 ? rrtype_to_text(type, mnemonic) : "",
		     text, checks[c].name);
}

static bool is_on(const struct check_run *r, enum check c)
{
	return r->levels->level[c] != CHECK_IGNORE;
}

/* --- where names lead ------------------------------------------------------------------------ */

enum target {
	TARGET_OK,	/* has an address, or lies outside what the zone knows */
	TARGET_MISSING, /* inside, but no address there */
	TARGET_CNAME,
};

/* What is at a name that NS or MX points to; @glue: addresses below cuts count. */
static enum target target_of(const struct check_run *r, const uint8_t *name)
{
	const struct version *v = r->v;
	struct dname_key key;
	struct tree_match m;
	if (!dname_is_under(name, v->apex.wire)) {
		return TARGET_OK;
	}
	dname_key_make(&key, name);
	tree_find(&v->names, &key, name, NODE_CUT | NODE_DNAME, &m);
	const struct node *n = m.exact;
	if (n == NULL) {
		for (unsigned i = 0; i < m.ancestors; i++) {
			if ((m.ancestor[i].flags & (NODE_CUT | NODE_DNAME)) != 0) {
				return TARGET_OK; /* another zone knows */
			}
		}
		/* A wildcard may give it an address (RFC 4592). */
		struct dname wild;
		static const uint8_t star[] = { 1, '*' };
		if (m.encloser == key.labels ||
		    dname_prepend(&wild, star, dname_up(name, key.labels - m.encloser)) != E_OK) {
			return TARGET_MISSING;
		}
		n = version_node(v, wild.wire);
		if (n == NULL) {
			return TARGET_MISSING;
		}
	} else if ((m.exact_flags & NODE_CUT) != 0) {
		return TARGET_OK;
	}
	if ((n->flags & NODE_CNAME) != 0) {
		return TARGET_CNAME;
	}
	bool address = node_find(n, RRTYPE_A) != NULL || node_find(n, RRTYPE_AAAA) != NULL;
	if (!address && version_is_occluded(v, n->name, NULL)) {
		return TARGET_OK; /* said by missing-glue where it matters */
	}
	return address ? TARGET_OK : TARGET_MISSING;
}

static void check_targets(struct check_run *r, enum check c, const struct node *n,
			  const struct rrset *rs)
{
	const uint8_t *p = rrset_data(rs);
	for (unsigned i = 0; i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		int at = rdata_name_at(rs->type, rr.rdata, rr.rdlen, 0);
		if (at < 0 || rr.rdata[at] == 0) {
			continue;
		}
		char name[DNAME_TEXT_MAX];
		enum target t = target_of(r, rr.rdata + at);
		if (t == TARGET_OK) {
			continue;
		}
		(void)dname_to_text(rr.rdata + at, name);
		report(r, c, n->name, rs->type, "%.200s %s", name,
		       t == TARGET_CNAME ? "is a CNAME; name the host itself (RFC 2181 10.3)"
					 : "has no address; add one");
	}
}

/* Name servers at or below the cut need their address with the referral (RFC 9471). */
static void check_glue(struct check_run *r, const struct node *cut, const struct rrset *ns)
{
	const uint8_t *p = rrset_data(ns);
	for (unsigned i = 0; i < ns->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		if (!dname_is_under(rr.rdata, cut->name)) {
			continue;
		}
		const struct node *n = version_node(r->v, rr.rdata);
		if (n == NULL ||
		    (node_find(n, RRTYPE_A) == NULL && node_find(n, RRTYPE_AAAA) == NULL)) {
			char name[DNAME_TEXT_MAX];
			(void)dname_to_text(rr.rdata, name);
			report(r, CHECK_GLUE, cut->name, RRTYPE_NS,
			       "%.200s is inside the delegation and has no address; add its glue",
			       name);
		}
	}
}

/* --- sets ------------------------------------------------------------------------------------ */

static void check_txt(struct check_run *r, const struct node *n, const struct rrset *rs)
{
	const uint8_t *p = rrset_data(rs);
	for (unsigned i = 0; i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		if (rr.rdlen > TXT_TOTAL_MAX) {
			report(r, CHECK_STRING_LENGTH, n->name, rs->type,
			       "%u octets of text; some software cuts beyond %d", rr.rdlen,
			       TXT_TOTAL_MAX);
		}
	}
}

static void check_signatures(struct check_run *r, const struct node *n, const struct rrset *rs)
{
	const uint8_t *p = rrset_sig_data(rs);
	for (unsigned i = 0; i < rs->sigs; i++) {
		struct rr rr;
		char text[TIME_TEXT14_LEN + 1];
		p = rr_read(p, &rr);
		if (rr.rdlen < 18) {
			continue;
		}
		int64_t expiration = time_unwrap32(be32_get(rr.rdata + 8), r->now);
		int64_t inception = time_unwrap32(be32_get(rr.rdata + 12), r->now);
		if (r->now > expiration) {
			time_to_text14(expiration, text);
			report(r, CHECK_SIG_EXPIRED, n->name, rs->type,
			       "signature expired at %s; sign again", text);
		} else if (r->now < inception) {
			time_to_text14(inception, text);
			report(r, CHECK_SIG_NOT_YET, n->name, rs->type,
			       "signature is valid from %s only", text);
		}
	}
}

static void check_nsec3param(struct check_run *r, const struct node *n, const struct rrset *rs)
{
	const uint8_t *p = rrset_data(rs);
	if (rs->count > 1) {
		report(r, CHECK_NSEC3_PARAM, n->name, rs->type, "%u chains; one is enough",
		       rs->count);
	}
	for (unsigned i = 0; i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		unsigned iterations = be16_get(rr.rdata + 2);
		if (iterations != 0) {
			report(r, CHECK_NSEC3_PARAM, n->name, rs->type,
			       "%u iterations, RFC 9276 wants 0", iterations);
		}
		if (rr.rdata[4] != 0) {
			report(r, CHECK_NSEC3_PARAM, n->name, rs->type,
			       "a salt, RFC 9276 wants none");
		}
	}
}

/* Types that may stand beside a CNAME (RFC 4034 §2.5, RFC 2181 §10.1). */
static bool goes_with_cname(uint16_t type)
{
	return type == RRTYPE_CNAME || type == RRTYPE_NSEC || type == RRTYPE_NSEC3 ||
	       type == RRTYPE_KEY || type == RRTYPE_RRSIG;
}

static void check_cname(struct check_run *r, const struct node *n)
{
	const struct rrset *cname = node_find(n, RRTYPE_CNAME);
	if (cname == NULL) {
		return;
	}
	if (cname->count > 1) {
		report(r, CHECK_CNAME_SEVERAL, n->name, RRTYPE_CNAME, "%u CNAMEs; keep one",
		       cname->count);
	}
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (rs[i].count != 0 && !goes_with_cname(rs[i].type)) {
			char text[RRTYPE_TEXT_MAX];
			report(r, CHECK_CNAME_OTHER, n->name, RRTYPE_CNAME,
			       "stands beside %s; a CNAME is alone (RFC 2181 10.1)",
			       rrtype_to_text(rs[i].type, text));
			return;
		}
	}
}

static void check_set(struct check_run *r, const struct node *n, const struct rrset *rs)
{
	bool apex = (n->flags & NODE_APEX) != 0;
	if ((rs->flags & RRSET_TTL_DIFFERED) != 0) {
		report(r, CHECK_TTL, n->name, rs->type,
		       "several TTLs in one set; the least, %u, is used (RFC 2181 5.2)",
		       rrset_ttl(rs));
	}
	if (rs->sigs != 0 && (is_on(r, CHECK_SIG_EXPIRED) || is_on(r, CHECK_SIG_NOT_YET))) {
		check_signatures(r, n, rs);
	}
	if (rs->count == 0) {
		return;
	}
	switch (rs->type) {
	case RRTYPE_SOA:
		if (!apex) {
			report(r, CHECK_SOA, n->name, rs->type,
			       "a SOA below the apex; take it out");
		}
		break;
	case RRTYPE_NS:
		if (!apex && is_on(r, CHECK_GLUE)) {
			check_glue(r, n, rs);
		}
		if (dname_is_wildcard(n->name)) {
			report(r, CHECK_WILDCARD_NS, n->name, rs->type,
			       "NS at a wildcard is not defined (RFC 4592 4.2)");
		}
		if (is_on(r, CHECK_NS_ADDRESS)) {
			check_targets(r, CHECK_NS_ADDRESS, n, rs);
		}
		break;
	case RRTYPE_MX:
		if (is_on(r, CHECK_MX_ADDRESS)) {
			check_targets(r, CHECK_MX_ADDRESS, n, rs);
		}
		break;
	case RRTYPE_DS:
		if ((n->flags & NODE_CUT) == 0) {
			report(r, CHECK_DS_NO_NS, n->name, rs->type,
			       "DS without NS; add the delegation or take the DS out");
		}
		break;
	case RRTYPE_TXT:
		check_txt(r, n, rs);
		break;
	case RRTYPE_NSEC3PARAM:
		check_nsec3param(r, n, rs);
		break;
	default:
		break;
	}
}

static void check_node(struct check_run *r, const struct node *n)
{
	if (r->hides != NULL && !dname_is_under(n->name, r->hides->name)) {
		r->hides = NULL;
	}
	bool occluded = r->hides != NULL;
	if (occluded && (r->hides->flags & NODE_CUT) == 0) {
		report(r, CHECK_DNAME_CHILDREN, n->name, 0,
		       "lies below a DNAME and is never seen (RFC 6672 2.4)");
	}
	if (!occluded && (n->flags & (NODE_CUT | NODE_DNAME)) != 0) {
		r->hides = n;
	}
	const struct rrset *rs = node_rrsets(n);
	if ((n->flags & NODE_CNAME) != 0) {
		check_cname(r, n);
	}
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (!occluded || rs[i].type == RRTYPE_SOA) {
			check_set(r, n, &rs[i]);
		}
	}
}

static void check_apex(struct check_run *r)
{
	const struct version *v = r->v;
	if (v->soa == NULL) {
		report(r, CHECK_SOA, v->apex.wire, RRTYPE_SOA, "no SOA at the apex; add one");
	} else if (v->soa->count != 1) {
		report(r, CHECK_SOA, v->apex.wire, RRTYPE_SOA, "%u SOA records; keep one",
		       v->soa->count);
	}
	if (v->apex_node == NULL || node_find(v->apex_node, RRTYPE_NS) == NULL) {
		report(r, CHECK_APEX_NS, v->apex.wire, RRTYPE_NS,
		       "no NS at the apex; name the servers of the zone");
	}
}

int check_version(const struct version *v, const struct check_levels *levels, int64_t now,
		  struct findings *findings)
{
	struct check_run r = { .v = v, .levels = levels, .now = now, .findings = findings };
	struct tree_cursor *c = mem_alloc(sizeof(*c));
	(void)dname_to_text(v->apex.wire, r.apex);
	check_apex(&r);
	for (const struct node *n = tree_first(&v->names, c); n != NULL; n = tree_next(c)) {
		check_node(&r, n);
	}
	r.hides = NULL;
	for (const struct node *n = tree_first(&v->nsec3, c); n != NULL; n = tree_next(c)) {
		check_node(&r, n);
	}
	mem_free(c);
	return r.errors != 0 ? E_CHECK : E_OK;
}

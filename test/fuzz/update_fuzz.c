/* test/fuzz/update_fuzz.c - any octets as a dynamic update, applied to a small zone that looks signed.
 *
 * The first octet says what the client may change, the rest is the message. Whatever it asks for: a request that is
 * turned down changes nothing, and one that is not leaves a zone that can be served. */
#include "test/unit/zones/ddns_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIG(type) #type " 13 2 300 20300101000000 20200101000000 1 z. AAAA"

static const char zone[] = "@ 300 SOA ns host 1 3600 900 1209600 300\n@ 300 RRSIG " SIG(
	SOA) "\n"
	     "@ 300 NS ns\n@ 300 NS ns2\n@ 300 DNSKEY 257 3 13 AAAA\n@ 0 NSEC3PARAM 1 0 0 -\n@ 0 CDS 1 13 2 00\n"
	     "@ 300 NSEC a SOA NS RRSIG NSEC\na 300 A 192.0.2.1\na 300 A 192.0.2.2\na 300 RRSIG " SIG(
		     A) "\n"
			"a 300 NSEC b A RRSIG NSEC\nb 300 TXT x\nc 300 CNAME a\nc 300 NSEC d CNAME NSEC\nd 300 DNAME a\n"
			"e.f 300 MX 10 Mail\ng 300 NSEC @ NSEC\nw 300 WKS 192.0.2.1 6 25\nsub 300 NS ns.sub\nsub 300 DS 1 13 2 00\n"
			"ns.sub 300 A 192.0.2.4\n*.x 300 A 192.0.2.5\n";

static void check_set(const struct rrset *rs)
{
	const uint8_t *p = rrset_data(rs);
	for (unsigned i = 0; i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		kit_require(rr.ttl == rrset_ttl(rs) && rr.ttl <= DDNS_HELD_MAX, "TTLs");
		kit_require(rdata_check(rr.type, rr.rdata, rr.rdlen) == E_OK, "rdata");
	}
	bool is_singleton = (rrtype_flags(rs->type) & RR_SINGLETON) != 0;
	kit_require(!is_singleton || rs->count <= 1, "several");
	kit_require(rs->data_len <= DDNS_SET_MAX, "a large set");
}

static void check_node(const struct node *n)
{
	const struct rrset *rs = node_rrsets(n);
	bool has_cname = node_find(n, RRTYPE_CNAME) != NULL;
	bool is_zone_ns = (n->flags & NODE_APEX) != 0;
	kit_require(!(node_find(n, RRTYPE_DNAME) != NULL && node_find(n, RRTYPE_NS) != NULL) ||
			    is_zone_ns,
		    "DNAME and NS");
	kit_require(node_find(n, RRTYPE_DS) == NULL || (n->flags & NODE_CUT) != 0, "DS");
	for (unsigned i = 0; i < n->rrsets; i++) {
		bool suits = rs[i].type == RRTYPE_CNAME || rs[i].type == RRTYPE_NSEC ||
			     rs[i].type == RRTYPE_KEY || rs[i].count == 0;
		kit_require(!has_cname || suits, "beside a CNAME");
		kit_require(rs[i].type != RRTYPE_SOA || (n->flags & NODE_APEX) != 0, "SOA");
		if (rs[i].count != 0) {
			check_set(&rs[i]);
		}
	}
}

static void check_state(const struct version *v, const struct version *base)
{
	struct version_walk walk;
	tree_check(&v->names);
	kit_require(v->soa != NULL && node_find(v->apex_node, RRTYPE_NS) != NULL, "apex");
	kit_require(v->nsec3.empty, "NSEC3");
	kit_require(v->serial == base->serial || v->serial - base->serial < 0x80000000, "serial");
	for (const struct node *n = version_first(v, &walk); n != NULL; n = version_next(&walk)) {
		check_node(n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct version *base;
	if (base == NULL) {
		base = kit_version(zone);
	}
	if (size == 0 || size > MESSAGE_MAX) {
		return 0;
	}
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	/* Twice: the second finds what the first did. */
	for (unsigned i = 0; i < 2; i++) {
		struct ddns_result result;
		uint64_t before = edit_changes(e);
		uint64_t records = edit_state(e)->records;
		enum rcode rcode = kit_update(data + 1, size - 1, data[0], e, &result);
		bool is_changed = edit_changes(e) != before;
		kit_require(edit_error(e, NULL) == E_OK, "the edit");
		kit_require(is_changed == result.is_changed, "what changed");
		kit_require(rcode == RCODE_NOERROR || !is_changed, "half of it");
		kit_require(edit_state(e)->records <= records + result.added - result.removed,
			    "how much");
	}
	check_state(edit_state(e), base);
	edit_abort(e);
	return 0;
}

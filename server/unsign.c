/* server/unsign.c - a zone without what signing it has made. */
#include "server/unsign.h"
#include "server/zone_text.h"

#include <string.h>

#include "zones/base/log.h"
#include "zones/base/mem.h"

static bool is_of_key(const struct rr *rr, const struct key *k)
{
	uint8_t rdata[KEY_RDATA_MAX > 4 + CRYPTO_DIGEST_MAX ? KEY_RDATA_MAX
							    : 4 + CRYPTO_DIGEST_MAX];
	int len = rr->type == RRTYPE_CDS ? key_ds(k, 2, rdata, sizeof(rdata))
					 : (int)key_rdata(k, rdata);
	return len > 0 && rr->rdlen == (size_t)len && memcmp(rr->rdata, rdata, rr->rdlen) == 0;
}

bool unsign_takes(const struct rr *rr, const struct holder *holder, bool zonemd)
{
	if (rrtype_is_of_signing(rr->type)) {
		return true;
	}
	switch (rr->type) {
	case RRTYPE_ZONEMD:
		return zonemd;
	case RRTYPE_DNSKEY:
	case RRTYPE_CDNSKEY:
	case RRTYPE_CDS:
		for (size_t i = 0; holder != NULL && i < holder_count(holder); i++) {
			if (is_of_key(rr, holder_key(holder, i))) {
				return true;
			}
		}
		return false;
	default:
		return false;
	}
}

/* Copies what stays of @rs, without signatures. A digest over the zone is right no longer, whoever made it. */
static void copy_rest(struct node_build *b, const struct rrset *rs, const struct holder *holder)
{
	const uint8_t *p = rrset_data(rs);
	bool is_begun = false;
	for (unsigned i = 0; i < rs->count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		if (unsign_takes(&rr, holder, true)) {
			continue;
		}
		if (!is_begun) {
			node_build_set(b, rs->type, rs->flags);
			is_begun = true;
		}
		node_build_rr(b, rr.ttl, rr.rdata, rr.rdlen);
	}
}

void unsign(struct edit *e, const struct version *base, const struct holder *holder)
{
	struct version_walk *walk = mem_alloc(sizeof(*walk));
	struct node_build b = { 0 };
	for (const struct node *n = version_first(base, walk); n != NULL; n = version_next(walk)) {
		const struct rrset *rs = node_rrsets(n);
		if ((n->flags & NODE_NSEC3) != 0) {
			edit_drop_nsec3(e, n->name);
			continue;
		}
		node_build_begin(&b, n->name);
		for (unsigned i = 0; i < n->rrsets; i++) {
			copy_rest(&b, &rs[i], holder);
		}
		edit_put_node(e, node_build_end(&b, n == base->apex_node));
	}
	node_build_clear(&b);
	mem_free(walk);
}

void unsign_warn(const uint8_t *apex)
{
	struct zone_text name;
	log_warn("zone-unsigned",
		 "zone=%s reason=\"it has no zones.dnssec any more\" remedy=\"where the parent has "
		 "DS records of the zone, validators refuse it: sign it again until they are gone "
		 "and have expired\"",
		 zone_text(apex, &name));
}

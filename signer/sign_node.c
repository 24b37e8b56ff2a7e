/* signer/sign_node.c - one node: its NSEC record and the signatures of its sets. */
#include "signer/sign_run.h"

#include <string.h>

#include "zones/base/time.h"

static const struct key_list *keys_for(const struct sign_run *run, uint16_t type)
{
	switch (type) {
	case RRTYPE_DNSKEY:
	case RRTYPE_CDS:
	case RRTYPE_CDNSKEY:
		return &run->dnskey_keys;
	default:
		return &run->zone_keys;
	}
}

/* The verifier of key @k of the holder; made at first use. */
static int verifier_for(const struct sign_run *run, struct sign_worker *w, size_t k,
			struct crypto_verifier **out)
{
	if (k >= SIGN_KEYS_MAX) {
		return E_LIMIT;
	}
	if (w->verifier[k] == NULL) {
		int err = crypto_verifier_new(holder_key(run->holder, k)->pair, &w->verifier[k]);
		if (err != E_OK) {
			return err;
		}
	}
	*out = w->verifier[k];
	return E_OK;
}

/* Is this signature still good, not due, and made by @k? */
static bool sig_is_good(const struct sign_run *run, struct sign_worker *w, size_t k,
			const struct rrsig *s, const uint8_t *owner, const struct rrset *rs)
{
	const struct key *key = holder_key(run->holder, k);
	const struct sign_policy *p = run->policy;
	if (s->key_tag != key->tag || s->algorithm != key->algorithm ||
	    s->labels != rrsig_labels(owner) || s->original_ttl != rrset_ttl(rs) ||
	    !dname_equal(s->signer, run->apex.wire) ||
	    rrsig_check_fields(s, owner, rs, p->now) != E_OK ||
	    rrsig_check_fields(s, owner, rs, p->now + p->refresh) == E_EXPIRED) {
		return false;
	}
	if (p->trusted) {
		return true;
	}
	struct crypto_verifier *v;
	return verifier_for(run, w, k, &v) == E_OK &&
	       rrsig_check(v, s, owner, rs, &w->scratch) == E_OK;
}

/* The good signature of key @k among those of @old, or NULL. */
static const uint8_t *find_good(const struct sign_run *run, struct sign_worker *w, size_t k,
				const uint8_t *owner, const struct rrset *rs,
				const struct rrset *old, size_t *len)
{
	const uint8_t *p = old != NULL ? rrset_sig_data(old) : NULL;
	for (unsigned i = 0; old != NULL && i < old->sigs; i++) {
		struct rr rr;
		struct rrsig s;
		p = rr_read(p, &rr);
		if (rr.ttl == rrset_ttl(rs) && rrsig_read(rr.rdata, rr.rdlen, &s) == E_OK &&
		    sig_is_good(run, w, k, &s, owner, rs)) {
			int64_t due = time_unwrap32(s.expiration, run->policy->now) -
				      run->policy->refresh;
			w->stats.next_due = due < w->stats.next_due ? due : w->stats.next_due;
			*len = rr.rdlen;
			return rr.rdata;
		}
	}
	return NULL;
}

/* Spreads expirations: the same set always gets the same place within the jitter, so that the output
 * does not depend on threads or chance (FNV-1a over owner and type). */
static uint32_t jitter_of(const struct sign_run *run, const uint8_t *owner, uint16_t type)
{
	if (run->policy->jitter == 0) {
		return 0;
	}
	uint64_t h = 14695981039346656037U;
	size_t len = dname_len(owner);
	for (size_t i = 0; i < len; i++) {
		h = (h ^ text_lower[owner[i]]) * 1099511628211U;
	}
	h = (h ^ type) * 1099511628211U;
	return (uint32_t)((h >> 16) % ((uint64_t)run->policy->jitter + 1));
}

static void sort_sigs(struct sign_worker *w)
{
	for (size_t i = 1; i < w->sigs; i++) {
		for (size_t k = i; k > 0; k--) {
			struct made_sig *a = &w->sig[k - 1];
			struct made_sig *b = &w->sig[k];
			if (rdata_compare(RRTYPE_RRSIG, a->rdata, a->len, b->rdata, b->len) <= 0) {
				break;
			}
			struct made_sig swap = *a;
			bool a_made = a->rdata == a->made;
			bool b_made = b->rdata == b->made;
			*a = *b;
			*b = swap;
			if (b_made) {
				a->rdata = a->made;
			}
			if (a_made) {
				b->rdata = b->made;
			}
		}
	}
}

int sign_set(const struct sign_run *run, struct sign_worker *w, const uint8_t *owner,
	     const struct rrset *rs, const struct rrset *old)
{
	const struct key_list *keys = keys_for(run, rs->type);
	const struct sign_policy *p = run->policy;
	size_t kept = 0;
	w->sigs = 0;
	for (size_t i = 0; i < keys->count; i++) {
		struct made_sig *sig = &w->sig[w->sigs++];
		sig->rdata = find_good(run, w, keys->key[i], owner, rs, old, &sig->len);
		if (sig->rdata != NULL) {
			kept++;
			continue;
		}
		int64_t expiration = p->expiration - jitter_of(run, owner, rs->type);
		const struct rrsig_times times = { (uint32_t)p->inception, (uint32_t)expiration };
		int err = rrsig_make(w->session, run->holder, keys->key[i], owner, rs, &times,
				     &w->scratch, sig->made, &sig->len);
		if (err != E_OK) {
			return err;
		}
		sig->rdata = sig->made;
		w->changed = true;
		w->stats.made++;
		int64_t due = expiration - p->refresh;
		w->stats.next_due = due < w->stats.next_due ? due : w->stats.next_due;
	}
	w->stats.kept += kept;
	if (old != NULL && old->sigs > kept) {
		w->stats.dropped += old->sigs - kept;
		w->changed = true;
	}
	sort_sigs(w);
	return E_OK;
}

void sign_put_set(struct sign_worker *w, const struct rrset *rs)
{
	node_build_copy(&w->build, rs, false);
	for (size_t i = 0; i < w->sigs; i++) {
		node_build_sig(&w->build, rrset_ttl(rs), w->sig[i].rdata, w->sig[i].len);
	}
}

const struct rrset *sign_single(struct sign_worker *w, uint16_t type, uint32_t ttl,
				const uint8_t *rdata, size_t len)
{
	size_t size = sizeof(struct rrset) + NODE_RR_FIXED + len;
	w->single.len = 0;
	uint8_t *at = (uint8_t *)buf_reserve(&w->single, size);
	struct rrset *rs = (struct rrset *)(void *)at;
	*rs = (struct rrset){ .type = type,
			      .count = 1,
			      .offset = sizeof(*rs),
			      .data_len = (uint32_t)(NODE_RR_FIXED + len) };
	uint8_t *to = at + sizeof(*rs);
	be16_put(to, NODE_RR_OWNER);
	be16_put(to + 2, type);
	be16_put(to + 4, RRCLASS_IN);
	be32_put(to + 6, ttl);
	be16_put(to + 10, (uint16_t)len);
	memcpy(to + NODE_RR_FIXED, rdata, len);
	return rs;
}

bool sign_is_single(const struct rrset *rs, uint32_t ttl, const uint8_t *rdata, size_t len)
{
	if (rs == NULL || rs->count != 1) {
		return false;
	}
	struct rr rr;
	(void)rr_read(rrset_data(rs), &rr);
	return rr.ttl == ttl && rr.rdlen == len && memcmp(rr.rdata, rdata, len) == 0;
}

/* NSEC rdata of item @i (RFC 4034 §4.1): next owner and the types there (RFC 4035 §2.3). */
static int nsec_rdata(const struct item *item, struct writer *out)
{
	const struct node *n = item->node;
	writer_bytes(out, item->next, dname_len(item->next));
	struct typemap map;
	typemap_init(&map);
	typemap_add(&map, RRTYPE_RRSIG);
	typemap_add(&map, RRTYPE_NSEC);
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		bool seen = item->place == PLACE_AUTHORITATIVE || rs[i].type == RRTYPE_NS ||
			    rs[i].type == RRTYPE_DS;
		if (seen && rs[i].count != 0) {
			typemap_add(&map, rs[i].type);
		}
	}
	typemap_write(&map, out);
	return out->err;
}

/* Is it the record with this rdata? The letters of the next name do not matter: they change when it goes and comes in one
 * change, and say nothing new. */
static bool is_nsec(const struct rrset *rs, uint32_t ttl, const uint8_t *rdata, size_t len)
{
	if (rs == NULL || rs->count != 1) {
		return false;
	}
	const size_t name = dname_len(rdata);
	struct rr rr;
	(void)rr_read(rrset_data(rs), &rr);
	return rr.ttl == ttl && rr.rdlen == len && dname_equal(rr.rdata, rdata) &&
	       memcmp(rr.rdata + name, rdata + name, len - name) == 0;
}

/* The NSEC set between the others of the node; the one that is there stays when it is right. */
static int put_nsec(const struct sign_run *run, struct sign_worker *w, const struct item *item,
		    const struct rrset *old)
{
	uint8_t rdata[DNAME_MAX + TYPEMAP_MAX];
	struct writer out = writer_of(rdata, sizeof(rdata));
	int err = nsec_rdata(item, &out);
	if (err != E_OK) {
		return err;
	}
	const struct rrset *rs = old;
	if (!is_nsec(old, run->nsec_ttl, rdata, writer_len(&out))) {
		rs = sign_single(w, RRTYPE_NSEC, run->nsec_ttl, rdata, writer_len(&out));
		w->changed = true;
		w->stats.dropped += old != NULL ? old->sigs : 0;
	}
	w->stats.chain++;
	err = sign_set(run, w, item->node->name, rs, rs == old ? old : NULL);
	if (err == E_OK) {
		sign_put_set(w, rs);
	}
	return err;
}

static bool set_is_signed(const struct sign_run *run, const struct item *item, uint16_t type)
{
	if (run->zonemd_later && type == RRTYPE_ZONEMD && (item->node->flags & NODE_APEX) != 0) {
		return false;
	}
	return item->place == PLACE_AUTHORITATIVE ||
	       (item->place == PLACE_CUT && type == RRTYPE_DS);
}

/* The set whose signatures may be kept for @rs: the published one, where it has the same records. */
static const struct rrset *published_set(const struct item *item, const struct rrset *rs)
{
	if (item->published == item->node) {
		return rs;
	}
	const struct rrset *before =
		item->published != NULL ? node_find(item->published, rs->type) : NULL;
	return rrset_same_records(before, rs) ? before : NULL;
}

static int put_set(const struct sign_run *run, struct sign_worker *w, const struct item *item,
		   const struct rrset *rs)
{
	if (rs->count == 0) { /* signatures of a set that is not there */
		w->stats.dropped += rs->sigs;
		w->changed = true;
		return E_OK;
	}
	w->sigs = 0;
	int err = E_OK;
	if (set_is_signed(run, item, rs->type)) {
		err = sign_set(run, w, item->node->name, rs, published_set(item, rs));
	} else if (rs->sigs != 0) {
		w->stats.dropped += rs->sigs;
		w->changed = true;
	}
	if (err == E_OK) {
		sign_put_set(w, rs);
	}
	return err;
}

/* The NSEC set that may stay, if it is right; @set is where it would stand in the node. */
static const struct rrset *published_nsec(const struct item *item, const struct rrset *set)
{
	if (item->published != item->node) {
		return item->published != NULL ? node_find(item->published, RRTYPE_NSEC) : NULL;
	}
	return set != NULL && set->type == RRTYPE_NSEC ? set : NULL;
}

int sign_node(const struct sign_run *run, struct sign_worker *w, const struct item *item,
	      const struct node **image)
{
	const struct node *n = item->node;
	const struct rrset *rs = node_rrsets(n);
	bool nsec = run->policy->denial == DENIAL_NSEC && item->place != PLACE_OCCLUDED;
	int err = E_OK;
	w->changed = item->published != n; /* it may have lost signatures that can be kept */
	*image = NULL;
	node_build_begin(&w->build, n->name);
	for (unsigned k = 0; k < n->rrsets && err == E_OK; k++) {
		const struct rrset *set = &rs[k];
		if (nsec && set->type >= RRTYPE_NSEC) {
			err = put_nsec(run, w, item, published_nsec(item, set));
			nsec = false;
		}
		if (err == E_OK && set->type == RRTYPE_NSEC) {
			/* Done above, or it does not belong here. */
			if (run->policy->denial != DENIAL_NSEC || item->place == PLACE_OCCLUDED) {
				w->stats.dropped += set->sigs;
				w->changed = true;
			}
			continue;
		}
		if (err == E_OK) {
			err = put_set(run, w, item, set);
		}
	}
	if (nsec && err == E_OK) {
		err = put_nsec(run, w, item, published_nsec(item, NULL));
	}
	if (err == E_OK && w->changed) {
		*image = node_build_end(&w->build, (n->flags & NODE_APEX) != 0);
		err = w->build.err;
	}
	return err;
}

void sign_slot_add(struct sign_slot *slot, const struct node *image)
{
	size_t padded = (image->size + 7U) & ~(size_t)7;
	memcpy(buf_reserve(&slot->images, padded), image, image->size);
	slot->images.len += padded;
}

/* The image at @*at, which goes on behind it; NULL behind the last. */
static const struct node *next_image(const struct sign_slot *slot, size_t *at)
{
	if (*at >= slot->images.len) {
		return NULL;
	}
	const struct node *n = (const struct node *)(const void *)(slot->images.data + *at);
	*at += (n->size + 7U) & ~(size_t)7;
	return n;
}

void sign_take_out(struct sign_run *run)
{
	const struct node *n;
	for (size_t at = 0; (n = next_image(&run->gone, &at)) != NULL;) {
		edit_put_node(run->edit, n);
	}
	run->gone.images.len = 0;
}

void sign_slot_finish(struct sign_run *run, struct sign_slot *slot)
{
	const struct node *n;
	for (size_t at = 0; (n = next_image(slot, &at)) != NULL;) {
		if (n->rrsets != 0) {
			edit_put_node(run->edit, n);
		} else {
			sign_slot_add(&run->gone, n);
		}
	}
	slot->images.len = 0;
	run->done += slot->count;
	if (run->policy->progress != NULL) {
		run->policy->progress(run->policy->progress_arg, run->done, run->total);
	}
}

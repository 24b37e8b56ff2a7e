/* zones/dump.c - a zone version as master-file text. */
#include "zones/dump.h"

#include "zones/base/mem.h"
#include "zones/dns/rdata.h"

/* Written in pieces of about this size. */
#define PIECE STRESSED((size_t)1 << 18, 1)

/* Records of one owner: its text is made once. */
struct dump {
	struct buf *out;
	unsigned flags;
	size_t owner_len;
	char owner[DNAME_TEXT_MAX];
};

static void dump_begin(struct dump *d, const uint8_t *owner, unsigned flags, struct buf *out)
{
	uint8_t lower[DNAME_MAX];
	d->out = out;
	d->flags = flags;
	if ((flags & DUMP_CANONICAL) != 0) {
		(void)dname_lower(lower, owner);
		owner = lower;
	}
	d->owner_len = dname_to_text(owner, d->owner);
}

static void dump_rr(struct dump *d, const struct rr *rr)
{
	struct buf *out = d->out;
	const uint8_t *rdata = rr->rdata;
	uint8_t small[512];
	uint8_t *large = NULL;
	if ((d->flags & DUMP_CANONICAL) != 0 && !rdata_canonical_is_same(rr->type)) {
		uint8_t *to = small;
		if (rr->rdlen > sizeof(small)) {
			to = large = mem_alloc(rr->rdlen);
		}
		rdata_canonical(rr->type, rdata, rr->rdlen, to);
		rdata = to;
	}
	char text[RRTYPE_TEXT_MAX];
	buf_add(out, d->owner, d->owner_len);
	buf_char(out, '\t');
	buf_u32(out, rr->ttl);
	buf_add(out, "\tIN\t", 4);
	buf_str(out, rrtype_to_text(rr->type, text));
	buf_char(out, '\t');
	rdata_to_text(rr->type, rdata, rr->rdlen, out);
	buf_char(out, '\n');
	mem_free(large);
}

static void dump_records(struct dump *d, const uint8_t *p, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct rr rr;
		p = rr_read(p, &rr);
		dump_rr(d, &rr);
	}
}

static void dump_set(struct dump *d, const struct rrset *rs)
{
	dump_records(d, rrset_data(rs), rs->count);
	dump_records(d, rrset_sig_data(rs), rs->sigs);
}

void dump_rrset(const uint8_t *owner, const struct rrset *rs, unsigned flags, struct buf *out)
{
	struct dump d;
	dump_begin(&d, owner, flags, out);
	dump_set(&d, rs);
}

void dump_node(const struct node *n, unsigned flags, struct buf *out)
{
	struct dump d;
	const struct rrset *rs = node_rrsets(n);
	/* A reader without $ORIGIN needs the SOA first. */
	const struct rrset *soa = (n->flags & NODE_APEX) != 0 ? node_find(n, RRTYPE_SOA) : NULL;
	dump_begin(&d, n->name, flags, out);
	if (soa != NULL) {
		dump_set(&d, soa);
	}
	for (unsigned i = 0; i < n->rrsets; i++) {
		if (&rs[i] != soa) {
			dump_set(&d, &rs[i]);
		}
	}
}

void dump_version(const struct version *v, unsigned flags, struct file_out *out)
{
	struct version_walk *walk = mem_alloc(sizeof(*walk));
	struct buf text = { 0 };
	for (const struct node *n = version_first(v, walk); n != NULL && out->err == E_OK;
	     n = version_next(walk)) {
		dump_node(n, flags, &text);
		if (text.len >= PIECE) {
			file_out_write(out, text.data, text.len);
			text.len = 0;
		}
	}
	if (text.len != 0) {
		file_out_write(out, text.data, text.len);
	}
	buf_clear(&text);
	mem_free(walk);
}

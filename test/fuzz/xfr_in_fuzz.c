/* test/fuzz/xfr_in_fuzz.c - any octets as the messages of a zone transfer, which is then made of a small zone.
 *
 * The first octet says how the zone is asked for, the rest is messages as over TCP. What is taken is as its type has it and
 * in the zone; what is not is refused with a reason. */
#include "server/xfr_in.h"
#include "test/unit/zones/ddns_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS 1000

static const char zone[] =
	"@ 300 SOA ns h 3 3600 900 86400 300\n@ 300 NS ns\nwww 60 A 192.0.2.1\na.b 60 MX 10 Mail\n";

static void check_version(const struct version *v, uint32_t serial)
{
	struct version_walk walk;
	tree_check(&v->names);
	kit_require(v->soa != NULL && v->serial == serial, "the SOA");
	kit_require(v->records <= RECORDS, "the limit");
	for (const struct node *n = version_first(v, &walk); n != NULL; n = version_next(&walk)) {
		for (unsigned i = 0; i < n->rrsets; i++) {
			const struct rrset *rs = &node_rrsets(n)[i];
			const uint8_t *p = rrset_data(rs);
			for (unsigned k = 0; k < rs->count; k++) {
				struct rr rr;
				p = rr_read(p, &rr);
				kit_require(rdata_check(rr.type, rr.rdata, rr.rdlen) == E_OK,
					    "rdata");
			}
		}
	}
}

static void check_changes(const struct xfr_in_result *r, const struct version *base)
{
	struct edit *e = edit_begin(base, kit_zone, EDIT_TTL_LAST);
	uint32_t at = base->serial;
	int err = E_OK;
	for (size_t i = 0; i < r->change_count && err == E_OK; i++) {
		kit_require(r->changes[i].serial_from == at, "one after the other");
		at = r->changes[i].serial_to;
		err = diff_apply(&r->changes[i], e, NULL);
	}
	if (err == E_OK && edit_error(e, NULL) == E_OK) {
		kit_require(at == r->serial, "the last");
		tree_check(&edit_state(e)->names);
	}
	edit_abort(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct version *base;
	if (base == NULL) {
		base = kit_version(zone);
	}
	if (size == 0) {
		return 0;
	}
	const struct xfr_in_wish wish = { .apex = kit_zone,
					  .has_serial = (data[0] & 1) != 0,
					  .serial = 3,
					  .is_incremental = (data[0] & 2) != 0,
					  .asks_expire = (data[0] & 4) != 0,
					  .max_octets = MESSAGE_MAX,
					  .max_records = RECORDS };
	struct reader r = reader_of(data + 1, size - 1);
	uint8_t query[XFR_IN_QUERY_MAX];
	struct writer w = writer_of(query, sizeof(query));
	struct xfr_in *x = xfr_in_new(&wish);
	int err = E_AGAIN;
	xfr_in_query(x, 1, &w);
	while (err == E_AGAIN && reader_left(&r) != 0) {
		struct errmsg em = { "" };
		const uint16_t len = reader_u16(&r);
		const uint8_t *octets = reader_bytes(&r, len);
		if (r.err != E_OK) {
			break;
		}
		err = xfr_in_message(x, octets, len, &em);
		kit_require(err == E_OK || err == E_AGAIN || em.text[0] != '\0', "no reason");
	}
	const struct xfr_in_result *result = xfr_in_result(x);
	if (err == E_OK && result->kind == XFR_WHOLE) {
		check_version(result->whole, result->serial);
	} else if (err == E_OK && result->kind == XFR_CHANGES) {
		check_changes(result, base);
	}
	xfr_in_free(x);
	return 0;
}

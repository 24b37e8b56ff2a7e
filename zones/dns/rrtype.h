/* zones/dns/rrtype.h - what is known of each record type: one row of rrtypes.def each.
 *
 * A row gives mnemonic, number, behaviour flags and the fields in wire order. From it come the
 * enum below, names ⇄ numbers, the wire check, canonical form, compression, text in and out, and
 * the fuzz dictionary.
 *
 *     RR(MX, 15, RR_LOWER | RR_COMPRESS | RR_ADDITIONAL, U16(preference) NAME(exchange))
 *
 * Threads: constants. */
#ifndef ZONES_DNS_RRTYPE_H
#define ZONES_DNS_RRTYPE_H

#include <stdbool.h>

#include "zones/base/attr.h"

enum rrtype {
#define RR(name, number, flags, fields) RRTYPE_##name = (number),
#include "zones/dns/rrtypes.def"
#undef RR
	RRTYPE_OPT = 41,
	RRTYPE_TKEY = 249,
	RRTYPE_TSIG = 250,
	RRTYPE_IXFR = 251,
	RRTYPE_AXFR = 252,
	RRTYPE_MAILB = 253,
	RRTYPE_MAILA = 254,
	RRTYPE_ANY = 255,
};

enum rrclass {
	RRCLASS_IN = 1,
	RRCLASS_CH = 3,
	RRCLASS_HS = 4,
	RRCLASS_NONE = 254,
	RRCLASS_ANY = 255
};

enum rrtype_flags {
	RR_LOWER = 1 << 0,	/* names in rdata are lower-cased in canonical form: RFC 4034 §6.2
				   as corrected by RFC 6840 §5.1 */
	RR_COMPRESS = 1 << 1,	/* names in rdata may be compressed when sent: the types of RFC 1035
				   alone (RFC 3597 §4) */
	RR_DECOMPRESS = 1 << 2, /* names may come in compressed from old servers (RFC 3597 §4);
				   RR_COMPRESS implies it */
	RR_ADDITIONAL = 1 << 3, /* the target name's addresses go into the additional section */
	RR_SINGLETON = 1 << 4,	/* at most one record at a name: SOA CNAME DNAME NSEC ... */
	RR_META = 1 << 5,	/* never in a zone (pseudo type, NXNAME) */
	RR_OBSOLETE = 1 << 6,
};

/* Longest mnemonic or "TYPE65535" and a NUL. */
#define RRTYPE_TEXT_MAX 16

struct rdata_field; /* zones/dns/rdata.h */

struct rrtype_info {
	const char *name;
	uint16_t type;
	uint16_t flags;
	const struct rdata_field *fields; /* ends with kind 0 */
};

/* The row of @type, or NULL when the type has none (then its rdata is opaque, RFC 3597). */
const struct rrtype_info *rrtype_info(uint16_t type);
/* The mnemonic or "TYPEn"; written to @out where it is not a constant. Returns it. */
const char *rrtype_to_text(uint16_t type, char out[RRTYPE_TEXT_MAX]);
/* Mnemonic or TYPEn, any case. E_SYNTAX when unknown. Also the meta types (ANY, AXFR, ...). */
MUST_USE int rrtype_from_text(const char *s, size_t len, uint16_t *out);
/* "IN" "CH" "HS" "CLASSn" (RFC 3597 §5). */
MUST_USE int rrclass_from_text(const char *s, size_t len, uint16_t *out);

/* Flags of @type, 0 for a type without a row. Table look-up, fit for the query path. */
uint16_t rrtype_flags(uint16_t type);

/* OPT, TKEY, TSIG, types 128..255 and the rows with RR_META: never zone data (RFC 6895 §3.1;
 * RFC 9824 NXNAME). */
bool rrtype_is_meta(uint16_t type);

/* RRSIG, NSEC, NSEC3, NSEC3PARAM: what signing makes beside keys and digests, and nobody else. */
static inline bool rrtype_is_of_signing(uint16_t type)
{
	return type == RRTYPE_RRSIG || type == RRTYPE_NSEC || type == RRTYPE_NSEC3 ||
	       type == RRTYPE_NSEC3PARAM;
}

/* One row after another, for dictionaries and tests; NULL behind the last. */
const struct rrtype_info *rrtype_at(size_t i);

#endif

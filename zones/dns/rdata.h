/* zones/dns/rdata.h - record data: text ⇄ wire ⇄ canonical, driven by the rows of rrtypes.def.
 *
 * "Wire" here means uncompressed rdata as it stands in memory and in the database: names whole,
 * case kept. Each field kind has all its functions together in rdata_kinds.c; the functions below
 * walk the fields of a type. A type without a row is opaque octets (RFC 3597).
 *
 * Threads: no state.
 * Memory:  results go where the caller says. */
#ifndef ZONES_DNS_RDATA_H
#define ZONES_DNS_RDATA_H

#include <stdbool.h>

#include "zones/base/buf.h"
#include "zones/base/err.h"
#include "zones/base/wire.h"
#include "zones/dns/lexer.h"
#include "zones/dns/message.h"
#include "zones/dns/rrtype.h"

#define RDATA_MAX 65535

/* Is @rdata well-formed for @type: every field within bounds, nothing left over, names valid and
 * uncompressed? E_TRUNC, E_TRAILING, E_NAME, E_INVAL. */
MUST_USE int rdata_check(uint16_t type, const uint8_t *rdata, size_t len);

/* Reads @rdlen octets of rdata from a message (@msg->start is the message), expands compressed
 * names where the type allows them, checks, and writes uncompressed rdata to @out. */
MUST_USE int rdata_from_message(uint16_t type, struct reader *msg, size_t rdlen,
				struct writer *out);

/* What the rdata of a record in a message may grow to: no type has more than two names that may be compressed. */
#define RDATA_ROOM (MESSAGE_MAX + 2 * DNAME_MAX)
/* The rdata of @rr, which was read from @msg; likewise. E_LIMIT: more than RDATA_MAX octets. */
MUST_USE int rdata_of_message_rr(const struct reader *msg, const struct message_rr *rr,
				 uint8_t out[RDATA_ROOM], uint16_t *len);

/* Canonical form (RFC 4034 §6.2): a copy with embedded names in lower case where RR_LOWER says so.
 * Same length. @out has room for @len; @in must have passed rdata_check. @in == @out is fine. */
void rdata_canonical(uint16_t type, const uint8_t *in, size_t len, uint8_t *out);
/* Is rdata_canonical just a copy for this type? */
bool rdata_canonical_is_same(uint16_t type);

/* Canonical order of rdata within a set (RFC 4034 §6.3): as left-justified octet strings in
 * canonical form; 0 means the same record. */
int rdata_compare(uint16_t type, const uint8_t *a, size_t alen, const uint8_t *b, size_t blen);

/* The offset of the @nth domain name in @rdata (which passed rdata_check), or -1. For
 * compression, additional data and checks: NS → 0:0; MX → 0:2; SOA → 0:0, 1:n. */
int rdata_name_at(uint16_t type, const uint8_t *rdata, size_t len, unsigned nth);
/* The names that may be compressed: how many stand one behind the other in rdata of @type (RR_COMPRESS), and
 * *@before, octets before the first. */
unsigned rdata_compressible(uint16_t type, unsigned *before);
/* What a record of an answer wants to have beside it in the additional section. */
enum rdata_wants {
	RDATA_WANTS_ADDRESSES = 1 << 0,
	RDATA_WANTS_SRV = 1 << 1,  /* NAPTR with flag "s" (RFC 3403 §4.1, RFC 3404 §4.3) */
	RDATA_WANTS_SAME = 1 << 2, /* a set of the record's own type: AliasMode (RFC 9460 §4.1) */
};
/* The RDATA_WANTS_* of a record (RR_ADDITIONAL; @rdata passed rdata_check), or 0. *name is whose, borrowed;
 * NULL: the record's owner (SVCB and HTTPS with target ".", RFC 9460 §2.5). */
unsigned rdata_wants(uint16_t type, const uint8_t *rdata, size_t len, const uint8_t **name);

/* Text of the rdata, fields separated by single spaces, in the type's own form where it can be
 * written so, else as \# (RFC 3597 §5). @rdata must have passed rdata_check. */
void rdata_to_text(uint16_t type, const uint8_t *rdata, size_t len, struct buf *out);
/* Always \# len hex. */
void rdata_to_generic(const uint8_t *rdata, size_t len, struct buf *out);

/* Reads rdata tokens from @lx up to and including TOKEN_EOL: the type's own form, or \# for any
 * type (then checked by rdata_check where the type has a row). Relative names are completed with
 * @origin (may be NULL: then they are errors). Writes wire to @out.
 *
 * On error: E_*, @em gets "found …, expected …", and @at the token's place. The lexer stands
 * somewhere inside the record; lexer_skip_record brings it on. */
MUST_USE int rdata_from_text(uint16_t type, struct lexer *lx, const uint8_t *origin,
			     struct writer *out, struct token *at, struct errmsg *em);
/* The same for a string in memory, e.g. in tests and tools: "10 mail.example." */
MUST_USE int rdata_from_string(uint16_t type, const char *text, const uint8_t *origin,
			       struct writer *out, struct errmsg *em);

/* Type bitmaps (RFC 4034 §4.1.2), as in NSEC, NSEC3 and CSYNC. */
struct typemap {
	uint16_t windows;      /* those below this one may be in use */
	uint8_t len[256];      /* octets of each window */
	uint8_t bits[256][32]; /* of a window: only its first `len` octets mean something */
};
/* Octets of the largest bitmap. */
#define TYPEMAP_MAX (256 * (2 + 32))
void typemap_init(struct typemap *m);
/* Adding twice is fine. */
void typemap_add(struct typemap *m, uint16_t type);
/* Writes the windows in order. */
void typemap_write(const struct typemap *m, struct writer *out);
/* Well-formed: windows ascending, lengths 1..32, no trailing zero octets (RFC 4034 §4.1.2)? */
MUST_USE int typemap_check(const uint8_t *map, size_t len);
bool typemap_has(const uint8_t *map, size_t len, uint16_t type);

#endif

/* zones/dns/rdata_kinds.h - the kinds of rdata fields; private to zones/dns/r*.c.
 *
 * A kind has all its functions together in rdata_kinds.c: how it is stepped over on the wire (which is
 * its check), printed, and read from text. */
#ifndef ZONES_DNS_RDATA_KINDS_H
#define ZONES_DNS_RDATA_KINDS_H

#include "zones/dns/rdata.h"

/* clang-format off */
#define FIELD_KINDS(X) \
	X(NAME) X(U8) X(U16) X(U32) X(PERIOD) X(IPV4) X(IPV6) X(STRING) X(STRINGS) X(ALGORITHM) X(HEX) \
	X(BASE64) X(SALT) X(HASH) X(TYPE) X(TYPES) X(TIME) X(TEXT) X(TAG)
/* clang-format on */

enum field_kind {
	FIELD_END,
#define X(kind) FIELD_##kind,
	FIELD_KINDS(X)
#undef X
};

struct rdata_field {
	enum field_kind kind;
	const char *name; /* as in the table: '_' for a space */
};

/* Reading rdata from text. */
struct text_in {
	struct lexer *lx;
	const uint8_t *origin;
	struct writer *out;
	struct token at; /* the token at hand */
	struct errmsg *em;
	const struct rdata_field *field;
};

struct field_ops {
	void (*skip)(struct reader *r); /* errors in r->err */
	void (*print)(struct reader *r, struct buf *out);
	int (*read)(struct text_in *in);
};

extern const struct field_ops field_ops[];

#endif

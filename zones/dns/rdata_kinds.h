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
	X(BASE64) X(MAYBE_BASE64) X(DASH_BASE64) X(SALT) X(HASH) X(TYPE) X(TYPES) X(TIME) X(TEXT) X(TAG) \
	X(NAMES) X(U64) X(NODE64) X(EUI48) X(EUI64) X(OPAQUE) X(CERTIFICATE) X(GATEWAY) X(RELAY) X(HOST) \
	X(SVCPARAMS) X(LOCATION) X(PREFIXES) X(SERVICES) X(NSAP_ADDRESS) X(ATM_ADDRESS) X(SUFFIX) \
	X(MAYBE_NAME) X(OLD_TYPES)
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
	/* What text cannot say sets r->err: the whole is then printed as \# (RFC 3597). */
	void (*print)(struct reader *r, struct buf *out);
	int (*read)(struct text_in *in);
	bool is_optional; /* with nothing left, nothing is printed */
};

extern const struct field_ops field_ops[];

/* For the kinds that have a file of their own. */
#define KIND(kind)                                                                                 \
 void kind##_skip(struct reader *r);                                                               \
 void kind##_print(struct reader *r, struct buf *out);                                             \
 int kind##_read(struct text_in *in)
KIND(svcparams); /* rdata_svcb.c */
KIND(location);	 /* rdata_loc.c */
KIND(gateway);	 /* rdata_gateway.c */
KIND(relay);
KIND(host);
KIND(prefixes); /* rdata_rare.c */
KIND(services);
KIND(nsap);
KIND(atm);
KIND(suffix);
KIND(old_types);
#undef KIND

/* "found X, expected Y", at the token at hand; returns @err. */
int field_refuse(struct text_in *in, int err, const char *expected);
/* The next word of the record into in->at. */
MUST_USE int field_word(struct text_in *in, const char *expected);
/* Are there more words? The one that tells is handed out again. */
bool field_more(struct text_in *in);
/* A decimal number up to @max. */
MUST_USE int field_number(struct text_in *in, uint32_t max, uint32_t *out);

#endif

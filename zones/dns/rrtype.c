/* zones/dns/rrtype.c - the table of record types, searched by number and by name. */
#include "zones/dns/rrtype.h"

#include <stdio.h>
#include <string.h>

#include "zones/base/err.h"
#include "zones/base/text.h"
#include "zones/dns/rdata_kinds.h"

#define NAME(n)		{ FIELD_NAME, #n },
#define U8(n)		{ FIELD_U8, #n },
#define U16(n)		{ FIELD_U16, #n },
#define U32(n)		{ FIELD_U32, #n },
#define PERIOD(n)	{ FIELD_PERIOD, #n },
#define IPV4(n)		{ FIELD_IPV4, #n },
#define IPV6(n)		{ FIELD_IPV6, #n },
#define STRING(n)	{ FIELD_STRING, #n },
#define STRINGS(n)	{ FIELD_STRINGS, #n },
#define ALGORITHM(n)	{ FIELD_ALGORITHM, #n },
#define HEX(n)		{ FIELD_HEX, #n },
#define BASE64(n)	{ FIELD_BASE64, #n },
#define MAYBE_BASE64(n) { FIELD_MAYBE_BASE64, #n },
#define DASH_BASE64(n)	{ FIELD_DASH_BASE64, #n },
#define SALT(n)		{ FIELD_SALT, #n },
#define HASH(n)		{ FIELD_HASH, #n },
#define TYPE(n)		{ FIELD_TYPE, #n },
#define TYPES(n)	{ FIELD_TYPES, #n },
#define TIME(n)		{ FIELD_TIME, #n },
#define TEXT(n)		{ FIELD_TEXT, #n },
#define TAG(n)		{ FIELD_TAG, #n },
#define NAMES(n)	{ FIELD_NAMES, #n },
#define MAYBE_NAME(n)	{ FIELD_MAYBE_NAME, #n },
#define U64(n)		{ FIELD_U64, #n },
#define NODE64(n)	{ FIELD_NODE64, #n },
#define EUI48(n)	{ FIELD_EUI48, #n },
#define EUI64(n)	{ FIELD_EUI64, #n },
#define OPAQUE(n)	{ FIELD_OPAQUE, #n },
#define CERTIFICATE(n)	{ FIELD_CERTIFICATE, #n },
#define GATEWAY(n)	{ FIELD_GATEWAY, #n },
#define RELAY(n)	{ FIELD_RELAY, #n },
#define HOST(n)		{ FIELD_HOST, #n },
#define SVCPARAMS(n)	{ FIELD_SVCPARAMS, #n },
#define LOCATION(n)	{ FIELD_LOCATION, #n },
#define PREFIXES(n)	{ FIELD_PREFIXES, #n },
#define SERVICES(n)	{ FIELD_SERVICES, #n },
#define NSAP_ADDRESS(n) { FIELD_NSAP_ADDRESS, #n },
#define ATM_ADDRESS(n)	{ FIELD_ATM_ADDRESS, #n },
#define SUFFIX(n)	{ FIELD_SUFFIX, #n },
#define OLD_TYPES(n)	{ FIELD_OLD_TYPES, #n },

#define RR(name, number, flags, fields)                                                            \
 static const struct rdata_field fields_of_##name[] = { fields{ FIELD_END, NULL } };
#include "zones/dns/rrtypes.def"
#undef RR

/* Numbers up to 509 are their own index; the two of the private end come behind. */
#define INDEX(number) ((number) < 510 ? (number) : 510 + ((number)&1))

static const struct rrtype_info rows[512] = {
#define RR(name, number, flags, fields)                                                            \
 [INDEX(number)] = { #name, (number), (flags), fields_of_##name },
#include "zones/dns/rrtypes.def"
#undef RR
};

static const struct {
	const char *name;
	uint16_t type;
} query_types[] = {
	{ "OPT", RRTYPE_OPT },	   { "TKEY", RRTYPE_TKEY }, { "TSIG", RRTYPE_TSIG },
	{ "IXFR", RRTYPE_IXFR },   { "AXFR", RRTYPE_AXFR }, { "MAILB", RRTYPE_MAILB },
	{ "MAILA", RRTYPE_MAILA }, { "ANY", RRTYPE_ANY },
};

const struct rrtype_info *rrtype_info(uint16_t type)
{
	const struct rrtype_info *row = &rows[INDEX(type)];
	return row->name != NULL && row->type == type ? row : NULL;
}

const struct rrtype_info *rrtype_at(size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		if (rows[k].name != NULL && i-- == 0) {
			return &rows[k];
		}
	}
	return NULL;
}

uint16_t rrtype_flags(uint16_t type)
{
	const struct rrtype_info *row = rrtype_info(type);
	return row != NULL ? row->flags : 0;
}

bool rrtype_is_meta(uint16_t type)
{
	return type == 0 || type == RRTYPE_OPT || (type >= 128 && type <= 255) ||
	       (rrtype_flags(type) & RR_META) != 0;
}

const char *rrtype_to_text(uint16_t type, char out[RRTYPE_TEXT_MAX])
{
	const struct rrtype_info *row = rrtype_info(type);
	if (row != NULL && strchr(row->name, '_') == NULL) {
		return row->name;
	}
	for (size_t i = 0; row == NULL && i < ARRAY_LEN(query_types); i++) {
		if (query_types[i].type == type) {
			return query_types[i].name;
		}
	}
	if (row == NULL) {
		(void)snprintf(out, RRTYPE_TEXT_MAX, "TYPE%u", type);
		return out;
	}
	(void)snprintf(out, RRTYPE_TEXT_MAX, "%s", row->name);
	*strchr(out, '_') = '-';
	return out;
}

/* Is @s the mnemonic @name, where '_' stands for '-'? */
static bool is_mnemonic(const char *s, size_t len, const char *name)
{
	size_t i = 0;
	for (; i < len && name[i] != '\0'; i++) {
		char c = name[i] == '_' ? '-' : name[i];
		if (text_lower[(uint8_t)s[i]] != text_lower[(uint8_t)c]) {
			return false;
		}
	}
	return i == len && name[i] == '\0';
}

static uint16_t frequent(const char *s, size_t len)
{
	static const uint16_t types[] = { RRTYPE_NS,   RRTYPE_A,     RRTYPE_RRSIG, RRTYPE_DS,
					  RRTYPE_NSEC, RRTYPE_NSEC3, RRTYPE_AAAA };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (is_mnemonic(s, len, rows[types[i]].name)) {
			return types[i];
		}
	}
	return 0;
}

static int numbered(const char *s, size_t len, const char *prefix, uint16_t *out)
{
	size_t n = strlen(prefix);
	uint32_t value;
	if (len <= n || !is_mnemonic(s, n, prefix) ||
	    text_to_u32(s + n, len - n, UINT16_MAX, &value) != E_OK) {
		return E_SYNTAX;
	}
	*out = (uint16_t)value;
	return E_OK;
}

int rrtype_from_text(const char *s, size_t len, uint16_t *out)
{
	uint16_t type = frequent(s, len);
	if (type != 0) {
		*out = type;
		return E_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].name != NULL && is_mnemonic(s, len, rows[i].name)) {
			*out = rows[i].type;
			return E_OK;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(query_types); i++) {
		if (text_equal(s, len, query_types[i].name)) {
			*out = query_types[i].type;
			return E_OK;
		}
	}
	return numbered(s, len, "TYPE", out);
}

int rrclass_from_text(const char *s, size_t len, uint16_t *out)
{
	static const struct {
		const char *name;
		uint16_t class;
	} classes[] = { { "IN", RRCLASS_IN }, { "CH", RRCLASS_CH }, { "HS", RRCLASS_HS } };
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (text_equal(s, len, classes[i].name)) {
			*out = classes[i].class;
			return E_OK;
		}
	}
	return numbered(s, len, "CLASS", out);
}

/* zones/check.h - is a zone sound? Each check has a name and a severity that the operator can set.
 *
 * Threads: no state; reads an immutable version. */
#ifndef ZONES_CHECK_H
#define ZONES_CHECK_H

#include "zones/master.h"
#include "zones/version.h"

enum check_level { CHECK_IGNORE, CHECK_WARN, CHECK_ERROR };

/* clang-format off */
#define CHECK_MAP(X)                                                                        \
	X(SOA,             "soa",              ERROR, "exactly one SOA, at the apex")           \
	X(APEX_NS,         "apex-ns",          ERROR, "NS records at the apex")                 \
	X(CNAME_OTHER,     "cname-other-data", ERROR, "a CNAME beside other data")              \
	X(CNAME_SEVERAL,   "several-cnames",   ERROR, "several CNAMEs at a name")               \
	X(DNAME_CHILDREN,  "dname-children",   WARN,  "names below a DNAME")                    \
	X(GLUE,            "missing-glue",     WARN,  "name servers inside the zone without address") \
	X(NS_ADDRESS,      "ns-address",       WARN,  "NS at a CNAME or at a name without address")   \
	X(MX_ADDRESS,      "mx-address",       WARN,  "MX at a CNAME or at a name without address")   \
	X(OUT_OF_ZONE,     "out-of-zone",      ERROR, "records outside the zone")               \
	X(TTL,             "ttl-differs",      WARN,  "several TTLs in one set")                \
	X(DS_NO_NS,        "ds-without-ns",    ERROR, "DS where there is no delegation")        \
	X(WILDCARD_NS,     "wildcard-ns",      WARN,  "NS at a wildcard")                       \
	X(NSEC3_PARAM,     "nsec3-parameters", WARN,  "NSEC3 with iterations or salt, or several chains") \
	X(SIG_EXPIRED,     "signature-expired", WARN, "signatures that have expired")           \
	X(SIG_NOT_YET,     "signature-not-yet", WARN, "signatures that are not valid yet")      \
	X(STRING_LENGTH,   "string-length",    WARN,  "TXT data that older software cuts")
/* clang-format on */

enum check {
#define X(id, name, level, text) CHECK_##id,
	CHECK_MAP(X)
#undef X
		CHECK_COUNT
};

struct check_levels {
	uint8_t level[CHECK_COUNT]; /* enum check_level */
};

/* The defaults of the table above. */
void check_levels_init(struct check_levels *levels);
/* "name=level" as an option has it, or the two parts; E_NOENT (unknown name), E_INVAL (unknown level);
 * @em lists what there is. */
MUST_USE int check_levels_set(struct check_levels *levels, const char *name, const char *level,
			      struct errmsg *em);
const char *check_name(enum check c);
/* "ignore", "warn", "error". */
const char *check_level_name(enum check_level level);
const char *check_help(enum check c);

/* Runs all checks at @now (seconds; for the signature checks). Findings name the zone, the owner and the
 * check: "example.com: www.example.com A: ... [name]". E_CHECK when there was an error. */
MUST_USE int check_version(const struct version *v, const struct check_levels *levels, int64_t now,
			   struct findings *findings);

#endif

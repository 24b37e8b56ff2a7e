/* signer/verify.h - is a zone signed, wholly and rightly?
 *
 * Looks at every name: each authoritative set has a valid signature of each algorithm of the zone,
 * nothing else is signed, the NSEC or NSEC3 chains are complete, closed and true, the ZONEMD digest is
 * right. RFC 4035 §2 and §5, RFC 5155 §7.1, RFC 6840, RFC 8976, RFC 9077, RFC 9276.
 *
 * Where validators would refuse an answer, or a MUST of these RFCs is broken, a finding is an
 * error; where the zone validates all the same, a warning.
 *
 * Threads: verify_version starts its own and joins them; reads an immutable version. */
#ifndef SIGNER_VERIFY_H
#define SIGNER_VERIFY_H

#include "keys/holder.h"
#include "zones/findings.h"
#include "zones/version.h"

/* All that can be found: identifier, name in messages, severity, where it is written, what it is. */
/* clang-format off */
#define VERIFY_MAP(X)                                                                           \
	X(NO_SOA, "no-soa", ERROR, "RFC 1035 §5.2",                                             \
	  "no SOA record at the apex")                                                          \
	X(NO_DNSKEY, "no-dnskey", ERROR, "RFC 4035 §2.1",                                       \
	  "no DNSKEY set at the apex")                                                          \
	X(KEY_INVALID, "invalid-key", ERROR, "RFC 4034 §2.1",                                   \
	  "a DNSKEY that is none")                                                              \
	X(KEY_OTHER, "not-a-zone-key", WARN, "RFC 4034 §2.1.1",                                 \
	  "a DNSKEY without the zone flag: its signatures do not count")                        \
	X(KEY_UNSUPPORTED, "unsupported-algorithm", WARN, "RFC 4035 §5.2",                      \
	  "signatures of an algorithm that cannot be checked here")                             \
	X(KEY_NONE, "no-usable-key", ERROR, "RFC 4035 §5.2",                                    \
	  "no zone key of an algorithm that can be checked")                                    \
	X(KEY_LIMIT, "too-many-keys", ERROR, "limit",                                           \
	  "more DNSKEYs than are looked at")                                                    \
	X(KEY_REVOKED, "revoked-key", WARN, "RFC 5011 §2.1",                                    \
	  "a revoked key that does not sign the DNSKEY set")                                    \
	X(KEY_SET, "key-set", ERROR, "RFC 4035 §2.2",                                           \
	  "the DNSKEY set is not signed by a KSK of each algorithm")                            \
	X(ANCHOR, "trust-anchor", ERROR, "RFC 4035 §5.2",                                       \
	  "no key that a trust anchor names signs the DNSKEY set")                              \
	X(UNSIGNED, "unsigned", ERROR, "RFC 4035 §2.2",                                         \
	  "an authoritative set without signature")                                             \
	X(ALGORITHM, "algorithm", ERROR, "RFC 6840 §5.11",                                      \
	  "a set without signature of an algorithm that the DNSKEY set has")                    \
	X(SIG_SIGNER, "signer", ERROR, "RFC 4035 §2.2",                                         \
	  "a signature by another name than the zone's")                                        \
	X(SIG_KEY, "unknown-key", ERROR, "RFC 4035 §2.2",                                       \
	  "a signature by a key that is not in the zone")                                       \
	X(SIG_REVOKED, "revoked-signer", ERROR, "RFC 5011 §2.1",                                \
	  "a signature by a revoked key")                                                       \
	X(SIG_LABELS, "labels", ERROR, "RFC 4035 §2.2",                                         \
	  "a signature for another number of labels")                                           \
	X(SIG_TTL, "original-ttl", ERROR, "RFC 4035 §2.2",                                      \
	  "a signature for another TTL")                                                        \
	X(SIG_EXPIRED, "expired", ERROR, "RFC 4035 §5.3.1",                                     \
	  "a signature that has expired")                                                       \
	X(SIG_NOT_YET, "not-yet-valid", ERROR, "RFC 4035 §5.3.1",                               \
	  "a signature that is not valid yet")                                                  \
	X(SIG_BAD, "bad-signature", ERROR, "RFC 4035 §5.3.3",                                   \
	  "a signature that does not verify")                                                   \
	X(SIG_LIMIT, "too-many-signatures", ERROR, "limit",                                     \
	  "more signatures at a set than are looked at")                                        \
	X(SIG_OWN_TTL, "signature-ttl", WARN, "RFC 4034 §3",                                    \
	  "a signature with another TTL than its set")                                          \
	X(SET_TTL, "ttl-differs", WARN, "RFC 2181 §5.2",                                        \
	  "several TTLs in one set")                                                            \
	X(STRAY_SIG, "stray-signature", ERROR, "RFC 4035 §2.2",                                 \
	  "a signature for a set that is not there")                                            \
	X(SIGNED_CUT, "signed-delegation", ERROR, "RFC 4035 §2.2",                              \
	  "signed NS records of a delegation")                                                  \
	X(SIGNED_GLUE, "signed-glue", ERROR, "RFC 4035 §2.2",                                   \
	  "signed data that is not authoritative")                                              \
	X(CDS_SIGNER, "cds-signer", WARN, "RFC 7344 §4.1",                                      \
	  "CDS or CDNSKEY not signed by a key that signs the DNSKEY set")                       \
	X(DS_APEX, "ds-at-apex", ERROR, "RFC 4035 §2.4",                                        \
	  "DS records at the apex")                                                             \
	X(DS_NO_NS, "ds-without-ns", ERROR, "RFC 4034 §5",                                      \
	  "DS records where there is no delegation")                                            \
	X(CNAME_OTHER, "cname-other-data", ERROR, "RFC 4035 §2.5",                              \
	  "a CNAME beside other data")                                                          \
	X(BELOW_DNAME, "below-dname", WARN, "RFC 6672 §2.4",                                    \
	  "a name below a DNAME")                                                               \
	X(NO_CHAIN, "no-chain", ERROR, "RFC 4035 §2.3",                                         \
	  "neither NSEC nor NSEC3 records that could be used")                                  \
	X(NSEC_MISSING, "nsec-missing", ERROR, "RFC 4035 §2.3",                                 \
	  "an authoritative name without NSEC record")                                          \
	X(NSEC_STRAY, "nsec-stray", ERROR, "RFC 4035 §2.3",                                     \
	  "an NSEC record where none belongs")                                                  \
	X(NSEC_SEVERAL, "nsec-several", ERROR, "RFC 4035 §2.3",                                 \
	  "several NSEC records at a name")                                                     \
	X(NSEC_NEXT, "nsec-next", ERROR, "RFC 4034 §4.1.1",                                     \
	  "an NSEC record that does not point at the next name")                                \
	X(NSEC_TYPES, "nsec-types", ERROR, "RFC 4034 §4.1.2",                                   \
	  "an NSEC record whose types are not those of the name")                               \
	X(CHAIN_TTL, "chain-ttl", WARN, "RFC 9077 §3",                                          \
	  "an NSEC or NSEC3 record with another TTL than negative answers")                     \
	X(NSEC3_MISSING, "nsec3-missing", ERROR, "RFC 5155 §7.1",                               \
	  "a name without NSEC3 record")                                                        \
	X(NSEC3_OPT_OUT, "nsec3-opt-out", ERROR, "RFC 5155 §6",                                 \
	  "a delegation left out where the chain does not opt out")                             \
	X(NSEC3_STRAY, "nsec3-stray", ERROR, "RFC 5155 §7.1",                                   \
	  "an NSEC3 record for no name, or of no chain")                                        \
	X(NSEC3_NEXT, "nsec3-next", ERROR, "RFC 5155 §3.1.7",                                   \
	  "an NSEC3 record that does not point at the next hash")                               \
	X(NSEC3_TYPES, "nsec3-types", ERROR, "RFC 5155 §3.1.8",                                 \
	  "an NSEC3 record whose types are not those of the name")                              \
	X(NSEC3_FLAGS, "nsec3-flags", ERROR, "RFC 5155 §8.2",                                   \
	  "an NSEC3 record with unknown flags, which validators ignore")                        \
	X(NSEC3_COLLISION, "nsec3-collision", ERROR, "RFC 5155 §7.1",                           \
	  "two names with one hash")                                                            \
	X(NSEC3_PARAM, "nsec3-parameters", WARN, "RFC 5155 §4.1",                               \
	  "an NSEC3PARAM record that announces no chain we can follow")                         \
	X(NSEC3_ITERATIONS, "nsec3-iterations", WARN, "RFC 9276 §3.1",                          \
	  "NSEC3 with iterations")                                                              \
	X(NSEC3_LIMIT, "nsec3-limit", ERROR, "RFC 5155 §10.3",                                  \
	  "too many NSEC3 iterations or chains to be looked at")                                \
	X(ZONEMD_SERIAL, "zonemd-serial", ERROR, "RFC 8976 §4",                                 \
	  "a ZONEMD record of another serial")                                                  \
	X(ZONEMD_DIGEST, "zonemd-digest", ERROR, "RFC 8976 §4",                                 \
	  "a ZONEMD digest that is not the zone's")                                             \
	X(ZONEMD_TWICE, "zonemd-twice", ERROR, "RFC 8976 §4",                                   \
	  "two ZONEMD records of one scheme and hash")                                          \
	X(ZONEMD_UNKNOWN, "zonemd-unknown", ERROR, "RFC 8976 §4",                               \
	  "ZONEMD records of unknown schemes or hashes alone")
/* clang-format on */

enum verify_kind {
	VERIFY_FINE = -1,
#define X(id, name, level, rfc, text) VERIFY_##id,
	VERIFY_MAP(X)
#undef X
		VERIFY_KINDS
};

struct verify_kind_info {
	const char *name;
	bool is_error;
	const char *rfc;
	const char *help;
};
const struct verify_kind_info *verify_kind_info(enum verify_kind kind);

/* Limits, so that a hostile zone costs a bounded time per record. More keys or signatures than these
 * have no use; RFC 5155 §10.3 has the iterations. */
#define VERIFY_KEYS_MAX	      64
#define VERIFY_SIGS_MAX	      64
#define VERIFY_CHAINS_MAX     8
#define VERIFY_ITERATIONS_MAX 2500

struct verify_memory;

struct verify_options {
	int64_t now;
	/* A node with DS and DNSKEY sets, one of whose keys must sign the DNSKEY set; NULL: any key with
	 * the SEP flag will do. Borrowed. */
	const struct node *anchors;
	unsigned threads; /* 0: one per core */
	/* Who has signed, or NULL. Of each key and thread one signature is verified by the public key, which shows that the
	 * pair is one; the others by whether the holder has made them, where that is quicker (holder_check). */
	const struct holder *holder;
	/* For verify_change: keys that were read, kept from change to change of a zone. NULL: none. */
	struct verify_memory *memory;
};

/* One thread at a time. Goes before the holder does that it was used with. */
struct verify_memory *verify_memory_new(void);
void verify_memory_free(struct verify_memory *m); /* NULL is fine */

struct verify_stats {
	uint64_t names;		  /* authoritative names and delegations */
	uint64_t sets;		  /* that are to be signed */
	uint64_t signatures;	  /* that verified */
	uint64_t unchecked;	  /* of algorithms that we lack */
	uint64_t nsec, nsec3;	  /* records of the chains */
	uint64_t zonemd;	  /* digests that were right */
	int64_t first_expiration; /* of the good signatures; INT64_MAX: none */
	uint64_t found[VERIFY_KINDS];
};

/* Verifies all of @v. E_OK: good, warnings apart. E_CHECK: it is not; @findings say why, each like
 * "example.com.: www.example.com. A: no signature [unsigned, RFC 4035 §2.2]". E_CRYPTO: could not look. */
MUST_USE int verify_version(const struct version *v, const struct verify_options *opt,
			    struct verify_stats *stats, struct findings *findings);

/* Verifies what differs between @base, which is verified, and @v, one of the same lineage or an edit of it: each set that
 * changed, and that the chain is whole around it. Costs what the change does, but for a ZONEMD. Findings and errors as
 * above; stats->first_expiration is that of the new signatures. opt->anchors are not looked at. */
MUST_USE int verify_change(const struct version *base, const struct version *v,
			   const struct verify_options *opt, struct verify_stats *stats,
			   struct findings *findings);

#endif

/* keys/key.h - a DNSSEC key of a zone: its pair, role, and timing metadata.
 *
 * Threads: immutable once made, except for the times, which belong to the tool or job that
 *          manages the key.
 * Memory:  key_free. */
#ifndef KEYS_KEY_H
#define KEYS_KEY_H

#include <stdbool.h>

#include "keys/crypto.h"
#include "zones/base/err.h"
#include "zones/dns/dname.h"

#define KEY_FLAG_ZONE	0x0100
#define KEY_FLAG_REVOKE 0x0080 /* RFC 5011 */
#define KEY_FLAG_SEP	0x0001

/* Timing metadata as in key files v1.3; KEY_TIME_NONE where not set. */
#define KEY_TIME_NONE INT64_MIN
enum key_time {
	KEY_CREATED,
	KEY_PUBLISH,
	KEY_ACTIVATE,
	KEY_REVOKE,
	KEY_INACTIVE,
	KEY_DELETE,
	KEY_SYNC_PUBLISH,
	KEY_SYNC_DELETE,
	KEY_DS_PUBLISH,
	KEY_DS_REMOVE,
	KEY_TIMES,
};

/* Longest DNSKEY rdata. */
#define KEY_RDATA_MAX (4 + CRYPTO_PUBKEY_MAX)

struct key {
	struct dname zone;
	uint16_t flags;
	uint16_t tag; /* RFC 4034 App. B, of the rdata with these flags */
	uint8_t algorithm;
	struct crypto_key *pair; /* owned; private part there or not */
	int64_t times[KEY_TIMES];
	bool has_ttl;
	uint32_t ttl_s; /* for its DNSKEY record in a zone that has none yet; valid if has_ttl */
	char *path;	/* owned: the file it came from without ".private", or NULL */
	char *extra;	/* owned: lines of the private file that others put there, or NULL */
};

/* A key of @zone that is made at @now and in use from then on: its other times are not set. It has no pair yet. */
struct key *key_new(const uint8_t *zone, uint8_t algorithm, uint16_t flags, int64_t now);
void key_free(struct key *key);
/* DNSKEY rdata (RFC 4034 §2.1); @out has room for KEY_RDATA_MAX. Returns octets. */
size_t key_rdata(const struct key *key, uint8_t *out);
/* The field of key files v1.3 that holds a time, such as "SyncPublish". */
const char *key_time_field(enum key_time which);
/* Key tag of the key if it had @flags. */
uint16_t key_tag_with(const struct key *key, uint16_t flags);
/* Key tag of any DNSKEY rdata (RFC 4034 App. B). */
uint16_t key_tag_of(const uint8_t *rdata, size_t len);
/* DS rdata (RFC 4034 §5, RFC 4509, RFC 6605): @digest_type 1, 2 or 4. Returns octets or E_*. */
MUST_USE int key_ds(const struct key *key, uint8_t digest_type, uint8_t *out, size_t room);

static inline bool key_is_ksk(const struct key *key)
{
	return (key->flags & KEY_FLAG_SEP) != 0;
}

/* What the times say at @now: published in the DNSKEY set; signing; revoked. A key without
 * Publish/Activate is published/active from the start, as with BIND. */
bool key_is_published(const struct key *key, int64_t now);
bool key_is_active(const struct key *key, int64_t now);
bool key_is_revoked(const struct key *key, int64_t now);
/* The same as a word: future, published, active, retired, revoked, deleted. */
const char *key_state_text(const struct key *key, int64_t now);

/* A set of keys of one zone. */
struct keyset {
	struct key **keys; /* owned */
	size_t count;
};
void keyset_add(struct keyset *ks, struct key *key); /* taken */
void keyset_clear(struct keyset *ks);
/* A key of the set whose tag is that of @key, now or once one of them or both are revoked; borrowed, NULL: none.
 * Validators tell keys apart by their tags, and give up where too many collide. */
const struct key *keyset_find_tag(const struct keyset *ks, const struct key *key);

/* Gives @key, which has none, a new pair whose tag none of @others has (keyset_find_tag). @bits: of RSA, 0 for the
 * default. E_EXIST: many pairs were made, and all had tags of others; errors of crypto_key_generate. */
MUST_USE int key_make_pair(struct key *key, unsigned bits, const struct keyset *others,
			   struct errmsg *em);

#endif

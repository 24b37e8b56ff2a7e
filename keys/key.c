/* keys/key.c - a DNSSEC key of a zone. */
#include "keys/key.h"

#include <string.h>

#include "zones/base/wire.h"

/* With some keys of a zone the first pair nearly always fits. */
#define TAG_TRIES 100

struct key *key_new(const uint8_t *zone, uint8_t algorithm, uint16_t flags, int64_t now)
{
	struct key *key = mem_zalloc(sizeof(*key));
	dname_set(&key->zone, zone);
	key->algorithm = algorithm;
	key->flags = flags;
	for (enum key_time i = 0; i < KEY_TIMES; i++) {
		key->times[i] = KEY_TIME_NONE;
	}
	key->times[KEY_CREATED] = key->times[KEY_PUBLISH] = key->times[KEY_ACTIVATE] = now;
	return key;
}

void key_free(struct key *key)
{
	if (key != NULL) {
		crypto_key_free(key->pair);
		mem_free(key->path);
		if (key->extra != NULL) { /* whatever it is */
			mem_wipe(key->extra, strlen(key->extra));
		}
		mem_free(key->extra);
		mem_free(key);
	}
}

size_t key_rdata(const struct key *key, uint8_t *out)
{
	size_t len;
	const uint8_t *pub = crypto_key_public(key->pair, &len);
	be16_put(out, key->flags);
	out[2] = 3; /* the protocol, always (RFC 4034 §2.1.2) */
	out[3] = key->algorithm;
	memcpy(out + 4, pub, len);
	return 4 + len;
}

const char *key_time_field(enum key_time which)
{
	static const char *const fields[KEY_TIMES] = {
		[KEY_CREATED] = "Created",	    [KEY_PUBLISH] = "Publish",
		[KEY_ACTIVATE] = "Activate",	    [KEY_REVOKE] = "Revoke",
		[KEY_INACTIVE] = "Inactive",	    [KEY_DELETE] = "Delete",
		[KEY_SYNC_PUBLISH] = "SyncPublish", [KEY_SYNC_DELETE] = "SyncDelete",
		[KEY_DS_PUBLISH] = "DSPublish",	    [KEY_DS_REMOVE] = "DSRemoved",
	};
	return fields[which];
}

uint16_t key_tag_with(const struct key *key, uint16_t flags)
{
	uint8_t rdata[KEY_RDATA_MAX];
	size_t len = key_rdata(key, rdata);
	be16_put(rdata, flags);
	return key_tag_of(rdata, len);
}

uint16_t key_tag_of(const uint8_t *rdata, size_t len)
{
	uint32_t sum = 0;
	if (len > 4 && rdata[3] == 1) { /* RSAMD5: the modulus' last octets but one (App. B.1) */
		return len >= 7 ? be16_get(rdata + len - 3) : 0;
	}
	for (size_t i = 0; i < len; i++) {
		sum += (i & 1) != 0 ? rdata[i] : (uint32_t)rdata[i] << 8;
	}
	return (uint16_t)(sum + (sum >> 16));
}

int key_ds(const struct key *key, uint8_t digest_type, uint8_t *out, size_t room)
{
	enum crypto_digest d;
	switch (digest_type) {
	case 1:
		d = CRYPTO_SHA1;
		break;
	case 2:
		d = CRYPTO_SHA256;
		break;
	case 4:
		d = CRYPTO_SHA384;
		break;
	default:
		return E_UNSUPPORTED;
	}
	uint8_t data[DNAME_MAX + KEY_RDATA_MAX];
	size_t n = dname_lower(data, key->zone.wire);
	n += key_rdata(key, data + n);
	if (room < 4 + crypto_digest_len(d)) {
		return E_NOSPACE;
	}
	be16_put(out, key->tag);
	out[2] = key->algorithm;
	out[3] = digest_type;
	int err = crypto_digest(d, data, n, out + 4);
	return err != E_OK ? err : (int)(4 + crypto_digest_len(d));
}

static bool has_come(const struct key *key, enum key_time what, int64_t now)
{
	return key->times[what] != KEY_TIME_NONE && key->times[what] <= now;
}

static bool is_future(const struct key *key, enum key_time what, int64_t now)
{
	return key->times[what] != KEY_TIME_NONE && key->times[what] > now;
}

bool key_is_published(const struct key *key, int64_t now)
{
	return !is_future(key, KEY_PUBLISH, now) && !has_come(key, KEY_DELETE, now);
}

bool key_is_active(const struct key *key, int64_t now)
{
	return !is_future(key, KEY_ACTIVATE, now) && !has_come(key, KEY_INACTIVE, now) &&
	       !has_come(key, KEY_DELETE, now);
}

bool key_is_revoked(const struct key *key, int64_t now)
{
	return (key->flags & KEY_FLAG_REVOKE) != 0 || has_come(key, KEY_REVOKE, now);
}

const char *key_state_text(const struct key *key, int64_t now)
{
	if (!key_is_published(key, now)) {
		return has_come(key, KEY_DELETE, now) ? "deleted" : "future";
	}
	if (key_is_revoked(key, now)) {
		return "revoked";
	}
	if (key_is_active(key, now)) {
		return "active";
	}
	return has_come(key, KEY_INACTIVE, now) ? "retired" : "published";
}

void keyset_add(struct keyset *ks, struct key *key)
{
	ks->keys = mem_realloc(ks->keys, ks->count + 1, sizeof(struct key *));
	ks->keys[ks->count++] = key;
}

void keyset_clear(struct keyset *ks)
{
	for (size_t i = 0; i < ks->count; i++) {
		key_free(ks->keys[i]);
	}
	mem_free(ks->keys);
	*ks = (struct keyset){ 0 };
}

static bool tags_collide(const struct key *a, const struct key *b)
{
	for (unsigned n = 0; n < 4; n++) {
		uint16_t x = (n & 1) != 0 ? KEY_FLAG_REVOKE : 0;
		uint16_t y = (n & 2) != 0 ? KEY_FLAG_REVOKE : 0;
		if (key_tag_with(a, a->flags | x) == key_tag_with(b, b->flags | y)) {
			return true;
		}
	}
	return false;
}

const struct key *keyset_find_tag(const struct keyset *ks, const struct key *key)
{
	for (size_t i = 0; i < ks->count; i++) {
		if (tags_collide(ks->keys[i], key)) {
			return ks->keys[i];
		}
	}
	return NULL;
}

int key_make_pair(struct key *key, unsigned bits, const struct keyset *others, struct errmsg *em)
{
	for (unsigned tries = 0; tries < TAG_TRIES; tries++) {
		int err = crypto_key_generate(key->algorithm, bits, &key->pair);
		if (err != E_OK) {
			return err_set(em, err, "cannot make a key: %s", err_text(err));
		}
		if (keyset_find_tag(others, key) == NULL) {
			key->tag = key_tag_with(key, key->flags);
			return E_OK;
		}
		crypto_key_free(key->pair);
		key->pair = NULL;
	}
	char zone[DNAME_TEXT_MAX];
	(void)dname_to_text(key->zone.wire, zone);
	return err_set(
		em, E_EXIST,
		"%s: %d new keys all had tags of other keys; remove old keys of the zone first",
		zone, TAG_TRIES);
}

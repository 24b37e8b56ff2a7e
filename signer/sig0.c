/* signer/sig0.c - messages signed with a private key whose public key is a KEY record in the zone. */
#include "signer/sig0.h"

#include "keys/algorithm.h"
#include "keys/crypto.h"
#include "keys/key.h"
#include "zones/base/time.h"

/* KEY rdata (RFC 2535 §3.1): flags 16, protocol 8, algorithm 8, public key. */
#define KEY_FIXED	  4
#define KEY_FLAG_NO_AUTH  0x8000
#define KEY_PROTOCOL	  3
#define KEY_PROTOCOL_ANY  255
#define ADDITIONAL_OFFSET 10 /* of the count in the header */

void sig0_signed_data(const struct sig0_rr *rr, const uint8_t *message, size_t at, struct buf *out)
{
	uint8_t head[SIG0_HEAD_MAX];
	uint8_t header[MESSAGE_HEADER_LEN];
	memcpy(header, message, sizeof(header));
	be16_put(header + ADDITIONAL_OFFSET, (uint16_t)(be16_get(header + ADDITIONAL_OFFSET) - 1));
	buf_add(out, head, sig0_rr_head(rr, head));
	buf_add(out, header, sizeof(header));
	buf_add(out, message + sizeof(header), at - sizeof(header));
}

static int check_times(const struct sig0_rr *rr, int64_t now)
{
	if (time_unwrap32(rr->inception, now) > now) {
		return E_NOTYET;
	}
	return time_unwrap32(rr->expiration, now) < now ? E_EXPIRED : E_OK;
}

/* The KEY records of the signer's name, where the zone has the last word on that. NULL: there are none. */
static const struct rrset *keys_of(const struct version *v, const uint8_t *signer)
{
	const struct node *n =
		dname_is_under(signer, v->apex.wire) ? version_node(v, signer) : NULL;
	if (n == NULL || (n->flags & NODE_CUT) != 0 || version_is_occluded(v, signer, NULL)) {
		return NULL;
	}
	return node_find(n, RRTYPE_KEY);
}

/* May the KEY record have made the signature, as far as its fields say? */
static bool is_meant(const struct sig0_rr *rr, const struct rr *key)
{
	return key->rdlen > KEY_FIXED && (be16_get(key->rdata) & KEY_FLAG_NO_AUTH) == 0 &&
	       (key->rdata[2] == KEY_PROTOCOL || key->rdata[2] == KEY_PROTOCOL_ANY) &&
	       key->rdata[3] == rr->algorithm && key_tag_of(key->rdata, key->rdlen) == rr->key_tag;
}

static int verify(const struct sig0_rr *rr, const struct rr *record, const struct algorithm *a,
		  const struct buf *data)
{
	struct crypto_key *key = NULL;
	struct crypto_verifier *verifier = NULL;
	int err = crypto_key_from_public(rr->algorithm, record->rdata + KEY_FIXED,
					 (size_t)record->rdlen - KEY_FIXED, &key);
	if (err == E_OK && crypto_key_bits(key) < a->bits_min) {
		err = E_INVAL;
	}
	if (err == E_OK) {
		err = crypto_verifier_new(key, &verifier);
	}
	if (err == E_OK) {
		err = crypto_verify(verifier, (const uint8_t *)data->data, data->len, rr->signature,
				    rr->signature_len);
	}
	crypto_verifier_free(verifier);
	crypto_key_free(key);
	return err == E_INVAL ? E_NOENT : err; /* the record is no key */
}

int sig0_check(const struct sig0_rr *rr, const uint8_t *message, size_t at, const struct version *v,
	       int64_t now)
{
	const struct algorithm *a = algorithm_find(rr->algorithm);
	const struct rrset *keys = keys_of(v, rr->signer.wire);
	struct buf data = { 0 };
	unsigned tried = 0;
	if (a == NULL || a->use != ALGORITHM_FULL || keys == NULL) {
		return E_NOENT;
	}
	int err = check_times(rr, now);
	if (err != E_OK) {
		return err;
	}
	sig0_signed_data(rr, message, at, &data);
	const uint8_t *p = rrset_data(keys);
	err = E_NOENT;
	for (unsigned i = 0; i < keys->count && err != E_OK && tried < SIG0_KEYS_MAX; i++) {
		struct rr key;
		p = rr_read(p, &key);
		if (is_meant(rr, &key)) {
			err = verify(rr, &key, a, &data);
			tried++;
		}
	}
	buf_clear(&data);
	return err;
}

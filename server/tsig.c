/* server/tsig.c - messages signed with a shared secret.
 *
 * What the MAC is over (RFC 8945 §4.3):
 *
 *     request            message | variables
 *     first response     MAC of the request | message | variables
 *     those that follow  MAC before | messages without TSIG since | message | time, fudge
 *
 * The message is without its TSIG, so with one record less, and with the id that the signer knew. */
#include "server/tsig.h"

#include "zones/base/mem.h"
#include "zones/dns/rrtype.h"

#define MAC_MIN 10 /* octets; and half of the hash (RFC 8945 §5.2.2.1) */

struct ring_key {
	const struct tsig_key *key;
	struct crypto_hmac *hmac;
};

struct tsig_ring {
	size_t count;
	struct ring_key keys[];
};

/* --- keys ------------------------------------------------------------------------------------ */

int tsig_ring_new(const struct tsig_key *keys, size_t count, struct tsig_ring **out)
{
	struct tsig_ring *ring = mem_zalloc(sizeof(*ring) + count * sizeof(ring->keys[0]));
	int err = E_OK;
	for (size_t i = 0; i < count && err == E_OK; i++) {
		ring->keys[i].key = &keys[i];
		err = crypto_hmac_new(keys[i].algorithm->digest, keys[i].secret.data,
				      keys[i].secret.len, &ring->keys[i].hmac);
		ring->count = i + 1;
	}
	if (err != E_OK) {
		tsig_ring_free(ring);
		return err;
	}
	*out = ring;
	return E_OK;
}

void tsig_ring_free(struct tsig_ring *ring)
{
	if (ring != NULL) {
		for (size_t i = 0; i < ring->count; i++) {
			crypto_hmac_free(ring->keys[i].hmac);
		}
		mem_free(ring);
	}
}

static const struct ring_key *find(const struct tsig_ring *ring, const uint8_t *name)
{
	for (size_t i = 0; i < ring->count; i++) {
		if (dname_equal(ring->keys[i].key->name.wire, name)) {
			return &ring->keys[i];
		}
	}
	return NULL;
}

bool tsig_ring_has(const struct tsig_ring *ring, const uint8_t *name)
{
	return find(ring, name) != NULL;
}

/* --- what is signed -------------------------------------------------------------------------- */

static int add_u16(struct crypto_hmac *h, uint16_t value)
{
	uint8_t octets[2];
	be16_put(octets, value);
	return crypto_hmac_add(h, octets, sizeof(octets));
}

static int add_name(struct crypto_hmac *h, const uint8_t *name)
{
	uint8_t lower[DNAME_MAX];
	return crypto_hmac_add(h, lower, dname_lower(lower, name));
}

static int add_mac(struct crypto_hmac *h, const struct tsig_exchange *x)
{
	int err = add_u16(h, x->mac_len);
	return err == E_OK ? crypto_hmac_add(h, x->mac, x->mac_len) : err;
}

/* The @len octets before the TSIG, which the header counts or not. */
static int add_message(struct crypto_hmac *h, const uint8_t *message, size_t len, uint16_t id,
		       bool counts_tsig)
{
	uint8_t header[MESSAGE_HEADER_LEN];
	memcpy(header, message, sizeof(header));
	be16_put(header, id);
	be16_put(header + 10, (uint16_t)(be16_get(header + 10) - (counts_tsig ? 1 : 0)));
	int err = crypto_hmac_add(h, header, sizeof(header));
	return err == E_OK ? crypto_hmac_add(h, message + sizeof(header), len - sizeof(header))
			   : err;
}

static int add_timers(struct crypto_hmac *h, const struct tsig_rr *rr)
{
	uint8_t time[TSIG_TIME_LEN];
	tsig_time_put(time, rr->time);
	int err = crypto_hmac_add(h, time, sizeof(time));
	return err == E_OK ? add_u16(h, rr->fudge) : err;
}

static int add_variables(struct crypto_hmac *h, const struct tsig_rr *rr)
{
	static const uint8_t class_ttl[6] = { 0, RRCLASS_ANY };
	int err = add_name(h, rr->key.wire);
	err = err == E_OK ? crypto_hmac_add(h, class_ttl, sizeof(class_ttl)) : err;
	err = err == E_OK ? add_name(h, rr->algorithm.wire) : err;
	err = err == E_OK ? add_timers(h, rr) : err;
	err = err == E_OK ? add_u16(h, rr->error) : err;
	err = err == E_OK ? add_u16(h, rr->other_len) : err;
	return err == E_OK ? crypto_hmac_add(h, rr->other, rr->other_len) : err;
}

/* One message and the record that it has or gets. */
struct signed_message {
	const uint8_t *octets;
	size_t len; /* before the TSIG */
	bool counts_tsig;
	const struct tsig_rr *rr;
};

static int mac_of(struct tsig_exchange *x, const struct signed_message *m,
		  uint8_t out[CRYPTO_DIGEST_MAX])
{
	struct crypto_hmac *h = x->hmac;
	bool is_request = x->done == 0 && x->mac_len == 0;
	int err = E_OK;
	/* Behind messages without TSIG the MAC has begun already. */
	if (x->skipped == 0) {
		err = crypto_hmac_begin(h);
		err = err == E_OK && !is_request ? add_mac(h, x) : err;
	}
	if (err == E_OK) {
		err = add_message(h, m->octets, m->len, m->rr->original_id, m->counts_tsig);
	}
	if (err == E_OK) {
		err = x->done == 0 ? add_variables(h, m->rr) : add_timers(h, m->rr);
	}
	return err == E_OK ? crypto_hmac_end(h, out) : err;
}

static void keep_mac(struct tsig_exchange *x, const uint8_t *mac, size_t len)
{
	memcpy(x->mac, mac, len);
	x->mac_len = (uint16_t)len;
}

/* --- looking at messages --------------------------------------------------------------------- */

static bool is_in_time(const struct tsig_rr *rr, uint64_t now)
{
	uint64_t off = now > rr->time ? now - rr->time : rr->time - now;
	return off <= rr->fudge;
}

/* May a MAC be cut so short at all? */
static bool is_mac_len(const struct tsig_key *key, size_t len)
{
	size_t full = key->algorithm->octets;
	size_t least = full / 2 > MAC_MIN ? full / 2 : MAC_MIN;
	return len >= least && len <= full;
}

static void refuse(struct tsig_exchange *x, uint16_t rcode, uint16_t error)
{
	x->rcode = rcode;
	x->error = error;
}

/* The checks of a request in their order (RFC 8945 §5.2). */
static int judge(struct tsig_exchange *x, const struct signed_message *m, uint64_t now)
{
	const struct tsig_rr *rr = m->rr;
	uint8_t mac[CRYPTO_DIGEST_MAX];
	const struct ring_key *k = find(x->ring, rr->key.wire);
	if (k == NULL || !dname_equal(k->key->algorithm->wire, rr->algorithm.wire)) {
		refuse(x, RCODE_NOTAUTH, TSIG_BADKEY);
		return E_OK;
	}
	if (!is_mac_len(k->key, rr->mac_len)) {
		x->is_present = false;
		refuse(x, RCODE_FORMERR, 0);
		return E_OK;
	}
	x->hmac = k->hmac;
	int err = mac_of(x, m, mac);
	if (err != E_OK) {
		return err;
	}
	if (!secret_equal(mac, rr->mac_len, rr->mac, rr->mac_len)) {
		refuse(x, RCODE_NOTAUTH, TSIG_BADSIG);
		return E_OK;
	}
	x->key = k->key;
	keep_mac(x, rr->mac, rr->mac_len);
	if (!is_in_time(rr, now)) {
		refuse(x, RCODE_NOTAUTH, TSIG_BADTIME);
	} else if (rr->mac_len < k->key->mac_len) {
		refuse(x, RCODE_NOTAUTH, TSIG_BADTRUNC);
	}
	return E_OK;
}

int tsig_verify(const struct tsig_ring *ring, const uint8_t *message, size_t len, uint64_t now,
		struct tsig_exchange *x, size_t *at)
{
	struct tsig_rr rr;
	*x = (struct tsig_exchange){ .ring = ring, .rcode = RCODE_NOERROR };
	int err = tsig_rr_find(message, len, &rr, at);
	if (err != E_OK) {
		*at = len;
		x->rcode = err == E_NOENT ? RCODE_NOERROR : RCODE_FORMERR;
		return E_OK;
	}
	const struct signed_message m = { message, *at, true, &rr };
	x->is_present = true;
	x->key_name = rr.key;
	x->algorithm = rr.algorithm;
	x->time = rr.time;
	x->id = rr.original_id;
	return judge(x, &m, now);
}

/* --- signing --------------------------------------------------------------------------------- */

int tsig_begin(const struct tsig_ring *ring, const uint8_t *name, struct tsig_exchange *x)
{
	const struct ring_key *k = find(ring, name);
	if (k == NULL) {
		return E_NOENT;
	}
	*x = (struct tsig_exchange){ .ring = ring,
				     .is_present = true,
				     .key = k->key,
				     .hmac = k->hmac,
				     .key_name = k->key->name,
				     .is_client = true };
	dname_set(&x->algorithm, k->key->algorithm->wire);
	return E_OK;
}

/* Is it signed, or does it only say what is wrong? */
static bool has_mac(const struct tsig_exchange *x)
{
	return x->key != NULL;
}

/* The record that the next message gets, without its MAC. */
static struct tsig_rr record_of(const struct tsig_exchange *x, uint64_t now, uint8_t *other)
{
	struct tsig_rr rr = { .key = x->key_name,
			      .algorithm = x->algorithm,
			      .time = now,
			      .fudge = TSIG_FUDGE,
			      .mac_len = has_mac(x) ? (uint16_t)x->key->mac_len : 0,
			      .error = x->error,
			      .other = other };
	if (x->error == TSIG_BADTIME) {
		/* The client finds it within its time, and ours in it (RFC 8945 §5.2.3). */
		rr.time = x->time;
		rr.other_len = TSIG_TIME_LEN;
		tsig_time_put(other, now);
	}
	return rr;
}

size_t tsig_needed(const struct tsig_exchange *x)
{
	uint8_t other[TSIG_TIME_LEN];
	const struct tsig_rr rr = record_of(x, 0, other);
	return x->is_present ? tsig_rr_len(&rr) : 0;
}

static bool can_count_one_more(const uint8_t *message)
{
	return be16_get(message + 10) != UINT16_MAX;
}

static int make_mac(struct tsig_exchange *x, struct tsig_rr *rr, const uint8_t *message, size_t len)
{
	const struct signed_message m = { message, len, false, rr };
	uint8_t mac[CRYPTO_DIGEST_MAX];
	int err = mac_of(x, &m, mac);
	if (err == E_OK) {
		/* The one that is sent goes into the next, as long as it is sent (RFC 8945 §5.3.1). */
		keep_mac(x, mac, rr->mac_len);
		rr->mac = x->mac;
	}
	return err;
}

int tsig_sign(struct tsig_exchange *x, uint8_t *message, size_t *len, size_t room, uint64_t now)
{
	uint8_t other[TSIG_TIME_LEN];
	struct tsig_rr rr = record_of(x, now, other);
	struct writer w = writer_of(message + *len, room - *len);
	if (!x->is_present) {
		return E_OK;
	}
	if (writer_left(&w) < tsig_rr_len(&rr)) {
		return E_NOSPACE;
	}
	if (!can_count_one_more(message)) {
		return E_INVAL;
	}
	rr.original_id = be16_get(message);
	int err = has_mac(x) ? make_mac(x, &rr, message, *len) : E_OK;
	if (err != E_OK) {
		return err;
	}
	if (x->is_client) {
		x->time = now;
		x->id = rr.original_id;
	} else {
		x->done++;
	}
	tsig_rr_write(&w, &rr);
	be16_put(message + 10, (uint16_t)(be16_get(message + 10) + 1));
	*len += writer_len(&w);
	return w.err;
}

/* --- responses ------------------------------------------------------------------------------- */

/* A message without TSIG goes into the MAC of the next that has one. */
static int take_unsigned(struct tsig_exchange *x, const uint8_t *message, size_t len)
{
	int err = E_OK;
	if (x->done == 0 || x->skipped == TSIG_UNSIGNED_MAX) {
		return E_BADSIG;
	}
	if (x->skipped == 0) {
		err = crypto_hmac_begin(x->hmac);
		err = err == E_OK ? add_mac(x->hmac, x) : err;
	}
	if (err == E_OK) {
		err = add_message(x->hmac, message, len, x->id, false);
	}
	x->skipped++;
	return err == E_OK ? E_AGAIN : err;
}

/* Errors about the key or the MAC cannot be signed, and NSD does not sign those about the time either, as it should
 * (RFC 8945 §5.2.3): believed as far as they refuse. */
static bool is_refusal(const struct tsig_rr *rr)
{
	return rr->mac_len == 0 &&
	       (rr->error == TSIG_BADKEY || rr->error == TSIG_BADSIG || rr->error == TSIG_BADTIME);
}

int tsig_sign_query(const struct tsig_ring *ring, const struct tsig_key *key,
		    struct tsig_exchange *x, uint8_t *message, size_t *len, size_t room,
		    uint64_t now)
{
	if (key == NULL) {
		return E_OK;
	}
	int err = tsig_begin(ring, key->name.wire, x);
	return err == E_OK ? tsig_sign(x, message, len, room, now) : err;
}

int tsig_check(struct tsig_exchange *x, const uint8_t *message, size_t len, uint64_t now,
	       size_t *at)
{
	struct tsig_rr rr;
	uint8_t mac[CRYPTO_DIGEST_MAX];
	int err = tsig_rr_find(message, len, &rr, at);
	if (err == E_NOENT) {
		*at = len;
		return take_unsigned(x, message, len);
	}
	if (err != E_OK) {
		return err;
	}
	const struct signed_message m = { message, *at, true, &rr };
	x->error = rr.error;
	if (is_refusal(&rr)) {
		return E_PERM;
	}
	if (!dname_equal(rr.key.wire, x->key_name.wire) ||
	    !dname_equal(rr.algorithm.wire, x->algorithm.wire) || rr.original_id != x->id ||
	    !is_mac_len(x->key, rr.mac_len) || rr.mac_len < x->key->mac_len) {
		return E_BADSIG;
	}
	err = mac_of(x, &m, mac);
	if (err != E_OK || !secret_equal(mac, rr.mac_len, rr.mac, rr.mac_len)) {
		return err != E_OK ? err : E_BADSIG;
	}
	keep_mac(x, rr.mac, rr.mac_len);
	x->done++;
	x->skipped = 0;
	if (rr.error != 0) {
		return E_PERM;
	}
	return is_in_time(&rr, now) ? E_OK : E_EXPIRED;
}

/* server/tsig.h - messages signed with a shared secret (RFC 8945).
 *
 *     a server:   tsig_verify (the request) → tsig_sign (each message of the response, in order)
 *     a client:   tsig_begin → tsig_sign (the request) → tsig_check (each message of the response, in order)
 *
 * What a server finds wrong with a request is no error of ours: it is in the `rcode` and `error` of the
 * exchange, and tsig_sign makes of it what the RFC wants, signed or not:
 *
 *     the record stands in a wrong place, or makes no sense   FORMERR, no TSIG
 *     no such key, or another algorithm                       NOTAUTH  BADKEY    not signed
 *     the MAC is another                                      NOTAUTH  BADSIG    not signed
 *     the time is not within the fudge of ours                NOTAUTH  BADTIME   signed, with our time
 *     the MAC is right, but shorter than the key allows       NOTAUTH  BADTRUNC  signed
 *
 * Threads: a ring belongs to one thread, an exchange too.
 * Memory:  nothing is allocated but by tsig_ring_new. A MAC is copied, so a message may go when a call is over. */
#ifndef SERVER_TSIG_H
#define SERVER_TSIG_H

#include "keys/tsig_key.h"
#include "zones/dns/tsig_rr.h"

/* Seconds that clocks may differ (RFC 8945 §10). */
#define TSIG_FUDGE 300
/* A client takes so many messages of a response without a TSIG in a row (RFC 8945 §5.3.1). */
#define TSIG_UNSIGNED_MAX 99

/* Keys of a thread, each with a context that was prepared once. */
struct tsig_ring;

/* @keys are borrowed and outlive the ring. Names are different. E_CRYPTO. */
MUST_USE int tsig_ring_new(const struct tsig_key *keys, size_t count, struct tsig_ring **out);
void tsig_ring_free(struct tsig_ring *ring); /* NULL is fine */
/* Is there a key of this name? */
bool tsig_ring_has(const struct tsig_ring *ring, const uint8_t *name);

/* One request and its response. */
struct tsig_exchange {
	const struct tsig_ring *ring;
	bool is_present;	    /* the request has a TSIG, and so has the response */
	uint16_t rcode;		    /* of the response: NOERROR, FORMERR, NOTAUTH */
	uint16_t error;		    /* enum tsig_error, 0 */
	const struct tsig_key *key; /* who signed it; NULL unless the MAC is right */
	/* Private. */
	struct crypto_hmac *hmac;
	struct dname key_name, algorithm; /* as in the request */
	uint64_t time;			  /* of the request */
	uint16_t id;			  /* of the request */
	uint8_t mac[CRYPTO_DIGEST_MAX];	  /* of the message before, or of the request */
	uint16_t mac_len;
	unsigned done;	  /* messages that are signed or checked, the request apart */
	unsigned skipped; /* messages behind the last with a TSIG */
	bool is_client;
};

/* Looks at a request. Results are in @x: with no TSIG is_present is false and rcode NOERROR. @at gets the octets of
 * the message without its TSIG (all, where there is none). E_CRYPTO. */
MUST_USE int tsig_verify(const struct tsig_ring *ring, const uint8_t *message, size_t len,
			 uint64_t now, struct tsig_exchange *x, size_t *at);

/* The exchange of a client with the key @name. E_NOENT: there is none. */
MUST_USE int tsig_begin(const struct tsig_ring *ring, const uint8_t *name, struct tsig_exchange *x);

/* Both for a query of ours: begins with @key (NULL: does nothing) and signs; x is for tsig_check. */
MUST_USE int tsig_sign_query(const struct tsig_ring *ring, const struct tsig_key *key,
			     struct tsig_exchange *x, uint8_t *message, size_t *len, size_t room,
			     uint64_t now);

/* Octets that tsig_sign adds to a message; 0: none. */
size_t tsig_needed(const struct tsig_exchange *x);
/* Signs the *@len octets at @message, which has @room: appends the TSIG and counts it. Where the request had none, or
 * one that is FORMERR, does nothing. E_NOSPACE, E_CRYPTO; E_INVAL: more records than can be counted. */
MUST_USE int tsig_sign(struct tsig_exchange *x, uint8_t *message, size_t *len, size_t room,
		       uint64_t now);

/* Looks at a message of the response. @at as for tsig_verify. E_OK: it is signed and good; E_AGAIN: it has no TSIG,
 * and is good if one that follows is (never for the first). E_BADSIG: the MAC or key is another, one is missing, or
 * too many are; E_EXPIRED: the time is not within the fudge of ours; E_PERM: the server refuses (x->error says why);
 * E_INVAL and others of tsig_rr_find: malformed; E_CRYPTO. */
MUST_USE int tsig_check(struct tsig_exchange *x, const uint8_t *message, size_t len, uint64_t now,
			size_t *at);

#endif

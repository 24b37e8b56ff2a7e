/* zones/dns/tsig_rr.h - the TSIG record (RFC 8945 §4.2), which ends a message that is signed with a shared secret.
 *
 *     owner: the key's name | type 250 | class ANY | TTL 0 | rdlength
 *     algorithm's name | time 48 | fudge 16 | MAC size 16 | MAC | original id 16 | error 16 | size 16 | other
 *
 * Threads: no state.
 * Memory:  what is read borrows from the message. */
#ifndef ZONES_DNS_TSIG_RR_H
#define ZONES_DNS_TSIG_RR_H

#include "zones/dns/message.h"

/* Errors in the record; above 15, as they do not go into a header (RFC 8945 §3). */
enum tsig_error { TSIG_BADSIG = 16, TSIG_BADKEY = 17, TSIG_BADTIME = 18, TSIG_BADTRUNC = 22 };

#define TSIG_TIME_LEN 6 /* octets of a time, and of what BADTIME has for other data */

struct tsig_rr {
	struct dname key; /* as they came; compared without case */
	struct dname algorithm;
	uint64_t time; /* seconds since 1970, 48 bits */
	uint16_t fudge;
	uint16_t mac_len;
	const uint8_t *mac;
	uint16_t original_id;
	uint16_t error;
	uint16_t other_len;
	const uint8_t *other;
};

/* Finds the TSIG record of a message; @at: octets of the message before it. E_NOENT: there is none. E_INVAL: it is
 * not the last record, or not the only one, or its class or TTL is wrong: FORMERR (RFC 8945 §5.1). E_TRUNC, E_NAME,
 * E_LOOP, E_TRAILING: the octets are no message. */
MUST_USE int tsig_rr_find(const uint8_t *message, size_t len, struct tsig_rr *out, size_t *at);

/* Octets that tsig_rr_write needs. */
size_t tsig_rr_len(const struct tsig_rr *rr);
/* Names in full and in the case they are given in. Nothing is written when it does not fit (w->err). */
void tsig_rr_write(struct writer *w, const struct tsig_rr *rr);

/* 48 bits. */
void tsig_time_put(uint8_t to[TSIG_TIME_LEN], uint64_t time);
uint64_t tsig_time_get(const uint8_t from[TSIG_TIME_LEN]);

#endif

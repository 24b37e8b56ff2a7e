/* server/update.h - UPDATE messages (RFC 2136, RFC 3007): who sends them, what becomes of them, what is answered.
 *
 *     update_open → update_apply (to an edit, with others) → ... durable ... → update_close
 *
 * Checks are in the order of RFC 2136 §3 and RFC 8945 §5.2: signature, form, zone, prerequisites, permission, form of
 * the updates. The first that fails is the answer.
 *
 * A SIG(0) (RFC 2931) is looked at when the zone is known, as its key is in there: by a rule of the zone about the
 * signer's name, and only then, so that nobody has the server verify for nothing. One that is not good is answered NOTAUTH, as
 * a TSIG is; the response is not signed. Without such a rule the message is one that is not signed.
 *
 * Threads: one job's.
 * Memory:  an update owns its request until update_close, which gives it back to its worker. */
#ifndef SERVER_UPDATE_H
#define SERVER_UPDATE_H

#include "server/config.h"
#include "server/request.h"
#include "server/tsig.h"
#include "zones/ddns.h"
#include "zones/dns/sig0_rr.h"

struct update {
	struct request *request;
	struct tsig_exchange tsig;
	struct sig0_rr sig0;
	size_t sig0_at; /* octets of the message before it; 0: there is none */
	bool is_sig0;	/* it is good: the KEY record of sig0.signer has signed */
	struct arena arena;
	struct ddns_request ddns;
	struct ddns_result result;
	bool is_sound;	    /* signature and form are right: there is something to do */
	uint16_t rcode;	    /* of the response, as far as it is known */
	const char *reason; /* borrowed; for the log; NULL: the code says all */
	/* What the client takes over UDP; 0: it has no OPT record, and so has the response (RFC 6891 §6.1.1). */
	uint16_t udp_size;
	int64_t now;
};

/* The name of the zone that a message is for; borrowed. NULL: it names none. */
const uint8_t *update_zone(const struct request *r);

/* Takes @r, and looks at its signature alone, for who does not carry it out: u->rcode. Returns the octets before the TSIG. */
size_t update_verify(struct update *u, struct request *r, const struct tsig_ring *ring,
		     int64_t now);
/* Takes @r: reads it and checks its signature. u->rcode is not NOERROR when it is not sound. */
void update_open(struct update *u, struct request *r, const struct tsig_ring *ring, int64_t now);
/* Has the update done in @e, an edit of @zone, if it is sound. u->rcode says how it went; where it is not NOERROR @e is
 * unchanged. When the edit comes to nothing, it can be done in another. */
void update_apply(struct update *u, const struct config_zone *zone, struct edit *e);
/* Sends the response. */
void update_close(struct update *u);
/* "NOERROR". */
const char *update_rcode_text(uint16_t rcode);

#endif

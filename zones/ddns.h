/* zones/ddns.h - dynamic update (RFC 2136): what a message asks for, whether it may be, and doing it.
 *
 *     ddns_read → ddns_prerequisites (§3.2) → ddns_permitted (§3.3) → ddns_prescan (§3.4.1) → ddns_apply (§3.4.2)
 *
 * Each step gives an rcode; the first that is not NOERROR is the answer. Only ddns_apply changes anything, and
 * only when it gives NOERROR: the outcome is worked out for each name, and put into the edit when all of it is known to
 * be possible. So requests can follow each other in one edit: each sees what those before it did, by
 * edit_state.
 *
 * The zone may be signed. NSEC, NSEC3 and RRSIG are the server's: a name that owns nothing else is not in use, and
 * loses them with its last record of another type. Signatures of a set that changed stay, for the signer to make new
 * ones; those of a set that went go with it.
 *
 * What cannot stand where it is to be added is left out without a word, as RFC 2136 §3.4.2.2 has it of CNAMEs: a CNAME beside
 * others, a DNAME beside a delegation, NS and DNAME at a wildcard.
 *
 * A DS record that stands beside no delegation in the end is taken out: nobody would ask here for it, and no validator
 * would take the zone (RFC 4035 §2.4).
 *
 * Threads: no state.
 * Memory:  a request lives in the arena given to ddns_read, which may hold several.
 * Errors:  rcodes; an update from a client is never an error of ours. */
#ifndef ZONES_DDNS_H
#define ZONES_DDNS_H

#include "zones/base/arena.h"
#include "zones/dns/message.h"
#include "zones/edit.h"

/* No set grows beyond the octets that a message holds: nobody could ask for it. */
#define DDNS_SET_MAX (MESSAGE_MAX - MESSAGE_HEADER_LEN - DNAME_MAX - 4)

/* Seconds that a client may have others keep records for: TTLs and the SOA's expire. A year; signatures have to
 * outlive both. */
#define DDNS_HELD_MAX 31536000

/* What a client may change of the records that the server can keep by itself. */
enum ddns_allow {
	DDNS_NSEC3PARAM =
		1 << 0,	    /* stays when all that the apex owns is removed, as SOA and NS do */
	DDNS_KEYS = 1 << 1, /* DNSKEY, CDS, CDNSKEY */
	DDNS_ZONEMD = 1 << 2,
};

struct ddns_rr {
	const uint8_t *owner;
	const uint8_t *rdata; /* uncompressed, and checked where it is that of a record */
	uint32_t ttl;	      /* of a record to be added: at most 2^31 - 1 */
	uint16_t type;
	uint16_t class;
	uint16_t len;
};

/* How many records of @type may be at @owner; 0: as many as there is room for. */
typedef uint32_t ddns_limit(void *arg, const uint8_t *owner, uint16_t type);

struct ddns_request {
	const uint8_t *zone;
	uint16_t class;
	unsigned allow;	   /* enum ddns_allow; ddns_read allows nothing, the caller may */
	ddns_limit *limit; /* records beyond it are left out without a word; NULL: no limits */
	void *limit_arg;
	uint32_t prerequisite_count, update_count;
	struct ddns_rr *prerequisites;
	struct ddns_rr *updates; /* in the order of the message */
	struct arena *arena;
};

/* Reads an UPDATE message of @len octets, without its TSIG (which the count of the additional section may still
 * include). FORMERR. */
MUST_USE enum rcode ddns_read(const uint8_t *message, size_t len, struct arena *arena,
			      struct ddns_request *out);

/* Does the zone look as the client wants it to? FORMERR, NOTZONE, NXDOMAIN, YXDOMAIN, NXRRSET, YXRRSET. */
MUST_USE enum rcode ddns_prerequisites(const struct ddns_request *req, const struct version *state);

/* May the client change records of @type at @owner? @rdata is NULL where all of the type are to go. */
typedef bool ddns_may(void *arg, const uint8_t *owner, uint16_t type, const uint8_t *rdata,
		      size_t len);

/* Asks for each update; for the removal of all that a name owns, asks for each type that is there. REFUSED, or
 * NOTZONE. */
MUST_USE enum rcode ddns_permitted(const struct ddns_request *req, const struct version *state,
				   ddns_may *may, void *arg);

/* Is each update well-formed, of a type that clients may change, and within DDNS_HELD_MAX? FORMERR, NOTZONE,
 * REFUSED. */
MUST_USE enum rcode ddns_prescan(const struct ddns_request *req);

struct ddns_result {
	bool is_changed;      /* else the zone's records are what they were */
	bool is_serial_set;   /* the client gave a newer SOA: its serial is the zone's now */
	bool is_keys_changed; /* DNSKEY, CDS or CDNSKEY */
	enum { DDNS_CHAIN_LEFT, DDNS_CHAIN_NSEC, DDNS_CHAIN_NSEC3 } chain; /* which was asked for */
	/* With DDNS_CHAIN_NSEC3. The flags are those that the client gave, opt-out that is; the record in the zone
	 * has none (RFC 5155 §4.1.2). Where they alone are new, is_changed is false. */
	struct nsec3_param nsec3_param;
	uint32_t added, removed; /* records, in the end */
};

/* Does what an update asks for that has passed ddns_prescan. @e was begun with EDIT_TTL_LAST, or whatever it did
 * so far is applied. REFUSED: a set would become larger than DDNS_SET_MAX; nothing was changed. */
MUST_USE enum rcode ddns_apply(const struct ddns_request *req, struct edit *e,
			       struct ddns_result *out);

#endif

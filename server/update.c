/* server/update.c - UPDATE messages: who sends them, what becomes of them, what is answered. */
#include "server/update.h"

#include <string.h>

#include "signer/nsec3_hash.h"
#include "signer/sig0.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"
#include "zones/dns/edns.h"

/* A response is its header, an OPT, and a TSIG with two long names and the longest MAC. */
#define RESPONSE_MAX 1024

const char *update_rcode_text(uint16_t rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
					     "NOTIMP",	"REFUSED", "YXDOMAIN", "YXRRSET",
					     "NXRRSET", "NOTAUTH", "NOTZONE" };
	return rcode < ARRAY_LEN(names) ? names[rcode] : "?";
}

const uint8_t *update_zone(const struct request *r)
{
	struct reader reader = reader_of(r->message, r->len);
	struct message_header header;
	struct message_question zone;
	if (message_read_header(&reader, &header) != E_OK || header.count[SECTION_QUESTION] != 1 ||
	    message_read_question(&reader, &zone) != E_OK) {
		return NULL;
	}
	return zone.name;
}

/* What the OPT record says that a client takes over UDP; 0: there is none. */
static uint16_t udp_size_of(const uint8_t *message, size_t len)
{
	struct reader r = reader_of(message, len);
	struct message_header h;
	struct message_question q;
	struct message_rr rr;
	if (message_read_header(&r, &h) != E_OK || h.count[SECTION_QUESTION] != 1 ||
	    message_read_question(&r, &q) != E_OK) {
		return 0;
	}
	while (reader_left(&r) != 0 && message_read_rr(&r, &rr) == E_OK) {
		if (rr.type == RRTYPE_OPT) {
			return rr.class > REQUEST_UDP_RESPONSE ? rr.class : REQUEST_UDP_RESPONSE;
		}
	}
	return 0;
}

static uint16_t find_sig0(struct update *u)
{
	int err = sig0_rr_find(u->request->message, u->request->len, &u->sig0, &u->sig0_at);
	if (err != E_OK) {
		u->sig0_at = 0;
	}
	return err == E_OK || err == E_NOENT ? RCODE_NOERROR : RCODE_FORMERR;
}

size_t update_verify(struct update *u, struct request *r, const struct tsig_ring *ring, int64_t now)
{
	size_t len = r->len;
	*u = (struct update){ .request = r, .now = now };
	if (tsig_verify(ring, r->message, r->len, (uint64_t)now, &u->tsig, &len) != E_OK) {
		u->rcode = RCODE_SERVFAIL;
		return len;
	}
	u->rcode = u->tsig.rcode;
	if (u->rcode == RCODE_NOERROR) {
		u->rcode = find_sig0(u);
	}
	u->udp_size = udp_size_of(r->message, len);
	return len;
}

void update_open(struct update *u, struct request *r, const struct tsig_ring *ring, int64_t now)
{
	const size_t len = update_verify(u, r, ring, now);
	if (u->rcode == RCODE_NOERROR) {
		u->rcode = (uint16_t)ddns_read(r->message, len, &u->arena, &u->ddns);
		u->is_sound = u->rcode == RCODE_NOERROR;
	}
}

/* Who signed, for the log. */
static void signer_text(const struct update *u, struct buf *out)
{
	if (u->tsig.key != NULL) {
		dname_print(out, u->tsig.key->name.wire);
	} else if (u->is_sig0) {
		buf_str(out, "sig0:");
		dname_print(out, u->sig0.signer.wire);
	} else {
		buf_str(out, "none");
	}
}

static void log_update(const struct update *u, const uint8_t *zone)
{
	char name[DNAME_TEXT_MAX];
	struct buf key = { 0 };
	struct buf certificate = { 0 };
	char quoted[2][DNAME_TEXT_MAX + 16];
	char reason[512];
	char client[ADDRESS_NETWORK_TEXT_MAX];
	const struct address_network network = { u->request->client,
						 (uint8_t)(u->request->client.len * 8) };
	(void)dname_to_text(zone, name);
	signer_text(u, &key);
	if (u->request->names_len != 0) {
		buf_str(&certificate, " tls="); /* its names have nothing that needs quotes */
		dname_print(&certificate, u->request->names);
	}
	address_network_to_text(&network, client);
	log_event(u->rcode == RCODE_NOERROR ? LOG_LEVEL_INFO : LOG_LEVEL_NOTICE, "update",
		  "zone=%s client=%s%s key=%s rcode=%s added=%u removed=%u%s%s",
		  log_quote(name, quoted[0], sizeof(quoted[0])), client,
		  certificate.data != NULL ? certificate.data : "",
		  log_quote(key.data, quoted[1], sizeof(quoted[1])), update_rcode_text(u->rcode),
		  u->result.added, u->result.removed, u->reason != NULL ? " reason=" : "",
		  u->reason != NULL ? log_quote(u->reason, reason, sizeof(reason)) : "");
	buf_clear(&key);
	buf_clear(&certificate);
}

/* --- who may --------------------------------------------------------------------------------- */

static const char *sig0_reason(int err)
{
	switch (err) {
	case E_NOENT:
		return "SIG(0): no such key in the zone";
	case E_NOTYET:
		return "SIG(0): not valid yet, by our clock";
	case E_EXPIRED:
		return "SIG(0): expired, by our clock";
	case E_BADSIG:
		return "SIG(0): the signature does not verify";
	default:
		return "SIG(0): it cannot be verified";
	}
}

/* Looks at the SIG(0), where a rule is about its signer: is it good, by the keys of @state? */
static uint16_t check_sig0(struct update *u, const struct config_zone *zone,
			   const struct version *state)
{
	const uint8_t *signer = u->sig0.signer.wire;
	bool is_known =
		u->sig0_at != 0 &&
		(zone->update_policy != NULL ? update_policy_knows_sig0(zone->update_policy, signer)
					     : acl_knows_sig0(zone->updaters, signer));
	if (!is_known) {
		return RCODE_NOERROR;
	}
	int err = sig0_check(&u->sig0, u->request->message, u->sig0_at, state, u->now);
	if (err != E_OK) {
		u->reason = sig0_reason(err);
		return err == E_CRYPTO ? RCODE_SERVFAIL : RCODE_NOTAUTH;
	}
	u->is_sig0 = true;
	return RCODE_NOERROR;
}

/* The name of the key that the message is signed with; NULL: it is not signed. */
static const uint8_t *signer_of(const struct update *u)
{
	return u->tsig.key != NULL ? u->tsig.key->name.wire
	       : u->is_sig0	   ? u->sig0.signer.wire
				   : NULL;
}

/* Who asks for changes in which zone. */
struct asker {
	const struct update *update;
	const struct config_zone *zone;
};

static struct update_wish wish_of(const struct asker *a, const uint8_t *owner, uint16_t type)
{
	return (struct update_wish){ .signer = signer_of(a->update),
				     .is_sig0 = a->update->is_sig0,
				     .zone = a->zone->name,
				     .owner = owner,
				     .type = type };
}

static bool may_change(void *arg, const uint8_t *owner, uint16_t type, const uint8_t *rdata UNUSED,
		       size_t len UNUSED)
{
	const struct asker *a = arg;
	const struct update_wish wish = wish_of(a, owner, type);
	uint32_t most;
	return update_policy_allows(a->zone->update_policy, &wish, &most);
}

static uint32_t most_of(void *arg, const uint8_t *owner, uint16_t type)
{
	const struct asker *a = arg;
	const struct update_wish wish = wish_of(a, owner, type);
	uint32_t most = 0;
	(void)update_policy_allows(a->zone->update_policy, &wish, &most);
	return most;
}

static bool may_ask(const struct update *u, const struct config_zone *zone)
{
	const struct acl_client client = { .ip = &u->request->client,
					   .names = { u->request->names, u->request->names_len },
					   .key = u->tsig.key,
					   .sig0 = u->is_sig0 ? u->sig0.signer.wire : NULL };
	return zone->update_policy != NULL ? signer_of(u) != NULL
					   : acl_allows(zone->updaters, &client);
}

/* What clients may change of what is kept by the server itself. */
static unsigned allowed(const struct config_policy *p)
{
	if (p == NULL) {
		return DDNS_KEYS | DDNS_NSEC3PARAM | DDNS_ZONEMD;
	}
	return (p->update_nsec3param == CONFIG_YES ? DDNS_NSEC3PARAM : 0U) |
	       (p->update_keys == CONFIG_YES ? DDNS_KEYS : 0U);
}

/* Is each chain that is asked for one that we make? */
static bool has_good_chains(const struct ddns_request *req)
{
	for (uint32_t i = 0; i < req->update_count; i++) {
		const struct ddns_rr *rr = &req->updates[i];
		struct nsec3_param p;
		if (rr->type == RRTYPE_NSEC3PARAM && rr->class == RRCLASS_IN &&
		    (nsec3_param_read(rr->rdata, rr->len, &p) != E_OK || !nsec3_is_plain(&p))) {
			return false;
		}
	}
	return true;
}

static uint16_t apply(struct update *u, const struct config_zone *zone, struct edit *e)
{
	struct asker asker = { u, zone };
	u->ddns.allow = allowed(zone->policy);
	if (u->ddns.class != RRCLASS_IN || !dname_equal(u->ddns.zone, zone->name)) {
		return RCODE_NOTAUTH;
	}
	uint16_t rcode = check_sig0(u, zone, edit_state(e));
	if (rcode != RCODE_NOERROR) {
		return rcode;
	}
	if (!may_ask(u, zone)) {
		return RCODE_REFUSED; /* and no word about what is in the zone (RFC 3007 §3.3) */
	}
	rcode = (uint16_t)ddns_prerequisites(&u->ddns, edit_state(e));
	if (rcode == RCODE_NOERROR && zone->update_policy != NULL) {
		u->ddns.limit = most_of;
		u->ddns.limit_arg = &asker;
		rcode = (uint16_t)ddns_permitted(&u->ddns, edit_state(e), may_change, &asker);
	}
	if (rcode == RCODE_NOERROR) {
		rcode = (uint16_t)ddns_prescan(&u->ddns);
	}
	if (rcode == RCODE_NOERROR && zone->policy != NULL && !has_good_chains(&u->ddns)) {
		u->reason = "NSEC3 is made with algorithm 1 and 0 iterations (RFC 9276)";
		rcode = RCODE_REFUSED;
	}
	if (rcode == RCODE_NOERROR) {
		rcode = (uint16_t)ddns_apply(&u->ddns, e, &u->result);
	}
	return rcode;
}

void update_apply(struct update *u, const struct config_zone *zone, struct edit *e)
{
	if (u->is_sound) {
		u->result = (struct ddns_result){ 0 };
		u->is_sig0 = false;
		u->reason = NULL;
		u->rcode = apply(u, zone, e);
	}
}

static void respond(struct update *u)
{
	struct request *r = u->request;
	uint8_t out[RESPONSE_MAX];
	struct reader reader = reader_of(r->message, r->len);
	struct message_header h = { 0 };
	size_t len = MESSAGE_HEADER_LEN;
	if (message_read_header(&reader, &h) != E_OK) {
		return;
	}
	h.flags = (uint16_t)(MESSAGE_QR | (h.flags & MESSAGE_OPCODE) | (u->rcode & MESSAGE_RCODE));
	memset(h.count, 0, sizeof(h.count));
	if (u->udp_size != 0) {
		struct writer w = writer_of(out + len, sizeof(out) - len);
		const struct edns opt = { .udp_size = 1232 };
		edns_write(&w, &opt);
		len += writer_len(&w);
		h.count[SECTION_ADDITIONAL] = 1;
	}
	message_write_header(out, &h);
	if (tsig_sign(&u->tsig, out, &len, sizeof(out), (uint64_t)u->now) != E_OK) {
		return;
	}
	r->response = mem_dup(out, len);
	r->response_len = len;
}

void update_close(struct update *u)
{
	const uint8_t *zone = update_zone(u->request);
	if (zone != NULL) {
		log_update(u, zone);
	}
	respond(u);
	request_answer(u->request);
	arena_clear(&u->arena);
	*u = (struct update){ 0 };
}

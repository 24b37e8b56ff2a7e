/* test/fuzz/sig0_fuzz.c - any octets as a message with a SIG(0).
 *
 * A record that was found is written again and read back to the same; no octets are a message that a key of the zone has
 * signed, whatever the time. The zone's keys have the tags and algorithms of the seeds, so that they lead as far as
 * the signature. */
#include <stdlib.h>

#include "signer/sig0.h"
#include "zones/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1600000000 /* of the seeds */

static const uint8_t zone[] = "\1z";
static const uint8_t host[] = "\1h\1z";

static void require(bool what)
{
	if (!what) {
		abort();
	}
}

/* KEY records that look like one: of ED25519, and of RSASHA256. */
static struct version *make_zone(void)
{
	static const uint8_t soa[] = "\2ns\1z\0\1h\1z\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1";
	static const uint8_t rsa[] = { 2, 0, 3, 8, 3, 1, 0, 1 };
	static const uint8_t ed25519[] = { 2, 0, 3, 15 };
	uint8_t key[sizeof(rsa) + 128];
	struct edit *e = edit_begin(NULL, zone, EDIT_TTL_LAST);
	require(edit_add(e, zone, RRTYPE_SOA, 60, soa, sizeof(soa) - 1) == E_OK);
	memset(key, 0xff, sizeof(key));
	memcpy(key, rsa, sizeof(rsa));
	require(edit_add(e, host, RRTYPE_KEY, 60, key, sizeof(key)) == E_OK);
	memset(key, 3, sizeof(key));
	memcpy(key, ed25519, sizeof(ed25519));
	require(edit_add(e, host, RRTYPE_KEY, 60, key, sizeof(ed25519) + 32) == E_OK);
	return edit_commit(e);
}

static void write_again(const struct sig0_rr *rr)
{
	static uint8_t message[MESSAGE_HEADER_LEN + MESSAGE_RR_FIXED + DNAME_MAX + MESSAGE_MAX];
	struct sig0_rr again;
	size_t at;
	const struct message_header h = { .count = { 0, 0, 0, 1 } };
	struct writer w = writer_of(message, sizeof(message));
	message_write_header(writer_room(&w, MESSAGE_HEADER_LEN), &h);
	sig0_rr_write(&w, rr);
	/* With its name in full it may be longer than a record can be. */
	if ((size_t)SIG0_FIXED + rr->signer.len + rr->signature_len > UINT16_MAX) {
		return;
	}
	require(w.err == E_OK);
	require(sig0_rr_find(message, writer_len(&w), &again, &at) == E_OK);
	require(at == MESSAGE_HEADER_LEN && again.algorithm == rr->algorithm &&
		again.original_ttl == rr->original_ttl && again.expiration == rr->expiration &&
		again.inception == rr->inception && again.key_tag == rr->key_tag &&
		again.signer.len == rr->signer.len &&
		memcmp(again.signer.wire, rr->signer.wire, rr->signer.len) == 0 &&
		again.signature_len == rr->signature_len &&
		memcmp(again.signature, rr->signature, rr->signature_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct version *v;
	struct sig0_rr rr;
	size_t at;
	if (v == NULL) {
		v = make_zone();
	}
	if (size > MESSAGE_MAX || sig0_rr_find(data, size, &rr, &at) != E_OK) {
		return 0;
	}
	require(at < size && rr.signature + rr.signature_len <= data + size);
	write_again(&rr);
	require(sig0_check(&rr, data, at, v, NOW) != E_OK);
	require(sig0_check(&rr, data, at, v, rr.inception) != E_OK);
	return 0;
}

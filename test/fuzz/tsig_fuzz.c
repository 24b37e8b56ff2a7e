/* test/fuzz/tsig_fuzz.c - any octets as a signed request, and as a message of a signed response.
 *
 * The keys are those of the seeds, so that they lead behind the MAC. A record that was found is written again and read
 * back to the same; what is signed in return is found. */
#include <stdlib.h>

#include "server/tsig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1600000000 /* of the seeds */

static const char *const algorithms[] = { "hmac-md5",	 "hmac-sha1",	"hmac-sha224",
					  "hmac-sha256", "hmac-sha384", "hmac-sha512" };
static struct tsig_key keys[ARRAY_LEN(algorithms)];
static struct tsig_ring *rings[ARRAY_LEN(algorithms)]; /* the same name in each */

static void require(bool what)
{
	if (!what) {
		abort();
	}
}

static void make_rings(void)
{
	uint8_t secret[64];
	for (size_t i = 0; i < ARRAY_LEN(algorithms) && rings[i] == NULL; i++) {
		unsigned len = tsig_algorithm_find(algorithms[i])->octets;
		for (unsigned n = 0; n < len; n++) {
			secret[n] = (uint8_t)(7 * n + len);
		}
		require(tsig_key_set(&keys[i], (const uint8_t *)"\3key\7example", algorithms[i],
				     secret, len) == E_OK);
		require(tsig_ring_new(&keys[i], 1, &rings[i]) == E_OK);
	}
}

static void write_again(const uint8_t *data, size_t size)
{
	static uint8_t message[MESSAGE_HEADER_LEN + 2 * DNAME_MAX + MESSAGE_MAX];
	struct tsig_rr rr, again;
	size_t at;
	if (tsig_rr_find(data, size, &rr, &at) != E_OK) {
		return;
	}
	const struct message_header h = { .count = { 0, 0, 0, 1 } };
	struct writer w = writer_of(message, sizeof(message));
	message_write_header(writer_room(&w, MESSAGE_HEADER_LEN), &h);
	tsig_rr_write(&w, &rr);
	require(w.err == E_OK && writer_len(&w) == MESSAGE_HEADER_LEN + tsig_rr_len(&rr));
	require(tsig_rr_find(message, writer_len(&w), &again, &at) == E_OK);
	require(at == MESSAGE_HEADER_LEN && dname_equal(again.key.wire, rr.key.wire) &&
		dname_equal(again.algorithm.wire, rr.algorithm.wire) && again.time == rr.time &&
		again.fudge == rr.fudge && again.mac_len == rr.mac_len &&
		memcmp(again.mac, rr.mac, rr.mac_len) == 0 && again.original_id == rr.original_id &&
		again.error == rr.error && again.other_len == rr.other_len);
}

static void serve(const struct tsig_ring *ring, const uint8_t *data, size_t size)
{
	uint8_t response[1024] = { 0 };
	struct tsig_exchange x;
	struct tsig_rr rr;
	size_t at;
	require(tsig_verify(ring, data, size, NOW, &x, &at) == E_OK);
	require(at <= size && (x.is_present || x.key == NULL));
	require(x.error == 0 || x.rcode == RCODE_NOTAUTH);
	for (unsigned i = 0; i < 2; i++) {
		size_t len = MESSAGE_HEADER_LEN;
		memset(response, 0, MESSAGE_HEADER_LEN);
		require(tsig_sign(&x, response, &len, sizeof(response), NOW) == E_OK);
		require(len == MESSAGE_HEADER_LEN + tsig_needed(&x));
		require(!x.is_present || tsig_rr_find(response, len, &rr, &at) == E_OK);
	}
}

static void ask(const struct tsig_ring *ring, const uint8_t *data, size_t size)
{
	uint8_t request[1024] = { 0 };
	struct tsig_exchange x;
	size_t len = MESSAGE_HEADER_LEN;
	size_t at;
	require(tsig_begin(ring, keys[0].name.wire, &x) == E_OK);
	require(tsig_sign(&x, request, &len, sizeof(request), NOW) == E_OK);
	require(tsig_check(&x, data, size, NOW, &at) != E_OK); /* it was not made for this */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > MESSAGE_MAX) {
		return 0;
	}
	make_rings();
	write_again(data, size);
	for (size_t i = 0; i < ARRAY_LEN(rings); i++) {
		serve(rings[i], data, size);
		ask(rings[i], data, size);
	}
	return 0;
}

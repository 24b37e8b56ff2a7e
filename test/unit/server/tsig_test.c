/* test/unit/server/tsig_test.c - TSIG against dnspython's own signatures (test/data/tsig/make.py), the errors of RFC 8945
 * in their order, truncated MACs, many messages, and messages that were changed on their way. */
#include "server/tsig.h"

#include "test/unit/unit.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/dns/rrtype.h"

#define NOW	 1600000000U
#define ROOM	 65535
#define MESSAGES 3

struct octets {
	uint8_t data[1024];
	size_t len;
};

/* One line of the vectors. */
struct vector {
	char algorithm[16];
	struct octets secret;
	struct octets plain[1 + MESSAGES], tsig[1 + MESSAGES]; /* the request, then the messages */
};

#define VECTORS 6
static struct vector vectors[VECTORS];

static size_t word(const char **at, char *out, size_t room)
{
	size_t n = strcspn(*at, " \n");
	(void)snprintf(out, room, "%.*s", (int)n, *at);
	*at += n + 1;
	return n;
}

static void read_hex(const char **at, struct octets *out)
{
	char hex[2100];
	size_t n = word(at, hex, sizeof(hex));
	out->len = n / 2;
	ck_assert_int_eq(text_from_hex(hex, n, out->data, sizeof(out->data)), (int)out->len);
}

static void read_vectors(void)
{
	struct file_view view;
	struct errmsg em = { "" };
	char time[32];
	ck_assert_msg(file_read("test/data/tsig/vectors.txt", 1 << 20, &view, &em) == E_OK, "%s",
		      em.text);
	const char *at = view.data;
	for (struct vector *v = vectors; v < vectors + VECTORS; v++) {
		(void)word(&at, v->algorithm, sizeof(v->algorithm));
		read_hex(&at, &v->secret);
		(void)word(&at, time, sizeof(time));
		ck_assert_uint_eq(strtoul(time, NULL, 16), NOW);
		for (unsigned i = 0; i <= MESSAGES; i++) {
			read_hex(&at, &v->plain[i]);
			read_hex(&at, &v->tsig[i]);
		}
	}
	ck_assert_ptr_eq(at, view.data + view.len);
	file_view_clear(&view);
}

/* --- rings ----------------------------------------------------------------------------------- */

static const uint8_t key_name[] = "\3KEY\7eXample";
static const uint8_t other_name[] = "\5other\7example";

/* Two keys: that of a vector, and another with the same secret. */
struct rig {
	struct tsig_key keys[2];
	struct tsig_ring *ring;
	struct tsig_exchange x;
	uint8_t message[ROOM];
	size_t len, at;
};

static void rig_open(struct rig *r, const struct vector *v, const char *algorithm)
{
	memset(r, 0, sizeof(*r));
	ck_assert_int_eq(
		tsig_key_set(&r->keys[0], other_name, v->algorithm, v->secret.data, v->secret.len),
		E_OK);
	ck_assert_int_eq(tsig_key_set(&r->keys[1], key_name,
				      algorithm != NULL ? algorithm : v->algorithm, v->secret.data,
				      v->secret.len),
			 E_OK);
	ck_assert_int_eq(tsig_ring_new(r->keys, 2, &r->ring), E_OK);
}

static void rig_close(struct rig *r)
{
	tsig_ring_free(r->ring);
	tsig_ring_free(NULL);
	tsig_key_clear(&r->keys[0]);
	tsig_key_clear(&r->keys[1]);
}

static void verify(struct rig *r, const uint8_t *message, size_t len, uint64_t now)
{
	ck_assert_int_eq(tsig_verify(r->ring, message, len, now, &r->x, &r->at), E_OK);
}

static void take(struct rig *r, const struct octets *o)
{
	memcpy(r->message, o->data, o->len);
	r->len = o->len;
}

static void sign(struct rig *r, uint64_t now)
{
	size_t needed = tsig_needed(&r->x);
	size_t before = r->len;
	ck_assert_int_eq(tsig_sign(&r->x, r->message, &r->len, r->len + needed, now), E_OK);
	ck_assert_uint_eq(r->len, before + needed);
}

static struct tsig_rr record_of(const uint8_t *message, size_t len)
{
	struct tsig_rr rr;
	size_t at;
	ck_assert_int_eq(tsig_rr_find(message, len, &rr, &at), E_OK);
	return rr;
}

/* dnspython compresses the name of the key, so octets differ where records do not. */
static void same_record(const uint8_t *message, size_t len, const struct octets *expected)
{
	const struct tsig_rr is = record_of(message, len);
	const struct tsig_rr e = record_of(expected->data, expected->len);
	ck_assert(dname_equal(is.key.wire, e.key.wire));
	ck_assert(dname_equal(is.algorithm.wire, e.algorithm.wire));
	ck_assert_uint_eq(is.time, e.time);
	ck_assert_uint_eq(is.fudge, e.fudge);
	ck_assert_uint_eq(is.original_id, e.original_id);
	ck_assert_uint_eq(is.error, e.error);
	ck_assert_uint_eq(is.mac_len, e.mac_len);
	ck_assert_mem_eq(is.mac, e.mac, e.mac_len);
}

/* --- good faith ------------------------------------------------------------------------------ */

START_TEST(a_server_signs_as_dnspython)
{
	struct vector *v = &vectors[_i];
	static struct rig r;
	rig_open(&r, v, NULL);
	verify(&r, v->tsig[0].data, v->tsig[0].len, NOW);
	ck_assert_uint_eq(r.x.rcode, RCODE_NOERROR);
	ck_assert(r.x.is_present && r.x.key == &r.keys[1]);
	ck_assert_uint_eq(r.at, v->plain[0].len);
	for (unsigned i = 1; i <= MESSAGES; i++) {
		take(&r, &v->plain[i]);
		sign(&r, NOW);
		same_record(r.message, r.len, &v->tsig[i]);
	}
	rig_close(&r);
}
END_TEST

START_TEST(a_client_understands_dnspython)
{
	struct vector *v = &vectors[_i];
	static struct rig r;
	size_t at;
	rig_open(&r, v, NULL);
	ck_assert_int_eq(tsig_begin(r.ring, (const uint8_t *)"\4none", &r.x), E_NOENT);
	ck_assert_int_eq(tsig_begin(r.ring, key_name, &r.x), E_OK);
	take(&r, &v->plain[0]);
	sign(&r, NOW);
	same_record(r.message, r.len, &v->tsig[0]);
	for (unsigned i = 1; i <= MESSAGES; i++) {
		ck_assert_int_eq(tsig_check(&r.x, v->tsig[i].data, v->tsig[i].len, NOW, &at), E_OK);
		ck_assert_uint_eq(at, v->plain[i].len);
	}
	/* out of their order they are worth nothing */
	ck_assert_int_eq(tsig_check(&r.x, v->tsig[1].data, v->tsig[1].len, NOW, &at), E_BADSIG);
	rig_close(&r);
}
END_TEST

START_TEST(no_tsig_is_fine)
{
	static struct rig r;
	struct vector *v = &vectors[3];
	rig_open(&r, v, NULL);
	verify(&r, v->plain[0].data, v->plain[0].len, NOW);
	ck_assert_uint_eq(r.x.rcode, RCODE_NOERROR);
	ck_assert(!r.x.is_present && r.x.key == NULL);
	ck_assert_uint_eq(r.at, v->plain[0].len);
	ck_assert_uint_eq(tsig_needed(&r.x), 0);
	take(&r, &v->plain[1]);
	sign(&r, NOW);
	ck_assert_uint_eq(r.len, v->plain[1].len);
	rig_close(&r);
}
END_TEST

/* A forwarder has put its own id into the header; names are in any case. */
START_TEST(the_id_may_be_another)
{
	static struct rig r;
	struct vector *v = &vectors[3];
	rig_open(&r, v, NULL);
	take(&r, &v->tsig[0]);
	be16_put(r.message, 0x9999);
	memcpy(r.message + v->plain[0].len + 1, "kEY", 3);
	verify(&r, r.message, r.len, NOW);
	ck_assert_uint_eq(r.x.rcode, RCODE_NOERROR);
	ck_assert_ptr_eq(r.x.key, &r.keys[1]);
	rig_close(&r);
}
END_TEST

/* --- errors ---------------------------------------------------------------------------------- */

/* What the client gets to see of it. */
static void answer_with_error(struct rig *r, const struct vector *v, bool is_signed, int seen)
{
	static struct rig client;
	uint8_t response[1024];
	size_t at;
	size_t len = v->plain[1].len;
	memcpy(response, v->plain[1].data, len);
	ck_assert_int_eq(tsig_sign(&r->x, response, &len, sizeof(response), NOW + 1000), E_OK);
	const struct tsig_rr rr = record_of(response, len);
	ck_assert_uint_eq(rr.error, r->x.error);
	ck_assert(is_signed == (rr.mac_len != 0));
	rig_open(&client, v, NULL);
	ck_assert_int_eq(tsig_begin(client.ring, key_name, &client.x), E_OK);
	take(&client, &v->plain[0]);
	sign(&client, NOW);
	ck_assert_int_eq(tsig_check(&client.x, response, len, NOW, &at), seen);
	ck_assert_uint_eq(client.x.error, r->x.error);
	rig_close(&client);
}

START_TEST(keys_that_are_not_known)
{
	static struct rig r;
	struct vector *v = &vectors[3];
	rig_open(&r, v, "hmac-sha384");
	verify(&r, v->tsig[0].data, v->tsig[0].len, NOW); /* of another algorithm */
	ck_assert_uint_eq(r.x.rcode, RCODE_NOTAUTH);
	ck_assert_uint_eq(r.x.error, TSIG_BADKEY);
	ck_assert_ptr_null(r.x.key);
	answer_with_error(&r, v, false, E_PERM);
	take(&r, &v->tsig[0]);
	r.message[v->plain[0].len + 1] = 'x';
	verify(&r, r.message, r.len, NOW);
	ck_assert_uint_eq(r.x.error, TSIG_BADKEY);
	rig_close(&r);
}
END_TEST

START_TEST(macs_that_are_wrong)
{
	static struct rig r;
	struct vector *v = &vectors[3];
	rig_open(&r, v, NULL);
	take(&r, &v->tsig[0]);
	r.message[2] ^= MESSAGE_RD >> 8;
	verify(&r, r.message, r.len, NOW);
	ck_assert_uint_eq(r.x.rcode, RCODE_NOTAUTH);
	ck_assert_uint_eq(r.x.error, TSIG_BADSIG);
	ck_assert_ptr_null(r.x.key);
	answer_with_error(&r, v, false, E_PERM);
	/* As NSD answers where it is the time: not signed. */
	r.x.error = TSIG_BADTIME;
	answer_with_error(&r, v, false, E_PERM);
	rig_close(&r);
}
END_TEST

START_TEST(times_that_are_wrong)
{
	static const struct {
		int64_t off;
		bool good;
	} rows[] = { { 0, true },     { 300, true },	    { -300, true },	     { 301, false },
		     { -301, false }, { 1LL << 32, false }, { -(int64_t)NOW, false } };
	static struct rig r;
	struct vector *v = &vectors[3];
	rig_open(&r, v, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		verify(&r, v->tsig[0].data, v->tsig[0].len, (uint64_t)((int64_t)NOW + rows[i].off));
		ck_assert_uint_eq(r.x.rcode, rows[i].good ? RCODE_NOERROR : RCODE_NOTAUTH);
		ck_assert_uint_eq(r.x.error, rows[i].good ? 0 : TSIG_BADTIME);
		ck_assert_ptr_eq(r.x.key, &r.keys[1]); /* we know who it is */
	}
	/* The client can tell that it is its clock: signed, with its time and ours. */
	take(&r, &v->plain[1]);
	verify(&r, v->tsig[0].data, v->tsig[0].len, NOW + 1000);
	sign(&r, NOW + 1000);
	const struct tsig_rr rr = record_of(r.message, r.len);
	ck_assert_uint_eq(rr.time, NOW);
	ck_assert_uint_eq(rr.other_len, TSIG_TIME_LEN);
	ck_assert_uint_eq(tsig_time_get(rr.other), NOW + 1000);
	verify(&r, v->tsig[0].data, v->tsig[0].len, NOW + 1000);
	answer_with_error(&r, v, true, E_PERM);
	rig_close(&r);
}
END_TEST

/* The request with a MAC of @len octets: cut, or with zeros behind. */
static void cut_mac(struct rig *r, const struct vector *v, size_t len)
{
	uint8_t mac[256] = { 0 };
	struct tsig_rr rr = record_of(v->tsig[0].data, v->tsig[0].len);
	memcpy(mac, rr.mac, rr.mac_len);
	rr.mac = mac;
	rr.mac_len = (uint16_t)len;
	take(r, &v->plain[0]);
	be16_put(r->message + 10, 1);
	struct writer w = writer_of(r->message + r->len, ROOM - r->len);
	tsig_rr_write(&w, &rr);
	ck_assert_int_eq(w.err, E_OK);
	r->len += writer_len(&w);
}

START_TEST(macs_that_are_cut)
{
	static struct rig r;
	struct vector *v = &vectors[_i];
	char cut[32];
	unsigned full = tsig_algorithm_find(v->algorithm)->octets;
	unsigned least = full / 2 > 10 ? full / 2 : 10;
	for (unsigned wanted = least; wanted <= full; wanted++) {
		(void)snprintf(cut, sizeof(cut), "%s-%u", v->algorithm, 8 * wanted);
		rig_open(&r, v, cut);
		for (unsigned len = 0; len <= full + 3; len++) {
			cut_mac(&r, v, len);
			verify(&r, r.message, r.len, NOW);
			bool malformed = len < least || len > full;
			ck_assert_uint_eq(r.x.rcode, malformed	    ? RCODE_FORMERR
						     : len < wanted ? RCODE_NOTAUTH
								    : RCODE_NOERROR);
			ck_assert_uint_eq(r.x.error,
					  malformed || len >= wanted ? 0 : TSIG_BADTRUNC);
			ck_assert(r.x.is_present == !malformed);
			if (!malformed) {
				take(&r, &v->plain[1]);
				sign(&r, NOW);
				ck_assert_uint_eq(record_of(r.message, r.len).mac_len, wanted);
			}
		}
		rig_close(&r);
	}
}
END_TEST

/* Both sides with MACs that are cut, and many messages: what is sent goes into the next. */
START_TEST(cut_macs_are_understood)
{
	static struct rig server, client;
	struct vector *v = &vectors[3];
	size_t at;
	rig_open(&server, v, "hmac-sha256-128");
	rig_open(&client, v, "hmac-sha256-128");
	ck_assert_int_eq(tsig_begin(client.ring, key_name, &client.x), E_OK);
	take(&client, &v->plain[0]);
	sign(&client, NOW);
	verify(&server, client.message, client.len, NOW);
	ck_assert_uint_eq(server.x.rcode, RCODE_NOERROR);
	for (unsigned i = 0; i < 20; i++) {
		take(&server, &v->plain[1 + i % MESSAGES]);
		sign(&server, NOW + i);
		ck_assert_int_eq(tsig_check(&client.x, server.message, server.len, NOW, &at), E_OK);
	}
	rig_close(&server);
	rig_close(&client);
}
END_TEST

START_TEST(records_in_wrong_places)
{
	static struct rig r;
	struct vector *v = &vectors[3];
	size_t before = v->plain[0].len;
	rig_open(&r, v, NULL);
	for (unsigned i = 0; i < 6; i++) {
		take(&r, &v->tsig[0]);
		size_t record = r.len - before;
		if (i == 0) { /* twice */
			memcpy(r.message + r.len, r.message + before, record);
			r.len += record;
			be16_put(r.message + 10, 2);
		} else if (i == 1) { /* not the last */
			static const uint8_t a[] = { 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0 };
			memcpy(r.message + r.len, a, sizeof(a));
			r.len += sizeof(a);
			be16_put(r.message + 10, 2);
		} else if (i == 2) { /* an answer */
			be16_put(r.message + 10, 0);
			be16_put(r.message + 6, 1);
		} else if (i == 3) { /* class IN; the name takes 6 octets */
			r.message[before + 6 + 3] = 1;
		} else if (i == 4) { /* a TTL */
			r.message[before + 6 + 7] = 1;
		} else { /* octets behind it */
			r.message[r.len++] = 0;
		}
		verify(&r, r.message, r.len, NOW);
		ck_assert_msg(r.x.rcode == RCODE_FORMERR && !r.x.is_present && r.x.key == NULL,
			      "%u", i);
		ck_assert_uint_eq(tsig_needed(&r.x), 0);
	}
	rig_close(&r);
}
END_TEST

/* Whatever octet is changed, or where ever it is cut, it is nobody's. */
START_TEST(changed_messages_are_nobodys)
{
	static struct rig r;
	struct vector *v = &vectors[3];
	rig_open(&r, v, NULL);
	for (size_t i = 2; i < v->tsig[0].len; i++) { /* the id is that of the way */
		for (unsigned bit = 0; bit < 8; bit++) {
			take(&r, &v->tsig[0]);
			r.message[i] ^= (uint8_t)(1U << bit);
			verify(&r, r.message, r.len, NOW);
			bool is_case = bit == 5 && i > v->plain[0].len;
			ck_assert_msg(r.x.key == NULL || is_case || r.x.rcode != RCODE_NOERROR,
				      "octet %zu bit %u", i, bit);
		}
	}
	for (size_t len = 0; len < v->tsig[0].len; len++) {
		verify(&r, v->tsig[0].data, len, NOW);
		ck_assert_ptr_null(r.x.key);
	}
	rig_close(&r);
}
END_TEST

/* --- clients --------------------------------------------------------------------------------- */

/* A client that has sent its request to a server. */
static void open_both(struct rig *server, struct rig *client, const struct vector *v)
{
	rig_open(server, v, NULL);
	rig_open(client, v, NULL);
	ck_assert_int_eq(tsig_begin(client->ring, key_name, &client->x), E_OK);
	take(client, &v->plain[0]);
	sign(client, NOW);
	verify(server, client->message, client->len, NOW);
	ck_assert_uint_eq(server->x.rcode, RCODE_NOERROR);
}

START_TEST(a_first_message_without_tsig)
{
	static struct rig server, client;
	struct vector *v = &vectors[3];
	size_t at;
	open_both(&server, &client, v);
	ck_assert_int_eq(tsig_check(&client.x, v->plain[1].data, v->plain[1].len, NOW, &at),
			 E_BADSIG);
	rig_close(&server);
	rig_close(&client);
}
END_TEST

/* A server may sign one of a hundred; the MAC is over all since the last. */
START_TEST(messages_between_without_tsig)
{
	static struct rig server, client;
	struct vector *v = &vectors[3];
	size_t at;
	for (unsigned between = 0; between <= 100; between += between < 3 ? 1 : 24) {
		open_both(&server, &client, v);
		take(&server, &v->plain[1]);
		sign(&server, NOW);
		ck_assert_int_eq(tsig_check(&client.x, server.message, server.len, NOW, &at), E_OK);
		int got = E_AGAIN;
		for (unsigned i = 0; i < between && got == E_AGAIN; i++) {
			/* what a server would do that leaves them without */
			take(&server, &v->plain[1 + i % MESSAGES]);
			struct tsig_exchange *x = &server.x;
			if (x->skipped == 0) {
				ck_assert_int_eq(crypto_hmac_begin(x->hmac), E_OK);
				uint8_t size[2] = { 0, (uint8_t)x->mac_len };
				ck_assert_int_eq(crypto_hmac_add(x->hmac, size, 2), E_OK);
				ck_assert_int_eq(crypto_hmac_add(x->hmac, x->mac, x->mac_len),
						 E_OK);
			}
			ck_assert_int_eq(crypto_hmac_add(x->hmac, server.message, server.len),
					 E_OK);
			x->skipped++;
			got = tsig_check(&client.x, server.message, server.len, NOW, &at);
		}
		ck_assert_int_eq(got, between <= 99 ? E_AGAIN : E_BADSIG);
		take(&server, &v->plain[2]);
		sign(&server, NOW);
		if (between <= 99) {
			ck_assert_int_eq(
				tsig_check(&client.x, server.message, server.len, NOW, &at), E_OK);
		}
		rig_close(&server);
		rig_close(&client);
	}
}
END_TEST

START_TEST(late_and_foreign_responses)
{
	static struct rig server, client;
	struct vector *v = &vectors[3];
	size_t at;
	open_both(&server, &client, v);
	take(&server, &v->plain[1]);
	sign(&server, NOW);
	ck_assert_int_eq(tsig_check(&client.x, server.message, server.len, NOW + 301, &at),
			 E_EXPIRED);
	rig_close(&server);
	rig_close(&client);
	open_both(&server, &client, v);
	take(&server, &v->plain[1]);
	sign(&server, NOW);
	server.message[v->plain[1].len - 1] ^= 1;
	ck_assert_int_eq(tsig_check(&client.x, server.message, server.len, NOW, &at), E_BADSIG);
	rig_close(&server);
	rig_close(&client);
	/* with the other key, though its secret is the same */
	open_both(&server, &client, v);
	server.x.key_name = server.keys[0].name;
	take(&server, &v->plain[1]);
	sign(&server, NOW);
	ck_assert_int_eq(tsig_check(&client.x, server.message, server.len, NOW, &at), E_BADSIG);
	rig_close(&server);
	rig_close(&client);
}
END_TEST

/* --- room and keys --------------------------------------------------------------------------- */

START_TEST(room_is_looked_at)
{
	static struct rig r;
	struct vector *v = &vectors[3];
	rig_open(&r, v, NULL);
	verify(&r, v->tsig[0].data, v->tsig[0].len, NOW);
	take(&r, &v->plain[1]);
	size_t needed = tsig_needed(&r.x);
	for (size_t room = 0; room < needed; room++) {
		size_t len = r.len;
		ck_assert_int_eq(tsig_sign(&r.x, r.message, &len, len + room, NOW), E_NOSPACE);
		ck_assert_uint_eq(len, r.len);
		ck_assert_mem_eq(r.message, v->plain[1].data, len);
	}
	be16_put(r.message + 10, UINT16_MAX);
	ck_assert_int_eq(tsig_sign(&r.x, r.message, &r.len, ROOM, NOW), E_INVAL);
	rig_close(&r);
}
END_TEST

START_TEST(algorithms_of_keys)
{
	static const struct {
		const char *algorithm;
		int err;
		unsigned mac_len;
	} rows[] = {
		{ "hmac-sha256", E_OK, 32 },
		{ "HMAC-SHA512", E_OK, 64 },
		{ "hmac-sha256-128", E_OK, 16 },
		{ "hmac-sha256-256", E_OK, 32 },
		{ "hmac-sha1-80", E_OK, 10 },
		{ "hmac-md5-80", E_OK, 10 },
		{ "hmac-sha1-72", E_RANGE, 0 },
		{ "hmac-sha256-120", E_RANGE, 0 },
		{ "hmac-sha256-130", E_RANGE, 0 },
		{ "hmac-sha256-264", E_RANGE, 0 },
		{ "hmac-sha256-", E_RANGE, 0 },
		{ "hmac-sha256-x", E_RANGE, 0 },
		{ "hmac-sha255", E_UNSUPPORTED, 0 },
		{ "", E_UNSUPPORTED, 0 },
		{ "hmac", E_UNSUPPORTED, 0 },
		{ "hmac-sha256sha256sha256sha256sha256sha256", E_UNSUPPORTED, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tsig_key key = { 0 };
		int err = tsig_key_set(&key, key_name, rows[i].algorithm, "secret", 6);
		ck_assert_msg(err == rows[i].err, "%s: %d", rows[i].algorithm, err);
		ck_assert_uint_eq(key.mac_len, rows[i].mac_len);
		tsig_key_clear(&key);
	}
	struct tsig_key key = { 0 };
	ck_assert_int_eq(tsig_key_set(&key, key_name, "hmac-sha256", "", 0), E_INVAL);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("tsig");
	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, read_vectors, NULL);
	tcase_add_loop_test(tc, a_server_signs_as_dnspython, 0, VECTORS);
	tcase_add_loop_test(tc, a_client_understands_dnspython, 0, VECTORS);
	tcase_add_test(tc, no_tsig_is_fine);
	tcase_add_test(tc, the_id_may_be_another);
	tcase_add_test(tc, keys_that_are_not_known);
	tcase_add_test(tc, macs_that_are_wrong);
	tcase_add_test(tc, times_that_are_wrong);
	tcase_add_loop_test(tc, macs_that_are_cut, 0, VECTORS);
	tcase_add_test(tc, cut_macs_are_understood);
	tcase_add_test(tc, records_in_wrong_places);
	tcase_add_test(tc, changed_messages_are_nobodys);
	tcase_add_test(tc, a_first_message_without_tsig);
	tcase_add_test(tc, messages_between_without_tsig);
	tcase_add_test(tc, late_and_foreign_responses);
	tcase_add_test(tc, room_is_looked_at);
	tcase_add_test(tc, algorithms_of_keys);
	return unit_run("server/tsig", tc);
}

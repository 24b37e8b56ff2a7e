/* test/unit/signer/sig0_test.c - messages signed by keys of a zone, and all that must not be taken for one. */
#include "signer/sig0.h"

#include "keys/crypto.h"
#include "keys/key.h"
#include "test/unit/unit.h"
#include "zones/base/mem.h"
#include "zones/edit.h"

#define NOW 1790000000

static const uint8_t apex[] = "\1z";
static const uint8_t host[] = "\4Host\1z";

static struct crypto_key *key_of(uint8_t algorithm, unsigned bits)
{
	struct crypto_key *key = NULL;
	ck_assert_int_eq(crypto_key_generate(algorithm, bits, &key), E_OK);
	return key;
}

/* KEY rdata as `dnssec-keygen -T KEY -n HOST` makes it, but for @flags and @protocol. */
static size_t key_rdata_of(const struct crypto_key *key, uint16_t flags, uint8_t protocol,
			   uint8_t out[KEY_RDATA_MAX])
{
	size_t len;
	const uint8_t *pub = crypto_key_public(key, &len);
	be16_put(out, flags);
	out[2] = protocol;
	out[3] = crypto_key_algorithm(key);
	memcpy(out + 4, pub, len);
	return 4 + len;
}

/* A zone with one KEY record at @owner, or none: @owner NULL. */
struct place {
	const uint8_t *owner;
	uint16_t flags;
	uint8_t protocol;
};
static const struct place good_place = { host, 0x0200, 3 };

static struct edit *zone_edit(void)
{
	static const uint8_t soa[] = "\2ns\1z\0\1h\1z\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1";
	struct edit *e = edit_begin(NULL, apex, EDIT_TTL_LAST);
	ck_assert_int_eq(edit_add(e, apex, RRTYPE_SOA, 60, soa, sizeof(soa) - 1), E_OK);
	return e;
}

static struct version *zone_of(const struct crypto_key *key, const struct place *place)
{
	uint8_t rdata[KEY_RDATA_MAX];
	struct edit *e = zone_edit();
	size_t len = key_rdata_of(key, place->flags, place->protocol, rdata);
	ck_assert_int_eq(edit_add(e, place->owner, RRTYPE_KEY, 60, rdata, len), E_OK);
	return edit_commit(e);
}

/* --- messages -------------------------------------------------------------------------------- */

struct message {
	uint8_t octets[4096];
	size_t len;
	struct sig0_rr rr; /* as found in it */
	size_t at;
};

static void find(struct message *m)
{
	ck_assert_int_eq(sig0_rr_find(m->octets, m->len, &m->rr, &m->at), E_OK);
}

/* An update that adds a record, signed as @rr says with @key. */
static void sign(struct message *m, const struct sig0_rr *wanted, const struct crypto_key *key)
{
	const struct message_header h = { .id = 77, .flags = 0x2800, .count = { 1, 0, 1, 1 } };
	struct sig0_rr rr = *wanted;
	struct buf data = { 0 };
	struct crypto_signer *signer = NULL;
	uint8_t signature[CRYPTO_SIG_MAX];
	size_t len;
	struct writer w = writer_of(m->octets, sizeof(m->octets));
	message_write_header(writer_room(&w, MESSAGE_HEADER_LEN), &h);
	writer_bytes(&w, "\1z\0\0\6\0\1", 7);
	writer_bytes(&w, "\1a\300\14\0\1\0\1\0\0\0\74\0\4\300\0\2\1", 18);
	sig0_signed_data(&rr, m->octets, writer_len(&w), &data);
	ck_assert_int_eq(crypto_signer_new(key, &signer), E_OK);
	ck_assert_int_eq(crypto_sign(signer, (const uint8_t *)data.data, data.len, signature, &len),
			 E_OK);
	crypto_signer_free(signer);
	buf_clear(&data);
	rr.signature = signature;
	rr.signature_len = (uint16_t)len;
	sig0_rr_write(&w, &rr);
	ck_assert_int_eq(w.err, E_OK);
	m->len = writer_len(&w);
	find(m);
}

static struct sig0_rr wish_for(const struct crypto_key *key, const struct place *place)
{
	uint8_t rdata[KEY_RDATA_MAX];
	size_t len = key_rdata_of(key, place->flags, place->protocol, rdata);
	struct sig0_rr rr = { .algorithm = crypto_key_algorithm(key),
			      .inception = NOW - 300,
			      .expiration = NOW + 300,
			      .key_tag = key_tag_of(rdata, len) };
	dname_set(&rr.signer, host);
	return rr;
}

static int check(const struct message *m, const struct version *v, int64_t now)
{
	return sig0_check(&m->rr, m->octets, m->at, v, now);
}

/* --- tests ----------------------------------------------------------------------------------- */

static const uint8_t algorithms[] = { 8, 10, 13, 14, 15, 16 };

START_TEST(each_algorithm)
{
	struct message m;
	struct crypto_key *key = key_of(algorithms[_i], 0);
	struct version *v = zone_of(key, &good_place);
	const struct sig0_rr wish = wish_for(key, &good_place);
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, NOW), E_OK);
	/* Not one octet may be another, but for the TTL, which is not signed. */
	for (size_t i = 0; i < m.len; i++) {
		struct sig0_rr rr;
		size_t at;
		bool is_ttl = i >= m.at + 5 && i < m.at + 9;
		m.octets[i] ^= 1;
		bool good = sig0_rr_find(m.octets, m.len, &rr, &at) == E_OK &&
			    sig0_check(&rr, m.octets, at, v, NOW) == E_OK;
		ck_assert_msg(good == is_ttl, "octet %zu", i);
		m.octets[i] ^= 1;
	}
	version_unref(v);
	crypto_key_free(key);
}
END_TEST

START_TEST(the_case_of_the_signer_is_signed)
{
	struct message m;
	struct crypto_key *key = key_of(13, 0);
	struct version *v = zone_of(key, &good_place);
	struct sig0_rr wish = wish_for(key, &good_place);
	dname_set(&wish.signer, (const uint8_t *)"\4hOsT\1Z");
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, NOW), E_OK);
	m.rr.signer.wire[1] = 'H';
	ck_assert_int_eq(check(&m, v, NOW), E_BADSIG);
	version_unref(v);
	crypto_key_free(key);
}
END_TEST

/* Seconds of inception and expiration beside now, which may be on the other side of 2106. */
static const struct {
	int64_t now;
	int64_t from, to;
	int err;
} times[] = {
	{ NOW, -300, 300, E_OK },
	{ NOW, 0, 0, E_OK },
	{ NOW, 1, 300, E_NOTYET },
	{ NOW, -300, -1, E_EXPIRED },
	{ NOW, 300, -300, E_NOTYET },
	{ (int64_t)1 << 32, -300, 300, E_OK },
	{ ((int64_t)1 << 32) + 100, -300, 300, E_OK },
	{ ((int64_t)1 << 32) - 100, 1, 300, E_NOTYET },
	{ ((int64_t)1 << 32) + 100, -300, -1, E_EXPIRED },
	{ NOW, -0x7fffffff, 0x7fffffff, E_OK },
	{ NOW, -300, 0x80000000, E_EXPIRED },
};

START_TEST(times_are_serial)
{
	struct message m;
	struct crypto_key *key = key_of(15, 0);
	struct version *v = zone_of(key, &good_place);
	struct sig0_rr wish = wish_for(key, &good_place);
	wish.inception = (uint32_t)(times[_i].now + times[_i].from);
	wish.expiration = (uint32_t)(times[_i].now + times[_i].to);
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, times[_i].now), times[_i].err);
	version_unref(v);
	crypto_key_free(key);
}
END_TEST

START_TEST(other_keys)
{
	struct message m;
	struct crypto_key *key = key_of(13, 0);
	struct crypto_key *other = key_of(13, 0);
	struct version *v = zone_of(key, &good_place);
	struct sig0_rr wish = wish_for(key, &good_place);
	sign(&m, &wish, other);
	ck_assert_int_eq(check(&m, v, NOW), E_BADSIG); /* in the name of this one */
	wish = wish_for(other, &good_place);
	sign(&m, &wish, other);
	ck_assert_int_eq(check(&m, v, NOW), E_NOENT); /* not in the zone */
	wish = wish_for(key, &good_place);
	dname_set(&wish.signer, (const uint8_t *)"\5other\1z");
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, NOW), E_NOENT); /* at another name */
	dname_set(&wish.signer, (const uint8_t *)"\4host\1y");
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, NOW), E_NOENT); /* in another zone */
	wish = wish_for(key, &good_place);
	wish.algorithm = 14;
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, NOW), E_NOENT);
	wish.algorithm = 200;
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, NOW), E_NOENT);
	wish = wish_for(key, &good_place);
	wish.key_tag ^= 1;
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, NOW), E_NOENT);
	version_unref(v);
	crypto_key_free(key);
	crypto_key_free(other);
}
END_TEST

static const struct {
	struct place place;
	int err;
} places[] = {
	{ { host, 0x0200, 3 }, E_OK },
	{ { host, 0x0000, 3 }, E_OK },
	{ { host, 0x0200, 255 }, E_OK },
	{ { host, 0x0200, 2 }, E_NOENT },		       /* for e-mail */
	{ { host, 0x8200, 3 }, E_NOENT },		       /* not for authentication */
	{ { host, 0xc200, 3 }, E_NOENT },		       /* no key */
	{ { (const uint8_t *)"\1*\1z", 0x0200, 3 }, E_NOENT }, /* a wildcard is not its names */
};

START_TEST(keys_of_a_kind)
{
	struct message m;
	struct crypto_key *key = key_of(13, 0);
	struct version *v = zone_of(key, &places[_i].place);
	const struct sig0_rr wish = wish_for(key, &places[_i].place);
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, NOW), places[_i].err);
	version_unref(v);
	crypto_key_free(key);
}
END_TEST

/* What stands at and below a delegation, or below a DNAME, is not the zone's to say. */
START_TEST(keys_that_are_not_of_the_zone)
{
	static const struct {
		const uint8_t *owner;
		uint16_t type;
	} cuts[] = { { (const uint8_t *)"\4host\1z", RRTYPE_NS },
		     { (const uint8_t *)"\3sub\1z", RRTYPE_NS },
		     { (const uint8_t *)"\3sub\1z", RRTYPE_DNAME } };
	struct message m;
	const struct place place = { _i == 0 ? host : (const uint8_t *)"\4host\3sub\1z", 0x0200,
				     3 };
	struct crypto_key *key = key_of(13, 0);
	struct version *v = zone_of(key, &place);
	struct sig0_rr wish = wish_for(key, &place);
	dname_set(&wish.signer, place.owner);
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, NOW), E_OK);
	struct edit *e = edit_begin(v, apex, EDIT_TTL_LAST);
	ck_assert_int_eq(
		edit_add(e, cuts[_i].owner, cuts[_i].type, 60, (const uint8_t *)"\2ns\1y", 6),
		E_OK);
	struct version *cut = edit_commit(e);
	ck_assert_int_eq(check(&m, cut, NOW), E_NOENT);
	version_unref(v);
	version_unref(cut);
	crypto_key_free(key);
}
END_TEST

/* Keys that have the tag of another are made by adding what makes no difference to it: sums are the same when two
 * words change places. */
START_TEST(few_keys_are_tried)
{
	struct message m;
	struct crypto_key *key = key_of(13, 0);
	uint8_t rdata[KEY_RDATA_MAX];
	size_t len = key_rdata_of(key, 0x0200, 3, rdata);
	const struct sig0_rr wish = wish_for(key, &good_place);
	sign(&m, &wish, key);
	for (unsigned wrong = 0; wrong <= SIG0_KEYS_MAX; wrong++) {
		struct edit *e = zone_edit();
		/* Records are in canonical order: those that stand before the right one are tried first. */
		uint8_t copy[KEY_RDATA_MAX];
		unsigned made = 0;
		for (size_t i = 4; i + 3 < len && made < wrong; i += 2) {
			for (size_t k = i + 2; k + 1 < len && made < wrong; k += 2) {
				memcpy(copy, rdata, len);
				memcpy(copy + i, rdata + k, 2);
				memcpy(copy + k, rdata + i, 2);
				if (memcmp(copy, rdata, len) < 0) {
					ck_assert_uint_eq(key_tag_of(copy, len), wish.key_tag);
					ck_assert_int_eq(
						edit_add(e, host, RRTYPE_KEY, 60, copy, len), E_OK);
					made++;
				}
			}
		}
		ck_assert_uint_eq(made, wrong);
		ck_assert_int_eq(edit_add(e, host, RRTYPE_KEY, 60, rdata, len), E_OK);
		struct version *v = edit_commit(e);
		ck_assert_int_eq(check(&m, v, NOW) == E_OK, wrong < SIG0_KEYS_MAX);
		version_unref(v);
	}
	crypto_key_free(key);
}
END_TEST

/* An RSA key of @bits that looks like one. */
static size_t rsa_rdata(unsigned bits, uint8_t out[KEY_RDATA_MAX])
{
	static const uint8_t head[] = { 2, 0, 3, 8, 3, 1, 0, 1 };
	memcpy(out, head, sizeof(head));
	memset(out + sizeof(head), 0xff, bits / 8);
	return sizeof(head) + bits / 8;
}

START_TEST(short_keys)
{
	static const struct {
		unsigned bits;
		int err;
	} rows[] = { { 512, E_NOENT }, { 1016, E_NOENT }, { 1024, E_BADSIG }, { 4104, E_NOENT } };
	uint8_t rdata[KEY_RDATA_MAX + 8];
	struct message m;
	struct crypto_key *key = key_of(8, 0);
	struct sig0_rr wish = wish_for(key, &good_place);
	size_t len = rsa_rdata(rows[_i].bits, rdata);
	struct edit *e = zone_edit();
	ck_assert_int_eq(edit_add(e, host, RRTYPE_KEY, 60, rdata, len), E_OK);
	struct version *v = edit_commit(e);
	wish.key_tag = key_tag_of(rdata, len);
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, v, NOW), rows[_i].err);
	version_unref(v);
	crypto_key_free(key);
}
END_TEST

/* Algorithms that only check old signatures. */
START_TEST(old_algorithms)
{
	static const uint8_t sha1 = 5;
	struct message m;
	struct crypto_key *key = key_of(8, 0);
	struct version *v = zone_of(key, &good_place);
	struct sig0_rr wish = wish_for(key, &good_place);
	sign(&m, &wish, key);
	/* The same octets as a key for SHA-1. */
	uint8_t rdata[KEY_RDATA_MAX];
	size_t len = key_rdata_of(key, 0x0200, 3, rdata);
	rdata[3] = sha1;
	struct edit *e = edit_begin(v, apex, EDIT_TTL_LAST);
	ck_assert_int_eq(edit_add(e, host, RRTYPE_KEY, 60, rdata, len), E_OK);
	struct version *both = edit_commit(e);
	wish.algorithm = sha1;
	wish.key_tag = key_tag_of(rdata, len);
	sign(&m, &wish, key);
	ck_assert_int_eq(check(&m, both, NOW), E_NOENT);
	version_unref(v);
	version_unref(both);
	crypto_key_free(key);
}
END_TEST

/* Octets that are no key of their algorithm. */
START_TEST(broken_keys)
{
	static const uint8_t broken[][8] = { { 2, 0, 3, 8, 0, 0, 0 }, { 2, 0, 3, 13, 1, 2, 3 } };
	struct message m;
	struct crypto_key *key = key_of(13, 0);
	struct sig0_rr wish = wish_for(key, &good_place);
	struct edit *e = zone_edit();
	ck_assert_int_eq(edit_add(e, host, RRTYPE_KEY, 60, broken[_i], 7), E_OK);
	/* And one that has no octets at all (RFC 2535 §3.1.2). */
	ck_assert_int_eq(edit_add(e, host, RRTYPE_KEY, 60, broken[_i], 4), E_OK);
	struct version *v = edit_commit(e);
	for (unsigned cut = 0; cut < 2; cut++) {
		wish.algorithm = broken[_i][3];
		wish.key_tag = key_tag_of(broken[_i], cut == 0 ? 7 : 4);
		sign(&m, &wish, key);
		ck_assert_int_eq(check(&m, v, NOW), E_NOENT);
	}
	version_unref(v);
	crypto_key_free(key);
}
END_TEST

START_TEST(signatures_of_another_length)
{
	struct message m;
	struct crypto_key *key = key_of(13, 0);
	struct version *v = zone_of(key, &good_place);
	const struct sig0_rr wish = wish_for(key, &good_place);
	sign(&m, &wish, key);
	for (m.rr.signature_len = 0; m.rr.signature_len < 64; m.rr.signature_len++) {
		ck_assert_int_eq(check(&m, v, NOW), E_BADSIG);
	}
	ck_assert_int_eq(check(&m, v, NOW), E_OK);
	version_unref(v);
	crypto_key_free(key);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("sig0");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_algorithm, 0, (int)ARRAY_LEN(algorithms));
	tcase_add_test(tc, the_case_of_the_signer_is_signed);
	tcase_add_loop_test(tc, times_are_serial, 0, (int)ARRAY_LEN(times));
	tcase_add_test(tc, other_keys);
	tcase_add_loop_test(tc, keys_of_a_kind, 0, (int)ARRAY_LEN(places));
	tcase_add_loop_test(tc, keys_that_are_not_of_the_zone, 0, 3);
	tcase_add_test(tc, few_keys_are_tried);
	tcase_add_loop_test(tc, short_keys, 0, 4);
	tcase_add_test(tc, old_algorithms);
	tcase_add_loop_test(tc, broken_keys, 0, 2);
	tcase_add_test(tc, signatures_of_another_length);
	return unit_run("signer/sig0", tc);
}

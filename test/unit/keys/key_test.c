/* test/unit/keys/key_test.c - keys: the examples of the RFCs, and what times say.
 *
 * All examples were confirmed with dnspython and Python's cryptography. */
#include "keys/key.h"

#include "keys/keyfile.h"
#include "test/unit/unit.h"
#include "zones/base/text.h"
#include "zones/dns/rdata.h"

/* --- the examples of the RFCs ---------------------------------------------------------------- */

enum remade { VERIFY, IDENTICAL }; /* is the signature the same each time? */

static const struct {
	const char *name;
	const char *public; /* the .key file */
	const char *private;
	uint16_t tag;
	const char *ds;	 /* or NULL */
	const char *ds2; /* or NULL */
	const char *owner, *type, *data;
	const char *rrsig;
	enum remade remade;
} examples[] = {
	{ "RFC 5702 6.1",
	  "example.net. 3600 IN DNSKEY (256 3 8 AwEAAcFcGsaxxdgiuuGmCkVI\n"
	  " my4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8P\n"
	  " kxUdp6p/DlUmObdk= );{id = 9033 (zsk), size = 512b}\n",
	  "Private-key-format: v1.2\nAlgorithm:       8 (RSASHA256)\n"
	  "Modulus: wVwaxrHF2CK64aYKRUibLiH30KpPuPBjel7E8ZydQW1HYWHfoGmidzC2RnhwCC293hCzw+TFR2nqn8OVSY5t2Q==\n"
	  "PublicExponent: AQAB\n"
	  "PrivateExponent: UR44xX6zB3eaeyvTRzmskHADrPCmPWnr8dxsNwiDGHzrMKLN+i/HAam+97HxIKVWNDH2ba9Mf1SA8xu9dcHZAQ==\n"
	  "Prime1: 4c8IvFu1AVXGWeFLLFh5vs7fbdzdC6U82fduE6KkSWk=\n"
	  "Prime2: 2zZpBE8ZXVnL74QjG4zINlDfH+EOEtjJJ3RtaYDugvE=\n"
	  "Exponent1: G2xAPFfK0KGxGANDVNxd1K1c9wOmmJ51mGbzKFFNMFk=\n"
	  "Exponent2: GYxP1Pa7CAwtHm8SAGX594qZVofOMhgd6YFCNyeVpKE=\n"
	  "Coefficient: icQdNRjlZGPmuJm2TIadubcO8X7V4y07aVhX464tx8Q=\n",
	  9033, NULL, NULL, "www.example.net.", "A", "192.0.2.91",
	  "A 8 3 3600 20300101000000 20000101000000 9033 example.net. kRCOH6u7l0QGy9qpC9"
	  "l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriShZNz85mwlMgNEacFYK/lPtPiVYP4bwg==",
	  IDENTICAL },
	{ "RFC 5702 6.2",
	  "example.net. 3600 IN DNSKEY (256 3 10 AwEAAdHoNTOW+et86KuJOWRD\n"
	  " p1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFD\n"
	  " xj13tOnD9u/1kTg7cV6rklMrZDtJCQ5PCl/D7QNPsgVsMu1J2Q8g\n"
	  " pMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL\n"
	  " );{id = 3740 (zsk), size = 1024b}\n",
	  "Private-key-format: v1.2\nAlgorithm:       10 (RSASHA512)\n"
	  "Modulus: 0eg1M5b563zoq4k5ZEOnWmd2/BvpjzedJVdfIsDcMuuhE5SQ3pfQ7qmdaeMlC6Nf8DKGoUPGPXe06cP27/WRODtxXquSUytkO0kJDk"
	  "8KX8PtA0+yBWwy7UnZDyCkynO00Uuk8HPVtZeMO1pHtlAGVnc8VjXZlNKdyit99waaE4s=\n"
	  "PublicExponent: AQAB\n"
	  "PrivateExponent: rFS1IPbJllFFgFc33B5DDlC1egO8e81P4fFadODbp56V7sphKa6AZQCx8NYAew6VXFFPAKTw41QdHnK5kIYOwxvfFDjDcUGza88qbj"
	  "yrDPSJenkeZbISMUSSqy7AMFzEolkk6WSn6k3thUVRgSlqDoOV3SEIAsrB043XzGrKIVE=\n"
	  "Prime1: 8mbtsu9Tl9v7tKSHdCIeprLIQXQLzxlSZun5T1n/OjvXSUtvD7xnZJ+LHqaBj1dIgMbCq2U8O04QVcK3TS9GiQ==\n"
	  "Prime2: 3a6gkfs74d0Jb7yL4j4adAif4fcp7ZrGt7G5NRVDDY/Mv4TERAKMa0TKN3okKE0A7X+Rv2K84mhT4QLDlllEcw==\n"
	  "Exponent1: v3D5A9uuCn5rgVR7wgV8ba0/KSpsdSiLgsoA42GxiB1gvvs7gJMMmVTDu/ZG1p1ZnpLbhh/S/Qd/MSwyNlxC+Q==\n"
	  "Exponent2: m+ezf9dsDvYQK+gzjOLWYeKq5xWYBEYFGa3BLocMiF4oxkzOZ3JPZSWU/h1Fjp5RV7aPP0Vmx+hNjYMPIQ8Y5w==\n"
	  "Coefficient: Je5YhYpUron/WdOXjxNAxDubAp3i5X7UOUfhJcyIggqwY86IE0Q/Bk0Dw4SC9zxnsimmdBXW2Izd8Lwuk8FQcQ==\n",
	  3740, NULL, NULL, "www.example.net.", "A", "192.0.2.91",
	  "A 10 3 3600 20300101000000 20000101000000 3740 example.net. tsb4wnjRUDnB1BUi+t"
	  "6TMTXThjVnG+eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDtsuJRaeUw1ep94PzEWzr0iGYgZBWm/zpq+9fOuagYJRfDqfReKBzMweOL"
	  "DiNa8iP5g9vMhpuv6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw=",
	  IDENTICAL },
	{ "RFC 6605 6.1",
	  "example.net. 3600 IN DNSKEY 257 3 13 ( GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edb\n"
	  " krSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA== )\n",
	  "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n"
	  "PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n",
	  55648, "55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
	  NULL, "www.example.net.", "A", "192.0.2.1",
	  "A 13 3 3600 20100909100439 20100812100439 55648 example.net. qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXA"
	  "yGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
	  VERIFY },
	{ "RFC 6605 6.2",
	  "example.net. 3600 IN DNSKEY 257 3 14 ( xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1\n"
	  " w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40 )\n",
	  "Private-key-format: v1.2\nAlgorithm: 14 (ECDSAP384SHA384)\n"
	  "PrivateKey: WURgWHCcYIYUPWgeLmiPY2DJJk02vgrmTfitxgqcL4vwW7BOrbawVmVe0d9V94SR\n",
	  10771,
	  "10771 14 4 72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6",
	  NULL, "www.example.net.", "A", "192.0.2.1",
	  "A 14 3 3600 20100909102025 20100812102025 10771 example.net. /L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP"
	  "95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0RSMROxxwGipWcJm",
	  VERIFY },
	/* The signatures of RFC 8080 are those of its erratum 4935: in the RFC they lack the algorithm, and were made
	 * with a label too many. */
	{ "RFC 8080 6.1, first",
	  "example.com. 3600 IN DNSKEY 257 3 15 ( l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4= )\n",
	  "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\n"
	  "PrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n",
	  3613, "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b", NULL,
	  "example.com.", "MX", "10 mail.example.com.",
	  "MX 15 2 3600 20150819220000 20150729220000 3613 example.com. oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3f"
	  "x8A4M3e23mRZ9VrbpMngwcrqNAg==",
	  IDENTICAL },
	{ "RFC 8080 6.1, second",
	  "example.com. 3600 IN DNSKEY 257 3 15 ( zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs= )\n",
	  "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\n"
	  "PrivateKey: DSSF3o0s0f+ElWzj9E/Osxw8hLpk55chkmx0LYN5WiY=\n",
	  35217, "35217 15 2 401781b934e392de492ec77ae2e15d70f6575a1c0bc59c5275c04ebe80c6614c",
	  NULL, "example.com.", "MX", "10 mail.example.com.",
	  "MX 15 2 3600 20150819220000 20150729220000 35217 example.com. zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQ"
	  "oSm5poJ7gD7AQR0O7KuI5k2pcBg==",
	  IDENTICAL },
	{ "RFC 8080 6.2, first",
	  "example.com. 3600 IN DNSKEY 257 3 16 ( 3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx\n"
	  " 1FYYUcJKm1MDpJtIA )\n",
	  "Private-key-format: v1.2\nAlgorithm: 16 (ED448)\n"
	  "PrivateKey: xZ+5Cgm463xugtkY5B0Jx6erFTXp13rYegst0qRtNsOYnaVpMx0Z/c5EiA9x8wWbDDct/U3FhYWA\n",
	  9713, "9713 16 2 6ccf18d5bc5d7fc2fceb1d59d17321402f2aa8d368048db93dd811f5cb2b19c7", NULL,
	  "example.com.", "MX", "10 mail.example.com.",
	  "MX 16 2 3600 20150819220000 20150729220000 9713 example.com. 3cPAHkmlnxcDHMyg7vFC34l0blBhuG1qpwLmjInI8w1CMB29FkEAIJUA0am"
	  "xWndkmnBZ6SKiwZSAxGILn/NBtOXft0+Gj7FSvOKxE/07+4RQvE581N3Aj/JtIyaiYVdnYtyMWbSNyGEY2213WKsJlwEA",
	  IDENTICAL },
	{ "RFC 8080 6.2, second",
	  "example.com. 3600 IN DNSKEY 257 3 16 ( kkreGWoccSDmUBGAe7+zsbG6ZAFQp+syPmYUurBRQc3tDjeMCJcVMRDmgcN\n"
	  " Lp5HlHAMy12VoISsA )\n",
	  "Private-key-format: v1.2\nAlgorithm: 16 (ED448)\n"
	  "PrivateKey: WEykD3ht3MHkU8iH4uVOLz8JLwtRBSqiBoM6fF72+Mrp/u5gjxuB1DV6NnPO2BlZdz4hdSTkOdOA\n",
	  38353, "38353 16 2 645ff078b3568f5852b70cb60e8e696cc77b75bfaaffc118cf79cbda1ba28af4",
	  NULL, "example.com.", "MX", "10 mail.example.com.",
	  "MX 16 2 3600 20150819220000 20150729220000 38353 example.com. E1/oLjSGIbmLny/4fcgM1z4oL6aqo+izT3urCyHyvEp4Sp8Syg1eI+lJ57C"
	  "SnZqjJP41O/9l4m0AsQ4f7qI1gVnML8vWWiyW2KXhT9kuAICUSxv5OWbf81Rq7Yu60npabODB0QFPb/rkW3kUZmQ0YQUA",
	  IDENTICAL },
	{ "RFC 4034 5.4 and RFC 4509 2.3",
	  "dskey.example.com. 86400 IN DNSKEY 256 3 5 ( AQOeiiR0GOMYkDshWoSKz9Xz\n"
	  " fwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZ\n"
	  " DRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLU\n"
	  " Uh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw== ) ; key id = 60485\n",
	  NULL, 60485, "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
	  "60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A", NULL, NULL,
	  NULL, NULL, VERIFY },
};

static struct key *parse(const char *public, const char *private)
{
	struct key *key = NULL;
	struct errmsg em = { "" };
	struct file_view text = { 0 };
	for (unsigned half = 0; half < 2; half++) {
		const char *from = half == 0 ? public : private;
		if (from == NULL) {
			break;
		}
		text.len = strlen(from);
		text.data = mem_zalloc(text.len + 1 + FILE_SLACK);
		memcpy(text.data, from, text.len);
		int err = half == 0 ? keyfile_parse_public("key", &text, &key, &em)
				    : keyfile_parse_private("private", &text, key, &em);
		ck_assert_msg(err == E_OK, "%s", em.text);
		file_view_clear(&text);
	}
	return key;
}

static size_t wire_of(const char *type, const char *text, uint8_t *out, size_t room)
{
	uint16_t number;
	struct errmsg em = { "" };
	struct writer w = writer_of(out, room);
	ck_assert_int_eq(rrtype_from_text(type, strlen(type), &number), E_OK);
	ck_assert_msg(rdata_from_string(number, text, NULL, &w, &em) == E_OK, "%s", em.text);
	return writer_len(&w);
}

static void assert_ds(const struct key *key, const char *expected)
{
	uint8_t want[200], have[200];
	size_t len = wire_of("DS", expected, want, sizeof(want));
	int n = key_ds(key, want[3], have, sizeof(have));
	ck_assert_int_eq(n, (int)len);
	ck_assert_mem_eq(have, want, len);
	ck_assert_int_eq(key_ds(key, want[3], have, len - 1), E_NOSPACE);
	ck_assert_int_eq(key_ds(key, 3, have, sizeof(have)), E_UNSUPPORTED);
}

START_TEST(tags_and_digests_of_the_examples)
{
	struct key *key = parse(examples[_i].public, examples[_i].private);
	uint8_t rdata[KEY_RDATA_MAX];
	ck_assert_uint_eq(key->tag, examples[_i].tag);
	ck_assert_uint_eq(key_tag_of(rdata, key_rdata(key, rdata)), examples[_i].tag);
	ck_assert_uint_eq(key_tag_with(key, key->flags), examples[_i].tag);
	if (examples[_i].ds != NULL) {
		assert_ds(key, examples[_i].ds);
	}
	if (examples[_i].ds2 != NULL) {
		assert_ds(key, examples[_i].ds2);
		assert_ds(
			key,
			"60485 5 4 AB64DBEBE13C0B6BAE558B78CCAB93B836F8ADA4CBED2D4484A8715A819DE7B9E846315E70EA5D884B377394BDAF16A3");
	}
	key_free(key);
}
END_TEST

/* What is signed (RFC 4034 §3.1.8.1): RRSIG rdata without the signature, then the record. */
static size_t signed_data(const uint8_t *rrsig, const char *owner, const char *type,
			  const char *data, uint8_t *out)
{
	struct dname name;
	uint8_t rdata[300];
	uint16_t number;
	size_t len = wire_of(type, data, rdata, sizeof(rdata));
	size_t n = 18 + dname_len(rrsig + 18);
	memcpy(out, rrsig, n);
	ck_assert_int_eq(rrtype_from_text(type, strlen(type), &number), E_OK);
	ck_assert_int_eq(dname_from_text(&name, owner, strlen(owner), NULL, NULL), E_OK);
	n += dname_lower(out + n, name.wire);
	be16_put(out + n, number);
	be16_put(out + n + 2, 1);
	memcpy(out + n + 4, rrsig + 4, 4); /* original TTL */
	be16_put(out + n + 8, (uint16_t)len);
	memcpy(out + n + 10, rdata, len);
	return n + 10 + len;
}

START_TEST(signatures_of_the_examples)
{
	uint8_t rrsig[1000], data[1000], sig[CRYPTO_SIG_MAX];
	struct crypto_signer *s = NULL;
	struct crypto_verifier *v = NULL;
	size_t sig_len;
	if (examples[_i].rrsig == NULL) {
		return;
	}
	struct key *key = parse(examples[_i].public, examples[_i].private);
	size_t len = wire_of("RRSIG", examples[_i].rrsig, rrsig, sizeof(rrsig));
	size_t n =
		signed_data(rrsig, examples[_i].owner, examples[_i].type, examples[_i].data, data);
	const uint8_t *want = rrsig + 18 + dname_len(rrsig + 18);
	size_t want_len = (size_t)(rrsig + len - want);
	ck_assert_int_eq(crypto_verifier_new(key->pair, &v), E_OK);
	ck_assert_int_eq(crypto_verify(v, data, n, want, want_len), E_OK);
	ck_assert_int_eq(crypto_signer_new(key->pair, &s), E_OK);
	ck_assert_int_eq(crypto_sign(s, data, n, sig, &sig_len), E_OK);
	ck_assert_uint_eq(sig_len, want_len);
	ck_assert_int_eq(crypto_verify(v, data, n, sig, sig_len), E_OK);
	if (examples[_i].remade == IDENTICAL) {
		ck_assert_mem_eq(sig, want, want_len);
	} else {
		ck_assert_mem_ne(sig, want, want_len);
	}
	data[n - 1] ^= 1;
	ck_assert_int_eq(crypto_verify(v, data, n, want, want_len), E_BADSIG);
	crypto_signer_free(s);
	crypto_verifier_free(v);
	key_free(key);
}
END_TEST

/* --- tags ------------------------------------------------------------------------------------ */

/* RFC 4034 App. B with other means: the sum of 16-bit words, carry added once. */
static uint16_t tag_by_division(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? 256U * p[i] : p[i];
	}
	return (uint16_t)((sum % 65536 + sum / 65536) % 65536);
}

START_TEST(tags_of_any_rdata)
{
	struct unit_random r = { 4034 };
	uint8_t rdata[KEY_RDATA_MAX];
	for (unsigned round = 0; round < 2000; round++) {
		size_t len = unit_random_below(&r, sizeof(rdata) + 1);
		for (size_t i = 0; i < len; i++) {
			rdata[i] = round % 10 == 0 ? 0xff : (uint8_t)unit_random_next(&r);
		}
		rdata[3] = 13;
		ck_assert_uint_eq(key_tag_of(rdata, len), tag_by_division(rdata, len));
	}
	ck_assert_uint_eq(key_tag_of(rdata, 0), 0);
}
END_TEST

/* App. B.1: of RSAMD5, the most significant 16 of the least significant 24 bits of the modulus. */
START_TEST(tags_of_rsamd5)
{
	const uint8_t rdata[] = { 1, 0, 3, 1, 1, 3, 0x11, 0x22, 0x33, 0x44, 0x55 };
	ck_assert_uint_eq(key_tag_of(rdata, sizeof(rdata)), 0x3344);
	ck_assert_uint_eq(key_tag_of(rdata, 7), 0x0103);
	ck_assert_uint_eq(key_tag_of(rdata, 6), 0);
}
END_TEST

START_TEST(tags_collide_before_and_after_revoking)
{
	struct key *a = parse(examples[2].public, NULL);
	struct key *b = parse(examples[3].public, NULL);
	struct keyset set = { 0 };
	keyset_add(&set, b);
	ck_assert_ptr_null(keyset_find_tag(&set, a));
	keyset_add(&set, a);
	ck_assert_ptr_eq(keyset_find_tag(&set, a), a);
	/* The same key, but revoked: today's tag is what that of the other one will be. */
	struct key *revoked = parse(examples[2].public, NULL);
	revoked->flags |= KEY_FLAG_REVOKE;
	revoked->tag = key_tag_with(revoked, revoked->flags);
	ck_assert_uint_ne(revoked->tag, a->tag);
	ck_assert_ptr_eq(keyset_find_tag(&set, revoked), a);
	key_free(revoked);
	keyset_clear(&set);
	ck_assert_uint_eq(set.count, 0);
}
END_TEST

/* --- times ----------------------------------------------------------------------------------- */

enum { NOW = 1000 };

struct state {
	bool published, active, revoked;
};

static struct state state_of(const struct key *key, int64_t now)
{
	return (struct state){ key_is_published(key, now), key_is_active(key, now),
			       key_is_revoked(key, now) };
}

static struct key key_without_times(void)
{
	struct key key = { .flags = KEY_FLAG_ZONE };
	for (enum key_time t = 0; t < KEY_TIMES; t++) {
		key.times[t] = KEY_TIME_NONE;
	}
	return key;
}

/* What each time does at its border: the state the second before, and from then on. */
static const struct {
	enum key_time time;
	struct state before, from;
} borders[] = {
	{ KEY_CREATED, { true, true, false }, { true, true, false } },
	{ KEY_PUBLISH, { false, true, false }, { true, true, false } },
	{ KEY_ACTIVATE, { true, false, false }, { true, true, false } },
	{ KEY_REVOKE, { true, true, false }, { true, true, true } },
	{ KEY_INACTIVE, { true, true, false }, { true, false, false } },
	{ KEY_DELETE, { true, true, false }, { false, false, false } },
	{ KEY_SYNC_PUBLISH, { true, true, false }, { true, true, false } },
	{ KEY_SYNC_DELETE, { true, true, false }, { true, true, false } },
	{ KEY_DS_PUBLISH, { true, true, false }, { true, true, false } },
	{ KEY_DS_REMOVE, { true, true, false }, { true, true, false } },
};

static void assert_state(struct state have, struct state want, const char *what)
{
	ck_assert_msg(have.published == want.published && have.active == want.active &&
			      have.revoked == want.revoked,
		      "%s: published %d active %d revoked %d", what, have.published, have.active,
		      have.revoked);
}

START_TEST(each_time_has_its_border)
{
	ck_assert_uint_eq(ARRAY_LEN(borders), KEY_TIMES);
	struct key key = key_without_times();
	const char *field = key_time_field(borders[_i].time);
	key.times[borders[_i].time] = NOW;
	assert_state(state_of(&key, NOW - 1), borders[_i].before, field);
	assert_state(state_of(&key, NOW), borders[_i].from, field);
	assert_state(state_of(&key, NOW + 1), borders[_i].from, field);
	assert_state(state_of(&key, INT64_MIN + 1), borders[_i].before, field);
	assert_state(state_of(&key, INT64_MAX), borders[_i].from, field);
}
END_TEST

START_TEST(a_key_without_times_is_in_use)
{
	struct key key = key_without_times();
	assert_state(state_of(&key, 0), (struct state){ true, true, false }, "no times");
	key.flags |= KEY_FLAG_REVOKE;
	assert_state(state_of(&key, 0), (struct state){ true, true, true }, "REVOKE flag");
}
END_TEST

/* A whole life: published, active, inactive, deleted, one after the other. */
START_TEST(a_life)
{
	static const struct state states[] = {
		{ false, false, false }, { true, false, false },  { true, true, false },
		{ true, false, false },	 { false, false, false },
	};
	struct key key = key_without_times();
	key.times[KEY_PUBLISH] = 1;
	key.times[KEY_ACTIVATE] = 2;
	key.times[KEY_INACTIVE] = 3;
	key.times[KEY_DELETE] = 4;
	static const char *const words[] = { "future", "published", "active", "retired",
					     "deleted" };
	for (int now = 0; now < 5; now++) {
		assert_state(state_of(&key, now), states[now], "life");
		ck_assert_str_eq(key_state_text(&key, now), words[now]);
	}
	key.times[KEY_REVOKE] = 3;
	ck_assert_str_eq(key_state_text(&key, 3), "revoked");
}
END_TEST

START_TEST(a_new_key_is_in_use)
{
	struct key *key = key_new(dname_root, 13, KEY_FLAG_ZONE, NOW);
	assert_state(state_of(key, NOW - 1), (struct state){ false, false, false }, "before");
	assert_state(state_of(key, NOW), (struct state){ true, true, false }, "from then on");
	ck_assert(key->times[KEY_CREATED] == NOW);
	ck_assert(key->times[KEY_SYNC_PUBLISH] == KEY_TIME_NONE);
	ck_assert(key->pair == NULL);
	key_free(key);
}
END_TEST

/* Keys of one pair with each @step-th of all flags: so many of all tags are theirs. */
static void fill(struct keyset *ks, uint32_t step)
{
	struct crypto_key *pair = NULL;
	ck_assert_int_eq(crypto_key_generate(15, 0, &pair), E_OK);
	ks->keys = mem_array(65536 / step, sizeof(struct key *));
	for (uint32_t flags = 0; flags < 65536; flags += step) {
		struct key *k = mem_zalloc(sizeof(*k));
		k->algorithm = 15;
		k->flags = (uint16_t)flags;
		k->pair = pair;
		ks->keys[ks->count++] = k;
	}
}

static void drain(struct keyset *ks)
{
	for (size_t i = 1; i < ks->count; i++) {
		ks->keys[i]->pair = NULL; /* it is that of the first */
	}
	keyset_clear(ks);
}

START_TEST(a_new_pair_has_a_tag_of_its_own)
{
	struct keyset others = { 0 };
	struct errmsg em = { "" };
	fill(&others, 4);
	for (unsigned i = 0; i < 20; i++) {
		struct key *key = key_new(dname_root, 15, KEY_FLAG_ZONE, NOW);
		ck_assert_int_eq(key_make_pair(key, 0, &others, &em), E_OK);
		ck_assert(keyset_find_tag(&others, key) == NULL);
		ck_assert_uint_eq(key->tag, key_tag_with(key, KEY_FLAG_ZONE));
		key_free(key);
	}
	drain(&others);
}
END_TEST

START_TEST(where_all_tags_are_taken_no_pair_is_made)
{
	struct keyset others = { 0 };
	struct errmsg em = { "" };
	struct key *key = key_new(dname_root, 15, KEY_FLAG_ZONE, NOW);
	fill(&others, 1);
	ck_assert_int_eq(key_make_pair(key, 0, &others, &em), E_EXIST);
	ck_assert_ptr_nonnull(strstr(em.text, "100 new keys all had tags of other keys"));
	ck_assert(key->pair == NULL);
	key->algorithm = 8;
	ck_assert_int_eq(key_make_pair(key, 1, &others, &em), E_RANGE);
	key->algorithm = 5;
	ck_assert_int_eq(key_make_pair(key, 0, &others, &em), E_UNSUPPORTED);
	key_free(key);
	drain(&others);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("key");
	tcase_add_loop_test(tc, tags_and_digests_of_the_examples, 0, (int)ARRAY_LEN(examples));
	tcase_add_loop_test(tc, signatures_of_the_examples, 0, (int)ARRAY_LEN(examples));
	tcase_add_test(tc, tags_of_any_rdata);
	tcase_add_test(tc, tags_of_rsamd5);
	tcase_add_test(tc, tags_collide_before_and_after_revoking);
	tcase_add_loop_test(tc, each_time_has_its_border, 0, (int)ARRAY_LEN(borders));
	tcase_add_test(tc, a_key_without_times_is_in_use);
	tcase_add_test(tc, a_life);
	tcase_add_test(tc, a_new_key_is_in_use);
	tcase_add_test(tc, a_new_pair_has_a_tag_of_its_own);
	tcase_add_test(tc, where_all_tags_are_taken_no_pair_is_made);
	return unit_run("keys/key", tc);
}

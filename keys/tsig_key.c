/* keys/tsig_key.c - TSIG keys. */
#include "keys/tsig_key.h"

#include <string.h>

#include "zones/base/text.h"

/* A MAC is never shorter (RFC 8945 §5.2.2.1). */
#define MAC_MIN 10

/* A name as a string: its NUL is the root label. */
#define WIRE(s) ((const uint8_t *)(s))

static const struct tsig_algorithm algorithms[] = {
	{ "hmac-sha256", 32, NULL, WIRE("\013hmac-sha256"), CRYPTO_SHA256 },
	{ "hmac-sha384", 48, NULL, WIRE("\013hmac-sha384"), CRYPTO_SHA384 },
	{ "hmac-sha512", 64, NULL, WIRE("\013hmac-sha512"), CRYPTO_SHA512 },
	{ "hmac-sha224", 28, NULL, WIRE("\013hmac-sha224"), CRYPTO_SHA224 },
	{ "hmac-sha1", 20, "SHA-1 is on its way out (RFC 8945); use hmac-sha256",
	  WIRE("\011hmac-sha1"), CRYPTO_SHA1 },
	{ "hmac-md5", 16, "MD5 must not be used (RFC 8945); use hmac-sha256",
	  WIRE("\010hmac-md5\007sig-alg\003reg\003int"), CRYPTO_MD5 },
};

const struct tsig_algorithm *tsig_algorithm_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (text_equal(name, strlen(name), algorithms[i].name)) {
			return &algorithms[i];
		}
	}
	return NULL;
}

const struct tsig_algorithm *tsig_algorithm_at(size_t i)
{
	return i < ARRAY_LEN(algorithms) ? &algorithms[i] : NULL;
}

/* Octets of a MAC of so many bits; 0: it cannot be cut so. */
static unsigned mac_len_of(const struct tsig_algorithm *a, const char *bits)
{
	uint64_t n = 0;
	unsigned least = a->octets / 2 > MAC_MIN ? a->octets / 2 : MAC_MIN;
	if (text_to_u64(bits, strlen(bits), 8ULL * a->octets, &n) != E_OK || n % 8 != 0 ||
	    n / 8 < least) {
		return 0;
	}
	return (unsigned)(n / 8);
}

int tsig_key_set(struct tsig_key *key, const uint8_t *name, const char *algorithm,
		 const void *secret, size_t len)
{
	char word[32];
	/* "hmac-sha256-128": what follows the second hyphen are bits. */
	const char *first = strchr(algorithm, '-');
	const char *bits = first != NULL ? strchr(first + 1, '-') : NULL;
	size_t n = bits != NULL ? (size_t)(bits - algorithm) : strlen(algorithm);
	if (n >= sizeof(word)) {
		return E_UNSUPPORTED;
	}
	memcpy(word, algorithm, n);
	word[n] = '\0';
	const struct tsig_algorithm *a = tsig_algorithm_find(word);
	if (a == NULL || len == 0) {
		return a == NULL ? E_UNSUPPORTED : E_INVAL;
	}
	unsigned mac_len = bits != NULL ? mac_len_of(a, bits + 1) : a->octets;
	if (mac_len == 0) {
		return E_RANGE;
	}
	*key = (struct tsig_key){ .algorithm = a, .mac_len = mac_len };
	dname_set(&key->name, name);
	secret_set(&key->secret, secret, len);
	return E_OK;
}

void tsig_key_clear(struct tsig_key *key)
{
	secret_clear(&key->secret);
}

int tsig_key_random(struct tsig_key *key, const uint8_t *name, const char *algorithm)
{
	uint8_t secret[CRYPTO_DIGEST_MAX];
	const struct tsig_algorithm *a = tsig_algorithm_find(algorithm);
	int err = a != NULL ? crypto_random(secret, a->octets) : E_UNSUPPORTED;
	if (err == E_OK) {
		err = tsig_key_set(key, name, algorithm, secret, a->octets);
	}
	mem_wipe(secret, sizeof(secret));
	return err;
}

static void print(const char *name, const char *algorithm, const struct secret *secret,
		  struct buf *out)
{
	/* Grown before the secret is in it, so that no copy stays behind. */
	(void)buf_reserve(out, 1024 + strlen(name) + TEXT_BASE64_LEN(secret->len));
	buf_printf(out, "key \"%s\" {\n\talgorithm %s;\n\tsecret \"", name, algorithm);
	text_to_base64(secret->data, secret->len, buf_reserve(out, TEXT_BASE64_LEN(secret->len)));
	buf_grew(out, TEXT_BASE64_LEN(secret->len));
	buf_str(out, "\";\n};\n");
}

void tsig_key_print(const struct tsig_key *key, struct buf *out)
{
	char name[DNAME_TEXT_MAX];
	(void)dname_to_text(key->name.wire, name);
	print(name, key->algorithm->name, &key->secret, out);
}

int tsig_key_generate(const char *key_name, const struct tsig_algorithm *a, struct buf *out)
{
	struct tsig_key key;
	int err = tsig_key_random(&key, dname_root, a->name);
	if (err != E_OK) {
		return err;
	}
	print(key_name, a->name, &key.secret, out);
	tsig_key_clear(&key);
	return E_OK;
}

/* keys/tsig_key.c - TSIG keys. */
#include "keys/tsig_key.h"

#include <string.h>

#include "zones/base/text.h"

static const struct tsig_algorithm algorithms[] = {
	{ "hmac-sha256", 32, NULL },
	{ "hmac-sha384", 48, NULL },
	{ "hmac-sha512", 64, NULL },
	{ "hmac-sha224", 28, NULL },
	{ "hmac-sha1", 20, "SHA-1 is on its way out (RFC 8945); use hmac-sha256" },
	{ "hmac-md5", 16, "MD5 must not be used (RFC 8945); use hmac-sha256" },
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

int tsig_key_generate(const char *key_name, const struct tsig_algorithm *a, struct buf *out)
{
	uint8_t secret[64];
	int err = crypto_random(secret, a->octets);
	if (err != E_OK) {
		return err;
	}
	/* Grown before the secret is in it, so that no copy stays behind. */
	(void)buf_reserve(out, 1024 + strlen(key_name));
	buf_printf(out, "key \"%s\" {\n\talgorithm %s;\n\tsecret \"", key_name, a->name);
	text_to_base64(secret, a->octets, buf_reserve(out, TEXT_BASE64_LEN(sizeof(secret))));
	buf_grew(out, TEXT_BASE64_LEN(a->octets));
	buf_str(out, "\";\n};\n");
	mem_wipe(secret, sizeof(secret));
	return E_OK;
}

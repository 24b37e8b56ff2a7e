/* test/fuzz/update_policy_fuzz.c - any octets as rules about updates, one a line.
 *
 * What is said about those that are refused fits on one line; those that are taken give an answer about any record, and
 * one that stands behind another cannot change what that one says. */
#include <stdlib.h>
#include <string.h>

#include "server/update_policy.h"
#include "zones/dns/rrtype.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t zone[] = "\1z";
static const uint8_t host[] = "\1h\1z";
static const uint8_t below[] = "\1a\1h\1z";
static const uint8_t elsewhere[] = "\1k";
static const uint8_t *const names[] = { zone, host, below, elsewhere };
static const uint16_t types[] = { RRTYPE_A, RRTYPE_NS, RRTYPE_TXT, RRTYPE_NSEC, 65280 };

#define WISHES (2 * ARRAY_LEN(names) * ARRAY_LEN(names) * ARRAY_LEN(types))

static void require(bool what)
{
	if (!what) {
		abort();
	}
}

static bool ask(const struct update_policy *p, size_t i)
{
	uint32_t most = 0;
	const struct update_wish wish = {
		.signer = names[i % ARRAY_LEN(names)],
		.zone = zone,
		.owner = names[i / ARRAY_LEN(names) % ARRAY_LEN(names)],
		.type = types[i / ARRAY_LEN(names) / ARRAY_LEN(names) % ARRAY_LEN(types)],
		.is_sig0 = i >= WISHES / 2,
	};
	bool allowed = update_policy_allows(p, &wish, &most);
	require(!allowed || !wish.is_sig0 || update_policy_knows_sig0(p, wish.signer));
	require(!allowed || most <= UINT16_MAX);
	return allowed;
}

static void add(struct update_policy *p, struct arena *arena, const char *rule)
{
	static struct tsig_key keys[2];
	static const struct acl_names known = { .keys = keys,
						.key_count = ARRAY_LEN(keys),
						.sig0_zone = zone };
	struct errmsg em = { "" };
	bool before[WISHES];
	if (keys[0].algorithm == NULL) {
		require(tsig_key_set(&keys[0], host, "hmac-sha256", "secret", 6) == E_OK);
		require(tsig_key_set(&keys[1], elsewhere, "hmac-sha256", "secret", 6) == E_OK);
	}
	for (size_t i = 0; i < WISHES; i++) {
		before[i] = ask(p, i);
	}
	int err = update_policy_add(p, arena, &known, rule, &em);
	for (size_t i = 0; i < WISHES; i++) {
		bool allowed = ask(p, i);
		require(!before[i] || allowed);
		require(err == E_OK || before[i] == allowed);
	}
	require((err == E_OK) == (em.text[0] == '\0'));
	for (const char *at = em.text; *at != '\0'; at++) {
		require((uint8_t)*at >= 0x20 && *at != 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct update_policy *p = update_policy_new(&arena);
	for (size_t at = 0; at < size;) {
		const uint8_t *eol = memchr(data + at, '\n', size - at);
		size_t len = eol != NULL ? (size_t)(eol - data) - at : size - at;
		add(p, &arena, arena_str(&arena, (const char *)data + at, len));
		at += len + 1;
	}
	arena_clear(&arena);
	return 0;
}

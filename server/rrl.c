/* server/rrl.c - response rate limiting.
 *
 *     network and kind -> keyed hash -> 56 bits of tag | a set of four entries in one cache line
 *
 * The key is random, so that nobody can choose networks that fall on the entry of another. Two networks
 * with one hash share a balance; among a million networks that happens by chance once in thirty million
 * tables. */
#include "server/rrl.h"

#include <string.h>

#include "keys/crypto.h"
#include "zones/base/mem.h"

#define WAYS	  4
#define LINE	  64   /* octets of a cache line */
#define UNIT	  1000 /* of a balance: 1/1000 of a response, so that a millisecond counts whole */
#define TAG_SHIFT 8
#define SLIP_MASK 0xffU

/* Times are 32 bits of milliseconds and come round after 49 days. Who was last heard of so long ago then seems
 * to have been so just now, and at worst still has the debt of then. */
struct entry {
	uint64_t
		tag; /* of the hash, and in the low 8 bits responses since the last slip; 0: free */
	uint32_t time;	 /* of the balance */
	int32_t balance; /* < 0: limited */
};

struct set {
	struct entry entry[WAYS];
};
_Static_assert(sizeof(struct set) == LINE, "a set is a cache line");

struct rrl {
	void *memory;
	struct set *sets; /* aligned, in memory */
	uint64_t mask;	  /* of the number of sets */
	uint64_t key[4];
};

int rrl_new(size_t entries, struct rrl **out)
{
	struct rrl *t = mem_zalloc(sizeof(*t));
	size_t sets = 1;
	while (sets * WAYS < entries) {
		sets *= 2;
	}
	int err = crypto_random(t->key, sizeof(t->key));
	if (err != E_OK) {
		mem_free(t);
		return err;
	}
	t->mask = sets - 1;
	t->memory = mem_array(sets + 1, sizeof(struct set));
	size_t odd = (uintptr_t)t->memory % LINE;
	t->sets = (void *)((uint8_t *)t->memory + (odd != 0 ? LINE - odd : 0));
	*out = t;
	return E_OK;
}

void rrl_free(struct rrl *t)
{
	if (t != NULL) {
		mem_free(t->memory);
		mem_free(t);
	}
}

/* --- networks -------------------------------------------------------------------------------- */

/* The product of two words, folded: each bit of it depends on all of both. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The first @bits of eight octets; @bits may be more than there are, or less than 0. */
static uint64_t first_bits(const uint8_t *octets, int bits)
{
	uint64_t word = 0;
	for (unsigned i = 0; i < 8; i++) {
		word = word << 8 | octets[i];
	}
	return bits <= 0 ? 0 : bits >= 64 ? word : word & ~UINT64_C(0) << (64 - bits);
}

static uint64_t hash_of(const struct rrl *t, const struct rrl_config *c,
			const struct address_ip *client, enum rrl_kind kind)
{
	int bits = client->len == 4 ? c->prefix_v4 : c->prefix_v6;
	uint64_t high = first_bits(client->octet, bits);
	uint64_t low = first_bits(client->octet + 8, bits - 64);
	uint64_t what = (uint64_t)client->len << 8 | (unsigned)kind;
	return mix(mix(high ^ t->key[0], low ^ t->key[1]) ^ t->key[2], what ^ t->key[3]);
}

static bool is_exempt(const struct rrl_config *c, const struct address_ip *client)
{
	for (size_t i = 0; i < c->exempt_count; i++) {
		if (address_network_has(&c->exempt[i], client)) {
			return true;
		}
	}
	return false;
}

/* --- balances -------------------------------------------------------------------------------- */

/* The entry of @tag, or the one that is given to it. */
static struct entry *find(struct set *set, uint64_t tag, uint32_t now, int32_t full)
{
	struct entry *oldest = NULL;
	for (unsigned i = 0; i < WAYS; i++) {
		struct entry *e = &set->entry[i];
		if (e->tag >> TAG_SHIFT == tag) {
			return e;
		}
		bool is_older =
			oldest == NULL ||
			(oldest->tag != 0 && (e->tag == 0 || now - e->time > now - oldest->time));
		oldest = is_older ? e : oldest;
	}
	*oldest = (struct entry){ .tag = tag << TAG_SHIFT, .time = now, .balance = full };
	return oldest;
}

/* Takes one response off. */
static void charge(struct entry *e, const struct rrl_config *c, uint32_t now)
{
	int64_t full = (int64_t)c->rate * UNIT;
	int64_t least = -full * c->window_s;
	int64_t balance = e->balance + (int64_t)(now - e->time) * c->rate;
	balance = (balance < full ? balance : full) - UNIT;
	e->balance = (int32_t)(balance > least ? balance : least);
	e->time = now;
}

enum rrl_verdict rrl_check(struct rrl *t, const struct rrl_config *c,
			   const struct address_ip *client, enum rrl_kind kind, int64_t now_ms)
{
	if (c->rate == 0) {
		return RRL_SEND;
	}
	uint64_t hash = hash_of(t, c, client, kind);
	uint64_t tag = hash >> TAG_SHIFT;
	uint32_t now = (uint32_t)now_ms;
	struct entry *e =
		find(&t->sets[hash & t->mask], tag != 0 ? tag : 1, now, (int32_t)(c->rate * UNIT));
	charge(e, c, now);
	if (e->balance >= 0 || is_exempt(c, client)) {
		e->tag &= ~(uint64_t)SLIP_MASK;
		return RRL_SEND;
	}
	if (c->slip == 0) {
		return RRL_DROP;
	}
	e->tag++;
	if ((e->tag & SLIP_MASK) < c->slip) {
		return RRL_DROP;
	}
	e->tag &= ~(uint64_t)SLIP_MASK;
	return RRL_SLIP;
}

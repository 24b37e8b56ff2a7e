/* server/client.c - a table of clients by address: chains, and twice as many of them when they get long. */
#include "server/client.h"

#include <string.h>

#include "keys/crypto.h"
#include "zones/base/mem.h"

#define CHAINS_MIN STRESSED(256, 1) /* a power of two */
#define NET_V6	   8		    /* octets of an IPv6 address that count */

struct client_table {
	struct client **chains;
	size_t mask; /* of the number of chains */
	size_t count;
	struct crypto_siphash *hasher;
	uint8_t key[CRYPTO_SIPHASH_KEY_LEN];
};

int client_table_new(struct client_table **out)
{
	struct client_table *t = mem_zalloc(sizeof(*t));
	int err = crypto_random(t->key, sizeof(t->key));
	if (err == E_OK) {
		err = crypto_siphash_new(&t->hasher);
	}
	if (err != E_OK) {
		client_table_free(t);
		return err;
	}
	t->mask = CHAINS_MIN - 1;
	t->chains = mem_array(t->mask + 1, sizeof(struct client *));
	*out = t;
	return E_OK;
}

void client_table_free(struct client_table *t)
{
	if (t == NULL) {
		return;
	}
	for (size_t i = 0; t->chains != NULL && i <= t->mask; i++) {
		while (t->chains[i] != NULL) {
			struct client *c = t->chains[i];
			t->chains[i] = c->next;
			mem_free(c);
		}
	}
	crypto_siphash_free(t->hasher);
	mem_free(t->chains);
	mem_free(t);
}

static size_t hash_of(const struct client_table *t, const struct address_ip *net)
{
	uint8_t octets[CRYPTO_SIPHASH_LEN];
	size_t hash = 0;
	/* Without a hash chains get longer, not wrong. */
	if (crypto_siphash(t->hasher, t->key, net->octet, net->len, octets) == E_OK) {
		memcpy(&hash, octets, sizeof(hash));
	}
	return hash;
}

static void put(struct client_table *t, struct client *c)
{
	struct client **chain = &t->chains[c->hash & t->mask];
	c->next = *chain;
	*chain = c;
}

static void grow(struct client_table *t)
{
	struct client **old = t->chains;
	size_t old_count = t->mask + 1;
	t->mask = 2 * old_count - 1;
	t->chains = mem_array(t->mask + 1, sizeof(struct client *));
	for (size_t i = 0; i < old_count; i++) {
		while (old[i] != NULL) {
			struct client *c = old[i];
			old[i] = c->next;
			put(t, c);
		}
	}
	mem_free(old);
}

static struct address_ip net_of(const struct address_ip *ip)
{
	struct address_ip net = *ip;
	if (net.len > NET_V6) {
		memset(net.octet + NET_V6, 0, sizeof(net.octet) - NET_V6);
	}
	return net;
}

static bool is_net(const struct client *c, const struct address_ip *net)
{
	return c->net.len == net->len && memcmp(c->net.octet, net->octet, net->len) == 0;
}

struct client *client_enter(struct client_table *t, const struct address_ip *ip)
{
	const struct address_ip net = net_of(ip);
	size_t hash = hash_of(t, &net);
	struct client *c = t->chains[hash & t->mask];
	while (c != NULL && !is_net(c, &net)) {
		c = c->next;
	}
	if (c == NULL) {
		if (t->count > t->mask) {
			grow(t);
		}
		c = mem_zalloc(sizeof(*c));
		c->net = net;
		c->hash = hash;
		TAILQ_INIT(&c->conns);
		put(t, c);
		t->count++;
	}
	c->count++;
	return c;
}

void client_leave(struct client_table *t, struct client *c)
{
	if (--c->count != 0) {
		return;
	}
	struct client **at = &t->chains[c->hash & t->mask];
	while (*at != c) {
		at = &(*at)->next;
	}
	*at = c->next;
	t->count--;
	mem_free(c);
}

size_t client_table_count(const struct client_table *t)
{
	return t->count;
}

/* keys/holder.c - holds private keys inside this process. */
#include "keys/holder.h"

struct holder {
	struct keyset keys;
};

struct holder_session {
	const struct holder *holder;
	struct crypto_signer *signers[]; /* one per key, made at first use */
};

int holder_new(struct keyset *taken, struct holder **out)
{
	struct holder *h = mem_zalloc(sizeof(*h));
	h->keys = *taken;
	*taken = (struct keyset){ 0 };
	*out = h;
	return E_OK;
}

void holder_free(struct holder *h)
{
	if (h != NULL) {
		keyset_clear(&h->keys);
		mem_free(h);
	}
}

size_t holder_count(const struct holder *h)
{
	return h->keys.count;
}

const struct key *holder_key(const struct holder *h, size_t i)
{
	return h->keys.keys[i];
}

bool holder_can_sign(const struct holder *h, size_t i)
{
	return crypto_key_is_private(h->keys.keys[i]->pair);
}

int holder_session_open(const struct holder *h, struct holder_session **out)
{
	struct holder_session *s =
		mem_zalloc(sizeof(*s) + h->keys.count * sizeof(struct crypto_signer *));
	s->holder = h;
	*out = s;
	return E_OK;
}

void holder_session_close(struct holder_session *s)
{
	if (s == NULL) {
		return;
	}
	for (size_t i = 0; i < s->holder->keys.count; i++) {
		crypto_signer_free(s->signers[i]);
	}
	mem_free(s);
}

static int signer_for(struct holder_session *s, size_t i, struct crypto_signer **out)
{
	int err = E_OK;
	if (s->signers[i] == NULL) {
		err = crypto_signer_new(s->holder->keys.keys[i]->pair, &s->signers[i]);
	}
	*out = s->signers[i];
	return err;
}

int holder_sign(struct holder_session *s, size_t i, const uint8_t *data, size_t len, uint8_t *sig,
		size_t *sig_len)
{
	struct crypto_signer *signer;
	int err = signer_for(s, i, &signer);
	return err == E_OK ? crypto_sign(signer, data, len, sig, sig_len) : err;
}

int holder_check(struct holder_session *s, size_t i, const uint8_t *data, size_t len,
		 const uint8_t *sig, size_t sig_len)
{
	struct crypto_signer *signer;
	int err = signer_for(s, i, &signer);
	return err == E_OK ? crypto_signer_check(signer, data, len, sig, sig_len) : err;
}

/* keys/holder.h - who holds the private keys: the interface behind which signing happens.
 *
 * Signing code asks the holder for signatures and never touches a private key itself, so that
 * the holder can become a process of its own without a change to its callers. Today it lives in
 * the calling process.
 *
 * Threads: a holder is immutable once made; each signing thread opens its own holder_session.
 * Memory:  keys are borrowed by the caller as public information (flags, tag, algorithm, rdata). */
#ifndef KEYS_HOLDER_H
#define KEYS_HOLDER_H

#include "keys/key.h"

struct holder;
struct holder_session;

/* Takes over the keys (those without a private part are kept as public keys only). */
MUST_USE int holder_new(struct keyset *taken, struct holder **out);
void holder_free(struct holder *h);
size_t holder_count(const struct holder *h);
/* Public view of key @i, borrowed; its private part must not be used. */
const struct key *holder_key(const struct holder *h, size_t i);
bool holder_can_sign(const struct holder *h, size_t i);

MUST_USE int holder_session_open(const struct holder *h, struct holder_session **out);
void holder_session_close(struct holder_session *s);
/* Signs with key @i. @sig has room for CRYPTO_SIG_MAX. */
MUST_USE int holder_sign(struct holder_session *s, size_t i, const uint8_t *data, size_t len,
			 uint8_t *sig, size_t *sig_len);
/* Has key @i, which can sign, made this signature (crypto_signer_check)? */
MUST_USE int holder_check(struct holder_session *s, size_t i, const uint8_t *data, size_t len,
			  const uint8_t *sig, size_t sig_len);

#endif

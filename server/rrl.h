/* server/rrl.h - response rate limiting: answers that a forged source address did not ask for.
 *
 * An attacker who sends queries in the name of a victim has the victim flooded with responses. So over
 * UDP the responses to each network are counted, for each kind of response by itself: a credit of
 * `rate` responses grows by `rate` a second, each response takes one, and below zero nothing is sent,
 * except that every `slip`th response goes out empty with TC set, so that a client that is really there
 * can come back over TCP. What is not sent is charged as well, down to `window` seconds' worth, so a
 * flood stays cut off until it ends. Who has shown a good cookie, or comes over TCP, is no forgery, and
 * is not counted at all: the caller does not ask.
 *
 * The table is of fixed size. When it is full, the network heard of longest ago (of four that share a
 * cache line) is forgotten, which is the same as giving it full credit.
 *
 * Threads: one worker, one table.
 * Memory:  nothing is allocated after rrl_new. */
#ifndef SERVER_RRL_H
#define SERVER_RRL_H

#include "server/address.h"

enum rrl_kind { RRL_ANSWER, RRL_NODATA, RRL_REFERRAL, RRL_NXDOMAIN, RRL_ERROR };
enum rrl_verdict { RRL_SEND, RRL_SLIP, RRL_DROP };

/* Balances are kept in 1/1000 of a response in 32 bits: RRL_RATE_MAX × RRL_WINDOW_MAX × 1000 fits. */
#define RRL_RATE_MAX   20000
#define RRL_WINDOW_MAX 100
#define RRL_SLIP_MAX   10

/* What the operator chose. Immutable. */
struct rrl_config {
	uint32_t rate; /* responses a second for each network and kind; 0: no limit */
	uint32_t window_s;
	uint32_t slip;	   /* 0: never, 1: always, n: each nth */
	uint8_t prefix_v4; /* bits of an address that make the network */
	uint8_t prefix_v6;
	const struct address_network *exempt; /* borrowed */
	size_t exempt_count;
};

struct rrl;

/* A table of @entries (16 octets each), rounded up to a power of two; its pages take memory when they are used
 * first. E_CRYPTO. */
MUST_USE int rrl_new(size_t entries, struct rrl **out);
void rrl_free(struct rrl *t); /* NULL is fine */

/* May a response of this kind go to @client? Charges it. @now_ms never goes backwards. */
enum rrl_verdict rrl_check(struct rrl *t, const struct rrl_config *c,
			   const struct address_ip *client, enum rrl_kind kind, int64_t now_ms);

#endif

/* zones/base/mem.h - heap allocation that does not fail, and secrets that are wiped.
 *
 * Allocation for our own needs logs and aborts when memory is gone: no caller could do better.
 * Sizes that a peer or a file chooses are bounded by a named limit before they get here.
 *
 * Threads: as malloc. */
#ifndef ZONES_BASE_MEM_H
#define ZONES_BASE_MEM_H

#include <stdbool.h>

#include "zones/base/attr.h"

MUST_USE void *mem_alloc(size_t size);
MUST_USE void *mem_zalloc(size_t size);
/* @count × @size octets, zeroed; the product is checked for overflow (abort: our bug). */
MUST_USE void *mem_array(size_t count, size_t size);
MUST_USE void *mem_realloc(void *ptr, size_t count, size_t size);
MUST_USE void *mem_dup(const void *src, size_t len);
/* Copy of @len octets of @s with a NUL behind; owned by the caller. */
MUST_USE char *mem_str(const char *s, size_t len);
/* free(NULL) is fine. */
void mem_free(void *ptr);
/* Gives what was freed back to the system, as far as it is whole pages: after work that took much for a while. */
void mem_trim(void);

/* Octets that must not outlive their use: private keys, TSIG secrets. Never logged, never in an
 * arena, wiped by secret_clear. */
struct secret {
	uint8_t *data;
	size_t len;
};

/* Copies @len octets in (what was there is wiped). */
void secret_set(struct secret *s, const void *data, size_t len);
void secret_clear(struct secret *s);
/* Compares in time that depends on the lengths alone. */
bool secret_equal(const void *a, size_t alen, const void *b, size_t blen);
/* Overwrites @len octets; not removed by the optimiser. */
void mem_wipe(void *ptr, size_t len);

#endif

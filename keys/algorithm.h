/* keys/algorithm.h - the DNSSEC algorithms, one row each (RFC 8624, RFC 9905).
 *
 * Threads: constants. */
#ifndef KEYS_ALGORITHM_H
#define KEYS_ALGORITHM_H

#include "zones/base/attr.h"

enum algorithm_use {
	ALGORITHM_REFUSED,     /* known by name only; `reason` says why */
	ALGORITHM_VERIFY_ONLY, /* RSASHA1: old signatures are still checked, none are made */
	ALGORITHM_FULL,
};

struct algorithm {
	uint8_t number;
	enum algorithm_use use;
	const char *name;			   /* "ECDSAP256SHA256" */
	const char *reason;			   /* why it is refused or verify-only, else NULL */
	unsigned bits_min, bits_default, bits_max; /* RSA; equal where the algorithm fixes it */
};

/* The row, or NULL for a number without one. */
const struct algorithm *algorithm_find(uint8_t number);
/* By mnemonic (any case) or number; NULL. */
const struct algorithm *algorithm_from_text(const char *text);
/* For lists in help and man pages: rows in order of number, NULL behind the last. */
const struct algorithm *algorithm_at(size_t i);

#endif

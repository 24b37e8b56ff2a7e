/* zones/base/text.h - text codecs without any DNS in them: numbers, hex, base32hex, base64.
 *
 * Threads: no state.
 * Errors:  decoders return the number of octets written, or E_SYNTAX, or E_NOSPACE. */
#ifndef ZONES_BASE_TEXT_H
#define ZONES_BASE_TEXT_H

#include <stdbool.h>

#include "zones/base/attr.h"

/* ASCII lower case of an octet, others unchanged; independent of the locale (RFC 4343). */
extern const uint8_t text_lower[256];

bool text_is_digit(char c);
/* Do @len octets at @a equal the NUL-terminated @b, ASCII case ignored? */
bool text_equal(const char *a, size_t len, const char *b);

/* Decimal digits only, all @len of them, value at most @max. E_SYNTAX, E_RANGE. */
MUST_USE int text_to_u64(const char *s, size_t len, uint64_t max, uint64_t *out);
MUST_USE int text_to_u32(const char *s, size_t len, uint32_t max, uint32_t *out);

/* Hex digits, either case, an even number. */
MUST_USE int text_from_hex(const char *s, size_t len, uint8_t *out, size_t room);
/* Writes 2 × @len digits, no NUL; upper case as the DNS RFCs print them. */
void text_to_hex(const uint8_t *in, size_t len, char *out);

/* RFC 4648 §7 without padding, as in NSEC3 owner names (RFC 5155 §3.3); either case in. */
MUST_USE int text_from_base32hex(const char *s, size_t len, uint8_t *out, size_t room);
#define TEXT_BASE32HEX_LEN(n) ((8 * (n) + 4) / 5)
/* Writes TEXT_BASE32HEX_LEN(len) digits in lower case, no NUL. */
void text_to_base32hex(const uint8_t *in, size_t len, char *out);

/* RFC 4648 §4 with padding required. */
MUST_USE int text_from_base64(const char *s, size_t len, uint8_t *out, size_t room);
#define TEXT_BASE64_LEN(n) (((n) + 2) / 3 * 4)
/* Writes TEXT_BASE64_LEN(len) characters, no NUL. */
void text_to_base64(const uint8_t *in, size_t len, char *out);

/* "192.0.2.1": exactly four decimal numbers without zeros in front; "2001:db8::1" as RFC 4291 §2.2 writes it. E_SYNTAX. */
MUST_USE int text_to_ipv4(const char *s, size_t len, uint8_t out[4]);
MUST_USE int text_to_ipv6(const char *s, size_t len, uint8_t out[16]);

/* Octets that text_quote may write, its NUL included. */
#define TEXT_QUOTE_MAX 300

/* @text in double quotes for a message: what is no printable UTF-8 as \xNN, long texts cut between
 * characters. Returns @out. */
const char *text_quote(const char *text, size_t len, char out[TEXT_QUOTE_MAX]);

/* What stands behind the word for @n things: "s", or nothing for one. */
static inline const char *text_plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* The row of @words (NULL-terminated) nearest to @word by edit distance, if it is near enough
 * for a "did you mean"; else NULL. */
const char *text_did_you_mean(const char *word, const char *const *words);

#endif

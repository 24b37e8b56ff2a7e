/* zones/dns/dname.h - domain names in wire form, their text, and their canonical order.
 *
 * A name is a `const uint8_t *` to its uncompressed wire form (RFC 1035 §3.1): length octets and
 * labels up to the root label; such a pointer always means a *valid* name of at most 255 octets,
 * checked where it came in. Case is kept and never compared (RFC 4343). `struct dname` is storage
 * for one.
 *
 * The *key* of a name turns canonical order (RFC 4034 §6.1) into memcmp: labels from the root
 * down, each octet as one or two symbols below DNAME_SYMBOLS (lower-cased; one for the octets of
 * host names, two for the rest), each label closed by symbol 0. A name's key is a prefix of the
 * keys of all names below it. Keys sort loads and index the tree (zones/tree.h).
 *
 * Threads: no state.
 * Errors:  E_NAME malformed (label > 63, name > 255, pointer where none may be), E_TRUNC,
 *          E_SYNTAX (bad escape), E_LOOP (compression pointer not backwards). */
#ifndef ZONES_DNS_DNAME_H
#define ZONES_DNS_DNAME_H

#include <stdbool.h>

#include "zones/base/attr.h"
#include "zones/base/buf.h"
#include "zones/base/text.h"
#include "zones/base/wire.h"

#define DNAME_MAX	 255 /* octets of a name on the wire, RFC 1035 §2.3.4 */
#define DNAME_LABEL_MAX	 63
#define DNAME_LABELS_MAX 127  /* labels without the root label */
#define DNAME_TEXT_MAX	 1024 /* 4 characters an octet, dots, NUL: always enough */

struct dname {
	uint8_t len; /* octets of wire, the root label included; 0: no name */
	uint8_t wire[DNAME_MAX];
};

#define DNAME_SYMBOLS 47 /* symbols are 0..46 */
#define DNAME_KEY_MAX 512

struct dname_key {
	uint16_t len;
	uint8_t labels;
	uint8_t sym[DNAME_KEY_MAX];
	/* end[i]: symbols of the ancestor with i labels, its closing 0 included; end[0] == 0 */
	uint16_t end[DNAME_LABELS_MAX + 1];
};

extern const uint8_t dname_root[1];

/* Octets of the wire form, root label included. */
static inline size_t dname_len(const uint8_t *name)
{
	size_t n = 0;
	while (name[n] != 0) {
		n += (size_t)name[n] + 1;
	}
	return n + 1;
}

/* Labels without the root label; "*" counts (RFC 4034 §3.1.3 takes it off, see rrsig). */
static inline unsigned dname_labels(const uint8_t *name)
{
	unsigned n = 0;
	while (*name != 0) {
		name += *name + 1;
		n++;
	}
	return n;
}

static inline bool dname_is_root(const uint8_t *name)
{
	return name[0] == 0;
}

static inline bool dname_is_wildcard(const uint8_t *name)
{
	return name[0] == 1 && name[1] == '*';
}

/* The name without its first @labels labels; borrowed from @name. @labels <= dname_labels(name). */
static inline const uint8_t *dname_up(const uint8_t *name, unsigned labels)
{
	while (labels-- != 0) {
		name += *name + 1;
	}
	return name;
}

bool dname_equal(const uint8_t *a, const uint8_t *b);
/* Names, one behind the other; borrowed. */
struct dname_list {
	const uint8_t *octets;
	size_t len;
};
bool dname_list_has(const struct dname_list *list, const uint8_t *name);
/* <0, 0, >0 in canonical order (RFC 4034 §6.1). */
int dname_compare(const uint8_t *a, const uint8_t *b);
/* Is @name @ancestor or below it? */
bool dname_is_under(const uint8_t *name, const uint8_t *ancestor);
/* Labels that both names share, counted from the root. */
unsigned dname_common_labels(const uint8_t *a, const uint8_t *b);

/* Copies; returns octets. @to has room for DNAME_MAX. */
size_t dname_copy(uint8_t *to, const uint8_t *from);
/* The same, letters in lower case (RFC 4034 §6.2). Length octets are never letters (<= 63). */
size_t dname_lower(uint8_t *to, const uint8_t *from);
void dname_set(struct dname *d, const uint8_t *name);
/* @label (with its length octet) in front of @parent. E_NAME when too long. */
MUST_USE int dname_prepend(struct dname *d, const uint8_t *label, const uint8_t *parent);
/* @name with its suffix @old (which it is under) replaced by @new (RFC 6672 §2.2). E_NAME when the
 * result is longer than 255 octets. */
MUST_USE int dname_replace(struct dname *d, const uint8_t *name, const uint8_t *old,
			   const uint8_t *new);

/* Text to name. All of RFC 1035 §5.1: \X, \DDD, relative to @origin when there is no final dot
 * (@origin NULL: a final dot is required, E_SYNTAX), "@" is the origin. The empty string is
 * E_SYNTAX. @em (may be NULL) says what is wrong. */
MUST_USE int dname_from_text(struct dname *d, const char *s, size_t len, const uint8_t *origin,
			     struct errmsg *em);
/* Name to text with final dot; escapes as RFC 1035 and RFC 4343 §2.1 want: \. \\ \" \; \( \) \@ \$ and
 * \DDD for octets outside 0x21..0x7e. Returns characters without the NUL. */
size_t dname_to_text(const uint8_t *name, char out[DNAME_TEXT_MAX]);
void dname_print(struct buf *b, const uint8_t *name);

/* Reads an uncompressed name; returns it borrowed from the reader, or NULL with r->err set (E_NAME,
 * E_TRUNC). */
const uint8_t *dname_read(struct reader *r);
/* Reads a possibly compressed name (RFC 1035 §4.1.4); pointers must point backwards into the
 * message (r->start). E_LOOP, E_NAME, E_TRUNC in r->err, and returned. */
int dname_read_compressed(struct reader *r, struct dname *out);

void dname_key_make(struct dname_key *key, const uint8_t *name);
/* The key of the name that @label (with its length octet) makes in front of the ancestor with @labels labels of
 * the name of @of. @key != @of; the name must not be too long. */
void dname_key_child(struct dname_key *key, const struct dname_key *of, unsigned labels,
		     const uint8_t *label);
/* The first symbol in which @key and the key of @name differ (behind its end a key has 0s), without making
 * that. *@symbol gets the one of @name. key->len, and 0: the same name. */
unsigned dname_key_mismatch(const struct dname_key *key, const uint8_t *name, unsigned *symbol);
/* memcmp order of keys with the shorter first: canonical order. */
int dname_key_compare(const struct dname_key *a, const struct dname_key *b);
/* The same for keys in bare octet strings. */
int dname_sym_compare(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen);

#endif

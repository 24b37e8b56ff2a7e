/* server/xfr_pack.h - a message of a zone transfer being written: record behind record, until it is full.
 *
 * A zone has millions of records, which come in canonical order or nearly so: the name before shares all but the first
 * label, as a rule. So names are compressed against that name alone, and all that is remembered is where its suffixes
 * stand; nothing is hashed, and nothing searched:
 *
 *     a.b.example. at 12     suffixes: example 16, b 14, a 12
 *     c.b.example.           one label, and a pointer to 14
 *
 * Pointers reach the first 16 KiB of a message. Behind them each record shows its owner's first labels again, and a
 * pointer to those of its suffixes that stand there, which the apex does always.
 *
 * Threads: one.
 * Memory:  borrows the output buffer; owners are borrowed until the next xfr_pack_begin. Nothing is allocated. */
#ifndef SERVER_XFR_PACK_H
#define SERVER_XFR_PACK_H

#include "zones/dns/message.h"

/* A name, and where its labels begin in it. */
struct xfr_labels {
	const uint8_t *name;
	uint8_t count;
	uint8_t len;
	uint8_t start[DNAME_LABELS_MAX];
};

/* A suffix of the owner in the message. */
struct xfr_suffix {
	uint16_t at;	  /* 0: it cannot be pointed at */
	uint8_t pointers; /* that a reader follows who begins there */
};

struct xfr_pack {
	uint8_t *message;
	uint8_t *pos, *end;
	uint32_t count;		 /* records */
	struct xfr_labels owner; /* of the records that are being written; name NULL: none */
	/* Of it, by their labels; [0] is the root, which is not pointed at. */
	struct xfr_suffix suffix[DNAME_LABELS_MAX + 1];
	/* How the owner is written: its first octets, then a pointer to the rest; 0: the root's octet. */
	uint8_t own;
	uint16_t pointer;
	uint8_t behind; /* labels of the suffix that is pointed to */
};

/* Begins a message in @room octets at @out, of which the first @len stand: a header, and behind it a question or nothing. */
void xfr_pack_begin(struct xfr_pack *p, uint8_t *out, size_t len, size_t room);
/* The records to come are of @name. */
void xfr_pack_owner(struct xfr_pack *p, const uint8_t *name);
/* Writes a record: @rr is what comes behind its owner (type | class | TTL | rdlength | rdata; ours, so it is trusted).
 * False: it does not fit, and nothing was written. */
bool xfr_pack_rr(struct xfr_pack *p, const uint8_t *rr);

#endif

/* zones/dump.h - a zone version as master-file text, record by record in canonical order.
 *
 * One record a line: owner TTL class type rdata, tab-separated, absolute names. The SOA comes
 * first. Reads back to the same zone.
 *
 * Threads: reads an immutable version. */
#ifndef ZONES_DUMP_H
#define ZONES_DUMP_H

#include "zones/base/buf.h"
#include "zones/base/file.h"
#include "zones/version.h"

enum dump_flags {
	DUMP_CANONICAL =
		1 << 0, /* names in lower case (RFC 4034 6.2), as ldns-read-zone -c has it */
};

/* All records of @n. Appends to @out. */
void dump_node(const struct node *n, unsigned flags, struct buf *out);
void dump_rrset(const uint8_t *owner, const struct rrset *rs, unsigned flags, struct buf *out);
/* The whole zone. Errors stay in @out until file_out_commit. */
void dump_version(const struct version *v, unsigned flags, struct file_out *out);

#endif

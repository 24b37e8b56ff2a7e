/* zones/snapshot.h - a version as a file, for a restart that neither parses nor signs.
 *
 *     | head | chunk | chunk | ... | directory: one struct snapshot_chunk for each | tail |
 *
 * A chunk holds nodes as they lie in memory (zones/node.h), each from an octet that 8 divides, in canonical order;
 * first those of the names tree, then those of the NSEC3 tree. Numbers are those of the machine: the file is not
 * meant to travel, and one from another machine or another format is E_DAMAGED, like one that was cut or changed:
 * head, chunks and directory have sums. Apart from those, nothing in a node is believed: what comes out is a version
 * that could have come out of a zone file.
 *
 * Threads: writing reads an immutable version; reading starts threads of its own and joins them.
 * Errors:  E_NOENT, E_DAMAGED, E_DISKFULL, E_PERM, E_IO. */
#ifndef ZONES_SNAPSHOT_H
#define ZONES_SNAPSHOT_H

#include "zones/base/buf.h"
#include "zones/version.h"

#define SNAPSHOT_FORMAT 1

struct snapshot_head {
	uint8_t magic[8];
	uint32_t format; /* with the sizes of the structs, see snapshot.c */
	uint32_t serial;
	uint64_t seq;	  /* of the journal's entry that it contains, with all before */
	uint64_t names;	  /* nodes */
	uint64_t nsec3;	  /* nodes */
	uint64_t records; /* signatures included */
	uint8_t apex[DNAME_MAX + 1];
	uint32_t zero;
	uint32_t sum; /* CRC-32C of all before it */
};

struct snapshot_chunk {
	uint64_t at; /* octets from the start of the file */
	uint64_t len;
	uint32_t nodes;
	uint16_t tree; /* 0: names, 1: NSEC3 */
	uint16_t zero;
	uint32_t sum;
	uint32_t zero_too;
};

struct snapshot_tail {
	uint64_t directory; /* octets from the start of the file */
	uint64_t chunks;
	uint32_t zero;
	uint32_t sum; /* of the directory and what of the tail stands before it */
	uint8_t magic[8];
};

struct snapshot_info {
	struct dname apex;
	uint32_t serial;
	uint64_t seq;
	uint64_t names, nsec3, records;
};

/* Writes the whole of @v: complete and on the disk with E_OK, else @path is as it was. Mode 0600. */
MUST_USE int snapshot_write(const char *path, const struct version *v, uint64_t seq,
			    struct errmsg *em);
/* The same octets, behind what @out holds: for small zones. */
void snapshot_print(const struct version *v, uint64_t seq, struct buf *out);
/* What the head says. */
MUST_USE int snapshot_read_info(const char *path, struct snapshot_info *info, struct errmsg *em);
/* Makes the version, with one reference for the caller, on @threads threads (0: one for each core). @info may be NULL.
 * E_MISMATCH: it is of another zone than @apex. */
MUST_USE int snapshot_read(const char *path, const uint8_t *apex, unsigned threads,
			   struct version **out, struct snapshot_info *info, struct errmsg *em);
/* The same for octets in memory, aligned to 8. */
MUST_USE int snapshot_read_memory(const uint8_t *data, size_t len, const uint8_t *apex,
				  struct version **out, struct snapshot_info *info,
				  struct errmsg *em);

#endif

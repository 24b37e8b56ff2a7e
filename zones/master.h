/* zones/master.h - master files (RFC 1035 §5) into an edit.
 *
 * $ORIGIN, $TTL (RFC 2308 §4), $INCLUDE, $GENERATE; errors name file, line, column, what was found and what
 * was expected; reading goes on with the next record and gives up after MASTER_ERRORS_MAX. With
 * any error the caller aborts the edit: never a partial load.
 *
 * Threads: one reader, one thread. */
#ifndef ZONES_MASTER_H
#define ZONES_MASTER_H

#include "zones/edit.h"
#include "zones/findings.h"

#define MASTER_ERRORS_MAX   20
#define MASTER_INCLUDE_MAX  16	       /* depth of $INCLUDE */
#define MASTER_GENERATE_MAX 1000000    /* records one $GENERATE may make */
#define MASTER_TTL_MAX	    0x7fffffff /* RFC 2181 §8 */

/* What a reader wants to know. */
struct master_options {
	const uint8_t *origin; /* of the zone; NULL: the owner of the SOA that comes first */
	uint32_t
		default_ttl; /* used where neither $TTL, nor a TTL, nor a SOA came before; 0: error */
	bool skip_dnssec;    /* leave out RRSIG, NSEC, NSEC3 (to sign anew) */
	bool ignore_outside;  /* out-of-zone records are dropped with a warning, not an error */
	unsigned threads;     /* that read a large file; 0: one per core */
	size_t piece;	      /* octets that a thread reads at a time; 0: as is best */
	bool *has_directives; /* when reading went well: whether any was read; or NULL */
};

/* A zone file may be large; this only keeps a device or a mistake from eating all memory. */
#define MASTER_FILE_MAX ((size_t)64 << 30)

/* Reads @path ("-": standard input) into a new edit. On success *out is the edit with all records, the
 * caller owns it. On error E_SYNTAX, E_CHECK, E_IO ... and findings say why. */
MUST_USE int master_read(const char *path, const struct master_options *opt, struct edit **out,
			 struct findings *findings);
/* The same from memory; @data[len] == '\0' and FILE_SLACK octets behind readable. @path for messages
 * and relative $INCLUDE (NULL: $INCLUDE is refused; "-": standard input). */
MUST_USE int master_read_memory(const char *path, const char *data, size_t len,
				const struct master_options *opt, struct edit **out,
				struct findings *findings);

#endif

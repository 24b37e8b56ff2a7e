/* zones/master_source.h - reads lines of master files; private to zones/master*.c.
 *
 * Lines are read either in order, into an edit, with findings; or ahead of their turn, into a batch: then
 * whatever depends on what stands before, or is wrong, only asks to read them again in order. */
#ifndef ZONES_MASTER_SOURCE_H
#define ZONES_MASTER_SOURCE_H

#include "zones/dns/lexer.h"
#include "zones/master.h"

#define NO_TTL UINT32_MAX

/* What all files of one zone share. */
struct reader_state {
	const struct master_options *opt;
	struct findings *findings;
	struct edit *edit;    /* NULL before the apex is known */
	struct batch *batch;  /* not NULL: reading ahead; edit and findings are not touched */
	bool again;	      /* reading ahead went wrong */
	bool said_no_soa;     /* once is enough */
	bool has_directives;  /* a $ line was read */
	uint32_t default_ttl; /* $TTL, or NO_TTL */
	uint32_t last_ttl;    /* of the last record, or NO_TTL */
	unsigned depth;	      /* of $INCLUDE */
	bool stop;	      /* too many errors */
	uint8_t *rdata;	      /* RDATA_MAX octets */
};

/* One file, or the lines of one $GENERATE. */
struct source {
	struct reader_state *st;
	const struct source *from; /* the file that includes it, or NULL */
	const char *path;
	struct lexer lx;
	struct dname origin;
	struct dname owner;
	bool have_owner;
	const char *owner_text; /* as it is spelled in the text, with this origin; borrowed */
	size_t owner_len;	/* 0: not known */
	bool may_include;
	unsigned line,
		column; /* where this text stands, for generated lines; 0: as the lexer says */
};

/* Reads records from the lexer's place on, up to the one that begins at @until (or has begun before, and
 * ends behind it). Returns where the next record or line begins; the lexer's line is its line. */
const char *source_read(struct source *src, const char *until);

#endif

/* server/command_table.h - the commands of commands.def, for signetd and signetctl alike.
 *
 * Threads: no state. */
#ifndef SERVER_COMMAND_TABLE_H
#define SERVER_COMMAND_TABLE_H

#include <stdbool.h>

#include "zones/base/attr.h"
#include "zones/base/err.h"

struct command {
	const char *name;
	const char *arguments; /* "" or "[ZONE]", for people */
	uint8_t min, max;      /* arguments */
	bool changes;	       /* something: needs to be logged */
	const char *help;
};

/* In the order of the file; a row with name NULL ends it. */
extern const struct command command_table[];

/* The row of @name; NULL: there is none, with a message for a person. */
const struct command *command_by_name(const char *name, struct errmsg *em);
/* The row for @words[0], if the other @count - 1 words can be its arguments; else likewise. */
const struct command *command_find(const char *const *words, size_t count, struct errmsg *em);

#endif

/* keys/tsig_file.h - files of TSIG keys, as tsig-keygen and signet-keymgr tsig write them and nsupdate -k reads them:
 *
 *     key "NAME" { algorithm hmac-sha256; secret "BASE64"; };
 *
 * Several may be in a file, with comments as in C, C++ and the shell. What is in a file is never shown in a message, only
 * where it is and what was expected: anything may be the secret when something is missing.
 *
 * Threads: no state.
 * Errors:  "FILE:LINE:COLUMN: ..." in the message. */
#ifndef KEYS_TSIG_FILE_H
#define KEYS_TSIG_FILE_H

#include "keys/tsig_key.h"
#include "zones/base/file.h"

#define TSIG_FILE_MAX ((size_t)1 << 20) /* octets of a file */

struct tsig_keys {
	struct tsig_key *list; /* names are different */
	size_t count, cap;
};

/* Adds the keys of @text to @out; @path is for messages. E_SYNTAX; E_EXIST: a name is there twice; what tsig_key_set
 * says. @out is then as it was. */
MUST_USE int tsig_file_parse(const char *path, const struct file_view *text, struct tsig_keys *out,
			     struct errmsg *em);
/* The same for the file at @path, which only its owner and group may read: else E_PERM. Others as file_read. */
MUST_USE int tsig_file_read(const char *path, struct tsig_keys *out, struct errmsg *em);
/* NULL: there is none of that name. */
const struct tsig_key *tsig_keys_find(const struct tsig_keys *keys, const uint8_t *name);
void tsig_keys_clear(struct tsig_keys *keys);

#endif

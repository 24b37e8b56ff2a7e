/* keys/keyfile.h - key files as BIND and ldns have them: K<zone>+<alg>+<tag>.key, .private v1.3.
 *
 * Threads: the job or tool that owns the directory.
 * Errors:  codes as below; the message names the file and the remedy. A missing file never makes
 *          a new key. */
#ifndef KEYS_KEYFILE_H
#define KEYS_KEYFILE_H

#include "keys/key.h"

/* Which halves must be there. */
enum keyfile_need { KEYFILE_PUBLIC, KEYFILE_PAIR };

/* Reads one key. @path may end in .key, .private or neither. Checks that both files belong
 * together (E_MISMATCH), that owner, algorithm and tag agree with the file name, and that the
 * private file is not readable by others (E_PERM). */
MUST_USE int keyfile_read(const char *path, enum keyfile_need need, struct key **out,
			  struct errmsg *em);
/* All keys of @zone in @dir, sorted by algorithm and tag. None is no error (count 0). */
MUST_USE int keyfile_read_dir(const char *dir, const uint8_t *zone, enum keyfile_need need,
			      struct keyset *out, struct errmsg *em);
/* Writes both files (private 0600, by temp + fsync + rename) into @dir; sets key->path. Never
 * overwrites another key: E_EXIST. */
MUST_USE int keyfile_create(const char *dir, struct key *key, struct errmsg *em);
/* Writes the times (and a changed REVOKE flag, which renames the files) of a key read before. */
MUST_USE int keyfile_update(struct key *key, struct errmsg *em);

#endif

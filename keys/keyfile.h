/* keys/keyfile.h - key files as BIND and ldns have them: K<zone>+<alg>+<tag>.key, .private v1.3.
 *
 * Threads: the job or tool that owns the directory.
 * Errors:  codes as below; the message names the file and the remedy. A missing file never makes
 *          a new key. */
#ifndef KEYS_KEYFILE_H
#define KEYS_KEYFILE_H

#include "keys/key.h"
#include "zones/base/buf.h"
#include "zones/base/file.h"

/* Largest file that is read: an RSA 4096 private file has 4 kB. */
#define KEYFILE_MAX ((size_t)64 << 10)

/* What must be there, and what is looked at. */
enum keyfile_need {
	KEYFILE_RECORD, /* the .key file; the .private file is not looked at */
	KEYFILE_PUBLIC, /* the .key file, and the .private file where there is one */
	KEYFILE_PAIR,	/* both */
};

/* Appends "Kexample.com.+013+12345": the zone in lower case, and as BIND has it %2F for a slash and
 * likewise for all but letters, digits, '-' and '_'. */
void keyfile_name(const struct key *key, struct buf *out);

/* Reads one key. @path may end in .key, .private or neither. Checks that both files belong
 * together (E_MISMATCH), that owner, algorithm and tag agree with the file name, and that the
 * private file is not readable by others (E_PERM). */
MUST_USE int keyfile_read(const char *path, enum keyfile_need need, struct key **out,
			  struct errmsg *em);

/* Where to look for the keys of a zone. */
struct keyfile_search {
	const char *dir;
	const uint8_t *zone;
	enum keyfile_need need;
	struct buf
		*skipped; /* files that cannot be read are passed over, and why is told here, a line
				each; NULL: the first such file is the error */
};
/* All keys of a zone in a directory, sorted by algorithm and tag. None is no error (count 0). Files that have
 * not exactly the form of keyfile_name are not looked at. On error @out may hold keys already. */
MUST_USE int keyfile_search(const struct keyfile_search *s, struct keyset *out, struct errmsg *em);
/* The same, all files good. */
MUST_USE int keyfile_read_dir(const char *dir, const uint8_t *zone, enum keyfile_need need,
			      struct keyset *out, struct errmsg *em);

/* Keys that are not to be used any more, and that somebody may want back. */
struct keyfile_aside {
	const char *dir, *to;
	const uint8_t *const *zones; /* whose */
	size_t count;
};
/* Moves all key files of these zones from one directory to the other, which is made (0700) where there is something to
 * move. @moved: files. That there is no @dir is no error. */
MUST_USE int keyfile_put_aside(const struct keyfile_aside *a, size_t *moved, struct errmsg *em);

/* The texts of the files; @path is for messages. The public one makes the key: one DNSKEY record and
 * nothing else. E_SYNTAX, E_UNSUPPORTED, E_INVAL. */
MUST_USE int keyfile_parse_public(const char *path, const struct file_view *text, struct key **out,
				  struct errmsg *em);
/* The private one adds private half, times and what others put there; @key is unchanged on failure.
 * E_SYNTAX, E_UNSUPPORTED, E_INVAL, E_MISMATCH: not the private half of @key. */
MUST_USE int keyfile_parse_private(const char *path, const struct file_view *text, struct key *key,
				   struct errmsg *em);

/* The texts again. The private one is a secret: wipe it. */
void keyfile_print_public(const struct key *key, struct buf *out);
MUST_USE int keyfile_print_private(const struct key *key, struct buf *out);

/* Writes both files (private 0600, by temp + fsync + rename) into @dir; sets key->path. Never
 * overwrites another key: E_EXIST. */
MUST_USE int keyfile_create(const char *dir, struct key *key, struct errmsg *em);
/* Writes the times (and a changed REVOKE flag, which renames the files) of a key read before. */
MUST_USE int keyfile_update(struct key *key, struct errmsg *em);

#endif

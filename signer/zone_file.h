/* signer/zone_file.h - signed zones in files: written on all cores, known again by a fingerprint.
 *
 * The last line of a file that we wrote is a comment with the fingerprint of its content (sign.h). When
 * the content is unchanged, its signatures need not be verified to be kept; and when signing changes nothing,
 * the text need not be made again.
 *
 * Threads: starts its own and joins them. */
#ifndef SIGNER_ZONE_FILE_H
#define SIGNER_ZONE_FILE_H

#include <stdbool.h>

#include "zones/base/file.h"
#include "zones/version.h"

/* Writes @v in canonical order, the SOA first, and the fingerprint; readers see the old file or the whole
 * new one. */
MUST_USE int zone_file_write(const struct version *v, const char *path, unsigned threads,
			     struct errmsg *em);
/* Does @text, a file that we read, end in the fingerprint of @v? */
bool zone_file_is_ours(const struct file_view *text, const struct version *v, unsigned threads);

#endif

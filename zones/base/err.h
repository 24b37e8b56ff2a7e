/* zones/base/err.h - the one list of error codes, and messages meant for a person.
 *
 * Functions return 0 or a negative E_* code; positive values stay free for counts. A code says
 * what kind of thing went wrong; where a person has to act, the function also takes a
 * `struct errmsg` and names the thing, the place and the remedy in it.
 *
 * Threads: no state.
 * Errors:  RCODEs and extended DNS errors are results of a query, never E_* codes. */
#ifndef ZONES_BASE_ERR_H
#define ZONES_BASE_ERR_H

#include "zones/base/attr.h"

/* clang-format off */
#define ERR_MAP(X)                                              \
	X(OK,          0,   "success")                          \
	X(NOENT,       -1,  "not found")                        \
	X(EXIST,       -2,  "already there")                    \
	X(INVAL,       -3,  "value not allowed here")           \
	X(SYNTAX,      -4,  "syntax error")                     \
	X(TRUNC,       -5,  "input ends too early")             \
	X(TRAILING,    -6,  "octets left over at the end")      \
	X(RANGE,       -7,  "number out of range")              \
	X(LIMIT,       -8,  "limit reached")                    \
	X(NOSPACE,     -9,  "does not fit into the space left") \
	X(NAME,        -10, "malformed domain name")            \
	X(LOOP,        -11, "loop")                             \
	X(IO,          -12, "input or output failed")           \
	X(PERM,        -13, "permission refused")               \
	X(DISKFULL,    -14, "no space left on the device")      \
	X(CRYPTO,      -15, "cryptographic operation failed")   \
	X(UNSUPPORTED, -16, "not supported")                    \
	X(BADSIG,      -17, "signature does not verify")        \
	X(EXPIRED,     -18, "signature has expired")            \
	X(NOTYET,      -19, "signature is not valid yet")       \
	X(MISMATCH,    -20, "things that belong together differ") \
	X(NOTZONE,     -21, "name is outside the zone")         \
	X(CHECK,       -22, "a check found errors")             \
	X(INTR,        -23, "interrupted")                      \
	X(AGAIN,       -24, "not now, try again")               \
	X(DAMAGED,     -25, "content is damaged")               \
	X(HELD,        -26, "held back until it is approved")
/* clang-format on */

enum err {
#define X(name, code, text) E_##name = (code),
	ERR_MAP(X)
#undef X
};

/* The text of @err, a constant; "unknown error" for a code that is not in the list. */
const char *err_text(int err);

/* The code for the errno value @errnum: E_NOENT, E_EXIST, E_PERM, E_DISKFULL, E_INTR, E_AGAIN,
 * else E_IO. */
int err_from_errno(int errnum);

/* A message for a person, written by the function that failed; empty when nothing did.
 * Longer texts are cut, never overrun. */
struct errmsg {
	char text[512];
};

/* Writes the message (@em may be NULL: then nothing is written) and returns @err, so that callers
 * can say `return err_set(em, E_INVAL, "...", ...)`. */
PRINTF(3, 4) int err_set(struct errmsg *em, int err, const char *fmt, ...);

/* Puts "<fmt>: " in front of what @em holds, to name the place on the way up. Returns @err. */
PRINTF(3, 4) int err_prefix(struct errmsg *em, int err, const char *fmt, ...);

#endif

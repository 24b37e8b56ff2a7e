/* zones/base/err.c - error codes to text, and messages for people. */
#include "zones/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *err_text(int err)
{
	switch (err) {
#define X(name, code, text)                                                                        \
	case (code):                                                                               \
		return (text);
		ERR_MAP(X)
#undef X
	default:
		return "unknown error";
	}
}

int err_from_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		return E_NOENT;
	case EEXIST:
		return E_EXIST;
	case EACCES:
	case EPERM:
	case EROFS:
		return E_PERM;
	case ENOSPC:
	case EDQUOT:
		return E_DISKFULL;
	case EINTR:
		return E_INTR;
	case EAGAIN:
		return E_AGAIN;
	default:
		return E_IO;
	}
}

int err_set(struct errmsg *em, int err, const char *fmt, ...)
{
	if (em != NULL) {
		va_list ap;
		va_start(ap, fmt);
		(void)vsnprintf(em->text, sizeof(em->text), fmt, ap);
		va_end(ap);
	}
	return err;
}

int err_prefix(struct errmsg *em, int err, const char *fmt, ...)
{
	if (em == NULL) {
		return err;
	}
	struct errmsg old = *em;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(em->text, sizeof(em->text), fmt, ap);
	va_end(ap);
	size_t used = n < 0 ? 0 : (size_t)n;
	if (used + 2 < sizeof(em->text)) {
		size_t room = sizeof(em->text) - used - 3;
		size_t len = strnlen(old.text, sizeof(old.text));
		len = len < room ? len : room;
		memcpy(em->text + used, ": ", 2);
		memcpy(em->text + used + 2, old.text, len);
		em->text[used + 2 + len] = '\0';
	}
	return err;
}

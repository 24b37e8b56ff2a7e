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
 case (code):                                                                                      \
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

/* Adds as much of @text as there is room for. */
static void append(struct errmsg *em, const char *text)
{
	size_t used = strlen(em->text);
	size_t len = strnlen(text, sizeof(em->text) - 1 - used);
	memcpy(em->text + used, text, len);
	em->text[used + len] = '\0';
}

int err_prefix(struct errmsg *em, int err, const char *fmt, ...)
{
	if (em == NULL) {
		return err;
	}
	struct errmsg out; /* apart, as the old text may be among the arguments */
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(out.text, sizeof(out.text), fmt, ap);
	va_end(ap);
	append(&out, ": ");
	append(&out, em->text);
	*em = out;
	return err;
}

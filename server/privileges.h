/* server/privileges.h - becomes an ordinary user once the sockets are bound.
 *
 * Threads: before any other thread starts. */
#ifndef SERVER_PRIVILEGES_H
#define SERVER_PRIVILEGES_H

#include "zones/base/attr.h"
#include "zones/base/err.h"

struct privileges {
	uint32_t uid, gid;
};

/* Whom @user and @group mean ("" for either: as config_server says). E_NOENT. */
MUST_USE int privileges_find(const char *user, const char *group, struct privileges *out,
			     struct errmsg *em);
/* Gives up root for @user and @group ("" for either: as config_server says), for good. With both
 * empty only the way back to more privileges is closed. E_PERM, E_NOENT. */
MUST_USE int privileges_drop(const char *user, const char *group, struct errmsg *em);

#endif

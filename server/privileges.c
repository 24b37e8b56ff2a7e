/* server/privileges.c - becomes an ordinary user once the sockets are bound. */
#include "server/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int privileges_find(const char *user, const char *group, struct privileges *out, struct errmsg *em)
{
	*out = (struct privileges){ .uid = geteuid(), .gid = getegid() };
	const struct passwd *pw = *user != '\0' ? getpwnam(user) : NULL;
	if (*user != '\0' && pw == NULL) {
		return err_set(em, E_NOENT, "server.user: there is no user \"%s\"; create it",
			       user);
	}
	const struct group *gr = *group != '\0' ? getgrnam(group) : NULL;
	if (*group != '\0' && gr == NULL) {
		return err_set(em, E_NOENT, "server.group: there is no group \"%s\"; create it",
			       group);
	}
	if (pw != NULL) {
		out->uid = pw->pw_uid;
	}
	if (gr != NULL) {
		out->gid = gr->gr_gid;
	} else if (pw != NULL) {
		out->gid = pw->pw_gid;
	}
	return E_OK;
}

int privileges_drop(const char *user, const char *group, struct errmsg *em)
{
	struct privileges to;
	/* No program that we might be made to start could get more. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		return err_set(em, E_PERM, "cannot give up new privileges: %s", strerror(errno));
	}
	if (*user == '\0' && *group == '\0') {
		return E_OK;
	}
	int err = privileges_find(user, group, &to, em);
	if (err != E_OK) {
		return err;
	}
	const gid_t gid = to.gid;
	if (geteuid() != 0) {
		/* Started as an ordinary user: fine if it is the right one. */
		if (to.uid == geteuid()) {
			return E_OK;
		}
		return err_set(em, E_PERM,
			       "server.user: only root can become \"%s\"; start as root, or as "
			       "that user",
			       user);
	}
	if (setgroups(1, &gid) != 0 || setgid(gid) != 0 || (*user != '\0' && setuid(to.uid) != 0)) {
		return err_set(em, E_PERM, "cannot become user \"%s\" group \"%s\": %s", user,
			       group, strerror(errno));
	}
	if (to.uid != 0 && setuid(0) == 0) {
		return err_set(em, E_PERM,
			       "root could be regained after becoming \"%s\"; not going on", user);
	}
	return E_OK;
}

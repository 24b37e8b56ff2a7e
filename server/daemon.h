/* server/daemon.h - the whole server: start, reload, stop.
 *
 *     bind sockets → drop privileges → load zones → start workers → wait for signals
 *
 * Threads: the control thread (the caller of daemon_run); workers answer; job threads load. */
#ifndef SERVER_DAEMON_H
#define SERVER_DAEMON_H

#include "server/config.h"

/* Serves until SIGTERM or SIGINT. @config (taken) was read from @path, which SIGHUP reads again. Returns
 * E_OK, or what kept it from starting, with a message. */
MUST_USE int daemon_run(const char *path, struct config *config, struct errmsg *em);

#endif

/* server/commands.h - does what signetctl asks for; the rows are in commands.def.
 *
 * Threads: the control thread. */
#ifndef SERVER_COMMANDS_H
#define SERVER_COMMANDS_H

#include "server/control.h"

/* Runs the command of @r (taken) on @daemon, a struct daemon; it may be answered later. */
void commands_run(void *daemon, struct control_request *r);

#endif

/* server/control.h - the control socket, by which signetctl asks signetd.
 *
 * A stream socket in the file system: who may open the file may ask anything, so it is for the owner and the group
 * alone. Each connection carries one request and its answer.
 *
 *     request:  word NUL word NUL ... LF        the first word is the form of the answer, "text" or "json";
 *                                               then the command and its arguments
 *     answer:   STATUS SP LENGTH LF octets      decimal numbers; STATUS is enum control_status
 *
 * A request may be answered later: it stays valid until it is, whether the client waits for it or has gone.
 *
 * Threads: that of the loop.
 * Memory:  what clients can make it hold is bounded by the limits below. */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include "server/loop.h"
#include "server/report.h"

#define CONTROL_REQUEST_MAX 4096 /* octets, its LF included */
#define CONTROL_WORDS_MAX   64	 /* the form and the command included */
#define CONTROL_CLIENTS_MAX 32	 /* at a time; others wait to be accepted */

/* What became of a request; signetctl ends with it. */
enum control_status { CONTROL_DONE = 0, CONTROL_FAILED = 1, CONTROL_MISUSE = 2 };

struct control_client;

struct control_request {
	const char *words[CONTROL_WORDS_MAX]; /* the command and its arguments */
	size_t count;
	enum report_form form;
	struct report *report; /* owned; what the answer will tell, for who answers to fill in */
	uint32_t uid;	       /* who asks */
	struct control_client *client; /* NULL: it has gone */
	char text[CONTROL_REQUEST_MAX];
};

/* Takes the request apart that is in @line, @len octets without LF: its words then point into r->text. E_SYNTAX, E_LIMIT. */
MUST_USE int control_parse(struct control_request *r, const char *line, size_t len);
/* Answers, and frees @r (taken). The message is one line for a person; it may be "". */
PRINTF(3, 4)
void control_reply(struct control_request *r, enum control_status status, const char *fmt, ...);

struct control_options {
	const char *path;
	uint32_t uid, gid; /* whose the socket is to be; UINT32_MAX: stays */
	/* Sees to it that @r (taken) is answered. */
	void (*run)(void *arg, struct control_request *r);
	void *arg;
	unsigned
		patience_ms; /* that a client may take to ask, or to take the next part of its answer */
};

struct control;

/* Listens at @o->path, where the socket of a dead server may lie. E_EXIST: a living server has it, or something
 * that is no socket is there. @o is copied, its path as well. */
MUST_USE int control_new(struct loop *l, const struct control_options *o, struct control **out,
			 struct errmsg *em);
/* No longer listens, cuts off all clients, and removes the socket. Requests that are not answered yet stay valid. */
void control_free(struct control *c); /* NULL is fine */

#endif

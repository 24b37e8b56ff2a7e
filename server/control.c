/* server/control.c - the control socket.
 *
 * A client reads, waits, writes, in this order:
 *
 *     reads    until the request is whole; a deadline for all of it
 *     waits    for control_reply; what can be read now is the end of the client, or against the protocol
 *     writes   until the answer is gone; a deadline for each part of it */
#include "server/control.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "zones/base/log.h"
#include "zones/base/mem.h"

#define BACKLOG 16
/* Out of file descriptors: nothing is accepted for so long. */
#define PAUSE_MS 100

struct control_client {
	struct control *control;
	int fd;
	struct event *readable; /* while it reads or waits */
	struct event *writable; /* while it writes */
	struct event *deadline;
	struct control_request
		*request; /* borrowed from who will answer it; NULL: reads or writes */
	char in[CONTROL_REQUEST_MAX];
	size_t in_len;
	struct buf out;
	size_t sent; /* of out */
	LIST_ENTRY(control_client) link;
};

LIST_HEAD(clients, control_client);

struct control {
	struct event_base *base; /* borrowed */
	struct control_options options;
	char *path; /* owned */
	int fd;
	dev_t device; /* of the socket in the file system */
	ino_t inode;
	struct event *acceptable;
	struct event *resume; /* accepting */
	struct clients clients;
	unsigned count;
};

/* --- requests -------------------------------------------------------------------------------- */

int control_parse(struct control_request *r, const char *line, size_t len)
{
	const char *words[CONTROL_WORDS_MAX]; /* the form in front */
	size_t count = 0;
	if (len == 0 || len > sizeof(r->text) || line[len - 1] != '\0') {
		return E_SYNTAX;
	}
	memcpy(r->text, line, len);
	for (const char *word = r->text; word < r->text + len; word += strlen(word) + 1) {
		if (count == CONTROL_WORDS_MAX) {
			return E_LIMIT;
		}
		words[count++] = word;
	}
	if (count < 2 || (strcmp(words[0], "text") != 0 && strcmp(words[0], "json") != 0)) {
		return E_SYNTAX;
	}
	r->form = strcmp(words[0], "json") == 0 ? REPORT_JSON : REPORT_TEXT;
	r->count = count - 1;
	memcpy(r->words, words + 1, r->count * sizeof(words[0]));
	return E_OK;
}

static struct control_request *request_new(struct control_client *c)
{
	struct control_request *r = mem_zalloc(sizeof(*r));
	struct ucred who = { .uid = UINT32_MAX };
	socklen_t len = sizeof(who);
	(void)getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	r->uid = who.uid;
	r->report = report_new();
	r->client = c;
	c->request = r;
	return r;
}

static void request_free(struct control_request *r)
{
	report_free(r->report);
	mem_free(r);
}

/* --- clients --------------------------------------------------------------------------------- */

static void client_close(struct control_client *c)
{
	struct control *control = c->control;
	if (c->request != NULL) {
		c->request->client = NULL; /* who answers it will find nobody there */
	}
	LIST_REMOVE(c, link);
	if (control->count-- == CONTROL_CLIENTS_MAX) {
		(void)event_add(control->acceptable, NULL);
	}
	event_free(c->readable);
	event_free(c->writable);
	event_free(c->deadline);
	(void)close(c->fd);
	buf_clear(&c->out);
	mem_free(c);
}

static void set_deadline(struct control_client *c)
{
	unsigned ms = c->control->options.patience_ms;
	const struct timeval patience = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	(void)event_add(c->deadline, &patience);
}

/* Sends what the system takes now; closes when that was all, or the client has gone. */
static void client_send(struct control_client *c)
{
	size_t before = c->sent;
	ssize_t n = 0;
	while (n >= 0 && c->sent < c->out.len) {
		n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		c->sent += n > 0 ? (size_t)n : 0;
	}
	if (c->sent == c->out.len || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
		client_close(c);
		return;
	}
	if (c->sent != before) {
		set_deadline(c);
	}
}

static void reply(struct control_request *r, enum control_status status, const char *message)
{
	static const char *const names[] = { "done", "failed", "misuse" };
	struct control_client *c = r->client;
	struct buf body = { 0 };
	if (c == NULL) {
		request_free(r);
		return;
	}
	report_print(r->report, r->form, names[status], message, &body);
	buf_printf(&c->out, "%d %zu\n", (int)status, body.len);
	buf_add(&c->out, body.data, body.len);
	buf_clear(&body);
	request_free(r);
	c->request = NULL;
	(void)event_del(c->readable);
	(void)event_add(c->writable, NULL);
	set_deadline(c);
	client_send(c);
}

void control_reply(struct control_request *r, enum control_status status, const char *fmt, ...)
{
	va_list ap;
	char text[1024];
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply(r, status, text);
}

/* The request of @c is whole: its first @len octets. */
static void client_ask(struct control_client *c, size_t len)
{
	struct control_request *r = request_new(c);
	(void)event_del(c->deadline);
	int err = len + 1 == c->in_len ? control_parse(r, c->in, len) : E_TRAILING;
	if (err != E_OK) {
		control_reply(r, CONTROL_MISUSE, "this is no request: %s", err_text(err));
		return;
	}
	c->control->options.run(c->control->options.arg, r);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct control_client *c = arg;
	(void)what;
	if (c->request != NULL) { /* it waits */
		client_close(c);
		return;
	}
	ssize_t n = recv(fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
		return;
	}
	if (n <= 0) {
		client_close(c);
		return;
	}
	const char *end = memchr(c->in + c->in_len, '\n', (size_t)n);
	c->in_len += (size_t)n;
	if (end != NULL) {
		client_ask(c, (size_t)(end - c->in));
	} else if (c->in_len == sizeof(c->in)) {
		control_reply(request_new(c), CONTROL_MISUSE,
			      "the request is longer than %d octets", CONTROL_REQUEST_MAX);
	}
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_send(arg);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_close(arg);
}

/* Takes @fd. */
static void client_open(struct control *control, int fd)
{
	struct control_client *c = mem_zalloc(sizeof(*c));
	c->control = control;
	c->fd = fd;
	c->readable = event_new(control->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(control->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->deadline = evtimer_new(control->base, on_deadline, c);
	/* They fail for want of memory only. */
	assert(c->readable != NULL && c->writable != NULL && c->deadline != NULL);
	LIST_INSERT_HEAD(&control->clients, c, link);
	if (++control->count == CONTROL_CLIENTS_MAX) {
		(void)event_del(control->acceptable);
	}
	set_deadline(c);
	if (event_add(c->readable, NULL) != 0) {
		client_close(c);
	}
}

/* --- the socket ------------------------------------------------------------------------------ */

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };
	struct control *c = arg;
	(void)what;
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client >= 0) {
		client_open(c, client);
	} else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR &&
		   errno != ECONNABORTED) {
		/* Out of file descriptors, as a rule: it would be tried again at once, in vain. */
		(void)event_del(c->acceptable);
		(void)event_add(c->resume, &pause);
	}
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	(void)fd;
	(void)what;
	if (c->count < CONTROL_CLIENTS_MAX) {
		(void)event_add(c->acceptable, NULL);
	}
}

/* Sets *pid to the process that listens at @a, if there is one. E_EXIST: one does that has too much to do to tell. */
static int find_listener(const struct sockaddr_un *a, long *pid)
{
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return err_from_errno(errno);
	}
	int err = E_OK;
	if (connect(fd, (const struct sockaddr *)(const void *)a, sizeof(*a)) == 0) {
		(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
		*pid = who.pid;
	} else if (errno != ECONNREFUSED) {
		err = errno == EAGAIN ? E_EXIST : err_from_errno(errno);
	}
	(void)close(fd);
	return err;
}

/* Removes the socket that a dead server has left. */
static int make_way(const struct sockaddr_un *a, struct errmsg *em)
{
	struct stat st;
	long pid = 0;
	if (lstat(a->sun_path, &st) != 0) {
		return E_OK; /* bind will tell */
	}
	if (!S_ISSOCK(st.st_mode)) {
		return err_set(em, E_EXIST, "%s is no socket; move it out of the way", a->sun_path);
	}
	int err = find_listener(a, &pid);
	if (err == E_OK && pid != 0) {
		return err_set(em, E_EXIST,
			       "%s: another server answers there, process %ld; stop it, or choose "
			       "another path",
			       a->sun_path, pid);
	}
	if (err != E_OK) {
		return err_set(em, err, "%s: there is a socket that something may still use",
			       a->sun_path);
	}
	if (unlink(a->sun_path) != 0) {
		return err_set(em, err_from_errno(errno), "%s: cannot remove the old socket: %s",
			       a->sun_path, strerror(errno));
	}
	return E_OK;
}

static int refuse(const char *path, const char *what, struct errmsg *em)
{
	return err_set(em, err_from_errno(errno), "%s: cannot %s: %s", path, what, strerror(errno));
}

/* Nobody can connect before listen, and then it is whose it should be. */
static int listen_at(struct control *c, struct errmsg *em)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const struct control_options *o = &c->options;
	struct stat st;
	if (strlen(c->path) >= sizeof(a.sun_path)) {
		return err_set(em, E_RANGE, "%s: the path of a socket has at most %zu octets",
			       c->path, sizeof(a.sun_path) - 1);
	}
	memcpy(a.sun_path, c->path, strlen(c->path));
	int err = make_way(&a, em);
	if (err != E_OK) {
		return err;
	}
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || bind(c->fd, (const struct sockaddr *)(const void *)&a, sizeof(a)) != 0) {
		return refuse(c->path, "make a socket", em);
	}
	if (lstat(c->path, &st) != 0) {
		return refuse(c->path, "look at the socket", em);
	}
	c->device = st.st_dev;
	c->inode = st.st_ino;
	/* Who is not root can give it to groups of its own only: no harm, then the others are kept out. */
	if ((lchown(c->path, o->uid, o->gid) != 0 && geteuid() == 0) || chmod(c->path, 0660) != 0) {
		return refuse(c->path, "give the socket to user and group", em);
	}
	return listen(c->fd, BACKLOG) == 0 ? E_OK : refuse(c->path, "listen", em);
}

/* Is what has our path still what we made? */
static bool is_ours(const struct control *c)
{
	struct stat st;
	return c->inode != 0 && lstat(c->path, &st) == 0 && st.st_dev == c->device &&
	       st.st_ino == c->inode;
}

int control_new(struct loop *l, const struct control_options *o, struct control **out,
		struct errmsg *em)
{
	struct control *c = mem_zalloc(sizeof(*c));
	c->base = loop_base(l);
	c->options = *o;
	c->path = mem_str(o->path, strlen(o->path));
	c->fd = -1;
	LIST_INIT(&c->clients);
	int err = listen_at(c, em);
	if (err == E_OK) {
		c->acceptable = event_new(c->base, c->fd, EV_READ | EV_PERSIST, on_acceptable, c);
		c->resume = evtimer_new(c->base, on_resume, c);
		if (c->acceptable == NULL || c->resume == NULL ||
		    event_add(c->acceptable, NULL) != 0) {
			err = err_set(em, E_IO, "%s: cannot watch the socket", c->path);
		}
	}
	if (err != E_OK) {
		control_free(c);
		return err;
	}
	*out = c;
	return E_OK;
}

void control_free(struct control *c)
{
	if (c == NULL) {
		return;
	}
	while (!LIST_EMPTY(&c->clients)) {
		client_close(LIST_FIRST(&c->clients));
	}
	if (c->acceptable != NULL) {
		event_free(c->acceptable);
	}
	if (c->resume != NULL) {
		event_free(c->resume);
	}
	if (is_ours(c)) {
		(void)unlink(c->path); /* where the user may not do that, the next server does */
	}
	if (c->fd >= 0) {
		(void)close(c->fd);
	}
	mem_free(c->path);
	mem_free(c);
}

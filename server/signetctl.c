/* server/signetctl.c - asks a running signetd to tell or to do something. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/command_table.h"
#include "server/config.h"
#include "server/control.h"
#include "zones/base/file.h"
#include "zones/base/program.h"
#include "zones/base/text.h"
#include "zones/base/time.h"

/* Exit status; the first three are what the server says, see enum control_status. */
enum { GOOD = CONTROL_DONE, BAD = CONTROL_FAILED, MISUSE = CONTROL_MISUSE, UNREACHED = 3 };

/* Octets of an answer; some 10 million zones. */
#define ANSWER_MAX ((size_t)1 << 30)
/* Of the line in front of the answer. */
#define HEAD_MAX 32

static const char usage_text[] =
	"usage: signetctl [options] COMMAND [ARGUMENT...]\n"
	"Asks a running signetd to tell or to do something. \"signetctl help\" lists the commands.\n"
	"\n"
	"  -s, --socket SOCKET   where the server listens (default: what the configuration says)\n"
	"  -c, --config FILE     the configuration that says it (default: " CONFIG_PATH_DEFAULT
	")\n"
	"      --json            answer with one line of JSON\n"
	"      --timeout TIME    longest wait for the server; 0: no end (default: 60s)\n"
	"  -h, --help            this text\n"
	"  -V, --version\n";

struct options {
	const char *socket;
	const char *config;
	bool json;
	int64_t timeout_s;
	const char *const *words;
	size_t count;
};

static int misuse(const char *text)
{
	(void)fprintf(stderr, "signetctl: %s; try signetctl help\n", text);
	return MISUSE;
}

/* GOOD, MISUSE, or -1: there is nothing more to do. */
static int parse_options(struct options *o, int argc, char **argv)
{
	enum { OPTION_JSON = 256, OPTION_TIMEOUT };
	static const struct option long_options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;
	/* Up to the command: what follows is its own, and may begin with "-". */
	while ((c = getopt_long(argc, argv, "+s:c:hV", long_options, NULL)) != -1) {
		switch (c) {
		case 's':
			o->socket = optarg;
			break;
		case 'c':
			o->config = optarg;
			break;
		case OPTION_JSON:
			o->json = true;
			break;
		case OPTION_TIMEOUT:
			if (time_from_duration(optarg, strlen(optarg), INT32_MAX, &o->timeout_s) !=
			    E_OK) {
				return misuse("--timeout: expected a time, as 30s");
			}
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			return -1;
		case 'V':
			(void)puts("signetctl (Signet) " SIGNET_VERSION);
			return -1;
		default:
			(void)fputs("try signetctl --help\n", stderr);
			return MISUSE;
		}
	}
	o->words = (const char *const *)argv + optind;
	o->count = (size_t)(argc - optind);
	return o->count != 0 ? GOOD : misuse("found no command");
}

/* --- help ------------------------------------------------------------------------------------ */

#define HELP_INDENT 8
#define HELP_WIDTH  78

/* The words of @text in lines of HELP_WIDTH. */
static void print_wrapped(const char *text)
{
	size_t column = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		if (column != 0 && column + 1 + len > HELP_WIDTH) {
			(void)putchar('\n');
			column = 0;
		}
		column += (size_t)(column == 0 ? printf("%*s", HELP_INDENT, "") : printf(" "));
		column += (size_t)printf("%.*s", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
	(void)putchar('\n');
}

static void print_command(const struct command *c)
{
	(void)printf("%s%s%s\n", c->name, *c->arguments != '\0' ? " " : "", c->arguments);
	print_wrapped(c->help);
}

static int help(const char *const *words, size_t count)
{
	struct errmsg em;
	const struct command *c;
	if (count > 2) {
		return misuse("help: expected at most one command");
	}
	if (count == 1) {
		for (c = command_table; c->name != NULL; c++) {
			print_command(c);
		}
		(void)puts("help [COMMAND]");
		print_wrapped("This list, or COMMAND alone.");
		return GOOD;
	}
	c = command_by_name(words[1], &em);
	if (c == NULL) {
		return misuse(em.text);
	}
	print_command(c);
	return GOOD;
}

/* --- where the server is --------------------------------------------------------------------- */

/* The socket that the configuration names, in @out. Who may not read it, or has none, gets the default. */
static int socket_of(const char *path, bool is_default, struct buf *out)
{
	struct file_view file = { 0 };
	struct findings findings = { 0 };
	struct config *config = NULL;
	struct errmsg em;
	int err = file_read(path, CONFIG_SIZE_MAX, &file, &em);
	if (is_default && (err == E_NOENT || err == E_PERM)) {
		buf_str(out, CONFIG_CONTROL_DEFAULT);
		return GOOD;
	}
	if (err == E_OK) {
		const struct config_source source = {
			.path = path, .data = file.data, .len = file.len, .only_text = true
		};
		err = config_parse(&source, &config, &findings);
	} else {
		(void)fprintf(stderr, "signetctl: %s\n", em.text);
	}
	if (err == E_OK) {
		buf_str(out, config->server.control);
	} else {
		findings_print(&findings, "signetctl: ");
		(void)fputs("signetctl: say where the server listens with -s\n", stderr);
	}
	if (err == E_OK && out->len == 0) {
		(void)fprintf(
			stderr,
			"signetctl: %s: server.control is empty, the server does not listen\n",
			path);
		err = E_NOENT;
	}
	config_free(config);
	findings_clear(&findings);
	file_view_clear(&file);
	return err == E_OK ? GOOD : MISUSE;
}

/* --- asking ---------------------------------------------------------------------------------- */

static int unreached(const char *path, const char *what, const char *remedy)
{
	(void)fprintf(stderr, "signetctl: %s: %s%s\n", path, what, remedy);
	return UNREACHED;
}

static int unreached_errno(const char *path)
{
	int failed = errno;
	const char *remedy = "";
	if (failed == ENOENT) {
		remedy = "; does signetd run, with this path in server.control?";
	} else if (failed == ECONNREFUSED) {
		remedy = "; signetd has ended";
	} else if (failed == EACCES) {
		remedy = "; only server.user, server.group and root may ask";
	} else if (failed == EAGAIN || failed == EWOULDBLOCK) {
		return unreached(path, "no answer in time",
				 "; what was asked for may still be done");
	}
	return unreached(path, strerror(failed), remedy);
}

/* GOOD, or the exit status. */
static int connect_to(const char *path, int64_t timeout_s, int *out)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const struct timeval timeout = { .tv_sec = timeout_s };
	if (strlen(path) >= sizeof(a.sun_path)) {
		return unreached(path, "too long for the path of a socket", "");
	}
	memcpy(a.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0 ||
	    connect(fd, (const struct sockaddr *)(const void *)&a, sizeof(a)) != 0) {
		int status = unreached_errno(path);
		if (fd >= 0) {
			(void)close(fd);
		}
		return status;
	}
	*out = fd;
	return GOOD;
}

/* The request, as server/control.h has it. */
static int make_request(const struct options *o, struct buf *out)
{
	buf_str(out, o->json ? "json" : "text");
	buf_char(out, '\0');
	for (size_t i = 0; i < o->count; i++) {
		if (strchr(o->words[i], '\n') != NULL) {
			return misuse("an argument cannot hold the end of a line");
		}
		buf_add(out, o->words[i], strlen(o->words[i]) + 1);
	}
	buf_char(out, '\n');
	if (out->len > CONTROL_REQUEST_MAX || o->count + 1 > CONTROL_WORDS_MAX) {
		return misuse("there are too many arguments");
	}
	return GOOD;
}

/* All that the server says, until it closes. */
static int receive(const char *path, int fd, struct buf *out)
{
	ssize_t n;
	do {
		char *to = buf_reserve(out, 65536);
		n = recv(fd, to, 65536, 0);
		if (n > 0) {
			buf_grew(out, (size_t)n);
		}
	} while ((n > 0 && out->len < ANSWER_MAX) || (n < 0 && errno == EINTR));
	return n < 0 ? unreached_errno(path) : GOOD;
}

static int send_all(const char *path, int fd, const struct buf *request)
{
	size_t sent = 0;
	while (sent < request->len) {
		ssize_t n = send(fd, request->data + sent, request->len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR) {
			return unreached_errno(path);
		}
		sent += n > 0 ? (size_t)n : 0;
	}
	return GOOD;
}

/* Takes the first line off: *status, and where the rest begins; NULL: this is no whole answer. */
static const char *answer_body(const struct buf *answer, uint32_t *status, size_t *len)
{
	const char *end = answer->len != 0 ? memchr(answer->data, '\n', answer->len) : NULL;
	const char *space =
		end != NULL ? memchr(answer->data, ' ', (size_t)(end - answer->data)) : NULL;
	uint64_t said;
	if (space == NULL || end - answer->data > HEAD_MAX ||
	    text_to_u32(answer->data, (size_t)(space - answer->data), MISUSE, status) != E_OK ||
	    text_to_u64(space + 1, (size_t)(end - space - 1), ANSWER_MAX, &said) != E_OK) {
		return NULL;
	}
	*len = answer->len - (size_t)(end + 1 - answer->data);
	return *len == said ? end + 1 : NULL;
}

static int ask(const struct options *o, const char *path)
{
	struct buf request = { 0 }, answer = { 0 };
	int fd = -1;
	uint32_t said;
	size_t len;
	int status = make_request(o, &request);
	if (status == GOOD) {
		status = connect_to(path, o->timeout_s, &fd);
	}
	if (status == GOOD) {
		status = send_all(path, fd, &request);
	}
	if (status == GOOD) {
		status = receive(path, fd, &answer);
	}
	if (status == GOOD) {
		const char *body = answer_body(&answer, &said, &len);
		if (body == NULL) {
			status = unreached(path, "the server ended before it had answered", "");
		} else {
			bool good = said == GOOD || o->json;
			(void)fputs(good ? "" : "signetctl: ", stderr);
			(void)fwrite(body, 1, len, good ? stdout : stderr);
			status = (int)said;
		}
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	buf_clear(&request);
	buf_clear(&answer);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { .timeout_s = 60 };
	struct buf path = { 0 };
	struct errmsg em;
	program_begin("signetctl");
	int status = parse_options(&o, argc, argv);
	if (status != GOOD) {
		return status < 0 ? GOOD : status;
	}
	if (strcmp(o.words[0], "help") == 0) {
		return help(o.words, o.count);
	}
	if (command_find(o.words, o.count, &em) == NULL) {
		return misuse(em.text);
	}
	if (o.socket != NULL) {
		buf_str(&path, o.socket);
	} else {
		status = socket_of(o.config != NULL ? o.config : CONFIG_PATH_DEFAULT,
				   o.config == NULL, &path);
	}
	if (status == GOOD) {
		status = ask(&o, path.data);
	}
	buf_clear(&path);
	return status;
}

/* test/unit/server/control_test.c - the control socket: protocol, hostile and slow clients, sockets in the way. */
#include "server/control.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/clock.h"
#include "test/unit/unit.h"
#include "zones/base/mem.h"

#define PATIENCE_MS 500

static char dir[] = "/tmp/signet-control-XXXXXX";
static struct loop *loop;
static struct control *control;
static struct errmsg em;

/* Requests that "later" has left, to be answered by the test. */
static struct control_request *waiting[4];
static size_t waiting_count;

/* "say" repeats its arguments, "later" waits. */
static void run(void *arg, struct control_request *r)
{
	ck_assert_ptr_eq(arg, &waiting);
	ck_assert_uint_eq(r->uid, geteuid());
	if (strcmp(r->words[0], "later") == 0) {
		ck_assert_uint_lt(waiting_count, 4);
		waiting[waiting_count++] = r;
		return;
	}
	for (size_t i = 1; i < r->count && strcmp(r->words[0], "say") == 0; i++) {
		report_text(r->report, "argument", r->words[i]);
	}
	report_number(r->report, "count", r->count);
	control_reply(r, strcmp(r->words[0], "fail") == 0 ? CONTROL_FAILED : CONTROL_DONE, "%s",
		      r->words[0]);
}

static int open_control(struct control **out)
{
	const struct control_options o = { .path = "control",
					   .uid = geteuid(),
					   .gid = getegid(),
					   .run = run,
					   .arg = &waiting,
					   .patience_ms = PATIENCE_MS };
	return control_new(loop, &o, out, &em);
}

static void setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(loop_new(&loop), E_OK);
	ck_assert_msg(open_control(&control) == E_OK, "%s", em.text);
}

static void teardown(void)
{
	control_free(control);
	control = NULL;
	loop_free(loop);
	loop = NULL;
	(void)unlink("control");
	(void)!chdir("/");
	(void)rmdir(dir);
}

/* --- clients --------------------------------------------------------------------------------- */

static int client(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "control" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)(void *)&a, sizeof(a)), 0);
	return fd;
}

/* What there is to do is done. */
static void turn(void)
{
	for (int i = 0; i < 20; i++) {
		(void)event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
	}
}

static void send_octets(int fd, const char *data, size_t len)
{
	ck_assert_int_eq(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
	turn();
}

#define send_request(fd, text) send_octets(fd, text, sizeof(text) - 1)

/* What can be read now; @ended: and nothing will follow. */
static const char *received(int fd, bool *ended)
{
	static char text[8192];
	size_t len = 0;
	ssize_t n;
	do {
		n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len < sizeof(text) - 1);
	*ended = n == 0 || (n < 0 && errno != EAGAIN);
	text[len] = '\0';
	return text;
}

/* The whole answer. */
static const char *answer(int fd)
{
	bool ended;
	const char *text = received(fd, &ended);
	ck_assert_msg(ended, "the connection stays open: %s", text);
	(void)close(fd);
	return text;
}

static bool is_open(int fd)
{
	bool ended;
	ck_assert_str_eq(received(fd, &ended), "");
	return !ended;
}

START_TEST(answers)
{
	int fd = client();
	send_request(fd, "text\0say\0hello\0\n");
	ck_assert_str_eq(answer(fd), "0 29\nsay\nargument: hello\ncount: 2\n");
	fd = client();
	send_request(fd, "json\0fail\0\n");
	ck_assert_str_eq(
		answer(fd),
		"1 56\n{\"status\":\"failed\",\"message\":\"fail\",\"data\":{\"count\":1}}\n");
	/* An empty argument is one, and octets come as they like. */
	fd = client();
	send_request(fd, "te");
	send_request(fd, "xt\0say\0");
	send_request(fd, "\0");
	ck_assert(is_open(fd));
	send_request(fd, "\n");
	ck_assert_str_eq(answer(fd), "0 24\nsay\nargument: \ncount: 2\n");
}
END_TEST

START_TEST(what_is_no_request)
{
#define ROW(text, why)                                                                             \
 {                                                                                                 \
  text, sizeof(text) - 1, why                                                                      \
 }
	static const struct {
		const char *request;
		size_t len;
		const char *why;
	} rows[] = {
		ROW("\n", "syntax error"),
		ROW("\0\n", "syntax error"),
		ROW("text\n", "syntax error"),
		ROW("text\0\n", "syntax error"),
		ROW("text\0say\n", "syntax error"),
		ROW("xml\0say\0\n", "syntax error"),
		ROW("TEXT\0say\0\n", "syntax error"),
		ROW("text\0say\0\nmore", "octets left over at the end"),
		ROW("text\0say\0\n\n", "octets left over at the end"),
		ROW("GET / HTTP/1.1\r\n\r\n", "octets left over at the end"),
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char whole[200];
		int fd = client();
		send_octets(fd, rows[i].request, rows[i].len);
		(void)snprintf(whole, sizeof(whole), "2 %zu\nthis is no request: %s\n",
			       strlen(rows[i].why) + 21, rows[i].why);
		ck_assert_str_eq(answer(fd), whole);
	}
	ck_assert_uint_eq(waiting_count, 0);
}
END_TEST

START_TEST(limits_of_a_request)
{
	char text[CONTROL_REQUEST_MAX + 1];
	int fd = client();
	/* The longest there is. */
	memset(text, 'a', sizeof(text));
	memcpy(text, "text\0say", 9);
	memcpy(text + CONTROL_REQUEST_MAX - 2, "\0\n", 2);
	send_octets(fd, text, CONTROL_REQUEST_MAX);
	ck_assert_ptr_nonnull(strstr(answer(fd), "count: 2\n"));
	/* One octet more has no end where it should. */
	fd = client();
	memcpy(text + CONTROL_REQUEST_MAX - 2, "a\0\n", 3);
	send_octets(fd, text, CONTROL_REQUEST_MAX + 1);
	ck_assert_str_eq(answer(fd), "2 39\nthe request is longer than 4096 octets\n");
	/* As many words as there may be, and one more. */
	for (size_t words = CONTROL_WORDS_MAX - 1; words <= CONTROL_WORDS_MAX; words++) {
		size_t len = 5;
		memcpy(text, "text", 5);
		for (size_t i = 0; i < words; i++) {
			memcpy(text + len, "w", 2);
			len += 2;
		}
		text[len++] = '\n';
		fd = client();
		send_octets(fd, text, len);
		ck_assert_int_eq(*answer(fd), words < CONTROL_WORDS_MAX ? '0' : '2');
	}
}
END_TEST

START_TEST(answered_later)
{
	int fd = client(), other = client();
	send_request(fd, "text\0later\0\n");
	ck_assert_uint_eq(waiting_count, 1);
	ck_assert(is_open(fd));
	/* Meanwhile others are served. */
	send_request(other, "text\0say\0\n");
	ck_assert_str_eq(answer(other), "0 13\nsay\ncount: 1\n");
	usleep(2 * PATIENCE_MS * 1000); /* who waits is not cut off */
	turn();
	ck_assert(is_open(fd));
	report_text(waiting[0]->report, "a", "b");
	control_reply(waiting[0], CONTROL_FAILED, "at last");
	/* Written at once, without a turn of the loop. */
	ck_assert_str_eq(answer(fd), "1 13\nat last\na: b\n");
}
END_TEST

START_TEST(who_has_gone)
{
	int fd = client();
	send_request(fd, "text\0later\0\n");
	(void)close(fd);
	turn();
	ck_assert_ptr_null(waiting[0]->client);
	control_reply(waiting[0], CONTROL_DONE, "nobody there");
	/* Who goes on talking is as good as gone. */
	fd = client();
	send_request(fd, "text\0later\0\n");
	send_request(fd, "x");
	ck_assert(!is_open(fd));
	control_reply(waiting[1], CONTROL_DONE, "nobody there");
	(void)close(fd);
	/* And so is everybody at the end. */
	fd = client();
	send_request(fd, "text\0later\0\n");
	control_free(control);
	control = NULL;
	ck_assert(!is_open(fd));
	control_reply(waiting[2], CONTROL_DONE, "nobody there");
	(void)close(fd);
}
END_TEST

START_TEST(who_asks_too_slowly)
{
	int silent = client(), slow = client();
	for (int i = 0; i < 8; i++) { /* an octet now and then does not help */
		if (send(slow, "t", 1, MSG_NOSIGNAL) < 0) {
			break;
		}
		turn();
		usleep(PATIENCE_MS * 1000 / 4);
	}
	turn();
	ck_assert(!is_open(silent));
	ck_assert(!is_open(slow));
	(void)close(silent);
	(void)close(slow);
}
END_TEST

#define BIG 1000000 /* more than the system keeps for a client */

/* To the request that came last. The time to take it begins when it is made. */
static void answer_big(void)
{
	struct control_request *r = waiting[--waiting_count];
	char *text = mem_alloc(BIG + 1);
	memset(text, 'x', BIG);
	text[BIG] = '\0';
	report_text(r->report, "big", text);
	mem_free(text);
	control_reply(r, CONTROL_DONE, "%s", "");
}

/* Takes some now and then, till the end; *len: octets. False: a machine with too much to do has let more time pass in between
 * than a client has. */
static bool take_slowly(int fd, size_t *len)
{
	static char taken[50000];
	const int64_t start = clock_ms();
	int64_t before = start;
	bool in_time = true;
	for (*len = 0;;) {
		ssize_t n = recv(fd, taken, sizeof(taken), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			break;
		}
		*len += n > 0 ? (size_t)n : 0;
		turn();
		in_time = in_time && clock_ms() - before < PATIENCE_MS;
		before = clock_ms();
		usleep(PATIENCE_MS * 1000 / 8);
	}
	ck_assert(*len < BIG || before - start > 2 * PATIENCE_MS);
	return in_time;
}

/* It gets it all, however long that takes. */
START_TEST(who_takes_slowly)
{
	size_t len = 0;
	bool in_time = false;
	for (int tries = 0; !in_time && tries < 20; tries++) {
		int fd = client();
		send_request(fd, "text\0later\0\n");
		answer_big();
		in_time = take_slowly(fd, &len) || len > BIG;
		(void)close(fd);
		turn();
	}
	ck_assert_msg(len > BIG, "cut off after %zu%s", len, in_time ? "" : ", too late each time");
}
END_TEST

START_TEST(who_takes_nothing)
{
	static char taken[50000];
	int dead = client(), other;
	size_t len = 0;
	ssize_t n;
	send_request(dead, "text\0later\0\n");
	answer_big();
	/* Another is served meanwhile. */
	other = client();
	send_request(other, "text\0say\0\n");
	ck_assert_str_eq(answer(other), "0 13\nsay\ncount: 1\n");
	usleep(2 * PATIENCE_MS * 1000);
	turn();
	while ((n = recv(dead, taken, sizeof(taken), 0)) > 0) {
		len += (size_t)n;
	}
	ck_assert_int_eq(n, 0);
	ck_assert_uint_lt(len, BIG);
	(void)close(dead);
}
END_TEST

START_TEST(many_clients)
{
	int fds[CONTROL_CLIENTS_MAX];
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = client();
		turn();
	}
	int late = client();
	send_request(late, "text\0say\0\n");
	ck_assert(is_open(late)); /* it waits */
	(void)close(fds[0]);
	turn();
	ck_assert_str_eq(answer(late), "0 13\nsay\ncount: 1\n");
	for (size_t i = 1; i < ARRAY_LEN(fds); i++) {
		ck_assert(is_open(fds[i]));
		(void)close(fds[i]);
	}
	turn();
}
END_TEST

/* --- the socket ------------------------------------------------------------------------------ */

START_TEST(whose_it_is)
{
	struct stat st;
	ck_assert_int_eq(lstat("control", &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	ck_assert_uint_eq(st.st_uid, geteuid());
	ck_assert_uint_eq(st.st_gid, getegid());
	control_free(control);
	control = NULL;
	ck_assert_int_ne(lstat("control", &st), 0);
	control_free(NULL);
}
END_TEST

START_TEST(of_a_living_server)
{
	struct control *second;
	char text[200];
	ck_assert_int_eq(open_control(&second), E_EXIST);
	(void)snprintf(
		text, sizeof(text),
		"control: another server answers there, process %ld; stop it, or choose another path",
		(long)getpid());
	ck_assert_str_eq(em.text, text);
	/* Which was not disturbed. */
	int fd = client();
	send_request(fd, "text\0say\0\n");
	ck_assert_str_eq(answer(fd), "0 13\nsay\ncount: 1\n");
}
END_TEST

START_TEST(of_a_dead_server)
{
	struct control *again;
	struct stat before, after;
	control_free(control);
	control = NULL;
	pid_t pid = fork();
	if (pid == 0) {
		_exit(open_control(&again) == E_OK ? 0 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(lstat("control", &before), 0);
	ck_assert_msg(open_control(&control) == E_OK, "%s", em.text);
	int fd = client();
	send_request(fd, "text\0say\0\n");
	ck_assert_str_eq(answer(fd), "0 13\nsay\ncount: 1\n");
	/* One that another has made since stays. */
	ck_assert_int_eq(unlink("control"), 0);
	ck_assert_int_eq(open_control(&again), E_OK);
	control_free(control);
	control = again;
	ck_assert_int_eq(lstat("control", &after), 0);
}
END_TEST

START_TEST(what_is_in_the_way)
{
	struct control *second;
	control_free(control);
	control = NULL;
	FILE *f = fopen("control", "w");
	ck_assert_ptr_nonnull(f);
	(void)fclose(f);
	ck_assert_int_eq(open_control(&second), E_EXIST);
	ck_assert_str_eq(em.text, "control is no socket; move it out of the way");
	ck_assert_int_eq(unlink("control"), 0);
	const struct control_options nowhere = { .path = "nowhere/control", .run = run };
	ck_assert_int_eq(control_new(loop, &nowhere, &second, &em), E_NOENT);
	ck_assert_str_eq(em.text,
			 "nowhere/control: cannot make a socket: No such file or directory");
	char path[200];
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	const struct control_options longer = { .path = path, .run = run };
	ck_assert_int_eq(control_new(loop, &longer, &second, &em), E_RANGE);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("control");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, answers);
	tcase_add_test(tc, what_is_no_request);
	tcase_add_test(tc, limits_of_a_request);
	tcase_add_test(tc, answered_later);
	tcase_add_test(tc, who_has_gone);
	tcase_add_test(tc, who_asks_too_slowly);
	tcase_add_test(tc, who_takes_slowly);
	tcase_add_test(tc, who_takes_nothing);
	tcase_add_test(tc, many_clients);
	tcase_add_test(tc, whose_it_is);
	tcase_add_test(tc, of_a_living_server);
	tcase_add_test(tc, of_a_dead_server);
	tcase_add_test(tc, what_is_in_the_way);
	return unit_run("server/control", tc);
}

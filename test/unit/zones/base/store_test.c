/* test/unit/zones/base/store_test.c - transactions against a naive model; files that are none; full disks. */
#include "zones/base/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/unit.h"
#include "zones/base/mem.h"

#define SIZE ((size_t)8 << 20)

/* The pages that name the others: LMDB writes one last, and does not go on when it cannot. */
#define HEADS 8192

static unsigned broken_heads; /* so many writes of them fail */

ssize_t pwrite(int fd, const void *data, size_t len, off_t at);

/* In the place of the C library's. */
ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (at < HEADS && broken_heads != 0) {
		broken_heads--;
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, len, at);
}

static char dir[] = "/tmp/store_test.XXXXXX";
static char path[sizeof(dir) + 16];

static void setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s.mdb", dir);
}

static void teardown(void)
{
	static const char *const names[] = { "s.mdb", "s.mdb-lock", "s.mdb.damaged" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char p[sizeof(path) + 16];
		(void)snprintf(p, sizeof(p), "%s/%s", dir, names[i]);
		(void)unlink(p);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct store *open_store(size_t size)
{
	struct store *s = NULL;
	struct errmsg em;
	ck_assert_msg(store_open(&s, path, size, STORE_WRITE, &em) == E_OK, "%s", em.text);
	return s;
}

static struct store_txn *begin(struct store *s, enum store_mode mode)
{
	struct store_txn *t = NULL;
	struct errmsg em;
	ck_assert_msg(store_begin(s, mode, &t, &em) == E_OK, "%s", em.text);
	return t;
}

static void commit(struct store_txn *t)
{
	struct errmsg em;
	ck_assert_msg(store_commit(t, &em) == E_OK, "%s", em.text);
}

/* --- the model: 64 keys of one letter or two ------------------------------------------------- */

#define KEYS 64

struct model {
	int value[KEYS]; /* 0: not there */
};

static size_t key_of(unsigned i, char out[2])
{
	out[0] = (char)('a' + i / 8);
	out[1] = (char)('a' + i % 8 - 1);
	return i % 8 == 0 ? 1 : 2; /* in order: a aa ab .. b ba */
}

struct seen {
	const struct model *m;
	unsigned next; /* the key that should come */
	unsigned stop;
};

static int see(void *arg, struct store_octets key, struct store_octets value)
{
	struct seen *s = arg;
	char want[2];
	while (s->next < KEYS && s->m->value[s->next] == 0) {
		s->next++;
	}
	ck_assert_uint_lt(s->next, s->stop);
	ck_assert_uint_eq(key.len, key_of(s->next, want));
	ck_assert_mem_eq(key.data, want, key.len);
	ck_assert_uint_eq(value.len, sizeof(int));
	ck_assert_mem_eq(value.data, &s->m->value[s->next], sizeof(int));
	s->next++;
	return E_OK;
}

static void check_equal(struct store_txn *t, const struct model *m, struct unit_random *r)
{
	struct seen s = { m, 0, KEYS };
	ck_assert_int_eq(store_each(t, (struct store_octets){ NULL, 0 }, NULL, see, &s), E_OK);
	for (; s.next < KEYS; s.next++) {
		ck_assert_int_eq(m->value[s.next], 0);
	}
	/* those below one letter, from one of them on */
	unsigned letter = unit_random_below(r, 8);
	unsigned first = letter * 8 + unit_random_below(r, 8);
	char prefix[2];
	char from[2];
	(void)key_of(letter * 8, prefix);
	const struct store_octets p = { (const uint8_t *)prefix, 1 };
	const struct store_octets f = { (const uint8_t *)from, key_of(first, from) };
	s = (struct seen){ m, first, letter * 8 + 8 };
	ck_assert_int_eq(store_each(t, p, &f, see, &s), E_OK);
	for (; s.next < letter * 8 + 8; s.next++) {
		ck_assert_int_eq(m->value[s.next], 0);
	}
	/* neighbours */
	unsigned next = first;
	while (next < KEYS && m->value[next] == 0) {
		next++;
	}
	unsigned before = first;
	while (before != 0 && m->value[before - 1] == 0) {
		before--;
	}
	struct store_octets k;
	struct store_octets v;
	ck_assert_int_eq(store_find(t, f.data, f.len, &k, &v), next < KEYS ? E_OK : E_NOENT);
	if (next < KEYS) {
		ck_assert_mem_eq(v.data, &m->value[next], sizeof(int));
	}
	ck_assert_int_eq(store_find_before(t, f.data, f.len, &k, &v), before != 0 ? E_OK : E_NOENT);
	if (before != 0) {
		ck_assert_mem_eq(v.data, &m->value[before - 1], sizeof(int));
	}
	ck_assert_int_eq(store_get(t, f.data, f.len, &v), m->value[first] != 0 ? E_OK : E_NOENT);
}

static int count_one(void *arg, struct store_octets key, struct store_octets value)
{
	(void)key;
	(void)value;
	++*(unsigned *)arg;
	return E_OK;
}

static void change(struct store_txn *t, struct model *m, struct unit_random *r)
{
	char key[2];
	char to[2];
	unsigned i = unit_random_below(r, KEYS);
	size_t len = key_of(i, key);
	switch (unit_random_below(r, 8)) {
	case 0:
		store_delete(t, key, len);
		m->value[i] = 0;
		break;
	case 1: {
		unsigned k = i + unit_random_below(r, 12);
		k = k < KEYS ? k : KEYS - 1;
		store_delete_range(t, key, len, to, key_of(k, to));
		for (; i < k; i++) {
			m->value[i] = 0;
		}
		break;
	}
	default:
		m->value[i] = (int)unit_random_below(r, 1000) + 1;
		store_put(t, key, len, &m->value[i], sizeof(int));
		break;
	}
}

START_TEST(random_transactions_equal_the_model)
{
	struct unit_random r = { (uint64_t)_i + 1 };
	struct model now = { 0 };
	struct store *s = open_store(SIZE);
	for (unsigned round = 0; round < 60; round++) {
		struct model next = now;
		struct store_txn *t = begin(s, STORE_WRITE);
		for (unsigned k = unit_random_below(&r, 40); k != 0; k--) {
			change(t, &next, &r);
		}
		check_equal(t, &next, &r);
		if (unit_random_below(&r, 3) == 0) {
			store_abort(t);
		} else {
			struct store_txn *reader = begin(s, STORE_READ);
			commit(t);
			check_equal(reader, &now, &r); /* it sees what it saw */
			store_abort(reader);
			now = next;
		}
		if (unit_random_below(&r, 5) == 0) {
			store_close(s);
			s = open_store(SIZE);
		}
		t = begin(s, STORE_READ);
		check_equal(t, &now, &r);
		store_abort(t);
	}
	store_close(s);
}
END_TEST

START_TEST(only_the_owner_reads_it)
{
	struct stat st;
	store_close(open_store(SIZE));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(a_full_store_refuses_and_keeps_what_it_has)
{
	static uint8_t value[3000];
	struct store *s = open_store((size_t)1 << 20);
	struct store_txn *t = begin(s, STORE_WRITE);
	struct errmsg em = { "" };
	store_put(t, "a", 1, "1", 1);
	commit(t);
	t = begin(s, STORE_WRITE);
	for (unsigned i = 0; i < 2000; i++) {
		store_put(t, &i, sizeof(i), value, sizeof(value));
	}
	struct store_octets v;
	ck_assert_int_eq(store_get(t, "a", 1, &v), E_DISKFULL); /* sticky */
	ck_assert_int_eq(store_commit(t, &em), E_DISKFULL);
	ck_assert_ptr_nonnull(strstr(em.text, "old history must go"));
	t = begin(s, STORE_WRITE);
	ck_assert_int_eq(store_get(t, "a", 1, &v), E_OK);
	store_put(t, "b", 1, "2", 1);
	commit(t);
	store_close(s);
}
END_TEST

START_TEST(a_full_disk_refuses_and_service_goes_on)
{
	static uint8_t value[3000];
	struct store *s = open_store(SIZE);
	struct store_txn *t = begin(s, STORE_WRITE);
	struct errmsg em = { "" };
	store_put(t, "a", 1, "1", 1);
	commit(t);
	struct rlimit old;
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	const struct rlimit small = { (rlim_t)256 << 10, old.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	t = begin(s, STORE_WRITE);
	for (unsigned i = 0; i < 200; i++) {
		store_put(t, &i, sizeof(i), value, sizeof(value));
	}
	int err = store_commit(t, &em); /* E_IO where some of a piece fitted: LMDB cannot tell */
	ck_assert_msg(err == E_DISKFULL || err == E_IO, "%d", err);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	struct store_octets v;
	t = begin(s, STORE_WRITE);
	ck_assert_int_eq(store_get(t, "a", 1, &v), E_OK);
	store_put(t, "b", 1, "2", 1);
	commit(t);
	store_close(s);
	s = open_store(SIZE);
	t = begin(s, STORE_READ);
	ck_assert_int_eq(store_get(t, "b", 1, &v), E_OK);
	store_abort(t);
	store_close(s);
}
END_TEST

static void damage(const void *octets, size_t len, off_t at, off_t cut)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, octets, len, at), (ssize_t)len);
	if (cut >= 0) {
		ck_assert_int_eq(ftruncate(fd, cut), 0);
	}
	ck_assert_int_eq(close(fd), 0);
}

static void fill(void)
{
	static uint8_t value[3000];
	struct store *s = open_store(SIZE);
	for (unsigned k = 0; k < 4; k++) {
		struct store_txn *t = begin(s, STORE_WRITE);
		for (unsigned i = 0; i < 100; i++) {
			store_put(t, &i, sizeof(i), value, sizeof(value));
		}
		commit(t);
	}
	store_close(s);
}

/* LMDB wants to be opened again then; who uses the store need not know. */
START_TEST(a_failed_head_is_not_the_end)
{
	struct errmsg em = { "" };
	struct store_octets value;
	struct store *s = open_store(SIZE);
	struct store_txn *t = begin(s, STORE_WRITE);
	store_put(t, "a", 1, "1", 1);
	commit(t);
	for (int i = 0; i < 3; i++) {
		t = begin(s, STORE_WRITE);
		store_put(t, "b", 1, "2", 1);
		broken_heads = 1;
		ck_assert_int_eq(store_commit(t, &em), E_IO);
		ck_assert_ptr_nonnull(strstr(em.text, path));
		t = begin(s, i == 0 ? STORE_READ : STORE_WRITE);
		ck_assert_int_eq(store_get(t, "a", 1, &value), E_OK);
		ck_assert_int_eq(store_get(t, "b", 1, &value), E_NOENT);
		store_abort(t);
	}
	/* Who still reads keeps it open: later, then. */
	struct store_txn *reader = begin(s, STORE_READ);
	t = begin(s, STORE_WRITE);
	store_put(t, "b", 1, "2", 1);
	broken_heads = 1;
	ck_assert_int_eq(store_commit(t, &em), E_IO);
	ck_assert_int_eq(store_begin(s, STORE_WRITE, &t, &em), E_IO);
	ck_assert_int_eq(store_get(reader, "a", 1, &value), E_OK);
	store_abort(reader);
	t = begin(s, STORE_WRITE);
	store_put(t, "b", 1, "2", 1);
	commit(t);
	t = begin(s, STORE_READ);
	ck_assert_int_eq(store_get(t, "b", 1, &value), E_OK);
	store_abort(t);
	store_close(s);
}
END_TEST

START_TEST(what_is_no_store_is_moved_aside)
{
	static uint8_t junk[8192];
	struct store *s = NULL;
	struct errmsg em = { "" };
	memset(junk, 'x', sizeof(junk));
	switch (_i) {
	case 0:
		damage(junk, sizeof(junk), 0, -1);
		break;
	case 1:
		damage(junk, 100, 0, -1);
		break;
	case 2: /* both heads overwritten */
		fill();
		damage(junk, sizeof(junk), 0, -1);
		break;
	case 3: /* cut in the middle */
		fill();
		damage("", 0, 0, 64 << 10);
		break;
	default: /* cut by an octet behind its heads */
		fill();
		damage("", 0, 0, 8191);
		break;
	}
	ck_assert_int_eq(store_open(&s, path, SIZE, STORE_WRITE, &em), E_DAMAGED);
	ck_assert_ptr_null(s);
	ck_assert_ptr_nonnull(strstr(em.text, path));
	ck_assert_int_eq(store_move_aside(path, &em), E_OK);
	store_close(open_store(SIZE));
	ck_assert_int_eq(store_move_aside(path, &em), E_OK); /* takes the place of the one before */
	ck_assert_int_eq(store_move_aside(path, &em), E_NOENT);
	ck_assert_ptr_nonnull(strstr(em.text, "rename"));
}
END_TEST

/* Octets overwritten anywhere: what the probe finds sound can be read to its end by this process. */
START_TEST(the_probe_dies_instead_of_us)
{
	struct unit_random r = { (uint64_t)_i + 1 };
	struct errmsg em = { "" };
	struct stat st;
	ck_assert_int_eq(store_probe(path, &em), E_OK); /* not there */
	unsigned damaged = 0;
	for (unsigned round = 0; round < 40; round++) {
		(void)unlink(path);
		struct store *s = open_store(SIZE);
		for (uint32_t i = 0; i < 400; i++) {
			struct store_txn *t = begin(s, STORE_WRITE);
			for (uint32_t k = 0; k < 50; k++, i++) {
				store_put(t, &i, sizeof(i), dir, sizeof(dir));
			}
			commit(t);
		}
		store_close(s);
		ck_assert_int_eq(store_probe(path, &em), E_OK);
		ck_assert_int_eq(stat(path, &st), 0);
		for (unsigned k = 0; k < 400; k++) {
			uint8_t octet = (uint8_t)unit_random_next(&r);
			damage(&octet, 1, (off_t)unit_random_below(&r, (uint32_t)st.st_size), -1);
		}
		if (store_probe(path, &em) != E_OK) {
			ck_assert_ptr_nonnull(strstr(em.text, path));
			damaged++;
			continue;
		}
		if (store_open(&s, path, SIZE, STORE_READ, &em) == E_OK) {
			unsigned count = 0;
			struct store_txn *t = begin(s, STORE_READ);
			ck_assert_int_eq(store_each(t, (struct store_octets){ NULL, 0 }, NULL,
						    count_one, &count),
					 E_OK);
			store_abort(t);
			store_close(s);
		}
	}
	ck_assert_uint_ne(damaged, 0);
}
END_TEST

/* That there are no descriptors left, or that somebody ends the process, says nothing of the file. */
START_TEST(the_probe_blames_no_file_that_it_cannot_read)
{
	struct errmsg em = { "" };
	struct rlimit old;
	struct rlimit none;
	store_close(open_store(SIZE));
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ 3, old.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	int err = store_probe(path, &em);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_int_eq(err, E_OK);
}
END_TEST

START_TEST(what_cannot_be_opened)
{
	struct store *s = NULL;
	struct errmsg em = { "" };
	ck_assert_int_eq(store_open(&s, "/tmp/is/not/there", SIZE, STORE_WRITE, &em), E_NOENT);
	ck_assert_int_eq(store_open(&s, path, SIZE, STORE_READ, &em), E_NOENT);
	fill();
	ck_assert_int_eq(store_open(&s, path, SIZE, STORE_READ, &em), E_OK);
	struct store_txn *t = NULL;
	ck_assert_int_eq(store_begin(s, STORE_WRITE, &t, &em), E_PERM);
	ck_assert_ptr_null(t);
	store_close(s);
}
END_TEST

/* A child commits without an end and says when each commit is done; killed, all that it said is there. */
START_TEST(what_was_committed_survives_a_kill)
{
	int fd[2];
	ck_assert_int_eq(pipe(fd), 0);
	store_close(open_store(SIZE));
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct store *s = open_store(SIZE);
		for (uint32_t i = 0;; i++) {
			struct store_txn *t = begin(s, STORE_WRITE);
			store_put(t, "one", 3, &i, sizeof(i));
			store_put(t, "two", 3, &i, sizeof(i));
			commit(t);
			if (write(fd[1], &i, sizeof(i)) != sizeof(i)) {
				_exit(1);
			}
		}
	}
	uint32_t said = 0;
	for (int k = 0; k <= _i; k++) {
		ck_assert_int_eq(read(fd[0], &said, sizeof(said)), sizeof(said));
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(close(fd[1]), 0);
	while (read(fd[0], &said, sizeof(said)) == sizeof(said)) {
	}
	ck_assert_int_eq(close(fd[0]), 0);
	struct store *s = open_store(SIZE);
	struct store_txn *t = begin(s, STORE_READ);
	struct store_octets v;
	uint32_t one = 0;
	uint32_t two = 0;
	ck_assert_int_eq(store_get(t, "one", 3, &v), E_OK);
	memcpy(&one, v.data, sizeof(one));
	ck_assert_int_eq(store_get(t, "two", 3, &v), E_OK);
	memcpy(&two, v.data, sizeof(two));
	ck_assert_uint_eq(one, two);
	ck_assert_uint_ge(one, said);
	store_abort(t);
	store_close(s);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("store");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, random_transactions_equal_the_model, 0, 5);
	tcase_add_test(tc, only_the_owner_reads_it);
	tcase_add_test(tc, a_full_store_refuses_and_keeps_what_it_has);
	tcase_add_test(tc, a_full_disk_refuses_and_service_goes_on);
	tcase_add_test(tc, a_failed_head_is_not_the_end);
	tcase_add_loop_test(tc, what_is_no_store_is_moved_aside, 0, 5);
	tcase_add_loop_test(tc, the_probe_dies_instead_of_us, 0, 2);
	tcase_add_test(tc, what_cannot_be_opened);
	tcase_add_test(tc, the_probe_blames_no_file_that_it_cannot_read);
	if (unit_can_die()) {
		tcase_add_loop_test(tc, what_was_committed_survives_a_kill, 0, 6);
	}
	return unit_run("zones/base/store", tc);
}

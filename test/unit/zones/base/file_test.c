/* test/unit/zones/base/file_test.c - whole files in, and files out that are complete or not there. */
#include "zones/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/unit.h"
#include "zones/base/mem.h"

/* Each test works in a directory of its own. */
static char dir[] = "/tmp/signet-file-XXXXXX";

static void setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	(void)umask(022);
}

static unsigned entries(void)
{
	unsigned n = 0;
	DIR *d = opendir(".");
	while (d != NULL && readdir(d) != NULL) {
		n++;
	}
	(void)closedir(d);
	return n - 2; /* without . and .. */
}

static void teardown(void)
{
	DIR *d = opendir(dir);
	for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
		if (unlinkat(dirfd(d), e->d_name, 0) != 0) {
			(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
		}
	}
	(void)closedir(d);
	(void)!chdir("/");
	(void)rmdir(dir);
}

static void put(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

static void holds(const char *path, const char *text)
{
	struct file_view v = { 0 };
	struct errmsg em = { "" };
	ck_assert_msg(file_read(path, 1 << 20, &v, &em) == E_OK, "%s", em.text);
	ck_assert_str_eq(v.data, text);
	ck_assert_uint_eq(v.len, strlen(text));
	file_view_clear(&v);
}

/* --- reading --- */

START_TEST(files_of_all_sizes_end_in_zeros)
{
	static const size_t sizes[] = { 0,	 1,	  63,	   64,	   4095,   4096,
					4097,	 65535,	  65536,   262143, 262144, 262145,
					1000000, 1048576, 4194305, 9000000 };
	struct unit_random r = { 1 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t len = sizes[i];
		uint8_t *data = mem_alloc(len);
		for (size_t k = 0; k < len; k++) {
			data[k] = (uint8_t)unit_random_next(&r);
		}
		put("f", data, len);
		struct file_view v = { 0 };
		struct errmsg em;
		ck_assert_int_eq(file_read("f", len, &v, &em), E_OK);
		ck_assert_uint_eq(v.len, len);
		ck_assert(memcmp(v.data, data, len) == 0);
		ck_assert(unit_all_equal(v.data + len, FILE_SLACK, 0));
		file_view_clear(&v);
		ck_assert_ptr_null(v.data);
		file_view_clear(&v);
		if (len != 0) {
			ck_assert_int_eq(file_read("f", len - 1, &v, &em), E_LIMIT);
			ck_assert_ptr_nonnull(strstr(em.text, "f: larger than "));
		}
		mem_free(data);
	}
}
END_TEST

START_TEST(a_file_that_shrinks_does_no_harm)
{
	static char data[3 << 20];
	memset(data, 'x', sizeof(data));
	put("f", data, sizeof(data));
	struct file_view v = { 0 };
	ck_assert_int_eq(file_read("f", SIZE_MAX, &v, NULL), E_OK);
	ck_assert_int_eq(truncate("f", 10), 0);
	ck_assert_uint_eq(v.len, sizeof(data));
	ck_assert(unit_all_equal(v.data, v.len, 'x'));
	file_view_clear(&v);
}
END_TEST

START_TEST(what_cannot_be_read)
{
	struct file_view v = { 0 };
	struct errmsg em;
	ck_assert_int_eq(file_read("absent", 1, &v, &em), E_NOENT);
	ck_assert_str_eq(em.text, "absent: cannot open: No such file or directory; check the path");
	ck_assert_int_eq(file_read(".", 1, &v, &em), E_INVAL);
	ck_assert_str_eq(em.text, ".: is a directory; name a file");
	ck_assert_int_eq(file_read("/dev/zero", 1000000, &v, &em), E_LIMIT);
	ck_assert_int_eq(file_read("/proc/self/mem", 1000000, &v, &em), E_IO);
	ck_assert_int_eq(file_read("absent", 1, &v, NULL), E_NOENT);
	ck_assert_ptr_null(v.data);
}
END_TEST

START_TEST(sizes_that_lie_are_read_to_the_end)
{
	struct file_view v = { 0 };
	ck_assert_int_eq(file_read("/proc/self/status", 1 << 20, &v, NULL), E_OK); /* size 0 */
	ck_assert_uint_gt(v.len, 100);
	ck_assert_ptr_nonnull(strstr(v.data, "VmRSS"));
	file_view_clear(&v);
}
END_TEST

/* A child writes @len octets into a pipe that is our standard input. */
static void feed_stdin(size_t len)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		for (size_t i = 0; i < len; i++) {
			char c = (char)('a' + i % 26);
			if (write(ends[1], &c, 1) != 1) {
				_exit(1);
			}
		}
		_exit(0);
	}
	(void)close(ends[1]);
	ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	(void)close(ends[0]);
}

START_TEST(standard_input_is_read)
{
	struct file_view v = { 0 };
	struct errmsg em;
	feed_stdin(200000);
	ck_assert_int_eq(file_read("-", 200000, &v, &em), E_OK);
	ck_assert_uint_eq(v.len, 200000);
	ck_assert_int_eq(v.data[100001], 'a' + 100001 % 26);
	ck_assert_int_eq(v.data[200000], '\0');
	file_view_clear(&v);
	feed_stdin(11);
	ck_assert_int_eq(file_read("-", 10, &v, &em), E_LIMIT);
	ck_assert_str_eq(em.text, "standard input: larger than 10 octets");
	while (wait(NULL) > 0) {
	}
}
END_TEST

/* --- writing --- */

START_TEST(nothing_is_seen_before_commit)
{
	struct file_out f;
	put("f", "old", 3);
	ck_assert_int_eq(file_out_open(&f, "f", 0644, NULL), E_OK);
	file_out_write(&f, "ne", 2);
	file_out_write(&f, "", 0);
	file_out_write(&f, "w\n", 2);
	holds("f", "old");
	ck_assert_uint_eq(entries(), 2);
	ck_assert_int_eq(file_out_commit(&f, NULL), E_OK);
	holds("f", "new\n");
	ck_assert_uint_eq(entries(), 1);
	file_out_abort(&f); /* already over */

	ck_assert_int_eq(file_out_open(&f, "f", 0644, NULL), E_OK);
	file_out_write(&f, "other", 5);
	file_out_abort(&f);
	holds("f", "new\n");
	ck_assert_uint_eq(entries(), 1);
	f = (struct file_out){ 0 };
	file_out_abort(&f);
}
END_TEST

START_TEST(modes_and_the_umask_count)
{
	static const struct {
		mode_t mask, mode, want;
	} rows[] = { { 022, 0644, 0644 },
		     { 022, 0600, 0600 },
		     { 077, 0644, 0600 },
		     { 027, 0664, 0640 },
		     { 0, 0644, 0644 } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stat st;
		(void)umask(rows[i].mask);
		ck_assert_int_eq(file_write("f", rows[i].mode, "x", 1, NULL), E_OK);
		ck_assert_int_eq(stat("f", &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, rows[i].want);
	}
}
END_TEST

START_TEST(links_and_devices_stay_what_they_are)
{
	struct stat st;
	struct errmsg em;
	put("target", "old", 3);
	ck_assert_int_eq(symlink("target", "link"), 0);
	ck_assert_int_eq(file_write("link", 0644, "new", 3, NULL), E_OK);
	ck_assert_int_eq(lstat("link", &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	holds("target", "new");

	ck_assert_int_eq(file_write("/dev/null", 0644, "x", 1, NULL), E_OK);
	ck_assert_int_eq(lstat("/dev/null", &st), 0);
	ck_assert(S_ISCHR(st.st_mode));
	ck_assert_int_eq(file_write("/dev/full", 0644, "x", 1, &em), E_DISKFULL);
	ck_assert_str_eq(em.text, "/dev/full: cannot write: No space left on device; "
				  "free some space and try again");
	ck_assert_int_eq(file_write(".", 0644, "x", 1, &em), E_INVAL);
	ck_assert_str_eq(em.text, ".: is a directory; name a file");
	ck_assert_uint_eq(entries(), 2);
}
END_TEST

START_TEST(standard_output_is_written)
{
	int fd = open("out", O_WRONLY | O_CREAT, 0600);
	int kept = dup(STDOUT_FILENO);
	(void)fflush(stdout);
	ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	int first = file_write("-", 0644, "one ", 4, NULL);
	int second = file_write("-", 0644, "two", 3, NULL); /* and it is still open */
	(void)dup2(kept, STDOUT_FILENO);
	ck_assert_int_eq(first, E_OK);
	ck_assert_int_eq(second, E_OK);
	holds("out", "one two");
	(void)close(fd);
	(void)close(kept);
}
END_TEST

START_TEST(no_directory_no_file)
{
	struct errmsg em;
	ck_assert_int_eq(file_write("absent/f", 0644, "x", 1, &em), E_NOENT);
	ck_assert_str_eq(em.text, "absent/f: cannot create a file beside it: "
				  "No such file or directory; check the path");
	put("plain", "x", 1);
	ck_assert_int_eq(file_write("plain/f", 0644, "x", 1, NULL), E_NOENT);
	ck_assert_uint_eq(entries(), 1);
}
END_TEST

START_TEST(a_directory_without_permission)
{
	struct errmsg em;
	put("f", "old", 3);
	ck_assert_int_eq(chmod(".", 0555), 0);
	if (getuid() == 0) {
		ck_assert_int_eq(seteuid(65534), 0); /* root may write anywhere */
	}
	int err = file_write("f", 0644, "new", 3, &em);
	if (getuid() == 0) {
		ck_assert_int_eq(seteuid(0), 0);
	}
	ck_assert_int_eq(chmod(".", 0755), 0);
	ck_assert_int_eq(err, E_PERM);
	ck_assert_str_eq(em.text, "f: cannot create a file beside it: Permission denied; "
				  "check owner and permissions");
	holds("f", "old");
	ck_assert_uint_eq(entries(), 1);
}
END_TEST

/* The limit of a file's size stands for a disk that fills while we write. */
START_TEST(a_write_that_fails_leaves_the_old_file)
{
	static char data[50000];
	struct errmsg em;
	struct rlimit limit;
	put("f", "old", 3);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	struct rlimit small = { .rlim_cur = 20000, .rlim_max = limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	struct file_out f;
	ck_assert_int_eq(file_out_open(&f, "f", 0644, NULL), E_OK);
	for (unsigned i = 0; i < 10; i++) {
		file_out_write(&f, data, sizeof(data)); /* the first error stays */
	}
	ck_assert_int_eq(file_out_sync(&f, &em), E_IO);
	ck_assert_str_eq(em.text, "f: cannot write: File too large; raise the limit (ulimit -f)");
	int err = file_out_commit(&f, &em);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(err, E_IO);
	ck_assert_str_eq(em.text, "f: cannot write: File too large; raise the limit (ulimit -f)");
	holds("f", "old");
	ck_assert_uint_eq(entries(), 1);
}
END_TEST

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	if (fd >= 0) {
		(void)!write(fd, text, strlen(text));
		(void)close(fd);
	}
}

/* A file system of 64 KiB that nobody else sees; false where we may not. */
static bool tiny_disk(unsigned long flags)
{
	char map[32];
	unsigned uid = getuid();
	if (unshare(CLONE_NEWNS | (uid != 0 ? CLONE_NEWUSER : 0)) != 0) {
		return false;
	}
	if (uid != 0) {
		(void)snprintf(map, sizeof(map), "0 %u 1", uid);
		write_text("/proc/self/uid_map", map);
	}
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", dir, "tmpfs", flags, "size=64k") == 0 && chdir(dir) == 0;
}

START_TEST(a_full_disk_leaves_the_old_file)
{
	static char data[100000];
	struct errmsg em;
	if (!unit_can_die() || !tiny_disk(0)) {
		return; /* a process without the right to mount */
	}
	put("f", "old", 3);
	ck_assert_int_eq(file_write("f", 0644, data, sizeof(data), &em), E_DISKFULL);
	ck_assert_str_eq(em.text, "f: cannot write: No space left on device; "
				  "free some space and try again");
	holds("f", "old");
	ck_assert_uint_eq(entries(), 1);
}
END_TEST

START_TEST(a_read_only_disk_is_said_to_be_one)
{
	struct errmsg em;
	if (!unit_can_die() || !tiny_disk(MS_RDONLY)) {
		return;
	}
	ck_assert_int_eq(file_write("f", 0644, "x", 1, &em), E_PERM);
	ck_assert_str_eq(em.text, "f: cannot create a file beside it: Read-only file system; "
				  "the file system is read-only");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("file");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, files_of_all_sizes_end_in_zeros);
	tcase_add_test(tc, a_file_that_shrinks_does_no_harm);
	tcase_add_test(tc, what_cannot_be_read);
	tcase_add_test(tc, sizes_that_lie_are_read_to_the_end);
	tcase_add_test(tc, standard_input_is_read);
	tcase_add_test(tc, nothing_is_seen_before_commit);
	tcase_add_test(tc, modes_and_the_umask_count);
	tcase_add_test(tc, links_and_devices_stay_what_they_are);
	tcase_add_test(tc, standard_output_is_written);
	tcase_add_test(tc, no_directory_no_file);
	tcase_add_test(tc, a_directory_without_permission);
	tcase_add_test(tc, a_write_that_fails_leaves_the_old_file);
	tcase_add_test(tc, a_full_disk_leaves_the_old_file);
	tcase_add_test(tc, a_read_only_disk_is_said_to_be_one);
	return unit_run("zones/base/file", tc);
}

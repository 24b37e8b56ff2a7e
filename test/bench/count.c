/* test/bench/count.c - preloaded into a server (LD_PRELOAD), counts calls of the C library.
 *
 * The counters lie in a file that COUNT_FILE names and that the bench reads while the server runs: for
 * each thread a row of 64-bit numbers in the order of enum counter. What goes to the kernel without the
 * C library is not seen here; strace sees that. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define THREADS 64

/* test/bench/counts.py has the same list. */
enum counter { ALLOCATIONS, FREES, LOCKS, CLOCK_READS, RECEIVES, SENDS, WAITS, COUNTERS };

struct row {
	_Alignas(64) uint64_t counts[COUNTERS];
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static struct row *rows;
static unsigned threads;
static __thread struct row *own;
static int (*next_mutex_lock)(pthread_mutex_t *);
static int (*next_mutex_trylock)(pthread_mutex_t *);
static int (*next_read_lock)(pthread_rwlock_t *);
static int (*next_write_lock)(pthread_rwlock_t *);
static int (*next_recvmmsg)(int, struct mmsghdr *, unsigned, int, struct timespec *);
static int (*next_sendmmsg)(int, struct mmsghdr *, unsigned, int);
static int (*next_epoll_wait)(int, struct epoll_event *, int, int);
static int (*next_clock_gettime)(clockid_t, struct timespec *);
static int (*next_gettimeofday)(struct timeval *, void *);

/* Other constructors may run, and call us, before ours. */
static void count(enum counter what)
{
	if (rows == NULL) {
		return;
	}
	if (own == NULL) {
		const unsigned i = __atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED);
		own = &rows[i < THREADS ? i : THREADS - 1];
	}
	own->counts[what]++;
}

/* POSIX wants functions in void pointers to work; C only allows it this way round. */
#define FIND(function, name) (*(void **)&(function) = dlsym(RTLD_NEXT, (name)))

static void find_next(void)
{
	FIND(next_mutex_lock, "pthread_mutex_lock");
	FIND(next_mutex_trylock, "pthread_mutex_trylock");
	FIND(next_read_lock, "pthread_rwlock_rdlock");
	FIND(next_write_lock, "pthread_rwlock_wrlock");
	FIND(next_recvmmsg, "recvmmsg");
	FIND(next_sendmmsg, "sendmmsg");
	FIND(next_epoll_wait, "epoll_wait");
	FIND(next_clock_gettime, "clock_gettime");
	FIND(next_gettimeofday, "gettimeofday");
}

__attribute__((constructor)) static void begin(void)
{
	find_next();
	const char *path = getenv("COUNT_FILE");
	const int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0 || ftruncate(fd, THREADS * sizeof(struct row)) != 0) {
		fprintf(stderr, "count: COUNT_FILE: %s\n", strerror(errno));
		return;
	}
	void *map =
		mmap(NULL, THREADS * sizeof(struct row), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	rows = map != MAP_FAILED ? map : NULL;
}

/* --- memory ----------------------------------------------------------------------------------- */

void *malloc(size_t size)
{
	count(ALLOCATIONS);
	return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	count(ALLOCATIONS);
	return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size)
{
	count(ALLOCATIONS);
	return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	count(ALLOCATIONS);
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	count(ALLOCATIONS);
	*block = __libc_memalign(alignment, size);
	return *block != NULL ? 0 : ENOMEM;
}

void free(void *block)
{
	if (block != NULL) {
		count(FREES);
	}
	__libc_free(block);
}

/* --- locks -------------------------------------------------------------------------------------- */

int pthread_mutex_lock(pthread_mutex_t *m)
{
	count(LOCKS);
	if (next_mutex_lock == NULL) {
		find_next();
	}
	return next_mutex_lock(m);
}

int pthread_mutex_trylock(pthread_mutex_t *m)
{
	count(LOCKS);
	if (next_mutex_trylock == NULL) {
		find_next();
	}
	return next_mutex_trylock(m);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	count(LOCKS);
	if (next_read_lock == NULL) {
		find_next();
	}
	return next_read_lock(l);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	count(LOCKS);
	if (next_write_lock == NULL) {
		find_next();
	}
	return next_write_lock(l);
}

/* --- clocks ----------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *t)
{
	count(CLOCK_READS);
	if (next_clock_gettime == NULL) {
		find_next();
	}
	return next_clock_gettime(clock, t);
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	count(CLOCK_READS);
	if (next_gettimeofday == NULL) {
		find_next();
	}
	return next_gettimeofday(t, zone);
}

time_t time(time_t *t)
{
	struct timespec now = { 0 };
	clock_gettime(CLOCK_REALTIME, &now);
	if (t != NULL) {
		*t = now.tv_sec;
	}
	return now.tv_sec;
}

/* --- the batch -------------------------------------------------------------------------------- */

int recvmmsg(int fd, struct mmsghdr *messages, unsigned number, int flags, struct timespec *timeout)
{
	count(RECEIVES);
	return next_recvmmsg(fd, messages, number, flags, timeout);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned number, int flags)
{
	count(SENDS);
	return next_sendmmsg(fd, messages, number, flags);
}

int epoll_wait(int fd, struct epoll_event *events, int number, int timeout_ms)
{
	count(WAITS);
	return next_epoll_wait(fd, events, number, timeout_ms);
}

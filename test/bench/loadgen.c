/* test/bench/loadgen.c - asks a server as fast as it answers, or at a fixed rate, over many sockets.
 *
 * A resolver sends each query from a port of its own, so each socket here has at most one query under
 * way; sockets take turns. There is no epoll: a wake-up would cost the server, which delivers to our
 * sockets on its own core. One thread polls the oldest queries first, since a server answers in order.
 * Only with -i it sleeps instead, for measurements where others want its core as well.
 *
 * At a fixed rate (-R) latency counts from when a query was due, not from when it was sent: a stall
 * that keeps later queries back is paid for by all of them. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define NONE	   UINT32_MAX
#define QUERY_MAX  300
#define NS_PER_S   1000000000ull
#define TIMEOUT_NS NS_PER_S
#define LATE_NS	   5000000ull
#define LINGER_NS  (NS_PER_S / 2)
/* How far behind the oldest query answers are looked for, as several workers answer out of order. */
#define WINDOW	16
#define BUCKETS (64 * 32)
#define RCODES	16

struct options {
	const char *server;
	uint16_t port;
	unsigned sockets;
	unsigned outstanding;
	double seconds;
	unsigned edns_size; /* 0: no OPT record */
	bool dnssec_ok;
	uint64_t seed;
	int core;
	double rate; /* queries a second, 0: as fast as answers come */
	double warm_up_s;
	bool sleeps; /* until something is to do */
	const char *list;
};

/* All queries, one behind the other. */
struct queries {
	uint8_t *octets;
	size_t used;
	size_t room;
	size_t *start; /* count + 1 */
	size_t count;
	size_t slots;
};

struct client {
	int fd;
	uint16_t id;
	bool is_busy;
	uint64_t since_ns;
	uint32_t next;
	uint32_t previous;
};

/* Clients in order; the free ones and the waiting ones. */
struct list {
	uint32_t first;
	uint32_t last;
	unsigned count;
};

struct figures {
	uint64_t sent;
	uint64_t answered;
	uint64_t lost;
	uint64_t errors;
	uint64_t octets;
	uint64_t truncated;
	uint64_t polls;
	uint64_t empty;
	uint64_t max_ns;
	uint64_t rcodes[RCODES];
	uint64_t latency[BUCKETS]; /* 32 buckets for each power of two of nanoseconds */
};

struct run {
	const struct options *o;
	const struct queries *q;
	struct client *clients;
	struct list idle;
	struct list busy;
	size_t next_query;
	int epoll; /* of all clients, -1: they are polled */
	struct figures f;
};

static void die(const char *what)
{
	fprintf(stderr, "loadgen: %s: %s\n", what, errno != 0 ? strerror(errno) : "not valid");
	exit(1);
}

static uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* --- queries ---------------------------------------------------------------------------------- */

static unsigned type_of(const char *text)
{
	static const struct {
		const char *name;
		unsigned value;
	} types[] = { { "A", 1 },    { "NS", 2 },  { "CNAME", 5 },   { "SOA", 6 },
		      { "PTR", 12 }, { "MX", 15 }, { "TXT", 16 },    { "AAAA", 28 },
		      { "SRV", 33 }, { "DS", 43 }, { "DNSKEY", 48 }, { "HTTPS", 65 },
		      { "ANY", 255 } };
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(text, types[i].name) == 0) {
			return types[i].value;
		}
	}
	if (strncmp(text, "TYPE", 4) == 0) {
		return (unsigned)strtoul(text + 4, NULL, 10);
	}
	errno = 0;
	die(text);
	return 0;
}

static uint8_t *put_u16(uint8_t *p, unsigned value)
{
	*p++ = (uint8_t)(value >> 8);
	*p++ = (uint8_t)value;
	return p;
}

/* Writes a name without escapes; returns its end, NULL when it is none. */
static uint8_t *put_name(uint8_t *p, const char *text)
{
	const uint8_t *const begin = p;
	while (*text != '\0' && *text != '.') {
		const size_t n = strcspn(text, ".");
		if (n > 63 || p - begin + (ptrdiff_t)n > 253 || memchr(text, '\\', n) != NULL) {
			return NULL;
		}
		*p++ = (uint8_t)n;
		memcpy(p, text, n);
		p += n;
		text += n + (text[n] == '.');
	}
	*p++ = 0;
	return p;
}

static void add_query(struct queries *q, const struct options *o, const char *name, unsigned type)
{
	if (q->room - q->used < QUERY_MAX) {
		q->room = q->room * 2 + (1 << 20);
		q->octets = realloc(q->octets, q->room);
	}
	if (q->slots < q->count + 2) {
		q->slots = q->slots * 2 + 4096;
		q->start = realloc(q->start, q->slots * sizeof(*q->start));
	}
	if (q->octets == NULL || q->start == NULL) {
		die("memory");
	}
	uint8_t *p = q->octets + q->used;
	memset(p, 0, 12);
	p[5] = 1;
	p[11] = o->edns_size != 0;
	p = put_name(p + 12, name);
	if (p == NULL) {
		errno = 0;
		die(name);
	}
	p = put_u16(p, type);
	p = put_u16(p, 1);
	if (o->edns_size != 0) {
		*p++ = 0;
		p = put_u16(p, 41);
		p = put_u16(p, o->edns_size);
		p = put_u16(p, 0);
		p = put_u16(p, o->dnssec_ok ? 0x8000 : 0);
		p = put_u16(p, 0);
	}
	q->start[q->count++] = q->used;
	q->used = (size_t)(p - q->octets);
	q->start[q->count] = q->used;
}

/* Lays the queries out in random order, so that reading on means a prefetched line. */
static void shuffle(struct queries *q, uint64_t seed)
{
	size_t *order = malloc(q->count * sizeof(*order));
	size_t *start = malloc((q->count + 1) * sizeof(*start));
	uint8_t *octets = malloc(q->used);
	if (order == NULL || start == NULL || octets == NULL) {
		die("memory");
	}
	for (size_t i = 0; i < q->count; i++) {
		const size_t j = draw(&seed) % (i + 1);
		order[i] = order[j];
		order[j] = i;
	}
	size_t used = 0;
	for (size_t i = 0; i < q->count; i++) {
		const size_t n = q->start[order[i] + 1] - q->start[order[i]];
		start[i] = used;
		memcpy(octets + used, q->octets + q->start[order[i]], n);
		used += n;
	}
	start[q->count] = used;
	free(order);
	free(q->start);
	free(q->octets);
	q->start = start;
	q->octets = octets;
}

static void read_queries(struct queries *q, const struct options *o)
{
	FILE *f = fopen(o->list, "r");
	if (f == NULL) {
		die(o->list);
	}
	char name[512];
	char type[32];
	while (fscanf(f, "%511s %31s", name, type) == 2) {
		add_query(q, o, name, type_of(type));
	}
	fclose(f);
	if (q->count == 0) {
		errno = 0;
		die("an empty list");
	}
	shuffle(q, o->seed);
}

/* --- clients ---------------------------------------------------------------------------------- */

static void list_push(struct list *l, struct client *clients, uint32_t i)
{
	clients[i].next = NONE;
	clients[i].previous = l->last;
	if (l->last == NONE) {
		l->first = i;
	} else {
		clients[l->last].next = i;
	}
	l->last = i;
	l->count++;
}

static void list_remove(struct list *l, struct client *clients, uint32_t i)
{
	const struct client *c = &clients[i];
	if (c->previous == NONE) {
		l->first = c->next;
	} else {
		clients[c->previous].next = c->next;
	}
	if (c->next == NONE) {
		l->last = c->previous;
	} else {
		clients[c->next].previous = c->previous;
	}
	l->count--;
}

static void open_clients(struct run *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(r->o->port) };
	if (inet_pton(AF_INET, r->o->server, &a.sin_addr) != 1) {
		errno = 0;
		die(r->o->server);
	}
	r->clients = calloc(r->o->sockets, sizeof(*r->clients));
	if (r->clients == NULL) {
		die("memory");
	}
	for (uint32_t i = 0; i < r->o->sockets; i++) {
		const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
			die("socket");
		}
		r->clients[i].fd = fd;
		r->clients[i].id = (uint16_t)(i * 257);
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
		if (r->epoll >= 0 && epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
			die("epoll");
		}
		list_push(&r->idle, r->clients, i);
	}
}

/* --- the run ---------------------------------------------------------------------------------- */

static void send_one(struct run *r, uint64_t since_ns)
{
	const uint32_t i = r->idle.first;
	struct client *c = &r->clients[i];
	const size_t k = r->next_query++;
	if (r->next_query == r->q->count) {
		r->next_query = 0;
	}
	uint8_t *packet = r->q->octets + r->q->start[k];
	c->id++;
	put_u16(packet, c->id);
	c->is_busy = true;
	c->since_ns = since_ns;
	if (send(c->fd, packet, r->q->start[k + 1] - r->q->start[k], 0) < 0) {
		r->f.errors++;
	}
	r->f.sent++;
	list_remove(&r->idle, r->clients, i);
	list_push(&r->busy, r->clients, i);
}

static void set_free(struct run *r, uint32_t i)
{
	r->clients[i].is_busy = false;
	list_remove(&r->busy, r->clients, i);
	list_push(&r->idle, r->clients, i);
}

static unsigned bucket_of(uint64_t ns)
{
	if (ns < 32) {
		return (unsigned)ns;
	}
	const unsigned top = 63 - (unsigned)__builtin_clzll(ns);
	return (top - 4) * 32 + (unsigned)(ns >> (top - 5) & 31);
}

static double bucket_us(unsigned bucket)
{
	if (bucket < 32) {
		return bucket / 1e3;
	}
	return (double)((32ull + bucket % 32) << (bucket / 32 - 1)) / 1e3;
}

/* Looks at one client; tells whether it is free again. */
static bool poll_one(struct run *r, uint32_t i, uint64_t *now_ns)
{
	struct client *c = &r->clients[i];
	/* Only the header counts; MSG_TRUNC tells how long the rest was. */
	uint8_t head[12];
	const ssize_t n = recv(c->fd, head, sizeof(head), MSG_DONTWAIT | MSG_TRUNC);
	r->f.polls++;
	*now_ns = clock_ns();
	if (!c->is_busy) {
		/* Too late: it counts as lost, or was asked before what counts. */
		return false;
	}
	if (n < 0) {
		const bool waits = errno == EAGAIN || errno == EINTR;
		r->f.errors += !waits;
		r->f.empty += waits;
		if (!waits || *now_ns > c->since_ns + TIMEOUT_NS) {
			r->f.lost++;
			set_free(r, i);
			return true;
		}
		return false;
	}
	if (n < 12 || (head[0] << 8 | head[1]) != c->id || (head[2] & 0x80) == 0) {
		r->f.errors++;
		return false;
	}
	const uint64_t took = *now_ns > c->since_ns ? *now_ns - c->since_ns : 0;
	r->f.answered++;
	r->f.octets += (uint64_t)n;
	r->f.rcodes[head[3] & 15]++;
	r->f.truncated += (head[2] & 2) != 0;
	r->f.latency[bucket_of(took)]++;
	if (took > r->f.max_ns) {
		r->f.max_ns = took;
	}
	set_free(r, i);
	return true;
}

/* Looks for answers among the oldest waiting clients, until one has come. */
static void poll_some(struct run *r, uint64_t *now_ns)
{
	uint32_t i = r->busy.first;
	for (unsigned k = 0; k < WINDOW && i != NONE; k++) {
		const uint32_t next = r->clients[i].next;
		if (poll_one(r, i, now_ns)) {
			return;
		}
		/* Likely lost: out of the way of those that are not, until it times out. */
		if (*now_ns > r->clients[i].since_ns + LATE_NS) {
			list_remove(&r->busy, r->clients, i);
			list_push(&r->busy, r->clients, i);
		}
		i = next;
	}
}

/* Sleeps until an answer comes or the time is reached; takes what has come. */
static void sleep_until(struct run *r, uint64_t until_ns, uint64_t *now_ns)
{
	struct epoll_event ready[64];
	const uint64_t left_ns = until_ns > *now_ns ? until_ns - *now_ns : 0;
	const struct timespec left = { .tv_sec = (time_t)(left_ns / NS_PER_S),
				       .tv_nsec = (long)(left_ns % NS_PER_S) };
	const int n = epoll_pwait2(r->epoll, ready, 64, &left, NULL);
	*now_ns = clock_ns();
	for (int k = 0; k < n; k++) {
		poll_one(r, ready[k].data.u32, now_ns);
	}
	/* The oldest may have timed out. */
	if (n <= 0 && r->busy.count > 0) {
		poll_one(r, r->busy.first, now_ns);
	}
}

/* Returns how long it took, in seconds. */
static double run_load(struct run *r, double seconds)
{
	const double gap_ns = r->o->rate > 0 ? 1e9 / r->o->rate : 0;
	const uint64_t start_ns = clock_ns();
	const uint64_t end_ns = start_ns + (uint64_t)(seconds * 1e9);
	uint64_t now_ns = start_ns;
	while (now_ns < end_ns) {
		if (gap_ns == 0) {
			while (r->idle.count > 0 && r->busy.count < r->o->outstanding) {
				send_one(r, now_ns);
			}
			poll_some(r, &now_ns);
			continue;
		}
		const uint64_t due_ns = start_ns + (uint64_t)((double)r->f.sent * gap_ns);
		if (due_ns <= now_ns && r->busy.count < r->o->outstanding) {
			send_one(r, due_ns);
		}
		if (r->epoll >= 0) {
			sleep_until(r, start_ns + (uint64_t)((double)r->f.sent * gap_ns), &now_ns);
		} else if (r->busy.count == 0) {
			now_ns = clock_ns();
		} else {
			poll_some(r, &now_ns);
		}
	}
	const double took = (double)(now_ns - start_ns) / 1e9;
	while (r->busy.count > 0 && now_ns < end_ns + LINGER_NS) {
		poll_some(r, &now_ns);
	}
	r->f.lost += r->busy.count;
	return took;
}

/* Runs without counting, and then waits for a line from who wants to measure the server. */
static void warm_up(struct run *r)
{
	run_load(r, r->o->warm_up_s);
	r->f = (struct figures){ 0 };
	while (r->busy.count > 0) {
		set_free(r, r->busy.first);
	}
	puts("warm");
	fflush(stdout);
	while (getchar() != '\n' && !feof(stdin)) {
	}
}

static double percentile_us(const struct figures *f, double share)
{
	const double want = (double)f->answered * share;
	uint64_t seen = 0;
	for (unsigned i = 0; i < BUCKETS; i++) {
		seen += f->latency[i];
		if (seen > 0 && (double)seen >= want) {
			return bucket_us(i);
		}
	}
	return 0;
}

static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void print(const struct figures *f, double seconds, double cpu)
{
	const double answers = f->answered > 0 ? (double)f->answered : 1;
	printf("{\"sent\": %llu, \"answered\": %llu, \"lost\": %llu, \"errors\": %llu, "
	       "\"seconds\": %.3f, \"rate\": %.0f, \"p50_us\": %.1f, \"p90_us\": %.1f, "
	       "\"p99_us\": %.1f, \"max_us\": %.1f, \"octets\": %.1f, \"truncated\": %llu, "
	       "\"polls_per_answer\": %.2f, \"bottleneck\": %s, \"cpu_us\": %.3f, \"rcodes\": {",
	       (unsigned long long)f->sent, (unsigned long long)f->answered,
	       (unsigned long long)f->lost, (unsigned long long)f->errors, seconds,
	       (double)f->answered / seconds, percentile_us(f, 0.5), percentile_us(f, 0.9),
	       percentile_us(f, 0.99), (double)f->max_ns / 1e3, (double)f->octets / answers,
	       (unsigned long long)f->truncated, (double)f->polls / answers,
	       (double)f->empty < answers / 20 ? "true" : "false", cpu * 1e6 / answers);
	const char *between = "";
	for (unsigned i = 0; i < RCODES; i++) {
		if (f->rcodes[i] > 0) {
			printf("%s\"%u\": %llu", between, i, (unsigned long long)f->rcodes[i]);
			between = ", ";
		}
	}
	printf("}}\n");
}

static void usage(FILE *to)
{
	fputs("Usage: loadgen -p PORT [OPTION]... LIST\n"
	      "Asks the server the questions of LIST (a name and a type a line) in random order, and prints\n"
	      "one line of JSON. \"bottleneck\": it hardly ever had to wait for the server.\n\n"
	      "  -s ADDRESS  IPv4 address of the server (127.0.0.1)\n"
	      "  -p PORT     its port\n"
	      "  -c COUNT    sockets, each with one query under way at most (256)\n"
	      "  -q COUNT    queries under way in all (128; small socket buffers of servers hold no more)\n"
	      "  -t SECONDS  how long (2)\n"
	      "  -e SIZE     send an OPT record with this UDP size (none)\n"
	      "  -d          set its DO bit\n"
	      "  -r SEED     of the order (1)\n"
	      "  -k CORE     run on this core\n"
	      "  -R RATE     queries a second, whatever the answers (as fast as they come)\n"
	      "  -i          with -R: sleep while there is nothing to do, instead of polling\n"
	      "  -w SECONDS  run uncounted before, say \"warm\", and go on after a line on standard input\n",
	      to);
}

static struct options read_options(int argc, char **argv)
{
	struct options o = { .server = "127.0.0.1",
			     .sockets = 256,
			     .outstanding = 128,
			     .seconds = 2,
			     .seed = 1,
			     .core = -1 };
	int c;
	while ((c = getopt(argc, argv, "hs:p:c:q:t:e:dr:k:R:iw:")) != -1) {
		switch (c) {
		case 's':
			o.server = optarg;
			break;
		case 'p':
			o.port = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			o.sockets = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'q':
			o.outstanding = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 't':
			o.seconds = strtod(optarg, NULL);
			break;
		case 'e':
			o.edns_size = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'd':
			o.dnssec_ok = true;
			break;
		case 'r':
			o.seed = strtoull(optarg, NULL, 10);
			break;
		case 'k':
			o.core = (int)strtol(optarg, NULL, 10);
			break;
		case 'R':
			o.rate = strtod(optarg, NULL);
			break;
		case 'i':
			o.sleeps = true;
			break;
		case 'w':
			o.warm_up_s = strtod(optarg, NULL);
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(1);
		}
	}
	if (optind + 1 != argc || o.port == 0 || o.sockets == 0 || o.seconds <= 0 ||
	    (o.sleeps && o.rate <= 0)) {
		usage(stderr);
		exit(1);
	}
	if (o.dnssec_ok && o.edns_size == 0) {
		o.edns_size = 1232;
	}
	if (o.outstanding == 0 || o.outstanding > o.sockets) {
		o.outstanding = o.sockets;
	}
	o.list = argv[optind];
	return o;
}

int main(int argc, char **argv)
{
	const struct options o = read_options(argc, argv);
	if (o.core >= 0) {
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET((size_t)o.core, &set);
		if (sched_setaffinity(0, sizeof(set), &set) != 0) {
			die("core");
		}
	}
	struct queries q = { 0 };
	read_queries(&q, &o);
	struct run r = { .o = &o,
			 .q = &q,
			 .idle = { NONE, NONE, 0 },
			 .busy = { NONE, NONE, 0 },
			 .epoll = o.sleeps ? epoll_create1(0) : -1 };
	open_clients(&r);
	if (o.warm_up_s > 0) {
		warm_up(&r);
	}
	const double before = cpu_seconds();
	const double seconds = run_load(&r, o.seconds);
	print(&r.f, seconds, cpu_seconds() - before);
	return 0;
}

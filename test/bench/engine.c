/* test/bench/engine.c - the query engine alone, without sockets: nanoseconds per answer.
 *
 *     engine APEX FILE QUERIES [do] [SECONDS]
 *
 * FILE is the zone, QUERIES has lines of "name type". Queries are asked in random order, in batches as
 * the UDP worker has them. For profiles (perf record) and for changes too small to be seen behind the kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "server/query.h"
#include "server/zone_load.h"
#include "zones/base/buf.h"
#include "zones/base/epoch.h"
#include "zones/base/mem.h"
#include "zones/dns/edns.h"
#include "zones/dns/rrtype.h"

#define OUT_MAX	 4096
#define UDP_SIZE 1232

#define PACKET_MAX (DNAME_MAX + 40)

/* Queries one behind the other, so that fetching them takes little of the cache. */
struct packets {
	struct buf octets;
	uint32_t *start; /* of each, and of the one behind the last */
	size_t count;
};

static void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "engine: %s: %s\n", what, why);
	exit(2);
}

/* Of CPU: others may be at work beside us. */
static double seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void packet_add(struct packets *p, char *line, bool dnssec)
{
	struct dname name;
	uint16_t type = 0;
	struct writer w = writer_of(buf_reserve(&p->octets, PACKET_MAX), PACKET_MAX);
	const struct message_header h = { .id = 1, .count = { 1, 0, 0, dnssec } };
	const struct edns e = { .udp_size = UDP_SIZE, .flags = EDNS_DO };
	char *space = strchr(line, ' ');
	if (space == NULL ||
	    dname_from_text(&name, line, (size_t)(space - line), dname_root, NULL) != E_OK ||
	    rrtype_from_text(space + 1, strcspn(space + 1, "\n"), &type) != E_OK) {
		die("bad query", line);
	}
	message_write_header(writer_room(&w, MESSAGE_HEADER_LEN), &h);
	writer_bytes(&w, name.wire, name.len);
	writer_u16(&w, type);
	writer_u16(&w, RRCLASS_IN);
	if (dnssec) {
		edns_write(&w, &e);
	}
	buf_grew(&p->octets, writer_len(&w));
}

static struct packets packets_read(const char *path, bool dnssec)
{
	char line[2048];
	struct packets p = { 0 };
	size_t cap = 0;
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		die(path, "cannot read");
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		if (p.count + 1 >= cap) {
			cap = cap != 0 ? cap * 2 : 1024;
			p.start = mem_realloc(p.start, cap, sizeof(*p.start));
			p.start[0] = 0;
		}
		packet_add(&p, line, dnssec);
		p.start[++p.count] = (uint32_t)p.octets.len;
	}
	(void)fclose(f);
	if (p.count == 0) {
		die(path, "no queries");
	}
	return p;
}

static const struct zoneset *zones_load(const char *apex, char *file)
{
	struct dname name;
	struct version *v = NULL;
	struct findings findings = { 0 };
	struct zoneset *set = zoneset_new();
	if (dname_from_text(&name, apex, strlen(apex), dname_root, NULL) != E_OK) {
		die(apex, "no name");
	}
	const struct config_zone config = { .name = name.wire, .file = file };
	if (zone_load(&config, (int64_t)time(NULL), &v, &findings) != E_OK) {
		die(file, findings.count != 0 ? findings.items[0].text : "cannot load");
	}
	struct zone *z = zone_new(name.wire);
	(void)zone_publish(z, v);
	if (zoneset_add(set, z) != E_OK) {
		die(apex, "twice");
	}
	(void)printf("%s: %zu octets, %llu records\n", apex, version_memory(v),
		     (unsigned long long)v->records);
	return set;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Nanoseconds per query; *octets: of a response. ctx NULL: all but answering. */
static double run(struct query_ctx *ctx, const struct query_env *env, const struct packets *packets,
		  double limit, double *octets)
{
	static uint8_t in[QUERY_BATCH_MAX][PACKET_MAX + 25];
	static uint8_t out[QUERY_BATCH_MAX]
			  [OUT_MAX + 192]; /* not all in the same lines of the cache */
	struct query_io io[QUERY_BATCH_MAX];
	size_t next[QUERY_BATCH_MAX];
	uint64_t state = 88172645463325252U;
	uint64_t answers = 0;
	uint64_t sum = 0;
	double start = seconds();
	double spent = 0;
	do {
		for (unsigned round = 0; round < 1000; round++) {
			for (unsigned i = 0; i < QUERY_BATCH_MAX; i++) {
				next[i] = next_random(&state) % packets->count;
				__builtin_prefetch(&packets->start[next[i]]);
			}
			for (unsigned i = 0; i < QUERY_BATCH_MAX; i++) {
				__builtin_prefetch(packets->octets.data + packets->start[next[i]]);
			}
			for (unsigned i = 0; i < QUERY_BATCH_MAX; i++) {
				size_t at = packets->start[next[i]];
				size_t len = packets->start[next[i] + 1] - at;
				for (size_t k = 0; k < len;
				     k += 8) { /* not memcpy: profiles show that of answers */
					memcpy(in[i] + k, packets->octets.data + at + k, 8);
				}
				io[i] = (struct query_io){
					.in = in[i], .in_len = len, .out = out[i], .room = OUT_MAX
				};
			}
			if (ctx != NULL) {
				query_answer(ctx, env, io, QUERY_BATCH_MAX);
			}
			for (unsigned i = 0; i < QUERY_BATCH_MAX; i++) {
				sum += io[i].out_len;
				answers++;
			}
		}
		spent = seconds() - start;
	} while (spent < limit);
	*octets = (double)sum / (double)answers;
	return spent * 1e9 / (double)answers;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		die("usage", "engine APEX FILE QUERIES [do] [SECONDS]");
	}
	bool dnssec = argc > 4 && strcmp(argv[4], "do") == 0;
	double limit = argc > 4 + dnssec ? atof(argv[4 + dnssec]) : 2;
	struct query_ctx *ctx = NULL;
	struct query_config config = { .udp_size = UDP_SIZE };
	struct query_env env = { .config = &config, .now = (int64_t)time(NULL) };
	env.zones = zones_load(argv[1], argv[2]);
	const struct packets packets = packets_read(argv[3], dnssec);
	if (query_ctx_new(&ctx) != E_OK) {
		die("engine", "no context");
	}
	double octets = 0;
	epoch_register();
	double idle = run(NULL, &env, &packets, limit / 4, &octets);
	double busy = run(ctx, &env, &packets, limit, &octets);
	(void)printf("%.0f ns per answer, %.0f octets\n", busy - idle, octets);
	epoch_unregister();
	return 0;
}

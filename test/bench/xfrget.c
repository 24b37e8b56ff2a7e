/* test/bench/xfrget.c - takes a zone by AXFR over TCP as fast as it comes, and says how much that was.
 *
 *     xfrget PORT ZONE [FILE]      records=N messages=N octets=N ms=N
 *
 * It reads owners and lengths alone, so that the server is what is measured. FILE gets the messages, each behind its
 * length. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/dns/message.h"
#include "zones/dns/rrtype.h"

#define BUFFER ((size_t)1 << 20)

struct got {
	unsigned long records, messages, octets;
	unsigned soas;
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "xfrget: %s\n", what);
	exit(1);
}

static size_t skip_name(const uint8_t *m, size_t at, size_t len)
{
	while (at < len && m[at] != 0 && m[at] < 0xc0) {
		at += m[at] + 1U;
	}
	return at < len && m[at] == 0 ? at + 1 : at + 2;
}

static void look_at(const uint8_t *m, size_t len, struct got *g)
{
	size_t at = MESSAGE_HEADER_LEN;
	if (len < at || (m[3] & MESSAGE_RCODE) != 0) {
		fail("refused");
	}
	if (be16_get(m + 4) != 0) {
		at = skip_name(m, at, len) + 4;
	}
	unsigned count = be16_get(m + 6);
	for (unsigned i = 0; i < count; i++) {
		at = skip_name(m, at, len);
		if (at + MESSAGE_RR_FIXED > len) {
			fail("a message that ends early");
		}
		g->soas += be16_get(m + at) == RRTYPE_SOA;
		at += MESSAGE_RR_FIXED + (size_t)be16_get(m + at + MESSAGE_RR_FIXED - 2);
	}
	g->records += count;
	g->messages++;
	g->octets += len;
}

static size_t take_messages(uint8_t *buffer, size_t have, struct got *g, FILE *keep)
{
	size_t at = 0;
	while (have - at >= 2 && have - at - 2 >= be16_get(buffer + at)) {
		size_t len = be16_get(buffer + at);
		look_at(buffer + at + 2, len, g);
		at += 2 + len;
	}
	if (keep != NULL && fwrite(buffer, 1, at, keep) != at) {
		fail("cannot write");
	}
	memmove(buffer, buffer + at, have - at);
	return have - at;
}

static int ask(uint16_t port, const char *zone)
{
	struct dname name;
	uint8_t out[2 + MESSAGE_HEADER_LEN + DNAME_MAX + 4] = { 0 };
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (dname_from_text(&name, zone, strlen(zone), dname_root, NULL) != E_OK) {
		fail("no name of a zone");
	}
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		fail("no connection");
	}
	size_t len = MESSAGE_HEADER_LEN + name.len + 4U;
	be16_put(out, (uint16_t)len);
	out[7] = 1;
	memcpy(out + 2 + MESSAGE_HEADER_LEN, name.wire, name.len);
	be16_put(out + 2 + len - 4, RRTYPE_AXFR);
	be16_put(out + 2 + len - 2, RRCLASS_IN);
	if (write(fd, out, len + 2) != (ssize_t)(len + 2)) {
		fail("cannot ask");
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct got g = { 0 };
	struct timespec a;
	struct timespec b;
	uint64_t port = 0;
	FILE *keep = NULL;
	if (argc < 3 || argc > 4 ||
	    text_to_u64(argv[1], strlen(argv[1]), UINT16_MAX, &port) != E_OK) {
		fail("usage: xfrget PORT ZONE [FILE]");
	}
	if (argc == 4 && (keep = fopen(argv[3], "wb")) == NULL) {
		fail("cannot open the file");
	}
	uint8_t *buffer = mem_alloc(BUFFER);
	size_t have = 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	int fd = ask((uint16_t)port, argv[2]);
	while (g.soas < 2) {
		ssize_t n = read(fd, buffer + have, BUFFER - have);
		if (n <= 0) {
			fail("the end before the end");
		}
		have = take_messages(buffer, have + (size_t)n, &g, keep);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	(void)printf("records=%lu messages=%lu octets=%lu ms=%.1f\n", g.records, g.messages,
		     g.octets,
		     (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6);
	(void)close(fd);
	mem_free(buffer);
	if (keep != NULL && fclose(keep) != 0) {
		fail("cannot write");
	}
	return 0;
}

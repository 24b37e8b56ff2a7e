/* test/bench/updates.c - sends dynamic updates and waits for each: one at a time, or many outstanding.
 *
 *     updates PORT ZONE KEY-NAME SECRET OUTSTANDING SECONDS [FIRST]
 *
 * Each update adds an address to a new name, signed with hmac-sha256, over UDP. Prints updates a second and the
 * times to the response: "updates_s=... p50_us=... p99_us=... failed=... sent=...". */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/tsig.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/dns/rrtype.h"

#define LOST_NS 5000000000 /* without a response for so long it is lost */

struct slot {
	int fd;
	int64_t sent_ns; /* 0: free */
	struct tsig_exchange tsig;
	uint16_t id;
};

static int64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "updates: %s\n", what);
	exit(2);
}

static uint32_t number(const char *text)
{
	uint32_t n = 0;
	if (text_to_u32(text, strlen(text), UINT32_MAX, &n) != E_OK) {
		die("expected a number");
	}
	return n;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* An update of @zone that adds an address to name number @n. */
static size_t make(uint8_t *out, size_t room, const struct dname *zone, uint16_t id, unsigned n)
{
	struct writer w = writer_of(out, room);
	struct message_header h = { .id = id,
				    .flags = OPCODE_UPDATE << 11,
				    .count = { 1, 0, 1, 0 } };
	char label[16];
	int len = snprintf(label, sizeof(label), "u%u", n);
	uint8_t header[MESSAGE_HEADER_LEN];
	message_write_header(header, &h);
	writer_bytes(&w, header, sizeof(header));
	writer_bytes(&w, zone->wire, zone->len);
	writer_u16(&w, RRTYPE_SOA);
	writer_u16(&w, RRCLASS_IN);
	writer_u8(&w, (uint8_t)len);
	writer_bytes(&w, label, (size_t)len);
	writer_bytes(&w, zone->wire, zone->len);
	writer_u16(&w, RRTYPE_A);
	writer_u16(&w, RRCLASS_IN);
	writer_u32(&w, 300);
	writer_u16(&w, 4);
	writer_u32(&w, 0xc0000200 + n % 250);
	return writer_len(&w);
}

static void send_one(struct slot *s, const struct tsig_ring *ring, const struct tsig_key *key,
		     const struct dname *zone, unsigned n)
{
	uint8_t message[1024];
	s->id = (uint16_t)n;
	size_t len = make(message, sizeof(message), zone, s->id, n);
	if (tsig_begin(ring, key->name.wire, &s->tsig) != E_OK ||
	    tsig_sign(&s->tsig, message, &len, sizeof(message), (uint64_t)time(NULL)) != E_OK) {
		die("cannot sign");
	}
	s->sent_ns = now_ns();
	if (send(s->fd, message, len, 0) < 0) {
		die("cannot send");
	}
}

int main(int argc, char **argv)
{
	struct dname zone;
	struct dname name;
	struct tsig_key key;
	struct tsig_ring *ring;
	uint8_t secret[256];
	if (argc < 7) {
		die("PORT ZONE KEY-NAME SECRET OUTSTANDING SECONDS [FIRST]");
	}
	int secret_len = text_from_base64(argv[4], strlen(argv[4]), secret, sizeof(secret));
	if (secret_len <= 0 ||
	    dname_from_text(&zone, argv[2], strlen(argv[2]), dname_root, NULL) != E_OK ||
	    dname_from_text(&name, argv[3], strlen(argv[3]), dname_root, NULL) != E_OK ||
	    tsig_key_set(&key, name.wire, "hmac-sha256", secret, (size_t)secret_len) != E_OK ||
	    tsig_ring_new(&key, 1, &ring) != E_OK) {
		die("a bad argument");
	}
	unsigned count = number(argv[5]);
	int64_t length = (int64_t)(strtod(argv[6], NULL) * 1e9);
	unsigned next = argc > 7 ? number(argv[7]) : 0;
	const unsigned first = next;
	struct slot *slots = mem_array(count, sizeof(*slots));
	struct pollfd *polls = mem_array(count, sizeof(*polls));
	int64_t *times = mem_array(10000000, sizeof(*times));
	size_t done = 0;
	size_t failed = 0;
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons((uint16_t)number(argv[1])),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	for (unsigned i = 0; i < count; i++) {
		slots[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (slots[i].fd < 0 ||
		    connect(slots[i].fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
			die("cannot open a socket");
		}
		polls[i] = (struct pollfd){ slots[i].fd, POLLIN, 0 };
		send_one(&slots[i], ring, &key, &zone, next++);
	}
	const int64_t start = now_ns();
	int64_t now = start;
	unsigned outstanding = count;
	while (outstanding != 0) {
		(void)poll(polls, count, 100);
		now = now_ns();
		for (unsigned i = 0; i < count; i++) {
			struct slot *s = &slots[i];
			uint8_t in[1024];
			size_t at;
			ssize_t n = s->sent_ns != 0 ? recv(s->fd, in, sizeof(in), 0) : -1;
			bool is_lost = n < 0 && s->sent_ns != 0 && now - s->sent_ns > LOST_NS;
			if (n < MESSAGE_HEADER_LEN && !is_lost) {
				continue;
			}
			bool good = !is_lost && be16_get(in) == s->id && (in[3] & 15) == 0 &&
				    tsig_check(&s->tsig, in, (size_t)n, (uint64_t)time(NULL),
					       &at) == E_OK;
			if (good) {
				times[done++] = now - s->sent_ns;
			} else {
				failed++;
			}
			s->sent_ns = 0;
			outstanding--;
			if (now - start < length) {
				send_one(s, ring, &key, &zone, next++);
				outstanding++;
			}
		}
	}
	qsort(times, done, sizeof(*times), by_value);
	printf("updates_s=%.0f p50_us=%.0f p99_us=%.0f failed=%zu sent=%u\n",
	       (double)done * 1e9 / (double)(now - start),
	       done != 0 ? (double)times[done / 2] / 1e3 : 0,
	       done != 0 ? (double)times[done * 99 / 100] / 1e3 : 0, failed, next - first);
	return failed != 0;
}

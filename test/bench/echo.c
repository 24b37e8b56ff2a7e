/* test/bench/echo.c - the kernel's own price of an answer: batches in, batches of a given size out.
 *
 * The same calls as server/udp.c, but nothing is looked at: the query comes back with QR set and made
 * longer or shorter to SIZE octets. What a server takes more than this is its own work.
 *
 *     echo PORT SIZE */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>

#define BATCH	32
#define IN_MAX	4096
#define OUT_MAX 4096

struct slot {
	uint8_t octets[OUT_MAX];
	struct sockaddr_in peer;
	struct iovec in_vec;
	struct iovec out_vec;
};

static void serve(int fd, size_t size)
{
	static struct slot slots[BATCH];
	struct mmsghdr in[BATCH] = { 0 };
	struct mmsghdr out[BATCH] = { 0 };
	for (unsigned i = 0; i < BATCH; i++) {
		struct slot *s = &slots[i];
		s->in_vec = (struct iovec){ s->octets, IN_MAX };
		s->out_vec = (struct iovec){ s->octets, size };
		in[i].msg_hdr = (struct msghdr){ .msg_name = &s->peer,
						 .msg_iov = &s->in_vec,
						 .msg_iovlen = 1 };
		out[i].msg_hdr = (struct msghdr){ .msg_name = &s->peer,
						  .msg_namelen = sizeof(s->peer),
						  .msg_iov = &s->out_vec,
						  .msg_iovlen = 1 };
	}
	for (;;) {
		for (unsigned i = 0; i < BATCH; i++) {
			in[i].msg_hdr.msg_namelen = sizeof(slots[i].peer);
		}
		const int got = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL);
		if (got <= 0) {
			struct pollfd p = { .fd = fd, .events = POLLIN };
			poll(&p, 1, -1);
			continue;
		}
		for (int i = 0; i < got; i++) {
			slots[i].octets[2] |= 0x80;
		}
		int sent = 0;
		while (sent < got) {
			const int n = sendmmsg(fd, out + sent, (unsigned)(got - sent), 0);
			sent += n > 0 ? n : 1;
		}
	}
}

int main(int argc, char **argv)
{
	const unsigned long port = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	const unsigned long size = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	if (port == 0 || port > 65535 || size < 12 || size > OUT_MAX) {
		fputs("Usage: echo PORT SIZE\n", stderr);
		return 1;
	}
	const struct sockaddr_in a = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	const int room = 4 << 20;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) != 0 ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
		fprintf(stderr, "echo: port %lu: %s\n", port, strerror(errno));
		return 1;
	}
	serve(fd, size);
}

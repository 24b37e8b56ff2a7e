/* server/udp.c - datagrams in batches. */
#include "server/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "zones/base/mem.h"

/* Queries taken in one call; enough to spread its price, few enough for the cache. */
#define BATCH STRESSED(QUERY_BATCH_MAX, 2)
/* Batches before other sockets get their turn. */
#define ROUNDS 8
/* Queries are small; longer datagrams are cut and then malformed. */
#define IN_MAX	4096
#define OUT_MAX 4096

struct slot {
	uint8_t in[IN_MAX];
	uint8_t out[OUT_MAX];
	struct sockaddr_storage peer;
	_Alignas(struct cmsghdr) uint8_t control[UDP_CONTROL_MAX];
	struct iovec in_vec;
	struct iovec out_vec;
};

struct udp {
	struct mmsghdr in[BATCH];
	struct mmsghdr out[BATCH];
	struct slot slots[BATCH];
	struct query_io io[BATCH];
	struct address_ip clients[BATCH];
};

struct udp *udp_new(void)
{
	struct udp *u = mem_zalloc(sizeof(*u));
	for (unsigned i = 0; i < BATCH; i++) {
		struct slot *s = &u->slots[i];
		s->in_vec = (struct iovec){ s->in, sizeof(s->in) };
		s->out_vec = (struct iovec){ s->out, 0 };
		u->in[i].msg_hdr = (struct msghdr){ .msg_name = &s->peer,
						    .msg_iov = &s->in_vec,
						    .msg_iovlen = 1,
						    .msg_control = s->control };
		u->io[i] = (struct query_io){
			.in = s->in, .out = s->out, .room = sizeof(s->out), .client = &u->clients[i]
		};
	}
	return u;
}

void udp_free(struct udp *u)
{
	mem_free(u);
}

static void send_all(struct udp *u, int fd, unsigned count)
{
	unsigned sent = 0;
	while (sent < count) {
		int n = sendmmsg(fd, u->out + sent, count - sent, 0);
		if (n > 0) {
			sent += (unsigned)n;
		} else if (errno != EINTR) {
			/* This one cannot be sent (no route, a full queue): as good as lost on the way. */
			sent++;
		}
	}
}

static void take(const struct udp *u, int fd, int i, const struct udp_taker *taker)
{
	const struct msghdr *m = &u->in[i].msg_hdr;
	struct udp_origin origin = { .fd = fd, .peer_len = m->msg_namelen };
	memcpy(&origin.peer, &u->slots[i].peer, sizeof(origin.peer));
	origin.control_len = m->msg_controllen;
	memcpy(origin.control, u->slots[i].control, m->msg_controllen);
	taker->take(taker->arg, &u->io[i], &origin);
}

void udp_send(const struct udp_origin *origin, const uint8_t *octets, size_t len)
{
	struct udp_origin o = *origin;
	struct iovec vec = { (void *)(uintptr_t)octets, len };
	const struct msghdr m = { .msg_name = &o.peer,
				  .msg_namelen = o.peer_len,
				  .msg_iov = &vec,
				  .msg_iovlen = 1,
				  .msg_control = o.control,
				  .msg_controllen = o.control_len };
	(void)sendmsg(o.fd, &m, 0); /* what cannot be sent is as good as lost on the way */
}

void udp_serve(struct udp *u, int fd, struct query_ctx *ctx, const struct query_env *env,
	       const struct udp_taker *taker)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < BATCH; i++) {
			u->in[i].msg_hdr.msg_namelen = sizeof(u->slots[i].peer);
			u->in[i].msg_hdr.msg_controllen = UDP_CONTROL_MAX;
		}
		int got = recvmmsg(fd, u->in, BATCH, MSG_DONTWAIT, NULL);
		if (got <= 0) {
			return;
		}
		for (int i = 0; i < got; i++) {
			u->clients[i] = address_ip_of((const struct sockaddr *)&u->slots[i].peer);
			u->io[i].in_len = u->in[i].msg_len;
		}
		query_answer(ctx, env, u->io, (unsigned)got);
		unsigned answers = 0;
		for (int i = 0; i < got; i++) {
			struct slot *s = &u->slots[i];
			if (u->io[i].is_taken || u->io[i].is_elsewhere) {
				take(u, fd, i, taker);
			}
			if (u->io[i].out_len == 0) {
				continue;
			}
			s->out_vec.iov_len = u->io[i].out_len;
			/* The control data says which address was asked; it is the one to answer from. */
			u->out[answers++].msg_hdr =
				(struct msghdr){ .msg_name = &s->peer,
						 .msg_namelen = u->in[i].msg_hdr.msg_namelen,
						 .msg_iov = &s->out_vec,
						 .msg_iovlen = 1,
						 .msg_control = s->control,
						 .msg_controllen =
							 u->in[i].msg_hdr.msg_controllen };
		}
		send_all(u, fd, answers);
		if (got < BATCH) {
			return;
		}
	}
}

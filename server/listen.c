/* server/listen.c - sockets to answer on. */
#include "server/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BACKLOG 1024

static int refuse(const struct listen_address *a, const char *protocol, const char *what,
		  struct errmsg *em)
{
	int failed = errno;
	const char *remedy = "";
	if (failed == EADDRINUSE) {
		remedy = "; another server has this port: stop it, or choose another";
	} else if (failed == EACCES) {
		remedy = "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
	} else if (failed == EAFNOSUPPORT) {
		remedy = "; this machine has no IPv6; take it out of server.listen";
	} else if (failed == EADDRNOTAVAIL) {
		remedy = "; no interface of this machine has this address";
	}
	return err_set(em, err_from_errno(failed), "%s %s: cannot %s: %s%s", protocol, a->text,
		       what, strerror(failed), remedy);
}

bool listen_is_any(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)addr;
		return v4->sin_addr.s_addr == htonl(INADDR_ANY);
	}
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)addr;
	return IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
}

size_t listen_allow_files(size_t wanted)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0) {
		return wanted; /* unknown; accept will tell */
	}
	if (r.rlim_cur < wanted) {
		const struct rlimit more = { wanted < r.rlim_max ? wanted : r.rlim_max,
					     r.rlim_max };
		r = setrlimit(RLIMIT_NOFILE, &more) == 0 ? more : r;
	}
	return r.rlim_cur < wanted ? (size_t)r.rlim_cur : wanted;
}

bool listen_has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 || errno != EAFNOSUPPORT;
	if (fd >= 0) {
		(void)close(fd);
	}
	return has;
}

static bool set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* Opens and binds; -1 with errno. */
static int open_bound(const struct listen_address *a, int type)
{
	int family = a->addr->sa_family;
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -1;
	}
	bool good = set(fd, SOL_SOCKET, SO_REUSEPORT, 1) &&
		    (type != SOCK_STREAM || set(fd, SOL_SOCKET, SO_REUSEADDR, 1)) &&
		    (family != AF_INET6 || set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
		    bind(fd, a->addr, a->len) == 0;
	if (!good) {
		int failed = errno;
		(void)close(fd);
		errno = failed;
		return -1;
	}
	return fd;
}

int listen_udp(const struct listen_address *a, int buffer, int *out, struct errmsg *em)
{
	int fd = open_bound(a, SOCK_DGRAM);
	if (fd < 0) {
		return refuse(a, "UDP", "listen", em);
	}
	/* The system may allow less: a wish. */
	(void)set(fd, SOL_SOCKET, SO_RCVBUF, buffer);
	bool any = listen_is_any(a->addr);
	bool good;
	if (a->addr->sa_family == AF_INET) {
		/* Answers are never fragments: a forger could replace one (RFC 9715). */
		(void)set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
		good = !any || set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	} else {
		(void)set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
		good = !any || set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	}
	if (!good) {
		int err = refuse(a, "UDP", "set up", em);
		(void)close(fd);
		return err;
	}
	*out = fd;
	return E_OK;
}

int listen_tcp(const struct listen_address *a, int *out, struct errmsg *em)
{
	int fd = open_bound(a, SOCK_STREAM);
	if (fd < 0) {
		return refuse(a, "TCP", "listen", em);
	}
	(void)set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (listen(fd, BACKLOG) != 0) {
		int err = refuse(a, "TCP", "listen", em);
		(void)close(fd);
		return err;
	}
	*out = fd;
	return E_OK;
}

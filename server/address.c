/* server/address.c - IP addresses with and without a port, and networks. */
#include "server/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>

#include "zones/base/text.h"

/* For messages: texts are cut there, and the caller has refused control characters. */
#define SHOWN 80

static int set_interface(struct address *a, const char *name, struct errmsg *em)
{
	if (a->any.sa_family != AF_INET6 || !IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr)) {
		return err_set(em, E_SYNTAX,
			       "\"%%%s\": only link-local IPv6 addresses have an interface", name);
	}
	a->v6.sin6_scope_id = if_nametoindex(name);
	if (a->v6.sin6_scope_id == 0) {
		return err_set(em, E_NOENT, "there is no interface \"%s\" on this machine", name);
	}
	return E_OK;
}

/* What people write for an address elsewhere, and how it is written here. */
static int not_an_address(const char *s, struct errmsg *em)
{
	const char *colon = strchr(s, ':');
	if (strcmp(s, "*") == 0 || text_equal(s, strlen(s), "any")) {
		return err_set(em, E_SYNTAX, "\"%s\" is no address; write 0.0.0.0 and ::", s);
	}
	if (s[0] == '[') {
		return err_set(em, E_SYNTAX,
			       "\"%s\" is no address; write it without brackets, the "
			       "port behind an @, such as ::1@53",
			       s);
	}
	if (colon != NULL && strchr(s, '.') != NULL && strchr(colon + 1, ':') == NULL) {
		return err_set(em, E_SYNTAX,
			       "\"%s\" is no address; write the port behind an @, such "
			       "as 127.0.0.1@53",
			       s);
	}
	return err_set(em, E_SYNTAX, "\"%s\" is no IPv4 or IPv6 address; names are not looked up",
		       s);
}

/* @host without port: the address, then the interface behind '%'. */
static int read_host(struct address *a, char *host, struct errmsg *em)
{
	char *interface = strchr(host, '%');
	if (interface != NULL) {
		*interface++ = '\0';
	}
	if (inet_pton(AF_INET, host, &a->v4.sin_addr) == 1) {
		a->any.sa_family = AF_INET;
		a->len = sizeof(a->v4);
	} else if (inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1) {
		a->any.sa_family = AF_INET6;
		a->len = sizeof(a->v6);
	} else {
		return not_an_address(host, em);
	}
	if (interface != NULL) {
		return set_interface(a, interface, em);
	}
	if (a->any.sa_family != AF_INET6) {
		return E_OK;
	}
	if (IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr)) {
		return err_set(em, E_SYNTAX,
			       "\"%s\" is link-local and needs its interface, such as "
			       "fe80::1%%eth0",
			       host);
	}
	if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
		return err_set(em, E_SYNTAX,
			       "\"%s\" is an IPv4 address in IPv6 form; write it as IPv4", host);
	}
	return E_OK;
}

int address_from_text(struct address *a, const char *s, size_t len, uint16_t port,
		      struct errmsg *em)
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	uint32_t number = port;
	const char *at = len != 0 ? memchr(s, '@', len) : NULL;
	size_t host_len = at != NULL ? (size_t)(at - s) : len;
	if (host_len == 0 || host_len >= sizeof(host)) {
		return err_set(em, E_SYNTAX, "\"%.*s\" is no IPv4 or IPv6 address",
			       (int)(len > SHOWN ? SHOWN : len), s);
	}
	if (at != NULL) {
		const char *digits = at + 1;
		size_t digits_len = len - host_len - 1;
		if (text_to_u32(digits, digits_len, 65535, &number) != E_OK || number == 0) {
			return err_set(em, E_RANGE, "\"%.*s\" is no port; expected 1 to 65535",
				       (int)(digits_len > SHOWN ? SHOWN : digits_len), digits);
		}
	}
	memcpy(host, s, host_len);
	host[host_len] = '\0';
	struct address r;
	memset(&r, 0, sizeof(r));
	int err = read_host(&r, host, em);
	if (err != E_OK) {
		return err;
	}
	if (r.any.sa_family == AF_INET) {
		r.v4.sin_port = htons((uint16_t)number);
	} else {
		r.v6.sin6_port = htons((uint16_t)number);
	}
	*a = r;
	return E_OK;
}

void address_to_text(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?";
	char name[IF_NAMESIZE] = "";
	bool v4 = a->any.sa_family == AF_INET;
	const void *octets = v4 ? (const void *)&a->v4.sin_addr : (const void *)&a->v6.sin6_addr;
	(void)inet_ntop(a->any.sa_family, octets, host, sizeof(host));
	if (!v4 && a->v6.sin6_scope_id != 0 && if_indextoname(a->v6.sin6_scope_id, name) == NULL) {
		(void)snprintf(name, sizeof(name), "%u", a->v6.sin6_scope_id);
	}
	(void)snprintf(out, ADDRESS_TEXT_MAX, "%s%s%s@%u", host, name[0] != '\0' ? "%" : "", name,
		       ntohs(v4 ? a->v4.sin_port : a->v6.sin6_port));
}

bool address_equal(const struct address *a, const struct address *b)
{
	if (a->any.sa_family != b->any.sa_family) {
		return false;
	}
	if (a->any.sa_family == AF_INET) {
		return a->v4.sin_port == b->v4.sin_port &&
		       a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	}
	return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
	       memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
}

/* --- without port ---------------------------------------------------------------------------- */

struct address_ip address_ip_of(const struct sockaddr *a)
{
	struct address_ip ip = { 0 };
	if (a->sa_family == AF_INET) {
		ip.len = 4;
		memcpy(ip.octet, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
	} else if (a->sa_family == AF_INET6) {
		const struct in6_addr *v6 =
			&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
		bool is_v4 = IN6_IS_ADDR_V4MAPPED(v6);
		ip.len = is_v4 ? 4 : 16;
		memcpy(ip.octet, v6->s6_addr + (is_v4 ? 12 : 0), ip.len);
	}
	return ip;
}

/* Are the bits of @octet from @from up to @to all 0? */
static bool is_zero(const uint8_t *octet, unsigned from, unsigned to)
{
	for (unsigned bit = from; bit < to; bit++) {
		if ((octet[bit / 8] & (0x80U >> bit % 8)) != 0) {
			return false;
		}
	}
	return true;
}

int address_network_from_text(struct address_network *n, const char *s, size_t len,
			      struct errmsg *em)
{
	const char *slash = len != 0 ? memchr(s, '/', len) : NULL;
	size_t host = slash != NULL ? (size_t)(slash - s) : len;
	int shown = (int)(len > SHOWN ? SHOWN : len);
	struct address_network r = { .ip.len = 4 };
	if (text_to_ipv4(s, host, r.ip.octet) != E_OK) {
		r.ip.len = 16;
		if (text_to_ipv6(s, host, r.ip.octet) != E_OK) {
			return err_set(em, E_SYNTAX,
				       "\"%.*s\" is no network; write it as 192.0.2.0/24 or "
				       "2001:db8::/32",
				       shown, s);
		}
	}
	uint32_t bits = r.ip.len * 8U;
	uint32_t prefix = bits;
	if (slash != NULL && text_to_u32(slash + 1, len - host - 1, bits, &prefix) != E_OK) {
		return err_set(em, E_RANGE, "\"%.*s\": expected 0 to %u behind the /", shown, s,
			       bits);
	}
	if (!is_zero(r.ip.octet, prefix, bits)) {
		return err_set(em, E_RANGE,
			       "\"%.*s\": there are bits set behind the first %u; write the "
			       "network's first address",
			       shown, s, prefix);
	}
	r.prefix = (uint8_t)prefix;
	*n = r;
	return E_OK;
}

void address_network_to_text(const struct address_network *n, char out[ADDRESS_NETWORK_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?";
	(void)inet_ntop(n->ip.len == 4 ? AF_INET : AF_INET6, n->ip.octet, host, sizeof(host));
	(void)snprintf(out, ADDRESS_NETWORK_TEXT_MAX, "%s/%u", host, n->prefix);
}

bool address_network_has(const struct address_network *n, const struct address_ip *ip)
{
	size_t whole = n->prefix / 8U;
	if (n->ip.len != ip->len || memcmp(n->ip.octet, ip->octet, whole) != 0) {
		return false;
	}
	uint8_t mask = (uint8_t)(0xff00U >> n->prefix % 8);
	return mask == 0 || ((n->ip.octet[whole] ^ ip->octet[whole]) & mask) == 0;
}

bool address_of_network(const struct address_network *n, uint16_t port, struct address *out)
{
	*out = (struct address){ 0 };
	if (n->prefix != n->ip.len * 8U) {
		return false;
	}
	if (n->ip.len == sizeof(out->v4.sin_addr)) {
		out->len = sizeof(out->v4);
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		memcpy(&out->v4.sin_addr, n->ip.octet, n->ip.len);
	} else if (n->ip.len == sizeof(out->v6.sin6_addr)) {
		out->len = sizeof(out->v6);
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(port);
		memcpy(&out->v6.sin6_addr, n->ip.octet, n->ip.len);
	}
	return out->len != 0;
}

/* server/tls_load.c - the certificate, key and authorities that the configuration names. */
#include "server/tls_load.h"

#include "zones/base/time.h"

/* Clients that look at it will not go on; others, who take any (RFC 7858 §4.1), are served. */
static void check_validity(const char *path, const struct tls_certificate *cert, int64_t now,
			   struct findings *findings)
{
	char text[32];
	if (now > cert->after) {
		time_to_ctime(cert->after, text);
		findings_add(findings, false,
			     "server.tls-certificate: %s: expired on %s UTC; renew it, and reload",
			     path, text);
	} else if (now < cert->before) {
		time_to_ctime(cert->before, text);
		findings_add(findings, false,
			     "server.tls-certificate: %s: not valid before %s UTC; is the clock "
			     "right?",
			     path, text);
	}
}

int tls_load(const struct config_server *c, int64_t now, struct tls_server **out,
	     struct findings *findings)
{
	const struct tls_files files = { .certificate = c->tls_certificate,
					 .key = c->tls_key,
					 .client_ca = *c->tls_client_ca != '\0' ? c->tls_client_ca
										: NULL };
	struct errmsg em = { "" };
	*out = NULL;
	if (c->listen_tls.count == 0) {
		return E_OK;
	}
	if (tls_server_new(&files, out, &em) != E_OK) {
		findings_add(findings, true, "TLS: %s", em.text);
		return E_CHECK;
	}
	check_validity(files.certificate, tls_server_certificate(*out), now, findings);
	return E_OK;
}

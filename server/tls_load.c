/* server/tls_load.c - the certificates, keys and authorities that the configuration names. */
#include "server/tls_load.h"

#include "zones/base/mem.h"
#include "zones/base/time.h"

/* Clients that look at it will not go on; others, who take any (RFC 7858 §4.1), are served. */
static void check_validity(const char *option, const char *path, const struct tls_certificate *cert,
			   int64_t now, struct findings *findings)
{
	char text[32];
	if (now > cert->after) {
		time_to_ctime(cert->after, text);
		findings_add(findings, false, "%s: %s: expired on %s UTC; renew it, and reload",
			     option, path, text);
	} else if (now < cert->before) {
		time_to_ctime(cert->before, text);
		findings_add(findings, false,
			     "%s: %s: not valid before %s UTC; is the clock right?", option, path,
			     text);
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
	check_validity("server.tls-certificate", files.certificate, tls_server_certificate(*out),
		       now, findings);
	return E_OK;
}

/* --- remotes --------------------------------------------------------------------------------- */

struct tls_remotes {
	const struct config_remote *remotes; /* of the configuration */
	size_t count;
	struct {
		int err;
		struct tls_client *client; /* NULL: none, or err says why */
		struct errmsg em;
	} list[]; /* as the configuration has them */
};

struct tls_remotes *tls_remotes_load(const struct config *c, int64_t now, struct findings *findings)
{
	struct tls_remotes *t = mem_zalloc(sizeof(*t) + c->remote_count * sizeof(t->list[0]));
	t->remotes = c->remotes;
	t->count = c->remote_count;
	for (size_t i = 0; i < c->remote_count; i++) {
		const struct config_remote *r = &c->remotes[i];
		const struct tls_expected want = { .hostname = r->tls_hostname,
						   .pins = r->pins,
						   .pin_count = r->tls_pins.count,
						   .ca = r->tls_ca,
						   .certificate = r->tls_certificate,
						   .key = r->tls_key };
		if (!config_remote_has_tls(r)) {
			continue;
		}
		t->list[i].err = tls_client_new(&want, &t->list[i].client, &t->list[i].em);
		if (t->list[i].err != E_OK) {
			findings_add(findings, true, "remote %s: %s", r->name, t->list[i].em.text);
		} else if (*r->tls_certificate != '\0') {
			check_validity("remotes.tls-certificate", r->tls_certificate,
				       tls_client_certificate(t->list[i].client), now, findings);
		}
	}
	return t;
}

void tls_remotes_free(struct tls_remotes *t)
{
	if (t != NULL) {
		for (size_t i = 0; i < t->count; i++) {
			tls_client_free(t->list[i].client);
		}
		mem_free(t);
	}
}

int tls_remotes_get(const struct tls_remotes *t, const struct config_remote *r,
		    struct tls_client **out, struct errmsg *em)
{
	const size_t i = (size_t)(r - t->remotes);
	*out = t->list[i].client;
	return t->list[i].err == E_OK ? E_OK
				      : err_set(em, t->list[i].err, "cannot be asked over TLS: %s",
						t->list[i].em.text);
}

/* server/tls_files.c - certificates, keys and authorities from PEM files. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>

#include "keys/crypto.h"
#include "server/tls_run.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"

#define FILE_MAX ((size_t)1 << 20)

/* --- the certificate ------------------------------------------------------------------------- */

/* An error of OpenSSL's: @em says what cannot be done. */
int tls_fail(struct errmsg *em, int err, const char *path, const char *what)
{
	char reason[200];
	return err_set(em, err, "%s: %s: %s", path, what, crypto_error(reason, sizeof(reason)));
}

static int read_file(const char *path, struct file_view *view, struct errmsg *em)
{
	int err = file_read(path, FILE_MAX, view, em);
	if (err == E_PERM) {
		size_t len = strlen(em->text);
		(void)snprintf(em->text + len, sizeof(em->text) - len,
			       "; let the user who runs signetd read it");
	}
	return err;
}

/* Is the newest error the one that says that there is no more PEM? */
static bool is_no_pem(void)
{
	unsigned long e = ERR_peek_last_error();
	return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

/* Those behind the first. */
static int add_chain(SSL_CTX *ctx, BIO *bio, const char *path, struct errmsg *em)
{
	X509 *x;
	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (SSL_CTX_add0_chain_cert(ctx, x) != 1) {
			X509_free(x);
			return tls_fail(em, E_CRYPTO, path,
					"a certificate behind the first cannot be used");
		}
	}
	if (!is_no_pem()) {
		return tls_fail(em, E_SYNTAX, path, "a certificate behind the first is damaged");
	}
	ERR_clear_error();
	return E_OK;
}

/* There is none that can be read. */
static int no_certificate(const char *path, struct errmsg *em)
{
	bool is_empty = is_no_pem();
	int err = tls_fail(em, E_SYNTAX, path, "the certificate is damaged");
	return is_empty
		       ? err_set(em, err,
				 "%s: there is no certificate in it; it has to be PEM, \"-----BEGIN "
				 "CERTIFICATE-----\"",
				 path)
		       : err;
}

static int use_certificate(SSL_CTX *ctx, BIO *bio, const char *path, struct errmsg *em)
{
	X509 *x = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	if (x == NULL) {
		return no_certificate(path, em);
	}
	int err = E_OK;
	if (SSL_CTX_use_certificate(ctx, x) != 1) {
		err = tls_fail(em, E_CRYPTO, path, "the certificate cannot be used");
	}
	X509_free(x);
	return err == E_OK ? add_chain(ctx, bio, path, em) : err;
}

/* What the certificates of a file are used for. */
typedef int use_file(SSL_CTX *ctx, BIO *bio, const char *path, struct errmsg *em);

static int load_file(SSL_CTX *ctx, use_file *use, const char *path, struct errmsg *em)
{
	struct file_view view;
	int err = read_file(path, &view, em);
	if (err != E_OK) {
		return err;
	}
	BIO *bio = BIO_new_mem_buf(view.data, (int)view.len);
	err = bio != NULL ? use(ctx, bio, path, em) : E_CRYPTO;
	BIO_free(bio);
	file_view_clear(&view);
	return err;
}

/* --- the key --------------------------------------------------------------------------------- */

/* Nobody is there to type it. */
/* The type is libcrypto's. NOLINTNEXTLINE(readability-non-const-parameter) */
static int no_password(char *to, int room, int is_new, void *is_asked)
{
	(void)to;
	(void)room;
	(void)is_new;
	*(bool *)is_asked = true;
	return -1;
}

/* The server may read it as a member of its group, once it has given up root. */
static int check_mode(const char *path, struct errmsg *em)
{
	struct stat st;
	if (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0) {
		return err_set(em, E_PERM, "%s: others can read it (mode %04o); run: chmod o= %s",
			       path, (unsigned)st.st_mode & 07777U, path);
	}
	return E_OK;
}

static int no_key(const char *path, bool is_there, struct errmsg *em)
{
	int err = tls_fail(em, E_SYNTAX, path, "the private key is damaged");
	return is_there ? err
			: err_set(em, E_SYNTAX,
				  "%s: there is no private key in it; it has to be PEM, "
				  "\"-----BEGIN PRIVATE KEY-----\"",
				  path);
}

static int is_locked(const char *path, struct errmsg *em)
{
	ERR_clear_error();
	return err_set(em, E_PERM,
		       "%s: the key is encrypted, and nobody is there to type its password; write "
		       "it in clear: openssl pkey -in %s -out ...",
		       path, path);
}

static int use_key(SSL_CTX *ctx, const struct file_view *view, const char *certificate,
		   const char *path, struct errmsg *em)
{
	static const char mark[] = "PRIVATE KEY-----";
	bool asks_password = false;
	BIO *bio = BIO_new_mem_buf(view->data, (int)view->len);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &asks_password);
	BIO_free(bio);
	if (key == NULL) {
		bool is_there = memmem(view->data, view->len, mark, sizeof(mark) - 1) != NULL;
		return asks_password ? is_locked(path, em) : no_key(path, is_there, em);
	}
	int err = E_OK;
	if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) != 1) {
		ERR_clear_error();
		err = err_set(em, E_MISMATCH,
			      "%s: this is not the key of the certificate in %s; name two files "
			      "that belong together",
			      path, certificate);
	} else if (SSL_CTX_use_PrivateKey(ctx, key) != 1) {
		err = tls_fail(em, E_CRYPTO, path, "the key cannot be used");
	}
	EVP_PKEY_free(key);
	return err;
}

int tls_use_certificate(SSL_CTX *ctx, const char *certificate, const char *key, struct errmsg *em)
{
	struct file_view view;
	int err = load_file(ctx, use_certificate, certificate, em);
	if (err == E_OK) {
		err = check_mode(key, em);
	}
	if (err == E_OK) {
		err = read_file(key, &view, em);
	}
	if (err != E_OK) {
		return err;
	}
	err = use_key(ctx, &view, certificate, key, em);
	mem_wipe(view.data, view.len);
	file_view_clear(&view);
	return err;
}

/* --- authorities ------------------------------------------------------------------------- */

static int add_authority(SSL_CTX *ctx, X509 *x, const char *path, struct errmsg *em)
{
	bool good = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x) == 1 &&
		    SSL_CTX_add_client_CA(ctx, x) == 1;
	X509_free(x);
	return good ? E_OK : tls_fail(em, E_CRYPTO, path, "a certificate cannot be used");
}

static int use_authorities(SSL_CTX *ctx, BIO *bio, const char *path, struct errmsg *em)
{
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	int err = x != NULL ? E_OK : no_certificate(path, em);
	while (err == E_OK && x != NULL) {
		err = add_authority(ctx, x, path, em);
		x = err == E_OK ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	}
	if (err == E_OK && !is_no_pem()) {
		err = tls_fail(em, E_SYNTAX, path, "a certificate behind the first is damaged");
	}
	ERR_clear_error();
	return err;
}

/* Each certificate of the file is trusted, not only those that have signed themselves. */
int tls_use_authorities(SSL_CTX *ctx, const char *path, struct errmsg *em)
{
	int err = load_file(ctx, use_authorities, path, em);
	if (err == E_OK &&
	    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN) != 1) {
		err = tls_fail(em, E_CRYPTO, path, "the authorities cannot be used");
	}
	return err;
}

/* --- what they say ---------------------------------------------------------------------------- */

static int64_t seconds_of(const ASN1_TIME *t)
{
	struct tm tm;
	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

void tls_describe(const X509 *x, struct tls_certificate *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	out->before = seconds_of(X509_get0_notBefore(x));
	out->after = seconds_of(X509_get0_notAfter(x));
	if (bio != NULL &&
	    X509_NAME_print_ex(bio, X509_get_subject_name(x), 0, XN_FLAG_ONELINE) >= 0) {
		long len = BIO_get_mem_data(bio, &text);
		(void)snprintf(out->subject, sizeof(out->subject), "%.*s", (int)len, text);
	}
	BIO_free(bio);
	ERR_clear_error();
}

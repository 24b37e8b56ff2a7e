/* test/unit/server/tls_kit.h - certificates, keys and authorities in a directory of their own, and servers that have them.
 *
 * They are made here, so that none in git expires. */
#ifndef TEST_UNIT_SERVER_TLS_KIT_H
#define TEST_UNIT_SERVER_TLS_KIT_H

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/tls.h"
#include "test/unit/unit.h"
#include "zones/base/file.h"

#define DAY 86400

/* --- files ----------------------------------------------------------------------------------- */

static char folder[64];

/* A path in the folder; one of several that are valid at a time. */
static const char *in_folder(const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *to = paths[next++ % ARRAY_LEN(paths)];
	(void)snprintf(to, sizeof(paths[0]), "%s/%s", folder, name);
	return to;
}

static inline void write_bio(BIO *bio, const char *path, mode_t mode)
{
	char *text;
	struct errmsg em = { "" };
	long len = BIO_get_mem_data(bio, &text);
	ck_assert_msg(file_write(path, mode, text, (size_t)len, &em) == E_OK, "%s", em.text);
	BIO_free(bio);
}

static inline X509 *make_certificate(EVP_PKEY *key, const char *name, int from_days, int to_days)
{
	X509 *x = X509_new();
	ck_assert_int_eq(X509_set_version(x, X509_VERSION_3), 1);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), (long)from_days * DAY);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), (long)to_days * DAY);
	(void)X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
					 (const uint8_t *)name, -1, -1, 0);
	(void)X509_set_issuer_name(x, X509_get_subject_name(x));
	(void)X509_set_pubkey(x, key);
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	return x;
}

/* NAME.pem and NAME.key, and NAME.chain: the certificate twice; NAME.locked: the key with a password. */
static inline void make_pair(const char *name, int from_days, int to_days)
{
	char file[32];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	ck_assert_ptr_nonnull(key);
	X509 *x = make_certificate(key, name, from_days, to_days);
	BIO *bio = BIO_new(BIO_s_mem());
	ck_assert_int_eq(PEM_write_bio_X509(bio, x), 1);
	(void)snprintf(file, sizeof(file), "%s.pem", name);
	write_bio(bio, in_folder(file), 0644);
	bio = BIO_new(BIO_s_mem());
	ck_assert_int_eq(PEM_write_bio_X509(bio, x), 1);
	ck_assert_int_eq(PEM_write_bio_X509(bio, x), 1);
	(void)snprintf(file, sizeof(file), "%s.chain", name);
	write_bio(bio, in_folder(file), 0644);
	bio = BIO_new(BIO_s_mem());
	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	(void)snprintf(file, sizeof(file), "%s.key", name);
	write_bio(bio, in_folder(file), 0600);
	bio = BIO_new(BIO_s_mem());
	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, EVP_aes_128_cbc(),
						  (const uint8_t *)"secret", 6, NULL, NULL),
			 1);
	(void)snprintf(file, sizeof(file), "%s.locked", name);
	write_bio(bio, in_folder(file), 0600);
	X509_free(x);
	EVP_PKEY_free(key);
}

static inline void write_pem(const char *name, const char *kind, X509 *x, EVP_PKEY *key)
{
	char file[32];
	BIO *bio = BIO_new(BIO_s_mem());
	(void)snprintf(file, sizeof(file), "%s.%s", name, kind);
	if (x != NULL) {
		ck_assert_int_eq(PEM_write_bio_X509(bio, x), 1);
		write_bio(bio, in_folder(file), 0644);
	} else {
		ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
		write_bio(bio, in_folder(file), 0600);
	}
}

static inline void add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	ck_assert_msg(e != NULL, "%s", value);
	ck_assert_int_eq(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* Who signs the certificates of clients. */
struct authority {
	EVP_PKEY *key;
	X509 *x;
};
static struct authority authority, between, stranger;

/* NAME.pem, the certificate of an authority below @by (NULL: by itself). */
static inline void make_authority(struct authority *a, const char *name, const struct authority *by)
{
	a->key = EVP_EC_gen("P-256");
	a->x = make_certificate(a->key, name, -1, 30);
	add_extension(a->x, NID_basic_constraints, "critical,CA:TRUE");
	(void)X509_set_issuer_name(a->x, X509_get_subject_name(by != NULL ? by->x : a->x));
	ck_assert_int_gt(X509_sign(a->x, by != NULL ? by->key : a->key, EVP_sha256()), 0);
	write_pem(name, "pem", a->x, NULL);
}

static inline void authority_clear(struct authority *a)
{
	X509_free(a->x);
	EVP_PKEY_free(a->key);
}

/* A client's certificate. */
struct wish {
	const char *names; /* subjectAltName, as in OpenSSL's configuration; NULL: none */
	const char *raw;   /* beside them a DNS name of these octets */
	size_t raw_len;
	const char *purposes; /* extendedKeyUsage; NULL: any */
	int from_days, to_days;
	const struct authority *by; /* NULL: by itself */
};

static inline void add_raw_name(X509 *x, const struct wish *wish)
{
	GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *n = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();
	ck_assert_int_eq(ASN1_STRING_set(s, wish->raw, (int)wish->raw_len), 1);
	GENERAL_NAME_set0_value(n, GEN_DNS, s);
	(void)sk_GENERAL_NAME_push(all, n);
	ck_assert_int_eq(X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, 0), 1);
	GENERAL_NAMES_free(all);
}

/* client.pem and client.key. */
static inline void make_client(const struct wish *wish)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = make_certificate(key, "cn.example", wish->from_days, wish->to_days);
	if (wish->names != NULL) {
		add_extension(x, NID_subject_alt_name, wish->names);
	}
	if (wish->raw != NULL) {
		add_raw_name(x, wish);
	}
	if (wish->purposes != NULL) {
		add_extension(x, NID_ext_key_usage, wish->purposes);
	}
	if (wish->by != NULL) {
		(void)X509_set_issuer_name(x, X509_get_subject_name(wish->by->x));
	}
	ck_assert_int_gt(X509_sign(x, wish->by != NULL ? wish->by->key : key, EVP_sha256()), 0);
	write_pem("client", "pem", x, NULL);
	write_pem("client", "key", NULL, key);
	X509_free(x);
	EVP_PKEY_free(key);
}

static inline void copy_part(const char *from, const char *to, size_t part, mode_t mode)
{
	struct file_view view;
	struct errmsg em;
	ck_assert_int_eq(file_read(in_folder(from), 1 << 20, &view, &em), E_OK);
	ck_assert_int_eq(
		file_write(in_folder(to), mode, view.data, part < view.len ? part : view.len, &em),
		E_OK);
	file_view_clear(&view);
}

static inline void make_files(void)
{
	const char *tmp = getenv("TMPDIR");
	struct errmsg em;
	(void)snprintf(folder, sizeof(folder), "%.40s/signet-tls-XXXXXX",
		       tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	make_pair("a", -1, 30);
	make_pair("b", -1, 30);
	make_pair("old", -30, -1);
	make_pair("new", 1, 30);
	copy_part("a.pem", "half.pem", 200, 0644);
	copy_part("a.key", "half.key", 100, 0600);
	copy_part("a.key", "open.key", SIZE_MAX, 0604);
	copy_part("a.key", "group.key", SIZE_MAX, 0640);
	ck_assert_int_eq(file_write(in_folder("empty"), 0600, "", 0, &em), E_OK);
	make_authority(&authority, "authority", NULL);
	make_authority(&between, "between", &authority);
	make_authority(&stranger, "stranger", NULL);
}

static inline void remove_files(void)
{
	static const char *const names[] = { "a",	"b",	    "old",   "new",
					     "half",	"open",	    "group", "authority",
					     "between", "stranger", "client" };
	static const char *const kinds[] = { "pem", "key", "chain", "locked" };
	char file[32];
	for (size_t i = 0; i < ARRAY_LEN(names) * ARRAY_LEN(kinds); i++) {
		(void)snprintf(file, sizeof(file), "%s.%s", names[i / ARRAY_LEN(kinds)],
			       kinds[i % ARRAY_LEN(kinds)]);
		(void)unlink(in_folder(file));
	}
	(void)unlink(in_folder("empty"));
	authority_clear(&authority);
	authority_clear(&between);
	authority_clear(&stranger);
	(void)rmdir(folder);
}

/* @client_ca: NULL: clients are not asked. */
static inline struct tls_server *asking_server(const char *certificate, const char *key,
					       const char *client_ca)
{
	const struct tls_files files = { in_folder(certificate), in_folder(key),
					 client_ca != NULL ? in_folder(client_ca) : NULL };
	struct tls_server *s = NULL;
	struct errmsg em = { "" };
	ck_assert_msg(tls_server_new(&files, &s, &em) == E_OK, "%s", em.text);
	return s;
}

static inline struct tls_server *server_of(const char *certificate, const char *key)
{
	return asking_server(certificate, key, NULL);
}

#endif

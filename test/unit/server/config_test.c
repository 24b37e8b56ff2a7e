/* test/unit/server/config_test.c - the configuration: defaults, each option, and what is said of bad ones.
 *
 * Tests that concern "each option" walk the table, so that a new row is tested or makes a test fail. */
#include "server/config.h"

#include <ctype.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/config_type.h"
#include "test/unit/unit.h"
#include "zones/base/file.h"
#include "zones/base/mem.h"
#include "zones/base/text.h"
#include "zones/dns/dname.h"

#define FOLDER "test/data/config"

/* --- help ------------------------------------------------------------------------------------ */

/* All findings, one a line. */
static char *text_of(struct findings *f)
{
	struct buf b = { 0 };
	buf_str(&b, "");
	for (size_t i = 0; i < f->count; i++) {
		buf_printf(&b, "%s%s\n", f->items[i].is_error ? "" : "warning: ", f->items[i].text);
	}
	findings_clear(f);
	return b.data;
}

/* Reads @text without a look at files; NULL when it is refused. */
static struct config *read_text(const char *text)
{
	const struct config_source source = {
		.path = "t.yaml", .data = text, .len = strlen(text), .only_text = true
	};
	struct findings f = { 0 };
	struct config *c = NULL;
	if (config_parse(&source, &c, &f) != E_OK) {
		ck_assert_uint_ne(f.errors, 0);
	}
	findings_clear(&f);
	return c;
}

static char *print(const struct config *c, enum config_print how)
{
	struct buf b = { 0 };
	config_print(c, how, &b);
	return b.data;
}

static char *print_member(const struct config_option *o, const void *base)
{
	static const struct config_style style = { 0 };
	struct buf b = { 0 };
	config_type_print(&b, o, (const char *)base + o->offset, &style);
	return b.data;
}

static void assert_has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in:\n%s", part, text);
}

/* Of catalogs, and of what is in them. */
static bool is_of_catalogs(const struct config_option *o)
{
	return strncmp(o->path, "zones.catalog", strlen("zones.catalog")) == 0 ||
	       strcmp(o->path, "zones.template") == 0;
}

/* Of a zone that is signed or updated. */
static bool needs_database(const struct config_option *o)
{
	return is_of_catalogs(o) || strcmp(o->path, "zones.dnssec") == 0 ||
	       strcmp(o->path, "zones.allow-update") == 0 ||
	       strcmp(o->path, "zones.update-policy") == 0 ||
	       strcmp(o->path, "zones.primaries") == 0 ||
	       strcmp(o->path, "zones.allow-update-forwarding") == 0;
}

/* What an option of catalogs needs beside it, in its zone and behind. */
static void add_catalogs(const struct config_option *o, struct buf *b)
{
	const char *key = o->path + strlen("zones.");
	const bool is_consumer = strcmp(key, "catalog-role") == 0 ||
				 strcmp(key, "catalog-template") == 0 ||
				 strcmp(key, "catalog-groups") == 0;
	if (is_consumer && strcmp(key, "catalog-role") != 0) {
		buf_str(b, "    catalog-role: consumer\n");
	}
	if (is_consumer && strcmp(key, "catalog-template") != 0) {
		buf_str(b, "    catalog-template: members\n");
	}
	if (strcmp(key, "catalog-group") == 0) {
		buf_str(b, "    catalog-zone: cat.example\n");
	}
	buf_str(b,
		"  - { name: cat.example, catalog-role: producer }\n"
		"templates: [ { name: members, primaries: office }, { name: plain, serial: date } ]\n");
}

/* A configuration that sets the option to @value, and a zone. */
static char *text_with(const struct config_option *o, const char *value)
{
	struct buf b = { 0 };
	const char *dot = strchr(o->path, '.');
	if (strcmp(o->path, "remotes.keys") == 0) {
		buf_str(&b, "keys: [ { name: k.example, secret: c2VjcmV0 } ]\n");
	}
	if (strcmp(o->path, "remotes.tls-names") == 0) {
		buf_str(&b, "server: { tls-client-ca: ca.pem }\n");
	}
	if (o->scope == CONFIG_KEY || o->scope == CONFIG_REMOTE || o->scope == CONFIG_POLICY) {
		static const char *const needed[] = {
			"keys.name",	    "k.example", "keys.secret",	      "c2VjcmV0",
			"remotes.name",	    "office",	 "remotes.addresses", "[192.0.2.1]",
			"policies.name",    "p",	 "policies.validity", "1y",
			"policies.refresh", "60s",	 "policies.jitter",   "0s"
		};
		buf_printf(&b, "%s:\n  - %s: %s\n", config_lists[o->scope].key, dot + 1, value);
		for (size_t i = 0; i < ARRAY_LEN(needed); i += 2) {
			if (strncmp(needed[i], o->path, (size_t)(dot - o->path + 1)) == 0 &&
			    strcmp(needed[i], o->path) != 0 &&
			    (strcmp(needed[i], "keys.secret") != 0 ||
			     strcmp(o->path, "keys.file") != 0)) {
				buf_printf(&b, "    %s: %s\n", strchr(needed[i], '.') + 1,
					   needed[i + 1]);
			}
		}
		if (strcmp(o->path, "remotes.tls-ca") == 0) {
			buf_str(&b, "    tls-hostname: ns1.example.com\n");
		} else if (strcmp(o->path, "remotes.tls-certificate") == 0) {
			buf_str(&b, "    tls-hostname: ns1.example.com\n    tls-key: ours.key\n");
		} else if (strcmp(o->path, "remotes.tls-key") == 0) {
			buf_str(&b, "    tls-hostname: ns1.example.com\n"
				    "    tls-certificate: ours.pem\n");
		}
	} else if (o->scope == CONFIG_ZONE) {
		if (needs_database(o)) {
			buf_str(&b, "server: { database: db }\npolicies: [ { name: other } ]\n");
		}
		bool is_name = strcmp(o->path, "zones.name") == 0;
		bool is_file = strcmp(o->path, "zones.file") == 0;
		buf_str(&b, "remotes: [ { name: office, addresses: 192.0.2.1 } ]\n");
		buf_printf(&b, "zones:\n  - name: %s\n", is_name ? value : "example.com");
		if (strcmp(o->path, "zones.allow-update-forwarding") == 0) {
			buf_str(&b, "    primaries: office\n");
		} else if (strcmp(o->path, "zones.primaries") != 0) {
			buf_printf(&b, "    file: %s\n", is_file ? value : "example.com.zone");
		}
		if (!is_name && !is_file) {
			buf_printf(&b, "    %s: %s\n", dot + 1, value);
		}
		if (is_of_catalogs(o)) {
			add_catalogs(o, &b);
		}
	} else {
		const char *key = o->path;
		int indent = 0;
		for (; dot != NULL; dot = strchr(key, '.'), indent += 2) {
			buf_printf(&b, "%*s%.*s:\n", indent, "", (int)(dot - key), key);
			key = dot + 1;
		}
		buf_printf(&b, "%*s%s: %s\n", indent, "", key, value);
		if (strcmp(o->path, "server.listen-tls") == 0) {
			buf_str(&b, "  tls-certificate: tls.pem\n  tls-key: tls.key\n");
		}
	}
	return b.data;
}

/* The first item of the option's list, or the configuration itself. */
static const void *base_of(const struct config_option *o, const struct config *c)
{
	const void *items = c;
	if (o->scope != CONFIG_TOP) {
		memcpy(&items, (const char *)c + config_lists[o->scope].items, sizeof(items));
	}
	return items;
}

/* --- defaults -------------------------------------------------------------------------------- */

START_TEST(defaults_are_as_documented)
{
	struct config *c = config_new();
	char text[ADDRESS_TEXT_MAX];
	ck_assert_uint_eq(c->server.listen.count, 2);
	ck_assert(c->server.listen.is_default);
	address_to_text(&c->server.listen.list[0], text);
	ck_assert_str_eq(text, "0.0.0.0@53");
	address_to_text(&c->server.listen.list[1], text);
	ck_assert_str_eq(text, "::@53");
	ck_assert_uint_eq(c->server.workers, 0);
	ck_assert_str_eq(c->server.user, "");
	ck_assert_str_eq(c->server.group, "");
	ck_assert_str_eq(c->server.pid_file, "");
	ck_assert_uint_eq(c->server.udp_size, 1232);
	ck_assert_uint_eq(c->server.udp_buffer, 4 << 20);
	ck_assert_uint_eq(c->server.tcp_clients, 1000);
	ck_assert_uint_eq(c->server.tcp_clients_per_address, 100);
	ck_assert_uint_eq(c->server.tcp_idle_timeout_s, 10);
	ck_assert_uint_eq(c->server.tcp_output, 128 << 10);
	ck_assert_uint_eq(c->server.listen_tls.count, 0);
	ck_assert_str_eq(c->server.tls_certificate, "");
	ck_assert_str_eq(c->server.tls_key, "");
	ck_assert_uint_eq(c->server.tls_handshakes, 100);
	ck_assert_int_eq(c->server.minimal_responses, CONFIG_YES);
	ck_assert_int_eq(c->server.rotate_rrsets, CONFIG_NO);
	ck_assert_str_eq(c->server.identity, "");
	ck_assert_str_eq(c->server.version, "");
	ck_assert_str_eq(c->server.nsid, "");
	ck_assert_int_eq(c->server.cookies, CONFIG_YES);
	ck_assert_str_eq(c->server.cookie_secret, "");
	ck_assert_ptr_null(c->server.report_channel);
	ck_assert_uint_eq(c->server.rrl.rate, 0);
	ck_assert_uint_eq(c->server.rrl.window_s, 15);
	ck_assert_uint_eq(c->server.rrl.slip, 2);
	ck_assert_uint_eq(c->server.rrl.prefix_v4, 24);
	ck_assert_uint_eq(c->server.rrl.prefix_v6, 56);
	ck_assert_uint_eq(c->server.rrl.table_size, 65536);
	ck_assert_uint_eq(c->server.rrl.exempt.count, 0);
	ck_assert_int_eq(c->log.level, LOG_LEVEL_INFO);
	ck_assert_int_eq(c->log.target, LOG_TO_STDERR);
	ck_assert_int_eq(c->log.format, CONFIG_LOG_TEXT);
	ck_assert_uint_eq(c->zone_count, 0);
	struct check_levels levels;
	check_levels_init(&levels);
	ck_assert_mem_eq(&c->checks, &levels, sizeof(levels));
	config_free(c);
	config_free(NULL);
}
END_TEST

START_TEST(what_is_written_down_is_no_default)
{
	static const struct {
		const char *text;
		bool is_default;
	} rows[] = { { "server: {workers: 1}\n", true },
		     { "server: {listen: [0.0.0.0, \"::\"]}\n", false },
		     { "server: {listen: \"::\"}\n", false } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config *c = read_text(rows[i].text);
		ck_assert_ptr_nonnull(c);
		ck_assert(c->server.listen.is_default == rows[i].is_default);
		config_free(c);
	}
}
END_TEST

/* What --defaults prints can be the start of a configuration: it reads back to the defaults. */
START_TEST(the_example_reads_back_to_the_defaults)
{
	struct config *c = config_new();
	char *example = print(c, CONFIG_PRINT_COMMENTS);
	struct config *again = read_text(example);
	ck_assert_ptr_nonnull(again);
	char *before = print(c, CONFIG_PRINT_PLAIN);
	char *after = print(again, CONFIG_PRINT_PLAIN);
	ck_assert_str_eq(before, after);
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		const char *dot = strrchr(o->path, '.');
		assert_has(example, dot != NULL ? dot + 1 : o->path);
	}
	for (const char *line = example; *line != '\0'; line += strcspn(line, "\n") + 1) {
		ck_assert_uint_le(strcspn(line, "\n"), 80);
	}
	free(example);
	free(before);
	free(after);
	config_free(c);
	config_free(again);
}
END_TEST

/* Its zone, which is a comment, is right once the marks in front are taken away. */
START_TEST(the_example_zone_is_right)
{
	struct config *c = config_new();
	char *example = print(c, CONFIG_PRINT_COMMENTS);
	char *line = strstr(example, "# zones:\n");
	ck_assert_ptr_nonnull(line);
	while (*line != '\0') {
		ck_assert_mem_eq(line, "# ", 2);
		memmove(line, line + 2, strlen(line + 2) + 1);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	struct config *again = read_text(example);
	ck_assert_ptr_nonnull(again);
	ck_assert_uint_eq(again->zone_count, 1);
	free(example);
	config_free(c);
	config_free(again);
}
END_TEST

/* --- each option ----------------------------------------------------------------------------- */

/* A value other than the default for each option, and how it is printed. */
static const struct {
	const char *path;
	const char *value;
	const char *printed;
} others[] = {
	{ "server.listen", "[127.0.0.1@8853, \"::1@8853\"]",
	  "\n  - \"127.0.0.1@8853\"\n  - \"::1@8853\"\n" },
	{ "server.workers", "3", " 3\n" },
	{ "server.user", "\"a b\"", " \"a b\"\n" },
	{ "server.group", "dns", " dns\n" },
	{ "server.control", "run/control", " run/control\n" },
	{ "server.pid-file", "'run/a\"\\b'", " \"run/a\\\"\\\\b\"\n" },
	{ "server.udp-size", "4k", " 4K\n" },
	{ "server.udp-buffer", "1G", " 1G\n" },
	{ "server.tcp-clients", "123", " 123\n" },
	{ "server.tcp-clients-per-address", "7", " 7\n" },
	{ "server.tcp-idle-timeout", "90", " 1m30s\n" },
	{ "server.tcp-output", "8192", " 8K\n" },
	{ "server.transfers-out", "7", " 7\n" },
	{ "server.transfers-out-per-address", "1", " 1\n" },
	{ "server.transfers-in", "7", " 7\n" },
	{ "server.transfers-in-per-primary", "1", " 1\n" },
	{ "server.transfer-time", "1m", " 1m\n" },
	{ "server.transfer-records", "1000", " 1000\n" },
	{ "server.listen-tls", "[127.0.0.1, \"::1@8853\"]",
	  "\n  - \"127.0.0.1@853\"\n  - \"::1@8853\"\n" },
	{ "server.tls-certificate", "tls.pem", " tls.pem\n" },
	{ "server.tls-client-ca", "ca.pem", " ca.pem\n" },
	{ "server.tls-key", "/etc/tls.key", " /etc/tls.key\n" },
	{ "server.tls-handshakes", "0", " 0\n" },
	{ "server.minimal-responses", "no", " no\n" },
	{ "server.rotate-rrsets", "yes", " yes\n" },
	{ "server.identity", "'ns1 \"größe\"'", " \"ns1 \\\"größe\\\"\"\n" },
	{ "server.version", "'none: of your business'", NULL },
	{ "server.nsid", "ns1.example", " ns1.example\n" },
	{ "server.cookies", "no", " no\n" },
	{ "server.cookie-secret", "cookie.secret", " cookie.secret\n" },
	{ "server.report-channel", "Report.Example", " Report.Example.\n" },
	{ "server.rrl.rate", "100", " 100\n" },
	{ "server.rrl.window", "1m", " 1m\n" },
	{ "server.rrl.slip", "0", " 0\n" },
	{ "server.rrl.ipv4-prefix", "32", " 32\n" },
	{ "server.rrl.ipv6-prefix", "64", " 64\n" },
	{ "server.rrl.table-size", "100000", " 100000\n" },
	{ "server.rrl.exempt", "[ 192.0.2.0/24, \"2001:DB8::\" ]",
	  "\n  - \"192.0.2.0/24\"\n  - \"2001:db8::/128\"\n" },
	{ "log.level", "debug", " debug\n" },
	{ "log.target", "syslog", " syslog\n" },
	{ "server.database", "db", " db\n" },
	{ "server.journal-size", "64M", " 64M\n" },
	{ "server.jobs", "3", " 3\n" },
	{ "server.max-removed", "no", " no\n" },
	{ "server.journal-max-age", "90d", " 12w6d\n" },
	{ "zones.journal-max-size", "1M", " 1M\n" },
	{ "zones.journal-max-age", "1d", " 1d\n" },
	{ "server.watch", "yes", " yes\n" },
	{ "zones.watch", "yes", " yes\n" },
	{ "zones.max-removed", "1000", " 1000\n" },
	{ "log.format", "json", " json\n" },
	{ "checks", "{soa: ignore, string-length: error}", NULL },
	{ "zones.name", "'Sub\\\"\\ ,.Example\\.X'", " \"Sub\\\\\\\"\\\\032,.Example\\\\.X.\"\n" },
	{ "zones.file", "größe.zone", " \"größe.zone\"\n" },
	{ "zones.checks", "{ttl-differs: error}", NULL },
	{ "zones.dnssec", "other", " other\n" },
	{ "zones.key-directory", "keys", " keys\n" },
	{ "zones.serial", "unixtime", " unixtime\n" },
	{ "zones.allow-update", "[ deny 192.0.2.1, 192.0.2.0/24 ]",
	  "\n  - \"deny 192.0.2.1\"\n  - 192.0.2.0/24\n" },
	{ "zones.allow-transfer", "[ deny 192.0.2.1, any ]",
	  "\n  - \"deny 192.0.2.1\"\n  - any\n" },
	{ "zones.primaries", "[ office ]", "\n  - office\n" },
	{ "zones.allow-update-forwarding", "192.0.2.1", "\n  - 192.0.2.1\n" },
	{ "zones.allow-notify", "192.0.2.1", "\n  - 192.0.2.1\n" },
	{ "zones.notify", "[ office, office ]", "\n  - office\n  - office\n" },
	{ "zones.notify-ns", "no", " no\n" },
	{ "zones.update-policy", "[ deny * name a.example TXT, grant * zonesub ]",
	  "\n  - \"deny * name a.example TXT\"\n  - \"grant * zonesub\"\n" },
	{ "zones.template", "Plain", " Plain.\n" },
	{ "zones.catalog-role", "consumer", " consumer\n" },
	{ "zones.catalog-template", "members", " members.\n" },
	{ "zones.catalog-groups", "{ Signed: members, \"two words\": members }",
	  "\n  Signed: members\n  \"two words\": members\n" },
	{ "zones.catalog-zone", "cat.example.", " cat.example.\n" },
	{ "zones.catalog-group", "two words", " \"two words\"\n" },
	{ "remotes.name", "Office", " Office\n" },
	{ "remotes.addresses", "[ 192.0.2.0/24, \"2001:db8::1\" ]",
	  "\n  - \"192.0.2.0/24\"\n  - \"2001:db8::1/128\"\n" },
	{ "remotes.port", "5353", " 5353\n" },
	{ "remotes.keys", "[ k.example ]", "\n  - k.example\n" },
	{ "remotes.tls-names", "[ ns2.example, ns3.example ]",
	  "\n  - ns2.example\n  - ns3.example\n" },
	{ "remotes.tls-hostname", "ns1.example.com", " ns1.example.com\n" },
	{ "remotes.tls-pins", "OPFCzlBNCKYKwYvEICgAqKeEzPXRKzkzPOL8L3s0hfA=",
	  "\n  - \"OPFCzlBNCKYKwYvEICgAqKeEzPXRKzkzPOL8L3s0hfA=\"\n" },
	{ "remotes.tls-ca", "ca.pem", " ca.pem\n" },
	{ "remotes.tls-certificate", "ours.pem", " ours.pem\n" },
	{ "remotes.tls-key", "ours.key", " ours.key\n" },
	{ "remotes.tls-port", "8853", " 8853\n" },
	{ "keys.name", "Update.Example", " Update.Example.\n" },
	{ "keys.algorithm", "hmac-sha512-256", " hmac-sha512-256\n" },
	{ "keys.file", "k.key", " k.key\n" },
	{ "server.session-key", "'/run/signet/session.key'", " /run/signet/session.key\n" },
	{ "keys.secret", "c2VjcmV0c2VjcmV0", " c2VjcmV0c2VjcmV0\n" },
	{ "policies.name", "p2", " p2\n" },
	{ "policies.algorithm", "ed25519", " ed25519\n" },
	{ "policies.keys", "csk", " csk\n" },
	{ "policies.auto-generate", "no", " no\n" },
	{ "policies.denial", "nsec3-opt-out", " nsec3-opt-out\n" },
	{ "policies.validity", "30d", " 4w2d\n" },
	{ "policies.refresh", "7d", " 1w\n" },
	{ "policies.jitter", "1d", " 1d\n" },
	{ "policies.dnskey-ttl", "2h", " 2h\n" },
	{ "policies.zonemd", "sha384", " sha384\n" },
	{ "policies.update-nsec3param", "no", " no\n" },
	{ "policies.update-keys", "yes", " yes\n" },
};

START_TEST(every_option_survives_printing)
{
	struct config *defaults = config_new();
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		size_t i = 0;
		while (i < ARRAY_LEN(others) && strcmp(others[i].path, o->path) != 0) {
			i++;
		}
		ck_assert_msg(i < ARRAY_LEN(others), "no value to test %s with", o->path);
		char *text = text_with(o, others[i].value);
		struct config *c = read_text(text);
		ck_assert_msg(c != NULL, "%s: %s is refused", o->path, others[i].value);
		char *is = print_member(o, base_of(o, c));
		if (others[i].printed != NULL) {
			ck_assert_str_eq(is, others[i].printed);
		}
		if (o->scope == CONFIG_TOP) {
			char *was = print_member(o, defaults);
			ck_assert_msg(strcmp(was, is) != 0, "%s: the default", o->path);
			free(was);
		}
		char *printed = print(c, CONFIG_PRINT_PLAIN);
		struct config *again = read_text(printed);
		ck_assert_msg(again != NULL, "refused:\n%s", printed);
		char *printed_again = print(again, CONFIG_PRINT_PLAIN);
		ck_assert_str_eq(printed, printed_again);
		char *is_again = print_member(o, base_of(o, again));
		ck_assert_str_eq(is, is_again);
		free(text);
		free(is);
		free(is_again);
		free(printed);
		free(printed_again);
		config_free(c);
		config_free(again);
	}
	config_free(defaults);
}
END_TEST

/* The ends of a range are in it, their neighbours outside are not. */
START_TEST(every_range_ends_where_it_says)
{
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		bool is_quantity = o->type == CONFIG_NUMBER || o->type == CONFIG_SIZE ||
				   o->type == CONFIG_DURATION;
		if (!is_quantity) {
			continue;
		}
		const uint64_t values[4] = { o->min - 1, o->min, o->max, o->max + 1 };
		for (unsigned i = o->min == 0; i < 4; i++) {
			char value[24];
			(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)values[i]);
			char *text = text_with(o, value);
			if (strcmp(o->path, "server.workers") == 0) {
				struct buf b = { 0 };
				buf_printf(&b, "%s  tcp-clients: 1000000\n", text);
				free(text);
				text = b.data;
			}
			struct config *c = read_text(text);
			bool taken = i == 1 || i == 2;
			ck_assert_msg((c != NULL) == taken, "%s: %s is %s", o->path, value,
				      taken ? "refused" : "taken");
			if (taken) {
				uint32_t is;
				memcpy(&is, (const char *)base_of(o, c) + o->offset, sizeof(is));
				ck_assert_uint_eq(is, values[i]);
			}
			free(text);
			config_free(c);
		}
	}
}
END_TEST

/* Each option has its entry in signet.yaml(5), with its default, and there are no other entries. */
START_TEST(the_manual_has_every_option)
{
	struct file_view view;
	struct errmsg em = { "" };
	ck_assert_msg(file_read("man/signet.yaml.5", 1 << 20, &view, &em) == E_OK, "%s", em.text);
	char *page = mem_str(view.data, view.len);
	file_view_clear(&view);
	char *to = page;
	for (const char *from = page; *from != '\0'; from++) { /* "\-" is a hyphen */
		if (from[0] != '\\' || from[1] != '-') {
			*to++ = *from;
		}
	}
	*to = '\0';
	size_t options = 0;
	for (const struct config_option *o = config_options; o->path != NULL; o++, options++) {
		struct buf entry = { 0 };
		buf_printf(&entry, "\n.TP\n.B %s\n", o->path);
		const char *at = strstr(page, entry.data);
		ck_assert_msg(at != NULL, "man/signet.yaml.5 has no entry %s", o->path);
		const char *next = strstr(at + 1, "\n.TP\n");
		size_t len = next != NULL ? (size_t)(next - at) : strlen(at);
		bool simple = o->value != NULL && strpbrk(o->value, "[{") == NULL;
		buf_reset(&entry);
		if (o->value == NULL) {
			buf_str(&entry, "Required.");
		} else if (simple && strcmp(o->value, "\"\"") != 0) {
			buf_printf(&entry, "Default: %s.", o->value);
		} else {
			buf_str(&entry, "Default: ");
		}
		ck_assert_msg(memmem(at, len, entry.data, entry.len) != NULL,
			      "man/signet.yaml.5: %s lacks \"%s\"", o->path, entry.data);
		buf_reset(&entry);
		buf_str(&entry, "needs a restart");
		ck_assert_msg((memmem(at, len, entry.data, entry.len) != NULL) ==
				      (o->when == CONFIG_RESTART),
			      "man/signet.yaml.5: %s is wrong about the restart", o->path);
		buf_clear(&entry);
	}
	size_t entries = 0;
	const char *end = strstr(page, "\n.SH EXAMPLES");
	for (const char *at = strstr(page, "\n.SH OPTIONS"); at != NULL && at < end;
	     at = strstr(at + 1, "\n.TP\n")) {
		entries++;
	}
	ck_assert_uint_eq(entries - 1, options);
	mem_free(page);
}
END_TEST

/* --- zones ----------------------------------------------------------------------------------- */

static void assert_zone(const struct config *c, size_t i, const char *name, const char *file)
{
	char text[DNAME_TEXT_MAX];
	ck_assert_uint_lt(i, c->zone_count);
	(void)dname_to_text(c->zones[i].name, text);
	ck_assert_str_eq(text, name);
	ck_assert_str_eq(c->zones[i].file, file);
}

START_TEST(zones_are_absolute_and_keep_their_order)
{
	struct config *c = read_text("zones:\n"
				     "  - {name: org., file: /z/org}\n"
				     "  - {name: Example.COM, file: com}\n"
				     "  - {name: ., file: ../root.zone}\n"
				     "  - {name: 2.0.192.in-addr.arpa, file: rev}\n");
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(c->zone_count, 4);
	assert_zone(c, 0, "org.", "/z/org");
	assert_zone(c, 1, "Example.COM.", "com");
	assert_zone(c, 2, ".", "../root.zone");
	assert_zone(c, 3, "2.0.192.in-addr.arpa.", "rev");
	ck_assert_uint_eq(c->zones[2].place.line, 4);
	ck_assert_uint_eq(c->zones[2].place.column, 12);
	config_free(c);
}
END_TEST

/* The checks at the top hold for all zones, wherever in the file they stand. */
START_TEST(zones_inherit_the_checks)
{
	struct config *c = read_text("zones:\n"
				     "  - {name: a, file: a}\n"
				     "  - {name: b, file: b, checks: {soa: warn}}\n"
				     "checks: {soa: ignore, ttl-differs: error}\n");
	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(c->checks.level[CHECK_SOA], CHECK_IGNORE);
	ck_assert_int_eq(c->zones[0].checks.level[CHECK_SOA], CHECK_IGNORE);
	ck_assert_int_eq(c->zones[1].checks.level[CHECK_SOA], CHECK_WARN);
	ck_assert_int_eq(c->zones[0].checks.level[CHECK_TTL], CHECK_ERROR);
	ck_assert_int_eq(c->zones[1].checks.level[CHECK_TTL], CHECK_ERROR);
	ck_assert_int_eq(c->zones[0].checks.level[CHECK_APEX_NS], CHECK_ERROR);
	/* Only what a zone has of its own is printed with it. */
	char *printed = print(c, CONFIG_PRINT_PLAIN);
	assert_has(printed, "  - name: a.\n    file: a\n    dnssec: no\n");
	assert_has(printed, "  - name: b.\n    file: b\n    checks:\n"
			    "      soa: warn\n");
	free(printed);
	config_free(c);
}
END_TEST

/* With primaries that of the server does not count. */
START_TEST(whose_removals_are_bounded)
{
	static const struct config_part expected[] = {
		{ 20, true, false }, { 7, false, true },  { CONFIG_PART_ALL, false, false },
		{ 30, true, true },  { 40, true, true },  { CONFIG_PART_ALL, false, true },
		{ 50, true, true },  { 20, true, false }, { CONFIG_PART_ALL, false, false },
	};
	struct config *c = read_text("server: { database: db, max-removed: 20% }\n"
				     "remotes: [ { name: r, addresses: 192.0.2.1 } ]\n"
				     "templates:\n"
				     "  - { name: t, primaries: r, max-removed: 40% }\n"
				     "  - { name: u }\n"
				     "zones:\n"
				     "  - { name: z0, file: f }\n"
				     "  - { name: z1, file: f, max-removed: 7 }\n"
				     "  - { name: z2, primaries: r }\n"
				     "  - { name: z3, primaries: r, max-removed: 30% }\n"
				     "  - { name: z4, template: t }\n"
				     "  - { name: z5, template: t, max-removed: no }\n"
				     "  - { name: z6, template: t, max-removed: 50% }\n"
				     "  - { name: z7, template: u, file: f }\n"
				     "  - { name: z8, template: u, primaries: r }\n");
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct config_part *have = &c->zones[i].max_removed;
		ck_assert_msg(have->count == expected[i].count &&
				      have->is_percent == expected[i].is_percent &&
				      have->is_set == expected[i].is_set,
			      "z%zu: %u", i, have->count);
	}
	config_free(c);
}
END_TEST

START_TEST(paths_start_at_the_file)
{
	static const char text[] = "server: {pid-file: run/pid}\n"
				   "zones: [{name: example.com, file: example.com.zone}]\n";
	static const struct {
		const char *path;
		const char *file; /* NULL: the file does not exist from there */
	} cases[] = {
		{ FOLDER "/x.yaml", FOLDER "/example.com.zone" },
		{ "./" FOLDER "/x.yaml", "./" FOLDER "/example.com.zone" },
		{ "x.yaml", NULL },
		{ "/x.yaml", NULL },
	};
	char cwd[1024];
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config_source source = { .path = cases[i].path,
						.data = text,
						.len = strlen(text) };
		struct findings f = { 0 };
		struct config *c = NULL;
		struct buf expected = { 0 };
		int err = config_parse(&source, &c, &f);
		char *said = text_of(&f);
		if (cases[i].file == NULL) {
			ck_assert_int_eq(err, E_CHECK);
			buf_printf(&expected, "cannot read \"%s/example.com.zone\"",
				   source.path[0] == '/' ? "" : cwd);
			assert_has(said, expected.data);
		} else {
			ck_assert_msg(err == E_OK, "%s", said);
			buf_printf(&expected, "%s/%s", cwd, cases[i].file);
			ck_assert_str_eq(c->zones[0].file, expected.data);
			assert_has(c->server.pid_file, "/run/pid");
		}
		free(said);
		buf_clear(&expected);
		config_free(c);
	}
}
END_TEST

START_TEST(a_file_is_loaded)
{
	static const char *const bad[] = { FOLDER "/no-such-file.yaml", FOLDER };
	struct findings f = { 0 };
	struct config *c = NULL;
	ck_assert_int_eq(config_load(FOLDER "/good.yaml", &c, &f), E_OK);
	ck_assert_uint_eq(f.count, 0);
	ck_assert_uint_eq(c->zone_count, 2);
	ck_assert_str_eq(c->server.user, "nobody");
	config_free(c);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c = NULL;
		ck_assert_int_eq(config_load(bad[i], &c, &f), E_CHECK);
		ck_assert_ptr_null(c);
		char *said = text_of(&f);
		assert_has(said, bad[i]);
		free(said);
	}
}
END_TEST

/* --- zones that were added ------------------------------------------------------------------- */

static struct config *with_added(const char *text, const char *added, char **said)
{
	struct findings f = { 0 };
	struct config *c = NULL;
	const struct config_source source = { .path = "t.yaml",
					      .data = text,
					      .len = strlen(text),
					      .added = added,
					      .added_len = strlen(added),
					      .only_text = true };
	(void)!config_parse(&source, &c, &f);
	*said = text_of(&f);
	return c;
}

START_TEST(zones_that_were_added_are_zones)
{
	static const char *const configurations[] = {
		"server: { database: d }\nzones:\n  - { name: a, file: x }\n",
		"server: { database: d }\nzones:\n  - { name: a, file: x }\n",
		"server: { database: d }\nzones:\n",
		"server: { database: d }\n",
	};
	static const char *const added[] = {
		"zones:\n  - name: b\n    file: y\n  - name: c\n    file: z\n    dnssec: default\n",
		"zones:\n",
		"zones: [ { name: b, file: y } ]",
		"# none\nzones:\n  - { name: b, file: y }\n",
	};
	static const size_t counts[] = { 3, 1, 1, 1 };
	for (size_t i = 0; i < ARRAY_LEN(added); i++) {
		char *said;
		struct buf text = { 0 };
		struct config *c = with_added(configurations[i], added[i], &said);
		ck_assert_msg(c != NULL, "%s", said);
		ck_assert_uint_eq(c->zone_count, counts[i]);
		config_print(c, CONFIG_PRINT_PLAIN, &text);
		ck_assert_ptr_null(strstr(text.data, "name: b"));
		buf_clear(&text);
		config_free(c);
		free(said);
	}
}
END_TEST

START_TEST(what_is_wrong_with_added_zones_is_said_there)
{
	static const char configuration[] =
		"server: { database: d }\nzones:\n  - { name: a, file: x, checks: { x: warn } }\n";
	static const struct {
		const char *added, *said;
	} cases[] = {
		{ "zones:\n  - name: b\n    fil: y\n", "d/zones.yaml:3:5: unknown key \"fil\"" },
		{ "zones:\n  - name: A\n    file: y\n",
		  "d/zones.yaml:2:11: the zone \"a.\" is here, and in the configuration at line 3, "
		  "column 13" },
		{ "zones:\n  - { name: b, file: y }\n  - { name: b, file: y }\n",
		  "d/zones.yaml:3:13: the zone \"b.\" is here twice; the first is at line 2" },
		{ "zones: [\n", "d/zones.yaml:2:1: " },
		{ "zones:\n\t- x\n", "d/zones.yaml:2:1: a tab" },
		{ "server: { workers: 3 }\n", "d/zones.yaml:1:1: expected a list below \"zones\"" },
		{ "zones: []\nkeys: []\n", "d/zones.yaml:1:1: expected a list below" },
		{ "zones: x\n", "d/zones.yaml:1:1: expected a list below" },
		{ "- x\n", "d/zones.yaml:1:1: expected a list below" },
		{ "zones:\n  - x\n", "d/zones.yaml:2:5: zones: found a value" },
		{ "zones:\n  - { name: b, file: y, dnssec: z }\n",
		  "d/zones.yaml:2:13: zones.dnssec: there is no policy \"z\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *said;
		ck_assert_ptr_null(with_added(configuration, cases[i].added, &said));
		assert_has(said, cases[i].said);
		/* That of the configuration comes first. */
		assert_has(said, "t.yaml:3:");
		ck_assert(strstr(said, "t.yaml:3:") < strstr(said, "d/zones.yaml"));
		free(said);
	}
}
END_TEST

/* --- keys ------------------------------------------------------------------------------------ */

static void write_file(const char *directory, const char *name, mode_t mode, const char *text,
		       char path[200])
{
	struct errmsg em = { "" };
	(void)snprintf(path, 200, "%s/%s", directory, name);
	ck_assert_msg(file_write(path, mode, text, strlen(text), &em) == E_OK, "%s", em.text);
}

static void assert_secret(const struct tsig_key *key, const char *secret)
{
	ck_assert(secret_equal(key->secret.data, key->secret.len, secret, strlen(secret)));
}

/* Keys of the configuration, of a file that has several, and the session's, which is new each time. */
START_TEST(keys_come_from_three_places)
{
	char directory[] = "/tmp/config_test_XXXXXX";
	char key_path[200];
	char path[200];
	struct config *c[2] = { NULL, NULL };
	struct findings f = { 0 };
	ck_assert_ptr_nonnull(mkdtemp(directory));
	write_file(directory, "k.key", 0640,
		   "key a { algorithm hmac-sha1; secret c2VjcmV0YQ==; };\n"
		   "key b { algorithm hmac-sha512-256; secret c2VjcmV0Yg==; };\n",
		   key_path);
	write_file(directory, "t.yaml", 0640,
		   "server: { session-key: s.key }\nkeys:\n  - { name: B, file: k.key }\n"
		   "  - { name: c, secret: c2VjcmV0Yw== }\n",
		   path);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(config_load(path, &c[i], &f), E_OK);
		ck_assert_uint_eq(c[i]->tsig_key_count, 3);
		assert_secret(&c[i]->tsig_keys[0], "secretb");
		ck_assert_uint_eq(c[i]->tsig_keys[0].mac_len, 32);
		assert_secret(&c[i]->tsig_keys[1], "secretc");
		ck_assert_ptr_eq(c[i]->session_key, &c[i]->tsig_keys[2]);
		ck_assert_uint_eq(c[i]->session_key->secret.len, 32);
	}
	ck_assert_mem_ne(c[0]->session_key->secret.data, c[1]->session_key->secret.data, 32);
	char *said = text_of(&f);
	ck_assert_ptr_null(strstr(said, "others"));
	free(said);
	config_free(c[0]);
	config_free(c[1]);
	/* All may read the one, which is said, and the other, which is refused. */
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(config_load(path, &c[0], &f), E_OK);
	said = text_of(&f);
	assert_has(said, "t.yaml: others can read it (mode 0644), and there are secrets");
	free(said);
	config_free(c[0]);
	ck_assert_int_eq(chmod(key_path, 0644), 0);
	ck_assert_int_eq(config_load(path, &c[0], &f), E_CHECK);
	said = text_of(&f);
	assert_has(said, "t.yaml:3:13: keys.file: ");
	assert_has(said, "k.key: others can read it (mode 0644); run: chmod o= ");
	free(said);
	write_file(directory, "t.yaml", 0600,
		   "keys:\n  - { name: a, file: k.key }\n  - { name: z, file: k.key }\n", path);
	ck_assert_int_eq(chmod(key_path, 0600), 0);
	ck_assert_int_eq(config_load(path, &c[0], &f), E_CHECK);
	said = text_of(&f);
	assert_has(said, "warning: ");
	assert_has(said, "t.yaml:2:13: keys.algorithm: hmac-sha1: SHA-1 is on its way out");
	assert_has(said, "t.yaml:3:13: keys.file: there is no key \"z.\" in ");
	free(said);
	(void)unlink(path);
	(void)unlink(key_path);
	(void)rmdir(directory);
}
END_TEST

START_TEST(no_zones_is_a_warning)
{
	static const char *const texts[] = { "zones:\n",
					     "zones: []\n",
					     "zones: ~\n",
					     "log: {}\n",
					     "server:\nlog:\nchecks:\nzones:\n",
					     "{}" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct config_source source = { .path = "t.yaml",
						      .data = texts[i],
						      .len = strlen(texts[i]) };
		struct findings f = { 0 };
		struct config *c = NULL;
		ck_assert_int_eq(config_parse(&source, &c, &f), E_OK);
		char *said = text_of(&f);
		ck_assert_str_eq(
			said, "warning: t.yaml: there are no zones; all queries will be refused\n");
		free(said);
		config_free(c);
	}
}
END_TEST

/* --- reload ---------------------------------------------------------------------------------- */

START_TEST(a_reload_names_what_needs_a_restart)
{
	struct config *running = config_new();
	for (const struct config_option *o = config_options; o->path != NULL; o++) {
		size_t i = 0;
		while (strcmp(others[i].path, o->path) != 0) {
			i++;
		}
		char *text = text_with(o, others[i].value);
		struct config *next = read_text(text);
		struct findings f = { 0 };
		struct buf expected = { 0 };
		buf_str(&expected, "");
		if (o->when == CONFIG_RESTART) {
			buf_printf(&expected,
				   "warning: %s has changed; that takes effect at the next start\n",
				   o->path);
		}
		config_compare(running, next, &f);
		if (needs_database(o)) {
			buf_str(&expected, "warning: server.database has changed; that takes "
					   "effect at the next start\n");
		}
		char *said = text_of(&f);
		ck_assert_str_eq(said, expected.data);
		config_compare(next, next, &f);
		ck_assert_uint_eq(f.count, 0);
		free(said);
		free(text);
		buf_clear(&expected);
		config_free(next);
	}
	config_free(running);
}
END_TEST

/* --- limits ---------------------------------------------------------------------------------- */

START_TEST(keys_of_a_map_are_bounded)
{
	struct buf b = { 0 };
	struct findings f = { 0 };
	struct config *c = NULL;
	buf_str(&b, "server:\n");
	for (unsigned i = 0; i < 100000; i++) {
		buf_printf(&b, "  k%u: 1\n", i);
	}
	const struct config_source source = { .path = "t.yaml", .data = b.data, .len = b.len };
	ck_assert_int_eq(config_parse(&source, &c, &f), E_CHECK);
	char *said = text_of(&f);
	assert_has(said, "t.yaml:202:3: more than 200 keys in one map\n");
	free(said);
	buf_clear(&b);
}
END_TEST

START_TEST(many_zones_are_read)
{
	enum { COUNT = 20000 };
	struct buf b = { 0 };
	buf_str(&b, "zones:\n");
	for (unsigned i = 0; i < COUNT; i++) {
		buf_printf(&b, "  - name: z%u.example\n    file: z%u\n", i, i);
	}
	struct config *c = read_text(b.data);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(c->zone_count, COUNT);
	assert_zone(c, COUNT - 1, "z19999.example.", "z19999");
	config_free(c);
	buf_str(&b, "  - {name: Z777.example, file: x}\n");
	ck_assert_ptr_null(read_text(b.data));
	buf_clear(&b);
}
END_TEST

/* --- broken ---------------------------------------------------------------------------------- */

struct broken {
	char name[100];
	struct buf text;
	struct buf said;
};

static struct {
	char *file;
	const char *cases[400];
	size_t count;
} broken_file;

static void broken_open(void)
{
	struct file_view view;
	struct errmsg em = { "" };
	if (file_read(FOLDER "/broken.txt", 1 << 20, &view, &em) != E_OK) {
		return;
	}
	broken_file.file = mem_str(view.data, view.len);
	file_view_clear(&view);
	char *at = broken_file.file;
	while ((at = strstr(at, "\n=== ")) != NULL && broken_file.count < 400) {
		*at = '\0';
		at += 5;
		broken_file.cases[broken_file.count++] = at;
	}
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10;
}

/* One line of a case's text, with what stands in double braces. */
static void add_line(struct buf *b, const char *line, size_t len)
{
	bool end_line = true;
	for (size_t i = 0; i < len; i++) {
		if (len - i >= 5 && memcmp(line + i, "{{-}}", 5) == 0) {
			end_line = false;
			i += 4;
		} else if (len - i >= 6 && memcmp(line + i, "{{", 2) == 0 &&
			   memcmp(line + i + 4, "}}", 2) == 0) {
			buf_char(b, (char)(hex_digit(line[i + 2]) << 4 | hex_digit(line[i + 3])));
			i += 5;
		} else {
			buf_char(b, line[i]);
		}
	}
	if (end_line) {
		buf_char(b, '\n');
	}
}

/* One finding that is expected, {{DIR}} resolved. */
static void add_expected(struct buf *b, const char *line, size_t len)
{
	char cwd[1024];
	const char *mark = memmem(line, len, "{{DIR}}", 7);
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	if (mark == NULL) {
		buf_printf(b, "%.*s\n", (int)len, line);
		return;
	}
	size_t before = (size_t)(mark - line);
	buf_printf(b, "%.*s%s/%s%.*s\n", (int)before, line, cwd, FOLDER, (int)(len - before - 7),
		   mark + 7);
}

static void broken_read(const char *at, struct broken *out)
{
	*out = (struct broken){ 0 };
	buf_str(&out->text, "");
	buf_str(&out->said, "");
	size_t len = strcspn(at, "\n");
	(void)snprintf(out->name, sizeof(out->name), "%.*s", (int)len, at);
	for (at += len + 1; *at != '\0'; at += len + (at[len] == '\n')) {
		len = strcspn(at, "\n");
		if (strncmp(at, "--> ", 4) == 0) {
			add_expected(&out->said, at + 4, len - 4);
		} else {
			add_line(&out->text, at, len);
		}
	}
}

/* The findings without "PATH:" or "PATH: " in front. */
static char *without_path(char *said, const char *path)
{
	struct buf b = { 0 };
	buf_str(&b, "");
	for (char *line = said; *line != '\0';) {
		size_t len = strcspn(line, "\n") + 1;
		const char *from = line;
		if (strncmp(from, path, strlen(path)) == 0) {
			from += strlen(path);
			from += *from == ':';
			from += *from == ' ';
		}
		buf_add(&b, from, len - (size_t)(from - line));
		line += len;
	}
	free(said);
	return b.data;
}

START_TEST(broken_configurations_are_explained)
{
	static const char path[] = FOLDER "/broken.yaml";
	struct broken b;
	struct findings f = { 0 };
	struct config *c = NULL;
	broken_read(broken_file.cases[_i], &b);
	const struct config_source source = { .path = path,
					      .data = b.text.data,
					      .len = b.text.len };
	int err = config_parse(&source, &c, &f);
	char *said = without_path(text_of(&f), path);
	ck_assert_msg(err == E_CHECK, "%s: no error", b.name);
	ck_assert_ptr_null(c);
	ck_assert_msg(b.said.len != 0, "%s: nothing is expected", b.name);
	ck_assert_msg(strcmp(said, b.said.data) == 0, "%s: says\n%sexpected\n%s", b.name, said,
		      b.said.data);
	free(said);
	buf_clear(&b.text);
	buf_clear(&b.said);
}
END_TEST

START_TEST(there_are_enough_broken_configurations)
{
	ck_assert_uint_ge(broken_file.count, 200);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("config");
	broken_open();
	tcase_add_test(tc, defaults_are_as_documented);
	tcase_add_test(tc, what_is_written_down_is_no_default);
	tcase_add_test(tc, the_example_reads_back_to_the_defaults);
	tcase_add_test(tc, the_example_zone_is_right);
	tcase_add_test(tc, every_option_survives_printing);
	tcase_add_test(tc, every_range_ends_where_it_says);
	tcase_add_test(tc, the_manual_has_every_option);
	tcase_add_test(tc, zones_are_absolute_and_keep_their_order);
	tcase_add_test(tc, zones_inherit_the_checks);
	tcase_add_test(tc, whose_removals_are_bounded);
	tcase_add_test(tc, paths_start_at_the_file);
	tcase_add_test(tc, a_file_is_loaded);
	tcase_add_test(tc, zones_that_were_added_are_zones);
	tcase_add_test(tc, what_is_wrong_with_added_zones_is_said_there);
	tcase_add_test(tc, keys_come_from_three_places);
	tcase_add_test(tc, no_zones_is_a_warning);
	tcase_add_test(tc, a_reload_names_what_needs_a_restart);
	tcase_add_test(tc, keys_of_a_map_are_bounded);
	tcase_add_test(tc, many_zones_are_read);
	tcase_add_test(tc, there_are_enough_broken_configurations);
	tcase_add_loop_test(tc, broken_configurations_are_explained, 0, (int)broken_file.count);
	int status = unit_run("server/config", tc);
	mem_free(broken_file.file);
	return status;
}

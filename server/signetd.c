/* server/signetd.c - the name server. */
#include <getopt.h>
#include <stdio.h>

#include "server/clock.h"
#include "server/daemon.h"
#include "server/tls_load.h"
#include "zones/base/program.h"

/* Exit status. */
enum { GOOD = 0, BAD = 1, MISUSE = 2 };

static const char usage_text[] =
	"usage: signetd [options]\n"
	"Serves signed zones, in the foreground, until SIGTERM or SIGINT; SIGHUP reloads.\n"
	"\n"
	"  -c FILE        configuration (default: " CONFIG_PATH_DEFAULT ")\n"
	"  -t             check the configuration and stop\n"
	"  -h, --help     this text\n"
	"  -V, --version\n";

/* What signetd -t looks at beside the configuration itself. */
static int check_files(const struct config *c)
{
	struct findings findings = { 0 };
	struct tls_server *tls = NULL;
	int err = tls_load(&c->server, clock_now(), &tls, &findings);
	findings_print(&findings, "signetd: ");
	findings_clear(&findings);
	tls_server_free(tls);
	return err;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = { { "help", no_argument, NULL, 'h' },
						      { "version", no_argument, NULL, 'V' },
						      { NULL, 0, NULL, 0 } };
	const char *path = CONFIG_PATH_DEFAULT;
	bool only_check = false;
	program_begin("signetd");
	int c;
	while ((c = getopt_long(argc, argv, "c:thV", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 't':
			only_check = true;
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			return GOOD;
		case 'V':
			(void)puts("signetd (Signet) " SIGNET_VERSION);
			return GOOD;
		default:
			(void)fputs("try signetd --help\n", stderr);
			return MISUSE;
		}
	}
	if (optind != argc) {
		(void)fprintf(stderr, "signetd: found \"%s\", expected no argument; try --help\n",
			      argv[optind]);
		return MISUSE;
	}
	struct findings findings = { 0 };
	struct config *config = NULL;
	struct errmsg em = { "" };
	int err = config_load(path, &config, &findings);
	findings_print(&findings, "signetd: ");
	findings_clear(&findings);
	if (err == E_OK && only_check) {
		err = check_files(config);
	}
	if (err != E_OK || only_check) {
		config_free(config);
		return err == E_OK ? GOOD : BAD;
	}
	err = daemon_run(path, config, &em);
	if (err != E_OK) {
		(void)fprintf(stderr, "signetd: %s\n",
			      em.text[0] != '\0' ? em.text : err_text(err));
		return BAD;
	}
	return GOOD;
}

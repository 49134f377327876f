/*
 * options.c
 *	  The command line.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define PROGRAM	"durable-singleton-http"

static const char usage[] =
"durable-singleton-http serves the HTTP management API of Durable Functions\n"
"over a PostgreSQL database with the extension durable_singleton.\n"
"\n"
"Usage: durable-singleton-http [OPTION]...\n"
"\n"
"  --listen ADDR        address to listen on (default: 127.0.0.1)\n"
"  --port N             port to listen on (default: 7071; 0: any free port)\n"
"  --dsn CONNINFO       libpq connection string or URI of the database (default:\n"
"                       libpq's defaults and environment, such as PGHOST)\n"
"  --connections N      database connections for requests (default: 16); one\n"
"                       more waits for all long polls\n"
"  --keys FILE          system keys, one per line; requests without one of them\n"
"                       get 401 (default: no keys)\n"
"  --allow-host NAME    without keys: a host name that requests may use, and\n"
"                       whose web pages may send requests; may be given\n"
"                       repeatedly (the address of --listen, localhost and all\n"
"                       numeric addresses are always allowed)\n"
"  --trust-forwarded    build links from X-Forwarded-Host and X-Forwarded-Proto\n"
"  --body-limit BYTES   largest body of a request (default: 16777216)\n"
"  --tls-cert FILE      certificate chain, PEM; serves HTTPS\n"
"  --tls-key FILE       its private key, PEM\n"
"  --version            show the version\n"
"  --help               show this text\n"
"\n"
"Functions can be started over HTTP after df_expose_http() was called for them.\n"
"The log on standard error has one line per request.  SIGTERM ends the program\n"
"when the current requests have been answered; SIGHUP reads the keys again.\n";

__attribute__((noreturn)) static void
complain(const char *option, const char *value, const char *what)
{
	fprintf(stderr, PROGRAM ": %s %s: %s\n"
			"Try \"" PROGRAM " --help\".\n", option, value, what);
	exit(2);
}

static long long
number(const char *option, const char *value, long long min, long long max)
{
	char	   *end;
	long long	n;

	errno = 0;
	n = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || n < min || n > max)
	{
		char		range[80];

		snprintf(range, sizeof(range), "must be a number from %lld to %lld",
				 min, max);
		complain(option, value, range);
	}
	return n;
}

static bool
is_host_name(const char *value)
{
	size_t		length = strspn(value, "abcdefghijklmnopqrstuvwxyz"
								"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

	return length > 0 && value[length] == '\0' && value[length - 1] != '.';
}

Options
options_parse(int argc, char **argv)
{
	enum
	{
		LISTEN = 1, PORT, DSN, CONNECTIONS, KEYS, ALLOW_HOST, TRUST_FORWARDED,
		BODY_LIMIT, TLS_CERT, TLS_KEY, VERSION_, HELP
	};
	static const struct option known[] = {
		{"listen", required_argument, NULL, LISTEN},
		{"port", required_argument, NULL, PORT},
		{"dsn", required_argument, NULL, DSN},
		{"connections", required_argument, NULL, CONNECTIONS},
		{"keys", required_argument, NULL, KEYS},
		{"allow-host", required_argument, NULL, ALLOW_HOST},
		{"trust-forwarded", no_argument, NULL, TRUST_FORWARDED},
		{"body-limit", required_argument, NULL, BODY_LIMIT},
		{"tls-cert", required_argument, NULL, TLS_CERT},
		{"tls-key", required_argument, NULL, TLS_KEY},
		{"version", no_argument, NULL, VERSION_},
		{"help", no_argument, NULL, HELP},
		{NULL, 0, NULL, 0}
	};
	Options		options = {
		.listen = "127.0.0.1",
		.port = 7071,
		.dsn = "",
		.connections = 16,
		.body_limit = 16 << 20,
	};
	int			c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
	{
		switch (c)
		{
			case LISTEN:
				options.listen = optarg;
				break;
			case PORT:
				options.port = (int) number("--port", optarg, 0, 65535);
				break;
			case DSN:
				options.dsn = optarg;
				break;
			case CONNECTIONS:
				options.connections = (int) number("--connections", optarg, 1, 1000);
				break;
			case KEYS:
				options.keys_file = optarg;
				break;
			case ALLOW_HOST:
				if (!is_host_name(optarg))
					complain("--allow-host", optarg, "must be a host name without scheme and port");
				options.allowed_hosts = gw_realloc(options.allowed_hosts,
												   (options.n_allowed_hosts + 1) * sizeof(char *));
				options.allowed_hosts[options.n_allowed_hosts++] = optarg;
				break;
			case TRUST_FORWARDED:
				options.trust_forwarded = true;
				break;
			case BODY_LIMIT:
				options.body_limit = (size_t) number("--body-limit", optarg, 1,
													 1000000000);
				break;
			case TLS_CERT:
				options.tls_cert_file = optarg;
				break;
			case TLS_KEY:
				options.tls_key_file = optarg;
				break;
			case VERSION_:
				puts(PROGRAM " " GW_VERSION);
				exit(0);
			case HELP:
				fputs(usage, stdout);
				exit(0);
			default:
				fputs("Try \"" PROGRAM " --help\".\n", stderr);
				exit(2);
		}
	}
	if (optind < argc)
		complain("argument", argv[optind], "unexpected");
	if ((options.tls_cert_file == NULL) != (options.tls_key_file == NULL))
		complain("--tls-cert", "and --tls-key", "must be given together");
	return options;
}

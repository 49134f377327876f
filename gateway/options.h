/*
 * options.h
 *	  The command line.
 */
#ifndef GW_OPTIONS_H
#define GW_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Options
{
	const char *listen;
	int			port;			/* 0: any */
	const char *dsn;
	int			connections;
	const char *keys_file;		/* NULL: no keys */
	bool		trust_forwarded;
	char	  **allowed_hosts;
	int			n_allowed_hosts;
	size_t		body_limit;		/* bytes */
	const char *tls_cert_file;
	const char *tls_key_file;
} Options;

/* Ends the process after --help, --version, and errors. */
extern Options options_parse(int argc, char **argv);

#endif

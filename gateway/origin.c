/*
 * origin.c
 *	  Scheme, host and port of the gateway as seen by a client, for links.
 */
#include "origin.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

#define MAX_HOST	300

static const char *own_scheme = "http";
static const char *own_address;
static bool trust_forwarded;

void
origin_init(bool tls, bool trust, const char *address)
{
	own_scheme = tls ? "https" : "http";
	trust_forwarded = trust;
	own_address = address;
}

/*
 * The first item of a comma-separated list: that of the proxy nearest the
 * client.
 */
static char *
first_of_list(const char *list)
{
	size_t		length;

	list += strspn(list, " \t");
	length = strcspn(list, ",");
	while (length > 0 && strchr(" \t", list[length - 1]) != NULL)
		length--;
	return gw_strndup(list, length);
}

static char *
forwarded(struct MHD_Connection *connection, const char *header)
{
	const char *value = !trust_forwarded ? NULL :
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, header);

	/* an empty one counts as absent */
	return value == NULL || value[strspn(value, " \t")] == '\0' ? NULL :
		first_of_list(value);
}

static bool
is_host(const char *host)
{
	size_t		length = strspn(host, "abcdefghijklmnopqrstuvwxyz"
								"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]");

	return length > 0 && host[length] == '\0' && length <= MAX_HOST;
}

char *
origin_of(struct MHD_Connection *connection)
{
	char	   *scheme = forwarded(connection, "X-Forwarded-Proto");
	char	   *host = forwarded(connection, "X-Forwarded-Host");
	char	   *origin = NULL;

	if (host == NULL)
	{
		const char *value = MHD_lookup_connection_value(connection,
														MHD_HEADER_KIND, "Host");

		/* HTTP/1.0 does not require it */
		host = gw_strdup(value != NULL && value[0] != '\0' ? value : own_address);
	}
	if (is_host(host) && (scheme == NULL || strcasecmp(scheme, "http") == 0 ||
						  strcasecmp(scheme, "https") == 0))
		origin = gw_format("%s://%s", scheme ? scheme : own_scheme, host);
	free(scheme);
	free(host);
	return origin;
}

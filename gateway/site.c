/*
 * site.c
 *	  Detects requests sent by web pages of other sites.
 *
 * Without keys the gateway answers every program that reaches its port, and a
 * browser on the same machine or network reaches it on behalf of every page.
 * Two headers identify such requests:
 *
 * Host.  A page can have its own name resolved to the gateway's address, and
 * then counts as the same site (DNS rebinding).  So a name must be one that the
 * gateway knows.  Numeric addresses cannot be rebound.
 *
 * Origin, or else Sec-Fetch-Site, which browsers add and pages cannot change.
 * Programs other than browsers send neither.
 */
#include "site.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "target.h"

static const char *listen_host = "";
static char *const *allowed;
static int	n_allowed;

void
site_init(const char *host, char *const *names, int n_names)
{
	listen_host = host;
	allowed = names;
	n_allowed = n_names;
}

/* The host of "host", "host:port" or "[address]:port"; otherwise empty. */
static Slice
host_of(const char *authority)
{
	const Slice none = {"", 0};
	bool		bracketed = authority[0] == '[';
	Slice		host;
	const char *rest;

	host.start = authority + bracketed;
	host.length = strcspn(host.start, bracketed ? "]" : ":");
	rest = host.start + host.length;
	if (bracketed && *rest++ != ']')
		return none;
	if (*rest == ':')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest != '\0')
		return none;
	if (host.length > 0 && host.start[host.length - 1] == '.')
		host.length--;			/* a fully qualified name */
	return host;
}

static bool
equals(Slice host, const char *name)
{
	return strlen(name) == host.length &&
		strncasecmp(name, host.start, host.length) == 0;
}

/* False if the host is a name. */
static bool
read_address(Slice host, struct in6_addr *address)
{
	char		text[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (host.length >= sizeof(text))
		return false;
	memcpy(text, host.start, host.length);
	text[host.length] = '\0';
	if (inet_pton(AF_INET6, text, address) == 1)
		return true;
	if (inet_pton(AF_INET, text, &v4) != 1)
		return false;
	memset(address, 0, sizeof(*address));
	memset(&address->s6_addr[10], 0xff, 2);
	memcpy(&address->s6_addr[12], &v4, 4);
	return true;
}

static bool
is_loopback(Slice host)
{
	struct in6_addr address;

	if (!read_address(host, &address))
		return equals(host, "localhost");
	return IN6_IS_ADDR_LOOPBACK(&address) ||
		(IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127);
}

static bool
is_allowed(Slice host)
{
	for (int i = 0; i < n_allowed; i++)
	{
		if (equals(host, allowed[i]))
			return true;
	}
	return false;
}

static bool
is_own(Slice host)
{
	struct in6_addr address;

	return read_address(host, &address) || equals(host, "localhost") ||
		equals(host, listen_host) || is_allowed(host);
}

/* Ports are ignored: a server that forwards a page's requests has its own. */
static bool
is_same_site(Slice origin, Slice host)
{
	return (origin.length == host.length && origin.length > 0 &&
			strncasecmp(origin.start, host.start, host.length) == 0) ||
		(is_loopback(origin) && is_loopback(host)) || is_allowed(origin);
}

static const char *
after_scheme(const char *origin)
{
	const char *authority = strstr(origin, "://");

	return authority != NULL ? authority + 3 : "";
}

static const char *
header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

SiteVerdict
site_judge(struct MHD_Connection *connection, const char *reached)
{
	Slice		host = host_of(after_scheme(reached));
	const char *direct = header(connection, "Host");
	const char *origin = header(connection, "Origin");
	const char *fetch_site = header(connection, "Sec-Fetch-Site");

	/* behind a proxy there are two; a page controls at most one of them */
	if (!is_own(host) ||
		(direct != NULL && direct[0] != '\0' && !is_own(host_of(direct))))
		return SITE_UNKNOWN_HOST;
	if (origin != NULL)
		return is_same_site(host_of(after_scheme(origin)), host) ?
			SITE_TRUSTED : SITE_FOREIGN;
	if (fetch_site != NULL && strcasecmp(fetch_site, "same-origin") != 0 &&
		strcasecmp(fetch_site, "none") != 0)
		return SITE_FOREIGN;
	return SITE_TRUSTED;
}

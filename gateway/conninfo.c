/*
 * conninfo.c
 *	  Tasks that libpq leaves to the caller when connecting asynchronously.
 *
 * libpq tries the next host if one refuses the connection.  It gives up on a
 * silent host only after connect_timeout, which only PQconnectdb() obeys.
 */
#include "conninfo.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* The caller frees the value; NULL if it is not set. */
static char *
parameter(PGconn *conn, const char *keyword)
{
	PQconninfoOption *options = PQconninfo(conn);
	char	   *value = NULL;

	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
	{
		if (strcmp(o->keyword, keyword) == 0 && o->val != NULL && o->val[0] != '\0')
			value = gw_strdup(o->val);
	}
	PQconninfoFree(options);
	return value;
}

int64_t
conninfo_connect_time(PGconn *conn, int64_t otherwise)
{
	char	   *value = parameter(conn, "connect_timeout");
	long		seconds = value == NULL ? 0 : strtol(value, NULL, 10);

	free(value);
	/* for libpq 0 means no limit; there always is one here */
	return seconds <= 0 || seconds > 3600 ? otherwise : (int64_t) seconds * 1000;
}

/* "a,b,c" becomes "b,c,a"; a single value stays as it is. */
static char *
rotated(PGconn *conn, const char *keyword)
{
	char	   *list = parameter(conn, keyword);
	char	   *comma = list == NULL ? NULL : strchr(list, ',');
	char	   *result;

	if (comma == NULL)
		return list;
	*comma = '\0';
	result = gw_format("%s,%s", comma + 1, list);
	free(list);
	return result;
}

HostOrder
conninfo_next_host_first(PGconn *conn)
{
	return (HostOrder) {
		.host = rotated(conn, "host"),
		.hostaddr = rotated(conn, "hostaddr"),
		.port = rotated(conn, "port"),
	};
}

void
conninfo_free_order(HostOrder *order)
{
	free(order->host);
	free(order->hostaddr);
	free(order->port);
	*order = (HostOrder) {0};
}

/*
 * conninfo.h
 *	  What libpq's asynchronous connecting leaves to its caller: how long an
 *	  attempt may take, and that another of several hosts comes first when one
 *	  does not answer at all.
 */
#ifndef GW_CONNINFO_H
#define GW_CONNINFO_H

#include <libpq-fe.h>
#include <stdint.h>

/* Comma lists that go before those of the DSN; NULL: the DSN's own. */
typedef struct HostOrder
{
	char	   *host;
	char	   *hostaddr;
	char	   *port;
} HostOrder;

/* Milliseconds for an attempt: connect_timeout, or "otherwise" without one. */
extern int64_t conninfo_connect_time(PGconn *conn, int64_t otherwise);

/* The order of a connection's hosts with the first of them put last. */
extern HostOrder conninfo_next_host_first(PGconn *conn);

extern void conninfo_free_order(HostOrder *order);

#endif

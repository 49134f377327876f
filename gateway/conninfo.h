/*
 * conninfo.h
 *	  Tasks that libpq leaves to the caller when connecting asynchronously: to
 *	  limit the time of an attempt, and to try another host first after one did
 *	  not answer.
 */
#ifndef GW_CONNINFO_H
#define GW_CONNINFO_H

#include <libpq-fe.h>
#include <stdint.h>

/* Comma-separated lists that override those of the DSN; NULL: no override. */
typedef struct HostOrder
{
	char	   *host;
	char	   *hostaddr;
	char	   *port;
} HostOrder;

/*
 * Milliseconds for an attempt: connect_timeout, or "otherwise" if it is not
 * set.
 */
extern int64_t conninfo_connect_time(PGconn *conn, int64_t otherwise);

/* The hosts of a connection, with the first one moved to the end. */
extern HostOrder conninfo_next_host_first(PGconn *conn);

extern void conninfo_free_order(HostOrder *order);

#endif

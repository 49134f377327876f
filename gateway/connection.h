/*
 * connection.h
 *	  One connection to the database, and the job it is at.
 *
 * It connects by itself, and again whenever it was lost.  A job that writes
 * runs in stages, so that its transaction's fate is never in doubt for good:
 *
 *	EXECUTING	the statement was sent, but nothing that commits it; its
 *				result has the transaction's name
 *	COMMITTING	then the commit was asked for
 *	EXPLAINING	the database is asked for the answer to an error
 *
 * When the connection is lost while EXECUTING, nothing was done.  While
 * COMMITTING, the job is in doubt, and pool.c asks for its transaction's fate
 * on another connection.
 */
#ifndef GW_CONNECTION_H
#define GW_CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "conninfo.h"
#include "job.h"
#include "loop.h"

typedef enum ConnectionState
{
	DOWN,						/* connects again at retry_at */
	CONNECTING,
	PREPARING,
	IDLE,
	EXECUTING,
	COMMITTING,
	EXPLAINING
} ConnectionState;

typedef struct Connection Connection;
struct Connection
{
	ConnectionState state;
	PGconn	   *conn;
	Watch		watch;
	Job		   *job;
	bool		failed;			/* so did the job's present stage */
	bool		stale;			/* to be replaced after the job */
	bool		explained;		/* a failure to connect stands in the log */
	int			n_failures;		/* to connect, since it last did */
	HostOrder	order;			/* of hosts, since one did not answer */
	int64_t		retry_at;
	int64_t		deadline;		/* of connecting and preparing */

	/* What others want to know. */
	void		(*became_idle) (Connection *c);
	void		(*was_lost) (Connection *c);	/* or could not be made */
	void		(*in_doubt) (Connection *c, Job *job);
};

extern void connection_init(Connection *c);

/* Begins to connect, if it is down and the time has come. */
extern void connection_tick(Connection *c, int64_t now);

/* When it wants its next tick; INT64_MAX: never. */
extern int64_t connection_next_tick(const Connection *c);

/* On an IDLE connection; the job's done() is called in the end. */
extern void connection_run(Connection *c, Job *job);

extern bool connection_is_up(const Connection *c);
extern void connection_end(Connection *c);

/* The conninfo of all connections. */
extern void connection_set_dsn(const char *conninfo);

#endif

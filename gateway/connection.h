/*
 * connection.h
 *	  A connection to the database, and its current job.
 *
 * The connection is established automatically, and again whenever it was lost.
 * A job that writes runs in stages, so that the outcome of its transaction can
 * always be determined:
 *
 *	EXECUTING	the statement was sent, but not the commit; its result
 *				contains the name of the transaction
 *	COMMITTING	then the commit was requested
 *	EXPLAINING	the database is asked for the answer to an error
 *
 * If the connection is lost while EXECUTING, nothing was done.  If it is lost
 * while COMMITTING, the job is in doubt, and pool.c asks for the outcome of its
 * transaction on another connection.
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
	bool		failed;			/* the job's current stage failed */
	bool		stale;			/* must be replaced after the job */
	bool		explained;		/* the failure to connect was logged */
	int			n_failures;		/* failures to connect since the last success */
	HostOrder	order;			/* of hosts, after one did not answer */
	int64_t		retry_at;
	int64_t		deadline;		/* of connecting and preparing */

	/* Callbacks of the owner. */
	void		(*became_idle) (Connection *c);
	void		(*was_lost) (Connection *c);	/* or not established */
	void		(*in_doubt) (Connection *c, Job *job);
};

extern void connection_init(Connection *c);

/* Starts connecting if the connection is down and retry_at has come. */
extern void connection_tick(Connection *c, int64_t now);

/* The time of its next tick; INT64_MAX: none. */
extern int64_t connection_next_tick(const Connection *c);

/* Runs a job on an IDLE connection; the job's done() is called at its end. */
extern void connection_run(Connection *c, Job *job);

extern bool connection_is_up(const Connection *c);
extern void connection_end(Connection *c);

/* Sets the connection string of all connections. */
extern void connection_set_dsn(const char *conninfo);

#endif

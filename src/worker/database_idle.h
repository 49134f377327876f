/*-------------------------------------------------------------------------
 *
 * database_idle.h
 *	  Has anything happened in a database?  Part of the launcher.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_DATABASE_IDLE_H
#define DS_DATABASE_IDLE_H

#include "datatype/timestamp.h"

typedef struct DsDatabaseIdle
{
	bool		known;			/* the rest is valid */
	int64		n_ended;		/* transactions up to the last visit */
	TimestampTz changed;		/* when something was last seen to happen */
} DsDatabaseIdle;

/* How many transactions have ended in the database, as far as is told. */
extern int64 ds_database_idle_n_ended(Oid database);

/* A visit has found everything; so many had ended, it included. */
extern void ds_database_idle_begin(DsDatabaseIdle *s, int64 n_ended);

/* False, too, if somebody is in a transaction, or was a moment ago. */
extern bool ds_database_idle_check(DsDatabaseIdle *s, Oid database);

#endif

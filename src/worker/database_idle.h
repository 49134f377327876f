/*-------------------------------------------------------------------------
 *
 * database_idle.h
 *	  Detects whether anything has happened in a database.  Part of the
 *	  launcher.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_DATABASE_IDLE_H
#define DS_DATABASE_IDLE_H

#include "datatype/timestamp.h"

typedef struct DsDatabaseIdle
{
	bool		known;			/* the other fields are valid */
	int64		n_ended;		/* transactions up to the last visit */
	TimestampTz changed;		/* when the number last changed */
} DsDatabaseIdle;

/*
 * The number of transactions that have ended in the database, as far as
 * reported.
 */
extern int64 ds_database_idle_n_ended(Oid database);

/*
 * A visit has found everything; "n_ended" transactions had ended, including
 * its own.
 */
extern void ds_database_idle_begin(DsDatabaseIdle *s, int64 n_ended);

/* Also false if a transaction is in progress, or was a moment ago. */
extern bool ds_database_idle_check(DsDatabaseIdle *s, Oid database);

#endif

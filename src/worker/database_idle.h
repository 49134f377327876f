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

typedef struct DsStillness
{
	bool		known;			/* the rest is valid */
	int64		n_ended;		/* transactions up to the last visit */
	TimestampTz changed;		/* when something was last seen to happen */
} DsStillness;

/* How many transactions have ended in the database, as far as is told. */
extern int64 ds_transactions_ended(Oid database);

/* A visit has found everything; so many had ended, it included. */
extern void ds_stillness_begins(DsStillness *s, int64 n_ended);

/* False, too, if somebody is in a transaction, or was a moment ago. */
extern bool ds_is_still(DsStillness *s, Oid database);

#endif

/*-------------------------------------------------------------------------
 *
 * activity.h
 *	  One attempt at an activity.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_ACTIVITY_H
#define DS_ACTIVITY_H

#include "function/function_defaults.h"
#include "store/instance.h"

typedef struct DsCall
{
	const char *instance_id;
	const pg_uuid_t *execution_id;
	int			seq;			/* of the operation */
	int			attempt;		/* the one to make */
	bool		parallel;		/* it is a task */
	int			counted;		/* attempts before, see DsOp */
	int			automatic;
	TimestampTz first_time;
	char	   *name;
	const char *search_path;	/* of the code that asked for it */
	Jsonb	   *input;
	Jsonb	   *retry;
	DsDefaults	defaults;		/* kept by the attempts before */
	MemoryContext cxt;			/* for what is in the row */
	MemoryContext scratch;		/* for the call */
} DsCall;

/*
 * Writes the attempt down in the present transaction, behind its fence.
 * False: the fence was closed.
 */
typedef bool (*DsStoreAttempt) (const DsRow *row, void *arg);

/*
 * Makes the attempt, in transactions of its own, and fills in the row: an
 * end, or, where there will be another attempt, when.  False: the fence was
 * closed, and nothing of it remains; the caller ends the transaction.
 */
extern bool ds_activity_run(DsCall *call, DsRow *row,
							DsStoreAttempt store, void *arg);

#endif

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
	int			attempt;		/* the number of this attempt */
	bool		parallel;		/* the activity is a task */
	int			counted;		/* attempts before, see DsOp */
	int			automatic;
	TimestampTz first_time;
	char	   *name;
	const char *search_path;	/* of the calling code */
	Jsonb	   *input;
	Jsonb	   *retry;
	DsDefaults	defaults;		/* kept by the attempts before */
	MemoryContext cxt;			/* for the contents of the row */
	MemoryContext scratch;		/* for the call */
} DsCall;

/*
 * Records the attempt in the current transaction, behind its fence.  False:
 * the fence did not match.
 */
typedef bool (*DsStoreAttempt) (const DsRow *row, void *arg);

/*
 * Makes the attempt, in separate transactions, and fills in the row: an end
 * or, if there will be another attempt, its time.  False: the fence did not
 * match, and the caller must abort the transaction.
 */
extern bool ds_activity_run(DsCall *call, DsRow *row,
							DsStoreAttempt store, void *arg);

#endif

/*-------------------------------------------------------------------------
 *
 * runner.c
 *	  Runs a unit of work: an instance, or a task of one.
 *
 * A runner claims it, runs it (step.c, task.c), and releases it.  Errors that
 * reach this file are not errors of the user's code: the row is locked, the
 * disk is full, the step was terminated.  Its work is undone, and retried
 * later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "commit/transaction.h"
#include "execution/locked_rows.h"
#include "execution/runner.h"
#include "execution/step.h"
#include "execution/task.h"
#include "function/user_code.h"
#include "shmem/claim.h"
#include "shmem/counters.h"
#include "shmem/hints.h"
#include "shmem/slot.h"

static DsRunResult run_claimed(const DsWork *work, MemoryContext *cxt,
							   DsRunLimits *limits, Oid *owner);
static void report_trouble(const DsWork *work, const ErrorData *error);

DsRunResult
ds_runner_run(const DsWork *work, DsRunLimits *limits)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt;
	volatile DsRunResult result = DS_RUN_NOT_READY;
	ErrorData  *volatile error = NULL;
	Oid			owner = GetUserId();
	bool		hint = false;

	if (!ds_claim_take(work))
		return DS_RUN_NOT_READY;
	cxt = AllocSetContextCreate(TopMemoryContext, "durable_singleton instance",
								ALLOCSET_DEFAULT_SIZES);
	PG_TRY();
	{
		bool		again;

		do
		{
			DsRunResult r;

			MemoryContextReset(cxt);
			MemoryContextSwitchTo(cxt);
			r = run_claimed(work, &cxt, limits, &owner);
			if (r != DS_RUN_NOT_READY)
				result = r;
			again = r == DS_RUN_UNFINISHED || r == DS_RUN_TROUBLE ? false :
				!ds_claim_release_unless_wanted();
		} while (again);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		ds_user_code_error();
		ds_transaction_abort();
		ds_counters_add(DS_STEPS_UNDONE, 1);
		result = DS_RUN_TROUBLE;
	}
	PG_END_TRY();

	MemoryContextSwitchTo(caller);
	/* NULL: it is in the run cache */
	if (cxt != NULL)
		MemoryContextDelete(cxt);
	if (result == DS_RUN_TROUBLE || result == DS_RUN_UNFINISHED)
	{
		if (ds_claim_is_cancelled())
		{
			/* it was terminated, and there is nothing left to do */
			result = DS_RUN_PROGRESS;
			error = NULL;
		}
		hint = ds_claim_release() || result == DS_RUN_UNFINISHED ||
			ds_my_slot->foreground;
	}
	if (hint && result == DS_RUN_UNFINISHED)
		ds_hint_yielded(MyDatabaseId, owner, work);
	else if (hint || owner != GetUserId())
		ds_hint_ready(MyDatabaseId, owner, work);
	if (error != NULL)
	{
		if (ds_my_slot->foreground)
			ReThrowError(error);
		report_trouble(work, error);
	}
	ds_user_code_forget();
	return result;
}

/*
 * Sets *owner to the role that the instance belongs to by now, if it is a
 * different one: its workers must be notified.
 */
static DsRunResult
run_claimed(const DsWork *work, MemoryContext *cxt, DsRunLimits *limits,
			Oid *owner)
{
	if (ds_locked_rows_has(work->instance_id))
		return DS_RUN_TROUBLE;
	if (work->seq != 0)
		return ds_task_run(work, *cxt, limits, owner);
	return ds_step_run_instance(work, cxt, limits, owner);
}

static void
report_trouble(const DsWork *work, const ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		ds_locked_rows_add(work->instance_id);
	ereport(LOG,
			(errcode(error->sqlerrcode),
			 errmsg("a step of instance \"%s\" was undone and will be retried: %s",
					work->instance_id, error->message)));
}

/*-------------------------------------------------------------------------
 *
 * crashes.c
 *	  Instances whose runner crashed: counts the crashes, and fails the
 *	  instance.
 *
 * A step that crashes its server process makes the postmaster restart all
 * processes.  If it were repeated forever, no session could work; so after
 * crash_limit consecutive crashes its instance fails.
 *
 * Nothing is written before the step begins: crash_notes.c tells afterwards
 * what the process was running, and until this was counted here, the claim
 * stays (crashed_slots.c), so that the step is not repeated.  Steps that
 * succeed need no write for "consecutive" either: the row of table crash says
 * how far the execution had come, and if it has come further since, the count
 * starts again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "commit/commit_counts.h"
#include "commit/transaction.h"
#include "function/failure.h"
#include "instance/end.h"
#include "shmem/crashed_slots.h"
#include "store/store.h"
#include "worker/crashes.h"

static bool count(const DsCrash *crash);
static int	count_in_table(const DsCrash *crash);
static void give_up(const DsCrash *crash, int crashes);
static bool fail_instance(const DsInstance *inst, Jsonb *failure);
static void fail_task(const DsTask *task, Jsonb *failure);
static Jsonb *make_failure(const DsCrash *crash, int crashes);

bool
ds_crashes_count(void)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt;
	DsCrash    *crashes;
	int			n = ds_crashed_slots_find(MyDatabaseId, &crashes);
	bool		all = true;

	if (n == 0)
		return true;
	cxt = AllocSetContextCreate(caller, "durable_singleton crashes",
								ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(cxt);
		MemoryContextSwitchTo(cxt);
		if (ds_crash_limit == 0 || count(&crashes[i]))
			ds_crashed_slots_counted(MyDatabaseId, &crashes[i]);
		else
			all = false;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
	return all;
}

/*
 * False: the row is locked, or there was a similar problem.  The count is
 * flushed before the step can begin again, because the next crash would lose
 * it. Counting the same crash twice does no harm.
 */
static bool
count(const DsCrash *crash)
{
	MemoryContext cxt = CurrentMemoryContext;
	volatile bool done = false;

	PG_TRY();
	{
		int			crashes;

		ds_transaction_begin();
		crashes = count_in_table(crash);
		ds_transaction_commit();
		XLogFlush(XactLastCommitEnd);
		if (crashes > 0)
		{
			ds_counters_add(DS_CRASHES, 1);
			ereport(LOG,
					(crash->left ?
					 errmsg("the server process executing instance \"%s\" ended itself",
							crash->work.instance_id) :
					 errmsg("the server process executing instance \"%s\" crashed",
							crash->work.instance_id),
					 errdetail("Crashes in a row: %d; durable_singleton.crash_limit is %d.",
							   crashes, ds_crash_limit)));
		}
		if (crashes >= ds_crash_limit)
		{
			ds_transaction_begin();
			give_up(crash, crashes);
			ds_transaction_commit();
			XLogFlush(XactLastCommitEnd);
		}
		done = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		ds_transaction_abort();
		if (ds_failure_is_cancel(error))
			ReThrowError(error);
		ereport(LOG,
				(errcode(error->sqlerrcode),
				 errmsg("could not count a crash of instance \"%s\", will retry: %s",
						crash->work.instance_id, error->message)));
	}
	PG_END_TRY();
	return done;
}

/* The number of consecutive crashes; 0: the step no longer exists. */
static int
count_in_table(const DsCrash *crash)
{
	const DsWork *work = &crash->work;
	DsInstance *inst;
	bool		suspended;

	if (work->seq != 0)
	{
		DsTask	   *task = ds_store_load_task(&work->execution_id, work->seq,
											  &suspended);

		return task == NULL ? 0 :
			ds_store_count_crash(work->instance_id, &work->execution_id,
								 work->seq, task->attempt, crash->crash_time);
	}
	inst = ds_store_load(work->instance_id);
	if (inst == NULL || !ds_status_is_active(inst->status))
		return 0;
	return ds_store_count_crash(work->instance_id, &inst->execution_id, 0,
								inst->turn, crash->crash_time);
}

/*
 * Locks the instance's row before the task's.  The end of the task is written
 * like an ordinary failure, so that df_rewind finds it; but no retry policy
 * and no exception block applies.
 */
static void
give_up(const DsCrash *crash, int crashes)
{
	const DsWork *work = &crash->work;
	Jsonb	   *failure = make_failure(crash, crashes);
	DsTask	   *task = NULL;
	DsInstance *inst;
	bool		suspended;

	if (work->seq != 0)
	{
		task = ds_store_load_task(&work->execution_id, work->seq, &suspended);
		if (task == NULL)
			return;
		failure = ds_failure_of_task(failure, task->name, task->seq,
									 task->counted + 1, NULL);
	}
	do
	{
		CHECK_FOR_INTERRUPTS();
		inst = ds_store_load(work->instance_id);
		if (inst == NULL || !ds_status_is_active(inst->status) ||
			(task != NULL && memcmp(&inst->execution_id, &task->execution_id,
									sizeof(pg_uuid_t)) != 0))
			break;
	} while (!fail_instance(inst, failure));
	if (task != NULL)
		fail_task(task, failure);
}

/* False: it was changed since it was read. */
static bool
fail_instance(const DsInstance *inst, Jsonb *failure)
{
	if (!ds_store_fail(inst, failure, true))
		return false;
	ds_end_tell(inst, DS_FAILED, NULL, failure, true);
	ds_end_log_failure(inst, failure);
	return true;
}

static void
fail_task(const DsTask *task, Jsonb *failure)
{
	DsRow		row = {0};

	row.seq = task->seq;
	row.attempt = task->attempt;
	row.kind = DS_OP_ACTIVITY;
	row.outcome = DS_OUTCOME_FAILED;
	row.parallel = true;
	row.name = task->name;
	row.failure = failure;
	row.scheduled_time = row.event_time = GetCurrentTimestamp();
	if (ds_store_end_task(task))
	{
		ds_store_add_row(&task->execution_id, &row);
		ds_commit_counts_add(DS_ACTIVITIES_FAILED);
	}
}

static Jsonb *
make_failure(const DsCrash *crash, int crashes)
{
	ErrorData	error = {0};

	error.sqlerrcode = ERRCODE_CRASH_SHUTDOWN;
	error.message = crash->left ?
		psprintf(ngettext("the server process executing it ended itself %d time in a row",
						  "the server process executing it ended itself %d times in a row",
						  crashes), crashes) :
		psprintf(ngettext("the server process executing it crashed %d time in a row",
						  "the server process executing it crashed %d times in a row",
						  crashes), crashes);
	if (crash->function_name[0] != '\0')
		error.detail = psprintf(_("It was executing function %s."),
								crash->function_name);
	error.hint = _("Fix the function, then continue the instance with df_rewind. durable_singleton.crash_limit sets after how many crashes an instance fails.");
	return ds_failure_from_error(&error);
}

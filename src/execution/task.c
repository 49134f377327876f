/*-------------------------------------------------------------------------
 *
 * task.c
 *	  Runs an activity that is a task, in parallel with its instance.
 *
 * The row in table task is both the work and the fence: it is deleted in the
 * transaction in which the activity commits; a process that cancels the task
 * deletes it, too, and thereby prevents its end.  The end is a row of history,
 * an INSERT, so tasks of one instance never wait for each other.  Whether the
 * instance waits for the task is checked after the commit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "commit/durability.h"
#include "commit/transaction.h"
#include "execution/activity.h"
#include "execution/task.h"
#include "instance/home.h"
#include "shmem/counters.h"
#include "shmem/hints.h"
#include "store/store.h"

static DsTask *load(const DsWork *work, const DsRunLimits *limits, Oid *owner);
static DsCall call_of(const DsTask *task, MemoryContext cxt);
static bool store_end(const DsRow *row, void *arg);
static void tell_instance(const DsTask *task);

DsRunResult
ds_task_run(const DsWork *work, MemoryContext cxt, DsRunLimits *limits,
			Oid *owner)
{
	DsTask	   *task = load(work, limits, owner);
	DsCall		call;
	DsRow		row;

	if (task == NULL)
		return DS_RUN_NOT_READY;

	/* the activity may pass on results of the step that scheduled it */
	if (ds_step_commit == DS_STEP_COMMIT_GROUP)
		ds_durability_wait(ds_durability_lsn_of(task->xmin));

	call = call_of(task, cxt);
	if (!ds_activity_run(&call, &row, store_end, task))
	{
		/* canceled: nothing of it may remain */
		ds_transaction_abort();
		ds_counters_add(DS_STEPS_UNDONE, 1);
		return DS_RUN_NOT_READY;
	}
	if (limits->steps_left > 0)
		limits->steps_left--;
	if (ds_row_is_tried_again(&row))
		ds_hint_wake(MyDatabaseId, task->owner, row.fire_at);
	else
		tell_instance(task);
	return DS_RUN_PROGRESS;
}

/* NULL: there is nothing to run; the time of the next run is recorded. */
static DsCall
call_of(const DsTask *task, MemoryContext cxt)
{
	DsCall		call = {
		.instance_id = task->instance_id,
		.execution_id = &task->execution_id,
		.seq = task->seq,
		.attempt = task->attempt,
		.parallel = true,
		.counted = task->counted,
		.automatic = task->automatic,
		.first_time = task->first_time,
		.name = task->name,
		.search_path = task->search_path,
		.input = task->input,
		.retry = task->retry,
		.defaults.kept = task->defaults,
		.cxt = cxt,
		.scratch = AllocSetContextCreate(cxt, "durable_singleton user code",
										 ALLOCSET_DEFAULT_SIZES)
	};

	return call;
}

static DsTask *
load(const DsWork *work, const DsRunLimits *limits, Oid *owner)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		suspended = false;
	DsTask	   *task;

	ds_transaction_begin();
	task = ds_store_load_task(&work->execution_id, work->seq, &suspended);
	if (task != NULL && task->attempt > 1)
		task->defaults = ds_store_load_defaults(&task->execution_id, task->seq);
	ds_transaction_commit();
	if (task == NULL || task->kind != DS_OP_ACTIVITY || suspended ||
		(!limits->any_home && task->home != ds_home_stamp()))
		return NULL;
	*owner = task->owner;
	if (task->owner != GetUserId())
		return NULL;
	if (task->ready_time > now)
	{
		ds_hint_wake(MyDatabaseId, task->owner, task->ready_time);
		return NULL;
	}
	return task;
}

static bool
store_end(const DsRow *row, void *arg)
{
	const DsTask *task = arg;
	bool		open;

	switch (row->outcome)
	{
		case DS_OUTCOME_REPEATED:
			open = ds_store_repeat_task(task, task->counted, task->automatic + 1,
										task->first_time, row->fire_at);
			break;
		case DS_OUTCOME_RETRIED:
			open = ds_store_repeat_task(task, task->counted + 1, task->automatic,
										task->first_time ? task->first_time :
										row->scheduled_time, row->fire_at);
			break;
		default:
			open = ds_store_end_task(task);
			break;
	}
	if (open)
		ds_store_add_row(&task->execution_id, row);
	return open;
}

/*
 * The instance may start to wait for the task at this very moment: after it
 * has written its wait, it checks again.
 */
static void
tell_instance(const DsTask *task)
{
	bool		watched;

	ds_transaction_begin();
	watched = ds_store_is_watched(task);
	ds_transaction_commit();
	if (watched)
	{
		DsWork		work = {0};

		strlcpy(work.instance_id, task->instance_id, sizeof(work.instance_id));
		ds_hint_ready(MyDatabaseId, task->owner, &work);
	}
}

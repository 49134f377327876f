/*-------------------------------------------------------------------------
 *
 * step.c
 *	  Runs an instance, step by step.
 *
 * A runner claims the instance, reads its row and history in a separate
 * transaction (so that no lock on the extension's tables is held while user
 * code runs, see load.c), and then executes steps:
 *
 *	pass	 the orchestrator runs against its history until it asks for
 *			 something new, returns or fails (pass.c)
 *	activity a separate transaction: user code at its top level, then the
 *			 history row and the fenced update of the instance's row, COMMIT
 *			 (activity.c)
 *	wait	 the wait is written to the row, with the tasks to wait for, and
 *			 the instance is released
 *	end		 result or failure is written together with the orchestrator's
 *			 own writes
 *
 * Every write is fenced by execution and turn.  If the row has changed in the
 * meantime (terminated, replaced, purged), the whole transaction is rolled
 * back, including the effects of the activity.  The claim ensures "one at a
 * time", the fence "exactly once".
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
#include "commit/durability.h"
#include "commit/transaction.h"
#include "execution/activity.h"
#include "execution/conflict_wait.h"
#include "execution/load.h"
#include "execution/run.h"
#include "execution/run_cache.h"
#include "execution/step.h"
#include "execution/step_end.h"
#include "execution/wait.h"
#include "function/isolation.h"
#include "function/user_code.h"
#include "orchestrator/pass.h"
#include "shmem/claim.h"
#include "shmem/counters.h"
#include "shmem/crashed_slots.h"
#include "shmem/hints.h"
#include "shmem/slot.h"
#include "store/store.h"

/* Even if other work waits, reading a long history should first pay off. */
#define STEPS_A_LOAD	32

/* An attempt at an activity, to be written to the table. */
typedef struct Attempt
{
	DsRun	   *run;
	bool		suspended;		/* the instance was suspended in the meantime */
} Attempt;

static DsStepResult do_step(DsRun *run);
static bool history_is_too_large(const DsRun *run);
static DsPass run_pass(DsRun *run);
static DsStepResult check_wait(DsRun *run, DsWait *wait);
static DsStepResult do_activity(DsRun *run, const DsRequest *request);
static bool store_attempt(const DsRow *row, void *arg);
static DsStepResult store_progress(DsRun *run);
static void flush_previous_step(const DsRun *run);
static bool must_yield(const DsRun *run);

DsRunResult
ds_step_run_instance(const DsWork *work, MemoryContext *cxt,
					 DsRunLimits *limits, Oid *owner)
{
	DsRun		run = {.cxt = *cxt,.limits = limits,.owner = GetUserId()};
	bool		ready;

	ready = ds_load_cached_run(&run, work->instance_id, cxt) ||
		ds_load_run(&run, work);
	*owner = run.owner;
	if (!ready)
		return run.progress ? DS_RUN_PROGRESS : DS_RUN_NOT_READY;

	for (;;)
	{
		DsStepResult step = DS_STEP_GOES_ON;

		CHECK_FOR_INTERRUPTS();
		/* tasks have ended: is the wait over? */
		if (run.inst->wait.kind == DS_OP_TASKS)
			step = check_wait(&run, &run.inst->wait);
		if (step == DS_STEP_GOES_ON)
			step = do_step(&run);
		switch (step)
		{
			case DS_STEP_WAITS:
			case DS_STEP_ENDED:
				return DS_RUN_PROGRESS;
			case DS_STEP_LOST:
				return run.progress ? DS_RUN_PROGRESS : DS_RUN_NOT_READY;
			case DS_STEP_GOES_ON:
			case DS_STEP_NEW_EXECUTION:
			case DS_STEP_CONFLICT:
				break;
		}
		if (limits->steps_left == 0 || must_yield(&run))
		{
			if (step == DS_STEP_GOES_ON && limits->yield != NULL && ds_run_cache_put(&run))
				*cxt = NULL;
			return DS_RUN_UNFINISHED;
		}
		if (step == DS_STEP_NEW_EXECUTION)
		{
			XLogRecPtr	lsn = run.lsn;

			MemoryContextReset(run.cxt);
			ready = ds_load_run(&run, work);
			*owner = run.owner;
			if (!ready)
				return DS_RUN_PROGRESS;
			run.lsn = Max(run.lsn, lsn);
		}
	}
}

/* Runs one pass, and executes its request. */
static DsStepResult
do_step(DsRun *run)
{
	DsReplay   *replay = run->replay;
	DsPass		pass;

	if (ds_max_history_size >= 0 && history_is_too_large(run))
		return ds_step_fail_too_large(run);
	if (ds_crashed_slots_is_cautious())
		XLogFlush(run->lsn);
	for (int n = 1;; n++)
	{
		pass = run_pass(run);
		if (pass.outcome == DS_PASS_REQUEST)
			break;
		if (pass.conflict && ds_conflict_is_repeated(n))
			ds_transaction_abort();
		else
		{
			DsStepResult step = ds_step_end(run, &pass,
											ds_conflict_is_repeated(n));

			if (step != DS_STEP_CONFLICT)
				return step;
		}
		/* everything was rolled back */
		ds_counters_add(DS_STEPS_UNDONE, 1);
		ds_replay_forget_tasks(replay);
		ds_user_code_forget();
		(void) ds_conflict_wait(n);
	}

	/* the pass is rolled back; the transaction has no other changes */
	ds_transaction_commit();
	ds_user_code_forget();
	ds_replay_rewind_undelivered(replay);
	if (replay->request.kind != DS_OP_ACTIVITY)
		return check_wait(run, &replay->request.wait);

	/*
	 * The activity may pass recorded values and events on to the outside
	 * world: they must be committed first.
	 */
	if (ds_run_has_news(run))
	{
		DsStepResult step = store_progress(run);

		if (step != DS_STEP_GOES_ON)
			return step;
	}
	flush_previous_step(run);
	return do_activity(run, &replay->request);
}

/* Uses the isolation level of the role's transactions. */
static DsPass
run_pass(DsRun *run)
{
	DsPass		pass;

	/* the transaction of the load has its own level and a snapshot */
	if (run->in_transaction && ds_isolation_is_strict())
	{
		ds_transaction_commit();
		run->in_transaction = false;
	}
	if (!run->in_transaction)
	{
		ds_transaction_begin();
		ds_isolation_set_default();
	}
	run->in_transaction = false;
	ds_counters_add(DS_PASSES, 1);
	pass = ds_pass_run(run->replay);
	if (pass.cancelled && (ds_claim_is_cancelled() || ds_my_slot->foreground))
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to user request")));
	return pass;
}

/* A history that is read repeatedly must not grow without limit. */
static bool
history_is_too_large(const DsRun *run)
{
	const DsReplay *replay = run->replay;
	int64		size = 0;

	for (int i = 0; i < replay->n_ops; i++)
		size += replay->ops[i].size;
	return size > ds_max_history_size * INT64CONST(1024);
}

/*
 * The code waits for a timer, an event or the end of tasks, which may have
 * come already.  If not, writes the wait, which also makes the tasks begin.
 */
static DsStepResult
check_wait(DsRun *run, DsWait *wait)
{
	/* it is already in the instance's row */
	bool		written = wait == &run->inst->wait;

	for (;;)
	{
		TimestampTz fire_at = wait->fire_at;
		int			watch = wait->watch;
		List	   *tasks;
		bool		over;
		bool		may_be_over;
		bool		suspended;
		DsStepWrite w;

		CHECK_FOR_INTERRUPTS();
		ds_transaction_begin();
		tasks = ds_run_begin_tasks(run, false);
		over = ds_wait_check(run, wait);
		if (run->replay->tasks == NIL &&
			(over ||
			 (written && run->replay->n_rows == 0 &&
			  wait->fire_at == fire_at && wait->watch == watch)))
		{
			/* the next pass must not hold a lock on the extension's tables */
			ds_transaction_commit();
			if (!over)
			{
				ds_run_tell_when_due(run->inst, wait);
				return DS_STEP_WAITS;
			}
			wait->kind = DS_OP_NONE;

			/*
			 * if it was just read, the new rows are written with the next
			 * step
			 */
			return written || !ds_run_has_news(run) ? DS_STEP_GOES_ON :
				store_progress(run);
		}
		w = ds_run_begin_write(run);
		w.tasks = tasks;
		if (!over)
			w.wait = *wait;
		if (!ds_store_step(&w, &suspended))
			return ds_step_lose();
		ds_transaction_commit();
		ds_run_written(run);
		if (over)
		{
			wait->kind = DS_OP_NONE;
			return DS_STEP_GOES_ON;
		}
		/* only after the commit: a process that looks must find the wait */
		ds_run_tell_when_due(run->inst, wait);
		if (wait->kind != DS_OP_TASKS)
			return DS_STEP_WAITS;
		written = true;

		/* a process that has just ended a task did not know of the wait yet */
		ds_transaction_begin();
		may_be_over = ds_store_wait_may_be_over(run->inst->instance_id, false);
		ds_transaction_commit();
		if (!may_be_over)
			return DS_STEP_WAITS;
	}
}

static DsStepResult
do_activity(DsRun *run, const DsRequest *request)
{
	DsReplay   *replay = run->replay;
	DsCall		call = {
		.instance_id = run->inst->instance_id,
		.execution_id = &run->inst->execution_id,
		.seq = replay->n_ops + 1,
		.attempt = 1,
		.name = request->name,
		.search_path = request->search_path,
		.input = request->input,
		.retry = request->retry,
		.cxt = run->cxt,
		.scratch = replay->scratch
	};
	Attempt		attempt = {.run = run};
	DsRow		row;

	if (request->seq != 0)
	{
		const DsOp *op = ds_replay_op(replay, request->seq);

		call.seq = request->seq;
		call.attempt = op->last.attempt + 1;
		call.counted = op->counted;
		call.automatic = op->automatic;
		call.first_time = op->first_time;
		call.defaults.kept = op->kept_defaults;
	}
	if (!ds_activity_run(&call, &row, store_attempt, &attempt))
		return ds_step_lose();
	ds_replay_apply(replay, &row);
	ds_run_written(run);
	if (attempt.suspended)
		return DS_STEP_WAITS;
	if (ds_row_is_tried_again(&row))
	{
		ds_hint_wake(MyDatabaseId, run->inst->owner, row.fire_at);
		return DS_STEP_WAITS;
	}
	return DS_STEP_GOES_ON;
}

/* Writes the row of the attempt in the current transaction. */
static bool
store_attempt(const DsRow *row, void *arg)
{
	Attempt    *attempt = arg;
	DsStepWrite w = ds_run_begin_write(attempt->run);

	w.last_row = row;
	w.history_length = Max(w.history_length, row->seq);
	w.even_suspended = true;
	if (ds_row_is_tried_again(row))
	{
		w.wait.kind = DS_OP_ACTIVITY;
		w.wait.name = row->name;
		w.wait.since = row->event_time;
		w.wait.fire_at = row->fire_at;
	}
	return ds_store_step(&w, &attempt->suspended);
}

/* Writes the results of the passes so far, in a separate transaction. */
static DsStepResult
store_progress(DsRun *run)
{
	List	   *tasks;
	DsStepWrite w;
	bool		suspended;

	ds_transaction_begin();
	tasks = ds_run_begin_tasks(run, false);
	w = ds_run_begin_write(run);
	w.tasks = tasks;
	if (!ds_store_step(&w, &suspended))
		return ds_step_lose();
	ds_transaction_commit();
	ds_run_written(run);
	return DS_STEP_GOES_ON;
}

/*
 * A result that an activity has passed to the outside world must not be lost
 * in a crash, so it is flushed before the next activity begins.  In the
 * meantime the runner has run other instances, and one flush serves them all.
 */
static void
flush_previous_step(const DsRun *run)
{
	if (ds_step_commit == DS_STEP_COMMIT_GROUP)
		ds_durability_wait(run->lsn);
}

/* Resuming later requires reading the history again. */
static bool
must_yield(const DsRun *run)
{
	const DsRunLimits *limits = run->limits;

	if (limits->leave != NULL && limits->leave())
		return true;
	return limits->yield != NULL &&
		run->n_steps >= run->n_loaded / STEPS_A_LOAD && limits->yield();
}

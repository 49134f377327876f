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
#include "commit/commit_hints.h"
#include "commit/durability.h"
#include "commit/transaction.h"
#include "execution/activity.h"
#include "execution/conflict_wait.h"
#include "execution/load.h"
#include "execution/run.h"
#include "execution/run_cache.h"
#include "execution/step.h"
#include "execution/wait.h"
#include "function/failure.h"
#include "function/isolation.h"
#include "function/user_code.h"
#include "instance/end.h"
#include "orchestrator/pass.h"
#include "orchestrator/retry_policy.h"
#include "shmem/claim.h"
#include "shmem/counters.h"
#include "shmem/crashed_slots.h"
#include "shmem/hints.h"
#include "shmem/slot.h"
#include "store/execution_id.h"
#include "store/store.h"

/* Even if other work waits, reading a long history should first pay off. */
#define STEPS_A_LOAD	32

/* The result of a step. */
typedef enum StepResult
{
	STEP_GOES_ON,
	STEP_WAITS,
	STEP_ENDED,
	STEP_NEW_EXECUTION,
	STEP_CONFLICT,				/* its commit conflicted: repeat it */
	STEP_LOST					/* the row belongs to another execution or
								 * turn */
} StepResult;

/* An attempt at an activity, to be written to the table. */
typedef struct Attempt
{
	DsRun	   *run;
	bool		suspended;		/* the instance was suspended in the meantime */
} Attempt;

static StepResult do_step(DsRun *run);
static bool history_is_too_large(const DsRun *run);
static StepResult fail_too_large(DsRun *run);
static DsPass run_pass(DsRun *run);
static StepResult end_execution(DsRun *run, const DsPass *pass,
								bool repeat_conflict);
static bool write_continue(DsRun *run);
static bool write_end(DsRun *run, const DsPass *pass);
static StepResult check_wait(DsRun *run, DsWait *wait);
static StepResult do_activity(DsRun *run, const DsRequest *request);
static bool store_attempt(const DsRow *row, void *arg);
static StepResult store_progress(DsRun *run);
static StepResult store_failure(DsRun *run, Jsonb *failure);
static StepResult lose(void);
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
		StepResult	step = STEP_GOES_ON;

		CHECK_FOR_INTERRUPTS();
		/* tasks have ended: is the wait over? */
		if (run.inst->wait.kind == DS_OP_TASKS)
			step = check_wait(&run, &run.inst->wait);
		if (step == STEP_GOES_ON)
			step = do_step(&run);
		switch (step)
		{
			case STEP_WAITS:
			case STEP_ENDED:
				return DS_RUN_PROGRESS;
			case STEP_LOST:
				return run.progress ? DS_RUN_PROGRESS : DS_RUN_NOT_READY;
			case STEP_GOES_ON:
			case STEP_NEW_EXECUTION:
			case STEP_CONFLICT:
				break;
		}
		if (limits->steps_left == 0 || must_yield(&run))
		{
			if (step == STEP_GOES_ON && limits->yield != NULL && ds_run_cache_put(&run))
				*cxt = NULL;
			return DS_RUN_UNFINISHED;
		}
		if (step == STEP_NEW_EXECUTION)
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
static StepResult
do_step(DsRun *run)
{
	DsReplay   *replay = run->replay;
	DsPass		pass;

	if (ds_max_history_size >= 0 && history_is_too_large(run))
		return fail_too_large(run);
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
			StepResult	step = end_execution(run, &pass,
											 ds_conflict_is_repeated(n));

			if (step != STEP_CONFLICT)
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
		StepResult	step = store_progress(run);

		if (step != STEP_GOES_ON)
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

static StepResult
fail_too_large(DsRun *run)
{
	ErrorData	error = {0};

	if (run->in_transaction)
		ds_transaction_commit();
	run->in_transaction = false;
	error.sqlerrcode = ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
	error.message = psprintf(_("history of instance \"%s\" is too large"),
							 run->inst->instance_id);
	error.detail = psprintf(_("It has %d steps; durable_singleton.max_history_size is %d kB."),
							run->replay->n_ops, ds_max_history_size);
	error.hint = _("Begin with an empty history from time to time with df_continue_as_new, and pass keys of your own tables in place of large values.");
	return store_failure(run, ds_failure_from_error(&error));
}

/* The pass returned, failed or continued as new: its transaction continues. */
static StepResult
end_execution(DsRun *run, const DsPass *pass, bool repeat_conflict)
{
	volatile bool committing = false;
	ErrorData  *volatile error = NULL;
	volatile bool done = false;

	if (pass->outcome == DS_PASS_FAILED)
		ds_replay_forget_tasks(run->replay);
	PG_TRY();
	{
		done = pass->outcome == DS_PASS_CONTINUED ? write_continue(run) :
			write_end(run, pass);
		if (done)
		{
			committing = true;
			ds_transaction_commit();
		}
	}
	PG_CATCH();
	{
		/* deferred constraints on the orchestrator's own writes */
		if (!committing || pass->outcome == DS_PASS_FAILED)
			PG_RE_THROW();
		MemoryContextSwitchTo(run->cxt);
		error = CopyErrorData();
		FlushErrorState();
		ds_transaction_abort();
	}
	PG_END_TRY();

	if (error != NULL)
	{
		if (repeat_conflict &&
			ds_retry_is_automatic(unpack_sql_state(error->sqlerrcode)))
			return STEP_CONFLICT;
		ds_replay_forget_tasks(run->replay);
		return store_failure(run, ds_failure_from_error(error));
	}
	if (!done)
		return lose();
	ds_run_written(run);
	if (pass->outcome == DS_PASS_CONTINUED)
	{
		ds_counters_add(DS_INSTANCES_CONTINUED, 1);
		return STEP_NEW_EXECUTION;
	}
	if (pass->outcome == DS_PASS_FAILED)
		ds_end_log_failure(run->inst, pass->failure);
	return STEP_ENDED;
}

static bool
write_continue(DsRun *run)
{
	DsStepWrite w;
	bool		done;

	/* children are separate instances, and continue without the parent */
	(void) ds_run_begin_tasks(run, true);
	w = ds_run_begin_write(run);
	w.next_execution = ds_execution_id_new();
	w.next_input = run->replay->next_input;
	w.keep_events = run->replay->keep_events;
	done = ds_store_continue(&w);
	if (done && ds_run_has_open_tasks(run))
		ds_commit_hint_cancel(run->inst->instance_id,
							  &run->inst->execution_id);
	return done;
}

static bool
write_end(DsRun *run, const DsPass *pass)
{
	List	   *tasks = ds_run_begin_tasks(run, false);
	DsStepWrite w = ds_run_begin_write(run);
	bool		done;

	w.tasks = tasks;
	w.end_status = pass->outcome == DS_PASS_FAILED ? DS_FAILED : DS_COMPLETED;
	w.output = pass->result;
	w.failure = pass->failure;
	done = ds_store_end(&w);
	if (done)
		ds_end_tell(run->inst, w.end_status, w.output, w.failure, true);
	return done;
}

/*
 * The code waits for a timer, an event or the end of tasks, which may have
 * come already.  If not, writes the wait, which also makes the tasks begin.
 */
static StepResult
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
				return STEP_WAITS;
			}
			wait->kind = DS_OP_NONE;

			/*
			 * if it was just read, the new rows are written with the next
			 * step
			 */
			return written || !ds_run_has_news(run) ? STEP_GOES_ON :
				store_progress(run);
		}
		w = ds_run_begin_write(run);
		w.tasks = tasks;
		if (!over)
			w.wait = *wait;
		if (!ds_store_step(&w, &suspended))
			return lose();
		ds_transaction_commit();
		ds_run_written(run);
		if (over)
		{
			wait->kind = DS_OP_NONE;
			return STEP_GOES_ON;
		}
		/* only after the commit: a process that looks must find the wait */
		ds_run_tell_when_due(run->inst, wait);
		if (wait->kind != DS_OP_TASKS)
			return STEP_WAITS;
		written = true;

		/* a process that has just ended a task did not know of the wait yet */
		ds_transaction_begin();
		may_be_over = ds_store_wait_may_be_over(run->inst->instance_id, false);
		ds_transaction_commit();
		if (!may_be_over)
			return STEP_WAITS;
	}
}

static StepResult
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
		return lose();
	ds_replay_apply(replay, &row);
	ds_run_written(run);
	if (attempt.suspended)
		return STEP_WAITS;
	if (ds_row_is_tried_again(&row))
	{
		ds_hint_wake(MyDatabaseId, run->inst->owner, row.fire_at);
		return STEP_WAITS;
	}
	return STEP_GOES_ON;
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
static StepResult
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
		return lose();
	ds_transaction_commit();
	ds_run_written(run);
	return STEP_GOES_ON;
}

/* Records that the instance has failed, in a separate transaction. */
static StepResult
store_failure(DsRun *run, Jsonb *failure)
{
	DsStepWrite w = ds_run_begin_write(run);

	w.end_status = DS_FAILED;
	w.failure = failure;
	ds_transaction_begin();
	if (!ds_store_end(&w))
		return lose();
	ds_end_tell(run->inst, DS_FAILED, NULL, failure, true);
	ds_transaction_commit();
	ds_run_written(run);
	ds_end_log_failure(run->inst, failure);
	return STEP_ENDED;
}

/* The fence did not match: rolls back everything in this transaction. */
static StepResult
lose(void)
{
	ds_transaction_abort();
	ds_counters_add(DS_STEPS_UNDONE, 1);
	return STEP_LOST;
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

/*-------------------------------------------------------------------------
 *
 * step_end.c
 *	  The end of a step that ends its execution.
 *
 * The result or failure is written together with the orchestrator's own
 * writes.  If they fail at COMMIT, because of a deferred constraint for
 * instance, the instance has failed, and that is written alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/settings.h"
#include "commit/commit_hints.h"
#include "commit/transaction.h"
#include "execution/step_end.h"
#include "function/failure.h"
#include "instance/end.h"
#include "orchestrator/retry_policy.h"
#include "shmem/counters.h"
#include "store/execution_id.h"
#include "store/store.h"

static bool write_continue(DsRun *run);
static bool write_end(DsRun *run, const DsPass *pass);
static DsStepResult store_failure(DsRun *run, Jsonb *failure);

DsStepResult
ds_step_end(DsRun *run, const DsPass *pass, bool repeat_conflict)
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
			return DS_STEP_CONFLICT;
		ds_replay_forget_tasks(run->replay);
		return store_failure(run, ds_failure_from_error(error));
	}
	if (!done)
		return ds_step_lose();
	ds_run_written(run);
	if (pass->outcome == DS_PASS_CONTINUED)
	{
		ds_counters_add(DS_INSTANCES_CONTINUED, 1);
		return DS_STEP_NEW_EXECUTION;
	}
	if (pass->outcome == DS_PASS_FAILED)
		ds_end_log_failure(run->inst, pass->failure);
	return DS_STEP_ENDED;
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

DsStepResult
ds_step_fail_too_large(DsRun *run)
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

/* Records that the instance has failed, in a separate transaction. */
static DsStepResult
store_failure(DsRun *run, Jsonb *failure)
{
	DsStepWrite w = ds_run_begin_write(run);

	w.end_status = DS_FAILED;
	w.failure = failure;
	ds_transaction_begin();
	if (!ds_store_end(&w))
		return ds_step_lose();
	ds_end_tell(run->inst, DS_FAILED, NULL, failure, true);
	ds_transaction_commit();
	ds_run_written(run);
	ds_end_log_failure(run->inst, failure);
	return DS_STEP_ENDED;
}

DsStepResult
ds_step_lose(void)
{
	ds_transaction_abort();
	ds_counters_add(DS_STEPS_UNDONE, 1);
	return DS_STEP_LOST;
}

/*-------------------------------------------------------------------------
 *
 * step.c
 *	  Running an instance.
 *
 * An executor claims the instance, reads its row and history in a transaction
 * of its own (so that no lock on our tables is held while user code runs),
 * and then goes step by step:
 *
 *	pass	 the orchestrator runs against its history until it asks for
 *			 something new, returns or fails (frame.c)
 *	activity a transaction of its own: user code at its top level, then the
 *			 history row and the fenced update of the instance's row, COMMIT
 *	wait	 the wait is written to the row, and the instance is given back
 *	end		 result or failure is written together with what the
 *			 orchestrator itself wrote
 *
 * Every write is fenced by execution and turn.  If the row has gone on
 * without us (terminated, replaced, purged), the whole transaction is rolled
 * back, the effects of the activity included.  The claim gives "one at a
 * time", the fence "exactly once".
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "commit_hints.h"
#include "contested.h"
#include "durability.h"
#include "failure.h"
#include "frame.h"
#include "function_ref.h"
#include "hints.h"
#include "home.h"
#include "hub.h"
#include "replay.h"
#include "settings.h"
#include "slot.h"
#include "step.h"
#include "store.h"
#include "transaction.h"
#include "user_code.h"

/* One instance in the hands of its executor. */
typedef struct Run
{
	MemoryContext cxt;			/* of all that belongs to the instance */
	DsRunLimits *limits;
	DsInstance *inst;
	DsReplay   *replay;
	Oid			owner;			/* of the instance, while it is active */
	XLogRecPtr	lsn;			/* of the last commit for the instance */
	bool		progress;		/* something was written */
} Run;

/* What a step came to. */
typedef enum StepResult
{
	STEP_GOES_ON,
	STEP_WAITS,
	STEP_ENDED,
	STEP_NEW_EXECUTION,
	STEP_LOST					/* the row is not ours any more */
} StepResult;

/* Where a transaction with user code was when it failed. */
typedef enum Phase
{
	PHASE_USER_CODE,
	PHASE_WRITE,
	PHASE_COMMIT
} Phase;

static DsRunResult run_claimed(const char *instance_id, MemoryContext cxt,
							   DsRunLimits *limits, Oid *owner);
static bool load(Run *run, const char *instance_id);
static StepResult do_step(Run *run);
static StepResult end_execution(Run *run, const DsPass *pass);
static StepResult wait_or_go_on(Run *run, const DsWait *wait);
static void wait_for_invalidations(TransactionId xid);
static bool fulfil_wait(Run *run, const DsWait *wait);
static StepResult do_activity(Run *run, const DsRequest *request);
static StepResult store_activity(Run *run, const DsOp *op);
static StepResult store_progress(Run *run);
static StepResult store_failure(Run *run, Jsonb *failure);
static StepResult lose(void);
static DsStepWrite begin_write(const Run *run);
static void after_commit(Run *run);
static bool needs_progress_write(const Run *run);
static Jsonb *present_custom_status(const Run *run);
static void flush_previous_step(const Run *run);
static void log_duration(const Run *run, const char *activity, TimestampTz start);
static void log_failure(const Run *run, const Jsonb *failure);

DsRunResult
ds_run_instance(const char *instance_id, DsRunLimits *limits)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt;
	volatile DsRunResult result = DS_RUN_NOT_READY;
	ErrorData  *volatile error = NULL;
	Oid			owner = GetUserId();
	bool		hint = false;

	if (!ds_claim(instance_id))
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
			r = run_claimed(instance_id, cxt, limits, &owner);
			if (r != DS_RUN_NOT_READY)
				result = r;
			again = r == DS_RUN_UNFINISHED || r == DS_RUN_TROUBLE ? false :
				!ds_release_unless_wanted();
		} while (again);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		ds_user_code_error();
		ds_tx_abort();
		result = DS_RUN_TROUBLE;
	}
	PG_END_TRY();

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
	if (result == DS_RUN_TROUBLE || result == DS_RUN_UNFINISHED)
	{
		if (ds_step_is_cancelled())
		{
			/* it was terminated, and nothing is left to do for us */
			result = DS_RUN_PROGRESS;
			error = NULL;
		}
		hint = ds_release() || result == DS_RUN_UNFINISHED ||
			ds_my_slot->foreground;
	}
	if (hint || owner != GetUserId())
		ds_hint_ready(MyDatabaseId, owner, instance_id);
	if (error != NULL)
	{
		if (ds_my_slot->foreground)
			ReThrowError(error);
		if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
			ds_contested_add(instance_id);
		ereport(LOG,
				(errcode(error->sqlerrcode),
				 errmsg("a step of instance \"%s\" was undone and will be tried again: %s",
						instance_id, error->message)));
	}
	ds_user_code_forget();
	return result;
}

/*
 * *owner becomes the role that the instance belongs to by now, if it is
 * another one: its workers have to be told.
 */
static DsRunResult
run_claimed(const char *instance_id, MemoryContext cxt, DsRunLimits *limits,
			Oid *owner)
{
	Run			run = {.cxt = cxt,.limits = limits,.owner = GetUserId()};
	bool		ready;

	if (ds_is_contested(instance_id))
		return DS_RUN_TROUBLE;
	ready = load(&run, instance_id);
	*owner = run.owner;
	if (!ready)
		return DS_RUN_NOT_READY;

	for (;;)
	{
		StepResult	step;

		CHECK_FOR_INTERRUPTS();
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
				break;
		}
		if (limits->steps_left == 0 ||
			(limits->yield != NULL && limits->yield()))
			return DS_RUN_UNFINISHED;
		if (step == STEP_NEW_EXECUTION)
		{
			XLogRecPtr	lsn = run.lsn;

			MemoryContextReset(cxt);
			ready = load(&run, instance_id);
			*owner = run.owner;
			if (!ready)
				return DS_RUN_PROGRESS;
			run.lsn = Max(run.lsn, lsn);
		}
	}
}

/*
 * Reads the instance in a transaction of its own.  False: there is nothing to
 * run; when there will be, is noted.
 */
static bool
load(Run *run, const char *instance_id)
{
	TimestampTz now = GetCurrentTimestamp();
	DsInstance *inst;
	bool		ready = false;

	/* of the execution before, when it is one after the other */
	ds_user_code_forget();
	ds_tx_begin();
	inst = ds_store_load(instance_id);
	if (inst != NULL && ds_status_is_active(inst->status))
		run->owner = inst->owner;
	if (inst != NULL && inst->owner == GetUserId() &&
		(inst->status == DS_PENDING || inst->status == DS_RUNNING) &&
		(run->limits->any_home || inst->home == ds_home_stamp()))
	{
		DsOp	   *ops = NULL;
		int			n_ops = 0;

		if (inst->history_length > 0)
			ops = ds_store_load_history(inst, &n_ops);
		run->inst = inst;
		run->replay = ds_replay_create(run->cxt, inst, ops, n_ops);
		run->lsn = ds_commit_lsn_of(inst->xmin);
		if (inst->turn == 0)
			wait_for_invalidations(inst->xmin);

		if (inst->wait.kind != DS_OP_NONE)
			ready = fulfil_wait(run, &inst->wait);
		else if (inst->ready_time <= now)
			ready = true;
		else
			ds_hint_wake(MyDatabaseId, inst->owner, inst->ready_time);
	}
	ds_tx_commit();
	return ready;
}

/* One pass, and what it asks for. */
static StepResult
do_step(Run *run)
{
	DsReplay   *replay = run->replay;
	DsPass		pass;

	ds_tx_begin();
	pass = ds_frame_run(replay);
	if (pass.cancelled && (ds_step_is_cancelled() || ds_my_slot->foreground))
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to user request")));
	if (pass.outcome != DS_PASS_REQUEST)
		return end_execution(run, &pass);

	/* the pass is rolled back; nothing is in this transaction */
	ds_tx_commit();
	ds_user_code_forget();
	if (replay->request.kind != DS_OP_ACTIVITY)
		return wait_or_go_on(run, &replay->request.wait);

	/*
	 * What the activity is about to tell the world may build on recorded
	 * values and events: they come first.
	 */
	if (needs_progress_write(run))
	{
		StepResult	step = store_progress(run);

		if (step != STEP_GOES_ON)
			return step;
	}
	flush_previous_step(run);
	return do_activity(run, &replay->request);
}

/* The pass returned, failed or continued as new: the transaction goes on. */
static StepResult
end_execution(Run *run, const DsPass *pass)
{
	DsStepWrite w = begin_write(run);
	volatile Phase phase = PHASE_WRITE;
	ErrorData  *volatile error = NULL;
	volatile bool done = false;

	w.end_status = pass->outcome == DS_PASS_FAILED ? DS_FAILED : DS_COMPLETED;
	w.output = pass->result;
	w.failure = pass->failure;
	PG_TRY();
	{
		if (pass->outcome == DS_PASS_CONTINUED)
		{
			w.next_execution = ds_new_execution_id();
			w.next_input = run->replay->next_input;
			w.keep_events = run->replay->keep_events;
			done = ds_store_continue(&w);
		}
		else
		{
			done = ds_store_end(&w);
			ds_at_commit_ended(run->inst->instance_id);
		}
		if (done)
		{
			phase = PHASE_COMMIT;
			ds_tx_commit();
		}
	}
	PG_CATCH();
	{
		/* deferred constraints on the orchestrator's own writes */
		if (phase != PHASE_COMMIT || pass->outcome == DS_PASS_FAILED)
			PG_RE_THROW();
		MemoryContextSwitchTo(run->cxt);
		error = CopyErrorData();
		FlushErrorState();
		ds_tx_abort();
	}
	PG_END_TRY();

	if (error != NULL)
		return store_failure(run, ds_failure_from_error(error));
	if (!done)
		return lose();
	after_commit(run);
	if (pass->outcome == DS_PASS_CONTINUED)
		return STEP_NEW_EXECUTION;
	if (pass->outcome == DS_PASS_FAILED)
		log_failure(run, pass->failure);
	return STEP_ENDED;
}

/* A timer or an event is asked for: it may be there already. */
static StepResult
wait_or_go_on(Run *run, const DsWait *wait)
{
	DsStepWrite w;

	ds_tx_begin();
	if (fulfil_wait(run, wait))
	{
		/* the next pass comes without a lock on our tables */
		ds_tx_commit();
		return store_progress(run);
	}
	w = begin_write(run);
	w.wait = *wait;
	if (!ds_store_step(&w))
		return lose();
	ds_tx_commit();
	after_commit(run);
	if (wait->fire_at != 0)
		ds_hint_wake(MyDatabaseId, run->inst->owner, wait->fire_at);
	return STEP_WAITS;
}

/*
 * A commit can be seen a moment before its invalidation messages are there.
 * If the same transaction replaced the function that comes next, the old one
 * would run.  Once its lock is gone they have been sent, and the next
 * transaction reads them.
 */
static void
wait_for_invalidations(TransactionId xid)
{
	if (TransactionIdIsNormal(xid))
		XactLockTableWait(xid, NULL, NULL, XLTW_None);
}

/*
 * If what the wait is for has come, appends it to the operations, to be
 * written with the next step.
 */
static bool
fulfil_wait(Run *run, const DsWait *wait)
{
	DsReplay   *replay = run->replay;
	TimestampTz now = GetCurrentTimestamp();
	DsOp		op = {0};

	op.kind = wait->kind;
	op.name = wait->name;
	op.scheduled_time = wait->since;
	op.event_time = now;
	op.fire_at = wait->fire_at;
	op.outcome = DS_OUTCOME_COMPLETED;
	if (wait->kind == DS_OP_EVENT)
	{
		TransactionId sender;
		int			n_taken = 0;
		int64	   *taken = palloc((replay->n_ops - replay->n_stored + 1) *
								   sizeof(int64));

		for (int i = replay->n_stored; i < replay->n_ops; i++)
		{
			if (replay->ops[i].inbox_id != 0)
				taken[n_taken++] = replay->ops[i].inbox_id;
		}
		op.inbox_id = ds_store_find_event(run->inst, wait->name, n_taken, taken,
										  &op.result, &sender);
		if (op.inbox_id != 0)
			wait_for_invalidations(sender);
	}
	if (op.inbox_id == 0)
	{
		if (wait->fire_at == 0)
			return false;
		if (wait->fire_at > now)
		{
			ds_hint_wake(MyDatabaseId, run->inst->owner, wait->fire_at);
			return false;
		}
		if (wait->kind == DS_OP_EVENT)
		{
			op.outcome = DS_OUTCOME_TIMED_OUT;
			op.result = wait->default_value;
		}
	}
	ds_replay_append(replay, &op);
	return true;
}

/*
 * User code at the top level of its transaction.  Whatever fails up to and in
 * the COMMIT is the activity's failure.
 */
static StepResult
do_activity(Run *run, const DsRequest *request)
{
	volatile Phase phase = PHASE_USER_CODE;
	ErrorData  *volatile error = NULL;
	volatile StepResult step = STEP_LOST;
	TimestampTz start = GetCurrentTimestamp();
	DsOp		op = {0};

	op.kind = DS_OP_ACTIVITY;
	op.outcome = DS_OUTCOME_COMPLETED;
	op.name = request->name;
	op.input = request->input;
	op.scheduled_time = start;

	ds_step_begin(&run->inst->execution_id, request->name);
	MemoryContextReset(run->replay->scratch);
	ds_tx_begin();
	PG_TRY();
	{
		DsUserCode	user;
		Oid			function;

		ds_user_code_begin(&user);
		function = ds_function_lookup_with(request->search_path, request->name);
		ds_function_check(function, request->name, GetUserId(),
						  request->input == NULL);
		ds_function_check_trust(function, request->name, GetUserId());
		MemoryContextSwitchTo(run->cxt);
		op.result = ds_function_call(function, request->input,
									 run->replay->scratch);
		ds_user_code_finish();
		ds_payload_check(op.result, "result");
		ds_user_code_end(&user);

		phase = PHASE_WRITE;
		op.event_time = GetCurrentTimestamp();
		step = store_activity(run, &op);
		if (step == STEP_GOES_ON)
		{
			phase = PHASE_COMMIT;
			ds_tx_commit();
		}
	}
	PG_CATCH();
	{
		bool		cancelled;

		MemoryContextSwitchTo(run->cxt);
		error = CopyErrorData();
		cancelled = ds_step_is_cancelled() ||
			(ds_my_slot->foreground && ds_error_is_cancel(error));
		if (phase == PHASE_WRITE || cancelled)
			PG_RE_THROW();
		FlushErrorState();
		ds_user_code_error();
		ds_tx_abort();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(run->cxt);
	if (step == STEP_GOES_ON || error != NULL)
		ds_user_code_forget();

	if (error != NULL)
	{
		if (phase == PHASE_COMMIT)
			run->replay->n_ops--;	/* what store_activity appended */
		op.outcome = DS_OUTCOME_FAILED;
		op.result = NULL;
		op.failure = ds_failure_from_error(error);
		op.event_time = GetCurrentTimestamp();
		ds_tx_begin();
		step = store_activity(run, &op);
		if (step == STEP_GOES_ON)
			ds_tx_commit();
	}
	if (step == STEP_LOST)
		return lose();
	after_commit(run);
	log_duration(run, request->name, start);
	return step;
}

/* The activity's end, in the present transaction. */
static StepResult
store_activity(Run *run, const DsOp *op)
{
	DsStepWrite w;

	ds_replay_append(run->replay, op);
	w = begin_write(run);
	return ds_store_step(&w) ? STEP_GOES_ON : STEP_LOST;
}

/* What the passes came by so far, in a transaction of its own. */
static StepResult
store_progress(Run *run)
{
	DsStepWrite w = begin_write(run);

	ds_tx_begin();
	if (!ds_store_step(&w))
		return lose();
	ds_tx_commit();
	after_commit(run);
	return STEP_GOES_ON;
}

/* The instance has failed, in a transaction of its own. */
static StepResult
store_failure(Run *run, Jsonb *failure)
{
	DsStepWrite w = begin_write(run);

	w.end_status = DS_FAILED;
	w.failure = failure;
	ds_tx_begin();
	if (!ds_store_end(&w))
		return lose();
	ds_at_commit_ended(run->inst->instance_id);
	ds_tx_commit();
	after_commit(run);
	log_failure(run, failure);
	return STEP_ENDED;
}

/* The fence held: nothing of this transaction shall remain. */
static StepResult
lose(void)
{
	ds_tx_abort();
	return STEP_LOST;
}

static DsStepWrite
begin_write(const Run *run)
{
	const DsReplay *replay = run->replay;
	DsStepWrite w = {0};

	w.inst = run->inst;
	w.now = GetCurrentTimestamp();
	w.start_clock = run->inst->start_clock ? run->inst->start_clock :
		replay->start_clock;
	w.new_ops = &replay->ops[replay->n_stored];
	w.n_new_ops = replay->n_ops - replay->n_stored;
	w.custom_status = present_custom_status(run);
	return w;
}

/* What is in memory follows what is now in the table. */
static void
after_commit(Run *run)
{
	DsInstance *inst = run->inst;
	DsReplay   *replay = run->replay;

	inst->turn++;
	inst->status = DS_RUNNING;
	inst->history_length = replay->n_stored = replay->n_ops;
	inst->start_clock = inst->start_clock ? inst->start_clock :
		replay->start_clock;
	inst->custom_status = present_custom_status(run);
	memset(&inst->wait, 0, sizeof(inst->wait));
	run->lsn = XactLastCommitEnd;
	run->progress = true;
	if (run->limits->steps_left > 0)
		run->limits->steps_left--;
}

/*
 * Is there something that an activity may build on, or that people should see
 * while it runs?
 */
static bool
needs_progress_write(const Run *run)
{
	const DsReplay *replay = run->replay;
	const Jsonb *old_status = run->inst->custom_status;
	const Jsonb *status = present_custom_status(run);

	if (replay->n_ops > replay->n_stored)
		return true;
	if (replay->clock_used && run->inst->start_clock == 0)
		return true;
	if ((old_status == NULL) != (status == NULL))
		return true;
	return status != NULL &&
		(VARSIZE(status) != VARSIZE(old_status) ||
		 memcmp(status, old_status, VARSIZE(status)) != 0);
}

static Jsonb *
present_custom_status(const Run *run)
{
	return run->replay->custom_status_set ? run->replay->custom_status :
		run->inst->custom_status;
}

/*
 * What an activity told the outside world must never be taken back by a
 * crash, so its result is on disk before the next activity begins.  In the
 * meantime the executor has run others, and one flush serves them all.
 */
static void
flush_previous_step(const Run *run)
{
	if (ds_step_commit == DS_STEP_COMMIT_GROUP)
		ds_wait_durable(run->lsn);
}

static void
log_duration(const Run *run, const char *activity, TimestampTz start)
{
	long		ms = TimestampDifferenceMilliseconds(start, GetCurrentTimestamp());

	if (ds_log_min_duration >= 0 && ms >= ds_log_min_duration)
		ereport(LOG,
				(errmsg("activity %s of instance \"%s\" took %ld ms",
						activity, run->inst->instance_id, ms)));
}

static void
log_failure(const Run *run, const Jsonb *failure)
{
	char	   *sqlstate = ds_failure_field(failure, "sqlstate");
	char	   *message = ds_failure_field(failure, "message");

	ereport(LOG,
			(errmsg("instance \"%s\" of orchestrator %s failed: %s: %s",
					run->inst->instance_id, run->inst->name,
					sqlstate ? sqlstate : "?", message ? message : "?")));
}

/*-------------------------------------------------------------------------
 *
 * pass.c
 *	  One pass of an orchestrator.
 *
 * A suspension unwinds the pass with an error, and a subtransaction rolls back
 * everything that the pass did.  Therefore direct writes before a wait would
 * be lost, and are refused.  Whether there were any is checked in the catch
 * block of the pass: at the wait itself, the subtransactions of PL/pgSQL's
 * exception blocks would hide them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "base/arguments.h"
#include "base/settings.h"
#include "function/failure.h"
#include "function/fresh_worker.h"
#include "function/function_call.h"
#include "function/function_ref.h"
#include "function/trust.h"
#include "function/user_code.h"
#include "orchestrator/code_version.h"
#include "orchestrator/pass.h"
#include "orchestrator/retry_policy.h"
#include "shmem/claim.h"

static DsPass judge(const DsReplay *replay, const ErrorData *error,
					const ErrorData *interrupt, Jsonb *result);
static Jsonb *call_orchestrator(DsReplay *replay);
static ErrorData *catch_interrupt(MemoryContext caller);
static void refuse_writes(DsReplay *replay);
static void check_code(DsReplay *replay, Oid function);

DsPass
ds_pass_run(DsReplay *replay)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	DsPass		pass;
	DsUserCode	user;
	ErrorData  *volatile error = NULL;
	ErrorData  *interrupt = NULL;
	Jsonb	   *defaults_before;
	Jsonb	   *volatile result = NULL;
	bool		wrote;
	bool		keep;
	int			level;

	MemoryContextReset(replay->scratch);
	/* a pass before may have come by some that are not written yet */
	defaults_before = replay->defaults.evaluated;
	replay->defaults.kept = defaults_before != NULL ? defaults_before :
		replay->inst->defaults;
	ds_user_code_begin(&user);
	BeginInternalSubTransaction("df_orchestrator");
	level = GetCurrentTransactionNestLevel();
	ds_replay_begin_pass(replay);
	PG_TRY();
	{
		MemoryContextSwitchTo(caller);
		result = call_orchestrator(replay);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	ds_replay_end_pass();
	if (replay->defaults.evaluated != defaults_before)
		replay->defaults.evaluated = ds_replay_copy(replay,
													replay->defaults.evaluated);
	if (replay->suspended && replay->violation == NULL)
		interrupt = catch_interrupt(caller);

	while (GetCurrentTransactionNestLevel() > level)
		RollbackAndReleaseCurrentSubTransaction();
	wrote = TransactionIdIsValid(GetCurrentTransactionIdIfAny());

	/* a suspension counts even if the code has caught it */
	if (replay->suspended && wrote && replay->violation == NULL)
		refuse_writes(replay);
	if (error == NULL && !replay->suspended && replay->violation == NULL &&
		!ds_replay_at_end(replay))
		ds_replay_mismatch(replay,
						   psprintf(_("History has %d steps; the code ended after %d."),
									replay->n_ops, replay->cursor));

	pass = judge(replay, error, interrupt, result);
	if (pass.outcome == DS_PASS_FAILED)
		ds_user_code_forget_cancel();
	keep = error == NULL && !replay->suspended && pass.outcome != DS_PASS_FAILED;
	if (keep)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	ds_user_code_end(&user);
	return pass;
}

/*
 * Determines the outcome of the pass.  error: the error it raised; interrupt:
 * the error that interrupted its suspension; result: its result.
 */
static DsPass
judge(const DsReplay *replay, const ErrorData *error,
	  const ErrorData *interrupt, Jsonb *result)
{
	DsPass		pass = {0};

	if (replay->violation != NULL)
	{
		pass.outcome = DS_PASS_FAILED;
		pass.failure = replay->violation;
	}
	else if (interrupt != NULL)
	{
		pass.outcome = DS_PASS_FAILED;
		pass.failure = ds_failure_from_error(interrupt);
		pass.cancelled = ds_failure_is_cancel(interrupt);
	}
	else if (replay->suspended)
		pass.outcome = replay->continued ? DS_PASS_CONTINUED : DS_PASS_REQUEST;
	else if (error != NULL)
	{
		Jsonb	   *own = ds_failure_from_error(error);

		pass.outcome = DS_PASS_FAILED;
		pass.failure = ds_failure_let_through(own, replay->delivered_failure);
		pass.cancelled = ds_failure_is_cancel(error);
		/* a task's failure has already been retried as often as allowed */
		pass.conflict = pass.failure == own &&
			ds_retry_is_automatic(unpack_sql_state(error->sqlerrcode));
	}
	else if (replay->continued)
		pass.outcome = DS_PASS_CONTINUED;
	else
	{
		pass.outcome = DS_PASS_RETURNED;
		pass.result = result;
	}
	return pass;
}

static Jsonb *
call_orchestrator(DsReplay *replay)
{
	DsInstance *inst = replay->inst;
	Oid			function;
	Oid			role = GetUserId();
	Jsonb	   *result;

	function = ds_function_find_in(inst->function_schema, inst->name,
								   inst->input);
	ds_function_check(function, inst->name, DS_USE_ORCHESTRATOR, role,
					  inst->input);
	ds_trust_check(function, inst->name, role);
	check_code(replay, function);
	ds_claim_begin_step(&inst->execution_id, inst->name);
	ds_fresh_worker_check(function, &inst->execution_id, true);
	result = ds_function_call(function, inst->name, inst->input,
							  &replay->defaults, replay->scratch);
	if (!replay->suspended)
		ds_user_code_finish();
	ds_arg_check_payload(result, "output");
	return result;
}

/*
 * Checks that the code is the one with which the execution began.  The lowest
 * bit of the fingerprint in the instance's row says that it was replaced
 * since.
 */
static void
check_code(DsReplay *replay, Oid function)
{
	DsInstance *inst = replay->inst;
	int64		code = ds_code_version_of(function) & ~INT64CONST(1);

	if (code == 0)
		code = 2;
	if (replay->code == 0)
		replay->code = code;
	replay->code_changed = (replay->code & 1) != 0;
	if ((replay->code & ~INT64CONST(1)) == code)
		return;

	replay->code = code | 1;
	replay->code_changed = true;
	if (ds_on_code_change == DS_ON_CODE_CHANGE_FAIL)
	{
		ds_replay_violation(replay,
							psprintf(_("orchestrator %s was replaced while instance \"%s\" was running"),
									 inst->name, inst->instance_id),
							psprintf(_("%s is \"%s\"."),
									 "durable_singleton.on_code_change", "fail"),
							_("Put the old function back, or let the instance go on with the new one with df_rewind."));
		ds_failure_raise(replay->violation);
	}
	ereport(LOG,
			(errmsg("orchestrator %s was replaced while instance \"%s\" was running",
					inst->name, inst->instance_id)));
}

/*
 * Raises a timeout or cancel that arrived while the code ran and that its
 * language has ignored: then the pass has failed, whatever it asked for.
 */
static ErrorData *
catch_interrupt(MemoryContext caller)
{
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		ds_user_code_check();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	return error;
}

static void
refuse_writes(DsReplay *replay)
{
	ds_replay_violation(replay,
						psprintf(_("orchestrator %s of instance \"%s\" wrote to the database before a durable wait"),
								 replay->inst->name, replay->inst->instance_id),
						psprintf(_("Everything it did before step %d is undone when it waits."),
								 replay->cursor + 1),
						_("Move table writes, row locks and DDL into an activity; after the last wait an orchestrator may write."));
}

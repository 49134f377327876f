/*-------------------------------------------------------------------------
 *
 * activity.c
 *	  One attempt at an activity.
 *
 * User code runs at the top level of a transaction, which also records its
 * outcome.  Any error up to and in the COMMIT is a failure of the activity,
 * which a separate transaction records.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/no_time.h"
#include "base/settings.h"
#include "commit/transaction.h"
#include "execution/activity.h"
#include "function/failure.h"
#include "function/fresh_worker.h"
#include "function/function_call.h"
#include "function/function_ref.h"
#include "function/isolation.h"
#include "function/trust.h"
#include "function/user_code.h"
#include "orchestrator/retry_policy.h"
#include "shmem/claim.h"
#include "shmem/counters.h"
#include "shmem/slot.h"

/* The state of the transaction when it failed. */
typedef enum Phase
{
	PHASE_USER_CODE,
	PHASE_WRITE,
	PHASE_COMMIT
} Phase;

static Jsonb *call_function(DsCall *call);
static void decide(const DsCall *call, DsRow *row, ErrorData *error);
static void count_attempt(const DsRow *row);
static void log_duration(const DsCall *call, const DsRow *row);

bool
ds_activity_run(DsCall *call, DsRow *row, DsStoreAttempt store, void *arg)
{
	volatile Phase phase = PHASE_USER_CODE;
	ErrorData  *volatile error = NULL;
	volatile bool done = false;

	memset(row, 0, sizeof(*row));
	row->seq = call->seq;
	row->attempt = call->attempt;
	row->kind = DS_OP_ACTIVITY;
	row->outcome = DS_OUTCOME_COMPLETED;
	row->parallel = call->parallel;
	row->name = call->name;
	/* the input of a task is in the row that scheduled it */
	row->input = call->parallel ? NULL : call->input;
	/* likewise; and for a call, in its first attempt's row */
	row->retry = call->parallel || call->attempt > 1 ? NULL : call->retry;
	row->scheduled_time = GetCurrentTimestamp();

	ds_claim_begin_step(call->execution_id, call->name);
	MemoryContextReset(call->scratch);
	ds_transaction_begin();
	PG_TRY();
	{
		MemoryContextSwitchTo(call->cxt);
		row->result = call_function(call);
		phase = PHASE_WRITE;
		row->event_time = GetCurrentTimestamp();
		done = store(row, arg);
		if (done)
		{
			phase = PHASE_COMMIT;
			ds_transaction_commit();
			count_attempt(row);
		}
	}
	PG_CATCH();
	{
		bool		cancelled;

		MemoryContextSwitchTo(call->cxt);
		error = CopyErrorData();
		cancelled = ds_claim_is_cancelled() ||
			(ds_my_slot->foreground && ds_failure_is_cancel(error));
		if (cancelled || (phase == PHASE_WRITE &&
						  !ds_retry_is_automatic(unpack_sql_state(error->sqlerrcode))))
			PG_RE_THROW();
		FlushErrorState();
		ds_user_code_error();
		ds_transaction_abort();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(call->cxt);
	if (done || error != NULL)
		ds_user_code_forget();

	if (error != NULL)
	{
		row->result = NULL;
		/* a retry uses the same values */
		if (call->defaults.kept == NULL && call->defaults.evaluated != NULL)
			row->defaults = DatumGetJsonbPCopy(JsonbPGetDatum(call->defaults.evaluated));
		row->event_time = GetCurrentTimestamp();
		decide(call, row, error);
		ds_transaction_begin();
		done = store(row, arg);
		if (done)
		{
			ds_transaction_commit();
			count_attempt(row);
		}
	}
	if (done)
		log_duration(call, row);
	return done;
}

static Jsonb *
call_function(DsCall *call)
{
	DsUserCode	user;
	Oid			function;
	Jsonb	   *result;

	function = ds_function_find_with(call->search_path, call->name, call->input);
	ds_function_check(function, call->name, DS_USE_ACTIVITY, GetUserId(),
					  call->input);
	ds_trust_check(function, call->name, GetUserId());
	ds_fresh_worker_check(function, call->execution_id, false);
	/* up to here the catalogs were only read */
	ds_isolation_set(function);
	ds_user_code_begin(&user);
	result = ds_function_call(function, call->name, call->input,
							  &call->defaults, call->scratch);
	ds_user_code_finish();
	ds_arg_check_payload(result, "result");
	ds_user_code_end(&user);
	return result;
}

/* The attempt failed: decides whether there is another one. */
static void
decide(const DsCall *call, DsRow *row, ErrorData *error)
{
	Jsonb	   *failure = ds_failure_from_error(error);
	const char *sqlstate = pstrdup(unpack_sql_state(error->sqlerrcode));
	int			attempts = call->counted + 1;
	TimestampTz first_time = call->first_time ? call->first_time :
	row->scheduled_time;

	row->failure = ds_failure_of_task(failure, call->name, call->seq, attempts,
									  NULL);
	if (ds_retry_is_automatic(sqlstate) &&
		ds_retry_automatic_next(call->automatic + 1, row->event_time,
								&row->fire_at))
		row->outcome = DS_OUTCOME_REPEATED;
	else if (ds_retry_next(call->retry, attempts, first_time, row->event_time,
						   sqlstate, &row->fire_at))
		row->outcome = DS_OUTCOME_RETRIED;
	else
	{
		row->outcome = DS_OUTCOME_FAILED;
		row->fire_at = DS_NO_TIME;
	}
}

/* Called right after the commit: no interrupt may come between. */
static void
count_attempt(const DsRow *row)
{
	ds_counters_add(row->outcome == DS_OUTCOME_COMPLETED ? DS_ACTIVITIES_COMPLETED :
					row->outcome == DS_OUTCOME_FAILED ? DS_ACTIVITIES_FAILED :
					DS_ACTIVITIES_RETRIED, 1);
	ds_counters_observe(DS_ACTIVITY_TIME, row->event_time - row->scheduled_time);
}

static void
log_duration(const DsCall *call, const DsRow *row)
{
	long		ms = TimestampDifferenceMilliseconds(row->scheduled_time,
													 GetCurrentTimestamp());

	if (ds_log_min_duration >= 0 && ms >= ds_log_min_duration)
		ereport(LOG,
				(errmsg("activity %s of instance \"%s\" took %ld ms",
						call->name, call->instance_id, ms)));
}

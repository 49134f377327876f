/*-------------------------------------------------------------------------
 *
 * client_wait.c
 *	  df_wait_for_completion, df_wait_for_any and CALL df_wait.
 *
 * The process that ends an instance sets the latches of the waiting sessions,
 * so there is no polling.  Only on a standby, where ends arrive by WAL replay,
 * the row is checked from time to time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/sleep.h"
#include "base/wait_event.h"
#include "client/client_status.h"
#include "instance/access.h"
#include "shmem/blocked.h"
#include "shmem/shared.h"
#include "shmem/slot.h"
#include "shmem/waiter.h"
#include "store/store.h"

PG_FUNCTION_INFO_V1(ds_wait_for_completion);
PG_FUNCTION_INFO_V1(ds_wait_for_any);
PG_FUNCTION_INFO_V1(ds_wait);
PG_FUNCTION_INFO_V1(ds_call_off);

#define STANDBY_POLL_MS		1000L
#define LOG_INTERVAL_MS		60000

/* The instances as last read. */
typedef struct Look
{
	int			n;
	DsInstance **instances;
	bool		any_ended;
} Look;

static Look wait_for_end(int n, char **ids, TimestampTz deadline,
						 bool may_commit);
static void check_worker_is_left(const Look *look);
pg_noreturn static void error_no_worker_left(const DsBlocked *blocked,
											 const char *awaited);
static Look look_at(int n, char **ids);
static TimestampTz deadline_argument(FunctionCallInfo fcinfo, int n);
static void check_may_wait(const char *caller);
static void put_all(FunctionCallInfo fcinfo, const Look *look);

/* df_wait_for_completion(instance_id, timeout) */
PGDLLEXPORT Datum
ds_wait_for_completion(PG_FUNCTION_ARGS)
{
	char	   *id;
	TimestampTz deadline;
	Look		look;

	ds_shared_require();
	id = ds_arg_instance_id(fcinfo, 0);
	deadline = deadline_argument(fcinfo, 1);
	check_may_wait("df_wait_for_completion()");
	InitMaterializedSRF(fcinfo, 0);
	look = wait_for_end(1, &id, deadline, false);
	put_all(fcinfo, &look);
	return (Datum) 0;
}

/* df_wait_for_any(instance_ids, timeout) */
PGDLLEXPORT Datum
ds_wait_for_any(PG_FUNCTION_ARGS)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
	char	  **ids;
	TimestampTz deadline;
	Look		look;

	ds_shared_require();
	ds_arg_require(fcinfo, 0, "instance_ids");
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false,
					  TYPALIGN_INT, &values, &nulls, &n);
	if (n == 0)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("instance_ids must not be empty"),
				 errhint("Pass the ids of the instances to wait for.")));
	ids = palloc(n * sizeof(char *));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(DS_ERRCODE_BAD_ARGUMENT),
					 errmsg("instance_ids must not contain null"),
					 errhint("Pass the ids of the instances to wait for.")));
		ids[i] = TextDatumGetCString(values[i]);
		ds_arg_check_instance_id(ids[i]);
	}
	deadline = deadline_argument(fcinfo, 1);
	check_may_wait("df_wait_for_any()");
	InitMaterializedSRF(fcinfo, 0);
	look = wait_for_end(n, ids, deadline, false);
	put_all(fcinfo, &look);
	return (Datum) 0;
}

/* CALL df_wait(instance_id, timeout, INOUT status) */
PGDLLEXPORT Datum
ds_wait(PG_FUNCTION_ARGS)
{
	bool		atomic = !(fcinfo->context && IsA(fcinfo->context, CallContext) &&
						   !castNode(CallContext, fcinfo->context)->atomic);
	MemoryContext caller = CurrentMemoryContext;
	char	   *id;
	TimestampTz deadline;
	Look		look;
	TupleDesc	desc;
	Datum		value;
	bool		isnull = false;

	ds_shared_require();
	id = ds_arg_instance_id(fcinfo, 0);
	deadline = deadline_argument(fcinfo, 1);
	check_may_wait("df_wait()");

	if (SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(caller);
	look = wait_for_end(1, &id, deadline, !atomic);
	MemoryContextSwitchTo(caller);
	value = JsonbPGetDatum(ds_status_to_jsonb(look.instances[0]));
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "df_wait must return a row");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  &value, &isnull)));
}

/* durable_singleton.http_call_off(pid): ends a wait of the same role */
PGDLLEXPORT Datum
ds_call_off(PG_FUNCTION_ARGS)
{
	ds_shared_require();
	ds_arg_require(fcinfo, 0, "pid");
	PG_RETURN_BOOL(ds_waiter_call_off(PG_GETARG_INT32(0)));
}

/*
 * Returns when one of the instances has ended or the deadline has passed. With
 * may_commit, the wait itself holds no snapshot and no lock.
 */
static Look
wait_for_end(int n, char **ids, TimestampTz deadline, bool may_commit)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt = AllocSetContextCreate(caller, "df_wait",
											  ALLOCSET_DEFAULT_SIZES);
	bool		standby = RecoveryInProgress();
	Look		look;

	/* before the first look at the rows: an end after that sets the latch */
	ds_waiter_enter(n, ids);
	PG_TRY();
	{
		for (;;)
		{
			long		timeout = -1;
			int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;

			MemoryContextReset(cxt);
			MemoryContextSwitchTo(cxt);
			look = look_at(n, ids);
			MemoryContextSwitchTo(caller);
			if (look.any_ended || ds_waiter_called_off())
				break;

			if (deadline != 0)
			{
				timeout = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
														  deadline);
				if (timeout <= 0)
					break;
			}
			timeout = ds_sleep_time(timeout);
			if (standby && (timeout < 0 || timeout > STANDBY_POLL_MS))
				timeout = STANDBY_POLL_MS;
			if (timeout >= 0)
				events |= WL_TIMEOUT;

			check_worker_is_left(&look);
			if (may_commit)
				SPI_commit();
			(void) WaitLatch(MyLatch, events, timeout, ds_wait_event(DS_WAIT_END));
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
		}
	}
	PG_FINALLY();
	{
		ds_waiter_leave();
		ds_blocked_leave();
	}
	PG_END_TRY();
	return look;
}

/* For a step of a worker: the worker is occupied during the wait. */
static void
check_worker_is_left(const Look *look)
{
	DsBlocked	blocked;
	bool		own_role = false;

	if (ds_my_slot == NULL)
		return;
	for (int i = 0; i < look->n; i++)
		own_role |= look->instances[i]->owner == ds_my_slot->role;
	if (!ds_blocked_enter(own_role, &blocked))
		error_no_worker_left(&blocked, look->instances[0]->instance_id);
}

/*
 * A deadlock: an activity is retried several times, and its wait may be over
 * by then.  This is logged from time to time, because retries are not logged.
 */
static void
error_no_worker_left(const DsBlocked *blocked, const char *awaited)
{
	static TimestampTz last_logged = 0;
	TimestampTz now = GetCurrentTimestamp();
	char	   *message = psprintf(_("function %s of instance \"%s\" cannot wait for instance \"%s\" because no worker would be left to run it"),
								   ds_my_slot->function_name,
								   ds_my_slot->instance_id, awaited);
	char	   *detail = psprintf(blocked->of_role ?
								  _("%d of the %d workers that the role may have wait for other instances.") :
								  _("%d of %d workers wait for other instances."),
								  blocked->n_blocked - 1, blocked->n_workers);
	char	   *hint = _("Do not wait in an activity: call the other instance as a sub-orchestration, or let it send an event that the orchestrator waits for.");

	if (TimestampDifferenceExceeds(last_logged, now, LOG_INTERVAL_MS))
	{
		last_logged = now;
		ereport(LOG,
				(errmsg_internal("%s", message),
				 errdetail_internal("%s", detail), errhint("%s", hint)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_T_R_DEADLOCK_DETECTED),
			 errmsg_internal("%s", message),
			 errdetail_internal("%s", detail), errhint("%s", hint)));
}

static Look
look_at(int n, char **ids)
{
	Look		look = {.n = n,.instances = palloc(n * sizeof(DsInstance *))};

	for (int i = 0; i < n; i++)
	{
		DsInstance *inst = ds_store_load(ids[i]);

		if (inst == NULL)
			ds_access_no_instance_error(ids[i]);
		if (ds_access_of(inst->owner) != DS_ACCESS_FULL)
			ds_access_check_owner(inst);
		ds_access_check_not_waiting_for_itself(inst);
		if (!ds_status_is_active(inst->status))
			look.any_ended = true;
		look.instances[i] = inst;
	}
	return look;
}

/* 0: wait forever. */
static TimestampTz
deadline_argument(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		return 0;
	return ds_arg_time_after(PG_GETARG_INTERVAL_P(n));
}

/*
 * A parallel worker cannot take a new snapshot.  And the writes of this
 * transaction take effect only when it ends: it might wait for itself, which
 * no deadlock detector would notice.
 */
static void
check_may_wait(const char *caller)
{
	PreventCommandIfParallelMode(caller);
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("cannot wait for an instance in a transaction that has already written"),
				 errdetail("Its writes, such as a start or an event, take effect only at its commit."),
				 errhint("Commit first, then wait.")));
}

/* Returns the instances that have ended, or all if none has. */
static void
put_all(FunctionCallInfo fcinfo, const Look *look)
{
	for (int i = 0; i < look->n; i++)
	{
		if (!look->any_ended || !ds_status_is_active(look->instances[i]->status))
			ds_status_put((ReturnSetInfo *) fcinfo->resultinfo,
						  look->instances[i], NULL, true);
	}
}
